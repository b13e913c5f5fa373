"""The name that IPython's printer imports to detect PyPy."""

PYPY = False

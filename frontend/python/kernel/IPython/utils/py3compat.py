"""Which Python this is, as IPython's printer asks."""

PYPY = False

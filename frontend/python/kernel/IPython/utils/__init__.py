"""Names that IPython's printer imports."""

"""Names that ipywidgets imports."""

"""The opening chapter, nnlib in twenty minutes: its figures and checks."""

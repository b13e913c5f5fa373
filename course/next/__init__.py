"""The closing chapter: its figures and checks."""

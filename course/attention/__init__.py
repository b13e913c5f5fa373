"""The chapter on attention: its figures and checks."""

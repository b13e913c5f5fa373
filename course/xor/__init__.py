"""The chapter on XOR: its figures and checks."""

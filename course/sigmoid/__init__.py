"""The chapter on the sigmoid: its figures and checks."""

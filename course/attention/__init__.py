"""The chapter attention: its figures and checks."""

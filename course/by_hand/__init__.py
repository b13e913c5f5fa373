"""The appendix on derivatives by hand: its figures and checks."""

"""Graded assignments: a sandbox for handed-in notebooks, and a judge outside of it."""

"""Graded assignments: a sandbox runs the submitted notebooks, a judge outside of it checks them."""

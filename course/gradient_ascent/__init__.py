"""The chapter on gradient ascent: its figures and checks."""

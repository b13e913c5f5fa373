"""The chapter on multi-layer perceptrons: its figures and checks."""

"""The chapter on backpropagation: its figures and checks."""

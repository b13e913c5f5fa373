"""The chapter on convolutional networks: its figures and checks."""

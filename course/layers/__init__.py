"""The chapter on layers: its figures, its playground, its checks."""

"""The chapter on automatic differentiation: its figures, its checks, its engine."""

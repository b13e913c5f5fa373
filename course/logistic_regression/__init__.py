"""The chapter on logistic regression: its checks."""

"""The chapter on logistic regression: its figures, checks and quiz."""

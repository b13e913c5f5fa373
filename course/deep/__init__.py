"""The chapter on deep networks: its figures, exercises and measured nets."""

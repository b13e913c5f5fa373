"""The chapter on language models: its figures and checks."""

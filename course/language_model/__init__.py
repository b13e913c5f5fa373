"""The chapter language-model: its figures and checks."""

"""The chapter on recurrent networks: its figures and checks."""

"""The opening page: its figure."""

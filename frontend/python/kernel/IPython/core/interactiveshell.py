"""A shell's name, for type checks: no shell is here."""


class InteractiveShell:
    """Never made."""

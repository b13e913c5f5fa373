"""The shell's class, for isinstance checks: there is no shell in the page."""


class InteractiveShell:
    """Has no instances."""

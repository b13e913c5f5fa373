"""Whether the folded cell "the same in PyTorch" can run here."""

from __future__ import annotations

import importlib.util


def pytorch() -> bool:
    """Whether PyTorch is installed; if not, prints that the cell is skipped and how to install it.

    >>> import course
    >>> course.pytorch() in (True, False)
    True
    """
    if importlib.util.find_spec("torch") is not None:
        return True
    print("PyTorch is not installed here, so this cell is skipped: pip install torch")
    return False

"""What ipywidgets and anywidget ask of IPython, in a few lines: the whole takes seconds to load."""

from __future__ import annotations

from typing import Any

version_info = (8, 23, 0)
__version__ = "8.23.0"


def get_ipython() -> Any:
    """None: cells run without IPython's shell, so its magics are not there either."""
    return None

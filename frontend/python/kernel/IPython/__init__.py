"""The part of IPython that ipywidgets and anywidget use: all of it would take seconds to load."""

from __future__ import annotations

from typing import Any

version_info = (8, 23, 0)
__version__ = "8.23.0"


def get_ipython() -> Any:
    """Returns None: cells run without IPython's shell, so there are no magics either."""
    return None

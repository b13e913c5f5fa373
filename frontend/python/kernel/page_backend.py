"""A matplotlib backend for the page: figures become PNG pictures in the cell's output."""

from __future__ import annotations

from typing import Any

from matplotlib import _pylab_helpers
from matplotlib.backends.backend_agg import FigureCanvasAgg, new_figure_manager  # noqa: F401
from page_output import Raw, display, picture

FigureCanvas = FigureCanvasAgg


def show(*args: Any, **kwargs: Any) -> None:
    """Shows and closes every open figure."""
    managers = _pylab_helpers.Gcf.get_all_fig_managers()
    try:
        for manager in managers:
            figure = manager.canvas.figure
            if figure.axes or figure.lines or figure.patches:
                display(Raw(picture(figure)))
    finally:
        _pylab_helpers.Gcf.destroy_all()

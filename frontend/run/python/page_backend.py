"""matplotlib's way into the page: figures become PNG pictures in the cell's output."""

from __future__ import annotations

import base64
import io
from typing import Any

from matplotlib import _pylab_helpers
from matplotlib.backends.backend_agg import FigureCanvasAgg, new_figure_manager  # noqa: F401

FigureCanvas = FigureCanvasAgg


def picture(figure: Any) -> dict[str, str]:
    """The figure as a notebook stores it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight", dpi=figure.dpi)
    plain = f"<Figure size {figure.bbox.width:g}x{figure.bbox.height:g}"
    count = len(figure.axes)
    plain += f" with {count} Axes>"
    return {"image/png": base64.b64encode(buffer.getvalue()).decode(), "text/plain": plain}


def show(*args: Any, **kwargs: Any) -> None:
    """Shows and closes every open figure."""
    from page_kernel import Raw, display

    managers = _pylab_helpers.Gcf.get_all_fig_managers()
    try:
        for manager in managers:
            figure = manager.canvas.figure
            if figure.axes or figure.lines or figure.patches:
                display(Raw(picture(figure)))
    finally:
        _pylab_helpers.Gcf.destroy_all()

"""One style for the figures that matplotlib draws: the site's colours, no top or right spine."""

from __future__ import annotations

SERIES = ("series0", "series1", "series2", "series3")


def style() -> None:
    """Sets matplotlib's defaults for a chapter; call it once, before the first figure.

    Raises:
        ModuleNotFoundError: matplotlib is not installed; the message says how to install it.
    """
    from nnlib.live import palette

    hues = palette.colors("fallback")
    try:
        import matplotlib as mpl
        from cycler import cycler
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "course.style sets the look of matplotlib's figures, and matplotlib is not installed: "
            'pip install "sigmoid-to-sequence[plot]", or remove the call.'
        ) from error

    mpl.rcParams.update(
        {
            "figure.figsize": (5.6, 3.4),
            "figure.dpi": 110,
            "figure.constrained_layout.use": True,
            "axes.prop_cycle": cycler(color=[hues[name] for name in SERIES]),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": hues["muted"],
            "axes.labelcolor": hues["ink"],
            "lines.linewidth": 1.8,
            "legend.frameon": False,
            "font.size": 10,
            "svg.hashsalt": "nnlib",
        }
    )

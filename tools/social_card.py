"""Draws the picture that messengers and search pages show for a link to the book."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from title_page import SUBTITLE, TITLE

from nnlib.live import palette

TARGET = Path(__file__).resolve().parent.parent / "_static" / "social-card.png"


def main() -> None:
    plt.rcParams.update({"font.family": "DejaVu Serif", "svg.hashsalt": "book"})
    figure = plt.figure(figsize=(12, 6.3), dpi=100, facecolor="#17324d")
    axes = figure.add_axes((0.52, 0.14, 0.44, 0.72))
    z = np.linspace(-6, 6, 400)
    axes.plot(z, 1 / (1 + np.exp(-1.4 * z)), color="white", linewidth=6, solid_capstyle="round")
    rng = np.random.default_rng(3)
    colors = palette.colors("dark")  # the card is dark
    for centre, level, name in ((-2.6, 0, "class0"), (2.6, 1, "class1")):
        color = colors[name]
        axes.scatter(rng.normal(centre, 1.3, 16), np.full(16, level), s=190, color=color, alpha=0.9)
    axes.set(xlim=(-6.5, 6.5), ylim=(-0.12, 1.12))
    axes.axis("off")
    figure.text(
        0.06,
        0.56,
        TITLE.replace(" to ", "\nto "),
        color="white",
        fontsize=46,
        linespacing=1.15,
        weight="bold",
        va="center",
    )
    figure.text(0.06, 0.28, SUBTITLE, color="#c8d8e8", fontsize=20)
    figure.savefig(TARGET, metadata={"Software": None}, facecolor=figure.get_facecolor())


if __name__ == "__main__":
    main()

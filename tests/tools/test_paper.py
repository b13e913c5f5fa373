"""The numbers of tools/printing/paper.py are those of the style sheet paper.css."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.printing import paper

STYLES = (Path(__file__).resolve().parents[2] / "tools" / "printing" / "paper.css").read_text(
    "utf8"
)


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_space_between_the_margins_is_that_of_the_style_sheet(side: str) -> None:
    [(top, bottom)] = re.findall(r"@page \{ size: A4; margin: (\d+)mm \d+mm (\d+)mm;", STYLES)
    [margins] = re.findall(
        rf"@page :{side} \{{ margin-left: (\d+)mm; margin-right: (\d+)mm; \}}", STYLES
    )
    millimetres = (210 - sum(map(int, margins)), 297 - int(top) - int(bottom))
    pixels = tuple(length * 96 / 25.4 for length in millimetres)
    assert pytest.approx(pixels, abs=0.5) == paper.BETWEEN_MARGINS


def test_figures_have_the_scale_of_the_style_sheet() -> None:
    [zoom] = re.findall(r"\.nn-figure \{[^}]*zoom: ([.\d]+);", STYLES)
    assert float(zoom) == paper.SCALE

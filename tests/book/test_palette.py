"""One hue, one meaning: the site and the figures by themselves name the same colours."""

from __future__ import annotations

import re

import pytest

from tests.book.harness import ROOT

NAMES = ["class0", "class1", "gradient", "weight-pos", "weight-neg", "series2", "map-class0",
         "map-class1", "map-neg", "map-pos"]  # fmt: skip


def palette(path: str) -> list[dict[str, str]]:
    """The light and the dark values of each colour."""
    text = (ROOT / path).read_text("utf8")
    dark = text.index('html[data-theme="dark"]')
    found = [re.findall(r"--nn-([a-z0-9-]+): (#[0-9a-f]{6});", part) for part in
             (text[:dark], text[dark:])]  # fmt: skip
    # The first value counts: print repeats some at the end.
    return [dict(reversed(pairs)) for pairs in found]


@pytest.mark.parametrize("name", NAMES)
def test_site_and_figures_agree(name: str) -> None:
    site, figures = palette("_static/book.css"), palette("frontend/src/live.css")
    assert [theme[name] for theme in site] == [theme[name] for theme in figures]


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colours_stand_out_from_the_paper_and_text_is_readable(theme: int) -> None:
    colours = palette("_static/book.css")[theme]
    for name in ("class0", "class1", "gradient", "weight-pos", "weight-neg", "accent"):
        assert contrast(colours[name], colours["paper"]) >= 4.0, name
    for name in ("ink", "ink-soft"):
        assert contrast(colours[name], colours["panel"]) >= 4.5, name


def test_site_picture_is_where_the_readme_points() -> None:
    readme = (ROOT / "README.md").read_text("utf8")
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", readme):
        assert (ROOT / target).exists(), target

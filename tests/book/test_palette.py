"""One hue, one meaning: the site and the figures use the same colours."""

from __future__ import annotations

import json
import re
from pathlib import Path

import make_palette
import pytest

from nnlib.live import palette
from tests.book.harness import ROOT

PALETTE = ROOT / "nnlib" / "live" / "palette.json"


def test_every_style_sheet_has_the_colours_of_the_palette() -> None:
    assert make_palette.main(["--check"]) == 0, "run python tools/make_palette.py and make frontend"


def test_a_style_sheet_that_differs_from_the_palette_is_reported(
    tmp_path: Path, monkeypatch, capsys
) -> None:
    for name in ("BOOK", "FIGURES", "NAMES"):
        copy = tmp_path / getattr(make_palette, name).name
        copy.write_text(getattr(make_palette, name).read_text("utf8"), "utf8")
        monkeypatch.setattr(make_palette, name, copy)
    monkeypatch.setattr(make_palette, "ROOT", tmp_path)
    css = make_palette.FIGURES.read_text("utf8")
    accent = palette.colors()["accent"]
    make_palette.FIGURES.write_text(css.replace(accent, "#123456"), "utf8")
    assert make_palette.main(["--check"]) == 1
    assert capsys.readouterr().out == "live.css does not match the palette\n"
    assert make_palette.main([]) == 0
    assert make_palette.FIGURES.read_text("utf8") == css


def test_no_colour_of_the_palette_is_written_anywhere_else() -> None:
    """The figures' sources and Python refer to a colour by its name, so it is defined once."""
    values = {v for theme in palette.THEMES for v in palette.colors(theme).values() if len(v) == 7}
    files = [*ROOT.glob("nnlib/live/*.py"), *ROOT.glob("course/**/*.py"),
              *ROOT.glob("tools/**/*.py"), *ROOT.glob("frontend/figures/src/**/*.ts")]  # fmt: skip
    for path in files:
        written = set(re.findall(r"#[0-9a-f]{6}\b", path.read_text("utf8"))) & values
        assert not written, f"{path.relative_to(ROOT)} writes {written}: use the palette's names"


def test_every_colour_of_the_palette_is_used_somewhere() -> None:
    sources = [*ROOT.glob("frontend/figures/src/**/*.ts"), make_palette.BOOK, make_palette.FIGURES]
    used = set(re.findall(r"--nn-([\w-]+)(?!:)\b", make_palette.BLOCK.sub("", "\n".join(
        path.read_text("utf8") for path in sources))))  # fmt: skip
    used |= set(json.loads(PALETTE.read_text("utf8"))["same"].values())
    used |= {name for name in palette.colors() if make_palette.FOR_AUTHORS.match(name)}
    unused = set(palette.colors()) - used
    assert not unused, f"{unused}: no style and no figure uses these"


def test_fallback_pictures_have_every_colour_that_an_author_can_name() -> None:
    named = re.findall(r'"([\w-]+)",', make_palette.NAMES.read_text("utf8"))
    assert len(named) > 10
    assert set(named) <= set(palette.colors("fallback"))


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_stand_out_from_the_paper_and_text_is_readable(theme: str) -> None:
    colours = palette.colors(theme)
    for name in ("class0", "class1", "gradient", "weight-pos", "weight-neg", "accent"):
        assert contrast(colours[name], colours["paper"]) >= 4.0, name
    for name in ("ink", "ink-soft"):
        assert contrast(colours[name], colours["panel"]) >= 4.5, name

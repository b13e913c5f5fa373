"""Presenting a page: keys, one section or figure at a time, large type, live figures, offline."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import nnlib
from nnlib import live

pytestmark = pytest.mark.slow  # each test opens a browser
ROOT = Path(__file__).resolve().parents[2]
TEXT = "A sentence with some words about neurons and their weights. " * 12


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page as Sphinx builds it, in a folder: two sections, a figure, text for three slides."""
    folder = tmp_path_factory.mktemp("present")
    x = nnlib.linspace(-6, 6, 61)
    figure = live.figure(
        lambda w: {"p": nnlib.sigmoid(w * x)}, w=live.slider(-2.0, 2.0, 0.1, value=1.0),
        view=[live.axes(live.curve(x, "p"), ylim=(0, 1)), "w = {w:.1f}"], name="neuron",
    )  # fmt: skip
    saved = figure.save(folder / "f.html").read_text("utf8")
    match = re.search(r"<style>(.*?)</style>.*?<main>(.*?)</main>(.*)</body>", saved, re.DOTALL)
    assert match is not None
    for name in ("_ext/present.js", "_ext/built/run.js", "_static/present.css"):
        (folder / Path(name).name).write_bytes((ROOT / name).read_bytes())
    code = json.dumps({"page": "chapters/t", "bytes": 9e6, "cells": []})
    long = "".join(f"<p>{i} {TEXT}</p>" for i in range(5))
    (folder / "page.html").write_text(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>t</title>'
        f'<style>{match[1]}</style><link rel="stylesheet" href="present.css">'
        f'<script defer src="present.js"></script><script defer src="run.js"></script></head>'
        f'<body><header class="bd-header">menu</header>'
        f'<article class="bd-article"><section id="a"><h1>Title</h1><p>Opening.</p>'
        f'<section id="b"><h2>First</h2>{long}<div class="cell tag_hide-input"><details>code'
        f"</details>{match[2]}</div><p>After the figure.</p></section>"
        f'<section id="c"><h2>Second</h2><p>End.</p></section></section></article>'
        f'{match[3]}<script type="application/json" id="nn-run">{code}</script></body></html>',
        "utf8",
    )
    return folder / "page.html"


@pytest.fixture
def page(browser: Any, page_file: Path) -> Iterator[Any]:
    opened = browser.new_page(viewport={"width": 1280, "height": 720})
    errors: list[str] = []
    opened.on("pageerror", lambda e: errors.append(str(e)))
    opened.goto(page_file.as_uri())
    opened.wait_for_selector(".nn-figure[data-ready]")
    opened.get_by_role("button", name="Present this page").click()
    yield opened
    assert errors == []
    opened.close()


def shown_text(page: Any) -> str:
    return " ".join(page.locator("article.bd-article").inner_text().split())


def count(page: Any) -> tuple[int, int]:
    """The number of the slide that is shown, and how many slides there are."""
    number, total = page.locator(".nn-present-count").inner_text().split(" of ")
    return int(number), int(total)


def test_keys_go_through_every_part_once(page: Any) -> None:
    first, total = count(page)
    for _ in range(total + 3):  # content that does not fit is moved to new slides
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Home")
    total = count(page)[1]
    assert first == 1 and shown_text(page).startswith("Title") and "After" not in shown_text(page)
    texts = []
    for _ in range(total):
        texts.append(shown_text(page))
        page.keyboard.press("ArrowRight")
    assert count(page) == (total, total)  # the last one stays
    joined = " ".join(texts)
    for part in ("Opening.", "0 A sent", "4 A sent", "After the figure.", "End."):
        assert sum(part in text for text in texts) == 1, part
    assert joined.index("Opening.") < joined.index("4 A sent") < joined.index("w = 1.0")
    assert total >= 5
    page.keyboard.press("Home")
    page.keyboard.press("PageDown")
    page.keyboard.press(" ")
    assert count(page)[0] == 3
    page.keyboard.press("PageUp")
    page.keyboard.press("Shift+ ")
    assert count(page)[0] == 1


def test_no_slide_shows_the_button_that_runs_the_code(page: Any) -> None:
    button = page.get_by_role("button", name="Run the code", include_hidden=True)
    assert button.count() == 1
    for _ in range(count(page)[1]):
        assert not button.is_visible(), shown_text(page)
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    assert button.is_visible()


def to_figure(page: Any) -> None:
    while not page.locator(".nn-figure").is_visible():
        before = count(page)
        page.keyboard.press("ArrowRight")
        assert count(page) != before, "no slide shows the figure"


def test_a_figure_has_its_own_slide_and_its_controls_keep_the_arrow_keys(page: Any) -> None:
    to_figure(page)
    assert "After the figure." not in shown_text(page) and "sentence" not in shown_text(page)
    before = count(page)
    slider = page.locator("input[type=range]").first
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.nn-readout').textContent.includes('w = 1.1')")
    assert count(page) == before
    page.keyboard.press("PageDown")  # a presenter's remote control works everywhere
    assert count(page)[0] == before[0] + 1


def test_a_figure_fills_its_slide_and_can_be_dragged_there(page: Any) -> None:
    to_figure(page)
    fits = """() => { const box = document.querySelector('.nn-figure').getBoundingClientRect();
      return box.bottom < innerHeight - 20 && box.bottom > innerHeight * 0.6; }"""
    page.wait_for_function(fits)
    slider = page.locator("input[type=range]").first.bounding_box()
    assert slider is not None
    page.mouse.click(slider["x"] + 0.9 * slider["width"], slider["y"] + slider["height"] / 2)
    page.wait_for_function(
        "parseFloat(document.querySelector('.nn-readout').textContent.split('=')[1]) > 1.3"
    )


def test_the_type_is_large_and_grows(page: Any) -> None:
    size = "() => parseFloat(getComputedStyle(document.querySelector('article p')).fontSize)"
    large = page.evaluate(size)
    assert large >= 22
    page.keyboard.press("+")
    assert page.evaluate(size) > large
    assert not page.locator(".bd-header").is_visible()


def test_content_that_does_not_fit_is_on_the_next_slide(page: Any) -> None:
    for _ in range(count(page)[1]):
        height = page.evaluate("document.querySelector('article').scrollHeight")
        assert height <= 720 + 80 or page.locator(".nn-figure").is_visible()
        page.keyboard.press("ArrowRight")


def test_escape_returns_to_the_same_position_in_the_page(page: Any) -> None:
    to_figure(page)
    page.keyboard.press("Escape")
    assert page.locator(".nn-present").count() == 0
    assert page.locator(".bd-header").is_visible() and "Opening." in shown_text(page)
    assert page.locator("[data-nn-off]").count() == 0
    page.wait_for_timeout(100)
    box = page.locator(".nn-figure").bounding_box()
    assert box is not None and -50 < box["y"] < 720


def test_the_screen_goes_dark_and_comes_back(page: Any) -> None:
    page.keyboard.press("b")
    assert not page.locator("article h1").is_visible()
    page.keyboard.press("b")
    assert page.locator("article h1").is_visible()


@pytest.mark.browser
def test_a_built_chapter_can_be_presented(browser: Any, address: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.goto(address + "chapters/xor.html?present")
    page.wait_for_selector(".nn-present")
    _, total = count(page)
    assert total > 20
    names, shown = set(), 0
    for _ in range(total):
        for figure in page.locator(".nn-figure:visible").all():
            names.add(figure.get_attribute("data-name"))
            shown += 1
        page.keyboard.press("ArrowRight")
    assert len(names) == shown >= 8, "each figure is on one slide"
    page.close()

"""Digits drawn in a real browser are recognised, also when all pixels are shuffled."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from course.mlp import figures as show
from course.networks import digits
from nnlib import datasets
from tests.live.figure_site import Site

pytestmark = [pytest.mark.browser, pytest.mark.reads()]
NAME = "drawing"
# The pointer's path, as fractions of the pad: each stroke is a list of corners.
STROKES = {
    1: [[(0.5, 0.15), (0.5, 0.85)]],
    4: [[(0.35, 0.15), (0.28, 0.5), (0.7, 0.5)], [(0.68, 0.15), (0.64, 0.9)]],
    7: [[(0.25, 0.2), (0.75, 0.2), (0.45, 0.85)]],
}


@pytest.fixture(scope="module")
def site(shown: Callable) -> Iterator[Site]:
    start = datasets.digits(train=False).x[1, 0]
    with shown(show.flow(digits.trained("mlp"), start, name=NAME), height=1800) as site:
        yield site


def draw(site: Site, digit: int) -> None:
    figure = site.figure(NAME)
    figure.get_by_role("button", name="clear").click()
    box = figure.locator("canvas").first.bounding_box()
    mouse = site.page.mouse
    for stroke in STROKES[digit]:
        corners = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        mouse.move(*corners[0])
        mouse.down()
        for corner in corners[1:]:
            mouse.move(*corner, steps=12)
        mouse.up()
    site.settle()


@pytest.mark.parametrize("digit", STROKES)
def test_a_drawn_digit_is_recognised_with_and_without_shuffled_pixels(site, digit) -> None:
    figure = site.figure(NAME)
    draw(site, digit)
    reading = site.read(NAME, "p")
    assert reading[digit] > 0.5
    assert f"It reads {digit}" in figure.inner_text()
    figure.get_by_text("shuffle pixels").click()
    site.settle()
    assert site.read(NAME, "p") == pytest.approx(reading, abs=1e-4)
    figure.get_by_text("shuffle pixels").click()


def test_a_cleared_pad_shows_a_message(site) -> None:
    site.figure(NAME).get_by_role("button", name="clear").click()
    site.settle()
    assert "Nothing is drawn." in site.figure(NAME).inner_text()
    assert (site.read(NAME, "image") == 0).all()

"""Convolutions in a real browser: drawn digits are recognised, windows slide, digits move."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from course.cnn import figures as show
from course.cnn.strokes import STROKES
from course.networks import digits
from tests.chapters.cnn_cases import EDGE, IMAGE, close, question
from tests.live.figure_site import Site

pytestmark = [pytest.mark.browser, pytest.mark.reads()]
MAPS, DRAG, SLIDE = "every-feature-map-of-a-drawing", "drag-the-digit", "slide-a-window"


@pytest.fixture(scope="module")
def site(shown: Callable) -> Iterator[Site]:
    figures = [
        show.maps_of(digits.trained("anywhere"), digits.trained("mlp"), IMAGE),
        show.drag_the_digit(IMAGE, EDGE, question("still")),
        show.paint_a_kernel(IMAGE, question("sees")),
    ]
    with shown(*figures, height=1800) as site:
        yield site


def draw(site: Site, digit: int, top: float, left: float, side: float) -> None:
    """Draws the digit's strokes by mouse, in a square of `side` pixels of the pad."""
    figure = site.figure(MAPS)
    figure.get_by_role("button", name="clear").click()
    pad = figure.locator(".nn-pad").bounding_box()
    mouse = site.page.mouse
    for stroke in STROKES[digit]:
        for k, (down, right) in enumerate(stroke):
            x, y = (left + right * side) / 28, (top + down * side) / 28
            mouse.move(pad["x"] + x * pad["width"], pad["y"] + y * pad["height"], steps=4)
            if k == 0:
                mouse.down()
        mouse.up()
    site.settle()


@pytest.mark.parametrize("digit", STROKES)
def test_a_drawing_is_recognised(site: Site, digit: int) -> None:
    draw(site, digit, *[(4, 4, 20), (13, 13, 13), (2, 8, 17)][digit % 3])
    assert site.read(MAPS, "p").argmax() == digit
    assert f"CNN: {digit}" in site.figure(MAPS).inner_text()


def test_the_pages_maps_are_pythons(site: Site) -> None:
    draw(site, 3, 4, 4, 20)
    drawn = site.read(MAPS, "drawing").reshape(28, 28).astype("float32")
    in_python = site.figures[MAPS].outputs(drawing=drawn)
    for name in ("image", "first", "second", "third", "maxima", "p"):
        assert close(site.read(MAPS, name), np.ravel(in_python[name]), 1e-3), name


def test_a_click_chooses_a_map(site: Site) -> None:
    site.figure(MAPS).get_by_role("button", name="image 6, 7 by 7").click()
    assert site.read(MAPS, "last")[0] == 5
    assert "largest value of map 5" in site.figure(MAPS).inner_text()


def test_the_digit_follows_the_pointer_and_the_maximum_of_its_map_stays(site: Site) -> None:
    before = site.read(DRAG, "maximum")[0]
    handle = site.figure(DRAG).get_by_role("slider", name="the digit", exact=True)
    unit = site.figure(DRAG).locator("rect.nn-grip").first.bounding_box()["width"] / 28
    site.drag(handle, 3 * unit, 2 * unit)
    assert (site.read(DRAG, "at")[0], site.read(DRAG, "to")[0]) == (3, -2)
    assert site.read(DRAG, "maximum")[0] == pytest.approx(before)
    assert site.read(DRAG, "gap")[0] < 1e-5


def test_a_preset_and_a_stroke_change_the_kernel_and_its_map(site: Site) -> None:
    site.figure(SLIDE).get_by_role("button", name="blur").click()
    assert np.allclose(site.read(SLIDE, "kernel"), 1 / 9, atol=1e-6)
    pad = site.figure(SLIDE).locator(".nn-pad").nth(1)
    pad.click(position={"x": 5, "y": 5})
    kernel = site.read(SLIDE, "kernel")
    assert kernel[0] == 1 and np.allclose(kernel[1:], 1 / 9, atol=1e-6)
    in_python = site.figures[SLIDE].outputs(kernel=kernel.reshape(3, 3).astype("float32"))
    assert close(site.read(SLIDE, "map"), np.ravel(in_python["map"]))

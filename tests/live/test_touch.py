"""Figures on touch screens and with large text: swipes scroll, text grows, fields do not zoom the page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nnlib import live
from tests.live import gallery
from tests.live.figure_site import Site, serving

pytestmark = [pytest.mark.browser, pytest.mark.reads()]

# Elements so large that a finger that scrolls often starts on them: the figure and a selector.
LARGE = {
    "an edge of a network": ("five-neurons", "[aria-label='weight from 2 to 4']"),
    "a bias": ("five-neurons", "[aria-label='bias of 5']"),
    "a picture whose cells are chosen": ("images", ".nn-image[role=application]"),
    "a plot that takes the pointer": (
        "things-to-drag-and-click", "[aria-label='switches and a pointer: position']"
    ),
    "a stepper": ("the-recorded-graph", ".nn-stepper input[type=range]"),
    "a slider": ("the-sigmoid", "input[type=range]"),
}  # fmt: skip
INPUTS = "(name) => [...window.scene(name).inputs].map(([key, input]) => [key, input.jsonValue()])"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("touch")
    live.page(*gallery.figures(), path=folder / "page.html", inline=False)
    (folder / "favicon.ico").write_bytes(b"")
    with serving(Path(folder)) as origin:
        yield f"{origin}/page.html"


OpenPage = Callable[..., Site]


@pytest.fixture
def opened(browser: Any, address: str) -> Iterator[OpenPage]:
    """A function that opens the gallery in a new browser context; no page may report an error."""
    sites: list[Site] = []

    def open_page(script: str = "", **options: Any) -> Site:
        context = browser.new_context(**options)
        if script:
            context.add_init_script(script)
        sites.append(Site(context.new_page(), address, []))
        sites[-1].open()
        return sites[-1]

    yield open_page
    for site in sites:
        assert site.errors == []
        site.page.context.close()


@pytest.fixture
def phone(opened: OpenPage) -> Site:
    return opened(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)


def middle(site: Site, name: str, selector: str) -> tuple[float, float]:
    """Scrolls an element to the window's middle; returns its centre, or a point of an edge's path."""
    return tuple(site.page.evaluate(
        """([name, selector]) => {
          const node = document.querySelector(`.nn-figure[data-name="${name}"]`).querySelector(selector);
          node.scrollIntoView({ block: "center", behavior: "instant" });
          const path = node.querySelector("path");
          const box = node.getBoundingClientRect();
          if (!path) return [box.x + box.width / 2, box.y + box.height / 2];
          const at = path.getPointAtLength(0.3 * path.getTotalLength()).matrixTransform(path.getScreenCTM());
          return [at.x, at.y];
        }""",
        [name, selector],
    ))  # fmt: skip


def swipe(site: Site, start: tuple[float, float], across: float, down: float) -> None:
    session = site.page.context.new_cdp_session(site.page)

    def touch(event: str, k: int) -> None:
        x, y = start[0] + across * k / 10, start[1] + down * k / 10
        points = [] if event == "touchEnd" else [{"x": x, "y": y, "id": 0}]
        session.send("Input.dispatchTouchEvent", {"type": event, "touchPoints": points})
        site.settle()

    touch("touchStart", 0)
    for k in range(1, 11):
        touch("touchMove", k)
    touch("touchEnd", 10)


@pytest.mark.parametrize("element", LARGE)
def test_a_swipe_scrolls_the_page_and_changes_nothing(phone: Site, element: str) -> None:
    name, selector = LARGE[element]
    start = middle(phone, name, selector)
    before, top = phone.page.evaluate(INPUTS, name), phone.page.evaluate("scrollY")
    swipe(phone, start, 4, -200)
    assert phone.page.evaluate("scrollY") > top + 50, f"the page does not scroll from {element}"
    assert phone.page.evaluate(INPUTS, name) == before, (
        f"scrolling from {element} changed the figure"
    )


@pytest.mark.parametrize("element", LARGE)
def test_a_finger_that_slides_sideways_changes_the_figure(phone: Site, element: str) -> None:
    name, selector = LARGE[element]
    start = middle(phone, name, selector)
    before, top = phone.page.evaluate(INPUTS, name), phone.page.evaluate("scrollY")
    swipe(phone, start, 60, 3)
    assert phone.page.evaluate(INPUTS, name) != before, f"{element} cannot be moved by a finger"
    assert phone.page.evaluate("scrollY") == top
    assert phone.figure("five-neurons").locator(".nn-by-touch").is_visible()


def test_a_tap_chooses_a_cell(phone: Site) -> None:
    x, y = middle(phone, "images", ".nn-image[role=application]")
    phone.page.touchscreen.tap(x - 60, y - 60)
    assert phone.read("images", "r")[0] < 3 and phone.read("images", "c")[0] < 4


def test_fields_do_not_make_a_phone_zoom_in(phone: Site) -> None:
    sizes = phone.page.evaluate(
        """() => [...document.querySelectorAll(".nn-figure :is(input[type=text], input[type=number], select)")]
          .map((field) => [field.closest(".nn-figure").dataset.name, parseFloat(getComputedStyle(field).fontSize)])"""
    )
    assert len(sizes) > 5
    small = [size for size in sizes if size[1] < 16]
    assert small == []


TEXT_HEIGHTS = """() => Object.fromEntries(
  ["the-sigmoid", "five-neurons", "the-recorded-graph", "a-word"].map((name) => {
    const svg = document.querySelector(`.nn-figure[data-name="${name}"] svg.nn-svg`);
    const letters = [...svg.querySelectorAll("text")].filter((e) => e.textContent && e.checkVisibility());
    return [name, Math.min(...letters.map((e) => e.getBoundingClientRect().height))];
  }))"""
LARGE_TEXT = """document.addEventListener("DOMContentLoaded", () => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(":root { font-size: 32px; }");
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
});"""


def test_text_in_drawings_grows_with_the_readers_font_size(opened: OpenPage) -> None:
    size = {"width": 1000, "height": 900}
    usual = opened(viewport=size).page.evaluate(TEXT_HEIGHTS)
    large = opened(LARGE_TEXT, viewport=size).page.evaluate(TEXT_HEIGHTS)
    for name, height in usual.items():
        assert large[name] > 1.7 * height, f"{name}: {json.dumps([height, large[name]])}"


def test_large_text_fits_a_phone(opened: OpenPage) -> None:
    site = opened(LARGE_TEXT, viewport={"width": 390, "height": 844}, has_touch=True)
    assert site.page.evaluate("document.documentElement.scrollWidth") <= 390
    wide = site.page.evaluate(
        """() => [...document.querySelectorAll(".nn-figure .nn-axes > *")]
          .filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.closest(".nn-figure").dataset.name)"""
    )
    assert wide == []

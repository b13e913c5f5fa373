"""Live figures in the built pages: each loads, reacts to mouse and keys, and agrees with nnlib."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnlib.live import schema
from tests.book.harness import BOOK_PAGES, DESKTOP, FRAMES, PHONE, Visit, on
from tests.book.parity import HELPERS, check_against_python, figures_of

pytestmark = pytest.mark.browser


@pytest.mark.reads("{name}")
@pytest.mark.parametrize("name", BOOK_PAGES)
def test_each_figure_follows_the_grammars_schema(site, name):
    for figure, spec in figures_of(site, name).items():
        try:
            schema.check(spec)
        except ValueError as error:
            raise AssertionError(f"{name}, {figure}: {error}") from error


def wait_for_figures(visit: Visit, specs: dict) -> None:
    page = visit.page
    if specs:
        page.wait_for_selector(".nn-figure[data-ready]")
        page.evaluate(HELPERS)
    assert page.locator(".nn-broken").count() == 0
    ready = page.locator(".nn-figure[data-ready]")
    shown = ready.evaluate_all("all => all.map((e) => e.dataset.name)")
    assert sorted(shown) == sorted(specs)
    assert page.locator(".nn-fallback").count() == 0


# The middle of a handle; for a curve that can be dragged itself, a point on it.
WHERE_TO_GRIP = """(handle) => {
  if (handle.tagName === "path") {
    const onCurve = handle.getPointAtLength(0.3 * handle.getTotalLength());
    const onScreen = onCurve.matrixTransform(handle.getScreenCTM());
    return [onScreen.x, onScreen.y];
  }
  const box = handle.getBoundingClientRect();
  return [box.x + box.width / 2, box.y + box.height / 2];
}"""


@on(("light", DESKTOP), pages=BOOK_PAGES)
def test_each_handle_moves_by_key_and_by_dragging(screen: Visit, site: Path) -> None:
    page, specs = screen.page, figures_of(site, screen.name)
    wait_for_figures(screen, specs)
    for spec in specs.values():
        figure = page.locator(f'.nn-figure[data-name="{spec["name"]}"]')
        handles = figure.locator('svg [role="slider"]:visible')
        for i in range(min(handles.count(), 6)):
            handle = handles.nth(i)
            before = page.evaluate("window.inputsOf", spec["name"])
            handle.focus()
            handle.press("ArrowRight")
            handle.press("ArrowUp")
            page.evaluate(FRAMES)
            by_key = page.evaluate("window.inputsOf", spec["name"])
            assert by_key != before, f"{spec['name']}: handle {i} by key"
            handle.scroll_into_view_if_needed()
            x, y = handle.evaluate(WHERE_TO_GRIP)
            page.mouse.move(x, y)
            page.mouse.down()
            page.mouse.move(x + 9, y - 13, steps=3)
            page.mouse.up()
            page.evaluate(FRAMES)
            assert page.evaluate("window.inputsOf", spec["name"]) != by_key, f"handle {i} by mouse"
            check_against_python(page, spec)
    assert screen.errors == []


# The page is still open from the test of the handles, so the inputs have the values set there.
@on(("light", DESKTOP), ("light", PHONE), pages=BOOK_PAGES)
def test_each_control_moves_by_key_and_mouse_and_the_figure_follows(
    screen: Visit, site: Path
) -> None:
    page, specs = screen.page, figures_of(site, screen.name)
    wait_for_figures(screen, specs)
    for spec in specs.values():
        check_against_python(page, spec)
        figure = page.locator(f'.nn-figure[data-name="{spec["name"]}"]')
        sliders = figure.locator("input[type=range]:visible")
        for i in range(sliders.count()):
            slider = sliders.nth(i)
            if page.viewport_size["width"] == DESKTOP:  # a phone has no keys
                before = slider.input_value()
                slider.focus()
                slider.press("ArrowRight")
                if slider.input_value() == before:
                    slider.press("ArrowLeft")
                assert slider.input_value() != before, f"{spec['name']}: slider {i} by key"
                check_against_python(page, spec)
            before = slider.input_value()
            box = slider.bounding_box()
            for share in (0.9, 0.15):
                slider.click(position={"x": box["width"] * share, "y": box["height"] / 2})
                if slider.input_value() != before:
                    break
            assert slider.input_value() != before, f"{spec['name']}: slider {i} by mouse"
            check_against_python(page, spec)
    assert screen.errors == []


def test_some_page_contains_a_figure(site) -> None:
    assert any(figures_of(site, name) for name in BOOK_PAGES)


def test_without_scripts_a_figure_is_a_picture(browser, address, site) -> None:
    name = next(name for name in BOOK_PAGES if figures_of(site, name))
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + name)
    fallback = page.locator(".nn-fallback").first
    assert fallback.is_visible()
    assert fallback.locator('[role="img"]').get_attribute("aria-label")
    context.close()

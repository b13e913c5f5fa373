"""New figures are drawn once, and only after all of the page's figures have been measured."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnlib
from nnlib import live
from tests.live.figure_site import Site, serving

pytestmark = [pytest.mark.browser, pytest.mark.reads()]

# Records when a figure measures its width and when a drawing gets its size.
WATCH = """
window.layoutEvents = [];
const width = Object.getOwnPropertyDescriptor(Element.prototype, "clientWidth");
Object.defineProperty(Element.prototype, "clientWidth", {
  ...width,
  get() {
    if (this.closest?.(".nn-axes, .nn-dag-view")) window.layoutEvents.push("measured");
    return width.get.call(this);
  },
});
const set = Element.prototype.setAttribute;
Element.prototype.setAttribute = function (name, value) {
  if (name === "viewBox" && this.matches(".nn-svg")) window.layoutEvents.push("drawn");
  return set.call(this, name, value);
};
"""

GRID = np.linspace(0.0, 1.0, 9)


def with_axes(name: str) -> live.Figure:
    return live.figure(
        lambda w: {"y": w * nnlib.tensor(GRID)},
        w=live.slider(0.0, 4.0, 0.5, value=1.0),
        view=[[live.axes(live.curve(GRID, "y"), ylabel="y"), live.axes(live.line(y=0.2))]],
        title=name,
    )  # fmt: skip


def with_prediction(name: str) -> live.Figure:
    question = live.predict("Which?", name="which", choices=["a", "b", "c"], answer=1, explain="b",
                            reveal=[live.axes(live.line(y=0.5), title="the answer")])  # fmt: skip
    return live.figure(w=live.slider(0.0, 1.0, 0.1, value=0.5), view=[question], title=name)


def with_text(name: str) -> live.Figure:
    weight = live.slider(0.0, 4.0, 0.5, value=1.0, label="weight")
    return live.figure(lambda w: {"y": w * 2}, w=weight, view=["y is {y:.1f}"], title=name)


@pytest.fixture(scope="module")
def site(browser: Any, tmp_path_factory: Any) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("placing")
    figures = [with_axes("first"), with_axes("second"), with_prediction("asked"), with_text("text")]
    live.page(*figures, path=folder / "page.html", inline=False)
    (folder / "favicon.ico").write_bytes(b"")
    with serving(folder) as origin:
        page = browser.new_page(viewport={"width": 1000, "height": 800})
        page.add_init_script(WATCH)
        yield Site(page, f"{origin}/page.html", figures)
        page.close()


def events_of(site: Site) -> list[str]:
    return site.page.evaluate("window.layoutEvents")


def test_all_figures_are_measured_before_one_is_drawn_and_each_drawing_is_laid_out_once(
    site: Site,
) -> None:
    site.open()
    events = events_of(site)
    drawings = site.page.locator(".nn-axes > .nn-plot > .nn-svg").count()
    assert drawings == 5
    first = events.index("drawn")
    assert "measured" not in events[first : len(events) - 1 - events[::-1].index("drawn")], (
        "a figure measures its size between two drawings, so the browser lays out the page again"
    )
    # the answer that is still hidden is not drawn at all
    assert events.count("drawn") == 4


def test_a_figure_of_text_alone_shows_its_first_values(site: Site) -> None:
    """Such a figure has nothing to measure, but must be shown too."""
    site.open()
    figure = site.figure("text")
    assert "y is 2.0" in figure.inner_text()
    assert figure.get_by_role("slider", name="weight").input_value() == "1"


def test_an_answer_is_drawn_at_full_width_when_it_is_revealed(site: Site) -> None:
    site.open()
    site.figure("asked").locator("input[type=radio]").nth(1).check(force=True)
    site.figure("asked").get_by_role("button", name="Commit").click()
    site.settle()
    site.settle()
    box = site.figure("asked").locator(".nn-reveal .nn-svg").bounding_box()
    assert box["width"] > 300 and site.errors == []


def test_figures_are_laid_out_again_in_a_narrower_window(site: Site) -> None:
    site.open()
    svg = site.figure("first").locator(".nn-svg").first
    before = svg.bounding_box()["width"]
    site.page.set_viewport_size({"width": 330, "height": 800})
    site.settle()
    site.settle()
    after = svg.bounding_box()["width"]
    site.page.set_viewport_size({"width": 1000, "height": 800})
    assert after < before and after <= 330

"""Training keeps the page responsive: steps and drawing alternate if a frame is too short for both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nnlib import live
from tests.live.figure_site import Site, serving

pytestmark = [pytest.mark.browser, pytest.mark.reads()]

# The test controls time: `frame` runs the next frame, and reading the clock takes `window.cost` milliseconds.
CLOCK = """
const frames = window.requestAnimationFrame.bind(window);
const cancel = window.cancelAnimationFrame.bind(window);
let queue = [];
let ids = 0;
let clock = 0;
window.cost = 0;
window.byHand = false;
window.requestAnimationFrame = (callback) => {
  if (!window.byHand) return frames(callback);
  queue.push({ id: --ids, callback });
  return ids;
};
window.cancelAnimationFrame = (id) => {
  if (id >= 0) cancel(id);
  queue = queue.filter((entry) => entry.id !== id);
};
performance.now = () => (clock += window.cost);
window.frame = (milliseconds) => {
  clock += milliseconds;
  const due = queue;
  queue = [];
  for (const { callback } of due) callback(clock);
  return window.read("train", "step")[0];
};
"""


def shrinking_weight() -> live.Figure:
    def step(w: Any, rate: Any) -> dict[str, Any]:
        return {"w": w - rate * 2 * w, "loss": w * w}

    return live.figure(
        rate=(0.0, 0.1),
        training=live.training(step, {"w": live.uniform((), 1.0, 2.0)}, speed="fast"),
        view=["w is {w:.4f} after {step:d} steps"], title="train",
    )  # fmt: skip


@pytest.fixture
def site(browser: Any, tmp_path: Path) -> Iterator[Site]:
    live.page(shrinking_weight(), path=tmp_path / "page.html", inline=False)
    (tmp_path / "favicon.ico").write_bytes(b"")
    with serving(tmp_path) as origin:
        context = browser.new_context()
        page = context.new_page()
        page.add_init_script(CLOCK)
        site = Site(page, f"{origin}/page.html", [])
        site.open()
        page.evaluate("window.byHand = true")
        site.figure("train").get_by_role("button", name="train").click()
        yield site
        assert site.errors == []
        context.close()


def steps_in(site: Site, frames: list[float]) -> list[int]:
    """The number of steps that are taken in each of the frames, whose lengths are in milliseconds."""
    before = int(site.page.evaluate("window.read('train', 'step')[0]"))
    counts = []
    for milliseconds in frames:
        now = int(site.page.evaluate("(ms) => window.frame(ms)", milliseconds))
        counts.append(now - before)
        before = now
    return counts


def test_short_frames_take_all_their_steps(site: Site) -> None:
    assert steps_in(site, [16.0] * 8) == [16] * 8


def test_one_long_frame_changes_nothing(site: Site) -> None:
    assert steps_in(site, [16.0, 16.0, 90.0, 16.0, 16.0]) == [16] * 5


def test_after_long_frames_steps_and_drawing_alternate_and_no_step_is_lost(site: Site) -> None:
    steps = steps_in(site, [16.0, 40.0, 40.0, 16.0, 16.0, 16.0, 16.0])
    assert steps == [16, 16, 0, 32, 0, 32, 0], (
        "each frame either draws or trains, and no step is lost"
    )


def test_alternation_ends_when_frames_have_been_short_for_a_while(site: Site) -> None:
    steps = steps_in(site, [16.0, 40.0, 40.0] + [16.0] * 140)
    assert steps[2:8] == [0, 32, 0, 32, 0, 32]
    assert steps[-10:] == [16] * 10, "the page still draws only every second frame"


def test_steps_that_do_not_fit_into_a_frame_are_taken_later(site: Site) -> None:
    site.page.evaluate("window.cost = 1")  # a step takes a millisecond
    slow = steps_in(site, [4.0] * 4)
    assert all(0 < ran < 16 for ran in slow), slow
    site.page.evaluate("window.cost = 0")
    quick = steps_in(site, [16.0] * 3)
    assert quick == [32, 16, 16], "missed steps are taken once, at most as many as one frame has"


def test_a_slower_speed_begins_at_once_after_full_speed(site: Site) -> None:
    site.page.evaluate("window.cost = 1")  # a step takes a millisecond, so full speed ends a frame
    speed = site.figure("train").locator(".nn-training select")
    speed.select_option(label="full speed")
    steps = steps_in(site, [40.0] * 5)
    assert steps[-1] == 0, "the last of these frames only draws"
    speed.select_option(label="1 step a frame")
    assert steps_in(site, [16.0])[0] <= 1


def test_the_drawn_values_are_the_latest_ones(site: Site) -> None:
    steps_in(site, [16.0, 40.0, 40.0, 16.0, 16.0])
    text = site.figure("train").locator(".nn-readout > span").first.inner_text()
    assert text.endswith("after 64 steps")
    assert site.figure("train").locator(".nn-training .nn-value").inner_text() == "step 64"

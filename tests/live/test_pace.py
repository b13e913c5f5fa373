"""A training leaves the page its frames: steps and drawings take turns where both are too much for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nnlib import live
from tests.live.harness import Site, serving

pytestmark = [pytest.mark.browser, pytest.mark.reads()]

# A clock that the test moves: a frame comes when `frame` is called, a look at the clock takes `window.cost` milliseconds.
CLOCK = """
const frames = window.requestAnimationFrame.bind(window);
const cancel = window.cancelAnimationFrame.bind(window);
let queue = [];
let ids = 0;
let clock = 0;
window.cost = 0;
window.byHand = false;
window.requestAnimationFrame = (act) => {
  if (!window.byHand) return frames(act);
  queue.push({ id: --ids, act });
  return ids;
};
window.cancelAnimationFrame = (id) => {
  if (id >= 0) cancel(id);
  queue = queue.filter((one) => one.id !== id);
};
performance.now = () => (clock += window.cost);
window.frame = (milliseconds) => {
  clock += milliseconds;
  const due = queue;
  queue = [];
  for (const { act } of due) act(clock);
  return window.read("train", "step")[0];
};
"""


def falling() -> live.Figure:
    def step(w: Any, rate: Any) -> dict[str, Any]:
        return {"w": w - rate * 2 * w, "loss": w * w}

    return live.figure(
        rate=(0.0, 0.1),
        training=live.training(step, {"w": live.uniform((), 1.0, 2.0)}, speed="fast"),
        view=["w is {w:.4f} after {step:d} steps"], title="train",
    )  # fmt: skip


@pytest.fixture
def site(browser: Any, tmp_path: Path) -> Iterator[Site]:
    live.page(falling(), path=tmp_path / "page.html", inline=False)
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


def taken(site: Site, frames: list[float]) -> list[int]:
    """The steps that each of these frames takes, by its milliseconds."""
    before = int(site.page.evaluate("window.read('train', 'step')[0]"))
    made = []
    for milliseconds in frames:
        now = int(site.page.evaluate("(ms) => window.frame(ms)", milliseconds))
        made.append(now - before)
        before = now
    return made


def test_short_frames_take_all_their_steps(site: Site) -> None:
    assert taken(site, [16.0] * 8) == [16] * 8


def test_one_long_frame_changes_nothing(site: Site) -> None:
    assert taken(site, [16.0, 16.0, 90.0, 16.0, 16.0]) == [16] * 5


def test_after_long_frames_steps_and_drawings_take_turns_and_no_step_is_lost(site: Site) -> None:
    steps = taken(site, [16.0, 40.0, 40.0, 16.0, 16.0, 16.0, 16.0])
    assert steps == [16, 16, 0, 32, 0, 32, 0], "a frame draws or trains, and the steps stay as many"


def test_turns_end_when_frames_have_been_short_for_a_while(site: Site) -> None:
    steps = taken(site, [16.0, 40.0, 40.0] + [16.0] * 140)
    assert steps[2:8] == [0, 32, 0, 32, 0, 32]
    assert steps[-10:] == [16] * 10, "the page goes on drawing half of its frames"


def test_steps_that_do_not_fit_into_a_frame_are_made_up_for_later(site: Site) -> None:
    site.page.evaluate("window.cost = 1")  # so that a step takes a millisecond
    slow = taken(site, [4.0] * 4)
    assert all(0 < ran < 16 for ran in slow), slow
    site.page.evaluate("window.cost = 0")
    quick = taken(site, [16.0] * 3)
    assert quick == [32, 16, 16], "what is owed is paid once, and no more than a frame's steps"


def test_what_is_drawn_is_what_was_computed(site: Site) -> None:
    taken(site, [16.0, 40.0, 40.0, 16.0, 16.0])
    told = site.figure("train").locator(".nn-readout > span").first.inner_text()
    assert told.endswith("after 64 steps")
    assert site.figure("train").locator(".nn-training .nn-value").inner_text() == "step 64"

"""Figures of the chapter on deep networks in a browser: sizes, eight networks, one to break."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from course.deep import figures as show
from course.deep import rescue
from nnlib import live
from tests.live.figure_site import Site

pytestmark = [pytest.mark.browser, pytest.mark.reads()]
NAME, EIGHT, PLAY = "sizes", "eight", "play"


@pytest.fixture(scope="module")
def site(shown: Callable) -> Iterator[Site]:
    words = {"caption": "-", "alt": "-"}
    spare = live.predict("Which?", name="spare", choices=["this", "that"], answer=1)
    figures = [
        show.sizes_by_layer(title="Sizes by layer", name=NAME, **words),
        show.eight_networks(spare, title="Eight networks", name=EIGHT, **words),
        rescue.break_and_save(title="Break it, then save it", name=PLAY, **words),
    ]
    with shown(*figures, height=900) as site:
        yield site


def test_buttons_set_the_spread_and_checkboxes_change_the_activation_sizes(site) -> None:
    figure = site.figure(NAME)
    assert site.read(NAME, "activations")[19] < 1e-7
    figure.get_by_role("button", name="He", exact=True).click()
    site.settle()
    assert 0.1 < site.read(NAME, "activations")[19] < 2
    figure.get_by_text("residual connections").click()
    site.settle()
    assert site.read(NAME, "activations")[19] > 1e4
    figure.get_by_text("layer normalisation").click()
    site.settle()
    assert 1 < site.read(NAME, "activations")[19] < 100
    assert site.read(NAME, "deltas")[0] < 1


def test_the_bars_wait_for_an_answer_and_are_chosen_by_click_and_by_keys(site) -> None:
    figure = site.figure(EIGHT)
    assert figure.locator(".nn-bar").filter(visible=True).count() == 0
    figure.get_by_text("that", exact=True).click()
    figure.get_by_role("button", name="Commit").click()
    site.settle()
    figure.get_by_role("button", name="HR", exact=True).click()
    site.settle()
    assert site.read(EIGHT, "activations")[19] > 1000
    assert figure.get_by_text("He’s start and residual connections:").is_visible()
    figure.get_by_role("button", name="HR", exact=True).press("ArrowRight")
    figure.get_by_role("button", name="HN", exact=True).press("Enter")
    site.settle()
    assert site.read(EIGHT, "activations")[19] < 2
    assert not figure.get_by_text("He’s start and residual connections:").is_visible()


def test_the_page_trains_as_python_does_and_notices_a_switch_that_is_turned_too_late(site) -> None:
    figure = site.figure(PLAY)
    for _ in range(3):
        figure.get_by_role("button", name="step", exact=True).click()
    site.settle()
    after = site.figures[PLAY].train(3)
    assert site.read(PLAY, "learned") == pytest.approx(after["learned"], abs=2e-4)
    figure.get_by_text("residual connections").click()
    site.settle()
    warning = figure.get_by_text("You changed a switch")
    assert warning.is_visible()
    figure.get_by_role("button", name="rewind").click()
    site.settle()
    assert not warning.is_visible()
    assert site.read(PLAY, "activations")[19] > 1000


def test_a_broken_network_is_saved_by_another_switch(site) -> None:
    figure = site.figure(PLAY)
    site.set(PLAY, {"residual": False, "activation": 2})
    for switch, verdict in ((None, "Broken:"), ("layer normalisation", "It lives:")):
        figure.get_by_role("button", name="rewind").click()
        if switch:
            figure.get_by_text(switch).click()
        site.settle()
        figure.get_by_role("button", name="train").click()
        figure.get_by_text(verdict).first.wait_for(state="visible", timeout=120_000)

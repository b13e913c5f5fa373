"""The playground in a real browser: it trains as Python does, and clicks, drags and links work."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from course.layers import playground as play
from tests.live.figure_site import Site

pytestmark = [pytest.mark.browser, pytest.mark.reads()]
NAME = "playground"


@pytest.fixture(scope="module")
def opened(shown: Callable) -> Iterator[Site]:
    with shown(play.playground(name=NAME), height=1500) as site:
        yield site


@pytest.fixture
def site(opened: Site) -> Iterator[Site]:
    with opened.reopened():
        yield opened


def steps(site: Site, count: int) -> None:
    for _ in range(count):
        site.figure(NAME).get_by_role("button", name="step", exact=True).click()
    site.settle()


@pytest.mark.parametrize("depth", [0, 1, 4])
@pytest.mark.parametrize("optimiser", [0, 2])
def test_a_step_in_the_page_is_a_step_in_python(site: Site, depth: int, optimiser: int) -> None:
    chosen = {"data": 1, "depth": depth, "act": 1, "optimiser": optimiser, "reg": 2, "examples": 7}
    site.set(NAME, chosen)
    steps(site, 5)
    names = {"data": "xor", "act": "sigmoid", "optimiser": list(play.OPTIMISERS)[optimiser]}
    after = site.figures[NAME].train(
        5, depth=depth, reg=list(play.PENALTIES)[2], examples=7, **names
    )
    assert site.read(NAME, "w") == pytest.approx(after["w"], abs=2e-5)


def test_a_click_on_a_box_switches_it(site: Site) -> None:
    before = site.read(NAME, "parameters")
    network = site.figure(NAME).locator(".nn-network:visible")
    network.get_by_role("button", name="neuron x₁x₂, off").click()
    assert site.read(NAME, "on")[play.FEATURES.index("x₁x₂")] == 1
    assert site.read(NAME, "parameters") == before + play.WIDTHS[0]
    network.get_by_role("button", name="neuron 1 of layer 2, on").press("Enter")
    assert site.read(NAME, "on")[play.INPUTS] == 0


def test_a_button_sets_up_an_experiment_as_python_does(site: Site) -> None:
    for name, settings in play.presets().items():
        site.figure(NAME).get_by_role("button", name=name).click()
        steps(site, 2)
        options = {"data": list(play.SETS), "optimiser": list(play.OPTIMISERS)}
        chosen = {k: options[k][int(settings[k])] for k in options}
        chosen |= {"depth": int(settings["depth"]), "lr": settings["lr"], "on": settings["on"]}
        after = site.figures[NAME].train(2, **chosen)
        assert site.read(NAME, "w") == pytest.approx(after["w"], abs=2e-5)
        site.figure(NAME).get_by_role("button", name="⏮ rewind").click()


def test_the_pointer_shows_a_units_map(site: Site) -> None:
    network_map = site.read(NAME, "map")
    box = site.figure(NAME).locator(".nn-network:visible .nn-neuron-item").first
    box.hover()
    assert not np.allclose(site.read(NAME, "map"), network_map)
    site.page.mouse.move(2, 2)
    assert site.read(NAME, "map") == pytest.approx(network_map)


def test_edges_move_by_keys_and_drags(site: Site) -> None:
    edge = site.figure(NAME).get_by_role("slider", name="weight from x₁ to neuron 1 of layer 2")
    edge = edge.and_(site.page.locator(":visible")).first
    before = site.read(NAME, "w")
    edge.focus()
    edge.press("ArrowUp")
    after = site.read(NAME, "w")
    assert np.flatnonzero(before != after).tolist() == [0]
    assert after[0] == pytest.approx(before[0] + 0.1, abs=0.051)


def test_clicks_in_the_plot_add_points_and_a_link_keeps_everything(site: Site) -> None:
    plot = site.figure(NAME).locator(".nn-axes", has_text="the network's answer")
    box = plot.locator(".nn-plot").bounding_box()
    for dx, dy in ((0.4, 0.3), (0.7, 0.6)):
        site.page.mouse.click(box["x"] + dx * box["width"], box["y"] + dy * box["height"])
    assert site.read(NAME, "count") == 2
    assert np.isfinite(site.read(NAME, "x")).sum() == 4
    steps(site, 3)
    site.figure(NAME).get_by_role("button", name="Copy link").click()
    link = site.figure(NAME).get_attribute("data-link")
    before = {k: site.read(NAME, k) for k in ("w", "own", "on", "count", "map")}
    site.open("#" + link.split("#", 1)[1])
    for key, values in before.items():
        assert site.read(NAME, key) == pytest.approx(values, abs=1e-6), key


def test_training_is_quick(site: Site) -> None:
    site.set(NAME, {"depth": 4})
    site.page.select_option("select >> nth=-1", "full")
    site.figure(NAME).get_by_role("button", name="▶ train").click()
    many_steps = "name => window.read(name, 'step')[0] > 60"
    site.page.wait_for_function(many_steps, arg=NAME, timeout=15_000)
    site.figure(NAME).get_by_role("button", name="❚❚ pause").click()

"""The figure of sizes by layer in a real browser: buttons and boxes change what it shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from course.deep import figures as show
from tests.live.harness import Site

pytestmark = pytest.mark.browser
NAME = "sizes"


@pytest.fixture(scope="module")
def site(shown: Callable) -> Iterator[Site]:
    figure = show.sizes_by_layer(title="Sizes by layer", caption="-", alt="-", name=NAME)
    with shown(figure, height=900) as site:
        yield site


def test_buttons_set_the_spread_and_boxes_set_the_sizes_back(site) -> None:
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

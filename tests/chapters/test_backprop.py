"""Backprop: five steps give nnlib's gradient; the figure is right in the right orders alone."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import nnlib
from course.backprop import figures as show

EDGES = [(0, 3), (1, 3), (2, 3), (0, 4), (1, 4), (2, 4), (0, 5), (3, 5), (4, 5)]
UNITS = dict(zip(show.WEIGHTS, (-0.5, 1.0, 1.0, -1.5, 1.0, 1.0, -0.5, 1.0, -1.0), strict=True))


@pytest.fixture(scope="module")
def figure() -> show.live.Figure:
    return show.fire_backwards(UNITS)


def table(rng: np.random.Generator) -> np.ndarray:
    w = np.zeros((6, 6))
    for i, j in EDGES:
        w[i, j] = rng.normal(scale=2)
    return w


def autodiff(w: np.ndarray, x1: float, x2: float, y: float) -> np.ndarray:
    t = nnlib.tensor(w).requires_grad_()
    a3 = (t[0, 3] + t[1, 3] * x1 + t[2, 3] * x2).sigmoid()
    a4 = (t[0, 4] + t[1, 4] * x1 + t[2, 4] * x2).sigmoid()
    a5 = (t[0, 5] + t[3, 5] * a3 + t[4, 5] * a4).sigmoid()
    ((a5 - y) ** 2).backward()
    return t.grad.numpy()


@pytest.mark.parametrize("seed", range(5))
def test_the_chapters_five_steps_give_the_gradient(chapter: dict, seed: int) -> None:
    rng = np.random.default_rng(seed)
    w, (x1, x2, y) = table(rng), rng.normal(size=3)
    a = chapter["forward"](w, x1, x2)
    found = np.outer(a, chapter["backward"](w, a, y)) * (w != 0)
    np.testing.assert_allclose(found, autodiff(w, x1, x2, y), rtol=0, atol=1e-12)


def places(order: tuple[int, ...]) -> np.ndarray:
    fired = np.zeros(5, "float32")
    for at, neuron in enumerate(order, 1):
        fired[neuron - 1] = at
    return fired


@pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 3, 4, 5))))
def test_each_order_is_right_exactly_where_it_should_be(figure, order) -> None:
    rng = np.random.default_rng(3)
    weights = {n: float(v) for n, v in zip(UNITS, rng.normal(size=9), strict=True)}
    seen = figure.outputs(fired=places(order), x1=0.7, x2=-0.4, y=1.0, **weights)
    right = 0
    for i in show.AFTER:
        back, measured = np.asarray(seen[f"table{i}"])
        known = set()  # the neurons with a right error by the time that i fires
        for j in order[: order.index(i)]:
            if set(show.AFTER[j]) <= known:
                known.add(j)
        ready = set(show.AFTER[i]) <= known
        assert np.allclose(back, measured, atol=1e-6) == ready, (order, i)
        right += ready
        feeds_later = any(order.index(j) > order.index(i) for j in show.AFTER[i])
        assert bool(seen[f"early{i}"]) == feeds_later
    assert int(seen["right"]) == right and bool(seen["all"]) == (right == 5)


def test_what_has_not_fired_shows_nothing(figure) -> None:
    seen = figure.outputs(fired=places((5,)))
    assert np.isnan(np.asarray(seen["shown"])).tolist() == [True] * 4 + [False]


def test_silent_inputs_are_blameless(figure) -> None:
    seen = figure.outputs(fired=places((5, 4, 3, 2, 1)), x1=1.0, x2=0.0, y=1.0)
    for i in (3, 4):
        back = np.asarray(seen[f"table{i}"])[0]
        assert back[3] == 0 and abs(back[2]) > 1e-3


def test_small_nudges_follow_the_product(chapter: dict) -> None:
    figure = show.nudge_a_chain(chapter["L1"], chapter["L2"], x=2.0, w1=0.3, w2=2.0)
    for eps, gap in ((0.01, 1e-3), (-0.01, 1e-3)):
        seen = figure.outputs(eps=eps)
        assert float(seen["ratio"]) == pytest.approx(float(seen["product"]), abs=gap)
    assert abs(float(figure.outputs(eps=0.5)["ratio"] - figure.outputs()["product"])) > 0.02


@pytest.fixture(scope="module")
def slip(chapter: dict) -> show.live.Figure:
    return show.turned_sign(chapter["start"], lr=3.0, seed=0)


def test_the_right_sign_learns_and_the_turned_one_climbs(slip) -> None:
    def loss_after(steps: int, turned: bool) -> float:
        return float(np.ravel(slip.train(steps, slip=turned)["loss"])[-1])

    assert loss_after(1500, False) < 0.01
    assert loss_after(1, True) < 0.45 < loss_after(1500, True)


def test_the_measurement_notices_the_turned_sign(slip) -> None:
    for turned, sign in ((False, 1), (True, -1)):
        seen = slip.outputs(slip=turned, **dict.fromkeys(show.WEIGHTS, 0.3))
        assert float(seen["computed"]) == pytest.approx(sign * float(seen["truth"]), abs=1e-7)
        assert abs(float(seen["truth"])) > 1e-3

"""The chapter on backpropagation: its five steps give nnlib's gradient; its figures are right."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import nnlib
from course.backprop import figures as show
from course.backprop import paths, table
from course.backprop.fading import chain_of_ten
from course.networks.five import UNIT_WEIGHTS

EDGES = [(0, 3), (1, 3), (2, 3), (0, 4), (1, 4), (2, 4), (0, 5), (3, 5), (4, 5)]


@pytest.fixture(scope="module")
def figure() -> show.live.Figure:
    return show.fire_backwards(UNIT_WEIGHTS)


def random_weights(rng: np.random.Generator) -> np.ndarray:
    w = np.zeros((6, 6))
    for i, j in EDGES:
        w[i, j] = rng.normal(scale=2)
    return w


def autodiff(w: np.ndarray, x1: float, x2: float, y: float) -> np.ndarray:
    """nnlib's gradient of the squared error with respect to w."""
    t = nnlib.tensor(w).requires_grad_()
    a3 = (t[0, 3] + t[1, 3] * x1 + t[2, 3] * x2).sigmoid()
    a4 = (t[0, 4] + t[1, 4] * x1 + t[2, 4] * x2).sigmoid()
    a5 = (t[0, 5] + t[3, 5] * a3 + t[4, 5] * a4).sigmoid()
    ((a5 - y) ** 2).backward()
    return t.grad.numpy()


@pytest.mark.parametrize("seed", range(5))
def test_the_chapters_five_steps_give_the_gradient(chapter: dict, seed: int) -> None:
    rng = np.random.default_rng(seed)
    w, (x1, x2, y) = random_weights(rng), rng.normal(size=3)
    gradient = chapter["gradient"](w, x1, x2, y)
    np.testing.assert_allclose(gradient, autodiff(w, x1, x2, y), rtol=0, atol=1e-12)


def fired_as(order: tuple[int, ...]) -> np.ndarray:
    """For each neuron its position in the order in which neurons fire, 0 for those not in it."""
    fired = np.zeros(5, "float32")
    for position, neuron in enumerate(order, 1):
        fired[neuron - 1] = position
    return fired


@pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 3, 4, 5))))
def test_a_neuron_fired_in_any_order_is_right_exactly_if_those_after_it_were(figure, order) -> None:
    rng = np.random.default_rng(3)
    weights = {n: float(v) for n, v in zip(UNIT_WEIGHTS, rng.normal(size=9), strict=True)}
    outputs = figure.outputs(fired=fired_as(order), x1=0.7, x2=-0.4, y=1.0, **weights)
    right = 0
    for i in show.FEEDS:
        computed, measured = np.asarray(outputs[f"table{i}"])
        known = set()  # the neurons whose δ is right when neuron i fires
        for j in order[: order.index(i)]:
            if set(show.FEEDS[j]) <= known:
                known.add(j)
        ready = set(show.FEEDS[i]) <= known
        assert np.allclose(computed, measured, atol=1e-6) == ready, (order, i)
        right += ready
        feeds_later = any(order.index(j) > order.index(i) for j in show.FEEDS[i])
        assert bool(outputs[f"early{i}"]) == feeds_later
    assert int(outputs["right"]) == right and bool(outputs["all"]) == (right == 5)


def test_a_weight_of_zero_still_has_its_gradient(chapter: dict) -> None:
    w = random_weights(np.random.default_rng(7))
    w[1, 3] = 0.0
    gradient = chapter["gradient"](w, 1.0, 1.0, 0.0)
    np.testing.assert_allclose(gradient, autodiff(w, 1.0, 1.0, 0.0), rtol=0, atol=1e-12)
    assert abs(gradient[1, 3]) > 1e-3


def test_the_matrix_form_is_nnlibs_gradient_of_the_mean(chapter: dict) -> None:
    params = [nnlib.tensor(chapter[n]).requires_grad_() for n in ("W1", "b1", "W2", "b2")]
    X, Y = nnlib.tensor(chapter["X"]).double(), nnlib.tensor(chapter["Y"]).double()
    W1, b1, W2, b2 = params
    answers = ((X @ W1 + b1).sigmoid() @ W2 + b2).sigmoid()
    ((answers - Y) ** 2).mean().backward()
    for gradient, p in zip(chapter["grads"], params, strict=True):
        np.testing.assert_allclose(gradient, p.grad.numpy(), rtol=0, atol=1e-12)


def test_a_neuron_that_has_not_fired_shows_no_derivative(figure) -> None:
    outputs = figure.outputs(fired=fired_as((5,)))
    assert np.isnan(np.asarray(outputs["shown"])).tolist() == [True] * 4 + [False]


def test_weights_of_an_input_of_zero_get_the_gradient_zero(figure) -> None:
    outputs = figure.outputs(fired=fired_as((5, 4, 3, 2, 1)), x1=1.0, x2=0.0, y=1.0)
    for i in (3, 4):
        computed = np.asarray(outputs[f"table{i}"])[0]
        assert computed[3] == 0 and abs(computed[2]) > 1e-3


def test_the_ratio_of_small_changes_is_the_product_of_the_derivatives(chapter: dict) -> None:
    figure = show.follow_a_change(chapter["L1"], chapter["L2"], x=2.0, w1=0.3, w2=2.0)
    for eps, gap in ((0.01, 1e-3), (-0.01, 1e-3)):
        outputs = figure.outputs(eps=eps)
        assert float(outputs["ratio"]) == pytest.approx(float(outputs["product"]), abs=gap)
    assert abs(float(figure.outputs(eps=0.5)["ratio"] - figure.outputs()["product"])) > 0.02


def test_the_thousand_steps_in_the_figure_are_the_chapters(chapter: dict) -> None:
    outputs = show.thousand_steps(UNIT_WEIGHTS).train(1000)
    losses = [*chapter["losses"], chapter["mean_loss"](chapter["trained"])]
    np.testing.assert_allclose(np.ravel(outputs["loss"]), losses[:1000], atol=1e-5)
    for i, j in EDGES:
        last = float(np.ravel(outputs[f"w{i}{j}"])[-1])
        assert last == pytest.approx(chapter["trained"][i, j], abs=2e-3)


@pytest.fixture(scope="module")
def sign_figure(chapter: dict) -> show.live.Figure:
    return show.flipped_sign(chapter["start"], lr=3.0, seed=0)


def test_the_loss_falls_with_the_right_sign_and_rises_with_the_flipped_one(sign_figure) -> None:
    def loss_after(steps: int, flipped: bool) -> float:
        return float(np.ravel(sign_figure.train(steps, flipped=flipped)["loss"])[-1])

    assert loss_after(1500, False) < 0.01
    assert loss_after(1, True) < 0.45 < loss_after(1500, True)


def test_the_finite_difference_has_the_other_sign_if_the_sign_is_flipped(sign_figure) -> None:
    for flipped, sign in ((False, 1), (True, -1)):
        outputs = sign_figure.outputs(flipped=flipped, **dict.fromkeys(show.WEIGHTS, 0.3))
        assert float(outputs["computed"]) == pytest.approx(sign * float(outputs["truth"]), abs=1e-7)
        assert abs(float(outputs["truth"])) > 1e-3


# --- the table of a whole pass, the paths, the chain ---------------------------------------------


def test_the_table_contains_the_gradient_and_accepts_it_rounded() -> None:
    w = np.zeros((6, 6))
    for i, j in EDGES:
        w[i, j] = UNIT_WEIGHTS[f"w{i}{j}"]
    truth = autodiff(w, 1.0, 0.0, 1.0)
    for i, j in EDGES:
        assert table.PASS[f"g{i}{j}"] == pytest.approx(truth[i, j], abs=1e-12)
    outputs = show.fill_the_table().outputs(**{n: round(table.PASS[n], 4) for n in table.ASKED})
    assert bool(outputs["all"]) and int(outputs["done"]) == len(table.ASKED)


def test_the_table_distinguishes_a_flipped_sign_from_another_mistake() -> None:
    outputs = show.fill_the_table().outputs(d5=-table.PASS["d5"], a3=0.5, in4=table.PASS["in4"])
    assert bool(outputs["flipped_d5"]) and not bool(outputs["off_d5"])
    assert bool(outputs["off_a3"]) and bool(outputs["ok_in4"]) and int(outputs["done"]) == 1


@pytest.mark.parametrize("hidden", range(1, paths.DEEPEST + 1))
def test_the_numbers_of_paths_and_edges_are_right(hidden: int) -> None:
    sizes = [1, *[paths.WIDTH] * hidden, 1]
    edges = sum(a * b for a, b in itertools.pairwise(sizes))
    path_count = np.ones((1, 1))
    for a, b in itertools.pairwise(sizes):
        path_count = path_count @ np.ones((a, b))
    count = path_count.item()
    assert paths.multiplications(hidden) == (count, count * (hidden + 1), edges)
    outputs = show.count_paths().outputs(hidden=hidden, back=hidden + 1)
    path_counts = float(outputs["all_paths"]), float(outputs["path_by_path"])
    assert path_counts == paths.multiplications(hidden)[:2]
    assert float(outputs["each_edge_once"]) == float(outputs["spent"]) == edges


@pytest.mark.parametrize("g", ["sigmoid", "tanh", "ReLU"])
def test_the_chain_shows_nnlibs_derivatives(g: str) -> None:
    w, start = 1.7, 0.4
    outputs = np.asarray(chain_of_ten().outputs(g=g, w=w, x=start)["size"])
    total = nnlib.tensor(w * (start - 0.5) if g == "sigmoid" else w * start, dtype=nnlib.float64)
    totals = [total.requires_grad_()]
    for _ in range(9):
        a = {"sigmoid": totals[-1].sigmoid, "tanh": totals[-1].tanh, "ReLU": totals[-1].relu}[g]()
        totals.append(w * (a - 0.5) if g == "sigmoid" else w * a)
    expected = nnlib.autograd.grad(totals[-1], totals)
    assert outputs == pytest.approx([abs(float(d)) for d in expected], rel=1e-5)


def test_large_steps_kill_relu_units_and_moderate_ones_do_not() -> None:
    for lr, low, high in ((0.1, 0.0, 0.05), (1.0, 0.0, 0.05), (10.0, 0.35, 1.0)):
        before, after, _ = show.dead_share(lr, seeds=64)
        assert low <= after - before <= high

"""What the chapter on gradient ascent states in numbers, computed another way."""

from __future__ import annotations

import numpy as np
import pytest

import nnlib
from course.gradient_ascent import figures as plots
from course.gradient_ascent.checks import bent_at_top


@pytest.fixture(scope="module")
def race(chapter: dict):
    names = ("hill", "partials", "x", "y", "start", "top")
    return plots.race(*[chapter[name] for name in names])


def test_hessian_and_bound_are_those_of_newtons_method(chapter: dict) -> None:
    assert np.allclose(-chapter["H"].numpy(), bent_at_top(), atol=1e-7)
    assert chapter["bound"] == pytest.approx(2 / np.linalg.eigvalsh(bent_at_top()).max(), rel=1e-6)


def test_experiment_meets_the_bound(chapter: dict) -> None:
    assert chapter["middle"] == pytest.approx(chapter["bound"], rel=0.005)


def test_noise_falls_as_one_over_root_b(chapter: dict) -> None:
    pulls, full = chapter["pulls"].numpy(), chapter["gradient"](chapter["start"]).numpy()
    single = np.sqrt(((pulls - full) ** 2).sum(1).mean())
    assert chapter["slope"] == pytest.approx(-0.5, abs=0.02)
    for size, noise in zip(chapter["sizes"], chapter["noises"], strict=True):
        assert noise == pytest.approx(single / size**0.5, rel=0.08)


def test_local_search_ends_where_no_neighbour_is_better(chapter: dict) -> None:
    for score in (chapter["right"], chapter["hill"]):
        end = chapter["local_search"](score, chapter["start"], 0.1)[0][-1]
        assert all(score(end + 0.1 * move) <= score(end) for move in chapter["moves"])


def test_gradient_is_the_measured_slope_and_the_formula(chapter: dict) -> None:
    hill, w, eps = chapter["hill"], chapter["start"], 1e-6
    nudges = eps * nnlib.eye(2).double()
    measured = [((hill(w + n) - hill(w - n)) / (2 * eps)).item() for n in nudges]
    assert np.allclose(measured, chapter["partials"](w).tolist(), atol=1e-8)
    assert np.allclose(measured, chapter["gradient"](w).tolist(), atol=1e-8)


def test_step_figure_arrives_below_the_bound_and_not_beyond(chapter: dict) -> None:
    steep = chapter["steep"]
    figure = plots.too_long(
        chapter["hill"], chapter["ascent"], chapter["top"], steep, chapter["curvatures"].max()
    )
    far = {alpha: float(figure.outputs(alpha=alpha)["far"]) for alpha in (10, 30, 40, 46, 60)}
    assert max(far[10], far[30], far[40]) < 0.01
    assert min(far[46], far[60]) > 0.3


def test_fan_closes_by_half_for_four_times_the_birds(chapter: dict) -> None:
    names = ("hill", "partials", "x", "y", "start", "sizes", "noises")
    figure = plots.fan_of_batches(*[chapter[name] for name in names])
    spread = {size: float(figure.outputs(B=size)["spread"]) for size in (4, 16, 64)}
    assert spread[4] / spread[16] == pytest.approx(2, rel=0.25)
    assert spread[16] / spread[64] == pytest.approx(2, rel=0.25)
    at_top = figure.outputs(B=4, w=chapter["top"].numpy())
    assert np.abs(at_top["full"]).max() < 1e-6 < 0.02 < at_top["spread"]


@pytest.mark.parametrize(
    ("runner", "rule"),
    [
        ("mini", lambda w: nnlib.optim.SGD([w], lr=5.0, maximize=True)),
        ("fast", lambda w: nnlib.optim.SGD([w], lr=0.5, momentum=0.9, maximize=True)),
        ("adam", lambda w: nnlib.optim.Adam([w], lr=0.2, maximize=True)),
    ],
)
def test_runners_are_nnlibs_optimisers(chapter: dict, race, runner: str, rule) -> None:
    w = chapter["start"].clone().requires_grad_()
    optimiser = rule(w)
    for step in range(30):
        chosen = nnlib.tensor(race._training.batch_at(1, step))
        x, y = chapter["x"][chosen], chapter["y"][chosen]
        optimiser.zero_grad()
        nnlib.nn.functional.logsigmoid(y * (x @ w)).mean().backward()
        optimiser.step()
    assert np.allclose(race.train(30, seed=1)[runner], w.tolist(), atol=1e-9)


def test_only_the_climber_with_all_birds_comes_to_rest(chapter: dict, race) -> None:
    hill, top = chapter["hill"], chapter["top"]
    late, later = (race.train(steps, alpha=20.0) for steps in (29 * plots.STEPS, 30 * plots.STEPS))
    moved = {k: float(np.abs(later[k] - late[k]).max()) for k in ("full", "mini", "fast", "adam")}
    assert moved["full"] < 0.1 < min(moved["mini"], moved["fast"], moved["adam"])
    assert hill(top) - hill(nnlib.tensor(later["full"])) < 0.001


def test_one_pass_of_mini_batches_is_higher_than_one_full_step(chapter: dict, race) -> None:
    for seed in range(5):
        end = race.train(plots.STEPS, seed=seed)
        height = {k: float(chapter["hill"](nnlib.tensor(end[k]))) for k in ("full", "mini")}
        assert height["mini"] > height["full"] + 0.1

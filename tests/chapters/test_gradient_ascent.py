"""The numbers of the chapter on gradient ascent, computed a second way."""

from __future__ import annotations

import numpy as np
import pytest

import nnlib
from course.gradient_ascent import experiments
from course.gradient_ascent import figures as plots
from course.gradient_ascent.checks import curvature_at_top


@pytest.fixture(scope="module")
def race(chapter: dict):
    names = ("hill", "partials", "x", "y", "start", "top")
    return plots.race(*[chapter[name] for name in names])


def test_hessian_and_bound_are_those_of_newtons_method(chapter: dict) -> None:
    assert np.allclose(-chapter["H"].numpy(), curvature_at_top(), atol=1e-7)
    assert chapter["bound"] == pytest.approx(
        2 / np.linalg.eigvalsh(curvature_at_top()).max(), rel=1e-6
    )


def test_the_measured_bound_is_the_formulas(chapter: dict) -> None:
    assert chapter["middle"] == pytest.approx(chapter["bound"], rel=0.005)


def test_noise_falls_as_one_over_root_b(chapter: dict) -> None:
    full = chapter["gradient"](chapter["start"]).numpy()
    single = np.sqrt(((chapter["contributions"].numpy() - full) ** 2).sum(1).mean())
    assert chapter["slope"] == pytest.approx(-0.5, abs=0.02)
    for size, noise in zip(chapter["sizes"], chapter["noises"], strict=True):
        assert noise == pytest.approx(single / size**0.5, rel=0.08)


def test_local_search_ends_where_no_neighbour_is_better(chapter: dict) -> None:
    for score in (chapter["right"], chapter["hill"]):
        end = chapter["local_search"](score, chapter["start"], 0.1)[0][-1]
        assert all(score(end + 0.1 * move) <= score(end) for move in chapter["moves"])


def test_gradient_agrees_with_finite_differences_and_with_the_formula(chapter: dict) -> None:
    hill, w, eps = chapter["hill"], chapter["start"], 1e-6
    moves = eps * nnlib.eye(2).double()
    measured = [((hill(w + m) - hill(w - m)) / (2 * eps)).item() for m in moves]
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


def test_four_times_the_birds_halve_the_spread_of_the_gradients(chapter: dict) -> None:
    names = ("hill", "partials", "x", "y", "start", "sizes", "noises")
    figure = plots.fan_of_batches(*[chapter[name] for name in names])
    spread = {size: float(figure.outputs(B=size)["spread"]) for size in (4, 16, 64)}
    assert spread[4] / spread[16] == pytest.approx(2, rel=0.25)
    assert spread[16] / spread[64] == pytest.approx(2, rel=0.25)
    at_top = figure.outputs(B=4, w=chapter["top"].numpy())
    assert np.abs(at_top["full"]).max() < 1e-6 < 0.02 < at_top["spread"]


@pytest.mark.parametrize(
    ("climber", "rule"),
    [
        ("mini", lambda w: nnlib.optim.SGD([w], lr=5.0, maximize=True)),
        ("momentum", lambda w: nnlib.optim.SGD([w], lr=0.5, momentum=0.9, maximize=True)),
        ("adam", lambda w: nnlib.optim.Adam([w], lr=0.2, maximize=True)),
    ],
)
def test_climbers_are_nnlibs_optimisers(chapter: dict, race, climber: str, rule) -> None:
    w = chapter["start"].clone().requires_grad_()
    optimiser = rule(w)
    for step in range(30):
        chosen = nnlib.tensor(race._training.batch_at(1, step))
        x, y = chapter["x"][chosen], chapter["y"][chosen]
        optimiser.zero_grad()
        nnlib.nn.functional.logsigmoid(y * (x @ w)).mean().backward()
        optimiser.step()
    assert np.allclose(race.train(30, seed=1)[climber], w.tolist(), atol=1e-9)


def test_only_the_climber_with_all_birds_comes_to_rest(chapter: dict, race) -> None:
    hill, top = chapter["hill"], chapter["top"]
    late, later = (race.train(steps, alpha=20.0) for steps in (29 * plots.STEPS, 30 * plots.STEPS))
    climbers = ("full", "mini", "momentum", "adam")
    moved = {k: float(np.abs(later[k] - late[k]).max()) for k in climbers}
    assert moved["full"] < 0.1 < min(moved["mini"], moved["momentum"], moved["adam"])
    assert hill(top) - hill(nnlib.tensor(later["full"])) < 0.001


def test_one_pass_of_mini_batches_is_higher_than_one_full_step(chapter: dict, race) -> None:
    for seed in range(5):
        end = race.train(plots.STEPS, seed=seed)
        height = {k: float(chapter["hill"](nnlib.tensor(end[k]))) for k in ("full", "mini")}
        assert height["mini"] > height["full"] + 0.1


def test_a_step_along_the_gradient_gains_most(chapter: dict) -> None:
    q, q_gradient = chapter["q"], chapter["q_gradient"]
    figure = plots.every_direction(q, q_gradient)
    outputs = figure.outputs(w=np.array([2.0, 1.0]), angle=-135.0)
    length = float(outputs["length"])
    assert float(outputs["directional_derivative"]) == pytest.approx(length)
    assert length == pytest.approx(32**0.5)
    sideways = figure.outputs(w=np.array([2.0, 1.0]), angle=-45.0)
    assert float(sideways["directional_derivative"]) == pytest.approx(0)
    assert float(outputs["directional_derivatives"].max()) <= length + 1e-9
    on_contour = nnlib.stack([nnlib.tensor(outputs["oval1"]), nnlib.tensor(outputs["oval2"])], 1)
    assert np.allclose(q(on_contour).tolist(), 4)


@pytest.mark.parametrize(
    ("alpha", "after"),
    [
        (0.1, [-2, -1.2, -0.72]),
        (0.4, [-2, 1.2, -0.72]),
        (0.5, [-2, 2, -2]),
        (0.6, [-2, 2.8, -3.92]),
    ],
)
def test_steps_on_the_parabola_are_those_calculated_by_hand(
    chapter: dict, alpha: float, after: list[float]
) -> None:
    figure = plots.on_a_parabola(chapter["hop"])
    assert np.allclose(figure.outputs(alpha=alpha)["gap"][:3], after)


def test_far_start_stays_on_the_plateau_and_near_ones_climb(chapter: dict) -> None:
    figure = plots.two_tops(chapter["bumps"], chapter["gradient_of"], chapter["plateau"])
    far = figure.outputs(w=np.array([3.0, -2.5]), alpha=0.3)
    assert np.abs(far["path"][100] - far["path"][0]).max() < 0.001
    ends = [figure.outputs(w=np.array(w), alpha=0.3)["last"] for w in ([-1.5, 0.5], [1.5, 1.0])]
    assert float(ends[0]) > 0.99 and 0.59 < float(ends[1]) < 0.7


def test_momentum_in_the_figure_is_nnlibs(chapter: dict) -> None:
    figure = plots.along_the_ridge(chapter["ridge"], chapter["ridge_gradient"])
    w = nnlib.tensor([2.0, 8.0]).double().requires_grad_()
    optimiser = nnlib.optim.SGD([w], lr=0.3, momentum=0.9, maximize=True)
    for _ in range(60):
        optimiser.zero_grad()
        chapter["ridge"](w).backward()
        optimiser.step()
    assert np.allclose(figure.outputs(alpha=0.3, beta=0.9)["m"][60], w.tolist())


def test_every_rule_is_shown_on_every_hill(chapter: dict) -> None:
    for alphas, counts in chapter["needed"].values():
        assert counts.shape == (3, len(alphas), 16)
        best = np.median(counts, 2).argmin(1)
        # no best setting is at an end of the range
        assert all(0 < index < len(alphas) - 1 for index in best)


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (0, lambda w: nnlib.optim.SGD([w], lr=0.25, maximize=True)),
        (1, lambda w: nnlib.optim.SGD([w], lr=0.25, momentum=0.9, maximize=True)),
        (2, lambda w: nnlib.optim.Adam([w], lr=0.25, maximize=True)),
    ],
)
def test_the_rules_that_are_compared_are_nnlibs_optimisers(chapter: dict, row: int, rule) -> None:
    ridge, steps = chapter["ridge"], 300
    counted = experiments.sweep(ridge, nnlib.zeros(2).double(), [0.1, 0.25], steps)[row, 1]
    w = nnlib.tensor(experiments.circle(16)).requires_grad_()
    optimiser, needed = rule(w), np.zeros(16)
    for step in range(1, steps + 1):
        optimiser.zero_grad()
        height = ridge(w)
        height.sum().backward()
        needed[height.detach().numpy() <= -0.001] = step
        optimiser.step()
    assert (counted == needed).all()


def test_adam_leaves_the_top_after_its_effective_step_size_has_crossed_the_bound() -> None:
    """Adam at α = 4 on the straight ridge: one start, followed for 1,500 steps."""
    w, curvature = experiments.circle(16)[3], np.array([4.0, 0.01])
    m, s, missing, effective = np.zeros(2), np.zeros(2), [], []
    for t in range(1, 1501):
        missing.append((curvature * w * w).sum() / 2)
        g = -curvature * w
        m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g * g
        root = np.sqrt(s / (1 - 0.999**t))
        effective.append(4.0 / root[0])
        w = w + 4.0 * m / (1 - 0.9**t) / (root + 1e-8)
    out = next(t for t in range(200, 1500) if missing[t] > 0.001)
    bound = 2 * (1 + 0.9) / ((1 - 0.9) * 4)  # momentum's bound, for a mean of gradients
    crossed = next(t for t in range(200, 1500) if effective[t] > bound)
    assert effective[200] < bound / 2 and crossed < out < crossed + 200
    assert max(missing[out:]) > 1


def test_two_climbs_add_up_to_the_step_along_the_gradient() -> None:
    figure = plots.along_two_eigenvectors()
    outputs = figure.outputs(w=np.array([2.0, 0.0]), alpha=0.5)
    assert np.allclose(outputs["parts"], [[1, 1], [1, -1]]) and np.allclose(
        outputs["after"], [0, -1]
    )
    w, A = np.array([1.3, -2.2]), np.array([[2.0, 1.0], [1.0, 2.0]])
    path = figure.outputs(w=w, alpha=0.7)["path"]
    for point in path:
        assert np.allclose(point, w)
        w = w - 0.7 * A @ w
    grows = np.abs(figure.outputs(w=np.array([1.0, 0.5]), alpha=0.7)["shares"][:, -1])
    assert grows[0] > 0.75 > grows[1]


def test_plain_ascent_on_the_ridge_needs_as_many_steps_as_its_flat_direction(chapter: dict) -> None:
    alphas, counts = chapter["needed"]["ridge"]
    flat = np.abs(experiments.circle(16)[:, 1])
    steps = np.log(np.sqrt(0.2) / flat) / np.log(1 - 0.49 * 0.01)
    counted = counts[0, alphas.index(0.49)]
    assert np.allclose(counted[flat > 3], np.ceil(steps[flat > 3]), atol=1)


def test_turning_the_ridge_changes_only_adam(chapter: dict) -> None:
    straight, turned = (
        np.median(chapter["needed"][k][1], 2).min(1) for k in ("ridge", "turned ridge")
    )
    assert np.allclose(straight[:2], turned[:2], rtol=0.02)
    assert turned[2] > 1.2 * straight[2]


def test_larger_flocks_have_the_means_of_the_birds(chapter: dict) -> None:
    x, y = chapter["x"], chapter["y"]
    many, classes = experiments.flock(x, y, 2190)
    assert np.allclose(many.mean(0).tolist(), x.mean(0).tolist(), atol=0.1)
    assert classes.mean().item() == pytest.approx(y.mean().item(), abs=0.1)
    assert experiments.flock(x, y, 219)[0] is x


def test_mini_batches_cost_the_same_in_a_large_flock(chapter: dict) -> None:
    full, mini = chapter["full"], chapter["mini"]
    assert full[0] < mini[0] and full[1] > 4 * mini[1]
    assert full[2] / full[0] == pytest.approx(100, rel=0.3)
    assert max(mini) < 1.5 * min(mini)


def test_the_table_and_the_figure_show_the_same_race(chapter: dict, race) -> None:
    """The figure's run with seed 1 ends as far from the top as the table's entry shows."""
    table = chapter["slow"]
    end = race.train(plots.STEPS, seed=1)
    gap = float(chapter["hill"](chapter["top"]) - chapter["hill"](nnlib.tensor(end["full"])))
    assert table[1][0] == pytest.approx(gap, rel=1e-6)


def test_the_learning_rate_finder_agrees_with_the_model_answer(chapter: dict) -> None:
    x, y = chapter["x"].numpy(), chapter["y"].numpy()

    def height(w: np.ndarray) -> float:
        return float(-np.logaddexp(0, -y * (x @ w)).mean())

    best, collapse = [], []
    for seed in range(10):
        rng, w, alpha, run = np.random.default_rng(seed), np.array([-1.0, 3.0]), 1e-3, []
        while alpha < 100:
            rows = rng.integers(0, len(y), 10)
            doubt = 0.5 - 0.5 * np.tanh(y[rows] * (x[rows] @ w) / 2)
            w = w + alpha * ((doubt * y[rows]) @ x[rows]) / 10
            run.append((alpha, height(w)))
            alpha *= 1.1
        top = int(np.argmax([h for _, h in run]))
        best.append(run[top][0])
        collapse.append(next(a for a, h in run[top:] if h < -0.5))
    assert (round(min(best)), round(max(best))) == (18, 43)
    assert (round(min(collapse)), round(max(collapse))) == (24, 77)

"""XOR: the chapter's claims hold, and its figures show its cells' results."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

import nnlib
from course.xor import figures as show
from course.xor.checks import separable
from nnlib import live


def scaled(chapter: dict, k: float) -> list[float]:
    weights = {n: k * w for n, w in chapter["units"].items()}
    return chapter["five"](chapter["x1"], chapter["x2"], **weights)[2].tolist()


def is_xor(answers: list[float]) -> bool:
    return [a > 0.5 for a in answers] == [False, True, True, False]


def test_no_line_of_a_fine_grid_classifies_all_four_points() -> None:
    w0, w1, w2 = np.meshgrid(*[np.linspace(-3, 3, 61)] * 3, indexing="ij")
    yes = [w0 + a * w1 + b * w2 > 0 for a, b in show.INPUTS]
    right = (~yes[0]).astype(int) + yes[1] + yes[2] + ~yes[3]
    assert right.max() == 3


def test_a_neuron_can_compute_fourteen_of_the_sixteen_boolean_functions() -> None:
    assert separable() == 14


def test_unit_weights_keep_every_output_below_one_half(chapter: dict) -> None:
    assert scaled(chapter, 1.0) == pytest.approx([0.424, 0.437, 0.437, 0.424], abs=5e-4)


def test_the_gain_has_to_exceed_two_log_three(chapter: dict) -> None:
    low, high = 1.0, 8.0
    assert not is_xor(scaled(chapter, low)) and is_xor(scaled(chapter, high))
    while high - low > 1e-5:
        middle = (low + high) / 2
        low, high = (low, middle) if is_xor(scaled(chapter, middle)) else (middle, high)
    assert high == pytest.approx(2 * log(3), abs=1e-4)
    assert all(is_xor(scaled(chapter, k)) for k in np.linspace(2.198, 20, 60))


def figure_of(chapter: dict, **changed: object) -> live.Figure:
    settings = {"lr": 3.0, "steps": 2000, "seed": 6, **changed}
    return show.grid_of_starts(chapter["five"], chapter["start"], chapter["losses"], chapter["won"],
                        **settings)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("loss", "seed"), [("squared error", 6), ("squared error", 16), ("cross-entropy", 16)]
)
def test_a_replayed_seed_has_the_result_in_the_grid(chapter: dict, loss: str, seed: int) -> None:
    end = figure_of(chapter).train(2000, seed=seed, loss=loss)
    weights = [nnlib.tensor(np.asarray(end[name], "float32")) for name in show.WEIGHTS]
    answers = chapter["five"](chapter["x1"], chapter["x2"], *weights)[2]
    assert chapter["learned"](answers[None]).item() == chapter["won"][loss][seed].item()


def test_the_patterns_have_a_hundred_points_and_a_lifted_corner_can_be_separated(
    chapter: dict,
) -> None:
    for points, classes in show.clouds().values():
        assert points.shape == (100, 2) and 40 <= classes.sum().item() <= 60
    figure = show.lifted_corner()
    assert figure.outputs(lift=0.0)["above"].tolist() == [1, 0, 0, 0]
    assert figure.outputs(lift=0.74)["above"].tolist() == [1, 0, 0, 0]
    assert figure.outputs(lift=1.0)["above"].tolist() == [1, 0, 0, 1]


def test_best_lines_agree_with_a_search_over_angles(chapter: dict) -> None:
    angles = np.linspace(0, 2 * np.pi, 721)
    directions = np.stack([np.cos(angles), np.sin(angles)], 1)
    for name, (points, classes) in show.clouds().items():
        sums = np.sort(directions @ points.numpy().T, 1)
        thresholds = np.concatenate([sums[:, :1] - 1, (sums[:, 1:] + sums[:, :-1]) / 2], 1)
        yes = (directions @ points.numpy().T)[:, None] > thresholds[:, :, None]
        best = (yes == (classes.numpy() > 0.5)).sum(2).max()
        assert chapter["most"][name].item() <= best <= chapter["most"][name].item() + 2


def test_inequalities_are_strict_only_with_a_positive_example() -> None:
    figure = show.add_inequalities()
    yes, no = (figure.outputs(picked=np.array(p, "float32")) for p in ([0, 1, 1, 0], [1, 0, 0, 1]))
    assert (float(yes["strict"]), float(yes["loose"])) == (1, 0)
    assert (float(no["strict"]), float(no["loose"])) == (0, 1)
    assert np.allclose(yes["c"], [2, 1, 1]) and np.allclose(no["c"], [-2, -1, -1])


def test_losses_of_the_failures_are_an_eighth_or_a_sixth(chapter: dict) -> None:
    ends = chapter["ends"].numpy()
    assert np.minimum(np.abs(ends - 1 / 8), np.abs(ends - 1 / 6)).max() < 0.005


def test_with_more_hidden_neurons_fewer_starts_fail(chapter: dict) -> None:
    rates = list(chapter["by_width"].values())
    assert rates == sorted(rates) and rates[0] < 160 and rates[-1] >= 199


def test_in_failed_starts_two_opposite_inputs_have_nearly_equal_activations(chapter: dict) -> None:
    failed, apart = chapter["failed"], chapter["apart"]
    assert apart[failed].max().item() < 0.01 < 0.5 < apart[~failed].min().item()


@pytest.mark.slow
def test_the_same_starts_succeed_in_pytorch(chapter: dict) -> None:
    torch = pytest.importorskip("torch")
    start, five = chapter["start"], chapter["five"]
    x1, x2, y = (torch.tensor(chapter[n].tolist()) for n in ("x1", "x2", "y"))
    starts = np.stack([start(seed) for seed in range(200)]).T[:, :, None]
    w = torch.tensor(starts, dtype=torch.float32, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=3.0)
    for _ in range(2000):
        optimizer.zero_grad()
        ((five(x1, x2, *w, g=torch.sigmoid)[2] - y) ** 2).mean(-1).sum().backward()
        optimizer.step()
    won = ((five(x1, x2, *w, g=torch.sigmoid)[2] - y).abs() < 0.25).all(1)
    assert won.tolist() == chapter["won"]["squared error"].tolist()

"""Autodiff: the engine equals nnlib and PyTorch, the pullbacks and the counts are what it says."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import nnlib
from course.autodiff import engine as scalar
from course.autodiff import figures as show

torch = pytest.importorskip("torch")


def nnlib_number(value: float) -> nnlib.Tensor:
    return nnlib.tensor(value, dtype=nnlib.float64, requires_grad=True)


def torch_number(value: float) -> object:
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("number", [nnlib_number, torch_number])
@pytest.mark.parametrize("seed", range(3))
def test_the_scalar_engine_equals_libraries_on_drawn_programs(number, seed: int) -> None:
    assert scalar.apart(scalar.Scalar, number, times=100, seed=seed) < 1e-12


def test_drawn_programs_use_their_results_again() -> None:
    """Else neither += nor the order would be put to the test."""
    for seed in range(20):
        program, _ = scalar.draw(np.random.default_rng(seed))
        names = [line.split(" = ")[0] for line in program] + list(scalar.INPUTS)
        used = " ".join(line.split(" = ")[1] for line in program)
        assert max(sum(part == n for part in used.replace("(", " ").split()) for n in names) > 1


@pytest.mark.parametrize(("plus", "topological", "expected"), [
    (True, True, 4.0), (True, False, 6.0), (False, True, 1.0), (False, False, 1.0),
])  # fmt: skip
def test_four_habits(plus: bool, topological: bool, expected: float) -> None:
    assert show.happenings(plus, topological)[-1][2]["a"] == expected
    figure = show.habits()
    order = "topological" if topological else "depth first"
    found = figure.outputs(plus=plus, order=order, t=show.MOMENTS - 1)
    assert float(found["ga"]) == expected
    assert float(found["measured"]) == pytest.approx(4.0, abs=1e-6)


def test_a_readers_own_expression_grows_a_graph_or_is_told_what_lacks() -> None:
    figure = show.grow({"a·a − d": lambda a, d: a * a - d}, a=3.0, d=1.0)
    assert float(figure.outputs()["r0"]) == 8.0
    with pytest.raises(ValueError, match=r"give one for d too: d=1\.0"):
        show.grow({"a·d": lambda a, d: a * d}, a=3.0)


def test_depth_first_in_the_chapter_is_the_figures(chapter: dict) -> None:
    assert chapter["a"].grad == 6.0


def test_the_lectures_snippet_differs_by_its_import_alone(
    cells: Callable[..., list[str]],
) -> None:
    (ours,) = [c for c in cells() if c.startswith("import nnlib as torch")]
    theirs = next(c for c in cells("pytorch") if "logistic" in c)
    body = [line.strip() for line in theirs.split("if course.pytorch():")[1].splitlines()]
    body = [line for line in body if line]
    mine = [line.strip() for line in ours.splitlines() if line.strip()]
    assert body[0] == "import torch" and mine[0] == "import nnlib as torch"
    assert body[1:-1] == mine[1:-1] and body[-1] == f"print({mine[-1]})"


def test_the_replayed_slope_is_the_snippets(chapter: dict) -> None:
    w = torch.tensor(chapter["drawn"], dtype=torch.float64, requires_grad=True)
    a3 = torch.sigmoid(w[0, 3] + w[1, 3])
    a4 = torch.sigmoid(w[0, 4] + w[1, 4])
    a5 = torch.sigmoid(w[0, 5] + w[3, 5] * a3 + w[4, 5] * a4)
    ((a5 - 0.7) ** 2).backward()
    assert float(chapter["replayed"]["d_w35"]) == pytest.approx(w.grad[3, 5].item(), rel=1e-5)


def test_work_is_counted_by_hand_for_one_layer() -> None:
    def layer(x, W, b):
        return {"loss": (x @ W.T + b).tanh().sum()}

    tensors = {"x": nnlib.ones(5, 3), "W": nnlib.ones(4, 3), "b": nnlib.ones(4)}
    forward = nnlib.graph.trace(layer, **tensors)
    assert show.work(forward) == 2 * 5 * 4 * 3 + 20 + 20 + 20  # product, bias, tanh, sum


@pytest.mark.parametrize("width", [4, 16, 64])
def test_a_gradient_costs_less_than_three_runs(chapter: dict, width: int) -> None:
    weights, once, both = chapter["costs"](width)
    assert weights == width * 2 + width + width * width + width + width + 1
    assert 1.0 < both / once < 3.0

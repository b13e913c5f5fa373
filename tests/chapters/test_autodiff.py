"""Autodiff: the engines agree with nnlib and PyTorch, the figures and counts with the text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import numpy as np
import pytest

import nnlib
from course.autodiff import checks
from course.autodiff import engine as scalar
from course.autodiff import figures as show
from course.kit.checking import judge
from tests.chapters.conftest import CHAPTERS

torch = pytest.importorskip("torch")


def nnlib_number(value: float) -> nnlib.Tensor:
    return nnlib.tensor(value, dtype=nnlib.float64, requires_grad=True)


def torch_number(value: float) -> object:
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("number", [nnlib_number, torch_number])
@pytest.mark.parametrize("seed", range(3))
def test_the_scalar_engine_equals_libraries_on_random_programs(number, seed: int) -> None:
    assert scalar.largest_difference(scalar.Scalar, number, times=100, seed=seed) < 1e-12


def test_random_programs_use_their_results_again() -> None:
    """Otherwise neither += nor the order would be tested."""
    for seed in range(20):
        program, _ = scalar.random_program(np.random.default_rng(seed))
        names = [line.split(" = ")[0] for line in program] + list(scalar.INPUTS)
        used = " ".join(line.split(" = ")[1] for line in program)
        assert max(sum(part == n for part in used.replace("(", " ").split()) for n in names) > 1


@pytest.mark.parametrize(("plus", "topological", "expected"), [
    (True, True, 4.0), (True, False, 6.0), (False, True, 1.0), (False, False, 1.0),
])  # fmt: skip
def test_each_order_gives_its_gradient(plus: bool, topological: bool, expected: float) -> None:
    assert show.events(plus, topological)[-1][2]["a"] == expected
    figure = show.habits()
    order = "topological" if topological else "depth first"
    outputs = figure.outputs(plus=plus, order=order, t=show.STEP_COUNT - 1)
    assert float(outputs["ga"]) == expected
    assert float(outputs["measured"]) == pytest.approx(4.0, abs=1e-6)


def test_a_readers_own_expression_makes_a_graph_or_an_error_that_names_what_is_missing() -> None:
    figure = show.grow({"a·a − d": lambda a, d: a * a - d}, a=3.0, d=1.0)
    assert float(figure.outputs()["r0"]) == 8.0
    with pytest.raises(ValueError, match=r"give one for d too: d=1\.0"):
        show.grow({"a·d": lambda a, d: a * d}, a=3.0)


def doublings(number) -> tuple:
    a = number(1.5)
    b = number(3.0, [(a, 1.0), (a, 1.0)])
    return a, b, number(6.0, [(b, 1.0), (b, 1.0)])


def test_depth_first_in_the_chapter_is_the_figures(chapter: dict) -> None:
    a, _, c = doublings(scalar.Scalar)
    c.grad = 1.0
    chapter["depth_first"](c)
    assert a.grad == 6.0


def test_repeated_passes_add_equal_gradients_in_the_engine_but_not_in_the_careless_one(
    chapter: dict,
) -> None:
    for backward_pass, expected in (
        (scalar.backward_pass, [4.0, 8.0, 12.0]),
        (chapter["careless"], [4, 12, 24]),
    ):
        nodes = doublings(scalar.Scalar)
        gradients = []
        for _ in range(3):
            backward_pass(nodes)
            gradients.append(nodes[0].grad)
        assert gradients == expected


@pytest.fixture(scope="module")
def printed_engine() -> type:
    """The engine as the page prints it: between forty and fifty lines."""
    cells = json.loads((CHAPTERS / "autodiff.ipynb").read_text("utf8"))["cells"]
    texts = "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    (code,) = [
        c for c in re.findall(r"```python\n(.*?)```", texts, re.DOTALL) if "def backward(" in c
    ]
    assert 40 <= len([line for line in code.splitlines() if line.strip()]) <= 50
    names: dict = {}
    exec(code, names)
    return names["Scalar"]


def test_the_printed_engine_is_complete(printed_engine: type) -> None:
    assert scalar.complete(printed_engine)
    assert scalar.largest_difference(printed_engine, nnlib_number, times=100) < 1e-12


def test_an_engine_with_gaps_is_replaced_by_the_books(printed_engine: type, capsys) -> None:
    class WithoutMinus(scalar.Scalar):
        __rsub__ = None

    class Forgetful(scalar.Scalar):
        def backward(self) -> None:
            for node in scalar.order(self):
                node.grad = 0.0
            scalar.backward_pass(scalar.order(self))

    for gaps in (WithoutMinus, Forgetful, object):
        assert scalar.yours_or_the_books(gaps) is scalar.Scalar
    assert scalar.yours_or_the_books(printed_engine) is printed_engine
    assert capsys.readouterr().out.count("still has gaps") == 3


@pytest.mark.parametrize("k", range(1, show.STAGES + 1))
def test_the_figure_shows_every_path_once(k: int) -> None:
    figure = show.paths()
    signs_of_paths = {tuple(np.sign(np.round(figure.outputs(k=float(k), path=float(p))["one"], 9)))
                      for p in range(1, 2**k + 1)}  # fmt: skip
    assert len(signs_of_paths) == 2**k
    outputs = figure.outputs(k=float(k), path=64.0)
    assert (outputs["count"], outputs["edges"], outputs["chosen"]) == (2**k, 2 * k, 2**k)


@pytest.mark.parametrize("x", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_the_measured_error_is_smallest_near_the_formulas_h(x: float, precision: str) -> None:
    outputs = show.which_h().outputs(x=x, precision=precision)
    best = float(outputs["h"][np.argmin(outputs["error"])])
    assert 1 / 16 < best / float(outputs["best"]) < 16
    large = outputs["h"] > 20 * outputs["best"]  # where the curve's own error dominates
    large &= outputs["h"] < 0.05
    np.testing.assert_allclose(outputs["error"][large], outputs["truncation"][large], rtol=0.2)


def test_training_in_the_chapter_is_that_of_any_correct_engine(chapter: dict) -> None:
    """The last of the twelve starts, with NumPy and the five steps."""
    w = np.random.default_rng(11).normal(size=9)
    x, y = np.array(chapter["CORNERS"], float), np.array(chapter["XOR"], float)
    ones = np.ones((4, 1))

    def sigmoid(z: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-z))

    for expected in chapter["curves"][11]:
        first, last = w[:6].reshape(2, 3), w[6:]
        a = sigmoid(np.hstack([ones, x]) @ first.T)
        out = sigmoid(np.hstack([ones, a]) @ last)
        assert ((out - y) ** 2).mean() == pytest.approx(expected, rel=1e-6)
        d5 = 2 * (out - y) / 4 * out * (1 - out)
        d = d5[:, None] * last[1:] * a * (1 - a)
        w = w - 5.0 * np.concatenate(
            [(d.T @ np.hstack([ones, x])).ravel(), d5 @ np.hstack([ones, a])]
        )


def test_dual_numbers_give_a_column_and_the_engine_a_row(chapter: dict) -> None:
    dual, number = chapter["Dual"], scalar.Scalar
    jacobian = np.array([[3.0, 2.0, 0.0], [0.0, 1.0, -2.0]])
    for j in range(3):
        x1, x2, x3 = (dual(v, float(i == j)) for i, v in enumerate((2.0, 3.0, -1.0)))
        assert [(x1 * x2).derivative, (x2 + x3 * x3).derivative] == jacobian[:, j].tolist()
    for i in range(2):
        x1, x2, x3 = xs = [number(v) for v in (2.0, 3.0, -1.0)]
        (x1 * x2, x2 + x3 * x3)[i].backward()
        assert [x.grad for x in xs] == jacobian[i].tolist()


def test_the_lectures_snippet_differs_only_in_its_import(
    cells: Callable[..., list[str]],
) -> None:
    (with_nnlib,) = [c for c in cells() if c.startswith("import nnlib as torch")]
    with_torch = next(c for c in cells("pytorch") if "logistic" in c)
    snippet = with_torch.split("if course.pytorch():")[1]
    lecture_lines = [line.strip() for line in snippet.splitlines() if line.strip()]
    our_lines = [line.strip() for line in with_nnlib.splitlines() if line.strip()]
    assert lecture_lines[0] == "import torch" and our_lines[0] == "import nnlib as torch"
    assert lecture_lines[1:-1] == our_lines[1:-1] and lecture_lines[-1] == f"print({our_lines[-1]})"


def test_the_replayed_derivative_is_the_snippets(chapter: dict) -> None:
    w = torch.tensor(chapter["random_weights"], dtype=torch.float64, requires_grad=True)
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


def test_a_verdict_names_a_shape_as_a_shape() -> None:
    words = judge(checks.broadcast, checks.only_leading).words
    assert words.startswith(
        "called with an array of shape (2, 4, 3), shape=(4, 1): the shape (4, 1)"
    )

"""By hand: nnlib's formulas as lines with their numbers, and the derivation line by line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import nnlib
from course.backprop.figures import FEEDS, SMALL, activations, finite_differences, total_inputs
from course.by_hand.descent import four_programs, predicted_and_actual
from course.by_hand.hunt import one_mistake
from course.by_hand.program import hidden_lines, output_lines
from course.by_hand.suspects import four_suspects
from course.networks.five import WEIGHTS
from nnlib import live
from nnlib.graph import Graph
from nnlib.graph.latex import tree

__all__ = [
    "ORDER", "four_programs", "four_suspects", "line_by_line", "lines", "one_mistake",
    "predicted_and_actual",
]  # fmt: skip

# The order of the derivation: the output's lines, then those of neuron 3, then those of neuron 4.
ORDER = ("a5", "in5", "w05", "w35", "w45", "a3", "in3", "w03", "w13", "w23",
         "a4", "in4", "w04", "w14", "w24")  # fmt: skip


class Lines:
    """Formulas, one a line, that a notebook shows as mathematics."""

    def __init__(self, latex: Sequence[str]) -> None:
        self.latex = list(latex)

    def __repr__(self) -> str:
        return "\n".join(self.latex)

    def _repr_latex_(self) -> str:
        body = " \\\\[4pt]\n".join(self.latex)
        return f"$$\n\\begin{{aligned}}\n{body}\n\\end{{aligned}}\n$$"


def lines(
    graph: Graph, names: Sequence[str], numbers: Mapping[str, Any], expand: Sequence[str] = ()
) -> Lines:
    """The graph's formulas for `names`, each with what it gives at `numbers`.

    Every printed formula is evaluated as it is printed; where that differs from what the graph
    computes, an AssertionError is raised.
    """
    values = graph.run(**numbers)
    known = {**numbers, **values}
    out = []
    for name in names:
        printed = float(tree(graph, name, expand).value(known))
        assert abs(printed - values[name]) < 1e-12, (name, printed, values[name])
        left, _, right = graph.to_latex(name, expand).partition(" = ")
        # A long formula gets a line of its own, and so does its number: a phone is narrow.
        broken = rf"&{left} \\ &= {right} \\ &= "
        out.append(f"{broken if expand else f'{left} &= {right} = '}{values[name]:.4f}")
    return Lines(out)


def derivative_by_activation(w: Mapping[str, Any], a: Mapping[int, Any], y: Any, i: int) -> Any:
    """dLoss/daᵢ as a central difference, from two runs through the neurons after neuron i."""

    def loss(h: float) -> Any:
        if i == 5:
            return (y - (a[5] + h)) ** 2
        changed = {**a, i: a[i] + h}
        return (y - nnlib.sigmoid(w["w05"] + w["w35"] * changed[3] + w["w45"] * changed[4])) ** 2

    return (loss(SMALL) - loss(-SMALL)) / (2 * SMALL)


def _derived() -> Any:
    """The five-neuron net; a neuron shows its δ once its line has been reached."""
    neurons = [live.neuron(i, 0, value=f"a{i}") for i in (1, 2)]
    neurons += [live.neuron(i, 1 + (i == 5), value=f"a{i}", total=f"in{i}", delta=f"shown{i}",
                            bias=f"w0{i}") for i in (3, 4, 5)]  # fmt: skip
    edges = [live.edge(i, j, f"w{i}{j}") for i, after in FEEDS.items() for j in after]
    return live.network(neurons, edges, width=460, height=280)


def line_by_line(
    graph: Graph, numbers: Mapping[str, float], output: Callable = output_lines,
    hidden: Callable = hidden_lines,
) -> live.Figure:  # fmt: skip
    """The derivation step by step: nnlib's formulas, their numbers, finite differences.

    The numbers are computed by `output` and `hidden`, five lines each, which a reader has typed; a
    mistake can be planted in one of them.
    """

    def outputs(x1: Any, x2: Any, y: Any, line: Any, planted: Any, **weights: Any) -> dict:
        w = {n: v.double() for n, v in weights.items()}
        x1, x2, y = (v.double() for v in (x1, x2, y))
        a = activations(w, x1, x2)
        total = total_inputs(w, a)
        by_a, delta, by_w = {}, {}, {}
        first = _planted(output(y, a[3], a[4], a[5]), planted == 1, lambda d: (
            d[0] * total[5] * (1 - total[5]), a[3], a[4]))  # fmt: skip
        by_a[5], delta[5], by_w["w05"], by_w["w35"], by_w["w45"] = first
        for i in (3, 4):
            edge = w[f"w{i}5"]
            if i == 3:
                edge = nnlib.where(planted == 2, w["w45"], edge)
            else:
                x1, x2 = (nnlib.where(planted == 3, *both) for both in ((x2, x1), (x1, x2)))
            derivatives = hidden(delta[5], edge, a[i], x1, x2)
            by_a[i], delta[i], by_w[f"w0{i}"], by_w[f"w1{i}"], by_w[f"w2{i}"] = derivatives
        differences = finite_differences(w, a[1], a[2], y)
        out = {f"a{i}": v for i, v in a.items()}
        out |= {f"in{i}": v for i, v in total.items()}
        for i in (3, 4, 5):
            out |= {f"d_a{i}": by_a[i], f"d_in{i}": delta[i], f"m_in{i}": differences[f"d{i}"]}
            out[f"m_a{i}"] = derivative_by_activation(w, a, y, i)
        for name in WEIGHTS:
            out[f"d_{name}"] = by_w[name]
            out[f"m_{name}"] = differences[name]
        blank = nnlib.tensor(float("nan"))
        for position, name in enumerate(ORDER, 1):
            if name.startswith("in"):
                out[f"shown{name[2]}"] = nnlib.where(line >= position, out[f"d_{name}"], blank)
        return out

    return live.figure(
        outputs,
        line=live.stepper(len(ORDER) + 1, interval=1.5, label="line"),
        planted=live.dropdown({"none": 0, "A": 1, "B": 2, "C": 3}, buttons=True,
                              label="plant a mistake"),
        x1=live.slider(-2.0, 2.0, 0.1, value=float(numbers["x1"]), label="x₁"),
        x2=live.slider(-2.0, 2.0, 0.1, value=float(numbers["x2"]), label="x₂"),
        y=live.slider(0.0, 1.0, 0.1, value=float(numbers["y"]), label="target y"),
        inputs={n: live.values(float(numbers[n]), min=-5, max=5, step=0.1) for n in WEIGHTS},
        view=[
            _derived(),
            *[_line(graph, name, position) for position, name in enumerate(ORDER, 1)],
        ],
        title="Line by line",
        caption="Step through the fifteen lines; drag a weight at any time. Every line needs only "
        "lines above it. Which numbers change when you drag a weight of neuron 4? Then plant a "
        "mistake and find the first wrong line.",
        alt="The five-neuron net and fifteen formulas that appear one after the other, each with "
        "its value and with the same value from a finite difference.",
    )  # fmt: skip


def _planted(lines: Sequence, wrong: Any, mistaken: Callable) -> tuple:
    """The five lines of the output neuron, with a wrong δ where a mistake is planted."""
    d_a5, right, *rest = lines
    wrong_delta, a3, a4 = mistaken(lines)
    wrong_rest = (wrong_delta, wrong_delta * a3, wrong_delta * a4)
    return (d_a5, nnlib.where(wrong, wrong_delta, right),
            *(nnlib.where(wrong, b, r) for b, r in zip(wrong_rest, rest, strict=True)))  # fmt: skip


def _line(graph: Graph, name: str, position: int) -> Any:
    number = f"{{d_{name}:+.4f}}"
    return live.column(
        live.row(live.formula(f"{graph.to_latex(f'd_{name}')} = {number}"),
                 f"measured {{m_{name}:+.4f}}"),
        when=partial(_reached, position),
    )  # fmt: skip


def _reached(position: int, line: Any) -> Any:
    return line >= position

"""Autodiff's live figures: a growing graph, an engine's habits, paths, training, and the best h."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from inspect import Parameter, Signature
from typing import Any

import numpy as np

import nnlib
from nnlib import live
from nnlib.graph import Graph

# --- choose an expression ------------------------------------------------------------------------


def grow(expressions: Mapping[str, Callable], **values: float) -> live.Figure:
    """The graphs of functions of some of `values`' names, each with a stepper of its own.

    Raises:
        ValueError: an expression has an argument to which no value was given.
    """
    names = list(expressions)
    parts, steppers = [], {}
    for k, f in enumerate(expressions.values()):
        used = f.__code__.co_varnames[: f.__code__.co_argcount]
        if missing := [n for n in used if n not in values]:
            raise ValueError(
                f"the expression {names[k]!r} takes {', '.join(used)}, and values are given "
                f"only for {', '.join(values)}; give one for {missing[0]} too: {missing[0]}=1.0"
            )
        states = live.dag_states(f, **{n: values[n] for n in used})
        steppers[f"t{k}"] = live.stepper(states, label="step")
        parts.append(
            live.column(
                live.control(*used, f"t{k}"),
                live.dag(of=f, step=f"t{k}", format=".3g"),
                f"{names[k]} = {{r{k}:.3f}}",
                when=_chosen(k),
            )
        )

    def results(**inputs: Any) -> dict[str, Any]:
        return {
            f"r{k}": f(*[inputs[n] for n in f.__code__.co_varnames[: f.__code__.co_argcount]])
            for k, f in enumerate(expressions.values())
        }

    parameters = [Parameter(n, Parameter.KEYWORD_ONLY) for n in values]
    results.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    return live.figure(
        results,
        inputs={
            "which": live.dropdown({n: float(k) for k, n in enumerate(names)}, label="expression"),
            **{n: _around(v, n) for n, v in values.items()},
            **steppers,
        },
        view=[live.control("which"), *parts],
        title="A program becomes a graph",
        caption="Choose an expression and step. On the way forward a value appears at each node; "
        "on the way back the derivative of the result with respect to it (∂). Before each step "
        "back, work out the next number yourself. In which expressions is a node used twice?",
        alt="A graph from left to right: inputs, then one box for each operation, with its value. "
        "Stepping on fills in values from left to right, and then gradients from right to left.",
    )


def _around(value: float, name: str) -> Any:
    return live.slider(min(-2.0, value), max(2.0, value), 0.1, value=value, label=name)


def _chosen(k: int) -> Callable:
    return lambda which: abs(which - k) < 0.5


# --- += or =, topological or depth first ---------------------------------------------------------

EDGES = {"c": "b", "b": "a", "a": ""}  # c = b + b and b = a + a: two edges each, with derivative 1
NODES = "abc"
STEP_COUNT = 8  # the start, and at most seven events


def events(plus: bool, topological: bool) -> list[tuple[str, str, dict[str, float]]]:
    """(sender, receiver, all gradients afterwards) of each step of an engine with these habits.

    The first sender is "": the result gets its 1.

    >>> events(True, True)[-1][2]["a"], events(True, False)[-1][2]["a"]
    (4.0, 6.0)
    """
    grad = dict.fromkeys(NODES, 0.0) | {"c": 1.0}
    steps = [("", "c", dict(grad))]

    def send(node: str) -> None:
        receiver = EDGES[node]
        for _ in range(2 if receiver else 0):
            grad[receiver] = grad[node] + (grad[receiver] if plus else 0.0)
            steps.append((node, receiver, dict(grad)))
            if not topological:
                send(receiver)

    for node in "cba" if topological else "c":
        send(node)
    return steps


def _state_by_step(plus: bool, topological: bool) -> dict[str, np.ndarray]:
    """One entry per step: gradients, receiver, index in TEXTS, and the gradient that is sent."""
    rows = [(0.0, 0.0, 0.0, -1.0, 0.0, 0.0)]
    for sender, receiver, grad in events(plus, topological):
        text = 1.0 if not sender else 2.0 + 2 * (sender == "b") + (not plus)
        sent = grad[sender] if sender else 1.0
        rows.append((grad["a"], grad["b"], grad["c"], NODES.index(receiver), text, sent))
    rows += [(*rows[-1][:3], -1.0, 6.0, 0.0)] * (STEP_COUNT - len(rows))
    table = np.array(rows, "float32").T
    return dict(zip(("ga", "gb", "gc", "now", "text", "sent"), table, strict=True))


TEXTS = [
    "Values are there, gradients are 0. Step on.",
    "The result begins: c.grad = 1.",
    "c sends to b: b.grad += 1 × {sent:.0f}",
    "c sends to b: b.grad = 1 × {sent:.0f}",
    "b sends to a: a.grad += 1 × {sent:.0f}",
    "b sends to a: a.grad = 1 × {sent:.0f}",
    "Nothing is left to do.",
]


def habits() -> live.Figure:
    """The graph of b = a + a; c = b + b, walked backwards with += or =, in one order or another."""

    def walk(a: Any, plus: bool, order: str, t: Any) -> dict[str, Any]:
        is_now = (nnlib.arange(STEP_COUNT) == t).float()
        rows = _state_by_step(plus, order == "topological")
        now = {name: (nnlib.tensor(row) * is_now).sum() for name, row in rows.items()}
        c, c_after_change = 4.0 * a.double(), 4.0 * (a.double() + 0.001)
        return {**now, "b": a + a, "c": 4.0 * a, "measured": (c_after_change - c) / 0.001}

    def when(k: int) -> Callable:
        return lambda text: abs(text - k) < 0.5

    return live.figure(
        walk,
        a=live.slider(-2.0, 2.0, 0.1, value=1.5, label="a"),
        plus=live.checkbox(True, label="add (+=) instead of overwriting (=)"),
        order=live.dropdown(["topological", "depth first"], buttons=True, label="order"),
        t=live.stepper(STEP_COUNT, label="step"),
        view=[
            live.dag(
                {
                    "a": {"value": "a", "grad": "ga"},
                    "b": {"label": "b = a + a", "inputs": ["a", "a"], "value": "b", "grad": "gb"},
                    "c": {"label": "c = b + b", "inputs": ["b", "b"], "value": "c", "grad": "gc"},
                },
                now="now",
            ),
            *[live.readout(text, when=when(k)) for k, text in enumerate(TEXTS)],
            live.readout("a receives {ga:.0f} · measured dc/da {measured:.0f}", size="large"),
        ],
        title="Two habits of an engine",
        caption="Step to the end with each of the four settings and note what a has received. In "
        "which setting does b send before it has received everything?",
        alt="Three nodes a, b and c, two edges from a to b and two from b to c. Adding in "
        "topological order gives a the gradient 4, as measured. Overwriting gives 1 in either "
        "order; adding depth first gives 6, because b sends twice and repeats its first share.",
    )


# --- paths against edges ------------------------------------------------------------------------

STAGES = 6  # at most; each stage doubles the number of paths
ALONG = np.linspace(0.0, STAGES, 40 * STAGES + 1)


def paths() -> live.Figure:
    """A chain of doublings: two edges per stage, one path highlighted, the work of both methods."""

    def outputs(k: Any, path: Any) -> dict[str, Any]:
        k, path = k.double(), path.double()
        count = 2.0**k
        chosen = nnlib.minimum(path, count)
        x = nnlib.minimum(nnlib.tensor(ALONG), k)
        arc = 0.45 * (math.pi * x).sin().abs()
        stage = nnlib.minimum(x.floor(), k - 1.0)
        bit = ((chosen - 1.0) / 2.0**stage).floor()
        sign = 2.0 * (bit - 2.0 * (bit / 2.0).floor()) - 1.0
        return {
            "x": x, "up": arc, "down": -arc, "one": sign * arc, "count": count, "chosen": chosen,
            "nodes": nnlib.minimum(nnlib.arange(STAGES + 1).double(), k),
            "each": count * k, "edges": 2.0 * k,
        }  # fmt: skip

    return live.figure(
        outputs,
        k=live.slider(1.0, float(STAGES), 1.0, value=3.0, label="doublings"),
        path=live.slider(1.0, 2.0**STAGES, 1.0, value=3.0, label="path"),
        view=[
            live.axes(
                live.curve("x", "up", color="muted"),
                live.curve("x", "down", color="muted"),
                live.curve("x", "one", color="accent", width=3),
                live.points(x="nodes", y=np.zeros(STAGES + 1), color="ink", size=5),
                live.label("a", 0.0, 0.0, dy=22),
                live.label("result", "k", 0.0, dy=-14, anchor="start"),
                xlim=(-0.4, STAGES + 0.7), ylim=(-0.7, 0.7), frame=False, width=480, height=150,
            ),
            live.readout(
                "Path {chosen:.0f} of {count:.0f}. Path by path: {count:.0f} products of {k:.0f} "
                "derivatives, {each:.0f} factors. Node by node: {edges:.0f} edges, each read once."
            ),
        ],
        title="Many paths, few edges",
        caption="Move the second slider through all paths, then add a doubling. How does the "
        "number of paths grow, and how does the number of edges?",
        alt="A chain of nodes with two edges between neighbours, and one path along it "
        "highlighted. Each further doubling adds two edges and doubles the number of paths: after "
        "six there are 64 paths and 12 edges.",
    )  # fmt: skip


# --- the engine trains XOR ----------------------------------------------------------------------


def losses(curves: np.ndarray, lecture: np.ndarray) -> live.Figure:
    """The loss of each training run; the run from the lecture's weights stands out."""
    steps = np.arange(curves.shape[1])
    return live.figure(
        view=[
            live.axes(
                live.curve(steps, curves, color="muted", label="random starts"),
                live.curve(steps, lecture, color="accent", width=3, label="the lecture's weights"),
                xlabel="step", ylabel="mean squared error over the corners", ylim=(0, 0.6),
                width=480, height=280,
            )
        ],
        title="The engine trains XOR",
        caption="One curve for each start. Look for the runs that end flat and high: what did "
        "they learn?",
        alt="Loss curves over 600 steps. The run from the lecture's weights and most of the random "
        "starts fall close to 0; a few stay on a plateau above 0.1.",
    )  # fmt: skip


# --- which h? -------------------------------------------------------------------------------------

H = {"float64": 10.0 ** np.linspace(-15, -0.5, 59), "float32": 10.0 ** np.linspace(-7, -0.5, 27)}


def witch(x: Any) -> Any:
    """1/(1 + x²), the witch of Agnesi, by operations that every machine rounds in the same way."""
    return 1.0 / (1.0 + x * x)


def which_h() -> live.Figure:
    """The central difference's error against h at any x, in double or single precision."""

    def outputs(x: Any, precision: str, exponent: Any) -> dict[str, Any]:
        dtype = nnlib.float64 if precision == "float64" else nnlib.float32
        eps = nnlib.finfo(dtype).eps
        exact_x = x.double()
        derivative = -2.0 * exact_x * witch(exact_x) * witch(exact_x)
        third_derivative = 24.0 * exact_x * (1.0 - exact_x * exact_x) * witch(exact_x) ** 4
        h = nnlib.tensor(H[precision]).to(dtype)
        point, chosen_h = exact_x.to(dtype), (10.0 ** exponent.double()).to(dtype)

        def error(h: Any) -> Any:
            quotient = (witch(point + h) - witch(point - h)) / (2.0 * h)
            return (quotient.double() - derivative).abs()

        return {
            "h": h.double(), "error": error(h).clamp(min=1e-17),
            "truncation": h.double() ** 2 * third_derivative / 6.0,
            "rounding": eps * witch(exact_x) / h.double(),
            "one": chosen_h.double(), "here": error(chosen_h).clamp(min=1e-17), "true": derivative,
            "best": (3.0 * eps * witch(exact_x) / third_derivative) ** (1.0 / 3.0),
        }  # fmt: skip

    return live.figure(
        outputs,
        x=live.slider(0.1, 0.9, 0.05, value=0.5, label="x"),
        precision=live.dropdown(["float64", "float32"], buttons=True),
        exponent=live.slider(-15.0, -1.0, 0.25, value=-2.0, label="log₁₀ h"),
        view=[
            live.axes(
                live.curve("h", "truncation", dash=True, color="series1", label="h²·|f‴|/6"),
                live.curve("h", "rounding", dash=True, color="series2", label="ε·|f|/h"),
                live.curve("h", "error", color="accent", label="measured error"),
                live.points(x="one", y="here", color="ink", size=6),
                xscale="log", yscale="log", xlabel="h", ylabel="error of the quotient",
                xlim=(1e-15, 1), ylim=(1e-17, 10), width=480, height=320,
            ),
            live.readout(
                "h = {one:.2g}: the quotient misses {true:.6f} by {here:.1e}. By the formula, the "
                "best h is near {best:.1e}."
            ),
        ],
        title="Not too large, not too small",
        caption="Move h from right to left and read the error. Then switch to float32: where does "
        "the lowest point go?",
        alt="The error of the central difference against h, both on logarithmic scales: a V. On "
        "its right arm the error falls a hundredfold for each factor of ten in h, on its left arm "
        "rounding makes it grow again, irregularly. The lowest point is a little below h = 0.00001 "
        "in float64, and at a few thousandths in float32.",
    )  # fmt: skip


# --- how much work is in a graph? ----------------------------------------------------------------

MOVES = {"cat", "clone", "constant", "expand", "flip", "input", "permute", "reshape", "slice",
         "slice_backward"}  # fmt: skip


def work(graph: Graph) -> int:
    """The additions, multiplications and function values of one run; moving numbers is free.

    >>> W, x = nnlib.ones(3, 5), nnlib.ones(5)
    >>> work(nnlib.graph.trace(lambda W, x: {"y": W @ x}, W=W, x=x))
    30
    """
    total = 0
    for step in graph.steps:
        if step.op in MOVES:
            continue
        size = math.prod(step.shape)
        read = [math.prod(graph.steps[i].shape) for i in step.inputs]
        if step.op == "matmul":
            size *= 2 * graph.steps[step.inputs[0]].shape[-1]
        total += max(size, *read) if step.op in ("sum", "mean", "max") else size
    return total

"""Autodiff's live figures: a graph that grows, one engine gone wrong; and the work in a graph."""

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
                f"the expression {names[k]!r} takes {', '.join(used)}, and values are given for "
                f"{', '.join(values)} only; give one for {missing[0]} too: {missing[0]}=1.0"
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

    def results(**given: Any) -> dict[str, Any]:
        return {
            f"r{k}": f(*[given[n] for n in f.__code__.co_varnames[: f.__code__.co_argcount]])
            for k, f in enumerate(expressions.values())
        }

    wanted = [Parameter(n, Parameter.KEYWORD_ONLY) for n in values]
    results.__signature__ = Signature(wanted)  # type: ignore[attr-defined]
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
        "on the way back the slope of the result with respect to it (∂). Before a step back, work "
        "out the number yourself. Which expression uses a node twice?",
        alt="A graph from left to right: inputs, then one box for each operation, with its value. "
        "Stepping on fills in values from left to right, and then gradients from right to left.",
    )


def _around(value: float, name: str) -> Any:
    return live.slider(min(-2.0, value), max(2.0, value), 0.1, value=value, label=name)


def _chosen(k: int) -> Callable:
    return lambda which: abs(which - k) < 0.5


# --- += or =, topological or depth first ---------------------------------------------------------

EDGES = {"c": "b", "b": "a", "a": ""}  # c = b + b and b = a + a: two edges each, of slope 1
AT = "abc"
MOMENTS = 8  # the start, and at most seven things that happen


def happenings(plus: bool, topological: bool) -> list[tuple[str, str, dict[str, float]]]:
    """(sender, receiver, all gradients afterwards), as an engine with these habits goes backwards.

    The first sender is "": the result gets its 1.

    >>> happenings(True, True)[-1][2]["a"], happenings(True, False)[-1][2]["a"]
    (4.0, 6.0)
    """
    grad = dict.fromkeys(AT, 0.0) | {"c": 1.0}
    found = [("", "c", dict(grad))]

    def send(node: str) -> None:
        to = EDGES[node]
        for _ in range(2 if to else 0):
            grad[to] = grad[node] + (grad[to] if plus else 0.0)
            found.append((node, to, dict(grad)))
            if not topological:
                send(to)

    for node in "cba" if topological else "c":
        send(node)
    return found


def _story(plus: bool, topological: bool) -> dict[str, np.ndarray]:
    """One row a moment: the gradients, who works, what is said, how much is sent."""
    rows = [(0.0, 0.0, 0.0, -1.0, 0.0, 0.0)]
    for sender, receiver, grad in happenings(plus, topological):
        said = 1.0 if not sender else 2.0 + 2 * (sender == "b") + (not plus)
        sent = grad[sender] if sender else 1.0
        rows.append((grad["a"], grad["b"], grad["c"], AT.index(receiver), said, sent))
    rows += [(*rows[-1][:3], -1.0, 6.0, 0.0)] * (MOMENTS - len(rows))
    table = np.array(rows, "float32").T
    return dict(zip(("ga", "gb", "gc", "now", "said", "sent"), table, strict=True))


SAID = [
    "Values are there, gradients are 0. Step on.",
    "The result begins: c.grad = 1.",
    "c tells b: b.grad += 1 × {sent:.0f}",
    "c tells b: b.grad = 1 × {sent:.0f}",
    "b tells a: a.grad += 1 × {sent:.0f}",
    "b tells a: a.grad = 1 × {sent:.0f}",
    "Nothing is left to do.",
]


def habits() -> live.Figure:
    """The graph of b = a + a; c = b + b, walked backwards with += or =, in one order or another."""

    def walk(a: Any, plus: bool, order: str, t: Any) -> dict[str, Any]:
        moment = (nnlib.arange(MOMENTS) == t).float()
        story = _story(plus, order == "topological")
        now = {name: (nnlib.tensor(row) * moment).sum() for name, row in story.items()}
        c, moved = 4.0 * a.double(), 4.0 * (a.double() + 0.001)
        return {**now, "b": a + a, "c": 4.0 * a, "measured": (moved - c) / 0.001}

    def when(k: int) -> Callable:
        return lambda said: abs(said - k) < 0.5

    return live.figure(
        walk,
        a=live.slider(-2.0, 2.0, 0.1, value=1.5, label="a"),
        plus=live.checkbox(True, label="add (+=) instead of overwriting (=)"),
        order=live.dropdown(["topological", "depth first"], buttons=True, label="order"),
        t=live.stepper(MOMENTS, label="step"),
        view=[
            live.dag(
                {
                    "a": {"value": "a", "grad": "ga"},
                    "b": {"label": "b = a + a", "inputs": ["a", "a"], "value": "b", "grad": "gb"},
                    "c": {"label": "c = b + b", "inputs": ["b", "b"], "value": "c", "grad": "gc"},
                },
                now="now",
                height=120,
            ),
            *[live.readout(text, when=when(k)) for k, text in enumerate(SAID)],
            live.readout("a.grad {ga:.0f} · measured slope dc/da {measured:.0f}", size="large"),
        ],
        title="Two habits of an engine",
        caption="Step to the end with each of the four settings. Two of them overwrite; with the "
        "other two, watch how often b speaks, and how much it has heard by then.",
        alt="Three nodes a, b and c, two edges from a to b and two from b to c. Adding in "
        "topological order gives a the gradient 4, as measured. Overwriting gives 1 in either "
        "order; adding depth first gives 6, because b speaks twice and repeats what it had said.",
    )


# --- how much work is in a graph? ----------------------------------------------------------------

MOVES = {"cat", "clone", "constant", "expand", "flip", "input", "permute", "reshape", "slice",
         "unslice"}  # fmt: skip


def work(graph: Graph) -> int:
    """Additions, multiplications and function values in one run; moving numbers costs nothing.

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

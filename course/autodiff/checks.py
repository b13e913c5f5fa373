"""Exercises of the chapter on autodiff: a scalar engine in four steps, and two pullbacks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import nnlib
from course.autodiff import engine as scalar
from course.autodiff.engine import Scalar
from course.kit.exercises import function, mistake, puzzle

# --- a product remembers ------------------------------------------------------------------------


def remembered(mul: Callable, x: float, y: float) -> tuple[float, float, float]:
    """The product, and the slope that is kept for each factor (nan: no edge leads to it)."""
    a, b = Scalar(x), Scalar(y)
    made = mul(a, b)
    kept = [[s for node, s in made.edges if node is of] for of in (a, b)]
    return made.value, *(float(sum(s)) if s else float("nan") for s in kept)


product = function(
    "product",
    like=lambda a, b: a * b,
    given=lambda rng: tuple(float(v) for v in rng.normal(size=2)),
    observe=remembered,
    stars=1,
    mistakes=[
        mistake(
            "The slopes have changed places: nudge a, and the product changes by b times that.",
            lambda a, b: Scalar(a.value * b.value, [(a, a.value), (b, b.value)]),
        ),
        mistake(
            "These are the slopes of a sum. How much does a · b change when a grows by a little?",
            lambda a, b: Scalar(a.value * b.value, [(a, 1.0), (b, 1.0)]),
        ),
        mistake(
            "The product is right, but it remembers nothing: give Scalar its edges.",
            lambda a, b: Scalar(a.value * b.value),
        ),
        mistake(
            "Only a is remembered: a product has two factors, so two edges.",
            lambda a, b: Scalar(a.value * b.value, [(a, b.value)]),
        ),
    ],
    learned="Values are multiplied now; the slopes wait for the way back.",
)

# --- an order -----------------------------------------------------------------------------------

TWICE = "a node is listed twice: one that is used twice must still speak once. What is seen for?"
EARLY = (
    "a node stands before one that it was computed from. Visit all that a node rests on, and list "
    "the node itself after that."
)
BACK = "the list is turned round: the result has to come last."
LOST = "a node is missing: everything that the result rests on belongs into the list."


def tangle() -> Scalar:
    """x is used at once and, by way of others, late; a and b are used twice."""
    x = Scalar(1.5)
    a = x + x
    b = a * x
    return x + b * (b + a)


def order_problem(order: Any) -> str | None:
    root = tangle()
    return misplaced(order(root), scalar.order(root))


def misplaced(nodes: Any, needed: list[Scalar]) -> str | None:
    if not isinstance(nodes, list):
        return "a list of nodes is needed."
    if len(set(nodes)) < len(nodes):
        return TWICE
    if set(nodes) != set(needed):
        return LOST
    place = {node: at for at, node in enumerate(nodes)}
    wrong = [place[p] > place[node] for node in nodes for p, _ in node.edges]
    if wrong and all(wrong):
        return BACK
    return EARLY if any(wrong) else None


def without_seen(root: Scalar) -> list[Scalar]:
    return [n for p, _ in root.edges for n in without_seen(p)] + [root]


def itself_first(root: Scalar) -> list[Scalar]:
    nodes: list[Scalar] = []

    def visit(node: Scalar) -> None:
        if node not in nodes:
            nodes.append(node)
            for parent, _ in node.edges:
                visit(parent)

    visit(root)
    return nodes


ordering = puzzle(
    "order",
    right=scalar.order,
    problem=order_problem,
    stars=2,
    mistakes=[
        mistake(TWICE, without_seen),
        mistake(EARLY, itself_first),
        mistake(BACK, lambda root: scalar.order(root)[::-1]),
        mistake(LOST, lambda root: [root]),
    ],
    learned="Read backwards, each node has heard from all its users before it speaks.",
)

# --- the walk back ------------------------------------------------------------------------------


def filled(accumulate: Callable, x: float, y: float) -> list[float]:
    """The gradients that are in a small graph afterwards, node by node."""
    a, b = Scalar(x), Scalar(y)
    c = a * b + a
    nodes = scalar.order(c * c + b)
    accumulate(nodes)
    return [float(node.grad) for node in nodes]


def walk(start: float = 1.0, plus: bool = True, backwards: bool = True, slopes: bool = True) -> Any:
    """accumulate() with one habit changed."""

    def accumulate(nodes: list[Scalar]) -> None:
        nodes[-1].grad = start
        for node in reversed(nodes) if backwards else nodes:
            for parent, slope in node.edges:
                sent = node.grad * (slope if slopes else 1.0)
                parent.grad = sent + (parent.grad if plus else 0.0)

    return accumulate


backwards = function(
    "backward",
    like=scalar.accumulate,
    given=lambda rng: tuple(float(v) for v in rng.uniform(0.5, 2.0, 2)),
    observe=filled,
    stars=2,
    mistakes=[
        mistake(
            "You overwrote a gradient: a is used twice, and what comes along its two edges adds up "
            "(+=).",
            walk(plus=False),
        ),
        mistake(
            "Nothing arrives: the gradient of the result with respect to itself is 1, and the walk "
            "begins with it.",
            walk(start=0.0),
        ),
        mistake(
            "You walk from the inputs to the result; go through the nodes from the back.",
            walk(backwards=False),
        ),
        mistake(
            "Each node passes its own gradient on as it is: multiply by the slope of the edge.",
            walk(slopes=False),
        ),
    ],
    learned="That is reverse mode: one multiplication and one addition for each edge.",
)

# --- the engine ---------------------------------------------------------------------------------


def leaf(value: float) -> Any:
    return nnlib.tensor(value, dtype=nnlib.float64, requires_grad=True)


class ExpSlip(Scalar):
    def exp(self) -> Scalar:
        return type(self)(math.exp(self.value), [(self, self.value)])


class ExpFlat(Scalar):
    def exp(self) -> Scalar:
        return type(self)(math.exp(self.value), [(self, 1.0)])


class LogSlip(Scalar):
    def log(self) -> Scalar:
        return type(self)(math.log(self.value), [(self, math.log(self.value))])


class LogOf(Scalar):
    def log(self) -> Scalar:
        return type(self)(math.log(self.value), [(self, self.value)])


class PowerFlat(Scalar):
    def __pow__(self, n: float) -> Scalar:
        return type(self)(self.value**n, [(self, n * self.value)])


class PowerSame(Scalar):
    def __pow__(self, n: float) -> Scalar:
        return type(self)(self.value**n, [(self, n * self.value**n)])


def result_and_slopes(engine: Callable, program: scalar.Program, values: Any) -> list[float]:
    return scalar.run(program, values, engine)


def with_all_operations(rng: np.random.Generator) -> tuple[scalar.Program, tuple[float, ...]]:
    """A drawn program behind three lines that use exp, log and powers."""
    program, values = scalar.draw(rng, 4)
    first = ("r = (x * y).exp()", "s = (r + z) ** 3", "x = (s * r).log() / s")
    return (*first, *program), values


engine = function(
    "engine",
    like=leaf,
    given=with_all_operations,
    observe=result_and_slopes,
    stars=3,
    mistakes=[
        mistake(
            "exp is its own derivative: its slope at a is the exponential of a, not a.", ExpSlip
        ),
        mistake("exp has got the slope 1 everywhere; its slope is its value.", ExpFlat),
        mistake("The slope of log is not log itself: it is one over its argument.", LogSlip),
        mistake("The slope of log is 1/a; yours is a.", LogOf),
        mistake("In a power's slope the exponent goes down by one: n · a to the n − 1.", PowerFlat),
        mistake("The exponent is in front, but it did not go down by one in the power.", PowerSame),
    ],
    learned="Forty lines, and any program made of these operations has its gradient.",
)

# --- the pullback of broadcasting ---------------------------------------------------------------


def fitted(g: Any, shape: tuple[int, ...]) -> Any:
    while g.ndim > len(shape):
        g = g.sum(0)
    for axis, size in enumerate(shape):
        if size == 1:
            g = g.sum(axis, keepdim=True)
    return g


def averaged(g: Any, shape: tuple[int, ...]) -> Any:
    while g.ndim > len(shape):
        g = g.mean(0)
    for axis, size in enumerate(shape):
        if size == 1:
            g = g.mean(axis, keepdim=True)
    return g


def picked(g: Any, shape: tuple[int, ...]) -> Any:
    while g.ndim > len(shape):
        g = g[0]
    for axis, size in enumerate(shape):
        if size == 1:
            g = g.narrow(axis, 0, 1)
    return g


def only_leading(g: Any, shape: tuple[int, ...]) -> Any:
    while g.ndim > len(shape):
        g = g.sum(0)
    return g


def collapsed(g: Any, shape: tuple[int, ...]) -> Any:
    while g.ndim > len(shape):
        g = g.sum(0)
    for axis, size in reversed(list(enumerate(shape))):
        if size == 1:
            g = g.sum(axis)
    return g


broadcast = function(
    "broadcast",
    like=fitted,
    given=lambda rng: (rng.normal(size=(2, 4, 3)), (4, 1)),
    stars=2,
    mistakes=[
        mistake(
            "You take the mean. Each copy acts on the result by itself, so their gradients add up.",
            averaged,
        ),
        mistake("You keep the gradient of one copy and drop the others.", picked),
        mistake("An axis of size 1 was stretched as well: sum over it, too.", only_leading),
        mistake("The axis of size 1 has to stay: keepdim=True.", collapsed),
    ],
    learned="Copying forwards is summing backwards.",
)

# --- the pullback of a matrix product -----------------------------------------------------------

matmul = function(
    "matmul",
    like=lambda g, A, B: (g @ B.T, A.T @ g),
    given=lambda rng: tuple(rng.normal(size=(3, 3)) for _ in range(3)),
    stars=2,
    mistakes=[
        mistake(
            "A transpose is missing in the first: g_ij meets B_kj, so B's second index is summed.",
            lambda g, A, B: (g @ B, A.T @ g),
        ),
        mistake(
            "A transpose is missing in the second: g_ij meets A_ik, so A's first index is summed.",
            lambda g, A, B: (g @ B.T, A @ g),
        ),
        mistake("Both transposes are missing.", lambda g, A, B: (g @ B, A @ g)),
        mistake(
            "The factors stand in the wrong order: try shapes that are not square.",
            lambda g, A, B: (B.T @ g, g @ A.T),
        ),
        mistake(
            "The two have changed places: the gradient for A comes first.",
            lambda g, A, B: (A.T @ g, g @ B.T),
        ),
    ],
    learned="A product forwards, two products backwards: hence the factor in the cost.",
)

EXERCISES = [product, ordering, backwards, engine, broadcast, matmul]

"""Exercises of the chapter on autodiff: an engine in four steps, paper, a bug, a measurement."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import nnlib
from course.autodiff import engine as scalar
from course.autodiff.engine import Scalar
from course.kit.exercises import function, mistake, puzzle, value

# --- the edges of a product ---------------------------------------------------------------------


def product_and_derivatives(mul: Callable, x: float, y: float) -> tuple[float, float, float]:
    """The product, and the derivative on the edge to each factor (nan: there is no such edge)."""
    a, b = Scalar(x), Scalar(y)
    product = mul(a, b)
    derivatives = [[s for node, s in product.edges if node is factor] for factor in (a, b)]
    return product.value, *(float(sum(s)) if s else float("nan") for s in derivatives)


product = function(
    "product",
    solution=lambda a, b: a * b,
    given=lambda rng: tuple(float(v) for v in rng.normal(size=2)),
    observe=product_and_derivatives,
    stars=1,
    mistakes=[
        mistake(
            "The derivatives are swapped: if a changes by h, the product changes by b · h.",
            lambda a, b: Scalar(a.value * b.value, [(a, a.value), (b, b.value)]),
        ),
        mistake(
            "These are the derivatives of a sum. How much does a · b change when a grows a bit?",
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
    learned="The values are multiplied now; the derivatives are used on the way back.",
)

# --- an order -----------------------------------------------------------------------------------

TWICE = (
    "a node is listed twice: one that is used twice must still be listed once. Use the set "
    "`visited`."
)
EARLY = (
    "a node comes before one that it was computed from. Visit all of a node's operands, and list "
    "the node itself after that."
)
BACK = "the list is reversed: the result has to come last."
LOST = "a node is missing: everything that the result depends on belongs in the list."


def tangle() -> Scalar:
    """The result uses x directly and through other nodes; a and b are used twice."""
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
    position = {node: index for index, node in enumerate(nodes)}
    wrong = [position[p] > position[node] for node in nodes for p, _ in node.edges]
    if wrong and all(wrong):
        return BACK
    return EARLY if any(wrong) else None


def without_visited(root: Scalar) -> list[Scalar]:
    return [n for p, _ in root.edges for n in without_visited(p)] + [root]


def itself_first(root: Scalar) -> list[Scalar]:
    nodes: list[Scalar] = []

    def visit(node: Scalar) -> None:
        if node not in nodes:
            nodes.append(node)
            for operand, _ in node.edges:
                visit(operand)

    visit(root)
    return nodes


ordering = puzzle(
    "order",
    solution=scalar.order,
    problem=order_problem,
    stars=2,
    mistakes=[
        mistake(TWICE, without_visited),
        mistake(EARLY, itself_first),
        mistake(BACK, lambda root: scalar.order(root)[::-1]),
        mistake(LOST, lambda root: [root]),
    ],
    learned="Read backwards, each node has received from all its users before it sends.",
)

# --- the backward pass --------------------------------------------------------------------------


def grads_after_passes(backward_pass: Callable, x: float, y: float) -> list[float]:
    """The `grad` of each node of a small graph after a first pass, then after a second one."""
    a, b = Scalar(x), Scalar(y)
    c = a * b + a
    nodes = scalar.order(c * c + b)
    backward_pass(nodes)
    once = [float(node.grad) for node in nodes]
    backward_pass(nodes)
    return once + [float(node.grad) for node in nodes]


def wrong_pass(
    start: float = 1.0, plus: bool = True, derivatives: bool = True,
    adds: bool = True, everywhere: bool = False,
) -> Any:  # fmt: skip
    """A function like backward_pass(), with one mistake.

    Args:
        start: the gradient with which the pass begins.
        plus: a node's gradients from several edges add up.
        derivatives: the gradient is multiplied by the derivative of each edge.
        adds: a leaf's gradient is added to its old `grad`.
        everywhere: nodes between result and leaves get a `grad`, too.
    """

    def backward_pass(nodes: list[Scalar]) -> None:
        grads = dict.fromkeys(nodes, 0.0)
        grads[nodes[-1]] = start
        for node in reversed(nodes):
            for operand, derivative in node.edges:
                sent = grads[node] * (derivative if derivatives else 1.0)
                grads[operand] = sent + (grads[operand] if plus else 0.0)
            if everywhere or not node.edges:
                node.grad = grads[node] + (node.grad if adds else 0.0)

    return backward_pass


def careless(nodes: list[Scalar]) -> None:
    """A pass that adds up in the nodes' own `grad`, so a second pass is wrong."""
    nodes[-1].grad = 1.0
    for node in reversed(nodes):
        for operand, derivative in node.edges:
            operand.grad += derivative * node.grad


backwards = function(
    "backward",
    solution=scalar.backward_pass,
    given=lambda rng: tuple(float(v) for v in rng.uniform(0.5, 2.0, 2)),
    observe=grads_after_passes,
    stars=2,
    mistakes=[
        mistake(
            "In the pass you overwrite: a is used twice, and what comes along its edges adds up "
            "(+=).",
            wrong_pass(plus=False),
        ),
        mistake(
            "Nothing reaches the leaves: the pass begins with 1 for the result, the last node, and "
            "goes through the nodes from the back.",
            wrong_pass(start=0.0),
        ),
        mistake(
            "Each node sends its own gradient as it is: multiply by the derivative of the edge.",
            wrong_pass(derivatives=False),
        ),
        mistake(
            "The first pass is right. The second overwrites the leaves' grad, where PyTorch adds.",
            wrong_pass(adds=False),
        ),
        mistake(
            "The leaves are right. The nodes in between also keep a grad: only a node without "
            "edges should.",
            wrong_pass(everywhere=True),
        ),
        mistake(
            "The first pass is right, the second is not: it adds to what the first has left in the "
            "nodes in between. Add up in grads, and give only the leaves a grad.",
            careless,
        ),
    ],
    learned="That is reverse mode: one multiplication and one addition for each edge.",
)

# --- the engine ---------------------------------------------------------------------------------


def leaf(value: float) -> Any:
    return nnlib.tensor(value, dtype=nnlib.float64, requires_grad=True)


class SwappedMinus(Scalar):
    def __rsub__(self, other: Any) -> Scalar:
        return self + other * -1


class SwappedDivision(Scalar):
    def __rtruediv__(self, other: Any) -> Scalar:
        return self * other**-1


class ExpByArgument(Scalar):
    def exp(self) -> Scalar:
        return type(self)(math.exp(self.value), [(self, self.value)])


class ExpByOne(Scalar):
    def exp(self) -> Scalar:
        return type(self)(math.exp(self.value), [(self, 1.0)])


class LogByItself(Scalar):
    def log(self) -> Scalar:
        return type(self)(math.log(self.value), [(self, math.log(self.value))])


class LogByArgument(Scalar):
    def log(self) -> Scalar:
        return type(self)(math.log(self.value), [(self, self.value)])


class PowerByValue(Scalar):
    def __pow__(self, n: float) -> Scalar:
        return type(self)(self.value**n, [(self, n * self.value)])


class PowerByPower(Scalar):
    def __pow__(self, n: float) -> Scalar:
        return type(self)(self.value**n, [(self, n * self.value**n)])


def result_and_gradients(engine: Callable, program: scalar.Program, values: Any) -> list[float]:
    return scalar.run(program, values, engine)


def with_all_operations(rng: np.random.Generator) -> tuple[scalar.Program, tuple[float, ...]]:
    """Five lines that use exp, log and powers, then a random program of four lines; its inputs."""
    program, values = scalar.random_program(rng, 4)
    first = (
        "r = (x * y).exp()", "s = (r + z) ** 3", "x = (s * r).log() / s", "t = 1 - x * z",
        "y = 2 / (t * t + 1) - y",
    )  # fmt: skip
    return (*first, *program), values


engine = function(
    "engine",
    solution=leaf,
    given=with_all_operations,
    observe=result_and_gradients,
    stars=3,
    mistakes=[
        mistake(
            "exp is its own derivative: at a it is the exponential of a, not a.",
            ExpByArgument,
        ),
        mistake("Your exp has the derivative 1 everywhere; its derivative is its value.", ExpByOne),
        mistake(
            "The derivative of log is not log itself: it is one over its argument.", LogByItself
        ),
        mistake("The derivative of log is 1/a; yours is a.", LogByArgument),
        mistake(
            "In a power's derivative the exponent goes down by one: n · a to the n − 1.",
            PowerByValue,
        ),
        mistake(
            "The exponent is in front, but it did not go down by one in the power.", PowerByPower
        ),
        mistake("1 − a has the wrong sign: yours is a − 1.", SwappedMinus),
        mistake("2 / a is upside down: yours is a / 2.", SwappedDivision),
    ],
    learned="Under fifty lines, and any program made of these operations has its gradient.",
)

# --- the pullback of broadcasting ---------------------------------------------------------------


class Shape(tuple):
    """A shape that messages show as a shape, not as a list of numbers."""

    def __repr__(self) -> str:
        return f"shape={tuple(self)}"


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
    solution=fitted,
    given=lambda rng: (rng.normal(size=(2, 4, 3)), Shape((4, 1))),
    stars=2,
    mistakes=[
        mistake(
            "You take the mean. Each copy acts on the result by itself, so their gradients add up.",
            averaged,
        ),
        mistake("You keep the gradient of one copy and drop the others.", picked),
        mistake(
            "This is the program as printed: an axis of size 1 was stretched as well. Sum over it, "
            "too.",
            only_leading,
        ),
        mistake("The axis of size 1 has to stay: keepdim=True.", collapsed),
    ],
    learned="Copying forwards is summing backwards, over every axis that was copied along.",
)

# --- on paper: a row that is picked twice ---------------------------------------------------------

lookup = value(
    "lookup",
    solution=(10.0, 0.0, 101.0, 0.0),
    stars=1,
    mistakes=[
        mistake(
            "The number that was picked twice has only the gradient of its last copy. It acts on "
            "the result through both copies.",
            (10.0, 0.0, 100.0, 0.0),
        ),
        mistake(
            "The number that was picked twice has only the gradient of its first copy.",
            (10.0, 0.0, 1.0, 0.0),
        ),
        mistake(
            "You take the mean of the two copies' gradients. Each copy acts by itself, so they "
            "add up.",
            (10.0, 0.0, 50.5, 0.0),
        ),
        mistake(
            "These are the gradients in the order of y. Put each at its number's position in x.",
            (1.0, 10.0, 100.0, 0.0),
        ),
    ],
    learned="Picking forwards means adding up at the picked positions backwards.",
)

# --- a rule for duals ---------------------------------------------------------------------------


class Pair:
    """A value and its derivative with respect to one chosen input, as the chapter's Dual."""

    def __init__(self, value: float, derivative: float = 0.0) -> None:
        self.value, self.derivative = value, derivative


def divided(quotient: Callable, *numbers: float) -> tuple[float, float]:
    a, da, b, db = numbers
    result = quotient(Pair(a, da), Pair(b, db))
    return result.value, result.derivative


def a_pair_and_a_divisor(rng: np.random.Generator) -> tuple[float, ...]:
    return (*rng.normal(size=2).tolist(), float(rng.uniform(0.5, 2.0)), float(rng.normal()))


quotient = function(
    "quotient",
    solution=lambda a, b: Pair(
        a.value / b.value, (a.derivative - a.value / b.value * b.derivative) / b.value
    ),
    given=a_pair_and_a_divisor,
    observe=divided,
    stars=2,
    mistakes=[
        mistake(
            "The derivative of a quotient is not the quotient of the derivatives.",
            lambda a, b: Pair(a.value / b.value, a.derivative / b.derivative),
        ),
        mistake(
            "You treat b as a constant. When b grows, the quotient changes as well.",
            lambda a, b: Pair(a.value / b.value, a.derivative / b.value),
        ),
        mistake(
            "The sign of the second term is wrong: a larger divisor makes the quotient smaller.",
            lambda a, b: Pair(a.value / b.value,
                              (a.derivative + a.value / b.value * b.derivative) / b.value),
        ),
        mistake(
            "The numerator a′b − ab′ is right, but it has to be divided by b².",
            lambda a, b: Pair(a.value / b.value,
                              (a.derivative * b.value - a.value * b.derivative) / b.value),
        ),
        mistake(
            "The numerator is reversed: a′b comes first, and ab′ is subtracted.",
            lambda a, b: Pair(a.value / b.value,
                              (a.value * b.derivative - a.derivative * b.value) / b.value**2),
        ),
    ],
    learned="One rule for each operation, forwards too; a pair carries value and derivative.",
)  # fmt: skip

# --- what the way back costs --------------------------------------------------------------------

cost = value(
    "cost",
    solution=(750_000, 900_000),
    stars=2,
    mistakes=[
        mistake(
            "You count the gradient of the data as well, which nobody needs.",
            (750_000, 1_500_000),
        ),
        mistake(
            "The gradient of H is missing. Nobody asked for it, but the gradient of W is computed "
            "from it.",
            (750_000, 750_000),
        ),
        mistake("Forwards is right. Backwards, W needs a product of its own.", (750_000, 300_000)),
        mistake(
            "The two are in the wrong order: forwards comes first.",
            (900_000, 750_000),
        ),
    ],
    learned="Without requires_grad the engine leaves out the products that nobody needs.",
)

# --- on paper: log(eᵃ + eᵇ) ---------------------------------------------------------------------

paper = value(
    "paper",
    solution=(0.25, 0.75),
    stars=1,
    mistakes=[
        mistake(
            "You stop at the exponentials: the logarithm's derivative 1/s = 1/4 is missing.",
            (1.0, 3.0),
        ),
        mistake(
            "That is what reaches the two exponentials. One more edge: exp's derivative is its "
            "value.",
            (0.25, 0.25),
        ),
        mistake("The two are swapped: a comes first.", (0.75, 0.25)),
        mistake(
            "The derivative of the logarithm is 1 over its argument s = 4, not over its result.",
            (1 / math.log(4), 3 / math.log(4)),
        ),
    ],
    learned="1/4 and 3/4: each gets its share of the sum. This is the softmax of a later chapter.",
)

# --- the best h in single precision -------------------------------------------------------------

single = value(
    "single",
    solution=-3,
    stars=2,
    mistakes=[
        mistake(
            "That is the best h of float64. In float32 ε is 1.2e-7, and at this h rounding is "
            "most of the quotient.",
            -6,
        ),
        mistake("This h² is as small as ε: here rounding has long dominated.", -4),
        mistake(
            "At this h the parabola's error h²/6 · |f‴| is still larger than the rounding error.",
            -1,
        ),
        mistake("In float32, 0.5 + h hardly differs from 0.5 here: all digits are lost.", -7),
        mistake("The exponent is needed, not h itself: −3 means 0.001.", 1e-3),
        mistake("That is what the formula predicts, by a narrow margin. Now measure both.", -2),
    ],
    learned="The formula gives 0.004, the size of the best h in this precision, too.",
)

EXERCISES = [
    paper, product, ordering, backwards, engine, lookup, broadcast, single, quotient, cost,
]  # fmt: skip

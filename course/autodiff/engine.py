"""The scalar engine of the chapter on autodiff, whole, and programs drawn to try engines on.

>>> x = Scalar(3.0)
>>> y = x * x + x
>>> y.backward()
>>> y.value, x.grad
(12.0, 7.0)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


class Scalar:
    """A number that remembers from which numbers it came, and the slope along each edge."""

    def __init__(self, value: float, edges: Sequence[tuple[Scalar, float]] = ()) -> None:
        self.value, self.edges, self.grad = value, edges, 0.0

    def __add__(self, other: Any) -> Scalar:
        other = lift(other)
        return type(self)(self.value + other.value, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other: Any) -> Scalar:
        other = lift(other)
        return type(self)(self.value * other.value, [(self, other.value), (other, self.value)])

    __radd__, __rmul__ = __add__, __mul__

    def __pow__(self, n: float) -> Scalar:
        return type(self)(self.value**n, [(self, n * self.value ** (n - 1))])

    def exp(self) -> Scalar:
        e = math.exp(self.value)
        return type(self)(e, [(self, e)])

    def log(self) -> Scalar:
        return type(self)(math.log(self.value), [(self, 1 / self.value)])

    def __sub__(self, other: Any) -> Scalar:
        return self + other * -1

    def __truediv__(self, other: Any) -> Scalar:
        return self * other**-1

    def backward(self) -> None:
        accumulate(order(self))


def lift(x: Any) -> Scalar:
    """A plain number as a Scalar without edges."""
    return x if isinstance(x, Scalar) else Scalar(x)


def order(root: Scalar) -> list[Scalar]:
    """`root` and all that it rests on, each once, behind everything that it was computed from."""
    nodes: list[Scalar] = []
    seen: set[Scalar] = set()

    def visit(node: Scalar) -> None:
        if node in seen:
            return
        seen.add(node)
        for parent, _ in node.edges:
            visit(parent)
        nodes.append(node)

    visit(root)
    return nodes


def accumulate(nodes: Sequence[Scalar]) -> None:
    """The gradients of the last node, added up from the back."""
    nodes[-1].grad = 1.0
    for node in reversed(nodes):
        for parent, slope in node.edges:
            parent.grad += slope * node.grad


# --- drawn programs -----------------------------------------------------------------------------

Program = tuple[str, ...]
INPUTS = "xyz"
LINES = (
    "{} + {}", "{} * {}", "{} - {}", "{} / ({} ** 2 + 1)", "2 * {} + {}",
    "({} ** 2 * -1).exp() + {}", "({} ** 2 + 1).log() * {}",
)  # fmt: skip


def draw(rng: np.random.Generator, length: int = 6) -> tuple[Program, tuple[float, ...]]:
    """A program of `length` lines in x, y, z whose results are used again, and three inputs."""
    names, program = list(INPUTS), []
    for name in "abcdefghijklmnop"[:length]:
        first, second = names[-1], names[int(rng.integers(len(names)))]
        line = LINES[int(rng.integers(len(LINES)))].format(first, second)
        program.append(f"{name} = {line}")
        names.append(name)
    return tuple(program), tuple(float(v) for v in rng.uniform(0.5, 1.5, len(INPUTS)))


def run(program: Program, values: Sequence[float], number: Callable[[float], Any]) -> list[float]:
    """The program's result and its slopes by x, y and z; `number` makes the engine's numbers.

    >>> run(("a = x * y", "b = a + a"), (3.0, 2.0, 1.0), Scalar)
    [12.0, 4.0, 6.0, 0.0]
    """
    inputs = dict(zip(INPUTS, map(number, values), strict=True))
    names: dict[str, Any] = {"__builtins__": {}, **inputs}
    for line in program:
        exec(line, names)
    result = names[program[-1].split(" = ")[0]]
    result.backward()
    value = result.value if hasattr(result, "value") else result.item()
    return [float(value), *(float(x.grad) if x.grad is not None else 0.0 for x in inputs.values())]


def apart(one: Callable, other: Callable, times: int = 200, seed: int = 0) -> float:
    """The largest gap between two engines over `times` drawn programs, relative to the result."""
    rng, gap = np.random.default_rng(seed), 0.0
    for _ in range(times):
        program, values = draw(rng)
        a, b = run(program, values, one), run(program, values, other)
        size = max(1.0, *map(abs, b))
        gap = max(gap, *(abs(p - q) / size for p, q in zip(a, b, strict=True)))
    return gap

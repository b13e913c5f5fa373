"""Random pure programs on matrices whose products BLAS computes, for `fuzz_compile.py`.

The programs of `fuzz.py` have few numbers, so a compiled function never merges their products,
works in blocks or reuses memory.  Here it does.  The results are slices, permutations, reshapes and
joins of products, and the arguments are stored in several ways: by columns, with gaps, expanded,
reversed, read-only.  Besides the values, the memory is checked: a result must not share memory with
another one or with an argument, and must not change when the function is called again.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np

import nnlib
from nnlib.graph import GraphError

Shape = tuple[int, ...]
CALLS = 3
TOLERANCE = 3e-3  # relative to the largest number; products of float32 are added in other orders
UNARY = ("{x}.tanh()", "{x} * 0.5", "{x}.sigmoid()", "{x} + 1.0", "-{x}", "T.relu({x})", "{x} * s")
BINARY = ("{x} * {y}", "{x} + {y}", "{x} - {y}", "T.where({x} > 0.5, {x}, {y})")
CHANGES = ("{x}[2:5] = {x}[3:6] * 2", "{x}.mul_(0.5)", "{x}[:, 1] += 1.0", "{x}[i] = 0.25",
           "{x}.T[1:4] -= 2.0")  # fmt: skip


class LargeProgram:
    """A random program of about a dozen lines, as text and as a function."""

    def __init__(self, seed: int) -> None:
        self.seed, self.random = seed, random.Random(seed)
        n = self.random.choice([40, 48, 64])
        m = self.random.choice([33, 40, 64, n])
        self.inputs: dict[str, Shape] = {
            "a": (n, m), "b": (m, n), "c": (4, n, m), "w": (m, m), "v": (m,), "r": (1, m), "s": (),
        }  # fmt: skip
        self.shapes = dict(self.inputs)
        self.lines: list[str] = []
        kinds: list[Callable[[], None]] = [
            self.product, self.product, self.product_with_transpose, self.merged_products,
            self.sliced, self.sliced, self.permuted, self.reshaped, self.joined, self.indexed,
            self.reduced, self.elementwise, self.elementwise, self.changed, self.expanded,
        ]  # fmt: skip
        for _ in range(self.random.randint(6, 16)):
            self.random.choice(kinds)()
        self.text = self._text()
        scope: dict[str, Any] = {"T": nnlib}
        exec(self.text, scope)
        self.function: Callable[..., Any] = scope["program"]

    # ------------------------------------------------------------ lines
    def add(self, expression: str, shape: Shape) -> None:
        name = f"x{len(self.shapes)}"
        self.lines.append(f"{name} = {expression}")
        self.shapes[name] = shape

    def some(self, condition: Callable[[Shape], bool]) -> str | None:
        """A tensor whose shape fulfils the condition, preferably a recent one."""
        names = [name for name, shape in self.shapes.items() if condition(shape)]
        if not names:
            return None
        return self.random.choice(names[-6:] if self.random.random() < 0.6 else names)

    def product(self) -> None:
        x = self.some(lambda shape: len(shape) in (2, 3) and shape[-1] > 16)
        y = self.some(lambda shape: x is not None and len(shape) == 2
                      and shape[0] == self.shapes[x][-1])  # fmt: skip
        if x is not None and y is not None:
            self.add(f"({x} @ {y}).mul(0.2)", (*self.shapes[x][:-1], self.shapes[y][1]))

    def product_with_transpose(self) -> None:
        x = self.some(lambda shape: len(shape) == 2 and shape[1] > 16)
        y = self.some(lambda shape: x is not None and len(shape) == 2
                      and shape[1] == self.shapes[x][1])  # fmt: skip
        if x is not None and y is not None:
            self.add(f"{x} @ {y}.T * 0.2", (self.shapes[x][0], self.shapes[y][0]))

    def merged_products(self) -> None:
        """Products that are merged."""
        n, m = self.inputs["a"]
        form = self.random.randrange(4)
        if form == 0:
            self.add("T.cat([c[k] @ w for k in range(4)])", (4 * n, m))
        elif form == 1:
            for k in range(4):
                self.add(f"c[{k}] @ w", (n, m))
        elif form == 2:
            self.add("c[0].T @ a + c[1].T @ a + c[2].T @ c[0] + c[3].T @ a", (m, m))
        else:
            self.add("T.stack([x @ w for x in (a, c[1], c[0] * 2, a + 1)])", (4, n, m))

    def sliced(self) -> None:
        """A slice, perhaps with a step."""
        x = self.some(lambda shape: len(shape) > 0)
        assert x is not None
        entries, shape = [], []
        for n in self.shapes[x]:
            choice = self.random.random()
            if choice < 0.45 or n < 4:
                entries.append(":")
                shape.append(n)
            elif choice < 0.6:
                entries.append(str(self.random.randint(-n, n - 1)))
            else:
                start = self.random.randint(0, n // 2)
                stop, step = self.random.randint(start + 1, n), self.random.choice([1, 1, 2, 3])
                entries.append(f"{start}:{stop}:{step}")
                shape.append(len(range(start, stop, step)))
        self.add(f"{x}[{', '.join(entries)}]", tuple(shape))

    def permuted(self) -> None:
        x = self.some(lambda shape: len(shape) > 1)
        assert x is not None
        dims = list(range(len(self.shapes[x])))
        self.random.shuffle(dims)
        self.add(f"{x}.permute({', '.join(map(str, dims))})",
                 tuple(self.shapes[x][d] for d in dims))  # fmt: skip

    def reshaped(self) -> None:
        x = self.some(lambda shape: len(shape) > 0)
        assert x is not None
        size = math.prod(self.shapes[x])
        rows = [k for k in range(1, 65) if size % k == 0]
        k = self.random.choice(rows)
        shape = self.random.choice([(size,), (k, size // k), (size // k, k)])
        self.add(f"{x}.reshape({', '.join(map(str, shape))})", shape)

    def joined(self) -> None:
        x = self.some(lambda shape: len(shape) == 2)
        assert x is not None
        names = [name for name, shape in self.shapes.items() if shape == self.shapes[x]]
        chosen = [self.random.choice(names) for _ in range(self.random.randint(1, 4))]
        rows, columns = self.shapes[x]
        if self.random.random() < 0.5:
            self.add(f"T.stack([{', '.join(chosen)}])", (len(chosen), rows, columns))
        elif self.random.random() < 0.5:
            self.add(f"T.cat([{', '.join(chosen)}], 0)", (len(chosen) * rows, columns))
        else:
            self.add(f"T.cat([{', '.join(chosen)}], 1)", (rows, len(chosen) * columns))

    def indexed(self) -> None:
        x = self.some(lambda shape: len(shape) == 2 and min(shape) > 6)
        if x is not None:
            rows, columns = self.shapes[x]
            expression, shape = self.random.choice([
                (f"{x}[i]", (5, columns)), (f"{x}[:, i]", (rows, 5)), (f"{x}[i[0]]", (columns,)),
                (f"T.flip({x}, (0,))", (rows, columns)),
                (f"T.einsum('ij->ij', {x})", (rows, columns)),
            ])  # fmt: skip
            self.add(expression, shape)

    def reduced(self) -> None:
        x = self.some(lambda shape: len(shape) > 0)
        assert x is not None
        shape, dim = self.shapes[x], self.random.randrange(len(self.shapes[x]))
        name = self.random.choice(["sum", "mean", "amax", "cumsum", "softmax"])
        if name in ("cumsum", "softmax"):
            self.add(f"{x}.{name}({dim})", shape)
        else:
            self.add(f"{x}.{name}({dim})", (*shape[:dim], *shape[dim + 1 :]))

    def elementwise(self) -> None:
        x = self.some(lambda shape: True)
        y = self.some(lambda shape: x is not None and shape == self.shapes[x])
        assert x is not None and y is not None
        self.add(self.random.choice(UNARY + BINARY).format(x=x, y=y), self.shapes[x])

    def changed(self) -> None:
        """A copy that is changed in place."""
        x = self.some(lambda shape: len(shape) == 2 and min(shape) > 6)
        if x is not None:
            self.add(f"{x} * 1.5", self.shapes[x])
            self.lines.append(self.random.choice(CHANGES).format(x=list(self.shapes)[-1]))

    def expanded(self) -> None:
        x = self.some(lambda shape: len(shape) == 1)
        if x is not None:
            n = self.random.choice([3, 40])
            self.add(f"{x}.expand({n}, {self.shapes[x][0]})", (n, *self.shapes[x]))

    # ------------------------------------------------------------ the function
    def _text(self) -> str:
        names = list(self.shapes)
        count = self.random.randint(2, 8)
        outputs = ", ".join([
            self.random.choice(names[-10:] if self.random.random() < 0.75 else names)
            for _ in range(count)
        ])  # fmt: skip
        arguments = ", ".join([*self.inputs, "i"])
        lines = [f"def core({arguments}):", *self.lines, f"return ({outputs},)"]
        text = "\n    ".join(lines) + "\n"
        if self.random.random() < 0.7:
            return text + "program = core\n"
        return text + "\n".join([
            f"def loss({arguments}):",
            f"    return sum([x.tanh().sum() for x in core({arguments})])",
            f"def program({arguments}):",
            f"    g, value = T.func.grad_and_value(loss, (0, 3))({arguments})",
            f"    return value, g, core({arguments}), a - 0.1 * g[0], g[1][2]", "",
        ])  # fmt: skip

    def arguments(self, call: int) -> list[Any]:
        rng = np.random.default_rng([self.seed, call])
        tensors = []
        for shape in self.inputs.values():
            array = (rng.standard_normal(shape) * 0.5).astype(np.float32)
            tensors.append(_stored(np.asarray(array), int(rng.integers(6)) if call else 0))
        return [*tensors, nnlib.tensor(rng.integers(0, 6, 5))]


def _stored(array: np.ndarray, way: int) -> Any:
    """A tensor with these elements, stored by rows, by columns, with gaps, expanded, …"""
    tensor = nnlib.tensor(array)
    if array.ndim == 0 or way == 0:
        return tensor
    if way == 1:
        array = np.asfortranarray(array)
    elif way == 2:
        gaps = np.zeros([2 * n for n in array.shape], array.dtype)
        view = gaps[tuple([slice(None, None, 2)] * array.ndim)]
        view[...] = array
        array = view
    elif way == 3:
        array = np.broadcast_to(array[:1], array.shape)
    elif way == 4:
        array = array[::-1]
    else:
        array.flags.writeable = False
    tensor._data = array
    return tensor


def difference(seed: int, backend: str) -> str | None:
    """How compiled results differ, "refused: …", "invalid: …" (eager nnlib fails), or None."""
    program = LargeProgram(seed)
    try:
        program.function(*program.arguments(0))
    except Exception as error:
        return f"invalid: {error}"
    compiled, earlier = nnlib.compile(program.function, backend=backend), []
    for call in range(CALLS):
        arguments = program.arguments(call)
        expected = _arrays(program.function(*arguments))
        try:
            results = _arrays(compiled(*arguments))
        except GraphError as error:
            return f"refused: {error}"
        problem = _values_differ(results, expected) or _shares(results, _arrays(arguments))
        earlier.append((results, [x.copy() for x in results]))
        if not problem and not all(
            np.array_equal(x, copy, equal_nan=True)
            for returned, copies in earlier for x, copy in zip(returned, copies, strict=True)
        ):  # fmt: skip
            problem = "a result of an earlier call has changed"
        if problem:
            return f"seed {seed}, {backend}, call {call}: {problem}\n{program.text}"
    return None


def _arrays(tree: Any) -> list[np.ndarray]:
    return [np.asarray(leaf._data) for leaf in nnlib.trees.flatten(tree)[0]]


def _values_differ(results: list[np.ndarray], expected: list[np.ndarray]) -> str | None:
    for k, (x, y) in enumerate(zip(results, expected, strict=True)):
        if (x.shape, x.dtype) != (y.shape, y.dtype):
            return f"result {k} is {x.shape}, {x.dtype}, and not {y.shape}, {y.dtype}"
        size = max(float(np.abs(y).max(initial=0.0)), 1e-3)
        if not np.allclose(x, y, rtol=TOLERANCE, atol=TOLERANCE * size, equal_nan=True):
            return f"result {k} differs by {np.abs(x - y).max()}"
    return None


def _shares(results: list[np.ndarray], arguments: list[np.ndarray]) -> str | None:
    for k, x in enumerate(results):
        if x.ndim and any(np.shares_memory(x, y) for y in [*arguments, *results[:k]]):
            return f"result {k} shares memory with an argument or another result"
    return None

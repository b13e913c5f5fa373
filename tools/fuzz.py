"""Looks for programs on which nnlib differs from PyTorch: `make fuzz`, or `python tools/fuzz.py`.

A program is made from its seed: a few tensors, then 3 to 12 lines of functions, views, changes in
place, indexing and casts, each of which PyTorch accepts.  Both libraries run it; every variable,
the gradients and the gradients of the gradients are compared.  A program that differs is shortened
and printed as a test to add; differences by design are listed in `EXPLAINED` and only counted.
After that the Hypothesis tests of the package run with fresh seeds and more examples.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import random
import re
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import nnlib  # noqa: E402

LARGEST = 1e3  # lines with larger results are left out: the results would depend on rounding
TOLERANCE = {"float16": 3e-2, "float32": 1e-3, "float64": 1e-7}

# ---------------------------------------------------------------- lines


class ProgramGenerator:
    """Makes the lines of one program; a line that PyTorch does not accept is left out."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.scope: dict[str, Any] = scope_for(torch)
        self.lines: list[str] = []
        self.count = 0

    # ------------------------------------------------------------ choices
    def choice(self, *options: Any) -> Any:
        """One of the options, at random."""
        return self.random.choice(options)

    def tensors(self, fits: Callable[[Any], bool] = lambda x: True) -> list[str]:
        return [n for n, v in self.scope.items() if isinstance(v, torch.Tensor) and fits(v)]

    def tensor(self, fits: Callable[[Any], bool] = lambda x: True) -> str:
        tensors = self.tensors(fits)
        if not tensors:
            raise Impossible
        return self.choice(*tensors[-6:])

    def floating(self) -> str:
        return self.tensor(lambda x: x.is_floating_point())

    def dim(self, x: str) -> int:
        n = self.scope[x].ndim
        if not n:
            raise Impossible
        return self.random.randrange(-n, n)

    def number(self) -> str:
        return self.choice(
            "2", "-1", "0.5", "3", "1.5", "-0.25", "True", "np.float64(0.5)", "np.int64(2)"
        )

    def key(self, x: str) -> str:
        """The text between the brackets of x[…]; PyTorch may refuse it."""
        shape = list(self.scope[x].shape)
        if self.random.random() < 0.12:
            return f"({x} > {self.choice('0', '0.5', '-1')})"
        entries: list[str] = []
        while shape and len(entries) < 5:
            if self.random.random() < 0.12:
                entries.append(self.choice("None", "..."))
                if entries[-1] == "...":
                    if "..." in entries[:-1]:
                        entries.pop()
                    else:
                        del shape[: self.random.randrange(len(shape) + 1)]
                continue
            n = shape.pop(0)
            entries.append(self.entry(n))
            if self.random.random() < 0.3:
                break
        return ", ".join(entries) or "..."

    def entry(self, n: int) -> str:
        """An index, a slice, a mask, or a list of positions.

        The positions differ: if one is assigned twice, PyTorch gives both values the gradient.
        """
        position = self.random.randrange(-n, n) if n else 0
        chance = self.random.random()
        if chance < 0.35 and n:
            return str(position)
        if chance < 0.75:
            return self.choice(
                ":", f"{position}:", f":{position}", f"::{self.choice(1, 2, 3)}", "1:1", "1:"
            )
        if chance < 0.9 and n:
            positions = self.random.sample(range(n), self.random.randrange(min(n, 3) + 1))
            return self.choice(f"T.tensor({positions}, dtype=T.int64)", str(positions))
        mask = [self.choice(True, False) for _ in range(n)]
        return f"T.tensor({mask}, dtype=T.bool)"

    # ------------------------------------------------------------ the program
    def add(self, line: str) -> None:
        """Runs a line in PyTorch and adds it. Raises ValueError if it cannot be compared."""
        saved_scope = dict(self.scope)
        saved_values = {n: self.scope[n].detach().clone() for n in self.tensors()}
        try:
            with quiet():
                exec(line, self.scope)
            if not all(is_comparable(self.scope[n]) for n in self.tensors()):
                raise ValueError("too large or undefined")
        except Exception as error:
            self.scope = saved_scope
            for n, saved_value in saved_values.items():  # the line may have changed them in place
                with contextlib.suppress(RuntimeError), torch.no_grad():
                    self.scope[n].copy_(saved_value)
            raise ValueError(str(error)) from None
        self.lines.append(line)

    def start(self) -> None:
        """Adds the lines that make the first tensors."""
        for _ in range(self.choice(1, 2, 2, 3)):
            shape = [self.choice(1, 2, 3, 3, 4) for _ in range(self.choice(0, 1, 1, 2, 2, 3))]
            if self.random.random() < 0.04:
                shape = [*shape, 0]
            dtype = self.choice(
                *["float64"] * 5, "float32", "float32", "float16", "int64", "uint8", "bool"
            )
            n = math.prod(shape)
            if dtype.startswith("float"):
                values: list[Any] = [round(self.random.uniform(-2, 2), 2) or 0.01 for _ in range(n)]
            elif dtype == "bool":
                values = [self.choice(True, False) for _ in range(n)]
            else:
                values = [self.random.randrange(0 if dtype == "uint8" else -5, 6) for _ in range(n)]
            requires_grad = (
                ", requires_grad=True" if dtype[0] == "f" and self.random.random() < 0.75 else ""
            )
            text = f"T.tensor({nested(values, shape)}, dtype=T.{dtype}{requires_grad})"
            self.add(f"{self.name()} = {text}")

    def name(self) -> str:
        self.count += 1
        return "abcdefghijklmnopqrstuvwxyz"[self.count - 1]

    def program(self) -> list[str]:
        """Makes all lines of the program; returns them."""
        self.start()
        length = len(self.lines) + self.random.randint(3, 12)
        for _ in range(60):
            if len(self.lines) >= length or self.count > 24:
                break
            functions, weights = zip(*KINDS, strict=True)
            (kind,) = self.random.choices(functions, weights)
            count = self.count
            try:
                self.add(kind(self))
            except (Impossible, ValueError):
                self.count = count
        return self.lines


class Impossible(Exception):
    """There is no tensor that the line could use."""


def nested(values: list, shape: list[int]) -> str:
    """The values as text of nested lists with this shape."""
    return (
        repr(np.array(values, dtype=object).reshape(shape).tolist()) if shape else repr(values[0])
    )


def is_comparable(x: torch.Tensor) -> bool:
    """Whether a tensor is small enough, and its elements finite and not too large."""
    if x.numel() > 400:
        return False
    if not x.is_floating_point() or not x.numel():
        return True
    return bool(torch.isfinite(x).all()) and float(x.detach().abs().max()) < LARGEST


def scope_for(library: Any) -> dict[str, Any]:
    return {"T": library, "F": library.nn.functional, "np": np, "math": math}


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


# ---------------------------------------------------------------- kinds of lines
# Adding or removing a name or a kind changes the programs of all seeds.  tests/tools/test_fuzz.py and
# tests/graph/test_compile.py contain seeds; CONTRIBUTING.md states the result of 20,000 seeds, which
# must then be searched again.

UNARY = """exp log sqrt sin cos tan tanh sigmoid relu abs neg square reciprocal rsqrt exp2 expm1 log1p log2
    log10 asin acos atan sinh cosh asinh acosh atanh erf floor ceil round trunc sign clone logical_not isnan
    isfinite softplus elu selu gelu silu leaky_relu hardtanh relu6 logsigmoid""".split()  # noqa: SIM905
IN_F = frozenset(UNARY[UNARY.index("softplus") :])  # the others are functions of the library itself
BINARY = "+ - * / ** // %".split()  # noqa: SIM905
REDUCTIONS = """sum mean prod amax amin std var logsumexp all any norm argmax argmin
    count_nonzero""".split()  # noqa: SIM905
ALONG_DIM = "softmax log_softmax cumsum cumprod sort max min median".split()  # noqa: SIM905


def unary(m: ProgramGenerator) -> str:
    name, x = m.choice(*UNARY), m.tensor() if m.random.random() < 0.2 else m.floating()
    return f"{m.name()} = {'F' if name in IN_F else 'T'}.{name}({x})"


def binary(m: ProgramGenerator) -> str:
    x, y = m.tensor(), m.number() if m.random.random() < 0.3 else m.tensor()
    if m.random.random() < 0.15:
        x = m.floating()
        name = m.choice("maximum", "minimum", "atan2", "remainder")
        return f"{m.name()} = T.{name}({x}, {m.tensor()})"
    sides = (x, y) if m.random.random() < 0.8 else (y, x)
    return f"{m.name()} = {sides[0]} {m.choice(*BINARY)} {sides[1]}"


def comparison(m: ProgramGenerator) -> str:
    sign = m.choice("<", "<=", ">", ">=", "==", "!=", "&", "|", "^")
    return (
        f"{m.name()} = {m.tensor()} {sign} {m.number() if m.random.random() < 0.5 else m.tensor()}"
    )


def reduction(m: ProgramGenerator) -> str:
    x, name = m.tensor() if m.random.random() < 0.3 else m.floating(), m.choice(*REDUCTIONS)
    arguments = "" if m.random.random() < 0.3 else f"dim={m.dim(x)}"
    if arguments and m.random.random() < 0.3:
        arguments += ", keepdim=True"
    return f"{m.name()} = {x}.{name}({arguments})"


def along_dim(m: ProgramGenerator) -> str:
    x = m.floating()
    dim, name = m.dim(x), m.choice(*ALONG_DIM)
    returns_pair = name in ("sort", "max", "min", "median")
    if name == "sort" and m.random.random() < 0.4:
        return f"{m.name()} = {x}.sort({dim}, descending=True)[{m.choice(0, 1)}]"
    # The index among equal medians is not defined, so only the median itself is compared.
    index = 0 if name == "median" else m.choice(0, 1)
    if name == "median":  # PyTorch's median of an expanded tensor may not be one of its elements
        x += ".contiguous()"
    return f"{m.name()} = {x}.{name}({dim}){f'[{index}]' if returns_pair else ''}"


def view(m: ProgramGenerator) -> str:
    x = m.tensor()
    shape, n = list(m.scope[x].shape), m.scope[x].ndim
    order = m.random.sample(range(n), n)
    size = m.scope[x].numel()
    factors = [k for k in range(1, size + 1) if size % k == 0] or [1]
    k = m.choice(*factors)
    wide = [m.choice(1, 2, 3) if s == 1 else s for s in shape]
    choices = [
        f"reshape({k}, -1)", "reshape(-1)", f"view({k}, -1)", "flatten()", f"permute({order})", "squeeze()",
        f"unsqueeze({m.random.randrange(-n - 1, n + 1)})", f"expand({wide})", f"expand({[m.choice(1, 2), *wide]})",
        "detach()", f"reshape({shape})", "contiguous()",
    ]  # fmt: skip
    if n:
        a, b = m.dim(x), m.dim(x)
        choices += [
            f"transpose({a}, {b})", f"squeeze({a})", f"unbind({a})[0]", f"select({a}, -1)", f"movedim({a}, {b})",
            f"narrow({a}, 0, {m.choice(0, 1)})", f"split(2, {a})[-1]", f"chunk(2, {a})[0]", "mT", "diagonal()",
        ]  # fmt: skip
    return f"{m.name()} = {x}.{m.choice(*choices)}"


def indexing(m: ProgramGenerator) -> str:
    x = m.tensor()
    return f"{m.name()} = {x}[{m.key(x)}]"


def rearrangement(m: ProgramGenerator) -> str:
    x = m.tensor()
    dim, y = m.dim(x), m.tensor()
    n = m.scope[x].shape[dim]
    positions = [m.random.randrange(n) for _ in range(m.choice(1, 2, 3))] if n else []
    indices = f"T.tensor({positions}, dtype=T.int64)"
    text = m.choice(
        f"{x}.repeat({[m.choice(1, 1, 2) for _ in m.scope[x].shape]})", f"{x}.repeat_interleave(2, {dim})",
        f"{x}.tile({[m.choice(1, 2)]})", f"{x}.roll({m.choice(-1, 1, 2)}, {dim})", f"{x}.flip({dim})",
        f"T.cat([{x}, {x}, {y}], {dim})", f"T.stack([{x}, {y}], {dim})", f"{x}.index_select({dim}, {indices})",
        f"T.where({x} > 0, {x}, {m.choice('0', '-1.5', y)})", f"{x}.masked_fill({x} > 0, {m.choice(1, -2)})",
        f"{x}.clamp({m.choice('-1', '0')}, {m.choice('0.5', '1')})", f"{x}.tril()", f"{x}.triu(1)",
        f"{x}.index_add({dim}, {indices}, {x}.index_select({dim}, {indices}))", f"{x}.masked_select({x} > 0)",
        f"F.pad({x}, ({m.choice(0, 1, -1)}, {m.choice(0, 1)}))", f"{x}.diag()", f"{x}.nan_to_num()",
        f"{x}.gather({dim}, {x}.argsort({dim}, stable=True))", f"{x}.scatter({dim}, {x}.argsort({dim}, stable=True), {x})", f"{x}.lerp({y}, 0.25)",
        f"{x}.take_along_dim({x}.argsort({dim}, stable=True), {dim})", f"F.normalize({x}, dim={dim})", f"F.one_hot({x})",
        # the layer_norm of a single number is 0 in nnlib and a rounding error in PyTorch
        f"F.layer_norm({x}, {x}.shape[-1:])" if m.scope[x].shape[-1] != 1 else f"{x}.roll(1)",
    )  # fmt: skip
    return f"{m.name()} = {text}"


def matrix_product(m: ProgramGenerator) -> str:
    x = m.floating()
    y = m.tensor(lambda other: other.dtype == m.scope[x].dtype and other.numel() > 0)
    text = m.choice(
        f"{x} @ {y}", f"{x} @ {x}.mT", f"T.outer({x}.flatten(), {y}.flatten())", f"F.linear({x}, {y})",
        f'T.einsum("...i,...i->...", {x}, {y})', f'T.einsum("ij,kj->ik", {x}, {y})', f"T.dot({x}, {y})",
        f"F.mse_loss({x}, {x}.detach() * 0.5)", f"F.cross_entropy({x}, {x}.argmax(-1))",
    )  # fmt: skip
    return f"{m.name()} = {text}"


def cast(m: ProgramGenerator) -> str:
    casts = (
        "float()",
        "double()",
        "half()",
        "long()",
        "int()",
        "bool()",
        "to(T.uint8)",
        "to(T.int8)",
    )
    return f"{m.name()} = {m.tensor()}.{m.choice(*casts)}"


def in_place(m: ProgramGenerator) -> str:
    x = m.tensor()
    y = m.number() if m.random.random() < 0.5 else m.tensor()
    line = m.choice(
        f"{x} {m.choice('+=', '-=', '*=', '/=')} {y}", f"{x}.{m.choice('exp_', 'neg_', 'relu_', 'sigmoid_', 'zero_')}()",
        f"{x}.fill_({m.choice(1, -2, 0)})", f"{x}.clamp_(-1, 1)", f"{x}.copy_({y})", f"{x}.pow_(2)",
        f"{x}.masked_fill_({x} > 0, {m.choice(1, -2)})", f"{x}.{m.choice('add_', 'mul_', 'sub_')}({y})",
    )  # fmt: skip
    return f"with T.no_grad(): {line}" if m.random.random() < 0.1 else line


def assignment(m: ProgramGenerator) -> str:
    x = m.tensor()
    value = m.choice(
        m.choice("0", "1", "-2"), m.choice("1.5", "-0.5"), m.tensor(), f"{m.tensor()}.sum()"
    )
    line = f"{x}[{m.key(x)}] {m.choice('=', '=', '=', '+=', '*=')} {value}"
    return f"with T.no_grad(): {line}" if m.random.random() < 0.1 else line


KINDS: list[tuple[Callable[[ProgramGenerator], str], float]] = [
    (unary, 3), (binary, 4), (comparison, 0.6), (reduction, 1.5), (along_dim, 1), (view, 3), (indexing, 2),
    (rearrangement, 3), (matrix_product, 1), (cast, 0.8), (in_place, 2), (assignment, 1.5),
]  # fmt: skip

# ---------------------------------------------------------------- running and comparing


@dataclass
class Run:
    """The results of a program: its variables, gradients, second gradients; and the first error."""

    values: dict[str, Any]
    gradients: list[Any] | None = None
    second: list[Any] | None = None
    error: Exception | None = None
    where: str = ""


class Perturbed:
    """A library that changes some floats slightly: those a program begins with and those it sorts.

    Gradients are computed for `scale` times the loss and divided by it, so that they are rounded
    differently.
    """

    def __init__(self, library: Any, seed: int) -> None:
        self.library, self.random = library, random.Random(seed)
        self.scale = (1.37, 0.71, 2.9)[seed % 3]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.library, name)

    def tensor(self, data: Any, dtype: Any = None, requires_grad: bool = False) -> Any:
        x = self.library.tensor(data, dtype=dtype)
        return self.changed(x, ()).detach().requires_grad_(requires_grad)

    def without_ties(self, x: Any) -> Any:
        """x with its floats changed and equal ones made unequal, before they are sorted."""
        if not x.is_floating_point():
            return x
        ties = [1e-6 * self.random.choice((-1, 1)) for _ in range(math.prod(x.shape))]  # zeros too
        shifts = self.library.tensor(np.array(ties).reshape(tuple(x.shape)), dtype=x.dtype)
        return self.changed(x, tuple(x.shape)) + shifts

    def changed(self, x: Any, shape: tuple[int, ...]) -> Any:
        """x with each element (or all, with the shape ()) a little smaller or larger."""
        if not x.is_floating_point():
            return x
        size = {"float16": 2e-3, "float32": 1e-6}.get(type_name(x), 1e-9)
        signs = [self.random.choice((-1, 1)) for _ in range(math.prod(shape))]
        factors = 1 + size * np.array(signs, float).reshape(shape)
        return x * self.library.tensor(factors, dtype=x.dtype)


def run(lines: list[str], library: Any, perturbed: Perturbed | None = None) -> Run:
    """Runs a program with a library, perhaps perturbed; returns its results or its error."""
    scope = scope_for(library)
    if perturbed is not None:
        scope["T"] = perturbed
        lines = [
            re.sub(r"\b([a-z])(?=\.(arg)?(max|min|sort)\()", r"T.without_ties(\1)", n) for n in lines
        ]
    result = Run({})
    try:
        with quiet():
            result.where = "the program"
            for line in lines:
                exec(line, scope)
            result.values = {n: v for n, v in scope.items() if isinstance(v, library.Tensor)}
            result.where = "the gradients"
            tensors = list(result.values.values())
            leaves = [v for v in tensors if v.requires_grad and v.is_leaf]
            scale = 1.0 if perturbed is None else perturbed.scale
            results = [v for v in tensors if v.requires_grad and not v.is_leaf]
            if not results or not leaves:
                return result
            result.gradients = gradients(results, leaves, library, scale)
            result.where = "the second gradients"
            squares = [g if g is None else g * g for g in result.gradients]
            if any(g is not None and g.requires_grad for g in squares):
                result.second = gradients(squares, leaves, library, scale)
    except Exception as error:
        result.error = error
    return result


def gradients(values: list[Any], leaves: list[Any], library: Any, scale: float) -> list[Any]:
    """The gradients of the weighted sum of the values."""
    loss = weighted(values, library) * scale
    grads = library.autograd.grad(loss, leaves, create_graph=True, allow_unused=True)
    return [g if g is None or scale == 1 else g / scale for g in grads]


def weighted(values: list[Any], library: Any) -> Any:
    """A weighted sum of all elements in float64, each element with a weight of its own."""
    total = None
    for k, v in enumerate(values):
        if v is None:
            continue
        weights = np.cos(np.arange(v.numel()) + k).reshape(tuple(v.shape))
        term = (v.double() * library.tensor(weights, dtype=library.float64)).sum()
        total = term if total is None else total + term
    return total


def difference(lines: list[str], counted: Counter[str] | None = None) -> str | None:
    """How nnlib and PyTorch differ on a program, or None if they agree or EXPLAINED has the reason.

    A program that PyTorch refuses is not compared.  `counted` counts the explained differences.
    """
    theirs = run(lines, torch)
    if theirs.error is not None:
        return None
    ours = run(lines, nnlib)
    problem = run_difference(ours, theirs, lines)
    if problem is None:
        return None
    for explained in EXPLAINED:
        if explained.holds(lines, ours, theirs):
            if counted is not None:
                counted[explained.why] += 1
            return None
    if ours.error is not None:
        return problem
    # Near a jump of a function, or where rounding decides, the results change with the last digits.
    for seed in range(3):
        for library, original in ((torch, theirs), (nnlib, ours)):
            perturbed = run(lines, library, Perturbed(library, seed))
            if run_difference(perturbed, original, lines) is not None:
                return None
    return problem


def run_difference(ours: Run, theirs: Run, lines: list[str]) -> str | None:
    """The first difference between two runs of a program, in words; None if there is none."""
    if ours.error is not None:
        return f"{ours.where}: nnlib raises {type(ours.error).__name__}: {str(ours.error)[:150]}"
    depends_on = ancestors(lines)
    for name, value in theirs.values.items():
        narrowest = narrowest_of([theirs.values[n] for n in depends_on[name]])
        if problem := tensor_difference(ours.values.get(name), value, TOLERANCE[narrowest]):
            return f"{name}: {problem}"
    narrowest = narrowest_of(theirs.values.values())
    for order in ("gradients", "second"):
        expected = getattr(theirs, order) or []
        actual = getattr(ours, order) or [None] * len(expected)
        for k, (a, b) in enumerate(zip(actual, expected, strict=False)):
            if narrowest == "float16" and order == "second":
                continue
            if problem := tensor_difference(a, b, TOLERANCE[narrowest], gradient=True):
                return f"{order} of leaf {k}: {problem}"
    return None


def ancestors(lines: list[str]) -> dict[str, set[str]]:
    """For each variable, the variables that it depends on, itself included, by the lines' text."""
    dependencies: dict[str, set[str]] = {}
    for line in lines:
        code = line.split("T.no_grad(): ")[-1]
        text = re.sub('"[^"]*"', "", code)  # the letters in einsum's text are not variables
        names = re.findall(r"(?<![.\w])[a-z]\b(?!\()", text)
        known = set(names).union(*[dependencies.get(n, ()) for n in names])
        for changed in names[:1] if line.startswith(f"{names[0]} = ") else known:
            dependencies[changed] = dependencies.get(changed, set()) | known
    return dependencies


def narrowest_of(tensors: Iterable[Any]) -> str:
    dtypes = {type_name(v) for v in tensors if v.is_floating_point()}
    return min(dtypes, default="float64", key=lambda dtype: int(dtype[5:]))


def type_name(x: Any) -> str:
    return str(x.dtype).split(".")[1]


def tensor_difference(
    ours: Any, theirs: Any, tolerance: float, gradient: bool = False
) -> str | None:
    """How two tensors differ by more than the tolerance, in words; None if they do not."""
    if theirs is None or ours is None:
        # For a constant function one library may return a gradient of zeros and the other None.
        other = ours if theirs is None else theirs
        return (
            None if other is None or not values(other).any() else f"nnlib {ours}, PyTorch {theirs}"
        )
    dtype = type_name(theirs)
    if tuple(ours.shape) != tuple(theirs.shape):
        return f"nnlib has shape {list(ours.shape)}, PyTorch {list(theirs.shape)}"
    if type_name(ours) != dtype:
        return f"nnlib has {type_name(ours)}, PyTorch {dtype}"
    if not gradient and ours.requires_grad != theirs.requires_grad:
        return f"requires_grad is {ours.requires_grad} in nnlib, {theirs.requires_grad} in PyTorch"
    a, b = values(ours), values(theirs)
    if not b.size or not np.isfinite(b).all() or np.abs(b).max() > LARGEST**2:
        return None
    tolerance = tolerance if theirs.is_floating_point() else 0.0
    if np.allclose(a, b, rtol=tolerance, atol=tolerance * max(1.0, float(np.abs(b).max()))):
        return None
    return f"nnlib has {a.tolist()}, PyTorch {b.tolist()}"


def values(x: Any) -> np.ndarray:
    array = x.detach().numpy(force=True) if isinstance(x, torch.Tensor) else x.detach().numpy()
    return np.asarray(array, float)


# ---------------------------------------------------------------- what differs by design


@dataclass(frozen=True)
class Explained:
    """A difference by design: the reason, and a function that recognises this difference alone."""

    why: str
    holds: Callable[[list[str], Run, Run], bool]


def refuses_expanded(lines: list[str], ours: Run, theirs: Run) -> bool:
    return ours.error is not None and "an expanded tensor" in str(ours.error)


def refuses_diagonals(lines: list[str], ours: Run, theirs: Run) -> bool:
    return ".diagonal()" in "".join(lines) and "tensor is read-only" in str(ours.error)


def checks_unused_indices(lines: list[str], ours: Run, theirs: Run) -> bool:
    """nnlib raises an IndexError, and one of the program's tensors has no elements in PyTorch."""
    refused = isinstance(ours.error, IndexError) and "is out of bounds" in str(ours.error)
    return refused and any(not v.numel() for v in theirs.values.values())


def squares_integers(lines: list[str], ours: Run, theirs: Run) -> bool:
    """Only gradients differ, atan2 gets integers, and with floats in their place nothing differs."""
    if ours.error is not None or "T.atan2(" not in "".join(lines):
        return False
    floats = [re.sub(r"T\.atan2\((\w), (\w)\)", atan2_of_floats, line) for line in lines]
    return floats != lines and run_difference(ours, run(floats, torch), lines) is None


def atan2_of_floats(call: re.Match[str]) -> str:
    x, y = call.groups()
    return f"T.atan2({x}, {y}.to({x}.dtype))"


def divides_by_unrounded(lines: list[str], ours: Run, theirs: Run) -> bool:
    """With both numbers of each remainder in the result's type, nothing differs.

    PyTorch rounds a wider number for the remainder, but not for the quotient in its gradient.
    """
    rounded = [REMAINDER.sub(remainder_of_one_type, line) for line in lines]
    if ours.error is not None or rounded == lines:
        return False
    return run_difference(ours, run(rounded, torch), lines) is None


REMAINDER = re.compile(r"T\.remainder\((\w), (\w)\)|\b(\w) % (\w)$")


def remainder_of_one_type(call: re.Match[str]) -> str:
    x, y = [name for name in call.groups() if name]
    common_type = f"T.result_type({x}, {y})"
    return f"T.remainder({x}.to({common_type}), {y}.to({common_type}))"


def stores_results_by_columns(lines: list[str], ours: Run, theirs: Run) -> bool:
    """With PyTorch's new results stored row by row, nothing differs.

    PyTorch stores a result of transposed matrices in the order of those matrices, so flatten()
    copies it in PyTorch, and changes in place of the copy do not reach the result.
    """
    addresses, by_rows = set(), []
    for line in lines:
        name, _, expression = line.partition(" = ")
        value = theirs.values.get(name)
        if not isinstance(value, torch.Tensor):
            by_rows.append(line)
            continue
        address = value.untyped_storage().data_ptr()
        new = address not in addresses and not value.is_contiguous()
        by_rows.append(f"{name} = ({expression}).contiguous()" if new else line)
        addresses.add(address)
    if ours.error is not None or by_rows == lines:
        return False
    return run_difference(ours, run(by_rows, torch), lines) is None


def normalizes_zeros(lines: list[str], ours: Run, theirs: Run) -> bool:
    """Only gradients differ, and the program normalizes a row of zeros.

    The row's gradient is divided by 1e-12; a float32 sum that contains such a number loses its
    other terms.
    """
    if ours.error is not None or run_difference(Run(ours.values), Run(theirs.values), lines):
        return False
    calls = re.findall(r"F\.normalize\((\w), dim=(-?\d)", "".join(lines))
    return any(bool((theirs.values[name] == 0).all(int(dim)).any()) for name, dim in calls)


def in_float64(lines: list[str]) -> Run | None:
    """The program in PyTorch with float64 in place of narrower types; None if there are none."""
    wide = [NARROW.sub("T.float64", line).replace(".half()", ".double()") for line in lines]
    exact = run(wide, torch)
    return exact if wide != lines and exact.error is None else None


NARROW = re.compile(r"T\.float(16|32)")


def differs_from_its_float64(lines: list[str], ours: Run, theirs: Run) -> bool:
    """PyTorch's own results differ from those in float64 by more than the tolerance."""
    exact = in_float64(lines)
    if ours.error is not None or exact is None:
        return False
    return error_of(theirs, exact) > TOLERANCE[narrowest_of(theirs.values.values())]


def rounds_float16_better(lines: list[str], ours: Run, theirs: Run) -> bool:
    """The program has layer_norm of a float16, and nnlib's results are at least as close to those
    of the same program in float64 as PyTorch's are."""
    text = "".join(lines)
    if ours.error is not None or "layer_norm" not in text or not HALF.search(text):
        return False
    exact = in_float64(lines)
    return exact is not None and error_of(ours, exact) <= error_of(theirs, exact)


HALF = re.compile(r"T\.float16|\.half\(\)")


def error_of(results: Run, exact: Run) -> float:
    """The largest relative difference of values and gradients."""
    pairs = [(results.values[n], v) for n, v in exact.values.items()]
    pairs += zip(results.gradients or (), exact.gradients or (), strict=False)
    errors = [
        float(np.abs(values(a) - values(b)).max(initial=0) / max(1.0, np.abs(values(b)).max(initial=0)))
        for a, b in pairs if a is not None and b is not None
    ]  # fmt: skip
    return max(errors, default=0.0)


EXPLAINED = [
    Explained("PyTorch writes to an expanded tensor, which it deprecates", refuses_expanded),
    Explained("PyTorch does not check indices where nothing is read", checks_unused_indices),
    Explained(
        "PyTorch squares integers in the gradient of atan2, and they overflow",
        squares_integers,
    ),
    Explained("nnlib refuses to write to the diagonal of a slice of a matrix", refuses_diagonals),
    Explained(
        "PyTorch rounds intermediate results of a float16 layer_norm more", rounds_float16_better
    ),
    Explained(
        "the gradient of a normalized row of zeros is so large that other terms are lost",
        normalizes_zeros,
    ),
    Explained(
        "PyTorch divides by an unrounded number in the gradient of remainder", divides_by_unrounded
    ),
    Explained(
        "PyTorch stores results of transposed matrices by columns", stores_results_by_columns
    ),
    Explained("PyTorch's own results differ in float64", differs_from_its_float64),
]

# ---------------------------------------------------------------- the search


def shortened(lines: list[str], kind: str) -> list[str]:
    """The program without the lines that this kind of difference does not need."""
    position = len(lines) - 1
    while position >= 0:
        fewer = lines[:position] + lines[position + 1 :]
        problem = difference(fewer) if fewer else None
        if problem is not None and problem.split(":")[0].split(" ")[0] == kind:
            lines = fewer
            position = min(position, len(lines))
        position -= 1
    return lines


def as_test(lines: list[str], problem: str, seed: int) -> str:
    """The program as text to add to the tests, after a comment with its seed and the difference."""
    names = [
        line.split(" = ")[0] for line in lines if " = " in line.split("(")[0] and line[1:4] == " = "
    ]
    body = "\n".join(lines)
    return (
        f"# seed {seed}: {problem}\n"
        f'    "…": """\n{body}\n'
        f"vs = [{', '.join(names)}]; ls = [v for v in vs if v.requires_grad and v.is_leaf]\n"
        "loss = sum(v.double().sum() for v in vs if v.requires_grad and not v.is_leaf)\n"
        "out = vs, T.autograd.grad(loss, ls, materialize_grads=True) if ls else None\n"
        '""",\n'
    )


def search(
    seed: int, programs: int | None, seconds: float | None
) -> tuple[int, list[str], Counter[str]]:
    """The number of programs run, a test for each difference found, the counts of explained ones."""
    explained: Counter[str] = Counter()
    end = None if seconds is None else time.monotonic() + seconds
    tests: dict[str, str] = {}
    count = 0
    while (programs is None or count < programs) and (end is None or time.monotonic() < end):
        lines = ProgramGenerator(seed + count).program()
        problem = difference(lines, explained)
        if problem is not None:
            lines = shortened(lines, problem.split(":")[0].split(" ")[0])
            problem = difference(lines) or problem
            text = as_test(lines, problem, seed + count)
            if lines[-1] not in tests:
                print(f"\n{text}", flush=True)
            tests[lines[-1]] = text
        count += 1
    return count, list(tests.values()), explained


def properties(seconds: float) -> int:
    """The Hypothesis tests of the package, with fresh seeds and as many examples as there is time for."""
    files = [
        str(path.relative_to(ROOT))
        for folder in ("nnlib", "graph")
        for path in sorted((ROOT / "tests" / folder).glob("test_*.py"))
        if "from hypothesis import" in path.read_text("utf8")
    ]
    settings = {"HYPOTHESIS_PROFILE": "search", "HYPOTHESIS_EXAMPLES": str(int(max(30, seconds)))}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-m", "not browser", *files]
    try:
        return subprocess.run(
            command, cwd=ROOT, env={**os.environ, **settings}, timeout=seconds, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        print("time is up: the Hypothesis tests that ran found nothing")
        return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python tools/fuzz.py", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="for both searches together")
    parser.add_argument("--programs", type=int, help="this many programs, without a time limit")
    parser.add_argument("--seed", type=int, help="of the first program; fresh by default")
    parser.add_argument(
        "--no-properties", action="store_true", help="leave the Hypothesis tests out"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    seed = random.SystemRandom().randrange(10**9) if options.seed is None else options.seed
    share = 1 if options.no_properties else 0.5
    seconds = None if options.programs else options.minutes * 60 * share
    print(f"programs from seed {seed} on")
    count, found, explained = search(seed, options.programs, seconds)
    print(f"{count} programs, {len(found)} differences; explained ones:", explained.total())
    for why, times in explained.most_common():
        print(f"  {times}: {why}")
    failed = 0 if options.no_properties else properties(options.minutes * 30)
    return 1 if found or failed else 0


if __name__ == "__main__":
    sys.exit(main())

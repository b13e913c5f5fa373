"""Pass 5: a plan is written as Python functions of loops, with the names of the traced program.

A function covers a phase: all nests between two rounds of calls.  A value that is used only at its
own position is a local variable, and so is the total of a sum where the loops allow it.
"""

from __future__ import annotations

import keyword
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from nnlib.graph.lower import expressions
from nnlib.graph.lower.expressions import TYPES, accumulated, initial_value, number
from nnlib.graph.lower.layouts import Axis, View
from nnlib.graph.lower.nests import (
    MOST_DIMS,
    Nest,
    Plan,
    domain_of,
    is_reduction_step,
    prefers_column_major,
)
from nnlib.graph.steps import Step

Shape = tuple[int, ...]
_INDEX = ("i", "j", "k", "l", "m", "n", "o", "p", "q", "r")[:MOST_DIMS]
_CALLED = {  # functions of `floats`
    "expf", "logf", "log1pf", "matrix", "maximum", "minimum", "plus", "plus_product", "sigmoid",
    "sigmoidf", "sign", "softplus", "softplusf", "tanhf", "vector",
}  # fmt: skip
_RESERVED = {
    "np", "math", "range", "abs", "min", "max", "part", *TYPES.values(), *_INDEX, *_CALLED,
    "w", "s", *[f"{memory}_{short}" for memory in "ws" for short in TYPES.values()],
}  # fmt: skip
FLOAT32_TERMS = 4096  # up to so many terms, the total of a float32 sum is a float32


class Kernel(NamedTuple):
    """One function of loops: its body and its arguments."""

    body: tuple[str, ...]
    arrays: tuple[int, ...]  # the stored steps among its arguments, in order
    names: tuple[str, ...]  # their names
    work: dict[str, int]  # how many elements of working memory it needs, by dtype


class Names:
    """Identifiers for stored arrays: those of the traced program if it has any."""

    def __init__(self, plan: Plan) -> None:
        self.steps = plan.graph.steps
        self.taken = set(_RESERVED) | set(keyword.kwlist)
        self.of: dict[int, str] = {}
        outputs = {at: name for name, at in reversed(plan.graph.outputs.items())}
        for at, step in enumerate(plan.graph.steps):
            if step.op == "input" and step.name:
                self.of[at] = self.free(step.name)
        for at in sorted(plan.stored):
            if at not in self.of:
                self.of[at] = self.free(outputs.get(at) or _HINTS.get(plan.graph.steps[at].op, "t"))

    def free(self, wanted: str) -> str:
        normal = unicodedata.normalize("NFKC", wanted)  # as Python reads an identifier
        base = re.sub(r"[^\w]+", "_", normal).strip("_") or "value"
        base = base if base.isidentifier() else f"v{re.sub('[^0-9A-Za-z_]', '_', base)}"
        name, n = base, 2
        while name in self.taken:
            name, n = f"{base}{'' if base[-1].isalpha() else '_'}{n}", n + 1
        self.taken.add(name)
        return name

    def get(self, at: int) -> str:
        if at not in self.of:
            self.of[at] = self.free(_HINTS.get(self.steps[at].op, "constant"))
        return self.of[at]


_HINTS = {"matmul": "z", "tanh": "h", "relu": "h", "sigmoid": "a", "sum": "total", "amax": "top",
          "exp": "e", "div": "p", "slice": "z", "cat": "rows"}  # fmt: skip


class Storage:
    """Which stored steps are local to a kernel or column-major, and where scalars are stored."""

    def __init__(self, plan: Plan) -> None:
        steps, readers = plan.graph.steps, _readers(plan)
        outputs = {plan.views[at].at for at in plan.graph.outputs.values()}
        self.inner: dict[int, int] = {}  # stored step -> the only kernel (phase) that uses it
        self.slot: dict[int, tuple[str, int]] = {}  # single numbers that other kernels use
        counts: Counter[str] = Counter()
        for at in sorted(plan.stored):
            nest = plan.nest_of.get(at)
            if nest is None:
                continue
            phase = plan.nests[nest].phase
            if at not in outputs and readers.get(at, set()) <= {phase}:
                self.inner[at] = phase
            elif not steps[at].shape:
                dtype = steps[at].dtype
                self.slot[at] = dtype, counts[dtype]
                counts[dtype] += 1
        self.slots = dict(counts)
        reshaped = {v.at for v in plan.views if v.shape != steps[v.at].shape}
        self.column_major = {
            at for at in plan.stored - outputs - reshaped
            if prefers_column_major(domain_of(steps[at].shape))
            and (at in plan.nest_of or takes_out_argument(steps, at))
        }  # fmt: skip
        self.column_major -= {steps[at].inputs[0] for at in plan.stored if steps[at].op == "slice"}


def takes_out_argument(steps: list[Step], at: int) -> bool:
    """Whether a step is called with NumPy's `out=`, the array to write the result into."""
    step = steps[at]
    return step.op == "matmul" and bool(step.shape) and all(
        steps[i].dtype == step.dtype for i in step.inputs
    )  # fmt: skip


def _readers(plan: Plan) -> dict[int, set[Any]]:
    """By stored step: the phases of the kernels that read it, and "call" where a call does."""
    readers: dict[int, set[Any]] = {}
    for at, k in plan.nest_of.items():
        for i in plan.graph.steps[at].inputs:
            readers.setdefault(plan.views[i].at, set()).add(plan.nests[k].phase)
    for calls_of_phase in plan.calls:
        for at in calls_of_phase:
            for i in plan.graph.steps[at].inputs:
                readers.setdefault(plan.views[i].at, set()).add("call")
    return readers


class KernelWriter:
    """Writes one phase's nests as one function."""

    def __init__(self, plan: Plan, storage: Storage, names: Names, phase: int) -> None:
        self.plan, self.storage, self.names, self.phase = plan, storage, names, phase
        self.steps = plan.graph.steps
        self.arrays: dict[int, None] = {}
        self.work: Counter[str] = Counter()
        self.head_names: dict[tuple[int, Shape], str] = {}
        self.head: list[str] = []
        self.lines: list[str] = []
        self.locals = 0
        self.local: dict[int, str] = {}  # steps whose value is a variable
        for nest in plan.nests:
            if nest.phase == phase:
                self.lines += NestWriter(self, nest).written()

    def kernel(self) -> Kernel:
        arrays = tuple(self.arrays)
        names = tuple([self.names.get(at) for at in arrays])
        return Kernel(tuple(self.head + self.lines), arrays, names, dict(self.work))

    def fresh(self) -> str:
        self.locals += 1
        while f"t{self.locals}" in self.names.taken:
            self.locals += 1
        return f"t{self.locals}"

    # ------------------------------------------------------------ stored arrays
    def element(self, view: View, index: list[str]) -> str:
        """The text that reads one element of a stored array."""
        step = self.steps[view.at]
        if view.at in self.local:
            return self.local[view.at]
        if view.at in self.storage.slot:
            return self.slot(view.at)
        if step.op == "constant" and not step.shape:
            return number(step.value, step.dtype)
        if not step.shape:
            return self.array(view.at)
        if math.prod(step.shape) == 1:
            return f"{self.array(view.at)}[{', '.join('0' * len(step.shape))}]"
        entries = [_entry(axis, index) for axis in view.axes]
        return f"{self.shaped(view)}[{', '.join(entries)}]"

    def target(self, at: int, index: list[str]) -> str:
        if at in self.storage.slot:
            return self.slot(at)
        step = self.steps[at]
        return f"{self.array(at)}[{', '.join(index)}]" if step.shape else self.local[at]

    def slot(self, at: int) -> str:
        dtype, k = self.storage.slot[at]
        return f"s_{TYPES[dtype]}[{k}]"

    def array(self, at: int) -> str:
        """The name of a stored array: an argument, or a part of the working memory."""
        name = self.names.get(at)
        if self.storage.inner.get(at) != self.phase:
            self.arrays[at] = None
        elif (at, ()) not in self.head_names:
            step = self.steps[at]
            start = self.work[step.dtype]
            size = math.prod(step.shape)
            self.work[step.dtype] += -(-size // 16) * 16  # each begins at a new cache line
            self.head_names[at, ()] = name
            memory = f"w_{TYPES[step.dtype]}"
            if at in self.storage.column_major:
                shaped = f"{_memory_text(memory, start, step.shape[::-1])}.T"
            else:
                shaped = _memory_text(memory, start, step.shape)
            self.head.append(f"{name} = {shaped}")
        return name

    def shaped(self, view: View) -> str:
        """The array reshaped to the view's shape, in the same memory."""
        name = self.array(view.at)
        if view.shape == self.steps[view.at].shape:
            return name
        key = (view.at, view.shape)
        if key not in self.head_names:
            self.head_names[key] = self.names.free(f"{name}_as")
            self.head.append(f"{self.head_names[key]} = {name}.reshape({view.shape})")
        return self.head_names[key]


def _memory_text(memory: str, start: int, shape: Shape) -> str:
    """The text that makes an array of a part of the working memory."""
    if len(shape) in (1, 2):
        name = "vector" if len(shape) == 1 else "matrix"
        return f"{name}({memory}, {start}, {', '.join(map(str, shape))})"
    return f"{memory}[{start}:{start + math.prod(shape)}].reshape({shape})"


def _entry(axis: Axis, index: list[str]) -> str:
    """The text of one entry of an index into a stored array."""
    if axis.dim is None or index[axis.dim] == "0":
        return str(axis.start)
    variable = index[axis.dim]
    if axis.stride != 1:
        variable = f"({variable})" if " " in variable else variable
    text = variable if axis.stride == 1 else f"{axis.stride} * {variable}"
    return f"{axis.start} + {text}" if axis.start else text


class NestWriter:
    """Writes one nest: the lines before and after each loop."""

    def __init__(self, to: KernelWriter, nest: Nest) -> None:
        self.to, self.nest, self.steps = to, nest, to.steps
        self.variables = list(_INDEX[: len(nest.domain)])
        self.depth = len(nest.domain)
        self.order = list(range(self.depth))  # the domain's dimensions, from the outermost loop in
        if prefers_column_major(nest.domain) and self._mostly_column_major():
            self.order.reverse()
        self.before: list[list[str]] = []
        self.after: list[list[str]] = []
        self.ahead: list[str] = []  # before the outermost loop
        self.block: tuple[list[str], list[str]] = [], []  # before and after the innermost loop
        self.values: dict[int, str] = {}
        self.loads: dict[str, str] = {}
        self.read_counts: Counter[str] = Counter()

    def written(self) -> list[str]:
        if self.nest.product:
            return ProductWriter(self.to, self.nest.steps[0]).written()
        first = self.to.locals, dict(self.to.local)
        self._write()  # the first pass counts how often each element is read; the second uses it
        self.to.locals, self.to.local = first
        self._write()
        return self.ahead + list(self._nested(0))

    def _mostly_column_major(self) -> bool:
        """Whether at least half of the matrices that the nest reads and writes are column-major."""
        plan, own = self.to.plan, self.nest.steps
        used = {plan.views[i].at for at in own for i in self.steps[at].inputs} - set(own)
        used |= plan.stored & set(own)
        matrices = [at for at in used if domain_of(self.steps[at].shape) == self.nest.domain]
        return 2 * len(self.to.storage.column_major & set(matrices)) >= len(matrices)

    def _write(self) -> None:
        self.before = [[] for _ in range(self.depth + 1)]
        self.after = [[] for _ in range(self.depth + 1)]
        self.ahead, self.values, self.loads, self.block = [], {}, {}, ([], [])
        for at in self.nest.steps:
            step = self.steps[at]
            if is_reduction_step(self.steps, at, self.nest):
                self._reduce(at, step)
            else:
                self._point(at, step)

    def _nested(self, level: int) -> Iterator[str]:
        yield from self.before[level]
        if level < self.depth:
            size = self.nest.domain[self.order[level]]
            first, last = self.block if level == self.depth - 1 else ([], [])
            values, indent = f"range({size})", ""
            if first and size > FLOAT32_TERMS:  # a sum of so many numbers is computed in parts
                yield f"for part in range(0, {size}, {FLOAT32_TERMS}):"
                values, indent = f"range(part, min(part + {FLOAT32_TERMS}, {size}))", "    "
            yield from [indent + line for line in first]
            yield f"{indent}for {self.variables[self.order[level]]} in {values}:"
            for line in self._nested(level + 1):
                yield f"{indent}    {line}"
            yield from [indent + line for line in last]
        yield from self.after[level]

    # ------------------------------------------------------------ steps
    def _point(self, at: int, step: Step) -> None:
        if step.op == "matmul":
            expression = self._unrolled(step)
        else:
            operands = [self.steps[i] for i in step.inputs]
            xs = [self._value(i, step.shape) for i in step.inputs]
            expression = expressions.expression(step, xs, operands)
        name = self.to.fresh()
        self.values[at] = name
        self.before[self.depth].append(f"{name} = {expression}")
        if at in self.to.plan.stored:
            if not step.shape and at not in self.to.storage.slot:
                self.to.local[at] = name
            else:
                target = self.to.target(at, self._index(step.shape))
                self.before[self.depth].append(f"{target} = {name}")

    def _index(self, shape: Shape) -> list[str]:
        variables = iter(self.variables)
        return ["0" if n == 1 else next(variables) for n in shape]

    def _value(self, i: int, shape: Shape) -> str:
        """An argument at the position of a result of this shape."""
        if i in self.values:
            return self.values[i]
        own_shape = self.steps[i].shape
        index = self._index(shape)[len(shape) - len(own_shape) :]
        index = ["0" if n == 1 else t for n, t in zip(own_shape, index)]
        return self._load(self.to.element(self.to.plan.views[i], index))

    def _load(self, text: str) -> str:
        """Read an element once, in the innermost loop whose variable its index contains."""
        if "[" not in text:
            return text
        self.read_counts[text] += 1
        if text in self.loads:
            return self.loads[text]
        inside = text[text.index("[") :]
        level = max([k + 1 for k, dim in enumerate(self.order)
                     if re.search(rf"\b{self.variables[dim]}\b", inside)], default=0)  # fmt: skip
        if level == self.depth and self.read_counts[text] <= 2:  # twice: once for each pass
            return text
        name = self.loads[text] = self.to.fresh()
        self.before[level].append(f"{name} = {text}")
        return name

    def _unrolled(self, step: Step) -> str:
        """A product of few terms, written out."""
        rows, columns, terms = _sides(self.to, step, self._index(step.shape))
        pairs = [(rows(str(k)), columns(str(k))) for k in range(terms)]
        return " + ".join([f"{self._load(a)} * {self._load(b)}" for a, b in pairs])

    def _reduce(self, at: int, step: Step) -> None:
        operand, i = self.steps[step.inputs[0]], step.inputs[0]
        value = self._value(i, operand.shape)
        dims = set(step.attrs["dim"])
        long_dims = [d for d, n in enumerate(operand.shape) if n != 1]
        summed = {k for k, d in enumerate(long_dims) if d in dims}
        n_outer = self.depth - len(summed)
        if summed == set(self.order[n_outer:]):
            self._total(at, step, value, n_outer, math.prod([self.nest.domain[k] for k in summed]))
        else:
            self._outer_total(at, step, value, long_dims, dims)

    def _total(self, at: int, step: Step, value: str, n_outer: int, count: int) -> None:
        """A sum over the innermost loops: its total is a variable.

        A long float32 sum has a float32 total for each pass of the innermost loop, of at most
        FLOAT32_TERMS numbers, and a float64 total of those.
        """
        wide = step.op == "sum" and step.dtype == "float32" and count > FLOAT32_TERMS
        total = self.to.fresh()
        self.before[n_outer].append(
            f"{total} = {initial_value(step.op, 'float64' if wide else step.dtype)}"
        )
        partial_total = total
        if wide:
            partial_total = self.to.fresh()
            self.block[0].append(f"{partial_total} = {initial_value(step.op, step.dtype)}")
            self.block[1].append(f"{total} = {total} + {partial_total}")
        combined = accumulated(step.op, partial_total, value)
        self.before[self.depth].append(f"{partial_total} = {combined}")
        lines_after = self.after[n_outer] if n_outer < self.depth else self.before[n_outer]
        result = f"f4({total})" if wide else total
        if not step.shape and at not in self.to.storage.slot:
            self.to.local[at] = total
            if wide:
                self.to.local[at] = self.to.fresh()
                lines_after.append(f"{self.to.local[at]} = {result}")
        else:
            lines_after.append(f"{self.to.target(at, self._reduced_index(step))} = {result}")

    def _reduced_index(self, step: Step) -> list[str]:
        operand = self.steps[step.inputs[0]]
        index = self._index(operand.shape)
        dims = set(step.attrs["dim"])
        if step.attrs["keepdim"]:
            return ["0" if d in dims else t for d, t in enumerate(index)]
        return [t for d, t in enumerate(index) if d not in dims]

    def _outer_total(
        self, at: int, step: Step, value: str, long_dims: list[int], dims: set[int]
    ) -> None:
        """A sum over outer loops, whose totals are in memory and are initialised first."""
        name = self.to.array(at)
        zero = initial_value(step.op, step.dtype)
        self.ahead.append(f"{name}[:] = {zero}" if len(step.shape) == 1 else
                          f"{name}[{', '.join(':' * len(step.shape))}] = {zero}")  # fmt: skip
        target = f"{name}[{', '.join(self._reduced_index(step))}]"
        self.before[self.depth].append(f"{target} = {accumulated(step.op, target, value)}")


def _sides(to: KernelWriter, step: Step, index: list[str]) -> tuple[Any, Any, int]:
    """The left and right factors of a product's element, as functions of the summed position."""
    a, b = (to.steps[i] for i in step.inputs)
    left, right = (to.plan.views[i] for i in step.inputs)
    at = iter(index)
    row = [next(at)] if len(a.shape) == 2 else []
    column = [next(at)] if len(b.shape) == 2 else []

    def fixed(texts: list[str], shape: Shape) -> list[str]:
        return ["0" if n == 1 else t for t, n in zip(texts, shape)]

    return (
        lambda k: to.element(left, fixed([*row, k], a.shape)),
        lambda k: to.element(right, fixed([k, *column], b.shape)),
        a.shape[-1],
    )


class ProductWriter:
    """Writes a matrix product of many terms, four at a time, along contiguous memory."""

    def __init__(self, to: KernelWriter, at: int) -> None:
        self.to, self.at, self.step = to, at, to.steps[at]
        self.names = iter(_INDEX)
        shape = self.step.shape
        self.index = ["0" if n == 1 else next(self.names) for n in shape]
        self.term = next(self.names)
        self.rows, self.columns, self.terms = _sides(to, self.step, self.index)
        self.sizes = {v: n for v, n in zip(self.index, shape, strict=True) if v != "0"}

    def written(self) -> list[str]:
        left, right = (self.to.plan.views[i].at for i in self.step.inputs)
        inner = self._innermost(self.columns(self.term), right)
        if inner in self.sizes and inner != self.term:
            return self._along(inner, self.rows, self.columns)
        inner = self._innermost(self.rows(self.term), left)
        if inner in self.sizes and inner != self.term:
            return self._along(inner, self.columns, self.rows)
        return self._dots()

    def _innermost(self, text: str, at: int) -> str:
        """The loop variable that runs along a factor's contiguous memory; "" if there is none."""
        index = text[text.rindex("[") + 1 : -1].split(", ") if "[" in text else []
        if at not in self.to.storage.column_major:
            index.reverse()
        return next((v for v in index if v != "0"), "")

    def _loops(
        self, variables: Iterable[str], lines: list[str], strides: dict[str, int] | None = None
    ) -> list[str]:
        for v in reversed(list(variables)):
            stride = (strides or {}).get(v)
            values = f"0, {self.sizes[v]}, {stride}" if stride else f"{self.sizes[v]}"
            lines = [f"for {v} in range({values}):", *(f"    {x}" for x in lines)]
        return lines

    def _along(self, inner: str, single: Any, vector: Any) -> list[str]:
        """For each term, add a row times one number; the innermost loop runs along memory."""
        k, target = self.term, self.to.target(self.at, self.index)
        outer = [v for v in self.index if v not in ("0", inner)]
        zero = number(0, self.step.dtype)
        lines = [f"for {inner} in range({self.sizes[inner]}):", f"    {target} = {zero}"]
        first_rest = self.terms - self.terms % 4
        for first, last, stride in ((0, first_rest, 4), (first_rest, self.terms, 1)):
            if first == last:
                continue
            factors = [self.to.fresh() for _ in range(stride)]
            positions = [k if not n else f"{k} + {n}" for n in range(stride)]
            expression = target
            for factor, position in zip(factors, positions):
                expression = f"plus_product({expression}, {factor}, {vector(position)})"
            lines += [
                f"for {k} in range({first}, {last}, {stride}):",
                *(f"    {f} = {single(position)}" for f, position in zip(factors, positions)),
                f"    for {inner} in range({self.sizes[inner]}):",
                f"        {target} = {expression}",
            ]
        return self._loops(outer, lines)

    def _dots(self) -> list[str]:
        """Each element is a sum along memory; four at a time if they read the same factor."""
        k, outer = self.term, [v for v in self.index if v != "0"]
        last = outer[-1] if outer and self.sizes[outer[-1]] % 4 == 0 else ""
        before, inside, after = [], [], []
        stored = bool(self.step.shape) or self.at in self.to.storage.slot
        for n in range(4 if last else 1):
            index = [f"{v} + {n}" if n and v == last else v for v in self.index]
            rows, columns, _ = _sides(self.to, self.step, index)
            total = self.to.fresh()
            before.append(f"{total} = {number(0, self.step.dtype)}")
            inside.append(f"    {total} = plus_product({total}, {rows(k)}, {columns(k)})")
            if stored:
                after.append(f"{self.to.target(self.at, index)} = {total}")
            else:
                self.to.local[self.at] = total
        lines = [*before, f"for {k} in range({self.terms}):", *inside, *after]
        return self._loops(outer, lines, {last: 4})


def kernels(plan: Plan, storage: Storage, names: Names) -> dict[int, Kernel]:
    """The functions of a plan, by phase."""
    phases = sorted({n.phase for n in plan.nests})
    return {p: KernelWriter(plan, storage, names, p).kernel() for p in phases}


__all__ = ["Kernel", "Names", "Storage", "kernels", "takes_out_argument"]

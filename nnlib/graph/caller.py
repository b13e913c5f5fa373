"""The function generated for a trace: it checks the arguments, runs the graph, wraps the results.

In a small compiled step, the checks and the wrapping take most of the time of a call.  So the
function is written out for the traced arguments: it checks each part of them in a line of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import is_dataclass
from typing import Any

import numpy as np

from nnlib import dtypes, record, trees
from nnlib.functions.create import Generator
from nnlib.graph.outside import Outside
from nnlib.graph.pure import RandomCall, Traced
from nnlib.graph.steps import GraphError
from nnlib.record import Leaf, Value

MISS = object()  # returned if the arguments do not match the traced ones


def layout(array: np.ndarray) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The dimensions from the outermost in memory to the innermost, and the expanded ones.

    Dimensions of length 1 are left out.

    >>> import numpy as np
    >>> layout(np.ones((2, 3)).T), layout(np.broadcast_to(np.ones(3), (2, 3)))
    (((1, 0), ()), ((1,), (0,)))
    """
    dims = [d for d, n in enumerate(array.shape) if n != 1]
    stored = [d for d in dims if array.strides[d]]
    in_order = sorted(stored, key=lambda d: -abs(array.strides[d]))
    return tuple(in_order), tuple([d for d in dims if not array.strides[d]])


class Static:
    """A static argument, as a leaf in the tree of arguments; it is compared by `_same_value`."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def equals(self, other: Any) -> bool:
        return _same_value(other, self.value)


def _same_value(a: Any, b: Any) -> bool:
    """Whether two values are equal with equal types, also inside: 1 is not 1.0, nor 0.0 -0.0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return repr(a) == repr(b)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(_same_value, a, b))
    if isinstance(a, frozenset):
        return a == b and sorted(map(repr, a)) == sorted(map(repr, b))
    return bool(a == b)


class Caller:
    """Writes and compiles the function ``call(args, kwargs)``; `source` is its code."""

    def __init__(
        self, trace: Traced, outside: Outside, leaves: list[Any], form: trees.Form,
        run: Callable[..., tuple],
    ) -> None:  # fmt: skip
        self.globals: dict[str, Any] = {
            "MISS": MISS, "new": object.__new__, "Tensor": record.tensor_class, "Leaf": Leaf,
            "run": run, "grad_enabled": record.grad_enabled, "default": dtypes.get_default_dtype,
            "same_value": _same_value,
        }  # fmt: skip
        self.lines: list[str] = []
        self.arrays: list[str] = []
        self.generators: list[str] = []
        self.count = 0
        self.check_mode(outside)
        args, kwargs = form.parts
        self.leaves = iter(leaves)
        self.check("args", args)
        self.check("kwargs", kwargs)
        self.captured(trace.captured)
        self.sample(trace.random_calls)
        self.results(trace)
        body = "\n".join(f"    {line}" for line in self.lines)
        self.source = f"def call(args, kwargs):\n{body}\n"
        exec(compile(self.source, "<compiled call>", "exec"), self.globals)
        self.call: Callable[[tuple, dict], Any] = self.globals["call"]

    def fresh(self, prefix: str, value: Any = None) -> str:
        self.count += 1
        name = f"{prefix}{self.count}"
        if value is not None:
            self.globals[name] = value
        return name

    def unless(self, condition: str) -> None:
        self.lines.append(f"if not ({condition}): return MISS")

    # ------------------------------------------------------------ before the graph runs
    def check_mode(self, outside: Outside) -> None:
        self.unless(f"grad_enabled() is {record.grad_enabled()}")
        self.globals["dtype"] = dtypes.get_default_dtype()
        self.unless("default() is dtype")
        if outside.watches_something:
            self.globals["outside_unchanged"] = outside.unchanged
            self.unless("outside_unchanged()")

    def check(self, text: str, form: trees.Form) -> None:
        """Add the lines that check the form and the leaves of the expression `text`."""
        if form.kind is None:
            self.leaf(text, next(self.leaves))
            return
        kind: Any = form.kind
        if text not in ("args", "kwargs"):
            self.unless(f"{text}.__class__ is {self.fresh('C', kind)}")
        parts = [self.fresh("x") for _ in form.keys]
        if issubclass(kind, dict):
            if not form.keys:
                self.unless(f"not {text}")
                return
            keys = self.fresh("K", form.keys)
            if all(isinstance(key, str) for key in form.keys):
                self.unless(f"tuple({text}) == {keys}")
            else:  # 1, 1.0 and True are equal, but not the same key
                self.unless(f"same_value(tuple({text}), {keys})")
            self.lines.append(f"{', '.join(parts)}, = {text}.values()")
        elif is_dataclass(kind):
            self.lines += [f"{p} = {text}.{k}" for p, k in zip(parts, form.keys, strict=True)]
        else:
            self.unless(f"len({text}) == {len(parts)}")
            if parts:
                self.lines.append(f"{', '.join(parts)}, = {text}")
        for part, inner in zip(parts, form.parts, strict=True):
            self.check(part, inner)

    def leaf(self, text: str, leaf: Any) -> None:
        if isinstance(leaf, Static):
            value = self.fresh("V", leaf)
            self.unless(f"{text} is {value}.value or {value}.equals({text})")
            return
        self.unless(f"{text}.__class__ is {self.fresh('C', type(leaf))}")
        if isinstance(leaf, Value):
            array = self.fresh("d")
            data = leaf._data
            dtype, shape = self.fresh("T", data.dtype), self.fresh("S", data.shape)
            self.lines.append(f"{array} = {text}._data")
            self.unless(
                f"{array}.shape == {shape} and "
                f"({array}.dtype is {dtype} or {array}.dtype == {dtype}) and "
                f"({text}._node is None) is {leaf._node is None}"
            )
            if data.ndim > 1:  # whether a reshape is a view depends on the layout
                self.globals["layout"] = layout
                in_rows = f"{array}.flags.c_contiguous"
                same = f"layout({array}) == {self.fresh('L', layout(data))}"
                row_major = data.flags.c_contiguous
                self.unless(f"{in_rows} or {same}" if row_major else f"not {in_rows} and {same}")
            self.arrays.append(array)
        elif isinstance(leaf, Generator):
            self.generators.append(text)
        elif isinstance(leaf, float) and (leaf != leaf or leaf == 0):
            self.unless(f"same_value({text}, {self.fresh('V', leaf)})")
        elif leaf is not None:
            self.unless(f"{text} == {self.fresh('V', leaf)}")

    def captured(self, tensors: list[Value]) -> None:
        """Add the line that reads the captured tensors, or raises GraphError if one has changed."""
        if not tensors:
            return
        self.globals["captured"] = _Captured(tensors).arrays
        names = [self.fresh("d") for _ in tensors]
        self.lines.append(f"{', '.join(names)}, = captured()")
        self.arrays += names

    def sample(self, random_calls: list[RandomCall]) -> None:
        for call in random_calls:
            array = self.fresh("d")
            sample = self.fresh("sample", _sampler(call))
            self.lines.append(f"{array} = {sample}({self.generators[call.generator]})")
            self.arrays.append(array)

    # ------------------------------------------------------------ after the graph has run
    def results(self, trace: Traced) -> None:
        self.lines.append(f"r = run({', '.join(self.arrays)})")
        first = len([r for r in trace.results if r.at is not None])
        for k, (_, error) in enumerate(trace.expected, first):
            self.lines.append(f"if r[{k}]: raise RuntimeError({self.fresh('E', error)})")
        texts, position = [], 0
        for result in trace.results:
            if result.at is None:
                texts.append(self.fresh("V", result.fixed) if result.fixed is not None else "None")
                continue
            name = self.fresh("t")
            self.lines.append(f"{name} = new(Tensor)")
            self.lines.append(f"{name}._data = r[{position}]")
            self.lines.append(f"{name}._node = {'Leaf()' if result.leaf else 'None'}")
            texts.append(name)
            position += 1
        self.lines.append(f"return {self.tree(trace.form, iter(texts))}")

    def tree(self, form: trees.Form, texts: Any) -> str:
        if form.kind is None:
            return next(texts)
        kind: Any = form.kind
        parts = [self.tree(p, texts) for p in form.parts]
        if kind is list:
            return f"[{', '.join(parts)}]"
        if kind is tuple:
            return f"({''.join(p + ', ' for p in parts)})"
        name = self.fresh("C", kind)
        if issubclass(kind, dict):
            pairs = [
                f"{self.fresh('k', k)}: {p}" if k is not None else f"None: {p}"
                for k, p in zip(form.keys, parts, strict=True)
            ]
            text = "{" + ", ".join(pairs) + "}"
            return text if kind is dict else f"{name}({text})"
        if is_dataclass(kind):
            self.globals["rebuilt"] = trees.rebuilt
            values = "".join(p + ", " for p in parts)
            return f"rebuilt({name}, {self.fresh('K', form.keys)}, ({values}))"
        return f"{name}({', '.join(parts)})"


class _Captured:
    """Captured tensors; `arrays` raises GraphError if one has changed or now needs a gradient."""

    def __init__(self, tensors: list[Value]) -> None:
        self.tensors = tensors
        self.kinds = [(t._data.shape, t._data.dtype) for t in tensors]
        self.since = record.clock

    def arrays(self) -> list[Any]:
        for t, kind in zip(self.tensors, self.kinds, strict=True):
            if (t._data.shape, t._data.dtype) != kind:
                raise GraphError(
                    f"compile: a tensor that the function uses, and that is not an argument, was "
                    f"traced with shape {list(kind[0])} and type {kind[1]}, and now has "
                    f"{list(t._data.shape)} and {t._data.dtype}. Pass it as an argument."
                )
            if record.was_changed(t._data, self.since):
                raise GraphError(
                    f"compile: a tensor of shape {list(t._data.shape)} that the function uses, and "
                    "that is not an argument, was changed in place after it was traced. Pass it as "
                    "an argument."
                )
            if t._node is not None:
                raise GraphError(
                    "compile: a tensor that the function uses, and that is not an argument, now "
                    "requires a gradient. Pass it as an argument."
                )
        return [t._data for t in self.tensors]


def _sampler(call: RandomCall) -> Callable[[Any], np.ndarray]:
    def sample(generator: Generator) -> Any:
        return call.function(*call.args, generator=generator, **call.kwargs)._data

    return sample

"""The function generated for a trace: it guards the arguments, runs the graph, wraps the results.

A guard is a condition under which the trace is valid; if one fails, the call returns MISS.  In a
small compiled step, the guards and the wrapping take most of the time of a call.  So the function
is written out for the traced arguments: each part of them has guards in lines of their own.
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

MISS = object()  # returned if a guard fails


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
        self, trace: Traced, outside: Outside, leaves: list[Any], structure: trees.Structure,
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
        self.guard_mode(outside)
        args, kwargs = structure.children
        self.leaves = iter(leaves)
        self.guard_tree("args", args)
        self.guard_tree("kwargs", kwargs)
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

    def guard(self, condition: str) -> None:
        self.lines.append(f"if not ({condition}): return MISS")

    # ------------------------------------------------------------ before the graph runs
    def guard_mode(self, outside: Outside) -> None:
        self.guard(f"grad_enabled() is {record.grad_enabled()}")
        self.globals["dtype"] = dtypes.get_default_dtype()
        self.guard("default() is dtype")
        if outside.has_guards:
            self.globals["outside_unchanged"] = outside.unchanged
            self.guard("outside_unchanged()")

    def guard_tree(self, text: str, structure: trees.Structure) -> None:
        """Add the guards on the structure and the leaves of the expression `text`."""
        if structure.node_type is None:
            self.guard_leaf(text, next(self.leaves))
            return
        node_type: Any = structure.node_type
        if text not in ("args", "kwargs"):
            self.guard(f"{text}.__class__ is {self.fresh('C', node_type)}")
        children = [self.fresh("x") for _ in structure.keys]
        if issubclass(node_type, dict):
            if not structure.keys:
                self.guard(f"not {text}")
                return
            keys = self.fresh("K", structure.keys)
            if all(isinstance(key, str) for key in structure.keys):
                self.guard(f"tuple({text}) == {keys}")
            else:  # 1, 1.0 and True are equal, but not the same key
                self.guard(f"same_value(tuple({text}), {keys})")
            self.lines.append(f"{', '.join(children)}, = {text}.values()")
        elif is_dataclass(node_type):
            fields = zip(children, structure.keys, strict=True)
            self.lines += [f"{child} = {text}.{name}" for child, name in fields]
        else:
            self.guard(f"len({text}) == {len(children)}")
            if children:
                self.lines.append(f"{', '.join(children)}, = {text}")
        for child, inner in zip(children, structure.children, strict=True):
            self.guard_tree(child, inner)

    def guard_leaf(self, text: str, leaf: Any) -> None:
        if isinstance(leaf, Static):
            value = self.fresh("V", leaf)
            self.guard(f"{text} is {value}.value or {value}.equals({text})")
            return
        self.guard(f"{text}.__class__ is {self.fresh('C', type(leaf))}")
        if isinstance(leaf, Value):
            array = self.fresh("d")
            data = leaf._data
            dtype, shape = self.fresh("T", data.dtype), self.fresh("S", data.shape)
            self.lines.append(f"{array} = {text}._data")
            self.guard(
                f"{array}.shape == {shape} and "
                f"({array}.dtype is {dtype} or {array}.dtype == {dtype}) and "
                f"({text}._node is None) is {leaf._node is None}"
            )
            if data.ndim > 1:  # whether a reshape is a view depends on the layout
                self.globals["layout"] = layout
                is_contiguous = f"{array}.flags.c_contiguous"
                same = f"layout({array}) == {self.fresh('L', layout(data))}"
                was_contiguous = data.flags.c_contiguous
                self.guard(
                    f"{is_contiguous} or {same}"
                    if was_contiguous
                    else f"not {is_contiguous} and {same}"
                )
            self.arrays.append(array)
        elif isinstance(leaf, Generator):
            self.generators.append(text)
        elif isinstance(leaf, float) and (leaf != leaf or leaf == 0):
            self.guard(f"same_value({text}, {self.fresh('V', leaf)})")
        elif leaf is not None:
            self.guard(f"{text} == {self.fresh('V', leaf)}")

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
        self.lines.append(f"return {self.tree(trace.structure, iter(texts))}")

    def tree(self, structure: trees.Structure, texts: Any) -> str:
        if structure.node_type is None:
            return next(texts)
        node_type: Any = structure.node_type
        children = [self.tree(child, texts) for child in structure.children]
        if node_type is list:
            return f"[{', '.join(children)}]"
        if node_type is tuple:
            return f"({''.join(child + ', ' for child in children)})"
        name = self.fresh("C", node_type)
        if issubclass(node_type, dict):
            pairs = [
                f"{self.fresh('k', key)}: {child}" if key is not None else f"None: {child}"
                for key, child in zip(structure.keys, children, strict=True)
            ]
            text = "{" + ", ".join(pairs) + "}"
            return text if node_type is dict else f"{name}({text})"
        if is_dataclass(node_type):
            self.globals["rebuilt"] = trees.rebuilt
            values = "".join(child + ", " for child in children)
            return f"rebuilt({name}, {self.fresh('K', structure.keys)}, ({values}))"
        return f"{name}({', '.join(children)})"


class _Captured:
    """Captured tensors; `arrays` raises GraphError if one has changed or now needs a gradient."""

    def __init__(self, tensors: list[Value]) -> None:
        self.tensors = tensors
        self.shapes_and_dtypes = [(t._data.shape, t._data.dtype) for t in tensors]
        self.since = record.clock

    def arrays(self) -> list[Any]:
        for t, (shape, dtype) in zip(self.tensors, self.shapes_and_dtypes, strict=True):
            if (t._data.shape, t._data.dtype) != (shape, dtype):
                raise GraphError(
                    f"compile: a tensor that the function uses, and that is not an argument, was "
                    f"traced with shape {list(shape)} and type {dtype}, and now has "
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

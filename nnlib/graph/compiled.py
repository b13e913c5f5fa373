"""The objects that `nnlib.compile` returns: pure functions and their traces.

A call is one generated function (`nnlib.graph.caller`): it guards the arguments and what the
function reads from outside, extracts the arrays, runs the lowered graph and wraps the results.  If
a guard of each trace fails, the function is traced again (`nnlib.graph.pure`).
"""

from __future__ import annotations

import functools
import inspect
import threading
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nnlib import dtypes, record, trees
from nnlib.functions.create import Generator
from nnlib.graph.caller import MISS, Caller, Static, layout
from nnlib.graph.lower import backend
from nnlib.graph.outside import Outside
from nnlib.graph.pure import Traced, traced
from nnlib.graph.steps import GraphError
from nnlib.record import Value

MOST_TRACES = 64  # that a function keeps; a further one replaces the oldest
TRACES_BEFORE_WARNING = 8  # those that differ only in the Python numbers among the arguments


class Compiled:
    """A compiled function.  `traces` counts how often it was traced.

    >>> import nnlib
    >>> double = nnlib.compile(lambda x: 2 * x)
    >>> double(nnlib.tensor([1.0, 2.0])), double.traces
    (tensor([2., 4.]), 1)
    """

    followed = "fn"  # the attribute that Outside follows if a compiled function calls this one

    def __init__(
        self, fn: Callable[..., Any], static: Sequence[str | int] = (), backend: str | None = None
    ) -> None:
        if not callable(fn):
            raise TypeError(f"compile needs a function, not {type(fn).__name__}")
        functools.update_wrapper(self, fn, updated=())
        self.fn = fn
        self.traces = 0
        self._backend = backend
        self._name = getattr(fn, "__name__", type(fn).__name__)
        self._static_keys = _static_keys(fn, static)
        self._compiled_traces: list[CompiledTrace] = []
        self._lock = threading.Lock()
        self._traces_by_structure: dict[Any, int] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the results for these arguments; raise GraphError if the function is not pure."""
        if record.is_tracing():  # called by a function that is being traced itself
            return self.fn(*args, **kwargs)
        for compiled in self._compiled_traces:
            result = compiled.call(args, kwargs)
            if result is not MISS:
                return result
        compiled = self._trace(args, kwargs)
        result = compiled.call(args, kwargs)
        assert result is not MISS, "a compiled trace accepts the arguments of its trace"
        return result

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def source(self, *args: Any, **kwargs: Any) -> str:
        """The loops or NumPy calls that run for these arguments, as Python.

        Raises GraphError if the function is not pure.

        >>> import nnlib
        >>> double = nnlib.compile(lambda x: 2 * x, backend="numpy")
        >>> "mul" in double.source(nnlib.tensor([1.0, 2.0]))
        True
        """
        self(*args, **kwargs)
        for compiled in self._compiled_traces:
            if compiled.call(args, kwargs) is not MISS:
                return compiled.lowered.source
        raise GraphError("something outside the function changed while it ran")

    def _trace(self, args: tuple, kwargs: dict[str, Any]) -> CompiledTrace:
        static = self._static_arguments(args, kwargs)
        leaves, structure = trees.flatten(_with_static(args, kwargs, static))
        args_structure, kwargs_structure = structure.children
        paths = [*trees.paths(args_structure), *trees.paths(kwargs_structure)]
        _check_leaves(self._name, leaves, paths)
        outside = Outside(self._name, self.fn, tuple(static.values()))
        unwrapped = functools.wraps(self.fn)(functools.partial(_call_unwrapped, self.fn))
        trace = traced(unwrapped, self._name, leaves, structure, outside)
        compiled = CompiledTrace(trace, outside, leaves, structure, self._backend)
        with self._lock:
            self.traces += 1
            # Drop the traces that no longer match because something outside has changed.
            valid = [t for t in self._compiled_traces if t.outside.unchanged()]
            self._compiled_traces = [compiled, *valid][:MOST_TRACES]
            self._count_numbers(leaves, structure)
        return compiled

    def _static_arguments(self, args: tuple, kwargs: dict[str, Any]) -> dict[Any, Any]:
        by_position = {k: v for k, v in enumerate(args) if k in self._static_keys}
        return by_position | {k: v for k, v in kwargs.items() if k in self._static_keys}

    def _count_numbers(self, leaves: list[Any], structure: trees.Structure) -> None:
        if not any(isinstance(x, (int, float)) and not isinstance(x, bool) for x in leaves):
            return
        shape = tuple([_shape_and_layout(x) if isinstance(x, Value) else type(x) for x in leaves])
        key = structure, shape
        count = self._traces_by_structure[key] = self._traces_by_structure.get(key, 0) + 1
        if count == TRACES_BEFORE_WARNING:
            warnings.warn(
                f"compile: {self._name} was traced {count} times for different Python numbers "
                "among its arguments. Pass a number that changes from call to call as a tensor: "
                "nnlib.tensor(rate).",
                stacklevel=5,
            )


def _shape_and_layout(x: Value) -> tuple:
    return x._data.shape, layout(np.asarray(x._data))


def _call_unwrapped(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    args = tuple([a.value if isinstance(a, Static) else a for a in args])
    return fn(*args, **{k: v.value if isinstance(v, Static) else v for k, v in kwargs.items()})


def _with_static(args: tuple, kwargs: dict, static: dict) -> tuple[tuple, dict]:
    return (
        tuple([Static(a) if k in static else a for k, a in enumerate(args)]),
        {k: Static(v) if k in static else v for k, v in kwargs.items()},
    )


def _static_keys(fn: Callable[..., Any], static: Any) -> set[Any]:
    """The static arguments, each both by its position and by its name."""
    arguments = (static,) if isinstance(static, (str, int)) else tuple(static)
    try:
        parameters = list(inspect.signature(fn).parameters)
    except (TypeError, ValueError):
        return set(arguments)
    result: set[Any] = set()
    for key in arguments:
        if isinstance(key, str) and key not in parameters:
            raise ValueError(f"compile(static={static!r}): the function has no parameter {key!r}")
        if isinstance(key, int) and not 0 <= key < len(parameters):
            raise ValueError(f"compile(static={static!r}): there is no parameter number {key}")
        position = parameters.index(key) if isinstance(key, str) else key
        result |= {position, parameters[position]}
    return result


def _check_leaves(name: str, leaves: list[Any], paths: list[str]) -> None:
    known = (Value, Generator, Static, int, float, complex, str, bytes, type(None), dtypes.dtype)
    for leaf, path in zip(leaves, paths, strict=True):
        if isinstance(leaf, Static):
            try:
                hash(leaf.value)
            except TypeError:
                raise TypeError(
                    f"compile: the static argument {path} of {name} is {type(leaf.value).__name__}"
                    ", which may change (it has no hash). Pass a tuple instead of a list."
                ) from None
        elif not isinstance(leaf, known):
            raise GraphError(
                f"compile: the argument {path} of {name} is {type(leaf).__name__}. Arguments are "
                "tensors, in tuples, lists, dicts or data classes, numbers, strings and "
                "nnlib.Generator; name others in compile(fn, static=…), and turn arrays into "
                "tensors."
            )


class CompiledTrace:
    """One lowered trace: `call(args, kwargs)` returns the results, or MISS for other arguments."""

    def __init__(
        self, trace: Traced, outside: Outside, leaves: list[Any], structure: trees.Structure,
        backend_name: str | None,
    ) -> None:  # fmt: skip
        self.outside = outside
        results = [r.at for r in trace.results if r.at is not None]
        results += [position for position, _ in trace.expected]
        self.lowered = backend(backend_name)(trace.graph, trace.inputs, results)
        self.call = Caller(trace, outside, leaves, structure, self.lowered.run).call

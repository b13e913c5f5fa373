"""The objects that `nnlib.compile` returns: pure functions, traced once for each form of arguments.

A call is one generated function (`nnlib.graph.caller`): it checks that the arguments have the form
that was traced, extracts their arrays, runs the lowered graph and wraps the results.  If the form
is new, or something outside the function has changed, it is traced again (`nnlib.graph.pure`).
"""

from __future__ import annotations

import functools
import inspect
import threading
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from nnlib import dtypes, record, trees
from nnlib.functions.create import Generator
from nnlib.graph.caller import MISS, Caller, Static
from nnlib.graph.lower import backend
from nnlib.graph.outside import Outside
from nnlib.graph.pure import Traced, traced
from nnlib.graph.steps import GraphError
from nnlib.record import Value

MOST_TRACES = 64  # kept per function; after that, a new trace replaces the oldest
PATIENCE = 8  # traces that differ only in Python numbers before a warning is given


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
        self._static = _static(fn, static)
        self._plans: list[Plan] = []
        self._lock = threading.Lock()
        self._by_numbers: dict[Any, int] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the results for these arguments; raise GraphError if the function is not pure."""
        if record.is_watched():  # called by a function that is being traced itself
            return self.fn(*args, **kwargs)
        for plan in self._plans:
            result = plan.call(args, kwargs)
            if result is not MISS:
                return result
        plan = self._trace(args, kwargs)
        result = plan.call(args, kwargs)
        assert result is not MISS, "a plan accepts the arguments for which it was traced"
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
        for plan in self._plans:
            if plan.call(args, kwargs) is not MISS:
                return plan.lowered.source
        raise GraphError("something outside the function changed while it ran")

    def _trace(self, args: tuple, kwargs: dict[str, Any]) -> Plan:
        static = self._fixed(args, kwargs)
        leaves, form = trees.flatten(_with_static(args, kwargs, static))
        args_form, kwargs_form = form.parts
        paths = [*trees.paths(args_form), *trees.paths(kwargs_form)]
        _check_leaves(self._name, leaves, paths)
        outside = Outside(self._name, self.fn, tuple(static.values()))
        unwrapped = functools.wraps(self.fn)(functools.partial(_called, self.fn))
        trace = traced(unwrapped, self._name, leaves, form, outside)
        plan = Plan(trace, outside, leaves, form, self._backend)
        with self._lock:
            self.traces += 1
            # Drop the plans that no longer match because something outside has changed.
            kept = [p for p in self._plans if p.outside.same()]
            self._plans = [plan, *kept][:MOST_TRACES]
            self._count_numbers(leaves, form)
        return plan

    def _fixed(self, args: tuple, kwargs: dict[str, Any]) -> dict[Any, Any]:
        at = {k: v for k, v in enumerate(args) if k in self._static}
        return at | {k: v for k, v in kwargs.items() if k in self._static}

    def _count_numbers(self, leaves: list[Any], form: trees.Form) -> None:
        if not any(isinstance(x, (int, float)) and not isinstance(x, bool) for x in leaves):
            return
        shape = tuple([x._data.shape if isinstance(x, Value) else type(x) for x in leaves])
        count = self._by_numbers[form, shape] = self._by_numbers.get((form, shape), 0) + 1
        if count == PATIENCE:
            warnings.warn(
                f"compile: {self._name} was traced {count} times for different Python numbers "
                "among its arguments. Pass a number that changes from call to call as a tensor: "
                "nnlib.tensor(rate).",
                stacklevel=5,
            )


def _called(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    args = tuple([a.value if isinstance(a, Static) else a for a in args])
    return fn(*args, **{k: v.value if isinstance(v, Static) else v for k, v in kwargs.items()})


def _with_static(args: tuple, kwargs: dict, static: dict) -> tuple[tuple, dict]:
    return (
        tuple([Static(a) if k in static else a for k, a in enumerate(args)]),
        {k: Static(v) if k in static else v for k, v in kwargs.items()},
    )


def _static(fn: Callable[..., Any], static: Any) -> set[Any]:
    """The static arguments, each both by its position and by its name."""
    named = (static,) if isinstance(static, (str, int)) else tuple(static)
    try:
        parameters = list(inspect.signature(fn).parameters)
    except (TypeError, ValueError):
        return set(named)
    keys: set[Any] = set()
    for one in named:
        if isinstance(one, str) and one not in parameters:
            raise ValueError(f"compile(static={static!r}): the function has no parameter {one!r}")
        if isinstance(one, int) and not 0 <= one < len(parameters):
            raise ValueError(f"compile(static={static!r}): there is no parameter number {one}")
        at = parameters.index(one) if isinstance(one, str) else one
        keys |= {at, parameters[at]}
    return keys


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


class Plan:
    """One lowered trace: `call(args, kwargs)` returns the results, or MISS for other arguments."""

    def __init__(
        self, trace: Traced, outside: Outside, leaves: list[Any], form: trees.Form,
        kind: str | None,
    ) -> None:  # fmt: skip
        self.outside = outside
        results = [r.at for r in trace.results if r.at is not None]
        results += [at for at, _ in trace.expected]
        self.lowered = backend(kind)(trace.graph, trace.inputs, results)
        self.call = Caller(trace, outside, leaves, form, self.lowered.run).call

"""Tracing: a function runs once, and every primitive that it applies is recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import CellType
from typing import Any

import numpy as np

from nnlib import record
from nnlib.graph.steps import GraphError, Step, Steps
from nnlib.record import Primitive, Value, make


class Tracer:
    """A tracer that records every primitive that is applied.

    >>> import nnlib
    >>> from nnlib import record
    >>> tracer, x = nnlib.graph.Tracer(), nnlib.tensor(1.0)
    >>> with record.traced_by(tracer):
    ...     y = x.exp()
    >>> [step.op for step in tracer.steps]
    ['constant', 'exp']
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.known: dict[int, int] = {}
        self.alive: list[Value] = []  # keeps tensors alive, because their ids must stay unique
        self.dependent: set[int] = set()  # steps that depend on an input
        self.names: dict[int, str] = {}  # the program's names for the tensors that it captured
        self.unrecorded: dict[int, int | None] = {}  # steps under no_grad, and their detached form

    def add(self, step: Step, value: Value | None = None) -> int:
        self.steps.append(step)
        at = len(self.steps) - 1
        if step.op == "input" or any(i in self.dependent for i in step.inputs):
            self.dependent.add(at)
        if value is not None:
            self.bind(value, at)
        return at

    def bind(self, value: Value, at: int) -> None:
        self.known[id(value)] = at
        self.alive.append(value)

    def find(self, value: Any, like: np.dtype | None = None) -> int:
        if isinstance(value, Value):
            at = self.known.get(id(value))
            return self.constant(value._data, value) if at is None else at
        if isinstance(value, (int, float)) and like is not None:
            dtype = like if not (isinstance(value, float) and like.kind != "f") else np.dtype(float)
            return self.constant(dtype.type(value))
        return self.constant(np.asarray(value)[()])

    def constant(self, array: Any, value: Value | None = None) -> int:
        array = np.array(array)[()]
        name = None if value is None else self.names.get(id(value))
        step = Step("constant", array.shape, array.dtype.name, name=name, value=array)
        return self.add(step, value)

    # -- the methods of record.TracerProtocol
    def applied(self, primitive: Primitive, args: tuple, attrs: dict, result: Value) -> None:
        if primitive.decomposition is not None:
            raise GraphError(f"{primitive.name} is fused and is traced through its decomposition")
        dtypes = [a._data.dtype for a in args if isinstance(a, Value) and a._data.dtype.kind != "b"]
        like = dtypes[0] if dtypes else result._data.dtype
        inputs = [self.find(a, like) for a in args]
        if record.grad_enabled():
            inputs = [self._detached(i) for i in inputs]
        data = result._data
        step = Step(primitive.name, data.shape, data.dtype.name, tuple(inputs), dict(attrs))
        at = self.add(step, result)
        if not record.grad_enabled() and primitive.differentiable and at in self.dependent:
            self.unrecorded[at] = None

    def _detached(self, at: int) -> int:
        """The step through which a recorded one uses step `at`: detached if it is under no_grad."""
        if at not in self.unrecorded:
            return at
        detached = self.unrecorded[at]
        if detached is None:
            step = self.steps[at]
            detached = self.add(Step("detach", step.shape, step.dtype, (at,)))
            self.unrecorded[at] = detached
        return detached

    def custom(self, value: Value, name: str) -> None:
        # The result of an autograd.Function, whose backward is not part of the graph.
        at, data = self.find(value), value._data
        self.add(Step("detach", data.shape, data.dtype.name, (at,), {"function": name}), value)

    def alias(self, value: Value, of: Value) -> None:
        self.bind(value, self.find(of))

    def rebound(self, value: Value, result: Value) -> None:
        at = self.find(result)
        if result._data.dtype != value._data.dtype:
            cast = Step(
                "cast",
                value._data.shape,
                value._data.dtype.name,
                (at,),
                {"dtype": value._data.dtype.name},
            )
            at = self.add(cast)
        self.bind(value, at)

    def changing(self, value: Value, how: str) -> None:
        # A tensor is about to be changed in place; `rebound` then gives its new value.
        pass

    def leaf_grad(self, leaf: record.Node) -> None:
        # Reading or writing the `.grad` of a leaf is not recorded.
        pass

    def value_read(self, value: Value, how: str) -> None:
        at = self.known.get(id(value))
        if at is not None and at in self.dependent:
            raise GraphError(
                f"the traced function reads a tensor's value with {how}: the graph would always "
                "use this same value. Use nnlib.where(condition, a, b) instead of if."
            )

    def expects(self, value: Value, low: float, high: float, error: str) -> None:
        # Eager code raises an error for a value outside [low, high]; a graph does not check it.
        pass

    def sample(self, function: Callable[..., Any], args: tuple, kwargs: dict) -> Any:
        raise GraphError(
            f"the traced function generates random numbers with {function.__name__}(): the graph "
            "would use the same numbers in every run. Generate them outside and pass them as an "
            "input."
        )

    def refuse(self, reason: str) -> None:
        raise GraphError(f"the function cannot be traced: {reason}")


def _captured(fn: Callable[..., Any]) -> dict[int, str]:
    """The names of the tensors that a function uses from its closure or its module."""
    code = getattr(fn, "__code__", None)
    if code is None:
        return {}
    cells = zip(code.co_freevars, fn.__closure__ or ())
    values = {n: c.cell_contents for n, c in cells if c != _EMPTY}
    values.update({n: fn.__globals__[n] for n in code.co_names if n in fn.__globals__})
    return {id(v): n for n, v in values.items() if isinstance(v, Value)}


_EMPTY = CellType()


def recorded_steps(fn: Callable[..., Any], inputs: Mapping[str, Any]) -> Steps:
    """All steps that `fn` applies, before any simplification."""
    from nnlib.functions.create import tensor

    tracer = Tracer()
    tracer.names = _captured(fn)
    values = {}
    for name, example in inputs.items():
        source = example if isinstance(example, Value) else tensor(example)
        value = make(
            np.array(source._data)[()], record.Leaf() if source._node is not None else None
        )
        tracer.add(Step("input", value._data.shape, value._data.dtype.name, name=name), value)
        values[name] = value
    with record.traced_by(tracer):
        result = fn(**values)
    named = result if isinstance(result, dict) else {"output": result}
    for name, value in named.items():
        if not isinstance(value, Value):
            raise GraphError(
                f"the traced function must return tensors: {name!r} is {type(value).__name__}"
            )
    outputs = {name: tracer._detached(tracer.find(value)) for name, value in named.items()}
    return Steps(tracer.steps, outputs)

"""The recorded graph as a thing of its own: traced from a function, run again, written as JSON.

`trace(fn, **inputs)` runs a function once and keeps every primitive that was applied, in order.
The result runs again on other inputs, and travels to the page as JSON (docs/graph-schema.md).
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nnlib import dtypes, record
from nnlib.record import Primitive, Value, make

FORMAT, VERSION = "nnlib.graph", 1
LARGEST = 50_000_000  # elements in one node: a bound for what a file may ask of its reader
_PLAIN_VALUES = 16  # constants up to this size are written as numbers, larger ones as base64


class GraphError(ValueError):
    """A graph that cannot be traced, or a file that is no graph."""


@dataclass
class Step:
    """One node: an input, a constant, or a primitive applied to earlier nodes."""

    op: str
    shape: tuple[int, ...]
    dtype: str
    inputs: tuple[int, ...] = ()
    attrs: dict[str, Any] = field(default_factory=dict)
    name: str | None = None
    value: Any = None


@dataclass
class Graph:
    """Steps in an order in which each one's inputs come before it, and the named outputs."""

    steps: list[Step]
    outputs: dict[str, int]

    @property
    def inputs(self) -> dict[str, Step]:
        """The steps that a caller provides, by name."""
        return {s.name: s for s in self.steps if s.op == "input" and s.name is not None}

    def run(self, **inputs: Any) -> dict[str, np.ndarray]:
        """Compute the outputs for other inputs of the same shapes, with NumPy alone.

        Raises GraphError where an input is missing, unknown, or of another shape.

        >>> import nnlib
        >>> g = trace(lambda x: {"y": x * x + 1.0}, x=nnlib.tensor(3.0))
        >>> g.run(x=4.0)["y"].item()
        17.0
        """
        unknown = sorted(set(inputs) ^ set(self.inputs))
        if unknown:
            raise GraphError(
                f"this graph takes the inputs {sorted(self.inputs)}; missing or unknown: {unknown}"
            )
        values: list[Any] = []
        for step in self.steps:
            if step.op == "input":
                assert step.name is not None
                value = np.asarray(inputs[step.name], step.dtype)[()]
                if value.shape != step.shape:
                    raise GraphError(
                        f"input {step.name!r} was traced with shape {list(step.shape)} and is now "
                        f"{list(value.shape)}: a graph has fixed shapes, trace the function again"
                    )
                values.append(value)
            elif step.op == "constant":
                values.append(step.value)
            else:
                arguments = [values[i] for i in step.inputs]
                values.append(Primitive.registry[step.op].forward(*arguments, **step.attrs))
        return {name: np.asarray(values[i]) for name, i in self.outputs.items()}

    def simplified(self) -> Graph:
        """Without dead steps, repeated steps, and steps whose inputs are all constant."""
        return _simplify(self)

    def to_dict(self) -> dict[str, Any]:
        """The graph as plain JSON values, by the schema in docs/graph-schema.md."""
        nodes = [_written(step) for step in self.steps]
        outputs = [{"name": name, "node": at} for name, at in self.outputs.items()]
        return {"format": FORMAT, "version": VERSION, "nodes": nodes, "outputs": outputs}

    def to_json(self) -> str:
        """The graph as JSON text."""
        return json.dumps(self.to_dict(), separators=(",", ":"), allow_nan=False)

    @staticmethod
    def from_json(text: str) -> Graph:
        """Read a graph back.  Raises GraphError for anything that is not one."""
        try:
            return _read(json.loads(text))
        except json.JSONDecodeError as error:
            raise GraphError(f"this is not JSON: {error}") from None


# ---------------------------------------------------------------- tracing


class Tracer:
    """A watcher that writes down every primitive it sees."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.known: dict[int, int] = {}
        self.alive: list[Value] = []  # ids stay unique only while what they name lives
        self.live: set[int] = set()  # steps that depend on an input

    def add(self, step: Step, value: Value | None = None) -> int:
        self.steps.append(step)
        at = len(self.steps) - 1
        if step.op == "input" or any(i in self.live for i in step.inputs):
            self.live.add(at)
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
            kind = like if not (isinstance(value, float) and like.kind != "f") else np.dtype(float)
            return self.constant(kind.type(value))
        return self.constant(np.asarray(value)[()])

    def constant(self, array: Any, value: Value | None = None) -> int:
        array = np.array(array)[()]
        return self.add(Step("constant", array.shape, array.dtype.name, value=array), value)

    # -- what record.Watcher asks for
    def saw(self, primitive: Primitive, args: tuple, attrs: dict, result: Value) -> None:
        if primitive.plain is not None:
            raise GraphError(f"{primitive.name} is fused and is traced through its plain form")
        kinds = [a._data.dtype for a in args if isinstance(a, Value) and a._data.dtype.kind != "b"]
        like = kinds[0] if kinds else result._data.dtype
        inputs = tuple([self.find(a, like) for a in args])
        data = result._data
        self.add(Step(primitive.name, data.shape, data.dtype.name, inputs, dict(attrs)), result)

    def alias(self, value: Value, of: Value) -> None:
        self.bind(value, self.find(of))

    def rebound(self, value: Value, result: Value) -> None:
        at = self.find(result)
        if result._data.dtype != value._data.dtype:
            cast = Step(
                "cast", value._data.shape, value._data.dtype.name, (at,),
                {"dtype": value._data.dtype.name},
            )  # fmt: skip
            at = self.add(cast)
        self.bind(value, at)

    def peeked(self, value: Value, how: str) -> None:
        at = self.known.get(id(value))
        if at is not None and at in self.live:
            raise GraphError(
                f"the traced function looks at a value with {how}: what it then does would be "
                "fixed at this one value. Use nnlib.where(condition, a, b) instead of if."
            )


def trace(fn: Callable[..., Any], /, **inputs: Any) -> Graph:
    """Run `fn` once on tensors and return what it did as a `Graph`.

    `inputs` are example values (tensors, arrays or numbers) under the names of fn's parameters.
    `fn` returns a dict of named tensors, or one tensor (named "output").  Gradients taken inside,
    and in-place updates, are part of the graph.  Raises GraphError where the function's course
    depends on a value.

    >>> import nnlib
    >>> g = trace(lambda x: x.exp(), x=nnlib.ones(2))
    >>> [s.op for s in g.steps]
    ['input', 'exp']
    """
    from nnlib.functions.create import tensor

    tracer = Tracer()
    values = {}
    for name, given in inputs.items():
        source = given if isinstance(given, Value) else tensor(given)
        value = make(
            np.array(source._data)[()], record.Leaf() if source._node is not None else None
        )
        tracer.add(Step("input", value._data.shape, value._data.dtype.name, name=name), value)
        values[name] = value
    with record.watching(tracer):
        result = fn(**values)
    named = result if isinstance(result, dict) else {"output": result}
    for name, value in named.items():
        if not isinstance(value, Value):
            raise GraphError(
                f"the traced function must return tensors: {name!r} is {type(value).__name__}"
            )
    outputs = {name: tracer.find(value) for name, value in named.items()}
    return Graph(tracer.steps, outputs).simplified()


# ---------------------------------------------------------------- simplifying


def _simplify(graph: Graph) -> Graph:
    needed = _needed(graph)
    steps: list[Step] = []
    moved: dict[int, int] = {}
    seen: dict[Any, int] = {}
    for at, step in enumerate(graph.steps):
        if at not in needed and step.op != "input":
            continue
        new = Step(
            step.op, step.shape, step.dtype, tuple([moved[i] for i in step.inputs]), step.attrs,
            step.name, step.value,
        )  # fmt: skip
        if new.op == "clone":
            moved[at] = new.inputs[0]
            continue
        if new.inputs and all(steps[i].op == "constant" for i in new.inputs):
            forward = Primitive.registry[new.op].forward
            value = np.array(forward(*[steps[i].value for i in new.inputs], **new.attrs))[()]
            new = Step("constant", value.shape, value.dtype.name, value=value)
        key = _key(new, at)
        if key not in seen:
            steps.append(new)
            seen[key] = len(steps) - 1
        moved[at] = seen[key]
    folded = Graph(steps, {name: moved[at] for name, at in graph.outputs.items()})
    return folded if len(steps) == len(graph.steps) else _simplify(folded)


def _needed(graph: Graph) -> set[int]:
    needed = set(graph.outputs.values())
    for at in range(len(graph.steps) - 1, -1, -1):
        if at in needed:
            needed.update(graph.steps[at].inputs)
    return needed


def _key(step: Step, at: int) -> Any:
    if step.op == "input":
        return ("input", at)
    if step.op == "constant":
        return ("constant", step.dtype, step.shape, np.asarray(step.value).tobytes())
    return (step.op, step.inputs, repr(sorted(step.attrs.items())))


# ---------------------------------------------------------------- JSON


def _written(step: Step) -> dict[str, Any]:
    base = {"shape": list(step.shape), "dtype": step.dtype}
    if step.op == "input":
        return {"op": "input", "name": step.name, **base}
    if step.op == "constant":
        return {"op": "constant", **base, **_written_values(np.asarray(step.value))}
    return {"op": step.op, "in": list(step.inputs), "attrs": _plain(step.attrs), **base}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(v) for v in value]
    return value.item() if isinstance(value, np.generic) else value


_NAMED = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def _written_values(array: np.ndarray) -> dict[str, Any]:
    if array.size > _PLAIN_VALUES:
        little = array.astype(array.dtype.newbyteorder("<"))
        return {"base64": base64.b64encode(little.tobytes()).decode("ascii")}
    return {"data": [_number(v) for v in array.ravel().tolist()]}


def _number(v: Any) -> Any:
    if isinstance(v, float) and not math.isfinite(v):
        return "NaN" if math.isnan(v) else "Infinity" if v > 0 else "-Infinity"
    return v


def _read(data: Any) -> Graph:
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise GraphError(f"this is no {FORMAT}: its format is {_get(data, 'format')!r}")
    if data.get("version") != VERSION:
        raise GraphError(f"version {data.get('version')!r} is not known here (known: {VERSION})")
    steps = []
    for at, node in enumerate(data.get("nodes", [])):
        try:
            steps.append(_read_step(node, at))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise GraphError(f"node {at} cannot be read: {error!r}") from None
    outputs = {o["name"]: o["node"] for o in data.get("outputs", [])}
    for name, at in outputs.items():
        if not isinstance(at, int) or not 0 <= at < len(steps):
            raise GraphError(f"output {name!r} is node {at}, and there are {len(steps)}")
    return Graph(steps, outputs)


def _get(data: Any, key: str) -> Any:
    return data.get(key) if isinstance(data, dict) else type(data).__name__


def _read_step(node: dict[str, Any], at: int) -> Step:
    shape, dtype = tuple(node["shape"]), node["dtype"]
    np_type = next(d.numpy for d in dtypes.dtype.known.values() if d.name == dtype)
    if math.prod(shape) > LARGEST:
        raise ValueError(f"{math.prod(shape)} elements are more than the bound of {LARGEST}")
    op = node["op"]
    if op == "input":
        return Step(op, shape, dtype, name=node["name"])
    if op == "constant":
        if "base64" in node:
            values = np.frombuffer(base64.b64decode(node["base64"]), np_type.newbyteorder("<"))
            values = values.astype(np_type)
        else:
            values = np.array([_NAMED.get(v, v) for v in node["data"]], np_type)
        return Step(op, shape, dtype, value=values.reshape(shape)[()])
    if op not in Primitive.registry:
        raise ValueError(f"the operation {op!r} is not known here")
    inputs = tuple(node["in"])
    if not all(isinstance(i, int) and 0 <= i < at for i in inputs):
        raise ValueError(f"it refers to {list(inputs)}, which do not all come before it")
    return Step(op, shape, dtype, inputs, {k: _tupled(v) for k, v in node["attrs"].items()})


def _tupled(value: Any) -> Any:
    return tuple([_tupled(v) for v in value]) if isinstance(value, list) else value

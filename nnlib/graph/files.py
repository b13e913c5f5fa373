"""The graph as JSON: written for web pages, and read back with every limit checked."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import numpy as np

from nnlib import dtypes
from nnlib.graph.steps import GraphError, Step, Steps
from nnlib.record import Primitive

FORMAT, VERSION = "nnlib.graph", 1
LARGEST = 50_000_000  # elements in one node: limits the memory that reading a file can take
_LONGEST_LIST = 16  # constants of up to so many numbers are written as lists, larger ones as base64
_WORTH_HALVING = 1024  # float32 constants from this size on become float16 if no value changes


def to_dict(graph: Steps) -> dict[str, Any]:
    nodes = [_json_node(step) for step in graph.steps]
    outputs = [{"name": name, "node": at} for name, at in graph.outputs.items()]
    return {"format": FORMAT, "version": VERSION, "nodes": nodes, "outputs": outputs}


def to_json(graph: Steps) -> str:
    return json.dumps(to_dict(graph), separators=(",", ":"), allow_nan=False)


def from_json(text: str) -> Steps:
    try:
        return _steps(json.loads(text))
    except json.JSONDecodeError as error:
        raise GraphError(f"this is not JSON: {error}") from None


def _json_node(step: Step) -> dict[str, Any]:
    dtype = _json_dtype(step.dtype)
    base = {"shape": list(step.shape), "dtype": dtype}
    if step.op == "input":
        return {"op": "input", "name": step.name, **base}
    if step.op == "constant":
        values = np.asarray(step.value)
        return {"op": "constant", **base, **_json_values(values.astype(dtype, copy=False))}
    attrs = _json_value(step.attrs)
    if step.op == "cast":
        attrs["dtype"] = dtype
    return {"op": step.op, "in": list(step.inputs), "attrs": attrs, **base}


def _json_dtype(name: str) -> str:
    """Integers are int64 in a file, since NumPy's default is int32 for Python in a browser."""
    return "int64" if name in ("int8", "int16", "int32", "uint8") else name


def _json_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _json_value(v) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return [_json_value(v) for v in value]
    return _json_number(value.item() if isinstance(value, np.generic) else value)


_NONFINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def _json_values(array: np.ndarray) -> dict[str, Any]:
    if array.size > _LONGEST_LIST:
        if _fits_half(array):
            return {"base64": _base64(array.astype("<f2")), "stored": "float16"}
        return {"base64": _base64(array.astype(array.dtype.newbyteorder("<")))}
    return {"data": [_json_number(v) for v in array.ravel().tolist()]}


def _base64(array: np.ndarray) -> str:
    return base64.b64encode(array.tobytes()).decode("ascii")


def _fits_half(array: np.ndarray) -> bool:
    """Whether a large float32 array, such as shipped weights, loses nothing as float16."""
    if array.dtype != np.float32 or array.size < _WORTH_HALVING:
        return False
    with np.errstate(over="ignore"):
        return bool((array.astype(np.float16) == array).all())


def constant_values(node: dict[str, Any], dtype: np.dtype) -> np.ndarray:
    """The values of a constant that a file stores as base64: a flat array of the given dtype."""
    if node.get("stored", "float16") != "float16":
        raise ValueError(f"a constant stored as {node['stored']!r} cannot be read")
    stored = np.dtype(np.float16) if "stored" in node else dtype
    flat = np.frombuffer(base64.b64decode(node["base64"]), stored.newbyteorder("<"))
    return flat.astype(dtype)


def _json_number(v: Any) -> Any:
    if isinstance(v, float) and not math.isfinite(v):
        return "NaN" if math.isnan(v) else "Infinity" if v > 0 else "-Infinity"
    return v


def _steps(data: Any) -> Steps:
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise GraphError(f"this is not {FORMAT}: its format is {_shown_format(data)!r}")
    if data.get("version") != VERSION:
        raise GraphError(f"version {data.get('version')!r} is unknown (known: {VERSION})")
    steps = []
    for at, node in enumerate(data.get("nodes", [])):
        try:
            steps.append(_step(node, at))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise GraphError(f"node {at} cannot be read: {error!r}") from None
    outputs = {o["name"]: o["node"] for o in data.get("outputs", [])}
    for name, at in outputs.items():
        if not isinstance(at, int) or not 0 <= at < len(steps):
            raise GraphError(f"output {name!r} is node {at}, but there are {len(steps)} nodes")
    return Steps(steps, outputs)


def _shown_format(data: Any) -> Any:
    return data.get("format") if isinstance(data, dict) else type(data).__name__


def _step(node: dict[str, Any], at: int) -> Step:
    shape, dtype = tuple(node["shape"]), node["dtype"]
    np_type = next(d.numpy for d in dtypes.dtype.known.values() if d.name == dtype)
    if math.prod(shape) > LARGEST:
        raise ValueError(f"{math.prod(shape)} elements are more than the limit of {LARGEST}")
    op = node["op"]
    if op == "input":
        return Step(op, shape, dtype, name=node["name"])
    if op == "constant":
        if "base64" in node:
            values = constant_values(node, np_type)
        else:
            values = np.array([_NONFINITE.get(v, v) for v in node["data"]], np_type)
        return Step(op, shape, dtype, value=values.reshape(shape)[()])
    if op not in Primitive.registry:
        raise ValueError(f"the operation {op!r} is unknown")
    inputs = tuple(node["in"])
    if not all(isinstance(i, int) and 0 <= i < at for i in inputs):
        raise ValueError(f"it refers to {list(inputs)}, which do not all come before it")
    return Step(op, shape, dtype, inputs, {k: _tupled(v) for k, v in node["attrs"].items()})


def _tupled(value: Any) -> Any:
    if isinstance(value, list):
        return tuple([_tupled(v) for v in value])
    return _NONFINITE[value] if isinstance(value, str) and value in _NONFINITE else value

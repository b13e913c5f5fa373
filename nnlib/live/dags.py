"""The recorded graph of a function as a view: each operation is a node with value and gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nnlib.live.parts import Data, Part, parameters
from nnlib.live.programs import record

MAX_NODES = 200


def instrument(part: Any, env: Mapping[str, Any]) -> dict[str, Callable]:
    """Records the function of each `dag(of=…)` below `part` and fills in the nodes of the dag.

    Returns, for each dag's name, a function that computes the values and gradients of its nodes.
    """
    functions: dict[str, Callable] = {}
    for dag in _dags(part):
        name = f"_dag{len(functions)}"
        function = dag.fields.pop("of")
        dag.fields["of"] = None
        names = parameters(function, list(env), "dag(of=…)")
        graph = record(
            lambda f=function, **a: {"result": f(**a)}, {k: env[k] for k in names}, False
        )
        dag.fields["nodes"], dag.fields["backward"] = _nodes(graph, name)
        functions[name] = _values(graph, name, names)
    return functions


def names_of(part: Any) -> list[str]:
    """Every name that the dags below `part` refer to."""
    names = []
    for dag in _dags(part, "nodes"):
        for node in dag.fields["nodes"] or ():
            names += [node[k].source for k in ("value", "grad") if isinstance(node.get(k), Data)]
    return [n for n in names if isinstance(n, str)]


def dag_states(function: Callable, **inputs: Any) -> list[str]:
    """The names of a graph's states for `live.stepper`: start, values forwards, gradients back.

    >>> from nnlib import live
    >>> live.dag_states(lambda a, b: a * b + b, a=2.0, b=3.0)[:3]
    ['start', 'a', 'b']
    """
    from nnlib.live.programs import tensor

    tensors = {k: v if hasattr(v, "detach") else tensor(v, "float32") for k, v in inputs.items()}
    nodes, backward = _nodes(record(lambda **a: {"result": function(**a)}, tensors, False), "")
    label = {n["id"]: n["label"] for n in nodes}
    return ["start", *(n["label"] for n in nodes), *(f"d/d {label[i]}" for i in backward)]


def _dags(part: Any, having: str = "of") -> list[Part]:
    """The dags below `part` whose field `having` is set."""
    if isinstance(part, Part):
        own = [part] if part.kind == "dag" and part.fields.get(having) else []
        return own + [d for v in part.fields.values() for d in _dags(v, having)]
    if isinstance(part, list | tuple):
        return [d for v in part for d in _dags(v, having)]
    return []


def _nodes(graph: dict, name: str) -> tuple[list[dict], list[str]]:
    """The dag's nodes in order, and the ids of nodes in the order in which gradients reach them."""
    if len(graph["nodes"]) > MAX_NODES:
        raise ValueError(
            f"this graph has {len(graph['nodes'])} nodes; at most {MAX_NODES} can be shown."
        )
    nodes, differentiable = [], set()
    for i, node in enumerate(graph["nodes"]):
        kind = (
            "input" if node["op"] == "input" else "constant" if node["op"] == "constant" else "op"
        )
        has_gradient = node["op"] == "input" or any(
            f"n{j}" in differentiable for j in node.get("in", ())
        )
        if has_gradient and node["dtype"].startswith("float"):
            differentiable.add(f"n{i}")
        label = node.get("name", node["op"])
        if kind == "constant":
            label = _constant_label(node)
        nodes.append(
            {
                "id": f"n{i}",
                "label": label,
                "op": node["op"],
                "kind": kind,
                "inputs": [f"n{j}" for j in node.get("in", ())],
                "value": Data(f"{name}_v{i}"),
                "grad": Data(f"{name}_g{i}") if f"n{i}" in differentiable else None,
            }
        )
    backward = [n["id"] for n in reversed(nodes) if n["id"] in differentiable]
    return nodes, backward


def _constant_label(node: dict) -> str:
    """A constant's number, or its shape if it has more than one element."""
    if np.prod(node["shape"]) == 1:
        return f"{_constant(node).item():.4g}"
    return f"{tuple(node['shape'])}"


def _values(graph: dict, name: str, names: list[str]) -> Callable:
    """A function of the dag's inputs that returns the value and the gradient of each node."""

    def compute(**inputs: Any) -> dict[str, Any]:
        import nnlib
        from nnlib import primitives

        values: list[Any] = []
        for node in graph["nodes"]:
            if node["op"] == "input":
                value = inputs[node["name"]]
                if node["dtype"].startswith("float"):
                    value = value.detach().requires_grad_(True)
                values.append(value)
            elif node["op"] == "constant":
                values.append(_constant(node))
            else:
                primitive = primitives.registry[node["op"]]
                arguments = [values[j] for j in node["in"]]
                values.append(primitive(*arguments, **_attributes(node)))
        result = values[graph["outputs"][0]["node"]]
        differentiable = [
            i for i, v in enumerate(values) if hasattr(v, "requires_grad") and v.requires_grad
        ]
        gradients = nnlib.autograd.grad(
            result, [values[i] for i in differentiable], create_graph=True, allow_unused=True
        )
        results = {f"{name}_v{i}": v for i, v in enumerate(values)}
        results |= {
            f"{name}_g{i}": g if g is not None else nnlib.zeros_like(values[i])
            for i, g in zip(differentiable, gradients, strict=True)
        }
        return results

    import inspect

    compute.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY) for n in names]
    )
    return compute


def _constant(node: dict) -> Any:
    from nnlib.graph.files import constant_values
    from nnlib.live.programs import tensor

    if "base64" in node:
        flat = constant_values(node, np.dtype(node["dtype"]))
    else:
        flat = np.asarray([float(v) for v in node["data"]]).astype(node["dtype"])
    return tensor(flat.reshape(node["shape"]), node["dtype"])


def _attributes(node: dict) -> dict:
    """A node's attributes, with JSON's lists converted to the tuples that primitives take."""

    def freeze(value: Any) -> Any:
        return tuple(freeze(v) for v in value) if isinstance(value, list) else value

    return {k: freeze(v) for k, v in node.get("attrs", {}).items()}


__all__ = ["dag_states", "instrument", "names_of"]

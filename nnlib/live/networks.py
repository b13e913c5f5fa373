"""Views of computations: a network of neurons and edges, and a recorded graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nnlib.live.marks import Ref
from nnlib.live.parts import Part, data, parse_reference


def neuron(
    id: str | int,
    layer: int,
    *,
    label: str | None = None,
    value: Ref = None,
    bias: Ref = None,
    delta: Ref = None,
    total: Ref = None,
    image: Ref = None,
    row: float | None = None,
    on: Ref = None,
) -> Part:
    """A neuron of `network`: its layer, and what is drawn in it.

    `value` is its activation, `total` its total input, `delta` the loss's derivative with respect
    to the total input, `image` a picture (h, w), `row` its position in the layer.  A `bias` that is
    the name of an input can be dragged like an edge.  `on=0` greys the neuron out.

    >>> from nnlib import live
    >>> neurons = [live.neuron("x", 0, value="x"), live.neuron("a", 1, label="OR", value="a")]
    >>> view = live.network(neurons, [live.edge("x", "a")])
    >>> live.figure(lambda x: {"a": x.sigmoid()}, x=(0.0, 1.0), view=view, title="Two neurons")
    Figure('Two neurons')
    """
    numbers: dict[str, Any] = {"value": data(value), "delta": data(delta), "total": data(total)}
    numbers |= {"on": data(on), "bias": data(bias), "image": data(image), "row": row}
    names = {"id": str(id), "label": str(label if label is not None else id)}
    return Part("neuron", names | {"layer": layer} | numbers)


def edge(
    source: str | int, target: str | int, weight: Ref = None, *, gradient: Ref = None, label=None
) -> Part:
    """An edge of `network`.  A `weight` that is an input (or an entry of one) can be dragged.

    >>> from nnlib import live
    >>> neurons = [live.neuron("x", 0, value="x"), live.neuron("z", 1, value="z")]
    >>> view = live.network(neurons, [live.edge("x", "z", "w")])
    >>> inputs = {"x": (0.0, 1.0), "w": live.values(1.0)}
    >>> live.figure(lambda x, w: {"z": w * x}, **inputs, view=view, title="Drag the edge")
    Figure('Drag the edge')
    """
    fields = {"source": str(source), "target": str(target), "label": label}
    return Part("edge", fields | {"weight": data(weight), "gradient": data(gradient)})


def network(
    neurons: Sequence[Part] | None = None,
    edges: Sequence[Part] | None = None,
    *,
    sizes: Sequence[int] | None = None,
    weights: Sequence[str] | None = None,
    biases: Sequence[str] | None = None,
    values: Sequence[Ref] | None = None,
    deltas: Sequence[Ref] | None = None,
    gradients: Sequence[Ref] | None = None,
    images: Sequence[Ref] | None = None,
    labels: Sequence[Sequence[str]] | None = None,
    on: Sequence[Ref] | None = None,
    transposed: bool = False,
    select: str | None = None,
    toggle: str | bool | None = None,
    order: str | None = None,
    hover: str | None = None,
    show: str = "weights",
    limit: float = 5.0,
    step: float = 0.1,
    width: int = 460,
    height: int = 280,
    when: Ref = None,
) -> Part:
    """Neurons and edges, with their values, weights and biases.

    An edge's width shows |weight|, its colour and dashes show the sign.  Either give `neurons` and
    `edges` one by one, or `sizes=[2, 3, 1]` with one name per layer: `weights[l]` of shape
    (sizes[l+1], sizes[l]) as in PyTorch's Linear (`transposed=True`: of shape (sizes[l],
    sizes[l+1])), `biases[l]` (sizes[l+1]), `values[l]` and `deltas[l]` for every layer, which are
    None for a layer without them, `gradients[l]` like the weights, `images[l]` (sizes[l], h, w),
    and `on[l]` (sizes[l]), which is 0 for neurons that are masked out.

    Weights and biases that are inputs can be dragged up and down, or changed by arrow keys, within
    ±`limit`.  A click on a neuron sets `select` to its index, switches its entry in the array
    `toggle`, or gives it the next number in the array `order` (0 means not clicked yet; a second
    click sets its number and all later ones back to 0).  `toggle=True` switches the neuron's own
    `on` if that is an entry of an input, such as `on="mask[3]"`; edges of neurons that are off are
    then hidden.  The input `hover` is set to the index of the neuron under the pointer or the
    focus, −1 if there is none.  `show="gradients"` draws gradients in place of weights.

    Raises:
        ValueError: there are no neurons, or an edge ends at a neuron that does not exist.

    >>> from nnlib import live
    >>> neurons = [live.neuron(1, 0, value="x"), live.neuron(2, 1, value="a")]
    >>> net = live.network(neurons, [live.edge(1, 2, "w")])
    >>> def forward(x, w):
    ...     return {"a": (w * x).sigmoid()}
    >>> live.figure(forward, x=(0.0, 1.0), w=live.values(1.0), view=net, title="One neuron")
    Figure('One neuron')
    """
    if sizes is not None:
        neurons, edges = _layered(
            sizes, weights, biases, values, deltas, gradients, images, labels, on, transposed
        )
    if not neurons or edges is None:
        raise ValueError("network needs neurons and edges, or sizes.")
    known = {n.fields["id"] for n in neurons}
    for e in edges:
        for end in ("source", "target"):
            if e.fields[end] not in known:
                raise ValueError(
                    f"an edge ends at {e.fields[end]!r}, but the neurons' ids are {sorted(known)}."
                )
    fields = {"neurons": list(neurons), "edges": list(edges), "show": show, "limit": limit}
    actions = {"select": select, "toggle": toggle, "order": order, "hover": hover, "step": step}
    size = {"width": width, "height": height}
    return Part("network", fields | actions | size | {"when": data(when)})


def _layered(sizes, weights, biases, values, deltas, gradients, images, labels, on, transposed):
    """The neurons and edges of a fully connected network, with references into its arrays."""

    def entry(names: Sequence | None, layer: int, index: str) -> Ref:
        if names is None or layer >= len(names) or names[layer] is None:
            return None
        source = names[layer]
        if not isinstance(source, str):
            raise TypeError(f"network(sizes=…) takes names of inputs and outputs, not {source!r}.")
        if parse_reference(source)[1] is not None:
            raise ValueError(
                f"network(sizes=…) takes names of whole arrays, without an index, not {source!r}."
            )
        return f"{source}[{index}]"

    neurons, edges = [], []
    for layer, size in enumerate(sizes):
        for i in range(size):
            neurons.append(
                neuron(
                    f"{layer}.{i}",
                    layer,
                    label=labels[layer][i] if labels and labels[layer] else "",
                    value=entry(values, layer, f"{i}"),
                    delta=entry(deltas, layer, f"{i}"),
                    bias=entry(biases, layer - 1, f"{i}") if layer else None,
                    image=entry(images, layer, f"{i}"),
                    on=entry(on, layer, f"{i}"),
                )
            )
            for j in range(sizes[layer - 1] if layer else 0):
                index = f"{j},{i}" if transposed else f"{i},{j}"
                weight, gradient = (
                    entry(names, layer - 1, index) for names in (weights, gradients)
                )
                edges.append(edge(f"{layer - 1}.{j}", f"{layer}.{i}", weight, gradient=gradient))
    return neurons, edges


def dag(
    nodes: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    of: Callable | None = None,
    step: str | None = None,
    gradients: bool = True,
    format: str = ".3g",
    direction: str = "LR",
    select: str | None = None,
    now: Ref = None,
    when: Ref = None,
) -> Part:
    """A recorded graph, laid out in layers.

    `of` is a function of the figure's inputs with one scalar result.  It is recorded, and each of
    its operations becomes a node that shows its value and, unless `gradients` is False, the
    gradient of the result with respect to it.  `step` names a stepper input, which shows the nodes'
    values one by one, forwards, and then their gradients, backwards.  A graph of n nodes needs a
    stepper with 2n + 1 states (`live.dag_states(fn, **inputs)` counts them).

    Or give `nodes` yourself: `{"c": {"op": "mul", "inputs": ["a", "b"], "value": "c", "grad":
    "dc"}}`; then `now` may be the index of the node to highlight (-1: none).

    Raises:
        ValueError: both `nodes` and `of` are given, or neither.

    >>> from nnlib import live
    >>> def neuron(w, x):
    ...     return (w * x).sigmoid()
    >>> live.figure(w=(-2.0, 2.0), x=1.0, view=live.dag(of=neuron), title="The graph of a neuron")
    Figure('The graph of a neuron')
    """
    if (nodes is None) == (of is None):
        raise ValueError("dag takes either nodes=… or of=function; give exactly one of them.")
    fields_of_nodes = None
    if nodes is not None:
        fields_of_nodes = [
            {
                "id": str(key),
                "label": str(node.get("label", key)),
                "op": node.get("op"),
                "inputs": [str(i) for i in node.get("inputs", ())],
                "value": data(node.get("value")),
                "grad": data(node.get("grad")) if gradients else None,
            }
            for key, node in nodes.items()
        ]
    fields: dict[str, Any] = {"nodes": fields_of_nodes, "step": step, "format": format}
    fields |= {"direction": direction, "of": of, "select": select, "now": data(now)}
    return Part("dag", fields | {"when": data(when)})

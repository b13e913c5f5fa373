"""The graph as an SVG picture: layers from left to right; equal graphs give equal pictures."""

from __future__ import annotations

import html
from typing import Any

import numpy as np

from nnlib.graph.simplify import values_only
from nnlib.graph.steps import Step, Steps
from nnlib.record import Primitive

WIDTH, HEIGHT, LAYER_SPACING, ROW_SPACING, MARGIN = 92, 40, 136, 58, 14
_SIGNS = {
    "add": "+", "sub": "−", "mul": "×", "div": "÷", "neg": "−", "pow": "power", "matmul": "@",
    "sum": "Σ", "sigmoid": "σ", "permute": "transpose", "gt": ">", "lt": "<", "ge": "≥", "le": "≤",
    "eq": "=", "ne": "≠",
}  # fmt: skip
_STYLE = (
    "text{font:13px sans-serif;fill:#1b1b1f;text-anchor:middle}"
    ".v{font-size:11px;fill:#565663}"
    "rect{fill:#eef1f8;stroke:#3b4a78}.input rect{fill:#fff4da;stroke:#8a6100}"
    ".constant rect{fill:#f2f2f2;stroke:#777}.output rect{stroke-width:2.5}"
    "path{fill:none;stroke:#6a6a76}"
)


class Drawing(str):
    """SVG text that a notebook shows as a picture."""

    __slots__ = ()

    def _repr_svg_(self) -> str:
        return str(self)


def draw(graph: Steps, values: dict[str, Any] | None = None) -> Drawing:
    """Draw each step as a box, right of its inputs, with its result if input `values` are given."""
    graph = values_only(graph)
    results = _results(graph, values)
    corner = _corners(graph)
    names = {at: name for name, at in reversed(graph.outputs.items())}
    boxes = [
        _box(graph, at, corner[at], names.get(at), results) for at in range(len(graph.steps))
    ]
    lines = [
        _line(corner[i], corner[at]) for at, step in enumerate(graph.steps) for i in step.inputs
    ]
    width = max([x for x, _ in corner], default=0) + WIDTH + MARGIN
    height = max([y for _, y in corner], default=0) + HEIGHT + MARGIN
    title, description = _description(graph)
    return Drawing(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-label="{html.escape(title)}">'
        f"<title>{html.escape(title)}</title><desc>{html.escape(description)}</desc>"
        f'<rect width="{width}" height="{height}" style="fill:#ffffff;stroke:none"/>'
        f"<style>{_scoped(_STYLE)}</style>"
        f'<g class="nnlib-graph">{"".join(lines)}{"".join(boxes)}</g></svg>'
    )


def _scoped(style: str) -> str:
    """The rules limited to this picture, so that they change no other picture of a page."""
    rules = [rule for rule in style.split("}") if rule]
    return "".join(f".nnlib-graph {rule}}}" for rule in rules)


def _results(graph: Steps, values: dict[str, Any] | None) -> list[Any] | None:
    if values is None:
        return None
    everything = Steps(graph.steps, {str(at): at for at in range(len(graph.steps))})
    return list(everything.run(**values).values())


def _corners(graph: Steps) -> list[tuple[int, int]]:
    """The corner of each step's box.

    Its layer is the length of the longest path to it, or, for an input or a constant, the one
    before its first use.  Its row is its rank within the layer.
    """
    layer_of: list[int] = []
    for step in graph.steps:
        layer_of.append(1 + max([layer_of[i] for i in step.inputs], default=-1))
    _move_to_first_use(graph, layer_of)
    layers: dict[int, list[int]] = {}
    for at, layer in enumerate(layer_of):
        layers.setdefault(layer, []).append(at)
    rank = _ordered(graph, layers)
    tallest = max([len(members) for members in layers.values()], default=0)
    corners = [(0, 0)] * len(graph.steps)
    for layer, members in layers.items():
        top = MARGIN + (tallest - len(members)) * ROW_SPACING // 2
        for at in members:
            corners[at] = (MARGIN + layer * LAYER_SPACING, top + rank[at] * ROW_SPACING)
    return corners


def _move_to_first_use(graph: Steps, layer_of: list[int]) -> None:
    """Move inputs and constants to the layer just before their first use."""
    first_use: dict[int, int] = {}
    for at, step in enumerate(graph.steps):
        for i in step.inputs:
            first_use[i] = min(first_use.get(i, layer_of[at]), layer_of[at])
    for at, step in enumerate(graph.steps):
        if step.op in ("input", "constant") and at in first_use:
            layer_of[at] = first_use[at] - 1


def _ordered(graph: Steps, layers: dict[int, list[int]]) -> dict[int, int]:
    """The row of each step, by a few sweeps of the barycentre rule, which avoids crossing lines."""
    neighbours: list[list[int]] = [list(step.inputs) for step in graph.steps]
    for at, step in enumerate(graph.steps):
        for i in step.inputs:
            neighbours[i].append(at)
    rank = {at: row for members in layers.values() for row, at in enumerate(members)}
    height = {at: len(members) for members in layers.values() for at in members}
    for _ in range(4):
        for layer in sorted(layers):
            members = layers[layer]
            middle = {
                at: sum((rank[n] + 0.5) / height[n] for n in neighbours[at])
                / max(len(neighbours[at]), 1)
                for at in members
            }
            members.sort(key=lambda at: (middle[at], at))
            rank.update({at: row for row, at in enumerate(members)})
    return rank


def _label(step: Step, name: str | None) -> str:
    if step.op == "input":
        return step.name or "input"
    if step.op == "constant":
        return step.name or (_short(step.value) if not step.shape else "constant")
    sign = _SIGNS.get(step.op, step.op)
    return sign if name is None else f"{name} = {sign}"


def _short(value: Any) -> str:
    array = np.asarray(value)
    if not array.shape:
        return str(array.item()) if array.dtype.kind != "f" else f"{array.item():.4g}"
    if array.size <= 3:
        return "[" + ", ".join(_short(v) for v in array.ravel()) + "]"
    return "×".join(map(str, array.shape))


def _box(graph: Steps, at: int, corner: tuple[int, int], name: str | None, results: Any) -> str:
    step, (x, y) = graph.steps[at], corner
    css_class = step.op if step.op in ("input", "constant") else "step"
    css_classes = f"{css_class} output" if name is not None else css_class
    second_text = _short(results[at]) if results else "×".join(map(str, step.shape))
    middle = x + WIDTH // 2
    has_second = bool(second_text) and (css_class != "constant" or bool(step.shape))
    first_y = y + (17 if has_second else 25)
    second_line = f'<text class="v" x="{middle}" y="{y + 32}">{html.escape(second_text)}</text>'
    return (
        f'<g class="{css_classes}"><rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>'
        f'<text x="{middle}" y="{first_y}">{html.escape(_label(step, name))}</text>'
        f"{second_line if has_second else ''}</g>"
    )


def _line(a: tuple[int, int], b: tuple[int, int]) -> str:
    x0, y0, x1, y1 = a[0] + WIDTH, a[1] + HEIGHT // 2, b[0], b[1] + HEIGHT // 2
    half = (x1 - x0) // 2
    return f'<path d="M{x0} {y0}C{x0 + half} {y0} {x1 - half} {y1} {x1} {y1}"/>'


def _description(graph: Steps) -> tuple[str, str]:
    """The picture in words: a title, and a sentence for each operation with its inputs."""
    names = {at: name for name, at in reversed(graph.outputs.items())}
    labels: list[str] = []
    sentences: list[str] = []
    for at, step in enumerate(graph.steps):
        label = names.get(at) if step.op in Primitive.registry else _label(step, None)
        labels.append(label or f"{step.op} {at}")
        if step.op in Primitive.registry:
            inputs = ", ".join(labels[i] for i in step.inputs)
            sentences.append(f"{labels[at]}: {step.op} of {inputs}.")
    count = f"{len(sentences)} operation" + ("s" if len(sentences) != 1 else "")
    title = f"Graph from {', '.join(graph.inputs)} to {', '.join(graph.outputs)}: {count}"
    return title, " ".join(sentences)

"""The static picture for pages without scripts: the first views, drawn as SVG by Python.

Its colours are the palette's theme `fallback`; its CSS class in the page is `nn-fallback`.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nnlib.live import svg
from nnlib.live.mark import Lookup, Plot, mark_of

LEFT, BOTTOM, TOP = 44, 36, 10  # margins in pixels for the axes' numbers and names


def fallback_html(spec: dict, lookup: Lookup, model_id: str) -> str:
    """`<figure>` with the first two pictures of the view, its text lines and the caption."""
    pictures = _pictures(spec.get("view", {}), lookup)[:2]
    parts = [f'<figure class="nn-fallback" data-nn-model="{html.escape(model_id)}">']
    if spec.get("title"):
        parts.append(f"<strong>{html.escape(spec['title'])}</strong>")
    alt = html.escape(spec.get("alt") or spec.get("title") or "Figure", quote=True)
    if pictures:
        parts.append(f'<div role="img" aria-label="{alt}">{"".join(pictures)}</div>')
    elif spec.get("alt"):
        parts.append(f"<p>{html.escape(spec['alt'])}</p>")
    words = {k: i["value"] for k, i in spec["inputs"].items() if isinstance(i["value"], str)}
    parts += [f"<p>{html.escape(line)}</p>" for line in _texts(spec.get("view", {}), lookup, words)]
    if spec.get("caption"):
        parts.append(f"<figcaption>{html.escape(spec['caption'])}</figcaption>")
    return "".join(parts) + "</figure>"


def _pictures(tree: Any, lookup: Lookup) -> list[str]:
    if isinstance(tree, list):
        return [p for item in tree for p in _pictures(item, lookup)]
    if not isinstance(tree, dict) or tree.get("when") or tree.get("kind") == "predict":
        return []
    draw = _PAINTERS.get(tree.get("kind", ""))
    if draw is not None:
        return [draw(tree, lookup)]
    return _pictures(tree.get("items", []), lookup)


def _texts(tree: Any, lookup: Lookup, words: Mapping[str, str]) -> list[str]:
    if isinstance(tree, list):
        return [t for item in tree for t in _texts(item, lookup, words)]
    if not isinstance(tree, dict) or tree.get("when"):
        return []
    if tree.get("kind") == "predict":
        return [_fill(tree["question"], lookup, words)]
    if tree.get("kind") == "quiz":
        return [q["question"] for q in tree["questions"]]
    if tree.get("kind") == "readout":
        return [_fill(tree["text"], lookup, words)]
    return _texts(tree.get("items", []), lookup, words)


def _fill(pieces: Sequence, lookup: Lookup, words: Mapping[str, str]) -> str:
    texts = []
    for piece in pieces:
        if isinstance(piece, str) or piece.get("ref") in words:
            texts.append(piece if isinstance(piece, str) else words[piece["ref"]])
            continue
        value = lookup(piece)
        texts.append(
            "–" if value is None or np.size(value) != 1 else _number(value, piece["format"])
        )
    return "".join(texts)


def _number(value: Any, form: str) -> str:
    number = np.asarray(value).reshape(()).item()
    try:
        return format(int(number) if form.endswith(("d", "c")) else number, form)
    except ValueError:
        return str(number)


def _axes(axes: dict, lookup: Lookup) -> str:
    width, height = min(axes["width"], 480), axes["height"]
    x = svg.scale(axes["xlim"], axes["xscale"], LEFT, width - 10)
    y = svg.scale(axes["ylim"], axes["yscale"], height - BOTTOM, TOP)
    plot = Plot(axes, x, y)
    out = [f'<rect width="{width}" height="{height}" fill="#fff"/>']
    inner = f"{LEFT} {TOP} {width - 10 - LEFT} {height - BOTTOM - TOP}"
    sides = dict(zip(("x", "y", "width", "height"), inner.split(), strict=True))
    box = " ".join(f'{k}="{v}"' for k, v in sides.items())
    out.append(f'<svg {box} viewBox="{inner}">')  # an inner picture clips marks at the frame
    for mark in axes["marks"]:
        if not mark.get("when"):
            out.append(mark_of(mark, lookup).static_svg(plot))
    out.append("</svg>")
    frame = f"M{LEFT} {TOP}V{height - BOTTOM}H{width - 10}"
    out.append(f'<path d="{frame}" fill="none" stroke="#555"/>')
    for value in axes["xlim"]:
        out.append(svg.text(float(x(value)), height - BOTTOM + 13, f"{value:.3g}"))
    for value in axes["ylim"]:
        out.append(svg.text(LEFT - 5, float(y(value)) + 4, f"{value:.3g}", anchor="end"))
    if axes.get("xlabel"):
        out.append(svg.text((LEFT + width) / 2, height - 6, axes["xlabel"]))
    if axes.get("ylabel"):
        turn = f'{svg.SMALL} transform="rotate(-90 12 {height // 2})"'
        out.append(svg.text(12, height // 2, axes["ylabel"], turn))
    return svg.picture(width, height, "".join(out))


def _images(view: dict, lookup: Lookup) -> str:
    values = lookup(view["values"])
    if values is None:
        return ""
    stack = np.asarray(values, float).reshape(-1, *values.shape[-2:])[:6]
    side, out = 96, []
    for k, z in enumerate(stack):
        height = max(1, round(side * z.shape[0] / z.shape[1]))

        def box(r: int, a: int, b: int, shape: tuple, k: int = k, height: int = height) -> tuple:
            left, right = (k * (side + 8) + round(side * c / shape[1]) for c in (a, b))
            top, low = (round(height * c / shape[0]) for c in (r, r + 1))
            return left, top, right - left, low - top

        out.append(svg.cells(z, view["colors"], view.get("range"), box))
    width = len(stack) * (side + 8)
    total_height = max(1, round(side * stack.shape[1] / stack.shape[2]))
    size = f'viewBox="0 0 {width} {total_height}" width="{width}" height="{total_height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(out)}</svg>'


def _network(view: dict, lookup: Lookup) -> str:
    """Neurons as circles, edges as lines: green for positive weights, red dashes for negative."""
    layers: dict[int, list[dict]] = {}
    for neuron in view["neurons"]:
        layers.setdefault(neuron["layer"], []).append(neuron)
    max_rows, width = max(len(layer) for layer in layers.values()), 420
    positions, out = {}, []
    for c, layer in enumerate(sorted(layers)):
        for r, neuron in enumerate(layers[layer]):
            x = 30 + round(c / max(1, len(layers) - 1) * (width - 60))
            row = neuron.get("row")
            row = r + (max_rows - len(layers[layer])) / 2 if row is None else row
            positions[neuron["id"]] = x, round((row + 0.5) * 60)
    for edge in view["edges"]:
        weight = lookup(edge["weight"]) if edge.get("weight") else None
        negative = weight is not None and np.size(weight) == 1 and float(weight) < 0
        (a, b), (c, d) = positions[edge["source"]], positions[edge["target"]]
        style = f'stroke="{svg.COLORS["weight-neg" if negative else "weight-pos"]}"'
        dash = ' stroke-dasharray="6 4"' if negative else ""
        out.append(f'<path d="M{a} {b}L{c} {d}" {style}{dash} stroke-width="1.5"/>')
    for neuron in view["neurons"]:
        x, y = positions[neuron["id"]]
        value = lookup(neuron["value"]) if neuron.get("value") else None
        label = neuron["label"]
        if value is not None and np.size(value) == 1:
            label = f"{float(value):.2f}"
        out.append(f'<circle cx="{x}" cy="{y}" r="18" fill="#fff" stroke="#333"/>')
        out.append(svg.text(x, y + 4, label))
    return svg.picture(width, max_rows * 60, "".join(out))


def _dag(view: dict, lookup: Lookup) -> str:
    """A recorded graph: an operation's column is the length of its longest path from an input."""
    nodes = view["nodes"]
    step = lookup({"ref": view["step"]}) if view.get("step") else None
    depth: dict[str, int] = {}
    rows: dict[int, int] = {}
    positions: dict[str, tuple[int, int]] = {}
    for node in nodes:  # the inputs of a node come before it
        column = 1 + max((depth.get(i, -1) for i in node["inputs"]), default=-1)
        depth[node["id"]], row = column, rows.get(column, 0)
        rows[column] = row + 1
        positions[node["id"]] = 50 + 110 * column, 30 + 60 * row
    out = []
    for node in nodes:
        x, y = positions[node["id"]]
        ends = [positions[i] for i in node["inputs"] if i in positions]
        for a, b in ends:  # a long edge is a curve below the nodes that it passes
            route = f"L{x - 40} {y}" if x - a < 200 else f"Q{(a + x) // 2} {b + 70} {x - 40} {y}"
            out.append(f'<path d="M{a + 40} {b}{route}" fill="none" stroke="#777"/>')
    for i, node in enumerate(nodes):
        x, y = positions[node["id"]]
        reached = step is None or i < float(step.ravel()[0])
        value = lookup(node["value"]) if node.get("value") and reached else None
        box = f'x="{x - 40}" y="{y - 20}" width="80" height="40" rx="6"'
        out.append(f'<rect {box} fill="#fff" stroke="#333"/>')
        label = node["label"]
        if value is not None and value.size == 1:
            label += f" = {float(value.ravel()[0]):.3g}"
        out.append(svg.text(x, y + 4, label))
    width, height = 100 + 110 * max(depth.values()), 60 * max(rows.values())
    return svg.picture(width, height, "".join(out))


_PAINTERS: dict[str, Callable[[dict, Lookup], str]] = {
    "axes": _axes, "images": _images, "network": _network, "dag": _dag,
}  # fmt: skip

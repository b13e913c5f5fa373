"""The picture that stands where scripts do not run: the first view, drawn as SVG by Python.

Coordinates are whole pixels and curves are thinned, so that stored outputs stay small and the same.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nnlib.live.palette import channels as channels_of
from nnlib.live.palette import colors as palette_colors

Look = Callable[[dict], "np.ndarray | None"]

WIDTH, LEFT, BOTTOM, TOP = 420, 44, 36, 10
COLORS = palette_colors("static")
MAX_POINTS, MAX_CELLS = 80, 16


def fallback_html(spec: dict, look: Look, model_id: str) -> str:
    """`<figure>` with the first axes or images of the view, the text and the caption."""
    pictures = _pictures(spec.get("view", {}), look)[:2]
    parts = [f'<figure class="nn-fallback" data-nn-model="{html.escape(model_id)}">']
    if spec.get("title"):
        parts.append(f"<strong>{html.escape(spec['title'])}</strong>")
    alt = html.escape(spec.get("alt") or spec.get("title") or "Figure", quote=True)
    if pictures:
        parts.append(f'<div role="img" aria-label="{alt}">{"".join(pictures)}</div>')
    elif spec.get("alt"):
        parts.append(f"<p>{html.escape(spec['alt'])}</p>")
    words = {k: i["value"] for k, i in spec["inputs"].items() if isinstance(i["value"], str)}
    parts += [f"<p>{html.escape(line)}</p>" for line in _texts(spec.get("view", {}), look, words)]
    if spec.get("caption"):
        parts.append(f"<figcaption>{html.escape(spec['caption'])}</figcaption>")
    return "".join(parts) + "</figure>"


def _pictures(tree: Any, look: Look) -> list[str]:
    if isinstance(tree, list):
        return [p for item in tree for p in _pictures(item, look)]
    if not isinstance(tree, dict) or tree.get("when") or tree.get("kind") == "predict":
        return []
    if tree.get("kind") == "axes":
        return [_axes(tree, look)]
    if tree.get("kind") == "images":
        return [_images(tree, look)]
    if tree.get("kind") == "network":
        return [_network(tree, look)]
    if tree.get("kind") == "dag":
        return [_dag(tree, look)]
    return _pictures(tree.get("items", []), look)


def _texts(tree: Any, look: Look, words: Mapping[str, str]) -> list[str]:
    if isinstance(tree, list):
        return [t for item in tree for t in _texts(item, look, words)]
    if not isinstance(tree, dict) or tree.get("when"):
        return []
    if tree.get("kind") == "predict":
        return [_fill(tree["question"], look, words)]
    if tree.get("kind") == "quiz":
        return [q["ask"] for q in tree["questions"]]
    if tree.get("kind") == "readout":
        return [_fill(tree["text"], look, words)]
    return _texts(tree.get("items", []), look, words)


def _fill(pieces: Sequence, look: Look, words: Mapping[str, str]) -> str:
    made = []
    for piece in pieces:
        if isinstance(piece, str) or piece.get("ref") in words:
            made.append(piece if isinstance(piece, str) else words[piece["ref"]])
            continue
        found = look(piece)
        made.append(
            "–" if found is None or np.size(found) != 1 else _number(found, piece["format"])
        )
    return "".join(made)


def _number(value: Any, form: str) -> str:
    number = np.asarray(value).reshape(()).item()
    try:
        return format(int(number) if form.endswith(("d", "c")) else number, form)
    except ValueError:
        return str(number)


def _scale(limits: Sequence[float], kind: str, low: float, high: float) -> Callable:
    a, b = np.log10(limits) if kind == "log" else limits

    def at(values: Any) -> np.ndarray:
        with np.errstate(all="ignore"):
            v = np.log10(values) if kind == "log" else np.asarray(values, float)
        return low + (v - a) / (b - a) * (high - low)

    return at


def _axes(axes: dict, look: Look) -> str:
    width, height = min(axes.get("width", WIDTH), 480), axes.get("height", 300)
    x = _scale(axes["xlim"], axes["xscale"], LEFT, width - 10)
    y = _scale(axes["ylim"], axes["yscale"], height - BOTTOM, TOP)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}">'
    ]
    out.append(f'<rect width="{width}" height="{height}" fill="#fff"/>')
    inner = f"{LEFT} {TOP} {width - 10 - LEFT} {height - BOTTOM - TOP}"
    sides = dict(zip(("x", "y", "width", "height"), inner.split(), strict=True))
    box = " ".join(f'{k}="{v}"' for k, v in sides.items())
    out.append(f'<svg {box} viewBox="{inner}">')  # an inner picture cuts off what leaves the frame
    for mark in axes["marks"]:
        if not mark.get("when"):
            out.append(_mark(mark, look, x, y, axes))
    out.append("</svg>")
    frame = f"M{LEFT} {TOP}V{height - BOTTOM}H{width - 10}"
    out.append(f'<path d="{frame}" fill="none" stroke="#555"/>')
    style = 'font-size="11" font-family="sans-serif" fill="#333"'
    for value in axes["xlim"]:
        out.append(_text(x(value), height - BOTTOM + 13, f"{value:.3g}", style))
    for value in axes["ylim"]:
        out.append(_text(LEFT - 5, y(value) + 4, f"{value:.3g}", style, "end"))
    if axes.get("xlabel"):
        out.append(_text((LEFT + width) / 2, height - 6, axes["xlabel"], style))
    if axes.get("ylabel"):
        turn = f'{style} transform="rotate(-90 12 {height // 2})"'
        out.append(_text(12, height // 2, axes["ylabel"], turn))
    return "".join(out) + "</svg>"


def _text(x: float, y: float, words: str, style: str, anchor: str = "middle") -> str:
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" {style}>{html.escape(words)}</text>'
    )


def _pixels(values: Any) -> np.ndarray:
    return np.clip(np.nan_to_num(np.asarray(values, float)), -2000, 2000).round().astype(int)


def _route(x: Any, y: Any) -> str:
    keep = np.isfinite(x) & np.isfinite(y)
    px, py = _pixels(np.ravel(x)[keep]), _pixels(np.ravel(y)[keep])
    if px.size > MAX_POINTS:
        chosen = np.linspace(0, px.size - 1, MAX_POINTS).astype(int)
        px, py = px[chosen], py[chosen]
    return "M" + "L".join(f"{a} {b}" for a, b in zip(px, py, strict=True)) if px.size else ""


def _mark(mark: dict, look: Look, x: Callable, y: Callable, axes: dict) -> str:
    """One mark as SVG; a mark whose numbers are only known in the page is left out."""

    def get(name: str) -> Any:
        return look(mark[name]) if isinstance(mark.get(name), dict) else None

    color = COLORS.get(mark.get("color", "ink"), mark.get("color", "ink"))
    kind = mark["kind"]
    if kind in ("curve", "area"):
        xs, ys = get("x"), get("y")
        if xs is None or ys is None:
            return ""
        if kind == "area":
            base = np.broadcast_to(get("base"), xs.shape)
            route = _route(np.r_[x(xs), x(xs)[::-1]], np.r_[y(ys), y(base)[::-1]])
            return f'<path d="{route}Z" fill="{color}" opacity=".25"/>'
        rows = ys if ys.ndim > 1 else [ys]
        stroke = f'fill="none" stroke="{color}" stroke-width="{mark["width"]}"'
        return "".join(f'<path d="{_route(x(xs), y(r))}" {stroke}/>' for r in rows)
    if kind in ("points", "handle"):
        xy = get("xy")
        xs, ys = (xy[:, 0], xy[:, 1]) if xy is not None else (get("x"), get("y"))
        if xs is None or ys is None:
            return ""
        classes = get("classes")
        return _dots(_pixels(x(np.ravel(xs))), _pixels(y(np.ravel(ys))), classes, color)
    if kind == "line":
        return _line(get, x, y, axes, color)
    if kind == "segments":
        given = [get(k) for k in ("x0", "y0", "x1", "y1")]
        if any(e is None for e in given):
            return ""
        ends = np.broadcast_arrays(*given)
        columns = zip(x(ends[0]).ravel(), y(ends[1]).ravel(), x(ends[2]).ravel(),
        y(ends[3]).ravel(),
                      strict=True)  # fmt: skip
        route = "".join(f"M{a:.0f} {b:.0f}L{c:.0f} {d:.0f}" for a, b, c, d in columns)
        return f'<path d="{route}" fill="none" stroke="{color}"/>'
    if kind == "bars":
        return _bars(get("height"), get("x"), x, y, color)
    if kind in ("heat", "contour"):
        return _heat(get("z"), {"colors": "pale", **mark}, x, y)
    return ""


def _dots(px: np.ndarray, py: np.ndarray, classes: Any, color: str) -> str:
    keep = np.linspace(0, px.size - 1, min(px.size, MAX_POINTS)).astype(int)
    out = []
    for i in keep:
        c = 1 if classes is not None and classes.ravel()[i] > 0 else 0
        fill = color if classes is None else COLORS[f"class{c}"]
        if classes is None or c:
            out.append(f'<circle cx="{px[i]}" cy="{py[i]}" r="4" fill="{fill}"/>')
        else:
            out.append(f'<path d="M{px[i] - 4} {py[i] - 4}h8v8h-8z" fill="{fill}"/>')
    return "".join(out)


def _line(get: Callable, x: Callable, y: Callable, axes: dict, color: str) -> str:
    xs = np.asarray(axes["xlim"], float)
    with np.errstate(all="ignore"):
        if get("w0") is not None:
            w0, w1, w2 = (float(get(k)) for k in ("w0", "w1", "w2"))
            if abs(w2) > 1e-9:
                ys = -(w0 + w1 * xs) / w2
            elif abs(w1) > 1e-9:
                xs, ys = np.full(2, -w0 / w1), np.asarray(axes["ylim"], float)
            else:
                return ""
        elif get("slope") is not None:
            ys = float(get("intercept")) + float(get("slope")) * xs
        elif get("x") is not None:
            xs, ys = np.full(2, float(get("x"))), np.asarray(axes["ylim"], float)
        elif get("y") is not None:
            ys = np.full(2, float(get("y")))
        else:
            return ""
    return f'<path d="{_route(x(xs), y(ys))}" fill="none" stroke="{color}" stroke-width="1.6"/>'


def _bars(height: Any, x0: Any, x: Callable, y: Callable, color: str) -> str:
    if height is None:
        return ""
    middle = np.arange(height.size) if x0 is None else x0
    left, right, top, zero = x(middle - 0.4), x(middle + 0.4), y(height.ravel()), float(y(0.0))
    return "".join(
        f'<rect x="{a:.0f}" y="{min(t, zero):.0f}" width="{b - a:.0f}" '
        f'height="{abs(zero - t):.0f}" fill="{color}"/>'
        for a, b, t in zip(left, right, top, strict=True)
    )


def _tint(z: np.ndarray, colors: str, limits: Sequence[float] | None) -> np.ndarray:
    """Numbers from 0 to 9, the steps of the coarse palette."""
    low, high = limits or (float(np.nanmin(z)), float(np.nanmax(z)))
    if colors == "diverging" and not limits:
        high = max(abs(low), abs(high)) or 1.0
        low = -high
    return np.clip(np.nan_to_num((z - low) / ((high - low) or 1.0)) * 9, 0, 9).round().astype(int)


def _palette(colors: str) -> list[str]:
    def ends_of(*names: str) -> tuple[tuple[int, int, int], ...]:
        return tuple(channels_of(name, "static") for name in names)

    ends = {
        "classes": ends_of("map-class0", "map-middle", "map-class1"),
        "pale": ((246, 246, 246), (226, 226, 228), (200, 202, 208)),
        "diverging": ends_of("map-neg", "map-middle", "map-pos"),
    }.get(colors, ((250, 250, 250), (140, 140, 140), (20, 20, 20)))
    at = np.linspace(0, 1, 10)
    channels = [np.interp(at, [0, 0.5, 1], [e[c] for e in ends]).round() for c in range(3)]
    return [f"#{int(r):02x}{int(g):02x}{int(b):02x}" for r, g, b in zip(*channels, strict=True)]


def _cells(z: np.ndarray, colors: str, limits: Any, box: Callable) -> str:
    """Runs of equal colour as rectangles; `box(row, start, stop)` places them."""
    step = max(1, -(-max(z.shape) // MAX_CELLS))
    blocks = np.zeros((-(-z.shape[0] // step), -(-z.shape[1] // step)))
    for r, c in np.ndindex(*blocks.shape):  # of each block the number that stands out most
        block = z[r * step : (r + 1) * step, c * step : (c + 1) * step].ravel()
        blocks[r, c] = block[np.argmax(np.abs(block))]
    tints, palette = _tint(blocks, colors, limits), _palette(colors)
    out = []
    for r, row in enumerate(tints):
        start = 0
        for c in range(1, row.size + 1):
            if c == row.size or row[c] != row[start]:
                a, b, w, h = box(r, start, c, tints.shape)
                out.append(f'<path d="M{a} {b}h{w}v{h}h{-w}z" fill="{palette[row[start]]}"/>')
                start = c
    return "".join(out)


def _heat(z: Any, mark: dict, x: Callable, y: Callable) -> str:
    if z is None or z.ndim != 2:
        return ""
    (x0, x1), (y0, y1) = x(np.asarray(mark["xlim"])), y(np.asarray(mark["ylim"]))

    def box(r: int, a: int, b: int, shape: tuple) -> tuple[int, int, int, int]:
        left, right = (round(x0 + (x1 - x0) * k / shape[1]) for k in (a, b))
        low, high = (round(y0 + (y1 - y0) * k / shape[0]) for k in (r, r + 1))
        return left, high, right - left, low - high

    return _cells(z, mark["colors"], mark.get("range"), box)


def _images(view: dict, look: Look) -> str:
    values = look(view["values"])
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

        out.append(_cells(z, view["colors"], view.get("range"), box))
    width = len(stack) * (side + 8)
    tall = max(1, round(side * stack.shape[1] / stack.shape[2]))
    size = f'viewBox="0 0 {width} {tall}" width="{width}" height="{tall}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(out)}</svg>'


def _network(view: dict, look: Look) -> str:
    """Neurons as circles, edges as lines: green for positive weights, red dashes for negative."""
    layers: dict[int, list[dict]] = {}
    for neuron in view["neurons"]:
        layers.setdefault(neuron["layer"], []).append(neuron)
    most, width = max(len(layer) for layer in layers.values()), 420
    place, out = {}, []
    for c, layer in enumerate(sorted(layers)):
        for r, neuron in enumerate(layers[layer]):
            x = 30 + round(c / max(1, len(layers) - 1) * (width - 60))
            row = neuron.get("row")
            row = r + (most - len(layers[layer])) / 2 if row is None else row
            place[neuron["id"]] = x, round((row + 0.5) * 60)
    for edge in view["edges"]:
        weight = look(edge["weight"]) if edge.get("weight") else None
        negative = weight is not None and np.size(weight) == 1 and float(weight) < 0
        (a, b), (c, d) = place[edge["source"]], place[edge["target"]]
        style = f'stroke="{COLORS["weight-neg" if negative else "weight-pos"]}"'
        dash = ' stroke-dasharray="6 4"' if negative else ""
        out.append(f'<path d="M{a} {b}L{c} {d}" {style}{dash} stroke-width="1.5"/>')
    style = 'font-size="11" font-family="sans-serif" fill="#333"'
    for neuron in view["neurons"]:
        x, y = place[neuron["id"]]
        value = look(neuron["value"]) if neuron.get("value") else None
        words = (
            f"{float(value):.2f}" if value is not None and np.size(value) == 1 else neuron["label"]
        )
        out.append(f'<circle cx="{x}" cy="{y}" r="18" fill="#fff" stroke="#333"/>')
        out.append(_text(x, y + 4, words, style))
    size = f'viewBox="0 0 {width} {most * 60}" width="{width}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(out)}</svg>'


def _dag(view: dict, look: Look) -> str:
    """A recorded graph: each operation as far right as its longest way from the inputs."""
    nodes = view["nodes"]
    step = look({"ref": view["step"]}) if view.get("step") else None
    depth: dict[str, int] = {}
    rows: dict[int, int] = {}
    place: dict[str, tuple[int, int]] = {}
    for node in nodes:  # what a node needs stands before it
        column = 1 + max((depth.get(i, -1) for i in node["inputs"]), default=-1)
        depth[node["id"]], row = column, rows.get(column, 0)
        rows[column] = row + 1
        place[node["id"]] = 50 + 110 * column, 30 + 60 * row
    out = []
    for node in nodes:
        x, y = place[node["id"]]
        ends = [place[i] for i in node["inputs"] if i in place]
        for a, b in ends:  # beneath the nodes that it passes
            route = f"L{x - 40} {y}" if x - a < 200 else f"Q{(a + x) // 2} {b + 70} {x - 40} {y}"
            out.append(f'<path d="M{a + 40} {b}{route}" fill="none" stroke="#777"/>')
    style = 'font-size="11" font-family="sans-serif" fill="#333"'
    for at, node in enumerate(nodes):
        x, y = place[node["id"]]
        reached = step is None or at < float(step.ravel()[0])
        value = look(node["value"]) if node.get("value") and reached else None
        box = f'x="{x - 40}" y="{y - 20}" width="80" height="40" rx="6"'
        out.append(f'<rect {box} fill="#fff" stroke="#333"/>')
        words = f" = {float(value.ravel()[0]):.3g}" if value is not None and value.size == 1 else ""
        out.append(_text(x, y + 4, f"{node['label']}{words}", style))
    width, height = 100 + 110 * max(depth.values()), 60 * max(rows.values())
    size = f'viewBox="0 0 {width} {height}" width="{width}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(out)}</svg>'

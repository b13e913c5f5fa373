"""Shapes of static pictures as SVG, with whole pixels and few points to keep outputs small."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nnlib.live.palette import channels as channels_of
from nnlib.live.palette import colors as palette_colors

COLORS = palette_colors("fallback")
SMALL = 'font-size="11" font-family="sans-serif" fill="#333"'
MAX_POINTS, MAX_CELLS = 80, 16

Scale = Callable[[Any], np.ndarray]


def scale(limits: Sequence[float], spacing: str, low: float, high: float) -> Scale:
    """A function from numbers within the limits to pixels from `low` to `high`."""
    a, b = np.log10(limits) if spacing == "log" else limits

    def to_pixels(values: Any) -> np.ndarray:
        with np.errstate(all="ignore"):
            v = np.log10(values) if spacing == "log" else np.asarray(values, float)
        return low + (v - a) / (b - a) * (high - low)

    return to_pixels


def picture(width: int, height: int, content: str) -> str:
    """A complete SVG picture with this content."""
    size = f'viewBox="0 0 {width} {height}" width="{width}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{content}</svg>'


def text(x: float, y: float, words: str, style: str = SMALL, anchor: str = "middle") -> str:
    """Text at a position, as SVG."""
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" {style}>{html.escape(words)}</text>'
    )


def pixels(values: Any) -> np.ndarray:
    """Numbers rounded to whole pixels; huge ones are limited, nan becomes 0."""
    return np.clip(np.nan_to_num(np.asarray(values, float)), -2000, 2000).round().astype(int)


def route(x: Any, y: Any) -> str:
    """The path through at most `MAX_POINTS` of the points, whose coordinates are in pixels."""
    finite = np.isfinite(x) & np.isfinite(y)
    px, py = pixels(np.ravel(x)[finite]), pixels(np.ravel(y)[finite])
    if px.size > MAX_POINTS:
        chosen = np.linspace(0, px.size - 1, MAX_POINTS).astype(int)
        px, py = px[chosen], py[chosen]
    return "M" + "L".join(f"{a} {b}" for a, b in zip(px, py, strict=True)) if px.size else ""


def class_color(k: int) -> str:
    """The colour of class k, by the page's rule: `classColor` in frontend/figures/src/color.ts.

    Classes 0 and 1 have the book's two colours; the others take series2 to series5 in turn, from
    series4 on, so that series3, which is the gradient's colour, comes last.
    """
    return COLORS[f"class{max(k, 0)}" if k <= 1 else f"series{k % 4 + 2}"]


def dots(px: np.ndarray, py: np.ndarray, classes: Any, color: str) -> str:
    """Points as SVG: circles, or squares for class 0."""
    chosen = np.linspace(0, px.size - 1, min(px.size, MAX_POINTS)).astype(int)
    out = []
    for i in chosen:
        c = 1 if classes is None else max(0, math.floor(np.nan_to_num(classes.ravel()[i]) + 0.5))
        fill = color if classes is None else class_color(c)
        if c:
            out.append(f'<circle cx="{px[i]}" cy="{py[i]}" r="4" fill="{fill}"/>')
        else:
            out.append(f'<path d="M{px[i] - 4} {py[i] - 4}h8v8h-8z" fill="{fill}"/>')
    return "".join(out)


def _tint(z: np.ndarray, colors: str, limits: Sequence[float] | None) -> np.ndarray:
    """The position on the colour scale, 0 to 9, of each number."""
    low, high = limits or (float(np.nanmin(z)), float(np.nanmax(z)))
    if colors == "diverging" and not limits:
        high = max(abs(low), abs(high)) or 1.0
        low = -high
    return np.clip(np.nan_to_num((z - low) / ((high - low) or 1.0)) * 9, 0, 9).round().astype(int)


def _ten_colors(colors: str) -> list[str]:
    """The ten colours of a scale."""

    def ends_of(*names: str) -> tuple[tuple[int, int, int], ...]:
        return tuple(channels_of(name, "fallback") for name in names)

    ends = {
        "classes": ends_of("map-class0", "map-middle", "map-class1"),
        "pale": ((246, 246, 246), (226, 226, 228), (200, 202, 208)),
        "diverging": ends_of("map-neg", "map-middle", "map-pos"),
    }.get(colors, ((250, 250, 250), (140, 140, 140), (20, 20, 20)))
    positions = np.linspace(0, 1, 10)
    mixed = [np.interp(positions, [0, 0.5, 1], [e[c] for e in ends]).round() for c in range(3)]
    return [f"#{int(r):02x}{int(g):02x}{int(b):02x}" for r, g, b in zip(*mixed, strict=True)]


def cells(z: np.ndarray, colors: str, limits: Any, box: Callable) -> str:
    """A matrix as SVG: each run of equal colour is a rectangle, `box(row, start, stop, shape)`."""
    side = max(1, -(-max(z.shape) // MAX_CELLS))
    blocks = np.zeros((-(-z.shape[0] // side), -(-z.shape[1] // side)))
    for r, c in np.ndindex(*blocks.shape):  # a block shows its element of largest absolute value
        block = z[r * side : (r + 1) * side, c * side : (c + 1) * side].ravel()
        blocks[r, c] = block[np.argmax(np.abs(block))]
    tints, fills = _tint(blocks, colors, limits), _ten_colors(colors)
    out = []
    for r, row in enumerate(tints):
        start = 0
        for c in range(1, row.size + 1):
            if c == row.size or row[c] != row[start]:
                a, b, w, h = box(r, start, c, tints.shape)
                out.append(f'<path d="M{a} {b}h{w}v{h}h{-w}z" fill="{fills[row[start]]}"/>')
                start = c
    return "".join(out)

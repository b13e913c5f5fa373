"""Marks: what is drawn inside axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nnlib.live.parts import Data, Drag, Part, array, data, text

Ref = Any  # a name, numbers or a function: see nnlib.live.parts


def _drag(target: Any) -> Drag | None:
    return None if target is None else Drag(target)


def curve(
    x: Ref,
    y: Ref,
    *,
    color: str = "series0",
    width: float = 2,
    dash: bool = False,
    label: str | None = None,
    drag: Any = None,
    arrow: bool = False,
    when: Ref = None,
) -> Part:
    """A line through (x, y), in their order (so a path too); y of shape (k, n) draws k of them.

    `arrow` puts a head at its end, `dash` breaks it.  `drag`: see `handle`; the line is taken hold
    of anywhere, and the function gets the pointer's position.

    >>> import nnlib
    >>> from nnlib import live
    >>> x = nnlib.linspace(0, 1, 11)
    >>> view = live.axes(live.curve(x, "y", label="w x"))
    >>> live.figure(lambda w: {"y": w * x}, w=(0.0, 2.0), view=view, title="A line")
    Figure('A line')
    """
    fields = {"x": data(x), "y": data(y), "color": color, "width": width, "dash": dash}
    more = {"label": label, "drag": _drag(drag), "arrow": arrow, "when": data(when)}
    return Part("curve", fields | more)


path = curve


def points(
    xy: Ref = None,
    classes: Ref = None,
    *,
    x: Ref = None,
    y: Ref = None,
    color: str = "series0",
    size: Ref = 4,
    labels: Sequence[str] | None = None,
    label: str | None = None,
    class_names: Sequence[str] | None = None,
    drag: Any = None,
    select: str | None = None,
    toggle: str | None = None,
    mark: Ref = None,
    when: Ref = None,
) -> Part:
    """Points at `xy` (n, 2), or at `x` and `y`.

    `classes` (n: 0, 1, 2, …; −1 counts as 0) gives each its class's colour and shape, named in the
    legend by `class_names`.  `drag=True` lets every point be dragged (xy must then be an input).
    `select="i"` sets input i to the number of the point clicked, `toggle="m"` switches its entry of
    the array m.  `mark` (n booleans) rings points, such as those classified wrongly.  Raises
    ValueError without positions, and where `drag` has no input to move.

    >>> from nnlib import live
    >>> x, y = [[0.0, 0.0], [1.0, 1.0], [1.0, 0.0]], [0, 1, 1]
    >>> view = live.axes(live.points(x, y, class_names=["no", "yes"]), xlim=(-1, 2), ylim=(-1, 2))
    >>> live.figure(view=view, title="Three points")
    Figure('Three points')
    """
    fields: dict[str, Any] = {"color": color, "size": data(size), "classes": data(classes)}
    if xy is not None:
        fields["xy"] = data(xy)
    elif x is None or y is None:
        raise ValueError("points need xy of shape (n, 2), or both x and y.")
    if drag is True:
        if not isinstance(xy, str):
            raise ValueError("points(drag=True) moves an input: give xy as that input's name.")
        drag = True
    elif drag:
        raise ValueError("points take drag=True; a single point with its own rule is a handle.")
    more = {"x": data(x), "y": data(y), "labels": labels, "label": label, "drag": drag or None}
    last = {"select": select, "toggle": toggle, "mark": data(mark), "when": data(when)}
    return Part("points", fields | more | {"class_names": class_names} | last)


def handle(
    x: Ref,
    y: Ref,
    *,
    drag: Any,
    label: str = "handle",
    color: str = "accent",
    size: float = 7,
    step: float | None = None,
    when: Ref = None,
) -> Part:
    """A point that the reader drags, or moves by arrow keys.

    `drag` says which inputs follow its position: the name of an input of shape (2,); a pair of
    names `("a", "b")`, of which one may be None; or a function of x, y and any inputs that returns
    the new values of inputs, such as `lambda x, y, w: {"w0": -w * x}` (traced, like everything
    else).

    >>> from nnlib import live
    >>> def moved(x, w):
    ...     return {"w0": -w * x}
    >>> cross = live.handle(lambda w0, w: -w0 / w, 0.5, drag=moved, label="where P is one half")
    >>> view = live.axes(cross, xlim=(-5, 5), ylim=(0, 1))
    >>> live.figure(w0=live.values(0.0), w=live.values(1.0), view=view, title="Drag the crossing")
    Figure('Drag the crossing')
    """
    fields = {"x": data(x), "y": data(y), "drag": _drag(drag), "label": label, "color": color}
    return Part("handle", fields | {"size": size, "step": step, "when": data(when)})


def line(
    w0: Ref = None,
    w1: Ref = None,
    w2: Ref = None,
    *,
    slope: Ref = None,
    intercept: Ref = None,
    x: Ref = None,
    y: Ref = None,
    band: Ref = None,
    color: str = "ink",
    width: float = 1.6,
    dash: bool = False,
    label: str | None = None,
    when: Ref = None,
) -> Part:
    """A line across the axes: w0 + w1 x + w2 y = 0, or y = slope x + intercept, or x, or y.

    `band=1` shades where |w0 + w1 x + w2 y| ≤ 1 (a band of half-width 1/‖w‖).  Raises ValueError
    where it is given in none of these ways, or in two.

    >>> from nnlib import live
    >>> view = live.axes(live.line("w0", "w1", "w2", band=1), xlim=(-2, 2), ylim=(-2, 2))
    >>> weights = {"w0": (-1.0, 1.0), "w1": (-1.0, 1.0), "w2": (0.1, 1.0)}
    >>> live.figure(**weights, view=view, title="A decision line")
    Figure('A decision line')
    """
    names = {"w0": w0, "w1": w1, "w2": w2, "slope": slope, "intercept": intercept, "x": x, "y": y}
    given = {k for k, v in names.items() if v is not None}
    if given not in ({"w0", "w1", "w2"}, {"slope", "intercept"}, {"x"}, {"y"}):
        raise ValueError(
            "a line is given by w0, w1, w2, or by slope and intercept, or by x, or by y; "
            f"but not by {', '.join(sorted(given)) or 'nothing'}."
        )
    fields = {k: data(v) for k, v in names.items()} | {"band": data(band), "color": color}
    return Part("line", fields | {"width": width, "dash": dash, "label": label, "when": data(when)})


def decision_line(
    w0: str, w1: str, w2: str, *, center: Sequence[float] = (0, 0), reach: float = 1.0, label="line"
) -> list[Part]:
    """The line w0 + w1 x + w2 y = 0 with its band, and three handles on three scalar inputs.

    One handle moves the line, one turns it, one on the band's edge sets ‖w‖ (the band's half-width
    is 1/‖w‖).  `center` is a point in the middle of the data, `reach` how far the turning handle
    stands from the moving one.  Use it inside axes as `*live.decision_line("w0", "w1", "w2")`.

    >>> from nnlib import live
    >>> weights = {"w0": live.values(0.0), "w1": live.values(1.0), "w2": live.values(1.0)}
    >>> view = live.axes(*live.decision_line("w0", "w1", "w2"), xlim=(-2, 2), ylim=(-2, 2))
    >>> live.figure(**weights, view=view, title="Drag the line")
    Figure('Drag the line')
    """
    cx, cy = center

    def on_line(b: Any, u: Any, v: Any) -> tuple:  # the line's point nearest to the centre
        gap = (b + u * cx + v * cy) / (u * u + v * v + 1e-12)
        return cx - gap * u, cy - gap * v

    def unit(u: Any, v: Any) -> tuple:
        norm = (u * u + v * v + 1e-12) ** 0.5
        return u / norm, v / norm, norm

    def pick(env: dict) -> tuple:
        return env[w0], env[w1], env[w2]

    def place(side: Callable, axis: int) -> Callable:
        def position(**env: Any) -> Any:
            b, u, v = pick(env)
            px, py = on_line(b, u, v)
            nx, ny, norm = unit(u, v)
            return side(px, py, nx, ny, norm)[axis]

        return position

    def move(x: Any, y: Any, **env: Any) -> dict:
        _, u, v = pick(env)
        return {w0: -(u * x + v * y)}

    def turn(x: Any, y: Any, **env: Any) -> dict:
        b, u, v = pick(env)
        px, py = on_line(b, u, v)
        dx, dy, _ = unit(x - px, y - py)
        norm = unit(u, v)[2]
        a, c = dy * norm, -dx * norm
        return {w0: -(a * px + c * py), w1: a, w2: c}

    def widen(x: Any, y: Any, **env: Any) -> dict:
        b, u, v = pick(env)
        px, py = on_line(b, u, v)
        nx, ny, _ = unit(u, v)
        distance = (x - px) * nx + (y - py) * ny
        norm = 1 / distance.clamp(min=0.02)
        return {w0: -norm * (nx * px + ny * py), w1: norm * nx, w2: norm * ny}

    places = (
        (lambda px, py, nx, ny, norm: (px, py), move, "position"),
        (lambda px, py, nx, ny, norm: (px - reach * ny, py + reach * nx), turn, "direction"),
        (lambda px, py, nx, ny, norm: (px + nx / norm, py + ny / norm), widen, "band"),
    )
    handles = [
        handle(place(side, 0), place(side, 1), drag=rule, label=f"{label}, {what}")
        for side, rule, what in places
    ]
    return [line(w0, w1, w2, band=1.0), *handles]


def segments(
    x0: Ref,
    y0: Ref,
    x1: Ref,
    y1: Ref,
    *,
    color: str = "muted",
    width: float = 1.4,
    dash: bool = False,
    label: str | None = None,
    when: Ref = None,
) -> Part:
    """Straight pieces from (x0, y0) to (x1, y1): residuals, or what hangs on every point.

    >>> import nnlib
    >>> from nnlib import live
    >>> x, y = nnlib.tensor([0.0, 1.0, 2.0]), nnlib.tensor([0.0, 1.5, 1.0])
    >>> view = live.axes(live.points(x=x, y=y), live.segments(x, y, x, "line"))
    >>> live.figure(lambda w: {"line": w * x}, w=(0.0, 2.0), view=view, title="Residuals")
    Figure('Residuals')
    """
    ends = {"x0": data(x0), "y0": data(y0), "x1": data(x1), "y1": data(y1)}
    look = {"color": color, "width": width, "dash": dash, "label": label, "when": data(when)}
    return Part("segments", ends | look)


def arrows(
    x: Ref,
    y: Ref,
    dx: Ref,
    dy: Ref,
    *,
    scale: Ref = 1.0,
    color: str = "gradient",
    width: float = 1.6,
    label: str | None = None,
    when: Ref = None,
) -> Part:
    """Arrows from (x, y) to (x + scale·dx, y + scale·dy): one gradient, or a field of them.

    >>> from nnlib import live
    >>> view = live.axes(live.arrows("p", "q", "dp", "dq", scale=0.1), xlim=(-2, 2), ylim=(-2, 2))
    >>> def slope(p, q):
    ...     return {"dp": -2 * p, "dq": -2 * q}
    >>> live.figure(slope, p=(-2.0, 2.0), q=(-2.0, 2.0), view=view, title="A gradient")
    Figure('A gradient')
    """
    ends = {"x": data(x), "y": data(y), "dx": data(dx), "dy": data(dy), "scale": data(scale)}
    return Part(
        "arrows", ends | {"color": color, "width": width, "label": label, "when": data(when)}
    )


def bars(
    height: Ref,
    x: Ref = None,
    *,
    labels: Sequence[str] | None = None,
    base: Ref = None,
    width: float = 0.8,
    color: str = "series0",
    classes: Ref = None,
    select: str | None = None,
    label: str | None = None,
    format: str | None = None,
    when: Ref = None,
) -> Part:
    """Bars of the given heights at x (0, 1, … unless given); `labels` names them on the axis.

    `format=".2f"` writes each bar's number at its end; `select` as for points.

    >>> import nnlib
    >>> from nnlib import live
    >>> z = nnlib.tensor([0.0, 1.0, 2.0])
    >>> view = live.axes(live.bars("p", labels=["a", "b", "c"], format=".2f"), ylim=(0, 1))
    >>> live.figure(lambda t: {"p": (z / t).softmax(0)}, t=(0.1, 3.0), view=view, title="Softmax")
    Figure('Softmax')
    """
    fields = {"height": data(height), "x": data(x), "labels": labels, "base": data(base)}
    look = {"width": width, "color": color, "classes": data(classes), "select": select}
    return Part("bars", fields | look | {"label": label, "format": format, "when": data(when)})


def area(
    x: Ref,
    y: Ref,
    base: Ref = 0.0,
    *,
    color: str = "series0",
    label: str | None = None,
    when: Ref = None,
) -> Part:
    """The area between y and `base` (a number or as many numbers as x).

    >>> import nnlib
    >>> from nnlib import live
    >>> x = nnlib.linspace(0, 1, 11)
    >>> view = live.axes(live.area(x, "y"))
    >>> live.figure(lambda w: {"y": x**w}, w=(0.5, 3.0), view=view, title="Below the curve")
    Figure('Below the curve')
    """
    fields = {"x": data(x), "y": data(y), "base": data(base)}
    return Part("area", fields | {"color": color, "label": label, "when": data(when)})


def contour(
    z: Ref,
    xlim: Sequence[float],
    ylim: Sequence[float],
    *,
    levels: int | Sequence[float] = 10,
    color: str = "muted",
    fill: bool = False,
    label: str | None = None,
    when: Ref = None,
) -> Part:
    """Contours of z (rows: y rising, columns: x rising) at some levels; `fill` shades between.

    >>> import nnlib
    >>> from nnlib import live
    >>> x, y = nnlib.meshgrid(nnlib.linspace(-1, 1, 9), nnlib.linspace(-1, 1, 9), indexing="xy")
    >>> view = live.axes(live.contour("z", (-1, 1), (-1, 1), levels=5))
    >>> live.figure(lambda k: {"z": x**2 + k * y**2}, k=(0.1, 3.0), view=view, title="A hill")
    Figure('A hill')
    """
    chosen = levels if isinstance(levels, int) else [float(v) for v in levels]
    fields = {"z": data(z), "xlim": list(xlim), "ylim": list(ylim), "levels": chosen}
    return Part(
        "contour", fields | {"color": color, "fill": fill, "label": label, "when": data(when)}
    )


def heat(
    z: Ref,
    xlim: Sequence[float],
    ylim: Sequence[float],
    *,
    colors: str = "classes",
    range: Sequence[float] | None = None,
    label: str | None = None,
    smooth: bool = True,
    when: Ref = None,
) -> Part:
    """Colours z (rows: y rising, columns: x rising) over a rectangle.

    `colors`: "classes" (class 0 … class 1, range 0 … 1), "diverging" (negative … positive,
    symmetric), "gray", "magnitude".  `range` fixes the ends; otherwise they follow the values.

    >>> import nnlib
    >>> from nnlib import live
    >>> grid = nnlib.tensor(live.grid((-1, 1), (-1, 1), 16))
    >>> view = live.axes(live.heat("p", (-1, 1), (-1, 1)))
    >>> def maps(w):
    ...     return {"p": (w * grid.sum(1)).sigmoid().reshape(16, 16)}
    >>> live.figure(maps, w=(-3.0, 3.0), view=view, title="A map")
    Figure('A map')
    """
    if range is None and colors == "classes":
        range = (0.0, 1.0)
    fields = {"z": data(z), "xlim": list(xlim), "ylim": list(ylim), "colors": colors}
    more = {"range": list(range) if range else None, "label": label, "smooth": smooth}
    return Part("heat", fields | more | {"when": data(when)})


def label(
    template: str,
    x: Ref,
    y: Ref,
    *,
    color: str = "ink",
    anchor: str = "middle",
    dx: float = 0,
    dy: float = 0,
    when: Ref = None,
) -> Part:
    """Text at (x, y), moved by (dx, dy) pixels; `{p:.2f}` in it is a live number.

    >>> from nnlib import live
    >>> view = live.axes(live.label("w = {w:.1f}", "w", 0.5), xlim=(-1, 1), ylim=(0, 1))
    >>> live.figure(w=(-1.0, 1.0), view=view, title="A label that moves")
    Figure('A label that moves')
    """
    fields = {"text": text(template), "x": data(x), "y": data(y), "color": color}
    return Part("label", fields | {"anchor": anchor, "dx": dx, "dy": dy, "when": data(when)})


def grid(xlim: Sequence[float], ylim: Sequence[float], n: int = 64) -> np.ndarray:
    """The n·n points of a map, shape (n², 2), float32, row by row with y rising: for heat maps.

    >>> from nnlib import live
    >>> live.grid((0, 1), (0, 1), 2).tolist()
    [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    """
    x, y = np.meshgrid(np.linspace(xlim[0], xlim[1], n), np.linspace(ylim[0], ylim[1], n))
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)


__all__ = ["Data", "array"]
__all__ += ["area", "arrows", "bars", "contour", "curve", "decision_line", "grid", "handle", "heat"]
__all__ += ["label", "line", "path", "points", "segments"]

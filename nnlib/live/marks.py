"""Each kind of mark (drawn inside axes): a function that makes one, and a subclass of `Mark`.

The function's arguments are the fields that `view.schema.json` lists.  The class computes the
values that the mark covers, and draws it as SVG for pages without scripts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nnlib.live import svg
from nnlib.live.mark import Mark, Plot
from nnlib.live.parts import Drag, Part, data, names, text

Ref = Any  # a name, numbers or a function: see nnlib.live.parts


def _drag(target: Any) -> Drag | None:
    return None if target is None else Drag(target)


class Curve(Mark):
    """See `curve`."""

    kind = "curve"
    fills_width = True

    def static_svg(self, plot: Plot) -> str:
        xs, ys = self.get("x"), self.get("y")
        if xs is None or ys is None:
            return ""
        rows = ys if ys.ndim > 1 else [ys]
        stroke = f'fill="none" stroke="{self.color}" stroke-width="{self.fields["width"]}"'
        return "".join(f'<path d="{svg.route(plot.x(xs), plot.y(r))}" {stroke}/>' for r in rows)


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
    """A line that joins the points (x, y) in their order; y of shape (k, n) draws k lines.

    `arrow` puts an arrowhead at the end, `dash` makes the line dashed.  `drag` is as in `handle`,
    but the reader may drag the line at any point, and the function gets the pointer's position.

    >>> import nnlib
    >>> from nnlib import live
    >>> x = nnlib.linspace(0, 1, 11)
    >>> view = live.axes(live.curve(x, "y", label="w x"))
    >>> live.figure(lambda w: {"y": w * x}, w=(0.0, 2.0), view=view, title="A line")
    Figure('A line')
    """
    fields: dict[str, Any] = {"x": data(x), "y": data(y), "color": color}
    fields |= {"width": width, "dash": dash}
    fields |= {"label": label, "drag": _drag(drag), "arrow": arrow, "when": data(when)}
    return Part("curve", fields)


path = curve


class Points(Mark):
    """See `points`."""

    kind = "points"

    def positions(self) -> tuple[Any, Any]:
        """The x and the y values of the points."""
        xy = self.get("xy")
        return (xy[:, 0], xy[:, 1]) if xy is not None else (self.get("x"), self.get("y"))

    def extent(self) -> tuple[list, list]:
        xs, ys = self.positions()
        return [xs], [ys]

    def static_svg(self, plot: Plot) -> str:
        xs, ys = self.positions()
        if xs is None or ys is None:
            return ""
        px, py = svg.pixels(plot.x(np.ravel(xs))), svg.pixels(plot.y(np.ravel(ys)))
        return svg.dots(px, py, self.get("classes"), self.color)


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

    `classes` (n numbers 0, 1, 2, …; −1 counts as 0) gives each point the colour and shape of its
    class; `class_names` names the classes in the legend.  With `drag=True` the reader can drag
    every point; xy must then be the name of an input.  A click sets the input `select` to the
    index of the point, and switches the point's entry in the array input `toggle`.  A ring marks
    the points for which `mark` (n booleans) is true, such as those classified wrongly.

    Raises:
        ValueError: positions are missing, or `drag` is given and xy is not an input's name.

    >>> from nnlib import live
    >>> x, y = [[0.0, 0.0], [1.0, 1.0], [1.0, 0.0]], [0, 1, 1]
    >>> view = live.axes(live.points(x, y, class_names=["no", "yes"]), xlim=(-1, 2), ylim=(-1, 2))
    >>> live.figure(view=view, title="Three points")
    Figure('Three points')
    """
    fields: dict[str, Any] = {"color": color, "size": data(size), "classes": data(classes)}
    fields["xy"] = data(xy)
    if xy is None and (x is None or y is None):
        raise ValueError("points need xy of shape (n, 2), or both x and y.")
    if drag is True:
        if not isinstance(xy, str):
            raise ValueError("points(drag=True) moves an input: give xy as that input's name.")
    elif drag:
        raise ValueError("points take only drag=True; for any other drag use handle(…).")
    fields |= {"x": data(x), "y": data(y), "label": label, "drag": drag or None}
    fields |= {"labels": names(labels), "class_names": names(class_names)}
    fields |= {"select": select, "toggle": toggle, "mark": data(mark), "when": data(when)}
    return Part("points", fields)


class Handle(Mark):
    """See `handle`."""

    kind = "handle"

    def static_svg(self, plot: Plot) -> str:
        x, y = self.get("x"), self.get("y")
        if x is None or y is None:
            return ""
        px, py = svg.pixels(plot.x(np.ravel(x))), svg.pixels(plot.y(np.ravel(y)))
        return svg.dots(px, py, None, self.color)


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

    `drag` gives the inputs that follow its position: the name of an input of shape (2,); a pair of
    names `("a", "b")`, of which one may be None; or a function of x, y and any inputs that returns
    the new values of inputs, such as `lambda x, y, w: {"w0": -w * x}` (it is traced, like all
    functions of a figure).

    >>> from nnlib import live
    >>> def shift(x, w):
    ...     return {"w0": -w * x}
    >>> cross = live.handle(lambda w0, w: -w0 / w, 0.5, drag=shift, label="where P is one half")
    >>> view = live.axes(cross, xlim=(-5, 5), ylim=(0, 1))
    >>> live.figure(w0=live.values(0.0), w=live.values(1.0), view=view, title="Drag the crossing")
    Figure('Drag the crossing')
    """
    fields = {"x": data(x), "y": data(y), "drag": _drag(drag), "label": label, "color": color}
    return Part("handle", fields | {"size": size, "step": step, "when": data(when)})


class Line(Mark):
    """See `line`."""

    kind = "line"

    def extent(self) -> tuple[list, list]:
        return [], []

    def ends(self, xlim: np.ndarray, ylim: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """The x and the y values of two points of the line at the axes' edges."""
        if self.get("w0") is not None:
            w0, w1, w2 = (float(self.get(k)) for k in ("w0", "w1", "w2"))
            if abs(w2) > 1e-9:
                return xlim, -(w0 + w1 * xlim) / w2
            return (np.full(2, -w0 / w1), ylim) if abs(w1) > 1e-9 else None
        if self.get("slope") is not None:
            return xlim, float(self.get("intercept")) + float(self.get("slope")) * xlim
        if self.get("x") is not None:
            return np.full(2, float(self.get("x"))), ylim
        if self.get("y") is not None:
            return xlim, np.full(2, float(self.get("y")))
        return None

    def static_svg(self, plot: Plot) -> str:
        edges = (np.asarray(plot.axes[k], float) for k in ("xlim", "ylim"))
        with np.errstate(all="ignore"):
            ends = self.ends(*edges)
        if ends is None:
            return ""
        route = svg.route(plot.x(ends[0]), plot.y(ends[1]))
        return f'<path d="{route}" fill="none" stroke="{self.color}" stroke-width="1.6"/>'


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
    """A line across the axes: w0 + w1 x + w2 y = 0, y = slope x + intercept, or a fixed x or y.

    `band=1` shades the points with |w0 + w1 x + w2 y| ≤ 1 (a band of half-width 1/‖w‖).

    Raises:
        ValueError: the line is not given in exactly one of these four ways.

    >>> from nnlib import live
    >>> view = live.axes(live.line("w0", "w1", "w2", band=1), xlim=(-2, 2), ylim=(-2, 2))
    >>> weights = {"w0": (-1.0, 1.0), "w1": (-1.0, 1.0), "w2": (0.1, 1.0)}
    >>> live.figure(**weights, view=view, title="A decision line")
    Figure('A decision line')
    """
    coefficients = {"w0": w0, "w1": w1, "w2": w2, "slope": slope, "intercept": intercept}
    coefficients |= {"x": x, "y": y}
    present = {k for k, v in coefficients.items() if v is not None}
    if present not in ({"w0", "w1", "w2"}, {"slope", "intercept"}, {"x"}, {"y"}):
        raise ValueError(
            "a line is given by w0, w1, w2, or by slope and intercept, or by x, or by y, "
            f"not by {', '.join(sorted(present)) or 'nothing'}."
        )
    fields = {k: data(v) for k, v in coefficients.items()} | {"band": data(band), "color": color}
    return Part("line", fields | {"width": width, "dash": dash, "label": label, "when": data(when)})


def decision_line(
    w0: str, w1: str, w2: str, *, center: Sequence[float] = (0, 0), reach: float = 1.0, label="line"
) -> list[Part]:
    """The line w0 + w1 x + w2 y = 0 with its band, and three handles that set w0, w1 and w2.

    One handle moves the line, one rotates it, and one on the band's edge sets ‖w‖ (the band's
    half-width is 1/‖w‖).  `center` is a point in the middle of the data, `reach` the distance of
    the rotating handle from the moving one.

    Use it inside axes as `*live.decision_line("w0", "w1", "w2")`.

    >>> from nnlib import live
    >>> weights = {"w0": live.values(0.0), "w1": live.values(1.0), "w2": live.values(1.0)}
    >>> view = live.axes(*live.decision_line("w0", "w1", "w2"), xlim=(-2, 2), ylim=(-2, 2))
    >>> live.figure(**weights, view=view, title="Drag the line")
    Figure('Drag the line')
    """
    cx, cy = center

    def on_line(b: Any, u: Any, v: Any) -> tuple:  # the line's point nearest to the centre
        offset = (b + u * cx + v * cy) / (u * u + v * v + 1e-12)
        return cx - offset * u, cy - offset * v

    def unit(u: Any, v: Any) -> tuple:
        norm = (u * u + v * v + 1e-12) ** 0.5
        return u / norm, v / norm, norm

    def weights(env: dict) -> tuple:
        return env[w0], env[w1], env[w2]

    def coordinate(position: Callable, axis: int) -> Callable:
        def of_inputs(**env: Any) -> Any:
            b, u, v = weights(env)
            px, py = on_line(b, u, v)
            nx, ny, norm = unit(u, v)
            return position(px, py, nx, ny, norm)[axis]

        return of_inputs

    def move(x: Any, y: Any, **env: Any) -> dict:
        _, u, v = weights(env)
        return {w0: -(u * x + v * y)}

    def turn(x: Any, y: Any, **env: Any) -> dict:
        b, u, v = weights(env)
        px, py = on_line(b, u, v)
        dx, dy, _ = unit(x - px, y - py)
        norm = unit(u, v)[2]
        a, c = dy * norm, -dx * norm
        return {w0: -(a * px + c * py), w1: a, w2: c}

    def widen(x: Any, y: Any, **env: Any) -> dict:
        b, u, v = weights(env)
        px, py = on_line(b, u, v)
        nx, ny, _ = unit(u, v)
        distance = (x - px) * nx + (y - py) * ny
        norm = 1 / distance.clamp(min=0.02)
        return {w0: -norm * (nx * px + ny * py), w1: norm * nx, w2: norm * ny}

    positions = (
        (lambda px, py, nx, ny, norm: (px, py), move, "position"),
        (lambda px, py, nx, ny, norm: (px - reach * ny, py + reach * nx), turn, "direction"),
        (lambda px, py, nx, ny, norm: (px + nx / norm, py + ny / norm), widen, "band"),
    )
    handles = [
        handle(
            coordinate(position, 0), coordinate(position, 1), drag=drag, label=f"{label}, {name}"
        )
        for position, drag, name in positions
    ]
    return [line(w0, w1, w2, band=1.0), *handles]


class Segments(Mark):
    """See `segments`."""

    kind = "segments"

    def extent(self) -> tuple[list, list]:
        return [self.get("x0"), self.get("x1")], [self.get("y0"), self.get("y1")]

    def static_svg(self, plot: Plot) -> str:
        coordinates = [self.get(k) for k in ("x0", "y0", "x1", "y1")]
        if any(end is None for end in coordinates):
            return ""
        x0, y0, x1, y1 = np.broadcast_arrays(*coordinates)
        ends = (plot.x(x0).ravel(), plot.y(y0).ravel(), plot.x(x1).ravel(), plot.y(y1).ravel())
        route = "".join(
            f"M{a:.0f} {b:.0f}L{c:.0f} {d:.0f}" for a, b, c, d in zip(*ends, strict=True)
        )
        return f'<path d="{route}" fill="none" stroke="{self.color}"/>'


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
    """Line segments from (x0, y0) to (x1, y1), such as residuals.

    >>> import nnlib
    >>> from nnlib import live
    >>> x, y = nnlib.tensor([0.0, 1.0, 2.0]), nnlib.tensor([0.0, 1.5, 1.0])
    >>> view = live.axes(live.points(x=x, y=y), live.segments(x, y, x, "line"))
    >>> live.figure(lambda w: {"line": w * x}, w=(0.0, 2.0), view=view, title="Residuals")
    Figure('Residuals')
    """
    ends = {"x0": data(x0), "y0": data(y0), "x1": data(x1), "y1": data(y1)}
    style = {"color": color, "width": width, "dash": dash, "label": label, "when": data(when)}
    return Part("segments", ends | style)


class Arrows(Mark):
    """See `arrows`."""

    kind = "arrows"


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
    >>> def gradient(p, q):
    ...     return {"dp": 2 * p, "dq": 2 * q}
    >>> live.figure(gradient, p=(-2.0, 2.0), q=(-2.0, 2.0), view=view, title="A gradient")
    Figure('A gradient')
    """
    ends = {"x": data(x), "y": data(y), "dx": data(dx), "dy": data(dy), "scale": data(scale)}
    return Part(
        "arrows", ends | {"color": color, "width": width, "label": label, "when": data(when)}
    )


class Bars(Mark):
    """See `bars`."""

    kind = "bars"

    def extent(self) -> tuple[list, list]:
        height = self.get("height")
        if height is None:
            return [], []
        x = self.get("x") if self.fields.get("x") is not None else np.arange(height.size)
        space = np.max(np.abs(height), initial=0.0) * 0.12 if self.fields.get("format") else 0.0
        return [x - 0.6, x + 0.6], [height + space * np.sign(height), np.zeros(1)]

    def static_svg(self, plot: Plot) -> str:
        height, x = self.get("height"), self.get("x")
        if height is None:
            return ""
        middle = np.arange(height.size) if x is None else x
        left, right, top = plot.x(middle - 0.4), plot.x(middle + 0.4), plot.y(height.ravel())
        zero = float(plot.y(0.0))
        return "".join(
            f'<rect x="{a:.0f}" y="{min(t, zero):.0f}" width="{b - a:.0f}" '
            f'height="{abs(zero - t):.0f}" fill="{self.color}"/>'
            for a, b, t in zip(left, right, top, strict=True)
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
    """Bars of the given heights at x (by default 0, 1, …); `labels` are written on the axis.

    `format=".2f"` writes each bar's height at its end.  A click on a bar sets the input `select` to
    its index.

    >>> import nnlib
    >>> from nnlib import live
    >>> z = nnlib.tensor([0.0, 1.0, 2.0])
    >>> view = live.axes(live.bars("p", labels=["a", "b", "c"], format=".2f"), ylim=(0, 1))
    >>> live.figure(lambda t: {"p": (z / t).softmax(0)}, t=(0.1, 3.0), view=view, title="Softmax")
    Figure('Softmax')
    """
    fields = {"height": data(height), "x": data(x), "labels": names(labels), "base": data(base)}
    style = {"width": width, "color": color, "classes": data(classes), "select": select}
    return Part("bars", fields | style | {"label": label, "format": format, "when": data(when)})


class Area(Mark):
    """See `area`."""

    kind = "area"
    fills_width = True

    def extent(self) -> tuple[list, list]:
        return [self.get("x")], [self.get("y"), self.get("base")]

    def static_svg(self, plot: Plot) -> str:
        xs, ys = self.get("x"), self.get("y")
        if xs is None or ys is None:
            return ""
        px, base = plot.x(xs), plot.y(np.broadcast_to(self.get("base"), xs.shape))
        route = svg.route(np.r_[px, px[::-1]], np.r_[plot.y(ys), base[::-1]])
        return f'<path d="{route}Z" fill="{self.color}" opacity=".25"/>'


def area(
    x: Ref,
    y: Ref,
    base: Ref = 0.0,
    *,
    color: str = "series0",
    label: str | None = None,
    when: Ref = None,
) -> Part:
    """The area between y and `base`, which is one number or as many numbers as x.

    >>> import nnlib
    >>> from nnlib import live
    >>> x = nnlib.linspace(0, 1, 11)
    >>> view = live.axes(live.area(x, "y"))
    >>> live.figure(lambda w: {"y": x**w}, w=(0.5, 3.0), view=view, title="Below the curve")
    Figure('Below the curve')
    """
    fields = {"x": data(x), "y": data(y), "base": data(base)}
    return Part("area", fields | {"color": color, "label": label, "when": data(when)})


class GridMark(Mark):
    """What contours and heat maps have in common: a matrix z over a rectangle of the axes."""

    def extent(self) -> tuple[list, list]:
        return [np.asarray(self.fields["xlim"])], [np.asarray(self.fields["ylim"])]

    def static_svg(self, plot: Plot) -> str:
        z = self.get("z")
        if z is None or z.ndim != 2:
            return ""
        x0, x1 = plot.x(np.asarray(self.fields["xlim"]))
        y0, y1 = plot.y(np.asarray(self.fields["ylim"]))

        def box(r: int, a: int, b: int, shape: tuple) -> tuple[int, int, int, int]:
            left, right = (round(x0 + (x1 - x0) * k / shape[1]) for k in (a, b))
            low, high = (round(y0 + (y1 - y0) * k / shape[0]) for k in (r, r + 1))
            return left, high, right - left, low - high

        return svg.cells(z, self.fields.get("colors", "pale"), self.fields.get("range"), box)


class Contour(GridMark):
    """See `contour`."""

    kind = "contour"
    fills_width = True


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
    """Contour lines of z; y increases from row to row, and x from column to column.

    `levels` is the number of lines, or a list of the values of z along them.  `fill=True` colours
    the areas between the lines.

    >>> import nnlib
    >>> from nnlib import live
    >>> x, y = nnlib.meshgrid(nnlib.linspace(-1, 1, 9), nnlib.linspace(-1, 1, 9), indexing="xy")
    >>> view = live.axes(live.contour("z", (-1, 1), (-1, 1), levels=5))
    >>> live.figure(lambda k: {"z": x**2 + k * y**2}, k=(0.1, 3.0), view=view, title="A bowl")
    Figure('A bowl')
    """
    chosen = levels if isinstance(levels, int) else [float(v) for v in levels]
    fields = {"z": data(z), "xlim": list(xlim), "ylim": list(ylim), "levels": chosen}
    return Part(
        "contour", fields | {"color": color, "fill": fill, "label": label, "when": data(when)}
    )


class Heat(GridMark):
    """See `heat`."""

    kind = "heat"
    fills_width = True


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
    """A rectangle coloured by z; y increases from row to row, and x from column to column.

    `colors` is "classes" (from class 0 at z = 0 to class 1 at z = 1), "diverging" (from negative to
    positive, symmetric about 0), "gray" or "magnitude".  `range` fixes the ends of the colour
    scale; otherwise they follow the values.

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
    fields: dict[str, Any] = {"z": data(z), "xlim": list(xlim), "ylim": list(ylim)}
    fields |= {"colors": colors, "range": list(range) if range else None, "smooth": smooth}
    return Part("heat", fields | {"label": label, "when": data(when)})


class Label(Mark):
    """See `label`."""

    kind = "label"


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
    """Text at (x, y), shifted by (dx, dy) pixels; `{p:.2f}` in it shows the current value of p.

    >>> from nnlib import live
    >>> view = live.axes(live.label("w = {w:.1f}", "w", 0.5), xlim=(-1, 1), ylim=(0, 1))
    >>> live.figure(w=(-1.0, 1.0), view=view, title="A label that moves")
    Figure('A label that moves')
    """
    fields = {"text": text(template), "x": data(x), "y": data(y), "color": color}
    return Part("label", fields | {"anchor": anchor, "dx": dx, "dy": dy, "when": data(when)})


def grid(xlim: Sequence[float], ylim: Sequence[float], n: int = 64) -> np.ndarray:
    """The points of a regular n × n grid, for heat maps: (n², 2), row by row, with increasing y.

    >>> from nnlib import live
    >>> live.grid((0, 1), (0, 1), 2).tolist()
    [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    """
    x, y = np.meshgrid(np.linspace(xlim[0], xlim[1], n), np.linspace(ylim[0], ylim[1], n))
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)


__all__ = ["area", "arrows", "bars", "contour", "curve", "decision_line", "grid", "handle", "heat"]
__all__ += ["label", "line", "path", "points", "segments"]

"""The live figures of the chapter on gradient ascent, around the functions that it defines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import nnlib
from nnlib import live

W1, W2 = (-4.0, 14.0), (-9.0, 7.0)
LEVELS = (-4, -3, -2, -1.5, -1, -0.7, -0.5, -0.35, -0.25, -0.2, -0.17, -0.15, -0.14)
BILL, MASS = "bill length (standard deviations)", "body mass (standard deviations)"
CLIMBERS = ("all birds", "mini-batches of 10", "mini-batches, momentum", "mini-batches, Adam")
STEPS = 21  # steps of 10 birds that make one pass over 219
PASSES = 30  # the length of the race
ARROW = 3.0  # the length of the reader's arrow
Hill = Callable[[Any], Any]


def _unit(v: Any) -> Any:
    return v / ((v * v).sum() + 1e-12).sqrt()


def _degrees(u: Any, v: Any) -> Any:
    """The angle between two vectors, 0 to 180."""
    cross = (u[0] * v[1] - u[1] * v[0]).abs()
    return nnlib.atan2(cross, (u * v).sum()) * (180 / np.pi)


def _panel(hill: Hill, *marks: Any, xlim: Any = W1, ylim: Any = W2, levels: Any = LEVELS,
           **options: Any) -> Any:  # fmt: skip
    """The marks on the contours of the hill."""
    heights = hill(nnlib.tensor(live.grid(xlim, ylim, 40)).double()).reshape(40, 40)
    contours = live.contour(heights, xlim, ylim, levels=levels, fill=True)
    axes_options = {"equal": True, "width": 400, "height": 340} | options
    return live.axes(
        contours, *marks, xlim=xlim, ylim=ylim, xlabel="w₁", ylabel="w₂", **axes_options
    )


def _weights_handle() -> Any:
    return live.handle("w[0]", "w[1]", drag="w", label="the weights w", size=5)


# --- two views of one w ---------------------------------------------------------------------------


def _line_of_w(x: Any, birds: Any) -> Any:
    """The birds and the line of w, which can be turned and made more confident."""

    def turn(x: Any, y: Any, w: Any) -> dict:
        return {"w": _unit(nnlib.stack([y, -x])) * (w * w).sum().sqrt()}

    def widen(x: Any, y: Any, w: Any) -> dict:
        u = _unit(w)
        return {"w": u / (x * u[0] + y * u[1]).clamp(min=0.06)}

    return live.axes(
        live.points(x, birds.y, class_names=birds.classes),
        live.line(0.0, "w[0]", "w[1]", band=1.0),
        live.handle(lambda w: -2.2 * _unit(w)[1], lambda w: 2.2 * _unit(w)[0], drag=turn,
                    label="line, direction"),
        live.handle(lambda w: w[0] / (w * w).sum(), lambda w: w[1] / (w * w).sum(), drag=widen,
                    label="line, band"),
        xlim=(-3, 3), ylim=(-3, 3), equal=True, xlabel=BILL, ylabel=MASS, width=340, height=340,
    )  # fmt: skip


def two_views(hill: Hill, gradient: Hill, x: Any, birds: Any, start: Any, peak: Any) -> live.Figure:
    """The same w as a line between the birds and as a point on the hill; draw a step."""

    def compare(w: Any, guess: Any) -> dict:
        g = gradient(w)
        off, aim = _degrees(guess, g), _degrees(guess, peak - w)
        arrow = g * 8 / ((g * g).sum() + 1e-12) ** 0.25
        between = _degrees(g, peak - w)
        return {"drawn": arrow, "h": hill(w), "off": off, "aim": aim, "between": between}

    def point(x: Any, y: Any, w: Any) -> dict:
        return {"guess": ARROW * _unit(nnlib.stack([x, y]) - w)}

    mountain = _panel(
        hill,
        live.arrows("w[0]", "w[1]", "guess[0]", "guess[1]", color="accent", label="your arrow"),
        live.arrows("w[0]", "w[1]", "drawn[0]", "drawn[1]", width=3,
                    label="gradient, drawn 8√‖∇h‖ long", when="uphill_committed"),
        live.handle(lambda w, guess: w[0] + guess[0], lambda w, guess: w[1] + guess[1], drag=point,
                    label="your arrow"),
        _weights_handle(),
    )  # fmt: skip
    return live.figure(
        compare,
        w=start,
        guess=np.array([0.0, ARROW], "float32"),
        view=[
            [_line_of_w(x, birds), mountain],
            "w = ({w[0]:.2f}, {w[1]:.2f}), height {h:.3f}",
            live.predict("Turn your arrow to where the hill rises most steeply.", name="uphill",
                         input="guess"),
            live.readout("Your arrow is {off:.0f}° off the gradient and {aim:.0f}° off the way to "
                         "the top. Between these two are {between:.0f}°.", when="uphill_committed"),
        ],
        title="Two views of one w",
        dtype="float64",
        caption="Turn your arrow and commit. Then drag w, or the line: where do the gradient and "
        "the way to the top differ most?",
        alt="Left, penguins and the line that w puts between them; right, w on the contours of "
        "the hill, which is a long ridge, and an arrow to turn. Once you have committed, the "
        "gradient appears beside it.",
    )  # fmt: skip


# --- why the gradient is the steepest direction ---------------------------------------------------


def every_direction(height: Hill, gradient: Hill) -> live.Figure:
    """The hill 10 − w₁² − 2w₂²: the slope in a direction to turn, and in all directions."""
    around = nnlib.linspace(-180, 180, 121, dtype=nnlib.float64)
    turn = nnlib.linspace(0, 2 * np.pi, 97, dtype=nnlib.float64)

    def outputs(w: Any, angle: Any) -> dict:
        g, level = gradient(w), 10 - height(w)
        radians, all_radians = angle * np.pi / 180, around * np.pi / 180
        u = nnlib.stack([radians.cos(), radians.sin()])
        oval = {"oval1": level.sqrt() * turn.cos(), "oval2": (level / 2).sqrt() * turn.sin()}
        return {
            **oval, "u": u, "g": 0.25 * g, "directional_derivative": (g * u).sum(), "h": height(w),
            "directional_derivatives": g[0] * all_radians.cos() + g[1] * all_radians.sin(),
            "length": (g * g).sum().sqrt(), "off": _degrees(u, g),
        }  # fmt: skip

    def aim(x: Any, y: Any, w: Any) -> dict:
        return {"angle": nnlib.atan2(y - w[1], x - w[0]) * 180 / np.pi}

    side = (-3.5, 3.5)
    return live.figure(
        outputs,
        w=np.array([2.0, 1.0]),
        angle=live.slider(-180.0, 180.0, 1.0, value=90.0, label="direction (degrees)"),
        view=[
            [
                _panel(
                    height,
                    live.path("oval1", "oval2", color="ink", width=2, label="contour through w"),
                    live.arrows("w[0]", "w[1]", "u[0]", "u[1]", color="accent", width=3,
                                label="your direction"),
                    live.arrows("w[0]", "w[1]", "g[0]", "g[1]", width=3,
                                label="gradient, a quarter of its length"),
                    live.points([[0.0, 0.0]], color="ink", size=5, label="top"),
                    live.handle(lambda w, u: w[0] + u[0], lambda w, u: w[1] + u[1], drag=aim,
                                label="your direction"),
                    _weights_handle(), xlim=side, ylim=side,
                    levels=(-30, -20, -12, -6, -2, 1, 4, 6, 8, 9.5),
                ),
                live.axes(
                    live.curve(around, "directional_derivatives", label="slope in each direction"),
                    live.line(y=0, dash=True, color="muted"),
                    live.points(x="angle", y="directional_derivative", color="accent", size=7,
                                label="yours"),
                    xlim=(-180, 180), xlabel="direction (degrees)", ylabel="slope",
                    width=340, height=340,
                ),
            ],
            live.readout("Slope in your direction: {directional_derivative:+.2f}. It is {off:.0f}° "
                         "away from the gradient, whose length is {length:.2f}. Height {h:.2f}"),
        ],
        title="The slope in every direction",
        dtype="float64",
        caption="Turn your direction until the slope is 0, then until it is largest. Compare it "
        "with the contour and with the gradient. Then drag w and try again.",
        alt="Left, oval contours, a point w, the contour through it and two arrows; right, the "
        "slope over all directions, a cosine wave. It is largest along the gradient, zero along "
        "the contour, and most negative in the direction opposite to the gradient.",
    )  # fmt: skip


# --- two climbers with one budget -----------------------------------------------------------------


def two_climbers(hill: Hill, searched: Any, climbed: Any) -> live.Figure:
    """Paths of local search (4 evaluations a step) and of gradient ascent (3 a step)."""
    count = nnlib.arange(max(len(searched), len(climbed)))

    def walked(path: Any, steps: Any) -> Any:
        return path[nnlib.minimum(count, steps.clamp(max=len(path) - 1))]

    def after(k: Any) -> dict:
        a, b = walked(searched, k // 4), walked(climbed, k // 3)
        return {"a": a, "b": b, "ha": hill(a[-1]), "hb": hill(b[-1])}

    return live.figure(
        after,
        k=live.slider(0, 120, 1, value=9, label="evaluations"),
        view=[
            _panel(
                hill,
                live.path("a[:,0]", "a[:,1]", label="local search, δ = 0.5", arrow=True),
                live.path("b[:,0]", "b[:,1]", color="gradient", label="gradient ascent, α = 20",
                          arrow=True),
            ),
            "After {k:d} evaluations: local search at {ha:.5f}, gradient ascent at {hb:.5f}",
        ],
        title="Two climbers, one budget",
        dtype="float64",
        caption="Give both more evaluations. Will local search ever be as high as gradient ascent "
        "is after 9?",
        alt="Local search climbs in a staircase along the axes; gradient ascent reaches the ridge "
        "in a few long steps, and after 9 evaluations is higher than local search ever gets.",
    )  # fmt: skip


# --- one dimension --------------------------------------------------------------------------------


def on_a_parabola(question: Any) -> live.Figure:
    """Twelve steps up h(w) = 10 − 2(w − 3)² from w = 1; each multiplies w − 3 by 1 − 4α."""
    ground = nnlib.linspace(-5, 11, 161, dtype=nnlib.float64)
    steps = nnlib.arange(13).double()

    def climb(alpha: Any) -> dict:
        w, path = nnlib.ones(()).double() + 0 * alpha, []
        for _ in range(13):
            path.append(w)
            w = w + alpha * -4 * (w - 3)
        points = nnlib.stack(path)
        return {"w": points, "h": 10 - 2 * (points - 3) ** 2, "factor": 1 - 4 * alpha,
                "gap": points - 3}  # fmt: skip

    return live.figure(
        climb,
        alpha=live.slider(0.02, 0.6, 0.01, value=0.1, label="step size α"),
        view=[
            question,
            live.column(live.row(
                live.axes(
                    live.curve(ground, 10 - 2 * (ground - 3) ** 2, label="h(w) = 10 − 2(w − 3)²"),
                    live.path("w", "h", color="gradient", width=1.4),
                    live.points(x="w", y="h", color="gradient", size=5, label="12 steps"),
                    xlim=(-4, 10), ylim=(-40, 14), xlabel="w", ylabel="height", width=340,
                    height=300,
                ),
                live.axes(
                    live.path(steps, "gap", color="gradient"),
                    live.points(x=steps, y="gap", color="gradient", size=5),
                    live.line(y=0, dash=True, color="muted"),
                    xlim=(0, 12), ylim=(-7, 7), xlabel="steps taken", ylabel="w − 3",
                    width=340, height=300,
                ),
            ), when="hop_committed"),
            live.readout("α = {alpha:.2f}: each step multiplies w − 3 by {factor:+.2f}. After 12 "
                         "steps w is {w[12]:.3f}.", when="hop_committed"),
        ],
        title="One dimension, twelve steps",
        dtype="float64",
        caption="Commit, then move α slowly from 0.02 to 0.6. Where does the climber first jump "
        "over the top? Where does it stop getting closer?",
        alt="A question; once it is answered, a parabola with twelve steps on it, and the "
        "distance w minus 3 after each step, for the chosen step size.",
    )  # fmt: skip


# --- two dimensions: one climb along each eigenvector ---------------------------------------------


def along_two_eigenvectors() -> live.Figure:
    """The hill −(w₁² + w₁w₂ + w₂²): w as a sum along (1, 1) and (1, −1), each with its factor."""
    directions = nnlib.tensor([[1.0, 1.0], [1.0, -1.0]]).double()
    curvature = nnlib.tensor([3.0, 1.0]).double()
    steps = nnlib.arange(13).double()

    def height(w: Any) -> Any:
        return -(w[..., 0] ** 2 + w[..., 0] * w[..., 1] + w[..., 1] ** 2)

    def climb(w: Any, alpha: Any) -> dict:
        share = (directions @ w) / 2  # w = share[0] (1, 1) + share[1] (1, −1)
        factor = 1 - alpha * curvature
        shares = share * factor ** steps[:, None]
        return {"share": share, "parts": share[:, None] * directions, "factor": factor,
                "path": shares @ directions, "shares": shares.T,
                "after": shares[1] @ directions}  # fmt: skip

    side = (-3.0, 3.0)
    return live.figure(
        climb,
        w=np.array([2.0, 0.0]),
        alpha=live.slider(0.05, 0.8, 0.05, value=0.5, label="step size α"),
        view=[
            [
                _panel(
                    height,
                    live.line(0.0, 1.0, -1.0, dash=True, color="muted"),
                    live.line(0.0, 1.0, 1.0, dash=True, color="muted"),
                    live.arrows(0.0, 0.0, "parts[0,0]", "parts[0,1]", color="series1", width=3,
                                label="along (1, 1)"),
                    live.arrows(0.0, 0.0, "parts[1,0]", "parts[1,1]", color="series2", width=3,
                                label="along (1, −1)"),
                    live.path("path[:,0]", "path[:,1]", color="gradient", width=1.4),
                    live.points("path", color="gradient", size=3, label="12 steps"),
                    _weights_handle(), xlim=side, ylim=side,
                    levels=(-16, -9, -6, -4, -2.5, -1.2, -0.4),
                ),
                live.axes(
                    live.curve(steps, "shares[0]", color="series1", label="share of (1, 1)"),
                    live.curve(steps, "shares[1]", color="series2", dash=True,
                               label="share of (1, −1)"),
                    live.line(y=0, color="muted"),
                    xlim=(0, 12), ylim=(-2, 2), xlabel="steps taken", ylabel="share",
                    width=340, height=340,
                ),
            ],
            live.readout("w = ({w[0]:.2f}, {w[1]:.2f}) is {share[0]:.2f} · (1, 1) plus "
                         "{share[1]:.2f} · (1, −1)."),
            live.readout("A step multiplies the first share by 1 − 3α = {factor[0]:.2f} and the "
                         "second by 1 − α = {factor[1]:.2f}. It leads to "
                         "({after[0]:.2f}, {after[1]:.2f})."),
        ],
        title="Two climbs in one",
        dtype="float64",
        caption="Drag w onto one of the dashed lines: what happens to the other arrow, and to the "
        "path? Then drag w elsewhere and raise α beyond 2/3: which of the two shares grows?",
        alt="Oval contours along a diagonal, a point w and two arrows from the top, along "
        "(1, 1) and (1, −1), that add up to w. Each step multiplies the first by 1 − 3α and the "
        "second by 1 − α. Beyond α = 2/3 the first grows while the second still shrinks.",
    )  # fmt: skip


# --- the step that is too long --------------------------------------------------------------------


def _in_the_long_run() -> Any:
    """The question of `too_long`."""
    return live.predict(
        "The penguins' hill is not a parabola: farther out it is less curved. A climber stands "
        "beside its top and takes steps with α = 55. What does it do in the long run?",
        name="thrown",
        choices=[
            "It runs away to infinity, as on a parabola.",
            "It hops between two points, on either side of the ridge.",
            "It goes away, comes back, and goes away again.",
            "It arrives at the top after all, only later.",
        ],
        answer=2,
        explain="It goes away, comes back, and goes away again. Near the top the step is too long. "
        "Farther out the hill is flatter, so there the same step is short enough.",
    )


def too_long(hill: Hill, ascent: Callable, top: Any, steep: Any, largest: Any) -> live.Figure:
    """Sixty steps from beside the top, for a step size that crosses 1/λ and 2/λ."""
    largest, beside = float(largest), top + 0.4 * steep

    def swing(alpha: Any) -> dict:
        path = ascent(beside, alpha, 60)
        far = ((path[41:] - top) ** 2).sum(1).amax().sqrt().clamp(min=1e-5)
        return {"path": path, "factor": 1 - alpha * largest, "far": far}

    alphas = nnlib.linspace(2.0, 60.0, 117, dtype=nnlib.float64)
    farthest = nnlib.stack([swing(a)["far"] for a in alphas])
    (a, b), height = top.tolist(), float(hill(top))
    near = [height - drop for drop in (0.03, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0003)]
    mountain = _panel(
        hill,
        live.path("path[:,0]", "path[:,1]", color="gradient", width=1.4),
        live.points("path", color="gradient", size=2.5, label="60 steps"),
        live.points(top.reshape(1, 2), color="ink", size=5, label="top"),
        xlim=(a - 1.5, a + 1.5), ylim=(b - 1.25, b + 1.25), levels=near,
    )  # fmt: skip
    distances = live.axes(
        live.curve(alphas, farthest, label="farthest from the top in steps 41 to 60"),
        live.line(x=1 / largest, dash=True, color="muted", label="1/λmax: the zigzag begins"),
        live.line(x=2 / largest, color="gradient", label="2/λmax: beyond it, it never arrives"),
        live.handle("alpha", "far", drag=("alpha", None), label="step size"),
        xlim=(0, 62), ylim=(1e-4, 20), yscale="log", xlabel="step size α", ylabel="distance",
        width=340, height=340,
    )  # fmt: skip
    return live.figure(
        swing,
        alpha=live.slider(2.0, 60.0, 0.5, value=55.0, label="step size α"),
        view=[
            _in_the_long_run(),
            live.column(
                live.control("alpha"),
                live.row(mountain, distances),
                live.readout(
                    "α = {alpha:.1f}: a step multiplies the distance in the steep direction by "
                    "{factor:.2f}; in steps 41 to 60, w is at most {far:.4f} from the top"
                ),
                when="thrown_committed",
            ),
        ],
        title="The step that is too long",
        dtype="float64",
        caption="Commit, then move α, or the handle on the curve, across both lines. Where does it "
        "arrive soonest? Compare α = 45 with α = 55.",
        alt="A question. Once it is answered: the path of sixty steps on the contours, and how far "
        "from the top the climber still is, for the chosen step size. The text below gives what "
        "happens below 1/λmax, between 1/λmax and 2/λmax, and beyond.",
    )  # fmt: skip


# --- several tops and a plateau -------------------------------------------------------------------


def two_tops(height: Hill, gradient: Callable, question: Any) -> live.Figure:
    """A hill with two tops and a plateau around them: a start to drag and its hundred steps."""

    def climb(w: Any, alpha: Any) -> dict:
        point, path = w, []
        for _ in range(101):
            path.append(point)
            point = point + alpha * gradient(height, point)
        positions = nnlib.stack(path)
        start_gradient = gradient(height, w)
        return {"path": positions, "first": height(w), "last": height(positions[100]),
                "length": (start_gradient * start_gradient).sum().sqrt()}  # fmt: skip

    return live.figure(
        climb,
        w=np.array([3.0, -2.5]),
        alpha=live.slider(0.1, 1.0, 0.1, value=0.3, label="step size α"),
        view=[
            question,
            live.column(
                _panel(
                    height,
                    live.path("path[:,0]", "path[:,1]", color="gradient", width=2),
                    live.points("path", color="gradient", size=2.5, label="100 steps"),
                    live.handle("w[0]", "w[1]", drag="w", label="start", size=6),
                    xlim=(-4, 4), ylim=(-3, 3), width=460, height=340,
                    levels=(0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
                ),
                when="plateau_committed",
            ),
            live.readout("Height {first:.4f} at the start, where the gradient has the length "
                         "{length:.6f}; height {last:.4f} after 100 steps",
                         when="plateau_committed"),
        ],
        title="Two tops",
        dtype="float64",
        caption="Commit, then drag the start around. Find a start from which the lower top is "
        "reached, and the border between the two regions.",
        alt="A question; once it is answered, contours of two tops, the left one higher, a start "
        "to drag, and the hundred steps that gradient ascent takes from there.",
    )  # fmt: skip


# --- a fan of mini-batches ------------------------------------------------------------------------


def fan_of_batches(hill: Hill, gradient: Hill, x: Any, y: Any, start: Any, sizes: Sequence[int],
                   noises: Sequence[float]) -> live.Figure:  # fmt: skip
    """Forty mini-batch gradients around the full one, and their noise compared with 1/√B."""
    samples = nnlib.tensor(np.random.default_rng(0).integers(0, len(y), (40, 128)))
    position = nnlib.arange(128).reshape(1, -1, 1)

    def fan(w: Any, B: Any) -> dict:
        gradients = (nnlib.sigmoid(-y * (x @ w)) * y).reshape(-1, 1) * x
        g = (gradients[samples] * (position < B)).sum(1) / B
        full = gradient(w)
        root = w[0].expand(40), w[1].expand(40)
        spread = ((g - full) ** 2).sum(1).mean().sqrt()
        return {"g": g, "full": full, "x0": root[0], "y0": root[1], "spread": spread}

    law = noises[0] * np.asarray(sizes) ** -0.5
    chart = live.axes(
        live.points(x=sizes, y=noises, label="measured in the cell above"),
        live.curve(sizes, law, dash=True, color="muted", label="c / √B"),
        live.points(x=lambda B: B * 1.0, y="spread", color="gradient", size=7, label="this fan"),
        xscale="log", yscale="log", xlim=(0.8, 160), ylim=(0.01, 2),
        xlabel="birds in a mini-batch, B", ylabel="noise", width=340, height=340,
    )  # fmt: skip
    return live.figure(
        fan,
        w=start,
        B=live.slider(1, 128, 1, value=4, label="birds in a mini-batch, B"),
        view=[
            [
                _panel(
                    hill,
                    live.arrows("x0", "y0", "g[:,0]", "g[:,1]", scale=6, color="muted", width=1,
                                label="40 mini-batches"),
                    live.arrows("w[0]", "w[1]", "full[0]", "full[1]", scale=6, width=3,
                                label="all 219 birds"),
                    _weights_handle(),
                ),
                chart,
            ],
            live.readout(
                "{B:d} birds: typical error {spread:.3f}; the full gradient is "
                "({full[0]:.3f}, {full[1]:.3f})"
            ),
        ],
        title="A fan of mini-batches",
        dtype="float64",
        caption="Make B four times as large: does the fan become half as wide? Then drag w to the "
        "top: what happens to the full gradient, and to the fan?",
        alt="Arrows of forty mini-batches spread around the full gradient. With more birds they "
        "close in on it, in proportion to one over the square root of their number.",
    )  # fmt: skip


# --- a race at equal computation ------------------------------------------------------------------


def race(hill: Hill, gradient: Hill, x: Any, y: Any, start: Any, top: Any) -> live.Figure:
    """Four climbers that have looked at the same number of birds."""

    def step(full: Any, mini: Any, momentum: Any, adam: Any, v: Any, m: Any, s: Any, t: Any,
             alpha: Any, X: Any, Y: Any) -> dict:  # fmt: skip
        def batch_gradient(w: Any) -> Any:
            return (nnlib.sigmoid(-Y * (X @ w)) * Y) @ X / len(Y)

        t = t + 1
        full = full + alpha * gradient(full) * (t % STEPS == 0)
        mini = mini + alpha * batch_gradient(mini)
        v = 0.9 * v + batch_gradient(momentum)
        momentum = momentum + 0.1 * alpha * v
        g = batch_gradient(adam)
        m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g * g
        mean, square = m / (1 - 0.9**t), s / (1 - 0.999**t)
        adam = adam + 0.04 * alpha * mean / (square.sqrt() + 1e-8)
        after = nnlib.stack([full, mini, momentum, adam])
        gaps = (hill(top) - hill(after)).clamp(min=1e-5)
        tracked = {f"gap{i}": gaps[i] for i in range(4)}
        tracked |= {f"at{i}{j}": after[i, j] for i in range(4) for j in (0, 1)}
        state = {"full": full, "mini": mini, "momentum": momentum, "adam": adam}
        return {**state, "v": v, "m": m, "s": s, "t": t, "loss": gaps[1], **tracked}

    first = np.asarray(start.tolist(), "float32")
    state: dict[str, Any] = dict.fromkeys(("full", "mini", "momentum", "adam"), first)
    state |= {name: np.zeros(2) for name in ("v", "m", "s")} | {"t": np.zeros(())}
    tracked = [f"gap{i}" for i in range(4)] + [f"at{i}{j}" for i in range(4) for j in (0, 1)]
    trails = [live.path(f"history_at{i}0", f"history_at{i}1", color=f"series{i}", width=1.4)
              for i in range(4)]  # fmt: skip
    dots = [live.points(x=f"now[{i},0]", y=f"now[{i},1]", color=f"series{i}", size=6)
            for i in range(4)]  # fmt: skip
    curves = [live.curve("history_step", f"history_gap{i}", color=f"series{i}", label=CLIMBERS[i])
              for i in range(4)]  # fmt: skip
    return live.figure(
        lambda full, mini, momentum, adam: {"now": nnlib.stack([full, mini, momentum, adam])},
        alpha=live.slider(0.5, 20.0, value=5.0, log=True, format=".1f", label="step size α"),
        training=live.training(step, state, data={"X": x, "Y": y}, batch=10, seed=1, seeds=50,
                               max_steps=PASSES * STEPS, track=tracked),
        view=[
            [
                _panel(hill, *trails, *dots),
                live.axes(*curves, yscale="log", xlim=(0, PASSES * STEPS), ylim=(1e-5, 5),
                          xlabel="steps of 10 birds (21 make one pass)",
                          ylabel="height below the top", width=340, height=340),
            ],
            live.readout(
                "After {step:d} × 10 birds, below the top by: all birds {history_gap0[-1]:.4f}, "
                "mini-batches {history_gap1[-1]:.4f}, momentum {history_gap2[-1]:.4f}, "
                "Adam {history_gap3[-1]:.4f}"
            ),
        ],
        title="A race at equal computation",
        dtype="float64",
        caption="Press train. Who leads after one pass, who after thirty? Then set α = 20 and "
        "train again: who comes to rest? Try other seeds.",
        alt="Four climbers that have looked at the same number of birds. Mini-batches lead early "
        "and then jitter around the top. The climber that uses all birds starts slowly; with a "
        "step size of 20 it wins within five passes and comes to rest.",
    )  # fmt: skip


# --- how the cost grows with the data -------------------------------------------------------------


def cost_of_looking(sizes: Sequence[int], full: Sequence[float], mini: Sequence[float],
                    batch: int) -> live.Figure:  # fmt: skip
    """Birds looked at before the climber stays near the top, against the size of the flock."""
    return live.figure(
        view=[
            live.axes(
                live.path(sizes, full, color="gradient", label="all birds in each step"),
                live.points(x=sizes, y=full, color="gradient", size=6),
                live.path(sizes, mini, color="series2", dash=True,
                          label=f"mini-batches of {batch}"),
                live.points(x=sizes, y=mini, color="series2", size=6),
                xscale="log", yscale="log", xlim=(150, 30_000), ylim=(1000, 400_000),
                xlabel="birds in the flock, N", ylabel="birds looked at", width=460, height=300,
            ),
        ],
        title="What a bigger flock costs",
        caption="Follow both lines from left to right: which of the two costs depends on the size "
        "of the flock?",
        alt="On logarithmic axes the cost of steps that use all birds rises in proportion to the "
        "flock, from two thousand to two hundred thousand birds looked at. The cost of "
        "mini-batches stays at about three thousand.",
    )  # fmt: skip


# --- memory ---------------------------------------------------------------------------------------

COUNT = 60  # steps that the paths show


def along_the_ridge(height: Hill, gradient: Hill) -> live.Figure:
    """Plain ascent and momentum on the long ridge: sixty steps of each from one start."""

    def climb(w: Any, alpha: Any, beta: Any) -> dict:
        ascent, momentum, v, paths = w, w, 0 * w, []
        for _ in range(COUNT + 1):
            paths.append(nnlib.stack([ascent, momentum]))
            ascent = ascent + alpha * gradient(ascent)
            v = beta * v + gradient(momentum)
            momentum = momentum + alpha * v
        both = nnlib.stack(paths)
        lower = (-height(both)).clamp(min=1e-6)
        return {"p": both[:, 0], "m": both[:, 1], "gaps": lower.T, "end": lower[COUNT]}

    steps = nnlib.arange(COUNT + 1).double()
    levels = (-200, -100, -50, -20, -8, -3, -1, -0.4, -0.1, -0.02)
    return live.figure(
        climb,
        w=np.array([2.0, 8.0]),
        alpha=live.slider(0.01, 0.6, value=0.3, log=True, format=".2f", label="step size α"),
        beta=live.slider(0.0, 0.99, 0.01, value=0.9, label="momentum β"),
        view=[
            [
                _panel(
                    height,
                    live.path("m[:,0]", "m[:,1]", color="gradient", width=1.5, label="momentum"),
                    live.path("p[:,0]", "p[:,1]", color="ink", width=2.5, label="plain ascent"),
                    live.points([[0.0, 0.0]], color="ink", size=5, label="top"),
                    _weights_handle(), xlim=(-10, 10), ylim=(-10, 10), levels=levels,
                ),
                live.axes(
                    live.curve(steps, "gaps[0]", color="ink", dash=True, label="plain ascent"),
                    live.curve(steps, "gaps[1]", color="gradient", label="momentum"),
                    yscale="log", xlim=(0, COUNT), ylim=(1e-4, 100), xlabel="steps",
                    ylabel="height below the top", width=340, height=340,
                ),
            ],
            live.readout("After 60 steps, below the top by: plain {end[0]:.4f}, momentum "
                         "{end[1]:.4f}"),
        ],
        title="Along the ridge",
        dtype="float64",
        caption="Raise α until plain ascent fails, and see whether momentum fails too. Then find "
        "the β that is best at α = 0.3: what do 0.5, 0.8, 0.9 and 0.99 do?",
        alt="A ridge twenty times as long as it is wide. Plain ascent jumps across it and then "
        "crawls along it; momentum swings to and fro, gathers speed along the ridge and is much "
        "nearer to the top after sixty steps. With too much momentum it swings past the top.",
    )  # fmt: skip


RULES = ("plain ascent", "momentum", "Adam")


def over_step_sizes(needed: Any, limit: int, question: Any) -> live.Figure:
    """Gradients needed against the step size: the median of the starts, and each of them.

    Args:
        needed: for each hill, its step sizes and an array (rules, step sizes, starts).
        limit: the number of gradients after which each climber was stopped.
    """
    alphas = np.array([sizes for sizes, _ in needed.values()])
    counts = np.stack([array for _, array in needed.values()])
    factors = 1.06 ** np.array([-1.0, 0.0, 1.0])  # puts the rules' dots side by side
    positions = alphas[:, None, :, None] * factors[:, None, None] * np.ones(counts.shape)
    tables = {
        "size": alphas,
        "median": np.median(counts, 3),
        "x": positions.reshape(len(alphas), 3, -1),
        "count": counts.reshape(len(alphas), 3, -1),
    }
    stored = {name: nnlib.tensor(table).double() for name, table in tables.items()}
    marks: list[Any] = []
    for rule, (label, color) in enumerate(zip(RULES, ("ink", "gradient", "series2"), strict=True)):
        marks += [
            live.points(x=f"x[{rule}]", y=f"count[{rule}]", color=color, size=2),
            live.path("size", f"median[{rule}]", color=color, width=2.5, dash=rule == 1,
                      label=label),
        ]  # fmt: skip
    options = {name: index for index, name in enumerate(needed)}

    def pick(which: Any) -> dict:
        return {name: table[which] for name, table in stored.items()}

    return live.figure(
        pick,
        which=live.dropdown(options, buttons=True, label="hill"),
        view=[
            question,
            live.column(
                live.axes(
                    *marks,
                    live.line(y=limit, dash=True, color="muted", label="not yet at rest"),
                    xscale="log", yscale="log", xlim=(0.1, 70), ylim=(10, 3500),
                    xlabel="step size α", ylabel="gradients needed", width=560, height=360,
                ),
                live.control("which"),
                when="turn_committed",
            ),
        ],
        title="Three rules over step sizes",
        caption="Commit, then compare the lowest point of each line on each hill: how many "
        "gradients does each rule need at its own best step size?",
        alt="A question; once it is answered, the gradients needed against the step size for three "
        "rules, on the chosen hill. The text below gives the lowest point of each line.",
    )  # fmt: skip

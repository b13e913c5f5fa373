"""Live figures on activation functions: slopes, bumps that follow a curve, and a folded line."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnlib
from nnlib import live

# --- activation functions -------------------------------------------------------------------------

Z = np.linspace(-5, 5, 201).astype("float32")


def _value_and_slope(g: str, z: Any) -> tuple[Any, Any]:
    """g(z) and its slope."""
    if g == "sigmoid":
        a = z.sigmoid()
        return a, a * (1 - a)
    if g == "tanh":
        a = z.tanh()
        return a, 1 - a * a
    if g == "ReLU":
        return z.relu(), (z > 0) * 1.0
    return z, 0.0 * z + 1.0


def activation_functions() -> live.Figure:
    """Four activation functions, each with its tangent and its slope."""

    def outputs(g: str, z: Any) -> dict:
        curve, slopes = _value_and_slope(g, nnlib.tensor(Z))
        a, slope = _value_and_slope(g, z)
        near = nnlib.tensor(np.array([-1.5, 1.5], "float32"))
        return {"curve": curve, "slopes": slopes, "a": a, "slope": slope,
                "tx": z + near, "ty": a + slope * near}  # fmt: skip

    return live.figure(
        outputs,
        g=live.dropdown(["sigmoid", "tanh", "ReLU", "none: g(z) = z"], buttons=True,
                        label="activation function"),
        z=live.slider(-5.0, 5.0, 0.1, value=1.0, label="total input z"),
        view=[
            [
                live.axes(
                    live.curve(Z, "curve"),
                    live.curve("tx", "ty", color="gradient", dash=True),
                    live.handle("z", "a", drag=("z", None), label="total input"),
                    xlabel="total input z", ylabel="g(z)", xlim=(-5, 5), ylim=(-1.5, 3),
                    width=330, height=250, title="the function and its tangent",
                ),
                live.axes(
                    live.curve(Z, "slopes", color="gradient"),
                    live.points(x=lambda z: z.reshape(1), y=lambda slope: slope.reshape(1),
                                color="gradient", size=5),
                    xlabel="total input z", ylabel="g′(z)", xlim=(-5, 5), ylim=(-0.1, 1.2),
                    width=330, height=250, title="its slope",
                ),
            ],
            live.readout("g({z:.1f}) = {a:.3f}, slope g′({z:.1f}) = {slope:.3f}", size="large"),
        ],
        title="Activation functions and their slopes",
        caption="Drag the point along the curve. Where is each function steepest, and where does "
        "its slope vanish? Which function still has a slope at z = 5?",
        alt="The sigmoid is steepest at 0 with slope one quarter, tanh at 0 with slope 1; both are "
        "nearly flat beyond 4 on either side. The ReLU has the slope 0 on the left of 0 and 1 on "
        "the right, however large z is. Without an activation function the slope is 1 everywhere.",
    )  # fmt: skip


# --- bumps ----------------------------------------------------------------------------------------

X = np.linspace(0, 4, 161).astype("float32")
MAX_BUMPS = 32
TARGETS = {
    "a wave": np.sin(1.5 * X) + 0.3 * np.sin(5 * X),
    "a hill and a valley": 1.5 * np.exp(-((X - 1) ** 2) * 3) - np.exp(-((X - 3) ** 2) * 4),
    "a staircase": np.minimum(np.floor(X), 3.0) * 0.4 - 0.5,
}


def _bump(x: Any, left: Any, right: Any, steep: Any) -> Any:
    """The difference of two sigmoids: near 1 between left and right, near 0 elsewhere."""
    return (steep * (x - left)).sigmoid() - (steep * (x - right)).sigmoid()


def equal_bumps(target: Any, count: int) -> Any:
    """`count` bumps side by side over 0 … 4, each as high as the target in its middle: (32, 3)."""
    width = 4.0 / count
    centres = (np.arange(MAX_BUMPS) + 0.5) * width
    nearest = np.clip(np.round(centres / 4.0 * (len(X) - 1)), 0, len(X) - 1).astype(int)
    used = nnlib.tensor((np.arange(MAX_BUMPS) < count).astype("float32"))
    rows = [nnlib.tensor(centres.astype("float32")), nnlib.zeros(MAX_BUMPS) + width,
            nnlib.tensor(target)[nnlib.tensor(nearest)]]  # fmt: skip
    return nnlib.stack([row * used for row in rows], 1)


def one_bump() -> live.Figure:
    """Two sigmoids and their difference: both steps and the height can be dragged."""

    def outputs(left: Any, right: Any, height: Any, steep: Any) -> dict:
        x = nnlib.tensor(X)
        first, second = (steep * (x - left)).sigmoid(), (steep * (x - right)).sigmoid()
        return {"first": first, "second": second, "net": height * (first - second),
                "b1": -steep * left, "b2": -steep * right, "minus": -height}  # fmt: skip

    size: dict[str, Any] = {"xlim": (0, 4), "width": 330, "height": 220, "xlabel": "x"}
    return live.figure(
        outputs,
        left=live.slider(0.0, 4.0, 0.05, value=0.5, label="first step"),
        right=live.slider(0.0, 4.0, 0.05, value=1.5, label="second step"),
        height=live.slider(-2.5, 2.5, 0.1, value=2.0, label="height"),
        steep=live.slider(2.0, 50.0, value=20.0, log=True, format=".0f", label="steepness"),
        view=[
            [
                live.axes(
                    live.curve(X, "first", color="series1", label="first neuron"),
                    live.curve(X, "second", color="series2", dash=True, label="second neuron"),
                    live.handle("left", 0.5, drag=("left", None), label="first step"),
                    live.handle("right", 0.5, drag=("right", None), label="second step"),
                    ylim=(-0.1, 1.2), ylabel="activation", title="the hidden neurons", **size,
                ),
                live.axes(
                    live.curve(X, "net", color="ink", width=2.5, label="height · (first − second)"),
                    live.handle(lambda left, right: (left + right) / 2, "height",
                                drag=(None, "height"), label="height"),
                    live.line(y=0, color="muted"),
                    ylim=(-2.8, 2.8), ylabel="output", title="the network", **size,
                ),
            ],
            live.readout("Weights {steep:.0f} and {steep:.0f}, biases {b1:.1f} and {b2:.1f}; the "
                         "output's weights are {height:.1f} and {minus:.1f}."),
        ],
        title="Two steps make a bump",
        caption="Drag the two steps and the height. What does the output look like if the second "
        "step is to the left of the first? And with a steepness of 2?",
        alt="Two sigmoids that step up at different positions, and their difference: a bump "
        "between the two steps. If the steps are swapped it becomes a dip; with a small steepness "
        "it is a low, round hill.",
    )  # fmt: skip


def _bump_by_bump(empty: dict[str, Any]) -> list[Any]:
    """The view: the curve and the network, the new bump's sliders, buttons to add and remove."""
    return [
        live.control("target", "steep"),
        live.axes(
            live.curve(X, "target", color="ink", width=2.5, label="the curve to follow"),
            live.curve(X, "new", color="muted", dash=True, label="with the new bump"),
            live.curve(X, "net", color="series1", label="the network"),
            xlabel="x", xlim=(0, 4), ylim=(-1.8, 1.8), width=560, height=270,
        ),
        live.control("centre", "width", "height"),
        live.row(
            live.button("add this bump", {"placed": "next", "count": "more"}),
            live.button("take the last away", {"placed": "fewer", "count": "last"}),
            live.button("none", empty),
        ),
        live.row(*[
            live.button(f"{n} equal bumps", {"placed": f"fill{n}", "count": n})
            for n in (4, 8, 16, 32)
        ]),
        live.readout("bumps {count:d}, hidden neurons {units:d}: mean error {error:.3f}",
                     size="large"),
        "largest error {largest:.3f}; with the new bump the mean error would be {after:.3f}",
    ]  # fmt: skip


def bumps() -> live.Figure:
    """A curve to follow, and bumps to add: two hidden sigmoids each, a linear output."""

    def outputs(target: Any, centre: Any, width: Any, height: Any, steep: Any, placed: Any,
             count: Any) -> dict:  # fmt: skip
        x = nnlib.tensor(X)
        rows = placed.unsqueeze(2)
        left, right = rows[:, 0] - rows[:, 1] / 2, rows[:, 0] + rows[:, 1] / 2
        total = (rows[:, 2] * _bump(x, left, right, steep)).sum(0)
        new = height * _bump(x, centre - width / 2, centre + width / 2, steep)
        next_row = (nnlib.arange(MAX_BUMPS) == count).float().unsqueeze(1)
        row = nnlib.stack([centre, width, height]).unsqueeze(0)
        error = (total - target).abs()
        return {
            "net": total, "new": total + new, "error": error.mean(), "largest": error.max(),
            "after": (total + new - target).abs().mean(),
            "next": placed * (1 - next_row) + next_row * row,
            "more": (count + 1).clamp(max=MAX_BUMPS),
            "units": 2 * count, "last": (count - 1).clamp(min=0),
            "fewer": placed * (1 - (nnlib.arange(MAX_BUMPS) == count - 1).float().unsqueeze(1)),
            **{f"fill{n}": equal_bumps(target, n) for n in (4, 8, 16, 32)},
        }  # fmt: skip

    empty = {"placed": np.zeros((MAX_BUMPS, 3), "float32"), "count": 0}
    return live.figure(
        outputs,
        target=live.dropdown({k: v.astype("float32") for k, v in TARGETS.items()}, label="curve"),
        centre=live.slider(0.0, 4.0, 0.05, value=1.0, label="middle of the new bump"),
        width=live.slider(0.1, 2.0, 0.05, value=1.0, label="its width"),
        height=live.slider(-1.5, 1.5, 0.05, value=1.0, label="its height"),
        steep=live.slider(5.0, 100.0, value=30.0, log=True, label="steepness"),
        placed=live.values(empty["placed"]),
        count=live.values(0),
        view=_bump_by_bump(empty),
        title="Follow a curve with bumps",
        caption="Move the new bump until the error that it would leave is small, and add it; four "
        "bumps of your own make a start. Then let the buttons place 4, 8, 16 and 32 equal ones and "
        "compare the mean errors.",
        alt="A curve over the numbers 0 to 4, and a sum of bumps that follows it. Each time the "
        "number of equal bumps doubles, the mean error of a smooth curve falls, in the long run to "
        "one half or less.",
    )  # fmt: skip


# --- folding --------------------------------------------------------------------------------------

DEEPEST = 8
FINE = np.linspace(0, 1, 2**DEEPEST * 4 + 1).astype("float32")


def tent(x: Any) -> Any:
    """2x up to one half, 2 − 2x from there: two ReLU units and a linear sum."""
    return 2 * x.relu() - 4 * (x - 0.5).relu()


def fold() -> live.Figure:
    """The tent map composed k times, with a point to follow through the layers."""

    def outputs(k: Any, x: Any) -> dict:
        curves, values = [nnlib.tensor(FINE)], [x]
        for _ in range(DEEPEST):
            curves.append(tent(curves[-1]))
            values.append(tent(values[-1]))
        chosen = (nnlib.arange(DEEPEST + 1) == k).float()
        by_layer, steps = nnlib.stack(values), nnlib.arange(DEEPEST + 1)
        pieces = 2.0 ** k.float()
        return {
            "curve": chosen @ nnlib.stack(curves), "y": chosen @ by_layer,
            "by_layer": nnlib.where(steps <= k, by_layer, float("nan")), "pieces": pieces,
            "deep": 2 * k, "wide": pieces,
        }  # fmt: skip

    depths = np.arange(1, DEEPEST + 1)
    return live.figure(
        outputs,
        k=live.slider(1, DEEPEST, 1, value=2, label="layers k"),
        x=live.slider(0.0, 1.0, 0.01, value=0.23, label="x"),
        view=[
            [
                live.axes(
                    live.curve(FINE, "curve"),
                    live.handle("x", "y", drag=("x", None), label="x"),
                    xlabel="x", ylabel="output", xlim=(0, 1), ylim=(0, 1.05), width=360, height=250,
                    title="the whole network",
                ),
                live.axes(
                    live.points(x=np.arange(DEEPEST + 1), y="by_layer", color="series1", size=5),
                    xlabel="after layer", ylabel="the number there", xlim=(-0.3, DEEPEST + 0.3),
                    ylim=(0, 1.05), width=270, height=250, title="x on its way",
                ),
            ],
            live.readout("{pieces:.0f} straight pieces from {deep:d} ReLU units in {k:d} layers",
                         size="large"),
            "One hidden layer needs {wide:.0f} units for the same curve.",
            live.axes(
                live.curve(depths, 2.0**depths, color="series1", label="one hidden layer"),
                live.curve(depths, 2 * depths, color="series0", dash=True, label="k layers of two"),
                live.points(x=lambda k: k.float().reshape(1), y=lambda wide: wide.reshape(1),
                            color="series1"),
                live.points(x=lambda k: k.float().reshape(1),
                            y=lambda deep: deep.float().reshape(1), color="series0"),
                xlabel="layers k", ylabel="hidden units", yscale="log", xlim=(0.8, 8.2),
                ylim=(1, 400), width=430, height=190,
            ),
        ],
        title="Fold the line",
        caption="Add layers one by one. How does each change the number of pieces, and the number "
        "of units? Drag the point: the right-hand plot shows the numbers between the layers.",
        alt="A zigzag between 0 and 1. Each further layer of two ReLU units doubles the number of "
        "straight pieces, to 256 with eight layers and 16 units; a single hidden layer needs 256.",
    )  # fmt: skip

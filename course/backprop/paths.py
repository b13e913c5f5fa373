"""Paths through layers of ten neurons: counted one by one, and factored layer by layer."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnlib
from nnlib import live

WIDTH, DEEPEST = 10, 6
AWAY = -99.0  # outside the plot
HEIGHTS, MIDDLE = np.arange(WIDTH, dtype="float32"), 4.5


def multiplications(hidden: int) -> tuple[int, int, int]:
    """The paths from one input to one output through `hidden` layers of ten, and what they cost.

    Returns the number of paths, the multiplications if every path is walked by itself (one for each
    of its edges), and the multiplications if each edge is used once.
    """
    paths = WIDTH**hidden
    return paths, paths * (hidden + 1), 2 * WIDTH + (hidden - 1) * WIDTH**2


def _neurons() -> tuple[np.ndarray, np.ndarray]:
    """Column and height of every neuron of the deepest net; column 0 is the output."""
    column = np.r_[0, np.repeat(np.arange(1, DEEPEST + 1), WIDTH)]
    return column.astype("float32"), np.r_[MIDDLE, np.tile(HEIGHTS, DEEPEST)].astype("float32")


def _edges() -> np.ndarray:
    """Column and height of both ends of every edge between the output and the last hidden layer."""
    ends = [(0.0, MIDDLE, 1.0, k) for k in HEIGHTS]
    for c in range(1, DEEPEST):
        ends += [(float(c), i, c + 1.0, j) for i in HEIGHTS for j in HEIGHTS]
    return np.array(ends, "float32").T


def _walk(hidden: Any, back: Any) -> dict[str, Any]:
    """The net as it looks after walking `back` layers: 0 is the output, hidden + 1 the input."""
    column, _ = _neurons()
    x0, _, x1, _ = _edges()
    layers = hidden.float()
    reached = nnlib.minimum(back.float(), layers + 1.0)

    def where(condition: Any, values: Any, otherwise: float = float("nan")) -> Any:
        return nnlib.where(condition, nnlib.tensor(values), otherwise)

    first = nnlib.minimum(reached, layers)  # the hidden layer that is reached
    at_input = (reached > layers) * 1.0
    last = nnlib.zeros(WIDTH) + layers
    paths, all_paths = 10.0**first, 10.0**layers
    spent = nnlib.where(first > 0, 100.0 * first - 90.0, 0.0) + 10.0 * at_input
    in_net = nnlib.tensor(column) <= layers
    present = nnlib.tensor(x1) <= layers
    edges = {
        "edges": where(present, x0, AWAY),
        "used": where(present & (nnlib.tensor(x1) <= reached), x0, AWAY),
        "last": last, "lastused": nnlib.where(at_input > 0, last, AWAY),
    }  # fmt: skip
    return {
        **edges, **{f"{name}1": start + 1.0 for name, start in edges.items()},
        "neurons": where(in_net, column),
        "known": where(in_net & (nnlib.tensor(column) <= reached), column),
        "paths": paths, "spent": spent, "all_paths": all_paths, "done": at_input,
        "path_by_path": all_paths * (layers + 1.0), "each_edge_once": 100.0 * layers - 80.0,
    }  # fmt: skip


def count_paths() -> live.Figure:
    """Layers of ten between one input and one output: the walk back, layer by layer."""
    _, height = _neurons()
    _, y0, _, y1 = _edges()
    middle = np.full(WIDTH, MIDDLE, "float32")
    depths = np.arange(1, DEEPEST + 1)
    costs = np.array([multiplications(int(n)) for n in depths], float)
    thin: dict[str, Any] = {"color": "muted", "width": 0.4}
    thick: dict[str, Any] = {"color": "gradient", "width": 0.9}

    net = live.axes(
        live.segments("edges", y0, "edges1", y1, **thin),
        live.segments("last", HEIGHTS, "last1", middle, **thin),
        live.segments("used", y0, "used1", y1, **thick),
        live.segments("lastused", HEIGHTS, "lastused1", middle, **thick),
        live.points(x="neurons", y=height, color="muted", size=4),
        live.points(x=lambda last: last[:1] + 1.0, y=[MIDDLE], color="muted", size=5),
        live.points(x="known", y=height, color="gradient", size=5),
        live.points(x=lambda lastused: lastused[:1] + 1.0, y=[MIDDLE], color="gradient", size=5),
        live.label("output", 0.0, MIDDLE + 0.6),
        live.label("input", lambda last: last[0] + 1.0, MIDDLE + 0.6),
        frame=False, xlim=(DEEPEST + 1.5, -0.7), ylim=(-0.7, 9.7), width=430, height=260,
    )  # fmt: skip
    chart = live.axes(
        live.curve(depths, costs[:, 1], color="series1", label="path by path"),
        live.curve(depths, costs[:, 2], color="gradient", dash=True, label="each edge once"),
        live.points(x=lambda last: last[:1], color="series1",
                    y=lambda path_by_path: path_by_path.reshape(1)),
        live.points(x=lambda last: last[:1], color="gradient",
                    y=lambda each_edge_once: each_edge_once.reshape(1)),
        xlabel="hidden layers of ten", ylabel="multiplications", yscale="log",
        xlim=(0.8, DEEPEST + 0.2), ylim=(10, 2e7), width=290, height=260,
    )  # fmt: skip
    return live.figure(
        _walk,
        hidden=live.slider(1, DEEPEST, 1, value=3, label="hidden layers"),
        back=live.slider(0, DEEPEST + 1, 1, value=0, label="layers walked back"),
        view=[
            [net, chart],
            live.readout("Paths from a neuron reached to the output: {paths:,.0f}. Each edge used "
                         "once: {spent:,.0f} multiplications so far."),
            live.readout("Input to output: {all_paths:,.0f} paths. Path by path "
                         "{path_by_path:,.0f} multiplications, each edge once "
                         "{each_edge_once:,.0f}.", size="large",
                         when="done"),
        ],
        title="Paths, counted and factored",
        caption="Walk back layer by layer until the input is reached. Then add hidden layers: "
        "which of the two counts becomes about ten times as large, and which one grows by 100?",
        alt="One input, layers of ten neurons, one output. Each further hidden layer multiplies "
        "the number of paths by ten, and with it the work of walking every path. Walking back "
        "layer by layer uses each edge once, and costs 100 multiplications more for each further "
        "layer.",
    )  # fmt: skip

"""Layers' live figures: the output neuron retrained on frozen features, and those of shapes.py."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from course.layers.shapes import activation_functions, bumps, fold, one_bump
from course.networks.five import WEIGHTS
from nnlib import live

__all__ = ["activation_functions", "bumps", "every_seed", "fold", "one_bump", "retraining"]

SIDE, UNIT, PIXELS = (-2.0, 2.0), (-0.05, 1.05), 32


def hidden(x: Any, w: Any) -> Any:
    """The features a₃, a₄ of points (n, 2): neurons 3 and 4 have w[0:3] and w[3:6]."""
    rows = w[:6].reshape(2, 3)
    return F.linear(x, rows[:, 1:], rows[:, 0]).sigmoid()


def output(features: Any, v: Any) -> Any:
    """Neuron 5's logit for features (n, 2): v = (w₀₅, w₃₅, w₄₅)."""
    return v[0] + features @ v[1:]


def with_one(features: Any) -> Any:
    """The features after a column of ones, which the bias multiplies."""
    return nnlib.cat([nnlib.ones(features.shape[0], 1), features], 1)


def _retrained(x: np.ndarray, y: np.ndarray) -> list[Any]:
    """The view of `retraining`: controls, the net, inputs beside features, both weights."""
    neurons = [
        live.neuron(1, 0, label="1: x₁"), live.neuron(2, 0, label="2: x₂"),
        live.neuron(3, 1, image="maps[0]", bias="w[0]"),
        live.neuron(4, 1, image="maps[1]", bias="w[3]"),
        live.neuron(5, 2, image="map", bias="w[6]"),
    ]  # fmt: skip
    edges = [
        live.edge(name[1], name[2], f"w[{k}]", label=name)
        for k, name in enumerate(WEIGHTS)
        if name[1] != "0"
    ]
    return [
        live.row(
            live.control("frozen", "lr"),
            live.button("reset the output layer to zero", {"w": "reset", "u": np.zeros(3)}),
        ),
        live.training_controls(),
        live.network(neurons, edges, limit=12.0, height=190),
        [
            live.axes(
                live.heat("map", SIDE, SIDE),
                live.points(x, y, class_names=["class 0", "class 1"]),
                xlim=SIDE, ylim=SIDE, equal=True, width=320, height=320,
                xlabel="x₁", ylabel="x₂", title="the inputs",
            ),
            live.axes(
                live.points("a", y),
                live.line("w[6]", "w[7]", "w[8]", label="neuron 5", width=3.0),
                live.line("u[0]", "u[1]", "u[2]", color="gradient", dash=True,
                          label="logistic regression"),
                xlim=UNIT, ylim=UNIT, equal=True, width=320, height=320,
                xlabel="a₃", ylabel="a₄", title="the features",
            ),
        ],
        "neuron 5: w₀₅ {w[6]:.4f}, w₃₅ {w[7]:.4f}, w₄₅ {w[8]:.4f}; loss {loss_net:.4f}",
        "logistic regression: u₀ {u[0]:.4f}, u₁ {u[1]:.4f}, u₂ {u[2]:.4f}",
        "largest difference {gap:.6f}",
    ]  # fmt: skip


def retraining(x: np.ndarray, y: np.ndarray, w: Any, **texts: Any) -> live.Figure:
    """The five-neuron net w on (x, y), beside a logistic regression on its features a₃, a₄.

    The network's step differentiates the whole network; the regression's is aᵀ(p − y)/n, written
    out.  With the hidden layer frozen both always see the same features.
    """
    start = np.asarray(w.detach().numpy() if hasattr(w, "detach") else w, np.float32)
    grid = nnlib.tensor(live.grid(SIDE, SIDE, PIXELS))
    target = nnlib.tensor(y).float()

    def step(w: Any, u: Any, lr: Any, frozen: Any) -> dict[str, Any]:
        w = w.detach().requires_grad_()
        z = output(hidden(nnlib.tensor(x), w), w[6:])
        loss = (F.softplus(z) - target * z).mean()
        (g,) = nnlib.autograd.grad(loss, [w])
        trainable = nnlib.cat([(1.0 - frozen.float()) * nnlib.ones(6), nnlib.ones(3)])
        a = with_one(hidden(nnlib.tensor(x), w.detach()))
        g_u = a.transpose(0, 1) @ ((a @ u).sigmoid() - target) / float(len(y))
        return {"w": w.detach() - lr * trainable * g, "u": u - lr * g_u, "loss": loss.detach()}

    def picture(w: Any, u: Any) -> dict[str, Any]:
        a = hidden(nnlib.tensor(x), w)
        z = output(a, w[6:])
        return {
            "map": output(hidden(grid, w), w[6:]).sigmoid().reshape(PIXELS, PIXELS),
            "maps": hidden(grid, w).transpose(0, 1).reshape(2, PIXELS, PIXELS),
            "a": a,
            "gap": (w[6:] - u).abs().max(),
            "loss_net": (F.softplus(z) - target * z).mean(),
            "reset": nnlib.cat([w[:6], nnlib.zeros(3)]),
        }

    return live.figure(
        picture,
        frozen=live.checkbox(True, static=False, label="freeze the hidden layer"),
        lr=live.slider(0.1, 3.0, 0.1, value=2.0, label="step size α"),
        training=live.training(step, {"w": start, "u": np.zeros(3)}, seeds=1, speed="fast"),
        view=_retrained(x, y),
        **texts,
    )  # fmt: skip


def every_seed(results: dict[str, np.ndarray]) -> live.Figure:
    """One dot for each trained network, a column for each shape, and the means."""
    rng = np.random.default_rng(0)
    means = [float(accuracies.mean()) for accuracies in results.values()]
    marks = [live.bars(means, labels=list(results), color="muted")]
    for k, accuracies in enumerate(results.values()):
        x = k + rng.uniform(-0.22, 0.22, len(accuracies))
        marks.append(live.points(x=x, y=accuracies, color="series1", size=3.5))
    count = len(next(iter(results.values())))
    return live.figure(
        view=live.axes(
            *marks, xlabel="hidden neurons", ylabel="test accuracy",
            xlim=(-0.6, len(results) - 0.4), ylim=(0.5, 1.02), width=520, height=290,
        ),
        title=f"Width and depth on the spirals, {count} starts each",
        caption="Each dot is one network from its own random start, each bar a mean. Compare 8 "
        "neurons in one layer with 4 and 4, which have about as many parameters: the means, the "
        "best and the worst. The axis begins at 0.5, which is guessing.",
        alt="Four columns of dots. Four hidden neurons are right for about seven tenths of the "
        "test points, eight for 95 per cent, sixteen for nearly all. Two layers of four spread "
        "widely, from six tenths to nearly all, and their mean is below that of eight.",
    )  # fmt: skip

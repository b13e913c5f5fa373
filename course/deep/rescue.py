"""A network to break by one switch and to save by another: trained in the page on 50 images."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from course.deep.depths import data
from course.deep.figures import (
    ACTIVATIONS,
    DEEPEST,
    LARGEST,
    NOT_KNOWING,
    SMALLEST,
    STARTS,
    WIDTH,
    forwards_and_back,
    halved,
    passed_through,
)
from nnlib import live

IMAGES, STEPS, RATE, SEEDS = 50, 100, 3e-3, 100
LIVES, LIMPS = 40, 20  # images that must be right after the last step, for these two verdicts
HIDDEN = DEEPEST * WIDTH * WIDTH
SIZE = HIDDEN + 10 * WIDTH
ADAM = nnlib.optim.functional.adam(lr=RATE)


def as_row(depth: Any, spread: Any, activation: Any, residual: Any, norm: Any) -> Any:
    """The switches as one row of numbers, to compare them with earlier ones."""
    return nnlib.cat([nnlib.stack([1.0 * depth, 1.0 * spread, 1.0 * residual, 1.0 * norm]),
                      activation])  # fmt: skip


def parameters(sampled: Any, learned: Any, spread: Any) -> list[Any]:
    """Each layer's weights and the output's: random ones of this spread, and what was learned."""
    inner = spread / WIDTH**0.5 * sampled[:HIDDEN] + learned[:HIDDEN]
    outer = sampled[HIDDEN:] / (3 * WIDTH) ** 0.5 + learned[HIDDEN:]
    layers = inner.reshape(DEEPEST, WIDTH, WIDTH)
    matrices = [*(layers[k] for k in range(DEEPEST)), outer.reshape(WIDTH, 10)]
    return [W.detach().requires_grad_() for W in matrices]


def evaluated(
    x: Any, y: Any, weights: list[Any], **switches: Any
) -> tuple[Any, Any, Any, list[Any]]:
    """Loss and logits of the images, all gradients in one row, and each layer's output."""
    *hidden, last = weights
    top, _, passed = passed_through(x, hidden, **switches)
    logits = top @ last
    loss = F.cross_entropy(logits, y)
    grads = nnlib.autograd.grad(loss, weights)
    return loss, logits, nnlib.cat([G.reshape(-1) for G in grads]), passed


def adam(learned: Any, m: Any, v: Any, t: Any, gradient: Any) -> dict[str, Any]:
    """One step of Adam: what the parameters have learned, both running means, and the step."""
    state = {"step": t, "each": [{"exp_avg": m, "exp_avg_sq": v}]}
    learned, after = ADAM.update(learned, gradient, state)
    (each,) = after["each"]
    return {"learned": learned, "m": each["exp_avg"], "v": each["exp_avg_sq"], "t": after["step"]}


def break_and_save(**texts: Any) -> live.Figure:
    """Five switches and a training of 100 steps, with a verdict at its end."""
    x, y = halved(*(part[:IMAGES] for part in data()["training"]))
    layers = nnlib.arange(1, DEEPEST + 1).float()

    def step(sampled: Any, learned: Any, m: Any, v: Any, t: Any, began: Any, depth: Any,
             spread: Any, activation: Any, residual: Any, norm: Any) -> dict[str, Any]:  # fmt: skip
        switches = {"depth": depth, "activation": activation, "residual": residual, "norm": norm}
        loss, _, gradient, _ = evaluated(x, y, parameters(sampled, learned, spread), **switches)
        now = as_row(spread=spread, **switches)
        return {
            **adam(learned, m, v, t, gradient), "sampled": sampled, "loss": loss,
            "began": nnlib.where(t < 0.5, now, began),
        }  # fmt: skip

    def outputs(sampled: Any, learned: Any, t: Any, began: Any, depth: Any, spread: Any,
                activation: Any, residual: Any, norm: Any) -> dict[str, Any]:  # fmt: skip
        switches = {"depth": depth, "activation": activation, "residual": residual, "norm": norm}
        weights = parameters(sampled, learned, spread)
        loss, logits, gradient, passed = evaluated(x, y, weights, **switches)
        squares = gradient[:HIDDEN].reshape(DEEPEST, WIDTH * WIDTH) ** 2
        sizes = nnlib.stack([(h * h).mean() for h in passed])
        shown = nnlib.minimum(layers, depth).long() - 1  # layers that are off repeat the last one
        right = (logits.argmax(1) == y).sum()
        changed = (t > 0.5) & ((as_row(spread=spread, **switches) - began).abs().max() > 1e-6)
        done = (t > STEPS - 0.5) & ~changed
        return {
            "at": nnlib.minimum(layers, depth), "loss_now": loss, "right": right,
            "activations": sizes.sqrt().clamp(SMALLEST, LARGEST)[shown],
            "gradients": squares.mean(1).sqrt().clamp(SMALLEST, LARGEST)[shown],
            "changed": 1.0 * changed, "lives": 1.0 * (done & (right >= LIVES)),
            "limps": 1.0 * (done & (right < LIVES) & (right >= LIMPS)),
            "broken": 1.0 * (done & (right < LIMPS)),
            "running": 1.0 * (~changed & (t < STEPS - 0.5)),
        }  # fmt: skip

    return live.figure(
        outputs,
        spread=live.dropdown(STARTS, "He", label="start", buttons=True),
        activation=live.dropdown(ACTIVATIONS, label="activation", buttons=True),
        depth=live.slider(2, DEEPEST, 1, value=DEEPEST, label="depth"),
        residual=live.checkbox(False, static=False, label="residual connections"),
        norm=live.checkbox(False, static=False, label="layer normalisation"),
        training=live.training(
            step,
            {"sampled": live.normal(SIZE), "learned": np.zeros(SIZE), "m": np.zeros(SIZE),
             "v": np.zeros(SIZE), "t": np.zeros(()), "began": np.zeros(7)},
            seed=1, seeds=SEEDS, max_steps=STEPS, speed="frame",
        ),
        view=[live.control("spread", "activation", "depth", "residual", "norm"),
              live.training_controls(), live.row(*_panels()), *_verdict()],
        **texts,
    )  # fmt: skip


def _panels() -> list[Any]:
    """The loss so far, and the sizes by layer as they are now."""
    size: dict[str, Any] = {"width": 330, "height": 230}
    return [
        live.axes(
            live.line(y=NOT_KNOWING, color="muted", dash=True, label="log 10"),
            live.curve("history_step", "history_loss", color="gradient"),
            xlabel="step", ylabel="loss", yscale="log", xlim=(0, STEPS), ylim=(1e-3, 1e7),
            **size,
        ),
        forwards_and_back("at", ylim=(SMALLEST, LARGEST), **size),
    ]  # fmt: skip


def _verdict() -> list[Any]:
    """The readouts during the training, at its end, and after a switch was changed too late."""
    ends = f"{{right:d}} of {IMAGES} images right, loss {{loss_now:.3g}}."
    verdicts = {
        "running": f"Step {{step:d}} of {STEPS}: {ends}",
        "lives": f"It lives: {ends} Rewind, and break it with one switch.",
        "limps": f"It limps: {ends} Rewind, and help it with another switch.",
        "broken": f"Broken: {ends} Rewind, and save it with another switch.",
        "changed": "You changed a switch after the training had begun. Rewind, then train.",
    }
    return [
        live.readout(words, size="normal" if name == "running" else "large", when=name)
        for name, words in verdicts.items()
    ]

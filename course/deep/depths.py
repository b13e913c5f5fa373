"""Deep networks, measured: which of them learn, and how large their activations and gradients are.

``python -m course.deep.depths`` trains them all (about twenty minutes on one core) and writes
``depths.json``, which the chapter reads; a test repeats a part. The ten networks of a setting are
trained as one batch: each array has a first dimension of ten, one entry per seed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from nnlib.datasets import digits8x8
from nnlib.tensor import Tensor

SEEDS, WIDTH, BATCH, EPOCHS, TRAINING = 10, 32, 64, 20, 1200
RATES = (3e-4, 1e-3, 3e-3)
FILE = "depths.json"


@dataclass(frozen=True)
class Setting:
    """A network of `depth` hidden layers of 32 neurons, and its initialisation."""

    depth: int = 20
    activation: str = "relu"
    start: str = "default"
    residual: bool = False
    norm: bool = False


SETTINGS = [
    *(Setting(depth) for depth in (3, 10, 20)),
    Setting(start="he"),
    Setting(50, start="he"),
    Setting(activation="tanh"),
    Setting(activation="tanh", start="xavier"),
    Setting(activation="sigmoid"),
    *(Setting(depth, residual=True) for depth in (20, 50)),
    Setting(start="he", residual=True),
    Setting(norm=True),
    Setting(start="he", norm=True),
    *(Setting(depth, residual=True, norm=True) for depth in (20, 50)),
    Setting(start="he", residual=True, norm=True),
    Setting(3, norm=True),
]


# --- the network --------------------------------------------------------------------------------


def std(start: str, inputs: int) -> float:
    """The standard deviation of a weight: PyTorch's default, He's, Xavier's (square layers)."""
    variance = {"default": 1 / 3, "xavier": 1.0, "he": 2.0}[start] / inputs
    return variance**0.5


def layer(start: str, inputs: int, outputs: int, rng: np.random.Generator) -> tuple[Any, Any]:
    """A layer's initial weights (inputs, outputs) and biases, by the rule `start`."""
    if start == "default":
        bound = inputs**-0.5
        weights = rng.uniform(-bound, bound, (inputs, outputs))
        return weights, rng.uniform(-bound, bound, (1, outputs))
    return rng.normal(size=(inputs, outputs)) * std(start, inputs), np.zeros((1, outputs))


def parameters(setting: Setting, seeds: int = SEEDS) -> list[tuple[Tensor, Tensor]]:
    """Weights and biases of each layer for all seeds; the output layer starts by default."""
    rngs = [np.random.default_rng(seed) for seed in range(seeds)]
    sizes = [64, *[WIDTH] * setting.depth]
    hidden_layers = [(setting.start, a, b) for a, b in pairwise(sizes)]
    layers = []
    for start, inputs, outputs in [*hidden_layers, ("default", WIDTH, 10)]:
        by_seed = [layer(start, inputs, outputs, rng) for rng in rngs]
        W, b = (np.stack(arrays).astype("float32") for arrays in zip(*by_seed, strict=True))
        layers.append((nnlib.tensor(W, requires_grad=True), nnlib.tensor(b, requires_grad=True)))
    return layers


def normalised(h: Tensor) -> Tensor:
    """Each example's activations with mean 0 and deviation 1: `nn.LayerNorm` at its start."""
    return F.layer_norm(h, (h.shape[-1],))


def forward(setting: Setting, layers: list[tuple[Tensor, Tensor]], x: Any) -> tuple[Tensor, list]:
    """The logits, and the output of each hidden layer."""
    g = getattr(nnlib, setting.activation)
    (W, b), *middle, (V, c) = layers
    h = g(x @ W + b)
    outputs = [h]
    for W, b in middle:
        a = g((normalised(h) if setting.norm else h) @ W + b)
        h = h + a if setting.residual else a
        outputs.append(h)
    return (normalised(h) if setting.norm else h) @ V + c, outputs


# --- training -----------------------------------------------------------------------------------


@cache
def data() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """1,200 images for training, 242 for validation, 355 for the test; 64 pixels from 0 to 1."""
    training, test = digits8x8(), digits8x8(train=False)
    x = training.x.reshape(-1, 64)
    return {
        "training": (x[:TRAINING], training.y[:TRAINING]),
        "validation": (x[TRAINING:], training.y[TRAINING:]),
        "test": (test.x.reshape(-1, 64), test.y),
    }


def loss_of(logits: Tensor, y: np.ndarray) -> Tensor:
    """The sum over the networks of each one's mean loss."""
    return F.cross_entropy(logits.reshape(-1, 10), nnlib.tensor(y.reshape(-1))) * len(logits)


def accuracies(setting: Setting, layers: list, part: str) -> np.ndarray:
    """Each network's accuracy on one part of the data."""
    x, y = data()[part]
    with nnlib.no_grad():
        logits, _ = forward(setting, layers, nnlib.tensor(x))
    return (logits.numpy().argmax(-1) == y).mean(1)


def sizes(setting: Setting, seeds: int = SEEDS, images: int = 200) -> tuple[list, list]:
    """The root mean square of each hidden layer's output, and the norm of its weights' gradient.

    Both are taken before training, as geometric means over the seeds.
    """
    x, y = (part[:images] for part in data()["training"])
    layers = parameters(setting, seeds)
    logits, outputs = forward(setting, layers, nnlib.tensor(x))
    loss_of(logits, np.broadcast_to(y, (seeds, images))).backward()
    rms = [np.sqrt((h.detach().numpy().astype(float) ** 2).mean((1, 2))) for h in outputs]
    gradients = [W.grad for W, _ in layers[:-1] if W.grad is not None]
    norms = [np.sqrt((g.numpy().astype(float) ** 2).sum((1, 2))) for g in gradients]
    mean = [
        [float(np.exp(np.log(v + 1e-40).mean())) for v in by_layer] for by_layer in (rms, norms)
    ]
    return mean[0], mean[1]


def train(setting: Setting, lr: float, seeds: int = SEEDS, epochs: int = EPOCHS) -> dict[str, Any]:
    """Trains all seeds; returns each one's loss after each epoch and accuracies at the end."""
    layers = parameters(setting, seeds)
    x, y = data()["training"]
    adam = nnlib.optim.Adam([p for pair in layers for p in pair], lr=lr)
    rngs = [np.random.default_rng(100 + seed) for seed in range(seeds)]
    losses = []
    for _ in range(epochs):
        orders = np.stack([rng.permutation(len(x)) for rng in rngs])
        total = np.zeros(seeds)
        for start in range(0, len(x) - BATCH + 1, BATCH):
            batch = orders[:, start : start + BATCH]
            logits, _ = forward(setting, layers, nnlib.tensor(x[batch]))
            adam.zero_grad()
            loss_of(logits, y[batch]).backward()
            adam.step()
            logp = logits.detach().log_softmax(-1).numpy()
            total += -np.take_along_axis(logp, y[batch][..., None], -1).mean((1, 2))
        losses.append(total / (len(x) // BATCH))
    final = {part: accuracies(setting, layers, part) for part in ("training", "validation", "test")}
    return {"loss": np.array(losses), **final}


# --- stored results -----------------------------------------------------------------------------


def result(setting: Setting) -> dict[str, Any]:
    """The best of three step sizes by mean validation accuracy, and the sizes at the start."""
    tried = {lr: train(setting, lr) for lr in RATES}
    activations, gradients = sizes(setting)
    by_rate = {str(lr): round(float(t["validation"].mean()), 4) for lr, t in tried.items()}
    best = max(RATES, key=lambda lr: by_rate[str(lr)])  # the smaller one in a tie
    curves = {name: np.round(value, 4).tolist() for name, value in tried[best].items()}
    return asdict(setting) | {"lr": best, "tried": by_rate, **curves} | {
        "activations": [float(f"{v:.4g}") for v in activations],
        "gradients": [float(f"{v:.4g}") for v in gradients],
    }  # fmt: skip


@cache
def stored() -> list[dict[str, Any]]:
    """The results of all settings, in the order of SETTINGS."""
    return json.loads((resources.files("course.deep") / FILE).read_text("utf8"))


def of(**changes: Any) -> dict[str, Any]:
    """The stored result of one setting: of(depth=50, residual=True).

    >>> of(depth=3)["activation"]
    'relu'
    """
    setting = asdict(replace(Setting(), **changes))
    return next(row for row in stored() if all(row[k] == v for k, v in setting.items()))


def main() -> None:
    rows = []
    for setting in SETTINGS:
        rows.append(result(setting))
        row = rows[-1]
        print(setting, row["lr"], row["tried"], row["test"], row["training"], flush=True)
        lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
        Path(__file__).with_name(FILE).write_text(f"[{lines}]\n", "utf8")


if __name__ == "__main__":
    main()

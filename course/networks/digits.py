"""Networks for handwritten digits, shared by several chapters: training and stored weights.

``tools/train_models.py digits`` trains them (two minutes on one core) and writes the weights that
`trained` reads; a slow test repeats that.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import numpy as np

import nnlib
import nnlib.nn.functional as F
from nnlib import nn
from nnlib.datasets import digits

SIDE, FILE = 28, "digits.npz"


# --- images -------------------------------------------------------------------------------------


def scrambled(images: Any, seed: int = 0) -> Any:
    """The images with all pixels in a random order, the same for each image: (n, 1, 28, 28).

    >>> scrambled(nnlib.ones(2, 1, 28, 28)).shape
    nnlib.Size([2, 1, 28, 28])
    """
    order = np.random.default_rng(seed).permutation(SIDE * SIDE)
    return images.reshape(-1, SIDE * SIDE)[:, order].reshape(-1, 1, SIDE, SIDE)


def moved(images: Any, down: int, right: int) -> Any:
    """Images shifted by whole pixels; pixels moved out are lost, vacated ones are 0 (background).

    >>> moved(nnlib.tensor([[1.0, 2.0], [3.0, 4.0]]), 1, 0).tolist()
    [[0.0, 0.0], [1.0, 2.0]]
    """
    source = images.numpy() if hasattr(images, "numpy") else np.asarray(images)
    out, (h, w) = np.zeros_like(source), source.shape[-2:]
    rows, cols = slice(max(down, 0), h + min(down, 0)), slice(max(right, 0), w + min(right, 0))
    source_rows = slice(max(-down, 0), h + min(-down, 0))
    source_cols = slice(max(-right, 0), w + min(-right, 0))
    out[..., rows, cols] = source[..., source_rows, source_cols]
    return nnlib.tensor(out)


# --- networks -----------------------------------------------------------------------------------


def mlp(hidden: int = 128, dropout: float = 0.5) -> nn.Module:
    """784 pixels, one hidden layer, ten logits."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(SIDE * SIDE, hidden), nn.ReLU(), nn.Dropout(dropout),
        nn.Linear(hidden, 10),
    )  # fmt: skip


def two_pools() -> nn.Module:
    """Two convolutions, each followed by pooling, and a linear classifier on 16 maps of 7 × 7."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(16 * 7 * 7, 10),
    )  # fmt: skip


def anywhere() -> nn.Module:
    """Three convolutions, then global max pooling of 64 maps."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(), nn.AdaptiveMaxPool2d(1),
        nn.Flatten(), nn.Dropout(0.3), nn.Linear(64, 10),
    )  # fmt: skip


# --- training -----------------------------------------------------------------------------------


def fit(model: Any, x: Any, y: Any, epochs: int, lr: float = 2e-3, seed: int = 0) -> None:
    """Adam on the cross-entropy of mini-batches of 50, the step size falling to 0."""
    rng = np.random.default_rng(seed)
    adam = nnlib.optim.Adam(model.parameters(), lr=lr)
    model.train()
    for epoch in range(epochs):
        adam.param_groups[0]["lr"] = lr * (1 - epoch / epochs)
        for batch in np.array_split(rng.permutation(len(x)), len(x) // 50):
            adam.zero_grad()
            F.cross_entropy(model(x[batch]), y[batch]).backward()
            adam.step()
    model.eval()


def logits(model: Any, x: Any, at_once: int = 100) -> Any:
    """The model's logits, (n, 10), without a graph and in evaluation mode."""
    model.eval()
    with nnlib.no_grad():
        return nnlib.cat([model(x[i : i + at_once]) for i in range(0, len(x), at_once)])


def accuracy(model: Any, x: Any, y: Any) -> float:
    """The share of images whose largest logit is that of their class."""
    return (logits(model, x).argmax(1) == y).double().mean().item()


# --- stored weights -----------------------------------------------------------------------------


class Recipe(NamedTuple):
    """How a stored network is trained: its layers, its epochs, whether pixels are scrambled."""

    make: Callable[[], nn.Module]
    epochs: int
    scrambled: bool = False


RECIPES = {
    "mlp": Recipe(mlp, 20),
    "mlp scrambled": Recipe(mlp, 20, scrambled=True),
    "two pools": Recipe(two_pools, 8),
    "two pools scrambled": Recipe(two_pools, 8, scrambled=True),
    "anywhere": Recipe(anywhere, 15),
}


def train(name: str) -> nn.Module:
    """The network of that name, trained again from seed 0 on the 4,000 digits."""
    recipe, data = RECIPES[name], digits()
    nnlib.manual_seed(0)
    model, x = recipe.make(), nnlib.tensor(data.x)
    fit(model, scrambled(x) if recipe.scrambled else x, nnlib.tensor(data.y), recipe.epochs)
    return model


def half(model: nn.Module) -> dict[str, Any]:
    """A model's state in float16: half the bytes."""
    return {name: value.half() for name, value in model.state_dict().items()}


@cache
def _weights() -> Any:
    path = resources.files("course.networks") / "weights" / FILE
    with resources.as_file(path) as file:
        return nnlib.load(file)


def trained(name: str) -> nn.Module:
    """The network of that name with its stored weights, in evaluation mode.

    Raises:
        ValueError: there is no network of that name.

    >>> net = trained("two pools")
    >>> sum(p.numel() for p in net.parameters())
    11274
    """
    if name not in RECIPES:
        raise ValueError(f"trained: no network {name!r}; there are {', '.join(RECIPES)}")
    model = RECIPES[name].make()
    model.load_state_dict({k: v.float() for k, v in _weights()[name].items()})
    return model.eval()

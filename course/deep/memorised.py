"""Can networks memorise a few images? Many seeds at once, with or without a mistake in the loop."""

from __future__ import annotations

from collections.abc import Sequence

import nnlib
import nnlib.nn.functional as F
from nnlib import nn
from nnlib.tensor import Tensor

MISTAKES = ("labels", "zero_grad", "step", "softmax", "relu")


def stacked(nets: Sequence[nn.Sequential]) -> list[tuple[Tensor, Tensor]]:
    """Weights (networks, inputs, outputs) and biases (networks, 1, outputs) of each layer."""
    linear = [[module for module in net if isinstance(module, nn.Linear)] for net in nets]
    return [
        (
            nnlib.stack([layer.weight.detach().T for layer in layers]).requires_grad_(),
            nnlib.stack([layer.bias.detach().unsqueeze(0) for layer in layers]).requires_grad_(),
        )
        for layers in zip(*linear, strict=True)
    ]


def losses(
    nets: Sequence[nn.Sequential], x: Tensor, y: Tensor, mistake: str = "", steps: int = 200
) -> list[float]:
    """Each ReLU network's loss in the last of these steps of Adam on all of x.

    A mistake is one of MISTAKES: labels in a random order, `zero_grad()` or `step()` forgotten, a
    softmax or a ReLU on the logits. Raises ValueError for another one.
    """
    if mistake and mistake not in MISTAKES:
        raise ValueError(f"mistake is one of {MISTAKES} or '', not {mistake!r}.")
    layers, count = stacked(nets), len(nets)
    labels = nnlib.stack([y[nnlib.randperm(len(y))] if mistake == "labels" else y for _ in nets])
    adam = nnlib.optim.Adam([p for layer in layers for p in layer], lr=1e-3)
    network_losses = nnlib.zeros(count)
    for _ in range(steps):
        if mistake != "zero_grad":
            adam.zero_grad()
        z = x
        for k, (W, b) in enumerate(layers):
            z = (z if k == 0 else z.relu()) @ W + b
        if mistake == "softmax":
            z = z.softmax(-1)
        elif mistake == "relu":
            z = z.relu()
        surprise = F.cross_entropy(z.reshape(-1, z.shape[-1]), labels.reshape(-1), reduction="none")
        network_losses = surprise.reshape(count, -1).mean(1)
        network_losses.sum().backward()
        if mistake != "step":
            adam.step()
    return network_losses.tolist()

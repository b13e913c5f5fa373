"""The next letter of a text by Jane Austen: a small transformer, and one without a mask.

``tools/train_models.py letters`` trains both (some minutes on one core).  Without a mask a model
can read each answer in its own input; the chapter on language models shows the consequences.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from course.networks.transformer import Transformer
from nnlib import nn
from nnlib.datasets import austen_clauses

LETTERS = "abcdefghijklmnopqrstuvwxyz' ."  # the full stop ends a clause
LENGTH, SIZE, STEPS, BATCH = 32, 48, 4000, 32
FILE = "letters.npz"


def codes(text: str) -> np.ndarray:
    """A text's letters as positions in `LETTERS`, int64; any other character becomes a space.

    >>> codes("a cab.").tolist()
    [0, 27, 2, 0, 1, 28]
    """
    space = LETTERS.index(" ")
    positions = [LETTERS.find(letter) if letter in LETTERS else space for letter in text]
    return np.array(positions, np.int64)


@cache
def stream(train: bool = True) -> np.ndarray:
    """All clauses one after the other, each with its full stop, as codes."""
    return codes(" ".join(f"{text}." for text in austen_clauses(train=train).texts))


def windows(starts: np.ndarray, train: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Pieces of 32 letters from the given positions, and their next letters: both (n, 32)."""
    positions = starts[:, None] + np.arange(LENGTH)
    return stream(train)[positions], stream(train)[positions + 1]


def network(causal: bool = True) -> Transformer:
    """An untrained transformer over letters; with `causal=False` nothing is masked."""
    return Transformer(len(LETTERS), LENGTH, SIZE, causal=causal)


def loss_of(model: Any, x: np.ndarray, y: np.ndarray, head_mask: Any = None) -> Any:
    """The mean surprise of the next letter, in nats."""
    logits = model(nnlib.tensor(x), head_mask).reshape(-1, len(LETTERS))
    return F.cross_entropy(logits, nnlib.tensor(y).reshape(-1))


def fit(model: Any, steps: int, seed: int = 0, lr: float = 3e-3) -> list[float]:
    """Adam on random windows; a warm-up of 5 % of the steps, then the step size falls to 0.

    Returns the loss of each step.
    """
    rng, parameters = np.random.default_rng(seed), list(model.parameters())
    adam = nnlib.optim.Adam(parameters, lr=lr)
    losses: list[float] = []
    for step in range(steps):
        warmup = min(1.0, (step + 1) / (0.05 * steps))
        adam.param_groups[0]["lr"] = lr * warmup * 0.5 * (1 + np.cos(np.pi * step / steps))
        adam.zero_grad()
        loss = loss_of(model, *windows(rng.integers(len(stream()) - LENGTH - 1, size=BATCH)))
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        adam.step()
        losses.append(loss.item())
    return losses


def surprise(model: Any, head_mask: Any = None, pieces: int = 200) -> float:
    """The mean surprise of the next letter over windows of the test clauses, in nats.

    `head_mask`, (blocks, heads) of ones and zeros, switches heads off.
    """
    starts = np.linspace(0, len(stream(False)) - LENGTH - 2, pieces).astype(int)
    with nnlib.no_grad():
        return float(loss_of(model, *windows(starts, train=False), head_mask).item())


def train(causal: bool = True, steps: int | None = None, seed: int = 0) -> Transformer:
    """A model trained again like the stored one, or for another number of steps."""
    nnlib.manual_seed(seed)
    model = network(causal)
    fit(model, steps or (STEPS if causal else STEPS // 10), seed)
    return model


@cache
def trained(causal: bool = True) -> Transformer:
    """A model with its stored weights, which have been rounded to half precision.

    >>> sum(w.numel() for w in trained().parameters())
    40560
    """
    model = network(causal)
    with resources.as_file(resources.files("course.networks") / "weights" / FILE) as path:
        state = nnlib.load(path)["masked" if causal else "open"]
    model.load_state_dict({name: weight.float() for name, weight in state.items()})
    for weight in model.parameters():
        weight.requires_grad_(False)
    return model

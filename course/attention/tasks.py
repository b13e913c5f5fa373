"""The look-up, an attention network that learns it in seconds, and the training loop.

`course.attention.recall` and `course.attention.variants` make longer comparisons with them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from nnlib import nn

LETTERS, DIGITS = "abcdefgh", "01234567"
SYMBOLS = LETTERS + DIGITS  # a symbol's code is its position here
PAIRS = 4
LENGTH = 2 * PAIRS + 1  # four letters, each with its digit, and the question


# --- looking up ---------------------------------------------------------------------------------


def lookups(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Questions such as "f3b7h4a6b", (n, 9) int64, and the codes of their answers, (n,).

    >>> x, y = lookups(2, seed=1)
    >>> x.shape, y.shape
    ((2, 9), (2,))
    """
    rng = np.random.default_rng(seed)
    letters = rng.permuted(np.tile(np.arange(len(LETTERS)), (n, 1)), axis=1)[:, :PAIRS]
    digits = len(LETTERS) + rng.integers(len(DIGITS), size=(n, PAIRS))
    pair = rng.integers(PAIRS, size=n)
    pairs = np.stack([letters, digits], 2).reshape(n, 2 * PAIRS)
    rows = np.arange(n)
    return np.hstack([pairs, letters[rows, pair][:, None]]), digits[rows, pair]


def spelled(codes: Any) -> str:
    """The symbols that codes stand for.

    >>> spelled([5, 11])
    'f3'
    """
    return "".join(SYMBOLS[int(k)] for k in codes)


def codes(text: str) -> np.ndarray:
    """The positions of a text's symbols, int64.

    >>> codes("f3").tolist()
    [5, 11]
    """
    return np.array([SYMBOLS.index(symbol) for symbol in text], np.int64)


# --- the network --------------------------------------------------------------------------------


class AttentionHead(nn.Module):
    """One head of attention: every position looks at itself and at those before it."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.query = nn.Linear(size, size, bias=False)
        self.key = nn.Linear(size, size, bias=False)
        self.value = nn.Linear(size, size, bias=False)
        self.out = nn.Linear(size, size, bias=False)

    def weights(self, x: Any) -> Any:
        """How much each position (row) looks at each other one (column), (..., T, T)."""
        scores = self.query(x) @ self.key(x).transpose(-2, -1) / x.shape[-1] ** 0.5
        ahead = nnlib.ones(x.shape[-2], x.shape[-2]).triu(1)
        return (scores - 1e9 * ahead).softmax(-1)

    def forward(self, x: Any) -> Any:
        return self.out(self.weights(x) @ self.value(x))


class Finder(nn.Module):
    """Symbols to vectors, layers of attention, and logits for the symbol that comes next.

    Each of `positions`, `residual` and `normalised` can be left out, to show what it contributes.
    """

    def __init__(self, symbols: int = len(SYMBOLS), length: int = LENGTH, size: int = 32,
                 layers: int = 2, positions: bool = True, residual: bool = True,
                 normalised: bool = True) -> None:  # fmt: skip
        super().__init__()
        self.symbols = nn.Parameter(0.1 * nnlib.randn(symbols, size))
        self.positions = nn.Parameter(0.1 * nnlib.randn(length, size)) if positions else None
        norm: Callable[[], Any] = (lambda: nn.LayerNorm(size)) if normalised else nn.Identity
        self.norms = nn.ModuleList([norm() for _ in range(layers)])
        self.looks: Any = nn.ModuleList([AttentionHead(size) for _ in range(layers)])
        self.last = norm()
        self.head = nn.Linear(size, symbols, bias=False)
        self.residual = residual

    def vectors(self, x: Any) -> Any:
        """A vector for each position: that of its symbol plus that of the position."""
        vectors = self.symbols[x]
        return vectors if self.positions is None else vectors + self.positions[: x.shape[-1]]

    def forward(self, x: Any) -> Any:
        h = self.vectors(x)
        for norm, look in zip(self.norms, self.looks, strict=True):
            h = h + look(norm(h)) if self.residual else look(norm(h))
        return self.head(self.last(h))

    def maps(self, x: Any) -> list[Any]:
        """Each layer's attention weights."""
        h, maps = self.vectors(x), []
        for norm, look in zip(self.norms, self.looks, strict=True):
            maps.append(look.weights(norm(h)))
            h = h + look(norm(h)) if self.residual else look(norm(h))
        return maps


# --- training -----------------------------------------------------------------------------------


def fit(model: Any, sample: Callable[[int], tuple[np.ndarray, np.ndarray]], steps: int = 400,
        lr: float = 3e-3) -> list[float]:  # fmt: skip
    """Adam on fresh batches, `sample(step)`; only the last position's answer counts.

    After a warm-up of 5 % of the steps the step size falls to 0; gradients are clipped at 1.
    Returns the loss of each step.
    """
    parameters = list(model.parameters())
    adam = nnlib.optim.Adam(parameters, lr=lr)
    losses: list[float] = []
    for step in range(steps):
        warmup = min(1.0, (step + 1) / (0.05 * steps))
        adam.param_groups[0]["lr"] = lr * warmup * 0.5 * (1 + np.cos(np.pi * step / steps))
        x, y = sample(step)
        loss = F.cross_entropy(model(nnlib.tensor(x))[:, -1], nnlib.tensor(y))
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        adam.step()
        losses.append(loss.item())
    return losses


def accuracy(model: Any, x: np.ndarray, y: np.ndarray) -> float:
    """The share of questions whose answer gets the largest logit."""
    with nnlib.no_grad():
        return float((model(nnlib.tensor(x))[:, -1].argmax(-1).numpy() == y).mean())

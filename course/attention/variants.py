"""The look-up with parts left out, five seeds each: what is needed, and what is not.

`python -m course.attention.variants` trains all of them (some minutes on one core) and writes
`variants.json`, which `results` reads; a test trains a part of it again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

import nnlib
from course.attention.tasks import SYMBOLS, AttentionHead, Finder, accuracy, fit, lookups
from nnlib import nn

SEEDS = range(5)
FILE = "variants.json"


class GRUClassifier(nn.Module):
    """A GRU over the symbols, for comparison."""

    def __init__(self, hidden: int = 48) -> None:
        super().__init__()
        self.cell = nn.GRU(len(SYMBOLS), hidden, batch_first=True)
        self.head = nn.Linear(hidden, len(SYMBOLS))

    def forward(self, x: Any) -> Any:
        return self.head(self.cell(nn.functional.one_hot(x, len(SYMBOLS)).float())[0])


class TwoHeads(AttentionHead):
    """Two heads side by side, each with half of every query, key and value."""

    def forward(self, x: Any) -> Any:
        def halves(wide: Any) -> Any:  # (..., T, d) → (..., 2, T, d / 2)
            return wide.reshape(*wide.shape[:-1], 2, -1).transpose(-2, -3)

        scores = halves(self.query(x)) @ halves(self.key(x)).transpose(-2, -1)
        ahead = nnlib.ones(x.shape[-2], x.shape[-2]).triu(1)
        weights = (scores / (x.shape[-1] / 2) ** 0.5 - 1e9 * ahead).softmax(-1)
        outputs = (weights @ halves(self.value(x))).transpose(-2, -3).reshape(*x.shape)
        return self.out(outputs)


def two_heads() -> Finder:
    """One layer of attention with two heads."""
    model = Finder(layers=1)
    model.looks = nn.ModuleList([TwoHeads(model.symbols.shape[-1])])
    return model


VARIANTS: dict[str, tuple[Callable[[], Any], int]] = {  # network, steps
    "two layers": (Finder, 400),
    "one layer": (lambda: Finder(layers=1), 400),
    "one layer, twice as wide": (lambda: Finder(layers=1, size=64), 1000),
    "GRU": (GRUClassifier, 2000),
    "without positions": (lambda: Finder(positions=False), 400),
    "without residual": (lambda: Finder(residual=False), 400),
    "without normalisation": (lambda: Finder(normalised=False), 400),
    "without normalisation, 1200 steps": (lambda: Finder(normalised=False), 1200),
    "without positions, 1200 steps": (lambda: Finder(positions=False), 1200),
    "without residual, 1200 steps": (lambda: Finder(residual=False), 1200),
    "one layer, 1200 steps": (lambda: Finder(layers=1), 1200),
    "one layer, two heads, 1200 steps": (two_heads, 1200),
}


def batches(seed: int) -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
    """A function that returns 64 fresh questions for each step."""
    return lambda step: lookups(64, seed=10_000 * (seed + 1) + step)


def run(name: str, seed: int, steps: int | None = None) -> tuple[float, list[float]]:
    """Trains one variant; returns its accuracy on new questions and each ten steps' mean loss."""
    make, usual_steps = VARIANTS[name]
    nnlib.manual_seed(seed)
    model = make()
    losses = fit(model, batches(seed), steps or usual_steps)
    tens = np.array(losses).reshape(-1, 10).mean(1).round(3).tolist()
    return accuracy(model, *lookups(1000, seed=10**6)), tens


@cache
def results() -> dict[str, dict[str, list[Any]]]:
    """The stored accuracies and losses of five seeds, by the variant's name."""
    text = (resources.files("course.attention") / FILE).read_text("utf8")
    stored: dict[str, dict[str, list[Any]]] = json.loads(text)
    return stored


def main() -> None:
    path = Path(__file__).with_name(FILE)
    stored: dict[str, Any] = json.loads(path.read_text("utf8")) if path.exists() else {}
    for name in VARIANTS:
        if name not in stored:
            runs = [run(name, seed) for seed in SEEDS]
            stored[name] = {"accuracy": [r[0] for r in runs], "loss": [r[1] for r in runs]}
            print(name, *stored[name]["accuracy"], file=sys.stderr, flush=True)
            path.write_text(json.dumps(stored) + "\n", "utf8")


if __name__ == "__main__":
    main()

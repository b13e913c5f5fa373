"""Answers that are written symbol by symbol: sums of two numbers, and words spelled backwards.

`python -m course.attention.written` trains a small transformer for each (two minutes on one core)
and writes `written.npz`; a test trains a part of it again.  A third of all sums, and a tenth of the
words, are never trained on.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from course.networks.transformer import Transformer
from nnlib import nn
from nnlib.datasets import austen_clauses

SIZE, HEADS, BATCH = 32, 2, 64
FILE = "written.npz"


@dataclass(frozen=True)
class Task:
    """Texts such as "12+34=640": a question up to the "=", and its answer."""

    name: str
    symbols: str  # a symbol's code is its position here
    length: int  # of the longest text; the network reads all of it but the last symbol
    answer: int  # symbols of the longest answer
    steps: int
    train: tuple[str, ...]
    test: tuple[str, ...]

    def codes(self, text: str) -> np.ndarray:
        return np.array([self.symbols.index(symbol) for symbol in text], np.int64)

    def table(self, texts: Any) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and targets, both (n, length - 1); the target is -100 before the answer begins."""
        x = np.zeros((len(texts), self.length - 1), np.int64)
        y = np.full_like(x, -100)
        for i, text in enumerate(texts):
            row, start = self.codes(text), text.index("=")
            x[i, : len(row) - 1] = row[:-1]
            y[i, start : len(row) - 1] = row[start + 1 :]
        return x, y

    def network(self) -> Transformer:
        return Transformer(len(self.symbols), self.length - 1, SIZE, HEADS)


@cache
def sums() -> Task:
    """Two numbers of two digits and their sum, ones first: "17+25=240" for 17 + 25 = 42."""
    texts = [f"{a:02}+{b:02}={(a + b) % 10}{(a + b) // 10 % 10}{(a + b) // 100}"
             for a in range(100) for b in range(100)]  # fmt: skip
    order = np.random.default_rng(0).permutation(len(texts))
    shuffled = tuple(texts[k] for k in order)
    return Task("sums", "0123456789+=", 9, 3, 2000, shuffled[3333:], shuffled[:3333])


@cache
def backwards() -> Task:
    """Words of three to eight letters, each spelled backwards after the "=": "word=drow."."""
    words = {word for text in austen_clauses().texts for word in text.split()}
    chosen = sorted(word for word in words if 3 <= len(word) <= 8 and "'" not in word)
    order = np.random.default_rng(0).permutation(len(chosen))
    texts = tuple(f"{chosen[k]}={chosen[k][::-1]}." for k in order)
    tenth = len(texts) // 10
    symbols = "abcdefghijklmnopqrstuvwxyz=."
    return Task("backwards", symbols, 18, 9, 1200, texts[tenth:], texts[:tenth])


def train(task: Task, steps: int | None = None, seed: int = 0) -> Transformer:
    """A network trained by Adam; after a warm-up of 5 % of the steps the step size falls to 0."""
    nnlib.manual_seed(seed)
    model, steps = task.network(), steps or task.steps
    (x, y), rng = task.table(task.train), np.random.default_rng(seed)
    parameters = list(model.parameters())
    adam = nnlib.optim.Adam(parameters, lr=3e-3)
    for step in range(steps):
        warmup = min(1.0, (step + 1) / (0.05 * steps))
        adam.param_groups[0]["lr"] = 3e-3 * warmup * 0.5 * (1 + np.cos(np.pi * step / steps))
        rows = rng.integers(len(x), size=BATCH)
        logits = model(nnlib.tensor(x[rows])).reshape(-1, len(task.symbols))
        loss = F.cross_entropy(logits, nnlib.tensor(y[rows]).reshape(-1), ignore_index=-100)
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        adam.step()
    return model


def right(task: Task, model: Any, texts: Any, head_mask: Any = None) -> np.ndarray:
    """Which answer symbols are right, given the right ones before them: (n, length - 1) bool.

    Positions without a target are true.  `head_mask`, (blocks, heads), switches heads off.
    """
    x, y = task.table(texts)
    with nnlib.no_grad():
        best = model(nnlib.tensor(x), head_mask).argmax(-1).numpy()
    return (best == y) | (y == -100)


@cache
def trained(name: str) -> Transformer:
    """The network of a task with its stored weights: "sums" or "backwards".

    >>> sum(w.numel() for w in trained("sums").parameters())
    17536
    """
    model = {"sums": sums, "backwards": backwards}[name]().network()
    with resources.as_file(resources.files("course.attention") / FILE) as path:
        state = nnlib.load(path)[name]
    model.load_state_dict({key: weight.float() for key, weight in state.items()})
    for weight in model.parameters():
        weight.requires_grad_(False)
    return model


def main() -> None:
    states = {}
    for task in (sums(), backwards()):
        model = train(task)
        accuracy = right(task, model, task.test).all(1).mean()
        print(f"{task.name}: test accuracy {accuracy:.3f}", file=sys.stderr, flush=True)
        states[task.name] = {key: w.half() for key, w in model.state_dict().items()}
    nnlib.save(states, Path(__file__).with_name(FILE))


if __name__ == "__main__":
    main()

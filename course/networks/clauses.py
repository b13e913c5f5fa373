"""The next word of a clause by Jane Austen: words as numbers, models, training, stored weights.

``tools/train_models.py clauses`` trains the transformer that the book ships (some minutes on one
core); ``python -m course.language_model.compare`` trains the models that it is compared with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from course.networks.transformer import Transformer
from nnlib import nn
from nnlib.datasets import austen_clauses

COMMON, LENGTH = 1000, 13  # words with a code of their own; positions: twelve words and the end
UNKNOWN, END = COMMON, COMMON + 1  # the codes for all rarer words, and for both start and end
CODES = COMMON + 2
SIZE, CONTEXT = 48, 3  # length of a word's vector; words that the MLP gets
FILE = "clauses.npz"


# --- words as numbers ---------------------------------------------------------------------------


@cache
def vocabulary() -> tuple[str, ...]:
    """The 1,000 most frequent words of the training clauses, then "…" and the end sign.

    >>> vocabulary()[:3]
    ('i', 'to', 'the')
    """
    count = Counter(word for text in austen_clauses().texts for word in text.split())
    common = sorted(count, key=lambda word: (-count[word], word))[:COMMON]
    return (*common, "…", "■")


def codes(text: str) -> list[int]:
    """A text's words as positions in the vocabulary; a word that is not in it becomes "…".

    >>> [vocabulary()[k] for k in codes("she is unputdownable")]
    ['she', 'is', '…']
    """
    return [_positions().get(word, UNKNOWN) for word in text.split()]


@cache
def _positions() -> dict[str, int]:
    return {word: k for k, word in enumerate(vocabulary())}


def spelled(row: Sequence[int]) -> str:
    """The words that codes stand for, up to the end sign."""
    words = [vocabulary()[int(k)] for k in row]
    return " ".join(words[: words.index("■")] if "■" in words else words)


def table(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The model's inputs and targets, both (n, 13) int64.

    A row of inputs is the start sign and the words; its targets are the words and the end sign.
    After the end the targets are −100, which cross-entropy ignores.
    """
    x, y = np.full((len(texts), LENGTH), END), np.full((len(texts), LENGTH), -100)
    for i, text in enumerate(texts):
        row = codes(text)
        x[i, 1 : len(row) + 1] = row
        y[i, : len(row) + 1] = [*row, END]
    return x, y


# --- the models, all about equally large; the words' vectors also give the logits ----------------


class Tied(nn.Module):
    """The words' vectors, which also give the logits: a word's logit is its vector · h."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.words = nn.Parameter(0.1 * nnlib.randn(CODES, size))

    def logits(self, h: Any) -> Any:
        return nnlib.einsum("btd,wd->btw", h, self.words)


class Window(Tied):
    """An MLP on the last three words."""

    def __init__(self, size: int = SIZE, hidden: int = 196) -> None:
        super().__init__(size)
        self.up, self.down = nn.Linear(CONTEXT * size, hidden), nn.Linear(hidden, size)

    def forward(self, x: Any) -> Any:
        start = nnlib.full((x.shape[0], CONTEXT - 1), END)
        padded = self.words[nnlib.cat([start, x], 1)]
        context = nnlib.cat([padded[:, k : k + x.shape[1]] for k in range(CONTEXT)], -1)
        return self.logits(self.down(self.up(context).relu()))


class Recurrent(Tied):
    """A recurrent cell over the words."""

    def __init__(self, cell_name: str, hidden: int) -> None:
        super().__init__(SIZE)
        self.cell: Any = getattr(nn, cell_name)(SIZE, hidden, batch_first=True)
        self.down = nn.Linear(hidden, SIZE)

    def forward(self, x: Any) -> Any:
        return self.logits(self.down(self.cell(self.words[x])[0]))


class WithoutHeads(nn.Module):
    """A transformer with all heads off, so each position uses only its own word and position."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Transformer(CODES, LENGTH, SIZE)

    def forward(self, x: Any) -> Any:
        return self.model(x, nnlib.zeros(2, 4))


def network(name: str) -> Any:
    """An untrained MLP, RNN, GRU or transformer, or "no heads", a transformer without attention.

    The first four have 86,000 to 89,000 parameters.
    """
    if name == "transformer":
        return Transformer(CODES, LENGTH, SIZE)
    if name == "no heads":
        return WithoutHeads()
    return Window() if name == "MLP" else Recurrent(name, {"RNN": 156, "GRU": 88}[name])


# --- training and evaluation --------------------------------------------------------------------


def loss_of(model: Any, x: Any, y: Any) -> Any:
    """The mean surprise of the next word, in nats."""
    logits = model(nnlib.tensor(x)).reshape(-1, CODES)
    return F.cross_entropy(logits, nnlib.tensor(y).reshape(-1), ignore_index=-100)


def fit(model: Any, steps: int, lr: float = 3e-3, seed: int = 0,
        texts: Sequence[str] | None = None) -> list[float]:  # fmt: skip
    """AdamW on batches of 64 clauses; a warm-up of 5 % of the steps, then the step size falls to 0.

    Without `texts` it trains on all training clauses. Returns the loss of each step.
    """
    x, y = table(austen_clauses().texts if texts is None else texts)
    rng, parameters = np.random.default_rng(seed), list(model.parameters())
    adam = nnlib.optim.AdamW(parameters, lr=lr, weight_decay=0.1)
    order: list[int] = []
    losses: list[float] = []
    for step in range(steps):
        if len(order) < 64:
            order = rng.permutation(len(x)).tolist()
        rows, order = order[:64], order[64:]
        warmup = min(1.0, (step + 1) / (0.05 * steps))
        adam.param_groups[0]["lr"] = lr * warmup * 0.5 * (1 + np.cos(np.pi * step / steps))
        adam.zero_grad()
        loss = loss_of(model, x[rows], y[rows])
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        adam.step()
        losses.append(loss.item())
    return losses


def surprise(model: Any, texts: Sequence[str]) -> float:
    """The mean surprise of the next word over the texts, in nats; its exponential is perplexity."""
    x, y = table(texts)
    total = 0.0
    with nnlib.no_grad():
        for i in range(0, len(x), 256):
            rows = slice(i, i + 256)
            total += loss_of(model, x[rows], y[rows]).item() * (y[rows] >= 0).sum()
    return float(total / (y >= 0).sum())


def train(seed: int = 0, steps: int = 4000) -> Transformer:
    """The transformer, trained again like the stored one, or for fewer steps."""
    nnlib.manual_seed(seed)
    model = network("transformer")
    fit(model, steps, seed=seed)
    return model


@cache
def trained() -> Transformer:
    """The transformer with its stored weights.

    >>> sum(w.numel() for w in trained().parameters())
    86352
    """
    model = network("transformer")
    with resources.as_file(resources.files("course.networks") / "weights" / FILE) as path:
        state = nnlib.load(path)["transformer"]
    model.load_state_dict({name: weight.float() for name, weight in state.items()})
    for weight in model.parameters():
        weight.requires_grad_(False)
    return model

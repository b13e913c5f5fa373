"""Networks that recognise a word's language or write new words: data, training and weights.

``tools/train_models.py words`` trains them (a minute on one core) and writes the weights that
`trained` reads; a slow test repeats that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from nnlib import nn
from nnlib.datasets import language_words

LETTERS = "abcdefghijklmnopqrstuvwxyz"
LENGTH, BLANK = 12, len(LETTERS)  # letters in the longest word; the code after a word's end
LANGUAGES = ("dutch", "english", "polish", "spanish")
FILE = "words.npz"


# --- words as numbers ---------------------------------------------------------------------------


def codes(texts: Sequence[str]) -> np.ndarray:
    """Positions in the alphabet, (n, 12) int64, padded with 26.

    >>> codes(["cab"])[0, :4].tolist()
    [2, 0, 1, 26]
    """
    table = np.full((len(texts), LENGTH), BLANK)
    for row, text in zip(table, texts, strict=True):
        row[: len(text)] = [LETTERS.index(letter) for letter in text]
    return table


def spelled(table: Any) -> list[str]:
    """The words that codes stand for, each up to its first blank.

    >>> spelled(codes(["cab", "ad"]))
    ['cab', 'ad']
    """
    rows = np.asarray(table.tolist() if hasattr(table, "tolist") else table)
    return ["".join((LETTERS + " ")[k] for k in row).split(" ")[0] for row in rows]


def one_hot(table: Any) -> Any:
    """One-hot vectors of the codes, (…, 26) float32; the vector of a blank is all zeros.

    >>> one_hot(codes(["cab"])).shape
    nnlib.Size([1, 12, 26])
    """
    table = table if hasattr(table, "detach") else nnlib.tensor(table)
    return (table.unsqueeze(-1) == nnlib.arange(BLANK)).float()


def shuffled(texts: Sequence[str], seed: int = 0) -> list[str]:
    """Each word's letters in a random order."""
    rng = np.random.default_rng(seed)
    return ["".join(rng.permutation(list(text))) for text in texts]


def transitions(table: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Language, letter and next letter at every step of every word; 26 is the start and the end.

    >>> [part.tolist() for part in transitions(codes(["ad"]), np.array([1]))]
    [[1, 1, 1], [26, 0, 3], [0, 3, 26]]
    """
    blank = np.full((len(table), 1), BLANK)
    letters, next_letters = np.hstack([blank, table]), np.hstack([table, blank])
    inside = np.arange(LENGTH + 1) <= (table < BLANK).sum(1, keepdims=True)
    language = np.broadcast_to(y[:, None], letters.shape)
    return language[inside], letters[inside], next_letters[inside]


# --- models: each has a loss on (codes, languages) ------------------------------------------------


class Classifier(nn.Module):
    """A network that computes four logits for each word."""

    def loss(self, table: np.ndarray, y: np.ndarray) -> Any:
        return F.cross_entropy(self(table), nnlib.tensor(y))


class Bag(Classifier):
    """Logistic regression on how often each letter occurs in the word."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(BLANK, len(LANGUAGES))

    def forward(self, table: Any) -> Any:
        return self.head(one_hot(table).sum(-2))


class Pairs(Classifier):
    """Logistic regression on how often each pair of neighbouring letters occurs in the word."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(BLANK * BLANK, len(LANGUAGES))

    def forward(self, table: Any) -> Any:
        x = one_hot(table)
        return self.head((x[:, :-1].transpose(1, 2) @ x[:, 1:]).flatten(1))


class PairsAndEnds(Classifier):
    """Logistic regression on the pairs of letters, where a word begins and ends with a blank."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear((BLANK + 1) ** 2 - 1, len(LANGUAGES))

    def forward(self, table: Any) -> Any:
        codes = table if hasattr(table, "detach") else nnlib.tensor(table)
        blank = nnlib.full((len(codes), 1), BLANK)
        padded = nnlib.cat([blank, codes, blank], 1)
        x = (padded.unsqueeze(-1) == nnlib.arange(BLANK + 1)).float()
        pairs = (x[:, :-1].transpose(1, 2) @ x[:, 1:]).flatten(1)
        return self.head(pairs[:, :-1])  # the last pair is two blanks, after the word's end


class Reader(Classifier):
    """A recurrent cell over the letters, and a logistic regression on the last letter's state."""

    def __init__(self, cell: Callable[..., nn.Module] = nn.RNN, hidden: int = 16) -> None:
        super().__init__()
        self.cell = cell(BLANK, hidden, batch_first=True)
        self.head = nn.Linear(hidden, len(LANGUAGES))

    def forward(self, table: Any) -> Any:
        states, _ = self.cell(one_hot(table))
        last = nnlib.tensor((np.asarray(table) < BLANK).sum(1) - 1)
        return self.head(states[nnlib.arange(len(table)), last])


class Follower(Reader):
    """A Reader with a second read-out, which answers after every letter: the language so far.

    Its loss is the mean over words for the answer after the last letter, plus the mean over all
    letters for the answers so far.
    """

    def __init__(self, cell: Callable[..., nn.Module] = nn.RNN, hidden: int = 16) -> None:
        super().__init__(cell, hidden)
        self.so_far = nn.Linear(hidden, len(LANGUAGES))

    def loss(self, table: np.ndarray, y: np.ndarray) -> Any:
        states, _ = self.cell(one_hot(table))
        is_letter = np.asarray(table) < BLANK
        last = nnlib.tensor(is_letter.sum(1) - 1)
        at_end = F.cross_entropy(self.head(states[nnlib.arange(len(y)), last]), nnlib.tensor(y))
        letters = np.flatnonzero(is_letter)
        so_far = self.so_far(states.reshape(-1, states.shape[-1])[nnlib.tensor(letters)])
        languages = nnlib.tensor(y[letters // LENGTH])
        return at_end + F.cross_entropy(so_far, languages)


class Attention(Classifier):
    """One head of attention over the letters, a layer of neurons, and the mean over the word.

    With `positions` the vector of a letter's position is added to the letter's own vector; without
    them the order of the letters has no effect.
    """

    def __init__(self, positions: bool = True, size: int = 16) -> None:
        super().__init__()
        self.letters = nn.Parameter(0.3 * nnlib.randn(BLANK, size))
        self.positions = nn.Parameter(0.3 * nnlib.randn(LENGTH, size)) if positions else None
        self.query = nn.Linear(size, size, bias=False)
        self.key = nn.Linear(size, size, bias=False)
        self.value = nn.Linear(size, size, bias=False)
        self.hidden = nn.Linear(size, size)
        self.head = nn.Linear(size, len(LANGUAGES))

    def vectors(self, table: Any) -> Any:
        """One vector for each position: that of its letter plus that of the position."""
        x = one_hot(table) @ self.letters
        return x if self.positions is None else x + self.positions

    def look(self, x: Any, is_letter: Any) -> Any:
        """How much each position (row) looks at each letter (column); each row adds up to 1."""
        scores = self.query(x) @ self.key(x).transpose(-2, -1) / x.shape[-1] ** 0.5
        return (scores - 1e9 * (1.0 - is_letter).unsqueeze(-2)).softmax(-1)

    def forward(self, table: Any) -> Any:
        x, is_letter = self.vectors(table), one_hot(table).sum(-1)
        mixed = x + self.look(x, is_letter) @ self.value(x)
        each = self.hidden(mixed).relu() * is_letter.unsqueeze(-1)
        return self.head(each.sum(-2) / is_letter.sum(-1, keepdim=True).clamp(min=1.0))


class Writer(nn.Module):
    """A gated cell that predicts the next letter from letter and language; 26 is start and end.

    Its loss is the mean cross-entropy of the next letter, the end included.
    """

    def __init__(self, hidden: int = 48) -> None:
        super().__init__()
        self.cell = nn.GRU(BLANK + 1 + len(LANGUAGES), hidden, batch_first=True)
        self.head = nn.Linear(hidden, BLANK + 1)

    def loss(self, table: np.ndarray, y: np.ndarray) -> Any:
        blank = np.full((len(table), 1), BLANK)
        inputs, targets = np.hstack([blank, table]), np.hstack([table, blank])
        eye, language = np.eye(BLANK + 1, dtype="f"), np.eye(len(LANGUAGES), dtype="f")[y]
        x = np.concatenate([eye[inputs], np.repeat(language[:, None], LENGTH + 1, 1)], 2)
        ends = (table < BLANK).sum(1, keepdims=True)
        positions = nnlib.tensor(np.flatnonzero(np.arange(LENGTH + 1) <= ends))
        logits = self.head(self.cell(nnlib.tensor(x))[0]).reshape(-1, BLANK + 1)
        return F.cross_entropy(logits[positions], nnlib.tensor(targets.ravel())[positions])


# --- training -----------------------------------------------------------------------------------


def fit(
    model: Any, table: np.ndarray, y: np.ndarray, epochs: int, lr: float = 0.01, seed: int = 0
) -> list[float]:
    """Adam on mini-batches of 64, gradients clipped at 1, the step size falling to 0.

    Returns the loss of each step.
    """
    rng, parameters = np.random.default_rng(seed), list(model.parameters())
    adam = nnlib.optim.Adam(parameters, lr=lr)
    batches = [slice(i, i + 64) for i in range(0, len(table), 64)]
    losses: list[float] = []
    for _ in range(epochs):
        order = rng.permutation(len(table))
        for batch in batches:
            adam.param_groups[0]["lr"] = lr * (1 - len(losses) / (epochs * len(batches)))
            adam.zero_grad()
            loss = model.loss(table[order[batch]], y[order[batch]])
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            adam.step()
            losses.append(loss.item())
    return losses


RECIPES: dict[str, tuple[Callable[[], Any], int, bool]] = {  # model, epochs, letters shuffled
    "bag": (Bag, 6, False),
    "pairs": (Pairs, 10, False),
    "pairs and ends": (PairsAndEnds, 10, False),
    "rnn": (Follower, 15, False),
    "rnn on shuffled": (Follower, 15, True),
    "gru": (lambda: Follower(nn.GRU), 15, False),
    "attention": (Attention, 20, False),
    "attention without positions": (lambda: Attention(positions=False), 20, False),
    "writer": (Writer, 16, False),
}


def train(name: str, seed: int = 0, epochs: int | None = None) -> Any:
    """A model trained again like the stored one, or for fewer `epochs` than its recipe has."""
    make, recipe_epochs, is_shuffled = RECIPES[name]
    words = language_words()
    nnlib.manual_seed(seed)
    model = make()
    table = codes(shuffled(words.texts) if is_shuffled else words.texts)
    fit(model, table, words.y, epochs or recipe_epochs, seed=seed)
    return model


@cache
def _weights() -> dict[str, Any]:
    with resources.as_file(resources.files("course.networks") / "weights" / FILE) as path:
        return nnlib.load(path)


def trained(name: str) -> Any:
    """A model with its stored weights; `RECIPES` has the names.

    Raises:
        KeyError: there is no such model.

    >>> trained("rnn").cell
    RNN(26, 16, batch_first=True)
    """
    if name not in RECIPES:
        raise KeyError(f"no model named {name!r}; there are {', '.join(RECIPES)}")
    model = RECIPES[name][0]()
    model.load_state_dict(_weights()[name])
    for weight in model.parameters():
        weight.requires_grad_(False)
    return model


def accuracy(model: Any, table: np.ndarray, y: np.ndarray) -> float:
    """The share of words whose language gets the largest logit."""
    with nnlib.no_grad():
        return float((model(table).argmax(-1).numpy() == y).mean())

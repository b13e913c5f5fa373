"""Accuracy of a read-out that is trained afterwards, on the states of a fixed cell.

``python -m course.rnn.read_outs`` trains every network again (some seconds each) and
writes `read_outs.json`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from course.networks import words
from nnlib import nn
from nnlib.datasets import language_words

CELLS = {"both questions": words.Follower, "NN3 alone": words.Reader}
SEEDS = range(5)
FILE = Path(words.__file__).parent / "weights" / "read_outs.json"


class LateReadOut(nn.Module):
    """A logistic regression on all states of a reader whose own weights stay as they are."""

    def __init__(self, reader: words.Reader) -> None:
        super().__init__()
        self.so_far = nn.Linear(reader.head.in_features, len(words.LANGUAGES))
        self.states = lambda table: reader.cell(words.one_hot(table))[0]

    def loss(self, table: np.ndarray, y: np.ndarray) -> Any:
        with nnlib.no_grad():
            states = self.states(table)
        word, letter = np.nonzero(table < words.BLANK)
        logits = self.so_far(states[nnlib.tensor(word), nnlib.tensor(letter)])
        return F.cross_entropy(logits, nnlib.tensor(y[word]))


def third_letter(cell: str, seed: int) -> tuple[float, float]:
    """Accuracy after three letters on the test words: NN3's, and the late read-out's."""
    train, test = language_words(), language_words(train=False)
    table = words.codes(train.texts)
    nnlib.manual_seed(seed)
    reader = CELLS[cell]()
    words.fit(reader, table, train.y, epochs=15, seed=seed)
    late = LateReadOut(reader)
    words.fit(late, table, train.y, epochs=5, seed=seed)
    with nnlib.no_grad():
        third = late.states(words.codes(test.texts))[:, 2]
        nn3, so_far = (
            float((head(third).argmax(-1).numpy() == test.y).mean())
            for head in (reader.head, late.so_far)
        )
    return nn3, so_far


def results() -> dict[str, list[list[float]]]:
    """For each cell, a row of two accuracies for each seed: NN3, late read-out."""
    stored: dict[str, list[list[float]]] = json.loads(FILE.read_text("utf8"))
    return stored


if __name__ == "__main__":
    accuracies = {cell: [third_letter(cell, seed) for seed in SEEDS] for cell in CELLS}
    FILE.write_text(json.dumps(accuracies, indent=1) + "\n", "utf8")

"""Accuracy of the networks that read words, from five starts, on proper and shuffled test words.

``python -m course.rnn.seeds`` trains them all (some minutes) and writes `word_seeds.json`; start 0
gives the networks whose weights are stored, and a test compares them with these numbers.
"""

from __future__ import annotations

import json
from pathlib import Path

from course.networks import words
from nnlib.datasets import language_words

NAMES = ("bag", "pairs", "pairs and ends", "rnn", "rnn on shuffled", "gru")
SEEDS = range(5)
FILE = Path(words.__file__).parent / "weights" / "word_seeds.json"


def both(model: object) -> tuple[float, float]:
    """Accuracy on the test words, and on the same words with their letters shuffled."""
    test = language_words(train=False)
    tables = words.codes(test.texts), words.codes(words.shuffled(test.texts))
    proper, shuffled = (words.accuracy(model, table, test.y) for table in tables)
    return proper, shuffled


def results() -> dict[str, list[list[float]]]:
    """For each network, a row of two accuracies for each seed: proper words, shuffled words."""
    stored: dict[str, list[list[float]]] = json.loads(FILE.read_text("utf8"))
    return stored


if __name__ == "__main__":
    accuracies = {}
    for name in NAMES:
        accuracies[name] = [both(words.train(name, seed)) for seed in SEEDS]
        FILE.write_text(json.dumps(accuracies, indent=1) + "\n", "utf8")

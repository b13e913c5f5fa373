"""Which symbol came first? RNN, LSTM, GRU and attention over T symbols: the chapter's comparison.

`python -m course.attention.recall` trains all of them (half an hour on one core) and writes
`recall.json`, which `results` reads; a test trains some of them again.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

import nnlib
from course.attention.tasks import Finder, accuracy, fit
from nnlib import nn

SYMBOL_COUNT, STEPS, BATCH = 8, 1000, 64
LENGTHS = (5, 10, 20, 40, 80)
KINDS = ("RNN", "LSTM", "GRU", "attention")
SEEDS = range(5)
RATES = (3e-3, 1e-2)  # tried with seed 0; the better one is used for all seeds
FILE = "recall.json"


def sequences(n: int, length: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Random symbols, (n, length) int64, and the first of each row, (n,)."""
    x = np.random.default_rng(seed).integers(SYMBOL_COUNT, size=(n, length))
    return x, x[:, 0]


class RecurrentClassifier(nn.Module):
    """A recurrent cell over the symbols and a linear layer on every state.

    `careful` initialises the cells so that they keep their state, as in the chapter on recurrent
    networks: the RNN with an orthogonal w_hh, the LSTM with 3 added to the bias of its forget gate,
    the GRU with 3 added to that of its update gate. Otherwise PyTorch's initialisation is used.
    """

    def __init__(self, kind: str, hidden: int, careful: bool) -> None:
        super().__init__()
        self.cell: Any = getattr(nn, kind)(SYMBOL_COUNT, hidden, batch_first=True)
        self.head = nn.Linear(hidden, SYMBOL_COUNT)
        with nnlib.no_grad():
            if careful and kind == "RNN":
                nn.init.orthogonal_(self.cell.weight_hh_l0)
            elif careful:  # rows: LSTM input, forget, cell, output; GRU reset, update, new
                self.cell.bias_ih_l0[hidden : 2 * hidden] += 3.0

    def forward(self, x: Any) -> Any:
        states, _ = self.cell(nn.functional.one_hot(x, SYMBOL_COUNT).float())
        return self.head(states)


def network(kind: str, length: int, careful: bool = False) -> Any:
    """An untrained network of about 1,400 to 2,700 parameters."""
    if kind == "attention":
        return Finder(SYMBOL_COUNT, length, size=16, layers=1)
    return RecurrentClassifier(kind, {"RNN": 36, "LSTM": 20, "GRU": 24}[kind], careful)


def trained_accuracy(kind: str, length: int, careful: bool, rate: float, seed: int,
                     steps: int = STEPS) -> float:  # fmt: skip
    """Trains one network; returns its accuracy on 1,000 new sequences (chance is 1/8)."""
    nnlib.manual_seed(seed)
    model = network(kind, length, careful)

    def sample(step: int) -> tuple[np.ndarray, np.ndarray]:
        return sequences(BATCH, length, seed=10_000 * (seed + 1) + step)

    fit(model, sample, steps, rate)
    return accuracy(model, *sequences(1000, length, seed=10**6))


def setting_name(kind: str, length: int, careful: bool, rate: float) -> str:
    """The name under which a setting's accuracies are stored."""
    start = "" if kind == "attention" else f"{'careful' if careful else 'usual'} start, "
    return f"{kind}, T = {length}, {start}lr {rate:g}"


@cache
def results() -> dict[str, list[float]]:
    """All stored accuracies: a setting's name, and the accuracy of each seed, from seed 0 on."""
    text = (resources.files("course.attention") / FILE).read_text("utf8")
    stored: dict[str, list[float]] = json.loads(text)
    return stored


def best(kind: str, length: int, careful: bool) -> list[float]:
    """The five accuracies at the better learning rate; for the other only seed 0 is stored."""
    return max((results()[setting_name(kind, length, careful, rate)] for rate in RATES), key=len)


def main() -> None:
    path = Path(__file__).with_name(FILE)
    stored: dict[str, Any] = json.loads(path.read_text("utf8")) if path.exists() else {}

    def ensure(setting: tuple[str, int, bool, float], seeds: int) -> float:
        accuracies = stored.setdefault(setting_name(*setting), [])
        while len(accuracies) < seeds:
            accuracies.append(round(trained_accuracy(*setting, seed=len(accuracies)), 3))
        print(setting_name(*setting), *accuracies, file=sys.stderr, flush=True)
        rows = [f" {json.dumps(name)}: {json.dumps(row)}" for name, row in stored.items()]
        path.write_text("{\n" + ",\n".join(rows) + "\n}\n", "utf8")
        return float(accuracies[0])

    for length in LENGTHS:
        for kind in KINDS:
            for careful in (False, True)[: 1 + (kind != "attention")]:
                first = {rate: ensure((kind, length, careful, rate), 1) for rate in RATES}
                rate = max(RATES, key=first.__getitem__)
                ensure((kind, length, careful, rate), len(SEEDS))


if __name__ == "__main__":
    main()

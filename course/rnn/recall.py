"""The recall task: read a sequence, then predict its first letter.  Data, networks, stored results.

``python -m course.rnn.recall`` repeats every run (some minutes) and writes `recall.json`; a slow
test repeats one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from course import networks
from nnlib import nn

TARGETS, FILLERS = 4, 4  # how many letters can come first, and how many can follow
LENGTHS = (5, 10, 20, 40)
SEEDS = range(5)
STEPS, BATCH, LR = 600, 32, 0.01
FILE = Path(networks.__file__).parent / "weights" / "recall.json"
EYE = np.eye(TARGETS + FILLERS, dtype=np.float32)


def sample(rng: np.random.Generator, count: int, length: int) -> np.ndarray:
    """Sequences as integers (count, length): one of 0 … 3, then only 4 … 7."""
    letters = rng.integers(TARGETS, TARGETS + FILLERS, (count, length))
    letters[:, 0] = rng.integers(0, TARGETS, count)
    return letters


class Recaller(nn.Module):
    """A recurrent layer, and a logistic regression on its last state.

    `gate_bias` is added to the biases of a GRU's update gate (an LSTM's forget gate), so that the
    gate is nearly 1 before training.
    """

    def __init__(self, cell: Callable[..., Any], hidden: int, gate_bias: float = 0.0) -> None:
        super().__init__()
        self.cell = cell(TARGETS + FILLERS, hidden, batch_first=True)
        self.head = nn.Linear(hidden, TARGETS)
        if gate_bias:
            with nnlib.no_grad():
                self.cell.bias_ih_l0[hidden : 2 * hidden] += gate_bias

    def forward(self, letters: np.ndarray) -> Any:
        states, _ = self.cell(nnlib.tensor(EYE[letters]))
        return self.head(states[:, -1])


NETWORKS: dict[str, Callable[[], Recaller]] = {
    "RNN": lambda: Recaller(nn.RNN, 24),
    "GRU": lambda: Recaller(nn.GRU, 12),
    "GRU, gates open": lambda: Recaller(nn.GRU, 12, gate_bias=3.0),
}


def train(name: str, length: int, seed: int, lr: float = LR, steps: int = STEPS) -> Recaller:
    """A network trained on new sequences at every step; the step size falls to 0."""
    nnlib.manual_seed(seed)
    rng, net = np.random.default_rng(seed), NETWORKS[name]()
    parameters = list(net.parameters())
    adam = nnlib.optim.Adam(parameters, lr=lr)
    for step in range(steps):
        adam.param_groups[0]["lr"] = lr * (1 - step / steps)
        letters = sample(rng, BATCH, length)
        adam.zero_grad()
        F.cross_entropy(net(letters), nnlib.tensor(letters[:, 0])).backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        adam.step()
    return net


def accuracy(net: Recaller, length: int) -> float:
    """The share of 1,000 new sequences whose first letter the network predicts."""
    letters = sample(np.random.default_rng(10**6), 1000, length)
    with nnlib.no_grad():
        return float((net(letters).argmax(-1).numpy() == letters[:, 0]).mean())


def run(name: str, length: int, lr: float = LR) -> list[float]:
    """The accuracy of a network trained with each seed."""
    return [accuracy(train(name, length, seed, lr), length) for seed in SEEDS]


def results() -> dict[str, list[list[float]]]:
    """Accuracy of each network: a row for each of LENGTHS, a column for each seed."""
    stored: dict[str, list[list[float]]] = json.loads(FILE.read_text("utf8"))
    return stored


if __name__ == "__main__":
    accuracies = {name: [run(name, length) for length in LENGTHS] for name in NETWORKS}
    FILE.write_text(json.dumps(accuracies, indent=1) + "\n", "utf8")

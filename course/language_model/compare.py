"""How well the next word is predicted: an MLP, recurrent cells, transformers, two seeds.

The learning rate is chosen by validation: each model is trained with both rates on the training
clauses without the last 1,000, and judged on those 1,000.  Then it is trained on all training
clauses at the better rate.

`python -m course.language_model.compare` trains all models (twenty minutes on one core) and writes
`compare.json`, which `results` reads; tests train some models again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import cache, partial
from importlib import resources
from pathlib import Path

import nnlib
from course.networks import clauses
from nnlib.datasets import austen_clauses

MODELS, SEEDS, STEPS = ("MLP", "RNN", "GRU", "transformer"), range(2), 800
ABLATED = "no heads"  # the transformer once more, trained without attention
RATES = (3e-3, 6e-3)  # the rates that are tried
VALIDATION_SIZE = 1000  # clauses
FILE = "compare.json"


def run(name: str, lr: float, seed: int, steps: int = STEPS) -> float:
    """Trains one model; returns its mean surprise per word on the test clauses, in nats."""
    nnlib.manual_seed(seed)
    model = clauses.network(name)
    clauses.fit(model, steps, lr, seed)
    return clauses.surprise(model, austen_clauses(train=False).texts)


def validated(name: str, lr: float, steps: int = STEPS) -> float:
    """Trains without the last 1,000 training clauses; returns the surprise on those, in nats."""
    texts = austen_clauses().texts
    nnlib.manual_seed(0)
    model = clauses.network(name)
    clauses.fit(model, steps, lr, 0, texts[:-VALIDATION_SIZE])
    return clauses.surprise(model, texts[-VALIDATION_SIZE:])


@cache
def results() -> dict[str, float]:
    """The stored numbers, in nats per word, by the setting's name."""
    text = (resources.files("course.language_model") / FILE).read_text("utf8")
    stored: dict[str, float] = json.loads(text)
    return stored


def setting_name(name: str, lr: float, seed: int) -> str:
    return f"{name}, lr {lr:g}, seed {seed}"


def validation_key(name: str, lr: float) -> str:
    return f"{name}, lr {lr:g}, validation"


def rate(name: str) -> float:
    """The learning rate with the smaller surprise on the validation clauses."""
    return min(RATES, key=lambda lr: results()[validation_key(name, lr)])


def best(name: str) -> list[float]:
    """The test surprise per word, in nats, for each seed, at the rate that validation chose."""
    return [results()[setting_name(name, rate(name), seed)] for seed in SEEDS]


def main() -> None:
    path = Path(__file__).with_name(FILE)
    stored: dict[str, float] = json.loads(path.read_text("utf8")) if path.exists() else {}

    def compute_if_missing(key: str, measure: Callable[[], float]) -> float:
        if key not in stored:
            stored[key] = round(measure(), 4)
            print(key, stored[key], file=sys.stderr, flush=True)
            path.write_text(json.dumps(stored, indent=1) + "\n", "utf8")
        return stored[key]

    for name in (*MODELS, ABLATED):
        tried = {
            lr: compute_if_missing(validation_key(name, lr), partial(validated, name, lr))
            for lr in RATES
        }
        better = min(RATES, key=tried.__getitem__)
        for seed in SEEDS:
            compute_if_missing(setting_name(name, better, seed), partial(run, name, better, seed))


if __name__ == "__main__":
    main()

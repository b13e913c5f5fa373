"""How well the next word is predicted: an MLP, recurrent cells, transformers, two seeds.

The learning rate is chosen by validation: each model is trained with both rates on the training
clauses without the last 1,000, and judged on these.  Then it is trained on all of them at its rate.

`python -m course.language_model.compare` trains all of them (twenty minutes on one core) and writes
`compare.json`, which `results` reads; a test trains a part of it again.
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
RATES, KEPT_BACK = (3e-3, 6e-3), 1000  # the rates that are tried; clauses for validation
FILE = "compare.json"


def run(name: str, lr: float, seed: int, steps: int = STEPS) -> float:
    """Trains one model; returns its mean surprise per word on the test clauses, in nats."""
    nnlib.manual_seed(seed)
    model = clauses.network(name)
    clauses.fit(model, steps, lr, seed)
    return clauses.surprise(model, austen_clauses(train=False).texts)


def validated(name: str, lr: float, steps: int = STEPS) -> float:
    """Trains without the last 1,000 training clauses; returns the surprise on these, in nats."""
    texts = austen_clauses().texts
    nnlib.manual_seed(0)
    model = clauses.network(name)
    clauses.fit(model, steps, lr, 0, texts[:-KEPT_BACK])
    return clauses.surprise(model, texts[-KEPT_BACK:])


@cache
def results() -> dict[str, float]:
    """The stored numbers, in nats per word, by the setting's name."""
    text = (resources.files("course.language_model") / FILE).read_text("utf8")
    stored: dict[str, float] = json.loads(text)
    return stored


def setting_name(name: str, lr: float, seed: int) -> str:
    return f"{name}, lr {lr:g}, seed {seed}"


def trial(name: str, lr: float) -> str:
    return f"{name}, lr {lr:g}, validation"


def rate(name: str) -> float:
    """The learning rate with the smaller surprise on the validation clauses."""
    return min(RATES, key=lambda lr: results()[trial(name, lr)])


def best(name: str) -> list[float]:
    """The seeds' nats per test word at the rate that validation chose."""
    return [results()[setting_name(name, rate(name), seed)] for seed in SEEDS]


def main() -> None:
    path = Path(__file__).with_name(FILE)
    stored: dict[str, float] = json.loads(path.read_text("utf8")) if path.exists() else {}

    def need(key: str, measure: Callable[[], float]) -> float:
        if key not in stored:
            stored[key] = round(measure(), 4)
            print(key, stored[key], file=sys.stderr, flush=True)
            path.write_text(json.dumps(stored, indent=1) + "\n", "utf8")
        return stored[key]

    for name in (*MODELS, ABLATED):
        tried = {lr: need(trial(name, lr), partial(validated, name, lr)) for lr in RATES}
        better = min(RATES, key=tried.__getitem__)
        for seed in SEEDS:
            need(setting_name(name, better, seed), partial(run, name, better, seed))


if __name__ == "__main__":
    main()

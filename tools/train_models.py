"""Trains the networks whose weights the book ships, and writes them into course/networks/weights.

    python tools/train_models.py            all of them
    python tools/train_models.py words      those of one chapter
    python tools/train_models.py --check    trains, writes nothing, prints the differences

Each group is a function without arguments that returns what nnlib.save writes.  Tests marked slow
train the cheap ones again.  One thread is faster than two here: set OPENBLAS_NUM_THREADS=1.
`seven_digits.npz` is written by ``python -m course.cnn.measured transfer``, with the numbers that
are measured on it; the README beside the weights lists the source of every file.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nnlib

WEIGHTS = Path(__file__).resolve().parent.parent / "course" / "networks" / "weights"


def words() -> dict[str, Any]:
    """The recurrent chapters' networks, which read and write words."""
    from course.networks.words import RECIPES, train

    return {name: dict(train(name).state_dict()) for name in RECIPES}


def digits() -> dict[str, Any]:
    """The image chapters' networks."""
    from course.networks.digits import RECIPES, half, train

    return {name: half(train(name)) for name in RECIPES}


def clauses() -> dict[str, Any]:
    """The language model's transformer, in half precision."""
    from course.networks.clauses import train

    return {"transformer": {name: w.half() for name, w in train().state_dict().items()}}


def letters() -> dict[str, Any]:
    """The letter model and the one without a mask, in half precision."""
    from course.networks.letters import train

    models = {"masked": train(), "open": train(causal=False)}
    return {
        name: {key: w.half() for key, w in model.state_dict().items()}
        for name, model in models.items()
    }


GROUPS: dict[str, Callable[[], dict[str, Any]]] = {
    "words": words, "digits": digits, "clauses": clauses, "letters": letters,
}  # fmt: skip


def compare(name: str) -> None:
    """Trains a group and prints each model's largest difference from the stored weights."""
    stored = nnlib.load(WEIGHTS / f"{name}.npz")
    for model, state in GROUPS[name]().items():
        differences = [
            (w.float() - stored[model][key].float()).abs().max() for key, w in state.items()
        ]
        print(f"{name}, {model}: {max(difference.item() for difference in differences):.1g}")


def main(arguments: list[str]) -> None:
    names = [name for name in arguments if name != "--check"] or list(GROUPS)
    if "--check" in arguments:
        for name in names:
            compare(name)
        return
    WEIGHTS.mkdir(exist_ok=True)
    for name in names:
        nnlib.save(GROUPS[name](), WEIGHTS / f"{name}.npz")
        print(f"{name}.npz: {(WEIGHTS / f'{name}.npz').stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])

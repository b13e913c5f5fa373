"""Trains the networks whose weights the book ships, and writes them into nnlib/course/weights.

    python tools/train_models.py            all of them
    python tools/train_models.py words      those of one chapter

Each group is a function without arguments that returns what nnlib.save writes.  Slow-marked tests
train anew and compare.  One thread is faster than two here: set OPENBLAS_NUM_THREADS=1.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nnlib

WEIGHTS = Path(__file__).resolve().parent.parent / "nnlib" / "course" / "weights"


def words() -> dict[str, Any]:
    """The recurrent chapters' readers and writer of words."""
    from nnlib.course.words import RECIPES, train

    return {name: dict(train(name).state_dict()) for name in RECIPES}


def digits() -> dict[str, Any]:
    """The image chapters' networks."""
    from nnlib.course.digits import RECIPES, half, train

    return {name: half(train(name)) for name in RECIPES}


GROUPS: dict[str, Callable[[], dict[str, Any]]] = {"words": words, "digits": digits}


def main(names: list[str]) -> None:
    WEIGHTS.mkdir(exist_ok=True)
    for name in names or list(GROUPS):
        nnlib.save(GROUPS[name](), WEIGHTS / f"{name}.npz")
        print(f"{name}.npz: {(WEIGHTS / f'{name}.npz').stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])

"""The examples of docs/live.md run, except for blocks that contain an ellipsis."""

import re
from pathlib import Path

import numpy as np
import pytest

import nnlib
from nnlib import live

DOCS = Path(__file__).resolve().parents[2] / "docs" / "live.md"
BLOCKS = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.S)
COMPLETE = [
    block for block in BLOCKS if "…" not in block.replace("0 … 6", "").replace("series0 …", "")
]


@pytest.mark.parametrize("block", COMPLETE, ids=[b.strip().splitlines()[0][:40] for b in COMPLETE])
def test_an_example_runs(block: str) -> None:
    rng = np.random.default_rng(0)
    names = {
        "np": np, "nnlib": nnlib, "live": live, "image": np.zeros((28, 28)),
        "kernel": np.zeros((5, 5)), "W1": np.zeros((3, 2)),
        "X": rng.normal(size=(60, 2)), "y": rng.integers(0, 2, 60).astype(float),
    }  # fmt: skip
    exec(block, names)


def test_most_examples_are_complete() -> None:
    assert len(COMPLETE) >= 7

"""An image, a kernel and a question for the figures of the chapter on convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnlib
from nnlib import datasets, live

TEST_SET = datasets.digits(train=False)
IMAGE = TEST_SET.x[1, 0]
EDGE = nnlib.tensor([[-1.0, -1.0, 0.0, 1.0, 1.0]] * 5) / 5


def question(name: str) -> Any:
    """A question that a figure asks first; the numbers that are tested do not depend on it."""
    return live.predict("?", name=name, choices=["yes", "no"], answer=0)


def close(a: object, b: object, atol: float = 1e-5) -> bool:
    return np.allclose(np.asarray(a), np.asarray(b), atol=atol)

"""The chapter's gradient ascent ends at the weights of scikit-learn's fit without a penalty."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from nnlib import datasets

CHAPTER = Path(__file__).resolve().parents[2] / "chapters" / "logistic-regression.ipynb"
LAST = "optimizer.step()"  # in the last cell that is run


def chapters_names() -> dict:
    """The names that the chapter's code cells define, up to and including its ascent."""
    names: dict = {}
    for cell in json.loads(CHAPTER.read_text("utf8"))["cells"]:
        if cell["cell_type"] == "code":
            source = "".join(cell["source"])
            exec(compile(source, CHAPTER.name, "exec"), names)
            if LAST in source:
                return names
    raise AssertionError(f"no cell of the chapter contains {LAST}")


def test_gradient_ascent_agrees_with_scikit_learn() -> None:
    weights = chapters_names()["w"].tolist()
    birds = datasets.penguins(("Adelie", "Chinstrap"), ("bill_length_mm", "body_mass_g"))
    raw = birds.x.astype(float)
    x = (raw - raw.mean(0)) / raw.std(0)
    model = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000, solver="newton-cholesky")
    model.fit(x, birds.y)
    assert np.allclose(weights, [*model.intercept_, *model.coef_[0]], rtol=0, atol=1e-6)

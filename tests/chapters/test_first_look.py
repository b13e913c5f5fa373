"""First look: broadcasting agrees with nnlib's; without zero_grad training does not settle."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import nnlib
from course.first_look import figures as show

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("case", range(len(show.CASES)))
def test_the_stretched_arrays_add_up_to_the_broadcast_sum(case: int) -> None:
    left, right = list(show.CASES.values())[case][2:]
    out = show.stretching().outputs(case=float(case), row=2, col=3)
    stretched = np.asarray(out[f"wide_a{case}"]) + np.asarray(out[f"wide_b{case}"])
    added = (nnlib.tensor(left) + nnlib.tensor(right)).numpy()
    assert (stretched == added).all() and (np.asarray(out[f"sum{case}"]) == added).all()
    assert float(out[f"cell{case}"]) == added[2, 3]
    assert float(out[f"one{case}"]) + float(out[f"other{case}"]) == added[2, 3]


def test_the_recorded_graph_shows_the_numbers_of_the_text() -> None:
    w = nnlib.tensor(1.0, requires_grad=True)
    b = nnlib.tensor(0.0, requires_grad=True)
    loss = (w * 2.0 + b - 6.8).square()
    loss.backward()
    assert loss.item() == pytest.approx(23.04, abs=1e-5)
    assert (w.grad.item(), b.grad.item()) == pytest.approx((-19.2, -9.6), abs=1e-5)


@pytest.mark.parametrize("lr", [0.01, 0.05, 0.1])
def test_with_zero_grad_the_loss_settles_and_without_it_oscillates(lr: float) -> None:
    def last_losses(zero: float) -> np.ndarray:
        figure = show.thermometer_training()
        return np.asarray(figure.train(400, lr=lr, zero=zero)["loss"])[-50:]

    with_zero_grad, without = last_losses(1.0), last_losses(0.0)
    assert with_zero_grad.max() < 0.2
    assert without.max() > 10 and without.max() > 3 * without.min()


@pytest.mark.parametrize(("lr", "explodes"), [(0.14, False), (0.16, True), (0.2, True)])
def test_the_step_size_decides_whether_the_loss_settles(lr: float, explodes: bool) -> None:
    losses = np.asarray(show.thermometer_training().train(60, lr=lr, zero=1.0)["loss"])
    assert losses[-1] > 1000 * losses[0] if explodes else losses[-1] < 0.001


def test_the_rule_by_hand_is_accepted_only_near_the_true_rule() -> None:
    figure = show.rule_by_hand()
    assert float(figure.outputs(w=1.8, b=3.2)["largest_error"]) == pytest.approx(0, abs=1e-4)
    assert float(figure.outputs(w=1.0, b=0.0)["largest_error"]) == pytest.approx(64, abs=1e-3)
    near = [(w, b) for w in np.arange(1.5, 2.1, 0.05) for b in np.arange(2.5, 4, 0.05)
            if float(figure.outputs(w=w, b=b)["largest_error"]) < 1]  # fmt: skip
    assert near and all(abs(w - 1.8) < 0.06 and abs(b - 3.2) < 0.11 for w, b in near)


def test_the_engine_of_the_autodiff_chapter_has_fewer_than_fifty_lines() -> None:
    """First look promises this, and the chapter on autodiff repeats it."""
    cells = json.loads((ROOT / "chapters/autodiff.ipynb").read_text("utf8"))["cells"]
    (text,) = ("".join(c["source"]) for c in cells if "## The engine, whole" in c["source"][0])
    (code,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert "Fewer than fifty lines" in text
    assert sum(bool(line.strip()) for line in code.splitlines()) < 50

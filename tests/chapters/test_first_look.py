"""The first look's figures: what stretches is what nnlib adds; a forgetful loop never rests."""

from __future__ import annotations

import numpy as np
import pytest

import nnlib
from course.first_look import figures as show


@pytest.mark.parametrize("case", range(len(show.CASES)))
def test_the_stretched_tables_add_up_to_the_broadcast_sum(case: int) -> None:
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
    error = (w * 2.0 + b - 6.8).square()
    error.backward()
    assert error.item() == pytest.approx(23.04, abs=1e-5)
    assert (w.grad.item(), b.grad.item()) == pytest.approx((-19.2, -9.6), abs=1e-5)


@pytest.mark.parametrize("lr", [0.01, 0.05, 0.1])
def test_with_zero_grad_the_line_comes_to_rest_and_without_it_swings_for_ever(lr: float) -> None:
    def last_losses(zero: float) -> np.ndarray:
        figure = show.thermometer_training()
        return np.asarray(figure.train(400, lr=lr, zero=zero)["loss"])[-50:]

    rests, swings = last_losses(1.0), last_losses(0.0)
    assert rests.max() < 0.2
    assert swings.max() > 10 and swings.max() > 3 * swings.min()

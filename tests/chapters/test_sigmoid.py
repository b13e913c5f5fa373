"""The chapter on the sigmoid: handles, large numbers, figures."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import nnlib
import nnlib.nn.functional as F
from course.sigmoid import figures as show
from course.sigmoid.figures import neuron_curve
from nnlib import datasets


def handles(log_odds: bool) -> dict:
    """The fields of the marks of a neuron's curve, by label or kind."""
    marks = neuron_curve(nnlib.linspace(-8, 8, 161), "z", "w0", "w", log_odds=log_odds)
    return {mark.fields.get("label") or mark.kind: mark.fields for mark in marks}


def drag(fields: dict, x: float, y: float, w0: float, w: float) -> dict[str, float]:
    """The weights after a drag to (x, y)."""
    arguments = {"x": x, "y": y, "w0": w0, "w": w}
    new = fields["drag"].target(**{k: nnlib.tensor(float(v)) for k, v in arguments.items()})
    return {"w0": w0, "w": w} | {name: nnlib.tensor(value).item() for name, value in new.items()}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("log_odds", [False, True])
def test_the_crossing_follows_its_handle_while_the_weight_stays(log_odds: bool) -> None:
    new = drag(handles(log_odds)["crossing"], x=-3.0, y=0.9, w0=-2.0, w=1.5)
    assert new["w"] == 1.5
    assert -new["w0"] / new["w"] == pytest.approx(-3)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("log_odds", "middle", "slope_per_weight"), [(False, 0.5, 0.25), (True, 0.0, 1.0)]
)
@pytest.mark.parametrize("slope", [0.1, -0.3])
def test_the_tangents_handle_sets_the_slope_while_the_crossing_stays(
    log_odds, middle, slope_per_weight, slope
) -> None:
    w0, w = -2.0, 1.0
    new = drag(handles(log_odds)["steepness"], x=2 + 1.2, y=middle + 1.2 * slope, w0=w0, w=w)
    assert new["w"] * slope_per_weight == pytest.approx(slope, rel=1e-5)
    assert -new["w0"] / new["w"] == pytest.approx(2, rel=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_no_drag_makes_a_curve_flat() -> None:
    new = drag(handles(False)["steepness"], x=3.0, y=0.5, w0=-2.0, w=1.0)
    assert new["w"] == pytest.approx(0.02)
    assert -new["w0"] / new["w"] == pytest.approx(2, rel=1e-4)


def test_the_curve_passes_through_the_pointer() -> None:
    curve = next(fields for fields in handles(False).values() if fields.get("drag"))
    new = drag(curve, x=1.0, y=0.8, w0=0.0, w=2.0)
    assert nnlib.sigmoid(nnlib.tensor(new["w0"] + new["w"])).item() == pytest.approx(0.8, rel=1e-5)


@pytest.mark.parametrize("dtype", [nnlib.float32, nnlib.float64])
def test_large_numbers_give_the_right_values_and_gradients_without_warnings(dtype) -> None:
    z = nnlib.tensor([-1000.0, 0.0, 1000.0], dtype=dtype, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        p = nnlib.sigmoid(z)
        slope = nnlib.autograd.grad(p.sum(), z)[0]
        logarithm = F.logsigmoid(z)
    assert p.tolist() == [0.0, 0.5, 1.0]
    assert slope.tolist() == [0.0, 0.25, 0.0]
    assert logarithm[0].item() == -1000.0


def test_the_share_of_gentoos_rises_with_the_body_mass() -> None:
    _, share, count = shares()
    assert count.sum() == len(datasets.penguins(("Adelie", "Gentoo"), ("body_mass_g",)))
    assert (np.diff(share) >= 0).all()
    assert share[0] == 0
    assert share[-1] == 1


def shares() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The middle of each bin of 250 g, the share of Gentoos in it, the number of birds in it."""
    birds = datasets.penguins(("Adelie", "Gentoo"), ("body_mass_g",))
    edges = np.arange(2.75, 6.75, 0.25)
    mass = birds.x[:, 0] / 1000
    count = np.histogram(mass, edges)[0]
    return edges[:-1] + 0.125, np.histogram(mass, edges, weights=birds.y)[0] / count, count


def test_the_closest_straight_line_leaves_the_range_of_probabilities() -> None:
    middle, share, count = shares()
    slope, intercept = np.polyfit(middle, share, 1)
    low, high = (intercept + slope * end for end in show.ENDS)
    assert low < 0
    assert high > 1
    figure = show.straight_line(middle, share, count)
    best = figure.outputs(low=low, high=high)["gap"]
    for step in (-0.1, 0.1):
        assert figure.outputs(low=low + step, high=high)["gap"] > best
        assert figure.outputs(low=low, high=high + step)["gap"] > best


def test_equal_pieces_of_evidence_multiply_the_odds_by_their_factor() -> None:
    p = show.pieces_of_evidence().outputs(factor=3.0)["P"]
    odds = p / (1 - p)
    np.testing.assert_allclose(odds[1:] / odds[:-1], 3, rtol=1e-4)
    assert show.pieces_of_evidence().outputs(k=3.0, factor=2.0)["adds"] == pytest.approx(
        16 / 17 - 8 / 9, abs=1e-5
    )


def test_the_slope_that_is_shown_is_that_of_the_curve() -> None:
    figure = show.where_it_is_steep()
    for z in (-3.0, 0.0, 2.5):
        near = [figure.outputs(z=z + h)["p"] for h in (-0.05, 0.05)]
        assert figure.outputs(z=z)["slope"] == pytest.approx((near[1] - near[0]) / 0.1, abs=1e-4)
    assert figure.outputs(z=0.0)["slope"] == pytest.approx(figure.outputs()["slopes"].max())


@pytest.mark.filterwarnings("ignore")
def test_only_the_stable_one_of_three_forms_is_right_for_large_numbers(chapter: dict) -> None:
    figure = show.three_forms(chapter["forms"])
    for z, value in [(-1000.0, 0.0), (0.0, 0.5), (1000.0, 1.0)]:
        table = figure.outputs(z=z)["table"]
        assert table[2].tolist() == [value, value * (1 - value)]
    assert np.isnan(figure.outputs(z=1000.0)["table"][0]).all()
    assert np.isnan(figure.outputs(z=-1000.0)["table"][1, 1])


def test_with_other_class_frequencies_only_the_bias_changes() -> None:
    figure = show.another_island(-27.482, 6.2292)
    rare = figure.outputs(gentoos=1.0)
    assert float(rare["five"]) == pytest.approx(0.324, abs=5e-4)
    as_in_the_data = figure.outputs(gentoos=100 * 123 / 151)
    assert float(as_in_the_data["bias"]) == pytest.approx(-27.482, abs=1e-4)
    assert float(as_in_the_data["five"]) == pytest.approx(0.975, abs=5e-4)
    logits = [np.log(np.asarray(outputs["P"], float) / (1 - np.asarray(outputs["P"], float)))
              for outputs in (rare, as_in_the_data)]  # fmt: skip
    middle = slice(60, 120)  # where float32 keeps the digits of P and of 1 − P
    shift = (logits[1] - logits[0])[middle]
    assert np.allclose(shift, np.log(100 * 123 / 151), atol=1e-3)

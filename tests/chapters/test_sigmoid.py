"""The sigmoid's chapter and the opening page: handles set what they say, far numbers do no harm."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import nnlib
import nnlib.nn.functional as F
from course.networks.drawn_digits import shrink
from course.sigmoid.figures import neuron_curve
from nnlib import datasets


def handles(log_odds: bool) -> dict:
    marks = neuron_curve(nnlib.linspace(-8, 8, 161), "z", "w0", "w", log_odds=log_odds)
    return {mark.fields.get("label") or mark.kind: mark.fields for mark in marks}


def drag(fields: dict, x: float, y: float, w0: float, w: float) -> dict[str, float]:
    """The weights after a drag to (x, y)."""
    at = {"x": x, "y": y, "w0": w0, "w": w}
    moved = fields["drag"].target(**{k: nnlib.tensor(float(v)) for k, v in at.items()})
    return {"w0": w0, "w": w} | {name: nnlib.tensor(value).item() for name, value in moved.items()}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("log_odds", [False, True])
def test_the_crossing_follows_its_handle_and_the_slope_stays(log_odds: bool) -> None:
    new = drag(handles(log_odds)["crossing"], x=-3.0, y=0.9, w0=-2.0, w=1.5)
    assert new["w"] == 1.5
    assert -new["w0"] / new["w"] == pytest.approx(-3)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("log_odds", "half", "share"), [(False, 0.5, 0.25), (True, 0.0, 1.0)])
@pytest.mark.parametrize("slope", [0.1, -0.3])
def test_the_tangents_handle_turns_about_the_crossing(log_odds, half, share, slope) -> None:
    w0, w = -2.0, 1.0
    new = drag(handles(log_odds)["steepness"], x=2 + 1.2, y=half + 1.2 * slope, w0=w0, w=w)
    assert new["w"] * share == pytest.approx(slope, rel=1e-5)
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
def test_far_numbers_do_no_harm(dtype) -> None:
    z = nnlib.tensor([-1000.0, 0.0, 1000.0], dtype=dtype, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        p = nnlib.sigmoid(z)
        slope = nnlib.autograd.grad(p.sum(), z)[0]
        logarithm = F.logsigmoid(z)
    assert p.tolist() == [0.0, 0.5, 1.0]
    assert slope.tolist() == [0.0, 0.25, 0.0]
    assert logarithm[0].item() == -1000.0


def test_shares_of_gentoos_climb() -> None:
    birds = datasets.penguins(("Adelie", "Gentoo"), ("body_mass_g",))
    edges = np.arange(2.75, 6.75, 0.25)
    mass = birds.x[:, 0] / 1000
    everyone = np.histogram(mass, edges)[0]
    assert everyone.sum() == len(birds)
    share = np.histogram(mass, edges, weights=birds.y)[0] / everyone
    assert (np.diff(share) >= 0).all()
    assert share[0] == 0
    assert share[-1] == 1


def drawing(top: int, left: int, scale: int) -> np.ndarray:
    """A seven of the given size somewhere on the paper."""
    image = np.zeros((28, 28), np.float32)
    image[top : top + scale, left : left + 4 * scale] = 1
    image[top : top + 5 * scale, left + 3 * scale : left + 4 * scale] = 1
    return image


def test_where_and_how_large_a_digit_is_drawn_does_not_matter() -> None:
    small, large = shrink(drawing(1, 2, 2)), shrink(drawing(5, 6, 4))
    np.testing.assert_allclose(small.numpy(), large.numpy(), atol=1e-5)
    assert shrink(np.zeros((28, 28), np.float32)).sum().item() == 0


def test_a_batch_of_drawings_is_shrunk_one_by_one() -> None:
    images = datasets.digits(train=False).x[:5]
    each = [shrink(image).numpy() for image in images]
    np.testing.assert_allclose(shrink(images).numpy(), each, atol=1e-6)

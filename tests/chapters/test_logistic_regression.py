"""Logistic regression: the figures' birds, lines and criteria are those of the text."""

from __future__ import annotations

import numpy as np
import pytest

import nnlib
import nnlib.nn.functional as F
from course.logistic_regression import figures as show

BEST, FEWEST = (-4.941, 14.888, -5.970), (-4.1, 10.5, -3.7)


def weights(name: str) -> dict[str, float]:
    return dict(zip(("w0", "w1", "w2"), show.LINES[name], strict=True))


def test_the_dozen_are_six_of_each_species() -> None:
    _, y, birds = show._species()
    classes = y[show.DOZEN].tolist()
    assert classes == [-1.0] * 6 + [1.0] * 6
    assert birds.classes == ("Adelie", "Chinstrap")


def test_the_buttons_lines_get_better_and_their_likelihood_agrees_with_a_product() -> None:
    figure = show.a_dozen_birds()
    x, y, _ = show._species()
    x, y = x[show.DOZEN].numpy(), y[show.DOZEN].numpy()
    counts = []
    for name in show.LINES:
        out, w = figure.outputs(**weights(name)), show.LINES[name]
        margins = y * (w[0] + x @ np.array(w[1:]))
        assert out["likelihood"] == pytest.approx(np.prod(1 / (1 + np.exp(-margins))), rel=1e-4)
        assert out["ring"].sum() == out["wrong"] == (margins <= 0).sum()
        counts.append(int(out["wrong"]))
    assert counts == [5, 8, 3, 1, 0, 0]


def test_the_distance_is_measured_to_the_nearest_point_of_the_line() -> None:
    out = show.distance_to_the_line().outputs(a=1.5, b=-2.0, times=2.0)
    assert -1 + 3 * out["foot_x"] - out["foot_y"] == pytest.approx(0, abs=1e-5)
    assert np.hypot(1.5 - out["foot_x"], -2.0 - out["foot_y"]) == pytest.approx(out["away"])
    along = (1.5 - out["foot_x"]) * 1 + (-2.0 - out["foot_y"]) * 3
    assert along == pytest.approx(0, abs=1e-5)


def test_weights_times_two_leave_the_distance_and_halve_the_band() -> None:
    once, twice = (show.distance_to_the_line().outputs(times=t) for t in (1.0, 2.0))
    assert twice["away"] == pytest.approx(once["away"])
    assert twice["half"] == pytest.approx(once["half"] / 2)
    assert twice["z"] == pytest.approx(2 * once["z"])


def test_along_one_weight_the_hill_has_one_top_above_the_lowest_step() -> None:
    out = show.staircase_and_hill().outputs()
    top, rises = out["hill"].argmax(), np.diff(out["hill"]) > 0
    assert rises[:top].all()
    assert not rises[top:].any()
    assert out["stairs"][top] == out["stairs"].min() == 0
    assert len(set(out["stairs"])) >= 8
    assert abs(np.diff(out["stairs"])).max() <= 2


def test_at_the_top_the_birds_bars_add_up_to_zero() -> None:
    figure = show.staircase_and_hill()
    slopes = [float(figure.outputs(w1=w1)["slope"]) for w1 in (4.0, 5.0)]
    assert slopes[0] > 0 > slopes[1]
    out = figure.outputs(w1=4.5)
    assert abs(out["contributions"].sum()) < 0.05
    assert (out["contributions"] > 0).any()
    assert (out["contributions"] < 0).any()


def test_the_bars_are_the_terms_of_the_derivative() -> None:
    x, y, _ = show._species()
    x, y = x[show.DOZEN], y[show.DOZEN]
    w1 = nnlib.tensor(1.5, dtype=nnlib.float64, requires_grad=True)
    F.logsigmoid(y * (-1.0 + w1 * x[:, 0] - 3.0 * x[:, 1])).sum().backward()
    assert show.staircase_and_hill().outputs(w1=1.5)["slope"] == pytest.approx(w1.grad.item())


def test_the_line_with_the_fewest_mistakes_is_less_likely() -> None:
    figure = show.fewest_and_likeliest(BEST, FEWEST)
    most, few = figure.outputs(k=0.0), figure.outputs(k=1.0)
    assert (most["wrong"], few["wrong"]) == (3, 2)
    assert most["ll"] > few["ll"]
    assert most["ll"] == pytest.approx(-most["missed"] - most["others"])


def test_no_line_makes_fewer_than_two_mistakes() -> None:
    """Every direction in steps of a tenth of a degree, every threshold."""
    x, y, _ = show._species()
    x, y = x.numpy(), y.numpy()
    angles = np.linspace(0, 2 * np.pi, 3601)
    order = np.argsort(x @ np.array([np.cos(angles), np.sin(angles)]), axis=0)
    passed = np.cumsum(y[order], axis=0)  # one more bird below the threshold
    assert ((y < 0).sum() + np.minimum(passed.min(0), 0)).min() == 2


def test_the_fitted_neuron_is_calibrated_and_a_doubled_one_is_not(chapter: dict) -> None:
    figure = show.calibration(chapter["z_mass"], nnlib.tensor(chapter["heavy"].y).double())
    once, twice = figure.outputs(times=1.0), figure.outputs(times=2.0)
    assert abs(once["given"] - once["seen"]).max() < 0.04
    assert abs(twice["given"] - twice["seen"]).max() > 0.2
    assert once["wrong"] == twice["wrong"]
    assert once["ll"] > twice["ll"]
    assert once["birds"].sum() == len(chapter["heavy"])


def test_each_models_fit_is_best_by_its_own_criterion() -> None:
    figure = show.one_picture_three_models()

    def criterion(g: str, name: str, **moved: float) -> float:
        best = figure.outputs(g=g)
        fitted = {"w0": float(best["best0"]), "w1": float(best["best1"])}
        weights = {k: v + moved.get(k, 0) for k, v in fitted.items()}
        return float(figure.outputs(g=g, **weights)[name])

    for w0, w1 in [(0.1, 0), (-0.1, 0), (0, 0.1), (0, -0.1)]:
        assert criterion("sigmoid", "ll", w0=w0, w1=w1) < criterion("sigmoid", "ll")
        assert criterion("z itself", "squares", w0=w0, w1=w1) > criterion("z itself", "squares")
        assert criterion("step", "wrong", w0=w0, w1=w1) >= criterion("step", "wrong") == 9


def test_no_line_makes_fewer_than_two_mistakes_and_the_same_two_birds_are_wrong() -> None:
    """Any line can be moved until it goes through two birds, without a bird changing its side."""
    _, y, birds = show._species()
    y = y.numpy()
    points = np.rint(birds.x.astype(float) * [10, 1]).astype(int)  # tenths of a millimetre, grams
    birds_by_mistakes: dict[int, set[tuple[int, ...]]] = {}
    for i, j in zip(*np.triu_indices(len(y), 1), strict=True):
        (a, b), d = points[j] - points[i], points - points[i]
        if a or b:
            sides = np.sign(a * d[:, 1] - b * d[:, 0]) * y
            for wrong in (sides < 0, sides > 0):
                mistakes = tuple(np.flatnonzero(wrong).tolist())
                birds_by_mistakes.setdefault(len(mistakes), set()).add(mistakes)
    assert min(birds_by_mistakes) == 2
    assert birds_by_mistakes[2] == {(171, 181)}


def test_no_line_with_two_mistakes_has_a_log_likelihood_of_minus_9_65() -> None:
    """At these weights the two birds that must stay right, 130 and 159, are on the line, and the
    gradient points to their wrong side: so they are the optimum under the two constraints."""
    x, y, _ = show._species()
    w, y = np.array([-4.28427, 10.98828, -3.90484]), y.numpy()
    X = np.column_stack([np.ones(len(y)), x.numpy()])
    margins = y * (X @ w)
    uphill = X.T @ (y / (1 + np.exp(margins)))
    outward = -(y[:, None] * X)[[130, 159]].T
    multipliers, *_ = np.linalg.lstsq(outward, uphill, rcond=None)
    assert (multipliers > 0).all()
    assert outward @ multipliers == pytest.approx(uphill, abs=1e-3)
    assert margins[[130, 159]] == pytest.approx(0, abs=1e-3)
    assert -np.logaddexp(0, -margins).sum() == pytest.approx(-9.658, abs=1e-3)

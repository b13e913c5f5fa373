"""nnlib.nn.init, and the functions of nnlib.nn.utils on all gradients or parameters at once."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import nnlib
from nnlib.nn import init, utils

SHAPES = [(40, 30), (20, 10, 3, 3)]


@pytest.mark.parametrize("name", ["linear", "conv2d", "sigmoid", "tanh", "relu", "selu"])
def test_gains_agree_with_pytorch(name):
    assert init.calculate_gain(name) == torch.nn.init.calculate_gain(name)
    for slope in (None, 0, 0.3):
        assert init.calculate_gain("leaky_relu", slope) == pytest.approx(
            torch.nn.init.calculate_gain("leaky_relu", slope)
        )


INITIALISERS = {
    "uniform_": {"a": -2.0, "b": 3.0}, "normal_": {"mean": 1.0, "std": 0.5},
    "trunc_normal_": {"std": 2.0, "a": -1.0, "b": 3.0}, "xavier_uniform_": {"gain": 2.0},
    "xavier_normal_": {}, "kaiming_uniform_": {"a": math.sqrt(5)},
    "kaiming_normal_": {"mode": "fan_out", "nonlinearity": "relu"},
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", INITIALISERS)
def test_an_initialiser_samples_pytorchs_distribution(name, shape):
    """Compares mean, standard deviation and extremes of 100 arrays from each library.

    The arrays themselves differ, because the two random number generators do.
    """
    nnlib.manual_seed(0), torch.manual_seed(0)
    samples = []
    for t in (nnlib, torch):
        w = t.zeros(shape) if t is torch else t.zeros(*shape)
        initialise = getattr(t.nn.init, name)
        samples.append(
            np.stack([initialise(w, **INITIALISERS[name]).numpy().copy() for _ in range(100)])
        )
    ours, theirs = samples
    assert ours.dtype == theirs.dtype
    spread = float(theirs.std())
    assert abs(ours.mean() - theirs.mean()) < 0.02 * spread
    assert ours.std() == pytest.approx(spread, rel=0.02)
    if "normal" not in name or "trunc" in name:
        assert ours.max() == pytest.approx(theirs.max(), abs=0.01 * spread)
        assert ours.min() == pytest.approx(theirs.min(), abs=0.01 * spread)


def test_a_seeded_generator_repeats_its_numbers_and_is_not_the_global_one():
    a, b = (init.normal_(nnlib.zeros(3), generator=nnlib.Generator().manual_seed(1)).numpy()
            for _ in range(2))  # fmt: skip
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, init.normal_(nnlib.zeros(3)).numpy())


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 2, 3)])
def test_orthogonal_gives_rows_or_columns_that_are_orthogonal(shape):
    w = init.orthogonal_(nnlib.zeros(*shape), gain=2.0).numpy().reshape(shape[0], -1)
    products = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(products, 4 * np.eye(len(products)), atol=1e-5)


def test_constants_fill_parameters_without_a_graph():
    p = nnlib.nn.Parameter(nnlib.zeros(2, 2))
    assert init.ones_(p) is p and p.is_leaf and p.requires_grad
    np.testing.assert_array_equal(p.detach().numpy(), np.ones((2, 2)))
    assert init.constant_(p, 3.0).sum().item() == 12
    assert init.eye_(p).sum().item() == 2
    assert init.zeros_(p).sum().item() == 0


BAD = {
    "a fan of a vector": lambda t: t.nn.init.xavier_uniform_(t.zeros(3)),
    "an unknown mode": lambda t: t.nn.init.kaiming_normal_(t.zeros(3, 3), mode="fan"),
    "the gain of an unknown function": lambda t: t.nn.init.calculate_gain("cosine"),
    "an orthogonal vector": lambda t: t.nn.init.orthogonal_(t.zeros(3)),
    "the identity of rank 3": lambda t: t.nn.init.eye_(t.zeros(2, 2, 2)),
    "a list for a vector": lambda t: t.nn.utils.vector_to_parameters([1.0], [t.zeros(1)]),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_raises_pytorchs_type_of_error(case):
    with pytest.raises((RuntimeError, TypeError, ValueError)) as theirs:
        BAD[case](torch)
    with pytest.raises(theirs.type):
        BAD[case](nnlib)


def gradients(t):
    """Two parameters with gradients and one without."""
    ps = [t.tensor(a, requires_grad=True) for a in (np.arange(3.0), np.ones((2, 2)), np.ones(1))]
    ((ps[0] ** 2).sum() * 3 + (ps[1] * 5).sum()).backward()
    return ps


@pytest.mark.parametrize("order", [1.0, 2.0, 3.0, math.inf])
@pytest.mark.parametrize("max_norm", [0.5, 1e6])
def test_clipping_the_norm_agrees_with_pytorch(order, max_norm):
    norms, grads = [], []
    for t in (nnlib, torch):
        ps = gradients(t)
        norms.append(t.nn.utils.clip_grad_norm_(ps, max_norm, order).item())
        grads.append([p.grad.numpy() for p in ps if p.grad is not None])
    assert norms[0] == pytest.approx(norms[1])
    for a, b in zip(*grads, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9)


def test_clipping_values_agrees_with_pytorch_and_a_norm_of_nan_is_refused_if_asked():
    grads = []
    for t in (nnlib, torch):
        ps = gradients(t)
        t.nn.utils.clip_grad_value_(ps, 2.0)
        grads.append([p.grad.numpy() for p in ps if p.grad is not None])
        ps[0].grad[0] = math.nan
        with pytest.raises(RuntimeError, match="non-finite"):
            t.nn.utils.clip_grad_norm_(ps, 1.0, error_if_nonfinite=True)
    for a, b in zip(*grads, strict=True):
        np.testing.assert_array_equal(a, b)
    assert utils.clip_grad_norm_([nnlib.ones(2, requires_grad=True)], 1.0).item() == 0


def test_parameters_are_copied_into_a_vector_and_back():
    net = nnlib.nn.Linear(3, 2)
    vector = utils.parameters_to_vector(net.parameters())
    theirs = torch.nn.utils.parameters_to_vector(
        [torch.tensor(p.detach().numpy()) for p in net.parameters()]
    )
    np.testing.assert_array_equal(vector.detach().numpy(), theirs.numpy())
    utils.vector_to_parameters(vector.detach() * 2, net.parameters())
    restored = utils.parameters_to_vector(net.parameters())
    np.testing.assert_array_equal(restored.detach().numpy(), 2 * theirs.numpy())

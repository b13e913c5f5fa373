"""Layers and losses compared with PyTorch's, from the same weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import nnlib
from tests.nnlib.comparisons import trained_alike

RNG = np.random.default_rng(5)
LOGITS, CLASS_LOGITS = RNG.normal(size=12), RNG.normal(size=(6, 4)) * 3
BITS, CLASSES = (RNG.random(12) > 0.5).astype(float), RNG.integers(0, 4, 6)

LOSSES = {
    "mse_loss": (LOGITS, BITS),
    "binary_cross_entropy": (1 / (1 + np.exp(-LOGITS)), BITS),
    "binary_cross_entropy_with_logits": (LOGITS, BITS),
    "cross_entropy": (CLASS_LOGITS, CLASSES),
}


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_and_its_gradient_agree_with_pytorch(name, reduction):
    results = []
    for t in (nnlib, torch):
        x = t.tensor(LOSSES[name][0], requires_grad=True)
        loss = getattr(t.nn.functional, name)(x, t.tensor(LOSSES[name][1]), reduction=reduction)
        loss.sum().backward()
        results.append((loss.detach().numpy(), x.grad.numpy()))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("z", [1000.0, -1000.0])
def test_cross_entropy_of_logits_never_overflows(z):
    for y in (0.0, 1.0):
        x = nnlib.tensor([z], requires_grad=True)
        loss = nnlib.nn.functional.binary_cross_entropy_with_logits(x, nnlib.tensor([y]))
        loss.backward()
        assert loss.item() == (1000.0 if (z > 0) != (y == 1) else 0.0)
        assert np.isfinite(x.grad.numpy()).all()


def network(t):
    return t.nn.Sequential(t.nn.Linear(4, 5), t.nn.Tanh(), t.nn.Linear(5, 3, bias=False))


def test_a_network_trains_step_by_step_as_in_pytorch():
    x, y = RNG.normal(size=(20, 4)).astype(np.float32), RNG.integers(0, 3, 20)

    def loss(t, net):
        return t.nn.CrossEntropyLoss()(net(t.tensor(x)), t.tensor(y))

    trained_alike(network(nnlib), network(torch), loss, steps=20, lr=0.5, momentum=0.9)


def test_a_module_prints_and_names_its_parameters_as_in_pytorch():
    ours, theirs = network(nnlib), network(torch)
    assert repr(ours) == repr(theirs)
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]


def test_a_state_with_other_names_or_shapes_is_refused_with_those_names():
    net = network(nnlib)
    state = net.state_dict()
    state["3.weight"] = state.pop("0.bias")
    state["2.weight"] = nnlib.zeros(2, 2)
    with pytest.raises(RuntimeError, match=r"0\.bias.*3\.weight.*2\.weight"):
        net.load_state_dict(state)


def test_a_class_out_of_range_and_shapes_that_would_broadcast_are_refused():
    f = nnlib.nn.functional
    with pytest.raises(IndexError, match="Target 4 is out of bounds"):
        f.cross_entropy(nnlib.zeros(1, 4), nnlib.tensor([4]))
    with pytest.raises(ValueError, match="all pairs"):
        f.mse_loss(nnlib.zeros(3, 1), nnlib.zeros(3))
    with pytest.raises(RuntimeError, match="logits"):
        f.binary_cross_entropy(nnlib.tensor([2.0]), nnlib.tensor([1.0]))

"""Assertions that a function, a refusal and a training run are the same in nnlib and PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import nnlib


def uniform(shape, low=-3.0, high=3.0, seed=0):
    return np.random.default_rng(seed).uniform(low, high, shape)


def refused_alike(program):
    """Asserts that both libraries raise the same type of error, nnlib with a message."""
    with pytest.raises((RuntimeError, TypeError, IndexError, ValueError)) as theirs:
        program(torch)
    with pytest.raises(theirs.type) as ours:
        program(nnlib)
    assert len(str(ours.value)) > 20


def trained_alike(ours, theirs, loss, steps=12, **sgd):
    """Asserts that SGD from equal weights gives both modules the same losses, which fall."""
    ours.load_state_dict({k: nnlib.tensor(v.numpy()) for k, v in theirs.state_dict().items()})
    runs = []
    for t, module in ((nnlib, ours), (torch, theirs)):
        optimizer = t.optim.SGD(module.parameters(), **sgd)
        run = []
        for _ in range(steps):
            value = loss(t, module)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            run.append(value.item())
        runs.append(run)
    np.testing.assert_allclose(*runs, rtol=1e-4)
    assert runs[0][-1] < runs[0][0]


def agree(function, *arrays, second=True):
    """Asserts that both libraries give the same result, gradients and second gradients."""
    ours = [nnlib.tensor(a, requires_grad=True) for a in arrays]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    a, b = function(nnlib, *ours), function(torch, *theirs)
    assert tuple(a.shape) == tuple(b.shape)
    assert a.dtype.name == str(b.dtype).split(".")[1]
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-9, atol=1e-12)
    weights = uniform(tuple(b.shape), seed=7)
    ga = nnlib.autograd.grad(
        (a * nnlib.tensor(weights)).sum(), ours, create_graph=second, materialize_grads=True
    )
    gb = torch.autograd.grad(
        (b * torch.tensor(weights)).sum(), theirs, create_graph=second, materialize_grads=True
    )
    for x, y in zip(ga, gb, strict=True):
        np.testing.assert_allclose(x.detach().numpy(), y.detach().numpy(), rtol=1e-8, atol=1e-10)
    if second and all(y.requires_grad for y in gb):
        # The zero term gives the loss a graph even if the gradients are constant (as relu's are).
        la = sum(((x * x).sum() for x in ga), sum((x * 0.0).sum() for x in ours))
        lb = sum(((y * y).sum() for y in gb), sum((y * 0.0).sum() for y in theirs))
        ha = nnlib.autograd.grad(la, ours, materialize_grads=True)
        hb = torch.autograd.grad(lb, theirs, materialize_grads=True)
        for x, y in zip(ha, hb, strict=True):
            np.testing.assert_allclose(x.numpy(), y.numpy(force=True), rtol=1e-7, atol=1e-9)

"""Optimisers against PyTorch's, over several steps from the same state."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import nnlib

RULES = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.1, "momentum": 0.5, "dampening": 0.3}),
    ("SGD", {"lr": 0.01, "maximize": True}),
    ("Adam", {"lr": 0.05}),
    ("Adam", {"lr": 0.05, "weight_decay": 0.1, "betas": (0.8, 0.95)}),
    ("AdamW", {"lr": 0.05}),
]


def run(library, rule, options):
    rng = np.random.default_rng(3)
    x, y = library.tensor(rng.normal(size=(10, 3))), library.tensor(rng.normal(size=10))
    w = library.zeros(3, dtype=library.float64, requires_grad=True)
    b = library.tensor(0.5, dtype=library.float64, requires_grad=True)
    optimizer = getattr(library.optim, rule)([w, b], **options)
    for _ in range(8):
        optimizer.zero_grad()
        ((x @ w + b - y) ** 2).mean().backward()
        optimizer.step()
    return np.append(w.detach().numpy(), b.item())


@pytest.mark.parametrize(("rule", "options"), RULES)
def test_eight_steps_end_where_pytorchs_do(rule, options):
    np.testing.assert_allclose(run(nnlib, rule, options), run(torch, rule, options), rtol=1e-10)


@pytest.mark.parametrize(
    "bad",
    [
        lambda t: t.optim.SGD([], lr=0.1),
        lambda t: t.optim.SGD(t.ones(2, requires_grad=True), lr=0.1),
        lambda t: t.optim.SGD([t.ones(2, requires_grad=True) * 2], lr=0.1),
        lambda t: t.optim.SGD([1.0], lr=0.1),
        lambda t: t.optim.SGD([t.ones(2, requires_grad=True)], lr=-1.0),
        lambda t: t.optim.SGD([t.ones(2, requires_grad=True)], lr=0.1, nesterov=True),
        lambda t: t.optim.Adam([t.ones(2, requires_grad=True)], betas=(1.5, 0.9)),
    ],
)
def test_bad_arguments_are_refused_with_pytorchs_kind_of_error(bad):
    with pytest.raises((ValueError, TypeError)) as theirs:
        bad(torch)
    with pytest.raises(theirs.type):
        bad(nnlib)

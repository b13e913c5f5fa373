"""Optimisers compared with PyTorch's, over several steps from the same state."""

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
    ("AdamW", {"lr": 0.05, "maximize": True, "weight_decay": 0.2}),
    ("RMSprop", {"lr": 0.02}),
    ("RMSprop", {"lr": 0.02, "centered": True, "momentum": 0.8, "weight_decay": 0.01}),
    ("Adagrad", {"lr": 0.1}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.5}),
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
def test_eight_steps_agree_with_pytorch(rule, options):
    np.testing.assert_allclose(run(nnlib, rule, options), run(torch, rule, options), rtol=1e-10)


@pytest.mark.parametrize(("rule", "options"), RULES)
def test_the_pure_rule_takes_the_same_steps_as_the_class(rule, options):
    pure = getattr(nnlib.optim.functional, rule.lower())(**options)
    start = {"a": nnlib.tensor([0.5, -2.0], dtype=nnlib.float64), "b": [nnlib.tensor(3.0)]}
    leaves = [p.clone().requires_grad_() for p in (start["a"], start["b"][0])]
    optimizer = getattr(nnlib.optim, rule)(leaves, **options)
    params, state = start, pure.init(start)
    gradient = nnlib.func.grad(lambda p: (p["a"] ** 4).sum() * 0.1 + p["b"][0].cos())
    for _ in range(8):
        optimizer.zero_grad()
        ((leaves[0] ** 4).sum() * 0.1 + leaves[1].cos()).backward()
        optimizer.step()
        params, state = pure.update(params, gradient(params), state)
    for ours, theirs in zip((params["a"], params["b"][0]), leaves):
        assert ours.dtype == theirs.dtype and not ours.requires_grad
        np.testing.assert_allclose(ours.numpy(), theirs.detach().numpy(), rtol=2e-6)


def test_a_pure_rule_takes_another_rate_and_refuses_gradients_of_another_structure():
    rule, w = nnlib.optim.functional.sgd(lr=0.1), nnlib.tensor([1.0])
    assert rule.update(w, w, rule.init(w), lr=nnlib.tensor(0.5))[0].item() == 0.5
    with pytest.raises(ValueError, match="same structure"):
        rule.update(w, [w], rule.init(w))


def test_a_step_in_a_traced_function_is_refused_with_an_alternative():
    def step(w):
        nnlib.optim.SGD([w.detach().requires_grad_()], lr=0.1).step()
        return w

    with pytest.raises(nnlib.graph.GraphError, match="pure functions"):
        nnlib.graph.trace(step, w=nnlib.ones(2))


def two_groups(t, rule, **options):
    a = t.tensor([1.0, 2.0], dtype=t.float64, requires_grad=True)
    b = t.tensor(3.0, dtype=t.float64, requires_grad=True)
    groups = [{"params": [a]}, {"params": b, "lr": 0.5}]
    return rule(groups, **{"lr": 0.1, **options}), a, b


def descend(optimizer, a, b, steps=3):
    def closure():
        optimizer.zero_grad()
        loss = (a * a).sum() * b * b
        loss.backward()
        return loss

    for _ in range(steps):
        loss = optimizer.step(closure)
    return [*a.tolist(), b.item(), loss.item()]


@pytest.mark.parametrize("rule", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
def test_parameter_groups_have_their_own_settings(rule):
    results = []
    for t in (nnlib, torch):
        optimizer, a, b = two_groups(t, getattr(t.optim, rule), lr=0.01)
        first = descend(optimizer, a, b)
        optimizer.param_groups[1]["lr"] = 0.001
        c = t.ones(1, requires_grad=True)
        optimizer.add_param_group({"params": [c]})
        c.grad = t.ones(1)
        results.append([*first, *descend(optimizer, a, b)])
        assert [g["lr"] for g in optimizer.param_groups] == [0.01, 0.001, 0.01]
    np.testing.assert_allclose(results[0], results[1], rtol=1e-7)


@pytest.mark.parametrize(
    ("rule", "options"),
    [("SGD", {"momentum": 0.9}), ("Adam", {}), ("RMSprop", {"momentum": 0.5}), ("Adagrad", {})],
)
def test_a_loaded_state_dict_continues_where_the_optimizer_stopped(rule, options):
    optimizer, a, b = two_groups(nnlib, getattr(nnlib.optim, rule), lr=0.01, **options)
    descend(optimizer, a, b)
    theirs, ta, tb = two_groups(torch, getattr(torch.optim, rule), lr=0.01, **options)
    descend(theirs, ta, tb)
    saved, their_saved = optimizer.state_dict(), theirs.state_dict()
    for index, state in their_saved["state"].items():  # the same names and values as PyTorch's
        ours = saved["state"][index]
        assert set(ours) == {k for k, v in state.items() if v is not None}
        for name, value in ours.items():
            np.testing.assert_allclose(value.tolist(), state[name].tolist(), rtol=1e-7)
    loaded, a2, b2 = two_groups(nnlib, getattr(nnlib.optim, rule), lr=0.9, **options)
    a2.data, b2.data = a.detach().clone(), b.detach().clone()
    loaded.load_state_dict(saved)
    assert descend(loaded, a2, b2) == descend(optimizer, a, b)


def test_backward_through_weights_that_a_step_changed_is_refused():
    w = nnlib.ones(2, requires_grad=True)
    loss = (w * w).sum()
    w.grad = nnlib.ones(2)
    nnlib.optim.SGD([w], lr=0.1).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize(
    "call",
    [
        lambda t: t.optim.SGD([], lr=0.1),
        lambda t: t.optim.SGD(t.ones(2, requires_grad=True), lr=0.1),
        lambda t: t.optim.SGD([t.ones(2, requires_grad=True) * 2], lr=0.1),
        lambda t: t.optim.SGD([1.0], lr=0.1),
        lambda t: t.optim.SGD([t.ones(2, requires_grad=True)], lr=-1.0),
        lambda t: t.optim.SGD([t.ones(2, requires_grad=True)], lr=0.1, nesterov=True),
        lambda t: t.optim.Adam([t.ones(2, requires_grad=True)], betas=(1.5, 0.9)),
        lambda t: t.optim.RMSprop([t.ones(2, requires_grad=True)], alpha=-1),
        lambda t: two_groups(t, t.optim.SGD)[0].add_param_group([1]),
        lambda t: two_groups(t, t.optim.SGD)[0].load_state_dict(
            {"state": {}, "param_groups": [{"params": [0]}]}
        ),
        lambda t: two_groups(t, t.optim.SGD)[0].load_state_dict(
            {"state": {}, "param_groups": [{"params": [0, 1]}, {"params": []}]}
        ),
    ],
)
def test_bad_arguments_are_refused_with_pytorchs_type_of_error(call):
    with pytest.raises((ValueError, TypeError)) as theirs:
        call(torch)
    with pytest.raises(theirs.type):
        call(nnlib)

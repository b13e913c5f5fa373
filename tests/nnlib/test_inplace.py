"""Changes in place: written through views, recorded, traced, and refused where PyTorch refuses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import nnlib
from nnlib.graph import trace
from tests.nnlib.comparisons import agree, refused_alike, uniform


def both(program, *arrays, gradients=True):
    """Asserts that a program with in-place changes gives the same result and gradients in both."""
    outs = []
    for t in (nnlib, torch):
        leaves = [t.tensor(a, requires_grad=gradients) for a in arrays]
        result = program(t, *leaves)
        if gradients:
            (result * t.tensor(uniform(tuple(result.shape), seed=4))).sum().backward()
        grads = [x.grad.tolist() if x.grad is not None else None for x in leaves]
        outs.append((result.tolist(), grads))
    (a, ga), (b, gb) = outs
    np.testing.assert_allclose(a, b, rtol=1e-9)
    for x, y in zip(ga, gb, strict=True):
        assert (x is None) == (y is None)
        if x is not None:
            np.testing.assert_allclose(x, y, rtol=1e-8, atol=1e-12)


def _then(change):
    def program(t, x, y):
        h = x * 2
        change(t, h, y)
        return h * h

    return program


CHANGES = {
    "add_": lambda t, h, y: h.add_(y, alpha=3),
    "sub_": lambda t, h, y: h.sub_(y),
    "mul_": lambda t, h, y: h.mul_(y),
    "div_": lambda t, h, y: h.div_(y + 5),
    "pow_": lambda t, h, y: h.pow_(2),
    "exp_": lambda t, h, y: h.exp_(),
    "sigmoid_": lambda t, h, y: h.sigmoid_(),
    "tanh_": lambda t, h, y: h.tanh_(),
    "relu_": lambda t, h, y: h.relu_(),
    "sqrt_": lambda t, h, y: h.abs_().add_(1).sqrt_(),
    "neg_": lambda t, h, y: h.neg_(),
    "clamp_": lambda t, h, y: h.clamp_(-1, 1),
    "lerp_": lambda t, h, y: h.lerp_(y, 0.25),
    "zero_": lambda t, h, y: h.zero_(),
    "fill_": lambda t, h, y: h.fill_(y[0, 0]),
    "copy_": lambda t, h, y: h.copy_(y[0]),
    "masked_fill_": lambda t, h, y: h.masked_fill_(y > 0, 3.0),
    "scatter_": lambda t, h, y: h.scatter_(1, t.tensor([[1], [0], [2]]), y[:, :1]),
    "scatter_add_": lambda t, h, y: h.scatter_add_(1, t.tensor([[1, 1], [0, 2]]), y[:2, :2]),
    "index_add_": lambda t, h, y: h.index_add_(0, t.tensor([2, 2]), y[:2]),
    "an element": lambda t, h, y: h.__setitem__((1, 2), y[0, 0]),
    "a row": lambda t, h, y: h.__setitem__(1, y[2]),
    "a column": lambda t, h, y: h.__setitem__((slice(None), -1), y[0, :3]),
    "a stepped slice": lambda t, h, y: h.__setitem__((slice(0, None, 2), slice(1, 3)), y[:2, :2]),
    "a number": lambda t, h, y: h.__setitem__((..., 0), 7),
    "everything": lambda t, h, y: h.__setitem__(slice(None), y * 2),
    "a new dimension": lambda t, h, y: h.__setitem__((None, 1), y[1]),
    "a mask and a number": lambda t, h, y: h.__setitem__(y > 0, -1.0),
    "a mask and values": lambda t, h, y: h.__setitem__(y > 0, y[y > 0] * 2),
    "an index tensor": lambda t, h, y: h.__setitem__(t.tensor([2, 0]), y[:2]),
    "two index tensors": lambda t, h, y: h.__setitem__(
        (t.tensor([0, 1, 2]), t.tensor([3, -1, 0])), y[0, :3]
    ),
    "a list": lambda t, h, y: h.__setitem__([0, 2], y[0]),
    "rows through a view": lambda t, h, y: h[1].mul_(y[0]),
    "a slice through two views": lambda t, h, y: h.T[1:][:, 0].add_(y[0, 0]),
    "an element through a view": lambda t, h, y: h[1][2].add_(y[0, 1]),
    "a reshaped view": lambda t, h, y: h.view(2, 6)[1].exp_(),
    "augmented item": lambda t, h, y: _augmented(h, y),
}  # fmt: skip


def _augmented(h, y):
    h[0] += y[1] * 3
    h[1, 1] *= 2
    h[:, 0] -= y[:3, 1]


@pytest.mark.parametrize("name", CHANGES)
def test_a_recorded_change_has_pytorchs_value_and_gradient(name):
    both(_then(CHANGES[name]), uniform((3, 4), seed=1), uniform((3, 4), seed=2))


@pytest.mark.parametrize("name", CHANGES)
def test_an_unrecorded_change_writes_the_same_values(name):
    both(_then(CHANGES[name]), uniform((3, 4), seed=1), uniform((3, 4), seed=2), gradients=False)


# The shape of what "a mask and values" writes depends on values, so it cannot be traced.
@pytest.mark.parametrize("name", [n for n in CHANGES if n != "a mask and values"])
def test_a_traced_change_is_replayed_on_other_inputs(name):
    def program(x, y):
        return _then(CHANGES[name])(nnlib, x, y)

    graph = trace(program, x=uniform((3, 4), seed=1), y=uniform((3, 4), seed=2))
    x, y = uniform((3, 4), seed=11), uniform((3, 4), seed=12)
    expected = program(nnlib.tensor(x), nnlib.tensor(y)).numpy()
    np.testing.assert_allclose(graph.run(x=x, y=y)["output"], expected, rtol=1e-12)


def test_a_traced_index_may_change():
    def program(x, i):
        h = x * 1
        h[i] = h[i] * 10
        return h

    graph = trace(program, x=uniform((4,)), i=np.array([0, 2]))
    out = graph.run(x=np.ones(4), i=np.array([3, 1]))["output"]
    np.testing.assert_array_equal(out, [1, 10, 1, 10])


def test_a_traced_mask_is_refused_if_it_determines_a_shape():
    with pytest.raises(ValueError, match="mask"):
        trace(lambda x: x[x > 0].sum(), x=uniform((4,)))


KEYS = st.sampled_from(
    [0, -1, (0, 1), (slice(1, 3),), (slice(None), 2), (slice(None, None, 2), slice(1, None)),
     (..., 1), (None, 0), ([0, 2],), (slice(None), [1, 0, 3]), ([0, 2], [1, 1])]
)  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(
    key=KEYS, dtype=st.sampled_from(["float32", "float64", "int64", "bool"]), number=st.booleans()
)
def test_writing_by_a_key_agrees_with_pytorch(key, dtype, number):
    outs = []
    for t in (nnlib, torch):
        x = t.tensor((uniform((3, 4)) * 5).astype(dtype))
        x[key] = 2 if number else x[key] * 1 if dtype != "bool" else ~x[key]
        outs.append(x.tolist())
    assert outs[0] == outs[1]


def test_a_view_shares_memory_whatever_writes_to_it():
    x = nnlib.zeros(2, 3)
    x[1].fill_(2.0)
    x.T[0, 0] = 5
    x.view(6)[2:4] += 1
    x.detach()[0, 1] = 7
    np.testing.assert_array_equal(x.numpy(), [[5, 7, 1], [3, 2, 2]])


def test_a_view_made_before_a_change_of_its_base_has_the_history_of_the_change():
    def program(t):
        x = t.tensor([1.0, 2.0, 3.0], requires_grad=True)
        y = x * 2
        old, older = y[1:], y.view(3, 1)[2]
        y.mul_(5)
        (old * old + older * 3).sum().backward()
        return x.grad

    np.testing.assert_allclose(program(nnlib).numpy(), program(torch).numpy())


def test_a_view_used_before_a_change_of_its_base_keeps_its_gradient():
    leaf = nnlib.ones(3, requires_grad=True)
    x = leaf * 2
    earlier = (x[1:] + 0.0).sum()
    x.mul_(3)
    (earlier + x.sum()).backward()
    np.testing.assert_array_equal(leaf.grad.numpy(), [6, 8, 8])


SAVED = ["sum", "mean", "reshape", "cumsum", "double", "cat", "flip", "expand"]


@pytest.mark.parametrize("name", SAVED)
def test_a_function_whose_gradient_needs_no_values_allows_later_changes_as_in_pytorch(name):
    calls = {
        "sum": lambda t, h: h.sum(0), "mean": lambda t, h: h.mean(),
        "cumsum": lambda t, h: h.cumsum(0),
        "reshape": lambda t, h: h.reshape(4, 3) * 1, "double": lambda t, h: h.float() * 1.0,
        "cat": lambda t, h: t.cat([h, h]), "flip": lambda t, h: t.flip(h, (0,)),
        "expand": lambda t, h: h[:, :1].expand(3, 5) * 1,
    }  # fmt: skip

    def program(t, x):
        h = x * 2
        out = calls[name](t, h)
        h.add_(1.0)
        return out.double()

    both(program, uniform((3, 4)))


@pytest.mark.parametrize("f", ["exp", "sigmoid", "tanh", "sqrt", "softmax", "amax"])
def test_backward_refuses_a_changed_result_as_in_pytorch(f):
    for t in (nnlib, torch):
        x = t.ones(3, requires_grad=True) * 2
        y = getattr(t, f)(x, 0, keepdim=True) if f == "amax" else (
            t.softmax(x, 0) if f == "softmax" else getattr(t, f)(x)
        )  # fmt: skip
        y.add_(1.0)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.sum().backward()


REFUSED = {
    "a leaf": lambda t: t.ones(2, requires_grad=True).mul_(2),
    "an element of a leaf": lambda t: t.ones(2, requires_grad=True).__setitem__(0, 1.0),
    "a view of a leaf": lambda t: t.ones(2, requires_grad=True)[0].mul_(2),
    "a result of another shape": lambda t: t.ones(1).mul_(t.ones(2)),
    "a float into integers": lambda t: t.tensor([1]).mul_(0.5),
    "a number into booleans": lambda t: t.tensor([True]).add_(1),
    "exp of integers": lambda t: t.tensor([1]).exp_(),
    "an expanded tensor": lambda t: t.ones(1).expand(3).add_(1),
    "a value that does not fit": lambda t: t.ones(3).__setitem__(slice(0, 2), t.ones(3)),
    "a list as value": lambda t: t.ones(3).__setitem__(0, [1.0]),
    "out of range": lambda t: t.ones(3).__setitem__(3, 1.0),
    "an index of another dtype": lambda t: t.ones(3).__setitem__(
        t.tensor([0]), t.ones(1).double()
    ),
    "fill_ by a vector": lambda t: t.ones(3).fill_(t.ones(3)),
    "normal_ with a negative std": lambda t: t.ones(3).normal_(0, -1),
    "uniform_ with its bounds swapped": lambda t: t.ones(3).uniform_(1, 0),
    "data of another dtype": lambda t: setattr(
        t.ones(3, requires_grad=True), "data", t.tensor([1])
    ),
    "grad of another dtype": lambda t: setattr(
        t.ones(3, requires_grad=True), "grad", t.ones(3).double()
    ),
    "grad of another shape": lambda t: setattr(t.ones(3, requires_grad=True), "grad", t.ones(2)),
    "grad that is not a tensor": lambda t: setattr(t.ones(3, requires_grad=True), "grad", 1.0),
    "detaching a view": lambda t: (t.ones(3, requires_grad=True) * 2)[0].detach_(),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_change_is_refused_with_pytorchs_type_of_error(case):
    refused_alike(REFUSED[case])


def test_a_parameter_is_changed_under_no_grad_and_stays_a_leaf():
    w = nnlib.ones(2, requires_grad=True)
    with nnlib.no_grad():
        w -= 0.5
        w[0] = 3
        w.clamp_(max=2)
    assert w.requires_grad and w.is_leaf
    assert w.tolist() == [2.0, 0.5]


def test_under_no_grad_a_recorded_tensor_keeps_its_history():
    for t in (nnlib, torch):
        x = t.ones(2, requires_grad=True)
        y = x * 2
        with t.no_grad():
            y.add_(1)
        assert y.requires_grad
        y.sum().backward()
        assert x.grad.tolist() == [2, 2]


def test_other_memory_can_be_assigned_to_data():
    w = nnlib.ones(2, requires_grad=True)
    other = nnlib.zeros(3)
    w.data = other
    other[0] = 4
    assert w.tolist() == [4, 0, 0] and w.requires_grad
    w.data += 1
    assert other.tolist() == [5, 1, 1]


def test_in_place_random_numbers_follow_their_distribution():
    nnlib.manual_seed(1)
    x = nnlib.empty(20_000)
    assert abs(x.normal_(2, 0.5).mean().item() - 2) < 0.02
    x.uniform_(-1, 3)
    assert x.min().item() >= -1 and x.max().item() < 3 and abs(x.mean().item() - 1) < 0.05
    assert abs(x.bernoulli_(0.2).mean().item() - 0.2) < 0.02


def test_a_recurrence_written_into_a_tensor_agrees():
    def program(t, x):
        out = t.zeros(5, 3, dtype=t.float64)
        h = t.zeros(3, dtype=t.float64)
        for step in range(5):
            h = t.tanh(h + x[step])
            out[step] = h
        return out

    agree(program, uniform((5, 3)))

"""The backward pass: long chains, memory, in-place changes, hooks, and which calls are refused."""

from __future__ import annotations

import numpy as np
import pytest

import nnlib
from nnlib import record


def test_backward_follows_a_chain_of_100_000_nodes():
    x = nnlib.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + 1.0
    y.backward()
    assert x.grad.item() == 1.0


def test_a_value_used_twice_gets_the_sum_of_both_gradients():
    a = nnlib.tensor(3.0, requires_grad=True)
    b = a + a
    (b + b).backward()
    assert a.grad.item() == 4.0


def test_a_second_backward_through_a_freed_graph_is_refused():
    x = nnlib.tensor(2.0, requires_grad=True)
    y = x * x
    y.backward()
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_retain_graph_allows_a_second_backward_whose_gradients_are_added():
    x = nnlib.tensor(2.0, requires_grad=True)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 8.0


def test_a_saved_tensor_changed_in_place_is_caught_and_named():
    x = nnlib.ones(3, requires_grad=True)
    y = x * 2
    z = y * y
    y.add_(1.0)
    with pytest.raises(RuntimeError, match="mul saved a tensor"):
        z.sum().backward()


def test_an_in_place_change_that_no_gradient_needs_is_differentiated_through():
    x = nnlib.ones(3, requires_grad=True)
    y = x * 2
    y.mul_(3.0)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [6, 6, 6])


def test_two_leaves_never_share_the_memory_of_their_gradients():
    a, b = nnlib.ones(2, requires_grad=True), nnlib.ones(2, requires_grad=True)
    (a + b).sum().backward()
    a.grad.zero_()
    np.testing.assert_array_equal(b.grad.numpy(), [1, 1])


def test_a_write_to_an_element_changes_its_tensor():
    w = nnlib.zeros(2, 3)
    w[1, 2].fill_(5.0)
    w[0].add_(1.0)
    np.testing.assert_array_equal(w.numpy(), [[1, 1, 1], [0, 0, 5]])


def test_no_grad_records_nothing():
    x = nnlib.tensor(2.0, requires_grad=True)
    with nnlib.no_grad():
        y = x * x
    assert not y.requires_grad

    @nnlib.no_grad()
    def f(x):
        return x * x

    assert not f(x).requires_grad
    assert nnlib.is_grad_enabled()


def test_a_hook_receives_and_may_replace_the_gradient():
    x = nnlib.tensor(2.0, requires_grad=True)
    handle = x.register_hook(lambda g: g * 10)
    (x * x).backward()
    assert x.grad.item() == 40.0
    handle.remove()
    x.grad = None
    (x * x).backward()
    assert x.grad.item() == 4.0


def test_retain_grad_keeps_the_gradient_of_an_inner_node():
    x = nnlib.tensor(2.0, requires_grad=True)
    y = x * x
    y.retain_grad()
    (y * 3).backward()
    assert y.grad.item() == 3.0


def test_detect_anomaly_names_the_operation_that_made_the_first_nan():
    x = nnlib.tensor(0.0, requires_grad=True)
    with nnlib.autograd.detect_anomaly():
        y = (x / x).exp()
        with pytest.raises(RuntimeError, match=r"first nan of the forward .* produced by 'div'"):
            y.backward()


@pytest.mark.parametrize("product", [lambda a, b: a * b, lambda a, b: b * a])
def test_detect_anomaly_names_the_first_of_several_operations_that_made_a_nan(product):
    x = nnlib.tensor(-1.0, requires_grad=True)
    with nnlib.autograd.detect_anomaly():
        first, second = x.sqrt(), x.log()
        with pytest.raises(RuntimeError, match=r"first nan of the forward .* produced by 'sqrt'"):
            product(first, second).backward()


def test_the_gradient_of_float32_is_float32():
    x = nnlib.ones(3, requires_grad=True)
    (x.sigmoid() * 2.0 + x.exp() / 3).mean().backward()
    assert x.grad.dtype is nnlib.float32


def test_gradients_of_gradients_are_right_to_the_third_order():
    x = nnlib.tensor(2.0, dtype=nnlib.float64, requires_grad=True)
    y = x**4
    for expected in (32.0, 48.0, 48.0):
        (y,) = nnlib.autograd.grad(y, x, create_graph=True)
        assert y.item() == pytest.approx(expected)


@pytest.mark.parametrize("value", [1000.0, -1000.0])
def test_sigmoid_of_large_numbers_is_0_or_1_with_gradient_0_and_no_warning(value, recwarn):
    x = nnlib.tensor(value, requires_grad=True)
    y = x.sigmoid()
    y.backward()
    assert y.item() == (value > 0)
    assert x.grad.item() == 0.0
    assert not recwarn.list


def test_every_primitive_belongs_to_a_family():
    families = {"elementwise", "reduce", "shape", "linalg", "index", "window", "fused"}
    assert {p.family for p in record.Primitive.registry.values()} <= families

"""Custom functions, Jacobians and Hessians, hooks and gradient checks, compared with PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import nnlib
from nnlib.graph import trace
from tests.nnlib.comparisons import agree, uniform


def cube(t):
    class Cube(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, scale):
            ctx.save_for_backward(x)
            ctx.scale = scale
            return x**3 * scale

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 3 * x**2 * ctx.scale, None

    return Cube


def two_results(t):
    class Polar(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            r = (x * x + y * y).sqrt()
            ctx.save_for_backward(x, y, r)
            return r, t.atan2(y, x)

        @staticmethod
        def backward(ctx, gr, ga):
            x, y, r = ctx.saved_tensors
            assert ctx.needs_input_grad == (True, True)
            return gr * x / r - ga * y / r**2, gr * y / r + ga * x / r**2

    return Polar


def with_setup(t):
    class Double(t.autograd.Function):
        @staticmethod
        def forward(x):
            return x * 2

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.shape = tuple(inputs[0].shape)

        @staticmethod
        def backward(ctx, g):
            return g * 2

    return Double


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_a_custom_function_has_first_and_second_derivatives(shape):
    agree(lambda t, x: cube(t).apply(x, 2.0).exp(), uniform(shape, -1, 1))
    agree(lambda t, x: with_setup(t).apply(x * x), uniform(shape))

    def polar(t, x, y):
        r, a = two_results(t).apply(x, y)
        return r * a + a

    agree(polar, uniform(shape, 0.5, 2), uniform(shape, 0.5, 2, seed=1))


def test_an_unused_result_of_a_custom_function_has_a_zero_gradient():
    agree(
        lambda t, x, y: two_results(t).apply(x, y)[1],
        uniform((3,), 1, 2),
        uniform((3,), 1, 2, seed=2),
    )


def test_a_custom_function_is_traced_with_its_gradient():
    graph = trace(
        lambda x: nnlib.autograd.grad(cube(nnlib).apply(x, 2.0).sum(), x)[0],
        x=nnlib.ones(3, requires_grad=True),
    )
    np.testing.assert_allclose(graph.run(x=np.array([1.0, 2.0, 3.0]))["output"], [6, 24, 54])


def test_without_recorded_inputs_a_custom_function_records_nothing():
    assert not cube(nnlib).apply(nnlib.ones(2), 1.0).requires_grad
    with nnlib.no_grad():
        assert not cube(nnlib).apply(nnlib.ones(2, requires_grad=True), 1.0).requires_grad


def wrong(t, gradients):
    class Wrong(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            return x * y

        @staticmethod
        def backward(ctx, g):
            return gradients(t, g)

    return Wrong.apply(t.ones(2, requires_grad=True), t.ones(2, requires_grad=True)).sum()


def saved_and_changed(t):
    x = t.ones(2, requires_grad=True) * 1
    y = cube(t).apply(x, 1.0)
    x.add_(1)
    return y.sum()


FUNCTION_ERRORS = {
    "too few gradients": lambda t: wrong(t, lambda t, g: g).backward(),
    "too many gradients": lambda t: wrong(t, lambda t, g: (g, g, g)).backward(),
    "a gradient of another shape": lambda t: wrong(t, lambda t, g: (t.ones(3), g)).backward(),
    "a number as a gradient": lambda t: wrong(t, lambda t, g: (1.0, g)).backward(),
    "a saved tensor that was changed": lambda t: saved_and_changed(t).backward(),
}


@pytest.mark.parametrize("case", FUNCTION_ERRORS)
def test_a_wrong_custom_function_raises_pytorchs_type_of_error(case):
    with pytest.raises((RuntimeError, TypeError)) as theirs:
        FUNCTION_ERRORS[case](torch)
    with pytest.raises(theirs.type):
        FUNCTION_ERRORS[case](nnlib)


def arrays(value):
    if isinstance(value, tuple):
        return [arrays(v) for v in value]
    return np.asarray(value.detach().numpy())


def same(a, b):
    if isinstance(a, list):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            same(x, y)
    else:
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def functional_and_tensor(t):
    """The library's functions of derivatives, and a function that creates a tensor."""

    def tensor(shape, seed=0):
        return t.tensor(uniform(shape, 0.5, 2, seed=seed))

    return t.autograd.functional, tensor


DERIVATIVES = {
    "jacobian": lambda F, x: F.jacobian(lambda a: (a * a).sum(0) * a, x((2, 3))),
    "jacobian of numbers": lambda F, x: F.jacobian(lambda a: a.exp(), x(())),
    "jacobian of two inputs": lambda F, x: F.jacobian(
        lambda a, b: (a * b).sum(1), (x((2, 3)), x((3,), 1))
    ),
    "jacobian of two outputs": lambda F, x: F.jacobian(lambda a: (a * 2, a.sum()), x((3,))),
    "jacobian of an unused input": lambda F, x: F.jacobian(lambda a, b: a * 2, (x((2,)), x((3,)))),
    "hessian": lambda F, x: F.hessian(lambda a: (a**3).sum() * a[0], x((3,))),
    "hessian of two inputs": lambda F, x: F.hessian(
        lambda a, b: (a * a * b).sum(), (x((2,)), x((2,), 1))
    ),
    "hessian of a linear function": lambda F, x: F.hessian(lambda a: a.sum(), x((2,))),
    "vjp": lambda F, x: F.vjp(lambda a: a.sin(), x((3,)), x((3,), 1)),
    "vjp of a number": lambda F, x: F.vjp(lambda a, b: (a * b).sum(), (x((3,)), x((3,), 1))),
    "jvp": lambda F, x: F.jvp(lambda a: (a * a).sum(1), x((2, 3)), x((2, 3), 1)),
    "jvp of two": lambda F, x: F.jvp(
        lambda a, b: (a * b, a.sum()), (x((2,)), x((2,), 1)), (x((2,), 2), x((2,), 3))
    ),
    "vhp": lambda F, x: F.vhp(lambda a: (a**3).sum() * a[1], x((3,)), x((3,), 1)),
    "hvp": lambda F, x: F.hvp(lambda a: (a**4).sum(), x((3,)), x((3,), 1)),
}


@pytest.mark.parametrize("name", DERIVATIVES)
def test_functional_derivatives_agree_with_pytorch(name):
    ours, theirs = (DERIVATIVES[name](*functional_and_tensor(t)) for t in (nnlib, torch))
    same(arrays(ours), arrays(theirs))


def test_a_jacobian_can_be_differentiated():
    for t in (nnlib, torch):
        x = t.tensor([1.0, 2.0], requires_grad=True)
        j = t.autograd.functional.jacobian(lambda a: a**3, x, create_graph=True)
        j.sum().backward()
        assert x.grad.tolist() == [6, 12]


REFUSED = {
    "hessian of a vector": lambda t: t.autograd.functional.hessian(lambda a: a * 2, t.ones(2)),
    "vjp without v": lambda t: t.autograd.functional.vjp(lambda a: a * 2, t.ones(2)),
    "vjp of another shape": lambda t: t.autograd.functional.vjp(
        lambda a: a * 2, t.ones(2), t.ones(3)
    ),
    "jacobian of a number": lambda t: t.autograd.functional.jacobian(lambda a: 2.0, t.ones(2)),
    "strict and independent": lambda t: t.autograd.functional.jacobian(
        lambda a: t.ones(2), t.ones(2), strict=True
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_use_is_refused_with_pytorchs_type_of_error(case):
    with pytest.raises((RuntimeError, TypeError)) as theirs:
        REFUSED[case](torch)
    with pytest.raises(theirs.type):
        REFUSED[case](nnlib)


def test_gradcheck_confirms_right_derivatives_and_names_wrong_ones():
    x = nnlib.tensor(uniform((2, 3)), requires_grad=True)
    y = nnlib.tensor(uniform((3,), seed=1), requires_grad=True)
    assert nnlib.autograd.gradcheck(lambda x, y: (x * y.exp(), x.sum()), (x, y))
    assert nnlib.autograd.gradgradcheck(lambda x, y: x**3 * y.exp(), (x, y))

    class Wrong(nnlib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * x

        @staticmethod
        def backward(ctx, g):
            return g

    with pytest.raises(RuntimeError, match="Jacobian mismatch for output 0 with respect to input"):
        nnlib.autograd.gradcheck(Wrong.apply, x)
    assert not nnlib.autograd.gradcheck(Wrong.apply, x, raise_exception=False)
    with pytest.raises(ValueError, match="requires_grad"):
        nnlib.autograd.gradcheck(lambda x: x, nnlib.ones(2))


def test_backward_for_some_inputs_leaves_the_others_alone():
    for t in (nnlib, torch):
        a, b = t.ones(2, requires_grad=True), t.ones(2, requires_grad=True)
        h = a * b
        (h * h).sum().backward(inputs=[a, h])
        assert a.grad.tolist() == [2, 2]
        assert b.grad is None
        assert h.grad.tolist() == [2, 2]


def test_hooks_run_in_order_and_may_be_removed_twice():
    for t in (nnlib, torch):
        calls = []
        x = t.ones(2, requires_grad=True)
        y = x * 3
        first = y.register_hook(lambda g: calls.append("first"))  # noqa: B023
        with y.register_hook(lambda g: g * 2):
            y.register_hook(lambda g: calls.append(g.tolist()))  # noqa: B023
            y.sum().backward(retain_graph=True)
        first.remove()
        first.remove()
        y.sum().backward()
        assert calls == ["first", [2, 2], [1, 1]]
        assert x.grad.tolist() == [9, 9]


def test_gradients_are_added_to_the_tensor_in_grad():
    for t in (nnlib, torch):
        x = t.ones(2, requires_grad=True)
        x.sum().backward()
        first = x.grad
        (x * x).sum().backward()
        assert x.grad is first
        assert first.tolist() == [3, 3]


def test_adding_to_a_gradient_that_was_saved_is_detected():
    for t in (nnlib, torch):
        x, w = t.ones(2, requires_grad=True), t.ones(2, requires_grad=True)
        x.sum().backward()
        product = (w * x.grad).sum()
        x.sum().backward()
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            product.backward()


@pytest.mark.parametrize("use", ["with", "decorator", "bare"])
def test_inference_mode_records_nothing(use):
    for t in (nnlib, torch):
        x = t.ones(2, requires_grad=True)
        if use == "with":
            with t.inference_mode():
                y = x * 2
        elif use == "decorator":
            y = t.inference_mode()(lambda: x * 2)()  # noqa: B023
        else:
            y = t.inference_mode(lambda: x * 2)()  # noqa: B023
        assert not y.requires_grad
        with t.inference_mode(False):
            assert (x * 2).requires_grad


def test_retains_grad_is_true_after_retain_grad():
    for t in (nnlib, torch):
        x = t.ones(2, requires_grad=True)
        y = x * 2
        assert not y.retains_grad
        y.retain_grad()
        assert y.retains_grad and not x.retains_grad
        y.sum().backward()
        assert y.grad.tolist() == [1, 1]

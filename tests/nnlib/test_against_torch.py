"""nnlib's primitives and functions compared with PyTorch: values, gradients, second gradients."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import nnlib
from nnlib.record import Primitive
from tests.nnlib.comparisons import agree, refused_alike, uniform

FLOATS = st.floats(-3, 3, allow_nan=False, width=32)

# Every elementwise primitive that has a public name, with its domain.
ELEMENTWISE = [
    p
    for p in Primitive.registry.values()
    if p.family == "elementwise" and p.differentiable and hasattr(torch, p.name)
    and hasattr(nnlib, p.name)
]  # fmt: skip
UNARY = {p.name: p.domain for p in ELEMENTWISE if p.arity == 1 and p.name not in ("clamp", "clone")}
UNARY |= {"square": (-3.0, 3.0), "reciprocal": (0.1, 3.0)}
BINARY = [p.name for p in ELEMENTWISE if p.arity == 2]
REDUCE = ["sum", "mean", "prod", "amax", "amin", "var", "std", "logsumexp"]
ALONG = ["softmax", "log_softmax", "cumsum", "cumprod"]


@pytest.mark.parametrize("name", UNARY)
def test_a_function_of_one_argument_agrees_with_pytorch(name):
    low, high = UNARY[name]
    for shape in [(), (3,), (2, 3)]:
        x = uniform(shape, low, high)
        agree(lambda t, x: getattr(t, name)(x), x)


@pytest.mark.parametrize("name", BINARY)
@settings(max_examples=20, deadline=None)
@given(shapes=hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3))
def test_a_function_of_two_arguments_broadcasts_as_in_pytorch(name, shapes):
    low = 0.2 if name in ("div", "pow", "remainder") else -3
    a, b = (uniform(s, low, 3, seed=i) for i, s in enumerate(shapes.input_shapes))
    agree(lambda t, a, b: getattr(t, name)(a, b), a, b)


@pytest.mark.parametrize("name", REDUCE)
@pytest.mark.parametrize("keepdim", [False, True])
def test_a_reduction_agrees_with_pytorch(name, keepdim):
    x = uniform((2, 3, 4))
    for dim in (0, -1, 1) if name == "prod" else (0, -1, (0, 2)):
        agree(lambda t, x: getattr(t, name)(x, dim, keepdim=keepdim), x)  # noqa: B023


def test_a_product_with_zeros_has_pytorchs_gradient():
    x = uniform((2, 4))
    x[0, 1] = x[1, 0] = x[1, 2] = 0.0
    agree(lambda t, x: t.prod(x, 1), x)
    agree(lambda t, x: t.cumprod(x, 1), x)


@pytest.mark.parametrize("name", ALONG)
def test_a_function_along_a_dimension_agrees_with_pytorch(name):
    for dim in (0, 1, -1):
        agree(lambda t, x: getattr(t, name)(x, dim), uniform((2, 3, 4)))  # noqa: B023


@pytest.mark.parametrize(
    "shapes",
    [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)),
     ((5, 2, 3), (5, 3, 4)), ((2, 3), (5, 3, 4)), ((3,), (5, 3, 4)), ((5, 2, 3), (3,)),
     ((2, 1, 2, 3), (5, 3, 4))],
)  # fmt: skip
def test_matmul_agrees_with_pytorch_in_every_rank(shapes):
    a, b = (uniform(s, seed=i) for i, s in enumerate(shapes))
    agree(lambda t, a, b: t.matmul(a, b), a, b)


SHAPED = {
    "reshape": lambda t, x: x.reshape(4, -1),
    "permute": lambda t, x: x.permute(2, 0, 1),
    "transpose": lambda t, x: x.transpose(0, -1),
    "flatten": lambda t, x: t.flatten(x, 1),
    "unsqueeze": lambda t, x: x.unsqueeze(-1),
    "expand": lambda t, x: x[:, :1].expand(2, 5, 4),
    "flip": lambda t, x: t.flip(x, (0, 2)),
    "cat": lambda t, x: t.cat([x, x * 2, x[:, :1]], 1),
    "stack": lambda t, x: t.stack([x, x * x], 1),
    "slice": lambda t, x: x[1:, ::2, 1],
    "none": lambda t, x: x[None, ..., 0],
    "index tensor": lambda t, x: x[:, t.tensor([0, 2, 0, -1])],
    "two index tensors": lambda t, x: x[t.tensor([0, 1, 1]), t.tensor([2, 0, 0])],
    "separated index tensors": lambda t, x: x[t.tensor([0, 1]), :, t.tensor([2, 0])],
    "mask": lambda t, x: x[x > 0],
    "max": lambda t, x: t.max(x, 1).values,
    "sort": lambda t, x: t.sort(x, 1, descending=True).values,
    "where": lambda t, x: t.where(x > 0, x * x, -x),
    "clamp": lambda t, x: t.clamp(x, -1, 1),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPED)
def test_moving_elements_agrees_with_pytorch(name):
    agree(SHAPED[name], uniform((2, 3, 4)))


DTYPES = ["float32", "float64", "int64", "int32", "bool"]


@pytest.mark.parametrize("a", DTYPES)
@pytest.mark.parametrize("b", [*DTYPES, "2", "2.5"])
@pytest.mark.parametrize("name", ["add", "mul", "div"])
def test_dtypes_mix_as_in_pytorch(a, b, name):
    def result(t):
        def ones(dtype, shape):
            return t.ones(shape, dtype=getattr(t, dtype))

        outs = []
        for shapes in [((2,), (2,)), ((2,), ()), ((), (2,))]:
            other = float(b) if b == "2.5" else int(b) if b == "2" else ones(b, shapes[1])
            outs.append(getattr(t, name)(ones(a, shapes[0]), other))
        return [str(o.dtype).split(".")[1] for o in outs]

    assert result(nnlib) == result(torch)


BAD = {
    "shapes that do not broadcast": lambda t: t.ones(3) + t.ones(4),
    "matmul of shapes that do not fit": lambda t: t.ones(2, 3) @ t.ones(2, 3),
    "matmul of two dtypes": lambda t: t.ones(2, 2) @ t.ones(2, 2).double(),
    "gradients of integers": lambda t: t.tensor([1, 2], requires_grad=True),
    "mean of integers": lambda t: t.tensor([1, 2]).mean(),
    "backward of a vector": lambda t: (t.ones(2, requires_grad=True) * 2).backward(),
    "backward without a graph": lambda t: t.ones(()).backward(),
    "a dimension out of range": lambda t: t.ones(2).sum(2),
    "an index out of range": lambda t: t.ones(2)[2],
    "too many indices": lambda t: t.ones(2)[0, 0],
    "a reshape that loses elements": lambda t: t.ones(6).reshape(4),
    "item of several elements": lambda t: t.ones(2).item(),
    "the truth value of several elements": lambda t: bool(t.ones(2)),
    "an in-place change of a leaf": lambda t: t.ones(2, requires_grad=True).add_(1.0),
    "an in-place sum of a larger shape": lambda t: t.ones(1).add_(t.ones(3)),
    "a float added to integers in place": lambda t: t.tensor([1, 2]).add_(0.5),
    "numpy of a recorded tensor": lambda t: t.ones(2, requires_grad=True).numpy(),
    "subtraction of booleans": lambda t: t.tensor([True]) - t.tensor([True]),
    "cat of shapes that do not fit": lambda t: t.cat([t.ones(2, 2), t.ones(3, 3)]),
    "unused input": lambda t: t.autograd.grad(
        t.ones(2, requires_grad=True).sum(), t.ones(2, requires_grad=True)
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_with_pytorchs_type_of_error(case):
    refused_alike(BAD[case])


@pytest.mark.parametrize(
    "data",
    [1.5, [1.0, 2.0], [[1, 2], [3, 4]], [1.25, -2.0], [True, False], [0.001, 1.0], 7,
     [float("nan"), 1.0], [100.0, 0.5], [-1, 10]],
)  # fmt: skip
def test_a_tensor_prints_as_in_pytorch(data):
    assert repr(nnlib.tensor(data)) == repr(torch.tensor(data))

"""Convolution and pooling: values, gradients, second gradients and errors as in PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import nnlib
from tests.nnlib.comparisons import refused_alike, trained_alike

RNG = np.random.default_rng(11)
CASES = settings(max_examples=25, deadline=None, derandomize=True)


def normal(*shape):
    return RNG.normal(size=shape)


def results(t, function, arrays, dtype):
    """The value of `function`, its gradients, and the gradients of those."""
    xs = [t.tensor(a, dtype=getattr(t, dtype), requires_grad=True) for a in arrays]
    out = function(t, *xs)
    random = np.random.default_rng(3)
    weights = t.tensor(random.normal(size=tuple(out.shape)), dtype=getattr(t, dtype))
    first = t.autograd.grad((out * weights).sum(), xs, create_graph=True)
    # The factors x.sum() make the loss depend on every input, so all second gradients exist.
    loss = sum((g * g * x.sum()).sum() for g, x in zip(first, xs, strict=True))
    second = t.autograd.grad(loss, xs)
    return [r.detach().numpy() for r in (out, *first, *second)]


def agree(function, *arrays, dtype="float64", rtol=1e-9):
    ours, theirs = (results(t, function, arrays, dtype) for t in (nnlib, torch))
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * max(1, np.abs(b).max(initial=0)))


pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


@CASES
@given(
    groups=st.integers(1, 2), n=st.integers(1, 3), in_channels=st.integers(1, 2),
    out_channels=st.integers(1, 3), kernel=pairs, stride=pairs, dilation=pairs,
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)), bias=st.booleans(),
)  # fmt: skip
def test_conv2d_agrees(
    groups, n, in_channels, out_channels, kernel, stride, dilation, padding, bias
):
    arrays = [
        normal(n, groups * in_channels, 8, 7),
        normal(groups * out_channels, in_channels, *kernel),
    ]
    arrays += [normal(groups * out_channels)] if bias else []

    def function(t, x, w, b=None):
        return t.nn.functional.conv2d(x, w, b, stride, padding, dilation, groups)

    agree(function, *arrays)


@CASES
@given(
    groups=st.integers(1, 2), in_channels=st.integers(1, 2), out_channels=st.integers(1, 2),
    kernel=pairs, stride=pairs, dilation=pairs,
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    output_padding=st.tuples(st.integers(0, 2), st.integers(0, 2)), bias=st.booleans(),
)  # fmt: skip
def test_conv_transpose2d_agrees(
    groups, in_channels, out_channels, kernel, stride, dilation, padding, output_padding, bias
):
    output_padding = [
        min(o, max(a, d) - 1) for o, a, d in zip(output_padding, stride, dilation, strict=True)
    ]
    arrays = [
        normal(2, groups * in_channels, 4, 5),
        normal(groups * in_channels, out_channels, *kernel),
    ]
    arrays += [normal(groups * out_channels)] if bias else []

    def function(t, x, w, b=None):
        arguments = stride, padding, output_padding, groups, dilation
        return t.nn.functional.conv_transpose2d(x, w, b, *arguments)

    try:
        function(torch, *map(torch.tensor, arrays))
    except RuntimeError:  # the result would be empty
        with pytest.raises(RuntimeError, match="too small"):
            function(nnlib, *map(nnlib.tensor, arrays))
    else:
        agree(function, *arrays)


@pytest.mark.parametrize("arguments", [(), (2, 1, 1), (3, 0, 2, 2, 2)])
@pytest.mark.parametrize("batched", [True, False])
def test_conv_transpose1d_agrees(arguments, batched):
    def function(t, x, w, b):
        return t.nn.functional.conv_transpose1d(x, w, b, *arguments)

    shape = (2, 4, 5) if batched else (4, 5)
    agree(function, normal(*shape), normal(4, 2, 3), normal(4 if len(arguments) == 5 else 2))


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (2, 4)])
@pytest.mark.parametrize("dilation", [1, 2])
def test_padding_same_and_valid_agree(padding, kernel, dilation):
    def function(t, x, w):
        return t.nn.functional.conv2d(x, w, None, 1, padding, dilation)

    agree(function, normal(2, 2, 9, 9), normal(3, 2, *kernel))


@CASES
@given(
    kernel=st.integers(1, 4), stride=st.integers(1, 3), dilation=st.integers(1, 2),
    padding=st.sampled_from([0, 1, 2, "same"]), batched=st.booleans(),
)  # fmt: skip
def test_conv1d_agrees(kernel, stride, dilation, padding, batched):
    stride = 1 if padding == "same" else stride

    def function(t, x, w, b):
        return t.nn.functional.conv1d(x, w, b, stride, padding, dilation)

    x = normal(3, 2, 9) if batched else normal(2, 9)
    agree(function, x, normal(3, 2, kernel), normal(3))


def test_one_image_without_a_batch_agrees():
    agree(lambda t, x, w: t.nn.functional.conv2d(x, w), normal(2, 5, 5), normal(3, 2, 3, 3))
    agree(lambda t, x: t.nn.functional.max_pool2d(x, 2), normal(2, 5, 5))
    agree(lambda t, x: t.nn.functional.avg_pool2d(x, 2), normal(2, 5, 5))


@st.composite
def pooling(draw):
    kernel = draw(pairs)
    return {
        "kernel_size": kernel, "stride": draw(st.one_of(st.none(), pairs)),
        "padding": (draw(st.integers(0, kernel[0] // 2)), draw(st.integers(0, kernel[1] // 2))),
        "ceil_mode": draw(st.booleans()),
    }  # fmt: skip


@CASES
@given(attrs=pooling(), dilation=pairs, ties=st.booleans())
def test_max_pool2d_agrees(attrs, dilation, ties):
    x = normal(2, 3, 8, 9)
    x = np.round(x) if ties else x  # ties: the first of the largest gets the gradient

    def function(t, x):
        return t.nn.functional.max_pool2d(x, **attrs, dilation=dilation)

    agree(function, x)
    indices = [
        t.nn.functional.max_pool2d(t.tensor(x), **attrs, dilation=dilation, return_indices=True)[1]
        for t in (nnlib, torch)
    ]
    np.testing.assert_array_equal(indices[0].numpy(), indices[1].numpy())


@CASES
@given(attrs=pooling(), count=st.booleans(), divisor=st.sampled_from([None, 3]))
def test_avg_pool2d_agrees(attrs, count, divisor):
    def function(t, x):
        return t.nn.functional.avg_pool2d(
            x, **attrs, count_include_pad=count, divisor_override=divisor
        )

    agree(function, normal(2, 3, 8, 9))


@pytest.mark.parametrize("operation", ["max", "avg"])
@pytest.mark.parametrize("batched", [True, False])
def test_pooling_in_one_dimension_agrees(operation, batched):
    x = normal(2, 3, 9) if batched else normal(3, 9)
    agree(lambda t, x: getattr(t.nn.functional, f"{operation}_pool1d")(x, 3, 2, 1), x)
    agree(lambda t, x: getattr(t.nn.functional, f"{operation}_pool1d")(x, 2, ceil_mode=True), x)


@pytest.mark.parametrize("operation", ["max", "avg"])
@pytest.mark.parametrize("size", [1, (2, 3), (3, None), 5])
def test_adaptive_pooling_agrees(operation, size):
    def function(t, x):
        return getattr(t.nn.functional, f"adaptive_{operation}_pool2d")(x, size)

    agree(function, normal(2, 3, 6, 8))
    length = 5 if isinstance(size, tuple) else size
    agree(
        lambda t, x: getattr(t.nn.functional, f"adaptive_{operation}_pool1d")(x, length),
        normal(2, 3, 7),
    )


@pytest.mark.parametrize("fill", [np.nan, np.inf, -np.inf])
def test_pooling_of_values_that_are_not_finite_agrees(fill):
    x = normal(1, 1, 4, 4)
    x[0, 0, 1, 1] = x[0, 0, 0, 2] = fill
    values = []
    for t in (nnlib, torch):
        v = t.tensor(x, requires_grad=True)
        out = t.nn.functional.max_pool2d(v, 2)
        out.sum().backward()
        values.append((out.detach().numpy(), v.grad.numpy()))
    for a, b in zip(*values, strict=True):
        np.testing.assert_array_equal(a, b)


def test_unfold_agrees_with_pytorch():
    def function(t, x):
        return t.nn.functional.unfold(x, (2, 3), dilation=(1, 2), padding=(0, 1), stride=(2, 1))

    agree(function, normal(2, 3, 5, 6))


def test_results_do_not_depend_on_the_memory_layout():
    """Convolutions store the batch innermost; later operations must not depend on that."""
    x, w = normal(3, 2, 6, 6), normal(4, 2, 3, 3)

    def function(t, x, w):
        y = t.nn.functional.conv2d(x.permute(0, 1, 3, 2), w).relu()
        y = t.nn.functional.max_pool2d(y * 2.0, 2).flatten(1)
        return y.reshape(3, 4, 4)[:, 1:].permute(1, 0, 2)

    agree(function, x, w)


BAD = {
    "channels that do not fit": lambda t, f: f.conv2d(t.ones(1, 3, 5, 5), t.ones(2, 2, 3, 3)),
    "groups that do not divide": lambda t, f: f.conv2d(
        t.ones(1, 4, 5, 5), t.ones(3, 2, 3, 3), groups=2
    ),
    "two ranks": lambda t, f: f.conv2d(t.ones(5, 5), t.ones(2, 1, 3, 3)),
    "a weight of another rank": lambda t, f: f.conv2d(t.ones(1, 1, 5, 5), t.ones(2, 1, 3)),
    "a kernel larger than the image": lambda t, f: f.conv2d(t.ones(1, 1, 2, 2), t.ones(1, 1, 3, 3)),
    "a bias of another length": lambda t, f: f.conv2d(
        t.ones(1, 1, 5, 5), t.ones(2, 1, 3, 3), t.ones(3)
    ),
    "two dtypes": lambda t, f: f.conv2d(t.ones(1, 1, 5, 5), t.ones(1, 1, 3, 3).double()),
    "a stride of 0": lambda t, f: f.conv2d(t.ones(1, 1, 5, 5), t.ones(1, 1, 3, 3), stride=0),
    "padding below 0": lambda t, f: f.conv2d(t.ones(1, 1, 5, 5), t.ones(1, 1, 3, 3), padding=-1),
    "three strides": lambda t, f: f.conv2d(
        t.ones(1, 1, 5, 5), t.ones(1, 1, 3, 3), stride=(1, 1, 1)
    ),
    "a float as stride": lambda t, f: f.conv2d(t.ones(1, 1, 5, 5), t.ones(1, 1, 3, 3), stride=1.5),
    "padding='same' with a stride": lambda t, f: f.conv2d(
        t.ones(1, 1, 5, 5), t.ones(1, 1, 3, 3), stride=2, padding="same"
    ),
    "an unknown padding": lambda t, f: f.conv2d(
        t.ones(1, 1, 5, 5), t.ones(1, 1, 3, 3), padding="some"
    ),
    "a list in place of a tensor": lambda t, f: f.conv2d([[1.0]], t.ones(1, 1, 3, 3)),
    "a pooling window larger than the image": lambda t, f: f.max_pool2d(t.ones(1, 1, 2, 2), 3),
    "padding above half the window": lambda t, f: f.max_pool2d(t.ones(1, 1, 5, 5), 2, padding=2),
    "padding above half an average window": lambda t, f: f.avg_pool2d(
        t.ones(1, 1, 5, 5), 2, padding=2
    ),
    "a divisor of 0": lambda t, f: f.avg_pool2d(t.ones(1, 1, 4, 4), 2, divisor_override=0),
    "pooling of the wrong rank": lambda t, f: f.max_pool2d(t.ones(4, 4), 2),
    "a layer whose groups do not divide": lambda t, f: t.nn.Conv2d(3, 4, 3, groups=2),
    "a layer with 'same' and a stride": lambda t, f: t.nn.Conv2d(1, 1, 3, 2, padding="same"),
    "a layer with an unknown padding": lambda t, f: t.nn.Conv2d(1, 1, 3, padding="some"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_with_pytorchs_type_of_error(case):
    refused_alike(lambda t: BAD[case](t, t.nn.functional))


LAYERS = {
    "Conv1d": (lambda nn: nn.Conv1d(4, 6, 3, padding=1, groups=2), (2, 4, 9)),
    "Conv1d same": (lambda nn: nn.Conv1d(2, 3, 4, padding="same", bias=False), (2, 2, 9)),
    "Conv2d": (lambda nn: nn.Conv2d(2, 3, (3, 2), stride=2, dilation=(1, 2)), (2, 2, 9, 8)),
    "ConvTranspose1d": (lambda nn: nn.ConvTranspose1d(4, 6, 3, 2, groups=2), (2, 4, 9)),
    "ConvTranspose2d": (
        lambda nn: nn.ConvTranspose2d(4, 2, 3, 2, 1, 1, 2, False, 2),
        (2, 4, 5, 6),
    ),
    "MaxPool1d": (lambda nn: nn.MaxPool1d(3, 2, 1), (2, 2, 9)),
    "MaxPool2d": (lambda nn: nn.MaxPool2d(2, ceil_mode=True), (2, 2, 9, 9)),
    "AvgPool1d": (lambda nn: nn.AvgPool1d(3, padding=1), (2, 2, 9)),
    "AvgPool2d": (lambda nn: nn.AvgPool2d(3, 2, 1, count_include_pad=False), (2, 2, 9, 9)),
    "AdaptiveAvgPool1d": (lambda nn: nn.AdaptiveAvgPool1d(4), (2, 2, 9)),
    "AdaptiveAvgPool2d": (lambda nn: nn.AdaptiveAvgPool2d((2, None)), (2, 2, 9, 8)),
    "AdaptiveMaxPool2d": (lambda nn: nn.AdaptiveMaxPool2d(1), (2, 2, 9, 8)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_agrees_with_pytorch_from_the_same_state(name):
    make, shape = LAYERS[name]
    theirs, ours = make(torch.nn), make(nnlib.nn)
    assert repr(ours) == repr(theirs)
    ours.load_state_dict({k: nnlib.tensor(v.numpy()) for k, v in theirs.state_dict().items()})
    x = normal(*shape).astype(np.float32)
    a, b = ours(nnlib.tensor(x)), theirs(torch.tensor(x))
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-5, atol=1e-6)


def network(t):
    return t.nn.Sequential(
        t.nn.Conv2d(1, 4, 3), t.nn.ReLU(), t.nn.MaxPool2d(2), t.nn.Conv2d(4, 6, 3, padding=1),
        t.nn.Tanh(), t.nn.AdaptiveMaxPool2d(1),
    )  # fmt: skip


def test_a_convolutional_network_trains_step_by_step_as_in_pytorch():
    x, y = normal(16, 1, 10, 10).astype(np.float32), RNG.integers(0, 6, 16)

    def loss(t, net):
        return t.nn.CrossEntropyLoss()(net(t.tensor(x)).reshape(16, 6), t.tensor(y))

    trained_alike(network(nnlib), network(torch), loss, steps=15, lr=0.3)


def test_a_traced_gradient_of_a_convolution_survives_a_file():
    from nnlib.graph import Graph, trace

    x, w = normal(2, 1, 6, 6), normal(2, 1, 3, 3)

    def function(x, w):
        y = nnlib.nn.functional.max_pool2d(nnlib.nn.functional.conv2d(x, w), 2)
        loss = (y * y).sum()
        return {"loss": loss, "gradient": nnlib.autograd.grad(loss, w)[0]}

    inputs = {"x": nnlib.tensor(x), "w": nnlib.tensor(w, requires_grad=True)}
    graph = Graph.from_json(trace(function, **inputs).to_json())
    assert {"conv2d", "conv2d_weight", "max_pool2d"} <= {s.op for s in graph.steps}
    loaded, expected = graph.run(x=x, w=w), function(**inputs)
    for name, value in expected.items():
        np.testing.assert_allclose(loaded[name], value.detach().numpy(), rtol=1e-12)


def test_columns_too_large_to_save_are_recomputed(monkeypatch):
    from nnlib.primitives import window

    x, w = nnlib.tensor(normal(2, 2, 6, 6)), nnlib.tensor(normal(3, 2, 3, 3), requires_grad=True)
    grads = []
    for limit in (window.LARGEST_SAVED, 0):
        monkeypatch.setattr(window, "LARGEST_SAVED", limit)
        out = nnlib.nn.functional.conv2d(x, w)
        assert (out._node.out is None) == (limit == 0)
        grads.append(nnlib.autograd.grad((out * out).sum(), w)[0].numpy())
    np.testing.assert_array_equal(*grads)

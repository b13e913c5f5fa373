"""A traced graph gives the program's results: views, detached values, names, infinities."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import nnlib
from nnlib.graph import Graph, GraphError, trace


def no_grad_square(t, x):
    with t.no_grad():
        y = x * x
    return (y * x).sum()


def partly_under_no_grad(t, x):
    y = x * 2
    with t.no_grad():
        z = y * 3
    return (z * y + y.detach() * x).sum()


def view_after_change(t, x):
    y = x * 1
    v = y[1:]
    y += 10
    return (v * v).sum()


def element_after_change(t, x):
    y = x * 1
    e, w = y[0], y.view(3, 1)
    y.mul_(x)
    return e * 3 + w.sum()


def base_after_change(t, x):
    y = x * 1
    y[1:].mul_(4)
    y[0] = 7
    return (y * y).sum()


def detached_alias(t, x):
    y = x * 1
    d = y.detach()
    y += 1
    return (y * d).sum()


def gradient_inside(t, x):
    (g,) = t.autograd.grad((x**3).sum(), x, create_graph=True)
    return (g * g).sum()


def constant_gradient_inside(t, x):
    (g,) = t.autograd.grad((x**3).sum(), x)
    return (g * x).sum()


PROGRAMS = {
    "detach": lambda t, x: (x * x.detach()).sum(),
    "no_grad": no_grad_square,
    "no_grad beside recorded operations": partly_under_no_grad,
    "data": lambda t, x: (x * x.data).sum(),
    "hardtanh, whose ends have no gradient": lambda t, x: t.nn.functional.hardtanh(x).sum(),
    "a cast to integers": lambda t, x: (x.long().float() * x).sum(),
    "a view read after its base was changed": view_after_change,
    "an element read after its tensor was changed": element_after_change,
    "a tensor read after its views were changed": base_after_change,
    "a detached tensor read after its original was changed": detached_alias,
    "a gradient taken inside": gradient_inside,
    "a gradient taken inside as a constant": constant_gradient_inside,
    "a relu at 0": lambda t, x: t.relu(x - 1).sum(),
    "probabilities of 0 and 1": lambda t, x: t.nn.functional.binary_cross_entropy(
        (x - 1).clamp(0, 1), x.detach() * 0 + 1
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_graph_has_the_programs_value_and_gradient(name):
    values = np.array([1.0, 2.0, -3.0], np.float32)
    x = torch.tensor(values, requires_grad=True)
    result = PROGRAMS[name](torch, x)
    if result.requires_grad:
        result.backward()
    theirs = torch.zeros(3) if x.grad is None else x.grad
    ours = nnlib.tensor(np.ones(3, np.float32), requires_grad=True)
    graph = trace(lambda x: PROGRAMS[name](nnlib, x), x=ours).gradient()
    again = Graph.from_json(trace(lambda x: PROGRAMS[name](nnlib, x), x=ours).to_json()).gradient()
    scope: dict = {}
    exec(graph.to_source(), scope)
    for outputs in (graph.run(x=values), again.run(x=values), scope["f"](x=values)):
        np.testing.assert_allclose(outputs["output"], result.detach(), rtol=1e-5)
        np.testing.assert_allclose(outputs["d_x"], theirs, rtol=1e-5)


def test_an_output_under_no_grad_has_no_gradient():
    def f(x):
        with nnlib.no_grad():
            return (x * x).sum()

    assert trace(f, x=nnlib.ones(2)).gradient().run(x=[1.0, 2.0])["d_x"].tolist() == [0.0, 0.0]


class Hundred(nnlib.autograd.Function):
    forward = staticmethod(lambda ctx, x: x * x)
    backward = staticmethod(lambda ctx, g: g * 100)


@pytest.mark.parametrize("recorded", [False, True])
def test_a_gradient_through_a_custom_function_is_refused_with_the_reason(recorded):
    x = nnlib.ones(2, requires_grad=recorded)
    graph = trace(lambda x: Hundred.apply(x).sum() + x.sum(), x=x)
    for g in (graph, Graph.from_json(graph.to_json())):
        assert g.run(x=[3.0, 1.0])["output"] == 14.0
        with pytest.raises(GraphError, match="depends on Hundred, an autograd"):
            g.gradient()


def test_a_custom_function_through_which_no_gradient_passes_is_allowed():
    graph = trace(
        lambda x: {"a": Hundred.apply(x), "b": (x * Hundred.apply(x).detach()).sum()},
        x=nnlib.ones(2),
    )
    assert graph.gradient("b").run(x=[3.0, 1.0])["d_x"].tolist() == [9.0, 1.0]


INFINITE = {
    "padding with -inf": lambda x: nnlib.nn.functional.pad(x, (1, 1), value=-math.inf),
    "padding with nan": lambda x: nnlib.nn.functional.pad(x, (1, 0), value=math.nan),
    "a bound of inf": lambda x: x.clamp(0, math.inf),
    "a bound of nan": lambda x: x.clamp(max=math.nan),
    "infinite constants": lambda x: nnlib.where(
        x > 0, math.inf, nnlib.tensor([math.nan, -math.inf])
    ),
}


@pytest.mark.parametrize("name", INFINITE)
def test_infinite_and_undefined_attributes_survive_source_and_file(name):
    x = np.array([1.0, -2.0], np.float32)
    graph = trace(INFINITE[name], x=nnlib.tensor(x))
    expected = INFINITE[name](nnlib.tensor(x)).numpy()
    scope: dict = {}
    exec(graph.to_source(), scope)
    np.testing.assert_array_equal(scope["f"](x=x), expected)
    text = graph.to_json()
    np.testing.assert_array_equal(Graph.from_json(text).run(x=x)["output"], expected)


@pytest.mark.parametrize("name", ["np", "math", "sigmoid", "f", "base64", "x", "_f", "gather"])
def test_an_input_of_the_source_keeps_its_name(name):
    graph = trace(
        lambda **inputs: nnlib.erf(inputs[name].sigmoid()) * inputs["g"], **{name: 0.0, "g": 2.0}
    )
    scope: dict = {}
    exec(graph.to_source(), scope)
    inputs = {name: np.float32(0.5), "g": np.float32(2.0)}
    assert scope["f"](**inputs) == pytest.approx(graph.run(**inputs)["output"].item())


def test_bitwise_operations_are_traced():
    graph = trace(lambda x: (x & 6) | (x << 1) ^ ~x, x=nnlib.tensor([5, -3]))
    x = torch.tensor([12, -7])
    assert graph.run(x=x.numpy())["output"].tolist() == ((x & 6) | (x << 1) ^ ~x).tolist()
    scope: dict = {}
    exec(graph.to_source(), scope)
    assert scope["f"](x.numpy()).tolist() == ((x & 6) | (x << 1) ^ ~x).tolist()

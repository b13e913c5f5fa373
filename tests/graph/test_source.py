"""`to_source` prints code that runs without nnlib and gives the eager results and gradients."""

from __future__ import annotations

import re

import numpy as np
import pytest

import nnlib
from nnlib.graph import GraphError, trace
from nnlib.record import Primitive
from tests.graph.cases import CASES, present
from tests.graph.traces import NETS, traced_case


def run(source: str, name: str = "f", **inputs):
    assert "nnlib" not in source
    scope: dict = {}
    exec(compile(source, "<source>", "exec"), scope)
    return scope[name](**inputs)


def test_every_primitive_has_a_case():
    not_fused = {name for name, p in Primitive.registry.items() if p.decomposition is None}
    assert not_fused - {op for op, _, _ in CASES} == set()


@pytest.mark.parametrize(("op", "args", "attrs"), present())
def test_the_source_of_a_primitive_gives_its_result(op, args, attrs):
    graph, inputs = traced_case(op, args, attrs)
    ours = np.asarray(run(graph.to_source(), **inputs))
    theirs = graph.run(**inputs)["output"]
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("op", "args", "attrs"), present())
def test_the_source_of_a_gradient_gives_the_eager_gradient(op, args, attrs):
    primitive = Primitive.registry[op]
    floats = [a.dtype.kind == "f" for a in args]
    if not primitive.differentiable or op in ("cast",) or not any(floats):
        return
    weights = np.random.default_rng(3).normal(size=primitive.forward(*args, **attrs).shape)
    xs = [nnlib.tensor(a, requires_grad=f) for a, f in zip(args, floats)]
    loss = (primitive(*xs, **attrs) * nnlib.tensor(weights)).sum()
    wrt = [i for i, f in enumerate(floats) if f]
    eager = nnlib.autograd.grad(loss, [xs[i] for i in wrt], materialize_grads=True)

    def program(**xs):
        return (primitive(*xs.values(), **attrs) * nnlib.tensor(weights)).sum()

    inputs = {f"x{i}": a for i, a in enumerate(args)}
    results = run(trace(program, **inputs).to_source(gradient=True), **inputs)
    for i, g in zip(wrt, eager):
        np.testing.assert_allclose(results[f"d_x{i}"], g.numpy(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("net", NETS)
def test_the_source_of_a_net_gives_loss_and_gradients_in_its_own_dtype(net):
    function, inputs = NETS[net]
    graph = trace(function, **inputs)
    results = run(graph.to_source(net, gradient=True), net, **inputs)
    tensors = {k: nnlib.tensor(v) for k, v in inputs.items()}
    floats = [t.requires_grad_() for t in tensors.values() if t.dtype.name == "float32"]
    result = function(**tensors)
    named = result if isinstance(result, dict) else {"output": result}
    for name, value in named.items():
        np.testing.assert_allclose(results[name], value.detach().numpy(), rtol=1e-5, atol=1e-6)
        assert np.asarray(results[name]).dtype == np.float32
    (named.get("loss") if "loss" in named else result).backward()
    for name, t in tensors.items():
        if any(t is f for f in floats):
            np.testing.assert_allclose(results[f"d_{name}"], t.grad.numpy(), rtol=1e-4, atol=1e-6)
            assert np.asarray(results[f"d_{name}"]).dtype == np.float32


def test_the_source_of_a_net_reads_like_handwritten_code():
    function, inputs = NETS["dense"]
    source = trace(function, **inputs).to_source("dense")
    assert "def dense(W1, b1, W2, b2, x, y):\n    h = np.tanh(x @ W1 + b1)\n" in source
    assert "z = h @ W2 + b2" in source
    assert max(map(len, source.splitlines())) <= 100


def test_parentheses_are_printed_where_python_needs_them():
    def f(a, b, c):
        return {
            "m": a - (b - c), "n": -(a**2.0), "o": (-a) ** 2.0, "p": a / (b * c),
            "q": (a > b) == (b > c), "r": (a**b) ** c, "s": a * (b / c), "t": 2 ** (-c),
        }  # fmt: skip

    inputs = {"a": np.float64(1.5), "b": np.float64(0.7), "c": np.float64(-2.0)}
    graph = trace(f, **inputs)
    results = run(graph.to_source(), **inputs)
    for name, value in graph.run(**inputs).items():
        np.testing.assert_array_equal(results[name], value)


def test_an_input_keeps_a_name_that_the_source_needs_itself():
    graph = trace(lambda **k: {"lambda": k["np"].sigmoid(), "sigmoid": -k["f"]}, np=S, f=S)
    source = graph.to_source()
    assert re.search(r"def f\(np, f\)", source)
    scope: dict = {}
    exec(source, scope)
    assert scope["f"](np=0.0, f=3.0) == {"lambda": 0.5, "sigmoid": -3.0}


S = np.float64(0.4)


def test_captured_tensors_keep_their_names_and_large_ones_their_bits():
    rate = nnlib.tensor(np.linspace(0, 1, 5))
    weight = nnlib.tensor(np.random.default_rng(0).normal(size=(30, 7)).astype(np.float32))
    graph = trace(lambda x: (x * rate).sum() + weight.sum().double(), x=np.ones(5))
    graph2 = trace(lambda x: weight @ x, x=np.ones(7, np.float32))
    assert "RATE = np.array([0, 0.25, 0.5, 0.75, 1], dtype=np.float64)" in graph.to_source()
    np.testing.assert_array_equal(
        run(graph2.to_source(), x=np.ones(7, np.float32)), graph2.run(x=np.ones(7))["output"]
    )


def test_a_name_that_is_not_valid_is_refused():
    graph = trace(lambda x: x + 1, x=S)
    with pytest.raises(GraphError, match="cannot name a function"):
        graph.to_source("my net")


def test_the_gradient_of_an_output_with_several_elements_is_refused():
    with pytest.raises(GraphError, match="one floating-point number"):
        trace(lambda x: {"y": x * 2}, x=np.ones(3)).gradient("y")
    with pytest.raises(GraphError, match="name one"):
        trace(lambda x: x * 2, x=np.ones(3)).gradient()
    with pytest.raises(GraphError, match="no quantity 'z'"):
        trace(lambda x: x * 2, x=S).gradient(wrt=["z"])


def test_a_gradient_may_be_with_respect_to_an_intermediate_quantity():
    graph = trace(lambda x: {"u": x * 3, "y": (x * 3) ** 2}, x=S).gradient("y", ["u", "x"])
    results = graph.run(x=2.0)
    assert results["d_u"] == 12 and results["d_x"] == 36


def test_tidying_drops_nodes_that_change_nothing_and_keeps_every_bit():
    def f(x, y):
        a = (x * 1.0 - 0.0) / 1.0 + (-y) * -1.0
        b = a + (-x) * (-y) - -x
        return {"b": b.reshape(2, 3).reshape(6), "c": x + 0.0, "d": y * 0.0, "e": x**1.0}

    inputs = {"x": np.array([-0.0, 1, np.nan, np.inf, 2, 3]), "y": np.array([0.0, -1, 2, 3, 4, 5])}
    graph = trace(f, **inputs)
    tidy = graph.tidied()
    assert len(tidy.steps) < len(graph.steps)
    assert [s.op for s in tidy.steps if s.op not in ("input", "constant")].count("neg") == 0
    for name, value in graph.run(**inputs).items():
        assert tidy.run(**inputs)[name].tobytes() == value.tobytes(), name

"""Traced programs: run again, with gradients inside, simplified, saved and loaded."""

from __future__ import annotations

import json

import numpy as np
import pytest

import nnlib
from nnlib.graph import Graph, GraphError, trace

X = np.random.default_rng(0).normal(size=(20, 2))
Y = nnlib.tensor((X[:, 0] + X[:, 1] > 0).astype(float))
FEATURES = nnlib.tensor(X)


def log_likelihood(w, b):
    p = (FEATURES @ w + b).sigmoid()
    return {"p": p, "ll": (Y * p.log() + (1 - Y) * (1 - p).log()).sum()}


def ascent(w, rate):
    """One step of gradient ascent: the gradient is taken inside the traced function."""
    w.requires_grad_()
    ll = (FEATURES @ w).sigmoid().log().sum()
    ll.backward()
    with nnlib.no_grad():
        w.add_(w.grad * rate)
    return {"w": w, "ll": ll}


def w0():
    return nnlib.tensor([0.3, -0.2], dtype=nnlib.float64)


def test_a_graph_run_again_equals_the_function_on_other_inputs():
    graph = trace(log_likelihood, w=w0(), b=nnlib.tensor(0.1, dtype=nnlib.float64))
    again = graph.run(w=[1.0, 2.0], b=-0.5)
    direct = log_likelihood(
        nnlib.tensor([1.0, 2.0], dtype=nnlib.float64), nnlib.tensor(-0.5, dtype=nnlib.float64)
    )
    for name in ("p", "ll"):
        np.testing.assert_allclose(again[name], direct[name].numpy(), rtol=1e-14)


def test_a_training_step_is_a_graph_with_its_gradient_and_update():
    graph = trace(ascent, w=w0(), rate=nnlib.tensor(0.1, dtype=nnlib.float64))
    w = np.array([1.0, 2.0])
    for _ in range(3):
        after = graph.run(w=w, rate=0.05)
        direct = ascent(nnlib.tensor(w), nnlib.tensor(0.05, dtype=nnlib.float64))
        np.testing.assert_allclose(after["w"], direct["w"].detach().numpy(), rtol=1e-13)
        w = after["w"]


def test_json_contains_the_whole_graph():
    graph = trace(log_likelihood, w=w0(), b=nnlib.tensor(0.1, dtype=nnlib.float64))
    text = graph.to_json()
    back = Graph.from_json(text)
    assert back.to_json() == text
    a, b = (g.run(w=[1.0, -1.0], b=0.0) for g in (graph, back))
    np.testing.assert_array_equal(a["p"], b["p"])


def test_simplifying_drops_unused_and_repeated_nodes():
    def wasteful(x):
        _unused = x.exp().sin()
        constant = nnlib.ones(2) * 3.0
        return (x * 2.0).tanh() + (x * 2.0).tanh() + constant

    graph = trace(wasteful, x=nnlib.ones(2))
    assert [s.op for s in graph.steps if s.op not in ("input", "constant")] == [
        "mul", "tanh", "add", "add",
    ]  # fmt: skip


def test_a_branch_on_a_value_is_refused_while_tracing():
    with pytest.raises(GraphError, match="where"):
        trace(lambda x: x if x > 0 else -x, x=nnlib.tensor(1.0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(format="other"), "format"),
        (lambda d: d.update(version=2), "version 2"),
        (lambda d: d["nodes"][-1].update(op="launch"), "launch"),
        (lambda d: d["nodes"][-1].update({"in": [99]}), "come before"),
        (lambda d: d["nodes"][0].update(shape=[10**9]), "limit"),
        (lambda d: d["outputs"][0].update(node=77), "77"),
        (lambda d: d["nodes"][0].pop("dtype"), "dtype"),
    ],
)
def test_a_file_that_is_not_a_graph_is_refused_with_the_reason(change, message):
    data = json.loads(trace(lambda x: x * x, x=nnlib.ones(2)).to_json())
    change(data)
    with pytest.raises(GraphError, match=message):
        Graph.from_json(json.dumps(data))


def test_an_input_of_another_shape_is_refused():
    graph = trace(lambda x: x * x, x=nnlib.ones(2))
    with pytest.raises(GraphError, match="fixed shapes"):
        graph.run(x=np.ones(3))
    with pytest.raises(GraphError, match="missing or unknown"):
        graph.run(y=np.ones(2))


@pytest.mark.parametrize(
    "random_function",
    [nnlib.rand, nnlib.randn, nnlib.randperm, lambda n: nnlib.zeros(n).uniform_()],
)
def test_random_numbers_are_refused_instead_of_becoming_constants(random_function):
    with pytest.raises(GraphError, match=r"generates random numbers"):
        trace(lambda x: x + random_function(2), x=nnlib.ones(2))


def test_a_training_step_with_captured_weights_is_traced():
    w = nnlib.tensor([1.0, 2.0], requires_grad=True)

    def step(x):
        loss = (w * x).sum() ** 2
        loss.backward()
        with nnlib.no_grad():
            w.sub_(w.grad * 0.1)
        return {"w": w, "loss": loss}

    graph = trace(step, x=nnlib.ones(2))
    results = graph.run(x=[1.0, 0.5])
    np.testing.assert_allclose(results["w"], [1 - 0.4, 2 - 0.2], rtol=1e-6)
    assert results["loss"] == 4


def test_narrow_integers_are_saved_as_int64():
    """NumPy's default integer in a browser's Python is int32; figures support int64 alone."""
    positions = nnlib.tensor(np.arange(40, dtype=np.int32))
    graph = trace(lambda at: {"there": positions == at, "next": positions + 1}, at=nnlib.tensor(2))
    assert {node["dtype"] for node in graph.to_dict()["nodes"]} == {"int64", "bool"}
    again = Graph.from_json(graph.to_json()).run(at=nnlib.tensor(2))
    assert again["there"].tolist() == [i == 2 for i in range(40)]
    assert again["next"].tolist() == list(range(1, 41))

"""Whole graphs in the page: gradients and training as in Python, replay in place, readable errors."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest

import nnlib
from nnlib.graph import trace

pytestmark = pytest.mark.browser


def flat(x: Any) -> list[float]:
    return np.ravel(x).astype(float).tolist()


def node(op: str, shape: list[int], /, *inputs: int, **attrs: Any) -> dict:
    return {"op": op, "in": list(inputs), "attrs": attrs, "shape": shape, "dtype": "float64"}


def input_node(name: str, shape: list[int], dtype: str = "float64") -> dict:
    return {"op": "input", "name": name, "shape": shape, "dtype": dtype}


def graph_of(*nodes: dict, **outputs: int) -> dict:
    output_entries = [{"name": name, "node": index} for name, index in outputs.items()]
    return {"format": "nnlib.graph", "version": 1, "nodes": list(nodes), "outputs": output_entries}


# ---------------------------------------------------------------- training


def parameters(dtype: str) -> dict[str, np.ndarray]:
    random = np.random.default_rng(3)
    shapes = {"w0": (2, 8), "b0": (8,), "w1": (8, 1), "b1": (1,)}
    return {name: random.normal(size=s).astype(dtype) for name, s in shapes.items()}


def training_graph(dtype: str, start: dict[str, np.ndarray]) -> nnlib.graph.Graph:
    """A descent step with momentum on a 2-8-1 net; inputs and outputs of the state share names."""
    random = np.random.default_rng(4)
    x = random.normal(size=(50, 2)).astype(dtype)
    y = (x[:, :1] * x[:, 1:] > 0).astype(dtype)
    velocities = {f"v_{k}": np.zeros_like(v) for k, v in start.items()}

    def step(**p: Any) -> dict[str, Any]:
        h = nnlib.tanh(nnlib.from_numpy(x) @ p["w0"] + p["b0"])
        out = nnlib.sigmoid(h @ p["w1"] + p["b1"])
        loss = ((out - nnlib.from_numpy(y)) ** 2).mean()
        grads = nnlib.autograd.grad(loss, [p[k] for k in start])
        new: dict[str, Any] = {"loss": loss}
        for (k, _), g in zip(start.items(), grads, strict=True):
            new[f"v_{k}"] = p[f"v_{k}"] * 0.9 + g
            new[k] = p[k] - new[f"v_{k}"] * 0.5
        return new

    leaves = {k: nnlib.tensor(v, requires_grad=True) for k, v in start.items()}
    other_inputs = {k: nnlib.from_numpy(v) for k, v in velocities.items()}
    return trace(step, **leaves, **other_inputs)


TRAIN = """({ graph, state, initial, steps }) => {
  const program = new live.Program(live.parseGraph(graph));
  const links = Object.fromEntries(state.map((name) => [name, name]));
  const trainer = new live.RecordedTrainer(program, { state: links, initial, loss: "loss" });
  const train = () => Array.from({ length: steps }, () => (trainer.step(), trainer.loss));
  const losses = train();
  const after = Array.from(trainer.state("w0"));
  trainer.rewind();
  const rewound = Array.from(trainer.state("w0"));
  return { losses, after, rewound, again: train(), steps: trainer.steps };
}"""


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-9), ("float32", 1e-4)])
def test_200_training_steps_have_the_same_losses_as_in_python(evaluator_page, dtype, tolerance):
    start = parameters(dtype)
    graph = training_graph(dtype, start)
    values = {s.name: np.zeros(s.shape, dtype) for s in graph.inputs.values()} | start
    initial = {k: flat(v) for k, v in values.items()}
    losses = []
    for _ in range(200):
        out = graph.run(**values)
        losses.append(float(out["loss"]))
        values = {k: out[k] for k in values}
    assert losses[-1] < 0.6 * losses[0], "a loss that does not fall proves little"
    result = evaluator_page.evaluate(
        TRAIN,
        {
            "graph": json.loads(graph.to_json()), "state": list(initial), "initial": initial,
            "steps": 200,
        },
    )  # fmt: skip
    np.testing.assert_allclose(result["losses"], losses, rtol=tolerance)
    np.testing.assert_allclose(result["after"], values["w0"].ravel(), rtol=tolerance * 10)
    assert result["rewound"] == initial["w0"]
    assert result["again"] == result["losses"]
    assert result["steps"] == 200


def test_a_state_that_swaps_its_inputs_is_updated_simultaneously(evaluator_page):
    graph = graph_of(input_node("a", [2]), input_node("b", [2]), a=1, b=0)
    result = evaluator_page.evaluate(
        """(graph) => {
          const program = new live.Program(live.parseGraph(graph));
          const t = new live.RecordedTrainer(program,
            { state: { a: "a", b: "b" }, initial: { a: [1, 2], b: [3, 4] } });
          t.step();
          return [Array.from(t.state("a")), Array.from(t.state("b"))];
        }""",
        graph,
    )
    assert result == [[3, 4], [1, 2]]


# ---------------------------------------------------------------- second derivatives


def test_second_derivatives_of_a_mixed_program_agree_with_python(evaluator_page):
    def fn(x: Any) -> dict[str, Any]:
        y = nnlib.log_softmax(
            x[1:, ::2] @ x[:2].sum(1, keepdim=True)[:2] + x.cumsum(1)[:, :1][:2], 0
        )
        y = (y * nnlib.where(x[:2, :1] > 0, x[:2, :1], x[:2, 1:2] ** 3)).logsumexp(0).sum()
        (first,) = nnlib.autograd.grad(y, [x], create_graph=True)
        (second,) = nnlib.autograd.grad((first**2).sum(), [x])
        return {"y": y, "first": first, "second": second}

    x = np.random.default_rng(0).normal(size=(3, 4))
    graph = trace(fn, x=nnlib.tensor(x, dtype=nnlib.float64, requires_grad=True))
    x = np.random.default_rng(1).normal(size=(3, 4))  # not the values with which it was traced
    expected = graph.run(x=x)
    case = {"graph": json.loads(graph.to_json()), "inputs": {"x": flat(x)}}
    (result,) = evaluator_page.evaluate("cases => evaluate(cases)", [case])
    assert "error" not in result, result
    for name in expected:
        np.testing.assert_allclose(result[name], expected[name].ravel(), rtol=1e-10, atol=1e-12)


# ---------------------------------------------------------------- replay


def test_replays_reuse_their_buffers_and_compute_only_changed_values(evaluator_page):
    graph = graph_of(
        input_node("a", [3]), input_node("b", [3]), node("exp", [3], 0), node("exp", [3], 1),
        node("add", [3], 2, 3), ea=2, eb=3, out=4,
    )  # fmt: skip
    result = evaluator_page.evaluate(
        """(graph) => {
          const p = new live.Program(live.parseGraph(graph));
          p.set("a", [0, 1, 2]);
          p.set("b", 1);
          p.run();
          const before = p.get("out");
          const first = Array.from(before);
          p.get("eb").fill(100);               // shows whether exp(b) is computed again
          const same = p.set("a", [0, 1, 2]);  // no change
          const changed = p.set("a", [5, 5, 5]);
          p.run();
          return { first, same, changed, sameBuffer: before === p.get("out"), second: Array.from(p.get("out")),
                   ea: Array.from(p.get("ea")), shape: p.shape("out") };
        }""",
        graph,
    )
    e = np.exp
    np.testing.assert_allclose(result["first"], e([0, 1, 2]) + e(1), rtol=1e-12)
    assert (result["same"], result["changed"], result["sameBuffer"]) == (False, True, True)
    np.testing.assert_allclose(result["ea"], [e(5)] * 3, rtol=1e-12)
    np.testing.assert_allclose(result["second"], [e(5) + 100] * 3, rtol=1e-12)
    assert result["shape"] == [3]


def test_long_replays_allocate_next_to_nothing(evaluator_page):
    graph = json.loads(training_graph("float32", parameters("float32")).to_json())
    session = evaluator_page.context.new_cdp_session(evaluator_page)
    evaluator_page.evaluate(
        """(graph) => {
          const p = (window.replayed = new live.Program(live.parseGraph(graph)));
          window.replay = (n) => { for (let i = 0; i < n; i++) { p.set("w0", i * 1e-6); p.run(); } };
          replay(3000);                        // until the loops are compiled
        }""",
        graph,
    )
    session.send("HeapProfiler.startSampling", {"samplingInterval": 1024})
    evaluator_page.evaluate("replay(3000)")
    profile = session.send("HeapProfiler.stopSampling")["profile"]

    def bytes_below(entry: dict) -> int:
        return entry["selfSize"] + sum(map(bytes_below, entry["children"]))

    assert bytes_below(profile["head"]) < 200_000  # a single 50 × 8 array a step would be 10 MB


def test_with_every_node_the_values_of_unused_nodes_can_be_read(evaluator_page):
    graph = graph_of(input_node("a", [2]), node("exp", [2], 0), node("neg", [2], 0), out=1)
    result = evaluator_page.evaluate(
        """(graph) => [true, false].map((everyNode) => {
          const p = new live.Program(live.parseGraph(graph), { everyNode });
          p.set("a", [1, 2]);
          p.run();
          return p.at(2) ? Array.from(p.at(2)) : null;
        })""",
        graph,
    )
    assert result == [[-1, -2], None]


def test_expanded_values_can_be_read(evaluator_page):
    graph = graph_of(
        input_node("a", [3, 1]), node("expand", [3, 4], 0, shape=[3, 4]),
        node("add", [3, 4], 1, 1), node("sum", [], 1, dim=[0, 1], keepdim=False), out=2, total=3,
    )  # fmt: skip
    (result,) = evaluator_page.evaluate(
        "c => evaluate(c)", [{"graph": graph, "inputs": {"a": [1, 2, 3]}}]
    )
    assert result == {"out": [2] * 4 + [4] * 4 + [6] * 4, "total": [24]}


def test_large_constants_that_fit_float16_are_stored_in_it_and_read_unchanged(evaluator_page):
    rng = np.random.default_rng(3)
    values = rng.normal(size=2000).astype(np.float16)
    # also zeros, subnormal numbers, the largest number and infinity
    values[:6] = [0.0, -0.0, 6e-8, -6.1e-5, 65504, np.inf]
    halves = nnlib.tensor(values.astype(np.float32))
    graph = nnlib.graph.trace(lambda x: {"out": x * halves}, x=nnlib.tensor(1.0)).to_dict()
    (constant,) = [n for n in graph["nodes"] if n["shape"] == [2000] and n["op"] == "constant"]
    assert constant["stored"] == "float16" and len(constant["base64"]) < 5400

    again = nnlib.graph.Graph.from_json(json.dumps(graph))
    assert again.run(x=nnlib.tensor(1.0))["out"].tolist() == halves.tolist()
    program = {"graph": graph, "inputs": {"x": [1.0]}}
    (result,) = evaluator_page.evaluate("c => evaluate(c)", [program])
    assert [float(v) for v in result["out"]] == halves.tolist()


def test_a_constant_that_float16_would_change_keeps_its_bytes():
    thirds = nnlib.full((2000,), 1 / 3)
    noise = thirds + nnlib.arange(2000).float() * 1e-7
    graph = nnlib.graph.trace(lambda x: {"out": x * noise}, x=nnlib.tensor(1.0)).to_dict()
    assert not any("stored" in n for n in graph["nodes"])


# ---------------------------------------------------------------- refusals

GOOD = graph_of(input_node("a", [2, 3]), node("exp", [2, 3], 0), out=1)


def faulty_graph(change: Any) -> dict:
    graph = copy.deepcopy(GOOD)
    change(graph)
    return graph


def with_node(*nodes: dict) -> dict:
    return graph_of(input_node("a", [2, 3]), *nodes, out=len(nodes))


REFUSED = {
    "null": (None, "should be an object"),
    "a list": ([], "should be an object"),
    "another format": (faulty_graph(lambda g: g.update(format="onnx")), "format is \"onnx\""),
    "a newer version": (faulty_graph(lambda g: g.update(version=2)), "version 2.*newer nnlib"),
    "no nodes": (faulty_graph(lambda g: g.pop("nodes")), "nodes should be a list"),
    "no outputs": (faulty_graph(lambda g: g.pop("outputs")), "outputs should be a list"),
    "unknown op": (with_node(node("warp", [2, 3], 0)), "\"warp\".*does not know"),
    "a prototype's name": (with_node(node("constructor", [2, 3], 0)), "does not know"),
    "forward reference": (with_node(node("exp", [2, 3], 1)), "does not come before"),
    "a negative position of a node": (with_node(node("exp", [2, 3], -1)), "not a node"),
    "a fraction as the position of a node": (with_node(node("exp", [2, 3], 0.5)), "not a node"),
    "no shape": (faulty_graph(lambda g: g["nodes"][1].pop("shape")), "shape should be a list"),
    "negative length": (with_node(node("exp", [2, -3], 0)), "not a length"),
    "unknown dtype": (faulty_graph(lambda g: g["nodes"][0].update(dtype="float16")), "float16"),
    "too large": (with_node(node("expand", [10**6, 10**6], 0, shape=[10**6, 10**6])), "at most"),
    "too large together": (
        graph_of(*[input_node(f"a{i}", [2**22]) for i in range(20)], out=0), "too many for a page"
    ),
    "too many nodes": (graph_of(*[{}] * 100_001, out=0), "100001 nodes"),
    "unnamed input": (faulty_graph(lambda g: g["nodes"][0].pop("name")), "needs a name"),
    "a name twice": (graph_of(input_node("a", []), input_node("a", []), out=0), "two inputs"),
    "missing output": (faulty_graph(lambda g: g["outputs"][0].update(node=9)), "node 9"),
    "short constant": (
        graph_of({"op": "constant", "shape": [2], "dtype": "float64", "data": [1]}, out=0),
        "1 values for a shape of 2",
    ),
    "constant of strings": (
        graph_of({"op": "constant", "shape": [1], "dtype": "float64", "data": ["toString"]}, out=0),
        "not a number",
    ),
    "bad base64": (
        graph_of({"op": "constant", "shape": [1], "dtype": "float64", "base64": "%"}, out=0),
        "cannot be decoded",
    ),
    "unknown storage": (
        graph_of(
            {"op": "constant", "shape": [1], "dtype": "float64", "base64": "AAA=",
             "stored": "float16"}, out=0,
        ), "not supported for float64",
    ),
    "short base64": (
        graph_of({"op": "constant", "shape": [1], "dtype": "float64", "base64": "AAAA"}, out=0),
        "3 bytes",
    ),
    "wrong result shape": (with_node(node("exp", [3, 2], 0)), r"\[2, 3\].*\[3, 2\]"),
    "no inputs": (with_node(node("exp", [2, 3])), "no inputs"),
    "an input too many": (with_node(node("exp", [2, 3], 0, 0)), "takes 1"),
    "no broadcast": (
        graph_of(input_node("a", [2]), input_node("b", [3]), node("add", [3], 0, 1), out=2),
        "broadcast",
    ),
    "missing attribute": (with_node(node("sum", [], 0, keepdim=False)), "dim should be a list"),
    "dimension too far": (with_node(node("sum", [2], 0, dim=[5], keepdim=False)), "dimension"),
    "dimension twice": (with_node(node("sum", [2], 0, dim=[1, 1], keepdim=False)), "distinct"),
    "matmul's inner lengths": (with_node(node("matmul", [2, 3], 0, 0)), "inner lengths"),
    "slice outside": (
        with_node(node("slice", [2, 9], 0, index=[[0, 2, 1], [0, 9, 1]])), "is out of bounds"
    ),
    "step of zero": (with_node(node("slice", [2, 3], 0, index=[[0, 2, 0], [0, 3, 1]])), "entry"),
    "index outside": (with_node(node("slice", [3], 0, index=[7, [0, 3, 1]])), "out of bounds"),
    "malformed equation": (with_node(node("einsum", [], 0, equation="ij")), "equation"),
    "too many multiplications": (
        graph_of(input_node("a", [4000, 4000]), node("matmul", [4000, 4000], 0, 0), out=1),
        "multiplications",
    ),
    "too many reads and writes": (
        graph_of(
            input_node("a", [2**23]),
            *[node("sum", [], 0, dim=[0], keepdim=False) for _ in range(600)],
            **{f"s{i}": i for i in range(600)},
        ),
        "read and write more than",
    ),
    "window with a stride of 0": (
        graph_of(
            input_node("a", [1, 4, 4]),
            node("max_pool2d", [1, 2, 2], 0, kernel_size=[2, 2], stride=[0, 1], padding=[0, 0],
                 dilation=[1, 1], ceil_mode=False),
            out=1,
        ),
        "do not define a window",
    ),
    "padding below zero": (with_node(node("pad", [1, 3], 0, pad=[[-1, 0], [0, 0]], value=0)), "pad"),
    "index value outside": (
        graph_of(
            input_node("a", [2, 3]),
            {"op": "constant", "shape": [1], "dtype": "int64", "data": [5]},
            node("take", [1, 3], 0, 1, dim=0), out=2,
        ),
        "index 5 is out of bounds for a dimension of length 2",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_faulty_graph_is_refused_with_the_reason(evaluator_page, case):
    import re

    graph, expected = REFUSED[case]
    message = evaluator_page.evaluate("json => refuse(json)", graph)
    assert message is not None, f"{case}: accepted"
    assert "NOT A GraphError" not in message, message
    assert re.search(expected, message), message
    assert len(message) < 400


def test_a_good_graph_is_not_refused(evaluator_page):
    assert evaluator_page.evaluate("json => refuse(json)", GOOD) is None


def test_wrong_values_for_inputs_are_refused(evaluator_page):
    messages = evaluator_page.evaluate(
        """(graph) => {
          const p = new live.Program(live.parseGraph(graph));
          const text = (f) => { try { f(); return "accepted"; } catch (e) { return `${e.name}: ${e.message}`; } };
          return [text(() => p.set("a", [1, 2])), text(() => p.set("b", 1)), text(() => p.get("c"))];
        }""",
        GOOD,
    )
    assert messages[0] == 'GraphError: input "a" has shape [2, 3], 6 elements, but was given 2'
    assert messages[1] == 'GraphError: the graph has no input "b"; it has a'
    assert messages[2] == 'GraphError: the graph has no output "c"; it has out'

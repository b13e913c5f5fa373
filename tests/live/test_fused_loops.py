"""The page's fused loops compute the same values as the operations one after the other."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import nnlib
from nnlib.graph import trace

pytestmark = pytest.mark.browser

# With everyNode the program keeps the values of all nodes, so it cannot fuse any operations.
BOTH = """({ graph, inputs }) => {
  const run = (options) => {
    const program = new live.Program(live.parseGraph(graph), options);
    for (const [name, values] of Object.entries(inputs)) program.set(name, values);
    program.run();
    const stored = graph.nodes.filter((_, i) => program.at(i) !== undefined).length;
    const results = Object.fromEntries(program.outputs.map((o) => [o.name, Array.from(program.get(o.name))]));
    return { stored, results };
  };
  return [run({}), run({ everyNode: true })];
}"""


def both_ways(page: Any, program: Any, **arrays: np.ndarray) -> tuple[dict, dict]:
    """The outputs of a program in the page with fused loops, and without."""
    leaves = {k: nnlib.tensor(v, requires_grad=True) for k, v in arrays.items()}
    graph = json.loads(trace(program, **leaves).to_json())
    inputs = {k: np.ravel(v).astype(float).tolist() for k, v in arrays.items()}
    fused, unfused = page.evaluate(BOTH, {"graph": graph, "inputs": inputs})
    assert fused["stored"] < unfused["stored"], (
        "no operations were fused: the test would compare a loop with itself"
    )
    return fused["results"], unfused["results"]


def normal(*shape: int, dtype: str = "float32", seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu"])
@pytest.mark.parametrize("inputs", [1, 2, 3, 8])
@pytest.mark.parametrize("rows", [1, 5, 70])
def test_a_layer_in_one_loop_gives_the_unfused_values(
    evaluator_page, dtype, activation, inputs, rows
):
    act = getattr(nnlib, activation)

    def layers(x: Any, w: Any, b: Any, w2: Any, b2: Any) -> dict[str, Any]:
        return {"p": act(act(x @ w.T + b) @ w2 + b2)}

    fused, unfused = both_ways(
        evaluator_page, layers,
        x=normal(rows, inputs, dtype=dtype, seed=1), w=normal(5, inputs, dtype=dtype, seed=2),
        b=normal(5, dtype=dtype, seed=3), w2=normal(5, 1, dtype=dtype, seed=4),
        b2=normal(1, dtype=dtype, seed=5),
    )  # fmt: skip
    np.testing.assert_allclose(fused["p"], unfused["p"], rtol=2e-6 if dtype == "float32" else 1e-12,
                               atol=1e-6 if dtype == "float32" else 1e-13)  # fmt: skip


CHAINS = {
    "a b + c": lambda a, b, c: a * b + c,
    "c - a b": lambda a, b, c: c - a * b,
    "a b - c": lambda a, b, c: a * b - c,
    "(a - b) c": lambda a, b, c: (a - b) * c,
    "c (a + b)": lambda a, b, c: c * (a + b),
    "a b c": lambda a, b, c: a * b * c,
    "c - (a - b)": lambda a, b, c: c - (a - b),
    "a + b - c": lambda a, b, c: a + b - c,
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("shape", [(3, 4), (4,), (1,)], ids=str)
def test_chains_of_sums_and_products_agree_to_the_last_bit(evaluator_page, dtype, chain, shape):
    def program(a: Any, b: Any, c: Any) -> dict[str, Any]:
        return {"r": CHAINS[chain](a, b, c)}

    a, b = normal(3, 4, dtype=dtype, seed=1), normal(3, 4, dtype=dtype, seed=2)
    c = normal(*shape, dtype=dtype, seed=3)
    a[0, 0], a[0, 1], b[0, 1], b[0, 2] = -0.0, np.inf, np.nan, -np.inf
    fused, unfused = both_ways(evaluator_page, program, a=a, b=b, c=c)
    assert np.array(fused["r"]).tobytes() == np.array(unfused["r"]).tobytes()


@pytest.mark.parametrize("neurons", [1, 3])
def test_gradients_of_fused_tanh_layers_agree_with_the_unfused_ones(evaluator_page, neurons):
    def step(x: Any, w: Any, b: Any, w2: Any) -> dict[str, Any]:
        loss = ((nnlib.tanh(x @ w + b) @ w2) ** 2).mean()
        return dict(zip(["dw", "db", "dw2"], nnlib.autograd.grad(loss, [w, b, w2]), strict=True))

    fused, unfused = both_ways(
        evaluator_page, step, x=normal(40, 2, seed=1), w=normal(2, 8, seed=2), b=normal(8, seed=3),
        w2=normal(8, neurons, seed=4),
    )  # fmt: skip
    for name in unfused:
        np.testing.assert_allclose(fused[name], unfused[name], rtol=1e-5, atol=1e-6)


def test_a_value_that_another_operation_reads_is_still_computed(evaluator_page):
    def program(a: Any, b: Any) -> dict[str, Any]:
        s = a + b
        t = s * s
        return {"s": s, "t": t, "u": t - s, "v": nnlib.tanh(t + a) * 2.0 + b}

    a, b = normal(6, seed=1), normal(6, seed=2)
    fused, unfused = both_ways(evaluator_page, program, a=a, b=b)
    for name in ("s", "t", "u"):
        assert fused[name] == unfused[name]
    np.testing.assert_allclose(fused["v"], unfused["v"], rtol=1e-6)


def test_tanh_is_accurate_for_zeros_infinities_and_large_numbers(evaluator_page):
    x = np.array([0.0, -0.0, 1e-300, 19.9, 20.0, 1e300, np.inf, -np.inf, np.nan, 0.5, -7.25])
    leaves = {"x": nnlib.tensor(x)}
    graph = json.loads(trace(lambda x: {"y": nnlib.tanh(x)}, **leaves).to_json())
    values = [v if np.isfinite(v) else str(v) for v in x]
    result = evaluator_page.evaluate(
        """({ graph, values }) => {
          const program = new live.Program(live.parseGraph(graph));
          program.set("x", values.map((v) => Number(v === "inf" ? Infinity : v === "-inf" ? -Infinity : v)));
          program.run();
          const y = Array.from(program.get("y"));
          return { y: y.map((v) => (v !== v ? "nan" : v)), minus: Object.is(y[1], -0) };
        }""",
        {"graph": graph, "values": values},
    )
    assert result["minus"], "tanh(-0) is -0"
    assert result["y"][8] == "nan"
    numbers = [i for i in range(len(x)) if i != 8]
    np.testing.assert_allclose([result["y"][i] for i in numbers], np.tanh(x[numbers]), rtol=2e-14)

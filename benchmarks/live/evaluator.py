"""How fast the page replays recorded graphs, in headless Chromium: medians, one table.

python benchmarks/live/evaluator.py
"""

from __future__ import annotations

import functools
import http.server
import json
from pathlib import Path
from typing import Any

import numpy as np

import nnlib
from nnlib.graph import trace
from tools.browser import Server, launched

STATIC = Path(__file__).resolve().parents[2] / "nnlib" / "live" / "static"
PAGE = b"""<!doctype html><script type="module">
import * as live from "/live.js";
const median = (times) => times.sort((a, b) => a - b)[times.length >> 1];
window.bench = ({ graph, inputs, moved, state, repeats }) => {
  const before = performance.now();
  const program = new live.Program(live.parseGraph(graph));
  for (const [name, values] of Object.entries(inputs)) program.set(name, values);
  program.run();
  const first = performance.now() - before;
  const options = { state, initial: inputs, loss: "loss" };
  const trainer = state && new live.RecordedTrainer(program, options);
  const rounds = Array.from({ length: 9 }, () => {
    const start = performance.now();
    if (trainer) trainer.step(repeats);
    else
      for (let i = 0; i < repeats; i++) {
        program.set(moved, inputs[moved].map((x) => x + 0.001 * i + 1e-4));
        program.run();
      }
    return (performance.now() - start) / repeats;
  });
  return { first, median: median(rounds), nodes: graph.nodes.length };
};
window.ready = true;
</script>"""


class Handler(http.server.SimpleHTTPRequestHandler):
    """The bundle and one page that times it."""

    def do_GET(self) -> None:
        if self.path != "/":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(PAGE)
        return None

    def log_message(self, *args: Any) -> None:
        pass


def flat(x: Any) -> list[float]:
    return np.ravel(x).astype(float).tolist()


def decision_map(dtype: str) -> dict[str, Any]:
    """A 64 × 64 map of a 2-8-8-1 tanh net; one weight matrix moves."""
    random = np.random.default_rng(0)
    grid = np.linspace(-2, 2, 64)
    points = np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2).astype(dtype)
    shapes = {"w0": (2, 8), "b0": 8, "w1": (8, 8), "b1": 8, "w2": (8, 1), "b2": 1}
    w = {name: random.normal(size=shape).astype(dtype) for name, shape in shapes.items()}

    def net(**p: Any) -> Any:
        h = nnlib.from_numpy(points)
        h = nnlib.tanh(h @ p["w0"] + p["b0"])
        h = nnlib.tanh(h @ p["w1"] + p["b1"])
        return nnlib.sigmoid(h @ p["w2"] + p["b2"])

    graph = trace(net, **{k: nnlib.from_numpy(v) for k, v in w.items()})
    inputs = {k: flat(v) for k, v in w.items()}
    return {"graph": json.loads(graph.to_json()), "inputs": inputs, "moved": "w0", "repeats": 60}


def training_step(dtype: str) -> dict[str, Any]:
    """One descent step of a 2-8-1 net on 200 points: forward, backward and update in one graph."""
    random = np.random.default_rng(0)
    x = random.normal(size=(200, 2)).astype(dtype)
    y = (x[:, :1] * x[:, 1:] > 0).astype(dtype)
    start = {
        "w0": random.normal(size=(2, 8)), "b0": np.zeros(8),
        "w1": random.normal(size=(8, 1)), "b1": np.zeros(1),
    }  # fmt: skip
    start = {k: v.astype(dtype) for k, v in start.items()}

    def step(**p: Any) -> dict[str, Any]:
        h = nnlib.tanh(nnlib.from_numpy(x) @ p["w0"] + p["b0"])
        out = nnlib.sigmoid(h @ p["w1"] + p["b1"])
        loss = ((out - nnlib.from_numpy(y)) ** 2).mean()
        grads = nnlib.autograd.grad(loss, list(p.values()))
        new = {f"new_{k}": v - g * 0.5 for (k, v), g in zip(p.items(), grads)}
        return {"loss": loss, **new}

    leaves = {k: nnlib.tensor(v, requires_grad=True) for k, v in start.items()}
    graph = trace(step, **leaves)
    inputs = {k: flat(v) for k, v in start.items()}
    state = {k: f"new_{k}" for k in start}
    case = {"graph": json.loads(graph.to_json()), "inputs": inputs, "state": state}
    return {**case, "moved": "w0", "repeats": 500}


def digit_cnn(dtype: str) -> dict[str, Any]:
    """5×5×8, pool, 5×5×16, pool, linear on one 28 × 28 digit that is being drawn."""
    random = np.random.default_rng(0)
    nodes: list[dict] = [{"op": "input", "name": "image", "shape": [1, 1, 28, 28], "dtype": dtype}]

    def add(op: str, shape: list[int], /, *inputs: int, **attrs: Any) -> int:
        nodes.append({"op": op, "in": list(inputs), "attrs": attrs, "shape": shape, "dtype": dtype})
        return len(nodes) - 1

    def constant(*shape: int) -> int:
        data = flat(random.normal(size=shape) * 0.2)
        nodes.append({"op": "constant", "shape": list(shape), "dtype": dtype, "data": data})
        return len(nodes) - 1

    conv = {"stride": [1, 1], "padding": [0, 0], "dilation": [1, 1], "groups": 1}
    pool = {
        "kernel_size": [2, 2], "stride": [2, 2], "padding": [0, 0], "dilation": [1, 1],
        "ceil_mode": False,
    }  # fmt: skip
    at, outputs = 0, []
    for channels, out, size in ((1, 8, 24), (8, 16, 8)):
        at = add("conv2d", [1, out, size, size], at, constant(out, channels, 5, 5), **conv)
        at = add("add", [1, out, size, size], at, constant(out, 1, 1))
        at = add("relu", [1, out, size, size], at)
        outputs.append({"name": f"maps{channels}", "node": at})
        at = add("max_pool2d", [1, out, size // 2, size // 2], at, **pool)
    at = add("reshape", [1, 256], at, shape=[1, 256])
    at = add("softmax", [1, 10], add("matmul", [1, 10], at, constant(256, 10)), dim=1)
    outputs.append({"name": "p", "node": at})
    graph = {"format": "nnlib.graph", "version": 1, "nodes": nodes, "outputs": outputs}
    image = {"image": flat(random.random((28, 28)))}
    return {"graph": graph, "inputs": image, "moved": "image", "repeats": 60}


CASES = (
    ("64 × 64 map of a 2-8-8-1 net, forward", decision_map, 3.0),
    ("training step of a 2-8-1 net on 200 points", training_step, 0.4),
    ("CNN 5×5×8, 5×5×16 on one digit, forward", digit_cnn, 10.0),
)


def main() -> None:
    handler = functools.partial(Handler, directory=str(STATIC))
    with Server(handler) as server, launched() as browser:
        print("| replayed in the page | dtype | nodes | first run | median | goal |")
        print("|---|---|---|---|---|---|")
        for what, make, goal in CASES:
            for dtype in ("float32", "float64"):
                page = browser.new_page()
                page.goto(f"{server.origin}/")
                page.wait_for_function("window.ready === true")
                r = page.evaluate("it => bench(it)", make(dtype))
                print(
                    f"| {what} | {dtype} | {r['nodes']} | {r['first']:.1f} ms "
                    f"| {r['median']:.3f} ms | ≤ {goal} ms |"
                )
                page.close()


if __name__ == "__main__":
    main()

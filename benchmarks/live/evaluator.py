"""Compares the speed of graphs in the page with that of TensorFlow Playground's algorithm.

python -m benchmarks.live.evaluator
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
HERE = Path(__file__).resolve().parent
PAGE = b"""<!doctype html><script type="module">
import * as live from "/live.js";
import * as playground from "/playground.js";

// A graph that the page runs, as a function that does one training step or one run.
const replayed = ({ graph, inputs, changed, state }) => {
  const program = new live.Program(live.parseGraph(graph));
  for (const [name, values] of Object.entries(inputs)) program.set(name, values);
  program.run();
  if (state) {
    const trainer = new live.RecordedTrainer(program, { state, initial: inputs, loss: "loss" });
    return () => trainer.step();
  }
  let change = 0;
  return () => {
    change = (change + 1e-4) % 0.01;
    program.set(changed, inputs[changed].map((x) => x + change));
    program.run();
  };
};
// The same work by TensorFlow Playground's algorithm.
const baselines = {
  step: () => {
    const network = playground.buildNetwork([2, 8, 1]);
    const random = () => 4 * Math.random() - 2;
    const point = () => ({ x: random(), y: random(), label: Math.random() < 0.5 ? 1 : -1 });
    const points = Array.from({ length: 200 }, point);
    return () => playground.step(network, points, 0.03);
  },
  map: () => {
    const network = playground.buildNetwork([2, 8, 8, 1]);
    const maps = playground.emptyMaps(network, 64);
    return () => playground.updateMaps(network, maps, 64);
  },
};
const millisecondsPerRun = (f, repeats) => {
  const start = performance.now();
  for (let i = 0; i < repeats; i++) f();
  return (performance.now() - start) / repeats;
};
// The two alternate in short rounds, so other load slows both; the minimum of each is reported.
window.bench = ({ baseline, repeats, rounds, ...program }) => {
  const before = performance.now();
  const functions = [replayed(program)];
  const first = performance.now() - before;
  if (baseline) functions.push(baselines[baseline]());
  const times = functions.map(() => []);
  for (let r = 0; r < rounds; r++)
    functions.forEach((f, k) => times[k].push(millisecondsPerRun(f, repeats)));
  const [page, peer] = times.map((all) => Math.min(...all));
  return { first, page, peer: peer ?? null, nodes: program.graph.nodes.length };
};
window.ready = true;
</script>"""


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the bundle, the baseline and a page that times both."""

    def do_GET(self) -> None:
        answers = {
            "/": (PAGE, "text/html"),
            "/playground.js": ((HERE / "playground.js").read_bytes(), "text/javascript"),
        }
        if self.path not in answers:
            return super().do_GET()
        body, content_type = answers[self.path]
        self.send_response(200)
        self.send_header("Content-Type", f"{content_type}; charset=utf-8")
        # The clock ticks every 5 µs in a page isolated from other origins, else every 100 µs.
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        self.end_headers()
        self.wfile.write(body)
        return None

    def log_message(self, *args: Any) -> None:
        pass


def flat(x: Any) -> list[float]:
    return np.ravel(x).astype(float).tolist()


def decision_map(dtype: str) -> dict[str, Any]:
    """A 64 × 64 map of a 2-8-8-1 tanh net; one weight matrix changes."""
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
    return {
        "graph": json.loads(graph.to_json()),
        "inputs": inputs,
        "changed": "w0",
        "repeats": 1,
        "rounds": 1500,
        "baseline": "map",
    }


def training_step(dtype: str) -> dict[str, Any]:
    """One step of gradient descent of a 2-8-1 net on 200 points, with its update, as one graph."""
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
    return {**case, "changed": "w0", "repeats": 10, "rounds": 2000, "baseline": "step"}


def digit_cnn(dtype: str) -> dict[str, Any]:
    """A CNN (5×5×8, pool, 5×5×16, pool, linear) on one 28 × 28 image that changes."""
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
    node, outputs = 0, []
    for channels, out, size in ((1, 8, 24), (8, 16, 8)):
        node = add("conv2d", [1, out, size, size], node, constant(out, channels, 5, 5), **conv)
        node = add("add", [1, out, size, size], node, constant(out, 1, 1))
        node = add("relu", [1, out, size, size], node)
        outputs.append({"name": f"maps{channels}", "node": node})
        node = add("max_pool2d", [1, out, size // 2, size // 2], node, **pool)
    node = add("reshape", [1, 256], node, shape=[1, 256])
    node = add("softmax", [1, 10], add("matmul", [1, 10], node, constant(256, 10)), dim=1)
    outputs.append({"name": "p", "node": node})
    graph = {"format": "nnlib.graph", "version": 1, "nodes": nodes, "outputs": outputs}
    image = {"image": flat(random.random((28, 28)))}
    return {"graph": graph, "inputs": image, "changed": "image", "repeats": 1, "rounds": 300}


CASES = (
    ("64 × 64 map of a 2-8-8-1 net, forward", decision_map, "6 times as fast"),
    ("training step of a 2-8-1 net on 200 points", training_step, "4 times as fast"),
    ("CNN 5×5×8, 5×5×16 on one digit, forward", digit_cnn, "10 ms"),
)


def main() -> None:
    handler = functools.partial(Handler, directory=str(STATIC))
    with Server(handler) as server, launched() as browser:
        print("| replayed in the page | dtype | nodes | first | page | Playground | ratio | goal |")
        print("|---|---|---|---|---|---|---|---|")
        for title, make_case, goal in CASES:
            for dtype in ("float32", "float64"):
                page = browser.new_page()
                page.goto(f"{server.origin}/")
                page.wait_for_function("window.ready === true")
                r = page.evaluate("settings => bench(settings)", make_case(dtype))
                peer = f"{r['peer']:.3f} ms | {r['peer'] / r['page']:.1f}" if r["peer"] else "– | –"
                print(
                    f"| {title} | {dtype} | {r['nodes']} | {r['first']:.1f} ms "
                    f"| {r['page']:.3f} ms | {peer} | {goal} |"
                )
                page.close()


if __name__ == "__main__":
    main()

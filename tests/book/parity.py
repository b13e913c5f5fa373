"""Compares a built page with nnlib: its figures' specs, their programs and the results."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from nnlib.graph import Graph
from tests.book.harness import FRAMES

STATE = re.compile(
    r'<script type="application/vnd\.jupyter\.widget-state\+json">(.*?)</script>', re.DOTALL
)
# Lists of numbers are sent as bytes, because playwright converts long lists slowly.
HELPERS = """() => {
  window.sceneOf = (name) =>
    nnlibLive.scenes.get(document.querySelector(`.nn-figure[data-name="${name}"]`));
  window.inputsOf = (name) => Object.fromEntries(
    [...sceneOf(name).inputs].map(([key, input]) => [key, input.jsonValue()]));
  const packed = (values) => {
    const bytes = new Uint8Array(Float64Array.from(values).buffer);
    let text = "";
    for (let i = 0; i < bytes.length; i += 32768) {
      text += String.fromCharCode(...bytes.subarray(i, i + 32768));
    }
    return btoa(text);
  };
  window.read = (name, keys) => Object.fromEntries(
    keys.map((key) => [key, packed(sceneOf(name).named(key).data)]));
  const graphs = new Map();
  window.hasGraph = (key) => graphs.has(key);
  window.addGraph = (key, text) => graphs.set(key, JSON.parse(text));
  window.replay = (key, inputs) => {
    const program = new nnlibLive.Program(nnlibLive.parseGraph(graphs.get(key)));
    for (const [name, values] of Object.entries(inputs)) program.set(name, values);
    program.run();
    return Object.fromEntries(program.outputs.map((o) => [o.name, packed(program.get(o.name))]));
  };
}"""


def unpacked(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<f8")


def figures_of(site: Path, name: str) -> dict[str, dict]:
    """The specs of a page's figures, by the figures' names."""
    match = STATE.search((site / name).read_text("utf8"))
    page_state = json.loads(match[1]) if match else {"state": {}}
    specs = [m["state"]["spec"] for m in page_state["state"].values() if "spec" in m["state"]]
    parts = [
        part for spec in specs for part in (spec, spec.get("training") or {}) if "pool" in part
    ]
    for part in parts:
        # a constant that several figures share is given by its position in the page's list
        part["pool"] = [page_state["shared"][c] if isinstance(c, int) else c for c in part["pool"]]
    return {spec["name"]: spec for spec in specs}


def program_of(spec: dict, inputs: dict) -> str | None:
    """The graph that the page runs for these inputs, with its pooled constants, as JSON."""
    key = ",".join(str(int(inputs[name])) for name in spec["static_inputs"])
    if not spec.get("programs"):
        return None
    graph = spec["programs"][key]
    nodes = []
    for node in graph["nodes"]:
        fields = {key: value for key, value in node.items() if key != "pool"}
        if "pool" in node:
            fields["base64"] = spec["pool"][node["pool"]]
        nodes.append(fields)
    return json.dumps({**graph, "nodes": nodes})


def stored_type(node: dict) -> str:
    """NumPy's name of the type of a constant's bytes; removes the field `stored`."""
    return "<f2" if node.pop("stored", None) else "<f4"


def in_float64(graph: dict) -> dict:
    """The graph, changed to double precision, in which page and Python must agree to 1e-9."""
    for node in graph["nodes"]:
        if "base64" in node and node["dtype"] == "float32":
            stored = np.frombuffer(base64.b64decode(node["base64"]), stored_type(node))
            doubles = stored.astype("<f8")
            node["base64"] = base64.b64encode(doubles.tobytes()).decode()
        if node["dtype"] == "float32":
            node["dtype"] = "float64"
        if node.get("attrs", {}).get("dtype") == "float32":
            node["attrs"]["dtype"] = "float64"
    return graph


class BothPrecisions(NamedTuple):
    """A figure's program as it was recorded, and the same in double precision."""

    recorded: Graph
    double: Graph
    text: str  # `double` as JSON
    key: str  # a hash of `text`


@functools.lru_cache(maxsize=16)
def both_precisions(recorded: str) -> BothPrecisions:
    text = json.dumps(in_float64(json.loads(recorded)))
    key = hashlib.sha256(text.encode()).hexdigest()
    return BothPrecisions(Graph.from_json(recorded), Graph.from_json(text), text, key)


def arguments(graph: Graph, spec: dict, inputs: dict) -> dict:
    """The recorded function's arguments, made from the inputs' values in the page."""
    values = {}
    for name, step in graph.inputs.items():
        value = inputs[name]
        if "values" in spec["inputs"][name]:
            value = spec["inputs"][name]["values"][int(value)]
        values[name] = np.asarray(value, step.dtype).reshape(step.shape)
    return values


class ScriptedPage(Protocol):
    """An open page, in any browser, that evaluates JavaScript."""

    def evaluate(self, expression: str, arg: Any = None) -> Any: ...


def check_against_python(page: ScriptedPage, spec: dict) -> None:
    """Checks that the page draws what nnlib computes in Python for the figure's current inputs."""
    name = spec["name"]
    page.evaluate(FRAMES)
    inputs = page.evaluate("window.inputsOf", name)
    simple = all(np.size(v) >= 1 and not isinstance(v, str) for v in inputs.values())
    recorded = program_of(spec, inputs)
    if recorded is None or not simple or "training" in spec:
        return
    program = both_precisions(recorded)
    expected = program.recorded.run(**arguments(program.recorded, spec, inputs))
    drawn = page.evaluate("([name, keys]) => window.read(name, keys)", [name, list(expected)])
    for key, values in expected.items():
        np.testing.assert_allclose(
            unpacked(drawn[key]), values.ravel().astype(float), rtol=5e-5, atol=5e-6,
            err_msg=f"{name}: {key}",
        )  # fmt: skip
    double_inputs = arguments(program.double, spec, inputs)
    if not page.evaluate("(key) => window.hasGraph(key)", program.key):
        added = [program.key, program.text]
        page.evaluate("([key, text]) => { window.addGraph(key, text) }", added)
    flat = {key: np.ravel(value).astype(float).tolist() for key, value in double_inputs.items()}
    replayed = page.evaluate("([key, inputs]) => window.replay(key, inputs)", [program.key, flat])
    for key, values in program.double.run(**double_inputs).items():
        np.testing.assert_allclose(
            unpacked(replayed[key]), values.ravel().astype(float), rtol=1e-9, atol=1e-9,
            err_msg=f"{name}: {key} in double precision",
        )  # fmt: skip

"""What a built page draws, against nnlib: its figures' specs, their programs, their values."""

from __future__ import annotations

import base64
import copy
import json
import re
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from nnlib.graph import Graph
from tests.book.harness import FRAMES

STATE = re.compile(
    r'<script type="application/vnd\.jupyter\.widget-state\+json">(.*?)</script>', re.DOTALL
)
HELPERS = """() => {
  window.sceneOf = (name) =>
    nnlibLive.scenes.get(document.querySelector(`.nn-figure[data-name="${name}"]`));
  window.inputsOf = (name) => Object.fromEntries(
    [...sceneOf(name).inputs].map(([key, input]) => [key, input.plain()]));
  window.read = (name, keys) => Object.fromEntries(
    keys.map((key) => [key, Array.from(sceneOf(name).named(key).data)]));
  window.replay = (graph, inputs) => {
    const program = new nnlibLive.Program(nnlibLive.parseGraph(graph));
    for (const [name, values] of Object.entries(inputs)) program.set(name, values);
    program.run();
    return Object.fromEntries(
      program.outputs.map((o) => [o.name, Array.from(program.get(o.name))]));
  };
}"""


def figures_of(site: Path, name: str) -> dict[str, dict]:
    """The specs of a page's figures, by the figures' names."""
    found = STATE.search((site / name).read_text("utf8"))
    models = json.loads(found[1])["state"].values() if found else ()
    specs = [model["state"]["spec"] for model in models if "spec" in model["state"]]
    return {spec["name"]: spec for spec in specs}


def program_of(spec: dict, inputs: dict) -> dict | None:
    """The graph that the page runs for these inputs, with its pooled constants put back."""
    key = ",".join(str(int(inputs[name])) for name in spec.get("choices", []))
    graph = copy.deepcopy(spec.get("programs", {}).get(key))
    for node in graph["nodes"] if graph else ():
        if "pool" in node:
            node["base64"] = spec["pool"][node.pop("pool")]
    return graph


def half_or_single(node: dict) -> str:
    return "<f2" if node.pop("stored", None) else "<f4"


def in_float64(graph: dict) -> dict:
    """The same graph in double precision, where page and Python must agree to 1e-9."""
    for node in graph["nodes"]:
        if "base64" in node and node["dtype"] == "float32":
            stored = np.frombuffer(base64.b64decode(node["base64"]), half_or_single(node))
            wide = stored.astype("<f8")
            node["base64"] = base64.b64encode(wide.tobytes()).decode()
        if node["dtype"] == "float32":
            node["dtype"] = "float64"
        if node.get("attrs", {}).get("dtype") == "float32":
            node["attrs"]["dtype"] = "float64"
    return graph


def arguments(graph: Graph, spec: dict, inputs: dict) -> dict:
    """What the recorded function takes, from the inputs' values as the page keeps them."""
    made = {}
    for name, step in graph.inputs.items():
        value = inputs[name]
        if "values" in spec["inputs"][name]:
            value = spec["inputs"][name]["values"][int(value)]
        made[name] = np.asarray(value, step.dtype).reshape(step.shape)
    return made


class Runs(Protocol):
    """A page, of whichever browser, that runs functions."""

    def evaluate(self, expression: str, arg: Any = None) -> Any: ...


def check_against_python(page: Runs, spec: dict) -> None:
    """What is drawn equals what nnlib computes in Python for the figure's present inputs."""
    name = spec["name"]
    page.evaluate(FRAMES)
    inputs = page.evaluate("window.inputsOf", name)
    simple = all(np.size(v) >= 1 and not isinstance(v, str) for v in inputs.values())
    recorded = program_of(spec, inputs)
    if recorded is None or not simple or "training" in spec:
        return
    graph = Graph.from_json(json.dumps(recorded))
    expected = graph.run(**arguments(graph, spec, inputs))
    drawn = page.evaluate("([n, keys]) => window.read(n, keys)", [name, list(expected)])
    for key, values in expected.items():
        np.testing.assert_allclose(
            np.asarray(drawn[key], float), values.ravel().astype(float), rtol=5e-5, atol=5e-6,
            err_msg=f"{name}: {key}",
        )  # fmt: skip
    wide_json = in_float64(recorded)
    wide = Graph.from_json(json.dumps(wide_json))
    given = arguments(wide, spec, inputs)
    flat = {key: np.ravel(value).astype(float).tolist() for key, value in given.items()}
    replayed = page.evaluate("([graph, inputs]) => window.replay(graph, inputs)", [wide_json, flat])
    for key, values in wide.run(**given).items():
        np.testing.assert_allclose(
            np.asarray(replayed[key], float), values.ravel().astype(float), rtol=1e-9, atol=1e-9,
            err_msg=f"{name}: {key} in double precision",
        )  # fmt: skip

"""Live figures in the built pages: each is alive, answers mouse and keys, and agrees with nnlib."""

from __future__ import annotations

import base64
import copy
import json
import re
from pathlib import Path

import numpy as np
import pytest

from nnlib.graph import Graph
from tests.book.harness import BOOK_PAGES, DESKTOP, FRAMES, PHONE, Visit

pytestmark = pytest.mark.browser

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


def check_against_python(visit: Visit, spec: dict) -> None:
    """What is drawn equals what nnlib computes in Python for the figure's present inputs."""
    page, name = visit.page, spec["name"]
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


def alive(visit: Visit, specs: dict) -> None:
    page = visit.page
    if specs:
        page.wait_for_selector(".nn-figure[data-ready]")
        page.evaluate(HELPERS)
    assert page.locator(".nn-broken").count() == 0
    ready = page.locator(".nn-figure[data-ready]")
    shown = ready.evaluate_all("all => all.map((e) => e.dataset.name)")
    assert sorted(shown) == sorted(specs)
    assert page.locator(".nn-fallback").count() == 0


@pytest.mark.parametrize("name", BOOK_PAGES)
@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_each_control_moves_by_key_and_mouse_and_the_figure_follows(visit, site, name, width):
    specs = figures_of(site, name)
    opened = visit(name, width=width)
    page = opened.page
    alive(opened, specs)
    for spec in specs.values():
        check_against_python(opened, spec)
        figure = page.locator(f'.nn-figure[data-name="{spec["name"]}"]')
        sliders = figure.locator("input[type=range]:visible")
        for i in range(sliders.count()):
            slider = sliders.nth(i)
            before = slider.input_value()
            slider.focus()
            slider.press("ArrowRight")
            if slider.input_value() == before:
                slider.press("ArrowLeft")
            assert slider.input_value() != before, f"{spec['name']}: slider {i} by key"
            check_against_python(opened, spec)
            by_key = slider.input_value()
            box = slider.bounding_box()
            for share in (0.9, 0.15):
                slider.click(position={"x": box["width"] * share, "y": box["height"] / 2})
                if slider.input_value() != by_key:
                    break
            assert slider.input_value() != by_key, f"{spec['name']}: slider {i} by mouse"
            check_against_python(opened, spec)
    assert opened.faults == []


# The middle of a knob; for a curve that can be dragged itself, a point that lies on it.
WHERE_TO_GRIP = """(handle) => {
  if (handle.tagName === "path") {
    const on = handle.getPointAtLength(0.3 * handle.getTotalLength());
    const at = on.matrixTransform(handle.getScreenCTM());
    return [at.x, at.y];
  }
  const box = handle.getBoundingClientRect();
  return [box.x + box.width / 2, box.y + box.height / 2];
}"""


@pytest.mark.parametrize("name", BOOK_PAGES)
def test_each_handle_moves_by_key_and_by_dragging(visit, site, name) -> None:
    specs = figures_of(site, name)
    opened = visit(name)
    page = opened.page
    alive(opened, specs)
    for spec in specs.values():
        figure = page.locator(f'.nn-figure[data-name="{spec["name"]}"]')
        handles = figure.locator('svg [role="slider"]:visible')
        for i in range(min(handles.count(), 6)):
            handle = handles.nth(i)
            before = page.evaluate("window.inputsOf", spec["name"])
            handle.focus()
            handle.press("ArrowRight")
            handle.press("ArrowUp")
            page.evaluate(FRAMES)
            by_key = page.evaluate("window.inputsOf", spec["name"])
            assert by_key != before, f"{spec['name']}: handle {i} by key"
            handle.scroll_into_view_if_needed()
            x, y = handle.evaluate(WHERE_TO_GRIP)
            page.mouse.move(x, y)
            page.mouse.down()
            page.mouse.move(x + 9, y - 13, steps=3)
            page.mouse.up()
            page.evaluate(FRAMES)
            assert page.evaluate("window.inputsOf", spec["name"]) != by_key, f"handle {i} by mouse"
            check_against_python(opened, spec)
    assert opened.faults == []


def test_some_page_holds_a_figure(site) -> None:
    assert any(figures_of(site, name) for name in BOOK_PAGES)


def test_a_figures_picture_stands_where_no_script_runs(browser, address, site) -> None:
    name = next(name for name in BOOK_PAGES if figures_of(site, name))
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + name)
    fallback = page.locator(".nn-fallback").first
    assert fallback.is_visible()
    assert fallback.locator('[role="img"]').get_attribute("aria-label")
    context.close()

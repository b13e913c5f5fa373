"""The rules of Colab, VS Code, JupyterLab and Notebook 7 for an anywidget, checked on the figures.

These hosts run the module from a string, in a frame of their own, without a server for its files.
So the module must not import or fetch anything, use RequireJS or define global names, and it must
export `render`.
"""

from __future__ import annotations

import functools
import json
import re
from typing import Any

import pytest

from nnlib import live
from nnlib.live.library import STATIC
from nnlib.live.widget import Figure
from tests.live import gallery
from tests.live.conftest import Handler
from tools.browser import Server, launched

BUNDLE = (STATIC / "live.js").read_text("utf8")
LOADER = Figure._esm if isinstance(Figure._esm, str) else str(Figure._esm)
REFUSED = {
    "an import": r"(?<![\w.$])import(\s+[\w{*]|\s*[{*\"'])",
    "a fetch": r"(?<![\w.$])(fetch|importScripts)\s*\(|new (XMLHttpRequest|WebSocket|EventSource)\b",
    "RequireJS": r"(?<![\w.$])(require|define|requirejs)\s*\(",
    "a global name": r"\b(window|self|globalThis)\.\w+\s*=[^=]",
    "the script's own address": r"import\.meta|document\.currentScript",
    "code from a string": r"\beval\s*\(|new Function\b",
}


@pytest.mark.parametrize("code", [BUNDLE, LOADER], ids=["bundle", "loader"])
@pytest.mark.parametrize("construct", REFUSED)
def test_the_module_needs_nothing_from_its_host(code: str, construct: str) -> None:
    assert re.search(REFUSED[construct], code) is None


def test_the_patterns_find_code_that_breaks_the_rules() -> None:
    broken = {
        "an import": 'import x from "./d3.js"', "a fetch": 'fetch("data.json")',
        "RequireJS": 'define(["a"], f)', "a global name": "window.nn = 1",
        "the script's own address": "new URL('a', import.meta.url)", "code from a string": "eval(s)",
    }  # fmt: skip
    assert all(re.search(REFUSED[construct], code) for construct, code in broken.items())


def test_the_module_imports_nothing_later_and_exports_render() -> None:
    assert re.search(r"\bimport\s*\(", BUNDLE) is None
    assert re.search(r"export default \{\s*async render\(", LOADER)
    assert re.search(r"export\s*\{[^}]* as default[^}]*\}", BUNDLE)


def test_the_state_of_a_figure_is_small_and_all_figures_share_the_bundle() -> None:
    figures = gallery.figures()
    assert len({id(f.library) for f in figures}) == 1
    assert len(LOADER) < 2_000 and len(BUNDLE) < 400_000
    for figure in figures:
        state = {k: v for k, v in figure.get_state().items() if k != "library"}
        assert len(json.dumps(state)) < 300_000, figure
        assert state["_model_module"] == state["_view_module"] == "anywidget"


# A host as the specification describes it: a module from a blob, a model, and an element for it.
HOST = """async ({ loader, source, figures }) => {
  const listeners = new Map();
  const library = { get: (name) => (name === "source" ? source : undefined) };
  let requests = 0;
  const models = figures.map((state) => ({
    saved: 0,
    get: (name) => state[name],
    set(name, value) { state[name] = value; },
    save_changes() { this.saved++; },
    on: (name, f) => void listeners.set(f, name),
    off: (name, f) => void listeners.delete(f),
    widget_manager: { get_model: async () => { requests++; return library; } },
  }));
  const before = new Set(Object.getOwnPropertyNames(globalThis));
  const url = URL.createObjectURL(new Blob([loader], { type: "text/javascript" }));
  const module = await import(url);
  const hosts = models.map((_, i) => {
    const host = document.body.appendChild(document.createElement("div"));
    return i ? host : host.attachShadow({ mode: "open" }).appendChild(document.createElement("div"));
  });
  const ends = await Promise.all(models.map((model, i) => module.default.render({ model, el: hosts[i] })));
  await new Promise((done) => setTimeout(done, 200));
  const slider = hosts[0].querySelector("input[type=range]");
  slider.value = "7";
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  await new Promise((done) => setTimeout(done, 200));
  const observed = {
    requests, saved: models[0].saved, values: models[0].get("values"),
    ready: hosts.map((h) => h.querySelectorAll(".nn-figure[data-ready]").length),
    styled: getComputedStyle(hosts[0].querySelector(".nn-toolbar")).display,
    readout: hosts[0].querySelector(".nn-readout").textContent,
    names: Object.getOwnPropertyNames(globalThis).filter((n) => !before.has(n)),
  };
  ends.forEach((end) => end());
  return { ...observed, left: hosts.map((h) => h.childElementCount), listening: listeners.size };
}"""


def figure_state(name: str) -> dict[str, Any]:
    figure = live.figure(
        lambda w: {"double": 2 * w}, w=live.slider(0.0, 10.0, 1.0, value=3.0),
        view=["twice is {double:.1f}"], title=name,
    )  # fmt: skip
    state = figure.get_state()
    return {**state, "library": "IPY_MODEL_x", "values": dict(state["values"])}


@pytest.mark.slow
def test_a_minimal_host_can_show_operate_and_remove_figures() -> None:
    handler = functools.partial(Handler, directory=str(STATIC))
    with Server(handler) as server, launched() as browser:
        page = browser.new_page()
        requested: list[str] = []
        page.goto(f"{server.origin}/live.css")
        page.on(
            "request", lambda r: requested.append(r.url) if not r.url.startswith("blob:") else None
        )
        arguments = {"loader": LOADER, "source": BUNDLE,
                     "figures": [figure_state("one"), figure_state("two")]}  # fmt: skip
        results = page.evaluate(HOST, arguments)
    assert results["requests"] == 1 and results["ready"] == [1, 1] and requested == []
    assert results["values"]["w"] == 7 and results["saved"] >= 1 and "14.0" in results["readout"]
    assert results["styled"] == "flex"
    assert results["names"] == []
    assert results["left"] == [0, 0] and results["listening"] == 0

"""The book's pages in Firefox and WebKit: controls respond, figures are right, code runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.book.harness import FRAMES
from tests.book.parity import HELPERS, check_against_python, figures_of
from tests.book.python_page import cells_of, needs_python, outputs_of_page, stored
from tests.engines.conftest import PAGES
from tests.engines.driver import Engine

pytestmark = pytest.mark.browser
PAGE = "chapters/sigmoid"
OTHER_PAGE = "glossary.html"  # the page that Back leaves

READY = """() => {
  const all = [...document.querySelectorAll(".nn-figure")];
  return document.readyState === "complete" && all.every((e) => e.dataset.ready !== undefined);
}"""
# Focuses the n-th control in a figure that a selector selects; returns the same as FOCUSED_STATE,
# null if there is no such control, or "no focus" if it cannot be focused.
FOCUS = """([name, selector, n]) => {
  const figure = document.querySelector(`.nn-figure[data-name="${name}"]`);
  const control = [...figure.querySelectorAll(selector)]
    .filter((e) => e.checkVisibility({ visibilityProperty: true }))[n];
  if (!control) return null;
  control.scrollIntoView({ block: "center", behavior: "instant" });
  control.focus();
  if (document.activeElement !== control) return "no focus";
  return JSON.stringify([control.value, inputsOf(name)]);
}"""
# The value of the focused control and the inputs of its figure.
FOCUSED_STATE = "(name) => JSON.stringify([document.activeElement.value, inputsOf(name)])"
# Sets the lists, ticks the boxes and clicks the steps of a figure; returns how many there were.
OPERATE = """(name) => {
  const figure = document.querySelector(`.nn-figure[data-name="${name}"]`);
  const shown = (selector) =>
    [...figure.querySelectorAll(selector)].filter((e) => e.checkVisibility());
  const lists = shown("select"), boxes = shown("input[type=checkbox]");
  const steps = shown(".nn-stepper button:not([aria-label=play])");
  for (const list of lists) {
    list.selectedIndex = list.options.length - 1;
    list.dispatchEvent(new Event("change", { bubbles: true }));
  }
  for (const control of [...boxes, ...steps]) control.click();
  return lists.length + boxes.length + steps.length;
}"""


def opened(engine: Engine, address: str, name: str) -> None:
    engine.open(address + name)
    engine.until(f"({READY})()")
    engine.evaluate(HELPERS)


def errors_of_page(engine: Engine) -> list[str]:
    return engine.evaluate("[...window.pageErrors, ...window.requestsToOtherServers()]")


@pytest.mark.reads("{name}")
@pytest.mark.parametrize("name", PAGES)
def test_every_control_can_be_moved_by_keys_and_figures_agree_with_python(
    engine: Engine, address: str, site: Path, name: str
) -> None:
    specs = figures_of(site, name)
    opened(engine, address, name)
    shown = "[...document.querySelectorAll('.nn-figure')].map((figure) => figure.dataset.name)"
    assert sorted(engine.evaluate(shown)) == sorted(specs)
    assert engine.evaluate("document.querySelectorAll('.nn-broken').length") == 0
    for figure, spec in specs.items():
        check_against_python(engine, spec)
        for selector, limit in (("input[type=range]", 99), ('svg [role="slider"]', 6)):
            for n in range(limit):
                before = engine.evaluate(FOCUS, [figure, selector, n])
                if before is None:
                    break
                assert before != "no focus", f"{figure}: {selector} {n} cannot be reached by Tab"
                for key in ("ArrowRight", "ArrowUp", "ArrowLeft"):
                    engine.press(key)
                    engine.evaluate(FRAMES)
                    if engine.evaluate(FOCUSED_STATE, figure) != before:
                        break
                else:
                    pytest.fail(f"{figure}: no key moves {selector} {n}")
            check_against_python(engine, spec)
        if engine.evaluate(OPERATE, figure):
            check_against_python(engine, spec)
    assert errors_of_page(engine) == []


# The value that each slider shows, and the figure's input of the same name.
SLIDERS = """(name) => {
  const figure = document.querySelector(`.nn-figure[data-name="${name}"]`);
  const labels = new Map([...figure.querySelectorAll("input[type=range]")]
    .map((slider) => [slider.labels[0]?.textContent, Number(slider.value)]));
  return [...sceneOf(name).inputs].filter(([, input]) => input.spec.control === "slider")
    .map(([key, input]) => [key, labels.get(input.spec.label ?? key), Number(input.raw)]);
}"""


def return_to_page(engine: Engine, address: str, name: str, way: str) -> None:
    """Shows the page again: by Back from another page, or by a reload."""
    if way == "history.back()":
        engine.open(address + OTHER_PAGE)
    else:
        engine.evaluate("() => { window.before = true }")
    engine.evaluate(f"() => {{ setTimeout(() => {way}) }}")
    shown = "document.querySelector('.nn-figure') !== null"
    engine.until(f"location.pathname.endsWith('{name}') && !window.before && {shown}")
    engine.until(f"({READY})()")
    engine.evaluate(HELPERS)
    for _ in range(5):
        engine.evaluate(FRAMES)


@pytest.mark.reads(f"{PAGE}.html", OTHER_PAGE)
@pytest.mark.parametrize("way", ["history.back()", "location.reload()"])
def test_after_a_return_sliders_show_the_figures_values(
    engine: Engine, address: str, way: str
) -> None:
    opened(engine, address, f"{PAGE}.html")
    slider = "document.querySelector('.nn-figure input[type=range]')"
    name = engine.evaluate(f"{slider}.closest('.nn-figure').dataset.name")
    engine.evaluate(FOCUS, [name, "input[type=range]", 0])
    for _ in range(3):
        engine.press("ArrowRight")
    return_to_page(engine, address, f"{PAGE}.html", way)
    sliders = engine.evaluate(SLIDERS, name)
    assert sliders
    for key, shown, input_value in sliders:
        assert shown == pytest.approx(input_value), f"after {way} the slider of {key}"


# The value that each control shows, and the figure's input of the same name.
CONTROLS = """() => {
  const all = (root, selector) => [...root.querySelectorAll(selector)];
  const choice = (name) => all(document, `input[name="${name}"]`).findIndex((e) => e.checked);
  const rows = [];
  for (const figure of document.querySelectorAll(".nn-figure")) {
    for (const [key, input] of sceneOf(figure.dataset.name).inputs) {
      const { label, control } = input.spec;
      const named = all(figure, "label, legend").filter((e) => e.textContent === (label ?? key));
      const node = named.map((e) => e.control ?? e.closest("fieldset")?.querySelector("input"))
        .find(Boolean);
      if (!node || !["number", "checkbox", "dropdown", "text"].includes(control)) continue;
      const shown = control === "checkbox" ? node.checked
        : node.type === "radio" ? choice(node.name)
        : control === "text" ? node.value : Number(node.value);
      rows.push([figure.dataset.name, key, shown, input.raw]);
    }
  }
  return rows;
}"""
# For each question: the number of choices, the one that is chosen, the verdict.
ANSWERED = """() => [
  ...document.querySelectorAll(".nn-quiz-question, .nn-predict"),
].map((question) => {
  const radios = [...question.querySelectorAll("input[type=radio]")];
  const verdict = question.querySelector(".nn-verdict").textContent;
  return [radios.length, radios.findIndex((e) => e.checked), verdict];
}).filter(([count]) => count)"""
# Changes every choice on the page and answers every question.
CHOOSE = """() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  for (const question of all(".nn-quiz-question, .nn-predict")) {
    question.querySelector("input[type=radio]")?.click();
    question.querySelector(".nn-primary").click();
  }
  for (const list of all(".nn-figure select")) {
    list.selectedIndex = list.options.length - 1;
    list.dispatchEvent(new Event("change", { bubbles: true }));
  }
  for (const box of all(".nn-controls input[type=checkbox]")) box.click();
  for (const group of all(".nn-controls fieldset")) {
    [...group.querySelectorAll("input")].at(-1).click();
  }
}"""


@pytest.mark.reads("{name}", OTHER_PAGE)
@pytest.mark.parametrize("way", ["history.back()", "location.reload()"])
@pytest.mark.parametrize("name", ["chapters/layers.html", "chapters/xor.html"])
def test_after_a_return_controls_agree_with_figures_and_answers_with_verdicts(
    engine: Engine, address: str, name: str, way: str
) -> None:
    opened(engine, address, name)
    engine.evaluate(CHOOSE)
    engine.evaluate(FRAMES)
    assert sum(verdict != "" for _, _, verdict in engine.evaluate(ANSWERED)) > 2
    return_to_page(engine, address, name, way)
    controls = engine.evaluate(CONTROLS)
    assert controls
    for figure, key, shown, input_value in controls:
        assert shown == input_value, f"after {way}, {figure}: {key}"
    for count, chosen, verdict in engine.evaluate(ANSWERED):
        assert (chosen >= 0) == (verdict != ""), f"after {way}: {chosen} of {count}, {verdict!r}"


@pytest.mark.reads("chapters/layers.html")
def test_training_pauses_out_of_sight_and_continues_with_a_note(
    engine: Engine, address: str
) -> None:
    opened(engine, address, "chapters/layers.html")
    figure = "document.querySelector('.nn-training').closest('.nn-figure')"
    steps = f"sceneOf({figure}.dataset.name).named('step').data[0]"
    engine.evaluate(f"() => {{ {figure}.scrollIntoView({{ behavior: 'instant' }}) }}")
    engine.evaluate(f"() => {{ {figure}.querySelector('.nn-training button').click() }}")
    engine.until(f"{steps} > 0")
    engine.evaluate("() => { scrollTo({ top: document.body.scrollHeight, behavior: 'instant' }) }")
    for _ in range(5):
        engine.evaluate(FRAMES)
    stopped = engine.evaluate(steps)
    engine.evaluate("() => new Promise((done) => setTimeout(done, 1200))")  # two steps at this pace
    assert engine.evaluate(steps) == stopped, "training continues out of view"
    engine.evaluate(f"() => {{ {figure}.scrollIntoView({{ behavior: 'instant' }}) }}")
    engine.until(f"{steps} > {stopped}")
    assert "Paused while out of view" in engine.evaluate(f"{figure}.textContent")


@pytest.mark.reads("reference/functions.html")
def test_an_example_of_the_reference_is_copied_without_its_prompts(
    engine: Engine, address: str
) -> None:
    opened(engine, address, "reference/functions.html")
    engine.until("document.querySelectorAll('div.doctest .copybtn').length > 0")
    shown = engine.evaluate("document.querySelector('div.doctest pre').textContent")
    assert ">>> " in shown
    engine.evaluate("""() => {
      document.addEventListener("copy", (event) => { window.copied = event.target.value; });
    }""")
    engine.click("div.doctest .copybtn")  # the browser lets only a real click copy
    engine.until("window.copied !== undefined", seconds=20)
    lines = engine.evaluate("window.copied").strip().split("\n")
    code = [line[4:] for line in shown.split("\n") if line.startswith((">>> ", "... "))]
    assert lines == code


@pytest.mark.reads(f"{PAGE}.html")
def test_a_chapters_code_runs_and_prints_the_stored_output(
    engine: Engine, address: str, site: Path
) -> None:
    needs_python(site)
    opened(engine, address, f"{PAGE}.html")
    cells = cells_of(PAGE)
    state = "document.querySelector('.nn-run-bar')?.dataset.state"
    engine.evaluate("() => document.querySelector('.nn-run-start').click()")
    engine.until(f"['ready', 'failed'].includes({state})", 120)
    assert engine.evaluate(state) == "ready"
    engine.evaluate("""() => [...document.querySelectorAll(".nn-run-bar button")]
      .find((button) => button.textContent === "Run all").click()""")
    finished = f"window.runs.length >= {len(cells)} || window.runs.some((r) => r.status !== 'ok')"
    engine.until(finished, 300)
    runs = engine.evaluate("window.runs")
    wrong = [
        cell["id"] for run, cell in zip(runs, cells, strict=False)
        if run["status"] != "ok" or outputs_of_page(run["messages"]) != stored(cell)
    ]  # fmt: skip
    assert wrong == [] and len(runs) == len(cells)

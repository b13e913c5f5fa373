"""Run the code: Python in the page, in Chromium that reaches only loopback."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.accessibility import serious_violations
from tests.book.python_page import (
    ARRAY,
    CHECK,
    EXERCISE,
    FIRST,
    OTHER,
    PAGE,
    PYTORCH,
    SANDBOX,
    PythonPage,
    cells_of,
    stored,
    until,
)

pytestmark = [pytest.mark.browser, pytest.mark.reads(f"{PAGE}.html")]


@pytest.fixture(scope="module")
def python(browser: Browser, base: str) -> Iterator[PythonPage]:
    """One page whose Python all of these tests share."""
    page = PythonPage(browser, base, f"{PAGE}.html").start()
    yield page
    page.close()


@pytest.fixture
def faultless(python: PythonPage) -> Iterator[PythonPage]:
    """The shared page; fails if the page records an error during the test."""
    before = len(python.visit.errors)
    yield python
    assert python.visit.errors[before:] == []


def test_nothing_of_python_is_loaded_before_the_button_is_pressed(
    browser: Browser, base: str
) -> None:
    page = PythonPage(browser, base, f"{PAGE}.html")
    page.page.wait_for_load_state("networkidle")
    assert not [url for url in page.requests if "/python/" in url or url.endswith("sw.js")]
    button = page.page.locator(".nn-run-start")
    assert button.inner_text() == "Run the code"
    assert re.search(
        r"on your machine \(\d+ MB the first time\)", page.page.inner_text(".nn-run-host")
    )
    page.close()


def test_the_page_shows_what_it_loads_and_how_much(browser: Browser, base: str) -> None:
    watch = """
      window.lines = [];
      window.positions = [];  // of the progress bar, from 0 to 1
      document.addEventListener("DOMContentLoaded", () => new MutationObserver(() => {
        const line = document.querySelector(".nn-run-status")?.textContent;
        if (line && window.lines.at(-1) !== line) window.lines.push(line);
        const meter = document.querySelector(".nn-run-meter");
        if (meter && !meter.hidden && meter.position >= 0) window.positions.push(meter.position);
      }).observe(document.body, { subtree: true, childList: true, characterData: true }));
    """
    page = PythonPage(browser, base, f"{PAGE}.html", watch).start()
    lines = page.page.evaluate("window.lines")
    amounts = [
        (float(m[1]), float(m[2]))
        for line in lines
        if (m := re.fullmatch(r"Loading .+ … ([\d.]+) of ([\d.]+) MB", line))
    ]
    assert len(amounts) > 3, lines
    assert amounts == sorted(amounts)
    assert 0.6 < amounts[-1][0] / amounts[-1][1] <= 1.0, amounts[-1]
    positions = page.page.evaluate("window.positions")
    assert positions == sorted(positions)
    assert positions[-1] == pytest.approx(amounts[-1][0] / amounts[-1][1], abs=0.02)
    assert re.fullmatch(r"Python 3\.\d+\.\d+ is ready\.", lines[-1])
    assert not [url for url in page.requests if "matplotlib" in url or "pillow" in url]
    assert page.visit.errors == []
    page.close()


def test_a_cell_runs_by_the_keyboard_alone(faultless: PythonPage) -> None:
    python = faultless
    cell = python.cell(FIRST)
    before = len(python.runs())
    cell.locator.locator(".cm-content").focus()
    python.page.keyboard.press("Shift+Enter")
    cell.wait_until_run("ok", before)
    assert "".join(stored(cells_of(PAGE)[0])[0][1]).strip() in cell.output
    assert "done in" in cell.locator.locator(".nn-run-state").inner_text()
    # the next cell has the focus; Escape, then Tab, leaves its editor
    focused = "document.activeElement.closest('.nn-run-cell').id"
    assert python.page.evaluate(focused) == f"cell-{ARRAY}"
    python.page.keyboard.press("Escape")
    python.page.keyboard.press("Tab")
    assert python.page.evaluate("document.activeElement.textContent") == "Run"
    before = len(python.runs())
    python.page.keyboard.press("Enter")
    python.cell(ARRAY).wait_until_run("ok", before)


def test_run_all_above_runs_the_cells_that_have_not_run(faultless: PythonPage) -> None:
    faultless.press("Restart")
    faultless.wait("ready")
    cell = faultless.cell(EXERCISE)
    before = len(faultless.runs())
    cell.locator.get_by_role("button", name=re.compile("^Run all above")).click()
    above = next(i for i, c in enumerate(cells_of(PAGE)) if c["id"] == EXERCISE)
    faultless.page.wait_for_function(f"window.runs.length >= {before + above}", timeout=60_000)
    assert all(run["status"] == "ok" for run in faultless.runs()[before:])
    assert cell.status == ""


def test_edits_are_kept_and_can_be_reset(browser: Browser, base: str) -> None:
    page = PythonPage(browser, base, f"{PAGE}.html").start()
    cell = page.cell(SANDBOX)
    original = cell.source
    cell.write('x = 6 * 7\nfor i in range(2):\n    print("line", i)\nx')
    cell.run()
    assert cell.output.split() == ["line", "0", "line", "1", "42"]
    page.open()
    page.start()
    cell = page.cell(SANDBOX)
    assert cell.source.startswith("x = 6 * 7"), "the edit was lost with the page"
    with page.page.expect_download() as download:
        page.press("Download notebook")
    notebook = json.loads(Path(download.value.path()).read_text("utf8"))
    edited = next(c for c in notebook["cells"] if c["id"] == SANDBOX)
    assert edited["source"].startswith("x = 6 * 7") and edited["outputs"] == []
    assert download.value.suggested_filename == "sigmoid.ipynb"
    sources = {c["id"]: "".join(c["source"]) for c in notebook["cells"]}
    assert sources[FIRST] == "".join(cells_of(PAGE)[0]["source"])

    cell.locator.get_by_role("button", name=re.compile("^Reset")).click()
    assert cell.source == original
    page.cell(OTHER).write("1 + 1")
    page.press("Reset page")
    page.wait("ready")
    assert page.cell(OTHER).source.startswith("z = nnlib.linspace")
    assert (
        page.page.evaluate("Object.keys(localStorage).filter(k => k.startsWith('nnlib-run'))") == []
    )
    assert page.visit.errors == []
    page.close()


def test_an_error_is_explained_where_it_happened(faultless: PythonPage) -> None:
    cell = faultless.cell(SANDBOX)
    cell.write("gradient = 1\n\ndef f(x):\n    return gradent * x\n\nf(2)").run("error")
    box = cell.locator.locator(".nn-run-error")
    assert "NameError: name 'gradent' is not defined" in box.inner_text()
    assert "Did you mean gradient?" in box.inner_text()
    assert box.locator("mark").last.inner_text() == "gradent"
    name = cell.locator.locator(".nn-run-name").inner_text()
    frames = box.locator(".nn-run-link").all_inner_texts()
    assert frames == [f"{name}, line 6", f"{name}, line 4"]
    box.locator(".nn-run-link").last.click()
    focused = "document.activeElement.closest('.nn-run-cell')?.id"
    assert faultless.page.evaluate(focused) == f"cell-{SANDBOX}"
    box.get_by_text("The whole traceback").click()
    assert "Traceback (most recent call last)" in box.locator(".nn-run-traceback pre").inner_text()

    cell.write("def f(:\n    pass").run("error")
    assert "SyntaxError" in cell.output and "line 1" in cell.output
    assert "inside" not in cell.output, "the reader's own cell is not a package"
    cell.write("import nnlib\nnnlib.ones(2, 3) @ nnlib.ones(2, 3)").run("error")
    assert "inside" in cell.output or "raised in nnlib/" in cell.output
    # after an error, Python still runs other cells
    assert cell.write("3 * 14").run().output == "42"


def test_an_endless_loop_is_stopped_and_the_page_stays_responsive(python: PythonPage) -> None:
    cell = python.cell(SANDBOX)
    cell.write("number = 5").run()
    cell.write("while True:\n    pass")
    cell.locator.get_by_role("button", name=re.compile("^Run cell")).click()
    python.wait("busy")
    began = time.monotonic()
    python.page.evaluate("new Promise(done => requestAnimationFrame(done))")
    assert time.monotonic() - began < 2, "the page was blocked by the running cell"
    python.press("Stop")
    python.wait("ready")
    expect(cell.locator).to_have_attribute("data-run", "stopped")
    assert cell.write("1 + 1").run().output == "2"


def test_restart_forgets_every_variable(faultless: PythonPage) -> None:
    cell = faultless.cell(SANDBOX)
    cell.write("number = 5").run()
    faultless.press("Restart")
    faultless.wait("ready")
    assert "All variables are gone" in faultless.message
    assert "NameError" in cell.write("number").run("error").output


def test_output_arrives_while_the_cell_runs(faultless: PythonPage) -> None:
    cell = faultless.cell(SANDBOX)
    cell.write('import time\nprint("first")\ntime.sleep(4)\nprint("second")')
    before = len(faultless.runs())
    cell.locator.get_by_role("button", name=re.compile("^Run cell")).click()
    expect(cell.area).to_have_text("first\n", timeout=10_000)
    assert len(faultless.runs()) == before, "the output was shown only at the end"
    cell.wait_until_run("ok", before)
    assert cell.output.split() == ["first", "second"]


def test_much_output_comes_in_a_box_that_scrolls(faultless: PythonPage) -> None:
    cell = faultless.cell(SANDBOX)
    cell.write("for i in range(5000):\n    print('step', i)").run()
    box = cell.area.locator("pre")
    shown, whole = box.evaluate("pre => [pre.clientHeight, pre.scrollHeight]")
    assert shown < 600 and whole > 20 * shown, (shown, whole)
    assert box.evaluate("pre => pre.scrollTop + pre.clientHeight > pre.scrollHeight - 5")
    assert cell.output.startswith("step 0") and cell.output.rstrip().endswith("step 4999")
    box.focus()
    faultless.page.keyboard.press("Home")
    until(faultless.page, "document.activeElement.scrollTop < 1000")
    # endless output does not fill the page while the cell runs
    cell.write("while True:\n    print('again and again and again')")
    cell.locator.get_by_role("button", name=re.compile("^Run cell")).click()
    faultless.wait("busy")
    faultless.page.wait_for_timeout(1500)
    assert len(cell.area.inner_text()) <= 100_000
    faultless.press("Stop")
    faultless.wait("ready")


NOT_IN_A_PAGE = {
    "input('name? ')": 'name = "Ada"',
    "import threading\nthreading.Thread(target=print).start()": "one thread",
    "import subprocess\nsubprocess.run(['ls'])": "cannot start other programs",
    "import urllib.request\nurllib.request.urlopen('http://example.org/')": "open connections",
    "import socket\nsocket.create_connection(('example.org', 80))": "open connections",
    "open('marks.csv')": "cannot read those on your disk",
}


@pytest.mark.parametrize("source", NOT_IN_A_PAGE, ids=lambda s: s.split("\n")[0])
def test_an_error_names_what_a_page_cannot_do_and_an_alternative(
    python: PythonPage, source: str
) -> None:
    cell = python.cell(SANDBOX)
    cell.write(source).run("error")
    box = cell.locator.locator(".nn-run-error")
    assert NOT_IN_A_PAGE[source] in box.inner_text()
    line = source.count("\n") + 1
    assert box.locator(".nn-run-link").first.inner_text().endswith(f", line {line}")


def test_kept_edits_are_announced_before_anything_runs(browser: Browser, base: str) -> None:
    page = PythonPage(browser, base, f"{PAGE}.html")
    assert page.page.locator(".nn-run-stored-edits").count() == 0
    page.start().cell(SANDBOX).write("own = 1")
    page.open()
    notice = page.page.locator(".nn-run-stored-edits").inner_text()
    assert "edits to one cell are kept in this browser" in notice
    page.close()


def test_top_level_await_and_display(faultless: PythonPage) -> None:
    cell = faultless.cell(SANDBOX)
    cell.write(
        "import asyncio\nfrom IPython.display import HTML, Latex, display\n"
        "await asyncio.sleep(0.01)\n"
        'display(HTML("<b>bold</b><script>document.title = 1</script><i onclick=x()>i</i>"))\n'
        'Latex("$x^2$")'
    ).run()
    shown = cell.area
    assert shown.locator("b").inner_text() == "bold"
    assert shown.locator("script").count() == 0
    assert shown.locator("i").get_attribute("onclick") is None
    expect(shown.locator("mjx-container")).to_have_count(1)


def test_names_are_completed(faultless: PythonPage) -> None:
    cell = faultless.cell(SANDBOX)
    cell.write("import nnlib").run()
    cell.write("nnlib.sigm")
    faultless.page.keyboard.press("Control+Space")
    expect(faultless.page.locator(".cm-tooltip-autocomplete")).to_contain_text("sigmoid")
    faultless.page.wait_for_timeout(150)  # keys pressed while the list appears still go to the text
    faultless.page.keyboard.press("Enter")
    assert cell.source == "nnlib.sigmoid"


def test_matplotlib_is_loaded_when_it_is_first_used(faultless: PythonPage) -> None:
    cell = faultless.cell(SANDBOX)
    cell.write("import matplotlib.pyplot as plt\nplt.plot([1, 4, 9])\nplt.show()").run()
    picture = cell.locator.locator(".nn-run-output img")
    assert picture.get_attribute("alt")
    size = picture.evaluate("i => i.decode().then(() => [i.naturalWidth, i.naturalHeight])")
    assert size[0] > 300 and size[1] > 200


def test_widgets_and_python_update_each_other(faultless: PythonPage) -> None:
    cell, other = faultless.cell(SANDBOX), faultless.cell(OTHER)
    cell.write(
        "import ipywidgets as w\nslider = w.IntSlider(value=3, min=0, max=9, description='n')\n"
        "out = w.Output()\n"
        "def moved(change):\n    with out:\n        print('moved to', change.new)\n"
        "slider.observe(moved, 'value')\nw.VBox([slider, out])"
    ).run()
    control = cell.locator.get_by_label("n", exact=True)
    control.focus()
    faultless.page.keyboard.press("ArrowRight")
    assert other.write("slider.value").run().output == "4"
    expect(cell.area).to_contain_text("moved to 4")
    other.write("slider.value = 7").run()
    expect(control).to_have_value("7")


def test_a_live_figure_and_python_update_each_other(faultless: PythonPage) -> None:
    cell, other = faultless.cell(SANDBOX), faultless.cell(OTHER)
    cell.write(
        "from nnlib import live\n"
        "weight = live.slider(0.0, 4.0, 0.5, value=1.0, label='weight')\n"
        "fig = live.figure(lambda w: {'y': w * 2}, w=weight,\n"
        "                  view=[live.readout('y is {y:.1f}')])\nfig"
    ).run()
    shown = cell.locator.locator(".nn-run-output .nn-figure")
    expect(shown).to_contain_text("y is 2.0")
    slider = shown.get_by_role("slider", name="weight")
    slider.focus()
    faultless.page.keyboard.press("ArrowRight")
    expect(shown).to_contain_text("y is 3.0")
    other.write("fig['w'], fig.w")
    end = time.monotonic() + 10
    while (value := other.run().output) != "(1.5, 1.5)":  # the page informs Python with a delay
        assert time.monotonic() < end, value
    other.write("fig['w'] = 4.0").run()
    expect(shown).to_contain_text("y is 8.0")


def test_an_exercise_is_wrong_then_right_and_counted(faultless: PythonPage) -> None:
    faultless.press("Reset page")
    faultless.wait("ready")
    exercise, check = faultless.cell(EXERCISE), faultless.cell(CHECK)
    before = len(faultless.runs())
    exercise.locator.get_by_role("button", name=re.compile("^Run all above")).click()
    exercise.locator.get_by_role("button", name=re.compile("^Run cell")).click()
    above = next(i for i, c in enumerate(cells_of(PAGE)) if c["id"] == EXERCISE)
    faultless.page.wait_for_function(f"window.runs.length >= {before + above + 2}", timeout=60_000)
    assert check.output.startswith("☐"), "an exercise's check follows it"
    assert "0 of 7" in faultless.page.inner_text(".nn-run-count")
    exercise.write("def weights(crossing, slope):\n    return 4 * slope * crossing, 4 * slope")
    run_and_check(faultless, exercise, check, "✗")
    exercise.write("def weights(crossing, slope):\n    return -4 * slope * crossing, 4 * slope")
    run_and_check(faultless, exercise, check, "✓")
    expect(faultless.page.locator(".nn-run-count")).to_have_text("1 of 7 exercises solved")


def run_and_check(python: PythonPage, exercise, check, sign: str) -> None:
    before = len(python.runs())
    exercise.locator.get_by_role("button", name=re.compile("^Run cell")).click()
    check.wait_until_run("ok", before + 1)
    assert check.output.startswith(sign), check.output


def test_a_cell_that_needs_pytorch_shows_a_message(faultless: PythonPage) -> None:
    """The build does not execute this cell, but a reader can run it."""
    cell = faultless.cell(PYTORCH)
    cell.write("import course\nprint(course.pytorch())").run()
    assert "PyTorch" in cell.output and "False" in cell.output


def test_the_running_page_is_accessible(python: PythonPage) -> None:
    assert serious_violations(python.page, ".bd-article") == []


def test_narrow_pages_do_not_scroll_sideways(faultless: PythonPage) -> None:
    faultless.page.set_viewport_size({"width": 360, "height": 700})
    width = faultless.page.evaluate("document.documentElement.scrollWidth")
    faultless.page.set_viewport_size({"width": 1360, "height": 900})
    assert width <= 360


# ---- pages in which Python cannot run ------------------------------------------------------------

CANNOT = {
    "old": ("delete window.WebAssembly;", "too old to run Python"),
    "low on memory": (
        "Object.defineProperty(Navigator.prototype, 'deviceMemory', { get: () => 0.5 });",
        "too little memory",
    ),
}


@pytest.mark.parametrize("reason", CANNOT)
def test_pressing_the_button_shows_why_python_cannot_run(
    browser: Browser, base: str, reason: str
) -> None:
    script, words = CANNOT[reason]
    page = PythonPage(browser, base, f"{PAGE}.html", script)
    page.page.click(".nn-run-start")
    message = page.page.locator(".nn-run-notice")
    expect(message).to_contain_text(words)
    href = message.get_by_role("link", name="download the notebook").get_attribute("href")
    assert page.page.request.get(
        page.page.evaluate("h => new URL(h, document.baseURI).href", href)
    ).ok
    assert not [url for url in page.requests if "/python/" in url]
    page.close()


def test_from_the_disk_the_button_shows_how_to_serve(
    browser: Browser, base: str, site: Path
) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto((site / f"{PAGE}.html").as_uri())
    page.click(".nn-run-start")
    expect(page.locator(".nn-run-notice")).to_contain_text("make serve")
    context.close()


def test_a_failed_start_shows_a_message(browser: Browser, base: str) -> None:
    page = PythonPage(browser, base, f"{PAGE}.html", service_workers="block")
    page.page.route("**/book.zip", lambda route: route.abort())
    page.page.click(".nn-run-start")
    page.page.wait_for_function("document.querySelector('.nn-run-bar')?.dataset.state === 'failed'")
    assert "Python did not start" in page.message
    page.close()

"""JupyterLite in the site: its files, and a chapter in Chromium that reaches only loopback."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.book.harness import BOOK_PAGES, DESKTOP, OPEN_TIMEOUT, ROOT
from tests.book.hosts import Host
from tests.book.python_page import cells_of, clean, id_of

PAGE = "chapters/sigmoid"
CHAPTERS = [name for page in BOOK_PAGES if (ROOT / f"{(name := page[:-5])}.ipynb").is_file()]
START_TIMEOUT = 180_000  # milliseconds for JupyterLab and Python to start on a busy machine
RAN = re.compile(r"^\[\d+\]:$")
EXERCISE, CHECK = id_of(PAGE, "def weights("), id_of(PAGE, '"sigmoid/weights"')


@pytest.fixture(scope="module")
def lite(site: Path) -> Path:
    """JupyterLite's folder; skips, with the reason, if the site was built without it."""
    if not (site / "lite" / "index.html").is_file():
        pytest.skip("this site contains no JupyterLite: `make book lite=1` includes it")
    return site / "lite"


# ---- the folder's files --------------------------------------------------------------------------


def listed(lite: Path, folder: str = "") -> Iterator[dict]:
    listing = json.loads((lite / "api/contents" / folder / "all.json").read_text("utf8"))
    for entry in listing["content"]:
        yield entry
        if entry["type"] == "directory":
            yield from listed(lite, entry["path"])


def test_every_chapter_is_listed_and_served_as_readers_get_it(lite: Path) -> None:
    files = {entry["path"] for entry in listed(lite) if entry["type"] != "directory"}
    assert files == {"README.md", *(f"{name}.ipynb" for name in CHAPTERS)}
    assert len(CHAPTERS) > 10
    for name in CHAPTERS:
        served = json.loads((lite / "files" / f"{name}.ipynb").read_text("utf8"))
        assert served["metadata"]["kernelspec"]["name"] == "python"
        text = "\n".join("".join(c["source"]) for c in served["cells"] if c["cell_type"] != "code")
        assert "{glue:text}" not in text and ":::" not in text, name
        source = json.loads((ROOT / f"{name}.ipynb").read_text("utf8"))
        assert programs(served) == programs(source), f"{name}: not the stubs that readers get"


def programs(notebook: dict) -> list[str]:
    return ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]


def test_every_page_with_code_leads_to_its_notebook(lite: Path) -> None:
    for name in CHAPTERS:
        page = (lite.parent / f"{name}.html").read_text("utf8")
        [info] = re.findall(r'id="nn-run">(.+?)</script>', page)
        address = json.loads(info)["lite"]
        lab, path = address.split("?path=")
        assert ((lite.parent / name).parent / lab).resolve() == (lite / "lab/index.html").resolve()
        assert (lite / "files" / path).is_file() and path == f"{name}.ipynb"


def test_pythons_files_are_those_of_its_lock(lite: Path) -> None:
    settings = json.loads((lite / "jupyter-lite.json").read_text("utf8"))["jupyter-config-data"]
    [kernel] = settings["litePluginSettings"].values()
    assert kernel["disablePyPIFallback"] is True
    folder = (lite / kernel["pyodideUrl"]).resolve().parent
    packages = json.loads((lite / "pyodide-lock.json").read_text("utf8"))["packages"]
    needed = {"numpy", "matplotlib", "ipython", "ipywidgets", "anywidget", "sigmoid-to-sequence"}
    assert needed <= set(packages)
    for name, package in packages.items():
        file = folder / package["file_name"]
        assert hashlib.sha256(file.read_bytes()).hexdigest() == package["sha256"], name
        assert set(package["depends"]) <= set(packages), name
    names = {file.name for file in folder.iterdir()}
    assert {"pyodide.js", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip"} <= names
    assert not list(lite.rglob("*.wasm")), "Pyodide is there once, in python/"
    assert not list(lite.rglob("*.map"))


# ---- a notebook in the browser -------------------------------------------------------------------


class Lab:
    """A page's notebook in JupyterLab, opened by the page's button."""

    def __init__(self, browser: Browser, host: Host, name: str) -> None:
        self.host, self.name = host, name
        self.context = browser.new_context(viewport={"width": DESKTOP, "height": 900})
        self.context.set_default_navigation_timeout(OPEN_TIMEOUT)
        self.requests: list[str] = []
        self.context.on("request", lambda request: self.requests.append(request.url))
        self.page: Page = self.context.new_page()
        self.page.goto(f"{host.address}{name}.html", wait_until="load")
        # the book's own service worker is there, as if this page's code had been run before
        self.page.evaluate("root => navigator.serviceWorker.register(root + 'sw.js')", host.address)
        self.page.get_by_role("link", name="Open in JupyterLite").click()
        self.opened()

    def opened(self) -> None:
        self.page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=START_TIMEOUT)
        kernel = self.page.locator(".jp-Notebook-ExecutionIndicator")
        expect(kernel).to_have_attribute("data-status", "idle", timeout=START_TIMEOUT)

    def menu(self, first: str, second: str) -> None:
        self.page.locator("#jp-MainMenu").get_by_text(first, exact=True).click()
        self.page.locator(".lm-Menu").get_by_text(second, exact=True).click()

    def run_all(self) -> None:
        self.menu("Run", "Run All Cells")
        all_have_run = """() => {
          const prompts = [...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")]
            .map(prompt => prompt.textContent).filter(text => text);
          return prompts.length > 20 && prompts.every(text => /^\\[\\d+\\]:$/.test(text));
        }"""
        self.page.wait_for_function(all_have_run, timeout=START_TIMEOUT)

    @property
    def cells(self) -> Locator:
        return self.page.locator(".jp-Notebook .jp-CodeCell")

    def cell(self, id: str) -> Locator:
        code = [c["id"] for c in self.notebook["cells"] if c["cell_type"] == "code"]
        return self.cells.nth(code.index(id))

    @property
    def notebook(self) -> dict:
        return json.loads((ROOT / f"{self.name}.ipynb").read_text("utf8"))

    def write(self, cell: Locator, source: str) -> None:
        cell.scroll_into_view_if_needed()
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(source)

    def wait_until_run(self, cell: Locator) -> Locator:
        """Waits until the cell has run; returns its outputs."""
        expect(cell.locator(".jp-InputPrompt")).to_have_text(RAN, timeout=START_TIMEOUT)
        return cell.locator(".jp-OutputArea").first

    def run(self, source: str) -> Locator:
        """Runs a program in a new cell at the notebook's end; returns its outputs."""
        self.page.locator(".jp-Notebook-footer").click()
        cell = self.cells.last
        self.write(cell, source)
        self.page.keyboard.press("Control+Enter")
        return self.wait_until_run(cell)


@pytest.fixture(scope="module")
def lab(browser: Browser, site: Path, lite: Path) -> Iterator[Lab]:
    host = Host(site)
    notebook = Lab(browser, host, PAGE)
    notebook.run_all()
    yield notebook
    notebook.context.close()
    host.server.close()


@pytest.mark.browser
def test_a_chapter_runs_to_the_end_and_gives_the_books_outputs(lab: Lab) -> None:
    assert lab.page.locator('[data-mime-type="application/vnd.jupyter.error"]').count() == 0
    assert lab.page.locator('[data-mime-type="application/vnd.jupyter.stderr"]').count() == 0
    compared = 0
    for cell in cells_of(PAGE):
        mime_types = {mime for output in cell["outputs"] for mime in output.get("data", {})}
        if mime_types != {"text/plain"}:
            continue
        compared += 1
        shown = lab.cell(cell["id"]).locator('[data-mime-type="text/plain"]').last.inner_text()
        stored = "".join(cell["outputs"][-1]["data"]["text/plain"])
        assert clean(shown).split() == clean(stored).split()
    assert compared > 4
    figures = [c for c in cells_of(PAGE) if "Figure('" in json.dumps(c["outputs"])]
    assert lab.page.locator(".jp-OutputArea .nn-figure").count() >= len(figures) > 3


@pytest.mark.browser
def test_a_chapters_figure_and_python_update_each_other(lab: Lab) -> None:
    figure = lab.page.locator(".nn-figure", has_text="Take hold of the curve")
    weight = figure.get_by_role("slider", name="weight w")
    weight.scroll_into_view_if_needed()
    weight.focus()
    lab.page.keyboard.press("ArrowRight")
    expect(figure).to_contain_text("+1.10 x")
    find = "[shown] = [out for out in Out.values() if hasattr(out, 'log_odds')]"
    assert lab.run(f"{find}\nshown.w").inner_text().endswith("1.1")
    lab.run("shown['w'] = -2.0")
    expect(figure).to_contain_text("−2.00 x")


@pytest.mark.browser
def test_matplotlib_and_plain_widgets_work(lab: Lab) -> None:
    drawn = lab.run("import matplotlib.pyplot as plt\nplt.plot([1, 4, 9])\nplt.show()")
    size = drawn.locator("img").evaluate("i => i.decode().then(() => [i.width, i.height])")
    assert size[0] > 200 and size[1] > 100
    shown = lab.run("import ipywidgets as w\nnumber = w.IntText(3)\nnumber")
    shown.locator("input").fill("4")
    shown.locator("input").press("Tab")
    assert lab.run("number.value").inner_text().endswith("4")


@pytest.mark.browser
def test_an_exercise_is_wrong_then_right_and_remembered(lab: Lab) -> None:
    for sign_of_w0, sign in (("", "✗"), ("-", "✓")):
        answer = f"{sign_of_w0}4 * slope * crossing, 4 * slope"
        lab.write(lab.cell(EXERCISE), f"def weights(crossing, slope):\n    return {answer}")
        lab.page.keyboard.press("Shift+Enter")
        lab.wait_until_run(lab.cell(EXERCISE))
        lab.page.keyboard.press("Shift+Enter")  # the check follows it
        output = lab.cell(CHECK).locator(".jp-OutputArea")
        expect(output).to_contain_text(sign, timeout=START_TIMEOUT)
    assert "1 of 7" in lab.run("course.progress('sigmoid')").inner_text()
    stored = lab.run("print(open('/drive/progress.json').read())").inner_text()
    assert json.loads(stored)["solved"] == ["sigmoid/weights"]


@pytest.mark.browser
def test_every_request_went_to_the_site_itself(lab: Lab) -> None:
    site_address = lab.host.address
    # a request that JupyterLite's service worker answers itself
    heartbeat = site_address.removesuffix("/somewhere/else/") + "/api/service-worker-heartbeat"
    allowed = (site_address, "data:", "blob:", heartbeat)
    foreign = {url for url in lab.requests if not url.startswith(allowed)}
    assert foreign == set() and any("pyodide.asm.wasm" in url for url in lab.requests)


@pytest.mark.browser
def test_the_two_service_workers_leave_each_other_alone(lab: Lab) -> None:
    book_page = lab.context.new_page()
    book_page.goto(f"{lab.host.address}glossary.html")
    registered = "navigator.serviceWorker.getRegistrations().then(a => a.map(r => r.scope))"
    scopes = book_page.evaluate(registered)
    assert sorted(scopes) == [lab.host.address, f"{lab.host.address}lite/"]
    book_page.close()


@pytest.mark.browser
def test_a_notebook_opens_and_runs_offline(lab: Lab) -> None:
    """This test must be the last one, because it stops the host."""
    lab.page.wait_for_timeout(1000)  # the cache is written in the background
    lab.host.down()
    lab.page.goto(f"{lab.host.address}lite/lab/index.html?path={PAGE}.ipynb")
    lab.opened()
    assert lab.run("import nnlib\nnnlib.ones(3).sum().item()").inner_text().endswith("3.0")

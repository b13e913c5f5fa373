"""A page whose code runs, for the tests: its cells, its bar, the messages of its Python."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page

from tests.book.harness import DESKTOP, OPEN_TIMEOUT, ROOT, Visit

# Milliseconds on a busy machine for Python to start, and for a cell to run.
READY_TIMEOUT = 90_000
RUN_TIMEOUT = 60_000

# Collects the worker's messages to the page, run by run; in a block, so that its names do not
# collide with those of the page's own scripts.
LISTEN = """
{
  window.runs = [];
  let messages = [];
  const NativeWorker = window.Worker;
  window.Worker = class extends NativeWorker {
    constructor(...parameters) {
      super(...parameters);
      this.addEventListener("message", ({ data }) => {
        const shown = ["stream", "result", "display", "error", "clear"].includes(data.type);
        if (shown) messages.push(data);
        if (data.type !== "done") return;
        window.runs.push({ status: data.status, messages });
        messages = [];
      });
    }
  };
}
"""


def needs_python(site: Path) -> None:
    """Skips, with the reason, if the site was built without Python for the page."""
    if not (site / "sw.js").is_file():
        pytest.skip("this site contains no Python for its pages: `make book run=1` includes it")


def until(page: Page, script: str, arg: Any = None, timeout: float = RUN_TIMEOUT) -> None:
    """Waits until the script is true, even if the page's policy forbids wait_for_function."""
    end = time.monotonic() + timeout / 1000
    while not page.evaluate(script, arg):
        assert time.monotonic() < end, f"still false after {timeout / 1000:g} s: {script} ({arg})"
        page.wait_for_timeout(20)


class PythonPage:
    """A page of the book in a browser of its own; `start()` presses Run the code."""

    def __init__(
        self,
        browser: Browser,
        base: str,
        name: str,
        script: str = "",
        allowed: str = "",
        **options: Any,
    ) -> None:
        self.context: BrowserContext = browser.new_context(
            viewport={"width": DESKTOP, "height": 900}, accept_downloads=True, **options
        )
        self.context.set_default_navigation_timeout(OPEN_TIMEOUT)
        self.context.add_init_script(LISTEN + script)
        self.name, self.base, self.allowed = name, base, allowed or base
        self.open()

    def open(self) -> None:
        """Opens the page; first closes the open one, whose Python would stay in memory."""
        for page in self.context.pages:
            page.close()
        self.visit = Visit(self.context.new_page())
        self.visit.record_errors(self.allowed)
        self.page: Page = self.visit.page
        self.requests: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("dialog", lambda dialog: dialog.accept())
        self.page.goto(self.base + self.name, wait_until="load")

    def start(self) -> PythonPage:
        self.page.click(".nn-run-start")
        self.wait("ready")
        return self

    def wait(self, *states: str) -> None:
        accepted = json.dumps([*states, "failed"])
        bar = "document.querySelector('.nn-run-bar')?.dataset.state"
        until(self.page, f"{accepted}.includes({bar})", timeout=READY_TIMEOUT)
        assert self.state in states, self.message

    @property
    def state(self) -> str:
        return self.page.get_attribute(".nn-run-bar", "data-state") or ""

    @property
    def message(self) -> str:
        return self.page.inner_text(".nn-run-status")

    def press(self, label: str) -> None:
        self.page.get_by_role("button", name=label, exact=True).click()

    def cell(self, id: str) -> Cell:
        return Cell(self, id)

    def runs(self) -> list[dict[str, Any]]:
        return self.page.evaluate("window.runs")

    def run_all(self, count: int, timeout: int) -> list[dict[str, Any]]:
        """Runs all cells; returns their runs once there are `count` of them or one has failed."""
        self.press("Run all")
        finished = f"window.runs.length >= {count} || window.runs.some(r => r.status !== 'ok')"
        until(self.page, finished, timeout=timeout)
        return self.runs()

    def close(self) -> None:
        self.context.close()


class Cell:
    """A cell of the page, found by its id in the notebook."""

    def __init__(self, python: PythonPage, id: str) -> None:
        self.python, self.page = python, python.page
        self.root = f"#cell-{id}"
        self.locator = self.page.locator(self.root)

    @property
    def source(self) -> str:
        lines = self.page.evaluate(
            "root => [...document.querySelectorAll(root + ' .cm-line')].map(l => l.textContent)",
            self.root,
        )
        return "\n".join(lines)

    def write(self, source: str) -> Cell:
        """Replaces the editor's text by the source."""
        editor = self.locator.locator(".cm-content")
        self.locator.evaluate(
            "root => root.querySelectorAll('details').forEach(d => d.open = true)"
        )
        editor.scroll_into_view_if_needed()
        editor.focus()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.press("Delete")
        self.page.keyboard.insert_text(source)
        return self

    def run(self, status: str = "ok") -> Cell:
        before = len(self.python.runs())
        self.locator.get_by_role("button", name=re.compile("^Run (cell|example)")).click()
        self.wait_until_run(status, before)
        return self

    def wait_until_run(self, status: str, before: int) -> None:
        until(self.page, f"window.runs.length > {before}")
        until(
            self.page,
            "root => !['waiting', 'running'].includes(document.querySelector(root).dataset.run)",
            self.root,
        )
        assert self.status == status, f"{self.root}: {self.status}, not {status}: {self.output}"

    @property
    def status(self) -> str:
        return self.locator.get_attribute("data-run") or ""

    @property
    def area(self) -> Locator:
        return self.page.locator(f"{self.root} > .nn-run-output")

    @property
    def output(self) -> str:
        return self.area.inner_text().strip()


# ---- a notebook's stored outputs, and those of the page's Python ---------------------------------

SHOWN = ("text/plain", "text/html", "text/latex", "image/svg+xml")
GLUE = "application/papermill.record/"  # numbers for the prose, which already contains them


def sanitiser(text: str) -> list[tuple[re.Pattern, str]]:
    """The rules of tools/nbval.cfg."""
    rules = re.findall(r"^regex: (.*)\nreplace: (.*)$", text, re.M)
    return [(re.compile(pattern), word) for pattern, word in rules]


RULES = sanitiser((ROOT / "tools" / "nbval.cfg").read_text("utf8"))


def clean(text: Any) -> str:
    text = "".join(text) if isinstance(text, list) else str(text)
    for pattern, word in RULES:
        text = pattern.sub(word, text)
    return text


def with_joined_streams(parts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The parts, with the pieces of each stream joined, as nbval joins them."""
    streams: dict[str, str] = {}
    other_parts = []
    for kind, text in parts:
        if kind in ("stdout", "stderr"):
            streams[kind] = streams.get(kind, "") + text
        else:
            other_parts.append((kind, text))
    return sorted([*streams.items(), *other_parts])


def outputs_of_page(messages: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """The kinds and texts of what a cell showed when it ran in the page."""
    parts = []
    for message in messages:
        if message["type"] == "stream":
            parts.append((message["name"], clean(message["text"])))
        elif message["type"] == "error":
            parts.append(("error", message["kind"]))
        elif "data" in message:
            data = message["data"]
            parts += [(mime, clean(data[mime])) for mime in SHOWN if mime in data]
    return with_joined_streams(parts)


def stored(cell: dict) -> list[tuple[str, str]]:
    """The kinds and texts of the outputs that the notebook stores for a cell."""
    parts = []
    for output in cell["outputs"]:
        if output["output_type"] == "stream":
            parts.append((output["name"], clean(output["text"])))
        elif output["output_type"] == "error":
            parts.append(("error", output["ename"]))
        elif not any(mime.startswith(GLUE) for mime in output["data"]):
            parts += [(m, clean(output["data"][m])) for m in SHOWN if m in output["data"]]
    return with_joined_streams(parts)


LEFT_OUT = {"skip-execution", "checks-text"}  # tags of cells that the page's Run all skips


def cells_of(page: str) -> list[dict]:
    """The code cells that a page runs."""
    path = ROOT / f"{page}.ipynb"
    cells = json.loads(path.read_text("utf8"))["cells"] if path.is_file() else []
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    return [cell for cell in code if LEFT_OUT.isdisjoint(cell["metadata"].get("tags", []))]


def id_of(page: str, part: str) -> str:
    """The id of the page's first code cell that contains this text, executed by the book or not."""
    cells = json.loads((ROOT / f"{page}.ipynb").read_text("utf8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    return next(cell["id"] for cell in code if part in "".join(cell["source"]))


# A chapter that is quick to run, and the ids of the cells that the tests use.
PAGE = "chapters/sigmoid"
FIRST, ARRAY = (cell["id"] for cell in cells_of(PAGE)[:2])
EXERCISE, CHECK = id_of(PAGE, "def weights("), id_of(PAGE, '"sigmoid/weights"')
# Cells that the tests write their own programs into.
SANDBOX, OTHER = id_of(PAGE, "def sigmoid(z)"), id_of(PAGE, "gap = sigmoid(-z)")
PYTORCH = id_of(PAGE, "import torch")

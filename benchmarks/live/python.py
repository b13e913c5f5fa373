"""Measures how soon a page from a local server can run code: `make bench-run` prints the times."""

from __future__ import annotations

import functools
import gzip
import http.server
import statistics
import sys
import tempfile
import time
from functools import lru_cache
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.book.harness import ROOT
from tests.book.python_page import FIRST
from tools.browser import FLAGS, Server, chromium

SITE = ROOT / "_build" / "html"
PAGE = "chapters/sigmoid.html"
CELL = f"#cell-{FIRST}"
COMPRESSED = {".html", ".js", ".mjs", ".css", ".json", ".wasm", ".svg"}
GOALS = {"cold": 10.0, "warm": 5.0, "MB": 12.0, "ms": 50.0}


@lru_cache(maxsize=1024)
def as_sent(path: Path) -> tuple[bytes, bool]:
    """A file as hosts usually send it, and whether it is compressed: text and WebAssembly are."""
    data = path.read_bytes()
    return (gzip.compress(data, 6, mtime=0), True) if path.suffix in COMPRESSED else (data, False)


class Handler(http.server.SimpleHTTPRequestHandler):
    sent = 0
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            return self.send_error(404)
        data, compressed = as_sent(path)
        Handler.sent += len(data)
        self.send_response(200)
        types = {".wasm": "application/wasm", ".mjs": "text/javascript"}
        content_type = types.get(path.suffix) or self.guess_type(str(path))
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Last-Modified", "Sun, 01 Jan 2023 00:00:00 GMT")
        if compressed:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


def wait(page: Page, state: str) -> None:
    script = f"document.querySelector('.nn-run-bar')?.dataset.state === '{state}'"
    page.wait_for_function(script, timeout=300_000, polling=5)


def start(page: Page, address: str) -> tuple[float, float]:
    """Seconds from the click until Python is ready, and the MB transferred meanwhile."""
    page.goto(address + PAGE, wait_until="load")
    page.wait_for_timeout(500)
    Handler.sent, began = 0, time.perf_counter()
    page.click(".nn-run-start")
    wait(page, "ready")
    seconds, transferred = time.perf_counter() - began, Handler.sent / 1e6
    page.wait_for_timeout(500)  # the browser stores the page itself meanwhile
    return seconds, transferred


STORED = """caches.open("nnlib-python").then(cache => cache.keys())
  .then(all => all.some(request => request.url.includes("/image?")))"""


def wait_until_stored(page: Page) -> float:
    """Wait until the browser has stored the unpacked, compiled files; return the seconds."""
    began = time.perf_counter()
    while not page.evaluate(STORED):
        page.wait_for_timeout(100)
    return time.perf_counter() - began


ROUND_TRIP = """async selector => {
  const cell = document.querySelector(selector);
  const began = performance.now();
  cell.querySelector(".nn-run-tools button").click();
  while (cell.dataset.run !== "ok") await new Promise(done => setTimeout(done, 0));
  return performance.now() - began;
}"""


def round_trips(page: Page) -> list[float]:
    """Milliseconds from each click on Run until a cell with 1 + 1 is done."""
    editor = page.locator(f"{CELL} .cm-content")
    editor.focus()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("1 + 1")
    return [page.evaluate(ROUND_TRIP, CELL) for _ in range(30)][5:]


def first_plot(page: Page) -> float:
    """Seconds until a first plot is shown, including the time to load matplotlib."""
    editor = page.locator(f"{CELL} .cm-content")
    editor.focus()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()")
    return page.evaluate(ROUND_TRIP, CELL) / 1000


def lite(page: Page, address: str) -> tuple[float, float, float]:
    """Seconds until JupyterLite shows a notebook and until its first result; MB transferred."""
    Handler.sent, began = 0, time.perf_counter()
    page.goto(f"{address}lite/lab/index.html?path={PAGE.replace('.html', '.ipynb')}")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=300_000)
    kernel = ".jp-Notebook-ExecutionIndicator[data-status=idle]"
    page.wait_for_selector(kernel, timeout=300_000)
    shown = time.perf_counter() - began
    page.locator("#jp-MainMenu").get_by_text("Run", exact=True).click()
    page.locator(".lm-Menu").get_by_text("Run All Cells", exact=True).click()
    first = "document.querySelector('.jp-CodeCell .jp-InputPrompt').textContent"
    page.wait_for_function(f"/^\\[\\d+\\]:$/.test({first})", timeout=300_000)
    return shown, time.perf_counter() - began, Handler.sent / 1e6


def report(label: str, value: float, unit: str, goal: float | None = None) -> None:
    verdict = (
        "" if goal is None else f"   goal {goal:g} {unit}: {'met' if value <= goal else 'MISSED'}"
    )
    print(f"{label:<42} {value:8.2f} {unit}{verdict}")


def main() -> int:
    if not (SITE / "sw.js").is_file():
        print("error: the site has no Python for its pages: run `make book run=1`", file=sys.stderr)
        return 1
    server = Server(functools.partial(Handler, directory=str(SITE)))
    address = f"{server.origin}/"
    # Hosts keep the files compressed, so they are compressed before the measurement.
    for path in [*(SITE / "python").rglob("*"), *(SITE / "lite").rglob("*")]:
        if path.is_file():
            as_sent(path)
    cold, warm, storing = [], [], []
    with sync_playwright() as playwright:
        for _ in range(3):
            with tempfile.TemporaryDirectory() as profile:
                context = playwright.chromium.launch_persistent_context(
                    profile, executable_path=chromium(), args=FLAGS
                )
                page = context.new_page()
                seconds, transferred = start(page, address)
                cold.append(seconds)
                storing.append(wait_until_stored(page))
                for _ in range(2):
                    seconds, later = start(page, address)
                    warm.append(seconds)
                trips = round_trips(page)
                plot = first_plot(page)
                context.close()
        if (SITE / "lite").is_dir():
            with tempfile.TemporaryDirectory() as profile:
                context = playwright.chromium.launch_persistent_context(
                    profile, executable_path=chromium(), args=FLAGS
                )
                visits = []
                for _ in range(2):
                    page = context.new_page()
                    visits.append(lite(page, address))
                    page.close()
                context.close()
            for visit, (shown, result, sent) in zip(("first", "second"), visits):
                report(f"JupyterLite, {visit} visit: notebook shown", shown, "s")
                report(f"JupyterLite, {visit} visit: first result", result, "s")
                report(f"JupyterLite, {visit} visit: transferred, compressed", sent, "MB")
    report("ready, first visit (median of 3)", statistics.median(cold), "s", GOALS["cold"])
    report("ready, later visits (median of 6)", statistics.median(warm), "s", GOALS["warm"])
    report("after a first start, files stored for later", statistics.median(storing), "s")
    report("transferred by the first start, compressed", transferred, "MB", GOALS["MB"])
    report("Python files transferred by a later start", later, "MB")
    report("a cell's round trip (median of 25)", statistics.median(trips), "ms", GOALS["ms"])
    report("a first plot, including loading matplotlib", plot, "s")
    server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

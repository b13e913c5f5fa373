"""A page in a real browser that holds the shipped bundle, served from loopback under a strict policy."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

STATIC = Path(__file__).resolve().parents[2] / "nnlib" / "live" / "static"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]  # fmt: skip
PAGE = b"""<!doctype html><meta charset="utf-8"><title>live</title>
<script type="module" src="/evaluator-page.js"></script>"""
SCRIPT = b"""import * as live from "/live.js";
const text = (error) => (error instanceof live.GraphError ? error.message : `NOT A GraphError: ${error}`);
window.live = live;
window.evaluate = (cases) => cases.map(({ graph, inputs }) => {
  try {
    const program = new live.Program(live.parseGraph(graph));
    for (const [name, values] of Object.entries(inputs)) program.set(name, values);
    program.run();
    return Object.fromEntries(program.outputs.map((o) => [o.name, Array.from(program.get(o.name))]));
  } catch (error) {
    return { error: text(error) };
  }
});
window.refuse = (json) => {
  try {
    new live.Program(live.parseGraph(json)).run();
    return null;
  } catch (error) {
    return text(error);
  }
};
window.ready = true;
"""


class Handler(http.server.SimpleHTTPRequestHandler):
    """The static folder and one page whose policy forbids code from strings."""

    def do_GET(self) -> None:
        pages = {"/": (PAGE, "text/html"), "/evaluator-page.js": (SCRIPT, "text/javascript")}
        if self.path not in pages:
            return super().do_GET()
        body, kind = pages[self.path]
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Security-Policy", "default-src 'none'; script-src 'self'")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        return None

    def log_message(self, *args: Any) -> None:
        pass


def chromium_path() -> str | None:
    """The system's browser where there is one; otherwise playwright's own."""
    return (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    )


@pytest.fixture(scope="module")
def evaluator_page() -> Iterator[Any]:
    """A playwright page in which `live` is the bundle and `evaluate(cases)` runs graphs."""
    from playwright.sync_api import sync_playwright

    handler = functools.partial(Handler, directory=str(STATIC))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        page.wait_for_function("window.ready === true")
        yield page
        browser.close()
    server.shutdown()

"""A page in a real browser with the shipped bundle, served from loopback under a strict policy."""

from __future__ import annotations

import functools
import http.server
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.browser import Server, launched

STATIC = Path(__file__).resolve().parents[2] / "nnlib" / "live" / "static"
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
        body, content_type = pages[self.path]
        self.send_response(200)
        self.send_header("Content-Type", f"{content_type}; charset=utf-8")
        self.send_header("Content-Security-Policy", "default-src 'none'; script-src 'self'")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        return None

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def evaluator_page() -> Iterator[Any]:
    """A playwright page in which `live` is the bundle and `evaluate(cases)` runs graphs."""
    handler = functools.partial(Handler, directory=str(STATIC))
    with Server(handler) as server, launched() as browser:
        page = browser.new_page()
        page.goto(f"{server.origin}/")
        page.wait_for_function("window.ready === true")
        yield page

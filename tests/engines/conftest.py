"""Firefox and WebKit, and a server whose pages record their own errors.

`make test` runs some pages in Firefox and WebKit where they are installed; BOOK_BROWSERS names
engines that must be installed, and runs every page in them (`make test browsers="firefox webkit"`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.book.conftest import site  # noqa: F401  (a fixture)
from tests.book.harness import BOOK_PAGES, PREFIX, SubPathHandler
from tests.book.python_page import LISTEN
from tests.engines.driver import Engine, Firefox, WebKit
from tools import browser as programs
from tools.browser import Server

REQUIRED = os.environ.get("BOOK_BROWSERS", "").split()
# Together their figures have what all figures have: sliders, handles, training, painting, text.
SELECTION = [
    "chapters/sigmoid.html",
    "chapters/layers.html",
    "chapters/cnn.html",
    "chapters/rnn.html",
]
PAGES = BOOK_PAGES if REQUIRED else SELECTION

# Records errors and warnings. No page may have any, nor request anything from another server.
RECORD_ERRORS = """
window.pageErrors = [];
for (const level of ["error", "warn"]) {
  const log = console[level].bind(console);
  console[level] = (...values) => {
    window.pageErrors.push(`console ${level}: ${values.join(" ")}`);
    log(...values);
  };
}
addEventListener("error", (event) => window.pageErrors.push(
  event.message || `could not be loaded: ${event.target.src || event.target.href}`), true);
addEventListener("unhandledrejection", (event) => window.pageErrors.push(String(event.reason)));
window.requestsToOtherServers = () => performance.getEntriesByType("resource").map((r) => r.name)
  .filter((name) => !name.startsWith(location.origin) && !/^(data|blob):/.test(name));
"""


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:  # noqa: F811
    """The address of the site on a server that inserts RECORD_ERRORS at the start of each page."""
    script = f"<head><script>{RECORD_ERRORS}{LISTEN}</script>".encode()

    class Handler(SubPathHandler):
        def __init__(self, *args, **kwargs) -> None:
            super().__init__(*args, directory=str(site), **kwargs)

        def do_GET(self) -> None:
            file = Path(self.translate_path(self.path))
            if file.suffix == ".html" and file.is_file() and PREFIX in self.path:
                page = file.read_bytes().replace(b"<head>", script, 1)
                self.send_page(page, "text/html; charset=utf-8")
                self.wfile.flush()
            else:
                super().do_GET()

    with Server(Handler) as server:
        yield server.origin + PREFIX


@pytest.fixture(scope="module", params=["firefox", "webkit"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    name = request.param
    if REQUIRED and name not in REQUIRED:
        pytest.skip(f"BOOK_BROWSERS names {' and '.join(REQUIRED)} alone")
    installed = programs.other_engines()
    if name not in installed:
        assert name not in REQUIRED, f"{name} is not installed: {programs.HOW_TO_INSTALL[name]}"
        pytest.skip(f"{name} is not installed: {programs.HOW_TO_INSTALL[name]}")
    started = Firefox(*installed[name]) if name == "firefox" else WebKit(*installed[name])
    yield started
    started.close()

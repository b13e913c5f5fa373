"""What the tests of the site share: its pages, its server, and a page that records its errors."""

from __future__ import annotations

import http.server
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pytest
import yaml
from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
JUPYTER_BOOK = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
PREFIX = "/somewhere/else/"
THEMES = ("light", "dark")
DESKTOP, PHONE = 1360, 360
OPEN_TIMEOUT = 90_000  # milliseconds for a page to open on a busy machine
# Resolves after two frames, when every earlier change has been drawn.
FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def pages_of_the_book() -> list[str]:
    """Every page in the table of contents, as the site's file names."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf8"))
    names = [toc["root"]]
    entries = [*toc.get("parts", []), *toc.get("chapters", [])]
    while entries:
        entry = entries.pop(0)
        if "file" in entry:
            names.append(entry["file"])
        entries = [*entry.get("chapters", []), *entry.get("sections", []), *entries]
    return [f"{name}.html" for name in names]


BOOK_PAGES = pages_of_the_book()
ALL_PAGES = [*BOOK_PAGES, "search.html", "genindex.html"]


class SubPathHandler(http.server.SimpleHTTPRequestHandler):
    """Serves the site below PREFIX and nothing above it."""

    requested: ClassVar[list[str]] = []  # the pages that browsers have requested in this process

    def translate_path(self, path: str) -> str:
        if not path.startswith(PREFIX):
            return str(Path(self.directory) / "nothing-above-the-prefix")
        page = path[len(PREFIX) :].partition("?")[0]
        # Firefox fetches the next page of the book before a reader goes there.
        purpose = self.headers.get("Sec-Purpose", "") + self.headers.get("X-Moz", "")
        if page.endswith(".html") and "prefetch" not in purpose:
            self.requested.append(page)
        return super().translate_path("/" + path[len(PREFIX) :])

    def send_page(self, data: bytes, content_type: str) -> None:
        """Sends these bytes instead of the file's."""
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


@dataclass
class Visit:
    """An open page, and its errors: failed or foreign requests, console messages, exceptions."""

    page: Page
    name: str = ""
    errors: list[str] = field(default_factory=list)

    def record_errors(self, loopback: str) -> None:
        """Records the page's errors from now on; requests may only go to `loopback`."""
        page = self.page
        allowed = (loopback, "data:", "blob:", "file:")

        def request(request) -> None:
            if not request.url.startswith(allowed):
                self.errors.append(f"request to another server: {request.url}")

        def response(response) -> None:
            if response.status >= 400:
                self.errors.append(f"{response.status}: {response.url}")

        def console(message) -> None:
            if message.type in ("error", "warning"):
                self.errors.append(f"console {message.type}: {message.text}")

        page.on("request", request)
        page.on("response", response)
        page.on("requestfailed", lambda r: self.errors.append(f"failed: {r.url} {r.failure}"))
        page.on("console", console)
        page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))


def on(
    *screens: tuple[str, int], pages: Sequence[str] = ALL_PAGES
) -> Callable[[Callable], Callable]:
    """The test looks at every page on these screens: (theme, width)."""
    combinations = [(name, *screen) for name in pages for screen in screens]
    names = [f"{name}-{theme}-{width}" for name, theme, width in combinations]
    parametrize = pytest.mark.parametrize(
        "screen", combinations, ids=names, indirect=True, scope="module"
    )
    return lambda test: pytest.mark.reads("{screen[0]}")(parametrize(test))

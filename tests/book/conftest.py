"""Fixtures: the built site, a server that hosts it under a sub-path, pages open in Chromium."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.book.harness import (
    DESKTOP,
    JUPYTER_BOOK,
    OPEN_TIMEOUT,
    PREFIX,
    ROOT,
    SubPathHandler,
    Visit,
)
from tests.book.python_page import needs_python
from tools.browser import Server


def build_site() -> None:
    """Builds the book once, also when several test processes ask for it."""
    lock = ROOT / "_build" / ".test-build.lock"
    lock.parent.mkdir(exist_ok=True)
    while True:
        try:
            lock.touch(exist_ok=False)
            break
        except FileExistsError:
            if time.time() - lock.stat().st_mtime > 900:
                lock.unlink(missing_ok=True)
            time.sleep(0.5)
    try:
        command = [*JUPYTER_BOOK, "build", ".", "-W", "-n", "--keep-going"]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if run.returncode:
            pytest.fail(f"the book does not build:\n{run.stdout[-3000:]}\n{run.stderr[-6000:]}")
    finally:
        lock.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def site() -> Path:
    """The site's folder: BOOK_SITE if it is set (`make test` builds it first), else built here."""
    configured = os.environ.get("BOOK_SITE")
    if not configured:
        build_site()
    folder = (ROOT / (configured or "_build/html")).resolve()
    assert (folder / "index.html").is_file(), f"{folder} contains no site: run `make book`"
    return folder


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    class Handler(SubPathHandler):
        def __init__(self, *args, **kwargs) -> None:
            super().__init__(*args, directory=str(site), **kwargs)

    with Server(Handler) as server:
        yield server.origin + PREFIX


@pytest.fixture(scope="session")
def base(site: Path, address: str) -> str:
    needs_python(site)
    return address


Open = Callable[..., Visit]


@contextmanager
def visits(browser: Browser, address: str) -> Iterator[Open]:
    """A function that opens pages, each as for a new reader; all are closed at the end."""
    contexts = []

    def open_page(
        name: str, *, theme: str = "light", width: int = DESKTOP, base: str = address
    ) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=theme,
            reduced_motion="reduce",
            has_touch=width < 600,
        )
        context.set_default_navigation_timeout(OPEN_TIMEOUT)
        contexts.append(context)
        visit = Visit(context.new_page(), name)
        visit.record_errors(base)
        visit.page.goto(base + name, wait_until="load")
        visit.page.wait_for_function("document.fonts.status === 'loaded'")
        visit.page.evaluate("() => window.MathJax?.startup?.promise")
        return visit

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Open]:
    """Opens a page and waits for its fonts and formulas: `visit("index.html", theme="dark")`."""
    with visits(browser, address) as open_page:
        yield open_page


@pytest.fixture(scope="module")
def screen(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """The page that a test names with theme and width; tests that only look share one visit."""
    name, theme, width = request.param
    with visits(browser, address) as open_page:
        yield open_page(name, theme=theme, width=width)

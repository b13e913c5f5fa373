"""The page's Python without a network: kept after the first time, renewed with the book."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.book.harness import PREFIX, SubPathHandler
from tests.book.python_page import PythonPage, needs_python
from tests.book.test_run import FIRST, OTHER, PAGE
from tools.browser import Server

pytestmark = pytest.mark.browser

NEW = "book-0123456789ab"  # the name of the book's folder in its next version


class Host:
    """Serves the site, or what an author's next build of it would be; counts what is fetched."""

    def __init__(self, site: Path) -> None:
        self.site, self.next = site, False
        self.fetched: list[str] = []
        [self.folder] = [path.name for path in (site / "python").glob("book-*")]
        self.port = 0
        self.up()

    def up(self) -> None:
        host = self

        class Handler(SubPathHandler):
            def __init__(self, *args, **kwargs) -> None:
                super().__init__(*args, directory=str(host.site), **kwargs)

            def do_GET(self) -> None:
                host.fetched.append(self.path)
                path = Path(self.translate_path(self.path))
                if not (host.next and path.suffix in (".html", ".css") and path.is_file()):
                    return super().do_GET()
                data = path.read_bytes().replace(host.folder.encode(), NEW.encode())
                if path.suffix == ".html":
                    data = data.replace(b"<title>", b"<title>Second edition: ")
                self.send_page(data, self.guess_type(str(path)))

            def translate_path(self, path: str) -> str:
                return super().translate_path(path.replace(NEW, host.folder))

        self.server = Server(Handler, self.port)
        self.port = self.server.port

    def down(self) -> None:
        self.server.close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}{PREFIX}"

    def of_python(self) -> list[str]:
        return [path for path in self.fetched if "/python/" in path]


@pytest.fixture
def host(site: Path) -> Iterator[Host]:
    needs_python(site)
    made = Host(site)
    yield made
    made.server.close()


KEPT = """
  caches.open("nnlib-python").then(cache => cache.keys()).then(all => all.map(r => r.url))
"""


def test_it_is_kept_and_renewed(browser: Browser, host: Host) -> None:
    page = PythonPage(browser, host.address, f"{PAGE}.html").start()
    assert page.cell(FIRST).run().output
    first = host.of_python()
    assert any("pyodide.asm.wasm" in path for path in first)
    assert len(first) == len(set(first)), "something was transferred twice"

    # later visits transfer nothing of it
    host.fetched.clear()
    page.open()
    page.start()
    page.cell(FIRST).run()
    assert host.of_python() == []

    # without a network the page, its figures and its Python are there
    host.down()
    page.open()
    page.start()
    assert page.cell(OTHER).write("2 * 21").run().output == "42"
    assert page.page.locator(".nn-figure").count() > 0, "the figures are part of it"

    # a new edition is seen at once, and takes the place of the old one
    host.next = True
    host.up()
    page.open()
    assert page.page.title().startswith("Second edition")
    host.fetched.clear()
    page.start()
    assert page.cell(FIRST).run().output
    fetched = host.of_python()
    assert fetched and all(NEW in path for path in fetched), "Pyodide itself has not changed"
    gone = f"{KEPT.strip()}.then(all => !all.some(url => url.includes('{host.folder}')))"
    page.page.wait_for_function(gone)
    kept = page.page.evaluate(KEPT)
    folders = {re.search(r"/python/([^/]+)/", url)[1] for url in kept}
    assert NEW in folders and len(folders) == 2, folders
    page.close()

"""Python from a host that a deployer names (make book run=https://…); its errors."""

from __future__ import annotations

import http.server
import json
import re
from collections.abc import Iterator
from pathlib import Path

import book_run
import fetch_python
import pytest
from playwright.sync_api import Browser, expect
from sphinx.errors import ExtensionError

from tests.book.harness import PREFIX, SubPathHandler
from tests.book.python_page import FIRST, PAGE, SANDBOX, PythonPage, needs_python
from tools.browser import Server

pytestmark = [pytest.mark.browser, pytest.mark.reads(f"{PAGE}.html")]

CONTENT_TYPES = {".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm"}
WASM, NUMPY = "pyodide.asm.wasm", "numpy-2.0.2-cp312-cp312-pyodide_2024_0_wasm32.whl"
MATPLOTLIB = "matplotlib-3.8.4-cp312-cp312-pyodide_2024_0_wasm32.whl"
# The policy that docs/python.md gives to deployers; the theme's own scripts are inline.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' {host}; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    "connect-src 'self' {host}; worker-src 'self'; object-src 'none'; base-uri 'none'"
)


class Files(http.server.BaseHTTPRequestHandler):
    """Serves Pyodide's release to pages of other sites, with the host's `faults`."""

    host: PythonHost

    def do_GET(self) -> None:
        self.host.fetched.append(self.path)
        self.answer(body=True)

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def answer(self, body: bool) -> None:
        name = self.path.rpartition("/")[2]
        fault = self.host.faults.get(name, "")
        if name not in self.host.files or fault == "missing":
            self.send_response(404)
            self.send_header("Access-Control-Allow-Origin", "*")
            return self.end_headers()
        data = self.host.files[name].read_bytes()
        content_type = CONTENT_TYPES.get(Path(name).suffix, "application/octet-stream")
        self.send_response(200)
        self.send_header("Content-Type", "text/plain" if fault == "wrong type" else content_type)
        self.send_header("Content-Length", str(len(data)))
        if self.host.cors:
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Vary", "Origin")
        self.end_headers()
        if fault == "altered":
            data = data[:-100] + bytes(100)
        if body:
            self.wfile.write(data[: len(data) // 2] if fault == "truncated" else data)

    def log_message(self, format: str, *args: object) -> None:
        pass


class PythonHost:
    """A host with Pyodide's files that is not the book's own; `faults` maps a file to its fault."""

    def __init__(self) -> None:
        lock = fetch_python.read_lock()
        self.files = dict(fetch_python.core(lock))
        for path in fetch_python.packages(lock, lock["pyodide"]["packages"]).values():
            self.files[path.name] = path
        self.cors, self.port = True, 0
        self.faults: dict[str, str] = {}
        self.fetched: list[str] = []
        self.up()

    def up(self) -> None:
        handler = type("Handler", (Files,), {"host": self})
        self.server = Server(handler, self.port)
        self.port = self.server.port

    def down(self) -> None:
        self.server.close()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def address(self) -> str:
        return f"{self.origin}/pyodide/full/"


class Book:
    """The site as `make book run=<the host>` builds it: its pages load Python from the host."""

    def __init__(self, site: Path, host: PythonHost, parent: Path) -> None:
        prepared = book_run.prepare(parent, host.address)
        [folder] = prepared["folders"]
        self.lock, self.policy = prepared["lock"], ""
        book = self

        class Handler(SubPathHandler):
            def __init__(self, *args, **kwargs) -> None:
                super().__init__(*args, directory=str(site), **kwargs)

            def translate_path(self, path: str) -> str:
                prepared_folder = f"{PREFIX}python/{folder.name}/"
                if not path.startswith(prepared_folder):
                    return super().translate_path(path)
                return str(folder / path.removeprefix(prepared_folder).partition("?")[0])

            def do_GET(self) -> None:
                path = Path(self.translate_path(self.path))
                if path.suffix != ".html" or not path.is_file():
                    return super().do_GET()
                text = rewritten(path.read_text("utf8"), {**prepared, "lock": book.lock})
                self.send_page(text.encode(), "text/html")

            def end_headers(self) -> None:
                if book.policy:
                    self.send_header("Content-Security-Policy", book.policy)
                super().end_headers()

        self.server = Server(Handler)
        self.address = self.server.origin + PREFIX


def rewritten(page: str, prepared: dict) -> str:
    """The page with the data that book_run.equip_page would write for that host."""

    def changed(match: re.Match) -> str:
        info = json.loads(match[2])
        info |= {"pyodide": prepared["pyodide"], "bytes": prepared["bytes"]}
        info |= {name: info["root"] + prepared[name] for name in ("book", "lock")}
        info["folders"] = [f"python/{folder.name}/" for folder in prepared["folders"]]
        return match[1] + json.dumps(info).replace("<", "\\u003c") + match[3]

    return re.sub(r'(id="nn-run">)(.*?)(</script>)', changed, page, flags=re.S)


@pytest.fixture
def host(site: Path) -> Iterator[PythonHost]:
    needs_python(site)
    python_host = PythonHost()
    yield python_host
    python_host.server.close()


@pytest.fixture
def book(site: Path, host: PythonHost, tmp_path: Path) -> Iterator[Book]:
    built = Book(site, host, tmp_path)
    yield built
    built.server.close()


def opened(browser: Browser, book: Book, **options) -> PythonPage:
    return PythonPage(browser, book.address, f"{PAGE}.html", allowed="http://127.0.0.1:", **options)


def failure(page: PythonPage) -> str:
    """Tries to start Python, which must fail; returns the page's message."""
    page.page.click(".nn-run-start")
    page.page.wait_for_selector(".nn-run-bar[data-state=failed]", timeout=60_000)
    assert page.page.get_by_role("button", name="Try again").is_visible()
    assert page.page.locator(".nn-run-failed").get_by_text("download the notebook").is_visible()
    return page.message


def test_a_host_that_the_deployer_names(browser: Browser, book: Book, host: PythonHost) -> None:
    book.policy = POLICY.format(host=host.origin)
    page = opened(browser, book).start()
    assert page.cell(FIRST).run().output
    assert any(path.endswith(WASM) for path in host.fetched)
    cell = page.cell(SANDBOX)
    cell.write("import matplotlib.pyplot as plt\nplt.plot([1, 4, 9])\nplt.show()").run()
    assert cell.locator.locator(".nn-run-output img").count() == 1
    cell.write(
        "from nnlib import live\nw = live.slider(0.0, 4.0, 0.5, value=1.0, label='weight')\n"
        "live.figure(lambda w: {'y': w * 2}, w=w, view=[live.readout('y is {y:.1f}')])"
    ).run()
    shown = cell.locator.locator(".nn-run-output .nn-figure")
    shown.get_by_role("slider", name="weight").focus()
    page.page.keyboard.press("ArrowRight")
    expect(shown).to_contain_text("y is 3.0")
    assert len(host.fetched) == len(set(host.fetched)), "something was transferred twice"
    assert page.visit.errors == []

    # a later visit needs nothing from that host, so it may be down
    host.fetched.clear()
    host.down()
    page.open()
    page.start()
    cell = page.cell(SANDBOX)
    cell.write("import matplotlib.pyplot as plt\nplt.plot([1, 4, 9])\nplt.show()").run()
    assert cell.locator.locator(".nn-run-output img").count() == 1
    assert page.visit.errors == []

    # a book with another lock uses nothing that was cached for the old one
    host.up()
    old = Path(book.lock).name
    book.lock = book.lock.replace(old, f"{old}?another")
    page.open()
    page.start()
    assert any(path.endswith(WASM) for path in host.fetched)
    page.close()


def test_a_host_that_refuses_other_sites_is_explained(
    browser: Browser, book: Book, host: PythonHost
) -> None:
    host.cors = False
    page = opened(browser, book)
    words = failure(page)
    assert "must send Access-Control-Allow-Origin" in words and host.origin in words
    host.cors = True
    page.press("Try again")
    page.wait("ready")
    page.close()


FAILING = {
    "pyodide.mjs": ("missing", "answers 404 for /pyodide/full/pyodide.mjs"),
    WASM: ("truncated", "was interrupted"),
    "python_stdlib.zip": ("missing", "answers 404"),
    NUMPY: ("altered", "its hash differs"),
}


@pytest.mark.parametrize("name", FAILING)
def test_a_file_that_fails_is_named(
    browser: Browser, book: Book, host: PythonHost, name: str
) -> None:
    fault, words = FAILING[name]
    host.faults[name] = fault
    page = opened(browser, book)
    message = failure(page)
    assert message.startswith("Python did not start") and name in message and words in message
    host.faults.clear()
    page.press("Try again")
    page.wait("ready")
    assert page.cell(FIRST).run().output, "the damaged file was kept"
    page.close()


def test_a_host_that_does_not_answer(browser: Browser, book: Book, host: PythonHost) -> None:
    host.down()
    page = opened(browser, book)
    assert f"{host.origin} does not answer" in failure(page)
    host.up()
    page.close()


def test_matplotlib_can_be_loaded_after_a_failure(
    browser: Browser, book: Book, host: PythonHost
) -> None:
    host.faults = {MATPLOTLIB: "missing", WASM: "wrong type"}
    page = opened(browser, book).start()
    cell = page.cell(SANDBOX)
    cell.write("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()").run("error")
    assert "matplotlib could not be loaded" in cell.output and "answers 404" in cell.output
    host.faults.clear()
    cell.run()
    assert cell.locator.locator(".nn-run-output img").count() == 1
    page.close()


@pytest.mark.parametrize("source", ["yes", "cdn.example.org/pyodide", "https:///full"])
def test_a_source_that_is_not_an_address_is_refused(source: str) -> None:
    with pytest.raises(ExtensionError, match="run=1"):
        book_run.address_of_host(source)


def test_the_books_lock_names_only_official_files() -> None:
    lock = fetch_python.read_lock()
    official = fetch_python.pyodide_entries(lock)
    name, data, size = book_run.lock_for_host(lock)
    packages = json.loads(data)["packages"]
    assert sorted(packages) == sorted(lock["pyodide"]["packages"])
    for package, entry in packages.items():
        assert entry["sha256"] == official[package]["sha256"]
        assert set(entry["depends"]) <= set(packages)
    assert book_run.sha256(data)[:12] in name and 12e6 < size < 18e6

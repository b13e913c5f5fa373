"""The page's Python offline: cached after the first visit, updated with the book."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.book.hosts import NEW, Host
from tests.book.python_page import FIRST, OTHER, PAGE, PythonPage, needs_python

pytestmark = [pytest.mark.browser, pytest.mark.reads(f"{PAGE}.html")]


@pytest.fixture
def host(site: Path) -> Iterator[Host]:
    needs_python(site)
    site_host = Host(site)
    yield site_host
    site_host.server.close()


CACHED = """
  caches.open("nnlib-python").then(cache => cache.keys()).then(all => all.map(r => r.url))
"""


def test_the_pages_python_is_cached_and_updated(browser: Browser, host: Host) -> None:
    page = PythonPage(browser, host.address, f"{PAGE}.html").start()
    assert page.cell(FIRST).run().output
    first = host.python_requests()
    assert any("pyodide.asm.wasm" in path for path in first)
    assert len(first) == len(set(first)), "something was transferred twice"

    # later visits transfer none of these files
    host.fetched.clear()
    page.open()
    page.start()
    page.cell(FIRST).run()
    assert host.python_requests() == []

    # offline the page, its figures and its Python still work
    host.down()
    page.open()
    page.start()
    assert page.cell(OTHER).write("2 * 21").run().output == "42"
    assert page.page.locator(".nn-figure").count() > 0, "the page has no figures offline"

    # a new edition is shown at once and replaces the old one
    host.next = True
    host.up()
    page.open()
    assert page.page.title().startswith("Second edition")
    host.fetched.clear()
    page.start()
    assert page.cell(FIRST).run().output
    fetched = host.python_requests()
    assert fetched and all(NEW in path for path in fetched), "Pyodide itself has not changed"
    replaced = f"{CACHED.strip()}.then(all => !all.some(url => url.includes('{host.folder}')))"
    page.page.wait_for_function(replaced)
    urls = page.page.evaluate(CACHED)
    folders = {re.search(r"/python/([^/]+)/", url)[1] for url in urls}
    assert NEW in folders and len(folders) == 2, folders
    page.close()

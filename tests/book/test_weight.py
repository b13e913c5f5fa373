"""The bytes that opening a page transfers from the server that `make serve` starts."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
import serve

from tests.book.harness import BOOK_PAGES
from tools.browser import Server

pytestmark = [pytest.mark.browser, pytest.mark.reads("{name}")]
# The goal in docs/performance.md: on a slow line, 5 Mbit/s, this takes 2.4 seconds.
LIMIT_BYTES = 1_500_000


@pytest.mark.parametrize("name", BOOK_PAGES)
def test_a_page_transfers_little_when_nothing_is_cached(browser, site: Path, name: str) -> None:
    handler = functools.partial(serve.QuietHandler, directory=str(site))
    server = Server(handler)
    context = browser.new_context(viewport={"width": 1360, "height": 800})
    page = context.new_page()
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    sizes: list[int] = []
    network.on("Network.loadingFinished", lambda e: sizes.append(int(e["encodedDataLength"])))
    page.goto(f"{server.origin}/{name}", wait_until="networkidle")
    context.close()
    server.close()
    assert len(sizes) > 5 and sum(sizes) < LIMIT_BYTES

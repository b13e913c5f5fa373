"""The theme is set before the first paint, and a page works even if it cannot store anything."""

from __future__ import annotations

import functools
import http.server
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.book.harness import FRAMES
from tools.browser import Server

PAGE = "chapters/xor.html"
pytestmark = [pytest.mark.browser, pytest.mark.reads(PAGE)]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_theme_is_set_before_any_other_script_runs(browser, address: str, theme: str) -> None:
    context = browser.new_context(color_scheme=theme)
    page = context.new_page()
    page.route("**/*.js*", lambda route: route.abort())  # a slow phone has not loaded them yet
    page.goto(address + PAGE, wait_until="domcontentloaded")
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 254, 251)", "dark": "rgb(20, 24, 30)"}[theme]
    context.close()


@contextmanager
def framing(folder: Path, address: str, sandbox: str) -> Iterator[str]:
    """A school's page, on a host of its own, that shows the chapter in a sandboxed frame."""
    (folder / "school.html").write_text(
        f'<!doctype html><iframe sandbox="{sandbox}" src="{address}{PAGE}" width="1000" '
        'height="700"></iframe>', "utf8")  # fmt: skip
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with Server(handler) as server:
        yield f"{server.origin}/school.html"


def test_in_a_frame_without_an_origin_the_page_works_for_the_visit(
    browser, address: str, tmp_path: Path
) -> None:
    errors: list[str] = []
    page = browser.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    with framing(tmp_path, address, "allow-scripts") as school:
        page.goto(school)
        frame = page.frames[1]
        frame.wait_for_selector(".nn-figure[data-ready]")
        before = frame.evaluate("document.documentElement.dataset.mode")
        frame.evaluate("document.querySelector('.theme-switch-button').click()")
        frame.evaluate(FRAMES)
        assert frame.evaluate("document.documentElement.dataset.mode") != before
        slider = frame.locator(".nn-figure input[type=range]").first
        slider.focus()
        slider.press("ArrowRight")
        assert errors == []
    page.close()


def test_in_a_frame_without_an_origin_running_code_offers_a_tab_of_its_own(
    browser, base: str, tmp_path: Path
) -> None:
    page = browser.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    with framing(tmp_path, base, "allow-scripts allow-popups") as school:
        page.goto(school)
        frame = page.frames[1]
        frame.wait_for_selector(".nn-run-start")
        frame.click(".nn-run-start")
        message = frame.locator(".nn-run-notice")
        link = message.get_by_role("link", name=f"{base}{PAGE}")
        assert "in its own tab" in message.inner_text()
        assert link.get_attribute("target") == "_blank"
        assert not [url for url in requests if "/python/" in url]
    page.close()

"""A page of figures in a browser, under a strict policy, together with the figures in Python."""

from __future__ import annotations

import functools
import http.server
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from nnlib import live
from tests.book.harness import FRAMES
from tools.browser import Server

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'"
)


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder under a policy that forbids inline scripts, inline styles and eval."""

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a server for this folder."""
    with Server(functools.partial(Handler, directory=str(folder))) as server:
        yield server.origin


class Site:
    """A page of figures, its address, its errors, and the figures in Python."""

    def __init__(self, page: Any, url: str, figures: list[live.Figure]):
        self.page, self.url = page, url
        self.figures = {f.spec["name"]: f for f in figures}
        self.errors: list[str] = []
        page.on("pageerror", lambda e: self.errors.append(str(e)))
        page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)

    def open(self, fragment: str = "") -> None:
        self.page.goto("about:blank")
        self.page.goto(self.url + fragment)
        self.page.wait_for_selector(".nn-figure[data-ready]")
        self.page.evaluate(
            """async () => {
              const live = await import("/live.js");
              window.scene = (name) =>
                live.scenes.get(document.querySelector(`.nn-figure[data-name="${name}"]`));
              window.read = (name, key) => {
                const tensor = window.scene(name).named(key);
                return tensor && Array.from(tensor.data);
              };
            }"""
        )

    @contextmanager
    def reopened(self) -> Iterator[Site]:
        """The page as a reader who comes back finds it; at the end it must have no errors."""
        self.errors.clear()
        self.open()
        yield self
        assert self.errors == []

    def figure(self, name: str) -> Any:
        return self.page.locator(f'.nn-figure[data-name="{name}"]')

    def read(self, name: str, key: str) -> np.ndarray:
        self.settle()
        return np.asarray(self.page.evaluate("([n, k]) => window.read(n, k)", [name, key]), float)

    def set(self, name: str, values: dict) -> None:
        self.page.evaluate(
            """([name, values]) => {
              const scene = window.scene(name);
              for (const [key, value] of Object.entries(values)) scene.set(key, value);
              scene.flush();
            }""",
            [name, values],
        )

    def settle(self) -> None:
        self.page.evaluate(FRAMES)

    def drag(self, locator: Any, dx: float, dy: float) -> None:
        locator.scroll_into_view_if_needed()
        box = locator.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        mouse = self.page.mouse
        mouse.move(x, y)
        mouse.down()
        mouse.move(x + dx / 2, y + dy / 2)
        mouse.move(x + dx, y + dy)
        mouse.up()
        self.settle()

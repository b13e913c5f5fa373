"""The chapter that a test file is about: its cells, the names they define, pages of its figures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nnlib import live

if TYPE_CHECKING:
    from tests.live.figure_site import Site

CHAPTERS = Path(__file__).parents[2] / "chapters"
OPENING = CHAPTERS.parent / "index.ipynb"
LEFT_OUT = {"exercise", "check", "pytorch"}


def code(name: str) -> list[tuple[set[str], str]]:
    """Tags and source of each code cell."""
    path = OPENING if name == "opening" else CHAPTERS / f"{name}.ipynb"
    notebook = json.loads(path.read_text("utf8"))
    return [
        (set(cell["metadata"].get("tags", [])), "".join(cell["source"]))
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    ]


@pytest.fixture(scope="module")
def chapter_name(request: pytest.FixtureRequest) -> str:
    """test_by_hand.py is about chapters/by-hand.ipynb, test_opening.py about index.ipynb."""
    return request.module.__name__.rpartition("test_")[2].replace("_", "-")


@pytest.fixture(scope="module")
def cells(chapter_name: str) -> Callable[..., list[str]]:
    """cells() gives the code cells' sources, cells(tag) those with that tag."""
    return lambda tag=None: [s for tags, s in code(chapter_name) if tag is None or tag in tags]


@pytest.fixture(scope="module")
def chapter(chapter_name: str) -> dict:
    """The names that the chapter defines when its cells run, with their assertions."""
    names: dict = {"__name__": "chapter"}
    for tags, source in code(chapter_name):
        if not LEFT_OUT & tags:
            exec(source, names)
    return names


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., AbstractContextManager[Site]]:
    """shown(*figures, height=…) opens a page with only these figures in a real browser."""
    pytest.importorskip("playwright.sync_api")
    from tests.live.figure_site import Site, serving
    from tools.browser import launched

    @contextmanager
    def opened(*figures: live.Figure, height: int) -> Iterator[Site]:
        folder = tmp_path_factory.mktemp("figures")
        path = live.page(*figures, path=folder / "page.html", inline=False)
        (folder / "favicon.ico").write_bytes(b"")
        with serving(folder) as url, launched() as chromium:
            page = chromium.new_page(viewport={"width": 900, "height": height})
            site = Site(page, f"{url}/{path.name}", list(figures))
            site.open()
            yield site
            assert site.errors == []

    return opened

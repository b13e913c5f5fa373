"""Each chapter's cells, run in the page, give the notebook's stored outputs."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser

from tests.book.harness import BOOK_PAGES
from tests.book.python_page import PAGE, PythonPage, cells_of, outputs_of_page, stored

pytestmark = [pytest.mark.browser, pytest.mark.reads("{name}.html")]

# Figures of rounding errors, whose last bits depend on the machine's exp, tanh and matmul.
ROUNDING = {"Not too large, not too small"}

CHAPTERS = [name.removesuffix(".html") for name in BOOK_PAGES]
CHAPTERS = [name for name in CHAPTERS if cells_of(name)]
MINUTES = 10  # for one chapter on a busy machine: the CNN trains for minutes in WebAssembly


@pytest.mark.parametrize(
    "name",
    [name if name == PAGE else pytest.param(name, marks=pytest.mark.slow) for name in CHAPTERS],
)
def test_a_chapter_gives_its_stored_outputs(browser: Browser, base: str, name: str) -> None:
    page = PythonPage(browser, base, f"{name}.html").start()
    cells = cells_of(name)
    runs = page.run_all(len(cells), MINUTES * 60_000)
    wrong = []
    for run, cell in zip(runs, cells, strict=False):
        shown, expected = outputs_of_page(run["messages"]), stored(cell)
        if "nbval-ignore-output" in cell["metadata"].get("tags", []):  # times, for example
            shown = expected
        if any(title in text for title in ROUNDING for _, text in expected):
            shown, expected = (
                [(kind, without_numbers(text)) for kind, text in outputs]
                for outputs in (shown, expected)
            )
        if shown != expected or run["status"] != "ok":
            wrong.append(f"{cell['id']}: {difference(shown, expected)}")
    assert not wrong and len(runs) == len(cells), "\n".join(wrong)
    assert page.visit.errors == []
    page.close()


def without_numbers(text: str) -> str:
    return re.sub(r"\d+(\.\d+)?", "#", text)


def difference(shown: list, expected: list) -> str:
    """Describes the first difference between the outputs in the page and in the notebook."""
    if [kind for kind, _ in shown] != [kind for kind, _ in expected]:
        return f"the page gives {shown!r:.300}, but the notebook has {expected!r:.300}"
    for (kind, in_page), (_, in_notebook) in zip(shown, expected, strict=True):
        if in_page != in_notebook:
            first = next(
                (i for i, (a, b) in enumerate(zip(in_page, in_notebook, strict=False)) if a != b), 0
            )
            part = slice(max(0, first - 30), max(0, first - 30) + 90)
            return (
                f"{kind}: the page gives …{in_page[part]!r}, "
                f"but the notebook has …{in_notebook[part]!r}"
            )
    return "failed"

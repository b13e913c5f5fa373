"""The reference's examples, run in the page, print what their docstrings show."""

from __future__ import annotations

import doctest
import json
import re
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

import pytest
from book_run import NOT_IN_A_PAGE
from playwright.sync_api import Browser, expect

from tests.accessibility import serious_violations
from tests.book.harness import BOOK_PAGES
from tests.book.python_page import PythonPage, needs_python, until
from tests.book.reference_members import documented

pytestmark = pytest.mark.browser

INFO = re.compile(r'<script type="application/json" id="nn-run">(.*?)</script>', re.DOTALL)
QUICK = {"reference/functions", "reference/nn"}
MINUTES = 5  # for one page on a busy machine


def docstrings() -> dict[str, str]:
    """Every docstring with an example that a page can run, by the example's name there."""
    docs = {
        name: member.__doc__ or ""
        for name, member in documented().items()
        if name not in NOT_IN_A_PAGE
    }
    return {
        "example-" + re.sub(r"\W+", "-", name): doc for name, doc in docs.items() if ">>> " in doc
    }


def info_of(site: Path, page: str) -> dict[str, Any]:
    """The data that the build wrote into a page to run its code; empty if it runs none."""
    match = INFO.search((site / f"{page}.html").read_text("utf8"))
    return json.loads(match[1]) if match else {}


def expected(doc: str) -> tuple[str, int]:
    """The outputs that the docstring shows, and doctest's options for them."""
    examples = doctest.DocTestParser().get_examples(doc)
    flags = [flag for example in examples for flag, on in example.options.items() if on]
    return "".join(example.want for example in examples), reduce(or_, flags, 0)


def shown_by(messages: list[dict[str, Any]]) -> str:
    """What the page printed; messages of any other kind are shown in brackets."""
    return "".join(m["text"] if m.get("name") == "stdout" else f"[{m}]" for m in messages)


# Additional output in a page, because it never has PyTorch.
ADDED = {
    "example-course-pytorch":
        "PyTorch is not installed here, so this cell is skipped: pip install torch\n",
}  # fmt: skip

PAGES = [name.removesuffix(".html") for name in BOOK_PAGES]
PAGES = [name for name in PAGES if name.startswith("reference/")]
WITHOUT_EXAMPLES = {"bibliography", "nnlib", "notation", "rosetta", "teaching"}
WITH_EXAMPLES = [n for n in PAGES if n.removeprefix("reference/") not in WITHOUT_EXAMPLES]


def test_every_example_of_the_reference_can_be_run_and_only_these(site: Path) -> None:
    needs_python(site)
    infos = {page: info_of(site, page) for page in PAGES}
    assert [page for page, info in infos.items() if info] == WITH_EXAMPLES
    cells = [cell for info in infos.values() if info for cell in info["cells"]]
    names = [cell["id"] for cell in cells]
    assert len(names) == len(set(names))
    assert set(names) == set(docstrings())
    assert not [cell["id"] for cell in cells if re.search(r"^(>>>|\.\.\.) ", cell["source"], re.M)]
    assert not [page for page, info in infos.items() if "notebook" in info or "lite" in info]


@pytest.mark.reads("{name}.html")
@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
     for name in WITH_EXAMPLES],
)  # fmt: skip
def test_a_page_prints_what_its_docstrings_show(
    browser: Browser, base: str, site: Path, name: str
) -> None:
    page = PythonPage(browser, base, f"{name}.html").start()
    docs, cells = docstrings(), info_of(site, name)["cells"]
    runs = page.run_all(len(cells), MINUTES * 60_000)
    wrong = []
    for run, cell in zip(runs, cells, strict=False):
        (wanted, flags), got = expected(docs[cell["id"]]), shown_by(run["messages"])
        wanted = ADDED.get(cell["id"], "") + wanted
        same = doctest.OutputChecker().check_output(wanted, got, flags)
        if not same or run["status"] != "ok":
            wrong.append(f"{cell['id']} shows\n{got}\nits docstring shows\n{wanted}")
    assert not wrong and len(runs) == len(cells), "\n".join(wrong)
    assert page.visit.errors == []
    page.close()


LONGEST = "reference/functions.html"
RELU = "example-nnlib-relu"


@pytest.mark.reads(LONGEST)
def test_an_example_shows_its_docstring_until_it_runs_and_after_reset(
    browser: Browser, base: str
) -> None:
    page = PythonPage(browser, base, LONGEST)
    text = page.page.locator(f"#cell-{RELU}").inner_text()
    assert text.startswith(">>> ") and page.page.locator(".nn-run-tools").count() == 0
    page.start()
    example = page.cell(RELU)
    printed = example.locator.locator(".doctest")
    assert printed.inner_text() == text
    assert page.page.locator(".cm-editor").count() == 0, "an editor opened by itself"
    example.run()
    wanted, _ = expected(docstrings()[RELU])
    assert example.output == wanted.strip()
    expect(printed).to_be_hidden()
    example.write("import nnlib\nnnlib.relu(nnlib.tensor(-2.0))\n1 + 1").run()
    assert example.output.splitlines() == ["tensor(0.)", "2"]
    page.open()
    note = page.page.inner_text(".nn-run-stored-edits")
    assert "Your edits to one example are kept" in note and "notebook" not in note
    page.start()
    example = page.cell(RELU)
    printed = example.locator.locator(".doctest")
    assert example.source.endswith("1 + 1")
    example.locator.get_by_role("button", name=re.compile("^Reset example")).click()
    expect(printed).to_be_visible()
    assert printed.inner_text() == text and example.locator.locator(".cm-editor").count() == 0
    page.close()


@pytest.mark.reads(LONGEST)
def test_shift_enter_moves_on_to_the_next_example(browser: Browser, base: str) -> None:
    page = PythonPage(browser, base, LONGEST).start()
    example = page.cell(RELU).run()
    example.locator.locator(".cm-content").focus()
    page.page.keyboard.press("Shift+Enter")
    name = page.page.evaluate("document.activeElement.getAttribute('aria-label')")
    number = int(example.locator.locator(".nn-run-name").inner_text().split()[1])
    assert name == f"Run example {number + 1}"
    page.close()


@pytest.mark.reads(LONGEST)
def test_an_error_in_an_example_shows_what_to_do_without_a_notebook(
    browser: Browser, base: str
) -> None:
    page = PythonPage(browser, base, LONGEST).start()
    example = page.cell(RELU).run()
    example.write("1 + 1\nopen('marks.csv')\n2 + 2").run("error")
    assert "Copy the example to run it where Python is installed." in example.output
    assert example.output.startswith("2\n") and "4" not in example.output.splitlines()
    example.locator.get_by_role("button", name=re.compile(r"^example \d+, line 2$")).click()
    assert example.locator.locator(".cm-focused").count() == 1
    assert page.page.get_by_role("button", name="Download notebook").count() == 0
    page.close()


@pytest.mark.reads(LONGEST)
def test_the_running_page_is_accessible_and_copies_without_prompts(
    browser: Browser, base: str
) -> None:
    page = PythonPage(browser, base, LONGEST, """
      document.addEventListener("copy", (event) => { window.copied = event.target.value; });
    """).start()  # fmt: skip
    page.page.click("div.doctest .copybtn")
    until(page.page, "window.copied !== undefined")
    assert page.page.evaluate("window.copied").startswith("import nnlib\nnnlib.")
    page.cell(RELU).run()
    assert serious_violations(page.page, ".bd-article") == []
    page.close()

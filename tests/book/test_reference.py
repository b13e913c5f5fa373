"""The reference has one entry for every public name, with its docstring."""

from __future__ import annotations

import ast
import doctest
import inspect
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
from book_reference import public_names

from tests.book.reference_members import documented, listed, member_named

MODULES = [
    "nnlib", "nnlib.autograd", "nnlib.autograd.functional", "course", "nnlib.datasets",
    "nnlib.func", "nnlib.graph", "nnlib.linalg", "nnlib.live", "nnlib.nn", "nnlib.nn.functional",
    "nnlib.nn.init", "nnlib.nn.utils", "nnlib.optim", "nnlib.optim.functional",
    "nnlib.optim.lr_scheduler",
    "nnlib.utils.data", "nnlib.utils.hooks",
]  # fmt: skip


def test_every_public_name_is_in_the_reference_once():
    names = listed()
    assert len(names) == len(set(names))
    objects = {id(member_named(name)) for name in names}
    missing = [
        f"{module}.{name}" for module in MODULES for name in public_names(module)
        if id(member_named(f"{module}.{name}")) not in objects
    ]  # fmt: skip
    assert missing == []


# Names whose example could show nothing, or would write to a reader's machine.
WITHOUT_EXAMPLE = {
    "course.NotSolved", "course.NumberDiffers",  # errors of the course
    "course.check", "course.progress", "course.style",
    "nnlib.live.Training.batch_at", "nnlib.live.Training.spec",  # called by figures
}  # fmt: skip


def test_every_docstring_has_a_first_line_and_an_example_that_doctest_runs():
    docs = {name: member.__doc__ or "" for name, member in documented().items()}
    assert [name for name, doc in docs.items() if len(doc.strip().split("\n")[0]) < 8] == []
    without_example = {name for name, doc in docs.items() if ">>> " not in doc}
    assert without_example == WITHOUT_EXAMPLE


@pytest.mark.slow
def test_an_example_runs_by_itself_as_a_reader_copies_it():
    parser, failed = doctest.DocTestParser(), []
    runner = doctest.DocTestRunner()
    for name, member in documented().items():
        example = parser.get_doctest(member.__doc__ or "", {}, name, None, None)
        if runner.run(example, out=lambda text: None).failed:
            failed.append(name)
    assert failed == []


def raised(member: Any) -> set[str]:
    """The errors that a function's own lines raise (for a class: those of its `__init__`)."""
    code = vars(member).get("__init__") if isinstance(member, type) else member
    code = getattr(code, "fget", code)
    if not inspect.isfunction(code) or code.__closure__:  # made by another function, or inherited
        return set()
    tree = ast.parse(textwrap.dedent(inspect.getsource(code)))
    errors = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and node.exc]
    names = {ast.unparse(error).partition("(")[0] for error in errors}
    return {name for name in names if name.endswith("Error")}


def test_a_docstring_names_the_errors_that_its_code_raises():
    unnamed = {
        name: errors for name, member in documented().items()
        if (errors := {error for error in raised(member) if error not in (member.__doc__ or "")})
    }  # fmt: skip
    assert unnamed == {}


def test_docstrings_name_pytorchs_function_or_the_paper():
    without_source = {"course", "nnlib.datasets", "nnlib.graph", "nnlib.live"}
    names = [
        name for name in listed()
        if name.rpartition(".")[0] not in without_source and name != "nnlib.compile"
    ]  # fmt: skip
    source = re.compile(r"torch\.|\b(19|20)\d\d\b|autograd\.backward|See `")
    assert [n for n in names if not source.search(member_named(n).__doc__ or "")] == []


@pytest.mark.browser
def test_the_site_shows_every_public_name(site: Path):
    pages = [page.read_text("utf8") for page in sorted((site / "reference").glob("*.html"))]
    pattern = r'id="((?:nnlib|course)\.[\w.]+)"'
    ids = {match for page in pages for match in re.findall(pattern, page)}
    assert set(listed()) <= ids
    assert {"nnlib.Tensor.backward", "nnlib.nn.Module.state_dict"} <= ids
    assert any("max(x, 0), elementwise." in page for page in pages)


@pytest.mark.browser
@pytest.mark.parametrize(("word", "chapter"), [("sigmoid", "Sigmoid"), ("xor", "XOR")])
def test_a_search_lists_the_chapter_before_functions_of_the_same_name(visit, word, chapter):
    page = visit(f"search.html?q={word}").page
    page.wait_for_function("document.querySelectorAll('#search-results li').length > 9")
    results = page.locator("#search-results li > a").all_inner_texts()
    functions = [i for i, text in enumerate(results) if text.startswith("nnlib.")]
    assert functions
    assert results.index(chapter) < functions[0]

"""Readers' notebooks need no MyST: all of its syntax is converted to plain Markdown."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from plain_notebooks import Book, plain, plain_text, refresh

from tests.book.harness import ROOT

BOOK = Book.read()
CHAPTERS = [name for name in BOOK.docs if (ROOT / f"{name}.ipynb").is_file()]


def markdown_of(notebook: dict) -> str:
    cells = (c for c in notebook["cells"] if c["cell_type"] == "markdown")
    return "\n\n".join("".join(c["source"]) for c in cells)


@pytest.mark.parametrize("name", CHAPTERS)
def test_no_myst_syntax_is_left_and_code_stays_the_same(name: str) -> None:
    before = json.loads((ROOT / f"{name}.ipynb").read_text("utf8"))
    after = plain(before, name, BOOK)
    text = markdown_of(after)
    assert re.findall(r"\{[\w:]+\}`|^:::.*|^```\{.*|\$\$ *\([\w-]+\)", text, re.MULTILINE) == []
    assert len(before["cells"]) == len(after["cells"])
    for old, new in zip(before["cells"], after["cells"], strict=True):
        assert old["id"] == new["id"]
        if old["cell_type"] == "code":
            assert old["source"] == new["source"] and old["outputs"] == new["outputs"]
            tags = set(old["metadata"].get("tags", []))
            folded = bool({"hide-input", "remove-cell", "hide-cell"} & tags)
            assert (new["metadata"].get("jupyter") == {"source_hidden": True}) == folded
    exercises = re.findall(r"^\*\*Exercise (\d+)\. ", text, re.MULTILINE)
    assert exercises == [str(k + 1) for k in range(markdown_of(before).count("{exercise}"))]


QUESTION = re.compile(r"live\.(predict|quiz|question)\(|\b(answer|explain|why)=")


@pytest.mark.parametrize("name", CHAPTERS)
def test_no_answer_is_visible_above_its_question(name: str) -> None:
    notebook = plain(json.loads((ROOT / f"{name}.ipynb").read_text("utf8")), name, BOOK)
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    opened = [
        source for cell in code
        if QUESTION.search(source := "".join(cell["source"]))
        and cell["metadata"].get("jupyter") != {"source_hidden": True}
    ]  # fmt: skip
    assert opened == []


def small_book(folder: Path) -> Book:
    (folder / "_toc.yml").write_text("format: jb-book\nroot: one\nchapters:\n- file: parts/two\n")
    (folder / "references.bib").write_text(
        '@article{x, author={M{\\"u}ller, Ann and de Groot, Bo},'
        " title={T}, year={1999}, doi={1/2}}\n"
    )
    cells = {
        "one": ("# First\n\n$$\nx\n$$ (eq-x)", 'course.say("n", 1.5, "+.1f", reads="-1.5")'),
        "parts/two": ("# Second\n\n$$ y $$ (eq-y)", "1 + 1"),
    }
    for name, (text, code) in cells.items():
        path = folder / f"{name}.ipynb"
        path.parent.mkdir(exist_ok=True)
        notebook_cells = [
            {"cell_type": "markdown", "source": text},
            {"cell_type": "code", "source": code},
        ]
        path.write_text(json.dumps({"cells": notebook_cells}))
    return Book.read(folder)


def test_each_role_and_directive_reads_as_on_the_page(tmp_path: Path) -> None:
    book = small_book(tmp_path)

    def read(text: str, name: str = "one") -> str:
        return plain_text(text, name, book)

    assert read("It is {glue:text}`n`.") == "It is −1.5."
    assert read("{eq}`eq-x`; {eq}`eq-y`") == "(1); (1) of [Second](parts/two.ipynb)"
    assert read("{eq}`eq-x`", "parts/two") == "(1) of [First](../one.ipynb)"
    assert read("$$\na\n$$ (eq-x)") == "$$\na \\tag{1}\n$$"
    assert read("{cite:t}`x`") == "[Müller and de Groot (1999)](https://doi.org/1/2)"
    assert read("{cite:p}`x`") == "([Müller and de Groot, 1999](https://doi.org/1/2))"
    assert read("{term}`Logits <logit>`, {term}`odds`") == "Logits, odds"
    assert read("{doc}`parts/two`") == "[Second](parts/two.ipynb)"
    assert read(":::{admonition} Know\n:class: c\n\na\n\nb\n:::") == "> **Know**\n>\n> a\n>\n> b"
    assert read(":::{exercise} Try ★\n:label: l\n\nDo.\n:::") == "**Exercise 1. Try ★**\n\nDo."
    assert read("```{margin}\nAside.\n```") == "> Aside."


def test_a_notebook_that_a_reader_has_changed_is_never_overwritten(tmp_path: Path) -> None:
    origin, reading = tmp_path / "book", tmp_path / "reading"
    origin.mkdir()
    book = small_book(origin)
    assert refresh(reading, book) == (["one", "parts/two"], [])
    (reading / "one.ipynb").write_text("my own work")
    (reading / "parts" / "two.ipynb").unlink()
    assert refresh(reading, book) == (["parts/two"], ["one"])
    assert (reading / "one.ipynb").read_text() == "my own work"

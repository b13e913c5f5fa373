"""Directives for the page that compares nnlib with PyTorch; tests run the sources that they show.

`.. side-by-side:: name` shows `reference/rosetta/name.py` with nnlib and with PyTorch, what the
program prints and, if there is one, `name.numpy.py`, the same program in plain NumPy.
`.. rosetta:: part` shows a part of `reference/rosetta/table.toml`.
"""

from __future__ import annotations

import contextlib
import io
import re
import tomllib
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

FOLDER = Path(__file__).resolve().parent.parent / "reference" / "rosetta"
TABLE = FOLDER / "table.toml"


def for_torch(code: str) -> str:
    """The same program for PyTorch: the name nnlib becomes torch."""
    return re.sub(r"\bnnlib\b", "torch", code)


def run(code: str) -> tuple[str, dict[str, Any]]:
    """What a program prints, and the variables that it defines."""
    namespace: dict[str, Any] = {"__name__": "program"}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "program", "exec"), namespace)
    return printed.getvalue(), namespace


def table() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text("utf8"))


def listing(code: str, title: str, marked: list[int], language: str = "python") -> nodes.container:
    """A titled block of code in which the lines with the `marked` numbers are highlighted."""
    code = code.rstrip()
    box = nodes.container(classes=["nn-program"])
    block = nodes.literal_block(code, code, language=language)
    block["highlight_args"] = {"hl_lines": marked} if marked else {}
    box += [nodes.paragraph("", title, classes=["nn-program-title"]), block]
    return box


class SideBySide(SphinxDirective):
    """A program with nnlib and with PyTorch, side by side; lines that differ are marked."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        path = FOLDER / f"{self.arguments[0]}.py"
        by_hand = path.with_suffix(".numpy.py")
        self.env.note_dependency(str(path))
        code = path.read_text("utf8")
        other = for_torch(code)
        pairs = zip(code.splitlines(), other.splitlines(), strict=True)
        marked = [number for number, (a, b) in enumerate(pairs, 1) if a != b]
        printed, _ = run(code)
        box = nodes.container(classes=["nn-programs"])
        box += [listing(code, "nnlib", marked), listing(other, "PyTorch", marked)]
        box += listing(printed, "What it prints", [], "text")
        if by_hand.exists():
            self.env.note_dependency(str(by_hand))
            box += listing(by_hand.read_text("utf8"), "By hand, in NumPy", [])
        return [box]


class Rosetta(SphinxDirective):
    """A part of the table: the book's notation and that of each library."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(TABLE))
        part = self.arguments[0]
        rows = table()[part]
        if part == "difference":
            heads = ["Difference", "Line", "nnlib", "PyTorch"]
            cells = [[prose(r["text"]), *map(code_cell, (r["line"], r["nnlib"], r["torch"]))]
                     for r in rows]  # fmt: skip
        else:
            heads = ["The book", "nnlib", "PyTorch", "NumPy"]
            cells = [[book_cell(r), code_cell(r["nnlib"]), code_cell(for_torch(r["nnlib"])),
                      code_cell(r["numpy"])] for r in rows]  # fmt: skip
        return [
            build_table(
                heads, cells, "nn-" + ("differences" if part == "difference" else "rosetta")
            )
        ]


def prose(text: str) -> nodes.paragraph:
    """A paragraph; text in backquotes is code."""
    paragraph = nodes.paragraph()
    for number, part in enumerate(text.split("`")):
        paragraph += nodes.literal(part, part) if number % 2 else nodes.Text(part)
    return paragraph


def book_cell(row: dict[str, str]) -> nodes.paragraph:
    """The book's notation: a formula, or words."""
    if "words" in row:
        return prose(row["words"])
    return nodes.paragraph("", "", nodes.math(row["latex"], row["latex"]))


def code_cell(code: str) -> nodes.paragraph:
    return nodes.paragraph("", "", nodes.literal(code, code))


def build_table(heads: list[str], rows: list[list[nodes.Node]], css_class: str) -> nodes.table:
    """A table with these headings and cells."""
    group = nodes.tgroup(cols=len(heads))
    group += [nodes.colspec(colwidth=1) for _ in heads]
    group += nodes.thead("", row([prose(head) for head in heads]))
    group += nodes.tbody("", *map(row, rows))
    return nodes.table("", group, classes=[css_class])


def row(cells: list[nodes.Node]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", cell) for cell in cells))


def setup(app: Sphinx) -> dict:
    app.add_directive("side-by-side", SideBySide)
    app.add_directive("rosetta", Rosetta)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

"""A function fits on a screen: below 60 lines, its docstring aside.

That of the page's scripts is measured by frontend/lengths.test.mjs, with their compiler.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ["nnlib", "course", "_ext", "tools", "benchmarks", "frontend/python/kernel"]
LONGEST = 59


def functions(source: str) -> Iterator[tuple[str, int]]:
    """The functions of a module and their lines: from `def` to the end, without the docstring."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        assert node.end_lineno is not None
        lines = node.end_lineno - node.lineno + 1
        if ast.get_docstring(node) is not None:
            told = node.body[0]
            assert told.end_lineno is not None
            lines -= told.end_lineno - told.lineno + 1
        yield node.name, lines


def test_a_function_is_measured_without_its_docstring() -> None:
    source = 'def f(\n    x: int,\n) -> int:\n    """One.\n\n    Two.\n    """\n\n    return x\n'
    assert dict(functions(source)) == {"f": 5}
    inner = (
        "class A:\n    async def g(self):\n        def h():\n            pass\n        return h\n"
    )
    assert dict(functions(inner)) == {"g": 4, "h": 2}


@pytest.mark.parametrize("room", ROOMS)
def test_functions_fit_on_a_screen(room: str) -> None:
    files = sorted((ROOT / room).rglob("*.py"))
    assert files, f"{room} has no Python"
    long = [
        f"{path.relative_to(ROOT)}: {name} has {lines} lines"
        for path in files
        for name, lines in functions(path.read_text("utf8"))
        if lines > LONGEST
    ]
    assert not long, f"split by meaning what has 60 lines or more: {long}"

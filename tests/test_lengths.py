"""Every function fits on a screen: it has fewer than 60 lines, not counting its docstring.

For the page's scripts frontend/lengths.test.mjs checks this, with their compiler.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ["nnlib", "course", "_ext", "tools", "benchmarks", "frontend/python/kernel"]
LONGEST = 59


def functions(source: str) -> Iterator[tuple[str, int]]:
    """Each function's name and its number of lines, from `def` on, without the docstring."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        assert node.end_lineno is not None
        lines = node.end_lineno - node.lineno + 1
        if ast.get_docstring(node) is not None:
            docstring = node.body[0]
            assert docstring.end_lineno is not None
            lines -= docstring.end_lineno - docstring.lineno + 1
        yield node.name, lines


def test_a_function_is_measured_without_its_docstring() -> None:
    source = 'def f(\n    x: int,\n) -> int:\n    """One.\n\n    Two.\n    """\n\n    return x\n'
    assert dict(functions(source)) == {"f": 5}
    inner = (
        "class A:\n    async def g(self):\n        def h():\n            pass\n        return h\n"
    )
    assert dict(functions(inner)) == {"g": 4, "h": 2}


@pytest.mark.parametrize("folder", FOLDERS)
def test_functions_fit_on_a_screen(folder: str) -> None:
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files, f"{folder} has no Python"
    long = [
        f"{path.relative_to(ROOT)}: {name} has {lines} lines"
        for path in files
        for name, lines in functions(path.read_text("utf8"))
        if lines > LONGEST
    ]
    assert not long, f"split these functions into meaningful parts: {long}"

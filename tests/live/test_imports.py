"""No file of the figures or of the course imports one that imports it, in Python or in the page."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT_IMPORT = re.compile(r"^(?:import|export)\s(?!type\b)[^;]*?from \"(\.[^\"]+)\"", re.M)


def python_imports(folder: str) -> dict[str, set[str]]:
    """Each module's imports of its own folder, wherever in the file they stand."""
    files = {}
    for path in (ROOT / folder).rglob("*.py"):
        files[".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")] = path
    found: dict[str, set[str]] = {}
    for name, path in files.items():
        found[name] = set()
        for node in ast.walk(ast.parse(path.read_text("utf8"))):
            if isinstance(node, ast.ImportFrom):
                for one in node.names:
                    whole = f"{node.module}.{one.name}"
                    found[name].add(whole if whole in files else str(node.module))
            elif isinstance(node, ast.Import):
                found[name] |= {one.name for one in node.names}
        found[name] = (found[name] & set(files)) - {name}
    return found


def script_imports(folder: str) -> dict[str, set[str]]:
    """Each script's imports of others; those of types alone leave nothing behind."""
    found = {}
    for path in (ROOT / folder).rglob("*.ts"):
        named = SCRIPT_IMPORT.findall(path.read_text("utf8"))
        found[str(path)] = {
            os.path.normpath(path.parent / name).removesuffix(".js") + ".ts" for name in named
        }
    return found


def circle(imports: dict[str, set[str]]) -> list[str]:
    """One way from a file back to itself; empty if there is none."""
    done: set[str] = set()

    def visit(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in done:
            return []
        for other in sorted(imports.get(name, ())):
            found = visit(other, [*way, name])
            if found:
                return found
        done.add(name)
        return []

    ways: Iterable[list[str]] = (visit(name, []) for name in sorted(imports))
    return next(filter(None, ways), [])


def test_a_circle_is_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


@pytest.mark.parametrize("folder", ["nnlib/live", "course"])
def test_no_python_file_imports_one_that_imports_it(folder):
    found = python_imports(folder)
    assert sum(map(len, found.values())) > 20, "no imports were read"
    assert circle(found) == []


@pytest.mark.parametrize("folder", ["frontend/figures/src", "frontend/python/src"])
def test_no_script_imports_one_that_imports_it(folder):
    found = script_imports(folder)
    assert sum(map(len, found.values())) > 20, "no imports were read"
    assert circle(found) == []

"""No imports are circular, in Python or in the page's scripts, even inside functions."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPT_IMPORT = re.compile(r"^(?:import|export)\s(?!type\b)[^;]*?from \"(\.[^\"]+)\"", re.M)


# An import for the type checker alone may be circular: Tensor has the functions as its methods, and
# they are annotated as returning a Tensor.
FOR_TYPES = {"nnlib.tensor"}


def python_imports(folder: str, root: Path = ROOT) -> dict[str, set[str]]:
    """Each module's imports from its own folder, wherever they are in the file."""
    files = {}
    for path in (root / folder).rglob("*.py"):
        name = ".".join(path.relative_to(root).with_suffix("").parts)
        files[name.removesuffix(".__init__")] = path
    imports: dict[str, set[str]] = {}
    for name, path in files.items():
        imports[name] = set()
        for node in nodes_of(ast.parse(path.read_text("utf8"))):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    module = f"{node.module}.{alias.name}"
                    imports[name].add(module if module in files else str(node.module))
            elif isinstance(node, ast.Import):
                imports[name] |= {alias.name for alias in node.names}
        imports[name] = (imports[name] & set(files)) - {name}
    return imports


def nodes_of(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes except the imports of FOR_TYPES under `if TYPE_CHECKING`."""
    for node in ast.iter_child_nodes(tree):
        yield node
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            rest = [n for n in node.body if getattr(n, "module", None) not in FOR_TYPES]
            node = ast.Module(rest + node.orelse, [])
        yield from nodes_of(node)


def script_imports(folder: str) -> dict[str, set[str]]:
    """Each script's imports of other scripts, without type-only imports, which are not compiled."""
    imports = {}
    for path in (ROOT / folder).rglob("*.ts"):
        paths = SCRIPT_IMPORT.findall(path.read_text("utf8"))
        imports[str(path)] = {
            os.path.normpath(path.parent / name).removesuffix(".js") + ".ts" for name in paths
        }
    return imports


def cycle(imports: dict[str, set[str]]) -> list[str]:
    """The files of one circular import, the first again at the end; empty if there is none."""
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        for other in sorted(imports.get(name, ())):
            found = visit(other, [*path, name])
            if found:
                return found
        done.add(name)
        return []

    cycles: Iterable[list[str]] = (visit(name, []) for name in sorted(imports))
    return next(filter(None, cycles), [])


def test_a_cycle_is_found():
    assert cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert cycle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_an_import_in_a_function_counts_and_a_type_checkers_import_of_tensor_does_not(tmp_path):
    package = tmp_path / "nnlib"
    package.mkdir()
    (package / "tensor.py").write_text("from nnlib import record\n")
    record = package / "record.py"
    types = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from nnlib.{} import x\n"
    record.write_text(types.format("tensor"))
    assert cycle(python_imports("nnlib", tmp_path)) == []
    record.write_text("def late():\n    from nnlib.tensor import Tensor\n")
    assert "nnlib.tensor" in cycle(python_imports("nnlib", tmp_path))
    record.write_text(types.format("other"))
    (package / "other.py").write_text("import nnlib.record\n")
    assert "nnlib.other" in cycle(python_imports("nnlib", tmp_path))


@pytest.mark.parametrize("folder", ["nnlib", "course"])
def test_python_has_no_circular_imports(folder):
    imports = python_imports(folder)
    assert sum(map(len, imports.values())) > 20, "no imports were read"
    assert cycle(imports) == []


@pytest.mark.parametrize("folder", ["frontend/figures/src", "frontend/python/src"])
def test_the_pages_scripts_have_no_circular_imports(folder):
    imports = script_imports(folder)
    assert sum(map(len, imports.values())) > 20, "no imports were read"
    assert cycle(imports) == []


def test_no_module_of_functions_has_the_name_of_one_of_primitives():
    functions, primitives = [
        {path.stem for path in (ROOT / "nnlib" / folder).glob("*.py")} - {"__init__"}
        for folder in ("functions", "primitives")
    ]
    assert functions & primitives == set()

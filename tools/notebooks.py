"""Keeps the chapters' files in a normal form, so that a diff shows only what an author changed.

    python tools/notebooks.py chapters             rewrite what is not normal
    python tools/notebooks.py --execute chapters   run first, store the new outputs
    python tools/notebooks.py --check chapters     list what is not normal; exit 1 if anything

A normal notebook has the same execution count in all cells, no pictures, widget views or states
(the build makes them again), no metadata except the kernel's name, MyST-NB's settings, cells' tags
and the names of glued outputs; text outputs stay, because tests compare them. Code that the tests'
runner or the page's Python treats differently from Jupyter is refused: a trailing semicolon to hide
an output, `_` for the last result, magics.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import importlib.util
import json
import os
import sys
from pathlib import Path

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
# nbval assumes that a cell without a count was never run, and compares nothing.
EXECUTION_COUNT = 1
CELL_METADATA = ("mystnb", "tags")
OUTPUT_METADATA = ("scrapbook",)
NEVER_STORED = (
    "image/png",
    "image/jpeg",
    "application/vnd.jupyter.widget-view+json",
    "application/vnd.jupyter.widget-state+json",
)


def lines(source: str | list[str]) -> list[str]:
    text = source if isinstance(source, str) else "".join(source)
    return text.splitlines(keepends=True)


def normal_output(output: dict) -> dict:
    output_type = output["output_type"]
    if output_type == "stream":
        return {"name": output["name"], "output_type": output_type, "text": lines(output["text"])}
    if output_type == "error":
        return {
            "ename": output["ename"],
            "evalue": output["evalue"],
            "output_type": output_type,
            "traceback": [],
        }
    data = {
        mime: lines(value)
        if isinstance(value, (str, list)) and not mime.endswith("json")
        else value
        for mime, value in output["data"].items()
        if mime not in NEVER_STORED
    }
    metadata = {
        key: output["metadata"][key] for key in OUTPUT_METADATA if key in output["metadata"]
    }
    normal = {"data": data, "metadata": metadata, "output_type": output_type}
    if output_type == "execute_result":
        normal["execution_count"] = EXECUTION_COUNT
    return normal


def merge_streams(outputs: list[dict]) -> list[dict]:
    """Joins neighbouring pieces of one stream: how they were cut depends on the kernel's timing."""
    merged: list[dict] = []
    for output in outputs:
        last = merged[-1] if merged else {}
        if output["output_type"] == "stream" and last.get("name") == output["name"]:
            last["text"] = lines([*last["text"], *output["text"]])
        else:
            merged.append(output)
    return merged


def cell_id(cell: dict, position: int, taken: set[str]) -> str:
    """The cell's own id, or one made from its position and text (a random one would change)."""
    stored = cell.get("id")
    if stored and stored not in taken:
        return stored
    text = "".join(lines(cell["source"]))
    return hashlib.sha256(f"{position}\0{text}".encode()).hexdigest()[:8]


def normal_cell(cell: dict, position: int, taken: set[str]) -> dict:
    normal = {
        "cell_type": cell["cell_type"],
        "id": cell_id(cell, position, taken),
        "metadata": {
            key: cell["metadata"][key] for key in CELL_METADATA if key in cell["metadata"]
        },
        "source": lines("".join(lines(cell["source"])).rstrip("\n")),
    }
    taken.add(normal["id"])
    if cell["cell_type"] == "code":
        normal["execution_count"] = EXECUTION_COUNT
        normal["outputs"] = merge_streams([normal_output(output) for output in cell["outputs"]])
    return normal


def normal_notebook(notebook: dict) -> dict:
    """The notebook in the normal form, without empty cells."""
    taken: set[str] = set()
    metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    if "mystnb" in notebook["metadata"]:
        metadata["mystnb"] = notebook["metadata"]["mystnb"]
    cells = [c for c in notebook["cells"] if "".join(lines(c["source"])).strip()]
    return {
        "cells": [normal_cell(cell, position, taken) for position, cell in enumerate(cells)],
        "metadata": metadata,
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def text_of(notebook: dict) -> str:
    """The file's text, in nbformat's own layout."""
    return json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def refused_code(notebook: dict) -> list[str]:
    """The problems of code that tests or the page's Python would treat differently."""
    problems = []
    for position, cell in enumerate(notebook["cells"]):
        source = "".join(lines(cell["source"])).rstrip()
        if cell["cell_type"] != "code" or "raises-exception" in cell["metadata"].get("tags", []):
            continue
        if source.endswith(";"):
            message = "a trailing ; hides nothing under test; use plt.show()"
            problems.append(f"cell {position}: {message}")
        if source.lstrip().startswith(("%", "!")) or "\n%" in source or "\n!" in source:
            problems.append(f"cell {position}: magics and ! do not run in the page's Python")
            continue
        try:
            tree = ast.parse(source)
        except SyntaxError as error:
            problems.append(f"cell {position}: {error.msg} (line {error.lineno})")
            continue
        names = {
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        }
        if "_" in names:
            problems.append(f"cell {position}: `_` is not the last result under test")
    return problems


def execute(path: Path) -> dict:
    """Runs a notebook as an author; returns it with its new outputs."""
    import nbformat
    from nbclient import NotebookClient

    # As an author: a wrong number in the text is an error, and no reader's progress is shown.
    os.environ.setdefault("NNLIB_COURSE", "author")
    os.environ["NNLIB_PROGRESS"] = "off"
    # Cells that need PyTorch run only if it is installed; otherwise their stored outputs are kept.
    has_torch = importlib.util.find_spec("torch") is not None
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        keeps_outputs = not has_torch and "pytorch" in cell.metadata.get("tags", [])
        if cell.cell_type == "code" and not keeps_outputs:
            cell.update(outputs=[])
    client = NotebookClient(
        notebook,
        timeout=180,
        store_widget_state=False,
        skip_cells_with_tag="" if has_torch else "pytorch",
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
    )
    return json.loads(nbformat.writes(client.execute()))


def notebooks_in(paths: list[Path]) -> list[Path]:
    notebooks = []
    for path in paths:
        notebooks += sorted(path.rglob("*.ipynb")) if path.is_dir() else [path]
    return [path for path in notebooks if ".ipynb_checkpoints" not in path.parts]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument(
        "--check", action="store_true", help="change nothing, list what is not normal"
    )
    parser.add_argument("--execute", action="store_true", help="run and store new outputs")
    options = parser.parse_args(arguments)
    problems = 0
    for path in notebooks_in(options.paths):
        before = path.read_text("utf8")
        notebook = execute(path) if options.execute else json.loads(before)
        after = text_of(normal_notebook(notebook))
        for problem in refused_code(notebook):
            problems += 1
            print(f"{path}: {problem}")
        if after == before:
            continue
        if options.check:
            problems += 1
            print(f"{path}: not normal; run `python tools/notebooks.py {path}`")
        else:
            path.write_text(after, "utf8")
            print(f"{path}: rewritten")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

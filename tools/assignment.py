"""Makes an assignment from a chapter: nbgrader's source and release notebooks.

    python tools/assignment.py xor                writes classroom/source/xor, classroom/release/xor
    python tools/assignment.py xor --in FOLDER    in another course folder

Each star is a point. The answer cells contain the solutions in the source and the book's stubs in
the release; checks are locked; every other code cell is restored before grading.
"""

from __future__ import annotations

import argparse
import copy
import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path[:0] = [str(ROOT), str(ROOT / "tools"), str(ROOT / "_ext")]

import exercises  # noqa: E402
import notebooks  # noqa: E402
import plain_notebooks  # noqa: E402

from course.kit.exercises import find  # noqa: E402

CLASSROOM = ROOT / "classroom"
HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS\n.*?### END HIDDEN TESTS\n", re.DOTALL)
# In the release the hidden lines are gone; nbgrader puts them back before it grades.
GUARD = """\
# Grading runs this cell first. You can ignore it.
from course.kit.mode import mode
### BEGIN HIDDEN TESTS
import os
os.environ["NNLIB_COURSE"] = "graded"
assert mode() == "graded"
### END HIDDEN TESTS
"""
HEAD = """\
# {title}: assignment

Fill in the dots of each exercise and run its check. Check cells are locked; you may add cells of
your own. Hand in this file as `{name}.ipynb`. Each star is a point: {total} points in all.
"""


def nbgrader_metadata(kind: str, name: str, points: float | None = None) -> dict[str, Any]:
    """The metadata of a cell for nbgrader; `kind` is `answer`, `check` or `given`."""
    metadata: dict[str, Any] = {
        "schema_version": 3, "grade": kind == "check", "solution": kind == "answer",
        "locked": kind != "answer", "task": False, "grade_id": name,
    }  # fmt: skip
    return metadata | ({"points": points} if points is not None else {})


def source_of_assignment(chapter: dict, name: str, book: plain_notebooks.Book) -> dict:
    """The assignment with its solutions, for nbgrader's `source` folder."""
    doc = f"chapters/{name}"
    by_stub = {e.stub: e for e in exercises.exercises_in(chapter)}
    by_check = {e.check: e for e in by_stub.values()}
    notebook = plain_notebooks.plain(chapter, doc, book)
    cells, total = [], 0.0
    for number, cell in enumerate(notebook["cells"]):
        cell = copy.deepcopy(cell)
        cell["id"] = f"cell-{number}"
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
            if number in by_stub:
                cell["source"] = notebooks.lines(by_stub[number].solution)
                cell["metadata"] = {
                    "nbgrader": nbgrader_metadata("answer", f"answer-{key(by_stub[number])}")
                }
            elif number in by_check:
                points = sum(find(exercise).points for exercise in by_check[number].names)
                total += points
                cell["metadata"] = {
                    "nbgrader": nbgrader_metadata("check", f"check-{key(by_check[number])}", points)
                }
            else:
                cell["metadata"]["nbgrader"] = nbgrader_metadata("given", f"given-{number}")
        else:
            cell["source"] = notebooks.lines(without_solutions(exercises.source_of(cell)))
        cells.append(cell)
    text = HEAD.format(title=book.titles.get(doc, name), name=name, total=f"{total:g}")
    opening = [
        {"cell_type": "markdown", "id": "head", "metadata": {}, "source": notebooks.lines(text)},
        {"cell_type": "code", "id": "guard",
         "metadata": {"nbgrader": nbgrader_metadata("check", "guard", 0.0)},
         "source": notebooks.lines(GUARD), "outputs": [], "execution_count": None},
    ]  # fmt: skip
    return {
        "cells": opening + cells,
        "metadata": notebook["metadata"],
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def key(exercise: exercises.ExerciseCells) -> str:
    """An exercise's name in the names of its cells."""
    return exercise.names[0].replace("/", "-")


def without_solutions(text: str) -> str:
    """A text without its folded solutions; hints stay."""
    head, mark, rest = text.partition('<details class="nn-solution">')
    if not mark:
        return text
    _, _, after = rest.partition("</details>")
    return without_solutions(head.rstrip() + after)


def release_of(source: dict) -> dict:
    """The assignment as students get it: stubs in the answers' cells, no hidden lines."""
    notebook = copy.deepcopy(source)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["source"] = notebooks.lines(HIDDEN.sub("", exercises.source_of(cell)))
        if cell["metadata"].get("nbgrader", {}).get("solution"):
            cell["source"] = notebooks.lines(exercises.stub_of(exercises.source_of(cell)))
    return notebook


def restored(source: dict, submission: dict) -> dict:
    """The submission with every locked cell in its original form, even if it was deleted.

    Answers are found by their cells' names; code that a student added stays after the named cell
    that it followed.
    """
    answers: dict[str, str] = {}
    added: dict[str, list[str]] = {}
    last = "guard"
    for cell in submission.get("cells", []):
        if cell.get("cell_type") != "code":
            continue
        grade_id = cell.get("metadata", {}).get("nbgrader", {}).get("grade_id")
        text = "".join(cell.get("source", ""))
        if grade_id is None:
            added.setdefault(last, []).append(text)
        else:
            last = grade_id
            answers.setdefault(grade_id, text)
    cells = []
    for cell in copy.deepcopy(source)["cells"]:
        metadata = cell["metadata"].get("nbgrader", {})
        name = metadata.get("grade_id", "")
        if metadata.get("solution"):
            cell["source"] = answers.get(name, "# this cell is missing in the submission\n")
        cells.append(cell)
        for text in added.get(name, []) if name else []:
            cells.append({"cell_type": "code", "metadata": {}, "outputs": [], "source": text,
                          "execution_count": None, "id": f"added-{len(cells)}"})  # fmt: skip
    return {**source, "cells": cells}


def make(name: str, classroom: Path = CLASSROOM, root: Path = ROOT) -> tuple[Path, Path]:
    """Writes both notebooks; returns their paths."""
    chapter = root / "chapters" / f"{name}.ipynb"
    if not chapter.is_file():
        existing = ", ".join(sorted(p.stem for p in (root / "chapters").glob("*.ipynb")))
        raise SystemExit(f"error: there is no chapter {name!r}; there are {existing}")
    source = source_of_assignment(
        json.loads(chapter.read_text("utf8")), name, plain_notebooks.Book.read(root)
    )
    paths = []
    for folder, notebook in (("source", source), ("release", release_of(source))):
        path = classroom / folder / name / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(notebooks.text_of(notebook), "utf8")
        paths.append(path)
    return paths[0], paths[1]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", help="the chapter's file in chapters/, without .ipynb")
    parser.add_argument("--in", dest="classroom", type=Path, default=CLASSROOM)
    options = parser.parse_args(arguments)
    source, release = make(options.name, options.classroom)
    print(f"{source} contains the solutions, {release} is for students")
    return 0


if __name__ == "__main__":
    sys.exit(main())

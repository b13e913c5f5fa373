"""A classroom of a few exercises, the book without its answers, and notebooks to hand in."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import assignment
import nbformat
import plain_notebooks
import pytest

from course.kit.checking import Verdict
from tools.grading import running, sandbox

ROOT = Path(__file__).resolve().parents[2]
EXERCISES = ("xor-majority", "xor-feature", "xor-gain")


@pytest.fixture(scope="session")
def source() -> dict:
    """XOR's assignment as `make assignment` writes it, cut down to its imports and EXERCISES."""
    chapter = json.loads((ROOT / "chapters" / "xor.ipynb").read_text("utf8"))
    complete = assignment.source_of_assignment(chapter, "xor", plain_notebooks.Book.read(ROOT))
    cells = []
    for cell in complete["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        imports = name.startswith("given") and "import course" in "".join(cell["source"])
        if name == "guard" or imports or name.split("-", 1)[-1] in EXERCISES:
            cells.append(cell)
    return {**complete, "cells": cells}


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if (why := sandbox.reason_unavailable()) is not None:
        pytest.skip(why)
    return sandbox.stripped(tmp_path_factory.mktemp("grading") / "book")


Graded = tuple[dict[str, Verdict], Any]


@pytest.fixture
def grade_submission(source: dict, book: Path) -> Callable[..., Graded]:
    """Runs a release with these answers; returns the verdicts and the notebook afterwards."""

    def grade(
        answers: dict[str, str],
        *,
        seconds: int = 20,
        total_seconds: int = 120,
        change: Callable | None = None,
    ) -> Graded:
        submission = copy.deepcopy(assignment.release_of(source))
        for cell in submission["cells"]:
            name = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
            if name.removeprefix("answer-xor-") in answers:
                cell["source"] = answers[name.removeprefix("answer-xor-")]
        if change is not None:
            change(submission)
        restored = assignment.restored(source, submission)
        for cell in restored["cells"]:
            cell["source"] = "".join(cell["source"])
        notebook = nbformat.from_dict(restored)
        return running.run(notebook, book, seconds, total_seconds), notebook

    return grade

"""Stubs are made from solutions: marked lines are left out, and faulty solutions are refused."""

from __future__ import annotations

import json
from pathlib import Path

import exercises
import pytest


@pytest.mark.parametrize(
    ("solution", "stub"),
    [
        ("return_this = 3  # ←", "return_this = ..."),
        ("def f(x):\n    return x  # ←", "def f(x):\n    return ..."),
        ("loss = f(w)  # ← the loss", "loss = ...  # the loss"),
        ("a: float = 2.0  # ←", "a: float = ..."),
        ("a, b = g(\n    1,\n)  # ←", "a, b = ..."),
        ("a = (1 +\n     2)  # ←", "a = ..."),
        ("w -= g  # ←\nb -= h  # ←\nprint(w)", "...\nprint(w)"),
        ("for i in x:\n    w -= 1  # ←\n    b -= 1  # ←", "for i in x:\n    ..."),
        ("if a:  # ←\n    b = 1\n    c = 2\nreturn_ = b", "...\nreturn_ = b"),
        ("größe = σ(z)  # ←", "größe = ..."),
        ("s = '# ← no mark'\nt = 1  # ←", "s = '# ← no mark'\nt = ..."),
    ],
)
def test_a_marked_line_is_left_for_the_reader(solution: str, stub: str) -> None:
    assert exercises.stub_of(solution) == stub
    compile(stub, "stub", "exec")


@pytest.mark.parametrize(
    ("solution", "message"),
    [
        ("a = 1", "ends in `# ←`"),
        ("a = 1\n# ←", "no statement"),
        ("a = 0.2 ** 2  # ← 0.04", "give the answer away"),
    ],
)
def test_a_solution_whose_marks_are_missing_or_give_the_answer_is_refused(
    solution: str, message: str
) -> None:
    with pytest.raises(exercises.ExerciseError, match=message):
        exercises.stub_of(solution)


TEXT = "<details><summary>Solution</summary>\n\n```python\na = 1  # ←\n```\n\n</details>"


def notebook(*cells: tuple[str, str, list[str]]) -> dict:
    notebook_cells = [
        {"cell_type": cell_type, "source": source, "metadata": {"tags": tags}}
        | ({"outputs": [], "execution_count": 1} if cell_type == "code" else {})
        for cell_type, source, tags in cells
    ]
    return {"cells": notebook_cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


STUB = ("code", "old", ["exercise"])
CHECK = ("code", 'course.check("first-look/slope", a)', ["check"])


def test_the_stub_is_written_and_the_solved_copy_passes_its_check() -> None:
    book = notebook(STUB, CHECK, ("markdown", TEXT, []))
    assert exercises.source_of(exercises.with_stubs(book)["cells"][0]) == "a = ..."
    solved = exercises.solved(book)
    assert exercises.source_of(solved["cells"][0]) == "a = 1  # ←"
    assert "".join(solved["cells"][1]["outputs"][0]["text"]).startswith("✓ slope: right.")


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ((STUB, ("markdown", TEXT, [])), "must be tagged check"),
        ((STUB, ("code", "pass", ["check"]), ("markdown", TEXT, [])), "call course.check"),
        ((STUB, CHECK, ("markdown", "no solution", [])), "no folded solution"),
        ((STUB, CHECK), "no folded solution"),
    ],
)
def test_an_incomplete_exercise_is_refused(cells, message: str) -> None:
    with pytest.raises(exercises.ExerciseError, match=message):
        exercises.exercises_in(notebook(*cells))


def test_check_names_a_stub_that_was_edited_by_hand(tmp_path: Path, capsys) -> None:
    path = tmp_path / "one.ipynb"
    path.write_text(json.dumps(notebook(STUB, CHECK, ("markdown", TEXT, []))))
    assert exercises.main(["--check", str(path)]) == 1
    assert "one.ipynb: a stub does not match its solution" in capsys.readouterr().out
    assert exercises.main([str(path)]) == 0
    assert exercises.main(["--check", str(path)]) == 0

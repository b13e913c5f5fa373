"""A new chapter keeps all rules except those about missing parts, and its exercise works."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path

import exercises
import lint_chapters
import new_chapter
import notebooks
import pytest
import yaml

from course.kit.checking import judge

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    (tmp_path / "chapters").mkdir()
    (tmp_path / "course").mkdir()
    shutil.copy(ROOT / "_toc.yml", tmp_path)
    return tmp_path


def test_a_new_chapter_keeps_the_rules_and_lists_what_is_still_to_write(book: Path) -> None:
    notebook, _, toc = new_chapter.new_chapter("two-words", book)
    assert lint_chapters.problems(notebook) == []
    missing = "\n".join(lint_chapters.still_to_write(notebook))
    assert "exercise" in missing and len(missing.splitlines()) >= 3
    assert notebooks.main(["--check", str(notebook)]) == 0
    assert exercises.main(["--check", str(notebook)]) == 0
    parts = yaml.safe_load(toc.read_text("utf8"))["parts"]
    captions = [p["caption"] for p in parts if {"file": "chapters/two-words"} in p["chapters"]]
    assert captions == [parts[-2]["caption"]] and parts[-1]["caption"] == "Reference"
    assert parts[-2]["chapters"][-1] == {"file": "chapters/two-words"}
    with pytest.raises(FileExistsError):
        new_chapter.new_chapter("two-words", book)


def test_the_lint_of_a_draft_passes_and_lists_what_is_still_to_write(book: Path, capsys) -> None:
    notebook, _, _ = new_chapter.new_chapter("two-words", book)
    assert lint_chapters.main([str(notebook)]) == 0
    assert "is a draft. Still to write:\n  - " in capsys.readouterr().out
    text = notebook.read_text("utf8")
    notebook.write_text(text.replace("<!-- lint: draft -->", ""), "utf8")
    assert lint_chapters.main([str(notebook)]) == 1, "without the mark it must pass every rule"


def test_no_chapter_of_the_book_is_a_draft() -> None:
    for chapter in (ROOT / "chapters").glob("*.ipynb"):
        assert lint_chapters.DRAFT not in chapter.read_text("utf8"), chapter


def test_a_new_chapters_code_runs_and_its_exercise_can_be_solved(book: Path) -> None:
    notebook, checks, _ = new_chapter.new_chapter("two-words", book)
    spec = importlib.util.spec_from_file_location("two_words", checks)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    names: dict = {}
    cells = json.loads(notebook.read_text("utf8"))["cells"]
    for cell in cells:
        code = "".join(cell["source"])
        if cell["cell_type"] == "code" and "course.progress" not in code and "check" not in code:
            exec(code, names)
    [exercise] = module.EXERCISES
    assert judge(exercise, names["my_line"]).state == "blank"
    exec(exercises.exercises_in({"cells": cells})[0].solution, names)
    assert judge(exercise, names["my_line"]).state == "right"
    assert (
        "add where you should multiply" in judge(exercise, exercise.mistakes[0].wrong_answer).words
    )


@pytest.mark.parametrize("name", ["Two", "two_words", "2words", "two--words", ""])
def test_names_that_are_not_file_names_are_refused(name: str, capsys) -> None:
    assert new_chapter.main([name]) == 1
    assert "cannot name a chapter" in capsys.readouterr().err

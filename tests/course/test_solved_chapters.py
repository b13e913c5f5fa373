"""Each chapter's exercises: all are blank as readers get them, and all pass when solved."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import exercises
import pytest

from course.kit.exercises import exercises_of

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = [
    path for path in sorted((ROOT / "chapters").glob("*.ipynb"))
    if exercises.exercises_in(json.loads(path.read_text("utf8")))
]  # fmt: skip

each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


@each_chapter
def test_stubs_are_cut_out_of_solutions(path: Path) -> None:
    assert exercises.main(["--check", str(path)]) == 0


@each_chapter
def test_the_exercises_of_the_page_are_those_of_the_checks(path: Path) -> None:
    book = json.loads(path.read_text("utf8"))
    on_page = [name for exercise in exercises.exercises_in(book) for name in exercise.names]
    assert on_page == [exercise.name for exercise in exercises_of(path.stem)]
    assert stars_of_checked(book) == [exercise.stars for exercise in exercises_of(path.stem)]


def stars_of_checked(book: dict) -> list[int]:
    """The stars of each statement that a check follows; explanations and projects have none."""
    stars = []
    for exercise in exercises.exercises_in(book):
        above = "\n".join(exercises.source_of(cell) for cell in book["cells"][: exercise.stub])
        statements = [line for line in above.splitlines() if "{exercise}" in line]
        stars += [statements[-1].count("★")] * len(exercise.names)
    return stars


@each_chapter
def test_each_stub_gets_the_reply_for_a_blank_answer(path: Path) -> None:
    """Reads the stored outputs, which nbval compares with those of a run."""
    book = json.loads(path.read_text("utf8"))
    for exercise in exercises.exercises_in(book):
        verdict = "".join(book["cells"][exercise.check]["outputs"][0]["text"])
        assert verdict.startswith("☐ ") and "still blank" in verdict, exercise.names


@pytest.mark.slow
@each_chapter
def test_the_solved_chapter_runs_and_every_check_passes(path: Path, tmp_path: Path) -> None:
    assert exercises.main(["--solved", str(tmp_path), str(path)]) == 0
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "addopts="]
    nbval = ["--nbval", "--nbval-sanitize-with", str(ROOT / "tools" / "nbval.cfg")]
    environment = os.environ | {"NNLIB_COURSE": "solved", "NNLIB_PROGRESS": "off"}
    run = subprocess.run(
        [*command, *nbval, str(tmp_path / path.name)],
        cwd=ROOT, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]

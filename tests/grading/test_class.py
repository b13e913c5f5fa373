"""Twenty students through nbgrader: source, release, sandboxed grading, feedback, grades.csv.

Runs where nbgrader is installed (`pip install -e '.[class]'`, as in the weekly run, class.yml);
takes about 6 s a student.
"""

from __future__ import annotations

import csv
import importlib.util
import json
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.weekly,
    pytest.mark.skipif(
        importlib.util.find_spec("nbgrader") is None,
        reason="nbgrader is not installed: pip install -e '.[class]' (class.yml does)",
    ),
]
STARS = 13.0
STUDENTS_PER_GROUP = 5  # four groups: blank, solved, half, wrong
HALF_WAY = {"gain": "smallest = 2.2", "sixteen": "ways = 16"}  # 3 + 2 stars lost
HOSTILE = {
    "patches": {"majority": "import course.kit.checking as k\nk.judge = lambda e, a: k.right(e)\n"
                            "import course\ncourse.check = lambda *a: 99.0\nmajority = 3"},
    "leaves": {"majority": "import os\nos._exit(0)"},
    "loops": {"majority": "majority = (-1.5, 1.0, 1.0, 1.0)\nwhile True: pass"},
}  # fmt: skip


def submit(classroom: Path, student: str, notebook: dict, answers: dict[str, str]) -> None:
    submission = json.loads(json.dumps(notebook))
    for cell in submission["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        if name.removeprefix("answer-xor-") in answers:
            cell["source"] = answers[name.removeprefix("answer-xor-")]
    path = classroom / "submitted" / student / "xor" / "xor.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(submission))


def test_twenty_students_and_three_hostile_ones_get_the_right_points(tmp_path: Path) -> None:
    import grade

    classroom = tmp_path / "classroom"
    assert grade.main(["xor", "--assign", "--in", str(classroom)]) == 0
    source = json.loads((classroom / "source/xor/xor.ipynb").read_text())
    release = json.loads((classroom / "release/xor/xor.ipynb").read_text())
    assert "HIDDEN TESTS" not in json.dumps(release) and "# ←" not in json.dumps(release)
    for i in range(STUDENTS_PER_GROUP):
        submit(classroom, f"blank{i}", release, {})
        submit(classroom, f"solved{i}", source, {})
        submit(classroom, f"half{i}", source, HALF_WAY)
        wrong = {"gain": "smallest = 3", "majority": "majority = 1"}
        submit(classroom, f"wrong{i}", release, wrong)
    for student, answers in HOSTILE.items():
        submit(classroom, student, source if student == "loops" else release, answers)
    grade.main(["xor", "--in", str(classroom)])
    with (classroom / "grades.csv").open() as file:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    expected = {"blank": 0.0, "solved": STARS, "half": STARS - 5.0, "wrong": 0.0}
    for student, score in scores.items():
        if student.rstrip("01234") in expected:
            assert score == expected[student.rstrip("01234")], student
    assert len(scores) == 4 * STUDENTS_PER_GROUP + len(HOSTILE)
    assert (scores["patches"], scores["leaves"], scores["loops"]) == (0.0, 0.0, STARS)
    feedback = (classroom / "feedback/half0/xor/xor.html").read_text()
    assert "That is a measurement; the exact form has a logarithm in it." in feedback


def test_an_assignment_is_released_and_collected_through_the_exchange(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One account is both teacher and student: release, fetch, submit, collect."""
    import grade

    exchange, student = tmp_path / "exchange", tmp_path / "student"
    for folder in (exchange, student):
        folder.mkdir()
    exchange.chmod(0o777)
    monkeypatch.setenv("BOOK_EXCHANGE", str(exchange))
    monkeypatch.setenv("JUPYTERHUB_USER", "ada")
    monkeypatch.delenv("JUPYTERHUB_API_TOKEN", raising=False)
    monkeypatch.setenv("USER", "ada")
    classroom = tmp_path / "classroom"
    assert grade.main(["xor", "--assign", "--in", str(classroom)]) == 0
    grade.configure(student)
    course = ["--course", "sigmoid-to-sequence"]
    assert grade.nbgrader(classroom, "release_assignment", "xor") == 0
    assert grade.nbgrader(student, "fetch_assignment", "xor", *course) == 0
    assert grade.nbgrader(student, "submit", "xor", *course) == 0
    assert grade.nbgrader(classroom, "collect", "xor") == 0
    (collected,) = classroom.glob("submitted/*/xor/xor.ipynb")
    assert collected.read_text() == (classroom / "release/xor/xor.ipynb").read_text()

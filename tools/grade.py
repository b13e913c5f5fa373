"""Grades submissions with nbgrader; every notebook runs in a sandbox.

python tools/grade.py --assign xor     classroom/source and classroom/release, for nbgrader
python tools/grade.py xor              classroom/submitted/NAME/xor/xor.ipynb → feedback, grades.csv
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path[:0] = [str(ROOT), str(ROOT / "tools"), str(ROOT / "_ext")]

import assignment  # noqa: E402

from tools.grading import sandbox  # noqa: E402
from tools.grading.running import CELL_SECONDS  # noqa: E402

CONFIG = """\
# Written by tools/grade.py, which overwrites changes.
import os
import sys

sys.path[:0] = [{root!r}, {root!r} + "/tools", {root!r} + "/_ext"]
from nbgrader import preprocessors as nb
from tools.grading.preprocessors import InsertStubs, JudgedExecute

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = {course!r}
if os.environ.get("BOOK_EXCHANGE"):  # the hub's folder for assignments and submissions
    c.Exchange.root = os.environ["BOOK_EXCHANGE"]
c.GenerateAssignment.preprocessors = [
    nb.IncludeHeaderFooter, nb.LockCells, InsertStubs, nb.ClearOutput, nb.CheckCellMetadata,
    nb.ComputeChecksums, nb.SaveCells, nb.ClearHiddenTests, nb.ClearMarkScheme,
    nb.ComputeChecksums, nb.CheckCellMetadata,
]
c.Autograde.autograde_preprocessors = [
    JudgedExecute, nb.LimitOutput, nb.SaveAutoGrades, nb.AssignLatePenalties,
    nb.CheckCellMetadata,
]
c.OverwriteCells.add_missing_cells = True
c.JudgedExecute.timeout = {seconds}
"""


def configure(classroom: Path, course: str = "sigmoid-to-sequence") -> None:
    """Writes nbgrader's configuration into the classroom."""
    classroom.mkdir(parents=True, exist_ok=True)
    text = CONFIG.format(root=str(ROOT), course=course, seconds=CELL_SECONDS)
    (classroom / "nbgrader_config.py").write_text(text, "utf8")


def nbgrader(classroom: Path, *arguments: str, book: Path | None = None) -> int:
    """Runs a command of nbgrader in the classroom; the PATH begins with this Python's programs."""
    environment = dict(os.environ, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    environment |= {"NNLIB_COURSE": "graded", "NNLIB_PROGRESS": "off"}
    if book is not None:
        environment["NNLIB_GRADING_BOOK"] = str(book)
    command = [sys.executable, "-m", "nbgrader", *arguments]
    return subprocess.run(command, cwd=classroom, env=environment).returncode


def assign(name: str, classroom: Path) -> int:
    """Makes an assignment with nbgrader; returns nbgrader's exit code."""
    source, release = assignment.make(name, classroom)
    configure(classroom)
    code = nbgrader(classroom, "generate_assignment", name, "--create", "--force")
    if code == 0:
        print(f"{source}: with solutions, not for students\n{release}: for students")
    return code


def grade(name: str, classroom: Path) -> int:
    """Grades, writes feedback and grades.csv; returns nbgrader's largest exit code."""
    if not (classroom / "source" / name).is_dir():
        raise SystemExit(f"error: {name} was not assigned: run make assignment name={name}")
    if not any(classroom.glob(f"submitted/*/{name}/{name}.ipynb")):
        raise SystemExit(
            f"error: nothing was handed in: put notebooks at {classroom}/submitted/NAME/{name}/"
            f"{name}.ipynb, or collect them: nbgrader collect {name}"
        )
    if (reason := sandbox.reason_unavailable()) is not None:
        raise SystemExit(f"error: there is no sandbox, so nothing is run: {reason}")
    if (weakness := sandbox.weakness()) is not None:
        print(f"warning: {weakness}", file=sys.stderr)
    configure(classroom)
    with tempfile.TemporaryDirectory(prefix="book-") as folder:
        book = sandbox.stripped(Path(folder) / "book")
        codes = [nbgrader(classroom, "autograde", name, "--create", "--force", book=book)]
    codes.append(nbgrader(classroom, "generate_feedback", name, "--force"))
    codes.append(nbgrader(classroom, "export", "--to", "grades.csv"))
    print(f"{classroom}/grades.csv, {classroom}/feedback/NAME/{name}/{name}.html")
    return max(codes)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", help="the chapter's file in chapters/, without .ipynb")
    parser.add_argument("--assign", action="store_true", help="make the assignment")
    parser.add_argument("--in", dest="classroom", type=Path, default=assignment.CLASSROOM)
    options = parser.parse_args(arguments)
    command = assign if options.assign else grade
    return command(options.name, options.classroom.resolve())


if __name__ == "__main__":
    sys.exit(main())

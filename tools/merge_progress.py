"""Merges the progress files that students have handed in into one table.

    python tools/merge_progress.py FOLDER              prints a line for each student
    python tools/merge_progress.py FOLDER --csv T.csv  also writes each exercise's time

"Export my progress" and `course.export_progress` write the files. Students can edit them, so treat
them as the students' own reports, not as tests.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path

from course.kit.exercises import exercises_of
from course.kit.progress import FORMAT

ROOT = Path(__file__).resolve().parent.parent
LARGEST = 1_000_000  # bytes of a file that is read

Solved = dict[str, str | None]


class FileError(ValueError):
    """A file is not a student's progress."""


def read(path: Path) -> tuple[str, Solved]:
    """A student's name, and the time at which each exercise was solved.

    Raises:
        FileError: the file is not a progress file, or is damaged.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise FileError("it is larger than any such file")
        data = json.loads(path.read_text("utf8"))
    except (OSError, ValueError, RecursionError) as error:
        raise FileError(f"it cannot be read: {error}") from error
    if isinstance(data, dict) and "format" not in data and isinstance(data.get("solved"), list):
        raise FileError(
            "it is the file in which notebooks store progress; the one to hand in is written by "
            "course.export_progress or 'Export my progress'"
        )
    if not isinstance(data, dict) or data.get("format") != FORMAT or data.get("version") != 1:
        raise FileError("it was not written by course.export_progress or 'Export my progress'")
    name, solved = data.get("name"), data.get("solved")
    if not isinstance(name, str) or not name.strip() or not isinstance(solved, dict):
        raise FileError("its name or its exercises are missing")
    times = {k: v if isinstance(v, str) else None for k, v in solved.items()}
    return " ".join(name.split())[:80], times


def merged(paths: list[Path]) -> tuple[dict[str, Solved], list[str]]:
    """Students by name with the earliest time of each exercise; why other files are left out."""
    students: dict[str, Solved] = {}
    left_out = []
    for path in sorted(paths):
        try:
            name, solved = read(path)
        except FileError as error:
            left_out.append(f"{path.name}: {error}")
            continue
        earliest = students.setdefault(name, {})
        for exercise, time in solved.items():
            earlier = earliest.get(exercise)
            earliest[exercise] = min(filter(None, (earlier, time)), default=None)
    return dict(sorted(students.items(), key=lambda item: item[0].casefold())), left_out


def stars() -> dict[str, int]:
    """Every exercise of the book and its stars, in the order of the chapters' names."""
    stars_of = {}
    for checks in sorted((ROOT / "course").glob("*/checks.py")):
        for exercise in exercises_of(checks.parent.name.replace("_", "-")):
            stars_of[exercise.name] = exercise.stars
    return stars_of


def table(students: dict[str, Solved], stars_of: dict[str, int]) -> list[list[str]]:
    """A heading and a row for each student: exercises, stars, then each chapter's count."""
    chapters = list(dict.fromkeys(name.partition("/")[0] for name in stars_of))
    rows = [["name", "exercises", "stars", *chapters]]
    for name, solved in students.items():
        exercises = [e for e in solved if e in stars_of]
        counts = [str(sum(e.startswith(f"{c}/") for e in exercises)) for c in chapters]
        rows.append([name, str(len(exercises)), str(sum(stars_of[e] for e in exercises)), *counts])
    return rows


def write_csv(path: Path, students: dict[str, Solved], stars_of: dict[str, int]) -> None:
    """Writes a column for each exercise: its time, or `yes` if unknown; empty if not solved."""
    with path.open("w", newline="", encoding="utf8") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "exercises", "stars", *stars_of])
        for row, solved in zip(table(students, stars_of)[1:], students.values(), strict=True):
            times = [(solved[e] or "yes") if e in solved else "" for e in stars_of]
            # a name that begins like a formula must not be one in a spreadsheet
            name = f"'{row[0]}" if row[0][0] in "=+-@" else row[0]
            writer.writerow([name, *row[1:3], *times])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="+", type=Path, help="files, or folders of them")
    parser.add_argument("--csv", type=Path, help="write this table")
    options = parser.parse_args(arguments)
    files = [f for p in options.paths for f in (p.rglob("*.json") if p.is_dir() else [p])]
    students, left_out = merged(files)
    stars_of = stars()
    rows = table(students, stars_of)
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    for row in rows:
        print("  ".join(cell.ljust(w) for cell, w in zip(row[:3], widths, strict=True)))
    if options.csv:
        write_csv(options.csv, students, stars_of)
        print(f"{options.csv}: {len(students)} students, {len(stars_of)} exercises")
    for message in left_out:
        print(f"left out: {message}", file=sys.stderr)
    return 1 if left_out or not students else 0


if __name__ == "__main__":
    sys.exit(main())

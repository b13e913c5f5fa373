"""The exercises that a reader has solved: one small file in their home folder, never sent anywhere.

NNLIB_PROGRESS names another file, or is `off` (as while the book is built and tested).
`export_progress` writes a file to hand in; `tools/merge_progress.py` makes one table of many. The
two files are both called progress.json and differ: the stored one has no name and no FORMAT.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from course.kit.exercises import Exercise, exercises_of

VARIABLE = "NNLIB_PROGRESS"


def file() -> Path | None:
    """The file that stores progress, or None if progress is not stored."""
    setting = os.environ.get(VARIABLE, "")
    if setting == "off":
        return None
    return Path(setting) if setting else Path.home() / ".nnlib" / "progress.json"


def solved_times() -> dict[str, str | None]:
    """The time of each solved exercise, or None; empty if the file is damaged or missing."""
    path = file()
    try:
        stored = json.loads(path.read_text("utf8")) if path else {"solved": []}
        when = stored.get("when", {})
        return {str(name): when.get(name) for name in stored["solved"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def solved() -> set[str]:
    """Names of the exercises solved."""
    return set(solved_times())


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def remember(name: str) -> None:
    """Adds an exercise to the file; does nothing, silently, if the file cannot be written."""
    path, times = file(), solved_times()
    if path is None or name in times:
        return
    times[name] = now()
    when = {key: time for key, time in sorted(times.items()) if time}
    text = json.dumps({"solved": sorted(times), "when": when}, indent=1)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}.part")
        temporary.write_text(text + "\n", "utf8")
        temporary.replace(path)
    except OSError:
        return


FORMAT = "sigmoid-to-sequence progress"  # _ext/progress.js writes the same format


def export_progress(name: str, path: str | Path = "progress.json") -> Path:
    """Writes what you have solved, and when, to a file that you can hand in.

    The file holds `name`, the time, and for each solved exercise the time of its first right
    answer (null if it is not known). Nothing is sent; what becomes of the file is up to you.

    Raises:
        ValueError: the name is empty.

    >>> import course, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     print(course.export_progress("Ada", f"{folder}/ada.json").name)
    ada.json
    """
    if not name.strip():
        raise ValueError("export_progress: say whose progress it is: export_progress('Ada')")
    record = {"format": FORMAT, "version": 1, "name": name.strip(), "exported": now(),
              "solved": dict(sorted(solved_times().items()))}  # fmt: skip
    path = Path(path)
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", "utf8")
    return path


class Progress:
    """A chapter's exercises and which of them are solved; shown as a short table."""

    def __init__(self, chapter: str, exercises: list[Exercise], done: set[str]) -> None:
        self.chapter, self.exercises, self.done = chapter, exercises, done

    def __repr__(self) -> str:
        count = sum(e.name in self.done for e in self.exercises)
        rows = [f"{self.chapter}: {count} of {len(self.exercises)} exercises solved"]
        for e in self.exercises:
            mark = "✓" if e.name in self.done else "☐"
            rows.append(f"  {mark} {'★' * e.stars:<3} {e.short}")
        return "\n".join(rows)


def progress(chapter: str) -> Progress:
    """The exercises of a chapter and which of them you have solved on this machine.

    Raises:
        ValueError: no such chapter.
    """
    return Progress(chapter, exercises_of(chapter), solved())

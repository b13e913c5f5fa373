"""What a reader has solved so far: one small file in their home, sent nowhere.

NNLIB_PROGRESS names another file, or is `off` (as while the book is built and tested).
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from course.kit.exercises import Exercise, exercises_of

NAME = "NNLIB_PROGRESS"


def file() -> Path | None:
    """Where progress is kept, or None if it is not to be kept."""
    said = os.environ.get(NAME, "")
    if said == "off":
        return None
    return Path(said) if said else Path.home() / ".nnlib" / "progress.json"


def solved() -> set[str]:
    """Names of the exercises solved; a damaged or missing file counts as none."""
    path = file()
    try:
        return set(json.loads(path.read_text("utf8"))["solved"]) if path else set()
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def remember(name: str) -> None:
    """Adds an exercise. Where the home cannot be written, nothing is kept and nothing said."""
    path, known = file(), solved()
    if path is None or name in known:
        return
    text = json.dumps({"solved": sorted(known | {name})}, indent=1)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        part.write_text(text + "\n", "utf8")
        part.replace(path)
    except OSError:
        return


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

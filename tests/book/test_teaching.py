"""The teachers' page agrees with the book: minutes, chapters, figures, commands."""

from __future__ import annotations

import re
from pathlib import Path

import book_map
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "reference" / "teaching.md").read_text("utf8")
CHAPTERS = sorted(path.stem for path in (ROOT / "chapters").glob("*.ipynb"))
SOURCES = "\n".join(
    path.read_text("utf8")
    for folder in ("course", "chapters")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".py", ".ipynb")
)


@pytest.mark.parametrize("name", CHAPTERS)
def test_each_chapter_is_listed_with_its_title_and_minutes(name: str) -> None:
    chapter = book_map.chapter_at(ROOT / "chapters" / f"{name}.ipynb")
    row = re.search(rf"\| \[([^\]]+)\]\(\.\./chapters/{name}\.ipynb\) \| (\d+) \|", PAGE)
    assert row is not None, f"{name} is missing in the table"
    assert row[1] == chapter.title
    assert chapter.minutes == int(row[2])


def test_the_front_page_counts_the_chapters() -> None:
    words = ["twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"]
    count = words[len(list((ROOT / "chapters").glob("*.ipynb"))) - 12]
    assert f"In {count} chapters" in (ROOT / "README.md").read_text("utf8")


def test_each_misconception_names_an_existing_figure() -> None:
    table = PAGE.split("## Common misconceptions")[1].split("\n## ")[0]
    titles = re.findall(r"\| \*(.+?)\* \|", table)
    assert len(titles) >= 12
    unknown = [t for t in titles if t not in SOURCES and t.replace('"', '\\"') not in SOURCES]
    assert unknown == []


@pytest.mark.parametrize("weeks", [7, 14])
def test_a_syllabus_has_its_weeks(weeks: int) -> None:
    table = PAGE.split(f"## A syllabus for {weeks} weeks")[1].split("\n## ")[0]
    assert re.findall(r"^\| (\d+) \|", table, re.MULTILINE) == [str(i + 1) for i in range(weeks)]


def test_each_week_hands_in_exercises_of_its_chapters() -> None:
    table = PAGE.split("## A syllabus for 14 weeks")[1].split("\n## ")[0]
    last_cells = re.findall(r"^\| \d+ \|.*\| ([^|]+) \|$", table, re.MULTILINE)
    names = [chapter.name for _, chapters in book_map.parts() for chapter in chapters]
    weeks = [[name] for name in names[:13]] + [names[13:15]]  # the last week has two chapters
    for chapters, handed_in in zip(weeks, last_cells, strict=True):
        source = "".join((ROOT / f"{name}.ipynb").read_text("utf8") for name in chapters)
        checked = set(re.findall(r'course\.check\(\s*\\"[\w-]+/([\w-]+)\\"', source))
        exercises = {exercise.replace(" ", "-") for exercise in handed_in.split(", ")}
        assert exercises <= checked, f"{chapters}: no exercise has the name {exercises - checked}"


def test_each_command_is_a_target_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text("utf8")
    for docs in (PAGE, (ROOT / "docs" / "teaching.md").read_text("utf8")):
        for target in re.findall(r"(?:`|^)make ([a-z-]+)", docs, re.MULTILINE):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"make {target}"

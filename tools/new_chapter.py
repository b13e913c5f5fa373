"""Starts a chapter: its notebook and its checks from the templates, its line in the contents.

python tools/new_chapter.py my-topic
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import exercises
import lint_chapters
import notebooks

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = Path(__file__).with_name("chapter_template.txt")
CHECKS = '''"""Exercises of the chapter NAME."""

from __future__ import annotations

from course.kit.exercises import function, mistake

line = function(
    "line",
    solution=lambda w, x: w * x,
    given=lambda rng: (rng.normal(size=4), rng.normal(size=4)),
    derivative=True,
    stars=1,
    mistakes=[mistake("You add where you should multiply.", lambda w, x: w + x)],
    learned="Write here what the right answer shows.",
)

EXERCISES = [line]
'''


def cells_of(template: str) -> list[dict]:
    """The cells of a text in which a line `%% md` or `%% code tag tag` begins each cell."""
    cells = []
    for block in re.split(r"^%% ", template, flags=re.M)[1:]:
        head, _, body = block.partition("\n")
        cell_type, *tags = head.split()
        cell: dict = {"cell_type": "markdown", "metadata": {}, "source": body.rstrip("\n")}
        if cell_type == "code":
            cell |= {"cell_type": "code", "outputs": [], "metadata": {"tags": tags} if tags else {}}
        cells.append(cell)
    return cells


def with_chapter(toc: str, name: str) -> str:
    """The table of contents with the chapter added as the last one before the reference."""
    lines = toc.splitlines()
    parts = [i for i, line in enumerate(lines) if line.lstrip().startswith("- caption:")]
    reference = next((i for i in parts if "Reference" in lines[i]), len(lines))
    last_chapter = max(i for i, line in enumerate(lines[:reference]) if "file: chapters/" in line)
    indent = lines[last_chapter].partition("-")[0]
    lines.insert(last_chapter + 1, f"{indent}- file: chapters/{name}")
    return "\n".join([*lines, ""])


def new_chapter(name: str, root: Path = ROOT) -> list[Path]:
    """Writes the chapter's files under `root`. Raises FileExistsError rather than overwrite one."""
    notebook = root / "chapters" / f"{name}.ipynb"
    package = root / "course" / name.replace("-", "_")
    checks = package / "checks.py"
    toc = root / "_toc.yml"
    for path in (notebook, package):
        if path.exists():
            raise FileExistsError(f"{path} exists already")
    title = name.replace("-", " ").capitalize()
    text = TEMPLATE.read_text("utf8").replace("NAME", name).replace("TITLE", title)
    content = exercises.with_stubs({"cells": cells_of(text), "metadata": {}})
    notebook.write_text(notebooks.text_of(notebooks.normal_notebook(content)), "utf8")
    package.mkdir(parents=True)
    docstring = f'"""The chapter {name}: its figures and checks."""'
    (package / "__init__.py").write_text(docstring + "\n", "utf8")
    checks.write_text(CHECKS.replace("NAME", name), "utf8")
    toc.write_text(with_chapter(toc.read_text("utf8"), name), "utf8")
    return [notebook, checks, toc]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", help="lower-case letters, digits and hyphens: my-topic")
    name = parser.parse_args(arguments).name
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        error = f"error: {name!r} cannot name a chapter; use lower-case letters, digits and hyphens"
        print(error, file=sys.stderr)
        return 1
    try:
        paths = new_chapter(name)
    except FileExistsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for path in paths:
        print(path.relative_to(ROOT))
    print("Still to write (make lint-chapters lists it as long as the notebook has `lint: draft`):")
    for line in lint_chapters.still_to_write(paths[0]):
        print(f"  - {line}")
    print(f"Now: make watch name={name}, and docs/authoring.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())

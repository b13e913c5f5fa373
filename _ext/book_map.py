"""The map of chapters on the opening page: each one's question and minutes, read from its notebook.

```{chapter-map}
```
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Chapter:
    """The map's entry for one chapter."""

    name: str
    title: str
    question: str
    minutes: int | None
    exercises: int


def chapter_at(path: Path) -> Chapter:
    """Reads a chapter's title, question and minutes from the text before its first section.

    Raises:
        ExtensionError: the title or the question is missing there.
    """
    cells = json.loads(path.read_text("utf8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells]
    prose = "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    opening = prose.split("\n## ")[0]
    title = re.search(r"^# (.+)$", opening, re.MULTILINE)
    question = re.search(r"^\*([^*\n].*)\*$", opening, re.MULTILINE)
    minutes = re.search(r"(\d+) minutes", opening)
    if not (title and question):
        raise ExtensionError(
            f"{path.name}: the map of chapters needs a title (# …) and a question in *italics* in "
            "the chapter's opening"
        )
    duration = int(minutes[1]) if minutes else None
    checks = {name for text in sources for name in re.findall(r'course\.check\(\s*"([^"]+)"', text)}
    return Chapter(f"chapters/{path.stem}", title[1], question[1], duration, len(checks))


def parts(root: Path = ROOT) -> list[tuple[str, list[Chapter]]]:
    """The caption and the chapters of each part of the table of contents that has chapters."""
    toc = yaml.safe_load((root / "_toc.yml").read_text("utf8"))
    result = []
    for part in toc["parts"]:
        files = [entry["file"] for entry in part["chapters"]]
        chapters = [chapter_at(root / f"{f}.ipynb") for f in files if f.startswith("chapters/")]
        if chapters:
            result.append((part["caption"], chapters))
    return result


def table(caption: str, chapters: list[Chapter], solved: bool = True) -> list[str]:
    """One part as a Markdown table; `solved` adds elements for the number of solved exercises."""
    lines = [f"| {caption} | Question | Minutes |", "|---|---|---|"]
    for chapter in chapters:
        count = f' <span class="nn-solved" data-chapter="{chapter.name.partition("/")[2]}"'
        count += f' data-exercises="{chapter.exercises}"></span>'
        link = f"[{chapter.title}]({chapter.name}.ipynb)"
        cells = [link + count if solved else link, chapter.question, str(chapter.minutes or "")]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


class ChapterMap(SphinxDirective):
    """The directive `chapter-map`: one table for each part of the book."""

    has_content = False

    def run(self) -> list[nodes.Node]:
        tables = nodes.container(classes=["nn-map-of-chapters"])
        for caption, chapters in parts(Path(self.env.srcdir)):
            for chapter in chapters:
                self.env.note_dependency(str(Path(self.env.srcdir) / f"{chapter.name}.ipynb"))
            lines = StringList(table(caption, chapters), self.env.docname)
            self.state.nested_parse(lines, 0, tables)
        return tables.children


def setup(app: Sphinx) -> dict:
    app.add_directive("chapter-map", ChapterMap)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

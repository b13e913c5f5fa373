"""A chapter as JupyterLab, Notebook, VS Code and Colab show it: MyST's own marks in plain Markdown.

The site's download button hands out such notebooks, and `make lab` opens them in `reading/`. There
they are the reader's: what somebody has changed is never written over.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import book_map
import yaml
from pybtex.database import Entry, parse_file
from pybtex.richtext import Text

ROOT = Path(__file__).resolve().parents[1]
RECORD = ".written.json"
FOLDED = {"hide-input", "remove-input", "hide-cell", "remove-cell"}
EQUATION = re.compile(r"\$\$(?P<tex>[^$]+?)\$\$ *\((?P<label>[\w-]+)\)")
ROLE = re.compile(r"\{(?P<role>[\w:]+)\}`(?P<text>[^`]+)`")
FENCE = re.compile(
    r"^(?P<fence>:{3,}|`{3,})\{(?P<kind>[\w-]+)\} *(?P<title>.*)\n"
    r"(?P<options>(?::[\w-]+:.*\n)*)(?P<body>(?:.*\n)*?)(?P=fence) *$",
    re.MULTILINE,
)
TITLED = re.compile(r"(?P<text>.+?) *<(?P<target>[^>]+)>")


@dataclass
class Book:
    """What chapters say about each other: titles, equations' numbers, glued values, citations."""

    folder: Path
    docs: list[str] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)
    equations: dict[str, tuple[str, int]] = field(default_factory=dict)
    values: dict[tuple[str, str], str] = field(default_factory=dict)
    cited: dict[str, Entry] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path = ROOT) -> Book:
        book = cls(folder, list(documents(folder / "_toc.yml")))
        if (folder / "references.bib").is_file():
            book.cited = dict(parse_file(str(folder / "references.bib")).entries)
        for name in book.docs:
            book.learn(name)
        return book

    def learn(self, name: str) -> None:
        if (self.folder / f"{name}.md").is_file():
            text = (self.folder / f"{name}.md").read_text("utf8")
        elif (self.folder / f"{name}.ipynb").is_file():
            cells = json.loads((self.folder / f"{name}.ipynb").read_text("utf8"))["cells"]
            text = "\n".join(source(c) for c in cells if c["cell_type"] == "markdown")
            for cell in cells:
                if cell["cell_type"] == "code":
                    self.values |= {(name, key): text for key, text in said(source(cell))}
        else:
            return
        title = re.search(r"^# +(.+)$", text, re.MULTILINE)
        self.titles[name] = title[1].strip() if title else name
        for number, match in enumerate(EQUATION.finditer(text), 1):
            self.equations[match["label"]] = (name, number)


def documents(toc: Path) -> Iterator[str]:
    """The names of a table of contents, in its order."""
    whole = yaml.safe_load(toc.read_text("utf8"))
    yield whole["root"]
    waiting = [*whole.get("parts", []), *whole.get("chapters", [])]
    while waiting:
        entry = waiting.pop(0)
        if "file" in entry:
            yield entry["file"]
        waiting = [*entry.get("chapters", []), *entry.get("sections", []), *waiting]


def source(cell: dict) -> str:
    return "".join(cell["source"])


def said(code: str) -> Iterator[tuple[str, str]]:
    """The names and texts that a cell's `course.say(name, …, reads=text)` gives the prose."""
    for call in ast.walk(ast.parse(code)):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            continue
        reads = [k.value for k in call.keywords if k.arg == "reads"]
        if call.func.attr != "say" or not reads or not call.args:
            continue
        name, text = call.args[0], reads[0]
        if isinstance(name, ast.Constant) and isinstance(text, ast.Constant):
            yield name.value, str(text.value).replace("-", "−")


def plain(notebook: dict, name: str, book: Book) -> dict:
    """The notebook with its Markdown cells as any Markdown shows them; code stays as it is."""
    made = json.loads(json.dumps(notebook))
    exercises = 0
    for cell in made["cells"]:
        if cell["cell_type"] == "markdown":
            text = source(cell)
            found = sum(m["kind"] == "exercise" for m in FENCE.finditer(text))
            cell["source"] = plain_text(text, name, book, exercises)
            exercises += found
        elif FOLDED & set(cell.get("metadata", {}).get("tags", [])):
            # What a figure asks, and its answer, are not to be read in the cell above it.
            cell["metadata"]["jupyter"] = {"source_hidden": True}
    return made


def plain_text(text: str, name: str, book: Book, exercises: int = 0) -> str:
    """One Markdown text; `exercises` is how many stood before it in the chapter."""
    counted = iter(range(exercises + 1, exercises + 100))
    text = FENCE.sub(lambda m: block(m, name, book, counted), text)
    text = EQUATION.sub(
        lambda m: f"$$\n{m['tex'].strip()} \\tag{{{book.equations[m['label']][1]}}}\n$$", text
    )
    return ROLE.sub(lambda m: inline(m["role"], m["text"], name, book), text)


def block(found: re.Match, name: str, book: Book, counted: Iterator[int]) -> str:
    kind, title, body = found["kind"], found["title"].strip(), found["body"].strip()
    if kind == "exercise":
        return f"**Exercise {next(counted)}. {title}**\n\n{body}"
    if kind == "bibliography":
        lines = [f"- {reference(entry)}" for entry in book.cited.values()]
        return "\n".join(lines)
    if kind == "chapter-map":
        tables = [book_map.table(*part, solved=False) for part in book_map.parts(book.folder)]
        return "\n\n".join("\n".join(lines) for lines in tables)
    if kind == "tableofcontents":
        others = [(doc, book.titles.get(doc, doc)) for doc in book.docs[1:]]
        return "\n".join(f"- {link(doc, title, name, book)}" for doc, title in others)
    words = f"**{title}**\n\n{body}" if title else body
    return "\n".join(f"> {line}".rstrip() for line in words.splitlines())


def inline(role: str, text: str, name: str, book: Book) -> str:
    titled = TITLED.fullmatch(text)
    shown, target = (titled["text"], titled["target"]) if titled else ("", text)
    if role == "glue:text":
        return book.values[name, target]
    if role == "eq":
        doc, number = book.equations[target]
        return f"({number})" if doc == name else f"({number}) of {link(doc, '', name, book)}"
    if role == "doc":
        doc = str((Path("/") / name).parent / target).lstrip("/")
        return link(doc, shown, name, book)
    if role.startswith("cite"):
        entries = [book.cited[key.strip()] for key in target.split(",")]
        return citation(entries, parentheses=role == "cite:p")
    return shown or target


def link(doc: str, shown: str, name: str, book: Book) -> str:
    up = "../" * name.count("/")
    ending = "ipynb" if (book.folder / f"{doc}.ipynb").is_file() else "md"
    shown = shown or book.titles.get(doc, doc)
    return f"[{shown}]({up}{doc}.{ending})" if ending == "ipynb" else shown


def citation(entries: list[Entry], parentheses: bool) -> str:
    named = []
    for entry in entries:
        people, year = last_names(entry), entry.fields.get("year", "undated")
        words = f"{people}, {year}" if parentheses else f"{people} ({year})"
        address = address_of(entry)
        named.append(f"[{words}]({address})" if address else words)
    return f"({'; '.join(named)})" if parentheses else "; ".join(named)


def last_names(entry: Entry) -> str:
    people = entry.persons.get("author") or entry.persons.get("editor") or []
    names = [" ".join([*p.prelast_names, *p.last_names]) for p in people]
    if not names:
        return clean(entry.fields.get("title", "anonymous"))
    several = len(names) > 2
    return clean(f"{names[0]} et al." if several else " and ".join(names))


def reference(entry: Entry) -> str:
    where = next((entry.fields[k] for k in ("journal", "booktitle", "publisher", "institution")
                  if k in entry.fields), "")  # fmt: skip
    parts = [last_names(entry), clean(entry.fields.get("title", "")), clean(where)]
    line = ". ".join(part for part in [*parts, entry.fields.get("year", "")] if part)
    address = address_of(entry)
    return f"{line}. <{address}>" if address else f"{line}."


def address_of(entry: Entry) -> str:
    doi = entry.fields.get("doi")
    return f"https://doi.org/{doi}" if doi else entry.fields.get("url", "")


def clean(words: str) -> str:
    """A BibTeX field without its braces and with the accents that its commands stand for."""
    return str(Text.from_latex(words)).replace("\xa0", " ")


# ---- Where they go -------------------------------------------------------------------------------


def in_place_of_sources(app, exception) -> None:
    """The site's download button hands out plain notebooks."""
    folder = Path(app.outdir) / "_sources"
    if exception or app.builder.format != "html" or not folder.is_dir():
        return
    book = Book.read(Path(app.srcdir))
    for path in sorted(folder.rglob("*.ipynb")):
        name = path.relative_to(folder).with_suffix("").as_posix()
        origin = Path(app.srcdir) / f"{name}.ipynb"
        if name in book.docs and origin.is_file():
            write(path, plain(json.loads(origin.read_text("utf8")), name, book))


def write(path: Path, notebook: dict) -> str:
    text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf8")
    return hashlib.sha256(text.encode()).hexdigest()


def refresh(folder: Path, book: Book) -> tuple[list[str], list[str]]:
    """Writes the chapters into the reader's folder; returns those written and those left alone."""
    record = folder / RECORD
    known = json.loads(record.read_text("utf8")) if record.is_file() else {}
    written, kept = [], []
    for name in book.docs:
        origin, path = book.folder / f"{name}.ipynb", folder / f"{name}.ipynb"
        if not origin.is_file():
            continue
        there = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
        if there not in (None, known.get(name)):
            kept.append(name)
            continue
        known[name] = write(path, plain(json.loads(origin.read_text("utf8")), name, book))
        written.append(name)
    folder.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps(known, indent=1), "utf8")
    return written, kept


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "reading")
    made, left = refresh(target, Book.read())
    print(f"{target.name}/: {len(made)} notebooks written")
    if left:
        print("left as you changed them: " + ", ".join(left))

"""Chapters in plain Markdown, without MyST's syntax, for JupyterLab, VS Code and Colab.

The site's download button gives the reader such notebooks, and `make lab` opens them in `reading/`.
A notebook in `reading/` that the reader has changed is never overwritten.
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
RECORD = ".written.json"  # has the hash of each notebook that was written
HIDDEN_TAGS = {"hide-input", "remove-input", "hide-cell", "remove-cell"}
EQUATION = re.compile(r"\$\$(?P<tex>[^$]+?)\$\$ *\((?P<label>[\w-]+)\)")
ROLE = re.compile(r"\{(?P<role>[\w:]+)\}`(?P<text>[^`]+)`")
FENCE = re.compile(
    r"^(?P<fence>:{3,}|`{3,})\{(?P<directive>[\w-]+)\} *(?P<title>.*)\n"
    r"(?P<options>(?::[\w-]+:.*\n)*)(?P<body>(?:.*\n)*?)(?P=fence) *$",
    re.MULTILINE,
)
TITLED = re.compile(r"(?P<text>.+?) *<(?P<target>[^>]+)>")


@dataclass
class Book:
    """What a chapter's text can refer to: titles, equations, glued values, bibliography entries."""

    folder: Path
    docs: list[str] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)
    equations: dict[str, tuple[str, int]] = field(default_factory=dict)  # label -> page, number
    values: dict[tuple[str, str], str] = field(default_factory=dict)  # (page, name) -> text
    cited: dict[str, Entry] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path = ROOT) -> Book:
        book = cls(folder, list(documents(folder / "_toc.yml")))
        if (folder / "references.bib").is_file():
            book.cited = dict(parse_file(str(folder / "references.bib")).entries)
        for name in book.docs:
            book.add(name)
        return book

    def add(self, name: str) -> None:
        """Adds the title, the equations and the glued values of one page."""
        if (self.folder / f"{name}.md").is_file():
            text = (self.folder / f"{name}.md").read_text("utf8")
        elif (self.folder / f"{name}.ipynb").is_file():
            cells = json.loads((self.folder / f"{name}.ipynb").read_text("utf8"))["cells"]
            text = "\n".join(source(c) for c in cells if c["cell_type"] == "markdown")
            for cell in cells:
                if cell["cell_type"] == "code":
                    self.values |= {(name, key): text for key, text in glued_values(source(cell))}
        else:
            return
        title = re.search(r"^# +(.+)$", text, re.MULTILINE)
        self.titles[name] = title[1].strip() if title else name
        for number, match in enumerate(EQUATION.finditer(text), 1):
            self.equations[match["label"]] = (name, number)


def documents(toc: Path) -> Iterator[str]:
    """The names of the pages in a table of contents, in its order."""
    contents = yaml.safe_load(toc.read_text("utf8"))
    yield contents["root"]
    pending = [*contents.get("parts", []), *contents.get("chapters", [])]
    while pending:
        entry = pending.pop(0)
        if "file" in entry:
            yield entry["file"]
        pending = [*entry.get("chapters", []), *entry.get("sections", []), *pending]


def source(cell: dict) -> str:
    return "".join(cell["source"])


def glued_values(code: str) -> Iterator[tuple[str, str]]:
    """The names and texts that a cell's `course.say(name, …, reads=text)` calls define."""
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
    """A copy of the notebook with plain Markdown in its text cells; code stays as it is."""
    copy = json.loads(json.dumps(notebook))
    exercises = 0
    for cell in copy["cells"]:
        if cell["cell_type"] == "markdown":
            text = source(cell)
            cell["source"] = plain_text(text, name, book, exercises)
            exercises += sum(m["directive"] == "exercise" for m in FENCE.finditer(text))
        elif HIDDEN_TAGS & set(cell.get("metadata", {}).get("tags", [])):
            # The cell contains a figure's question and its answer, so its source is folded.
            cell["metadata"]["jupyter"] = {"source_hidden": True}
    return copy


def plain_text(text: str, name: str, book: Book, exercises: int = 0) -> str:
    """A cell's text in plain Markdown; `exercises` is the number of exercises before it."""
    numbers = iter(range(exercises + 1, exercises + 100))
    text = FENCE.sub(lambda m: block(m, name, book, numbers), text)
    text = EQUATION.sub(
        lambda m: f"$$\n{m['tex'].strip()} \\tag{{{book.equations[m['label']][1]}}}\n$$", text
    )
    return ROLE.sub(lambda m: inline(m["role"], m["text"], name, book), text)


def block(match: re.Match, name: str, book: Book, numbers: Iterator[int]) -> str:
    """A MyST directive in plain Markdown; exercises take the next of `numbers`."""
    directive = match["directive"]
    title, body = match["title"].strip(), match["body"].strip()
    if directive == "exercise":
        return f"**Exercise {next(numbers)}. {title}**\n\n{body}"
    if directive == "bibliography":
        lines = [f"- {reference(entry)}" for entry in book.cited.values()]
        return "\n".join(lines)
    if directive == "chapter-map":
        tables = [book_map.table(*part, solved=False) for part in book_map.parts(book.folder)]
        return "\n\n".join("\n".join(lines) for lines in tables)
    if directive == "tableofcontents":
        titles = [(doc, book.titles.get(doc, doc)) for doc in book.docs[1:]]
        return "\n".join(f"- {link(doc, title, name, book)}" for doc, title in titles)
    text = f"**{title}**\n\n{body}" if title else body
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def inline(role: str, text: str, name: str, book: Book) -> str:
    """A MyST role, such as {doc}`text`, in plain Markdown, as the page `name` shows it."""
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
    """A link from the page `name` to the notebook `doc`; only the title if it is not a notebook."""
    up = "../" * name.count("/")
    ending = "ipynb" if (book.folder / f"{doc}.ipynb").is_file() else "md"
    shown = shown or book.titles.get(doc, doc)
    return f"[{shown}]({up}{doc}.{ending})" if ending == "ipynb" else shown


def citation(entries: list[Entry], parentheses: bool) -> str:
    """Links to the entries: (Name, year), or Name (year) without `parentheses`."""
    links = []
    for entry in entries:
        names, year = last_names(entry), entry.fields.get("year", "undated")
        text = f"{names}, {year}" if parentheses else f"{names} ({year})"
        address = address_of(entry)
        links.append(f"[{text}]({address})" if address else text)
    return f"({'; '.join(links)})" if parentheses else "; ".join(links)


def last_names(entry: Entry) -> str:
    """The last names of authors or editors (of more than two, the first “et al.”), or the title."""
    people = entry.persons.get("author") or entry.persons.get("editor") or []
    names = [" ".join([*p.prelast_names, *p.last_names]) for p in people]
    if not names:
        return clean(entry.fields.get("title", "anonymous"))
    more_than_two = len(names) > 2
    return clean(f"{names[0]} et al." if more_than_two else " and ".join(names))


def reference(entry: Entry) -> str:
    """An entry of the bibliography as one line of Markdown."""
    published_in = ("journal", "booktitle", "publisher", "institution")
    publication = next((entry.fields[k] for k in published_in if k in entry.fields), "")
    parts = [last_names(entry), clean(entry.fields.get("title", "")), clean(publication)]
    line = ". ".join(part for part in [*parts, entry.fields.get("year", "")] if part)
    address = address_of(entry)
    return f"{line}. <{address}>" if address else f"{line}."


def address_of(entry: Entry) -> str:
    """The address of an entry's DOI, or its URL, or an empty string."""
    doi = entry.fields.get("doi")
    return f"https://doi.org/{doi}" if doi else entry.fields.get("url", "")


def clean(words: str) -> str:
    """A BibTeX field without its braces and with the accents that its commands stand for."""
    return str(Text.from_latex(words)).replace("\xa0", " ")


# ---- Writing the notebooks -----------------------------------------------------------------------


def replace_sources(app, exception) -> None:
    """Replaces the notebooks that the download button offers with ones in plain Markdown."""
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
    """Writes a notebook; returns the hash of its text."""
    text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf8")
    return hashlib.sha256(text.encode()).hexdigest()


def refresh(folder: Path, book: Book) -> tuple[list[str], list[str]]:
    """Writes the chapters into the reader's folder, except those that the reader has changed.

    Returns the names of those written and of those left as they are.
    """
    record = folder / RECORD
    hashes = json.loads(record.read_text("utf8")) if record.is_file() else {}
    written, changed = [], []
    for name in book.docs:
        origin, path = book.folder / f"{name}.ipynb", folder / f"{name}.ipynb"
        if not origin.is_file():
            continue
        current_hash = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
        if current_hash not in (None, hashes.get(name)):
            changed.append(name)
            continue
        hashes[name] = write(path, plain(json.loads(origin.read_text("utf8")), name, book))
        written.append(name)
    folder.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps(hashes, indent=1), "utf8")
    return written, changed


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "reading")
    written, changed = refresh(target, Book.read())
    print(f"{target.name}/: {len(written)} notebooks written")
    if changed:
        print("not overwritten, because you have changed them: " + ", ".join(changed))

"""The links, files, folders and commands in the documents for contributors exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text("utf8")
TARGETS = set(re.findall(r"^([a-z-]+):(?!=)", MAKEFILE, flags=re.M))
# Steps of other commands, and targets that docs/commands.md need not list.
STEPS = {"help", "lint", "types", "browser", "sandbox", "scripts", "site-for-tests", "assets"}
STEPS |= {"notebooks-check", "frontend-check", "distclean"}
# Folders that commands make on the reader's machine or in the site, names that only occur in
# examples, and media types.
MADE_FOLDERS = ("_build/", ".venv/", "reading/", "classroom/", "release/", "submitted/", "lite/")
EXAMPLE_NAMES = ("my-topic", "my_topic", "whiskers")
MEDIA_TYPES = ("text/javascript", "application/wasm")
# Besides the root and a document's own folder, documents name files relative to these.
BASES = ("nnlib", "nnlib/graph", "course", "reference", "frontend", "frontend/figures/src")

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FOLDERS = ("_ext", "benchmarks", "course", "frontend", "nnlib", "tests", "tools")
DOCUMENTS += [path for name in FOLDERS for path in sorted((ROOT / name).rglob("README.md"))
              if "node_modules" not in path.parts]  # fmt: skip


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def prose(path: Path) -> str:
    """The document without its fenced examples, whose names are the reader's."""
    text = re.sub(r"^ *(`{3,}).*?^ *\1", "", path.read_text("utf8"), flags=re.M | re.S)
    return re.sub(r"` (`{3,})(.*?) `", r"`\2`", text)  # a fence that is quoted in a line


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_link_leads_to_a_file(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)\)", re.sub(r"`[^`]*`", "", prose(path))):
        assert (path.parent / target).exists(), f"{name_of(path)} links to {target}: no such file"


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_file_that_is_named_with_its_folder_exists(path: Path) -> None:
    for named in re.findall(r"`([\w.-]+/[\w./-]*)`", prose(path)):
        if named.startswith(MADE_FOLDERS) or any(name in named for name in EXAMPLE_NAMES):
            continue
        bases = [ROOT, path.parent, *(ROOT / base for base in BASES)]
        exists = named in MEDIA_TYPES or any((base / named).exists() for base in bases)
        assert exists, f"{name_of(path)} names {named}, which does not exist"


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_command_of_make_exists(path: Path) -> None:
    called = set(re.findall(r"\bmake ([a-z]+(?:-[a-z]+)*)(?=[ `\n])", code(path)))
    assert called <= TARGETS, f"{name_of(path)}: no such command: {called - TARGETS}"


def code(path: Path) -> str:
    """The document's code in quotes and in shell blocks, each piece on its own line."""
    text = path.read_text("utf8")
    fenced = re.findall(r"^ *```bash\n(.*?)^ *```", text, flags=re.M | re.S)
    return "\n".join([*fenced, *re.findall(r"(?<!`)`([^`\n]+)`(?!`)", prose(path))]) + "\n"


def test_the_list_of_commands_names_each_of_them() -> None:
    listed = set(re.findall(r"make ([a-z-]+)", (ROOT / "docs" / "commands.md").read_text("utf8")))
    assert TARGETS - STEPS - listed == set(), "docs/commands.md leaves commands out"


def test_the_list_of_tools_names_each_of_them() -> None:
    listed = (ROOT / "tools" / "README.md").read_text("utf8")
    for path in (ROOT / "tools").iterdir():
        if path.name not in ("__pycache__", "README.md"):
            assert f"`{path.name}{'/' * path.is_dir()}`" in listed, f"{path.name} is left out"

"""Chapters run again when anything they depend on has changed; a failing one stops the build."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import book_execution
import book_site
import pytest

from tests.book.harness import JUPYTER_BOOK, ROOT

CONFIG = f"""
title: little
only_build_toc_files: true
execute: {{execute_notebooks: cache}}
latex: {{use_jupyterbook_latex: false}}
sphinx:
  local_extensions: {{book_execution: "{(ROOT / "_ext").as_posix()}"}}
  config: {{nb_execution_raise_on_error: true, nb_ipywidgets_js: {{}}}}
"""


def package(root: Path) -> Path:
    (root / "nnlib" / "datasets" / "data").mkdir(parents=True)
    (root / "nnlib" / "a.py").write_text("a = 1\n")
    (root / "nnlib" / "datasets" / "data" / "d.csv").write_text("1\n")
    return root


def test_the_caches_key_depends_on_sources_and_data(tmp_path: Path) -> None:
    root = package(tmp_path)
    keys = [book_execution.environment_key(root)]
    assert book_execution.environment_key(root) == keys[0]
    (root / "nnlib" / "a.py").write_text("a = 2\n")
    keys.append(book_execution.environment_key(root))
    (root / "nnlib" / "datasets" / "data" / "d.csv").write_text("2\n")
    keys.append(book_execution.environment_key(root))
    (root / "nnlib" / "b.py").write_text("")
    keys.append(book_execution.environment_key(root))
    (root / "course" / "deep").mkdir(parents=True)
    (root / "course" / "deep" / "depths.json").write_text("[1]")
    keys.append(book_execution.environment_key(root))
    assert len(set(keys)) == 5
    (root / "nnlib" / "__pycache__").mkdir()
    (root / "nnlib" / "__pycache__" / "a.pyc").write_bytes(b"1")
    assert book_execution.environment_key(root) == keys[-1]


def test_the_caches_key_depends_on_versions(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = package(tmp_path)
    before = book_execution.environment_key(root)
    monkeypatch.setattr(book_execution, "version_of", lambda name: "0.0")
    assert book_execution.environment_key(root) != before


def notebook(*sources: str) -> str:
    cells = [
        {
            "cell_type": "code",
            "id": f"c{i}",
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for i, source in enumerate(sources)
    ]
    cells.insert(0, {"cell_type": "markdown", "id": "t", "metadata": {}, "source": "# Title"})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel}
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def build(folder: Path) -> subprocess.CompletedProcess:
    command = [*JUPYTER_BOOK, "build", str(folder), "-W"]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder)


@pytest.fixture
def little_book(tmp_path: Path) -> Path:
    folder = tmp_path / "little"
    folder.mkdir()
    (folder / "_config.yml").write_text(CONFIG)
    (folder / "_toc.yml").write_text("format: jb-book\nroot: good\nchapters:\n- file: other\n")
    (folder / "good.ipynb").write_text(notebook("print(6 * 7)"))
    (folder / "other.ipynb").write_text(notebook("print('other')"))
    return folder


@pytest.mark.slow
def test_a_cell_that_raises_stops_the_build_and_is_shown(little_book: Path) -> None:
    (little_book / "other.ipynb").write_text(notebook("x = 1", "spoiled = x / 0"))
    run = build(little_book)
    assert run.returncode != 0
    output = run.stdout + run.stderr
    assert "other.ipynb raised" in output
    assert "spoiled = x / 0" in output
    assert "ZeroDivisionError" in output


@pytest.mark.slow
def test_notebooks_run_once_and_an_unchanged_book_runs_none(little_book: Path) -> None:
    first = build(little_book)
    assert first.returncode == 0, first.stderr
    assert "running 2 notebooks" in first.stdout
    shutil.rmtree(little_book / "_build" / ".doctrees")
    again = build(little_book)
    assert again.returncode == 0
    assert "running" not in again.stdout
    assert "42" in (little_book / "_build" / "html" / "good.html").read_text("utf8")


def test_an_edited_style_or_bundle_changes_the_pages_look(monkeypatch, tmp_path: Path) -> None:
    """Sphinx would otherwise leave old styles in a site whose chapters have not changed."""
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static" / "book.css").write_text("a {}")
    monkeypatch.setattr(book_site, "ROOT", tmp_path)
    before = book_site.hash_of_look()
    assert book_site.hash_of_look() == before
    (tmp_path / "_static" / "book.css").write_text("b {}")
    assert book_site.hash_of_look() != before

"""The built pages: numbers from cells, terms on hover, folds; a missing number stops the build."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.book.harness import JUPYTER_BOOK, ROOT

CONFIG = f"""
title: small
only_build_toc_files: true
execute: {{execute_notebooks: cache}}
latex: {{use_jupyterbook_latex: false}}
parse: {{myst_enable_extensions: [colon_fence, dollarmath]}}
sphinx:
  local_extensions:
    book_execution: "{(ROOT / "_ext").as_posix()}"
    book_course: "{(ROOT / "_ext").as_posix()}"
  config: {{nb_execution_raise_on_error: true, nb_ipywidgets_js: {{}}}}
"""
GLOSSARY = "# Glossary\n\n:::{glossary}\nlogit\n  The sum before\n  the sigmoid.\n\n  More.\n:::\n"
SAYS = 'import course\n\ncourse.say("best", 2.5, ".1f", reads="2.5")'


def notebook(text: str, code: str = SAYS) -> str:
    cells = [
        {"cell_type": "markdown", "id": "t", "metadata": {}, "source": f"# Title\n\n{text}"},
        {
            "cell_type": "code", "id": "c", "metadata": {"tags": ["remove-cell"]},
            "source": code, "outputs": [], "execution_count": None,
        },
    ]  # fmt: skip
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel}
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def build(folder: Path, text: str, code: str = SAYS) -> subprocess.CompletedProcess:
    (folder / "_config.yml").write_text(CONFIG)
    (folder / "_toc.yml").write_text("format: jb-book\nroot: one\nchapters:\n- file: glossary\n")
    (folder / "glossary.md").write_text(GLOSSARY)
    (folder / "one.ipynb").write_text(notebook(text, code))
    command = [*JUPYTER_BOOK, "build", str(folder), "-W"]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder)


@pytest.mark.slow
def test_numbers_come_from_cells_and_terms_have_their_meaning_as_hover_text(tmp_path: Path) -> None:
    run = build(tmp_path, "The {term}`logit` is {glue:text}`best`.")
    assert run.returncode == 0, run.stderr
    page = (tmp_path / "_build" / "html" / "one.html").read_text("utf8")
    text = re.sub(r"<[^>]+>", "", page)
    assert "The logit is 2.5." in " ".join(text.split())
    [link] = re.findall(r"<a [^>]*nn-term[^>]*>", page)
    assert 'title="The sum before the sigmoid."' in link
    assert 'href="glossary.html#term-logit"' in link
    assert "course.say" not in page


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("It is {glue:text}`nobody`.", SAYS, "nobody"),
        ("It is {glue:text}`best`.", SAYS.replace('"2.5"', '"2.6"'), "this run gives 2.5"),
    ],
)
def test_a_missing_or_a_wrong_number_stops_the_build(tmp_path, text, code, message) -> None:
    run = build(tmp_path, text, code)
    assert run.returncode != 0
    assert message in run.stdout + run.stderr

"""The chapters' files are in normal form; the tool for it is idempotent and loses nothing."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import notebooks
import pytest

from tests.book.harness import ROOT

CHAPTERS = [ROOT / "index.ipynb", *sorted((ROOT / "chapters").glob("*.ipynb"))]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapter_is_normal(path: Path) -> None:
    assert notebooks.main(["--check", str(path)]) == 0


def test_the_states_for_printing_belong_to_figures_of_the_book() -> None:
    states = json.loads((ROOT / "tools" / "printing" / "states.json").read_text("utf8"))
    text = "".join(path.read_text("utf8") for path in CHAPTERS)
    figures = set(re.findall(r'data-nn-model=\\"nnlib-live-([\w-]+)\\"', text))
    unknown = sorted(set(states) - figures)
    assert not unknown, (
        f"no figure has the name {unknown}, so its first state would be printed. A figure's name "
        "is made from its title unless it has name=: keep the old one by name=, or edit states.json"
    )


MESSY = {
    "cells": [
        {"cell_type": "markdown", "metadata": {"slideshow": {}}, "source": ["# T\n"]},
        {
            "cell_type": "code",
            "execution_count": 17,
            "metadata": {"tags": ["hide-input"], "collapsed": True},
            "source": "plot()\n",
            "outputs": [
                {"output_type": "stream", "name": "stdout", "text": "a\n"},
                {"output_type": "stream", "name": "stdout", "text": ["b\n"]},
                {
                    "output_type": "execute_result",
                    "execution_count": 17,
                    "metadata": {"image/png": {"width": 3}, "scrapbook": {"name": "n"}},
                    "data": {
                        "image/png": "iVBOR",
                        "application/vnd.jupyter.widget-view+json": {"model_id": "x"},
                        "text/plain": "<Figure>",
                    },
                },
            ],
        },
        {"cell_type": "code", "execution_count": 3, "metadata": {}, "source": "", "outputs": []},
    ],
    "metadata": {"widgets": {"state": {}}, "vscode": {}, "mystnb": {"execution_timeout": 60}},
    "nbformat": 4,
    "nbformat_minor": 4,
}


def test_normal_form_keeps_text_and_drops_the_rest() -> None:
    normal = notebooks.normal_notebook(copy.deepcopy(MESSY))
    assert len(normal["cells"]) == 2
    assert normal["metadata"]["mystnb"] == {"execution_timeout": 60}
    assert "widgets" not in normal["metadata"]
    stream, result = normal["cells"][1]["outputs"]
    assert stream["text"] == ["a\n", "b\n"]
    assert result["data"] == {"text/plain": ["<Figure>"]}
    assert result["metadata"] == {"scrapbook": {"name": "n"}}
    assert normal["cells"][1]["metadata"] == {"tags": ["hide-input"]}


def test_normal_form_is_a_fixed_point_and_the_same_every_time() -> None:
    once = notebooks.normal_notebook(copy.deepcopy(MESSY))
    assert notebooks.text_of(once) == notebooks.text_of(
        notebooks.normal_notebook(copy.deepcopy(MESSY))
    )
    assert notebooks.normal_notebook(json.loads(notebooks.text_of(once))) == once


def test_check_names_the_file_and_changes_nothing(tmp_path: Path, capsys) -> None:
    path = tmp_path / "messy.ipynb"
    path.write_text(json.dumps(MESSY))
    assert notebooks.main(["--check", str(path)]) == 1
    assert "messy.ipynb: not normal" in capsys.readouterr().out
    assert path.read_text() == json.dumps(MESSY)
    assert notebooks.main([str(path)]) == 0
    assert notebooks.main(["--check", str(path)]) == 0


@pytest.mark.parametrize(
    ("source", "complaint"),
    [("plt.plot(x);", "trailing ;"), ("1 + 1\nprint(_)", "last result"), ("%time f()", "magics"),
     ("!ls", "magics"), ("x = (", "line 1")],
)  # fmt: skip
def test_code_that_runners_treat_differently_is_refused(source: str, complaint: str) -> None:
    cell = {"cell_type": "code", "metadata": {}, "source": source}
    [message] = notebooks.refused_code({"cells": [cell]})
    assert complaint in message


def test_plain_code_is_not_refused() -> None:
    source = "for _ in range(3):\n    f()\nx_ = 100 % 7"
    cell = {"cell_type": "code", "metadata": {}, "source": source}
    assert notebooks.refused_code({"cells": [cell]}) == []

"""The chapters keep to the rules, and each rule reports what breaks it."""

from __future__ import annotations

import json
from pathlib import Path

import lint_chapters
import pytest

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_keeps_to_the_rules(path: Path) -> None:
    assert lint_chapters.problems(path) == []


def problems(tmp_path: Path, *cells: str | tuple[str, list[str]] | dict) -> list[str]:
    """The problems of a notebook with these cells: text, code with its tags, or a cell's dict."""
    with_outputs = []
    for cell in cells:
        if isinstance(cell, tuple):
            source, tags = cell
            cell = {"cell_type": "code", "source": source, "metadata": {"tags": tags}}
        elif isinstance(cell, str):
            cell = {"cell_type": "markdown", "source": cell, "metadata": {}}
        with_outputs.append({**cell, "outputs": []})
    path = tmp_path / "one.ipynb"
    path.write_text(json.dumps({"cells": with_outputs, "metadata": {}}), "utf8")
    return lint_chapters.problems(path)


TITLE = "# One\n\n*A question?*\n\n<!-- lint: allow structure -->"
TITLE += "\n\n`rand default_rng random randn normal Linear DataLoader set_xlabel manual_seed`"


def test_a_notebook_that_keeps_to_the_rules_has_no_problems(tmp_path: Path) -> None:
    assert problems(tmp_path, TITLE, ("a = 1", [])) == []


def test_a_cell_that_the_page_leaves_out_may_use_names_that_others_set_again(
    tmp_path: Path,
) -> None:
    hidden_cell = ("a = [b for b in (1, 2)]", ["checks-text", "remove-cell"])
    later = ("for a in (1, 2):\n    print([b for b in (3, a)])", [])
    assert problems(tmp_path, TITLE, hidden_cell, later) == []


CASES = {
    "title": [("# Two",), ("```\n# no title\n```\n\n# Two",)],
    "cells": [
        (("\n".join("a = 1" for _ in range(21)), ["hide-input"]),),
        (("\n".join("a = 1" for _ in range(11)), []),),
        (("a = 1\nb = 1\nc = 1\nd = 1\ne = 1", []),),
        (("a = " + "1 + " * 25 + "1", []),),
        ("<summary>Solution</summary>\n\n```python\n" + "a" * 81 + " = 1  # ←\n```",),
    ],
    "skipped_cells": [
        (("a = 1", ["checks-text"]),),
        (("a = 1", ["checks-text", "remove-cell"]), ("b = a", [])),
        (("a = 1", ["checks-text", "remove-cell"]), ("def f():\n    return a", [])),
    ],
    "sentences": [
        ("The cat " + "and the dog " * 10 + "sleep.",),
        ("One: two: three: four.",),
    ],
    "lists": [("The slope is 0 or\n1. That is all.",), ("It is 3\n- 2 here.",)],
    "comment_first": [
        ("<!-- exact: 5 --> It is 5 *here*.",),
        ("One.\n\n<!-- exact: 5 --> $x$ is 5.",),
    ],
    "vocabulary": [
        ("A dead unit takes the blame.",),
        ("We mend it.",),
        ("The step is told by the slope.",),
        (("live.predict('Which neuron gets the blame for it?')", []),),
    ],
    "explained": [(("import nnlib\nx = nnlib.linspace(0, 1)", []),)],
    "examples": [("## A section\n\n$$\nz = w_0 + w_1 x\n$$\n\nThat is all.",)],
    "comments": [(("a = 1  # one\nb = 2", []),)],
    "alternative_text": [
        (("live.figure(f, title='t', caption='c')", []),),
        (("plt.plot(x)", []),),
        ("![](https://example.org/a.png)",),
        ("<img src='a.png'>",),
    ],
    "plotting": [(("ax.set_xlabel('x')", []),), (("mpl.rcParams['a'] = 1", []),)],
    "seeds": [
        (("x = np.random.rand(3)", []),),
        (("g = np.random.default_rng()", []),),
        (("x = random.random()", []),),
        (("x = nnlib.randn(3)", []),),
        (("layer = nn.Linear(2, 3)", []),),
        (("rows = DataLoader(d, shuffle=True)", []),),
    ],
    "numbers": [
        ("It is 0.25 there.",),
        ("It is −.5 there.",),
        ("It reaches 97 % there.",),
        ("It is 1,024.5 there.",),
        ("```{margin}\nIt is 0.5 here.\n```",),
        ("It is {glue:text}`nobody`.",),
        (('course.say("unseen", 1, "d", reads="1")', []),),
        (
            "Is {glue:text}`twice`.",
            ('course.say("twice", 1, reads="1")\ncourse.say("twice", 2, reads="2")', []),
        ),
    ],
    "links": [("[there](nowhere.ipynb)",), ("[there](nowhere.ipynb#part)",)],
    "style": [("It is simply one.",), ("Obviously one.",)],
    "spelling": [
        ("A sentense.",),
        ("The optimizer takes a step.",),
        (("a = 'What happens to the sigmiod here?'", []),),
    ],
}


@pytest.mark.parametrize(
    ("rule", "cells"), [(rule, cells) for rule, all_cells in CASES.items() for cells in all_cells]
)
def test_each_rule_reports_what_breaks_it(rule: str, cells, tmp_path: Path) -> None:
    messages = problems(tmp_path, TITLE, *cells)
    assert messages and {problem.partition(":")[0] for problem in messages} == {rule}
    # An exemption for this rule alone silences it.
    allowed = TITLE.replace("structure", f"structure {rule}")
    assert problems(tmp_path, allowed, *cells) == []


def test_each_piece_that_a_chapter_lacks_is_named(tmp_path: Path) -> None:
    messages = "\n".join(problems(tmp_path, "# One\n\n*A question?*"))
    for piece in ("nn-opening", "nn-closing", "live.predict", "live.quiz", "exercises", "pytorch",
                  "Further reading"):  # fmt: skip
        assert piece in messages


def test_predictions_in_the_module_of_a_chapters_figures_count(tmp_path: Path) -> None:
    messages = "\n".join(
        problems(tmp_path, "# One", ("from course.sigmoid import figures as show", []))
    )
    assert "live.predict" not in messages


def test_the_next_and_the_last_chapter_are_those_of_the_contents(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(lint_chapters, "ROOT", tmp_path)
    (tmp_path / "course").mkdir()
    toc = "".join(f"- file: chapters/{name}\n" for name in ("one", "two", "three"))
    (tmp_path / "_toc.yml").write_text(toc + "- caption: Reference\n- file: chapters/extra\n")
    (tmp_path / "chapters").mkdir()

    def messages(text: str) -> list[str]:
        cells = [{"cell_type": "markdown", "source": text, "metadata": {}}]
        path = tmp_path / "chapters" / "two.ipynb"
        path.write_text(json.dumps({"cells": cells, "metadata": {}}), "utf8")
        return list(lint_chapters.neighbours(lint_chapters.read(path)))

    assert messages("[the last chapter](one.ipynb#a), the [next\nchapter](three.ipynb)") == []
    assert messages("the book's [last chapter](three.ipynb)") == []
    assert messages("The [next chapter](one.ipynb) ") == [
        "cell 0: the next chapter is three.ipynb in _toc.yml, not one.ipynb"
    ]
    assert "one.ipynb or three.ipynb" in messages("[the last chapter](extra.ipynb)")[0]


WITHOUT_PROBLEMS = [
    "A sentence of eleven words stands before the second one here. `x[2]` begins one. " * 2,
    "## A section\n\n$$\nz = w_0 + w_1 x\n$$\n\n$1 + 2 \\cdot 3 = 7$.",
    "## A section\n\n$$\n\\frac{15}{5.46} \\approx 2.72, \\quad e^{2.72} \\approx 15.2\n$$",
    "One sentence: it has a colon. " + "Another one is short. " * 20,
    "```python\na = {1: 2, 3: 4}\n\nb = {5: 6, 7: 8}  # one: two: three\n```",
    "The year 2014, version 3, 219 birds, chapter 4.",
    "It is $0.25$ there, and `0.25` in code.",
    "$$\nx = 0.25\n$$ (eq-one)",
    "```python\nx = 0.25\n```",
    "It is 0.25 there. <!-- exact: 0.25 -->",
    "[paper](https://doi.org/10.1371/journal) and {cite:t}`gorman2014penguins`.",
    "We recognise neighbours, colours, modelling and the centre of a programme.",
    "A justified line.",
]


@pytest.mark.parametrize("text", WITHOUT_PROBLEMS)
def test_text_without_problems_is_accepted(text: str, tmp_path: Path) -> None:
    assert problems(tmp_path, TITLE, text) == []


@pytest.mark.parametrize(
    "code",
    [
        "rng = np.random.default_rng(1)\nx = rng.normal(3)",
        "nnlib.manual_seed(0)\nx = nnlib.randn(3)",
        "x = nnlib.randn(3, generator=g)",
        "W = live.normal((2, 2), 0.5)",
        "rows = DataLoader(d)",
    ],
)
def test_random_numbers_with_a_seed_are_accepted(code: str, tmp_path: Path) -> None:
    assert problems(tmp_path, TITLE, (code, [])) == []


OTHER_PAGES = ["README.md", "glossary.md", "docs/live.md"]
OTHER_PAGES += [str(path.relative_to(ROOT)) for path in sorted((ROOT / "reference").glob("*.md"))]


@pytest.mark.parametrize("name", ["index.ipynb", *OTHER_PAGES])
def test_other_pages_have_the_chapters_spelling(name: str) -> None:
    path = ROOT / name
    text = lint_chapters.read(path).text if path.suffix == ".ipynb" else path.read_text("utf8")
    assert lint_chapters.american_words(lint_chapters.prose(text)) == []


def test_the_projects_list_of_words_has_no_duplicates() -> None:
    lines = [line.lower() for line in lint_chapters.WORDS_FILE.read_text("utf8").splitlines()]
    assert len(lines) == len(set(lines))

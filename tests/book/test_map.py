"""The map of chapters: each with its question, its minutes, and how many exercises are solved."""

from __future__ import annotations

import json
from pathlib import Path

import book_map
import pytest
from sphinx.errors import ExtensionError

from tests.book.harness import BOOK_PAGES

CHAPTERS = [chapter for _, chapters in book_map.parts() for chapter in chapters]


def test_every_chapter_of_the_book_is_on_the_map() -> None:
    pages = [name.removesuffix(".html") for name in BOOK_PAGES if name.startswith("chapters/")]
    assert [chapter.name for chapter in CHAPTERS] == pages


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.title)
def test_a_chapter_has_a_question_and_a_reading_time(chapter: book_map.Chapter) -> None:
    assert "?" in chapter.question
    assert chapter.minutes and 10 <= chapter.minutes <= 90


def test_a_chapter_without_a_question_is_an_error_that_names_its_file(tmp_path: Path) -> None:
    cell = {"cell_type": "markdown", "source": "# A title\n\nNo question."}
    path = tmp_path / "quiet.ipynb"
    path.write_text(json.dumps({"cells": [cell]}), "utf8")
    with pytest.raises(ExtensionError, match=r"quiet\.ipynb"):
        book_map.chapter_at(path)


@pytest.mark.browser
def test_the_map_shows_how_many_exercises_this_browser_has_solved(visit) -> None:
    page = visit("index.html").page
    assert page.locator(".nn-solved:not(:empty)").count() == 0
    xor = next(chapter for chapter in CHAPTERS if chapter.name == "chapters/xor")
    page.evaluate("localStorage.setItem('nnlib-progress', '[\"xor/one\", \"xor/other\"]')")
    page.reload()
    solved = page.locator('.nn-solved[data-chapter="xor"]')
    assert solved.inner_text() == f"2 of {xor.exercises} exercises solved"
    page.evaluate("localStorage.setItem('nnlib-progress', '{damaged')")
    page.reload()
    assert page.locator(".nn-solved:not(:empty)").count() == 0

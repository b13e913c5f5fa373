"""What comes out of the printer: nothing cut off, no label without content, answers on request."""

from __future__ import annotations

import io
import re

import pypdf
import pytest

pytestmark = pytest.mark.browser
PAGE = "chapters/xor.html"


def printed(page) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(page.pdf(format="A4", prefer_css_page_size=True)))


def text_of(reader: pypdf.PdfReader) -> str:
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


@pytest.fixture(scope="module")
def plain(browser, address: str) -> pypdf.PdfReader:
    page = browser.new_page(viewport={"width": 1600, "height": 900})
    page.goto(address + PAGE)
    page.wait_for_function("!document.querySelector('[data-nn-model]')")
    made = printed(page)
    page.close()
    return made


def test_labels_of_what_is_folded_are_not_printed(plain: pypdf.PdfReader) -> None:
    text = text_of(plain)
    assert "Exercises" in text and "What we know now" in text
    for label in ("Show the code", "Hint", "Solution", "Print this chapter", "Copy link"):
        assert label not in text, label


def test_few_pages_stay_half_empty(plain: pypdf.PdfReader) -> None:
    lengths = [len(re.sub(r"\s", "", page.extract_text())) for page in plain.pages]
    assert len(lengths) > 4
    assert sum(length < 40 for length in lengths[:-1]) == 0


@pytest.mark.parametrize("width", [1600, 800])
def test_figures_are_laid_out_for_paper_and_back(browser, address: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(address + PAGE)
    page.wait_for_function("!document.querySelector('[data-nn-model]')")
    wide = "() => [...document.querySelectorAll('.nn-figure')].map(f => f.clientWidth)"
    parts = """() => [...document.querySelectorAll('.nn-figure :is(svg, canvas, input, select)')]
      .filter(e => e.getClientRects().length && e.getBoundingClientRect().right
        > e.closest('.nn-figure').getBoundingClientRect().left + 660).length"""
    before = page.evaluate(wide)
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    assert max(page.evaluate(wide)) <= 640
    assert page.evaluate(parts) == 0
    page.evaluate("() => dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(wide) == before
    page.close()


def test_a_teacher_prints_code_hints_and_solutions(browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 1600, "height": 900})
    page.goto(address + PAGE + "?print=all")
    page.wait_for_function("!document.querySelector('[data-nn-model]')")
    labels = page.locator("details.nn-solution summary").all_inner_texts()
    text = text_of(printed(page))
    for label in set(labels):
        assert text.count(label) >= labels.count(label), label
    assert len(labels) > 3 and "Model answer" in labels and "live.predict(" in text
    page.close()


def test_the_button_prints_everything_and_folds_it_again(browser, address: str) -> None:
    page = browser.new_page()
    page.goto(address + PAGE)
    page.evaluate("""() => { window.print = () => {
      dispatchEvent(new Event("beforeprint"));
      window.printed = document.querySelectorAll("details.nn-solution[open]").length;
      dispatchEvent(new Event("afterprint"));
    }; }""")
    solutions = page.locator("details.nn-solution").count()
    for words, printed_ones in (("with code", solutions), ("this chapter", 0)):
        page.locator(".nn-printing button", has_text=words).click()
        assert page.evaluate("window.printed") == printed_ones
        assert page.locator("details.nn-solution[open]").count() == 0
    page.close()

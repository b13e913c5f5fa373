"""Printed pages: nothing cut off, no label without content, answers on request."""

from __future__ import annotations

import io
import unicodedata

import pypdf
import pytest

PAGE, CNN, LAYERS = "chapters/xor.html", "chapters/cnn.html", "chapters/layers.html"
pytestmark = [pytest.mark.browser, pytest.mark.reads(PAGE, CNN, LAYERS)]


def printed(page) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(page.pdf(format="A4", prefer_css_page_size=True)))


def text_of(reader: pypdf.PdfReader) -> str:
    """The text of all pages; some fonts have a ligature for fi, which is two letters here."""
    text = " ".join(page.extract_text() for page in reader.pages)
    return " ".join(unicodedata.normalize("NFKC", text).split())


@pytest.fixture(scope="module")
def default_pdf(browser, address: str) -> pypdf.PdfReader:
    page = browser.new_page(viewport={"width": 1600, "height": 900})
    page.goto(address + PAGE)
    page.wait_for_function("!document.querySelector('[data-nn-model]')")
    pdf = printed(page)
    page.close()
    return pdf


def test_labels_of_folded_parts_are_not_printed(default_pdf: pypdf.PdfReader) -> None:
    text = text_of(default_pdf)
    assert "Exercises" in text and "What we know now" in text
    labels = ("Show the code", "Hint", "Solution", "Print this chapter", "Copy link", "Try again")
    for label in labels:
        assert label not in text, label


def ends(reader: pypdf.PdfReader) -> list[float]:
    """The position of the last line of text on each page: 0 at the top, 1 at the bottom."""
    positions = []
    for page in reader.pages:
        lowest = [0.0]

        def note(text, page_matrix, text_matrix, font, size, lowest=lowest, page=page):
            if text.strip():
                y = (
                    page_matrix[1] * text_matrix[4]
                    + page_matrix[3] * text_matrix[5]
                    + page_matrix[5]
                )
                lowest.append(1 - y / float(page.mediabox.height))

        page.extract_text(visitor_text=note)
        positions.append(max(lowest))
    return positions


def test_pages_are_not_left_half_empty(browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 1600, "height": 900})
    page.goto(address + CNN)
    page.wait_for_function("!document.querySelector('[data-nn-model]')")
    positions = ends(printed(page))
    page.close()
    assert len(positions) > 10
    # a page may end early before a drawing that is taller than half a page
    short = {k + 1: round(end, 2) for k, end in enumerate(positions[:-1]) if end < 0.5}
    count = len(positions)
    assert len(short) <= count // 20, f"pages of {count} that end too early: {short}"


# Elements that reach into the paper's right margin, or are cut off by their own box.
BEYOND = """() => {
  const paper = document.querySelector("article.bd-article").getBoundingClientRect().right + 2;
  const article = "article.bd-article :is(pre, aside, p, table, svg, canvas)";
  const excluded = "mjx-container, .nn-visually-hidden, .nn-dag-view";
  const shown = [...document.querySelectorAll(article)]
    .filter((e) => e.getClientRects().length && !e.closest(excluded));
  return shown.filter((e) => e.getBoundingClientRect().right > paper
      || (e.matches("pre") && e.scrollWidth > e.clientWidth + 1))
    .map((e) => `${e.tagName} ${e.className} ${e.textContent.slice(0, 40)}`);
}"""


def test_notes_and_long_lines_of_code_stay_on_the_paper(browser, address: str) -> None:
    between_margins = {"width": 680, "height": 900}  # of an A4 page
    page = browser.new_page(viewport=between_margins)
    page.goto(address + LAYERS)
    page.wait_for_function("!document.querySelector('[data-nn-model]')")
    page.emulate_media(media="print")
    assert page.locator("aside.margin").count() == 1
    assert page.evaluate(BEYOND) == []
    page.close()


@pytest.mark.parametrize("width", [1600, 800])
def test_figures_are_laid_out_for_paper_and_back(browser, address: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(address + PAGE)
    page.wait_for_function("!document.querySelector('[data-nn-model]')")
    widths = "() => [...document.querySelectorAll('.nn-figure')].map(f => f.clientWidth)"
    beyond = """() => [...document.querySelectorAll('.nn-figure :is(svg, canvas, input, select)')]
      .filter(e => e.getClientRects().length && e.getBoundingClientRect().right
        > e.closest('.nn-figure').getBoundingClientRect().left + 571).length"""
    before = page.evaluate(widths)
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    assert max(page.evaluate(widths)) <= 570  # the column for text on an A4 page, 680 pixels wide
    assert page.evaluate(beyond) == 0
    page.evaluate("() => dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(widths) == before
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
    assert "Hide the code" not in text
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
    for label, open_solutions in (("with code", solutions), ("this chapter", 0)):
        page.locator(".nn-printing button", has_text=label).click()
        assert page.evaluate("window.printed") == open_solutions
        assert page.locator("details.nn-solution[open]").count() == 0
    page.close()

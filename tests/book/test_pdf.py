"""The PDF and the EPUB: two small pages always, the whole book weekly (`class.yml`)."""

from __future__ import annotations

import re
import subprocess
import unicodedata
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import book_site
import make_epub
import print_book
import pypdf
import pytest

import nnlib
from nnlib import live
from tools.printing import collect

pytestmark = pytest.mark.slow
ADDRESS = "https://example.org/book/"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{name}</title>
<link rel="stylesheet" href="../live.css"></head><body><article class="bd-article">
<section id="{name}"><h1>{title}<a class="headerlink" href="#{name}">#</a></h1>
<section id="first-section"><h2>A first section</h2>
<p>A <a class="reference internal" href="../glossary.html#term-two-gain">gain</a>, and
<a class="reference internal" href="other.html#first-section">the other page</a>;
<a class="reference internal" href="../reference/nn.html">the reference</a>.</p>{figure}
<div class="exercise admonition" id="ex-one"><p class="admonition-title">Exercise 1 (One ★)</p>
<section id="exercise-content"><p>What is one and one?</p></section></div>
<div class="cell tag_exercise"><pre>answer = ...</pre></div>
<div class="cell tag_hide-input tag_pytorch"><details class="hide above-input">
<summary>Show the code</summary>
<div class="cell_input"><pre>import torch</pre></div></details></div>
<div class="cell"><div class="cell_input"><pre>course.progress("x")</pre></div></div>
<pre class="wide" style="overflow-x: auto; white-space: pre"><span style="display: inline-block;
width: 1500px">a line as long as a street</span></pre><aside class="margin" style="float: right;
margin-right: -30%; width: 30%">beside it</aside>
<div class="cell tag_check"><pre>course.check("x/one", answer)</pre></div>
<details class="nn-hint"><summary>Hint</summary><p>Count your thumbs.</p></details>
<details class="nn-solution"><summary>Solution</summary>
<p>It is two.
See <a class="reference internal" href="../glossary.html#term-two-gain">its gain</a>.</p></details>
</section></section></article>{script}</body></html>"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of two pages, one with a live figure, and a glossary."""
    site = tmp_path_factory.mktemp("site")
    (site / "chapters").mkdir()
    x = nnlib.linspace(-6, 6, 61)
    figure = live.figure(
        lambda w: {"p": nnlib.sigmoid(w * x)},
        w=live.slider(-2.0, 2.0, 0.1, value=1.0, label="weight"),
        view=[
            live.predict("Where is p largest?", name="guess", choices=["left", "right"], answer=1,
                         explain="Right it is."),
            live.axes(live.curve(x, "p"), ylim=(0, 1)), "w = {w:.1f}",
        ],
        name="neuron", title="A neuron",
    )  # fmt: skip
    saved = figure.save(site / "f.html").read_text("utf8")
    body = re.search(r"<main>(.*?)</main>(<script type=\"app.*?</script>)", saved, re.DOTALL)
    assert body is not None
    (site / "live.js").write_text(book_site.as_classic_script(book_site.BUNDLE.read_text("utf8")))
    script = f'{body[2]}<script defer src="../live.js"></script>'
    for name, title in (("one", "The first page"), ("other", "The other page")):
        embedded = (body[1], script) if name == "one" else ("", "")
        text = PAGE.format(name=name, title=title, figure=embedded[0], script=embedded[1])
        (site / "chapters" / f"{name}.html").write_text(text, "utf8")
    for name in ("index", "glossary"):
        (site / f"{name}.html").write_text(
            f'<article class="bd-article"><section id="{name}"><h1>{name.title()}</h1>'
            '<dl><dt id="term-two-gain">two-gain</dt><dd>How steep.</dd></dl></section></article>'
        )
    (site / "live.css").write_bytes(
        (Path(live.__file__).parent / "static" / "live.css").read_bytes()
    )
    return site


@pytest.fixture(scope="module")
def paper(small: Path, tmp_path_factory: pytest.TempPathFactory) -> pypdf.PdfReader:
    target = tmp_path_factory.mktemp("pdf") / "book.pdf"
    with pytest.MonkeyPatch.context() as patch:
        documents = [("chapters/one", "Part one"), ("chapters/other", "Part one"), ("glossary", "")]
        patch.setattr(collect, "documents", lambda: documents)
        patch.setattr(collect, "states", lambda: {"neuron": {"w": -1.5}})
        assert print_book.main([str(small), str(target), "--address", ADDRESS]) == 0
    return pypdf.PdfReader(target)


def texts(reader: pypdf.PdfReader) -> list[str]:
    """The pages' texts; some fonts have a ligature for fi, which is written as two letters here."""
    pages = [unicodedata.normalize("NFKC", page.extract_text()) for page in reader.pages]
    return [" ".join(page.split()) for page in pages]


def test_the_contents_name_the_right_pages(paper: pypdf.PdfReader) -> None:
    pages = texts(paper)
    assert "From Sigmoid to Sequence" in pages[0] and ADDRESS in pages[0]
    for title in ("The first page", "The other page", "Hints and solutions", "Index"):
        match = re.search(rf"{title} (\d+)", pages[1])
        assert match and title in pages[int(match[1]) - 1], title
    assert "⟦" not in "".join(pages)


def test_a_figure_is_printed_with_its_sliders_values_and_its_address(
    paper: pypdf.PdfReader,
) -> None:
    text = " ".join(texts(paper))
    assert re.search(r"weight = .{0,4}1\.5 \(.{0,2}2 to 2\)", text)
    assert "example.org/book/chapters/one.html#live=neuron" in text.replace(" ", "")
    assert "Reset" not in text and "Save figure" not in text


def test_solutions_are_only_in_the_appendix(paper: pypdf.PdfReader) -> None:
    pages = texts(paper)
    chapter = next(p for p in pages if "What is one and one?" in p)
    assert "It is two." not in chapter and "Count your thumbs" not in chapter
    assert "answer = ..." in chapter and "course.check" not in chapter
    appendix = next(p for p in pages if "It is two." in p)
    assert appendix.index("Count your thumbs") < appendix.index("It is two.")


def test_folded_programs_and_answers_to_predictions_are_printed(paper: pypdf.PdfReader) -> None:
    text = " ".join(texts(paper))
    assert "import torch" in text and "Show the code" not in text
    assert "course.progress" not in text
    answer = text.index("Right it is.")
    assert text.index("Where is p largest?") < text.index("☐ right") < answer


def test_every_page_of_a_chapter_has_its_title_above(paper: pypdf.PdfReader) -> None:
    heads = {"What is one and one?": ("The first page", "The other page"),
             "It is two.": ("Hints and solutions",)}  # fmt: skip
    for page in texts(paper):
        for part, titles in heads.items():
            assert part not in page or page.startswith(titles)


def test_wide_code_is_scaled_down_and_notes_stay_between_the_margins(
    paper: pypdf.PdfReader,
) -> None:
    """Content that sticks out would be cut off, or Chromium would print the whole book smaller."""
    page = next(p for p in paper.pages if "as long as a street" in p.extract_text())
    sizes: dict[str, float] = {}

    def note_size(text: str, _: list, matrix: list[float], __: object, size: float) -> None:
        sizes[text.strip()] = size * abs(matrix[3])

    page.extract_text(visitor_text=note_size)
    street = next(v for k, v in sizes.items() if "street" in k)
    beside = next(v for k, v in sizes.items() if "beside" in k)
    assert street < 0.7 * beside


def test_links_stay_inside_terms_are_indexed_and_the_pdf_is_tagged(paper: pypdf.PdfReader) -> None:
    outside, inside = set(), 0
    for page in paper.pages:
        for link in page.get("/Annots") or []:
            action = link.get_object().get("/A", {})
            if "/URI" in action:
                outside.add(str(action["/URI"]))
            else:
                inside += 1
    assert inside >= 10
    assert outside and all(url.startswith(ADDRESS) for url in outside)
    assert f"{ADDRESS}reference/nn.html" in outside
    pages = texts(paper)
    match = re.search(r"two-gain (\d+), (\d+)", pages[-1])
    assert match and all("A gain, and" in pages[int(n) - 1] for n in match.groups())
    assert paper.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert len(paper.outline) >= 4


# --- the e-book -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def ebook(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("epub") / "book.epub"
    make_epub.make(small, target, ["chapters/one", "chapters/other", "glossary"], ADDRESS)
    return target


def test_the_ebook_is_well_formed_xml_with_pictures_and_links(ebook: Path) -> None:
    with zipfile.ZipFile(ebook) as file:
        assert file.namelist()[0] == "mimetype" and file.testzip() is None
        names = set(file.namelist())
        for name in names:
            if name.endswith((".xhtml", ".opf", ".xml")):
                ET.fromstring(file.read(name))
        text = file.read("book/one.xhtml").decode()
        assert file.read("book/images/one-0.png")[:4] == b"\x89PNG"
    assert 'href="other.xhtml#first-section"' in text
    assert 'href="glossary.xhtml#term-two-gain"' in text
    assert f'href="{ADDRESS}chapters/one.html#live=neuron.e30"' in text
    assert f'href="{ADDRESS}reference/nn.html"' in text
    assert "It is two." in text and "course.check" not in text and "<button" not in text


def checked(ebook: Path) -> None:
    command = make_epub.checker()
    if command is None:
        pytest.skip("EPUBCheck is not installed (apt-get install epubcheck); class.yml has it")
    run = subprocess.run([*command, str(ebook)], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_epubcheck_finds_nothing(ebook: Path) -> None:
    checked(ebook)


@pytest.mark.weekly
def test_the_whole_book_becomes_a_valid_ebook(site: Path, tmp_path: Path) -> None:
    names = [name for name, _ in collect.documents()]
    pages = make_epub.make(site, tmp_path / "book.epub", names, ADDRESS)
    assert sum("<math" in page.text for page in pages) >= 10
    checked(tmp_path / "book.epub")


@pytest.mark.weekly
def test_the_whole_book_becomes_a_pdf(site: Path, tmp_path: Path) -> None:
    target = tmp_path / "book.pdf"
    assert print_book.main([str(site), str(target), "--address", ADDRESS]) == 0
    reader = pypdf.PdfReader(target)
    pages = texts(reader)
    assert len(pages) > 150
    nearly_empty = [
        i + 1 for i, t in enumerate(pages[1:], 1) if len(t) < 15 and not reader.pages[i].images
    ]
    assert nearly_empty == []
    links = [
        link.get_object().get("/A", {}) for p in reader.pages for link in p.get("/Annots") or []
    ]
    assert not [a["/URI"] for a in links if "127.0.0.1" in str(a.get("/URI", ""))]
    text = "".join(pages)
    assert "⟦" not in text and "127.0.0.1" not in text
    index = next(v for n, v in reader.named_destinations.items() if n.lstrip("/") == "terms")
    printed = re.search(r"Index (\d+)", "".join(pages[:10]))
    assert printed and int(printed[1]) - 1 == reader.get_destination_page_number(index)
    for name, _ in collect.documents():
        assert collect.key_of(name) in {n.lstrip("/") for n in reader.named_destinations}

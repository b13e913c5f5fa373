"""Makes one PDF of the built book: cover, contents, chapters, solutions, index.

    python tools/print_book.py _build/html _build/book.pdf --address https://example.org/book/

Chromium prints it, in two passes: the first finds the page of every heading, term and solution,
the second writes them into contents and index. `--address` is the book's address on the web; each
figure's address is printed below it.  `tools/printing/for_paper.js` replaces controls by text, and
adds what is printed below figures and questions.
"""

from __future__ import annotations

import functools
import html
import json
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

import pypdf  # noqa: E402
import serve  # noqa: E402

from tools.browser import Server, launched  # noqa: E402
from tools.printing import collect  # noqa: E402
from tools.printing.collect import Page  # noqa: E402
from tools.printing.paper import BETWEEN_MARGINS, SCALE  # noqa: E402
from tools.title_page import SUBTITLE, TITLE  # noqa: E402

PRINTING = ROOT / "tools" / "printing"
HEADING = re.compile(r'<section[^>]* id="([^"]+)"[^>]*>\s*<h2>(.*?)</h2>', re.DOTALL)
TERM = re.compile(r'<a [^>]*href="[^"]*glossary\.html#(term-[^"]+)"[^>]*>(.*?)</a>', re.DOTALL)
DEFINED = re.compile(
    r'<dt[^>]* id="[^"]*(term-[^"]+)"[^>]*>(.*?)(?:<a class="headerlink"|</dt>)', re.DOTALL
)
LOCAL = re.compile(r'href="[^"]*"([^>]*?) data-to="([^"]*)"')
TAGS = re.compile(r"<[^>]+>")


def text_of(markup: str) -> str:
    """The text of a piece of HTML, without tags."""
    return html.unescape(TAGS.sub("", markup)).strip()


def glossary_terms(pages: Sequence[Page]) -> dict[str, str]:
    """Each term as the glossary spells it, by its anchor."""
    return {anchor: text_of(term) for page in pages for anchor, term in DEFINED.findall(page.html)}


def with_terms(page: Page, spelled: dict[str, str]) -> tuple[str, list[tuple[str, str]]]:
    """The page's text with an anchor at the first use of each term; (term, anchor) pairs."""
    anchors: dict[str, str] = {}

    def name(match: re.Match) -> str:
        term = spelled.get(match[1]) or match[1].removeprefix("term-").replace("-", " ")
        if term in anchors:
            return match[0]
        anchors[term] = f"use-{page.key}--{match[1]}"
        return f'<span id="{anchors[term]}"></span>{match[0]}'

    return TERM.sub(name, page.html), list(anchors.items())


def with_links(text: str, keys: dict[str, str], names: set[str], address: str) -> str:
    """Points links at their targets inside the book, or on the web if the page is left out."""

    def link(match: re.Match) -> str:
        path, _, fragment = html.unescape(match[2]).partition("#")
        if not match[2]:
            return match[0].replace(' data-to=""', "")
        if path not in keys:
            return f'href="{html.escape(address + match[2].lstrip("/"))}"{match[1]}'
        target = f"{keys[path]}--{fragment}" if fragment else keys[path]
        return f'href="#{target if target in names else keys[path]}"{match[1]}'

    return LOCAL.sub(link, text)


def entry(target: str, text: str) -> str:
    """A line of the contents; its number is filled in after the first pass."""
    return (f'<a class="entry" href="#{target}"><span>{html.escape(text)}</span>'
            f'<span class="dots"></span><span>⟦{target}⟧</span></a>')  # fmt: skip


def contents(pages: Sequence[Page], parts: Sequence[str]) -> str:
    lines, previous = [], ""
    for page, part in zip(pages, parts, strict=True):
        if part != previous:
            lines.append(f"<li>{html.escape(part)}</li>")
            previous = part
        section_lines = "".join(
            f"<li>{entry(i, text_of(t))}</li>" for i, t in HEADING.findall(page.html)
        )
        lines.append(f"<li>{entry(page.key, page.title)}<ol>{section_lines}</ol></li>")
    tail = [("solutions", "Hints and solutions"), ("terms", "Index")]
    lines += [f"<li>{entry(i, t)}</li>" for i, t in tail]
    return f'<nav id="contents"><h1>Contents</h1><ol>{"".join(lines)}</ol></nav>'


def solutions(pages: Sequence[Page]) -> str:
    lines = []
    for page in pages:
        if not page.appendix:
            continue
        lines.append(f"<h2>{html.escape(page.title)}</h2>")
        previous = None
        for item in page.appendix:
            if item["exercise"] != previous:
                previous = item["exercise"]
                lines.append(f'<h3 id="solution-{previous}"><a href="#{previous}">'
                            f'{html.escape(item["title"])}</a></h3>')  # fmt: skip
            lines.append(item["html"])
    return f'<article id="solutions"><h1>Hints and solutions</h1>{"".join(lines)}</article>'


def index(uses: dict[str, list[str]]) -> str:
    """Terms of the glossary with the pages where a chapter first uses them."""
    lines = [
        f"<li>{html.escape(term)} "
        + ", ".join(f'<a href="#{name}">⟦{name}⟧</a>' for name in names)
        + "</li>"
        for term, names in sorted(uses.items(), key=lambda item: item[0].casefold())
    ]
    return f'<article id="terms"><h1>Index</h1><ul>{"".join(lines)}</ul></article>'


def cover(address: str) -> str:
    address_line = f"<p>{html.escape(address)}</p>" if address else ""
    return (
        f'<section id="cover"><img src="_static/logo.svg" alt=""><h1>{TITLE}</h1>'
        f"<p><strong>{SUBTITLE}</strong></p><div class='small'>{address_line}"
        "<p>Figures are printed in "
        "one state; the address below each leads to the live figure. Text, figures and exercises: "
        "CC BY 4.0. Code: BSD 3-Clause.</p></div></section>"
    )


def running_heads(titles: dict[str, str]) -> str:
    """Styles that write a chapter's title at the top of each of its pages."""
    return "".join(
        f"#{name} {{ page: {name}; }} @page {name} {{ @top-center {{ content: {json.dumps(title)}; "
        "font: 8.5pt serif; color: #555; } }"
        for name, title in titles.items()
    )


def book_html(
    pages: Sequence[Page], parts: Sequence[str], keys: dict[str, str], address: str
) -> str:
    """The book as one HTML page, with ⟦name⟧ in place of each page number."""
    uses: dict[str, list[str]] = {}
    bodies, spelled = [], glossary_terms(pages)
    for page in pages:
        text, terms = with_terms(page, spelled)
        for term, name in terms if page.key != "glossary" else ():
            uses.setdefault(term, []).append(name)
        bodies.append(f'<article class="chapter bd-article" id="{page.key}">{text}</article>')
    styles = dict.fromkeys(style for page in pages for style in page.styles)
    rules = dict.fromkeys(rule for page in pages for rule in page.rules)
    heads = {page.key: page.title for page in pages}
    heads |= {"solutions": "Hints and solutions", "terms": "Index"}
    paper = (PRINTING / "paper.css").read_text("utf8") + running_heads(heads)
    body = "".join([cover(address), contents(pages, parts), *bodies, solutions(pages), index(uses)])
    names = set(re.findall(r' id="([^"]+)"', body))
    links = "".join(f'<link rel="stylesheet" href="{style}">' for style in styles)
    return (
        f'<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">'
        f"<title>{TITLE}</title><base href='/'>{links}<style>{''.join(rules)}</style>"
        f"<style>{paper}</style></head><body>{with_links(body, keys, names, address)}</body></html>"
    )


def pages_of_targets(pdf: Path) -> dict[str, int]:
    """The page number of each named destination in a PDF."""
    reader = pypdf.PdfReader(pdf)
    page_numbers = {}
    for name, destination in reader.named_destinations.items():
        number = reader.get_destination_page_number(destination)
        if number is not None:
            page_numbers[name.lstrip("/")] = number + 1
    return page_numbers


def with_page_numbers(text: str, page_numbers: dict[str, int]) -> str:
    """The text with page numbers in place of each ⟦name⟧."""
    return re.sub("⟦(.+?)⟧", lambda m: str(page_numbers.get(html.unescape(m[1]), "")), text)


def render(site: Path, text: str, target: Path) -> None:
    """Prints one HTML page, which the browser loads from the site's root.

    Raises:
        RuntimeError: something is wider than the page.
    """

    class Handler(serve.QuietHandler):
        def do_GET(self) -> None:
            if self.path != "/print-me.html":
                return super().do_GET()
            body = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return None

    with Server(functools.partial(Handler, directory=str(site))) as server, launched() as browser:
        width, height = BETWEEN_MARGINS
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(600_000)
        page.goto(f"{server.origin}/print-me.html", timeout=600_000)
        page.evaluate("() => document.fonts.ready.then(() => null)")
        page.emulate_media(media="print")
        fit = (PRINTING / "fit.js").read_text("utf8")
        too_wide = page.evaluate(fit, {"width": width, "height": height, "scale": SCALE})
        if too_wide:
            raise RuntimeError(f"wider than the page: {'; '.join(too_wide[:5])}")
        page.pdf(path=str(target), prefer_css_page_size=True, outline=True, tagged=True,
                 print_background=True)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    options = collect.parse_arguments(__doc__, "PDF", arguments)
    if options is None:
        return 1
    start = time.monotonic()
    pages, keys = collect.pages(options.site, options.names, options.address)
    text = book_html(pages, [part for _, part in options.chosen], keys, options.address)
    options.target.parent.mkdir(parents=True, exist_ok=True)
    placeholders = re.sub("⟦.+?⟧", "000", text)  # as long as the page numbers will be
    render(options.site, placeholders, options.target)
    render(options.site, with_page_numbers(text, pages_of_targets(options.target)), options.target)
    reader = pypdf.PdfReader(options.target)
    figures = [name for page in pages for name in page.figures]
    if options.whole and (unknown := sorted(set(collect.states()) - set(figures))):
        print(f"error: states.json names figures that do not exist: {unknown}", file=sys.stderr)
        return 1
    size, seconds = options.target.stat().st_size / 1e6, time.monotonic() - start
    print(f"{options.target}: {len(reader.pages)} pages, {len(figures)} figures, {size:.1f} MB, "
          f"{seconds:.0f} s")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Every page of the built site: no errors, no dead links, accessible, on any host and screen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from icon_font import ICONS

from tests.accessibility import Violation, serious_violations
from tests.book.harness import BOOK_PAGES, DESKTOP, FRAMES, PHONE, THEMES, Visit, on

pytestmark = pytest.mark.browser


# Opening a page takes most of a test's time, so each of these two visits tests both themes and
# several widths.
SCREENS = [("light", DESKTOP), ("dark", PHONE)]
WIDTHS = {DESKTOP: (1920, 1000, 768, DESKTOP), PHONE: (390, PHONE)}

# What axe finds in the theme's frame (sidebars, header, footer), which is not part of the book.
THEMES_OWN_VIOLATIONS: set[str] = set()


def in_each_theme(visit: Visit) -> Iterator[str]:
    """The themes in turn, as the reader's machine switches them; the last is the visit's own."""
    page = visit.page
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    for theme in THEMES if dark else reversed(THEMES):
        page.emulate_media(color_scheme=theme)
        page.wait_for_function("(t) => document.documentElement.dataset.theme === t", arg=theme)
        page.evaluate(FRAMES)
        yield theme


TOO_WIDE = """() => [...document.querySelectorAll("article *")].filter((e) => {
  const box = e.getBoundingClientRect();
  if (box.width === 0 || box.right <= innerWidth + 1) return false;
  for (let p = e.parentElement; p; p = p.parentElement)
    if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(p).overflowX)) return false;
  return true;
}).map((e) => e.outerHTML.slice(0, 120))"""


@on(*SCREENS)
def test_a_page_makes_no_outside_requests_logs_no_errors_and_fits_the_screen(screen: Visit) -> None:
    page = screen.page
    page.evaluate(FRAMES)
    assert screen.errors == []
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert page.evaluate("document.documentElement.dataset.theme") == ("dark" if dark else "light")
    height = page.viewport_size["height"]
    for width in WIDTHS[page.viewport_size["width"]]:
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate(FRAMES)
        assert page.evaluate(TOO_WIDE) == [], width
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width
    for theme in in_each_theme(screen):
        assert page.evaluate(TOO_WIDE) == [], theme
    assert screen.errors == []


@on(*SCREENS)
def test_one_heading_one_search_and_alternative_text_for_every_picture(screen: Visit) -> None:
    page = screen.page
    visible = """(selector) => [...document.querySelectorAll(selector)].filter(
        (e) => e.checkVisibility({checkVisibilityCSS: true}) &&
          e.getBoundingClientRect().width > 0 && e.getBoundingClientRect().right > 0).length"""
    assert page.evaluate(visible, "h1") == 1
    search = "input[type=search], .search-button__button"
    # The search page has its field; every other page has the one button.
    assert page.evaluate(visible, search) == 1
    without_text = page.evaluate(
        "() => [...document.querySelectorAll('img:not([alt])')].map((e) => e.src)"
    )
    assert without_text == []


def assert_none_is_serious(violations: list[Violation]) -> None:
    assert [(v.rule, v.element, v.why) for v in violations if v.own] == []
    assert {v.rule for v in violations if not v.own} <= THEMES_OWN_VIOLATIONS


@on(*SCREENS)
def test_axe_finds_nothing_serious(screen: Visit) -> None:
    assert_none_is_serious(serious_violations(screen.page, contrast=False))
    if screen.page.viewport_size["width"] != DESKTOP:
        return  # a phone shows the same colours, and fewer texts
    for _ in in_each_theme(screen):
        assert_none_is_serious(serious_violations(screen.page, rules=False))


@pytest.mark.weekly
@on(("light", DESKTOP), ("dark", DESKTOP))
def test_axe_finds_no_text_of_weak_contrast_anywhere(screen: Visit) -> None:
    assert_none_is_serious(serious_violations(screen.page, rules=False, every_text=True))


@on(("light", DESKTOP), pages=BOOK_PAGES)
def test_mathematics_is_typeset_and_can_be_read_aloud(screen: Visit) -> None:
    page = screen.page
    formulas = page.locator("article .math").count()
    assert page.locator("article .math mjx-container").count() >= formulas
    assert page.locator("article .math merror, article .math mjx-merror").count() == 0
    # Screen readers get MathML.
    assert page.locator("article .math mjx-assistive-mml math").count() >= formulas


def test_some_page_contains_mathematics(site: Path) -> None:
    assert any('class="math' in (site / name).read_text("utf8") for name in BOOK_PAGES)


def test_fonts_come_from_the_site(visit) -> None:
    page = visit("index.html").page
    loaded = page.evaluate(
        "() => [...document.fonts].filter((f) => f.status === 'loaded').map((f) => f.family)"
    )
    families = {family.strip('"') for family in loaded}
    assert {"Source Sans 3 Variable", "Source Serif 4 Variable", "Font Awesome 6 Free"} <= families


@on(("light", DESKTOP), pages=BOOK_PAGES)
def test_every_icon_is_in_the_icon_font(screen: Visit) -> None:
    icons = screen.page.evaluate(
        """() => [...document.querySelectorAll("i[class*=fa-], span[class*=fa-]")].map((e) =>
            getComputedStyle(e, "::before").content.codePointAt(1))"""
    )
    assert icons
    assert set(icons) <= set(ICONS.values())


def test_the_theme_switch_changes_the_theme_and_the_choice_stays(visit) -> None:
    page = visit("index.html", theme="light").page
    button = page.get_by_role("button", name="Color mode")
    modes = set()
    for _ in range(3):
        button.click()
        modes.add(page.evaluate("document.documentElement.dataset.mode"))
    assert modes == {"light", "dark", "auto"}
    while page.evaluate("document.documentElement.dataset.mode") != "dark":
        button.click()
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_search_finds_a_chapter(visit) -> None:
    opened = visit("search.html?q=logistic")
    opened.page.wait_for_selector("#search-results li")
    assert "ogistic" in opened.page.locator("#search-results").inner_text()
    assert opened.errors == []


def test_the_search_dialog_opens_by_key(visit) -> None:
    page = visit("index.html").page
    page.keyboard.press("Control+k")
    field = page.locator("#pst-search-dialog input[type=search]")
    field.wait_for(state="visible")
    field.fill("logistic")
    field.press("Enter")
    page.wait_for_url("**/search.html?q=logistic*")


def test_the_book_opens_from_the_disk(visit, site: Path) -> None:
    for name in BOOK_PAGES:
        opened = visit(name, base=site.as_uri() + "/")
        assert opened.errors == [], name
        assert opened.page.locator("h1").first.is_visible()


def test_print_shows_the_article_alone(visit) -> None:
    page = visit(BOOK_PAGES[-1]).page
    page.emulate_media(media="print")
    for frame in (".bd-sidebar-primary", ".bd-header-article", ".prev-next-footer"):
        assert not page.locator(frame).first.is_visible(), frame
    assert page.locator("article h1").is_visible()
    assert page.locator("h1:visible").count() == 1


def test_a_dark_page_prints_on_white_and_is_dark_again_afterwards(visit, site: Path) -> None:
    name = next(n for n in BOOK_PAGES if "data-nn-model" in (site / n).read_text("utf8"))
    opened = visit(name, theme="dark")
    page = opened.page
    page.wait_for_selector(".nn-figure[data-ready]")
    canvases = """() => [...document.querySelectorAll(".nn-figure canvas")].map(
        (c) => c.toDataURL()).join()"""
    paper = "() => getComputedStyle(document.querySelector('.nn-figure')).backgroundColor"
    dark = page.evaluate(canvases), page.evaluate(paper)
    page.emulate_media(media="print", color_scheme="dark")
    page.wait_for_function("document.documentElement.dataset.theme === 'light'")
    ink = page.evaluate("getComputedStyle(document.querySelector('article p')).color")
    assert max(map(int, re.findall(r"\d+", ink)[:3])) < 90
    assert (page.evaluate(canvases), page.evaluate(paper)) != dark
    page.emulate_media(media="screen", color_scheme="dark")
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    assert (page.evaluate(canvases), page.evaluate(paper)) == dark
    assert opened.errors == []


# ---- The files -----------------------------------------------------------------------------------


class Addresses(HTMLParser):
    """Collects what a page loads and what it links to."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attributes}
        if "id" in values:
            self.names.add(values["id"])
        if tag in ("script", "img", "source", "iframe") and values.get("src"):
            self.loads.append(values["src"])
        if tag == "link" and values.get("rel") not in ("license", "canonical"):
            self.loads.append(values.get("href", ""))
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])


def read(path: Path) -> Addresses:
    parser = Addresses()
    parser.feed(path.read_text("utf8"))
    return parser


def html_files(site: Path) -> list[Path]:
    return [p for p in site.rglob("*.html") if "_static" not in p.relative_to(site).parts]


def test_pages_load_nothing_from_other_hosts_and_no_link_is_dead(site: Path) -> None:
    parsed = {path.resolve(): read(path) for path in html_files(site)}
    dead = []
    for path, page in parsed.items():
        for target in [*page.loads, *page.links]:
            parts = urlsplit(target)
            if parts.scheme in ("http", "https", "mailto"):
                assert target not in page.loads, f"{path.name} loads {target}"
                continue
            if parts.scheme == "data":
                continue
            assert not target.startswith("/"), f"{path.name}: {target} works only at a host's root"
            file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not file.exists():
                dead.append(f"{path.relative_to(site.resolve())}: {target}")
            elif parts.fragment and unquote(parts.fragment) not in parsed[file].names:
                dead.append(f"{path.relative_to(site.resolve())}: no such anchor {target}")
    assert dead == []


def test_every_page_has_a_title_a_description_a_card_and_an_icon(site: Path) -> None:
    for name in BOOK_PAGES:
        text = (site / name).read_text("utf8")
        assert re.search(r"<title>[^<]+</title>", text)
        for field in ("og:title", "og:description", "og:image", "twitter:card"):
            assert text.count(f'="{field}"') == 1, (name, field)
        assert text.count('name="description"') == 1, name
        assert 'rel="icon"' in text
        assert 'rel="license"' in text
        # Jupyter Book's own scripts, which are removed: they declare a name twice on every page.
        assert "THEBE" not in text
        assert "fontawesome.js" not in text
    assert (site / "_static" / "social-card.png").is_file()


def test_a_page_loads_few_bytes_of_scripts_and_styles(site: Path) -> None:
    """Scripts and styles that every page loads, before compression (figures bring their own)."""
    page = read(site / "glossary.html")
    local = {(site / urlsplit(target).path) for target in page.loads if "static" in target}
    size = sum(path.stat().st_size for path in local if path.suffix in (".js", ".css"))
    assert size < 800_000

"""Makes an EPUB 3 of the built book: MathML, pictures of the figures, hints and solutions folded.

    python tools/make_epub.py _build/html _build/book.epub --address https://example.org/book/

Each figure is a picture of its first state with a description; if the book's address is known, a
link leads to the live figure.
"""

from __future__ import annotations

import functools
import html
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from string import Template

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

import serve  # noqa: E402

from nnlib.live import palette  # noqa: E402
from tools.browser import Server, launched  # noqa: E402
from tools.printing import collect  # noqa: E402
from tools.title_page import AUTHOR, TITLE  # noqa: E402

IDENTIFIER = "urn:book:from-sigmoid-to-sequence"
MEDIA_TYPES = {
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".jpg": "image/jpeg",
    ".gif": "image/gif",
}
VIEW: dict = {
    "viewport": {"width": 760, "height": 1000}, "device_scale_factor": 1.5,
    "reduced_motion": "reduce", "color_scheme": "light",
}  # fmt: skip
STYLE = Template("""\
body { line-height: 1.45; } pre { white-space: pre-wrap; font-size: .85em; background: $panel; }
pre { padding: .5em; } img { max-width: 100%; } figure { margin: 1em 0; } table { font-size: .9em; }
figcaption { font-size: .85em; color: $muted; } .admonition { border-left: 3px solid $accent; }
.admonition { padding-left: .8em; margin: 1em 0; } .admonition-title { font-weight: bold; }
""").substitute(palette.colors("print"))
PAGE = """\
<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"
 lang="en" xml:lang="en">
<head><title>{title}</title><link rel="stylesheet" type="text/css" href="book.css"/></head>
<body>{body}</body></html>
"""


@dataclass
class EpubPage:
    """A page as XHTML and its pictures by file name."""

    key: str
    title: str
    text: str
    ids: frozenset[str] = frozenset()
    pictures: dict[str, bytes] = field(default_factory=dict)


def read_pages(site: Path, names: Sequence[str], address: str) -> list[EpubPage]:
    """Reads the pages of a built site. Raises RuntimeError if a figure was not drawn."""
    handler = functools.partial(serve.QuietHandler, directory=str(site))
    pages = []
    with Server(handler) as server, launched() as browser:
        for name in names:
            tab = browser.new_page(**VIEW)
            parameters = {"address": address, "name": name}
            content = collect.extracted(tab, server.origin, name, "for_epub.js", parameters)
            key = collect.key_of(name)
            page = EpubPage(key, content["title"], content["text"], frozenset(content["ids"]))
            for number in range(content["shots"]):
                file = f"{key}-{number}.png"
                shot = tab.locator(f'[data-shot="{number}"] .nn-content')
                page.pictures[file] = shot.screenshot(timeout=60_000, animations="disabled")
                page.text = page.text.replace(f'"SHOT-{number}"', f'"images/{file}"')
            tab.close()
            pages.append(page)
    return pages


def resolve_links(pages: list[EpubPage], site: Path, names: Sequence[str], address: str) -> None:
    """Points links at the book's own files if it contains the targets; adds the pictures."""
    keys = {f"/{name}.html": page for name, page in zip(names, pages, strict=True)}
    for page in pages:

        def link(match: re.Match) -> str:
            path, _, fragment = html.unescape(match[1]).partition("#")
            if path not in keys:
                return f'href="{html.escape(address + path.lstrip("/"))}"' if address else ""
            target = keys[path]
            anchor = f"#{fragment}" if fragment in target.ids else ""
            return f'href="{target.key}.xhtml{anchor}"'

        def picture(match: re.Match, page: EpubPage = page) -> str:
            path = site / html.unescape(match[1]).lstrip("/")
            page.pictures[path.name] = path.read_bytes()
            return f'src="images/{path.name}"'

        page.text = re.sub(r'href="PAGE-([^"]*)"', link, page.text)
        page.text = re.sub(r'src="FILE-([^"]*)"', picture, page.text)


def manifest(pages: Sequence[EpubPage]) -> str:
    lines = [
        '<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>',
        '<item id="css" href="book.css" media-type="text/css"/>',
    ]
    pictures = sorted({name for page in pages for name in page.pictures})
    for i, name in enumerate(pictures):
        media_type = MEDIA_TYPES[Path(name).suffix]
        lines.append(f'<item id="p{i}" href="images/{name}" media-type="{media_type}"/>')
    for page in pages:
        contained = [w for w, tag in (("mathml", "<math"), ("svg", "<svg")) if tag in page.text]
        properties = f' properties="{" ".join(contained)}"' if contained else ""
        lines.append(f'<item id="c-{page.key}" href="{page.key}.xhtml" '
                     f'media-type="application/xhtml+xml"{properties}/>')  # fmt: skip
    return "".join(lines)


def package(pages: Sequence[EpubPage]) -> str:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    spine = "".join(f'<itemref idref="c-{page.key}"/>' for page in pages)
    metadata = (
        f'<dc:identifier id="uid">{IDENTIFIER}</dc:identifier><dc:title>{TITLE}</dc:title>'
        f"<dc:language>en</dc:language><dc:creator>{AUTHOR}</dc:creator>"
        f"<dc:rights>CC BY 4.0</dc:rights><meta property='dcterms:modified'>{now}</meta>"
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?><package xmlns="http://www.idpf.org/2007/opf" '
        'version="3.0" unique-identifier="uid" xml:lang="en"><metadata '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/">{metadata}</metadata>'
        f'<manifest>{manifest(pages)}</manifest><spine>{spine}</spine></package>'
    )  # fmt: skip


def navigation(pages: Sequence[EpubPage]) -> str:
    items = "".join(
        f'<li><a href="{page.key}.xhtml">{html.escape(page.title)}</a></li>' for page in pages
    )
    body = f'<nav epub:type="toc" id="toc"><h1>Contents</h1><ol>{items}</ol></nav>'
    return PAGE.format(title="Contents", body=body)


def write(target: Path, pages: Sequence[EpubPage]) -> None:
    container = (
        '<?xml version="1.0"?><container version="1.0" '
        'xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile '
        'full-path="book/content.opf" media-type="application/oebps-package+xml"/></rootfiles>'
        "</container>"
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        file.writestr("META-INF/container.xml", container)
        file.writestr("book/content.opf", package(pages))
        file.writestr("book/nav.xhtml", navigation(pages))
        file.writestr("book/book.css", STYLE)
        for page in pages:
            text = PAGE.format(title=html.escape(page.title), body=page.text)
            file.writestr(f"book/{page.key}.xhtml", text)
        for name, data in {n: d for page in pages for n, d in page.pictures.items()}.items():
            file.writestr(f"book/images/{name}", data)


def checker() -> list[str] | None:
    """EPUBCheck's command, or None if it is not installed (Debian's is a jar that needs Java)."""
    program = shutil.which("epubcheck")
    if program is None:
        return None
    with open(program, "rb") as file:
        jar = file.read(2) == b"PK"
    return ["java", "-jar", program] if jar else [program]


def make(site: Path, target: Path, names: Sequence[str], address: str) -> list[EpubPage]:
    pages = read_pages(site, names, address)
    resolve_links(pages, site, names, address)
    write(target, pages)
    return pages


def main(arguments: list[str] | None = None) -> int:
    options = collect.parse_arguments(__doc__, "EPUB", arguments)
    if options is None:
        return 1
    start = time.monotonic()
    pages = make(options.site, options.target, options.names, options.address)
    size = options.target.stat().st_size / 1e6
    seconds = time.monotonic() - start
    pictures = sum(len(page.pictures) for page in pages)
    contents = f"{len(pages)} chapters, {pictures} pictures"
    print(f"{options.target}: {contents}, {size:.1f} MB, {seconds:.0f} s")
    if (command := checker()) is None:
        print("EPUBCheck is not installed, so the file was not checked (apt-get install epubcheck)")
        return 0
    return subprocess.run([*command, str(options.target)]).returncode


if __name__ == "__main__":
    sys.exit(main())

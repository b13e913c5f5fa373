"""Opens each page of the built site in Chromium and extracts what is printed."""

from __future__ import annotations

import argparse
import functools
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import serve
import yaml

from tools.browser import Server, launched
from tools.printing.paper import BETWEEN_MARGINS, SCALE

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
WIDTH = 900  # pixels of the window: wide enough for FIGURE, too narrow for the site's columns
# Pixels: as wide as the page between its margins when printed at SCALE, rounded down to tens.
FIGURE = int(BETWEEN_MARGINS[0] / SCALE // 10) * 10
API = "reference/nnlib"  # the pages of the API reference are not printed


@dataclass(frozen=True)
class Page:
    """A page ready for paper; `appendix` holds its hints and solutions."""

    key: str
    title: str
    html: str
    figures: tuple[str, ...]
    rules: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    appendix: tuple[dict, ...] = field(default=(), compare=False)


def documents(toc: Path = ROOT / "_toc.yml") -> list[tuple[str, str]]:
    """The pages to print and the part that each belongs to, in the book's order."""
    contents = yaml.safe_load(toc.read_text("utf8"))
    entries = [("", contents["root"])]
    for part in contents["parts"]:
        names = [c["file"] for c in part["chapters"] if c["file"] != API]
        entries += [(part["caption"], name) for name in names]
    return [(name, part) for part, name in entries]


def pages(site: Path, names: Sequence[str], address: str) -> tuple[list[Page], dict[str, str]]:
    """The pages of a built site, and each page's key in the book by its path on the site.

    Raises:
        RuntimeError: a figure was not drawn in time.
    """
    handler = functools.partial(serve.QuietHandler, directory=str(site))
    printed = []
    with Server(handler) as server, launched() as browser:
        for name in names:
            page = browser.new_page(viewport={"width": WIDTH, "height": 1000},
                                    color_scheme="light")  # fmt: skip
            parameters = {
                "pageKey": key_of(name),
                "address": address,
                "states": states(),
                "width": FIGURE,
            }
            content = extracted(page, server.origin, name, "for_paper.js", parameters)
            page.close()
            printed.append(as_page(content, name, server.origin, address))
    return printed, {f"/{name}.html": key_of(name) for name in names}


def extracted(
    page: Any, origin: str, name: str, script: str, parameters: dict[str, Any]
) -> dict[str, Any]:
    """Opens a page, mounts its figures, and returns the result of a script of this folder in it.

    Raises:
        RuntimeError: a figure was not drawn in time.
    """
    page.goto(f"{origin}/{name}.html", timeout=120_000)
    page.evaluate((HERE / "mount_figures.js").read_text("utf8"))
    result = page.evaluate(f"(values) => ({(HERE / script).read_text('utf8')})(values)", parameters)
    if result["undrawn"]:
        raise RuntimeError(f"{name}: {result['undrawn']} figures were not drawn")
    return result


@dataclass(frozen=True)
class Options:
    """The options of a command line: which pages of a built site to write into which file."""

    site: Path
    target: Path
    address: str
    chosen: list[tuple[str, str]]
    whole: bool

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.chosen]


def parse_arguments(documentation: str, format: str, arguments: list[str] | None) -> Options | None:
    """The options of `make pdf` or `make epub`; None, after a message, if no site is built."""
    parser = argparse.ArgumentParser(description=documentation.splitlines()[0])
    parser.add_argument("site", type=Path, help="the built site")
    parser.add_argument("target", type=Path, help=f"the {format} to write")
    parser.add_argument("--address", default=os.environ.get("BOOK_URL", ""), help="on the web")
    parser.add_argument("--only", nargs="*", help="these pages alone, such as chapters/xor")
    options = parser.parse_args(arguments)
    if not (options.site / "index.html").is_file():
        print(f"error: {options.site} has no built site: run `make book`", file=sys.stderr)
        return None
    chosen = [(n, p) for n, p in documents() if not options.only or n in options.only]
    address = options.address.rstrip("/") + "/" if options.address else ""
    return Options(options.site, options.target, address, chosen, whole=not options.only)


def states() -> dict[str, dict]:
    """The states to print figures in: inputs by name, `@step` and `@seed` of those that train."""
    return json.loads((HERE / "states.json").read_text("utf8"))


def key_of(name: str) -> str:
    """A page's key, its name inside the printed book: that of chapters/xor is xor."""
    return name.rpartition("/")[2]


def as_page(content: dict[str, Any], name: str, origin: str, address: str) -> Page:
    """The page without this server's address; the folder is added to figures' addresses."""
    folder = name.rpartition("/")[0]
    html = content["html"]
    if folder:
        key = key_of(name)
        html = html.replace(f"{address}{key}.html#live=", f"{address}{folder}/{key}.html#live=")

    def clean(text: str) -> str:
        return text.replace(f"{origin}/", "")

    return Page(
        content["pageKey"], content["title"], clean(html), tuple(content["figures"]),
        tuple(clean(rule) for rule in content["rules"]),
        tuple(clean(style) for style in content["styles"]),
        tuple({**a, "html": clean(a["html"])} for a in content["appendix"]),
    )  # fmt: skip

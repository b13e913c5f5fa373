"""A Sphinx extension for the chapters: checked numbers in the text, terms explained on hover."""

from __future__ import annotations

import os

from docutils import nodes
from plain_notebooks import replace_sources
from sphinx.application import Sphinx
from sphinx.config import Config

MAX_LENGTH = 240  # characters of a definition that a hover text shows


def run_as_authors(app: Sphinx, config: Config) -> None:
    """Makes wrong numbers in the text errors and hides progress, by environment variables."""
    os.environ["NNLIB_COURSE"] = "author"
    os.environ["NNLIB_PROGRESS"] = "off"


def definitions(app: Sphinx) -> dict[str, str]:
    """The first paragraph of each glossary term's definition, by the term's id."""
    texts: dict[str, str] = {}
    for docname in {entry[0] for entry in terms(app).values()}:
        for item in app.env.get_doctree(docname).findall(nodes.definition_list_item):
            text = " ".join(item[-1].astext().split("\n\n")[0].split())
            short = text if len(text) <= MAX_LENGTH else text[:MAX_LENGTH].rsplit(" ", 1)[0] + " …"
            for term in item.findall(nodes.term):
                texts.update((name, short) for name in term["ids"])
    return texts


def terms(app: Sphinx) -> dict[tuple[str, str], tuple[str, str]]:
    domain = app.env.get_domain("std")
    return {key: entry for key, entry in domain.data["objects"].items() if key[0] == "term"}


def explain_terms(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Gives every link to a glossary term the definition as its hover text."""
    links = [
        node for node in doctree.findall(nodes.reference)
        if any("std-term" in child.get("classes", []) for child in node.findall(nodes.inline))
    ]  # fmt: skip
    if not links:
        return
    texts = definitions(app)
    for link in links:
        target = link.get("refid") or link.get("refuri", "").partition("#")[2]
        if target in texts:
            link["reftitle"] = texts[target]
            link["classes"].append("nn-term")


def number_by_chapter(app: Sphinx, env) -> list[str]:
    """Numbers exercises, equations and figures from 1 in each chapter, as its notebook does."""
    for numbers_by_type in env.toc_fignumbers.values():
        for numbers in numbers_by_type.values():
            numbers.update((label, (n,)) for n, label in enumerate(list(numbers), 1))
    return []


def pages_to_reread(app: Sphinx, env, changed: set, added: set, removed: set) -> list[str]:
    """The pages to read again if the glossary has changed, since chapters show it on hover."""
    if not any("glossary" in name for name in (changed | added)):
        return []
    return [name for name in env.found_docs if name.startswith("chapters/")]


def setup(app: Sphinx) -> dict:
    app.connect("config-inited", run_as_authors, priority=100)
    # After Sphinx has resolved the references, which happens at the default priority of 500.
    app.connect("doctree-resolved", explain_terms, priority=700)
    app.connect("build-finished", replace_sources)
    app.connect("env-get-outdated", pages_to_reread)
    # After Sphinx has numbered exercises, equations and figures through the whole book.
    app.connect("env-get-updated", number_by_chapter, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

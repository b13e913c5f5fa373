"""The reference's pages: every public name of a module, generated from its docstring.

`.. public:: nnlib.nn` lists what nnlib.nn makes public; `:from: nnlib.functions.along` keeps what
is written there, `:without:` leaves names out.  So a new function is in the book once it is public.
`.. contents-of-reference:: page …` links every name that those pages list.
"""

from __future__ import annotations

import importlib
import inspect
import re
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.domains.python import PythonDomain
from sphinx.util.docutils import SphinxDirective


def public_names(module: str, origin: str | None = None) -> list[str]:
    """The module's public functions and classes, in the order in which their files write them.

    `origin` keeps those written in the module of that name.
    """
    space = importlib.import_module(module)
    things = {name: getattr(space, name) for name in space.__all__}
    kept = [name for name, thing in things.items() if documented(thing, module, origin)]
    return sorted(kept, key=lambda name: (*place(things[name]), name))


def documented(thing: Any, module: str, origin: str | None) -> bool:
    if isinstance(thing, types.ModuleType) or not callable(thing):
        return False
    home = getattr(thing, "__module__", "")
    return home == origin if origin else home.startswith(("nnlib", "course"))


def place(thing: Any) -> tuple[str, int]:
    """Where a function or class is written: its module and the line."""
    home = getattr(thing, "__module__", "")
    try:
        return home, inspect.getsourcelines(thing)[1]
    except (OSError, TypeError):
        return home, 0


def asked_for(text: str) -> list[tuple[str, list[str]]]:
    """What a page's `public` directives list: modules with their names."""
    found = re.finditer(r"^\.\. public:: (\S+)\n((?: +:.*\n?)*)", text, re.MULTILINE)
    blocks = []
    for match in found:
        options = dict(re.findall(r":(\w+): (.*)", match[2]))
        without = options.get("without", "").split()
        names = [n for n in public_names(match[1], options.get("from")) if n not in without]
        blocks.append((match[1], names))
    return blocks


def methods(cls: type, origin: str = "") -> Iterator[str]:
    """The public methods and properties that a class documents.

    Those that its body defines; with `origin`, those that are functions of modules named so.
    """
    for name, thing in vars(cls).items():
        function = getattr(thing, "__func__", getattr(thing, "fget", thing))
        if name.startswith("_") or not inspect.isfunction(function) or not function.__doc__:
            continue
        own = function.__qualname__.startswith(f"{cls.__name__}.")
        if function.__module__.startswith(origin) if origin else own:
            yield name


class Public(SphinxDirective):
    """`.. public:: module`: an autodoc entry for each public name."""

    required_arguments = 1
    option_spec = {"from": directives.unchanged, "without": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        module = self.arguments[0]
        without = self.options.get("without", "").split()
        names = [n for n in public_names(module, self.options.get("from")) if n not in without]
        if not names:
            raise self.error(f"{module} has no public names {self.options.get('from', '')}")
        lines = [f".. py:currentmodule:: {module}", ""]
        for name in names:
            lines += entry(module, name)
        return self.parse_text_to_nodes(lines)

    def parse_text_to_nodes(self, lines: list[str]) -> list[nodes.Node]:
        holder = nodes.Element()
        holder.document = self.state.document
        source = self.get_source_info()[0]
        self.state.nested_parse(StringList(lines, source), self.content_offset, holder)
        return holder.children


def entry(module: str, name: str) -> list[str]:
    thing = getattr(importlib.import_module(module), name)
    full = f"{module}.{name}"
    if not isinstance(thing, type):
        return [f".. autofunction:: {full}", ""]
    kind = "autoexception" if issubclass(thing, BaseException) else "autoclass"
    members = ", ".join(methods(thing))
    return [f".. {kind}:: {full}", *([f"   :members: {members}"] if members else []), ""]


class Methods(Public):
    """`.. methods:: module.Class`: the functions of a module that are methods too, as links."""

    def run(self) -> list[nodes.Node]:
        module, name = self.arguments[0].rsplit(".", 1)
        cls, origin = getattr(importlib.import_module(module), name), self.options["from"]
        names = sorted(methods(cls, origin))
        if not names:
            raise self.error(f"{name} has no methods from {origin}")
        shown = [f":py:func:`{n} <nnlib.{n}>`" if hasattr(importlib.import_module("nnlib"), n)
                 else f"``{n}``" for n in names]  # fmt: skip
        return self.parse_text_to_nodes([", ".join(shown) + ".", ""])


class Contents(Public):
    """`.. contents-of-reference:: page …`: each page with the names that it holds, as links."""

    required_arguments, final_argument_whitespace = 1, True

    def run(self) -> list[nodes.Node]:
        folder = Path(self.env.doc2path(self.env.docname)).parent
        lines = [".. rst-class:: nn-names", ""]
        for page in self.arguments[0].split():
            self.env.note_dependency(f"reference/{page}.rst")
            names = [
                f":py:obj:`~{module}.{name}`"
                for module, names in asked_for((folder / f"{page}.rst").read_text("utf8"))
                for name in sorted(names, key=str.lower)
            ]
            lines += [f":doc:`{page}`", f"   {' '.join(names)}", ""]
        return self.parse_text_to_nodes(lines)


class QuietPython(PythonDomain):
    """Python's names, which a search lists after the chapters that have the word in their title."""

    def get_objects(self) -> Iterator[tuple[str, str, str, str, str, int]]:
        for *entry, priority in super().get_objects():
            yield (*entry, priority if priority < 0 else 2)


def plain_marks(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list) -> None:
    """A docstring's bars and stars are mathematics, not markup: |x|, a * b; code is left alone."""
    example = False
    for at, line in enumerate(lines):
        example = line.lstrip().startswith(">>>") or (example and bool(line.strip()))
        if not example and not line.startswith("    "):
            parts = re.split(r"(`+[^`]+`+)", line)
            parts[::2] = [re.sub(r"([|*])", r"\\\1", part) for part in parts[::2]]
            lines[at] = "".join(parts)


def setup(app: Sphinx) -> dict:
    app.connect("autodoc-process-docstring", plain_marks, priority=900)
    app.add_domain(QuietPython, override=True)
    app.add_directive("public", Public)
    app.add_directive("methods", Methods)
    app.add_directive("contents-of-reference", Contents)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

"""The pages of the API reference: an entry for each public name of a module, from its docstring.

`.. public:: nnlib.nn` lists the public names of nnlib.nn.  With `:from: nnlib.functions.along` it
lists only those that are defined in that module; `:without:` leaves names out.  So a function is in
the book as soon as its module makes it public.
`.. contents-of-reference:: page …` lists the names of each of these pages as links.
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
    """The module's public functions and classes, in the order of their definitions.

    With `origin`, only those that are defined in the module of that name.
    """
    imported = importlib.import_module(module)
    members = {name: getattr(imported, name) for name in imported.__all__}
    names = [name for name, member in members.items() if is_documented(member, origin)]
    return sorted(names, key=lambda name: (*definition_site(members[name]), name))


def is_documented(member: Any, origin: str | None) -> bool:
    """Whether a member of a module is a function or class of this project, defined in `origin`."""
    if isinstance(member, types.ModuleType) or not callable(member):
        return False
    defined_in = getattr(member, "__module__", "")
    return defined_in == origin if origin else defined_in.startswith(("nnlib", "course"))


def definition_site(member: Any) -> tuple[str, int]:
    """Where a function or class is defined: its module, and the line in that module's file."""
    defined_in = getattr(member, "__module__", "")
    try:
        return defined_in, inspect.getsourcelines(member)[1]
    except (OSError, TypeError):
        return defined_in, 0


def listed_names(text: str) -> list[tuple[str, list[str]]]:
    """The names that a page's `public` directives list, for each directive with its module."""
    matches = re.finditer(r"^\.\. public:: (\S+)\n((?: +:.*\n?)*)", text, re.MULTILINE)
    blocks = []
    for match in matches:
        options = dict(re.findall(r":(\w+): (.*)", match[2]))
        without = options.get("without", "").split()
        names = [n for n in public_names(match[1], options.get("from")) if n not in without]
        blocks.append((match[1], names))
    return blocks


def methods(cls: type, origin: str = "") -> Iterator[str]:
    """The names of the public methods and properties of a class that have a docstring.

    Without `origin`, those that the class body defines.  With it, those that are functions of the
    module or package `origin`, which the class takes as methods.
    """
    for name, member in vars(cls).items():
        function = getattr(member, "__func__", getattr(member, "fget", member))
        if name.startswith("_") or not inspect.isfunction(function) or not function.__doc__:
            continue
        in_class_body = function.__qualname__.startswith(f"{cls.__name__}.")
        if function.__module__.startswith(origin) if origin else in_class_body:
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
            origin = self.options.get("from", "nnlib or course")
            raise self.error(
                f"`public` finds no name in {module}.__all__ that is defined in {origin}; "
                "check the module and the options :from: and :without:"
            )
        lines = [f".. py:currentmodule:: {module}", ""]
        for name in names:
            lines += entry(module, name)
        return self.parse_text_to_nodes(lines)

    def parse_text_to_nodes(self, lines: list[str]) -> list[nodes.Node]:
        parent = nodes.Element()
        parent.document = self.state.document
        source = self.get_source_info()[0]
        self.state.nested_parse(StringList(lines, source), self.content_offset, parent)
        return parent.children


def entry(module: str, name: str) -> list[str]:
    """The autodoc directive, as lines of reStructuredText, for one public name."""
    member = getattr(importlib.import_module(module), name)
    full = f"{module}.{name}"
    if not isinstance(member, type):
        return [f".. autofunction:: {full}", ""]
    directive = "autoexception" if issubclass(member, BaseException) else "autoclass"
    members = ", ".join(methods(member))
    return [f".. {directive}:: {full}", *([f"   :members: {members}"] if members else []), ""]


class Methods(Public):
    """`.. methods:: module.Class`: links to the functions of a module that are also methods."""

    def run(self) -> list[nodes.Node]:
        module, name = self.arguments[0].rsplit(".", 1)
        cls, origin = getattr(importlib.import_module(module), name), self.options["from"]
        names = sorted(methods(cls, origin))
        if not names:
            raise self.error(
                f"`methods` finds no method of {name} that is a function of {origin}; "
                "check the class and the option :from:"
            )
        shown = [f":py:func:`{n} <nnlib.{n}>`" if hasattr(importlib.import_module("nnlib"), n)
                 else f"``{n}``" for n in names]  # fmt: skip
        return self.parse_text_to_nodes([", ".join(shown) + ".", ""])


class Contents(Public):
    """`.. contents-of-reference:: page …`: a link to each page and to each name on it."""

    required_arguments, final_argument_whitespace = 1, True

    def run(self) -> list[nodes.Node]:
        folder = Path(self.env.doc2path(self.env.docname)).parent
        lines = [".. rst-class:: nn-names", ""]
        for page in self.arguments[0].split():
            self.env.note_dependency(f"reference/{page}.rst")
            names = [
                f":py:obj:`~{module}.{name}`"
                for module, names in listed_names((folder / f"{page}.rst").read_text("utf8"))
                for name in sorted(names, key=str.lower)
            ]
            lines += [f":doc:`{page}`", f"   {' '.join(names)}", ""]
        return self.parse_text_to_nodes(lines)


class LowPriorityPythonDomain(PythonDomain):
    """The Python domain, whose objects have a low priority in searches.

    A search lists them after the chapters that have the word in their title.
    """

    def get_objects(self) -> Iterator[tuple[str, str, str, str, str, int]]:
        for *entry, priority in super().get_objects():
            yield (*entry, priority if priority < 0 else 2)


def escape_bars_and_stars(
    app: Sphinx, what: str, name: str, member: Any, options: Any, lines: list
) -> None:
    """Escapes | and * in a docstring's text, where they are mathematics: |x|, a * b.

    Code and doctest examples are left as they are.
    """
    in_example = False
    for number, line in enumerate(lines):
        in_example = line.lstrip().startswith(">>>") or (in_example and bool(line.strip()))
        if not in_example and not line.startswith("    "):
            parts = re.split(r"(`+[^`]+`+)", line)
            parts[::2] = [re.sub(r"([|*])", r"\\\1", part) for part in parts[::2]]
            lines[number] = "".join(parts)


def setup(app: Sphinx) -> dict:
    app.connect("autodoc-process-docstring", escape_bars_and_stars, priority=900)
    app.add_domain(LowPriorityPythonDomain, override=True)
    app.add_directive("public", Public)
    app.add_directive("methods", Methods)
    app.add_directive("contents-of-reference", Contents)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

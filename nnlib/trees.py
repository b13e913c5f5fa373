"""Trees of tensors: tuples, lists, dicts and data classes, flattened and rebuilt.

Functions that take and return many tensors at once (`nnlib.func`, `nnlib.compile`) treat their
arguments as one tree.  The form of a tree is a small hashable description; its leaves are a flat
list.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple


class Form(NamedTuple):
    """The structure of a tree: its type, its keys, the forms of its values; a leaf has no type."""

    kind: type | None = None
    keys: tuple[Any, ...] = ()
    parts: tuple[Form, ...] = ()


LEAF = Form()
_MAPPINGS = (dict, OrderedDict)


def flatten(tree: Any) -> tuple[list[Any], Form]:
    """The leaves of a tree in order, and its form.

    >>> from nnlib import trees
    >>> leaves, form = trees.flatten({"w": 1, "b": [2, (3,)]})
    >>> leaves, trees.build(form, [10, 20, 30])
    ([1, 2, 3], {'w': 10, 'b': [20, (30,)]})
    """
    leaves: list[Any] = []
    return leaves, _form(tree, leaves)


def _form(tree: Any, leaves: list[Any]) -> Form:
    kind = type(tree)
    entries = children(tree)
    if entries is None:
        leaves.append(tree)
        return LEAF
    keys, values = entries
    return Form(kind, keys, tuple([_form(v, leaves) for v in values]))


def children(tree: Any) -> tuple[tuple[Any, ...], list[Any]] | None:
    """The keys and values directly below the root of a tree; None for a leaf."""
    if type(tree) in _MAPPINGS:
        return tuple(tree), list(tree.values())
    if type(tree) in (list, tuple) or (isinstance(tree, tuple) and hasattr(tree, "_fields")):
        return tuple(range(len(tree))), list(tree)
    if is_dataclass(tree) and not isinstance(tree, type):
        names = tuple([f.name for f in fields(tree) if hasattr(tree, f.name)])
        return names, [getattr(tree, n) for n in names]
    return None


def build(form: Form, leaves: Iterable[Any]) -> Any:
    """The tree with this form and these leaves."""
    return _built(form, iter(leaves))


def _built(form: Form, leaves: Iterator[Any]) -> Any:
    kind: Any = form.kind
    if kind is None:
        return next(leaves)
    values = [_built(part, leaves) for part in form.parts]
    if issubclass(kind, dict):
        return kind(zip(form.keys, values, strict=True))
    if hasattr(kind, "__dataclass_fields__"):
        return rebuilt(kind, form.keys, values)
    if hasattr(kind, "_fields"):
        return kind(*values)
    return kind(values)


def rebuilt(kind: type, names: Iterable[str], values: Iterable[Any]) -> Any:
    """An instance of a data class with these fields; its constructor does not run again."""
    instance: Any = object.__new__(kind)
    for name, value in zip(names, values, strict=True):
        object.__setattr__(instance, name, value)
    return instance


def map_leaves(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """The tree with `function` applied to each leaf and the corresponding leaves of `others`.

    Raises ValueError if the trees differ in structure.

    >>> from nnlib import trees
    >>> trees.map_leaves(lambda w, g: w - g, {"w": 3.0}, {"w": 1.0})
    {'w': 2.0}
    """
    leaves, form = flatten(tree)
    columns = [leaves]
    for other in others:
        other_leaves, other_form = flatten(other)
        if other_form != form:
            raise ValueError(
                f"trees must have the same structure: {describe(form)} and {describe(other_form)}"
            )
        columns.append(other_leaves)
    return build(form, [function(*column) for column in zip(*columns, strict=True)])


def paths(form: Form, name: str = "") -> list[str]:
    """The path of each leaf: "[0].weight" or "['w']", after the `name` of the tree."""
    if form.kind is None:
        return [name]
    attribute = is_dataclass(form.kind)
    return [
        path
        for key, part in zip(form.keys, form.parts, strict=True)
        for path in paths(part, f"{name}.{key}" if attribute else f"{name}[{key!r}]")
    ]


def describe(form: Form) -> str:
    """A form in words: "dict(w: leaf, b: leaf)"."""
    if form.kind is None:
        return "leaf"
    named = [f"{k}: {describe(p)}" for k, p in zip(form.keys, form.parts, strict=True)]
    return f"{form.kind.__name__}({', '.join(named)})"


__all__ = ["LEAF", "Form", "build", "children", "describe", "flatten", "map_leaves", "paths",
           "rebuilt"]  # fmt: skip

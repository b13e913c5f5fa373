"""Trees of tensors: tuples, lists, dicts and data classes, flattened and rebuilt.

Functions that take and return many tensors at once (`nnlib.func`, `nnlib.compile`) treat their
arguments as one tree.  The structure of a tree is small and hashable; its leaves are a flat list.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple


class Structure(NamedTuple):
    """The structure of a tree: its type, its keys, the structures of its values.

    A leaf has no type.
    """

    node_type: type | None = None
    keys: tuple[Any, ...] = ()
    children: tuple[Structure, ...] = ()


LEAF = Structure()
_MAPPINGS = (dict, OrderedDict)


def flatten(tree: Any) -> tuple[list[Any], Structure]:
    """The leaves of a tree in order, and its structure.

    >>> from nnlib import trees
    >>> leaves, structure = trees.flatten({"w": 1, "b": [2, (3,)]})
    >>> leaves, trees.build(structure, [10, 20, 30])
    ([1, 2, 3], {'w': 10, 'b': [20, (30,)]})
    """
    leaves: list[Any] = []
    return leaves, _structure(tree, leaves)


def _structure(tree: Any, leaves: list[Any]) -> Structure:
    node_type = type(tree)
    entries = children(tree)
    if entries is None:
        leaves.append(tree)
        return LEAF
    keys, values = entries
    return Structure(node_type, keys, tuple([_structure(v, leaves) for v in values]))


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


def build(structure: Structure, leaves: Iterable[Any]) -> Any:
    """The tree with this structure and these leaves."""
    return _built(structure, iter(leaves))


def _built(structure: Structure, leaves: Iterator[Any]) -> Any:
    node_type: Any = structure.node_type
    if node_type is None:
        return next(leaves)
    values = [_built(child, leaves) for child in structure.children]
    if issubclass(node_type, dict):
        return node_type(zip(structure.keys, values, strict=True))
    if hasattr(node_type, "__dataclass_fields__"):
        return rebuilt(node_type, structure.keys, values)
    if hasattr(node_type, "_fields"):
        return node_type(*values)
    return node_type(values)


def rebuilt(node_type: type, names: Iterable[str], values: Iterable[Any]) -> Any:
    """An instance of a data class with these fields; its constructor does not run again."""
    instance: Any = object.__new__(node_type)
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
    leaves, structure = flatten(tree)
    columns = [leaves]
    for other in others:
        other_leaves, other_structure = flatten(other)
        if other_structure != structure:
            raise ValueError(
                f"trees must have the same structure: {describe(structure)} and "
                f"{describe(other_structure)}"
            )
        columns.append(other_leaves)
    return build(structure, [function(*column) for column in zip(*columns, strict=True)])


def paths(structure: Structure, name: str = "") -> list[str]:
    """The path of each leaf: "[0].weight" or "['w']", after the `name` of the tree."""
    if structure.node_type is None:
        return [name]
    attribute = is_dataclass(structure.node_type)
    return [
        path
        for key, child in zip(structure.keys, structure.children, strict=True)
        for path in paths(child, f"{name}.{key}" if attribute else f"{name}[{key!r}]")
    ]


def describe(structure: Structure) -> str:
    """A structure in words: "dict(w: leaf, b: leaf)"."""
    if structure.node_type is None:
        return "leaf"
    children = zip(structure.keys, structure.children, strict=True)
    named = [f"{key}: {describe(child)}" for key, child in children]
    return f"{structure.node_type.__name__}({', '.join(named)})"


__all__ = ["LEAF", "Structure", "build", "children", "describe", "flatten", "map_leaves", "paths",
           "rebuilt"]  # fmt: skip

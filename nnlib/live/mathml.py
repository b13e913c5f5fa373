r"""Converts LaTeX to a small tree of MathML, with slots for live numbers.

The tree is `[tag, attributes, children…]`, with strings as text and `{"slot": …, "format": …}` as
live numbers; the page builds elements from it, so it never parses markup.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

from nnlib.live.parts import SLOT, Data

TAGS = frozenset(  # the elements of MathML that formulas need
    [
        "math",
        "mrow",
        "mi",
        "mn",
        "mo",
        "mtext",
        "mfrac",
        "msqrt",
        "mroot",
        "msub",
        "msup",
        "msubsup",
        "munder",
        "mover",
        "munderover",
        "mspace",
        "mtable",
        "mtr",
        "mtd",
        "mstyle",
        "mpadded",
        "mphantom",
        "menclose",
    ]
)
_ATTRIBUTES = frozenset(
    [
        "display",
        "mathvariant",
        "stretchy",
        "fence",
        "form",
        "separator",
        "lspace",
        "rspace",
        "width",
        "linethickness",
        "columnalign",
        "accent",
    ]
)


def formula_tree(latex: str) -> list:
    """The tree of a formula; a slot `{name:format}` becomes a dict with its `Data` and format."""
    slots: list[dict[str, Any]] = []

    def placeholder(match: Any) -> str:
        if match[2] is None:
            return match[0]  # braces of LaTeX itself
        slots.append({"slot": Data(match[1]), "format": match[2][1:]})
        return rf"{{\text{{SLOT{len(slots) - 1}Q}}}}"

    with_placeholders = SLOT.sub(placeholder, latex)
    try:
        from latex2mathml.converter import convert
    except ImportError as error:
        raise ImportError(
            "live.formula needs latex2mathml: pip install 'sigmoid-to-sequence[live]'."
        ) from error
    root = ElementTree.fromstring(convert(with_placeholders, display="block"))
    return _tree(root, slots)


def _tree(element: ElementTree.Element, slots: list[dict]) -> Any:
    tag = element.tag.rsplit("}", 1)[-1]
    content = "".join(element.itertext())
    if content.startswith("SLOT") and content.endswith("Q") and content[4:-1].isdigit():
        return slots[int(content[4:-1])]
    if tag not in TAGS:
        raise ValueError(f"live.formula cannot show <{tag}> (from {content!r}).")
    attributes = {k: v for k, v in element.attrib.items() if k in _ATTRIBUTES}
    children: list = [element.text] if element.text and element.text.strip() else []
    if tag in ("mo", "mtext", "mi") and element.text and not children:
        children = [element.text]
    children += [_tree(child, slots) for child in element]
    return [tag, attributes, *children]

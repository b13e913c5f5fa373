"""Generates the page's types and docs/view-schema.md from nnlib/live/view.schema.json.

python tools/make_grammar.py            writes them
python tools/make_grammar.py --check    exit 1 if a file differs from what the schema gives
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import generated

from nnlib.live import schema

ROOT = Path(__file__).resolve().parent.parent
TYPES = ROOT / "frontend" / "figures" / "src" / "grammar.ts"
PAGE = ROOT / "docs" / "view-schema.md"
FAMILIES = ("mark", "view", "input")
# In TypeScript these types have the schema's name; all others have "Spec" appended.
UNCHANGED_NAMES = (
    "live", "fixed", "ref", "scalar", "numbers", "shape", "slot", "words", "names", "limits",
    "color", "colors", "drag", "graph", "tree", "cell_labels", "programs", "pool",
)  # fmt: skip
PRIMITIVE_TYPES = {
    "string": "string", "number": "number", "integer": "number", "boolean": "boolean",
    "null": "null",
}  # fmt: skip
TYPE_NAMES = {"string": "text", "boolean": "true or false"}

TYPES_HEAD = """\
// The types of what Python sends, generated from view.schema.json by tools/make_grammar.py.
"""
PAGE_HEAD = """\
# The grammar of figures as JSON (`nnlib.live`, version 1)

This is what Python sends to the page for a figure: its inputs, its recorded programs (see [the
graph's schema](graph-schema.md)) and its view. Its definition is the JSON Schema
`nnlib/live/view.schema.json`, against which Python checks each figure when the figure is made.
`python tools/make_grammar.py` generates the page's types (`frontend/figures/src/grammar.ts`) and
this document from the schema.

- A field in *italics* is optional; all others are required.
- A `ref` refers to numbers or contains them: `{"ref": "W1", "at": [1, null]}` refers to an input,
  an output or a value that the page keeps; `{"shape": [2], "data": [0.5, "NaN"]}` contains them.
- A program that reads figures refuses a `format` or a `version` that it does not know, and a `kind`
  or `control` that is not listed here.
"""


def type_name(name: str) -> str:
    """A definition's name in TypeScript."""
    words = "".join(word.capitalize() for word in name.split("_"))
    return words if name in UNCHANGED_NAMES else f"{words}Spec"


def referenced_name(node: Mapping[str, Any]) -> str:
    return node["$ref"].rsplit("/", 1)[-1]


def typescript_type(node: Mapping[str, Any]) -> str:
    """The TypeScript type of a schema."""
    if "$ref" in node:
        return type_name(referenced_name(node))
    if "anyOf" in node:
        return " | ".join(typescript_type(option) for option in node["anyOf"])
    if "const" in node or "enum" in node:
        values = node.get("enum", [node.get("const")])
        return " | ".join(json.dumps(v, ensure_ascii=False) for v in values)
    if isinstance(node["type"], list):
        return " | ".join(PRIMITIVE_TYPES[t] for t in node["type"])
    if node["type"] == "array":
        items = typescript_type(node["items"]) if "items" in node else ""
        if "prefixItems" in node:
            first = [typescript_type(item) for item in node["prefixItems"]]
            return f"readonly [{', '.join(first + ([f'...{items}[]'] if items else []))}]"
        return f"readonly ({items})[]" if "|" in items else f"readonly {items}[]"
    if node["type"] == "object":
        if "properties" in node:
            return "{ " + " ".join(members(node)) + " }"
        values = node.get("additionalProperties")
        return f"Readonly<Record<string, {typescript_type(values) if values else 'unknown'}>>"
    return PRIMITIVE_TYPES[node["type"]]


def members(node: Mapping[str, Any]) -> list[str]:
    required = node.get("required", ())
    return [
        f"readonly {name}{'' if name in required else '?'}: {typescript_type(field)};"
        for name, field in node["properties"].items()
    ]


def declaration(name: str, node: Mapping[str, Any]) -> str:
    """A definition in TypeScript."""
    description = f"/** {node['description']} */\n" if "description" in node else ""
    if "properties" in node:
        fields = "".join(f"\n  {member}" for member in members(node))
        return f"{description}export interface {type_name(name)} {{{fields}\n}}\n"
    options = "".join(f"\n  | {typescript_type(option)}" for option in node.get("anyOf", ()))
    return (
        f"{description}export type {type_name(name)} ={options or ' ' + typescript_type(node)};\n"
    )


def types() -> str:
    """frontend/figures/src/grammar.ts."""
    definitions = schema.definitions()
    limits = {
        "inputs": definitions["figure"]["properties"]["inputs"]["maxProperties"],
        "values": definitions["numbers"]["maxItems"],
    }
    bounds = "\n".join(f"export const MAX_{k.upper()} = {v};" for k, v in limits.items())
    return "\n".join(
        [TYPES_HEAD, bounds + "\n", *(declaration(k, v) for k, v in definitions.items())]
    )


def type_text(node: Mapping[str, Any]) -> str:
    """A schema in a cell of a table."""
    if "$ref" in node:
        name = referenced_name(node)
        return f"[{name}](#{name})"
    if "anyOf" in node:
        return " or ".join(type_text(option) for option in node["anyOf"])
    if "const" in node or "enum" in node:
        return ", ".join(f"`{json.dumps(v)}`" for v in node.get("enum", [node.get("const")]))
    if isinstance(node["type"], list):
        return " or ".join(node["type"])
    if node["type"] == "array":
        if "prefixItems" in node:
            rest = [f"{type_text(node['items'])} …"] if "items" in node else []
            return f"[{', '.join([*map(type_text, node['prefixItems']), *rest])}]"
        return f"list of {type_text(node['items'])}"
    if node["type"] == "object":
        if "properties" in node:
            return f"{{{'; '.join(f'{k}: {type_text(v)}' for k, v in node['properties'].items())}}}"
        values = node.get("additionalProperties")
        return f"name → {type_text(values)}" if values else "dict"
    return TYPE_NAMES.get(node["type"], node["type"])


BOUNDS = {
    "minimum": "≥ {}", "exclusiveMinimum": "> {}", "minItems": "at least {}",
    "maxItems": "at most {}", "maxProperties": "at most {}",
}  # fmt: skip


def bounds_text(node: Mapping[str, Any]) -> str:
    if "minItems" in node and node["minItems"] == node.get("maxItems"):
        return "" if "prefixItems" in node else f" (exactly {node['minItems']})"
    bounds = [form.format(f"{node[k]:,}") for k, form in BOUNDS.items() if k in node]
    return f" ({', '.join(bounds)})" if bounds else ""


def rows(node: Mapping[str, Any]) -> list[str]:
    lines = ["| field | holds | |", "|---|---|---|"]
    for name, field in node["properties"].items():
        shown = f"`{name}`" if name in node.get("required", ()) else f"*`{name}`*"
        description = field.get("description", "").replace("|", "\\|")
        lines.append(f"| {shown} | {type_text(field)}{bounds_text(field)} | {description} |")
    return lines


def section(name: str, node: Mapping[str, Any]) -> str:
    """A definition's section of the page."""
    lines = [f"### {name}", node.get("description", ""), ""]
    if "properties" in node:
        return "\n".join([*lines, *rows(node)]) + "\n"
    return "\n".join([*lines, f"{type_text(node)}{bounds_text(node)}".replace("|", "\\|")]) + "\n"


def page() -> str:
    """docs/view-schema.md."""
    definitions = schema.definitions()
    listed = {
        family: [referenced_name(o) for o in definitions[family]["anyOf"]] for family in FAMILIES
    }
    heads = {"mark": "Marks", "view": "Views", "input": "Inputs and their controls"}
    parts = [PAGE_HEAD, "## The figure", section("figure", definitions["figure"])]
    for family in FAMILIES:
        links = [f"[{name}](#{name})" for name in listed[family]]
        description = f"{definitions[family]['description']} One of {', '.join(links)}.\n"
        parts += [f"## {heads[family]}", f"### {family}\n{description}"]
        parts += [section(name, definitions[name]) for name in listed[family]]
    listed_names = {"figure", *FAMILIES, *(n for names in listed.values() for n in names)}
    parts += ["## Parts of marks, views and inputs"]
    parts += [section(name, node) for name, node in definitions.items() if name not in listed_names]
    return "\n".join(parts)


def files() -> dict[Path, str]:
    """The right content of each file."""
    return {TYPES: types(), PAGE: page()}


def main(arguments: list[str] | None = None) -> int:
    return generated.main(files(), ROOT, "the schema", __doc__.splitlines()[0], arguments)


if __name__ == "__main__":
    sys.exit(main())

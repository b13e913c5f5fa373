"""The grammar of figures, `view.schema.json`, and the check of a figure against it.

The schema is the only list of controls, marks and views with their fields, types and limits.  The
page's types (`frontend/figures/src/grammar.ts`) and `docs/view-schema.md` are made from it by
`tools/make_grammar.py`; every figure is checked against it when it is made.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

PATH = Path(__file__).with_name("view.schema.json")
KINDS = ("kind", "control")  # the fields that name the kind of a mark, a view or a control
_WORDS = frozenset(["NaN", "Infinity", "-Infinity"])  # numbers that JSON cannot write as digits
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list, tuple), "string": (str,), "boolean": (bool,),
    "number": (int, float), "integer": (int,), "null": (type(None),),
}  # fmt: skip
_IN_WORDS = {
    "object": "a dict", "array": "a list", "string": "text", "boolean": "True or False",
    "number": "a number", "integer": "a whole number", "null": "None",
}  # fmt: skip

Problem = tuple[tuple[str, ...], str]  # where, and what is wrong there


@cache
def definitions() -> dict[str, dict]:
    """The schema's definitions by name, each with all fields of its base definition written out."""
    stored = json.loads(PATH.read_text("utf8"))["$defs"]
    return {name: _with_base(schema, stored) for name, schema in stored.items()}


def _with_base(schema: dict, stored: dict[str, dict]) -> dict:
    if "properties" not in schema or "$ref" not in schema:
        return schema
    base = stored[schema["$ref"].rsplit("/", 1)[-1]]
    required = [*base.get("required", ()), *schema.get("required", ())]
    properties = {**base["properties"], **schema["properties"]}
    merged = {"properties": properties, "required": required, "additionalProperties": False}
    return schema | merged


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The definition that a schema refers to, or the schema itself."""
    while "$ref" in schema and "properties" not in schema:
        schema = definitions()[schema["$ref"].rsplit("/", 1)[-1]]
    return schema


def kinds(family: str) -> dict[str, dict]:
    """The definitions of a family ("mark", "view" or "input"), by the kind that each describes.

    >>> sorted(kinds("mark"))[:3]
    ['area', 'arrows', 'bars']
    """
    by_kind = {}
    for option in definitions()[family]["anyOf"]:
        schema = dict(resolved(option))
        fields = schema["properties"]
        by_kind[next(fields[k]["const"] for k in KINDS if k in fields)] = schema
    return by_kind


def check(value: Any, name: str = "figure") -> None:
    """Checks that the schema's definition `name` allows a value.

    Raises:
        ValueError: what is wrong, and where.

    >>> check({"kind": "readout", "text": ["p"], "size": "huge"}, "view")
    Traceback (most recent call last):
        ...
    ValueError: readout, size: 'huge' is not one of 'normal', 'large'.
    """
    for where, problem in _problems(value, {"$ref": f"#/$defs/{name}"}, ()):
        raise ValueError(f"{', '.join(where)}: {problem}" if where else problem)


def _problems(value: Any, schema: Mapping[str, Any], where: tuple[str, ...]) -> Iterator[Problem]:
    schema = resolved(schema)
    if "anyOf" in schema:
        yield from _in_any_of(value, schema["anyOf"], where)
    elif "const" in schema or "enum" in schema:
        allowed = schema.get("enum", [schema.get("const")])
        if value not in allowed or isinstance(value, bool) != isinstance(allowed[0], bool):
            listed = ", ".join(repr(v) for v in allowed)
            relation = "not one of" if len(allowed) > 1 else "not"
            yield where, f"{_short(value)} is {relation} {listed}."
    elif not _is_a(value, schema["type"]):
        named = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        yield where, f"{_short(value)} is not {' or '.join(_IN_WORDS[t] for t in named)}."
    elif schema["type"] == "object":
        yield from _in_object(value, schema, where)
    elif schema["type"] == "array":
        yield from _in_list(value, schema, where)
    else:
        yield from _in_scalar(value, schema, where)


def _is_a(value: Any, types: str | list[str]) -> bool:
    for name in [types] if isinstance(types, str) else types:
        if isinstance(value, _TYPES[name]) and (name == "boolean" or not isinstance(value, bool)):
            return True
        if name == "integer" and isinstance(value, float) and value.is_integer():
            return True  # 1000.0 is an integer in JSON Schema
    return False


def _in_scalar(value: Any, schema: Mapping[str, Any], where: tuple[str, ...]) -> Iterator[Problem]:
    if "minimum" in schema and not value >= schema["minimum"]:
        yield where, f"{value!r} is less than {schema['minimum']}."
    if "exclusiveMinimum" in schema and not value > schema["exclusiveMinimum"]:
        yield where, f"{value!r} is not more than {schema['exclusiveMinimum']}."
    if "minLength" in schema and len(value) < schema["minLength"]:
        yield where, "the text is empty."


def _in_object(value: dict, schema: Mapping[str, Any], where: tuple[str, ...]) -> Iterator[Problem]:
    properties = schema.get("properties", {})
    where = (*where, *(str(value[k]) for k in KINDS if k in properties and k in value))
    missing = [k for k in schema.get("required", ()) if k not in value]
    if missing:
        yield where, f"{', '.join(missing)} is missing."
    if not schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", len(value)):
        yield where, f"{len(value)} entries were given, which is too few or too many."
    additional = schema.get("additionalProperties", True)
    for key, entry in value.items():
        if key in properties:
            yield from _problems(entry, properties[key], (*where, key))
        elif additional is False:
            yield where, f"there is no field {key!r}; fields are {', '.join(properties)}."
        elif additional is not True:
            yield from _problems(entry, additional, (*where, key))


def _in_list(value: list, schema: Mapping[str, Any], where: tuple[str, ...]) -> Iterator[Problem]:
    low, high = schema.get("minItems", 0), schema.get("maxItems", len(value))
    if not low <= len(value) <= high:
        yield where, f"{len(value)} entries were given; {low} to {high} are allowed."
    prefix, items = schema.get("prefixItems", []), schema.get("items")
    if items == {"$ref": "#/$defs/scalar"}:  # long lists: no call for each number
        for entry in value:
            if entry.__class__ not in (float, int) and entry not in _WORDS:
                yield where, f"{_short(entry)} is not a number."
                return
        return
    for i, item in enumerate(value):
        item_schema = prefix[i] if i < len(prefix) else items
        if item_schema is not None:
            yield from _problems(
                item, item_schema, where if _has_kind(item) else (*where, f"entry {i}")
            )


def _has_kind(value: Any) -> bool:
    return isinstance(value, dict) and any(k in value for k in KINDS)


def _in_any_of(value: Any, options: list[dict], where: tuple[str, ...]) -> Iterator[Problem]:
    """Yields nothing if one of the options fits; else the problems of the closest option."""
    near_misses: list[list[Problem]] = []
    known: list[str] = []
    for option in map(resolved, options):
        properties = option.get("properties", {})
        kind_field = next((k for k in KINDS if k in properties), None)
        if kind_field and isinstance(value, dict):
            known.append(properties[kind_field]["const"])
            if value.get(kind_field) != known[-1]:
                continue
        problems = list(_problems(value, option, where))
        if not problems:
            return
        near_misses.append(problems)
    if near_misses:
        yield from max(near_misses, key=lambda problems: len(problems[0][0]))
    else:
        kind = next((value[k] for k in KINDS if k in value), None)
        yield where, f"{kind!r} is not one of {', '.join(known)}."


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"

"""Writes the elementwise rows of docs/graph-schema.md from the primitives' entries."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from nnlib.record import Primitive

PAGE = Path(__file__).parents[1] / "docs" / "graph-schema.md"
OWN_ROWS = ("where", "clamp", "cast", "clone")  # they have attributes or other kinds of arguments
BOOLEAN = ("eq", "ne", "lt", "le", "gt", "ge", "isnan", "isinf", "isfinite")


def rows() -> str:
    """The rows of all elementwise primitives, except those of OWN_ROWS."""
    primitives = [p for p in Primitive.registry.values() if p.family == "elementwise"]
    primitives = [p for p in primitives if p.name not in OWN_ROWS]
    groups: dict[tuple[int, str], list[str]] = {}
    for p in primitives:
        result = "boolean" if p.name in BOOLEAN or p.name.startswith("logical") else "number"
        result = "integer" if p.name.startswith("bitwise") else result
        groups.setdefault((p.arity, result), []).append(p.name)
    inputs = {
        (2, "number"): "a, b (B)", (2, "boolean"): "a, b (B) → bool",
        (2, "integer"): "a, b (B): integers or booleans",
        (1, "number"): "x", (1, "boolean"): "x → bool",
    }  # fmt: skip
    lines = [
        f"`{' '.join(groups[key])}` | {description} | |" for key, description in inputs.items()
    ]
    return "\n".join(["| elementwise | " + lines[0], *["| | " + line for line in lines[1:]]])


def main() -> int:
    text = PAGE.read_text("utf8")
    block = re.compile(r"(\| family \|[^\n]*\n\|---[^\n]*\n).*?(?=\n\| \| `where`)", re.S)
    new = block.sub(lambda match: match[1] + rows(), text)
    if "--check" in sys.argv:
        if new != text:
            print("docs/graph-schema.md: run python tools/schema_table.py", file=sys.stderr)
        return int(new != text)
    PAGE.write_text(new, "utf8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Writes the page's colours from nnlib/live/palette.json: two styles, the figures' list of names.

    python tools/make_palette.py            writes them
    python tools/make_palette.py --check    exit 1 if one of them is not what the palette gives
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import generated

from nnlib.live import palette

ROOT = Path(__file__).resolve().parent.parent
BOOK, FIGURES = ROOT / "_static" / "book.css", ROOT / "frontend" / "figures" / "src" / "live.css"
NAMES = ROOT / "frontend" / "figures" / "src" / "palette.ts"
# What a figure's author may name: colours of things, not of the page's own parts.
FOR_AUTHORS = re.compile(
    r"(class|series)\d$|gradient$|weight-(pos|neg)$|ink$|muted$|accent$|paper$"
)


def declarations(colors: dict[str, str], indent: str) -> str:
    return "".join(f"{indent}--nn-{name}: {value};\n" for name, value in sorted(colors.items()))


def blocks(indent: str) -> dict[str, str]:
    """The lines of each block of a style, by the block's name."""
    # Paper is light whatever the screen is, so its block names every colour.
    return {
        "light": declarations(palette.colors("light"), indent),
        "dark": declarations(palette.colors("dark"), indent),
        "print": declarations(palette.colors("print"), 2 * indent),
    }


BLOCK = re.compile(
    r"(?P<begin>^ */\* palette: (?P<name>\w+) .*?\*/\n).*?(?P<end>^ */\* end of palette \*/)",
    re.M | re.S,
)


def styled(css: str) -> str:
    """The style with the palette's values in its blocks."""
    made = blocks("  ")
    return BLOCK.sub(lambda m: m["begin"] + made[m["name"]] + m["end"], css)


def names() -> str:
    known = sorted(name for name in palette.colors() if FOR_AUTHORS.match(name))
    listed = "\n".join(f'  "{name}",' for name in known)
    return (
        "// The colours that a figure's author may name; made by tools/make_palette.py.\n\n"
        f"export const COLOR_NAMES: ReadonlySet<string> = new Set([\n{listed}\n]);\n"
    )


def made() -> dict[Path, str]:
    """What each file should hold."""
    files = {path: styled(path.read_text("utf8")) for path in (BOOK, FIGURES)}
    return files | {NAMES: names()}


def main(arguments: list[str] | None = None) -> int:
    return generated.main(made(), ROOT, "the palette", __doc__.splitlines()[0], arguments)


if __name__ == "__main__":
    sys.exit(main())

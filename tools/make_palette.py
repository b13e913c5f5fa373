"""Writes the colours of nnlib/live/palette.json into two style sheets and a list of names.

python tools/make_palette.py            writes them
python tools/make_palette.py --check    exit 1 if one of them does not match the palette
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
# The colours that a figure's author may use: those of marks, text and background.
FOR_AUTHORS = re.compile(
    r"(class|series)\d$|gradient$|weight-(pos|neg)$|ink$|muted$|accent$|paper$"
)


def declarations(colors: dict[str, str], indent: str) -> str:
    return "".join(f"{indent}--nn-{name}: {value};\n" for name, value in sorted(colors.items()))


def blocks(indent: str) -> dict[str, str]:
    """The lines of each block of a style sheet, by the block's name."""
    # A printed page is light in every theme, so the block for print sets every colour.
    return {
        "light": declarations(palette.colors("light"), indent),
        "dark": declarations(palette.colors("dark"), indent),
        "print": declarations(palette.colors("print"), 2 * indent),
    }


BLOCK = re.compile(
    r"(?P<begin>^ */\* palette: (?P<name>\w+) .*?\*/\n).*?(?P<end>^ */\* end of palette \*/)",
    re.M | re.S,
)


def with_palette(css: str) -> str:
    """The style sheet with the palette's values in its blocks."""
    texts = blocks("  ")
    return BLOCK.sub(lambda m: m["begin"] + texts[m["name"]] + m["end"], css)


def names_module() -> str:
    """The TypeScript module of the names."""
    allowed = sorted(name for name in palette.colors() if FOR_AUTHORS.match(name))
    lines = "\n".join(f'  "{name}",' for name in allowed)
    return (
        "// The colours that a figure's author may name; made by tools/make_palette.py.\n\n"
        f"export const COLOR_NAMES: ReadonlySet<string> = new Set([\n{lines}\n]);\n"
    )


def files() -> dict[Path, str]:
    """The right content of each file."""
    sheets = {path: with_palette(path.read_text("utf8")) for path in (BOOK, FIGURES)}
    return sheets | {NAMES: names_module()}


def main(arguments: list[str] | None = None) -> int:
    return generated.main(files(), ROOT, "the palette", __doc__.splitlines()[0], arguments)


if __name__ == "__main__":
    sys.exit(main())

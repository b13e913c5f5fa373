"""The colours of the book by name, from `palette.json`.

`light` and `dark` are the page's themes.  `print` and `fallback` contain only the colours that
differ from `light`, on paper and in the static pictures of `fallback.py`.  `same` maps a name to
the name of the colour that it shares.  `tools/make_palette.py` writes the page's styles from the
same file.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

THEMES = ("light", "dark", "print", "fallback")


@cache
def _stored() -> dict[str, dict[str, str]]:
    return json.loads(Path(__file__).with_name("palette.json").read_text("utf8"))


def colors(theme: str = "light") -> dict[str, str]:
    """The colours of a theme by name, as `#rrggbb` or `#rgb`.

    Raises:
        ValueError: there is no such theme.
    """
    if theme not in THEMES:
        raise ValueError(f"no theme is called {theme!r}: the palette has {', '.join(THEMES)}")
    stored = _stored()
    values = dict(stored["dark" if theme == "dark" else "light"])
    if theme in ("print", "fallback"):
        values |= stored[theme]
    return {name: values[other] for name, other in stored["same"].items()} | values


def channels(name: str, theme: str = "light") -> tuple[int, int, int]:
    """A colour as red, green and blue from 0 to 255."""
    value = colors(theme)[name].lstrip("#")
    if len(value) == 3:
        value = "".join(2 * digit for digit in value)
    return int(value[0:2], 16), int(value[2:4], 16), int(value[4:6], 16)

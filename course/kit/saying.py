"""Numbers for the prose: computed in a cell, compared with the text, shown by {glue:text}."""

from __future__ import annotations

import re
from typing import Any

from course.kit.mode import mode

# The MIME type of the outputs from which myst-nb takes glued values; Jupyter does not show them.
MIME = "application/papermill.record/"
NAME = re.compile(r"[a-z][a-z0-9-]*")


class NumberDiffers(AssertionError):
    """The text states a number that differs from the one its cell computes."""


def say(name: str, value: Any, format: str = "", *, reads: str) -> None:
    """Makes a number available to the page's prose, which shows it by {glue:text}`name`.

    Args:
        name: lower-case letters, digits and hyphens; used once on a page.
        value: a number, a tensor of one number, or a string.
        format: Python's format, as in `format(value, ".2f")`. The prose shows a minus as U+2212.
        reads: the text that the prose should show, with "-" for minus. A value that reads
            differently stops the build.

    Raises:
        NumberDiffers: the value reads differently and an author or a test runs the chapter. For a
            reader, who may have changed the code, a line is printed instead.
        ValueError: the name has other characters, or the value is not a single number.

    >>> import course
    >>> course.say("third", 1 / 3, ".2f", reads="0.33")
    """
    if not NAME.fullmatch(name):
        raise ValueError(
            f"say: the name {name!r} may only have lower-case letters, digits and hyphens, "
            "and must begin with a letter"
        )
    text = shown(value, format)
    if text != reads:
        problem = f"the text reads {name} = {reads}; this run gives {text}"
        if mode() in ("author", "solved"):
            raise NumberDiffers(problem)
        print(problem)
    publish(name, text.replace("-", "−"))


def shown(value: Any, format: str) -> str:
    """The value as text: tensors and arrays of one number count as that number."""
    if hasattr(value, "item"):
        try:
            value = value.item()
        except (ValueError, RuntimeError, TypeError) as error:
            raise ValueError(
                f"say: the value must be one number or a string, not {value!r}"
            ) from error
    if isinstance(value, float) and format.endswith("d") and value.is_integer():
        value = int(value)
    return f"{value:{format}}"


def publish(name: str, text: str) -> None:
    """Stores the text in the notebook, as myst-nb's glue does; does nothing outside IPython."""
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        return
    if get_ipython() is None:
        return
    record = {"scrapbook": {"name": name, "mime_prefix": MIME}}
    display({f"{MIME}text/plain": repr(text)}, raw=True, metadata=record)

"""Numbers for the prose: computed in a cell, held by an assertion, shown by {glue:text}."""

from __future__ import annotations

import re
from typing import Any

from course.kit.mode import mode

# The kind of output that myst-nb takes glued values from; notebooks show nothing of it.
MIME = "application/papermill.record/"
NAME = re.compile(r"[a-z][a-z0-9-]*")


class SaidOtherwise(AssertionError):
    """The text states a number that its cell does not compute."""


def say(name: str, value: Any, format: str = "", *, reads: str) -> None:
    """Gives the prose of the page a number under `name`; write {glue:text}`name` there.

    Args:
        name: small letters, digits and hyphens; one meaning a page.
        value: a number, a tensor of one number, or a string.
        format: Python's format, as in `format(value, ".2f")`. A minus is set as U+2212.
        reads: what the prose then reads, minus as "-". The build stops where it differs.

    Raises:
        SaidOtherwise: the value reads differently, and authors or tests run the chapter. A reader,
            who may have changed the code, is told instead.
        ValueError: the name cannot be one, or the value is not a single number.

    >>> import course
    >>> course.say("third", 1 / 3, ".2f", reads="0.33")
    """
    if not NAME.fullmatch(name):
        raise ValueError(f"say: {name!r} is not a name; use small letters, digits and hyphens")
    text = shown(value, format)
    if text != reads:
        problem = f"the text reads {name} = {reads}; this run gives {text}"
        if mode() in ("author", "solved"):
            raise SaidOtherwise(problem)
        print(problem)
    publish(name, text.replace("-", "−"))


def shown(value: Any, format: str) -> str:
    """The value as text: tensors and arrays of one number count as that number."""
    if hasattr(value, "item"):
        try:
            value = value.item()
        except (ValueError, RuntimeError, TypeError) as error:
            raise ValueError(f"say: one number is needed, not {value!r}") from error
    if isinstance(value, float) and format.endswith("d") and value.is_integer():
        value = int(value)
    return f"{value:{format}}"


def publish(name: str, text: str) -> None:
    """Leaves the text in the notebook as myst-nb's glue does; nothing outside of IPython."""
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        return
    if get_ipython() is None:
        return
    record = {"scrapbook": {"name": name, "mime_prefix": MIME}}
    display({f"{MIME}text/plain": repr(text)}, raw=True, metadata=record)

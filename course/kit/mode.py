"""The mode in which a chapter runs, from the environment variable NNLIB_COURSE.

- unset or `reader`: nothing stops the notebook;
- `author` (the build, the tests): a number that differs from the text is an error;
- `solved`: every exercise must also be solved;
- `graded`: a submitted notebook is run for points; a check returns its points or raises.
"""

from __future__ import annotations

import os

VARIABLE = "NNLIB_COURSE"


def mode() -> str:
    """The current mode: `reader`, `author`, `solved` or `graded`.

    >>> mode() in ("reader", "author", "solved", "graded")
    True
    """
    setting = os.environ.get(VARIABLE, "reader") or "reader"
    if setting not in ("reader", "author", "solved", "graded"):
        raise ValueError(f"{VARIABLE} is {setting!r}; it must be reader, author, solved or graded")
    return setting

"""Who runs a chapter: a reader, whom nothing may stop, or its authors, whom everything should.

The environment variable NNLIB_COURSE says so: unset for a reader, `author` where a number that the
text states must hold (the build, the tests), `solved` where every exercise must pass as well, and
`graded` where a handed-in notebook is run for points: there a check raises or returns its points.
"""

from __future__ import annotations

import os

NAME = "NNLIB_COURSE"


def mode() -> str:
    """`reader`, `author`, `solved` or `graded`.

    >>> mode() in ("reader", "author", "solved", "graded")
    True
    """
    said = os.environ.get(NAME, "reader") or "reader"
    if said not in ("reader", "author", "solved", "graded"):
        raise ValueError(f"{NAME} is {said!r}; it may be reader, author, solved or graded")
    return said

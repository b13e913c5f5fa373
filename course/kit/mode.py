"""Who runs a chapter: a reader, whom nothing may stop, or its authors, whom everything should.

The environment variable NNLIB_COURSE says so: unset for a reader, `author` where a number that the
text states must hold (the build, the tests), `solved` where every exercise must pass as well.
"""

from __future__ import annotations

import os

NAME = "NNLIB_COURSE"


def mode() -> str:
    """`reader`, `author` or `solved`.

    >>> mode() in ("reader", "author", "solved")
    True
    """
    said = os.environ.get(NAME, "reader") or "reader"
    if said not in ("reader", "author", "solved"):
        raise ValueError(f"{NAME} is {said!r}; it may be reader, author or solved")
    return said

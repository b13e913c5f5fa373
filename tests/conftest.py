"""What all tests share: Hypothesis gives the same examples in every run.

The search for new failures is a command of its own, `make fuzz`.  It asks for the profile "search",
which has fresh seeds, and more examples than the tests name themselves.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "repeatable")

settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
settings.register_profile(
    "search", derandomize=False, database=None, deadline=None, print_blob=True,
    max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "300")),
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
settings.load_profile(PROFILE)

# Their failures print the values that were compared, as a test module's do.
pytest.register_assert_rewrite("tests.nnlib.alike", "tests.nnlib.comparisons")


# Fixtures that take long to set up, and the folders of the tests that use them: the built book, a
# whole chapter, a browser with a figure.
SLOW_FIXTURES = {"site": "tests/book/", "chapter": "tests/chapters/", "shown": "tests/chapters/"}


@pytest.hookimpl(tryfirst=True)  # before -m selects
def pytest_collection_modifyitems(items: list) -> None:
    """Runs long files first, and marks the tests with slow fixtures as slow.

    A search ignores the numbers of examples that tests request.
    """
    items.sort(key=lambda item: position_of(item.nodeid))
    for item in items:
        needed = SLOW_FIXTURES.keys() & set(getattr(item, "fixturenames", ()))
        if any(item.nodeid.startswith(SLOW_FIXTURES[name]) for name in needed):
            item.add_marker(pytest.mark.slow)
    if PROFILE != "search":
        return
    for item in items:
        test = getattr(item, "obj", None)
        if hasattr(test, "hypothesis"):
            test._hypothesis_internal_use_settings = settings.get_profile("search")


# Per module: a process runs one playwright at a time.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A running Chromium."""
    from tools.browser import launched  # the page's Python has these tests too, and no browser

    with launched() as chromium:
        yield chromium


CHAPTERS_IN_THEIR_PAGES = "tests/book/test_run_chapters.py"
# The files that take longest: if one of them began last, everything else would wait for it.
LONGEST = (
    CHAPTERS_IN_THEIR_PAGES, "tests/book/test_figures_in_pages.py", "tests/book/test_pages.py",
    "tests/engines/", "tests/live/test_controls.py", "tests/book/test_lite.py",
    "tests/book/test_run", "tests/python/", "tests/book/", "chapters/", "tests/chapters/",
)  # fmt: skip


def position_of(nodeid: str) -> int:
    return next((i for i, start in enumerate(LONGEST) if nodeid.startswith(start)), len(LONGEST))


@pytest.hookimpl(optionalhook=True)  # in the page's Python there is no xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Keeps a file's tests in one process, except for chapters that run in their pages."""
    from xdist.scheduler import LoadFileScheduling

    class LongestFirst(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            alone = nodeid.startswith(CHAPTERS_IN_THEIR_PAGES)
            return nodeid if alone else super()._split_scope(nodeid)

    if config.getoption("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False  # the order is that of the items
    return LongestFirst(config, log)

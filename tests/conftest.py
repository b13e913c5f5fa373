"""What all tests share: Hypothesis gives the same examples in every run.

The search for new failures is a command of its own, `make fuzz`.  It asks for the profile "search",
which has fresh seeds, and more examples than the tests name themselves.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "repeatable")

settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
settings.register_profile(
    "search", derandomize=False, database=None, deadline=None, print_blob=True,
    max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "300")),
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
settings.load_profile(PROFILE)


def pytest_collection_modifyitems(items: list) -> None:
    """In a search the numbers of examples that tests ask for do not hold."""
    if PROFILE != "search":
        return
    for item in items:
        test = getattr(item, "obj", None)
        if hasattr(test, "hypothesis"):
            test._hypothesis_internal_use_settings = settings.get_profile("search")

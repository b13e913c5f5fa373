"""The bundles of the page's Python were built from the sources here (checked without Node)."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from tests.bundles import hash_of_sources

ROOT = Path(__file__).resolve().parents[2]
BUNDLES = ROOT / "_ext" / "built"
SCRIPTS = ("run.js", "runner.js", "worker.js", "sw.js")


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_bundle_is_built_from_these_sources(name: str) -> None:
    head = (BUNDLES / name).read_text("utf8")[:400]
    stamp = re.search(r"sources sha256 ([0-9a-f]{64})", head)
    assert stamp, f"{name} has no hash of its sources: run `make frontend`"
    assert stamp[1] == hash_of_sources("python"), (
        f"_ext/built/{name} is older than frontend/python: run `make frontend` and commit it"
    )


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_bundle_evaluates_no_strings_and_sets_no_html(name: str) -> None:
    code = (BUNDLES / name).read_text("utf8")
    assert not re.search(r"\beval\(|\bnew Function\b|[^.\w]Function\(|innerHTML", code)


def test_a_page_loads_little_before_its_code_runs() -> None:
    sizes = {name: len(gzip.compress((BUNDLES / name).read_bytes(), 9)) for name in SCRIPTS}
    assert sizes["run.js"] < 2_500, "every page loads the button"
    assert sum(sizes.values()) < 160_000, sizes

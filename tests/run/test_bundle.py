"""The bundles of the page's Python come from the sources beside them (seen without Node)."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "frontend" / "run"
BUNDLES = ROOT / "_ext" / "run"
SCRIPTS = ("run.js", "runner.js", "worker.js", "sw.js")


def hash_of_sources() -> str:
    """sha256 over `name NUL length NUL bytes` of every source, as build.mjs computes it."""
    names = [p.relative_to(SOURCES).as_posix() for p in (SOURCES / "src").rglob("*") if p.is_file()]
    digest = hashlib.sha256()
    for name in sorted([*names, "package-lock.json", "build.mjs"], key=str.encode):
        data = (SOURCES / name).read_bytes()
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_bundle_is_built_from_these_sources(name: str) -> None:
    head = (BUNDLES / name).read_text("utf8")[:400]
    stamp = re.search(r"sources sha256 ([0-9a-f]{64})", head)
    assert stamp, f"{name} carries no hash of its sources: run `make frontend`"
    assert stamp[1] == hash_of_sources(), (
        f"_ext/run/{name} is older than frontend/run: run `make frontend` and commit the bundles"
    )


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((SOURCES / "package-lock.json").read_text("utf8"))
    assert not [name for name, entry in lock["packages"].items() if "resolved" in entry]


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_bundle_evaluates_no_strings(name: str) -> None:
    code = (BUNDLES / name).read_text("utf8")
    assert not re.search(r"\beval\(|\bnew Function\b|[^.\w]Function\(|innerHTML", code)


def test_a_page_carries_little_until_its_code_runs() -> None:
    sizes = {name: len(gzip.compress((BUNDLES / name).read_bytes(), 9)) for name in SCRIPTS}
    assert sizes["run.js"] < 2_500, "every page loads the button"
    assert sum(sizes.values()) < 160_000, sizes

"""The shipped bundle was built from the sources here (checked without Node)."""

import re
from pathlib import Path

from tests.bundles import FRONTEND, hash_of_sources

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "nnlib" / "live" / "static" / "live.js"


def test_the_bundle_is_built_from_these_sources():
    stamp = re.search(r"sources sha256 ([0-9a-f]{64})", BUNDLE.read_text(encoding="utf-8")[:400])
    assert stamp, f"{BUNDLE} has no hash of its sources: run `make frontend`"
    assert stamp[1] == hash_of_sources("figures"), (
        "nnlib/live/static/live.js is older than frontend/figures: run `make frontend` and commit the bundle"
    )


def test_the_lock_file_names_no_registry():
    assert '"resolved": "http' not in (FRONTEND / "package-lock.json").read_text(encoding="utf-8")


def test_the_bundle_evaluates_no_strings():
    code = BUNDLE.read_text(encoding="utf-8")
    assert not re.search(r"\beval\(|\bnew Function\b|[^.\w]Function\(", code)


def test_the_compressed_bundle_is_smaller_than_120_kb():
    import gzip

    size = len(gzip.compress(BUNDLE.read_bytes(), 9))
    assert size < 120_000, f"live.js is {size} bytes gzipped; the limit is 120 kB"

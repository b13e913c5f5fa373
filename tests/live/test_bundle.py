"""The shipped bundle was built from the sources beside it (checked without Node)."""

import hashlib
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FRONTEND = ROOT / "frontend"
BUNDLE = ROOT / "nnlib" / "live" / "static" / "live.js"


def hash_of_sources() -> str:
    """sha256 over `name NUL length NUL bytes` of every source, as frontend/build.mjs computes it."""
    names = [
        p.relative_to(FRONTEND).as_posix() for p in (FRONTEND / "src").rglob("*") if p.is_file()
    ]
    digest = hashlib.sha256()
    for name in sorted([*names, "package-lock.json", "build.mjs"], key=str.encode):
        data = (FRONTEND / name).read_bytes()
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()


def test_bundle_is_built_from_these_sources():
    stamp = re.search(r"sources sha256 ([0-9a-f]{64})", BUNDLE.read_text(encoding="utf-8")[:400])
    assert stamp, f"{BUNDLE} carries no hash of its sources: run `make frontend`"
    assert stamp[1] == hash_of_sources(), (
        "nnlib/live/static/live.js is older than frontend/: run `make frontend` and commit the bundle"
    )


def test_lock_file_names_no_registry():
    assert '"resolved"' not in (FRONTEND / "package-lock.json").read_text(encoding="utf-8")


def test_bundle_evaluates_no_strings():
    code = BUNDLE.read_text(encoding="utf-8")
    assert not re.search(r"\beval\(|\bnew Function\b|[^.\w]Function\(", code)


def test_bundle_fits_its_budget():
    import gzip

    size = len(gzip.compress(BUNDLE.read_bytes(), 9))
    assert size < 120_000, f"live.js is {size} bytes gzipped; the goal is 120 kB"

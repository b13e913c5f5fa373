"""The hash of frontend/'s sources with which the bundles built from them are stamped."""

from __future__ import annotations

import hashlib
from pathlib import Path

FRONTEND = Path(__file__).resolve().parents[1] / "frontend"


def hash_of_sources(workspace: str) -> str:
    """sha256 over `name NUL length NUL bytes` of every source, as sources.mjs computes it."""
    files = [p for p in (FRONTEND / workspace / "src").rglob("*") if p.is_file()]
    names = [p.relative_to(FRONTEND).as_posix() for p in files]
    names += [f"{workspace}/build.mjs", "package-lock.json", "sources.mjs"]
    digest = hashlib.sha256()
    for name in sorted(names, key=str.encode):
        data = (FRONTEND / name).read_bytes()
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()

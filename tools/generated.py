"""Writes files that are generated from others, or checks that they match their source."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path


def main(
    files: Mapping[Path, str], root: Path, source: str, about: str, arguments: list[str] | None
) -> int:
    """Writes the stale files below `root`; with --check it prints their names and returns 1."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args(arguments).check
    stale = [p for p, text in files.items() if not p.is_file() or p.read_text("utf8") != text]
    for path in stale:
        print(f"{path.relative_to(root)} {f'does not match {source}' if check else 'written'}")
        if not check:
            path.write_text(files[path], "utf8")
    return 1 if check and stale else 0

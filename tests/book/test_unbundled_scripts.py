"""The scripts that are not bundled (the site's, the printed book's) use only names that exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TSC = ROOT / "frontend" / "node_modules" / ".bin" / "tsc"
SCRIPTS = sorted([*ROOT.glob("_ext/*.js"), *ROOT.glob("_ext/lite/*.js"),
                  *ROOT.glob("tools/printing/*.js")])  # fmt: skip
OPTIONS = ("--ignoreConfig", "--allowJs", "--checkJs", "--noEmit", "--target", "es2022",
           "--lib", "es2022,dom,dom.iterable", "--strict", "false",
           "--moduleDetection", "force")  # fmt: skip
UNKNOWN_NAME = re.compile(r"error (TS2304|TS2552|TS2451|TS2300): (.+)")
OF_WORKERS = "Cannot find name 'importScripts'."


def unknown_names(scripts: list[Path]) -> list[str]:
    command = [str(TSC), *OPTIONS, *map(str, scripts)]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout
    assert "TS5112" not in output and "TS6053" not in output, output
    return [match[2] for match in UNKNOWN_NAME.finditer(output) if match[2] != OF_WORKERS]


@pytest.mark.skipif(not TSC.exists(), reason="TypeScript is not installed: cd frontend && npm ci")
def test_unbundled_scripts_use_only_names_that_are_declared(tmp_path: Path) -> None:
    assert len(SCRIPTS) > 8
    assert unknown_names(SCRIPTS) == []
    wrong = tmp_path / "wrong.js"
    wrong.write_text("const answerAs = () => 1;\nanswer();\n")
    assert len(unknown_names([wrong])) == 1

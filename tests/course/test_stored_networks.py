"""The list of stored networks and results names the command that writes each of them."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from tools import train_models

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = ROOT / "course" / "networks" / "weights"
ROW = re.compile(r"^\| `([\w.]+)` \| .+ \| `python ([^`]+)` \|$", re.M)
WRITTEN = dict(ROW.findall((WEIGHTS / "README.md").read_text("utf8")))


def test_every_stored_file_has_its_row() -> None:
    assert set(WRITTEN) == {path.name for path in WEIGHTS.iterdir()} - {"README.md"}


@pytest.mark.parametrize("name", WRITTEN)
def test_the_command_of_a_row_exists_and_names_its_file(name: str) -> None:
    program, *rest = WRITTEN[name].split()
    if program == "-m":
        spec = importlib.util.find_spec(rest[0])
        assert spec is not None and spec.origin is not None
        assert name in Path(spec.origin).read_text("utf8")
    else:
        assert ROOT / program == Path(train_models.__file__)
        assert rest == [name.removesuffix(".npz")] and rest[0] in train_models.GROUPS

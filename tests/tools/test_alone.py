"""One make runs at a time; another one gets a message."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import alone
import pytest

from tests.book.harness import ROOT

PYTHON = [sys.executable, "-c"]


@pytest.fixture(autouse=True)
def own_lock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(alone, "LOCK", tmp_path / ".cache" / "make.lock")


def test_the_commands_exit_status_is_returned() -> None:
    assert [alone.main([*PYTHON, f"raise SystemExit({n})"]) for n in (0, 3)] == [0, 3]


def test_a_second_make_stops_with_a_message_that_the_first_is_running(
    capsys, tmp_path: Path
) -> None:
    hold = """if True:
        import alone, pathlib, sys
        alone.LOCK = pathlib.Path(sys.argv[1])
        started = f"open({sys.argv[2]!r}, 'w'); import time; time.sleep(20)"
        alone.main([sys.executable, "-c", started])
    """
    started = tmp_path / "started"  # until the command has started, it inherits the lock
    first = subprocess.Popen([*PYTHON, hold, alone.LOCK, started], cwd=ROOT / "tools")
    while not started.exists():
        time.sleep(0.02)
    assert alone.main([*PYTHON, ""]) == 1
    assert f"running in this folder (process {first.pid}, since" in capsys.readouterr().err
    first.kill()
    first.wait()
    assert alone.main([*PYTHON, ""]) == 0, "a lock outlived its process"


def test_a_folder_that_cannot_be_written_to_is_named(monkeypatch, capsys) -> None:
    monkeypatch.setattr(alone, "LOCK", Path("/proc/nowhere/make.lock"))
    assert alone.main([*PYTHON, ""]) == 1
    assert "copy it to a folder of your own" in capsys.readouterr().err


def test_make_refuses_an_older_make_and_takes_the_lock() -> None:
    run = subprocess.run(
        ["make", "-n", "book", "MAKE_VERSION=3.80", "BOOK_ALONE="], cwd=ROOT, capture_output=True,
        text=True,
    )  # fmt: skip
    assert run.returncode and "GNU make 3.81 or newer is needed; this is 3.80" in run.stderr
    for name in ("book", "test", "quick"):
        # Lines with $(MAKE) run under -n too: without MAKE=true this would install npm's packages.
        run = subprocess.run(
            ["make", "-n", name, "BOOK_ALONE=", "MAKE=true"], cwd=ROOT, capture_output=True,
            text=True,
        )  # fmt: skip
        assert "tools/alone.py" in run.stdout, name

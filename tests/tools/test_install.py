"""A missing browser is installed, or named in an error; PyTorch comes without GPU libraries."""

from __future__ import annotations

import subprocess
import urllib.error
from pathlib import Path

import pytest

from tools import browser, install_torch


@pytest.fixture
def without_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BOOK_CHROMIUM", raising=False)
    monkeypatch.setattr(browser, "find", lambda: None)


def test_a_configured_browser_that_does_not_exist_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BOOK_CHROMIUM", "/nowhere/chrome")
    with pytest.raises(browser.NoBrowserError, match="/nowhere/chrome"):
        browser.find()


def test_without_root_rights_the_message_shows_what_to_install(
    without_browser, monkeypatch, capsys
) -> None:
    tried: list[list[str]] = []

    def refuse(command: list[str], **_: object) -> subprocess.CompletedProcess:
        tried.append(command)
        return subprocess.CompletedProcess(command, 1, "", "E: no network")

    monkeypatch.setattr(browser, "as_root", lambda: None)
    monkeypatch.setattr(browser.subprocess, "run", refuse)
    assert browser.main() == 1
    output = capsys.readouterr()
    assert [command[1:] for command in tried] == [["-m", "playwright", "install", "chromium"]]
    assert "about 170 MB" in output.out and "E: no network" in output.out
    assert "make browser" in output.err and "BOOK_CHROMIUM=" in output.err


def test_a_missing_engine_is_named_and_is_an_error_only_if_it_was_requested(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(browser, "find", lambda: "/usr/bin/chromium")
    monkeypatch.setattr(browser, "as_root", lambda: None)
    monkeypatch.setattr(browser, "other_engines", lambda: {"firefox": ["/usr/bin/firefox"]})
    monkeypatch.setenv("BOOK_BROWSERS", "")
    assert browser.main() == 0
    assert capsys.readouterr().out.strip() == (
        "NOTE: the pages are not tested in WebKit, which is not installed."
    )
    monkeypatch.setenv("BOOK_BROWSERS", "webkit")
    assert browser.main() == 1
    assert "webkit2gtk-driver" in capsys.readouterr().err


def test_debians_package_is_tried_first_if_apt_may_install(monkeypatch) -> None:
    monkeypatch.setattr(browser, "as_root", lambda: ["sudo", "-n"])
    monkeypatch.setattr(browser.shutil, "which", lambda name: f"/usr/bin/{name}")
    (message, steps), (next_message, _) = browser.commands()
    assert "Debian" in message
    assert steps[-1][:3] == ["sudo", "-n", "env"] and "chromium" in steps[-1]
    assert "playwright" in next_message


@pytest.mark.parametrize("reachable", [True, False])
def test_pytorchs_own_index_is_used_if_it_is_reachable(reachable, monkeypatch) -> None:
    calls: list[tuple[str, ...]] = []
    monkeypatch.setattr(install_torch, "installed", lambda: None)
    monkeypatch.setattr(install_torch, "reachable", lambda: reachable)
    monkeypatch.setattr(install_torch.sys, "platform", "linux")
    monkeypatch.setattr(install_torch, "pip", lambda *a: calls.append(a) or 0)
    assert install_torch.main() == 0
    assert len(calls) == 1 and (install_torch.CPU_BUILDS in calls[0]) == reachable
    assert calls[0][0] == f"torch=={install_torch.required_version()}"


def test_an_unreachable_index_is_not_an_error(monkeypatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise urllib.error.URLError("no route")

    monkeypatch.setattr(install_torch.urllib.request, "urlopen", refuse)
    assert install_torch.reachable() is False


def test_ci_installs_nothing_itself_and_calls_make_test() -> None:
    root = Path(__file__).resolve().parents[2]
    script = (root / ".ci" / "run").read_text("utf8")
    assert script.rstrip().endswith("exec make test")
    assert "apt-get install -y" not in script

"""Progress that students hand in: exported from notebooks and pages, merged into a table."""

from __future__ import annotations

import csv
import functools
import http.server
import json
import re
from pathlib import Path
from typing import Any

import merge_progress
import pytest

import course
from course.kit import progress
from tools.browser import Server

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "_ext" / "progress.js"


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("NNLIB_PROGRESS", str(tmp_path / "home.json"))
    return tmp_path


def test_a_notebook_exports_what_was_solved_and_when(home: Path) -> None:
    (home / "home.json").write_text('{"solved": ["xor/gain"]}')  # an older file, without times
    progress.remember("xor/majority")
    exported = json.loads(course.export_progress(" Ada ", home / "ada.json").read_text("utf8"))
    assert exported["name"] == "Ada" and set(exported["solved"]) == {"xor/gain", "xor/majority"}
    assert exported["solved"]["xor/gain"] is None
    assert exported["solved"]["xor/majority"].startswith("20") and "+00:00" in exported["exported"]


def test_the_sites_scripts_read_the_keys_that_the_pages_python_writes() -> None:
    store = (ROOT / "frontend" / "python" / "src" / "store.ts").read_text("utf8")
    keys = {name: re.search(rf'const {name} = ("[^"]+")', store)[1] for name in ("SOLVED", "WHEN")}
    assert f"read({keys['SOLVED']}" in SCRIPT.read_text("utf8")
    assert f"read({keys['WHEN']}" in SCRIPT.read_text("utf8")
    assert f"getItem({keys['SOLVED']})" in (ROOT / "_ext" / "site.js").read_text("utf8")


def test_a_name_is_needed(home: Path) -> None:
    with pytest.raises(ValueError, match="whose progress"):
        course.export_progress("  ", home / "x.json")


def write_progress(path: Path, name: str, solved: dict[str, str | None]) -> None:
    content = {"format": progress.FORMAT, "version": 1, "name": name, "solved": solved}
    path.write_text(json.dumps(content), "utf8")


def test_many_files_become_a_table(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    write_progress(tmp_path / "a.json", "Ada", {"xor/gain": "2026-01-02", "xor/majority": None})
    write_progress(tmp_path / "b.json", "Ada", {"xor/gain": "2026-01-01", "made/up": "2026-01-01"})
    write_progress(tmp_path / "c.json", "=Émile", {})
    (tmp_path / "damaged.json").write_text("{")
    (tmp_path / "other.json").write_text("[1]")
    code = merge_progress.main([str(tmp_path), "--csv", str(tmp_path / "t.csv")])
    printed = capsys.readouterr()
    assert code == 1 and "left out: damaged.json" in printed.err and "other.json" in printed.err
    assert [line.split() for line in printed.out.splitlines()[1:3]] == [
        ["=Émile", "0", "0"],
        ["Ada", "2", "4"],
    ]
    rows = {row["name"]: row for row in csv.DictReader((tmp_path / "t.csv").open(encoding="utf8"))}
    assert rows["Ada"]["xor/gain"] == "2026-01-01" and rows["Ada"]["xor/majority"] == "yes"
    assert rows["'=Émile"]["stars"] == "0" and "made/up" not in rows["Ada"]


def test_the_stored_file_is_not_the_one_to_hand_in(home: Path) -> None:
    progress.remember("xor/gain")
    with pytest.raises(merge_progress.FileError, match=r"store progress.*course\.export_progress"):
        merge_progress.read(home / "home.json")


@pytest.mark.slow
def test_a_page_exports_the_same_file_and_sends_nothing(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "progress.js").write_text(SCRIPT.read_text("utf8"), "utf8")
    body = '<article class="bd-article"><span class="nn-solved"></span></article>'
    (tmp_path / "page.html").write_text(
        f'<!doctype html><script defer src="progress.js"></script>{body}'
    )
    page = browser.new_context(accept_downloads=True).new_page()
    urls: list[str] = []
    page.goto((tmp_path / "page.html").as_uri())
    page.on("request", lambda r: urls.append(r.url))
    page.evaluate("""() => {
      localStorage.setItem("nnlib-progress", '["xor/majority", "xor/gain", 3]');
      localStorage.setItem("nnlib-progress-when", '{"xor/gain": "2026-01-02T10:00:00+00:00"}');
    }""")
    page.get_by_label("Your name").fill("Émile B.")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export my progress").click()
    assert download.value.suggested_filename == "progress-émile-b-.json"
    download.value.save_as(tmp_path / "exported.json")
    assert merge_progress.read(tmp_path / "exported.json") == (
        "Émile B.",
        {"xor/gain": "2026-01-02T10:00:00+00:00", "xor/majority": None},
    )
    assert "2 solved exercises. Nothing was sent." in page.locator(".nn-export").inner_text()
    assert [url for url in urls if not url.startswith("blob:")] == []


@pytest.mark.browser
@pytest.mark.parametrize("key", ["click", "Enter"])
@pytest.mark.parametrize(
    ("sandbox", "words"),
    [
        ("allow-scripts", "cannot see what was solved"),
        ("allow-scripts allow-same-origin", "1 solved exercise. Nothing was sent. If no file"),
        ("allow-scripts allow-same-origin allow-downloads", "1 solved exercise. Nothing was sent."),
    ],
)
def test_in_a_sandboxed_frame_the_button_answers_and_offers_a_tab(
    browser: Any, tmp_path: Path, sandbox: str, words: str, key: str
) -> None:
    (tmp_path / "progress.js").write_text(SCRIPT.read_text("utf8"), "utf8")
    (tmp_path / "page.html").write_text(
        '<!doctype html><script defer src="progress.js"></script>'
        '<article class="bd-article"><span class="nn-solved"></span></article>'
    )
    (tmp_path / "school.html").write_text(f'<iframe sandbox="{sandbox}" src="page.html"></iframe>')
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with Server(handler) as server:
        page = browser.new_context(accept_downloads=True).new_page()
        files: list[str] = []
        page.on("download", lambda download: files.append(download.suggested_filename))
        page.goto(f"{server.origin}/page.html")
        page.evaluate("localStorage.setItem('nnlib-progress', '[\"xor/gain\"]')")
        page.goto(f"{server.origin}/school.html")
        frame = page.frame_locator("iframe")
        frame.get_by_label("Your name").fill("Ada")
        if key == "click":
            frame.get_by_role("button", name="Export my progress").click()
        else:
            frame.get_by_label("Your name").press("Enter")
        message = frame.locator(".nn-export")
        message.get_by_role("link").wait_for()
        assert words in message.inner_text()
        link = message.get_by_role("link")
        assert link.get_attribute("href") == f"{server.origin}/page.html"
        assert link.get_attribute("target") == "_blank"
        allowed = "allow-downloads" in sandbox
        if allowed and not files:
            page.wait_for_event("download")
        assert files == (["progress-ada.json"] if allowed else [])
        page.context.close()


@pytest.mark.browser
def test_without_a_name_the_page_asks_for_one(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "progress.js").write_text(SCRIPT.read_text("utf8"), "utf8")
    (tmp_path / "page.html").write_text(
        '<!doctype html><script defer src="progress.js"></script>'
        '<article class="bd-article"><span class="nn-solved"></span></article>'
    )
    page = browser.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    page.get_by_role("button", name="Export my progress").click()
    assert page.locator(".nn-export [role=status]").inner_text() == ""
    assert page.evaluate("document.activeElement.required"), "the empty field must get the focus"
    page.close()

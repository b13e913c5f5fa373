"""The author's page reloads itself: pages carry the script, and the build's time changes."""

from __future__ import annotations

import functools
import http.server
import threading
import urllib.request
from pathlib import Path

import watch


def get(server: http.server.ThreadingHTTPServer, path: str) -> str:
    address = f"http://127.0.0.1:{server.server_address[1]}/{path}"
    with urllib.request.urlopen(address, timeout=10) as answer:
        return answer.read().decode()


def test_pages_ask_for_the_builds_time_and_files_are_left_alone(
    tmp_path: Path, monkeypatch
) -> None:
    (tmp_path / "one.html").write_text("<p>one</p>")
    (tmp_path / "one.css").write_text("p {}")
    handler = functools.partial(watch.ReloadingHandler, directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        page = get(server, "one.html")
        assert page.startswith("<p>one</p>") and "location.reload()" in page
        assert get(server, "one.css") == "p {}"
        before = get(server, "_built")
        monkeypatch.setattr(watch.ReloadingHandler, "built", "later")
        assert (before, get(server, "_built")) == ("0", "later")
    finally:
        server.shutdown()
        server.server_close()


def test_the_small_book_holds_the_chapter_and_the_glossary(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(watch, "OUTPUT", tmp_path / "watch")
    text = watch.small_book("xor").read_text("utf8")
    assert "file: chapters/xor" in text and "file: glossary" in text


def test_a_chapter_that_is_not_there_is_said(capsys) -> None:
    assert watch.main(["no-such-chapter"]) == 1
    assert "no-such-chapter.ipynb is not there" in capsys.readouterr().err

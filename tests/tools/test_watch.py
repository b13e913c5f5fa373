"""The author's page reloads itself: each page has the script, which compares the build's time."""

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


def test_the_small_book_contains_the_chapter_and_the_glossary(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(watch, "OUTPUT", tmp_path / "watch")
    text = watch.small_book("xor").read_text("utf8")
    assert "file: chapters/xor" in text and "file: glossary" in text
    assert "file: reference/bibliography" in text, "without it each citation is a false warning"


FAILED = """\x1b[31mRuntimeError\x1b[39m             Traceback (most recent call last)
Cell In[1], line 6
      4     return nnlib.ones([2, 3]) @ x
----> 6 f(nnlib.ones([2, 3]))

Cell In[1], line 4, in f(x)
----> 4     return nnlib.ones([2, 3]) @ x

RuntimeError: shapes cannot be multiplied (2x3 and 2x3)


The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "jupyter_book/cli/main.py", line 528, in builder_specific_actions
RuntimeError: There was an error in building your book. Look above for the cause.
"""


def test_a_failed_cell_is_shown_last_and_in_few_lines() -> None:
    lines = watch.summary("a long build\n" * 200 + FAILED).splitlines()
    assert lines[-1] == "RuntimeError: shapes cannot be multiplied (2x3 and 2x3)"
    assert "----> 4     return nnlib.ones([2, 3]) @ x" in lines
    assert len(lines) < 10
    assert watch.summary("built\n" * 50 + "no such page").endswith("no such page")


def test_a_chapter_that_does_not_exist_is_named_in_the_error(capsys) -> None:
    assert watch.main(["no-such-chapter"]) == 1
    assert "no-such-chapter.ipynb does not exist" in capsys.readouterr().err

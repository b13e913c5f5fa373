"""The page's kernel on its own: the limit of a cell's output, and the information in errors."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / "frontend" / "python" / "kernel"
PROTOCOL = (ROOT / "frontend" / "python" / "src" / "protocol.ts").read_text("utf8")
LIMIT = int(re.search(r"MAX_OUTPUT = ([\d_]+);", PROTOCOL)[1])  # what the worker passes to connect

# A kernel changes its interpreter, so each run has its own process.
RUN = """
import asyncio, json, sys
sys.path.insert(0, sys.argv[1])
import page_kernel
page_kernel._connect_comms = lambda: None
page_kernel.page_output.pretty = repr
page_kernel.show_pictures = lambda: None
sent, out = [], sys.stdout
page_kernel.connect(sent.append, int(sys.argv[2]))
for number, source in enumerate(json.load(sys.stdin), 1):
    role = sys.argv[3]
    asyncio.run(page_kernel.run(source, f"{role} {number}", role == "example"))
json.dump(sent, out)
"""


def messages_of(*cells: str, limit: int = LIMIT, role: str = "cell") -> list[dict]:
    run = subprocess.run(
        [sys.executable, "-c", RUN, str(PYTHON), str(limit), role],
        input=json.dumps(cells), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def printed(messages: list[dict]) -> str:
    return "".join(m["text"] for m in messages if m["type"] == "stream")


def test_printed_text_is_cut_at_the_limit_but_keeps_its_end() -> None:
    text = printed(messages_of("for i in range(20_000):\n    print('line', i)"))
    assert text.startswith("line 0\nline 1\n") and text.endswith("line 19999\n")
    assert "characters are left out" in text
    assert LIMIT < len(text) < LIMIT + 3_000


def test_the_document_states_the_limit_that_the_worker_sets() -> None:
    document = (ROOT / "docs" / "python.md").read_text("utf8")
    assert f"shows {LIMIT:,} characters of text" in document
    kernel = (PYTHON / "page_output.py").read_text("utf8")
    tail = int(re.search(r"^TAIL_LENGTH = ([\d_]+)", kernel, re.M)[1])
    assert f"the last {tail:,}\ncharacters" in document


def test_both_streams_a_result_and_an_error_share_one_limit() -> None:
    messages = messages_of(
        "import sys\nprint('a' * 600)\nprint('b' * 6000, file=sys.stderr)\n'c' * 9000", limit=1000
    )
    assert printed(messages).count("a") >= 600
    assert printed(messages).count("b") < 2500
    [result] = [m for m in messages if m["type"] == "result"]
    assert "more characters are not shown" in result["data"]["text/plain"]
    assert len(result["data"]["text/plain"]) < 2100
    messages = messages_of("raise ValueError('x' * 9000)", limit=1000)
    [error] = [m for m in messages if m["type"] == "error"]
    assert len(error["message"]) < 2100 and len(error["traceback"]) < 2100


def test_the_next_cell_has_the_whole_limit_again() -> None:
    messages = messages_of("print('a' * 5000)", "print('b' * 900)", limit=1000)
    assert printed(messages).count("b") == 900


def test_an_example_prints_what_pythons_prompt_would_print() -> None:
    session = "x = 2\nx\nfor i in range(2):\n    i + x\nprint('y')\nNone\n{'b': 1}\n_ is not x"
    assert messages_of(session, role="example") == [
        {"type": "stream", "name": "stdout", "text": f"{line}\n"}
        for line in ("2", "2", "3", "y", "{'b': 1}", "True")
    ]


def test_an_error_ends_an_example_and_names_it() -> None:
    *before, error = messages_of("1\nundefined\n3", role="example")
    assert printed(before) == "1\n"
    assert error["kind"] == "NameError" and error["frames"][-1]["cell"] == "example 1"
    [error] = messages_of("open('marks.csv')", role="example")
    assert "Copy the example to run it" in error["hint"] and "notebook" not in error["hint"]


HINTS = {
    "input('name? ')": 'name = "Ada"',
    "import threading\nthreading.Thread(target=print).start()": "one thread",
    "import subprocess\nsubprocess.run(['ls'])": "cannot start other programs",
    "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:1/x')": "open connections",
    "import socket\nsocket.create_connection(('127.0.0.1', 1))": "open connections",
    "open('marks.csv')": "cannot read those on your disk",
}
# The errors that threads and other programs raise in a browser; outside a browser both work.
AS_IN_A_BROWSER = {
    "threading": 'raise RuntimeError("can\'t start new thread")',
    "subprocess": "raise OSError(138, 'emscripten does not support processes.')",
}


@pytest.mark.parametrize("source", HINTS, ids=lambda s: s.split("\n")[0])
def test_an_error_explains_what_a_page_cannot_do_and_what_to_do_instead(source: str) -> None:
    run = next((v for k, v in AS_IN_A_BROWSER.items() if k in source), source)
    [error] = [m for m in messages_of(run) if m["type"] == "error"]
    assert HINTS[source] in error["hint"]
    assert error["frames"][0]["cell"] == "cell 1"


def test_an_error_in_a_cell_shows_the_cells_frames_alone() -> None:
    [error] = [m for m in messages_of("x = 1\ndef f(:\n    pass") if m["type"] == "error"]
    assert [(f.get("cell"), f["line"]) for f in error["frames"]] == [("cell 1", 2)]
    assert error["frames"][0]["code"] == "def f(:"
    messages = messages_of("def f(x):\n    return 1 / x\n\nf(0)")
    [error] = [m for m in messages if m["type"] == "error"]
    assert [(f.get("cell"), f["line"]) for f in error["frames"]] == [("cell 1", 4), ("cell 1", 2)]
    start, end = error["frames"][1]["caret"]
    assert "    return 1 / x"[start:end] == "1 / x"


def test_code_evaluated_from_a_string_is_not_shown_as_a_cell() -> None:
    [error] = [m for m in messages_of("eval('1 +')") if m["type"] == "error"]
    assert [f.get("cell") for f in error["frames"]] == ["cell 1"]

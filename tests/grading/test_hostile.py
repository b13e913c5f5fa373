"""Hostile submissions get the points of their answers, see only their own files, and end."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tools.grading import running, sandbox

pytestmark = pytest.mark.slow
RIGHT = {
    "majority": "majority = (-1.5, 1.0, 1.0, 1.0)",
    "feature": "def feature(x1, x2):\n    return (x1 - x2) ** 2",
    "gain": "from math import log\nsmallest = 2 * log(3)",
}
SPY = """
import json, os, socket
results = {}
def attempt(name, action):
    try:
        results[name] = str(action())[:80]
    except BaseException as error:
        results[name] = None
for path in PATHS:
    attempt(path, lambda: open(path).read() if os.path.isfile(path) else os.listdir(path))
def connect():
    with socket.create_connection(("127.0.0.1", PORT), timeout=2):
        return "connected"
attempt("network", connect)
attempt("write", lambda: open("/book/course/mine.py", "w"))
# the model answer of an exercise, and code of a solution
def solution():
    return __import__("course.kit.exercises").kit.exercises.find("xor/gain").solution
attempt("solution", solution)
attempt("order", lambda: __import__("course.autodiff.engine").autodiff.engine.order(3))
attempt("processes", lambda: [p for p in os.listdir("/proc") if p.isdigit() and int(p) > 50])
attempt("mine", lambda: open("notes.txt", "w").write("mine"))
print(json.dumps(results))
majority = (-1.5, 1.0, 1.0, 1.0)
"""


def states(verdicts: dict) -> dict[str, str]:
    return {name.removeprefix("xor/"): v.state for name, v in verdicts.items()}


def text_of(notebook: Any) -> str:
    return json.dumps([cell.get("outputs") for cell in notebook.cells])


def output_of(notebook: Any, name: str) -> list[Any]:
    (cell,) = [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name]
    return cell.outputs


def test_right_answers_get_their_stars_and_half_right_ones_none(grade_submission: Callable) -> None:
    verdicts, notebook = grade_submission({**RIGHT, "gain": "smallest = 2.2"})
    assert states(verdicts) == {"majority": "right", "feature": "right", "gain": "wrong"}
    assert running.points(verdicts) == 3.0
    shown, result = output_of(notebook, "check-xor-feature")
    assert "✓ feature" in shown.text and result.data["text/plain"] == "2.0"
    assert output_of(notebook, "check-xor-gain")[-1].output_type == "error"


def test_files_network_and_answers_are_out_of_reach(
    grade_submission: Callable, tmp_path: Path
) -> None:
    secret = tmp_path / "classroom" / "source" / "xor.ipynb"
    secret.parent.mkdir(parents=True)
    secret.write_text("the solutions")
    paths = [str(secret), "/etc/passwd", "/etc/shadow", "/root", str(sandbox.ROOT), "/work"]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        spy = SPY.replace("PATHS", repr(paths)).replace("PORT", str(listener.getsockname()[1]))
        listener.settimeout(0.2)
        verdicts, notebook = grade_submission({"majority": spy})
        with pytest.raises(TimeoutError):
            listener.accept()
    results = json.loads(output_of(notebook, "answer-xor-majority")[0]["text"])
    assert results.pop("mine") == "4"  # it can write four characters to its own home
    assert results.pop("processes") in ("[]", None)  # no process but its own
    # the sandbox needs the path to this Python, so a parent folder of it may exist, but is empty
    python = (sandbox.sys.prefix, sandbox.sys.base_prefix)
    visible = {
        k: v
        for k, v in results.items()
        if v is not None and not any(p.startswith(k) for p in python)
    }
    assert visible == {}
    assert "the solutions" not in text_of(notebook)
    assert states(verdicts)["majority"] == "right"  # an attempt to read files costs no points


BOMB = """
import os, signal, time
children = []
try:
    while len(children) < 300:
        child = os.fork()
        if child == 0:
            time.sleep(60)
            os._exit(0)
        children.append(child)
    outcome = "no limit"
except BlockingIOError:
    outcome = "limited"
for child in children:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
print(outcome)
majority = (-1.5, 1.0, 1.0, 1.0)
"""


def test_processes_are_limited_or_the_teacher_is_warned(grade_submission: Callable) -> None:
    """Endless new processes are stopped, unless root grades; then there is a warning."""
    verdicts, notebook = grade_submission({"majority": BOMB})
    limited = output_of(notebook, "answer-xor-majority")[0]["text"].strip() == "limited"
    assert limited or "ordinary user" in (sandbox.weakness() or "")
    assert states(verdicts)["majority"] == "right"


PATCH = """
import course, course.kit.checking as checking, course.kit.wire as wire
course.check = lambda *a: 99.0
checking.judge = lambda e, a: checking.right(e)
checking.Verdict.state = "right"
print("✓ majority: right.")
class Right:
    def __eq__(self, other): return True
    def __repr__(self): return "99.0"
majority = Right()
"""
GUESS = """
import os, socket, json, struct
def ask(name, answer):
    connection = socket.socket(socket.AF_UNIX); connection.settimeout(3)
    try:
        connection.connect(os.environ["NNLIB_JUDGE"])
        data = json.dumps({"do": "judge", "name": name, "answer": answer}).encode()
        connection.sendall(struct.pack(">I", len(data)) + data)
        return connection.recv(200)
    except OSError:
        return b""
    finally:
        connection.close()
replies = [ask("xor/gain", 2 * 1.0986122886681098) for _ in range(5)] + [ask("xor/gain", 2.0)]
print("replies", replies)
smallest = 2.0
"""


def test_patching_the_check_or_asking_the_judge_gains_nothing(grade_submission: Callable) -> None:
    verdicts, notebook = grade_submission(
        {"majority": PATCH, "feature": "feature = 99.0", "gain": GUESS}
    )
    assert running.points(verdicts) == 0.0
    for name in ("majority", "feature", "gain"):
        assert output_of(notebook, f"check-xor-{name}")[-1].output_type == "error"
    printed = output_of(notebook, "answer-xor-gain")[0]["text"]
    assert printed.strip() == f"replies {[b''] * 6}"


def test_endless_loops_and_too_much_memory_end_and_the_rest_is_graded(
    grade_submission: Callable,
) -> None:
    verdicts, notebook = grade_submission(
        {
            "majority": "majority = (-1.5, 1.0, 1.0, 1.0)\nwhile True: pass",
            "feature": "hog = bytearray(6_000_000_000)\ndef feature(a, b): return (a - b) ** 2",
            "gain": RIGHT["gain"],
        },
        seconds=3,
    )
    assert states(verdicts)["gain"] == "right" and states(verdicts)["majority"] == "right"
    assert states(verdicts).get("feature") != "right"
    assert "MemoryError" in text_of(notebook)


def test_an_answer_that_never_returns_is_stopped_too(grade_submission: Callable) -> None:
    endless = "def feature(a, b):\n    while True: pass"
    verdicts, _ = grade_submission({**RIGHT, "feature": endless}, seconds=3)
    assert states(verdicts).get("feature") != "right" and states(verdicts)["gain"] == "right"


def test_a_notebook_that_ignores_interrupts_is_ended(grade_submission: Callable) -> None:
    stubborn = """
import time
def feature(a, b): return (a - b) ** 2
while True:
    try:
        time.sleep(1)
    except KeyboardInterrupt:
        pass"""
    verdicts, _ = grade_submission({**RIGHT, "feature": stubborn}, seconds=2, total_seconds=12)
    assert states(verdicts)["majority"] == "right" and "gain" not in states(verdicts)


@pytest.mark.parametrize(
    "last",
    ["import os; os._exit(0)", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"],
    ids=["exit", "kill"],
)
def test_ending_the_kernel_ends_only_the_students_own_run(
    grade_submission: Callable, last: str
) -> None:
    verdicts, _ = grade_submission({"majority": RIGHT["majority"], "feature": last})
    assert states(verdicts) == {"majority": "right"}


def test_changed_moved_and_deleted_cells_are_restored(grade_submission: Callable) -> None:
    def change(submission: dict) -> None:
        cells = submission["cells"]
        for cell in cells:
            name = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
            if name == "check-xor-majority":
                cell["source"] = "2.0"
            if name == "guard":
                cell["source"] = "import os; os.environ['NNLIB_COURSE'] = 'reader'"
        submission["cells"] = [
            c for c in reversed(cells)
            if c["metadata"].get("nbgrader", {}).get("grade_id") != "check-xor-gain"
        ]  # fmt: skip

    verdicts, notebook = grade_submission({"gain": "smallest = 2.2"}, change=change)
    assert running.points(verdicts) == 0.0 and len(verdicts) == 3
    checks = [c.source for c in notebook.cells if "course.check" in c.source]
    assert len(checks) == 3

"""The judge, outside of the student's process, gives the verdicts of a reader's check."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import nnlib
from course.autodiff.engine import Scalar
from course.kit.checking import JUDGE, NotSolved, check, computed, hand_in, judge
from course.kit.exercises import Exercise, exercises_of, find
from course.kit.wire import Peer, RemoteCallable, WireError
from tools.grading.judge import Judge

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted(p.parent.name.replace("_", "-") for p in (ROOT / "course").glob("*/checks.py"))


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Judge]:
    judge_outside = Judge(tmp_path / "judge.sock")
    monkeypatch.setenv(JUDGE, str(tmp_path / "judge.sock"))
    yield judge_outside
    judge_outside.close()


def judged(outside: Judge, exercise: Exercise, answer: object) -> tuple[str, str]:
    outside.accept(frozenset({exercise.name}))
    outside.verdicts.pop(exercise.name, None)
    hand_in(exercise.name, answer)
    verdict = outside.verdicts[exercise.name]
    return verdict.state, verdict.words


@pytest.mark.slow
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_right_and_wrong_answers_get_the_same_verdicts_as_in_a_notebook(
    outside: Judge, chapter: str
) -> None:
    for exercise in exercises_of(chapter):
        answers = [exercise.solution, ..., *(m.wrong_answer for m in exercise.mistakes[:2])]
        for answer in answers:
            if exercise.kind == "value" and answer is not ...:
                answer = computed(answer)
            if exercise.name == "autodiff/engine" and answer is exercise.solution:
                answer = Scalar  # as a student writes it; the reference makes nnlib's own tensors
            local = judge(exercise, answer)
            assert judged(outside, exercise, answer) == (local.state, local.words), exercise.name


def half_done(x1: object, x2: object) -> object:
    return ...


def test_a_stub_is_blank_for_the_judge_too(outside: Judge) -> None:
    assert judged(outside, find("xor/feature"), half_done)[0] == "blank"


def test_a_detached_answer_is_wrong(outside: Judge) -> None:
    def detached(m):  # the right values, without gradients
        return nnlib.tensor(nnlib.nn.functional.logsigmoid(m.detach()).numpy())

    state, words = judged(outside, find("sigmoid/log-sigmoid"), detached)
    assert state == "wrong" and "no gradient flows" in words


def test_answers_count_only_while_their_cell_runs_and_once(outside: Judge) -> None:
    outside.accept(frozenset())
    with pytest.raises((WireError, OSError)):
        hand_in("xor/majority", (-1.5, 1.0, 1.0, 1.0))
    outside.accept(frozenset({"xor/majority"}))
    hand_in("xor/majority", (0.0, 1.0, 1.0, 1.0))
    with pytest.raises((WireError, OSError)):
        hand_in("xor/majority", (-1.5, 1.0, 1.0, 1.0))
    assert outside.verdicts["xor/majority"].state == "wrong"
    assert "xor/gain" not in outside.verdicts


class Liar:
    """An answer that is equal to everything and converts to a number or array."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = object.__hash__

    def __float__(self) -> float:
        return 1.0

    def __array__(self, *_: object) -> np.ndarray:
        return np.array(2 * np.log(3))

    def detach(self) -> Liar:
        return self

    def numpy(self) -> Liar:
        return self


def test_an_object_that_claims_to_be_right_is_not(outside: Judge) -> None:
    assert judged(outside, find("xor/gain"), Liar())[0] == "wrong"
    assert judged(outside, find("xor/sixteen"), Liar())[0] == "wrong"


@pytest.mark.slow
def test_an_endless_answer_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    judge_with_a_limit = Judge(tmp_path / "judge.sock", seconds=0.5)
    monkeypatch.setenv(JUDGE, str(tmp_path / "judge.sock"))
    judge_with_a_limit.accept(frozenset({"xor/feature"}))
    with pytest.raises((WireError, OSError)):
        hand_in("xor/feature", lambda a, b: time.sleep(1.0))
    assert "took too long" in judge_with_a_limit.verdicts["xor/feature"].words
    judge_with_a_limit.close()


# --- the connection itself ------------------------------------------------------------


def reply_to(outside: Judge, tmp_path: Path, data: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(tmp_path / "judge.sock"))
        connection.sendall(len(data).to_bytes(4, "big") + data)
        connection.settimeout(5)
        return connection.recv(100)


@pytest.mark.parametrize(
    "answer",
    [
        {"array": {"dtype": "object", "shape": [1], "data": ""}},
        {"array": {"dtype": "float64", "shape": [10**9], "data": ""}},
        {"yours": 0},
        {"unknown": 1},
        [1, 2],
    ],
)
def test_values_that_are_not_data_are_refused(
    outside: Judge, tmp_path: Path, answer: object
) -> None:
    outside.accept(frozenset({"xor/gain"}))
    data = json.dumps({"do": "judge", "name": "xor/gain", "answer": answer}).encode()
    assert reply_to(outside, tmp_path, data) == b""
    assert outside.verdicts["xor/gain"].state == "wrong"


@pytest.mark.parametrize("data", [b"not json", b"[" * 100_000, b"{}", b"3"])
def test_malformed_messages_are_refused_and_the_judge_continues(
    outside: Judge, tmp_path: Path, data: bytes
) -> None:
    assert reply_to(outside, tmp_path, data) == b""
    assert judged(outside, find("xor/gain"), 2 * np.log(3))[0] == "right"


def test_the_judges_own_functions_show_their_results_and_nothing_else(outside: Judge) -> None:
    """`descend` is called with functions of the judge: students can call, but not inspect them."""
    attributes = []

    def curious(loss, w, lr, steps):
        assert isinstance(loss, RemoteCallable)
        for name in ("__globals__", "__closure__", "__code__", "__class__"):
            try:
                attributes.append(type(getattr(loss, name)).__name__)
            except AttributeError:
                attributes.append("hidden")
        peer, number = loss._remote
        for name in ("__globals__", "__closure__"):
            try:
                peer.ask({"do": "get", "of": number, "name": name})
                attributes.append("shown")
            except AttributeError:
                attributes.append("hidden")
        return w

    assert judged(outside, find("xor/descend"), curious)[0] == "wrong"
    assert "hidden" in attributes and set(attributes) <= {
        "hidden",
        "type",
    }  # __class__ is the student's own RemoteCallable


def test_gradients_are_sent_over_the_connection() -> None:
    import threading

    student_end, judge_end = socket.socketpair()

    def serve() -> None:
        peer = Peer(judge_end)
        request = peer.receive()
        function = peer.decode(request["answer"], [])
        w = nnlib.tensor([1.0, 2.0], requires_grad=True)
        y = function(w, 3.0)
        (grad,) = nnlib.autograd.grad(y.sum(), [w])
        peer.send({"is": None})
        received.append((y.tolist(), grad.tolist()))

    received: list = []
    thread = threading.Thread(target=serve)
    thread.start()
    peer = Peer(student_end)
    peer.ask({"do": "judge", "answer": peer.encode(lambda w, c: c * w**2, [])})
    thread.join()
    assert received == [([3.0, 12.0], [6.0, 12.0])]


# --- the graded mode, without a judge -------------------------------------------------


def test_graded_checks_raise_or_return_their_points(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("NNLIB_COURSE", "graded")
    monkeypatch.delenv(JUDGE, raising=False)
    assert check("xor/gain", 2 * np.log(3)) == 3.0
    for answer in (..., 2.2):
        with pytest.raises(NotSolved):
            check("xor/gain", answer)
    monkeypatch.setenv("NNLIB_COURSE", "reader")
    assert check("xor/gain", 2.2) is None
    assert "✗" in capsys.readouterr().out

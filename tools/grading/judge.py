"""The judge: a thread outside of the student's process that answers are handed to by a socket.

It takes an answer only while the cell runs that asks for it, and one for each exercise, so that
nothing can be tried out on it. What it finds stays here; the notebook's process is told nothing.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from pathlib import Path

from course.autodiff.checks import Pair
from course.autodiff.engine import Scalar
from course.kit.checking import Verdict, judge
from course.kit.exercises import find
from course.kit.wire import Peer, WireError

SECONDS = 25.0  # for one answer; a cell's own time must be longer
# The judge's own objects that answers are called with, and what of them can be used.
ARITHMETIC = ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "pow", "neg")
SHARED = {
    Pair: frozenset(["value", "slope"]),
    Scalar: frozenset(["value", "grad", "edges", "exp", "log", *(f"__{n}__" for n in ARITHMETIC)]),
}


class Judge:
    """Judges answers that come in by `path`, a socket's name, until it is closed."""

    def __init__(self, path: Path, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self.verdicts: dict[str, Verdict] = {}
        self._asked: frozenset[str] = frozenset()
        self._lock = threading.Lock()
        self._line = socket.socket(socket.AF_UNIX)
        self._line.bind(str(path))
        os.chmod(path, 0o777)
        self._line.listen(4)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def ask(self, names: frozenset[str]) -> None:
        """From now on, answers to these exercises are taken; to none, where there are none."""
        with self._lock:
            self._asked = names

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)
        self._line.close()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._line.accept()
            except OSError:
                return
            with line, contextlib.suppress(WireError, OSError):
                self._hear(line)

    def _hear(self, line: socket.socket) -> None:
        peer = Peer(line, self.seconds, SHARED)
        request = peer.receive()
        name = request.get("name") if isinstance(request, dict) else None
        with self._lock:
            asked = name in self._asked
            self._asked -= {name}
        if not asked or not isinstance(name, str):
            return
        exercise = find(name)
        try:
            self.verdicts[name] = judge(exercise, peer.decode(request.get("answer"), []))
        except WireError as error:
            self.verdicts[name] = Verdict("wrong", f"it could not be judged: {error}.")
            raise
        except Exception as error:  # what a hostile answer makes of a check
            words = f"it could not be judged: {type(error).__name__}: {str(error)[:200]}"
            self.verdicts[name] = Verdict("wrong", words)
        peer.send({"is": None})

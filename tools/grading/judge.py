"""The judge: a thread outside the student's process, which receives answers through a socket.

It accepts one answer to each exercise, and only while the cell with the exercise's check runs, so a
notebook cannot try several answers. The verdicts stay here; the notebook's process never gets them.
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

SECONDS = 25.0  # for one answer; the time limit of a cell must be longer
# The judge's own objects that it passes to answers, and the attributes that answers may use.
ARITHMETIC = ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "pow", "neg")
SHARED = {
    Pair: frozenset(["value", "derivative"]),
    Scalar: frozenset(["value", "grad", "edges", "exp", "log", *(f"__{n}__" for n in ARITHMETIC)]),
}


class Judge:
    """Judges the answers that arrive at the socket `path`, until it is closed."""

    def __init__(self, path: Path, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self.verdicts: dict[str, Verdict] = {}
        self._accepted: frozenset[str] = frozenset()
        self._lock = threading.Lock()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        os.chmod(path, 0o777)
        self._socket.listen(4)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def accept(self, names: frozenset[str]) -> None:
        """From now on, accepts answers to these exercises only (if `names` is empty, to none)."""
        with self._lock:
            self._accepted = names

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, contextlib.suppress(WireError, OSError):
                self._receive(connection)

    def _receive(self, connection: socket.socket) -> None:
        peer = Peer(connection, self.seconds, SHARED)
        request = peer.receive()
        name = request.get("name") if isinstance(request, dict) else None
        with self._lock:
            accepted = name in self._accepted
            self._accepted -= {name}
        if not accepted or not isinstance(name, str):
            return
        exercise = find(name)
        try:
            self.verdicts[name] = judge(exercise, peer.decode(request.get("answer"), []))
        except WireError as error:
            self.verdicts[name] = Verdict("wrong", f"it could not be judged: {error}.")
            raise
        except Exception as error:  # a hostile answer can make a check fail in any way
            message = f"it could not be judged: {type(error).__name__}: {str(error)[:200]}"
            self.verdicts[name] = Verdict("wrong", message)
        peer.send({"is": None})

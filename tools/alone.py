"""Runs a command; prints an error (exit status 1) if another make is running in this folder.

    python tools/alone.py make book

make runs this program first, with whichever Python is installed.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / ".cache" / "make.lock"


def main(command):
    """Runs the command; returns its exit status, or 1 if it could not be started."""
    try:
        LOCK.parent.mkdir(exist_ok=True)
        lock = open(LOCK, "a+", encoding="utf8")  # noqa: SIM115  (held until the end)
    except OSError as error:
        print(
            f"error: this folder cannot be written to ({error.strerror}): copy it to a folder of "
            "your own and run make there",
            file=sys.stderr,
        )
        return 1
    if not acquired(lock):
        lock.seek(0)
        print(
            "error: another make is running in this folder ({}): wait until it has finished, or "
            "stop it".format(lock.read().strip() or "it has just started"),
            file=sys.stderr,
        )
        return 1
    lock.truncate(0)
    lock.write("process {}, since {}".format(os.getpid(), time.strftime("%H:%M")))
    lock.flush()
    try:
        return subprocess.call(command)
    except KeyboardInterrupt:
        return 130


def acquired(lock):
    """Whether the lock could be taken; it is released when this process ends, however that ends."""
    try:
        import fcntl
    except ImportError:  # not a Unix: the user must not start two at once
        return True
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Runs a command while no other make is at work in this folder, else says so (exit 1).

    python tools/alone.py make book

It is the first thing that make runs, with whichever Python is there.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / ".cache" / "make.lock"


def main(command):
    """The command's exit status; 1 where it could not begin."""
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
    if not held(lock):
        lock.seek(0)
        print(
            "error: another make is at work in this folder ({}): wait until it has ended, or end "
            "it".format(lock.read().strip() or "it has just begun"),
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


def held(lock):
    """Whether the lock is ours now; it ends with this process, however that ends."""
    try:
        import fcntl
    except ImportError:  # not a Unix: two at once are the user's own care
        return True
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

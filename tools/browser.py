"""Browsers and a server on this machine, for tests and benchmarks; installs missing browsers.

    python tools/browser.py     finds or installs Chromium, or explains what to do (exit status 1)

BOOK_CHROMIUM names the program to use instead of the one that is found.  Firefox and WebKit are
installed too if apt can do so; without them their tests are skipped with a note.
"""

from __future__ import annotations

import http.server
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
DEBIAN = ("chromium", "fonts-dejavu-core", "fonts-noto-core")
# There is no sandbox, because CI runs as root, and no other machine can be reached.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]


# The other engines, in which some pages are tested: Debian's packages, and how to install them.
OTHER_ENGINES = {
    "firefox": ("firefox-esr",),
    "webkit": ("webkit2gtk-driver", "xvfb"),
}
NAMES_OF = {"firefox": "Firefox", "webkit": "WebKit"}
HOW_TO_INSTALL = {
    name: f"`make browser` installs it if apt can; otherwise install {' and '.join(packages)}"
    for name, packages in OTHER_ENGINES.items()
}


class NoBrowserError(RuntimeError):
    """There is no Chromium, and it could not be installed."""


def find() -> str | None:
    """Chromium's program: BOOK_CHROMIUM, one on the path, or playwright's; None if missing."""
    if program := os.environ.get("BOOK_CHROMIUM"):
        if not shutil.which(program):
            raise NoBrowserError(f"BOOK_CHROMIUM is {program!r}, but there is no such program")
        return shutil.which(program)
    if program := next(filter(None, map(shutil.which, NAMES)), None):
        return program
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        return None
    with sync_playwright() as playwright:
        downloaded = playwright.chromium.executable_path
    return downloaded if Path(downloaded).is_file() else None


def chromium() -> str:
    """The program of Chromium.

    Raises:
        NoBrowserError: there is none; the message explains what to do.
    """
    if program := find():
        return program
    raise NoBrowserError(
        "the pages are tested in Chromium, which is not installed here: `make browser` installs "
        "it; or name your own Chromium or Chrome with BOOK_CHROMIUM=/path/to/chrome"
    )


def other_engines() -> dict[str, list[str]]:
    """The programs that start Firefox and WebKit, for each that is installed."""
    programs = {}
    if firefox := shutil.which("firefox-esr") or shutil.which("firefox"):
        programs["firefox"] = [firefox]
    driver = shutil.which("WebKitWebDriver")
    browser = sorted(Path("/usr").glob("lib*/**/webkit2gtk-4.*/MiniBrowser"))
    if driver and browser and (os.environ.get("DISPLAY") or shutil.which("Xvfb")):
        programs["webkit"] = [driver, str(browser[-1])]
    return programs


@contextmanager
def launched(**options: Any) -> Iterator[Any]:
    """A running Chromium, controlled by playwright and closed at the end."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS, **options)
        try:
            yield browser
        finally:
            browser.close()


class Server:
    """An HTTP server on 127.0.0.1 that runs in a thread until it is closed.

    Args:
        handler: a request handler's class, or a function that makes a handler.
        port: a free one by default.
    """

    def __init__(self, handler: Callable[..., Any], port: int = 0) -> None:
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
        self.port: int = self._server.server_address[1]
        self.origin = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


# --- installation --------------------------------------------------------------------------------


def as_root() -> list[str] | None:
    """The prefix of a command that needs root privileges; None if they are not available."""
    if os.name == "posix" and os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True).returncode == 0:
        return [sudo, "-n"]
    return None


def apt(*packages: str) -> list[list[str]]:
    """The commands that install Debian's packages; an empty list if apt cannot be used."""
    root = as_root()
    if root is None or not shutil.which("apt-get"):
        return []
    command = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    return [[*command, "update"], [*command, "install", "-y", "--no-install-recommends", *packages]]


def commands() -> list[tuple[str, list[list[str]]]]:
    """The ways to install Chromium here, best first: a description and the commands of each."""
    ways = []
    if steps := apt(*DEBIAN):
        ways.append(("Debian's packages of Chromium and two fonts, about 110 MB", steps))
    own = [sys.executable, "-m", "playwright", "install", "chromium"]
    ways.append(("playwright's own Chromium, about 170 MB", [own]))
    return ways


def install() -> bool:
    """Tries each way in turn; returns whether Chromium is installed now."""
    for description, steps in commands():
        print(f"Chromium is missing. Installing {description} …", flush=True)
        # Not all(): an update may fail for one source, and the packages may still be available.
        for step in steps:
            run = subprocess.run(step, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if run.returncode == 0 and find():
            return True
        errors = (run.stderr or "").strip().splitlines()
        print(f"  that did not work: {errors[-1] if errors else f'exit code {run.returncode}'}")
    return False


def install_others() -> None:
    """Installs Debian's Firefox and WebKit if apt can; prints which are still missing.

    Raises:
        NoBrowserError: BOOK_BROWSERS names one that is not installed.
    """
    missing = [name for name in OTHER_ENGINES if name not in other_engines()]
    packages = [package for name in missing for package in OTHER_ENGINES[name]]
    steps = apt(*packages) if packages else []
    if steps:
        print(f"Installing Debian's {', '.join(packages)} (about 120 MB) …", flush=True)
    for step in steps:
        subprocess.run(step, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    requested = os.environ.get("BOOK_BROWSERS", "").split()
    for name in OTHER_ENGINES:
        if name in other_engines():
            continue
        if name in requested:
            raise NoBrowserError(
                f"BOOK_BROWSERS names {name}, which is not installed: {HOW_TO_INSTALL[name]}"
            )
        print(f"NOTE: the pages are not tested in {NAMES_OF[name]}, which is not installed.")


def main() -> int:
    try:
        if find() or install():
            install_others()
            return 0
        chromium()
    except NoBrowserError as error:
        print(f"error: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

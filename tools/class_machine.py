"""Installs the programs that the commands for a class need, where that is possible.

    python tools/class_machine.py sandbox    bubblewrap, in which submitted notebooks run
    python tools/class_machine.py all        also EPUBCheck and the hub's proxy

It prints what could not be installed and what does not work without it; it never fails.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tools.browser import apt, as_root  # noqa: E402
from tools.grading import sandbox  # noqa: E402

PROXY = "configurable-http-proxy"


def run(command: list[str]) -> bool:
    """Runs a command and prints its last line if it fails; returns whether it succeeded."""
    process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if process.returncode:
        lines = process.stdout.strip().splitlines()
        print(f"  {' '.join(command[-3:])}: {lines[-1] if lines else process.returncode}")
    return process.returncode == 0


def install_package(name: str) -> None:
    """Installs a package of Debian or Ubuntu, if apt-get exists and may be used."""
    if shutil.which(name if name != "bubblewrap" else "bwrap"):
        return
    steps = apt(name)
    if steps:
        print(f"installing {name}", flush=True)
    for step in steps:
        run(step)


def allow_namespaces() -> None:
    """Lets the sandbox create user namespaces, which Ubuntu allows only to certain programs."""
    switch = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
    root = as_root()
    if sandbox.reason_unavailable() and switch.exists() and root is not None:
        run([*root, "sysctl", "-w", "kernel.apparmor_restrict_unprivileged_userns=0"])


def main(arguments: list[str] | None = None) -> int:
    target = (arguments or sys.argv[1:] or ["all"])[0]
    install_package("bubblewrap")
    allow_namespaces()
    if (reason := sandbox.reason_unavailable()) is not None:
        print(f"NOTE: no sandbox, so nothing is graded and its tests are skipped: {reason}")
    if target != "all":
        return 0
    install_package("epubcheck")
    if shutil.which("epubcheck") is None:
        print("NOTE: EPUBCheck is missing: the EPUB is written but not checked")
    if shutil.which(PROXY) is None and shutil.which("npm"):
        root = as_root() or []
        run([*root, "npm", "install", "-g", "--no-audit", "--no-fund", f"{PROXY}@5.3.0"])
    if shutil.which(PROXY) is None:
        print(f"NOTE: the hub's proxy is missing: npm install -g {PROXY}@5.3.0")
    return 0


if __name__ == "__main__":
    sys.exit(main())

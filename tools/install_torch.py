"""Installs PyTorch, which tests compare nnlib with: the build without GPU libraries if possible.

    python tools/install_torch.py

On Linux, pip's own choice is the build for GPUs, several gigabytes. So PyTorch's index of CPU
builds is tried first; if it cannot be reached, pip uses its configured index.
"""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.error
import urllib.request
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CPU_BUILDS = "https://download.pytorch.org/whl/cpu"
SECONDS = 5  # to wait for the index


def required_version(project: Path = ROOT / "pyproject.toml") -> str:
    """The version that the tests require."""
    match = re.search(r'"torch==([\d.]+)"', project.read_text("utf8"))
    assert match, f"{project} does not require a version of torch"
    return match[1]


def installed() -> str | None:
    """The installed version without its build's name, or None."""
    try:
        return metadata.version("torch").partition("+")[0]
    except metadata.PackageNotFoundError:
        return None


def reachable(url: str = f"{CPU_BUILDS}/torch/") -> bool:
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def pip(*arguments: str) -> int:
    """Runs `pip install`; returns its exit code."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-q"]
    return subprocess.run([*command, *arguments]).returncode


def main() -> int:
    version = required_version()
    if installed() == version:
        return 0
    requirement = f"torch=={version}"
    if sys.platform == "linux" and reachable():
        print(f"installing PyTorch {version} without GPU libraries (about 200 MB)", flush=True)
        if pip(requirement, "--extra-index-url", CPU_BUILDS) == 0:
            return 0
    size = "gigabytes if it is the GPU build" if sys.platform == "linux" else "about 100 MB"
    print(f"installing PyTorch {version} from pip's own index ({size})", flush=True)
    return pip(requirement)


if __name__ == "__main__":
    sys.exit(main())

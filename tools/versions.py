"""Tests nnlib and the book on each Python that is found, with the oldest and the newest NumPy.

    python tools/versions.py                          every version of VERSIONS that is found
    python tools/versions.py --pythons python3.13     these
    python tools/versions.py --book                   also builds the book on each

For each Python it makes a virtual environment in .cache/versions, installs the package with its
extras, and runs the docstrings' examples, the exercises' checks and, if PyTorch's build without GPU
libraries can be downloaded, the comparisons with PyTorch. It lists the versions not found.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import install_torch

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
FOLDER = ROOT / ".cache" / "versions"
NEEDED = ("pytest>=8", "hypothesis>=6.100", "pyyaml")
ALWAYS = ["--doctest-modules", "nnlib", "tests/course/test_exercises.py"]


def needing_numba() -> list[str]:
    """pytest's options that skip the modules of compiled loops, whose examples need numba."""
    needing = [f"nnlib/graph/lower/{name}.py" for name in ("floats", "loops", "machine")]
    return [f"--ignore={file}" for file in needing if (ROOT / file).is_file()]


def oldest_numpy() -> str:
    """The lower bound that the package states for NumPy."""
    match = re.search(r'dependencies = \["numpy>=([\d.]+)"', (ROOT / "pyproject.toml").read_text())
    assert match
    return match[1]


def interpreter(version: str) -> str | None:
    """A Python of this version: from the path, from pyenv or from uv; None if there is none."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which(f"python{version}")]
    candidates += sorted(map(str, pyenv.glob(f"{version}.*/bin/python")))
    if uv := shutil.which("uv"):
        uv_python = subprocess.run([uv, "python", "find", version], capture_output=True, text=True)
        candidates.append(uv_python.stdout.strip())
    for python in filter(None, candidates):
        command = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        answer = subprocess.run(command, capture_output=True, text=True)
        if answer.stdout.strip() == version:
            return python
    return None


def environment(python: str, version: str) -> Path:
    """A virtual environment of this Python, with the package installed."""
    folder = FOLDER / version
    if not (folder / "done").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([python, "-m", "venv", folder], check=True)
        install(folder, "-e", f"{ROOT}[live,plot]", *NEEDED)
        (folder / "done").touch()
    return folder


def install(folder: Path, *requirements: str) -> None:
    """Installs packages into a virtual environment."""
    pip = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "-q"]
    subprocess.run([*pip, *requirements], check=True)


def run_tests(folder: Path, *arguments: str) -> int:
    """Runs pytest in a virtual environment; returns its exit code."""
    command = [folder / "bin" / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    env = os.environ | {"NNLIB_PROGRESS": "off", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run([*command, *arguments], cwd=ROOT, env=env).returncode


def passes(python: str, version: str, book: bool) -> bool:
    """Whether everything passes on this Python, with both versions of NumPy."""
    folder = environment(python, version)
    with_torch = install_torch.reachable()
    if with_torch:
        torch = f"torch=={install_torch.required_version()}"
        install(folder, torch, "--extra-index-url", install_torch.CPU_BUILDS)
    needing_torch = ["-m", "not browser", "tests/nnlib", "tests/tools/test_fuzz.py"]
    comparisons = needing_torch if with_torch else []
    passed = True
    for numpy in ("--upgrade numpy", f"numpy=={oldest_numpy()}.*"):
        try:
            install(folder, "--only-binary=numpy", *numpy.split())
        except subprocess.CalledProcessError:
            print(f"Python {version}: {numpy} cannot be installed")
            continue
        print(f"Python {version}, {numpy}", flush=True)
        passed &= run_tests(folder, *ALWAYS, *needing_numba(), *comparisons) == 0
    if not with_torch:
        print(f"Python {version}: not compared with PyTorch, whose CPU build cannot be downloaded")
    if book:
        command = ["make", "book", f"PYTHON={python}", f"VENV=.cache/versions/book-{version}"]
        passed &= subprocess.run(command, cwd=ROOT).returncode == 0
    return passed


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pythons", nargs="*", default=[])
    parser.add_argument("--book", action="store_true")
    options = parser.parse_args(arguments)
    wanted = [re.sub(r"^python", "", name) for name in options.pythons] or list(VERSIONS)
    pythons = {version: interpreter(version) for version in wanted}
    results = {v: passes(p, v, options.book) for v, p in pythons.items() if p}
    for version in wanted:
        outcomes = {True: "passes", False: "FAILS", None: "not found here"}
        print(f"Python {version}: {outcomes[results.get(version)]}")
    return 0 if results and all(results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())

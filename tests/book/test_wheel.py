"""The wheel is complete: it works with NumPy alone, and figures work with their extra."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
NAME = "sigmoid-to-sequence"
TRAINS = """
import nnlib
net = nnlib.nn.Linear(2, 1)
optimizer = nnlib.optim.Adam(net.parameters())
((net(nnlib.ones(3, 2)) - 1) ** 2).mean().backward()
optimizer.step()
print(len(nnlib.datasets.penguins()), net.weight.grad.shape)
"""
DRAWS = """
import sys
import course
from nnlib import live
course.check("first-look/shapes", ...)
figure = live.figure(lambda w: {"y": 2 * w}, w=(0.0, 1.0), view=["{y:.1f}"], title="Twice")
figure.save(sys.argv[1])
print(figure.outputs(w=0.5)["y"], "torch" in sys.modules)
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    # Built from a copy, because setuptools would leave a build/ in the tree and use it later.
    sources = tmp_path_factory.mktemp("sources")
    for name in ("nnlib", "course"):
        shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, sources)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "-q"]
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "-w", folder, sources], check=True)
    [built] = folder.glob("*.whl")
    return built


def dependencies_of(name: str, extra: str = "", visited: set[str] | None = None) -> Iterator[str]:
    """The names of a distribution's dependencies, direct and indirect, as installed here."""
    visited = set() if visited is None else visited
    for text in metadata.requires(name) or []:
        dependency = Requirement(text)
        if dependency.marker and not dependency.marker.evaluate({"extra": extra}):
            continue
        if dependency.name.lower() not in visited and dependency.name != NAME:
            visited.add(dependency.name.lower())
            yield dependency.name
            yield from dependencies_of(dependency.name, visited=visited)


def environment(folder: Path, wheel: Path, extra: str = "") -> Path:
    """A folder with the unpacked wheel and its dependencies, and nothing else."""
    folder.mkdir()
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(folder)
    for name in dependencies_of(NAME, extra):
        distribution = metadata.distribution(name)
        parts = [file.parts[0] for file in distribution.files or []]
        tops = {part for part in parts if part not in ("..", ".")}
        for top in tops - {"__pycache__"}:
            source, link = Path(str(distribution.locate_file(top))), folder / top
            if source.exists() and not link.exists():
                link.symlink_to(source)
    return folder


def run(folder: Path, code: str, *arguments: str) -> str:
    """The output of a Python that sees only its standard library and this folder."""
    start = f"import sys; sys.path.insert(0, {str(folder)!r})"
    command = [sys.executable, "-I", "-S", "-c", f"{start}\n{code}", *arguments]
    clean = {"PATH": os.environ["PATH"], "HOME": str(folder), "NNLIB_PROGRESS": "off"}
    done = subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_with_numpy_alone_the_wheel_trains_a_network(wheel: Path, tmp_path: Path) -> None:
    folder = environment(tmp_path / "core", wheel)
    assert not list(folder.glob("anywidget")) and not list(folder.glob("matplotlib"))
    assert run(folder, TRAINS) == "342 nnlib.Size([1, 2])\n"


def test_with_the_extra_the_wheel_checks_and_draws_figures(wheel: Path, tmp_path: Path) -> None:
    folder = environment(tmp_path / "live", wheel, "live")
    page = tmp_path / "twice.html"
    output = run(folder, DRAWS, str(page))
    assert "still blank" in output and output.endswith("1.0 False\n")
    assert "<title>Twice" in page.read_text("utf8")


def test_the_wheel_passes_the_checks_of_a_package_index(wheel: Path) -> None:
    twine = [sys.executable, "-m", "twine", "check", "--strict", wheel]
    done = subprocess.run(twine, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(wheel) as opened:
        files = opened.namelist()
    assert {"nnlib/py.typed", "nnlib/live/static/live.js", "nnlib/datasets/data/LICENCES.md",
            "course/networks/weights/digits.npz"} <= set(files)  # fmt: skip
    tops = {name.partition("/")[0] for name in files if ".dist-info" not in name}
    assert tops == {"nnlib", "course"}

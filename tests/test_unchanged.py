"""`make test` leaves out slow tests that have passed and not changed, and no others."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unchanged import ROOT

TESTS = """
import os
import pytest
from pathlib import Path

SITE = Path(os.environ["BOOK_SITE"])

@pytest.mark.reads("{name}.html")
@pytest.mark.parametrize("name", ["one", "two"])
def test_page(name):
    assert "wrong" not in (SITE / f"{name}.html").read_text()

@pytest.fixture
def site():
    return SITE

def test_site(site):
    pass

def test_always():
    pass
"""
# Makes the plugin work on the small project below instead of on this one.
PLUGIN = """
from pathlib import Path
from tests import unchanged

unchanged.installed = lambda: ["a browser"]
pytest_addoption = unchanged.pytest_addoption

def pytest_configure(config):
    root = Path({root!r})
    hashes = unchanged.Hashes(root, root / "site")
    plugin = unchanged.Unchanged(config, hashes, root / ".cache" / "passed.json")
    config.pluginmanager.register(plugin)
    config.addinivalue_line("markers", "reads: pages")
"""


class Project:
    """A site of two pages with four tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "site").mkdir()
        for name in ("one", "two"):
            self.page(name, "right<link href='a.css'>")
        (folder / "nnlib").mkdir()
        (folder / "nnlib" / "sum.py").write_text("a = 1")
        (folder / "test_pages.py").write_text(TESTS)
        (folder / "plugin.py").write_text(PLUGIN.format(root=str(folder)))

    def page(self, name: str, text: str) -> None:
        (self.folder / "site" / f"{name}.html").write_text(text)

    def run(self, *options: str) -> dict[str, int]:
        """Runs the tests; returns how many passed, failed and were left out."""
        command = [sys.executable, "-m", "pytest", "-p", "plugin", *options, "test_pages.py"]
        paths = f"{self.folder}:{ROOT}:{ROOT / '_ext'}:{ROOT / 'tools'}"
        env = {"PYTHONPATH": paths, "BOOK_SITE": str(self.folder / "site"), "PATH": "/usr/bin:/bin"}
        output = subprocess.run(
            command, cwd=self.folder, env=env, capture_output=True, text=True
        ).stdout
        phrases = {"passed": "passed", "failed": "failed", "left out": "more tests were left out"}
        matches = {name: re.search(rf"(\d+) {phrase}", output) for name, phrase in phrases.items()}
        return {name: int(match[1]) if match else 0 for name, match in matches.items()}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def stored(project: Project) -> dict[str, str]:
    """The tests that have passed, with the hash of what they read."""
    return json.loads((project.folder / ".cache" / "passed.json").read_text("utf8"))


def counts(passed: int, failed: int, left_out: int) -> dict[str, int]:
    return {"passed": passed, "failed": failed, "left out": left_out}


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("-n", "2", "--dist", "loadfile")], ids=["one", "two"])
def test_a_passed_test_is_left_out_until_it_changes(project: Project, options: tuple) -> None:
    assert project.run(*options) == counts(4, 0, 0)
    assert project.run(*options) == counts(1, 0, 3)
    project.page("one", "right<link href='a.css?v=0123abcd'>")
    assert project.run(*options) == counts(1, 0, 3), "Sphinx adds a checksum in the second build"
    project.page("one", "other")
    assert project.run(*options) == counts(3, 0, 1), "only page two is unchanged"
    (project.folder / "nnlib" / "sum.py").write_text("a = 2")
    assert project.run(*options) == counts(4, 0, 0), "code affects every page"
    assert project.run(*options) == counts(1, 0, 3)


@pytest.mark.slow
def test_a_failed_test_runs_until_it_passes(project: Project) -> None:
    project.page("two", "wrong")
    for left_out in (0, 2):
        assert project.run() == counts(3 - left_out, 1, left_out)
    assert not [name for name in stored(project) if "two" in name]


@pytest.mark.slow
def test_every_test_can_run_and_is_stored_again(project: Project) -> None:
    project.run()
    before = stored(project)
    project.page("one", "other")
    assert project.run("--also-unchanged") == counts(4, 0, 0)
    changed = {name for name, value in stored(project).items() if value != before[name]}
    assert {name.partition("::")[2] for name in changed} == {"test_page[one]", "test_site"}
    assert project.run() == counts(1, 0, 3)


NOTEBOOK = {
    "cells": [
        {"cell_type": "code", "execution_count": None, "id": "sum", "metadata": {},
         "outputs": [], "source": "total = 1 + 1"},
    ],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "-", "language": "python"}},
    "nbformat": 4, "nbformat_minor": 5,
}  # fmt: skip


@pytest.mark.slow
def test_the_cells_of_a_notebook_run_again_when_the_notebook_changes(project: Project) -> None:
    notebook = project.folder / "one.ipynb"
    notebook.write_text(json.dumps(NOTEBOOK))
    options = ("--nbval", "one.ipynb")
    assert project.run(*options) == counts(5, 0, 0)
    assert project.run(*options) == counts(1, 0, 4)
    notebook.write_text(json.dumps(NOTEBOOK).replace("1 + 1", "1 + 2"))
    assert project.run(*options) == counts(3, 0, 2), "page one was built from it"


OPENS_OTHER_PAGES = """
import pytest
from tests.book.harness import SubPathHandler

def opens(page):
    SubPathHandler.requested.append(page)

@pytest.fixture
def opened():
    opens("two.html")

@pytest.mark.reads("one.html")
def test_opens_its_page():
    opens("one.html")

@pytest.mark.reads("one.html")
def test_opens_another():
    opens("two.html")

@pytest.mark.reads("one.html")
def test_opens_another_before_it_begins(opened):
    pass
"""


@pytest.mark.slow
def test_a_test_that_opens_a_page_which_its_mark_does_not_name_fails(project: Project) -> None:
    (project.folder / "test_pages.py").write_text(OPENS_OTHER_PAGES)
    for _ in range(2):
        assert project.run() == counts(1, 1, 0)  # the third has an error in its setup
    assert [name.partition("::")[2] for name in stored(project)] == ["test_opens_its_page"]

"""A pytest plugin: slow tests run again only when something that they read has changed.

    pytest -p tests.unchanged …                     what `make test` does
    pytest -p tests.unchanged --also-unchanged …    what `make test all=yes` does: every test runs

A test that is marked `reads("chapters/xor.html")` depends on the project's code, on the programs
that are installed, and on that page, but on no other page; `{name}` in the mark stands for the
test's parameter.  A cell of a notebook depends on that notebook in the same way, and a test
without the mark that takes the built site on all of it.  When such a test passes, a hash of all
this is stored in `_build`, and as long as the hash stays the same, later runs leave the test out.
Tests of one file that read the same pages share a browser and its state, and cells their kernel, so
they are left out together or not at all.  All other tests always run, and in a fresh clone, as in
CI, every test does.  Without a built site nothing is left out.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from tests.book.harness import SubPathHandler
from tools import browser

ROOT = Path(__file__).resolve().parents[1]
PASSED = ROOT / "_build" / "tests-that-passed.json"
# Everything that is not a page; a change of any line there makes every test run.
CODE = (
    "nnlib", "course", "tests", "tools", "frontend", "_ext", "_static", "_templates", "benchmarks",
    "requirements.txt", "pyproject.toml", "_config.yml", "_toc.yml", "Makefile",
)  # fmt: skip
GENERATED = {"__pycache__", "node_modules", ".mypy_cache", ".ruff_cache"}
# Files of the site that change with any page's text; only tests of the whole site read them.
FROM_ALL_PAGES = ("lite", "_sources", "_images", "searchindex.js", "objects.inv", ".buildinfo")
WHOLE_SITE = {"search.html"}  # pages that load one of these files

# What differs between two builds of the same sources: Sphinx adds a checksum to the address of a
# style sheet only if that file is there already, so not in the first build, and JupyterLite's lists
# of files state when each was copied.
CHECKSUM = re.compile(rb"\?v=[0-9a-f]{8}\b")
TIME = re.compile(rb'"(created|last_modified)": "[^"]*"')
SETTINGS = ("BOOK_BROWSERS", "BOOK_CHROMIUM")


def hash_of(parts: Iterable[str | bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def files_below(path: Path) -> list[Path]:
    """The file itself, or all files in the folder that are not generated from others."""
    if path.is_file():
        return [path]
    files = []
    for folder, folders, names in os.walk(path):
        folders[:] = [name for name in folders if name not in GENERATED]
        files += [Path(folder, name) for name in names]
    return sorted(files)


def content_of(file: Path) -> bytes:
    """A file's bytes without what differs between two builds of the same sources."""
    data = file.read_bytes()
    if file.suffix == ".html":
        return CHECKSUM.sub(b"", data)
    return TIME.sub(b"", data) if file.suffix == ".json" else data


def hash_of_files(files: Iterable[Path], root: Path) -> str:
    """A hash of the contents and of the paths below `root`."""
    return hash_of(
        part for file in files for part in (os.path.relpath(file, root), content_of(file))
    )


def installed() -> list[str]:
    """The Python packages by version, and the browsers by their files' dates."""
    packages = {f"{d.metadata['Name']} {d.version}" for d in metadata.distributions()}
    commands = [[browser.find() or ""], *browser.other_engines().values()]
    programs = {Path(word).resolve() for command in commands for word in command}
    dates = [f"{p} {p.stat().st_mtime_ns}" for p in programs if p.is_file()]
    return [sys.version, *sorted(packages), *sorted(dates)]


class Hashes:
    """Hashes of everything that tests depend on, each computed once."""

    def __init__(self, root: Path, site: Path) -> None:
        self.root, self.site = root, site
        self.computed: dict[tuple[str, ...] | None, str] = {}

    @cached_property
    def code(self) -> str:
        """The hash of what every such test depends on."""
        files = [file for name in CODE for file in files_below(self.root / name)]
        settings = [os.environ.get(name, "") for name in SETTINGS]
        return hash_of([hash_of_files(files, self.root), *installed(), *settings])

    @cached_property
    def shared(self) -> str:
        """The hash of the site's files that every page may load, such as styles and scripts."""
        files = [
            file
            for file in files_below(self.site)
            if file.relative_to(self.site).parts[0] not in FROM_ALL_PAGES
            and (file.suffix != ".html" or "python" in file.relative_to(self.site).parts)
        ]
        return hash_of_files(files, self.site)

    def of(self, pages: tuple[str, ...] | None) -> str:
        """The hash for tests that read these pages; None stands for the whole site."""
        if pages is not None and WHOLE_SITE & set(pages):
            pages = None
        if pages not in self.computed:
            if pages is None:
                site = hash_of_files(files_below(self.site), self.site)
            else:
                site = hash_of([self.shared, hash_of_files(self._files(pages), self.root)])
            self.computed[pages] = hash_of([self.code, site])
        return self.computed[pages]

    def _files(self, pages: tuple[str, ...]) -> list[Path]:
        """The pages and the notebooks that they were built from."""
        sources = [(self.root / page).with_suffix(".ipynb") for page in pages]
        sources = [source for source in sources if source.is_file()]
        built = [self.site / page for page in pages]  # a notebook outside _toc.yml has no page
        return [*(page for page in built if page.is_file() or not sources), *sources]


def pages_of(item: pytest.Item) -> tuple[str, ...] | None:
    """The pages that a test's mark names, or that a notebook becomes; None for the whole site."""
    if item.path.suffix == ".ipynb":
        return (item.nodeid.partition("::")[0].removesuffix(".ipynb") + ".html",)
    mark = item.get_closest_marker("reads")
    if mark is None:
        return None
    callspec = getattr(item, "callspec", None)
    return tuple(str(page).format(**(callspec.params if callspec else {})) for page in mark.args)


def can_be_left_out(item: pytest.Item) -> bool:
    marked = item.get_closest_marker("reads") is not None
    return marked or item.path.suffix == ".ipynb" or "site" in getattr(item, "fixturenames", ())


@contextmanager
def only_its_pages(item: pytest.Item) -> Iterator[None]:
    """Fails if a browser requests a page that the test's mark does not name."""
    requested = SubPathHandler.requested
    before = len(requested)
    yield
    if item.get_closest_marker("reads"):
        unnamed = set(requested[before:]) - set(pages_of(item) or ())
        assert not unnamed, f"the test reads {sorted(unnamed)}, which its mark `reads` must name"


class Unchanged:
    """Leaves out unchanged tests, and stores which tests passed."""

    def __init__(self, config: pytest.Config, hashes: Hashes, passed: Path) -> None:
        self.config, self.hashes, self.file = config, hashes, passed
        self.before: dict[str, str] = {}
        if passed.is_file():
            self.before = json.loads(passed.read_text("utf8"))
        self.after: dict[str, str] = {}  # test → hash, "" for one that did not pass
        self.left_out = 0

    @pytest.hookimpl(trylast=True)  # after -m has chosen
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        groups = defaultdict(list)
        for item in filter(can_be_left_out, items):
            groups[item.nodeid.partition("::")[0], pages_of(item)].append(item)
        unchanged = set()
        for (_, pages), tests in groups.items():
            current = self.hashes.of(pages)
            if all(self.before.get(test.nodeid) == current for test in tests):
                unchanged |= set(tests)
            for test in tests:
                test.user_properties.append(("hash", current))
        if unchanged and not self.config.getoption("also_unchanged"):
            self.left_out = len(unchanged)
            self.config.hook.pytest_deselected(items=list(unchanged))
            items[:] = [item for item in items if item not in unchanged]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, object]:
        with only_its_pages(item):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        with only_its_pages(item):
            return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        current = dict(report.user_properties).get("hash")
        if not report.passed:  # also the report of a process that crashed, without properties
            self.after[report.nodeid] = ""
        elif current and report.when == "teardown":  # the last report of a test
            self.after.setdefault(report.nodeid, str(current))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output: dict[str, Any] | None = getattr(self.config, "workeroutput", None)
        if output is not None:  # a process of xdist, whose reports go to the first process
            output["left_out"] = self.left_out
        elif self.after:
            self.file.parent.mkdir(exist_ok=True)
            stored = {**self.before, **self.after}
            text = json.dumps({test: value for test, value in stored.items() if value})
            new_file = self.file.with_suffix(".new")
            new_file.write_text(text, "utf8")
            new_file.replace(self.file)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.left_out = getattr(node, "workeroutput", {}).get("left_out", self.left_out)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.left_out:
            terminalreporter.write_line(
                f"{self.left_out} more tests were left out: they passed before, and nothing that "
                "they read has changed (make test all=yes runs them as well)"
            )


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--also-unchanged", action="store_true", help="run tests that passed and have not changed"
    )


def pytest_configure(config: pytest.Config) -> None:
    site = os.environ.get("BOOK_SITE")
    if site:
        hashes = Hashes(ROOT, (ROOT / site).resolve())
        config.pluginmanager.register(Unchanged(config, hashes, PASSED), "unchanged")

"""Runs the chapters in parallel, and again whenever something that they depend on has changed.

Jupyter Book's cache depends on a notebook's cells alone, so the book would keep old numbers after a
change of `nnlib`. Here the cache's folder is named by a hash of the sources of nnlib and course,
their data, and the versions of the packages that produce outputs. A cell that raises an exception
stops the build, and its traceback is shown.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

import nbformat
from fetching import ROOT
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import ExecutionResult, single_nb_execution
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError
from sphinx.util import logging

logger = logging.getLogger(__name__)

PACKAGES = ("numpy", "matplotlib", "ipywidgets", "anywidget", "ipykernel", "ipython")
WITHOUT_EFFECT = {"__pycache__", "static"}  # outputs do not contain the figures' script


def version_of(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "none"


def environment_key(root: Path = ROOT) -> str:
    """A hash of everything outside a notebook that its outputs depend on."""
    digest = hashlib.sha256(platform.python_version().encode())
    for package in PACKAGES:
        digest.update(f"{package}=={version_of(package)}\n".encode())
    files = [path for package in ("nnlib", "course") for path in (root / package).rglob("*")]
    for path in sorted(files):
        if path.is_file() and WITHOUT_EFFECT.isdisjoint(path.parts):
            digest.update(f"{path.relative_to(root).as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def key_cache(app: Sphinx, config: Config) -> None:
    """Names the execution cache by the environment's key and drops the caches of other keys."""
    folder = Path(app.outdir).parent / ".jupyter_cache"
    current = folder / environment_key()
    for other in folder.glob("*"):
        if other != current:
            shutil.rmtree(other, ignore_errors=True) if other.is_dir() else other.unlink()
    current.mkdir(parents=True, exist_ok=True)
    # Sphinx re-reads every page when this value changes.
    config.nb_execution_cache_path = str(current)


def jobs() -> int:
    """How many notebooks run at once: BOOK_JOBS, or one for each core up to four."""
    return int(os.environ.get("BOOK_JOBS", 0)) or min(4, os.cpu_count() or 1)


def run_notebooks(app: Sphinx, env, docnames: list[str]) -> None:
    """Runs the notebooks that this build reads and the cache lacks, several at a time."""
    cache = get_cache(app.config.nb_execution_cache_path)
    outdated = []
    for docname in docnames:
        path = Path(env.doc2path(docname))
        if path.suffix != ".ipynb":
            continue
        notebook = nbformat.read(path, as_version=4)
        try:
            cache.match_cache_notebook(notebook)
        except KeyError:
            outdated.append((path, notebook))
    if not outdated:
        return
    logger.info("running %d notebooks, %d at a time", len(outdated), jobs())

    def run(entry: tuple[Path, nbformat.NotebookNode]) -> ExecutionResult:
        path, notebook = entry
        return single_nb_execution(
            notebook,
            str(path.parent),
            timeout=app.config.nb_execution_timeout,
            allow_errors=False,
            extra_arguments=["--log-level=ERROR"],
        )

    failures = []
    with ThreadPoolExecutor(jobs()) as pool:
        for (path, _), result in zip(outdated, pool.map(run, outdated), strict=True):
            name = path.relative_to(app.srcdir).as_posix()
            if result.err is not None:
                failures.append(f"{name} raised:\n{result.err}")
                continue
            # Only this thread writes to the cache, because its SQLite database allows one writer.
            bundle = CacheBundleIn(result.nb, str(path), data={"execution_seconds": result.time})
            cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
            logger.info("ran %s in %.1f s", name, result.time)
    if failures:
        raise ExtensionError("\n\n".join(failures))


def setup(app: Sphinx) -> dict:
    app.connect("config-inited", key_cache, priority=200)
    app.connect("env-before-read-docs", run_notebooks, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

"""Adds JupyterLite to the site, in `lite/`: every chapter in JupyterLab, with the page's Python.

BOOK_LITE=1 turns it on. Its files come from locked wheels, none of which is installed: the
application from jupyterlite-core, the kernel from jupyterlite-pyodide-kernel, the JupyterLab parts
of widgets from jupyterlab_widgets and anywidget. It shares the Pyodide in `python/` with the pages;
book_run adds the packages that this kernel needs to that folder.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path

import fetch_python
from book_run import members, runtime_of
from fetching import ROOT
from plain_notebooks import Book, plain
from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)

OWN_FILES = Path(__file__).with_name("lite")  # the book's own files for JupyterLite
LABEXTENSION = re.compile(r"[^/]+\.data/data/share/jupyter/labextensions/(?P<path>.+)")
EXTENDED = ("jupyterlab_widgets", "anywidget", "jupyterlite-pyodide-kernel")
# Files that are left out: source maps, applications that the book does not use, and the font
# formats of old browsers.
EXCLUDED = ("*.map", "*/install.json", "*package.json", "repl/*", "consoles/*", "build/repl/*",
            "build/consoles/*", "doc/*", "*/build/*.d.ts", "build/fa-*.svg", "build/fa-*.eot",
            "build/fa-*.ttf", "build/service-worker.js")  # fmt: skip
# The packages that the kernel would otherwise load one after the other, and those that every
# chapter imports: all are loaded together when the kernel starts.
AT_START = ("micropip", "piplite", "ssl", "sqlite3", "ipykernel", "comm", "pyodide_kernel", "jedi",
            "ipython", "sigmoid-to-sequence")  # fmt: skip
KERNEL = {"name": "python", "display_name": "Python (Pyodide)", "language": "python"}
PLUGIN = "@jupyterlite/pyodide-kernel-extension:kernel"


# --- the application ------------------------------------------------------------------------------


def is_needed(name: str) -> bool:
    """Whether a file of the application or of an extension is needed on the site."""
    return not any(fnmatch(name, pattern) for pattern in EXCLUDED)


def application(lock: dict) -> dict[str, bytes]:
    """JupyterLite's pages and scripts, from the archive inside jupyterlite-core."""
    wheel = fetch_python.wheels({"jupyterlite-core": lock["lite"]["jupyterlite-core"]})
    [archive] = [
        data
        for name, data in members(wheel["jupyterlite-core"].read_bytes()).items()
        if re.fullmatch(r"jupyterlite_core/jupyterlite-app-[\d.]+\.tgz", name)
    ]
    files = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            name = member.name.removeprefix("package/")
            opened = tar.extractfile(member) if member.isfile() and is_needed(name) else None
            if opened:
                files[name] = opened.read()
    return files


def extensions(lock: dict) -> dict[str, bytes]:
    """The prebuilt extensions of JupyterLab, by their path below `extensions/`."""
    wheels = {n: {**lock["wheels"], **lock["lite"]}[n] for n in EXTENDED}
    files = {}
    for path in fetch_python.wheels(wheels).values():
        for name, data in members(path.read_bytes()).items():
            match = LABEXTENSION.fullmatch(name)
            if match and (is_needed(match["path"]) or match["path"].endswith("/package.json")):
                files[match["path"]] = data
    return files


def package_files(files: dict[str, bytes]) -> Iterator[tuple[str, dict]]:
    """The folder and the package.json of each extension."""
    for name in sorted(files):
        if name.endswith("/package.json"):
            yield name.removesuffix("/package.json"), json.loads(files[name])


def federated(files: dict[str, bytes]) -> list[dict]:
    """The entries of the extensions in jupyter-lite.json, by which the page loads them."""
    return [
        {
            "name": package["name"],
            **package["jupyterlab"]["_build"],
            "liteExtension": package.get("jupyterlite", {}).get("liteExtension", False),
        }
        for _, package in package_files(files)
    ]


def schemas(files: dict[str, bytes]) -> list[dict]:
    """The schemas of the extensions' settings, which JupyterLite loads from one file."""
    entries = []
    for folder, package in package_files(files):
        for name in sorted(files):
            if name.startswith(f"{folder}/schemas/") and name.endswith(".json"):
                plugin = f"{package['name']}:{Path(name).stem}"
                content = {"schema": json.loads(files[name]), "version": package["version"]}
                entries.append({"id": plugin, "raw": "{}", "settings": {}, **content})
    return [entry for entry in entries if not entry["id"].endswith(":package.json.orig")]


def settings(original: dict, extended: dict[str, bytes], pyodide: str) -> dict:
    """jupyter-lite.json with the book's name, the extensions and the address of Python."""
    config = original["jupyter-config-data"]
    config.pop("fullMathjaxUrl", None)  # an external address, for JupyterLab before version 4
    config |= {
        "appName": "From Sigmoid to Sequence",
        "faviconUrl": "./favicon.svg",
        "federated_extensions": federated(extended),
        "settingsOverrides": json.loads((OWN_FILES / "overrides.json").read_text("utf8")),
        "litePluginSettings": {
            PLUGIN: {
                # JupyterLite resolves an address that begins with "./" relative to this file
                "pyodideUrl": f"./../{pyodide}pyodide.js",
                "loadPyodideOptions": {
                    "lockFileURL": "./pyodide-lock.json",
                    "packages": AT_START,
                    "env": {"NNLIB_PROGRESS": "/drive/progress.json"},
                },
                "disablePyPIFallback": True,
            }
        },
    }
    return original


# --- its notebooks --------------------------------------------------------------------------------


def as_notebook(path: Path, name: str, book: Book) -> bytes:
    """A chapter as a reader's notebook for this kernel; cells that the page folds are folded."""
    notebook = plain(json.loads(path.read_text("utf8")), name, book)
    notebook["metadata"]["kernelspec"] = KERNEL
    for cell in notebook["cells"]:
        # HTML outputs, such as figures, are left out: JupyterLab would show only their text until
        # the cell has run.
        if cell["cell_type"] == "code":
            outputs = cell["outputs"]
            cell["outputs"] = [out for out in outputs if "text/html" not in out.get("data", {})]
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()


def contents(root: Path) -> dict[str, bytes]:
    """The notebooks and the README, by their path below `files/`."""
    book = Book.read(root)
    files = {"README.md": (OWN_FILES / "README.md").read_bytes()}
    for name in book.docs:
        path = root / f"{name}.ipynb"
        if path.is_file():
            files[f"{name}.ipynb"] = as_notebook(path, name, book)
    return files


def listings(files: dict[str, bytes], time: str) -> dict[str, bytes]:
    """The lists of each folder's files, which JupyterLite reads instead of a server's responses."""
    folders = {""} | {str(p) for n in files for p in Path(n).parents if str(p) != "."}
    responses = {}
    for folder in folders:
        inside = [entry(n, files[n], time) for n in sorted(files) if parent_of(n) == folder]
        inside += [
            model(f, "directory", time) for f in sorted(folders) if f and parent_of(f) == folder
        ]
        listing = {**model(folder, "directory", time), "content": inside, "format": "json"}
        responses[f"{folder}/all.json".lstrip("/")] = json.dumps(listing).encode()
    return responses


def parent_of(path: str) -> str:
    """The folder of a path; "" is the top folder."""
    return "" if "/" not in path else path.rsplit("/", 1)[0]


def entry(path: str, data: bytes, time: str) -> dict:
    file_type = "notebook" if path.endswith(".ipynb") else "file"
    return {**model(path, file_type, time), "size": len(data)}


def model(path: str, file_type: str, time: str) -> dict:
    properties = {
        "name": path.rsplit("/", 1)[-1],
        "path": path,
        "type": file_type,
        "writable": True,
    }
    unset = dict.fromkeys(("content", "format", "mimetype", "size"))
    return {**properties, "created": time, "last_modified": time, **unset}


# --- the site -------------------------------------------------------------------------------------


def lite_site(root: Path, pyodide: str, packages: bytes) -> dict[str, bytes]:
    """Every file of `lite/`; `pyodide` is Python's folder in the site, `packages` its lock."""
    lock = fetch_python.read_lock()
    files, extended, texts = application(lock), extensions(lock), contents(root)
    time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    config = settings(json.loads(files["jupyter-lite.json"]), extended, pyodide)
    files["jupyter-lite.json"] = json.dumps(config, indent=1).encode()
    files["build/schemas/all_federated.json"] = json.dumps(schemas(extended)).encode()
    files |= {f"extensions/{name}": data for name, data in extended.items()}
    files |= {f"files/{name}": data for name, data in texts.items()}
    files |= {f"api/contents/{name}": data for name, data in listings(texts, time).items()}
    files |= translations()
    files["pyodide-lock.json"] = packages
    files["manifest.webmanifest"] = manifest(files["manifest.webmanifest"])
    files["favicon.svg"] = (ROOT / "_static" / "favicon.svg").read_bytes()
    files["index.html"] = (OWN_FILES / "index.html").read_bytes()
    return with_worker(files)


def manifest(data: bytes) -> bytes:
    """The manifest that a browser uses if a reader installs the notebooks as an application."""
    original = json.loads(data)
    original.pop("shortcuts")  # to the host's root, and to an application that is left out
    names = {"name": "From Sigmoid to Sequence", "short_name": "Sigmoid to Sequence"}
    description = {"description": "The book's notebooks, with Python in the browser"}
    return json.dumps({**original, **names, **description}).encode()


def translations() -> dict[str, bytes]:
    """The list of languages, which has only English: without these files JupyterLab logs errors."""
    name = {"displayName": "English", "nativeName": "English"}
    languages, pack = {"data": {"en": name}, "message": ""}, {"data": {}, "message": ""}
    responses = {"all": languages, "en": pack}
    return {f"api/translations/{n}.json": json.dumps(d).encode() for n, d in responses.items()}


ADAPTER = "adapt-jupyterlite.js"


def with_worker(files: dict[str, bytes]) -> dict[str, bytes]:
    """Adds the book's service worker, which loads JupyterLite's, and ADAPTER to each page."""
    digest = hashlib.sha256()
    for name in sorted(files):
        if not name.startswith("api/contents/"):  # they contain the time of the build
            digest.update(f"{name}\0{len(files[name])}\0".encode() + files[name])
    worker = (OWN_FILES / "service-worker.js").read_text("utf8")
    files["jupyterlite-service-worker.js"] = files["service-worker.js"]
    files["service-worker.js"] = worker.replace("@BUILD@", digest.hexdigest()[:12]).encode()
    files[ADAPTER] = (OWN_FILES / ADAPTER).read_bytes()
    for name, data in files.items():
        if name.count("/") == 1 and name.endswith("/index.html"):
            script = f'<head>\n<script src="../{ADAPTER}"></script>'.encode()
            files[name] = data.replace(b"<head>", script, 1)
    return files


def place(app: Sphinx, error: Exception | None) -> None:
    """Writes `lite/` into the site, or removes what an older build left there."""
    if error or app.builder.format != "html":
        return
    out = Path(app.outdir) / "lite"
    runtime = runtime_of(app)
    if not runtime or not runtime["lite"]:
        shutil.rmtree(out, ignore_errors=True)
        return
    files = lite_site(Path(app.srcdir), *runtime["lite"])
    for path in out.rglob("*"):
        if path.is_file() and path.relative_to(out).as_posix() not in files:
            path.unlink()
    for name, data in files.items():
        path = out / name
        if not (path.is_file() and path.read_bytes() == data):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    megabytes = sum(map(len, files.values())) / 1e6
    logger.info("JupyterLite is in lite/ (%d files, %.0f MB)", len(files), megabytes)


def setup(app: Sphinx) -> dict:
    app.connect("build-finished", place, priority=600)  # after book_run has put Python there
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

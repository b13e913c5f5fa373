"""Adds Python to the pages, so that a reader can edit and run their cells.

BOOK_RUN determines where Python comes from: it is empty (the pages do not run code), `1` (the site
includes the official files, which _ext/fetch_python.py fetches and checks), or the address of a
host that serves Pyodide's release. With BOOK_LITE=1 the same folder also gets what JupyterLite's
kernel needs, and book_lite.py makes `lite/`.

The site contains `_static/run/` (the button), `sw.js`, and `python/` with two folders: Pyodide with
NumPy and matplotlib, trimmed; and the book's own files (nnlib, ipywidgets and anywidget as one
archive; runner, worker). Each folder's name contains a hash of its content, so browsers may cache
it permanently. If Pyodide comes from another host, there is only the second folder.
"""

from __future__ import annotations

import doctest
import hashlib
import io
import json
import os
import re
import shutil
import tomllib
import zipfile
from collections.abc import Callable, Iterable
from email import message_from_bytes
from fnmatch import fnmatch
from pathlib import Path
from weakref import WeakKeyDictionary

import fetch_python
import nbformat
from docutils import nodes
from fetching import ROOT, FetchError
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

logger = logging.getLogger(__name__)

BUNDLES = Path(__file__).with_name("built")
KERNEL = ROOT / "frontend" / "python" / "kernel"
STYLES = ROOT / "frontend" / "python" / "src" / "run.css"
# What each build's pages load to run code, once `plan` has prepared it; None if they run none.
_runtimes: WeakKeyDictionary[Sphinx, dict | None] = WeakKeyDictionary()
LITE_KERNEL, LITE_KERNEL_PARTS = (
    "jupyterlite-pyodide-kernel",
    ("piplite", "ipykernel", "pyodide_kernel"),
)
# Every file in an archive has this date, so the same sources give the same bytes.
DATE = (2020, 1, 1, 0, 0, 0)

# Files that pages do not need to draw PNG pictures: tests, stubs, files for compilers and GUIs.
TRIM = (
    "*/tests/*", "*/test/*", "*.pyi", "*.pxd", "*.h", "*.a", "*.npz.license", "*__pycache__*",
    "numpy/f2py/*", "numpy/distutils/*", "numpy/_core/include/*", "numpy/_pyinstaller/*",
    "matplotlib/mpl-data/sample_data/*", "matplotlib/mpl-data/images/*", "matplotlib/testing/*",
    "matplotlib/mpl-data/fonts/afm/*", "matplotlib/mpl-data/fonts/pdfcorefonts/*",
    "matplotlib/mpl-data/plot_directive/*", "matplotlib/backends/web_backend/*",
    "matplotlib/backends/*qt*", "matplotlib/backends/*gtk*", "matplotlib/backends/*wx*",
    "matplotlib/backends/*tk*", "matplotlib/backends/_macosx*", "matplotlib/sphinxext/*",
)  # fmt: skip
PACKAGES = (ROOT / "nnlib", ROOT / "course")  # the book's own, which chapters import
# The book's archive leaves these files out; the figures' script is already in the page.
NOT_IN_BOOK = ("nnlib/live/static/*", "anywidget/*extension/*", "*.data/*", "*/tests/*", "*.pyi")


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# --- archives -------------------------------------------------------------------------------------


def zipped(files: dict[str, bytes]) -> bytes:
    """The files as an archive whose bytes depend on them alone."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, files[name])
    return buffer.getvalue()


def members(archive: bytes, without: Iterable[str] = ()) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {
            name: opened.read(name)
            for name in opened.namelist()
            if not name.endswith("/") and not any(fnmatch(name, pattern) for pattern in without)
        }


def book_archive(lock: dict) -> bytes:
    """nnlib, course, the page's kernel and the pure packages that widgets need, as one archive."""
    files: dict[str, bytes] = {}
    for path in fetch_python.wheels(lock["wheels"]).values():
        contents = members(path.read_bytes(), NOT_IN_BOOK)
        if path.name.startswith("ipython-"):  # the whole package would take seconds to load
            printer = "IPython/lib/pretty.py"
            contents = {printer: contents[printer]}
        files.update(contents)
    for folder, base in (*((folder, ROOT) for folder in PACKAGES), (KERNEL, KERNEL)):
        for path in folder.rglob("*"):
            name = path.relative_to(base).as_posix()
            if path.is_file() and "__pycache__" not in name:
                files.setdefault(name, path.read_bytes())
    return zipped({n: d for n, d in files.items() if not any(fnmatch(n, p) for p in NOT_IN_BOOK)})


# --- the two folders ------------------------------------------------------------------------------


def distribution(lock: dict, extra: Iterable[str] = ()) -> dict[str, bytes]:
    """Pyodide's core, its packages and the extra ones, trimmed, and a lock of these alone."""
    core = {name: path.read_bytes() for name, path in fetch_python.core(lock).items()}
    pyodide_lock = json.loads(core["pyodide-lock.json"])
    entries = {}
    # matplotlib needs fonttools and pytz only for PDFs and time zones: they are left out.
    names = [*lock["pyodide"]["packages"], *extra]
    for name, path in fetch_python.packages(lock, names).items():
        entry = dict(pyodide_lock["packages"][name])
        data = zipped(members(path.read_bytes(), TRIM))
        entry["sha256"] = sha256(data)
        dependencies = map(canonicalize_name, entry["depends"])
        entry["depends"] = [name for name in dependencies if name in names]
        entries[name] = entry
        core[entry["file_name"]] = data
    pyodide_lock["packages"] = entries
    core["pyodide-lock.json"] = json.dumps(pyodide_lock, separators=(",", ":")).encode()
    return core


# --- what JupyterLite's kernel needs in addition --------------------------------------------------


def nnlib_wheel() -> tuple[str, bytes]:
    """The package as a wheel, built from the sources here: its file name and its bytes."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]
    extras = project["optional-dependencies"]
    requirements = [*project["dependencies"], *extras["live"], *extras["plot"]]
    stem = f"{project['name'].replace('-', '_')}-{project['version']}"
    metadata = [
        "Metadata-Version: 2.1",
        f"Name: {project['name']}",
        f"Version: {project['version']}",
    ]
    metadata += [f"Requires-Dist: {requirement}" for requirement in requirements]
    wheel_info = [
        "Wheel-Version: 1.0",
        "Generator: book",
        "Root-Is-Purelib: true",
        "Tag: py3-none-any",
    ]
    files = {f"{stem}.dist-info/METADATA": metadata, f"{stem}.dist-info/WHEEL": wheel_info}
    contents = {name: ("\n".join(lines) + "\n").encode() for name, lines in files.items()}
    for folder in PACKAGES:
        for path in folder.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                contents[path.relative_to(ROOT).as_posix()] = path.read_bytes()
    names = [*contents, f"{stem}.dist-info/RECORD"]
    contents[names[-1]] = "".join(f"{name},,\n" for name in names).encode()
    return f"{stem}-py3-none-any.whl", zipped(contents)


def entry_for(file_name: str, wheel: bytes) -> dict:
    """A pure wheel's entry in Pyodide's lock: its hash, importable names and dependencies."""
    contents = members(wheel)
    [metadata] = [data for name, data in contents.items() if name.endswith(".dist-info/METADATA")]
    message = message_from_bytes(metadata)
    required = map(Requirement, message.get_all("Requires-Dist") or [])
    dependencies = [r.name for r in required if not r.marker or r.marker.evaluate({"extra": ""})]
    modules = {name.split("/")[0].removesuffix(".py") for name in contents
               if "." not in name.split("/")[0] or re.fullmatch(r"\w+\.py", name)}  # fmt: skip
    return {
        "name": message["Name"],
        "version": message["Version"],
        "file_name": file_name,
        "install_dir": "site",
        "sha256": sha256(wheel),
        "package_type": "package",
        "imports": sorted(modules),
        "depends": sorted({canonicalize_name(name) for name in dependencies}),
        "unvendored_tests": False,
    }


def lite_wheels(lock: dict) -> dict[str, bytes]:
    """The widgets' packages, and the kernel's own, which are inside its JupyterLab extension."""
    wheels = {p.name: p.read_bytes() for p in fetch_python.wheels(lock["wheels"]).values()}
    [extension] = fetch_python.wheels({LITE_KERNEL: lock["lite"][LITE_KERNEL]}).values()
    for name, data in members(extension.read_bytes()).items():
        wheel = Path(name)
        if wheel.match("static/pypi/*.whl") and wheel.name.split("-")[0] in LITE_KERNEL_PARTS:
            wheels[wheel.name] = data
    return wheels


def lock_of(names: list[str], pyodide_lock: dict) -> bytes:
    """Pyodide's lock, reduced to these packages."""
    entries = {name: dict(pyodide_lock["packages"][name]) for name in names}
    for entry in entries.values():
        entry["depends"] = [name for name in entry["depends"] if name in entries]
    return json.dumps({**pyodide_lock, "packages": entries}, separators=(",", ":")).encode()


def lite_distribution(lock: dict) -> tuple[dict[str, bytes], dict]:
    """Pyodide with IPython and the widgets, and the lock that lists all of these."""
    files = distribution(lock, lock["pyodide"]["lite"])
    pyodide_lock = json.loads(files["pyodide-lock.json"])
    files["pyodide-lock.json"] = lock_of(lock["pyodide"]["packages"], pyodide_lock)
    for name, data in lite_wheels(lock).items():
        wheel = zipped(members(data, ("*.data/*", *TRIM)))
        entry = entry_for(name, wheel)
        # IPython and traitlets are in the lock already: Pyodide's own are used
        if pyodide_lock["packages"].setdefault(canonicalize_name(entry["name"]), entry) is entry:
            files[name] = wheel
    return files, pyodide_lock


def lite_lock(pyodide_lock: dict, folder: str, file_name: str, wheel: bytes) -> bytes:
    """The lock with nnlib added, whose wheel is in the neighbouring folder `folder`."""
    nnlib_entry = entry_for(file_name, wheel) | {"file_name": f"../{folder}/{file_name}"}
    packages = {**pyodide_lock["packages"], nnlib_entry["name"]: nnlib_entry}
    for entry in packages.values():
        entry["depends"] = [name for name in entry["depends"] if name in packages]
    return json.dumps({**pyodide_lock, "packages": packages}, separators=(",", ":")).encode()


def lock_for_host(lock: dict) -> tuple[str, bytes, int]:
    """For a Pyodide on another host: the lock's name and content, and the bytes loaded first.

    The host serves the official files unchanged. Pyodide checks its packages by the hashes of this
    lock; the lock's name contains its own hash, so that browsers can tell editions apart.
    """
    core = {name: path.read_bytes() for name, path in fetch_python.core(lock).items()}
    data = lock_of(lock["pyodide"]["packages"], json.loads(core["pyodide-lock.json"]))
    name = f"pyodide-lock-{sha256(data)[:12]}.json"
    return name, data, sum(len(core[name]) for name in LOADED_FIRST) + NUMPY_BYTES


def write_folder(parent: Path, stem: str, files: dict[str, bytes]) -> Path:
    """Writes the files into the folder `stem-<their hash>`; returns its path."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode() + files[name])
    folder = parent / f"{stem}-{digest.hexdigest()[:12]}"
    for name, data in files.items():
        path = folder / name
        if not (path.is_file() and path.stat().st_size == len(data)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    return folder


LOADED_FIRST = ("pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
# The size of Pyodide's own NumPy wheel, which is not fetched if Python comes from another host.
NUMPY_BYTES = 3_061_133


def prepare(parent: Path, source: str, lite: bool = False) -> dict:
    """Writes the folders; returns their addresses and the bytes that a first visit loads."""
    lock = fetch_python.read_lock()
    bundles = {name: (BUNDLES / name).read_bytes() for name in ("runner.js", "worker.js")}
    archive = book_archive(lock)
    wheel = nnlib_wheel()
    book_files = {"book.zip": archive, **bundles, **(dict([wheel]) if lite else {})}
    if source != "1":
        name, data, first_bytes = lock_for_host(lock)
        book_files[name] = data
    book = write_folder(parent, "book", book_files)
    runtime = {"book": f"python/{book.name}/", "folders": [book], "lite": None}
    files = distribution(lock) if source == "1" and not lite else {}
    if lite:  # always with a Pyodide in this site: another host's lacks the widgets
        fetch_python.wheels(lock["lite"])  # a missing wheel stops the build at once
        files, pyodide_lock = lite_distribution(lock)
    if files:
        folder = write_folder(parent, f"pyodide-{lock['pyodide']['version']}", files)
        runtime["folders"].append(folder)
    if lite:
        runtime["lite"] = (f"python/{folder.name}/", lite_lock(pyodide_lock, book.name, *wheel))
    if source != "1":
        runtime |= {"pyodide": source.rstrip("/") + "/", "lock": f"{runtime['book']}{name}"}
        return {**runtime, "bytes": first_bytes + len(archive)}
    numpy = next(name for name in files if name.startswith("numpy-"))
    total = sum(len(files[name]) for name in (*LOADED_FIRST, numpy)) + len(archive)
    return {**runtime, "pyodide": f"python/{folder.name}/", "bytes": total}


def address_of_host(source: str) -> str:
    """The source, if it is empty, `1` or an address. Raises ExtensionError otherwise."""
    if source in ("", "1") or re.match(r"https?://[^/]", source):
        return source
    example = fetch_python.official(fetch_python.read_lock())
    raise ExtensionError(
        f"run={source} is not valid: use run=1 (the site includes Python) or the address of a "
        f"folder that serves Pyodide's files, such as run={example}"
    )


# --- the site -------------------------------------------------------------------------------------


def runtime_of(app: Sphinx) -> dict | None:
    """What this build's pages load to run code; None if they do not run any."""
    return _runtimes.get(app)


def plan(app: Sphinx, config: Config) -> None:
    """Decides whether this build's pages can run code, and prepares what they load."""
    lite = os.environ.get("BOOK_LITE") == "1"
    source = address_of_host(os.environ.get("BOOK_RUN", "") or ("1" if lite else ""))
    assets = Path(app.outdir).parent / ".assets" / "run"
    shutil.rmtree(assets, ignore_errors=True)
    config.book_run = ""
    _runtimes[app] = None
    if not source:
        logger.info("pages do not run code in this build (make book run=1 includes Python)")
        return
    try:
        runtime = prepare(Path(app.outdir).parent / ".python", source, lite)
    except FetchError as error:
        raise ExtensionError(
            f"the page's Python could not be fetched: {error}. "
            "`make book` without run= and lite= builds the book without it."
        ) from error
    assets.mkdir(parents=True, exist_ok=True)
    for path in (BUNDLES / "run.js", STYLES):
        shutil.copyfile(path, assets / path.name)
    _runtimes[app] = runtime
    settings = {k: v for k, v in runtime.items() if k != "folders"}
    settings["lite"] = bool(runtime["lite"])
    config.book_run = json.dumps(settings, sort_keys=True)


def name_cells(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Gives each cell of the page the id that it has in the notebook."""
    if runtime_of(app) is None or app.builder.format != "html":
        return
    cells = notebook_cells(app, docname)
    for node in doctree.findall(nodes.container):
        if node.get("nb_element") == "cell_code" and node.get("cell_index", -1) < len(cells):
            node["ids"] = [*node["ids"], f"cell-{cells[node['cell_index']]['id']}"]


# Examples that stay text, each with the reason: Python in the page lacks these files.
SAVING = "the files of the figures' script"
NOT_IN_A_PAGE = {"nnlib.live.Figure.save": SAVING, "nnlib.live.page": SAVING}


class NameExamples(SphinxPostTransform):
    """Turns each doctest on a page without a notebook, such as the reference's, into a cell.

    An example that doctest skips stays text. The transform runs before Sphinx removes the comments
    that mark such examples.
    """

    default_priority = 300
    formats = ("html",)

    def run(self, **options: object) -> None:
        if runtime_of(self.app) is None or notebook_cells(self.app, self.env.docname):
            return
        names: set[str] = set()
        for block in self.document.findall(nodes.doctest_block):
            examples = doctest.DocTestParser().get_examples(block.astext())
            skipped = any(example.options.get(doctest.SKIP) for example in examples)
            owner = owner_of(block)
            if not examples or skipped or owner in NOT_IN_A_PAGE:
                continue
            name = example_name(owner, names)
            block["ids"] = [*block["ids"], f"cell-{name}"]
            source = "".join(example.source for example in examples).rstrip()
            block["example"] = {"id": name, "source": source}


def owner_of(block: nodes.Node) -> str:
    """The full name of the object whose docstring has the example, or "page"."""
    owner = block.parent
    while owner is not None and not isinstance(owner, addnodes.desc):
        owner = owner.parent
    signature = owner.next_node(addnodes.desc_signature) if owner is not None else None
    return next(iter(signature["ids"] if signature is not None else ()), "page")


def example_name(owner: str, taken: set[str]) -> str:
    """An example's name, made from its owner's.

    So a reader's edits still belong to the same example after others are inserted before it.
    """
    stem = "example-" + re.sub(r"\W+", "-", owner)
    numbered = (f"{stem}-{number}" for number in range(2, len(taken) + 3))
    name = stem if stem not in taken else next(n for n in numbered if n not in taken)
    taken.add(name)
    return name


def examples_of(doctree: nodes.document) -> list[dict]:
    """The cells of a page without a notebook."""
    marked = [block.get("example") for block in doctree.findall(nodes.doctest_block)]
    examples = [example for example in marked if example]
    return [{**example, "number": n, "tags": ["example"]} for n, example in enumerate(examples)]


def notebook_cells(app: Sphinx, docname: str) -> list:
    """The cells of a page's notebook; an empty list for a page without one."""
    path = Path(app.env.doc2path(docname))
    return nbformat.read(path, as_version=4)["cells"] if path.suffix == ".ipynb" else []


def cell_info(cell: dict, number: int) -> dict:
    metadata = cell["metadata"]
    info = {
        "id": cell["id"],
        "number": number,
        "source": cell["source"],
        "tags": list(metadata.get("tags", [])),
    }
    alt = metadata.get("mystnb", {}).get("image", {}).get("alt")
    return {**info, "alt": alt} if alt else info


def equip_page(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Writes the cells and the addresses into the page, and adds the button's script."""
    runtime = runtime_of(app)
    if runtime is None or doctree is None or not context.get("body"):
        return
    code = [cell for cell in notebook_cells(app, pagename) if cell["cell_type"] == "code"]
    cells = [cell_info(cell, number) for number, cell in enumerate(code)] or examples_of(doctree)
    if not cells:
        return
    relative: Callable[[str], str] = lambda address: context["pathto"](address, 1)  # noqa: E731
    remote = "://" in runtime["pyodide"]
    info = {
        "page": pagename,
        "pyodide": runtime["pyodide"] if remote else relative(runtime["pyodide"]),
        "book": relative(runtime["book"]),
        "live": relative("_static/live/live.js"),
        "root": relative("") or "./",
        "bytes": runtime["bytes"],
        "folders": [f"python/{folder.name}/" for folder in runtime["folders"]],
        "cells": cells,
    }
    if code:
        info["notebook"] = relative(f"_sources/{pagename}.ipynb")
    if code and runtime["lite"]:
        info["lite"] = relative("lite/lab/index.html") + f"?path={pagename}.ipynb"
    if "lock" in runtime:
        info["lock"] = relative(runtime["lock"])
    text = json.dumps(info, separators=(",", ":")).replace("<", "\\u003c")
    context["body"] += f'\n<script type="application/json" id="nn-run">{text}</script>\n'
    app.add_css_file("run/run.css", priority=310)
    app.add_js_file("run/run.js", loading_method="defer", priority=910)


def place_python(app: Sphinx, error: Exception | None) -> None:
    """Puts the folders into the site and removes those of older builds."""
    if error or app.builder.format != "html":
        return
    out = Path(app.outdir)
    runtime = runtime_of(app)
    folders = runtime["folders"] if runtime else []
    for old in (out / "python").glob("*"):
        if old.name not in {folder.name for folder in folders}:
            shutil.rmtree(old)
    for folder in folders:
        shutil.copytree(folder, out / "python" / folder.name, dirs_exist_ok=True)
    for old in (out.parent / ".python").glob("*"):
        if old not in folders:
            shutil.rmtree(old)
    if folders:
        shutil.copyfile(BUNDLES / "sw.js", out / "sw.js")
    else:
        (out / "sw.js").unlink(missing_ok=True)
        shutil.rmtree(out / "python", ignore_errors=True)
        shutil.rmtree(out / "_static" / "run", ignore_errors=True)


def setup(app: Sphinx) -> dict:
    app.add_config_value("book_run", "", "html")
    # After book_site has filled the folder of assets, to which `plan` adds the button's files.
    app.connect("config-inited", plan, priority=210)
    app.add_post_transform(NameExamples)
    app.connect("doctree-resolved", name_cells)
    app.connect("html-page-context", equip_page, priority=450)
    app.connect("build-finished", place_python)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

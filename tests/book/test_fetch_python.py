"""The lock file of the page's Python: only versions are edited by hand; the rest is generated."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from pathlib import Path

import fetch_python
import pytest
from fetching import FetchError, integrity

from tests.book.harness import ROOT


def archive(python: str) -> bytes:
    """Pyodide's archive from npm, with only the file that names its version of Python."""
    data = json.dumps({"info": {"python": python}, "packages": {}}).encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        member = tarfile.TarInfo("package/pyodide-lock.json")
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def test_a_new_pyodide_is_downloaded_by_version_and_refused_without_its_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls: list[str] = []

    def download(url: str, timeout: float) -> bytes:
        urls.append(url)
        return archive("3.99.1")

    monkeypatch.setattr(fetch_python, "download", download)
    lock = fetch_python.read_lock()
    lock["pyodide"]["version"] = "9.8.7"
    with pytest.raises(FetchError, match="edited without `--lock`"):
        fetch_python.core(lock, tmp_path)
    assert urls == ["https://registry.npmjs.org/pyodide/-/pyodide-9.8.7.tgz"]
    assert not any(tmp_path.rglob("*.*js*")), "files of the refused archive are kept"
    assert "/v9.8.7/" in fetch_python.official(lock)


def test_a_wheel_of_another_version_than_the_locks_is_refused(tmp_path: Path) -> None:
    table = fetch_python.read_lock()["wheels"]
    table["comm"]["version"] = "9.8.7"
    with pytest.raises(FetchError, match=r"version 9\.8\.7 of comm, but the file comm-.*--lock"):
        fetch_python.wheels(table, tmp_path)


def test_relock_writes_everything_that_follows_from_the_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pythons = set()

    def download_wheels(requirements: list[str], folder: Path, python: str) -> list[Path]:
        [(name, version)] = [r.split("==") for r in requirements]
        path = folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
        path.write_text(name)
        pythons.add(python)
        return [path]

    monkeypatch.setattr(fetch_python, "download_wheels", download_wheels)
    monkeypatch.setattr(fetch_python, "download", lambda url, timeout: archive("3.99.1"))
    lock = fetch_python.read_lock()
    lock["wheels"]["comm"]["version"] = "9.8.7"
    path = tmp_path / "lock.json"
    path.write_text(json.dumps(lock))
    fetch_python.relock(path)
    written = fetch_python.read_lock(path)
    assert written["pyodide"]["integrity"] == integrity(archive("3.99.1"))
    assert written["pyodide"]["python"] == "3.99" and pythons == {"3.99"}
    comm = written["wheels"]["comm"]
    assert comm["file"] == "comm-9.8.7-py3-none-any.whl"
    assert comm["sha256"] == hashlib.sha256(b"comm").hexdigest()
    assert list(written["lite"]) == list(lock["lite"])


def test_other_files_name_the_versions_of_the_lock() -> None:
    entry = fetch_python.read_lock()["pyodide"]
    image = (ROOT / "frontend/python/src/image.ts").read_text("utf8")
    roots = set(re.findall(r"/lib/python([\d.]+)/", image))
    assert roots == {entry["python"]}, "image.ts stores the packages of another version of Python"
    page = (ROOT / "docs/python.md").read_text("utf8")
    assert set(re.findall(r"/v(\d[\d.]*)/full/", page)) == {entry["version"]}

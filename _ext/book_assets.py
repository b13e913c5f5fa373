"""Fetches the browser assets that the site serves itself, at locked versions and hashes.

`assets.lock.json` names each package, its version, its address, the SHA-512 of its archive and
the SHA-256 of every file that the site takes from it. Archives are cached in `.cache/assets/`; each
file from an archive is checked against the lock, so a damaged cache cannot reach the site.

    python _ext/book_assets.py            fetch what is missing, check everything
    python _ext/book_assets.py --lock     rewrite the hashes after a version or file list was edited
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import tarfile
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from fetching import ROOT, FetchError, download, integrity, sha256, write_atomically

LOCK = Path(__file__).resolve().parent / "assets.lock.json"
CACHE = ROOT / ".cache" / "assets"
TIMEOUT = 60  # seconds without an answer


class AssetError(FetchError):
    """An asset could not be fetched, or its hash is not the one in the lock."""


def archive_url(entry: dict) -> str:
    """Where a package's archive is: the lock's address, or the same file on BOOK_ASSETS_MIRROR."""
    mirror = os.environ.get("BOOK_ASSETS_MIRROR")
    if not mirror:
        return entry["url"]
    return mirror.rstrip("/") + "/" + PurePosixPath(entry["url"]).name


def fetch(name: str, entry: dict) -> bytes:
    """The package's archive, downloaded. Raises AssetError if that fails."""
    try:
        return download(archive_url(entry), TIMEOUT)
    except FetchError as error:
        raise AssetError(
            f"browser asset {name} {entry['version']}: {error}. "
            "The build needs the network once, to fill .cache/assets; "
            "BOOK_ASSETS_MIRROR may name a folder (file://…) that holds the archive."
        ) from error


def archive(name: str, entry: dict, cache: Path = CACHE) -> bytes:
    """The package's archive, from the cache or the network, checked against the lock."""
    cached = cache / f"{name.replace('/', '-').lstrip('@')}-{entry['version']}.tgz"
    if cached.exists() and integrity(cached.read_bytes()) == entry["integrity"]:
        return cached.read_bytes()
    data = fetch(name, entry)
    if integrity(data) != entry["integrity"]:
        raise AssetError(
            f"browser asset {name} {entry['version']}: the archive's hash is {integrity(data)}, "
            f"the lock has {entry['integrity']}. The archive was changed or damaged, so "
            "none of it is used."
        )
    write_atomically(cached, data)
    return data


def members(data: bytes) -> dict[str, bytes]:
    """The archive's regular files by their path inside ``package/``."""
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
        return {
            info.name.split("/", 1)[1]: tar.extractfile(info).read()
            for info in tar.getmembers()
            if info.isfile() and "/" in info.name
        }


def is_complete(target: Path, lock: dict) -> bool:
    """Whether `target` holds every locked file with the locked hash."""
    for entry in lock.values():
        for file in entry["files"]:
            path = target / file["to"]
            if not path.is_file() or sha256(path.read_bytes()) != file["sha256"]:
                return False
    return True


def place(target: Path, lock_file: Path = LOCK, cache: Path = CACHE) -> list[Path]:
    """Puts every locked file under `target`; returns their paths. Raises AssetError."""
    lock = json.loads(lock_file.read_text("utf8"))
    paths = [target / file["to"] for entry in lock.values() for file in entry["files"]]
    if is_complete(target, lock):
        return paths
    for name, entry in lock.items():
        contents = members(archive(name, entry, cache))
        for file in entry["files"]:
            write_checked(target / file["to"], contents.get(file["from"]), name, entry, file)
    return paths


def write_checked(path: Path, data: bytes | None, name: str, entry: dict, file: dict) -> None:
    if data is None:
        raise AssetError(f"browser asset {name} {entry['version']} has no file {file['from']}")
    digest = sha256(data)
    if digest != file["sha256"]:
        raise AssetError(
            f"browser asset {name} {entry['version']}: {file['from']} has the hash {digest}, "
            f"the lock has {file['sha256']}"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def relock(lock_file: Path = LOCK) -> None:
    """Fetches each archive again and writes its hashes.

    An entry's `take` maps file patterns to folders.
    """
    lock = json.loads(lock_file.read_text("utf8"))
    for name, entry in lock.items():
        base = name.split("/")[-1]
        entry["url"] = f"https://registry.npmjs.org/{name}/-/{base}-{entry['version']}.tgz"
        data = fetch(name, entry)
        entry["integrity"] = integrity(data)
        entry["files"] = [
            {
                "from": path,
                "to": f"{folder}/{PurePosixPath(path).name}".lstrip("/"),
                "sha256": sha256(content),
            }
            for pattern, folder in entry["take"].items()
            for path, content in sorted(members(data).items())
            if fnmatch(path, pattern)
        ]
    lock_file.write_text(json.dumps(lock, indent=2) + "\n", "utf8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lock", action="store_true", help="rewrite the hashes in the lock")
    parser.add_argument("--to", type=Path, default=ROOT / "_build" / ".assets")
    options = parser.parse_args()
    try:
        if options.lock:
            relock()
        paths = place(options.to)
    except AssetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    total = sum(path.stat().st_size for path in paths)
    print(f"{len(paths)} browser assets, {total / 1e6:.1f} MB, in {options.to}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Downloads, hashes and stores files.

It serves the two kinds of files that the site takes from elsewhere: the browser's assets
(`book_assets.py`) and the page's Python (`fetch_python.py`). Both use a file only if its hash is
the one in their lock, whatever the source.
"""

from __future__ import annotations

import base64
import hashlib
import os
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class FetchError(RuntimeError):
    """A file could not be fetched, or its hash is not the one in the lock."""


def sha256(data: bytes) -> str:
    """A file's hash, as the locks of single files write it."""
    return hashlib.sha256(data).hexdigest()


def integrity(data: bytes) -> str:
    """An archive's hash as package managers write it: ``sha512-<base64>``."""
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


def download(url: str, timeout: float) -> bytes:
    """The content of an address.

    Raises:
        FetchError: it cannot be fetched, or nothing arrives for `timeout` seconds.
    """
    try:
        with urllib.request.urlopen(url, timeout=timeout) as response:
            return response.read()
    except (urllib.error.URLError, OSError) as error:
        raise FetchError(f"{url} could not be fetched: {error}") from error


def write_atomically(path: Path, data: bytes) -> Path:
    """Writes the whole file or nothing, even if another process writes it too; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    partial.write_bytes(data)
    partial.replace(path)
    return path

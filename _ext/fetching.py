"""What comes from the network: one way to ask for it, one way to hash it, one way to keep it.

Both kinds of files that a site takes from elsewhere use this: the browser's assets
(`book_assets.py`) and the page's Python (`fetch_python.py`). Whatever the source, a hash decides.
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
    """A file could not be had, or is not the one that was locked."""


def sha256(data: bytes) -> str:
    """A file's hash, as the locks of single files write it."""
    return hashlib.sha256(data).hexdigest()


def integrity(data: bytes) -> str:
    """An archive's hash as package managers write it: ``sha512-<base64>``."""
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


def download(url: str, timeout: float) -> bytes:
    """What the address holds. Raises FetchError where nothing comes for `timeout` seconds."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return answer.read()
    except (urllib.error.URLError, OSError) as error:
        raise FetchError(f"{url} could not be had: {error}") from error


def keep(path: Path, data: bytes) -> Path:
    """Writes the file whole or not at all, also where another process writes it too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(data)
    part.replace(path)
    return path

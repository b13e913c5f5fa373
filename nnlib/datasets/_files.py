"""Reads the package's data files, and checks them against recorded checksums."""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass
from importlib import resources

import numpy as np

# tools/make_datasets.py makes the files and prints these checksums.
SHA256 = {
    "penguins.csv": "f204db2c753b0937caac3cb35258562c14f073e4bbc76be24b4c51ce22767a93",
    "mnist5k.npz": "246e0c30eeea57c8d0037d3f38c8e00651ec204cc61b8022563e9aeeb9d756f4",
    "digits8x8.npz": "b2dab7b501728c22e9119ad76740b2e17c77a231e42d1e592380d90886f1a05e",
    "language_words.csv": "073ec9c741caf5ac62a420933445f84d008b1715aaa4f64f49356331e834162a",
    "english_words.txt": "a8b96cb400092f2bd4c7184ecf596e9b598d5478fff28d791c8e381d60084ae2",
    "austen_sentences.csv": "0cc0aae74e24581c3cb678bbc47b15801bb2284d00390fc043dd36627f9105cc",
}


@dataclass(frozen=True)
class About:
    """The source of a data set, its licence and how to cite it.

    >>> from nnlib import datasets
    >>> datasets.penguins().about.licence
    'CC0 1.0'
    """

    title: str
    source: str
    licence: str
    citation: str


def read_bytes(name: str) -> bytes:
    """The file's bytes.

    Raises:
        RuntimeError: the file is not the one whose SHA-256 is recorded above.
    """
    data = (resources.files("nnlib.datasets") / "data" / name).read_bytes()
    actual = hashlib.sha256(data).hexdigest()
    if actual != SHA256[name]:
        raise RuntimeError(
            f"nnlib.datasets: {name} has the SHA-256 {actual}, but should have "
            f"{SHA256[name]}. The file was changed or damaged: install nnlib again, or make it "
            "with tools/make_datasets.py."
        )
    return data


def read_rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(read_bytes(name).decode("utf8"))))


def read_arrays(name: str) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(read_bytes(name)), allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files}


def hash_order(items: list[str], salt: str) -> list[int]:
    """The positions of `items` in a pseudorandom order, which is the same on every machine."""

    def digest(position: int) -> bytes:
        return hashlib.sha256(f"{salt}\0{position}\0{items[position]}".encode()).digest()

    return sorted(range(len(items)), key=digest)

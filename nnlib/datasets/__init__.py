"""Small real data sets, each with its source, licence and checksum; random points in the plane."""

from nnlib.datasets._files import About
from nnlib.datasets.planes import blobs, circles, moons, spirals, xor
from nnlib.datasets.tables import Samples, digits, digits8x8, penguins
from nnlib.datasets.texts import (
    Texts,
    austen_clauses,
    austen_sentences,
    english_words,
    language_words,
)

__all__ = [
    "About",
    "Samples",
    "Texts",
    "austen_clauses",
    "austen_sentences",
    "blobs",
    "circles",
    "digits",
    "digits8x8",
    "english_words",
    "language_words",
    "moons",
    "penguins",
    "spirals",
    "xor",
]

"""Small real data sets, each with its source, licence and checksum; plain arrays and strings."""

from nnlib.datasets._files import About
from nnlib.datasets.tables import Samples, digits, digits8x8, penguins
from nnlib.datasets.texts import Texts, austen_sentences, english_words, language_words

__all__ = [
    "About",
    "Samples",
    "Texts",
    "austen_sentences",
    "digits",
    "digits8x8",
    "english_words",
    "language_words",
    "penguins",
]

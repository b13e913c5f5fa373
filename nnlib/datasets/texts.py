"""Words and clauses to classify, by their spelling or by the order of their words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnlib.datasets._files import About, hash_order, read_bytes, read_rows

LANGUAGE_WORDS = About(
    title="Words of four languages",
    source="Debian's wamerican-small, wspanish, wdutch and wpolish (bookworm)",
    licence=(
        "English: SCOWL's (free to use with notice); Spanish: public domain; "
        "Dutch: BSD or CC BY 3.0; Polish: CC BY 4.0"
    ),
    citation=(
        "SCOWL, Kevin Atkinson (2020); OpenTaal (2020); sjp.pl, Marek Futrega and others (2022); "
        "Spanish word list, Agustín Martín Domingo (2023)"
    ),
)
ENGLISH_WORDS = About(
    title="English words that are not words backwards",
    source="Debian's wamerican-small (bookworm)",
    licence="SCOWL's: free to use, copy, modify and distribute with its notice",
    citation="SCOWL (Spell Checker Oriented Word Lists), Kevin Atkinson (2020)",
)
AUSTEN = About(
    title="Short clauses from Jane Austen's six novels",
    source="Debian's r-cran-janeaustenr 1.0.0 (Project Gutenberg's texts)",
    licence="the novels (1811–1818) are in the public domain; the package: MIT, Julia Silge",
    citation="Silge J (2022). janeaustenr: Jane Austen's Complete Novels. R package 1.0.0",
)


@dataclass(frozen=True)
class Texts:
    """Texts and their classes: `texts` are strings, `y` (int64) their positions in `classes`.

    >>> from nnlib import datasets
    >>> words = datasets.language_words()
    >>> len(words.texts) == len(words.y)
    True
    """

    texts: tuple[str, ...]
    y: np.ndarray
    classes: tuple[str, ...]
    about: About

    def __len__(self) -> int:
        return len(self.y)

    def __repr__(self) -> str:
        return f"Texts({len(self)} texts, classes {', '.join(self.classes)}, {self.about.title})"


def _split(
    texts: list[str], labels: list[int], train: bool, classes: tuple[str, ...], about: About
) -> Texts:
    """The training set or the test set, in hash order; every fifth text belongs to the test set."""
    order = hash_order(texts, about.title)
    chosen = [position for i, position in enumerate(order) if (i % 5 == 4) != train]
    y = np.array([labels[position] for position in chosen], np.int64)
    return Texts(tuple(texts[position] for position in chosen), y, classes, about)


def language_words(train: bool = True) -> Texts:
    """Words of 3 to 12 letters in Dutch, English, Polish or Spanish, without accents.

    3,000 words of each language; a word that belongs to two of them is left out.  9,600 are for
    training, 2,400 for testing.

    Source: Debian's word lists; `language_words().about` has the licences.

    >>> from nnlib import datasets
    >>> datasets.language_words(train=False).classes
    ('dutch', 'english', 'polish', 'spanish')
    """
    rows = read_rows("language_words.csv")
    classes = ("dutch", "english", "polish", "spanish")
    labels = [classes.index(row["language"]) for row in rows]
    return _split([row["word"] for row in rows], labels, train, classes, LANGUAGE_WORDS)


def english_words(train: bool = True) -> Texts:
    """English words, half of them written backwards; the class shows which.

    A model that ignores the order of the letters cannot distinguish the classes.  None of the 5,000
    words is a palindrome, and none is another word written backwards.  4,000 are for training,
    1,000 for testing.

    Source: SCOWL, from Debian's wamerican-small.

    >>> from nnlib import datasets
    >>> words = datasets.english_words(train=False)
    >>> len(words), words.classes
    (1000, ('backwards', 'forwards'))
    """
    words = read_bytes("english_words.txt").decode("ascii").split()
    forwards = {position: i % 2 for i, position in enumerate(hash_order(words, "direction"))}
    texts = [word if forwards[i] else word[::-1] for i, word in enumerate(words)]
    labels = [forwards[i] for i in range(len(words))]
    return _split(texts, labels, train, ("backwards", "forwards"), ENGLISH_WORDS)


def austen_sentences(train: bool = True) -> Texts:
    """Clauses of 5 to 12 words by Jane Austen, half of them shuffled; the class shows which.

    Source: Project Gutenberg's texts, from Debian's r-cran-janeaustenr.

    >>> from nnlib import datasets
    >>> datasets.austen_sentences(train=False).classes
    ('shuffled', 'real')
    """
    clauses = [row["sentence"] for row in read_rows("austen_sentences.csv")]
    real = {position: i % 2 for i, position in enumerate(hash_order(clauses, "real"))}
    texts = [clause if real[i] else _shuffled(clause) for i, clause in enumerate(clauses)]
    labels = [real[i] for i in range(len(clauses))]
    return _split(texts, labels, train, ("shuffled", "real"), AUSTEN)


def austen_clauses(train: bool = True) -> Texts:
    """Clauses of 5 to 12 words by Jane Austen, as she wrote them; the class is the novel.

    They are the clauses of `austen_sentences`, none of them shuffled: 17,638 for training, 1,959
    for testing.

    Source: Project Gutenberg's texts, from Debian's r-cran-janeaustenr.

    >>> from nnlib import datasets
    >>> datasets.austen_clauses(train=False).texts[0]
    'i am dear sir etc'
    """
    rows = read_rows("austen_sentences.csv")
    clauses, novels = [row["sentence"] for row in rows], [row["novel"] for row in rows]
    classes = tuple(sorted(set(novels)))
    order = hash_order(clauses, "clauses")
    chosen = [position for i, position in enumerate(order) if (i % 10 == 9) != train]
    y = np.array([classes.index(novels[position]) for position in chosen], np.int64)
    return Texts(tuple(clauses[position] for position in chosen), y, classes, AUSTEN)


def _shuffled(clause: str) -> str:
    """The clause's words in another order, always the same one for the same clause."""
    words = clause.split()
    for attempt in range(100):
        shuffled = [words[i] for i in hash_order(words, f"{clause}{attempt}")]
        if shuffled != words:
            return " ".join(shuffled)
    raise ValueError(
        f"{clause!r} cannot be shuffled: none of 100 orders differs from its own. "
        "Leave out clauses that repeat one word."
    )

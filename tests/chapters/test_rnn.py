"""The chapter on recurrent networks: its figures and captions say what its cells compute."""

from __future__ import annotations

import numpy as np
import pytest

import nnlib
from course.networks import words
from course.rnn import figures as show

RNN = words.trained("rnn")
SAID = {"title": "t", "caption": "c", "alt": "a"}


@pytest.fixture(scope="module")
def reading():
    return show.reading(RNN, "thinking", **SAID)


def test_the_figure_reads_as_the_network_does(reading) -> None:
    answer = RNN(words.codes(["thinking"])).softmax(-1)[0].detach().numpy()
    assert np.allclose(reading.outputs()["p_here"], answer, atol=1e-3)


def test_the_answer_wavers_as_its_alternative_text_says(reading) -> None:
    best = np.asarray(reading.outputs()["p"])[:8].argmax(1)
    assert [words.LANGUAGES[best[t]] for t in (0, 1, 7)] == ["dutch", "english", "english"]


def test_one_edited_weight_is_edited_in_every_copy(reading) -> None:
    w = RNN.cell.weight_hh_l0.detach().numpy().copy()
    before = np.asarray(reading.outputs()["h"])
    w[3, 5] += 0.5
    after = np.asarray(reading.outputs(w_hh=w)["h"])
    moved = np.abs(after - before).max(1)
    assert moved[0] == 0  # no state came before the first letter
    assert (moved[1:8] > 1e-3).all()


def test_without_w_hh_only_the_last_letter_counts(reading) -> None:
    h = np.asarray(reading.outputs(scale=0.0)["h"])
    assert np.allclose(h[2], h[5], atol=1e-6)  # the two i of thinking


@pytest.mark.parametrize(
    ("scale", "bend", "low", "high"),
    [(0.3, "tanh", 0, 0.001), (1.0, "tanh", 0.01, 0.2), (1.5, "tanh", 0.5, 2),
     (2.0, "none", 100, 1e4)],
)  # fmt: skip
def test_a_changed_letter_fades_stays_or_blows_up(scale, bend, low, high) -> None:
    figure = show.ripple(RNN, "strawberry", "o", 2, **SAID)
    seen = figure.outputs(scale=scale, bend=bend)
    gap = np.asarray(seen["gap"])
    assert (gap[:2] == 0).all() and gap[2] > 1
    assert low < float(seen["kept"]) < high
    assert float(seen["kept"]) == pytest.approx(gap[9] / gap[2], rel=1e-4)


def test_gradients_go_with_powers_of_the_spectral_radius() -> None:
    figure = show.in_time(show.turned(), **SAID)
    for rho in (0.8, 1.2):
        seen = figure.outputs(rho=rho, z=0.0)
        norms = np.asarray(seen["linear"])
        assert np.allclose(norms[:-1] / norms[1:], rho, rtol=1e-3)
        assert float(seen["linear_first"]) == pytest.approx(rho**39, rel=1e-2)
        assert float(seen["tanh_first"]) < float(seen["linear_first"])
        assert float(seen["gated_first"]) == pytest.approx(float(seen["tanh_first"]), rel=1e-3)
    kept = figure.outputs(rho=0.8, z=1.0)
    assert float(kept["gated_first"]) == pytest.approx(1, rel=1e-3)


def written(figure, **inputs) -> list[str]:
    codes = np.asarray(figure.outputs(**inputs)["w"]).astype(int)
    return ["".join(map(chr, row)).split(" ")[0] for row in codes]


def test_cold_writing_returns_to_a_few_words_and_warm_writing_does_not() -> None:
    figure = show.writing(words.trained("writer"), **SAID)
    cold, warm = (
        {word for batch in range(10) for word in written(figure, temperature=t, batch=batch)}
        for t in (0.1, 0.7)
    )
    assert len(cold) < 25 < 55 < len(warm)  # of sixty


def test_words_begin_as_typed_and_letters_have_probabilities() -> None:
    figure = show.writing(words.trained("writer"), **SAID)
    assert all(word.startswith("qu") for word in written(figure, start="qu"))
    after = np.asarray(figure.outputs(start="q")["next"])
    assert after.sum() == pytest.approx(1, abs=1e-4)
    assert words.LETTERS[after.argmax()] == "u"


def test_the_writers_own_words_look_like_their_language() -> None:
    """A reader that has never seen them tells the writer's words apart as it does real ones."""
    figure = show.writing(words.trained("writer"), **SAID)
    right, total = 0, 0
    reader = words.trained("gru")
    for language in range(4):
        for batch in range(5):
            made = [w for w in written(figure, language=language, batch=batch) if w]
            with nnlib.no_grad():
                right += int((reader(words.codes(made)).argmax(-1).numpy() == language).sum())
            total += len(made)
    assert right / total > 0.75

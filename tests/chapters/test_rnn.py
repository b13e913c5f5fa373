"""The chapter on recurrent networks: its figures and stored results agree with its networks."""

from __future__ import annotations

import numpy as np
import pytest

import nnlib
from course.networks import words
from course.rnn import figures as show
from course.rnn import read_outs, recall, seeds
from nnlib import live

RNN = words.trained("rnn")
TEXTS = {"title": "t", "caption": "c", "alt": "a"}


@pytest.fixture(scope="module")
def reading():
    return show.reading(RNN, "thinking", **TEXTS)


def question(name: str):
    return live.predict("?", name=name, choices=["yes", "no"], answer=0)


# --- reading --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("word", "h", "p"), [("ab", 0.2359, 0.3117), ("ba", 0.6618, 0.6190)])
def test_the_two_letter_figure_computes_what_the_text_does_by_hand(word, h, p) -> None:
    outputs = show.two_letters(**TEXTS).outputs(word=word)
    assert float(outputs["last"]) == pytest.approx(h, abs=1e-4)
    assert float(outputs["p"]) == pytest.approx(p, abs=1e-4)


def test_without_the_old_states_weight_only_the_last_letter_counts() -> None:
    figure = show.two_letters(**TEXTS)
    ends = [float(figure.outputs(word=word, w_h=0.0)["last"]) for word in ("ab", "bb")]
    assert ends[0] == pytest.approx(ends[1])


def test_the_figure_reads_as_the_network_does(reading) -> None:
    answer = RNN(words.codes(["thinking"])).softmax(-1)[0].detach().numpy()
    assert np.allclose(reading.outputs()["p_here"], answer, atol=1e-3)


def test_the_opening_question_is_answered_correctly(reading) -> None:
    outputs = reading.outputs()
    assert float(np.asarray(outputs["p_here"])[1]) > 0.9
    so_far = np.asarray(outputs["so_far"])[:8].argmax(1)
    assert (so_far[1:4] == 1).all()  # English from the second letter on, as its alt text says


def test_answers_so_far_are_better_than_nn3s_after_three_letters() -> None:
    test = words.language_words(train=False)
    table = words.codes(test.texts)
    with nnlib.no_grad():
        third = RNN.cell(words.one_hot(table))[0][:, 2]
        right = [
            float((head(third).argmax(-1).numpy() == test.y).mean())
            for head in (RNN.so_far, RNN.head)
        ]
    assert right[0] > right[1] + 0.1


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


# --- gradients and changes in time ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("scale", "g", "low", "high"),
    [(0.3, "tanh", 0, 0.001), (1.0, "tanh", 0.6, 0.75), (2.0, "none", 100, 1e5)],
)
def test_a_changed_letter_fades_stays_or_blows_up(scale, g, low, high) -> None:
    figure = show.ripple(RNN, "strawberry", "o", 2, **TEXTS)
    outputs = figure.outputs(scale=scale, g=g)
    gap = np.asarray(outputs["gap"])
    assert (gap[:2] == 0).all() and gap[2] > 0.5
    assert low < float(outputs["ratio"]) < high
    assert float(outputs["ratio"]) == pytest.approx(gap[9] / gap[2], rel=1e-4)


def test_gradients_change_by_powers_of_the_singular_value() -> None:
    figure = show.in_time(show.random_orthogonal(), **TEXTS)
    for s in (0.8, 1.2):
        outputs = figure.outputs(s=s, z=0.0)
        norms = np.asarray(outputs["linear"])
        assert np.allclose(norms[:-1] / norms[1:], s, rtol=1e-3)
        assert float(outputs["linear_first"]) == pytest.approx(s**39, rel=1e-2)
        assert float(outputs["tanh_first"]) < float(outputs["linear_first"])
        assert float(outputs["gated_first"]) == pytest.approx(
            float(outputs["tanh_first"]), rel=1e-3
        )
    gated = figure.outputs(s=0.8, z=1.0)
    assert float(gated["gated_first"]) == pytest.approx(1, rel=1e-3)


def test_a_small_spectral_radius_does_not_bound_the_gradient() -> None:
    figure = show.two_promises(question("grows"), **TEXTS)
    assert abs(np.linalg.eigvals(show.GROWS)).max() == pytest.approx(0.5, abs=1e-3)
    assert float(figure.outputs(d1=1.0, d2=1.0)["last"]) < 0.01
    saturated = np.asarray(figure.outputs(d1=1.0, d2=0.0)["size"])
    assert saturated[15] / saturated[5] == pytest.approx(2.5**10, rel=1e-3)
    assert (saturated <= np.linalg.svd(show.GROWS)[1][0] ** np.arange(16) + 1e-3).all()


# --- gates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("z", "left"), [(0.0, 0.0), (0.9, 0.9**7), (1.0, 1.0)])
def test_the_update_gate_keeps_a_power_of_itself(z: float, left: float) -> None:
    figure = show.update_gate(question("held"), **TEXTS)
    gates = np.full((1, show.GATE_STEPS), z, np.float32)
    gates[0, 0] = 0
    outputs = figure.outputs(z=gates)
    assert float(outputs["left"]) == pytest.approx(left, abs=1e-5)
    if z == 1:
        assert np.allclose(outputs["h"], show.PROPOSED[0])
    if z == 0:
        assert np.allclose(outputs["h"], show.PROPOSED)


def test_a_closed_reset_gate_hides_the_old_state() -> None:
    figure = show.reset_gate(**TEXTS)
    assert np.ptp(np.asarray(figure.outputs(r=0.0)["line"])) < 1e-6
    assert float(figure.outputs(r=1.0, x=0.5, h=-0.6)["n"]) == pytest.approx(-0.604, abs=1e-3)


def test_an_lstms_gradient_reaches_its_old_memory_only_through_the_forget_gate() -> None:
    figure = show.lstm_step(**TEXTS)
    outputs = figure.outputs()
    assert float(outputs["new"]) == pytest.approx(2.1) and float(outputs["h"]) == pytest.approx(
        0.776, abs=1e-3
    )
    for f in (0.0, 0.5, 1.0):
        outputs = figure.outputs(f=f)
        assert float(outputs["d_c"]) == pytest.approx(f * float(outputs["d_new"]), abs=1e-6)


# --- results over seeds ---------------------------------------------------------------------------


def test_shipped_readers_are_the_first_of_their_five_seeds() -> None:
    for name, runs in seeds.results().items():
        assert runs[0] == pytest.approx(seeds.both(words.trained(name)), abs=0.005), name


def test_recall_over_forty_letters_needs_a_gate_that_starts_open() -> None:
    forty = {name: np.array(runs[3]) for name, runs in recall.results().items()}
    assert (forty["RNN"] < 0.6).sum() >= 4 and (forty["GRU"] < 0.6).all()
    assert (forty["GRU, gates open"] > 0.98).all()


def test_a_cell_trained_with_nn3_alone_keeps_less_about_beginnings() -> None:
    retrained = {cell: np.array(runs) for cell, runs in read_outs.results().items()}
    assert retrained["NN3 alone"][:, 1].max() < retrained["both questions"][:, 1].min()
    test = words.language_words(train=False)
    with nnlib.no_grad():
        third = RNN.cell(words.one_hot(words.codes(test.texts)))[0][:, 2]
        shipped = float((RNN.head(third).argmax(-1).numpy() == test.y).mean())
    assert retrained["both questions"][0, 0] == pytest.approx(shipped, abs=0.005)


@pytest.mark.slow
def test_a_late_read_out_gives_its_stored_accuracy() -> None:
    stored = read_outs.results()["NN3 alone"][0]
    assert read_outs.third_letter("NN3 alone", 0) == pytest.approx(stored, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(recall.NETWORKS))
def test_a_recall_run_gives_its_stored_accuracy(name: str) -> None:
    stored = recall.results()[name][1][0]
    assert recall.accuracy(recall.train(name, 10, 0), 10) == pytest.approx(stored, abs=0.05)


# --- writing --------------------------------------------------------------------------------------


def written(figure, **inputs) -> list[str]:
    codes = np.asarray(figure.outputs(**inputs)["w"]).astype(int)
    return ["".join(map(chr, row)).split(" ")[0] for row in codes]


def test_cold_writing_returns_to_a_few_words_and_warm_writing_does_not() -> None:
    figure = show.writing(words.trained("writer"), **TEXTS)
    cold, warm = (
        {word for batch in range(10) for word in written(figure, temperature=t, batch=batch)}
        for t in (0.1, 0.7)
    )
    assert len(cold) < 25 < 55 < len(warm)  # of sixty


def test_words_begin_as_typed_and_letters_have_probabilities() -> None:
    figure = show.writing(words.trained("writer"), **TEXTS)
    assert all(word.startswith("qu") for word in written(figure, start="qu"))
    after = np.asarray(figure.outputs(start="q")["next"])
    assert after.sum() == pytest.approx(1, abs=1e-4)
    assert words.LETTERS[after.argmax()] == "u"


def test_the_writers_own_words_look_like_their_language() -> None:
    """A network that was not trained on these words recognises the languages of most of them."""
    figure = show.writing(words.trained("writer"), **TEXTS)
    right, total = 0, 0
    reader = words.trained("gru")
    for language in range(4):
        for batch in range(5):
            new_words = [w for w in written(figure, language=language, batch=batch) if w]
            with nnlib.no_grad():
                right += int((reader(words.codes(new_words)).argmax(-1).numpy() == language).sum())
            total += len(new_words)
    assert right / total > 0.75

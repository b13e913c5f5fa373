"""The closing chapter: its table comes from the networks, its figures say what they compute."""

from __future__ import annotations

import pytest

import nnlib
from course.kit.counting import cost, numbers, path, products
from course.networks import digits, words
from course.next import checks
from course.next import figures as show
from nnlib import datasets, live, nn

SAID = {"title": "t", "caption": "c", "alt": "a"}


def question() -> live.Part:
    return live.predict("Which?", name="which", choices=["one", "two", "three"], answer=1)


def test_shapes_on_the_way_leave_out_what_changes_nothing() -> None:
    cnn = digits.trained("two pools")
    shapes = path(cnn, nnlib.zeros(1, 1, 28, 28)).split(" → ")
    assert shapes == ["1×28×28", "8×28×28", "8×14×14", "16×14×14", "16×7×7", "784", "10"]


def test_a_convolutions_products_are_weights_times_windows() -> None:
    layer = nn.Conv2d(2, 3, 5)
    count = products(lambda x: layer(x), x=nnlib.zeros(1, 2, 9, 9))
    assert count == 3 * 2 * 5 * 5 * (9 - 4) ** 2
    of = cost(layer, nnlib.zeros(1, 2, 9, 9))
    assert (of.multiplications, of.uses, of.longest) == (count, 25, 1)


def test_a_residual_connection_is_a_shorter_path_and_products_of_data_use_no_weight() -> None:
    matrix = nnlib.ones(3, 3)
    of = cost(lambda x: x + (x @ matrix) @ x, nnlib.zeros(3, 3))
    assert (of.shortest, of.longest) == (0, 2)
    assert (of.multiplications, of.by_weights, of.weights, of.uses) == (54, 27, 9, 3)


RNN, LOOK = words.trained("rnn"), words.trained("attention")


def recurrent(letters: nnlib.Tensor) -> nnlib.Tensor:
    return RNN.head(RNN.cell(letters)[0][:, -1])


def attending(letters: nnlib.Tensor) -> nnlib.Tensor:
    x = letters @ LOOK.letters
    x = x + LOOK.look(x, nnlib.ones(1, x.shape[1])) @ LOOK.value(x)
    return LOOK.head(LOOK.hidden(x).relu().mean(1))


@pytest.mark.parametrize("T", [5, 12, 40])
def test_the_growing_texts_curves_are_the_networks_own_counts(T: int) -> None:
    letters = nnlib.zeros(1, T, 26)
    of = {"rnn": cost(recurrent, letters), "look": cost(attending, letters)}
    assert of["rnn"].multiplications == show.recurrent(T)
    assert of["look"].multiplications == show.attending(T)
    assert (of["rnn"].shortest, of["rnn"].longest) == (2, T + 1)
    assert (of["look"].shortest, of["look"].longest) == (3, 6)


def test_the_figure_of_growing_texts_counts_at_its_slider() -> None:
    seen = show.growing(question(), **SAID).outputs(T=1200.0)
    assert float(seen["look"]) == pytest.approx(show.attending(1200), rel=1e-5)
    assert float(seen["way"]) == 1201
    assert float(seen["times"]) == pytest.approx(59.3, abs=0.1)


def test_the_bars_of_uses_are_read_out_as_well() -> None:
    asked = question()
    figure = show.uses({"MLP": 1.0, "CNN": 70.44}, asked, **SAID)
    assert all(isinstance(part, live.Part) for part in asked.fields["reveal"])
    assert "MLP 1.0, CNN 70.4" in str(figure.spec)


def test_every_image_of_noise_is_labelled_with_both_networks_answers() -> None:
    p = nnlib.tensor([[0.1, 0.9], [0.75, 0.25]])
    figure = show.noise(nnlib.zeros(2, 1, 28, 28), {"MLP": p, "CNN": p}, question(), **SAID)
    assert "MLP 1: 0.90 / CNN 1: 0.90" in str(figure.spec)
    assert "MLP 0: 0.75 / CNN 0: 0.75" in str(figure.spec)


def test_three_merges_make_low_one_token_as_the_text_works_out() -> None:
    words_in_pieces = {"low": ["low"], "lower": ["lowe", "r"], "lowest": ["lowe", "s", "t"]}
    for word, pieces in words_in_pieces.items():
        merged = list(word)
        for pair in (("l", "o"), ("lo", "w"), ("low", "e")):
            merged = checks.merged(merged, pair)
        assert merged == pieces


def test_chosen_signs_fool_the_mlp_where_random_ones_do_not() -> None:
    test = datasets.digits(train=False)
    image, label = nnlib.tensor(test.x[1:2]), nnlib.tensor(test.y[1:2])
    figure = show.attacked(digits.trained("mlp"), image, label, **SAID)
    assert int(figure.outputs(hundredths=0, gradient=True)["answer"]) == 6
    assert int(figure.outputs(hundredths=10, gradient=False)["answer"]) == 6
    seen = figure.outputs(hundredths=10, gradient=True)
    assert int(seen["answer"]) == 2
    change = nnlib.tensor(seen["seen"]) - image.reshape(28, 28)
    assert float(change.abs().max()) == pytest.approx(0.1, abs=1e-6)


def test_the_figure_of_merges_starts_with_the_three_by_hand_and_ends_with_whole_words() -> None:
    spec = str(show.merging(["low", "low", "lower", "lowest"], "slower", **SAID).spec)
    assert "Merge 3, of low e (2 ×): low | low | lowe r | lowe s t. The new word: s lowe r." in spec
    assert "low | low | lower | lowest. The new word: s lower." in spec


def test_the_new_row_is_what_counting_finds() -> None:
    kernels, head = nn.Conv2d(1, 10, (5, 26), padding=(2, 0)), nn.Linear(10, 4)
    of = cost(lambda x: head(kernels(x).relu().amax(2).flatten(1)), nnlib.zeros(1, 1, 12, 26))
    row = (numbers(kernels, head), of.multiplications, of.uses, of.longest)
    assert row == checks.row.like and of.shortest == 2


def test_scrambled_pixels_cost_the_cnn_what_the_table_says() -> None:
    test = datasets.digits(train=False)
    as_they_are, said = nnlib.tensor(test.x), nnlib.tensor(test.y)
    for net, both in {"mlp": (93.5, 93.6), "two pools": (96.8, 87.5)}.items():
        for name, x, right in zip(
            (net, f"{net} scrambled"),
            (as_they_are, digits.scrambled(as_they_are)),
            both,
            strict=True,
        ):
            assert 100 * digits.accuracy(digits.trained(name), x, said) == pytest.approx(right)

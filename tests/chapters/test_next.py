"""The closing chapter: its table and its figures agree with the networks."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

import nnlib
import nnlib.nn.functional as F
from course.kit.counting import cost, layer_shapes, multiplication_count, parameter_count
from course.networks import digits, words
from course.networks.drawn_digits import centred
from course.next import checks
from course.next import figures as show
from course.next.drawings import drawings
from course.next.pieces import MERGES
from nnlib import datasets, live, nn

TEXTS = {"title": "t", "caption": "c", "alt": "a"}


def question() -> live.Part:
    return live.predict("Which?", name="which", choices=["one", "two", "three"], answer=1)


def test_the_path_of_shapes_leaves_out_layers_that_keep_the_shape() -> None:
    cnn = digits.trained("two pools")
    shapes = layer_shapes(cnn, nnlib.zeros(1, 1, 28, 28)).split(" → ")
    assert shapes == ["1×28×28", "8×28×28", "8×14×14", "16×14×14", "16×7×7", "784", "10"]


def test_a_convolutions_multiplications_are_weights_times_windows() -> None:
    layer = nn.Conv2d(2, 3, 5)
    count = multiplication_count(lambda x: layer(x), x=nnlib.zeros(1, 2, 9, 9))
    assert count == 3 * 2 * 5 * 5 * (9 - 4) ** 2
    counted = cost(layer, nnlib.zeros(1, 2, 9, 9))
    assert (counted.multiplications, counted.uses, counted.longest) == (count, 25, 1)


def test_a_residual_connection_is_a_shorter_path_and_products_of_data_use_no_weight() -> None:
    matrix = nnlib.ones(3, 3)
    counted = cost(lambda x: x + (x @ matrix) @ x, nnlib.zeros(3, 3))
    assert (counted.shortest, counted.longest) == (0, 2)
    assert (counted.multiplications, counted.by_weights, counted.weights, counted.uses) == (
        54,
        27,
        9,
        3,
    )


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
    counted = {"rnn": cost(recurrent, letters), "attention": cost(attending, letters)}
    assert counted["rnn"].multiplications == show.rnn_multiplications(T)
    assert counted["attention"].multiplications == show.attention_multiplications(T)
    assert (counted["rnn"].shortest, counted["rnn"].longest) == (2, T + 1)
    assert (counted["attention"].shortest, counted["attention"].longest) == (3, 6)


def test_the_figure_of_growing_texts_counts_at_its_slider() -> None:
    outputs = show.growing_text(question(), **TEXTS).outputs(T=1200.0)
    assert float(outputs["attention"]) == pytest.approx(
        show.attention_multiplications(1200), rel=1e-5
    )
    assert float(outputs["path"]) == 1201
    assert float(outputs["times"]) == pytest.approx(59.3, abs=0.1)


def test_the_bars_of_uses_are_also_given_as_text() -> None:
    prediction = question()
    figure = show.uses_of_a_weight({"MLP": 1.0, "CNN": 70.44}, prediction, **TEXTS)
    assert all(isinstance(part, live.Part) for part in prediction.fields["reveal"])
    assert "MLP 1.0, CNN 70.4" in str(figure.spec)


def test_every_image_of_noise_is_labelled_with_both_networks_answers() -> None:
    p = nnlib.tensor([[0.1, 0.9], [0.75, 0.25]])
    images = nnlib.zeros(2, 1, 28, 28)
    figure = show.images_of_noise(images, {"MLP": p, "CNN": p}, question(), **TEXTS)
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
    figure = show.image_under_attack(digits.trained("mlp"), image, label, **TEXTS)
    assert int(figure.outputs(hundredths=0, gradient=True)["answer"]) == 6
    assert int(figure.outputs(hundredths=10, gradient=False)["answer"]) == 6
    outputs = figure.outputs(hundredths=10, gradient=True)
    assert int(outputs["answer"]) == 2
    change = nnlib.tensor(outputs["image"]) - image.reshape(28, 28)
    assert float(change.abs().max()) == pytest.approx(0.1, abs=1e-6)


NOISE = nnlib.tensor(np.random.default_rng(0).random((50, 1, 28, 28)).astype("float32"))


@pytest.fixture(scope="module")
def drawing_figure() -> live.Figure:
    test = nnlib.tensor(datasets.digits(train=False).x[:200])
    nets = digits.trained("mlp"), digits.trained("two pools")
    return show.not_a_digit(*nets, test, NOISE, **TEXTS)


@pytest.mark.parametrize("name", drawings())
def test_a_drawing_gets_the_shipped_networks_answers(
    drawing_figure: live.Figure, name: str
) -> None:
    outputs = drawing_figure.outputs(drawing=drawings()[name])
    image = centred(drawings()[name])[None, None]
    for key, net in (("mlp", "mlp"), ("cnn", "two pools")):
        p = digits.logits(digits.trained(net), image).softmax(1)[0].numpy()
        assert outputs[key] == pytest.approx(p, abs=1e-3), net
        assert int(outputs[f"{key}_digit"]) == p.argmax()


def test_a_house_is_accepted_as_a_0_and_an_empty_pad_is_refused(
    drawing_figure: live.Figure,
) -> None:
    house, nothing = (drawing_figure.outputs(drawing=drawings()[k]) for k in ("a house", "nothing"))
    for net in ("mlp", "cnn"):
        assert int(house[f"{net}_digit"]) == 0 and house[f"{net}_p"] > 0.97
        assert house[f"{net}_accepts"] and not house[f"{net}_refuses"]
        assert nothing[f"{net}_refuses"] and nothing[f"{net}_p"] < 0.2


@pytest.mark.parametrize("threshold", [0.5, 0.57, 0.9, 0.99])
def test_the_threshold_counts_what_each_network_refuses(
    drawing_figure: live.Figure, threshold: float
) -> None:
    outputs = drawing_figure.outputs(threshold=threshold)
    images = {"digits": nnlib.tensor(datasets.digits(train=False).x[:200]), "noise": NOISE}
    for key, net in (("mlp", "mlp"), ("cnn", "two pools")):
        for source, x in images.items():
            best = digits.logits(digits.trained(net), x).softmax(1).amax(1)
            refused = (best <= threshold).sum().item()
            assert int(outputs[f"{key}_{source}"]) == refused, (net, source)


def test_before_its_first_step_neither_network_is_better_than_a_guess() -> None:
    train = datasets.digits()
    x, y = nnlib.tensor(train.x[:1000]), nnlib.tensor(train.y[:1000])
    for seed in range(5):
        nnlib.manual_seed(seed)
        for make in (digits.mlp, digits.two_pools):
            loss = F.cross_entropy(digits.logits(make(), x), y).item()
            assert loss == pytest.approx(np.log(10), abs=0.05), (seed, make.__name__)


# --- merges -------------------------------------------------------------------------------------


def merges_by_lists(text: str, new: str) -> list[tuple[str, int, str, str]]:
    """For each number of merges: the pair, how often it occurs, the words and the new word."""
    pieces, cut = [list(word) for word in text.split()], list(new)
    states = [("", 0)]
    lines = [(" | ".join(map(" ".join, pieces)), " ".join(cut))]
    while counts := Counter(pair for word in pieces for pair in pairwise(word)):
        pair, times = counts.most_common(1)[0]
        pieces, cut = [checks.merged(word, pair) for word in pieces], checks.merged(cut, pair)
        states.append((" ".join(pair), times))
        lines.append((" | ".join(map(" ".join, pieces)), " ".join(cut)))
    return [(*state, *line) for state, line in zip(states, lines, strict=True)]


def spelled(codes: np.ndarray) -> str:
    return "".join(map(chr, np.ravel(codes))).strip()


def random_texts(count: int) -> list[tuple[str, str]]:
    rng = np.random.default_rng(0)

    def random_text(letters: str, longest: int) -> str:
        return "".join(rng.choice(list(letters), rng.integers(0, longest + 1)))

    return [(random_text("aabc  ", 40), random_text("abc", 12)) for _ in range(count)]


MERGING = show.byte_pair_merges("low low lower lowest", "slower", **TEXTS)
TONGUE_TWISTER = "she sells sea shells by the sea shore"


@pytest.mark.parametrize(
    ("text", "new"),
    [("low low lower lowest", "slower"), (TONGUE_TWISTER, "seashell"),
     ("aaaaaaa aaaa aaa", "aaaaa"), ("banana  bandana ", "ananas"), ("a" * 40, "a" * 12),
     *random_texts(12)],
)  # fmt: skip
def test_typed_words_are_merged_as_lists_of_pieces_are(text: str, new: str) -> None:
    expected = merges_by_lists(text, new)
    for merges in range(MERGES + 1):
        outputs = MERGING.outputs(text=text, new=new, merges=merges)
        *_, words_cut, new_cut = expected[min(merges, len(expected) - 1)]
        assert (spelled(outputs["words"]), spelled(outputs["other"])) == (words_cut, new_cut), (
            merges
        )
        pair, times, *_ = expected[merges] if merges < len(expected) else ("", 0)
        assert (spelled(outputs["pair"]), int(outputs["times"])) == (pair, times), merges
        assert int(outputs["last"]) == min(len(expected) - 1, MERGES)


def test_the_pieces_that_the_text_names_are_found_in_the_tongue_twister() -> None:
    outputs = MERGING.outputs(text=TONGUE_TWISTER, new="seashell", merges=8)
    pieces = [spelled(row) for row in outputs["made"]]
    assert (pieces[1:3], pieces[6], pieces[8]) == (["sh", "se"], "sea", "shells")
    assert spelled(outputs["other"]) == "sea she ll"
    times = [int(MERGING.outputs(text=TONGUE_TWISTER, merges=m)["times"]) for m in range(1, 11)]
    assert times == [3, 3, 2, 2, 2, 2, 1, 1, 1, 1]  # from the seventh on, ties decide
    foreign = MERGING.outputs(text=TONGUE_TWISTER, new="szczecin", merges=MERGES)
    assert spelled(foreign["other"]) == "s z c z e c i n"


def test_the_tokens_become_fewer_as_the_bars_show() -> None:
    outputs = MERGING.outputs(merges=6)
    assert outputs["counts"][:7].tolist() == [17, 13, 9, 7, 6, 5, 4] and int(outputs["tokens"]) == 4
    assert (spelled(outputs["words"]), spelled(outputs["other"])) == (
        "low | low | lower | lowest",
        "s lower",
    )


@pytest.mark.parametrize(
    ("text", "merges", "shown"),
    [("", 3, set()), ("   ", 0, set()), ("a b", 0, {"some", "alone", "start"}),
     ("a b", 2, {"some", "alone"}), ("ab", 0, {"some", "start"}), ("ab", 1, {"some", "merged"}),
     ("ab", 2, {"some", "over"})],
)  # fmt: skip
def test_the_messages_fit_the_typed_words(text: str, merges: int, shown: set[str]) -> None:
    outputs = MERGING.outputs(text=text, new="", merges=merges)
    flags = {"some", "alone", "start", "merged", "over", "typed"}
    assert {name for name in flags if outputs[name]} == shown


def test_the_new_row_has_the_counted_numbers() -> None:
    kernels, head = nn.Conv2d(1, 10, (5, 26), padding=(2, 0)), nn.Linear(10, 4)
    counted = cost(lambda x: head(kernels(x).relu().amax(2).flatten(1)), nnlib.zeros(1, 1, 12, 26))
    row = (parameter_count(kernels, head), counted.multiplications, counted.uses, counted.longest)
    assert row == checks.row.solution and counted.shortest == 2


def test_scrambled_pixels_cost_the_cnn_as_much_as_the_table_shows() -> None:
    test = datasets.digits(train=False)
    as_they_are, labels = nnlib.tensor(test.x), nnlib.tensor(test.y)
    for net, percentages in {"mlp": (93.5, 93.6), "two pools": (96.8, 87.5)}.items():
        for name, x, percentage in zip(
            (net, f"{net} scrambled"),
            (as_they_are, digits.scrambled(as_they_are)),
            percentages,
            strict=True,
        ):
            accuracy = digits.accuracy(digits.trained(name), x, labels)
            assert 100 * accuracy == pytest.approx(percentage)

"""The chapter on attention: its tasks, its stored results, and its figures."""

from __future__ import annotations

import numpy as np
import pytest

import nnlib
import nnlib.nn.functional as F
from course.attention import figures as show
from course.attention import recall, tasks, variants, written
from nnlib import live

TEXTS = {"title": "t", "caption": "c", "alt": "a"}


def quiz_question() -> object:
    return live.predict("Which?", name="ask", choices=["a", "b", "c"], answer=0)


@pytest.fixture(scope="module")
def trained_network():
    nnlib.manual_seed(0)
    net = tasks.Finder()
    losses = tasks.fit(net, variants.batches(0), 400)
    return net, losses


def test_a_question_asks_for_one_of_its_letters_and_the_answer_follows_it() -> None:
    x, y = tasks.lookups(200, seed=3)
    assert x.shape == (200, 9)
    for row, answer in zip(x, y, strict=True):
        assert row[list(row[:8]).index(row[8]) + 1] == answer
        assert len(set(row[0:8:2])) == 4


def test_two_layers_learn_the_look_up_with_the_stored_losses(trained_network) -> None:
    net, losses = trained_network
    assert tasks.accuracy(net, *tasks.lookups(1000, seed=10**6)) == 1.0
    stored = variants.results()["two layers"]
    mean_losses = np.array(losses).reshape(-1, 10).mean(1)  # means of ten steps
    assert np.allclose(mean_losses[:5], stored["loss"][0][:5], atol=0.01)
    assert stored["accuracy"] == [1.0] * 5


@pytest.mark.slow
def test_one_layer_stays_on_its_plateau_with_the_stored_losses() -> None:
    accuracy, mean_losses = variants.run("one layer", 0)
    stored = variants.results()["one layer"]
    assert np.allclose(mean_losses[:5], stored["loss"][0][:5], atol=0.05)
    assert accuracy == pytest.approx(stored["accuracy"][0], abs=0.03)
    assert max(variants.results()["one layer"]["accuracy"]) < 0.5


def test_the_chapters_attention_equals_the_built_in_one(trained_network) -> None:
    look, x = trained_network[0].looks[0], nnlib.randn(2, 9, 32)
    built_in = F.scaled_dot_product_attention(
        look.query(x), look.key(x), look.value(x), is_causal=True
    )
    assert (look.out(built_in) - look(x)).abs().max().item() < 1e-5


def test_two_heads_equal_the_built_in_attention_on_each_half_of_the_features() -> None:
    look, x = variants.TwoHeads(32), nnlib.randn(3, 9, 32)
    vectors = look.query(x), look.key(x), look.value(x)
    heads = [
        F.scaled_dot_product_attention(*(v[:, :, half] for v in vectors), is_causal=True)
        for half in (slice(0, 16), slice(16, 32))
    ]
    assert (look.out(nnlib.cat(heads, -1)) - look(x)).abs().max().item() < 1e-5
    assert max(variants.results()["one layer, two heads, 1200 steps"]["accuracy"]) < 0.5


def test_digits_look_at_their_letters_and_the_question_at_its_answer(trained_network) -> None:
    x, _ = tasks.lookups(500, seed=7)
    first, second = (a.detach().numpy() for a in trained_network[0].maps(nnlib.tensor(x)))
    position = (x[:, :8] == x[:, 8:]).argmax(1)
    assert np.mean([first[:, 2 * k + 1, 2 * k].mean() for k in range(4)]) > 0.4
    assert second[np.arange(500), 8, position + 1].mean() > 0.75


@pytest.mark.slow
@pytest.mark.parametrize("network", recall.KINDS)
def test_training_again_learns_recall_over_five_symbols(network) -> None:
    assert recall.trained_accuracy(network, 5, True, recall.RATES[1], 0, steps=300) > 0.9
    assert recall.best(network, 5, True)[0] > 0.95


def test_attention_alone_recalls_over_twenty_symbols_from_the_usual_start() -> None:
    assert min(recall.best("attention", 20, False)) > 0.99
    for network in ("RNN", "LSTM", "GRU"):
        assert np.mean(recall.best(network, 20, False)) < 0.75
    for network in ("RNN", "GRU"):
        assert min(recall.best(network, 20, True)) > 0.95


@pytest.mark.parametrize("length", [n for n in recall.LENGTHS if n > 20])
def test_over_more_symbols_attention_recalls_every_time_and_gated_cells_need_a_careful_start(
    length,
) -> None:
    assert recall.best("attention", length, False) == [1.0] * 5
    for network in ("LSTM", "GRU"):
        usual, careful = (recall.best(network, length, start) for start in (False, True))
        assert len(usual) == len(careful) == 5
        assert np.mean(usual) < 0.2
        assert np.mean(careful) > np.mean(usual)
    assert np.mean(recall.best("GRU", 40, True)) > 0.9


@pytest.mark.slow
def test_training_again_learns_recall_over_forty_symbols_by_attention() -> None:
    assert recall.trained_accuracy("attention", 40, False, 3e-3, 0) == 1.0


def test_the_recall_figure_shows_the_stored_means() -> None:
    figure = show.recalled(quiz_question(), **TEXTS)
    for careful in (False, True):
        outputs = figure.outputs(careful=careful)
        for network in recall.KINDS:
            accuracies = recall.best(network, 20, careful)
            mean = float(outputs[f"{network}_mean"][2])
            assert mean == pytest.approx(np.mean(accuracies), abs=1e-4)


def test_the_output_of_two_tokens_lies_between_their_values() -> None:
    figure = show.two_tokens(quiz_question(), [2, 1], [[1, 0], [0, 1]], [[3, 0], [1, 2]], **TEXTS)
    outputs = figure.outputs()
    assert np.allclose(outputs["weights"], [0.7311, 0.2689], atol=1e-4)
    assert np.allclose(outputs["out"], [2.4621, 0.5379], atol=1e-4)


def test_the_softmax_of_scores_of_many_terms_saturates_unless_they_are_divided() -> None:
    figure = show.scaled(quiz_question(), **TEXTS)
    outputs = [[figure.outputs(d=d, sample=k) for k in range(8)] for d in (4, 256)]
    largest, largest_divided = (
        [[float(o[name]) for o in by_sample] for by_sample in outputs]
        for name in ("largest", "largest_divided")
    )
    assert np.median(largest[1]) > 0.95
    assert np.median(largest_divided[1]) < 0.5


def test_the_figure_answers_as_the_network_does(trained_network) -> None:
    net = trained_network[0]
    figure = show.looking(net, "f3b7h4a6b", **TEXTS)
    outputs = figure.outputs()
    p = net(nnlib.tensor(tasks.codes("f3b7h4a6b")[None]))[0, -1].softmax(-1)[8:].detach().numpy()
    assert np.allclose(outputs["p"], p, atol=0.02)
    assert chr(int(outputs["best"])) == "7"
    assert int(outputs["position"]) == 4
    without_layer_1 = figure.outputs(on=np.array([0.0, 1.0], "f"))
    assert float(without_layer_1["weight"]) < 0.9 * float(outputs["weight"])


@pytest.mark.slow
def test_training_in_the_page_learns_the_look_up_with_two_layers_and_not_with_one() -> None:
    figure = show.training("f3b7h4a6b", **TEXTS)
    right = {}
    for layers in (2, 1):
        trained = figure.train(350, seed=0, layers=layers)
        state = {name: trained[name] for name in (*show.PARTS, "m", "v", "t")}
        right[layers] = float(figure.outputs(layers=layers, **state)["right"])
    assert right[2] > 0.95
    assert right[1] < 0.55


# ---------------------------------------------------------------- answers symbol by symbol

TASKS = {"sums": written.sums, "backwards": written.backwards}


def test_texts_are_right_and_none_is_in_both_training_and_test_set() -> None:
    for text in written.sums().train[:200]:
        a, b, answer = int(text[:2]), int(text[3:5]), text[6:]
        assert int(answer[::-1]) == a + b
    for text in written.backwards().test:
        word, answer = text.split("=")
        assert answer == word[::-1] + "."
    for make in TASKS.values():
        assert not set(make().train) & set(make().test)


@pytest.mark.parametrize("name", TASKS)
def test_the_stored_network_is_right_on_the_test_set(name) -> None:
    task = TASKS[name]()
    assert written.right(task, written.trained(name), task.test).all(1).mean() > 0.99


@pytest.mark.slow
@pytest.mark.parametrize(("name", "steps", "least"), [("sums", 700, 0.5), ("backwards", 500, 0.3)])
def test_a_shorter_training_already_gets_some_answers_right(name, steps, least) -> None:
    task = TASKS[name]()
    model = written.train(task, steps)
    assert written.right(task, model, task.test)[:, -4:].all(1).mean() > least


def test_the_equals_sign_looks_at_the_ones_and_the_letters_at_their_mirror_image() -> None:
    task = written.sums()
    x, _ = task.table(task.test[:300])
    first = written.trained("sums").look(nnlib.tensor(x))[1][0].detach().numpy()
    assert first[:, :, 5, [1, 4]].sum(-1).mean() > 0.9
    assert first[:, :, 6, [0, 3]].sum(-1).mean() > 0.8
    task = written.backwards()
    words = [text for text in task.test if text.index("=") == 6]
    x, _ = task.table(words)
    first, second = (
        m.detach().numpy() for m in written.trained("backwards").look(nnlib.tensor(x))[1]
    )
    assert first[:, 0, 6, 5].mean() > 0.9
    assert min(second[:, 1, 6 + k, 5 - k].mean() for k in range(3, 6)) > 0.9


@pytest.mark.parametrize(
    ("name", "text", "answer"),
    [("sums", "17+25=24", "240"), ("sums", "17+25=", "2"), ("sums", "17+2", ""),
     ("backwards", "wonder=redno", "rednow"), ("backwards", "", "")],
)  # fmt: skip
def test_the_answering_figure_writes_what_the_network_expects(name, text, answer) -> None:
    figure = show.answering(TASKS[name](), written.trained(name), text, **TEXTS)
    assert "".join(map(chr, figure.outputs()["written"].astype(int))).rstrip() == answer


def test_a_head_that_is_switched_off_spoils_the_ones_and_not_the_hundreds() -> None:
    figure = show.answering(written.sums(), written.trained("sums"), "64+58=22", **TEXTS)
    off = np.array([0.0, 1.0, 1.0, 1.0], np.float32)
    assert "".join(map(chr, figure.outputs()["written"].astype(int))) == "221"
    assert chr(int(figure.outputs(on=off)["written"][2])) == "1"
    task, head_mask = written.sums(), nnlib.tensor([[0.0, 1.0], [1.0, 1.0]])
    model = written.trained("sums")
    correct = written.right(task, model, task.test[:500], head_mask)[:, 5:].mean(0)
    assert correct[0] < 0.2 and correct[2] > 0.99

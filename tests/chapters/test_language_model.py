"""The chapter on language models: data, model, stored weights and results, figures."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import nnlib
import nnlib.nn.functional as F
from course.language_model import compare
from course.language_model import figures as show
from course.networks import clauses, letters, transformer
from nnlib import live
from nnlib.datasets import austen_clauses

TEXTS = {"title": "t", "caption": "c", "alt": "a"}
TEST = austen_clauses(train=False).texts
MODEL = clauses.trained()


def words_of(table) -> list[str]:
    return ["".join(map(chr, np.asarray(row).astype(int))).strip() for row in np.asarray(table)]


@pytest.fixture(scope="module")
def writing():
    return show.writing(MODEL, "i am very much", **TEXTS)


@pytest.fixture(scope="module")
def heads():
    ask = live.predict("Which?", name="ask", choices=["a", "b", "c"], answer=0)
    return show.heads(MODEL, "she was afterwards looking for", ask, **TEXTS)


def test_a_row_reads_words_and_its_targets_are_the_words_that_come_next() -> None:
    x, y = clauses.table(["she was in love"])
    assert clauses.spelled(x[0, 1:]) == "she was in love"
    assert clauses.spelled(y[0, :5]) == "she was in love"
    assert (y[0, 5:] == -100).all()


def test_the_model_is_shorter_than_eighty_lines_and_has_the_size_that_the_page_counts() -> None:
    lines = inspect.getsource(transformer).splitlines()
    assert sum(bool(line.strip()) for line in lines) < 80
    assert sum(w.numel() for w in MODEL.parameters()) == 86_352


def test_no_position_depends_on_later_ones() -> None:
    x, _ = clauses.table(TEST[:2])
    changed = x.copy()
    changed[:, 6:] = 3
    with nnlib.no_grad():
        before, after = MODEL(nnlib.tensor(x)), MODEL(nnlib.tensor(changed))
    assert np.allclose(before.numpy()[:, :6], after.numpy()[:, :6], atol=1e-5)


def test_heads_are_the_built_in_attention() -> None:
    block, x = MODEL.blocks[0], nnlib.randn(2, 7, 48)
    q, k, v = (block.heads.split(make(x))
               for make in (block.heads.query, block.heads.key, block.heads.value))  # fmt: skip
    built_in = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    joined = block.heads.out(built_in.transpose(1, 2).reshape(2, 7, 48))
    assert (joined - block.heads(x)[0]).abs().max().item() < 1e-5


def test_the_same_lines_in_pytorch_give_the_same_logits() -> None:
    torch = pytest.importorskip("torch")
    lines = inspect.getsource(transformer).replace("import nnlib\n", "import torch as nnlib\n")
    torch_names: dict = {"__name__": "transformer_in_torch"}
    exec(lines.replace("from nnlib import nn", "from torch import nn"), torch_names)
    peer = torch_names["Transformer"](clauses.CODES, clauses.LENGTH)
    peer.load_state_dict({k: torch.tensor(v.tolist()) for k, v in MODEL.state_dict().items()})
    x, _ = clauses.table(TEST[:3])
    with torch.no_grad():
        logits = peer(torch.tensor(x)).numpy()
    assert np.allclose(logits, MODEL(nnlib.tensor(x)).detach().numpy(), atol=1e-4)


def test_the_stored_model_beats_pairs_of_words() -> None:
    assert clauses.surprise(MODEL, TEST[:400]) < 3.8


@pytest.mark.slow
def test_a_short_training_learns_more_than_single_counts() -> None:
    assert clauses.surprise(clauses.train(steps=200), TEST[:400]) < 4.6


def test_each_models_rate_was_chosen_without_the_test_clauses() -> None:
    for name in (*compare.MODELS, compare.ABLATED):
        tried = {lr: compare.results()[compare.validation_key(name, lr)] for lr in compare.RATES}
        assert compare.rate(name) == min(tried, key=tried.get)


@pytest.mark.slow
def test_validating_a_rate_again_gives_the_stored_result() -> None:
    again = compare.validated("MLP", 3e-3)
    assert again == pytest.approx(compare.results()[compare.validation_key("MLP", 3e-3)], abs=0.03)


@pytest.mark.slow
def test_running_a_comparison_again_gives_the_stored_result() -> None:
    again = compare.run("MLP", 3e-3, 0)
    assert again == pytest.approx(compare.results()[compare.setting_name("MLP", 3e-3, 0)], abs=0.03)


def test_the_transformer_leads_at_this_size_and_length_of_training() -> None:
    other_losses = [min(compare.best(name)) for name in ("MLP", "RNN", "GRU")]
    assert max(compare.best("transformer")) < min(other_losses) - 0.03


def test_without_heads_a_position_depends_only_on_its_own_word() -> None:
    x, _ = clauses.table(TEST[:2])
    changed = x.copy()
    changed[:, :6] = 3
    model = clauses.network(compare.ABLATED)
    with nnlib.no_grad():
        before, after = model(nnlib.tensor(x)), model(nnlib.tensor(changed))
    assert np.allclose(before.numpy()[:, 6:], after.numpy()[:, 6:], atol=1e-6)


def test_the_heads_lower_the_perplexity_less_than_the_rest_of_the_model_does() -> None:
    with_heads = np.exp(np.mean(compare.best("transformer")))
    without = np.exp(np.mean(compare.best(compare.ABLATED)))
    assert 2 < without - with_heads < 59 - without


@pytest.mark.parametrize(
    ("text", "recognised"),
    [("i am very much", ["i", "am", "very", "much"]), ("", []),
     ("she xyzzy was", ["she", "…", "was"]),
     ("  she   was ", ["she", "was"])],
)  # fmt: skip
def test_typed_words_are_recognised(writing, text, recognised) -> None:
    shown = words_of(writing.outputs(text=text)["letters"])
    assert [word for word in shown if word] == recognised


def test_the_figure_gives_the_models_probabilities(heads) -> None:
    codes = [[clauses.END, *clauses.codes("she was afterwards looking for")]]
    p = MODEL(nnlib.tensor(codes))[0, -1].softmax(-1).detach().numpy()
    outputs = heads.outputs()
    assert np.allclose(outputs["probabilities"], np.sort(p)[::-1][:8], atol=2e-3)
    assert float(outputs["weight"]) == pytest.approx(0.68, abs=0.01)
    assert words_of(outputs["names"])[0] == "her"


def test_she_and_he_give_the_same_answer_and_the_head_matters_for_we(heads) -> None:
    off = np.ones(8, np.float32)
    off[7] = 0.0

    def her(who: str, on: np.ndarray) -> float:
        return float(heads.outputs(text=f"{who} afterwards looking for", on=on)["her"])

    on = np.ones(8, np.float32)
    assert her("she was", on) == pytest.approx(her("he was", on), abs=0.02)
    assert her("we were", off) > 2 * her("we were", on)


def test_the_words_matrix_is_sent_once_although_both_ends_use_it(writing, heads) -> None:
    halves = 4 * -(-2 * 1002 * 48 // 3)  # characters of its float16 numbers in base64
    pools = [figure.spec["pool"] for figure in (writing, heads)]
    assert [sum(len(text) == halves for text in pool) for pool in pools] == [1, 1]
    common = sum(map(len, set(pools[0]) & set(pools[1])))
    assert common > 0.9 * min(sum(map(len, pool)) for pool in pools)


def test_the_model_writes_word_by_word_until_the_end(writing) -> None:
    state: dict = {}
    for _ in range(12):
        outputs = writing.outputs(**state)
        state = {"sampled_words": outputs["new_words"], "sampled_count": outputs["new_count"],
                 "sampled_for": outputs["prompt_key"],
                 "sample_number": outputs["next_number"]}  # fmt: skip
    last = writing.outputs(**state)
    written = [word for word in words_of(last["letters"]) if word]
    assert written[:4] == ["i", "am", "very", "much"] and len(written) > 4
    assert "…" not in written and float(last["stop"]) == 1.0
    other = words_of(writing.outputs(**state, text="she was")["letters"])
    assert [word for word in other if word] == ["she", "was"]


def test_with_k_1_only_the_best_word_is_left(writing) -> None:
    most = np.asarray(writing.outputs(k=1)["probabilities"])
    assert most[0] == pytest.approx(1, abs=1e-5) and most[1:].max() < 1e-5


# ---------------------------------------------------------------- letters

MASKED, UNMASKED = letters.trained(), letters.trained(causal=False)


def question() -> object:
    return live.predict("Which?", name="ask", choices=["a", "b", "c"], answer=0)


def switched_off(block: int, head: int):
    head_mask = nnlib.ones(2, 4)
    head_mask[block, head] = 0.0
    return head_mask


def test_the_previous_letter_head_looks_one_back_and_matters_most() -> None:
    x, _ = letters.windows(np.arange(0, 6000, 60), train=False)
    back = MASKED.look(nnlib.tensor(x))[1][0].detach().numpy()
    positions = np.arange(1, letters.LENGTH)
    assert back[:, 0, positions, positions - 1].mean() > 0.7
    base = letters.surprise(MASKED)
    rises = [letters.surprise(MASKED, switched_off(b, h)) - base for b in (0, 1) for h in range(4)]
    assert rises[0] > 1 and max(rises[1:]) < 0.4


def test_without_a_mask_the_model_looks_at_its_answer() -> None:
    assert letters.surprise(UNMASKED) < 0.1 < 1.3 < letters.surprise(MASKED) < 1.5
    x, _ = letters.windows(np.arange(0, 6000, 60), train=False)
    ahead = UNMASKED.look(nnlib.tensor(x))[1][0].detach().numpy()
    positions = np.arange(letters.LENGTH - 1)
    assert ahead[:, 2, positions, positions + 1].mean() > 0.6
    last = nnlib.tensor(letters.codes("i am very muc")[None])
    h = letters.LETTERS.index("h")
    assert MASKED(last)[0, -1].softmax(-1)[h].item() > 0.8
    assert UNMASKED(last)[0, -1].softmax(-1)[h].item() < 0.5


@pytest.mark.slow
def test_letters_trained_for_a_tenth_of_the_steps_learn_pairs_and_without_a_mask_to_copy() -> None:
    assert letters.surprise(letters.train(steps=400)) < 2.1
    assert letters.surprise(letters.train(causal=False)) == pytest.approx(
        letters.surprise(UNMASKED), abs=0.02
    )


def test_the_letter_figure_shows_the_models_maps_and_what_a_switch_does() -> None:
    text = "she was quite at home there"
    figure = show.letter_heads(MASKED, text, question(), **TEXTS)
    outputs = figure.outputs()
    x = nnlib.tensor(letters.codes(text)[None])
    logits, maps = MASKED.look(x)
    p = logits[0].log_softmax(-1).detach().numpy()
    surprises = -p[np.arange(len(text) - 1), letters.codes(text)[1:]]
    assert float(outputs["mean"]) == pytest.approx(surprises.mean(), abs=2e-3)
    assert np.allclose(outputs["p"], np.exp(p[-1]), atol=2e-3)
    assert np.allclose(outputs["map"][:27, :27], maps[0][0, 0].detach().numpy(), atol=2e-3)
    off = np.ones(8, np.float32)
    off[0] = 0.0
    assert float(figure.outputs(on=off)["mean"]) > 1.3 * float(outputs["mean"])


@pytest.mark.parametrize("text", ["she was quite at home", "a", ""])
def test_the_figure_of_both_models_gives_their_surprises(text) -> None:
    outputs = show.mask_comparison(MASKED, UNMASKED, text, question(), **TEXTS).outputs()
    for name, model in (("masked", MASKED), ("unmasked", UNMASKED)):
        if len(text) < 2:
            assert np.abs(outputs[name]).max() == 0
            continue
        p = model(nnlib.tensor(letters.codes(text)[None]))[0].log_softmax(-1).detach().numpy()
        surprises = -p[np.arange(len(text) - 1), letters.codes(text)[1:]]
        assert np.allclose(outputs[name][1 : len(text)], surprises, atol=5e-3)
        assert letters.LETTERS[p[-1].argmax()] == chr(int(outputs[f"{name}_best"]))

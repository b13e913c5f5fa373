"""The chapter on deep networks: its figures agree with nnlib; its stored results come out again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nnlib
import nnlib.nn.functional as F
from course.deep import depths, memorised, rescue
from course.deep import figures as show
from nnlib import nn

FIGURE = show.sizes_by_layer(title="sizes", caption="-", alt="-")
PLAY = rescue.break_and_save(title="play", caption="-", alt="-")
ON = {"residual": True, "norm": True}


def network(depth: int, spread: float, residual: bool, norm: bool) -> tuple:
    """Sizes of activations, δ and gradients by layer, computed with nnlib's own layers."""
    weights, last = show.standard_weights()
    x, y = show.first_images()
    layers = []
    for W in weights[:depth]:
        layer = nn.Linear(32, 32, bias=False)
        layer.load_state_dict({"weight": spread * W.T / 32**0.5})
        layers.append(layer)
    h, totals, states = x, [], []
    for layer in layers:
        z = layer(F.layer_norm(h, (32,)) if norm else h)
        z.retain_grad()
        totals.append(z)
        h = h + z.relu() if residual else z.relu()
        states.append(h)
    logits = (F.layer_norm(h, (32,)) if norm else h) @ (last / 96**0.5)
    loss = F.cross_entropy(logits, y)
    loss.backward()

    def size(t: nnlib.Tensor) -> float:
        return float(np.sqrt((t.detach().numpy().astype(float) ** 2).mean()))

    deltas = [32 * size(z.grad) for z in totals]
    gradients = [size(layer.weight.grad) for layer in layers]
    return [size(h) for h in states], deltas, gradients, loss.item()


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("depth", [3, 20])
def test_the_figures_sizes_are_those_of_a_network_of_nnlib(depth, residual, norm) -> None:
    spread = 2**0.5
    outputs = FIGURE.outputs(depth=depth, spread=spread, residual=residual, norm=norm)
    activations, deltas, gradients, loss = network(depth, spread, residual, norm)
    assert np.allclose(outputs["activations"][:depth], activations, rtol=1e-3)
    assert np.allclose(outputs["deltas"][:depth], deltas, rtol=2e-3)
    assert np.allclose(outputs["gradients"][:depth], gradients, rtol=2e-3)
    assert float(outputs["loss"]) == pytest.approx(loss, rel=1e-3)


def test_layers_beyond_the_depth_repeat_the_last_one() -> None:
    outputs = FIGURE.outputs(depth=5)
    assert (outputs["at"][4:] == 5).all()
    assert (outputs["activations"][4:] == outputs["activations"][4]).all()


def test_doubled_weights_double_each_relu_layer() -> None:
    once, twice = FIGURE.outputs(spread=1.2), FIGURE.outputs(spread=2.4)
    assert np.allclose(twice["activations"] / once["activations"], 2.0 ** np.arange(1, 21))


# --- the stored results -------------------------------------------------------------------------


def test_every_setting_has_its_stored_result() -> None:
    for row, setting in zip(depths.stored(), depths.SETTINGS, strict=True):
        assert all(row[k] == v for k, v in depths.asdict(setting).items())
        assert len(row["test"]) == depths.SEEDS
        assert row["lr"] == max(depths.RATES, key=lambda lr: row["tried"][str(lr)])


RETRAINED = [
    depths.Setting(3), depths.Setting(), depths.Setting(start="he"),
    depths.Setting(start="he", norm=True), depths.Setting(**ON),
]  # fmt: skip


@pytest.mark.parametrize("setting", RETRAINED)
def test_training_the_first_seed_again_gives_the_stored_losses(setting: depths.Setting) -> None:
    row = depths.of(**depths.asdict(setting))
    again = depths.train(setting, row["lr"], seeds=1, epochs=2)
    assert np.allclose(again["loss"][:, 0], np.array(row["loss"])[:2, 0], atol=0.02)


def test_the_stored_sizes_are_measured_again() -> None:
    for setting in (RETRAINED[1], RETRAINED[2], RETRAINED[4]):
        activations, gradients = depths.sizes(setting)
        row = depths.of(**depths.asdict(setting))
        assert np.allclose(activations, row["activations"], rtol=1e-2)
        assert np.allclose(gradients[5:], row["gradients"][5:], rtol=2e-2)


def test_a_stored_result_is_found_by_its_differences_from_the_default() -> None:
    assert depths.of(depth=50, residual=True)["depth"] == 50
    with pytest.raises(StopIteration):
        depths.of(depth=7)


def test_the_training_figure_shows_the_chosen_networks_losses() -> None:
    figure = show.training_losses(depths.stored())
    outputs = figure.outputs(net=3)
    assert outputs["losses"].shape == (depths.SEEDS, depths.EPOCHS)
    assert np.allclose(outputs["losses"][:, -1], depths.stored()[3]["loss"][-1], atol=1e-3)


# --- which of the three -------------------------------------------------------------------------


def eight() -> show.live.Figure:
    question = show.live.predict("?", name="q", choices=["a", "b"], answer=0)
    return show.eight_networks(question, title="eight", caption="-", alt="-")


def test_each_bar_shows_its_own_networks_accuracy_and_sizes() -> None:
    figure = eight()
    for net, on in enumerate(show.EIGHT):
        row, outputs = show.combined(on), figure.outputs(net=net)
        assert (row["start"] == "he", row["residual"], row["norm"]) == on
        assert row["depth"] == 20 and len(row["test"]) == 10
        percent = [100 * share for share in row["test"]]
        assert np.allclose(outputs["ends"], [np.mean(percent), min(percent), max(percent)])
        assert np.allclose(outputs["activations"], row["activations"])
        assert np.allclose(outputs["gradients"], row["gradients"])
        assert outputs["chosen"].tolist() == [float(k == net) for k in range(8)]


def test_letters_name_the_switches_that_are_on() -> None:
    named = [show.letters(on) for on in show.EIGHT]
    assert named == ["–", "H", "R", "N", "HR", "HN", "RN", "HRN"]


def test_the_text_about_each_network_fits_its_sizes() -> None:
    for on, (_, description) in show.EIGHT.items():
        row = show.combined(on)
        activations, gradients = row["activations"], row["gradients"]
        grown = activations[-1] / activations[0]
        backwards = gradients[0] / gradients[-1]
        assert ("gradient vanishes" in description) == (gradients[0] < 1e-6)
        explodes = "explode" in description.replace("nothing explodes", "")
        assert explodes == (grown > 1000)
        assert ("gradient grows" in description) == (backwards > 30)
        if "sizes are kept" in description:
            assert 0.3 < grown < 3 and 0.3 < backwards < 3
        if "nothing explodes" in description:
            assert grown < 30 and backwards < 30 and gradients[-1] > 0.01


# --- break it, then save it ---------------------------------------------------------------------


def by_hand(steps: int, residual: bool, norm: bool, depth: int) -> float:
    """The loss after some steps of Adam on a network of nnlib's layers with the figure's start."""
    samples = nnlib.tensor(PLAY.train(0, seed=3)["sampled"])
    weights = [2**0.5 / 32**0.5 * W for W in samples[: rescue.HIDDEN].reshape(20, 32, 32)][:depth]
    weights.append(samples[rescue.HIDDEN :].reshape(32, 10) / 96**0.5)
    weights = [W.clone().requires_grad_() for W in weights]
    adam = nnlib.optim.Adam(weights, lr=rescue.RATE)
    x, y = show.halved(*(array[: rescue.IMAGES] for array in depths.data()["training"]))

    def loss_now() -> nnlib.Tensor:
        h = x
        for W in weights[:-1]:
            a = ((F.layer_norm(h, (32,)) if norm else h) @ W).relu()
            h = h + a if residual else a
        return F.cross_entropy((F.layer_norm(h, (32,)) if norm else h) @ weights[-1], y)

    for _ in range(steps):
        adam.zero_grad()
        loss_now().backward()
        adam.step()
    return loss_now().item()


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("depth", [4, 20])
def test_the_network_to_break_is_trained_by_adam(norm: bool, depth: int) -> None:
    chosen = {"depth": depth, "residual": norm, "norm": norm}
    after = PLAY.train(3, seed=3, **chosen)
    del after["loss"]
    outputs = PLAY.outputs(**after, **chosen)
    assert float(outputs["loss_now"]) == pytest.approx(by_hand(3, norm, norm, depth), rel=2e-3)


def answers(spread: str = "He", activation: str = "relu", depth: int = 20,
            residual: bool = False, norm: bool = False) -> np.ndarray:  # fmt: skip
    """The answers of networks with the seeds 0 to 9 to the fifty images after a hundred steps."""
    samples = np.stack([PLAY.train(0, seed=seed)["sampled"] for seed in range(10)])
    inner = rescue.STARTS[spread] / 32**0.5 * samples[:, : rescue.HIDDEN].reshape(10, 20, 32, 32)
    outer = samples[:, rescue.HIDDEN :].reshape(10, 32, 10) / 96**0.5
    arrays = [*(inner[:, k] for k in range(depth)), outer]
    weights = [nnlib.tensor(W.astype("float32"), requires_grad=True) for W in arrays]
    adam = nnlib.optim.Adam(weights, lr=rescue.RATE)
    x, y = show.halved(*(array[: rescue.IMAGES] for array in depths.data()["training"]))

    def logits() -> nnlib.Tensor:
        h = x
        for W in weights[:-1]:
            a = getattr(nnlib, activation)((F.layer_norm(h, (32,)) if norm else h) @ W)
            h = h + a if residual else a
        return (F.layer_norm(h, (32,)) if norm else h) @ weights[-1]

    for _ in range(rescue.STEPS):
        adam.zero_grad()
        (10 * F.cross_entropy(logits().reshape(-1, 10), y.repeat(10))).backward()
        adam.step()
    return logits().argmax(-1).numpy()


def correct_counts(**switches: Any) -> list[int]:
    """How many of the fifty images each of those networks classifies correctly."""
    y = depths.data()["training"][1][: rescue.IMAGES]
    return (answers(**switches) == y).sum(-1).tolist()


@pytest.mark.slow
def test_what_breaks_the_network_and_what_saves_it_holds_with_ten_seeds() -> None:
    default, lives, limps = "PyTorch’s default", rescue.LIVES, rescue.LIMPS
    assert min(correct_counts()) >= lives
    assert max(correct_counts(spread=default)) < limps
    same = answers(activation="sigmoid")
    assert (same == same[:, :1]).all()  # one answer for all images
    for saved in (
        {"spread": default, "residual": True}, {"spread": default, "depth": 5},
        {"activation": "sigmoid", "residual": True}, {"activation": "sigmoid", "norm": True}, ON,
    ):  # fmt: skip
        assert set(correct_counts(**saved)) == {50}, saved
    for varying in ({"residual": True}, {"spread": default, "norm": True}):  # rounding decides
        right = correct_counts(**varying)
        assert min(right) < lives < max(right), varying


@pytest.mark.slow
def test_a_verdict_waits_for_the_last_step_and_for_a_rewind() -> None:
    start = PLAY.train(0, seed=1)
    del start["loss"]
    half = PLAY.train(2, seed=1)
    del half["loss"]
    assert PLAY.outputs(**start)["running"] and PLAY.outputs(**half)["running"]
    verdicts = ("running", "lives", "limps", "broken", "changed")
    late = PLAY.outputs(**half, residual=True)
    assert [name for name in verdicts if late[name]] == ["changed"]
    done = start | {"t": np.array(100.0), "began": half["began"]}
    ends = PLAY.outputs(**done)
    assert int(ends["right"]) < rescue.LIMPS
    assert [name for name in verdicts if ends[name]] == ["broken"]


# --- the check of ten images --------------------------------------------------------------------


def test_ten_images_distinguish_a_good_network_from_a_bad_one_with_ten_seeds(chapter: dict) -> None:
    images = [array[:10] for array in (chapter["x"], chapter["y"])]
    default_start, he_start = [], []
    for seed in range(10):
        nnlib.manual_seed(seed)
        default_start.append(chapter["deep"](20))
        he_start.append(chapter["he_start"](chapter["deep"](20)))
    assert min(memorised.losses(default_start, *images)) > 1
    assert max(memorised.losses(he_start, *images)) < 0.1
    assert max(memorised.losses(he_start, *images, "labels")) < 0.05
    for mistake in ("zero_grad", "step", "softmax"):
        assert min(memorised.losses(he_start, *images, mistake)) > 1, mistake


def test_a_relu_on_the_logits_escapes_with_about_a_third_of_forty_seeds(chapter: dict) -> None:
    """Rounding decides which seeds escape, but hardly changes how many."""
    images = [array[:10] for array in (chapter["x"], chapter["y"])]
    nets = []
    for seed in range(40):
        nnlib.manual_seed(seed)
        nets.append(chapter["he_start"](chapter["deep"](20)))
    last_losses = np.array(memorised.losses(nets, *images, "relu"))
    assert 9 <= (last_losses < 0.05).sum() <= 18
    assert last_losses[last_losses >= 0.05].min() > 0.2  # a whole image is lost, or none


def test_networks_trained_together_memorise_as_each_does_alone(chapter: dict) -> None:
    nnlib.manual_seed(5)
    nets = [chapter["he_start"](chapter["deep"](3)) for _ in range(2)]
    images = chapter["x"][:10], chapter["y"][:10]
    together = memorised.losses(nets, *images, steps=20)
    for net, loss in zip(nets, together, strict=True):
        assert chapter["memorise"](net, *images, steps=20) == pytest.approx(loss, rel=1e-3)
    with pytest.raises(ValueError, match="mistake is one of"):
        memorised.losses(nets, *images, "typo")

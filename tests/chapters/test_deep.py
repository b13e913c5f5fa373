"""The chapter on deep networks: sizes by layer are a network's own, stored results come again."""

from __future__ import annotations

import numpy as np
import pytest

import nnlib
import nnlib.nn.functional as F
from course.deep import depths
from course.deep import figures as show
from nnlib import nn

FIGURE = show.sizes_by_layer(title="sizes", caption="-", alt="-")


def network(depth: int, spread: float, residual: bool, norm: bool) -> tuple:
    """Sizes of activations, δ and gradients by layer, computed with nnlib's own layers."""
    weights, last = show.standard_weights()
    x, y = show.first_images()
    layers = []
    for W in weights[:depth]:
        layer = nn.Linear(32, 32, bias=False)
        layer.load_state_dict({"weight": spread * W.T / 32**0.5})
        layers.append(layer)
    h, totals, passed = x, [], []
    for layer in layers:
        z = layer(F.layer_norm(h, (32,)) if norm else h)
        z.retain_grad()
        totals.append(z)
        h = h + z.relu() if residual else z.relu()
        passed.append(h)
    logits = (F.layer_norm(h, (32,)) if norm else h) @ (last / 96**0.5)
    loss = F.cross_entropy(logits, y)
    loss.backward()

    def size(t: nnlib.Tensor) -> float:
        return float(np.sqrt((t.detach().numpy().astype(float) ** 2).mean()))

    deltas = [32 * size(z.grad) for z in totals]
    gradients = [size(layer.weight.grad) for layer in layers]
    return [size(h) for h in passed], deltas, gradients, loss.item()


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("depth", [3, 20])
def test_the_figures_sizes_are_those_of_a_network_of_nnlib(depth, residual, norm) -> None:
    spread = 2**0.5
    seen = FIGURE.outputs(depth=depth, spread=spread, residual=residual, norm=norm)
    activations, deltas, gradients, loss = network(depth, spread, residual, norm)
    assert np.allclose(seen["activations"][:depth], activations, rtol=1e-3)
    assert np.allclose(seen["deltas"][:depth], deltas, rtol=2e-3)
    assert np.allclose(seen["gradients"][:depth], gradients, rtol=2e-3)
    assert float(seen["loss"]) == pytest.approx(loss, rel=1e-3)


def test_layers_beyond_the_depth_repeat_the_last_one() -> None:
    seen = FIGURE.outputs(depth=5)
    assert (seen["at"][4:] == 5).all()
    assert (seen["activations"][4:] == seen["activations"][4]).all()


def test_doubled_weights_double_each_relu_layer() -> None:
    once, twice = FIGURE.outputs(spread=1.2), FIGURE.outputs(spread=2.4)
    assert np.allclose(twice["activations"] / once["activations"], 2.0 ** np.arange(1, 21))


# --- the stored results -------------------------------------------------------------------------


def test_every_setting_has_its_stored_result() -> None:
    for row, setting in zip(depths.stored(), depths.SETTINGS, strict=True):
        assert all(row[k] == v for k, v in depths.asdict(setting).items())
        assert len(row["test"]) == depths.SEEDS
        assert row["lr"] == max(depths.RATES, key=lambda lr: row["tried"][str(lr)])


@pytest.mark.parametrize("k", [0, 2, 3, 12])  # 3 layers, 20, He's start, residual and normalised
def test_the_first_seeds_first_epochs_come_out_as_stored(k: int) -> None:
    row = depths.stored()[k]
    again = depths.train(depths.SETTINGS[k], row["lr"], seeds=1, epochs=2)
    assert np.allclose(again["loss"][:, 0], np.array(row["loss"])[:2, 0], atol=0.02)


def test_the_stored_sizes_are_measured_again() -> None:
    for k in (2, 3, 12):
        activations, gradients = depths.sizes(depths.SETTINGS[k])
        row = depths.stored()[k]
        assert np.allclose(activations, row["activations"], rtol=1e-2)
        assert np.allclose(gradients[5:], row["gradients"][5:], rtol=2e-2)


def test_a_stored_result_is_found_by_what_differs_from_the_default() -> None:
    assert depths.of(depth=50, residual=True)["depth"] == 50
    with pytest.raises(StopIteration):
        depths.of(depth=7)


def test_the_training_figure_shows_the_chosen_networks_losses() -> None:
    figure = show.training_losses(depths.stored())
    seen = figure.outputs(net=3)
    assert seen["losses"].shape == (depths.SEEDS, depths.EPOCHS)
    assert np.allclose(seen["losses"][:, -1], depths.stored()[3]["loss"][-1], atol=1e-3)

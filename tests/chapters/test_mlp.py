"""The chapter on MLPs: its figures agree with the networks; its results can be repeated."""

from __future__ import annotations

import numpy as np
import pytest

import nnlib
import nnlib.nn.functional as F
from course.mlp import figures as show
from course.mlp import remedies
from course.networks import digits
from course.networks.drawn_digits import centred
from nnlib import datasets, nn

TEST = datasets.digits(train=False)
X = nnlib.tensor(TEST.x)


def test_the_layers_figure_answers_as_the_network_does() -> None:
    net = digits.trained("mlp")
    figure = show.flow(net, TEST.x[1, 0])
    for k in (3, 8, 12):
        image = X[k, 0]
        outputs = figure.outputs(drawing=image.numpy())
        logits = net(centred(image).reshape(1, 1, 28, 28))[0].detach()
        assert np.allclose(outputs["z"], logits, atol=1e-2)  # the page's weights are float16
        assert int(outputs["answer"]) == int(logits.argmax().item())


def test_a_chosen_neurons_total_input_is_its_weights_times_the_input() -> None:
    figure = show.flow(digits.trained("mlp"), TEST.x[1, 0])
    outputs = figure.outputs(neuron=5)
    product = np.asarray(outputs["product"])
    assert np.allclose(product.sum() + float(outputs["bias"]), float(outputs["total"]), atol=1e-4)
    assert float(outputs["activation"]) == pytest.approx(max(0.0, float(outputs["total"])))


def test_adding_to_all_logits_changes_no_probability() -> None:
    figure = show.softmax_of_three("Three logits")
    assert np.allclose(figure.outputs(c=0.0)["p"], figure.outputs(c=30.0)["p"], atol=1e-6)


def test_shuffled_pixels_with_shuffled_weights_give_the_same_answer() -> None:
    figure = show.flow(digits.trained("mlp"), TEST.x[1, 0])
    ordered, shuffled = figure.outputs(), figure.outputs(shuffle=True)
    assert np.allclose(ordered["z"], shuffled["z"], atol=1e-4)
    assert not np.allclose(ordered["image"], shuffled["image"])
    assert np.allclose(shuffled["image"], digits.scrambled(nnlib.tensor(ordered["image"]))[0, 0])


def test_the_learning_figure_reads_out_the_chosen_epoch() -> None:
    figure = show.learning([[2.0, 0.3, 2.1, 0.2], [1.0, 0.7, 1.5, 0.5]], title="t", caption="c",
                           alt="a")  # fmt: skip
    assert np.allclose(figure.outputs(epoch=1)["now"], [2.0, 0.3, 2.1, 0.2])
    assert np.allclose(figure.outputs(epoch=2)["percent"][3], 50)


# --- the stored results on remedies -------------------------------------------------------------


def test_every_setting_has_its_stored_result() -> None:
    stored = remedies.stored()
    assert len(stored) == len(remedies.SETTINGS)
    for row, setting in zip(stored, remedies.SETTINGS, strict=True):
        assert all(row[k] == v for k, v in remedies.asdict(setting).items())
        assert row["test accuracy"].shape == (20, remedies.SEEDS)


@pytest.mark.parametrize("k", [0, 2, 7, 11])  # no remedy, decay, a shift, fewer parameters
def test_training_the_first_seed_again_gives_the_stored_results(k: int) -> None:
    setting, row = remedies.SETTINGS[k], remedies.stored()[k]
    again = remedies.train(setting, seeds=1, epochs=6)
    for name in remedies.METRICS:
        assert np.allclose(np.array(again[name])[:, 0], row[name][:2, 0], atol=6e-3), name


def test_all_settings_share_images_and_labels() -> None:
    unshifted = remedies.chosen_images(remedies.BASELINE, 2)
    shifted = remedies.chosen_images(remedies.SETTINGS[8], 2)
    assert all((a == b).all() for a, b in zip(unshifted, shifted, strict=True))
    wrong = (unshifted[1] != unshifted[2]).mean()
    assert 0.15 < wrong < 0.25


def test_a_shifted_image_keeps_its_ink_and_moves_by_no_more_than_allowed() -> None:
    x = np.zeros((1, 1, 784), "float32")
    x[0, 0, 14 * 28 + 14] = 1
    rng = np.random.default_rng(0)
    pixels = {int(remedies.shifted(x, 1, rng).argmax()) for _ in range(200)}
    assert pixels == {(14 + d) * 28 + 14 + r for d in (-1, 0, 1) for r in (-1, 0, 1)}


def test_the_figure_of_remedies_shows_the_chosen_settings_means() -> None:
    results = remedies.stored()
    figure = show.overfitting_and_remedies(results)
    for k in (0, 4):
        outputs = figure.outputs(setting=k)
        assert np.allclose(
            outputs["validation"], results[k]["validation accuracy"].mean(1), atol=1e-6
        )


def test_the_first_figure_answers_as_the_network_does() -> None:
    net, start = digits.trained("mlp"), TEST.x[1, 0]
    outputs = show.reader(net, start).outputs()
    p = net(nnlib.tensor(TEST.x[1:2])).softmax(1)[0].detach().numpy()
    assert np.allclose(outputs["p"], p, atol=0.05) and int(outputs["answer"]) == TEST.y[1]
    blank = show.reader(net, start).outputs(drawing=np.zeros((28, 28), np.float32))
    assert not blank["ink"]


@pytest.mark.slow
def test_inverted_images_are_harder_for_an_mlp_than_images_as_they_are() -> None:
    known = datasets.digits()
    x, y = nnlib.tensor(known.x), nnlib.tensor(known.y)
    accuracies = []
    for images in (x, 1 - x):
        nnlib.manual_seed(0)
        net = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
        adam = nnlib.optim.Adam(net.parameters(), lr=1e-3)
        for _ in range(8):
            for batch in nnlib.randperm(3200).split(50):
                adam.zero_grad()
                F.cross_entropy(net(images[batch]), y[batch]).backward()
                adam.step()
        accuracies.append(digits.accuracy(net, images[3200:], y[3200:]))
    assert accuracies == pytest.approx([0.9225, 0.876], abs=0.01)

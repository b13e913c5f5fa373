"""The chapter on perceptrons: its figures compute what its networks do."""

from __future__ import annotations

import numpy as np
import pytest

import nnlib
from course.mlp import figures as show
from course.networks import digits
from course.networks.drawn_digits import centred
from nnlib import datasets

EXAM = datasets.digits(train=False)
X = nnlib.tensor(EXAM.x)


def test_the_layers_figure_answers_as_the_network_does() -> None:
    net = digits.trained("mlp")
    figure = show.flow(net, EXAM.x[1, 0])
    for k in (3, 8, 12):
        image = X[k, 0]
        seen = figure.outputs(drawing=image.numpy())
        logits = net(centred(image).reshape(1, 1, 28, 28))[0].detach()
        assert np.allclose(seen["z"], logits, atol=1e-2)  # the page's weights are float16
        assert int(seen["answer"]) == int(logits.argmax().item())


def test_a_chosen_neurons_sum_is_its_weights_times_the_input() -> None:
    figure = show.flow(digits.trained("mlp"), EXAM.x[1, 0])
    seen = figure.outputs(unit=5)
    product = np.asarray(seen["product"])
    assert np.allclose(product.sum() + float(seen["bias"]), float(seen["sum"]), atol=1e-4)
    assert float(seen["fires"]) == pytest.approx(max(0.0, float(seen["sum"])))


def test_adding_to_all_logits_changes_no_probability() -> None:
    figure = show.softmax_of_three("Three logits")
    assert np.allclose(figure.outputs(c=0.0)["p"], figure.outputs(c=30.0)["p"], atol=1e-6)


def test_shuffled_pixels_with_shuffled_weights_give_the_same_answer() -> None:
    figure = show.flow(digits.trained("mlp"), EXAM.x[1, 0])
    plain, noise = figure.outputs(), figure.outputs(shuffle=True)
    assert np.allclose(plain["z"], noise["z"], atol=1e-4)
    assert not np.allclose(plain["seen"], noise["seen"])
    assert np.allclose(noise["seen"], digits.scrambled(nnlib.tensor(plain["seen"]))[0, 0])

"""Networks for digits: stored weights are as accurate as the book states, drawings are centred."""

from __future__ import annotations

import numpy as np
import pytest

import nnlib
from course.networks import digits
from course.networks.drawn_digits import centred
from nnlib import datasets

pytestmark = pytest.mark.reads()
TEST_SET = datasets.digits(train=False)
X, Y = nnlib.tensor(TEST_SET.x), nnlib.tensor(TEST_SET.y)
AT_LEAST = {
    "mlp": 0.93, "mlp scrambled": 0.93, "two pools": 0.96, "two pools scrambled": 0.85,
    "anywhere": 0.97,
}  # fmt: skip


def accuracy(name: str, model: nnlib.nn.Module) -> float:
    return digits.accuracy(model, digits.scrambled(X) if name.endswith("scrambled") else X, Y)


@pytest.mark.parametrize("name", digits.RECIPES)
def test_stored_weights_are_as_accurate_as_the_book_states(name: str) -> None:
    assert accuracy(name, digits.trained(name)) >= AT_LEAST[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mlp", "two pools", "anywhere"])  # a minute in all
def test_training_again_gives_weights_that_are_as_accurate(name: str) -> None:
    new, stored = accuracy(name, digits.train(name)), accuracy(name, digits.trained(name))
    assert new >= AT_LEAST[name] - 0.005
    assert abs(new - stored) < 0.015


def test_the_convolutional_network_is_more_accurate_with_fewer_parameters() -> None:
    count = {n: sum(p.numel() for p in digits.trained(n).parameters()) for n in digits.RECIPES}
    assert count["two pools"] < count["anywhere"] < count["mlp"] == 101_770
    assert accuracy("two pools", digits.trained("two pools")) > accuracy(
        "mlp", digits.trained("mlp")
    )


def test_scrambling_keeps_every_pixel() -> None:
    mixed = digits.scrambled(X[:5])
    assert not nnlib.equal(mixed, X[:5])
    for a, b in zip(X[:5].numpy(), mixed.numpy(), strict=True):
        assert np.array_equal(np.sort(a.ravel()), np.sort(b.ravel()))


def test_an_unknown_network_is_refused_with_a_list_of_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"no network 'cnn'; there are mlp"):
        digits.trained("cnn")


# --- drawings ---------------------------------------------------------------------------------


def test_mnists_own_digits_hardly_change_when_centred() -> None:
    images = TEST_SET.x[:200, 0]
    assert np.abs(centred(images).numpy() - images).mean() < 0.25 * images.mean()


@pytest.mark.parametrize(("down", "right"), [(0, 4), (-4, 0), (3, -3)])
def test_the_position_of_a_drawn_digit_does_not_matter(down: int, right: int) -> None:
    image = np.pad(TEST_SET.x[7, 0], 6)
    assert np.allclose(centred(digits.moved(image, down, right)), centred(image), atol=1e-4)


def test_a_small_digit_is_recognised_once_centred() -> None:
    """The network recognises most images that are shrunk to half their size, if centred first."""
    small = np.zeros_like(TEST_SET.x[:200])
    small[:, 0, 3:17, 6:20] = TEST_SET.x[:200, 0].reshape(200, 14, 2, 14, 2).max((2, 4))
    net = digits.trained("two pools")
    as_drawn = digits.accuracy(net, nnlib.tensor(small), Y[:200])
    centred_first = digits.accuracy(net, centred(small), Y[:200])
    assert as_drawn < 0.5 and centred_first > 0.85


def test_a_blank_pad_stays_blank() -> None:
    assert centred(np.zeros((28, 28), np.float32)).abs().sum().item() == 0

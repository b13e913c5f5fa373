"""The opening page: drawings are shrunk to what its network gets, and its question's answer."""

from __future__ import annotations

import numpy as np

import nnlib
from course.networks.drawn_digits import shrink
from course.opening import figures as show
from nnlib import datasets


def drawing(top: int, left: int, scale: int) -> np.ndarray:
    """A drawn 7 of a given size at a given position; (28, 28)."""
    image = np.zeros((28, 28), np.float32)
    image[top : top + scale, left : left + 4 * scale] = 1
    image[top : top + 5 * scale, left + 3 * scale : left + 4 * scale] = 1
    return image


def test_a_shrunk_digit_depends_on_neither_position_nor_size() -> None:
    small, large = shrink(drawing(1, 2, 2)), shrink(drawing(5, 6, 4))
    np.testing.assert_allclose(small.numpy(), large.numpy(), atol=1e-5)
    assert shrink(np.zeros((28, 28), np.float32)).sum().item() == 0


def test_a_batch_of_drawings_is_shrunk_one_by_one() -> None:
    images = datasets.digits(train=False).x[:5]
    each = [shrink(image).numpy() for image in images]
    np.testing.assert_allclose(shrink(images).numpy(), each, atol=1e-6)


def test_with_all_neurons_off_the_answer_is_the_same_whatever_is_drawn(chapter: dict) -> None:
    images, classes = chapter["test"].x[:20, 0], chapter["test"].classes
    figure = show.digit_reader(chapter["read"], images[0], classes)
    off, on = nnlib.zeros(12), nnlib.ones(12)
    assert len({int(figure.outputs(drawing=image, on=off)["answer"]) for image in images}) == 1
    assert len({int(figure.outputs(drawing=image, on=on)["answer"]) for image in images}) > 5

"""Convolutions: three ways agree, figures answer as networks do, drawn strokes are read."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import nnlib
import nnlib.nn.functional as F
from course.cnn import figures as show
from course.kit.counting import numbers, products
from course.networks import digits
from course.networks.drawn_digits import centred
from nnlib import datasets, live, nn

EXAM = datasets.digits(train=False)
IMAGE = EXAM.x[1, 0]
EDGE = nnlib.tensor([[-1.0, -1.0, 0.0, 1.0, 1.0]] * 5) / 5


def asked(name: str) -> Any:
    """A question that figures wait for; the numbers do not depend on it."""
    return live.predict("?", name=name, choices=["yes", "no"], answer=0)


def like(a: object, b: object, atol: float = 1e-5) -> bool:
    return np.allclose(np.asarray(a), np.asarray(b), atol=atol)


# --- the chapter's claims -----------------------------------------------------------------------


def test_sliding_gathering_and_the_matrix_give_equal_numbers(chapter: dict) -> None:
    slid = np.asarray(chapter["maps"]).reshape(576)
    loop = [chapter["neuron"](r, c).item() for r in range(24) for c in range(24)]
    assert like(loop, slid) and like(chapter["gathered"], slid) and like(chapter["by_matrix"], slid)


def test_the_matrix_is_sparse_and_shared(chapter: dict) -> None:
    entries = np.asarray(chapter["matrix"])
    assert (entries != 0).sum() == 576 * np.count_nonzero(np.asarray(chapter["w"]))
    assert set(np.unique(entries)) <= {0.0, *np.unique(np.asarray(chapter["w"]))}


def test_at_least_97_in_100_with_fewer_numbers_than_the_perceptron(chapter: dict) -> None:
    assert chapter["right"]["anywhere"] >= 0.97
    assert numbers(chapter["nets"]["anywhere"]) < numbers(chapter["nets"]["MLP"])


def test_the_more_it_pools_the_less_a_shift_matters(chapter: dict) -> None:
    lost = {name: line[0] - line[4] for name, line in chapter["lines"].items()}
    assert lost["anywhere"] < 0.04 and lost["anywhere"] + 0.3 < lost["two pools"]
    assert lost["two pools"] + 0.1 < lost["MLP"]


def test_the_shipped_network_is_the_one_that_the_chapter_builds(chapter: dict) -> None:
    assert str(chapter["network"]()) == str(digits.RECIPES["anywhere"].make())


@pytest.mark.parametrize(("layers", "side"), [(1, 5), (2, 6), (3, 14), (4, 16), (5, 32)])
def test_receptive_fields_are_as_large_as_the_chapter_says(
    chapter: dict, layers: int, side: int
) -> None:
    """Sums in place of maxima: a gradient reaches exactly those pixels that a neuron can see."""
    assert chapter["sees"][layers] == side
    x = nnlib.zeros(1, 1, 64, 64, requires_grad=True)
    at: nnlib.Tensor = x
    for k in range(layers):
        kernel = nnlib.ones(1, 1, 5, 5)
        at = F.avg_pool2d(at, 2) if k % 2 else F.conv2d(at, kernel, padding=2)
    middle = at.shape[-1] // 2
    at[0, 0, middle, middle].backward()
    assert x.grad is not None and int((x.grad[0, 0] != 0).sum(0).amax()) == side


# --- counts -------------------------------------------------------------------------------------


def test_multiplications_are_those_of_the_formula() -> None:
    net = digits.trained("two pools")
    by_hand = 28**2 * 8 * 25 + 14**2 * 16 * 8 * 25 + 784 * 10
    assert products(net, input=nnlib.zeros(1, 1, 28, 28)) == by_hand


@pytest.mark.parametrize(
    ("k", "maps", "local", "shared", "layer"),
    [
        (5, 1, True, True, nn.Conv2d(1, 1, 5)),
        (3, 8, True, True, nn.Conv2d(1, 8, 3)),
        (5, 1, False, False, nn.Linear(784, 576)),
        (9, 2, False, False, nn.Linear(784, 2 * 400)),
    ],
)
def test_the_counter_counts_as_layers_do(
    k: int, maps: int, local: bool, shared: bool, layer: nn.Module
) -> None:
    seen = show.unshare(asked("few")).outputs(k=k, maps=maps, local=local, shared=shared)
    assert int(seen["weights"]) == numbers(layer)


# --- figures --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("row", "column"), [(0, 0), (4, 7), (11, 11)])
def test_the_window_shows_the_image_and_its_products_add_up_to_the_map(
    row: int, column: int
) -> None:
    figure = show.paint_a_kernel(IMAGE, asked("sees"))
    kernel = np.random.default_rng(0).uniform(-1, 1, (3, 3)).astype("float32")
    seen = figure.outputs(kernel=kernel, row=row, column=column)
    window = np.asarray(figure["image"])[row : row + 3, column : column + 3]
    assert like(seen["seen"], window) and like(seen["product"], window * kernel)
    assert like(seen["sum"], np.asarray(seen["map"])[row, column])


def test_the_small_matrix_gives_the_sliding_windows_map() -> None:
    figure, rng = show.as_a_matrix(), np.random.default_rng(0)
    kernel = rng.uniform(-1, 1, (3, 3)).astype("float32")
    seen = figure.outputs(kernel=kernel, image=rng.random((6, 6)).astype("float32"), row=5)
    matrix = np.asarray(seen["matrix"])
    assert like(seen["gap"], 0) and like(seen["product"], seen["map"])
    assert (matrix != 0).sum() == 144 and set(np.unique(matrix)) == {0.0, *np.unique(kernel)}
    assert like(np.asarray(seen["one"])[1:4, 1:4], kernel)


@pytest.mark.parametrize(("right", "up"), [(0, 0), (3, 0), (-4, 2), (1, -4)])
def test_a_dragged_digit_moves_its_map_and_keeps_the_largest_number(right: int, up: int) -> None:
    figure = show.drag_the_digit(IMAGE, EDGE, asked("still"))
    seen, before = figure.outputs(right=float(right), up=float(up)), figure.outputs()
    moved = digits.moved(IMAGE, -up, right).numpy()
    assert like(np.asarray(seen["moved"])[::-1], moved)
    assert like(seen["gap"], 0) and like(seen["most"], before["most"])


def test_every_map_is_the_networks_own() -> None:
    net = digits.trained("anywhere")
    figure = show.maps_of(net, IMAGE)
    for k in (2, 5):
        drawing = EXAM.x[k, 0]
        seen, at = figure.outputs(drawing=drawing), centred(drawing)[None, None]
        maps = []
        for layer in list(net)[:8]:
            at = layer(at).detach()
            maps.append(at[0])
        assert like(seen["first"], maps[1], 2e-2) and like(seen["second"], maps[4], 5e-2)
        assert like(seen["third"], maps[7], 1e-1)
        logits = net(centred(drawing)[None, None]).detach()
        assert like(seen["p"], logits.softmax(1)[0], 1e-2)


# --- what a hand draws --------------------------------------------------------------------------

CIRCLE = [(0.5 - 0.5 * np.cos(t), 0.5 + 0.35 * np.sin(t)) for t in np.linspace(0, 2 * np.pi, 25)]
# Strokes of (down, right) in a square of side 1.
DRAWN: dict[int, list[list[tuple[float, float]]]] = {
    0: [CIRCLE],
    1: [[(0, 0.5), (1, 0.5)]],
    2: [[(0.2, 0.15), (0.03, 0.35), (0.03, 0.65), (0.2, 0.82), (0.4, 0.75), (1, 0.1), (1, 0.9)]],
    3: [[(0.05, 0.15), (0, 0.5), (0.15, 0.8), (0.38, 0.7), (0.48, 0.4), (0.58, 0.7), (0.8, 0.82),
         (0.97, 0.55), (0.92, 0.15)]],
    4: [[(0, 0.2), (0.6, 0.15), (0.6, 0.9)], [(0.05, 0.75), (1, 0.7)]],
    5: [[(0, 0.85), (0, 0.25), (0.42, 0.2), (0.4, 0.6), (0.6, 0.85), (0.85, 0.75), (1, 0.4),
         (0.92, 0.12)]],
    6: [[(0, 0.65), (0.3, 0.3), (0.65, 0.18), (0.92, 0.3), (1, 0.55), (0.85, 0.8), (0.62, 0.7),
         (0.6, 0.4), (0.8, 0.22)]],
    7: [[(0, 0.1), (0, 0.9), (1, 0.35)]],
    8: [[(0.25 - 0.25 * np.cos(t), 0.5 + 0.27 * np.sin(t)) for t in np.linspace(0, 6.3, 19)],
        [(0.75 - 0.25 * np.cos(t), 0.5 + 0.32 * np.sin(t)) for t in np.linspace(0, 6.3, 19)]],
    9: [[(0.25 - 0.25 * np.cos(t), 0.5 + 0.28 * np.sin(t)) for t in np.linspace(0, 6.3, 19)],
        [(0.2, 0.78), (1, 0.65)]],
}  # fmt: skip


def by_hand(digit: int, top: float, left: float, side: float, brush: float = 1.2) -> np.ndarray:
    """A digit as the paint pad draws it: dabs of the brush along its strokes."""
    down, right = np.mgrid[0.5:28, 0.5:28]
    ink = np.zeros((28, 28), "float32")
    for stroke in DRAWN[digit]:
        points = np.array(stroke) * side + (top, left)
        for a, b in pairwise(points):
            for t in np.linspace(0, 1, max(2, int(2 * np.hypot(*(b - a))))):
                r, c = a + t * (b - a)
                dab = np.clip(brush + 0.5 - np.hypot(down - r, right - c), 0, 1)
                ink = np.maximum(ink, dab.astype("float32"))
    return ink


@pytest.mark.parametrize(("top", "left", "side"), [(4, 4, 20), (2, 2, 14), (12, 12, 14)])
def test_digits_drawn_by_hand_are_read_wherever_and_however_large(
    top: float, left: float, side: float
) -> None:
    figure = show.maps_of(digits.trained("anywhere"), IMAGE)
    read = {d: int(figure.outputs(drawing=by_hand(d, top, left, side))["answer"]) for d in DRAWN}
    assert sum(d == answer for d, answer in read.items()) >= 9, read

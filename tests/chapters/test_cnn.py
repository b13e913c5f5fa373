"""The chapter on convolutions: its claims, its figures, and drawn digits that its networks read."""

from __future__ import annotations

import numpy as np
import pytest

import nnlib
import nnlib.nn.functional as F
from course.cnn import figures as show
from course.cnn import measured, strokes
from course.kit.counting import multiplication_count, parameter_count
from course.networks import digits
from course.networks.drawn_digits import centred
from nnlib import nn
from tests.chapters.cnn_cases import EDGE, IMAGE, TEST_SET, close, question

# --- the chapter's claims -----------------------------------------------------------------------


def test_a_sliding_window_and_its_matrix_give_equal_numbers(chapter: dict) -> None:
    slid = np.asarray(chapter["slid"]).reshape(576)
    image, five = chapter["image"][0, 0], chapter["five"]
    loop = [(image[r : r + 5, c : c + 5] * five).sum().item() for r in range(24) for c in range(24)]
    assert close(loop, slid) and close(chapter["multiplied"], slid)


def test_the_matrix_is_sparse_and_shared(chapter: dict) -> None:
    entries = np.asarray(chapter["matrix"])
    assert (entries != 0).sum() == 576 * np.count_nonzero(np.asarray(chapter["five"]))
    assert set(np.unique(entries)) <= {0.0, *np.unique(np.asarray(chapter["five"]))}


def test_the_network_anywhere_is_97_percent_accurate_with_fewer_parameters_than_the_mlp() -> None:
    runs = measured.results()["networks"]
    assert np.mean([run["shifts"][0] for run in runs["anywhere"]]) >= 0.97
    sizes = {key: parameter_count(measured.NETWORKS[key][0]()) for key in ("anywhere", "MLP")}
    assert sizes["anywhere"] < sizes["MLP"]


def test_the_more_a_network_pools_the_less_accuracy_a_shift_costs() -> None:
    runs = measured.results()["networks"]
    mean = {key: np.mean([run["shifts"] for run in seeds], 0) for key, seeds in runs.items()}
    lost = {key: by_shift[0] - by_shift[4] for key, by_shift in mean.items()}
    assert lost["anywhere"] < 0.04 and lost["anywhere"] + 0.3 < lost["two pools"]
    assert lost["two pools"] + 0.1 < lost["MLP"]


def test_larger_paper_costs_accuracy_unless_the_network_was_trained_on_it() -> None:
    runs = measured.results()["networks"]
    trained = runs["anywhere, larger paper"][0]["paper"]
    assert trained > 0.93
    assert all(run["paper"] < trained - 0.03 for run in runs["anywhere"])
    assert all(run["paper"] < run["shifts"][0] - 0.05 for run in runs["anywhere"])


def test_the_shipped_network_is_the_one_that_the_chapter_builds(chapter: dict) -> None:
    assert str(chapter["network"]()) == str(digits.RECIPES["anywhere"].make())


@pytest.mark.parametrize(("layers", "side"), [(1, 5), (2, 6), (3, 14), (4, 16), (5, 32)])
def test_receptive_fields_are_as_large_as_the_chapter_states(
    chapter: dict, layers: int, side: int
) -> None:
    """With means instead of maxima a gradient reaches exactly the pixels that a neuron can see."""
    assert chapter["fields"][layers] == side
    x = nnlib.zeros(1, 1, 64, 64, requires_grad=True)
    maps: nnlib.Tensor = x
    for k in range(layers):
        kernel = nnlib.ones(1, 1, 5, 5)
        maps = F.avg_pool2d(maps, 2) if k % 2 else F.conv2d(maps, kernel, padding=2)
    middle = maps.shape[-1] // 2
    maps[0, 0, middle, middle].backward()
    assert x.grad is not None and int((x.grad[0, 0] != 0).sum(0).amax()) == side


# --- counts -------------------------------------------------------------------------------------


def test_the_counted_multiplications_are_those_of_the_formula() -> None:
    net = digits.trained("two pools")
    by_hand = 28**2 * 8 * 25 + 14**2 * 16 * 8 * 25 + 784 * 10
    assert multiplication_count(net, input=nnlib.zeros(1, 1, 28, 28)) == by_hand


@pytest.mark.parametrize(
    ("k", "maps", "local", "shared", "layer"),
    [
        (5, 1, True, True, nn.Conv2d(1, 1, 5)),
        (3, 8, True, True, nn.Conv2d(1, 8, 3)),
        (5, 1, False, False, nn.Linear(784, 576)),
        (9, 2, False, False, nn.Linear(784, 2 * 400)),
    ],
)
def test_the_figures_number_of_weights_is_that_of_the_layer(
    k: int, maps: int, local: bool, shared: bool, layer: nn.Module
) -> None:
    outputs = show.unshare(question("few")).outputs(k=k, maps=maps, local=local, shared=shared)
    assert int(outputs["weights"]) == parameter_count(layer)


# --- figures --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("row", "column"), [(0, 0), (4, 7), (11, 11)])
def test_the_window_shows_its_pixels_and_its_total_input_and_relu_are_entries_of_the_maps(
    row: int, column: int
) -> None:
    figure = show.paint_a_kernel(IMAGE, question("sees"))
    kernel = np.random.default_rng(0).uniform(-1, 1, (3, 3)).astype("float32")
    outputs = figure.outputs(kernel=kernel, row=row, column=column)
    window = np.asarray(figure["image"])[row : row + 3, column : column + 3]
    assert close(outputs["window"], window) and close(outputs["product"], window * kernel)
    assert close(outputs["total"], np.asarray(outputs["map"])[row, column])
    assert close(outputs["answer"], max(0.0, float(outputs["total"])))
    assert close(outputs["answer"], np.asarray(outputs["active"])[row, column])


def test_the_small_matrix_gives_the_same_map_as_the_sliding_window() -> None:
    figure, rng = show.as_a_matrix(), np.random.default_rng(0)
    kernel = rng.uniform(-1, 1, (3, 3)).astype("float32")
    outputs = figure.outputs(kernel=kernel, image=rng.random((6, 6)).astype("float32"), row=5)
    matrix = np.asarray(outputs["matrix"])
    assert close(outputs["gap"], 0) and close(outputs["product"], outputs["map"])
    assert (matrix != 0).sum() == 144 and set(np.unique(matrix)) == {0.0, *np.unique(kernel)}
    assert close(np.asarray(outputs["one"])[1:4, 1:4], kernel)


@pytest.mark.parametrize(("right", "up"), [(0, 0), (3, 0), (-4, 2), (1, -4)])
def test_a_dragged_digit_moves_its_map_and_keeps_the_maps_maximum(right: int, up: int) -> None:
    figure = show.drag_the_digit(IMAGE, EDGE, question("still"))
    outputs, before = figure.outputs(right=float(right), up=float(up)), figure.outputs()
    moved = digits.moved(IMAGE, -up, right).numpy()
    assert close(np.asarray(outputs["moved"])[::-1], moved)
    assert close(outputs["gap"], 0) and close(outputs["maximum"], before["maximum"])


def test_every_map_that_the_figure_shows_is_the_networks_own() -> None:
    net = digits.trained("anywhere")
    figure = show.maps_of(net, digits.trained("mlp"), IMAGE)
    for k in (2, 5):
        drawing = TEST_SET.x[k, 0]
        outputs, x = figure.outputs(drawing=drawing), centred(drawing)[None, None]
        maps = []
        for layer in list(net)[:8]:
            x = layer(x).detach()
            maps.append(x[0])
        assert close(outputs["first"], maps[1], 2e-2) and close(outputs["second"], maps[4], 5e-2)
        assert close(outputs["third"], maps[7], 1e-1)
        logits = net(centred(drawing)[None, None]).detach()
        assert close(outputs["p"], logits.softmax(1)[0], 1e-2)


# --- drawn digits -------------------------------------------------------------------------------


@pytest.mark.parametrize(("top", "left", "side"), [(4, 4, 20), (2, 2, 14), (12, 12, 14)])
def test_drawings_of_any_size_and_position_are_recognised_after_centring(
    top: float, left: float, side: float
) -> None:
    figure = show.maps_of(digits.trained("anywhere"), digits.trained("mlp"), IMAGE)
    recognised = {
        d: int(figure.outputs(drawing=strokes.draw_digit(d, top, left, side))["answer"])
        for d in strokes.STROKES
    }
    assert sum(d == answer for d, answer in recognised.items()) >= 9, recognised


def test_without_centring_the_mlp_fails_where_the_cnn_does_not() -> None:
    figure = show.maps_of(digits.trained("anywhere"), digits.trained("mlp"), IMAGE)
    correct = {"answer": 0, "mlp_answer": 0}
    for d in strokes.STROKES:
        outputs = figure.outputs(drawing=strokes.draw_digit(d, 7, 7, 20), centre=False)
        for name in correct:
            correct[name] += int(outputs[name]) == d
    assert correct["answer"] >= 9 and correct["mlp_answer"] <= 5


# --- results over seeds -------------------------------------------------------------------------


def test_the_network_for_seven_digits_has_features_for_the_others() -> None:
    """Computes a part of the stored results again."""
    stored = measured.results()["transfer"]
    five_examples = measured.COUNTS.index(5)
    for inputs in ("pixels", "features"):
        again = measured.few_shot(inputs, 5, 0)
        assert again == pytest.approx(stored[inputs][five_examples][0], abs=0.02)
    features, pixels = (np.mean(stored[k][five_examples]) for k in ("features", "pixels"))
    assert features > pixels + 0.03


def test_the_shipped_network_is_the_one_with_seed_0_in_the_stored_results() -> None:
    shipped = digits.trained("anywhere")
    x, y = nnlib.tensor(TEST_SET.x), nnlib.tensor(TEST_SET.y)
    stored = measured.results()["networks"]["anywhere"][0]
    assert digits.accuracy(shipped, x, y) == pytest.approx(stored["shifts"][0], abs=0.003)


@pytest.mark.slow
def test_training_again_gives_the_stored_accuracy() -> None:
    again = measured.tested(measured.train("MLP", 1))["shifts"]
    stored = measured.results()["networks"]["MLP"][1]["shifts"]
    assert np.allclose(again, stored, atol=0.03)

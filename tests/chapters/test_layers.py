"""Layers: the playground trains as nnlib's optimisers do; a frozen net is a logistic regression."""

from __future__ import annotations

import ast
import itertools
import json

import numpy as np
import pytest

import nnlib
import nnlib.nn.functional as F
from course.layers import figures as show
from course.layers import playground as play
from course.layers import seeds, shapes
from nnlib import datasets

ACT = {k: nnlib.tensor(np.asarray(v, np.float32)) for k, v in play.ACTIVATIONS.items()}


@pytest.fixture(scope="module")
def figure() -> play.live.Figure:
    return play.playground()


def mask(**settings: object) -> nnlib.Tensor:
    return nnlib.tensor(play.switched_on(**settings))


def weights(seed: int = 0) -> nnlib.Tensor:
    return nnlib.tensor(np.random.default_rng(seed).normal(size=play.SIZE).astype(np.float32))


# ---------------------------------------------------------------- the playground


@pytest.mark.parametrize("name", play.OPTIMISERS)
@pytest.mark.parametrize("depth", [0, 2])
def test_the_playground_steps_as_nnlibs_optimisers_do(figure, name: str, depth: int) -> None:
    make = {
        "gradient descent": lambda w: nnlib.optim.SGD([w], lr=0.05),
        "momentum 0.9": lambda w: nnlib.optim.SGD([w], lr=0.05, momentum=0.9),
        "Adam": lambda w: nnlib.optim.Adam([w], lr=0.05),
    }[name]
    all_points = {"examples": play.POINTS, "share": 1.0, "noise": 0.0}
    trained = figure.train(12, seed=3, depth=depth, optimiser=name, lr=0.05, **all_points)
    points = datasets.circles(play.POINTS, noise=0.0)
    x, y = nnlib.tensor(points.x.round(2)), nnlib.tensor(points.y).float()
    w = nnlib.tensor(figure._training.initial(3)["w"].astype(np.float32)).requires_grad_()
    optimiser = make(w)
    for _ in range(12):
        optimiser.zero_grad()
        z = play.net(play.features(x), w, depth, mask(), ACT["tanh"])[-1]
        F.binary_cross_entropy_with_logits(z, y).backward()
        optimiser.step()
    assert trained["w"] == pytest.approx(w.detach().numpy(), abs=2e-5)


def test_activation_functions_match_their_names() -> None:
    z = nnlib.linspace(-4, 4, 41)
    true = {"tanh": z.tanh(), "sigmoid": z.sigmoid(), "ReLU": z.relu(), "none: g(z) = z": z}
    for name, values in true.items():
        assert play.activate(z, ACT[name]).numpy() == pytest.approx(values.numpy(), abs=1e-6)


def test_a_batch_has_the_chosen_number_of_training_points_and_no_test_points() -> None:
    train = (nnlib.arange(play.POINTS) % 3 == 0).float()
    rank = nnlib.tensor(np.random.default_rng(1).permutation(play.POINTS))
    for count in (1, 20, 67, 200):
        batch = play.random_batch(train, rank, nnlib.tensor(count))
        assert batch.sum().item() == min(count, train.sum().item())
        assert (batch * (1 - train)).sum().item() == 0


@pytest.mark.parametrize("depth", range(play.DEPTH + 1))
def test_units_that_are_off_neither_act_nor_count(depth: int) -> None:
    on, w = mask(features_on="x₁ x₁x₂", widths=(3, 2, 5, 1)), weights()
    used = play.used(on, depth)
    sizes = [2, *(3, 2, 5, 1)[:depth], 1]
    assert used.sum().item() == sum(b * (a + 1) for a, b in itertools.pairwise(sizes))
    f = play.features(nnlib.tensor(np.random.default_rng(2).normal(size=(9, 2)).astype("f")))
    from_all_weights = play.net(f, w, depth, on, ACT["sigmoid"])[-1].numpy()
    from_used_weights = play.net(f, w * used, depth, on, ACT["sigmoid"])[-1].numpy()
    assert from_used_weights == pytest.approx(from_all_weights, abs=1e-5)


def test_penalties_spare_biases_and_units_that_are_off() -> None:
    on, w = mask(widths=(1, 1, 1, 1)), weights()
    (first, _), (last, _) = play.layers(w, 1)
    used = np.r_[first.numpy()[0, :2], last.numpy()[0, :1]]
    l1, l2 = (play.penalty(w, 1, on, nnlib.tensor(v)).item() for v in ([1.0, 0.0], [0.0, 1.0]))
    assert l1 == pytest.approx(np.abs(used).sum(), rel=1e-5)
    assert l2 == pytest.approx((used**2).sum() / 2, rel=1e-5)


def test_clicks_add_points_where_there_is_room() -> None:
    own, count = nnlib.tensor(np.full((play.POINTS, 3), -1, np.float32)), nnlib.tensor(0)
    for x, y in ((0.5, -1.0), (0.51, -1.0), (1.5, 1.0)):  # the second is too close to the first
        outputs = play.add_point(*(nnlib.tensor(v) for v in (x, y)), own, count, nnlib.tensor(1.0))
        own, count = outputs["own"], outputs["count"]
    assert count.item() == 2
    assert own.numpy()[:2] == pytest.approx(np.array([[0.5, -1, 1], [1.5, 1, 1]]))
    data = nnlib.tensor(play.data_sets()["your own points"])
    x, y, present, total = play.points(data, nnlib.tensor(0.1), own, count)
    assert (present.sum().item(), total.item()) == (2, 2)
    assert x.numpy()[:2] == pytest.approx(own.numpy()[:2, :2])


@pytest.mark.parametrize("data", ["circles", "moons"])
def test_a_few_neurons_learn_each_easy_set(figure, data: str) -> None:
    trained = figure.train(250, seed=2, data=data, depth=2, optimiser="Adam", lr=0.05)
    names = ("w", "m", "v", "t")
    values = figure.outputs(**{k: trained[k] for k in names}, data=data, depth=2)
    assert values["train_accuracy"] >= 95 and values["validation_accuracy"] >= 90


@pytest.mark.slow
def test_three_edges_close_a_curve_and_two_do_not(figure) -> None:
    right = {}
    for width in (2, 3):
        on = play.switched_on(widths=(width, 0, 0, 0))
        trained = figure.train(300, seed=0, on=on, optimiser="Adam", lr=0.05)
        right[width] = figure.outputs(w=trained["w"], on=on)["train_accuracy"]
    assert right[2] < 92 and right[3] >= 98


def test_squares_need_no_hidden_layer(figure) -> None:
    on = play.switched_on(features_on="x₁² x₂²")
    trained = figure.train(200, seed=0, depth=0, on=on)
    assert figure.outputs(w=trained["w"], depth=0, on=on)["validation_accuracy"] >= 99


@pytest.mark.slow
@pytest.mark.parametrize(("name", "steps"), list(zip(play.presets(), (300, 100, 800), strict=True)))
def test_each_preset_learns_its_data(figure, name: str, steps: int) -> None:
    settings = play.presets()[name]
    options = {"data": list(play.SETS), "optimiser": list(play.OPTIMISERS)}
    chosen = {k: options[k][int(settings[k])] for k in options}
    setup = {"depth": int(settings["depth"]), "on": settings["on"], "data": chosen["data"]}
    trained = figure.train(steps, seed=0, lr=settings["lr"], optimiser=chosen["optimiser"], **setup)
    assert figure.outputs(w=trained["w"], **setup)["train_accuracy"] >= 95


def test_the_playgrounds_graphs_stay_small(figure) -> None:
    assert len(json.dumps(figure.spec)) < 450_000


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_the_playgrounds_defaults_learn_what_its_caption_asks(figure, seed: int) -> None:
    hidden, right = play.WIDTHS[0], {}
    for width in (hidden - 1, hidden):
        on = play.switched_on(widths=(width, *play.WIDTHS[1:]))
        trained = figure.train(300, seed=seed, on=on)
        right[width] = figure.outputs(w=trained["w"], on=on)["validation_accuracy"]
    assert right[hidden] >= 95, "the task below the figure cannot be done"
    assert right[hidden - 1] <= 87, "the region closes even with one neuron off"


def test_the_chapter_uses_the_playgrounds_defaults_and_asks_for_their_width(cells) -> None:
    (shown,) = [ast.parse(cell).body[-1] for cell in cells() if "\nplayground(" in cell]
    assert {keyword.arg for keyword in shown.value.keywords} == {"title", "caption", "alt"}
    (cell,) = [cell for cell in cells() if 'name="closed"' in cell]
    (question,) = [node for node in ast.walk(ast.parse(cell)) if isinstance(node, ast.Call)
                   and ast.unparse(node.func) == "live.predict"]  # fmt: skip
    arguments = {keyword.arg: ast.literal_eval(keyword.value) for keyword in question.keywords}
    assert arguments["choices"][arguments["answer"]] == str(play.WIDTHS[0])
    assert arguments["explain"].startswith(f"{play.WIDTHS[0]}:")
    disc = play.presets()["disc, three neurons"]["on"]
    assert disc[play.INPUTS :][: play.WIDTH].sum() == play.WIDTHS[0] == 3


# ---------------------------------------------------------------- retraining the output


def test_frozen_net_and_regression_take_equal_steps(chapter: dict) -> None:
    points = chapter["quadrants"]
    figure = show.retraining(points.x, points.y, chapter["noisy"])
    start = np.asarray(figure["w"])
    figure._training.state["w"] = np.r_[start[:6], np.zeros(3)].astype(np.float32)
    for frozen in (True, False):
        after = figure.train(300, frozen=frozen)
        assert after["w"][6:] == pytest.approx(after["u"], abs=2e-4)
        moved = np.abs(after["w"][:6] - start[:6]).max()
        assert moved == 0 if frozen else moved > 0.1


def test_the_figure_and_the_chapter_unpack_the_vector_in_the_same_way(chapter: dict) -> None:
    x, w = chapter["corners"], chapter["w"]
    p = show.output(show.hidden(x, w), w[6:]).sigmoid()
    assert p.tolist() == pytest.approx(chapter["net"](w, x, [2, 2, 1])[:, 0].tolist(), abs=1e-12)


@pytest.mark.parametrize("sizes", [[2, 1], [2, 4, 3, 1], [3, 2, 2]])
def test_the_long_vector_is_cut_into_the_matrices_of_nn_linear(chapter: dict, sizes) -> None:
    linears = [nnlib.nn.Linear(a, b) for a, b in itertools.pairwise(sizes)]
    rows = [nnlib.cat([m.bias.unsqueeze(1), m.weight], 1).reshape(-1) for m in linears]
    x = nnlib.tensor(np.random.default_rng(0).normal(size=(5, sizes[0])).astype("f"))
    output, expected = chapter["net"](nnlib.cat(rows), x, sizes), x
    for linear in linears:
        expected = linear(expected).sigmoid()
    assert output.detach().numpy() == pytest.approx(expected.detach().numpy(), abs=1e-6)


# ---------------------------------------------------------------- many seeds at once


def test_each_seed_trains_as_it_would_alone() -> None:
    points = datasets.circles(30)
    x, y = nnlib.tensor(points.x).double(), nnlib.tensor(points.y).double()
    together = seeds.train(x, y, [2, 3, 1], seeds=4, steps=20)
    params = [p[2].detach().requires_grad_() for p in seeds.start([2, 3, 1], 4)]
    adam = nnlib.optim.Adam(params, lr=0.1)
    for _ in range(20):
        adam.zero_grad()
        z = ((x @ params[0] + params[1]).sigmoid() @ params[2] + params[3])[:, 0]
        F.binary_cross_entropy_with_logits(z, y).backward()
        adam.step()
    for alone, all_seeds in zip(params, together, strict=True):
        assert all_seeds[2].tolist() == pytest.approx(alone.detach().numpy(), abs=1e-8)


# ---------------------------------------------------------------- curves


def test_activation_functions_and_their_slopes_are_nnlibs() -> None:
    figure = shapes.activation_functions()
    for g, make in {"sigmoid": nnlib.sigmoid, "tanh": nnlib.tanh, "ReLU": nnlib.relu}.items():
        for total in (-2.0, 0.5, 3.0):
            z = nnlib.tensor(total, requires_grad=True)
            a = make(z)
            a.backward()
            outputs = figure.outputs(g=g, z=total)
            assert float(outputs["a"]) == pytest.approx(a.item(), abs=1e-6)
            assert float(outputs["slope"]) == pytest.approx(z.grad.item(), abs=1e-6)


@pytest.mark.parametrize("target", ["a wave", "a hill and a valley"])
def test_more_bumps_follow_a_curve_more_closely(target: str) -> None:
    figure = shapes.bumps()
    errors = []
    for count in (4, 8, 16, 32):
        placed = figure.outputs(target=target)[f"fill{count}"]
        outputs = figure.outputs(target=target, placed=placed, count=count)
        assert int(outputs["units"]) == 2 * count
        errors.append(float(outputs["error"]))
    assert errors == sorted(errors, reverse=True) and errors[-1] < 0.02


def test_a_bump_is_added_and_removed() -> None:
    figure = shapes.bumps()
    outputs = figure.outputs(centre=2.0, width=0.5, height=-1.0)
    assert np.asarray(outputs["next"])[0].tolist() == [2.0, 0.5, -1.0] and int(outputs["more"]) == 1
    after = figure.outputs(placed=outputs["next"], count=1)
    assert float(after["error"]) == pytest.approx(float(outputs["after"]), abs=1e-6)
    assert not np.asarray(after["fewer"]).any() and int(after["last"]) == 0


@pytest.mark.parametrize("k", range(1, shapes.DEEPEST + 1))
def test_k_tents_have_two_to_the_k_pieces(k: int) -> None:
    outputs = shapes.fold().outputs(k=k, x=0.3)
    slopes = np.diff(np.asarray(outputs["curve"], float)) / (shapes.FINE[1] - shapes.FINE[0])
    assert (np.abs(np.diff(slopes)) > 1).sum() + 1 == 2**k == int(outputs["pieces"])
    assert np.abs(slopes) == pytest.approx(2.0**k, rel=1e-3)
    assert (int(outputs["deep"]), int(outputs["wide"])) == (2 * k, 2**k)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_one_layer_draws_k_tents_with_two_to_the_k_units_and_not_with_fewer(k: int) -> None:
    """ReLUs at the kinks alone, in any directions, cannot match the curve."""
    x = np.linspace(0, 1, 2**k * 8 + 1)
    y = x
    for _ in range(k):
        y = 2 * np.maximum(y, 0) - 4 * np.maximum(y - 0.5, 0)
    kinks = np.arange(1, 2**k) / 2**k
    constant = np.ones(len(x))

    def error(units: list[np.ndarray]) -> float:
        A = np.column_stack([constant, *units])
        return float(np.abs(A @ np.linalg.lstsq(A, y, rcond=None)[0] - y).max())

    for signs in itertools.product([1, -1], repeat=len(kinks)):
        units = [np.maximum(s * (x - kink), 0) for s, kink in zip(signs, kinks, strict=True)]
        assert error(units) > 0.01
        assert error([x, *units]) < 1e-9


def test_one_bump_is_the_formula_of_the_text() -> None:
    outputs = shapes.one_bump().outputs()
    values = {float(x): float(y) for x, y in zip(shapes.X, outputs["net"], strict=True)}
    for x, expected in ((0.0, 0.0001), (1.0, 1.9998), (2.0, 0.0001)):
        assert values[x] == pytest.approx(expected, abs=2e-5)
    assert (float(outputs["b1"]), float(outputs["b2"])) == (-10, -30)
    dip = shapes.one_bump().outputs(left=1.5, right=0.5)
    assert float(np.asarray(dip["net"]).min()) < -1.9

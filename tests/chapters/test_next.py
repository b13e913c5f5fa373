"""The last chapter: its table comes from the models, its figures compute what the head computes."""

from __future__ import annotations

import json

import numpy as np
import pytest

import nnlib
from course.kit.counting import path, products
from course.networks import digits, words
from course.next import figures as show
from nnlib import nn
from nnlib.graph import Graph

HEAD = words.trained("attention")
SAID = {"title": "t", "caption": "c", "alt": "a"}


@pytest.fixture(scope="module")
def looking():
    return show.looking(HEAD, "thinking", **SAID)


def test_shapes_on_the_way_leave_out_what_changes_nothing() -> None:
    cnn = digits.trained("two pools")
    shapes = path(cnn, nnlib.zeros(1, 1, 28, 28)).split(" → ")
    assert shapes == ["1×28×28", "8×28×28", "8×14×14", "16×14×14", "16×7×7", "784", "10"]


def test_a_convolutions_products_are_weights_times_windows() -> None:
    layer = nn.Conv2d(2, 3, 5)
    count = products(lambda x: layer(x), x=nnlib.zeros(1, 2, 9, 9))
    assert count == 3 * 2 * 5 * 5 * (9 - 4) ** 2


def test_the_figure_looks_and_answers_as_the_head_does(looking) -> None:
    table = words.codes(["thinking"])
    seen, x = looking.outputs(), HEAD.vectors(table)[0, :8]
    with nnlib.no_grad():
        weights = HEAD.look(x, nnlib.ones(8)).numpy()
        answer = HEAD(table).softmax(-1)[0].numpy()
    assert np.allclose(np.asarray(seen["A"])[:8, :8], weights, atol=2e-3)
    assert np.allclose(seen["p"], answer, atol=2e-3)


def test_letters_look_where_the_alternative_text_says(looking) -> None:
    most = np.asarray(looking.outputs()["A"])[:8, :8].argmax(1)
    assert [int(most[t]) for t in (1, 2, 5)] == [0, 7, 7]


def test_each_letters_weights_add_up_and_blanks_get_none(looking) -> None:
    weights = np.asarray(looking.outputs()["A"])
    assert np.allclose(weights[:8].sum(1), 1, atol=1e-4)
    assert np.abs(weights[8:]).max() == 0 and weights[:, 8:].max() < 1e-6


def test_scores_times_nothing_look_everywhere_alike(looking) -> None:
    weights = np.asarray(looking.outputs(sharp=0.0)["A"])[:8, :8]
    assert np.allclose(weights, 1 / 8, atol=1e-5)
    sharp = np.asarray(looking.outputs(sharp=4.0)["A"])[:8, :8]
    assert np.median(sharp.max(1)) > 0.95


def test_the_small_graph_is_attention_and_its_values_gradients_are_the_weights() -> None:
    figure = show.step_by_step(**SAID)
    graph = Graph.from_json(json.dumps(figure.spec["programs"][""]))
    seen = graph.run(q=1.0, k1=1.5, k2=-0.5, v1=1.0, v2=-1.0, t=0)
    values = [name for name in seen if name.startswith("_dag0_v")]
    assert len(values) == 14  # as the alternative text says
    weights = nnlib.tensor([1.5, -0.5]).softmax(-1)
    mean = (weights * nnlib.tensor([1.0, -1.0])).sum().item()
    assert float(seen[values[-1]]) == pytest.approx(mean, rel=1e-5)
    of_values = [float(seen["_dag0_g3"]), float(seen["_dag0_g4"])]
    assert of_values == pytest.approx(weights.tolist(), rel=1e-5)


def test_without_places_only_the_letters_count_and_with_them_order_does() -> None:
    table = words.codes(["listen", "silent"])
    with nnlib.no_grad():
        gaps = [
            float((a - b).abs().max().item())
            for a, b in (words.trained(n)(table) for n in ("attention without places", "attention"))
        ]
    assert gaps[0] < 1e-4 < 0.1 < gaps[1]

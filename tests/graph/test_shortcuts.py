"""Steps that the NumPy back end computes without their primitives, with equal results."""

from __future__ import annotations

import numpy as np
import pytest

import nnlib
from nnlib.graph.lower.arrays import Arrays
from nnlib.graph.lower.shortcuts import shortcuts
from tests.graph.traces import positions, traced

F = nnlib.nn.functional
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.5, -2.0, 1e-40])


def same_bits(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def replaced(graph):
    return [graph.steps[at].op for at in shortcuts(graph.steps)]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(8,), (2, 4), (8, 1)])
def test_a_choice_between_numbers_and_0_is_a_mask_of_their_bits(dtype, shape):
    values = SPECIAL.astype(dtype).reshape(shape)
    for mask in (values > 0, values.astype(bool), np.ones(shape, bool)):
        for choose in (lambda h, x: nnlib.where(h, x, 0.0), lambda h, x: nnlib.where(h, 0.0, x)):
            graph = traced(choose, h=nnlib.tensor(mask), x=nnlib.tensor(values))
            assert replaced(graph) == ["where"]
            (result,) = Arrays(graph, *positions(graph)).run(mask, values)
            assert same_bits(result, graph.run(h=mask, x=values)["output"])


@pytest.mark.parametrize(
    "choose",
    [
        lambda h, x: nnlib.where(h, x, -0.0),
        lambda h, x: nnlib.where(h, x, 1.0),
        lambda h, x: nnlib.where(h, x[:1], 0.0),  # of another shape than the result
        lambda h, x: nnlib.where(h[:1], x, 0.0),
        lambda h, x: nnlib.where(h, x[0], 0.0) + nnlib.where(h[0], x[0], 0.0),
        lambda h, x: nnlib.where(h, x.long(), 0),
    ],
)
def test_other_choices_use_the_primitive(choose):
    x = np.arange(6, dtype=np.float32)
    graph = traced(choose, h=nnlib.tensor(x > 2), x=nnlib.tensor(x))
    assert replaced(graph) == []
    (result,) = Arrays(graph, *positions(graph)).run(x > 2, x)
    assert same_bits(np.asarray(result), graph.run(h=x > 2, x=x)["output"])


POOLINGS = {
    "apart": {"kernel_size": 2},
    "overlapping": {"kernel_size": 3, "stride": 2},
    "padded": {"kernel_size": 2, "padding": 1},
    "past the end": {"kernel_size": 2, "ceil_mode": True},
}


@pytest.mark.parametrize("pooling", POOLINGS.values(), ids=POOLINGS)
@pytest.mark.parametrize("special", [False, True], ids=["finite", "with nan and inf"])
def test_relus_gradient_before_a_pooling_is_computed_from_the_maxima(pooling, special):
    def program(x, w):
        gradient_and_loss = nnlib.func.grad_and_value(
            lambda x: (F.max_pool2d(x.relu(), **pooling) * w).sum()
        )
        return dict(zip(("gradient", "loss"), gradient_and_loss(x), strict=True))

    rng = np.random.default_rng(0)
    x = rng.integers(-3, 3, (3, 2, 7, 7)).astype(np.float32)  # with ties, and many at 0
    if special:
        x[0, 0, :2, :5], x[1, 1, 3] = SPECIAL[:5], np.nan
    w = rng.normal(size=F.max_pool2d(nnlib.tensor(x), **pooling).shape).astype(np.float32)
    inputs = {"x": nnlib.tensor(x), "w": nnlib.tensor(w)}
    graph = traced(program, **inputs)
    replacements = shortcuts(graph.steps)
    (at,) = (at for at in replacements if graph.steps[at].op == "where")
    assert len(replacements[at].arguments) == 3  # the gradient passed back, the maxima, the image
    gradient, _ = Arrays(graph, *positions(graph)).run(x, w)
    for exact in (graph.run(x=x, w=w)["gradient"], program(**inputs)["gradient"].numpy()):
        # gradients of overlapping windows may be added in any order
        np.testing.assert_allclose(gradient, exact, rtol=1e-6)


def test_the_gradient_of_another_array_than_the_pooled_image_is_not_computed_from_the_maxima():
    def program(x, y, w):
        g, value = nnlib.func.grad_and_value(lambda x: (F.max_pool2d(x, 2) * w).sum())(x)
        return {
            "value": value, "other": nnlib.where(y <= 0, 0.0, g),
            "threshold": nnlib.where(x <= 1, 0.0, g), "swapped": nnlib.where(x <= 0, g, 0.0),
        }  # fmt: skip

    rng = np.random.default_rng(1)
    shapes = {"x": (2, 3, 4, 4), "y": (2, 3, 4, 4), "w": (2, 3, 2, 2)}
    inputs = {k: rng.normal(size=v).astype(np.float32) for k, v in shapes.items()}
    graph = traced(program, **{k: nnlib.tensor(v) for k, v in inputs.items()})
    results = Arrays(graph, *positions(graph)).run(*inputs.values())
    for ours, theirs in zip(results, graph.run(**inputs).values(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)

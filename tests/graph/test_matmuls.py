"""Small matrix products merged into large ones: which, where they are stored, their results."""

from __future__ import annotations

import numpy as np
import pytest
from fuzz_compile import interpreted

import nnlib
from nnlib.graph.lower import matmuls
from nnlib.graph.lower.loops import Loops, Lowered
from nnlib.graph.lower.matmuls import merged
from nnlib.graph.simplify import simplify
from tests.graph.cases import needs_numba
from tests.graph.traces import positions

T = nnlib


def traced(function, **inputs):
    """The tidy graph of a function that returns a tensor, a sequence or a dictionary of them."""

    def named(**named_inputs):
        result = function(**named_inputs)
        several = isinstance(result, (list, tuple))
        return {str(k): v for k, v in enumerate(result)} if several else result

    return nnlib.graph.trace(named, **inputs).tidied()


def normal(*shape, seed=0, dtype=np.float32):
    values = np.random.default_rng([seed, *shape]).normal(size=shape)
    return T.tensor((values / np.sqrt(shape[-1])).astype(dtype))


def steps_of(graph):
    return [s.op for s in simplify(merged(graph)).steps]


def recurrent(x, W, U, h):
    for k in range(len(x)):
        h = (x[k] @ W + h @ U).tanh()
    return (h * h).sum()


def gradients(x, W, U, h):
    return nnlib.func.grad(recurrent, (1, 2))(x, W, U, h)


RECURRENT = {"x": normal(6, 3, 4), "W": normal(4, 5), "U": normal(5, 5), "h": normal(3, 5)}


def test_a_recurrent_nets_inputs_are_multiplied_by_their_weights_in_one_product():
    graph = traced(recurrent, **RECURRENT)
    ops = steps_of(graph)
    assert ops.count("matmul") == 1 + 6 and "cat" not in ops  # the six h @ U need one another
    (first,) = merged(graph).run(**{k: v.numpy() for k, v in RECURRENT.items()}).values()
    np.testing.assert_allclose(first, recurrent(**RECURRENT).numpy(), rtol=1e-6)


def test_the_gradient_of_weights_used_at_each_step_is_one_product():
    graph = traced(gradients, **RECURRENT)
    assert steps_of(graph).count("matmul") == 1 + 6 + 5 + 2  # x W, h U, δ Uᵀ, the two gradients
    assert steps_of(graph).count("cat") == 2  # the states and the derivatives, for both gradients


def test_inputs_with_the_batch_first_are_one_array_too():
    def program(x, w):
        return [x[:, k] @ w for k in range(5)]

    x, w = normal(3, 5, 2), normal(2, 4)
    graph = traced(program, x=x, w=w)
    assert "cat" not in steps_of(graph) and steps_of(graph).count("matmul") == 1
    for ours, theirs in zip(merged(graph).run(x=x.numpy(), w=w.numpy()).values(), program(x, w)):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-5)


@pytest.mark.parametrize(
    ("program", "count"),
    [
        (lambda x, w: [x[k] @ w for k in range(3)], 3),  # too few
        (lambda x, w: x[0] @ w @ w @ w @ w @ w, 5),  # each needs the one before
        (lambda x, w: [x[k].T @ x[k] for k in range(6)], 6),  # no factor in common, and no sum
        (lambda x, w: [w @ x[k].T for k in range(6)], 6),  # the common factor is on the left
        (lambda x, w: sum(x[k] @ x[k + 1].T for k in range(5)), 5),  # a sum of A Bᵀ
    ],
)
def test_other_products_stay_as_they_are(program, count):
    graph = traced(program, x=normal(6, 4, 4), w=normal(4, 4))
    assert merged(graph).steps is graph.steps
    assert steps_of(graph).count("matmul") == count


def test_products_are_merged_within_each_layer_of_those_that_need_each_other():
    def program(x, w):
        first = [x[k] @ w for k in range(5)]
        return [y.tanh() @ w for y in first]

    graph = traced(program, x=normal(5, 3, 4), w=normal(4, 4))
    assert steps_of(graph).count("matmul") == 2


def test_a_sums_other_addends_and_rows_that_broadcast_stay():
    def program(x, y, b, w):
        crossed = sum(x[k].T @ y[k] for k in range(5))
        return {"sum": crossed + w + b[:1].T @ y[0, :1], "row": crossed + b[:1, :1] @ y[0, :1]}

    x, y, b, w = normal(5, 3, 4), normal(5, 3, 2), normal(2, 4), normal(4, 2)
    inputs = {"x": x, "y": y, "b": b, "w": w}
    results = merged(traced(program, **inputs)).run(**{k: v.numpy() for k, v in inputs.items()})
    for name, value in program(**inputs).items():
        np.testing.assert_allclose(results[name], value.numpy(), rtol=1e-5, atol=1e-6)


# ---------------------------------------------------------------- where they are stored


def large(n=6):
    return {"x": normal(n, 20, 40), "W": normal(40, 50), "U": normal(50, 50), "h": normal(20, 50)}


@needs_numba
def test_loops_read_rows_of_a_product_as_arrays_so_that_all_steps_share_their_functions():
    compiled = []
    for n in (6, 9):
        graph = traced(gradients, **large(n))
        functions = Loops(graph, *positions(graph)).run.__self__.functions
        compiled.append(len(set(functions.values())))
    assert compiled[0] == compiled[1]


@needs_numba
def test_stacked_matrices_are_computed_directly_in_the_large_one():
    graph = traced(gradients, **large())
    driver = Loops(graph, *positions(graph)).run.__self__
    assert driver.driver_source.count("copyto") == 1  # the first state, which is an argument
    assert "cat" not in driver.driver_source


def test_an_elementwise_step_on_a_products_rows_is_computed_where_it_is_read():
    graph = traced(gradients, **large())
    plan = Lowered(graph, *positions(graph)).plan
    sums = [(at, s.inputs[0]) for at, s in enumerate(plan.graph.steps) if s.op == "tanh"]
    assert len(sums) == 6
    for at, added in sums:
        assert plan.nest_of[added] == plan.nest_of[at] and added not in plan.stored


# ---------------------------------------------------------------- results


@pytest.mark.parametrize(
    "program",
    [
        lambda x, w: [(x @ w)[:32]],
        lambda x, w: [(x @ w)[:32], x @ w],
        lambda x, w: [(x @ w)[:32], (x @ w)[:32], (x @ w)[32:].exp()],
        lambda x, w: [x[k * 16 : (k + 1) * 16] @ w for k in range(4)],
    ],
    ids=["rows", "rows and the product", "rows twice", "merged"],
)
@pytest.mark.parametrize("backend", ["numpy", pytest.param("loops", marks=needs_numba)])
def test_rows_of_a_large_product_are_results_that_later_calls_leave_alone(backend, program):
    compiled = nnlib.compile(program, backend=backend)
    w = normal(40, 50)
    first, second = normal(64, 40), normal(64, 40, seed=1)
    results = compiled(first, w)
    compiled(second, w)  # reuses the arrays of the first call that are not its results
    for ours, theirs in zip(results, program(first, w), strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-4, atol=1e-5)
    arrays = [r.numpy() for r in results]
    assert not any(
        np.shares_memory(a, b) for k, a in enumerate(arrays) for b in arrays[:k]
    )  # fmt: skip


CHOICES = {"x": 4, "W": 2, "U": 2, "initial": 3, "readout": 4, "variant": 5, "tanh_cell": 2}


def random_choices(seed):
    """A random program with products that can be merged: its choices, sizes and dtype."""
    rng = np.random.default_rng(seed)
    choices = {name: int(rng.integers(n)) for name, n in CHOICES.items()}
    choices |= {k: int(n) for k, n in zip("tnh", rng.integers((2, 1, 1), (7, 5, 5)), strict=True)}
    choices["i"] = int(rng.integers(1, 5)) if rng.random() < 0.6 else choices["h"]
    return choices, (np.float32, np.float64)[int(rng.integers(2))]


def arguments(choices, dtype, seed):
    t, n, i, h = (choices[k] for k in "tnih")
    shapes = {
        "W": (h, i) if choices["W"] else (i, h), "U": (h, h), "V": (h, 3),
        "x": [(t, n, i), (n, t, i), (t * n, i), (n, t * i)][choices["x"]], "h": (n, h),
    }  # fmt: skip
    return {name: normal(*shape, seed=seed, dtype=dtype) for name, shape in shapes.items()}


def input_at(choices, x, k):
    n, i = choices["n"], choices["i"]
    if choices["x"] < 2:
        return x[:, k] if choices["x"] else x[k]
    return x[:, k * i : (k + 1) * i] if choices["x"] == 3 else x[k * n : (k + 1) * n]


def random_loss(choices, W, U, V, x, h):
    outs, zs = [], []
    h = (h, h * 0, nnlib.zeros(choices["n"], choices["h"], dtype=h.dtype))[choices["initial"]]
    W, U = W.T if choices["W"] else W, U.T if choices["U"] else U
    for k in range(choices["t"]) if choices["variant"] else range(choices["t"] - 1, -1, -1):
        z = input_at(choices, x, k) @ W
        h = (z + h @ U).tanh() if choices["tanh_cell"] else (z + 1).sigmoid() * (h @ U)
        zs, outs = [*zs, z], [*outs, h]
        if choices["tanh_cell"] and choices["i"] == choices["h"]:
            h = h + (h @ W) * 0.5
    total = (h @ V).sum()
    if choices["readout"] == 1:
        total = total + sum([((o @ V).softmax(1) ** 2).sum() for o in outs])
    elif choices["readout"] == 2:
        total = total + (nnlib.cat(outs, 0) @ V).exp().mean()
    elif choices["readout"] == 3:
        total = total + (nnlib.stack(outs, 1)[:, -1] @ V).exp().sum()
    if choices["variant"] == 2:
        total = total + (U @ W.T).sum() + (W * W).sum()
    return total, {"zs": zs, "outs": outs, "both": nnlib.cat(zs, 0)} if choices[
        "variant"
    ] > 2 else {}


def random_difference(seed, backend):
    """How a random program's compiled results differ from the eager ones; None if they agree."""
    choices, dtype = random_choices(seed)

    def step(W, U, V, x, h):
        gradients_and_loss = nnlib.func.grad_and_value(random_loss, (1, 2, 3), has_aux=True)
        return gradients_and_loss(choices, W, U, V, x, h)

    compiled = nnlib.compile(step, backend=backend)
    tolerance = 1e-4 if dtype == np.float32 else 1e-9
    for argument_seed in (0, 1):
        inputs = arguments(choices, dtype, argument_seed)
        ours, theirs = (nnlib.trees.flatten(f(**inputs)) for f in (compiled, step))
        assert ours[1] == theirs[1]
        for a, b in zip(ours[0], theirs[0], strict=True):
            a, b = a.numpy(), b.numpy()
            if a.dtype != b.dtype or not np.allclose(a, b, tolerance, tolerance):
                return f"seed {seed}, {backend}, {choices}: {a} and {b}"
    return None


def merge_all(monkeypatch):
    """Merges products of any size, and has BLAS compute them, not loops."""
    for name, value in {"BY_LOOPS": 0, "UNROLLED": 0, "MIN_PRODUCTS": 2}.items():
        monkeypatch.setattr(matmuls, name, value)


@pytest.mark.parametrize("backend", ["numpy", pytest.param("loops", marks=needs_numba)])
def test_random_recurrent_programs_give_the_eager_results(backend, monkeypatch):
    merge_all(monkeypatch)
    if backend == "loops":
        monkeypatch.setattr("nnlib.graph.lower.machine.loaded", interpreted)
    assert [text for seed in range(25) if (text := random_difference(seed, backend))] == []

"""The passes of lowering, each tested on small graphs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fuzz_compile import difference, interpreted

import nnlib
from nnlib.graph.lower.arrays import Arrays
from nnlib.graph.lower.decompose import decomposed
from nnlib.graph.lower.layouts import views, with_origins
from nnlib.graph.lower.loops import Loops, Lowered
from nnlib.graph.lower.nests import group
from nnlib.graph.lower.runtime_checks import checks
from nnlib.graph.simplify import simplify, tidy, values_only
from tests.graph.cases import needs_numba
from tests.graph.traces import positions, traced

T = nnlib


def source(function, **inputs):
    return nnlib.graph.trace(function, **inputs).to_source("loops")


X = nnlib.tensor(np.random.default_rng(0).normal(size=(6, 8)).astype(np.float32))


@pytest.mark.parametrize(
    ("function", "ops"),
    [
        (lambda x: x.mean(1), ["sum", "constant", "div"]),
        (lambda x: x.softmax(1), ["amax", "sub", "exp", "sum", "exp", "div"]),
        (lambda x: x.log_softmax(1), ["amax", "sub", "exp", "sum", "log", "sub"]),
        (lambda x: (x @ x.T).T, ["permute", "permute", "permute", "matmul"]),
    ],
)
def test_compound_steps_become_elementary_steps_with_the_same_values(function, ops):
    graph = traced(function, x=X)
    elementary = decomposed(graph)
    needed = [s.op for s in simplify(elementary).steps[1:]]
    assert set(needed) <= set(ops)
    a, b = (g.run(x=X.numpy())["output"] for g in (graph, elementary))
    np.testing.assert_allclose(a, b, rtol=1e-5)


def test_views_are_maps_of_stored_arrays_and_only_a_reshape_of_a_permuted_array_is_a_copy():
    def program(x):
        copy = x.T.reshape(48) * 2
        return {"a": x.T[2:5, 1].reshape(1, 3) * 2, "b": copy, "c": x.reshape(48) * 2}

    graph, step_views = views(with_origins(traced(program, x=X)))
    assert [s.op for s in graph.steps].count("copy") == 1
    slice_view = next(v for v, s in zip(step_views, graph.steps) if s.op == "slice")
    assert slice_view.at == 0 and [(a.start, a.dim) for a in slice_view.axes] == [(1, None), (2, 0)]


def test_steps_of_one_domain_share_a_nest_and_readers_of_a_sum_are_in_a_later_one():
    graph, step_views = views(with_origins(traced(lambda x: x.exp() / x.exp().sum(1, True), x=X)))
    plan = group(graph, step_views)
    assert [nest.domain for nest in plan.nests] == [(6, 8), (6, 8)]
    nest_of = {graph.steps[at].op: k for at, k in plan.nest_of.items()}
    assert nest_of["exp"] == nest_of["sum"] == 0 and nest_of["div"] == 1


def test_a_large_matrix_product_is_a_call_between_the_loops():
    big = nnlib.ones(64, 64)
    plan = group(*views(with_origins(traced(lambda x: ((x + 1) @ x).tanh(), x=big))))
    assert [nest.phase for nest in plan.nests] == [0, 1]
    assert [len(calls) for calls in plan.calls] == [1]


def test_a_chain_and_its_sum_are_one_loop_without_an_array():
    text = source(lambda x: ((2 * x).tanh() ** 2).sum(), x=nnlib.ones(4000))
    assert text.count("for ") == 1 and "w_f4" not in text


@needs_numba
def test_a_long_sum_adds_up_each_part_in_float32_and_the_parts_in_float64(monkeypatch):
    def program(x):
        return {"all": (2 * x).sum(), "rows": x.sum(1), "columns": (x * x).sum(0)}

    monkeypatch.setattr("nnlib.graph.lower.machine.loaded", interpreted)
    monkeypatch.setattr("nnlib.graph.lower.write.FLOAT32_TERMS", 4)
    text = source(program, x=nnlib.ones(3, 10))
    assert "range(part, min(part + 4, 10))" in text and "f8(0.0)" in text
    x = T.tensor(np.random.default_rng(3).normal(size=(3, 10)).astype(np.float32))
    results = nnlib.compile(program, backend="loops")(x)
    for name, value in program(x).items():
        np.testing.assert_allclose(results[name].numpy(), value.numpy(), 1e-5, err_msg=name)
    ones = nnlib.compile(lambda x: x.sum(), backend="loops")(nnlib.ones(1000) * 0.1)
    assert ones.item() == np.float32(0.1) * 1000


def test_a_value_that_a_row_shares_is_read_outside_the_inner_loop():
    text = source(lambda x, b: x * b, x=X, b=nnlib.ones(6, 1))
    before, inside = text.split("for j in range(8):")
    assert "b[i, 0]" in before and "b[i, 0]" not in inside


def row_operations(x, W, V, i):
    """Every operation on short rows that the loops support."""
    h = (x @ W).tanh()
    p = (h @ V).softmax(1)
    r = p - h[:, :3] * x
    return {
        "h": h, "loss": (r * r).sum(), "gradient": h.T @ r, "rows": r.sum(0),
        "each": p.amax(1), "transposed": p.T * 2, "flat": r.exp().reshape(-1) + 1,
        "taken": p[i] * 2, "again": (x * x).sum(1, True) * x, "product": r @ V.T @ W.T,
    }  # fmt: skip


@needs_numba
def test_many_short_rows_are_stored_column_major_with_the_same_results(monkeypatch):
    monkeypatch.setattr("nnlib.graph.lower.machine.loaded", interpreted)
    rng = np.random.default_rng(0)
    shapes = {"x": (70, 3), "W": (3, 8), "V": (8, 3)}
    inputs = {k: T.tensor(rng.normal(size=v).astype(np.float32)) for k, v in shapes.items()}
    inputs["i"] = T.tensor([69, 0, 3])
    text = source(row_operations, **inputs)
    assert ", 3, 70).T" in text  # column-major in working memory
    outer, inner = text[: text.index("expf(")].split("for ")[-2:]
    assert (outer[:16], inner[:16]) == ("j in range(3):\n ", "i in range(70):\n")
    expected = row_operations(**inputs)
    for name, value in nnlib.compile(row_operations, backend="loops")(**inputs).items():
        assert value.numpy().flags.c_contiguous, name
        np.testing.assert_allclose(value.numpy(), expected[name].numpy(), 2e-5, 1e-6, err_msg=name)


def test_arguments_of_loops_keep_their_names_with_a_suffix_where_loops_use_the_name():
    text = source(lambda i, w, np: {"loss": (i * w).sum() + np}, i=X, w=X, np=nnlib.ones(()))
    assert text.startswith("def loops(i2, w2, np2,")


@needs_numba
def test_an_argument_may_have_the_name_of_a_function_that_loops_call(monkeypatch):
    from nnlib.graph.lower import floats

    monkeypatch.setattr("nnlib.graph.lower.machine.loaded", interpreted)
    own = [k for k, v in vars(floats).items() if getattr(v, "__module__", "") == floats.__name__]
    assert "plus" in own and "maximum" in own
    for name in [*own, "w_f4", "s_f4"]:
        program = eval(f"lambda {name}: ({name}.exp() * {name}.sign().sigmoid()).amax(1).sum()")
        compiled = nnlib.compile(program, backend="loops")(X)
        np.testing.assert_allclose(compiled.numpy(), program(X).numpy(), rtol=1e-5, err_msg=name)


@needs_numba
@pytest.mark.parametrize("backend", [Arrays, Loops])
def test_both_back_ends_agree_with_the_graph(backend, monkeypatch):
    monkeypatch.setattr("nnlib.graph.lower.machine.loaded", interpreted)

    def program(x, w):
        h = (x @ w).softmax(1)
        return {"h": h, "m": h.amax(0), "t": h.T[1:3], "n": (h > 0.2).any(1), "s": h.mean()}

    graph = traced(program, x=X, w=nnlib.tensor(np.eye(8, 4, dtype=np.float32)))
    inputs = {"x": X.numpy(), "w": np.eye(8, 4, dtype=np.float32)}
    results = backend(graph, *positions(graph)).run(*inputs.values())
    for ours, theirs in zip(results, graph.run(**inputs).values(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@needs_numba
@pytest.mark.parametrize("dtype", [nnlib.float32, nnlib.float64])
def test_the_sign_of_negative_zero_is_positive_zero(dtype):
    inverse = nnlib.compile(lambda x: 1 / nnlib.sign(x), backend="loops")
    assert inverse(nnlib.tensor([-0.0, 0.0, -2.0], dtype=dtype)).tolist() == [np.inf, np.inf, -1.0]


def test_indices_are_checked_unless_they_are_constants():
    weight = nnlib.ones(3, 2)
    graph = traced(lambda i: nnlib.nn.functional.embedding(i, weight), i=nnlib.tensor([0, 2]))
    index_checks = [c for s in graph.steps for c in checks(s, graph.steps)]
    assert [c.size for c in index_checks] == [3]
    with pytest.raises(IndexError, match="-1"):
        index_checks[0](np.array([0, -1]))
    fixed = traced(lambda x: x[nnlib.tensor([0, 2])], x=nnlib.ones(3))
    assert [c for s in fixed.steps for c in checks(s, fixed.steps)] == []


@needs_numba
def test_indices_that_several_steps_read_are_checked_once(monkeypatch):
    monkeypatch.setattr("nnlib.graph.lower.machine.loaded", interpreted)

    def program(x, y):
        return nnlib.func.grad(lambda x: nnlib.nn.functional.cross_entropy(x, y))(x)

    graph = traced(program, x=X, y=T.arange(6))
    loops = Loops(graph, *positions(graph))
    assert loops.run.__self__.driver_source.count("check") == 1
    with pytest.raises(IndexError, match="8"):
        loops.run(X.numpy(), np.array([0, 1, 2, 3, 4, 8]))
    with pytest.raises(IndexError, match="-1"):
        loops.run(X.numpy(), np.array([0, 1, 2, 3, 4, -1]))


def test_a_transposed_factor_of_many_products_is_copied_once():
    def steps(x, w, times):
        for _ in range(times):
            x = (x @ w.T).tanh()
        return x

    for times, copies in ((3, 0), (4, 1)):
        graph = traced(lambda x, w, n=times: steps(x, w, n), x=T.ones(9, 5), w=T.ones(5, 5))
        assert [s.op for s in decomposed(graph).steps].count("copy") == copies


@needs_numba
def test_functions_with_the_same_source_are_compiled_once():
    def steps(x, w):
        for _ in range(6):
            x = (x @ w).tanh()
        return x

    graph = traced(steps, x=nnlib.ones(64, 64), w=nnlib.ones(64, 64))
    lowered = Lowered(graph, *positions(graph))
    assert len(lowered.kernels) == 6
    loops = Loops(graph, *positions(graph))
    functions = loops.run.__self__.functions.values()
    assert len(set(functions)) == 1


@needs_numba
def test_canonical_argument_names_differ_from_a_functions_variables():
    def program(i, a, weight):
        p = a.sigmoid()  # the loops store it as a2, since an argument is called a
        return {"moved": weight[i] * 2, "top": (a * p).amax(), "out": p - p.sum(), "both": a * p}

    inputs = {"i": T.tensor([1, 0]), "a": X[0, :3], "weight": X[:2, 3:6]}
    graph = traced(program, **inputs)
    lowered = Lowered(graph, *positions(graph))
    assert len(lowered.kernels) == 2 and "a2 = vector(w_f4" in lowered.source
    arrays = [value.numpy() for value in inputs.values()]
    results = Loops(graph, *positions(graph)).run(*arrays)
    for ours, theirs in zip(results, program(**inputs).values(), strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-5)


@needs_numba
@pytest.mark.parametrize(
    ("name", "numpy"),
    [
        ("expf", np.exp), ("logf", np.log), ("tanhf", np.tanh), ("log1pf", np.log1p),
        ("sigmoidf", lambda x: 1 / (1 + np.exp(-x))), ("softplusf", lambda x: np.logaddexp(0, x)),
    ],
)  # fmt: skip
def test_float32_functions_have_errors_below_three_ulps_and_handle_nan_and_inf(name, numpy):
    from numba import njit

    from nnlib.graph.lower import floats

    function = getattr(floats, name)

    @njit(error_model="numpy")
    def each(x, out):
        for i in range(x.size):
            out[i] = function(x[i])

    x = np.concatenate([np.linspace(-110, 110, 40_001), np.logspace(-42, 38, 20_001),
                        -np.logspace(-42, 0, 9_999), np.linspace(-17, -16, 9_999),
                        [np.nan, np.inf, -np.inf, 0.0, -0.0, -1.0],
                        ]).astype(np.float32)  # fmt: skip
    out = np.empty_like(x)
    each(x, out)
    with np.errstate(all="ignore"):
        exact = numpy(x.astype(np.float64))
        expected = exact.astype(np.float32)
    normal = np.isfinite(expected) & (np.abs(exact) > 1.2e-38)
    error = np.abs(out[normal] - exact[normal]) / np.spacing(np.abs(expected[normal]))
    assert error.max() < 3, x[normal][error.argmax()]
    other = ~np.isfinite(expected)
    np.testing.assert_array_equal(out[other], expected[other])


def test_the_documentation_of_the_passes_shows_the_loops_that_are_generated_for_xor():
    page = (Path(__file__).parents[2] / "docs" / "compile.md").read_text("utf8")
    program, loops = (block.split("```")[0] for block in page.split("```python\n")[1:])
    scope: dict = {}
    exec(program, scope)
    graph = scope["graph"]
    assert graph.to_source("loops").strip() == loops.strip()
    assert f"the gradient's too: {len(graph.steps)}" in page.replace("\n", " ")
    assert f"leaves {len(tidy(values_only(graph)).steps)} steps" in page


def test_large_chains_run_in_blocks_without_intermediate_arrays(monkeypatch):
    def program(w, x):
        h = (w * x).sigmoid()
        return {"h": h * 2, "total": (h * (1 - h)).sum(), "row": (h * 2)[3]}

    monkeypatch.setattr("nnlib.graph.lower.blocks.LARGE", 10)
    monkeypatch.setattr("nnlib.graph.lower.blocks.BLOCK", 7)
    graph = traced(program, w=nnlib.ones(1), x=X)
    lowered = Arrays(graph, *positions(graph))
    assert "range(0, 48, 7)" in lowered.source and lowered.source.count("empty((6, 8)") == 1
    inputs = {"w": np.full(1, 0.5, np.float32), "x": X.numpy().T.copy().T}
    results = lowered.run(*inputs.values())
    for ours, theirs in zip(results, graph.run(**inputs).values(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
        assert np.asarray(ours).dtype == theirs.dtype and ours.shape == theirs.shape


@pytest.mark.parametrize("first", [1000, 1020])
def test_random_programs_in_blocks_agree_with_eager_mode(first, monkeypatch):
    monkeypatch.setattr("nnlib.graph.lower.blocks.LARGE", 3)
    monkeypatch.setattr("nnlib.graph.lower.blocks.BLOCK", 2)
    outcomes = [difference(seed, "numpy") for seed in range(first, first + 20)]
    assert [text for text in outcomes if text is not None and not text.startswith("refused")] == []


@needs_numba
def test_random_programs_in_column_major_order_and_in_parts_agree_with_eager_mode(monkeypatch):
    monkeypatch.setattr("nnlib.graph.lower.machine.loaded", interpreted)
    monkeypatch.setattr("nnlib.graph.lower.nests.LONG", 2)
    monkeypatch.setattr("nnlib.graph.lower.write.FLOAT32_TERMS", 2)
    outcomes = [difference(seed, "loops") for seed in range(2000, 2040)]
    assert [text for text in outcomes if text is not None and not text.startswith("refused")] == []

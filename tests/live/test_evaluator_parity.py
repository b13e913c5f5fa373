"""Every primitive of nnlib agrees with its counterpart in the page on random shapes and values."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from nnlib.primitives import registry
from nnlib.record import Primitive

pytestmark = pytest.mark.browser
Case = tuple[list[np.ndarray], dict[str, Any]]
# No shrinking: an example is a batch of small cases, and the message names the one that differs.
SEARCH = settings(
    max_examples=20, deadline=None, phases=[Phase.generate], derandomize=True, print_blob=False,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
RTOL = {"float64": 1e-12, "float32": 1e-5}


class Draw:
    """Makes one random case: Hypothesis draws shapes and attributes, a seeded generator values."""

    def __init__(self, draw: Callable[[Any], Any], dtype: str):
        self.draw, self.dtype = draw, dtype
        self.random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def int(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def bool(self) -> bool:
        return self.draw(st.booleans())

    def shape(self, least: int = 0, most: int = 4, longest: int = 5) -> tuple[int, ...]:
        return tuple(self.draw(st.lists(st.integers(1, longest), min_size=least, max_size=most)))

    def normal(self, shape: tuple[int, ...], scale: float = 2.0) -> np.ndarray:
        return np.asarray(self.random.normal(size=shape) * scale, self.dtype)

    def within(self, low: float, high: float, shape: tuple[int, ...]) -> np.ndarray:
        return np.asarray(self.random.uniform(low, high, size=shape), self.dtype)

    def integers(self, low: int, high: int, shape: tuple[int, ...]) -> np.ndarray:
        return np.asarray(self.random.integers(low, high, size=shape), "int64")

    def booleans(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.asarray(self.random.random(shape) < 0.5)

    def broadcast(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """A shape that broadcasts to `shape`."""
        result = tuple([1 if self.int(0, 3) == 0 else n for n in shape])
        return result[self.int(0, len(shape)) if self.int(0, 2) == 0 else 0 :]

    def pair(self, make: Callable[[tuple[int, ...]], np.ndarray]) -> list[np.ndarray]:
        shape = self.shape()
        shapes = [shape, self.broadcast(shape)]
        return [make(s) for s in (shapes if self.bool() else shapes[::-1])]

    def dims(self, ndim: int) -> tuple[int, ...]:
        if not ndim:
            return ()
        return tuple(sorted(self.draw(st.sets(st.integers(0, ndim - 1), min_size=1))))

    def special(self, shape: tuple[int, ...], values: tuple[float, ...]) -> np.ndarray:
        """Normal numbers with some of `values` among them."""
        x = self.normal(shape)
        chosen = self.random.choice(np.asarray(values), size=shape)
        return np.asarray(np.where(self.random.random(shape) < 0.4, chosen, x), self.dtype)


# ---------------------------------------------------------------- the cases of each primitive

EDGES = (0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan)
CASES: dict[str, Callable[[Draw], Case]] = {}


def case(*names: str) -> Callable:
    def add(make: Callable[[Draw], Case]) -> Callable[[Draw], Case]:
        CASES.update(dict.fromkeys(names, make))
        return make

    return add


@case("div")
def _(d: Draw) -> Case:
    return d.pair(lambda s: d.special(s, EDGES)), {}


@case("add", "sub", "mul", "maximum", "minimum", "eq", "ne", "lt", "le", "gt", "ge")
def _(d: Draw) -> Case:
    variant = d.int(0, 3)
    if variant == 0:
        return d.pair(lambda s: d.integers(-(2**25), 2**25, s)), {}
    if variant == 1:  # a gradient times a comparison's result
        shape = d.shape()
        return [d.special(shape, EDGES), d.booleans(d.broadcast(shape))], {}
    return d.pair(lambda s: d.special(s, EDGES)), {}


@case("remainder", "floor_divide")
def _(d: Draw) -> Case:
    if d.bool():
        a, b = d.pair(lambda s: d.integers(-9, 10, s))
        return [a, np.where(b == 0, 3, b)[()]], {}
    return d.pair(lambda s: d.special(s, (1.0, -1.0, 2.0, 0.5, -0.5))), {}


@case("pow")
def _(d: Draw) -> Case:
    if d.bool():
        a, b = d.pair(lambda s: d.integers(0, 5, s))
        return [a, b], {}
    return d.pair(lambda s: d.special(s, (*EDGES, 2.0, 3.0, 0.5))), {}


@case("atan2")
def _(d: Draw) -> Case:
    return d.pair(lambda s: d.special(s, EDGES)), {}


@case("bitwise_and", "bitwise_or", "bitwise_xor")
def _(d: Draw) -> Case:
    if d.bool():
        return d.pair(d.booleans), {}
    most = 2**52 if d.bool() else 100
    return d.pair(lambda s: d.integers(-most, most, s)), {}


@case("logical_and", "logical_or", "logical_xor")
def _(d: Draw) -> Case:
    return d.pair(d.booleans), {}


@case("where")
def _(d: Draw) -> Case:
    shape = d.shape()
    return [
        d.booleans(d.broadcast(shape)), d.normal(shape), d.special(d.broadcast(shape), EDGES)
    ], {}  # fmt: skip


@case("neg", "abs", "sign", "relu")
def _(d: Draw) -> Case:
    shape = d.shape()
    return [d.integers(-3, 4, shape) if d.bool() else d.special(shape, EDGES)], {}


@case(
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt",
    "sinh", "cosh", "tanh", "asinh", "sigmoid", "softplus", "erf",
    "floor", "ceil", "trunc", "isnan", "isinf", "isfinite", "atan", "clone",
    "detach",
)  # fmt: skip
def _(d: Draw) -> Case:
    return [d.special(d.shape(), (*EDGES, 30.0, -30.0, 1e-9))], {}


@case("sin", "cos", "tan")
def _(d: Draw) -> Case:
    return [d.normal(d.shape(), 1.5)], {}


@case("asin", "acos", "atanh")
def _(d: Draw) -> Case:
    return [d.within(-1.0, 1.0, d.shape())], {}


@case("acosh")
def _(d: Draw) -> Case:
    return [d.within(1.0, 5.0, d.shape())], {}


@case("round")
def _(d: Draw) -> Case:
    return [d.special(d.shape(), (*EDGES, 0.5, 1.5, 2.5, -0.5, -1.5, 2.4999))], {}


@case("logical_not")
def _(d: Draw) -> Case:
    return [d.booleans(d.shape())], {}


@case("clamp")
def _(d: Draw) -> Case:
    low = None if d.bool() else -0.7
    return [d.special(d.shape(), EDGES)], {
        "min": low,
        "max": 1.1 if low is None or d.bool() else None,
    }


@case("cast")
def _(d: Draw) -> Case:
    shape = d.shape()
    x = [d.normal(shape, 5.0), d.integers(-9, 9, shape), d.booleans(shape)][d.int(0, 2)]
    return [x], {"dtype": ["float32", "float64", "int64", "bool"][d.int(0, 3)]}


@case("sum", "amax", "amin")
def _(d: Draw) -> Case:
    if d.bool():
        return CASES["mean"](d)
    x = d.integers(-(2**40), 2**40, d.shape())
    return [x], {"dim": d.dims(x.ndim), "keepdim": d.bool()}


@case("mean", "prod")
def _(d: Draw) -> Case:
    x = d.special(d.shape(), EDGES) if d.int(0, 4) == 0 else d.normal(d.shape())
    return [x], {"dim": d.dims(x.ndim), "keepdim": d.bool()}


@case("logsumexp")
def _(d: Draw) -> Case:
    x = d.special(d.shape(), (np.inf, -np.inf, 800.0)) if d.bool() else d.normal(d.shape())
    return [x], {"dim": d.dims(x.ndim), "keepdim": d.bool()}


@case("any", "all")
def _(d: Draw) -> Case:
    x = d.booleans(d.shape())
    return [x], {"dim": d.dims(x.ndim), "keepdim": d.bool()}


@case("argmax", "argmin")
def _(d: Draw) -> Case:
    x = d.special(d.shape(), (1.0, 2.0, np.nan)) if d.bool() else d.normal(d.shape())
    dim = d.int(0, x.ndim - 1) if x.ndim and d.bool() else None
    return [x], {"dim": dim, "keepdim": d.bool()}


@case("softmax", "log_softmax", "cumsum", "cumprod")
def _(d: Draw) -> Case:
    x = d.normal(d.shape())
    return [x], {"dim": d.int(0, max(x.ndim - 1, 0))}


@case("reshape")
def _(d: Draw) -> Case:
    x = d.normal(d.shape())
    return [x], {"shape": (*x.shape[::-1], 1)}


@case("permute")
def _(d: Draw) -> Case:
    x = d.normal(d.shape())
    return [x], {"dims": tuple(d.draw(st.permutations(range(x.ndim))))}


@case("expand")
def _(d: Draw) -> Case:
    shape = d.shape()
    return [d.normal(d.broadcast(shape))], {"shape": shape}


@case("flip")
def _(d: Draw) -> Case:
    x = d.normal(d.shape(1))
    return [x], {"dims": d.dims(x.ndim)}


@case("cat")
def _(d: Draw) -> Case:
    shape = list(d.shape(1))
    dim = d.int(0, len(shape) - 1)
    lengths = [d.int(0, 3) for _ in range(d.int(1, 3))]
    return [d.normal((*shape[:dim], n, *shape[dim + 1 :])) for n in lengths], {"dim": dim}


@case("pad")
def _(d: Draw) -> Case:
    x = d.normal(d.shape(1, 3))
    pads = tuple([(d.int(0, 2), d.int(0, 2)) for _ in x.shape])
    return [x], {"pad": pads, "value": d.draw(st.sampled_from([0.0, -1.5]))}


def _entry(d: Draw, n: int) -> int | tuple[int, int, int]:
    if d.int(0, 2) == 0:
        return d.int(0, n - 1)
    step = d.draw(st.sampled_from([1, 2, -1, -2]))
    ends = (d.draw(st.none() | st.integers(-n, n)), d.draw(st.none() | st.integers(-n, n)))
    return slice(*ends, step).indices(n)


@case("slice")
def _(d: Draw) -> Case:
    x = d.normal(d.shape())
    return [x], {"index": tuple([_entry(d, n) for n in x.shape])}


@case("slice_backward")
def _(d: Draw) -> Case:
    (x,), attrs = CASES["slice"](d)
    g = registry["slice"].forward(x, **attrs)
    return [d.normal(np.shape(g))], {**attrs, "shape": x.shape}


@case("tril", "triu")
def _(d: Draw) -> Case:
    return [d.normal(d.shape(2))], {"diagonal": d.int(-3, 3)}


@case("matmul")
def _(d: Draw) -> Case:
    batch, (m, k, n) = d.shape(0, 2, 3), (d.int(1, 9), d.int(1, 9), d.int(1, 9))
    variant = d.int(0, 3)
    left = (k,) if variant == 1 else (*d.broadcast(batch), m, k)
    right = (k,) if variant in (1, 2) and d.bool() else (*d.broadcast(batch), k, n)
    return [d.normal(left), d.normal(right)], {}


EQUATIONS = (
    "ij,jk->ik", "ij,ij->", "i,j->ij", "ii->i", "ii->", "ij->ji", "bij,bjk->bik", "ij,jk,kl->il",
    "bi,ij,bj->b", "ij->j", "iji->ij", "i,i,i->", "abc,cd->dab", "ij,k->i",
)  # fmt: skip


@case("einsum")
def _(d: Draw) -> Case:
    equation = d.draw(st.sampled_from(EQUATIONS))
    size = {c: d.int(1, 4) for c in "abcdijkl"}
    terms = equation.split("->")[0].split(",")
    return [d.normal(tuple([size[c] for c in t])) for t in terms], {"equation": equation}


@case("gather")
def _(d: Draw) -> Case:
    x = d.normal(d.shape(1))
    dim = d.int(0, x.ndim - 1)
    shape = tuple([d.int(1, n) if i != dim else d.int(1, 5) for i, n in enumerate(x.shape)])
    return [x, d.integers(0, x.shape[dim], shape)], {"dim": dim}


@case("scatter_add")
def _(d: Draw) -> Case:
    (x, index), attrs = CASES["gather"](d)
    return [x, index, d.normal(tuple([n + d.int(0, 1) for n in index.shape]))], attrs


@case("take")
def _(d: Draw) -> Case:
    x = d.normal(d.shape(1))
    dim = d.int(0, x.ndim - 1)
    return [x, d.integers(0, x.shape[dim], d.shape(0, 2))], {"dim": dim}


@case("take_add")
def _(d: Draw) -> Case:
    (x, index), attrs = CASES["take"](d)
    dim = attrs["dim"]
    g = d.normal((*x.shape[:dim], *index.shape, *x.shape[dim + 1 :]))
    return [g, index], {**attrs, "shape": x.shape}


@case("index")
def _(d: Draw) -> Case:
    x = d.normal(d.shape(1))
    first = d.int(0, x.ndim - 1)
    dims = tuple(range(first, d.int(first + 1, x.ndim)))
    common = d.shape(0, 2, 3)
    shapes = [common if i == 0 else d.broadcast(common) for i in range(len(dims))]
    indices = [d.integers(-x.shape[k], x.shape[k], s) for k, s in zip(dims, shapes, strict=True)]
    return [x, *indices], {"dims": dims}


@case("index_add")
def _(d: Draw) -> Case:
    (x, *indices), attrs = CASES["index"](d)
    g = registry["index"].forward(x, *indices, **attrs)
    return [d.normal(np.shape(g)), *indices], {**attrs, "shape": x.shape}


@case("one_hot")
def _(d: Draw) -> Case:
    return [d.integers(0, 4, d.shape(0, 3))], {"num_classes": 4}


@case("argsort")
def _(d: Draw) -> Case:
    x = d.special(d.shape(1, 3, 9), (1.0, 2.0, np.nan)) if d.bool() else d.normal(d.shape(1))
    descending = d.bool() and not np.isnan(x).any()
    return [x], {"dim": d.int(0, x.ndim - 1), "descending": descending}


def _conv(d: Draw) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    groups = d.int(1, 2)
    x = d.normal((d.int(1, 2), groups * d.int(1, 2), d.int(5, 7), d.int(5, 8)))
    weight = d.normal((groups * d.int(1, 3), x.shape[1] // groups, d.int(1, 3), d.int(1, 3)))
    attrs = {
        "stride": (d.int(1, 2), d.int(1, 2)), "padding": (d.int(0, 2), d.int(0, 2)),
        "dilation": (d.int(1, 2), d.int(1, 2)), "groups": groups,
    }  # fmt: skip
    return x, weight, attrs


@case("conv2d")
def _(d: Draw) -> Case:
    x, weight, attrs = _conv(d)
    return [x, weight], attrs


@case("conv2d_input", "conv2d_weight")
def _(d: Draw) -> Case:
    raise NotImplementedError("random_case() makes these from the shapes of a forward operation")


@case("max_pool2d", "max_pool2d_indices")
def _(d: Draw) -> Case:
    attrs, x = _pool(d)
    return [x], {**attrs, "dilation": (d.int(1, 2), d.int(1, 2))}


@case("avg_pool2d")
def _(d: Draw) -> Case:
    attrs, x = _pool(d)
    return [x], {**attrs, "count_include_pad": d.bool()}


def _pool(d: Draw) -> tuple[dict[str, Any], np.ndarray]:
    kernel = (d.int(1, 3), d.int(1, 3))
    attrs = {
        "kernel_size": kernel, "stride": (d.int(1, 3), d.int(1, 3)),
        "padding": (d.int(0, kernel[0] // 2), d.int(0, kernel[1] // 2)), "ceil_mode": d.bool(),
    }  # fmt: skip
    return attrs, d.normal((d.int(1, 2), d.int(1, 2), d.int(5, 8), d.int(5, 8)))


def random_case(op: str, d: Draw) -> Case:
    """The inputs and attributes of one call of `op`."""
    if op in ("conv2d_input", "conv2d_weight"):
        x, weight, attrs = _conv(d)
        g = d.normal(torch_window("conv2d", [x, weight], attrs).shape)
        other, shape = (weight, x.shape) if op == "conv2d_input" else (x, weight.shape)
        return [g, other], {**attrs, "shape": shape}
    if op == "avg_pool2d_input":
        (x,), attrs = CASES["avg_pool2d"](d)
        return [d.normal(torch_window("avg_pool2d", [x], attrs).shape)], {**attrs, "shape": x.shape}
    return CASES[op](d)


CASES["avg_pool2d_input"] = CASES["conv2d_input"]


def _case_from_entry(p: Primitive) -> Callable[[Draw], Case]:
    """The case that follows from the entry of an elementwise primitive."""
    low, high = p.domain

    def make(d: Draw) -> Case:
        unary = p.arity == 1
        return [d.within(low, high, d.shape())] if unary else d.pair(
            lambda s: d.within(low, high, s)
        ), {}  # fmt: skip

    return make


for p in registry.values():
    if p.family == "elementwise":
        CASES.setdefault(p.name, _case_from_entry(p))


# ---------------------------------------------------------------- graphs and expected results


def as_lists(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return [as_lists(v) for v in value]
    return value


def flat(x: np.ndarray) -> list:
    return np.ravel(x).astype(float).tolist()


def one_node(op: str, arrays: list[np.ndarray], attrs: dict[str, Any], out: np.ndarray) -> dict:
    """A graph with one operation, in the format of docs/graph-schema.md."""
    nodes: list[dict] = [
        {"op": "input", "name": f"x{i}", "shape": list(x.shape), "dtype": x.dtype.name}
        for i, x in enumerate(arrays)
    ]
    attrs = {k: as_lists(v) for k, v in attrs.items()}
    inputs = list(range(len(arrays)))
    nodes.append(
        {"op": op, "in": inputs, "attrs": attrs, "shape": list(out.shape), "dtype": out.dtype.name}
    )
    outputs = [{"name": "out", "node": len(arrays)}]
    return {"format": "nnlib.graph", "version": 1, "nodes": nodes, "outputs": outputs}


def oracle(op: str, arrays: list[np.ndarray], attrs: dict[str, Any]) -> np.ndarray:
    """The result of nnlib's own primitive."""
    with np.errstate(all="ignore"):
        return np.asarray(registry[op].forward(*[x[()] for x in arrays], **attrs))


def torch_window(op: str, arrays: list[np.ndarray], attrs: dict[str, Any]) -> np.ndarray:
    """PyTorch's result of a window operation, whose algorithm differs from nnlib's."""
    import torch
    from torch.nn import functional as f

    a = [torch.tensor(x) for x in arrays]
    attrs = dict(attrs)
    shape = attrs.pop("shape", None)
    if op == "conv2d":
        out = f.conv2d(*a, **attrs)
    elif op == "conv2d_input":
        out = torch.nn.grad.conv2d_input(shape, a[1], a[0], **attrs)
    elif op == "conv2d_weight":
        out = torch.nn.grad.conv2d_weight(a[1], shape, a[0], **attrs)
    elif op == "max_pool2d":
        out = f.max_pool2d(*a, **attrs)
    elif op == "max_pool2d_indices":
        out = f.max_pool2d(*a, **attrs, return_indices=True)[1]
    elif op == "avg_pool2d":
        out = f.avg_pool2d(*a, **attrs)
    else:
        x = torch.zeros(shape, dtype=a[0].dtype, requires_grad=True)
        (out,) = torch.autograd.grad(f.avg_pool2d(x, **attrs), x, a[0])
    return np.asarray(out.detach().numpy())


SUMMING = {"reduce", "linalg", "window"}


def assert_close(
    values: list[float], expected: np.ndarray, arrays: list, op: str, message: str
) -> None:
    """Integers and booleans are equal; floats close relative to the result, sums to their terms."""
    assert len(values) == expected.size, message
    result = np.asarray(values, float).reshape(expected.shape)
    if expected.dtype.kind != "f":
        np.testing.assert_array_equal(result, expected.astype(float), err_msg=message)
        return
    rtol = RTOL[expected.dtype.name]
    atol = float(np.finfo(expected.dtype).tiny)
    if family_of(op) in SUMMING or op in ("scatter_add", "take_add", "index_add"):
        finite = [np.abs(x[np.isfinite(x)]).max(initial=1.0) for x in map(np.atleast_1d, arrays)]
        atol = rtol * float(np.prod(finite))
    np.testing.assert_allclose(result, expected, rtol=rtol, atol=atol, err_msg=message)


def family_of(op: str) -> str:
    return registry[op].family if op in registry else "window"


def shipped() -> list[str]:
    """The primitives that appear in a page's graphs; fused ones are decomposed first."""
    return sorted(name for name, primitive in registry.items() if primitive.decomposition is None)


def test_every_primitive_has_a_case_and_a_counterpart_in_the_page(evaluator_page):
    in_page = set(evaluator_page.evaluate("live.opNames()"))
    assert set(shipped()) <= in_page, f"missing in the page: {sorted(set(shipped()) - in_page)}"
    assert set(shipped()) <= set(CASES), (
        f"without a case here: {sorted(set(shipped()) - set(CASES))}"
    )
    assert in_page == set(CASES), f"unknown to this test: {sorted(in_page ^ set(CASES))}"


def run_in_page(page: Any, cases: list[tuple[str, list, dict]], expected: list[np.ndarray]) -> None:
    """Evaluates one graph for each case in the page, all in one call, and compares the results."""
    graphs = [
        {
            "graph": one_node(op, arrays, attrs, out),
            "inputs": {f"x{i}": flat(x) for i, x in enumerate(arrays)},
        }
        for (op, arrays, attrs), out in zip(cases, expected, strict=True)
    ]
    results = page.evaluate("cases => evaluate(cases)", graphs)
    for (op, arrays, attrs), out, result in zip(cases, expected, results, strict=True):
        given_shapes = [f"{x.dtype}{list(x.shape)}" for x in arrays]
        message = f"{op} of {given_shapes} with {attrs}: {str(result)[:1000]}"
        assert "error" not in result, message
        assert_close(result["out"], out, arrays, op, message)


FAMILIES = sorted({p.family for p in registry.values() if p.decomposition is None})


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_page_computes_the_same_values_as_python(evaluator_page, family, dtype):
    ops = [name for name in shipped() if registry[name].family == family]

    @SEARCH
    @given(st.data())
    def check(data: Any) -> None:
        d = Draw(data.draw, dtype)
        cases = [(op, *random_case(op, d)) for op in ops]
        run_in_page(evaluator_page, cases, [oracle(*case) for case in cases])

    check()


WINDOW = (
    "conv2d", "conv2d_input", "conv2d_weight", "max_pool2d", "max_pool2d_indices", "avg_pool2d",
    "avg_pool2d_input",
)  # fmt: skip


@SEARCH
@given(data=st.data())
def test_windows_agree_with_torch(evaluator_page, data):
    d = Draw(data.draw, "float64")
    cases = [(op, *random_case(op, d)) for op in WINDOW]
    run_in_page(evaluator_page, cases, [torch_window(*case) for case in cases])


def test_constants_arrive_unchanged(evaluator_page):
    from nnlib.graph import Graph, Step

    random = np.random.default_rng(1)
    values = [
        np.array([np.nan, np.inf, -np.inf, -0.0, 1.5], "float32"),
        random.normal(size=(5, 7)),
        random.normal(size=(5, 7)).astype("float32"),
        random.integers(-(2**50), 2**50, size=(3, 9)),
        random.random((4, 6)) < 0.5,
        np.array(3),
        np.array([True, False]),
    ]
    steps = [Step("constant", v.shape, v.dtype.name, value=v[()]) for v in values]
    graph = Graph(steps, {f"v{i}": i for i in range(len(values))})
    graphs = [{"graph": json.loads(graph.to_json()), "inputs": {}}]
    (outputs,) = evaluator_page.evaluate("cases => evaluate(cases)", graphs)
    for i, v in enumerate(values):
        np.testing.assert_array_equal(np.array(outputs[f"v{i}"]).reshape(v.shape), v.astype(float))

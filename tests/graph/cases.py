"""One or more calls of every primitive, with which the graph tests are parametrized."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from nnlib.record import Primitive

needs_numba = pytest.mark.skipif(
    importlib.util.find_spec("numba") is None, reason="numba makes the loops machine code"
)


def uniform(*shape, low=-2.0, high=2.0, seed=0):
    return np.asarray(np.random.default_rng([seed, *shape]).uniform(low, high, shape))


A, B, V = uniform(2, 3), uniform(2, 3, seed=1), uniform(3, seed=2)
S = np.float64(0.4)
P = uniform(2, 3, low=0.2, high=1.8)
UNIT = uniform(2, 3, low=-0.9, high=0.9)
BOOL = A > 0
INTEGERS = np.array([[3, 1, 2], [5, 4, 7]])
IMAGE, KERNEL = uniform(2, 4, 6, 5), uniform(6, 2, 3, 2, seed=3)
CONV = {"stride": (2, 1), "padding": (1, 1), "dilation": (1, 2), "groups": 2}
POOL = {"kernel_size": (3, 2), "stride": (2, 2), "padding": (1, 1), "ceil_mode": True}
MAX_POOL = {**POOL, "dilation": (1, 1)}
AVERAGE = {**POOL, "count_include_pad": False}
CONVOLVED = (2, 6, 3, 5)
POOLED = (2, 4, 4, 3)

# Elementwise primitives without attributes get arguments from the domain in their entries.
WITH_ATTRS = ("clamp", "cast", "where")
WITHOUT_ATTRS = [
    p for p in Primitive.registry.values() if p.family == "elementwise" and p.name not in WITH_ATTRS
    and not p.name.startswith("bitwise")
]  # fmt: skip
UNARY = [(p.name, (uniform(2, 3, low=p.domain[0], high=p.domain[1]),), {})
         for p in WITHOUT_ATTRS if p.arity == 1]  # fmt: skip
BINARY = [(p.name, (uniform(2, 3, low=p.domain[0], high=p.domain[1]), y), {})
          for p in WITHOUT_ATTRS if p.arity == 2 for y in (P, V + 3, S)]  # fmt: skip
EDGES = np.array([0.0, np.inf, np.nan, 1.0])

CASES: list[tuple[str, tuple, dict]] = [
    *UNARY,
    *[(name, (EDGES,), {}) for name in ("isnan", "isinf", "isfinite", "logical_not")],
    ("detach", (A,), {}),
    *[(name, (S,), {}) for name in ("exp", "tanh", "sigmoid", "relu", "softplus", "erf", "neg")],
    *BINARY,
    *[(n, (INTEGERS, np.int64(6)), {}) for n in ("bitwise_and", "bitwise_or", "bitwise_xor")],
    *[(n, (BOOL, ~BOOL), {}) for n in ("bitwise_and", "bitwise_or", "bitwise_xor")],
    ("where", (BOOL, A, B), {}),
    ("where", (BOOL, A, np.float64(0.0)), {}),
    ("clamp", (A,), {"min": -0.5, "max": 1.0}),
    ("clamp", (A,), {"min": None, "max": 1.0}),
    ("cast", (A,), {"dtype": "float32"}),
    ("cast", (BOOL,), {"dtype": "float64"}),
    *[
        (name, (A,), {"dim": dim, "keepdim": keep})
        for name in ("sum", "mean", "prod", "amax", "amin", "any", "all", "logsumexp")
        for dim, keep in (((0, 1), False), ((1,), True), ((0,), False))
    ],
    ("sum", (S,), {"dim": (), "keepdim": False}),
    *[(n, (A,), {"dim": d, "keepdim": k}) for n in ("argmax", "argmin")
      for d, k in ((None, False), (1, True))],
    *[(n, (A,), {"dim": d}) for n in ("softmax", "log_softmax", "cumsum", "cumprod")
      for d in (0, 1)],
    ("reshape", (A,), {"shape": (3, 2)}),
    ("permute", (A,), {"dims": (1, 0)}),
    ("permute", (IMAGE,), {"dims": (0, 2, 3, 1)}),
    ("expand", (V,), {"shape": (4, 3)}),
    ("flip", (A,), {"dims": (1,)}),
    ("slice", (A,), {"index": ((0, 2, 1), (0, 3, 2))}),
    ("slice", (A,), {"index": (1, (0, 3, 1))}),
    ("slice", (A,), {"index": ((0, 2, 1), (2, -1, -1))}),
    ("slice_backward", (V,), {"index": (1, (0, 3, 1)), "shape": (2, 3)}),
    ("cat", (A, B), {"dim": 1}),
    ("pad", (A,), {"pad": ((1, 0), (0, 2)), "value": 0.5}),
    ("tril", (A,), {"diagonal": 0}),
    ("triu", (A,), {"diagonal": 1}),
    ("matmul", (A, uniform(3, 4)), {}),
    ("matmul", (A, V), {}),
    ("matmul", (V, V), {}),
    ("matmul", (uniform(2, 2, 3), uniform(3, 4)), {}),
    ("einsum", (A, uniform(3, 4)), {"equation": "ij,jk->ki"}),
    ("gather", (A, np.array([[0, 2], [1, 1]])), {"dim": 1}),
    ("scatter_add", (A, np.array([[0, 2], [1, 1]]), B), {"dim": 1}),
    ("take", (A, np.array([[0, 1], [1, 1]])), {"dim": 0}),
    ("take_add", (uniform(2, 2, 3), np.array([[0, 1], [1, 1]])), {"dim": 0, "shape": (2, 3)}),
    ("index", (A, np.array([0, 1, 1]), np.array([2, 0, 0])), {"dims": (0, 1)}),
    ("index", (A, np.array([0, 2, 2])), {"dims": (1,)}),
    ("index_add", (V, np.array([0, 1, 1]), np.array([2, 0, 0])), {"dims": (0, 1), "shape": (2, 3)}),
    ("one_hot", (INTEGERS,), {"num_classes": 8}),
    ("argsort", (A,), {"dim": 1, "descending": True}),
    ("argsort", (A,), {"dim": 0, "descending": False}),
    ("conv2d", (IMAGE, KERNEL), CONV),
    ("conv2d_input", (uniform(*CONVOLVED), KERNEL), {**CONV, "shape": IMAGE.shape}),
    ("conv2d_weight", (uniform(*CONVOLVED), IMAGE), {**CONV, "shape": KERNEL.shape}),
    ("max_pool2d", (IMAGE,), MAX_POOL),
    ("max_pool2d_indices", (IMAGE,), MAX_POOL),
    ("avg_pool2d", (IMAGE,), AVERAGE),
    ("avg_pool2d_input", (uniform(*POOLED),), {**AVERAGE, "shape": IMAGE.shape}),
]  # fmt: skip


def present() -> list[tuple[str, tuple, dict]]:
    """The cases of registered primitives."""
    return [case for case in CASES if case[0] in Primitive.registry]

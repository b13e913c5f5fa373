"""Tensors print as in PyTorch, whatever they contain."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import nnlib

DTYPES = st.sampled_from(
    ["float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"]
)
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)


def assert_same_repr(array):
    theirs = repr(torch.tensor(array)).replace("torch.", "nnlib.")
    assert repr(nnlib.tensor(array)) == theirs


@settings(max_examples=150, deadline=None)
@given(data=st.data(), dtype=DTYPES, shape=SHAPES)
def test_any_array_prints_as_in_pytorch(data, dtype, shape):
    assert_same_repr(data.draw(hnp.arrays(dtype, shape)))


@settings(max_examples=60, deadline=None)
@given(shape=SHAPES, scale=st.floats(-6, 10), rounded=st.booleans(), seed=st.integers(0, 999))
def test_numbers_of_any_magnitude_print_as_in_pytorch(shape, scale, rounded, seed):
    x = np.random.default_rng(seed).normal(size=shape) * 10**scale
    assert_same_repr(np.float32(np.round(x) if rounded else x))


@pytest.mark.parametrize(
    "shape", [(1001,), (1000,), (2000, 2), (2, 1001), (40, 40), (8, 8, 20), (7, 1, 7, 30), (3, 400)]
)
@pytest.mark.parametrize("dtype", ["float32", "int64", "bool"])
def test_long_dimensions_are_shortened_as_in_pytorch(shape, dtype):
    x = np.random.default_rng(1).normal(size=shape) * 100
    assert_same_repr((x > 0) if dtype == "bool" else x.astype(dtype))


@pytest.mark.parametrize("shape", [(3,), (2, 9), (2, 2, 2), (), (30,)])
def test_the_text_after_the_numbers_is_wrapped_as_in_pytorch(shape):
    x = np.random.default_rng(2).normal(size=shape)
    for dtype in ("float32", "float64"):
        ours = nnlib.tensor(x.astype(dtype), requires_grad=True)
        theirs = torch.tensor(x.astype(dtype), requires_grad=True)
        assert repr(ours) == repr(theirs).replace("torch.", "nnlib.")
        assert repr(ours * 2) == repr(theirs * 2).replace("torch.", "nnlib.")

"""Data sets, splits and batches agree with PyTorch; random orders and splits can be repeated."""

from __future__ import annotations

import collections
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import nnlib

Point = collections.namedtuple("Point", "x y")


def listed(value):
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, dict):
        return {k: listed(v) for k, v in value.items()}
    return [listed(v) for v in value] if isinstance(value, (list, tuple)) else value


def data_and_rows(t):
    return t.utils.data, t.utils.data.TensorDataset(
        t.tensor(np.arange(14.0).reshape(7, 2)), t.tensor(np.arange(7))
    )


@settings(max_examples=25, deadline=None)
@given(size=st.integers(1, 9), drop=st.booleans())
def test_batches_in_order_agree_with_pytorch(size, drop):
    passes = []
    for t in (nnlib, torch):
        data, rows = data_and_rows(t)
        loader = data.DataLoader(rows, size, drop_last=drop)
        batches = list(loader)
        assert len(loader) == len(batches)
        passes.append(listed(batches))
        subset = data.DataLoader(data.Subset(data.Subset(rows, [6, 5, 4, 0]), [3, 1, 0]), size)
        passes.append(listed(list(subset)))
    assert passes[:2] == passes[2:]


EXAMPLES = {
    "numbers": [1, 2, 3],
    "floats": [1.5, 2.5],
    "booleans": [True, False],
    "arrays": [np.ones(2), np.zeros(2)],
    "strings": ["a", "b"],
    "dicts": [{"x": 1.0, "name": "a"}, {"x": 2.0, "name": "b"}],
    "pairs": [(1, 2.0), (3, 4.0)],
    "named": [Point(1, 2.0), Point(3, 4.0)],
    "nested": [([1, 2], {"a": 1}), ([3, 4], {"a": 2})],
}


@pytest.mark.parametrize("case", EXAMPLES)
def test_examples_are_batched_as_pytorch_batches_them(case):
    ours = nnlib.utils.data.default_collate(EXAMPLES[case])
    theirs = torch.utils.data.default_collate(EXAMPLES[case])
    assert listed(ours) == listed(theirs)
    assert type(ours).__name__ == type(theirs).__name__
    if isinstance(theirs, torch.Tensor):
        assert ours.dtype.name == str(theirs.dtype).split(".")[1]


def test_a_seeded_generator_repeats_the_orders_and_each_pass_has_another_one():
    data, rows = data_and_rows(nnlib)

    def passes():
        generator = nnlib.Generator().manual_seed(5)
        loader = data.DataLoader(rows, 3, shuffle=True, generator=generator)
        return [[y.tolist() for _, y in loader] for _ in range(2)]

    first, second = passes()
    assert first != second
    assert passes() == [first, second]
    assert sorted(n for batch in first for n in batch) == list(range(7))


def test_splits_are_disjoint_repeatable_and_sized_as_in_pytorch():
    for lengths in ([5, 2], [0.5, 0.5], [0.34, 0.33, 0.33]):
        data, rows = data_and_rows(nnlib)
        parts = data.random_split(rows, lengths, nnlib.Generator().manual_seed(1))
        repeated = data.random_split(rows, lengths, nnlib.Generator().manual_seed(1))
        assert [p.indices for p in parts] == [p.indices for p in repeated]
        assert sorted(i for p in parts for i in p.indices) == list(range(7))
        theirs = torch.utils.data.random_split(data_and_rows(torch)[1], lengths)
        assert [len(p) for p in parts] == [len(p) for p in theirs]


def test_custom_data_sets_samplers_and_collation_work_as_in_pytorch():
    for t in (nnlib, torch):

        class Squares(t.utils.data.Dataset):
            def __len__(self):
                return 5

            def __getitem__(self, i):
                return i, i * i

        loader = t.utils.data.DataLoader(
            Squares(), 2, sampler=[4, 2, 0], collate_fn=lambda batch: batch, num_workers=0
        )
        assert list(loader) == [[(4, 16), (2, 4)], [(0, 0)]]
        assert list(list(t.utils.data.DataLoader(Squares(), batch_size=None))[3]) == [3, 9]
        both = Squares() + Squares()
        assert len(both) == 10 and both[7] == (2, 4) and both[-1] == (4, 16)


def test_progress_is_shown_only_if_tqdm_is_installed(capsys, monkeypatch):
    data, rows = data_and_rows(nnlib)
    pytest.importorskip("tqdm")
    assert len(list(data.DataLoader(rows, 2, progress=True))) == 4
    assert "4/4" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    assert len(list(data.DataLoader(rows, 2, progress=True))) == 4
    assert capsys.readouterr().err == ""


BAD = {
    "a batch size of 0": lambda d, rows: d.DataLoader(rows, 0),
    "shuffle and sampler": lambda d, rows: d.DataLoader(rows, 2, True, [1]),
    "drop_last without batches": lambda d, rows: d.DataLoader(rows, None, drop_last=True),
    "a negative number of workers": lambda d, rows: d.DataLoader(rows, num_workers=-1),
    "lengths of another sum": lambda d, rows: d.random_split(rows, [3, 3]),
    "a negative fraction": lambda d, rows: d.random_split(rows, [1.5, -0.5]),
    "tensors of different lengths": lambda d, rows: d.TensorDataset(
        rows.tensors[0], rows.tensors[1][:3]
    ),
    "lists of different lengths": lambda d, rows: d.default_collate([[1], [1, 2]]),
    "objects that cannot be batched": lambda d, rows: d.default_collate([object()]),
    "no data sets": lambda d, rows: d.ConcatDataset([]),
    "an index out of range": lambda d, rows: d.ConcatDataset([rows])[-8],
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments_are_refused_with_pytorchs_type_of_error(case):
    with pytest.raises((ValueError, TypeError, RuntimeError, AssertionError)) as theirs:
        BAD[case](*data_and_rows(torch))
    with pytest.raises(theirs.type):
        BAD[case](*data_and_rows(nnlib))

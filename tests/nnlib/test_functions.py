"""Index, shape, linear-algebra and other functions: values, gradients and errors as in PyTorch."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import nnlib
from tests.nnlib.comparisons import agree, refused_alike, uniform

FEW = settings(max_examples=25, deadline=None)
CALLS = {
    # along a dimension
    "gather": lambda t, x: t.gather(x, 1, t.tensor([[[0, 2, 2, 1]], [[1, 0, 0, 0]]])),
    "gather of fewer elements": lambda t, x: x.gather(-1, t.tensor([[[3], [0]]])),
    "take_along_dim": lambda t, x: t.take_along_dim(x, t.tensor([[[0, 2, 1, 1]]]), 1),
    "take_along_dim of all": lambda t, x: t.take_along_dim(x, t.tensor([5, 0, 5])),
    "scatter": lambda t, x: x.scatter(2, t.tensor([[[3, 1], [0, 2]]]), (x * x)[:1, :2, :2]),
    "scatter a number": lambda t, x: x.scatter(1, t.tensor([[[2, 0, 1, 1]]]), 1.5),
    "scatter_add": lambda t, x: x.scatter_add(2, t.tensor([[[3, 3], [0, 0]]]), (x * x)[:1, :2, :2]),
    "index_select": lambda t, x: t.index_select(x, 1, t.tensor([2, 0, 2])),
    "index_add": lambda t, x: t.index_add(x, 1, t.tensor([2, 2]), x[:, :2] * x[:, 1:], alpha=2),
    "masked_fill": lambda t, x: x.masked_fill(x > 0.5, -2.0),
    "masked_fill by a tensor": lambda t, x: x.masked_fill(x > 0, x.sum()),
    "masked_select": lambda t, x: t.masked_select(x, x[:, :1] > 0),
    "topk": lambda t, x: t.topk(x, 2, 1).values,
    "topk of the smallest": lambda t, x: t.topk(x, 3, largest=False).values,
    "kthvalue": lambda t, x: t.kthvalue(x, 2, 1, keepdim=True).values,
    "median": lambda t, x: t.median(x),
    "median along a dimension": lambda t, x: x.median(2).values,
    # shapes
    "narrow": lambda t, x: x.narrow(2, 1, 2),
    "select": lambda t, x: t.select(x, 1, -1),
    "unbind": lambda t, x: t.unbind(x, 1)[1] * 2,
    "split": lambda t, x: t.split(x, 3, 2)[1],
    "split by sizes": lambda t, x: x.split([1, 2], 1)[1],
    "chunk": lambda t, x: t.chunk(x, 3, dim=2)[0],
    "tile": lambda t, x: t.tile(x, (2, 1)),
    "repeat": lambda t, x: x.repeat(2, 1, 3, 2),
    "repeat_interleave": lambda t, x: t.repeat_interleave(x, 2, 1),
    "repeat_interleave of all": lambda t, x: x.repeat_interleave(3),
    "roll": lambda t, x: t.roll(x, 1),
    "roll along two dimensions": lambda t, x: x.roll((1, -2), (0, 2)),
    "movedim": lambda t, x: t.movedim(x, (0, 1), (2, 0)),
    "swapaxes": lambda t, x: t.swapaxes(x, 0, 2),
    "ravel": lambda t, x: t.ravel(x),
    "unflatten": lambda t, x: t.unflatten(x, 2, (2, -1)),
    "broadcast_to": lambda t, x: t.broadcast_to(x, (5, 2, 3, 4)),
    "expand_as": lambda t, x: x[:, :1].expand_as(x),
    "view_as": lambda t, x: x.view_as(t.zeros(6, 4)),
    "meshgrid": lambda t, x: t.meshgrid(x[0, 0], x[0, :, 0], indexing="xy")[1],
    "broadcast_tensors": lambda t, x: t.broadcast_tensors(x[0], x[:, :1, :1])[1],
    "tril": lambda t, x: t.tril(x, -1),
    "triu": lambda t, x: x.triu(1),
    "diagonal": lambda t, x: t.diagonal(x, 1, -1, 0),
    "diagonal below": lambda t, x: x.diagonal(-1, 1, 2),
    "diag": lambda t, x: t.diag(x[0, 0], -2),
    "diag of a matrix": lambda t, x: t.diag(x[1], 1),
    "trace": lambda t, x: t.trace(x[0]),
    "hstack": lambda t, x: t.hstack([x, x * 2]),
    "vstack": lambda t, x: t.vstack([x[0, 0], x[0, 1] * x[0, 0]]),
    "squeeze of two dimensions": lambda t, x: x[:, :1, :1].squeeze((1, 2)),
    # arithmetic
    "add with alpha": lambda t, x: t.add(x, x * x, alpha=3),
    "sub with alpha": lambda t, x: x.sub(2.5, alpha=2),
    "rsqrt": lambda t, x: t.rsqrt(x.abs() + 0.1),
    "lerp": lambda t, x: t.lerp(x, x * x, 0.3),
    "lerp by a tensor": lambda t, x: x.lerp(t.ones_like(x), x),
    "clamp by tensors": lambda t, x: t.clamp(x, x[:1] * 0.5, x[:, :1].abs()),
    "clamp from below": lambda t, x: x.clamp(min=t.zeros(4).to(x.dtype)),
    # linear algebra
    "bmm": lambda t, x: t.bmm(x, x.transpose(1, 2)),
    "mm": lambda t, x: x[0].mm(x[1].T),
    "mv": lambda t, x: t.mv(x[0], x[1, 0]),
    "dot": lambda t, x: t.dot(x[0, 0], x[1, 1]),
    "outer": lambda t, x: t.outer(x[0, 0], x[1, :, 0]),
    "addmm": lambda t, x: t.addmm(x[0, :, :3], x[0], x[1].T, beta=0.5, alpha=2),
    "tensordot": lambda t, x: t.tensordot(x, x[0], dims=([1, 2], [0, 1])),
    "tensordot along one dimension": lambda t, x: t.tensordot(x, x[0].T, dims=1),
    "cdist": lambda t, x: t.cdist(x[0], x[1]),
    "cdist in blocks": lambda t, x: t.cdist(x, x[0] * 2, p=1.0),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_a_function_agrees_with_pytorch(name):
    # PyTorch has no second derivative of cdist
    agree(CALLS[name], uniform((2, 3, 4), seed=3), second=not name.startswith("cdist"))


EQUATIONS = [
    "ij,jk->ik", "ij,jk", "bij,bjk->bik", "ij->ji", "ij->", "ii->i", "ii", "iij->j", "i,j->ij",
    "ij,ij->i", "i,i", "...ij,...jk->...ik", "...i,i", "b...->...b", "ij,j,k->ik", "aab,b->a",
    "Ab,bC", "i...->...", " i j , j k -> k i ",
]  # fmt: skip


@pytest.mark.parametrize("equation", EQUATIONS)
def test_einsum_agrees_with_pytorch(equation):
    sizes = {"i": 3, "j": 4, "k": 2, "a": 3, "A": 2, "C": 3, "b": 2}
    arrays = []
    for position, term in enumerate(equation.split("->")[0].replace(" ", "").split(",")):
        shape = [sizes[c] for c in term.replace("...", "")]
        start = term.find("...")
        if start >= 0:
            shape[start:start] = [1, 5] if position == 0 else [5]
        arrays.append(uniform(tuple(shape), seed=position))
    agree(lambda t, *xs: t.einsum(equation, *xs), *arrays)


def test_einsum_broadcasts_dimensions_of_length_1():
    agree(lambda t, x, y: t.einsum("ij,ij->i", x, y), uniform((3, 1)), uniform((3, 4)))


@pytest.mark.parametrize("p", [0, 0.5, 1, 2, 3, 2.5, -1, math.inf, -math.inf, "fro"])
@pytest.mark.parametrize("dim", [None, 1, (0, 1)])
def test_norms_agree_with_pytorch(p, dim):
    x = uniform((3, 4), seed=5)
    second = p not in (0, 1, math.inf, -math.inf)
    agree(lambda t, x: t.norm(x, p, dim), x, second=second)
    if p != "fro":
        agree(lambda t, x: t.linalg.vector_norm(x, p, dim, keepdim=True), x, second=second)


@pytest.mark.parametrize("ord", ["fro", 1, -1, math.inf, -math.inf])
def test_matrix_norms_agree_with_pytorch(ord):
    agree(lambda t, x: t.linalg.norm(x, ord, (0, 2)), uniform((3, 4, 2)), second=ord == "fro")
    agree(lambda t, x: t.linalg.matrix_norm(x, ord, keepdim=True), uniform((3, 4, 2)), second=False)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_the_gradient_of_a_norm_at_zero_is_zero_as_in_pytorch(p):
    agree(lambda t, x: t.linalg.vector_norm(x, p), np.zeros(3), second=False)


WITHOUT_GRADIENT = {
    "one_hot": lambda t, x, i: _one_hot(t)(i),
    "one_hot with more classes": lambda t, x, i: _one_hot(t)(i, 9),
    "bincount": lambda t, x, i: t.bincount(i.flatten(), minlength=9),
    "bincount with weights": lambda t, x, i: t.bincount(i.flatten(), x.flatten()),
    "unique": lambda t, x, i: t.unique(i),
    "unique inverse": lambda t, x, i: t.unique(i, return_inverse=True)[1],
    "unique counts": lambda t, x, i: t.unique(i, return_counts=True)[1],
    "unique rows": lambda t, x, i: t.unique(i % 2, dim=0),
    "count_nonzero": lambda t, x, i: t.count_nonzero(i),
    "count_nonzero along a dimension": lambda t, x, i: i.count_nonzero(0),
    "nonzero": lambda t, x, i: t.nonzero(i),
    "nonzero as a tuple": lambda t, x, i: i.nonzero(as_tuple=True)[1],
    "nan_to_num": lambda t, x, i: t.nan_to_num(t.log(x) / x.round()),
    "nan_to_num of infinities": lambda t, x, i: (x / 0).nan_to_num(posinf=1.0, neginf=-1.0),
    "isclose": lambda t, x, i: t.isclose(x, x * (1 + x * 1e-5)),
    "isclose nan": lambda t, x, i: t.isclose(x.log(), x.log(), equal_nan=True),
    "isclose of integers": lambda t, x, i: t.isclose(i, i + 1, rtol=0.3),
    "sgn": lambda t, x, i: t.sgn(x),
    "masked_fill of integers with a float": lambda t, x, i: i.masked_fill(i > 1, 0.5),
    "clamp of integers": lambda t, x, i: i.clamp(1, 2),
    "div by floor": lambda t, x, i: t.div(i - 2, 2, rounding_mode="floor"),
    "div by trunc": lambda t, x, i: t.div(i - 2, 2, rounding_mode="trunc"),
    "div of floats by trunc": lambda t, x, i: x.div(0.3, rounding_mode="trunc"),
    "pow of a number": lambda t, x, i: t.pow(2, i),
    "topk indices": lambda t, x, i: t.topk(x, 2).indices,
    "kthvalue indices": lambda t, x, i: x.kthvalue(2).indices,
    "median indices": lambda t, x, i: x.median(0).indices,
    "median with nan": lambda t, x, i: x.log().median(1).values,
    "median of all with nan": lambda t, x, i: x.log().median(),
    "full_like": lambda t, x, i: t.full_like(i, 7),
    "new_zeros": lambda t, x, i: i.new_zeros(2, 3),
    "new_ones": lambda t, x, i: x.new_ones((2,)),
    "new_full": lambda t, x, i: i.new_full((2,), 3),
    "new_tensor": lambda t, x, i: x.new_tensor([1, 2]),
    "type_as": lambda t, x, i: i.type_as(x),
    "as_tensor": lambda t, x, i: t.as_tensor([1.5, 2.0]),
    "hstack of vectors": lambda t, x, i: t.hstack([i[0], i[1]]),
    "softmax in another dtype": lambda t, x, i: t.softmax(i, 1, dtype=t.float64),
    "cumsum in another dtype": lambda t, x, i: t.cumsum(i, 0, dtype=t.float32),
    "tril of booleans": lambda t, x, i: t.tril(i > 1),
    "einsum of integers": lambda t, x, i: t.einsum("ij,kj->ik", i, i),
}  # fmt: skip


def _one_hot(t):
    return t.nn.functional.one_hot


@pytest.mark.parametrize("name", WITHOUT_GRADIENT)
def test_a_function_without_gradient_agrees_with_pytorch(name):
    x = np.random.default_rng(8).normal(size=(4, 3)).astype("float32")
    i = np.random.default_rng(9).integers(0, 4, size=(4, 3))
    ours = WITHOUT_GRADIENT[name](nnlib, nnlib.tensor(x), nnlib.tensor(i))
    theirs = WITHOUT_GRADIENT[name](torch, torch.tensor(x), torch.tensor(i))
    assert ours.dtype.name == str(theirs.dtype).split(".")[1]
    assert tuple(ours.shape) == tuple(theirs.shape)
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6, atol=1e-7)


@FEW
@given(data=st.data(), shape=hnp.array_shapes(min_dims=1, max_dims=3, max_side=4))
def test_gather_and_scatter_add_of_random_shapes_agree(data, shape):
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    sizes = [data.draw(st.integers(1, n)) for n in shape]
    sizes[dim] = data.draw(st.integers(1, 5))
    index = np.random.default_rng(1).integers(0, shape[dim], size=sizes)
    agree(lambda t, x: t.gather(x, dim, t.tensor(index)), uniform(shape))
    agree(
        lambda t, x, y: t.scatter_add(x, dim, t.tensor(index), y),
        uniform(shape), uniform(tuple(sizes), seed=1),
    )  # fmt: skip


@FEW
@given(data=st.data(), shape=hnp.array_shapes(min_dims=1, max_dims=3, max_side=5))
def test_splitting_random_shapes_agrees(data, shape):
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    n = data.draw(st.integers(1, 6))
    x = uniform(shape)
    for name in ("split", "chunk"):
        ours = getattr(nnlib, name)(nnlib.tensor(x), n, dim)
        theirs = getattr(torch, name)(torch.tensor(x), n, dim)
        assert [o.tolist() for o in ours] == [o.tolist() for o in theirs]
    shift = data.draw(st.integers(-7, 7))
    assert nnlib.roll(nnlib.tensor(x), shift, dim).tolist() == torch.roll(
        torch.tensor(x), shift, dim
    ).tolist()  # fmt: skip
    offset = data.draw(st.integers(-6, 6))
    if len(shape) > 1:
        ours = nnlib.diagonal(nnlib.tensor(x), offset, dim, (dim + 1) % len(shape))
        theirs = torch.diagonal(torch.tensor(x), offset, dim, (dim + 1) % len(shape))
        assert ours.tolist() == theirs.tolist()
        assert tuple(ours.shape) == tuple(theirs.shape)


def test_comparisons_of_whole_tensors_give_python_booleans():
    x = nnlib.tensor([1.0, 2.0])
    assert nnlib.allclose(x, x + 1e-9) is True
    assert nnlib.allclose(x, x + 1) is False
    assert nnlib.equal(x, nnlib.tensor([1.0, 2.0])) is True
    assert nnlib.equal(x, nnlib.ones(3)) is False


def test_random_numbers_have_the_requested_distribution():
    nnlib.manual_seed(0)
    p = nnlib.full((20_000,), 0.3)
    assert abs(nnlib.bernoulli(p).mean().item() - 0.3) < 0.02
    samples = nnlib.multinomial(nnlib.tensor([1.0, 3.0]), 20_000, replacement=True)
    assert abs(samples.float().mean().item() - 0.75) < 0.02
    assert sorted(nnlib.multinomial(nnlib.ones(5), 5).tolist()) == [0, 1, 2, 3, 4]
    assert nnlib.multinomial(nnlib.ones(3, 4), 2).shape == (3, 2)
    x = nnlib.normal(nnlib.full((20_000,), 2.0), 0.5)
    assert abs(x.mean().item() - 2) < 0.02 and abs(x.std().item() - 0.5) < 0.02
    assert nnlib.normal(0.0, 1.0, (2, 3)).shape == (2, 3)
    assert nnlib.rand_like(nnlib.zeros(3, dtype=nnlib.float64)).dtype is nnlib.float64
    assert nnlib.randn_like(nnlib.zeros(2, 3)).shape == (2, 3)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_finfo_agrees_with_pytorch(dtype):
    ours, theirs = nnlib.finfo(getattr(nnlib, dtype)), torch.finfo(getattr(torch, dtype))
    assert repr(ours) == repr(theirs)
    for name in ("eps", "max", "min", "tiny", "bits", "smallest_normal", "resolution"):
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name), rel=1e-6), name


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32", "int64"])
def test_iinfo_agrees_with_pytorch(dtype):
    assert repr(nnlib.iinfo(getattr(nnlib, dtype))) == repr(torch.iinfo(getattr(torch, dtype)))


BAD = {
    "gather: index out of range": lambda t: t.ones(2, 2).gather(0, t.tensor([[2]])),
    "gather: negative index": lambda t: t.ones(2, 2).gather(0, t.tensor([[-1]])),
    "gather: floats as index": lambda t: t.ones(2).gather(0, t.ones(2)),
    "gather: too few dimensions": lambda t: t.ones(2, 2).gather(0, t.tensor([0])),
    "gather: index too long": lambda t: t.ones(2, 2).gather(0, t.tensor([[0, 0, 0]])),
    "scatter of another dtype": lambda t: t.ones(2).scatter(0, t.tensor([0]), t.ones(2).double()),
    "scatter out of range": lambda t: t.ones(2).scatter(0, t.tensor([5]), 1.0),
    "index_select out of range": lambda t: t.index_select(t.ones(2), 0, t.tensor([2])),
    "index_select by a matrix": lambda t: t.index_select(t.ones(2), 0, t.tensor([[0]])),
    "index_add of the wrong shape": lambda t: t.ones(2, 2).index_add(
        0, t.tensor([0]), t.ones(2, 2)
    ),
    "masked_fill with a mask of floats": lambda t: t.ones(2).masked_fill(t.ones(2), 1.0),
    "masked_fill with several values": lambda t: t.ones(2).masked_fill(t.ones(2) > 0, t.ones(2)),
    "masked_select with a mask of floats": lambda t: t.ones(2).masked_select(t.ones(2)),
    "topk of too many elements": lambda t: t.topk(t.ones(2), 3),
    "kthvalue with k = 0": lambda t: t.kthvalue(t.ones(2), 0),
    "narrow too far": lambda t: t.ones(3).narrow(0, 2, 2),
    "select out of range": lambda t: t.ones(3).select(0, 3),
    "split into sizes of another sum": lambda t: t.split(t.ones(3), [1, 1]),
    "chunk into 0": lambda t: t.chunk(t.ones(3), 0),
    "repeat of too few dimensions": lambda t: t.ones(2, 2).repeat(2),
    "movedim of different lengths": lambda t: t.movedim(t.ones(2, 2), (0, 1), (0,)),
    "unflatten that does not fit": lambda t: t.unflatten(t.ones(6), 0, (4, 2)),
    "meshgrid of matrices": lambda t: t.meshgrid(t.ones(2, 2)),
    "meshgrid with an unknown indexing": lambda t: t.meshgrid(t.ones(2), indexing="yx"),
    "tril of a vector": lambda t: t.tril(t.ones(3)),
    "diag of rank 3": lambda t: t.diag(t.ones(1, 1, 1)),
    "diagonal of one dimension": lambda t: t.diagonal(t.ones(2, 2), 0, 1, 1),
    "bmm of matrices": lambda t: t.bmm(t.ones(2, 2), t.ones(2, 2)),
    "bmm of different batches": lambda t: t.bmm(t.ones(2, 2, 2), t.ones(3, 2, 2)),
    "dot of different lengths": lambda t: t.dot(t.ones(2), t.ones(3)),
    "mm of vectors": lambda t: t.mm(t.ones(2), t.ones(2)),
    "einsum of too few operands": lambda t: t.einsum("ij,jk", t.ones(2, 2)),
    "einsum of different sizes": lambda t: t.einsum("ij,jk", t.ones(2, 3), t.ones(2, 3)),
    "einsum of wrong rank": lambda t: t.einsum("ij", t.ones(2)),
    "einsum with an unknown result": lambda t: t.einsum("ij->k", t.ones(2, 2)),
    "einsum with a repeated result": lambda t: t.einsum("i->ii", t.ones(2)),
    "einsum with digits": lambda t: t.einsum("i1->i", t.ones(2, 2)),
    "norm of integers": lambda t: t.linalg.vector_norm(t.tensor([1, 2])),
    "matrix norm of a vector": lambda t: t.linalg.matrix_norm(t.ones(3)),
    "isclose of two dtypes": lambda t: t.isclose(t.ones(2), t.ones(2).double()),
    "lerp of two dtypes": lambda t: t.lerp(t.ones(2), t.ones(2).double(), 0.5),
    "clamp without bounds": lambda t: t.clamp(t.ones(2)),
    "clamp by a number and a tensor": lambda t: t.clamp(t.ones(2), 0.0, t.ones(2)),
    "div with an unknown rounding mode": lambda t: t.div(t.ones(2), 2, rounding_mode="up"),
    "one_hot of floats": lambda t: _one_hot(t)(t.ones(2)),
    "one_hot of a negative number": lambda t: _one_hot(t)(t.tensor([-1])),
    "one_hot of too few classes": lambda t: _one_hot(t)(t.tensor([3]), 2),
    "bincount of negative numbers": lambda t: t.bincount(t.tensor([-1])),
    "bernoulli of 2": lambda t: t.bernoulli(t.tensor([2.0])),
    "multinomial with too many samples": lambda t: t.multinomial(t.ones(2), 3),
    "multinomial of negative weights": lambda t: t.multinomial(t.tensor([-1.0, 2.0]), 1),
    "normal with a negative std": lambda t: t.normal(t.zeros(2), -1.0),
    "finfo of integers": lambda t: t.finfo(t.int32),
    "iinfo of floats": lambda t: t.iinfo(t.float32),
    "a mask of another shape": lambda t: t.ones(3)[t.tensor([True, False])],
    "a list of numbers in place of a tensor": lambda t: t.exp([1.0]),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_with_pytorchs_type_of_error(case):
    refused_alike(BAD[case])

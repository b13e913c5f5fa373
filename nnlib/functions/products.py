"""Products, contractions and norms with PyTorch's names: matmul, einsum and related functions."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlib import dtypes
from nnlib._types import Dim, DType
from nnlib.devices import refuse_out
from nnlib.functions import along
from nnlib.functions import arithmetic as ar
from nnlib.functions import reshaping as s
from nnlib.functions._args import as_list, converted, dimensions, is_integer, needs_tensor
from nnlib.functions.arrange import diagonal, movedim
from nnlib.primitives import linalg as p
from nnlib.record import apply, make

if TYPE_CHECKING:
    from nnlib.tensor import Tensor

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def matmul(input: Tensor, other: Tensor, *, out: None = None) -> Tensor:
    """The matrix product, over the last two dimensions; those before them broadcast.

    Raises RuntimeError if the shapes do not match or the types differ (nothing is cast).  Like
    ``torch.matmul``.

    >>> import nnlib
    >>> nnlib.matmul(nnlib.ones(2, 3), nnlib.ones(3))
    tensor([3., 3.])
    """
    if out is not None:
        refuse_out(out)
    x, y = needs_tensor("matmul", input), needs_tensor("matmul", other)
    a, b = x._data, y._data
    if a.ndim == b.ndim == 2 and a.shape[1] == b.shape[0] and a.dtype is b.dtype:
        return apply(p.matmul, (x, y), {})
    if a.dtype != b.dtype:
        raise _types_differ(x, y)
    if not a.ndim or not b.ndim:
        raise RuntimeError(
            "both arguments to matmul need to be at least 1D, but they are "
            f"{a.ndim}D and {b.ndim}D. Use * for numbers."
        )
    if a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({_size(x)} and {_size(y)}): the last "
            "dimension of the first must equal the one before the last of the second. "
            "Did you forget a transpose (.T)?"
        )
    try:
        return apply(p.matmul, (x, y), {})
    except ValueError as error:
        raise RuntimeError(f"matmul: the batch dimensions do not broadcast: {error}") from None


def _types_differ(x: Tensor, y: Tensor) -> RuntimeError:
    return RuntimeError(
        "expected m1 and m2 to have the same dtype, but got: "
        f"{dtypes.of(x._data).name} != {dtypes.of(y._data).name}. Convert one: x.to(y.dtype)."
    )


def _size(x: Tensor) -> str:
    return "x".join(map(str, x._data.shape))


def _ranks(name: str, *args: tuple[Any, int]) -> list[Tensor]:
    """The arguments as a list; RuntimeError if one has the wrong number of dimensions."""
    xs = [needs_tensor(name, x) for x, _ in args]
    for x, (_, rank) in zip(xs, args, strict=True):
        if x._data.ndim != rank:
            raise RuntimeError(
                f"{name}: expected tensors with {[n for _, n in args]} dimensions, got shapes "
                f"{[list(x._data.shape) for x in xs]}. matmul() takes any rank."
            )
    return xs


def mm(input: Tensor, mat2: Tensor, *, out: None = None) -> Tensor:
    """The product of two matrices: (n, m) · (m, p) → (n, p).

    Raises RuntimeError for other numbers of dimensions, and if the sizes do not match.  Like
    ``torch.mm``.

    >>> import nnlib
    >>> nnlib.mm(nnlib.tensor([[1.0, 2.0]]), nnlib.tensor([[3.0], [4.0]]))
    tensor([[11.]])
    """
    if out is not None:
        refuse_out(out)
    return matmul(*_ranks("mm", (input, 2), (mat2, 2)))


def mv(input: Tensor, vec: Tensor, *, out: None = None) -> Tensor:
    """The product of a matrix and a vector: (n, m) · (m) → (n).

    Raises RuntimeError for other numbers of dimensions, and if the sizes do not match.  Like
    ``torch.mv``.

    >>> import nnlib
    >>> nnlib.mv(nnlib.tensor([[1.0, 2.0], [3.0, 4.0]]), nnlib.tensor([1.0, 10.0]))
    tensor([21., 43.])
    """
    if out is not None:
        refuse_out(out)
    return matmul(*_ranks("mv", (input, 2), (vec, 1)))


def dot(input: Tensor, tensor: Tensor, *, out: None = None) -> Tensor:
    """The dot product Σᵢ inputᵢ · tensorᵢ of two vectors.

    Raises RuntimeError for anything but two vectors of equal length.  Like ``torch.dot``.

    >>> import nnlib
    >>> nnlib.dot(nnlib.tensor([1.0, 2.0]), nnlib.tensor([3.0, 4.0]))
    tensor(11.)
    """
    if out is not None:
        refuse_out(out)
    x, y = _ranks("dot", (input, 1), (tensor, 1))
    if x._data.size != y._data.size:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{x._data.size}] and src [{y._data.size}] "
            "to have the same number of elements"
        )
    return matmul(x, y)


def outer(input: Tensor, vec2: Tensor, *, out: None = None) -> Tensor:
    """The outer product inputᵢ · vec2ⱼ of two vectors: (n), (m) → (n, m).

    Raises RuntimeError for anything but vectors.  Like ``torch.outer``.

    >>> import nnlib
    >>> nnlib.outer(nnlib.tensor([1, 2]), nnlib.tensor([3, 4]))
    tensor([[3, 4],
            [6, 8]])
    """
    if out is not None:
        refuse_out(out)
    x, y = _ranks("outer", (input, 1), (vec2, 1))
    return ar.mul(s.unsqueeze(x, 1), y)


def bmm(input: Tensor, mat2: Tensor, *, out: None = None) -> Tensor:
    """A batch of matrix products: (b, n, m) · (b, m, p) → (b, n, p).

    Raises RuntimeError for other numbers of dimensions, and if the sizes do not match.  Like
    ``torch.bmm``.

    >>> import nnlib
    >>> nnlib.bmm(nnlib.ones(5, 2, 3), nnlib.ones(5, 3, 4)).shape
    nnlib.Size([5, 2, 4])
    """
    if out is not None:
        refuse_out(out)
    x, y = _ranks("bmm", (input, 3), (mat2, 3))
    if x._data.shape[0] != y._data.shape[0] or x._data.shape[2] != y._data.shape[1]:
        raise RuntimeError(
            "Expected size for first two dimensions of batch2 tensor to be: "
            f"[{x._data.shape[0]}, {x._data.shape[2]}] but got: "
            f"[{y._data.shape[0]}, {y._data.shape[1]}]."
        )
    return matmul(x, y)


def _scaled_sum(input: Tensor, product: Tensor, beta: float, alpha: float) -> Tensor:
    product = product if alpha == 1 else ar.mul(product, alpha)
    if beta == 0:  # `input` is ignored, even where it is nan
        return product
    scaled = input if beta == 1 else ar.mul(input, beta)
    return ar.add(s.expand(scaled, product._data.shape), product)


def addmm(
    input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1
) -> Tensor:
    """beta · input + alpha · mat1 @ mat2.

    With beta = 0, `input` is ignored.  Like ``torch.addmm``.

    >>> import nnlib
    >>> nnlib.addmm(nnlib.ones(2, 2), nnlib.eye(2), nnlib.eye(2), beta=2)
    tensor([[3., 2.],
            [2., 3.]])
    """
    return _scaled_sum(needs_tensor("addmm", input), mm(mat1, mat2), beta, alpha)


# ---------------------------------------------------------------- einsum


def einsum(equation: str, *operands: Tensor | Sequence[Tensor]) -> Tensor:
    """Sums of products in Einstein's notation: letters name dimensions.

    Letters that the result lacks are summed over; a letter that repeats within a factor selects a
    diagonal; ``...`` stands for dimensions that broadcast.  Raises RuntimeError if letters and
    shapes do not match.  Like ``torch.einsum``.

    >>> import nnlib
    >>> nnlib.einsum("ij,j->i", nnlib.ones(2, 3), nnlib.ones(3))
    tensor([3., 3.])
    >>> nnlib.einsum("ii->i", nnlib.eye(2))
    tensor([1., 1.])
    """
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    xs = [needs_tensor("einsum", x) for x in operands]
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if not xs or len(terms) != len(xs):
        raise RuntimeError(
            f"einsum(): the equation {equation!r} names {len(terms)} operands, and {len(xs)} were "
            "given"
        )
    _letters_only(equation, [*terms, right])
    for x in xs[1:]:
        if x._data.dtype != xs[0]._data.dtype:
            raise _types_differ(xs[0], x)
    ellipsis, terms = _without_ellipses(terms, xs)
    right = _implied(terms, ellipsis) if not arrow else right.replace("...", ellipsis)
    _check_result(right, terms)
    pairs = [_with_distinct_letters(x, term) for x, term in zip(xs, terms, strict=True)]
    xs, terms = [x for x, _ in pairs], [term for _, term in pairs]
    xs, terms = _summed_over_own_letters(xs, terms, right)
    xs = _expanded(xs, terms)
    return apply(p.einsum, xs, {"equation": ",".join(terms) + "->" + right})


def _letters_only(equation: str, terms: Sequence[str]) -> None:
    for term in terms:
        rest = term.replace("...", "", 1)
        if not all(c in _LETTERS for c in rest):
            raise RuntimeError(
                f"einsum(): invalid subscript in {equation!r}: dimensions are named by letters "
                "a-z and A-Z, or ... once in a term"
            )


def _without_ellipses(terms: list[str], xs: list[Tensor]) -> tuple[str, list[str]]:
    """Replace each ``...`` by unused letters, aligned at the right, as in broadcasting."""
    used = set("".join(terms))
    free = [c for c in _LETTERS if c not in used]
    extra = []
    for term, x in zip(terms, xs, strict=True):
        named = len(term.replace("...", ""))
        unnamed = x._data.ndim - named
        if unnamed < 0 or (unnamed and "..." not in term):
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({named}) does not match the "
                f"number of dimensions ({x._data.ndim}) for the term {term!r}"
            )
        extra.append(unnamed)
    ellipsis = "".join(free[: max(extra)])
    return ellipsis, [
        term.replace("...", ellipsis[len(ellipsis) - n :])
        for term, n in zip(terms, extra, strict=True)
    ]


def _implied(terms: list[str], ellipsis: str) -> str:
    """The result's letters if ``->`` is missing: ``...``, then those that occur once, in order."""
    letters = "".join(terms)
    once = [c for c in set(letters) if letters.count(c) == 1 and c not in ellipsis]
    return ellipsis + "".join(sorted(once))


def _check_result(right: str, terms: list[str]) -> None:
    for c in right:
        if right.count(c) > 1:
            raise RuntimeError(f"einsum(): output subscript {c} appears more than once")
        if c not in "".join(terms):
            raise RuntimeError(f"einsum(): output subscript {c} does not appear in any operand")


def _with_distinct_letters(x: Tensor, term: str) -> tuple[Tensor, str]:
    """Replace the dimensions of a letter that repeats within a term by their diagonal."""
    while len(set(term)) < len(term):
        c = next(c for c in term if term.count(c) > 1)
        i = term.index(c)
        j = term.index(c, i + 1)
        if x._data.shape[i] != x._data.shape[j]:
            raise RuntimeError(
                f"einsum(): subscript {c} is repeated for one operand but the sizes don't match, "
                f"{x._data.shape[j]} != {x._data.shape[i]}"
            )
        x = movedim(diagonal(x, 0, i, j), -1, i)
        term = term[:j] + term[j + 1 :]
    return x, term


def _summed_over_own_letters(
    xs: list[Tensor], terms: list[str], right: str
) -> tuple[list[Tensor], list[str]]:
    """Sum each factor over letters that neither the result nor another factor has.

    Another factor may have such a letter with length 1.  The gradients of the other factors then
    need only the sum, as in PyTorch, so the factor itself may be changed in place.
    """
    if len(xs) == 1 or xs[0]._data.dtype.kind != "f":
        return xs, terms
    xs, terms = list(xs), list(terms)
    for letter in sorted(set("".join(terms)) - set(right)):
        factors = [k for k, term in enumerate(terms) if letter in term]
        lengths = [xs[k]._data.shape[terms[k].index(letter)] for k in factors]
        if sum(n != 1 for n in lengths) != 1:
            continue
        for k in factors:
            xs[k] = along.sum(xs[k], terms[k].index(letter))
            terms[k] = terms[k].replace(letter, "")
    return xs, terms


def _expanded(xs: list[Tensor], terms: list[str]) -> list[Tensor]:
    """Dimensions of length 1 expanded to the length that their letter has elsewhere."""
    sizes: dict[str, int] = {}
    for x, term in zip(xs, terms, strict=True):
        for c, n in zip(term, x._data.shape, strict=True):
            if sizes.get(c, 1) != n and n != 1 and sizes.get(c, 1) != 1:
                raise RuntimeError(
                    f"einsum(): subscript {c} has size {n} for one operand, which does not "
                    f"broadcast with previously seen size {sizes[c]}"
                )
            sizes[c] = n if sizes.get(c, 1) == 1 else sizes[c]
    out = []
    for x, term in zip(xs, terms, strict=True):
        shape = tuple([sizes[c] for c in term])
        out.append(x if x._data.shape == shape else s.expand(x, shape))
    return out


def tensordot(a: Tensor, b: Tensor, dims: int | Sequence[Sequence[int]] = 2) -> Tensor:
    """Products summed over the last `dims` dimensions of a and the first of b, or over two lists.

    Raises RuntimeError for more dimensions than there are.  Like ``torch.tensordot``.

    >>> import nnlib
    >>> nnlib.tensordot(nnlib.ones(2, 3, 4), nnlib.ones(3, 4, 5), dims=2).shape
    nnlib.Size([2, 5])
    """
    x, y = needs_tensor("tensordot", a), needs_tensor("tensordot", b)
    lists: Any = dims
    if is_integer(dims):
        n = operator.index(dims)  # type: ignore[arg-type]  # is_integer() checked it
        if n < 0 or n > min(x._data.ndim, y._data.ndim):
            raise RuntimeError(f"tensordot expects dims >= 0 and in range, but got dims={n}")
        lists = (range(x._data.ndim - n, x._data.ndim), range(n))
    summed = [
        dimensions(list(d), t._data.ndim) if d else () for d, t in zip(lists, (x, y), strict=True)
    ]
    first = list(_LETTERS[: x._data.ndim])
    second = list(_LETTERS[x._data.ndim : x._data.ndim + y._data.ndim])
    for i, j in zip(*summed, strict=True):
        second[j] = first[i]
    remaining = [c for i, c in enumerate(first) if i not in summed[0]]
    remaining += [c for j, c in enumerate(second) if j not in summed[1]]
    return einsum(f"{''.join(first)},{''.join(second)}->{''.join(remaining)}", x, y)


# ---------------------------------------------------------------- norms


def vector_norm(
    x: Tensor, ord: float = 2, dim: Dim = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Tensor:
    """(Σ |x|^ord)^(1/ord) over `dim` (all by default); inf: the largest |x|, 0: the nonzero count.

    At zero the gradient is 0, as in PyTorch.  Raises RuntimeError for integers.  Like
    ``torch.linalg.vector_norm``.

    >>> import nnlib
    >>> nnlib.linalg.vector_norm(nnlib.tensor([[3.0, -4.0], [6.0, 8.0]]), dim=1)
    tensor([ 5., 10.])
    """
    v = needs_tensor("linalg.vector_norm", x)
    v = v if dtype is None else converted(v, dtypes.as_numpy(dtype))
    if v._data.dtype.kind != "f":
        raise RuntimeError(
            "linalg.vector_norm: Expected a floating point or complex tensor as input. Got "
            f"{dtypes.of(v._data).name}"
        )
    if v._data.dtype == np.float16:  # squares could overflow although the norm does not
        in_float32 = vector_norm(ar.to_dtype(v, dtypes.float32), ord, dim, keepdim)
        return ar.to_dtype(in_float32, dtypes.float16)
    if ord == math.inf:
        return along.amax(ar.abs(v), dim, keepdim)
    if ord == -math.inf:
        return along.amin(ar.abs(v), dim, keepdim)
    if ord == 0:
        return along.sum(ar.abs(ar.sign(v)), dim, keepdim)  # the sign has the gradient 0 everywhere
    if ord == 1:
        return along.sum(ar.abs(v), dim, keepdim)
    if ord == 2:
        return _root(along.sum(ar.mul(v, v), dim, keepdim), 2)
    # zeros are replaced before taking the power, whose derivative at 0 may be infinite
    magnitude, is_zero = ar.abs(v), ar.eq(v, 0)
    one, zero = make(v._data.dtype.type(1)), make(v._data.dtype.type(0))
    powers = ar.pow(ar.where(is_zero, one, magnitude), float(ord))
    if ord > 0:
        powers = ar.where(is_zero, zero, powers)
    else:
        powers = ar.where(is_zero, make(v._data.dtype.type(math.inf)), powers)
    return _root(along.sum(powers, dim, keepdim), ord)


def _root(total: Tensor, ord: float) -> Tensor:
    """total^(1/ord) with the gradient 0 where total is 0."""
    number = total._data.dtype.type
    is_zero = ar.eq(total, 0)
    safe = ar.where(is_zero, make(number(1)), total)
    root = ar.sqrt(safe) if ord == 2 else ar.pow(safe, 1 / ord)
    return ar.where(is_zero, make(number(0 if ord > 0 else math.inf)), root)


def matrix_norm(
    A: Tensor,
    ord: float | str = "fro",
    dim: tuple[int, int] = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Tensor:
    """A matrix norm over two dimensions: "fro" is √Σx², ±1 compare column sums, ±inf row sums.

    The spectral and nuclear norms need singular values, which nnlib does not have:
    NotImplementedError.  Raises RuntimeError for fewer than two dimensions.  Like
    ``torch.linalg.matrix_norm``.

    >>> import nnlib
    >>> nnlib.linalg.matrix_norm(nnlib.tensor([[1.0, 2.0], [2.0, 4.0]]))
    tensor(5.)
    """
    x = needs_tensor("linalg.matrix_norm", A)
    if x._data.ndim < 2 or len(dim) != 2:
        raise RuntimeError(
            "linalg.matrix_norm: The input tensor A must have at least 2 dimensions, and dim must "
            f"name two: got shape {list(x._data.shape)}, dim {dim}"
        )
    if ord == "fro":
        return vector_norm(x, 2, tuple(dim), keepdim, dtype=dtype)
    if ord not in (1, -1, math.inf, -math.inf):
        raise NotImplementedError(
            f"matrix_norm(ord={ord!r}) needs singular values, which nnlib does not compute: "
            "use 'fro', 1, -1, inf or -inf"
        )
    rows, columns = dimensions(tuple(dim), x._data.ndim)
    summed, compared = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = vector_norm(x, 1, summed, True, dtype=dtype)
    out = (along.amax if ord > 0 else along.amin)(sums, compared, True)
    return out if keepdim else s.squeeze(out, (rows, columns))


def norm(
    A: Tensor,
    ord: float | str | None = None,
    dim: Dim = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Tensor:
    """√Σx² of all elements, or the vector or matrix norm `ord` over one or two dimensions.

    Raises RuntimeError for an `ord` without `dim` unless `A` is a vector or a matrix.  Like
    ``torch.linalg.norm``.

    >>> import nnlib
    >>> nnlib.linalg.norm(nnlib.tensor([[1.0, 2.0], [2.0, 4.0]]))
    tensor(5.)
    """
    x = needs_tensor("linalg.norm", A)
    if ord is None:
        return vector_norm(x, 2, dim, keepdim, dtype=dtype)
    if dim is None:
        if x._data.ndim not in (1, 2):
            raise RuntimeError(
                "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got "
                f"{x._data.ndim}D."
            )
        dim = tuple(range(x._data.ndim))
    dims = tuple(as_list(dim))
    if len(dims) == 2:
        return matrix_norm(x, ord, dims, keepdim, dtype=dtype)
    return vector_norm(x, ord, dims, keepdim, dtype=dtype)  # type: ignore[arg-type]


def torch_norm(
    input: Tensor,
    p: float | str | None = "fro",
    dim: Dim = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Tensor:
    """(Σ |x|^p)^(1/p) over `dim`; "fro" is p = 2.  Like ``torch.norm``; see also linalg.norm.

    >>> import nnlib
    >>> nnlib.norm(nnlib.tensor([3.0, 4.0]))
    tensor(5.)
    """
    order: Any = 2 if p in ("fro", None) else p
    return vector_norm(input, order, dim, keepdim, dtype=dtype)

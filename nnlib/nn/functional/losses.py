"""Losses, under PyTorch's names (`torch.nn.functional`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnlib import dtypes, record
from nnlib.functions import along
from nnlib.functions import arithmetic as ar
from nnlib.functions import reshaping as s
from nnlib.functions._args import needs_tensor
from nnlib.primitives import fused
from nnlib.primitives import index as pi
from nnlib.primitives.elementwise import softplus
from nnlib.record import apply, make

if TYPE_CHECKING:
    from nnlib.tensor import Tensor

# ---------------------------------------------------------------- shared by all losses


def _check_reduction(reduction: str) -> None:
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction: use mean, sum or none")


def _reduced(losses: Tensor, reduction: str) -> Tensor:
    _check_reduction(reduction)
    if reduction == "none":
        return losses
    return along.mean(losses) if reduction == "mean" else along.sum(losses)


def _check_same_shape(name: str, input: Tensor, target: Tensor) -> None:
    a = needs_tensor(name, input)._data.shape
    b = needs_tensor(name, target)._data.shape
    if a != b:
        raise ValueError(
            f"{name}: using a target size ({list(b)}) that is different to the input size "
            f"({list(a)}): they would broadcast to all pairs. Reshape one, for example with "
            "squeeze(-1)."
        )


def _weighted(losses: Tensor, weight: Tensor | None) -> Tensor:
    return losses if weight is None else ar.mul(losses, weight)


# ---------------------------------------------------------------- regression


def mse_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """(x - y)², averaged.  Raises ValueError if the shapes differ (PyTorch only warns).

    Like ``torch.nn.functional.mse_loss``.

    >>> import nnlib
    >>> nnlib.nn.functional.mse_loss(nnlib.tensor([1.0, 2.0]), nnlib.tensor([1.0, 4.0]))
    tensor(2.)
    """
    _check_same_shape("mse_loss", input, target)
    difference = ar.sub(input, target)
    return _reduced(ar.mul(difference, difference), reduction)


def l1_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """|x - y|, averaged.  Raises ValueError if the shapes differ.

    Like ``torch.nn.functional.l1_loss``.

    >>> import nnlib
    >>> nnlib.nn.functional.l1_loss(nnlib.tensor([1.0, 2.0]), nnlib.tensor([1.0, 4.0]))
    tensor(1.)
    """
    _check_same_shape("l1_loss", input, target)
    return _reduced(ar.abs(ar.sub(input, target)), reduction)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0
) -> Tensor:
    """d²/2 where |d| ≤ delta, else delta·(|d| - delta/2), with d = x - y: linear for outliers.

    Raises ValueError if the shapes differ, RuntimeError if delta is not positive.  Like
    ``torch.nn.functional.huber_loss``; Huber, 1964.

    >>> import nnlib
    >>> nnlib.nn.functional.huber_loss(nnlib.tensor([0.0, 0.0]), nnlib.tensor([1.0, 3.0]))
    tensor(1.5000)
    """
    _check_same_shape("huber_loss", input, target)
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    difference = ar.sub(input, target)
    distance = ar.abs(difference)
    quadratic = ar.mul(ar.mul(difference, difference), 0.5)
    linear = ar.mul(ar.sub(distance, 0.5 * delta), float(delta))
    losses = ar.where(ar.lt(distance, delta), quadratic, linear)
    return _reduced(losses, reduction)


def smooth_l1_loss(
    input: Tensor, target: Tensor, *, reduction: str = "mean", beta: float = 1.0
) -> Tensor:
    """d²/(2·beta) where |d| < beta, else |d| - beta/2, with d = x - y: huber_loss / beta.

    Raises ValueError if the shapes differ, RuntimeError if beta is negative.  Girshick, 2015.
    Like ``torch.nn.functional.smooth_l1_loss``.

    >>> import nnlib
    >>> nnlib.nn.functional.smooth_l1_loss(nnlib.tensor([0.0, 0.0]), nnlib.tensor([1.0, 3.0]))
    tensor(1.5000)
    """
    _check_same_shape("smooth_l1_loss", input, target)
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    return ar.div(huber_loss(input, target, reduction, beta), float(beta))


def kl_div(
    input: Tensor, target: Tensor, *, reduction: str = "mean", log_target: bool = False
) -> Tensor:
    """y·(log y - x), for log-probabilities x and probabilities y (or their logarithms).

    The reduction "batchmean" divides the sum by the size of the first dimension, which gives the
    mean of the divergences Σ y log(y/p), with x = log p.  Raises ValueError if the shapes differ.
    Like ``torch.nn.functional.kl_div``; Kullback and Leibler, 1951.

    >>> import nnlib
    >>> half = nnlib.tensor([[0.5, 0.5]])
    >>> nnlib.nn.functional.kl_div(half.log(), half, reduction="batchmean")
    tensor(0.)
    """
    _check_same_shape("kl_div", input, target)
    if log_target:
        losses = ar.mul(ar.exp(target), ar.sub(target, input))
    else:
        zero = ar.eq(target, 0)  # 0 log 0 is 0
        log_y = ar.log(ar.where(zero, 1.0, target))
        losses = ar.sub(ar.mul(target, log_y), ar.mul(target, input))
    if reduction == "batchmean":
        shape = needs_tensor("kl_div", input)._data.shape
        return ar.div(along.sum(losses), shape[0] if shape else 1)
    return _reduced(losses, reduction)


# ---------------------------------------------------------------- two classes


_NOT_PROBABILITIES = (
    "all elements of input should be between 0 and 1: these look like logits; use "
    "binary_cross_entropy_with_logits"
)


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, reduction: str = "mean"
) -> Tensor:
    """-(y log p + (1 - y) log(1 - p)) for probabilities p; logarithms below -100 become -100.

    Raises ValueError if shapes differ, RuntimeError if p is outside of [0, 1].  Like
    ``torch.nn.functional.binary_cross_entropy``.

    >>> import nnlib
    >>> nnlib.nn.functional.binary_cross_entropy(nnlib.tensor([0.5]), nnlib.tensor([1.0]))
    tensor(0.6931)
    """
    _check_same_shape("binary_cross_entropy", input, target)
    if input._data.size and not (input._data.min() >= 0 and input._data.max() <= 1):
        raise RuntimeError(_NOT_PROBABILITIES)
    if tracer := record.current_tracer():
        tracer.expects(input, 0.0, 1.0, _NOT_PROBABILITIES)
    if target._data.dtype != input._data.dtype:
        raise RuntimeError(
            f"Found dtype {dtypes.of(target._data).name} but expected "
            f"{dtypes.of(input._data).name}: convert the target, as in target.to(input.dtype)"
        )
    losses = apply(fused.binary_cross_entropy, (input, target), {})
    return _reduced(_weighted(losses, weight), reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """log(1 + e^z) - y·z: the cross-entropy of p = σ(z), for logits z, without overflow.

    `pos_weight` multiplies the term of y = 1, `weight` each loss.  Raises ValueError if shapes
    differ.  Like ``torch.nn.functional.binary_cross_entropy_with_logits``.

    >>> import nnlib
    >>> f = nnlib.nn.functional.binary_cross_entropy_with_logits
    >>> f(nnlib.tensor([0.0, 1000.0]), nnlib.tensor([1.0, 1.0]))
    tensor(0.3466)
    """
    _check_same_shape("binary_cross_entropy_with_logits", input, target)
    _check_reduction(reduction)
    dtype = input._data.dtype
    if weight is None and pos_weight is None and dtype == target._data.dtype and dtype.kind == "f":
        return apply(
            fused.binary_cross_entropy_with_logits, (input, target), {"reduction": reduction}
        )
    if pos_weight is None:
        losses = ar.sub(apply(softplus, (input,), {}), ar.mul(input, target))
    else:
        # -pos·y log σ(z) - (1 - y) log σ(-z), both logarithms by softplus
        factor = ar.add(ar.mul(target, ar.sub(pos_weight, 1)), 1)
        losses = ar.add(
            ar.mul(ar.rsub(target, 1.0), input),
            ar.mul(factor, apply(softplus, (ar.neg(input),), {})),
        )
    return _reduced(_weighted(losses, weight), reduction)


# ---------------------------------------------------------------- many classes


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """-x at the right class, for log-probabilities `input` (N, C) and class indices `target` (N).

    `input` may also be (C), with one class index, or (N, C, d₁, …), with (N, d₁, …).  `weight`
    (C) has a factor for each class; the mean divides by the sum of the factors.  Targets equal to
    `ignore_index` do not count.

    Raises ValueError if shapes do not fit, RuntimeError for targets that are not integers,
    IndexError for a class index outside 0 … C - 1.  Like ``torch.nn.functional.nll_loss``.

    >>> import nnlib
    >>> log_p = nnlib.tensor([[0.1, 0.9]]).log()
    >>> nnlib.nn.functional.nll_loss(log_p, nnlib.tensor([1]))
    tensor(0.1054)
    """
    _check_reduction(reduction)
    x, y = _rows_and_classes("nll_loss", input, target, ignore_index)
    losses, factors = _losses_and_factors(x, y, weight, ignore_index)
    return _reduced_with_factors(
        losses, factors, reduction, needs_tensor("nll_loss", target)._data.shape
    )


def _rows_and_classes(
    name: str, input: Tensor, target: Tensor, ignore_index: int
) -> tuple[Tensor, Tensor]:
    """Input as (M, C) and targets as (M), checked."""
    x, y = needs_tensor(name, input), needs_tensor(name, target)
    shape, target_shape = x._data.shape, y._data.shape
    if not shape:
        raise ValueError(f"{name}: Expected 1 or more dimensions (got 0): one for each class")
    if y._data.dtype.kind not in "iu":
        raise RuntimeError(
            f"expected target of type int64, got {dtypes.of(y._data).name}: use .long()"
        )
    expected = shape[:1] + shape[2:] if len(shape) > 1 else ()
    if target_shape != expected:
        raise ValueError(
            f"{name}: input {list(shape)} needs a target of shape {list(expected)} (a class index "
            f"for each example), got {list(target_shape)}"
        )
    classes = shape[1] if len(shape) > 1 else shape[0]
    included = y._data != ignore_index
    invalid = np.ravel(y._data)[np.ravel(((y._data < 0) | (y._data >= classes)) & included)]
    if invalid.size:
        raise IndexError(
            f"Target {invalid[0]} is out of bounds: there are {classes} classes, 0 … {classes - 1}."
        )
    if len(shape) == 2:
        return x, y
    if len(shape) > 2:
        x = s.permute(x, (0, *range(2, len(shape)), 1))
    return s.reshape(x, (-1, classes)), s.reshape(y, (-1,))


def _none_ignored(y: Tensor, ignore_index: int) -> bool:
    """Whether no target is ignored; False in a trace if `ignore_index` is a possible class."""
    if record.is_tracing() and ignore_index >= 0:
        return False
    return not (y._data == ignore_index).any()


def _losses_and_factors(
    x: Tensor, y: Tensor, weight: Tensor | None, ignore_index: int
) -> tuple[Tensor, Tensor | None]:
    """-x at each target times the factor of its class, and the factors (None if each is 1)."""
    if weight is not None and needs_tensor("weight", weight)._data.shape != x._data.shape[1:]:
        raise RuntimeError(
            f"weight tensor should be defined either for all {x._data.shape[1]} classes or no "
            f"classes but got weight tensor of shape: {list(weight._data.shape)}"
        )
    rows = make(np.arange(x._data.shape[0]))
    if _none_ignored(y, ignore_index):
        losses = ar.neg(apply(pi.index, (x, rows, y), {"dims": (0, 1)}))
        if weight is None:
            return losses, None
        factors = apply(pi.take, (weight, y), {"dim": 0})
        return ar.mul(losses, factors), factors
    included = ar.ne(y, ignore_index)
    y = ar.where(included, y, 0)
    losses = ar.neg(apply(pi.index, (x, rows, y), {"dims": (0, 1)}))
    factors = ar.to_dtype(included, dtypes.of(x._data))
    if weight is not None:
        factors = ar.mul(factors, apply(pi.take, (weight, y), {"dim": 0}))
    return ar.where(included, ar.mul(losses, factors), 0.0), factors


def _reduced_with_factors(
    losses: Tensor, factors: Tensor | None, reduction: str, shape: tuple[Any, ...]
) -> Tensor:
    if reduction == "none":
        return losses if losses._data.shape == shape else s.reshape(losses, shape)
    if reduction == "sum":
        return along.sum(losses)
    return along.mean(losses) if factors is None else ar.div(along.sum(losses), along.sum(factors))


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-log softmax(z) at the right class: `input` (N, C) logits, `target` (N) class indices.

    `input` may also be (C), with one class index, or (N, C, d₁, …), with (N, d₁, …).  A target
    y of the input's shape contains probabilities: -Σ y_c log softmax(z)_c.  `weight` (C) and
    `ignore_index` are as in `nll_loss`; `label_smoothing` mixes the target with the uniform
    distribution.

    Raises what `nll_loss` raises, and RuntimeError if the smoothing is outside of [0, 1].  Like
    ``torch.nn.functional.cross_entropy``.

    >>> import nnlib
    >>> nnlib.nn.functional.cross_entropy(nnlib.zeros(2, 4), nnlib.tensor([0, 3]))
    tensor(1.3863)
    """
    _check_reduction(reduction)
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    z, y = needs_tensor("cross_entropy", input), needs_tensor("cross_entropy", target)
    if y._data.dtype.kind == "f":
        return _cross_entropy_of_probabilities(z, y, weight, reduction, label_smoothing)
    x, classes = _rows_and_classes("cross_entropy", z, y, ignore_index)
    if weight is None and not label_smoothing and _none_ignored(classes, ignore_index):
        out = apply(fused.cross_entropy, (x, classes), {"reduction": reduction})
        return out if reduction != "none" else s.reshape(out, y._data.shape)
    logs = along.log_softmax(x, 1)
    losses, factors = _losses_and_factors(logs, classes, weight, ignore_index)
    if label_smoothing:
        losses = ar.mul(losses, 1 - label_smoothing)
        uniform = ar.neg(along.sum(_weighted(logs, weight), 1))
        if not _none_ignored(classes, ignore_index):
            uniform = ar.where(ar.ne(classes, ignore_index), uniform, 0.0)
        losses = ar.add(losses, ar.mul(uniform, label_smoothing / x._data.shape[1]))
    return _reduced_with_factors(losses, factors, reduction, y._data.shape)


def _cross_entropy_of_probabilities(
    z: Tensor, y: Tensor, weight: Tensor | None, reduction: str, smoothing: float
) -> Tensor:
    shape = z._data.shape
    if y._data.shape != shape:
        raise RuntimeError(
            f"cross_entropy: a target of floating-point type contains probabilities and needs the "
            f"input's shape {list(shape)}, got {list(y._data.shape)}. Class indices are int64: "
            ".long() converts"
        )
    dim = 1 if len(shape) > 1 else 0
    if smoothing:
        y = ar.add(ar.mul(y, 1 - smoothing), smoothing / shape[dim])
    terms = ar.mul(along.log_softmax(z, dim), y)
    if weight is not None:
        terms = ar.mul(terms, s.reshape(weight, (-1, *(1,) * (len(shape) - 2))))
    losses = ar.neg(along.sum(terms, dim))
    return _reduced(losses, reduction)

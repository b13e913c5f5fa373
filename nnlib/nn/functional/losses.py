"""Losses, under PyTorch's names (`torch.nn.functional`)."""

from __future__ import annotations

from typing import Any

from nnlib import dtypes
from nnlib.functions import elementwise as e
from nnlib.functions import reduce, shape
from nnlib.functions._args import needs_tensor
from nnlib.nn.functional.activations import log_softmax, softplus
from nnlib.record import Value


def _reduced(losses: Any, reduction: str) -> Any:
    if reduction == "mean":
        return reduce.mean(losses)
    if reduction == "sum":
        return reduce.sum(losses)
    if reduction == "none":
        return losses
    raise ValueError(f"{reduction} is not a valid value for reduction: use mean, sum or none")


def _same_shape(name: str, input: Value, target: Value) -> None:
    a, b = list(input._data.shape), list(target._data.shape)
    if a != b:
        raise ValueError(
            f"{name}: using a target size ({b}) that is different to the input size ({a}): they "
            "would broadcast to all pairs. Reshape one, for example with squeeze(-1)."
        )


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """(x - y)², averaged.  Raises ValueError where the shapes differ (PyTorch only warns)."""
    _same_shape("mse_loss", input, target)
    off = e.sub(input, target)
    return _reduced(e.mul(off, off), reduction)


def binary_cross_entropy(input: Any, target: Any, reduction: str = "mean") -> Any:
    """-(y log p + (1 - y) log(1 - p)) for probabilities p; logarithms are kept above -100."""
    _same_shape("binary_cross_entropy", input, target)
    if input._data.size and not (input._data.min() >= 0 and input._data.max() <= 1):
        raise RuntimeError(
            "all elements of input should be between 0 and 1: these look like logits; use "
            "binary_cross_entropy_with_logits"
        )
    yes = e.clamp(e.log(input), min=-100)
    no = e.clamp(e.log(e.rsub(input, 1.0)), min=-100)
    return _reduced(-(target * yes + (1.0 - target) * no), reduction)


def binary_cross_entropy_with_logits(input: Any, target: Any, reduction: str = "mean") -> Any:
    """The same for logits z, p = σ(z): log(1 + e^z) - y z, without overflow."""
    _same_shape("binary_cross_entropy_with_logits", input, target)
    return _reduced(softplus(input) - input * target, reduction)


def nll_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """-log p of the right class: `input` (N, C) log-probabilities, `target` (N) class numbers.

    Raises IndexError for a class that is not among the C.
    """
    x, y = needs_tensor("nll_loss", input), needs_tensor("nll_loss", target)
    if x._data.ndim != 2 or y._data.shape != x._data.shape[:1]:
        raise ValueError(
            "nll_loss needs input (N, C) and target (N), got "
            f"{list(x._data.shape)} and {list(y._data.shape)}"
        )
    if y._data.dtype.kind != "i":
        raise RuntimeError(
            f"expected target of type int64, got {dtypes.of(y._data).name}: class numbers, .long()"
        )
    n, c = x._data.shape
    if n and not (y._data.min() >= 0 and y._data.max() < c):
        bad = y._data[(y._data < 0) | (y._data >= c)][0]
        raise IndexError(f"Target {bad} is out of bounds: there are {c} classes, 0 … {c - 1}.")
    from nnlib.functions.create import arange

    return _reduced(-shape.getitem(x, (arange(n), y)), reduction)


def cross_entropy(input: Any, target: Any, reduction: str = "mean") -> Any:
    """-log softmax(z) of the right class: `input` (N, C) logits, `target` (N) class numbers."""
    return nll_loss(log_softmax(input, -1), target, reduction)

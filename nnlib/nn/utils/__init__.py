"""Utilities for training: clipping gradients, parameters as one vector."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from nnlib.autograd import no_grad
from nnlib.functions import along, indexing, joining
from nnlib.functions import arithmetic as ar
from nnlib.functions import reshaping as s
from nnlib.functions.create import tensor
from nnlib.record import Value
from nnlib.tensor import Tensor

__all__ = ["clip_grad_norm_", "clip_grad_value_", "parameters_to_vector", "vector_to_parameters"]


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    tensors: list[Tensor] = [parameters] if isinstance(parameters, Value) else list(parameters)
    return [p.grad for p in tensors if p.grad is not None]


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale all gradients by one factor, so that their total norm is at most `max_norm`.

    The total norm is that of all gradients as one vector; the norm before scaling is returned.
    With `error_if_nonfinite`, raises RuntimeError if the norm is nan or inf.  Like
    ``torch.nn.utils.clip_grad_norm_``; Pascanu and others, 2013.

    >>> import nnlib
    >>> w = nnlib.tensor([3.0, 4.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> nnlib.nn.utils.clip_grad_norm_([w], 1.0)
    tensor(10.)
    >>> w.grad
    tensor([0.6000, 0.8000])
    """
    grads = _gradients(parameters)
    with no_grad():
        norm = _norm(grads, float(norm_type))
        if error_if_nonfinite and not math.isfinite(norm.item()):
            raise RuntimeError(
                f"The total norm of order {norm_type} for gradients from `parameters` is "
                "non-finite, so it cannot be clipped: some gradient is nan or inf"
            )
        factor = ar.clamp(ar.rdiv(ar.add(norm, 1e-6), float(max_norm)), max=1.0)
        for g in grads:
            g.mul_(factor)
    return norm


def _norm(grads: list[Tensor], order: float) -> Tensor:
    if not grads:
        return tensor(0.0)
    if order == math.inf:
        return along.amax(joining.stack([along.amax(ar.abs(g)) for g in grads]))
    if order == 2:
        return ar.sqrt(along.sum(joining.stack([along.sum(ar.mul(g, g)) for g in grads])))
    powers = [along.sum(ar.pow(ar.abs(g), order)) for g in grads]
    return ar.pow(along.sum(joining.stack(powers)), 1 / order)


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Limit every element of every gradient to ±clip_value.

    >>> import nnlib
    >>> w = nnlib.tensor([0.1, 4.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> nnlib.nn.utils.clip_grad_value_([w], 1.0)
    >>> w.grad
    tensor([0.2000, 1.0000])
    """
    with no_grad():
        for g in _gradients(parameters):
            g.clamp_(-float(clip_value), float(clip_value))


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters as one vector, one after the other.

    Like ``torch.nn.utils.parameters_to_vector``.

    >>> import nnlib
    >>> nnlib.nn.utils.parameters_to_vector([nnlib.zeros(1, 2), nnlib.ones(2)])
    tensor([0., 0., 1., 1.])
    """
    return joining.cat([s.reshape(p, (-1,)) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Copy a vector's elements back into parameters.

    Raises TypeError if `vec` is not a tensor.  Like ``torch.nn.utils.vector_to_parameters``.

    >>> import nnlib
    >>> w = nnlib.zeros(2, 2)
    >>> nnlib.nn.utils.vector_to_parameters(nnlib.arange(4.0), [w])
    >>> w
    tensor([[0., 1.],
            [2., 3.]])
    """
    if not isinstance(vec, Value):
        raise TypeError(f"expected a Tensor, got: {type(vec).__name__}")
    start = 0
    with no_grad():
        for p in parameters:
            n = p.numel()
            p.copy_(s.reshape(indexing.getitem(vec, slice(start, start + n)), tuple(p.shape)))
            start += n

"""Activation functions, under PyTorch's names (`torch.nn.functional`)."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from nnlib import dtypes
from nnlib.functions import along
from nnlib.functions import arithmetic as ar
from nnlib.functions import reshaping as s
from nnlib.functions._args import needs_tensor
from nnlib.primitives import fused
from nnlib.primitives.elementwise import softplus as _softplus
from nnlib.record import apply, make

if TYPE_CHECKING:
    from nnlib.tensor import Tensor

relu, sigmoid, tanh = ar.relu, ar.sigmoid, ar.tanh


def _floating(name: str, input: Tensor) -> Tensor:
    """Return the input; raise NotImplementedError if it is not a floating-point tensor."""
    x = needs_tensor(name, input)
    if x._data.dtype.kind != "f":
        raise NotImplementedError(
            f'"{name}" not implemented for {dtypes.of(x._data).name}: convert with .float() first'
        )
    return x


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + e^(βx))/β, elementwise, without overflow: the smooth form of max(x, 0).

    With a `threshold` below 20, the result is x itself where βx is larger than the threshold.  From
    20 on, x and the formula differ by less than 3e-9, and the formula is used everywhere.  Like
    ``torch.nn.functional.softplus``.

    >>> import nnlib
    >>> nnlib.nn.functional.softplus(nnlib.tensor([-3.0, 0.0, 100.0]))
    tensor([4.8587e-02, 6.9315e-01, 1.0000e+02])
    """
    x = _floating("softplus", input)
    z = x if beta == 1 else ar.mul(x, float(beta))
    smooth = apply(_softplus, (z,), {})
    smooth = smooth if beta == 1 else ar.div(smooth, float(beta))
    return smooth if threshold >= 20 else ar.where(ar.gt(z, threshold), x, smooth)


def logsigmoid(input: Tensor) -> Tensor:
    """log σ(x) = -log(1 + e^-x), elementwise, without overflow.

    Raises NotImplementedError for integers.  Like ``torch.nn.functional.logsigmoid``.

    >>> import nnlib
    >>> nnlib.nn.functional.logsigmoid(nnlib.tensor([-1000.0, 0.0]))
    tensor([-1.0000e+03, -6.9315e-01])
    """
    x = _floating("logsigmoid", input)
    return ar.neg(apply(_softplus, (ar.neg(x),), {}))


def leaky_relu(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """x where x > 0, else negative_slope · x: a ReLU with a gradient also where x < 0.

    Maas and others, 2013.  Like ``torch.nn.functional.leaky_relu``.

    >>> import nnlib
    >>> nnlib.nn.functional.leaky_relu(nnlib.tensor([-1.0, 2.0]))
    tensor([-0.0100,  2.0000])
    """
    x = _floating("leaky_relu", input)
    return ar.where(ar.gt(x, 0), x, ar.mul(x, float(negative_slope)))


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where x > 0, else w · x, with one learnt parameter w, or one for each channel.

    The channels are dimension 1 of `input`.  He and others, 2015.  Raises RuntimeError if `weight`
    has another size.

    >>> import nnlib
    >>> nnlib.nn.functional.prelu(nnlib.tensor([-2.0, 2.0]), nnlib.tensor([0.25]))
    tensor([-0.5000,  2.0000])
    """
    x, w = _floating("prelu", input), _floating("prelu", weight)
    n = w._data.size
    if n > 1:
        channels = x._data.shape[1] if x._data.ndim > 1 else 1
        if channels != n:
            raise RuntimeError(
                f"Mismatch of parameter numbers and input channel size. Found parameter numbers = "
                f"{n} and channel size = {channels}."
            )
        w = s.reshape(w, (n, *(1,) * (x._data.ndim - 2)))
    elif x._data.ndim == 0:
        w = s.reshape(w, ())
    return ar.where(ar.gt(x, 0), x, ar.mul(x, w))


def elu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """x where x > 0, else α(e^x - 1).  Clevert and others, 2016.

    >>> import nnlib
    >>> nnlib.nn.functional.elu(nnlib.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    x = _floating("elu", input)
    # The exponential is taken of min(x, 0), so that it cannot overflow where x > 0.  At x = 0 the
    # function is computed as the line α x, whose derivative is α and whose second derivative is 0.
    slope = make(x._data.dtype.type(alpha))
    line = x if alpha == 1 else ar.mul(x, ar.where(ar.eq(x, 0), slope, 1.0))
    return ar.where(ar.lt(x, 0), ar.mul(ar.expm1(ar.clamp(x, max=0.0)), float(alpha)), line)


_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def selu(input: Tensor) -> Tensor:
    """1.0507 · ELU(x, 1.6733): keeps mean 0 and variance 1.  Klambauer and others, 2017.

    >>> import nnlib
    >>> nnlib.nn.functional.selu(nnlib.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    return ar.mul(elu(input, _SELU_ALPHA), _SELU_SCALE)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x · Φ(x), where Φ is the distribution function of the standard normal distribution.

    With approximate="tanh", Φ is approximated by a formula with tanh.  Hendrycks and Gimpel, 2016.
    Raises RuntimeError for another `approximate`.

    >>> import nnlib
    >>> nnlib.nn.functional.gelu(nnlib.tensor([-1.0, 0.0, 2.0]))
    tensor([-0.1587,  0.0000,  1.9545])
    """
    x = _floating("gelu", input)
    if approximate not in ("none", "tanh"):
        raise RuntimeError(f"approximate argument must be either none or tanh, got {approximate!r}")
    return apply(fused.gelu, (x,), {"approximate": approximate})


def silu(input: Tensor) -> Tensor:
    """x · σ(x), elementwise (also called swish).

    Raises NotImplementedError for integers.  Like ``torch.nn.functional.silu``.

    >>> import nnlib
    >>> nnlib.nn.functional.silu(nnlib.tensor([-1.0, 0.0, 2.0]))
    tensor([-0.2689,  0.0000,  1.7616])
    """
    x = _floating("silu", input)
    return ar.mul(x, ar.sigmoid(x))


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """x limited to [min_val, max_val]; the gradient at the bounds is 0, as in PyTorch.

    Raises ValueError if min_val is larger than max_val, RuntimeError for bools, and for uint8
    with a min_val below 0.  Like ``torch.nn.functional.hardtanh``.

    >>> import nnlib
    >>> nnlib.nn.functional.hardtanh(nnlib.tensor([-3.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    x: Any = needs_tensor("hardtanh", input)
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    if x._data.dtype.kind != "f":
        if x._data.dtype.kind == "b" or (x._data.dtype.kind == "u" and min_val < 0):
            raise RuntimeError(
                f"hardtanh: {dtypes.of(x._data).name} cannot represent numbers below 0: use "
                ".float()"
            )
        return ar.clamp(x, int(min_val), int(max_val))
    within = ar.logical_and(ar.gt(x, min_val), ar.lt(x, max_val))
    return ar.where(within, x, ar.clamp(x.detach(), min_val, max_val))


def relu6(input: Tensor) -> Tensor:
    """min(max(x, 0), 6), elementwise.

    Like ``torch.nn.functional.relu6``.

    >>> import nnlib
    >>> nnlib.nn.functional.relu6(nnlib.tensor([-1.0, 2.0, 9.0]))
    tensor([0., 2., 6.])
    """
    return hardtanh(input, 0.0, 6.0)


def softmax(input: Tensor, dim: int | None = None) -> Tensor:
    """e^x / Σ e^x along `dim`: positive numbers with sum 1.

    The result has the shape of `input`.  Always give `dim`: its default depends on the number of
    dimensions, and is deprecated.  Like ``torch.nn.functional.softmax``.

    >>> import nnlib
    >>> nnlib.nn.functional.softmax(nnlib.tensor([0.0, 0.0]), 0)
    tensor([0.5000, 0.5000])
    """
    return along.softmax(input, _softmax_dim("softmax", input, dim))


def log_softmax(input: Tensor, dim: int | None = None) -> Tensor:
    """log softmax(x) along `dim`, as x - log Σ e^x.

    The result has the shape of `input`.  Always give `dim`: see `softmax`.  Like
    ``torch.nn.functional.log_softmax``.

    >>> import nnlib
    >>> nnlib.nn.functional.log_softmax(nnlib.tensor([0.0, 1000.0]), dim=-1)
    tensor([-1000.,     0.])
    """
    return along.log_softmax(input, _softmax_dim("log_softmax", input, dim))


def _softmax_dim(name: str, input: Tensor, dim: int | None) -> int:
    if dim is not None:
        return dim
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include "
        "dim=X as an argument.",
        stacklevel=3,
    )
    return 0 if needs_tensor(name, input)._data.ndim in (0, 1, 3) else 1

"""Initial values of parameters, as in ``torch.nn.init``: each function fills and returns a tensor.

fan_in is the number of inputs of each output, and fan_out the number of outputs of each input: for
a weight (out, in, kernel…) they are in · kernel and out · kernel.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nnlib.autograd import no_grad
from nnlib.functions.create import Generator, from_numpy, rand, randn
from nnlib.functions.create import eye as _eye
from nnlib.tensor import Tensor

__all__ = [
    "calculate_gain", "constant_", "eye_", "kaiming_normal_", "kaiming_uniform_", "normal_",
    "ones_", "orthogonal_", "trunc_normal_", "uniform_", "xavier_normal_", "xavier_uniform_",
    "zeros_",
]  # fmt: skip


def _filled(tensor: Tensor, values: Any) -> Tensor:
    with no_grad():
        return tensor.copy_(values)


def _like(sample: Callable[..., Tensor], tensor: Tensor, generator: Generator | None) -> Tensor:
    return sample(*tensor.shape, generator=generator, dtype=tensor.dtype)


def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Uniform on [a, b).

    Like ``torch.nn.init.uniform_``.

    >>> import nnlib
    >>> w = nnlib.nn.init.uniform_(nnlib.zeros(100))
    >>> bool((w >= 0).all()) and bool((w < 1).all())
    True
    """
    return _filled(tensor, _like(rand, tensor, generator) * (b - a) + a)


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Normal with the given mean and standard deviation.

    Like ``torch.nn.init.normal_``.

    >>> import nnlib
    >>> _ = nnlib.manual_seed(0)
    >>> nnlib.nn.init.normal_(nnlib.empty(3), std=0.1)
    tensor([ 0.0126, -0.0132,  0.0640])
    """
    return _filled(tensor, _like(randn, tensor, generator) * std + mean)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Normal with the given mean and standard deviation, sampled again if outside [a, b].

    Like ``torch.nn.init.trunc_normal_``.

    >>> import nnlib
    >>> w = nnlib.nn.init.trunc_normal_(nnlib.empty(1000), a=-1.0, b=1.0)
    >>> bool(w.abs().max() <= 1)
    True
    """
    values = _like(randn, tensor, generator)._data * std + mean
    values = np.asarray(values)
    outside = (values < a) | (values > b)
    while outside.any():
        again = randn(int(outside.sum()), generator=generator, dtype=tensor.dtype)
        values[outside] = again._data * std + mean
        outside = (values < a) | (values > b)
    return _filled(tensor, from_numpy(values.astype(tensor._data.dtype)))


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Sets every element to `val`.

    Like ``torch.nn.init.constant_``.

    >>> import nnlib
    >>> nnlib.nn.init.constant_(nnlib.zeros(2), 0.3)
    tensor([0.3000, 0.3000])
    """
    with no_grad():
        return tensor.fill_(val)


def zeros_(tensor: Tensor) -> Tensor:
    """Sets every element to 0: for biases; weights that start equal would stay equal.

    Like ``torch.nn.init.zeros_``.

    >>> import nnlib
    >>> nnlib.nn.init.zeros_(nnlib.empty(2))
    tensor([0., 0.])
    """
    return constant_(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """Sets every element to 1.

    Like ``torch.nn.init.ones_``.

    >>> import nnlib
    >>> nnlib.nn.init.ones_(nnlib.empty(2))
    tensor([1., 1.])
    """
    return constant_(tensor, 1.0)


def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix.  Raises ValueError unless the tensor has 2 dimensions.

    Like ``torch.nn.init.eye_``.

    >>> import nnlib
    >>> nnlib.nn.init.eye_(nnlib.empty(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    return _filled(tensor, _eye(*tensor.shape, dtype=tensor.dtype))


# ---------------------------------------------------------------- by fan_in and fan_out

_GAINS = {"tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4}
_LINEAR = ("linear", "conv1d", "conv2d", "conv3d", "sigmoid")


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor for weights that preserves the variance through a nonlinearity: √2 for relu.

    `param` is leaky_relu's negative slope.  Raises ValueError for an unknown function.  Like
    ``torch.nn.init.calculate_gain``.

    >>> import nnlib
    >>> nnlib.nn.init.calculate_gain("tanh")
    1.6666666666666667
    """
    if nonlinearity in _LINEAR:
        return 1.0
    if nonlinearity in _GAINS:
        return _GAINS[nonlinearity]
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2 / (1 + slope**2))
    raise ValueError(f"Unsupported nonlinearity {nonlinearity}")


def _fans(tensor: Tensor) -> tuple[int, int]:
    shape = tuple(tensor.shape)
    if len(shape) < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions: "
            f"{list(shape)} is not a weight (out, in, kernel…)"
        )
    kernel = math.prod(shape[2:])
    return shape[1] * kernel, shape[0] * kernel


def _fan(tensor: Tensor, mode: str) -> int:
    if mode.lower() not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    return _fans(tensor)[mode.lower() == "fan_out"]


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Uniform on ±gain·√(6/(fan_in + fan_out)).  Glorot and Bengio, 2010.

    Raises ValueError for fewer than 2 dimensions.  Like ``torch.nn.init.xavier_uniform_``.

    >>> import nnlib
    >>> w = nnlib.nn.init.xavier_uniform_(nnlib.zeros(4, 2))
    >>> bool((w.abs() <= 1).all())
    True
    """
    bound = gain * math.sqrt(6 / sum(_fans(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal with standard deviation gain·√(2/(fan_in + fan_out)).  Glorot and Bengio, 2010.

    Like ``torch.nn.init.xavier_normal_``.

    >>> import nnlib
    >>> _ = nnlib.manual_seed(0)
    >>> w = nnlib.nn.init.xavier_normal_(nnlib.empty(100, 100))
    >>> round(w.std().item(), 2)
    0.1
    """
    return normal_(tensor, 0.0, gain * math.sqrt(2 / sum(_fans(tensor))), generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Uniform on ±gain·√(3/fan): preserves the variance through ReLUs.  He and others, 2015.

    `a` is leaky_relu's negative slope.  Raises ValueError for fewer than 2 dimensions or an unknown
    mode.  Like ``torch.nn.init.kaiming_uniform_``.

    >>> import nnlib
    >>> _ = nnlib.manual_seed(0)
    >>> w = nnlib.nn.init.kaiming_uniform_(nnlib.empty(100, 150))
    >>> bool(w.abs().max() <= 0.2)
    True
    """
    bound = math.sqrt(3) * calculate_gain(nonlinearity, a) / math.sqrt(_fan(tensor, mode))
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Normal with standard deviation gain/√fan.  He and others, 2015.  See `kaiming_uniform_`.

    Like ``torch.nn.init.kaiming_normal_``.

    >>> import nnlib
    >>> _ = nnlib.manual_seed(0)
    >>> w = nnlib.nn.init.kaiming_normal_(nnlib.empty(100, 200))
    >>> round(w.std().item(), 2)
    0.1
    """
    std = calculate_gain(nonlinearity, a) / math.sqrt(_fan(tensor, mode))
    return normal_(tensor, 0.0, std, generator)


def orthogonal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Rows (or columns, if those are fewer) that are orthogonal and of length `gain`.

    All dimensions after the first count as columns.  Raises ValueError for fewer than 2 dimensions.
    Like ``torch.nn.init.orthogonal_``; Saxe and others, 2014.

    >>> import nnlib
    >>> q = nnlib.nn.init.orthogonal_(nnlib.zeros(3, 3))
    >>> bool(((q @ q.T - nnlib.eye(3)).abs() < 1e-5).all())
    True
    """
    shape = tuple(tensor.shape)
    if len(shape) < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if 0 in shape:
        return tensor
    rows, columns = shape[0], math.prod(shape[1:])
    flat = np.asarray(randn(max(rows, columns), min(rows, columns), generator=generator)._data)
    q, r = np.linalg.qr(flat.astype(np.float64))
    q = q * np.sign(np.diagonal(r))  # makes q uniformly distributed over orthogonal matrices
    q = q.T if rows < columns else q
    return _filled(tensor, from_numpy((gain * q).reshape(shape).astype(tensor._data.dtype)))

"""Activation functions as modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnlib.functions.create import full
from nnlib.nn import functional as F
from nnlib.nn.module import Module, Parameter
from nnlib.tensor import Tensor


class Identity(Module):
    """Returns x itself; its constructor accepts and ignores any arguments.

    Like ``torch.nn.Identity``.

    >>> import nnlib
    >>> nnlib.nn.Identity()(nnlib.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def forward(self, input: Tensor) -> Tensor:
        return input


class _Activation(Module):
    """Applies a function of `nnlib.nn.functional`; `options` names its further arguments."""

    function: Callable[..., Tensor]
    options: tuple[str, ...] = ()

    def forward(self, input: Tensor) -> Tensor:
        return type(self).function(input, *[getattr(self, k) for k in self.options])

    def extra_repr(self) -> str:
        return ", ".join([f"{k}={getattr(self, k)!r}" for k in self.options])


class _Inplace(_Activation):
    """Takes PyTorch's option `inplace`, but always returns a new tensor, with the same values."""

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class ReLU(_Inplace):
    """max(x, 0), elementwise.

    Like ``torch.nn.ReLU``.

    >>> import nnlib
    >>> nnlib.nn.ReLU()(nnlib.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    function = staticmethod(F.relu)


class SELU(_Inplace):
    """1.0507 · ELU(x, 1.6733), elementwise.  See `nnlib.nn.functional.selu`.

    Like ``torch.nn.SELU``.

    >>> import nnlib
    >>> nnlib.nn.SELU()(nnlib.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """

    function = staticmethod(F.selu)


class SiLU(_Inplace):
    """x · σ(x), elementwise.

    Like ``torch.nn.SiLU``.

    >>> import nnlib
    >>> nnlib.nn.SiLU()(nnlib.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """

    function = staticmethod(F.silu)


class Sigmoid(_Activation):
    """σ(x) = 1/(1 + e^-x), elementwise.

    Like ``torch.nn.Sigmoid``.

    >>> import nnlib
    >>> nnlib.nn.Sigmoid()(nnlib.tensor([-2.0, 0.0, 2.0]))
    tensor([0.1192, 0.5000, 0.8808])
    """

    function = staticmethod(F.sigmoid)


class Tanh(_Activation):
    """The hyperbolic tangent, elementwise.

    Like ``torch.nn.Tanh``.

    >>> import nnlib
    >>> nnlib.nn.Tanh()(nnlib.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.7616,  0.0000,  0.7616])
    """

    function = staticmethod(F.tanh)


class LogSigmoid(_Activation):
    """log σ(x), elementwise, without overflow.

    Like ``torch.nn.LogSigmoid``.

    >>> import nnlib
    >>> nnlib.nn.LogSigmoid()(nnlib.tensor([-1000.0, 0.0]))
    tensor([-1.0000e+03, -6.9315e-01])
    """

    function = staticmethod(F.logsigmoid)


class LeakyReLU(_Activation):
    """x where x > 0, else negative_slope · x.

    Like ``torch.nn.LeakyReLU``.

    >>> import nnlib
    >>> nnlib.nn.LeakyReLU(0.1)(nnlib.tensor([-1.0, 2.0]))
    tensor([-0.1000,  2.0000])
    """

    function, options = staticmethod(F.leaky_relu), ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        self.negative_slope, self.inplace = negative_slope, inplace

    def extra_repr(self) -> str:
        return super().extra_repr() + (", inplace=True" if self.inplace else "")


class ELU(_Activation):
    """x where x > 0, else α(e^x - 1).

    Like ``torch.nn.ELU``.

    >>> import nnlib
    >>> nnlib.nn.ELU()(nnlib.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """

    function, options = staticmethod(F.elu), ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        self.alpha, self.inplace = alpha, inplace

    def extra_repr(self) -> str:
        return super().extra_repr() + (", inplace=True" if self.inplace else "")


class GELU(_Activation):
    """x · Φ(x); approximate="tanh" uses the tanh formula.

    Like ``torch.nn.GELU``.

    >>> import nnlib
    >>> nnlib.nn.GELU()(nnlib.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """

    function, options = staticmethod(F.gelu), ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = approximate


class Softplus(_Activation):
    """log(1 + e^(βx))/β, elementwise, without overflow.

    Like ``torch.nn.Softplus``.

    >>> import nnlib
    >>> nnlib.nn.Softplus()(nnlib.tensor([-1.0, 0.0, 1000.0]))
    tensor([3.1326e-01, 6.9315e-01, 1.0000e+03])
    """

    function, options = staticmethod(F.softplus), ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        self.beta, self.threshold = beta, threshold


class Hardtanh(_Activation):
    """x limited to [min_val, max_val].

    Raises AssertionError unless max_val is larger than min_val.  Like ``torch.nn.Hardtanh``.

    >>> import nnlib
    >>> nnlib.nn.Hardtanh()(nnlib.tensor([-3.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """

    function, options = staticmethod(F.hardtanh), ("min_val", "max_val")

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        if max_val <= min_val:
            raise AssertionError(
                f"max_val must be larger than min_val, got max_val={max_val}, min_val={min_val}"
            )
        self.min_val, self.max_val, self.inplace = min_val, max_val, inplace

    def extra_repr(self) -> str:
        return super().extra_repr() + (", inplace=True" if self.inplace else "")


class ReLU6(Hardtanh):
    """x limited to [0, 6].

    Like ``torch.nn.ReLU6``.

    >>> import nnlib
    >>> nnlib.nn.ReLU6()(nnlib.tensor([-1.0, 2.0, 9.0]))
    tensor([0., 2., 6.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class PReLU(Module):
    """x where x > 0, else w · x, with one learnt parameter w, or one for each channel.

    Like ``torch.nn.PReLU``.

    >>> import nnlib
    >>> nnlib.nn.PReLU(init=0.25)(nnlib.tensor([-1.0, 2.0])).detach()
    tensor([-0.2500,  2.0000])
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25) -> None:
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(full((num_parameters,), float(init)))

    def forward(self, input: Tensor) -> Tensor:
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class Softmax(_Activation):
    """e^x / Σ e^x along `dim`: positive numbers with sum 1.

    Like ``torch.nn.Softmax``.

    >>> import nnlib
    >>> nnlib.nn.Softmax(dim=0)(nnlib.tensor([0.0, 0.0]))
    tensor([0.5000, 0.5000])
    """

    function, options = staticmethod(F.softmax), ("dim",)

    def __init__(self, dim: int | None = None) -> None:
        self.dim = dim


class LogSoftmax(Softmax):
    """log softmax(x) along `dim`, without overflow.

    Like ``torch.nn.LogSoftmax``.

    >>> import nnlib
    >>> nnlib.nn.LogSoftmax(dim=-1)(nnlib.tensor([0.0, 1000.0]))
    tensor([-1000.,     0.])
    """

    function = staticmethod(F.log_softmax)

"""Layers with a sliding window: convolution and pooling."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from nnlib.nn import functional as F
from nnlib.nn.functional._args import Ints
from nnlib.nn.module import Module, Parameter, check_positive, check_size, uniform
from nnlib.tensor import Tensor


def _tuple_of(value: Any, n: int) -> tuple[int, ...]:
    """n ints, from one int, which is repeated, or from n ints."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * n
    if len(values) != n:
        raise ValueError(f"expected one int or {n} of them, got {value!r}")
    return values


class _Conv(Module):
    dims = 0

    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Ints,
        stride: Ints = 1,
        padding: Ints | str = 0,
        dilation: Ints = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
    ) -> None:
        check_positive(groups=groups)
        check_size(in_channels=in_channels, out_channels=out_channels)
        for name, count in (("in_channels", in_channels), ("out_channels", out_channels)):
            if count % groups:
                raise ValueError(f"{name} must be divisible by groups: {count}, {groups} given")
        if padding_mode != "zeros":
            raise ValueError(f"padding_mode must be 'zeros', got {padding_mode!r}")
        n = self.dims
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride = _tuple_of(kernel_size, n), _tuple_of(stride, n)
        self.dilation = _tuple_of(dilation, n)
        for side in self.kernel_size:
            check_size(kernel_size=side)
        self.padding = padding if isinstance(padding, str) else _tuple_of(padding, n)
        self._check_padding()
        fan_in = in_channels // groups * math.prod(self.kernel_size)
        bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
        self.weight = uniform(out_channels, in_channels // groups, *self.kernel_size, bound=bound)
        self.register_parameter("bias", uniform(out_channels, bound=bound) if bias else None)

    def _check_padding(self) -> None:
        if not isinstance(self.padding, str):
            return
        if self.padding not in ("same", "valid"):
            raise ValueError(
                f"Invalid padding string {self.padding!r}, should be one of 'valid', 'same'"
            )
        if self.padding == "same" and set(self.stride) != {1}:
            raise ValueError("padding='same' is not supported for strided convolutions")

    def forward(self, input: Tensor) -> Tensor:
        conv = F.conv1d if self.dims == 1 else F.conv2d
        return conv(
            input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )

    def extra_repr(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}"
        text += f", stride={self.stride}"
        if self.padding != (0,) * self.dims:
            text += f", padding={self.padding}"
        if self.dilation != (1,) * self.dims:
            text += f", dilation={self.dilation}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        return text if self.bias is not None else text + ", bias=False"


class Conv1d(_Conv):
    """Slides kernels over a sequence: (N, C_in, L) → (N, C_out, L_out).  Like ``torch.nn.Conv1d``.

    See `nnlib.nn.functional.conv1d` for the equation.  Weight (C_out, C_in/groups, K) and bias are
    initially uniform on ±1/√(C_in/groups · K).  Raises ValueError if `groups` does not divide the
    channels.

    >>> import nnlib
    >>> nnlib.nn.Conv1d(4, 6, 3, padding="same")(nnlib.zeros(2, 4, 10)).shape
    nnlib.Size([2, 6, 10])
    """

    dims = 1


class Conv2d(_Conv):
    """Slides kernels over an image: (N, C_in, H, W) → (N, C_out, H_out, W_out).

    See `nnlib.nn.functional.conv2d` for the equation and sizes.  Weight (C_out, C_in/groups, KH,
    KW) and bias are initially uniform on ±1/√(C_in/groups · KH · KW).  Raises ValueError if
    `groups` does not divide the channels.  Like ``torch.nn.Conv2d``.

    >>> import nnlib
    >>> conv = nnlib.nn.Conv2d(1, 8, 5)
    >>> conv
    Conv2d(1, 8, kernel_size=(5, 5), stride=(1, 1))
    >>> conv(nnlib.zeros(2, 1, 28, 28)).shape
    nnlib.Size([2, 8, 24, 24])
    """

    dims = 2


class _ConvTranspose(_Conv):
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Ints,
        stride: Ints = 1,
        padding: Ints = 0,
        output_padding: Ints = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Ints = 1,
        padding_mode: str = "zeros",
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
            padding_mode,
        )  # fmt: skip
        self.output_padding = _tuple_of(output_padding, self.dims)
        fan_in = out_channels // groups * math.prod(self.kernel_size)
        bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
        self.weight = uniform(in_channels, out_channels // groups, *self.kernel_size, bound=bound)
        self.register_parameter("bias", uniform(out_channels, bound=bound) if bias else None)

    def _check_padding(self) -> None:
        if isinstance(self.padding, str):
            raise TypeError(f"padding must be an int or {self.dims} of them, got {self.padding!r}")

    def forward(self, input: Tensor) -> Tensor:
        conv = F.conv_transpose1d if self.dims == 1 else F.conv_transpose2d
        return conv(
            input, self.weight, self.bias, self.stride, self.padding,  # type: ignore[arg-type]
            self.output_padding, self.groups, self.dilation,
        )  # fmt: skip

    def extra_repr(self) -> str:
        text, _, bias = super().extra_repr().partition(", bias=")
        if self.output_padding != (0,) * self.dims:
            option = f", output_padding={self.output_padding}"
            before, groups, after = text.partition(", groups=")
            text = before + option + groups + after
        return text + (f", bias={bias}" if bias else "")


class ConvTranspose1d(_ConvTranspose):
    """Adds a kernel for each element of a sequence: (N, C_in, L) → (N, C_out, L_out).

    See `nnlib.nn.functional.conv_transpose1d`.  Weight (C_in, C_out/groups, K) and bias are
    initially uniform on ±1/√(C_out/groups · K).  Like ``torch.nn.ConvTranspose1d``.

    >>> import nnlib
    >>> nnlib.nn.ConvTranspose1d(4, 6, 3, stride=2)(nnlib.zeros(2, 4, 10)).shape
    nnlib.Size([2, 6, 21])
    """

    dims = 1


class ConvTranspose2d(_ConvTranspose):
    """Adds a kernel for each pixel of an image: (N, C_in, H, W) → (N, C_out, H_out, W_out).

    See `nnlib.nn.functional.conv_transpose2d` for sizes.  Weight (C_in, C_out/groups, KH, KW) and
    bias are initially uniform on ±1/√(C_out/groups · KH · KW).  Like ``torch.nn.ConvTranspose2d``.

    >>> import nnlib
    >>> up = nnlib.nn.ConvTranspose2d(8, 1, 2, stride=2)
    >>> up
    ConvTranspose2d(8, 1, kernel_size=(2, 2), stride=(2, 2))
    >>> up(nnlib.zeros(2, 8, 7, 7)).shape
    nnlib.Size([2, 1, 14, 14])
    """

    dims = 2


class _Pool(Module):
    def __init__(self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0) -> None:
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding


class _MaxPool(_Pool):
    function: Callable[..., Tensor]

    def __init__(
        self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1,
        return_indices: bool = False, ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(kernel_size, stride, padding)
        self.dilation, self.return_indices, self.ceil_mode = dilation, return_indices, ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        return type(self).function(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
            self.return_indices,
        )  # fmt: skip

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPool):
    """The largest element of each window of a sequence.  Like ``torch.nn.MaxPool1d``.

    >>> import nnlib
    >>> nnlib.nn.MaxPool1d(2)(nnlib.tensor([[1.0, 3.0, 2.0, 5.0]]))
    tensor([[3., 5.]])
    """

    function = staticmethod(F.max_pool1d)


class MaxPool2d(_MaxPool):
    """The largest element of each window of an image.  Like ``torch.nn.MaxPool2d``.

    >>> import nnlib
    >>> nnlib.nn.MaxPool2d(2)(nnlib.zeros(1, 8, 24, 24)).shape
    nnlib.Size([1, 8, 12, 12])
    """

    function = staticmethod(F.max_pool2d)


class _AvgPool(_Pool):
    def __init__(
        self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
        ceil_mode: bool = False, count_include_pad: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(kernel_size, stride, padding)
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPool):
    """The mean of each window of a sequence.  Like ``torch.nn.AvgPool1d``.

    >>> import nnlib
    >>> nnlib.nn.AvgPool1d(2)(nnlib.tensor([[1.0, 3.0, 2.0, 4.0]]))
    tensor([[2., 3.]])
    """

    def __init__(
        self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
        ceil_mode: bool = False, count_include_pad: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        self.kernel_size, self.stride = _tuple_of(kernel_size, 1), _tuple_of(self.stride, 1)
        self.padding = _tuple_of(padding, 1)

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool1d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
            self.count_include_pad,
        )  # fmt: skip


class AvgPool2d(_AvgPool):
    """The mean of each window of an image.  Like ``torch.nn.AvgPool2d``.

    >>> import nnlib
    >>> nnlib.nn.AvgPool2d(2)(nnlib.ones(1, 3, 4, 6)).shape
    nnlib.Size([1, 3, 2, 3])
    """

    def __init__(
        self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
        ceil_mode: bool = False, count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool2d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
            self.count_include_pad, self.divisor_override,
        )  # fmt: skip


class _Adaptive(Module):
    function: Callable[..., Tensor]

    def __init__(self, output_size: Ints | tuple[int | None, ...]) -> None:
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        return type(self).function(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_Adaptive):
    """Means over windows chosen so that the result has length `output_size`.

    Like ``torch.nn.AdaptiveAvgPool1d``.

    >>> import nnlib
    >>> nnlib.nn.AdaptiveAvgPool1d(2)(nnlib.tensor([[1.0, 3.0, 2.0, 4.0]]))
    tensor([[2., 3.]])
    """

    function = staticmethod(F.adaptive_avg_pool1d)


class AdaptiveAvgPool2d(_Adaptive):
    """Means over windows chosen so that the result has size `output_size`.

    Like ``torch.nn.AdaptiveAvgPool2d``.

    >>> import nnlib
    >>> nnlib.nn.AdaptiveAvgPool2d(1)(nnlib.ones(2, 3, 5, 7)).shape
    nnlib.Size([2, 3, 1, 1])
    """

    function = staticmethod(F.adaptive_avg_pool2d)


class AdaptiveMaxPool1d(_Adaptive):
    """Maxima over windows chosen so that the result has length `output_size`.

    Like ``torch.nn.AdaptiveMaxPool1d``.

    >>> import nnlib
    >>> nnlib.nn.AdaptiveMaxPool1d(1)(nnlib.tensor([[1.0, 3.0, 2.0, 4.0]]))
    tensor([[4.]])
    """

    function = staticmethod(F.adaptive_max_pool1d)


class AdaptiveMaxPool2d(_Adaptive):
    """Maxima over windows chosen so that the result has size `output_size`.

    With `output_size` 1, this is each channel's maximum.

    Like ``torch.nn.AdaptiveMaxPool2d``.

    >>> import nnlib
    >>> nnlib.nn.AdaptiveMaxPool2d(1)(nnlib.ones(2, 3, 8, 8)).shape
    nnlib.Size([2, 3, 1, 1])
    """

    function = staticmethod(F.adaptive_max_pool2d)

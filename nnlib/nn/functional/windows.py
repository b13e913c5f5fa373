"""Functions with a sliding window: convolution and pooling (`torch.nn.functional`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from nnlib.functions import along, indexing, joining
from nnlib.functions import arithmetic as ar
from nnlib.functions import reshaping as s
from nnlib.functions._args import needs_tensor
from nnlib.nn.functional._args import (
    ImageBatch,
    Ints,
    check_at_least,
    check_same_type,
    ints,
    shape_text,
)
from nnlib.primitives import fused
from nnlib.primitives import index as pi
from nnlib.primitives import shape as ps
from nnlib.primitives import window as p
from nnlib.record import Value, apply, make

if TYPE_CHECKING:
    from nnlib.tensor import Tensor

Sizes = tuple[int, ...]

# ---------------------------------------------------------------- convolution


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Ints | str = 0,
    dilation: Ints = 1,
    groups: int = 1,
) -> Tensor:
    """out[n, o, y, x] = b[o] + Σ_{c,i,j} w[o, c, i, j] · input[n, c, y·s + i·d - p, x·s + j·d - p]

    `input` (N, C, H, W) or (C, H, W), `weight` (O, C/groups, KH, KW), `bias` (O) →
    (N, O, OH, OW) with OH = ⌊(H + 2p - d(KH - 1) - 1)/s⌋ + 1.  `padding` may be "valid" (none) or
    "same" (as large as the input, at stride 1).  The kernel is not flipped: "convolution" in neural
    networks is cross-correlation.

    Raises RuntimeError if channels, ranks or types do not fit, or the window is larger than the
    padded image.  Like ``torch.nn.functional.conv2d``; Dumoulin and Visin, 2016, draw every case.

    >>> import nnlib
    >>> image = nnlib.arange(9.0).reshape(1, 1, 3, 3)
    >>> nnlib.nn.functional.conv2d(image, nnlib.ones(1, 1, 2, 2))
    tensor([[[[ 8., 12.],
              [20., 24.]]]])
    """
    return _conv("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Ints | str = 0,
    dilation: Ints = 1,
    groups: int = 1,
) -> Tensor:
    """out[n, o, x] = b[o] + Σ_{c,j} weight[o, c, j] · input[n, c, x·s + j·d - p]

    `input` (N, C, L) or (C, L), `weight` (O, C/groups, K), `bias` (O) → (N, O, OL).  This is
    `conv2d` with height 1.  Like ``torch.nn.functional.conv1d``.

    >>> import nnlib
    >>> steps = nnlib.tensor([[1.0, 4.0, 9.0, 16.0]])
    >>> nnlib.nn.functional.conv1d(steps, nnlib.tensor([[[-1.0, 1.0]]]))
    tensor([[3., 5., 7.]])
    """
    return _conv("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def _conv(
    name: str,
    dims: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> Tensor:
    x, w = needs_tensor(name, input), needs_tensor(name, weight)
    batch = ImageBatch(name, x, dims)
    _check_weight(name, dims, x, batch.images, w, bias, groups)
    stride, dilation = ints(name, "stride", stride, dims), ints(name, "dilation", dilation, dims)
    check_at_least(name, 1, stride=stride, dilation=dilation)
    images, padding = _padded(name, batch.images, w._data.shape[2:], padding, stride, dilation)
    kernel = w if dims == 2 else s.unsqueeze(w, -2)
    added_dims = 1 if dims == 1 else 0
    attrs = {
        "stride": (1,) * added_dims + stride,
        "padding": (0,) * added_dims + padding,
        "dilation": (1,) * added_dims + dilation,
        "groups": groups,
    }
    _check_fit(name, images._data.shape, kernel._data.shape[2:], attrs)
    if bias is not None and bias._data.dtype == x._data.dtype:
        return batch.to_input_rank(apply(fused.convolution, (images, kernel, bias), attrs))
    return batch.to_input_rank(_with_bias(apply(p.conv2d, (images, kernel), attrs), bias))


def _with_bias(images: Tensor, bias: Tensor | None) -> Tensor:
    return images if bias is None else ar.add(images, s.reshape(bias, (-1, 1, 1)))


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Ints = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
) -> Tensor:
    """The transpose of `conv2d`: each input element adds a multiple of the kernel to the result.

    `input` (N, C, H, W) or (C, H, W), `weight` (C, O/groups, KH, KW), `bias` (O) → (N, O, OH, OW)
    with OH = (H - 1)s - 2p + d(KH - 1) + `output_padding` + 1.  It is not the inverse of conv2d,
    but the function that gives the gradient of conv2d's input, with weights of its own.

    Raises RuntimeError if channels, ranks or types do not fit, `output_padding` is not smaller
    than stride or dilation, or the result is empty.  Like ``torch.nn.functional.conv_transpose2d``.

    >>> import nnlib
    >>> x = nnlib.tensor([[[[1.0, 2.0]]]])
    >>> nnlib.nn.functional.conv_transpose2d(x, nnlib.ones(1, 1, 1, 2), stride=2)
    tensor([[[[1., 1., 2., 2.]]]])
    """
    settings = (stride, padding, output_padding, groups, dilation)
    return _conv_transpose("conv_transpose2d", 2, input, weight, bias, *settings)


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Ints = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
) -> Tensor:
    """The transpose of `conv1d`: `conv_transpose2d` with height 1.

    `input` (N, C, L) or (C, L), `weight` (C, O/groups, K), `bias` (O) → (N, O, OL).  Like
    ``torch.nn.functional.conv_transpose1d``.

    >>> import nnlib
    >>> x = nnlib.tensor([[1.0, 2.0]])
    >>> nnlib.nn.functional.conv_transpose1d(x, nnlib.tensor([[[1.0, 10.0]]]))
    tensor([[ 1., 12., 20.]])
    """
    settings = (stride, padding, output_padding, groups, dilation)
    return _conv_transpose("conv_transpose1d", 1, input, weight, bias, *settings)


def _conv_transpose(
    name: str,
    dims: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> Tensor:
    x, w = needs_tensor(name, input), needs_tensor(name, weight)
    batch = ImageBatch(name, x, dims)
    _check_transposed_weight(name, dims, x, batch.images, w, bias, groups)
    stride, dilation = ints(name, "stride", stride, dims), ints(name, "dilation", dilation, dims)
    padding, output_padding = (
        ints(name, "padding", padding, dims),
        ints(name, "output_padding", output_padding, dims),
    )
    check_at_least(name, 1, stride=stride, dilation=dilation)
    check_at_least(name, 0, padding=padding, output_padding=output_padding)
    if any(o >= max(a, b) for o, a, b in zip(output_padding, stride, dilation, strict=True)):
        raise RuntimeError(
            f"output padding must be smaller than either stride or dilation, but got "
            f"output_padding {output_padding}, stride {stride}, dilation {dilation}"
        )
    if dims == 1:
        w, stride, dilation = s.unsqueeze(w, -2), (1, *stride), (1, *dilation)
        padding, output_padding = (0, *padding), (0, *output_padding)
    out = _transposed(name, batch.images, w, stride, padding, output_padding, groups, dilation)
    return batch.to_input_rank(_with_bias(out, bias))


def _transposed(
    name: str,
    x: Tensor,
    w: Tensor,
    stride: tuple[Any, ...],
    padding: tuple[Any, ...],
    output_padding: tuple[Any, ...],
    groups: int,
    dilation: tuple[Any, ...],
) -> Tensor:
    n, _, *input_size = x._data.shape
    full_size = [
        (m - 1) * a + d * (k - 1) + 1
        for m, a, d, k in zip(input_size, stride, dilation, w._data.shape[2:], strict=True)
    ]
    output_size = [
        m - 2 * pad + o for m, pad, o in zip(full_size, padding, output_padding, strict=True)
    ]
    if min(output_size) < 1:
        raise RuntimeError(
            f"{name}: Given input size per channel: {input_size}. Calculated output size per "
            f"channel: {output_size}. Output size is too small: is the padding {padding} too large?"
        )
    attrs = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    channels = w._data.shape[1] * groups
    if all(o < a for o, a in zip(output_padding, stride, strict=True)):
        return apply(p.conv2d_input, (x, w), {"shape": (n, channels, *output_size), **attrs})
    # No window of conv2d would reach the last rows, so they are appended as zeros.
    attrs["padding"] = (0, 0)
    out = apply(p.conv2d_input, (x, w), {"shape": (n, channels, *full_size), **attrs})
    pad_width = ((0, 0), (0, 0), (0, output_padding[0]), (0, output_padding[1]))
    out = apply(ps.pad, (out,), {"pad": pad_width, "value": 0.0})
    (top, left), (height, width) = padding, output_size
    return indexing.getitem(out, (..., slice(top, top + height), slice(left, left + width)))


def _check_kernel(name: str, dims: int, x: Tensor, w: Tensor, groups: int, axes: str) -> None:
    """Check the weight of either kind of convolution; `axes` names its first two axes."""
    check_same_type(name, x, w, "weight")
    shape = w._data.shape
    if len(shape) != dims + 2:
        raise RuntimeError(
            f"{name}: weight must have {dims + 2} dimensions ({axes}, kernel…), got {list(shape)}"
        )
    if groups < 1 or shape[0] % groups:
        raise RuntimeError(
            f"{name}: groups={groups} must be positive and divide the number of "
            f"{axes.partition(',')[0]} channels, {shape[0]}"
        )


def _check_transposed_weight(
    name: str, dims: int, x: Tensor, images: Tensor, w: Tensor, bias: Tensor | None, groups: int
) -> None:
    _check_kernel(name, dims, x, w, groups, "in, out/groups")
    shape, in_channels = w._data.shape, images._data.shape[1]
    if in_channels != shape[0]:
        raise RuntimeError(
            f"Given transposed=1, weight of size {list(shape)}, expected input"
            f"{shape_text(x)} to have {shape[0]} channels, but got {in_channels} channels instead"
        )
    if bias is not None and needs_tensor(name, bias)._data.shape != (shape[1] * groups,):
        raise RuntimeError(
            f"Given transposed=1, weight of size {list(shape)}, expected bias to be 1-dimensional "
            f"with {shape[1] * groups} elements, but got bias of size {shape_text(bias)} instead"
        )


def _check_weight(
    name: str, dims: int, x: Tensor, images: Tensor, w: Tensor, bias: Tensor | None, groups: int
) -> None:
    _check_kernel(name, dims, x, w, groups, "out, in/groups")
    shape, in_channels = w._data.shape, images._data.shape[1]
    if in_channels != shape[1] * groups:
        raise RuntimeError(
            f"Given groups={groups}, weight of size {list(shape)}, expected input"
            f"{shape_text(x)} to have {shape[1] * groups} channels, but got {in_channels} channels "
            "instead"
        )
    if bias is not None and needs_tensor(name, bias)._data.shape != shape[:1]:
        raise RuntimeError(
            f"Given weight of size {list(shape)}, expected bias to be 1-dimensional with "
            f"{shape[0]} elements, but got bias of size {shape_text(bias)} instead"
        )


def _padded(
    name: str,
    x: Tensor,
    kernel: tuple[Any, ...],
    padding: Any,
    stride: tuple[Any, ...],
    dilation: tuple[Any, ...],
) -> tuple[Value, tuple[int, ...]]:
    """The padded input and the padding as ints; "same" with an odd total adds zeros at the end."""
    dims = len(kernel)
    if not isinstance(padding, str):
        padding = ints(name, "padding", padding, dims)
        check_at_least(name, 0, padding=padding)
        return x, padding
    if padding == "valid":
        return x, (0,) * dims
    if padding != "same":
        raise RuntimeError(f"Invalid padding string: {padding!r}. Use 'valid', 'same' or ints.")
    if set(stride) != {1}:
        raise RuntimeError(f"padding='same' is not supported for strided convolutions: {stride}")
    total = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    if any(t % 2 for t in total):
        pad_width = ((0, 0),) * (4 - dims) + tuple([(0, t % 2) for t in total])
        x = apply(ps.pad, (x,), {"pad": pad_width, "value": 0.0})
    return x, tuple([t // 2 for t in total])


def _check_fit(
    name: str, shape: tuple[Any, ...], kernel: tuple[Any, ...], attrs: dict[str, Any]
) -> None:
    for n, k, pad, d in zip(shape[2:], kernel, attrs["padding"], attrs["dilation"], strict=True):
        if k < 1 or d * (k - 1) + 1 > n + 2 * pad:
            raise RuntimeError(
                f"Calculated padded input size: {n + 2 * pad}. Kernel size: {d * (k - 1) + 1}. "
                f"Kernel size can't be greater than actual input size: {name} was given an input "
                f"of {list(shape[2:])} and a kernel of {list(kernel)}"
            )


# ---------------------------------------------------------------- pooling


def _pool_attrs(
    name: str,
    dims: int,
    x: Tensor,
    kernel: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
) -> dict[str, Any]:
    kernel = ints(name, "kernel_size", kernel, dims)
    by_kernel = stride is None or (isinstance(stride, (tuple, list)) and not stride)
    stride = kernel if by_kernel else ints(name, "stride", stride, dims)
    padding = ints(name, "padding", padding, dims)
    dilation = ints(name, "dilation", dilation, dims)
    check_at_least(name, 1, kernel_size=kernel, stride=stride, dilation=dilation)
    check_at_least(name, 0, padding=padding)
    if any(2 * pad > k for pad, k in zip(padding, kernel, strict=True)):
        raise RuntimeError(
            f"{name}: pad should be at most half of effective kernel size, but got "
            f"padding={list(padding)} and kernel_size={list(kernel)}"
        )
    for n, k, step, pad, d in zip(x._data.shape[-dims:], kernel, stride, padding, dilation):
        if p.positions(n, k, step, pad, d, ceil_mode) < 1:
            raise RuntimeError(
                f"{name}: Output size is too small: a window of {list(kernel)} does not fit into "
                f"an input of size {shape_text(x)}"
            )
    added_dims = 1 if dims == 1 else 0
    return {
        "kernel_size": (1,) * added_dims + kernel,
        "stride": (1,) * added_dims + stride,
        "padding": (0,) * added_dims + padding,
        "dilation": (1,) * added_dims + dilation,
        "ceil_mode": bool(ceil_mode),
    }


def _max_pool(
    name: str,
    dims: int,
    input: Tensor,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    return_indices: bool,
) -> Tensor | tuple[Tensor, Tensor]:
    x = needs_tensor(name, input)
    batch = ImageBatch(name, x, dims)
    attrs = _pool_attrs(name, dims, x, kernel_size, stride, padding, dilation, ceil_mode)
    out = batch.to_input_rank(apply(p.max_pool2d, (batch.images,), attrs))
    if not return_indices:
        return out
    return out, batch.to_input_rank(apply(p.max_pool2d_indices, (batch.images,), attrs))


@overload
def max_pool2d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> Tensor: ...
@overload
def max_pool2d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    *,
    return_indices: Literal[True],
) -> tuple[Tensor, Tensor]: ...
def max_pool2d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    """The largest element of each window; by default, `stride` is the window's size.

    `input` (N, C, H, W) or (C, H, W) → the same rank, with OH and OW as in `conv2d` (rounded up
    with `ceil_mode`).  The gradient flows to the first largest element of each window.  With
    `return_indices`, also returns the indices of these elements in their flattened channels.

    Raises RuntimeError if the window does not fit, or the padding is more than half of it.  Like
    ``torch.nn.functional.max_pool2d``.

    >>> import nnlib
    >>> nnlib.nn.functional.max_pool2d(nnlib.arange(16.0).reshape(1, 4, 4), 2)
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    """
    return _max_pool(
        "max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


@overload
def max_pool1d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> Tensor: ...
@overload
def max_pool1d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    *,
    return_indices: Literal[True],
) -> tuple[Tensor, Tensor]: ...
def max_pool1d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    """The largest element of each window: `input` (N, C, L) or (C, L).  See `max_pool2d`.

    Like ``torch.nn.functional.max_pool1d``.

    >>> import nnlib
    >>> nnlib.nn.functional.max_pool1d(nnlib.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[3., 2.]])
    """
    return _max_pool(
        "max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


def avg_pool2d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window; the zeros of the padding count if `count_include_pad`.

    `input` (N, C, H, W) or (C, H, W) → the same rank.  `divisor_override` replaces the number of
    elements that the sum is divided by.  Raises RuntimeError if the window does not fit, or the
    padding is more than half of it.  Like ``torch.nn.functional.avg_pool2d``.

    >>> import nnlib
    >>> nnlib.nn.functional.avg_pool2d(nnlib.arange(16.0).reshape(1, 4, 4), 2)
    tensor([[[ 2.5000,  4.5000],
             [10.5000, 12.5000]]])
    """
    return _avg_pool("avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode,
                     count_include_pad, divisor_override)  # fmt: skip


def avg_pool1d(
    input: Tensor,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window: `input` (N, C, L) or (C, L).  See `avg_pool2d`.

    Like ``torch.nn.functional.avg_pool1d``.

    >>> import nnlib
    >>> nnlib.nn.functional.avg_pool1d(nnlib.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[2., 1.]])
    """
    return _avg_pool(
        "avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None
    )


def _avg_pool(
    name: str,
    dims: int,
    input: Tensor,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Tensor:
    x = needs_tensor(name, input)
    batch = ImageBatch(name, x, dims)
    attrs = _pool_attrs(name, dims, x, kernel_size, stride, padding, 1, ceil_mode)
    del attrs["dilation"]
    attrs["count_include_pad"] = bool(count_include_pad)
    out = apply(p.avg_pool2d, (batch.images,), attrs)
    if divisor_override is not None:
        if divisor_override == 0:
            raise RuntimeError(f"{name}: divisor must be not zero")
        counts = p.divisors(batch.images._data.shape, **attrs) / divisor_override
        out = ar.mul(out, make(counts.astype(x._data.dtype)))
    return batch.to_input_rank(out)


# ---------------------------------------------------------------- adaptive pooling


def _adaptive_sizes(name: str, x: Tensor, output_size: Any, dims: int) -> tuple[int, ...]:
    shape = x._data.shape[-dims:]
    requested = output_size if isinstance(output_size, (tuple, list)) else (output_size,) * dims
    sizes = ints(
        name, "output_size", [n if m is None else m for m, n in zip(requested, shape)], dims
    )
    check_at_least(name, 0, output_size=sizes)
    if 0 in shape:
        raise RuntimeError(f"{name}: expected input to have non-zero size, got {shape_text(x)}")
    return sizes


def _bounds(n: int, size: int) -> list[tuple[int, int]]:
    """`size` windows that cover n elements: the i-th from ⌊i·n/size⌋ to ⌈(i + 1)·n/size⌉."""
    return [(i * n // size, -(-(i + 1) * n // size)) for i in range(size)]


def _equal_window(shape: tuple[Any, ...], sizes: tuple[Any, ...]) -> tuple[int, ...] | None:
    """The size of the windows if they all have the same size and do not overlap, else None."""
    if any(m < 1 or n % m for n, m in zip(shape, sizes, strict=True)):
        return None
    return tuple([n // m for n, m in zip(shape, sizes, strict=True)])


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """The means of windows chosen so that the result is `output_size` (None: the input's size).

    Window i of m over n elements goes from ⌊i·n/m⌋ to ⌈(i + 1)·n/m⌉.  `input` (N, C, H, W) or
    (C, H, W).  Like ``torch.nn.functional.adaptive_avg_pool2d``.

    >>> import nnlib
    >>> nnlib.nn.functional.adaptive_avg_pool2d(nnlib.arange(6.0).reshape(1, 2, 3), 1)
    tensor([[[2.5000]]])
    """
    name = "adaptive_avg_pool2d"
    x: Any = needs_tensor(name, input)
    sizes = _adaptive_sizes(name, x, output_size, 2)
    ImageBatch(name, x, 2)  # only to check the number of dimensions
    window = _equal_window(x._data.shape[-2:], sizes)
    if window is not None:
        return avg_pool2d(x, window)
    h, w = x._data.shape[-2:]
    rows = [
        joining.stack([along.mean(x[..., a:b, c:d], (-2, -1)) for c, d in _bounds(w, sizes[1])], -1)
        for a, b in _bounds(h, sizes[0])
    ]
    return joining.stack(rows, -2) if 0 not in sizes else x[..., : sizes[0], : sizes[1]]


def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """The means of windows chosen so that the result has length `output_size`.

    See `adaptive_avg_pool2d`.  Like ``torch.nn.functional.adaptive_avg_pool1d``.

    >>> import nnlib
    >>> nnlib.nn.functional.adaptive_avg_pool1d(nnlib.tensor([[1.0, 3.0, 2.0, 4.0]]), 2)
    tensor([[2., 3.]])
    """
    name = "adaptive_avg_pool1d"
    x: Any = needs_tensor(name, input)
    (size,) = _adaptive_sizes(name, x, output_size, 1)
    ImageBatch(name, x, 1)  # only to check the number of dimensions
    window = _equal_window(x._data.shape[-1:], (size,))
    if window is not None:
        return avg_pool1d(x, window)
    means = [along.mean(x[..., a:b], -1) for a, b in _bounds(x._data.shape[-1], size)]
    return joining.stack(means, -1) if means else x[..., :0]


def adaptive_max_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """The maxima of windows chosen so that the result is `output_size`.  See `adaptive_avg_pool2d`.

    Like ``torch.nn.functional.adaptive_max_pool2d``.

    >>> import nnlib
    >>> nnlib.nn.functional.adaptive_max_pool2d(nnlib.arange(6.0).reshape(1, 2, 3), (1, 2))
    tensor([[[4., 5.]]])
    """
    name = "adaptive_max_pool2d"
    x: Any = needs_tensor(name, input)
    sizes = _adaptive_sizes(name, x, output_size, 2)
    ImageBatch(name, x, 2)  # only to check the number of dimensions
    window = _equal_window(x._data.shape[-2:], sizes)
    if window is not None:
        return max_pool2d(x, window)
    h, w = x._data.shape[-2:]
    rows = [
        joining.stack([_largest(x[..., a:b, c:d]) for c, d in _bounds(w, sizes[1])], -1)
        for a, b in _bounds(h, sizes[0])
    ]
    return joining.stack(rows, -2) if 0 not in sizes else x[..., : sizes[0], : sizes[1]]


def adaptive_max_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """The maxima of windows chosen so that the result has length `output_size`.

    Like ``torch.nn.functional.adaptive_max_pool1d``.

    >>> import nnlib
    >>> nnlib.nn.functional.adaptive_max_pool1d(nnlib.tensor([[1.0, 3.0, 2.0, 4.0]]), 2)
    tensor([[3., 4.]])
    """
    name = "adaptive_max_pool1d"
    x: Any = needs_tensor(name, input)
    (size,) = _adaptive_sizes(name, x, output_size, 1)
    ImageBatch(name, x, 1)  # only to check the number of dimensions
    maxima = [along.max(x[..., a:b], -1).values for a, b in _bounds(x._data.shape[-1], size)]
    return joining.stack(maxima, -1) if maxima else x[..., :0]


def _largest(x: Tensor) -> Tensor:
    return along.max(s.flatten(x, -2), -1).values


# ---------------------------------------------------------------- columns


def _columns(size: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> np.ndarray:
    """For each element of the window (rows), its index in the flattened image at each position."""
    counts = [
        p.positions(n, k, step, 0, d, False)
        for n, k, step, d in zip(size, kernel, stride, dilation, strict=True)
    ]
    rows, cols = (
        np.arange(k)[:, None] * d + np.arange(n) * step
        for k, n, step, d in zip(kernel, counts, stride, dilation, strict=True)
    )
    indices = rows[:, None, :, None] * size[1] + cols[None, :, None, :]
    return indices.reshape(kernel[0] * kernel[1], -1)


def unfold(
    input: Tensor, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1
) -> Tensor:
    """Every window as a column: (N, C, H, W) → (N, C·KH·KW, number of windows).

    A convolution is the product of the flattened kernels with these columns.  Like
    ``torch.nn.functional.unfold``.

    >>> import nnlib
    >>> nnlib.nn.functional.unfold(nnlib.arange(6.0).reshape(1, 1, 2, 3), (2, 2))
    tensor([[[0., 1.],
             [1., 2.],
             [3., 4.],
             [4., 5.]]])
    """
    x = needs_tensor("unfold", input)
    batch = ImageBatch("unfold", x, 2)
    kernel = ints("unfold", "kernel_size", kernel_size, 2)
    strides = ints("unfold", "stride", stride, 2)
    dilations = ints("unfold", "dilation", dilation, 2)
    paddings = ints("unfold", "padding", padding, 2)
    check_at_least("unfold", 1, kernel_size=kernel, stride=strides, dilation=dilations)
    check_at_least("unfold", 0, padding=paddings)
    attrs = {"stride": strides, "padding": paddings, "dilation": dilations, "groups": 1}
    _check_fit("unfold", batch.images._data.shape, kernel, attrs)
    pad_width = ((0, 0), (0, 0), *[(n, n) for n in paddings])
    images = apply(ps.pad, (batch.images,), {"pad": pad_width, "value": 0.0})
    n, c, h, w = images._data.shape
    indices = _columns((h, w), kernel, strides, dilations)
    # Selected by index, not multiplied by zeros and ones, because 0 · inf is nan.
    out = apply(pi.take, (s.reshape(images, (n, c, h * w)), make(indices)), {"dim": 2})
    out = s.reshape(out, (n, c * indices.shape[0], indices.shape[1]))
    return out if batch.batched else s.squeeze(out, 0)

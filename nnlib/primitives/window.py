"""Primitives that slide a window over the last two dimensions: convolution and pooling.

Internally, images are stored with the batch as the last dimension: planes × height × width ×
images.  Every inner loop then runs over many images at once, and a convolution is one matrix
product.  Results are views of such memory in PyTorch's order (N, C, H, W); elementwise primitives
keep the layout.

The three convolutions are each other's derivatives: conv2d is linear in the image and in the
weight, and ``conv2d_input`` and ``conv2d_weight`` are its two transposes.

`to_source` prints the functions of this file, so a forward function calls only NumPy and other
functions of this file.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from nnlib.primitives.index import scatter_add
from nnlib.primitives.shape import reshape
from nnlib.record import Array, Primitive, Value

window = partial(Primitive, family="window")
Pair = tuple[int, int]

LARGEST_SAVED = 2**26  # bytes: columns up to this size are saved for the gradient, not recomputed


def positions(n: int, kernel: int, stride: int, padding: int, dilation: int, ceil: bool) -> int:
    """The number of positions of a window along a dimension of length n (PyTorch's formula)."""
    last_start = n + 2 * padding - dilation * (kernel - 1) - 1
    count = (last_start + (stride - 1 if ceil else 0)) // stride + 1
    # A window that would start in the padding after the end is left out.
    return count - 1 if ceil and (count - 1) * stride >= n + padding else count


def _batch_last(x: Array) -> Array:
    """x as (C, H, W, N), contiguous; not copied if it is already stored that way."""
    return np.ascontiguousarray(x.transpose(1, 2, 3, 0))


def _batch_first(x: Array) -> Array:
    """(C, H, W, N) viewed as (N, C, H, W)."""
    return x.transpose(3, 0, 1, 2)


def _taps(kernel: Pair, size: Pair, stride: Pair, dilation: Pair) -> Iterator[tuple]:
    """For each element (i, j) of the window: the rows and columns under it, as slices."""
    for i in range(kernel[0]):
        top = i * dilation[0]
        rows = slice(top, top + stride[0] * (size[0] - 1) + 1, stride[0])
        for j in range(kernel[1]):
            left = j * dilation[1]
            yield i, j, rows, slice(left, left + stride[1] * (size[1] - 1) + 1, stride[1])


def _padded(x: Array, before: Pair, after: Pair, value: float) -> Array:
    """(C, H, W, N) with `value` added around the height and width."""
    if not (before[0] or before[1] or after[0] or after[1]):
        return x
    c, h, w, n = x.shape
    shape = (c, before[0] + h + after[0], before[1] + w + after[1], n)
    out = np.full(shape, value, x.dtype) if value else np.zeros(shape, x.dtype)
    out[:, before[0] : before[0] + h, before[1] : before[1] + w] = x
    return out


# ---------------------------------------------------------------- convolution


def _unfold(x: Array, kernel: Pair, size: Pair, attrs: dict) -> Array:
    """(C, H, W, N) → columns (C, KH, KW, OH, OW, N): one column per window."""
    x = _padded(x, attrs["padding"], attrs["padding"], 0)
    columns = np.empty((x.shape[0], *kernel, *size, x.shape[3]), x.dtype)
    for i, j, rows, cols in _taps(kernel, size, attrs["stride"], attrs["dilation"]):
        columns[:, i, j] = x[:, rows, cols]
    return columns


def _fold(columns: Array, shape: tuple[int, ...], attrs: dict) -> Array:
    """The transpose of `_unfold`: columns are added at their positions; `shape` is (N, C, H, W)."""
    n, c, h, w = shape
    (ph, pw), kernel, size = attrs["padding"], columns.shape[1:3], columns.shape[3:5]
    x = np.zeros((c, h + 2 * ph, w + 2 * pw, n), columns.dtype)
    for i, j, rows, cols in _taps(kernel, size, attrs["stride"], attrs["dilation"]):
        x[:, rows, cols] += columns[:, i, j]
    return x[:, ph : ph + h, pw : pw + w]


def _size(shape: tuple[int, ...], kernel: Pair, attrs: dict) -> Pair:
    """The height and width of a convolution's result."""
    h, w = (
        positions(shape[2 + d], kernel[d], attrs["stride"][d], attrs["padding"][d],
                  attrs["dilation"][d], False)
        for d in (0, 1)
    )  # fmt: skip
    return h, w


def _by_group(x: Array, groups: int, rows: int) -> Array:
    """A stack of `groups` matrices with `rows` rows each."""
    return x.reshape(groups, rows, -1)


def _columns(x: Array, weight: Array, attrs: dict) -> Array:
    kernel = weight.shape[2:]
    return _unfold(_batch_last(x), kernel, _size(x.shape, kernel, attrs), attrs)


def _weighted(columns: Array, weight: Array, groups: int) -> Array:
    """The weight, a row per kernel, times the unfolded image."""
    rows = _by_group(weight, groups, weight.shape[0] // groups)
    product = rows @ _by_group(columns, groups, rows.shape[2])
    return _batch_first(product.reshape(weight.shape[0], *columns.shape[3:]))


def _conv2d(x: Array, weight: Array, **attrs: Any) -> Array:
    return _weighted(_columns(x, weight, attrs), weight, attrs["groups"])


def _conv2d_with_residuals(x: Array, weight: Array, **attrs: Any) -> tuple[Array, Array | None]:
    """The convolution, and its columns unless they are too large to save."""
    columns = _columns(x, weight, attrs)
    out = _weighted(columns, weight, attrs["groups"])
    return out, columns if columns.nbytes <= LARGEST_SAVED else None


def _conv2d_input(g: Array, weight: Array, shape: tuple[int, ...], **attrs: Any) -> Array:
    if attrs["stride"] == (1, 1) and attrs["groups"] == 1:
        return _batch_first(_conv2d_input_at_stride_1(_batch_last(g), weight, shape, attrs))
    groups, (out, channels, *kernel) = attrs["groups"], weight.shape
    rows = _by_group(weight, groups, out // groups).transpose(0, 2, 1)
    columns = rows @ _by_group(_batch_last(g), groups, out // groups)
    columns = columns.reshape(channels * groups, *kernel, *g.shape[2:], g.shape[0])
    return _batch_first(_fold(columns, shape, attrs))


def _conv2d_input_at_stride_1(
    g: Array, weight: Array, shape: tuple[int, ...], attrs: dict
) -> Array:
    """conv2d_input at stride 1: unfold g along the width, multiply once, add along the height.

    The columns are KW times as large as the gradient instead of KH·KW times.
    """
    n, c, h, w = shape
    out, _, kh, kw = weight.shape
    (ph, pw), (dh, dw) = attrs["padding"], attrs["dilation"]
    oh, reach = g.shape[1], dw * (kw - 1)
    padded = _padded(g, (0, reach), (0, reach), 0)
    columns = np.empty((out, kw, oh, w, n), g.dtype)
    for j in range(kw):  # column x of the image is under element j of the window at x + p - j·d
        start = reach + pw - j * dw
        columns[:, j] = padded[:, :, start : start + w]
    rows = weight.transpose(1, 2, 0, 3).reshape(c * kh, out * kw)
    products = (rows @ columns.reshape(out * kw, -1)).reshape(c, kh, oh, w, n)
    x = np.zeros((c, h + 2 * ph, w, n), g.dtype)
    for i in range(kh):
        x[:, i * dh : i * dh + oh] += products[:, i]
    return x[:, ph : ph + h]


def _conv2d_weight(g: Array, x: Array, shape: tuple[int, ...], **attrs: Any) -> Array:
    columns = _unfold(_batch_last(x), shape[2:], g.shape[2:], attrs)
    return weight_gradient(g, columns, shape, attrs["groups"])


def weight_gradient(g: Array, columns: Array, shape: tuple, groups: int) -> Array:
    """conv2d_weight from the columns that conv2d unfolded."""
    length = shape[1] * shape[2] * shape[3]
    rows = _by_group(_batch_last(g), groups, shape[0] // groups)
    product = _by_group(columns, groups, length) @ rows.transpose(0, 2, 1)
    return np.ascontiguousarray(product.transpose(0, 2, 1)).reshape(shape)


def _conv2d_vjp(needs: tuple, g: Any, columns: Any, x: Any, weight: Any, **attrs: Any) -> tuple:
    dx = conv2d_input(g, weight, shape=x.shape, **attrs) if needs[0] else None
    if not needs[1]:
        return dx, None
    if columns is not None and not isinstance(g, Value):
        return dx, weight_gradient(g, columns, weight.shape, attrs["groups"])
    return dx, conv2d_weight(g, x, shape=weight.shape, **attrs)


conv2d = window(
    "conv2d", _conv2d, vjp_of_all=_conv2d_vjp, saves="args", with_residuals=_conv2d_with_residuals,
    reads=((1,), (0,)),
)  # fmt: skip
conv2d_input = window(
    "conv2d_input",
    _conv2d_input,
    lambda g, out, y, weight, shape, **attrs: conv2d(g, weight, **attrs),
    lambda g, out, y, weight, shape, **attrs: conv2d_weight(y, g, shape=weight.shape, **attrs),
    saves="args",
)
conv2d_weight = window(
    "conv2d_weight",
    _conv2d_weight,
    lambda g, out, y, x, shape, **attrs: conv2d(x, g, **attrs),
    lambda g, out, y, x, shape, **attrs: conv2d_input(y, g, shape=x.shape, **attrs),
    saves="args",
)


# ---------------------------------------------------------------- pooling


def _pooled_size(shape: tuple[int, ...], attrs: dict) -> tuple[Pair, Pair]:
    """The pooled size, and how far the last window reaches past the image, down and right."""
    size, after = [], []
    for d in (0, 1):
        n, k, s = shape[d - 2], attrs["kernel_size"][d], attrs["stride"][d]
        p, dilation = attrs["padding"][d], attrs.get("dilation", (1, 1))[d]
        count = positions(n, k, s, p, dilation, attrs["ceil_mode"])
        size.append(count)
        after.append(max(0, (count - 1) * s + dilation * (k - 1) + 1 - n - p))
    return (size[0], size[1]), (after[0], after[1])


def _windows(x: Array, attrs: dict, value: float) -> tuple[Array, list[tuple], Pair]:
    """x as (C, H, W, N), padded with `value`; a slice per element of a window; the pooled size."""
    size, after = _pooled_size(x.shape, attrs)
    padded = _padded(_batch_last(x), attrs["padding"], after, value)
    dilation = attrs.get("dilation", (1, 1))
    taps = [t[2:] for t in _taps(attrs["kernel_size"], size, attrs["stride"], dilation)]
    return padded, taps, size


def _lowest(x: Array) -> float:
    return -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min


def _max_pool2d(x: Array, **attrs: Any) -> Array:
    padded, taps, _ = _windows(x, attrs, _lowest(x))
    first, *rest = [padded[:, rows, cols] for rows, cols in taps]
    out = np.array(first, order="C") if not rest else np.maximum(first, rest[0])
    for tap in rest[1:]:
        np.maximum(out, tap, out=out)
    return _batch_first(out)


def _max_pool2d_indices(x: Array, **attrs: Any) -> Array:
    """The position of each window's maximum in its plane: the first of equal ones, the last nan."""
    padded, taps, size = _windows(x, attrs, _lowest(x))
    h, w = x.shape[2:]
    position = np.arange(h * w).reshape(1, h, w, 1)
    position = _padded(position, attrs["padding"], _pooled_size(x.shape, attrs)[1], -1)
    best = np.zeros((x.shape[1], *size, x.shape[0]), x.dtype)
    best_position = np.full(best.shape, -1)
    for rows, cols in taps:
        tap, tap_position = padded[:, rows, cols], position[:, rows, cols]
        better = (tap_position >= 0) & ((best_position < 0) | (tap > best) | (tap != tap))
        best = np.where(better, tap, best)
        best_position = np.where(better, tap_position, best_position)
    return _batch_first(best_position.astype(np.int64))


def max_pool2d_gradient(g: Any, out: Any, x: Any, **attrs: Any) -> Any:
    """Add the gradient at the position of each maximum."""
    if not isinstance(g, Value) and np.isfinite(out).all() and np.isfinite(g).all():
        return _to_maxima(g, out, x, attrs)
    n, c, h, w = x.shape
    indices = reshape(max_pool2d_indices(x, **attrs), shape=(n, c, -1))
    planes = np.zeros((n, c, h * w), g.dtype.name)
    return reshape(
        scatter_add(planes, indices, reshape(g, shape=indices.shape), dim=2), shape=x.shape
    )


def _to_maxima(g: Array, out: Array, x: Array, attrs: dict) -> Array:
    """Without indices: add g at the first element of each window that equals its maximum."""
    padded, taps, _ = _windows(x, attrs, _lowest(x))
    gradients, maxima = _batch_last(g), _batch_last(out)
    disjoint, grad = _disjoint(attrs), np.zeros_like(padded)
    taken = np.zeros(maxima.shape, bool)
    for rows, cols in taps:
        is_first = (padded[:, rows, cols] == maxima) > taken  # the first that equals the maximum
        taken |= is_first
        if disjoint:
            np.multiply(gradients, is_first, out=grad[:, rows, cols])
        else:
            grad[:, rows, cols] += gradients * is_first
    (ph, pw), (h, w) = attrs["padding"], x.shape[2:]
    return _batch_first(grad[:, ph : ph + h, pw : pw + w])


def _disjoint(attrs: dict) -> bool:
    """Whether no two windows share an element."""
    kernel, stride = attrs["kernel_size"], attrs["stride"]
    disjoint = stride[0] >= kernel[0] and stride[1] >= kernel[1]
    return bool(disjoint and attrs["dilation"] == (1, 1))


max_pool2d = window("max_pool2d", _max_pool2d, max_pool2d_gradient, recomputes_out=True)
max_pool2d_indices = window("max_pool2d_indices", _max_pool2d_indices, saves="none")


def divisors(shape: tuple[int, ...], count_include_pad: bool, **attrs: Any) -> Array:
    """The number of elements in each average, (OH, OW): fewer where a window leaves the image."""
    size, _ = _pooled_size(shape, attrs)
    lengths = []
    for d in (0, 1):
        n, p = shape[d - 2], attrs["padding"][d]
        start = np.arange(size[d]) * attrs["stride"][d] - p
        end = np.minimum(start + attrs["kernel_size"][d], n + p)
        if not count_include_pad:
            start, end = np.maximum(start, 0), np.minimum(end, n)
        lengths.append(end - start)
    return lengths[0][:, None] * lengths[1]


def _avg_pool2d(x: Array, **attrs: Any) -> Array:
    padded, taps, size = _windows(x, attrs, 0)
    out = np.zeros((x.shape[1], *size, x.shape[0]), x.dtype)
    for rows, cols in taps:
        out += padded[:, rows, cols]
    out /= divisors(x.shape, **attrs)[:, :, None].astype(x.dtype)
    return _batch_first(out)


def _avg_pool2d_input(g: Array, shape: tuple[int, ...], **attrs: Any) -> Array:
    size, (below, right) = _pooled_size(shape, attrs)
    (ph, pw), (h, w) = attrs["padding"], shape[2:]
    share = _batch_last(g) / divisors(shape, **attrs)[:, :, None].astype(g.dtype)
    grad = np.zeros((shape[1], h + ph + below, w + pw + right, shape[0]), g.dtype)
    for _, _, rows, cols in _taps(attrs["kernel_size"], size, attrs["stride"], (1, 1)):
        grad[:, rows, cols] += share
    return _batch_first(grad[:, ph : ph + h, pw : pw + w])


avg_pool2d = window(
    "avg_pool2d",
    _avg_pool2d,
    lambda g, out, x, **attrs: avg_pool2d_input(g, shape=x.shape, **attrs),
    saves="args",
)
avg_pool2d_input = window(
    "avg_pool2d_input",
    _avg_pool2d_input,
    lambda g, out, y, shape, **attrs: avg_pool2d(g, **attrs),
    saves="none",
)

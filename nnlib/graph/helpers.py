"""How each primitive is said in NumPy, for `to_source`: a call, or a helper where there is none."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from nnlib.record import Primitive

Shape = tuple[int, ...]
Call = Callable[..., str]

# ---------------------------------------------------------------- helpers, as they are printed

HELPERS = {
    "sigmoid": """
def sigmoid(x):
    return 1 / (1 + np.exp(-x))
""",
    "softplus": """
def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
""",
    "erf": """
def erf(x):
    return np.vectorize(math.erf, otypes=[x.dtype])(x)
""",
    "logsumexp": """
def logsumexp(x, axis, keepdims=False):
    m = np.max(x, axis=axis, keepdims=True)
    m = np.where(np.isfinite(m), m, 0)
    out = m + np.log(np.sum(np.exp(x - m), axis=axis, keepdims=True))
    return out if keepdims else np.squeeze(out, axis=axis)
""",
    "softmax": """
def softmax(x, axis):
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)
""",
    "log_softmax": """
def log_softmax(x, axis):
    x = x - np.max(x, axis=axis, keepdims=True)
    return x - np.log(np.sum(np.exp(x), axis=axis, keepdims=True))
""",
    "unslice": """
def unslice(g, index, shape):
    out = np.zeros(shape, g.dtype)
    out[index] = g
    return out
""",
    "along": """
def along(index, axis):
    grid = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    grid[axis] = index
    return tuple(grid)
""",
    "scatter_add": """
def scatter_add(x, index, source, axis):
    out = x.copy()
    np.add.at(out, along(index, axis), source[tuple(slice(n) for n in index.shape)])
    return out
""",
    "gather": """
def gather(x, index, axis):
    return x[along(index, axis)]
""",
    "index_add": """
def index_add(g, index, shape):
    out = np.zeros(shape, g.dtype)
    np.add.at(out, index, g)
    return out
""",
    "argsort": """
def argsort(x, axis, descending):
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    order = np.flip(np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis)
    return x.shape[axis] - 1 - order
""",
    "windows": """
def windows(x, size, stride, dilation=(1, 1)):
    (kh, kw), (dh, dw) = size, dilation
    reach = (kh - 1) * dh + 1, (kw - 1) * dw + 1
    all_windows = sliding_window_view(x, reach, axis=(2, 3))
    return all_windows[:, :, :: stride[0], :: stride[1], ::dh, ::dw]
""",
    "framed": """
def framed(x, padding, value=0):
    (top, bottom), (left, right) = padding
    frame = (0, 0), (0, 0), (top, bottom), (left, right)
    return np.pad(x, frame, constant_values=value)
""",
    "conv2d": """
def conv2d(x, weight, stride, padding, dilation, groups):
    seen = windows(framed(x, padding), weight.shape[2:], stride, dilation)
    n, c, h, w, kh, kw = seen.shape
    seen = seen.reshape(n, groups, c // groups, h, w, kh, kw)
    kernels = weight.reshape(groups, -1, *weight.shape[1:])
    out = np.einsum("ngchwij,gocij->ngohw", seen, kernels, optimize=True)
    return out.reshape(n, -1, h, w)
""",
    "conv2d_weight": """
def conv2d_weight(g, x, shape, stride, padding, dilation, groups):
    seen = windows(framed(x, padding), shape[2:], stride, dilation)
    seen = seen[:, :, : g.shape[2], : g.shape[3]]
    n, c, h, w, kh, kw = seen.shape
    seen = seen.reshape(n, groups, c // groups, h, w, kh, kw)
    by_group = g.reshape(n, groups, -1, h, w)
    return np.einsum("ngohw,ngchwij->gocij", by_group, seen, optimize=True).reshape(shape)
""",
    "conv2d_input": """
def conv2d_input(g, weight, shape, stride, padding, dilation, groups):
    n, c, height, width = shape
    (top, bottom), (left, right) = padding
    x = np.zeros((n, c, height + top + bottom, width + left + right), g.dtype)
    by_group = g.reshape(n, groups, -1, *g.shape[2:])
    kernels = weight.reshape(groups, -1, *weight.shape[1:])
    for (i, j), target in taps(x, weight.shape[2:], g.shape[2:], stride, dilation):
        part = np.einsum("ngohw,goc->ngchw", by_group, kernels[..., i, j], optimize=True)
        target += part.reshape(target.shape)
    return x[:, :, top : top + height, left : left + width]
""",
    "taps": """
def taps(x, size, out, stride, dilation=(1, 1)):
    for i in range(size[0]):
        for j in range(size[1]):
            top, left = i * dilation[0], j * dilation[1]
            rows = slice(top, top + stride[0] * (out[0] - 1) + 1, stride[0])
            columns = slice(left, left + stride[1] * (out[1] - 1) + 1, stride[1])
            yield (i, j), x[:, :, rows, columns]
""",
    "max_pool2d": """
def max_pool2d(x, size, stride, padding, dilation):
    return windows(framed(x, padding, -np.inf), size, stride, dilation).max(axis=(4, 5))
""",
    "max_pool2d_indices": """
def max_pool2d_indices(x, size, stride, padding, dilation):
    (top, _), (left, _) = padding
    seen = windows(framed(x, padding, -np.inf), size, stride, dilation)
    n, c, h, w, kh, kw = seen.shape
    best = seen.reshape(n, c, h, w, kh * kw).argmax(axis=4)
    row = np.arange(h)[:, None] * stride[0] + best // kw * dilation[0] - top
    column = np.arange(w) * stride[1] + best % kw * dilation[1] - left
    return row * x.shape[3] + column
""",
    "avg_pool2d": """
def avg_pool2d(x, size, stride, padding, counts):
    return windows(framed(x, padding), size, stride).sum(axis=(4, 5)) / counts
""",
    "avg_pool2d_input": """
def avg_pool2d_input(g, shape, size, stride, padding, counts):
    n, c, height, width = shape
    (top, bottom), (left, right) = padding
    x = np.zeros((n, c, height + top + bottom, width + left + right), g.dtype)
    for _, target in taps(x, size, g.shape[2:], stride):
        target += g / counts
    return x[:, :, top : top + height, left : left + width]
""",
}

# ---------------------------------------------------------------- calls


def _function(name: str) -> Call:
    return lambda *xs, **_: f"{name}({', '.join(xs)})"


def _axis(dim: Shape, shape: Shape) -> str:
    if tuple(dim) == tuple(range(len(shape))):
        return ""
    return f", axis={dim[0] if len(dim) == 1 else tuple(dim)}"


def _reduction(name: str) -> Call:
    def call(x: str, shapes: list[Shape], dim: Shape, keepdim: bool, **_: Any) -> str:
        kept = ", keepdims=True" if keepdim and shapes[0] else ""
        return f"{name}({x}{_axis(dim, shapes[0])}{kept})"

    return call


def _arg(name: str) -> Call:
    def call(x: str, dim: int | None, keepdim: bool, **_: Any) -> str:
        along = "" if dim is None else f", axis={dim}"
        return f"{name}({x}{along}{', keepdims=True' if keepdim else ''})"

    return call


def _along(name: str, scalar: Callable[[str], str] = lambda x: x) -> Call:
    """Functions along one axis, which a number has not."""

    def call(x: str, shapes: list[Shape], dim: int, **_: Any) -> str:
        return f"{name}({x}, axis={dim})" if shapes[0] else scalar(x)

    return call


def _logsumexp(x: str, shapes: list[Shape], dim: Shape, keepdim: bool, **_: Any) -> str:
    axis = tuple(dim) if len(dim) != 1 else dim[0]
    return f"logsumexp({x}, axis={axis}{', keepdims=True' if keepdim else ''})"


def _permute(x: str, shapes: list[Shape], dims: Shape, **_: Any) -> str:
    if tuple(dims) == tuple(reversed(range(len(shapes[0])))):
        return f"np.transpose({x})"
    return f"np.transpose({x}, {tuple(dims)})"


def _flip(x: str, shapes: list[Shape], dims: Shape, **_: Any) -> str:
    return f"np.flip({x}, axis={tuple(dims)})" if shapes[0] else x


def _entry(i: Any) -> str:
    if not isinstance(i, tuple):
        return str(i)
    start, stop, step = i
    # The stop of a backward slice that runs to the front is before 0: Python writes it as nothing.
    text = f"{start}:{'' if stop < 0 else stop}"
    return text if step == 1 else f"{text}:{step}"


def _index(index: tuple, shape: Shape) -> str:
    def short(i: Any, n: int) -> str:
        return ":" if i == (0, n, 1) else _entry(i)

    entries = [short(i, n) for i, n in zip(index, shape)]
    while len(entries) > 1 and entries[-1] == ":":
        entries.pop()
    return ", ".join(entries)


def _slice(x: str, shapes: list[Shape], index: tuple, **_: Any) -> str:
    if not index:
        return x
    return f"{_indexable(x)}[{_index(index, shapes[0])}]"


def _indexable(x: str) -> str:
    """A name or one call as it is, anything else in brackets."""
    return x if re.fullmatch(r"[\w.]+(\([^()]*\))?", x) else f"({x})"


def _unslice(g: str, index: tuple, shape: Shape, **_: Any) -> str:
    if not shape:
        return g
    return f"unslice({g}, np.s_[{_index(index, shape)}], {tuple(shape)})"


def _take_add(g: str, index: str, dim: int, shape: Shape, **_: Any) -> str:
    place = "".join([":, "] * dim)
    return f"index_add({g}, np.s_[{place}{index}], {tuple(shape)})"


def _pick(x: str, *indices: str, dims: Shape, **_: Any) -> str:
    return f"{_indexable(x)}[{':, ' * dims[0]}{', '.join(indices)}]"


def _index_add(g: str, *indices: str, dims: Shape, shape: Shape, **_: Any) -> str:
    return f"index_add({g}, np.s_[{':, ' * dims[0]}{', '.join(indices)}], {tuple(shape)})"


def _clamp(x: str, min: float | None, max: float | None, **_: Any) -> str:
    if min is not None and max is not None:
        return f"np.clip({x}, {_number(min)}, {_number(max)})"
    if min is None:
        return f"np.minimum({x}, {_number(max)})"
    return f"np.maximum({x}, {_number(min)})"


def _number(x: float | None) -> str:
    """A number as Python code: inf and nan are names that NumPy has."""
    return str(x).replace("inf", "np.inf").replace("nan", "np.nan")


def _cast(x: str, dtype: str, **_: Any) -> str:
    return f"np.asarray({x}).astype({'bool' if dtype == 'bool' else 'np.' + dtype})[()]"


def _cat(*xs: str, dim: int, **_: Any) -> str:
    return f"np.concatenate([{', '.join(xs)}], axis={dim})"


def _pad(x: str, shapes: list[Shape], pad: tuple, value: float, **_: Any) -> str:
    if not shapes[0]:
        return x
    return f"np.pad({x}, {tuple(map(tuple, pad))}, constant_values={_number(value)})"


def _gather(x: str, index: str, shapes: list[Shape], dim: int, **_: Any) -> str:
    return f"gather({x}, {index}, axis={dim})" if shapes[0] else x


def _scatter_add(x: str, index: str, source: str, shapes: list[Shape], dim: int, **_: Any) -> str:
    return f"scatter_add({x}, {index}, {source}, axis={dim})" if shapes[0] else f"({x} + {source})"


def _argsort(x: str, shapes: list[Shape], dim: int, descending: bool, **_: Any) -> str:
    return f"argsort({x}, axis={dim}, descending={descending})" if shapes[0] else "np.int64(0)"


def _one_hot(x: str, num_classes: int, **_: Any) -> str:
    return f"np.eye({num_classes}, dtype=np.int64)[{x}]"


# -- windows

Pair = tuple[int, int]


def _convolution(name: str) -> Call:
    def call(a: str, b: str, shape: Shape, stride: Pair, padding: Pair, dilation: Pair, groups: int,
             **_: Any) -> str:  # fmt: skip
        size = "" if name == "conv2d" else f"{tuple(shape)}, "
        (ph, pw) = padding
        return (
            f"{name}({a}, {b}, {size}stride={tuple(stride)}, padding=(({ph}, {ph}), ({pw}, {pw})), "
            f"dilation={tuple(dilation)}, groups={groups})"
        )

    return call


def _frame(n: Shape, out: Shape, attrs: dict[str, Any]) -> str:
    """The padding before and after: windows of ceil_mode may reach past the image's own."""
    frame = []
    for d in (0, 1):
        p, k, s = attrs["padding"][d], attrs["kernel_size"][d], attrs["stride"][d]
        reach = (out[d] - 1) * s + attrs.get("dilation", (1, 1))[d] * (k - 1) + 1
        frame.append((p, max(p, reach - n[d] - p)))
    return str(tuple(frame))


def _pool(name: str) -> Call:
    def call(x: str, shapes: list[Shape], shape: Shape, **attrs: Any) -> str:
        frame = _frame(shapes[0][2:], shape[2:], attrs)
        return (
            f"{name}({x}, {tuple(attrs['kernel_size'])}, {tuple(attrs['stride'])}, {frame}, "
            f"{tuple(attrs['dilation'])})[:, :, :{shape[2]}, :{shape[3]}]"
        )

    return call


def _counts(image: Shape, out: Shape, attrs: dict[str, Any], kind: str) -> str:
    """How many elements each window averages over: one number, or a table where they differ."""
    along = []
    for d in (0, 1):
        n, p, k = image[2 + d], attrs["padding"][d], attrs["kernel_size"][d]
        start = [i * attrs["stride"][d] - p for i in range(out[2 + d])]
        end = [min(a + k, n + p) for a in start]
        if not attrs["count_include_pad"]:
            start, end = [max(a, 0) for a in start], [min(b, n) for b in end]
        along.append([b - a for a, b in zip(start, end)])
    table = [[h * w for w in along[1]] for h in along[0]]
    numbers = {n for row in table for n in row}
    return str(numbers.pop()) if len(numbers) == 1 else f"np.array({table}, dtype=np.{kind})"


def _avg_pool(x: str, shapes: list[Shape], shape: Shape, of_type: str, **attrs: Any) -> str:
    frame = _frame(shapes[0][2:], shape[2:], attrs)
    size = f"{tuple(attrs['kernel_size'])}, {tuple(attrs['stride'])}"
    counts = _counts(shapes[0], shape, attrs, of_type)
    return f"avg_pool2d({x}, {size}, {frame}, {counts})"


def _avg_pool_input(g: str, shapes: list[Shape], shape: Shape, of_type: str, **attrs: Any) -> str:
    frame = _frame(shape[2:], shapes[0][2:], attrs)
    size = f"{tuple(attrs['kernel_size'])}, {tuple(attrs['stride'])}"
    counts = _counts(shape, shapes[0], attrs, of_type)
    return f"avg_pool2d_input({g}, {tuple(shape)}, {size}, {frame}, {counts})"


CALLS: dict[str, Call] = {
    "detach": lambda x, **_: x,
    "relu": lambda x, **_: f"np.maximum({x}, 0)",
    "clamp": _clamp,
    "cast": _cast,
    "sum": _reduction("np.sum"),
    "mean": _reduction("np.mean"),
    "prod": _reduction("np.prod"),
    "amax": _reduction("np.max"),
    "amin": _reduction("np.min"),
    "any": _reduction("np.any"),
    "all": _reduction("np.all"),
    "argmax": _arg("np.argmax"),
    "argmin": _arg("np.argmin"),
    "logsumexp": _logsumexp,
    "softmax": _along("softmax", lambda x: f"np.exp({x} - {x})"),
    "log_softmax": _along("log_softmax", lambda x: f"{x} - {x}"),
    "cumsum": _along("np.cumsum"),
    "cumprod": _along("np.cumprod"),
    "reshape": lambda x, shape, **_: f"np.reshape({x}, {tuple(shape)})",
    "expand": lambda x, shape, **_: f"np.broadcast_to({x}, {tuple(shape)})",
    "permute": _permute,
    "flip": _flip,
    "slice": _slice,
    "unslice": _unslice,
    "cat": _cat,
    "pad": _pad,
    "tril": lambda x, diagonal, **_: f"np.tril({x}, {diagonal})",
    "triu": lambda x, diagonal, **_: f"np.triu({x}, {diagonal})",
    "einsum": lambda *xs, equation, **_: f'np.einsum("{equation}", {", ".join(xs)})',
    "gather": _gather,
    "scatter_add": _scatter_add,
    "take": lambda x, index, dim, **_: f"np.take({x}, {index}, axis={dim})",
    "take_add": _take_add,
    "index": _pick,
    "index_add": _index_add,
    "one_hot": _one_hot,
    "argsort": _argsort,
    "conv2d": _convolution("conv2d"),
    "conv2d_input": _convolution("conv2d_input"),
    "conv2d_weight": _convolution("conv2d_weight"),
    "max_pool2d": _pool("max_pool2d"),
    "max_pool2d_indices": _pool("max_pool2d_indices"),
    "avg_pool2d": _avg_pool,
    "avg_pool2d_input": _avg_pool_input,
}


def call_of(op: str) -> Call | None:
    """How a step is written as a call; most elementwise ones by the name in their own entry."""
    if op in CALLS:
        return CALLS[op]
    source = Primitive.registry[op].source if op in Primitive.registry else ""
    return _function(source) if source else None

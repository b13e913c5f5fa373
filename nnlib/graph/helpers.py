"""How `to_source` writes each primitive: as a call of a NumPy function or of a helper."""

from __future__ import annotations

import ast
import functools
import inspect
import re
from collections.abc import Callable
from typing import Any

from nnlib.primitives import window
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
    "slice_backward": """
def slice_backward(g, index, shape):
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
}


@functools.cache
def helpers() -> dict[str, str]:
    """All helpers by name: those above, and nnlib's own functions for convolution and pooling."""
    forwards = {
        p.forward.__name__: n for n, p in Primitive.registry.items() if p.family == "window"
    }
    tree = _Untyped(forwards).visit(ast.parse(inspect.getsource(window)))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return HELPERS | {node.name: ast.unparse(node) for node in functions}


class _Untyped(ast.NodeTransformer):
    """Removes annotations, and renames each forward function to its primitive's name."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        node.name, node.returns = self.names.get(node.name, node.name), None
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self.names.get(node.id, node.id)
        return node


# ---------------------------------------------------------------- calls


def _function(name: str) -> Call:
    return lambda *xs, **_: f"{name}({', '.join(xs)})"


def _axis(dim: Shape, shape: Shape) -> str:
    if tuple(dim) == tuple(range(len(shape))):
        return ""
    return f", axis={dim[0] if len(dim) == 1 else tuple(dim)}"


def _reduction(name: str) -> Call:
    def call(x: str, shapes: list[Shape], dim: Shape, keepdim: bool, **_: Any) -> str:
        keepdims = ", keepdims=True" if keepdim and shapes[0] else ""
        return f"{name}({x}{_axis(dim, shapes[0])}{keepdims})"

    return call


def _arg_reduction(name: str) -> Call:
    def call(x: str, dim: int | None, keepdim: bool, **_: Any) -> str:
        axis = "" if dim is None else f", axis={dim}"
        return f"{name}({x}{axis}{', keepdims=True' if keepdim else ''})"

    return call


def _along(name: str, scalar: Callable[[str], str] = lambda x: x) -> Call:
    """A call with one axis; `scalar` writes the result for a number, which has no axis."""

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
    # A backward slice down to element 0 has a negative stop, which Python writes as an empty one.
    text = f"{start}:{'' if stop < 0 else stop}"
    return text if step == 1 else f"{text}:{step}"


def _index(index: tuple, shape: Shape) -> str:
    def text(i: Any, n: int) -> str:
        return ":" if i == (0, n, 1) else _entry(i)

    entries = [text(i, n) for i, n in zip(index, shape)]
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


def _slice_backward(g: str, index: tuple, shape: Shape, **_: Any) -> str:
    if not shape:
        return g
    return f"slice_backward({g}, np.s_[{_index(index, shape)}], {tuple(shape)})"


def _take_add(g: str, index: str, dim: int, shape: Shape, **_: Any) -> str:
    return f"index_add({g}, np.s_[{':, ' * dim}{index}], {tuple(shape)})"


def _advanced_index(x: str, *indices: str, dims: Shape, **_: Any) -> str:
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
    """A number as Python code; inf and nan are np.inf and np.nan."""
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


def _window(primitive: Primitive) -> Call:
    """A call of the primitive's own forward function, which is printed as a helper."""
    takes_shape = "shape" in inspect.signature(primitive.forward).parameters

    def call(*xs: str, shapes: list[Shape], shape: Shape, result_dtype: str, **attrs: Any) -> str:
        keywords = {"shape": tuple(shape), **attrs} if takes_shape else attrs
        return f"{primitive.name}({', '.join([*xs, *(f'{k}={v}' for k, v in keywords.items())])})"

    return call


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
    "argmax": _arg_reduction("np.argmax"),
    "argmin": _arg_reduction("np.argmin"),
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
    "slice_backward": _slice_backward,
    "cat": _cat,
    "pad": _pad,
    "tril": lambda x, diagonal, **_: f"np.tril({x}, {diagonal})",
    "triu": lambda x, diagonal, **_: f"np.triu({x}, {diagonal})",
    "einsum": lambda *xs, equation, **_: f'np.einsum("{equation}", {", ".join(xs)})',
    "gather": _gather,
    "scatter_add": _scatter_add,
    "take": lambda x, index, dim, **_: f"np.take({x}, {index}, axis={dim})",
    "take_add": _take_add,
    "index": _advanced_index,
    "index_add": _index_add,
    "one_hot": _one_hot,
    "argsort": _argsort,
}


def call_of(op: str) -> Call | None:
    """The function that writes a step as a call, or None; most primitives name it in `source`."""
    if op in CALLS:
        return CALLS[op]
    primitive = Primitive.registry.get(op)
    if primitive is not None and primitive.family == "window":
        return _window(primitive)
    return _function(primitive.source) if primitive is not None and primitive.source else None

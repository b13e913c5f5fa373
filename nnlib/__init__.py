"""nnlib: a small NumPy autodiff package with PyTorch's names, made to be taken apart."""

import builtins
import importlib
from math import e, inf, nan, pi
from types import ModuleType
from typing import TYPE_CHECKING

from nnlib.tensor import Size, Tensor  # first: the module nnlib.tensor gives way to the function

# isort: split
from nnlib import autograd, dtypes, linalg
from nnlib.autograd import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from nnlib.compile import compile
from nnlib.devices import device
from nnlib.dtypes import bool_ as bool
from nnlib.dtypes import (
    double,
    dtype,
    finfo,
    float16,
    float32,
    float64,
    get_default_dtype,
    half,
    iinfo,
    int8,
    int16,
    int32,
    int64,
    long,
    set_default_dtype,
    short,
    uint8,
)
from nnlib.dtypes import float_ as float
from nnlib.dtypes import int_ as int
from nnlib.functions.arrange import (
    broadcast_tensors,
    broadcast_to,
    chunk,
    diag,
    diagonal,
    hstack,
    meshgrid,
    movedim,
    narrow,
    ravel,
    repeat_interleave,
    roll,
    select,
    split,
    swapaxes,
    t,
    tile,
    trace,
    tril,
    triu,
    unbind,
    unflatten,
    vstack,
)
from nnlib.functions.create import (
    Generator,
    arange,
    as_tensor,
    bernoulli,
    empty,
    empty_like,
    eye,
    from_numpy,
    full,
    full_like,
    linspace,
    logspace,
    manual_seed,
    multinomial,
    normal,
    ones,
    ones_like,
    rand,
    rand_like,
    randint,
    randn,
    randn_like,
    randperm,
    tensor,
    zeros,
    zeros_like,
)
from nnlib.functions.elementwise import (
    abs,
    acos,
    acosh,
    add,
    addcdiv,
    addcmul,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    bitwise_and,
    bitwise_left_shift,
    bitwise_not,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
    ceil,
    clamp,
    clip,
    clone,
    cos,
    cosh,
    div,
    eq,
    erf,
    exp,
    exp2,
    expm1,
    floor,
    floor_divide,
    ge,
    gt,
    isfinite,
    isinf,
    isnan,
    le,
    lerp,
    log,
    log1p,
    log2,
    log10,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    lt,
    maximum,
    minimum,
    mul,
    nan_to_num,
    ne,
    neg,
    pow,
    reciprocal,
    relu,
    remainder,
    round,
    rsqrt,
    sgn,
    sigmoid,
    sign,
    sin,
    sinh,
    sqrt,
    square,
    sub,
    tan,
    tanh,
    trunc,
)
from nnlib.functions.index import (
    allclose,
    bincount,
    cdist,
    count_nonzero,
    equal,
    gather,
    index_add,
    index_select,
    isclose,
    kthvalue,
    masked_fill,
    masked_select,
    median,
    nonzero,
    scatter,
    scatter_add,
    take_along_dim,
    topk,
    unique,
    where,
)
from nnlib.functions.linalg import (
    addmm,
    addmv,
    baddbmm,
    bmm,
    dot,
    einsum,
    matmul,
    mm,
    mv,
    outer,
    tensordot,
)
from nnlib.functions.linalg import torch_norm as norm
from nnlib.functions.reduce import (
    all,
    amax,
    amin,
    any,
    argmax,
    argmin,
    argsort,
    cumprod,
    cumsum,
    log_softmax,
    logsumexp,
    max,
    mean,
    min,
    prod,
    softmax,
    sort,
    std,
    std_mean,
    sum,
    var,
    var_mean,
)
from nnlib.functions.shape import (
    cat,
    flatten,
    flip,
    permute,
    reshape,
    squeeze,
    stack,
    transpose,
    unsqueeze,
)
from nnlib.serialization import load, save

if TYPE_CHECKING:
    from nnlib import datasets, func, graph, nn, optim, utils

__version__ = "0.1.0"


def is_tensor(obj: object) -> builtins.bool:
    """Whether `obj` is a Tensor.  As ``torch.is_tensor``.

    >>> import nnlib
    >>> nnlib.is_tensor(nnlib.zeros(2)), nnlib.is_tensor([0.0, 0.0])
    (True, False)
    """
    return isinstance(obj, Tensor)


def is_floating_point(input: Tensor) -> builtins.bool:
    """Whether the elements of `input` are float16, float32 or float64.

    As ``torch.is_floating_point``.

    >>> import nnlib
    >>> nnlib.is_floating_point(nnlib.tensor([1.0])), nnlib.is_floating_point(nnlib.tensor([1]))
    (True, False)
    """
    return input.is_floating_point()


def numel(input: Tensor) -> builtins.int:
    """How many elements `input` has.  As ``torch.numel``.

    >>> import nnlib
    >>> nnlib.numel(nnlib.zeros(2, 3))
    6
    """
    return input.numel()


# Imported at the first look at them.
_WHEN_USED = ("datasets", "func", "graph", "nn", "optim", "utils")

if not TYPE_CHECKING:

    def __getattr__(name):
        if name in _WHEN_USED:
            return importlib.import_module(f"nnlib.{name}")
        raise AttributeError(f"module 'nnlib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHEN_USED})


# Rooms that a reader enters by their names; what else lies beside them is for this package.
_ROOMS = ("autograd", "dtypes", "linalg", *_WHEN_USED)
_UNSAID = ("TYPE_CHECKING", "ModuleType")
__all__ = [
    n for n in dir() if n[0] != "_" and n not in _UNSAID
    and not isinstance(globals()[n], ModuleType)
] + [*_ROOMS]  # fmt: skip

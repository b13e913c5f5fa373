"""Functions of layers without sliding windows: linear, embedding, normalisation, attention, …"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlib import dtypes, record
from nnlib.autograd import no_grad
from nnlib.functions import along, indexing, products
from nnlib.functions import arithmetic as ar
from nnlib.functions import reshaping as s
from nnlib.functions._args import needs_tensor
from nnlib.functions.create import rand
from nnlib.nn.functional._args import check_same_type, shape_text
from nnlib.primitives import fused
from nnlib.primitives import index as pi
from nnlib.primitives import shape as ps
from nnlib.record import Value, apply, make

if TYPE_CHECKING:
    from nnlib.tensor import Tensor


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x Wᵀ + b: `input` (…, in), `weight` (out, in) or (in), `bias` (out) → (…, out).

    Raises RuntimeError if the sizes do not fit or the types differ.  Like
    ``torch.nn.functional.linear``.

    >>> import nnlib
    >>> nnlib.nn.functional.linear(nnlib.ones(2), nnlib.ones(3, 2), nnlib.zeros(3))
    tensor([2., 2., 2.])
    """
    if _fits_fused_linear(input, weight, bias):
        return apply(fused.linear, (input, weight) if bias is None else (input, weight, bias), {})
    out = products.matmul(input, s.transpose(weight, -2, -1) if weight._data.ndim > 1 else weight)
    return out if bias is None else ar.add(out, bias)


def _fits_fused_linear(input: Tensor, weight: Tensor, bias: Tensor | None) -> bool:
    """Whether the fused primitive accepts the shapes and types."""
    if not (isinstance(input, Value) and isinstance(weight, Value)):
        return False
    x, w = input._data, weight._data
    fits = x.ndim > 1 and w.ndim == 2 and x.shape[-1] == w.shape[1] and x.dtype == w.dtype
    if bias is None or not fits:
        return bool(fits)
    b = bias._data if isinstance(bias, Value) else None
    return bool(b is not None and b.shape == w.shape[:1] and b.dtype == w.dtype)


# ---------------------------------------------------------------- embedding


def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """The rows of `weight` (n, d) at the integers `input` (…) → (…, d).

    This equals a multiplication of one-hot vectors by `weight`; a row's gradient is the sum over
    its uses.  The row `padding_idx` gets no gradient.  Raises IndexError for an index out of range,
    RuntimeError for numbers that are not integers.  Like ``torch.nn.functional.embedding``.

    >>> import nnlib
    >>> weight = nnlib.tensor([[0.0, 0.0], [1.0, 2.0]])
    >>> nnlib.nn.functional.embedding(nnlib.tensor([1, 0, 1]), weight)
    tensor([[1., 2.],
            [0., 0.],
            [1., 2.]])
    """
    indices, w = needs_tensor("embedding", input), needs_tensor("embedding", weight)
    if indices._data.dtype.kind not in "iu":
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to be of integer type, but got "
            f"{dtypes.of(indices._data).name}: .long() converts"
        )
    if w._data.ndim != 2:
        raise RuntimeError(f"'weight' must be 2-D, got {shape_text(w)}")
    n = w._data.shape[0]
    if indices._data.size and not (indices._data.min() >= 0 and indices._data.max() < n):
        outside = indices._data[(indices._data < 0) | (indices._data >= n)]
        raise IndexError(
            f"index out of range in self: {np.ravel(outside)[0]} is not a row of the weight, "
            f"which has {n} rows"
        )
    out = apply(pi.take, (w, indices), {"dim": 0})
    if padding_idx is None:
        return out
    row = padding_idx + n if padding_idx < 0 else padding_idx
    return ar.where(s.unsqueeze(ar.eq(indices, row), -1), out.detach(), out)


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Integers (…) as vectors (…, num_classes) of zeros with a 1 at the integer's position, int64.

    By default, `num_classes` is the largest integer plus 1.  Raises RuntimeError for integers that
    are negative or too large, and for types other than int64.  Like
    ``torch.nn.functional.one_hot``.

    >>> import nnlib
    >>> nnlib.nn.functional.one_hot(nnlib.tensor([0, 2]), 3)
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    x = needs_tensor("one_hot", tensor)
    if x._data.dtype != np.int64:
        raise RuntimeError(
            f"one_hot is only applicable to index tensor of type int64, got "
            f"{dtypes.of(x._data).name}: .long() converts"
        )
    if not x._data.size and num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    if num_classes == 0:
        raise RuntimeError("num_classes should be positive")
    if x._data.size and x._data.min() < 0:
        raise RuntimeError("Class values must be non-negative.")
    if num_classes < 0:
        record.report_read(x, "one_hot() without num_classes")
        num_classes = int(x._data.max()) + 1
    if x._data.size and x._data.max() >= num_classes:
        raise RuntimeError(
            f"Class values must be smaller than num_classes: {int(x._data.max())} is not below "
            f"{num_classes}"
        )
    return apply(pi.one_hot, (x,), {"num_classes": num_classes})


# ---------------------------------------------------------------- dropout


def _check_probability(p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def _dropped(x: Tensor, shape: tuple[int, ...], p: float, training: bool) -> Tensor:
    _check_probability(p)
    if not training or p == 0:
        return x
    mask = rand(*shape)._data >= p
    scale = 1 / (1 - p) if p < 1 else 0.0
    return ar.mul(x, make((mask * scale).astype(x._data.dtype)))


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """In training, set each element to 0 with probability p, and multiply the others by 1/(1 - p).

    So the expected value stays the same.  The random numbers are from the default generator
    (`nnlib.manual_seed`).  The result is a new tensor, also with `inplace`.  Raises ValueError if p
    is not a probability.  Like ``torch.nn.functional.dropout``; Srivastava and others, 2014.

    >>> import nnlib
    >>> _ = nnlib.manual_seed(0)
    >>> sorted(set(nnlib.nn.functional.dropout(nnlib.ones(100), 0.5).tolist()))
    [0.0, 2.0]
    """
    x = needs_tensor("dropout", input)
    return _dropped(x, x._data.shape, p, training)


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Dropout of whole channels: `input` (N, C, H, W) or (C, H, W).  Tompson and others, 2015.

    The result is a new tensor, also with `inplace`.  Raises RuntimeError for another number of
    dimensions, ValueError if p is not a probability.  Like ``torch.nn.functional.dropout2d``.

    >>> import nnlib
    >>> _ = nnlib.manual_seed(0)
    >>> nnlib.nn.functional.dropout2d(nnlib.ones(1, 4, 2, 2)).mean((2, 3))
    tensor([[2., 0., 0., 0.]])
    """
    x = needs_tensor("dropout2d", input)
    if x._data.ndim not in (3, 4):
        raise RuntimeError(f"dropout2d: Expected 3D or 4D input, but got {shape_text(x)}")
    return _dropped(x, (*x._data.shape[:-2], 1, 1), p, training)


# ---------------------------------------------------------------- normalisation


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean)/√(var + eps) · weight + bias over the last dimensions, `normalized_shape`.

    Each example is normalised separately.  Raises RuntimeError if `normalized_shape` is not the
    shape of the input's last dimensions, of weight and of bias, or if types differ;
    NotImplementedError for integers.  Like ``torch.nn.functional.layer_norm``; Ba and others, 2016.

    >>> import nnlib
    >>> nnlib.nn.functional.layer_norm(nnlib.tensor([[1.0, 3.0]]), (2,), eps=0.0)
    tensor([[-1.,  1.]])
    """
    x, shape = needs_tensor("layer_norm", input), tuple(normalized_shape)
    n = len(shape)
    if not n or x._data.shape[-n:] != shape:
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape "
            f"[*, {', '.join(map(str, shape))}], but got input of size {shape_text(x)}"
        )
    if x._data.dtype.kind != "f":
        raise NotImplementedError(
            f'"layer_norm" not implemented for {dtypes.of(x._data).name}: convert with .float()'
        )
    for name, t in (("weight", weight), ("bias", bias)):
        if t is None:
            continue
        if needs_tensor("layer_norm", t)._data.shape != shape:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                f"{shape_text(t)} and normalized_shape = {list(shape)}"
            )
        check_same_type("layer_norm", x, t, name)
    # The fused primitive takes 0.6 of the time of separate steps (2048 rows of 64, both passes).
    return apply(fused.layer_norm, (x, weight, bias), {"n": n, "eps": float(eps)})


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean)/√(var + eps) · weight + bias over groups of channels, separately for each example.

    `input` (N, C, …), `weight` and `bias` (C).  Raises RuntimeError if `num_groups` does not
    divide C, or a tensor has fewer than two dimensions.  Like ``torch.nn.functional.group_norm``;
    Wu and He, 2018.

    >>> import nnlib
    >>> x = nnlib.tensor([[1.0, 3.0, 10.0, 30.0]])
    >>> nnlib.nn.functional.group_norm(x, 2, eps=0.0)
    tensor([[-1.,  1., -1.,  1.]])
    """
    x = needs_tensor("group_norm", input)
    shape = x._data.shape
    if len(shape) < 2 or num_groups < 1 or shape[1] % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of "
            f"shape {list(shape)} and num_groups={num_groups}"
        )
    groups = s.reshape(x, (shape[0], num_groups, -1))
    out = s.reshape(fused.standardised(groups, (2,), eps)[0], shape)
    per_channel = (shape[1], *[1] * (len(shape) - 2))
    out = out if weight is None else ar.mul(out, s.reshape(weight, per_channel))
    return out if bias is None else ar.add(out, s.reshape(bias, per_channel))


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean)/√(var + eps) · weight + bias for each channel (dimension 1).

    Mean and variance are over all other dimensions.  In training, those of the batch are used, and
    the running ones become (1 - momentum) · running + momentum · batch, with the variance that
    divides by n - 1; otherwise the running ones are used.  Raises ValueError if there is only one
    value per channel in training, RuntimeError if sizes do not fit.  Like
    ``torch.nn.functional.batch_norm``; Ioffe and Szegedy, 2015.

    >>> import nnlib
    >>> x = nnlib.tensor([[1.0], [3.0]])
    >>> nnlib.nn.functional.batch_norm(x, None, None, training=True, eps=0.0)
    tensor([[-1.],
            [ 1.]])
    """
    x = needs_tensor("batch_norm", input)
    shape = x._data.shape
    if len(shape) < 2:
        raise ValueError(f"batch_norm needs at least 2 dimensions (N, C, …), got {list(shape)}")
    for name, t in (("running_mean", running_mean), ("weight", weight), ("bias", bias)):
        if t is not None and t._data.size != shape[1]:
            raise RuntimeError(
                f"{name} should contain {shape[1]} elements not {t._data.size}: one for each "
                "channel"
            )
    per_channel = (shape[1], *(1,) * (len(shape) - 2))
    if training:
        out = _batch_standardised(x, running_mean, running_var, momentum, eps)
    else:
        if running_mean is None or running_var is None:
            raise RuntimeError("batch_norm: evaluation needs running_mean and running_var")
        mean, var = s.reshape(running_mean, per_channel), s.reshape(running_var, per_channel)
        out = ar.div(ar.sub(x, mean), ar.sqrt(ar.add(var, float(eps))))
    out = out if weight is None else ar.mul(out, s.reshape(weight, per_channel))
    return out if bias is None else ar.add(out, s.reshape(bias, per_channel))


def _batch_standardised(
    x: Any, running_mean: Any, running_var: Any, momentum: float, eps: float
) -> Tensor:
    shape = x._data.shape
    n = math.prod(shape) // shape[1] if shape[1] else 0
    if n <= 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {list(shape)}: "
            "one value has no variance. Use a larger batch, or eval()."
        )
    dims = tuple([d for d in range(len(shape)) if d != 1])
    out: Tensor
    out, mean, var = fused.standardised(x, dims, eps)
    if running_mean is not None:
        with no_grad():
            running_mean.mul_(1 - momentum).add_(s.flatten(mean.detach()) * momentum)
            unbiased = s.flatten(var.detach()) * (n / (n - 1))
            running_var.mul_(1 - momentum).add_(unbiased * momentum)
    return out


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """x / max(‖x‖_p, eps) along `dim`.

    The result has the shape of `input`.  Like ``torch.nn.functional.normalize``.

    >>> import nnlib
    >>> nnlib.nn.functional.normalize(nnlib.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    x = needs_tensor("normalize", input)
    norm = products.vector_norm(x, p, dim, True)
    return ar.div(x, ar.clamp(norm, min=eps))


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x1·x2 / (max(‖x1‖, eps) · max(‖x2‖, eps)) along `dim`.

    The result lacks the dimension `dim`.  Like ``torch.nn.functional.cosine_similarity``.

    >>> import nnlib
    >>> nnlib.nn.functional.cosine_similarity(nnlib.tensor([1.0, 0.0]), nnlib.tensor([3.0, 4.0]), 0)
    tensor(0.6000)
    """
    return along.sum(ar.mul(normalize(x1, 2, dim, eps), normalize(x2, 2, dim, eps)), dim)


# ---------------------------------------------------------------- padding

_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Tensor:
    """Pad the last dimensions: `pad` is (left, right, top, bottom, …), the last dimension first.

    Negative numbers crop.  `mode` is "constant" (filled with `value`, by default 0), "reflect",
    "replicate" or "circular".  Raises RuntimeError for an odd number of sizes, for more than two
    sizes per dimension, and for a reflection or repetition that is longer than the input allows;
    NotImplementedError for another mode.  Like ``torch.nn.functional.pad``.

    >>> import nnlib
    >>> nnlib.nn.functional.pad(nnlib.tensor([1.0, 2.0]), (1, 2))
    tensor([0., 1., 2., 0., 0.])
    """
    x = needs_tensor("pad", input)
    sizes = tuple([int(n) for n in pad])
    if len(sizes) % 2:
        raise RuntimeError(
            "Padding length must be divisible by 2: each dimension needs a size before and after"
        )
    if len(sizes) > 2 * x._data.ndim:
        raise RuntimeError(
            f"Padding length should be less than or equal to two times the input dimension but got "
            f"padding length {len(sizes)} and input of dimension {x._data.ndim}"
        )
    if mode != "constant" and mode not in _MODES:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    pairs = [sizes[i : i + 2] for i in range(0, len(sizes), 2)][::-1]
    pairs = [(0, 0)] * (x._data.ndim - len(pairs)) + pairs
    crop = tuple([slice(max(0, -a), n - max(0, -b)) for n, (a, b) in zip(x._data.shape, pairs)])
    x = indexing.getitem(x, crop) if min(sizes, default=0) < 0 else x
    pad_width = tuple([(max(0, a), max(0, b)) for a, b in pairs])
    if mode == "constant":
        fill = x._data.dtype.type(0 if value is None else value).item()
        return apply(ps.pad, (x,), {"pad": pad_width, "value": fill})
    for d, (a, b) in enumerate(pad_width):
        x = _repeated(x, d, a, b, mode) if a or b else x
    return x


def _repeated(x: Tensor, d: int, before: int, after: int, mode: str) -> Tensor:
    n = x._data.shape[d]
    largest = {"reflect": n - 1, "circular": n, "replicate": math.inf}[mode]
    if max(before, after) > largest:
        raise RuntimeError(
            f"Padding size should be less than {'' if mode == 'reflect' else 'or equal to '}the "
            f"corresponding input dimension, but got {before, after} at dimension {d} of "
            f"{shape_text(x)}"
        )
    indices = np.pad(np.arange(n), (before, after), mode=_MODES[mode])  # type: ignore[call-overload]
    return apply(pi.take, (x, indices), {"dim": d})


# ---------------------------------------------------------------- attention


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Any,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    """softmax(Q Kᵀ · scale + mask) V; by default, scale is 1/√E.

    `query` (…, L, E), `key` (…, S, E), `value` (…, S, V) → (…, L, V).  `attn_mask` (…, L, S) is
    boolean (True: may attend) or is added to the scores; `is_causal` lets each position attend to
    itself and earlier ones.  A query that may not attend to anything gives zeros.

    Raises RuntimeError if shapes do not fit, the mask has another type, or both masks are given.
    Like ``torch.nn.functional.scaled_dot_product_attention``; Vaswani and others, 2017.

    >>> import nnlib
    >>> q = k = nnlib.zeros(2, 3)
    >>> v = nnlib.tensor([[1.0], [3.0]])
    >>> nnlib.nn.functional.scaled_dot_product_attention(q, k, v)
    tensor([[2.],
            [2.]])
    """
    q, k = needs_tensor("attention", query), needs_tensor("attention", key)
    if is_causal and attn_mask is not None:
        raise RuntimeError("Explicit attn_mask should not be set when is_causal=True")
    if q._data.ndim < 2 or k._data.ndim < 2:
        raise RuntimeError(
            "attention needs query and key with at least 2 dimensions, got "
            f"{shape_text(q)}, {shape_text(k)}"
        )
    if attn_mask is not None:
        mask_dtype = needs_tensor("attention", attn_mask)._data.dtype
        if mask_dtype != q._data.dtype and mask_dtype.kind != "b":
            raise RuntimeError(
                "attention: attn_mask should be bool (True: may attend) or of the query's type "
                f"{dtypes.of(q._data).name}, got {dtypes.of(attn_mask._data).name}"
            )
    factor = 1 / math.sqrt(q._data.shape[-1]) if scale is None else scale
    scores = ar.mul(products.matmul(q, s.transpose(k, -2, -1)), float(factor))
    if is_causal:
        attn_mask = make(np.tri(*scores._data.shape[-2:], dtype=bool))
    weights = _attention(scores, attn_mask)
    if dropout_p:
        weights = dropout(weights, dropout_p)
    return products.matmul(weights, value)


def _attention(scores: Tensor, mask: Tensor | None) -> Tensor:
    """The attention weights; a row that is masked everywhere is 0, not softmax's nan."""
    if mask is None:
        return along.softmax(scores, -1)
    boolean = mask._data.dtype.kind == "b"
    allowed = mask if boolean else ar.gt(mask, -math.inf)
    scores = ar.where(mask, scores, -math.inf) if boolean else ar.add(scores, mask)
    if not record.is_tracing() and allowed._data.any(-1).all():
        return along.softmax(scores, -1)
    any_allowed = along.any(allowed, -1, keepdim=True)
    return ar.where(any_allowed, along.softmax(ar.where(any_allowed, scores, 0.0), -1), 0.0)

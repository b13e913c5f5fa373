"""Fused primitives, for speed: a loss, a layer or a normalisation computed in one step.

Each has a `decomposition`: the same function written in small primitives.  It is the version to
read, exported graphs contain it, and higher derivatives use it.  Tests check that both versions
give the same results.

Recurrent arguments are x (T, N, in), the initial state(s) (N, H), weights (gates·H, in) and
(gates·H, H), and two biases or none, laid out as in PyTorch.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from nnlib.primitives.broadcast import sum
from nnlib.primitives.elementwise import (
    cast,
    clamp,
    erf,
    log,
    lt,
    neg,
    relu,
    sigmoid,
    softplus,
    sqrt,
    tanh,
    where,
)
from nnlib.primitives.index import index
from nnlib.primitives.linalg import matmul
from nnlib.primitives.reduce import log_softmax, mean
from nnlib.primitives.shape import cat, detach, permute, reshape, slice_
from nnlib.primitives.window import conv2d
from nnlib.record import RESULT, Array, Primitive

fused = partial(Primitive, family="fused")

# The derivative of 1/x uses the result, as in PyTorch, so the argument may be changed in place.
reciprocal = fused(
    "reciprocal",
    np.reciprocal,
    lambda g, out, x: -g * out * out,
    decomposition=lambda x: 1.0 / x,
    reads=((RESULT,),),
    restored=lambda out, x: (1.0 / out,),
)

# ---------------------------------------------------------------- losses of logits


def _reduced(losses: Any, reduction: str) -> Any:
    if reduction == "none":
        return losses
    reduce = mean if reduction == "mean" else sum
    return reduce(losses, dim=tuple(range(losses.ndim)), keepdim=False)


def _reduced_array(losses: Array, reduction: str) -> Array:
    if reduction == "none":
        return losses
    total = np.add.reduce(losses, axis=None)
    return total / losses.size if reduction == "mean" else total


def _gradient_of_each(g: Array, n: int, reduction: str) -> Array:
    """The gradient of each of n losses: that of their mean divided by n, or g as it is."""
    return g / n if reduction == "mean" else g


_LEAST_DENOMINATOR = 1e-12  # PyTorch's least denominator in the gradient (x - y)/(x(1 - x))


def _bce_of_probabilities_decomposed(x: Any, target: Any) -> Any:
    """-(y log x + (1 - y) log(1 - x)); where x is near 0 or 1, a line with PyTorch's slope."""
    near_end, constant = lt(x * (1.0 - x), _LEAST_DENOMINATOR), detach(x)
    log_x = clamp(log(constant), min=-100.0, max=None)
    log_complement = clamp(log(1.0 - constant), min=-100.0, max=None)
    slope = (constant - detach(target)) * (1 / _LEAST_DENOMINATOR)
    line = (x - constant) * slope - (target * log_x + (1.0 - target) * log_complement)
    safe = where(near_end, 0.5, x)
    return where(near_end, line, -(target * log(safe) + (1.0 - target) * log(1.0 - safe)))


def _bce_of_probabilities(x: Array, target: Array) -> Array:
    least = x.dtype.type(-100)
    log_x, log_complement = np.maximum(np.log(x), least), np.maximum(np.log1p(-x), least)
    return -(target * log_x + (1 - target) * log_complement)


def _bce_of_probabilities_vjp(needs: tuple, g: Array, out: None, x: Array, y: Array) -> tuple:
    dx = None
    if needs[0]:
        dx = g * (x - y) / np.maximum((1 - x) * x, x.dtype.type(_LEAST_DENOMINATOR))
    if not needs[1]:
        return dx, None
    return dx, g * (np.log1p(-x) - np.log(x))


binary_cross_entropy = fused(
    "binary_cross_entropy", _bce_of_probabilities, vjp_of_all=_bce_of_probabilities_vjp,
    saves="args", decomposition=_bce_of_probabilities_decomposed, reads=((0, 1), (0,)),
)  # fmt: skip


def _cross_entropy_decomposed(x: Any, target: Any, reduction: str) -> Any:
    rows = np.arange(x.shape[0])
    picked = index(log_softmax(x, dim=1), rows, target, dims=(0, 1))
    return _reduced(neg(picked), reduction)


def _cross_entropy(x: Array, target: Array, reduction: str) -> tuple[Array, Array]:
    """-log softmax(x) at the target, and softmax(x), from which the gradient is computed."""
    e = x - np.maximum.reduce(x, axis=1, keepdims=True)
    picked = e[np.arange(len(e)), target]
    np.exp(e, out=e)
    total = np.add.reduce(e, axis=1)
    e /= total[:, None]
    return _reduced_array(np.log(total) - picked, reduction), e


def _cross_entropy_vjp(
    needs: tuple, g: Array, probabilities: Array | None, x: Array, target: Array, reduction: str
) -> tuple:
    if probabilities is None:
        probabilities = _cross_entropy(x, target, "none")[1]
    g_each = _gradient_of_each(g, len(x), reduction)
    g_each = g_each[:, None] if reduction == "none" else g_each
    dx = probabilities * g_each
    dx[np.arange(len(x)), target] -= g_each[:, 0] if reduction == "none" else g_each
    return dx, None


cross_entropy = fused(
    "cross_entropy",
    lambda x, target, reduction: _cross_entropy(x, target, reduction)[0],
    vjp_of_all=_cross_entropy_vjp,
    saves="args",
    with_residuals=_cross_entropy,
    decomposition=_cross_entropy_decomposed,
    reads=((1,), ()),
    # log softmax(x) is x minus a constant in each row, which changes neither loss nor gradient.
    restored=lambda probabilities, x, target: (np.log(probabilities), target),
)


def _bce_decomposed(x: Any, target: Any, reduction: str) -> Any:
    return _reduced(softplus(x) - x * target, reduction)


def _bce_vjp(needs: tuple, g: Array, out: None, x: Array, target: Array, reduction: str) -> tuple:
    g_each, dx = _gradient_of_each(g, x.size, reduction), None
    if needs[0]:
        dx = sigmoid.forward(x)
        dx -= target
        dx *= g_each
    return dx, -x * g_each if needs[1] else None


def _bce(x: Array, target: Array, reduction: str) -> Array:
    losses = np.log1p(np.exp(-np.abs(x)))
    losses += np.maximum(x, 0)
    losses -= x * target
    return _reduced_array(losses, reduction)


binary_cross_entropy_with_logits = fused(
    "binary_cross_entropy_with_logits", _bce, vjp_of_all=_bce_vjp, saves="args",
    decomposition=_bce_decomposed, reads=((0, 1), (0,)),
)  # fmt: skip

# ---------------------------------------------------------------- a linear layer


def _linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    out = x @ weight.T
    if bias is not None:
        out += bias
    return out


def _linear_vjp(needs: tuple, g: Array, out: None, x: Array, weight: Array, *bias: Array) -> tuple:
    rows = g.reshape(-1, len(weight))
    dx = g @ weight if needs[0] else None
    dw = rows.T @ x.reshape(-1, x.shape[-1]) if needs[1] else None
    return dx, dw, *(np.add.reduce(rows, axis=0) if needed else None for needed in needs[2:])


def _affine(x: Any, weight: Any, bias: Any = None) -> Any:
    out = matmul(x, permute(weight, dims=(1, 0)))
    return out if bias is None else out + bias


linear = fused(
    "linear", _linear, vjp_of_all=_linear_vjp, saves="args", decomposition=_affine,
    reads=((1,), (0,), ()),
)  # fmt: skip

# ---------------------------------------------------------------- a convolution and its bias


def _convolution_decomposed(x: Any, weight: Any, bias: Any, **attrs: Any) -> Any:
    return conv2d(x, weight, **attrs) + reshape(bias, shape=(bias.shape[0], 1, 1))


def _convolution_with_residuals(
    x: Array, weight: Array, bias: Array, **attrs: Any
) -> tuple[Array, Array | None]:
    assert conv2d.with_residuals is not None
    out, columns = conv2d.with_residuals(x, weight, **attrs)
    out += bias[:, None, None]
    return out, columns


def _convolution_vjp(
    needs: tuple, g: Array, columns: Array | None, x: Array, weight: Array, bias: Array,
    **attrs: Any,
) -> tuple:  # fmt: skip
    assert conv2d.vjp_of_all is not None
    dx, dw = conv2d.vjp_of_all(needs[:2], g, columns, x, weight, **attrs)
    # The window primitives store images as (C, H, W, N), where each plane is one block.
    planes = g.transpose(1, 2, 3, 0).reshape(len(bias), -1)
    return dx, dw, np.add.reduce(planes, axis=1) if needs[2] else None


convolution = fused(
    "convolution", lambda *args, **attrs: _convolution_with_residuals(*args, **attrs)[0],
    vjp_of_all=_convolution_vjp, saves="args", with_residuals=_convolution_with_residuals,
    decomposition=_convolution_decomposed, reads=((1,), (0,), ()),
)  # fmt: skip

# ---------------------------------------------------------------- layer normalisation


def standardised(x: Any, dims: tuple[int, ...], eps: float) -> tuple[Any, Any, Any]:
    """x normalised to mean 0 and variance 1 over `dims`; and the mean and variance of x."""
    if x.dtype == np.float16:  # squares would overflow
        in_float32 = standardised(cast(x, dtype="float32"), dims, eps)
        out, average, var = (cast(t, dtype="float16") for t in in_float32)
        return out, average, var
    average = mean(x, dim=dims, keepdim=True)
    centred = x - average
    var = mean(centred * centred, dim=dims, keepdim=True)
    return centred / sqrt(var + float(eps)), average, var


def _layer_norm_decomposed(x: Any, weight: Any, bias: Any, n: int, eps: float) -> Any:
    out = standardised(x, tuple(range(x.ndim - n, x.ndim)), eps)[0]
    out = out if weight is None else out * weight
    return out if bias is None else out + bias


def _layer_norm_with_residuals(
    x: Array, weight: Array | None, bias: Array | None, n: int, eps: float
) -> tuple[Array, tuple[Array, Array]]:
    """The result, and as residuals the normalised rows and 1/√(var + eps)."""
    count, size = math.prod(x.shape[: x.ndim - n]), math.prod(x.shape[x.ndim - n :])
    rows = x.reshape(count, size)
    rows = rows.astype(np.float32) if x.dtype == np.float16 else rows
    centred = rows - np.add.reduce(rows, axis=1, keepdims=True) / rows.dtype.type(size)
    var = np.einsum("ij,ij->i", centred, centred)
    var /= size
    var += rows.dtype.type(eps)
    scale = np.reciprocal(np.sqrt(var, out=var), out=var)[:, None]
    centred *= scale
    out = centred.copy() if weight is None else centred * weight.reshape(-1)
    if bias is not None:
        out += bias.reshape(-1)
    return out.reshape(x.shape).astype(x.dtype, copy=False), (centred, scale)


def _layer_norm_vjp(
    needs: tuple, g: Array, residuals: tuple | None, x: Array, weight: Array | None,
    bias: Array | None, n: int, eps: float,
) -> tuple:  # fmt: skip
    """dx = (h - mean(h) - x̂·mean(h·x̂))/√(var + eps), with h = g·weight and x̂ the normalised x."""
    normalised, scale = residuals or _layer_norm_with_residuals(x, weight, bias, n, eps)[1]
    rows = g.reshape(normalised.shape).astype(normalised.dtype, copy=False)
    dx = dw = db = None
    if needs[0]:
        h = rows.copy() if weight is None else rows * weight.reshape(-1)
        size = normalised.dtype.type(normalised.shape[1])
        mean_product = np.einsum("ij,ij->i", h, normalised)[:, None] / size
        h -= np.add.reduce(h, axis=1, keepdims=True) / size
        h -= normalised * mean_product
        h *= scale
        dx = h.reshape(x.shape).astype(x.dtype, copy=False)
    if needs[1] and weight is not None:
        dw = np.add.reduce(rows * normalised, axis=0).reshape(weight.shape)
        dw = dw.astype(weight.dtype, copy=False)
    if needs[2] and bias is not None:
        db = np.add.reduce(rows, axis=0).reshape(bias.shape).astype(bias.dtype, copy=False)
    return dx, dw, db


layer_norm = fused(
    "layer_norm", lambda *args, **attrs: _layer_norm_with_residuals(*args, **attrs)[0],
    vjp_of_all=_layer_norm_vjp, saves="args", with_residuals=_layer_norm_with_residuals,
    decomposition=_layer_norm_decomposed, reads=((0, 1), (0,), ()),
)  # fmt: skip

# ---------------------------------------------------------------- gelu

_ROOT_HALF, _DENSITY = math.sqrt(0.5), 1 / math.sqrt(2 * math.pi)
_ROOT, _CUBIC = math.sqrt(2 / math.pi), 0.044715


def _gelu_decomposed(x: Any, approximate: str) -> Any:
    if approximate == "none":
        return x * 0.5 * (erf(x * _ROOT_HALF) + 1.0)
    return x * 0.5 * (tanh((x + x * x * x * _CUBIC) * _ROOT) + 1.0)


def _gelu_with_residuals(x: Array, approximate: str) -> tuple[Array, Array]:
    """The result x·Φ(x), and Φ(x) or its approximation; float16 is computed in float32."""
    x_wide = x.astype(np.float32) if x.dtype == np.float16 else x
    if approximate == "none":
        erf_value = erf.forward(x_wide * x_wide.dtype.type(_ROOT_HALF))
    else:
        inner = x_wide * x_wide
        inner *= x_wide.dtype.type(_CUBIC * _ROOT)
        inner += x_wide.dtype.type(_ROOT)
        inner *= x_wide
        erf_value = np.tanh(inner)  # nearly erf(x/√2)
    cdf = (erf_value + 1) * x_wide.dtype.type(0.5)
    return (x_wide * cdf).astype(x.dtype, copy=False), cdf


def _gelu_vjp(
    needs: tuple, g: Array, cdf: Array | None, x: Array, approximate: str
) -> tuple:  # fmt: skip
    """The slope is Φ(x) + x·φ(x) with φ = Φ'; for Φ = (1 + tanh(u))/2, φ = (1 - tanh²(u))·u'/2."""
    cdf = _gelu_with_residuals(x, approximate)[1] if cdf is None else cdf
    x_wide = x.astype(cdf.dtype, copy=False)
    if approximate == "none":
        slope = np.exp(x_wide * x_wide * x_wide.dtype.type(-0.5))
        slope *= x_wide.dtype.type(_DENSITY)
    else:
        slope = x_wide * x_wide
        slope *= x_wide.dtype.type(6 * _CUBIC * _ROOT)
        slope += x_wide.dtype.type(2 * _ROOT)
        slope *= cdf - cdf * cdf  # (1 - tanh²)/4
    slope *= x_wide
    slope += cdf
    slope *= g
    return (slope.astype(x.dtype, copy=False),)


gelu = fused(
    "gelu", lambda x, approximate: _gelu_with_residuals(x, approximate)[0],
    vjp_of_all=_gelu_vjp, saves="args", with_residuals=_gelu_with_residuals,
    decomposition=_gelu_decomposed,
)  # fmt: skip

# ---------------------------------------------------------------- one step of a recurrent layer


def _gate(x: Any, i: int, n: int) -> Any:
    """The i-th gate: columns i·n … (i + 1)·n - 1 of x."""
    return slice_(x, index=((0, x.shape[0], 1), (i * n, (i + 1) * n, 1)))


def rnn_cell(
    x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None, *,
    nonlinearity: str = "tanh",
) -> Any:  # fmt: skip
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or with relu."""
    z = _affine(x, w_ih, b_ih) + _affine(h, w_hh, b_hh)
    return tanh(z) if nonlinearity == "tanh" else relu(z)


def lstm_cell(
    x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None
) -> tuple[Any, Any]:
    """c' = f·c + i·g and h' = o·tanh(c'), with gates i, f, o = σ(…) and g = tanh(…)."""
    n = h.shape[1]
    z = _affine(x, w_ih, b_ih) + _affine(h, w_hh, b_hh)
    i, f = sigmoid(_gate(z, 0, n)), sigmoid(_gate(z, 1, n))
    g, o = tanh(_gate(z, 2, n)), sigmoid(_gate(z, 3, n))
    c = f * c + i * g
    return o * tanh(c), c


def gru_cell(x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    """h' = (1 - z)·n + z·h, with r, z = σ(…) and n = tanh(W_in x + b_in + r·(W_hn h + b_hn))."""
    size = h.shape[1]
    a, b = _affine(x, w_ih, b_ih), _affine(h, w_hh, b_hh)
    r = sigmoid(_gate(a, 0, size) + _gate(b, 0, size))
    z = sigmoid(_gate(a, 1, size) + _gate(b, 1, size))
    n = tanh(_gate(a, 2, size) + r * _gate(b, 2, size))
    return (1.0 - z) * n + z * h


def _step(x: Any, t: int) -> Any:
    return slice_(x, index=(t, (0, x.shape[1], 1), (0, x.shape[2], 1)))


def _stacked(states: list) -> Any:
    return cat(*[reshape(s, shape=(1, *s.shape)) for s in states], dim=0)


def _rnn_decomposed(x: Any, h: Any, *weights: Any, nonlinearity: str) -> Any:
    states = []
    for t in range(x.shape[0]):
        h = rnn_cell(_step(x, t), h, *weights, nonlinearity=nonlinearity)
        states.append(h)
    return _stacked(states)


def _lstm_decomposed(x: Any, h: Any, c: Any, *weights: Any) -> Any:
    states = []
    for t in range(x.shape[0]):
        h, c = lstm_cell(_step(x, t), h, c, *weights)
        states.append(h)
    return _stacked([*states, c])


def _gru_decomposed(x: Any, h: Any, *weights: Any) -> Any:
    states = []
    for t in range(x.shape[0]):
        h = gru_cell(_step(x, t), h, *weights)
        states.append(h)
    return _stacked(states)


# ---------------------------------------------------------------- fused RNN


def _rows(x: Array) -> Array:
    """(T, N, n) as a matrix of T·N rows."""
    return x.reshape(-1, x.shape[2])


def _previous_states(h: Array, states: Array) -> Array:
    """The state before each step: the initial one, then all results but the last."""
    return np.concatenate([h[None], states[:-1]])


def _input_terms(x: Array, w_ih: Array, b_ih: Array | None) -> Array:
    """W_ih x + b_ih of all steps as one matrix product: it does not depend on the state."""
    out = (_rows(x) @ w_ih.T).reshape(*x.shape[:2], -1)
    if b_ih is not None:
        out += b_ih
    return out


def _rnn_with_residuals(
    x: Array, h: Array, w_ih: Array, w_hh: Array, *biases: Array, nonlinearity: str
) -> tuple[Array, Array]:
    """The states of all steps, and a copy of them: the result may be changed in place."""
    states = _input_terms(x, w_ih, biases[0] + biases[1] if biases else None)
    w = w_hh.T
    for z in states:
        z += h @ w
        h = np.tanh(z, out=z) if nonlinearity == "tanh" else np.maximum(z, 0, out=z)
    return states, states.copy()


def _rnn(*args: Array, nonlinearity: str) -> Array:
    return _rnn_with_residuals(*args, nonlinearity=nonlinearity)[0]


def _rnn_vjp(
    needs: tuple, g: Array, out: Array | None, x: Array, h: Array, w_ih: Array, w_hh: Array,
    *biases: Array, nonlinearity: str,
) -> tuple:  # fmt: skip
    """Backpropagation through time, from the last step to the first.

    `dh` is the gradient of the state h of a step, `dz` that of the total inputs of all steps.
    """
    if out is None:
        out = _rnn(x, h, w_ih, w_hh, *biases, nonlinearity=nonlinearity)
    if nonlinearity == "tanh":
        dz = out * out
        np.subtract(1, dz, out=dz)
    else:
        dz = (out > 0).astype(out.dtype)
    dh = np.zeros_like(h)
    for t in range(len(out) - 1, -1, -1):
        dh += g[t]
        dz[t] *= dh
        np.matmul(dz[t], w_hh, out=dh)
    dw_hh = _rows(dz).T @ _rows(_previous_states(h, out))
    return _affine_gradients(needs, dz, x, w_ih, dh, dw_hh, len(biases))


def _affine_gradients(
    needs: tuple, dz: Array, x: Array, w_ih: Array, dh: Array, dw_hh: Array, biases: int
) -> tuple:
    """The gradients of x, h, w_ih, w_hh and the biases, from `dz`, that of the total inputs."""
    rows = _rows(dz)
    dx = (rows @ w_ih).reshape(x.shape) if needs[0] else None
    db = np.add.reduce(rows, axis=0)
    # The two biases are added, so they have the same gradient; each gets its own copy.
    return dx, dh, rows.T @ _rows(x), dw_hh, *([db, db.copy()] if biases else [])


rnn = fused(
    "rnn", _rnn, vjp_of_all=_rnn_vjp, saves="args", with_residuals=_rnn_with_residuals,
    decomposition=_rnn_decomposed,
)  # fmt: skip

# ---------------------------------------------------------------- fused LSTM


def _features_first(x: Array) -> Array:
    return np.ascontiguousarray(x.transpose(0, 2, 1))


_GATES = (0, 1, 3, 2)  # i, f, o, g: the three sigmoids next to each other (PyTorch: i, f, g, o)


def _lstm_weight(w_ih: Array, w_hh: Array, biases: tuple) -> Array:
    """One matrix (4H, in + H + 1) for input, state and a 1, its gates in the order i, f, o, g."""
    b = biases[0] + biases[1] if biases else np.zeros(len(w_ih), w_ih.dtype)
    columns = np.concatenate([w_ih, w_hh, b[:, None]], axis=1)
    size = w_hh.shape[1]
    return np.concatenate([columns[k * size : (k + 1) * size] for k in _GATES])


def _lstm_with_residuals(
    x: Array, h: Array, c: Array, w_ih: Array, w_hh: Array, *biases: Array
) -> tuple[Array, tuple]:
    """All steps with features first in memory, so that each gate is one block: (H, N).

    With σ(z) = (1 + tanh(z/2))/2, one tanh computes the four gates.
    """
    (steps, n, features), size, dtype = x.shape, h.shape[1], x.dtype
    weight = _lstm_weight(w_ih, w_hh, biases)
    halved = weight.copy()
    halved[: 3 * size] *= 0.5
    inputs = np.empty((steps + 1, features + size + 1, n), dtype)  # x, h and 1 for each step
    inputs[:steps, :features] = x.transpose(0, 2, 1)
    inputs[0, features:-1] = h.T
    inputs[:, -1] = 1
    gates = np.empty((steps, 4 * size, n), dtype)
    cells = np.empty((steps + 1, size, n), dtype)
    cells[0] = c.T
    tanh_cells = np.empty((steps, size, n), dtype)  # tanh of the cells
    for t in range(steps):
        a = np.matmul(halved, inputs[t], out=gates[t])
        np.tanh(a, out=a)
        sigmoids = a[: 3 * size]
        sigmoids *= 0.5
        sigmoids += 0.5
        i, f, o, g = a.reshape(4, size, n)
        cell = np.multiply(f, cells[t], out=cells[t + 1])
        cell += i * g
        np.tanh(cell, out=tanh_cells[t])
        np.multiply(o, tanh_cells[t], out=inputs[t + 1, features:-1])
    out = np.empty((steps + 1, size, n), dtype)
    out[:steps] = inputs[1:, features:-1]
    out[steps] = cells[steps]
    return out.transpose(0, 2, 1), (weight, inputs, gates, cells, tanh_cells)


def _lstm_vjp(
    needs: tuple, g: Array, residuals: tuple | None, x: Array, h: Array, c: Array, w_ih: Array,
    w_hh: Array, *biases: Array,
) -> tuple:  # fmt: skip
    if residuals is None:
        residuals = _lstm_with_residuals(x, h, c, w_ih, w_hh, *biases)[1]
    inputs, (steps, _, features), size = residuals[1], x.shape, h.shape[1]
    dz, dh, dc, dx = _lstm_backward(_features_first(g), needs[0], features, residuals)
    flat = np.ascontiguousarray(dz.transpose(1, 0, 2)).reshape(4 * size, -1)
    dw = flat @ _rows(_features_first(inputs[:steps]))
    # back to PyTorch's order of the gates: the order _GATES applied twice changes nothing
    dw = np.concatenate([dw[k * size : (k + 1) * size] for k in _GATES])
    grads = (
        dx.transpose(0, 2, 1) if needs[0] else None, dh.T.copy(), dc.T.copy(),
        dw[:, :features].copy(), dw[:, features:-1].copy(),
    )  # fmt: skip
    return grads + ((dw[:, -1].copy(), dw[:, -1].copy()) if biases else ())


def _lstm_backward(g: Array, needs_x: bool, features: int, residuals: tuple) -> tuple:
    """The gradients of the gates' total inputs in all steps, of the initial h and c, and of x."""
    weight, _, gates, cells, tanh_cells = residuals
    steps, size, n = tanh_cells.shape
    dz, transposed = np.empty_like(gates), np.ascontiguousarray(weight[:, : features + size].T)
    dx = np.empty((steps, features, n), g.dtype) if needs_x else None
    transposed = transposed if needs_x else transposed[features:]
    dc, dh = g[steps].copy(), np.zeros((size, n), g.dtype)
    for t in range(steps - 1, -1, -1):
        sigmoids, (i, f, o, candidate) = gates[t, : 3 * size], gates[t].reshape(4, size, n)
        di, df, do, dg = dz[t].reshape(4, size, n)
        dh = dh + g[t]
        np.multiply(dh, tanh_cells[t], out=do)
        dh *= o
        dc += dh - dh * (tanh_cells[t] * tanh_cells[t])
        np.multiply(dc, candidate, out=di)
        np.multiply(dc, cells[t], out=df)
        dz[t, : 3 * size] *= sigmoids - sigmoids * sigmoids
        np.multiply(dc, i, out=dg)
        dg -= dg * (candidate * candidate)
        dc *= f
        d_inputs = transposed @ dz[t]
        if dx is not None:
            dx[t] = d_inputs[:features]
            d_inputs = d_inputs[features:]
        dh = d_inputs
    return dz, dh, dc, dx


lstm = fused(
    "lstm",
    lambda *args: _lstm_with_residuals(*args)[0],
    vjp_of_all=_lstm_vjp, saves="args", with_residuals=_lstm_with_residuals,
    decomposition=_lstm_decomposed,
)  # fmt: skip

# ---------------------------------------------------------------- fused GRU


def _gru_with_residuals(
    x: Array, h: Array, w_ih: Array, w_hh: Array, *biases: Array
) -> tuple[Array, tuple]:
    """All states; as residuals the gates, W_hn h + b_hn of each step, and a copy of the states."""
    size = h.shape[1]
    gates = _input_terms(x, w_ih, biases[0] if biases else None)
    states = np.empty((*x.shape[:2], size), x.dtype)
    candidate_terms = np.empty_like(states)  # W_hn h + b_hn of each step
    w = w_hh.T
    for t, a in enumerate(gates):
        b = h @ w
        if biases:
            b += biases[1]
        r_and_z = a[:, : 2 * size]
        r_and_z += b[:, : 2 * size]
        r_and_z[...] = sigmoid(r_and_z)
        r, z, n = (a[:, k * size : (k + 1) * size] for k in range(3))
        candidate_terms[t] = b[:, 2 * size :]
        n += r * candidate_terms[t]
        np.tanh(n, out=n)
        h = np.subtract(h, n, out=states[t])
        h *= z
        h += n
    return states, (gates, candidate_terms, states.copy())


def _gru_vjp(
    needs: tuple, g: Array, residuals: tuple | None, x: Array, h: Array, w_ih: Array, w_hh: Array,
    *biases: Array,
) -> tuple:  # fmt: skip
    gates, candidate_terms, states = residuals or _gru_with_residuals(x, h, w_ih, w_hh, *biases)[1]
    size, previous = h.shape[1], _previous_states(h, states)
    # The gradients of W_ih x + b_ih and of W_hh h + b_hh, which differ only in the candidate n.
    d_input, d_hidden = np.empty_like(gates), np.empty_like(gates)
    dh = np.zeros_like(h)
    for t in range(len(gates) - 1, -1, -1):
        r, z, n = (gates[t][:, k * size : (k + 1) * size] for k in range(3))
        dh = dh + g[t]
        dn = dh * (1 - z) * (1 - n * n)
        d_input[t, :, 2 * size :] = dn
        d_input[t, :, size : 2 * size] = dh * (previous[t] - n) * z * (1 - z)
        d_input[t, :, :size] = dn * candidate_terms[t] * r * (1 - r)
        d_hidden[t, :, : 2 * size] = d_input[t, :, : 2 * size]
        d_hidden[t, :, 2 * size :] = dn * r
        dh = dh * z + d_hidden[t] @ w_hh
    dw_hh = _rows(d_hidden).T @ _rows(previous)
    grads = _affine_gradients(needs, d_input, x, w_ih, dh, dw_hh, len(biases))
    return (*grads[:5], np.add.reduce(_rows(d_hidden), axis=0)) if biases else grads


gru = fused(
    "gru",
    lambda *args: _gru_with_residuals(*args)[0],
    vjp_of_all=_gru_vjp, saves="args", with_residuals=_gru_with_residuals,
    decomposition=_gru_decomposed,
)  # fmt: skip

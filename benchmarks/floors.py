"""Floors of the benchmarks: training steps written by hand in NumPy, without any autodiff.

The steps of a convolutional network, an RNN and an LSTM are here; those of small nets are beside
their workloads.  They are tuned to these networks: the batch is the last dimension in the
convolutions and in the LSTM, and nothing is computed that the weights' gradients do not need.
Each function takes the weights w and the data d, and returns the loss and
the gradients in the order of w.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Arrays = list[np.ndarray]


def softmax_loss(z: np.ndarray, y: np.ndarray) -> tuple[Any, np.ndarray]:
    """The cross-entropy of the rows of z, averaged, and its gradient; z is overwritten."""
    z -= z.max(1, keepdims=True)
    rows = np.arange(len(y))
    picked = z[rows, y]
    np.exp(z, out=z)
    total = z.sum(1, keepdims=True)
    loss = (np.log(total[:, 0]) - picked).mean()
    z /= total
    z[rows, y] -= 1
    z /= len(y)
    return loss, z


# ---------------------------------------------------------------- 5×5, pool, 5×5, pool, linear


def _columns(x: np.ndarray) -> np.ndarray:
    """Each 5×5 window of x, (C, H, W, N) padded by 2, as a column: (C·25, H·W·N)."""
    c, h, w, n = x.shape
    padded = np.zeros((c, h + 4, w + 4, n), x.dtype)
    padded[:, 2:-2, 2:-2] = x
    out = np.empty((c, 5, 5, h, w, n), x.dtype)
    for i in range(5):
        for j in range(5):
            out[:, i, j] = padded[:, i : i + h, j : j + w]
    return out.reshape(c * 25, -1)


def _pooled(z: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """The maxima of the 2×2 squares, and views of the squares' first, …, fourth entries."""
    quarters = [z[:, i::2, j::2] for i in (0, 1) for j in (0, 1)]
    out = np.maximum(quarters[0], quarters[1])
    np.maximum(out, quarters[2], out=out)
    return np.maximum(out, quarters[3], out=out), quarters


def _unpooled(g: np.ndarray, top: np.ndarray, quarters: list[np.ndarray]) -> np.ndarray:
    """The gradient before relu and pooling: g at each square's first maximum, if it is positive."""
    c, h, w, n = g.shape
    g *= top > 0
    out = np.empty((c, 2 * h, 2 * w, n), g.dtype)
    taken = np.zeros(g.shape, bool)
    for k, quarter in enumerate(quarters):
        first = (quarter == top) > taken
        taken |= first
        np.multiply(g, first, out=out[:, k // 2 :: 2, k % 2 :: 2])
    return out


def _back_to_image(g: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The gradient with respect to a 5×5 convolution's input, (C, H, W, N).

    The shifts along the width are columns of one matrix product; those along the height are added.
    """
    out, c = weight.shape[:2]
    _, h, w, n = g.shape
    padded = np.zeros((out, h, w + 4, n), g.dtype)
    padded[:, :, 2:-2] = g
    columns = np.empty((out, 5, h, w, n), g.dtype)
    for j in range(5):
        columns[:, j] = padded[:, :, 4 - j : 4 - j + w]
    rows = weight.transpose(1, 2, 0, 3).reshape(c * 5, out * 5)
    parts = (rows @ columns.reshape(out * 5, -1)).reshape(c, 5, h, w, n)
    x = np.zeros((c, h + 4, w, n), g.dtype)
    for i in range(5):
        x[:, i : i + h] += parts[:, i]
    return x[:, 2:-2]


def cnn(w: Arrays, d: Arrays) -> tuple[Any, Arrays]:
    """A 5×5 convolution to 8 maps, pooling, one to 16 maps, pooling, and a linear classifier."""
    n = len(d[0])
    columns1 = _columns(np.ascontiguousarray(d[0].transpose(1, 2, 3, 0)))
    z1 = w[0].reshape(8, -1) @ columns1
    z1 += w[1][:, None]
    np.maximum(z1, 0, out=z1)
    p1, quarters1 = _pooled(z1.reshape(8, 28, 28, n))
    columns2 = _columns(p1)
    z2 = w[2].reshape(16, -1) @ columns2
    z2 += w[3][:, None]
    np.maximum(z2, 0, out=z2)
    p2, quarters2 = _pooled(z2.reshape(16, 14, 14, n))
    flat = p2.reshape(784, n)
    loss, g = softmax_loss((w[4] @ flat).T + w[5], d[1])
    back2 = (g @ w[4]).T.reshape(p2.shape)
    g2 = _unpooled(np.ascontiguousarray(back2), p2, quarters2)
    g1 = _unpooled(_back_to_image(g2, w[2]), p1, quarters1)
    g1, g2 = g1.reshape(8, -1), g2.reshape(16, -1)
    return loss, [
        (columns1 @ g1.T).T.reshape(w[0].shape), g1.sum(1),
        (columns2 @ g2.T).T.reshape(w[2].shape), g2.sum(1), g.T @ flat.T, g.sum(0),
    ]  # fmt: skip


# ---------------------------------------------------------------- recurrent, a loss at each step


def _rows(x: np.ndarray) -> np.ndarray:
    return x.reshape(-1, x.shape[-1])


def rnn(w: Arrays, d: Arrays) -> tuple[Any, Arrays]:
    """A tanh RNN with a linear classifier at each step."""
    x, y = d[:2]
    steps, n, size = *x.shape[:2], w[1].shape[1]
    h = np.zeros((steps + 1, n, size), np.float32)
    z = (_rows(x) @ w[0].T).reshape(steps, n, size)
    z += w[2] + w[3]
    recurrent = w[1].T
    for t in range(steps):
        z[t] += h[t] @ recurrent
        np.tanh(z[t], out=h[t + 1])
    states = _rows(h[1:])
    loss, g = softmax_loss(states @ w[4].T + w[5], y)
    back = (g @ w[4]).reshape(steps, n, size)
    dz = 1 - h[1:] * h[1:]  # the derivative of tanh, multiplied below by the gradient of its result
    dh = np.zeros((n, size), np.float32)
    for t in range(steps - 1, -1, -1):
        dh += back[t]
        dz[t] *= dh
        np.matmul(dz[t], w[1], out=dh)
    dz = _rows(dz)
    bias = dz.sum(0)
    return loss, [dz.T @ _rows(x), dz.T @ _rows(h[:-1]), bias, bias.copy(), g.T @ states, g.sum(0)]


def lstm(w: Arrays, d: Arrays) -> tuple[Any, Arrays]:
    """An LSTM with a linear classifier at each step.

    A step's arrays are (features, batch), so that each gate is one contiguous block of memory.
    """
    x, y = d[:2]
    (steps, n, features), size = x.shape, w[1].shape[1]
    x_and_h = np.empty((steps + 1, features + size, n), np.float32)  # input and state of each step
    x_and_h[:steps, :features] = x.transpose(0, 2, 1)
    x_and_h[0, features:] = 0
    weights, bias = np.concatenate([w[0], w[1]], 1), (w[2] + w[3])[:, None]
    gates = np.empty((steps, 4, size, n), np.float32)  # i, f, g, o
    cells = np.zeros((steps + 1, size, n), np.float32)
    tanh_cells = np.empty((steps, size, n), np.float32)
    for t in range(steps):
        z = np.matmul(weights, x_and_h[t], out=gates[t].reshape(4 * size, n))
        z += bias
        for k in (0, 1, 3):  # σ(z) = (1 + tanh(z/2))/2
            gates[t, k] *= 0.5
        np.tanh(z, out=z)
        for k in (0, 1, 3):
            gates[t, k] *= 0.5
            gates[t, k] += 0.5
        i, f, c, o = gates[t]
        np.multiply(f, cells[t], out=cells[t + 1])
        cells[t + 1] += i * c
        np.tanh(cells[t + 1], out=tanh_cells[t])
        np.multiply(o, tanh_cells[t], out=x_and_h[t + 1, features:])
    states = _rows(x_and_h[1:, features:].transpose(0, 2, 1))
    loss, g = softmax_loss(states @ w[4].T + w[5], y)
    back = np.ascontiguousarray((g @ w[4]).reshape(steps, n, size).transpose(0, 2, 1))
    dz = _lstm_back(back, w[1].T, gates, cells, tanh_cells)
    flat = np.ascontiguousarray(dz.transpose(1, 0, 2)).reshape(4 * size, -1)
    dw = flat @ _rows(x_and_h[:steps].transpose(0, 2, 1))
    bias = flat.sum(1)
    return loss, [
        dw[:, :features], dw[:, features:], bias, bias.copy(), g.T @ states, g.sum(0)
    ]  # fmt: skip


def _lstm_back(
    back: np.ndarray,
    recurrent: np.ndarray,
    gates: np.ndarray,
    cells: np.ndarray,
    tanh_cells: np.ndarray,
) -> np.ndarray:
    """The gradient with respect to the gates' total inputs, (steps, 4·size, batch).

    `back` is the states' gradient from the classifier, `recurrent` the transpose of the weights
    from the state to the gates.
    """
    steps, _, size, n = gates.shape
    dz = np.empty_like(gates)
    d_state, d_cell = np.zeros((size, n), np.float32), np.zeros((size, n), np.float32)
    for t in range(steps - 1, -1, -1):
        i, f, c, o = gates[t]
        dh = d_state + back[t]
        dz[t, 3] = dh * tanh_cells[t] * (o - o * o)
        dh *= o
        d_cell += dh - dh * (tanh_cells[t] * tanh_cells[t])
        dz[t, 0] = d_cell * c * (i - i * i)
        dz[t, 1] = d_cell * cells[t] * (f - f * f)
        dz[t, 2] = d_cell * i * (1 - c * c)
        d_cell *= f
        d_state = recurrent @ dz[t].reshape(4 * size, n)
    return dz.reshape(steps, 4 * size, n)

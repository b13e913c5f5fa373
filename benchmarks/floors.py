"""Training steps of a convolutional and of recurrent networks by hand: NumPy without any autodiff.

What a patient author would write for these very networks: the batch innermost in memory for the
convolutions, features first for the LSTM, nothing computed that the weights' gradients do not need.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Arrays = list[np.ndarray]


def softmax_loss(z: np.ndarray, y: np.ndarray) -> tuple[Any, np.ndarray]:
    """The cross-entropy of the rows of z, averaged, and its gradient; z is used up."""
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
    """(C, H, W, N), padded by 2: each 5×5 window as a column."""
    c, h, w, n = x.shape
    padded = np.zeros((c, h + 4, w + 4, n), x.dtype)
    padded[:, 2:-2, 2:-2] = x
    out = np.empty((c, 5, 5, h, w, n), x.dtype)
    for i in range(5):
        for j in range(5):
            out[:, i, j] = padded[:, i : i + h, j : j + w]
    return out.reshape(c * 25, -1)


def _pooled(z: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """The largest of each 2×2 square, and the four quarters of the image as views."""
    quarters = [z[:, i::2, j::2] for i in (0, 1) for j in (0, 1)]
    out = np.maximum(quarters[0], quarters[1])
    np.maximum(out, quarters[2], out=out)
    return np.maximum(out, quarters[3], out=out), quarters


def _unpooled(g: np.ndarray, top: np.ndarray, quarters: list[np.ndarray]) -> np.ndarray:
    """The gradient at the first of the largest; relu's is in it."""
    c, h, w, n = g.shape
    g *= top > 0
    out = np.empty((c, 2 * h, 2 * w, n), g.dtype)
    taken = np.zeros(g.shape, bool)
    for k, quarter in enumerate(quarters):
        won = (quarter == top) > taken
        taken |= won
        np.multiply(g, won, out=out[:, k // 2 :: 2, k % 2 :: 2])
    return out


def _back_to_image(g: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The gradient of the image: widths unfolded into one product, heights added up."""
    out, c = weight.shape[:2]
    _, h, w, n = g.shape
    wide = np.zeros((out, h, w + 4, n), g.dtype)
    wide[:, :, 2:-2] = g
    columns = np.empty((out, 5, h, w, n), g.dtype)
    for j in range(5):
        columns[:, j] = wide[:, :, 4 - j : 4 - j + w]
    rows = weight.transpose(1, 2, 0, 3).reshape(c * 5, out * 5)
    parts = (rows @ columns.reshape(out * 5, -1)).reshape(c, 5, h, w, n)
    x = np.zeros((c, h + 4, w, n), g.dtype)
    for i in range(5):
        x[:, i : i + h] += parts[:, i]
    return x[:, 2:-2]


def cnn(w: Arrays, d: Arrays) -> tuple[Any, Arrays]:
    n = len(d[0])
    seen1 = _columns(np.ascontiguousarray(d[0].transpose(1, 2, 3, 0)))
    z1 = w[0].reshape(8, -1) @ seen1
    z1 += w[1][:, None]
    np.maximum(z1, 0, out=z1)
    p1, quarters1 = _pooled(z1.reshape(8, 28, 28, n))
    seen2 = _columns(p1)
    z2 = w[2].reshape(16, -1) @ seen2
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
        (seen1 @ g1.T).T.reshape(w[0].shape), g1.sum(1),
        (seen2 @ g2.T).T.reshape(w[2].shape), g2.sum(1), g.T @ flat.T, g.sum(0),
    ]  # fmt: skip


# ---------------------------------------------------------------- recurrent, a guess at each step


def _rows(x: np.ndarray) -> np.ndarray:
    return x.reshape(-1, x.shape[-1])


def rnn(w: Arrays, d: Arrays) -> tuple[Any, Arrays]:
    x, y = d[:2]
    steps, n, size = *x.shape[:2], w[1].shape[1]
    h = np.zeros((steps + 1, n, size), np.float32)
    z = (_rows(x) @ w[0].T).reshape(steps, n, size)
    z += w[2] + w[3]
    turned = w[1].T
    for t in range(steps):
        z[t] += h[t] @ turned
        np.tanh(z[t], out=h[t + 1])
    seen = _rows(h[1:])
    loss, g = softmax_loss(seen @ w[4].T + w[5], y)
    back = (g @ w[4]).reshape(steps, n, size)
    slope = 1 - h[1:] * h[1:]
    carried = np.zeros((n, size), np.float32)
    for t in range(steps - 1, -1, -1):
        carried += back[t]
        slope[t] *= carried
        np.matmul(slope[t], w[1], out=carried)
    dz = _rows(slope)
    bias = dz.sum(0)
    return loss, [dz.T @ _rows(x), dz.T @ _rows(h[:-1]), bias, bias.copy(), g.T @ seen, g.sum(0)]


def lstm(w: Arrays, d: Arrays) -> tuple[Any, Arrays]:
    """Features first: (features, batch) at each step, so that a gate is one block of memory."""
    x, y = d[:2]
    (steps, n, inside), size = x.shape, w[1].shape[1]
    given = np.empty((steps + 1, inside + size, n), np.float32)  # input and state of each step
    given[:steps, :inside] = x.transpose(0, 2, 1)
    given[0, inside:] = 0
    whole, bias = np.concatenate([w[0], w[1]], 1), (w[2] + w[3])[:, None]
    gates = np.empty((steps, 4, size, n), np.float32)  # i, f, g, o
    cells, bent = np.zeros((steps + 1, size, n), np.float32), np.empty((steps, size, n), np.float32)
    for t in range(steps):
        z = np.matmul(whole, given[t], out=gates[t].reshape(4 * size, n))
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
        np.tanh(cells[t + 1], out=bent[t])
        np.multiply(o, bent[t], out=given[t + 1, inside:])
    seen = _rows(given[1:, inside:].transpose(0, 2, 1))
    loss, g = softmax_loss(seen @ w[4].T + w[5], y)
    back = np.ascontiguousarray((g @ w[4]).reshape(steps, n, size).transpose(0, 2, 1))
    dz = _lstm_back(back, w[1].T, gates, cells, bent)
    flat = np.ascontiguousarray(dz.transpose(1, 0, 2)).reshape(4 * size, -1)
    dw = flat @ _rows(given[:steps].transpose(0, 2, 1))
    bias = flat.sum(1)
    return loss, [dw[:, :inside], dw[:, inside:], bias, bias.copy(), g.T @ seen, g.sum(0)]


def _lstm_back(
    back: np.ndarray, turned: np.ndarray, gates: np.ndarray, cells: np.ndarray, bent: np.ndarray
) -> np.ndarray:
    """The gradients of the gates before their bends, (steps, 4·size, batch)."""
    steps, _, size, n = gates.shape
    dz = np.empty_like(gates)
    carried, d_cell = np.zeros((size, n), np.float32), np.zeros((size, n), np.float32)
    for t in range(steps - 1, -1, -1):
        i, f, c, o = gates[t]
        dh = carried + back[t]
        dz[t, 3] = dh * bent[t] * (o - o * o)
        dh *= o
        d_cell += dh - dh * (bent[t] * bent[t])
        dz[t, 0] = d_cell * c * (i - i * i)
        dz[t, 1] = d_cell * cells[t] * (f - f * f)
        dz[t, 2] = d_cell * i * (1 - c * c)
        d_cell *= f
        carried = turned @ dz[t].reshape(4 * size, n)
    return dz.reshape(steps, 4 * size, n)

"""The workloads: data, the loss with PyTorch's functions and with NumPy's, and a floor by hand.

`torch_loss(t, w, d)` computes the loss with functions that have PyTorch's names (nnlib, PyTorch),
and `numpy_loss(np, w, d)` with functions that have NumPy's (HIPS autograd, JAX, MyGrad).
`floor(w, d)` returns the loss and the gradients without any autodiff.  `w` are the weights, `d` the
data, both float32; `rate` is the learning rate, or None if the weights stay the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import floors

Arrays = list[np.ndarray]


@dataclass
class Workload:
    name: str
    weights: Arrays
    data: Arrays
    torch_loss: Callable[[Any, list, list], Any]
    numpy_loss: Callable[[Any, list, list], Any] | None = None
    floor: Callable[[Arrays, Arrays], tuple[Any, Arrays]] | None = None
    rate: float | None = None
    tolerance: float = 2e-3
    goal: float | None = None  # nnlib ÷ PyTorch
    numbers: bool = False  # whether the weights are single numbers, not arrays
    skipped_peers: tuple[str, ...] = ()  # they would take minutes


def normal(*shape: int, seed: int = 0, scale: float = 1.0) -> np.ndarray:
    return (np.random.default_rng([seed, *shape]).normal(size=shape) * scale).astype(np.float32)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


# ---------------------------------------------------------------- the lecture's net


def _lecture_torch(t: Any, w: list, d: list) -> Any:
    w03, w13, w23, w04, w14, w24, w05, w35, w45 = w
    x1, x2, y = d
    a3 = t.sigmoid(w03 + w13 * x1 + w23 * x2)
    a4 = t.sigmoid(w04 + w14 * x1 + w24 * x2)
    a5 = t.sigmoid(w05 + w35 * a3 + w45 * a4)
    return (a5 - y) ** 2


def _lecture_numpy(n: Any, w: list, d: list) -> Any:
    w03, w13, w23, w04, w14, w24, w05, w35, w45 = w
    x1, x2, y = d
    a3 = 1 / (1 + n.exp(-(w03 + w13 * x1 + w23 * x2)))
    a4 = 1 / (1 + n.exp(-(w04 + w14 * x1 + w24 * x2)))
    a5 = 1 / (1 + n.exp(-(w05 + w35 * a3 + w45 * a4)))
    return (a5 - y) ** 2


def _lecture_floor(w: Arrays, d: Arrays) -> tuple[Any, Arrays]:
    w03, w13, w23, w04, w14, w24, w05, w35, w45 = w
    x1, x2, y = d
    a3 = 1 / (1 + np.exp(-(w03 + w13 * x1 + w23 * x2)))
    a4 = 1 / (1 + np.exp(-(w04 + w14 * x1 + w24 * x2)))
    a5 = 1 / (1 + np.exp(-(w05 + w35 * a3 + w45 * a4)))
    g5 = 2 * (a5 - y) * a5 * (1 - a5)
    g3, g4 = g5 * w35 * a3 * (1 - a3), g5 * w45 * a4 * (1 - a4)
    return (a5 - y) ** 2, [g3, g3 * x1, g3 * x2, g4, g4 * x1, g4 * x2, g5, g5 * a3, g5 * a4]


LECTURE = Workload(
    "lecture's net, scalars", [np.float32(v) for v in normal(9)],
    [np.float32(v) for v in (0.3, -0.8, 0.7)], _lecture_torch, _lecture_numpy,
    _lecture_floor, goal=0.2, numbers=True,
)  # fmt: skip


def _matrix_torch(t: Any, w: list, d: list) -> Any:
    W1, b1, W2, b2 = w
    return ((t.sigmoid(t.sigmoid(d[0] @ W1 + b1) @ W2 + b2) - d[1]) ** 2).sum()


def _matrix_numpy(n: Any, w: list, d: list) -> Any:
    W1, b1, W2, b2 = w
    a = 1 / (1 + n.exp(-(n.matmul(d[0], W1) + b1)))
    return ((1 / (1 + n.exp(-(n.matmul(a, W2) + b2))) - d[1]) ** 2).sum()


def _matrix_floor(w: Arrays, d: Arrays) -> tuple[Any, Arrays]:
    W1, b1, W2, b2 = w
    a = sigmoid(d[0] @ W1 + b1)
    p = sigmoid(a @ W2 + b2)
    g = 2 * (p - d[1]) * p * (1 - p)
    h = g @ W2.T * a * (1 - a)
    loss = ((p - d[1]) ** 2).sum()
    return loss, [d[0].T @ h, h.sum(0), a.T @ g, g.sum(0)]


MATRIX = Workload(
    "the same as matrices", [normal(2, 2), normal(2), normal(2, 1), normal(1)],
    [normal(1, 2, seed=1), normal(1, 1, seed=2)], _matrix_torch, _matrix_numpy, _matrix_floor,
    goal=0.4,
)  # fmt: skip

# ---------------------------------------------------------------- small nets, a step each


def _xor_torch(t: Any, w: list, d: list) -> Any:
    W1, b1, W2, b2 = w
    z = t.tanh(d[0] @ W1 + b1) @ W2 + b2
    return t.nn.functional.binary_cross_entropy_with_logits(z, d[1])


def _bce(n: Any, z: Any, y: Any) -> Any:
    return (n.log(1 + n.exp(-n.abs(z))) + n.maximum(z, 0) - z * y).mean()


def _xor_numpy(n: Any, w: list, d: list) -> Any:
    W1, b1, W2, b2 = w
    return _bce(n, n.matmul(n.tanh(n.matmul(d[0], W1) + b1), W2) + b2, d[1])


def _xor_floor(w: Arrays, d: Arrays) -> tuple[Any, Arrays]:
    W1, b1, W2, b2 = w
    h = np.tanh(d[0] @ W1 + b1)
    z = h @ W2 + b2
    loss = (np.log1p(np.exp(-np.abs(z))) + np.maximum(z, 0) - z * d[1]).mean()
    g = (sigmoid(z) - d[1]) / z.size
    k = g @ W2.T * (1 - h * h)
    return loss, [d[0].T @ k, k.sum(0), h.T @ g, g.sum(0)]


XOR = Workload(
    "XOR 2-8-1, step", [normal(2, 8), normal(8), normal(8, 1), normal(1)],
    [np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32),
     np.array([[0], [1], [1], [0]], np.float32)],
    _xor_torch, _xor_numpy, _xor_floor, rate=0.1, goal=0.4,
)  # fmt: skip


def _logistic_torch(t: Any, w: list, d: list) -> Any:
    z = d[0] @ w[0] + w[1]
    return t.nn.functional.binary_cross_entropy_with_logits(z, d[1])


def _logistic_numpy(n: Any, w: list, d: list) -> Any:
    return _bce(n, n.matmul(d[0], w[0]) + w[1], d[1])


def _logistic_floor(w: Arrays, d: Arrays) -> tuple[Any, Arrays]:
    z = d[0] @ w[0] + w[1]
    loss = (np.log1p(np.exp(-np.abs(z))) + np.maximum(z, 0) - z * d[1]).mean()
    g = (sigmoid(z) - d[1]) / z.size
    return loss, [d[0].T @ g, g.sum(keepdims=True)]


LOGISTIC = Workload(
    "logistic regression 1000 × 20, step", [normal(20), normal(1)],
    [normal(1000, 20), (normal(1000) > 0).astype(np.float32)],
    _logistic_torch, _logistic_numpy, _logistic_floor, rate=0.1, goal=0.45,
)  # fmt: skip

def _points_torch(t: Any, w: list, d: list) -> Any:
    h = t.tanh(t.tanh(d[0] @ w[0] + w[1]) @ w[2] + w[3])
    return t.nn.functional.binary_cross_entropy_with_logits(h @ w[4] + w[5], d[1])


def _points_numpy(n: Any, w: list, d: list) -> Any:
    h = n.tanh(n.matmul(n.tanh(n.matmul(d[0], w[0]) + w[1]), w[2]) + w[3])
    return _bce(n, n.matmul(h, w[4]) + w[5], d[1])


def _points_floor(w: Arrays, d: Arrays) -> tuple[Any, Arrays]:
    h1 = np.tanh(d[0] @ w[0] + w[1])
    h2 = np.tanh(h1 @ w[2] + w[3])
    z = h2 @ w[4] + w[5]
    loss = (np.log1p(np.exp(-np.abs(z))) + np.maximum(z, 0) - z * d[1]).mean()
    g = (sigmoid(z) - d[1]) / z.size
    k2 = g @ w[4].T * (1 - h2 * h2)
    k1 = k2 @ w[2].T * (1 - h1 * h1)
    return loss, [d[0].T @ k1, k1.sum(0), h1.T @ k2, k2.sum(0), h2.T @ g, g.sum(0)]


POINTS = Workload(
    "2-8-8-1, 500 points, step",
    [normal(2, 8), normal(8), normal(8, 8, scale=0.5), normal(8, seed=1), normal(8, 1), normal(1)],
    [normal(500, 2), (normal(500, 1) > 0).astype(np.float32)],
    _points_torch, _points_numpy, _points_floor, rate=0.1, goal=0.6,
)  # fmt: skip

# ---------------------------------------------------------------- a multilayer perceptron


def _mlp_torch(t: Any, w: list, d: list) -> Any:
    F = t.nn.functional
    h = F.relu(F.linear(d[0], w[0], w[1]))
    h = F.relu(F.linear(h, w[2], w[3]))
    return F.cross_entropy(F.linear(h, w[4], w[5]), d[1])


def _mlp_numpy(n: Any, w: list, d: list) -> Any:
    h = n.maximum(n.matmul(d[0], w[0].T) + w[1], 0)
    h = n.maximum(n.matmul(h, w[2].T) + w[3], 0)
    z = n.matmul(h, w[4].T) + w[5]
    top = n.max(z, axis=1, keepdims=True)
    logs = z - top - n.log(n.sum(n.exp(z - top), axis=1, keepdims=True))
    return -n.sum(logs * d[2]) / len(d[1])


def _mlp_floor(w: Arrays, d: Arrays) -> tuple[Any, Arrays]:
    x, y, _ = d
    h1 = x @ w[0].T
    h1 += w[1]
    np.maximum(h1, 0, out=h1)
    h2 = h1 @ w[2].T
    h2 += w[3]
    np.maximum(h2, 0, out=h2)
    z = h2 @ w[4].T
    z += w[5]
    z -= z.max(1, keepdims=True)
    rows = np.arange(len(y))
    picked = z[rows, y]
    e = np.exp(z)
    total = e.sum(1, keepdims=True)
    loss = (np.log(total[:, 0]) - picked).mean()
    g = e / total
    g[rows, y] -= 1
    g /= len(y)
    k2 = g @ w[4]
    k2 *= h2 > 0
    k1 = k2 @ w[2]
    k1 *= h1 > 0
    return loss, [k1.T @ x, k1.sum(0), k2.T @ h1, k2.sum(0), g.T @ h2, g.sum(0)]


def mlp(batch: int, goal: float) -> Workload:
    y = np.random.default_rng(batch).integers(0, 10, batch)
    weights = [normal(128, 784, scale=0.05), normal(128), normal(64, 128, scale=0.1), normal(64),
               normal(10, 64, scale=0.1), normal(10)]  # fmt: skip
    return Workload(
        f"MLP 784-128-64-10, batch {batch}, step", weights,
        [normal(batch, 784), y, np.eye(10, dtype=np.float32)[y]], _mlp_torch, _mlp_numpy,
        _mlp_floor, rate=0.01, goal=goal,
    )  # fmt: skip


# ---------------------------------------------------------------- convolution and recurrence


def _cnn_torch(t: Any, w: list, d: list) -> Any:
    F = t.nn.functional
    h = F.max_pool2d(F.relu(F.conv2d(d[0], w[0], w[1], padding=2)), 2)
    h = F.max_pool2d(F.relu(F.conv2d(h, w[2], w[3], padding=2)), 2)
    return F.cross_entropy(F.linear(h.flatten(1), w[4], w[5]), d[1])


CNN = Workload(
    "CNN 5×5×8, pool, 5×5×16, pool, linear; batch 64, step",
    [normal(8, 1, 5, 5, scale=0.2), normal(8), normal(16, 8, 5, 5, scale=0.1), normal(16),
     normal(10, 784, scale=0.05), normal(10)],
    [normal(64, 1, 28, 28), np.random.default_rng(0).integers(0, 10, 64)],
    _cnn_torch, floor=floors.cnn, rate=0.01, goal=1.15,
)  # fmt: skip


def _recurrent_torch(layer_name: str) -> Callable[[Any, list, list], Any]:
    layers: dict[int, tuple[list, Any]] = {}  # one layer for each list of weights

    def layer_of(t: Any, w: list) -> Any:
        if id(w) not in layers:
            layer = getattr(t.nn, layer_name)(64, 128)
            for name, p in zip(("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"), w):
                getattr(layer, name)  # raises AttributeError unless both libraries have this name
                delattr(layer, name)
                setattr(layer, name, p)
            layers[id(w)] = w, layer
        return layers[id(w)][1]

    def loss(t: Any, w: list, d: list) -> Any:
        out, _ = layer_of(t, w)(d[0])
        return t.nn.functional.cross_entropy(
            t.nn.functional.linear(out.reshape(-1, 128), w[4], w[5]), d[1]
        )

    return loss


def _rnn_step(n: Any, w: list, x: Any, state: tuple) -> tuple:
    (h,) = state
    return (n.tanh(n.matmul(x, w[0].T) + w[2] + n.matmul(h, w[1].T) + w[3]),)


def _lstm_step(n: Any, w: list, x: Any, state: tuple) -> tuple:
    h, c = state
    z = n.matmul(x, w[0].T) + w[2] + n.matmul(h, w[1].T) + w[3]
    i, f, o = (1 / (1 + n.exp(-z[:, k * 128 : (k + 1) * 128])) for k in (0, 1, 3))
    c = f * c + i * n.tanh(z[:, 256:384])
    return o * n.tanh(c), c


def _recurrent_numpy(step: Callable[..., tuple]) -> Callable[[Any, list, list], Any]:
    def loss(n: Any, w: list, d: list) -> Any:
        state, total = (d[3],) * (1 if step is _rnn_step else 2), 0
        for t in range(32):
            state = step(n, w, d[0][t], state)
            z = n.matmul(state[0], w[4].T) + w[5]
            top = n.max(z, axis=1, keepdims=True)
            logs = z - top - n.log(n.sum(n.exp(z - top), axis=1, keepdims=True))
            total = total - n.sum(logs * d[2][t])
        return total / 1024

    return loss


def recurrent(layer_name: str, gates: int, goal: float) -> Workload:
    x = np.eye(64, dtype=np.float32)[np.random.default_rng(1).integers(0, 64, (32, 32))]
    weights = [normal(gates * 128, 64, scale=0.1), normal(gates * 128, 128, scale=0.1),
               normal(gates * 128, scale=0.1), normal(gates * 128, seed=1, scale=0.1),
               normal(64, 128, scale=0.1), normal(64)]  # fmt: skip
    y = np.random.default_rng(2).integers(0, 64, 1024)
    targets = np.eye(64, dtype=np.float32)[y].reshape(32, 32, 64)
    return Workload(
        f"{layer_name}, T 32, batch 32, hidden 128, step", weights,
        [x, y, targets, np.zeros((32, 128), np.float32)], _recurrent_torch(layer_name),
        _recurrent_numpy(_rnn_step if layer_name == "RNN" else _lstm_step),
        floors.rnn if layer_name == "RNN" else floors.lstm, rate=0.01, goal=goal,
        skipped_peers=("nnlib compiled", "nnlib on NumPy", "JAX", "tinygrad"),
    )  # fmt: skip


def _short_rnn_torch(t: Any, w: list, d: list) -> Any:
    h = d[3]
    for k in range(12):
        h = t.tanh(d[0][k] @ w[0] + w[1] + h @ w[2])
    return t.nn.functional.cross_entropy(h @ w[3] + w[4], d[1])


def _short_rnn_numpy(n: Any, w: list, d: list) -> Any:
    h = d[3]
    for k in range(12):
        h = n.tanh(n.matmul(d[0][k], w[0]) + w[1] + n.matmul(h, w[2]))
    z = n.matmul(h, w[3]) + w[4]
    top = n.max(z, axis=1, keepdims=True)
    logs = z - top - n.log(n.sum(n.exp(z - top), axis=1, keepdims=True))
    return -n.sum(logs * d[2]) / 32


def _short_rnn_floor(w: Arrays, d: Arrays) -> tuple[Any, Arrays]:
    states = [d[3]]
    for k in range(12):
        states.append(np.tanh(d[0][k] @ w[0] + w[1] + states[-1] @ w[2]))
    z = states[-1] @ w[3] + w[4]
    z = z - z.max(1, keepdims=True)
    e = np.exp(z)
    total = e.sum(1, keepdims=True)
    rows = np.arange(32)
    loss = (np.log(total[:, 0]) - z[rows, d[1]]).mean()
    g = e / total
    g[rows, d[1]] -= 1
    g /= 32
    grads = [np.zeros_like(v) for v in w]
    grads[3], grads[4] = states[-1].T @ g, g.sum(0)
    back = g @ w[3].T
    for k in range(11, -1, -1):
        back = back * (1 - states[k + 1] * states[k + 1])
        grads[0] += d[0][k].T @ back
        grads[1] += back.sum(0)
        grads[2] += states[k].T @ back
        back = back @ w[2].T
    return loss, grads


def short_rnn() -> Workload:
    y = np.random.default_rng(3).integers(0, 10, 32)
    return Workload(
        "RNN of 12 steps written out, batch 32, hidden 64, step",
        [normal(26, 64, scale=0.2), normal(64), normal(64, 64, scale=0.1),
         normal(64, 10, scale=0.1), normal(10)],
        [normal(12, 32, 26), y, np.eye(10, dtype=np.float32)[y], np.zeros((32, 64), np.float32)],
        _short_rnn_torch, _short_rnn_numpy, _short_rnn_floor, rate=0.01, goal=1.0,
    )  # fmt: skip


# ---------------------------------------------------------------- many nodes, many elements


def _chain_torch(t: Any, w: list, d: list) -> Any:
    x = w[0]
    for _ in range(10_000):
        x = x * 1.0001
    return x


def _chain_floor(w: Arrays, d: Arrays) -> tuple[Any, Arrays]:
    x, g = w[0], np.float32(1)
    for _ in range(10_000):
        x = x * 1.0001
        g = g * 1.0001
    return x, [g]


def _fan_torch(t: Any, w: list, d: list) -> Any:
    total = w[0] * 0.001
    for _ in range(5_000):
        total = total + w[0] * 0.001
    return total


def _fan_floor(w: Arrays, d: Arrays) -> tuple[Any, Arrays]:
    total, g = w[0] * 0.001, np.float32(0.001)
    for _ in range(5_000):
        total = total + w[0] * 0.001
        g = g + np.float32(0.001)
    return total, [g]


ONE_NUMBER = [np.float32(0.5)]
SKIPPED_FOR_NODES = ("JAX", "JAX jit", "nnlib compiled", "nnlib on NumPy", "tinygrad", "MyGrad")
CHAIN = Workload("chain of 10,000 nodes", ONE_NUMBER, [], _chain_torch,
                 lambda n, w, d: _chain_torch(n, w, d), _chain_floor, goal=0.25, numbers=True,
                 skipped_peers=SKIPPED_FOR_NODES)  # fmt: skip
FAN = Workload("fan-out of 10,000 nodes", ONE_NUMBER, [], _fan_torch,
               lambda n, w, d: _fan_torch(n, w, d), _fan_floor, goal=0.25, numbers=True,
               skipped_peers=SKIPPED_FOR_NODES)  # fmt: skip


def _large_torch(t: Any, w: list, d: list) -> Any:
    return t.sigmoid(w[0] * d[0] + w[1]).sum()


def _large_numpy(n: Any, w: list, d: list) -> Any:
    return (1 / (1 + n.exp(-(w[0] * d[0] + w[1])))).sum()


def _large_floor(w: Arrays, d: Arrays) -> tuple[Any, Arrays]:
    z = w[0] * d[0]
    z += w[1]
    np.negative(z, out=z)
    np.exp(z, out=z)
    z += 1
    np.reciprocal(z, out=z)
    total = z.sum()
    g = 1 - z
    g *= z
    return total, [np.dot(g, d[0])[None], g.sum(keepdims=True)]


LARGE = Workload("sigmoid(x·w + b).sum(), 4 million", [normal(1), normal(1)], [normal(4_000_000)],
                 _large_torch, _large_numpy, _large_floor, goal=1.9,
                 skipped_peers=("MyGrad", "tinygrad"))  # fmt: skip

ALL = [
    LECTURE, MATRIX, XOR, LOGISTIC, POINTS, mlp(64, 1.15), mlp(1024, 1.0), CNN, short_rnn(),
    recurrent("RNN", 1, 0.75), recurrent("LSTM", 4, 1.6), CHAIN, FAN, LARGE,
]  # fmt: skip

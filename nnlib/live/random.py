"""Random numbers that are identical in Python and the page, to the last bit.

The generator is mulberry32 (Tommy Ettinger, public domain): the k-th word of a stream is a hash of
`start + k * 0x6D2B79F5`, so NumPy computes a whole stream at once and JavaScript word by word.
A normal deviate is the sum of twelve uniform ones minus six (Irwin and Hall): that needs only
additions, which every machine rounds in the same way, while logarithm and cosine differ in the last
bit.  `frontend/figures/src/random.ts` is the counterpart of this file.
"""

from __future__ import annotations

import numpy as np

_INCREMENT = 0x6D2B79F5
_MASK = 0xFFFFFFFF
BATCH_STREAM = 1000  # streams below 1000 are for tensors, stream 1000 + e shuffles epoch e


def stream_start(seed: int, stream: int) -> int:
    """The initial state of stream number `stream` of `seed`."""
    return (int(seed) * 0x9E3779B1 + (int(stream) + 1) * 0x85EBCA77) & _MASK


def uniform(seed: int, stream: int, count: int) -> np.ndarray:
    """`count` float64 numbers, uniform in [0, 1).

    >>> uniform(0, 0, 3).round(6).tolist() == uniform(0, 0, 3).round(6).tolist()
    True
    """
    start = np.uint64(stream_start(seed, stream))
    mask = np.uint64(_MASK)
    t = (start + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(_INCREMENT)) & mask
    t = ((t ^ (t >> np.uint64(15))) * (t | np.uint64(1))) & mask
    t ^= (t + (((t ^ (t >> np.uint64(7))) * (t | np.uint64(61))) & mask)) & mask
    return ((t ^ (t >> np.uint64(14))) & mask).astype(np.float64) / 4294967296.0


def normal(seed: int, stream: int, count: int) -> np.ndarray:
    """`count` float64 numbers of mean 0 and variance 1 (each a sum of twelve uniforms minus 6)."""
    uniforms = uniform(seed, stream, 12 * count).reshape(count, 12)
    total = np.zeros(count)
    for column in uniforms.T:  # in the page's order: floating-point addition is not associative
        total += column
    return total - 6.0


def permutation(seed: int, stream: int, count: int) -> np.ndarray:
    """The numbers 0 … count-1 shuffled (Fisher and Yates)."""
    order = np.arange(count)
    for i, u in zip(range(count - 1, 0, -1), uniform(seed, stream, max(count - 1, 0)), strict=True):
        j = int(np.floor(u * (i + 1)))
        order[i], order[j] = order[j], order[i]
    return order


def batch(seed: int, step: int, count: int, size: int) -> np.ndarray:
    """The examples of step `step` (from 0): epochs are shuffled, a short last batch is dropped.

    >>> sorted(np.concatenate([batch(3, s, 6, 2) for s in range(3)]).tolist())
    [0, 1, 2, 3, 4, 5]
    """
    per_epoch = count // size
    epoch, position = divmod(step, per_epoch)
    order = permutation(seed, BATCH_STREAM + epoch, count)
    return order[position * size : (position + 1) * size].astype(np.int64)

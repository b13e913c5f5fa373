"""The settings of a training: its step, state, data, batches and seeds; `trainer.py` runs it.

    live.training(step, state={"w": np.zeros(2)}, data={"X": X, "y": y}, batch=20)

`step` is a function of the state, the data and any of the figure's inputs; it returns the new state
under the same names, and the loss.  Seeds set the state (see `normal`, `uniform`, or `init=`) and
the order of the batches; both come from `nnlib.live.random`, whose counterpart runs in the page.
The step is recorded once; the page runs it in animation frames, and Python can run it too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnlib.live import random
from nnlib.live.parts import array, numbers, parameters

SPEEDS = ("slow", "frame", "fast", "full")


@dataclass(frozen=True)
class Init:
    """A state sampled with the seed: `mean + std * normal`, or uniform between `low` and `high`."""

    kind: str
    shape: tuple[int, ...]
    a: float  # mean or low
    b: float | np.ndarray  # std or high: one number for all entries, or one for each

    def sample(self, seed: int, stream: int) -> np.ndarray:
        """The initial state for a seed, float64."""
        count = int(np.prod(self.shape))
        if self.kind == "normal":
            flat = self.a + np.ravel(self.b) * random.normal(seed, stream, count)
        else:
            flat = self.a + (self.b - self.a) * random.uniform(seed, stream, count)
        return flat.reshape(self.shape)


def normal(shape: int | Sequence[int], std: Any = 1.0, mean: float = 0.0) -> Init:
    """A state sampled with the seed: nearly normal (the sum of twelve uniform numbers minus 6).

    `std` is a number, or an array of the state's shape with one for each entry.  Raises ValueError
    if `std` has another shape.

    >>> from nnlib import live
    >>> live.normal((2, 3), std=0.5)
    Init(kind='normal', shape=(2, 3), a=0.0, b=0.5)
    """
    spread: float | np.ndarray = float(std) if np.ndim(std) == 0 else array(std).astype(float)
    if isinstance(spread, np.ndarray) and spread.shape != _shape(shape):
        raise ValueError(f"std has shape {spread.shape}, but the state has {_shape(shape)}.")
    return Init("normal", _shape(shape), float(mean), spread)


def uniform(shape: int | Sequence[int], low: float = -1.0, high: float = 1.0) -> Init:
    """A state sampled with the seed: uniform in [low, high).

    >>> from nnlib import live
    >>> live.uniform((2, 3), -1.0, 1.0)
    Init(kind='uniform', shape=(2, 3), a=-1.0, b=1.0)
    """
    return Init("uniform", _shape(shape), float(low), float(high))


def _shape(shape: int | Sequence[int]) -> tuple[int, ...]:
    return (shape,) if isinstance(shape, int) else tuple(int(n) for n in shape)


class Training:
    """The result of `training`; a figure records its step.

    Raises ValueError for settings that are invalid or contradict each other.

    >>> from nnlib import live
    >>> def step(w):
    ...     return {"w": 0.5 * w, "loss": w * w}
    >>> descent = live.training(step, {"w": 8.0})
    >>> live.figure(training=descent, view=["w = {w:.1f}"]).train(3)["w"]
    array(1., dtype=float32)
    """

    def __init__(
        self,
        step: Callable,
        state: Mapping[str, Any],
        *,
        data: Mapping[str, Any] | None = None,
        batch: int | None = None,
        loss: str = "loss",
        seed: int = 0,
        seeds: int = 100,
        init: Callable[[int], Mapping[str, Any]] | None = None,
        track: Sequence[str] = (),
        speed: str = "frame",
        max_steps: int = 100_000,
    ):
        if not state:
            raise ValueError("training needs a state: the parameters' names and first values.")
        if batch is not None and not data:
            raise ValueError("training(batch=…) needs data to take batches from.")
        if speed not in SPEEDS:
            raise ValueError(f"speed is one of {SPEEDS}, not {speed!r}.")
        self.step, self.state, self.data = step, dict(state), dict(data or {})
        self.batch, self.loss = None if batch is None else int(batch), loss
        self.seed, self.seeds, self.max_steps = int(seed), int(seeds), int(max_steps)
        self.init, self.track, self.speed = init, list(track), speed
        self.count = len(array(next(iter(self.data.values())))) if self.data else 0
        if batch is not None and not 1 <= batch <= self.count:
            raise ValueError(f"a batch of {batch} cannot be taken from {self.count} examples.")
        if init is not None and seeds > 400:
            raise ValueError(
                "init= stores every seed's state: keep seeds ≤ 400, or use live.normal."
            )

    def initial(self, seed: int) -> dict[str, np.ndarray]:
        """The initial state for a seed.

        >>> from nnlib import live
        >>> descent = live.training(lambda w: {"w": w, "loss": w * w}, {"w": 8.0})
        >>> descent.initial(0)
        {'w': array(8.)}
        """
        if self.init is not None:
            return {k: array(v) for k, v in self.init(seed).items() if k in self.state}
        return {
            name: value.sample(seed, k) if isinstance(value, Init) else array(value)
            for k, (name, value) in enumerate(self.state.items())
        }

    def batch_at(self, seed: int, step: int) -> np.ndarray:
        """The positions of the examples that a step uses."""
        assert self.batch is not None
        return random.batch(seed, step, self.count, self.batch)

    def spec(self) -> dict:
        """The JSON that the page needs besides the recorded step."""
        state: dict[str, Any] = {}
        stored = [self.initial(s) for s in range(self.seeds)] if self.init else None
        for k, (name, value) in enumerate(self.state.items()):
            if stored:
                state[name] = {"seeds": [numbers(s[name].astype(np.float32)) for s in stored]}
            elif isinstance(value, Init):
                state[name] = {
                    "distribution": value.kind, "a": value.a, "stream": k,
                    "b": numbers(value.b) if isinstance(value.b, np.ndarray) else value.b,
                }  # fmt: skip
            else:
                state[name] = {"data": numbers(array(value).astype(np.float32))}
        batch = {"count": self.count, "size": self.batch} if self.batch else None
        return {
            "state": state, "batch": batch, "seed": self.seed, "seeds": self.seeds,
            "track": self.track, "speed": self.speed, "max_steps": self.max_steps,
        }  # fmt: skip

    def arguments(self, available: Sequence[str]) -> list[str]:
        """The names of the arguments that `step` takes.

        >>> from nnlib import live
        >>> plan = live.training(lambda w, alpha: {"w": w, "loss": w * alpha}, {"w": 8.0})
        >>> plan.arguments(["w", "alpha", "k"])
        ['w', 'alpha']
        """
        names = [*available, *self.data, *(("batch",) if self.batch else ())]
        return parameters(self.step, names, "the training step")


def training(step: Callable, state: Mapping[str, Any], **options: Any) -> Training:
    """A training for `figure(training=…)`.

    - `step(**state, **data, **inputs)` returns `{name: new value of the state, …, "loss": loss}`.
    - `state`: name → array, or `live.normal(shape, std)`, `live.uniform(shape, low, high)`, which
      are sampled with the seed; or `init`, a function of the seed with which Python computes
      `seeds` states in advance.
    - `data`: name → array; with `batch=size` the step gets `size` rows of each, shuffled by epochs.
    - `track`: names of scalars whose history is kept as `history_NAME` (0-d state or outputs of
      step); `history_step`, `history_loss` and `step` are always available.
    - `seed`, `seeds` (how many there are to choose from), `speed` ("slow": 5 a second, "frame":
      one a frame, "fast": 16 a frame, "full": as many as fit), `max_steps`.

    >>> from nnlib import live
    >>> def step(w, alpha):
    ...     return {"w": w - alpha * 2 * w, "loss": w * w}
    >>> state = {"w": live.uniform((), -1.0, 1.0)}
    >>> descent = live.training(step, state, speed="frame", max_steps=100)
    >>> live.figure(alpha=(0.0, 1.0), training=descent, view=["w = {w:.3f}"], title="Descent")
    Figure('Descent')
    """
    return Training(step, state, **options)

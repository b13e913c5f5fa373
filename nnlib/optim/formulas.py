"""The formula of each optimiser's step, written once: SGD, Adam, AdamW, RMSprop, Adagrad.

A formula takes one parameter p, its gradient g, its state, the step's number t (from 1) and the
settings, and returns (p, state) after the step.  Arrays, from the classes of `nnlib.optim`, are
changed in place; for Tensors, from `nnlib.optim.functional`, the results are new Tensors.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from nnlib.functions import arithmetic as ar
from nnlib.functions.create import full_like, zeros_like
from nnlib.tensor import Tensor

State: TypeAlias = "dict[str, Any]"
Settings: TypeAlias = "dict[str, Any]"

# ---------------------------------------------------------------- arithmetic of arrays and Tensors


def _changing(in_place: Callable[..., Any], new: Callable[..., Any]) -> Callable[..., Any]:
    """An operation that changes its first argument if that is an array."""
    return lambda x, y: in_place(x, y) if isinstance(x, np.ndarray) else new(x, y)


_times = _changing(operator.imul, operator.mul)
_plus = _changing(operator.iadd, operator.add)
_minus = _changing(operator.isub, operator.sub)
_maximum = _changing(lambda x, y: np.maximum(x, y, out=x), ar.maximum)


def _sqrt(x: Any) -> Any:
    if isinstance(x, Tensor):
        return ar.sqrt(x)
    return math.sqrt(x) if isinstance(x, float) else np.sqrt(x)


def _like(number: Any, p: Any) -> Any:
    """A number that was computed in float64, converted to the parameter's type."""
    return number.to(p.dtype) if isinstance(number, Tensor) else number


def _signed(g: Any, s: Settings) -> Any:
    """The gradient of what is minimised: -g with `maximize`, else g."""
    return -g if s["maximize"] else g


def _decayed(p: Any, g: Any, s: Settings) -> Any:
    """The gradient of what is minimised plus weight_decay · p²/2."""
    g = _signed(g, s)
    return g + p * s["weight_decay"] if s["weight_decay"] else g


# ---------------------------------------------------------------- the formulas


class Formula:
    """One optimiser: the check of its settings, its state before the first step, and the step."""

    @staticmethod
    def check(s: Settings) -> None:
        """Raise ValueError for invalid settings."""
        check_at_least_zero(learning_rate=s["lr"], weight_decay=s["weight_decay"])

    @staticmethod
    def init_state(p: Any, s: Settings) -> State:
        return {}

    @staticmethod
    def step(p: Any, g: Any, state: State, t: Any, s: Settings) -> tuple[Any, State]:
        raise NotImplementedError


class SGD(Formula):
    @staticmethod
    def check(s: Settings) -> None:
        Formula.check(s)
        check_at_least_zero(momentum=s["momentum"])
        if s["nesterov"] and (s["momentum"] <= 0 or s["dampening"] != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")

    @staticmethod
    def init_state(p: Any, s: Settings) -> State:
        return _zeros(p, "momentum_buffer") if s["momentum"] else {}

    @staticmethod
    def step(p: Any, g: Any, state: State, t: Any, s: Settings) -> tuple[Any, State]:
        g = _decayed(p, g, s)
        if s["momentum"]:
            increment = g * _dampened(t, p, s["dampening"]) if s["dampening"] else g
            v = _plus(_times(state["momentum_buffer"], s["momentum"]), increment)
            state = {"momentum_buffer": v}
            g = g + v * s["momentum"] if s["nesterov"] else v
        return _minus(p, g * s["lr"]), state


def _dampened(t: Any, p: Any, dampening: float) -> Any:
    """The gradient's factor: 1 at the first step, then 1 - dampening."""
    after_first = (t != 1).to(t.dtype) if isinstance(t, Tensor) else t != 1
    return _like(1 - dampening * after_first, p)


class Adam(Formula):
    @staticmethod
    def check(s: Settings) -> None:
        Formula.check(s)
        check_at_least_zero(epsilon=s["eps"])
        for i, beta in enumerate(s["betas"]):
            if not 0 <= beta < 1:
                raise ValueError(f"Invalid beta parameter at index {i}: {beta}")

    @staticmethod
    def init_state(p: Any, s: Settings) -> State:
        return _zeros(p, "exp_avg", "exp_avg_sq", *(["max_exp_avg_sq"] if s["amsgrad"] else []))

    @staticmethod
    def step(p: Any, g: Any, state: State, t: Any, s: Settings) -> tuple[Any, State]:
        return _adam(p, _decayed(p, g, s), state, t, s)


class AdamW(Adam):
    @staticmethod
    def step(p: Any, g: Any, state: State, t: Any, s: Settings) -> tuple[Any, State]:
        p = _times(p, 1 - s["lr"] * s["weight_decay"])
        return _adam(p, _signed(g, s), state, t, s)


def _adam(p: Any, g: Any, state: State, t: Any, s: Settings) -> tuple[Any, State]:
    b1, b2 = s["betas"]
    m = _plus(_times(state["exp_avg"], b1), g * (1 - b1))
    v = _plus(_times(state["exp_avg_sq"], b2), g * g * (1 - b2))
    new = {"exp_avg": m, "exp_avg_sq": v}
    if s["amsgrad"]:
        v = new["max_exp_avg_sq"] = _maximum(state["max_exp_avg_sq"], v)
    root = _sqrt(v) / _like(_sqrt(1 - b2**t), p) + s["eps"]
    return _minus(p, m / root * _like(s["lr"] / (1 - b1**t), p)), new


class RMSprop(Formula):
    @staticmethod
    def check(s: Settings) -> None:
        Formula.check(s)
        check_at_least_zero(epsilon=s["eps"], momentum=s["momentum"], alpha=s["alpha"])

    @staticmethod
    def init_state(p: Any, s: Settings) -> State:
        names = ["square_avg", *(["grad_avg"] if s["centered"] else [])]
        return _zeros(p, *names, *(["momentum_buffer"] if s["momentum"] else []))

    @staticmethod
    def step(p: Any, g: Any, state: State, t: Any, s: Settings) -> tuple[Any, State]:
        g, alpha = _decayed(p, g, s), s["alpha"]
        v = _plus(_times(state["square_avg"], alpha), g * g * (1 - alpha))
        new = {"square_avg": v}
        if s["centered"]:
            mean = _plus(_times(state["grad_avg"], alpha), g * (1 - alpha))
            new["grad_avg"], v = mean, v - mean * mean
        g = g / (_sqrt(v) + s["eps"])
        if s["momentum"]:
            g = _plus(_times(state["momentum_buffer"], s["momentum"]), g)
            new["momentum_buffer"] = g
        return _minus(p, g * s["lr"]), new


class Adagrad(Formula):
    @staticmethod
    def check(s: Settings) -> None:
        Formula.check(s)
        check_at_least_zero(
            lr_decay=s["lr_decay"],
            epsilon=s["eps"],
            initial_accumulator_value=s["initial_accumulator_value"],
        )

    @staticmethod
    def init_state(p: Any, s: Settings) -> State:
        return {"sum": full_like(p, s["initial_accumulator_value"]).detach()}

    @staticmethod
    def step(p: Any, g: Any, state: State, t: Any, s: Settings) -> tuple[Any, State]:
        g = _decayed(p, g, s)
        total = _plus(state["sum"], g * g)
        rate = _like(s["lr"] / (1 + (t - 1) * s["lr_decay"]), p) if s["lr_decay"] else s["lr"]
        return _minus(p, g / (_sqrt(total) + s["eps"]) * rate), {"sum": total}


def _zeros(p: Any, *names: str) -> State:
    return {name: zeros_like(p).detach() for name in names}


def check_at_least_zero(**values: float) -> None:
    for name, value in values.items():
        if value < 0:
            raise ValueError(f"Invalid {name} value: {value} (it must be 0 or more)")

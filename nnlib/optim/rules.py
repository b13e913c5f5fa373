"""The update rules: SGD with momentum, Adam, AdamW, RMSprop, Adagrad, as PyTorch computes them.

Each works on bare arrays, in place; `nnlib.optim.functional` has the same rules as pure functions.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnlib.functions.create import full_like, tensor, zeros_like
from nnlib.optim.optimizer import Optimizer, Params, at_least_zero, check_betas

State = dict[str, Any]
Group = dict[str, Any]


def _array(t: Any) -> np.ndarray:
    """The array of a state tensor, as one that can be changed in place."""
    if not isinstance(t._data, np.ndarray):
        t._data = np.array(t._data)
    return t._data


def _count(state: State) -> float:
    """One step more, in a 0-d tensor as PyTorch keeps it."""
    step = state["step"]
    step._data = np.float32(step._data + 1)
    return float(step._data)


def _signed(x: Any, g: Any, group: Group) -> Any:
    """The gradient to descend: turned round to climb, and with the pull of weight decay."""
    if group["maximize"]:
        g = -g
    return g + x * group["weight_decay"] if group["weight_decay"] else g


class SGD(Optimizer):
    """w ← w - lr · v with v ← momentum · v + (1 - dampening) · g.  As ``torch.optim.SGD``.

    `maximize` climbs instead of descending: the one difference is the sign of g.  Raises ValueError
    for a negative setting, and for Nesterov's momentum without momentum.  Sutskever and others,
    2013.

    >>> import nnlib
    >>> w = nnlib.tensor(1.0, requires_grad=True)
    >>> opt = nnlib.optim.SGD([w], lr=0.1)
    >>> (w * w).backward()
    >>> opt.step()
    >>> w
    tensor(0.8000, requires_grad=True)
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        at_least_zero(learning_rate=lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
            "nesterov": nesterov, "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, defaults)

    def update(self, x: np.ndarray, g: np.ndarray, state: State, group: Group) -> None:
        g = _signed(x, g, group)
        momentum = group["momentum"]
        if momentum:
            if "momentum_buffer" not in state:
                state["momentum_buffer"] = tensor(np.array(g))
                v = _array(state["momentum_buffer"])
            else:
                v = _array(state["momentum_buffer"])
                v *= momentum
                v += g if not group["dampening"] else g * (1 - group["dampening"])
            g = g + v * momentum if group["nesterov"] else v
        x -= g * group["lr"]


class Adam(Optimizer):
    """w ← w - lr · m̂ / (√v̂ + eps), with running means m of g and v of g².

    m̂ = m/(1 - β₁ᵗ) and v̂ = v/(1 - β₂ᵗ) undo the bias of starting at zero.  With `amsgrad` the
    largest v so far takes the place of v.  As ``torch.optim.Adam``; Kingma and Ba, 2015; Reddi and
    others, 2018.  Raises ValueError for a negative setting, or a β
    outside of [0, 1).

    >>> import nnlib
    >>> w = nnlib.tensor([1.0, -100.0], requires_grad=True)
    >>> rule = nnlib.optim.Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> rule.step()
    >>> w  # the first step is lr long, whatever the gradient
    tensor([  0.9000, -99.9000], requires_grad=True)
    """

    _decoupled = False  # whether weight decay acts on the weights themselves

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        at_least_zero(learning_rate=lr, epsilon=eps, weight_decay=weight_decay)
        check_betas(betas)
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
            "maximize": maximize, "amsgrad": amsgrad,
        }  # fmt: skip
        super().__init__(params, defaults)

    def begin(self, p: Any, group: Group) -> State:
        state = {"step": tensor(0.0), "exp_avg": zeros_like(p), "exp_avg_sq": zeros_like(p)}
        if group["amsgrad"]:
            state["max_exp_avg_sq"] = zeros_like(p)
        return state

    def update(self, x: np.ndarray, g: np.ndarray, state: State, group: Group) -> None:
        (b1, b2), lr, t = group["betas"], group["lr"], _count(state)
        g = self._decayed(x, g, group)
        m, v = _array(state["exp_avg"]), _array(state["exp_avg_sq"])
        m *= b1
        m += g * (1 - b1)
        v *= b2
        g2 = g * g
        g2 *= 1 - b2
        v += g2
        if group["amsgrad"]:
            most = _array(state["max_exp_avg_sq"])
            v = np.maximum(most, v, out=most)
        root = np.sqrt(v, out=g2 if isinstance(g2, np.ndarray) else None)
        root /= math.sqrt(1 - b2**t)
        root += group["eps"]
        change = m / root
        change *= lr / (1 - b1**t)
        x -= change

    def _decayed(self, x: Any, g: Any, group: Group) -> Any:
        if not self._decoupled:
            return _signed(x, g, group)
        x *= 1 - group["lr"] * group["weight_decay"]
        return -g if group["maximize"] else g


class AdamW(Adam):
    """Adam whose weight decay acts on the weights themselves and not on the running means.

    As ``torch.optim.AdamW`` (weight_decay 0.01 by default); Loshchilov and Hutter, 2019.

    >>> import nnlib
    >>> w = nnlib.tensor([1.0, -100.0], requires_grad=True)
    >>> rule = nnlib.optim.AdamW([w], lr=0.1, weight_decay=0.5)
    >>> (w * w).sum().backward()
    >>> rule.step()
    >>> w
    tensor([  0.8500, -94.9000], requires_grad=True)
    """

    _decoupled = True

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)


class RMSprop(Optimizer):
    """w ← w - lr · g / (√v + eps), with v the running mean of g².

    `centered` takes off the square of the running mean of g (a variance, then); `momentum` as in
    SGD.  As ``torch.optim.RMSprop``; Hinton, Srivastava and Swersky, lecture 6 of 2012.  Raises
    ValueError for a negative setting.

    >>> import nnlib
    >>> w = nnlib.tensor([1.0, -100.0], requires_grad=True)
    >>> rule = nnlib.optim.RMSprop([w], lr=0.01)
    >>> (w * w).sum().backward()
    >>> rule.step()
    >>> w
    tensor([  0.9000, -99.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        at_least_zero(
            learning_rate=lr, epsilon=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha
        )
        defaults = {
            "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
            "weight_decay": weight_decay, "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, defaults)

    def begin(self, p: Any, group: Group) -> State:
        state = {"step": tensor(0.0), "square_avg": zeros_like(p)}
        if group["momentum"] > 0:
            state["momentum_buffer"] = zeros_like(p)
        if group["centered"]:
            state["grad_avg"] = zeros_like(p)
        return state

    def update(self, x: np.ndarray, g: np.ndarray, state: State, group: Group) -> None:
        _count(state)
        g, alpha = _signed(x, g, group), group["alpha"]
        v = _array(state["square_avg"])
        v *= alpha
        v += g * g * (1 - alpha)
        spread = v
        if group["centered"]:
            mean = _array(state["grad_avg"])
            mean *= alpha
            mean += g * (1 - alpha)
            spread = v - mean * mean
        g = g / (np.sqrt(spread) + group["eps"])
        if group["momentum"] > 0:
            buffer = _array(state["momentum_buffer"])
            buffer *= group["momentum"]
            buffer += g
            g = buffer
        x -= g * group["lr"]


class Adagrad(Optimizer):
    """w ← w - lr / (1 + (t - 1) · lr_decay) · g / (√v + eps), with v the sum of all g².

    As ``torch.optim.Adagrad``; Duchi, Hazan and Singer, 2011.  Raises ValueError for a negative
    setting.

    >>> import nnlib
    >>> w = nnlib.tensor([1.0, -100.0], requires_grad=True)
    >>> rule = nnlib.optim.Adagrad([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> rule.step()
    >>> w
    tensor([  0.9000, -99.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        at_least_zero(
            learning_rate=lr, lr_decay=lr_decay, weight_decay=weight_decay, epsilon=eps,
            initial_accumulator_value=initial_accumulator_value,
        )  # fmt: skip
        defaults = {
            "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, defaults)

    def begin(self, p: Any, group: Group) -> State:
        return {"step": tensor(0.0), "sum": full_like(p, group["initial_accumulator_value"])}

    def update(self, x: np.ndarray, g: np.ndarray, state: State, group: Group) -> None:
        lr = group["lr"] / (1 + (_count(state) - 1) * group["lr_decay"])
        g = _signed(x, g, group)
        total = _array(state["sum"])
        total += g * g
        x -= g / (np.sqrt(total) + group["eps"]) * lr

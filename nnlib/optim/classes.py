"""PyTorch's classes of optimisers: SGD with momentum, Adam, AdamW, RMSprop, Adagrad.

The formulas of the steps are in `nnlib.optim.formulas`, shared with the pure functions of
`nnlib.optim.functional`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlib.functions.create import tensor
from nnlib.optim import formulas
from nnlib.optim.formulas import Formula, Settings, State
from nnlib.optim.optimizer import Optimizer, Params


def _array(t: Any) -> np.ndarray:
    """The array of a state tensor, as one that can be changed in place."""
    if not isinstance(t._data, np.ndarray):
        t._data = np.array(t._data)
    return t._data


def _arrays(state: State) -> State:
    return {name: _array(t) for name, t in state.items() if name != "step"}


class _FormulaOptimizer(Optimizer):
    """An optimiser that applies a formula to arrays, in place."""

    formula: type[Formula]

    def __init__(self, params: Params, defaults: Settings) -> None:
        self.formula.check(defaults)
        super().__init__(params, defaults)

    def init_state(self, p: Any, group: Settings) -> State:
        # PyTorch counts the steps in a 0-d float32 tensor.
        return {"step": tensor(0.0), **self.formula.init_state(p, group)}

    def update(self, x: np.ndarray, g: np.ndarray, state: State, group: Settings) -> None:
        count = _array(state["step"])
        count += 1
        self.formula.step(x, g, _arrays(state), float(count), group)


class SGD(_FormulaOptimizer):
    """w ← w - lr · v with v ← momentum · v + (1 - dampening) · g.  Like ``torch.optim.SGD``.

    With `maximize`, g is replaced by -g, which makes the objective larger.  Raises ValueError for a
    negative setting, and for Nesterov's momentum without momentum.  Sutskever and others, 2013.

    >>> import nnlib
    >>> w = nnlib.tensor(1.0, requires_grad=True)
    >>> opt = nnlib.optim.SGD([w], lr=0.1)
    >>> (w * w).backward()
    >>> opt.step()
    >>> w
    tensor(0.8000, requires_grad=True)
    """

    formula = formulas.SGD

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
        defaults = {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
            "nesterov": nesterov, "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, defaults)

    def init_state(self, p: Any, group: Settings) -> State:
        return {}  # as in PyTorch: no step count, and the first step creates the velocity

    def update(self, x: np.ndarray, g: np.ndarray, state: State, group: Settings) -> None:
        first = state.get("momentum_buffer") is None
        if first and group["momentum"]:
            state["momentum_buffer"] = tensor(np.zeros_like(x))
        self.formula.step(x, g, _arrays(state), 1 if first else 2, group)


class Adam(_FormulaOptimizer):
    """w ← w - lr · m̂ / (√v̂ + eps), with running means m of g and v of g².

    m̂ = m/(1 - β₁ᵗ) and v̂ = v/(1 - β₂ᵗ) correct the bias of starting at zero.  With `amsgrad`, the
    largest v so far replaces v.  Like ``torch.optim.Adam``; Kingma and Ba, 2015; Reddi and others,
    2018.  Raises ValueError for a negative setting, or a β outside of [0, 1).

    >>> import nnlib
    >>> w = nnlib.tensor([1.0, -100.0], requires_grad=True)
    >>> opt = nnlib.optim.Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w  # the first step changes each weight by lr, whatever its gradient
    tensor([  0.9000, -99.9000], requires_grad=True)
    """

    formula: type[Formula] = formulas.Adam

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
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
            "maximize": maximize, "amsgrad": amsgrad,
        }  # fmt: skip
        super().__init__(params, defaults)


class AdamW(Adam):
    """Adam whose weight decay acts on the weights themselves and not on the running means.

    Like ``torch.optim.AdamW`` (weight_decay 0.01 by default); Loshchilov and Hutter, 2019.

    >>> import nnlib
    >>> w = nnlib.tensor([1.0, -100.0], requires_grad=True)
    >>> opt = nnlib.optim.AdamW([w], lr=0.1, weight_decay=0.5)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([  0.8500, -94.9000], requires_grad=True)
    """

    formula = formulas.AdamW

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


class RMSprop(_FormulaOptimizer):
    """w ← w - lr · g / (√v + eps), with v the running mean of g².

    With `centered`, the square of the running mean of g is subtracted from v, which makes it a
    variance; `momentum` is as in SGD.  Like ``torch.optim.RMSprop``; Hinton, Srivastava and
    Swersky, lecture 6 of 2012.  Raises ValueError for a negative setting.

    >>> import nnlib
    >>> w = nnlib.tensor([1.0, -100.0], requires_grad=True)
    >>> opt = nnlib.optim.RMSprop([w], lr=0.01)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([  0.9000, -99.9000], requires_grad=True)
    """

    formula = formulas.RMSprop

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
        defaults = {
            "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
            "weight_decay": weight_decay, "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, defaults)


class Adagrad(_FormulaOptimizer):
    """w ← w - lr / (1 + (t - 1) · lr_decay) · g / (√v + eps), with v the sum of all g².

    Like ``torch.optim.Adagrad``; Duchi, Hazan and Singer, 2011.  Raises ValueError for a negative
    setting.

    >>> import nnlib
    >>> w = nnlib.tensor([1.0, -100.0], requires_grad=True)
    >>> opt = nnlib.optim.Adagrad([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([  0.9000, -99.9000], requires_grad=True)
    """

    formula = formulas.Adagrad

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
        defaults = {
            "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, defaults)

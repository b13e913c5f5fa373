"""Optimizer, and the update rules: SGD with momentum, Adam, AdamW."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from nnlib.autograd import no_grad
from nnlib.functions import elementwise as e
from nnlib.functions.create import zeros_like
from nnlib.record import Leaf, Value


class Optimizer:
    """Steps parameters along their gradients.  As ``torch.optim.Optimizer``.

    `params` are the tensors to change.  Raises ValueError for an empty list or one that repeats a
    tensor, TypeError for what is no tensor, ValueError for a tensor that is no leaf.
    """

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        if isinstance(params, Value):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors, but got "
                "a single Tensor: write [w] for w"
            )
        self.params = list(params)
        if not self.params:
            raise ValueError("optimizer got an empty parameter list")
        for p in self.params:
            if not isinstance(p, Value):
                raise TypeError(
                    f"optimizer can only optimize Tensors, but one of the params is {p!r}"
                )
            if p._node is not None and not isinstance(p._node, Leaf):
                raise ValueError(
                    "can't optimize a non-leaf Tensor: it was computed from others; pass those"
                )
        if len({id(p) for p in self.params}) != len(self.params):
            raise ValueError("some parameters appear in more than one parameter group")
        self.defaults = defaults
        self.state: dict[int, dict[str, Any]] = {}

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, so that the next backward() starts from nothing."""
        for p in self.params:
            if set_to_none:
                p.grad = None
            elif p.grad is not None:
                p.grad.zero_()

    def step(self) -> None:
        """Change every parameter that has a gradient, once."""
        with no_grad():
            for p in self.params:
                if p.grad is not None:
                    state = self.state.setdefault(id(p), {})
                    p.sub_(self.update(p, p.grad.detach(), state))

    def update(self, p: Any, g: Any, state: dict[str, Any]) -> Any:
        """What to subtract from `p`, given its gradient `g`; `state` lasts from step to step."""
        raise NotImplementedError


def _at_least_zero(**values: float) -> None:
    for name, value in values.items():
        if value < 0:
            raise ValueError(f"Invalid {name} value: {value} (it must be 0 or more)")


class SGD(Optimizer):
    """w ← w - lr · v with v ← momentum · v + (1 - dampening) · g.  As ``torch.optim.SGD``.

    `maximize` climbs instead of descending: the one difference is the sign of g.

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
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        _at_least_zero(learning_rate=lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        super().__init__(params, {"lr": lr})
        self.lr, self.momentum, self.dampening = lr, momentum, dampening
        self.weight_decay, self.nesterov, self.maximize = weight_decay, nesterov, maximize

    def update(self, p: Any, g: Any, state: dict[str, Any]) -> Any:
        if self.maximize:
            g = -g
        if self.weight_decay:
            g = g + p * self.weight_decay
        if self.momentum:
            before = state.get("momentum_buffer")
            v = e.clone(g)
            if before is not None:
                v = before * self.momentum + g * (1 - self.dampening)
            state["momentum_buffer"] = v
            g = g + v * self.momentum if self.nesterov else v
        return g * self.lr


class Adam(Optimizer):
    """w ← w - lr · m̂ / (√v̂ + eps), with running means m of g and v of g².

    m̂ = m/(1 - β₁ᵗ) and v̂ = v/(1 - β₂ᵗ) undo the bias of starting at zero.  As
    ``torch.optim.Adam``; Kingma and Ba, 2015.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        _at_least_zero(learning_rate=lr, epsilon=eps, weight_decay=weight_decay)
        for i, beta in enumerate(betas):
            if not 0 <= beta < 1:
                raise ValueError(f"Invalid beta parameter at index {i}: {beta}")
        super().__init__(params, {"lr": lr})
        self.lr, self.betas, self.eps = lr, betas, eps
        self.weight_decay, self.maximize = weight_decay, maximize

    def update(self, p: Any, g: Any, state: dict[str, Any]) -> Any:
        if self.maximize:
            g = -g
        decayed = self._decay(p, g)
        b1, b2 = self.betas
        t = state["step"] = state.get("step", 0) + 1
        m = state["exp_avg"] = state.get("exp_avg", zeros_like(p)) * b1 + decayed * (1 - b1)
        v = state["exp_avg_sq"] = state.get(
            "exp_avg_sq", zeros_like(p)
        ) * b2 + decayed * decayed * (1 - b2)
        root = e.sqrt(v) / math.sqrt(1 - b2**t) + self.eps
        return m / root * (self.lr / (1 - b1**t)) + self._shrink(p)

    def _decay(self, p: Any, g: Any) -> Any:
        return g + p * self.weight_decay if self.weight_decay else g

    def _shrink(self, p: Any) -> Any:
        return 0.0


class AdamW(Adam):
    """Adam whose weight decay acts on the weights themselves and not on the running means.

    As ``torch.optim.AdamW`` (weight_decay 0.01 by default); Loshchilov and Hutter, 2019.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, maximize=maximize)

    def _decay(self, p: Any, g: Any) -> Any:
        return g

    def _shrink(self, p: Any) -> Any:
        return p * (self.lr * self.weight_decay)

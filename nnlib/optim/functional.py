"""Optimisers as pure functions: new parameters and a new state from old ones and gradients.

Each function takes PyTorch's settings and returns a `Rule`.  Parameters, gradients and states are
trees of tensors built alike, so that a whole training step is one pure function, which
`nnlib.compile` turns into one loop.  The numbers are those of the classes of `nnlib.optim`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from nnlib import dtypes, trees
from nnlib.functions import elementwise as e
from nnlib.functions.create import full_like, tensor, zeros_like
from nnlib.optim.optimizer import at_least_zero, check_betas

__all__ = ["Rule", "adagrad", "adam", "adamw", "rmsprop", "sgd"]

Tree = Any
State = dict[str, Any]


class Rule(NamedTuple):
    """An optimiser as two pure functions, where ``torch.optim`` has a class.

    ``init(params)`` is the state before the first step.  ``update(params, grads, state)`` returns
    ``(params, state)`` after a step; ``lr=`` gives that step a learning rate of its own, a number
    or a 0-d tensor.

    >>> import nnlib
    >>> rule = nnlib.optim.functional.sgd(lr=0.1)
    >>> w = nnlib.tensor(1.0)
    >>> rule.update(w, nnlib.func.grad(lambda w: w * w)(w), rule.init(w))[0]
    tensor(0.8000)
    """

    init: Callable[[Tree], State]
    update: Callable[..., tuple[Tree, State]]


# A step of one tensor: (p, g, its state, t, lr) → (p, its state).
Step = Callable[[Any, Any, State, Any, Any], tuple[Any, State]]


def _rule(lr: float, begin: Callable[[Any], State], step: Step) -> Rule:
    """The rule that applies `step` to each tensor of a tree; t counts the steps from 1."""

    def init(params: Tree) -> State:
        leaves, _ = trees.flatten(params)
        return {"step": tensor(0.0, dtype=dtypes.float64), "each": [begin(p) for p in leaves]}

    def update(params: Tree, grads: Tree, state: State, lr: Any = lr) -> tuple[Tree, State]:
        leaves, form = trees.flatten(params)
        slopes, grads_form = trees.flatten(grads)
        if grads_form != form or len(state["each"]) != len(leaves):
            raise ValueError(
                f"update(params, grads, state): params are {trees.describe(form)}, gradients "
                f"{trees.describe(grads_form)}, and the state is of {len(state['each'])} tensors: "
                "all three must be built alike"
            )
        t = state["step"] + 1
        pairs = [step(p, g, own, t, lr) for p, g, own in zip(leaves, slopes, state["each"])]
        new = trees.build(form, [p for p, _ in pairs])
        return new, {"step": t, "each": [own for _, own in pairs]}

    return Rule(init, update)


def _signed(p: Any, g: Any, weight_decay: float, maximize: bool) -> Any:
    if maximize:
        g = -g
    return g + p * weight_decay if weight_decay else g


def _like(number: Any, p: Any) -> Any:
    """A number computed in float64, as one of the parameter's type."""
    return number.to(p.dtype) if hasattr(number, "to") else number


def sgd(
    lr: float = 1e-3, momentum: float = 0, dampening: float = 0, weight_decay: float = 0,
    nesterov: bool = False, *, maximize: bool = False,
) -> Rule:  # fmt: skip
    """w ← w - lr · v with v ← momentum · v + (1 - dampening) · g.  As ``torch.optim.SGD``.

    Raises ValueError for a negative setting, and for Nesterov's momentum without momentum.

    >>> import nnlib
    >>> rule = nnlib.optim.functional.sgd(lr=0.1, momentum=0.9)
    >>> w = {"w": nnlib.tensor(1.0)}
    >>> state = rule.init(w)
    >>> for _ in range(2):
    ...     w, state = rule.update(w, {"w": nnlib.tensor(1.0)}, state)
    >>> w
    {'w': tensor(0.7100)}
    """
    at_least_zero(learning_rate=lr, momentum=momentum, weight_decay=weight_decay)
    if nesterov and (momentum <= 0 or dampening != 0):
        raise ValueError("Nesterov momentum requires a momentum and zero dampening")

    def begin(p: Any) -> State:
        return {"momentum_buffer": zeros_like(p).detach()} if momentum else {}

    def step(p: Any, g: Any, state: State, t: Any, lr: Any) -> tuple[Any, State]:
        g = _signed(p, g, weight_decay, maximize)
        if not momentum:
            return p - g * lr, state
        v = state["momentum_buffer"] * momentum + g * (1 - dampening)
        if dampening:  # the first step takes the gradient whole
            v = e.where(t == 1, g, v)
        return p - (g + v * momentum if nesterov else v) * lr, {"momentum_buffer": v}

    return _rule(lr, begin, step)


def _adam(
    lr: float, betas: tuple[float, float], eps: float, weight_decay: float, amsgrad: bool,
    maximize: bool, decoupled: bool,
) -> Rule:  # fmt: skip
    at_least_zero(learning_rate=lr, epsilon=eps, weight_decay=weight_decay)
    check_betas(betas)
    b1, b2 = betas

    def begin(p: Any) -> State:
        names = ["exp_avg", "exp_avg_sq", *(["max_exp_avg_sq"] if amsgrad else [])]
        return {name: zeros_like(p).detach() for name in names}

    def step(p: Any, g: Any, state: State, t: Any, lr: Any) -> tuple[Any, State]:
        if decoupled:
            p = p * (1 - lr * weight_decay)
            g = -g if maximize else g
        else:
            g = _signed(p, g, weight_decay, maximize)
        m = state["exp_avg"] * b1 + g * (1 - b1)
        v = state["exp_avg_sq"] * b2 + g * g * (1 - b2)
        new = {"exp_avg": m, "exp_avg_sq": v}
        if amsgrad:
            v = new["max_exp_avg_sq"] = e.maximum(state["max_exp_avg_sq"], v)
        root = e.sqrt(v) / _like(e.sqrt(1 - b2**t), p) + eps
        return p - m / root * _like(lr / (1 - b1**t), p), new

    return _rule(lr, begin, step)


def adam(
    lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
    weight_decay: float = 0, amsgrad: bool = False, *, maximize: bool = False,
) -> Rule:  # fmt: skip
    """w ← w - lr · m̂ / (√v̂ + eps), with running means m of g and v of g².

    The corrections 1 - βᵗ are computed in float64.  As ``torch.optim.Adam``; Kingma and Ba, 2015.
    Raises ValueError for a negative setting, or a β outside of [0, 1).

    >>> import nnlib
    >>> rule = nnlib.optim.functional.adam(lr=0.1)
    >>> w = nnlib.tensor([1.0, -100.0])
    >>> rule.update(w, 2 * w, rule.init(w))[0]  # the first step is lr long, whatever the gradient
    tensor([  0.9000, -99.9000])
    """
    return _adam(lr, betas, eps, weight_decay, amsgrad, maximize, False)


def adamw(
    lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
    weight_decay: float = 1e-2, amsgrad: bool = False, *, maximize: bool = False,
) -> Rule:  # fmt: skip
    """Adam whose weight decay acts on the weights themselves.  As ``torch.optim.AdamW``.

    Raises ValueError for a negative setting, or a β outside of [0, 1).  Loshchilov and Hutter,
    2019.

    >>> import nnlib
    >>> rule = nnlib.optim.functional.adamw(lr=0.1, weight_decay=0.5)
    >>> w = nnlib.tensor([1.0, -100.0])
    >>> rule.update(w, 2 * w, rule.init(w))[0]
    tensor([  0.8500, -94.9000])
    """
    return _adam(lr, betas, eps, weight_decay, amsgrad, maximize, True)


def rmsprop(
    lr: float = 1e-2, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0,
    momentum: float = 0, centered: bool = False, *, maximize: bool = False,
) -> Rule:  # fmt: skip
    """w ← w - lr · g / (√v + eps), with v the running mean of g².  As ``torch.optim.RMSprop``.

    Raises ValueError for a negative setting.

    >>> import nnlib
    >>> rule = nnlib.optim.functional.rmsprop(lr=0.01)
    >>> w = nnlib.tensor([1.0, -100.0])
    >>> rule.update(w, 2 * w, rule.init(w))[0]
    tensor([  0.9000, -99.9000])
    """
    at_least_zero(
        learning_rate=lr, epsilon=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha
    )

    def begin(p: Any) -> State:
        names = ["square_avg", *(["grad_avg"] if centered else []),
                 *(["momentum_buffer"] if momentum else [])]  # fmt: skip
        return {name: zeros_like(p).detach() for name in names}

    def step(p: Any, g: Any, state: State, t: Any, lr: Any) -> tuple[Any, State]:
        g = _signed(p, g, weight_decay, maximize)
        spread = state["square_avg"] * alpha + g * g * (1 - alpha)
        new = {"square_avg": spread}
        if centered:
            mean = new["grad_avg"] = state["grad_avg"] * alpha + g * (1 - alpha)
            spread = spread - mean * mean
        g = g / (e.sqrt(spread) + eps)
        if momentum:
            g = new["momentum_buffer"] = state["momentum_buffer"] * momentum + g
        return p - g * lr, new

    return _rule(lr, begin, step)


def adagrad(
    lr: float = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
    initial_accumulator_value: float = 0, eps: float = 1e-10, *, maximize: bool = False,
) -> Rule:  # fmt: skip
    """w ← w - lr / (1 + (t - 1) · lr_decay) · g / (√v + eps), with v the sum of all g².

    As ``torch.optim.Adagrad``.  Raises ValueError for a negative setting.

    >>> import nnlib
    >>> rule = nnlib.optim.functional.adagrad(lr=0.1)
    >>> w = nnlib.tensor([1.0, -100.0])
    >>> rule.update(w, 2 * w, rule.init(w))[0]
    tensor([  0.9000, -99.9000])
    """
    at_least_zero(
        learning_rate=lr, lr_decay=lr_decay, weight_decay=weight_decay, epsilon=eps,
        initial_accumulator_value=initial_accumulator_value,
    )  # fmt: skip

    def begin(p: Any) -> State:
        return {"sum": full_like(p, initial_accumulator_value).detach()}

    def step(p: Any, g: Any, state: State, t: Any, lr: Any) -> tuple[Any, State]:
        g = _signed(p, g, weight_decay, maximize)
        total = state["sum"] + g * g
        rate = _like(lr / (1 + (t - 1) * lr_decay), p) if lr_decay else lr
        return p - g / (e.sqrt(total) + eps) * rate, {"sum": total}

    return _rule(lr, begin, step)

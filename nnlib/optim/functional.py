"""Optimisers as pure functions: new parameters and a new state from old ones and gradients.

Each function takes PyTorch's settings and returns a `Rule`.  Parameters, gradients and states are
trees of tensors with the same structure, so a whole training step is one pure function, which
`nnlib.compile` can compile.  The results are those of the classes of `nnlib.optim`, because both
apply the same formulas.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from nnlib import dtypes, trees
from nnlib.functions.create import tensor
from nnlib.optim import formulas
from nnlib.optim.formulas import Formula, State

__all__ = ["Rule", "adagrad", "adam", "adamw", "rmsprop", "sgd"]

Tree = Any


class Rule(NamedTuple):
    """An optimiser as two pure functions, unlike the classes of ``torch.optim``.

    ``init(params)`` is the state before the first step.  ``update(params, grads, state)`` returns
    ``(params, state)`` after a step; ``lr=`` gives that step a learning rate of its own, which
    is a number or a 0-d tensor.

    >>> import nnlib
    >>> rule = nnlib.optim.functional.sgd(lr=0.1)
    >>> w = nnlib.tensor(1.0)
    >>> rule.update(w, nnlib.func.grad(lambda w: w * w)(w), rule.init(w))[0]
    tensor(0.8000)
    """

    init: Callable[[Tree], State]
    update: Callable[..., tuple[Tree, State]]


def _rule(formula: type[Formula], lr: float, **settings: Any) -> Rule:
    """The rule that applies a formula to each tensor of a tree; t counts the steps from 1."""
    formula.check({"lr": lr, **settings})

    def init(params: Tree) -> State:
        leaves, _ = trees.flatten(params)
        states = [formula.init_state(p, settings) for p in leaves]
        return {"step": tensor(0.0, dtype=dtypes.float64), "each": states}

    def update(params: Tree, grads: Tree, state: State, lr: Any = lr) -> tuple[Tree, State]:
        leaves, structure = trees.flatten(params)
        gs, grads_structure = trees.flatten(grads)
        if grads_structure != structure or len(state["each"]) != len(leaves):
            raise ValueError(
                f"update(params, grads, state): params are {trees.describe(structure)}, gradients "
                f"{trees.describe(grads_structure)}, and the state is for {len(state['each'])} "
                "tensors: all three must have the same structure"
            )
        t, step_settings = state["step"] + 1, {"lr": lr, **settings}
        leaf_inputs = zip(leaves, gs, state["each"])
        pairs = [formula.step(p, g, own, t, step_settings) for p, g, own in leaf_inputs]
        new_params = trees.build(structure, [p for p, _ in pairs])
        return new_params, {"step": t, "each": [own for _, own in pairs]}

    return Rule(init, update)


def sgd(
    lr: float = 1e-3, momentum: float = 0, dampening: float = 0, weight_decay: float = 0,
    nesterov: bool = False, *, maximize: bool = False,
) -> Rule:  # fmt: skip
    """w ← w - lr · v with v ← momentum · v + (1 - dampening) · g.  Like ``torch.optim.SGD``.

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
    return _rule(
        formulas.SGD, lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay,
        nesterov=nesterov, maximize=maximize,
    )  # fmt: skip


def adam(
    lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
    weight_decay: float = 0, amsgrad: bool = False, *, maximize: bool = False,
) -> Rule:  # fmt: skip
    """w ← w - lr · m̂ / (√v̂ + eps), with running means m of g and v of g².

    The corrections 1 - βᵗ are computed in float64.  Like ``torch.optim.Adam``; Kingma and Ba, 2015.
    Raises ValueError for a negative setting, or a β outside of [0, 1).

    >>> import nnlib
    >>> rule = nnlib.optim.functional.adam(lr=0.1)
    >>> w = nnlib.tensor([1.0, -100.0])
    >>> rule.update(w, 2 * w, rule.init(w))[0]  # changes each weight by lr
    tensor([  0.9000, -99.9000])
    """
    return _rule(
        formulas.Adam, lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad,
        maximize=maximize,
    )  # fmt: skip


def adamw(
    lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
    weight_decay: float = 1e-2, amsgrad: bool = False, *, maximize: bool = False,
) -> Rule:  # fmt: skip
    """Adam whose weight decay acts on the weights themselves.  Like ``torch.optim.AdamW``.

    Raises ValueError for a negative setting, or a β outside of [0, 1).  Loshchilov and Hutter,
    2019.

    >>> import nnlib
    >>> rule = nnlib.optim.functional.adamw(lr=0.1, weight_decay=0.5)
    >>> w = nnlib.tensor([1.0, -100.0])
    >>> rule.update(w, 2 * w, rule.init(w))[0]
    tensor([  0.8500, -94.9000])
    """
    return _rule(
        formulas.AdamW, lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad,
        maximize=maximize,
    )  # fmt: skip


def rmsprop(
    lr: float = 1e-2, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0,
    momentum: float = 0, centered: bool = False, *, maximize: bool = False,
) -> Rule:  # fmt: skip
    """w ← w - lr · g / (√v + eps), with v the running mean of g².  Like ``torch.optim.RMSprop``.

    Raises ValueError for a negative setting.

    >>> import nnlib
    >>> rule = nnlib.optim.functional.rmsprop(lr=0.01)
    >>> w = nnlib.tensor([1.0, -100.0])
    >>> rule.update(w, 2 * w, rule.init(w))[0]
    tensor([  0.9000, -99.9000])
    """
    return _rule(
        formulas.RMSprop, lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum,
        centered=centered, maximize=maximize,
    )  # fmt: skip


def adagrad(
    lr: float = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
    initial_accumulator_value: float = 0, eps: float = 1e-10, *, maximize: bool = False,
) -> Rule:  # fmt: skip
    """w ← w - lr / (1 + (t - 1) · lr_decay) · g / (√v + eps), with v the sum of all g².

    Like ``torch.optim.Adagrad``.  Raises ValueError for a negative setting.

    >>> import nnlib
    >>> rule = nnlib.optim.functional.adagrad(lr=0.1)
    >>> w = nnlib.tensor([1.0, -100.0])
    >>> rule.update(w, 2 * w, rule.init(w))[0]
    tensor([  0.9000, -99.9000])
    """
    return _rule(
        formulas.Adagrad, lr, lr_decay=lr_decay, weight_decay=weight_decay,
        initial_accumulator_value=initial_accumulator_value, eps=eps, maximize=maximize,
    )  # fmt: skip

"""Optimizer: groups of parameters, their settings and states, and the step over all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias, TypeVar, overload

import numpy as np

from nnlib import record
from nnlib.autograd import no_grad
from nnlib.functions.arithmetic import clone
from nnlib.record import Leaf, Value
from nnlib.tensor import Tensor

T = TypeVar("T")
Params: TypeAlias = "Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]"


class Optimizer:
    """The base class of optimisers: it changes parameters.  Like ``torch.optim.Optimizer``.

    `params` are the tensors to change, or dicts with the key "params" and the settings that differ
    from `defaults` in that group.  ``param_groups`` has the settings (``lr`` and others), which may
    be changed at any time.  Raises ValueError for an empty list, for one that repeats a tensor, and
    for a tensor that is not a leaf; TypeError for anything but a tensor.

    >>> import nnlib
    >>> w, b = nnlib.zeros(2, requires_grad=True), nnlib.zeros(1, requires_grad=True)
    >>> groups = [{"params": [w], "lr": 0.1}, {"params": [b]}]
    >>> opt = nnlib.optim.SGD(groups, lr=0.5)
    >>> [group["lr"] for group in opt.param_groups]
    [0.1, 0.5]
    """

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        if isinstance(params, Value):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                "but got a single Tensor: write [w] for w"
            )
        self.defaults = defaults
        self.state: dict[Any, dict[str, Any]] = {}
        self.param_groups: list[dict[str, Any]] = []
        groups: list[Any] = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with their own settings.

        Raises TypeError for anything but a dict, ValueError for a tensor that is already in a
        group.

        >>> import nnlib
        >>> w, b = nnlib.zeros(2, requires_grad=True), nnlib.zeros(1, requires_grad=True)
        >>> opt = nnlib.optim.SGD([w], lr=0.5)
        >>> opt.add_param_group({"params": [b], "lr": 0.1})
        >>> len(opt.param_groups)
        2
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        members = param_group["params"]
        params = [members] if isinstance(members, Value) else list(members)
        params = [p[1] if isinstance(p, tuple) else p for p in params]
        for p in params:
            _check_parameter(p)
        known = [id(p) for group in self.param_groups for p in group["params"]]
        if len(set(known + [id(p) for p in params])) != len(known) + len(params):
            raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append({**self.defaults, **param_group, "params": params})

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Reset the gradients, so that the next backward() does not add to them.

        >>> import nnlib
        >>> w = nnlib.tensor(3.0, requires_grad=True)
        >>> opt = nnlib.optim.SGD([w], lr=0.5)
        >>> (w * w).backward()
        >>> opt.zero_grad()
        >>> w.grad is None
        True
        """
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif p.grad is not None:
                    p.grad = p.grad.detach()
                    p.grad.zero_()

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], T]) -> T: ...
    def step(self, closure: Callable[[], T] | None = None) -> T | None:
        """Change every parameter that has a gradient, once; returns what `closure` returns.

        >>> import nnlib
        >>> w = nnlib.tensor(3.0, requires_grad=True)
        >>> opt = nnlib.optim.SGD([w], lr=0.5)
        >>> (2 * w).backward()
        >>> opt.step()
        >>> w
        tensor(2., requires_grad=True)
        """
        loss = None
        if closure is not None:
            with record.recording(True):
                loss = closure()
        if tracer := record.current_tracer():
            tracer.refuse(
                "an optimiser's step changes parameters in place; nnlib.optim.functional has the "
                "same update rules as pure functions"
            )
        with no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state.get(p)
                    if state is None:
                        state = self.state[p] = self.init_state(p, group)
                    self._update_arrays(p, p.grad._data, state, group)
        return loss

    def _update_arrays(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        x = p._data
        if x.__class__ is np.ndarray:
            self.update(x, g, state, group)
            record.mark_changed(x)
        else:  # a NumPy scalar cannot be changed in place: update an array, then copy its value
            array = np.array(x)
            self.update(array, np.asarray(g), state, group)
            p.fill_(array.item())

    def init_state(self, p: Any, group: dict[str, Any]) -> dict[str, Any]:
        """The state of one parameter before its first step.

        >>> import nnlib
        >>> w = nnlib.tensor([1.0, 2.0], requires_grad=True)
        >>> opt = nnlib.optim.Adam([w])
        >>> sorted(opt.init_state(w, opt.param_groups[0]))
        ['exp_avg', 'exp_avg_sq', 'step']
        """
        return {}

    def update(
        self, x: np.ndarray, g: np.ndarray, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        """Change the array `x` in place, given its gradient `g`.

        Subclasses define it; the base class raises NotImplementedError.

        >>> import nnlib
        >>> import numpy as np
        >>> class SignDescent(nnlib.optim.Optimizer):
        ...     def update(self, x, g, state, group):
        ...         x -= group["lr"] * np.sign(g)
        >>> w = nnlib.tensor([1.0, -100.0], requires_grad=True)
        >>> opt = SignDescent([w], {"lr": 0.5})
        >>> (w * w).sum().backward()
        >>> opt.step()
        >>> w
        tensor([  0.5000, -99.5000], requires_grad=True)
        """
        raise NotImplementedError

    # ------------------------------------------------------------ saving
    def state_dict(self) -> dict[str, Any]:
        """{"state": …, "param_groups": …}, where parameters are numbered in their order.

        >>> import nnlib
        >>> w = nnlib.tensor(3.0, requires_grad=True)
        >>> nnlib.optim.SGD([w], lr=0.5).state_dict()["param_groups"][0]["lr"]
        0.5
        """
        index_of = {
            id(p): index
            for index, p in enumerate(p for group in self.param_groups for p in group["params"])
        }
        groups = [
            {
                **{k: v for k, v in group.items() if k != "params"},
                "params": [index_of[id(p)] for p in group["params"]],
            }
            for group in self.param_groups
        ]
        state = {index_of[id(p)]: dict(s) for p, s in self.state.items() if s}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load settings and states.  Raises ValueError if the groups do not match.

        >>> import nnlib
        >>> w = nnlib.tensor(3.0, requires_grad=True)
        >>> opt, other = nnlib.optim.SGD([w], lr=0.5), nnlib.optim.SGD([w], lr=0.1)
        >>> opt.load_state_dict(other.state_dict())
        >>> opt.param_groups[0]["lr"]
        0.1
        """
        groups, own = state_dict["param_groups"], self.param_groups
        if len(groups) != len(own):
            raise ValueError(
                f"loaded state dict has a different number of parameter groups: {len(groups)}, and "
                f"this optimizer has {len(own)}"
            )
        if [len(g["params"]) for g in groups] != [len(g["params"]) for g in own]:
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of "
                "optimizer's group"
            )
        by_index: dict[Any, Any] = {}
        for saved, group in zip(groups, own, strict=True):
            by_index.update(zip(saved["params"], group["params"], strict=True))
            group.update({k: v for k, v in saved.items() if k != "params"})
        self.state = {
            by_index[int(index)]: {k: _copied(v) for k, v in state.items()}
            for index, state in state_dict["state"].items()
        }

    def __repr__(self) -> str:
        lines = []
        for index, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {index}")
            lines += [f"    {k}: {group[k]}" for k in sorted(group) if k != "params"]
        return f"{type(self).__name__} (\n" + "\n".join(lines) + "\n)"


def _check_parameter(p: Any) -> None:
    if not isinstance(p, Value):
        raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {p!r}")
    if p._node is not None and not isinstance(p._node, Leaf):
        raise ValueError(
            "can't optimize a non-leaf Tensor: it was computed from others; pass those"
        )


def _copied(value: Tensor | float) -> Tensor | float:
    return clone(value).detach() if isinstance(value, Value) else value

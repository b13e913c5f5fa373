"""Module: a function with parameters; the layers and losses built of it, as in `torch.nn`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from nnlib.autograd import no_grad
from nnlib.functions.create import rand
from nnlib.nn import functional as F
from nnlib.record import Leaf, Value
from nnlib.tensor import Tensor


class Parameter(Tensor):
    """A tensor that a Module counts among its parameters.  As ``torch.nn.Parameter``."""

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        if not isinstance(data, Value):
            raise TypeError(f"Parameter needs a Tensor, not {type(data).__name__}")
        self._data = data._data
        self._node = Leaf() if requires_grad else None

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()


class Module:
    """A function with parameters.  As ``torch.nn.Module``: write ``forward``, call the module.

    >>> import nnlib
    >>> nnlib.nn.Sequential(nnlib.nn.Linear(2, 3), nnlib.nn.ReLU())
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): ReLU()
    )
    """

    training = True

    def forward(self, *args: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no forward()")

    def __call__(self, *args: Any) -> Any:
        return self.forward(*args)

    def named_children(self) -> Iterator[tuple[str, Module]]:
        return ((k, v) for k, v in vars(self).items() if isinstance(v, Module))

    def modules(self) -> Iterator[Module]:
        yield self
        for _, child in self.named_children():
            yield from child.modules()

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Parameter]]:
        seen: set[int] = set()
        for name, p in self._all_parameters(prefix):
            if id(p) not in seen:
                seen.add(id(p))
                yield name, p

    def _all_parameters(self, prefix: str) -> Iterator[tuple[str, Parameter]]:
        dot = f"{prefix}." if prefix else ""
        for name, value in vars(self).items():
            if isinstance(value, Parameter):
                yield dot + name, value
        for name, child in self.named_children():
            yield from child._all_parameters(dot + name)

    def parameters(self) -> Iterator[Parameter]:
        return (p for _, p in self.named_parameters())

    def apply(self, fn: Callable[[Module], None]) -> Module:
        """Call `fn` on every module inside, then on this one."""
        for _, child in self.named_children():
            child.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Module:
        for m in self.modules():
            m.training = mode
        return self

    def eval(self) -> Module:
        return self.train(False)

    def zero_grad(self) -> None:
        for p in self.parameters():
            p.grad = None

    def state_dict(self) -> dict[str, Any]:
        """The parameters by name, sharing their memory."""
        return {name: p.detach() for name, p in self._all_parameters("")}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Copy values into the parameters.  RuntimeError names keys or shapes that differ."""
        own = dict(self._all_parameters(""))
        missing, extra = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
        shapes = [
            f"size mismatch for {k}: {list(state[k].shape)} given, {list(own[k].shape)} needed"
            for k in own.keys() & state.keys()
            if state[k].shape != own[k].shape
        ]
        if missing or extra or shapes:
            raise RuntimeError(
                f"Error(s) in loading state_dict for {type(self).__name__}: missing keys "
                f"{missing}, unexpected keys {extra}. " + "; ".join(sorted(shapes))
            )
        with no_grad():
            for name, p in own.items():
                p.copy_(state[name])

    def extra_repr(self) -> str:
        return ""

    def __repr__(self) -> str:
        name = type(self).__name__
        inner = [f"({k}): " + repr(m).replace("\n", "\n  ") for k, m in self.named_children()]
        if not inner:
            return f"{name}({self.extra_repr()})"
        return f"{name}(\n  " + "\n  ".join(inner) + "\n)"


class Linear(Module):
    """x Wᵀ + b.  Weight and bias start uniform on ±1/√in_features.  As ``torch.nn.Linear``."""

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        self.in_features, self.out_features = in_features, out_features
        bound = 1 / math.sqrt(in_features) if in_features else 0.0
        self.weight = Parameter((rand(out_features, in_features) * 2 - 1) * bound)
        self.bias = Parameter((rand(out_features) * 2 - 1) * bound) if bias else None

    def forward(self, input: Any) -> Any:
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Sequential(Module):
    """Modules one after the other: the composition of their functions."""

    def __init__(self, *modules: Module) -> None:
        for i, m in enumerate(modules):
            setattr(self, str(i), m)

    def __len__(self) -> int:
        return len(list(self.named_children()))

    def __getitem__(self, i: int) -> Module:
        return [m for _, m in self.named_children()][i]

    def __iter__(self) -> Iterator[Module]:
        return (m for _, m in self.named_children())

    def forward(self, input: Any) -> Any:
        for module in self:
            input = module(input)
        return input


class ReLU(Module):
    """max(x, 0)."""

    def forward(self, input: Any) -> Any:
        return F.relu(input)


class Sigmoid(Module):
    """1/(1 + e^-x)."""

    def forward(self, input: Any) -> Any:
        return F.sigmoid(input)


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, input: Any) -> Any:
        return F.tanh(input)


class _Loss(Module):
    function: Callable[..., Any]

    def __init__(self, reduction: str = "mean") -> None:
        self.reduction = reduction

    def forward(self, input: Any, target: Any) -> Any:
        return type(self).function(input, target, self.reduction)


class MSELoss(_Loss):
    """The mean of (x - y)²."""

    function = staticmethod(F.mse_loss)


class BCELoss(_Loss):
    """Binary cross-entropy of probabilities."""

    function = staticmethod(F.binary_cross_entropy)


class BCEWithLogitsLoss(_Loss):
    """Binary cross-entropy of logits."""

    function = staticmethod(F.binary_cross_entropy_with_logits)


class NLLLoss(_Loss):
    """The negative log-likelihood of the right class."""

    function = staticmethod(F.nll_loss)


class CrossEntropyLoss(_Loss):
    """Cross-entropy of logits over classes."""

    function = staticmethod(F.cross_entropy)

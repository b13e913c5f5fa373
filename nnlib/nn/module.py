"""Module: a function with parameters, buffers and submodules, as ``torch.nn.Module``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

import numpy as np

from nnlib import devices, dtypes
from nnlib._types import Device, DType
from nnlib.autograd import no_grad
from nnlib.autograd.hooks import RemovableHandle, register
from nnlib.record import Leaf, Value, as_memory
from nnlib.tensor import Tensor

T = TypeVar("T", bound=Tensor)


class Parameter(Tensor):
    """A tensor that becomes a parameter of the Module that it is assigned to.

    Raises TypeError for anything but a tensor, RuntimeError for an integer tensor that requires a
    gradient.  Like ``torch.nn.Parameter``.

    >>> import nnlib
    >>> nnlib.nn.Parameter(nnlib.zeros(2))
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Tensor, requires_grad: bool = True) -> None:
        if not isinstance(data, Value):
            raise TypeError(f"Parameter needs a Tensor, not {type(data).__name__}")
        if requires_grad and data._data.dtype.kind != "f":
            raise RuntimeError(
                "Only Tensors of floating point dtype can require gradients: this one is "
                f"{dtypes.of(data._data).name}"
            )
        self._data = as_memory(data)
        self._node = Leaf() if requires_grad else None

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()

    _copies_grad = False  # a copied module begins without gradients


class IncompatibleKeys(NamedTuple):
    """The keys that `load_state_dict` did not find, and those that it did not expect."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not any(self):
            return "<All keys matched successfully>"
        return f"IncompatibleKeys(missing_keys={self[0]}, unexpected_keys={self[1]})"


class Module:
    """A function with parameters.  Like ``torch.nn.Module``: write ``forward``, call the module.

    Its parameters and submodules are the attributes of type `Parameter` and `Module`, in the order
    in which they were set; its buffers (tensors that belong to the state and are not trained) are
    set by `register_buffer`.

    >>> import nnlib
    >>> nnlib.nn.Sequential(nnlib.nn.Linear(2, 3), nnlib.nn.ReLU())
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): ReLU()
    )
    """

    training = True
    _buffer_names: tuple[str, ...] = ()  # replaced, not changed in place: the class's stays ()
    _non_persistent: tuple[str, ...] = ()  # buffers that are left out of state_dict()
    _absent: tuple[str, ...] = ()  # parameters that are None
    _forward_pre_hooks: dict[int, Callable[..., Any]] | None = None
    _forward_hooks: dict[int, Callable[..., Any]] | None = None

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the module's output.  Subclasses define it; call the module, not this method.

        Module's own version raises NotImplementedError.

        >>> import nnlib
        >>> class Double(nnlib.nn.Module):
        ...     def forward(self, x):
        ...         return 2 * x
        >>> Double()(nnlib.tensor([1.0, 2.0]))
        tensor([2., 4.])
        """
        raise NotImplementedError(
            f'Module [{type(self).__name__}] is missing the required "forward" function: define '
            "forward(self, ...) in the class (its name must be exactly that)"
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        if self._forward_pre_hooks is None and self._forward_hooks is None:
            return self.forward(*args, **kwargs)  # type: ignore[no-any-return]
        for hook in list((self._forward_pre_hooks or {}).values()):
            changed = hook(self, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        result = self.forward(*args, **kwargs)
        for hook in list((self._forward_hooks or {}).values()):
            changed = hook(self, args, result)
            result = result if changed is None else changed
        return result  # type: ignore[no-any-return]

    # ------------------------------------------------------------ hooks

    def register_forward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after forward; what it returns replaces the output.

        Returns a handle; ``handle.remove()`` removes the hook.

        >>> import nnlib
        >>> layer = nnlib.nn.Linear(2, 3)
        >>> handle = layer.register_forward_hook(lambda module, args, output: print(output.shape))
        >>> _ = layer(nnlib.ones(5, 2))
        nnlib.Size([5, 3])
        """
        if self._forward_hooks is None:
            self._forward_hooks = {}
        return register(self._forward_hooks, hook)

    def register_forward_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, args)`` before forward; what it returns replaces the arguments.

        >>> import nnlib
        >>> layer = nnlib.nn.ReLU()
        >>> handle = layer.register_forward_pre_hook(lambda module, args: (-args[0],))
        >>> layer(nnlib.tensor([-1.0, 2.0]))
        tensor([1., 0.])
        """
        if self._forward_pre_hooks is None:
            self._forward_pre_hooks = {}
        return register(self._forward_pre_hooks, hook)

    # ------------------------------------------------------------ parameters, buffers, submodules

    def __setattr__(self, name: str, value: Any) -> None:
        """Raise TypeError if a parameter, module or buffer would silently leave the state."""
        current = vars(self).get(name)
        if isinstance(value, Parameter):
            self._buffer_names = tuple([n for n in self._buffer_names if n != name])
        elif isinstance(current, Parameter) or name in self._absent:
            if value is not None:
                raise _cannot_assign(value, "as parameter", name, "nnlib.nn.Parameter")
        elif isinstance(current, Module):
            if value is not None and not isinstance(value, Module):
                raise _cannot_assign(value, "as child module", name, "nnlib.nn.Module")
        elif name in self._buffer_names and not isinstance(value, (Value, type(None), Module)):
            raise _cannot_assign(value, "object to buffer", name, "nnlib.Tensor")
        if isinstance(current, Parameter) and value is None:
            self._absent = (*self._absent, name)
        elif value is not None and name in self._absent:
            self._absent = tuple([n for n in self._absent if n != name])
        object.__setattr__(self, name, value)

    if TYPE_CHECKING:  # for attributes that are set by name, as register_buffer() does

        def __getattr__(self, name: str) -> Tensor | Module: ...

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a submodule under a name.

        Raises TypeError for anything but a module, KeyError for a name that is taken or has a dot.

        >>> import nnlib
        >>> net = nnlib.nn.Module()
        >>> net.add_module("activation", nnlib.nn.ReLU())
        >>> net.activation
        ReLU()
        """
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{type(module).__name__} is not a Module subclass")
        self._check_name("module", name, isinstance(vars(self).get(name), (Module, type(None))))
        setattr(self, name, module)

    register_module = add_module

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under a name, or None for one that is optional and not used.

        Raises TypeError for anything else, KeyError for a name that is taken or has a dot.

        >>> import nnlib
        >>> net = nnlib.nn.Module()
        >>> net.register_parameter("w", nnlib.nn.Parameter(nnlib.zeros(2)))
        >>> list(net.state_dict())
        ['w']
        """
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{type(param).__name__}' object to parameter '{name}' "
                "(nnlib.nn.Parameter or None required)"
            )
        replaceable = isinstance(vars(self).get(name), Parameter) or name in self._absent
        self._check_name("parameter", name, replaceable)
        setattr(self, name, param)
        if param is None and name not in self._absent:
            self._absent = (*self._absent, name)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that belongs to the state but is not trained, such as a running mean.

        With ``persistent=False`` it is left out of `state_dict`.  Raises TypeError for anything but
        a tensor, KeyError for a name that is taken or has a dot.

        >>> import nnlib
        >>> net = nnlib.nn.Module()
        >>> net.register_buffer("mean", nnlib.zeros(2))
        >>> list(net.parameters()), list(net.state_dict())
        ([], ['mean'])
        """
        if tensor is not None and not isinstance(tensor, Value):
            raise TypeError(
                f"cannot assign '{type(tensor).__name__}' object to buffer '{name}' (Tensor or "
                "None required)"
            )
        if name not in self._buffer_names:
            self._check_name("buffer", name, False)
            self._buffer_names = (*self._buffer_names, name)
        self._non_persistent = tuple([n for n in self._non_persistent if n != name])
        if not persistent:
            self._non_persistent = (*self._non_persistent, name)
        setattr(self, name, tensor)

    def _check_name(self, role: str, name: str, replaceable: bool) -> None:
        """Raise an error for an invalid name, or for one that another attribute has."""
        if not isinstance(name, str):
            raise TypeError(f"{role} name should be a string. Got {type(name).__name__}")
        if "." in name or not name:
            raise KeyError(f'{role} name can\'t be empty or contain ".", got: {name!r}')
        if hasattr(self, name) and not replaceable:
            raise KeyError(f"attribute '{name}' already exists: choose another name")

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The direct submodules with their names, each once.

        >>> import nnlib
        >>> net = nnlib.nn.Sequential(nnlib.nn.Linear(2, 1), nnlib.nn.ReLU())
        >>> [name for name, child in net.named_children()]
        ['0', '1']
        """
        visited: set[int] = set()
        for name, child in self._own_modules():
            if id(child) not in visited:
                visited.add(id(child))
                yield name, child

    def _own_modules(self) -> list[tuple[str, Module]]:
        """The direct submodules under all their names, a shared one more than once."""
        return [(k, v) for k, v in vars(self).items() if isinstance(v, Module)]

    def children(self) -> Iterator[Module]:
        """The direct submodules.

        >>> import nnlib
        >>> net = nnlib.nn.Sequential(nnlib.nn.Linear(2, 1), nnlib.nn.ReLU())
        >>> list(net.children())
        [Linear(in_features=2, out_features=1, bias=True), ReLU()]
        """
        return (m for _, m in self.named_children())

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all submodules, each once, with dotted names (this one's is empty).

        >>> import nnlib
        >>> net = nnlib.nn.Sequential(nnlib.nn.Linear(2, 1), nnlib.nn.ReLU())
        >>> [name for name, module in net.named_modules()]
        ['', '0', '1']
        """
        visited: set[int] = set()
        for name, m in self._all_modules(prefix):
            if id(m) not in visited:
                visited.add(id(m))
                yield name, m

    def _all_modules(self, prefix: str) -> Iterator[tuple[str, Module]]:
        yield prefix, self
        for name, child in self._own_modules():
            yield from child._all_modules(f"{prefix}.{name}" if prefix else name)

    def modules(self) -> Iterator[Module]:
        """This module and all submodules, each once.

        >>> import nnlib
        >>> net = nnlib.nn.Sequential(nnlib.nn.Linear(2, 1), nnlib.nn.ReLU())
        >>> [type(module).__name__ for module in net.modules()]
        ['Sequential', 'Linear', 'ReLU']
        """
        return (m for _, m in self.named_modules())

    def get_submodule(self, target: str) -> Module:
        """The submodule with a dotted name.  Raises AttributeError if there is none.

        >>> import nnlib
        >>> net = nnlib.nn.Sequential(nnlib.nn.Sequential(nnlib.nn.ReLU()))
        >>> net.get_submodule("0.0")
        ReLU()
        """
        current: Module = self
        for name in target.split(".") if target else ():
            inner = vars(current).get(name)
            if not isinstance(inner, Module):
                raise AttributeError(f"{type(current).__name__} has no module `{name}`")
            current = inner
        return current

    def named_parameters(
        self, prefix: str = "", recurse: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters with dotted names, each once.

        >>> import nnlib
        >>> net = nnlib.nn.Sequential(nnlib.nn.Linear(2, 3), nnlib.nn.ReLU())
        >>> [(name, p.shape) for name, p in net.named_parameters()]
        [('0.weight', nnlib.Size([3, 2])), ('0.bias', nnlib.Size([3]))]
        """
        visited: set[int] = set()
        for name, p in self._all(prefix, Module._own_parameters, recurse):
            if id(p) not in visited:
                visited.add(id(p))
                yield name, p

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, each once, as optimisers take them.

        >>> import nnlib
        >>> net = nnlib.nn.Sequential(nnlib.nn.Linear(2, 3), nnlib.nn.Linear(3, 1))
        >>> sum(p.numel() for p in net.parameters())
        13
        """
        return (p for _, p in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Tensor]]:
        """The buffers with dotted names, each once.

        >>> import nnlib
        >>> [name for name, b in nnlib.nn.BatchNorm1d(3).named_buffers()]
        ['running_mean', 'running_var', 'num_batches_tracked']
        """
        visited: set[int] = set()
        for name, b in self._all(prefix, Module._own_buffers, recurse):
            if id(b) not in visited:
                visited.add(id(b))
                yield name, b

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers.

        >>> import nnlib
        >>> [b.shape for b in nnlib.nn.BatchNorm1d(3).buffers()]
        [nnlib.Size([3]), nnlib.Size([3]), nnlib.Size([])]
        """
        return (b for _, b in self.named_buffers(recurse=recurse))

    def _own_parameters(self) -> list[tuple[str, Parameter]]:
        return [(k, v) for k, v in vars(self).items() if isinstance(v, Parameter)]

    def _own_buffers(self) -> list[tuple[str, Tensor]]:
        own = [(k, getattr(self, k, None)) for k in self._buffer_names]
        return [(k, v) for k, v in own if v is not None]

    def _own_state(self) -> list[tuple[str, Tensor]]:
        persistent = [(k, v) for k, v in self._own_buffers() if k not in self._non_persistent]
        return [*self._own_parameters(), *persistent]

    def _all(
        self, prefix: str, own: Callable[[Module], list[tuple[str, T]]], recurse: bool = True
    ) -> Iterator[tuple[str, T]]:
        dot = f"{prefix}." if prefix else ""
        for name, value in own(self):
            yield dot + name, value
        for name, child in self._own_modules() if recurse else ():
            yield from child._all(dot + name, own)

    # ------------------------------------------------------------ changes to all submodules

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` on every submodule, then on this module.

        >>> import nnlib
        >>> net = nnlib.nn.Sequential(nnlib.nn.ReLU(), nnlib.nn.Tanh())
        >>> _ = net.apply(lambda module: print(type(module).__name__))
        ReLU
        Tanh
        Sequential
        """
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Set training mode in this module and all submodules; dropout and batch norm use it.

        Raises ValueError for a mode that is neither True nor False.

        >>> import nnlib
        >>> nnlib.nn.Dropout().train(False).training
        False
        """
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        for m in self.modules():
            m.training = mode
        return self

    def eval(self) -> Self:
        """Set evaluation mode: the same as ``train(False)``.

        >>> import nnlib
        >>> nnlib.nn.Dropout().eval()(nnlib.ones(3))
        tensor([1., 1., 1.])
        """
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Let the parameters be trained, or freeze them.

        >>> import nnlib
        >>> layer = nnlib.nn.Linear(2, 1).requires_grad_(False)
        >>> layer.weight.requires_grad
        False
        """
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the parameters' gradients to None, or to 0 with ``set_to_none=False``.

        >>> import nnlib
        >>> layer = nnlib.nn.Linear(2, 1)
        >>> layer(nnlib.ones(2)).backward()
        >>> layer.zero_grad()
        >>> layer.weight.grad is None
        True
        """
        for p in self.parameters():
            if set_to_none:
                p.grad = None
            elif p.grad is not None:
                p.grad.zero_()

    def to(
        self,
        *args: DType | Device | Tensor | bool | None,
        dtype: DType | None = None,
        device: Device | None = None,
        **ignored: Any,
    ) -> Self:
        """Convert floating-point parameters and buffers to another type, in place.

        Takes a dtype, a tensor that has it, or a device, which can only be the CPU.  Raises
        TypeError for an integer type, RuntimeError for another device.

        >>> import nnlib
        >>> nnlib.nn.Linear(2, 1).to(nnlib.float64).weight.dtype
        nnlib.float64
        >>> nnlib.nn.Linear(2, 1).to("cpu").weight.device
        device(type='cpu')
        """
        target: Any = dtype
        for argument in args:
            if isinstance(argument, Value):
                target = dtypes.of(argument._data)
            elif isinstance(argument, (str, devices.device)):
                device = argument
            elif not isinstance(argument, bool):  # PyTorch's non_blocking by position
                target = argument
        devices.refuse_other_devices(device)
        if target is None:
            return self
        new_dtype = dtypes.as_numpy(target)
        if new_dtype.kind != "f":
            raise TypeError(
                f"nn.Module.to only accepts floating point dtypes, but got desired dtype={target}"
            )
        for value in [*self.parameters(), *self.buffers()]:
            if value._data.dtype.kind == "f":
                value._data = value._data.astype(new_dtype)
                grad = value.grad
                if grad is not None:
                    grad._data = grad._data.astype(new_dtype)
        return self

    def cpu(self) -> Self:
        """The module itself, which is always on the CPU.

        >>> import nnlib
        >>> nnlib.nn.Linear(2, 1).cpu()
        Linear(in_features=2, out_features=1, bias=True)
        """
        return self

    def half(self) -> Self:
        """Convert parameters and buffers to float16.

        >>> import nnlib
        >>> nnlib.nn.Linear(2, 1).half().weight.dtype
        nnlib.float16
        """
        return self.to(dtypes.float16)

    def double(self) -> Self:
        """Convert parameters and buffers to float64.

        >>> import nnlib
        >>> nnlib.nn.Linear(2, 1).double().weight.dtype
        nnlib.float64
        """
        return self.to(dtypes.float64)

    def float(self) -> Self:
        """Convert parameters and buffers to float32.

        >>> import nnlib
        >>> nnlib.nn.Linear(2, 1).double().float().weight.dtype
        nnlib.float32
        """
        return self.to(dtypes.float32)

    # ------------------------------------------------------------ state

    def state_dict(self) -> dict[str, Tensor]:
        """The parameters and the persistent buffers by name, as tensors that share their memory.

        >>> import nnlib
        >>> {name: value.shape for name, value in nnlib.nn.Linear(2, 3).state_dict().items()}
        {'weight': nnlib.Size([3, 2]), 'bias': nnlib.Size([3])}
        """
        return {name: p.detach() for name, p in self._all("", Module._own_state)}

    def load_state_dict(
        self, state_dict: Mapping[str, Tensor], strict: bool = True
    ) -> IncompatibleKeys:
        """Copy values into parameters and buffers.

        Raises RuntimeError with the keys and shapes that differ; without `strict`, only for shapes.
        Returns the keys that differ.

        >>> import nnlib
        >>> a, b = nnlib.nn.Linear(2, 3), nnlib.nn.Linear(2, 3)
        >>> a.load_state_dict(b.state_dict())
        <All keys matched successfully>
        >>> nnlib.equal(a.weight, b.weight)
        True
        """
        state, own = state_dict, dict(self._all("", Module._own_state))
        missing = [k for k in own if k not in state]
        extra = [k for k in state if k not in own]
        shapes = [
            f"size mismatch for {k}: {list(state[k].shape)} given, {list(own[k].shape)} needed"
            for k in own
            if k in state and tuple(state[k].shape) != tuple(own[k].shape)
        ]
        if shapes or (strict and (missing or extra)):
            raise RuntimeError(
                f"Error(s) in loading state_dict for {type(self).__name__}: missing keys "
                f"{sorted(missing)}, unexpected keys {sorted(extra)}. " + "; ".join(sorted(shapes))
            )
        with no_grad():
            for name, p in own.items():
                if name in state:
                    p.copy_(state[name])
        return IncompatibleKeys(missing, extra)

    # ------------------------------------------------------------ printing

    def extra_repr(self) -> str:
        """The text between the parentheses of the module's printed form: its settings.

        >>> import nnlib
        >>> nnlib.nn.Linear(2, 3).extra_repr()
        'in_features=2, out_features=3, bias=True'
        """
        return ""

    def __repr__(self) -> str:
        name, extra = type(self).__name__, self.extra_repr()
        inner = [f"({k}): " + repr(m).replace("\n", "\n  ") for k, m in self._own_modules()]
        if not inner:
            return f"{name}({extra})"
        return f"{name}(\n  " + "\n  ".join([extra] * bool(extra) + inner) + "\n)"


def _cannot_assign(value: Any, role: str, name: str, needed: str) -> TypeError:
    hint = ""
    if needed.endswith("Parameter") and isinstance(value, Value):
        hint = ". To train it, wrap it: nnlib.nn.Parameter(…). To change the values alone, copy_() "
        hint += "under no_grad()"
    return TypeError(
        f"cannot assign '{type(value).__name__}' {role} '{name}' ({needed} or None required){hint}"
    )


def uniform(*size: int, bound: float) -> Parameter:
    """A parameter sampled uniformly between ±bound; PyTorch's layers have the bound 1/√fan_in."""
    from nnlib.functions.create import rand

    return Parameter((rand(*size) * 2 - 1) * bound)


def check_size(**sizes: Any) -> None:
    """Raise TypeError if a layer's size is not an integer, RuntimeError if it is negative."""
    for name, value in sizes.items():
        if not isinstance(value, (int, np.integer)):
            hint = ": // gives an integer, / a float" if isinstance(value, float) else ""
            type_name = type(value).__name__
            raise TypeError(f"{name} must be an integer, got {value!r} ({type_name}){hint}")
        if value < 0:
            raise RuntimeError(f"{name} must not be negative, got {value}")


def check_positive(**sizes: Any) -> None:
    """Raise TypeError if a layer's size is not an integer, ValueError if it is not positive."""
    for name, value in sizes.items():
        if isinstance(value, (int, np.integer)) and value <= 0:
            raise ValueError(f"{name} must be a positive integer, got {value!r}")
    check_size(**sizes)

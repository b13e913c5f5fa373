"""Modules that contain modules (in sequence, in a list, in a dict) or a list of parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, overload

from nnlib.nn.module import Module, Parameter
from nnlib.tensor import Tensor


class _Numbered(Module):
    """A list of child modules, whose names are their indices: 0, 1, 2, …"""

    def _items(self) -> list[Module]:
        return [m for _, m in self._own_modules()]

    def _fill(self, modules: Iterable[Module]) -> None:
        for name in [k for k, _ in self._own_modules()]:
            delattr(self, name)
        for i, m in enumerate(modules):
            self.add_module(str(i), m)

    def __len__(self) -> int:
        return len(self._items())

    def __iter__(self) -> Iterator[Module]:
        return iter(self._items())

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Module | Self:
        if isinstance(index, slice):
            return self._sliced(list(self._own_modules())[index])
        items = self._items()
        if not -len(items) <= index < len(items):
            raise IndexError(f"index {index} is out of range: there are {len(items)} modules")
        return items[index]

    def _sliced(self, named: list[tuple[str, Module]]) -> Self:
        return type(self)([m for _, m in named])  # type: ignore[call-arg]

    def __setitem__(self, index: int, module: Module) -> None:
        self.add_module([k for k, _ in self._own_modules()][index], module)

    def __delitem__(self, index: int | slice) -> None:
        items = self._items()
        del items[index]
        self._fill(items)

    def append(self, module: Module) -> Self:
        """Put a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Put modules at the end."""
        for m in modules:
            self.append(m)
        return self

    def insert(self, index: int, module: Module) -> None:
        """Put a module before the one at `index`."""
        items = self._items()
        items.insert(index, module)
        self._fill(items)


class Sequential(_Numbered):
    """Modules one after the other: the composition of their functions.

    Takes the modules, or one dict of modules by name.  Like ``torch.nn.Sequential``.

    >>> import nnlib
    >>> net = nnlib.nn.Sequential(nnlib.nn.Linear(2, 3), nnlib.nn.Tanh(), nnlib.nn.Linear(3, 1))
    >>> net(nnlib.zeros(5, 2)).shape
    nnlib.Size([5, 1])
    """

    def __init__(self, *modules: Module | Mapping[str, Module]) -> None:
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            for name, m in modules[0].items():
                self.add_module(name, m)
        else:
            self._fill(modules)  # type: ignore[arg-type]  # add_module() refuses others

    def _sliced(self, named: list[tuple[str, Module]]) -> Self:
        return type(self)(dict(named))

    def forward(self, input: Any) -> Tensor:
        for module in self:
            input = module(input)
        return input  # type: ignore[no-any-return]


class ModuleList(_Numbered):
    """A list of modules, which belong to the module that contains it.

    Like ``torch.nn.ModuleList``.

    >>> import nnlib
    >>> layers = nnlib.nn.ModuleList([nnlib.nn.Linear(2, 2) for _ in range(3)])
    >>> len(list(layers.parameters()))
    6
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        self._fill(modules or ())

    def __repr__(self) -> str:
        """Consecutive modules with the same text share a line: (0-2): 3 x ReLU()."""
        runs: list[tuple[int, int, str]] = []
        for i, text in enumerate(map(repr, self)):
            if runs and runs[-1][2] == text:
                runs[-1] = (runs[-1][0], i, text)
            else:
                runs.append((i, i, text))
        lines = [
            f"({i}): {text}" if i == j else f"({i}-{j}): {j - i + 1} x {text}"
            for i, j, text in runs
        ]
        body = "".join("\n  " + line.replace("\n", "\n  ") for line in lines)
        return f"{type(self).__name__}({body}\n)" if lines else f"{type(self).__name__}()"


class ModuleDict(Module):
    """A dict of modules, which belong to the module that contains it.

    Like ``torch.nn.ModuleDict``.

    >>> import nnlib
    >>> heads = nnlib.nn.ModuleDict({"mean": nnlib.nn.Linear(2, 1), "scale": nnlib.nn.Linear(2, 1)})
    >>> list(heads)
    ['mean', 'scale']
    """

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        self.update(modules or {})

    def update(self, modules: Mapping[str, Module]) -> None:
        """Add modules by name.

        >>> import nnlib
        >>> modules = nnlib.nn.ModuleDict()
        >>> modules.update({"act": nnlib.nn.ReLU()})
        >>> modules
        ModuleDict(
          (act): ReLU()
        )
        """
        for name, m in modules.items():
            self.add_module(name, m)

    def __getitem__(self, name: str) -> Module:
        return dict(self._own_modules())[name]

    def __setitem__(self, name: str, module: Module) -> None:
        self.add_module(name, module)

    def __delitem__(self, name: str) -> None:
        if not isinstance(vars(self).get(name), Module):
            raise KeyError(name)
        delattr(self, name)

    def __contains__(self, name: str) -> bool:
        return isinstance(vars(self).get(name), Module)

    def __len__(self) -> int:
        return len(list(self._own_modules()))

    def __iter__(self) -> Iterator[str]:
        return (k for k, _ in self._own_modules())

    def keys(self) -> list[str]:
        """The names.

        >>> import nnlib
        >>> list(nnlib.nn.ModuleDict({"act": nnlib.nn.ReLU()}).keys())
        ['act']
        """
        return list(self)

    def values(self) -> list[Module]:
        """The modules.

        >>> import nnlib
        >>> list(nnlib.nn.ModuleDict({"act": nnlib.nn.ReLU()}).values())
        [ReLU()]
        """
        return [m for _, m in self._own_modules()]

    def items(self) -> list[tuple[str, Module]]:
        """The pairs of name and module.

        >>> import nnlib
        >>> list(nnlib.nn.ModuleDict({"act": nnlib.nn.ReLU()}).items())
        [('act', ReLU())]
        """
        return list(self._own_modules())


class ParameterList(Module):
    """A list of parameters, which belong to the module that contains it.

    Tensors become parameters.  Like ``torch.nn.ParameterList``.

    >>> import nnlib
    >>> nnlib.nn.ParameterList([nnlib.zeros(2), nnlib.ones(1)])[1]
    Parameter containing:
    tensor([1.], requires_grad=True)
    """

    def __init__(self, values: Iterable[Tensor] | None = None) -> None:
        for v in values or ():
            self.append(v)

    def append(self, value: Tensor) -> Self:
        """Put a parameter at the end.

        >>> import nnlib
        >>> weights = nnlib.nn.ParameterList()
        >>> _ = weights.append(nnlib.nn.Parameter(nnlib.zeros(2)))
        >>> len(weights)
        1
        """
        value = value if isinstance(value, Parameter) else Parameter(value)
        self.register_parameter(str(len(self)), value)
        return self

    def __len__(self) -> int:
        return len(self._own_parameters())

    def __iter__(self) -> Iterator[Parameter]:
        return (p for _, p in self._own_parameters())

    def __getitem__(self, index: int) -> Parameter:
        return [p for _, p in self._own_parameters()][index]

    def __repr__(self) -> str:
        lines = [
            f"({i}): Parameter containing: [{p.dtype} of size {'x'.join(map(str, p.shape))}]"
            for i, p in enumerate(self)
        ]
        return "ParameterList(\n    " + "\n    ".join(lines) + "\n)" if lines else "ParameterList()"

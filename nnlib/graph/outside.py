"""What a function reads besides its arguments: globals, closures, their attributes and contents.

They are found in its bytecode and in that of the functions that it uses, except those of the
standard library, NumPy and nnlib.  A compiled function guards them: it checks before each call that
they are unchanged; if not, it is traced again.  Code that cannot be followed raises GraphError.
"""

from __future__ import annotations

import builtins
import dis
import functools
import sys
from array import array
from collections import deque
from collections.abc import Iterator, MutableMapping
from contextvars import ContextVar
from types import CodeType, FunctionType, MappingProxyType, MethodType, ModuleType
from typing import Any

import numpy as np

from nnlib.functions.create import Generator
from nnlib.graph.steps import GraphError
from nnlib.record import Value

IMMUTABLE = (int, float, complex, str, bytes, bool, type(None), type(Ellipsis))
MOST_OBJECTS = 20_000  # objects that are visited; a function that can reach more is refused
LARGEST_ARRAY = 2**16  # bytes of a captured NumPy array that is compared at each call
_TRUSTED = {"nnlib", "numpy", *sys.stdlib_module_names}
_BANNED = {
    "print": "prints, which a compiled call would not do again: return the value and print it",
    "input": "reads from the keyboard",
    "open": "opens a file: read it beforehand, and pass its content",
    "id": "uses an object's id, which differs between equal arguments",
    **dict.fromkeys(
        ("globals", "locals", "vars", "eval", "exec", "__import__", "setattr", "delattr"),
        "looks up or changes names by text, which cannot be followed: write the names",
    ),
}
_MISSING = object()
_NOT_FOLLOWABLE = (deque, array, bytearray, memoryview, MappingProxyType, ContextVar)
# Methods for printing, comparing, copying and pickling, which are often generated.
_NOT_FOLLOWED = {
    f"__{name}__"
    for name in ("repr", "str", "eq", "hash", "copy", "deepcopy", "reduce", "getstate", "setstate",
                 "replace")
}  # fmt: skip


class Outside:
    """The objects that `fn` and its static arguments reach; `unchanged()` compares them again."""

    def __init__(self, name: str, fn: Any, static: tuple = ()) -> None:
        self.name = name
        self.items: list[tuple[Any, Any, Any]] = []  # holder[key] is value
        self.cells: list[tuple[Any, Any]] = []
        self.sizes: list[tuple[Any, int]] = []
        self.keys: list[tuple[Any, tuple[Any, ...]]] = []  # of mappings, in order
        self.copies: list[tuple[Any, Any]] = []
        self.codes: list[tuple[Any, CodeType, Any, Any]] = []
        self.slots: list[tuple[Any, str, Any]] = []  # holder.name is value
        self.absent: list[tuple[dict[str, Any], str]] = []  # builtins that no global replaces
        self.tensors: dict[int, str] = {}
        self._visited: dict[int, Any] = {}
        self._visit(fn, "")
        for argument in static:
            self._visit(argument, "")

    # ------------------------------------------------------------ guards, checked at each call
    def unchanged(self) -> bool:
        """Whether nothing has been replaced or changed."""
        try:
            for holder, key, value in self.items:
                if holder[key] is not value:
                    return False
            for cell, value in self.cells:
                if cell.cell_contents is not value:
                    return False
            for holder, name, value in self.slots:
                if getattr(holder, name, _MISSING) is not value:
                    return False
        except (KeyError, IndexError, ValueError):
            return False
        for holder, size in self.sizes:
            if len(holder) != size:
                return False
        for holder, keys in self.keys:
            if tuple(holder) != keys:
                return False
        for fn, code, defaults, keywords in self.codes:
            if fn.__code__ is not code or fn.__defaults__ is not defaults:
                return False
            if fn.__kwdefaults__ is not keywords:
                return False
        for holder, name in self.absent:
            if name in holder:
                return False
        return not self.copies or all(_equal(now, before) for now, before in self.copies)

    @property
    def has_guards(self) -> bool:
        return any((self.items, self.cells, self.sizes, self.keys, self.copies, self.codes,
                    self.slots, self.absent))  # fmt: skip

    def holds(self, value: Value) -> bool:
        return id(value) in self.tensors

    def called(self, value: Value) -> str:
        """The name of a tensor in the program, as in " (w)"; empty if it has none."""
        name = self.tensors.get(id(value))
        return f" ({name})" if name else ""

    # ------------------------------------------------------------ objects
    def _refuse(self, reason: str) -> GraphError:
        return GraphError(f"compile: {self.name} {reason}")

    def _visit(self, value: Any, name: str) -> None:
        if isinstance(value, IMMUTABLE) or id(value) in self._visited:
            return
        self._visited[id(value)] = value
        if len(self._visited) > MOST_OBJECTS:
            raise self._refuse("reaches too much outside itself: pass what it needs as arguments")
        if isinstance(value, Value):
            self.tensors[id(value)] = name
        elif isinstance(value, np.ndarray):
            self._array(value, name)
        elif isinstance(value, (ModuleType, Generator, np.generic, np.random.Generator)):
            return  # modules: see `_follow`; generators: PureTracer checks each use
        elif isinstance(value, FunctionType):
            if not _trusted(value.__module__):
                self._function(value)
        elif isinstance(value, MethodType):
            self._visit(value.__func__, name)
            self._visit(value.__self__, name)
        elif isinstance(value, functools.partial):
            for component in (value.func, value.args, value.keywords):
                self._visit(component, name)
        elif isinstance(value, (staticmethod, classmethod)):
            self._visit(value.__func__, name)
        elif isinstance(value, property):
            self._visit(value.fget, name)
        elif isinstance(value, type):
            self._class(value)
        else:
            self._object(value, name)

    def _object(self, value: Any, name: str) -> None:
        followed = getattr(type(value), "followed", None)
        if followed is not None:  # a compiled function: follow the function inside
            self._visit(getattr(value, followed), name)
        elif isinstance(value, _NOT_FOLLOWABLE):
            raise self._refuse(
                f"reads a {type(value).__name__} outside itself ({name}), whose changes would not "
                "be noticed: pass what it needs as arguments, or use a list or a dict"
            )
        else:
            self._contents(value, name)
            if hasattr(value, "__dict__"):
                self._mapping(vars(value), name)
            self._slots(value, name)
            self._class(type(value))

    def _contents(self, value: Any, name: str) -> None:
        if isinstance(value, MutableMapping):
            self._mapping(value, name)
        elif isinstance(value, (list, tuple)):
            self.sizes.append((value, len(value)))
            for k, element in enumerate(value):
                self.items.append((value, k, element))
                self._visit(element, f"{name}[{k}]")
        elif isinstance(value, (set, frozenset)):
            self.copies.append((value, frozenset(value)))

    def _slots(self, value: Any, name: str) -> None:
        for base in type(value).__mro__:
            slots = vars(base).get("__slots__", ())
            if _trusted(base.__module__):
                continue
            for slot in (slots,) if isinstance(slots, str) else slots:
                if slot in ("__dict__", "__weakref__"):
                    continue
                is_private = slot.startswith("__") and not slot.endswith("__")
                attribute = f"_{base.__name__.lstrip('_')}{slot}" if is_private else slot
                element = getattr(value, attribute, _MISSING)
                self.slots.append((value, attribute, element))
                self._visit(element, f"{name}.{slot}")

    def _mapping(self, value: Any, name: str) -> None:
        self.keys.append((value, tuple(value)))
        for key, element in list(value.items()):
            self.items.append((value, key, element))
            self._visit(element, f"{name}.{key}" if isinstance(key, str) else f"{name}[{key!r}]")

    def _class(self, value: type) -> None:
        for base in value.__mro__:
            if _trusted(base.__module__) or (id(base) in self._visited and base is not value):
                continue
            self._visited[id(base)] = base
            self.sizes.append((vars(base), len(vars(base))))
            for key, attribute in list(vars(base).items()):
                if not key.startswith("__") or (
                    isinstance(attribute, FunctionType) and key not in _NOT_FOLLOWED
                ):
                    self.items.append((vars(base), key, attribute))
                    self._visit(attribute, f"{base.__name__}.{key}")

    def _array(self, value: np.ndarray, name: str) -> None:
        if value.nbytes > LARGEST_ARRAY:
            raise self._refuse(
                f"reads a large NumPy array outside itself ({name}), whose changes would not be "
                "noticed: pass it as a tensor"
            )
        self.copies.append((value, value.copy()))

    # ------------------------------------------------------------ code
    def _function(self, fn: FunctionType) -> None:
        self.codes.append((fn, fn.__code__, fn.__defaults__, fn.__kwdefaults__))
        for values in (fn.__defaults__, fn.__kwdefaults__, vars(fn)):
            if values:
                self._visit(values, fn.__name__)
        cells = dict(zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=True))
        self._code(fn.__code__, cells, fn.__globals__)

    def _code(self, code: CodeType, cells: dict[str, Any], names: dict[str, Any]) -> None:
        instructions = [i for i in dis.get_instructions(code) if i.opname != "CACHE"]
        for k, instruction in enumerate(instructions):
            self._check(instruction, instructions[k - 1] if k else None, cells)
            if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                attributes = _attributes(instructions, k + 1)
                self._global(instruction.argval, attributes, names)
            elif instruction.opname in ("LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF"):
                self._cell(instruction.argval, _attributes(instructions, k + 1), cells)
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                self._code(constant, cells, names)

    def _check(self, instruction: Any, previous: Any, cells: dict[str, Any]) -> None:
        if instruction.opname == "IMPORT_NAME":
            raise self._refuse(
                f"imports {instruction.argval} inside: the module may change between calls. "
                "Import it at the top of the file."
            )
        if instruction.opname in ("STORE_GLOBAL", "DELETE_GLOBAL") or (
            instruction.opname in ("STORE_DEREF", "DELETE_DEREF") and instruction.argval in cells
        ):
            raise self._refuse(
                f"changes the variable {instruction.argval}, which is not its own: a compiled call "
                "would not do that again. Return the new value."
            )
        if instruction.opname == "IS_OP" and (previous is None or previous.opname != "LOAD_CONST"):
            raise self._refuse(
                "checks whether two values are the same object (is), but a compiled function only "
                "checks whether arguments are equal. Compare with ==."
            )

    def _global(self, name: str, attributes: Iterator[str], names: dict[str, Any]) -> None:
        value = names.get(name, _MISSING)
        if value is not _MISSING:
            self.items.append((names, name, value))
            self._follow(value, name, attributes)
        elif name in _BANNED and hasattr(builtins, name):
            raise self._refuse(_BANNED[name])
        else:
            self.absent.append((names, name))

    def _cell(self, name: str, attributes: Iterator[str], cells: dict[str, Any]) -> None:
        if name not in cells:
            return
        try:
            value = cells[name].cell_contents
        except ValueError:  # not assigned yet
            return
        self.cells.append((cells[name], value))
        self._follow(value, name, attributes)

    def _follow(self, value: Any, name: str, attributes: Iterator[str]) -> None:
        """Follow a module to the attributes that the code names; visit any other value."""
        while isinstance(value, ModuleType):
            if _trusted(value.__name__):
                return
            key = next(attributes, None)
            if key is None:
                raise self._refuse(f"uses the module {name} as a value, which cannot be followed")
            if key not in vars(value):
                return
            self.items.append((vars(value), key, vars(value)[key]))
            value, name = vars(value)[key], f"{name}.{key}"
        self._visit(value, name)


def _attributes(instructions: list[Any], k: int) -> Iterator[str]:
    while k < len(instructions) and instructions[k].opname in ("LOAD_ATTR", "LOAD_METHOD"):
        yield instructions[k].argval
        k += 1


def _trusted(module: str | None) -> bool:
    return module is not None and module.partition(".")[0] in _TRUSTED


def _equal(now: Any, before: Any) -> bool:
    if isinstance(now, np.ndarray):
        return now.shape == before.shape and now.tobytes() == before.tobytes()
    return now == before

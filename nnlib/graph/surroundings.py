"""What a function finds outside itself: the tensors it may reach, and all else it may depend on.

A recording stays true while its surroundings do.  Tensors are *places* (a module's attribute, a
variable of the enclosing function, a `.grad`): a recording reads what stands there at each call.
Numbers, flags, strings, and which objects there are must be the same as when it was recorded.
"""

from __future__ import annotations

import builtins
import types
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from nnlib.record import Leaf, Value

PLAIN = (
    type(None), bool, int, float, complex, str, bytes, np.generic, np.dtype, range, slice,
    type(Ellipsis), type(NotImplemented),
)  # fmt: skip
MOST = 20_000  # things looked at: beyond it a call would spend its time on looking
_HOME = "nnlib"
_CLOCKS = {"print", "input", "open", "next", "breakpoint", "exec", "eval"}


class Place:
    """Where a tensor stands: `get` looks there now, `set` puts another one there."""

    __slots__ = ("get", "set")

    def __init__(self, get: Callable[[], Any], set: Callable[[Any], None]) -> None:
        self.get, self.set = get, set


def _item(container: Any, key: Any) -> Place:
    put = getattr(container, "__setitem__", None)  # a tuple has none, and nothing is put into it
    return Place(partial(container.__getitem__, key), partial(put, key) if put else _nowhere)


def _nowhere(value: Any) -> None:
    raise TypeError("a tuple takes no other tensor")


def _cell(cell: Any) -> Place:
    return Place(lambda: cell.cell_contents, partial(setattr, cell, "cell_contents"))


def _slot(thing: Any, name: str) -> Place:
    return Place(partial(getattr, thing, name), partial(setattr, thing, name))


class Gradient(Place):
    """The place of a leaf's gradient."""

    __slots__ = ("of",)

    def __init__(self, of: Place) -> None:
        self.of = of
        super().__init__(self._get, self._set)

    def _get(self) -> Any:
        return self.of.get()._node.grad

    def _set(self, value: Any) -> None:
        self.of.get()._node.grad = value


class Watched:
    """A container and what was in it; `same` says whether that still is so."""

    __slots__ = ("contents", "ids", "now")

    def __init__(self, now: Callable[[], list]) -> None:
        self.now = now
        self.contents = now()
        self.ids = [id(c) for c in self.contents]

    def same(self) -> bool:
        return [*map(id, self.now())] == self.ids

    def alike(self) -> bool:
        """The slow look: equal numbers are the same, and tensors may be other tensors."""
        now = self.now()
        if len(now) != len(self.contents):
            return False
        if not all(map(_alike, now, self.contents)):
            return False
        self.contents, self.ids = now, [id(c) for c in now]
        return True


def _alike(a: Any, b: Any) -> bool:
    if a is b:
        return True
    if isinstance(a, Value) and isinstance(b, Value):
        return type(a) is type(b)
    if isinstance(b, types.MethodType) and isinstance(a, types.MethodType):
        return a.__func__ is b.__func__ and a.__self__ is b.__self__
    plain = type(a) is type(b) and isinstance(a, PLAIN)
    return plain and bool(a == b) and repr(a) == repr(b)  # 0.0 and -0.0 are equal


class Surroundings:
    """Everything that can be reached from some starting points, walked once.

    `places` are the tensors (each at the first place that it was met), `again` the other places
    of the same tensors, `watched` the containers, `unseen` why a recording would not be safe.
    """

    def __init__(self, *starts: Any) -> None:
        self.places: list[tuple[Place, Value]] = []
        self.again: list[tuple[Place, int]] = []
        self.watched: list[Watched] = []
        self.arrays: list[tuple[np.ndarray, bytes]] = []
        self.unseen: str | None = None
        self._at: dict[int, int] = {}
        self._seen: dict[int, Any] = {}
        self._todo: list[tuple[Place | None, Any]] = [(None, s) for s in starts]
        self._starts = starts
        while self._todo and self.unseen is None:
            self._visit(*self._todo.pop())
            if len(self._seen) > MOST:
                self.unseen = "it reaches more than can be watched"

    def hold(self) -> bool | None:
        """True: all is as it was; False: other tensors stand in some places; None: no longer so."""
        moved = False
        for w in self.watched:
            if not w.same():
                if not w.alike():
                    return None
                moved = True
        for array, data in self.arrays:
            if array.tobytes() != data:
                return None
        if moved:
            places = self.places
            if any(place.get() is not places[k][0].get() for place, k in self.again):
                return None
            now = [id(place.get()) for place, _ in places]
            if len(set(now)) != len(now):
                return None
        return not moved

    # ------------------------------------------------------------ the walk
    def _visit(self, place: Place | None, thing: Any) -> None:
        if isinstance(thing, Value):
            self._tensor(place, thing)
            return
        if isinstance(thing, PLAIN) or id(thing) in self._seen:
            return
        self._seen[id(thing)] = thing
        if isinstance(thing, dict):
            self._dict(thing)
        elif isinstance(thing, (list, tuple)):
            self._sequence(thing)
        elif isinstance(thing, types.FunctionType):
            self._function(thing)
        elif isinstance(thing, types.MethodType):
            self._todo += [(None, thing.__func__), (None, thing.__self__)]
        elif isinstance(thing, partial):
            self._todo += [(None, thing.func), (None, thing.args), (None, thing.keywords)]
        elif isinstance(thing, np.ndarray):
            self._array(thing)
        elif isinstance(thing, (types.BuiltinFunctionType, types.ModuleType, np.ufunc)):
            return
        elif isinstance(thing, (staticmethod, classmethod)):
            self._todo.append((None, thing.__func__))
        elif isinstance(thing, property):
            self._todo += [(None, thing.fget), (None, thing.fset)]
        elif isinstance(thing, type):
            self._class(thing)
        else:
            self._object(thing)

    def _tensor(self, place: Place | None, value: Value) -> None:
        if place is None:
            return
        if id(value) in self._at:
            self.again.append((place, self._at[id(value)]))
            return
        self._at[id(value)] = len(self.places)
        self.places.append((place, value))
        if isinstance(value._node, Leaf) and value._node.grad is not None:
            self._tensor(Gradient(place), value._node.grad)

    def _dict(self, thing: dict) -> None:
        keys = list(thing)
        self.watched.append(Watched(lambda: [*thing, *thing.values()]))
        self._todo += [(_item(thing, k), thing[k]) for k in keys]

    def _sequence(self, thing: Any) -> None:
        self.watched.append(Watched(lambda: list(thing)))
        self._todo += [(_item(thing, k), v) for k, v in enumerate(thing)]

    def _function(self, function: Any) -> None:
        own = (function.__module__ or "").split(".")[0] == _HOME
        if own and not any(function is s for s in self._starts):
            return  # nnlib's own functions depend on nothing but their arguments
        for cell in function.__closure__ or ():
            try:
                self._todo.append((_cell(cell), cell.cell_contents))
            except ValueError:  # not assigned yet
                continue
            self.watched.append(Watched(partial(_contents, cell)))
        self._todo += [(None, function.__defaults__), (None, function.__kwdefaults__)]
        names = list(dict.fromkeys(_names(function.__code__)))
        scope = function.__globals__
        for name in names:
            if name in scope:
                self._global(scope, name, names)
            elif name in _CLOCKS and hasattr(builtins, name):
                self.unseen = f"it calls {name}(), which a replay would not"
        found = [n for n in names if n in scope]
        self.watched.append(Watched(lambda: [scope.get(n) for n in found]))

    def _global(self, scope: dict, name: str, names: list[str]) -> None:
        thing = scope[name]
        if isinstance(thing, types.ModuleType):
            self._module(thing, names)
        else:
            self._todo.append((_item(scope, name), thing))

    def _module(self, module: types.ModuleType, names: list[str]) -> None:
        home = module.__name__.split(".")[0]
        if home == _HOME:
            return
        if home in ("random", "time", "secrets", "datetime") or (
            home == "numpy" and "random" in [module.__name__.split(".")[-1], *names]
        ):
            self.unseen = (
                f"it uses {module.__name__}, whose answers a replay would not ask for again"
            )
            return
        inside = vars(module)
        found = [n for n in names if n in inside and not callable(inside[n])]
        if home != "numpy" and found:
            self.watched.append(Watched(lambda: [inside.get(n) for n in found]))
            self._todo += [(_item(inside, n), inside[n]) for n in found]

    def _class(self, thing: type) -> None:
        home = (thing.__module__ or "").split(".")[0]
        if home in (_HOME, "builtins", "numpy", "abc", "typing", "collections", "enum"):
            return
        inside = dict(vars(thing))
        names = [n for n in inside if not (n.startswith("__") and n.endswith("__"))]
        names += [n for n in ("__call__",) if n in inside]
        self.watched.append(Watched(lambda: [vars(thing).get(n) for n in names]))
        for n in names:
            if isinstance(inside[n], Value):
                self._todo.append((_slot(thing, n), inside[n]))
            else:
                self._todo.append((None, inside[n]))
        self._todo += [(None, base) for base in thing.__bases__]

    def _array(self, array: np.ndarray) -> None:
        if array.size > 4096:
            self.unseen = (
                f"it reads a NumPy array of shape {list(array.shape)}, whose changes would not be "
                "seen: make it a tensor outside the function"
            )
        self.arrays.append((array, array.tobytes()))

    def _object(self, thing: Any) -> None:
        from nnlib.functions.create import Generator

        if isinstance(thing, Generator):
            return
        only = getattr(type(thing), "looked_at", None)
        if only is not None:  # what else it has is its own memory, which decides nothing
            self._todo += [(None, getattr(thing, name)) for name in only]
            return
        inside = getattr(thing, "__dict__", None)
        slots = list(_slots_of(type(thing)))
        if inside is None and not slots:
            if isinstance(thing, (set, frozenset)):
                self.watched.append(Watched(lambda: sorted(map(repr, thing))))
                return
            self.unseen = f"it reaches a {type(thing).__name__}, into which one cannot look"
            return
        if isinstance(inside, dict):
            self._dict(inside)
        for name in slots:
            if hasattr(thing, name):
                self._todo.append((_slot(thing, name), getattr(thing, name)))
        if slots:
            self.watched.append(Watched(lambda: [getattr(thing, n, None) for n in slots]))
        if isinstance(thing, (dict, list, tuple)):
            return
        self._todo.append((None, type(thing)))


def _contents(cell: Any) -> list:
    return [cell.cell_contents]


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _slots_of(kind: type) -> Iterator[str]:
    for base in kind.__mro__:
        slots = base.__dict__.get("__slots__", ())
        yield from [
            s for s in ((slots,) if isinstance(slots, str) else slots)
            if s not in ("__weakref__", "__dict__")
        ]  # fmt: skip

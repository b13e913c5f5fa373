"""Handles to PyTorch's objects in the process that started this browser (remote_torch.py)."""

from __future__ import annotations

import builtins
import io
import os
import pickle
import sys
import types
from typing import Any

import pytest

__version__ = "remote"
handle_classes: dict[str, Any] = {}  # the name of a PyTorch class → the class of its handles
_gone: list[int] = []  # handles that nothing refers to any more


class Writer(pickle.Pickler):
    def persistent_id(self, value: Any) -> Any:
        return value._handle if isinstance(value, Remote) else None


class Reader(pickle.Unpickler):
    def persistent_load(self, identity: Any) -> Any:
        handle, class_name = identity
        return handle_classes.setdefault(class_name, type(class_name, (Remote,), {}))(handle)


def ask(operation: str, *args: Any) -> Any:
    """Sends a request and returns its result; an error there is raised here."""
    if len(_gone) > 500:
        gone = _gone[:]
        del _gone[:]
        ask("forget", *gone)
    buffer = io.BytesIO()
    try:
        Writer(buffer, protocol=4).dump((operation, args))
    except Exception as error:
        pytest.skip(f"PyTorch runs in another process here, and this cannot be sent: {error}")
    outcome, value = Reader(io.BytesIO(sent(buffer.getvalue()))).load()
    if outcome == "raised":
        raise getattr(builtins, value[0])(value[1])
    return value


def sent(data: bytes) -> bytes:
    from js import Uint8Array, XMLHttpRequest

    request = XMLHttpRequest.new()
    request.open("POST", os.environ["REMOTE_TORCH"], False)
    request.responseType = "arraybuffer"
    body = Uint8Array.new(len(data))
    body.assign(data)
    request.send(body)
    return request.response.to_bytes()


class Remote:
    """A handle to a PyTorch object; every operation on it is carried out in the other process."""

    __array_priority__ = 1000  # NumPy's operators defer to its methods

    def __init__(self, *args: Any) -> None:
        if len(args) == 3:  # a subclass is being created: its name, bases and members
            pytest.skip("PyTorch runs in another process here, so its classes have no subclasses")
        object.__setattr__(self, "_handle", args[0])

    def __del__(self) -> None:
        if "_handle" in self.__dict__:
            _gone.append(self._handle)

    def __getattr__(self, name: str) -> Any:
        supported = name in ("__enter__", "__exit__", "__name__")
        if name == "_handle" or (name.startswith("__") and not supported):
            raise AttributeError(name)
        return ask("getattr", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        ask("setattr", self, name, value)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return ask("call", self, args, kwargs)

    def __enter__(self) -> Any:
        return self.__getattr__("__enter__")()

    def __exit__(self, *_: Any) -> None:
        self.__getattr__("__exit__")(None, None, None)

    def __instancecheck__(self, value: Any) -> bool:
        return isinstance(value, Remote) and ask("isinstance", value, self)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        array = ask("array", self)
        return array if dtype is None else array.astype(dtype)

    def __iter__(self) -> Any:
        return iter(ask("list", self))

    def __hash__(self) -> int:
        return hash(ask("repr", self))

    def __index__(self) -> int:
        return ask("int", self)

    def __format__(self, spec: str) -> str:
        return format(ask("float", self), spec) if spec else ask("str", self)


def add_method(method: str, operation: str, reflected: bool = False) -> None:
    def method_of(self: Remote, *args: Any) -> Any:
        return ask(operation, *args, self) if reflected else ask(operation, self, *args)

    setattr(Remote, f"__{method}__", method_of)


NOT_REFLECTED = (
    "repr str float int bool len abs round neg pos invert getitem setitem delitem contains"
)
REFLECTED = "add sub mul truediv floordiv mod pow matmul lshift rshift xor"
for name in f"{NOT_REFLECTED} {REFLECTED} eq ne lt le gt ge iadd isub imul itruediv ipow".split():
    add_method(name, name)
for name, operation in [*((n, n) for n in REFLECTED.split()), ("and", "and_"), ("or", "or_")]:
    add_method(name, operation)
    add_method(f"r{name}", operation, reflected=True)

ROOT = Remote(0)
__path__: list[str] = []  # a package; its modules lead to the same objects


class Submodule(types.ModuleType):
    """A module such as torch.nn, for `import torch.nn.functional as F`."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        member: Any = ROOT
        for attribute in [*self.__name__.split(".")[1:], name]:
            member = ask("getattr", member, attribute)
        return member


SUBMODULES = (
    "nn nn.functional nn.init nn.utils utils utils.data optim optim.lr_scheduler autograd linalg"
)
if __name__ == "torch":
    for name in SUBMODULES.split():
        sys.modules[f"torch.{name}"] = Submodule(f"torch.{name}")
        sys.modules[f"torch.{name}"].__path__ = []


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return ask("getattr", ROOT, name)

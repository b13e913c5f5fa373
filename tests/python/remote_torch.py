"""PyTorch for tests that run in a browser: their calls of `torch` are computed in this process.

The browser's half is browser/torch.py, a module of handles to objects here. It sends its requests
over loopback; numbers, strings, arrays and tuples of these are sent as copies.
"""

from __future__ import annotations

import builtins
import io
import operator
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

COPIED = (bool, int, float, complex, str, bytes, np.ndarray, np.generic, slice)

# The operations on a handle besides attributes and calls.
BUILTINS = ("repr", "str", "float", "int", "bool", "len", "list", "isinstance", "abs", "round")
BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")
BITS = ("and_", "or_", "xor", "lshift", "rshift", "neg", "pos", "invert")
IN_PLACE = ("iadd", "isub", "imul", "itruediv", "ipow")
COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
ITEMS = ("getitem", "setitem", "delitem", "contains")
OPERATIONS: dict[str, Callable] = {name: getattr(builtins, name) for name in BUILTINS}
OPERATIONS |= {n: getattr(operator, n) for n in BINARY + BITS + IN_PLACE + COMPARISONS + ITEMS}
OPERATIONS["getattr"], OPERATIONS["setattr"] = getattr, setattr
OPERATIONS["array"] = lambda value: value.detach().numpy()


def as_int64(value: Any) -> Any:
    return value.long() if getattr(value, "dtype", None) == torch.int32 else value


def call(f: Callable, args: tuple, kwargs: dict) -> Any:
    """Calls f; if PyTorch needs int64, arguments in int32, the browser's default, are converted."""
    try:
        return f(*args, **kwargs)
    except RuntimeError as error:
        if "expected scalar type Long" not in str(error) and "Int" not in str(error):
            raise
        new_args, new_kwargs = (
            [as_int64(a) for a in args],
            {k: as_int64(v) for k, v in kwargs.items()},
        )
        before, after = [*args, *kwargs.values()], [*new_args, *new_kwargs.values()]
        if all(a is b for a, b in zip(before, after)):
            raise
        return f(*new_args, **new_kwargs)


OPERATIONS["call"] = call


class TorchServer:
    """Holds the objects to which the browser has handles, and carries out its requests."""

    def __init__(self) -> None:
        self.objects: dict[int, Any] = {0: torch}
        self.count = 0

    def answer(self, request: bytes) -> bytes:
        operation, args = self.decode(request)
        try:
            if operation == "forget":
                for handle in args:
                    self.objects.pop(handle, None)
                return self.encode(("returned", None))
            return self.encode(("returned", OPERATIONS[operation](*args)))
        except Exception as error:
            names = [k.__name__ for k in type(error).__mro__ if hasattr(builtins, k.__name__)]
            return self.encode(("raised", (names[0], str(error))))

    def decode(self, data: bytes) -> Any:
        objects = self.objects

        class Reader(pickle.Unpickler):
            def persistent_load(self, handle: int) -> Any:
                return objects[handle]

        return Reader(io.BytesIO(data)).load()

    def encode(self, value: Any) -> bytes:
        class Writer(pickle.Pickler):
            def persistent_id(self, value: Any) -> Any:
                return (value.handle, value.class_name) if isinstance(value, Handle) else None

        buffer = io.BytesIO()
        Writer(buffer, protocol=4).dump(self.with_handles(value))
        return buffer.getvalue()

    def with_handles(self, value: Any) -> Any:
        """The value with a handle in place of every object that is not sent as a copy."""
        if value is None or isinstance(value, COPIED):
            return value
        if isinstance(value, torch.Size) or type(value) is tuple:
            return tuple(self.with_handles(v) for v in value)
        if type(value) is list:
            return [self.with_handles(v) for v in value]
        if type(value) is dict:
            return {key: self.with_handles(v) for key, v in value.items()}
        self.count += 1
        self.objects[self.count] = value
        return Handle(self.count, type(value).__name__)


class Handle:
    """Stands for an object that stays in this process when a result is sent."""

    def __init__(self, handle: int, class_name: str) -> None:
        self.handle, self.class_name = handle, class_name

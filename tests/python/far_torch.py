"""PyTorch for tests that run in a browser: what they ask of `torch` is computed here.

The browser's half is browser/torch.py: a module whose things are handles. It asks over loopback;
what is plain (numbers, strings, arrays, tuples of these) travels as itself.
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

PLAIN = (bool, int, float, complex, str, bytes, np.ndarray, np.generic, slice)

# What a handle may be asked beside attributes and calls.
BUILTINS = ("repr", "str", "float", "int", "bool", "len", "list", "isinstance", "abs", "round")
BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")
BITS = ("and_", "or_", "xor", "lshift", "rshift", "neg", "pos", "invert")
IN_PLACE = ("iadd", "isub", "imul", "itruediv", "ipow")
COMPARED = ("eq", "ne", "lt", "le", "gt", "ge")
ITEMS = ("getitem", "setitem", "delitem", "contains")
ASKED: dict[str, Callable] = {name: getattr(builtins, name) for name in BUILTINS}
ASKED |= {n: getattr(operator, n) for n in BINARY + BITS + IN_PLACE + COMPARED + ITEMS}
ASKED["getattr"], ASKED["setattr"] = getattr, setattr
ASKED["array"] = lambda value: value.detach().numpy()


def long(value: Any) -> Any:
    return value.long() if getattr(value, "dtype", None) == torch.int32 else value


def call(f: Callable, args: tuple, names: dict) -> Any:
    """A call; where PyTorch wants int64, labels are so that were int32 by the browser's default."""
    try:
        return f(*args, **names)
    except RuntimeError as error:
        if "expected scalar type Long" not in str(error) and "Int" not in str(error):
            raise
        again = [long(a) for a in args], {name: long(value) for name, value in names.items()}
        if all(a is b for a, b in zip([*args, *names.values()], [*again[0], *again[1].values()])):
            raise
        return f(*again[0], **again[1])


ASKED["call"] = call


class Answering:
    """Keeps what the browser has handles of, and answers what it asks of them."""

    def __init__(self) -> None:
        self.held: dict[int, Any] = {0: torch}
        self.count = 0

    def answer(self, question: bytes) -> bytes:
        what, args = self.read(question)
        try:
            if what == "forget":
                for handle in args:
                    self.held.pop(handle, None)
                return self.written(("is", None))
            return self.written(("is", ASKED[what](*args)))
        except Exception as error:
            kinds = [k.__name__ for k in type(error).__mro__ if hasattr(builtins, k.__name__)]
            return self.written(("raised", (kinds[0], str(error))))

    def read(self, data: bytes) -> Any:
        held = self.held

        class Reader(pickle.Unpickler):
            def persistent_load(self, handle: int) -> Any:
                return held[handle]

        return Reader(io.BytesIO(data)).load()

    def written(self, value: Any) -> bytes:
        class Writer(pickle.Pickler):
            def persistent_id(self, value: Any) -> Any:
                return (value.handle, value.kind) if isinstance(value, Kept) else None

        buffer = io.BytesIO()
        Writer(buffer, protocol=4).dump(self.plain(value))
        return buffer.getvalue()

    def plain(self, value: Any) -> Any:
        """What travels as itself, and handles for the rest."""
        if value is None or isinstance(value, PLAIN):
            return value
        if isinstance(value, torch.Size) or type(value) is tuple:
            return tuple(self.plain(v) for v in value)
        if type(value) is list:
            return [self.plain(v) for v in value]
        if type(value) is dict:
            return {key: self.plain(v) for key, v in value.items()}
        self.count += 1
        self.held[self.count] = value
        return Kept(self.count, type(value).__name__)


class Kept:
    """Stands for something that stays here."""

    def __init__(self, handle: int, kind: str) -> None:
        self.handle, self.kind = handle, kind

"""Two processes that call each other's functions: the protocol of a judge and a graded notebook.

There is a `Peer` at each end of a socket. Numbers, strings, containers, arrays and tensors are sent
as JSON, so reading them executes no code. Everything else stays in its process: the other side
gets a `Remote` that forwards calls. A function that is called with tensors that need gradients
returns its values and their Jacobians, so that gradients flow through the call.
"""

from __future__ import annotations

import base64
import builtins
import contextlib
import json
import socket
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

import nnlib
from course.kit.comparing import has_dots

LARGEST = 20_000_000  # the most bytes in one message
DEEPEST = 40  # the most calls inside one another
MOST_OUTPUTS = 4_000  # the most entries of a result whose Jacobian is sent
DTYPES = frozenset(
    ["bool", "int8", "int16", "int32", "int64", "uint8", "float16", "float32", "float64"]
)
OPERATORS = tuple(
    f"__{name}__"
    for name in [
        "add",
        "radd",
        "sub",
        "rsub",
        "mul",
        "rmul",
        "truediv",
        "rtruediv",
        "pow",
        "rpow",
        "neg",
        "matmul",
        "len",
        "getitem",
    ]
)


class WireError(RuntimeError):
    """The other side broke the protocol, sent too much, took too long, or is gone."""


class Remote:
    """An object of the other process; calls, attributes and operators are forwarded to it."""

    def __init__(self, peer: Peer, number: int, description: Mapping[str, Any]) -> None:
        vars(self).update(_remote=(peer, number), _description=dict(description))

    @property
    def has_dots(self) -> bool:
        """Whether its source still contains a stub's `...`, as the other side reported."""
        return bool(self._description.get("dots"))

    def __repr__(self) -> str:
        return str(self._description.get("name", "something"))[:60]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        peer, number = self._remote
        return peer.ask({"do": "get", "of": number, "name": name})

    def __setattr__(self, name: str, value: Any) -> None:
        peer, number = self._remote
        peer.ask({"do": "set", "of": number, "name": name, "to": peer.encode(value, [])})


class RemoteCallable(Remote):
    """A function or class of the other process."""

    def __call__(self, *args: Any, **named: Any) -> Any:
        peer, number = self._remote
        return peer.call(number, None, args, named)


def _operator(name: str) -> Callable:
    def apply(self: Remote, *args: Any) -> Any:
        peer, number = self._remote
        return peer.call(number, name, args, {})

    return apply


for _name in OPERATORS:
    setattr(Remote, _name, _operator(_name))


class Peer:
    """One end of the connection: sends requests to the other side and serves those it receives.

    Args:
        sock: the connection.
        seconds: how long the whole exchange may take before it ends with a WireError.
        shared: the attributes that the other side may use, by type. None allows every attribute
            without a leading underscore (the student's side hides nothing).
    """

    def __init__(
        self,
        sock: socket.socket,
        seconds: float = 60.0,
        shared: Mapping[type, frozenset[str]] | None = None,
    ) -> None:
        self.sock, self.shared = sock, shared
        self.deadline = time.monotonic() + seconds
        self.depth = 0
        self.objects: dict[int, Any] = {}
        self.numbers: dict[int, int] = {}
        self.remote: dict[int, Remote] = {}

    # frames ------------------------------------------------------------------------------------

    def send(self, message: Any) -> None:
        data = json.dumps(message).encode()
        if len(data) > LARGEST:
            raise WireError(f"a message of {len(data):,} bytes is too large")
        self._set_timeout()
        self.sock.sendall(struct.pack(">I", len(data)) + data)

    def receive(self) -> Any:
        (size,) = struct.unpack(">I", self._exactly(4))
        if size > LARGEST:
            raise WireError("a message is too large")
        try:
            return json.loads(self._exactly(size))
        except (ValueError, RecursionError) as error:
            raise WireError("a message cannot be read") from error

    def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            self._set_timeout()
            try:
                chunk = self.sock.recv(min(size - len(data), 1 << 20))
            except TimeoutError as error:
                raise WireError("the reply took too long") from error
            if not chunk:
                raise WireError("the other side has closed the connection")
            data += chunk
        return bytes(data)

    def _set_timeout(self) -> None:
        seconds_left = self.deadline - time.monotonic()
        if seconds_left <= 0:
            raise WireError("the reply took too long")
        self.sock.settimeout(seconds_left)

    # asking and serving ------------------------------------------------------------------------

    def ask(self, request: dict, leaves: list | None = None) -> Any:
        """Sends a request and serves the other side until the reply arrives."""
        self.depth += 1
        try:
            if self.depth > DEEPEST:
                raise WireError("calls are nested too deeply")
            self.send(request)
            while True:
                message = self.receive()
                if not isinstance(message, dict):
                    raise WireError("a message is not a request")
                if "is" in message:
                    return self.decode(message["is"], leaves or [])
                if "raised" in message:
                    raise rebuilt(message["raised"])
                self.serve(message)
        finally:
            self.depth -= 1

    def call(self, number: int, method: str | None, args: tuple, named: dict) -> Any:
        leaves: list[Any] = []
        request = {
            "do": "call", "of": number, "method": method,
            "args": [self.encode(a, leaves) for a in args],
            "named": {k: self.encode(v, leaves) for k, v in named.items()},
        }  # fmt: skip
        return self.ask(request, leaves)

    def serve(self, request: dict) -> None:
        """Carries out one request and sends the reply."""
        try:
            reply = {"is": self._do(request)}
        except WireError:
            raise
        except Exception as error:
            message = " ".join(str(error).split())[:500]
            reply = {"raised": [type(error).__name__, message]}
        self.send(reply)

    def _do(self, request: dict) -> Any:
        if request.get("of") not in self.objects:
            raise WireError("a request refers to an unknown object")
        target, action = self.objects[request["of"]], request.get("do")
        if action == "call":
            return self._called(target, request)
        name = str(request.get("name"))
        self._allow(target, name)
        if action == "get":
            return self.encode(getattr(target, name), [])
        if action == "set":
            setattr(target, name, self.decode(request.get("to"), []))
            return None
        raise WireError(f"unknown request {action!r}")

    def _allow(self, target: Any, name: str) -> None:
        if name.startswith("_") and name not in OPERATORS:
            raise AttributeError(name)
        if self.shared is not None and name not in self.shared.get(type(target), ()):
            raise AttributeError(name)

    def _called(self, target: Any, request: dict) -> Any:
        method = request.get("method")
        if method is not None:
            if method not in OPERATORS:
                raise WireError("only operators may be called by name")
            self._allow(target, method)
            target = getattr(target, method)
        leaves: list[Any] = []
        args = [self.decode(a, leaves, True) for a in request.get("args", ())]
        named = {k: self.decode(v, leaves, True) for k, v in request.get("named", {}).items()}
        return self.encode(target(*args, **named), leaves, jacobians=True)

    # data --------------------------------------------------------------------------------------

    def encode(self, value: Any, leaves: list, jacobians: bool = False) -> Any:
        """A value as JSON.

        Arguments that need gradients are added to `leaves`; with `jacobians`, the value is a result
        and is sent with its Jacobians with respect to `leaves`.
        """
        if value is None or type(value) in (bool, int, str, float):
            return value
        if value is ...:
            return {"dots": 1}
        for container in (tuple, list, set, frozenset):
            if type(value) is container:
                items = [self.encode(v, leaves, jacobians) for v in value]
                return {container.__name__: items}
        if isinstance(value, dict):
            pairs = [
                [self.encode(k, leaves), self.encode(v, leaves, jacobians)]
                for k, v in value.items()
            ]
            return {"dict": pairs}
        if isinstance(value, tuple):
            return {"tuple": [self.encode(v, leaves, jacobians) for v in value]}
        if isinstance(value, Remote) and value._remote[0] is self:
            return {"yours": value._remote[1]}
        if isinstance(value, nnlib.Tensor):
            return self._tensor(value, leaves, jacobians)
        if isinstance(value, (np.ndarray, np.generic)) and value.dtype.name in DTYPES:
            return {"array": packed(np.asarray(value))}
        return {"mine": self._hold(value), "description": description_of(value)}

    def _tensor(self, value: Any, leaves: list, jacobians: bool) -> Any:
        entry: dict[str, Any] = {"tensor": packed(np.asarray(value.detach().numpy()))}
        if value.requires_grad and jacobians and leaves:
            entry["jacobians"] = [packed(j) for j in jacobians_of(value, leaves)]
        elif value.requires_grad and not jacobians:
            entry["leaf"] = len(leaves)
            leaves.append(value)
        return entry

    def _hold(self, value: Any) -> int:
        number = self.numbers.setdefault(id(value), len(self.numbers))
        self.objects[number] = value  # kept alive, so that its id is not used again
        return number

    def decode(self, data: Any, leaves: list, arguments: bool = False) -> Any:
        """The value that JSON stands for.

        With `arguments`, tensors that need gradients are added to `leaves`; otherwise a result is
        connected to `leaves` by its Jacobians.
        """
        if data is None or type(data) in (bool, int, str, float):
            return data
        if not isinstance(data, dict) or not data:
            raise WireError("a value cannot be read")
        tag, inner = next(iter(data.items()))
        containers: dict[str, type] = {
            "tuple": tuple, "list": list, "set": set, "frozenset": frozenset,
        }  # fmt: skip
        if tag == "dots":
            return ...
        if tag in containers:
            return containers[tag]([self.decode(v, leaves, arguments) for v in inner])
        if tag == "dict":
            return {self.decode(k, []): self.decode(v, leaves, arguments) for k, v in inner}
        if tag == "array":
            return unpacked(inner)
        if tag == "tensor":
            return self._leaf_or_result(data, leaves, arguments)
        if tag == "yours" and inner in self.objects:
            return self.objects[inner]
        if tag == "mine" and type(inner) is int:
            description = data.get("description", {})
            remote_type = RemoteCallable if description.get("callable") else Remote
            return self.remote.setdefault(inner, remote_type(self, inner, description))
        raise WireError("a value cannot be read")

    def _leaf_or_result(self, data: dict, leaves: list, arguments: bool) -> Any:
        tensor = nnlib.tensor(unpacked(data["tensor"]))
        if arguments and "leaf" in data:
            leaf = tensor.requires_grad_()
            leaves.append(leaf)
            return leaf
        if not arguments and len(data.get("jacobians", ())) == len(leaves) > 0:
            shape = tensor.shape
            for leaf, entry in zip(leaves, data["jacobians"], strict=True):
                dtype = leaf.detach().numpy().dtype
                jacobian = nnlib.tensor(unpacked(entry).astype(dtype))
                zero = (leaf - leaf.detach()).reshape(-1)  # zero, but with a gradient
                tensor = tensor + (jacobian @ zero).reshape(shape)
        return tensor


def packed(array: np.ndarray) -> dict[str, Any]:
    data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return {"dtype": array.dtype.name, "shape": list(array.shape), "data": data}


def unpacked(entry: Any) -> np.ndarray:
    try:
        if entry["dtype"] not in DTYPES:
            raise WireError(f"arrays of {entry['dtype']!r} are not accepted")
        data = base64.b64decode(entry["data"], validate=True)
        return np.frombuffer(data, entry["dtype"]).reshape([int(n) for n in entry["shape"]]).copy()
    except (KeyError, TypeError, ValueError) as error:
        raise WireError("an array cannot be read") from error


def jacobians_of(result: Any, leaves: list) -> Iterator[np.ndarray]:
    """For each leaf, the Jacobian of the result: (entries of the result, entries of the leaf)."""
    flat = result.reshape(-1)
    if flat.shape[0] > MOST_OUTPUTS:
        raise WireError("a result is too large for its gradient to be judged")
    rows = [
        nnlib.autograd.grad(flat[i], leaves, retain_graph=True, allow_unused=True)
        for i in range(flat.shape[0])
    ]
    for position, leaf in enumerate(leaves):
        size = int(np.prod(leaf.shape))
        column = [row[position] for row in rows]
        gradients = [np.zeros(size) if g is None else g.numpy().reshape(-1) for g in column]
        yield np.asarray(gradients, leaf.detach().numpy().dtype).reshape(len(rows), size)


def description_of(value: Any) -> dict[str, Any]:
    """The description of an object that is sent to the other side in place of the object."""
    description: dict[str, Any] = {"callable": callable(value), "name": type(value).__name__}
    if callable(value):
        with contextlib.suppress(Exception):
            name = str(getattr(value, "__name__", "function"))
            description |= {"name": name, "dots": has_dots(value)}
    return description


def rebuilt(parts: Any) -> Exception:
    """The other side's error: of the same built-in class, or of a new class with its name."""
    name, message = (str(part)[:500] for part in parts) if len(parts) == 2 else ("Exception", "")
    error_class = getattr(builtins, name, None)
    if isinstance(error_class, type) and issubclass(error_class, Exception):
        with contextlib.suppress(TypeError):
            return error_class(message)
    class_name = name if name.isidentifier() else "Exception"
    return type(class_name, (Exception,), {})(message)

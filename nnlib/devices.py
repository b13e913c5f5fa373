"""The only device, which is the CPU, and checks of the arguments `device` and `out`."""

from __future__ import annotations

from typing import Any


class device:
    """The device of a tensor's memory, which is always the CPU.

    Raises RuntimeError for any other device.  Like ``torch.device``.

    >>> import nnlib
    >>> nnlib.device("cpu")
    device(type='cpu')
    >>> nnlib.zeros(2).device
    device(type='cpu')
    """

    __slots__ = ("index", "type")

    type: str
    index: int | None

    def __init__(self, type: Any = "cpu", index: int | None = None) -> None:
        if isinstance(type, device):
            type, index = type.type, type.index
        name, _, number = str(type).partition(":")
        if name != "cpu":
            raise RuntimeError(
                f"there is no device {str(type)!r}: nnlib computes with NumPy, on the CPU alone. "
                'Leave the device out, or write "cpu".'
            )
        self.type = name
        self.index = int(number) if number else index

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{index})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, device):
            return NotImplemented
        return (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))


CPU = device("cpu")


def refuse_other_devices(value: Any) -> None:
    """Raise RuntimeError if a device is given and is not the CPU."""
    if value is not None:
        device(value)


def refuse_out(out: Any) -> None:
    """Raise TypeError if `out` is given: results are always new tensors."""
    if out is not None:
        raise TypeError(
            "out= is not supported: every result is a new tensor, which the recorded graph needs. "
            "Write y = f(x), or y.copy_(f(x)) to keep the memory of y."
        )

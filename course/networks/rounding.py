"""Weights with the precision of float16, which take half the bytes in a page."""

from __future__ import annotations

from typing import Any


def rounded(weight: Any) -> Any:
    """A weight, rounded to float16 and stored as float32."""
    return weight.detach().half().float()


def rounded_parameters(net: Any) -> list[Any]:
    """A network's parameters in their order, each rounded."""
    return [rounded(p) for p in net.parameters()]

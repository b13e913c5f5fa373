"""Weights in float16's precision: half the bytes in a page."""

from __future__ import annotations

from typing import Any


def rounded(weight: Any) -> Any:
    """A weight as float16 holds it, in float32 again."""
    return weight.detach().half().float()


def rounded_parameters(net: Any) -> list[Any]:
    """A network's parameters in their order, each rounded."""
    return [rounded(p) for p in net.parameters()]

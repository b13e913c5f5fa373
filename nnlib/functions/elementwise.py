"""Elementwise functions as PyTorch names them: arithmetic, comparison, and the usual functions."""

from __future__ import annotations

from typing import Any

from nnlib.functions._args import binary, mixed, needs_tensor, unary
from nnlib.primitives import elementwise as p
from nnlib.record import Value, apply

add = binary(p.add, mixed(p.add), "a + b, elementwise with broadcasting.")
sub = binary(p.sub, mixed(p.sub, "i"), "a - b, elementwise with broadcasting.")
mul = binary(p.mul, mixed(p.mul), "a · b, elementwise with broadcasting.")
div = binary(p.div, mixed(p.div, "f"), "a / b, elementwise; integers give floats.")
pow = binary(p.pow, mixed(p.pow, "i"), "a to the power b, elementwise with broadcasting.")


def _same(x: Value) -> Value:
    return x


neg = unary(p.neg, "-x, elementwise.", _same)
exp = unary(p.exp, "e^x, elementwise.")
log = unary(p.log, "The natural logarithm, elementwise; -inf at 0 and nan below.")
tanh = unary(p.tanh, "The hyperbolic tangent, elementwise.")
sigmoid = unary(p.sigmoid, "σ(x) = 1/(1 + e^-x), elementwise, without overflow.")
relu = unary(p.relu, "max(x, 0), elementwise.", _same)


def clone(input: Any) -> Any:
    """A copy with its own memory; gradients flow through it."""
    return apply(p.clone, (needs_tensor("clone", input),), {})

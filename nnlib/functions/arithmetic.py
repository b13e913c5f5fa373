"""Elementwise functions with PyTorch's names: arithmetic, comparison, the usual functions."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlib import dtypes, record
from nnlib._types import Number, Operand
from nnlib.devices import refuse_out
from nnlib.functions._args import (
    apply_binary,
    apply_promoted,
    as_element,
    as_operand,
    binary,
    converted,
    is_number,
    needs_tensor,
    needs_tensor_error,
    of_any,
    of_floats,
    of_numbers,
    unary,
)
from nnlib.primitives import elementwise as p
from nnlib.primitives import fused
from nnlib.record import Primitive, Value, apply, make

if TYPE_CHECKING:
    from nnlib.tensor import Tensor

# ---------------------------------------------------------------- arithmetic

# The functions that implement the operators take two operands, and refuse the option `out`.


@binary(p.add)
def plus(input: Operand, other: Operand, *, out: None = None) -> Tensor:
    """input + other, elementwise with broadcasting."""
    return apply_promoted(p.add, input, other)


@binary(p.sub)
def minus(input: Operand, other: Operand, *, out: None = None) -> Tensor:
    """input - other, elementwise with broadcasting."""
    return apply_promoted(p.sub, input, other, "i")


@binary(p.div)
def true_divide(input: Operand, other: Operand, *, out: None = None) -> Tensor:
    """input / other, elementwise; integers give floats."""
    return apply_promoted(p.div, input, other, "f")


def add(input: Operand, other: Operand, *, alpha: Number = 1, out: None = None) -> Tensor:
    """input + alpha · other, elementwise with broadcasting.

    Raises RuntimeError if the shapes do not broadcast.  Like ``torch.add``.

    >>> import nnlib
    >>> nnlib.add(nnlib.tensor([1.0, 2.0]), 1, alpha=10)
    tensor([11., 12.])
    """
    if out is not None:
        refuse_out(out)
    return plus(input, other if alpha == 1 else _scaled(other, alpha))


def sub(input: Operand, other: Operand, *, alpha: Number = 1, out: None = None) -> Tensor:
    """input - alpha · other, elementwise with broadcasting.

    Raises RuntimeError if the shapes do not broadcast.  Like ``torch.sub``.

    >>> import nnlib
    >>> nnlib.sub(nnlib.tensor([5.0, 7.0]), nnlib.tensor([1.0, 2.0]), alpha=2)
    tensor([3., 3.])
    """
    if out is not None:
        refuse_out(out)
    return minus(input, other if alpha == 1 else _scaled(other, alpha))


def _scaled(other: Operand, alpha: Any) -> Tensor:
    return mul(other, alpha) if isinstance(other, Value) else other * alpha


def div(
    input: Operand, other: Operand, *, rounding_mode: str | None = None, out: None = None
) -> Tensor:
    """input / other, elementwise; integers give floats.

    `rounding_mode` "floor" rounds down, "trunc" towards 0; integers then stay integers.  Raises
    RuntimeError for another `rounding_mode`.  Like ``torch.div``.

    >>> import nnlib
    >>> nnlib.div(nnlib.tensor([1, 7]), 2)
    tensor([0.5000, 3.5000])
    >>> nnlib.div(nnlib.tensor([-7, 7]), 2, rounding_mode="floor")
    tensor([-4,  3])
    >>> nnlib.div(nnlib.tensor([-7, 7]), 2, rounding_mode="trunc")
    tensor([-3,  3])
    """
    if out is not None:
        refuse_out(out)
    if rounding_mode is None:
        return true_divide(input, other)
    if rounding_mode == "floor":
        return floor_divide(input, other)
    if rounding_mode != "trunc":
        raise RuntimeError(
            "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found "
            f"{rounding_mode!r}"
        )
    dtype = dtypes.result_type(input, other)
    if dtype.kind == "f":
        return trunc(true_divide(input, other))
    floored = floor_divide(input, other)  # unlike a float quotient, exact for large integers
    round_up = logical_and(ne(remainder(input, other), 0), lt(floored, 0))
    return converted(plus(floored, converted(round_up, dtype)), dtype)


@binary(p.mul)
def mul(input: Operand, other: Operand, *, out: None = None) -> Tensor:
    """input · other, elementwise with broadcasting.

    Like ``torch.mul``.

    >>> import nnlib
    >>> nnlib.mul(nnlib.tensor([1.0, 2.0]), nnlib.tensor([3.0, 4.0]))
    tensor([3., 8.])
    """
    return apply_promoted(p.mul, input, other)


@binary(p.maximum)
def maximum(input: Operand, other: Operand, *, out: None = None) -> Tensor:
    """The larger of `input` and `other`, elementwise; nan where either is nan.

    Like ``torch.maximum``.

    >>> import nnlib
    >>> nnlib.maximum(nnlib.tensor([1.0, 5.0]), nnlib.tensor([3.0, 4.0]))
    tensor([3., 5.])
    """
    return apply_promoted(p.maximum, input, other)


@binary(p.minimum)
def minimum(input: Operand, other: Operand, *, out: None = None) -> Tensor:
    """The smaller of `input` and `other`, elementwise; nan where either is nan.

    Like ``torch.minimum``.

    >>> import nnlib
    >>> nnlib.minimum(nnlib.tensor([1.0, 5.0]), nnlib.tensor([3.0, 4.0]))
    tensor([1., 4.])
    """
    return apply_promoted(p.minimum, input, other)


@binary(p.atan2)
def atan2(input: Operand, other: Operand, *, out: None = None) -> Tensor:
    """The angle of the point (other, input) in radians, in [-π, π].

    Like ``torch.atan2``.

    >>> import nnlib
    >>> nnlib.atan2(nnlib.tensor([1.0, 1.0]), nnlib.tensor([1.0, -1.0]))
    tensor([0.7854, 2.3562])
    """
    return apply_promoted(p.atan2, input, other, "f")


@binary(p.remainder)
def remainder(input: Operand, other: Operand, *, out: None = None) -> Tensor:
    """input - other·⌊input/other⌋, which has the sign of `other`.

    Raises RuntimeError for integers divided by zero.  Like ``torch.remainder``.

    >>> import nnlib
    >>> nnlib.remainder(nnlib.tensor([-7, 7]), 3)
    tensor([2, 1])
    """
    _refuse_zero("remainder", input, other)
    return apply_promoted(p.remainder, input, other, "i")


def _promoted_power(a: Operand, b: Operand) -> Tensor:
    negative = is_number(b) and _is_integral(b) and b < 0
    if negative and isinstance(a, Value) and a._data.dtype.kind in "iu":
        raise RuntimeError(
            "Integers to negative integer powers are not allowed: convert with .float() first."
        )
    if isinstance(b, bool) and isinstance(a, Value) and a._data.dtype.kind == "b":
        return clone(a) if b else eq(a, a)  # PyTorch allows the powers True and False
    if isinstance(b, Value) and b._data.dtype.kind in "iu" and _is_integral(a):
        return _integer_power(a, b)
    return apply_promoted(p.pow, a, b, "i")


def _is_integral(x: Any) -> bool:
    if isinstance(x, Value):
        return bool(x._data.dtype.kind != "f")
    return is_number(x) and not isinstance(x, (float, np.floating))


def _integer_power(a: Operand, b: Tensor) -> Tensor:
    """a ** b of integers; an exponent -n gives 1/aⁿ, rounded to 0 unless a is 1 or -1."""
    common = dtypes.result_type(a, b)
    unsigned = common.kind == "u"  # a negative exponent wraps around
    if unsigned or (not record.is_tracing() and not (b._data < 0).any()):
        return apply_promoted(p.pow, a, b, "i")
    base = converted(a, common) if isinstance(a, Value) else make(common.type(a))
    positive_power = apply_promoted(p.pow, base, where(lt(b, 0), neg(b), b), "i")
    is_unit = logical_or(eq(base, 1), eq(base, -1))
    return where(logical_or(ge(b, 0), is_unit), positive_power, 0)


@binary(p.pow)
def power(input: Operand, other: Operand, *, out: None = None) -> Tensor:
    """input to the power `other`, elementwise with broadcasting."""
    return _promoted_power(input, other)


def pow(input: Operand, exponent: Operand, *, out: None = None) -> Tensor:
    """input to the power `exponent`, elementwise with broadcasting; either may be a number.

    Raises RuntimeError for integer tensors to a negative integer power.  Like ``torch.pow``.

    >>> import nnlib
    >>> nnlib.pow(nnlib.tensor([1.0, 2.0, 3.0]), 2)
    tensor([1., 4., 9.])
    >>> nnlib.pow(2, nnlib.tensor([1, 2, 3]))
    tensor([2, 4, 8])
    """
    if out is not None:
        refuse_out(out)
    return power(input, exponent) if isinstance(input, Value) else rpow(exponent, input)


def floor_divide(input: Operand, other: Operand) -> Tensor:
    """⌊input / other⌋, elementwise.

    Raises RuntimeError for integers divided by zero.  Like ``torch.floor_divide``.

    >>> import nnlib
    >>> nnlib.floor_divide(nnlib.tensor([-7, 7]), 2)
    tensor([-4,  3])
    """
    _refuse_zero("floor_divide", input, other)
    return apply_promoted(p.floor_divide, input, other, "i")


def _refuse_zero(name: str, a: Any, b: Any) -> None:
    if is_number(b):
        zero = b == 0
    else:
        zero = not np.all(needs_tensor(name, b)._data)
    if isinstance(a, Value) and not a._data.size:
        return  # without elements, nothing is divided by zero
    if zero and dtypes.result_type(a, b).kind != "f":
        raise RuntimeError(
            f"ZeroDivisionError: {name} of integers by zero. In floating point it is inf or nan: "
            "convert with .float() first."
        )


def rsub(input: Operand, other: Operand) -> Tensor:
    """other - input."""
    return _reversed(minus, p.sub, "i", input, other)


def rdiv(input: Operand, other: Operand) -> Tensor:
    """other / input.

    The node saves the result too: if the input is changed in place afterwards, which PyTorch
    allows, it is restored from the result for the gradient.
    """
    result = _reversed(true_divide, p.div, "f", input, other)
    if result._node is not None and is_number(other) and other:
        result._node.out = record.aliased(result) if record.is_tracing() else result._data
    return result


def rfloordiv(input: Operand, other: Operand) -> Tensor:
    """other // input."""
    return floor_divide(other, input)


def rmod(input: Operand, other: Operand) -> Tensor:
    """other % input."""
    return remainder(other, input)


def rpow(input: Operand, other: Operand) -> Tensor:
    """other ** input."""
    return power(other, input) if isinstance(other, Value) else _promoted_power(other, input)


def _reversed(
    function: Callable[[Any, Any], Tensor],
    primitive: Primitive,
    least: str,
    x: Operand,
    other: Operand,
) -> Tensor:
    if isinstance(other, Value):
        return function(other, x)
    return apply_promoted(primitive, other, x, least)


# ---------------------------------------------------------------- comparison and logic


def _compared(primitive: Primitive, input: Any, other: Any, out: None) -> Tensor:
    refuse_out(out)
    for x in (input, other):
        if not isinstance(x, Value) and not is_number(x):
            needs_tensor(primitive.name, x)
    dtype = dtypes.result_type(input, other)
    return apply_binary(primitive, as_operand(input, dtype), as_operand(other, dtype))


def eq(input: Operand, other: Operand, *, out: None = None) -> Tensor:
    """input = other, elementwise, as booleans.

    Like ``torch.eq``.

    >>> import nnlib
    >>> nnlib.eq(nnlib.tensor([1, 2, 3]), 2)
    tensor([False,  True, False])
    """
    return _compared(p.eq, input, other, out)


def ne(input: Operand, other: Operand, *, out: None = None) -> Tensor:
    """input ≠ other, elementwise, as booleans.

    Like ``torch.ne``.

    >>> import nnlib
    >>> nnlib.ne(nnlib.tensor([1, 2, 3]), 2)
    tensor([ True, False,  True])
    """
    return _compared(p.ne, input, other, out)


def lt(input: Operand, other: Operand, *, out: None = None) -> Tensor:
    """input < other, elementwise, as booleans.

    Like ``torch.lt``.

    >>> import nnlib
    >>> nnlib.lt(nnlib.tensor([1, 2, 3]), 2)
    tensor([ True, False, False])
    """
    return _compared(p.lt, input, other, out)


def le(input: Operand, other: Operand, *, out: None = None) -> Tensor:
    """input ≤ other, elementwise, as booleans.

    Like ``torch.le``.

    >>> import nnlib
    >>> nnlib.le(nnlib.tensor([1, 2, 3]), 2)
    tensor([ True,  True, False])
    """
    return _compared(p.le, input, other, out)


def gt(input: Operand, other: Operand, *, out: None = None) -> Tensor:
    """input > other, elementwise, as booleans.

    Like ``torch.gt``.

    >>> import nnlib
    >>> nnlib.gt(nnlib.tensor([1, 2, 3]), 2)
    tensor([False, False,  True])
    """
    return _compared(p.gt, input, other, out)


def ge(input: Operand, other: Operand, *, out: None = None) -> Tensor:
    """input ≥ other, elementwise, as booleans.

    Like ``torch.ge``.

    >>> import nnlib
    >>> nnlib.ge(nnlib.tensor([1, 2, 3]), 2)
    tensor([False,  True,  True])
    """
    return _compared(p.ge, input, other, out)


def _logical(primitive: Primitive, input: Any, other: Any, out: None) -> Tensor:
    refuse_out(out)
    a, b = needs_tensor(primitive.name, input), needs_tensor(primitive.name, other)
    return apply_binary(primitive, a, b)


def logical_and(input: Tensor, other: Tensor, *, out: None = None) -> Tensor:
    """`input` and `other`, elementwise; zero counts as false.

    Like ``torch.logical_and``.

    >>> import nnlib
    >>> nnlib.logical_and(nnlib.tensor([True, True]), nnlib.tensor([True, False]))
    tensor([ True, False])
    """
    return _logical(p.logical_and, input, other, out)


def logical_or(input: Tensor, other: Tensor, *, out: None = None) -> Tensor:
    """`input` or `other`, elementwise; zero counts as false.

    Like ``torch.logical_or``.

    >>> import nnlib
    >>> nnlib.logical_or(nnlib.tensor([True, False]), nnlib.tensor([False, False]))
    tensor([ True, False])
    """
    return _logical(p.logical_or, input, other, out)


def logical_xor(input: Tensor, other: Tensor, *, out: None = None) -> Tensor:
    """Either `input` or `other` but not both, elementwise; zero counts as false.

    Like ``torch.logical_xor``.

    >>> import nnlib
    >>> nnlib.logical_xor(nnlib.tensor([True, True]), nnlib.tensor([True, False]))
    tensor([False,  True])
    """
    return _logical(p.logical_xor, input, other, out)


def _bitwise(primitive: Primitive, input: Any, other: Any, out: None) -> Tensor:
    refuse_out(out)
    dtype = _integer_type(primitive.name, input, other)
    return apply_binary(primitive, as_operand(input, dtype), as_operand(other, dtype))


def _integer_type(name: str, *args: Any) -> np.dtype:
    if not any(isinstance(x, Value) for x in args):
        raise needs_tensor_error(name, *args)
    for x in args:
        if not is_number(x):
            needs_tensor(name, x)
    dtype = dtypes.result_type(*args)
    if dtype.kind == "f":
        raise NotImplementedError(
            f'"{name}" not implemented for {dtype.name}: it needs integers or booleans. '
            "Compare first, as in (x > 0) & (x < 1), or convert with .long()."
        )
    return dtype


def bitwise_and(input: Operand, other: Operand, *, out: None = None) -> Tensor:
    """input & other, bit by bit, of integers or booleans.

    Raises NotImplementedError for floating-point numbers.  Like ``torch.bitwise_and``.

    >>> import nnlib
    >>> nnlib.bitwise_and(nnlib.tensor([6, 5]), 3)
    tensor([2, 1])
    """
    return _bitwise(p.bitwise_and, input, other, out)


def bitwise_or(input: Operand, other: Operand, *, out: None = None) -> Tensor:
    """input | other, bit by bit, of integers or booleans.

    Raises NotImplementedError for floating-point numbers.  Like ``torch.bitwise_or``.

    >>> import nnlib
    >>> nnlib.bitwise_or(nnlib.tensor([6, 5]), 3)
    tensor([7, 7])
    """
    return _bitwise(p.bitwise_or, input, other, out)


def bitwise_xor(input: Operand, other: Operand, *, out: None = None) -> Tensor:
    """input ^ other, bit by bit, of integers or booleans.

    Raises NotImplementedError for floating-point numbers.  Like ``torch.bitwise_xor``.

    >>> import nnlib
    >>> nnlib.bitwise_xor(nnlib.tensor([6, 5]), 3)
    tensor([5, 6])
    """
    return _bitwise(p.bitwise_xor, input, other, out)


def bitwise_not(input: Tensor) -> Tensor:
    """~x, bit by bit: -1 - x for signed integers, not x for booleans.

    Raises TypeError for floating-point numbers.  Like ``torch.bitwise_not``.

    >>> import nnlib
    >>> nnlib.bitwise_not(nnlib.tensor([5])), nnlib.bitwise_not(nnlib.tensor([True]))
    (tensor([-6]), tensor([False]))
    """
    dtype = needs_tensor("bitwise_not", input)._data.dtype
    if dtype.kind == "f":
        raise TypeError(
            "~ (operator.invert) is only implemented on integer and Boolean-type tensors, not "
            f"{dtype.name}"
        )
    return logical_not(input) if dtype.kind == "b" else bitwise_xor(input, -1)


def _shift_type(name: str, *args: Any) -> np.dtype:
    dtype = _integer_type(name, *args)
    if dtype.kind == "b":
        raise NotImplementedError(f'"{name}" not implemented for bool: convert with .int() first')
    return dtype


def bitwise_left_shift(input: Operand, other: Operand) -> Tensor:
    """input · 2^other for integers; bits shifted beyond the upper end are lost.

    Raises NotImplementedError for floats and booleans.  Like ``torch.bitwise_left_shift``.

    >>> import nnlib
    >>> nnlib.bitwise_left_shift(nnlib.tensor([1, 5]), 2)
    tensor([ 4, 20])
    """
    dtype = _shift_type("bitwise_left_shift", input, other)
    if isinstance(other, Value):
        return mul(input, pow(make(dtype.type(2)), converted(other, dtype)))
    # 2⁶³ is the bit that makes an int64 negative; bits shifted further are lost.
    return mul(input, 2**other if 0 <= other < 63 else -(2**63) if other == 63 else 0)


def bitwise_right_shift(input: Operand, other: Operand) -> Tensor:
    """⌊input / 2^other⌋ for integers; a negative shift, as in PyTorch, shifts out all bits.

    Raises NotImplementedError for floats and booleans.  Like ``torch.bitwise_right_shift``.

    >>> import nnlib
    >>> nnlib.bitwise_right_shift(nnlib.tensor([16, -5]), 2)
    tensor([ 4, -2])
    """
    dtype = _shift_type("bitwise_right_shift", input, other)
    bits = dtype.itemsize * 8
    most = bits - 2  # 2 to a higher power does not fit into a signed type: divide twice
    if isinstance(other, Value):
        n = converted(other, dtype)
        n = where(lt(n, 0), bits, clamp(n, max=bits))
        two, first = make(dtype.type(2)), clamp(n, max=most)
        return floor_divide(floor_divide(input, pow(two, first)), pow(two, minus(n, first)))
    shift = bits if other < 0 else min(int(other), bits)
    quotient = floor_divide(input, 2 ** min(shift, most))
    return quotient if shift <= most else floor_divide(quotient, 2 ** (shift - most))


@unary(p.logical_not)
def logical_not(input: Tensor, *, out: None = None) -> Tensor:
    """not x, elementwise: true where x is zero.

    Like ``torch.logical_not``.

    >>> import nnlib
    >>> nnlib.logical_not(nnlib.tensor([0, 1, 2]))
    tensor([ True, False, False])
    """
    return of_any(p.logical_not, input)


@unary(p.isnan)
def isnan(input: Tensor, *, out: None = None) -> Tensor:
    """True where x is nan.

    Like ``torch.isnan``.

    >>> import nnlib
    >>> nnlib.isnan(nnlib.tensor([1.0, nnlib.nan, nnlib.inf]))
    tensor([False,  True, False])
    """
    return of_any(p.isnan, input)


@unary(p.isinf)
def isinf(input: Tensor, *, out: None = None) -> Tensor:
    """True where x is infinite.

    Like ``torch.isinf``.

    >>> import nnlib
    >>> nnlib.isinf(nnlib.tensor([1.0, nnlib.nan, nnlib.inf]))
    tensor([False, False,  True])
    """
    return of_any(p.isinf, input)


@unary(p.isfinite)
def isfinite(input: Tensor, *, out: None = None) -> Tensor:
    """True where x is neither infinite nor nan.

    Like ``torch.isfinite``.

    >>> import nnlib
    >>> nnlib.isfinite(nnlib.tensor([1.0, nnlib.nan, nnlib.inf]))
    tensor([ True, False, False])
    """
    return of_any(p.isfinite, input)


def where(condition: Tensor, input: Operand, other: Operand) -> Tensor:
    """`nnlib.where` with all three arguments."""
    c = needs_tensor("where", condition)
    if c._data.dtype.kind != "b":
        raise RuntimeError(
            f"where expected condition to be a boolean tensor, but got {dtypes.of(c._data).name}. "
            "Compare first: x > 0, x != 0."
        )
    dtype = dtypes.result_type(input, other)
    a, b = (
        converted(x, dtype) if isinstance(x, Value) else make(as_element(x, dtype))
        for x in (input, other)
    )
    try:
        return apply(p.where, (c, a, b), {})
    except ValueError as error:
        raise RuntimeError(f"where: the shapes do not broadcast: {error}") from None


# ---------------------------------------------------------------- functions of one argument


@unary(p.neg)
def neg(input: Tensor, *, out: None = None) -> Tensor:
    """-x, elementwise.

    Like ``torch.neg``.

    >>> import nnlib
    >>> nnlib.neg(nnlib.tensor([1.0, -2.0]))
    tensor([-1.,  2.])
    """
    return of_numbers(p.neg, input)


@unary(p.abs)
def abs(input: Tensor, *, out: None = None) -> Tensor:
    """|x|, elementwise.

    Like ``torch.abs``.

    >>> import nnlib
    >>> nnlib.abs(nnlib.tensor([1.0, -2.0]))
    tensor([1., 2.])
    """
    return of_numbers(p.abs, input)


@unary(p.sign)
def _sign(input: Tensor, *, out: None = None) -> Tensor:
    """-1, 0 or 1: the sign of x."""
    return of_numbers(p.sign, input)


@unary(p.relu)
def relu(input: Tensor, *, out: None = None) -> Tensor:
    """max(x, 0), elementwise.

    Like ``torch.relu``.

    >>> import nnlib
    >>> nnlib.relu(nnlib.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return of_numbers(p.relu, input)


@unary(p.floor)
def floor(input: Tensor, *, out: None = None) -> Tensor:
    """The largest integer ≤ x, in the type of x.

    Like ``torch.floor``.

    >>> import nnlib
    >>> nnlib.floor(nnlib.tensor([-1.5, 1.5]))
    tensor([-2.,  1.])
    """
    return of_any(p.floor, input)


@unary(p.ceil)
def ceil(input: Tensor, *, out: None = None) -> Tensor:
    """The smallest integer ≥ x, in the type of x.

    Like ``torch.ceil``.

    >>> import nnlib
    >>> nnlib.ceil(nnlib.tensor([-1.5, 1.5]))
    tensor([-1.,  2.])
    """
    return of_any(p.ceil, input)


@unary(p.round)
def _rounded(input: Tensor, *, out: None = None) -> Tensor:
    """The nearest integer; halves are rounded to the even neighbour."""
    return of_any(p.round, input)


@unary(p.trunc)
def trunc(input: Tensor, *, out: None = None) -> Tensor:
    """x without its fractional part.

    Like ``torch.trunc``.

    >>> import nnlib
    >>> nnlib.trunc(nnlib.tensor([-1.5, 1.5]))
    tensor([-1.,  1.])
    """
    return of_any(p.trunc, input)


@unary(p.exp)
def exp(input: Tensor, *, out: None = None) -> Tensor:
    """e^x, elementwise.

    Like ``torch.exp``.

    >>> import nnlib
    >>> nnlib.exp(nnlib.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """
    return of_floats(p.exp, input)


@unary(p.exp2)
def exp2(input: Tensor, *, out: None = None) -> Tensor:
    """2^x, elementwise.

    Like ``torch.exp2``.

    >>> import nnlib
    >>> nnlib.exp2(nnlib.tensor([0.0, 3.0]))
    tensor([1., 8.])
    """
    return of_floats(p.exp2, input)


@unary(p.expm1)
def expm1(input: Tensor, *, out: None = None) -> Tensor:
    """e^x - 1, accurate near 0.

    Like ``torch.expm1``.

    >>> import nnlib
    >>> nnlib.expm1(nnlib.tensor([0.0, 1.0]))
    tensor([0.0000, 1.7183])
    """
    return of_floats(p.expm1, input)


@unary(p.log)
def log(input: Tensor, *, out: None = None) -> Tensor:
    """The natural logarithm, elementwise; -inf at 0 and nan below.

    Like ``torch.log``.

    >>> import nnlib
    >>> nnlib.log(nnlib.tensor([1.0, 2.0, 0.0]))
    tensor([0.0000, 0.6931,   -inf])
    """
    return of_floats(p.log, input)


@unary(p.log2)
def log2(input: Tensor, *, out: None = None) -> Tensor:
    """The logarithm to base 2, elementwise.

    Like ``torch.log2``.

    >>> import nnlib
    >>> nnlib.log2(nnlib.tensor([1.0, 8.0]))
    tensor([0., 3.])
    """
    return of_floats(p.log2, input)


@unary(p.log10)
def log10(input: Tensor, *, out: None = None) -> Tensor:
    """The logarithm to base 10, elementwise.

    Like ``torch.log10``.

    >>> import nnlib
    >>> nnlib.log10(nnlib.tensor([1.0, 2.0]))
    tensor([0.0000, 0.3010])
    """
    return of_floats(p.log10, input)


@unary(p.log1p)
def log1p(input: Tensor, *, out: None = None) -> Tensor:
    """log(1 + x), accurate near 0.

    Like ``torch.log1p``.

    >>> import nnlib
    >>> nnlib.log1p(nnlib.tensor([0.0, 1.0]))
    tensor([0.0000, 0.6931])
    """
    return of_floats(p.log1p, input)


@unary(p.sqrt)
def sqrt(input: Tensor, *, out: None = None) -> Tensor:
    """The square root, elementwise; nan below 0.

    Like ``torch.sqrt``.

    >>> import nnlib
    >>> nnlib.sqrt(nnlib.tensor([4.0, 2.0, -1.0]))
    tensor([2.0000, 1.4142,    nan])
    """
    return of_floats(p.sqrt, input)


@unary(p.sin)
def sin(input: Tensor, *, out: None = None) -> Tensor:
    """The sine, elementwise.

    Like ``torch.sin``.

    >>> import nnlib
    >>> nnlib.sin(nnlib.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8415])
    """
    return of_floats(p.sin, input)


@unary(p.cos)
def cos(input: Tensor, *, out: None = None) -> Tensor:
    """The cosine, elementwise.

    Like ``torch.cos``.

    >>> import nnlib
    >>> nnlib.cos(nnlib.tensor([0.0, 1.0]))
    tensor([1.0000, 0.5403])
    """
    return of_floats(p.cos, input)


@unary(p.tan)
def tan(input: Tensor, *, out: None = None) -> Tensor:
    """The tangent, elementwise.

    Like ``torch.tan``.

    >>> import nnlib
    >>> nnlib.tan(nnlib.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5574])
    """
    return of_floats(p.tan, input)


@unary(p.asin)
def asin(input: Tensor, *, out: None = None) -> Tensor:
    """The inverse sine, elementwise.

    Like ``torch.asin``.

    >>> import nnlib
    >>> nnlib.asin(nnlib.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5708])
    """
    return of_floats(p.asin, input)


@unary(p.acos)
def acos(input: Tensor, *, out: None = None) -> Tensor:
    """The inverse cosine, elementwise.

    Like ``torch.acos``.

    >>> import nnlib
    >>> nnlib.acos(nnlib.tensor([0.0, 1.0]))
    tensor([1.5708, 0.0000])
    """
    return of_floats(p.acos, input)


@unary(p.atan)
def atan(input: Tensor, *, out: None = None) -> Tensor:
    """The inverse tangent, elementwise.

    Like ``torch.atan``.

    >>> import nnlib
    >>> nnlib.atan(nnlib.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7854])
    """
    return of_floats(p.atan, input)


@unary(p.sinh)
def sinh(input: Tensor, *, out: None = None) -> Tensor:
    """The hyperbolic sine, elementwise.

    Like ``torch.sinh``.

    >>> import nnlib
    >>> nnlib.sinh(nnlib.tensor([0.0, 1.0]))
    tensor([0.0000, 1.1752])
    """
    return of_floats(p.sinh, input)


@unary(p.cosh)
def cosh(input: Tensor, *, out: None = None) -> Tensor:
    """The hyperbolic cosine, elementwise.

    Like ``torch.cosh``.

    >>> import nnlib
    >>> nnlib.cosh(nnlib.tensor([0.0, 1.0]))
    tensor([1.0000, 1.5431])
    """
    return of_floats(p.cosh, input)


@unary(p.tanh)
def tanh(input: Tensor, *, out: None = None) -> Tensor:
    """The hyperbolic tangent, elementwise.

    Like ``torch.tanh``.

    >>> import nnlib
    >>> nnlib.tanh(nnlib.tensor([0.0, 1.0, 100.0]))
    tensor([0.0000, 0.7616, 1.0000])
    """
    return of_floats(p.tanh, input)


@unary(p.asinh)
def asinh(input: Tensor, *, out: None = None) -> Tensor:
    """The inverse hyperbolic sine, elementwise.

    Like ``torch.asinh``.

    >>> import nnlib
    >>> nnlib.asinh(nnlib.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8814])
    """
    return of_floats(p.asinh, input)


@unary(p.acosh)
def acosh(input: Tensor, *, out: None = None) -> Tensor:
    """The inverse hyperbolic cosine, elementwise.

    Like ``torch.acosh``.

    >>> import nnlib
    >>> nnlib.acosh(nnlib.tensor([1.0, 2.0]))
    tensor([0.0000, 1.3170])
    """
    return of_floats(p.acosh, input)


@unary(p.atanh)
def atanh(input: Tensor, *, out: None = None) -> Tensor:
    """The inverse hyperbolic tangent, elementwise.

    Like ``torch.atanh``.

    >>> import nnlib
    >>> nnlib.atanh(nnlib.tensor([0.0, 0.5]))
    tensor([0.0000, 0.5493])
    """
    return of_floats(p.atanh, input)


@unary(p.sigmoid)
def sigmoid(input: Tensor, *, out: None = None) -> Tensor:
    """σ(x) = 1/(1 + e^-x), elementwise, without overflow.

    Like ``torch.sigmoid``.

    >>> import nnlib
    >>> nnlib.sigmoid(nnlib.tensor([-1000.0, 0.0, 2.0]))
    tensor([0.0000, 0.5000, 0.8808])
    """
    return of_floats(p.sigmoid, input)


@unary(p.erf)
def erf(input: Tensor, *, out: None = None) -> Tensor:
    """The error function, elementwise.

    Like ``torch.erf``.

    >>> import nnlib
    >>> nnlib.erf(nnlib.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8427])
    """
    return of_floats(p.erf, input)


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """x rounded to an integer, or to `decimals` decimal places (may be negative); halves to even.

    Raises NotImplementedError for integers unless `decimals` is 0.  Like ``torch.round``.

    >>> import nnlib
    >>> nnlib.round(nnlib.tensor([0.5, 1.5, 2.6]))
    tensor([0., 2., 3.])
    >>> nnlib.round(nnlib.tensor([1.2345, 98.7]), decimals=1)
    tensor([ 1.2000, 98.7000])
    """
    if not decimals:
        return _rounded(input)
    x = needs_tensor("round", input)
    if x._data.dtype.kind != "f":
        raise NotImplementedError(
            f'"round" with decimals is not implemented for {x._data.dtype.name}: use .float()'
        )
    scale = 10.0 ** builtins.abs(decimals)
    if decimals > 0:
        return true_divide(_rounded(mul(x, scale)), scale)
    return mul(_rounded(true_divide(x, scale)), scale)


def sign(input: Tensor, *, out: None = None) -> Tensor:
    """-1, 0 or 1: the sign of x; booleans are returned unchanged.

    Like ``torch.sign``.

    >>> import nnlib
    >>> nnlib.sign(nnlib.tensor([-3.0, 0.0, 2.0]))
    tensor([-1.,  0.,  1.])
    """
    refuse_out(out)
    return clone(input) if needs_tensor("sign", input)._data.dtype.kind == "b" else _sign(input)


def square(input: Tensor) -> Tensor:
    """x², elementwise.

    Like ``torch.square``.

    >>> import nnlib
    >>> nnlib.square(nnlib.tensor([-3.0, 2.0]))
    tensor([9., 4.])
    """
    x = needs_tensor("square", input)
    x = converted(x, dtypes.int64.numpy) if x._data.dtype.kind == "b" else x
    return mul(x, x)


@unary(fused.reciprocal)
def reciprocal(input: Tensor, *, out: None = None) -> Tensor:
    """1/x, elementwise.

    Like ``torch.reciprocal``.

    >>> import nnlib
    >>> nnlib.reciprocal(nnlib.tensor([4.0, 0.5]))
    tensor([0.2500, 2.0000])
    """
    return of_floats(fused.reciprocal, input)


def rsqrt(input: Tensor) -> Tensor:
    """1/√x, elementwise.

    Like ``torch.rsqrt``.

    >>> import nnlib
    >>> nnlib.rsqrt(nnlib.tensor([4.0, 0.25]))
    tensor([0.5000, 2.0000])
    """
    return reciprocal(sqrt(input))


def clamp(
    input: Tensor, min: Operand | None = None, max: Operand | None = None, *, out: None = None
) -> Tensor:
    """x limited to [min, max], two numbers or two tensors; at least one must be given.

    The gradient goes to x within the limits; outside them, it goes to a limit that is a tensor.
    Where min > max, the result is max.  Raises RuntimeError if neither is given, TypeError for a
    number together with a tensor.  Like ``torch.clamp``.

    >>> import nnlib
    >>> nnlib.clamp(nnlib.tensor([-2.0, 0.5, 3.0]), min=-1, max=1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if out is not None:
        refuse_out(out)
    x = needs_tensor("clamp", input)
    bounds = [b for b in (min, max) if b is not None]
    if not bounds:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if all_numbers(bounds):
        x = converted(x, dtypes.result_type(x, *bounds))
        if x._data.dtype.kind != "f":
            min, max = (b if b is None else as_element(b, x._data.dtype).item() for b in (min, max))
        return apply(p.clamp, (x,), {"min": min, "max": max})
    if not all(isinstance(b, Value) for b in bounds):
        raise TypeError(
            "clamp(): min and max must both be numbers or both be tensors, got "
            f"{type(min).__name__} and {type(max).__name__}"
        )
    return _clamp_by_tensors(x, min, max)


def _clamp_by_tensors(x: Tensor, min: Any, max: Any) -> Tensor:
    """clamp(): the gradient goes to x or the bound that replaces it; to none if one is nan."""
    out = x.detach()
    if min is not None:
        out = maximum(out, min.detach())
    if max is not None:
        out = minimum(out, max.detach())
        above = gt(x, max) if min is None else logical_or(gt(x, max), lt(max, min))
        out = where(logical_and(above, eq(out, max)), max, out)  # not if the result is nan
    if min is not None:
        below = lt(x, min) if max is None else logical_and(lt(x, min), lt(min, max))
        out = where(below, min, out)
    if min is None or max is None:
        return where(ge(x, min) if max is None else le(x, max), x, out)
    return where(logical_and(ge(x, min), le(x, max)), x, out)


def all_numbers(xs: Any) -> bool:
    return False not in [is_number(x) for x in xs]


def nan_to_num(
    input: Tensor, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """x with nan and ±inf replaced, by default with 0 and the limits of x's type.

    Like ``torch.nan_to_num``.

    >>> import nnlib
    >>> nnlib.nan_to_num(nnlib.tensor([nnlib.nan, nnlib.inf, 1.0]), posinf=9.0)
    tensor([0., 9., 1.])
    """
    x = needs_tensor("nan_to_num", input)
    dtype = x._data.dtype
    if dtype.kind != "f":
        return clone(x)
    limits = np.finfo(dtype)
    high = limits.max if posinf is None else posinf
    low = limits.min if neginf is None else neginf
    x = where(isnan(x), make(as_element(nan, dtype)), x)
    x = where(eq(x, make(dtype.type(np.inf))), make(dtype.type(high)), x)
    return where(eq(x, make(dtype.type(-np.inf))), make(dtype.type(low)), x)


def lerp(input: Tensor, end: Tensor, weight: Operand) -> Tensor:
    """input + weight · (end - input): from `input` at weight 0 to `end` at weight 1.

    Raises RuntimeError if the two have different types.  Like ``torch.lerp``.

    >>> import nnlib
    >>> nnlib.lerp(nnlib.tensor([0.0, 10.0]), nnlib.tensor([1.0, 20.0]), 0.5)
    tensor([ 0.5000, 15.0000])
    """
    x, y = needs_tensor("lerp", input), needs_tensor("lerp", end)
    if x._data.dtype != y._data.dtype:
        raise RuntimeError(
            f"expected dtype {dtypes.of(x._data).name} for `end` but got dtype "
            f"{dtypes.of(y._data).name}"
        )
    return plus(x, mul(minus(y, x), weight))


def clone(input: Tensor) -> Tensor:
    """A copy with its own memory; gradients flow through it.

    Like ``torch.clone``.

    >>> import nnlib
    >>> x = nnlib.tensor([1.0, 2.0])
    >>> y = nnlib.clone(x)
    >>> y[0] = 9
    >>> x
    tensor([1., 2.])
    """
    return apply(p.clone, (needs_tensor("clone", input),), {})


def to_dtype(input: Tensor, dtype: Any) -> Tensor:
    """The same values in another type; a cast between floating-point types has a gradient."""
    return converted(needs_tensor("to", input), dtypes.as_numpy(dtype))


clip, sgn = clamp, sign

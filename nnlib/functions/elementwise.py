"""Elementwise functions as PyTorch names them: arithmetic, comparison, and the usual functions."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from nnlib import dtypes, record
from nnlib.devices import refuse_out
from nnlib.functions._args import (
    applied,
    as_operand,
    binary,
    converted,
    held,
    is_number,
    mixed,
    needs_tensor,
    needs_tensor_error,
    unary,
)
from nnlib.functions._examples import documented
from nnlib.primitives import elementwise as p
from nnlib.record import Primitive, Value, apply, make

# ---------------------------------------------------------------- arithmetic

# The operators' own functions: two operands and nothing else to look at.
plus = binary(p.add, mixed(p.add), "a + b, elementwise with broadcasting.")
minus = binary(p.sub, mixed(p.sub, "i"), "a - b, elementwise with broadcasting.")
over = binary(p.div, mixed(p.div, "f"), "a / b, elementwise; integers give floats.")


def add(input: Any, other: Any, *, alpha: Any = 1, out: Any = None) -> Any:
    """input + alpha · other, elementwise with broadcasting.

    Raises RuntimeError where the shapes do not broadcast.  As ``torch.add``.

    >>> import nnlib
    >>> nnlib.add(nnlib.tensor([1.0, 2.0]), 1, alpha=10)
    tensor([11., 12.])
    """
    if out is not None:
        refuse_out(out)
    return plus(input, other if alpha == 1 else _scaled(other, alpha))


def sub(input: Any, other: Any, *, alpha: Any = 1, out: Any = None) -> Any:
    """input - alpha · other, elementwise with broadcasting.

    Raises RuntimeError where the shapes do not broadcast.  As ``torch.sub``.

    >>> import nnlib
    >>> nnlib.sub(nnlib.tensor([5.0, 7.0]), nnlib.tensor([1.0, 2.0]), alpha=2)
    tensor([3., 3.])
    """
    if out is not None:
        refuse_out(out)
    return minus(input, other if alpha == 1 else _scaled(other, alpha))


def _scaled(other: Any, alpha: Any) -> Any:
    return mul(other, alpha) if isinstance(other, Value) else other * alpha


def div(
    input: Any, other: Any, *, rounding_mode: str | None = None, out: Any = None
) -> Any:
    """input / other, elementwise; integers give floats.

    `rounding_mode` "floor" rounds down, "trunc" towards 0; integers then stay integers.  Raises
    RuntimeError for another `rounding_mode`.  As ``torch.div``.

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
        return over(input, other)
    if rounding_mode == "floor":
        return floor_divide(input, other)
    if rounding_mode != "trunc":
        raise RuntimeError(
            "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found "
            f"{rounding_mode!r}"
        )
    kind = dtypes.result_type(input, other)
    if kind.kind == "f":
        return trunc(over(input, other))
    down = floor_divide(input, other)  # exact for large whole numbers too, as a quotient is not
    rest = logical_and(ne(remainder(input, other), 0), lt(down, 0))
    return converted(plus(down, converted(rest, kind)), kind)


mul = binary(p.mul, mixed(p.mul), "a · b, elementwise with broadcasting.")
maximum = binary(p.maximum, mixed(p.maximum), "The larger of a and b; nan where either is nan.")
minimum = binary(p.minimum, mixed(p.minimum), "The smaller of a and b; nan where either is nan.")
atan2 = binary(p.atan2, mixed(p.atan2, "f"), "The angle of the point (b, a), in (-π, π].")


def _remainder_slow(a: Any, b: Any) -> Any:
    _refuse_zero("remainder", a, b)
    return mixed(p.remainder, "i")(a, b)


remainder = binary(p.remainder, _remainder_slow, "a - b·floor(a/b): the sign of b.")


def _pow_slow(a: Any, b: Any) -> Any:
    if isinstance(a, Value) and _whole(b) and is_number(b) and b < 0 and a._data.dtype.kind in "iu":
        raise RuntimeError(
            "Integers to negative integer powers are not allowed: convert with .float() first."
        )
    if isinstance(b, bool) and isinstance(a, Value) and a._data.dtype.kind == "b":
        return clone(a) if b else eq(a, a)  # PyTorch takes booleans to the power of True and False
    if isinstance(b, Value) and b._data.dtype.kind in "iu" and _whole(a):
        return _whole_power(a, b)
    return mixed(p.pow, "i")(a, b)


def _whole(x: Any) -> bool:
    if isinstance(x, Value):
        return x._data.dtype.kind != "f"
    return is_number(x) and not isinstance(x, (float, np.floating))


def _whole_power(a: Any, b: Value) -> Any:
    """a ** b of whole numbers; with a negative exponent 1/aⁿ, rounded to 0 unless a is 1 or -1."""
    if not record.is_watched() and not (b._data < 0).any():
        return mixed(p.pow, "i")(a, b)
    base = a if isinstance(a, Value) else make(b._data.dtype.type(a))
    size = mixed(p.pow, "i")(base, where(lt(b, 0), neg(b), b))
    one = logical_or(eq(base, 1), eq(base, -1))
    return where(logical_or(ge(b, 0), one), size, 0)


power = binary(p.pow, _pow_slow, "a to the power b, elementwise with broadcasting.")


def pow(input: Any, exponent: Any, *, out: Any = None) -> Any:
    """input to the power `exponent`, elementwise with broadcasting; either may be a number.

    Raises RuntimeError for whole numbers to a negative whole power.  As ``torch.pow``.

    >>> import nnlib
    >>> nnlib.pow(nnlib.tensor([1.0, 2.0, 3.0]), 2)
    tensor([1., 4., 9.])
    >>> nnlib.pow(2, nnlib.tensor([1, 2, 3]))
    tensor([2, 4, 8])
    """
    if out is not None:
        refuse_out(out)
    return power(input, exponent) if isinstance(input, Value) else rpow(exponent, input)


def floor_divide(input: Any, other: Any) -> Any:
    """⌊a / b⌋, elementwise.

    Raises RuntimeError for whole numbers divided by zero.  As ``torch.floor_divide``.

    >>> import nnlib
    >>> nnlib.floor_divide(nnlib.tensor([-7, 7]), 2)
    tensor([-4,  3])
    """
    _refuse_zero("floor_divide", input, other)
    return mixed(p.floor_divide, "i")(input, other)


def _refuse_zero(name: str, a: Any, b: Any) -> None:
    if is_number(b):
        zero = b == 0
    else:
        zero = not np.all(needs_tensor(name, b)._data)
    if isinstance(a, Value) and not a._data.size:
        return  # then nothing is divided
    if zero and dtypes.result_type(a, b).kind != "f":
        raise RuntimeError(
            f"ZeroDivisionError: {name} of integers by zero. In floating point it is inf or nan: "
            "convert with .float() first."
        )


def rsub(input: Any, other: Any) -> Any:
    """other - input."""
    return _reversed(minus, p.sub, "i", input, other)


def rdiv(input: Any, other: Any) -> Any:
    """other / input."""
    return _reversed(over, p.div, "f", input, other)


def rfloordiv(input: Any, other: Any) -> Any:
    """other // input."""
    return floor_divide(other, input)


def rmod(input: Any, other: Any) -> Any:
    """other % input."""
    return remainder(other, input)


def rpow(input: Any, other: Any) -> Any:
    """other ** input."""
    return power(other, input) if isinstance(other, Value) else _pow_slow(other, input)


def _reversed(function: Any, primitive: Primitive, least: str, x: Any, other: Any) -> Any:
    if isinstance(other, Value):
        return function(other, x)
    return mixed(primitive, least)(other, x)


# ---------------------------------------------------------------- comparison and logic


def _comparison(primitive: Primitive, doc: str) -> Any:
    def function(input: Any, other: Any, *, out: Any = None) -> Any:
        refuse_out(out)
        for x in (input, other):
            if not isinstance(x, Value) and not is_number(x):
                needs_tensor(primitive.name, x)
        d = dtypes.result_type(input, other)
        return applied(primitive, as_operand(input, d), as_operand(other, d))

    function.__name__, function.__doc__ = primitive.name, documented(primitive.name, doc)
    return function


eq = _comparison(p.eq, "a = b, elementwise, as booleans.")
ne = _comparison(p.ne, "a ≠ b, elementwise, as booleans.")
lt = _comparison(p.lt, "a < b, elementwise, as booleans.")
le = _comparison(p.le, "a ≤ b, elementwise, as booleans.")
gt = _comparison(p.gt, "a > b, elementwise, as booleans.")
ge = _comparison(p.ge, "a ≥ b, elementwise, as booleans.")


def _logical(primitive: Primitive, doc: str) -> Any:
    def function(input: Any, other: Any, *, out: Any = None) -> Any:
        refuse_out(out)
        a, b = needs_tensor(primitive.name, input), needs_tensor(primitive.name, other)
        return applied(primitive, a, b)

    function.__name__, function.__doc__ = primitive.name, documented(primitive.name, doc)
    return function


logical_and = _logical(p.logical_and, "a and b, elementwise: zero is false.")
logical_or = _logical(p.logical_or, "a or b, elementwise: zero is false.")
logical_xor = _logical(p.logical_xor, "Either a or b but not both, elementwise.")


def _bitwise(primitive: Primitive, doc: str) -> Any:
    def function(input: Any, other: Any, *, out: Any = None) -> Any:
        refuse_out(out)
        d = _whole_type(primitive.name, input, other)
        return applied(primitive, as_operand(input, d), as_operand(other, d))

    function.__name__, function.__doc__ = primitive.name, documented(primitive.name, doc)
    return function


def _whole_type(name: str, *args: Any) -> np.dtype:
    if not any(isinstance(x, Value) for x in args):
        raise needs_tensor_error(name, *args)
    for x in args:
        if not is_number(x):
            needs_tensor(name, x)
    d = dtypes.result_type(*args)
    if d.kind == "f":
        raise NotImplementedError(
            f'"{name}" not implemented for {d.name}: bits are those of whole numbers and booleans. '
            "Compare first, as in (x > 0) & (x < 1), or convert with .long()."
        )
    return d


bitwise_and = _bitwise(p.bitwise_and, "a & b, bit by bit: whole numbers or booleans.")
bitwise_or = _bitwise(p.bitwise_or, "a | b, bit by bit: whole numbers or booleans.")
bitwise_xor = _bitwise(p.bitwise_xor, "a ^ b, bit by bit: whole numbers or booleans.")


def bitwise_not(input: Any) -> Any:
    """~x, bit by bit: -1 - x for whole numbers with a sign, not x for booleans.

    Raises TypeError for floating-point numbers.  As ``torch.bitwise_not``.

    >>> import nnlib
    >>> nnlib.bitwise_not(nnlib.tensor([5])), nnlib.bitwise_not(nnlib.tensor([True]))
    (tensor([-6]), tensor([False]))
    """
    kind = needs_tensor("bitwise_not", input)._data.dtype
    if kind.kind == "f":
        raise TypeError(
            "~ (operator.invert) is only implemented on integer and Boolean-type tensors, not "
            f"{kind.name}"
        )
    return logical_not(input) if kind.kind == "b" else bitwise_xor(input, -1)


def bitwise_left_shift(input: Any, other: Any) -> Any:
    """x · 2^n for whole numbers; bits that leave the type at the upper end are gone.

    Raises NotImplementedError for floating-point numbers.  As ``torch.bitwise_left_shift``.

    >>> import nnlib
    >>> nnlib.bitwise_left_shift(nnlib.tensor([1, 5]), 2)
    tensor([ 4, 20])
    """
    _whole_type("bitwise_left_shift", input, other)
    if isinstance(other, Value):
        return mul(input, pow(make(other._data.dtype.type(2)), other))
    # 2⁶³ is the one bit that makes an int64 negative; what is shifted further is gone.
    return mul(input, 2**other if other < 63 else -(2**63) if other == 63 else 0)


def bitwise_right_shift(input: Any, other: Any) -> Any:
    """⌊x / 2^n⌋ for whole numbers.

    Raises NotImplementedError for floating-point numbers.  As ``torch.bitwise_right_shift``.

    >>> import nnlib
    >>> nnlib.bitwise_right_shift(nnlib.tensor([16, -5]), 2)
    tensor([ 4, -2])
    """
    kind = _whole_type("bitwise_right_shift", input, other)
    most = kind.itemsize * 8 - 2  # 2 to this power is positive in every type
    if isinstance(other, Value):
        two = make(other._data.dtype.type(2))
        return floor_divide(input, pow(two, clamp(other, max=most)))
    return floor_divide(input, 2 ** min(other, most))


def _same(x: Value) -> Value:
    return x


logical_not = unary(p.logical_not, "not x, elementwise: true where x is zero.", _same)
isnan = unary(p.isnan, "Where x is nan.", _same)
isinf = unary(p.isinf, "Where x is infinite.", _same)
isfinite = unary(p.isfinite, "Where x is neither infinite nor nan.", _same)


def where(condition: Any, input: Any, other: Any) -> Any:
    """`input` where `condition` holds, `other` elsewhere, with broadcasting.

    `condition` is a boolean tensor; RuntimeError for another type, or shapes that do not broadcast.
    As ``torch.where``.

    >>> import nnlib
    >>> x = nnlib.tensor([-1.0, 2.0])
    >>> nnlib.where(x > 0, x, 0.1 * x)
    tensor([-0.1000,  2.0000])
    """
    c = needs_tensor("where", condition)
    if c._data.dtype.kind != "b":
        raise RuntimeError(
            f"where expected condition to be a boolean tensor, but got {dtypes.of(c._data).name}. "
            "Compare first: x > 0, x != 0."
        )
    d = dtypes.result_type(input, other)
    a, b = (converted(x, d) if isinstance(x, Value) else make(held(x, d)) for x in (input, other))
    try:
        return apply(p.where, (c, a, b), {})
    except ValueError as error:
        raise RuntimeError(f"where: the shapes do not broadcast: {error}") from None


# ---------------------------------------------------------------- functions of one argument


def _no_bool(x: Value) -> Value:
    if x._data.dtype.kind == "b":
        raise RuntimeError("this is not supported for bool tensors: use ~, or convert with .int()")
    return x


neg = unary(p.neg, "-x, elementwise.", _no_bool)
abs = unary(p.abs, "|x|, elementwise.", _no_bool)
_sign = unary(p.sign, "-1, 0 or 1: the sign of x.", _no_bool)
relu = unary(p.relu, "max(x, 0), elementwise.", _no_bool)
floor = unary(p.floor, "The largest integer ≤ x, as x's type.", _same)
ceil = unary(p.ceil, "The smallest integer ≥ x, as x's type.", _same)
_rounded = unary(p.round, "The nearest integer, halves to the even one.", _same)
trunc = unary(p.trunc, "x without its fraction.", _same)
exp = unary(p.exp, "e^x, elementwise.")
exp2 = unary(p.exp2, "2^x, elementwise.")
expm1 = unary(p.expm1, "e^x - 1, exact near 0.")
log = unary(p.log, "The natural logarithm, elementwise; -inf at 0 and nan below.")
log2 = unary(p.log2, "The logarithm to base 2, elementwise.")
log10 = unary(p.log10, "The logarithm to base 10, elementwise.")
log1p = unary(p.log1p, "log(1 + x), exact near 0.")
sqrt = unary(p.sqrt, "The square root, elementwise; nan below 0.")
sin = unary(p.sin, "The sine, elementwise.")
cos = unary(p.cos, "The cosine, elementwise.")
tan = unary(p.tan, "The tangent, elementwise.")
asin = unary(p.asin, "The inverse sine, elementwise.")
acos = unary(p.acos, "The inverse cosine, elementwise.")
atan = unary(p.atan, "The inverse tangent, elementwise.")
sinh = unary(p.sinh, "The hyperbolic sine, elementwise.")
cosh = unary(p.cosh, "The hyperbolic cosine, elementwise.")
tanh = unary(p.tanh, "The hyperbolic tangent, elementwise.")
asinh = unary(p.asinh, "The inverse hyperbolic sine, elementwise.")
acosh = unary(p.acosh, "The inverse hyperbolic cosine, elementwise.")
atanh = unary(p.atanh, "The inverse hyperbolic tangent, elementwise.")
sigmoid = unary(p.sigmoid, "σ(x) = 1/(1 + e^-x), elementwise, without overflow.")
erf = unary(p.erf, "The error function, elementwise.")


def round(input: Any, *, decimals: int = 0) -> Any:
    """The nearest integer, halves to the even one; or so many `decimals`, negative ones too.

    Raises NotImplementedError for whole numbers with decimals.  As ``torch.round``.

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
        return over(_rounded(mul(x, scale)), scale)
    return mul(_rounded(over(x, scale)), scale)


def sign(input: Any, *, out: Any = None) -> Any:
    """-1, 0 or 1: the sign of x; booleans stay as they are.

    As ``torch.sign``.

    >>> import nnlib
    >>> nnlib.sign(nnlib.tensor([-3.0, 0.0, 2.0]))
    tensor([-1.,  0.,  1.])
    """
    refuse_out(out)
    return clone(input) if needs_tensor("sign", input)._data.dtype.kind == "b" else _sign(input)


def square(input: Any) -> Any:
    """x², elementwise.

    As ``torch.square``.

    >>> import nnlib
    >>> nnlib.square(nnlib.tensor([-3.0, 2.0]))
    tensor([9., 4.])
    """
    x = needs_tensor("square", input)
    x = converted(x, dtypes.int64.numpy) if x._data.dtype.kind == "b" else x
    return mul(x, x)


def reciprocal(input: Any) -> Any:
    """1/x, elementwise.

    As ``torch.reciprocal``.

    >>> import nnlib
    >>> nnlib.reciprocal(nnlib.tensor([4.0, 0.5]))
    tensor([0.2500, 2.0000])
    """
    return rdiv(input, 1.0)


def rsqrt(input: Any) -> Any:
    """1/√x, elementwise.

    As ``torch.rsqrt``.

    >>> import nnlib
    >>> nnlib.rsqrt(nnlib.tensor([4.0, 0.25]))
    tensor([0.5000, 2.0000])
    """
    return reciprocal(sqrt(input))


def clamp(input: Any, min: Any = None, max: Any = None, *, out: Any = None) -> Any:
    """x limited to [min, max], two numbers or two tensors; at least one must be given.

    Within the limits the gradient passes, outside it does not.  Where min > max, max wins.  Raises
    RuntimeError where neither is given, TypeError for a number beside a tensor.  As
    ``torch.clamp``.

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
            min, max = (b if b is None else held(b, x._data.dtype).item() for b in (min, max))
        return apply(p.clamp, (x,), {"min": min, "max": max})
    if not all(isinstance(b, Value) for b in bounds):
        raise TypeError(
            "clamp(): min and max must both be numbers or both be tensors, got "
            f"{type(min).__name__} and {type(max).__name__}"
        )
    if min is not None:
        x = where(_beyond(lt(x, min), min), min, x)
    return x if max is None else where(_beyond(gt(x, max), max), max, x)


def _beyond(condition: Any, bound: Value) -> Any:
    """Where the bound is taken: where x is beyond it, and where it is nan."""
    return logical_or(condition, isnan(bound)) if bound._data.dtype.kind == "f" else condition


def all_numbers(xs: Any) -> bool:
    return False not in [is_number(x) for x in xs]


def nan_to_num(input: Any, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """x with numbers in place of nan and ±inf: by default 0 and the largest of x's type.

    As ``torch.nan_to_num``.

    >>> import nnlib
    >>> nnlib.nan_to_num(nnlib.tensor([nnlib.nan, nnlib.inf, 1.0]), posinf=9.0)
    tensor([0., 9., 1.])
    """
    x = needs_tensor("nan_to_num", input)
    kind = x._data.dtype
    if kind.kind != "f":
        return clone(x)
    ends = np.finfo(kind)
    high = ends.max if posinf is None else posinf
    low = ends.min if neginf is None else neginf
    x = where(isnan(x), make(held(nan, kind)), x)
    x = where(eq(x, make(kind.type(np.inf))), make(kind.type(high)), x)
    return where(eq(x, make(kind.type(-np.inf))), make(kind.type(low)), x)


def lerp(input: Any, end: Any, weight: Any) -> Any:
    """input + weight · (end - input): from `input` at weight 0 to `end` at weight 1.

    Raises RuntimeError where the two are of different types.  As ``torch.lerp``.

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


def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """input + value · tensor1 · tensor2, elementwise.

    As ``torch.addcmul``.

    >>> import nnlib
    >>> a, b = nnlib.tensor([1.0, 2.0]), nnlib.tensor([3.0, 4.0])
    >>> nnlib.addcmul(a, a, b, value=10)
    tensor([31., 82.])
    """
    return add(input, mul(tensor1, tensor2), alpha=value)


def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """input + value · tensor1 / tensor2, elementwise.

    As ``torch.addcdiv``.

    >>> import nnlib
    >>> a, b = nnlib.tensor([1.0, 2.0]), nnlib.tensor([4.0, 4.0])
    >>> nnlib.addcdiv(a, a, b, value=10)
    tensor([3.5000, 7.0000])
    """
    return add(input, over(tensor1, tensor2), alpha=value)


def clone(input: Any) -> Any:
    """A copy with its own memory; gradients flow through it.

    As ``torch.clone``.

    >>> import nnlib
    >>> x = nnlib.tensor([1.0, 2.0])
    >>> y = nnlib.clone(x)
    >>> y[0] = 9
    >>> x
    tensor([1., 2.])
    """
    return apply(p.clone, (needs_tensor("clone", input),), {})


def to_dtype(input: Any, dtype: Any) -> Any:
    """The same values in another type; gradients flow between floating-point types."""
    return converted(needs_tensor("to", input), dtypes.as_numpy(dtype))


clip, sgn = clamp, sign
__all__ = [name for name in dir() if name[0] != "_"]

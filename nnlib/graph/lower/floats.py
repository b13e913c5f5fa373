"""The arithmetic that loops call: float32 functions that vectorise, and NumPy's rules for nan.

The exponential family is evaluated by polynomials (Cephes' single-precision ones, Moshier 1989)
without branches, so that a loop over them becomes vector instructions.  They stay within three
units in the last place of the exact value, as tests/graph/test_lowering.py checks: the largest
error is sigmoid's, 2.48 units at -16.6357; the others stay below two.  Everything here is plain
Python until numba compiles it.
"""

# A numba function's types are given where it is called: annotations would only repeat them.
# mypy: disable-error-code="no-untyped-def"

import math

import numpy as np
from numba import njit

f4, f8, i4, i8 = np.float32, np.float64, np.int32, np.int64
# Inlined, since a call would not vectorise; a product may be added without rounding in between.
exact = njit(error_model="numpy", cache=True, forceinline=True, fastmath={"contract"})
# Sums may be taken in any order too.
summing = njit(
    error_model="numpy", cache=True, forceinline=True, fastmath={"reassoc", "contract", "nsz"}
)

_MAGIC = f4(12582912.0)  # 1.5 · 2²³: adding it rounds a float32 to a whole number
_LOG2E, _LN2_HI, _LN2_LO = f4(1.44269504), f4(0.693359375), f4(-2.12194440e-4)
_LARGE, _SMALL = f4(89.0), f4(-104.0)
_INF, _NAN = f4(np.inf), f4(np.nan)
_ONE, _TWO, _HALF, _ZERO = f4(1), f4(2), f4(0.5), f4(0)
_E0, _E1, _E2, _E3, _E4, _E5 = (
    f4(1.9875691500e-4), f4(1.3981999507e-3), f4(8.3334519073e-3), f4(4.1665795894e-2),
    f4(1.6666665459e-1), f4(5.0000001201e-1),
)  # fmt: skip
_T0, _T1, _T2, _T3, _T4 = (
    f4(-5.70498872745e-3), f4(2.06390887954e-2), f4(-5.37397155531e-2), f4(1.33314422036e-1),
    f4(-3.33332819422e-1),
)  # fmt: skip
_L0, _L1, _L2, _L3, _L4, _L5, _L6, _L7, _L8 = (
    f4(7.0376836292e-2), f4(-1.1514610310e-1), f4(1.1676998740e-1), f4(-1.2420140846e-1),
    f4(1.4249322787e-1), f4(-1.6668057665e-1), f4(2.0000714765e-1), f4(-2.4999993993e-1),
    f4(3.3333331174e-1),
)  # fmt: skip
_SQRT_HALF, _TINY, _2_23 = f4(0.70710678), f4(1.17549435e-38), f4(8388608.0)
_TANH_SMALL, _TANH_IS_ONE, _SIGMOID_IS_ONE = f4(0.625), f4(10), f4(-86)


@exact
def vector(memory, start, n):
    """An array of n elements in the working memory; numba compiles a call sooner than a slice."""
    return memory[start : start + n]


@exact
def matrix(memory, start, rows, columns):
    """A matrix in the working memory."""
    return memory[start : start + rows * columns].reshape((rows, columns))


@summing
def plus(total, x):
    return total + x


@summing
def plus_product(total, x, y):
    return total + x * y


@exact
def expf(x):
    x = _LARGE if x > _LARGE else _SMALL if x < _SMALL else x
    shifted = x * _LOG2E + _MAGIC
    k = i4(f4(shifted).view(i4) - i4(0x4B400000))
    rounded = shifted - _MAGIC
    r = (x - rounded * _LN2_HI) - rounded * _LN2_LO
    y = (((((_E0 * r + _E1) * r + _E2) * r + _E3) * r + _E4) * r + _E5) * (r * r) + r + _ONE
    half = i4(k >> i4(1))  # two factors, since 2**k alone may not be a float32
    first = i4((half + i4(127)) << i4(23)).view(f4)
    second = i4((k - half + i4(127)) << i4(23)).view(f4)
    return y * first * second


@exact
def _exp_between(x):
    """exp(x) for -86 ≤ x ≤ 89, where one factor and a doubling suffice."""
    shifted = x * _LOG2E + _MAGIC
    rounded = shifted - _MAGIC
    r = (x - rounded * _LN2_HI) - rounded * _LN2_LO
    y = (((((_E0 * r + _E1) * r + _E2) * r + _E3) * r + _E4) * r + _E5) * (r * r) + r + _ONE
    half = i4((f4(shifted).view(i4) - i4(0x4B400000 - 126)) << i4(23)).view(f4)
    return y * half * _TWO


@exact
def sigmoidf(x):
    x = -x
    x = _LARGE if x > _LARGE else _SIGMOID_IS_ONE if x < _SIGMOID_IS_ONE else x
    return _ONE / (_ONE + _exp_between(x))


@exact
def tanhf(x):
    z = x * x
    small = ((((_T0 * z + _T1) * z + _T2) * z + _T3) * z + _T4) * z * x + x
    magnitude = abs(x)
    clipped = _TANH_IS_ONE if magnitude > _TANH_IS_ONE else magnitude
    large = _ONE - _TWO / (_exp_between(clipped + clipped) + _ONE)
    large = -large if x < _ZERO else large
    return small if magnitude < _TANH_SMALL else large if magnitude >= _TANH_SMALL else x


@exact
def logf(x):
    tiny = x < _TINY
    scaled = x * _2_23 if tiny else x
    bits = f4(scaled).view(i4)
    exponent = i4((bits >> i4(23)) - i4(126))
    m = i4((bits & i4(0x007FFFFF)) | i4(0x3F000000)).view(f4)
    low = m < _SQRT_HALF
    m = m + m - _ONE if low else m - _ONE
    e = f4(i4(exponent - (i4(1) if low else i4(0)) - (i4(23) if tiny else i4(0))))
    z = m * m
    y = ((((((_L0 * m + _L1) * m + _L2) * m + _L3) * m + _L4) * m + _L5) * m + _L6) * m + _L7
    y = (y * m + _L8) * m * z
    y = y + e * _LN2_LO - _HALF * z
    out = m + y + e * _LN2_HI
    out = -_INF if x == _ZERO else out  # one condition at a time: a loop can choose by masks
    out = _NAN if x < _ZERO else out
    out = x if x == _INF else out
    return x if x != x else out


@exact
def log1pf(x):
    u = _ONE + x
    out = logf(u) + (x - (u - _ONE)) / u
    out = -_INF if x == -_ONE else out
    out = x if x == _INF else out
    return x if u == _ONE else out


@exact
def softplusf(x):
    return (_ZERO if x < _ZERO else x) + log1pf(expf(-abs(x)))


@exact
def maximum(x, y):
    """The larger one; nan if one is nan."""
    return x if x >= y or x != x else y


@exact
def minimum(x, y):
    return x if x <= y or x != x else y


@exact
def sign(x):
    return x if x != x else 0.0 if x == 0 else math.copysign(1.0, x)


@exact
def sigmoid(x):
    return 1 / (1 + math.exp(-x))


@exact
def softplus(x):
    return (x if x > 0 or x != x else 0.0) + math.log1p(math.exp(-abs(x)))

"""How each elementwise step is written in a loop, and which steps loops can compute at all.

A loop computes in float32, float64, int64 and bool, one element at a time, always in the step's own
dtype.  A step that is not listed here stays a call of its primitive between the loops.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from nnlib.graph.steps import Step

TYPES = {"float32": "f4", "float64": "f8", "int64": "i8", "bool": "bool"}
_FLOATS = ("float32", "float64")

_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
_COMPARISONS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_LOGIC = {"logical_and": "and", "logical_or": "or"}
_FAST = {"exp": "expf", "log": "logf", "tanh": "tanhf", "sigmoid": "sigmoidf",
         "softplus": "softplusf", "log1p": "log1pf"}  # fmt: skip
# Both float dtypes use these functions, except that float32 has those of _FAST, from floats.py.
_FUNCTIONS = {
    "exp": "np.exp", "log": "np.log", "tanh": "np.tanh", "sigmoid": "sigmoid",
    "softplus": "softplus", "log1p": "np.log1p", "expm1": "np.expm1", "exp2": "np.exp2",
    "log2": "np.log2", "log10": "np.log10", "sqrt": "np.sqrt", "sin": "np.sin", "cos": "np.cos",
    "tan": "np.tan", "asin": "np.arcsin", "acos": "np.arccos", "atan": "np.arctan",
    "sinh": "np.sinh", "cosh": "np.cosh", "asinh": "np.arcsinh", "acosh": "np.arccosh",
    "atanh": "np.arctanh", "floor": "np.floor", "ceil": "np.ceil", "trunc": "np.trunc",
    "erf": "math.erf", "sign": "sign", "abs": "abs",
}  # fmt: skip


def number(value: Any, dtype: str) -> str:
    """A constant of a dtype, as the loops write it."""
    value = np.asarray(value)[()]
    if dtype == "bool":
        return str(bool(value))
    if dtype == "int64":
        return f"i8({int(value)})"
    value = float(value)
    text = repr(float(str(np.float32(value)))) if dtype == "float32" and math.isfinite(value) else (
        repr(value) if math.isfinite(value) else
        "np.nan" if value != value else "np.inf" if value > 0 else "-np.inf")  # fmt: skip
    return f"{TYPES[dtype]}({text})"


def is_elementwise(step: Step, operands: Sequence[Step]) -> bool:
    """Whether a loop can compute this step from these operands."""
    dtypes = [s.dtype for s in operands]
    if step.dtype not in TYPES or any(k not in TYPES for k in dtypes):
        return False
    op, is_float = step.op, step.dtype in _FLOATS
    same_dtype = all(k == step.dtype for k in dtypes)
    if op in _INFIX:
        return same_dtype and step.dtype != "bool" and (op != "div" or is_float)
    if op == "pow":
        return same_dtype and is_float
    if op in ("maximum", "minimum", "atan2", "relu", "clamp", *_FUNCTIONS):
        return same_dtype and is_float
    if op == "neg":
        return same_dtype and step.dtype != "bool"
    if op in _COMPARISONS:
        return len(set(dtypes)) == 1
    if op in (*_LOGIC, "logical_xor", "logical_not"):
        return True
    if op in ("isnan", "isinf", "isfinite"):
        return dtypes[0] in _FLOATS
    if op == "where":
        return dtypes[0] == "bool" and dtypes[1] == dtypes[2] == step.dtype
    return op in ("cast", "clone", "copy") and not (dtypes[0] in _FLOATS and step.dtype == "int64")


def expression(step: Step, xs: Sequence[str], operands: Sequence[Step]) -> str:
    """The step as an expression of its arguments, each a name or a number."""
    op, type_name = step.op, TYPES[step.dtype]
    if op in _INFIX:
        return f"{xs[0]} {_INFIX[op]} {xs[1]}"
    if op == "pow":
        return _power(xs, operands)
    if op in _COMPARISONS:
        return f"{xs[0]} {_COMPARISONS[op]} {xs[1]}"
    if op in (*_LOGIC, "logical_xor", "logical_not"):
        return _logic(op, [x if s.dtype == "bool" else f"({x} != 0)" for x, s in zip(xs, operands)])
    if op in _FAST and type_name == "f4":
        return f"{_FAST[op]}({xs[0]})"
    if op in _FUNCTIONS:
        return f"{type_name}({_FUNCTIONS[op]}({xs[0]}))"
    zero = f"{type_name}(0.0)"
    templates = {
        "neg": "-{0}", "isnan": "{0} != {0}", "isinf": "abs({0}) == np.inf",
        "isfinite": "abs({0}) < np.inf", "where": "{1} if {0} else {2}", "clone": "{0}",
        "copy": "{0}", "maximum": "maximum({0}, {1})", "minimum": "minimum({0}, {1})",
        "relu": f"maximum({{0}}, {zero})", "atan2": f"{type_name}(np.arctan2({{0}}, {{1}}))",
        "cast": "{0} != 0" if type_name == "bool" else f"{type_name}({{0}})",
    }  # fmt: skip
    if op in templates:
        return templates[op].format(*xs)
    low, high = step.attrs["min"], step.attrs["max"]
    out = xs[0]
    if low is not None:
        out = f"maximum({out}, {number(low, step.dtype)})"
    return out if high is None else f"minimum({out}, {number(high, step.dtype)})"


def _power(xs: Sequence[str], operands: Sequence[Step]) -> str:
    exponent = operands[1]
    if exponent.op == "constant" and not exponent.shape:
        templates = {1.0: "{0}", 2.0: "{0} * {0}", 3.0: "{0} * {0} * {0}", -1.0: "1 / {0}"}
        if operands[0].shape:  # as NumPy's power of an array does: nan at -inf
            templates[0.5] = "np.sqrt({0})"
        template = templates.get(float(exponent.value))
        if template is not None:
            type_name = TYPES[operands[0].dtype]
            return template.replace("1 /", f"{type_name}(1.0) /").format(xs[0])
    return f"{xs[0]} ** {xs[1]}"


def _logic(op: str, xs: list[str]) -> str:
    if op == "logical_not":
        return f"not {xs[0]}"
    return f"{xs[0]} != {xs[1]}" if op == "logical_xor" else f"{xs[0]} {_LOGIC[op]} {xs[1]}"


REDUCTIONS = {"sum": "plus", "amax": "maximum", "amin": "minimum", "prod": "*", "any": "or",
         "all": "and"}  # fmt: skip


def is_reduction(step: Step, operand: Step) -> bool:
    """Whether a loop can compute this reduction."""
    if step.op not in REDUCTIONS or not operand.shape:
        return False
    if step.op in ("any", "all"):
        return operand.dtype == step.dtype == "bool"
    return operand.dtype == step.dtype and (
        step.dtype in _FLOATS or (step.dtype == "int64" and step.op == "sum")
    )


def initial_value(op: str, dtype: str) -> str:
    """The initial value of a reduction."""
    if op in ("any", "all"):
        return str(op == "all")
    value = {"sum": 0.0, "prod": 1.0, "amax": -math.inf, "amin": math.inf}[op]
    return number(value, dtype)


def accumulated(op: str, value: str, x: str) -> str:
    """A reduction's running `value` combined with one more element `x`."""
    if op in ("any", "all"):
        return f"{value} {REDUCTIONS[op]} {x}"
    return f"{value} * {x}" if op == "prod" else f"{REDUCTIONS[op]}({value}, {x})"

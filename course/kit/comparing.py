"""Sentences on how an answer differs from the right one, and on the mistake that explains it."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np


def is_blank(answer: Any) -> bool:
    """Whether the answer, or a part of it, is still the stub's `...`."""
    if answer is ...:
        return True
    if isinstance(answer, (list, tuple)):
        return any(is_blank(part) for part in answer)
    return isinstance(answer, Mapping) and any(is_blank(part) for part in answer.values())


def has_dots(function: Any) -> bool:
    """Whether the source of a function, or of a class's methods, still contains a stub's `...`.

    False if the source is not available.
    """
    if hasattr(type(function), "has_dots"):  # a function of another process (wire.py)
        return bool(function.has_dots)
    if inspect.isclass(function):
        return any(has_dots(method) for method in vars(function).values() if callable(method))
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return False
    with_value = (ast.Expr, ast.Assign, ast.AnnAssign, ast.Return)
    return any(
        isinstance(node, with_value)
        and isinstance(node.value, ast.Constant)
        and node.value.value is ...
        for node in ast.walk(tree)
    )


def array_of(value: Any) -> np.ndarray | None:
    """The value as an array, or None if it does not consist of numbers."""
    if hasattr(value, "detach"):
        return np.asarray(value.detach().numpy())
    try:
        array = np.asarray(value)
    except ValueError:
        return None
    return array if array.dtype.kind in "biuf" else None


def difference(answer: Any, needed: Any, tolerance: float, where: str = "") -> str | None:
    """A sentence on what differs, or None if nothing does."""
    prefix = f"{where}: " if where else ""
    if isinstance(needed, Mapping):
        if not isinstance(answer, Mapping) or set(answer) != set(needed):
            return (
                f"{prefix}a dict with {', '.join(map(str, needed))} is needed, not {brief(answer)}."
            )
        return first_problem(
            difference(answer[k], needed[k], tolerance, f"{where}[{k!r}]") for k in needed
        )
    if (isinstance(needed, (tuple, list)) and array_of(needed) is None) or isinstance(
        needed, tuple
    ):
        if not isinstance(answer, (tuple, list)) or len(answer) != len(needed):
            return f"{prefix}{len(needed)} results are needed, not {brief(answer)}."
        pairs = enumerate(zip(answer, needed, strict=True))
        return first_problem(difference(a, n, tolerance, f"{where}[{i}]") for i, (a, n) in pairs)
    if isinstance(needed, (str, bool)):
        same = type(answer) is type(needed) and answer == needed
        return None if same else f"{prefix}you have {brief(answer)}."
    return numbers_differ(answer, needed, tolerance, prefix)


def numbers_differ(answer: Any, needed: Any, tolerance: float, prefix: str) -> str | None:
    """A sentence on how two arrays differ: in shape, in dtype, or most of all in one entry."""
    a, n = array_of(answer), array_of(needed)
    if a is None:
        return f"{prefix}numbers are needed, not {brief(answer)} ({type(answer).__name__})."
    assert n is not None
    if a.shape != n.shape:
        return f"{prefix}the shape {n.shape} is needed; yours is {a.shape}."
    if (a.dtype.kind == "b") != (n.dtype.kind == "b"):
        return f"{prefix}the dtype {n.dtype} is needed; yours is {a.dtype}."
    if close(a, n, tolerance):
        return None
    a, n = a.astype(float), n.astype(float)
    equal = (a == n) | (np.isnan(a) & np.isnan(n))
    finite = np.isfinite(a) & np.isfinite(n)
    with np.errstate(invalid="ignore"):  # inf - inf
        errors = np.where(equal, 0.0, np.where(finite, np.abs(a - n), np.inf))
    position = np.unravel_index(int(np.argmax(errors)), errors.shape)
    index = f" at [{', '.join(map(str, position))}]" if position else ""
    got, right = float(a[position]), float(n[position])
    return f"{prefix}you have {got:.5g}{index} where {right:.5g} is needed."


def close(a: np.ndarray, n: np.ndarray, tolerance: float) -> bool:
    """Whether arrays of one shape agree to `tolerance` times the largest entry of n, or 1."""
    scale = max(1.0, float(np.abs(n.astype(float)[np.isfinite(n)]).max(initial=0)))
    return bool(np.allclose(a, n, rtol=0, atol=tolerance * scale, equal_nan=True))


def agrees(answer: Any, needed: Any, tolerance: float) -> bool:
    return difference(answer, needed, tolerance) is None


def first_problem(problems: Iterable[str | None]) -> str | None:
    return next((problem for problem in problems if problem is not None), None)


def brief(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "…"


# --- common mistakes, recognised from the numbers alone ----------------------------------------

WORDS = {
    "nan": "There is a nan or an infinity in it: a logarithm of 0, or an overflow in exp?",
    "sign": "It is exactly the negative: a sign is flipped.",
    "transpose": "It is the transpose of what is needed: a missing or an extra .T.",
    "sum": "It is {factor:g} times as large: you sum where the mean is needed.",
    "mean": "It is {factor:g} times too small: you take the mean where the sum is needed.",
    "factor": "Every entry is {factor:.4g} times what is needed: a constant factor.",
    "logits": "These are logits: the sigmoid is missing.",
    "probabilities": "These are probabilities: logits are needed, so leave the sigmoid out.",
    "logarithm": "The logarithm of your answer would be right: take the logarithm.",
}


def suspicion(answer: Any, needed: Any, lengths: Iterable[int] = ()) -> str | None:
    """The common mistake that would explain all of the difference, or None.

    `lengths` are the numbers of values over which a sum or a mean may have been taken.
    """
    a, n = array_of(answer), array_of(needed)
    if a is None or n is None or n.size == 0:
        return None
    a, n = a.astype(float), n.astype(float)
    if np.isfinite(n).all() and not np.isfinite(a).all():
        return WORDS["nan"]
    if a.shape != n.shape:
        transposed = n.ndim == 2 and a.shape == n.T.shape and close(a, n.T, 1e-6)
        return WORDS["transpose"] if transposed else None
    with np.errstate(all="ignore"):
        return same_shape_suspicion(a, n, set(lengths))


def same_shape_suspicion(a: np.ndarray, n: np.ndarray, lengths: set[int]) -> str | None:
    if close(a, -n, 1e-6) and np.any(n):
        return WORDS["sign"]
    if n.ndim == 2 and n.shape[0] == n.shape[1] and close(a, n.T, 1e-6):
        return WORDS["transpose"]
    if close(a, 1 / (1 + np.exp(-n)), 1e-6):
        return WORDS["probabilities"]
    if close(1 / (1 + np.exp(-a)), n, 1e-6):
        return WORDS["logits"]
    if (a > 0).all() and close(np.log(a), n, 1e-6):
        return WORDS["logarithm"]
    return factor_suspicion(a, n, lengths)


def factor_suspicion(a: np.ndarray, n: np.ndarray, lengths: set[int]) -> str | None:
    nonzero = np.abs(n) > 1e-9
    if not nonzero.any() or not close(a[~nonzero], n[~nonzero], 1e-9):
        return None
    ratios = a[nonzero] / n[nonzero]
    factor = float(ratios[0])
    if not np.allclose(ratios, factor, rtol=1e-5) or abs(factor) < 1e-9:
        return None
    for length in lengths - {0, 1}:
        if abs(factor - length) < 1e-5 * length:
            return WORDS["sum"].format(factor=length)
        if abs(1 / factor - length) < 1e-5 * length:
            return WORDS["mean"].format(factor=length)
    # A single number is always some multiple of another; only a round factor suggests a mistake.
    if n.size == 1 and round(factor, 6) not in (0.5, 2.0, -0.5, -2.0):
        return None
    return WORDS["factor"].format(factor=factor)

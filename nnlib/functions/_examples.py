"""Examples of the functions that are made, not written out: shown in their help, run by doctest."""

# Operands, an arrow, and what the resulting tensor prints.
EXAMPLES = {
    "mul": "[1.0, 2.0]; [3.0, 4.0] → [3., 8.]",
    "maximum": "[1.0, 5.0]; [3.0, 4.0] → [3., 5.]",
    "minimum": "[1.0, 5.0]; [3.0, 4.0] → [1., 4.]",
    "atan2": "[1.0, 1.0]; [1.0, -1.0] → [0.7854, 2.3562]",
    "remainder": "[-7, 7]; 3 → [2, 1]",
    "eq": "[1, 2, 3]; 2 → [False,  True, False]",
    "ne": "[1, 2, 3]; 2 → [ True, False,  True]",
    "lt": "[1, 2, 3]; 2 → [ True, False, False]",
    "le": "[1, 2, 3]; 2 → [ True,  True, False]",
    "gt": "[1, 2, 3]; 2 → [False, False,  True]",
    "ge": "[1, 2, 3]; 2 → [False,  True,  True]",
    "logical_and": "[True, True]; [True, False] → [ True, False]",
    "bitwise_and": "[6, 5]; 3 → [2, 1]",
    "bitwise_or": "[6, 5]; 3 → [7, 7]",
    "bitwise_xor": "[6, 5]; 3 → [5, 6]",
    "logical_or": "[True, False]; [False, False] → [ True, False]",
    "logical_xor": "[True, True]; [True, False] → [False,  True]",
    "logical_not": "[0, 1, 2] → [ True, False, False]",
    "isnan": "[1.0, nnlib.nan, nnlib.inf] → [False,  True, False]",
    "isinf": "[1.0, nnlib.nan, nnlib.inf] → [False, False,  True]",
    "isfinite": "[1.0, nnlib.nan, nnlib.inf] → [ True, False, False]",
    "neg": "[1.0, -2.0] → [-1.,  2.]",
    "abs": "[1.0, -2.0] → [1., 2.]",
    "sign": "[-3.0, 0.0, 2.0] → [-1.,  0.,  1.]",
    "relu": "[-1.0, 2.0] → [0., 2.]",
    "floor": "[-1.5, 1.5] → [-2.,  1.]",
    "ceil": "[-1.5, 1.5] → [-1.,  2.]",
    "round": "[0.5, 1.5, 2.6] → [0., 2., 3.]",
    "trunc": "[-1.5, 1.5] → [-1.,  1.]",
    "exp": "[0.0, 1.0] → [1.0000, 2.7183]",
    "exp2": "[0.0, 3.0] → [1., 8.]",
    "expm1": "[0.0, 1.0] → [0.0000, 1.7183]",
    "log": "[1.0, 2.0, 0.0] → [0.0000, 0.6931,   -inf]",
    "log2": "[1.0, 8.0] → [0., 3.]",
    "log10": "[1.0, 2.0] → [0.0000, 0.3010]",
    "log1p": "[0.0, 1.0] → [0.0000, 0.6931]",
    "sqrt": "[4.0, 2.0, -1.0] → [2.0000, 1.4142,    nan]",
    "sin": "[0.0, 1.0] → [0.0000, 0.8415]",
    "cos": "[0.0, 1.0] → [1.0000, 0.5403]",
    "tan": "[0.0, 1.0] → [0.0000, 1.5574]",
    "asin": "[0.0, 1.0] → [0.0000, 1.5708]",
    "acos": "[0.0, 1.0] → [1.5708, 0.0000]",
    "atan": "[0.0, 1.0] → [0.0000, 0.7854]",
    "sinh": "[0.0, 1.0] → [0.0000, 1.1752]",
    "cosh": "[0.0, 1.0] → [1.0000, 1.5431]",
    "tanh": "[0.0, 1.0, 100.0] → [0.0000, 0.7616, 1.0000]",
    "asinh": "[0.0, 1.0] → [0.0000, 0.8814]",
    "acosh": "[1.0, 2.0] → [0.0000, 1.3170]",
    "atanh": "[0.0, 0.5] → [0.0000, 0.5493]",
    "sigmoid": "[-1000.0, 0.0, 2.0] → [0.0000, 0.5000, 0.8808]",
    "erf": "[0.0, 1.0] → [0.0000, 0.8427]",
    "max": "[3.0, 7.0, 5.0] → 7.",
    "min": "[3.0, 7.0, 5.0] → 3.",
    "argmax": "[3.0, 7.0, 5.0] → 1",
    "argmin": "[3.0, 7.0, 5.0] → 0",
    "zeros_like": "[5.0, 6.0] → [0., 0.]",
    "ones_like": "[5, 6] → [1, 1]",
}


def documented(name: str, doc: str) -> str:
    """The documentation `doc` with the function's example below it."""
    given, result = EXAMPLES[name].split(" → ")
    operands = [f"nnlib.tensor({x})" if x[0] == "[" else x for x in given.split("; ")]
    call = f"nnlib.{name}({', '.join(operands)})"
    source = f"\n\n    As ``torch.{name}``." if doc else ""
    return f"{doc}{source}\n\n    >>> import nnlib\n    >>> {call}\n    tensor({result})\n    "


__test__ = {name: documented(name, "") for name in EXAMPLES}  # doctest looks for the made ones here

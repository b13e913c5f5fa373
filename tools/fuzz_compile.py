"""Looks for pure programs whose results change when they are compiled.

The programs are those of `fuzz.py` (functions, views, changes in place of their own tensors,
indexing, casts), turned into functions of their first tensors that return every variable, gradients
and second gradients.  Each is compiled by both back ends and called with its own values, with
others, and with nan, inf and zeros among them; eager nnlib gives the expected results.  A program
may be refused with a reason.  Loops run as plain Python; some are compiled by numba.  One program
in twenty is one of `fuzz_large.py`, on matrices whose products are merged and reuse memory.
"""

from __future__ import annotations

import argparse
import functools
import math
import random
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "tools"))

import fuzz_large  # noqa: E402
from fuzz import TOLERANCE, ProgramGenerator, quiet, scope_for, weighted  # noqa: E402

import nnlib  # noqa: E402
from nnlib.graph import GraphError  # noqa: E402

BY_NUMBA = 40  # one program in this many is compiled to machine code
OVERWRITTEN_QUOTIENT = re.compile(
    r"^ +(\w) = .*(//|%|floor_divide|remainder|fmod).*\n(.*\n)*? +\1\.(copy_|fill_|zero_)\(", re.M
)


def interpreted(source: str) -> Any:
    """The loops as plain Python: the same source, and fast enough for a small program."""
    from nnlib.graph.lower import floats

    names = {k: getattr(v, "py_func", v) for k, v in vars(floats).items()}
    for name, function in list(names.items()):
        if isinstance(function, FunctionType) and function.__module__ == floats.__name__:
            names[name] = FunctionType(function.__code__, names)
    names["njit"] = lambda *args, **kwargs: lambda f: f
    names["math"] = SimpleNamespace(**math_as_compiled())
    exec(source, names)
    return SimpleNamespace(**names)


def math_as_compiled() -> dict[str, Any]:
    """The functions of math as they are when compiled: exp(1000) is inf, not an error."""
    return {name: getattr(np, name, function) for name, function in vars(math).items()}


class Program:
    """A pure program as text and as a function, with its arguments."""

    def __init__(self, seed: int) -> None:
        lines = ProgramGenerator(seed).program()
        start = [line for line in lines if line[1:13] == " = T.tensor(" and "[:" not in line]
        self.inputs = []
        for line in start:
            name, _, text = line.partition(" = ")
            if lines[len(self.inputs)] != line:
                break
            self.inputs.append((name, eval(text, scope_for(nnlib))))
        self.body = lines[len(self.inputs) :]
        self.text = self._text()
        scope = {**scope_for(nnlib), "weighted": weighted, "nnlib": nnlib}
        exec(self.text, scope)
        self.function = scope["program"]
        self.expected = functools.cache(self._expected)

    def _text(self) -> str:
        names = [n for n, _ in self.inputs]
        floats = [n for n, v in self.inputs if v.requires_grad]
        copies = [f"{n} = {n}.clone()" for n in names]
        names_of_results = dict.fromkeys(names)
        for line in self.body:
            if len(line) > 4 and line[1:4] == " = ":
                names_of_results[line[0]] = None
        variables = ", ".join(f"{n!r}: {n}" for n in names_of_results)
        tail = [
            f"results = {{{variables}}}",
            "loss = weighted([v for v in results.values() if v.requires_grad], nnlib)",
            "out = {n: v.detach() for n, v in results.items()}",
            f"leaves = [{', '.join('input_' + n for n in floats)}]",
            "if loss is None or not leaves: return out",
            "gs = T.autograd.grad(loss, leaves, create_graph=True, allow_unused=True)",
            "gs = [g if g is not None else T.zeros_like(x) for g, x in zip(gs, leaves)]",
            "out['gradients'] = [g.detach() for g in gs]",
            "loss = weighted([g * g for g in gs], nnlib)",
            "if loss is None or not loss.requires_grad: return out",
            "second = T.autograd.grad(loss, leaves, allow_unused=True)",
            "second = [T.zeros_like(x) if g is None else g for g, x in zip(second, leaves)]",
            "out['second'] = [g.detach() for g in second]",
            "return out",
        ]
        saved_inputs = [f"input_{n} = {n}" for n in floats]
        lines = [*saved_inputs, *copies, *self.body, *tail]
        return f"def program({', '.join(names)}):\n" + "\n".join(f"    {x}" for x in lines) + "\n"

    def arguments(self, call: int) -> list[Any]:
        """The arguments of call 0 (its own values), 1 (others) or 2 (with nan, inf and zeros).

        All have the types and shapes of the program's own values.
        """
        return [_varied(v, call, k) for k, (_, v) in enumerate(self.inputs)]

    def _expected(self, call: int) -> Any:
        return _outcome(self.function, self.arguments(call))


@functools.lru_cache(maxsize=1)  # both back ends are compared with the same outcomes
def program_of(seed: int) -> Program:
    return Program(seed)


def _varied(value: Any, call: int, k: int) -> Any:
    data = np.array(value._data)
    if call and data.size:
        data = np.roll(data, call)
        if data.dtype.kind == "f":
            data = data * data.dtype.type(-0.75 if call == 1 else 1.25)
            if call == 2:
                special = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0], data.dtype)
                chosen = data.reshape(-1)[:: 1 + k % 3]
                chosen[:] = np.resize(special, chosen.shape)
    return nnlib.tensor(data, requires_grad=value.requires_grad)


def difference(seed: int, backend: str) -> str | None:
    """How the results differ, "refused: …" if the program was refused, or None."""
    program = program_of(seed)
    compiled = nnlib.compile(program.function, backend=backend)
    with quiet(), np.errstate(all="ignore"):
        for call in (0, 1, 2):
            result = _outcome(compiled, program.arguments(call))
            if isinstance(result, GraphError) or "Please clone() it first" in str(result):
                return f"refused: {result}"
            problem = _mismatch(result, program.expected(call))
            error = str(program.expected(call))
            if "by zero" in error and OVERWRITTEN_QUOTIENT.search(program.text):
                continue  # nothing needs the quotient, so a compiled function does not compute it
            if problem is not None and not rounding_decides(program, call):
                return f"seed {seed}, {backend}, call {call}: {problem}\n{program.text}"
    return None


def rounding_decides(program: Program, call: int) -> bool:
    """Whether eager nnlib's own results change when the arguments are rounded differently.

    They do near a step (a // b, sign), and where nearly equal numbers are subtracted.
    """
    half = any("float16" in str(v.dtype) for _, v in program.inputs)
    if half and "layer_norm" in program.text:
        return True  # equal numbers differ from their mean by its rounding error, divided by 0.003
    expected = program.expected(call)
    if call == 2 and _is_huge(expected):
        return True  # whether a sum of such numbers becomes infinite depends on their order
    for seed in range(6):
        rng = np.random.default_rng(seed)
        changed = [_rounded_differently(x, rng) for x in program.arguments(call)]
        if _mismatch(_outcome(program.function, changed), expected) is not None:
            return True
    return False


def _is_huge(outcome: Any) -> bool:
    """Whether there are numbers as large as those that nan_to_num() puts in place of infinities."""
    if isinstance(outcome, Exception):
        return False
    arrays = [np.asarray(t._data) for t in nnlib.trees.flatten(outcome)[0]]
    return any(
        (np.abs(x[np.isfinite(x)]) > np.finfo(x.dtype).max / 1e4).any()
        for x in arrays
        if x.dtype.kind == "f"
    )


def _rounded_differently(x: Any, rng: np.random.Generator) -> Any:
    data = np.array(x._data)
    if data.dtype.kind != "f":
        return x
    unit = np.finfo(data.dtype).eps * rng.choice([-2.0, 0.0, 2.0], data.shape)
    zeros = rng.choice([-0.0, 0.0], data.shape)  # of either sign: max(0.0, -0.0) may be either
    changed = np.where(data == 0, zeros, data * (1 + unit)).astype(data.dtype)
    return nnlib.tensor(changed, requires_grad=x.requires_grad)


def _outcome(function: Any, arguments: list[Any]) -> Any:
    try:
        return function(*arguments)
    except Exception as error:
        return error


def _mismatch(compiled: Any, expected: Any) -> str | None:
    if isinstance(expected, Exception) or isinstance(compiled, Exception):
        if isinstance(expected, Exception) and isinstance(compiled, Exception):
            return None
        if "inplace operation" in str(expected):
            return None  # a trace still has the value that eager nnlib has overwritten
        return f"compiled {compiled!r}, eager {expected!r}"
    ours, structure = nnlib.trees.flatten(compiled)
    theirs, expected_structure = nnlib.trees.flatten(expected)
    if structure != expected_structure:
        return "the results have different structures"
    for path, a, b in zip(nnlib.trees.paths(structure), ours, theirs, strict=True):
        if (a.shape, a.dtype) != (b.shape, b.dtype):
            return f"{path}: {a.shape}, {a.dtype} and {b.shape}, {b.dtype}"
        x, y = np.asarray(a._data), np.asarray(b._data)
        if x.dtype.kind != "f":
            if not np.array_equal(x, y):
                return f"{path}: {x.tolist()} and {y.tolist()}"
            continue
        half = any("float16" in str(t.dtype) for t in theirs)
        if half and path.startswith("['second']"):
            continue  # differences of float16 numbers have too few digits left
        narrow = TOLERANCE["float16"] if half else None
        tolerance = narrow or 2e-4
        finite = np.isfinite(y)
        size = float(np.abs(y[finite]).max()) if finite.any() else 1.0
        if not np.allclose(x, y, rtol=tolerance, atol=tolerance * max(1.0, size), equal_nan=True):
            return f"{path}: {x.tolist()} and {y.tolist()}"
    return None


def search(
    first: int, programs: int, difference: Callable[[int, str], str | None] = difference
) -> tuple[int, list[str]]:
    """The number of refused programs, and the differences found."""
    from nnlib.graph.lower import machine

    refused, problems = 0, []
    compiled = machine.loaded
    for seed in range(first, first + programs):
        machine.loaded = compiled if seed % BY_NUMBA == 0 else interpreted
        try:
            for backend in ("numpy", "loops"):
                problem = difference(seed, backend)
                if problem is not None and problem.startswith(("refused", "invalid")):
                    refused += 1
                    break
                if problem is not None:
                    print(problem, flush=True)
                    problems.append(problem)
        finally:
            machine.loaded = compiled
    return refused, problems


def main() -> int:
    parser = argparse.ArgumentParser(prog="python tools/fuzz_compile.py", description=__doc__)
    parser.add_argument("--programs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, help="of the first program; fresh by default")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(10**9) if options.seed is None else options.seed
    print(f"{options.programs} pure programs from seed {seed} on")
    refused, problems = search(seed, options.programs)
    print(f"{options.programs // 20} with large matrices")
    refused_too, problems_too = search(seed, options.programs // 20, fuzz_large.difference)
    problems += problems_too
    print(f"{refused + refused_too} refused, {len(problems)} differ")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

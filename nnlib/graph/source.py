"""The graph as plain NumPy source: short expressions in place, longer ones as named variables."""

from __future__ import annotations

import base64
import keyword
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from nnlib.graph.helpers import call_of, helpers
from nnlib.graph.simplify import tidy, values_only
from nnlib.graph.steps import GraphError, Step, Steps

LONGEST = 72  # characters; a longer expression gets a name of its own
_LONGEST_LIST = 64  # constants of up to so many numbers are written as lists

# Precedence: an operand is put in brackets if it binds less tightly than its position requires.
COMPARED, ADDED, MULTIPLIED, NEGATED, POWER, ATOM = range(1, 7)
_INFIX = {
    "add": ("+", ADDED), "sub": ("-", ADDED), "mul": ("*", MULTIPLIED), "div": ("/", MULTIPLIED),
    "matmul": ("@", MULTIPLIED), "floor_divide": ("//", MULTIPLIED), "pow": ("**", POWER),
    "eq": ("==", COMPARED), "ne": ("!=", COMPARED), "lt": ("<", COMPARED), "le": ("<=", COMPARED),
    "gt": (">", COMPARED), "ge": (">=", COMPARED),
}  # fmt: skip
# Names for the results that have no name in the program.
_HINTS = {
    "matmul": "z", "sigmoid": "p", "relu": "h", "tanh": "h", "sum": "total", "mean": "average",
    "softmax": "p", "log_softmax": "log_p", "conv2d": "z", "exp": "e", "sub": "off",
    "where": "chosen",
}  # fmt: skip

Text = tuple[str, int]  # an expression and how tightly it binds


def to_source(graph: Steps, name: str) -> str:
    return _Writer(tidy(values_only(graph)), name).text()


class _Writer:
    """One pass over the steps: each becomes an expression, or a line that names it."""

    def __init__(self, graph: Steps, name: str) -> None:
        if not name.isidentifier() or keyword.iskeyword(name):
            raise GraphError(f"{name!r} cannot name a function: use letters, digits and _")
        self.graph, self.name = graph, name
        self.uses = [0] * len(graph.steps)
        for step in graph.steps:
            for i in step.inputs:
                self.uses[i] += 1
        self.available = helpers()
        self.taken = {"np", "math", *self.available}
        self.helpers: dict[str, None] = {}  # in order of use
        self.lines: list[str] = []
        self.constants: list[str] = []
        self.written: list[Text] = []

    def text(self) -> str:
        arguments = [self.free(n) for n in self.graph.inputs]
        self.taken.add(self.name)
        named = self.outputs()
        inputs = iter(arguments)
        for at, step in enumerate(self.graph.steps):
            if step.op == "input":
                self.written.append((next(inputs), ATOM))
            elif step.op == "constant":
                self.written.append(self.constant(step))
            else:
                self.written.append(self.write(at, self.expression(step), named.get(at)))
        body = [*self.lines, self.returned()]
        function = f"def {self.name}({', '.join(arguments)}):\n" + "\n".join(
            "    " + line for line in body
        )
        function = self.with_input_names(arguments, function)
        blocks = [self.available[h].strip("\n") for h in self.in_order()]
        constants = ["\n".join(self.constants)] if self.constants else []
        imports = self.imports("\n".join([*blocks, *constants, function]))
        return "\n\n\n".join([imports, *constants, *blocks, function]) + "\n"

    def with_input_names(self, arguments: list[str], function: str) -> str:
        """Add a function with the inputs' own names if some are those of modules or helpers."""
        inputs = list(self.graph.inputs)
        parameters = [
            n if n.isidentifier() and not keyword.iskeyword(n) else a
            for n, a in zip(inputs, arguments)
        ]
        if parameters == arguments:
            return function
        inner = self.free(f"_{self.name}")
        function = function.replace(f"def {self.name}(", f"def {inner}(", 1)
        return (
            f"{function}\n\n\ndef {self.name}({', '.join(parameters)}):\n"
            f"    return {inner}({', '.join(parameters)})"
        )

    def outputs(self) -> dict[int, str]:
        """The variables of the steps that are named outputs; of two names, the first."""
        named: dict[int, str] = {}
        if list(self.graph.outputs) != ["output"]:
            for name, at in self.graph.outputs.items():
                if at not in named and self.graph.steps[at].op not in ("input", "constant"):
                    named[at] = self.free(name)
        return named

    def in_order(self) -> list[str]:
        """The helpers that are used, each after those that it calls."""
        order: dict[str, None] = {}

        def visit(helper: str) -> None:
            for other in self.available:
                if other != helper and re.search(rf"\b{other}\(", self.available[helper]):
                    visit(other)
            order[helper] = None

        for helper in self.helpers:
            visit(helper)
        return list(order)

    @staticmethod
    def imports(code: str) -> str:
        lines = [f"import {m}" for m in ("base64", "math") if re.search(rf"\b{m}\.", code)]
        lines = [*lines, *([""] if lines else []), "import numpy as np"]
        if "registry[" in code:
            lines += ["", "from nnlib.primitives import registry"]
        return "\n".join(lines)

    # ------------------------------------------------------------ names
    def free(self, wanted: str) -> str:
        """An unused identifier: `wanted`, changed if necessary."""
        base = re.sub(r"\W", "_", wanted) or "value"
        base = f"_{base}" if base[0].isdigit() or keyword.iskeyword(base) else base
        name, n = base, 2
        while name in self.taken:
            name, n = f"{base}_{n}", n + 1
        self.taken.add(name)
        return name

    def write(self, at: int, text: Text, named: str | None) -> Text:
        """The expression itself if it is short and used once; else the variable of a new line."""
        is_result = list(self.graph.outputs.values()) == [at] and not self.uses[at]
        if named is None and (self.uses[at] <= 1 or is_result) and len(text[0]) <= LONGEST:
            return text
        if named is None and is_result:
            return text
        step = self.graph.steps[at]
        variable = named or self.free(step.name or self.hint(step))
        self.lines.append(f"{variable} = {text[0]}")
        return variable, ATOM

    def hint(self, step: Step) -> str:
        affine = step.op == "add" and self.graph.steps[step.inputs[0]].op in ("matmul", "conv2d")
        return "z" if affine else _HINTS.get(step.op, "t")

    def returned(self) -> str:
        outputs = self.graph.outputs
        if list(outputs) == ["output"]:
            return f"return {self.written[outputs['output']][0]}"
        pairs = [f'"{name}": {self.written[at][0]}' for name, at in outputs.items()]
        one_line = "return {" + ", ".join(pairs) + "}"
        if len(one_line) <= 90:
            return one_line
        return "return {\n" + "".join(f"        {pair},\n" for pair in pairs) + "    }"

    # ------------------------------------------------------------ constants
    def constant(self, step: Step) -> Text:
        value = np.asarray(step.value)
        if not value.shape:
            return _typed(value)
        filled = _filled(value)
        if filled is not None:
            return filled, ATOM
        if value.size > _LONGEST_LIST:
            little_endian = value.astype(value.dtype.newbyteorder("<"))
            data = base64.b64encode(little_endian.tobytes()).decode("ascii")
            code = f'np.frombuffer(base64.b64decode("{data}"), "{little_endian.dtype.str}")'
            code += f".reshape({value.shape}).astype(np.{value.dtype.name})"
        else:
            code = f"np.array({_listed(value)}, dtype={_dtype_name(value.dtype)})"
            code += f".reshape({value.shape})" if not value.size else ""
        name = self.free((step.name or "constant").upper())
        self.constants.append(f"{name} = {code}")
        return name, ATOM

    # ------------------------------------------------------------ expressions
    def expression(self, step: Step) -> Text:
        if step.op in _INFIX:
            return self.infix(step)
        if step.op == "neg":
            return "-" + self.inside(step, 0, NEGATED), NEGATED
        call: Callable[..., str] | None = call_of(step.op)
        arguments = [self.argument(step, k) for k in range(len(step.inputs))]
        shapes = [self.graph.steps[i].shape for i in step.inputs]
        if call is None:
            attrs = "".join(f", {k}={_attr(v)}" for k, v in step.attrs.items())
            return f'registry["{step.op}"].forward({", ".join(arguments)}{attrs})', ATOM
        text = call(
            *arguments,
            shapes=shapes,
            **{"shape": step.shape, "result_dtype": step.dtype, **step.attrs},
        )
        for helper in self.available:
            if text.startswith(f"{helper}("):
                self.helpers[helper] = None
        return text, ATOM

    def infix(self, step: Step) -> Text:
        sign, level = _INFIX[step.op]
        if step.op == "pow":  # it binds to the right, and tighter than a minus before it
            left, right = self.inside(step, 0, ATOM), self.inside(step, 1, ATOM)
        else:
            left = self.inside(step, 0, level + (level == COMPARED))
            right = self.inside(step, 1, level + 1)
        return f"{left} {sign} {right}" if sign != "**" else f"{left}**{right}", level

    def argument(self, step: Step, k: int) -> str:
        """An argument of a call, where nothing needs brackets."""
        return self.inside(step, k, 0)

    def inside(self, step: Step, k: int, level: int) -> str:
        i = step.inputs[k]
        operand = self.graph.steps[i]
        if operand.op == "constant" and not operand.shape and self.takes_dtype_of_other(step, k):
            text, binding = _untyped(np.asarray(operand.value))
        else:
            text, binding = self.written[i]
        return f"({text})" if binding < level else text

    def takes_dtype_of_other(self, step: Step, k: int) -> bool:
        """Whether a number may be written without its dtype, which another operand determines."""
        number = self.graph.steps[step.inputs[k]]
        operands = [self.graph.steps[i] for j, i in enumerate(step.inputs) if j != k]
        operands = [x for x in operands if x.dtype != "bool"] if step.op == "where" else operands
        return any(x.op != "constant" and x.dtype == number.dtype for x in operands) and (
            step.op in _INFIX or step.op in ("where", "maximum", "minimum", "atan2", "remainder")
        )


def _filled(value: np.ndarray) -> str | None:
    """The call that makes a constant of 0, 1, 2, … or of equal numbers; None for others."""
    if value.dtype == np.int64 and value.ndim == 1 and (value == np.arange(value.size)).all():
        return f"np.arange({value.size})"
    first = value.ravel()[:1]
    if value.size > 1 and value.tobytes() == np.full(value.shape, first).tobytes():
        return f"np.full({value.shape}, {_untyped(first[0])[0]}, dtype={_dtype_name(value.dtype)})"
    return None


def _untyped(value: np.ndarray) -> Text:
    if value.dtype.kind != "f":
        return _signed(repr(value.item()))
    if not np.isfinite(value):
        return _signed("np.nan" if np.isnan(value) else f"{value.item()}".replace("inf", "np.inf"))
    number = float(str(value[()]))  # the shortest decimal that is this number in its dtype
    decimal = repr(int(number)) if number == int(number) and abs(number) < 1e6 else repr(number)
    return _signed("-0.0" if number == 0 and np.signbit(value) else decimal)


def _signed(text: str) -> Text:
    return text, NEGATED if text.startswith("-") else ATOM


def _typed(value: np.ndarray) -> Text:
    if value.dtype.kind == "b":
        return f"np.bool_({value.item()})", ATOM
    return f"np.{value.dtype.name}({_untyped(value)[0]})", ATOM


def _dtype_name(dtype: np.dtype) -> str:
    return "bool" if dtype.kind == "b" else f"np.{dtype.name}"


def _listed(value: np.ndarray) -> str:
    if not value.shape:
        return _untyped(value)[0]
    return "[" + ", ".join(_listed(np.asarray(v)) for v in value) + "]"


def _attr(value: Any) -> str:
    value = value.item() if isinstance(value, np.generic) else value
    return re.sub(r"\b(inf|nan)\b", r"np.\1", repr(value)) if _holds_floats(value) else repr(value)


def _holds_floats(value: Any) -> bool:
    return isinstance(value, (float, tuple, list))

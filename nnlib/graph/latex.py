"""The graph as formulas: an expression tree as a mathematician would write it, printed as LaTeX.

`tree(graph, name)` builds it.  Its nodes can be printed (`latex`) and evaluated (`value`), so that
tests can compare a formula with what the graph computes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnlib.graph.simplify import tidy, values_only
from nnlib.graph.steps import GraphError, Step, Steps
from nnlib.record import Primitive

# Precedence: an operand is put in brackets if it binds less tightly than its position requires.
SUM, PRODUCT, POWER, ATOM = range(4)


@dataclass(frozen=True)
class Expr:
    """An expression in a formula; `shape` is the shape of its value."""

    shape: tuple[int, ...]

    level = ATOM

    def latex(self) -> str:
        raise NotImplementedError

    def value(self, known: dict[str, Any]) -> Any:
        """The formula's value (a number or an array), given the values of its symbols."""
        raise NotImplementedError

    def inside(self, level: int) -> str:
        text = self.latex()
        return text if self.level >= level else _bracketed(text)


@dataclass(frozen=True)
class Number(Expr):
    number: float

    @property
    def level(self) -> int:  # type: ignore[override]
        return SUM if self.number < 0 else ATOM

    def latex(self) -> str:
        return _decimal(self.number)

    def value(self, known: dict[str, Any]) -> Any:
        return self.number


@dataclass(frozen=True)
class ConstantArray(Expr):
    """An array of constants without a name."""

    array: Any

    def latex(self) -> str:
        rows = [self.array] if self.array.ndim == 1 else self.array
        if self.array.ndim > 2 or self.array.size > 36:
            return r"C_{" + r" \times ".join(map(str, self.shape)) + "}"
        body = r" \\ ".join(" & ".join(_decimal(v) for v in row) for row in rows)
        return rf"\begin{{bmatrix}} {body} \end{{bmatrix}}"

    def value(self, known: dict[str, Any]) -> Any:
        return self.array


@dataclass(frozen=True)
class Symbol(Expr):
    name: str
    text: str

    def latex(self) -> str:
        return self.text

    def value(self, known: dict[str, Any]) -> Any:
        return known[self.name]


@dataclass(frozen=True)
class Sum(Expr):
    """Terms with their signs."""

    terms: tuple[tuple[int, Expr], ...]

    level = SUM

    def latex(self) -> str:
        text = ""
        for sign, term in self.terms:
            operator = f" {'+' if sign > 0 else '-'} " if text else "" if sign > 0 else "-"
            text += operator + term.inside(PRODUCT)
        return text

    def value(self, known: dict[str, Any]) -> Any:
        total: Any = 0
        for sign, term in self.terms:
            total = total + sign * term.value(known)
        return total


@dataclass(frozen=True)
class Product(Expr):
    """A number times a fraction of factors; the sign between arrays is ⊙."""

    number: float
    numerator: tuple[Expr, ...]
    denominator: tuple[Expr, ...]

    level = PRODUCT

    def latex(self) -> str:
        sign, magnitude = ("-" if self.number < 0 else ""), abs(self.number)
        top_number, bottom_number = magnitude, 1.0
        # 0.25 is 1/4, since that denominator is exact.
        if self.denominator or magnitude != int(magnitude):
            reciprocal = 1 / magnitude if magnitude else 0.0
            if reciprocal == int(reciprocal) and magnitude != 1 and magnitude:
                top_number, bottom_number = 1.0, reciprocal
        numerator = _juxtaposed(
            top_number, self.numerator, alone=bool(self.denominator) or bottom_number != 1
        )
        denominator = _juxtaposed(bottom_number, self.denominator, alone=True)
        return sign + (
            numerator if denominator == "1" else rf"\frac{{{numerator}}}{{{denominator}}}"
        )

    def value(self, known: dict[str, Any]) -> Any:
        total: Any = self.number
        for factor in self.numerator:
            total = total * factor.value(known)
        for factor in self.denominator:
            total = total / factor.value(known)
        return total


@dataclass(frozen=True)
class MatrixProduct(Expr):
    """A product of matrices."""

    factors: tuple[Expr, ...]

    level = PRODUCT

    def latex(self) -> str:
        return " ".join(f.inside(POWER) for f in self.factors)

    def value(self, known: dict[str, Any]) -> Any:
        first, *rest = [f.value(known) for f in self.factors]
        for factor in rest:
            first = first @ factor
        return first


@dataclass(frozen=True)
class Power(Expr):
    base: Expr
    exponent: Expr

    level = POWER

    def latex(self) -> str:
        return f"{self.base.inside(ATOM)}^{{{self.exponent.latex()}}}"

    def value(self, known: dict[str, Any]) -> Any:
        return self.base.value(known) ** self.exponent.value(known)


@dataclass(frozen=True)
class Applied(Expr):
    """Any other primitive: `template` is its LaTeX, with {0}, {1}, … for the arguments."""

    step: Step
    template: str
    arguments: tuple[Expr, ...]

    @property
    def level(self) -> int:  # type: ignore[override]
        if self.template == "<0>":
            return self.arguments[0].level
        if self.template.startswith("<0> "):
            return SUM
        return PRODUCT if self.template.startswith((r"\sum", r"\frac{1}{", r"\prod")) else POWER

    def latex(self) -> str:
        def filled(match: re.Match[str]) -> str:
            placeholder = match[0]
            k = int(re.sub(r"\D", "", placeholder))
            if k >= len(self.arguments):  # a number that belongs to the template, as in log_{2}
                return placeholder
            argument = self.arguments[k]
            if placeholder[0] == "(":
                return _bracketed(argument.latex())
            if placeholder[0] == "[":
                return argument.inside(ATOM)
            return argument.latex() if placeholder[0] == "<" else f"{{{argument.latex()}}}"

        return re.sub(r"\(\{\d\}\)|\[\{\d\}\]|<\d>|\{\d\}", filled, self.template)

    def value(self, known: dict[str, Any]) -> Any:
        arrays = [np.asarray(a.value(known))[()] for a in self.arguments]
        return Primitive.registry[self.step.op].forward(*arrays, **self.step.attrs)


# ---------------------------------------------------------------- templates

# Those of primitives that do not define one themselves.
_TEMPLATES = {
    "softmax": r"\operatorname{softmax}({0})",
    "log_softmax": r"\log\operatorname{softmax}({0})",
    "logsumexp": r"\log \sum e^{0}",
    "prod": r"\prod [{0}]",
    "one_hot": r"\operatorname{onehot}({0})",
}
# Operations that formulas omit, because they keep the values of the elements.
_OMITTED = {"reshape", "expand", "clone", "cast", "detach"}

_GREEK = frozenset(
    """
    alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau phi
    chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega
    """.split()  # noqa: SIM905
)


def to_latex(graph: Steps, name: str | None, expand: Sequence[str]) -> str:
    if name is not None:
        return f"{_symbol(graph, name)} = {tree(graph, name, expand).latex()}"
    lines = [
        f"{_symbol(graph, n)} &= {tree(graph, n, expand).latex()}"
        for n in graph.outputs
        if graph.steps[graph.outputs[n]].op != "input"
    ]
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def tree(graph: Steps, name: str, expand: Sequence[str] = ()) -> Expr:
    """The formula of one output, in terms of inputs and of the other named outputs."""
    for known in (name, *expand):
        if known not in graph.outputs:
            raise GraphError(f"there is no output {known!r}: the graph has {list(graph.outputs)}")
    graph = tidy(values_only(graph))
    return _Builder(graph, name, expand).build()


class _Builder:
    """Turns steps into expressions, each step once."""

    def __init__(self, graph: Steps, name: str, expand: Sequence[str]) -> None:
        self.graph, self.at = graph, graph.outputs[name]
        self.expressions: dict[int, Expr] = {}
        self.symbols: dict[int, str] = {}
        for output, at in graph.outputs.items():
            if _name_rank(graph, output) < _name_rank(graph, self.symbols.get(at)):
                self.symbols[at] = output
        for output in expand:
            self.symbols.pop(graph.outputs[output], None)
        if self.symbols.get(self.at) == name:
            del self.symbols[self.at]

    def build(self) -> Expr:
        for i in self.needed():
            self.expressions[i] = self.expression(i)
        return self.expressions[self.at]

    def needed(self) -> list[int]:
        """The steps of the formula in order, back to inputs, constants and named outputs."""
        needed, stack = {self.at}, [self.at]
        while stack:
            i = stack.pop()
            if i not in self.symbols:
                unseen = [j for j in self.graph.steps[i].inputs if j not in needed]
                needed.update(unseen)
                stack += unseen
        return sorted(needed)

    def expression(self, i: int) -> Expr:
        step = self.graph.steps[i]
        if step.op == "input":
            assert step.name is not None
            return Symbol(step.shape, step.name, name_latex(step.name))
        if i in self.symbols:
            return Symbol(step.shape, self.symbols[i], _symbol(self.graph, self.symbols[i]))
        if step.op == "constant":
            return _constant(step)
        return _combined(step, [self.expressions[j] for j in step.inputs])


def _name_rank(graph: Steps, name: str | None) -> int:
    """The rank of a step's name: formulas use the lowest one.

    Names of derivatives with respect to inputs come last.
    """
    if name is None:
        return 3
    if name in graph.derivatives:
        return 0 if graph.derivatives[name][1] in graph.outputs else 1
    return 0


def _constant(step: Step) -> Expr:
    value = np.asarray(step.value)
    first = value.ravel()[:1]
    if value.size and value.tobytes() == np.full(value.shape, first).tobytes():
        return Number((), float(str(first[0])) if value.dtype.kind == "f" else int(first[0]))
    if step.name is not None:
        return Symbol(step.shape, step.name, name_latex(step.name))
    return ConstantArray(step.shape, value)


# ---------------------------------------------------------------- combining


def _combined(step: Step, xs: list[Expr]) -> Expr:
    op, shape = step.op, step.shape
    if op in ("add", "sub"):
        return _sum(shape, [(1, xs[0]), (1 if op == "add" else -1, xs[1])])
    if op == "neg":
        return _product(shape, [Number((), -1), xs[0]], [])
    if op == "mul":
        return _product(shape, xs, [])
    if op == "div":
        return _product(shape, xs[:1], xs[1:])
    if op == "pow":
        return Power(shape, xs[0], xs[1])
    if op == "matmul":
        return _matrix_product(step, xs)
    if op in _OMITTED:
        return xs[0] if isinstance(xs[0], Number) else Applied(shape, step, "<0>", (xs[0],))
    return Applied(shape, step, _template(step, xs), tuple(xs))


def _sum(shape: tuple, addends: list[tuple[int, Expr]]) -> Expr:
    flat: list[tuple[int, Expr]] = []
    for sign, term in addends:
        if isinstance(term, Sum):
            flat += [(sign * s, t) for s, t in term.terms]
        elif isinstance(term, Product) and term.number < 0:
            flat.append((-sign, _scaled(term, -term.number)))
        elif isinstance(term, Number) and term.number < 0:
            flat.append((-sign, Number((), -term.number)))
        else:
            flat.append((sign, term))
    constant = math.fsum([s * t.number for s, t in flat if isinstance(t, Number)])
    number_term = [(1 if constant > 0 else -1, Number((), abs(constant)))] if constant else []
    starts_with_number = bool(flat) and isinstance(flat[0][1], Number)  # 1 - x, but x + 1
    terms = [(s, t) for s, t in flat if not isinstance(t, Number)]
    terms = [*number_term, *terms] if starts_with_number else [*terms, *number_term]
    if not terms:
        return Number((), 0)
    if len(terms) == 1:
        sign, term = terms[0]
        return term if sign > 0 else _product(shape, [Number((), -1), term], [])
    common = {
        abs(t.number) if isinstance(t, Product) and not t.denominator else 1.0 for _, t in terms
    }
    if len(common) == 1 and common != {1.0}:  # a/8 - b/8 = (a - b)/8
        unscaled = [(s, _scaled(t, 1.0)) for s, t in terms if isinstance(t, Product)]
        return _product(shape, [Number((), common.pop()), _sum(shape, unscaled)], [])
    if terms[0][0] < 0 and any(s > 0 for s, _ in terms):  # write -a + b as b - a
        terms.insert(0, terms.pop(next(k for k, (s, _) in enumerate(terms) if s > 0)))
    return Sum(shape, tuple(terms))


def _scaled(term: Product, number: float) -> Expr:
    return _product(term.shape, [Number((), number), *term.numerator], list(term.denominator))


def _product(shape: tuple, numerator: list[Expr], denominator: list[Expr]) -> Expr:
    number = 1.0
    top: list[Expr] = []
    bottom: list[Expr] = []
    for factors, same, opposite, multiply in (
        (numerator, top, bottom, True),
        (denominator, bottom, top, False),
    ):
        for factor in factors:
            if isinstance(factor, Number):
                number = number * factor.number if multiply else number / factor.number
            elif isinstance(factor, Product):
                number = number * factor.number if multiply else number / factor.number
                same += factor.numerator
                opposite += factor.denominator
            else:
                same.append(factor)
    top, bottom = _powers(top, bottom)
    if not top and not bottom:
        return Number((), number)
    if number == 1 and len(top) == 1 and not bottom:
        return top[0]
    return Product(shape, number, tuple(top), tuple(bottom))


def _powers(top: list[Expr], bottom: list[Expr]) -> tuple[list[Expr], list[Expr]]:
    """Write x x as x², and cancel factors that are both in `top` and in `bottom`."""
    count: dict[int, int] = {}
    first: dict[int, Expr] = {}
    for factors, sign in ((top, 1), (bottom, -1)):
        for factor in factors:
            base, n = factor, 1
            if isinstance(factor, Power) and isinstance(factor.exponent, Number):
                exponent = factor.exponent.number
                if exponent == int(exponent) > 0:
                    base, n = factor.base, int(exponent)
            count[id(base)] = count.get(id(base), 0) + sign * n
            first.setdefault(id(base), base)

    def powers(sign: int) -> list[Expr]:
        needed = [(first[k], sign * n) for k, n in count.items() if sign * n > 0]
        return [b if n == 1 else Power(b.shape, b, Number((), n)) for b, n in needed]

    return powers(1), powers(-1)


def _matrix_product(step: Step, xs: list[Expr]) -> Expr:
    factors: list[Expr] = []
    number, scaled = 1.0, []
    for x in xs:
        if isinstance(x, Product) and not x.denominator:
            number *= x.number  # (2A)B = 2(AB)
            x = _product(x.shape, list(x.numerator), [])
        scaled.append(x)
    for x in scaled:
        factors += x.factors if isinstance(x, MatrixProduct) and x is scaled[0] else [x]
    product = MatrixProduct(step.shape, tuple(factors))
    return product if number == 1 else _product(step.shape, [Number((), number), product], [])


def _template(step: Step, xs: list[Expr]) -> str:
    op = step.op
    if op in _TEMPLATES or Primitive.registry[op].latex:
        return _TEMPLATES.get(op) or Primitive.registry[op].latex
    if op in ("sum", "mean"):
        return _reduction(step, xs[0])
    if op in ("amax", "amin"):
        return rf"\{op[1:]}({{0}})"
    if op == "permute":
        return r"[{0}]^{\top}"
    if op in ("index", "slice", "take", "gather"):
        return _indexed(step, xs)
    escaped = op.replace("_", r"\_")
    return rf"\operatorname{{{escaped}}}(" + ", ".join(f"<{k}>" for k in range(len(xs))) + ")"


def _reduction(step: Step, x: Expr) -> str:
    dim = step.attrs["dim"]
    n = math.prod([x.shape[d] for d in dim]) if x.shape else 1
    subscript = "" if len(dim) == len(x.shape) else "_{" + ", ".join("ijklmn"[d] for d in dim) + "}"
    total = rf"\sum{subscript} [{{0}}]" if isinstance(x, Sum) else rf"\sum{subscript} <0>"
    return total if step.op == "sum" else rf"\frac{{1}}{{{n}}} {total}"


def _indexed(step: Step, xs: list[Expr]) -> str:
    if step.op == "slice":
        x = xs[0].shape
        entries = []
        for i, n in zip(step.attrs["index"], x):
            is_full = isinstance(i, tuple) and tuple(i) == (0, n, 1)
            entries.append(":" if is_full else f"{i[0]}:{i[1]}" if isinstance(i, tuple) else str(i))
        return r"[{0}]_{" + ",".join(entries) + "}"
    return r"[{0}]_{" + ",".join(f"<{k}>" for k in range(1, len(xs))) + "}"


# ---------------------------------------------------------------- text


def _juxtaposed(number: float, factors: tuple[Expr, ...], alone: bool) -> str:
    """Factors written side by side; one that is `alone` above or below a line needs no brackets."""
    if alone and number == 1 and len(factors) == 1:
        return factors[0].latex()
    texts = [] if number == 1 and factors else [_decimal(number)]
    arrays = 0
    for factor in factors:
        if factor.shape and arrays:
            texts.append(r"\odot")
        arrays += bool(factor.shape)
        texts.append(factor.inside(POWER))
    text = " ".join(texts)
    # Two numbers side by side would read as one, so a dot separates them: 2 · 3^x.
    return re.sub(r"(\d) (?=\d)", r"\1 \\cdot ", text) or "1"


def _bracketed(text: str) -> str:
    tall = any(command in text for command in (r"\frac", r"\sum", r"\begin", r"\prod"))
    return rf"\left({text}\right)" if tall else f"({text})"


def _decimal(number: float) -> str:
    number = float(number)
    if not math.isfinite(number):
        return r"\text{nan}" if math.isnan(number) else r"\infty" if number > 0 else r"-\infty"
    if number == int(number) and abs(number) < 1e9:
        return str(int(number))
    text = f"{number:.6g}"
    if "e" in text:
        digits, power = text.split("e")
        return rf"{digits} \cdot 10^{{{int(power)}}}"
    return text


def name_latex(name: str) -> str:
    """A name as a symbol: w35 → w_{35}, in_3 → in_{3}, alpha → \\alpha, Loss → \\mathit{Loss}."""
    match = re.fullmatch(r"([A-Za-z]+)_?(\w*)", name)
    if not match:
        return rf"\mathrm{{{name.replace('_', chr(92) + '_')}}}"
    base, subscript = match.groups()
    if base in _GREEK:
        base = "\\" + base
    elif len(base) > 1:
        base = rf"\mathit{{{base}}}"
    subscript = subscript.strip("_").replace("_", ",")
    return f"{base}_{{{subscript}}}" if subscript else base


def _symbol(graph: Steps, name: str) -> str:
    if name in graph.derivatives:
        of, wrt = graph.derivatives[name]
        return rf"\frac{{\partial {name_latex(of)}}}{{\partial {name_latex(wrt)}}}"
    return name_latex(name)

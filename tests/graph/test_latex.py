"""`to_latex`: the formulas of the lecture's net; printed formulas have the computed values."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

import nnlib
from nnlib.graph import GraphError, trace
from nnlib.graph.latex import name_latex, tree
from tests.graph.cases import present
from tests.graph.traces import NETS, traced_case

NAMES = "w03 w13 w23 w04 w14 w24 w05 w35 w45 x1 x2 y".split()  # noqa: SIM905
VALUES = dict(zip(NAMES, np.random.default_rng(1).uniform(-1.5, 1.5, len(NAMES))))


def five_neurons(w03, w13, w23, w04, w14, w24, w05, w35, w45, x1, x2, y):
    in_3 = w03 + w13 * x1 + w23 * x2
    a_3 = in_3.sigmoid()
    in_4 = w04 + w14 * x1 + w24 * x2
    a_4 = in_4.sigmoid()
    in_5 = w05 + w35 * a_3 + w45 * a_4
    a_5 = in_5.sigmoid()
    loss = (a_5 - y) ** 2
    return {"in_3": in_3, "a_3": a_3, "in_4": in_4, "a_4": a_4, "in_5": in_5, "a_5": a_5, "L": loss}


@pytest.fixture(scope="module")
def lecture():
    wrt = ["in_5", "in_4", "in_3", *NAMES[:9]]
    return trace(five_neurons, **VALUES).gradient("L", wrt)


def test_the_lectures_net_prints_as_it_is_written_by_hand(lecture):
    assert lecture.to_latex("in_3") == (r"\mathit{in}_{3} = w_{03} + w_{13} x_{1} + w_{23} x_{2}")
    assert lecture.to_latex("a_3") == r"a_{3} = \sigma(\mathit{in}_{3})"
    assert lecture.to_latex("L") == r"L = (a_{5} - y)^{2}"
    loss_by = r"\frac{\partial L}{\partial "
    assert lecture.to_latex("d_in_5") == (
        loss_by + r"\mathit{in}_{5}} = 2 (a_{5} - y) a_{5} (1 - a_{5})"
    )
    assert lecture.to_latex("d_w35") == (
        loss_by + r"w_{35}} = " + loss_by + r"\mathit{in}_{5}} a_{3}"
    )
    assert lecture.to_latex("d_w05") == loss_by + r"w_{05}} = " + loss_by + r"\mathit{in}_{5}}"
    assert lecture.to_latex("d_in_3") == (
        loss_by + r"\mathit{in}_{3}} = " + loss_by + r"\mathit{in}_{5}} w_{35} a_{3} (1 - a_{3})"
    )


def test_named_derivatives_can_be_written_out(lecture):
    assert lecture.to_latex("d_w13", expand=["d_in_3", "d_in_5"]) == (
        r"\frac{\partial L}{\partial w_{13}} = "
        r"2 (a_{5} - y) a_{5} (1 - a_{5}) w_{35} a_{3} (1 - a_{3}) x_{1}"
    )


def test_the_whole_graph_is_aligned_lines(lecture):
    lines = lecture.to_latex().splitlines()
    assert lines[0] == r"\begin{aligned}" and lines[-1] == r"\end{aligned}"
    assert len(lines) == 2 + len(lecture.outputs)


class Parser:
    """Computes the value of scalar LaTeX: sums, products, fractions, powers, calls."""

    FUNCTIONS = {
        r"\sigma": lambda z: 1 / (1 + math.exp(-z)), r"\tanh": math.tanh, r"\log": math.log,
        r"\sin": math.sin, r"\cos": math.cos,
    }  # fmt: skip

    def __init__(self, text, known):
        text = text.replace(r"\left(", "(").replace(r"\right)", ")")
        symbols = sorted(known, key=len, reverse=True)
        pattern = "|".join([*map(re.escape, symbols), r"\d+(?:\.\d+)?", r"\\[a-z]+", r"[-+(){}^]"])
        self.tokens = re.findall(pattern, text)
        assert "".join(self.tokens).replace(" ", "") == text.replace(" ", ""), (text, self.tokens)
        self.known = known

    def peek(self):
        return self.tokens[0] if self.tokens else ""

    def take(self, expected=None):
        token = self.tokens.pop(0)
        assert expected in (None, token), (expected, token)
        return token

    def sum(self):
        sign = -1 if self.peek() == "-" else 1
        if sign < 0:
            self.take()
        total = sign * self.product()
        while self.peek() in ("+", "-"):
            total += (1 if self.take() == "+" else -1) * self.product()
        return total

    def product(self):
        total = self.power()
        while self.peek() and self.peek() not in "+-)}":
            if self.peek() == r"\cdot":
                self.take()
            total *= self.power()
        return total

    def power(self):
        base = self.atom()
        if self.peek() != "^":
            return base
        self.take()
        return base ** self.braced()

    def braced(self, left="{", right="}"):
        self.take(left)
        value = self.sum()
        self.take(right)
        return value

    def atom(self):
        token = self.peek()
        if token == "(":
            return self.braced("(", ")")
        self.take()
        if token in self.known:
            return self.known[token]
        if token == r"\frac":
            above = self.braced()
            return above / self.braced()
        if token == r"\sqrt":
            return math.sqrt(self.braced())
        if token in self.FUNCTIONS:
            return self.FUNCTIONS[token](self.braced("(", ")"))
        if token == "e":
            return math.e
        return float(token)


def evaluated(text, known):
    parser = Parser(text, known)
    value = parser.sum()
    assert not parser.tokens
    return value


def symbols(graph, values):
    """The value of every symbol that a formula may contain, and the graph's results."""
    from nnlib.graph.latex import _symbol

    results = graph.run(**values)
    known = {name_latex(n): float(v) for n, v in values.items()}
    known.update({_symbol(graph, n): float(v) for n, v in results.items()})
    return {**known, "e": math.e}, results


def test_the_printed_formulas_of_the_lecture_have_the_computed_values(lecture):
    known, results = symbols(lecture, VALUES)
    for name, value in results.items():
        for expand in ([], [n for n in lecture.outputs if n != name]):
            text = lecture.to_latex(name, expand).split(" = ", 1)[1]
            assert evaluated(text, known) == pytest.approx(float(value), rel=1e-9), text


PROGRAMS = [
    lambda a, b, c: a - (b - c) * a / (b * c) - (-a) ** 2,
    lambda a, b, c: 2 * (3 * a) * (b + c) ** 3 / (4 * a * 0.5) - 1.5,
    lambda a, b, c: -(a * b) + c - (-(b - a)) * -2.5,
    lambda a, b, c: (a / 8 - b / 8) * (a + b) ** (-2.0) / c.exp(),
    lambda a, b, c: ((a * b).tanh() * a.sigmoid()).sqrt() + (b / (a / c)).log() * (2.0 ** c),
    lambda a, b, c: 3 * (2.0 ** a) * (a * a) / (c * c * c) + (a + b) ** 2 / (a + b),
    lambda a, b, c: a.sin() * b.cos() - 0.001 * (a + b - c + 7),
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_printed_formulas_of_programs_and_gradients_have_the_computed_values(program):
    inputs = {"a": 0.6, "b": 1.3, "c": 0.8}
    graph = trace(program, **{k: np.float64(v) for k, v in inputs.items()}).gradient()
    known, results = symbols(graph, inputs)
    known = {k: v for k, v in known.items() if k not in (name_latex("output"),)}
    for name, value in results.items():
        expand = [n for n in graph.outputs if n != name]
        text = graph.to_latex(name, expand).split(" = ", 1)[1]
        # Numbers are printed to six digits.
        assert evaluated(text, known) == pytest.approx(float(value), rel=1e-6), text
        assert tree(graph, name, expand).value(inputs) == pytest.approx(float(value), rel=1e-9)


@pytest.mark.parametrize(("op", "args", "attrs"), present())
def test_every_primitive_prints_and_its_tree_computes_the_same(op, args, attrs):
    graph, inputs = traced_case(op, args, attrs)
    computed = np.broadcast_to(tree(graph, "output").value(inputs), graph.steps[-1].shape)
    rtol = 1e-6 if attrs.get("dtype") == "float32" else 1e-12
    np.testing.assert_allclose(computed, graph.run(**inputs)["output"], rtol=rtol, atol=1e-13)
    assert_balanced(graph.to_latex("output"))


def assert_balanced(text):
    assert text.count("{") == text.count("}") and text.count("(") == text.count(")")
    assert not re.search(r"<\d>|\[\{\d\}\]", text), text


@pytest.mark.parametrize("net", NETS)
def test_the_trees_of_nets_and_gradients_compute_the_same(net):
    function, inputs = NETS[net]
    graph = trace(function, **inputs)
    graph = graph.gradient("loss" if "loss" in graph.outputs else "output")
    results = graph.run(**inputs)
    known = {**inputs, **results}
    for name, value in results.items():
        computed = np.broadcast_to(tree(graph, name).value(known), value.shape)
        np.testing.assert_allclose(computed, value, rtol=1e-4, atol=1e-6)
        assert_balanced(graph.to_latex(name))


def test_matrix_products_have_no_sign_and_elementwise_products_have_one():
    def logistic(w, X, y):
        z = X @ w
        return {"z": z, "L": (z.sigmoid() * y).sum()}

    graph = trace(logistic, w=np.ones(3), X=np.ones((4, 3)), y=np.ones(4)).gradient("L", ["w"])
    assert graph.to_latex("z") == "z = X w"
    assert graph.to_latex("L") == r"L = \sum \sigma(z) \odot y"
    assert graph.to_latex("d_w") == (
        r"\frac{\partial L}{\partial w} = "
        r"X^{\top} (y \odot \sigma(z) \odot (1 - \sigma(z)))"
    )


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("w35", "w_{35}"), ("x", "x"), ("in_3", r"\mathit{in}_{3}"), ("alpha", r"\alpha"),
        ("theta_1", r"\theta_{1}"), ("Loss", r"\mathit{Loss}"), ("w_i_j", "w_{i,j}"),
    ],
)  # fmt: skip
def test_names_become_symbols(name, latex):
    assert name_latex(name) == latex


def test_an_unknown_output_is_refused():
    with pytest.raises(GraphError, match="no output 'z'"):
        trace(lambda x: x + 1, x=nnlib.tensor(1.0)).to_latex("z")

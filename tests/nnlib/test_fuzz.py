"""The search for programs on which nnlib and PyTorch differ: a few of them; it sees a fault."""

from __future__ import annotations

from collections import Counter

import fuzz
import numpy as np
import pytest

import nnlib
from nnlib.primitives import elementwise


@pytest.mark.parametrize("seed", range(0, 160, 40))
def test_programs_agree(seed):
    for at in range(seed, seed + 40):
        lines = fuzz.Maker(at).program()
        assert fuzz.difference(lines) is None, "\n".join(lines)


def test_a_seed_makes_one_program():
    assert fuzz.Maker(7).program() == fuzz.Maker(7).program() != fuzz.Maker(8).program()


PROGRAM = [
    "a = T.tensor([0.5, -1.5], dtype=T.float64, requires_grad=True)",
    "b = a * 2",
    "c = T.tanh(b)",
    "d = a.flip(0)",
]


@pytest.mark.parametrize("wrong", ["values", "gradients", "second"])
def test_a_fault_is_seen_and_its_program_made_short(wrong, monkeypatch):
    tanh = elementwise.tanh
    if wrong == "values":
        monkeypatch.setattr(nnlib, "tanh", lambda x: x.sin())
    elif wrong == "gradients":
        monkeypatch.setattr(tanh, "vjps", (lambda g, out, x: g * (1.0 - out),))
    else:
        monkeypatch.setattr(tanh, "vjps", (lambda g, out, x: g * (1.0 - out.detach() ** 2),))
    told = fuzz.difference(PROGRAM)
    assert told is not None
    assert told.startswith("c" if wrong == "values" else wrong)
    kind = told.split(":")[0].split(" ")[0]
    short = fuzz.shortened(PROGRAM, kind)
    assert "d = a.flip(0)" not in short and "c = T.tanh(b)" in short
    assert "T.tanh(b)" in fuzz.as_test(short, told, 0)


def test_a_step_at_its_edge_is_not_a_fault():
    program = ["a = T.tensor(0.1, dtype=T.float32)", "b = T.floor((a + 0.7) * 10 + 0.2 - 0.2)"]
    assert fuzz.difference(program) is None


def test_what_pytorch_refuses_is_not_a_fault():
    assert fuzz.difference(["a = T.ones(2) + T.ones(3)"]) is None


def test_what_nnlib_alone_refuses_is_one(monkeypatch):
    def refuse(x):
        raise RuntimeError("no tanh today")

    monkeypatch.setattr(nnlib, "tanh", refuse)
    assert fuzz.difference(PROGRAM) == "the program: nnlib raises RuntimeError: no tanh today"


def test_its_tolerance_is_that_of_the_narrowest_type():
    a = nnlib.tensor(np.float32(1.0))
    assert fuzz.unlike(a, fuzz.torch.tensor(1.0005), fuzz.TOLERANCE["float32"]) is None
    assert fuzz.unlike(a, fuzz.torch.tensor(1.5), fuzz.TOLERANCE["float32"]) is not None


def test_a_variable_rests_on_what_its_lines_mention():
    lines = ["a = T.ones(2)", "b = a.half()", "c = T.ones(2)", 'd = T.einsum("i,i->", c, c)']
    found = fuzz.ancestors(lines)
    assert found == {"a": {"a"}, "b": {"a", "b"}, "c": {"c"}, "d": {"c", "d"}}
    assert fuzz.ancestors([*lines, "with T.no_grad(): c += b"])["c"] == {"a", "b", "c"}


def test_which_of_equal_elements_is_the_largest_is_no_fault():
    program = ["a = T.tensor([0.3, 0.3, 0.3], dtype=T.float64)", "b = a.argmax()"]
    runs = [fuzz.run(program, fuzz.torch, fuzz.Nudged(fuzz.torch, k)) for k in range(9)]
    assert len({int(run.values["b"]) for run in runs}) > 1


LEAF = "a = T.tensor([0.5], requires_grad=True)"
EXPLAINED = {  # a program that each rule explains, and one that it must not excuse
    "refuses_expanded": (
        ["a = T.tensor(1.0).expand(2)", "a[T.tensor([0])] = 3.0"],
        ["a = T.tensor([1.0, 2.0])", "b = a.exp()"],
    ),
    "refuses_diagonals": (
        ["a = T.ones(3, 3)", "b = a[:2, :2].diagonal()", "b.fill_(0)"],
        ["a = T.ones(3, 3)", "b = a[:2, :2].diagonal().exp()"],
    ),
    "looks_at_unused_positions": (
        ["a = T.ones(3, 2, 0)", "b = a[:, [2, 0]]"],
        ["a = T.ones(3, 2, 0)", "b = T.ones(3).exp()"],
    ),
    "squares_whole_numbers": (
        [LEAF, "b = T.tensor([254], dtype=T.uint8)", "c = T.atan2(a, b)"],
        [LEAF, "b = T.tensor([254], dtype=T.uint8)", "c = T.atan2(a, b)", "d = T.tanh(a)"],
    ),
}


@pytest.mark.parametrize("rule", EXPLAINED)
def test_a_rule_explains_its_own_kind_and_no_fault_beside_it(rule, monkeypatch):
    explained, other = EXPLAINED[rule]
    counted = Counter()
    assert fuzz.difference(explained, counted) is None
    (why,) = [e.why for e in fuzz.EXPLAINED if e.holds.__name__ == rule]
    assert counted == {why: 1}
    monkeypatch.setattr(nnlib.Tensor, "exp", lambda x: x.sin())
    monkeypatch.setattr(nnlib, "tanh", lambda x: x.sin())
    assert fuzz.difference(other, counted) is not None and counted == {why: 1}


def test_the_rounding_of_a_float16_layer_norm_is_explained_where_nnlib_is_nearer():
    program = ["a = T.tensor([0.1, 0.7, -2.0], dtype=T.float16)", "b = F.layer_norm(a, (3,))"]
    ours, theirs = fuzz.run(program, nnlib), fuzz.run(program, fuzz.torch)
    assert fuzz.rounds_float16_better(program, ours, theirs)
    worse = fuzz.Run({**ours.values, "b": ours.values["b"] + 0.1})
    assert not fuzz.rounds_float16_better(program, worse, theirs)

"""tools/fuzz.py: programs on which nnlib and PyTorch agree, and planted errors that it finds."""

from __future__ import annotations

from collections import Counter

import fuzz
import numpy as np
import pytest

import nnlib
from nnlib.primitives import elementwise


@pytest.mark.parametrize("first", range(0, 160, 40))
def test_nnlib_and_pytorch_agree_on_random_programs(first):
    for seed in range(first, first + 40):
        lines = fuzz.ProgramGenerator(seed).program()
        assert fuzz.difference(lines) is None, "\n".join(lines)


def test_a_seed_always_gives_the_same_program():
    first, again, other = [fuzz.ProgramGenerator(seed).program() for seed in (7, 7, 8)]
    assert first == again != other


PROGRAM = [
    "a = T.tensor([0.5, -1.5], dtype=T.float64, requires_grad=True)",
    "b = a * 2",
    "c = T.tanh(b)",
    "d = a.flip(0)",
]


@pytest.mark.parametrize("wrong", ["values", "gradients", "second"])
def test_a_planted_error_is_found_and_its_program_shortened(wrong, monkeypatch):
    tanh = elementwise.tanh
    if wrong == "values":
        monkeypatch.setattr(nnlib, "tanh", lambda x: x.sin())
    elif wrong == "gradients":
        monkeypatch.setattr(tanh, "vjps", (lambda g, out, x: g * (1.0 - out),))
    else:
        monkeypatch.setattr(tanh, "vjps", (lambda g, out, x: g * (1.0 - out.detach() ** 2),))
    difference = fuzz.difference(PROGRAM)
    assert difference is not None
    assert difference.startswith("c" if wrong == "values" else wrong)
    kind_of_difference = difference.split(":")[0].split(" ")[0]
    short = fuzz.shortened(PROGRAM, kind_of_difference)
    assert "d = a.flip(0)" not in short and "c = T.tanh(b)" in short
    assert "T.tanh(b)" in fuzz.as_test(short, difference, 0)


def test_a_difference_at_the_jump_of_a_step_function_is_not_reported():
    program = ["a = T.tensor(0.1, dtype=T.float32)", "b = T.floor((a + 0.7) * 10 + 0.2 - 0.2)"]
    assert fuzz.difference(program) is None


def test_a_program_that_pytorch_refuses_is_not_reported():
    assert fuzz.difference(["a = T.ones(2) + T.ones(3)"]) is None


def test_a_program_that_only_nnlib_refuses_is_reported(monkeypatch):
    def refuse(x):
        raise RuntimeError("tanh is switched off")

    monkeypatch.setattr(nnlib, "tanh", refuse)
    assert (
        fuzz.difference(PROGRAM) == "the program: nnlib raises RuntimeError: tanh is switched off"
    )


def test_float32_values_are_compared_with_the_tolerance_for_float32():
    a = nnlib.tensor(np.float32(1.0))
    tolerance = fuzz.TOLERANCE["float32"]
    assert fuzz.tensor_difference(a, fuzz.torch.tensor(1.0005), tolerance) is None
    assert fuzz.tensor_difference(a, fuzz.torch.tensor(1.5), tolerance) is not None


def test_a_variable_depends_on_those_that_its_lines_mention():
    lines = ["a = T.ones(2)", "b = a.half()", "c = T.ones(2)", 'd = T.einsum("i,i->", c, c)']
    assert fuzz.ancestors(lines) == {"a": {"a"}, "b": {"a", "b"}, "c": {"c"}, "d": {"c", "d"}}
    assert fuzz.ancestors([*lines, "with T.no_grad(): c += b"])["c"] == {"a", "b", "c"}


def test_equal_elements_are_perturbed_so_that_any_can_be_the_largest():
    program = ["a = T.tensor([0.3, 0.3, 0.3], dtype=T.float64)", "b = a.argmax()"]
    runs = [fuzz.run(program, fuzz.torch, fuzz.Perturbed(fuzz.torch, k)) for k in range(9)]
    assert len({int(run.values["b"]) for run in runs}) > 1


LEAF = "a = T.tensor([0.5], requires_grad=True)"
EXPLAINED = {  # for each rule a program that it explains, and one that it must not explain
    "refuses_expanded": (
        ["a = T.tensor(1.0).expand(2)", "a[T.tensor([0])] = 3.0"],
        ["a = T.tensor([1.0, 2.0])", "b = a.exp()"],
    ),
    "refuses_diagonals": (
        ["a = T.ones(3, 3)", "b = a[:2, :2].diagonal()", "b.fill_(0)"],
        ["a = T.ones(3, 3)", "b = a[:2, :2].diagonal().exp()"],
    ),
    "checks_unused_indices": (
        ["a = T.ones(3, 2, 0)", "b = a[:, [2, 0]]"],
        ["a = T.ones(3, 2, 0)", "b = T.ones(3).exp()"],
    ),
    "squares_integers": (
        [LEAF, "b = T.tensor([254], dtype=T.uint8)", "c = T.atan2(a, b)"],
        [LEAF, "b = T.tensor([254], dtype=T.uint8)", "c = T.atan2(a, b)", "d = T.tanh(a)"],
    ),
    "differs_from_its_float64": (
        ["b = T.tensor([-1.51], dtype=T.float32, requires_grad=True)", "c = F.elu(T.tan(b))",
         "m = (c - b) % (c + 1)"],
        ["b = T.tensor([0.5], dtype=T.float32, requires_grad=True)", "c = T.tanh(b)"],
    ),
    "normalizes_zeros": (
        [LEAF.replace("[0.5]", "[-1.62, 0.47]"), "c = a * 2", "g = F.pad(c, (0, 0))", "h = g - c",
         "i = F.normalize(h, dim=-1)"],
        [LEAF, "b = F.normalize(a, dim=-1)", "c = T.tanh(a)"],
    ),
    "divides_by_unrounded": (
        ["c = T.tensor(-1.46, dtype=T.float64, requires_grad=True)", "j = c.half().reshape(1)",
         "k = j % c"],
        ["c = T.tensor(1.46, dtype=T.float64, requires_grad=True)", "k = T.tanh(c) % c"],
    ),
    "stores_results_by_columns": (
        ["d = T.tensor([[1.5, 2.0], [-1.0, 3.0]])", "e = d.mT", "f = e % d", "g = f.flatten()",
         "g.fill_(-2)"],
        ["d = T.tensor([[1.5, 2.0], [-1.0, 3.0]])", "e = d.mT", "f = (e * e).exp()"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", EXPLAINED)
def test_a_rule_explains_its_own_difference_and_no_other(rule, monkeypatch):
    explained, other = EXPLAINED[rule]
    counted = Counter()
    assert fuzz.difference(explained, counted) is None
    (why,) = [e.why for e in fuzz.EXPLAINED if e.holds.__name__ == rule]
    assert counted == {why: 1}
    monkeypatch.setattr(nnlib.Tensor, "exp", lambda x: x.sin())
    monkeypatch.setattr(nnlib, "tanh", lambda x: x.sin())
    assert fuzz.difference(other, counted) is not None and counted == {why: 1}


def test_a_float16_layer_norm_is_explained_only_if_nnlib_is_the_more_exact():
    program = ["a = T.tensor([0.1, 0.7, -2.0], dtype=T.float16)", "b = F.layer_norm(a, (3,))"]
    ours, theirs = fuzz.run(program, nnlib), fuzz.run(program, fuzz.torch)
    assert fuzz.rounds_float16_better(program, ours, theirs)
    worse = fuzz.Run({**ours.values, "b": ours.values["b"] + 0.1})
    assert not fuzz.rounds_float16_better(program, worse, theirs)

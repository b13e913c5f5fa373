"""The search for programs on which nnlib and PyTorch differ: a few of them; it sees a fault."""

from __future__ import annotations

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
    assert fuzz.unlike(a, fuzz.torch.tensor(1.0005), None) is None
    assert fuzz.unlike(a, fuzz.torch.tensor(1.5), None) is not None

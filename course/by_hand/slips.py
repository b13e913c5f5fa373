"""By hand: the lines of neurons 5 and 3 as a program, and the mistakes that it can have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import nnlib

Values = Mapping[str, Any]
LABELS = ("a₅", "in₅", "w₀₅", "w₃₅", "w₄₅", "a₃", "in₃", "w₀₃", "w₁₃", "w₂₃")
OURS = {"y": 1.0, "a5": 0.73708, "a4": 0.27688, "a3": 0.84290, "w35": 1.4, "w45": -0.9, "x1": 0.8,
        "x2": -0.6}  # fmt: skip

# The ten lines of neurons 5 and 3; v has the numbers, d the results of the lines above.
RIGHT: dict[str, Callable[[Values, Values], Any]] = {
    "a5": lambda v, d: 2 * (v["a5"] - v["y"]),
    "in5": lambda v, d: d["a5"] * v["a5"] * (1 - v["a5"]),
    "w05": lambda v, d: d["in5"],
    "w35": lambda v, d: d["in5"] * v["a3"],
    "w45": lambda v, d: d["in5"] * v["a4"],
    "a3": lambda v, d: d["in5"] * v["w35"],
    "in3": lambda v, d: d["a3"] * v["a3"] * (1 - v["a3"]),
    "w03": lambda v, d: d["in3"],
    "w13": lambda v, d: d["in3"] * v["x1"],
    "w23": lambda v, d: d["in3"] * v["x2"],
}


@dataclass(frozen=True)
class Slip:
    """One mistake: its line, the wrong formula, and the explanation shown once it is found."""

    line: str
    wrong: Callable[[Values, Values], Any]
    words: str


SLIPS = (
    Slip("a5", lambda v, d: v["a5"] - v["y"], "the 2 is missing"),
    Slip("a5", lambda v, d: 2 * (v["y"] - v["a5"]), "the sign is wrong"),
    Slip("in5", lambda v, d: d["a5"] * v["a5"], "1 − a₅ is missing"),
    Slip("in5", lambda v, d: d["a5"] * (1 - v["a5"]), "a₅ is missing; only 1 − a₅ is there"),
    Slip("w05", lambda v, d: d["a5"], "it takes the line of a₅, so the slope of neuron 5 is lost"),
    Slip("w35", lambda v, d: d["in5"] * v["a4"], "a₄ is used instead of a₃"),
    Slip("w45", lambda v, d: d["in5"], "a₄ is missing"),
    Slip("a3", lambda v, d: d["in5"] * v["w45"], "w₄₅ is used instead of w₃₅"),
    Slip("a3", lambda v, d: d["in5"], "w₃₅ is missing"),
    Slip("in3", lambda v, d: d["a3"] * v["a3"], "1 − a₃ is missing"),
    Slip("in3", lambda v, d: d["a3"] * (1 - v["a3"]), "a₃ is missing; only 1 − a₃ is there"),
    Slip("w03", lambda v, d: d["a3"], "it takes the line of a₃, so the slope of neuron 3 is lost"),
    Slip("w13", lambda v, d: d["in3"] * v["x2"], "x₂ is used instead of x₁"),
    Slip("w23", lambda v, d: d["in3"], "x₂ is missing"),
)  # fmt: skip


def ten_lines(v: Values, program: Any, among: Sequence[int] = range(len(SLIPS))) -> dict[str, Any]:
    """The ten lines as `program`, the number of a mistake, computes them; -1 has no mistake.

    `among` are the mistakes that the program can have.
    """
    program = nnlib.tensor(program) if isinstance(program, int) else program
    d: dict[str, Any] = {}
    for line, right in RIGHT.items():
        value = right(v, d)
        for k in among:
            if SLIPS[k].line == line:
                value = nnlib.where(program == k, SLIPS[k].wrong(v, d), value)
        d[line] = value
    return d


def tensors(numbers: Mapping[str, float]) -> dict[str, Any]:
    return {n: nnlib.tensor(x, dtype=nnlib.float64) for n, x in numbers.items()}

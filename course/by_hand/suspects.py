"""By hand: four programs, each with a factor missing, and special cases that show which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import nnlib
from nnlib import live

LABELS = ("a₅", "in₅", "w₀₅", "w₃₅", "w₄₅", "a₃", "in₃", "w₀₃", "w₁₃", "w₂₃")
# Each program, and the factor that it lacks: in the line of a₅, in₅, a₃ or in₃.
PROGRAMS = {"P": "a3", "Q": "w35", "R": "2", "S": "1 - a5"}
# Each special case, and what it sets.
CASES: dict[str, dict[str, float]] = {
    "our numbers": {},
    "a₅ = y": {"y": 0.73708},
    "x₁ = 0": {"x1": 0.0},
    "w₃₅ = 0": {"w35": 0.0},
    "a₃ = 0.99": {"a3": 0.99},
    "a₃ = 0.01": {"a3": 0.01},
    "a₅ = 0.99, y = 0": {"a5": 0.99, "y": 0.0},
    "a₅ = 0.01, y = 1": {"a5": 0.01, "y": 1.0},
}
OURS = {"y": 1.0, "a5": 0.73708, "a4": 0.27688, "a3": 0.84290, "w35": 1.4, "x1": 0.8, "x2": -0.6}


def ten_lines(v: Mapping[str, Any], lacks: Mapping[str, Any]) -> Any:
    """The lines of neurons 5 and 3; a factor for which `lacks` has a 1 is left out."""

    def factor(name: str, value: Any) -> Any:
        return value + lacks[name] * (1 - value)

    d_a5 = factor("2", 2.0) * (v["a5"] - v["y"])
    d_in5 = d_a5 * v["a5"] * factor("1 - a5", 1 - v["a5"])
    d_a3 = d_in5 * factor("w35", v["w35"])
    d_in3 = d_a3 * factor("a3", v["a3"]) * (1 - v["a3"])
    of_5 = [d_a5, d_in5, d_in5, d_in5 * v["a3"], d_in5 * v["a4"]]
    return nnlib.stack([*of_5, d_a3, d_in3, d_in3, d_in3 * v["x1"], d_in3 * v["x2"]])


def four_suspects() -> live.Figure:
    """How large a program's lines are in a special case, as multiples of what they were."""
    table = nnlib.tensor([[{**OURS, **case}[n] for n in OURS] for case in CASES.values()])

    def look(program: Any, case: Any) -> dict:
        lacks = {missing: (program == k) * 1.0 for k, missing in enumerate(PROGRAMS.values())}
        numbers = table.double()[case]
        before = ten_lines(OURS, lacks)
        after = ten_lines({n: numbers[i] for i, n in enumerate(OURS)}, lacks)
        return {"size": (after / before).abs()}

    return live.figure(
        look,
        program=live.dropdown({p: k for k, p in enumerate(PROGRAMS)}, buttons=True,
                              label="program"),
        case=live.dropdown({c: k for k, c in enumerate(CASES)}, buttons=True, label="case"),
        view=[
            live.axes(
                live.line(y=1, dash=True, color="muted"),
                live.bars("size", labels=LABELS, format=".2f"),
                xlim=(-0.6, 9.6), ylim=(0, 7), ylabel="line ÷ the same line at our numbers",
                width=560, height=280,
            ),
            live.predict(
                "One of the four passes every test, although a factor is missing in it, too. "
                "Which one?",
                name="passes_all", choices=list(PROGRAMS), answer=list(PROGRAMS).index("R"),
                explain="R. In each case what should vanish does vanish: R lacks the factor 2 of "
                "the first line, so all its lines are one half of the right ones, everywhere.",
            ),
        ],
        title="Four suspects",
        dtype="float64",
        caption="Choose a case and say which bars must vanish, or nearly, before you look at the "
        "four programs. Where a bar stands that should be gone, a factor is missing. Which?",
        alt="Ten bars, the lines of neurons 5 and 3 in a special case as multiples of what the "
        "same program gives at the chapter's numbers, for four programs to choose, and a question. "
        "In three of the programs some special case leaves bars standing that should vanish.",
    )  # fmt: skip

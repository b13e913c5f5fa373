"""By hand: four programs, each with a factor missing, and special cases that show which."""

from __future__ import annotations

from typing import Any

import nnlib
from course.by_hand.slips import LABELS, OURS, ten_lines, tensors
from nnlib import live

# Each program, and its mistake: a₃, w₃₅, the 2 or 1 − a₅ is missing.
PROGRAMS = {"P": 10, "Q": 8, "R": 0, "S": 2}
# Each special case, and the numbers that it sets.
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


def four_suspects() -> live.Figure:
    """A program's lines in a special case, as multiples of their usual values, and a question."""
    table = nnlib.tensor([[{**OURS, **case}[n] for n in OURS] for case in CASES.values()])
    mistakes = list(PROGRAMS.values())

    def outputs(program: Any, case: Any) -> dict:
        mistake = nnlib.tensor(mistakes)[program]
        numbers = table.double()[case]
        before = ten_lines(tensors(OURS), mistake, mistakes)
        after = ten_lines({n: numbers[i] for i, n in enumerate(OURS)}, mistake, mistakes)
        return {"size": nnlib.stack([(after[n] / before[n]).abs() for n in before])}

    return live.figure(
        outputs,
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
        caption="Choose a case and predict which bars must vanish, or nearly, before you look at "
        "the four programs. Where a bar that should vanish remains, a factor is missing. Which?",
        alt="Ten bars, the lines of neurons 5 and 3 in a special case as multiples of what the "
        "same program gives at the chapter's numbers, for one of four programs, and a question. "
        "In three of the programs, bars that should vanish remain in some special case.",
    )  # fmt: skip

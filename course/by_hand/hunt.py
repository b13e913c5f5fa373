"""By hand: a program with one hidden mistake, chosen by a date, and tests that have a price."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

import nnlib
from course.by_hand import suspects
from course.by_hand.descent import Descent
from course.by_hand.program import hidden_lines
from course.by_hand.slips import LABELS, OURS, RIGHT, SLIPS, ten_lines, tensors
from nnlib import live

CASES = {**suspects.CASES, "x₂ = 0": {"x2": 0.0}}
GUILTY = [list(RIGHT).index(slip.line) for slip in SLIPS]
# Each special case, and the lines that must vanish in it, or nearly.
MUST_VANISH = {
    "a₅ = y": list(RIGHT),
    "x₁ = 0": ["w13"],
    "x₂ = 0": ["w23"],
    "w₃₅ = 0": ["a3", "in3", "w03", "w13", "w23"],
    "a₃ = 0.99": ["in3", "w03", "w13", "w23"],
    "a₃ = 0.01": ["w35", "in3", "w03", "w13", "w23"],
    "a₅ = 0.99, y = 0": list(RIGHT)[1:],
    "a₅ = 0.01, y = 1": list(RIGHT)[1:],
}
TESTS = [*MUST_VANISH, "the ten signs", "the ratio"]
WRONG_NAME = 2  # the price of naming a line that is right


def program_of_days() -> np.ndarray:
    """The number of the program for each month and day, (12, 31); all are used about equally."""
    days = np.arange(12 * 31) % len(SLIPS)
    return np.random.default_rng(5).permutation(days).reshape(12, 31)


def largest_left(program: Any, case: str, before: Mapping[str, Any]) -> Any:
    """The largest of the lines that must vanish in a case, each divided by its value `before`."""
    in_case = ten_lines(tensors(OURS | CASES[case]), program)
    return nnlib.stack([(in_case[n] / before[n]).abs() for n in MUST_VANISH[case]]).amax()


def ratio(numbers: Mapping[str, float], program: Any, alpha: float = 1e-4) -> Any:
    """The actual fall of the loss after a small step divided by the predicted one."""

    def derivatives(v: Mapping[str, Any], a: Mapping[int, Any]) -> dict[str, Any]:
        d = ten_lines({**v, **{f"a{i}": a[i] for i in (3, 4, 5)}}, program)
        _, _, *of_weights = hidden_lines(d["in5"], v["w45"], a[4], v["x1"], v["x2"])
        return d | dict(zip(("w04", "w14", "w24"), of_weights, strict=True))

    return Descent(numbers, derivatives).ratio(alpha)


def one_mistake(numbers: Mapping[str, float], measured: Mapping[str, float]) -> live.Figure:
    """A program with a hidden mistake: a reader buys tests and names the guilty line.

    `measured` holds the finite differences of the ten lines, which a reader buys one by one.
    """
    days = nnlib.tensor(program_of_days().ravel(), dtype=nnlib.int64)
    guilty = nnlib.tensor(GUILTY, dtype=nnlib.int64)
    lines = nnlib.tensor(range(len(RIGHT)), dtype=nnlib.int64)

    def outputs(
        of_day: Any, of_month: Any, bought: Any, inspected: Any, line: Any, named: Any, missed: Any
    ) -> dict:
        program = days[(of_month - 1) * 31 + of_day - 1]
        d = ten_lines(tensors(OURS), program)
        found = (named == guilty[program]) * 1.0
        out = {f"d_{n}": d[n] for n in RIGHT} | {"signs": nnlib.stack(list(d.values())).sign()}
        out |= {f"case{k}": largest_left(program, case, d) for k, case in enumerate(MUST_VANISH)}
        out |= {f"found{k}": found * (program == k) for k in range(len(SLIPS))}
        return out | {
            "ratio": ratio(numbers, program), "for_sale": 1 - bought, "found": found,
            "wrongly_named": (named >= 0) * (1 - found), "searching": 1 - found,
            "cost": bought.sum() + inspected.sum() + missed,
            "after_inspected": nnlib.maximum(inspected, (lines == line) * 1.0),
            "after_missed": missed + WRONG_NAME * (guilty[program] != line),
        }  # fmt: skip

    none = {"bought": np.zeros(len(TESTS)), "inspected": np.zeros(len(RIGHT)), "named": -1,
            "missed": 0.0}  # fmt: skip
    return live.figure(
        outputs,
        day=live.slider(1, 31, value=1, label="day"),
        month=live.slider(1, 12, value=1, label="month"),
        line=live.dropdown({name: k for k, name in enumerate(LABELS)}, buttons=True, label="line"),
        of_day=live.values(1),
        of_month=live.values(1),
        **{name: live.values(start) for name, start in none.items()},
        view=[
            live.control("day", "month"),
            live.button("hand me the program of this day",
                        {"of_day": "day", "of_month": "month", **none}),
            live.readout("The program of day {of_day:d}, month {of_month:d}. One of its ten lines "
                         "has a mistake."),
            _shop(measured),
            live.readout("Paid so far: {cost:.0f}", size="large"),
            *_verdicts(),
        ],
        title="One hidden mistake",
        dtype="float64",
        caption="Set the day of your birthday, and press the button to get your program. Every "
        "test costs 1, every measured line costs 1, and naming a line that is right costs 2. How "
        "cheaply can you find the guilty line? Before you buy a test, say which lines it can "
        "clear.",
        alt="Two sliders for a day and a month, which choose a program with one hidden mistake, "
        "and a shop of tests: eight special cases, the signs of the ten lines, the ratio of "
        "actual to predicted fall, and the measurement of any line. A line can be named: then a "
        "readout shows whether it is the guilty one, and what is wrong in it.",
    )  # fmt: skip


def _shop(measured: Mapping[str, float]) -> Any:
    """The tests that are still for sale, and the results of those that were bought."""
    for_sale = [
        live.button(f"buy: {name}", {"bought": partial(_bought_with, k)}, when=f"for_sale[{k}]")
        for k, name in enumerate(TESTS)
    ]
    results = [
        live.readout(f"{case}: the largest of the lines that should vanish is {{case{k}:.2f}} "
                     "times what it is at our numbers.", when=f"bought[{k}]")
        for k, case in enumerate(MUST_VANISH)
    ]  # fmt: skip
    signs = ", ".join(f"{name} {{signs[{k}]:+.0f}}" for k, name in enumerate(LABELS))
    results += [
        live.readout(f"The signs: {signs}.", when=f"bought[{len(MUST_VANISH)}]"),
        live.readout("After a very small step, actual fall ÷ predicted fall = {ratio:.4f}.",
                     when=f"bought[{len(MUST_VANISH) + 1}]"),
    ]  # fmt: skip
    results += [
        live.readout(f"Line of {name}: the program gives {{d_{n}:+.5f}}, the measurement "
                     + f"{measured[n]:+.5f}.".replace("-", "−"), when=f"inspected[{k}]")
        for k, (n, name) in enumerate(zip(RIGHT, LABELS, strict=True))
    ]  # fmt: skip
    return live.column(
        live.row(*for_sale),
        live.control("line"),
        live.row(
            live.button("measure this line", {"inspected": "after_inspected"}),
            live.button("name this line as the guilty one",
                        {"named": "line", "missed": "after_missed"}, when="searching"),
        ),
        *results,
    )  # fmt: skip


def _bought_with(k: int, bought: Any) -> Any:
    """The tests that were bought, with number k among them."""
    return nnlib.maximum(bought, nnlib.tensor(np.eye(len(TESTS))[k]))


def _verdicts() -> list[Any]:
    """The readouts after a line was named; the mistake is shown only for the guilty line."""
    wrong = live.readout(
        "No: that line is right, if the lines above it are. This name cost you 2.",
        when="wrongly_named",
    )
    right = [
        live.readout(f"Found: in the line of {LABELS[GUILTY[k]]}, {slip.words}.", when=f"found{k}")
        for k, slip in enumerate(SLIPS)
    ]
    return [wrong, *right]

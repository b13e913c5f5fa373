"""The table of a whole pass, which the reader fills in and the figure checks."""

from __future__ import annotations

import math
from typing import Any

from course.networks.five import UNIT_WEIGHTS
from nnlib import live

DIGITS = "₀₁₂₃₄₅"
CLOSE = 6e-4  # accepts a number with three or four decimals, rounded or truncated
AT = {"x1": 1.0, "x2": 0.0, "y": 1.0}


def _sub(name: str) -> str:
    return "".join(DIGITS[int(c)] if c.isdigit() else c for c in name)


def the_pass(w: dict[str, float], x1: float, x2: float, y: float) -> dict[str, float]:
    """All numbers of one pass over the five-neuron net, in the order of the five steps."""
    a: dict[int, float] = {1: x1, 2: x2}
    out: dict[str, float] = {}
    for j, (i, k) in {3: (1, 2), 4: (1, 2), 5: (3, 4)}.items():
        total = w[f"w0{j}"] + w[f"w{i}{j}"] * a[i] + w[f"w{k}{j}"] * a[k]
        a[j] = 1 / (1 + math.exp(-total))
        out |= {f"in{j}": total, f"a{j}": a[j]}
    out |= {"loss": (y - a[5]) ** 2, "da5": 2 * (a[5] - y)}
    delta = {5: out["da5"] * a[5] * (1 - a[5])}
    for i in (3, 4):
        delta[i] = delta[5] * w[f"w{i}5"] * a[i] * (1 - a[i])
    out |= {f"d{i}": delta[i] for i in (5, 3, 4)}
    for j, before in {5: (3, 4), 3: (1, 2), 4: (1, 2)}.items():
        out[f"g0{j}"] = delta[j]
        out |= {f"g{i}{j}": a[i] * delta[j] for i in before}
    return out


PASS = the_pass(UNIT_WEIGHTS, **AT)
STEPS = {
    "1 · forward": ("in3", "a3", "in4", "a4", "in5", "a5"),
    "2 · the loss": ("loss",),
    "3 · its derivative with respect to a₅": ("da5",),
    "4 · backward": ("d5", "d3", "d4"),
    "5 · weights and biases": ("g05", "g35", "g45", "g03", "g13", "g04", "g14"),
}
# The quantities that the reader fills in, in the order of the steps.
ASKED = [name for names in STEPS.values() for name in names]
HINTS = {
    "in3": "w₀₃ + w₁₃x₁ + w₂₃x₂", "in4": "w₀₄ + w₁₄x₁ + w₂₄x₂", "in5": "w₀₅ + w₃₅a₃ + w₄₅a₄",
    "a3": "g(in₃)", "a4": "g(in₄)", "a5": "g(in₅)", "loss": "(y − a₅)²", "da5": "2(a₅ − y)",
    "d5": "dLoss/da₅ · a₅(1 − a₅)", "d3": "δ₅ · w₃₅ · a₃(1 − a₃)", "d4": "δ₅ · w₄₅ · a₄(1 − a₄)",
    "g05": "1 · δ₅", "g35": "a₃ · δ₅", "g45": "a₄ · δ₅", "g03": "1 · δ₃", "g13": "x₁ · δ₃",
    "g04": "1 · δ₄", "g14": "x₁ · δ₄",
}  # fmt: skip


def named(short: str) -> str:
    """in3 as in₃, d5 as δ₅, g35 as dLoss/dw₃₅."""
    if short == "loss":
        return "loss"
    if short == "da5":
        return "dLoss/da₅"
    symbol = {"d": "δ", "g": "dLoss/dw"}.get(short[0], short.rstrip("0123456789"))
    return symbol + _sub(short.lstrip("abcdefghijklmnopqrstuvwxyz"))


def fill_the_table() -> live.Figure:
    """Eighteen empty cells for the pass at (1, 0) → 1, each with a check of its number."""

    def judge(**guesses: Any) -> dict:
        out: dict[str, Any] = {}
        done: Any = 0.0
        for name in ASKED:
            guess, needed = guesses[name].double(), PASS[name]
            filled = (guess != 0) * 1.0
            right = ((guess - needed).abs() < CLOSE) * 1.0
            flipped = ((guess + needed).abs() < CLOSE) * filled
            out |= {f"ok_{name}": right, f"flipped_{name}": flipped,
                    f"off_{name}": filled - right - flipped}  # fmt: skip
            done = done + right
        return {**out, "done": done, "all": (done == len(ASKED)) * 1.0}

    view: list[Any] = []
    for step, names in STEPS.items():
        view += [live.readout(step), live.row(live.control(*names))]
        view.append(live.row(*[live.readout(f"✓ {named(n)}", when=f"ok_{n}") for n in names]))
        for n in names:
            view.append(live.readout(f"{named(n)} has the other sign.", when=f"flipped_{n}"))
            view.append(live.readout(f"{named(n)} is not right yet: {HINTS[n]}", when=f"off_{n}"))
    step_1 = {n: round(PASS[n], 4) for n in STEPS["1 · forward"]}
    all_values = {n: round(PASS[n], 4) for n in ASKED}
    view += [
        live.readout(f"{{done:.0f}} of {len(ASKED)} are right", size="large"),
        live.readout("A whole pass, by hand.", when="all"),
        live.row(live.button("empty", dict.fromkeys(ASKED, 0.0)),
                 live.button("fill in step 1", step_1), live.button("fill in all", all_values)),
    ]  # fmt: skip
    boxes = {n: live.number(0.0, min=-3, max=3, step=0.0001, label=named(n)) for n in ASKED}
    return live.figure(
        judge,
        inputs=boxes,
        view=view,
        title="A table to fill: the pass at (1, 0) → 1",
        caption="Fill it in from top to bottom with paper and a calculator, to four decimals. A "
        "button fills in the forward run. Each number is checked as soon as you leave its box. "
        "Which signs differ from the pass at (1, 1)?",
        alt="A table with eighteen empty cells in five steps: total inputs and activations, the "
        "loss, its derivative, three δ and the derivatives of seven weights, for the input (1, 0) "
        "with target 1. A readout shows which numbers are right, and which have the wrong sign.",
    )  # fmt: skip

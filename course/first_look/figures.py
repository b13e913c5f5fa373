"""Live figures of the first look: a rule by hand, shapes, a recorded graph, a training loop."""

from __future__ import annotations

from typing import Any

import nnlib
from nnlib import live

CELSIUS = (0.0, 1.0, 2.0, 3.0, 4.0)  # in tens of degrees
FAHRENHEIT = (3.2, 5.0, 6.8, 8.6, 10.4)


# --- the rule, by hand and beyond its readings ----------------------------------------------------


def rule_by_hand() -> live.Figure:
    """The five readings, a line to set by w and b, and its errors."""
    x, y = nnlib.tensor(CELSIUS), nnlib.tensor(FAHRENHEIT)
    ends = nnlib.linspace(-0.5, 4.5, 2)

    def apply(w: Any, b: Any) -> dict[str, Any]:
        rule = w * x + b
        return {"line": w * ends + b, "rule": rule, "largest_error": 10 * (rule - y).abs().amax()}

    return live.figure(
        apply,
        w=live.slider(0.0, 3.0, 0.05, value=1.0, label="w"),
        b=live.slider(0.0, 5.0, 0.05, value=0.0, label="b"),
        view=[
            live.axes(
                live.segments(x, y, x, "rule", color="muted", width=3),
                live.curve(ends, "line", label="the rule w · °C + b"),
                live.points(x=CELSIUS, y=FAHRENHEIT, size=6, label="readings"),
                live.handle(0.0, "b", drag=(None, "b"), label="left end: moves b"),
                live.handle(4.0, lambda w, b: 4 * w + b, label="right end: turns the line",
                            drag=lambda y, b: {"w": (y - b) / 4}),
                xlabel="°C, in tens", ylabel="°F, in tens", xlim=(-0.5, 4.5), ylim=(-0.5, 14),
                width=420, height=300,
            ),
            live.readout("w = {w:.2f} and b = {b:.2f}. The largest of the five errors is "
                         "{largest_error:.1f} °F."),
            live.readout("All five errors are below one degree. You have found the rule, or "
                         "something very close to it.",
                         when=lambda largest_error: largest_error < 1),
        ],
        title="A rule by hand",
        caption="Move the two sliders, or drag the two ends of the line, until the largest error "
        "is below one degree. Which of the two did you have to correct again?",
        alt="Five readings on a straight line, and a second line that w tilts and b shifts. "
        "Turning it with w also changes its height at the readings, so b has to be set again.",
    )  # fmt: skip


def unseen_reading() -> live.Figure:
    """A question about equal numbers on both thermometers; then the rule far below its readings."""
    ends = nnlib.tensor([-6.0, 5.0])
    return live.figure(
        view=[
            live.predict(
                "The rule is °F = 1.8 · °C + 32. At which temperature do both thermometers show "
                "the same number?",
                name="same",
                choices=["at none: °F is always the larger number", "at −17.8 degrees",
                         "at −40 degrees", "at −32 degrees"],
                answer=2,
                explain="At −40 degrees. Both numbers are equal where 1.8 c + 32 = c. That means "
                "0.8 c = −32, so c = −40. (At −17.8 °C the second thermometer shows 0.)",
            ),
            live.axes(
                live.curve(ends, 1.8 * ends + 3.2, label="the rule"),
                live.curve(ends, ends, color="muted", dash=True, label="°F = °C"),
                live.points(x=CELSIUS, y=FAHRENHEIT, size=6, label="readings"),
                live.points([[-4.0, -4.0]], color="ink", size=7, label="−40 on both"),
                xlabel="°C, in tens", ylabel="°F, in tens", xlim=(-6, 5), ylim=(-9, 13),
                width=420, height=300, when="same_committed",
            ),
        ],
        title="Both thermometers show the same",
        caption="Commit to an answer; a few numbers on paper help.",
        alt="A question with four choices. Once it is answered: the line of the rule, extended to "
        "the left of its readings, and the point where it meets the line of equal numbers.",
    )  # fmt: skip


# --- broadcasting --------------------------------------------------------------------------------

COLUMN = ((10.0,), (20.0,), (30.0,))
ROW = ((1.0, 2.0, 3.0, 4.0),)
MATRIX = ((0.0, 1.0, 2.0, 3.0), (4.0, 5.0, 6.0, 7.0), (8.0, 9.0, 10.0, 11.0))
CASES = {
    "column + row": ("(3, 1)", "(1, 4)", COLUMN, ROW),
    "matrix + row": ("(3, 4)", "(1, 4)", MATRIX, ROW),
    "matrix + column": ("(3, 4)", "(3, 1)", MATRIX, COLUMN),
}


def stretching() -> live.Figure:
    """Two tensors, each stretched to the common shape, and their sum, cell by cell."""

    def compute(row: Any, col: Any) -> dict[str, Any]:
        outputs: dict[str, Any] = {}
        for k, (_, _, left, right) in enumerate(CASES.values()):
            a, b = nnlib.tensor(left), nnlib.tensor(right)
            zeros = nnlib.zeros(3, 4)
            outputs |= {f"a{k}": a, f"b{k}": b, f"sum{k}": a + b}
            outputs |= {f"wide_a{k}": a + zeros, f"wide_b{k}": b + zeros}
            outputs |= {f"one{k}": (a + zeros)[row, col], f"other{k}": (b + zeros)[row, col]}
            outputs |= {f"cell{k}": (a + b)[row, col]}
        return outputs

    return live.figure(
        compute,
        inputs={
            "case": live.dropdown(
                {name: float(k) for k, name in enumerate(CASES)}, label="what is added"
            ),
            "row": live.slider(0, 2, label="row"),
            "col": live.slider(0, 3, label="column"),
        },
        view=[live.control("case"), *[_stretch(k, *shapes[:2]) for k, shapes in
                                      enumerate(CASES.values())],
              live.control("row", "col")],
        title="What stretches",
        caption="Choose what is added, then move row and column. Watch which number of each small "
        "tensor is used: where a length is 1, the same number serves the whole row or column.",
        alt="Two small matrices and their stretched copies of shape (3, 4), with the sum below. A "
        "column repeats itself in every column, a row repeats itself in every row.",
    )  # fmt: skip


def _stretch(k: int, left: str, right: str) -> live.Part:
    style: dict[str, Any] = {"format": "g", "colors": "magnitude", "pixel": 34}
    return live.column(
        live.row(live.matrix(f"a{k}", title=f"a, shape {left}", **style),
                 live.matrix(f"b{k}", title=f"b, shape {right}", **style)),
        live.row(live.matrix(f"wide_a{k}", title="a, stretched", **style),
                 live.matrix(f"wide_b{k}", title="b, stretched", **style)),
        live.matrix(f"sum{k}", title="a + b, shape (3, 4)", **style),
        f"Row {{row:d}}, column {{col:d}}: {{one{k}:g}} + {{other{k}:g}} = "
        f"{{cell{k}:g}}.",
        when=lambda case: abs(case - k) < 0.5,
    )  # fmt: skip


# --- what one operation records ------------------------------------------------------------------


def recorded_error() -> live.Figure:
    """The graph of one squared error: values forwards, then derivatives backwards."""

    def squared_error(w: Any, b: Any) -> Any:
        return (w * 2.0 + b - 6.8).square()

    return live.figure(
        None,
        w=live.slider(0.0, 3.0, 0.1, value=1.0, label="w"),
        b=live.slider(0.0, 5.0, 0.1, value=0.0, label="b"),
        t=live.stepper(live.dag_states(squared_error, w=1.0, b=0.0), label="step"),
        view=[live.dag(of=squared_error, step="t", format=".4g")],
        title="What was recorded",
        caption="Press the step button. First the values appear from left to right; then the "
        "derivatives (∂) appear from right to left. Before each step back, work the number out.",
        alt="A graph from w and b on the left to the squared error on the right: w times 2, plus "
        "b, minus 6.8, and the result times itself. Stepping fills in values, then derivatives.",
    )


# --- a training loop with and without zero_grad ---------------------------------------------------


def thermometer_step(w: Any, b: Any, gw: Any, gb: Any, x: Any, y: Any, lr: Any, zero: Any) -> Any:
    """One step on the mean squared error; unless `zero`, gradients are added to the old ones."""
    leaves = [w.detach().requires_grad_(), b.detach().requires_grad_()]
    loss = ((leaves[0] * x + leaves[1] - y) ** 2).mean()
    dw, db = nnlib.autograd.grad(loss, leaves)
    gw, gb = dw + (1 - zero) * gw, db + (1 - zero) * gb
    return {"w": w - lr * gw, "b": b - lr * gb, "gw": gw, "gb": gb, "loss": loss}


def thermometer_training() -> live.Figure:
    """The training loop from any initial line, with `zero_grad` switched on or off."""
    x, y = nnlib.tensor(CELSIUS), nnlib.tensor(FAHRENHEIT)
    line = nnlib.linspace(-0.5, 4.5, 2)

    def clear(y: Any) -> dict[str, Any]:
        return {"gw": 0 * y, "gb": 0 * y}  # a line set by hand starts without old gradients

    return live.figure(
        lambda w, b: {"line": w * line + b},
        lr=live.slider(0.01, 0.2, 0.01, value=0.05, label="step size"),
        zero=live.dropdown({"yes": 1.0, "no": 0.0}, label="zero_grad in the loop", buttons=True),
        training=live.training(
            thermometer_step,
            state={"w": nnlib.tensor(1.0), "b": nnlib.tensor(0.0),
                   "gw": nnlib.tensor(0.0), "gb": nnlib.tensor(0.0)},
            data={"x": x, "y": y}, speed="frame", max_steps=400,
        ),
        view=[
            live.predict(
                "Somebody leaves zero_grad out, so each gradient is added to all earlier "
                "ones. What happens to the loss?",
                name="guess",
                choices=["It falls faster: the steps grow.", "It falls as before, a little later.",
                         "It falls, rises again, and never settles.", "It rises from the start."],
                answer=2,
                explain="The sum still contains the gradients of earlier lines. When the line "
                "reaches the points, these old gradients move it further, so it overshoots, comes "
                "back, and overshoots again.",
            ),
            live.column(
                live.control("zero", "lr"),
                live.row(
                    live.axes(live.points(x=CELSIUS, y=FAHRENHEIT, classes=[0] * 5),
                              live.curve(line, "line"),
                              live.handle(0.0, "b", label="left end: moves b",
                                          drag=lambda y: {"b": y, **clear(y)}),
                              live.handle(4.0, lambda w, b: 4 * w + b,
                                          label="right end: turns the line",
                                          drag=lambda y, b: {"w": (y - b) / 4, **clear(y)}),
                              xlabel="°C, in tens", ylabel="°F, in tens", xlim=(-0.5, 4.5),
                              ylim=(0, 14), width=300, height=240),
                    live.loss_curve(width=300, height=240),
                ),
                live.training_controls(),
                "Step {step:d}: w = {w:.4g}, b = {b:.4g}, loss {history_loss[-1]:.4g}.",
                when="guess_committed",
            ),
        ],
        title="With and without zero_grad",
        caption="Answer, then let it train: once with zero_grad, then choose “no”, rewind, and let "
        "it train again. Watch the loss, and whether the line comes to rest. You may also drag the "
        "ends of the line and start from there, with a larger step size.",
        alt="A question. Once it is answered: five points on a straight line, the line that is "
        "trained, whose ends can be dragged, and the curve of its loss.",
    )  # fmt: skip

"""By hand: the loss that is predicted for a step of descent, beside the actual loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import nnlib
from course.backprop.figures import activations
from course.by_hand.program import hidden_lines, output_lines
from course.networks.five import WEIGHTS
from nnlib import live


@dataclass(frozen=True)
class Start:
    """The start of a step: how it differs from the chapter's net, and the ranges of its plots."""

    name: str
    changed: Mapping[str, float]
    reach: float  # the largest step size α
    initial: float  # the slider's initial value of α
    increment: float  # the slider's smallest change of α
    losses: tuple[float, float]
    ratios: tuple[float, float]


STARTS = (
    Start("the chapter's net", {}, 10.0, 1.0, 0.01, (-0.14, 0.08), (-0.1, 1.1)),
    Start("target ½", {"y": 0.5}, 20.0, 1.0, 0.01, (-0.28, 0.22), (-0.5, 1.1)),
    Start("saturated", {"w05": 4.0, "y": 0.0}, 400.0, 1.0, 1.0, (-0.05, 1.05), (-1.0, 11.0)),
)


def by_lines(output: Callable = output_lines, hidden: Callable = hidden_lines) -> Callable:
    """The derivatives by the lines of neuron 5 and of a hidden neuron, which a reader has typed."""

    def derivatives(v: Mapping[str, Any], a: Mapping[int, Any]) -> dict[str, Any]:
        d = {}
        _, d_in5, d["w05"], d["w35"], d["w45"] = output(v["y"], a[3], a[4], a[5])
        for i in "34":
            _, _, *of_weights = hidden(d_in5, v[f"w{i}5"], a[int(i)], v["x1"], v["x2"])
            d |= dict(zip((f"w0{i}", f"w1{i}", f"w2{i}"), of_weights, strict=True))
        return d

    return derivatives


class Descent:
    """One step of descent from given numbers: by the derivatives, and by a run forward."""

    def __init__(
        self, numbers: Mapping[str, float], derivatives: Callable[[Any, Any], dict] | None = None
    ) -> None:
        self.numbers = {n: nnlib.tensor(v, dtype=nnlib.float64) for n, v in numbers.items()}
        a = self._activations(self.numbers)
        self.loss = (self.numbers["y"] - a[5]) ** 2
        self.derivatives = (derivatives or by_lines())(self.numbers, a)
        self.squares = sum(self.derivatives[n] ** 2 for n in WEIGHTS)

    def _activations(self, w: Mapping[str, Any]) -> dict:
        return activations(w, self.numbers["x1"], self.numbers["x2"])

    def predicted(self, alpha: Any) -> Any:
        """The loss after a step, if all derivatives stayed as they are: a line in α."""
        return self.loss - alpha * self.squares

    def actual(self, alpha: Any) -> Any:
        """The loss after a step, from a run forward with the new weights."""
        w = {n: self.numbers[n] - alpha * self.derivatives[n] for n in WEIGHTS}
        return (self.numbers["y"] - self._activations(w)[5]) ** 2

    def ratio(self, alpha: Any) -> Any:
        """The actual fall of the loss divided by the predicted one."""
        return (self.loss - self.actual(alpha)) / (alpha * self.squares)


def predicted_and_actual(
    numbers: Mapping[str, float], output: Callable = output_lines, hidden: Callable = hidden_lines
) -> live.Figure:
    """The predicted loss as a line to drag, the actual one as a curve, from three starts.

    The predicted loss is computed by `output` and `hidden`, five lines each, which a reader has
    typed.
    """
    lines = by_lines(output, hidden)
    steps = [Descent({**numbers, **start.changed}, lines) for start in STARTS]

    def outputs(**alphas: Any) -> dict:
        out: dict[str, Any] = {}
        for k, step in enumerate(steps):
            alpha = alphas[f"alpha{k}"].double()
            out |= {f"predicted{k}": step.predicted(alpha), f"actual{k}": step.actual(alpha),
                    f"ratio{k}": step.ratio(alpha)}  # fmt: skip
        return out

    return live.figure(
        outputs,
        start=live.dropdown({s.name: k for k, s in enumerate(STARTS)}, buttons=True, label="start"),
        inputs={
            f"alpha{k}": live.slider(
                s.increment, s.reach, s.increment, value=s.initial, label="step size α"
            )
            for k, s in enumerate(STARTS)
        },
        view=[
            live.control("start"),
            *[_panel(k, s, d) for k, (s, d) in enumerate(zip(STARTS, steps, strict=True))],
        ],
        title="Predicted and actual loss",
        dtype="float64",
        caption="Drag the predicted loss, the point on the straight line, until it reaches 0, and "
        "read the actual loss. Do the same from the second start: what do the two steps have in "
        "common? From the third start, look at α = 1 first. From which α on does the loss fall at "
        "least twice as far as predicted?",
        alt="The loss over the step size α: a falling straight line, the predicted loss, and a "
        "curve, the actual loss after the step. They touch at α = 0. From the chapter's net the "
        "predicted loss is 0 at α = 3.47, where a third of the loss is left. With the target ½ it "
        "is 0 at the same α, and beyond α = 12 the loss is larger than at the start. From a "
        "saturated start a step with α = 1 is predicted well, a fall of 0.0004 of 0.99; with "
        "α = 200 the loss falls ten times as far as predicted.",
    )  # fmt: skip


def _panel(k: int, start: Start, step: Descent) -> Any:
    """One start: its slider, the line with its handle and the curve, the ratio, the numbers."""
    alpha, predicted, actual, ratio = (f"{n}{k}" for n in ("alpha", "predicted", "actual", "ratio"))
    along = nnlib.linspace(0, start.reach, 201, dtype=nnlib.float64)
    losses = live.axes(
        live.line(y=0, color="muted"),
        live.curve(along, step.actual(along), label="actual"),
        live.curve(along, step.predicted(along), color="gradient", dash=True, label="predicted"),
        live.segments(alpha, predicted, alpha, actual, color="muted"),
        live.points(x=alpha, y=actual, size=5),
        live.handle(alpha, predicted, drag=(alpha, None), color="gradient",
                    label="the predicted loss"),
        xlim=(0, start.reach), ylim=start.losses, xlabel="step size α", ylabel="loss",
        width=380, height=300,
    )  # fmt: skip
    ratios = live.axes(
        live.line(y=0, color="muted"),
        live.line(y=1, dash=True, color="gradient"),
        live.curve(along[1:], step.ratio(along[1:])),
        live.points(x=alpha, y=ratio, size=5),
        xlim=(0, start.reach), ylim=start.ratios, xlabel="step size α",
        ylabel="actual fall ÷ predicted fall", width=300, height=300,
    )  # fmt: skip
    digits = ".2f" if start.increment < 1 else ".0f"
    return live.column(
        live.control(alpha),
        live.row(losses, ratios),
        live.readout(
            f"α = {{{alpha}:{digits}}}: the loss is {float(step.loss):.4f} before the step. "
            f"After it, the predicted loss is {{{predicted}:.4f}}, the actual loss "
            f"{{{actual}:.4f}}. Actual fall ÷ predicted fall: {{{ratio}:.2f}}"
        ),
        when=partial(_chosen, k),
    )


def _chosen(k: int, start: Any) -> Any:
    return start == k


def four_programs(numbers: Mapping[str, float]) -> Any:
    """Predicted and actual loss of programs with right and wrong signs: one line, two curves."""
    step = Descent(numbers)
    along = nnlib.linspace(0, 4, 81, dtype=nnlib.float64)
    return live.axes(
        live.line(y=0, color="muted"),
        live.curve(along, step.actual(along), label="actual: no wrong sign, or two"),
        live.curve(along, step.actual(-along), color="series1", width=3,
                   label="actual: one wrong sign"),
        live.curve(along, step.predicted(along), color="gradient", dash=True,
                   label="predicted by all four"),
        xlim=(0, 4), ylim=(-0.02, 0.18), xlabel="step size α", ylabel="loss", width=460, height=300,
    )  # fmt: skip

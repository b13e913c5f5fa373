"""The live figures of the chapter on the sigmoid: shares, evidence, a neuron's curve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import nnlib
from nnlib import live

FLAT = 0.02  # the smallest weight that a drag can set: a flat curve would have no crossing
ENDS = (3.0, 6.0)  # where the straight line of the first try has its handles, in kilograms
_X = nnlib.linspace(-8, 8, 161)
_KILOGRAMS = nnlib.linspace(2.5, 6.5, 161)


def _shares(middle: Any, share: Any, counts: Any) -> Any:
    """The share of Gentoos in each bin, as a point that is larger where there are more birds."""
    size = np.sqrt(counts) + 2
    return live.points(x=middle, y=share, size=size, color="class1")


def _distance(answers: Any, share: Any) -> Any:
    """The root of the mean squared distance between a curve and the shares."""
    return ((answers - share) ** 2).mean().sqrt()


def straight_line(middle: Any, share: Any, counts: Any) -> live.Figure:
    """A straight line to drag through the shares, which leaves the range from 0 to 1."""
    left, right = ENDS
    masses, shares = nnlib.tensor(middle), nnlib.tensor(share)

    def line(low: Any, high: Any) -> dict:
        slope = (high - low) / (right - left)
        return {"slope": slope, "start": low - slope * left,
                "gap": _distance(low + slope * (masses - left), shares)}  # fmt: skip

    return live.figure(
        line,
        low=live.slider(-0.6, 1.0, 0.02, value=0.3, label="at 3 kg"),
        high=live.slider(0.0, 1.6, 0.02, value=0.7, label="at 6 kg"),
        view=[
            live.axes(
                live.line(y=0, color="muted", width=1), live.line(y=1, color="muted", width=1),
                _shares(middle, share, counts),
                live.line(slope="slope", intercept="start"),
                live.handle(left, "low", drag=(None, "low"), label="the line at 3 kg"),
                live.handle(right, "high", drag=(None, "high"), label="the line at 6 kg"),
                xlim=(2.5, 6.5), ylim=(-0.6, 1.6), xlabel="body mass (kg)",
                ylabel="share of Gentoos"),
            "The line gives {low:.2f} at 3 kg and {high:.2f} at 6 kg.",
            "Distance from the shares: {gap:.3f}",
        ],
        title="A line through the shares",
        caption="Drag the two ends until the distance is as small as you can make it. "
        "Then read what your line gives at 3 kg and at 6 kg.",
        alt="Shares of Gentoos by body mass: 0 below 3.75 kilograms, 1 above 5, rising in between. "
        "The straight line with the smallest distance is below 0 at 3 kilograms and above 1 at 6.",
    )  # fmt: skip


def pieces_of_evidence() -> live.Figure:
    """A question about doubled odds; then the probability after k equal pieces of evidence."""
    pieces = nnlib.arange(-6, 7).double()
    fine = nnlib.linspace(-6, 6, 121, dtype=nnlib.float64)

    def chance(k: Any, factor: Any) -> Any:
        odds = (k * factor.log()).exp()
        return odds / (1 + odds)

    def after(k: Any, factor: Any) -> dict:
        current, following = chance(k, factor), chance(k + 1, factor)
        return {"P": chance(pieces, factor), "between": chance(fine, factor), "here": current,
                "odds": (k * factor.log()).exp(), "adds": following - current,
                "more": following}  # fmt: skip

    question = live.predict(
        "At odds of 1 to 1, one doubling takes the probability from 0.500 to 0.667: it adds 0.167. "
        "What does one doubling add at odds of 8 to 1?",
        name="doubling",
        choices=["0.167", "0.333", "0.052"],
        answer=2,
        explain="It adds 0.052: from 8/9 = 0.889 at odds of 8 to 1 to 16/17 = 0.941 at 16 to 1. "
        "The points lie on an S: steep at even odds, flat at both ends, where there is little left "
        "to add. Stronger evidence makes the S steeper.",
        reveal=[
            live.row(live.control("k"), live.control("factor")),
            live.axes(live.curve(fine, "between", color="muted"),
                      live.points(x=pieces, y="P", color="series0", size=4),
                      live.handle("k", "here", drag=lambda x: {"k": x.round().clamp(-6, 6)}, step=1,
                                  label="pieces of evidence"),
                      xlim=(-6.3, 6.3), ylim=(0, 1), xlabel="pieces of evidence for a Gentoo",
                      ylabel="P", height=240),
            "Odds {odds:.3g} to 1: P = {here:.3f}.",
            "One piece more makes it {more:.3f}: it adds {adds:.3f}.",
        ],
    )  # fmt: skip
    return live.figure(
        after,
        k=live.slider(-6.0, 6.0, 1.0, value=0.0, label="pieces of evidence"),
        factor=live.slider(1.2, 5.0, 0.1, value=2.0, label="each multiplies the odds by"),
        view=[question],
        title="The same evidence, again and again",
        caption="Answer first. Then move through the pieces and watch how much each of them adds. "
        "What does a stronger kind of evidence change?",
        alt="A question; once it is answered, a point for the probability after each number of "
        "pieces of evidence from minus 6 to 6. A readout gives the odds, the probability, and how "
        "much the next piece adds.",
    )


def where_it_is_steep() -> live.Figure:
    """A question about the largest slope; then the curve with its tangent, above its slope."""

    def tangent(z: Any) -> dict:
        p = nnlib.sigmoid(z)
        slope, curve = p * (1 - p), nnlib.sigmoid(_X)
        return {"p": p, "slope": slope, "curve": curve, "slopes": curve * (1 - curve)}

    question = live.predict(
        "The sigmoid climbs from 0 to 1. How large is its slope where it is steepest?",
        name="steepest",
        choices=["1/4", "1/2", "1"],
        answer=0,
        explain="It is ¼, at z = 0, so one unit of z changes P by a quarter at most. The slope is "
        "a bump: from about −3.6 to the left and 3.6 to the right it is below a tenth of that.",
        reveal=[
            live.control("z"),
            live.axes(live.curve(_X, "curve"),
                      live.segments(lambda z: z - 1.5, lambda p, slope: p - 1.5 * slope,
                                    lambda z: z + 1.5, lambda p, slope: p + 1.5 * slope,
                                    color="weight-pos"),
                      live.handle("z", "p", drag=("z", None), label="z"),
                      xlim=(-8, 8), ylim=(-0.05, 1.05), xlabel="z", ylabel="σ(z)", height=200),
            live.axes(live.curve(_X, "slopes", color="weight-pos"),
                      live.points(x="z", y="slope", color="weight-pos"),
                      xlim=(-8, 8), ylim=(0, 0.3), xlabel="z", ylabel="slope", height=150),
            "At z = {z:.1f}: σ(z) = {p:.3f}, slope {slope:.4f}.",
        ],
    )  # fmt: skip
    return live.figure(
        tangent,
        z=live.slider(-8.0, 8.0, 0.1, value=0.0, label="z"),
        view=[question],
        title="How steep?",
        caption="Answer first. Then drag the point along the curve: where does the slope fall "
        "below a tenth of its largest value?",
        alt="A question; once it is answered, the sigmoid with a tangent at a point to drag, and "
        "below it the slope at each z. A readout gives both numbers.",
    )


def twice_the_weight() -> live.Figure:
    """A question about a doubled weight; then both curves in one plot."""
    question = live.predict(
        "A neuron with w₀ = −4 and w = 1 crosses ½ at x = 4. Now w doubles and w₀ stays. "
        "Where does the crossing move?",
        name="moved",
        choices=["It stays at 4.", "To 2, halfway to 0.", "To 8, twice as far."], answer=1,
        explain="To 2, because −4 + 2x = 0 there. Twice the weight makes up for −4 in half the "
        "distance.",
        reveal=[live.control("times"),
                live.axes(live.line(y=0.5, color="muted", dash=True),
                          live.curve(_X, "first", color="muted", dash=True, label="w = 1"),
                          live.curve(_X, "P", label="now"),
                          ylim=(0, 1), xlim=(-8, 8), xlabel="x", ylabel="P", height=220),
                "w = {times:.1f}: it crosses ½ at x = {at:.2f}."],
    )  # fmt: skip
    return live.figure(
        lambda times: {"first": nnlib.sigmoid(_X - 4), "P": nnlib.sigmoid(times * _X - 4),
                       "at": 4 / times},
        times=live.slider(0.5, 4.0, 0.5, value=2.0, label="w"),
        view=[question],
        title="Twice the weight",
        caption="Answer first. Then move w and watch both the steepness and the crossing.",
        alt="A question; once it is answered, two S-shaped curves: one for w = 1, which crosses "
        "one half at 4, and one for the weight chosen, whose crossing a readout gives.",
    )  # fmt: skip


def hold_the_curve(neuron: Callable[..., dict], x: Any) -> live.Figure:
    """A neuron's curve to drag, as a probability or as log-odds."""
    return live.figure(
        neuron,
        w0=live.slider(-10.0, 10.0, 0.1, value=-2.0, label="bias w₀"),
        w=live.slider(-6.0, 6.0, 0.1, value=1.0, label="weight w"),
        log_odds=live.checkbox(False, static=False, label="log-odds"),
        view=[
            live.axes(*neuron_curve(x, "z", "w0", "w"), xlim=(-8, 8), ylim=(-0.05, 1.05),
                      xlabel="x", ylabel="P", when=lambda log_odds: ~log_odds),
            live.axes(*neuron_curve(x, "z", "w0", "w", log_odds=True, tilt=0.5), xlim=(-8, 8),
                      ylim=(-8, 8), xlabel="x", ylabel="log-odds z", when="log_odds"),
            "z = {w0:.2f} {w:+.2f} x. P crosses ½ at x = {crossing:.2f} with slope {slope:.2f}.",
        ],
        title="Take hold of the curve",
        caption="Drag the curve itself, its crossing, or the handle on its tangent. Make it cross "
        "at −2 with slope 1. Then make it fall. The switch shows the same neuron as log-odds.",
        alt="An S-shaped curve from 0 to 1. It crosses one half at minus w0 over w, and its slope "
        "there is w over 4. As log-odds it is a straight line with slope w.",
    )  # fmt: skip


def shares_by_hand(middle: Any, share: Any, counts: Any) -> live.Figure:
    """A neuron's curve to drag through the shares of Gentoos."""
    masses, shares = nnlib.tensor(middle), nnlib.tensor(share)

    def scale(w0: Any, w: Any) -> dict:
        return {"z": w0 + w * _KILOGRAMS, "crossing": -w0 / w, "odds": (w / 10).exp(),
                "bird": nnlib.sigmoid(w0 + 4.4 * w),
                "gap": _distance(nnlib.sigmoid(w0 + w * masses), shares)}  # fmt: skip

    return live.figure(
        scale,
        w0=live.slider(-60.0, 60.0, 0.1, value=-7.0, label="bias w₀"),
        w=live.slider(-12.0, 12.0, 0.1, value=2.0, label="weight w"),
        view=[
            live.axes(*neuron_curve(_KILOGRAMS, "z", "w0", "w", reach=1.2, tilt=0.3),
                      _shares(middle, share, counts),
                      xlim=(2.5, 6.5), ylim=(-0.05, 1.05), xlabel="body mass (kg)",
                      ylabel="share of Gentoos"),
            "Even odds at {crossing:.2f} kg; 100 g more multiply the odds by {odds:.2f}.",
            "Distance from the shares: {gap:.3f}. P(Gentoo) at 4.4 kg: {bird:.2f}",
        ],
        title="From a mass to a probability",
        caption="Drag the curve through the points and make the distance small. "
        "What does your curve give for the bird of 4.4 kg?",
        alt="Shares of Gentoo penguins by body mass rise from 0 below 3.75 kilograms to 1 above 5; "
        "a sigmoid that crosses one half near 4.4 kilograms follows them.",
    )  # fmt: skip


def another_island(w0: float, w: float) -> live.Figure:
    """A neuron fitted to 123 Gentoos and 151 Adelies, where Gentoos are rarer or more common."""
    at_home = nnlib.sigmoid(w0 + w * _KILOGRAMS)

    def elsewhere(gentoos: Any) -> dict:
        shift = (gentoos / 100).log() - np.log(123 / 151)
        five = nnlib.sigmoid(w0 + shift + 5 * w)
        return {"P": nnlib.sigmoid(w0 + shift + w * _KILOGRAMS), "five": five,
                "bias": w0 + shift, "even": -(w0 + shift) / w}  # fmt: skip

    return live.figure(
        elsewhere,
        gentoos=live.slider(0.1, 1000.0, value=1.0, log=True, format=".3g",
                            label="Gentoos for each 100 Adelies"),
        view=[
            live.predict(
                "At home a bird of 5 kg is a Gentoo with probability 0.975. What is the "
                "probability on the island with 100 Adelies for each Gentoo?",
                name="island",
                choices=["0.975: it weighs as much as before", "about 0.3", "about 0.9",
                         "about 0.01: one bird in a hundred"],
                answer=1,
                explain="About 0.3. The weighing multiplies the odds by the same factor as at "
                "home, but here they begin at 1 to 100.",
            ),
            live.column(
                live.control("gentoos"),
                live.axes(
                    live.curve(_KILOGRAMS, at_home, color="muted", dash=True, label="at home"),
                    live.curve(_KILOGRAMS, "P", label="on the island"),
                    live.line(x=5, color="muted", width=1),
                    live.points(x=[5.0], y="five", size=6, color="ink", label="the bird of 5 kg"),
                    xlim=(2.5, 6.5), ylim=(0, 1), xlabel="body mass (kg)", ylabel="P(Gentoo)"),
                "A bird of 5 kg is a Gentoo with probability {five:.3f}. The bias is {bias:.2f}, "
                "and the odds are even at {even:.2f} kg.",
                when="island_committed",
            ),
        ],
        title="Another island",
        caption="Commit, then change how many Gentoos live on the island. What does that do to the "
        "curve, and what does it leave unchanged?",
        alt="A question. Once it is answered: the curve at home, the curve on an island with a "
        "share of Gentoos to choose, and the bird of 5 kilograms on it.",
    )  # fmt: skip


def three_forms(forms: Callable[[Any], Sequence[Any]]) -> live.Figure:
    """A question about overflow; then value and slope of three ways to write the sigmoid."""

    def table(z: Any) -> dict:
        leaf = z.detach().requires_grad_()
        rows = [[p, nnlib.autograd.grad(p, leaf)[0]] for p in forms(leaf)]
        return {"table": nnlib.stack([nnlib.stack(row) for row in rows])}

    question = live.predict(
        "On paper σ(1000) is 1, up to a tiny difference. What does a computer get for "
        "eᶻ / (1 + eᶻ) at z = 1000?",
        name="overflow", choices=["1", "0", "inf", "nan: not a number"], answer=3,
        explain="It is nan: numerator and denominator are both inf, and inf / inf has no value. At "
        "−1000 the slope of the second form is nan; the stable form gives value and slope "
        "everywhere.",
        reveal=[live.control("z"),
                live.matrix("table", format=".3g", pixel=72, column_labels=["value", "slope"],
                            row_labels=["eᶻ / (1 + eᶻ)", "1 / (1 + e⁻ᶻ)", "stable"])],
    )  # fmt: skip
    return live.figure(
        table,
        z=live.slider(-1000.0, 1000.0, 10.0, value=1000.0),
        view=[question],
        title="Three ways to write one function",
        caption="Answer first. Then move z to both ends: which form keeps its value, which its "
        "slope?",
        alt="A question; once it is answered, a table with the value and the slope of three forms "
        "of the sigmoid at the z chosen.",
    )


def neuron_curve(
    x: Any,
    z: str,
    w0: str,
    w: str,
    *,
    log_odds: bool = False,
    reach: float = 3.0,
    tilt: float = 6.0,
) -> list[Any]:
    """Marks for axes: σ(w₀ + w x) with its tangent at ½ and two handles; or its log-odds, a line.

    The curve can be dragged anywhere (w₀ changes); one handle moves the crossing (−w₀/w), the other
    turns the tangent about it (slope w/4; w in log-odds).

    Args:
        x: the curve's positions.
        z: the name of the output w₀ + w x.
        w0, w: names of the two scalar inputs.
        log_odds: draw z in place of σ(z).
        reach: the distance, in units of x, of the turning handle from the crossing of a flat curve.
        tilt: how much nearer it comes as the curve steepens, so that it stays inside the axes.
    """
    half, share = (0.0, 1.0) if log_odds else (0.5, 0.25)

    def crossing(env: dict) -> Any:
        return -env[w0] / env[w]

    def ahead(env: dict) -> Any:
        return reach / (1 + tilt * env[w] * env[w]).sqrt()

    def tangent(side: float) -> tuple:
        """The tangent's point on one side of the crossing: x and y as functions for marks."""
        return (
            lambda **env: crossing(env) + side * ahead(env),
            lambda **env: half + side * share * env[w] * ahead(env),
        )

    def slide(x: Any, y: Any, **env: Any) -> dict:
        p = y.clamp(min=0.01, max=0.99)
        level = y if log_odds else (p / (1 - p)).log()
        return {w0: level - env[w] * x}

    def shift(x: Any, y: Any, **env: Any) -> dict:
        return {w0: -env[w] * x}

    def turn(x: Any, y: Any, **env: Any) -> dict:
        run = (x - crossing(env)).clamp(min=0.02 * reach)
        steep = (y - half) / share / run
        new = nnlib.where(steep.abs() < FLAT, FLAT, steep)
        return {w0: -new * crossing(env), w: new}

    value = z if log_odds else (lambda **env: nnlib.sigmoid(env[z]))
    pieces = [] if log_odds else [live.segments(*tangent(-1), *tangent(1), color="weight-pos")]
    return [
        live.line(y=half, color="muted", dash=True, width=1),
        live.curve(x, value, drag=slide),
        *pieces,
        live.handle(lambda **env: crossing(env), half, drag=shift, label="crossing"),
        live.handle(*tangent(1), drag=turn, color="weight-pos", label="steepness"),
    ]

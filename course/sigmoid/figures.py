"""A neuron's curve over one input, as marks with handles: where it crosses ½, how steep it is."""

from __future__ import annotations

from typing import Any

import nnlib
from nnlib import live

FLAT = 0.02  # no drag makes the curve flatter: a flat one has no crossing to hold


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

    The curve is taken hold of anywhere (w₀ follows); one handle moves the crossing (−w₀/w), one
    turns the tangent about it (slope w/4; w in log-odds).

    Args:
        x: the curve's positions.
        z: the name of the output w₀ + w x.
        w0, w: names of the two scalar inputs.
        log_odds: draw z in place of σ(z).
        reach: how far, in units of x, the turning handle stands from the crossing of a flat curve.
        tilt: how much nearer it comes as the curve steepens, so that it stays in the picture.
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

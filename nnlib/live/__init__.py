"""Interactive figures, made in Python, that need no kernel.

A figure is a Python function written with nnlib, controls for its arguments, and a view of its
results.  The function is recorded once; the page replays the recording.

    live.figure(
        lambda w0, w: {"z": z, "p": nnlib.sigmoid(w0 + w * z)},
        w0=(-5.0, 5.0, 0.1),
        w=(-5.0, 5.0, 0.1),
        view=[live.axes(live.curve("z", "p")), "p(0) = {p[50]:.2f}"],
        title="The sigmoid", caption="Move w.", alt="…",
    )
"""

from nnlib.live.asking import predict, question
from nnlib.live.controls import (
    Control,
    checkbox,
    dropdown,
    number,
    paint,
    shared,
    slider,
    stepper,
    text,
    values,
)
from nnlib.live.dags import dag_states
from nnlib.live.marks import (
    area,
    arrows,
    bars,
    contour,
    curve,
    decision_line,
    grid,
    handle,
    heat,
    label,
    line,
    path,
    points,
    segments,
)
from nnlib.live.networks import dag, edge, network, neuron
from nnlib.live.parts import Part
from nnlib.live.saving import page
from nnlib.live.training_plan import Training, normal, training, uniform
from nnlib.live.views import (
    axes,
    button,
    column,
    control,
    formula,
    images,
    loss_curve,
    matrix,
    meter,
    presets,
    readout,
    row,
    sequence,
    toggles,
    training_controls,
)
from nnlib.live.widget import Figure, figure, quiz

__all__ = [
    "Control", "Figure", "Part", "Training", "area", "arrows", "axes", "bars", "button",
    "checkbox", "column", "contour", "control", "curve", "dag", "dag_states", "decision_line",
    "dropdown", "edge", "figure", "formula", "grid", "handle", "heat", "images", "label",
    "line", "loss_curve", "matrix", "meter", "network", "neuron", "normal", "number", "page",
    "paint", "path", "points", "predict", "presets", "question", "quiz", "readout", "row",
    "segments", "sequence", "shared", "slider", "stepper", "text", "toggles", "training",
    "training_controls", "uniform", "values",
]  # fmt: skip

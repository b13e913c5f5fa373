"""Views: axes and everything else that a figure can show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nnlib.live.marks import Ref, curve
from nnlib.live.mathml import formula_tree
from nnlib.live.parts import Drag, Part, data, names, text


def axes(
    *marks: Any,
    xlabel: str | None = None,
    ylabel: str | None = None,
    xlim: Sequence[float] | None = None,
    ylim: Sequence[float] | None = None,
    xscale: str = "linear",
    yscale: str = "linear",
    title: str | None = None,
    width: int = 420,
    height: int = 300,
    equal: bool = False,
    frame: bool = True,
    legend: bool = True,
    pointer: Any = None,
    when: Ref = None,
) -> Part:
    """A rectangle with an x and a y axis for marks, each of which is drawn over those before it.

    Without `xlim` or `ylim` the limits fit the initial values, and grow if later values lie outside
    them.  `xscale`, `yscale`: "linear" or "log".  `equal` gives x and y the same unit.
    `frame=False` hides the axes.  `pointer` (like a handle's `drag`) sets inputs when the reader
    clicks or drags anywhere in the axes.  Raises TypeError for an item that is not a mark.

    >>> from nnlib import live
    >>> view = live.axes(live.curve([0.0, 1.0], "ends"), xlabel="x", ylabel="y", ylim=(0, 4))
    >>> live.figure(ends=live.values([1.0, 3.0]), view=view, title="Two ends")
    Figure('Two ends')
    """
    flat = [m for mark in marks for m in (mark if isinstance(mark, list | tuple) else [mark])]
    for mark in flat:
        if not isinstance(mark, Part):
            raise TypeError(f"axes take marks (curve, points, …), not {mark!r}.")
    fields = {"marks": flat, "xlabel": xlabel, "ylabel": ylabel, "title": title}
    limits = {"xlim": list(xlim) if xlim else None, "ylim": list(ylim) if ylim else None}
    scales = {"xscale": xscale, "yscale": yscale, "width": width, "height": height}
    switches = {"equal": equal, "frame": frame, "legend": legend, "when": data(when)}
    return Part(
        "axes",
        fields | limits | scales | switches | {"pointer": Drag(pointer) if pointer else None},
    )


def row(*items: Any) -> Part:
    """Views side by side (one below the other if the page is narrow).

    >>> from nnlib import live
    >>> view = live.row(live.readout("a = {a:.1f}"), live.readout("2a = {b:.1f}"))
    >>> live.figure(lambda a: {"b": 2 * a}, a=(0.0, 1.0), view=view, title="Side by side")
    Figure('Side by side')
    """
    return Part("row", {"items": [as_view(i) for i in items]})


def column(*items: Any, when: Ref = None) -> Part:
    """Views one below the other; `when` shows them only while it is not 0.

    >>> from nnlib import live
    >>> more = live.column(live.readout("its square is {b:.1f}"), when="show")
    >>> view = ["a = {a:.1f}", more]
    >>> show = live.checkbox(False, static=False)
    >>> live.figure(lambda a: {"b": a * a}, a=1.0, show=show, view=view, title="On demand")
    Figure('On demand')
    """
    return Part("column", {"items": [as_view(i) for i in items], "when": data(when)})


def as_view(item: Any) -> Part:
    """A view as it is, text as a readout, a list as a row."""
    if isinstance(item, Part):
        return item
    if isinstance(item, str):
        return readout(item)
    if isinstance(item, list | tuple):
        return row(*item)
    raise TypeError(f"a view is axes, a readout, …, not {item!r} ({type(item).__name__}).")


def readout(template: str, *, size: str = "normal", when: Ref = None) -> Part:
    """A line of text with live numbers in Python's format language: `"p = {p:.2f}"`.

    Screen readers announce changes.  Use `size="large"` for the most important number.

    >>> from nnlib import live
    >>> view = live.readout("p = {p:.2f}")
    >>> live.figure(lambda z: {"p": z.sigmoid()}, z=(-6.0, 6.0), view=view, title="Probability")
    Figure('Probability')
    """
    return Part("readout", {"text": text(template), "size": size, "when": data(when)})


def meter(
    label: str,
    value: Ref,
    *,
    min: float = 0.0,
    max: float = 1.0,
    format: str = ".2f",
    color: str = "series0",
    when: Ref = None,
) -> Part:
    """A bar between min and max with its number beside it.

    >>> from nnlib import live
    >>> view = live.meter("probability", "p")
    >>> live.figure(lambda z: {"p": z.sigmoid()}, z=(-6.0, 6.0), view=view, title="Probability")
    Figure('Probability')
    """
    fields = {"label": label, "value": data(value), "min": min, "max": max, "format": format}
    return Part("meter", fields | {"color": color, "when": data(when)})


def control(*names: str) -> Part:
    """Puts the controls of these inputs at this position of the view, not at the figure's top.

    >>> from nnlib import live
    >>> view = [live.row(live.control("a"), live.readout("a = {a:.1f}"))]
    >>> live.figure(a=(0.0, 1.0), view=view, title="The slider beside its number")
    Figure('The slider beside its number')
    """
    return Part("control", {"names": list(names)})


def images(
    values: Ref,
    *,
    columns: int | None = None,
    colors: str = "gray",
    range: Sequence[float] | None = None,
    labels: Sequence[str] | None = None,
    title: str | None = None,
    pixel: float | None = None,
    annotate: str | None = None,
    row_labels: Sequence[str] | str | None = None,
    column_labels: Sequence[str] | str | None = None,
    window: Ref = None,
    select: str | None = None,
    pick: Any = None,
    when: Ref = None,
) -> Part:
    """Images: values of shape (h, w), (n, h, w) or (n, c, h, w) (channels are images too).

    The colour scale covers `range`, or each image's own values.  `labels` are the images' names;
    `pixel` is a pixel's size on screen; `annotate=".1f"` writes the numbers into the pixels.
    `window` = (row, column, height, width) draws a frame, such as a neuron's receptive field.
    `select="k"` sets k to the index of the image clicked; `pick=("r", "c")` sets inputs to the row
    and column of the pixel under the pointer.  `row_labels` and `column_labels` are a list, or the
    name of a text input whose letters are the labels.

    >>> import nnlib
    >>> from nnlib import live
    >>> three = nnlib.rand(3, 8, 8)
    >>> view = live.images("scaled")
    >>> live.figure(lambda k: {"scaled": k * three}, k=(0.0, 1.0), view=view, title="Three images")
    Figure('Three images')
    """
    style = {"columns": columns, "colors": colors, "range": list(range) if range else None}
    texts: dict[str, Any] = {
        "labels": names(labels),
        "title": title,
        "pixel": pixel,
        "annotate": annotate,
    }
    row_names = row_labels if isinstance(row_labels, str) else names(row_labels)
    column_names = column_labels if isinstance(column_labels, str) else names(column_labels)
    texts |= {"row_labels": row_names, "column_labels": column_names}
    clicks = {"select": select, "pick": [data(p) for p in pick] if pick else None}
    fields = {"values": data(values)} | style | texts | {"window": data(window)} | clicks
    return Part("images", fields | {"when": data(when)})


def matrix(values: Ref, *, format: str = ".2f", **options: Any) -> Part:
    """A matrix coloured by value: `images` with the numbers written into the cells.

    >>> from nnlib import live
    >>> view = live.matrix("W")
    >>> live.figure(W=live.values([[1.0, -0.5], [0.0, 2.0]]), view=view, title="A matrix")
    Figure('A matrix')
    """
    style: dict[str, Any] = {"colors": "diverging", "pixel": 40, "annotate": format} | options
    return images(values, **style)


def formula(latex: str, *, when: Ref = None) -> Part:
    """A formula with live numbers: `r"p = \\sigma({w0:.2f} + {w:.2f}\\,x)"`.

    A slot is `{name:format}` with its colon; other braces are LaTeX's.

    >>> from nnlib import live
    >>> view = live.formula(r"\\sigma({z:.1f}) = {p:.2f}")
    >>> live.figure(lambda z: {"p": z.sigmoid()}, z=(-6.0, 6.0), view=view, title="A formula")
    Figure('A formula')
    """
    return Part("formula", {"tree": formula_tree(latex), "when": data(when)})


def button(label: str, set: Mapping[str, Ref], *, when: Ref = None) -> Part:
    """A button that sets inputs: to numbers, or to outputs (`set={"w": "w_next"}` takes a step).

    >>> from nnlib import live
    >>> view = [live.button("Step", set={"w": "w_next"}), "w = {w:.2f}"]
    >>> w = live.values(8.0)
    >>> live.figure(lambda w: {"w_next": w / 2}, w=w, view=view, title="Halve").outputs(w=4.0)
    {'w_next': array(2., dtype=float32)}
    """
    fields = {"label": label, "set": {k: data(v) for k, v in set.items()}}
    return Part("button", fields | {"when": data(when)})


def toggles(labels: Sequence[str], toggle: str, *, when: Ref = None) -> Part:
    """A row of switches, one for each entry of the input `toggle`; labels may contain live numbers.

    >>> from nnlib import live
    >>> view = [live.toggles(["first", "second"], "on"), "{n:.0f} on"]
    >>> count = live.figure(lambda on: {"n": on.sum()}, on=live.values([1.0, 0.0]), view=view)
    >>> count.outputs()
    {'n': array(1., dtype=float32)}
    """
    fields = {"labels": [text(words) for words in labels], "toggle": toggle}
    return Part("toggles", fields | {"when": data(when)})


def presets(options: Mapping[str, Mapping[str, Ref]]) -> Part:
    """A row of buttons, each of which sets several inputs.

    >>> from nnlib import live
    >>> view = [live.presets({"small": {"w": 0.1}, "large": {"w": 5.0}}), "w = {w:.1f}"]
    >>> live.figure(w=(0.0, 5.0), view=view, title="Two weights to try")
    Figure('Two weights to try')
    """
    return Part("row", {"items": [button(k, v) for k, v in options.items()]})


def sequence(
    word: str,
    *,
    states: Ref = None,
    outputs: Ref = None,
    output_labels: Sequence[str] | None = None,
    unrolled: Ref = 1,
    cell: str = "NN2",
    head: str = "NN3",
    changes: Ref = None,
    select: str | None = None,
    when: Ref = None,
) -> Part:
    """A recurrent network over a text input `word`, as one cell or unrolled.

    If `unrolled` is not 0, a copy of the cell is drawn for each letter.  `states` (T, h) are drawn
    in each copy, `outputs` (T, k) as bars above it, and `changes` (T), how much each state has
    changed, as numbers below it.  `select="t"` sets t to the position clicked.

    >>> import nnlib
    >>> from nnlib import live
    >>> def states(word, word_length):
    ...     return {"h": nnlib.cumsum(word.float(), 0).unsqueeze(1) / 100}
    >>> view = live.sequence("word", states="h")
    >>> live.figure(states, word=live.text("ada", max_length=5), view=view, title="Read a word")
    Figure('Read a word')
    """
    fields: dict[str, Any] = {
        "word": word,
        "states": data(states),
        "outputs": data(outputs),
        "cell": cell,
    }
    fields |= {"output_labels": names(output_labels), "unrolled": data(unrolled), "head": head}
    fields |= {"changes": data(changes), "select": select, "when": data(when)}
    return Part("sequence", fields)


def loss_curve(*, xlabel: str = "step", ylabel: str = "loss", **options: Any) -> Part:
    """Axes with the curve of the training's loss so far.

    >>> from nnlib import live
    >>> def step(w):
    ...     return {"w": 0.5 * w, "loss": w * w}
    >>> descent = live.training(step, {"w": 1.0})
    >>> live.figure(training=descent, view=live.loss_curve(), title="Descent")
    Figure('Descent')
    """
    options = {"height": 180} | options
    marks = [curve("history_step", "history_loss", color="gradient")]
    return axes(*marks, xlabel=xlabel, ylabel=ylabel, **options)


def training_controls() -> Part:
    """Puts the training's controls (play, step, rewind, seed, speed) at this position of the view.

    Without it, they are below the controls of the inputs.

    >>> from nnlib import live
    >>> def step(w):
    ...     return {"w": 0.5 * w, "loss": w * w}
    >>> view = [live.training_controls(), "w = {w:.2f}"]
    >>> live.figure(training=live.training(step, {"w": 1.0}), view=view, title="Descent")
    Figure('Descent')
    """
    return Part("training")

"""Inputs of a figure and the controls that set them, with ipywidgets.interact's abbreviations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nnlib.live.parts import array

LATIN = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Control:
    """An input: how it is set, its initial value, and how it is passed to the function.

    `static` inputs (such as a choice of activation or depth) are passed as Python values: the
    function is traced once for each value.  All other inputs are passed as tensors.

    >>> from nnlib import live
    >>> control = live.slider(0.0, 1.0, 0.1, value=0.5, label="weight")
    >>> control.kind, control.value, control.label
    ('slider', 0.5, 'weight')
    """

    kind: str
    value: Any
    options: dict[str, Any] = field(default_factory=dict)
    static: bool = False
    share: str | None = None
    label: str | None = None


def slider(
    min: float,
    max: float,
    step: float | None = None,
    value: float | None = None,
    *,
    label: str | None = None,
    format: str | None = None,
    share: str | None = None,
    log: bool = False,
) -> Control:
    """A number between `min` and `max`; `log=True` makes the slider logarithmic.

    If all numbers are integers, so is the input (int64), as in `interact`.  Raises ValueError for
    invalid bounds and for a value outside them.

    >>> from nnlib import live
    >>> rate = live.slider(0.001, 10.0, value=0.1, log=True)
    >>> live.figure(lambda rate: {"double": 2 * rate}, rate=rate, view=["{double:.3f}"]).outputs()
    {'double': array(0.2, dtype=float32)}
    """
    all_integers = all(isinstance(v, int | np.integer) for v in (min, max, step or 1, value or 0))
    if not min < max:
        raise ValueError(f"a slider needs min < max, but was given {min} and {max}.")
    if log and min <= 0:
        raise ValueError(f"a logarithmic slider needs min > 0, but was given {min}.")
    if value is None:
        value = (min * max) ** 0.5 if log else min + (max - min) / 2
        if not log and step:
            value = min + round((value - min) / step) * step
        value = int(value) if all_integers and not log else float(f"{value:.12g}")
    if not min <= value <= max:
        raise ValueError(f"the slider's value {value} is outside {min} … {max}.")
    step = step or (1 if all_integers else (max - min) / 100)
    options = {"min": min, "max": max, "step": step, "format": format, "log": log or None}
    if all_integers and not log:
        return Control("slider", int(value), options, False, share, label)
    return Control("slider", float(value), options, False, share, label)


def number(
    value: float = 0.0,
    *,
    min: float | None = None,
    max: float | None = None,
    step: float = 0.1,
    label: str | None = None,
    share: str | None = None,
) -> Control:
    """A box in which the reader types a number.

    >>> from nnlib import live
    >>> live.figure(lambda x: {"y": x * x}, x=live.number(3.0), view=["{y:.0f}"]).outputs()
    {'y': array(9., dtype=float32)}
    """
    options = {"min": min, "max": max, "step": step}
    return Control("number", value, options, False, share, label)


def checkbox(
    value: bool = False, *, static: bool = True, label: str | None = None, share: str | None = None
) -> Control:
    """A switch.  The function gets a Python bool (`if flag:` works); with `static=False`, a tensor.

    >>> import nnlib
    >>> from nnlib import live
    >>> def answer(z, log_odds):
    ...     return {"y": z if log_odds else nnlib.sigmoid(z)}
    >>> controls = {"z": (-6.0, 6.0), "log_odds": live.checkbox(False)}
    >>> live.figure(answer, **controls, view=["{y:.2f}"]).outputs(z=0.0, log_odds=False)
    {'y': array(0.5, dtype=float32)}
    """
    return Control("checkbox", bool(value), {}, static, share, label)


def dropdown(
    options: Sequence | Mapping,
    value: Any = None,
    *,
    static: bool | None = None,
    buttons: bool = False,
    label: str | None = None,
    share: str | None = None,
) -> Control:
    """One of several values, from a list or a dict of label → value; `buttons=True` shows all.

    Numbers and arrays are passed as tensors (arrays must have the same shape).  Anything else
    (strings, functions, classes), and everything with `static=True`, is passed as it is: the
    function is traced for each option.  Raises ValueError if there are no options, for a value
    that is not one of them, and for arrays of different shapes.

    >>> from nnlib import live
    >>> def answer(z, g):
    ...     return {"a": getattr(z, g)()}
    >>> controls = {"z": (-2.0, 2.0), "g": live.dropdown(["relu", "tanh"], buttons=True)}
    >>> live.figure(answer, **controls, view=["{a:.2f}"]).outputs(z=-1.0, g="relu")
    {'a': array(0., dtype=float32)}
    """
    pairs = (
        list(options.items()) if isinstance(options, Mapping) else [(str(o), o) for o in options]
    )
    if not pairs:
        raise ValueError("a dropdown needs at least one option.")
    labels = [str(k) for k, _ in pairs]
    values = [v for _, v in pairs]
    dynamic = all(
        isinstance(v, int | float | np.generic | np.ndarray | list) or hasattr(v, "numpy")
        for v in values
    ) and not any(isinstance(v, bool) for v in values)
    chosen = 0
    if value is not None:
        matches = [i for i, v in enumerate(values) if v is value or (str(labels[i]) == str(value))]
        if not matches:
            raise ValueError(f"{value!r} is not one of the options {labels}.")
        chosen = matches[0]
    if static is None:
        static = not dynamic
    if not static:
        values = [array(v) for v in values]
        if len({v.shape for v in values}) > 1:
            raise ValueError(
                f"the options' shapes differ ({', '.join(str(v.shape) for v in values)}): "
                "a recorded graph has one shape. With static=True, each option has its own graph."
            )
    settings = {"labels": labels, "values": values, "buttons": buttons or None}
    return Control("dropdown", chosen, settings, static, share, label)


def text(
    value: str = "",
    alphabet: str = LATIN,
    max_length: int = 12,
    *,
    label: str | None = None,
    share: str | None = None,
) -> Control:
    """A box in which the reader types a word.

    The function gets int64 codes of shape (max_length,): the letters' positions in `alphabet`,
    padded with `len(alphabet)`.  If it has a parameter `NAME_length`, it also gets the word's
    length.  Raises ValueError for a word that is too long or has characters that are not in the
    alphabet.

    >>> from nnlib import live
    >>> def count(word, word_length):
    ...     return {"first": word[0], "n": word_length}
    >>> figure = live.figure(count, word=live.text("ada", max_length=5), view=["{n:d}"])
    >>> {name: value.item() for name, value in figure.outputs().items()}
    {'first': 0, 'n': 3}
    """
    unknown = sorted(set(value) - set(alphabet))
    if unknown:
        raise ValueError(f"{value!r} contains {unknown}, which the alphabet {alphabet!r} lacks.")
    if len(value) > max_length:
        raise ValueError(f"{value!r} is longer than max_length={max_length}.")
    return Control("text", value, {"alphabet": alphabet, "length": max_length}, False, share, label)


def paint(
    shape: tuple[int, int] = (28, 28),
    value: Any = None,
    *,
    range: tuple[float, float] = (0.0, 1.0),
    brush: float = 1.0,
    colors: str = "gray",
    annotate: str | None = None,
    label: str | None = None,
    share: str | None = None,
) -> Control:
    """A grid of numbers to paint on: an image, or a kernel (`range=(-1, 1), colors="diverging"`).

    `brush` is the brush's radius in pixels (0: one pixel); `annotate=".1f"` writes the numbers into
    the pixels.  Raises ValueError if `value` has another shape.

    >>> import nnlib
    >>> from nnlib import live
    >>> pad = live.paint((8, 8), value=nnlib.zeros(8, 8))
    >>> live.figure(lambda image: {"ink": image.sum()}, image=pad, view=["{ink:.1f}"]).outputs()
    {'ink': array(0., dtype=float32)}
    """
    start = np.zeros(shape) if value is None else array(value).astype(float)
    if start.shape != tuple(shape):
        raise ValueError(f"paint's shape is {tuple(shape)}, but its value has {start.shape}.")
    options = {"range": list(range), "brush": brush, "colors": colors, "annotate": annotate}
    return Control("paint", start, options, False, share, label)


def values(
    value: Any,
    *,
    min: float | None = None,
    max: float | None = None,
    step: float | None = None,
    share: str | None = None,
    label: str | None = None,
) -> Control:
    """An input without a slider, box or menu: drags, clicks, edges, buttons or training set it.

    A tensor, an array or a nested list as a figure's argument is short for `live.values(…)`.

    >>> from nnlib import live
    >>> p = live.values([1.0, 2.0], label="the point")
    >>> view = live.axes(live.handle("p[0]", "p[1]", drag="p"), xlim=(0, 3), ylim=(0, 3))
    >>> live.figure(p=p, view=view, title="Drag the point")
    Figure('Drag the point')
    """
    options = {"min": min, "max": max, "step": step}
    return Control("array", array(value), options, False, share, label)


def stepper(
    states: int | Sequence[str],
    value: int = 0,
    *,
    interval: float = 0.8,
    label: str | None = None,
    share: str | None = None,
) -> Control:
    """Steps through states 0, 1, …, with buttons for first, back, play and forward.

    `states` is their number or a list of their names.  The function gets the state's index as an
    int64 tensor.  While the stepper plays, each state is shown for `interval` seconds.  Raises
    ValueError if `value` is not one of the states.

    >>> from nnlib import live
    >>> t = live.stepper(["start", "forward", "backward"])
    >>> live.figure(lambda t: {"state": t}, t=t, view=["{state:d}"]).outputs(t=2)["state"].item()
    2
    """
    names = None if isinstance(states, int) else [str(s) for s in states]
    count = states if isinstance(states, int) else len(states)
    if not 0 <= value < count:
        raise ValueError(f"state {value} is outside 0 … {count - 1}.")
    options = {"min": 0, "max": count - 1, "step": 1, "names": names, "interval": interval}
    return Control("stepper", int(value), options, False, share, label)


def shared(name: str, control: Any) -> Control:
    """The same input in several figures of a page: give it the same shared name in each.

    >>> from nnlib import live
    >>> w = live.shared("w", (-5.0, 5.0))
    >>> live.figure(lambda w: {"z": 2 * w}, w=w, view=["{z:.1f}"]).outputs(w=1.5)
    {'z': array(3., dtype=float32)}
    """
    return replace(as_control(control, name), share=name)


def as_control(value: Any, name: str) -> Control:
    """The control for an abbreviation of `interact`'s ((lo, hi), a list, a bool, …) or an array."""
    if isinstance(value, Control):
        return value
    if isinstance(value, bool):
        return checkbox(value)
    if isinstance(value, tuple):
        if len(value) in (2, 3) and all(isinstance(v, int | float | np.number) for v in value):
            return slider(*value)
        raise ValueError(
            f"the tuple for {name!r} must be (min, max) or (min, max, step), but is {value!r}. "
            "A list makes a dropdown."
        )
    if isinstance(value, int | float):
        low, high = (0, 1) if value == 0 else sorted((-value, 3 * value))
        return slider(low, high, value=value)
    if isinstance(value, np.ndarray) or hasattr(value, "numpy"):
        return values(value)
    if isinstance(value, Mapping):
        return dropdown(value)
    if isinstance(value, list):
        nested = any(isinstance(v, list) for v in value)
        return values(np.asarray(value, float)) if nested else dropdown(value)
    if isinstance(value, str):
        raise TypeError(
            f"{name}={value!r}: for a word write live.text({value!r}, alphabet=…), "
            "for a choice a list of strings."
        )
    raise TypeError(f"no control fits {name}={value!r} ({type(value).__name__}).")

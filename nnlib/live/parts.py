"""The elements of figures: parts, and the data that parts refer to.

A *part* (a curve, a set of axes, a readout) is a kind and its fields.  A field that holds numbers
may be given as

- the name of an input or of an output of the figure's function, optionally with an index:
  `"p"`, `"W1[1,0]"`, `"X[:,0]"`;
- numbers: anything that NumPy turns into an array;
- a function of inputs and outputs by their names, `lambda p: 1 - p`, which is traced too.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import numpy as np

MAX_NUMBERS = 400_000  # in one figure's constants

_REFERENCE = re.compile(r"^([^\W\d]\w*)(?:\[([-\d,:\s]+)\])?$")
# A live number in a text: {name}, {name[index]} or {name:format}.
SLOT = re.compile(r"\{([^\W\d]\w*(?:\[[-\d,:\s]+\])?)(:[^{}]*)?\}")


@dataclass(frozen=True)
class Part:
    """One element of a figure's view: its kind and its fields, still as the author wrote them.

    >>> from nnlib import live
    >>> part = live.readout("p = {p:.2f}")
    >>> part, part.kind
    (<readout>, 'readout')
    """

    kind: str
    fields: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<{self.kind}>"


@dataclass(frozen=True)
class Data:
    """A field that holds numbers: a name, numbers or a function."""

    source: Any


@dataclass(frozen=True)
class Text:
    """A field that holds text with `{name:format}` slots."""

    template: str


@dataclass(frozen=True)
class Drag:
    """The inputs that a handle's position sets: their names, or a function of x, y and inputs."""

    target: Any


def data(source: Any) -> Data | None:
    """Marks a field as numbers; None stays None (the field is left out)."""
    return None if source is None else Data(source)


def text(template: str | None) -> Text | None:
    """Marks a field as a template."""
    return None if template is None else Text(str(template))


def names(labels: Iterable[Any] | None) -> list[str] | None:
    """Labels as strings; they may be given as numbers, such as the digits 0 to 9."""
    return None if labels is None else [str(label) for label in labels]


def without_numpy(value: Any) -> Any:
    """Converts NumPy's numbers, also in lists, to Python's, which can be written as JSON."""
    if isinstance(value, list | tuple):
        return [without_numpy(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def array(source: Any) -> np.ndarray:
    """A tensor, a list or a number as a NumPy array."""
    if hasattr(source, "detach"):
        source = source.detach()
    if hasattr(source, "numpy"):
        source = source.numpy()
    return np.asarray(source)


def numbers(source: Any) -> list:
    """A flat list for JSON: integers as they are, floats as the shortest text of their float32."""
    values = array(source)
    if values.dtype == bool:
        values = values.astype(int)
    if values.dtype.kind in "iu":
        return values.ravel().tolist()
    if values.dtype.kind != "f":
        raise TypeError(f"numbers are needed here, but this is {values.dtype}: {source!r:.60}")
    return [_json_float(v) for v in values.ravel()]


def _json_float(value: Any) -> float | str:
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return float(value) if value.dtype == np.float64 else float(str(np.float32(value)))


def parse_reference(source: str) -> tuple[str, list[int | None] | None]:
    """Splits `"W[1,0]"` into its name and its index (None for `:`)."""
    match = _REFERENCE.match(source.strip())
    if not match:
        raise ValueError(
            f"{source!r} is not a reference: write a name (`p`), or a name with an index "
            "(`W[1,0]`, `X[:,0]`)."
        )
    name, index = match.groups()
    if index is None:
        return name, None
    positions = [None if entry.strip() == ":" else int(entry) for entry in index.split(",")]
    return name, positions


class PartWriter:
    """Turns parts into JSON, and collects the functions that have to be traced for them."""

    def __init__(self, known: Callable[[], Mapping[str, Any]], settable: Sequence[str] = ()):
        self.known = known  # names that may be referred to → their initial values
        self.settable = list(settable)  # inputs
        self.derived: dict[str, Callable] = {}
        self.drags: list[Callable] = []
        self.count = 0

    def part(self, part: Any) -> Any:
        """The JSON of a part, a field, or a list of them."""
        if isinstance(part, Part):
            self.check_inputs(part)
            fields = {k: self.part(v) for k, v in part.fields.items() if v is not None}
            return {"kind": part.kind, **fields}
        if isinstance(part, Data):
            return self.data(part.source)
        if isinstance(part, Text):
            return self.text(part.template)
        if isinstance(part, Drag):
            return self.drag(part.target)
        if isinstance(part, Mapping):
            return {str(k): self.part(v) for k, v in part.items() if v is not None}
        if isinstance(part, list | tuple):
            return [self.part(item) for item in part]
        if isinstance(part, str | bool | int | float) or part is None:
            return part
        if isinstance(part, np.generic):
            return part.item()
        raise TypeError(f"a figure cannot show {part!r} ({type(part).__name__}).")

    def data(self, source: Any) -> dict:
        """A reference, or numbers with their shape."""
        if isinstance(source, str):
            name, index = parse_reference(source)
            self.check(name)
            return {"ref": name} if index is None else {"ref": name, "at": index}
        if callable(source) and not hasattr(source, "shape"):
            name = f"_{len(self.derived)}"
            self.derived[name] = source
            return {"ref": name}
        values = array(source)
        self.count += values.size
        if self.count > MAX_NUMBERS:
            raise ValueError(
                f"this figure would contain more than {MAX_NUMBERS} numbers: show a sample of them."
            )
        if values.dtype.kind == "f":
            values = values.astype(np.float32)  # only drawn, so seven digits are enough
        return {"shape": list(values.shape), "data": numbers(values)}

    def check(self, name: str) -> None:
        """Raises ValueError for a name that is neither an input nor an output."""
        known = self.known()
        if name not in known:
            close = get_close_matches(name, known, 1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise ValueError(
                f"the figure shows {name!r}, but its inputs and outputs are "
                f"{', '.join(sorted(known)) or '(none)'}.{hint}"
            )

    def check_inputs(self, part: Part) -> None:
        """Raises ValueError if a click, a step or a button names something that is not an input."""
        references = [
            (k, part.fields.get(k))
            for k in ("select", "toggle", "order", "hover", "step", "word", "input")
        ]
        references += [("set", k) for k in part.fields.get("set") or ()]
        references += [("control", k) for k in part.fields.get("names") or ()]
        for field_name, name in references:
            if isinstance(name, str) and name not in self.settable:
                close = get_close_matches(name, self.settable, 1)
                hint = f" Did you mean {close[0]!r}?" if close else ""
                raise ValueError(
                    f"{part.kind}({field_name}=…) names {name!r}, which is not an input; inputs "
                    f"are {', '.join(self.settable) or '(none)'}.{hint} An input that nothing else "
                    f"sets is written {name}=live.values(0)."
                )

    def text(self, template: str) -> list:
        """`"p = {p:.2f}"` as a list of strings and `{"ref": "p", "format": ".2f"}`."""
        pieces: list = []
        end = 0
        for match in SLOT.finditer(template):
            if match.start() > end:
                pieces.append(template[end : match.start()])
            pieces.append({**self.data(match[1]), "format": (match[2] or ":")[1:]})
            end = match.end()
        if end < len(template):
            pieces.append(template[end:])
        return pieces

    def drag(self, target: Any) -> dict:
        """A drag's target in JSON: `{"x": reference, "y": reference}`, or `{"program": number}`."""
        if isinstance(target, str):
            name, index = parse_reference(target)
            self.check(name)
            index = index or []
            return {"x": {"ref": name, "at": [*index, 0]}, "y": {"ref": name, "at": [*index, 1]}}
        if callable(target):
            self.drags.append(target)
            return {"program": len(self.drags) - 1}
        pair = {k: self.data(v) for k, v in zip("xy", target, strict=False) if v is not None}
        if not pair:
            raise ValueError(
                "drag=(None, None) sets no input: name an input for x, for y, or both."
            )
        return pair


def parameters(function: Callable, available: Sequence[str], role: str) -> list[str]:
    """The names of a function's parameters; raises ValueError for one that is not available."""
    names = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            return list(available)
        if parameter.name in available:
            names.append(parameter.name)
        elif parameter.default is parameter.empty:
            raise ValueError(
                f"{role} takes {parameter.name!r}, which is not one of {', '.join(available)}."
            )
    return names

"""A figure's inputs: their values for the reader, in JSON, and as arguments of functions."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nnlib.live.controls import Control
from nnlib.live.parts import array, numbers, without_numpy
from nnlib.live.programs import tensor

MAX_PROGRAMS = 64


class Inputs:
    """The controls of a figure by name, and their values in three forms.

    These are the reader's value (`figure["w"]`), its JSON form (`figure.values["w"]`), and the
    argument with which the figure's function is called.
    """

    def __init__(self, controls: Mapping[str, Control], dtype: str):
        self.controls, self.dtype = dict(controls), dtype
        self.initial = {name: self._initial(control) for name, control in self.controls.items()}

    @property
    def static(self) -> list[str]:
        """The inputs that functions get as Python values: a program is recorded for each value."""
        return [name for name, control in self.controls.items() if control.static]

    def control(self, name: str) -> Control:
        """The control of an input; raises KeyError, which lists the inputs, for an unknown name."""
        if name not in self.controls:
            raise KeyError(f"{name!r} is not an input; inputs are {', '.join(self.controls)}.")
        return self.controls[name]

    def _initial(self, control: Control) -> Any:
        """A control's initial value, in its JSON form."""
        if control.kind in ("array", "paint"):
            flat = numbers(np.asarray(control.value).astype(self.dtype_of(control)))
            return flat if np.shape(control.value) else flat[0]
        return without_numpy(control.value)

    def dtype_of(self, control: Control) -> str:
        """The dtype in which an input reaches the function."""
        if control.kind == "text":
            return "int64"
        values = np.asarray(
            control.options["values"][0] if control.kind == "dropdown" else control.value
        )
        if control.kind == "array" and values.dtype.kind == "i":
            return "int64"
        kinds = {"b": "bool", "i": "int64", "u": "int64", "f": self.dtype}
        return kinds[values.dtype.kind]

    # forms of a value --------------------------------------------------------------------------

    def reader_value(self, name: str, value: Any) -> Any:
        """The reader's value for a JSON value: a number, a string, an option, or an array."""
        control = self.control(name)
        if control.kind == "dropdown":
            return control.options["values"][value]
        if control.kind in ("array", "paint"):
            return np.asarray(value, self.dtype_of(control)).reshape(np.shape(control.value))[()]
        return value

    def json_value(self, name: str, value: Any) -> Any:
        """The JSON form of a reader's value."""
        control = self.control(name)
        if control.kind == "dropdown":
            return _position(control, value)
        if control.kind in ("array", "paint"):
            shape = np.shape(control.value)
            if np.shape(array(value)) != shape:
                raise ValueError(
                    f"{name} has shape {shape}, but was given {np.shape(array(value))}."
                )
            flat = numbers(array(value).astype(self.dtype_of(control)))
            return flat if shape else flat[0]
        if control.kind == "text":
            return str(value)
        return bool(value) if control.kind == "checkbox" else array(value).item()

    def argument(self, name: str, value: Any) -> Any:
        """The function's argument for a JSON value."""
        control = self.controls[name]
        if control.static:
            return control.options["values"][value] if control.kind == "dropdown" else value
        dtype = self.dtype_of(control)
        if control.kind == "dropdown":
            return tensor(control.options["values"][value], dtype)
        if control.kind == "text":
            return tensor(codes(value, control.options["alphabet"], control.options["length"]))
        shape = np.shape(control.value)
        return tensor(np.asarray(value, dtype=object).astype(dtype).reshape(shape))

    def arguments(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """All arguments: static ones are Python values, all others tensors."""
        arguments = {name: self.argument(name, values[name]) for name in self.controls}
        for name, control in self.controls.items():
            if control.kind == "text":
                arguments[f"{name}_length"] = tensor(np.asarray(len(values[name]), "int64"))
        return arguments

    # what the page gets -----------------------------------------------------------------------

    def combinations(self, static: Sequence[str]) -> list[tuple[str, dict]]:
        """All combinations of static inputs: the key in the spec and the arguments of each."""
        ranges = [range(self._option_count(name)) for name in static]
        count = int(np.prod([len(r) for r in ranges])) if ranges else 1
        if count > MAX_PROGRAMS:
            raise ValueError(
                f"{' × '.join(static)} make {count} programs; at most {MAX_PROGRAMS} are recorded. "
                "Pass numbers, or static=False, for some of them."
            )
        combinations = []
        for positions in itertools.product(*ranges):
            values = {
                k: self.argument(k, bool(i) if self.controls[k].kind == "checkbox" else i)
                for k, i in zip(static, positions, strict=True)
            }
            combinations.append((",".join(str(i) for i in positions), values))
        return combinations

    def _option_count(self, name: str) -> int:
        control = self.controls[name]
        return 2 if control.kind == "checkbox" else len(control.options["labels"])

    def spec(self) -> dict[str, Any]:
        """The spec's `inputs`, and their `order`, since a page may sort the keys of an object."""
        inputs = {name: self._input_spec(name) for name in self.controls}
        return {"inputs": inputs, "order": list(self.controls)}

    def _input_spec(self, name: str) -> dict[str, Any]:
        control = self.controls[name]
        options = {k: v if k == "values" else without_numpy(v) for k, v in control.options.items()}
        if control.kind == "dropdown":
            chosen = options.pop("values")
            if not control.static:
                options["values"] = [numbers(v.astype(self.dtype_of(control))) for v in chosen]
        common = {
            "control": control.kind,
            "dtype": "int64" if control.static else self.dtype_of(control),
            "shape": list(_shape(control)),
            "value": self.initial[name],
            "static": control.static or None,
            "share": control.share,
            "label": control.label,
        }
        return {k: v for k, v in {**common, **options}.items() if v is not None}


def _position(control: Control, value: Any) -> int:
    """The position of a dropdown's option, which is given by its label or its value."""
    labels = control.options["labels"]
    if value in labels:
        return labels.index(value)
    matches = [i for i, v in enumerate(control.options["values"]) if np.array_equal(v, value)]
    if not matches:
        raise ValueError(f"{value!r} is not one of the options {labels}.")
    return matches[0]


def _shape(control: Control) -> tuple[int, ...]:
    if control.static:
        return ()
    if control.kind == "dropdown":
        return np.shape(control.options["values"][0])
    if control.kind == "text":
        return (control.options["length"],)
    return np.shape(control.value)


def codes(word: str, alphabet: str, length: int) -> np.ndarray:
    """A word's letters as positions in the alphabet, padded with len(alphabet) to `length`.

    Characters that are not in the alphabet are left out.
    """
    positions = [alphabet.index(c) for c in word if c in alphabet][:length]
    return np.asarray(positions + [len(alphabet)] * (length - len(positions)), "int64")

"""Assembles a figure: inputs, recorded programs and view become the spec that the page receives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnlib.live.dags import instrument, names_of
from nnlib.live.inputs import Inputs
from nnlib.live.limits import fit_axes
from nnlib.live.parts import Part, PartWriter, array, parameters
from nnlib.live.programs import Pool, call, record, tensor
from nnlib.live.trainer import Trainer
from nnlib.live.views import column, readout

FUNCTION = "the figure's function"


@dataclass(frozen=True)
class Assembled:
    """The part of a figure's spec that its function and view determine, and its initial values."""

    spec: dict[str, Any]
    values: Mapping[str, Any]

    def lookup(self, ref: dict) -> np.ndarray | None:
        """The initial values of a reference; None for values that only the page has."""
        return value_of(ref, self.values)


def assemble(
    function: Callable | None, inputs: Inputs, view: Any, trainer: Trainer | None
) -> Assembled:
    """Traces the function for each choice of static inputs, and compiles the view."""
    env = inputs.arguments(inputs.initial)
    outputs = call(function, env, FUNCTION)
    duplicates = sorted(set(outputs) & set(env))
    if duplicates:
        raise ValueError(f"{duplicates} are both inputs and outputs: give the outputs other names.")
    root = column(*_items(view, outputs))
    known = (trainer.names if trainer else set()) | {f"{n}_committed" for n in _predictions(root)}
    dags = instrument(root, env)
    known |= set(names_of(root))
    settable = [*inputs.controls, *(["seed"] if trainer else [])]
    writer = PartWriter(lambda: {**env, **outputs, **dict.fromkeys(known, 0.0)}, settable)
    tree = writer.part(root)
    recorder = _Recorder(function, inputs, env, {**writer.derived, **dags}, _references(tree))
    spec = inputs.spec() | recorder.spec(writer.drags)
    values = {**env, **outputs, **recorder.derived_of({**env, **outputs})}
    fit_axes(tree, lambda ref: value_of(ref, values))
    spec["view"] = tree
    if trainer is not None:
        spec["training"] = trainer.spec(env)
    return Assembled(spec, values)


def _items(view: Any, outputs: Mapping[str, Any]) -> Sequence[Any]:
    """The view as a list; without one, a readout of all outputs that are single numbers."""
    if view is None:
        scalars = [k for k, v in outputs.items() if np.size(array(v)) == 1]
        return [readout(" · ".join(f"{k} = {{{k}:.4g}}" for k in scalars))] if scalars else []
    return [view] if isinstance(view, Part | str) else view


class _Recorder:
    """Records the figure's function, the view's own functions, and the functions of drags."""

    def __init__(
        self,
        function: Callable | None,
        inputs: Inputs,
        env: dict[str, Any],
        derived: dict[str, Callable],
        references: set[str],
    ):
        self.function, self.inputs, self.env = function, inputs, env
        self.derived, self.references = derived, references
        self.tensors = {k: v for k, v in env.items() if k not in inputs.static}

    def spec(self, drags: Sequence[Callable]) -> dict[str, Any]:
        """The programs for each choice of static inputs, and the drags, with their constants."""
        pool, programs = Pool(), {}
        static = self.inputs.static
        if self.function is not None or self.derived:
            for key, chosen in self.inputs.combinations(static):
                programs[key] = pool.take(record(self._program(chosen), self.tensors))
        spec: dict[str, Any] = {"static_inputs": static, "programs": programs}
        if drags:
            spec["drags"] = [pool.take(self._drag(function)) for function in drags]
        if pool.items:
            spec["pool"] = pool.items
        return spec

    def _program(self, chosen: Mapping[str, Any]) -> Callable[..., dict]:
        """The function and the view's own functions as one function of the tensors alone."""

        def run(**arguments: Any) -> dict:
            scope = {**chosen, **arguments}
            results = call(self.function, scope, FUNCTION)
            results |= self.derived_of({**scope, **results})
            return {k: v for k, v in results.items() if k in self.references}

        return run

    def derived_of(self, env: Mapping[str, Any]) -> dict[str, Any]:
        """The results of the view's own functions for these inputs and outputs."""
        out: dict[str, Any] = {}
        for key, function in self.derived.items():
            names = parameters(function, list(env), "a function in the view")
            result = function(**{k: env[k] for k in names})
            if isinstance(result, Mapping):  # a recorded graph gives all its nodes at once
                out.update(result)
            else:
                out[key] = result if hasattr(result, "detach") else tensor(np.asarray(result))
        return out

    def _drag(self, function: Callable) -> dict:
        """A drag's function as a graph from x, y and inputs to new values of inputs."""
        role = "a drag's function"
        scope = {"x": tensor(np.float32(0.1)), "y": tensor(np.float32(0.2)), **self.tensors}
        names = parameters(function, list(scope), role)

        def run(**arguments: Any) -> dict:
            results = call(function, {k: arguments[k] for k in names}, role)
            unknown = sorted(set(results) - set(self.inputs.controls))
            if unknown:
                raise ValueError(
                    f"a drag sets {unknown}, but inputs are {', '.join(self.inputs.controls)}."
                )
            return results

        return record(run, {k: scope[k] for k in names})


def _predictions(part: Any) -> set[str]:
    """The names of all predictions below a part."""
    if isinstance(part, Part):
        own = {part.fields["name"]} if part.kind == "predict" else set()
        return own.union(*(_predictions(v) for v in part.fields.values()))
    if isinstance(part, list | tuple):
        return set().union(*(_predictions(v) for v in part))
    return set()


def _references(tree: Any) -> set[str]:
    """Every name that a compiled view refers to."""
    if isinstance(tree, dict):
        own = {tree["ref"]} if "ref" in tree else set()
        return own.union(*(_references(v) for v in tree.values()))
    if isinstance(tree, list):
        return set().union(*(_references(v) for v in tree))
    return set()


def value_of(ref: dict, values: Mapping[str, Any]) -> np.ndarray | None:
    """The array that a compiled reference stands for; None if the values lack its name."""
    if "data" in ref:
        return np.asarray([float(v) for v in ref["data"]]).reshape(ref["shape"])
    if ref["ref"] not in values:
        return None
    result = array(values[ref["ref"]])
    if "at" in ref:
        result = result[tuple(slice(None) if i is None else i for i in ref["at"])]
    return np.asarray(result)

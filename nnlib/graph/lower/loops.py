"""The back end of fused loops: numba compiles what `write` wrote, NumPy is called in between.

`Loops.source` is the loops as Python; they run as such too, slowly.  A call allocates its results
alone: working memory and arrays between the functions are a set that one call holds at a time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from nnlib.graph.lower.arrays import Arrays
from nnlib.graph.lower.checks import checks
from nnlib.graph.lower.nests import Plan, fits, group, with_columns
from nnlib.graph.lower.points import TYPES
from nnlib.graph.lower.simple import simple
from nnlib.graph.lower.views import is_identity, views, with_origins
from nnlib.graph.lower.write import Kernel, Names, Storage, kernels, writes_out
from nnlib.graph.simplify import simplify, tidy, values_only
from nnlib.graph.steps import Step, Steps
from nnlib.record import Primitive


class Loops:
    """The back end of loops; graphs with images run in NumPy, which keeps their layout.

    >>> import nnlib
    >>> from nnlib.graph.lower.loops import Loops
    >>> graph = nnlib.graph.trace(lambda x: x.exp() * 2, x=nnlib.zeros(2)).tidied()
    >>> Loops(graph, [0], [graph.outputs["output"]]).run(nnlib.zeros(2).numpy())
    (array([2., 2.], dtype=float32),)
    """

    def __init__(self, graph: Steps, inputs: Sequence[int], results: Sequence[int]) -> None:
        self.run: Callable[..., tuple]
        if not fits(graph):
            plain = Arrays(graph, inputs, results)
            self.source, self.run = plain.source, plain.run
            return
        lowered = Lowered(graph, inputs, results)
        self.source = lowered.source
        self.run = Driver(lowered).run


class Lowered:
    """All passes over a graph: the plan, the functions of loops, their text."""

    def __init__(self, graph: Steps, inputs: Sequence[int], results: Sequence[int]) -> None:
        wanted = {f"input {k}": at for k, at in enumerate(inputs)}
        names = {at: name for name, at in reversed(graph.outputs.items())}
        wanted |= {f"result {k}": at for k, at in enumerate(results)}
        plain = simplify(simple(Steps(graph.steps, wanted)))
        ready, seen = views(with_origins(with_columns(plain)))
        found = ready.outputs
        self.inputs = [found[f"input {k}"] for k in range(len(inputs))]
        self.results = [found[f"result {k}"] for k in range(len(results))]
        ready.outputs = {
            names.get(at, "result"): new for at, new in zip(results, self.results)
        } | {f"result {k}": new for k, new in enumerate(self.results)}  # fmt: skip
        self.plan: Plan = group(ready, seen)
        self.steps = self.plan.graph.steps
        self.names, self.storage = Names(self.plan), Storage(self.plan)
        self.kernels = kernels(self.plan, self.storage, self.names)

    def parameters(self, kernel: Kernel) -> list[str]:
        """What a function takes: stored arrays, numbers that leave it, working memory."""
        body = "\n".join(kernel.body)
        own = [f"{p}_{TYPES[kind]}" for p in "sw" for kind in TYPES
               if re.search(rf"\b{p}_{TYPES[kind]}\[", body)]  # fmt: skip
        return [*kernel.names, *own]

    @property
    def source(self) -> str:
        """Each function of loops, and what NumPy does between them as comments."""
        blocks = []
        for phase in range(max([*self.kernels, len(self.plan.calls) - 1], default=0) + 1):
            kernel = self.kernels.get(phase)
            if kernel is not None:
                name = "loops" if len(self.kernels) == 1 else f"loops_{phase}"
                first = f"def {name}({', '.join(self.parameters(kernel))}):"
                blocks.append("\n".join([first, *(f"    {line}" for line in kernel.body)]))
            for at in self.plan.calls[phase] if phase < len(self.plan.calls) else ():
                step = self.steps[at]
                given = ", ".join(self._called(i) for i in step.inputs)
                blocks.append(f"# NumPy: {self.names.get(at)} = {step.op}({given})")
        return "\n\n\n".join(blocks) + "\n"

    def _called(self, at: int) -> str:
        step = self.steps[at]
        if step.op == "constant" and not step.shape:
            return str(step.value)
        view = self.plan.views[at]
        turned = "" if is_identity(view, step.shape) else f" as {list(step.shape)}"
        return self.names.get(view.at) + turned


def loops_source(graph: Steps) -> str:
    """A graph as the loops that compute it; what they do not compute, as comments in between."""
    graph = tidy(values_only(graph))
    inputs = [at for at, step in enumerate(graph.steps) if step.op == "input"]
    return Lowered(graph, inputs, list(graph.outputs.values())).source


class Driver:
    """The Python function that calls the compiled loops and NumPy in turn."""

    def __init__(self, lowered: Lowered) -> None:
        from nnlib.graph.lower import machine

        self.lowered, self.plan, self.steps = lowered, lowered.plan, lowered.steps
        self.storage = lowered.storage
        self.globals: dict[str, Any] = {"empty": np.empty, "matmul": np.matmul, "np": np,
                                        "rows": _rows}  # fmt: skip
        self.lines: list[str] = []
        self.text: dict[int, str] = {}  # what a step's array is called in the driver
        self.checked: set[tuple[int, int]] = set()  # positions that are data, and their limit
        self.kept: dict[str, Callable[[], Any]] = {}  # makers of what a set of memory holds
        self.direct = self._direct()
        self.functions = self._compiled(machine)
        self._write()
        self.free: list[tuple] = [self._memory()]

    # ------------------------------------------------------------ compiled functions
    def _compiled(self, machine: Any) -> dict[int, Callable[..., Any]]:
        """One function for each phase; functions of one text are one."""
        texts: dict[str, str] = {}
        of_phase = {}
        for phase, kernel in self.lowered.kernels.items():
            names = self.lowered.parameters(kernel)
            body = list(kernel.body)
            if len(self.lowered.kernels) > 1:
                names, body = _renamed(names, body)
            types = ", ".join(self._types(machine, kernel))
            text = "\n".join([
                f"@njit(['void({types})'], error_model='numpy', cache=True)",
                f"def NAME({', '.join(names)}):", *(f"    {line}" for line in body),
            ])  # fmt: skip
            of_phase[phase] = texts.setdefault(text, f"loops_{len(texts)}")
        source = "\n\n\n".join(t.replace("def NAME(", f"def {n}(") for t, n in texts.items())
        module = machine.loaded(source + "\n")
        return {phase: getattr(module, name) for phase, name in of_phase.items()}

    def _types(self, machine: Any, kernel: Kernel) -> list[str]:
        types = [machine.type_of(self.steps[at].dtype, len(self.steps[at].shape),
                                 at in self.storage.columns) for at in kernel.arrays]  # fmt: skip
        own = self.lowered.parameters(kernel)[len(kernel.names) :]
        kinds = {short: kind for kind, short in TYPES.items()}
        return types + [machine.type_of(kinds[name[2:]], 1) for name in own]

    # ------------------------------------------------------------ the driver's lines
    def _direct(self) -> dict[int, int]:
        """Stored steps that are computed straight into the result with this number."""
        found: dict[int, int] = {}
        for k, at in enumerate(self.lowered.results):
            step = self.steps[at]
            mine = self.plan.views[at].at == at and step.op not in ("input", "constant")
            if mine and step.shape and at not in found:
                found[at] = k
        return found

    def _write(self) -> None:
        steps = self.steps
        for k, at in enumerate(self.lowered.inputs):
            self.text[at] = f"a{k}"
        for at, k in self.direct.items():
            if at in self.plan.nest or writes_out(self.steps, at):
                self.text[at] = f"r{k}"
                self._constant(f"S{k}", steps[at].shape)
                self._constant(f"T{k}", np.dtype(steps[at].dtype))
                self.lines.append(f"r{k} = empty(S{k}, T{k})")
        for phase in range(max([*self.lowered.kernels, len(self.plan.calls) - 1], default=0) + 1):
            if phase in self.lowered.kernels:
                self._run(phase, self.lowered.kernels[phase])
            for at in self.plan.calls[phase] if phase < len(self.plan.calls) else ():
                self._call(at, steps[at])
        results = [self._result(k, at) for k, at in enumerate(self.lowered.results)]
        arguments = [f"a{k}" for k in range(len(self.lowered.inputs))]
        kept = [f"{', '.join(self.kept)}, = kept"] if self.kept else []
        body = [*kept, *self.lines, f"return ({''.join(r + ', ' for r in results)})"]
        source = f"def driver({', '.join(['kept', *arguments])}):\n" + "\n".join(
            f"    {line}" for line in body
        )
        self.globals["__name__"] = "nnlib.graph.lowered"
        exec(compile(source, "<loops>", "exec"), self.globals)
        self.driver: Callable[..., tuple] = self.globals["driver"]
        self.driver_source = source

    def _constant(self, name: str, value: Any) -> str:
        self.globals[name] = value
        return name

    def _array(self, at: int) -> str:
        """What a stored step's array is called; memory for it in the set where it has none."""
        if at in self.text:
            return self.text[at]
        step = self.steps[at]
        if step.op == "constant":
            self.text[at] = self._constant(f"c{at}", _rows(step.value, step.dtype))
        else:
            self.text[at] = f"m{at}"
            order = "F" if at in self.storage.columns else "C"
            self.kept[f"m{at}"] = partial(np.empty, step.shape, step.dtype, order)
        return self.text[at]

    def _run(self, phase: int, kernel: Kernel) -> None:
        name = self._constant(f"loops_{phase}", self.functions[phase])
        given = [self._array(at) for at in kernel.arrays]
        for own in self.lowered.parameters(kernel)[len(kernel.names) :]:
            kind = next(k for k, short in TYPES.items() if short == own[2:])
            if own[0] == "s":
                self.kept[own] = partial(np.empty, self.storage.slots[kind], kind)
            else:
                size = max(k.work.get(kind, 0) for k in self.lowered.kernels.values())
                self.kept[own] = partial(np.empty, size, kind)
            given.append(own)
        self.lines.append(f"{name}({', '.join(given)})")

    def _value(self, at: int) -> str:
        """A step's values for a call: a stored array, or a view of one."""
        view, step = self.plan.views[at], self.steps[at]
        if view.at == at:
            if at in self.storage.slot:
                kind, k = self.storage.slot[at]
                return f"s_{TYPES[kind]}[{k}]"
            if step.op == "constant":
                return self._constant(f"c{at}", np.asarray(step.value)[()])
            return self._array(at)
        function = self._constant(f"f{at}", _forward(step))
        return f"{function}({self._value(step.inputs[0])})"

    def _call(self, at: int, step: Step) -> None:
        for check in checks(step, self.steps):
            if (check.at, check.size) in self.checked:
                continue  # by an earlier call
            self.checked.add((check.at, check.size))
            name = self._constant(f"check{len(self.globals)}", check)
            self.lines.append(f"{name}({self._value(check.at)})")
        given = ", ".join(self._value(i) for i in step.inputs)
        if writes_out(self.steps, at):
            self.lines.append(f"matmul({given}, {self._array(at)})")
            return
        function = self._constant(f"f{at}", _forward(step))
        self.text[at] = f"v{at}"
        kind = self._constant(f"T_{step.dtype}", np.dtype(step.dtype))
        self.lines.append(f"v{at} = rows({function}({given}), {kind})")

    def _result(self, k: int, at: int) -> str:
        step = self.steps[at]
        if not step.shape:
            value = self._value(at)
            return value if value.startswith("s_") else f"np.asarray({value})[()]"
        if self.direct.get(at) == k:
            return self.text[at]
        return f"np.array({self._value(at)}, order='C')"

    # ------------------------------------------------------------ calls
    def _memory(self) -> tuple:
        return tuple([make() for make in self.kept.values()])

    def run(self, *arrays: Any) -> tuple:
        """The results for these inputs, in fresh memory."""
        try:
            kept = self.free.pop()  # atomic: a set of memory is in one call's hands
        except IndexError:
            kept = self._memory()
        try:
            return self.driver(kept, *arrays)
        except TypeError:  # an array that does not lie row by row, or may not be written
            given = [_rows(a, self.steps[at].dtype) for a, at in zip(arrays, self.lowered.inputs)]
            return self.driver(kept, *given)
        finally:
            self.free.append(kept)


def _renamed(names: list[str], body: list[str]) -> tuple[list[str], list[str]]:
    """A function under neutral names, so that equal ones are found equal."""
    word = re.compile(r"\b[^\W\d]\w*\b")
    others = set(word.findall("\n".join(body))) - set(names)
    letter = "a"
    while any(re.fullmatch(rf"{letter}\d+", other) for other in others):
        letter += "a"  # a variable of the function has such a name already
    new = {name: f"{letter}{k}" for k, name in enumerate(names)}
    return list(new.values()), [word.sub(lambda m: new.get(m[0], m[0]), line) for line in body]


def _rows(array: Any, dtype: Any) -> Any:
    """The array row by row in memory that may be written, as the loops take it."""
    return np.require(array, dtype, ["C", "W", "A"])[()]


def _forward(step: Step) -> Callable[..., Any]:
    if step.op == "copy":
        return np.array
    attrs = {k: v for k, v in step.attrs.items() if k not in ("from", "rank")}
    forward = Primitive.registry[step.op].forward
    return partial(forward, **attrs) if attrs else forward

"""The back end of fused loops: numba compiles the functions of loops, NumPy is called between them.

`Loops.source` is the text of these functions in Python, which also runs without numba, but slowly.
A call allocates its results, and those of NumPy functions that cannot write into a given array.
Working memory, and the arrays that one function passes to the next, are a *workspace*: a tuple of
arrays that a call has to itself and puts back when it ends.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from nnlib.graph.lower.arrays import Arrays, is_view, own_memory
from nnlib.graph.lower.decompose import decomposed
from nnlib.graph.lower.expressions import TYPES
from nnlib.graph.lower.layouts import is_identity, views, with_origins
from nnlib.graph.lower.matmuls import merged
from nnlib.graph.lower.nests import Plan, fits, group, with_column_major_copies
from nnlib.graph.lower.runtime_checks import checks
from nnlib.graph.lower.write import Kernel, Names, Storage, kernels, takes_out_argument
from nnlib.graph.simplify import simplify, tidy, values_only
from nnlib.graph.steps import Step, Steps


class Loops:
    """Computes a graph by compiled loops, or by NumPy where loops are no faster (`nests.fits`).

    >>> import nnlib
    >>> from nnlib.graph.lower.loops import Loops
    >>> graph = nnlib.graph.trace(lambda x: x.exp() * 2, x=nnlib.zeros(2)).tidied()
    >>> Loops(graph, [0], [graph.outputs["output"]]).run(nnlib.zeros(2).numpy())
    (array([2., 2.], dtype=float32),)
    """

    def __init__(self, graph: Steps, inputs: Sequence[int], results: Sequence[int]) -> None:
        self.run: Callable[..., tuple]
        if not fits(graph):
            in_numpy = Arrays(graph, inputs, results)
            self.source, self.run = in_numpy.source, in_numpy.run
            return
        lowered = Lowered(graph, inputs, results)
        self.source = lowered.source
        self.run = Driver(lowered).run


class Lowered:
    """The result of all passes: the plan, the functions of loops, their source."""

    def __init__(self, graph: Steps, inputs: Sequence[int], results: Sequence[int]) -> None:
        # The passes renumber the steps.  Inputs and results are listed as outputs, so that their
        # new positions can be looked up.
        tracked = {f"input {k}": at for k, at in enumerate(inputs)}
        names = {at: name for name, at in reversed(graph.outputs.items())}
        tracked |= {f"result {k}": at for k, at in enumerate(results)}
        graph_of_results = Steps(graph.steps, tracked)
        fewer_products = merged(graph_of_results, loops=True)  # pass 1
        elementary = simplify(decomposed(fewer_products))  # pass 2
        final, view_of = views(with_origins(with_column_major_copies(elementary)))  # pass 3
        self.inputs = [final.outputs[f"input {k}"] for k in range(len(inputs))]
        self.results = [final.outputs[f"result {k}"] for k in range(len(results))]
        final.outputs = {
            names.get(at, "result"): new for at, new in zip(results, self.results)
        } | {f"result {k}": new for k, new in enumerate(self.results)}  # fmt: skip
        self.plan: Plan = group(final, view_of)  # pass 4
        self.steps = self.plan.graph.steps
        self.names, self.storage = Names(self.plan), Storage(self.plan)
        self.kernels = kernels(self.plan, self.storage, self.names)  # pass 5

    def parameters(self, kernel: Kernel) -> list[str]:
        """The names of a function's parameters.

        First the stored arrays; then, by dtype, `s_…` for the single numbers that functions pass to
        later ones, and `w_…` for working memory.
        """
        body = "\n".join(kernel.body)
        memory = [f"{p}_{TYPES[dtype]}" for p in "sw" for dtype in TYPES
                  if re.search(rf"\b{p}_{TYPES[dtype]}\b", body)]  # fmt: skip
        return [*kernel.names, *memory]

    @property
    def source(self) -> str:
        """The functions of loops; the NumPy calls between them are comments."""
        blocks = []
        for phase in range(max([*self.kernels, len(self.plan.calls) - 1], default=0) + 1):
            kernel = self.kernels.get(phase)
            if kernel is not None:
                name = "loops" if len(self.kernels) == 1 else f"loops_{phase}"
                first = f"def {name}({', '.join(self.parameters(kernel))}):"
                blocks.append("\n".join([first, *(f"    {line}" for line in kernel.body)]))
            for at in self.plan.calls[phase] if phase < len(self.plan.calls) else ():
                step = self.steps[at]
                blocks.append(f"# NumPy: {self.names.get(at)} = {self._call_text(step)}")
        return "\n\n\n".join(blocks) + "\n"

    def _call_text(self, step: Step) -> str:
        arguments = ", ".join(self._argument_text(i) for i in step.inputs)
        if step.op == "slice":
            start, stop, _ = step.attrs["index"][0]
            return f"{arguments}[{start}:{stop}]"
        return f"{step.op}({arguments})"

    def _argument_text(self, at: int) -> str:
        """How a comment of `source` writes an argument of a NumPy call."""
        step = self.steps[at]
        if step.op == "constant" and not step.shape:
            return str(step.value)
        view = self.plan.views[at]
        as_shape = "" if is_identity(view, step.shape) else f" as {list(step.shape)}"
        return self.names.get(view.at) + as_shape


def loops_source(graph: Steps) -> str:
    """The source of the loops that compute a graph; NumPy calls between them are comments."""
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
                                        "copyto": np.copyto, "row_major": _row_major}  # fmt: skip
        self.lines: list[str] = []
        self.variable: dict[int, str] = {}  # step -> the driver's variable for its array
        self.checked: set[tuple[int, int]] = set()  # (step of indices, their limit)
        # Variable of a workspace's array -> the function that makes it, from the arrays before it.
        self.workspace: dict[str, Callable[[dict[str, Any]], Any]] = {}
        self.result_of = self._computed_into_results()
        # Stored step -> the step in whose array it is stored, and its first row there.
        self.rows_of: dict[int, tuple[int, int]] = {}
        for at in (at for calls in self.plan.calls for at in calls):
            self._share_rows(at, self.steps[at])
        self.functions = self._compiled(machine)
        self._write()
        self.free_workspaces: list[tuple] = [self._new_workspace()]

    # ------------------------------------------------------------ compiled functions
    def _compiled(self, machine: Any) -> dict[int, Callable[..., Any]]:
        """The compiled function of each phase; phases with equal source share one function."""
        names_by_source: dict[str, str] = {}
        name_of_phase = {}
        for phase, kernel in self.lowered.kernels.items():
            names = self.lowered.parameters(kernel)
            body = list(kernel.body)
            if len(self.lowered.kernels) > 1:
                names, body = _with_canonical_names(names, body)
            types = ", ".join(self._types(machine, kernel))
            text = "\n".join([
                f"@njit(['void({types})'], error_model='numpy', cache=True)",
                f"def NAME({', '.join(names)}):", *(f"    {line}" for line in body),
            ])  # fmt: skip
            name_of_phase[phase] = names_by_source.setdefault(text, f"loops_{len(names_by_source)}")
        source = "\n\n\n".join(
            text.replace("def NAME(", f"def {name}(") for text, name in names_by_source.items()
        )
        module = machine.loaded(source + "\n")
        return {phase: getattr(module, name) for phase, name in name_of_phase.items()}

    def _types(self, machine: Any, kernel: Kernel) -> list[str]:
        types = [machine.type_of(self.steps[at].dtype, len(self.steps[at].shape),
                                 at in self.storage.column_major)
                 for at in kernel.arrays]  # fmt: skip
        memory = self.lowered.parameters(kernel)[len(kernel.names) :]
        dtypes = {short: dtype for dtype, short in TYPES.items()}
        return types + [machine.type_of(dtypes[name[2:]], 1) for name in memory]

    # ------------------------------------------------------------ the driver's lines
    def _computed_into_results(self) -> dict[int, int]:
        """The stored steps whose array is a result itself, with that result's number.

        A view is not, such as a slice, which is stored in the array of the product whose rows it
        takes.
        """
        result_of: dict[int, int] = {}
        for k, at in enumerate(self.lowered.results):
            step = self.steps[at]
            computed = self.plan.views[at].at == at and step.op not in ("input", "constant")
            computed = computed and not is_view(step)
            if computed and step.shape and at not in result_of:
                result_of[at] = k
        return result_of

    def _share_rows(self, at: int, step: Step) -> None:
        """Note which rows a slice is, and in which rows of a `cat` its inputs are computed."""
        if step.op == "slice" and step.inputs[0] not in self.result_of:
            self.rows_of[at] = step.inputs[0], step.attrs["index"][0][0]
        if not self._stacks(at):
            return
        start = 0
        for i in step.inputs:
            stored = i in self.plan.nest_of or takes_out_argument(self.steps, i)
            has_memory = i in self.result_of or i in self.rows_of or i in self.storage.column_major
            if stored and not has_memory and self.plan.views[i].at == i:
                self.rows_of[i] = at, start
            start += self.steps[i].shape[0]

    def _stacks(self, at: int) -> bool:
        """Whether a step joins arrays of one dtype along their first dimension in the workspace."""
        step = self.steps[at]
        return (
            step.op == "cat" and step.attrs["dim"] == 0 and at not in self.result_of
            and all(self.steps[i].dtype == step.dtype for i in step.inputs)
        )  # fmt: skip

    def _write(self) -> None:
        steps = self.steps
        for k, at in enumerate(self.lowered.inputs):
            self.variable[at] = f"a{k}"
        for at, k in self.result_of.items():
            if at in self.plan.nest_of or takes_out_argument(self.steps, at):
                self.variable[at] = f"r{k}"
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
        unpacked = [f"{', '.join(self.workspace)}, = workspace"] if self.workspace else []
        body = [*unpacked, *self.lines, f"return ({''.join(r + ', ' for r in results)})"]
        source = f"def driver({', '.join(['workspace', *arguments])}):\n" + "\n".join(
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
        """The variable of a stored step's array, which is created when first needed.

        A constant becomes a global of the driver, any other array a part of the workspace.
        """
        if at in self.variable:
            return self.variable[at]
        step = self.steps[at]
        if step.op == "constant":
            self.variable[at] = self._constant(f"c{at}", _row_major(step.value, step.dtype))
        else:
            self.variable[at] = f"m{at}"
            if at in self.rows_of:
                self._rows(f"m{at}", *self.rows_of[at], step.shape[0])
                return self.variable[at]
            order = "F" if at in self.storage.column_major else "C"
            self.workspace[f"m{at}"] = partial(_new, step.shape, step.dtype, order)
        return self.variable[at]

    def _rows(self, name: str, container: int, start: int, count: int) -> str:
        """The driver's variable for a block of rows of an array in the workspace."""
        self.workspace[name] = partial(_block, self._array(container), start, start + count)
        return name

    def _run(self, phase: int, kernel: Kernel) -> None:
        name = self._constant(f"loops_{phase}", self.functions[phase])
        arguments = [self._array(at) for at in kernel.arrays]
        for memory in self.lowered.parameters(kernel)[len(kernel.names) :]:
            dtype = next(k for k, short in TYPES.items() if short == memory[2:])
            if memory[0] == "s":
                size = self.storage.slots[dtype]
            else:
                size = max(k.work.get(dtype, 0) for k in self.lowered.kernels.values())
            self.workspace[memory] = partial(_new, size, dtype, "C")
            arguments.append(memory)
        self.lines.append(f"{name}({', '.join(arguments)})")

    def _value(self, at: int) -> str:
        """A step's values for a call: a stored array, or a view of one."""
        view, step = self.plan.views[at], self.steps[at]
        if view.at == at:
            if at in self.storage.slot:
                dtype, k = self.storage.slot[at]
                return f"s_{TYPES[dtype]}[{k}]"
            if step.op == "constant":
                return self._constant(f"c{at}", np.asarray(step.value)[()])
            return self._array(at)
        function = self._constant(f"f{at}", _forward(step))
        return f"{function}({self._value(step.inputs[0])})"

    def _call(self, at: int, step: Step) -> None:
        for check in checks(step, self.steps):
            if (check.at, check.size) in self.checked:
                continue  # an earlier call has checked these indices against this limit
            self.checked.add((check.at, check.size))
            name = self._constant(f"check{len(self.globals)}", check)
            self.lines.append(f"{name}({self._value(check.at)})")
        arguments = ", ".join(self._value(i) for i in step.inputs)
        if takes_out_argument(self.steps, at):
            self.lines.append(f"matmul({arguments}, {self._array(at)})")
            return
        if at in self.rows_of:
            self._array(at)
            return
        if self._stacks(at):
            self._stack(at, step)
            return
        function = self._constant(f"f{at}", _forward(step))
        self.variable[at] = f"v{at}"
        dtype = self._constant(f"T_{step.dtype}", np.dtype(step.dtype))
        self.lines.append(f"v{at} = row_major({function}({arguments}), {dtype})")

    def _stack(self, at: int, step: Step) -> None:
        """Copy the inputs of a `cat` that are not computed in its rows."""
        self._array(at)
        start = 0
        for k, i in enumerate(step.inputs):
            count = self.steps[i].shape[0]
            if self.rows_of.get(i) != (at, start):
                rows = self._rows(f"m{at}_{k}", at, start, count)
                self.lines.append(f"copyto({rows}, {self._value(i)})")
            start += count

    def _result(self, k: int, at: int) -> str:
        step = self.steps[at]
        if not step.shape:
            value = self._value(at)
            return value if value.startswith("s_") else f"np.asarray({value})[()]"
        if self.result_of.get(at) == k:
            return self.variable[at]
        return f"np.array({self._value(at)}, order='C')"

    # ------------------------------------------------------------ calls
    def _new_workspace(self) -> tuple:
        arrays: dict[str, Any] = {}
        for name, make in self.workspace.items():
            arrays[name] = make(arrays)
        return tuple(arrays.values())

    def run(self, *arrays: Any) -> tuple:
        """The results for these inputs, in new memory."""
        try:
            workspace = self.free_workspaces.pop()  # atomic, so no two threads get the same one
        except IndexError:  # other calls, which are still running, hold all of them
            workspace = self._new_workspace()
        try:
            return self.driver(workspace, *arrays)
        except TypeError:  # numba refuses an array that is not row-major or is read-only
            row_major = [_row_major(array, self.steps[at].dtype)
                     for array, at in zip(arrays, self.lowered.inputs)]  # fmt: skip
            return self.driver(workspace, *row_major)
        finally:
            self.free_workspaces.append(workspace)


def _with_canonical_names(names: list[str], body: list[str]) -> tuple[list[str], list[str]]:
    """Parameters and body of a function with canonical names, so that equal ones compare equal."""
    word = re.compile(r"(?<![\w.])[^\W\d]\w*\b")  # not np.sqrt's name, if an argument is `sqrt`
    other_names = set(word.findall("\n".join(body))) - set(names)
    prefix = "a"
    while any(re.fullmatch(rf"{prefix}\d+", name) for name in other_names):
        prefix += "a"  # a local variable of the function already has such a name
    new = {name: f"{prefix}{k}" for k, name in enumerate(names)}
    return list(new.values()), [word.sub(lambda m: new.get(m[0], m[0]), line) for line in body]


def _new(shape: Any, dtype: str, order: Any, arrays: dict[str, Any]) -> Any:
    return np.empty(shape, dtype, order)


def _block(container: str, start: int, stop: int, arrays: dict[str, Any]) -> Any:
    return arrays[container][start:stop]


def _row_major(array: Any, dtype: Any) -> Any:
    """The array in row-major, aligned, writeable memory, as the compiled loops require it."""
    return np.require(array, dtype, ["C", "W", "A"])[()]


def _forward(step: Step) -> Callable[..., Any]:
    """The NumPy function that computes a step from its inputs; it has the step's attributes."""
    if step.op == "copy":
        return np.array
    attrs = {k: v for k, v in step.attrs.items() if k not in ("from", "rank")}
    return own_memory(Step(step.op, step.shape, step.dtype, step.inputs, attrs))

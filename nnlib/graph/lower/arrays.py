"""The back end that needs only NumPy: a graph becomes one Python function that reuses its buffers.

`FunctionWriter` writes the function's lines, one or a few for each step, and compiles them once.
Where NumPy can write into a given array, a step's result is written into a buffer that is no longer
needed; results are always returned in new memory.  Chains over large arrays run block by block
(`blocks`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from nnlib.graph.lower.blocks import chain_function, group_chain
from nnlib.graph.lower.matmuls import merged
from nnlib.graph.lower.runtime_checks import checks
from nnlib.graph.lower.shortcuts import shortcuts, with_residuals
from nnlib.graph.simplify import simplify
from nnlib.graph.steps import Step, Steps
from nnlib.record import Primitive

UFUNCS: dict[str, Any] = {
    name: p.ufunc for name, p in Primitive.registry.items() if p.family == "elementwise" and p.ufunc
}
_SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", "neg": "-"}
_REDUCTIONS = {"sum": np.add.reduce, "amax": np.maximum.reduce, "amin": np.minimum.reduce,
               "mean": np.add.reduce, "prod": np.multiply.reduce}  # fmt: skip
# Elementwise steps that take several NumPy calls, each of which may overwrite its argument.
_SEVERAL_CALLS = {
    "sigmoid": ("neg({x}, {o})", "exp({o}, {o})", "add({o}, 1, {o})", "reciprocal({o}, {o})"),
    "relu": ("maximum({x}, {zero}, out={o})",),
}
_ELEMENTWISE = {*UFUNCS, *_SEVERAL_CALLS}


class Arrays:
    """The NumPy back end.  Calls that run at the same time use different sets of buffers.

    >>> import nnlib
    >>> from nnlib.graph.lower.arrays import Arrays
    >>> graph = nnlib.graph.trace(lambda x: x.exp() * 2, x=nnlib.zeros(2)).tidied()
    >>> Arrays(graph, [0], [graph.outputs["output"]]).run(nnlib.zeros(2).numpy())
    (array([2., 2.], dtype=float32),)
    """

    def __init__(self, graph: Steps, inputs: Sequence[int], results: Sequence[int]) -> None:
        # Merging renumbers the steps.  Inputs and results are listed as outputs, so that their new
        # positions can be looked up.
        outputs = dict(enumerate([*inputs, *results]))
        merged_graph = merged(Steps(graph.steps, {str(k): at for k, at in outputs.items()}))
        if merged_graph.steps is not graph.steps:
            graph = simplify(merged_graph)
            inputs = [graph.outputs[str(k)] for k in range(len(inputs))]
            results = [graph.outputs[str(k)] for k in list(outputs)[len(inputs) :]]
        self._make = partial(FunctionWriter, graph, inputs, results)
        first = self._make()
        self.source = first.source
        self._free: list[Callable[..., tuple]] = [first.run]

    def run(self, *arrays: Any) -> tuple:
        """The results for these inputs, in new memory."""
        try:
            run = self._free.pop()  # atomic, so no two calls get the same set of buffers
        except IndexError:
            run = self._make().run
        try:
            return run(*arrays)
        finally:
            self._free.append(run)


class FunctionWriter:
    """One NumPy function with buffers of its own; `run` takes the inputs in order."""

    def __init__(self, graph: Steps, inputs: Sequence[int], results: Sequence[int]) -> None:
        tracked = [*inputs, *results]
        images = any(s.op in ("conv2d", "max_pool2d", "avg_pool2d") for s in graph.steps)
        self.steps, positions, self.chains = (
            (graph.steps, tracked, []) if images else group_chain(graph, tracked, _ELEMENTWISE)
        )
        self.inputs, self.results = positions[: len(inputs)], positions[len(inputs) :]
        # record.py silences NumPy's warnings in modules whose name begins with "nnlib".
        self.names: dict[str, Any] = {"__name__": "nnlib.graph.lowered", **UFUNCS}
        self.names["reciprocal"] = np.reciprocal
        self.lines: list[str] = []
        self.chain_sources: list[str] = []  # those of the functions that compute chains
        self.arrays: dict[int, Any] = {}  # what is known before the call: constants, buffers, views
        self.images = any(s.op in ("conv2d", "max_pool2d", "avg_pool2d") for s in self.steps)
        self.free: dict[tuple, list[np.ndarray]] = {}
        self.buffered: set[int] = set()  # the steps whose result is in one of these buffers
        self.owner = list(range(len(self.steps)))  # by step: the step whose memory it uses
        self.shortcuts = shortcuts(self.steps)
        self.arguments = [
            self.shortcuts[at].arguments if at in self.shortcuts else self._unexpanded(step)
            for at, step in enumerate(self.steps)
        ]
        for at in (at for chain in self.chains for at in chain):
            self.arguments[at] = list(self.steps[at].inputs)  # blocks need arrays of full shape
        self._plan()
        self.source = self._source()
        last = self.source.split("\n\n\n")[-1]  # the functions before it are compiled already
        exec(compile(last, "<lowered graph>", "exec"), self.names)
        self.run: Callable[..., tuple] = self.names["lowered"]

    # ------------------------------------------------------------ lifetimes
    def _unexpanded(self, step: Step) -> list[int]:
        """The arguments; one that is only expanded to the result's shape is used unexpanded."""
        arguments = list(step.inputs)
        if step.op not in UFUNCS or len(arguments) != 2:
            return arguments
        for k in (0, 1):
            operand, other = self.steps[arguments[k]], self.steps[arguments[1 - k]]
            if operand.op == "expand" and other.shape == step.shape:
                arguments[k] = operand.inputs[0]
        return arguments

    def _plan(self) -> None:
        end = len(self.steps)
        used = [False] * end
        results = set(self.results)
        for at in range(end - 1, -1, -1):
            if at in results or used[at]:
                used[at] = True
                for i in self.arguments[at]:
                    used[i] = True
        self.used = used
        # The steps that save residuals for a later one.
        self.saves_residuals = {
            s.after for at, s in self.shortcuts.items() if used[at] and s.after is not None
        }
        for at, step in enumerate(self.steps):
            if used[at] and is_view(step) and at not in self.shortcuts:
                self.owner[at] = self.owner[self.arguments[at][0]]
        self.last = list(range(end))
        for at in range(end):
            if used[at]:
                for i in self.arguments[at]:
                    self.last[self.owner[i]] = at
        for at in results:
            self.last[self.owner[at]] = end

    # ------------------------------------------------------------ lines
    def _source(self) -> str:
        fresh = {i for i in self.results if self._own_memory(i)}
        inputs = [f"v{i}" for i in self.inputs]
        in_chains = {at: chain for chain in self.chains for at in chain}
        for at, step in enumerate(self.steps):
            if not self.used[at] or step.op == "input":
                continue
            if step.op == "constant":
                self._name(at, step.value)
            elif at in in_chains:
                if at == in_chains[at][0]:
                    self._emit_chain(in_chains[at])
                continue
            elif not self._static_view(at, step):
                self._emit(at, step, fresh)
            self._release(at)
        returned = self._returned(fresh)
        body = "\n".join(f"    {line}" for line in [*self.lines, f"return ({returned})"])
        return "\n\n\n".join([*self.chain_sources, f"def lowered({', '.join(inputs)}):\n{body}\n"])

    def _own_memory(self, i: int) -> bool:
        return self.owner[i] == i and self.steps[i].op not in ("input", "constant")

    def _name(self, at: int, value: Any) -> None:
        self.arrays[at] = self.names[f"v{at}"] = value

    def _static_view(self, at: int, step: Step) -> bool:
        """Make a view of a buffer or a constant now, since it is the same in every call."""
        if not is_view(step) or at in self.shortcuts:
            return False
        base = self.arrays.get(self.arguments[at][0])
        if base is None:
            return False
        view = Primitive.registry[step.op].forward(base, **step.attrs)
        if not isinstance(view, np.ndarray) or not np.may_share_memory(view, base):
            return False
        self._name(at, view)
        return True

    def _release(self, at: int) -> None:
        for i in {self.owner[j] for j in self.arguments[at]} | {at}:
            buffer = self.arrays.get(i)
            if buffer is not None and self.last[i] == at and i in self.buffered:
                self.free.setdefault((buffer.shape, buffer.dtype), []).append(buffer)
                self.buffered.discard(i)

    def _out(self, at: int, step: Step, fresh: set[int]) -> str | None:
        """The name of the array that a step writes into; None if it makes its own."""
        if not step.shape or at in fresh:
            return None
        key = (step.shape, np.dtype(step.dtype))
        if step.op in _ELEMENTWISE:
            for i in self.arguments[at]:
                dying = self.last[i] == at and self.owner[i] == i and i in self.buffered
                if dying and (self.steps[i].shape, np.dtype(self.steps[i].dtype)) == key:
                    self.buffered.discard(i)
                    return self._buffer(at, self.arrays[i])
        if self.free.get(key):
            return self._buffer(at, self.free[key].pop())
        return self._buffer(at, self._empty(*key))

    def _empty(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        if len(shape) != 4 or not self.images:
            return np.empty(shape, dtype)
        n, *plane = shape  # the layout of the window primitives: with the batch innermost
        return np.empty((*plane, n), dtype).transpose(3, 0, 1, 2)

    def _buffer(self, at: int, array: np.ndarray) -> str:
        self._name(at, array)
        self.buffered.add(at)
        return f"v{at}"

    def _emit(self, at: int, step: Step, fresh: set[int]) -> None:
        xs = [f"v{i}" for i in self.arguments[at]]
        if at not in self.shortcuts:  # which compute the positions themselves
            used = dict(zip(step.inputs, self.arguments[at], strict=True))
            for check in checks(step, self.steps):
                name = f"check{len(self.names)}"
                self.names[name] = check
                self.lines.append(f"{name}(v{used.get(check.at, check.at)})")
        if at in self.shortcuts or at in self.saves_residuals:
            self._emit_shared(at, step, xs)
            return
        writer = _writer(step, [self.steps[i] for i in self.arguments[at]])
        if writer is None or not step.shape:
            self.lines.append(f"v{at} = {self._call(at, step, xs)}")
            return
        out = self._out(at, step, fresh)
        if out is None:
            self.names[f"shape{at}"] = step.shape
            self.names[f"type{at}"] = np.dtype(step.dtype)
            self.names["empty"] = np.empty
            self.lines.append(f"v{at} = empty(shape{at}, type{at})")
            out = f"v{at}"
        self.lines += writer(self, at, xs, out)

    def _emit_chain(self, chain: list[int]) -> None:
        """Elementwise steps over large arrays, block by block."""
        inside = set(chain)
        others = {i for at, s in enumerate(self.steps) if at not in inside for i in s.inputs}
        stored = inside & (others | set(self.results))

        def lines(step: Step, xs: list[str], out: str) -> list[str]:
            writer = _writer(step, [self.steps[i] for i in step.inputs])
            assert writer is not None
            return writer(self, 0, xs, out)

        names = self.names
        run, inputs, results, source = chain_function(self.steps, chain, stored, lines, names)
        name = f"blocks{chain[0]}"
        names[name] = run
        arguments = ", ".join(f"v{i}" for i in inputs)
        self.lines.append(f"{''.join(f'v{i}, ' for i in results)}= {name}({arguments})")
        self.chain_sources.append(source)

    def _emit_shared(self, at: int, step: Step, xs: list[str]) -> None:
        """A step that saves residuals (k…) for a later one, or that uses them."""
        if at in self.saves_residuals:
            self.names[f"f{at}"] = with_residuals(step)
            self.lines.append(f"v{at}, k{at} = f{at}({', '.join(xs)})")
            return
        shortcut = self.shortcuts[at]
        self.names[f"f{at}"] = shortcut.function
        residuals = [] if shortcut.after is None else [f"k{shortcut.after}"]
        self.lines.append(f"v{at} = f{at}({', '.join(xs + residuals)})")

    def _call(self, at: int, step: Step, xs: list[str]) -> str:
        """The step as one expression, which gives a view for a view and otherwise a new array."""
        scalars = not step.shape and all(not self.steps[i].shape for i in self.arguments[at])
        if scalars and step.op in _SIGNS:
            return f"-{xs[0]}" if len(xs) == 1 else f"{xs[0]} {_SIGNS[step.op]} {xs[1]}"
        if step.op in UFUNCS:
            return f"{step.op}({', '.join(xs)})"
        if step.op == "sigmoid" and scalars and step.dtype != "float16":
            return f"1 / (1 + exp(-{xs[0]}))"
        if step.op == "reshape" and step.shape:
            return f"{xs[0]}.reshape({step.shape})"
        if step.op == "permute":
            return f"{xs[0]}.transpose({tuple(step.attrs['dims'])})"
        self.names[f"f{at}"] = own_memory(step)
        return f"f{at}({', '.join(xs)})"

    def _returned(self, fresh: set[int]) -> str:
        """The results, each in memory of its own."""
        returned: set[int] = set()
        texts = []
        for i in self.results:
            is_fresh = i in fresh and i not in returned
            returned.add(i)
            copied = f"copy(v{i})" if self.steps[i].shape else f"copy(v{i})[()]"  # not a 0-d array
            texts.append(f"v{i}" if is_fresh else copied)
        self.names["copy"] = _copied
        return "".join(f"{text}, " for text in texts)


def _copied(array: Any) -> Any:
    return np.array(array)


def is_view(step: Step) -> bool:
    """Whether the result of a step shares the memory of its operand."""
    return step.op in Primitive.registry and Primitive.registry[step.op].view


def own_memory(step: Step) -> Callable[..., Any]:
    """The forward of a step; its result shares memory with an operand only if the op is a view.

    NumPy returns a view in more cases, such as einsum("ii->i") or an index of single numbers, but
    working memory is used again after its last reader.
    """
    primitive = Primitive.registry[step.op]
    forward = partial(primitive.forward, **step.attrs) if step.attrs else primitive.forward
    if is_view(step):
        return forward

    def computed(*operands: Any) -> Any:
        result = forward(*operands)
        if result.__class__ is np.ndarray:
            for x in operands:
                if x.__class__ is np.ndarray and np.may_share_memory(result, x):
                    return np.array(result)
        return result

    return computed


LineWriter = Callable[[FunctionWriter, int, list[str], str], list[str]]


def _writer(step: Step, operands: list[Step]) -> LineWriter | None:
    """A function that writes the lines of a step with an output array; None if NumPy takes none."""
    if step.op in UFUNCS:
        return lambda to, at, xs, out: [f"{step.op}({', '.join(xs)}, out={out})"]
    if step.dtype == "float16":
        return None  # the primitives compute it in float32
    if step.op in _SEVERAL_CALLS:

        def calls(to: FunctionWriter, at: int, xs: list[str], out: str) -> list[str]:
            to.names["zero_" + step.dtype] = np.dtype(step.dtype).type(0)
            zero = "zero_" + step.dtype
            return [s.format(x=xs[0], o=out, zero=zero) for s in _SEVERAL_CALLS[step.op]]

        return calls
    if step.op == "matmul":

        def product(to: FunctionWriter, at: int, xs: list[str], out: str) -> list[str]:
            to.names["matmul"] = np.matmul
            return [f"matmul({xs[0]}, {xs[1]}, {out})"]

        return product
    if step.op == "cat" and all(s.dtype == step.dtype for s in operands):

        def concatenated(to: FunctionWriter, at: int, xs: list[str], out: str) -> list[str]:
            to.names["concatenate"] = np.concatenate
            return [f"concatenate(({', '.join(xs)},), {step.attrs['dim']}, {out})"]

        return concatenated
    if step.op in _REDUCTIONS:
        return _reduction(step, operands[0])
    if step.op in ("cast", "clone"):

        def copied(to: FunctionWriter, at: int, xs: list[str], out: str) -> list[str]:
            to.names["copyto"] = np.copyto
            return [f"copyto({out}, {xs[0]}, 'unsafe')"]

        return copied
    return None


def _reduction(step: Step, operand: Step) -> LineWriter:
    dim, keepdim = tuple(step.attrs["dim"]), bool(step.attrs["keepdim"])
    n = int(np.prod([operand.shape[d] for d in dim], dtype=int))

    def lines(to: FunctionWriter, at: int, xs: list[str], out: str) -> list[str]:
        to.names["reduce_" + step.op] = _REDUCTIONS[step.op]
        axis = dim[0] if len(dim) == 1 else dim
        calls = [f"reduce_{step.op}({xs[0]}, {axis}, None, {out}, {keepdim})"]
        if step.op == "mean":
            to.names[f"n{at}"] = np.dtype(step.dtype).type(n)
            calls.append(f"div({out}, n{at}, {out})")
        return calls

    return lines

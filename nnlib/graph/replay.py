"""A recorded graph as one Python function over NumPy: no tensors, no graph, buffers used again.

`Replay` writes the function's lines, one or two for each step, and compiles them once.  Where
NumPy can write into a given array, a step's result goes into a buffer that is free by then; what is
returned, or kept by someone after the call, is always fresh memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from nnlib.graph.shortcuts import keeping, shortcuts
from nnlib.graph.steps import Graph, Step
from nnlib.record import Primitive

UFUNCS: dict[str, Any] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.true_divide, "pow": np.power,
    "maximum": np.maximum, "minimum": np.minimum, "atan2": np.arctan2, "remainder": np.remainder,
    "floor_divide": np.floor_divide, "eq": np.equal, "ne": np.not_equal, "lt": np.less,
    "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "logical_and": np.logical_and,
    "logical_or": np.logical_or, "logical_xor": np.logical_xor, "logical_not": np.logical_not,
    "isnan": np.isnan, "isinf": np.isinf, "isfinite": np.isfinite, "neg": np.negative,
    "abs": np.abs, "sign": np.sign, "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1,
    "log": np.log, "log2": np.log2, "log10": np.log10, "log1p": np.log1p, "sqrt": np.sqrt,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos,
    "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh,
    "acosh": np.arccosh, "atanh": np.arctanh,
}  # fmt: skip
_SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", "neg": "-"}
_REDUCTIONS = {"sum": np.add.reduce, "amax": np.maximum.reduce, "amin": np.minimum.reduce,
               "mean": np.add.reduce, "prod": np.multiply.reduce}  # fmt: skip
# Elementwise in several strokes, each of which may write where it reads.
_STROKES = {
    "sigmoid": ("neg({x}, {o})", "exp({o}, {o})", "add({o}, 1, {o})", "reciprocal({o}, {o})"),
    "relu": ("maximum({x}, {zero}, out={o})",),
}
_ELEMENTWISE = {*UFUNCS, *_STROKES}


class Replay:
    """Calls of it take the input arrays in order and return the results in order.

    `results` are steps to return in fresh memory.  `writes` maps inputs to steps: the memory of
    that input takes the step's value (for numbers, which have no memory, it is returned after the
    results).
    """

    def __init__(
        self,
        graph: Graph,
        inputs: Sequence[int],
        results: Sequence[int],
        writes: dict[int, int],
    ) -> None:
        self.steps, self.inputs, self.results = graph.steps, list(inputs), list(results)
        self.writes = writes
        # Its name puts its lines under what record.py says of warnings of NumPy's.
        self.names: dict[str, Any] = {"__name__": "nnlib.graph.replayed", **UFUNCS}
        self.names["reciprocal"] = np.reciprocal
        self.lines: list[str] = []
        self.arrays: dict[int, Any] = {}  # what is known before the call: constants, buffers, views
        self.images = any(s.op in ("conv2d", "max_pool2d", "avg_pool2d") for s in self.steps)
        self.free: dict[tuple, list[np.ndarray]] = {}
        self.buffered: set[int] = set()  # the steps whose result is in a buffer of ours
        self.owner = list(range(len(self.steps)))  # the step whose memory a step's result is in
        self.instead = shortcuts(self.steps)
        self.arguments = [
            self.instead[at].arguments if at in self.instead else self._unexpanded(step)
            for at, step in enumerate(self.steps)
        ]
        self._plan()
        self.source = self._source()
        exec(compile(self.source, "<replayed graph>", "exec"), self.names)
        self.run: Callable[..., tuple] = self.names["replay"]

    # ------------------------------------------------------------ what lives how long
    def _unexpanded(self, step: Step) -> list[int]:
        """Arguments; what was only expanded to the result's shape is taken as it was before."""
        arguments = list(step.inputs)
        if step.op not in UFUNCS or len(arguments) != 2:
            return arguments
        for k in (0, 1):
            given, other = self.steps[arguments[k]], self.steps[arguments[1 - k]]
            if given.op == "expand" and other.shape == step.shape:
                arguments[k] = given.inputs[0]
        return arguments

    def _plan(self) -> None:
        end = len(self.steps)
        used = [False] * end
        kept = {*self.results, *self.writes.values()}
        for at in range(end - 1, -1, -1):
            if at in kept or used[at]:
                used[at] = True
                for i in self.arguments[at]:
                    used[i] = True
        self.used = used
        # The steps that are asked to keep something for a later one.
        self.keep = {s.after for at, s in self.instead.items() if used[at] and s.after is not None}
        for at, step in enumerate(self.steps):
            view = step.op in Primitive.registry and Primitive.registry[step.op].view
            if used[at] and view and at not in self.instead:
                self.owner[at] = self.owner[self.arguments[at][0]]
        self.last = list(range(end))
        for at in range(end):
            if used[at]:
                for i in self.arguments[at]:
                    self.last[self.owner[i]] = at
        for at in kept:
            self.last[self.owner[at]] = end

    # ------------------------------------------------------------ lines
    def _source(self) -> str:
        fresh = {i for i in self.results if self._own_memory(i)}
        targets = self._targets()
        inputs = [f"v{i}" for i in self.inputs]
        for at, step in enumerate(self.steps):
            if not self.used[at] or step.op == "input":
                continue
            if step.op == "constant":
                self._name(at, step.value)
            elif not self._static_view(at, step):
                self._emit(at, step, fresh, targets)
            self._release(at)
        returned = self._returned(fresh, targets)
        body = "\n".join(f"    {line}" for line in [*self.lines, f"return ({returned})"])
        return f"def replay({', '.join(inputs)}):\n{body}\n"

    def _own_memory(self, i: int) -> bool:
        return self.owner[i] == i and self.steps[i].op not in ("input", "constant")

    def _targets(self) -> dict[int, int]:
        """Steps that may be computed straight into the input that they are written back to."""
        targets = {}
        for given, at in self.writes.items():
            step = self.steps[at]
            alone = self._own_memory(at) and at not in self.results
            once = list(self.writes.values()).count(at) == 1
            same = (step.shape, step.dtype) == (self.steps[given].shape, self.steps[given].dtype)
            if step.op in UFUNCS and alone and once and same and step.shape:
                # Nothing may look at the old value after this step, nor at it as a moved view.
                looks = [
                    b for b in range(len(self.steps)) if self.used[b] and b != at
                    for i in self.arguments[b] if self.owner[i] == given
                ]  # fmt: skip
                direct = all(i == given or self.owner[i] != given for i in self.arguments[at])
                returned = any(self.owner[r] == given for r in self.results)
                later = [w for w in self.writes.values() if self.owner[w] == given]
                if direct and not returned and not later and all(b < at for b in looks):
                    targets[at] = given
        return targets

    def _name(self, at: int, value: Any) -> None:
        self.arrays[at] = self.names[f"v{at}"] = value

    def _static_view(self, at: int, step: Step) -> bool:
        """A view of a buffer or a constant is the same in every call: it is made now."""
        primitive = Primitive.registry.get(step.op)
        if primitive is None or not primitive.view or at in self.instead:
            return False
        base = self.arrays.get(self.arguments[at][0])
        if base is None:
            return False
        view = primitive.forward(base, **step.attrs)
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

    def _out(self, at: int, step: Step, fresh: set[int], targets: dict[int, int]) -> str | None:
        """The array that a step writes into, by name; None where it makes its own."""
        if not step.shape or at in fresh:
            return None
        if at in targets:
            return f"v{targets[at]}"
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
        n, *plane = shape  # as the window primitives lay images out: with the batch innermost
        return np.empty((*plane, n), dtype).transpose(3, 0, 1, 2)

    def _buffer(self, at: int, array: np.ndarray) -> str:
        self._name(at, array)
        self.buffered.add(at)
        return f"v{at}"

    def _emit(self, at: int, step: Step, fresh: set[int], targets: dict[int, int]) -> None:
        xs = [f"v{i}" for i in self.arguments[at]]
        if at in self.instead or at in self.keep:
            self._emit_shared(at, step, xs)
            return
        if step.op == "draw":
            self.names[f"f{at}"] = step.attrs["again"]
            self.lines.append(f"v{at} = f{at}({', '.join(xs)})")
            return
        writer = _writer(step, [self.steps[i] for i in self.arguments[at]])
        if writer is None or not step.shape:
            self.lines.append(f"v{at} = {self._call(at, step, xs)}")
            return
        out = self._out(at, step, fresh, targets)
        if out is None:
            self.names[f"shape{at}"] = step.shape
            self.names[f"type{at}"] = np.dtype(step.dtype)
            self.names["empty"] = np.empty
            self.lines.append(f"v{at} = empty(shape{at}, type{at})")
            out = f"v{at}"
        self.lines += writer(self, at, xs, out)
        if at in targets:
            self.lines.append(f"v{at} = {out}")

    def _emit_shared(self, at: int, step: Step, xs: list[str]) -> None:
        """A step that keeps something (k…) for a later one, or that uses what was kept."""
        if at in self.keep:
            self.names[f"f{at}"] = keeping(step)
            self.lines.append(f"v{at}, k{at} = f{at}({', '.join(xs)})")
            return
        short = self.instead[at]
        self.names[f"f{at}"] = short.function
        kept = [] if short.after is None else [f"k{short.after}"]
        self.lines.append(f"v{at} = f{at}({', '.join(xs + kept)})")

    def _call(self, at: int, step: Step, xs: list[str]) -> str:
        """The step as one expression that makes its own result."""
        numbers = not step.shape and all(not self.steps[i].shape for i in self.arguments[at])
        if numbers and step.op in _SIGNS:
            return f"-{xs[0]}" if len(xs) == 1 else f"{xs[0]} {_SIGNS[step.op]} {xs[1]}"
        if step.op in UFUNCS:
            return f"{step.op}({', '.join(xs)})"
        if step.op == "sigmoid" and numbers:
            return f"1 / (1 + exp(-{xs[0]}))"
        if step.op == "reshape" and step.shape:
            return f"{xs[0]}.reshape({step.shape})"
        if step.op == "permute":
            return f"{xs[0]}.transpose({tuple(step.attrs['dims'])})"
        forward = Primitive.registry[step.op].forward
        self.names[f"f{at}"] = partial(forward, **step.attrs) if step.attrs else forward
        return f"f{at}({', '.join(xs)})"

    def _returned(self, fresh: set[int], targets: dict[int, int]) -> str:
        given: set[int] = set()
        said = []
        for i in self.results:
            mine = i in fresh and i not in given
            given.add(i)
            said.append(f"v{i}" if mine or not self.steps[i].shape else f"copy(v{i})")
        # Written back last, from values that no writing has changed yet.
        moved = {g: at for g, at in self.writes.items() if at not in targets}
        arrays = {g: at for g, at in moved.items() if self.steps[g].shape}
        held = {at for at in arrays.values() if self.owner[at] in arrays}
        self.names["copy"], self.names["copyto"] = _copied, np.copyto
        for at in held:
            self.lines.append(f"v{at} = copy(v{at})")
        for k, text in enumerate(said):
            if text.startswith("copy"):
                self.lines.append(f"r{k} = {text}")
                said[k] = f"r{k}"
        for g, at in arrays.items():
            self.lines.append(f"copyto(v{g}, v{at}, 'unsafe')")
        said += [f"v{at}" for g, at in moved.items() if not self.steps[g].shape]
        return "".join(f"{s}, " for s in said)

    def read(self) -> list[int]:
        """The positions of the inputs that any step looks at."""
        looked = {i for k in range(len(self.steps)) if self.used[k] for i in self.arguments[k]}
        looked |= {*self.results, *self.writes.values()}
        return [k for k, i in enumerate(self.inputs) if i in looked]

    def numbers_written(self) -> list[int]:
        """The inputs, numbers all, whose new values come after the results."""
        return [g for g in self.writes if not self.steps[g].shape]


def _copied(array: Any) -> Any:
    return np.array(array)


Writer = Callable[[Replay, int, list[str], str], list[str]]


def _writer(step: Step, given: list[Step]) -> Writer | None:
    """How a step writes into an array, or None where NumPy has no such form."""
    if step.op in UFUNCS:
        return lambda replay, at, xs, out: [f"{step.op}({', '.join(xs)}, out={out})"]
    if step.op in _STROKES:

        def strokes(replay: Replay, at: int, xs: list[str], out: str) -> list[str]:
            replay.names["zero_" + step.dtype] = np.dtype(step.dtype).type(0)
            zero = "zero_" + step.dtype
            return [s.format(x=xs[0], o=out, zero=zero) for s in _STROKES[step.op]]

        return strokes
    if step.op == "matmul":

        def product(replay: Replay, at: int, xs: list[str], out: str) -> list[str]:
            replay.names["matmul"] = np.matmul
            return [f"matmul({xs[0]}, {xs[1]}, {out})"]

        return product
    if step.op in _REDUCTIONS:
        return _reduction(step, given[0])
    if step.op in ("cast", "clone"):

        def copied(replay: Replay, at: int, xs: list[str], out: str) -> list[str]:
            replay.names["copyto"] = np.copyto
            return [f"copyto({out}, {xs[0]}, 'unsafe')"]

        return copied
    return None


def _reduction(step: Step, given: Step) -> Writer:
    dim, keep = tuple(step.attrs["dim"]), bool(step.attrs["keepdim"])
    n = int(np.prod([given.shape[d] for d in dim], dtype=int))

    def lines(replay: Replay, at: int, xs: list[str], out: str) -> list[str]:
        replay.names["reduce_" + step.op] = _REDUCTIONS[step.op]
        axis = dim[0] if len(dim) == 1 else dim
        made = [f"reduce_{step.op}({xs[0]}, {axis}, None, {out}, {keep})"]
        if step.op == "mean":
            replay.names[f"n{at}"] = np.dtype(step.dtype).type(n)
            made.append(f"div({out}, n{at}, {out})")
        return made

    return lines

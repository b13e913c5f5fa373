"""Tracing of pure functions: each runs twice on different values, and the runs must not differ.

Which operations a function applies may depend on the structure, shapes and dtypes of its arguments,
but on nothing else.  A `PureTracer` raises GraphError when it detects any other dependence; one
that it cannot detect (on a number from NumPy, a clock, a counter) makes the two runs differ.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from nnlib import record, trees
from nnlib.functions.create import Generator
from nnlib.graph.outside import Outside
from nnlib.graph.simplify import tidy, values_only
from nnlib.graph.steps import GraphError, Step, Steps
from nnlib.graph.tracing import Tracer
from nnlib.primitives import elementwise, reduce
from nnlib.record import Leaf, Value, make


class RandomCall(NamedTuple):
    """A random function's call; compiled calls repeat it with the generator in their arguments."""

    function: Callable[..., Any]
    args: tuple
    kwargs: dict[str, Any]
    generator: int  # its index among the generators in the arguments


class Result(NamedTuple):
    """One leaf of what the function returns: a tensor of the graph, or a fixed value."""

    at: int | None  # its position in the graph, if it is a tensor
    leaf: bool = False  # whether it is a new leaf that requires a gradient
    fixed: Any = None


class Traced(NamedTuple):
    """A pure function for one structure of arguments: what it computes, and what it returns."""

    graph: Steps
    inputs: list[int]  # positions of argument tensors, captured tensors and random numbers
    captured: list[Value]
    random_calls: list[RandomCall]
    structure: trees.Structure
    results: list[Result]
    expected: list[tuple[int, str]]  # steps that must be False, and the error if one is not


class PureTracer(Tracer):
    """A tracer of one run; it raises GraphError for anything that a pure function may not do."""

    def __init__(self, function: str, leaves: list[Any], paths: list[str], outside: Outside):
        super().__init__()
        self.function, self.outside = function, outside
        self.refused: GraphError | None = None  # kept, since the function might catch it
        self.random_calls: list[RandomCall] = []
        self.expected: list[tuple[int, str]] = []  # steps that must be False, and the error if not
        self.samples: list[int] = []
        self.numbers: list[Any] = []  # constants as the program wrote them, before rounding
        self.outside_tensors: list[tuple[int, Value]] = []  # neither argument nor result
        self.arguments: dict[int, str] = {}
        self.inputs: list[int] = []
        self.generators: dict[int, int] = {}
        self.leaves: list[Any] = []
        for leaf, path in zip(leaves, paths, strict=True):
            self.leaves.append(self._copied_argument(leaf, path))

    def _copied_argument(self, leaf: Any, path: str) -> Any:
        """A copy of an argument for the function, so that the caller's own cannot change."""
        if isinstance(leaf, Generator):
            own = copy.deepcopy(leaf)
            self.generators[id(own)] = len(self.generators)
            return own
        if not isinstance(leaf, Value):
            return leaf
        data = _in_same_layout(leaf._data, lambda x: x)
        value = make(data[()], None if leaf._node is None else Leaf())
        value = _in_class_of(value, leaf)
        data = value._data
        self.arguments[id(value)] = path
        self.inputs.append(self.add(Step("input", data.shape, data.dtype.name, name=path), value))
        return value

    def refusal(self, reason: str) -> GraphError:
        if self.refused is None:
            self.refused = GraphError(f"compile: {self.function} {reason}")
        return self.refused

    def needs_gradient(self, value: Value) -> GraphError:
        return self.refusal(
            "uses a tensor that requires a gradient and is not an argument"
            f"{self.outside.called(value)}. Pass it as an argument; parameters of a module go in "
            "as a dict, with nnlib.func.functional_call(module, params, x)."
        )

    # -- constants
    def constant(self, array: Any, value: Value | None = None) -> int:
        if value is not None:
            if value._node is not None and self.outside.holds(value):
                raise self.needs_gradient(value)
            self.outside_tensors.append((len(self.steps), value))
        at = super().constant(array, value)
        self.numbers.append((at, array))
        return at

    def find(self, value: Any, like: np.dtype | None = None) -> int:
        at = super().find(value, like)
        if isinstance(value, (int, float)):
            self.numbers.append((at, value))
        return at

    # -- the methods of record.TracerProtocol
    def changing(self, value: Value, how: str) -> None:
        self._refuse_change(value, how)

    def rebound(self, value: Value, result: Value) -> None:
        self._refuse_change(value, "in-place change of a view")
        super().rebound(value, result)

    def _refuse_change(self, value: Value, how: str) -> None:
        path = self.arguments.get(id(value))
        if path is not None:
            raise self.refusal(
                f"changes its argument {path} in place ({how}). A pure function returns new "
                "values: write w = w - step instead of w -= step, and return w."
            )
        if self.outside.holds(value):
            raise self.refusal(
                f"changes a tensor in place that is not its own{self.outside.called(value)} "
                f"({how}). Pass it as an argument and return its new value."
            )

    def leaf_grad(self, leaf: record.Node) -> None:
        raise self.refusal(
            "calls .backward(), or reads or writes a tensor's .grad. Take gradients inside with "
            "nnlib.func.grad_and_value(loss)(params, …), or with nnlib.autograd.grad(loss, "
            "tensors), and return them or the new parameters."
        )

    def value_read(self, value: Value, how: str) -> None:
        at = self.known.get(id(value))
        if (at is not None and at in self.dependent) or self.outside.holds(value):
            raise self.refusal(
                f"reads a tensor's value with {how}: later calls would use this same value. "
                "Use nnlib.where(condition, a, b) instead of if; keep numbers in "
                "tensors instead of .item() and NumPy; print results outside."
            )

    def expects(self, value: Value, low: float, high: float, error: str) -> None:
        if self.find(value) not in self.dependent:
            return
        with record.recording(False):
            out_of_range = reduce.any(
                elementwise.logical_not(
                    elementwise.logical_and(elementwise.ge(value, low), elementwise.le(value, high))
                ),
                dim=tuple(range(value._data.ndim)),
                keepdim=False,
            )
        self.expected.append((self.find(out_of_range), error))

    def sample(self, function: Callable[..., Any], args: tuple, kwargs: dict) -> Any:
        name = function.__name__
        generator = self.generators.get(id(kwargs.get("generator")))
        if generator is None:
            raise self.refusal(
                f"generates random numbers with {name}() from a generator that is not an argument: "
                "a pure function returns the same for the same arguments. Take generator= as an "
                f"argument of the function (nnlib.Generator()) and write {name}(…, "
                "generator=generator); for dropout, multiply by a mask that is made in this way."
            )
        if any(isinstance(a, Value) for a in [*args, *kwargs.values()]):
            raise self.refusal(
                f"calls {name}() on a tensor's values: generate them with nnlib.rand(shape, "
                "generator=generator) and compare, as in rand(…) < p"
            )
        with record.traced_by(None):
            result = function(*args, **kwargs)
        other_kwargs = {k: v for k, v in kwargs.items() if k != "generator"}
        self.random_calls.append(RandomCall(function, args, other_kwargs, generator))
        data = result._data
        step = Step("input", data.shape, data.dtype.name, name="sample")
        self.samples.append(self.add(step, result))
        return result

    def refuse(self, reason: str) -> None:
        raise self.refusal(f"is not pure: {reason}")


def _in_class_of(value: Any, like: Value) -> Any:
    """The value in the class of `like`: functions may check whether they get a Parameter."""
    if type(value) is type(like):
        return value
    result: Any = object.__new__(type(like))
    result._data, result._node = value._data, value._node
    return result


# ---------------------------------------------------------------- one run, and the two together


def traced(
    fn: Callable[..., Any], name: str, leaves: list[Any], structure: trees.Structure,
    outside: Outside,
) -> Traced:  # fmt: skip
    """Trace `fn` for arguments of this structure, a tree of (args, kwargs).

    Raises GraphError, with the reason, if the function is not pure.
    """
    first = _run(fn, name, leaves, structure, outside)
    try:
        second = _run(fn, name, [_other_value(x) for x in leaves], structure, outside)
    except GraphError:
        raise
    except Exception:  # such as an integer divisor that is now 0: change the values less
        second = _run(fn, name, [_other_value(x, shift=0) for x in leaves], structure, outside)
    captured = _captured_positions(first, second)
    tracer, out_structure, results = first
    steps = list(tracer.steps)
    for at in captured:
        constant = steps[at]
        steps[at] = Step("input", constant.shape, constant.dtype, name=constant.name or "captured")
    sources = [*tracer.inputs, *captured, *tracer.samples]
    outputs = {f"i{k}": at for k, at in enumerate(sources)}
    outputs |= {f"o{k}": r.at for k, r in enumerate(results) if r.at is not None}
    outputs |= {f"e{k}": at for k, (at, _) in enumerate(tracer.expected)}
    graph = tidy(values_only(Steps(steps, outputs)))
    positions = graph.outputs
    inputs = [positions[f"i{k}"] for k in range(len(sources))]
    results = [
        r if r.at is None else r._replace(at=positions[f"o{k}"]) for k, r in enumerate(results)
    ]
    tensors = [v for at in captured for k, v in tracer.outside_tensors if k == at]
    _name_results(graph, out_structure, results)
    expected = [(positions[f"e{k}"], error) for k, (_, error) in enumerate(tracer.expected)]
    return Traced(graph, inputs, tensors, tracer.random_calls, out_structure, results, expected)


def _name_results(graph: Steps, structure: trees.Structure, results: list[Result]) -> None:
    graph.outputs = {
        path or "result": r.at
        for path, r in zip(trees.paths(structure), results, strict=True)
        if r.at is not None
    }


Run = tuple[PureTracer, trees.Structure, list[Result]]


def _run(
    fn: Callable[..., Any], name: str, leaves: list[Any], structure: trees.Structure,
    outside: Outside,
) -> Run:  # fmt: skip
    args, kwargs = structure.children
    tracer = PureTracer(name, leaves, _named(fn, args, kwargs), outside)
    arguments = trees.build(structure, tracer.leaves)
    try:
        with record.traced_by(tracer):
            returned = fn(*arguments[0], **arguments[1])
    finally:
        if tracer.refused is not None:
            raise tracer.refused from None
    after, structure_after = trees.flatten(arguments)
    if structure_after != structure or any(a is not b for a, b in zip(after, tracer.leaves)):
        raise tracer.refusal(
            "changes a list, dict or object that is an argument. A pure function returns new "
            "values: build a new one and return it."
        )
    if not outside.unchanged():
        raise tracer.refusal(
            "changes something outside itself (a list, a dict, an attribute, a variable), which a "
            "compiled call would not do again. Return it instead."
        )
    values, out_structure = trees.flatten(returned)
    nodes = {v._node for v in tracer.leaves if isinstance(v, Value) and v._node is not None}
    results = [
        _result(tracer, v, path, nodes)
        for v, path in zip(values, trees.paths(out_structure), strict=True)
    ]
    return tracer, out_structure, results


def _named(fn: Callable[..., Any], args: trees.Structure, kwargs: trees.Structure) -> list[str]:
    """The name of each leaf, such as "w" or "params['bias']", by the names of the parameters."""
    try:
        names = list(inspect.signature(fn).parameters)
    except (TypeError, ValueError):
        names = []
    paths = []
    for k, child in enumerate(args.children):
        paths += trees.paths(child, names[k] if k < len(names) else f"argument {k}")
    for key, child in zip(kwargs.keys, kwargs.children, strict=True):
        paths += trees.paths(child, key)
    return paths


def _result(tracer: PureTracer, value: Any, path: str, nodes: set) -> Result:
    if not isinstance(value, Value):
        if not isinstance(value, (int, float, str, bool, type(None))):
            raise tracer.refusal(
                f"returns {type(value).__name__} (the result{path}): it must return tensors, "
                "numbers or strings, in tuples, lists, dicts or data classes"
            )
        return Result(None, fixed=value)
    node = value._node
    if node is not None and (not isinstance(node, Leaf) or node in nodes):
        raise tracer.refusal(
            f"returns a tensor with a history (the result{path}): gradients do not flow out of a "
            "compiled function. Take them inside, with nnlib.func.grad or nnlib.autograd.grad; "
            "or pass arguments that require no gradient (p.detach()), return y.detach(), or call "
            "it under no_grad()."
        )
    return Result(tracer.find(value), leaf=node is not None)


def _other_value(leaf: Any, shift: int = 1) -> Any:
    """Another value of the same shape: elements rotated by `shift`, and floats changed slightly.

    Probabilities, positive numbers and class indices stay valid.
    """
    if not isinstance(leaf, Value) or not leaf._data.size:
        return leaf

    def changed(x: np.ndarray) -> np.ndarray:
        rolled = np.roll(x, shift)
        return rolled * 0.96875 + 2**-10 if rolled.dtype.kind == "f" else rolled

    data = _in_same_layout(leaf._data, changed)
    return _in_class_of(make(np.asarray(data)[()], None if leaf._node is None else Leaf()), leaf)


def _in_same_layout(array: Any, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """`change` of an array in new memory; order and expanded dimensions stay as they are.

    Eager results have the layout of their operands, which decides whether a reshape is a view.
    """
    array = np.asarray(array)
    expanded = [n > 1 and stride == 0 for n, stride in zip(array.shape, array.strides)]
    base = array[tuple([slice(0, 1) if e else slice(None) for e in expanded])]
    data = np.empty_like(base)
    data[...] = change(base)
    return np.broadcast_to(data, array.shape) if any(expanded) else data


def _captured_positions(first: Run, second: Run) -> list[int]:
    """The positions of captured tensors.  Raises GraphError if the two runs differ."""
    (a, structure, results), (b, second_structure, second_results) = first, second
    if structure != second_structure or [_comparable_result(r) for r in results] != [
        _comparable_result(r) for r in second_results
    ]:
        raise a.refusal(
            "returned something different when it ran a second time on other values: what it "
            "returns besides tensors must not depend on them, or on a counter, a clock or a random "
            "number"
        )
    if len(a.steps) != len(b.steps):
        raise _differ(a, f"{len(a.steps)} and {len(b.steps)} steps")
    captured = []
    first_tensors, second_tensors = dict(a.outside_tensors), dict(b.outside_tensors)
    for at, (x, y) in enumerate(zip(a.steps, b.steps, strict=True)):
        if _comparable(x) != _comparable(y):
            raise _differ(a, f"{x.op} and {y.op}, step {at}")
        if (
            x.op == "constant"
            and at in first_tensors
            and first_tensors[at] is second_tensors.get(at)
        ):
            captured.append(at)
            if first_tensors[at]._node is not None:
                raise a.needs_gradient(first_tensors[at])
            _check_reachable(a, first_tensors[at])
        elif x.op == "constant" and not _equal(x.value, y.value):
            raise _differ(a, _constants_text(x.value, y.value))
    for (_, x), (_, y) in zip(a.numbers, b.numbers, strict=True):
        if type(x) is not type(y) or not _equal(x, y):
            raise _differ(a, _constants_text(x, y))
    return captured


def _comparable_result(result: Result) -> Any:
    return result.at, result.leaf, type(result.fixed), repr(result.fixed)


def _comparable(step: Step) -> Any:
    return step.op, step.shape, step.dtype, step.inputs, repr(sorted(step.attrs.items()))


def _equal(x: Any, y: Any) -> bool:
    x, y = np.asarray(x), np.asarray(y)
    return x.shape == y.shape and x.dtype == y.dtype and x.tobytes() == y.tobytes()


def _constants_text(x: Any, y: Any) -> str:
    x, y = np.asarray(x), np.asarray(y)
    return f"a constant was {x.ravel()[:1]} and then {y.ravel()[:1]}"


def _differ(tracer: PureTracer, how: str) -> GraphError:
    return tracer.refusal(
        f"applied other operations when it ran a second time on other values ({how}). It depends "
        "on something that is not an argument, or on a value: NumPy's random numbers, a clock, a "
        "counter, a number taken out of a tensor. Pass it in as an argument."
    )


def _check_reachable(tracer: PureTracer, value: Value) -> None:
    if not tracer.outside.holds(value):
        raise tracer.refusal(
            "uses a tensor that is not an argument, reached in a way that cannot be followed. Pass "
            "it as an argument."
        )

"""What `nnlib.compile` returns: a function that is recorded and replayed, updates included.

The first call with arguments of new shapes runs the function as it stands, and records every
primitive: the forward pass, the gradients that it takes, the changes that it makes in place.  Later
calls replay the record (`nnlib.graph.replay`) while everything that the function can see is as it
was (`nnlib.graph.surroundings`); where it is not, it is recorded anew.  A function that cannot be
replayed truly (it looks at a value, it counts in Python) runs as it is written, with a warning.
"""

from __future__ import annotations

import functools
import gc
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from nnlib import dtypes, record
from nnlib.autograd.engine import _FREED
from nnlib.graph.replay import Replay
from nnlib.graph.simplify import tidy
from nnlib.graph.steps import Graph, Step
from nnlib.graph.surroundings import PLAIN, Gradient, Place, Surroundings
from nnlib.graph.tracing import Tracer
from nnlib.record import Leaf, Node, Primitive, Value, make

MOST_RECORDS = 64  # kept per function; beyond it the oldest goes
PATIENCE = 8  # recordings in a row that did not hold until the next call


class Compiled:
    """A function with its recordings; `recordings` counts how often it was recorded."""

    looked_at = ("fn",)  # by Surroundings: `def step(): … rule.step()` reaches itself by its name

    def __init__(self, fn: Callable[..., Any]) -> None:
        if not callable(fn):
            raise TypeError(f"compile needs a function, not {type(fn).__name__}")
        functools.update_wrapper(self, fn, updated=())
        self.fn = fn
        self.recordings = 0
        self.as_written: str | None = None  # why it runs as it is written, if it does
        self._plans: dict[Any, list[Plan]] = {}
        self._unstable = 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.as_written is not None or record.mode & record.WATCHED:
            return self.fn(*args, **kwargs)
        try:
            structure, tensors, others = _flattened(args, kwargs)
            key = (structure, record.mode, dtypes.get_default_dtype())
            plans = self._plans.get(key, ())
        except TypeError:  # an argument that cannot be told from another one
            return self.fn(*args, **kwargs)
        for plan in plans:
            inputs = plan.inputs(tensors)
            if inputs is not None:
                return plan.run(inputs)
        return self._record(key, args, kwargs, tensors, others)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def _record(self, key: Any, args: Any, kwargs: Any, tensors: list, others: list) -> Any:
        recorder = Recorder(self.fn, tensors, others)
        if recorder.failed is not None:
            self._give_up(recorder.failed)
            return self.fn(*args, **kwargs)
        with recorder.listening():
            result = self.fn(*args, **kwargs)
        self.recordings += 1
        plan = None if recorder.failed else Plan.made(recorder, result)
        if recorder.failed is not None:
            self._give_up(recorder.failed)
        elif plan is None:  # it has changed what is no tensor, as a first step makes state
            self._unstable += 1
            if self._unstable > PATIENCE:
                self._give_up(
                    "each call changes numbers or objects in Python that the next one may read; "
                    "keep what changes in tensors"
                )
        else:
            self._keep(key, plan)
        return result

    def _keep(self, key: Any, plan: Plan) -> None:
        if sum(map(len, self._plans.values())) >= MOST_RECORDS:
            oldest = next(iter(self._plans))
            del self._plans[oldest]
        self._plans.setdefault(key, []).insert(0, plan)
        self._unstable = 0

    def _give_up(self, reason: str) -> None:
        self.as_written = reason
        self._plans.clear()
        name = getattr(self.fn, "__name__", "the function")
        warnings.warn(f"compile: {name} runs as it is written: {reason}", stacklevel=4)


# ---------------------------------------------------------------- arguments


def _flattened(args: tuple, kwargs: dict) -> tuple[Any, list[Value], list[Any]]:
    """The form of the arguments, their tensors (each once), and other objects among them."""
    tensors: list[Value] = []
    others: list[Any] = []
    at: dict[int, int] = {}

    def form(x: Any) -> Any:
        if isinstance(x, Value):
            k = at.setdefault(id(x), len(tensors))
            if k == len(tensors):
                tensors.append(x)
            data, node = x._data, x._node
            return k, data.shape, data.dtype, node is not None and (1 if type(node) is Leaf else 2)
        if isinstance(x, PLAIN):
            return type(x), repr(x)  # 1 and True are equal, and so are 0.0 and -0.0
        if isinstance(x, (list, tuple)):
            return type(x), tuple([form(v) for v in x])
        if type(x) is dict:
            return dict, tuple([(k, form(v)) for k, v in x.items()])
        others.append(x)
        return type(x), id(x)

    return (form(args), form(kwargs) if kwargs else None), tensors, others


# ---------------------------------------------------------------- recording


class Recorder(Tracer):
    """A tracer that never refuses: it notes why a recording would not be true, and listens on."""

    def __init__(self, fn: Callable[..., Any], tensors: list[Value], others: list[Any]) -> None:
        super().__init__()
        self.failed: str | None = None
        self.arguments = tensors
        self.surroundings = around = Surroundings(fn, *others)
        self.others = others
        self.failed = around.unseen
        captured = {id(v) for _, v in around.places}
        if any(id(t) in captured for t in tensors):
            self.failed = "a tensor is an argument and is captured as well"
        self.places = [*map(_argument, range(len(tensors)), tensors), *around.places]
        self.places += self._argument_gradients()
        self.before = [_state(v) for _, v in self.places]
        self.when: dict[int, int] = {}
        self._check_places()
        for _, value in self.places:
            data = value._data
            self.add(Step("input", data.shape, data.dtype.name), value)
        # Kept while it listens, so that no new tensor gets the id of one that has gone meanwhile.
        self._older: dict[int, Any] = {
            id(o): o for o in gc.get_objects() if issubclass(type(o), Value)
        }

    def _argument_gradients(self) -> list[tuple[Place, Value]]:
        return [
            (Gradient(place), value._node.grad)
            for place, value in self.places[: len(self.arguments)]
            if isinstance(value._node, Leaf) and value._node.grad is not None
        ]

    def _check_places(self) -> None:
        owners = [record._owner(v._data) for _, v in self.places if isinstance(v._data, np.ndarray)]
        if len(set(owners)) != len(owners):
            self.fail("two tensors that it reaches share memory")
        if any(v._node is not None and v._node.extra for _, v in self.places):
            self.fail("a tensor that it reaches has hooks")

    def fail(self, reason: str) -> None:
        self.failed = self.failed or reason

    def let_go(self) -> None:
        """The older tensors are known by their ids alone from here on."""
        self._older = dict.fromkeys(self._older)

    def listening(self) -> Any:
        """A context in which the function's primitives are recorded."""
        return _Listening(self)

    # -- what record.Watcher asks for
    def bind(self, value: Value, at: int) -> None:
        super().bind(value, at)
        self.when[id(value)] = record.clock

    def find(self, value: Any, like: np.dtype | None = None) -> int:
        if isinstance(value, Value):
            key = id(value)
            if key not in self.known:
                if key in self._older:
                    self.fail("it reaches a tensor in a way that cannot be followed")
                elif self._shares(value._data):
                    self.fail("it reaches a tensor's memory by way of NumPy")
            elif record.was_changed(value._data, self.when[key]):
                self.fail("it uses a view of memory that was changed in place after it was made")
        return super().find(value, like)

    def _shares(self, data: Any) -> bool:
        if not isinstance(data, np.ndarray):
            return False
        owner = record._owner(data)
        return any(
            isinstance(v._data, np.ndarray) and record._owner(v._data) == owner
            for _, v in self.places
        )

    def saw(self, primitive: Primitive, args: tuple, attrs: dict, result: Value) -> None:
        if not self.failed:
            super().saw(primitive, args, attrs, result)

    def alias(self, value: Value, of: Value) -> None:
        if not self.failed:
            super().alias(value, of)

    def rebound(self, value: Value, result: Value) -> None:
        if self.failed:
            return
        super().rebound(value, result)

    def peeked(self, value: Value, how: str) -> None:
        at = self.known.get(id(value))
        if at is None or at in self.live:
            self.fail(f"it looks at a tensor's value with {how}: use nnlib.where instead of if")

    def refuse(self, reason: str) -> None:
        self.fail(reason)

    def draw(self, function: Callable[..., Any], args: tuple, kwargs: dict) -> Any:
        """A random function: applied now without being recorded, and again at each replay."""
        watcher, mode = record.watcher, record.mode
        record.watcher, record.mode = None, mode & ~record.WATCHED
        try:
            result = function(*args, **kwargs)
        finally:
            record.watcher, record.mode = watcher, mode
        if any(isinstance(a, Value) for a in [*args, *kwargs.values()]):
            self.fail(f"it calls {function.__name__}() on a tensor's values")
            return result
        if result._node is not None:
            self.fail(f"it calls {function.__name__}() with requires_grad=True")
        again = functools.partial(_drawn, function, args, kwargs)
        data = result._data
        which = len(self.steps)  # two draws are never one
        step = Step("draw", data.shape, data.dtype.name, (), {"again": again, "which": which})
        self.live.add(self.add(step, result))
        return result


def _drawn(function: Callable[..., Any], args: tuple, kwargs: dict) -> Any:
    return function(*args, **kwargs)._data


def _argument(k: int, value: Value) -> tuple[Place, Value]:
    return ArgumentPlace(k), value


class ArgumentPlace(Place):
    """The k-th tensor among the arguments of the call that runs."""

    __slots__ = ("k", "now")

    def __init__(self, k: int) -> None:
        self.k = k
        self.now: Value | None = None
        super().__init__(lambda: self.now, lambda value: None)


class _Listening:
    """Records while the function runs, and notes gradients that leave what was recorded."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.watching = record.watching(recorder)
        self.hooked: list[tuple[Node, Any]] = []

    def __enter__(self) -> None:
        for place, value in self.recorder.places:
            if isinstance(place, ArgumentPlace):
                place.now = value
            node = value._node
            if node is not None and not isinstance(node, Leaf):
                self.hooked.append((node, node.extra))
                node.extra = {"hooks": {"compile": self._passed}}
        self.watching.__enter__()

    def _passed(self, gradient: Any) -> None:
        self.recorder.fail("its gradients go on into what was computed before the call")

    def __exit__(self, *error: Any) -> None:
        self.recorder.let_go()
        self.watching.__exit__(*error)
        for node, extra in self.hooked:
            node.extra = extra


# ---------------------------------------------------------------- replaying


class Plan:
    """One recording: where its inputs stand, the replay, and where its results go."""

    def __init__(self, recorder: Recorder) -> None:
        self.surroundings = recorder.surroundings
        self.others = recorder.others  # kept alive, so that no other object takes their id
        self.arguments = [p for p, _ in recorder.places if isinstance(p, ArgumentPlace)]
        self.places = [p for p, _ in recorder.places]
        self.forms: list[tuple] = []
        self.replay: Replay
        self.sets: list[tuple[Place, int | None]] = []  # what stands somewhere else afterwards
        self.returns: Any = None
        self.differentiable: list[str | None] = []

    @classmethod
    def made(cls, recorder: Recorder, result: Any) -> Plan | None:
        """The plan of a recording; None where the call changed what the recording rests on."""
        plan = cls(recorder)
        values = [v for _, v in recorder.places]
        plan.forms = [_form(v, state) for v, state in zip(values, recorder.before)]
        outputs: list[Value] = []
        plan.sets = _rebound(recorder, outputs)
        plan.returns = _structured(result, values, outputs, recorder)
        known = [recorder.known[id(v)] for v in values]
        writes = {k: at for k, at in enumerate(known) if at != k}
        _refuse_odd_changes(recorder, values, writes)
        at = [recorder.find(v) for v in outputs]
        plan.differentiable = [_history(v, recorder) for v in outputs]
        if recorder.failed is not None or plan.surroundings.hold() is None:
            return None
        plan._build(recorder, at, writes)
        plan._settle()
        return plan

    def _build(self, recorder: Recorder, at: list[int], writes: dict[int, int]) -> None:
        """Tidy the record and write the replay; positions are followed by way of output names."""
        n, m = len(self.places), len(at)
        wanted = [*range(n), *at, *writes.values()]
        graph = tidy(Graph(recorder.steps, {str(k): i for k, i in enumerate(wanted)}))
        found = list(graph.outputs.values())
        inputs, results, written = found[:n], found[n : n + m], found[n + m :]
        targets = {inputs[k]: i for k, i in zip(writes, written)}
        self.graph = Graph(graph.steps, {str(k): i for k, i in enumerate(results)})
        self.replay = Replay(graph, inputs, results, targets)
        where = {i: k for k, i in enumerate(inputs)}
        self.numbers = [where[i] for i in self.replay.numbers_written()]
        self.changed = [k for k in writes if recorder.steps[k].shape]

    def _settle(self) -> None:
        """Keep what a call needs: the tensors at hand, and of each what must be the same."""
        used = {*self.replay.read(), *self.changed, *self.numbers}
        used |= {k for kind, k in _leaves_of(self.returns) if kind == "place"}
        n = len(self.arguments)
        self.captured: list[Any] = [p.get() if k >= n else None for k, p in enumerate(self.places)]
        # A tensor that nothing reads matters only where it has, or has not, a gradient.
        self.checks = [
            (k, *self.forms[k]) for k in range(n, len(self.places))
            if k in used or self.forms[k][2] == 1
        ]  # fmt: skip
        self.fresh = [k for k in range(n, len(self.places)) if k in used and self._is_grad(k)]
        self.written = {
            record._owner(self.captured[k]._data) for k in self.changed if k >= n
        }  # fmt: skip
        self.alone = not self.changed and not self.numbers
        self.histories = [
            None if history is None else (history, _Replayed(self.graph, k))
            for k, history in enumerate(self.differentiable)
        ]
        self.moves = any(not isinstance(p, Gradient) for p, _ in self.sets)

    def _is_grad(self, k: int) -> bool:
        return isinstance(self.places[k], Gradient)

    # ------------------------------------------------------------ a call
    def inputs(self, tensors: list[Value]) -> list[Value] | None:
        """The tensors that the replay starts from; None where this recording is not true now."""
        same = self.surroundings.hold()
        if same is None:
            return None
        values = self.captured
        if not same or self.fresh:
            try:
                for k in self.fresh if same else range(len(tensors), len(values)):
                    values[k] = self.places[k].get()
            except (KeyError, IndexError, AttributeError, ValueError):
                return None
        for k, shape, dtype, kind, graded in self.checks:
            value = values[k]
            if value is None:
                return None
            data, node = value._data, value._node
            if data.shape != shape or data.dtype != dtype:
                return None
            if node is None:
                if kind:
                    return None
            elif node.__class__ is not Leaf:
                if kind != 2:
                    return None
            elif kind != 1 or (node.grad is not None) is not graded or node.extra is not None:
                return None
        values[: len(tensors)] = tensors
        for t in tensors:  # how those come in is part of the key, but for their gradients
            if t._node is not None and not self._graded(t, tensors):
                return None
        return values if self.alone or self._apart(tensors) else None

    def _graded(self, t: Value, tensors: list[Value]) -> bool:
        k = next(k for k, other in enumerate(tensors) if other is t)
        node = t._node
        if not isinstance(node, Leaf):
            return True
        return (node.grad is not None) is self.forms[k][3] and node.extra is None

    def _apart(self, tensors: list[Value]) -> bool:
        """Whether no argument lies in memory that is written, or two of them in the same."""
        seen = set(self.written)
        for t in tensors:
            data = t._data
            if data.__class__ is np.ndarray:
                owner = id(data) if data.base is None else record._owner(data)
                if owner in seen:
                    return False
                seen.add(owner)
        return True

    def run(self, values: list[Value]) -> Any:
        given = [v._data for v in values]
        saved: Any = None
        if "whole" in self.differentiable:
            saved = given if self.alone else [np.array(a)[()] for a in given]
        made = self.replay.run(*given)
        for k in self.changed:
            record.mark_changed(given[k])
        outputs = []
        for data, history in zip(made, self.histories):
            node = None if history is None else _node(*history, values, saved)
            outputs.append(make(data, node))
        for k, number in zip(self.numbers, made[len(outputs) :]):
            values[k]._data = values[k]._data.dtype.type(number)
        for place, at in self.sets:
            place.set(None if at is None else outputs[at])
        result = _filled(self.returns, outputs, values)
        if self.moves:
            self.surroundings.hold()
            self._settle()
        return result


def _node(history: str, step: _Replayed, values: list[Value], saved: Any) -> Node:
    node = Node(step, tuple([v._node for v in values]))  # type: ignore[arg-type]
    if history == "freed":
        node.attrs = _FREED
    else:
        node.args = tuple(saved)
    return node


def _leaves_of(form: Any) -> list[tuple]:
    if form[0] in ("sequence", "dict"):
        return [leaf for f in form[-1] for leaf in _leaves_of(f)]
    return [form]


class _Replayed:
    """Stands where a primitive does: the gradient of a replayed result, computed when asked for."""

    view = broadcasts = saves_args = saves_out = crosses = False
    plain = keeping = None
    vjps: tuple = ()
    shape_only: tuple[int, ...] = ()
    differentiable = True
    family = "function"
    name = "compiled"

    def __init__(self, graph: Graph, output: int) -> None:
        self.graph, self.output = graph, output

    def joint(self, needs: tuple, g: Any, out: Any, *args: Any, **attrs: Any) -> tuple:
        from nnlib.autograd import grad

        create = isinstance(g, Value)
        with record.recording(True):
            leaves = [_leaf(a, need) for a, need in zip(args, needs)]
            inputs = iter(leaves)
            values: list[Any] = []
            for step in self.graph.steps:
                if step.op == "input":
                    values.append(next(inputs))
                elif step.op == "constant":
                    values.append(make(step.value))
                else:
                    given = [values[i] for i in step.inputs]
                    values.append(Primitive.registry[step.op](*given, **step.attrs))
            result = values[self.graph.outputs[str(self.output)]]
        start = g if create else make(g)
        wanted = [x for x, need in zip(leaves, needs) if need]
        gs = iter(grad(result, wanted, start, create_graph=create, allow_unused=True))
        found = [next(gs) if need else None for need in needs]
        return tuple([x if x is None or create else x._data for x in found])


def _leaf(a: Any, need: bool) -> Any:
    if isinstance(a, Value):
        return a
    return make(a, Leaf() if need else None)


def _state(value: Value) -> tuple[Node | None, Any, Any]:
    """A tensor's node, memory and gradient before the call."""
    node = value._node
    return node, value._data, node.grad if isinstance(node, Leaf) else None


def _form(value: Value, state: tuple) -> tuple:
    """What of a tensor must be the same: shape, type, whether it is recorded, has a gradient."""
    node, data, grad = state
    kind = 0 if node is None else 1 if isinstance(node, Leaf) else 2
    return data.shape, data.dtype, kind, grad is not None


def _rebound(recorder: Recorder, outputs: list[Value]) -> list[tuple[Place, int | None]]:
    """Places where another tensor stands after the call, and leaves that have a gradient now."""
    sets: list[tuple[Place, int | None]] = []
    for (place, value), (node, _, grad) in zip(recorder.places, recorder.before):
        try:
            now = place.get()
        except (KeyError, IndexError, AttributeError, ValueError):
            now = None
        if now is not value:
            sets.append((place, _kept(now, outputs, recorder)))
        if isinstance(node, Leaf) and grad is None and node.grad is not None:
            sets.append((Gradient(place), _kept(node.grad, outputs, recorder)))
    return sets


def _kept(now: Any, outputs: list[Value], recorder: Recorder) -> int | None:
    """The position among the outputs of a tensor that stands somewhere after the call."""
    if now is None:
        return None
    if not isinstance(now, Value):
        recorder.fail("it puts something else where a tensor stood")
        return None
    if now._node is not None:
        recorder.fail("it keeps a tensor with a history from one call to the next: detach() it")
    return _position(now, outputs)


def _position(value: Value, outputs: list[Value]) -> int:
    for k, known in enumerate(outputs):
        if known is value:
            return k
    outputs.append(value)
    return len(outputs) - 1


def _refuse_odd_changes(recorder: Recorder, values: list, writes: dict[int, int]) -> None:
    for value, (node, data, _) in zip(values, recorder.before):
        if value._node is not node:
            recorder.fail("it changes a tensor in place whose gradient is recorded")
        if isinstance(data, np.ndarray) and value._data is not data:
            recorder.fail("it gives a tensor other memory")
    for k in writes:
        if not isinstance(values[k]._data, np.ndarray) and getattr(values[k], "_view", None):
            recorder.fail("it changes an element of a tensor through a view")


def _history(value: Value, recorder: Recorder) -> str | None:
    """Whether a result can be differentiated: no, yes, or not again (its graph was used up)."""
    node = value._node
    if node is None:
        return None
    if isinstance(node, Leaf):
        recorder.fail("it makes a tensor with requires_grad=True and returns it")
    if node.attrs is _FREED:
        return "freed"
    if any(step.op == "draw" for step in recorder.steps):
        recorder.fail("it draws random numbers and returns what is yet to be differentiated")
    return "whole"


def _structured(result: Any, values: list, outputs: list, recorder: Recorder) -> Any:
    """The form of a result, with positions where its tensors stand."""
    if isinstance(result, Value):
        for k, v in enumerate(values):
            if v is result:
                return ("place", k)
        return ("output", _position(result, outputs))
    if isinstance(result, (list, tuple)):
        inner = [_structured(r, values, outputs, recorder) for r in result]
        return ("sequence", type(result), inner)
    if isinstance(result, dict):
        inner = [_structured(r, values, outputs, recorder) for r in result.values()]
        return ("dict", type(result), list(result), inner)
    if not isinstance(result, PLAIN):
        recorder.fail(f"it returns a {type(result).__name__}")
    return ("plain", result)


def _filled(form: Any, outputs: list, values: list) -> Any:
    kind = form[0]
    if kind == "output":
        return outputs[form[1]]
    if kind == "place":
        return values[form[1]]
    if kind == "plain":
        return form[1]
    inner = [_filled(f, outputs, values) for f in form[-1]]
    if kind == "dict":
        return form[1](zip(form[2], inner))
    return form[1](*inner) if hasattr(form[1], "_fields") else form[1](inner)

"""The record of a running program: values, the nodes that computed them, and primitives.

Most of the package builds on this module.  A *primitive* is a function together with its
derivative.  Calling one on a `Value` (the base of `Tensor`) computes the result with NumPy and
attaches a `Node` to it: which primitive, from which nodes, with which arguments.  The backward pass
follows these nodes and contains no derivative rules of its own.
"""

from __future__ import annotations

import threading
import warnings
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from typing import Protocol

    from nnlib.tensor import Tensor

    class TracerProtocol(Protocol):
        """An object that is notified of every primitive applied, such as `nnlib.graph`'s tracer."""

        def applied(
            self, primitive: Primitive, args: tuple[Any, ...], attrs: dict[str, Any], result: Value
        ) -> None: ...
        def alias(self, value: Value, of: Value) -> None: ...
        def changing(self, value: Value, how: str) -> None: ...
        def rebound(self, value: Value, result: Value) -> None: ...
        def custom(self, value: Value, name: str) -> None: ...
        def value_read(self, value: Value, how: str) -> None: ...
        def expects(self, value: Value, low: float, high: float, error: str) -> None: ...
        def sample(
            self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
        ) -> Any: ...
        def refuse(self, reason: str) -> None: ...
        def leaf_grad(self, leaf: Node) -> None: ...


RESULT = -1  # stands for the result in the `reads` and `shape_only` of a primitive

Array = Any  # an ndarray, or the NumPy scalar that 0-d results become (and which is faster)


class Node:
    """One application of a primitive: an entry in the recorded graph.

    `edges` are the nodes of the arguments (None for a constant), `args` and `out` the arrays that
    the vjp needs (None if it needs none), `shapes` the arguments' shapes if broadcasting made them
    differ from the result's, `time` the `clock` when the node was recorded.
    """

    __slots__ = (
        "__weakref__", "args", "attrs", "edges", "extra", "out", "primitive", "shapes", "time",
    )  # fmt: skip

    primitive: Any  # a Primitive; None for a leaf
    edges: tuple[Any, ...]
    attrs: Any
    args: Any
    out: Any
    shapes: Any
    extra: dict[str, Any] | None
    time: int

    def __init__(
        self,
        primitive: Primitive | None,
        edges: tuple[Any, ...] = (),
        attrs: dict[str, Any] | None = None,
    ):
        self.primitive = primitive
        self.edges = edges
        self.attrs = attrs
        self.args = self.out = self.shapes = self.extra = None
        self.time = clock

    def __repr__(self) -> str:
        return f"<{self.name}>"

    @property
    def name(self) -> str:
        """The name of the backward function in PyTorch's style: `MulBackward` for `mul`."""
        name = self.primitive.name if self.primitive else "accumulate_grad"
        return "".join(part.capitalize() for part in name.split("_")) + "Backward"

    def note(self, key: str, value: Any) -> None:
        """Store rarely needed data (hooks, a retained gradient, a traceback) with the node."""
        if self.extra is None:
            self.extra = {}
        self.extra[key] = value


class Leaf(Node):
    """The node of a tensor made with `requires_grad=True`: it accumulates a gradient."""

    __slots__ = ("grad",)

    def __init__(self) -> None:
        super().__init__(None)
        self.grad: Tensor | None = None


class Value:
    """A NumPy array (or scalar) and the node that computed it.  `Tensor` adds the operators."""

    __slots__ = ("__weakref__", "_data", "_node", "_view", "_views")

    _data: Array
    _node: Node | None
    # for a view: its base, and the primitive and attributes that produced it
    _view: tuple[Value, Primitive | None, dict[str, Any] | None]
    _views: list[weakref.ref[Value]]  # its views that may still be in use


# ---------------------------------------------------------------- the state of recording

# A mode is a sum of these.  NO_GRAD and GRAD take the fast path; SLOW is added while there is a
# tracer or anomaly detection.
NO_GRAD, GRAD, SLOW = 0, 1, 2


class State:
    """The state of one thread.  A new thread records gradients and has no tracer."""

    __slots__ = ("anomaly", "mode", "nans", "traced", "tracer")

    def __init__(self) -> None:
        self.mode = GRAD
        self.tracer: TracerProtocol | None = None
        self.anomaly = False
        self.nans = 0  # the number of nodes that produced a nan from arguments without one
        self.traced: list[Node] = []  # nodes that hold traced values while there is a tracer

    def switch(self, mode: int) -> None:
        self.mode = mode
        (nondefault_states.discard if mode == GRAD else nondefault_states.add)(self)


class _Threads(threading.local):
    def __init__(self) -> None:
        self.state = State()


# The states of the threads in a mode other than GRAD.  While there are none, the fast paths need
# not look up the state of their thread, which takes as long as adding two numbers.
nondefault_states: set[State] = set()
_threads = _Threads()
tensor_class: type[Value] = Value  # tensor.py sets it to Tensor


def state() -> State:
    """The state of the calling thread."""
    return _threads.state


class recording:
    """Switch the recording of gradients on or off for a block, in this thread."""

    __slots__ = ("before", "mode", "state")

    def __init__(self, grad: bool) -> None:
        self.mode = GRAD if grad else NO_GRAD

    def __enter__(self) -> None:
        self.state = current = _threads.state
        self.before = current.mode
        current.switch((current.mode & SLOW) | self.mode)

    def __exit__(self, *error: object) -> None:
        self.state.switch(self.before)


def set_recording(grad: bool) -> None:
    """Switch the recording of gradients on or off in this thread, from now on."""
    current = state()
    current.switch((current.mode & SLOW) | (GRAD if grad else NO_GRAD))


@contextmanager
def traced_by(tracer: TracerProtocol | None) -> Iterator[None]:
    """Inside the block, `tracer` traces this thread (None: nothing does)."""
    current = state()
    mode, previous = current.mode, current.tracer
    current.switch(mode & ~SLOW if tracer is None else mode | SLOW)
    current.tracer = tracer
    try:
        yield
    finally:
        current.switch(mode)
        current.tracer = previous
        while tracer is not None and current.traced:
            _forget_aliases(current.traced.pop())


@contextmanager
def checking_anomalies(check: bool) -> Iterator[None]:
    """Inside the block, record where each node was created; nan gradients raise an error."""
    current = state()
    anomaly, mode = current.anomaly, current.mode
    current.anomaly = check
    current.switch(mode | SLOW if check else mode)
    try:
        yield
    finally:
        current.anomaly = anomaly
        current.switch(mode)


def grad_enabled() -> bool:
    return not nondefault_states or bool(state().mode & GRAD)


def current_tracer() -> TracerProtocol | None:
    """The tracer of this thread, or None."""
    return state().tracer if nondefault_states else None


def is_tracing() -> bool:
    return bool(nondefault_states) and state().tracer is not None


def report_read(x: Value, how: str) -> None:
    """Notify the tracer, if there is one, that the program reads values of x by `how`."""
    if nondefault_states and (tracer := state().tracer):
        tracer.value_read(x, how)


def report_alias(alias: Value, x: Value) -> None:
    """Notify the tracer, if there is one, that `alias` has the values of x."""
    if nondefault_states and (tracer := state().tracer):
        tracer.alias(alias, x)


# ---------------------------------------------------------------- in-place changes

clock = 0  # the number of in-place changes so far


class Version(weakref.ref[np.ndarray]):
    """The time of the last in-place change of memory, attached to the array that owns the memory.

    All views of the array find it there, and it is deleted with the array.
    """

    __slots__ = ("time",)
    __hash__ = object.__hash__  # a weak reference would use the hash of the array, which has none
    __eq__ = object.__eq__

    time: int


_versions: set[Version] = set()  # keeps the weak references alive


def _owner(array: np.ndarray) -> np.ndarray:
    while array.base.__class__ is np.ndarray:
        array = array.base
    return array


def _version(owner: np.ndarray) -> Version | None:
    for reference in weakref.getweakrefs(owner):
        if reference.__class__ is Version:
            return reference
    return None


def mark_changed(array: np.ndarray) -> None:
    """Record that memory was overwritten: gradients that need its old values raise an error."""
    global clock
    clock += 1
    owner = array if array.base is None else _owner(array)
    version = _version(owner)
    if version is None:
        _versions.add(version := Version(owner, _versions.discard))
    version.time = clock


def was_changed(array: Array, since: int) -> bool:
    """Whether the memory of the array was overwritten after the time `since`."""
    if array.__class__ is not np.ndarray:
        return False
    version = _version(_owner(array))
    return version is not None and version.time > since


# ---------------------------------------------------------------- setting up the process

_prepared = False


def prepare_process() -> None:
    """Set up warnings and memory for the process when its first tensor is made from data.

    PyTorch computes inf and nan silently, so NumPy's warnings about them are ignored if a line of
    nnlib causes them.  The user's own NumPy code keeps its warnings.

    glibc returns large blocks to the system when they are freed, and the page faults when they are
    allocated again cost more than the arithmetic.  Once a block of nearly 32 MB has been freed,
    glibc keeps freed blocks.  A step of a small convolutional network then takes 40 % of the time,
    and so does the sigmoid of a million numbers with its gradient; a step of an MLP takes as long
    as before.
    """
    global _prepared
    if not _prepared:
        _prepared = True
        warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"nnlib\b")
        np.empty(2**25 - 2**16, np.uint8)


# ---------------------------------------------------------------- primitives


class Primitive:
    """A differentiable function: its forward computation and its vector-Jacobian products.

    ``vjps[i](g, out, *args, **attrs)`` maps the gradient ``g`` of the result to that of the i-th
    argument (None: it has no gradient).  Instead, ``vjp_of_all(needs, g, out, *args, **attrs)``
    can return all of them as a tuple.  Both use only operators and primitives, so they run on bare
    arrays (first order) and on Values (any order).

    `saves` states which values the vjps need: ``"args"``, ``"out"``, ``"both"`` or ``"none"``;
    ``"others"`` if the gradient of each of two arguments needs only the other one.  `shape_only`
    lists the arguments (-1: the result) of which only the shape matters, so they may be changed in
    place.

    ``reads[i]`` lists the arguments (-1: the result) that the i-th gradient needs, if that is not
    the same for all; ``"others"``: each needs all arguments but its own.  With `recomputes_out`,
    the result may be changed too: it is computed again for the vjp.  ``restored(out, *args)``
    recomputes changed arguments from a saved result that determines them, so they may be changed.

    ``decomposition(*args, **attrs)`` is a fused primitive written in simpler ones; higher
    derivatives and exported graphs use it.  ``with_residuals(*args, **attrs)`` is a forward that
    also returns residuals, values that `vjp_of_all` can use again: it gets them in place of ``out``
    (None if they were not saved).

    The other attributes serve printed and compiled programs.  `ufunc` can compute the result in
    place (default: the forward, if it is a ufunc), `source` is the name in printed NumPy code
    (default: that of the ufunc), `latex` the form in formulas: ``({0})`` the first argument in
    brackets, ``{0}`` in braces, ``[{0}]`` in brackets unless it is an atom, ``<0>`` bare.  `domain`
    is the interval from which tests sample the arguments.
    """

    __slots__ = (
        "__weakref__", "broadcasts", "decomposition", "differentiable", "domain", "family",
        "forward", "latex", "name", "reads", "recomputes_out", "restored", "saves_args",
        "saves_others", "saves_out", "shape_only", "source", "ufunc", "view", "vjp_of_all", "vjps",
        "with_residuals",
    )  # fmt: skip

    registry: dict[str, Primitive] = {}

    def __init__(
        self,
        name: str,
        forward: Callable[..., Array],
        *vjps: Callable[..., Any] | None,
        vjp_of_all: Callable[..., tuple[Any, ...]] | None = None,
        saves: str = "both",
        broadcasts: bool = False,
        view: bool = False,
        decomposition: Callable[..., Any] | None = None,
        with_residuals: Callable[..., tuple[Array, Any]] | None = None,
        family: str = "",
        shape_only: Sequence[int] = (),
        reads: tuple[tuple[int, ...], ...] | Literal["others"] | None = None,
        recomputes_out: bool = False,
        restored: Callable[..., tuple[Array, ...]] | None = None,
        ufunc: np.ufunc | None = None,
        source: str = "",
        latex: str = "",
        domain: tuple[float, float] = (-2.0, 2.0),
    ) -> None:
        if name in self.registry:
            raise ValueError(f"primitive {name!r} is defined twice")
        self.name, self.forward = name, forward
        self.vjps, self.vjp_of_all = vjps, vjp_of_all
        self.saves_others = saves == "others"
        self.with_residuals = with_residuals
        self.shape_only, self.reads, self.recomputes_out = shape_only, reads, recomputes_out
        self.restored = restored
        self.saves_args = saves in ("args", "both", "others")
        self.saves_out = saves in ("out", "both")
        self.differentiable = vjp_of_all is not None or any(vjps)
        self.broadcasts, self.view, self.family = broadcasts, view, family
        self.decomposition = decomposition
        self.ufunc = forward if isinstance(forward, np.ufunc) else ufunc
        self.source = source or (f"np.{self.ufunc.__name__}" if self.ufunc else "")
        self.latex, self.domain = latex, domain
        self.registry[name] = self

    @property
    def arity(self) -> int:
        """The number of arguments of an elementwise primitive."""
        return self.ufunc.nin if self.ufunc else len(self.vjps)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __call__(self, *args: Any, **attrs: Any) -> Any:
        """Apply to Values (recorded) or to bare arrays (only computed)."""
        for a in args:
            if isinstance(a, Value):
                return apply(self, args, attrs)
        return self.forward(*args, **attrs)


def apply(primitive: Primitive, args: Sequence[Any], attrs: dict[str, Any]) -> Tensor:
    """Compute ``primitive(*args, **attrs)`` and record it.  Arguments: Values, numbers, arrays."""
    mode = state().mode if nondefault_states else GRAD
    if primitive.decomposition is not None and mode & SLOW and current_tracer() is not None:
        decomposed: Tensor = primitive.decomposition(*args, **attrs)  # the tracer gets its steps
        return decomposed
    if primitive.view:
        return _apply_view(primitive, args[0], attrs)
    arrays = tuple([a._data if isinstance(a, Value) else a for a in args])
    if primitive.with_residuals is not None and mode == GRAD:
        return _apply_with_residuals(primitive, args, arrays, attrs)
    out = primitive.forward(*arrays, **attrs)
    result = make(out)
    if mode & GRAD and primitive.differentiable:
        edges = tuple([a._node if isinstance(a, Value) else None for a in args])
        for edge in edges:
            if edge is not None:
                if out.dtype.kind == "f":  # a cast to integers has no gradient
                    result._node = record(primitive, edges, arrays, out, attrs)
                break
    if mode & SLOW:
        _notify(primitive, args, attrs, result)
    return result


def _apply_with_residuals(
    primitive: Primitive, args: Sequence[Any], arrays: tuple[Any, ...], attrs: dict[str, Any]
) -> Tensor:
    edges = tuple([a._node if isinstance(a, Value) else None for a in args])
    if not any(edges):
        return make(primitive.forward(*arrays, **attrs))
    assert primitive.with_residuals is not None
    out, residuals = primitive.with_residuals(*arrays, **attrs)
    node = record(primitive, edges, arrays, out, attrs)
    node.out = residuals
    return make(out, node)


def _apply_view(primitive: Primitive, base: Value, attrs: dict[str, Any]) -> Tensor:
    """Apply a primitive whose result shares the memory of its argument if NumPy can do so."""
    data = as_memory(base)
    mode = state().mode if nondefault_states else GRAD
    out = primitive.forward(data, **attrs)
    result = make(out)
    if mode & GRAD and base._node is not None and primitive.differentiable:
        result._node = record(primitive, (base._node,), (data,), out, attrs)
    if out is data or out.base is data or (data.base is not None and out.base is data.base):
        result._view = (base, primitive, attrs)
        note_view(base, result)
    if mode & SLOW:
        _notify(primitive, (base,), attrs, result)
    return result


def as_memory(value: Value) -> np.ndarray:
    """The array of a value; a NumPy scalar is made a 0-d array, whose memory can be shared."""
    data = value._data
    if data.__class__ is not np.ndarray:
        value._data = data = np.asarray(data)
    return data  # type: ignore[no-any-return]


def in_memory(owner: np.ndarray, like: np.ndarray, start: int) -> np.ndarray:
    """An array with the shape and strides of `like` in the memory of `owner`, from byte `start`."""
    return np.ndarray(like.shape, like.dtype, owner.ravel(order="K"), start, like.strides)


def offset(array: np.ndarray, owner: np.ndarray) -> int:
    """The number of bytes between the start of `owner` and that of the array."""
    first, second = (a.__array_interface__["data"][0] for a in (array, owner))
    return int(first - second)


def note_view(base: Value, view: Value) -> None:
    """Register a view of `base`, so that an in-place change of `base` updates the view's history.

    A leaf can only be changed without recording, so its views keep their history.
    """
    if base._node.__class__ is Leaf and current_tracer() is None:
        return
    views = getattr(base, "_views", None)
    if views is None:
        base._views = [weakref.ref(view)]
        return
    if len(views) >= 16 and not len(views) & (len(views) - 1):  # at 16, 32, 64, …: drop dead ones
        base._views = views = [r for r in views if r() is not None]
    views.append(weakref.ref(view))


def make(data: Array, node: Node | None = None) -> Tensor:
    """Wrap an array as a Tensor."""
    result: Any = _new(tensor_class)
    result._data = data
    result._node = node
    return result  # type: ignore[no-any-return]


_new = object.__new__


def record(
    primitive: Primitive,
    edges: tuple[Any, ...],
    arrays: tuple[Any, ...],
    out: Array,
    attrs: dict[str, Any] | None,
) -> Node:
    """The node of one application; it saves only the values that the vjp needs."""
    node = Node(primitive, edges, attrs or None)
    if primitive.saves_args:
        node.args = only_needed(edges, arrays) if primitive.saves_others else arrays
    if primitive.saves_out:
        node.out = out
    if primitive.broadcasts:
        shapes = tuple([getattr(a, "shape", ()) for a in arrays])
        if any(shape != out.shape for shape in shapes):
            node.shapes = shapes
    return node


def only_needed(edges: tuple[Any, ...], arrays: tuple[Any, ...]) -> tuple[Any, ...]:
    """Each of the two arguments, or None if the other one needs no gradient."""
    return (arrays[0] if edges[1] else None, arrays[1] if edges[0] else None)


def _notify(
    primitive: Primitive, args: Sequence[Any], attrs: dict[str, Any], result: Value
) -> None:
    """Notify the tracer, and with anomaly detection record the call's traceback."""
    node, current = result._node, state()
    tracer = current.tracer
    if tracer is not None:
        tracer.applied(primitive, tuple(args), attrs, result)
        if node is not None:  # a traced gradient must use the values that were traced
            if node.args is not None:
                node.args = tuple(
                    [None if saved is None else aliased(a) for saved, a in zip(node.args, args)]
                )
            if node.out is not None:
                node.out = aliased(result)
            current.traced.append(node)
    if current.anomaly:
        _remember_origin(primitive, args, result)


def aliased(value: Any) -> Any:
    """An alias of the value for the tracer, which a later in-place change does not affect."""
    if not isinstance(value, Value):
        return value
    alias = make(value._data, value._node)
    report_alias(alias, value)
    return alias


def _forget_aliases(node: Node) -> None:
    if node.args is not None:
        node.args = tuple([a._data if isinstance(a, Value) else a for a in node.args])
    if isinstance(node.out, Value):
        node.out = node.out._data


def _remember_origin(primitive: Primitive, args: Sequence[Any], result: Value) -> None:
    import traceback

    if result._node is None:
        return
    stack = [f for f in traceback.extract_stack() if "/nnlib/" not in f.filename.replace("\\", "/")]
    result._node.note("origin", "".join(traceback.format_list(stack[-3:])))
    is_new_nan = _has_nan(result._data) and not any(
        _has_nan(a._data if isinstance(a, Value) else a) for a in args
    )
    if is_new_nan:
        current = state()
        current.nans += 1
        result._node.note("nan", current.nans)


def _has_nan(array: Any) -> bool:
    return getattr(array, "dtype", None) is not None and bool(
        array.dtype.kind == "f" and np.isnan(array).any()
    )

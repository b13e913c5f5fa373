"""In-place changes of tensors: `x[0] = v`, `x.add_(y)` and the other methods that end in `_`.

An in-place change gives a tensor new values and a new history.  The ordinary function computes the
result; it is written into the tensor's memory, and the tensor takes over the result's history.  If
the tensor is a view, its base gets a new history too: the old one with the written part replaced.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np

from nnlib import dtypes, record
from nnlib._types import Number, Operand
from nnlib.functions import arithmetic as ar
from nnlib.functions import create, indexing, picking
from nnlib.functions import reshaping as s
from nnlib.functions._args import F32, F64, is_number, needs_tensor
from nnlib.primitives import broadcast
from nnlib.primitives import shape as shape_primitives
from nnlib.record import GRAD, NO_GRAD, Leaf, Value

if TYPE_CHECKING:
    from nnlib.functions.create import Generator
    from nnlib.tensor import Tensor

T = TypeVar("T", bound=Value)

# ---------------------------------------------------------------- shared by all in-place methods


def overwrite(x: T, result: Any, how: str) -> T:
    """Write `result` into the memory of `x` and give `x` the history of `result`."""
    recording = record.grad_enabled()
    view = getattr(x, "_view", None)
    if tracer := record.current_tracer():
        tracer.changing(x, how)
    if recording:
        _refuse_leaf(x, view, how)
    _refuse_mismatch(x, result, how)
    if result._data.dtype != x._data.dtype:  # recorded, so gradients are cast too
        result = ar.to_dtype(result, dtypes.of(x._data))
    _write(x, result._data, how)
    if recording and not isinstance(x._node, Leaf):
        x._node = result._node
    if tracer := record.current_tracer():
        tracer.rebound(x, result)
    history = recording and result._node is not None
    chain: list[Any] = [x]
    if view is not None:
        history = recording and (result._node is not None or view[0]._node is not None)
        if history or record.is_tracing():
            _rewrite_base(x, view, history, chain)
    if history or record.is_tracing():
        _renew_views(chain[-1], chain, history)
    return x


def _refuse_leaf(x: Any, view: Any, how: str) -> None:
    description = "leaf Variable"
    while not isinstance(x._node, Leaf):
        if view is None or view[1] is None:  # not a view, or with its own history
            return
        x, view, description = view[0], getattr(view[0], "_view", None), "view of a leaf Variable"
    raise RuntimeError(
        f"a {description} that requires grad is being used in an in-place operation: {how}. Change "
        "parameters under no_grad()."
    )


def _refuse_mismatch(x: Any, result: Tensor, how: str) -> None:
    old, new = x._data, result._data
    if new.shape != old.shape:
        raise RuntimeError(
            f"output with shape {list(old.shape)} doesn't match the broadcast shape "
            f"{list(new.shape)}: {how} cannot grow a tensor"
        )
    if new.dtype != old.dtype and dtypes.promote(old.dtype, new.dtype).kind not in _castable(old):
        raise RuntimeError(
            f"result type {dtypes.of(new).name} can't be cast to the desired output type "
            f"{dtypes.of(old).name}: convert the tensor first"
        )


def _castable(array: Any) -> str:
    """The kinds that can be cast to the type of `array`: integers to floats, not the reverse."""
    return {"b": "b", "u": "ui", "i": "ui", "f": "fui"}[array.dtype.kind]


def _write(x: Any, new: Any, how: str) -> None:
    if not isinstance(x._data, np.ndarray):  # a NumPy scalar, whose memory is not shared
        _mark_scalar_changed(x)
        x._data = np.asarray(new).astype(x._data.dtype)[()]
        return
    record.mark_changed(x._data)
    np.copyto(*_without_repeats(x._data, np.asarray(new), how), casting="unsafe")


def _mark_scalar_changed(x: Any) -> None:
    """A NumPy scalar is replaced, not overwritten: mark the result in its node as changed."""
    node = x._node
    if node is not None and node.out is x._data:
        node.out = np.array(node.out)
        record.mark_changed(node.out)


def _shared_memory_error() -> RuntimeError:
    return RuntimeError(
        "unsupported operation: more than one element of the written-to tensor refers to a single "
        "memory location (an expanded tensor). Please clone() it first."
    )


def _without_repeats(array: np.ndarray, new: np.ndarray, how: str) -> tuple[np.ndarray, np.ndarray]:
    """The array to write to and the values; RuntimeError if elements share memory.

    NumPy never writes to an expanded array.  PyTorch does if no element is repeated, or if all
    become the same number.
    """
    if array.flags.writeable:
        return array, new
    owner, repeated = array.base, _repeated(array)
    if not isinstance(owner, np.ndarray) or not owner.flags.writeable:
        raise RuntimeError("the memory of this tensor is read-only: clone() it first")
    if any(repeated) and how not in ("fill_", "zero_"):
        raise _shared_memory_error()
    first = (*[slice(0, 1) if shared else slice(None) for shared in repeated], ...)
    writable = record.in_memory(owner, array, record.offset(array, owner))
    return writable[first], new[first]


def _repeated(array: np.ndarray) -> tuple[bool, ...]:
    """For each dimension, whether the array repeats one element of memory along it."""
    sizes = zip(array.strides, array.shape, strict=True)
    return tuple([s == 0 and n > 1 and array.size > 0 for s, n in sizes])


def _rewrite_base(x: Any, view: Any, history: bool, chain: list[Any]) -> None:
    """Give the base of the view `x` a new history: its old one with the elements of x replaced."""
    base, primitive, attrs = view
    if primitive is None:  # detached: the same memory, another history
        tracer = record.current_tracer()
        if tracer is None:
            return
        tracer.rebound(base, x)
    else:
        if primitive is broadcast.expand and x._data.size != base._data.size:
            new = _put_back_by_memory(base, chain[0])
            del chain[1:]  # the intermediate views are rebuilt from the new base
        else:
            new = _put_back(_old(base), primitive, attrs, _old(x))
        if history:
            base._node = new._node
        if tracer := record.current_tracer():
            tracer.rebound(base, new)
    chain.append(base)
    outer_view = getattr(base, "_view", None)
    if outer_view is not None and (
        record.is_tracing() or outer_view[1] is not None
    ):
        _rewrite_base(base, outer_view, history and primitive is not None, chain)


def _renew_views(base: Any, chain: list[Any], history: bool) -> None:
    """Give older views of `base`, which share the new values, the new history too."""
    for reference in getattr(base, "_views", ()):
        view = reference()
        if view is None:
            continue
        if not any(view is done for done in chain):
            _, primitive, attrs = view._view
            if primitive is None:
                if not record.is_tracing():
                    continue
                primitive, attrs = shape_primitives.detach, {}
            new = record.apply(primitive, (base,), attrs or {})
            if history and primitive is not shape_primitives.detach:
                view._node = new._node
            if tracer := record.current_tracer():
                tracer.rebound(view, new)
        _renew_views(view, chain, history)


def _put_back(base: Any, primitive: Any, attrs: Any, value: Tensor) -> Any:
    """`base` with the elements of its view, which `primitive` computes, replaced by `value`."""
    if primitive is shape_primitives.slice_:
        return picking.written_slice(base, attrs["index"], value)
    if primitive is shape_primitives.reshape:
        return shape_primitives.reshape(value, shape=base._data.shape)
    if primitive is shape_primitives.permute:
        dims = attrs["dims"]
        inverse = tuple([dims.index(d) for d in range(len(dims))])
        return shape_primitives.permute(value, dims=inverse)
    return shape_primitives.reshape(value, shape=base._data.shape)  # expanded without repetition


def _put_back_by_memory(base: Any, part: Any) -> Any:
    """`base` with `part` written into it, for a `part` that is an expanded view or a view of one.

    The views are applied to an array of positions, which gives each element's position in the base.
    """
    if tracer := record.current_tracer():
        tracer.refuse("an expanded tensor is changed in place: clone() it first")
    views, current = [], part
    while current is not base:
        current, *view = current._view
        views.append(view)
    positions = np.arange(base._data.size).reshape(base._data.shape)
    for primitive, attrs in reversed(views):
        if primitive is not None:
            positions = primitive.forward(positions, **(attrs or {}))
    if any(_repeated(positions)):
        raise RuntimeError(
            "an expanded tensor cannot be changed in place while gradients are recorded: several "
            "of its elements share memory. Please clone() it first."
        )
    old, new = s.flatten(_old(base)), s.flatten(_old(part))
    placed = picking.scatter(old, 0, record.make(np.ravel(positions)), new)
    return shape_primitives.reshape(placed, shape=base._data.shape)


def _old(x: Any) -> Any:
    """A copy of x before the change, so that the values saved for gradients stay the same."""
    copy = record.make(np.array(x._data)[()], x._node)
    record.report_alias(copy, x)
    return copy


def _must_record(x: Any, others: Any) -> bool:
    """Whether the change must be recorded, for a gradient or a trace."""
    if record.is_tracing():
        return True
    if not record.grad_enabled():
        return False
    view = getattr(x, "_view", None)
    if view is not None and view[0]._node is not None:
        return True
    return any(isinstance(v, Value) and v._node is not None for v in (x, *others))


def in_place(x: T, name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> T:
    """Change `x` to function(x, …), as its method `name` does, and return it."""
    before = _old(x) if _must_record(x, args) else x
    return overwrite(x, function(before, *args, **kwargs), name)


def _scaled(other: Any, alpha: Any) -> Any:
    if alpha.__class__ is int and alpha == 1:
        return other
    return ar.mul(other, alpha) if isinstance(other, Value) else other * alpha  # type: ignore[arg-type]


F = TypeVar("F", bound=Callable[..., Any])


def _fast_in_place(ufunc: Any) -> Callable[[F], F]:
    """Let an in-place operator compute directly in the memory of a float tensor without history."""

    def decorate(slow: Any) -> Any:
        @functools.wraps(slow)
        def method(self: Any, other: Any, *alpha: Any) -> Any:
            x, mode = self._data, record.state().mode if record.nondefault_states else GRAD
            if (
                mode <= GRAD
                and x.__class__ is np.ndarray
                and (x.dtype is F32 or x.dtype is F64)
                and (mode == NO_GRAD or self._node is None)
                and getattr(self, "_view", None) is None
                and (not alpha or alpha[0].__class__ is float or alpha[0].__class__ is int)
            ):
                y = other
                if isinstance(other, Value):
                    y = other._data
                    if y.dtype is not x.dtype or (mode != NO_GRAD and other._node is not None):
                        return slow(self, other, *alpha)
                elif other.__class__ is not float and other.__class__ is not int:
                    return slow(self, other, *alpha)
                try:
                    ufunc(x, y * alpha[0] if alpha else y, out=x)
                except ValueError:  # the shape would grow, or x is expanded: slow() handles both
                    return slow(self, other, *alpha)
                record.mark_changed(x)
                return self
            return slow(self, other, *alpha)

        return method

    return decorate


# ---------------------------------------------------------------- the methods


class InPlace(Value):
    """The methods that change a tensor in place."""

    __slots__ = ()

    @_fast_in_place(np.add)
    def __iadd__(self, other: Operand, alpha: Number = 1) -> Self:
        return in_place(self, "add_", ar.plus, _scaled(other, alpha))

    @_fast_in_place(np.subtract)
    def __isub__(self, other: Operand, alpha: Number = 1) -> Self:
        return in_place(self, "sub_", ar.minus, _scaled(other, alpha))

    @_fast_in_place(np.divide)
    def __itruediv__(self, other: Operand) -> Self:
        return in_place(self, "div_", ar.true_divide, other)

    def add_(self, other: Operand, *, alpha: Number = 1) -> Self:
        """add() in place: changes this tensor and returns it."""
        return self.__iadd__(other) if alpha == 1 else self.__iadd__(other, alpha)

    def sub_(self, other: Operand, *, alpha: Number = 1) -> Self:
        """sub() in place: changes this tensor and returns it."""
        return self.__isub__(other) if alpha == 1 else self.__isub__(other, alpha)

    @_fast_in_place(np.multiply)
    def mul_(self, other: Operand) -> Self:
        """mul() in place: changes this tensor and returns it."""
        return in_place(self, "mul_", ar.mul, other)

    def div_(self, other: Operand, *, rounding_mode: str | None = None) -> Self:
        """div() in place: changes this tensor and returns it."""
        return in_place(self, "div_", ar.div, other, rounding_mode=rounding_mode)

    def pow_(self, exponent: Operand) -> Self:
        """pow() in place: changes this tensor and returns it."""
        return in_place(self, "pow_", ar.pow, exponent)

    def floor_divide_(self, other: Operand) -> Self:
        """floor_divide() in place: changes this tensor and returns it."""
        return in_place(self, "floor_divide_", ar.floor_divide, other)

    def remainder_(self, other: Operand) -> Self:
        """remainder() in place: changes this tensor and returns it."""
        return in_place(self, "remainder_", ar.remainder, other)

    def bitwise_and_(self, other: Operand) -> Self:
        """bitwise_and() in place: changes this tensor and returns it."""
        return in_place(self, "bitwise_and_", ar.bitwise_and, other)

    def bitwise_or_(self, other: Operand) -> Self:
        """bitwise_or() in place: changes this tensor and returns it."""
        return in_place(self, "bitwise_or_", ar.bitwise_or, other)

    def bitwise_xor_(self, other: Operand) -> Self:
        """bitwise_xor() in place: changes this tensor and returns it."""
        return in_place(self, "bitwise_xor_", ar.bitwise_xor, other)

    def bitwise_left_shift_(self, other: Operand) -> Self:
        """bitwise_left_shift() in place: changes this tensor and returns it."""
        return in_place(self, "bitwise_left_shift_", ar.bitwise_left_shift, other)

    def bitwise_right_shift_(self, other: Operand) -> Self:
        """bitwise_right_shift() in place: changes this tensor and returns it."""
        return in_place(self, "bitwise_right_shift_", ar.bitwise_right_shift, other)

    __imul__ = mul_
    __ipow__, __ifloordiv__, __imod__ = pow_, floor_divide_, remainder_
    __iand__, __ior__, __ixor__ = bitwise_and_, bitwise_or_, bitwise_xor_
    __ilshift__, __irshift__ = bitwise_left_shift_, bitwise_right_shift_

    def bitwise_not_(self) -> Self:
        """bitwise_not() in place: changes this tensor and returns it."""
        return in_place(self, "bitwise_not_", ar.bitwise_not)

    def logical_not_(self) -> Self:
        """logical_not() in place: changes this tensor and returns it."""
        return in_place(self, "logical_not_", ar.logical_not)

    def exp_(self) -> Self:
        """exp() in place: changes this tensor and returns it."""
        return in_place(self, "exp_", ar.exp)

    def log_(self) -> Self:
        """log() in place: changes this tensor and returns it."""
        return in_place(self, "log_", ar.log)

    def sqrt_(self) -> Self:
        """sqrt() in place: changes this tensor and returns it."""
        return in_place(self, "sqrt_", ar.sqrt)

    def neg_(self) -> Self:
        """neg() in place: changes this tensor and returns it."""
        return in_place(self, "neg_", ar.neg)

    def abs_(self) -> Self:
        """abs() in place: changes this tensor and returns it."""
        return in_place(self, "abs_", ar.abs)

    def sigmoid_(self) -> Self:
        """sigmoid() in place: changes this tensor and returns it."""
        return in_place(self, "sigmoid_", ar.sigmoid)

    def tanh_(self) -> Self:
        """tanh() in place: changes this tensor and returns it."""
        return in_place(self, "tanh_", ar.tanh)

    def relu_(self) -> Self:
        """relu() in place: changes this tensor and returns it."""
        return in_place(self, "relu_", ar.relu)

    def square_(self) -> Self:
        """square() in place: changes this tensor and returns it."""
        return in_place(self, "square_", ar.square)

    def reciprocal_(self) -> Self:
        """reciprocal() in place: changes this tensor and returns it."""
        return in_place(self, "reciprocal_", ar.reciprocal)

    def sin_(self) -> Self:
        """sin() in place: changes this tensor and returns it."""
        return in_place(self, "sin_", ar.sin)

    def cos_(self) -> Self:
        """cos() in place: changes this tensor and returns it."""
        return in_place(self, "cos_", ar.cos)

    def floor_(self) -> Self:
        """floor() in place: changes this tensor and returns it."""
        return in_place(self, "floor_", ar.floor)

    def ceil_(self) -> Self:
        """ceil() in place: changes this tensor and returns it."""
        return in_place(self, "ceil_", ar.ceil)

    def trunc_(self) -> Self:
        """trunc() in place: changes this tensor and returns it."""
        return in_place(self, "trunc_", ar.trunc)

    def sign_(self) -> Self:
        """sign() in place: changes this tensor and returns it."""
        return in_place(self, "sign_", ar.sign)

    def round_(self, *, decimals: int = 0) -> Self:
        """round() in place: changes this tensor and returns it."""
        return in_place(self, "round_", ar.round, decimals=decimals)

    def clamp_(self, min: Operand | None = None, max: Operand | None = None) -> Self:
        """clamp() in place: changes this tensor and returns it."""
        return in_place(self, "clamp_", ar.clamp, min, max)

    clip_ = clamp_

    def nan_to_num_(
        self, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
    ) -> Self:
        """nan_to_num() in place: changes this tensor and returns it."""
        return in_place(self, "nan_to_num_", ar.nan_to_num, nan, posinf, neginf)

    def lerp_(self, end: Tensor, weight: Operand) -> Self:
        """lerp() in place: changes this tensor and returns it."""
        return in_place(self, "lerp_", ar.lerp, end, weight)

    def masked_fill_(self, mask: Tensor, value: Operand) -> Self:
        """masked_fill() in place: changes this tensor and returns it."""
        return in_place(self, "masked_fill_", picking.masked_fill, mask, value)

    def scatter_(self, dim: int, index: Tensor, src: Operand) -> Self:
        """scatter() in place: changes this tensor and returns it."""
        return in_place(self, "scatter_", picking.scatter, dim, index, src)

    def scatter_add_(self, dim: int, index: Tensor, src: Tensor) -> Self:
        """scatter_add() in place: changes this tensor and returns it."""
        return in_place(self, "scatter_add_", picking.scatter_add, dim, index, src)

    def index_add_(self, dim: int, index: Tensor, source: Tensor, *, alpha: Number = 1) -> Self:
        """index_add() in place: changes this tensor and returns it."""
        return in_place(self, "index_add_", picking.index_add, dim, index, source, alpha=alpha)

    def zero_(self) -> Self:
        """Set every element to 0."""
        return overwrite(
            self, _replaced(self, create.zeros_like(needs_tensor("zero_", self))), "zero_"
        )

    def fill_(self, value: Operand) -> Self:
        """Set every element to `value`: a number or a 0-d tensor."""
        if is_number(value):
            return overwrite(
                self,
                _replaced(self, create.full_like(needs_tensor("fill_", self), value)),
                "fill_",
            )
        v = needs_tensor("fill_", value)
        if v._data.ndim:
            raise RuntimeError(
                "fill_ only supports 0-dimension value tensor but got tensor with "
                f"{v._data.ndim} dimensions."
            )
        filled = s.expand(ar.to_dtype(v, dtypes.of(self._data)), self._data.shape)
        return overwrite(self, _replaced(self, filled), "fill_")

    def copy_(self, src: Operand) -> Self:
        """Copy the elements of `src`, broadcast to this tensor's shape and cast to its type."""
        if is_number(src):
            src = create.tensor(src)
        source = ar.to_dtype(needs_tensor("copy_", src), dtypes.of(self._data))
        if source._data.shape != self._data.shape:
            source = s.expand(source, self._data.shape)
        if source is src:  # a recorded copy, so that this tensor does not share its node
            source = ar.clone(source)
        return overwrite(self, _replaced(self, source), "copy_")

    def normal_(
        self, mean: float = 0, std: float = 1, *, generator: Generator | None = None
    ) -> Self:
        """Set the elements to random numbers from the normal distribution."""
        if std < 0:
            raise RuntimeError(f"normal_ expects std >= 0.0, but found std {std}")
        samples = create.random_stream(generator).normal(mean, std, self._data.shape)
        return overwrite(self, _random_values(self, samples), "normal_")

    def uniform_(
        self, from_: float = 0, to: float = 1, *, generator: Generator | None = None
    ) -> Self:
        """Set the elements to random numbers from the uniform distribution on [from_, to)."""
        if from_ > to:
            raise RuntimeError(
                f"uniform_ expects to return a [from, to) range, but found from={from_} > to={to}"
            )
        samples = create.random_stream(generator).uniform(from_, to, self._data.shape)
        return overwrite(self, _random_values(self, samples), "uniform_")

    def bernoulli_(self, p: float = 0.5, *, generator: Generator | None = None) -> Self:
        """Set each element to 1 with probability p, otherwise to 0."""
        samples = create.random_stream(generator).random(self._data.shape) < p
        return overwrite(
            self, record.make(np.asarray(samples).astype(self._data.dtype)[()]), "bernoulli_"
        )

    def __setitem__(self, key: Any, value: Operand) -> None:
        if not isinstance(value, Value) and not is_number(value):
            raise TypeError(
                f"can't assign a {type(value).__name__} to a tensor: convert it first, with "
                "nnlib.tensor(…)"
            )
        x, recorded = self._data, _must_record(self, (value,))
        expanded = isinstance(x, np.ndarray) and not x.flags.writeable  # NumPy made it read-only
        if expanded and not (recorded and (record.is_tracing() or not any(_repeated(x)))):
            selected = indexing.getitem(needs_tensor("__setitem__", self), key)
            if x.size and selected._data.size and not np.may_share_memory(selected._data, x):
                raise _shared_memory_error()
            if isinstance(value, Value):
                value = picking.fitted(value, selected._data.shape)
            selected.copy_(value)  # raises an error if elements share memory
            return
        if recorded or not isinstance(self._data, np.ndarray):
            overwrite(self, picking.setitem(_old(self), key, value), "__setitem__")
            return
        picking.write(self._data, key, value)
        record.mark_changed(self._data)


def _replaced(x: Any, new: Any) -> Any:
    """`new` in place of all of x; the old history of x is kept and receives a gradient of 0."""
    if not record.grad_enabled() or x._node is None or isinstance(x._node, Leaf):
        return new
    everywhere = record.make(np.ones(x._data.shape, bool)[()])
    return ar.where(everywhere, new, ar.floor(_old(x)))  # the gradient of floor is 0, even for nan


def _random_values(x: Any, samples: Any) -> Tensor:
    """The samples in the type of x; NotImplementedError unless that is a floating-point type."""
    if x._data.dtype.kind != "f":
        raise NotImplementedError(
            f"random floats cannot be written into a tensor of {dtypes.of(x._data).name}"
        )
    return record.make(np.asarray(samples).astype(x._data.dtype)[()])

"""Tensor: a value, the node that made it, and PyTorch's operators as thin names for functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nnlib import autograd, dtypes, printing, record
from nnlib.functions import create
from nnlib.functions import elementwise as e
from nnlib.functions import linalg as la
from nnlib.functions import reduce as r
from nnlib.functions import shape as s
from nnlib.record import Leaf, Node, Value


class Size(tuple):
    """A shape: a tuple that prints as PyTorch's."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"nnlib.Size({list(self)})"

    def numel(self) -> int:
        """How many elements a tensor of this shape has."""
        return int(np.prod(self))


class Tensor(Value):
    """An n-dimensional array that remembers how it was computed.  As ``torch.Tensor``.

    >>> import nnlib
    >>> w = nnlib.tensor([1.0, 2.0], requires_grad=True)
    >>> loss = (w * w).sum()
    >>> loss.backward()
    >>> w.grad
    tensor([2., 4.])
    """

    __slots__ = ()
    __array_priority__ = 1000
    __array_ufunc__ = None  # array + tensor asks the tensor, which refuses what it was not given

    # ------------------------------------------------------------ operators
    __add__ = __radd__ = add = e.add
    __sub__, __rsub__, sub = e.sub, e.rsub, e.sub
    __mul__ = __rmul__ = mul = e.mul
    __truediv__, __rtruediv__, div = e.div, e.rdiv, e.div
    __pow__, __rpow__, pow = e.pow, e.rpow, e.pow
    __floordiv__ = floor_divide = e.floor_divide
    __mod__ = remainder = e.remainder
    __matmul__ = matmul = mm = la.matmul
    __neg__, neg, __abs__, abs = e.neg, e.neg, e.abs, e.abs
    __eq__, __ne__, __lt__, __le__, __gt__, __ge__ = e.eq, e.ne, e.lt, e.le, e.gt, e.ge
    eq, ne, lt, le, gt, ge = e.eq, e.ne, e.lt, e.le, e.gt, e.ge
    __getitem__ = s.getitem
    __hash__ = object.__hash__

    def __invert__(self) -> Any:
        if self._data.dtype.kind != "b":
            raise TypeError(f"~ is for boolean tensors, not {self.dtype.name}")
        return e.logical_not(self)

    def __and__(self, other: Any) -> Any:
        return e.logical_and(*_booleans("&", self, other))

    def __or__(self, other: Any) -> Any:
        return e.logical_or(*_booleans("|", self, other))

    def __xor__(self, other: Any) -> Any:
        return e.logical_xor(*_booleans("^", self, other))

    # ------------------------------------------------------------ functions as methods
    exp, exp2, expm1, log, log2, log10, log1p = (
        e.exp, e.exp2, e.expm1, e.log, e.log2, e.log10, e.log1p,
    )  # fmt: skip
    sqrt, square, reciprocal, sign, erf = e.sqrt, e.square, e.reciprocal, e.sign, e.erf
    sin, cos, tan, asin, acos, atan = e.sin, e.cos, e.tan, e.asin, e.acos, e.atan
    sinh, cosh, tanh, asinh, acosh, atanh = e.sinh, e.cosh, e.tanh, e.asinh, e.acosh, e.atanh
    sigmoid, relu, clamp, clone, maximum, minimum = (
        e.sigmoid, e.relu, e.clamp, e.clone, e.maximum, e.minimum,
    )  # fmt: skip
    floor, ceil, round, trunc = e.floor, e.ceil, e.round, e.trunc
    isnan, isinf, isfinite, logical_not = e.isnan, e.isinf, e.isfinite, e.logical_not
    logical_and, logical_or, logical_xor = e.logical_and, e.logical_or, e.logical_xor
    sum, prod, mean, var, std, amax, amin = r.sum, r.prod, r.mean, r.var, r.std, r.amax, r.amin
    max, min, argmax, argmin, any, all = r.max, r.min, r.argmax, r.argmin, r.any, r.all
    logsumexp, softmax, log_softmax = r.logsumexp, r.softmax, r.log_softmax
    cumsum, cumprod, sort, argsort = r.cumsum, r.cumprod, r.sort, r.argsort
    reshape = view = s.reshape
    flatten, permute, transpose, squeeze, unsqueeze = (
        s.flatten, s.permute, s.transpose, s.squeeze, s.unsqueeze,
    )  # fmt: skip
    expand, flip = s.expand, s.flip

    def t(self) -> Any:
        """The transpose of a matrix; a vector or a number as it is."""
        if self.ndim > 2:
            raise RuntimeError(
                f"t() expects a tensor with <= 2 dimensions, but self is {self.ndim}D"
            )
        return s.transpose(self, 0, 1) if self.ndim == 2 else self

    @property
    def T(self) -> Any:
        """The tensor with its dimensions in reverse order."""
        return s.permute(self, tuple(reversed(range(self.ndim))))

    @property
    def mT(self) -> Any:
        """The tensor with its last two dimensions exchanged."""
        return s.transpose(self, -2, -1)

    # ------------------------------------------------------------ what it is
    @property
    def shape(self) -> Size:
        return Size(self._data.shape)

    @property
    def ndim(self) -> int:
        return self._data.ndim

    @property
    def dtype(self) -> dtypes.dtype:
        return dtypes.of(self._data)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or one dimension of it."""
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        return self.ndim

    def numel(self) -> int:
        return int(self._data.size)

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of a 0-d tensor")
        return int(self._data.shape[0])

    def __iter__(self) -> Iterator[Any]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return iter([self[i] for i in range(len(self))])

    def __repr__(self) -> str:
        return printing.describe(self)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if not self.ndim else format(repr(self), spec)

    # ------------------------------------------------------------ leaving nnlib
    def item(self) -> Any:
        """The number in a tensor with one element."""
        if self._data.size != 1:
            raise RuntimeError(
                f"a Tensor with {self._data.size} elements cannot be converted to Scalar"
            )
        if record.watcher is not None:
            record.watcher.peeked(self, "item()")
        return self._data.item()

    def __bool__(self) -> bool:
        if self._data.size != 1:
            raise RuntimeError(
                "Boolean value of Tensor with more than one value is ambiguous: use .any() or "
                ".all()"
            )
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self._data.dtype.kind not in "iub":
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.item())

    def tolist(self) -> Any:
        return self._data.tolist()

    def numpy(self) -> np.ndarray:
        """The NumPy array behind the tensor: shared memory, so detach() first where it matters."""
        if self.requires_grad:
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() "
                "instead."
            )
        return np.asarray(self._data)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(self.numpy(), dtype)

    # ------------------------------------------------------------ types
    def to(self, dtype: Any) -> Any:
        """The same values in another type."""
        return e.to_dtype(self, dtype)

    def float(self) -> Any:
        return self.to(dtypes.float32)

    def double(self) -> Any:
        return self.to(dtypes.float64)

    def long(self) -> Any:
        return self.to(dtypes.int64)

    def int(self) -> Any:
        return self.to(dtypes.int32)

    def bool(self) -> Any:
        return self.to(dtypes.bool_)

    # ------------------------------------------------------------ autograd
    @property
    def requires_grad(self) -> Any:
        """Whether operations on this tensor are recorded."""
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, value: Any) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: Any = True) -> Any:
        """Start (or stop) recording operations on this leaf."""
        if not self.is_leaf:
            if requires_grad:
                return self
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables: detach()"
            )
        if requires_grad and self._data.dtype.kind != "f":
            raise RuntimeError(
                "only Tensors of floating point dtype can require gradients, this one is "
                f"{self.dtype.name}"
            )
        if not requires_grad:
            self._node = None
        elif self._node is None:
            self._node = Leaf()
        return self

    @property
    def is_leaf(self) -> Any:
        return self._node is None or isinstance(self._node, Leaf)

    @property
    def grad_fn(self) -> Node | None:
        return None if self.is_leaf else self._node

    @property
    def grad(self) -> Any:
        """What backward() has gathered here: the derivative of the loss (None before)."""
        node = self._node
        if isinstance(node, Leaf):
            return node.grad
        return node.extra.get("retain") if node is not None and node.extra else None

    @grad.setter
    def grad(self, value: Any) -> None:
        if not isinstance(self._node, Leaf):
            if value is None:
                return
            raise RuntimeError("only a leaf with requires_grad=True can be given a .grad")
        if value is not None and value._data.shape != self._data.shape:
            raise RuntimeError(
                f"assigned grad has data of a different size: {list(value._data.shape)} for a "
                f"tensor of shape {list(self._data.shape)}"
            )
        self._node.grad = value

    def backward(
        self,
        gradient: Any = None,
        retain_graph: Any = None,
        create_graph: Any = False,
        inputs: Any = None,
    ) -> None:
        """Add d(self)/d(leaf) to the .grad of every leaf.  See `nnlib.autograd.backward`."""
        autograd.backward(self, gradient, retain_graph, create_graph, inputs)

    def retain_grad(self) -> None:
        """Keep the gradient of this tensor too, though it is no leaf."""
        if self._node is None:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if not isinstance(self._node, Leaf):
            self._node.note("retain", None)

    def register_hook(self, hook: Callable[[Any], Any]) -> Callable[[], None]:
        """Call `hook(gradient)` when the gradient arrives; what it returns replaces it.

        Returns a function that removes the hook.
        """
        if self._node is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if not self._node.extra or "hooks" not in self._node.extra:
            self._node.note("hooks", {})
        assert self._node.extra is not None
        hooks = self._node.extra["hooks"]
        key = object()
        hooks[key] = hook
        return lambda: hooks.pop(key, None)

    def detach(self) -> Any:
        """The same memory, outside the graph."""
        out = record.make(self._data)
        out._view = (self, None)
        if record.watcher is not None:
            record.watcher.alias(out, self)
        return out

    @property
    def data(self) -> Any:
        return self.detach()

    # ------------------------------------------------------------ in place
    def _become(self, result: Any, how: str) -> Any:
        """Take the value (and history) of `result`: what every in-place form does."""
        if record.grad_enabled() and isinstance(self._node, Leaf):
            raise RuntimeError(
                "a leaf Variable that requires grad is being used in an in-place operation: "
                f"{how}. Change parameters under no_grad()."
            )
        x, new = self._data, result._data
        if new.shape != x.shape:
            raise RuntimeError(
                f"output with shape {list(x.shape)} doesn't match the broadcast shape "
                f"{list(new.shape)}: {how} cannot grow a tensor"
            )
        if dtypes.promote(x.dtype, new.dtype) != x.dtype and new.dtype.kind != x.dtype.kind:
            raise RuntimeError(
                f"result type {new.dtype.name} can't be cast to the desired output type "
                f"{x.dtype.name}: convert the tensor first"
            )
        view = getattr(self, "_view", None)
        recorded = view is not None and (result._node is not None or view[0]._node is not None)
        if recorded and record.grad_enabled():
            raise RuntimeError(
                f"{how} on a view of a tensor that takes part in a gradient: the tensor behind "
                "the view would lose its history. Work on a clone(), or change the whole tensor."
            )
        if isinstance(x, np.ndarray):
            record.mark_changed(x)
            try:
                np.copyto(x, new, casting="unsafe")
            except ValueError:
                raise RuntimeError(
                    "unsupported operation: more than one element of the written-to tensor refers "
                    "to a single memory location (an expanded tensor). Please clone() it first."
                ) from None
        else:
            self._data = x.dtype.type(new)
            _write_through(self, view)
        if not isinstance(self._node, Leaf):
            self._node = result._node
        if record.watcher is not None:
            record.watcher.rebound(self, result)
        return self

    def add_(self, other: Any, *, alpha: Any = 1) -> Any:
        return self._become(e.add(self, other if alpha == 1 else e.mul(other, alpha)), "add_")

    def sub_(self, other: Any, *, alpha: Any = 1) -> Any:
        return self._become(e.sub(self, other if alpha == 1 else e.mul(other, alpha)), "sub_")

    def mul_(self, other: Any) -> Any:
        return self._become(e.mul(self, other), "mul_")

    def div_(self, other: Any) -> Any:
        return self._become(e.div(self, other), "div_")

    def clamp_(self, min: Any = None, max: Any = None) -> Any:
        return self._become(e.clamp(self, min, max), "clamp_")

    def zero_(self) -> Any:
        return self._become(create.zeros_like(self), "zero_")

    def fill_(self, value: Any) -> Any:
        return self._become(create.full(self.shape, value, dtype=self.dtype), "fill_")

    def copy_(self, source: Any) -> Any:
        return self._become(s.expand(e.to_dtype(source, self.dtype), self.shape), "copy_")

    __iadd__, __isub__, __imul__, __itruediv__ = add_, sub_, mul_, div_


def _booleans(sign: str, a: Any, b: Any) -> tuple[Any, Any]:
    for x in (a, b):
        if not isinstance(x, Value) or x._data.dtype.kind != "b":
            raise TypeError(
                f"{sign} is for boolean tensors: compare first, as in (x > 0) {sign} (x < 1)"
            )
    return a, b


def _write_through(t: Tensor, view: Any) -> None:
    """A 0-d view holds a copy of its element: write it back to where it came from."""
    if view is None:
        return
    base, index = view
    if isinstance(base._data, np.ndarray):
        base._data[index if index is not None else ()] = t._data
        record.mark_changed(base._data)
    else:
        base._data = t._data
        _write_through(base, getattr(base, "_view", None))


record.tensor_class = Tensor

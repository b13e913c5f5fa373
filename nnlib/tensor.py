"""Tensor: a value, the node that computed it, and methods that are mostly the public functions."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self, SupportsIndex, overload

import numpy as np

from nnlib import devices, dtypes, printing, record
from nnlib._types import Device, DType, Number, Operand, Sizes
from nnlib.autograd import gradients
from nnlib.autograd.hooks import RemovableHandle, register
from nnlib.functions import along, arrange, create, indexing, picking, products
from nnlib.functions import arithmetic as ar
from nnlib.functions import reshaping as s
from nnlib.functions._args import is_number, needs_tensor
from nnlib.inplace import InPlace
from nnlib.primitives import shape as shape_primitives
from nnlib.record import Leaf, Node, Value


class Size(tuple[int, ...]):
    """A shape: a tuple that prints like PyTorch's.  Like ``torch.Size``.

    >>> import nnlib
    >>> nnlib.zeros(2, 3).shape
    nnlib.Size([2, 3])
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"nnlib.Size({list(self)})"

    def numel(self) -> int:
        """The number of elements of a tensor with this shape.

        >>> import nnlib
        >>> nnlib.zeros(2, 3).shape.numel()
        6
        """
        return math.prod(self)

    @overload
    def __getitem__(self, key: SupportsIndex) -> int: ...
    @overload
    def __getitem__(self, key: slice) -> Size: ...
    def __getitem__(self, key: SupportsIndex | slice) -> int | Size:
        result = super().__getitem__(key)
        return result if isinstance(result, int) else Size(result)

    def __add__(self, other: tuple[int, ...]) -> Size:  # type: ignore[override]
        return Size(super().__add__(tuple(other)))


class Tensor(InPlace):
    """An n-dimensional array that remembers how it was computed.  Like ``torch.Tensor``.

    >>> import nnlib
    >>> w = nnlib.tensor([1.0, 2.0], requires_grad=True)
    >>> loss = (w * w).sum()
    >>> loss.backward()
    >>> w.grad
    tensor([2., 4.])
    """

    __slots__ = ()
    __array_priority__ = 1000
    __array_ufunc__ = None  # array + tensor calls Tensor.__radd__, which refuses arrays

    # ------------------------------------------------------------ operators
    __add__ = __radd__ = ar.plus
    __sub__, __rsub__ = ar.minus, ar.rsub
    __mul__ = __rmul__ = mul = ar.mul
    __truediv__, __rtruediv__ = ar.true_divide, ar.rdiv
    __pow__, __rpow__ = ar.power, ar.rpow
    __floordiv__, __rfloordiv__, floor_divide = ar.floor_divide, ar.rfloordiv, ar.floor_divide
    __mod__, __rmod__, remainder = ar.remainder, ar.rmod, ar.remainder
    __matmul__ = matmul = products.matmul
    add, sub, div, pow = ar.add, ar.sub, ar.div, ar.pow
    mm, mv, dot, outer, bmm = products.mm, products.mv, products.dot, products.outer, products.bmm
    addmm, norm = products.addmm, products.torch_norm
    __neg__, neg, __abs__, abs = ar.neg, ar.neg, ar.abs, ar.abs
    __lt__, __le__, __gt__, __ge__ = ar.lt, ar.le, ar.gt, ar.ge
    eq, ne, lt, le, gt, ge = ar.eq, ar.ne, ar.lt, ar.le, ar.gt, ar.ge
    __getitem__ = indexing.getitem
    __hash__ = object.__hash__

    __invert__ = bitwise_not = ar.bitwise_not
    __and__ = __rand__ = bitwise_and = ar.bitwise_and
    __or__ = __ror__ = bitwise_or = ar.bitwise_or
    __xor__ = __rxor__ = bitwise_xor = ar.bitwise_xor
    __lshift__ = bitwise_left_shift = ar.bitwise_left_shift
    __rshift__ = bitwise_right_shift = ar.bitwise_right_shift

    def __eq__(self, other: object) -> Tensor:  # type: ignore[override]  # other objects are unequal, as in Python
        return ar.eq(self, other) if _comparable(other) else NotImplemented  # type: ignore[arg-type]

    def __ne__(self, other: object) -> Tensor:  # type: ignore[override]
        return ar.ne(self, other) if _comparable(other) else NotImplemented  # type: ignore[arg-type]

    def __rlshift__(self, other: Number) -> Tensor:
        return ar.bitwise_left_shift(ar.to_dtype(create.tensor(other), self.dtype), self)

    def __rrshift__(self, other: Number) -> Tensor:
        return ar.bitwise_right_shift(ar.to_dtype(create.tensor(other), self.dtype), self)

    def __pos__(self) -> Tensor:
        if self._data.dtype.kind == "b":
            raise RuntimeError("The `+` operator, on a bool tensor is not supported: use .int()")
        return self

    def __reversed__(self) -> Tensor:
        return s.flip(self, 0) if self.ndim else self

    def __contains__(self, element: Any) -> builtins.bool:
        if not isinstance(element, Value) and not is_number(element):
            raise RuntimeError(
                "Tensor.__contains__ only supports Tensor or scalar, but you passed in a "
                f"{type(element)}."
            )
        return bool(along.any(ar.eq(self, element))._number("in"))

    # ------------------------------------------------------------ functions as methods
    exp, exp2, expm1 = ar.exp, ar.exp2, ar.expm1
    log, log2, log10, log1p = ar.log, ar.log2, ar.log10, ar.log1p
    sqrt, square, reciprocal, sign, erf = ar.sqrt, ar.square, ar.reciprocal, ar.sign, ar.erf
    sin, cos, tan, asin, acos, atan = ar.sin, ar.cos, ar.tan, ar.asin, ar.acos, ar.atan
    sinh, cosh, tanh, asinh, acosh, atanh = ar.sinh, ar.cosh, ar.tanh, ar.asinh, ar.acosh, ar.atanh
    sigmoid, relu, clone, maximum, minimum = ar.sigmoid, ar.relu, ar.clone, ar.maximum, ar.minimum
    clamp, clip, sgn, rsqrt, lerp = ar.clamp, ar.clip, ar.sgn, ar.rsqrt, ar.lerp
    nan_to_num, atan2 = ar.nan_to_num, ar.atan2
    floor, ceil, round, trunc = ar.floor, ar.ceil, ar.round, ar.trunc
    isnan, isinf, isfinite, logical_not = ar.isnan, ar.isinf, ar.isfinite, ar.logical_not
    logical_and, logical_or, logical_xor = ar.logical_and, ar.logical_or, ar.logical_xor
    sum, prod, mean, var, std = along.sum, along.prod, along.mean, along.var, along.std
    max, min, amax, amin = along.max, along.min, along.amax, along.amin
    argmax, argmin, any, all = along.argmax, along.argmin, along.any, along.all
    logsumexp, softmax, log_softmax = along.logsumexp, along.softmax, along.log_softmax
    cumsum, cumprod, sort, argsort = along.cumsum, along.cumprod, along.sort, along.argsort
    reshape = view = s.reshape
    flatten, permute, transpose = s.flatten, s.permute, s.transpose
    squeeze, unsqueeze, expand, flip = s.squeeze, s.unsqueeze, s.expand, s.flip
    narrow, select, unbind = arrange.narrow, arrange.select, arrange.unbind
    split, chunk, tile, roll = arrange.split, arrange.chunk, arrange.tile, arrange.roll
    repeat, repeat_interleave = arrange.repeat, arrange.repeat_interleave
    movedim, swapaxes, swapdims, t = arrange.movedim, arrange.swapaxes, arrange.swapaxes, arrange.t
    ravel, unflatten, broadcast_to = arrange.ravel, arrange.unflatten, arrange.broadcast_to
    tril, triu, diagonal = arrange.tril, arrange.triu, arrange.diagonal
    diag, trace = arrange.diag, arrange.trace
    reshape_as = view_as = arrange.reshape_as
    gather, scatter, scatter_add = picking.gather, picking.scatter, picking.scatter_add
    index_select, index_add = picking.index_select, picking.index_add
    masked_fill, masked_select = picking.masked_fill, picking.masked_select
    take_along_dim, topk, kthvalue = picking.take_along_dim, picking.topk, picking.kthvalue
    median, unique, bincount = picking.median, picking.unique, picking.bincount
    count_nonzero, nonzero = picking.count_nonzero, picking.nonzero
    isclose, allclose, equal = picking.isclose, picking.allclose, picking.equal
    where = picking.where_self
    bernoulli, multinomial = create.bernoulli, create.multinomial

    def expand_as(self, other: Tensor) -> Tensor:
        """The tensor expanded to the shape of `other`.

        >>> import nnlib
        >>> nnlib.tensor([[1], [2]]).expand_as(nnlib.zeros(2, 2))
        tensor([[1, 1],
                [2, 2]])
        """
        return s.expand(self, needs_tensor("expand_as", other)._data.shape)

    def contiguous(self) -> Tensor:
        """The elements stored row by row in memory: the tensor itself if they already are.

        >>> import nnlib
        >>> nnlib.zeros(2, 3).T.contiguous().is_contiguous()
        True
        """
        return self if _is_row_major(self._data) else ar.clone(self)

    def is_contiguous(self) -> builtins.bool:
        """Whether the elements are stored row by row in memory.

        >>> import nnlib
        >>> nnlib.zeros(2, 3).T.is_contiguous()
        False
        """
        # a trace's arguments are copies of the caller's
        record.report_read(self, "is_contiguous()")
        return _is_row_major(self._data)

    # ------------------------------------------------------------ new tensors of the same type
    def new_tensor(
        self,
        data: Any,
        *,
        dtype: DType | None = None,
        device: Device | None = None,
        requires_grad: builtins.bool = False,
    ) -> Tensor:
        """tensor(data) in this tensor's type.

        >>> import nnlib
        >>> nnlib.zeros(2, dtype=nnlib.float64).new_tensor([1, 2])
        tensor([1., 2.], dtype=nnlib.float64)
        """
        return create.tensor(
            data, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad
        )

    def new_zeros(
        self,
        *shape: Sizes,
        size: Sizes | None = None,
        dtype: DType | None = None,
        device: Device | None = None,
        requires_grad: builtins.bool = False,
    ) -> Tensor:
        """zeros(size) in this tensor's type.

        >>> import nnlib
        >>> nnlib.tensor([1, 2]).new_zeros(2)
        tensor([0, 0])
        """
        return create.zeros(
            *shape, size=size, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad
        )

    def new_ones(
        self,
        *shape: Sizes,
        size: Sizes | None = None,
        dtype: DType | None = None,
        device: Device | None = None,
        requires_grad: builtins.bool = False,
    ) -> Tensor:
        """ones(size) in this tensor's type.

        >>> import nnlib
        >>> nnlib.tensor([1, 2]).new_ones(2)
        tensor([1, 1])
        """
        return create.ones(
            *shape, size=size, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad
        )

    def new_empty(
        self,
        *shape: Sizes,
        size: Sizes | None = None,
        dtype: DType | None = None,
        device: Device | None = None,
        requires_grad: builtins.bool = False,
    ) -> Tensor:
        """empty(size) in this tensor's type.

        >>> import nnlib
        >>> nnlib.tensor([1, 2]).new_empty(2, 3).shape
        nnlib.Size([2, 3])
        """
        return create.empty(
            *shape, size=size, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad
        )

    def new_full(
        self,
        size: Sizes,
        fill_value: Operand,
        *,
        dtype: DType | None = None,
        device: Device | None = None,
        requires_grad: builtins.bool = False,
    ) -> Tensor:
        """full(size, fill_value) in this tensor's type.

        >>> import nnlib
        >>> nnlib.tensor([1, 2]).new_full((2,), 7)
        tensor([7, 7])
        """
        return create.full(
            size, fill_value, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad
        )

    @property
    def T(self) -> Tensor:
        """The tensor with its dimensions in reverse order.

        >>> import nnlib
        >>> nnlib.tensor([[1, 2], [3, 4]]).T
        tensor([[1, 3],
                [2, 4]])
        """
        return s.permute(self, tuple(reversed(range(self.ndim))))

    @property
    def mT(self) -> Tensor:
        """The tensor with its last two dimensions exchanged.

        >>> import nnlib
        >>> nnlib.zeros(5, 2, 3).mT.shape
        nnlib.Size([5, 3, 2])
        """
        return s.transpose(self, -2, -1)

    # ------------------------------------------------------------ shape and type
    @property
    def shape(self) -> Size:
        """The length of each dimension; () for a 0-d tensor.

        >>> import nnlib
        >>> nnlib.zeros(2, 3).shape
        nnlib.Size([2, 3])
        """
        return Size(self._data.shape)

    @property
    def ndim(self) -> builtins.int:
        """The number of dimensions, the same as `dim()`.

        >>> import nnlib
        >>> nnlib.zeros(2, 3).ndim
        2
        """
        return int(self._data.ndim)

    @property
    def dtype(self) -> dtypes.dtype:
        """The type of its elements.

        >>> import nnlib
        >>> nnlib.zeros(2).dtype, nnlib.arange(2).dtype
        (nnlib.float32, nnlib.int64)
        """
        return dtypes.of(self._data)

    @overload
    def size(self, dim: None = None) -> Size: ...
    @overload
    def size(self, dim: builtins.int) -> builtins.int: ...
    def size(self, dim: builtins.int | None = None) -> Size | builtins.int:
        """The shape, or one dimension of it.

        >>> import nnlib
        >>> x = nnlib.zeros(2, 3)
        >>> x.size(), x.size(-1)
        (nnlib.Size([2, 3]), 3)
        """
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> builtins.int:
        """The number of dimensions.

        >>> import nnlib
        >>> nnlib.zeros(2, 3).dim()
        2
        """
        return self.ndim

    def numel(self) -> int:
        """The number of elements.

        >>> import nnlib
        >>> nnlib.zeros(2, 3).numel()
        6
        """
        return int(self._data.size)

    nelement = numel

    def is_floating_point(self) -> builtins.bool:
        """Whether its elements are float16, float32 or float64.

        >>> import nnlib
        >>> nnlib.tensor([1.0]).is_floating_point(), nnlib.tensor([1]).is_floating_point()
        (True, False)
        """
        return bool(self._data.dtype.kind == "f")

    def element_size(self) -> builtins.int:
        """The number of bytes of one element.

        >>> import nnlib
        >>> nnlib.tensor([1.0]).element_size()
        4
        """
        return int(self._data.dtype.itemsize)

    def __len__(self) -> builtins.int:
        if not self.ndim:
            raise TypeError("len() of a 0-d tensor")
        return int(self._data.shape[0])

    def __iter__(self) -> Iterator[Tensor]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return iter([self[i] for i in range(len(self))])

    def __repr__(self) -> str:
        return printing.describe(self)

    def __reduce__(self) -> tuple[Any, ...]:
        """For pickle and copy.copy, which keep values and requires_grad, not the graph or .grad."""
        record.report_read(self, "pickle or copy")
        return _rebuilt, (self.__class__, record.as_memory(self), self.requires_grad)

    def __deepcopy__(self, memo: dict[builtins.int, Any]) -> Tensor:
        if id(self) in memo:
            copied: Tensor = memo[id(self)]
            return copied
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
                "protocol at the moment: this one was computed from tensors that are recorded. "
                "Copy x.detach(), or write x.clone() to keep the graph."
            )
        new: Tensor
        tracer = record.current_tracer()
        if tracer is None:
            new = _rebuilt(self.__class__, _copied_memory(self, memo), self.requires_grad)
        else:
            copy = ar.clone(self.detach())
            new = _rebuilt(self.__class__, copy._data, self.requires_grad)
            tracer.alias(new, copy)
        memo[id(self)] = new
        if self._copies_grad and self.grad is not None:
            new.grad = self.grad.__deepcopy__(memo)
        return new

    _copies_grad = True

    def __format__(self, spec: str) -> str:
        return format(self._number("format()"), spec) if not self.ndim else format(repr(self), spec)

    # ------------------------------------------------------------ conversion to Python or NumPy
    def item(self) -> builtins.int | builtins.float:
        """The number in a tensor with one element.

        Raises RuntimeError if it has more or fewer elements.

        >>> import nnlib
        >>> nnlib.tensor([2.5]).item()
        2.5
        """
        return self._number("item()")

    def _number(self, how: str) -> builtins.int | builtins.float:
        """The only element; `how` describes to a tracer how the program reads it."""
        if self._data.size != 1:
            raise RuntimeError(
                f"a Tensor with {self._data.size} elements cannot be converted to Scalar"
            )
        record.report_read(self, how)
        number: builtins.int | builtins.float = self._data.item()
        return number

    def __bool__(self) -> builtins.bool:
        if self._data.size != 1:
            raise RuntimeError(
                "Boolean value of Tensor with more than one value is ambiguous: use .any() or "
                ".all()"
            )
        return bool(self._number("bool() (which if, while, and, or, not call)"))

    def __float__(self) -> builtins.float:
        return float(self._number("float()"))

    def __int__(self) -> builtins.int:
        return int(self._number("int()"))

    def __index__(self) -> builtins.int:
        if self._data.dtype.kind not in "iub" or self._data.size != 1:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self._number("range() or an index"))

    def tolist(self) -> list[Any]:
        """The elements as nested lists (a number for a 0-d tensor).

        >>> import nnlib
        >>> nnlib.tensor([[1, 2], [3, 4]]).tolist()
        [[1, 2], [3, 4]]
        """
        record.report_read(self, "tolist()")
        return self._data.tolist()  # type: ignore[no-any-return]

    def numpy(self) -> np.ndarray[Any, Any]:
        """The tensor as a NumPy array that shares its memory.

        Raises RuntimeError for a tensor that requires a gradient.

        >>> import nnlib
        >>> nnlib.tensor([1.0, 2.0]).numpy()
        array([1., 2.], dtype=float32)
        """
        if self.requires_grad:
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() "
                "instead."
            )
        record.report_read(self, "numpy()")
        return record.as_memory(self)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray[Any, Any]:
        return np.asarray(self.numpy(), dtype)

    # ------------------------------------------------------------ types
    def to(
        self,
        *args: DType | Device | Tensor | builtins.bool | None,
        dtype: DType | None = None,
        device: Device | None = None,
        non_blocking: builtins.bool = False,
        copy: builtins.bool = False,
    ) -> Tensor:
        """The same values in another type or that of another tensor; the only device is the CPU.

        It returns the tensor itself if nothing changes and `copy` is false.  Raises RuntimeError
        for an unknown device.

        >>> import nnlib
        >>> nnlib.tensor([1.9, -1.9]).to(nnlib.int64)
        tensor([ 1, -1])
        >>> nnlib.tensor([1.9]).to("cpu", nnlib.float64)
        tensor([1.9000], dtype=nnlib.float64)
        """
        target: Any = dtype
        for arg in args:
            if isinstance(arg, Tensor):
                target = arg.dtype
            elif isinstance(arg, (str, devices.device)):
                device = arg
            elif not isinstance(arg, bool):  # PyTorch's non_blocking and copy by position
                target = arg
        devices.refuse_other_devices(device)
        out = self if target is None else ar.to_dtype(self, target)
        return ar.clone(out) if copy and out is self else out

    @overload
    def type(self, dtype: None = None) -> str: ...
    @overload
    def type(self, dtype: DType | str, non_blocking: builtins.bool = False) -> Tensor: ...
    def type(
        self, dtype: DType | str | None = None, non_blocking: builtins.bool = False
    ) -> str | Tensor:
        """The name of the type ("nnlib.FloatTensor"); with a dtype, the same values in that type.

        Raises ValueError for a name that is not a type of tensor.

        >>> import nnlib
        >>> nnlib.tensor([1.5]).type(), nnlib.tensor([1.5]).type(nnlib.int64)
        ('nnlib.FloatTensor', tensor([1]))
        """
        if dtype is None:
            return f"nnlib.{_TENSOR_NAMES[self.dtype.name]}"
        if isinstance(dtype, str):
            names = {v: k for k, v in _TENSOR_NAMES.items()}
            dtype_name = names.get(dtype.rpartition(".")[2])
            if dtype_name is None:
                raise ValueError(f"invalid type: {dtype!r}; types are {list(names)}")
            return ar.to_dtype(self, dtypes.dtype.known[np.dtype(dtype_name)])
        return ar.to_dtype(self, dtype)

    @property
    def device(self) -> devices.device:
        """The device of its memory, which is always the CPU.

        >>> import nnlib
        >>> nnlib.zeros(2).device
        device(type='cpu')
        """
        return devices.CPU

    def type_as(self, other: Tensor) -> Tensor:
        """The same values in the type of `other`.

        >>> import nnlib
        >>> nnlib.tensor([1, 0]).type_as(nnlib.tensor([0.5]))
        tensor([1., 0.])
        """
        return ar.to_dtype(self, needs_tensor("type_as", other).dtype)

    def cpu(self) -> Tensor:
        """The tensor itself, because the CPU is the only device.

        >>> import nnlib
        >>> x = nnlib.zeros(2)
        >>> x.cpu() is x
        True
        """
        return self

    def half(self) -> Tensor:
        """The same values as float16.

        >>> import nnlib
        >>> nnlib.tensor([1.0]).half()
        tensor([1.], dtype=nnlib.float16)
        """
        return self.to(dtypes.float16)

    def byte(self) -> Tensor:
        """The same values as uint8.

        >>> import nnlib
        >>> nnlib.tensor([1.9]).byte()
        tensor([1], dtype=nnlib.uint8)
        """
        return self.to(dtypes.uint8)

    def char(self) -> Tensor:
        """The same values as int8.

        >>> import nnlib
        >>> nnlib.tensor([-1.9]).char()
        tensor([-1], dtype=nnlib.int8)
        """
        return self.to(dtypes.int8)

    def short(self) -> Tensor:
        """The same values as int16.

        >>> import nnlib
        >>> nnlib.tensor([1.9]).short()
        tensor([1], dtype=nnlib.int16)
        """
        return self.to(dtypes.int16)

    def float(self) -> Tensor:
        """The same values as float32.

        >>> import nnlib
        >>> nnlib.tensor([1, 2]).float()
        tensor([1., 2.])
        """
        return self.to(dtypes.float32)

    def double(self) -> Tensor:
        """The same values as float64.

        >>> import nnlib
        >>> nnlib.tensor([1.0]).double()
        tensor([1.], dtype=nnlib.float64)
        """
        return self.to(dtypes.float64)

    def long(self) -> Tensor:
        """The same values as int64.

        >>> import nnlib
        >>> nnlib.tensor([1.9]).long()
        tensor([1])
        """
        return self.to(dtypes.int64)

    def int(self) -> Tensor:
        """The same values as int32.

        >>> import nnlib
        >>> nnlib.tensor([1.9]).int()
        tensor([1], dtype=nnlib.int32)
        """
        return self.to(dtypes.int32)

    def bool(self) -> Tensor:
        """The same values as booleans.

        >>> import nnlib
        >>> nnlib.tensor([0.0, 2.0]).bool()
        tensor([False,  True])
        """
        return self.to(dtypes.bool_)

    # ------------------------------------------------------------ autograd
    @property
    def requires_grad(self) -> builtins.bool:
        """Whether operations on this tensor are recorded.

        >>> import nnlib
        >>> w = nnlib.zeros(2, requires_grad=True)
        >>> w.requires_grad, (2 * w).requires_grad, w.detach().requires_grad
        (True, True, False)
        """
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, value: builtins.bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: builtins.bool = True) -> Self:
        """Start (or stop) recording operations on this leaf.

        Raises RuntimeError for a tensor that is not floating-point, and if recording is stopped for
        a tensor that is not a leaf.

        >>> import nnlib
        >>> nnlib.zeros(2).requires_grad_()
        tensor([0., 0.], requires_grad=True)
        """
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
    def is_leaf(self) -> builtins.bool:
        """Whether it was created directly, not computed from recorded tensors.

        >>> import nnlib
        >>> w = nnlib.zeros(2, requires_grad=True)
        >>> w.is_leaf, (2 * w).is_leaf
        (True, False)
        """
        return self._node is None or isinstance(self._node, Leaf)

    @property
    def grad_fn(self) -> Node | None:
        """The node of the operation that computed it, in the recorded graph; None for a leaf.

        >>> import nnlib
        >>> w = nnlib.zeros(2, requires_grad=True)
        >>> (2 * w).grad_fn, w.grad_fn
        (<MulBackward>, None)
        """
        return None if self.is_leaf else self._node

    @property
    def grad(self) -> Tensor | None:
        """The gradient of the loss with respect to this tensor, from backward(); None before that.

        The gradients of several calls are added; optimizer.zero_grad() or assigning None resets it.

        >>> import nnlib
        >>> w = nnlib.tensor(3.0, requires_grad=True)
        >>> (w * w).backward()
        >>> (w * w).backward()
        >>> w.grad
        tensor(12.)
        """
        node = self._node
        if isinstance(node, Leaf):
            if record.nondefault_states and (tracer := record.current_tracer()):
                tracer.leaf_grad(node)
            return node.grad
        retained: Tensor | None = None
        if node is not None and node.extra:
            retained = node.extra.get("retain")
        return retained

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        tracer = record.current_tracer()
        if tracer is not None and isinstance(self._node, Leaf):
            tracer.leaf_grad(self._node)
        if value is None and self._node.__class__ is Leaf:
            self._node.grad = None
            return
        if not isinstance(self._node, Leaf):
            if value is None:
                return
            raise RuntimeError("only a leaf with requires_grad=True can be given a .grad")
        if value is not None and not isinstance(value, Value):
            raise TypeError(
                f"assigned grad expected to be a Tensor or None but got {type(value).__name__}"
            )
        if value is not None and value._data.dtype != self._data.dtype:
            raise RuntimeError(
                f"assigned grad has data of a different type: {dtypes.of(value._data).name} for a "
                f"tensor of {self.dtype.name}"
            )
        if value is not None and value._data.shape != self._data.shape:
            raise RuntimeError(
                f"assigned grad has data of a different size: {list(value._data.shape)} for a "
                f"tensor of shape {list(self._data.shape)}"
            )
        self._node.grad = value

    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: builtins.bool | None = None,
        create_graph: builtins.bool = False,
        inputs: Tensor | Sequence[Tensor] | None = None,
    ) -> None:
        """Add d(self)/d(leaf) to the .grad of every leaf.  See `nnlib.autograd.backward`.

        >>> import nnlib
        >>> w = nnlib.tensor([1.0, 2.0], requires_grad=True)
        >>> (w * w).sum().backward()
        >>> w.grad
        tensor([2., 4.])
        """
        gradients.backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def retain_grad(self) -> None:
        """Store the gradient of this tensor in .grad, although it is not a leaf.

        Raises RuntimeError for a tensor that is not recorded.

        >>> import nnlib
        >>> w = nnlib.tensor(3.0, requires_grad=True)
        >>> z = 2 * w
        >>> z.retain_grad()
        >>> (z * z).backward()
        >>> z.grad
        tensor(12.)
        """
        if self._node is None:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if not isinstance(self._node, Leaf):
            self._node.note("retain", None)

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Call `hook(gradient)` when the gradient is computed; a returned tensor replaces it.

        Returns a handle whose ``remove()`` removes the hook.  Raises RuntimeError for a tensor
        that is not recorded.

        >>> import nnlib
        >>> x = nnlib.tensor(3.0, requires_grad=True)
        >>> handle = x.register_hook(lambda g: g * 10)
        >>> (x * x).backward()
        >>> x.grad
        tensor(60.)
        >>> handle.remove()
        """
        if self._node is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if not self._node.extra or "hooks" not in self._node.extra:
            self._node.note("hooks", {})
        assert self._node.extra is not None
        return register(self._node.extra["hooks"], hook)

    @property
    def retains_grad(self) -> builtins.bool:
        """Whether retain_grad() was called.

        >>> import nnlib
        >>> z = 2 * nnlib.tensor(3.0, requires_grad=True)
        >>> z.retain_grad()
        >>> z.retains_grad
        True
        """
        node = self._node
        return bool(not self.is_leaf and node is not None and "retain" in (node.extra or {}))

    def detach(self) -> Tensor:
        """A tensor with the same memory that is outside the graph.

        >>> import nnlib
        >>> w = nnlib.tensor(3.0, requires_grad=True)
        >>> (2 * w).detach()
        tensor(6.)
        """
        if record.is_tracing():
            out = record.apply(shape_primitives.detach, (self,), {})
        else:
            out = record.make(record.as_memory(self))
        out._view = (self, None, None)
        return out

    def detach_(self) -> Self:
        """Take this tensor out of the graph: it becomes a leaf that needs no gradient.

        Raises RuntimeError for a view.

        >>> import nnlib
        >>> z = 2 * nnlib.tensor(3.0, requires_grad=True)
        >>> z.detach_()
        tensor(6.)
        """
        view = getattr(self, "_view", None)
        if view is not None and view[1] is not None:
            raise RuntimeError("Can't detach views in-place. Use detach() instead.")
        self._node = None
        return self

    @property
    def data(self) -> Tensor:
        """A tensor with the same memory outside the graph; assign to it to replace the memory.

        >>> import nnlib
        >>> w = nnlib.tensor([1.0, 2.0], requires_grad=True)
        >>> w.data
        tensor([1., 2.])
        """
        return self.detach()

    @data.setter
    def data(self, new: Tensor) -> None:
        value = needs_tensor("data", new)
        if self._node is not None and value._data.dtype.kind != "f":
            raise RuntimeError(
                "data set to a tensor that requires gradients must be floating point, got "
                f"{dtypes.of(value._data).name}"
            )
        self._data = record.as_memory(value)
        record.report_alias(self, value)


_TENSOR_NAMES = {
    "float16": "HalfTensor", "float32": "FloatTensor", "float64": "DoubleTensor",
    "uint8": "ByteTensor", "int8": "CharTensor", "int16": "ShortTensor", "int32": "IntTensor",
    "int64": "LongTensor", "bool": "BoolTensor",
}  # fmt: skip


def _is_row_major(array: Any) -> builtins.bool:
    return bool(np.ndim(array) == 0 or array.flags.c_contiguous)


def _comparable(other: Any) -> bool:
    """Whether == calls eq(), which refuses arrays with advice; other objects are never equal."""
    return isinstance(other, (Value, np.ndarray)) or is_number(other)


def _copied_memory(x: Value, memo: dict[int, Any]) -> np.ndarray[Any, Any]:
    """A copy of x's array; tensors that share memory also share it after a deep copy."""
    array = record.as_memory(x)
    owner = array if array.base is None else array.base
    if type(owner) is not np.ndarray or not array.size:
        return array.copy()
    if id(owner) not in memo:
        memo[id(owner)] = owner.copy(order="K")
    new: np.ndarray[Any, Any] = memo[id(owner)]
    if owner is array:
        return new
    return record.in_memory(new, array, record.offset(array, owner))


def _rebuilt(cls: type, array: np.ndarray, requires_grad: bool) -> Any:
    """A tensor with this array, for pickle and deepcopy."""
    new: Any = object.__new__(cls)
    new._data = array
    new._node = Leaf() if requires_grad else None
    return new


record.tensor_class = Tensor

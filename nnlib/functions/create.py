"""Functions that create tensors: from data, constants, ranges and random numbers."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from nnlib import dtypes, record
from nnlib._types import Device, DType, Operand, Sizes
from nnlib.devices import refuse_other_devices, refuse_out
from nnlib.functions._args import as_element, converted, is_number, needs_tensor
from nnlib.functions.reshaping import as_sizes
from nnlib.record import Leaf, Value, make

if TYPE_CHECKING:
    from nnlib.tensor import Tensor


def _new_tensor(
    array: Any, requires_grad: bool, device: Device | None = None, out: None = None
) -> Tensor:
    """A tensor with this array; it checks the arguments that all functions of this file share."""
    record.prepare_process()
    refuse_other_devices(device)
    refuse_out(out)
    result = make(array[()])
    if requires_grad:
        if array.dtype.kind != "f":
            raise RuntimeError(
                "Only Tensors of floating point dtype can require gradients: this one is "
                f"{dtypes.of(array).name}. Give dtype=nnlib.float32, or write 1.0 for 1."
            )
        result._node = Leaf()
    return result


def _numpy_type(dtype: Any) -> np.dtype:
    """The NumPy dtype of the argument `dtype`; for None, the default floating-point type."""
    return dtypes.get_default_dtype().numpy if dtype is None else dtypes.as_numpy(dtype)


def _sized(shape: tuple[Any, ...], size: Any) -> tuple[int, ...]:
    """The shape of f(2, 3), f((2, 3)) or f(size=(2, 3))."""
    if size is None:
        return as_sizes(shape)
    if shape:
        raise TypeError(f"the size is given twice: {list(shape)} and size={size!r}")
    return as_sizes(tuple(size) if isinstance(size, (tuple, list)) else (size,))


def tensor(
    data: Any,
    *,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor with a copy of `data`: a number, nested lists, or a NumPy array.

    Python floats give float32, ints int64, bools bool; an array keeps its type.  Raises ValueError
    for ragged lists, TypeError for a string, RuntimeError for integers with `requires_grad`.  Like
    ``torch.tensor``.

    >>> import nnlib
    >>> nnlib.tensor([[1.0, 2.0], [3.0, 4.0]])
    tensor([[1., 2.],
            [3., 4.]])
    """
    refuse_other_devices(device)
    if isinstance(data, (Value, np.ndarray, np.generic)):  # these have a type already
        array = np.array(data._data if isinstance(data, Value) else data)
        dtypes.of(array)
        np_dtype = array.dtype if dtype is None else dtypes.as_numpy(dtype)
        return _new_tensor(array.astype(np_dtype, copy=False), requires_grad)
    if isinstance(data, str):
        raise TypeError("new(): invalid data type 'str': a tensor holds numbers")
    if isinstance(data, range):
        data = list(data)
    np_dtype = _type_of(data) if dtype is None else dtypes.as_numpy(dtype)
    return _new_tensor(_array_of(_unwrapped(data), np_dtype), requires_grad)


def _array_of(data: Any, np_dtype: np.dtype) -> np.ndarray:
    """Numbers and nested lists of them as an array; RuntimeError if one does not fit."""
    try:
        array = np.array(data)
    except ValueError as error:
        raise ValueError(f"the nested lists are not of equal lengths: {error}") from None
    if array.dtype.kind not in "biuf":
        if array.dtype.kind == "O" and all(isinstance(v, int) for v in array.ravel()):
            raise ValueError("Overflow when unpacking long long: an int64 ends at 2**63 - 1")
        raise RuntimeError(
            f"Could not infer dtype of {array.dtype.name}: a tensor is made of numbers, of nested "
            "lists of equal lengths, or of a NumPy array"
        )
    if array.dtype == np.uint64 and np_dtype.kind in "iu":
        raise ValueError("Overflow when unpacking long long: an int64 ends at 2**63 - 1")
    if array.size and np_dtype.kind in "iu" and array.dtype != np_dtype and array.dtype.kind != "b":
        for end in (array.min(), array.max()):
            as_element(end, np_dtype)
    return array.astype(np_dtype, copy=False)


def _type_of(data: Any) -> np.dtype:
    """The type of tensor(data): the promoted types of its elements, as PyTorch infers it."""
    types = set(_types_in(data))
    return functools.reduce(dtypes.promote, types) if types else dtypes.get_default_dtype().numpy


def _types_in(data: Any) -> Iterator[np.dtype]:
    if isinstance(data, (list, tuple)):
        python_types = set(map(type, data))
        if python_types <= {int, float, bool}:
            yield from [dtypes.of_number(python_type(0)) for python_type in python_types]
            return
        for entry in data:
            yield from _types_in(entry)
    elif isinstance(data, (Value, np.ndarray, np.generic)):
        array = data._data if isinstance(data, Value) else data
        dtypes.of(array)
        yield array.dtype
    elif isinstance(data, (bool, int, float)):
        yield dtypes.of_number(data)
    else:
        raise RuntimeError(
            f"Could not infer dtype of {type(data).__name__}: a tensor is made of numbers, of "
            "nested lists of them, or of a NumPy array"
        )


def _unwrapped(data: Any) -> Any:
    """Nested lists with arrays in place of tensors."""
    if isinstance(data, Value):
        return data._data
    return [_unwrapped(entry) for entry in data] if isinstance(data, (list, tuple)) else data


def from_numpy(array: np.ndarray[Any, Any]) -> Tensor:
    """A tensor that shares the memory of a NumPy array.

    Raises TypeError for anything but an array, and for types that nnlib does not have.  Like
    ``torch.from_numpy``.

    >>> import nnlib
    >>> import numpy as np
    >>> array = np.zeros(2)
    >>> x = nnlib.from_numpy(array)
    >>> array[0] = 1
    >>> x
    tensor([1., 0.], dtype=nnlib.float64)
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(array).__name__})")
    record.prepare_process()
    dtypes.of(array)
    return make(array)


def full(
    size: Sizes,
    fill_value: Operand,
    *,
    out: None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor filled with one number.

    Like ``torch.full``.

    >>> import nnlib
    >>> nnlib.full((2, 2), 7.0)
    tensor([[7., 7.],
            [7., 7.]])
    """
    shape = as_sizes((size,))
    value, np_dtype = _number_and_type(fill_value)
    np_dtype = np_dtype if dtype is None else dtypes.as_numpy(dtype)
    return _new_tensor(
        np.full(shape, as_element(value, np_dtype), np_dtype), requires_grad, device, out
    )


def _number_and_type(value: Any) -> tuple[Any, np.dtype]:
    """The fill value, a number or a tensor with one element, as a number; and its type."""
    if isinstance(value, Value):
        return needs_tensor("full", value).item(), value._data.dtype
    if not is_number(value):
        raise TypeError(f"fill_value must be a number, not {type(value).__name__}")
    return value, dtypes.of_number(value)


def zeros(
    *shape: Sizes,
    size: Sizes | None = None,
    out: None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor filled with 0.

    Like ``torch.zeros``.

    >>> import nnlib
    >>> nnlib.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    array = np.zeros(_sized(shape, size), _numpy_type(dtype))
    return _new_tensor(array, requires_grad, device, out)


def ones(
    *shape: Sizes,
    size: Sizes | None = None,
    out: None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor filled with 1.

    Like ``torch.ones``.

    >>> import nnlib
    >>> nnlib.ones(2, dtype=nnlib.int64)
    tensor([1, 1])
    """
    array = np.ones(_sized(shape, size), _numpy_type(dtype))
    return _new_tensor(array, requires_grad, device, out)


def zeros_like(
    input: Tensor,
    *,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of the shape and type of `input`, filled with 0.

    Like ``torch.zeros_like``.

    >>> import nnlib
    >>> nnlib.zeros_like(nnlib.tensor([5.0, 6.0]))
    tensor([0., 0.])
    """
    return full_like(input, 0, dtype=dtype, device=device, requires_grad=requires_grad)


def ones_like(
    input: Tensor,
    *,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of the shape and type of `input`, filled with 1.

    Like ``torch.ones_like``.

    >>> import nnlib
    >>> nnlib.ones_like(nnlib.tensor([5, 6]))
    tensor([1, 1])
    """
    return full_like(input, 1, dtype=dtype, device=device, requires_grad=requires_grad)


def full_like(
    input: Tensor,
    fill_value: Operand,
    *,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of the shape and type of `input`, filled with one number.

    Like ``torch.full_like``.

    >>> import nnlib
    >>> nnlib.full_like(nnlib.tensor([5.0, 6.0]), 7)
    tensor([7., 7.])
    """
    x = needs_tensor("full_like", input)._data
    np_dtype = x.dtype if dtype is None else dtypes.as_numpy(dtype)
    value = as_element(_number_and_type(fill_value)[0], np_dtype)
    return _new_tensor(np.full(x.shape, value, np_dtype), requires_grad, device)


def empty(
    *shape: Sizes,
    size: Sizes | None = None,
    out: None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """An uninitialised tensor: write its elements before you read them.

    Like ``torch.empty``.

    >>> import nnlib
    >>> nnlib.empty(2, 3).shape
    nnlib.Size([2, 3])
    """
    array = np.empty(_sized(shape, size), _numpy_type(dtype))
    return _new_tensor(array, requires_grad, device, out)


def empty_like(
    input: Tensor,
    *,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """An uninitialised tensor of the shape and type of `input`.

    Like ``torch.empty_like``.

    >>> import nnlib
    >>> nnlib.empty_like(nnlib.zeros(2, 3)).shape
    nnlib.Size([2, 3])
    """
    x = needs_tensor("empty_like", input)._data
    np_dtype = x.dtype if dtype is None else dtypes.as_numpy(dtype)
    return _new_tensor(np.empty(x.shape, np_dtype), requires_grad, device)


def as_tensor(data: Any, dtype: DType | None = None, device: Device | None = None) -> Tensor:
    """`data` as a tensor, without a copy if it is already a tensor or array of that type.

    Like ``torch.as_tensor``.

    >>> import nnlib
    >>> x = nnlib.tensor([1.0])
    >>> nnlib.as_tensor(x) is x
    True
    """
    refuse_other_devices(device)
    if isinstance(data, Value):
        x = needs_tensor("as_tensor", data)
        return x if dtype is None else converted(x, dtypes.as_numpy(dtype))
    if isinstance(data, np.ndarray) and (dtype is None or dtypes.as_numpy(dtype) == data.dtype):
        return from_numpy(data)
    return tensor(data, dtype=dtype)


def eye(
    n: int,
    m: int | None = None,
    *,
    out: None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A matrix with ones on the diagonal and zeros elsewhere.

    Like ``torch.eye``.

    >>> import nnlib
    >>> nnlib.eye(2, 3)
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    return _new_tensor(np.eye(n, m, dtype=_numpy_type(dtype)), requires_grad, device, out)


def arange(
    start: Operand | None = None,
    end: Operand | None = None,
    step: Operand = 1,
    *,
    out: None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """The numbers start, start + step, … up to but excluding `end`.  Integers give int64.

    Raises RuntimeError if the step is 0 or has the wrong sign, TypeError if there is no end.  Like
    ``torch.arange``.

    >>> import nnlib
    >>> nnlib.arange(4), nnlib.arange(1, 2, 0.5)
    (tensor([0, 1, 2, 3]), tensor([1.0000, 1.5000]))
    """
    if start is None and end is None:
        raise TypeError("arange() needs an end: arange(5), arange(2, 5) or arange(end=5)")
    bounds: list[Any] = [0, start] if end is None else [0 if start is None else start, end]
    first, last, increment = (
        needs_tensor("arange", v).item() if isinstance(v, Value) else v for v in (*bounds, step)
    )
    integers = not any(isinstance(v, (float, np.floating)) for v in (first, last, increment))
    first, last, increment = (int(v) if integers else float(v) for v in (first, last, increment))
    if increment == 0 or (last - first) * increment < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    np_dtype = np.dtype(np.int64) if dtype is None and integers else _numpy_type(dtype)
    n = -((first - last) // increment) if integers else math.ceil((last - first) / increment)
    return _new_tensor(
        (first + increment * np.arange(n)).astype(np_dtype), requires_grad, device, out
    )


def linspace(
    start: float,
    end: float,
    steps: int,
    *,
    out: None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` evenly spaced numbers from start to end, both included.

    Like ``torch.linspace``.

    >>> import nnlib
    >>> nnlib.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    array = np.linspace(start, end, steps).astype(_numpy_type(dtype))
    return _new_tensor(array, requires_grad, device, out)


# ---------------------------------------------------------------- random


class Generator:
    """A separate stream of random numbers.  Like ``torch.Generator``, but with NumPy's PCG64.

    >>> import nnlib
    >>> g = nnlib.Generator().manual_seed(1)
    >>> nnlib.equal(nnlib.rand(3, generator=g), nnlib.rand(3, generator=g.manual_seed(1)))
    True
    """

    def __init__(self) -> None:
        self.manual_seed(0)

    def initial_seed(self) -> int:
        """The seed with which the stream was last started.

        >>> import nnlib
        >>> nnlib.Generator().manual_seed(3).initial_seed()
        3
        """
        return self._seed

    def manual_seed(self, seed: int) -> Generator:
        """Restart the stream and return the generator.

        The same seed gives the same numbers on every machine.

        >>> import nnlib
        >>> generator = nnlib.Generator().manual_seed(0)
        >>> a = nnlib.rand(2, generator=generator)
        >>> b = nnlib.rand(2, generator=generator.manual_seed(0))
        >>> nnlib.equal(a, b)
        True
        """
        if tracer := record.current_tracer():
            tracer.refuse("it seeds a generator")
        self._seed = int(seed)
        self._random: np.random.Generator | None = None
        return self

    def _stream(self) -> np.random.Generator:
        if self._random is None:  # numpy.random is slow to import: only when it is needed
            self._random = np.random.default_rng(self._seed % 2**64)
        return self._random


_default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Restart the default stream and return its generator.

    The same seed gives the same numbers on every machine, but not those of PyTorch.  Like
    ``torch.manual_seed``.

    >>> import nnlib
    >>> _ = nnlib.manual_seed(0)
    >>> nnlib.rand(2)
    tensor([0.6370, 0.2698])
    """
    return _default_generator.manual_seed(seed)


F = TypeVar("F", bound=Callable[..., Any])


_refusal: ContextVar[str | None] = ContextVar("why no random function may be called", default=None)


@contextmanager
def forbidding_random(reason: str) -> Iterator[None]:
    """Random functions called inside the block raise RuntimeError with this reason."""
    token = _refusal.set(reason)
    try:
        yield
    finally:
        _refusal.reset(token)


def _check_allowed() -> None:
    reason = _refusal.get()
    if reason is not None:
        raise RuntimeError(reason)


def _random(function: F) -> F:
    """Decorate a function that returns random numbers.

    While the program is traced, the tracer handles the call: a trace refuses it, and a compiled
    function generates new numbers at each replay.
    """

    @functools.wraps(function)
    def random(*args: Any, **kwargs: Any) -> Any:
        _check_allowed()
        tracer = record.current_tracer()
        if tracer is None:
            return function(*args, **kwargs)
        return tracer.sample(function, args, kwargs)

    return random  # type: ignore[return-value]


def random_stream(generator: Generator | None) -> np.random.Generator:
    """NumPy's generator of `generator` or of the default stream; a tracer refuses the call."""
    _check_allowed()
    if tracer := record.current_tracer():
        tracer.refuse("it generates random numbers in place")
    return (generator or _default_generator)._stream()


@_random
def rand(
    *shape: Sizes,
    size: Sizes | None = None,
    generator: Generator | None = None,
    out: None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Random numbers, uniform on [0, 1).

    Like ``torch.rand``.

    >>> import nnlib
    >>> x = nnlib.rand(1000)
    >>> bool((x >= 0).all()), bool((x < 1).all())
    (True, True)
    """
    np_dtype = _floating_type("check_uniform_bounds", dtype)
    samples = np.asarray(random_stream(generator).random(_sized(shape, size)))
    return _new_tensor(samples.astype(np_dtype), requires_grad, device, out)


@_random
def randn(
    *shape: Sizes,
    size: Sizes | None = None,
    generator: Generator | None = None,
    out: None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Random numbers, normal with mean 0 and variance 1.

    Like ``torch.randn``.

    >>> import nnlib
    >>> _ = nnlib.manual_seed(0)
    >>> nnlib.randn(2, 2)
    tensor([[ 0.1257, -0.1321],
            [ 0.6404,  0.1049]])
    """
    np_dtype = _floating_type("normal_kernel_cpu", dtype)
    samples = np.asarray(random_stream(generator).standard_normal(_sized(shape, size)))
    return _new_tensor(samples.astype(np_dtype), requires_grad, device, out)


def _floating_type(name: str, dtype: Any) -> np.dtype:
    np_dtype = _numpy_type(dtype)
    if np_dtype.kind != "f":
        raise NotImplementedError(
            f'"{name}" not implemented for {np_dtype.name}: random floats need a floating-point '
            "type. For random integers, use randint()."
        )
    return np_dtype


@_random
def randint(
    low: int,
    high: int | Sequence[int] | None = None,
    size: Sizes | None = None,
    *,
    generator: Generator | None = None,
    out: None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Random integers from `low` up to but excluding `high`.

    Like ``torch.randint``.

    >>> import nnlib
    >>> _ = nnlib.manual_seed(0)
    >>> nnlib.randint(0, 6, (5,))
    tensor([5, 3, 3, 1, 1])
    """
    if size is None:  # randint(high, size)
        low, high, size = 0, low, high
    first, end = (0, low) if high is None else (low, operator.index(high))  # type: ignore[arg-type]
    if first >= end:
        raise RuntimeError(
            f"random_ expects 'from' to be less than 'to', but got from={first} >= to={end}"
        )
    np_dtype = np.dtype(np.int64) if dtype is None else dtypes.as_numpy(dtype)
    samples = np.asarray(random_stream(generator).integers(first, end, as_sizes((size,))))
    return _new_tensor(samples.astype(np_dtype), requires_grad, device, out)


@_random
def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    out: None = None,
    dtype: DType | None = None,
    device: Device | None = None,
) -> Tensor:
    """The integers 0 … n - 1 in random order.

    Like ``torch.randperm``.

    >>> import nnlib
    >>> nnlib.randperm(5).sort().values
    tensor([0, 1, 2, 3, 4])
    """
    np_dtype = np.dtype(np.int64) if dtype is None else dtypes.as_numpy(dtype)
    return _new_tensor(random_stream(generator).permutation(n).astype(np_dtype), False, device, out)


def rand_like(
    input: Tensor,
    *,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Random numbers, uniform on [0, 1), in the shape and type of `input`.

    Like ``torch.rand_like``.

    >>> import nnlib
    >>> nnlib.rand_like(nnlib.zeros(2, 3)).shape
    nnlib.Size([2, 3])
    """
    x = needs_tensor("rand_like", input)._data
    own_dtype = dtypes.of(x) if dtype is None else dtype
    return rand(
        x.shape, generator=generator, dtype=own_dtype, device=device, requires_grad=requires_grad
    )


def randn_like(
    input: Tensor,
    *,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Random numbers, normal with mean 0 and variance 1, in the shape and type of `input`.

    Like ``torch.randn_like``.

    >>> import nnlib
    >>> nnlib.randn_like(nnlib.zeros(2, 3)).shape
    nnlib.Size([2, 3])
    """
    x = needs_tensor("randn_like", input)._data
    own_dtype = dtypes.of(x) if dtype is None else dtype
    return randn(
        x.shape, generator=generator, dtype=own_dtype, device=device, requires_grad=requires_grad
    )


@_random
def bernoulli(input: Tensor, *, generator: Generator | None = None) -> Tensor:
    """Random zeros and ones: each element of `input` is the probability of a 1.

    Raises RuntimeError for integers, and for numbers outside [0, 1].  Like ``torch.bernoulli``.

    >>> import nnlib
    >>> nnlib.bernoulli(nnlib.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    x = needs_tensor("bernoulli", input)._data
    if x.dtype.kind != "f":
        raise RuntimeError(
            f"bernoulli expects probabilities as floats, not {dtypes.of(x).name}: use .float()"
        )
    if x.size and not (x.min() >= 0 and x.max() <= 1):
        raise RuntimeError(
            "Expected p_in >= 0 && p_in <= 1 to be true: probabilities lie between 0 and 1, "
            f"these between {x.min()} and {x.max()}"
        )
    samples = random_stream(generator).random(x.shape) < x
    return _new_tensor(np.asarray(samples).astype(x.dtype), False)


@_random
def multinomial(input: Tensor, num_samples: int, replacement: bool = False, *,
                generator: Generator | None = None) -> Tensor:  # fmt: skip
    """Random indices, with the weights `input` (n) or (rows, n), which need not sum to 1.

    The result has the shape (num_samples) or (rows, num_samples).  Raises RuntimeError for
    negative, infinite or integer weights, for a row of zeros, and for more samples than positive
    weights without `replacement`.  Like ``torch.multinomial``.

    >>> import nnlib
    >>> nnlib.multinomial(nnlib.tensor([0.0, 3.0, 0.0]), 2, replacement=True)
    tensor([1, 1])
    """
    w = needs_tensor("multinomial", input)._data
    if w.dtype.kind != "f" or not 1 <= w.ndim <= 2:
        raise RuntimeError(
            "multinomial expects weights as floats, a vector or a matrix, got "
            f"{dtypes.of(w).name} of shape {list(w.shape)}"
        )
    if not np.all(np.isfinite(w)) or w.min() < 0 or np.any(w.sum(-1) <= 0):
        raise RuntimeError(
            "probability tensor contains either `inf`, `nan` or element < 0, or a row without "
            "any weight (invalid multinomial distribution)"
        )
    if num_samples <= 0:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    if not replacement and num_samples > (w > 0).sum(-1).min():
        raise RuntimeError(
            f"cannot sample {num_samples} > {(w > 0).sum(-1).min()} (the number of positive "
            "weights) samples without replacement"
        )
    stream = random_stream(generator)
    rows = np.atleast_2d(w).astype(float)
    rows = rows / rows.sum(-1, keepdims=True)
    n = rows.shape[1]
    samples = np.stack([stream.choice(n, num_samples, replacement, row) for row in rows])
    return make((samples if w.ndim == 2 else samples[0]).astype(np.int64))


@_random
def normal(
    mean: Operand, std: Operand, size: Sizes | None = None, *, generator: Generator | None = None
) -> Tensor:
    """Normal random numbers; mean and std are tensors, or numbers with a `size`.

    Raises RuntimeError for a negative standard deviation, TypeError for two numbers without a size.
    Like ``torch.normal``.

    >>> import nnlib
    >>> nnlib.normal(nnlib.tensor([0.0, 100.0]), 0.0)
    tensor([  0., 100.])
    """
    m, s = (v._data if isinstance(v, Value) else v for v in (mean, std))
    if np.any(np.asarray(s) < 0):
        raise RuntimeError("normal expects all elements of std >= 0.0")
    np_dtype = next((v._data.dtype for v in (mean, std) if isinstance(v, Value)), _numpy_type(None))
    if size is None:
        if not isinstance(mean, Value) and not isinstance(std, Value):
            raise TypeError("normal() of two numbers needs a size")
        size = np.broadcast_shapes(np.shape(m), np.shape(s))
    samples = random_stream(generator).normal(m, s, as_sizes((size,)))
    return _new_tensor(np.asarray(samples).astype(np_dtype), False)

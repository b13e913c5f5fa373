"""Data sets, splits and batches under PyTorch's names (`torch.utils.data`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from nnlib import dtypes
from nnlib.functions import create, joining
from nnlib.record import Value, make
from nnlib.tensor import Tensor

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """Examples by index: define ``__getitem__`` (one example) and ``__len__`` (their number).

    Like ``torch.utils.data.Dataset``.

    >>> import nnlib
    >>> class Squares(nnlib.utils.data.Dataset):
    ...     def __len__(self):
    ...         return 5
    ...     def __getitem__(self, index):
    ...         return index**2
    >>> list(nnlib.utils.data.DataLoader(Squares(), batch_size=3))
    [tensor([0, 1, 4]), tensor([ 9, 16])]
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError("Subclasses of Dataset should implement __getitem__.")

    def __add__(self, other: Dataset[Any]) -> ConcatDataset[Any]:
        return ConcatDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Tensors whose first dimension counts the examples: an example is a tuple of one row of each.

    Raises AssertionError unless all have the same number of rows.  Like
    ``torch.utils.data.TensorDataset``.

    >>> import nnlib
    >>> data = nnlib.utils.data.TensorDataset(nnlib.ones(4, 2), nnlib.arange(4))
    >>> data[2]
    (tensor([1., 1.]), tensor(2))
    """

    def __init__(self, *tensors: Tensor) -> None:
        lengths = [len(t) for t in tensors]
        if len(set(lengths)) != 1:
            raise AssertionError(
                f"Size mismatch between tensors: they have {lengths} rows, and need the same number"
            )
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple([t[index] for t in self.tensors])

    def __len__(self) -> int:
        return len(self.tensors[0])


class Subset(Dataset[T_co]):
    """The examples of a data set at some indices.

    Like ``torch.utils.data.Subset``.

    >>> import nnlib
    >>> data = nnlib.utils.data.TensorDataset(nnlib.arange(5))
    >>> nnlib.utils.data.Subset(data, [4, 2])[0]
    (tensor(4),)
    """

    def __init__(self, dataset: Dataset[T_co] | Sequence[T_co], indices: Sequence[int]) -> None:
        self.dataset: Any = dataset
        self.indices = indices

    def __getitem__(self, index: Any) -> T_co:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]  # type: ignore[no-any-return]
        return self.dataset[self.indices[index]]  # type: ignore[no-any-return]

    def __len__(self) -> int:
        return len(self.indices)


class ConcatDataset(Dataset[T_co]):
    """Data sets one after the other.

    Raises AssertionError for an empty list, ValueError for an index out of range.  Like
    ``torch.utils.data.ConcatDataset``.

    >>> import nnlib
    >>> both = nnlib.utils.data.ConcatDataset([[10, 11], [20, 21, 22]])
    >>> len(both), both[2]
    (5, 20)
    """

    def __init__(self, datasets: Iterable[Dataset[T_co] | Sequence[T_co]]) -> None:
        self.datasets: list[Any] = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        self.cumulative_sizes = np.cumsum([len(d) for d in self.datasets]).tolist()

    def __getitem__(self, index: int) -> T_co:
        n = len(self)
        if not -n <= index < n:
            raise ValueError(f"index {index} is out of range for {n} examples")
        position = int(np.searchsorted(self.cumulative_sizes, index % n, side="right"))
        before = self.cumulative_sizes[position - 1] if position else 0
        return self.datasets[position][index % n - before]  # type: ignore[no-any-return]

    def __len__(self) -> int:
        return int(self.cumulative_sizes[-1])


def random_split(
    dataset: Dataset[T] | Sequence[T],
    lengths: Sequence[float],
    generator: create.Generator | None = None,
) -> list[Subset[T]]:
    """Disjoint random subsets of a data set; `lengths` are numbers of examples, or fractions.

    Fractions are rounded down, and the first subsets get the remaining examples.  The same seeded
    `generator` gives the same split.  Raises ValueError for fractions outside of [0, 1], and for
    numbers that do not add up to the length of the data set.  Like
    ``torch.utils.data.random_split``.

    >>> import nnlib
    >>> subsets = nnlib.utils.data.random_split(range(10), [0.75, 0.25])
    >>> [len(subset) for subset in subsets]
    [8, 2]
    """
    n = len(dataset)  # type: ignore[arg-type]  # a data set that is split has a length
    sizes = [int(size) for size in lengths]
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        for i, fraction in enumerate(lengths):
            if not 0 <= fraction <= 1:
                raise ValueError(f"Fraction at index {i} is not between 0 and 1")
        sizes = [math.floor(n * fraction) for fraction in lengths]
        for i in range(n - sum(sizes)):
            sizes[i % len(sizes)] += 1
    if sum(sizes) != n:
        raise ValueError(
            "Sum of input lengths does not equal the length of the input dataset: "
            f"{list(lengths)} for {n} examples"
        )
    order = create.randperm(n, generator=generator).tolist()
    ends = np.cumsum(sizes).tolist()
    return [Subset(dataset, order[end - size : end]) for end, size in zip(ends, sizes, strict=True)]


def default_collate(batch: Sequence[Any]) -> Any:
    """A list of examples as one batch: tensors are stacked, numbers become tensors.

    Examples that are tuples, lists or dicts are batched element by element; strings stay a list.
    Raises RuntimeError for examples of unequal lengths, TypeError for other types.  Like
    ``torch.utils.data.default_collate``.

    >>> import nnlib
    >>> nnlib.utils.data.default_collate([(nnlib.zeros(3), 0), (nnlib.ones(3), 1)])
    [tensor([[0., 0., 0.],
            [1., 1., 1.]]), tensor([0, 1])]
    """
    first = batch[0]
    if isinstance(first, Value):
        return joining.stack(batch)
    if isinstance(first, np.ndarray):
        return make(np.stack(batch))
    if isinstance(first, np.generic):
        return make(np.array(batch))
    if isinstance(first, float):
        return create.tensor(list(batch), dtype=dtypes.float64)
    if isinstance(first, int):
        return create.tensor(list(batch))
    if isinstance(first, (str, bytes)):
        return list(batch)
    if isinstance(first, Mapping):
        return {key: default_collate([example[key] for example in batch]) for key in first}
    if isinstance(first, (tuple, list)):
        if len({len(example) for example in batch}) != 1:
            raise RuntimeError("each element in list of batch should be of equal size")
        fields = [default_collate(field) for field in zip(*batch, strict=True)]
        if hasattr(first, "_fields"):
            return type(first)(*fields)
        return fields
    raise TypeError(
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found "
        f"{type(first)}. Give the DataLoader a collate_fn of your own."
    )


class DataLoader:
    """Batches of a data set, for ``for x, y in loader``.  Like ``torch.utils.data.DataLoader``.

    `shuffle` gives every pass a new random order, from `generator` (seed it to repeat the order) or
    from the default generator.  `drop_last` leaves out a last batch that would be smaller.
    `collate_fn` makes a batch from a list of examples.  `sampler` is an iterable of the examples'
    indices.  `batch_size=None` gives single examples.  `progress` shows a progress bar if tqdm is
    installed.  All work is done in this process: `num_workers` is accepted but has no effect.
    Raises ValueError for settings that exclude each other, and for a size that is not positive.

    >>> import nnlib
    >>> data = nnlib.utils.data.TensorDataset(nnlib.arange(5))
    >>> [batch.tolist() for (batch,) in nnlib.utils.data.DataLoader(data, batch_size=2)]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        dataset: Dataset[Any] | Sequence[Any],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[int] | None = None,
        *,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        drop_last: bool = False,
        generator: create.Generator | None = None,
        progress: bool = False,
    ) -> None:
        if batch_size is not None and (not isinstance(batch_size, int) or batch_size <= 0):
            raise ValueError(
                f"batch_size should be a positive integer value, but got batch_size={batch_size}"
            )
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_size is None and drop_last:
            raise ValueError(
                "batch_size=None option disables auto-batching and is mutually exclusive with "
                "drop_last"
            )
        if num_workers < 0:
            raise ValueError("num_workers option should be non-negative")
        self.dataset: Any = dataset
        self.batch_size, self.shuffle = batch_size, bool(shuffle)
        self.sampler, self.drop_last, self.generator = sampler, drop_last, generator
        self.num_workers, self.progress = num_workers, progress
        self.collate_fn = default_collate if collate_fn is None else collate_fn

    def __len__(self) -> int:
        n = len(self.dataset if self.sampler is None else self.sampler)  # type: ignore[arg-type]
        if self.batch_size is None:
            return n
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        batches = self._batches()
        return iter(_with_bar(batches, len(self))) if self.progress else batches

    def _batches(self) -> Iterator[Any]:
        order = self._order()
        if self.batch_size is None:
            for i in order:
                yield self.dataset[i]
            return
        for start in range(0, len(order), self.batch_size):
            indices = order[start : start + self.batch_size]
            if self.drop_last and len(indices) < self.batch_size:
                return
            yield self._batch(indices)

    def _order(self) -> list[int]:
        if self.sampler is not None:
            return list(self.sampler)
        n = len(self.dataset)
        return (
            create.randperm(n, generator=self.generator).tolist() if self.shuffle else [*range(n)]
        )

    def _batch(self, indices: list[int]) -> Any:
        dataset = self.dataset
        if self.collate_fn is default_collate:
            rows = indices
            while type(dataset) is Subset:  # select all rows of the tensors at once
                rows, dataset = [dataset.indices[i] for i in rows], dataset.dataset
            if type(dataset) is TensorDataset:
                return list(dataset[rows])
        return self.collate_fn([self.dataset[i] for i in indices])


def _with_bar(batches: Iterator[Any], total: int) -> Iterable[Any]:
    try:
        from tqdm.auto import tqdm  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        return batches
    bar: Iterable[Any] = tqdm(batches, total=total)
    return bar


__all__ = [
    "ConcatDataset", "DataLoader", "Dataset", "Subset", "TensorDataset", "default_collate",
    "random_split",
]  # fmt: skip

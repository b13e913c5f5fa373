"""Linear layers, embeddings, and layers that reshape."""

from __future__ import annotations

import math

from nnlib.autograd import no_grad
from nnlib.functions import reshaping as s
from nnlib.functions.create import randn
from nnlib.nn import functional as F
from nnlib.nn.module import Module, Parameter, check_size, uniform
from nnlib.tensor import Tensor


class Linear(Module):
    """x Wᵀ + b: (…, in) → (…, out).  Like ``torch.nn.Linear``.

    Weight (out, in) and bias (out) are initially uniform on ±1/√in.  Raises TypeError for sizes
    that are not integers, RuntimeError if the input's last dimension is not in_features.

    >>> import nnlib
    >>> nnlib.nn.Linear(3, 2)(nnlib.zeros(5, 3)).shape
    nnlib.Size([5, 2])
    """

    bias: Parameter | None

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        check_size(in_features=in_features, out_features=out_features)
        self.in_features, self.out_features = in_features, out_features
        bound = 1 / math.sqrt(in_features) if in_features else 0.0
        self.weight = uniform(out_features, in_features, bound=bound)
        self.register_parameter("bias", uniform(out_features, bound=bound) if bias else None)

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Embedding(Module):
    """A matrix of `num_embeddings` rows, selected by index: (…) → (…, embedding_dim).

    The weight is initially normal (0, 1); the row `padding_idx` is 0 and is not trained.  Raises
    IndexError for an index out of range, AssertionError if `padding_idx` is out of range.  Like
    ``torch.nn.Embedding``.

    >>> import nnlib
    >>> nnlib.nn.Embedding(26, 8)(nnlib.tensor([[7, 8], [0, 1]])).shape
    nnlib.Size([2, 2, 8])
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None
    ) -> None:
        check_size(num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise AssertionError(
                    f"Padding_idx must be within num_embeddings: {padding_idx}, {num_embeddings}"
                )
            padding_idx %= num_embeddings
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = padding_idx
        self.weight = Parameter(randn(num_embeddings, embedding_dim))
        if padding_idx is not None:
            with no_grad():
                self.weight[padding_idx].zero_()

    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: bool = True) -> Embedding:
        """An embedding whose weight is a tensor of yours, which is frozen by default.

        >>> import nnlib
        >>> layer = nnlib.nn.Embedding.from_pretrained(nnlib.tensor([[1.0, 2.0], [3.0, 4.0]]))
        >>> layer(nnlib.tensor([1, 0]))
        tensor([[3., 4.],
                [1., 2.]])
        """
        layer = cls(*embeddings.shape)
        layer.weight = Parameter(embeddings, requires_grad=not freeze)
        return layer

    def forward(self, input: Tensor) -> Tensor:
        return F.embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        return text if self.padding_idx is None else f"{text}, padding_idx={self.padding_idx}"


class Flatten(Module):
    """Merges the dimensions from start_dim to end_dim into one, such as images into vectors.

    Like ``torch.nn.Flatten``.

    >>> import nnlib
    >>> nnlib.nn.Flatten()(nnlib.zeros(2, 3, 4)).shape
    nnlib.Size([2, 12])
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        return s.flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Splits one dimension into several.  Like ``torch.nn.Unflatten``.

    >>> import nnlib
    >>> nnlib.nn.Unflatten(1, (3, 4))(nnlib.zeros(2, 12)).shape
    nnlib.Size([2, 3, 4])
    """

    def __init__(self, dim: int, unflattened_size: tuple[int, ...]) -> None:
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, input: Tensor) -> Tensor:
        shape, dim = tuple(input.shape), self.dim % input.ndim
        return s.reshape(input, (*shape[:dim], *self.unflattened_size, *shape[dim + 1 :]))

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"

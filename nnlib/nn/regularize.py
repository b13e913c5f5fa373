"""Dropout and normalisation layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlib.autograd import no_grad
from nnlib.functions.create import ones, zeros
from nnlib.nn import functional as F
from nnlib.nn.module import Module, Parameter, check_size
from nnlib.record import make
from nnlib.tensor import Tensor


class Dropout(Module):
    """In training, set each element to 0 with probability p, and multiply the others by 1/(1 - p).

    In evaluation mode it changes nothing.  Raises ValueError if p is not a probability.  Like
    ``torch.nn.Dropout``; Srivastava and others, 2014.

    >>> import nnlib
    >>> nnlib.nn.Dropout(0.5).eval()(nnlib.ones(3))
    tensor([1., 1., 1.])
    """

    function = staticmethod(F.dropout)

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p, self.inplace = p, inplace

    def forward(self, input: Tensor) -> Tensor:
        return type(self).function(input, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout2d(Dropout):
    """Dropout of whole channels.  Like ``torch.nn.Dropout2d``.

    >>> import nnlib
    >>> _ = nnlib.manual_seed(0)
    >>> nnlib.nn.Dropout2d(0.5)(nnlib.ones(1, 4, 2, 2)).mean((2, 3))
    tensor([[2., 0., 0., 0.]])
    """

    function = staticmethod(F.dropout2d)


class LayerNorm(Module):
    """(x - mean)/√(var + eps) · weight + bias over the last dimensions of each example.

    Weight starts at 1, bias at 0.  Raises RuntimeError if the input's last dimensions are not
    `normalized_shape`.  Like ``torch.nn.LayerNorm``; Ba and others, 2016.

    >>> import nnlib
    >>> nnlib.nn.LayerNorm(2)(nnlib.tensor([[1.0, 3.0]])).round()
    tensor([[-1.,  1.]], grad_fn=<RoundBackward0>)
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ) -> None:
        if isinstance(normalized_shape, (int, np.integer)):
            normalized_shape = (int(normalized_shape),)
        self.normalized_shape = tuple(normalized_shape)
        for size in self.normalized_shape:
            check_size(normalized_shape=size)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        shape = self.normalized_shape
        self.register_parameter("weight", Parameter(ones(*shape)) if elementwise_affine else None)
        self.register_parameter(
            "bias", Parameter(zeros(*shape)) if elementwise_affine and bias else None
        )

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
            f", bias={self.bias is not None}"
        )


class GroupNorm(Module):
    """(x - mean)/√(var + eps) · weight + bias over groups of channels, separately for each example.

    Weight starts at 1, bias at 0, one of each per channel.  Raises ValueError if `num_groups` does
    not divide `num_channels`.  Like ``torch.nn.GroupNorm``; Wu and He, 2018.

    >>> import nnlib
    >>> nnlib.nn.GroupNorm(2, 4)(nnlib.tensor([[1.0, 3.0, 10.0, 30.0]])).round()
    tensor([[-1.,  1., -1.,  1.]], grad_fn=<RoundBackward0>)
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True,
        *, bias: bool = True,
    ) -> None:  # fmt: skip
        check_size(num_groups=num_groups, num_channels=num_channels)
        if num_channels % num_groups:
            raise ValueError(
                f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})"
            )
        self.num_groups, self.num_channels = num_groups, num_channels
        self.eps, self.affine = eps, affine
        self.register_parameter("weight", Parameter(ones(num_channels)) if affine else None)
        self.register_parameter("bias", Parameter(zeros(num_channels)) if affine and bias else None)

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}"
            f", bias={self.bias is not None}"
        )


class _BatchNorm(Module):
    ranks: tuple[int, ...] = ()

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1,
        affine: bool = True, track_running_stats: bool = True, *, bias: bool = True,
    ) -> None:  # fmt: skip
        check_size(num_features=num_features)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self.register_parameter("weight", Parameter(ones(num_features)) if affine else None)
        self.register_parameter("bias", Parameter(zeros(num_features)) if affine and bias else None)
        track = track_running_stats
        self.register_buffer("running_mean", zeros(num_features) if track else None)
        self.register_buffer("running_var", ones(num_features) if track else None)
        self.register_buffer("num_batches_tracked", make(np.int64(0)) if track else None)

    if TYPE_CHECKING:
        running_mean: Tensor | None
        running_var: Tensor | None
        num_batches_tracked: Tensor | None

    def reset_running_stats(self) -> None:
        """Reset the running means to 0, the running variances to 1, the batch count to 0."""
        mean, var, count = self.running_mean, self.running_var, self.num_batches_tracked
        if mean is not None and var is not None and count is not None:
            with no_grad():
                mean.zero_()
                var.fill_(1.0)
                count.zero_()

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in self.ranks:
            ranks = " or ".join([f"{n}D" for n in self.ranks])
            raise ValueError(f"expected {ranks} input (got {input.ndim}D input)")
        if input.shape[1] != self.num_features:
            raise RuntimeError(
                f"{type(self).__name__}({self.num_features}) was given {input.shape[1]} channels: "
                f"input of shape {list(input.shape)}, channels in dimension 1"
            )
        layer: Any = self
        if self.training and self.track_running_stats:
            with no_grad():
                layer.num_batches_tracked.add_(1)
        momentum = self.momentum
        if momentum is None:  # the running statistics are means over all batches
            count = layer.num_batches_tracked.item() if self.track_running_stats else 1
            momentum = 1 / max(count, 1)
        return F.batch_norm(
            input, layer.running_mean, layer.running_var, self.weight, self.bias,
            self.training or not self.track_running_stats, momentum, self.eps,
        )  # fmt: skip

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """Each feature normalised over the batch: (N, C) or (N, C, L).  See `BatchNorm2d`.

    Like ``torch.nn.BatchNorm1d``.

    >>> import nnlib
    >>> nnlib.nn.BatchNorm1d(3)(nnlib.randn(8, 3)).shape
    nnlib.Size([8, 3])
    """

    ranks = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Each channel normalised over the batch and its pixels: (N, C, H, W).

    (x - mean)/√(var + eps) · weight + bias, in training with the batch's mean and variance, in
    evaluation with the running ones, which are buffers.  Raises ValueError for another rank or a
    single value per channel, RuntimeError for another number of channels.  Like
    ``torch.nn.BatchNorm2d``; Ioffe and Szegedy, 2015.

    >>> import nnlib
    >>> list(nnlib.nn.BatchNorm2d(3).state_dict())
    ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked']
    """

    ranks = (4,)

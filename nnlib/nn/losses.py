"""Losses as modules."""

from __future__ import annotations

from collections.abc import Callable

from nnlib.nn import functional as F
from nnlib.nn.module import Module
from nnlib.tensor import Tensor


class _Loss(Module):
    """A loss of `nnlib.nn.functional` with its options; the tensors among them are buffers."""

    function: Callable[..., Tensor]
    options: tuple[str, ...] = ("reduction",)

    def __init__(self, *, reduction: str = "mean") -> None:
        self.reduction = reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        options = {k: getattr(self, k) for k in self.options}
        return type(self).function(input, target, **options)


class MSELoss(_Loss):
    """(x - y)², averaged.  Raises ValueError if the shapes differ.

    Like ``torch.nn.MSELoss``.

    >>> import nnlib
    >>> nnlib.nn.MSELoss()(nnlib.tensor([1.0, 2.0]), nnlib.tensor([1.0, 4.0]))
    tensor(2.)
    """

    function = staticmethod(F.mse_loss)


class L1Loss(_Loss):
    """|x - y|, averaged.  Raises ValueError if the shapes differ.

    Like ``torch.nn.L1Loss``.

    >>> import nnlib
    >>> nnlib.nn.L1Loss()(nnlib.tensor([1.0, 2.0]), nnlib.tensor([1.0, 5.0]))
    tensor(1.5000)
    """

    function = staticmethod(F.l1_loss)


class SmoothL1Loss(_Loss):
    """d²/(2·beta) where |d| < beta, else |d| - beta/2.

    See `nnlib.nn.functional.smooth_l1_loss`.  Like ``torch.nn.SmoothL1Loss``.

    >>> import nnlib
    >>> nnlib.nn.SmoothL1Loss()(nnlib.tensor([0.5, 3.0]), nnlib.zeros(2))
    tensor(1.3125)
    """

    function, options = staticmethod(F.smooth_l1_loss), ("reduction", "beta")

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        self.reduction, self.beta = reduction, beta


class HuberLoss(_Loss):
    """d²/2 where |d| ≤ delta, else delta·(|d| - delta/2).  See `nnlib.nn.functional.huber_loss`.

    Like ``torch.nn.HuberLoss``.

    >>> import nnlib
    >>> nnlib.nn.HuberLoss(delta=2.0)(nnlib.tensor([1.0, 3.0]), nnlib.zeros(2))
    tensor(2.2500)
    """

    function, options = staticmethod(F.huber_loss), ("reduction", "delta")

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        self.reduction, self.delta = reduction, delta


class KLDivLoss(_Loss):
    """y·(log y - x) for log-probabilities x.  See `nnlib.nn.functional.kl_div`.

    Like ``torch.nn.KLDivLoss``.

    >>> import nnlib
    >>> p, q = nnlib.tensor([[0.5, 0.5]]), nnlib.tensor([[0.25, 0.75]])
    >>> nnlib.nn.KLDivLoss(reduction="batchmean")(p.log(), q)
    tensor(0.1308)
    """

    function, options = staticmethod(F.kl_div), ("reduction", "log_target")

    def __init__(self, *, reduction: str = "mean", log_target: bool = False) -> None:
        self.reduction, self.log_target = reduction, log_target


class BCELoss(_Loss):
    """-(y log p + (1 - y) log(1 - p)) for probabilities p, averaged.

    Raises RuntimeError if p is outside of [0, 1], ValueError if the shapes differ.  Like
    ``torch.nn.BCELoss``.

    >>> import nnlib
    >>> nnlib.nn.BCELoss()(nnlib.tensor([0.5, 0.9]), nnlib.tensor([0.0, 1.0]))
    tensor(0.3993)
    """

    function, options = staticmethod(F.binary_cross_entropy), ("weight", "reduction")

    def __init__(self, weight: Tensor | None = None, *, reduction: str = "mean") -> None:
        self.register_buffer("weight", weight)
        self.reduction = reduction


class BCEWithLogitsLoss(_Loss):
    """log(1 + e^z) - y·z: the cross-entropy of p = σ(z), for logits z, averaged.

    `pos_weight` multiplies the term of y = 1.  Raises ValueError if the shapes differ.  Like
    ``torch.nn.BCEWithLogitsLoss``.

    >>> import nnlib
    >>> nnlib.nn.BCEWithLogitsLoss()(nnlib.tensor([0.0, 1000.0]), nnlib.tensor([1.0, 1.0]))
    tensor(0.3466)
    """

    function = staticmethod(F.binary_cross_entropy_with_logits)
    options = ("weight", "reduction", "pos_weight")

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)
        self.reduction = reduction


class NLLLoss(_Loss):
    """-x at the right class, for log-probabilities x.  See `nnlib.nn.functional.nll_loss`.

    Like ``torch.nn.NLLLoss``.

    >>> import nnlib
    >>> logs = nnlib.tensor([[0.25, 0.75], [0.5, 0.5]]).log()
    >>> nnlib.nn.NLLLoss()(logs, nnlib.tensor([1, 0]))
    tensor(0.4904)
    """

    function, options = staticmethod(F.nll_loss), ("weight", "ignore_index", "reduction")

    def __init__(
        self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        self.register_buffer("weight", weight)
        self.ignore_index, self.reduction = ignore_index, reduction


class CrossEntropyLoss(_Loss):
    """-log softmax(z) at the right class, for logits z (N, C) and class indices (N), averaged.

    See `nnlib.nn.functional.cross_entropy` for its other shapes, options and errors.  Like
    ``torch.nn.CrossEntropyLoss``.

    >>> import nnlib
    >>> nnlib.nn.CrossEntropyLoss()(nnlib.zeros(2, 4), nnlib.tensor([0, 3]))
    tensor(1.3863)
    """

    function = staticmethod(F.cross_entropy)
    options = ("weight", "ignore_index", "reduction", "label_smoothing")

    def __init__(
        self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:  # fmt: skip
        self.register_buffer("weight", weight)
        self.ignore_index, self.reduction = ignore_index, reduction
        self.label_smoothing = label_smoothing

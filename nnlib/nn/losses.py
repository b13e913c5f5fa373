"""Losses as modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnlib.nn import functional as F
from nnlib.nn.module import Module


class _Loss(Module):
    function: Callable[..., Any]

    def __init__(self, reduction: str = "mean") -> None:
        self.reduction = reduction

    def forward(self, input: Any, target: Any) -> Any:
        return type(self).function(input, target, reduction=self.reduction)


class MSELoss(_Loss):
    """The mean of (x - y)²."""

    function = staticmethod(F.mse_loss)


class BCELoss(_Loss):
    """Binary cross-entropy of probabilities."""

    function = staticmethod(F.binary_cross_entropy)


class BCEWithLogitsLoss(_Loss):
    """Binary cross-entropy of logits."""

    function = staticmethod(F.binary_cross_entropy_with_logits)


class NLLLoss(_Loss):
    """The negative log-likelihood of the right class."""

    function = staticmethod(F.nll_loss)


class CrossEntropyLoss(_Loss):
    """Cross-entropy of logits over classes."""

    function = staticmethod(F.cross_entropy)

"""Derivatives of recorded programs, under PyTorch's names (`torch.autograd`)."""

from nnlib.autograd import functional
from nnlib.autograd.checks import gradcheck, gradgradcheck
from nnlib.autograd.function import Function
from nnlib.autograd.grad_mode import (
    detect_anomaly,
    enable_grad,
    inference_mode,
    no_grad,
    set_grad_enabled,
)
from nnlib.autograd.gradients import backward, grad

__all__ = [
    "Function", "backward", "detect_anomaly", "enable_grad", "functional", "grad", "gradcheck",
    "gradgradcheck", "inference_mode", "no_grad", "set_grad_enabled",
]  # fmt: skip

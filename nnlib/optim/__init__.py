"""Optimisers under PyTorch's names (`torch.optim`): what to do with a gradient."""

from nnlib.optim import functional, lr_scheduler
from nnlib.optim.optimizer import Optimizer
from nnlib.optim.rules import SGD, Adagrad, Adam, AdamW, RMSprop

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "functional", "lr_scheduler"]

"""Optimisers and learning-rate schedules, under PyTorch's names (`torch.optim`)."""

from nnlib.optim import functional, lr_scheduler
from nnlib.optim.classes import SGD, Adagrad, Adam, AdamW, RMSprop
from nnlib.optim.optimizer import Optimizer

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "functional", "lr_scheduler"]

"""Optimisers under PyTorch's names (`torch.optim`): what to do with a gradient."""

from nnlib.optim.optimizer import SGD, Adam, AdamW, Optimizer

__all__ = ["SGD", "Adam", "AdamW", "Optimizer"]

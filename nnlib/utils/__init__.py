"""Utilities under PyTorch's names (`torch.utils`): data sets and batches, and handles of hooks."""

from nnlib.utils import data, hooks

__all__ = ["data", "hooks"]

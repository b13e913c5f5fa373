"""What surrounds training, under PyTorch's names (`torch.utils`): data and hooks."""

from nnlib.utils import data, hooks

__all__ = ["data", "hooks"]

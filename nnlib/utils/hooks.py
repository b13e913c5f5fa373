"""The handle that registering a hook returns (`torch.utils.hooks`)."""

from nnlib.autograd.hooks import RemovableHandle

__all__ = ["RemovableHandle"]

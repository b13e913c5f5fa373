"""The public functions of primitives, with PyTorch's names, arguments, defaults and errors."""

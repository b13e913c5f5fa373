"""The public functions over primitives, with PyTorch's names, arguments, defaults and errors."""

"""Norms and products under PyTorch's names (`torch.linalg`)."""

from nnlib.functions.products import matmul, matrix_norm, norm, vector_norm

__all__ = ["matmul", "matrix_norm", "norm", "vector_norm"]

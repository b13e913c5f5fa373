"""All primitives, in families: each is defined once, with its forward function and its vjp."""

from nnlib.primitives import broadcast, elementwise, fused, index, linalg, reduce, shape, window
from nnlib.record import Primitive

registry = Primitive.registry

__all__ = [
    "broadcast", "elementwise", "fused", "index", "linalg", "reduce", "registry", "shape", "window",
]  # fmt: skip

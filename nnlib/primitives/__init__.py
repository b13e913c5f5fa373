"""Every differentiable primitive once, forward and vjp side by side, in families."""

from nnlib.primitives import broadcast, elementwise, fused, index, linalg, reduce, shape, window
from nnlib.record import Primitive

registry = Primitive.registry

__all__ = [
    "broadcast", "elementwise", "fused", "index", "linalg", "reduce", "registry", "shape", "window",
]  # fmt: skip

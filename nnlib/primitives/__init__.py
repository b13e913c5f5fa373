"""Every differentiable primitive once, forward and vjp side by side, in families."""

from nnlib.primitives import elementwise, fused, index, linalg, reduce, shape, window
from nnlib.record import Primitive

registry = Primitive.registry

__all__ = ["elementwise", "fused", "index", "linalg", "reduce", "registry", "shape", "window"]

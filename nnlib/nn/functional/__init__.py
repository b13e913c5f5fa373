"""The functions beneath layers and losses, under PyTorch's names (`torch.nn.functional`)."""

from nnlib.nn.functional.activations import (
    elu,
    gelu,
    glu,
    hardsigmoid,
    hardswish,
    hardtanh,
    leaky_relu,
    log_softmax,
    logsigmoid,
    mish,
    prelu,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    softmax,
    softmin,
    softplus,
    softsign,
    tanh,
    tanhshrink,
    threshold,
)
from nnlib.nn.functional.layers import linear
from nnlib.nn.functional.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    mse_loss,
    nll_loss,
)
from nnlib.nn.functional.windows import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    avg_pool1d,
    avg_pool2d,
    conv1d,
    conv2d,
    max_pool1d,
    max_pool2d,
    unfold,
)

__all__ = [name for name in dir() if not name.startswith("_") and name not in (
    "activations", "layers", "losses", "windows",
)]  # fmt: skip

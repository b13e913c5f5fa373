"""Layers and losses under PyTorch's names (`torch.nn`)."""

from nnlib.nn import functional, init, utils
from nnlib.nn.activations import (
    ELU,
    GELU,
    GLU,
    SELU,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    Identity,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Softmin,
    Softplus,
    Softsign,
    Tanh,
    Tanhshrink,
    Threshold,
)
from nnlib.nn.attention import MultiheadAttention, TransformerEncoderLayer
from nnlib.nn.containers import ModuleDict, ModuleList, ParameterList, Sequential
from nnlib.nn.linear import Embedding, Flatten, Linear, Unflatten
from nnlib.nn.losses import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HingeEmbeddingLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MarginRankingLoss,
    MSELoss,
    NLLLoss,
    PoissonNLLLoss,
    SmoothL1Loss,
    SoftMarginLoss,
)
from nnlib.nn.module import Module, Parameter
from nnlib.nn.recurrent import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell
from nnlib.nn.regularize import BatchNorm1d, BatchNorm2d, Dropout, Dropout2d, GroupNorm, LayerNorm
from nnlib.nn.windows import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AvgPool1d,
    AvgPool2d,
    Conv1d,
    Conv2d,
    ConvTranspose1d,
    ConvTranspose2d,
    MaxPool1d,
    MaxPool2d,
)

__all__ = [n for n in dir() if n[0].isupper() or n in ("functional", "init", "utils")]

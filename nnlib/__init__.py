"""nnlib."""
from nnlib import autograd
from nnlib.dtypes import *
from nnlib.tensor import Tensor, tensor


"""Runs a small program with both libraries and compares the results, or the types of errors."""

from __future__ import annotations

import copy
import functools
import io
import math
import pickle
import warnings
from typing import Any

import numpy as np
import torch

import nnlib


def answer(program: str, library: Any) -> Any:
    """Runs the program with T as the library; returns its `out`, or the error that it raised."""
    scope = {
        "T": library, "F": library.nn.functional, "nn": library.nn, "np": np, "math": math,
        "copy": copy, "pickle": pickle, "io": io, "functools": functools, "__name__": "program",
    }  # fmt: skip
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(program, f"<{library.__name__}>", "exec"), scope)
    except (NameError, SyntaxError):  # errors of the program itself
        raise
    except Exception as error:
        return error
    return scope["out"]


def alike(program: str, rtol: float = 1e-5, atol: float = 1e-6) -> None:
    """Asserts that nnlib gives PyTorch's result, or the same type of error with a message."""
    ours, theirs = answer(program, nnlib), answer(program, torch)
    if isinstance(theirs, Exception):
        assert isinstance(ours, type(theirs)), f"PyTorch raises {theirs!r}, nnlib gives {ours!r}"
        assert len(str(ours)) > 20
        return
    if isinstance(ours, Exception):
        raise ours
    equal(ours, theirs, rtol, atol)


def equal(ours: Any, theirs: Any, rtol: float = 1e-5, atol: float = 1e-6) -> None:
    if isinstance(theirs, torch.Tensor):
        assert type(ours).__name__ == type(theirs).__name__
        assert tuple(ours.shape) == tuple(theirs.shape)
        assert ours.dtype.name == str(theirs.dtype).split(".")[1]
        assert ours.requires_grad == theirs.requires_grad
        a, b = ours.detach().numpy(), theirs.detach().numpy()
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)
    elif isinstance(theirs, (list, tuple)):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            equal(a, b, rtol, atol)
    elif isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        equal(list(ours.values()), list(theirs.values()), rtol, atol)
    elif isinstance(theirs, float):
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol)
    elif isinstance(theirs, str):
        assert ours.replace("nnlib.", "torch.") == theirs
    elif isinstance(theirs, (torch.dtype, torch.device)):
        assert str(ours).split(".")[-1] == str(theirs).split(".")[-1]
    else:
        assert ours == theirs

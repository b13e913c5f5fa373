"""The peers, libraries to compare with: each function here prepares a workload for one of them.

It returns a `Runner` (step, evaluate): `step()` does one step, and `evaluate()` returns
(loss, gradients) as NumPy arrays for the current weights, which it does not change.  It returns
None if the peer is not installed or cannot run the workload.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.workloads import Workload

Runner = tuple[Callable[[], Any], Callable[[], tuple[Any, list]]]


def _has(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _torch_like(t: Any, work: Workload) -> Runner:
    weights = [t.tensor(np.asarray(w), requires_grad=True) for w in work.weights]
    if any(name in work.name for name in ("RNN", "LSTM")):
        weights = [t.nn.Parameter(t.tensor(w)) for w in work.weights]
    data = [t.tensor(np.asarray(d)) for d in work.data]
    rate, torch_loss, no_grad = work.rate, work.torch_loss, t.no_grad

    def step() -> Any:
        for w in weights:
            w.grad = None
        loss = torch_loss(t, weights, data)
        loss.backward()
        if rate is not None:
            with no_grad():
                for w in weights:
                    w.sub_(w.grad, alpha=rate)
        return loss

    def evaluate() -> tuple[Any, list]:
        loss = work.torch_loss(t, weights, data)
        gs = t.autograd.grad(loss, weights)
        return loss.detach().numpy(), [g.numpy() for g in gs]

    return step, evaluate


def nnlib(work: Workload) -> Runner | None:
    import nnlib

    return _torch_like(nnlib, work)


def compiled(work: Workload, backend: str | None = None) -> Runner | None:
    """The pure step (loss, gradients, new weights), compiled."""
    import nnlib

    torch_loss, rate = work.torch_loss, work.rate
    weights = [nnlib.tensor(np.asarray(w)) for w in work.weights]
    data = [nnlib.tensor(np.asarray(d)) for d in work.data]
    gradients_and_loss = nnlib.func.grad_and_value(lambda w, d: torch_loss(nnlib, w, d))

    def pure_step(w: list, d: list) -> tuple:
        gs, loss = gradients_and_loss(w, d)
        return loss, gs if rate is None else [a - rate * g for a, g in zip(w, gs)]

    compiled_step = nnlib.compile(pure_step, backend=backend)

    def step() -> Any:
        nonlocal weights
        loss, new = compiled_step(weights, data)
        if rate is not None:
            weights = new
        return loss

    def evaluate() -> tuple[Any, list]:
        gs, loss = gradients_and_loss(weights, data)
        return loss.numpy(), [g.numpy() for g in gs]

    return step, evaluate


def torch(work: Workload) -> Runner | None:
    import torch

    return _torch_like(torch, work)


def floor(work: Workload) -> Runner | None:
    if work.floor is None:
        return None
    weights = [np.array(w)[()] for w in work.weights]
    by_hand, rate = work.floor, work.rate

    def step() -> Any:
        loss, gs = by_hand(weights, work.data)
        if rate is not None:
            for w, g in zip(weights, gs):
                g *= rate
                w -= g
        return loss

    return step, lambda: by_hand(weights, work.data)


def _functional(work: Workload, numpy: Any, value_and_grad: Any, wrap: Any, ready: Any) -> Runner:
    weights = [numpy.asarray(w) if not work.numbers else w for w in work.weights]
    data = [numpy.asarray(d) for d in work.data]
    assert work.numpy_loss is not None
    numpy_loss, rate = work.numpy_loss, work.rate
    loss_and_gradients = value_and_grad(lambda w, d: numpy_loss(numpy, w, d))

    def pure_step(w: list, d: list) -> tuple:
        loss, gs = loss_and_gradients(w, d)
        if rate is None:
            return loss, gs
        return loss, [a - rate * g for a, g in zip(w, gs)]

    pure_step = wrap(pure_step)

    def step() -> Any:
        nonlocal weights
        loss, new = pure_step(weights, data)
        if rate is not None:
            weights = new
        ready(new)
        return loss

    return step, lambda: loss_and_gradients(weights, data)


def hips(work: Workload) -> Runner | None:
    if work.numpy_loss is None or not _has("autograd"):
        return None
    import autograd.numpy as anp
    from autograd import value_and_grad

    return _functional(work, anp, value_and_grad, lambda f: f, lambda x: None)


def _jax(work: Workload, jit: bool) -> Runner | None:
    if work.numpy_loss is None or not _has("jax"):
        return None
    import jax
    import jax.numpy as jnp

    wrap = jax.jit if jit else lambda f: f
    return _functional(work, jnp, jax.value_and_grad, wrap, jax.block_until_ready)


def jax_eager(work: Workload) -> Runner | None:
    return _jax(work, False)


def jax_jit(work: Workload) -> Runner | None:
    return _jax(work, True)


def mygrad(work: Workload) -> Runner | None:
    if work.numpy_loss is None or not _has("mygrad"):
        return None
    import mygrad as mg

    weights = [mg.tensor(w) for w in work.weights]
    numpy_loss, rate = work.numpy_loss, work.rate

    def backward() -> tuple[Any, list]:
        for w in weights:
            w.null_grad()
        loss = numpy_loss(mg, weights, work.data)
        loss.backward()
        return loss, [w.grad for w in weights]

    def step() -> Any:
        loss, gs = backward()
        if rate is not None:
            for w, g in zip(weights, gs):
                w.data -= (rate * g).astype(np.float32)
        return loss

    def evaluate() -> tuple[Any, list]:
        loss, gs = backward()
        return loss.data, [np.array(g) for g in gs]

    return step, evaluate


def tinygrad(work: Workload) -> Runner | None:
    if work.numpy_loss is None or not _has("tinygrad"):
        return None
    tiny = importlib.import_module("tinygrad")
    weights = [tiny.Tensor(np.asarray(w)) for w in work.weights]
    data = [tiny.Tensor(np.asarray(d)) for d in work.data]
    numpy_loss, rate = work.numpy_loss, work.rate

    class NumPyNames:
        exp = staticmethod(lambda x: x.exp())
        log = staticmethod(lambda x: x.log())
        tanh = staticmethod(lambda x: x.tanh())
        abs = staticmethod(lambda x: x.abs())
        matmul = staticmethod(lambda a, b: a @ b)
        maximum = staticmethod(lambda a, b: a.maximum(b))
        max = staticmethod(lambda x, axis, keepdims: x.max(axis=axis, keepdim=keepdims))
        sum = staticmethod(lambda x, axis=None, keepdims=False: x.sum(axis=axis, keepdim=keepdims))

    def loss_and_gradients() -> tuple[Any, list]:
        loss = numpy_loss(NumPyNames, weights, data)
        gs = loss.sum().gradient(*weights)
        return loss, list(gs)

    def step() -> Any:
        nonlocal weights
        loss, gs = loss_and_gradients()
        if rate is None:
            tiny.Tensor.realize(loss, *gs)
            return loss
        new = [w - rate * g for w, g in zip(weights, gs)]
        tiny.Tensor.realize(loss, *new)
        weights = [w.detach() for w in new]
        return loss

    def evaluate() -> tuple[Any, list]:
        loss, gs = loss_and_gradients()
        return loss.numpy(), [g.numpy() for g in gs]

    return step, evaluate


PEERS: dict[str, Callable[[Workload], Runner | None]] = {
    "PyTorch": torch, "nnlib": nnlib, "nnlib compiled": compiled,
    "nnlib on NumPy": lambda work: compiled(work, "numpy"), "floor": floor,
    "autograd": hips, "MyGrad": mygrad, "JAX": jax_eager, "JAX jit": jax_jit,
    "tinygrad": tinygrad,
}  # fmt: skip

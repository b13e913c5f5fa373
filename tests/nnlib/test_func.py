"""`nnlib.func` agrees with `torch.func` on trees, at every order, and in traced programs."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest
import torch

import nnlib
from nnlib import func, trees

Pair = namedtuple("Pair", "w b")
W = np.array([[0.5, -1.0], [0.25, 0.75], [1.0, -0.5]], np.float32)
B = np.array([0.1, -0.2], np.float32)
X = np.array([1.0, -0.5, 2.0], np.float32)


def same(ours, theirs):
    """Asserts that two trees have the same structure and equal tensors."""
    if isinstance(theirs, torch.Tensor):
        assert tuple(ours.shape) == tuple(theirs.shape)
        assert ours.dtype.name == str(theirs.dtype).removeprefix("torch.")
        assert ours.requires_grad == theirs.requires_grad
        np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), 1e-5, 1e-6)
    elif isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        for k in theirs:
            same(ours[k], theirs[k])
    else:
        assert type(ours).__name__ == type(theirs).__name__ and len(ours) == len(theirs)
        for a, b in zip(ours, theirs):
            same(a, b)


def both(program):
    """Asserts that program(library, its func module) gives the same in both libraries."""
    same(program(nnlib, func), program(torch, torch.func))


PROGRAMS = {
    "grad of a dict": lambda T, f: f.grad(
        lambda p, x: ((x @ p["w"] + p["b"]) ** 2).sum()
    )({"w": T.tensor(W), "b": T.tensor(B)}, T.tensor(X)),
    "grad of a named tuple in a list": lambda T, f: f.grad(
        lambda p: (T.tensor(X) @ p[0].w + p[0].b).tanh().sum()
    )([Pair(T.tensor(W), T.tensor(B))]),
    "two arguments": lambda T, f: f.grad(lambda a, b: (a * b).sum(), argnums=(1, 0))(
        T.tensor(X), T.tensor(X) * 2
    ),
    "the last argument": lambda T, f: f.grad(lambda a, b: (a * b * b).sum(), argnums=-1)(
        T.tensor(X), T.tensor(X) * 2
    ),
    "an argument that is not used": lambda T, f: f.grad(lambda a: T.tensor(3.0))(T.tensor(X)),
    "value": lambda T, f: f.grad_and_value(lambda a: (a**3).sum())(T.tensor(X)),
    "aux": lambda T, f: f.grad(lambda a: ((a**3).sum(), {"twice": 2 * a}), has_aux=True)(
        T.tensor(X)
    ),
    "value and aux": lambda T, f: f.grad_and_value(
        lambda a: ((a**3).sum(), (a, a + 1)), has_aux=True
    )(T.tensor(X)),
    "third order": lambda T, f: f.grad(f.grad(f.grad(lambda x: x**4 + x**3)))(T.tensor(2.0)),
    "nested gradients do not mix": lambda T, f: f.grad(
        lambda x: x * f.grad(lambda y: x * y * y)(T.tensor(3.0))
    )(T.tensor(2.0)),
    "inside no_grad": lambda T, f: T.no_grad()(lambda: f.grad(lambda x: x**2)(T.tensor(2.0)))(),
    "a captured leaf keeps its history": lambda T, f: f.grad(
        lambda x, w: w * x * x
    )(T.tensor(3.0), T.tensor(2.0, requires_grad=True)),
    "vjp": lambda T, f: (lambda out, vjp_fn: (out, vjp_fn(T.tensor(B))))(
        *f.vjp(lambda x, w: x @ w, T.tensor(X), T.tensor(W))
    ),
    "vjp of a tree": lambda T, f: (
        lambda out, vjp_fn: (out, vjp_fn({"a": T.tensor(X), "b": T.tensor(1.0)}))
    )(*f.vjp(lambda x: {"a": x.exp(), "b": x.sum()}, T.tensor(X))),
    "vjp with aux": lambda T, f: (lambda out, vjp_fn, aux: (out, vjp_fn(T.tensor(X)), aux))(
        *f.vjp(lambda x: (x.exp(), x + 1), T.tensor(X), has_aux=True)
    ),
    "jvp": lambda T, f: f.jvp(
        lambda x, w: (x @ w).tanh(), (T.tensor(X), T.tensor(W)), (T.tensor(X), T.tensor(W) * 0.5)
    ),
    "jvp with aux": lambda T, f: f.jvp(
        lambda x: (x.exp(), x.sum()), (T.tensor(X),), (T.tensor(X) * 2,), has_aux=True
    ),
    "jacrev": lambda T, f: f.jacrev(lambda x, w: (x @ w).tanh(), argnums=(0, 1))(
        T.tensor(X), T.tensor(W)
    ),
    "jacrev of trees": lambda T, f: f.jacrev(lambda p: {"s": p["w"].sum(), "v": p["b"] ** 2})(
        {"w": T.tensor(W), "b": T.tensor(B)}
    ),
    "jacrev with aux": lambda T, f: f.jacrev(lambda x: (x**2, x.sum()), has_aux=True)(T.tensor(X)),
    "jacfwd": lambda T, f: f.jacfwd(lambda x, w: (x @ w).tanh(), argnums=(0, 1))(
        T.tensor(X), T.tensor(W)
    ),
    "jacfwd of trees": lambda T, f: f.jacfwd(lambda p: {"s": p["w"].sum(), "v": p["b"] ** 2})(
        {"w": T.tensor(W), "b": T.tensor(B)}
    ),
    "hessian": lambda T, f: f.hessian(lambda x: (x**3).prod())(T.tensor(X)),
    "hessian of a dict": lambda T, f: f.hessian(lambda p: (p["a"] * p["b"] ** 2).sum())(
        {"a": T.tensor(B), "b": T.tensor(B) + 1}
    ),
    "vmap": lambda T, f: f.vmap(lambda x, w: (x * w).sum())(T.tensor(W), T.tensor(W) + 1),
    "vmap, one shared": lambda T, f: f.vmap(lambda x, w: x @ w, in_dims=(0, None), out_dims=1)(
        T.tensor(W.T.copy()), T.tensor(W)
    ),
    "vmap of a gradient: one for each example": lambda T, f: f.vmap(
        f.grad(lambda w, x: (x @ w).tanh().sum()), in_dims=(None, 0)
    )(T.tensor(W), T.tensor(np.stack([X, 2 * X, -X]))),
    "vmap of a dict": lambda T, f: f.vmap(lambda d: {"s": d["a"].sum(), "t": d["b"] * 2}, ({
        "a": 1, "b": 0},))({"a": T.tensor(W), "b": T.tensor(B)}),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_transform_agrees_with_torch(name):
    both(PROGRAMS[name])


REFUSED = {
    "a result with several elements": lambda T, f: f.grad(lambda x: x * 2)(T.tensor(X)),
    "a result that is a tree": lambda T, f: f.grad(lambda x: (x.sum(), x.sum()))(T.tensor(X)),
    "integers": lambda T, f: f.grad(lambda x: x.sum())(T.tensor([1, 2])),
    "a position beyond the arguments": lambda T, f: f.grad(lambda x: x.sum(), 1)(T.tensor(X)),
    "aux that is missing": lambda T, f: f.grad(lambda x: x.sum(), has_aux=True)(T.tensor(X)),
    "a tangent of another structure": lambda T, f: f.jvp(lambda x: x, (T.tensor(X),), ()),
    "a gradient of another structure": lambda T, f: f.vjp(lambda x: x, T.tensor(X))[1](()),
    "different lengths": lambda T, f: f.vmap(lambda x, y: x)(T.tensor(X), T.tensor(B)),
    "no dimension": lambda T, f: f.vmap(lambda x: x)(T.tensor(1.0)),
    "random functions in vmap": lambda T, f: f.vmap(lambda x: x + T.rand(()))(T.tensor(X)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_arguments_that_torch_refuses_are_refused(name):
    for T, f in ((torch, torch.func), (nnlib, func)):
        with pytest.raises((RuntimeError, ValueError, TypeError, AssertionError)):
            REFUSED[name](T, f)


def models():
    def net(T):
        T.manual_seed(0)
        return T.nn.Sequential(T.nn.Linear(3, 4), T.nn.Tanh(), T.nn.Linear(4, 2))

    ours, theirs = net(nnlib), net(torch)
    ours.load_state_dict({k: nnlib.tensor(v.numpy()) for k, v in theirs.state_dict().items()})
    return ours, theirs


def test_functional_call_uses_other_parameters_and_restores_the_modules_own():
    results = []
    for T, f, net in zip((nnlib, torch), (func, torch.func), models()):
        parameters = {k: p.detach() * 0.5 for k, p in net.named_parameters()}
        before = [id(p) for p in net.parameters()]

        def loss(params, x, net=net, f=f):
            return (f.functional_call(net, params, (x,)) ** 2).mean()

        results.append((f.grad_and_value(loss)(parameters, T.tensor(X)), net(T.tensor(X)).detach()))
        assert [id(p) for p in net.parameters()] == before
    same(*results)


def test_functional_call_restores_the_parameters_after_an_error():
    net, _ = models()
    before = [id(p) for p in net.parameters()]
    with pytest.raises(RuntimeError):
        func.functional_call(net, {"0.weight": nnlib.zeros(7, 7)}, nnlib.tensor(X))
    assert [id(p) for p in net.parameters()] == before


def test_tied_parameters_are_replaced_under_both_names_and_names_are_checked_when_strict():
    for T, f in ((nnlib, func), (torch, torch.func)):
        net = T.nn.Sequential(T.nn.Linear(3, 3), T.nn.Linear(3, 3))
        net[1].weight = net[0].weight
        x, zeros = T.tensor(X), T.zeros(3, 3)
        out = f.functional_call(net, {"0.weight": zeros, "0.bias": T.zeros(3)}, x)
        assert (out == net[1].bias).all()
        with pytest.raises(RuntimeError):
            f.functional_call(net, {"0.weight": zeros}, x, strict=True)
        with_unknown = {**dict(net.named_parameters()), "unknown": zeros}
        with pytest.raises(RuntimeError):
            f.functional_call(net, with_unknown, x, strict=True)


def test_grad_accepts_data_classes_which_torch_does_not_traverse():
    @dataclass(frozen=True)
    class State:
        w: object
        b: object

    gradient = func.grad(lambda p: (p.w * p.w).sum() + p.b)(
        State(nnlib.tensor(X), nnlib.tensor(1.0))
    )
    assert isinstance(gradient, State)
    np.testing.assert_allclose(gradient.w.numpy(), 2 * X)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: func.grad(lambda v: (v**3).sum())(x),
        lambda x: func.grad_and_value(lambda v: (v.tanh() ** 2).sum())(x)[1],
        lambda x: func.hessian(lambda v: (v**3).prod())(x),
        lambda x: func.jvp(lambda v: v.exp(), (x,), (x * 2,))[1],
        lambda x: func.vmap(func.grad(lambda v: v**2))(x),
        lambda x: nnlib.autograd.functional.jacobian(lambda v: v**2, x),
    ],
)
def test_a_traced_derivative_is_recomputed_for_other_arguments(function):
    graph = nnlib.graph.trace(function, x=nnlib.tensor(X))
    for scale in (1.0, -0.5):
        argument = nnlib.tensor(X * np.float32(scale))
        np.testing.assert_allclose(graph.run(x=argument.numpy())["output"],
                                   function(argument).numpy(), rtol=1e-5)  # fmt: skip


def test_trees_are_flattened_and_rebuilt():
    tree = {"a": [1, (2, Pair(3, 4))], "b": {}}
    leaves, structure = trees.flatten(tree)
    assert leaves == [1, 2, 3, 4] and trees.build(structure, leaves) == tree
    assert trees.paths(structure, "p") == ["p['a'][0]", "p['a'][1][0]", "p['a'][1][1][0]",
                                      "p['a'][1][1][1]"]  # fmt: skip
    with pytest.raises(ValueError, match="same structure"):
        trees.map_leaves(lambda a, b: a, [1], [1, 2])

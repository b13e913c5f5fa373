"""Which values may be changed in place before backward(), for every function, as in PyTorch.

A function's gradient needs its arguments, its result, or neither.  If PyTorch refuses backward()
after a change, nnlib refuses it too, unless its gradient does not need the changed value; these
functions are in PERMISSIVE.  If both accept the change, they give the same gradients.
"""

from __future__ import annotations

import functools
import re

import numpy as np
import pytest
import torch

import nnlib

FORMS = """
    f(x) | f(x, 1) | f(x, 2) | f(x, 0.5) | f(x, y) | f(x, y, z) | f(x, v) | f(v, w) | f([x, y])
    f(k, x, y) | f(x, k) | f(x, k, 0.5) | f(x, 1, n) | f(x, 1, n, y) | f(x, n) | f(x, t)
    f(x, (3,)) | f(x, (3,), v, w) | f(x, (1, 1)) | f(q, 2) | f(q, c) | f(s)
"""
# Without s, a single number: a change replaces it instead of overwriting it, so saved values stay.
CHANGED = "xyzvwqc"

# nnlib's gradients do not need these; PyTorch's do, or it refuses a change of one of several views.
PERMISSIVE = {
    "result": "cdist cumprod norm pow prod std linalg.matrix_norm linalg.norm linalg.vector_norm",
    "view": "chunk split unbind",
    "argument": """cdist clamp clip gather lerp masked_select median nan_to_num std take_along_dim
        var nn.functional.adaptive_avg_pool1d nn.functional.adaptive_max_pool1d
        nn.functional.group_norm nn.functional.hardtanh nn.functional.huber_loss
        nn.functional.layer_norm nn.functional.leaky_relu nn.functional.logsigmoid
        nn.functional.mse_loss nn.functional.nll_loss nn.functional.relu6
        nn.functional.smooth_l1_loss nn.functional.softplus""",
}
# PyTorch's gradients do not need the arguments of these, because PyTorch saves copies of them.
STRICT = {"nn.functional.adaptive_avg_pool1d", "nn.functional.scaled_dot_product_attention"}

LEFT_OUT = """Generator Size Tensor as_tensor bernoulli compile device dtype empty empty_like
    finfo from_numpy iinfo load manual_seed multinomial normal rand rand_like randint randn
    randn_like randperm save set_default_dtype tensor
    nn.functional.dropout nn.functional.dropout2d"""
NAMES = [
    name
    for path in ("", "nn.functional.", "linalg.")
    for name in [path + n for n in functools.reduce(getattr, path.split(".")[:-1], nnlib).__all__]
    if name not in LEFT_OUT.split()
]  # those left out compute no tensor from tensors, or a random one


def leaves(t):
    grid = np.linspace(0.2, 0.83, 9).reshape(3, 3)
    values = {
        **{"x": grid, "y": grid[::-1] * 1.01, "z": 1.5 + grid},
        **{"v": grid[0], "w": grid[1], "s": np.array(0.7)},
        "q": np.linspace(0.1, 0.9, 32).reshape(1, 2, 4, 4),
        "c": np.linspace(-1, 1, 24).reshape(3, 2, 2, 2),
    }
    return {n: t.tensor(v, dtype=t.float64, requires_grad=True) for n, v in values.items()}


def gradients(t, name, form, changed):
    """The leaves' gradients, or None if backward() is refused; raises TypeError if there are none.

    Each argument is a leaf times 1, which may be changed in place; "out" changes the result.
    """
    inputs = leaves(t)
    scope = {n: v * 1 for n, v in inputs.items()}
    scope |= {"k": scope["x"] > 0.5, "n": t.tensor([[0, 1, 2]] * 3), "t": t.tensor([0, 2, 1])}
    scope["f"] = functools.reduce(getattr, name.split("."), t)
    result = eval(form.strip(), scope)
    results = result if isinstance(result, (tuple, list)) else [result]
    out = next((p for p in results if isinstance(p, t.Tensor) and p.requires_grad), None)
    if out is None:
        raise TypeError("no result to differentiate")
    try:
        if changed:
            (out if changed == "out" else scope[changed]).mul_(2)
        grads = t.autograd.grad(out.sum(), list(inputs.values()), allow_unused=True)
    except RuntimeError:
        return None
    return [np.zeros(v.shape) if g is None else g.numpy() for g, v in zip(grads, inputs.values())]


def compared(name):
    """For each form and change: "result" or "argument", and whether PyTorch and nnlib accept it."""
    for form in re.split(r"[|\n]", FORMS.strip()):
        try:
            assert all(gradients(t, name, form, "") is not None for t in (torch, nnlib))
        except Exception:  # the function takes no such arguments
            continue
        for changed in ["out", *[n for n in CHANGED if n in form]]:
            theirs, ours = [gradients(t, name, form, changed) for t in (torch, nnlib)]
            if theirs is not None and ours is not None:
                for a, b in zip(ours, theirs, strict=True):
                    np.testing.assert_allclose(
                        a, b, atol=1e-9, err_msg=f"{name}: {form}, {changed} changed"
                    )
            yield "result" if changed == "out" else "argument", theirs is not None, ours is not None


@pytest.mark.parametrize("name", NAMES)
def test_nnlib_refuses_the_changes_that_pytorch_refuses_with_the_listed_exceptions(name):
    outcomes = set(compared(name))
    permissive = {changed for changed, theirs, ours in outcomes if ours and not theirs}
    allowed = {changed for changed, names in PERMISSIVE.items() if name in names.split()}
    expected = {"result", "argument"} if "view" in allowed else allowed
    assert permissive == expected, f"{name}: nnlib accepts other changes that PyTorch refuses"
    strict = any(theirs and not ours for _, theirs, ours in outcomes)
    assert strict == (name in STRICT), f"{name}: nnlib refuses a change that PyTorch accepts"


def test_a_change_of_a_result_that_a_gradient_needs_is_refused_by_both_libraries():
    saving = """exp exp2 expm1 sqrt rsqrt reciprocal sigmoid tanh tan relu softmax log_softmax
        logsumexp amax amin max min"""
    for name in saving.split():
        assert ("result", False, False) in set(compared(name)), name

"""Other spellings that PyTorch accepts, and arguments that nnlib refuses with the reason."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import nnlib
from tests.nnlib.alike import alike

X = "x = T.tensor([[3., 1., 2.], [6., 5., 4.]]); i = T.tensor([[0, 1, 1]])\n"
NAMES = {
    "axis and keepdims stand for dim and keepdim in reductions": X
    + """
out = [getattr(x, f)(axis=1, keepdims=True) for f in
       ("sum", "mean", "std", "var", "prod", "amax", "amin", "all", "any", "logsumexp", "argmax", "argmin")]
out += [getattr(T, f)(x, axis=0) for f in ("sum", "mean", "std", "var", "argmax", "argmin", "logsumexp")]
out += [x.sum(axis=(0, 1)), x.mean(axis=(0, 1), keepdims=True), x.sum(dim=0, keepdims=True),
        x.sum(axis=0, keepdim=True), *x.max(axis=1, keepdims=True), *x.min(axis=0), *x.median(axis=1)]
""",
    "axis stands for dim elsewhere": X
    + """
out = [T.softmax(x, axis=0), T.log_softmax(x, axis=1), x.cumsum(axis=0), x.cumprod(axis=1),
    *x.sort(axis=0), x.argsort(axis=1), *x.topk(1, axis=0), x.unsqueeze(axis=0), x[:1].squeeze(axis=0),
    T.cat([x, x], axis=1), T.stack([x, x], axis=2), *x.unbind(axis=1), x.gather(axis=0, index=i),
    x.index_select(axis=1, index=T.tensor([2, 0])), x.count_nonzero(axis=0), x.take_along_dim(i, axis=0),
    x.repeat_interleave(2, axis=0), *x.kthvalue(1, axis=0), x.scatter(axis=0, index=i, src=x)]
""",
    "both names of one argument are refused": "T.ones(2).sum(dim=0, axis=0)",
    "variances take unbiased or correction": X
    + """
out = [x.std(unbiased=False), x.var(unbiased=True), x.var(False), x.std(1, False), x.std(1, True, True),
    T.var(x, 0, unbiased=False), T.std(x, 1, False),
    x.var(correction=0), x.std((0, 1), correction=2), T.std(x, dim=1, unbiased=False, keepdim=True)]
""",
    "sizes are given by name": """
out = [T.zeros(size=(2, 3)), T.ones(size=[2]), T.zeros(2, 3), T.zeros((2,), dtype=T.int64),
    T.full(size=(2,), fill_value=3), T.rand(size=(2,)).shape, T.randn(size=(2, 1)).shape,
    T.empty(size=(2, 0)), T.randint(high=3, low=1, size=(2,)).shape, T.ones(2).new_zeros(size=(3,)),
    T.randint(3, size=(2,)).shape, T.full((2,), T.tensor(3)), T.full((), 2.)]
""",
    "sizes given twice are refused": "T.zeros(2, size=(3,))",
    "ranges are given by name": """
out = [T.arange(end=3), T.arange(start=1, end=3), T.arange(0, end=3), T.arange(1, 4, step=2),
       T.arange(end=2.5), T.arange(start=3, end=0, step=-1)]
""",
    "numbers are rounded to decimals": """
x = T.tensor([1.2345, -2.5, 1234.5], requires_grad=True); y = x.round(decimals=2); y.sum().backward()
out = y, x.grad, T.round(x.detach(), decimals=-2), T.round(x.detach()), x.double().detach().round(decimals=3)
""",
    "integers are not rounded to decimals": "T.tensor([15]).round(decimals=-1)",
    "types have many names": """
x = T.tensor([1.9, -1.9]); y = T.tensor([1])
out = [x.type(T.int64), x.type("torch.DoubleTensor") if T.__name__ == "torch" else x.type("nnlib.DoubleTensor"),
    x.type(), y.type(), y.bool().type(), x.half().type(), x.to(T.float64), x.to(dtype=T.int32), x.to(y),
    x.to("cpu", T.float64), x.to(T.device("cpu")), x.to(device="cpu", dtype=T.int64), x.to("cpu:0"),
    x.to(T.float32) is x, x.to(T.float32, copy=True) is x, x.to(x) is x, y.char(), y.byte(), x.type_as(y)]
""",
    "an unknown type is refused": "T.ones(1).type('torch.NoTensor')",
    "the device is the CPU": """
out = [T.ones(1).device, T.device("cpu"), str(T.ones(1).device), repr(T.device("cpu", 0)), T.ones(1).device.type,
    T.device("cpu") == T.ones(1).device, T.device("cpu:0") == T.device("cpu"), T.device(T.device("cpu")),
    T.zeros(2, device="cpu"), T.tensor([1], device=T.device("cpu")), T.arange(2, device="cpu"),
    T.zeros_like(T.ones(1), device="cpu"), T.as_tensor([1.], device="cpu"), T.eye(1, device="cpu"),
    T.full((1,), 2, device="cpu"), T.rand(1, device="cpu").shape, T.ones(1).new_ones(2, device="cpu")]
""",
    "a module is moved and converted": """
n = nn.Linear(1, 1); out = [n.to("cpu") is n, n.cpu() is n, n.to(T.float64).weight.dtype, n.half().bias.dtype,
    n.to(T.zeros(1)).weight.dtype, n.to(device="cpu", dtype=T.float64).weight.dtype, n.float().weight.dtype]
""",
    "where with a condition alone gives coordinates": """
out = [T.where(T.tensor([1, 0, 3])), T.where(T.eye(2) > 0), T.where(T.tensor(True)),
    T.where(condition=T.tensor([True, False]), input=T.ones(2), other=0), T.ones(2).where(T.tensor([True, False]), 5.)]
""",
    "where with two of its three arguments is refused": "T.where(T.tensor([True]), 1.)",
    "bits of integers": """
a, b, u, t = T.tensor([6, -5]), T.tensor([3, 12]), T.tensor([250], dtype=T.uint8), T.tensor([True, False])
out = [a & b, a | b, a ^ b, ~a, ~u, ~t, a & 3, 3 | a, a ^ True, t & a, t | t, t ^ True, u & T.tensor([3], dtype=T.int32),
    a << 2, a >> 1, u << 1, u << 9, u >> 3, a << b, a >> T.tensor([1, 2]), 2 << b, 64 >> b, a << 63, a >> 63, a >> 64,
    T.bitwise_and(a, b), T.bitwise_or(a, 1), T.bitwise_xor(a, b), T.bitwise_not(a), a.bitwise_and(b),
    T.bitwise_left_shift(a, 1), T.bitwise_right_shift(a, 1)]
""",
    "shifts beyond the last bit": """
u, a, b = T.tensor([255, 64], dtype=T.uint8), T.tensor([100, -100], dtype=T.int8), T.tensor([2**62, -3])
ns = T.tensor([7, 8], dtype=T.int8)
out = [x >> n for x in (u, a, b) for n in (7, 8, 63, 64, 99)] + [x << n for x in (u, a, b) for n in (7, 8, 63, 64)]
out += [u >> ns, a >> ns, b >> ns, u << ns, a << ns, b << (5 * ns), b >> (9 * ns)]
""",
    "shifts by a negative number": """
a, n = T.tensor([100, -100]), T.tensor([-1, -64])
out = a >> -1, a << -1, a >> n, a << n
""",
    "booleans cannot be shifted": "T.tensor([True]) >> T.tensor([True])",
    "bits in place": """
a, t = T.tensor([6, -5]), T.tensor([True, False]); b, c, d, e, f = (a.clone() for _ in range(5))
b &= 3; c |= 1; d ^= a; e <<= 1; f >>= 1; t &= T.tensor([True, True]); a.bitwise_or_(1).bitwise_not_()
out = a, b, c, d, e, f, t
""",
    "floats have no bits": "T.tensor([1.]) & 1",
    "floats cannot be inverted": "~T.tensor([1.])",
    "floats cannot be shifted": "T.tensor([1.]) << 2",
}


@pytest.mark.parametrize("spelling", NAMES)
def test_a_call_or_an_operator_has_pytorchs_meaning(spelling):
    alike(NAMES[spelling])


@pytest.mark.parametrize("rule", ["Adam", "AdamW"])
@pytest.mark.parametrize("settings", [{"amsgrad": True}, {"amsgrad": True, "weight_decay": 0.1}])
def test_amsgrad_takes_pytorchs_steps(rule, settings):
    ends = []
    for t in (nnlib, torch):
        p = t.tensor([0.5, -2.0, 3.0], dtype=t.float64, requires_grad=True)
        optimizer = getattr(t.optim, rule)([p], lr=0.1, **settings)
        for k in range(30):
            optimizer.zero_grad()
            ((p - k % 7) ** 2 * (1 + k % 3)).sum().backward()
            optimizer.step()
        state = optimizer.state_dict()["state"][0]
        ends.append([p.detach().numpy(), *(state[k].numpy() for k in sorted(state))])
        assert sorted(state) == ["exp_avg", "exp_avg_sq", "max_exp_avg_sq", "step"]
    for ours, theirs in zip(*ends, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize(
    "call",
    [
        lambda: nnlib.zeros(2, device="cuda"),
        lambda: nnlib.tensor([1.0], device="cuda:0"),
        lambda: nnlib.ones(2).to("mps"),
        lambda: nnlib.nn.Linear(1, 1).to("cuda"),
        lambda: nnlib.arange(3, device="cuda"),
        lambda: nnlib.rand(2, device="meta"),
        lambda: nnlib.device("cuda"),
        lambda: nnlib.zeros_like(nnlib.ones(1), device="xpu"),
        lambda: nnlib.as_tensor([1.0], device="cuda"),
    ],
)
def test_a_device_other_than_the_cpu_is_refused_with_the_reason(call):
    with pytest.raises(RuntimeError, match="NumPy, on the CPU alone"):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda y: nnlib.zeros(2, out=y),
        lambda y: nnlib.arange(2, out=y),
        lambda y: nnlib.rand(2, out=y),
        lambda y: nnlib.where(y > 0, y, y, out=y),
        lambda y: nnlib.full((2,), 1.0, out=y),
        lambda y: nnlib.add(y, y, out=y),
        lambda y: nnlib.exp(y, out=y),
        lambda y: nnlib.matmul(y, y, out=y),
        lambda y: nnlib.sum(y, 0, out=y),
        lambda y: nnlib.cat([y, y], out=y),
    ],
)
def test_out_is_refused_with_the_reason(call):
    with pytest.raises(TypeError, match="every result is a new tensor"):
        call(nnlib.ones(2))

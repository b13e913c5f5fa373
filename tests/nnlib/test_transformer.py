"""Multi-head attention and the encoder layer compared with PyTorch; fused layer norm and gelu."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import nnlib
from nnlib.primitives import fused

RNG = np.random.default_rng(5)
N, L, S, E = 3, 4, 5, 6


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape)


def pair(name: str, *sizes: int, **options):
    """The same layer in both libraries, with the same weights, in float64."""
    ours = getattr(nnlib.nn, name)(*sizes, **options).double()
    theirs = getattr(torch.nn, name)(*sizes, **options).double()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    state = {k: torch.tensor(normal(*v.shape)) for k, v in theirs.state_dict().items()}
    theirs.load_state_dict(state)
    ours.load_state_dict({k: nnlib.tensor(v.numpy()) for k, v in state.items()})
    return ours, theirs


def agree(run, ours, theirs, *arrays: np.ndarray) -> None:
    """Asserts that both libraries give equal outputs of `run(library, layer, *tensors)`,
    gradients of inputs and gradients of parameters.
    """
    results = []
    for library, layer in ((nnlib, ours), (torch, theirs)):
        xs = [library.tensor(a, requires_grad=True) for a in arrays]
        outs = [out for out in run(library, layer, *xs) if out is not None]
        sum((out * out).sum() for out in outs).backward()
        grads = [p.grad for p in layer.parameters()]
        results.append([t.detach().numpy() for t in (*outs, *[x.grad for x in xs], *grads)])
    assert len(results[0]) == len(results[1])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-10)


MASKS = {
    "no mask": {}, "boolean": {"attn_mask": "LS"}, "added": {"attn_mask": "LS added"},
    "for each head": {"attn_mask": "NLS"}, "padding": {"key_padding_mask": "NS"},
    "padding added": {"key_padding_mask": "NS added"},
    "both": {"attn_mask": "LS", "key_padding_mask": "NS"},
}  # fmt: skip


def mask_of(description: str, heads: int) -> np.ndarray:
    shape = {"LS": (L, S), "NLS": (N * heads, L, S), "NS": (N, S)}[description.split()[0]]
    rng = np.random.default_rng(1)
    masked = rng.random(shape) > 0.6
    masked[..., 0] = False
    return np.where(masked, -np.inf, rng.normal(size=shape)) if "added" in description else masked


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("need_weights", [True, False])
def test_multihead_attention_agrees_with_pytorch_with_every_mask(mask, need_weights):
    ours, theirs = pair("MultiheadAttention", E, 2, batch_first=True)
    masks = {name: mask_of(description, 2) for name, description in MASKS[mask].items()}

    def run(t, layer, q, k, v):
        mask_tensors = {name: t.tensor(m) for name, m in masks.items()}
        return layer(q, k, v, need_weights=need_weights, **mask_tensors)

    agree(run, ours, theirs, normal(N, L, E), normal(N, S, E), normal(N, S, E))


@pytest.mark.parametrize(
    "options",
    [{}, {"bias": False}, {"kdim": 3}, {"vdim": 2, "kdim": 3}, {"batch_first": True}],
    ids=str,
)
def test_multihead_attention_agrees_with_pytorch_with_every_option(options):
    ours, theirs = pair("MultiheadAttention", E, 3, **options)
    k, v = options.get("kdim", E), options.get("vdim", E)
    shapes = [(L, N, E), (S, N, k), (S, N, v)]
    if options.get("batch_first"):
        shapes = [(b, a, c) for a, b, c in shapes]

    def run(t, layer, *xs):
        return layer(*xs, average_attn_weights=False)

    agree(run, ours, theirs, *[normal(*shape) for shape in shapes])
    agree(run, ours, theirs, normal(L, E), normal(S, k), normal(S, v))  # without a batch


def test_a_query_without_any_allowed_key_gets_pytorchs_result():
    ours, theirs = pair("MultiheadAttention", E, 2)
    x, masked = normal(L, N, E), np.ones((L, L), bool)
    for weights in (True, False):
        a = ours(*[nnlib.tensor(x)] * 3, attn_mask=nnlib.tensor(masked), need_weights=weights)[0]
        b = theirs(*[torch.tensor(x)] * 3, attn_mask=torch.tensor(masked), need_weights=weights)[0]
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-9)


def test_a_mask_of_minus_infinity_in_every_column_gives_zeros_as_in_pytorch():
    q, k, v, mask = normal(2, L, E), normal(2, S, E), normal(2, S, E), np.zeros((L, S))
    mask[1] = -np.inf
    for t in (nnlib, torch):
        out = t.nn.functional.scaled_dot_product_attention(*map(t.tensor, (q, k, v, mask)))
        assert out[:, 1].abs().max().item() == 0 and out[:, 0].abs().min().item() > 0


@pytest.mark.parametrize(
    "options",
    [{}, {"activation": "gelu", "norm_first": True}, {"bias": False, "batch_first": True},
     {"layer_norm_eps": 0.1}],
    ids=str,
)  # fmt: skip
def test_an_encoder_layer_agrees_with_pytorch(options):
    ours, theirs = pair("TransformerEncoderLayer", E, 2, 7, dropout=0.0, **options)
    future = np.triu(np.ones((L, L), bool), 1)
    padding = np.zeros((N, L), bool)
    padding[1, 3] = True

    def run(t, layer, x):
        masks = {"src_key_padding_mask": t.tensor(padding)}
        return [layer(x), layer(x, t.tensor(future), is_causal=True), layer(x, **masks)]

    agree(run, ours, theirs, normal(*((N, L, E) if options.get("batch_first") else (L, N, E))))
    assert repr(ours) == repr(theirs).replace("NonDynamicallyQuantizableLinear", "Linear")


def test_dropout_works_on_the_weights_while_training_and_not_after():
    nnlib.manual_seed(0)
    layer = nnlib.nn.MultiheadAttention(E, 2, dropout=0.5)
    x = nnlib.randn(40, 1, E)
    dropped = layer(x, x, x, average_attn_weights=False)[1]
    assert 0.4 < (dropped == 0).float().mean().item() < 0.6
    layer.eval()
    assert layer(x, x, x)[1].amin().item() > 0


def test_initial_weights_are_distributed_as_in_pytorch():
    nnlib.manual_seed(0)
    torch.manual_seed(0)
    for options in ({}, {"kdim": 32}):
        ours, theirs = (t.nn.MultiheadAttention(64, 4, **options) for t in (nnlib, torch))
        for name, w in theirs.state_dict().items():
            our_weight = ours.state_dict()[name]
            assert our_weight.std(unbiased=False).item() == pytest.approx(
                w.std(unbiased=False).item(), rel=0.05)  # fmt: skip
            assert our_weight.abs().amax().item() == pytest.approx(w.abs().amax().item(), rel=0.05)


BAD = {
    "a size that the heads do not divide": lambda t: t.nn.MultiheadAttention(8, 3),
    "no heads": lambda t: t.nn.MultiheadAttention(8, 0),
    "a size that is a float": lambda t: t.nn.MultiheadAttention(8.0, 2),
    "an unknown activation": lambda t: t.nn.TransformerEncoderLayer(8, 2, 16, activation="x"),
    "is_causal without a mask": lambda t: t.nn.MultiheadAttention(8, 2)(
        *[t.ones(5, 3, 8)] * 3, is_causal=True),
    "is_causal without a mask in an encoder": lambda t: t.nn.TransformerEncoderLayer(8, 2, 16)(
        t.ones(5, 3, 8), is_causal=True),
    "a mask of another size": lambda t: t.nn.MultiheadAttention(8, 2)(
        *[t.ones(5, 3, 8)] * 3, attn_mask=t.ones(4, 4)),
    "masks for another number of heads": lambda t: t.nn.MultiheadAttention(8, 2)(
        *[t.ones(5, 3, 8)] * 3, attn_mask=t.ones(4, 5, 5)),
    "a padding mask of another size": lambda t: t.nn.MultiheadAttention(8, 2)(
        *[t.ones(5, 3, 8)] * 3, key_padding_mask=t.ones(4, 5)),
    "a mask of integers": lambda t: t.nn.MultiheadAttention(8, 2)(
        *[t.ones(5, 3, 8)] * 3, attn_mask=t.tensor([[1] * 5] * 5)),
    "vectors of another size": lambda t: t.nn.MultiheadAttention(8, 2)(*[t.ones(5, 3, 4)] * 3),
    "one vector": lambda t: t.nn.MultiheadAttention(8, 2)(*[t.ones(8)] * 3),
    "keys without a batch": lambda t: t.nn.MultiheadAttention(8, 2)(
        t.ones(5, 3, 8), t.ones(5, 8), t.ones(5, 8)),
    "values of another length": lambda t: t.nn.MultiheadAttention(8, 2)(
        t.ones(5, 3, 8), t.ones(5, 3, 8), t.ones(4, 3, 8)),
    "another dtype": lambda t: t.nn.MultiheadAttention(8, 2)(*[t.ones(5, 3, 8).double()] * 3),
    "a norm's weight of another size": lambda t: t.nn.functional.layer_norm(
        t.ones(2, 3), (3,), t.ones(2)),
    "a norm's bias of another dtype": lambda t: t.nn.functional.layer_norm(
        t.ones(2, 3), (3,), t.ones(3), t.ones(3).double()),
    "a norm of integers": lambda t: t.nn.functional.layer_norm(t.tensor([[1, 2]]), (2,)),
    "a mask of integers for one head": lambda t:
        t.nn.functional.scaled_dot_product_attention(*[t.ones(2, 3)] * 3, t.tensor([[1, 1]] * 2)),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments_are_refused_with_pytorchs_type_of_error(case):
    with pytest.raises(Exception) as theirs:  # noqa: PT011 (PyTorch decides which)
        BAD[case](torch)
    with pytest.raises(theirs.type) as ours:
        BAD[case](nnlib)
    assert len(str(ours.value)) > 25


@pytest.mark.parametrize("option", ["add_bias_kv", "add_zero_attn"])
def test_rare_options_are_refused_with_an_alternative(option):
    with pytest.raises(NotImplementedError, match="append"):
        nnlib.nn.MultiheadAttention(8, 2, **{option: True})


# ---------------------------------------------------------------- fused norm and gelu

PROGRAMS = {
    "a norm": (fused.layer_norm, {"n": 1, "eps": 1e-5}, [(7, 3, 4), (4,), (4,)]),
    "a norm without a bias": (fused.layer_norm, {"n": 1, "eps": 1e-5}, [(7, 4), (4,), None]),
    "a norm over two dimensions": (fused.layer_norm, {"n": 2, "eps": 0.1}, [(7, 3, 4), None, None]),
    "gelu": (fused.gelu, {"approximate": "none"}, [(5, 4)]),
    "gelu by tanh": (fused.gelu, {"approximate": "tanh"}, [(5, 4)]),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("anomaly", [False, True])
def test_a_fused_primitive_agrees_with_its_decomposition_up_to_second_gradients(name, anomaly):
    primitive, attrs, shapes = PROGRAMS[name]
    arrays = [None if shape is None else normal(*shape) for shape in shapes]
    results = []
    for function in (primitive, primitive.decomposition):
        with nnlib.autograd.detect_anomaly(anomaly):  # if True, no residuals are saved
            xs = [None if a is None else nnlib.tensor(a, requires_grad=True) for a in arrays]
            inputs = [x for x in xs if x is not None]
            out = function(*xs, **attrs)
            (out * out * out).sum().backward(retain_graph=True)
            first = nnlib.autograd.grad((out * out).sum(), inputs, create_graph=True)
            second = nnlib.autograd.grad(sum((g * g).sum() for g in first), inputs)
        tensors = (out, *[x.grad for x in inputs], *first, *second)
        results.append([t.detach().numpy() for t in tensors])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_traced_fused_primitive_is_recorded_as_its_decomposition(name):
    primitive, attrs, shapes = PROGRAMS[name]
    x, *parameters = [None if shape is None else nnlib.tensor(normal(*shape)) for shape in shapes]
    graph = nnlib.graph.trace(lambda x: primitive(x, *parameters, **attrs), x=x)
    recorded = {step.op for step in graph.steps} - {"input", "constant"}
    assert all(nnlib.primitives.registry[op].decomposition is None for op in recorded)
    expected = primitive(x, *parameters, **attrs).numpy()
    np.testing.assert_allclose(graph.run(x=x.numpy())["output"], expected, rtol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("program", ["F.layer_norm(x, (50,), w, w)", "F.gelu(x)", "torch.erf(x)"])
def test_float32_and_float16_agree_with_pytorch(program, dtype):
    x, w = (normal(200, 50) * 3).astype(dtype), normal(50).astype(dtype)
    results = []
    for t in (nnlib, torch):
        tensors = {"x": t.tensor(x, requires_grad=True), "w": t.tensor(w), "torch": t}
        out = eval(program, {"F": t.nn.functional, **tensors})
        (out * t.tensor(normal(50).astype(dtype) * 0 + 1)).sum().backward()
        results.append((out.detach().numpy(), tensors["x"].grad.numpy()))
    rtol, atol = (2e-5, 2e-6) if dtype == np.float32 else (5e-3, 5e-3)
    for a, b in zip(*results, strict=True):
        assert a.dtype == dtype
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


def test_erf_of_float32_is_accurate_and_keeps_shape_and_bounds():
    x = nnlib.tensor(np.linspace(-9, 9, 30_000, dtype=np.float32).reshape(100, 300)).T
    y = nnlib.erf(x)
    exact = torch.erf(torch.tensor(x.numpy().astype(np.float64))).numpy()
    assert y.shape == (300, 100) and y.abs().max().item() <= 1
    np.testing.assert_allclose(y.numpy(), exact, atol=5e-7)
    assert nnlib.erf(nnlib.tensor([float("nan"), float("inf")])).tolist()[1] == 1.0
    assert nnlib.erf(nnlib.zeros(0)).shape == (0,)

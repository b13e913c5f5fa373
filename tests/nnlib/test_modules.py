"""Activations, normalisation, embeddings, losses and modules compared with PyTorch's."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest
import torch

import nnlib

RNG = np.random.default_rng(31)


def normal(*shape):
    return RNG.normal(size=shape)


def results(t, function, arrays, second):
    """The value of `function`, its gradients and, with `second`, the gradients of those."""
    xs = [t.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
    inputs = [x for x in xs if x.requires_grad]
    out = function(t, *xs)
    weights = t.tensor(np.random.default_rng(3).normal(size=tuple(out.shape)))
    first = t.autograd.grad((out * weights).sum(), inputs, create_graph=second, allow_unused=True)
    values = [out, *[g for g in first if g is not None]]
    if second:
        loss = sum((g * g * x.sum()).sum() for g, x in zip(first, inputs, strict=True))
        values += t.autograd.grad(loss, inputs)
    return [r.detach().numpy() for r in values]


def agree(function, *arrays, second=True, rtol=1e-8):
    arrays = [np.asarray(a) for a in arrays]
    ours, theirs = (results(t, function, arrays, second) for t in (nnlib, torch))
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol)


# ---------------------------------------------------------------- activations

ACTIVATIONS = {
    "relu": {}, "sigmoid": {}, "tanh": {}, "logsigmoid": {}, "softplus": {},
    "softplus with beta": {"beta": 3.0, "threshold": 2.0}, "leaky_relu": {},
    "leaky_relu with slope": {"negative_slope": 0.2}, "elu": {}, "elu with alpha": {"alpha": 0.5},
    "selu": {}, "gelu": {}, "gelu by tanh": {"approximate": "tanh"}, "silu": {},
    "hardtanh": {},
    "hardtanh with bounds": {"min_val": -0.5, "max_val": 2.0}, "relu6": {},
    "softmax": {"dim": 1}, "log_softmax": {"dim": 0},
}  # fmt: skip


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_agrees_with_pytorch(name):
    def function(t, x):
        return getattr(t.nn.functional, name.split()[0])(x, **ACTIVATIONS[name])

    agree(function, normal(3, 4) * 3)
    agree(function, np.array([[100.0, -100.0], [800.0, -800.0]]), second=False)


def test_prelu_agrees_for_one_weight_and_one_for_each_channel():
    agree(lambda t, x, w: t.nn.functional.prelu(x, w), normal(2, 3, 4), normal(1))
    agree(lambda t, x, w: t.nn.functional.prelu(x, w), normal(2, 3, 4), normal(3))


LAYERS = [
    "ReLU()", "ReLU(inplace=True)", "ReLU6()", "LeakyReLU(0.2)", "ELU(0.5)", "SELU()", "GELU()",
    "GELU('tanh')", "SiLU()", "Softplus(2.0)", "LogSigmoid()", "Sigmoid()",
    "Tanh()", "Hardtanh(-2.0, 0.5)", "PReLU()",
    "PReLU(4)", "Softmax(1)", "LogSoftmax(dim=1)",
    "Identity(3, x=4)", "Dropout(0.0)", "Flatten()", "Flatten(0, 1)", "Unflatten(1, (2, 2))",
    "LayerNorm(4)", "LayerNorm((3, 4), eps=0.1)", "LayerNorm(4, elementwise_affine=False)",
    "LayerNorm(4, bias=False)", "BatchNorm1d(4)", "BatchNorm1d(4, momentum=0.5, affine=False)",
    "BatchNorm1d(4, bias=False)",
    "Linear(4, 3)", "Linear(4, 3, bias=False)",
]  # fmt: skip


@pytest.mark.parametrize("text", LAYERS)
def test_a_module_agrees_with_pytorch_from_the_same_state(text):
    ours, theirs = (eval(f"nn.{text}", {"nn": t.nn}) for t in (nnlib, torch))
    assert repr(ours) == repr(theirs)
    state = {k: torch.tensor(RNG.normal(size=v.shape), dtype=v.dtype)
             for k, v in theirs.state_dict().items() if v.dtype.is_floating_point}  # fmt: skip
    theirs.load_state_dict(state, strict=False)
    ours.load_state_dict({k: nnlib.tensor(v.numpy()) for k, v in state.items()}, strict=False)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x = normal(3, 4).astype(np.float32)
    a, b = ours(nnlib.tensor(x)), theirs(torch.tensor(x))
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-5, atol=1e-6)


# ---------------------------------------------------------------- normalisation and embeddings


def test_layer_norm_agrees():
    def function(t, x, w, b):
        return t.nn.functional.layer_norm(x, (3, 4), w, b, 1e-3)

    agree(function, normal(2, 3, 4), normal(3, 4), normal(3, 4))


@pytest.mark.parametrize("shape", [(3, 4), (2, 6, 5), (2, 4, 3, 3)])
def test_group_norm_agrees(shape):
    def function(t, x, w, b):
        return t.nn.functional.group_norm(x, 2, w, b, 1e-3)

    agree(function, normal(*shape), normal(shape[1]), normal(shape[1]))


def test_a_group_norm_layer_agrees_with_pytorch():
    for options in ({}, {"affine": False}, {"bias": False}):
        ours, theirs = nnlib.nn.GroupNorm(2, 4, **options), torch.nn.GroupNorm(2, 4, **options)
        assert repr(ours) == repr(theirs)
        assert list(ours.state_dict()) == list(theirs.state_dict())
        x = normal(3, 4, 5).astype(np.float32)
        a, b = ours(nnlib.tensor(x)).detach().numpy(), theirs(torch.tensor(x)).detach().numpy()
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="divisible"):
        nnlib.nn.GroupNorm(3, 4)
    with pytest.raises(RuntimeError, match="divisible"):
        nnlib.nn.functional.group_norm(nnlib.ones(2, 4), 3)


@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 5), (2, 3, 4, 5)])
@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_agrees(shape, training):
    mean, var = normal(3), normal(3) ** 2 + 0.5

    def function(t, x, w, b):
        running = t.tensor(mean), t.tensor(var)
        out = t.nn.functional.batch_norm(x, *running, w, b, training, 0.3, 1e-3)
        return t.cat([out.reshape(-1), *running])  # the running statistics are updated too

    agree(function, normal(*shape), normal(3), normal(3))


@pytest.mark.parametrize("options", [{}, {"momentum": None}, {"track_running_stats": False}])
def test_batch_norm_updates_its_statistics_as_in_pytorch(options):
    ours, theirs = (t.nn.BatchNorm2d(3, **options) for t in (nnlib, torch))
    for _ in range(3):
        x = normal(4, 3, 2, 2).astype(np.float32)
        a, b = ours(nnlib.tensor(x)), theirs(torch.tensor(x))
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-4, atol=1e-5)
    ours.eval(), theirs.eval()
    a, b = ours(nnlib.tensor(x)), theirs(torch.tensor(x))
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-4, atol=1e-5)
    state = theirs.state_dict()
    assert list(ours.state_dict()) == list(state)
    for name, value in ours.state_dict().items():
        np.testing.assert_allclose(value.numpy(), state[name].numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("padding", [None, 1, -1])
def test_embedding_agrees_and_repeated_rows_add_up(padding):
    indices = np.array([[1, 0, 1], [3, 3, 3]])

    def function(t, w):
        return t.nn.functional.embedding(t.tensor(indices), w, padding_idx=padding)

    agree(function, normal(4, 2))
    ours, theirs = (t.nn.Embedding(4, 2, padding_idx=padding) for t in (nnlib, torch))
    assert repr(ours) == repr(theirs)
    if padding is not None:
        assert not ours.weight[padding].detach().numpy().any()


def test_one_hot_agrees_with_pytorch():
    for args in ([[0, 2, 1]], [[0, 2, 1], 5], [[[1], [0]], 2]):
        ours, theirs = (t.nn.functional.one_hot(t.tensor(args[0]), *args[1:]) for t in
                        (nnlib, torch))  # fmt: skip
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
        assert ours.numpy().dtype == np.int64


PADDED = [(m, s) for m in ("constant", "reflect", "replicate", "circular")
          for s in ((1, 2), (2, 0, 1, 1))]  # fmt: skip


@pytest.mark.parametrize(("mode", "sizes"), [*PADDED, ("constant", (-1, 1, 0, -2))])
def test_pad_agrees(mode, sizes):
    x = normal(2, 3, 4, 5) if len(sizes) == 4 else normal(2, 4, 5)
    agree(lambda t, x: t.nn.functional.pad(x, sizes, mode), x)


def test_normalize_and_cosine_similarity_agree():
    agree(lambda t, x: t.nn.functional.normalize(x, dim=0), normal(3, 4))
    agree(lambda t, x: t.nn.functional.normalize(x, p=3.0), normal(3, 4))
    agree(lambda t, x, y: t.nn.functional.cosine_similarity(x, y), normal(3, 4), normal(3, 4))


@pytest.mark.parametrize("mask", [None, "causal", "boolean", "added", "nothing"])
@pytest.mark.parametrize("scale", [None, 0.3])
def test_attention_agrees(mask, scale):
    allowed = RNG.random((4, 5)) > 0.4
    allowed[:, 0] = True
    if mask == "nothing":
        allowed[1] = False  # a query that may attend to nothing

    def function(t, q, k, v):
        masks = {"boolean": allowed, "nothing": allowed, "added": np.where(allowed, 0.5, -2.0)}
        attn_mask = None if mask in (None, "causal") else t.tensor(masks[mask])
        return t.nn.functional.scaled_dot_product_attention(
            q, k, v, attn_mask, is_causal=mask == "causal", scale=scale
        )

    agree(function, normal(2, 3, 4, 6), normal(2, 3, 5, 6), normal(2, 3, 5, 7))


def test_dropout_keeps_the_mean_and_follows_the_seed():
    nnlib.manual_seed(4)
    x = nnlib.ones(200, 200, requires_grad=True)
    y = nnlib.nn.functional.dropout(x, 0.25)
    assert set(np.unique(y.detach().numpy())) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs(y.mean().item() - 1) < 0.02
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), y.detach().numpy())
    nnlib.manual_seed(4)
    repeated = nnlib.nn.functional.dropout(x, 0.25)
    np.testing.assert_array_equal(repeated.detach().numpy(), y.detach().numpy())
    planes = nnlib.nn.functional.dropout2d(nnlib.ones(10, 20, 3, 3)).numpy()
    assert set(np.unique(planes.reshape(200, 9).mean(1))) == {0.0, 2.0}


# ---------------------------------------------------------------- losses

X, Y = normal(5, 4), normal(5, 4)
P, BITS = RNG.random((5, 4)) * 0.9 + 0.05, (RNG.random((5, 4)) > 0.5).astype(float)
SIGNS = BITS * 2 - 1
CLASSES, WEIGHT = np.array([0, 3, 1, 1, 2]), RNG.random(4) + 0.5
DISTRIBUTIONS = RNG.random((5, 4))
DISTRIBUTIONS /= DISTRIBUTIONS.sum(1, keepdims=True)
MAPS, MAP_CLASSES = normal(2, 4, 3, 2), RNG.integers(0, 4, (2, 3, 2))

LOSSES = {
    "mse_loss": (X, Y), "l1_loss": (X, Y), "smooth_l1_loss": (X, Y),
    "smooth_l1_loss beta": (X, Y, {"beta": 0.3}), "smooth_l1_loss zero": (X, Y, {"beta": 0.0}),
    "huber_loss": (X, Y), "huber_loss delta": (X, Y, {"delta": 0.4}),
    "kl_div": (np.log(P), DISTRIBUTIONS),
    "kl_div log": (np.log(P), np.log(DISTRIBUTIONS), {"log_target": True}),
    "binary_cross_entropy": (P, BITS), "binary_cross_entropy weight": (P, BITS, {"weight": WEIGHT}),
    "binary_cross_entropy_with_logits": (X, BITS),
    "binary_cross_entropy_with_logits weights": (
        X, P, {"weight": WEIGHT, "pos_weight": WEIGHT * 2}
    ),
    "nll_loss": (X, CLASSES), "nll_loss weight": (X, CLASSES, {"weight": WEIGHT}),
    "nll_loss ignore": (X, CLASSES, {"ignore_index": 1}),
    "nll_loss both": (X, CLASSES, {"ignore_index": 1, "weight": WEIGHT}),
    "nll_loss one": (X[0], CLASSES[0]), "nll_loss maps": (MAPS, MAP_CLASSES),
    "cross_entropy": (X, CLASSES), "cross_entropy one": (X[0], CLASSES[0]),
    "cross_entropy maps": (MAPS, MAP_CLASSES),
    "cross_entropy weight": (X, CLASSES, {"weight": WEIGHT}),
    "cross_entropy ignore": (X, CLASSES, {"ignore_index": 1}),
    "cross_entropy smooth": (X, CLASSES, {"label_smoothing": 0.2}),
    "cross_entropy all": (
        X, CLASSES, {"weight": WEIGHT, "ignore_index": 1, "label_smoothing": 0.2}
    ),
    "cross_entropy distributions": (X, DISTRIBUTIONS),
    "cross_entropy distributions all": (
        X, DISTRIBUTIONS, {"weight": WEIGHT, "label_smoothing": 0.2}
    ),
    "cross_entropy distribution of one": (X[0], DISTRIBUTIONS[0]),
}  # fmt: skip


REDUCED = [(name, reduction) for name in LOSSES for reduction in ("mean", "sum", "none")]
REDUCED += [("kl_div", "batchmean"), ("kl_div log", "batchmean")]


@pytest.mark.parametrize(("name", "reduction"), REDUCED)
def test_a_loss_agrees_with_pytorch(name, reduction):
    x, y, *rest = LOSSES[name]

    def function(t, *xs):
        options = {k: t.tensor(v) if isinstance(v, np.ndarray) else v
                   for k, v in (rest[0] if rest else {}).items()}  # fmt: skip
        target = xs[1] if len(xs) > 1 else t.tensor(y)
        return getattr(t.nn.functional, name.split()[0])(
            xs[0], target, reduction=reduction, **options
        )

    agree(function, x)
    if np.asarray(y).dtype.kind == "f":
        agree(function, x, y, second=False)


@pytest.mark.parametrize("name", ["cross_entropy", "binary_cross_entropy_with_logits"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_a_fused_loss_agrees_with_its_decomposition(name, reduction):
    primitive = getattr(nnlib.primitives.fused, name)
    y = CLASSES if name == "cross_entropy" else P
    results = []
    for function in (primitive, primitive.decomposition):
        x, t = nnlib.tensor(X * 30, requires_grad=True), nnlib.tensor(y)
        out = function(x, t, reduction=reduction)
        out.backward(nnlib.tensor(np.random.default_rng(0).normal(size=out.shape)))
        results.append((out.detach().numpy(), x.grad.numpy()))
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-13)


LOSS_LAYERS = [
    "MSELoss()", "L1Loss(reduction='sum')", "SmoothL1Loss(beta=0.5)", "HuberLoss(delta=2.0)",
    "BCEWithLogitsLoss(pos_weight=w)", "CrossEntropyLoss(weight=w, label_smoothing=0.1)",
    "KLDivLoss(reduction='batchmean')",
]  # fmt: skip


@pytest.mark.parametrize("text", LOSS_LAYERS)
def test_a_loss_module_agrees_with_pytorch(text):
    values = []
    for t in (nnlib, torch):
        loss = eval(f"nn.{text}", {"nn": t.nn, "w": t.tensor(WEIGHT)})
        values.append(loss(t.tensor(X), t.tensor(DISTRIBUTIONS)).item())
    assert values[0] == pytest.approx(values[1], rel=1e-9)
    for t in (nnlib, torch):
        nll = t.nn.NLLLoss(weight=t.tensor(WEIGHT), ignore_index=1)
        values.append(nll(t.tensor(X), t.tensor(CLASSES)).item())
    assert values[2] == pytest.approx(values[3], rel=1e-9)


# ---------------------------------------------------------------- bad input

BAD = {
    "an unknown reduction": lambda t, f: f.cross_entropy(
        t.ones(2, 3), t.tensor([0, 1]), reduction="m"
    ),
    "a class out of range": lambda t, f: f.nll_loss(t.ones(2, 3), t.tensor([0, 3])),
    "classes for another batch": lambda t, f: f.cross_entropy(t.ones(2, 3), t.tensor([0])),
    "classes as floats": lambda t, f: f.nll_loss(t.ones(2, 3), t.tensor([0.0, 1.0])),
    "probabilities of another shape": lambda t, f: f.cross_entropy(t.ones(2, 3), t.ones(2)),
    "weights for other classes": lambda t, f: f.nll_loss(
        t.ones(2, 3), t.tensor([0, 1]), weight=t.ones(2)
    ),
    "too much smoothing": lambda t, f: f.cross_entropy(
        t.ones(2, 3), t.tensor([0, 1]), label_smoothing=1.5
    ),
    "logits as probabilities": lambda t, f: f.binary_cross_entropy(t.ones(2) * 2, t.ones(2)),
    "targets of another shape": lambda t, f: f.binary_cross_entropy_with_logits(
        t.ones(2), t.ones(3)
    ),
    "a negative beta": lambda t, f: f.smooth_l1_loss(t.ones(2), t.ones(2), beta=-1.0),
    "a delta of 0": lambda t, f: f.huber_loss(t.ones(2), t.ones(2), delta=0.0),
    "rows out of range": lambda t, f: f.embedding(t.tensor([3]), t.ones(3, 2)),
    "rows as floats": lambda t, f: f.embedding(t.tensor([1.0]), t.ones(3, 2)),
    "one_hot of floats": lambda t, f: f.one_hot(t.tensor([1.0])),
    "one_hot of negative numbers": lambda t, f: f.one_hot(t.tensor([-1])),
    "one_hot of too few classes": lambda t, f: f.one_hot(t.tensor([3]), 3),
    "dropout of 2": lambda t, f: f.dropout(t.ones(2), 2.0),
    "a dropout layer of 2": lambda t, f: t.nn.Dropout(2.0),
    "a norm of another shape": lambda t, f: f.layer_norm(t.ones(2, 3), (2,)),
    "batch norm of one value": lambda t, f: t.nn.BatchNorm1d(3)(t.ones(1, 3)),
    "batch norm of another rank": lambda t, f: t.nn.BatchNorm2d(3)(t.ones(2, 3)),
    "batch norm of another number of channels": lambda t, f: t.nn.BatchNorm1d(3)(t.ones(2, 4)),
    "an odd number of sizes": lambda t, f: f.pad(t.ones(3), (1,)),
    "more sizes than dimensions": lambda t, f: f.pad(t.ones(3), (1, 1, 1, 1)),
    "a reflection too large": lambda t, f: f.pad(t.ones(1, 3), (3, 0), "reflect"),
    "an unknown mode": lambda t, f: f.pad(t.ones(1, 3), (1, 0), "mirror"),
    "a mask and is_causal": lambda t, f: f.scaled_dot_product_attention(
        t.ones(2, 3), t.ones(2, 3), t.ones(2, 3), t.ones(2, 2), is_causal=True
    ),
    "keys of another size": lambda t, f: f.scaled_dot_product_attention(
        t.ones(2, 3), t.ones(2, 4), t.ones(2, 3)
    ),
    "a linear map of another size": lambda t, f: t.nn.Linear(3, 2)(t.ones(4)),
    "an unknown approximation": lambda t, f: f.gelu(t.ones(3), approximate="some"),
    "swapped bounds": lambda t, f: f.hardtanh(t.ones(3), 2.0, 1.0),
    "gelu of integers": lambda t, f: f.gelu(t.tensor([1, 2])),
    "a module without forward": lambda t, f: t.nn.Module()(1),
    "a child that is not a module": lambda t, f: t.nn.Module().add_module("a", 3),
    "a name with a dot": lambda t, f: t.nn.Module().add_module("a.b", t.nn.ReLU()),
    "a name that is taken": lambda t, f: t.nn.Module().register_buffer("forward", t.ones(2)),
    "a buffer that is not a tensor": lambda t, f: t.nn.Module().register_buffer("a", 3),
    "a list of functions": lambda t, f: t.nn.ModuleList([abs]),
    "a module out of range": lambda t, f: t.nn.Sequential(t.nn.ReLU())[1],
    "an unknown submodule": lambda t, f: t.nn.Sequential(t.nn.ReLU()).get_submodule("1"),
    "a parameter that is not a tensor": lambda t, f: t.nn.Module().register_parameter("a", 3),
    "an integer dtype": lambda t, f: t.nn.Linear(2, 2).to(t.int64),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_with_pytorchs_type_of_error(case):
    errors = (RuntimeError, TypeError, IndexError, ValueError, AttributeError, KeyError,
             NotImplementedError)  # fmt: skip
    with pytest.raises(errors) as theirs:
        BAD[case](torch, torch.nn.functional)
    with pytest.raises(theirs.type) as ours:
        BAD[case](nnlib, nnlib.nn.functional)
    assert len(str(ours.value)) > 15


# ---------------------------------------------------------------- Module


class Net:
    """A module with every kind of member, written once for both libraries."""

    def __new__(cls, t):
        class Model(t.nn.Module):
            def __init__(self):
                super().__init__()
                self.norm = t.nn.BatchNorm1d(4)
                self.layers = t.nn.ModuleList([t.nn.Linear(4, 4), t.nn.Linear(4, 4, bias=False)])
                self.heads = t.nn.ModuleDict({"a": t.nn.Linear(4, 1), "b": t.nn.Linear(4, 2)})
                self.scales = t.nn.ParameterList([t.ones(4), t.zeros(1)])
                self.shift = t.nn.Parameter(t.zeros(4))
                self.register_buffer("count", t.zeros(1))
                self.register_buffer("scratch", t.zeros(1), persistent=False)
                self.register_parameter("none", None)
                self.act = t.nn.Sequential(t.nn.Tanh(), t.nn.Dropout(0.1))

            def forward(self, x, head="a"):
                x = self.norm(x)
                for layer in self.layers:
                    x = self.act(layer(x)) * self.scales[0] + self.shift
                return self.heads[head](x) + self.scales[1]

        return Model()


def test_a_module_of_modules_has_pytorchs_names_state_and_repr():
    ours, theirs = Net(nnlib), Net(torch)
    assert repr(ours).replace("nnlib.", "torch.") == repr(theirs)
    for names in ("named_parameters", "named_buffers", "named_modules", "named_children"):
        our_names, their_names = ([n for n, _ in getattr(m, names)()] for m in (ours, theirs))
        assert sorted(our_names) == sorted(their_names)
    assert sorted(ours.state_dict()) == sorted(theirs.state_dict())
    ours.load_state_dict({k: nnlib.tensor(v.numpy()) for k, v in theirs.state_dict().items()})
    ours.eval(), theirs.eval()
    x = normal(3, 4).astype(np.float32)
    a, b = ours(nnlib.tensor(x), head="b"), theirs(torch.tensor(x), head="b")
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-5, atol=1e-6)
    assert not any(m.training for m in ours.modules())


def test_a_buffer_that_is_registered_again_may_become_persistent_or_not():
    for t in (nnlib, torch):
        net = t.nn.Module()
        net.register_buffer("count", t.zeros(1), persistent=False)
        net.register_buffer("count", t.ones(1))
        assert list(net.state_dict()) == ["count"]
        net.register_buffer("count", t.ones(1), persistent=False)
        assert list(net.state_dict()) == []


def test_a_change_of_a_module_reaches_all_its_parameters():
    net = Net(nnlib)
    net.requires_grad_(False)
    assert not any(p.requires_grad for p in net.parameters())
    net.requires_grad_().double()
    assert {p.dtype for p in net.parameters()} == {nnlib.float64}
    assert net.norm.num_batches_tracked.dtype == nnlib.int64
    net(nnlib.tensor(normal(3, 4))).sum().backward()
    assert net.shift.grad.dtype == nnlib.float64
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    assert net.get_submodule("layers.1") is net.layers[1]


def test_shared_modules_and_parameters_are_counted_once():
    def shared(t):
        layer = t.nn.Linear(2, 2)
        return t.nn.Sequential(layer, t.nn.Sequential(layer), layer)

    ours, theirs = shared(nnlib), shared(torch)
    for names in ("named_parameters", "named_modules"):
        assert [n for n, _ in getattr(ours, names)()] == [n for n, _ in getattr(theirs, names)()]
    assert list(ours.state_dict()) == list(theirs.state_dict())


def test_loading_without_strict_returns_missing_and_unexpected_keys():
    net = nnlib.nn.Linear(2, 2)
    result = net.load_state_dict(
        {"weight": nnlib.zeros(2, 2), "more": nnlib.zeros(1)}, strict=False
    )
    assert result.missing_keys == ["bias"] and result.unexpected_keys == ["more"]
    assert str(net.load_state_dict(net.state_dict())) == "<All keys matched successfully>"


def test_forward_hooks_receive_and_change_arguments_and_results():
    for t in (nnlib, torch):
        layer, inputs = t.nn.Tanh(), []
        before = layer.register_forward_pre_hook(lambda m, args: (args[0] * 2,))
        after = layer.register_forward_hook(lambda m, args, out: inputs.append(args[0].item()))  # noqa: B023
        double = layer.register_forward_hook(lambda m, args, out: out + 1)
        assert layer(t.tensor(0.5)).item() == pytest.approx(np.tanh(1.0) + 1)
        before.remove(), double.remove()
        assert layer(t.tensor(0.5)).item() == pytest.approx(np.tanh(0.5))
        after.remove()
        layer(t.tensor(0.5))
        assert inputs == [1.0, 0.5]


def test_containers_behave_like_lists_and_dicts():
    for t in (nnlib, torch):
        nn = t.nn
        net = nn.Sequential(OrderedDict(a=nn.Tanh(), b=nn.ReLU()))
        assert [n for n, _ in net.named_children()] == ["a", "b"]
        net = nn.Sequential(nn.Tanh(), nn.ReLU(), nn.Sigmoid())
        assert len(net[1:]) == 2 and isinstance(net[-1], nn.Sigmoid)
        net[1] = nn.GELU()
        del net[0]
        net.append(nn.Tanh())
        assert [type(m).__name__ for m in net] == ["GELU", "Sigmoid", "Tanh"]
        layers = nn.ModuleList([nn.Tanh()])
        layers.extend([nn.ReLU()])
        layers.insert(0, nn.SiLU())
        assert [type(m).__name__ for m in layers] == ["SiLU", "Tanh", "ReLU"]
        assert [type(m).__name__ for m in layers[:2]] == ["SiLU", "Tanh"]
        heads = nn.ModuleDict({"x": nn.Tanh()})
        heads["y"] = nn.ReLU()
        del heads["x"]
        assert "y" in heads and len(heads) == 1 and list(heads.keys()) == ["y"]
        assert [k for k, _ in heads.items()] == list(heads)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda nn: nn.Linear(784, 0.5), "out_features"),
        (lambda nn: nn.Linear(2.0, 3), "in_features"),
        (lambda nn: nn.Linear("3", 2), "in_features"),
        (lambda nn: nn.Embedding(3, 2.5), "embedding_dim"),
        (lambda nn: nn.Conv1d(1, 2.0, 3), "out_channels"),
        (lambda nn: nn.Conv2d(1, 8, 5.0), "kernel_size"),
        (lambda nn: nn.ConvTranspose2d(2, 2.0, 3), "out_channels"),
        (lambda nn: nn.RNN(26.0, 16), "input_size"),
        (lambda nn: nn.GRU(26, 16.5), "hidden_size"),
        (lambda nn: nn.LSTMCell(2, 3.0), "hidden_size"),
        (lambda nn: nn.BatchNorm2d(4.5), "num_features"),
        (lambda nn: nn.LayerNorm((4, 2.5)), "normalized_shape"),
        (lambda nn: nn.GroupNorm(2, 4.0), "num_channels"),
    ],
)
def test_a_layer_refuses_a_size_that_is_not_an_integer(make, name):
    with pytest.raises(TypeError):
        make(torch.nn)
    with pytest.raises(TypeError, match=rf"{name} must be an integer, got .*\((float|str)\)"):
        make(nnlib.nn)


def test_sizes_of_tensors_must_be_integers():
    for t in (nnlib, torch):
        x = t.zeros(np.int64(2), 2)
        makers = (t.zeros, t.ones, t.rand, t.randn, t.empty, x.reshape, x.expand, x.repeat)
        for make in makers:
            with pytest.raises(TypeError):
                make(2.0, 2)
        with pytest.raises(RuntimeError, match="negative"):
            t.nn.Linear(-1, 3)
    with pytest.raises(TypeError, match="sizes must be integers"):
        nnlib.zeros(4 / 2)

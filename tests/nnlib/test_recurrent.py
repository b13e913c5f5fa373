"""Recurrent layers compared with PyTorch, and fused layers with their decompositions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import nnlib
from nnlib.primitives import fused
from tests.nnlib.comparisons import refused_alike, trained_alike

RNG = np.random.default_rng(21)
LAYERS = ["RNN", "LSTM", "GRU"]


def pair(name, *args, **options):
    """The same module in both libraries, in float64, with PyTorch's state."""
    theirs = getattr(torch.nn, name)(*args, **options).double()
    ours = getattr(nnlib.nn, name)(*args, **options).double()
    assert repr(ours) == repr(theirs)
    ours.load_state_dict({k: nnlib.tensor(v.numpy()) for k, v in theirs.state_dict().items()})
    return ours, theirs


def flat(result):
    """Outputs and states of a recurrent module in one list."""
    return [t for r in result for t in (r if isinstance(r, tuple) else (r,))]


def run(t, module, *arrays):
    """Results, then the gradients of a random combination of them: of inputs, of parameters."""
    xs = [t.tensor(a, requires_grad=True) for a in arrays]
    hx = xs[1:] or None
    if hx is not None:
        hx = tuple(hx) if len(hx) > 1 else hx[0]
    result = module(xs[0], hx)
    outs = flat(result) if isinstance(result, tuple) else [result]
    random = np.random.default_rng(0)
    loss = sum((o * t.tensor(random.normal(size=tuple(o.shape)))).sum() for o in outs)
    loss.backward()
    grads = [x.grad for x in xs] + [p.grad for p in module.parameters()]
    return [o.detach().numpy() for o in [*outs, *grads]]


def same(a, b, rtol=1e-9):
    for x, y in zip(a, b, strict=True):
        assert x.shape == y.shape and x.dtype == y.dtype
        np.testing.assert_allclose(x, y, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("layer_name", LAYERS)
@pytest.mark.parametrize(
    "options",
    [{}, {"bias": False}, {"batch_first": True}, {"num_layers": 2}, {"bidirectional": True},
     {"num_layers": 2, "bidirectional": True, "batch_first": True}],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("states", [False, True])
def test_a_layer_agrees_with_pytorch(layer_name, options, states):
    ours, theirs = pair(layer_name, 3, 4, **options)
    shape = (2, 5, 3) if options.get("batch_first") else (5, 2, 3)
    arrays = [RNG.normal(size=shape)]
    if states:
        layers = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
        arrays += [RNG.normal(size=(layers, 2, 4)) for _ in range(2 if layer_name == "LSTM" else 1)]
    same(run(nnlib, ours, *arrays), run(torch, theirs, *arrays))


@pytest.mark.parametrize("layer_name", LAYERS)
def test_a_sequence_without_a_batch_and_relu_agree(layer_name):
    ours, theirs = pair(layer_name, 3, 4)
    x = RNG.normal(size=(5, 3))
    same(run(nnlib, ours, x), run(torch, theirs, x))
    if layer_name == "RNN":
        ours, theirs = pair(layer_name, 3, 4, nonlinearity="relu")
        same(run(nnlib, ours, x), run(torch, theirs, x))


@pytest.mark.parametrize("name", ["RNNCell", "LSTMCell", "GRUCell"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batch", [(), (2,)])
def test_a_cell_agrees_with_pytorch(name, bias, batch):
    ours, theirs = pair(name, 3, 4, bias=bias)
    arrays = [RNG.normal(size=(*batch, 3))]
    same(run(nnlib, ours, *arrays), run(torch, theirs, *arrays))
    arrays += [RNG.normal(size=(*batch, 4)) for _ in range(2 if name == "LSTMCell" else 1)]
    same(run(nnlib, ours, *arrays), run(torch, theirs, *arrays))


def arguments(layer_name, biases, dtype=np.float64):
    gates = {"rnn": 1, "lstm": 4, "gru": 3}[layer_name]
    shapes = [(5, 2, 3), (2, 4), (gates * 4, 3), (gates * 4, 4)]
    if layer_name == "lstm":
        shapes.insert(2, (2, 4))
    return [RNG.normal(size=s).astype(dtype) for s in shapes + [(gates * 4,)] * (2 * biases)]


FUSED = {
    "rnn": ("rnn", {"nonlinearity": "tanh"}),
    "rnn with relu": ("rnn", {"nonlinearity": "relu"}),
    "lstm": ("lstm", {}),
    "gru": ("gru", {}),
}


@pytest.mark.parametrize("name", FUSED)
@pytest.mark.parametrize("biases", [0, 1])
@pytest.mark.parametrize("differentiated", ["all", "weights", "the input"])
def test_a_fused_layer_agrees_with_its_decomposition(name, biases, differentiated):
    layer_name, attrs = FUSED[name]
    primitive, arrays = getattr(fused, layer_name), arguments(layer_name, biases)
    first_weight = 3 if layer_name == "lstm" else 2
    needs = {"all": range(len(arrays)), "weights": range(first_weight, len(arrays)),
             "the input": [0]}[differentiated]  # fmt: skip
    grads = []
    for function in (primitive, primitive.decomposition):
        xs = [nnlib.tensor(a, requires_grad=i in needs) for i, a in enumerate(arrays)]
        out = function(*xs, **attrs)
        out.backward(nnlib.tensor(np.random.default_rng(1).normal(size=out.shape)))
        grads.append([out.detach().numpy(), *[xs[i].grad.numpy() for i in needs]])
    same(*grads, rtol=1e-10)


@pytest.mark.parametrize("name", FUSED)
def test_second_gradients_agree_with_the_decompositions(name):
    layer_name, attrs = FUSED[name]
    primitive, arrays = getattr(fused, layer_name), arguments(layer_name, 1)
    seconds = []
    for function in (primitive, primitive.decomposition):
        xs = [nnlib.tensor(a, requires_grad=True) for a in arrays]
        out = function(*xs, **attrs)
        first = nnlib.autograd.grad((out * out).sum(), xs, create_graph=True)
        loss = sum((g * g).sum() for g in first)
        seconds.append([g.numpy() for g in nnlib.autograd.grad(loss, xs)])
    same(*seconds, rtol=1e-8)


def test_backward_without_saved_residuals_computes_them_again():
    """Under detect_anomaly no residuals are saved; the gradients must be the same."""
    for layer_name, attrs in FUSED.values():
        primitive, arrays = getattr(fused, layer_name), arguments(layer_name, 1)
        grads = []
        for check in (False, True):
            xs = [nnlib.tensor(a, requires_grad=True) for a in arrays]
            with nnlib.autograd.detect_anomaly(check):
                out = primitive(*xs, **attrs)
                out.sum().backward()
            grads.append([x.grad.numpy() for x in xs])
        same(*grads)


@pytest.mark.parametrize("layer_name", LAYERS)
def test_a_traced_layer_is_recorded_as_its_decomposition(layer_name):
    from nnlib.graph import trace

    layer = getattr(nnlib.nn, layer_name)(3, 4).double()
    x = RNG.normal(size=(3, 2, 3))
    graph = trace(lambda x: layer(x)[0], x=nnlib.tensor(x))
    recorded = {s.op for s in graph.steps} - {"input", "constant"}
    assert all(nnlib.primitives.registry[op].decomposition is None for op in recorded)
    same([graph.run(x=x)["output"]], [layer(nnlib.tensor(x))[0].detach().numpy()])


def classifier(t, layer_name):
    """An embedding, a recurrent layer and a linear layer."""
    nn = t.nn
    return nn.ModuleList([nn.Embedding(10, 6), getattr(nn, layer_name)(6, 8), nn.Linear(8, 3)])


@pytest.mark.parametrize("layer_name", LAYERS)
def test_a_classifier_trains_step_by_step_as_in_pytorch(layer_name):
    letters, y = RNG.integers(0, 10, (7, 16)), RNG.integers(0, 3, 16)

    def loss(t, modules):
        embedding, layer, last = modules
        logits = last(layer(embedding(t.tensor(letters)))[0][-1])
        return t.nn.CrossEntropyLoss()(logits, t.tensor(y))

    trained_alike(classifier(nnlib, layer_name), classifier(torch, layer_name), loss, lr=0.5)


BAD = {
    "input of another size": lambda t: t.nn.RNN(3, 4)(t.ones(5, 2, 2)),
    "input of rank 1": lambda t: t.nn.LSTM(3, 4)(t.ones(3)),
    "a sequence without steps": lambda t: t.nn.RNN(3, 4)(t.ones(0, 2, 3)),
    "a state of another batch": lambda t: t.nn.RNN(3, 4)(t.ones(5, 2, 3), t.ones(1, 3, 4)),
    "a state without layers": lambda t: t.nn.GRU(3, 4)(t.ones(5, 2, 3), t.ones(2, 4)),
    "input of another dtype": lambda t: t.nn.LSTM(3, 4)(t.ones(5, 2, 3).double()),
    "an unknown nonlinearity": lambda t: t.nn.RNN(3, 4, nonlinearity="sigmoid"),
    "no hidden units": lambda t: t.nn.GRU(3, 0),
    "no layers": lambda t: t.nn.GRU(3, 4, num_layers=0),
    "a dropout of 2": lambda t: t.nn.RNN(3, 4, dropout=2.0),
    "a cell's input of another size": lambda t: t.nn.RNNCell(3, 4)(t.ones(2, 2)),
    "a cell's state of another size": lambda t: t.nn.GRUCell(3, 4)(t.ones(2, 3), t.ones(2, 3)),
    "a cell's input of rank 3": lambda t: t.nn.LSTMCell(3, 4)(t.ones(2, 2, 3)),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_with_pytorchs_type_of_error(case):
    refused_alike(BAD[case])


def test_dropout_acts_between_layers_only_while_training():
    layer = nnlib.nn.LSTM(3, 4, num_layers=2, dropout=0.5)
    x = nnlib.tensor(RNG.normal(size=(5, 2, 3)).astype(np.float32))
    assert not np.array_equal(layer(x)[0].detach().numpy(), layer(x)[0].detach().numpy())
    layer.eval()
    np.testing.assert_array_equal(layer(x)[0].detach().numpy(), layer(x)[0].detach().numpy())

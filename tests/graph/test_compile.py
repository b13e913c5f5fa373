"""`compile`: replays give what the function gives, whatever changes between the calls."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnlib
from nnlib import compile
from nnlib.graph.replay import Replay
from tests.graph.cases import present
from tests.graph.test_source import traced

F = nnlib.nn.functional


def normal(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype(np.float32)


def tensor(*shape, seed=0, grad=False):
    return nnlib.tensor(normal(*shape, seed=seed), requires_grad=grad)


@pytest.mark.parametrize(("op", "args", "attrs"), present())
def test_a_replayed_primitive_gives_its_result_again_and_again(op, args, attrs):
    graph, given = traced(op, args, attrs)
    names = list(given)
    at = [next(i for i, s in enumerate(graph.steps) if s.name == n) for n in names]
    replay = Replay(graph, at, [graph.outputs["output"]], {})
    expected = graph.run(**given)["output"]
    first = replay.run(*[np.array(a)[()] for a in args])[0]
    second = replay.run(*[np.array(a)[()] for a in args])[0]
    for made in (first, second):
        np.testing.assert_allclose(made, expected, rtol=1e-12, atol=1e-13)
        assert np.asarray(made).dtype == expected.dtype
    assert not np.shape(first) or not np.may_share_memory(first, second)


# ---------------------------------------------------------------- random programs

MOVES = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b * 0.5,
    "mul": lambda a, b: a * b,
    "tanh": lambda a, b: (a * 0.3).tanh(),
    "sigmoid": lambda a, b: a.sigmoid() + b,
    "relu": lambda a, b: a.relu() - b,
    "matmul": lambda a, b: (a @ b) * 0.2,
    "transpose": lambda a, b: a.T * b,
    "row": lambda a, b: a[1] + b,
    "sum": lambda a, b: a.sum(0) * 0.2 + b.mean(),
    "softmax": lambda a, b: a.softmax(-1) * b,
    "where": lambda a, b: nnlib.where(a > b, a, b * 0.1),
    "view": lambda a, b: a.reshape(9).reshape(3, 3).T + b,
    "cat": lambda a, b: nnlib.cat([a, b])[1:4] * 0.5,
    "max": lambda a, b: a.max(0).values + b,
    "index": lambda a, b: a[nnlib.tensor([0, 2, 2])] - b,
    "clone": lambda a, b: a.clone() * b.detach(),
}
CHANGES = ["w1 -= g", "s += x", "s = relu", "zero", "row of s", "nothing"]


@st.composite
def programs(draw):
    moves = draw(st.lists(st.tuples(st.sampled_from(sorted(MOVES)), st.integers(0, 9),
                                    st.integers(0, 9)), min_size=1, max_size=7))  # fmt: skip
    changes = draw(st.lists(st.sampled_from(CHANGES), min_size=1, max_size=3))
    between = draw(st.lists(st.integers(0, 5), min_size=4, max_size=4))
    return moves, changes, between


class World:
    """Tensors that a program captures, and the program itself."""

    def __init__(self, moves, changes):
        self.w = [tensor(3, 3, seed=k, grad=True) for k in range(2)]
        self.s = tensor(3, 3, seed=5)
        self.scale = 1.5
        self.moves, self.changes = moves, changes

    def step(self, x):
        known = [x, self.s.clone(), *self.w]
        for name, i, j in self.moves:
            made = MOVES[name](known[i % len(known)], known[j % len(known)])
            if made.shape == (3, 3):
                known.append(made)
            else:
                known.append(made + nnlib.zeros(3, 3))
        loss = (known[-1] * known[-1]).sum() * self.scale + sum((w * w).sum() for w in self.w)
        loss.backward()
        with nnlib.no_grad():
            for change in self.changes:
                self.change(change, x, known[-1])
        return {"last": known[-1].detach(), "loss": loss.detach(), "w": self.w[0]}

    def change(self, change, x, last):
        if change == "w1 -= g" and self.w[1].grad is not None:
            self.w[1].sub_(self.w[1].grad * 0.01)
        elif change == "s += x":
            self.s += x * 0.1
        elif change == "s = relu":
            self.s = (last.detach() * 0.1).tanh()
        elif change == "zero":
            for w in self.w:
                w.grad = None
        elif change == "row of s":
            self.s[1] = x[0] * 0.5


def disturb(world, how):
    """What someone may do between two calls."""
    if how == 0:
        with nnlib.no_grad():
            world.w[0].mul_(0.5)
    elif how == 1:
        world.scale += 1.0
    elif how == 2:
        world.s = tensor(3, 3, seed=8)
    elif how == 3:
        world.w[0].grad = None
    elif how == 4:
        world.w[1] = tensor(3, 3, seed=9, grad=True)


def same(a, b):
    np.testing.assert_allclose(a, b, rtol=2e-4, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(program=programs())
def test_random_programs_replay_as_they_run_whatever_changes_between_calls(program):
    moves, changes, between = program
    ours, theirs = World(moves, changes), World(moves, changes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        replayed = compile(ours.step)
        for k, how in enumerate([9, 9, *between, 9]):
            disturb(ours, how), disturb(theirs, how)
            x = tensor(3, 3, seed=20 + k)
            made, expected = replayed(x), theirs.step(x)
            for name, value in expected.items():
                same(made[name].detach().numpy(), value.detach().numpy())
            same(ours.s.numpy(), theirs.s.numpy())
            for a, b in zip(ours.w, theirs.w):
                same(a.detach().numpy(), b.detach().numpy())
                assert (a.grad is None) == (b.grad is None)
                if a.grad is not None:
                    same(a.grad.numpy(), b.grad.numpy())
            assert made["w"] is ours.w[0]


# ---------------------------------------------------------------- training


def net(dropout=0.0):
    nnlib.manual_seed(1)
    return nnlib.nn.Sequential(nnlib.nn.Linear(4, 6), nnlib.nn.Tanh(), nnlib.nn.Linear(6, 3))


OPTIMISERS = {
    "sgd": lambda ps: nnlib.optim.SGD(ps, lr=0.1),
    "momentum": lambda ps: nnlib.optim.SGD(ps, lr=0.1, momentum=0.9, weight_decay=0.01),
    "nesterov": lambda ps: nnlib.optim.SGD(ps, lr=0.1, momentum=0.9, nesterov=True),
    "adam": lambda ps: nnlib.optim.Adam(ps, lr=0.02),
    "adamw": lambda ps: nnlib.optim.AdamW(ps, lr=0.02),
}


@pytest.mark.parametrize("name", OPTIMISERS)
def test_training_is_the_same_compiled_and_as_written(name):
    models = [net(), net()]
    steps = []
    for model in models:
        optimizer = OPTIMISERS[name](model.parameters())

        def step(x, y, model=model, optimizer=optimizer):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            return loss

        steps.append(step)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        replayed = compile(steps[0])
        for k in range(12):
            x, y = tensor(5, 4, seed=k), nnlib.tensor(np.arange(5) % 3)
            a, b = replayed(x, y), steps[1](x, y)
            assert a.item() == pytest.approx(b.item(), rel=1e-4, abs=1e-6)
    for p, q in zip(models[0].parameters(), models[1].parameters()):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-3, atol=1e-5)
    assert replayed.recordings <= 3 and replayed.as_written is None


step = None  # the decorated function below, found by its own body under this name


def test_a_step_that_calls_another_step_is_replayed():
    global step
    model = net()
    rule = nnlib.optim.Adam(model.parameters())

    def step(x):
        rule.zero_grad()
        loss = model(x).square().sum()
        loss.backward()
        rule.step()
        return loss.detach()

    replayed = step = compile(step)
    losses = [replayed(tensor(5, 4)).item() for _ in range(12)]
    assert losses[-1] < losses[0] and replayed.recordings == 2 and replayed.as_written is None


def test_it_is_recorded_anew_for_what_the_recording_does_not_cover():
    w = tensor(3, grad=True)

    def f(x, n, flag=False):
        return (w * x).sum() * n if flag else (w + x).sum() * n

    g = compile(f)
    for x in (tensor(3), tensor(3, seed=1), tensor(1), tensor(2, 3), tensor(3).double()):
        for n in (1, 2, 2.0):
            for flag in (False, True):
                for _ in range(2):
                    assert g(x, n, flag=flag).item() == pytest.approx(f(x, n, flag).item())
    assert g.recordings == 4 * 3 * 2 and g(tensor(3), 1).requires_grad
    with nnlib.no_grad():
        assert not g(tensor(3), 1).requires_grad
    assert g(tensor(3, grad=True), 1).requires_grad
    assert g.recordings == 4 * 3 * 2 + 3


def test_train_and_eval_and_swapped_layers_are_seen():
    class Gate(nnlib.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nnlib.nn.Linear(3, 3)

        def forward(self, x):
            return self.layer(x) if self.training else x * 2

    gate = Gate()
    f = compile(gate)
    x = tensor(2, 3)
    for _ in range(2):
        same(f(x).detach().numpy(), gate(x).detach().numpy())
    gate.eval()
    same(f(x).numpy(), (x * 2).numpy())
    gate.train()
    gate.layer = nnlib.nn.Linear(3, 3)
    same(f(x).detach().numpy(), gate(x).detach().numpy())


def test_gradients_flow_through_a_replayed_function_as_through_the_function():
    w, x = tensor(3, 3, grad=True), tensor(3, 3, seed=1, grad=True)

    def f(x):
        return (x @ w).tanh(), (w * w).sum()

    g = compile(f)
    g(x)
    for function in (f, g):
        a, b = function(x * 2)
        w.grad = x.grad = None
        (a.sum() + 3 * b).backward()
        if function is f:
            expected = w.grad.numpy().copy(), x.grad.numpy().copy()
    assert g.recordings == 2
    same(w.grad.numpy(), expected[0])
    same(x.grad.numpy(), expected[1])
    a, _ = g(x * 2)
    (first,) = nnlib.autograd.grad(a.sum(), x, create_graph=True)
    (second,) = nnlib.autograd.grad((first * first).sum(), x)
    a, _ = f(x * 2)
    (first,) = nnlib.autograd.grad(a.sum(), x, create_graph=True)
    same(second.numpy(), nnlib.autograd.grad((first * first).sum(), x)[0].numpy())


def test_a_loss_whose_graph_was_used_up_says_so_when_walked_again():
    w = tensor(3, grad=True)

    def step(x):
        loss = (w * w * x).sum()
        loss.backward()
        return loss

    f = compile(step)
    x = tensor(3)
    f(x), f(x)
    before = f.recordings
    loss = f(x)
    assert f.recordings == before
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()


def test_results_are_fresh_memory():
    s = tensor(3)

    def f(x):
        y = x * 2
        return y, y, x.reshape(3, 1), s

    g = compile(f)
    x = tensor(3)
    first, second = g(x), g(x)
    assert first[0] is first[1] or not np.may_share_memory(first[0].numpy(), first[1].numpy())
    assert not np.may_share_memory(second[0].numpy(), g(x)[0].numpy())
    assert second[3] is s


def test_shared_memory_between_tensors_runs_as_written():
    base = tensor(4)
    a, b = base[:3], base[1:]

    def f(x):
        a.add_(x)
        return b * 2

    g = compile(f)
    with pytest.warns(UserWarning, match="share memory"):
        g(nnlib.zeros(3))
    for _ in range(3):
        expected = base.numpy().copy()
        expected[:3] += normal(3)
        same(g(tensor(3)).numpy(), expected[1:] * 2)


def test_arguments_that_share_memory_are_seen_at_the_call():
    def f(x, y):
        x.add_(1.0)
        return x * y

    g = compile(f)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(2):
            g(tensor(3), tensor(3, seed=1))
        x = tensor(3)
        made = g(x, x.detach())
        same(made.numpy(), (normal(3) + 1) ** 2)
        x = tensor(4)
        same(g(x[:3], x[1:]).numpy(), f(tensor(4)[:3], tensor(4)[1:] * 1).numpy() * 0 + f(
            *(lambda t: (t[:3], t[1:]))(tensor(4))).numpy())  # fmt: skip


@pytest.mark.parametrize(
    ("program", "says"),
    [
        (lambda x: x * 2 if x.sum() > 0 else x, "where"),
        (lambda x: x * x.sum().item(), "item"),
        (lambda x: x[x > 0], "mask"),
        (lambda x: print("") or x, "print"),
        (lambda x: nnlib.bernoulli(x.sigmoid()).mean() * 0 + x, "bernoulli"),
        (lambda x: nnlib.zeros(3).uniform_() * 0 + x, "in place"),
        (lambda x: nnlib.manual_seed(0) and x, "seeds"),
        (lambda x: x * float(np.random.default_rng(0).random()), "numpy"),
    ],
)
def test_what_cannot_be_replayed_runs_as_written_with_the_reason(program, says, capsys):
    f = compile(program)
    with pytest.warns(UserWarning, match=says):
        f(tensor(3))
    for k in range(3):
        x = tensor(3, seed=k)
        same(f(x).numpy(), program(x).numpy())
    assert says in f.as_written


def test_a_python_counter_is_not_frozen():
    class Counter:
        n = 0

    counter = Counter()

    def f(x):
        counter.n += 1
        return x * counter.n

    g = compile(f)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for k in range(1, 15):
            assert g(nnlib.tensor(2.0)).item() == 2 * k
    assert "Python" in g.as_written


@pytest.mark.parametrize("first", [[-1, 0], [0, 1], [-3, -3]])
@pytest.mark.parametrize("kind", [nnlib.int64, nnlib.int8])
def test_positions_counted_from_the_end_are_followed_from_call_to_call(first, kind):
    step = compile(lambda x, i: x[i] * x[:, i].sum())
    graph = nnlib.graph.trace(
        lambda x, i: x[i] * x[:, i].sum(), x=tensor(3, 3), i=nnlib.tensor(first)
    )
    for other in (first, [2, -2], [-1, -1], [1, 0]):
        x, i = tensor(3, 3, seed=2, grad=True), nnlib.tensor(other, dtype=kind)
        expected = x[i] * x[:, i].sum()
        made = step(x, i)
        np.testing.assert_array_equal(made.detach(), expected.detach())
        np.testing.assert_array_equal(
            nnlib.autograd.grad(made.sum(), x)[0], nnlib.autograd.grad(expected.sum(), x)[0]
        )
        again = graph.run(x=x.detach().numpy(), i=np.array(other))["output"]
        np.testing.assert_array_equal(again, expected.detach())
    assert step.recordings == 1
    assert step(tensor(5, 5), nnlib.tensor([-1, -5])).shape == (2, 5)
    assert step.recordings == 2


def test_a_variable_of_the_enclosing_function_is_followed():
    h = nnlib.zeros(2)
    rate = 0.5

    def f(x):
        nonlocal h
        h = (h + x).tanh() * rate
        return h.sum()

    g = compile(f)
    expected = np.zeros(2)
    for k in range(6):
        if k == 3:
            rate = 2.0
        if k == 4:
            h, expected = nnlib.ones(2), np.ones(2)
        x = tensor(2, seed=k)
        expected = np.tanh(expected + x.numpy()) * rate
        assert g(x).item() == pytest.approx(expected.sum(), rel=1e-5)
        same(h.numpy(), expected)
    assert g.recordings <= 3


def test_changing_what_a_gradient_saved_is_still_noticed():
    w = tensor(3, grad=True)
    y = (w * w).sum()

    def shrink():
        with nnlib.no_grad():
            w.mul_(0.5)

    f = compile(shrink)
    f(), f()
    with pytest.raises(RuntimeError, match="inplace"):
        y.backward()


def test_random_numbers_are_drawn_anew_and_from_the_same_stream():
    generator = nnlib.Generator()

    def f(x):
        noise = nnlib.rand(3) + nnlib.rand(3) * 10
        return x * noise + nnlib.randn(3, generator=generator), nnlib.randperm(5)

    g = compile(f)
    made = []
    for function in (f, g):
        nnlib.manual_seed(3), generator.manual_seed(4)
        made.append([function(nnlib.ones(3)) for _ in range(4)])
    assert g.recordings == 1
    for (a, p), (b, q) in zip(*made):
        same(a.numpy(), b.numpy())
        np.testing.assert_array_equal(p.numpy(), q.numpy())
    assert len({str(p.tolist()) for _, p in made[1]}) > 1


def test_a_class_method_and_a_decorator():
    class Model:
        def __init__(self):
            self.w = tensor(3)

        @nnlib.compile
        def forward(self, x):
            return self.w * x

    one, two = Model(), Model()
    two.w = tensor(3, seed=4)
    for _ in range(2):
        for m in (one, two):
            same(m.forward(tensor(3, seed=2)).numpy(), m.w.numpy() * normal(3, seed=2))
    with pytest.raises(TypeError, match="function"):
        compile(3)


def test_one_tensor_given_twice_and_nested_arguments():
    def f(a, pair, *, by):
        return a * pair[0] + by["b"]

    g = compile(f)
    x, y = tensor(3), tensor(3, seed=1)
    for _ in range(2):
        same(g(x, [x, y], by={"b": y}).numpy(), f(x, [x, y], by={"b": y}).numpy())
        same(g(x, [y, y], by={"b": x}).numpy(), f(x, [y, y], by={"b": x}).numpy())


def test_deep_copies_of_a_model_are_told_apart():
    model = net()
    f = compile(lambda m, x: m(x))
    x = tensor(2, 4)
    other = copy.deepcopy(model)
    with nnlib.no_grad():
        for p in other.parameters():
            p.mul_(2.0)
    for _ in range(2):
        same(f(model, x).detach().numpy(), model(x).detach().numpy())
        same(f(other, x).detach().numpy(), other(x).detach().numpy())


@pytest.mark.parametrize(
    "pool", [{"kernel_size": 2}, {"kernel_size": 3, "stride": 2, "padding": 1}]
)
@pytest.mark.parametrize("kept", [True, False])
def test_a_convolutions_replay_shares_windows_and_maxima(pool, kept, monkeypatch):
    if not kept:
        monkeypatch.setattr("nnlib.primitives.window.KEPT", 0)
    w = [tensor(4, 2, 3, 3, grad=True), tensor(3, 4, 3, 3, seed=1, grad=True)]

    def step(x, scale):
        for p in w:
            p.grad = None
        h = F.max_pool2d(F.conv2d(x, w[0], padding=1).relu(), **pool)
        loss = (F.conv2d(h, w[1], stride=2).flatten(1) * scale).sum(1).logsumexp(0)
        loss.backward()
        return loss.detach()

    made = compile(step)
    for seed in (1, 1, 2, 3):
        x = tensor(5, 2, 9, 9, seed=seed)
        if seed == 3:
            x[0, 0, 0, 0] = float("inf")
        expected = step(x, 0.1)
        slopes = [p.grad.numpy() for p in w]
        np.testing.assert_allclose(made(x, 0.1), expected, rtol=1e-5, atol=1e-5)
        for p, slope in zip(w, slopes, strict=True):
            np.testing.assert_allclose(p.grad.numpy(), slope, rtol=1e-5, atol=1e-6)
    replay = made._plans[next(iter(made._plans))][0].replay
    assert len(replay.keep) == 2 and len(replay.instead) >= 3
    assert made.as_written is None

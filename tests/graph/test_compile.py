"""nnlib.compile: a compiled function gives the eager results, or is refused with the reason."""

from __future__ import annotations

import math
import random
import threading
import time
from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest
from fuzz_compile import difference, interpreted

import nnlib
from nnlib import func
from nnlib.graph import GraphError
from nnlib.graph.lower import BACKENDS, backend
from tests.graph.cases import needs_numba, present
from tests.graph.traces import traced_case

F = nnlib.nn.functional
T = nnlib


@pytest.fixture(params=BACKENDS)
def compiled(request):
    """nnlib.compile with each back end."""
    if request.param == "loops":
        pytest.importorskip("numba")
    return lambda fn, static=(): nnlib.compile(fn, static, backend=request.param)


def normal(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype(np.float32)


def tensor(*shape, seed=0, grad=False):
    return nnlib.tensor(normal(*shape, seed=seed), requires_grad=grad)


def assert_same(ours, theirs, rtol=2e-5, atol=2e-6):
    """Asserts that two trees of tensors have the same structure, dtypes and, nearly, values."""
    a, our_structure = nnlib.trees.flatten(ours)
    b, their_structure = nnlib.trees.flatten(theirs)
    assert our_structure == their_structure
    for x, y in zip(a, b):
        assert type(x) is type(y)
        if isinstance(x, nnlib.Tensor):
            assert (x.shape, x.dtype) == (y.shape, y.dtype)
            assert isinstance(x._data, (np.ndarray, np.generic))
            np.testing.assert_allclose(x.detach().numpy(), y.detach().numpy(), rtol, atol)
        else:
            assert x == y or (x != x and y != y)


# ---------------------------------------------------------------- primitives


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize(("op", "args", "attrs"), present())
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_lowered_primitive_gives_the_eager_result_at_each_call_in_new_memory(
    op, args, attrs, name, monkeypatch
):
    if name == "loops":
        pytest.importorskip("numba")
        monkeypatch.setattr("nnlib.graph.lower.machine.loaded", interpreted)
    graph, inputs = traced_case(op, args, attrs)
    at = [next(i for i, s in enumerate(graph.steps) if s.name == n) for n in inputs]
    lowered = backend(name)(graph, at, [graph.outputs["output"]])
    expected = graph.run(**inputs)["output"]
    first = lowered.run(*[np.array(a)[()] for a in inputs.values()])[0]
    second = lowered.run(*[np.array(a)[()] for a in inputs.values()])[0]
    for result in (first, second):
        np.testing.assert_allclose(result, expected, rtol=1e-10, atol=1e-12)
        assert np.asarray(result).dtype == expected.dtype
    assert not np.shape(first) or not np.may_share_memory(first, second)


# ---------------------------------------------------------------- whole steps


def net(seed=1):
    nnlib.manual_seed(seed)
    return nnlib.nn.Sequential(nnlib.nn.Linear(4, 6), nnlib.nn.Tanh(), nnlib.nn.Linear(6, 3))


RULES = {
    "sgd": (lambda r: r.sgd(0.1), lambda o, p: o.SGD(p, 0.1)),
    "momentum": (
        lambda r: r.sgd(0.1, momentum=0.9, dampening=0.3, weight_decay=0.01),
        lambda o, p: o.SGD(p, 0.1, momentum=0.9, dampening=0.3, weight_decay=0.01),
    ),
    "nesterov": (
        lambda r: r.sgd(0.1, momentum=0.9, nesterov=True, maximize=True),
        lambda o, p: o.SGD(p, 0.1, momentum=0.9, nesterov=True, maximize=True),
    ),
    "adam": (lambda r: r.adam(0.02), lambda o, p: o.Adam(p, 0.02)),
    "amsgrad": (
        lambda r: r.adam(0.02, amsgrad=True, weight_decay=0.1),
        lambda o, p: o.Adam(p, 0.02, amsgrad=True, weight_decay=0.1),
    ),
    "adamw": (lambda r: r.adamw(0.02), lambda o, p: o.AdamW(p, 0.02)),
    "rmsprop": (
        lambda r: r.rmsprop(0.02, momentum=0.5, centered=True),
        lambda o, p: o.RMSprop(p, 0.02, momentum=0.5, centered=True),
    ),
    "adagrad": (
        lambda r: r.adagrad(0.1, lr_decay=0.1),
        lambda o, p: o.Adagrad(p, 0.1, lr_decay=0.1),
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_compiled_training_steps_give_the_same_weights_as_pytorchs_optimisers(name, compiled):
    import torch

    model = net()
    params = {k: p.detach().clone() for k, p in model.named_parameters()}
    theirs = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.Tanh(), torch.nn.Linear(6, 3))
    theirs.load_state_dict({k: torch.tensor(v.numpy()) for k, v in params.items()})
    rule = RULES[name][0](nnlib.optim.functional)
    optimizer = RULES[name][1](torch.optim, theirs.parameters())

    def loss(params, x, y):
        return F.cross_entropy(func.functional_call(model, params, x), y)

    def step(params, state, x, y):
        grads, value = func.grad_and_value(loss)(params, x, y)
        return *rule.update(params, grads, state), value

    train, state = compiled(step), rule.init(params)
    for k in range(12):
        x, y = normal(5, 4, seed=k), np.arange(5) % 3
        params, state, value = train(params, state, T.tensor(x), T.tensor(y))
        optimizer.zero_grad()
        their_loss = torch.nn.functional.cross_entropy(theirs(torch.tensor(x)), torch.tensor(y))
        their_loss.backward()
        optimizer.step()
        assert value.item() == pytest.approx(their_loss.item(), rel=1e-5, abs=1e-6)
    for k, p in theirs.named_parameters():
        np.testing.assert_allclose(params[k].numpy(), p.detach().numpy(), rtol=1e-4, atol=2e-6)
    assert train.traces == 1


def test_adams_bias_corrections_are_computed_in_float64(compiled):
    import torch

    rule = nnlib.optim.functional.adam(0.1)
    step = compiled(lambda p, s: rule.update(p, func.grad(lambda q: (q**2).sum())(p), s))
    p, q = T.tensor([0.5, -2.0]), torch.tensor([0.5, -2.0], requires_grad=True)
    state, optimizer = rule.init(p), torch.optim.Adam([q], 0.1)
    for _ in range(30):
        p, state = step(p, state)
        optimizer.zero_grad()
        (q**2).sum().backward()
        optimizer.step()
    np.testing.assert_allclose(p.numpy(), q.detach().numpy(), rtol=2e-6)


Pair = namedtuple("Pair", "w b")


@dataclass
class State:
    w: object
    n: int


def test_arguments_and_results_may_be_trees(compiled):
    def f(p, s, xs, *, scale):
        return {
            "pair": Pair(p.w * scale, p.b), "state": State(s.w + 1, s.n),
            "list": [x * 2 for x in xs], "nothing": (None, "text", 3, ()), "same": p.w,
        }  # fmt: skip

    args = Pair(tensor(2, 3), tensor(3)), State(tensor(2), 4), [tensor(2), tensor(3, seed=1)]
    g = compiled(f)
    for _ in range(2):
        assert_same(g(*args, scale=0.5), f(*args, scale=0.5))
    assert g.traces == 1


def test_other_shapes_types_structures_numbers_and_modes_give_a_new_trace(compiled):
    g = compiled(lambda x, n=1: x * n)
    with nnlib.no_grad():
        for x in (tensor(3), tensor(2, 3), tensor(3).double(), tensor(3).long(), T.tensor(2.0)):
            for n in (1, 2, 2.0, 0.0, -0.0, True):
                for _ in range(2):
                    assert_same(g(x, n), x * n)
    assert g.traces == 5 * 6
    h = compiled(lambda d: sum(d.values()))
    assert_same(h({"a": tensor(2), "b": tensor(2)}), 2 * tensor(2))
    assert_same(h({"b": tensor(2)}), tensor(2))
    assert h.traces == 2


def test_the_number_of_traces_that_are_kept_is_bounded(compiled):
    g = compiled(lambda x, s: x.sum(), static="s")
    for n in range(70):
        g(tensor(2), f"name {n}")
    assert g.traces == 70 and len(g._compiled_traces) == 64


def test_many_traces_for_different_python_numbers_give_a_warning(compiled):
    g = compiled(lambda x, rate: x * rate)
    for k in range(7):
        assert_same(g(tensor(2), k / 7), tensor(2) * (k / 7))
    with pytest.warns(UserWarning, match="as a tensor"):
        g(tensor(2), 0.9)


def test_static_arguments_are_compared_and_may_be_anything_with_a_hash(compiled):
    def f(x, how, times=1):
        return how(x) * times

    g = compiled(f, static=("how", 2))
    for how in (T.exp, T.tanh, T.exp):
        for times in (1, 2):
            assert_same(g(tensor(3), how, times), f(tensor(3), how, times))
            assert_same(g(tensor(3), how=how, times=times), f(tensor(3), how, times))
    assert g.traces == 8
    with pytest.raises(TypeError, match="no hash"):
        g(tensor(3), T.exp, [1])
    with pytest.raises(ValueError, match="no parameter"):
        compiled(f, static="nothing")


def test_results_share_no_memory_with_each_other_or_with_arguments(compiled):
    def f(x):
        y = x * 2
        return y, y, x.reshape(3, 1), x

    g, x = compiled(f), tensor(3)
    results = [t for _ in range(2) for t in g(x)]
    arrays = [t.numpy() for t in results] + [x.numpy()]
    for i, a in enumerate(arrays):
        assert not any(np.may_share_memory(a, b) for b in arrays[:i])


def test_threads_and_compiled_functions_may_call_a_compiled_function(compiled):
    g = compiled(lambda x: ((x @ x).tanh() @ x).exp().sum(0))
    xs = [tensor(30, 30, seed=k) * 0.1 for k in range(4)]
    expected = [((x @ x).tanh() @ x).exp().sum(0) for x in xs]
    wrong = []

    def work(k):
        for _ in range(50):
            result = g(xs[k])
            if not np.allclose(result.numpy(), expected[k].numpy(), rtol=1e-4):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    g(xs[0])
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong
    outer = compiled(lambda x: g(x) * 2)
    assert_same(outer(xs[0]), expected[0] * 2, rtol=1e-4)


def test_arguments_may_have_any_memory_layout(compiled):
    def f(x, y):
        return (x * 2 + y).sum(0), x @ y.T

    g = compiled(f)
    base = tensor(6, 8)
    views = [base, tensor(8, 6).T, tensor(12, 16)[::2, ::2], tensor(1, 8).expand(6, 8),
             T.from_numpy(np.asfortranarray(normal(6, 8)))]  # fmt: skip
    for x in views:
        for y in views:
            assert_same(g(x, y), f(x, y), rtol=1e-4, atol=1e-5)
    assert g.traces == 9  # row-major, column-major or expanded, for each of the two arguments


def test_gradients_of_any_order_can_be_compiled(compiled):
    def f(x):
        third = func.grad(func.grad(func.grad(lambda v: (v**4).sum())))
        return third(x[0]), func.hessian(lambda v: (v**3).prod())(x), func.jacrev(T.tanh)(x)

    assert_same(compiled(f)(tensor(3)), f(tensor(3)), rtol=1e-4)


def test_a_custom_function_keeps_its_own_backward(compiled):
    class Straight(nnlib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.round()

        @staticmethod
        def backward(ctx, g):
            return g * 100

    gradient = func.grad(lambda x: (Straight.apply(x) * x.detach()).sum())
    assert_same(compiled(gradient)(tensor(3)), gradient(tensor(3)))


def test_detached_values_pass_on_no_gradient(compiled):
    for f in (
        lambda x: (x * x.detach()).sum(),
        lambda x: F.hardtanh(x).sum(),
        lambda x: F.relu6(x).sum(),
    ):
        x = T.tensor([1.0, -1.0, 0.5, 3.0])
        assert_same(compiled(func.grad(f))(x), func.grad(f)(x))


def test_each_call_takes_a_generators_next_numbers_as_in_eager_mode(compiled):
    def f(x, generator, others):
        _ = T.rand(2, generator=generator)  # unused, but it must advance the generator
        mask = T.rand(3, generator=generator) < 0.5
        return x * mask + T.randn(3, generator=others[0]), T.randperm(4, generator=generator)

    g = compiled(f)
    ours = [T.Generator().manual_seed(k) for k in (3, 4)]
    theirs = [T.Generator().manual_seed(k) for k in (3, 4)]
    outputs = []
    for _ in range(4):
        result = g(tensor(3), ours[0], [ours[1]])
        assert_same(result, f(tensor(3), theirs[0], [theirs[1]]))
        outputs.append(result[0].tolist())
    assert len({str(o) for o in outputs}) == 4 and g.traces == 1


# ---------------------------------------------------------------- values outside the function

SCALE = 2.0
SETTINGS = {"rate": 0.5, "more": [1.0, 2.0]}


def helper(x):
    return x * SCALE * SETTINGS["more"][1]


class Holder:
    factor = 3.0

    def __init__(self):
        self.n = 1.5

    def apply(self, x):
        return x * self.n * self.factor


def test_a_change_of_an_outside_value_that_the_function_reads_takes_effect(compiled, monkeypatch):
    holder, inner = Holder(), 1.0

    def f(x, k=2.0):
        return helper(x) * holder.n + holder.apply(x) * inner + f.extra * SETTINGS["rate"] * k

    f.extra = 1.0
    g = compiled(f)
    module = __import__("sys").modules[__name__]
    changes = [
        lambda: None, lambda: monkeypatch.setattr(module, "SCALE", 5.0),
        lambda: monkeypatch.setitem(SETTINGS, "rate", 7.0),
        lambda: monkeypatch.setitem(SETTINGS, "more", [3.0, 4.0]),
        lambda: setattr(holder, "n", 9.0), lambda: monkeypatch.setattr(Holder, "factor", 8.0),
        lambda: setattr(f, "extra", 6.0), lambda: setattr(f, "__defaults__", (3.0,)),
        lambda: monkeypatch.setattr(module, "helper", lambda x: x - 1),
    ]  # fmt: skip
    for change in changes:
        change()
        for _ in range(2):
            assert_same(g(tensor(3)), f(tensor(3)))
    inner = 4.0
    assert_same(g(tensor(3)), f(tensor(3)))


def test_train_eval_and_a_replaced_layer_take_effect(compiled):
    class Gate(nnlib.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nnlib.nn.Linear(3, 3)

        def forward(self, x):
            return self.layer(x) if self.training else x * 2

    gate = Gate()
    f = compiled(lambda params, x: func.functional_call(gate, params, x))
    params = {k: p.detach() for k, p in gate.named_parameters()}
    without_bias = nnlib.nn.Linear(3, 3, bias=False)
    changes = (lambda: None, gate.eval, gate.train, lambda: setattr(gate, "layer", without_bias))
    for change in changes:
        change()
        names = {k: v for k, v in params.items() if k in dict(gate.named_parameters())}
        assert_same(f(names, tensor(3)), func.functional_call(gate, names, tensor(3)).detach())


def test_a_captured_tensor_may_be_replaced_but_not_changed_in_place(compiled):
    w = tensor(3)
    f = compiled(lambda x: x * w)
    for _ in range(2):
        assert_same(f(tensor(3)), tensor(3) * w)
    w.add_(1.0)
    with pytest.raises(GraphError, match="changed in place"):
        f(tensor(3))
    w = tensor(3, seed=9)
    assert_same(f(tensor(3)), tensor(3) * w)


# ---------------------------------------------------------------- refusals

COUNT = 0
LOG: list = []
W = tensor(3, grad=True)
GENERATOR = T.Generator()


class Namespace:
    w = tensor(3, seed=4)


def changes_a_global(x):
    global COUNT
    COUNT += 1
    return x * COUNT


def appends_outside(x):
    LOG.append(1)
    return x


def imports_inside(x):
    import math

    return x * math.pi


def changes_its_argument(d):
    d["w"] = d["w"] * 2
    return d


def calls_backward(x):
    (x * x.detach().requires_grad_()).sum().backward()
    return x


def calls_an_optimizer(x):
    nnlib.optim.SGD([x], lr=0.1).step()
    return x


def changes_its_default(x, n=[0]):  # noqa: B006
    n[0] += 1
    return x * n[0]


def changes_a_nonlocal():
    n = 0

    def f(x):
        nonlocal n
        n += 1
        return x * n

    return f


def reads_by_name(x):
    return x * Namespace.__dict__["w"] + vars(Namespace)["w"]


X = tensor(3)
REFUSED = {
    "in place": (lambda x: x.mul_(2.0), "in place"),
    "in place through a view": (lambda x: x[1:].zero_(), "in place"),
    "an assignment": (lambda x: x.__setitem__(0, 1.0), "in place"),
    "in place through detach": (lambda x: x.detach().add_(1), "in place"),
    "a dict that is an argument": (changes_its_argument, "list, dict or object"),
    "backward": (calls_backward, "backward"),
    "reading grad": (lambda x: x if x.grad is None else x * 2, "grad"),
    "an optimiser": (calls_an_optimizer, "optim.functional"),
    "item": (lambda x: x * x.sum().item(), "item"),
    "float": (lambda x: x * float(x.sum()), r"with float\(\)"),
    "tolist": (lambda x: x * x.tolist()[0], "tolist"),
    "numpy": (lambda x: T.from_numpy(x.detach().numpy() * 2), "numpy"),
    "asarray": (lambda x: x * float(np.asarray(x.detach()).max()), "numpy"),
    "repr": (lambda x: x * len(repr(x)), "repr"),
    "format": (lambda x: f"{x.sum():.1f}" and x, r"with format\(\)"),
    "a branch": (lambda x: x if x.sum() > 0 else -x, r"with bool\(\) \(which if.*where"),
    "max() of a tensor and a number": (lambda x: x * max(x.sum(), 0.0), r"with bool\(\).*where"),
    "a mask as an index": (lambda x: x[x > 0], "mask"),
    "nonzero": (lambda x: x.nonzero(), "value"),
    "one_hot without a width": (lambda x: F.one_hot(x.long().abs()), "one_hot"),
    "a parameter that is not an argument": (lambda x: x * W, "requires a gradient"),
    "numpy's random numbers": (lambda x: x * np.random.rand(), "second time"),
    "Python's random numbers": (lambda x: x * random.random(), "second time"),
    "a clock": (lambda x: x * time.perf_counter(), "second time"),
    "nnlib's global generator": (lambda x: x + T.rand(3), "generator"),
    "a captured generator": (lambda x: x + T.rand(3, generator=GENERATOR), "generator"),
    "dropout": (lambda x: F.dropout(x, 0.5), "generator"),
    "a seed": (lambda x: T.manual_seed(0) and x, "seeds"),
    "printing": (lambda x: print("") or x, "print"),
    "a global counter": (changes_a_global, "COUNT"),
    "a nonlocal counter": (changes_a_nonlocal(), "not its own"),
    "a default that is changed": (changes_its_default, "outside itself"),
    "a list outside the function": (appends_outside, "outside itself"),
    "an import": (imports_inside, "imports math"),
    "globals()": (lambda x: x * globals()["SCALE"], "by text"),
    "identity": (lambda x, o=1: x * 2 if o is X else x, "same object"),
    "vars()": (reads_by_name, "by text"),
    "a result with a history": (lambda x: x.requires_grad_() * 2, "history"),
    "a result that is not a tensor": (lambda x: x.detach().shape and object(), "returns object"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_impure_function_is_refused_with_the_reason(name, compiled):
    program, reason = REFUSED[name]
    g, x = compiled(program), tensor(3)
    if name == "reading grad":
        x.requires_grad_()
    argument = {"w": x} if program is changes_its_argument else x
    for _ in range(2):
        with pytest.raises(GraphError, match=reason):
            g(argument)
    np.testing.assert_array_equal(x.detach().numpy(), normal(3))
    assert x.grad is None


def test_a_result_with_a_history_is_refused_except_under_no_grad(compiled):
    g, x = compiled(lambda x: x * x.detach()), tensor(3, grad=True)
    with pytest.raises(GraphError, match="history"):
        g(x)
    with nnlib.no_grad():
        assert_same(g(x), x * x)
    assert_same(compiled(lambda x: (x * 2).detach())(x), (x * 2).detach())


def test_a_step_may_call_autograd_grad_and_return_a_new_leaf(compiled):
    def step(w, x):
        (g,) = nnlib.autograd.grad(((w * x) ** 2).sum(), w)
        with nnlib.no_grad():
            new = w - 0.1 * g
        return new.requires_grad_()

    g, w, v = compiled(step), tensor(3, grad=True), tensor(3, grad=True)
    for _ in range(3):
        w, v = g(w, tensor(3)), step(v, tensor(3))
        assert_same(w, v)
        assert w.requires_grad and w.is_leaf
    assert g.traces == 1


@pytest.mark.parametrize(
    ("program", "good", "bad", "error"),
    [
        (lambda i: F.embedding(i, T.arange(6.0).reshape(3, 2)), [0, 2], [0, -1], IndexError),
        (lambda i: F.embedding(i, T.arange(6.0).reshape(3, 2)), [0, 2], [0, 3], IndexError),
        (lambda i: T.arange(4.0)[i], [0, -4], [0, 4], IndexError),
        (lambda i: T.index_select(T.arange(4.0), 0, i), [0, 3], [0, -1], IndexError),
        (lambda i: T.gather(T.arange(4.0), 0, i), [0, 3], [0, 4], RuntimeError),
        (lambda i: T.zeros(4).scatter_add(0, i, T.ones(2)), [0, 3], [0, 9], RuntimeError),
        (lambda i: T.zeros(4).index_add(0, i, T.ones(2)), [0, 3], [-9, 0], IndexError),
        (lambda i: F.one_hot(i, 4), [0, 3], [0, 4], RuntimeError),
        (lambda i: F.one_hot(i, 4), [0, 3], [0, -1], RuntimeError),
        (lambda i: F.cross_entropy(T.eye(2, 3), i), [0, 2], [-1, 0], IndexError),
        (lambda i: F.cross_entropy(T.eye(2, 3), i), [0, 2], [0, 3], IndexError),
        (lambda i: T.tensor([7, 8]) // i, [1, 2], [1, 0], RuntimeError),
        (lambda i: T.tensor([7, 8]) % i, [1, 2], [1, 0], RuntimeError),
    ],
)
def test_bad_values_in_later_calls_raise_the_eager_errors(program, good, bad, error, compiled):
    g = compiled(program)
    assert_same(g(T.tensor(good)), program(T.tensor(good)))
    for f in (program, g):
        with pytest.raises(error):
            f(T.tensor(bad))
    assert_same(g(T.tensor(good)), program(T.tensor(good)))
    assert g.traces == 1


def test_an_empty_array_may_be_divided_by_zero(compiled):
    def f(n, d):
        return n[:, :0] // d, n[:, :0] % d

    g = compiled(f)
    for d in (2, 0):
        assert_same(g(T.tensor([[3]]), T.tensor([[d]])), f(T.tensor([[3]]), T.tensor([[d]])))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_infinities_and_zeros_to_the_power_one_half_agree_with_eager_mode(compiled):
    x = T.tensor([-math.inf, math.inf, -0.0, 4.0])
    assert_same(compiled(lambda x: x**0.5)(x), x**0.5)


def test_probabilities_in_later_calls_are_checked(compiled):
    g = compiled(lambda p: F.binary_cross_entropy(p, T.tensor([1.0, 0.0])))
    good, target = T.tensor([0.2, 0.7]), T.tensor([1.0, 0.0])
    assert_same(g(good), F.binary_cross_entropy(good, target))
    for bad in ([0.2, 1.5], [-0.1, 0.5]):
        with pytest.raises(RuntimeError, match="between 0 and 1"):
            g(T.tensor(bad))


def test_negative_indices_in_later_calls_count_from_the_end(compiled):
    def f(x, i):
        return x[i] * x[:, i].sum()

    g = compiled(f)
    for i in ([0, 1], [-1, 0], [-3, 2]):
        assert_same(g(tensor(3, 3), T.tensor(i)), f(tensor(3, 3), T.tensor(i)))
    assert g.traces == 1


def test_an_unknown_back_end_is_refused():
    with pytest.raises(ValueError, match="choose from"):
        nnlib.compile(lambda x: x, backend="gpu")(tensor(2))
    with pytest.raises(TypeError, match="function"):
        nnlib.compile(3)


def test_arguments_that_are_neither_tensors_nor_numbers_are_refused(compiled):
    g = compiled(lambda x, y: x)
    for y in (np.ones(3), object(), {1, 2}):
        with pytest.raises(GraphError, match="static"):
            g(tensor(2), y)


def test_importing_nnlib_imports_neither_the_compiler_nor_numba():
    import subprocess
    import sys

    code = (
        "import sys, nnlib; "
        "print([m for m in ('numba', 'nnlib.graph.compiled', 'llvmlite') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


# ---------------------------------------------------------------- random programs


@needs_numba
@pytest.mark.parametrize("first", range(0, 160, 20))
def test_random_pure_programs_give_the_eager_results_or_are_refused(first, monkeypatch):
    monkeypatch.setattr("nnlib.graph.lower.machine.loaded", interpreted)
    outcomes = [difference(seed, name) for seed in range(first, first + 20) for name in BACKENDS]
    differences = [text for text in outcomes if text is not None and not text.startswith("refused")]
    assert differences == []
    assert len([text for text in outcomes if text is None]) >= len(outcomes) // 2


@needs_numba
@pytest.mark.parametrize("seed", [3, 17, 40, 58])
def test_random_pure_programs_give_the_eager_results_as_machine_code(seed):
    outcome = difference(seed, "loops")
    assert outcome is None or outcome.startswith("refused")

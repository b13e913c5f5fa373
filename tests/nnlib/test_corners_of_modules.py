"""Modules, hooks, schedules and printing in unusual cases, compared with PyTorch."""

from __future__ import annotations

import io

import pytest
import torch

import nnlib
from tests.nnlib.alike import alike

ASSIGNED = {
    "a tensor in place of a parameter is refused": "n = nn.Linear(1, 1); n.weight = T.ones(1, 1)",
    "a number in place of a parameter is refused": "n = nn.Linear(1, 1); n.weight = 3",
    "a module in place of a parameter is refused": "n = nn.Linear(1, 1); n.weight = nn.ReLU()",
    "a tensor where a layer has no bias is refused": "n = nn.Linear(1, 1, bias=False); n.bias = T.ones(1)",
    "a tensor where the bias was removed is refused": """
n = nn.Linear(1, 1); n.bias = None; n.bias = T.ones(1)
""",
    "a number in place of a module is refused": "m = nn.Sequential(nn.ReLU()); setattr(m, '0', 3)",
    "a number in place of a buffer is refused": "m = nn.BatchNorm1d(2); m.running_mean = 3",
    "a buffer under a parameter's name is refused": "nn.Linear(1, 1).register_buffer('weight', T.ones(1))",
    "a module under a parameter's name is refused": "nn.Linear(1, 1).add_module('weight', nn.ReLU())",
    "a parameter under an attribute's name is refused": "nn.Linear(1, 1).register_parameter('in_features', None)",
    "a parameter replaces a parameter or None": """
n = nn.Linear(1, 1, bias=False); p, q = nn.Parameter(T.ones(1, 1)), nn.Parameter(T.ones(1))
n.weight = p; n.bias = q; out = [k for k, _ in n.named_parameters()], n.weight is p, n.bias is q
""",
    "a parameter set to None is removed from the state": """
n = nn.Linear(1, 1); n.bias = None; out = [k for k, _ in n.named_parameters()], list(n.state_dict())
""",
    "a parameter replaces a buffer, a module, an attribute": """
m = nn.Module(); m.register_buffer("a", T.ones(1)); m.b = nn.ReLU(); m.c = 3
for k in "abc": setattr(m, k, nn.Parameter(T.ones(1)))
out = [k for k, _ in m.named_parameters()], [k for k, _ in m.named_buffers()], list(m.children())
""",
    "a tensor replaces a buffer": """
m = nn.BatchNorm1d(1); m.running_mean = T.full((1,), 3.); out = m.state_dict()["running_mean"], len(m.state_dict())
""",
    "a module or None replaces a module": """
m = nn.Sequential(nn.ReLU(), nn.Tanh()); m.add_module("0", nn.Sigmoid()); setattr(m, "1", None); out = len(list(m.children())), type(m[0]).__name__
""",
}

SHARED = {
    "a module under two names is one child with two entries in the state": """
m = nn.Module(); m.a = nn.Linear(1, 1); m.b = m.a; m.c = nn.BatchNorm1d(1); m.d = m.c
out = [[k for k, _ in m.named_children()], [k for k, _ in m.named_modules()],
       [k for k, _ in m.named_parameters()], [k for k, _ in m.named_buffers()], list(m.state_dict())]
""",
    "a module twice in a row runs twice and counts once": """
l = nn.Linear(1, 1); m = nn.Sequential(l, l)
with T.no_grad(): l.weight.fill_(2); l.bias.fill_(1)
out = len(m), len(list(m.children())), len(list(m.parameters())), m(T.ones(1)).detach(), len(list(m))
""",
    "apply reaches a shared module once": """
l = nn.ReLU(); names = []; nn.Sequential(l, l).apply(lambda m: names.append(type(m).__name__)); out = names
""",
}

PRINTED = {
    "equal modules of a list are folded": """
out = [repr(nn.ModuleList(ms)) for ms in ([], [nn.ReLU()], [nn.ReLU(), nn.ReLU()],
    [nn.Linear(1, 2), nn.ReLU(), nn.ReLU(), nn.Sequential(nn.Tanh()), nn.Sequential(nn.Tanh())])]
""",
    "a shared module is printed under each name": """
l = nn.ReLU(); out = repr(nn.Sequential(l, l))
""",
    "values with indices are printed under their function's name": """
x = T.tensor([[1., 3., 2.]]); out = [repr(f) for f in
    (x.max(1), x.min(1), x.sort(1), x.topk(2), x.kthvalue(1), x.median(1), x.max(1, keepdim=True))]
""",
}

HOOKS = {
    "a hook that returns another shape is refused": """
x = T.ones(3, requires_grad=True); x.register_hook(lambda g: g.sum().reshape(1)); x.sum().backward()
""",
    "a hook that returns another dtype is refused": """
x = T.ones(3, requires_grad=True); x.register_hook(lambda g: g.double()); x.sum().backward()
""",
    "a hook that returns a number is refused": """
x = T.ones(3, requires_grad=True); x.register_hook(lambda g: 1.0); x.sum().backward()
""",
    "a hook between operations must return the same shape too": """
x = T.ones(3, requires_grad=True); y = x * 2; y.register_hook(lambda g: g[:2]); y.sum().backward()
""",
    "hooks run in order, each on what the previous one returned": """
x = T.ones(2, requires_grad=True); calls = []
for k in (2., 10.): x.register_hook(lambda g, k=k: (calls.append(g.tolist()), g * k)[1])
x.register_hook(lambda g: calls.append("last")); (x * 3).sum().backward(); out = x.grad, calls
""",
    "a hook of a tensor that was changed in place receives the later gradient": """
x = T.ones(2, requires_grad=True); y = x * 2; y.mul_(3); calls = []
y.register_hook(lambda g: calls.append(g.tolist())); (y * 5).sum().backward(); out = calls, x.grad
""",
}


@pytest.mark.parametrize("corner", ASSIGNED)
def test_an_attribute_of_a_module_is_assigned_as_in_pytorch(corner):
    alike(ASSIGNED[corner])


@pytest.mark.parametrize("corner", SHARED)
def test_a_shared_module_counts_as_in_pytorch(corner):
    alike(SHARED[corner])


@pytest.mark.parametrize("corner", PRINTED)
def test_modules_and_named_results_print_as_in_pytorch(corner):
    alike(PRINTED[corner])


@pytest.mark.parametrize("corner", HOOKS)
def test_hooks_run_and_are_checked_as_in_pytorch(corner):
    alike(HOOKS[corner])


def schedulers(t, optimizer):
    s = t.optim.lr_scheduler
    return {
        "StepLR": lambda: s.StepLR(optimizer, 2, 0.5),
        "MultiStepLR": lambda: s.MultiStepLR(optimizer, [2, 2, 5], 0.5),
        "ExponentialLR": lambda: s.ExponentialLR(optimizer, 0.9),
        "ConstantLR": lambda: s.ConstantLR(optimizer, 0.5, 3),
        "LinearLR": lambda: s.LinearLR(optimizer, 0.25, total_iters=4),
        "CosineAnnealingLR": lambda: s.CosineAnnealingLR(optimizer, 4),
        "LambdaLR": lambda: s.LambdaLR(optimizer, lambda t: 1 / (1 + t)),
        "OneCycleLR": lambda: s.OneCycleLR(optimizer, 1.0, 10),
        "ReduceLROnPlateau": lambda: s.ReduceLROnPlateau(optimizer, patience=1, factor=0.5),
        "SequentialLR": lambda: s.SequentialLR(
            optimizer, [s.ConstantLR(optimizer, 0.5, 2), s.ExponentialLR(optimizer, 0.5)], [3]
        ),
    }


def rates(t, name, stop):
    """The learning rates and momenta of eight epochs, all saved and loaded after `stop` epochs."""

    def begin():
        p = t.ones(2, requires_grad=True)
        optimizer = t.optim.SGD([p], lr=0.8, momentum=0.9)
        return p, optimizer, schedulers(t, optimizer)[name]()

    def through_a_file(state):
        file = io.BytesIO()
        t.save(state, file)
        file.seek(0)
        return t.load(file, weights_only=t is nnlib)

    values = []
    p, optimizer, schedule = begin()
    for epoch in range(8):
        if epoch == stop:
            saved = [through_a_file(o.state_dict()) for o in (optimizer, schedule)]
            p, optimizer, schedule = begin()
            optimizer.load_state_dict(saved[0])
            schedule.load_state_dict(saved[1])
        (p * p).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        schedule.step(1.0) if name == "ReduceLROnPlateau" else schedule.step()
        values += [optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["momentum"]]
    return values


@pytest.mark.parametrize("stop", [0, 2, 4])
@pytest.mark.parametrize("name", list(schedulers(nnlib, None)))
def test_a_loaded_schedule_continues_as_in_pytorch(name, stop):
    assert rates(nnlib, name, stop) == pytest.approx(rates(torch, name, stop), rel=1e-6)
    assert rates(nnlib, name, stop) == pytest.approx(rates(nnlib, name, None), rel=1e-6)

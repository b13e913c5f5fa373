"""Learning-rate schedules compared with PyTorch's, epoch by epoch."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

import nnlib

SCHEDULES = {
    "StepLR": ("StepLR", {"step_size": 3, "gamma": 0.5}),
    "MultiStepLR": ("MultiStepLR", {"milestones": [2, 5, 5], "gamma": 0.1}),
    "ExponentialLR": ("ExponentialLR", {"gamma": 0.9}),
    "CosineAnnealingLR": ("CosineAnnealingLR", {"T_max": 7, "eta_min": 0.01}),
    "CosineAnnealingLR, short": ("CosineAnnealingLR", {"T_max": 3}),
    "LambdaLR": ("LambdaLR", {"lr_lambda": lambda t: 0.95**t}),
    "LambdaLR with two functions": (
        "LambdaLR", {"lr_lambda": [lambda t: 1 / (1 + t), lambda t: t / 10]}
    ),
    "ConstantLR": ("ConstantLR", {"factor": 0.5, "total_iters": 4}),
    "LinearLR": ("LinearLR", {"start_factor": 0.25, "total_iters": 6}),
    "LinearLR down": ("LinearLR", {"start_factor": 1.0, "end_factor": 0.1, "total_iters": 4}),
    "OneCycleLR": ("OneCycleLR", {"max_lr": [0.5, 1.0], "total_steps": 15}),
    "OneCycleLR linear": (
        "OneCycleLR",
        {"max_lr": 1.0, "epochs": 5, "steps_per_epoch": 3, "anneal_strategy": "linear"},
    ),
    "OneCycleLR in three phases": (
        "OneCycleLR", {"max_lr": 1.0, "total_steps": 16, "three_phase": True}
    ),
}  # fmt: skip


def optimizer_of(t, rule="SGD"):
    a, b = t.ones(2, requires_grad=True), t.ones(1, requires_grad=True)
    groups = [{"params": [a], "lr": 0.4}, {"params": [b]}]
    options = {"momentum": 0.9} if rule == "SGD" else {}
    return getattr(t.optim, rule)(groups, lr=0.1, **options)


def rates_of(optimizer, schedule, steps=14, metrics=None):
    rates = []
    for step in range(steps):
        first = optimizer.param_groups[0]
        rates.append(
            [g["lr"] for g in optimizer.param_groups]
            + [first.get("momentum", first.get("betas", (0,))[0])]
        )
        optimizer.step()
        schedule.step() if metrics is None else schedule.step(metrics[step])
    return np.array(rates)


@pytest.mark.parametrize("rule", ["SGD", "Adam"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_sets_pytorchs_rates(name, rule):
    class_name, options = SCHEDULES[name]
    rates = []
    for t in (nnlib, torch):
        optimizer = optimizer_of(t, rule)
        schedule = getattr(t.optim.lr_scheduler, class_name)(optimizer, **options)
        rates.append(rates_of(optimizer, schedule))
        assert schedule.get_last_lr() == [g["lr"] for g in optimizer.param_groups]
    np.testing.assert_allclose(rates[0], rates[1], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
def test_reduce_on_plateau_agrees(mode, threshold_mode):
    metrics = np.random.default_rng(0).normal(size=40).round(1)
    rates = []
    for t in (nnlib, torch):
        optimizer = optimizer_of(t)
        schedule = t.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, mode, 0.5, 2, 0.05, threshold_mode, 1, [0.05, 0.001]
        )
        rates.append(rates_of(optimizer, schedule, 40, metrics))
    np.testing.assert_allclose(rates[0], rates[1], rtol=1e-9)


def test_sequential_schedules_agree():
    rates = []
    for t in (nnlib, torch):
        optimizer = optimizer_of(t)
        s = t.optim.lr_scheduler
        schedules = [
            s.LinearLR(optimizer, 0.1, total_iters=3),
            s.ExponentialLR(optimizer, 0.8),
            s.CosineAnnealingLR(optimizer, 4),
        ]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rates.append(rates_of(optimizer, s.SequentialLR(optimizer, schedules, [4, 8])))
    np.testing.assert_allclose(rates[0], rates[1], rtol=1e-9)


@pytest.mark.parametrize("name", [n for n in SCHEDULES if "Lambda" not in n])
def test_a_loaded_schedule_continues_where_the_saved_one_stopped(name):
    class_name, options = SCHEDULES[name]
    optimizer = optimizer_of(nnlib)
    schedule = getattr(nnlib.optim.lr_scheduler, class_name)(optimizer, **options)
    rates_of(optimizer, schedule, 5)
    new_optimizer = optimizer_of(nnlib)
    loaded = getattr(nnlib.optim.lr_scheduler, class_name)(new_optimizer, **options)
    new_optimizer.load_state_dict(optimizer.state_dict())
    loaded.load_state_dict(schedule.state_dict())
    np.testing.assert_array_equal(
        rates_of(new_optimizer, loaded, 6), rates_of(optimizer, schedule, 6)
    )  # fmt: skip


BAD = {
    "a list in place of an optimizer": lambda t: t.optim.lr_scheduler.StepLR([1], 2),
    "resumed without a start": lambda t: t.optim.lr_scheduler.StepLR(optimizer_of(t), 2, 0.1, 3),
    "too many functions": lambda t: t.optim.lr_scheduler.LambdaLR(optimizer_of(t), [abs] * 3),
    "a factor over 1": lambda t: t.optim.lr_scheduler.ReduceLROnPlateau(optimizer_of(t), factor=2),
    "an unknown mode": lambda t: t.optim.lr_scheduler.ReduceLROnPlateau(optimizer_of(t), "less"),
    "a start of 0": lambda t: t.optim.lr_scheduler.LinearLR(optimizer_of(t), 0.0),
    "a cycle without a length": lambda t: t.optim.lr_scheduler.OneCycleLR(optimizer_of(t), 1.0),
    "a cycle with an unknown anneal_strategy": lambda t: t.optim.lr_scheduler.OneCycleLR(
        optimizer_of(t), 1.0, 5, anneal_strategy="step"
    ),
    "a cycle that is over": lambda t: rates_of(
        o := optimizer_of(t), t.optim.lr_scheduler.OneCycleLR(o, 1.0, 5), 9
    ),
    "too few milestones": lambda t: t.optim.lr_scheduler.SequentialLR(
        o := optimizer_of(t), [t.optim.lr_scheduler.ExponentialLR(o, 0.5)], [1]
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments_are_refused_with_pytorchs_type_of_error(case):
    with pytest.raises((ValueError, TypeError, KeyError)) as theirs:
        BAD[case](torch)
    with pytest.raises(theirs.type):
        BAD[case](nnlib)

"""All programs that the benchmark times compute the same."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.peers import PEERS
from benchmarks.run import check_agreement, check_same_losses, peak_memory, table
from benchmarks.workloads import ALL

SMALL = [w for w in ALL if "million" not in w.name and "1024" not in w.name]


@pytest.mark.parametrize("work", SMALL, ids=lambda w: w.name)
def test_loss_and_gradients_agree_before_anything_is_timed(work):
    compared = ("PyTorch", "nnlib", "floor", "nnlib compiled")
    names = [n for n in compared if n not in work.skipped_peers]
    programs = {n: m for n in names if (m := PEERS[n](work)) is not None}
    evaluations = {n: run for n, (_, run) in programs.items() if n != "nnlib compiled"}
    check_agreement(work, evaluations)
    check_same_losses(work, programs)
    if work.floor is not None:
        assert "floor" in programs


@pytest.mark.parametrize("work", ALL, ids=lambda w: w.name)
def test_every_version_of_nnlib_takes_a_step_of_each_workload(work):
    ours = [n for n in PEERS if n.startswith("nnlib") and n not in work.skipped_peers]
    assert ours
    for name in ours:
        step, _ = PEERS[name](work)
        assert np.isfinite(np.asarray(step().detach().numpy())).all(), name


def test_a_peer_that_computes_something_else_is_refused():
    work = SMALL[1]
    right = PEERS["PyTorch"](work)[1]

    def wrong():
        loss, gradients = right()
        return loss, [1.1 * g for g in gradients]

    with pytest.raises(AssertionError, match="gradient"):
        check_agreement(work, {"PyTorch": right, "other": wrong})


def test_the_table_shows_ratios_to_pytorch():
    rows = {"x": {"PyTorch": {"min": 2e-4}, "nnlib": {"min": 1e-4}}}
    assert "0.50" in table(rows, {"x": 0.6})


@pytest.mark.slow
@pytest.mark.parametrize("name", ["CNN", "RNN", "LSTM", "MLP 784-128-64-10, batch 1024"])
def test_a_step_needs_little_more_peak_memory_than_the_floor(name):
    peak = peak_memory(next(w for w in ALL if w.name.startswith(name)))
    assert peak["floor"] > 0.1
    assert peak["nnlib"] <= 1.5 * peak["floor"]


def test_every_workload_has_a_floor():
    assert all(w.floor is not None for w in ALL)

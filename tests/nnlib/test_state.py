"""nnlib's internal state belongs to one thread and lives as long as the memory it describes."""

import gc
import subprocess
import sys
import threading

import numpy as np
import pytest

import nnlib
from nnlib import record
from nnlib.graph import trace


def in_a_thread(program):
    """Runs the program in a new thread and returns its result."""
    results = []
    thread = threading.Thread(target=lambda: results.append(program()))
    thread.start()
    thread.join()
    return results[0]


def test_no_grad_in_one_thread_leaves_the_other_recording():
    w = nnlib.ones(2, requires_grad=True)
    inside, outside = threading.Event(), threading.Event()

    def without_gradients():
        with nnlib.no_grad():
            inside.set()
            assert outside.wait(10)
            return nnlib.is_grad_enabled(), (w * 2).requires_grad, (w @ w).requires_grad

    def recording_gradients():
        assert inside.wait(10)
        recording = nnlib.is_grad_enabled(), (w * 2).requires_grad, (w @ w).requires_grad
        outside.set()
        return recording

    results = {}
    threads = [
        threading.Thread(target=lambda f=f: results.update({f.__name__: f()}))
        for f in (without_gradients, recording_gradients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {
        "without_gradients": (False, False, False),
        "recording_gradients": (True, True, True),
    }
    assert nnlib.is_grad_enabled()


def test_set_grad_enabled_changes_only_its_own_thread():
    def switched():
        nnlib.set_grad_enabled(False)
        with nnlib.enable_grad():
            pass
        return nnlib.is_grad_enabled()

    assert in_a_thread(switched) is False
    assert nnlib.is_grad_enabled() and (nnlib.ones(1, requires_grad=True) * 2).requires_grad


def test_a_new_thread_records_even_if_started_under_no_grad():
    with nnlib.no_grad():
        assert in_a_thread(nnlib.is_grad_enabled) is True


def test_a_trace_does_not_record_what_another_thread_computes():
    def f(x):
        in_a_thread(lambda: nnlib.zeros(3).exp())
        return x * 2

    assert [step.op for step in trace(f, x=nnlib.ones(2)).steps] == ["input", "constant", "mul"]


@pytest.mark.parametrize(
    "view",
    [
        lambda x: x[1:],
        lambda x: x.reshape(2, 2),
        lambda x: x.reshape(2, 2).T[0],
        lambda x: x.detach()[:1],
        lambda x: nnlib.from_numpy(x.detach().numpy()[::2]),
    ],
)
def test_all_views_of_memory_share_its_version(view):
    x = nnlib.arange(4.0)
    y = x.requires_grad_() * 1
    z = y.exp().log()  # log saves exp's result, and nothing saves y
    with nnlib.no_grad():
        view(y).add_(1)
    z.sum().backward()
    product = y.detach() * nnlib.ones(4, requires_grad=True)
    with nnlib.no_grad():
        view(y).add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        product.sum().backward()


def test_the_version_outlives_a_tensor_whose_memory_is_still_used():
    x = nnlib.ones(3, requires_grad=True)
    y = x.exp()
    z = y * 2
    with nnlib.no_grad():
        y.detach().add_(1)
    del y
    with pytest.raises(RuntimeError, match="exp saved a tensor"):
        z.sum().backward()


@pytest.mark.slow
def test_the_state_does_not_grow_with_the_number_of_past_tensors():
    def sizes_after(n):
        w = nnlib.ones(4, requires_grad=True)
        for _ in range(n):
            x = nnlib.zeros(4)
            x += 1
            x[0] = 2
            x[1:].mul_(3)
            (x * w).sum().backward()
        gc.collect()
        return len(gc.get_objects()), len(record._versions), len(record.nondefault_states)

    sizes_after(100)
    first = sizes_after(1000)
    last = sizes_after(20_000)  # 100,000 tensors
    assert last[0] <= first[0] + 100
    assert last[1] <= first[1] + 2
    assert last[2] <= first[2]


def test_the_in_place_changes_of_one_program_do_not_slow_the_next():
    def step():
        w = nnlib.ones(4, requires_grad=True)
        y = w
        for _ in range(100):
            y = y * 1.01
        y.sum().backward()

    def lines():
        """The number of Python lines that a step runs: more if it searches past programs' state."""
        count = 0

        def count_line(frame, event, argument):
            nonlocal count
            count += 1
            return count_line

        sys.settrace(count_line)
        try:
            step()
        finally:
            sys.settrace(None)
        return count

    step()
    before = lines()
    earlier = [nnlib.zeros(4).add_(1) for _ in range(20_000)]
    for x in earlier[:5000]:
        x.mul_(2)
    assert lines() == before, "a step searches the state of earlier programs"


def program(text):
    run = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


def test_an_import_changes_neither_warnings_nor_memory_and_the_first_operation_sets_a_filter():
    filters, memory, after = program("""
import warnings, numpy, resource
before = list(warnings.filters)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
import nnlib, nnlib.nn, nnlib.optim
print(warnings.filters == before)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) < 16_000)
nnlib.zeros(1)
print(warnings.filters == before)
""")
    assert (filters, memory, after) == ("True", "True", "False")


def test_nnlib_never_warns_of_infinities_but_numpy_in_a_users_program_does():
    printed = program("""
import warnings, numpy as np, nnlib
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    x = nnlib.zeros(2)
    nnlib.log(x) / x
    print(len(caught))
    np.log(np.zeros(2))
    print(len(caught))
""")
    assert printed == ["0", "1"]


def test_the_state_of_memory_is_dropped_together_with_its_owner():
    x = nnlib.zeros(3)
    x.add_(1)
    owner = record._owner(x._data)
    versions = [v for v in record._versions if v() is owner]
    assert len(versions) == 1 and versions[0].time == record.clock
    del x, owner
    assert versions[0]() is None and versions[0] not in record._versions
    assert isinstance(record._owner(np.zeros((2, 3)).T[0]), np.ndarray)

"""Compares all peers' results, then times their steps in interleaved blocks: a table and JSON."""

from __future__ import annotations

import argparse
import gc
import json
import platform
import statistics
import subprocess
import sys
import time
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import PEERS, Runner
from benchmarks.workloads import ALL, Workload


def measure(work: Workload, names: list[str], blocks: int, seconds: float) -> dict[str, Any]:
    """Seconds per step of each peer: {"min": …, "median": …}; AssertionError if results differ."""
    runners: dict[str, Runner] = {}
    for name in names:
        if name in work.skipped_peers:
            continue
        try:
            peer = PEERS[name](work)
        except Exception as error:
            print(f"  {name} failed: {type(error).__name__}: {str(error)[:100]}")
            continue
        if peer is not None:
            runners[name] = peer
    check_agreement(work, {name: r[1] for name, r in runners.items() if name != "nnlib compiled"})
    steps = {name: step for name, (step, _) in runners.items()}
    counts = {name: steps_per_block(step, seconds) for name, step in steps.items()}
    times: dict[str, list[float]] = {name: [] for name in steps}
    gc.collect()
    gc.freeze()  # so that collections between blocks do not scan all libraries' objects again
    for _ in range(blocks):
        for name, step in steps.items():
            times[name].append(seconds_per_step(step, counts[name]))
    check_same_losses(work, runners)
    return {
        name: {"min": min(t), "median": statistics.median(t), "steps": counts[name]}
        for name, t in times.items()
    }


def check_agreement(work: Workload, evaluations: dict[str, Callable[[], tuple[Any, list]]]) -> None:
    """Check, before anything is timed, that every peer gives PyTorch's loss and gradients."""
    expected_loss, expected_gradients = evaluations["PyTorch"]()
    for name, evaluate in evaluations.items():
        loss, gradients = evaluate()
        np.testing.assert_allclose(
            np.asarray(loss).ravel(), np.asarray(expected_loss).ravel(), rtol=work.tolerance,
            err_msg=f"{name}'s loss in {work.name}",
        )  # fmt: skip
        for a, b in zip(gradients, expected_gradients, strict=True):
            np.testing.assert_allclose(
                np.asarray(a).ravel(), np.asarray(b).ravel(), rtol=work.tolerance,
                atol=work.tolerance * max(float(np.abs(b).max()), 1e-6),
                err_msg=f"{name}'s gradient in {work.name}",
            )  # fmt: skip


def check_same_losses(work: Workload, runners: dict[str, Runner]) -> None:
    """Check that a compiled step gives the same losses as the eager one from the same start."""
    if "nnlib compiled" not in runners:
        return
    pair = [PEERS[name](work) for name in ("nnlib compiled", "nnlib")]
    assert pair[0] is not None and pair[1] is not None
    for _ in range(3):
        a, b = (float(np.asarray(p[0]().detach().numpy())) for p in pair)
        np.testing.assert_allclose(a, b, rtol=work.tolerance, err_msg=f"compiled in {work.name}")


def steps_per_block(step: Callable[[], Any], seconds: float) -> int:
    """How many steps take about this long; runs a few of them first."""
    for _ in range(3):
        step()
    start = time.perf_counter()
    step()
    one_step = max(time.perf_counter() - start, 1e-6)
    return max(1, min(10_000, int(seconds / one_step)))


def seconds_per_step(step: Callable[[], Any], count: int) -> float:
    """The mean time of `count` steps, without garbage collection."""
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        for _ in range(count):
            step()
        return (time.perf_counter() - start) / count
    finally:
        gc.enable()


# ---------------------------------------------------------------- memory and import times


def peak_memory(work: Workload) -> dict[str, float]:
    """The peak memory of a step in nnlib and in the floor: megabytes besides weights and data."""
    peaks = {}
    for name in ("nnlib", "floor"):
        runner = PEERS[name](work)
        if runner is None:
            continue
        step = runner[0]
        step()
        gc.collect()
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            step()
            peaks[name] = (tracemalloc.get_traced_memory()[1] - before) / 1e6
        finally:
            tracemalloc.stop()
    return peaks


ALL_OF_NNLIB = "nnlib, nnlib.nn, nnlib.optim, nnlib.utils.data, nnlib.graph"


def import_times(rounds: int = 9) -> dict[str, float]:
    """Milliseconds that nnlib, nnlib with its main modules, and PyTorch add to `import numpy`."""
    milliseconds = {}
    for name in ("nnlib", ALL_OF_NNLIB, "torch"):
        code = (
            "import time, numpy; t = time.perf_counter(); "
            f"import {name}; print(time.perf_counter() - t)"
        )
        runs = [
            float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                                 check=True).stdout)
            for _ in range(2 if name == "torch" else rounds)
        ]  # fmt: skip
        milliseconds[name] = min(runs) * 1000
    return milliseconds


# ---------------------------------------------------------------- printing


def table(rows: dict[str, dict[str, Any]], goals: dict[str, float | None]) -> str:
    names = [n for n in PEERS if any(n in row for row in rows.values())]
    width = max(map(len, rows), default=8)
    lines = [f"{'':{width}}  {'PyTorch':>10}  {'goal':>5}  " + "".join(
        f"{n:>{max(len(n), 6) + 2}}" for n in names if n != "PyTorch")]  # fmt: skip
    for work, row in rows.items():
        base = row["PyTorch"]["min"]
        goal = "" if goals[work] is None else f"{goals[work]:.2f}"
        cells = ""
        for n in names:
            ratio = f"{row[n]['min'] / base:.2f}" if n in row else "–"
            cells += "" if n == "PyTorch" else f"{ratio:>{max(len(n), 6) + 2}}"
        lines.append(f"{work:{width}}  {base * 1e6:>8.1f}µs  {goal:>5}  {cells}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser()
    for name, value_type in (("only", str), ("peers", str), ("blocks", int), ("seconds", float),
                             ("threads", int), ("json", str)):  # fmt: skip
        parser.add_argument(f"--{name}", type=value_type)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    import torch

    torch.set_num_threads(options.threads)
    names = [n.strip() for n in options.peers.split(",") if n.strip()] or list(PEERS)
    names = list(dict.fromkeys(["PyTorch", *names]))
    rows: dict[str, dict[str, Any]] = {}
    for work in ALL:
        if options.only in work.name:
            print(f"{work.name} …", flush=True)
            row = rows[work.name] = measure(work, names, options.blocks, options.seconds)
            base = row["PyTorch"]["min"]
            ratios = [f"{name} {t['min'] / base:.2f}" for name, t in row.items()]
            print(f"  {', '.join(ratios)}", flush=True)
    imports = import_times() if not options.only else {}
    memory = {w.name: peak_memory(w) for w in ALL if w.name in rows and w.floor and not w.numbers}
    print("\nminimum time of a step ÷ PyTorch's\n")
    print(table(rows, {w.name: w.goal for w in ALL}))
    print("\nlargest memory of a step, MB: nnlib's, the floor's, their ratio\n")
    for name, peak in memory.items():
        ratio = peak["nnlib"] / peak["floor"]
        print(f"{name:56}  {peak['nnlib']:>8.2f}  {peak['floor']:>8.2f}  {ratio:.2f}")
    if imports:
        print(
            f"\nimport adds {imports['nnlib']:.1f} ms (with its main modules "
            f"{imports[ALL_OF_NNLIB]:.1f} ms, PyTorch {imports['torch']:.0f} ms) to NumPy"
        )
    report = {
        "threads": options.threads, "python": platform.python_version(), "numpy": np.__version__,
        "torch": torch.__version__, "seconds_per_step": rows, "import_ms": imports,
        "peak_mb": memory,
    }  # fmt: skip
    path = Path(options.json)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1), encoding="utf-8")
    print(f"written to {path}")


if __name__ == "__main__":
    main()

"""`python -m benchmarks`: a table of time ratios, measured in a separate process.

That process runs with the settings of an ordinary machine: OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE,
which some systems set and which slow down current versions of NumPy, are unset, and every library
uses the number of threads given by --threads.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", default="", help="workloads whose name contains this")
    parser.add_argument("--peers", default="", help="libraries to compare with; all by default")
    parser.add_argument("--blocks", type=int, default=7, help="interleaved blocks per library")
    parser.add_argument("--seconds", type=float, default=0.05, help="approximate length of a block")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", default="_build/benchmarks.json")
    options = parser.parse_args()
    environment = dict(os.environ)
    # With PYTHONDONTWRITEBYTECODE, `import nnlib` would compile its sources every time.
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "PYTHONDONTWRITEBYTECODE"):
        environment.pop(name, None)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        environment[name] = str(options.threads)
    environment["JAX_PLATFORMS"] = "cpu"
    # The number of processors that JAX assumes; XLA_FLAGS limits only Eigen's matrix products.
    environment["NPROC"] = str(options.threads)
    environment["XLA_FLAGS"] = (
        "--xla_cpu_multi_thread_eigen=" + ("true" if options.threads > 1 else "false")
    )
    environment["PYTHONPATH"] = str(Path(__file__).parents[1])
    arguments = [part for k, v in vars(options).items() for part in (f"--{k}", str(v))]
    command = [sys.executable, "-m", "benchmarks.run", *arguments]
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

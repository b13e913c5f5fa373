"""Replaces two steps of nbgrader: it uses the book's stubs and runs submissions in the sandbox.

nbgrader finds these classes in the configuration that `tools/grade.py` writes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import exercises
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbgrader.preprocessors import Execute, NbGraderPreprocessor
from nbgrader.utils import is_solution

from tools.grading.running import GradingRun, grading_run

BOOK = "NNLIB_GRADING_BOOK"  # names the stripped copy of the book


class InsertStubs(NbGraderPreprocessor):
    """Replaces a solution by the stub that the book's readers get."""

    def preprocess_cell(self, cell: Any, resources: Any, index: int) -> tuple[Any, Any]:
        if is_solution(cell):
            cell.source = exercises.stub_of(cell.source)
        return cell, resources


class JudgedExecute(Execute):
    """Runs a submission in the sandbox; the judge's verdicts are its checks' outputs."""

    grading: GradingRun | None = None

    def preprocess(self, nb: Any, resources: Any, **more: Any) -> tuple[Any, Any]:
        with grading_run(Path(os.environ[BOOK])) as run:
            self.grading = run
            self.kernel_manager_class = run.kernel()
            self.kernel_name = "python3"
            try:
                nb, resources = super().preprocess(nb, resources, **more)
            except (DeadKernelError, CellTimeoutError) as error:
                self.log.warning("the kernel does not answer, the rest is not run: %s", error)
            finally:
                run.finish(nb)
                self.grading = None
        return nb, resources

    def on_cell_start(self, cell: Any, cell_index: int) -> None:
        if self.grading is not None:
            self.grading.before_cell(cell)

    def on_cell_executed(self, **more: Any) -> None:
        super().on_cell_executed(**more)
        if self.grading is not None:
            self.grading.after_cell(more["cell"])

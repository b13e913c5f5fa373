"""Runs a submitted notebook in the sandbox; the judge's verdicts become its checks' outputs."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from exercises import CHECKED
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError

from course.kit.checking import Verdict, printed
from course.kit.exercises import find
from tools.grading.judge import Judge
from tools.grading.sandbox import JUDGE, RUN_SECONDS, SandboxedKernel

CELL_SECONDS = 120  # a busy machine is slow, and nobody should lose points for that
NOT_REACHED = Verdict("wrong", "no answer reached the judge: an error, or the time limit.")


def names_of(cell: Any) -> frozenset[str]:
    """The exercises that a cell checks; an empty set for cells that check none."""
    grading = cell.get("metadata", {}).get("nbgrader", {})
    if cell["cell_type"] != "code" or not grading.get("grade"):
        return frozenset()
    return frozenset(CHECKED.findall(cell["source"]))


def outputs_for(names: frozenset[str], verdicts: dict[str, Verdict]) -> list[Any]:
    """The outputs of a check's cell: the verdicts, and the points as nbgrader counts them."""
    texts, points, solved = [], 0.0, True
    for name in sorted(names):
        exercise, verdict = find(name), verdicts.get(name, NOT_REACHED)
        texts.append(printed(exercise, verdict) + "\n")
        solved = solved and verdict.state == "right"
        points += exercise.points if verdict.state == "right" else 0.0
    stream = nbformat.v4.new_output("stream", name="stdout", text="".join(texts))
    if not solved:
        error = nbformat.v4.new_output(
            "error", ename="NotSolved", evalue="no points", traceback=["NotSolved: no points"]
        )
        return [stream, error]
    result = {"text/plain": str(points)}
    return [stream, nbformat.v4.new_output("execute_result", data=result, execution_count=1)]


@dataclass
class GradingRun:
    """The resources of one run: its private folder, its judge and the book for its kernel."""

    folder: Path
    judge: Judge
    book: Path

    def kernel(self, seconds: int = RUN_SECONDS) -> type[SandboxedKernel]:
        return SandboxedKernel.for_run(self.folder, self.book, seconds)

    def finish(self, notebook: Any) -> None:
        """Writes the output of every check; those that were not reached give no points."""
        for cell in notebook["cells"]:
            if names_of(cell):
                cell["outputs"] = outputs_for(names_of(cell), self.judge.verdicts)

    def before_cell(self, cell: Any) -> None:
        """Lets the judge accept answers to the exercises that the cell checks."""
        self.judge.accept(names_of(cell))

    def after_cell(self, cell: Any) -> None:
        """Lets the judge accept no more answers, and writes the output of the cell's checks."""
        names = names_of(cell)
        self.judge.accept(frozenset())
        if names:
            cell["outputs"] = outputs_for(names, self.judge.verdicts)


@contextmanager
def grading_run(book: Path) -> Iterator[GradingRun]:
    """The run of one submission; its folder and its judge are removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="graded-"))
    judge = Judge(folder / JUDGE)
    try:
        yield GradingRun(folder, judge, book)
    finally:
        judge.close()
        shutil.rmtree(folder, ignore_errors=True)


def run(
    notebook: Any, book: Path, seconds: int = CELL_SECONDS, run_seconds: int = RUN_SECONDS
) -> dict[str, Verdict]:
    """Runs a notebook whose locked cells have been restored; returns the verdicts by exercise.

    A kernel that dies or does not answer ends the run; the verdicts reached by then count.
    """
    with grading_run(book) as grading:
        client = NotebookClient(
            notebook, kernel_manager_class=grading.kernel(run_seconds), kernel_name="python3",
            timeout=seconds, allow_errors=True, interrupt_on_timeout=True, startup_timeout=60,
            on_cell_start=lambda cell, cell_index: grading.before_cell(cell),
            on_cell_executed=lambda cell, cell_index, execute_reply: grading.after_cell(cell),
        )  # fmt: skip
        try:
            client.execute()
        except (DeadKernelError, CellTimeoutError):
            pass
        finally:
            atexit.unregister(client._cleanup_kernel)  # the kernel is cleaned up already
        grading.finish(notebook)
        return dict(grading.judge.verdicts)


def points(verdicts: dict[str, Verdict]) -> float:
    return sum((find(name).points for name, v in verdicts.items() if v.state == "right"), 0.0)

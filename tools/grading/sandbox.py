"""A kernel that can access only a student's notebook: no network, no files, limited resources.

bubblewrap gives the kernel's process namespaces of its own: no network, its own processes, a file
system with the system's programs, this Python and the book's packages, all read-only, and an empty
home. The kernel and the judge are reached through sockets in a private folder. The copy of the book
in the sandbox has neither the checks nor the functions that answers are compared with.
"""

from __future__ import annotations

import ast
import compileall
import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager

ROOT = Path(__file__).resolve().parents[2]
HOME, BOOK, SOCKETS = "/home/student", "/book", "/sockets"
JUDGE = "judge.sock"
MEMORY = 3_000_000_000  # bytes of address space
CPU_SECONDS = 300  # of processor time for a whole notebook
RUN_SECONDS = 1200  # until the kernel of a run is killed
PROCESSES = 200
FILE_BYTES = 50_000_000  # bytes of one file
REMOVED = 'raise NotImplementedError("the book\'s answer is not available during grading")'


class NoSandboxError(RuntimeError):
    """This machine cannot run kernels in a sandbox."""


def reason_unavailable() -> str | None:
    """Why there is no sandbox here; None if there is one."""
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed (on Debian and Ubuntu: sudo apt-get install bubblewrap)"
    if shutil.which("prlimit") is None:
        return "prlimit is not installed (it belongs to util-linux)"
    run = subprocess.run(
        [*sandbox_command(Path("/nowhere"), None), "true"], capture_output=True, text=True
    )
    return f"bubblewrap cannot work here: {run.stderr.strip()}" if run.returncode else None


def weakness() -> str | None:
    """What the sandbox does not limit on this machine; None if it limits everything."""
    if os.geteuid() != 0:
        return None
    return f"root is not limited to {PROCESSES} processes: grade as an ordinary user"


def sandbox_command(book: Path, sockets: Path | None) -> list[str]:
    """The beginning of a command that runs its rest in the sandbox."""
    command = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--clearenv"]
    for folder in ("/usr", "/etc/ld.so.cache", "/etc/fonts", sys.base_prefix, sys.prefix):
        command += ["--ro-bind-try", folder, folder]
    for folder in ("/bin", "/lib", "/lib64"):
        if os.path.islink(folder):
            command += ["--symlink", os.readlink(folder), folder]
        else:
            command += ["--ro-bind-try", folder, folder]
    command += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", HOME]
    command += ["--ro-bind-try", str(book), BOOK]
    if sockets is not None:
        command += ["--bind", str(sockets), SOCKETS]
    environment = {
        "PATH": f"{sys.prefix}/bin:/usr/bin:/bin", "HOME": HOME, "LANG": "C.UTF-8",
        "PYTHONPATH": BOOK, "PYTHONDONTWRITEBYTECODE": "1", "MPLBACKEND": "agg",
        "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
        "NNLIB_COURSE": "graded", "NNLIB_PROGRESS": "off", "NNLIB_JUDGE": f"{SOCKETS}/{JUDGE}",
    }  # fmt: skip
    for name, value in environment.items():
        command += ["--setenv", name, value]
    limits = [f"--as={MEMORY}", f"--cpu={CPU_SECONDS}", f"--nproc={PROCESSES}"]
    limits += [f"--fsize={FILE_BYTES}", "--core=0"]
    return [*command, "--chdir", HOME, "prlimit", *limits, "--"]


class SandboxedKernel(AsyncKernelManager):
    """A kernel manager whose kernels run in the sandbox.

    `sockets` is a private folder for the kernel's sockets and the judge's; `book` is a copy that
    `stripped` made; a kernel that still runs after this many `seconds` is killed.
    """

    sockets = book = Path("/nowhere")
    seconds = RUN_SECONDS

    @classmethod
    def for_run(
        cls, sockets: Path, book: Path, seconds: int = RUN_SECONDS
    ) -> type[SandboxedKernel]:
        """The kernel manager of one run, as a class, which nbclient and nbgrader expect."""
        return type("Kernel", (cls,), {"sockets": sockets, "book": book, "seconds": seconds})

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.transport = "ipc"
        self.connection_file = str(self.sockets / "kernel.json")
        # A signal would reach bubblewrap, not the kernel inside it.
        self.kernel_spec.interrupt_mode = "message"

    def write_connection_file(self, **more: Any) -> None:
        """Writes a second file for the kernel: in the sandbox the folder has another name."""
        super().write_connection_file(**more)
        inside = Path(self.connection_file).read_text("utf8").replace(str(self.sockets), SOCKETS)
        (self.sockets / "inside.json").write_text(inside, "utf8")

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        python = [sys.executable, "-m", "ipykernel_launcher", "-f", f"{SOCKETS}/inside.json"]
        limit = ["timeout", "--signal=KILL", str(self.seconds)]
        return [
            *limit,
            *sandbox_command(self.book, self.sockets),
            *python,
            "--HistoryManager.hist_file=:memory:",
        ]


# --- the book without its answers -----------------------------------------------------


def stripped(target: Path, root: Path = ROOT) -> Path:
    """A copy of `nnlib` and `course` without checks and without reference functions."""
    for package, left_out in (("nnlib", ()), ("course", ("checks.py",))):
        ignore = shutil.ignore_patterns("__pycache__", *left_out)
        shutil.copytree(root / package, target / package, ignore=ignore, dirs_exist_ok=True)
    for module, names in reference_functions(root).items():
        path = target / (module.replace(".", "/") + ".py")
        path.write_text(without_bodies(path.read_text("utf8"), names), "utf8")
    compileall.compile_dir(target, quiet=2)  # the folder is read-only in the sandbox
    return target


def reference_functions(root: Path = ROOT) -> dict[str, set[str]]:
    """The functions outside the checks that answers are compared with, by module."""
    from course.kit.exercises import exercises_of

    functions: dict[str, set[str]] = {}
    for checks in sorted((root / "course").glob("*/checks.py")):
        checks_module = importlib.import_module(f"course.{checks.parent.name}.checks").__name__
        for exercise in exercises_of(checks.parent.name.replace("_", "-")):
            module = getattr(exercise.solution, "__module__", checks_module)
            if module.startswith("course.") and module != checks_module and ".kit." not in module:
                functions.setdefault(module, set()).add(exercise.solution.__name__)
    return functions


def without_bodies(code: str, names: set[str]) -> str:
    """The module's text with the bodies of these functions replaced by an error."""
    lines = code.splitlines()
    functions = [n for n in ast.parse(code).body if isinstance(n, ast.FunctionDef)]
    for node in sorted(functions, key=lambda n: -n.lineno):
        if node.name in names:
            first, last = node.body[0].lineno, node.end_lineno or node.lineno
            lines[first - 1 : last] = [" " * node.body[0].col_offset + REMOVED]
    return "\n".join(lines) + "\n"

"""A kernel that sees a student's notebook and nothing else: no network, no files, limited means.

bubblewrap gives the kernel's process namespaces of its own: no network, its own processes, a file
system that holds the system's programs, this Python and the book's packages, all read only, and an
empty home. Kernel and judge are reached by sockets in one private folder. The copy of the book in
there has neither checks nor the functions that answers are compared with.
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
HOME, BOOK, TALK_FOLDER = "/home/student", "/book", "/talk"
JUDGE = "judge.sock"
MEMORY = 3_000_000_000  # bytes of address space
SECONDS = 300  # of processor time for a whole notebook
RUN_SECONDS = 1200  # seconds until a run is ended by force
PROCESSES = 200
FILE_BYTES = 50_000_000  # bytes of one file
GONE = 'raise NotImplementedError("the book\'s answer is not here while work is graded")'


class NoSandboxError(RuntimeError):
    """This machine cannot run kernels in a sandbox."""


def trouble() -> str | None:
    """Why there is no sandbox here; None if there is one."""
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed (on Debian and Ubuntu: sudo apt-get install bubblewrap)"
    if shutil.which("prlimit") is None:
        return "prlimit is not installed (it belongs to util-linux)"
    run = subprocess.run([*walls(Path("/nowhere"), None), "true"], capture_output=True, text=True)
    return f"bubblewrap cannot work here: {run.stderr.strip()}" if run.returncode else None


def weakness() -> str | None:
    """What the sandbox does not limit on this machine; None if it limits everything."""
    if os.geteuid() != 0:
        return None
    return f"root is not held to {PROCESSES} processes: grade as an ordinary user"


def walls(book: Path, talk: Path | None) -> list[str]:
    """The command that runs what follows it in the sandbox."""
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
    if talk is not None:
        command += ["--bind", str(talk), TALK_FOLDER]
    environment = {
        "PATH": f"{sys.prefix}/bin:/usr/bin:/bin", "HOME": HOME, "LANG": "C.UTF-8",
        "PYTHONPATH": BOOK, "PYTHONDONTWRITEBYTECODE": "1", "MPLBACKEND": "agg",
        "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
        "NNLIB_COURSE": "graded", "NNLIB_PROGRESS": "off", "NNLIB_JUDGE": f"{TALK_FOLDER}/{JUDGE}",
    }  # fmt: skip
    for name, value in environment.items():
        command += ["--setenv", name, value]
    limits = [f"--as={MEMORY}", f"--cpu={SECONDS}", f"--nproc={PROCESSES}", f"--fsize={FILE_BYTES}"]
    return [*command, "--chdir", HOME, "prlimit", *limits, "--core=0", "--"]


class SandboxedKernel(AsyncKernelManager):
    """A kernel manager whose kernels run in the sandbox.

    `talk` is a private folder for the kernel's sockets and the judge's; `book` is `stripped`'s; a
    kernel that is still there after this many `seconds` is killed, whatever it waits for.
    """

    talk = book = Path("/nowhere")
    seconds = RUN_SECONDS

    @classmethod
    def at(cls, talk: Path, book: Path, seconds: int = RUN_SECONDS) -> type[SandboxedKernel]:
        """The kernel manager of one run, as nbclient and nbgrader ask for one: a class."""
        return type("Kernel", (cls,), {"talk": talk, "book": book, "seconds": seconds})

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.transport = "ipc"
        self.connection_file = str(self.talk / "kernel.json")
        # A signal would reach bubblewrap, not the kernel inside it.
        self.kernel_spec.interrupt_mode = "message"

    def write_connection_file(self, **more: Any) -> None:
        """Writes the file for the kernel too: the sockets' folder has another name there."""
        super().write_connection_file(**more)
        inside = Path(self.connection_file).read_text("utf8").replace(str(self.talk), TALK_FOLDER)
        (self.talk / "inside.json").write_text(inside, "utf8")

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        python = [sys.executable, "-m", "ipykernel_launcher", "-f", f"{TALK_FOLDER}/inside.json"]
        limit = ["timeout", "--signal=KILL", str(self.seconds)]
        return [
            *limit,
            *walls(self.book, self.talk),
            *python,
            "--HistoryManager.hist_file=:memory:",
        ]


# --- the book without its answers -----------------------------------------------------


def stripped(target: Path, root: Path = ROOT) -> Path:
    """A copy of `nnlib` and `course` without checks and without what answers are compared with."""
    for package, held_back in (("nnlib", ()), ("course", ("checks.py",))):
        ignore = shutil.ignore_patterns("__pycache__", *held_back)
        shutil.copytree(root / package, target / package, ignore=ignore, dirs_exist_ok=True)
    for module, names in answers_elsewhere(root).items():
        path = target / (module.replace(".", "/") + ".py")
        path.write_text(without(path.read_text("utf8"), names), "utf8")
    compileall.compile_dir(target, quiet=2)  # its folder cannot be written to in there
    return target


def answers_elsewhere(root: Path = ROOT) -> dict[str, set[str]]:
    """Functions outside of the checks that answers are compared with, by their modules."""
    from course.kit.exercises import exercises_of

    found: dict[str, set[str]] = {}
    for checks in sorted((root / "course").glob("*/checks.py")):
        own = importlib.import_module(f"course.{checks.parent.name}.checks").__name__
        for exercise in exercises_of(checks.parent.name.replace("_", "-")):
            module = getattr(exercise.like, "__module__", own)
            if module.startswith("course.") and module != own and ".kit." not in module:
                found.setdefault(module, set()).add(exercise.like.__name__)
    return found


def without(code: str, names: set[str]) -> str:
    """The module's text with the bodies of these functions replaced by an error."""
    lines = code.splitlines()
    functions = [n for n in ast.parse(code).body if isinstance(n, ast.FunctionDef)]
    for node in sorted(functions, key=lambda n: -n.lineno):
        if node.name in names:
            first, last = node.body[0].lineno, node.end_lineno or node.lineno
            lines[first - 1 : last] = [" " * node.body[0].col_offset + GONE]
    return "\n".join(lines) + "\n"

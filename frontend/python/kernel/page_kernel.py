"""Runs a page's cells in the browser's worker, as a notebook's kernel does, but without IPython.

The worker calls `connect(post, limit)` once, then `run`, `comm`, `complete` and `progress`.
Streams, results, pictures, errors and widgets' messages are sent to the page as dicts, by `post`.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import json
import keyword
import linecache
import logging
import os
import re
import sys
import traceback
import types
from collections.abc import Callable
from typing import Any

import page_output
from page_output import Stream, budget, end_of_text, mimebundle, output

main = types.ModuleType("__main__")


def connect(post: Callable[[dict], None], limit: int) -> None:
    """Prepares Python for the page.

    `post(message)` sends a dict to the page; a cell may show `limit` characters of text.
    """
    page_output.connect(post, limit)
    builtins.input = no_input
    sys.modules["__main__"] = main
    main.__dict__["__builtins__"] = __builtins__
    os.environ.setdefault("MPLBACKEND", "module://page_backend")
    sys.stdout, sys.stderr = Stream("stdout"), Stream("stderr")
    # Without this, the first cell that draws would print a warning about matplotlib's font cache.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    _connect_comms()


def no_input(prompt: object = "") -> str:
    """Replaces input(), which cannot wait for an answer in a page."""
    raise RuntimeError("input() does not work in a page")


# --- running --------------------------------------------------------------------------------------


async def run(source: str, name: str, example: bool = False) -> str:
    """Runs a cell, which tracebacks call `name`. Returns "ok", "error" or "stopped".

    A cell shows its last expression's value. An example of the reference shows the repr of each
    expression's value, as Python's prompt and the docstring do.
    """
    file = f"<{name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    budget.begin()
    try:
        await (execute_example if example else execute)(source, file)
        status = "ok"
    except KeyboardInterrupt:
        page_output.post({"type": "stream", "name": "stderr", "text": "Stopped.\n"})
        status = "stopped"
    except SystemExit:
        status = "ok"
    except BaseException as error:
        sys.stdout.flush()
        end_of_text()
        report = error_report(error)
        if example:  # its page has no notebook
            report["hint"] = report["hint"].replace(DOWNLOAD, COPY)
        output({"type": "error", **report})
        status = "error"
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        end_of_text()
        show_pictures()
    return status


async def execute(source: str, file: str) -> None:
    tree = ast.parse(source, file)
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = ast.Expression(tree.body.pop().value)
    await evaluate(compile_cell(tree, file))
    if last is not None:
        value = await evaluate(compile_cell(last, file))
        if value is not None and not hides_result(source):
            main.__dict__["_"] = value
            sys.stdout.flush()
            output({"type": "result", "data": mimebundle(value)})


async def execute_example(source: str, file: str) -> None:
    for statement in ast.parse(source, file).body:
        await evaluate(compile_cell(ast.Interactive([statement]), file))


MODES = {ast.Module: "exec", ast.Expression: "eval", ast.Interactive: "single"}


def compile_cell(tree: ast.Module | ast.Expression | ast.Interactive, file: str) -> types.CodeType:
    mode = MODES[type(tree)]
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    return compile(tree, file, mode, flags=flags, dont_inherit=True)


async def evaluate(code: types.CodeType) -> Any:
    value = eval(code, main.__dict__)
    if inspect.iscoroutine(value) and code.co_flags & inspect.CO_COROUTINE:
        return await value
    return value


def hides_result(source: str) -> bool:
    """Whether the cell ends in a semicolon, which hides its result, as in a notebook."""
    return source.rstrip().endswith(";")


def show_pictures() -> None:
    """Shows the figures that the cell left open, as a notebook does."""
    if "matplotlib.pyplot" not in sys.modules:
        return
    try:
        import page_backend

        page_backend.show()
    except Exception as error:
        page_output.post({"type": "error", **error_report(error)})


# --- errors ---------------------------------------------------------------------------------------

OWN_FILES = (__file__, page_output.__file__)
CELL = re.compile(r"<((?:cell|example) \d+)>$")
DOWNLOAD = "Use “Download notebook” to run the cell where Python is installed."
COPY = "Copy the example to run it where Python is installed."
NO_FILES = (
    "Python in the page has its own files and cannot read those on your disk: write the data into "
    f"the cell, or load it from nnlib.datasets. {DOWNLOAD}"
)
NO_THREADS = (
    "Python in the page has only one thread. Call the function directly: it does the same work, "
    f"one call after the other. {DOWNLOAD}"
)
NO_PROGRAMS = (
    "Python in the page cannot start other programs. Do the work in this cell, one call after the "
    f"other. {DOWNLOAD}"
)
NO_NETWORK = (
    "Python in the page cannot open connections: write the data into the cell, or load it from "
    f"nnlib.datasets. {DOWNLOAD}"
)
NETWORK_FILES = ("socket.py", "ssl.py", "http/client.py", "urllib/request.py")
HINTS = {
    "NameError": "Has the cell that defines it been run? “Run all above” runs the cells above.",
    "ModuleNotFoundError": "The page has NumPy, matplotlib, ipywidgets and nnlib.",
    "IndentationError": "All lines of a block begin in the same column.",
    "RecursionError": "Does the function call itself without ever stopping?",
    "FileNotFoundError": NO_FILES,
}
# What Python cannot do in a page: a pattern of the error's message, and the hint.
CANNOT = (
    (r"input\(\) does not work", 'Write the answer into the cell instead: name = "Ada".'),
    (r"can't start new thread", NO_THREADS),
    (r"does not support processes|_multiprocessing|_posixsubprocess", NO_PROGRAMS),
)


def hint_for(error: BaseException, frames: list[traceback.FrameSummary]) -> str:
    """The likely cause of an error and what to do, or an empty string."""
    if isinstance(error, NameError) and error.name and (similar := similar_name(error.name)):
        return f"Did you mean {similar}?"
    for pattern, hint in CANNOT:
        if re.search(pattern, str(error)):
            return hint
    missing = error.name if isinstance(error, ModuleNotFoundError) else ""
    if missing in ("ssl", "_ssl", "requests", "_socket") or (
        isinstance(error, OSError) and any(f.filename.endswith(NETWORK_FILES) for f in frames)
    ):
        return NO_NETWORK
    return HINTS.get(type(error).__name__, "")


def error_report(error: BaseException) -> dict:
    """An error as the page shows it: type, message, frames, a hint and the complete traceback."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename not in OWN_FILES]
    in_cell = isinstance(error, SyntaxError) and CELL.match(error.filename or "")
    if in_cell and not any(CELL.match(f.filename) for f in frames):
        frames = []  # the cell could not be parsed, so none of its lines was run
    shown = [frame_of(f) for f in frames]
    if in_cell:
        line = (error.text or "").rstrip("\n")
        shown.append(
            {
                "cell": in_cell[1],
                "line": error.lineno,
                "code": line,
                "caret": [max((error.offset or 1) - 1, 0), max((error.end_offset or 0) - 1, 0)],
            }
        )
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    text = "".join(
        line
        for line in traceback.format_exception(error)
        if not any(f'File "{file}"' in line for file in OWN_FILES)
    )
    hint = hint_for(error, frames)
    name = type(error).__name__
    return {"kind": name, "message": message, "frames": shown, "hint": hint, "traceback": text}


def frame_of(frame: traceback.FrameSummary) -> dict:
    """A frame of a traceback as the page shows it: its cell or file, its line and its code."""
    code = (frame._original_line if hasattr(frame, "_original_line") else frame.line) or ""
    code = code.rstrip("\n")
    shown: dict[str, Any] = {"line": frame.lineno, "code": code, "function": frame.name}
    if cell := CELL.match(frame.filename):
        shown["cell"] = cell[1]
        if frame.colno is not None and frame.end_lineno == frame.lineno:
            shown["caret"] = [frame.colno, frame.end_colno]
    else:
        shown["file"] = re.sub(r"^.*/(site-packages|python3\.\d+)/|^/book/", "", frame.filename)
    return shown


def similar_name(name: str) -> str | None:
    from difflib import get_close_matches

    names = [k for k in main.__dict__ if not k.startswith("_")]
    return next(iter(get_close_matches(name, names, 1, 0.75)), None)


# --- completion -----------------------------------------------------------------------------------

TAIL = re.compile(r"([A-Za-z_][\w.]*)?$")


def complete(line: str) -> dict:
    """Names that may follow the text before the cursor: {"start": column, "names": [[name, kind]]}.

    Attributes are looked up, functions are not called.
    """
    match = TAIL.search(line)
    path = match[0] if match else ""
    *owners, start = path.split(".")
    names = attributes(owners) if owners else [*main.__dict__, *dir(__builtins__), *keyword.kwlist]
    hide_private = not start.startswith("_")
    names = [n for n in names if n.startswith(start) and not (hide_private and n[0] == "_")]
    matching = sorted(set(names))
    owner = owner_of(owners)
    return {
        "start": len(line) - len(start),
        "names": [[n, kind_of(owner, n)] for n in matching[:200]],
    }


def owner_of(path: list[str]) -> Any:
    if not path:
        return None
    builtin = __builtins__ if isinstance(__builtins__, dict) else vars(__builtins__)
    value = main.__dict__.get(path[0], builtin.get(path[0]))
    for name in path[1:]:
        value = getattr(value, name, None)
    return value


def attributes(path: list[str]) -> list[str]:
    owner = owner_of(path)
    return [] if owner is None else dir(owner)


def kind_of(owner: Any, name: str) -> str:
    if owner is None:
        if keyword.iskeyword(name):
            return "keyword"
        value = main.__dict__.get(name, getattr(__import__("builtins"), name, None))
    else:
        value = inspect.getattr_static(owner, name, None)
    if isinstance(value, type):
        return "class"
    if isinstance(value, types.ModuleType):
        return "namespace"
    return "function" if callable(value) else "variable"


# --- widgets --------------------------------------------------------------------------------------


def _connect_comms() -> None:
    import comm
    from comm.base_comm import BaseComm

    class Kernel:
        """The part of a kernel that ipywidgets' Output uses."""

        def get_parent(self) -> dict:
            return {"header": {"msg_id": "page"}}

        def send_response(self, *ignored: Any) -> None:
            error = sys.exc_info()[1]
            if error is not None:
                page_output.post({"type": "error", **error_report(error)})

        iopub_socket = None

    class PageComm(BaseComm):
        """A widget's channel to the page."""

        kernel = Kernel()

        def publish_msg(
            self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None,
            **keys: Any,
        ) -> None:  # fmt: skip
            data = dict(data or {})
            if msg_type == "comm_open" and "source" in data.get("state", {}):
                # The figures' script is left out: the page has it already.
                data = {**data, "state": {**data["state"], "source": ""}}
            parts = [bytes(b) for b in buffers or ()]
            page_output.post(
                {
                    "type": msg_type,
                    "comm": self.comm_id,
                    "target": keys.get("target_name") or self.target_name,
                    "data": json.dumps(data, allow_nan=True),
                    "buffers": parts,
                }
            )

    comm.create_comm = lambda *args, **kwargs: PageComm(*args, **kwargs)
    manager = comm.base_comm.CommManager()
    comm.get_comm_manager = lambda: manager


def comm(comm_id: str, data: str, buffers: list[bytes]) -> None:
    """Passes a message from the page to a widget."""
    import comm as comms

    content = {"comm_id": comm_id, "data": json.loads(data)}
    message = {"content": content, "buffers": [memoryview(b) for b in buffers], "metadata": {}}
    message["header"] = {"msg_id": "page"}
    budget.begin()
    try:
        comms.get_comm_manager().comm_msg(None, None, message)
    except Exception as error:
        page_output.post({"type": "error", **error_report(error)})
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        end_of_text()


# --- progress -------------------------------------------------------------------------------------


def progress(solved: list[str] | None = None) -> list[str]:
    """Writes the browser's solved exercises to course's file; without `solved`, reads that file."""
    path = os.path.expanduser("~/.nnlib/progress.json")
    if solved is not None:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf8") as file:
            json.dump({"solved": sorted(solved)}, file)
        return solved
    try:
        with open(path, encoding="utf8") as file:
            return list(json.load(file)["solved"])
    except (OSError, ValueError, KeyError):
        return []

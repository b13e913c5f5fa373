"""Compiles the source of loops with numba, and keeps the machine code on disk.

numba stores machine code beside a module's file.  So the source is written to a module, named after
its hash, in the user's cache folder (`NNLIB_CACHE`, or ~/.cache/nnlib).
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import sys
import tempfile
import threading
from pathlib import Path
from types import ModuleType

import numba
import numpy as np

from nnlib.graph.lower import floats

HEADER = '''"""Loops written by nnlib.compile."""
import math

import numpy as np
from numba import njit

from nnlib.graph.lower.floats import *

'''
_NUMBA = {"float32": "float32", "float64": "float64", "int64": "int64", "bool": "boolean"}


def folder() -> Path:
    """The folder for compiled loops, or the temporary folder if that one is not writeable."""
    cache = os.environ.get("NNLIB_CACHE") or Path.home() / ".cache" / "nnlib"
    path = Path(cache) / f"numba-{numba.__version__}-numpy-{np.__version__}"
    try:
        path.mkdir(parents=True, exist_ok=True)
        if os.access(path, os.W_OK):
            return path
    except OSError:
        pass
    return Path(tempfile.gettempdir())


@functools.cache
def _hash_of_floats() -> str:
    """A hash of the functions that the loops call; if they change, so do the modules' names."""
    return hashlib.sha256(Path(floats.__file__).read_bytes()).hexdigest()


def type_of(dtype: str, ndim: int, column_major: bool = False) -> str:
    """numba's name for the type of a row-major or column-major array, or of a number."""
    if not ndim:
        return _NUMBA[dtype]
    axes = [":"] * (ndim - 1) + ["::1"]
    return f"{_NUMBA[dtype]}[{', '.join(reversed(axes) if column_major else axes)}]"


_one_at_a_time = threading.Lock()


def loaded(source: str) -> ModuleType:
    """The module of this source, compiled now or taken from the disk."""
    with _one_at_a_time:  # another thread must not get a module that is still being compiled
        return _loaded(source)


def _loaded(source: str) -> ModuleType:
    text = HEADER + source + f"\n# floats: {_hash_of_floats()}\n"
    name = "nnlib_loops_" + hashlib.sha256(text.encode()).hexdigest()[:24]
    module_in_memory = sys.modules.get(name)
    if module_in_memory is not None:
        return module_in_memory
    path = folder() / f"{name}.py"
    if not path.exists():  # written under another name first, as another process may read it
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


__all__ = ["loaded", "type_of"]

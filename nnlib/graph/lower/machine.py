"""Source of loops → machine code by numba, kept on disk.

numba keeps what it compiled beside a module's file, so that the source is written as a module into
a folder of the user's (`NNLIB_CACHE`, or ~/.cache/nnlib) under the name of its hash.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import sys
import tempfile
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
    """Where compiled loops are kept; a temporary folder where that cannot be written."""
    wanted = os.environ.get("NNLIB_CACHE") or Path.home() / ".cache" / "nnlib"
    path = Path(wanted) / f"numba-{numba.__version__}-numpy-{np.__version__}"
    try:
        path.mkdir(parents=True, exist_ok=True)
        if os.access(path, os.W_OK):
            return path
    except OSError:
        pass
    return Path(tempfile.gettempdir())


@functools.cache
def _floats() -> str:
    """A hash of the functions that the loops call: other functions make other modules."""
    return hashlib.sha256(Path(floats.__file__).read_bytes()).hexdigest()


def type_of(dtype: str, ndim: int, columns: bool = False) -> str:
    """numba's name of an array that lies row by row, or column by column, or of a number."""
    if not ndim:
        return _NUMBA[dtype]
    places = [":"] * (ndim - 1) + ["::1"]
    return f"{_NUMBA[dtype]}[{', '.join(reversed(places) if columns else places)}]"


def loaded(source: str) -> ModuleType:
    """The module of this source, compiled now or taken from the disk."""
    text = HEADER + source + f"\n# floats: {_floats()}\n"
    name = "nnlib_loops_" + hashlib.sha256(text.encode()).hexdigest()[:24]
    known = sys.modules.get(name)
    if known is not None:
        return known
    path = folder() / f"{name}.py"
    if not path.exists():  # written whole under another name first: another process may read it
        partial = path.with_suffix(f".{os.getpid()}.tmp")
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
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

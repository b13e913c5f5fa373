"""Compiles the modules that are loaded, so that this browser's later visits need not do it again.

The worker takes one step at a time while no cell runs, then keeps the unpacked files (image.ts).
CPython's own way, bytecode written as modules are imported, would miss the standard library, which
lies in an archive, and would slow the first start.
"""

from __future__ import annotations

import os
import py_compile
import shutil
import sys
import zipfile
from collections.abc import Iterator
from importlib.util import MAGIC_NUMBER, cache_from_source
from marshal import dumps
from zipimport import zipimporter

STDLIB = f"/lib/python{sys.version_info[0]}{sys.version_info[1]}.zip"
COPY = "/tmp/stdlib.zip"  # the standard library with what is compiled of it
UNCHECKED = MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8)  # the header of PEP 552

_of_stdlib: set[str] = set()


def steps() -> Iterator[None]:
    """Small pieces of work; after the last one every loaded module is compiled."""
    # Most chapters ask for these in their first cell: they are loaded and compiled ahead.
    for name in ("nnlib.nn", "nnlib.optim", "nnlib.graph", "nnlib.live", "course"):
        __import__(name)
        yield
    if not os.path.exists(COPY):
        shutil.copyfile(STDLIB, COPY)
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        path = getattr(spec, "origin", None) or ""
        if not path.endswith(".py"):
            continue
        if isinstance(spec.loader, zipimporter):
            if name not in _of_stdlib:
                compile_in_archive(spec)
                yield
        elif os.path.exists(path) and not os.path.exists(cache_from_source(path)):
            py_compile.compile(
                path, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
            )
            yield


def compile_in_archive(spec) -> None:
    """Adds a module of the standard library to the copy, compiled."""
    _of_stdlib.add(spec.name)
    if not spec.origin.startswith(f"{STDLIB}/"):
        return
    code = spec.loader.get_code(spec.name)
    with zipfile.ZipFile(COPY, "a") as archive:
        archive.writestr(spec.origin[len(STDLIB) + 1 :] + "c", UNCHECKED + dumps(code))

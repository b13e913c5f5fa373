"""Compiles the loaded modules, so that later visits with the same browser start faster.

The worker takes one step at a time while no cell runs, then stores the unpacked files (image.ts).
If modules were compiled to files as they are imported, as CPython usually does, the first start
would be slower, and the standard library, which is in an archive, would be left out.
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
COPY = "/tmp/stdlib.zip"  # the standard library with the bytecode of its loaded modules
UNCHECKED = MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8)  # the header of PEP 552

_compiled_of_stdlib: set[str] = set()


def steps() -> Iterator[None]:
    """Small steps of work; after the last one every loaded module is compiled."""
    # Most chapters import these in their first cell, so they are loaded and compiled in advance.
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
            if name not in _compiled_of_stdlib:
                compile_in_archive(spec)
                yield
        elif os.path.exists(path) and not os.path.exists(cache_from_source(path)):
            py_compile.compile(
                path, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
            )
            yield


def compile_in_archive(spec) -> None:
    """Adds the bytecode of a module of the standard library to the copy."""
    _compiled_of_stdlib.add(spec.name)
    if not spec.origin.startswith(f"{STDLIB}/"):
        return
    code = spec.loader.get_code(spec.name)
    with zipfile.ZipFile(COPY, "a") as archive:
        archive.writestr(spec.origin[len(STDLIB) + 1 :] + "c", UNCHECKED + dumps(code))

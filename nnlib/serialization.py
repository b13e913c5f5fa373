"""Saving and loading: nested dicts and lists of tensors, numbers and strings, never any code.

The file is a NumPy ``.npz`` (a zip of ``.npy`` arrays) with one JSON member that describes how the
arrays are nested; a file whose name ends in ``.safetensors`` is written and read by that package.
Nothing is pickled, and the sizes that a file declares are checked before any memory is allocated.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlib import dtypes
from nnlib.record import Value, make

if TYPE_CHECKING:  # imported by save() and load(), which most programs do not call
    import zipfile

STRUCTURE = "nnlib.json"
LARGEST = 4 * 2**30  # bytes that a file may unpack to, unless load() is given max_bytes
_DEEPEST, _LONGEST_STRUCTURE, _LONGEST_NAME = 50, 64 * 2**20, 200


def save(obj: Any, f: Any) -> None:
    """Write tensors, numbers, strings, and dicts, lists and tuples of these to a file.

    `f` is a path or a file opened for writing bytes.  The main use is state dicts of modules and
    optimisers.  Raises TypeError for other objects.  Like ``torch.save``, but without pickle.

    >>> import io, nnlib
    >>> file = io.BytesIO()
    >>> nnlib.save({"w": nnlib.ones(2), "epoch": 3}, file)
    >>> _ = file.seek(0)
    >>> nnlib.load(file)
    {'w': tensor([1., 1.]), 'epoch': 3}
    """
    import json
    import zipfile

    if _is_safetensors(f):
        _save_safetensors(obj, f)
        return
    arrays: dict[str, np.ndarray] = {}
    structure = json.dumps(_written(obj, "", arrays, 0), allow_nan=True)
    with zipfile.ZipFile(f, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(STRUCTURE, structure)
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, array, allow_pickle=False)
            archive.writestr(name + ".npy", member.getvalue())


def _written(obj: Any, path: str, arrays: dict[str, np.ndarray], depth: int) -> Any:
    """The JSON for an object; its arrays are added to `arrays`, named after their paths."""
    if depth > _DEEPEST:
        raise ValueError(f"save: nested more than {_DEEPEST} deep: does it contain itself?")
    if isinstance(obj, (Value, np.ndarray, np.generic)):
        name = _member_name(path)
        while name in arrays:
            name += "'"
        array = np.asarray(obj._data if isinstance(obj, Value) else obj)
        dtypes.of(array)
        arrays[name] = array
        return {"tensor": name}
    if obj is None or isinstance(obj, (bool, int, float, str)):
        return {"value": obj}
    prefix = f"{path}/" if path else ""
    if isinstance(obj, Mapping):
        for key in obj:
            if not isinstance(key, (str, int, float, bool)):
                raise TypeError(
                    f"save: a dict's keys must be strings or numbers, got {type(key).__name__}"
                )
        return {
            "dict": [[k, _written(v, f"{prefix}{k}", arrays, depth + 1)] for k, v in obj.items()]
        }
    if isinstance(obj, (list, tuple)):
        tag = "list" if isinstance(obj, list) else "tuple"
        return {tag: [_written(v, f"{prefix}{i}", arrays, depth + 1) for i, v in enumerate(obj)]}
    raise TypeError(
        f"save: cannot write a {type(obj).__name__} without pickle. Save its state_dict(), or "
        "tensors, numbers and strings in dicts and lists."
    )


def _member_name(path: str) -> str:
    """A path of keys as the name of a file in the archive.

    Anything that could truncate the name, change it or lead out of the folder (NUL and other
    unprintable characters, backslashes, empty and dotted parts) is written as %XX.  The structure
    contains the keys themselves, so nothing is lost when a long name is truncated.
    """
    parts = ["".join(map(_printable, part)) for part in path.split("/")] if path else ["tensor"]
    name = "/".join(part if part.strip(".") else "%2E" * len(part) or "%" for part in parts)
    return name[:_LONGEST_NAME]


def _printable(c: str) -> str:
    if c.isprintable() and c not in "%\\:":
        return c
    return "".join(f"%{byte:02X}" for byte in c.encode("utf-8", "surrogatepass"))


def load(f: Any, *, weights_only: bool = True, max_bytes: int = LARGEST) -> Any:
    """Return the contents of a file written by save(), or of any ``.npz`` (as a dict of tensors).

    No code in a file is ever run.  Raises ValueError for a file that is damaged, declares more than
    `max_bytes`, or contains anything but numbers; FileNotFoundError if it does not exist.  Like
    ``torch.load`` with weights_only=True, which is the only mode.

    >>> import io, nnlib
    >>> file = io.BytesIO()
    >>> nnlib.save({"w": nnlib.tensor([1.0, 2.0])}, file)
    >>> _ = file.seek(0)
    >>> nnlib.load(file)["w"]
    tensor([1., 2.])
    """
    import zipfile

    if not weights_only:
        raise ValueError("nnlib never unpickles: weights_only=False is not supported")
    if _is_safetensors(f):
        return _load_safetensors(f, max_bytes)
    try:
        with zipfile.ZipFile(f) as archive:
            return _read(archive, max_bytes)
    except (zipfile.BadZipFile, EOFError, zipfile.LargeZipFile, NotImplementedError) as error:
        raise ValueError(
            f"load: {_name(f)} is not an .npz file, or is damaged ({error}). Files that "
            "torch.save wrote contain pickles and cannot be read."
        ) from None


def _name(f: Any) -> str:
    return repr(os.fspath(f)) if isinstance(f, (str, os.PathLike)) else "the file"


def _read(archive: zipfile.ZipFile, max_bytes: int) -> Any:
    import json

    members = archive.infolist()
    total = sum(m.file_size for m in members)
    if total > max_bytes:
        raise ValueError(
            f"load: the file unpacks to {total} bytes, and max_bytes allows {max_bytes}"
        )
    arrays = {
        m.filename.removesuffix(".npy"): _array(archive, m)
        for m in members
        if m.filename.endswith(".npy")
    }
    if STRUCTURE not in archive.namelist():
        return {name: make(array) for name, array in arrays.items()}
    if archive.getinfo(STRUCTURE).file_size > _LONGEST_STRUCTURE:
        raise ValueError(f"load: {STRUCTURE} is longer than {_LONGEST_STRUCTURE} bytes")
    try:
        return _rebuilt(json.loads(archive.read(STRUCTURE)), arrays, 0)
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"load: {STRUCTURE} does not match the file: {error!r}") from None


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Any:
    """One array; ValueError if the member is shorter or longer than its header declares."""
    with archive.open(member) as stream:
        try:
            version = np.lib.format.read_magic(stream)
            header = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, fortran, dtype = header(stream)
        except ValueError as error:
            raise ValueError(f"load: {member.filename} is not an array: {error}") from None
        if dtype not in dtypes.dtype.known:
            raise ValueError(
                f"load: {member.filename} contains {dtype}, but load() reads only numbers and "
                "booleans"
            )
        size = math.prod(shape) * dtype.itemsize
        data = stream.read(min(size, member.file_size) + 1)
    if len(data) != size:
        raise ValueError(
            f"load: {member.filename} declares the shape {list(shape)}, {size} bytes, but does "
            "not contain that many"
        )
    flat = np.frombuffer(data, dtype).copy()
    return (flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape))[()]


def _rebuilt(node: Any, arrays: dict[str, Any], depth: int) -> Any:
    if depth > _DEEPEST:
        raise ValueError(f"load: nested more than {_DEEPEST} deep")
    ((tag, content),) = node.items()
    if tag == "tensor":
        return make(arrays[content])
    if tag == "value":
        if content is not None and not isinstance(content, (bool, int, float, str)):
            raise ValueError("load: a value must be a number, a string or null")
        return content
    if tag == "dict":
        return {k: _rebuilt(v, arrays, depth + 1) for k, v in content}
    if tag in ("list", "tuple"):
        items = [_rebuilt(v, arrays, depth + 1) for v in content]
        return items if tag == "list" else tuple(items)
    raise ValueError(f"load: save() does not write {tag!r}")


# ---------------------------------------------------------------- safetensors


def _is_safetensors(f: Any) -> bool:
    return isinstance(f, (str, os.PathLike)) and os.fspath(f).endswith(".safetensors")


def _safetensors() -> Any:
    try:
        import safetensors.numpy as package  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        raise ImportError(
            "files named .safetensors need that package: pip install safetensors, or save to .npz"
        ) from None
    return package


def _save_safetensors(obj: Any, f: Any) -> None:
    if not isinstance(obj, Mapping) or not all(
        isinstance(k, str) and isinstance(v, Value) for k, v in obj.items()
    ):
        raise TypeError(
            "save: a .safetensors file contains one dict of tensors with strings as keys, such as "
            "the state_dict() of a module. Use .npz for anything nested."
        )
    arrays = {k: np.ascontiguousarray(v._data).reshape(np.shape(v._data)) for k, v in obj.items()}
    _safetensors().save_file(arrays, os.fspath(f))


def _load_safetensors(f: Any, max_bytes: int) -> dict[str, Any]:
    package = _safetensors()
    size = os.path.getsize(f)
    if size > max_bytes:
        raise ValueError(f"load: the file has {size} bytes, and max_bytes allows {max_bytes}")
    try:
        arrays = package.load_file(os.fspath(f))
    except Exception as error:
        raise ValueError(f"load: {_name(f)} cannot be read as safetensors: {error}") from None
    return {k: make(v[()]) for k, v in arrays.items()}


__all__ = ["load", "save"]

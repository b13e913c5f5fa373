"""Saved values load unchanged; hostile and damaged files are refused."""

from __future__ import annotations

import io
import json
import math
import os
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import nnlib

DTYPES = st.sampled_from(
    ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]
)
TENSORS = DTYPES.flatmap(
    lambda dtype: hnp.arrays(
        dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
    )
).map(nnlib.tensor)
KEYS = st.one_of(st.text(max_size=5), st.integers(-5, 5))
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text())
VALUES = st.recursive(
    st.one_of(TENSORS, SCALARS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(KEYS, inner, max_size=3),
    ),
    max_leaves=6,
)


def same(a, b):
    assert type(a) is type(b)
    if isinstance(a, dict):
        assert list(a) == list(b)
        for key in a:
            same(a[key], b[key])
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            same(x, y)
    elif isinstance(a, nnlib.Tensor):
        assert a.dtype is b.dtype and a.shape == b.shape
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    else:
        assert a == b


def round_trip(value):
    file = io.BytesIO()
    nnlib.save(value, file)
    file.seek(0)
    return nnlib.load(file)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(value=VALUES)
def test_nested_tensors_and_values_load_unchanged(value):
    same(round_trip(value), value)


ODD_KEYS = [
    "\0", "a\0b", "a\0c", "\ud800", "/", "//", "a//b", "..", "../up", "a/../b", ".", "", "...",
    "a/.", "\\", "C:\\x", "C:", "%00", "%", "a%5Cb", "é", "🎲", " ", "\n", "\r\n", "\x7f", "\u202e",
    "tensor", "nnlib.json", "x" * 70_000, "x" * 70_000 + "y", "a/b", "A", "a", "'", "a'",
    0, -1, 1.5, math.inf, -0.0, 10**30,
]  # fmt: skip


def test_every_kind_of_key_loads_unchanged():
    value = {key: nnlib.tensor([index]) for index, key in enumerate(ODD_KEYS)}
    value["a/"] = {"b": nnlib.tensor(7), "": [nnlib.tensor(8)], "\0": nnlib.tensor(9)}
    same(round_trip(value), value)
    same(round_trip({True: nnlib.tensor(1), "1": nnlib.tensor(2)}), {
        True: nnlib.tensor(1), "1": nnlib.tensor(2),
    })  # fmt: skip


@pytest.mark.parametrize("key", ["\0", "a\0b", "..", "../up", "/root", "a\\b", "C:x", "\x1b[2J"])
def test_a_key_is_written_as_a_safe_file_name(key):
    file = io.BytesIO()
    nnlib.save({key: nnlib.ones(1)}, file)
    with zipfile.ZipFile(file) as archive:
        (name,) = [n for n in archive.namelist() if n != "nnlib.json"]
    assert name.isprintable() and "\\" not in name and ":" not in name
    assert not name.startswith("/") and ".." not in name.split("/")


def test_an_ordinary_key_is_the_arrays_name():
    file = io.BytesIO()
    nnlib.save({"net": {"0.weight": nnlib.ones(1)}, "größe": nnlib.ones(1)}, file)
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        assert {"net/0.weight", "größe"} <= set(arrays.files)


@given(key=st.text(st.characters(min_codepoint=0, max_codepoint=0x2FF), max_size=6))
def test_any_string_can_be_a_key(key):
    same(round_trip({key: nnlib.ones(2)}), {key: nnlib.ones(2)})


def test_a_loaded_module_and_optimizer_continue_where_the_saved_ones_stopped(tmp_path):
    def step(net, optimizer):
        optimizer.zero_grad()
        net(nnlib.ones(4, 3)).square().mean().backward()
        optimizer.step()

    net = nnlib.nn.Sequential(nnlib.nn.Linear(3, 2), nnlib.nn.Tanh(), nnlib.nn.Linear(2, 1))
    optimizer = nnlib.optim.Adam(net.parameters(), lr=0.1)
    step(net, optimizer)
    path = tmp_path / "checkpoint.npz"
    nnlib.save({"net": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 1}, path)
    loaded_net = nnlib.nn.Sequential(nnlib.nn.Linear(3, 2), nnlib.nn.Tanh(), nnlib.nn.Linear(2, 1))
    loaded_optimizer = nnlib.optim.Adam(loaded_net.parameters(), lr=0.5)
    saved = nnlib.load(path)
    loaded_net.load_state_dict(saved["net"])
    loaded_optimizer.load_state_dict(saved["optimizer"])
    for n, o in ((net, optimizer), (loaded_net, loaded_optimizer)):
        step(n, o)
    for a, b in zip(net.parameters(), loaded_net.parameters(), strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


def test_numpy_reads_the_arrays_and_nnlib_reads_numpys(tmp_path):
    nnlib.save({"w": nnlib.ones(2, 2)}, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        np.testing.assert_array_equal(file["w"], np.ones((2, 2)))
    np.savez(tmp_path / "b.npz", x=np.arange(6).reshape(2, 3).T, y=np.float32(2.5))
    loaded = nnlib.load(tmp_path / "b.npz")
    assert loaded["x"].tolist() == [[0, 3], [1, 4], [2, 5]] and loaded["y"].item() == 2.5


def test_safetensors_files_load_unchanged_and_bad_ones_are_refused(tmp_path):
    package = pytest.importorskip("safetensors.numpy")
    state = {"w": nnlib.arange(6.0).reshape(2, 3).T, "b": nnlib.tensor(1.5)}
    nnlib.save(state, tmp_path / "a.safetensors")
    same(dict(sorted(nnlib.load(tmp_path / "a.safetensors").items())), dict(sorted(state.items())))
    np.testing.assert_array_equal(
        package.load_file(tmp_path / "a.safetensors")["w"], state["w"].numpy()
    )
    with pytest.raises(ValueError, match="max_bytes"):
        nnlib.load(tmp_path / "a.safetensors", max_bytes=10)
    (tmp_path / "bad.safetensors").write_bytes(b"\xff" * 40)
    with pytest.raises(ValueError, match="cannot be read"):
        nnlib.load(tmp_path / "bad.safetensors")
    with pytest.raises(TypeError, match="one dict of tensors"):
        nnlib.save({"a": [1]}, tmp_path / "c.safetensors")


class Evil:
    def __reduce__(self):
        return (os.mkdir, ("owned",))


def zipped(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    file.seek(0)
    return file


def array_file(header, content=b""):
    text = repr(header).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + content


def evil_array():
    file = io.BytesIO()
    np.save(file, np.array([Evil()], dtype=object), allow_pickle=True)
    return file.getvalue()


HUGE = {"descr": "<f8", "fortran_order": False, "shape": (10**7, 10**7)}
HOSTILE = {
    "a pickle": lambda: io.BytesIO(pickle.dumps(Evil())),
    "a pickle in an array": lambda: zipped(a_npy=evil_array()),
    "an array that claims to be huge": lambda: zipped(a_npy=array_file(HUGE)),
    "an array cut short": lambda: zipped(
        a_npy=array_file({"descr": "<f8", "fortran_order": False, "shape": (3,)}, b"\0" * 8)
    ),
    "a file that is not an array": lambda: zipped(a_npy=b"hello"),
    "strings in an array": lambda: zipped(
        a_npy=array_file({"descr": "<U4", "fortran_order": False, "shape": (1,)}, b"\0" * 16)
    ),
    "a structure that is not JSON": lambda: zipped(nnlib_json="{"),
    "a structure with an unknown key": lambda: zipped(nnlib_json='{"call": []}'),
    "a structure that names a missing array": lambda: zipped(nnlib_json='{"tensor": "a"}'),
    "a value that is a list": lambda: zipped(nnlib_json='{"value": [1]}'),
    "lists nested too deeply": lambda: zipped(nnlib_json='{"list": [' * 90 + "]}" * 90),
    "an empty file": lambda: io.BytesIO(b""),
    "a zip cut short": lambda: io.BytesIO(zipped(nnlib_json='{"value": 1}').getvalue()[:-10]),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_or_damaged_file_is_refused(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"^load: "):
        nnlib.load(HOSTILE[case]())
    assert not (tmp_path / "owned").exists()


def test_a_file_that_unpacks_to_too_much_is_refused_before_it_is_read():
    file = io.BytesIO()
    nnlib.save(nnlib.zeros(100_000), file)
    assert file.tell() < 5_000
    file.seek(0)
    with pytest.raises(ValueError, match="max_bytes allows 1000"):
        nnlib.load(file, max_bytes=1000)


def test_values_that_cannot_be_saved_or_loaded_are_refused_with_the_reason():
    loop: list = []
    loop.append(loop)
    for value, error in [(object(), TypeError), ({(1, 2): 3}, TypeError), (loop, ValueError)]:
        with pytest.raises(error, match="save:"):
            nnlib.save(value, io.BytesIO())
    with pytest.raises(ValueError, match="never unpickles"):
        nnlib.load(io.BytesIO(), weights_only=False)
    with pytest.raises(FileNotFoundError):
        nnlib.load("no such file.npz")


def test_the_structure_is_readable_json():
    file = io.BytesIO()
    nnlib.save({"a": (1, nnlib.ones(1))}, file)
    with zipfile.ZipFile(file) as archive:
        structure = json.loads(archive.read("nnlib.json"))
    assert structure == {"dict": [["a", {"tuple": [{"value": 1}, {"tensor": "a/1"}]}]]}

"""The page that compares nnlib with PyTorch is correct: its programs and lines run with both."""

from __future__ import annotations

import importlib.util
import io
import re
from typing import Any

import book_rosetta as rosetta
import numpy as np
import pytest
import torch

import nnlib

PROGRAMS = sorted(p.stem for p in rosetta.FOLDER.glob("*.py") if not p.stem.endswith(".numpy"))
ROWS = [row for part in ("neuron", "layer", "shared", "array") for row in rosetta.table()[part]]
DIFFERENCES = rosetta.table()["difference"]
ALLOWED_DIFFERENCES = {"grad_fn": re.compile(r"(?<=grad_fn=<)\w+")}  # documented on the page


def numbers(namespace: dict[str, Any]) -> dict[str, np.ndarray]:
    """The tensors, arrays and numbers among a program's names, and the gradients of the tensors."""
    values = {}
    for name, value in namespace.items():
        if isinstance(value, (nnlib.Tensor, torch.Tensor)):
            values[name] = value.detach().numpy()
            if value.is_leaf and value.grad is not None:
                values[f"{name}.grad"] = value.grad.numpy()
        elif isinstance(value, (np.ndarray, np.number, float, int)):
            values[name] = np.asarray(value)
        elif isinstance(value, (nnlib.nn.Module, torch.nn.Module)):
            for key, p in value.named_parameters():
                values[f"{name}.{key}"] = p.detach().numpy()
                if p.grad is not None:
                    values[f"{name}.{key}.grad"] = p.grad.numpy()
    return values


def without_names(text: str) -> str:
    return ALLOWED_DIFFERENCES["grad_fn"].sub("…", text.replace("nnlib.", "torch."))


def rounded(text: str) -> str:
    """Printed numbers to five digits, because the two libraries add in different orders."""
    return re.sub(r"-?\d+\.\d{5,}", lambda match: f"{float(match[0]):.5f}", text)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_gives_the_same_numbers_with_both(name: str):
    code = (rosetta.FOLDER / f"{name}.py").read_text("utf8")
    printed, with_nnlib = rosetta.run(code)
    printed_by_torch, with_torch = rosetta.run(rosetta.for_torch(code))
    assert printed
    assert rounded(without_names(printed)) == rounded(without_names(printed_by_torch))
    nnlib_numbers, torch_numbers = numbers(with_nnlib), numbers(with_torch)
    assert nnlib_numbers.keys() == torch_numbers.keys()
    if name == "files":  # its weights are random; the program compares those that it reads back
        assert with_nnlib["same"] and with_torch["same"]
        return
    for key, value in nnlib_numbers.items():
        np.testing.assert_allclose(value, torch_numbers[key], rtol=2e-4, atol=1e-6, err_msg=key)


@pytest.mark.parametrize(
    "name", [n for n in PROGRAMS if (rosetta.FOLDER / f"{n}.numpy.py").exists()]
)
def test_the_program_in_numpy_gives_the_same_numbers(name: str):
    with_nnlib = numbers(rosetta.run((rosetta.FOLDER / f"{name}.py").read_text("utf8"))[1])
    by_hand = numbers(rosetta.run((rosetta.FOLDER / f"{name}.numpy.py").read_text("utf8"))[1])
    shared = with_nnlib.keys() & by_hand.keys()
    assert len(shared) >= 3
    for key in shared:
        np.testing.assert_allclose(by_hand[key], with_nnlib[key], rtol=1e-4, atol=1e-6, err_msg=key)


def test_the_hand_made_gradient_is_the_recorded_one():
    recorded = rosetta.run((rosetta.FOLDER / "lecture.py").read_text("utf8"))[1]
    by_hand = rosetta.run((rosetta.FOLDER / "lecture.numpy.py").read_text("utf8"))[1]
    product = by_hand["delta5"] * by_hand["a3"]
    assert recorded["w"].grad[3, 5].item() == pytest.approx(product, rel=1e-5)


def inputs_of_rows(convert: Any) -> dict[str, Any]:
    """The inputs that the table gives to its rows, by name, converted."""
    return {name: convert(value) for name, value in rosetta.table()["given"].items()}


def array(value: Any) -> np.ndarray:
    converted = np.asarray(value)
    return converted.astype(np.float32) if converted.dtype == np.float64 else converted


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["nnlib"])
def test_the_three_expressions_of_a_row_give_the_same_values(row: dict[str, str]):
    with_nnlib = eval(
        row["nnlib"],
        {"nnlib": nnlib, "F": nnlib.nn.functional, **inputs_of_rows(nnlib.tensor)},
    )
    with_torch = eval(
        rosetta.for_torch(row["nnlib"]),
        {"torch": torch, "F": torch.nn.functional, **inputs_of_rows(torch.tensor)},
    )
    names = {"np": np, "sliding_window_view": np.lib.stride_tricks.sliding_window_view}
    by_hand = np.asarray(eval(row["numpy"], {**names, **inputs_of_rows(array)}))
    torch_dtype = str(with_torch.dtype).removeprefix("torch")
    assert str(with_nnlib.dtype).removeprefix("nnlib") == torch_dtype
    assert tuple(with_nnlib.shape) == tuple(with_torch.shape) == by_hand.shape
    np.testing.assert_allclose(with_nnlib.numpy(), with_torch.numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(by_hand, with_nnlib.numpy(), rtol=1e-4, atol=1e-6)


def outcome(line: str, module: Any) -> str:
    """The repr of a line's result, or the type of the error that it raises."""
    names = {"io": io, "np": np, "importlib": importlib, module.__name__: module,
             "nn": module.nn, "F": module.nn.functional}  # fmt: skip
    try:
        return repr(eval(line, names))
    except Exception as error:
        return type(error).__name__


@pytest.mark.filterwarnings("ignore:__array_wrap__:DeprecationWarning")  # PyTorch's own
@pytest.mark.parametrize("row", DIFFERENCES, ids=lambda row: row["line"])
def test_a_difference_is_as_the_page_describes_it(row: dict[str, str]):
    assert outcome(row["line"], nnlib) == row["nnlib"]
    assert outcome(rosetta.for_torch(row["line"]), torch) == row["torch"]
    assert row["nnlib"] != row["torch"]

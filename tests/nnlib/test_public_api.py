"""Every public name is documented, and where PyTorch has it, takes PyTorch's arguments."""

from __future__ import annotations

import inspect
import re
import types

import pytest
import torch

import nnlib

MODULES = ["", "autograd", "autograd.functional", "linalg", "optim", "optim.lr_scheduler",
           "utils.data"]  # fmt: skip
# PyTorch's arguments may be left out; other names are not allowed, but for these: nnlib's own, and
# those whose real names PyTorch's documentation does not say.
OWN = {
    "DataLoader": {"progress"}, "load": {"max_bytes"}, "normal": {"size"}, "compile": {"fn"},
    "broadcast_to": {"size"}, "einsum": {"equation", "operands"}, "matrix_norm": {"A"},
    "norm": {"A"},
}  # fmt: skip
OWN_NAMES = {"dtypes", "Size"}


def at(root, path):
    for part in path.split(".") if path else []:
        root = getattr(root, part)
    return root


def public():
    for module in MODULES:
        space = at(nnlib, module)
        for name in sorted(getattr(space, "__all__", [n for n in dir(space) if n[0] != "_"])):
            thing = getattr(space, name)
            if callable(thing) and not isinstance(thing, (types.ModuleType, nnlib.dtype)):
                yield module, name


PUBLIC = list(dict.fromkeys(public()))


@pytest.mark.parametrize(("module", "name"), PUBLIC)
def test_a_public_name_is_documented(module, name):
    doc = at(nnlib, module).__dict__[name].__doc__ or ""
    assert len(doc.strip()) >= 10


def their_parameters(thing, module, name):
    """The parameter names of PyTorch's function, from its signature or its documentation."""
    try:
        return list(inspect.signature(thing).parameters)
    except (ValueError, TypeError):
        pass
    names: list[str] = []
    doc = thing.__doc__ or ""
    for found in re.finditer(
        rf"^\s*{re.escape(name)}\((.*?)\)\s*->", doc, re.MULTILINE | re.DOTALL
    ):
        for part in found.group(1).split(","):
            names.append(part.split("=")[0].split(":")[0].strip(" *\\\n"))
    names += re.findall(r"^ {4,8}\*?(\w+) ?\(", doc, re.MULTILINE)
    return [n for n in names if n]


@pytest.mark.parametrize(("module", "name"), PUBLIC)
def test_a_function_takes_the_arguments_of_pytorchs(module, name):
    theirs = getattr(at(torch, module), name, None)
    ours = at(nnlib, module).__dict__[name]
    if theirs is None or name in OWN_NAMES or isinstance(ours, types.GenericAlias):
        pytest.skip("PyTorch has no function of this name here")
    if isinstance(ours, type) and "__init__" not in vars(ours) and "__new__" not in vars(ours):
        pytest.skip("a class without arguments of its own")
    names = their_parameters(theirs, module, name)
    if not names or names == ["args", "kwargs"]:
        pytest.skip("PyTorch does not say what its arguments are called")
    mine = [p for p in inspect.signature(ours).parameters.values()
            if p.kind is not inspect.Parameter.VAR_KEYWORD]  # fmt: skip
    unknown = {p.name for p in mine} - set(names) - OWN.get(name, set()) - {"self"}
    assert not unknown, f"PyTorch's arguments are {names}"


def test_the_names_of_types_are_pytorchs():
    for name in ("float", "double", "half", "int", "long", "short", "bool", "uint8", "float32"):
        assert getattr(nnlib, name).name == str(getattr(torch, name)).split(".")[1]


def test_small_things_are_pytorchs():
    x = nnlib.zeros(2, 3)
    assert nnlib.is_tensor(x) and not nnlib.is_tensor(1)
    assert nnlib.is_floating_point(x) and not x.long().is_floating_point()
    assert nnlib.numel(x) == x.nelement() == 6
    assert x.element_size() == 4 and x.is_contiguous() and not x.T.is_contiguous()
    assert x.T.contiguous().is_contiguous()
    assert isinstance(x.shape[:1], nnlib.Size) and x.shape.numel() == 6
    assert (nnlib.inf, nnlib.pi) == (torch.inf, torch.pi)

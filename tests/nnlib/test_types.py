"""A type checker infers the types of public functions' results and reports wrong calls."""

import importlib
import inspect
import re
import subprocess
import sys
import typing
from pathlib import Path

import pytest
from mypy import api as mypy

ROOT = Path(__file__).parents[2]

# Expressions as a user types them, and the types that the checker must infer for them.
REVEALED = {
    "x": "nnlib.tensor.Tensor",
    "nnlib.zeros(2, 3)": "nnlib.tensor.Tensor",
    "nnlib.arange(4).float().reshape(2, 2)": "nnlib.tensor.Tensor",
    "(2 * x - 1).exp().sum()": "nnlib.tensor.Tensor",
    "x.relu_()": "nnlib.tensor.Tensor",
    "x @ x.T": "nnlib.tensor.Tensor",
    "x == 0": "nnlib.tensor.Tensor",
    "x[0]": "nnlib.tensor.Tensor",
    "x.max()": "nnlib.tensor.Tensor",
    "x.max(1).values": "nnlib.tensor.Tensor",
    "nnlib.min(x, dim=1).indices": "nnlib.tensor.Tensor",
    "x.max(x)": "nnlib.tensor.Tensor",
    "x.sort().indices": "nnlib.tensor.Tensor",
    "x.unique()": "nnlib.tensor.Tensor",
    "x.unique(return_counts=True)": "tuple[nnlib.tensor.Tensor, ...]",
    "x.split(1)": "tuple[nnlib.tensor.Tensor, ...]",
    "x.shape": "nnlib.tensor.Size",
    "x.shape[0]": "int",
    "x.size()": "nnlib.tensor.Size",
    "x.size(0)": "int",
    "x.item()": "int | float",
    "x.grad": "nnlib.tensor.Tensor | None",
    "x.dtype": "nnlib.dtypes.dtype",
    "nnlib.where(x > 0, x, 0.0)": "nnlib.tensor.Tensor",
    "nnlib.where(x > 0)": "tuple[nnlib.tensor.Tensor, ...]",
    "nnlib.allclose(x, x)": "bool",
    "nnlib.autograd.grad(x.sum(), x)[0]": "nnlib.tensor.Tensor",
    "nnlib.nn.Linear(2, 1)(x)": "nnlib.tensor.Tensor",
    "net(x).sigmoid()": "nnlib.tensor.Tensor",
    "nnlib.nn.LSTM(2, 3)(x)[1]": "tuple[nnlib.tensor.Tensor, nnlib.tensor.Tensor]",
    "net.eval()": "nnlib.nn.containers.Sequential",
    "next(net.parameters())": "nnlib.nn.module.Parameter",
    "nnlib.nn.functional.mse_loss(x, x)": "nnlib.tensor.Tensor",
    "nnlib.func.grad(square)(x)": "nnlib.tensor.Tensor",
    "nnlib.func.grad_and_value(square)(x)[1]": "nnlib.tensor.Tensor",
    "nnlib.func.vjp(square, x)[1](x)[0]": "nnlib.tensor.Tensor",
    "nnlib.func.jvp(square, (x,), (x,))": "tuple[nnlib.tensor.Tensor, nnlib.tensor.Tensor]",
    "nnlib.func.jacrev(square)(x)": "nnlib.tensor.Tensor",
    "nnlib.func.vmap(square)(x)": "nnlib.tensor.Tensor",
    "nnlib.func.functional_call(net, dict(net.named_parameters()), x)": "nnlib.tensor.Tensor",
    "nnlib.optim.SGD(net.parameters(), lr=0.1).step(loss)": "nnlib.tensor.Tensor",
    "nnlib.utils.data.TensorDataset(x)[0]": "tuple[nnlib.tensor.Tensor, ...]",
}

WRONG = {
    "x.no_such_method()": "no attribute",
    "x.sum().no_such_method()": "no attribute",
    "net(x).no_such_method()": "no attribute",
    "nnlib.no_such_function(x)": "no attribute",
    "x.reshape('2')": "incompatible type",
    "nnlib.func.vmap(square)(x, x)": "Too many arguments",
    "nnlib.zeros(2, dtype='float32')": "incompatible type",
    "nnlib.nn.Linear(2)": "Missing positional argument",
}

HEAD = """\
import nnlib


x = nnlib.tensor([[1.0, 2.0]], requires_grad=True)
net = nnlib.nn.Sequential(nnlib.nn.Linear(2, 1), nnlib.nn.ReLU())


def loss() -> nnlib.Tensor:
    return net(x).sum()


def square(x: nnlib.Tensor) -> nnlib.Tensor:
    return x * x


"""


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """mypy's messages for each line of a small program, in strict mode."""
    folder = tmp_path_factory.mktemp("types")
    program = folder / "program.py"
    lines = [f"reveal_type({line})" for line in REVEALED] + list(WRONG)
    program.write_text(HEAD + "\n".join(lines) + "\n")
    (folder / "mypy.ini").write_text("[mypy]\nfollow_imports = silent\n")
    options = ["--strict", "--config-file", str(folder / "mypy.ini"), "--cache-dir",
               str(ROOT / ".mypy_cache" / "user"), str(program)]  # fmt: skip
    messages, errors, _ = mypy.run(options)
    assert not errors, errors
    first = HEAD.count("\n")
    by_line = {}
    for number, text in re.findall(r"program\.py:(\d+): (.*)", messages):
        by_line.setdefault(int(number) - first - 1, []).append(text)
    return [" ".join(by_line.get(i, [])) for i in range(len(lines))]


@pytest.mark.slow
def test_the_type_checker_infers_the_type_of_an_expression(checked):
    for line, message in zip(REVEALED, checked, strict=False):
        assert message == f'note: Revealed type is "{REVEALED[line]}"', line


@pytest.mark.slow
def test_the_type_checker_reports_a_wrong_line(checked):
    for (line, error), message in zip(WRONG.items(), checked[len(REVEALED) :], strict=True):
        assert message.startswith("error:") and error in message, (line, message)


# ---------------------------------------------------------------- no Any

MODULES = ["nnlib", "nnlib.autograd", "nnlib.autograd.functional", "nnlib.func", "nnlib.linalg",
           "nnlib.nn", "nnlib.nn.functional", "nnlib.nn.init", "nnlib.nn.utils", "nnlib.optim",
           "nnlib.optim.lr_scheduler", "nnlib.utils.data", "nnlib.datasets"]  # fmt: skip

# Only the caller can know the types of these results.
UNKNOWN_RESULTS = {
    "nnlib.load": "whatever was saved",
    "nnlib.autograd.Function.forward": "the subclass computes it",
    "nnlib.autograd.Function.backward": "the subclass computes it",
    "nnlib.nn.Module.forward": "the subclass computes it; calling the module gives a Tensor",
    "nnlib.utils.data.default_collate": "a batch has the structure of its examples",
}


def _functions():
    """(full name, function) of every public function, method and property."""
    checked = set()
    for path in MODULES:
        module = importlib.import_module(path)
        for name in module.__all__:
            member = getattr(module, name)
            if inspect.isclass(member):
                for cls in member.__mro__:
                    if not cls.__module__.startswith("nnlib"):
                        continue
                    for attribute, value in vars(cls).items():
                        value = getattr(value, "fget", None) or getattr(value, "__func__", value)
                        public = attribute[0] != "_" or attribute == "__call__"
                        if public and inspect.isfunction(value) and value not in checked:
                            checked.add(value)
                            yield f"{path}.{cls.__name__}.{attribute}", value
            elif inspect.isfunction(member) and member not in checked:
                checked.add(member)
                yield f"{path}.{name}", member


def test_no_public_function_returns_any():
    names = []
    for name, function in _functions():
        names.append(name)
        if name in UNKNOWN_RESULTS:
            continue
        signature = inspect.signature(function)
        annotation = signature.return_annotation
        assert annotation is not inspect.Signature.empty, f"{name} has no return annotation"
        assert annotation not in ("Any", "Value", typing.Any), f"{name} returns {annotation}"
        for parameter in list(signature.parameters.values()):
            if parameter.name not in ("self", "cls"):
                assert parameter.annotation is not inspect.Parameter.empty, (name, parameter)
    assert len(names) > 400 and set(UNKNOWN_RESULTS) <= set(names)


def test_an_editor_finds_the_definition_of_every_function():
    for name, function in _functions():
        source = inspect.getsource(inspect.unwrap(function))
        assert re.search(rf"\bdef {inspect.unwrap(function).__name__}\b", source), name


def test_every_list_of_public_names_is_a_literal():
    for path in MODULES:
        source = inspect.getsource(importlib.import_module(path))
        assert re.search(r"^__all__ = \[\n?[\s\"]", source, re.M), f"{path}.__all__ is computed"
        for name in importlib.import_module(path).__all__:
            assert name not in ("np", "Any", "annotations"), f"{path} exports {name}"


@pytest.mark.slow
def test_pyright_reports_the_wrong_lines_and_no_others(tmp_path):
    pytest.importorskip("basedpyright", reason="`make types-of-editors` installs it")
    program = tmp_path / "program.py"
    lines = [f"_ = {line}" for line in REVEALED]
    program.write_text("# pyright: strict\n" + HEAD + "\n".join(lines) + "\n" + "\n".join(WRONG))
    run = subprocess.run(
        [sys.executable, "-m", "basedpyright", "--pythonpath", sys.executable, str(program)],
        capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    wrong = {int(number) for number in re.findall(r"program\.py:(\d+):\d+ - error", run.stdout)}
    first = HEAD.count("\n") + len(lines) + 2
    assert wrong == set(range(first, first + len(WRONG))), run.stdout

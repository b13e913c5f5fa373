"""Every public name is listed, documented and typed; PyTorch's names take PyTorch's arguments."""

from __future__ import annotations

import importlib
import inspect
import re
import types

import numpy as np
import pytest
import torch

import nnlib

PYTORCH_MODULES = [
    "", "autograd", "autograd.functional", "func", "linalg", "nn", "nn.functional", "nn.init",
    "nn.utils",
    "optim", "optim.lr_scheduler", "serialization", "utils", "utils.data", "utils.hooks",
]  # fmt: skip
OUR_MODULES = ["datasets", "graph"]
# Names of nnlib's top level that PyTorch's does not have.
OUR_TOP_LEVEL_NAMES = {"datasets", "dtypes", "graph"}
# nnlib's own arguments, and names that PyTorch's signatures do not show.
OWN_ARGUMENTS = {
    "DataLoader": {"progress"}, "load": {"max_bytes"}, "normal": {"size"},
    "compile": {"fn", "static"},
    "einsum": {"equation", "operands"}, "broadcast_to": {"size"}, "Identity": {"args"},
    "enable_grad": {"function"}, "dtype": {"name"}, "device": {"type", "index"},
    **{name: {"shape"} for name in ("zeros", "ones", "empty", "rand", "randn")},
    **{name: {"out"} for name in ("isfinite", "isinf", "isnan", "sigmoid", "tanh")},
    **{name: {"unbiased"} for name in ("var", "std")},
    "matrix_norm": {"A"}, "norm": {"A"}, "Sequential": {"modules"}, "no_grad": {"function"},
}  # fmt: skip
# PyTorch's signature of these is (*args, **kwargs); the arguments are those of its documentation.
BY_DOCUMENTATION = {
    "RNN": "input_size hidden_size num_layers nonlinearity bias batch_first dropout bidirectional",
    "LSTM": "input_size hidden_size num_layers bias batch_first dropout bidirectional",
    "GRU": "input_size hidden_size num_layers bias batch_first dropout bidirectional",
}
RECURRENT = {"input_size": 2, "hidden_size": 3, "num_layers": 2, "bias": False,
             "batch_first": True, "dropout": 0.0, "bidirectional": True}  # fmt: skip
# PyTorch's functions without a readable signature: both libraries' are called with these keywords.
X, W = [[0.5, -1.0, 2.0], [1.0, 0.25, -0.5]], [[1.0, 2.0, 3.0]]
CALLED = {
    "relu": {"input": X}, "log_softmax": {"input": X, "dim": 1}, "matmul": {"input": X, "other": X},
    "masked_fill": {"input": X, "mask": [True, False, True], "value": 3.0},
    "unique": {"input": X, "sorted": True},
    "adaptive_max_pool1d": {"input": X, "output_size": 1},
    "adaptive_max_pool2d": {"input": [X], "output_size": 1},
    "max_pool1d": {"input": X, "kernel_size": 2, "stride": 1, "padding": 1, "dilation": 1,
                   "ceil_mode": True, "return_indices": False},
    "max_pool2d": {"input": [X], "kernel_size": 2, "stride": 1, "padding": 1, "dilation": 1,
                   "ceil_mode": True, "return_indices": False},
}  # fmt: skip
NOT_COMPARED = {  # names without arguments, and classes that other functions instantiate
    "Dataset", "Function", "Generator", "Module", "RemovableHandle", "Size", "Tensor", "dtype",
    "finfo", "iinfo", "get_default_dtype", "is_grad_enabled",
}  # fmt: skip


def submodule(root, path):
    name = root.__name__ + ("." + path if path else "")
    return importlib.import_module(name)


def public(modules):
    names = []
    for module in modules:
        namespace = submodule(nnlib, module)
        for name in namespace.__all__:
            member = getattr(namespace, name)
            if callable(member) and not isinstance(member, (types.ModuleType, nnlib.dtype)):
                names.append((module, name))
    return names


PUBLIC_NAMES, SHARED_NAMES = public(PYTORCH_MODULES + OUR_MODULES), public(PYTORCH_MODULES)


def arguments(member):
    """The parameters that a caller may pass, without `self` and **keywords."""
    own = not isinstance(member, type) or "__init__" in vars(member) or "__new__" in vars(member)
    inherited = isinstance(member, type) and member.__init__ is not object.__init__
    if not own and not inherited:
        return []
    return [p for p in inspect.signature(member).parameters.values()
            if p.kind is not inspect.Parameter.VAR_KEYWORD]  # fmt: skip


@pytest.mark.parametrize("module", PYTORCH_MODULES + OUR_MODULES)
def test_everything_public_that_a_module_defines_is_listed(module):
    namespace = submodule(nnlib, module)
    listed = namespace.__all__
    assert len(set(listed)) == len(listed) > 0
    assert all(hasattr(namespace, name) for name in listed)
    package = hasattr(namespace, "__path__") and module != ""
    for name, member in vars(namespace).items():
        defined_here = getattr(member, "__module__", "") == namespace.__name__ or (
            package
            and isinstance(member, type)
            and member.__module__.startswith(namespace.__name__)
        )
        if defined_here and not name.startswith("_") and callable(member):
            assert name in listed


@pytest.mark.parametrize(("module", "name"), PUBLIC_NAMES)
def test_a_public_name_is_documented(module, name):
    doc = vars(submodule(nnlib, module))[name].__doc__ or ""
    assert len(doc.strip()) >= 10


@pytest.mark.parametrize(("module", "name"), PUBLIC_NAMES)
def test_a_public_name_is_annotated_with_types(module, name):
    member = vars(submodule(nnlib, module))[name]
    own = vars(member).get("__init__") if isinstance(member, type) else member
    if own is None:  # the base class has the annotations
        return
    for p in list(inspect.signature(own).parameters.values())[isinstance(member, type) :]:
        assert p.annotation is not p.empty, f"{p.name} has no annotation"
    assert isinstance(member, type) or "return" in own.__annotations__


@pytest.mark.parametrize("module", PYTORCH_MODULES)
def test_pytorch_has_every_name_in_the_same_module(module):
    theirs = submodule(torch, module)
    own = OUR_TOP_LEVEL_NAMES if module == "" else {"functional"} if module == "optim" else set()
    assert {n for n in submodule(nnlib, module).__all__ if not hasattr(theirs, n)} <= own


def test_pytorch_has_every_method():
    ours, theirs = nnlib.Tensor, torch.Tensor
    assert [n for n in dir(ours) if n[0] != "_" and not hasattr(theirs, n)] == []
    module = torch.nn.Module()
    assert [n for n in dir(nnlib.nn.Module) if n[0] != "_" and not hasattr(module, n)] == []


# The names that the package promises, independently of the comparisons with PyTorch.
PROMISED = {
    "": """tensor zeros ones full arange linspace eye rand randn randint stack cat where Generator
        manual_seed matmul einsum max argmax sort topk cumsum no_grad enable_grad compile save load
        float32 float64 int64 bool broadcast_to maximum minimum sigmoid tanh relu exp log""",
    "autograd": """backward grad no_grad enable_grad Function gradcheck gradgradcheck detect_anomaly
        functional""",
    "func": "functional_call grad grad_and_value hessian jacfwd jacrev jvp vjp vmap",
    "autograd.functional": "jacobian hessian jvp vjp hvp vhp",
    "linalg": "norm vector_norm matrix_norm",
    "nn": """Module Parameter Linear Conv1d Conv2d ConvTranspose1d ConvTranspose2d MaxPool1d
        MaxPool2d AvgPool1d AvgPool2d AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveMaxPool1d
        AdaptiveMaxPool2d Embedding RNNCell RNN LSTMCell LSTM GRUCell GRU BatchNorm1d BatchNorm2d
        LayerNorm GroupNorm Dropout MultiheadAttention TransformerEncoderLayer Flatten Sequential
        ModuleList ReLU Sigmoid Tanh GELU Softmax
        BCELoss BCEWithLogitsLoss CrossEntropyLoss MSELoss NLLLoss L1Loss init functional utils""",
    "nn.functional": "scaled_dot_product_attention one_hot cross_entropy conv2d linear embedding",
    "nn.utils": "clip_grad_norm_ clip_grad_value_ parameters_to_vector vector_to_parameters",
    "optim": "SGD Adam AdamW RMSprop Adagrad lr_scheduler",
    "optim.lr_scheduler": "StepLR MultiStepLR ExponentialLR CosineAnnealingLR LambdaLR OneCycleLR",
    "utils.data": "Dataset TensorDataset DataLoader Subset random_split",
    "graph": "trace Graph Step gradient",
}
METHODS = """detach item numpy add_ zero_ mul_ sub_ backward requires_grad_ retain_grad
    register_hook sum mean prod max min argmax sort topk cumsum reshape view permute transpose
    squeeze unsqueeze flatten expand gather scatter_add index_select masked_fill clone to long"""
OF_GRAPHS = "simplified to_source to_latex to_json from_json draw run gradient"
OF_MODULES = """parameters named_parameters state_dict load_state_dict train eval apply zero_grad
    children modules buffers register_buffer"""


def test_every_promised_name_is_public():
    for module, names in PROMISED.items():
        namespace = submodule(nnlib, module)
        assert [n for n in names.split() if n not in namespace.__all__] == [], module
    for cls, names in (
        (nnlib.Tensor, METHODS), (nnlib.graph.Graph, OF_GRAPHS), (nnlib.nn.Module, OF_MODULES),
    ):  # fmt: skip
        assert [n for n in names.split() if not callable(getattr(cls, n, None))] == [], cls


# ---------------------------------------------------------------- arguments


def their_signature(member):
    try:
        parameters = dict(inspect.signature(member).parameters)
    except (ValueError, TypeError):
        return None
    return None if list(parameters) in (["args"], ["args", "kwargs"]) else parameters


def their_names(member, name):
    """The parameter names of PyTorch's function, from its signature or its documentation."""
    if name in BY_DOCUMENTATION:
        return BY_DOCUMENTATION[name].split()
    parameters = their_signature(member)
    if parameters is not None:
        return list(parameters)
    names, doc = [], member.__doc__ or ""
    for call in re.finditer(rf"^\s*{re.escape(name)}\((.*?)\)\s*->", doc, re.MULTILINE | re.DOTALL):
        for parameter in call.group(1).split(","):
            names.append(parameter.split("=")[0].split(":")[0].strip(" *\\\n"))
    names += re.findall(r"^ {4,8}\*?(\w+) ?\(", doc, re.MULTILINE)
    return [n for n in names if n]


COMPARED = [(m, n) for m, n in SHARED_NAMES if n not in NOT_COMPARED and n not in CALLED]


@pytest.mark.parametrize(("module", "name"), COMPARED)
def test_a_function_takes_pytorchs_arguments(module, name):
    ours, theirs = getattr(submodule(nnlib, module), name), getattr(submodule(torch, module), name)
    parameters = arguments(ours)
    names = their_names(theirs, name)
    unknown = {p.name for p in parameters} - set(names) - OWN_ARGUMENTS.get(name, set()) - {"self"}
    assert not unknown, f"PyTorch's arguments are {names}"


WITH_SIGNATURE = [
    (m, n) for m, n in COMPARED
    if n not in OWN_ARGUMENTS and their_signature(getattr(submodule(torch, m), n)) is not None
]  # fmt: skip
# PyTorch's generator defaults to its global one; nnlib's load has weights_only=True alone.
OTHER_DEFAULT = {("random_split", "generator"), ("load", "weights_only")}


@pytest.mark.parametrize(("module", "name"), WITH_SIGNATURE)
def test_arguments_have_pytorchs_order_and_defaults(module, name):
    parameters = {p.name: p for p in arguments(getattr(submodule(nnlib, module), name))}
    theirs = their_signature(getattr(submodule(torch, module), name))
    by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    order = [n for n, p in parameters.items() if p.kind in by_position]
    assert order == [n for n, p in theirs.items() if p.kind in by_position][: len(order)]
    for n, p in parameters.items():
        if n in theirs and (name, n) not in OTHER_DEFAULT:
            default = theirs[n].default
            our_default = getattr(p.default, "name", p.default)
            same = our_default == default or (p.default is default)
            if inspect.isfunction(default):  # an activation: the function of that name
                same = p.default.__name__ == default.__name__
            assert same or (n, name) == ("data", "Parameter"), (n, p.default, default)


@pytest.mark.parametrize(("module", "name"), [p for p in SHARED_NAMES if p[1] in CALLED])
def test_a_function_without_a_readable_signature_takes_pytorchs_keywords(module, name):
    def arguments_for(t):
        return {k: t.tensor(v) if isinstance(v, list) else v for k, v in CALLED[name].items()}

    their_module = "" if module == "linalg" else module
    our_arguments, their_arguments = arguments_for(nnlib), arguments_for(torch)
    if name == "matmul":
        for options in (our_arguments, their_arguments):
            options["other"] = options["other"].T
    if module == "nn.functional" and name == "log_softmax":
        assert {"input", "dim"} <= set(their_names(torch.nn.functional.log_softmax, name))
    ours = getattr(submodule(nnlib, module), name)(**our_arguments)
    theirs = getattr(submodule(torch, their_module), name)(**their_arguments)
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6)


@pytest.mark.parametrize("name", BY_DOCUMENTATION)
def test_recurrent_layers_take_the_keywords_of_pytorchs_documentation(name):
    keywords = {k: RECURRENT.get(k, "tanh") for k in BY_DOCUMENTATION[name].split()}
    shapes = [
        {k: tuple(p.shape) for k, p in getattr(t.nn, name)(**keywords).state_dict().items()}
        for t in (nnlib, torch)
    ]
    assert shapes[0] == shapes[1]


def test_the_names_in_the_tables_above_are_public():
    names = {n for _, n in SHARED_NAMES}
    assert set(CALLED) <= names and names >= NOT_COMPARED and set(OWN_ARGUMENTS) <= names
    assert set(BY_DOCUMENTATION) <= names


# ---------------------------------------------------------------- dtypes, submodules, constants


def test_the_names_of_dtypes_agree_with_pytorch():
    for name in ("float", "double", "half", "int", "long", "short", "bool", "uint8", "float32"):
        assert getattr(nnlib, name).name == str(getattr(torch, name)).split(".")[1]


def test_submodules_are_available_without_an_import():
    assert nnlib.nn.functional.relu(nnlib.tensor(-1.0)).item() == 0
    assert {"nn", "optim", "utils", "graph", "datasets"} <= set(dir(nnlib))
    with pytest.raises(AttributeError, match="no attribute 'cuda'"):
        _ = nnlib.cuda


def test_queries_of_a_tensor_and_constants_agree_with_pytorch():
    x = nnlib.zeros(2, 3)
    assert nnlib.is_tensor(x) and not nnlib.is_tensor(1)
    assert nnlib.is_floating_point(x) and not x.long().is_floating_point()
    assert nnlib.numel(x) == x.nelement() == 6
    assert x.element_size() == 4 and x.is_contiguous() and not x.T.is_contiguous()
    assert x.T.contiguous().is_contiguous()
    assert isinstance(x.shape[:1], nnlib.Size) and x.shape.numel() == 6
    assert (nnlib.inf, nnlib.pi) == (torch.inf, torch.pi)

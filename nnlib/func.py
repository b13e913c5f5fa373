"""Transformations of pure functions, as in `torch.func`: gradients, Jacobians, vmap.

The results of a pure function depend on its arguments alone.  Most transformations take one and
return another: ``grad(f)`` is the gradient of f, ``grad(grad(f))`` the gradient of that.  Arguments
may be trees of tensors: tuples, lists, dicts, data classes.  No ``.grad`` is changed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, TypeVar, overload

import numpy as np

from nnlib import autograd, record, trees
from nnlib.functions import arrange, joining, reshaping
from nnlib.functions.arithmetic import clone
from nnlib.record import Leaf, Node, Value, make

if TYPE_CHECKING:
    from nnlib.tensor import Tensor

__all__ = [
    "functional_call", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "vjp",
    "vmap",
]  # fmt: skip

Function = Callable[..., Any]
P = ParamSpec("P")  # the arguments of a function, or those after the first
A = TypeVar("A")  # its first argument: a tensor or a tree of them
R = TypeVar("R")  # its result
Aux = TypeVar("Aux")

# ---------------------------------------------------------------- shared by all transformations


class _Variable(Leaf):
    """The node of an argument of a transformed function; it is open while that function runs."""

    __slots__ = ("open",)

    def __init__(self) -> None:
        super().__init__()
        self.open = True


def _variable(array: Any) -> Any:
    return make(array, _Variable())


def _close(values: Sequence[Any]) -> None:
    for x in values:
        if isinstance(x._node, _Variable):
            x._node.open = False


def _recorded(x: Any) -> Any:
    """x as a tensor that needs a gradient: a new leaf, or a clone if x has a history."""
    if x._node is not None and record.grad_enabled():
        return clone(x)
    leaf = _variable(x._data)
    record.report_alias(leaf, x)
    return leaf


def _leaves(name: str, tree: Any) -> tuple[list[Any], trees.Structure]:
    """The floating-point tensors of a tree; TypeError or RuntimeError for anything else in it."""
    leaves, structure = trees.flatten(tree)
    for leaf, path in zip(leaves, trees.paths(structure, name), strict=True):
        if not isinstance(leaf, Value):
            raise TypeError(f"{path} must be a Tensor, but it is {type(leaf).__name__}")
        if leaf._data.dtype.kind != "f":
            raise RuntimeError(
                f"{path} is of type {leaf._data.dtype.name}: only floating-point tensors have "
                "gradients. Convert it with .float(), or choose other arguments with argnums."
            )
    return leaves, structure


def _depends_on_others(outputs: Sequence[Any], own: Sequence[Any]) -> bool:
    """Whether an output depends on recorded tensors other than the differentiated arguments."""
    own_nodes = {x._node for x in own}
    visited: set[Node] = set()
    stack = [output._node for output in outputs if output._node is not None]
    while stack:
        node = stack.pop()
        if node in visited:
            continue
        visited.add(node)
        if node in own_nodes:
            if node.edges:  # a clone: the argument itself has a history
                return True
            continue
        if isinstance(node, Leaf):
            if not isinstance(node, _Variable) or node.open:
                return True
            continue
        stack += [edge for edge in node.edges if edge is not None]
    return False


def _gradients(
    outputs: list[Any], grad_outputs: list[Any], inputs: list[Any], create_graph: bool
) -> list[Any]:
    """Gradients of the inputs, zeros for unused ones; with `create_graph` they are recorded."""
    pairs = [(o, g) for o, g in zip(outputs, grad_outputs, strict=True) if o._node is not None]
    if not pairs or not inputs:
        return [_zeros(x) for x in inputs]
    gs = autograd.grad(
        [o for o, _ in pairs], inputs, [g for _, g in pairs],
        retain_graph=True, create_graph=create_graph, allow_unused=True,
    )  # fmt: skip
    return [_zeros(x) if g is None else g for g, x in zip(gs, inputs, strict=True)]


def _zeros(x: Any) -> Any:
    return make(np.zeros_like(x._data)[()])


def _ones(x: Any) -> Any:
    return make(np.ones_like(x._data)[()])


def _detached_unless(tree: Any, needs_history: bool) -> Any:
    """The results, detached unless an outer computation needs their history."""
    if needs_history:
        return tree
    return trees.map_leaves(lambda v: _detached(v) if isinstance(v, Value) else v, tree)


def _detached(x: Any) -> Any:
    return x.detach()


def _chosen(args: tuple, argnums: int | tuple[int, ...]) -> tuple[tuple[int, ...], list[Any]]:
    positions = argnums if isinstance(argnums, tuple) else (argnums,)
    for n in positions:
        if not -len(args) <= n < len(args):
            raise RuntimeError(
                f"Got argnum={n}, but only {len(args)} positional inputs: gradients are taken with "
                "respect to positional arguments"
            )
    return tuple([n % len(args) for n in positions]), [args[n] for n in positions]


class _Run:
    """One call of a function, with some of its arguments recorded."""

    def __init__(self, func: Function, args: tuple, argnums: Any, kwargs: dict, has_aux: bool):
        self.caller_records = record.grad_enabled()
        self.several = isinstance(argnums, tuple)
        numbers, selected = _chosen(args, argnums)
        leaves, self.structure = _leaves("the argument", tuple(selected))
        self.inputs = [_recorded(x) for x in leaves]
        new_args = list(args)
        for n, value in zip(numbers, trees.build(self.structure, self.inputs), strict=True):
            new_args[n] = value
        with record.recording(True):
            result = func(*new_args, **kwargs)
        self.aux: Any = None
        if has_aux:
            if not (isinstance(result, tuple) and len(result) == 2):
                raise RuntimeError(
                    "with has_aux=True the function must return a pair (output, aux), but it "
                    f"returned {type(result).__name__}"
                )
            result, self.aux = result
        self.result = result
        self.outputs, self.out_structure = trees.flatten(result)
        for o in self.outputs:
            if not isinstance(o, Value):
                raise RuntimeError(
                    f"the function must return tensors, but it returned {type(o).__name__}"
                )
        self.needs_history = self.caller_records and _depends_on_others(self.outputs, self.inputs)
        _close(self.inputs)

    def gradients(self, grad_outputs: list[Any], create_graph: bool | None = None) -> Any:
        """One gradient for each chosen argument, with the structure of that argument."""
        create_graph = self.needs_history if create_graph is None else create_graph
        gs = _gradients(self.outputs, grad_outputs, self.inputs, create_graph)
        per_argument = trees.build(self.structure, gs)
        return per_argument if self.several else per_argument[0]

    def value(self) -> Any:
        return _detached_unless(self.result, self.needs_history)

    def with_aux(self, *results: Any) -> tuple[Any, ...]:
        return (*results, _detached_unless(self.aux, self.needs_history))


# ---------------------------------------------------------------- gradients


@overload
def grad(
    func: Callable[Concatenate[A, P], Tensor],
    argnums: Literal[0] = 0,
    has_aux: Literal[False] = False,
) -> Callable[Concatenate[A, P], A]: ...
@overload
def grad(
    func: Callable[P, Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[P, Any]: ...
def grad(func: Function, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Function:
    """The gradient x ↦ ∂func(x)/∂x of a function whose result is one number.

    The derivative is with respect to the argument at position `argnums` (a tuple selects several).
    With `has_aux`, `func` returns ``(output, aux)``, and the gradient function returns
    ``(gradient, aux)``.  Like ``torch.func.grad``.

    Calls raise RuntimeError for a result that is not 0-d, or arguments that are not floating-point.

    >>> import nnlib
    >>> slope = nnlib.func.grad(lambda x: x**3)
    >>> slope(nnlib.tensor(2.0)), nnlib.func.grad(slope)(nnlib.tensor(2.0))
    (tensor(12.), tensor(12.))
    >>> nnlib.func.grad(lambda p: (p["w"] * p["b"]).sum())({"w": nnlib.ones(2), "b": nnlib.ones(2)})
    {'w': tensor([1., 1.]), 'b': tensor([1., 1.])}
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        gradients, value = both(*args, **kwargs)
        return (gradients, value[1]) if has_aux else gradients

    return gradient


@overload
def grad_and_value(
    func: Callable[Concatenate[A, P], R], argnums: Literal[0] = 0, has_aux: Literal[False] = False
) -> Callable[Concatenate[A, P], tuple[A, R]]: ...
@overload
def grad_and_value(
    func: Callable[P, Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[P, tuple[Any, Any]]: ...
def grad_and_value(
    func: Function, argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Function:
    """Like `grad`, but calls return ``(gradient, value)``, where the value is the result of `func`.

    With `has_aux`, they return ``(gradient, (value, aux))``.  Like ``torch.func.grad_and_value``.

    Calls raise RuntimeError for a result that is not 0-d, or arguments that are not floating-point.

    >>> import nnlib
    >>> nnlib.func.grad_and_value(lambda w: (w * w).sum())(nnlib.tensor([1.0, 2.0]))
    (tensor([2., 4.]), tensor(5.))
    """

    @functools.wraps(func)
    def both(*args: Any, **kwargs: Any) -> Any:
        run = _Run(func, args, argnums, kwargs, has_aux)
        if run.out_structure != trees.LEAF:
            raise RuntimeError(
                f"Expected f(*args) to return tensor, got {trees.describe(run.out_structure)}: a "
                "gradient needs one number. To return more results, return (loss, rest) and pass "
                "has_aux=True."
            )
        if run.outputs[0]._data.shape:
            raise RuntimeError(
                "Expected f(*args) to return a scalar tensor, got tensor with "
                f"{run.outputs[0]._data.ndim} dims. Reduce it with .sum() or .mean()."
            )
        gradients = run.gradients([_ones(run.outputs[0])])
        return (gradients, run.with_aux(run.value()) if has_aux else run.value())

    return both


@overload
def vjp(
    func: Callable[..., R], *primals: A, has_aux: Literal[False] = False
) -> tuple[R, Callable[[R], tuple[A, ...]]]: ...
@overload
def vjp(
    func: Callable[..., tuple[R, Aux]], *primals: A, has_aux: Literal[True]
) -> tuple[R, Callable[[R], tuple[A, ...]], Aux]: ...
def vjp(func: Function, *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """(func(x), g ↦ gᵀJ): the value, and a function that pulls a gradient of it back to x.

    Each call of that function takes one backward pass.  Like ``torch.func.vjp``.  Raises
    RuntimeError for arguments that are not floating-point; calls raise it for a gradient of another
    shape.

    >>> import nnlib
    >>> value, pullback = nnlib.func.vjp(lambda x: x * x, nnlib.tensor([1.0, 2.0]))
    >>> value, pullback(nnlib.tensor([1.0, 10.0]))
    (tensor([1., 4.]), (tensor([ 2., 40.]),))
    """
    run = _Run(func, primals, tuple(range(len(primals))), {}, has_aux)

    def pullback(cotangents: Any) -> Any:
        grad_outputs, structure = trees.flatten(cotangents)
        if structure != run.out_structure:
            raise RuntimeError(
                "Expected the gradients to have the structure of the output, "
                f"{trees.describe(run.out_structure)}, but got {trees.describe(structure)}"
            )
        recorded = any(g._node is not None for g in grad_outputs)
        return run.gradients(
            grad_outputs, run.needs_history or (record.grad_enabled() and recorded)
        )

    pair = run.value(), pullback
    return run.with_aux(*pair) if has_aux else pair


@overload
def jvp(
    func: Callable[..., R], primals: tuple[Any, ...], tangents: tuple[Any, ...], *,
    strict: bool = False, has_aux: Literal[False] = False,
) -> tuple[R, R]: ...  # fmt: skip
@overload
def jvp(
    func: Callable[..., tuple[R, Aux]], primals: tuple[Any, ...], tangents: tuple[Any, ...], *,
    strict: bool = False, has_aux: Literal[True],
) -> tuple[R, R, Aux]: ...  # fmt: skip
def jvp(
    func: Function, primals: tuple, tangents: tuple, *, strict: bool = False, has_aux: bool = False
) -> tuple[Any, ...]:
    """(func(x), J t): the value and its derivative along t.

    It takes two backward passes: gᵀJ is linear in g, and the gradient of (gᵀJ)t with respect to g
    is Jt.  Like ``torch.func.jvp``.  Raises RuntimeError if the tangents do not have the structure
    of the primals, and with `strict` if the result depends on none of the arguments.

    >>> import nnlib
    >>> x, t = nnlib.tensor([1.0, 2.0]), nnlib.tensor([1.0, 0.0])
    >>> nnlib.func.jvp(lambda x: x**2, (x,), (t,))
    (tensor([1., 4.]), tensor([2., 0.]))
    """
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple):
        raise RuntimeError("jvp(f, primals, tangents): primals and tangents must be tuples")
    directions, structure = trees.flatten(tangents)
    run = _Run(func, primals, tuple(range(len(primals))), {}, has_aux)
    if structure != run.structure:
        raise RuntimeError(
            "Expected primals and tangents to have the same python structure, got "
            f"{trees.describe(run.structure)} and {trees.describe(structure)}"
        )
    with record.recording(True):
        grad_outputs = [_variable(np.zeros_like(o._data)[()]) for o in run.outputs]
        input_gradients, _ = trees.flatten(run.gradients(grad_outputs, True))
    if strict and not any(p._node is not None for p in input_gradients):
        raise RuntimeError("jvp: the output does not depend on the inputs")
    needs_history = run.needs_history or (
        any(t._node is not None for t in directions) and run.caller_records
    )
    _close(grad_outputs)
    along_t = _gradients(input_gradients, directions, grad_outputs, needs_history)
    result = trees.build(run.out_structure, along_t)
    pair = run.value(), result
    return run.with_aux(*pair) if has_aux else pair


# ---------------------------------------------------------------- Jacobians and Hessians


def _basis(x: Any) -> list[Any]:
    """The standard basis of tensors like x: each has a single 1 and zeros elsewhere."""
    eye = np.eye(x._data.size, dtype=x._data.dtype)
    return [make(row.reshape(x._data.shape)[()]) for row in eye]


@overload
def jacrev(
    func: Callable[Concatenate[Tensor, P], Tensor],
    argnums: int = 0,
    *,
    has_aux: Literal[False] = False,
) -> Callable[Concatenate[Tensor, P], Tensor]: ...
@overload
def jacrev(
    func: Callable[P, Any], argnums: int | tuple[int, ...] = 0, *, has_aux: bool = False
) -> Callable[P, Any]: ...
def jacrev(
    func: Function, argnums: int | tuple[int, ...] = 0, *, has_aux: bool = False
) -> Function:
    """x ↦ J with J[i, j] = ∂func(x)ᵢ/∂xⱼ, by one backward pass for each element of the result.

    J has the shape (*output, *argument); trees of outputs or arguments give trees of Jacobians,
    outputs first.  Like ``torch.func.jacrev``.  Calls raise RuntimeError for arguments that are not
    floating-point.

    >>> import nnlib
    >>> nnlib.func.jacrev(lambda x: x * x.sum())(nnlib.tensor([1.0, 2.0]))
    tensor([[4., 1.],
            [2., 5.]])
    """

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        run = _Run(func, args, argnums, kwargs, has_aux)
        blocks = []
        for i, output in enumerate(run.outputs):
            rows = []
            for unit in _basis(output):
                grad_outputs = [unit if k == i else _zeros(o) for k, o in enumerate(run.outputs)]
                rows.append(trees.flatten(run.gradients(grad_outputs))[0])
            jacobians = [
                _stacked(column, output, x) for column, x in _rows_by_input(rows, run.inputs)
            ]
            per_argument = trees.build(run.structure, jacobians)
            blocks.append(per_argument if run.several else per_argument[0])
        result = trees.build(run.out_structure, blocks)
        return run.with_aux(result) if has_aux else result

    return jacobian


def _rows_by_input(rows: list[list[Any]], inputs: list[Any]) -> list[tuple[list[Any], Any]]:
    return [([row[k] for row in rows], x) for k, x in enumerate(inputs)]


def _stacked(rows: list[Any], output: Any, x: Any) -> Any:
    shape = (*output._data.shape, *x._data.shape)
    if not rows:
        return make(np.zeros(shape, x._data.dtype))
    return reshaping.reshape(joining.stack(rows), shape)


@overload
def jacfwd(
    func: Callable[Concatenate[Tensor, P], Tensor],
    argnums: int = 0,
    has_aux: Literal[False] = False,
) -> Callable[Concatenate[Tensor, P], Tensor]: ...
@overload
def jacfwd(
    func: Callable[P, Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[P, Any]: ...
def jacfwd(func: Function, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Function:
    """Like `jacrev`, but column by column: one derivative for each element of the argument.

    Like ``torch.func.jacfwd``.  Calls raise RuntimeError for arguments that are not floating-point.

    >>> import nnlib
    >>> nnlib.func.jacfwd(lambda x: x * x.sum())(nnlib.tensor([1.0, 2.0]))
    tensor([[4., 1.],
            [2., 5.]])
    """

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        run = _Run(func, args, argnums, kwargs, has_aux)
        with record.recording(True):
            grad_outputs = [_variable(np.zeros_like(o._data)[()]) for o in run.outputs]
            input_gradients, _ = trees.flatten(run.gradients(grad_outputs, True))
        _close(grad_outputs)
        columns = [
            [
                _derivatives_along(input_gradients, k, unit, grad_outputs, run.needs_history)
                for unit in _basis(x)
            ]
            for k, x in enumerate(run.inputs)
        ]
        blocks = []
        for i, output in enumerate(run.outputs):
            jacobians = [
                _stacked_columns([c[i] for c in columns[k]], output, x)
                for k, x in enumerate(run.inputs)
            ]
            per_argument = trees.build(run.structure, jacobians)
            blocks.append(per_argument if run.several else per_argument[0])
        result = trees.build(run.out_structure, blocks)
        return run.with_aux(result) if has_aux else result

    return jacobian


def _derivatives_along(
    input_gradients: list[Any], k: int, unit: Any, grad_outputs: list[Any], needs_history: bool
) -> list[Any]:
    directions = [unit if j == k else _zeros(p) for j, p in enumerate(input_gradients)]
    return _gradients(input_gradients, directions, grad_outputs, needs_history)


def _stacked_columns(columns: list[Any], output: Any, x: Any) -> Any:
    """The Jacobian of an output with respect to x, (*output.shape, *x.shape), from its columns."""
    shape = (*output._data.shape, *x._data.shape)
    if not columns:
        return make(np.zeros(shape, output._data.dtype))
    return reshaping.reshape(joining.stack(columns, -1), shape)


@overload
def hessian(
    func: Callable[Concatenate[Tensor, P], Tensor], argnums: int = 0
) -> Callable[Concatenate[Tensor, P], Tensor]: ...
@overload
def hessian(func: Callable[P, Any], argnums: int | tuple[int, ...] = 0) -> Callable[P, Any]: ...
def hessian(func: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """x ↦ H with H[i, j] = ∂²func(x)/∂xᵢ∂xⱼ: the Jacobian of the Jacobian.

    Like ``torch.func.hessian``.  Calls raise RuntimeError for arguments that are not
    floating-point.

    >>> import nnlib
    >>> nnlib.func.hessian(lambda x: (x**3).sum())(nnlib.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)


# ---------------------------------------------------------------- many examples, and modules


def vmap(
    func: Callable[P, R], in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error",
    *, chunk_size: int | None = None,
) -> Callable[P, R]:  # fmt: skip
    """Turn a function of one example into a function of a batch of examples.

    `in_dims` is the dimension of the examples in each argument (None: all examples share it), as a
    number or a tree with the structure of the arguments; `out_dims` is the one in the results.
    Like ``torch.func.vmap``, but it runs a loop, which `nnlib.compile` unrolls.  Random functions
    raise an error unless `randomness` is "different": then each example gets its own random
    numbers; "same" is not implemented, because a loop would have to rewind the generator.
    `chunk_size` has no effect.

    Raises ValueError for unknown settings; calls raise ValueError for arguments without the
    dimension of the examples, or with different lengths.

    >>> import nnlib
    >>> dots = nnlib.func.vmap(nnlib.dot)
    >>> dots(nnlib.tensor([[1.0, 2.0], [3.0, 4.0]]), nnlib.ones(2, 2))
    tensor([3., 7.])
    """
    if randomness not in ("error", "different"):
        raise ValueError(
            f"randomness must be 'error' or 'different', not {randomness!r}: examples are computed "
            "one after the other, and the same random numbers would need a rewound generator"
        )

    @functools.wraps(func)
    def mapped(*args: P.args, **kwargs: P.kwargs) -> R:
        leaves, structure = trees.flatten(args)
        leaf_dims = _dims_of_leaves(in_dims, args)
        count = _count(leaves, leaf_dims)
        results = []
        with _forbidding_random(randomness == "error"):
            for k in range(count):
                example = [
                    x if d is None else arrange.select(x, d, k) for x, d in zip(leaves, leaf_dims)
                ]
                results.append(func(*trees.build(structure, example), **kwargs))
        result: R = _collected(results, out_dims)
        return result

    return mapped


def _dims_of_leaves(dims: Any, args: Any) -> list[int | None]:
    """One dimension for each leaf of the arguments, from a number or a tree of numbers."""
    if dims is None or isinstance(dims, int):
        return [dims] * len(trees.flatten(args)[0])
    children, dim_children = trees.children(args), trees.children(dims)
    if children is None or dim_children is None or children[0] != dim_children[0]:
        raise ValueError(
            f"vmap(in_dims={dims!r}): in_dims must be a number, None, or a tree "
            "with the structure of the arguments"
        )
    pairs = zip(dim_children[1], children[1], strict=True)
    return [d for child_dims, child in pairs for d in _dims_of_leaves(child_dims, child)]


def _count(leaves: list[Any], leaf_dims: list[int | None]) -> int:
    sizes = set()
    for x, d in zip(leaves, leaf_dims, strict=True):
        if d is None:
            continue
        if not isinstance(x, Value):
            raise ValueError(
                f"vmap: {type(x).__name__} is not a Tensor: pass None for it in in_dims"
            )
        if not -x._data.ndim <= d < x._data.ndim:
            raise ValueError(
                f"vmap: in_dim {d} for a tensor of dimensionality {x._data.ndim}, which has no "
                "such dimension"
            )
        sizes.add(x._data.shape[d])
    if len(sizes) != 1:
        raise ValueError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{sorted(sizes)}"
            if sizes
            else "vmap: at least one argument must have a dimension "
            "of examples, but in_dims is None for all"
        )
    return sizes.pop()


def _collected(results: list[Any], out_dims: Any) -> Any:
    if not results:
        raise ValueError("vmap: there are no examples, so the results' shapes are unknown")
    columns = [trees.flatten(result) for result in results]
    structure = columns[0][1]
    if isinstance(out_dims, tuple):
        positions = trees.build(structure, list(range(len(columns[0][0]))))
        dims = _dims_of_leaves(out_dims, positions)
    else:
        dims = [out_dims] * len(columns[0][0])
    stacked = [
        joining.stack(list(parts), dim or 0)
        for parts, dim in zip(zip(*[c[0] for c in columns]), dims)
    ]
    return trees.build(structure, stacked)


@contextmanager
def _forbidding_random(forbid: bool) -> Any:
    """Make random functions raise an error inside the block, as in PyTorch's vmap, if `forbid`."""
    if not forbid:
        yield
        return
    from nnlib.functions import create

    with create.forbidding_random(
        "vmap: called random operation while in randomness error mode. Pass "
        'randomness="different" for new random numbers in each example, or pass them as arguments.'
    ):
        yield


def functional_call(
    module: Callable[..., R], parameter_and_buffer_dicts: Any, args: Any = None,
    kwargs: dict[str, Any] | None = None, *, tie_weights: bool = True, strict: bool = False,
) -> R:  # fmt: skip
    """module(*args) with the given tensors in place of its parameters and buffers.

    `parameter_and_buffer_dicts` maps names, as in ``named_parameters()``, to tensors; a tuple of
    dicts is merged into one.  Other parameters keep their tensors.  A parameter that the module has
    under two names is replaced under both (`tie_weights`).  Like ``torch.func.functional_call``.

    Raises RuntimeError with `strict` if names are missing or unknown, ValueError if two dicts have
    a name in common, and AttributeError for an unknown submodule.

    >>> import nnlib
    >>> layer = nnlib.nn.Linear(2, 1)
    >>> weights = {"weight": nnlib.ones(1, 2), "bias": nnlib.zeros(1)}
    >>> nnlib.func.functional_call(layer, weights, nnlib.tensor([1.0, 2.0]))
    tensor([3.])
    """
    tensors = _one_dict(parameter_and_buffer_dicts)
    net: Any = module
    existing = {**dict(net.named_parameters()), **dict(net.named_buffers())}
    if strict and set(existing) != set(tensors):
        missing = sorted(set(existing) - set(tensors))
        unknown = sorted(set(tensors) - set(existing))
        raise RuntimeError(
            f"functional_call(strict=True): missing keys {missing}, unexpected keys {unknown}"
        )
    replaced = [_attribute(net, name, value) for name, value in tensors.items()]
    if tie_weights:
        replaced += _tied(net, tensors, existing)
    previous = [
        (attributes, name, attributes.get(name, _MISSING)) for attributes, name, _ in replaced
    ]
    try:
        for attributes, name, value in replaced:
            attributes[name] = value
        args = () if args is None else args if isinstance(args, tuple) else (args,)
        return module(*args, **(kwargs or {}))
    finally:
        for attributes, name, value in reversed(previous):
            if value is _MISSING:
                del attributes[name]
            else:
                attributes[name] = value


_MISSING = object()


def _one_dict(dicts: Any) -> dict[str, Any]:
    if isinstance(dicts, dict):
        return dicts
    merged: dict[str, Any] = {}
    for tensors in dicts:
        repeated = sorted(set(merged) & set(tensors))
        if repeated:
            raise ValueError(f"{repeated} appear in multiple dictionaries: behaviour is ambiguous")
        merged.update(tensors)
    return merged


def _attribute(module: Any, name: str, value: Any) -> tuple[dict[str, Any], str, Any]:
    *path, last = name.split(".")
    for part in path:
        module = getattr(module, part)
    return vars(module), last, value


def _tied(module: Any, tensors: dict[str, Any], existing: dict[str, Any]) -> list[Any]:
    """The attributes, under any name, whose tensors are those that `tensors` replaces."""
    values = {id(existing[name]): value for name, value in tensors.items() if name in existing}
    return [
        (vars(submodule), name, values[id(attribute)])
        for submodule in module.modules()
        for name, attribute in list(vars(submodule).items())
        if id(attribute) in values and isinstance(attribute, Value)
    ]

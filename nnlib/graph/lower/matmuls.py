"""Pass 1: many small matrix products become a few large ones.

    x₁W, x₂W, …            →  the rows of  (x₁; x₂; …) W
    A₁ᵀB₁ + A₂ᵀB₂ + …      →  (A₁; A₂; …)ᵀ (B₁; B₂; …)

where (a; b) is the matrix with the rows of a above those of b.  A recurrent net multiplies its
inputs by its weights as in the first line; the gradient of weights that are used at each step is a
sum as in the second.  For each row, BLAS takes twice as long in a product of 32 rows as in one of
400.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

from nnlib.graph.lower.decompose import GraphBuilder, use_counts
from nnlib.graph.steps import Step, Steps

UNROLLED = 16  # products of at most this many terms are written out in loops
BY_LOOPS = 2**15  # multiplications; BLAS computes larger products that are not written out
MIN_PRODUCTS = 4  # fewer products are not merged, since that saves no time
MAX_SIZE = 2**20  # multiplications; merging larger products saves no time (measured at 12 of them)
MAX_SIZE_COPIED = 2**17  # the same without loops, because the stacked matrices must be copied then
MAX_GROUPS = 16  # of products with a common factor, largest first, that are looked at


def merged(graph: Steps, loops: bool = False) -> Steps:
    """The same outputs from fewer products.

    `loops` means that loops are compiled for small products; then only those of BLAS are merged.

    >>> import nnlib
    >>> from nnlib.graph.lower.matmuls import merged
    >>> def four(x, w):
    ...     return {f"row {k}": x[k] @ w for k in range(4)}
    >>> graph = nnlib.graph.trace(four, x=nnlib.ones(4, 3, 2), w=nnlib.ones(2, 5))
    >>> [step.op for step in merged(graph).steps].count("matmul")
    1
    """
    graph = _sums_merged(graph, loops)
    for _ in range(MAX_GROUPS):
        group = _independent_products(graph, loops)
        if not group:
            break
        graph = _rows_merged(graph, group)
    return graph


def by_blas(step: Step, steps: Sequence[Step]) -> bool:
    """Whether a step is a product of matrices that is too large for loops."""
    if step.op != "matmul" or len(step.shape) != 2:
        return False
    terms = steps[step.inputs[0]].shape[-1]
    return terms > UNROLLED and terms * math.prod(step.shape) > BY_LOOPS


def is_block_of_rows(step: Step, operand: Step) -> bool:
    """Whether a step is a slice that takes whole rows, one after the other."""
    if step.op != "slice" or not isinstance(step.attrs["index"][0], tuple):
        return False
    rows, *other_dims = step.attrs["index"]
    return rows[2] == 1 and other_dims == [(0, n, 1) for n in operand.shape[1:]]


def _mergeable(step: Step, steps: Sequence[Step], loops: bool) -> bool:
    """Whether a step is a product of two matrices of floats that is worth merging."""
    if step.op != "matmul" or step.dtype not in ("float32", "float64"):
        return False
    factors = [steps[i] for i in step.inputs]
    if any(len(s.shape) != 2 or s.dtype != step.dtype for s in factors):
        return False
    size = factors[0].shape[1] * math.prod(step.shape)
    if loops:
        return size <= MAX_SIZE and by_blas(step, steps)
    return 0 < size <= MAX_SIZE_COPIED


def _append_copy(new: GraphBuilder, step: Step, inputs: tuple[int, ...]) -> int:
    new.steps.append(Step(step.op, step.shape, step.dtype, inputs, step.attrs, step.name,
                         step.value))  # fmt: skip
    return len(new.steps) - 1


def _stacked(new: GraphBuilder, matrices: Sequence[int]) -> int:
    """The matrix of the rows of all `matrices`."""
    first = new.steps[matrices[0]]
    rows = sum([new.steps[i].shape[0] for i in matrices])
    shape = (rows, first.shape[1])
    array = _common_array(new, matrices)
    if array is None:
        return new.add("cat", shape, first.dtype, *matrices, dim=0)
    return new.add("reshape", shape, first.dtype, array, shape=shape)


def _common_array(new: GraphBuilder, matrices: Sequence[int]) -> int | None:
    """The array x if the matrices are x[0], x[1], …, or its permutation if x[:, 0], x[:, 1], …"""
    first = new.steps[matrices[0]]
    if first.op != "slice":
        return None
    base = first.inputs[0]
    shape = new.steps[base].shape
    dim = next((d for d, i in enumerate(first.attrs["index"]) if not isinstance(i, tuple)), None)
    if dim is None or shape[dim] != len(matrices) or len(shape) != 3:
        return None
    for k, matrix in enumerate(matrices):
        step = new.steps[matrix]
        index: list = [(0, n, 1) for n in shape]
        index[dim] = k
        if step.op != "slice" or step.inputs != (base,) or list(step.attrs["index"]) != index:
            return None
    if not dim:
        return base
    dims = (dim, *[d for d in range(3) if d != dim])
    return new.add("permute", tuple([shape[d] for d in dims]), first.dtype, base, dims=dims)


# ---------------------------------------------------------------- sums of products


def _sums_merged(graph: Steps, loops: bool) -> Steps:
    """Sums of at least MIN_PRODUCTS products AᵀB become one product."""
    sums = _sums(graph, loops)
    if not sums:
        return graph
    new, new_position = GraphBuilder(), list[int]()
    for at, step in enumerate(graph.steps):
        if at not in sums:
            inputs = tuple([new_position[i] for i in step.inputs])
            new_position.append(_append_copy(new, step, inputs))
            continue
        pairs, others = sums[at]
        left = _stacked(new, [new_position[a] for a, _ in pairs])
        right = _stacked(new, [new_position[b] for _, b in pairs])
        (rows, n), m = new.steps[left].shape, new.steps[right].shape[1]
        transposed = new.add("permute", (n, rows), step.dtype, left, dims=(1, 0))
        total = new.add("matmul", (n, m), step.dtype, transposed, right)
        for other in others:
            total = new.add("add", step.shape, step.dtype, total, new_position[other])
        new.steps[total].name = step.name
        new_position.append(total)
    return Steps(new.steps, {name: new_position[at] for name, at in graph.outputs.items()},
                 graph.derivatives)  # fmt: skip


def _sums(graph: Steps, loops: bool) -> dict[int, tuple[list[tuple[int, int]], list[int]]]:
    """By a sum's last addition: the pairs A, B of its products AᵀB, and its other addends."""
    uses, inner = use_counts(graph), set[int]()
    sums = {}
    for at in range(len(graph.steps) - 1, -1, -1):
        if graph.steps[at].op != "add" or at in inner:
            continue
        pairs, others = [], []
        for i in _addends(graph, at, uses, inner):
            same_shape = graph.steps[i].shape == graph.steps[at].shape  # false for a broadcast row
            pair = _factors(graph, i, uses, loops) if same_shape else None
            if pair is None:
                others.append(i)
            else:
                pairs.append(pair)
        if len(pairs) >= MIN_PRODUCTS:
            # The order is that of the forward pass, in which a recurrent net's inputs are stored.
            sums[at] = sorted(pairs, key=min), sorted(others)
    return sums


def _addends(graph: Steps, at: int, uses: list[int], inner: set[int]) -> list[int]:
    """The addends of a nested sum of one shape; additions inside it are added to `inner`."""
    total, addends, stack = graph.steps[at], [], [at]
    while stack:
        for i in graph.steps[stack.pop()].inputs:
            step = graph.steps[i]
            same_shape_and_dtype = (step.shape, step.dtype) == (total.shape, total.dtype)
            if step.op == "add" and same_shape_and_dtype and uses[i] == 1:
                inner.add(i)
                stack.append(i)
            else:
                addends.append(i)
    return addends


def _factors(graph: Steps, at: int, uses: list[int], loops: bool) -> tuple[int, int] | None:
    """The matrices A and B if a step that only the sum reads is AᵀB or (BᵀA)ᵀ; otherwise None."""
    step, transposed = graph.steps[at], False
    if uses[at] == 1 and _is_transpose(step):
        at, transposed = step.inputs[0], True
        step = graph.steps[at]
    if uses[at] != 1 or not _mergeable(step, graph.steps, loops):
        return None
    left, b = graph.steps[step.inputs[0]], step.inputs[1]
    if not _is_transpose(left):
        return None
    return (b, left.inputs[0]) if transposed else (left.inputs[0], b)


def _is_transpose(step: Step) -> bool:
    return step.op == "permute" and tuple(step.attrs["dims"]) == (1, 0)


# ---------------------------------------------------------------- products with a common factor


def _independent_products(graph: Steps, loops: bool) -> list[int]:
    """At least MIN_PRODUCTS products with the same right factor; none needs another's result."""
    by_factor = defaultdict(list)
    for at, step in enumerate(graph.steps):
        if _mergeable(step, graph.steps, loops):
            by_factor[step.inputs[1]].append(at)
    groups = sorted(by_factor.values(), key=len, reverse=True)[:MAX_GROUPS]
    for group in groups:
        if len(group) < MIN_PRODUCTS:
            break
        before = _products_before(graph, set(group))
        depth, count = Counter([before[at] for at in group]).most_common(1)[0]
        if count >= MIN_PRODUCTS:
            return [at for at in group if before[at] == depth]
    return []


def _products_before(graph: Steps, group: set[int]) -> list[int]:
    """For each step, the largest number of the group's products on one path to it."""
    before = list[int]()
    for step in graph.steps:
        before.append(max([before[i] + (i in group) for i in step.inputs], default=0))
    return before


def _rows_merged(graph: Steps, group: Sequence[int]) -> Steps:
    """One product instead of a group; the steps that need it are put after all others."""
    new, new_position = GraphBuilder(), dict[int, int]()
    dependents = set(group)  # and the steps that need them
    for at, step in enumerate(graph.steps):
        if at in dependents:
            continue
        if any(i in dependents for i in step.inputs):
            dependents.add(at)
        else:
            new_position[at] = _append_copy(
                new, step, tuple([new_position[i] for i in step.inputs])
            )
    products = [graph.steps[at] for at in group]
    rows = _stacked(new, [new_position[step.inputs[0]] for step in products])
    first = products[0]
    shape = (new.steps[rows].shape[0], first.shape[1])
    product = new.add("matmul", shape, first.dtype, rows, new_position[first.inputs[1]])
    start = 0
    for at, step in zip(group, products, strict=True):
        stop = start + step.shape[0]
        index = ((start, stop, 1), (0, shape[1], 1))
        new_position[at] = new.add("slice", step.shape, step.dtype, product, index=index)
        new.steps[new_position[at]].name = step.name
        start = stop
    for at in sorted(dependents - set(group)):
        step = graph.steps[at]
        new_position[at] = _append_copy(new, step, tuple([new_position[i] for i in step.inputs]))
    return Steps(new.steps, {name: new_position[at] for name, at in graph.outputs.items()},
                 graph.derivatives)  # fmt: skip


__all__ = ["BY_LOOPS", "UNROLLED", "by_blas", "is_block_of_rows", "merged"]

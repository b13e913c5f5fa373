"""Pass 1: many small matrix products become a few large ones.

    x₁W, x₂W, …            →  the rows of  (x₁; x₂; …) W
    A₁ᵀB₁ + A₂ᵀB₂ + …      →  (A₁; A₂; …)ᵀ (B₁; B₂; …)

where (a; b) is b below a.  The first is how a recurrent net's inputs meet its weights, the second
the gradient of weights that are used at each step.  A product of 32 rows takes BLAS twice as long
for each row as one of 400.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

from nnlib.graph.lower.simple import Rewriting, users
from nnlib.graph.steps import Step, Steps

UNROLLED = 16  # products over at most this many terms are written out in loops
BY_LOOPS = 2**15  # multiplications from which a product is always BLAS's
LEAST = 4  # from so many products on, merging them pays
LARGE = 2**20  # multiplications up to which merging pays (measured at 12 products)
COPIED = 2**17  # the same without loops, where what is stacked has to be copied
MOST = 16  # groups of products with one factor that are looked at


def merged(graph: Steps, loops: bool = False) -> Steps:
    """The same outputs from fewer products; with `loops`, only BLAS's products are merged.

    >>> import nnlib
    >>> from nnlib.graph.lower.products import merged
    >>> def four(x, w):
    ...     return {f"row {k}": x[k] @ w for k in range(4)}
    >>> graph = nnlib.graph.trace(four, x=nnlib.ones(4, 3, 2), w=nnlib.ones(2, 5))
    >>> [step.op for step in merged(graph).steps].count("matmul")
    1
    """
    graph = _sums_merged(graph, loops)
    for _ in range(MOST):
        group = _side_by_side(graph, loops)
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


def is_block_of_rows(step: Step, given: Step) -> bool:
    """Whether a step is a slice that takes whole rows, one after the other."""
    if step.op != "slice" or not isinstance(step.attrs["index"][0], tuple):
        return False
    rows, *others = step.attrs["index"]
    return rows[2] == 1 and others == [(0, n, 1) for n in given.shape[1:]]


def _mergeable(step: Step, steps: Sequence[Step], loops: bool) -> bool:
    """Whether a step is a product of two matrices of floats that is worth merging."""
    if step.op != "matmul" or step.dtype not in ("float32", "float64"):
        return False
    given = [steps[i] for i in step.inputs]
    if any(len(s.shape) != 2 or s.dtype != step.dtype for s in given):
        return False
    size = given[0].shape[1] * math.prod(step.shape)
    if loops:
        return size <= LARGE and by_blas(step, steps)
    return 0 < size <= COPIED


def _copied(to: Rewriting, step: Step, inputs: tuple[int, ...]) -> int:
    to.steps.append(Step(step.op, step.shape, step.dtype, inputs, step.attrs, step.name,
                         step.value))  # fmt: skip
    return len(to.steps) - 1


def _below_each_other(to: Rewriting, parts: Sequence[int]) -> int:
    """The matrix of the rows of all parts."""
    first = to.steps[parts[0]]
    rows = sum([to.steps[i].shape[0] for i in parts])
    shape = (rows, first.shape[1])
    whole = _all_of_one(to, parts)
    if whole is None:
        return to.add("cat", shape, first.dtype, *parts, dim=0)
    return to.add("reshape", shape, first.dtype, whole, shape=shape)


def _all_of_one(to: Rewriting, parts: Sequence[int]) -> int | None:
    """The array of which the parts are the matrices x[0], x[1], …, or x[:, 0], x[:, 1], …"""
    first = to.steps[parts[0]]
    if first.op != "slice":
        return None
    base = first.inputs[0]
    shape = to.steps[base].shape
    dim = next((d for d, i in enumerate(first.attrs["index"]) if not isinstance(i, tuple)), None)
    if dim is None or shape[dim] != len(parts) or len(shape) != 3:
        return None
    for k, part in enumerate(parts):
        step = to.steps[part]
        index: list = [(0, n, 1) for n in shape]
        index[dim] = k
        if step.op != "slice" or step.inputs != (base,) or list(step.attrs["index"]) != index:
            return None
    if not dim:
        return base
    dims = (dim, *[d for d in range(3) if d != dim])
    return to.add("permute", tuple([shape[d] for d in dims]), first.dtype, base, dims=dims)


# ---------------------------------------------------------------- sums of products


def _sums_merged(graph: Steps, loops: bool) -> Steps:
    """Sums of at least LEAST products AᵀB become one product."""
    found = _sums(graph, loops)
    if not found:
        return graph
    to, moved = Rewriting(), list[int]()
    for at, step in enumerate(graph.steps):
        if at not in found:
            moved.append(_copied(to, step, tuple([moved[i] for i in step.inputs])))
            continue
        pairs, others = found[at]
        left = _below_each_other(to, [moved[a] for a, _ in pairs])
        right = _below_each_other(to, [moved[b] for _, b in pairs])
        (rows, n), m = to.steps[left].shape, to.steps[right].shape[1]
        turned = to.add("permute", (n, rows), step.dtype, left, dims=(1, 0))
        total = to.add("matmul", (n, m), step.dtype, turned, right)
        for other in others:
            total = to.add("add", step.shape, step.dtype, total, moved[other])
        to.steps[total].name = step.name
        moved.append(total)
    return Steps(to.steps, {name: moved[at] for name, at in graph.outputs.items()},
                 graph.derivatives)  # fmt: skip


def _sums(graph: Steps, loops: bool) -> dict[int, tuple[list[tuple[int, int]], list[int]]]:
    """By the last addition of a sum: the pairs A, B of its products AᵀB, and what else it adds."""
    readers, inner = users(graph), set[int]()
    found = {}
    for at in range(len(graph.steps) - 1, -1, -1):
        if graph.steps[at].op != "add" or at in inner:
            continue
        pairs, others = [], []
        for i in _addends(graph, at, readers, inner):
            whole = graph.steps[i].shape == graph.steps[at].shape  # and not a row for all rows
            pair = _crossed(graph, i, readers, loops) if whole else None
            if pair is None:
                others.append(i)
            else:
                pairs.append(pair)
        if len(pairs) >= LEAST:
            # In the order of the forward pass, in which the inputs of a recurrent net lie.
            found[at] = sorted(pairs, key=min), sorted(others)
    return found


def _addends(graph: Steps, at: int, readers: list[int], inner: set[int]) -> list[int]:
    """What a sum of equal shapes adds up; the additions that it alone reads go to `inner`."""
    total, found, ahead = graph.steps[at], [], [at]
    while ahead:
        for i in graph.steps[ahead.pop()].inputs:
            step = graph.steps[i]
            alike = (step.shape, step.dtype) == (total.shape, total.dtype)
            if step.op == "add" and alike and readers[i] == 1:
                inner.add(i)
                ahead.append(i)
            else:
                found.append(i)
    return found


def _crossed(graph: Steps, at: int, readers: list[int], loops: bool) -> tuple[int, int] | None:
    """The matrices A and B of which a step that nobody else reads is AᵀB, or (BᵀA)ᵀ."""
    step, turned = graph.steps[at], False
    if readers[at] == 1 and _is_transpose(step):
        at, turned = step.inputs[0], True
        step = graph.steps[at]
    if readers[at] != 1 or not _mergeable(step, graph.steps, loops):
        return None
    left, b = graph.steps[step.inputs[0]], step.inputs[1]
    if not _is_transpose(left):
        return None
    return (b, left.inputs[0]) if turned else (left.inputs[0], b)


def _is_transpose(step: Step) -> bool:
    return step.op == "permute" and tuple(step.attrs["dims"]) == (1, 0)


# ---------------------------------------------------------------- products with one factor


def _side_by_side(graph: Steps, loops: bool) -> list[int]:
    """At least LEAST products with one right factor, none of which needs another's result."""
    by_factor = defaultdict(list)
    for at, step in enumerate(graph.steps):
        if _mergeable(step, graph.steps, loops):
            by_factor[step.inputs[1]].append(at)
    groups = sorted(by_factor.values(), key=len, reverse=True)[:MOST]
    for group in groups:
        if len(group) < LEAST:
            break
        before = _products_before(graph, set(group))
        depth, count = Counter([before[at] for at in group]).most_common(1)[0]
        if count >= LEAST:
            return [at for at in group if before[at] == depth]
    return []


def _products_before(graph: Steps, group: set[int]) -> list[int]:
    """For each step: how many products of the group stand one after the other on a way to it."""
    before = list[int]()
    for step in graph.steps:
        before.append(max([before[i] + (i in group) for i in step.inputs], default=0))
    return before


def _rows_merged(graph: Steps, group: Sequence[int]) -> Steps:
    """One product in place of these; what needs it comes after all that does not."""
    to, moved = Rewriting(), dict[int, int]()
    after = set(group)
    for at, step in enumerate(graph.steps):
        if at in after:
            continue
        if any(i in after for i in step.inputs):
            after.add(at)
        else:
            moved[at] = _copied(to, step, tuple([moved[i] for i in step.inputs]))
    products = [graph.steps[at] for at in group]
    rows = _below_each_other(to, [moved[step.inputs[0]] for step in products])
    first = products[0]
    shape = (to.steps[rows].shape[0], first.shape[1])
    whole = to.add("matmul", shape, first.dtype, rows, moved[first.inputs[1]])
    start = 0
    for at, step in zip(group, products, strict=True):
        stop = start + step.shape[0]
        index = ((start, stop, 1), (0, shape[1], 1))
        moved[at] = to.add("slice", step.shape, step.dtype, whole, index=index)
        to.steps[moved[at]].name = step.name
        start = stop
    for at in sorted(after - set(group)):
        step = graph.steps[at]
        moved[at] = _copied(to, step, tuple([moved[i] for i in step.inputs]))
    return Steps(to.steps, {name: moved[at] for name, at in graph.outputs.items()},
                 graph.derivatives)  # fmt: skip


__all__ = ["BY_LOOPS", "UNROLLED", "by_blas", "is_block_of_rows", "merged"]

"""For NumPy: chains of elementwise steps over large arrays, computed in blocks that fit the cache.

A chain's steps are moved next to each other, as far as their order allows.  Each block then passes
through all of them while it is in the cache; a result that only the chain uses is never stored as a
whole array.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nnlib.graph.steps import Step, Steps

LARGE = 2**17  # from this many elements on, blocks are faster
BLOCK = 2**14  # elements of a block: a few blocks fit into a core's cache

Chain = list[int]
LinesOf = Callable[[Step, list[str], str], list[str]]  # how a step writes into an array


def group_chain(
    graph: Steps, positions: Sequence[int], elementwise: set[str]
) -> tuple[list[Step], list[int], list[Chain]]:
    """Make chains contiguous: the reordered steps, the new `positions`, and the chains."""
    steps = _unexpanded(graph.steps, elementwise)
    members = _members(steps, elementwise)
    if len(members) < 2:
        return graph.steps, list(positions), []
    chain = set(members)
    after: set[int] = set()  # steps that depend on the chain and are not part of it
    for at, step in enumerate(steps):
        if at not in chain and any(i in chain or i in after for i in step.inputs):
            after.add(at)
    before = [at for at in range(len(steps)) if at not in chain and at not in after]
    order = [*before, *members, *sorted(after)]
    new = {at: k for k, at in enumerate(order)}
    reordered = [
        Step(s.op, s.shape, s.dtype, tuple([new[i] for i in s.inputs]), s.attrs, s.name, s.value)
        for s in (steps[at] for at in order)
    ]
    return reordered, [new[at] for at in positions], [[new[at] for at in members]]


def _unexpanded(steps: Sequence[Step], elementwise: set[str]) -> list[Step]:
    """The steps; an elementwise one reads an expanded scalar directly.

    It must have another input of its own shape, which the scalar is broadcast to.
    """
    result = []
    for step in steps:
        inputs = list(step.inputs)
        for k, i in enumerate(inputs):
            if (
                step.op not in elementwise
                or steps[i].op != "expand"
                or math.prod(steps[steps[i].inputs[0]].shape) != 1
            ):
                continue
            if any(steps[j].shape == step.shape for j in inputs[:k] + inputs[k + 1 :]):
                inputs[k] = steps[i].inputs[0]
        result.append(Step(step.op, step.shape, step.dtype, tuple(inputs), step.attrs, step.name,
                         step.value))  # fmt: skip
    return result


def _members(steps: Sequence[Step], elementwise: set[str]) -> list[int]:
    """The first chain: large elementwise steps of one shape, and the sums of all their elements."""
    shape: tuple[int, ...] | None = None
    dtype = ""
    members: list[int] = []
    dependent: set[int] = set()  # steps that depend on the chain through a step outside it
    for at, step in enumerate(steps):
        if any(i in dependent for i in step.inputs):
            dependent.add(at)
            continue
        large = math.prod(step.shape) >= LARGE and step.op in elementwise
        fits = shape is None or (step.shape, step.dtype) == (shape, dtype)
        if large and fits and _flat(step, steps):
            shape, dtype = step.shape, step.dtype
            members.append(at)
        elif (
            shape is not None
            and step.inputs
            and step.inputs[0] in members
            and _full_sum(step, steps, shape)
            and step.dtype == dtype
        ):
            members.append(at)
            dependent.add(at)  # the sum is known only after the last block
        elif any(i in members for i in step.inputs):
            dependent.add(at)
    return members


def _flat(step: Step, steps: Sequence[Step]) -> bool:
    dtypes = {steps[i].dtype for i in step.inputs} | {step.dtype}
    return dtypes <= {"float32", "float64"} and len(dtypes) == 1 and all(
        steps[i].shape == step.shape or math.prod(steps[i].shape) == 1 for i in step.inputs
    )  # fmt: skip


def _full_sum(step: Step, steps: Sequence[Step], shape: tuple[int, ...]) -> bool:
    return (
        step.op == "sum" and math.prod(step.shape) == 1 and steps[step.inputs[0]].shape == shape
        and step.dtype in ("float32", "float64")
    )  # fmt: skip


def chain_function(
    steps: Sequence[Step], chain: Chain, stored: set[int], lines: LinesOf, names: dict[str, Any]
) -> tuple[Callable[..., tuple], list[int], list[int], str]:
    """The function that computes a chain, its inputs, its results (those `stored`), its source."""
    inside = set(chain)
    inputs = list(dict.fromkeys(i for at in chain for i in steps[at].inputs if i not in inside))
    results = [at for at in chain if at in stored]
    shape = next(steps[at].shape for at in chain if math.prod(steps[at].shape) >= LARGE)
    size, dtype = math.prod(shape), np.dtype(steps[chain[0]].dtype)
    code = [f"def blocks({', '.join(f'g{i}' for i in inputs)}):"]
    for i in inputs:
        is_number = math.prod(steps[i].shape) == 1
        flat = f"g{i}.reshape(())[()]" if is_number else f"g{i}.reshape(-1)"
        code.append(f"    g{i} = {flat}")
    for at in chain:
        if steps[at].op == "sum":
            code.append(f"    s{at} = 0.0")
        elif at in stored:
            code.append(f"    r{at} = empty({shape}, dtype); f{at} = r{at}.reshape(-1)")
        else:
            code.append(f"    b{at} = empty({min(BLOCK, size)}, dtype)")
    code += [f"    for a in range(0, {size}, {BLOCK}):", f"        e = min(a + {BLOCK}, {size})"]
    for i in inputs:
        if math.prod(steps[i].shape) != 1:
            code.append(f"        x{i} = g{i}[a:e]")
    for at in chain:
        xs = [f"x{i}" if i in inside or math.prod(steps[i].shape) != 1 else f"g{i}"
              for i in steps[at].inputs]  # fmt: skip
        if steps[at].op == "sum":
            code.append(f"        s{at} += float(add.reduce({xs[0]}))")
            continue
        target = f"f{at}[a:e]" if at in stored else f"b{at}[:e - a]"
        code.append(f"        x{at} = {target}")
        code += [f"        {line}" for line in lines(steps[at], xs, f"x{at}")]
    for at in chain:
        if steps[at].op == "sum":
            code.append(f"    r{at} = dtype.type(s{at}).reshape({steps[at].shape})[()]")
    code.append(f"    return ({''.join(f'r{at}, ' for at in results)})")
    scope = {**names, "empty": np.empty, "dtype": dtype}
    source = "\n".join(code)
    exec(compile(source, "<blocks>", "exec"), scope)
    return scope["blocks"], inputs, results, source

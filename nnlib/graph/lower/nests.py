"""Pass 4: steps are grouped into nests of loops, and nests and NumPy calls are put in order.

A nest runs over one domain: a shape without its dimensions of length 1.  A step joins the first
nest of its domain in which everything that it reads is computed either earlier or at the same
position.  A step that reads nothing that loops compute, and that is read by one step, joins the
nest of that step.  Steps that need NumPy (large products, gathers, sorts, …) are calls; calls end
a phase, and loops that do not depend on them run before them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from nnlib.graph.lower.expressions import TYPES, is_elementwise, is_reduction
from nnlib.graph.lower.layouts import View
from nnlib.graph.lower.matmuls import BY_LOOPS, UNROLLED
from nnlib.graph.steps import Step, Steps

Shape = tuple[int, ...]
BY_DOTS = 2**11  # instead of BY_LOOPS if the sums run along memory, where loops are slower
MOST_DIMS = 10  # nested loops; more need more names of variables
SHORT, LONG = 16, 32  # a matrix of at least LONG rows, each at most SHORT, is column-major


@dataclass
class Nest:
    """Loops over `domain`, and the steps that are computed at each position."""

    phase: int
    domain: Shape
    steps: list[int] = field(default_factory=list)
    product: bool = False  # whether it is one matrix product, without other steps


@dataclass
class Plan:
    """Which step is computed where: `nest_of[at]` or `calls[phase]`; stored steps have an array."""

    graph: Steps
    views: list[View]
    nests: list[Nest]
    calls: list[list[int]]  # by phase
    nest_of: dict[int, int]  # step -> position in `nests`
    stored: set[int]


def domain_of(shape: Shape) -> Shape:
    return tuple([n for n in shape if n != 1])


def prefers_column_major(domain: Shape) -> bool:
    """Whether loops run down the columns, because rows are too short for vector instructions."""
    return len(domain) == 2 and domain[1] <= SHORT and domain[0] >= LONG


def with_column_major_copies(graph: Steps) -> Steps:
    """Copy an input to column-major memory if a product that is written out adds up its columns."""
    steps, new_position = list[Step](), list[int]()
    summed = {
        step.inputs[0] for step in graph.steps
        if step.op == "matmul" and prefers_column_major(domain_of(step.shape))
        and terms(step, graph.steps) <= UNROLLED
    }  # fmt: skip
    for at, step in enumerate(graph.steps):
        inputs = tuple([new_position[i] for i in step.inputs])
        steps.append(Step(step.op, step.shape, step.dtype, inputs, step.attrs, step.name,
                          step.value))  # fmt: skip
        is_summed = step.op == "input" and at in summed
        if is_summed and prefers_column_major(step.shape) and step.dtype in TYPES:
            steps.append(Step("copy", step.shape, step.dtype, (len(steps) - 1,)))
        new_position.append(len(steps) - 1)
    outputs = {}
    for name, at in graph.outputs.items():
        is_input = graph.steps[at].op == "input"
        has_copy = is_input and steps[new_position[at]].op == "copy"  # directly after the input
        outputs[name] = new_position[at] - has_copy
    return Steps(steps, outputs, graph.derivatives)


def small_product(step: Step, steps: list[Step], views: list[View]) -> bool:
    """Whether loops compute a product faster than BLAS."""
    if step.op != "matmul" or step.dtype not in ("float32", "float64"):
        return False
    a, b = (steps[i] for i in step.inputs)
    if len(a.shape) > 2 or len(b.shape) > 2 or a.dtype != step.dtype or b.dtype != step.dtype:
        return False
    n_terms = terms(step, steps)
    if n_terms <= UNROLLED and prefers_column_major(domain_of(step.shape)):
        return True  # a column is a sum of columns
    left, right = (views[i] for i in step.inputs)
    contiguous = _is_contiguous_along(right, b.shape, len(b.shape) - 1) or _is_contiguous_along(
        left, a.shape, 0
    )
    column = len(b.shape) == 1 or b.shape[-1] == 1  # each result is one sum, written out if short
    limit = BY_LOOPS if contiguous or (column and n_terms <= UNROLLED) else BY_DOTS
    return n_terms * math.prod(step.shape) <= limit


def _is_contiguous_along(view: View, shape: Shape, dim: int) -> bool:
    """Whether neighbours along a factor's dimension `dim` are neighbours in memory."""
    if len(shape) < 2:
        return False
    long_axes = [axis for axis, n in zip(view.axes, view.shape) if n != 1]
    if shape[dim] == 1 or not long_axes:
        return False
    return long_axes[-1].dim == dim and long_axes[-1].stride == 1


def terms(step: Step, steps: list[Step]) -> int:
    """The number of terms in each sum of a product."""
    return steps[step.inputs[0]].shape[-1]


class Grouping:
    """Assigns each step to a nest or a call, in one pass; `plan()` returns the result."""

    def __init__(self, graph: Steps, views: list[View]) -> None:
        self.graph, self.steps, self.views = graph, graph.steps, views
        self.nests: list[Nest] = []
        self.nest_of: dict[int, int] = {}
        self.calls: list[list[int]] = [[]]
        self.called: dict[int, int] = {}  # step -> the phase at whose end it is called
        self.stored: set[int] = set()
        self.deferred: set[int] = set()  # steps that go into the nest of the one that reads them
        outputs = set(graph.outputs.values())
        needed = self._needed(outputs)
        readers = self._readers(needed)
        for at, step in enumerate(self.steps):
            if at not in needed or step.op in ("input", "constant") or self._is_view(at):
                continue
            has_one_reader = at not in outputs and len(readers[at]) == 1
            if has_one_reader and self._can_be_deferred(at, *readers[at]):
                self.deferred.add(at)
            else:
                self._assign(at, step)
        for at in outputs:
            self._store(at)

    def plan(self) -> Plan:
        return Plan(self.graph, self.views, self.nests, self.calls, self.nest_of, self.stored)

    def _needed(self, outputs: set[int]) -> set[int]:
        needed = set(outputs)
        for at in range(len(self.steps) - 1, -1, -1):
            if at in needed:
                needed |= set(self.steps[at].inputs)
        return needed

    def _readers(self, needed: set[int]) -> list[set[int]]:
        readers: list[set[int]] = [set() for _ in self.steps]
        for at in needed:
            for i in self.steps[at].inputs:
                readers[i].add(at)
        return readers

    def _is_view(self, at: int) -> bool:
        return self.views[at].at != at

    def _can_be_deferred(self, at: int, reader: int) -> bool:
        """Whether a step can be computed in the nest of the one step that reads it.

        Then it needs no array.  What it reads must not be computed by loops, since that would have
        to be stored in an array instead.
        """
        step, reading = self.steps[at], self.steps[reader]
        operands = [self.steps[i] for i in step.inputs]
        if not operands or not is_elementwise(step, operands):
            return False
        if any(self.views[i].at in self.nest_of for i in step.inputs):
            return False
        if is_reduction(reading, step):
            return True
        same_domain = domain_of(reading.shape) == domain_of(step.shape)
        return same_domain and is_elementwise(reading, [self.steps[i] for i in reading.inputs])

    def _with_deferred(self, inputs: list[int]) -> tuple[list[int], list[int]]:
        """The inputs, deferred steps replaced by their own inputs; and these steps in order."""
        expanded, deferred = list(inputs), list[int]()
        for i in expanded:  # the list grows in the loop
            if i in self.deferred and i not in deferred:
                deferred.append(i)
                expanded += self.steps[i].inputs
        return [i for i in expanded if i not in deferred], sorted(deferred)

    # ------------------------------------------------------------ one step
    def _assign(self, at: int, step: Step) -> None:
        operands = [self.steps[i] for i in step.inputs]
        if step.op == "matmul" and small_product(step, self.steps, self.views):
            alone = terms(step, self.steps) > UNROLLED
            self._join(at, domain_of(step.shape), list(step.inputs), own=False, alone=alone)
            if alone:
                self.stored.add(at)
        elif operands and is_elementwise(step, operands):
            self._join(at, domain_of(step.shape), list(step.inputs), own=True)
        elif operands and is_reduction(step, operands[0]):
            self._join(at, domain_of(operands[0].shape), list(step.inputs), own=True)
            self.stored.add(at)
        else:
            self._call(at, step)

    def _join(
        self, at: int, domain: Shape, inputs: list[int], own: bool, alone: bool = False
    ) -> None:
        """Put a step into the first suitable nest; `own`: it reads only at its own position."""
        inputs, deferred = self._with_deferred(inputs)
        phase, first = 0, 0
        for i in inputs:
            origin = self.views[i].at
            if origin in self.called:
                phase = max(phase, self.called[origin] + 1)
            elif origin in self.nest_of:
                earlier = self.nest_of[origin]
                local = own and i == origin and self._local(i, earlier, domain)
                first = max(first, earlier if local else earlier + 1)
                phase = max(phase, self.nests[earlier].phase)
        chosen = None
        if not alone:
            chosen = next(
                (
                    k
                    for k in range(first, len(self.nests))
                    if self._takes(k, phase, domain) and self._in_order(k, inputs)
                ),
                None,
            )
        if chosen is None:
            chosen = len(self.nests)
            self.nests.append(Nest(phase, domain, product=alone))
        for k in (*deferred, at):
            self.nests[chosen].steps.append(k)
            self.nest_of[k] = chosen
        for i in inputs:
            origin = self.views[i].at
            is_local = self.nest_of.get(origin) == chosen and i == origin
            if origin in self.nest_of and not (own and is_local):
                self._store(origin)

    def _takes(self, k: int, phase: int, domain: Shape) -> bool:
        nest = self.nests[k]
        return nest.domain == domain and nest.phase >= phase and not nest.product

    def _local(self, i: int, nest: int, domain: Shape) -> bool:
        """Whether a step's value is a local variable at each position of its nest."""
        reduced = is_reduction_step(self.steps, i, self.nests[nest])
        return self.nests[nest].domain == domain == domain_of(self.steps[i].shape) and not reduced

    def _in_order(self, k: int, inputs: list[int]) -> bool:
        """Whether nests, which run by phase and then by number, compute the inputs early enough."""
        own_turn = (self.nests[k].phase, k)
        return all(
            (self.nests[n].phase, n) <= own_turn
            for i in inputs if (n := self.nest_of.get(self.views[i].at)) is not None
        )  # fmt: skip

    def _store(self, at: int) -> None:
        self.stored.add(self.views[at].at)

    def _call(self, at: int, step: Step) -> None:
        phase = 0
        for i in step.inputs:
            origin = self.views[i].at
            if origin in self.called:
                phase = max(phase, self.called[origin])
            elif origin in self.nest_of:
                phase = max(phase, self.nests[self.nest_of[origin]].phase)
                self._store(origin)
        while len(self.calls) <= phase:
            self.calls.append([])
        self.calls[phase].append(at)
        self.called[at] = phase


def is_reduction_step(steps: list[Step], at: int, nest: Nest) -> bool:
    """Whether a step of a nest is a reduction, whose value is known only after the loops."""
    step = steps[at]
    return bool(step.inputs) and step.op in _REDUCED and is_reduction(step, steps[step.inputs[0]])


_REDUCED = ("sum", "amax", "amin", "prod", "any", "all")


def group(graph: Steps, views: list[View]) -> Plan:
    """The plan of a graph whose views are index maps.

    >>> import nnlib
    >>> from nnlib.graph.lower.nests import group
    >>> from nnlib.graph.lower.layouts import views
    >>> graph = nnlib.graph.trace(lambda x: (x.exp() * 2).sum(), x=nnlib.ones(4))
    >>> [nest.domain for nest in group(*views(graph)).nests]
    [(4,)]
    """
    return Grouping(graph, views).plan()


def fits(graph: Steps) -> bool:
    """Whether loops can be used: not for empty arrays, nor for images, which have a layout."""
    return all(
        math.prod(s.shape)
        and not s.op.startswith(("conv", "max_pool", "avg_pool"))
        and len(domain_of(s.shape)) < MOST_DIMS  # a product has one loop more
        for s in graph.steps
    ) and any(s.dtype in TYPES for s in graph.steps)


__all__ = [
    "MOST_DIMS", "Nest", "Plan", "domain_of", "fits", "group", "is_reduction_step",
    "prefers_column_major", "small_product", "terms", "with_column_major_copies",
]  # fmt: skip

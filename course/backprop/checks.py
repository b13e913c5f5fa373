"""Exercises of the chapter on backpropagation: chains, blame, fan-out, losses, deep chains."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnlib
from course.kit.exercises import function, mistake, puzzle

EDGES = ("w03", "w13", "w23", "w04", "w14", "w24", "w05", "w35", "w45")


def g(z: Any) -> Any:
    return nnlib.sigmoid(z)


def slope(a: Any) -> Any:
    """The logistic's slope where it gives out a."""
    return a * (1 - a)


# --- two layers -----------------------------------------------------------------------------------


def two_layers(w1: Any, w2: Any, x: Any) -> Any:
    a1 = g(w1 * x)
    return slope(g(w2 * a1)) * w2 * slope(a1) * x


def as_scalars(count: int) -> Any:
    return lambda rng: tuple(np.array(v) for v in rng.normal(size=count))


chain = function(
    "chain",
    like=two_layers,
    given=as_scalars(3),
    mistakes=[
        mistake(
            "You add the local slopes: along one path they multiply.",
            lambda w1, w2, x: slope(g(w2 * g(w1 * x))) + w2 + slope(g(w1 * x)) + x,
        ),
        mistake(
            "This is the derivative by w₂: the chain goes one layer further.",
            lambda w1, w2, x: slope(g(w2 * g(w1 * x))) * g(w1 * x),
        ),
        mistake(
            "The last factor is missing: w₁ is multiplied by x.",
            lambda w1, w2, x: slope(g(w2 * g(w1 * x))) * w2 * slope(g(w1 * x)),
        ),
        mistake(
            "Between the layers stands w₂: a change of L₁ is multiplied by it.",
            lambda w1, w2, x: slope(g(w2 * g(w1 * x))) * slope(g(w1 * x)) * x,
        ),
        mistake(
            "Each slope has a place of its own: the outer one is taken at w₂L₁, not at w₁x.",
            lambda w1, w2, x: slope(g(w1 * x)) * w2 * slope(g(w1 * x)) * x,
        ),
    ],
    learned="Four local slopes, one product.",
)

# --- who is blameless ----------------------------------------------------------------------------

IDLE = {"w13", "w14"}


def idle_problem(answer: Any) -> str | None:
    if isinstance(answer, str):
        return "a list of names is needed, such as ['w03', 'w45']."
    named = set(answer)
    if unknown := named - set(EDGES):
        return f"{sorted(map(str, unknown))[0]} is none of the nine names."
    if named == IDLE:
        return None
    if named == {"w23", "w24"}:
        return "these are the weights of x₂, which is 1. A gradient is aᵢ δⱼ: which aᵢ is 0?"
    if named == IDLE | {"w03", "w04"}:
        return "a bias is multiplied by 1, whatever the inputs are: it is to blame."
    if named == {"w35", "w45"}:
        return "a₃ and a₄ are answers of sigmoids, and these are never 0."
    return "a gradient is aᵢ δⱼ, and no δ is 0 here. Which aᵢ is?"


idle = puzzle(
    "idle",
    right=["w13", "w14"],
    problem=idle_problem,
    mistakes=[
        mistake("these are the weights of x₂, which is 1", ["w23", "w24"]),
        mistake("a bias is multiplied by 1", ["w03", "w13", "w04", "w14"]),
        mistake("never 0", ["w35", "w45"]),
        mistake("no δ is 0 here", ["w13"]),
    ],
    learned="What was silent is not to blame.",
)

# --- step four -----------------------------------------------------------------------------------


def tables(rng: np.random.Generator) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """A neuron, weights, activations and errors, of a net of five."""
    return int(rng.integers(1, 5)), rng.normal(size=(6, 6)), rng.uniform(size=6), rng.normal(size=6)


error = function(
    "error",
    like=lambda i, w, a, delta: slope(a[i]) * (w[i] @ delta),
    given=tables,
    stars=2,
    mistakes=[
        mistake(
            "This is dLoss/daᵢ. The neuron's own slope g′(inᵢ) = aᵢ(1 − aᵢ) is missing.",
            lambda i, w, a, delta: w[i] @ delta,
        ),
        mistake(
            "You walk along the weights that lead into neuron i: w[:, i]. Blame comes from those "
            "that i feeds: w[i].",
            lambda i, w, a, delta: slope(a[i]) * (w[:, i] @ delta),
        ),
        mistake(
            "aᵢ is already g(inᵢ): its slope is aᵢ(1 − aᵢ), without another sigmoid.",
            lambda i, w, a, delta: slope(g(a[i])) * (w[i] @ delta),
        ),
        mistake(
            "The slope belongs to neuron i alone: aᵢ(1 − aᵢ), not one for each successor.",
            lambda i, w, a, delta: (slope(a) * w[i]) @ delta,
        ),
    ],
    learned="Blame flows back through the weights that carried the signal forward.",
)

# --- both paths of an input ----------------------------------------------------------------------


def outer_error(w: Any, a: Any, y: Any) -> Any:
    return 2 * (a[5] - y) * slope(a[5])


def path(w: Any, a: Any, y: Any, through: int, power: int = 1) -> Any:
    """What flows back to input 1 through one hidden neuron."""
    inner = outer_error(w, a, y) * w[through, 5] * slope(a[through]) ** power
    return inner * w[1, through]


def a_pass(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return rng.normal(size=(6, 6)), rng.uniform(size=6), np.array(rng.uniform())


fanout = function(
    "fanout",
    like=lambda w, a, y: path(w, a, y, 3) + path(w, a, y, 4),
    given=a_pass,
    stars=2,
    mistakes=[
        mistake(
            "You kept only the path through neuron 4: it overwrote the one through neuron 3. Add.",
            lambda w, a, y: path(w, a, y, 4),
        ),
        mistake(
            "You kept only the path through neuron 3; x₁ feeds neuron 4 as well.",
            lambda w, a, y: path(w, a, y, 3),
        ),
        mistake(
            "The two paths multiply in your answer: along a path slopes multiply, paths add.",
            lambda w, a, y: path(w, a, y, 3) * path(w, a, y, 4),
        ),
        mistake(
            "An input has no sigmoid: the factor a₁(1 − a₁) does not belong here.",
            lambda w, a, y: slope(a[1]) * (path(w, a, y, 3) + path(w, a, y, 4)),
        ),
        mistake(
            "The hidden neurons' own slopes a₃(1 − a₃) and a₄(1 − a₄) are missing.",
            lambda w, a, y: path(w, a, y, 3, 0) + path(w, a, y, 4, 0),
        ),
    ],
    learned="Along a path slopes multiply; where paths meet they add.",
)

# --- another loss --------------------------------------------------------------------------------


def probabilities(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return np.array(rng.uniform(0.05, 0.95)), np.array(rng.uniform(0.05, 0.95))


entropy = function(
    "entropy",
    like=lambda a5, y: a5 - y,
    given=probabilities,
    stars=2,
    mistakes=[
        mistake(
            "This is dLoss/da₅. Times g′(in₅) = a₅(1 − a₅) it becomes δ₅.",
            lambda a5, y: (a5 - y) / slope(a5),
        ),
        mistake(
            "This is the δ₅ of the squared error.",
            lambda a5, y: 2 * (a5 - y) * slope(a5),
        ),
        mistake(
            "The slope a₅(1 − a₅) is in there once too often: it cancels.",
            lambda a5, y: (a5 - y) * slope(a5),
        ),
    ],
    learned="The sigmoid's slope cancels: a neuron that is sure and wrong still learns.",
)

# --- a chain of any depth -------------------------------------------------------------------------


def chain_gradient(w: Any, x: Any, y: Any) -> Any:
    leaf = w.detach().requires_grad_()
    a = x
    for k in range(leaf.shape[0]):
        a = g(leaf[k] * a)
    return nnlib.autograd.grad((a - y) ** 2, [leaf])[0]


def walk_back(late: bool = False, skip: bool = False, bare: bool = False) -> Any:
    """The backward walk down a chain, with one slip or none."""

    def run(w: Any, x: Any, y: Any) -> Any:
        a = [x]
        for k in range(w.shape[0]):
            a.append(g(w[k] * a[-1]))
        blame, found = 2 * (a[-1] - y), list[Any]()
        for k in reversed(range(w.shape[0])):
            delta = blame if bare else blame * slope(a[k + 1])
            found.insert(0, delta * (a[k + 1] if late else a[k]))
            blame = delta if skip else delta * w[k]
        return nnlib.stack(found)

    return run


deep = function(
    "deep",
    like=chain_gradient,
    given=lambda rng: (2 * rng.normal(size=4), np.array(rng.normal()), np.array(rng.uniform())),
    stars=3,
    mistakes=[
        mistake(
            "A weight multiplies what came into its neuron: the activation before, not its own.",
            walk_back(late=True),
        ),
        mistake(
            "On its way back the error passes through the weight: multiply δ by w[k].",
            walk_back(skip=True),
        ),
        mistake("Each neuron's own slope a(1 − a) is missing.", walk_back(bare=True)),
        mistake(
            "The numbers are right and their order is turned: the first weight's comes first.",
            lambda w, x, y: chain_gradient(w, x, y).flip(0),
        ),
    ],
    learned="One walk back, however deep the chain.",
)

EXERCISES = [chain, idle, error, fanout, entropy, deep]

"""Exercises of the chapter on layers: counting, folding, bumps, twins of a network, freezing."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from course.kit.exercises import function, gradient, mistake, puzzle

# --- how many numbers are in w? -----------------------------------------------------------------


def pairs(sizes: list[int]) -> list[tuple[int, int]]:
    return list(itertools.pairwise(sizes))


count = function(
    "count",
    like=lambda sizes: sum(b * (a + 1) for a, b in pairs(sizes)),
    given=lambda rng: ([int(n) for n in rng.integers(1, 9, rng.integers(3, 6))],),
    stars=1,
    mistakes=[
        mistake(
            "These are the edges alone: every neuron that is no input has a bias besides.",
            lambda sizes: sum(a * b for a, b in pairs(sizes)),
        ),
        mistake(
            "Inputs are given numbers: they have no bias.",
            lambda sizes: sum(a * b for a, b in pairs(sizes)) + sum(sizes),
        ),
        mistake(
            "You count one bias a layer; each neuron has its own.",
            lambda sizes: sum(a * b + 1 for a, b in pairs(sizes)),
        ),
        mistake(
            "The one belongs to the inputs of a neuron, not to the number of neurons: b (a + 1).",
            lambda sizes: sum(a * (b + 1) for a, b in pairs(sizes)),
        ),
    ],
    learned="Widening one layer costs on both of its sides.",
)

# --- two layers without a bend are one ----------------------------------------------------------

fold = function(
    "fold",
    like=lambda W1, b1, W2, b2: (W2 @ W1, W2 @ b1 + b2),
    given=lambda rng: (
        rng.normal(size=(3, 3)),
        rng.normal(size=3),
        rng.normal(size=(3, 3)),
        rng.normal(size=3),
    ),
    stars=2,
    mistakes=[
        mistake(
            "The order is turned: the first layer acts first, so its table stands on the right.",
            lambda W1, b1, W2, b2: (W1 @ W2, W2 @ b1 + b2),
        ),
        mistake(
            "The first layer's biases pass through the second layer's weights too.",
            lambda W1, b1, W2, b2: (W2 @ W1, b1 + b2),
        ),
        mistake(
            "The first layer's biases are lost.",
            lambda W1, b1, W2, b2: (W2 @ W1, b2),
        ),
        mistake(
            "Layers are applied one after the other, so their tables multiply; they do not add.",
            lambda W1, b1, W2, b2: (W1 + W2, b1 + b2),
        ),
    ],
    learned="Only what stands between the layers, g, keeps them apart.",
)

# --- two sigmoids make a bump -------------------------------------------------------------------

SEVEN = "seven numbers are needed: two for each hidden neuron, three for the output."
STAYS = "it rises at x = 1 and stays up at x = 2: the second neuron has to say no to the output."
DIP = "this is a dip: low at x = 1, high on both sides. Turn the output's signs."
SOFT = (
    "the answer is highest at x = 1, but too soft: which change of the weights leaves the "
    "places where the sigmoids cross ½ and makes them steeper?"
)
NO_BUMP = "no bump yet: the answers at 0, 1 and 2 should be low, high, low."


def bump_problem(answer: Any) -> str | None:
    w = np.asarray(answer, float).ravel()
    if w.size != 7:
        return SEVEN
    x = np.array([0.0, 1.0, 2.0])

    def sigmoid(z: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-np.clip(z, -500, 500)))

    hidden = [sigmoid(w[k] + w[k + 1] * x) for k in (0, 2)]
    low, high, after = sigmoid(w[4] + w[5] * hidden[0] + w[6] * hidden[1])
    if low < 0.1 and high > 0.9 and after < 0.1:
        return None
    if high > 0.9 and after > 0.9 and low < 0.1:
        return STAYS
    if high < 0.1 and low > 0.9 and after > 0.9:
        return DIP
    return SOFT if high > low and high > after else NO_BUMP


bump = puzzle(
    "bump",
    right=[-10, 20, -30, 20, -5, 10, -10],
    problem=bump_problem,
    stars=2,
    mistakes=[
        mistake(SEVEN, [-10, 20, -30, 20]),
        mistake(STAYS, [-10, 20, -30, 20, -5, 10, 10]),
        mistake(DIP, [-10, 20, -30, 20, 5, -10, 10]),
        mistake(SOFT, [-0.5, 1, -1.5, 1, -0.5, 1, -1]),
        mistake(NO_BUMP, [0, 0, 0, 0, 0, 0, 0]),
    ],
    learned="It is the AND-NOT of XOR, along a line.",
)

# --- neurons have no order ----------------------------------------------------------------------

swap = function(
    "swap",
    like=lambda w: nnlib.cat([w[3:6], w[0:3], w[6:7], w[8:9], w[7:8]]),
    given=lambda rng: (rng.normal(size=9),),
    stars=2,
    mistakes=[
        mistake(
            "The hidden neurons have changed places, but neuron 5 still weighs the old order.",
            lambda w: nnlib.cat([w[3:6], w[0:3], w[6:9]]),
        ),
        mistake(
            "Neuron 5 weighs the new order, but the hidden neurons are where they were.",
            lambda w: nnlib.cat([w[0:6], w[6:7], w[8:9], w[7:8]]),
        ),
        mistake(
            "The order within each hidden neuron is turned as well: its bias comes first.",
            lambda w: nnlib.cat([w[0:6].flip(0), w[6:7], w[8:9], w[7:8]]),
        ),
    ],
    learned="Another w, the same function.",
)

# --- the output neuron is a logistic regression ---------------------------------------------------


def with_ones(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The output's numbers, features behind a column of ones, classes 0 and 1."""
    A = np.column_stack([np.ones(9), rng.uniform(size=(9, 2))])
    return rng.normal(size=3), A, rng.permutation(np.arange(9) % 2).astype(float)


output = gradient(
    "output",
    of=lambda v, A, y: F.binary_cross_entropy_with_logits(A @ v, y),
    given=with_ones,
    stars=2,
    mistakes=[
        mistake(
            "You use the logit where the probability belongs: this is linear regression.",
            lambda v, A, y: A.T @ (A @ v - y) / len(y),
        ),
        mistake(
            "The factor p (1 − p) belongs to the squared error; in cross-entropy it cancels.",
            lambda v, A, y: A.T @ ((A @ v).sigmoid() - y).mul(slope(A @ v)) / len(y),
        ),
        mistake(
            "This is a number for each example: add them up, each times its features.",
            lambda v, A, y: (A @ v).sigmoid() - y,
        ),
    ],
    learned="Prediction minus target, weighted by the features: logistic regression's own.",
)


def slope(z: Any) -> Any:
    return z.sigmoid() * (1 - z.sigmoid())


# --- freeze the hidden layer ----------------------------------------------------------------------


def five(x: Any, w: Any) -> Any:
    """The five-neuron net's answers."""
    hidden = w[:6].reshape(2, 3)
    return (w[6] + (hidden[:, 0] + x @ hidden[:, 1:].T).sigmoid() @ w[7:]).sigmoid()


def descent(part: slice) -> Any:
    """Gradient descent that moves only some of the nine numbers."""

    def run(w: Any, x: Any, y: Any, steps: int = 3) -> Any:
        only = np.zeros(9)
        only[part] = 1
        for _ in range(steps):
            w = w.detach().requires_grad_()
            (g,) = nnlib.autograd.grad(F.binary_cross_entropy(five(x, w), y), [w])
            w = w - nnlib.tensor(only) * g
        return w.detach()

    return run


def noisy_xor(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x = rng.normal(size=(8, 2))
    return rng.normal(size=9), x, (x[:, 0] * x[:, 1] < 0).astype(float)


freeze = function(
    "freeze",
    like=descent(slice(6, 9)),
    given=noisy_xor,
    stars=3,
    mistakes=[
        mistake("All nine numbers move: nothing is frozen.", descent(slice(0, 9))),
        mistake("The other way round: the output neuron is frozen here.", descent(slice(0, 6))),
        mistake("The output neuron's bias is its own too: let it move.", descent(slice(7, 9))),
        mistake("Nothing moves at all.", descent(slice(0, 0))),
    ],
    learned="Three numbers move on six that stay: logistic regression.",
)

EXERCISES = [count, fold, bump, swap, output, freeze]

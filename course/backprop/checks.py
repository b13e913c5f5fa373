"""The exercises of the chapter on backpropagation and their checks."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnlib
from course.kit.exercises import function, mistake, value

CORNER_ANSWER = 1 / (1 + np.exp(0.5 - 1 / (1 + np.exp(-1.5)) + 1 / (1 + np.exp(-0.5))))


def g(z: Any) -> Any:
    return nnlib.sigmoid(z)


def slope(a: Any) -> Any:
    """The derivative of the logistic function where its value is a."""
    return a * (1 - a)


# --- the other target -----------------------------------------------------------------------------

target = value(
    "target",
    solution=(CORNER_ANSWER - 1) / CORNER_ANSWER,
    tolerance=2e-3,
    mistakes=[
        mistake(
            "The sign is right, but the size changes too: 2(a₅ − y) was 0.849 with y = 0. What is "
            "it with y = 1?",
            -1.0,
        ),
        mistake(
            "The size is right. With y = 1 the answer a₅ is below its target: what does that do "
            "to the sign of 2(a₅ − y)?",
            (1 - CORNER_ANSWER) / CORNER_ANSWER,
        ),
        mistake(
            "This is the factor from y = 1 back to y = 0; the question goes the other way.",
            CORNER_ANSWER / (CORNER_ANSWER - 1),
        ),
        mistake(
            "This is the ratio of the two losses. The gradients contain 2(a₅ − y), not its square.",
            ((1 - CORNER_ANSWER) / CORNER_ANSWER) ** 2,
        ),
    ],
    learned="The target enters the backward pass only once, so it scales all nine alike.",
)

# --- hidden ReLUs, on paper -----------------------------------------------------------------------

relu = value(
    "relu",
    solution=(-0.25, -0.25, 0.0),
    stars=1,
    tolerance=1e-6,
    mistakes=[
        mistake(
            "δ₄: in₄ = −0.5 is negative, so the ReLU is flat there and its slope is 0, not 1.",
            (-0.25, -0.25, 0.25),
        ),
        mistake(
            "You took a(1 − a) for the hidden neurons. That is the logistic's slope; a ReLU has 1 "
            "or 0. (Neuron 5 is still logistic.)",
            (-0.25, -0.0625, 0.0),
        ),
        mistake(
            "All signs are flipped: the derivative of (y − a₅)² is 2(a₅ − y), and a₅ is too low.",
            (0.25, 0.25, 0.0),
        ),
        mistake(
            "δ₅ needs the slope of neuron 5 as well: a₅(1 − a₅).",
            (-1.0, -1.0, 0.0),
        ),
        mistake("The order is δ₅, δ₃, δ₄.", (-0.25, 0.0, -0.25)),
    ],
    learned="A ReLU passes δ on whole, or not at all.",
)

# --- a measurement at a kink ----------------------------------------------------------------------

kink = value(
    "kink",
    solution=(0.0, -1.0),
    stars=2,
    tolerance=1e-3,
    mistakes=[
        mistake(
            "The finite difference looks at both sides of the kink. With the weight 0.5 + h the "
            "neuron answers h: what is the loss there?",
            (0.0, 0.0),
        ),
        mistake(
            "The finite difference changes the weight by h on both sides, so it divides by 2h; on "
            "the lower side the loss does not change.",
            (0.0, -2.0),
        ),
        mistake(
            "At the total input 0 this backward pass takes the slope 0, and no factor makes up "
            "for that. The finite difference is right.",
            (-2.0, -1.0),
        ),
        mistake(
            "That would be right where the total input is positive. Here it is exactly 0.",
            (-2.0, -2.0),
        ),
        mistake(
            "The backward pass does not take the mean of the two slopes: it multiplies by 0.",
            (-1.0, -1.0),
        ),
        mistake(
            "The finite difference has the wrong sign: with a larger weight the loss is smaller.",
            (0.0, 1.0),
        ),
        mistake("The order is: backward pass, finite difference.", (-1.0, 0.0)),
    ],
    learned="At a kink there is no derivative, so check a backward pass elsewhere.",
)

# --- a shortcut from neuron 1 to neuron 5 ---------------------------------------------------------


def through(w: Any, a: Any, y: Any, via: int, power: int = 1) -> Any:
    """The part of dLoss/dx₁ on the path through neuron `via`; 5 stands for the shortcut.

    `power=0` leaves out the hidden neuron's own slope, a mistake.
    """
    d5 = 2 * (a[5] - y) * slope(a[5])
    if via == 5:
        return w[1, 5] * d5
    return w[1, via] * slope(a[via]) ** power * w[via, 5] * d5


def total(w: Any, a: Any, y: Any, power: int = 1) -> Any:
    """dLoss/dx₁, the sum over the three paths."""
    return through(w, a, y, 3, power) + through(w, a, y, 4, power) + through(w, a, y, 5)


def random_pass(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights, activations and a target; the check passes them to the reader's function."""
    return rng.normal(size=(6, 6)), rng.uniform(size=6), np.array(rng.uniform())


shortcut = function(
    "shortcut",
    solution=total,
    given=random_pass,
    stars=2,
    mistakes=[
        mistake(
            "The paths through neurons 3 and 4 are right. The third path is the new edge itself.",
            lambda w, a, y: through(w, a, y, 3) + through(w, a, y, 4),
        ),
        mistake(
            "The path through neuron 4 is missing: x₁ feeds three neurons.",
            lambda w, a, y: through(w, a, y, 3) + through(w, a, y, 5),
        ),
        mistake(
            "The path through neuron 3 is missing: x₁ feeds three neurons.",
            lambda w, a, y: through(w, a, y, 4) + through(w, a, y, 5),
        ),
        mistake(
            "This is the new edge's path alone; the two paths through 3 and 4 add to it.",
            lambda w, a, y: through(w, a, y, 5),
        ),
        mistake(
            "An input has no activation function: the factor a₁(1 − a₁) does not belong here.",
            lambda w, a, y: slope(a[1]) * total(w, a, y),
        ),
        mistake(
            "The hidden neurons' own slopes a₃(1 − a₃) and a₄(1 − a₄) are missing.",
            lambda w, a, y: total(w, a, y, 0),
        ),
        mistake(
            "The path of the new edge does not pass a hidden neuron: w₁₅ δ₅ is all of it.",
            lambda w, a, y: through(w, a, y, 3) + through(w, a, y, 4)
            + slope(a[1]) * through(w, a, y, 5),
        ),
    ],
    learned="However many edges leave a neuron, each adds one term.",
)  # fmt: skip

# --- a step with a bug ----------------------------------------------------------------------------


def descent(late: bool = False, up: bool = False, summed: bool = False) -> Any:
    """A function that takes one step down the mean squared error, with one mistake or none.

    Args:
        late: the hidden layer's gradient is computed with the output weights after their step.
        up: the gradient is added instead of subtracted.
        summed: the loss is the sum over the examples instead of the mean.
    """

    def run(W1: Any, b1: Any, W2: Any, b2: Any, X: Any, Y: Any, rate: Any) -> Any:
        A1 = g(X @ W1 + b1)
        A2 = g(A1 @ W2 + b2)
        D2 = 2 * (A2 - Y) * slope(A2) / (1 if summed else len(X))
        step = -rate if up else rate
        new_W2 = W2 - step * A1.T @ D2
        D1 = D2 @ (new_W2 if late else W2).T * slope(A1)
        return W1 - step * X.T @ D1, b1 - step * D1.sum(0), new_W2, b2 - step * D2.sum(0)

    return run


def random_batch(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Weights of a net 2–3–1, five examples with targets, and a step size."""
    shapes = [(2, 3), (3,), (3, 1), (1,), (5, 2)]
    return (*(rng.normal(size=s) for s in shapes), rng.uniform(size=(5, 1)), np.array(2.0))


bug = function(
    "bug",
    solution=descent(),
    given=random_batch,
    stars=2,
    mistakes=[
        mistake(
            "Only the hidden layer's numbers differ from the right ones, and only a little. D1 is "
            "still computed with a W2 that has already taken its step.",
            descent(late=True),
        ),
        mistake("This step goes uphill: subtract the gradient.", descent(up=True)),
        mistake(
            "The mean over the examples has become a sum: keep the division by len(X).",
            descent(summed=True),
        ),
    ],
    learned="All gradients belong to the same weights: first all of them, then the step.",
)

# --- a chain of any depth -------------------------------------------------------------------------


def chain_gradient(w: Any, x: Any, y: Any) -> Any:
    """nnlib's gradient of (a − y)² with respect to w, for a chain of logistic neurons."""
    leaf = w.detach().requires_grad_()
    a = x
    for k in range(leaf.shape[0]):
        a = g(leaf[k] * a)
    return nnlib.autograd.grad((a - y) ** 2, [leaf])[0]


def backward_pass(late: bool = False, skip: bool = False, bare: bool = False) -> Any:
    """A function that runs the backward pass along a chain of neurons, with one mistake or none.

    Args:
        late: δ is multiplied by the neuron's own activation, not the previous one.
        skip: the derivative is passed back without the weight.
        bare: the neurons' own slopes are left out.
    """

    def run(w: Any, x: Any, y: Any) -> Any:
        a = [x]
        for k in range(w.shape[0]):
            a.append(g(w[k] * a[-1]))
        received, gradients = 2 * (a[-1] - y), list[Any]()
        for k in reversed(range(w.shape[0])):
            delta = received if bare else received * slope(a[k + 1])
            gradients.insert(0, delta * (a[k + 1] if late else a[k]))
            received = delta if skip else delta * w[k]
        return nnlib.stack(gradients)

    return run


deep = function(
    "deep",
    solution=chain_gradient,
    given=lambda rng: (2 * rng.normal(size=4), np.array(rng.normal()), np.array(rng.uniform())),
    stars=2,
    mistakes=[
        mistake(
            "A weight multiplies its neuron's input: the activation before it, not the neuron's "
            "own.",
            backward_pass(late=True),
        ),
        mistake(
            "On its way back the derivative passes through the weight: multiply δ by w[k].",
            backward_pass(skip=True),
        ),
        mistake("Each neuron's own slope a(1 − a) is missing.", backward_pass(bare=True)),
        mistake(
            "The numbers are right, but in the reverse order: the first weight's comes first.",
            lambda w, x, y: chain_gradient(w, x, y).flip(0),
        ),
    ],
    learned="One backward pass is enough, however deep the chain.",
)

# --- another loss --------------------------------------------------------------------------------


def probabilities(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return np.array(rng.uniform(0.05, 0.95)), np.array(rng.uniform(0.05, 0.95))


entropy = function(
    "entropy",
    solution=lambda a5, y: a5 - y,
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
            "There is one factor a₅(1 − a₅) too many: it cancels.",
            lambda a5, y: (a5 - y) * slope(a5),
        ),
    ],
    learned="The slope cancels: a neuron that is confident and wrong still learns.",
)

EXERCISES = [target, relu, kink, shortcut, bug, deep, entropy]

"""Exercises of the chapter on layers: paper, bumps, tents, equal networks, splits, freezing."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from course.kit.exercises import function, mistake, puzzle, value

# --- a forward pass by hand -----------------------------------------------------------------------

paper = value(
    "paper",
    solution=7.0,
    mistakes=[
        mistake("The ReLU is missing: a total input of −1 becomes 0, not −1.", 10.0),
        mistake(
            "You read the matrix by rows. Column j holds the weights that lead into neuron j.",
            -14.0,
        ),
        mistake("The biases of the hidden layer are missing.", 9.0),
        mistake("The bias of the output is missing.", 6.0),
    ],
    learned="Column j holds the weights of neuron j: multiply it element by element by the "
    "inputs, and add.",
)

# --- two sigmoids make a bump -------------------------------------------------------------------

SEVEN_PARAMETERS = "seven parameters are needed: two for each hidden neuron, three for the output."
STAYS_UP = "it rises at x = 1 and stays up at x = 2: the second neuron has to inhibit the output."
DIP = "this is a dip: low at x = 1, high on both sides. Change the output's signs."
NOT_STEEP = (
    "the output is highest at x = 1, but not steep enough: which change of the weights makes the "
    "sigmoids steeper and leaves their crossings of ½ where they are?"
)
NO_BUMP = "no bump yet: the outputs at 0, 1 and 2 should be low, high, low."


def bump_problem(answer: Any) -> str | None:
    w = np.asarray(answer, float).ravel()
    if w.size != 7:
        return SEVEN_PARAMETERS
    x = np.array([0.0, 1.0, 2.0])

    def sigmoid(z: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-np.clip(z, -500, 500)))

    hidden = [sigmoid(w[k] + w[k + 1] * x) for k in (0, 2)]
    low, high, after = sigmoid(w[4] + w[5] * hidden[0] + w[6] * hidden[1])
    if low < 0.1 and high > 0.9 and after < 0.1:
        return None
    if high > 0.9 and after > 0.9 and low < 0.1:
        return STAYS_UP
    if high < 0.1 and low > 0.9 and after > 0.9:
        return DIP
    return NOT_STEEP if high > low and high > after else NO_BUMP


bump = puzzle(
    "bump",
    solution=[-10, 20, -30, 20, -5, 10, -10],
    problem=bump_problem,
    stars=2,
    mistakes=[
        mistake(SEVEN_PARAMETERS, [-10, 20, -30, 20]),
        mistake(STAYS_UP, [-10, 20, -30, 20, -5, 10, 10]),
        mistake(DIP, [-10, 20, -30, 20, 5, -10, 10]),
        mistake(NOT_STEEP, [-0.5, 1, -1.5, 1, -0.5, 1, -1]),
        mistake(NO_BUMP, [0, 0, 0, 0, 0, 0, 0]),
    ],
    learned="It is the AND-NOT of XOR, along a line.",
)

# --- two tents in one layer -----------------------------------------------------------------------

tents = value(
    "tents",
    solution=(4.0, -8.0, 8.0, -8.0),
    stars=2,
    mistakes=[
        mistake(
            "These are the slopes of the four pieces. A ReLU adds its weight to all slopes to its "
            "right: what must it add at each kink?",
            (4.0, -4.0, 4.0, -4.0),
        ),
        mistake(
            "The first piece has the slope 4: T(T(x)) rises from 0 to 1 over a quarter.",
            (2.0, -4.0, 4.0, -4.0),
        ),
        mistake("The signs are flipped: the curve begins by rising.", (-4.0, 8.0, -8.0, 8.0)),
    ],
    learned="A weight of one hidden layer is a change of slope: one kink, one unit.",
)

# --- neurons have no order ----------------------------------------------------------------------

swap = function(
    "swap",
    solution=lambda w: nnlib.cat([w[3:6], w[0:3], w[6:7], w[8:9], w[7:8]]),
    given=lambda rng: (rng.normal(size=9),),
    stars=2,
    mistakes=[
        mistake(
            "The hidden neurons are swapped, but neuron 5 still has its weights in the old order.",
            lambda w: nnlib.cat([w[3:6], w[0:3], w[6:9]]),
        ),
        mistake(
            "Neuron 5 has its weights in the new order, but the hidden neurons are not swapped.",
            lambda w: nnlib.cat([w[0:6], w[6:7], w[8:9], w[7:8]]),
        ),
        mistake(
            "The order within each hidden neuron is reversed as well; its bias must stay first.",
            lambda w: nnlib.cat([w[0:6].flip(0), w[6:7], w[8:9], w[7:8]]),
        ),
    ],
    learned="Another w can give the same function.",
)

# --- tanh by sigmoids -----------------------------------------------------------------------------


def as_sigmoid(W1: Any, b1: Any, W2: Any, b2: Any) -> tuple[Any, Any, Any, Any]:
    return 2 * W1, 2 * b1, 2 * W2, b2 - W2.sum(0)


convert = function(
    "convert",
    solution=as_sigmoid,
    given=lambda rng: tuple(rng.normal(size=s) for s in ((2, 3), (3,), (3, 2), (2,))),
    stars=2,
    mistakes=[
        mistake(
            "The −1 of each hidden neuron is still missing: through W2 it moves the output's bias.",
            lambda W1, b1, W2, b2: (2 * W1, 2 * b1, 2 * W2, b2),
        ),
        mistake(
            "tanh(z) contains σ(2z): the first layer's weights and biases double, too.",
            lambda W1, b1, W2, b2: (W1, b1, 2 * W2, b2 - W2.sum(0)),
        ),
        mistake(
            "Only the weights of the first layer are doubled; its biases are part of z as well.",
            lambda W1, b1, W2, b2: (2 * W1, b1, 2 * W2, b2 - W2.sum(0)),
        ),
        mistake(
            "The −1 is multiplied by W2, so the output's bias becomes smaller by the sum of a "
            "column, not larger.",
            lambda W1, b1, W2, b2: (2 * W1, 2 * b1, 2 * W2, b2 + W2.sum(0)),
        ),
    ],
    learned="tanh and sigmoid networks have the same functions; they start and train differently.",
)

# --- a split with a bug ---------------------------------------------------------------------------


def a_data_set(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, Any, int]:
    """Ten examples sorted by class, an order, and the number of training examples."""
    order = nnlib.tensor(rng.permutation(10))
    return rng.normal(size=(10, 2)), np.repeat([0.0, 1.0], 5), order, 7


split = function(
    "split",
    solution=lambda x, y, order, count: (
        x[order[:count]], y[order[:count]], x[order[count:]], y[order[count:]]),
    given=a_data_set,
    stars=2,
    mistakes=[
        mistake(
            "The targets are still in the old order: each x has another example's y.",
            lambda x, y, order, count: (
                x[order[:count]], y[:count], x[order[count:]], y[count:]),
        ),
        mistake(
            "Nothing is shuffled: the data are sorted by class, so the test set lacks one class.",
            lambda x, y, order, count: (x[:count], y[:count], x[count:], y[count:]),
        ),
        mistake(
            "The training examples are among the test examples: begin the test set at count.",
            lambda x, y, order, count: (x[order[:count]], y[order[:count]], x[order], y[order]),
        ),
    ],
    learned="Inputs and targets move together, and no example is in two sets.",
)  # fmt: skip

# --- freeze the hidden layer ----------------------------------------------------------------------


def five_neuron_network(x: Any, w: Any) -> Any:
    """The five-neuron net's outputs."""
    rows = w[:6].reshape(2, 3)
    return (w[6] + (rows[:, 0] + x @ rows[:, 1:].T).sigmoid() @ w[7:]).sigmoid()


def descent(trainable: slice) -> Any:
    """A function that runs gradient descent on some of the nine parameters only."""

    def run(w: Any, x: Any, y: Any, steps: int = 3) -> Any:
        mask = np.zeros(9)
        mask[trainable] = 1
        for _ in range(steps):
            w = w.detach().requires_grad_()
            (g,) = nnlib.autograd.grad(F.binary_cross_entropy(five_neuron_network(x, w), y), [w])
            w = w - nnlib.tensor(mask) * g
        return w.detach()

    return run


def parameters_and_xor_examples(
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x = rng.normal(size=(8, 2))
    return rng.normal(size=9), x, (x[:, 0] * x[:, 1] < 0).astype(float)


freeze = function(
    "freeze",
    solution=descent(slice(6, 9)),
    given=parameters_and_xor_examples,
    stars=3,
    mistakes=[
        mistake("All nine parameters are updated: nothing is frozen.", descent(slice(0, 9))),
        mistake("The other way round: the output neuron is frozen here.", descent(slice(0, 6))),
        mistake(
            "The output neuron's bias is its own too: update it as well.", descent(slice(7, 9))
        ),
        mistake("No parameter is updated.", descent(slice(0, 0))),
    ],
    learned="Three parameters are trained and six stay: that is logistic regression.",
)

EXERCISES = [paper, bump, tents, swap, convert, split, freeze]

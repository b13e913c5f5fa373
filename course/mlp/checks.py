"""Exercises of the chapter on MLPs: softmax on paper, a reference loss, top k, bugs, images."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

import nnlib
from course.kit.exercises import function, mistake, value
from course.networks import digits
from nnlib import datasets


def classes(rng: np.random.Generator, n: int, k: int) -> np.ndarray:
    """n class indices below k, at least two of them different."""
    return rng.permutation(np.arange(n) % k)


# --- softmax on paper -----------------------------------------------------------------------------

paper = value(
    "paper",
    solution=([1 / 8, 2 / 8, 5 / 8], math.log(8 / 5)),
    stars=1,
    tolerance=1e-4,
    mistakes=[
        mistake(
            "You divided the logits by their sum; take the exponential of each first.",
            ([0.0, math.log(2) / math.log(10), math.log(5) / math.log(10)], math.log(8 / 5)),
        ),
        mistake(
            "The sum is e⁰ + 2 + 5 = 8; e⁰ is 1, not 0.",
            ([0.0, 2 / 7, 5 / 7], math.log(7 / 5)),
        ),
        mistake(
            "The probabilities are right. The loss is minus the natural logarithm of the last one.",
            ([1 / 8, 2 / 8, 5 / 8], math.log10(8 / 5)),
        ),
        mistake(
            "The probabilities are right. The loss has the wrong sign: minus the logarithm of 5/8.",
            ([1 / 8, 2 / 8, 5 / 8], math.log(5 / 8)),
        ),
        mistake(
            "The probabilities are right. You gave the last probability, not its loss.",
            ([1 / 8, 2 / 8, 5 / 8], 5 / 8),
        ),
    ],
    learned="Logits that are logarithms of 1, 2 and 5 give probabilities in the ratio 1 : 2 : 5.",
)

# --- the loss of knowing only the frequencies -----------------------------------------------------

frequent = [0.7, 0.2, 0.1]
entropy = -sum(p * math.log(p) for p in frequent)

frequencies = value(
    "frequencies",
    solution=(frequent, entropy),
    stars=2,
    tolerance=1e-4,
    mistakes=[
        mistake(
            "Equal probabilities are best only if the classes are equally frequent. Here the "
            "mean of p₀ − t₀ is 1/3 − 0.7, so a larger p₀ lowers the loss.",
            ([1 / 3, 1 / 3, 1 / 3], math.log(3)),
        ),
        mistake(
            "The probabilities are right. For the loss, weight each −log p with its class's "
            "frequency; you took the unweighted mean of the three.",
            (frequent, -sum(math.log(p) for p in frequent) / 3),
        ),
        mistake(
            "The probabilities are right. You used the logarithm to base 2; take the natural one.",
            (frequent, entropy / math.log(2)),
        ),
        mistake(
            "The probabilities are right. You used the logarithm to base 10; take the natural one.",
            (frequent, entropy / math.log(10)),
        ),
        mistake(
            "The probabilities are right. The loss has the wrong sign: it is minus the logarithm.",
            (frequent, -entropy),
        ),
        mistake(
            "The probabilities are right. This is the loss on an image of class 0 alone; take the "
            "mean over all images.",
            (frequent, -math.log(0.7)),
        ),
    ],
    learned="Knowing only the frequencies gives 0.80, so a loss of 0.95 is not a success.",
)

# --- among the first k ----------------------------------------------------------------------------


def ranked(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, int]:
    """Eight images, five classes, and a k with which only some of the images count as right."""
    z = rng.normal(size=(8, 5)) * 2
    y = classes(rng, 8, 5)
    return z, y, int(rng.integers(2, 4))


def hits_of(z: Any, y: Any, k: int) -> Any:
    """For each image 1 if its class is among the k largest logits, else 0."""
    hits = z.topk(k, 1)[1] == nnlib.tensor(y)[:, None]
    return hits.any(1).double()


top_k = function(
    "top-k",
    solution=lambda z, y, k: hits_of(z, y, k).mean(),
    given=ranked,
    stars=2,
    mistakes=[
        mistake(
            "This is the accuracy, the case k = 1. Any of the k largest logits may belong to y.",
            lambda z, y, k: (z.argmax(1) == nnlib.tensor(y)).double().mean(),
        ),
        mistake(
            "You check whether the class of rank k is right; one of the ranks 1 to k is enough.",
            lambda z, y, k: (z.topk(k, 1)[1][:, -1] == nnlib.tensor(y)).double().mean(),
        ),
        mistake(
            "You count images; a share is between 0 and 1.",
            lambda z, y, k: hits_of(z, y, k).sum(),
        ),
        mistake(
            "This is the mean over all k positions of all images. First ask for each image whether "
            "any position is right, then take the mean.",
            lambda z, y, k: (z.topk(k, 1)[1] == nnlib.tensor(y)[:, None]).double().mean(),
        ),
    ],
    learned="With k = 1 it is the accuracy; a softmax would change nothing.",
)

# --- is it even? ----------------------------------------------------------------------------------


def extreme(rng: np.random.Generator) -> tuple[np.ndarray]:
    """Rows of ten logits: small, near 2,000, near −2,000, and with a huge one for an odd digit."""
    z = rng.normal(size=(4, 10)) * 2
    z[1] += 2000
    z[2] -= 2000
    z[3, 3] += 900
    return (z,)


even = function(
    "even",
    solution=lambda z: nnlib.logsumexp(z[:, ::2], 1) - nnlib.logsumexp(z, 1),
    given=extreme,
    stars=2,
    mistakes=[
        mistake(
            "exp(2000) is infinite: use a logarithm of a sum that subtracts the largest logit.",
            lambda z: (z[:, ::2].exp().sum(1) / z.exp().sum(1)).log(),
        ),
        mistake(
            "One row's probability of an even digit underflows to 0, so its logarithm is −∞. "
            "Form no probability: subtract two logarithms of sums.",
            lambda z: nnlib.softmax(z, 1)[:, ::2].sum(1).log(),
        ),
        mistake(
            "These are the odd digits: even digits are at the positions 0, 2, 4, 6, 8.",
            lambda z: nnlib.logsumexp(z[:, 1::2], 1) - nnlib.logsumexp(z, 1),
        ),
        mistake(
            "You added the five log-probabilities. Probabilities add, and their logarithms do not.",
            lambda z: nnlib.log_softmax(z, 1)[:, ::2].sum(1),
        ),
        mistake(
            "The sign is flipped: the logarithm of a probability is not positive.",
            lambda z: nnlib.logsumexp(z, 1) - nnlib.logsumexp(z[:, ::2], 1),
        ),
        mistake(
            "This is the log-odds of even against odd. The denominator needs all ten digits.",
            lambda z: nnlib.logsumexp(z[:, ::2], 1) - nnlib.logsumexp(z[:, 1::2], 1),
        ),
    ],
    learned="A quotient of sums of exponentials becomes a difference of two logsumexp.",
)

# --- softmax twice --------------------------------------------------------------------------------

bug = value(
    "bug",
    solution=math.log(math.e + 9) - 1,
    stars=2,
    tolerance=1e-4,
    mistakes=[
        mistake(
            "This is the loss of ten equal probabilities. Her network can do better: at best its "
            "softmax gives 1 to the right class.",
            math.log(10),
        ),
        mistake("This is right for a loss from logits; here the logits are probabilities.", 0.0),
        mistake(
            "You used one other class; there are nine, each with the logit 0 and e⁰ = 1.",
            math.log(math.e + 1) - 1,
        ),
        mistake(
            "Nearly: with the right class there are ten, so nine others and not ten.",
            math.log(math.e + 10) - 1,
        ),
        mistake("This is the probability; the loss is minus its logarithm.", math.e / (math.e + 9)),
    ],
    learned="cross_entropy takes logits: a softmax before it leaves at best e/(e + 9).",
)

# --- moved images ---------------------------------------------------------------------------------


@cache
def moved_accuracy(down: int, right: int) -> float:
    """The stored network's test accuracy on images moved by whole pixels."""
    test = datasets.digits(train=False)
    images, y = nnlib.tensor(test.x), nnlib.tensor(test.y)
    return digits.accuracy(digits.trained("mlp"), digits.moved(images, down, right), y)


moved = value(
    "moved",
    solution=lambda: moved_accuracy(0, 2),
    stars=2,
    tolerance=2e-3,
    mistakes=[
        mistake("These images were moved down; `moved` takes down first, then right.",
                lambda: moved_accuracy(2, 0)),
        mistake("These images were moved to the left; right is positive.",
                lambda: moved_accuracy(0, -2)),
        mistake("This is one pixel; the exercise asks for two.", lambda: moved_accuracy(0, 1)),
        mistake("This is the accuracy on the images as they are.", lambda: moved_accuracy(0, 0)),
        mistake("This is how much the accuracy fell; give the accuracy itself.",
                lambda: moved_accuracy(0, 0) - moved_accuracy(0, 2)),
    ],
    learned="Two pixels cost about 25 in 100: each weight belongs to one pixel.",
)  # fmt: skip

# --- white on black -------------------------------------------------------------------------------


def layer(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A square layer, so that a sum over the wrong dimension has the right shape."""
    return rng.normal(size=(5, 5)), rng.normal(size=5)


inverted = function(
    "inverted",
    solution=lambda W, b: (-W, b + W.sum(1)),
    given=layer,
    stars=3,
    mistakes=[
        mistake(
            "The weights are right. With the bias b they give b + Wx − ΣW; the bias must make up "
            "for the last term.",
            lambda W, b: (-W, b),
        ),
        mistake(
            "The weights are right. Neuron j has row j of W: add up the entries of each row, "
            "with sum(1).",
            lambda W, b: (-W, b + W.sum(0)),
        ),
        mistake(
            "The weights are right. Not every neuron's bias gets the sum of all weights: each gets "
            "the sum of its own.",
            lambda W, b: (-W, b + W.sum()),
        ),
        mistake(
            "The sum of the weights has the wrong sign: W'(1 − x) is −ΣW + Wx, and the bias must "
            "make up for it.",
            lambda W, b: (-W, b - W.sum(1)),
        ),
        mistake(
            "You flipped the sign of b as well: only the factors of x change sign.",
            lambda W, b: (-W, -b),
        ),
        mistake(
            "You took 1 − W. The factor of x_k in W'(1 − x) is −W'.",
            lambda W, b: (1 - W, b),
        ),
    ],
    learned="The same functions exist; the same start and the same training do not.",
)

EXERCISES = [paper, frequencies, top_k, even, bug, moved, inverted]

"""Exercises of the chapter on logistic regression: likelihood, climbing, perceptron, penalty."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from course.kit.exercises import function, gradient, mistake, puzzle, value
from nnlib import datasets


def signs(rng: np.random.Generator, n: int) -> np.ndarray:
    """Classes −1 and +1, both of which occur."""
    y = rng.choice([-1.0, 1.0], n)
    y[:2] = -1.0, 1.0
    return y


def features(rng: np.random.Generator, n: int) -> np.ndarray:
    """Rows of two features, after a column of ones for the bias."""
    return np.column_stack([np.ones(n), rng.normal(size=(n, 2))])


def objective(w: Any, X: Any, y: Any) -> Any:
    return F.logsigmoid(y * (X @ w)).sum()


# --- three birds on paper -------------------------------------------------------------------------

PROBABILITIES = (0.5, 0.1192029, 0.7310586)  # σ(0), σ(−2), σ(1)


def likelihoods(*p: float) -> tuple[float, float]:
    """The likelihood and log-likelihood of birds whose classes had the probabilities p."""
    return float(np.prod(p)), float(np.log(p).sum())


paper = value(
    "paper",
    solution=likelihoods(*PROBABILITIES),
    tolerance=2e-3,
    stars=1,
    mistakes=[
        mistake(
            "You took σ(z) for every bird. Two of them are Adelies, and for these the probability "
            "of what was seen is σ(−z).",
            likelihoods(0.5, 0.8807971, 0.2689414),
        ),
        mistake(
            "You added the probabilities. Those of independent birds multiply.",
            (sum(PROBABILITIES), float(np.log(sum(PROBABILITIES)))),
        ),
        mistake(
            "Halfway: the likelihood is right. Its logarithm is negative; you give the surprise.",
            (likelihoods(*PROBABILITIES)[0], -likelihoods(*PROBABILITIES)[1]),
        ),
        mistake(
            "Halfway: the likelihood is right. Take the natural logarithm, not the one to base 10.",
            (likelihoods(*PROBABILITIES)[0], float(np.log10(PROBABILITIES).sum())),
        ),
        mistake(
            "You took the mean of the three logarithms; the log-likelihood is their sum.",
            (likelihoods(*PROBABILITIES)[0], likelihoods(*PROBABILITIES)[1] / 3),
        ),
    ],
    learned="One product, or one sum of logarithms: the log-likelihood of three birds.",
)


# --- few mistakes ---------------------------------------------------------------------------------


@cache
def penguins() -> tuple[np.ndarray, np.ndarray]:
    birds = datasets.penguins(("Adelie", "Chinstrap"), ("bill_length_mm", "body_mass_g"))
    x = (birds.x - birds.x.mean(0)) / birds.x.std(0)
    return np.column_stack([np.ones(len(x)), x]), 2.0 * birds.y - 1


MOST_WRONG, LEAST_CONFIDENT = 5, -60.0
NOT_THREE = "three parameters are needed: w0, w1, w2."
FLIPPED = (
    "almost every bird is on the wrong side, so almost all would be right with all three signs "
    "flipped: Chinstraps need a positive logit."
)
CONFIDENT = (
    "the log-likelihood is {ll:.1f}, so this line is confident. Which change of the weights "
    "leaves the line where it is and widens its band?"
)
TOO_MANY = "{wrong} birds are on the wrong side; at most 5 may be."


def few_mistakes_problem(answer: Any) -> str | None:
    w = np.asarray(answer, float).ravel()
    if w.size != 3:
        return NOT_THREE
    X, y = penguins()
    margins = y * (X @ w)
    wrong, ll = int((margins <= 0).sum()), -float(np.logaddexp(0, -margins).sum())
    if wrong >= len(y) - 10:
        return FLIPPED
    if wrong > MOST_WRONG:
        return TOO_MANY.format(wrong=wrong)
    return None if ll < LEAST_CONFIDENT else CONFIDENT.format(ll=ll)


few_mistakes = puzzle(
    "few-mistakes",
    solution=(-0.25, 0.75, -0.3),
    problem=few_mistakes_problem,
    stars=1,
    mistakes=[
        mistake(CONFIDENT.format(ll=-8.502417), (-4.94, 14.89, -5.97)),
        mistake(FLIPPED, (0.25, -0.75, 0.3)),
        mistake(NOT_THREE, (0.75, -0.3)),
    ],
    learned="The same line, a twentieth of the weights: the count cannot tell them apart.",
)


# --- the log-likelihood with classes 0 and 1 ----------------------------------------------------


def cross_entropy(p: Any, t: Any) -> Any:
    return (t * p.log() + (1 - t) * (1 - p).log()).sum()


likelihood = function(
    "log-likelihood",
    solution=cross_entropy,
    given=lambda rng: (rng.uniform(0.05, 0.95, 8), (signs(rng, 8) + 1) / 2),
    derivative=True,
    stars=2,
    mistakes=[
        mistake(
            "You leave out the birds with t = 0: they were seen with probability 1 − p.",
            lambda p, t: (t * p.log()).sum(),
        ),
        mistake(
            "The two classes are swapped: where t = 1 the probability of what was seen is p.",
            lambda p, t: ((1 - t) * p.log() + t * (1 - p).log()).sum(),
        ),
        mistake(
            "This is the logarithm of a sum. The probabilities multiply, so their logarithms add.",
            lambda p, t: (t * p + (1 - t) * (1 - p)).sum().log(),
        ),
        mistake(
            "This is the likelihood itself, the product: take the logarithm of each factor, or 219 "
            "birds multiply to 0.",
            lambda p, t: (t * p + (1 - t) * (1 - p)).log().sum().exp(),
        ),
    ],
    learned="Its negative is what PyTorch calls binary_cross_entropy with reduction='sum'.",
)


# --- two bugs -------------------------------------------------------------------------------------


def fit(
    X: Any, y: Any, steps: int, lr: float, *, up: bool = True, clear: bool = True
) -> Any:  # fmt: skip
    """The weights after a climb of the log-likelihood; each keyword set to False is one bug."""
    w = nnlib.zeros(3, dtype=nnlib.float64, requires_grad=True)
    climb = nnlib.optim.SGD([w], lr=lr, maximize=up)
    for _ in range(steps):
        if clear:
            climb.zero_grad()
        objective(w, X, y).backward()
        climb.step()
    return w.detach()


bugs = function(
    "bugs",
    solution=fit,
    given=lambda rng: (features(rng, 12), signs(rng, 12), int(rng.integers(5, 9)), 0.05),
    stars=2,
    tolerance=1e-5,
    mistakes=[
        mistake(
            "Halfway: old gradients are set to zero in each step now, but the function still "
            "descends.",
            lambda X, y, steps, lr: fit(X, y, steps, lr, up=False),
        ),
        mistake(
            "Halfway: it climbs now, but backward() adds each gradient to all earlier ones. "
            "zero_grad() belongs inside the loop.",
            lambda X, y, steps, lr: fit(X, y, steps, lr, clear=False),
        ),
        mistake(
            "Both bugs are still there: in which direction does it go, and which gradients does "
            "it add up?",
            lambda X, y, steps, lr: fit(X, y, steps, lr, up=False, clear=False),
        ),
    ],
    learned="Both bugs run without an error. Watch the log-likelihood: it must rise.",
)


# --- the gradient, by hand ----------------------------------------------------------------------


by_hand = gradient(
    "gradient",
    of=objective,
    given=lambda rng: (rng.normal(size=3), features(rng, 7), signs(rng, 7)),
    stars=2,
    mistakes=[
        mistake(
            "This points downhill: it is the gradient of the negative log-likelihood.",
            lambda w, X, y: -(X.T @ (y * F.sigmoid(-y * (X @ w)))),
        ),
        mistake(
            "You have σ(y z) where σ(−y z) is needed: a bird that is already explained well should "
            "hardly count.",
            lambda w, X, y: X.T @ (y * F.sigmoid(y * (X @ w))),
        ),
        mistake(
            "The factor y is missing: an Adelie and a Chinstrap need opposite changes.",
            lambda w, X, y: X.T @ F.sigmoid(-y * (X @ w)),
        ),
        mistake(
            "Only the last bird counts: inside the loop the gradient is overwritten (=) where it "
            "should be accumulated (+=).",
            lambda w, X, y: X[-1] * y[-1] * F.sigmoid(-y[-1] * (X[-1] @ w)),
        ),
        mistake(
            "A transpose is missing: X1 is (birds, weights), and every weight sums over the birds.",
            lambda w, X, y: X @ (y * F.sigmoid(-y * (X @ w))),
        ),
    ],
    learned="Each bird counts with its doubt: the probability given to the wrong class.",
)


# --- the perceptron, which counts mistakes --------------------------------------------------------


def perceptron_step(w: Any, x: Any, y: Any) -> Any:
    return w + y * x if y * (w @ x) <= 0 else w


def one_pass(step: Any, w: Any, X: Any, y: Any) -> Any:
    """The weights after one step for each bird, for comparing steps."""
    for i in range(len(y)):
        w = step(w, X[i], y[i])
    return w


perceptron = function(
    "perceptron",
    solution=perceptron_step,
    given=lambda rng: (np.zeros(3), features(rng, 30), signs(rng, 30)),
    observe=one_pass,
    stars=2,
    mistakes=[
        mistake(
            "You move the weights at every bird. The perceptron learns from mistakes alone: where "
            "y w·x > 0 the weights stay.",
            lambda w, x, y: w + y * x,
        ),
        mistake(
            "You move away from the bird: w + y x turns the line so that y w·x grows.",
            lambda w, x, y: w - y * x if y * (w @ x) <= 0 else w,
        ),
        mistake(
            "You also add x for an Adelie: the factor y is missing.",
            lambda w, x, y: w + x if y * (w @ x) <= 0 else w,
        ),
        mistake(
            "w·x = 0 is on neither side, and it is where all-zero weights start: count it as a "
            "mistake (<=), or nothing ever moves.",
            lambda w, x, y: w + y * x if y * (w @ x) < 0 else w,
        ),
    ],
    learned="Compare with the gradient: σ(−y z), now as a step that is 0 or 1.",
)


# --- a maximum for separable data -----------------------------------------------------------------


def climbed(
    X: Any, y: Any, strength: float, *, bias: float = 0.0, sign: float = 1.0, half: float = 0.5,
    clear: bool = True, up: bool = True,
) -> Any:  # fmt: skip
    """The weights after 200 steps of 0.05 up the penalised log-likelihood.

    Each keyword argument allows one mistake.
    """
    w = nnlib.zeros(3, dtype=nnlib.float64, requires_grad=True)
    climb = nnlib.optim.SGD([w], lr=0.05, maximize=up)
    for _ in range(200):
        if clear:
            climb.zero_grad()
        size = (w[1:] ** 2).sum() + bias * w[0] ** 2
        (objective(w, X, y) - sign * half * strength * size).backward()
        climb.step()
    return w.detach()


def separable(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
    """Ten points that a line separates, off the centre so that the bias is needed."""
    X, y = features(rng, 10), signs(rng, 10)
    X[:, 1] = X[:, 1] * 0.3 + y + 1.5
    return X, y, float(rng.uniform(0.5, 1.5))


penalty = function(
    "penalty",
    solution=climbed,
    given=separable,
    stars=3,
    tolerance=1e-4,
    mistakes=[
        mistake(
            "You penalise the bias too. w₀ only moves the line; the penalty is for confidence, "
            "w₁ and w₂.",
            lambda X, y, s: climbed(X, y, s, bias=1.0),
        ),
        mistake(
            "The penalty is added where it should be subtracted: this rewards large weights.",
            lambda X, y, s: climbed(X, y, s, sign=-1.0),
        ),
        mistake(
            "The ½ before the penalty is missing, so its gradient is twice as large as needed.",
            lambda X, y, s: climbed(X, y, s, half=1.0),
        ),
        mistake(
            "The gradients add up: backward() adds to w.grad, so call zero_grad() at each step.",
            lambda X, y, s: climbed(X, y, s, clear=False),
        ),
        mistake(
            "You walk downhill: SGD descends unless it is given maximize=True.",
            lambda X, y, s: climbed(X, y, s, up=False),
        ),
        mistake(
            "There is no penalty in it: the strength does not change your weights.",
            lambda X, y, s: climbed(X, y, 0.0),
        ),
    ],
    learned="With any strength above 0 the hill has a top, even for data that a line separates.",
)

EXERCISES = [paper, few_mistakes, likelihood, bugs, by_hand, perceptron, penalty]

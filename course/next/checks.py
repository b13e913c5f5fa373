"""Exercises of the closing chapter: a network's costs, tokens, an attack, two bugs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from course.kit.exercises import function, mistake, puzzle, value

# --- a new row of the table ---------------------------------------------------------------------

row = value(
    "row",
    solution=(1354, 15_640, 15_640 / 1340, 2),
    stars=1,
    tolerance=1e-3,
    mistakes=[
        mistake("Nothing is multiplied by a bias: divide by the 1,340 weights alone.",
                (1354, 15_640, 15_640 / 1354, 2)),
        mistake("The biases are parameters, too: one for each kernel and each language.",
                (1340, 15_640, 15_640 / 1340, 2)),
        mistake("The kernels' weights are used at each of the 12 positions, not once.",
                (1354, 1340, 1.0, 2)),
        mistake("The word is padded with zeros: there are 12 positions, not 8.",
                (1354, 10_440, 10_440 / 1340, 2)),
        mistake("After the maximum the positions are gone: the last 40 weights are used once.",
                (1354, 16_080, 12.0, 2)),
        mistake("The maximum is not counted on the path: it is neither a matrix nor a convolution.",
                (1354, 15_640, 15_640 / 1340, 3)),
        mistake("Each letter is 26 numbers, so that a kernel has 5 · 26 weights, not 5.",
                (104, 640, 640 / 90, 2)),
    ],
    learned="A kernel along a word: few parameters, many uses, and a short path from each letter.",
)  # fmt: skip

# --- the work of a block ------------------------------------------------------------------------


def work_of(d: int, wide: int, length: int) -> int:
    return length * (4 * d * d + 2 * d * wide) + 2 * length * length * d


block = function(
    "block",
    solution=work_of,
    given=lambda rng: tuple(int(n) for n in rng.integers((3, 61, 201), (60, 200, 400))),
    stars=2,
    mistakes=[
        mistake("The heads have four matrices: queries, keys, values, and the one that mixes.",
                lambda d, wide, T: work_of(d, wide, T) - T * d * d),
        mistake("The MLP has two matrices: to the neurons and back.",
                lambda d, wide, T: work_of(d, wide, T) - T * d * wide),
        mistake("The scores are there. The weighted means of the values take as many again.",
                lambda d, wide, T: work_of(d, wide, T) - T * T * d),
        mistake("A score is a dot product of d numbers, not one multiplication.",
                lambda d, wide, T: T * (4 * d * d + 2 * d * wide) + 2 * T * T),
        mistake("The scores and the weighted means are missing: each position looks at all T.",
                lambda d, wide, T: T * (4 * d * d + 2 * d * wide)),
        mistake("The weights are used once for each of the T vectors, not once in all.",
                lambda d, wide, T: 4 * d * d + 2 * d * wide + 2 * T * T * d),
        mistake("These are the parameters of the matrices: count how often each is used.",
                lambda d, wide, T: 4 * d * d + 2 * d * wide),
    ],
    learned="The weights' cost grows with the text's length, that of the pairs with its square.",
)  # fmt: skip

# --- one merge ----------------------------------------------------------------------------------


def merged(pieces: list[str], pair: tuple[str, str]) -> list[str]:
    out: list[str] = []
    at = 0
    while at < len(pieces):
        if tuple(pieces[at : at + 2]) == tuple(pair):
            out.append(pieces[at] + pieces[at + 1])
            at += 2
        else:
            out.append(pieces[at])
            at += 1
    return out


def only_first(pieces: list[str], pair: tuple[str, str]) -> list[str]:
    for at in range(len(pieces) - 1):
        if tuple(pieces[at : at + 2]) == tuple(pair):
            return [*pieces[:at], pieces[at] + pieces[at + 1], *pieces[at + 2 :]]
    return list(pieces)


def with_leftover(pieces: list[str], pair: tuple[str, str]) -> list[str]:
    hits = [tuple(pieces[at : at + 2]) == tuple(pair) for at in range(len(pieces))]
    return [p + pieces[at + 1] if hits[at] else p for at, p in enumerate(pieces)]


def of_letters(rng: np.random.Generator) -> tuple[list[str], tuple[str, str]]:
    letters = [str(letter) for letter in rng.choice(list("aab"), 12)]
    return ["a", "a", "a", "b", *letters, "a", "a"], ("a", "a")


merge = function(
    "merge",
    solution=merged,
    given=of_letters,
    stars=2,
    mistakes=[
        mistake("Only the first occurrence of the pair was merged.", only_first),
        mistake("The pair's second piece is still there: after a merge, go on two pieces later.",
                with_leftover),
        mistake("Nothing was merged.", lambda pieces, pair: list(pieces)),
        mistake("This is the text; the pieces should stay separate, in a list.",
                lambda pieces, pair: "".join(pieces)),
    ],
    learned="Merge the most frequent pair again and again: that is how a vocabulary is made.",
)  # fmt: skip

# --- a small change, chosen badly ---------------------------------------------------------------


def bowl(rng: np.random.Generator) -> tuple[Callable[[Any], Any], np.ndarray, float]:
    matrix, right = nnlib.tensor(rng.normal(size=(6, 3))), nnlib.tensor([int(rng.integers(3))])
    return lambda x: F.cross_entropy(x @ matrix, right), rng.normal(size=(1, 6)), 0.1


def gradient_of(loss: Callable[[Any], Any], x: Any) -> Any:
    leaf = x.detach().requires_grad_()
    (gradient,) = nnlib.autograd.grad(loss(leaf), [leaf])
    return gradient


attack = function(
    "attack",
    solution=lambda loss, x, eps: x + eps * gradient_of(loss, x).sign(),
    given=bowl,
    stars=2,
    mistakes=[
        mistake("This makes the loss smaller: it helps the network. Step uphill.",
                lambda loss, x, eps: x - eps * gradient_of(loss, x).sign()),
        mistake("Every number of x may change by eps: take the gradient's sign, not its size.",
                lambda loss, x, eps: x + eps * gradient_of(loss, x)),
        mistake("This is the change alone. Add it to x.",
                lambda loss, x, eps: eps * gradient_of(loss, x).sign()),
        mistake("x did not change.", lambda loss, x, eps: x),
    ],
    learned="The gradient that trains the weights also shows how to fool the network.",
)  # fmt: skip

# --- two bugs -----------------------------------------------------------------------------------


def preferences(w: Any, better: Any, worse: Any, rate: float, steps: int,
                sign: float = 1.0, add_up: bool = False, uphill: float = 1.0) -> Any:  # fmt: skip
    w = w.detach()
    total = nnlib.zeros_like(w)
    for _ in range(steps):
        gradient = gradient_of(lambda w: -F.logsigmoid(sign * (better - worse) @ w).mean(), w)
        total = total + gradient if add_up else gradient
        w = w - uphill * rate * total
    return w


def pairs(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, float, int]:
    return rng.normal(size=3), rng.normal(size=(8, 3)), rng.normal(size=(8, 3)), 0.5, 4


bugs = function(
    "bugs",
    solution=preferences,
    given=pairs,
    stars=2,
    mistakes=[
        mistake("One of the two is found: the score of the better answer comes first now. "
                "But gradients of earlier steps are still added.",
                lambda w, b, o, r, n: preferences(w, b, o, r, n, add_up=True)),
        mistake("One of the two is found: the gradient is fresh in each step. "
                "But the worse answers are still rewarded.",
                lambda w, b, o, r, n: preferences(w, b, o, r, n, sign=-1.0)),
        mistake("Both bugs are still there.",
                lambda w, b, o, r, n: preferences(w, b, o, r, n, sign=-1.0, add_up=True)),
        mistake("This loss should become small: step against the gradient.",
                lambda w, b, o, r, n: preferences(w, b, o, r, n, uphill=-1.0)),
    ],
    learned="Learning from preferences is logistic regression on differences.",
)  # fmt: skip

# --- which network? -----------------------------------------------------------------------------

RIGHT = {"a": "logistic regression", "b": "CNN", "c": "RNN", "d": "attention"}
NETWORKS = ("logistic regression", "MLP", "CNN", "RNN", "attention")
REASONS = {  # why another network is not the first choice
    "a": {
        "MLP": "(a) An MLP easily memorises 150 patients. What is simpler and should come first?",
        "": "(a) The order of blood values means nothing. Which model shares no weights at all?",
    },
    "b": {
        "MLP": "(b) An MLP has one weight for each pixel, so it reads images of one size alone.",
        "attention": "(b) All pairs of pixels are very many. Which network looks at windows?",
        "": "(b) A cell looks the same anywhere. Which network makes use of that?",
    },
    "c": {
        "CNN": "(c) It would work, but it has to keep the last seconds. Memory is scarce here.",
        "attention": "(c) Attention keeps all that came before. Memory is scarce here.",
        "": "(c) Each value comes once, and an answer is needed at once. What has a short state?",
    },
    "d": {
        "RNN": "(d) A state of fixed size would have to hold the contract. Look back instead.",
        "": "(d) Any word of the question may matter to any word of the contract.",
    },
}


def unfit(answer: Any) -> str | None:
    """Why the first choice that does not fit is wrong; None if all fit."""
    if not isinstance(answer, dict) or set(answer) != set(RIGHT):
        return 'Give a dictionary with the keys "a", "b", "c" and "d".'
    for task, network in answer.items():
        if network not in NETWORKS:
            return f"({task}) {network!r} is not one of {', '.join(NETWORKS)}."
        if network != RIGHT[task]:
            return REASONS[task].get(network, REASONS[task][""])
    return None


def instead(task: str, network: str) -> dict[str, str]:
    return {**RIGHT, task: network}


which = puzzle(
    "which",
    solution=RIGHT,
    problem=unfit,
    stars=2,
    mistakes=[
        mistake(REASONS["a"]["MLP"], instead("a", "MLP")),
        mistake(REASONS["b"]["MLP"], instead("b", "MLP")),
        mistake(REASONS["b"]["attention"], instead("b", "attention")),
        mistake(REASONS["c"]["CNN"], instead("c", "CNN")),
        mistake(REASONS["d"]["RNN"], instead("d", "RNN")),
        mistake(REASONS["d"][""], instead("d", "CNN")),
    ],
    learned="Ask what may be exchanged without changing the answer: that is what to share.",
)

# --- an honest number ---------------------------------------------------------------------------


def with_error(right: Any, error: Callable[[Any, int], Any]) -> tuple[Any, Any]:
    p = right.mean()
    return p, error(p, len(right))


honest = function(
    "honest",
    solution=lambda right: with_error(right, lambda p, n: (p * (1 - p) / n) ** 0.5),
    given=lambda rng: ((rng.random(int(rng.integers(40, 200))) < 0.8).astype(float),),
    stars=3,
    mistakes=[
        mistake("This is the variance of the mean. Its root is the standard error.",
                lambda right: with_error(right, lambda p, n: p * (1 - p) / n)),
        mistake("This is the standard deviation of one answer. A mean of n answers varies less.",
                lambda right: with_error(right, lambda p, n: (p * (1 - p)) ** 0.5)),
        mistake("Divide by n inside the root: the error falls as 1/√n.",
                lambda right: with_error(right, lambda p, n: (p * (1 - p)) ** 0.5 / n)),
        mistake("The number of wrong answers counts, too: p (1 − p), not p.",
                lambda right: with_error(right, lambda p, n: (p / n) ** 0.5)),
    ],
    learned="A hundred examples give an accuracy to within about four points: state that with it.",
)  # fmt: skip

EXERCISES = [row, block, merge, attack, bugs, which, honest]

"""Exercises of the chapter on attention: a look on paper, a mask, bugs, a lead, three tasks."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnlib
from course.attention import written
from course.kit.exercises import function, mistake, value

# --- a look on paper ----------------------------------------------------------------------------

paper = value(
    "paper",
    solution=2.0,
    stars=1,
    mistakes=[
        mistake("This is the mean of the values: every position has the same weight.", 4.0),
        mistake("The weights do not add up to 1 yet: divide by the sum of the exponentials.", 16.0),
        mistake("These weights are the scores themselves: raise e to them first.",
                4 * np.log(2) / np.log(10)),
        mistake("This is the value of the best key alone. Softmax gives the others a share.", 0.0),
    ],
    learned="Scores, softmax, weighted mean: that is all of it.",
)  # fmt: skip

# --- a mask ---------------------------------------------------------------------------------------


def causal(scores: Any) -> Any:
    exponentials = scores.exp().tril()
    return exponentials / exponentials.sum(-1, keepdim=True)


mask = function(
    "mask",
    solution=causal,
    given=lambda rng: (rng.normal(size=(4, 4)),),
    stars=2,
    mistakes=[
        mistake(
            "The future has no weight, but the rows no longer add up to 1: divide after masking.",
            lambda scores: scores.softmax(-1).tril(),
        ),
        mistake(
            "A score of 0 forbids nothing: e⁰ is 1. Set the exponential to 0.",
            lambda scores: scores.tril().softmax(-1),
        ),
        mistake(
            "Nobody may look at itself here; the diagonal belongs to the allowed part.",
            lambda scores: (
                scores.exp().tril(-1) / scores.exp().tril(-1).sum(-1, keepdim=True).clamp(min=1e-9)
            ),
        ),
        mistake(
            "This allows the future and forbids the past: keep what is below the diagonal.",
            lambda scores: scores.exp().triu() / scores.exp().triu().sum(-1, keepdim=True),
        ),
        mistake(
            "Here the columns add up to 1: each row is one look, so divide by the row's sum.",
            lambda scores: scores.exp().tril() / scores.exp().tril().sum(0, keepdim=True),
        ),
        mistake("There is no mask yet.", lambda scores: scores.softmax(-1)),
    ],
    learned="Mask first, divide afterwards: then each row is a mean over what may be seen.",
)

# --- two bugs -------------------------------------------------------------------------------------


def look(Q: Any, K: Any, V: Any, rows: int = -1, terms: int = -1) -> Any:
    """Attention; the softmax is over dimension `rows`, the root is of the size of `terms`."""
    return (Q @ K.transpose(-2, -1) / Q.shape[terms] ** 0.5).softmax(rows) @ V


bugs = function(
    "bugs",
    solution=look,
    given=lambda rng: (rng.normal(size=(5, 3)), rng.normal(size=(5, 3)), rng.normal(size=(5, 3))),
    stars=2,
    mistakes=[
        mistake("Both bugs are still there.", lambda Q, K, V: look(Q, K, V, -2, 0)),
        mistake(
            "One bug is left: the root of which size? A score has d terms, not T.",
            lambda Q, K, V: look(Q, K, V, -1, 0),
        ),
        mistake(
            "One bug is left: each row should add up to 1, and here the columns do.",
            lambda Q, K, V: look(Q, K, V, -2, -1),
        ),
        mistake(
            "The rows are right; but the division by the root of d is gone.",
            lambda Q, K, V: (Q @ K.transpose(-2, -1)).softmax(-1) @ V,
        ),
        mistake(
            "Divide by the root of d, not by d.",
            lambda Q, K, V: (Q @ K.transpose(-2, -1) / Q.shape[-1]).softmax(-1) @ V,
        ),
    ],
    learned="Both bugs keep every shape. The sums of the rows find one, other sizes the other.",
)

# --- how far ahead? -------------------------------------------------------------------------------

lead = function(
    "lead",
    solution=lambda T, a: float(np.log(a * (T - 1) / (1 - a))),
    given=lambda rng: (int(rng.integers(4, 60)), float(rng.uniform(0.6, 0.95))),
    stars=2,
    mistakes=[
        mistake(
            "The wanted position is one of the T: it has T − 1 competitors.",
            lambda T, a: float(np.log(a * T / (1 - a))),
        ),
        mistake(
            "This is right for two positions; here T − 1 others have a share in the denominator.",
            lambda T, a: float(np.log(a / (1 - a))),
        ),
        mistake(
            "This is e to the power of L. Take its logarithm.",
            lambda T, a: a * (T - 1) / (1 - a),
        ),
        mistake(
            "The wanted position is in the denominator, too: a = e^L / (e^L + T − 1).",
            lambda T, a: float(np.log(a * (T - 1))),
        ),
        mistake(
            "This is how much lower the others are; with the other sign it is the lead.",
            lambda T, a: -float(np.log(a * (T - 1) / (1 - a))),
        ),
    ],
    learned="The path has length one, and the lead that is needed grows like the logarithm of T.",
)

# --- read backwards -------------------------------------------------------------------------------

reverse = function(
    "reverse",
    solution=lambda T: nnlib.eye(T).flip(0),
    given=lambda rng: (int(rng.integers(4, 10)),),
    stars=2,
    mistakes=[
        mistake("With the identity each position looks at itself.", lambda T: nnlib.eye(T)),
        mistake(
            "Here each position looks at its neighbour: the order is shifted, not reversed.",
            lambda T: nnlib.eye(T).roll(1, 0),
        ),
        mistake(
            "The text already multiplies by 30; W contains only zeros and ones.",
            lambda T: 30 * nnlib.eye(T).flip(0),
        ),
    ],
    learned="Where to look can depend on positions alone; then the weights are the same for all.",
)

# --- the digit comes first ------------------------------------------------------------------------


def look_before(symbol: Any) -> Any:
    scores = 30 * symbol[:-1] @ symbol[-1]
    return scores.softmax(-1) @ symbol[:-1].roll(1, 0)


def digits_first(rng: np.random.Generator) -> tuple[np.ndarray]:
    """One-hot rows of four digits, each before its letter, and a letter of the four."""
    letters, pair = rng.permutation(8)[:4], rng.integers(4)
    pairs = np.stack([8 + rng.permutation(8)[:4], letters], 1).reshape(-1)
    return (np.eye(16)[[*pairs, letters[pair]]],)


def with_itself(symbol: Any) -> Any:
    """Softmax over all rows: half of the weight goes to the question itself."""
    return (30 * symbol @ symbol[-1]).softmax(-1) @ symbol.roll(1, 0)


before = function(
    "before",
    solution=look_before,
    given=digits_first,
    stars=3,
    mistakes=[
        mistake(
            "Half of the weight goes to the question itself, whose own symbol fits best of all. "
            "Leave its position out.",
            with_itself,
        ),
        mistake(
            "You bring back the letter itself: the value should be the symbol before it.",
            lambda symbol: (30 * symbol[:-1] @ symbol[-1]).softmax(-1) @ symbol[:-1],
        ),
        mistake(
            "This is the symbol after the letter: that was the other look-up.",
            lambda symbol: (
                (30 * symbol[:-1].roll(1, 0) @ symbol[-1]).softmax(-1) @ symbol[:-1]
            ),
        ),
        mistake(
            "Without the factor 30 the softmax spreads its weight over all positions.",
            lambda symbol: (symbol[:-1] @ symbol[-1]).softmax(-1) @ symbol[:-1].roll(1, 0),
        ),
    ],
    learned="The roles are swapped: the key is the position's own symbol, the value its "
    "left neighbour's.",
)  # fmt: skip

# --- sums -----------------------------------------------------------------------------------------


def weight_on(block: int, positions: list[int], row: int = 5) -> float:
    """The mean weight that a block's heads put on some positions, over 500 new sums."""
    x, _ = written.sums().table(written.sums().test[:500])
    maps = written.trained("sums").look(nnlib.tensor(x))[1][block]
    return float(maps[:, :, row, positions].sum(-1).mean().item())


adds = value(
    "sums",
    solution=lambda: weight_on(0, [1, 4]),
    stars=2,
    tolerance=2e-3,
    mistakes=[
        mistake("These are the tens. Positions count from 0, and the ones are written first.",
                lambda: weight_on(0, [0, 3])),
        mistake("Each of the two gets this much on average. Together they get twice as much.",
                lambda: weight_on(0, [1, 4]) / 2),
        mistake("These are the maps of block 2. The digits are fetched in block 1.",
                lambda: weight_on(1, [1, 4])),
        mistake("Both heads are added up here; take the mean over the heads.",
                lambda: 2 * weight_on(0, [1, 4])),
        mistake("This is the row of the first digit of the answer, which predicts the tens.",
                lambda: weight_on(0, [1, 4], 6)),
    ],
    learned="The position of the = predicts the ones, so it fetches the two digits for them.",
)  # fmt: skip

EXERCISES = [paper, mask, bugs, lead, reverse, before, adds]

"""Exercises of the chapter on recurrent networks: steps, gates, clipping, time."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnlib
from course.kit.exercises import function, gradient, mistake, puzzle, value

# --- a third letter on paper ----------------------------------------------------------------------


def answer(
    word: str, w_h: float = 0.8, start: float = 0.0, g: Any = np.tanh
) -> tuple[float, float]:
    """The last state, and the probability of “began with b”, rounded to four digits."""
    h = start
    for letter in word:
        h = float(g((1.0 if letter == "a" else -0.5) + w_h * h + 0.1))
    return round(h, 4), round(float(1 / (1 + np.exp(1.5 - 3 * h))), 4)


def total_only() -> tuple[float, float]:
    total = 1 + 0.8 * 0.2359 + 0.1
    return round(total, 4), round(float(1 / (1 + np.exp(1.5 - 3 * total))), 4)


third = value(
    "third",
    solution=lambda: answer("aba"),
    stars=1,
    tolerance=2e-4,
    mistakes=[
        mistake(
            "This is the state after b once more: the third letter is an a, and contributes 1.",
            lambda: answer("abb"),
        ),
        mistake(
            "The old state is missing: this is the state after an a alone.",
            lambda: answer("a"),
        ),
        mistake(
            "The old state was added with weight 1; its weight is 0.8.",
            lambda: answer("a", w_h=1.0, start=answer("ab")[0]),
        ),
        mistake(
            "This is the total input: tanh is missing.",
            total_only,
        ),
        mistake(
            "The activation function is tanh; this is the sigmoid.",
            lambda: answer("a", start=answer("ab")[0], g=lambda z: 1 / (1 + np.exp(-z))),
        ),
    ],
    learned="The cell is the same at every step; only its two inputs change.",
)

# --- how long half of it lasts --------------------------------------------------------------------

half_life = function(
    "half-life",
    solution=lambda z: np.log(0.5) / np.log(z),
    given=lambda rng: (float(rng.uniform(0.3, 0.99)),),
    stars=1,
    mistakes=[
        mistake(
            "The quotient is inverted: the longer the memory, the closer z is to 1.",
            lambda z: np.log(z) / np.log(0.5),
        ),
        mistake(
            "This is what is left after half a step. Solve z to the power of k = ½ for k.",
            lambda z: z**0.5,
        ),
        mistake(
            "A gate takes away a share of what is left, not the same amount at each step.",
            lambda z: 0.5 / (1 - z),
        ),
        mistake(
            "This is the time until a tenth is left; take a half.",
            lambda z: np.log(0.1) / np.log(z),
        ),
    ],
    learned="6.6 steps for 0.9, 69 for 0.99: memory needs gates very near to 1.",
)

# --- an LSTM that counts --------------------------------------------------------------------------

THREE = "return three numbers for each letter: f, i and n."
OUTSIDE = "a gate is between 0 and 1, and a proposal between −1 and 1."
KEPT = "the count survives a b. At a b nothing of the old memory may stay."
WRITTEN = "something is written at a b, so the count does not begin at 0 after it."
STUCK = "the count forgets what came before: at an a the whole old memory has to stay."
SMALL = "an a does not add 1: the input gate times the proposal has to be 1."


def count_problem(answer: Any) -> str | None:
    if not callable(answer):
        return "a function of one letter is needed."
    gates = {}
    for letter in "ab":
        result = answer(letter)
        if not isinstance(result, (tuple, list)) or len(result) != 3:
            return THREE
        f, i, n = gates[letter] = tuple(map(float, result))
        if not (0 <= f <= 1 and 0 <= i <= 1 and -1 <= n <= 1):
            return OUTSIDE
    for letter, needed, forgetting, adding in (("b", 0, KEPT, WRITTEN), ("a", 1, STUCK, SMALL)):
        f, i, n = gates[letter]  # f and i · n are both 1 at an a, and both 0 at a b
        if abs(f - needed) > 0.02:
            return forgetting
        if abs(i * n - needed) > 0.02:
            return adding
    return None


def count_a(letter: str) -> tuple[float, float, float]:
    return (1, 1, 1) if letter == "a" else (0, 0, 0)


counting = puzzle(
    "count-a",
    solution=count_a,
    problem=count_problem,
    stars=2,
    mistakes=[
        mistake(THREE, lambda letter: 1.0 if letter == "a" else 0.0),
        mistake(OUTSIDE, lambda letter: (1, 1, 1) if letter == "a" else (-1, 0, 0)),
        mistake(KEPT, lambda letter: (1, 1, 1) if letter == "a" else (1, 0, 0)),
        mistake(WRITTEN, lambda letter: (1, 1, 1) if letter == "a" else (0, 1, -1)),
        mistake(STUCK, lambda letter: (0, 1, 1) if letter == "a" else (0, 0, 0)),
        mistake(SMALL, lambda letter: (1, 0.5, 1) if letter == "a" else (0, 0, 0)),
    ],
    learned="Keeping and adding at the same time needs two gates.",
)

# --- the state after a word's last letter ---------------------------------------------------------


def padded(rng: np.random.Generator) -> tuple[Any, Any]:
    lengths = nnlib.tensor(rng.permutation([2, 3, 5, 6]))
    return rng.normal(size=(4, 7, 3)), lengths


def states_at(states: Any, columns: Any) -> Any:
    return states[nnlib.arange(len(columns)), columns]


last_states = function(
    "last-states",
    solution=lambda states, lengths: states_at(states, lengths - 1),
    given=padded,
    stars=2,
    mistakes=[
        mistake(
            "This is still the last column, after the blanks.",
            lambda states, lengths: states[:, -1],
        ),
        mistake(
            "One too far: columns count from 0, so letter number n is in column n − 1.",
            lambda states, lengths: states_at(states, lengths),
        ),
        mistake(
            "These columns are taken from every word; each word needs only its own column.",
            lambda states, lengths: states[:, lengths - 1],
        ),
        mistake(
            "This takes all words at the length of the shortest.",
            lambda states, lengths: states[:, int(lengths.min().item()) - 1],
        ),
        mistake(
            "This averages over all columns, the blanks included.",
            lambda states, lengths: states.mean(1),
        ),
    ],
    learned="What comes after a word's end must not affect its answer.",
)

# --- clipping -------------------------------------------------------------------------------------


def length_of(*parts: Any) -> Any:
    return sum((part * part).sum() for part in parts) ** 0.5


def shortened(part: Any, length: Any, most: Any) -> Any:
    return part * nnlib.minimum(most / length, nnlib.ones_like(most))


def two_parts(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    size = np.exp(rng.uniform(-2, 2))
    return (
        rng.normal(size=5) * size,
        rng.normal(size=(2, 3)) * size,
        np.asarray(rng.uniform(0.5, 2)),
    )


clip = function(
    "clip",
    solution=lambda g, k, most: tuple(shortened(v, length_of(g, k), most) for v in (g, k)),
    given=two_parts,
    stars=2,
    mistakes=[
        mistake(
            "Each tensor is clipped by its own length, which turns the whole vector. One factor "
            "for both.",
            lambda g, k, most: tuple(shortened(v, length_of(v), most) for v in (g, k)),
        ),
        mistake(
            "You cut each entry by itself, which turns the gradient; scale all by one factor.",
            lambda g, k, most: tuple(nnlib.minimum(nnlib.maximum(v, -most), most) for v in (g, k)),
        ),
        mistake(
            "Short gradients are stretched here; they should stay as they are.",
            lambda g, k, most: tuple(v * most / length_of(g, k) for v in (g, k)),
        ),
        mistake(
            "Two lengths do not add up: add the squares, then take the root.",
            lambda g, k, most: tuple(
                shortened(v, length_of(g) + length_of(k), most) for v in (g, k)
            ),
        ),
        mistake(
            "The length is the root of the sum of squares.",
            lambda g, k, most: tuple(shortened(v, length_of(g, k) ** 2, most) for v in (g, k)),
        ),
    ],
    learned="The direction of the whole gradient stays, and the step is bounded.",
)

# --- a step of a GRU ------------------------------------------------------------------------------


def gru_step(in_r: Any, in_z: Any, from_x: Any, from_h: Any, h: Any) -> Any:
    z = in_z.sigmoid()
    return z * h + (1 - z) * (from_x + in_r.sigmoid() * from_h).tanh()


gru = function(
    "gru",
    solution=gru_step,
    given=lambda rng: tuple(rng.normal(size=3) for _ in range(5)),
    stars=2,
    derivative=True,
    mistakes=[
        mistake(
            "Keep and overwrite are exchanged: z keeps the old state.",
            lambda in_r, in_z, from_x, from_h, h: gru_step(in_r, -in_z, from_x, from_h, h),
        ),
        mistake(
            "The two gates are exchanged: r acts inside tanh, z outside.",
            lambda in_r, in_z, from_x, from_h, h: gru_step(in_z, in_r, from_x, from_h, h),
        ),
        mistake(
            "The reset gate acts on the state's part alone, not on the letter's.",
            lambda in_r, in_z, from_x, from_h, h: (
                in_z.sigmoid() * h
                + (1 - in_z.sigmoid()) * (in_r.sigmoid() * (from_x + from_h)).tanh()
            ),
        ),
        mistake(
            "The gates are used without the sigmoid; they have to be between 0 and 1.",
            lambda in_r, in_z, from_x, from_h, h: (
                in_z * h + (1 - in_z) * (from_x + in_r * from_h).tanh()
            ),
        ),
        mistake(
            "The proposal is tanh of its total input; tanh is missing.",
            lambda in_r, in_z, from_x, from_h, h: (
                in_z.sigmoid() * h + (1 - in_z.sigmoid()) * (from_x + in_r.sigmoid() * from_h)
            ),
        ),
        mistake(
            "The reset gate is not used.",
            lambda in_r, in_z, from_x, from_h, h: (
                in_z.sigmoid() * h + (1 - in_z.sigmoid()) * (from_x + from_h).tanh()
            ),
        ),
    ],
    learned="z near 1 keeps; z near 0 overwrites; r decides what the proposal gets to see.",
)

# --- through time ---------------------------------------------------------------------------------


def states_of(w_hh: Any, u: Any, v: Any) -> list[Any]:
    """All states, from a state of zeros on; row t of u is what the input adds at step t."""
    h = [0 * v]
    for row in u:
        h.append((row + w_hh @ h[-1]).tanh())
    return h


def backwards(
    w_hh: Any,
    u: Any,
    v: Any,
    slopes: bool = True,
    transposed: bool = True,
    overwrite: bool = False,
    own: bool = False,
) -> Any:
    """The gradient of v · h, with h the last state, for w_hh; each keyword allows one mistake.

    Args:
        slopes: the slopes of tanh are factors.
        transposed: the gradient goes back through the transpose of w_hh.
        overwrite: each step's term replaces the sum of the others.
        own: δ is multiplied by its own step's state in place of the state before it.
    """
    h = states_of(w_hh, u, v)
    total, after = 0 * w_hh, v
    for t in range(len(u), 0, -1):
        delta = (1 - h[t] ** 2) * after if slopes else after
        term = nnlib.outer(delta, h[t] if own else h[t - 1])
        total = term if overwrite else total + term
        after = (w_hh.T if transposed else w_hh) @ delta
    return total


through_time = gradient(
    "through-time",
    of=lambda w_hh, u, v: (v * states_of(w_hh, u, v)[-1]).sum(),
    given=lambda rng: (rng.normal(size=(3, 3)), rng.normal(size=(5, 3)), rng.normal(size=3)),
    stars=3,
    mistakes=[
        mistake(
            "The slopes of tanh, 1 − h², are missing.",
            lambda w_hh, u, v: backwards(w_hh, u, v, slopes=False),
        ),
        mistake(
            "Going back, the matrix has to be transposed.",
            lambda w_hh, u, v: backwards(w_hh, u, v, transposed=False),
        ),
        mistake(
            "You overwrite: this is one step's term. All steps' terms are added.",
            lambda w_hh, u, v: backwards(w_hh, u, v, overwrite=True),
        ),
        mistake(
            "δ at step t belongs with that step's input, which is the state before it, h[t − 1].",
            lambda w_hh, u, v: backwards(w_hh, u, v, own=True),
        ),
        mistake(
            "This is the last step's term alone: w_hh also acted at every earlier step.",
            lambda w_hh, u, v: backwards(w_hh, u, v) - backwards_before_last(w_hh, u, v),
        ),
    ],
    learned="A sum over time, each δ times the input of its step.",
)


def backwards_before_last(w_hh: Any, u: Any, v: Any) -> Any:
    """All terms but the last step's."""
    h = states_of(w_hh, u, v)
    return backwards(w_hh, u, v) - nnlib.outer((1 - h[-1] ** 2) * v, h[-2])


EXERCISES = [third, half_life, counting, last_states, clip, gru, through_time]

"""Exercises of the appendix on derivatives by hand: the lines, the program, paper, a bug."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from course.by_hand import program
from course.kit.checking import BLANK
from course.kit.comparing import brief, difference
from course.kit.exercises import Exercise, function, mistake, puzzle, value


def slope(a: Any) -> Any:
    """The slope of the logistic function where its value is a."""
    return a * (1 - a)


def scalars(rng: np.random.Generator, count: int) -> list[np.ndarray]:
    return [np.array(v) for v in rng.uniform(0.1, 0.9, size=count)]


# --- lines of the derivation ----------------------------------------------------------------------

# A line's half-way answers: a hint for each, and the answer as a function of the arguments and of
# the right lines.
Line = Sequence[tuple[str, Callable]]


def lines(
    short: str,
    solution: Callable,
    halfway: Mapping[str, Line],
    count: int,
    activations: Sequence[int],
    **more: Any,
) -> Any:
    """An exercise on a function that returns the lines that `halfway` names, judged in their order.

    It is called with random arguments, and with each of its activations close to 0 and close to 1.
    """
    names = list(halfway)
    fixed_values: list[dict[int, float]] = [{}] * 4
    fixed_values += [{i: end} for i in activations for end in (0.01, 0.99)]

    def answers(answer: Callable) -> list[tuple[list, Sequence[float], Sequence[float]]]:
        rng, results = np.random.default_rng(7), []
        for fixed in fixed_values:
            arguments = [fixed.get(i, float(v)) for i, v in enumerate(rng.uniform(0.1, 0.9, count))]
            results.append((arguments, answer(*arguments), solution(*arguments)))
        return results

    def problem(answer: Any) -> str | None:
        if not callable(answer):
            return f"a function is needed, not {brief(answer)}: leave the call's parentheses out?"
        results = answers(answer)
        for _, returned, _ in results:
            if returned is None:
                return BLANK
            if not isinstance(returned, (tuple, list)) or len(returned) != len(names):
                return f"{len(names)} results are needed, not {brief(returned)}."
        for k, name in enumerate(names):
            if results[0][1][k] is ...:
                right_so_far = f"{', '.join(names[:k])}: right. Next comes {name}."
                return right_so_far if k else BLANK
            if all(difference(own[k], needed[k], 1e-9, name) is None for _, own, needed in results):
                continue
            prefix = f"{', '.join(names[:k])}: right. " if k else ""
            for explanation, wrong in halfway[name]:
                if all(difference(own[k], wrong(x, n), 1e-9) is None for x, own, n in results):
                    return f"{prefix}{name}: {explanation}"
            _, own, needed = results[0]
            return f"{prefix}{difference(own[k], needed[k], 1e-9, name)}"
        return None

    def wrong_answer(name: str, wrong: Callable) -> Callable:
        def answer(*arguments: float) -> list[float]:
            result = list(solution(*arguments))
            result[names.index(name)] = wrong(arguments, solution(*arguments))
            return result

        return answer

    mistakes = [
        mistake(f"{name}: {explanation}", wrong_answer(name, wrong))
        for name, line in halfway.items() for explanation, wrong in line
    ]  # fmt: skip
    return puzzle(short, solution, problem=problem, mistakes=mistakes, stepwise=True, **more)


def output_lines(y: Any, a3: Any, a4: Any, a5: Any) -> tuple[Any, ...]:
    d_a5 = 2 * (a5 - y)
    d_in5 = d_a5 * slope(a5)
    return d_a5, d_in5, d_in5, d_in5 * a3, d_in5 * a4


# In the half-way answers x are the arguments (y, a3, a4, a5) and n the right lines in their order.
output: Exercise = lines(
    "output",
    solution=output_lines,
    count=4,
    activations=(1, 2, 3),
    stars=2,
    halfway={
        "d_a5": [
            ("the inner derivative is missing. y − a₅ has the derivative −1 with respect to a₅.",
             lambda x, n: 2 * (x[0] - x[3])),
            ("the square's factor 2 is missing.", lambda x, n: x[3] - x[0]),
            ("that is the loss itself, not its derivative.", lambda x, n: (x[0] - x[3]) ** 2),
        ],
        "d_in5": [
            ("this is still the derivative with respect to a₅. Multiply by σ's slope a₅(1 − a₅).",
             lambda x, n: n[0]),
            ("this is da₅/din₅ alone. It has to be multiplied by the line before, d_a5.",
             lambda x, n: slope(x[3])),
            ("the slope of σ is a₅(1 − a₅), not a₅. Test your line at a₅ close to 1.",
             lambda x, n: n[0] * x[3]),
            ("the slope of σ is a₅(1 − a₅), not 1 − a₅. Test your line at a₅ close to 0.",
             lambda x, n: n[0] * (1 - x[3])),
        ],
        "d_w05": [
            ("this is din₅/dw₀₅ alone. The chain goes on to the loss: multiply by d_in5.",
             lambda x, n: 1.0),
            ("you went from a₅ straight to w₀₅. in₅ is between them, so start from d_in5.",
             lambda x, n: n[0]),
        ],
        "d_w35": [
            ("this is din₅/dw₃₅ alone. Multiply by d_in5.", lambda x, n: x[1]),
            ("this is the bias's line. In in₅ the weight w₃₅ is multiplied by a₃.",
             lambda x, n: n[1]),
            ("the slope of σ got lost: start from d_in5, not from d_a5.",
             lambda x, n: n[0] * x[1]),
            ("neuron 3's own slope is one factor too many: w₃₅ comes after neuron 3.",
             lambda x, n: n[1] * slope(x[1])),
        ],
        "d_w45": [
            ("this is din₅/dw₄₅ alone. Multiply by d_in5.", lambda x, n: x[2]),
            ("this is the line of w₃₅: the edge from neuron 4 carries a₄.",
             lambda x, n: n[1] * x[1]),
            ("this is the bias's line. In in₅ the weight w₄₅ is multiplied by a₄.",
             lambda x, n: n[1]),
        ],
    },
    learned="Two lines lead to δ₅, and each weight takes one multiplication more.",
)  # fmt: skip


def hidden_lines(d_in5: Any, w35: Any, a3: Any, x1: Any, x2: Any) -> tuple[Any, ...]:
    d_a3 = d_in5 * w35
    d_in3 = d_a3 * slope(a3)
    return d_a3, d_in3, d_in3, d_in3 * x1, d_in3 * x2


# Here x are the arguments (d_in5, w35, a3, x1, x2).
hidden: Exercise = lines(
    "hidden",
    solution=hidden_lines,
    count=5,
    activations=(2,),
    stars=2,
    halfway={
        "d_a3": [
            ("this is din₅/da₃ alone. Multiply by d_in5, which leads on to the loss.",
             lambda x, n: x[1]),
            ("the edge is missing: in₅ changes by w₃₅ times the change of a₃.",
             lambda x, n: x[0]),
            ("this is the derivative with respect to w₃₅. Here a₃ changes, and w₃₅ is the factor.",
             lambda x, n: x[0] * x[2]),
        ],
        "d_in3": [
            ("this is still d_a3. To get through σ, multiply by a₃(1 − a₃).", lambda x, n: n[0]),
            ("this is da₃/din₃ alone. Multiply by the line before, d_a3.",
             lambda x, n: slope(x[2])),
            ("w₃₅ got lost: start from d_a3, not from d_in5.", lambda x, n: x[0] * slope(x[2])),
            ("the slope of σ is a₃(1 − a₃), not a₃. Test your line at a₃ close to 1.",
             lambda x, n: n[0] * x[2]),
            ("the slope of σ is a₃(1 − a₃), not 1 − a₃. Test your line at a₃ close to 0.",
             lambda x, n: n[0] * (1 - x[2])),
        ],
        "d_w03": [
            ("this is din₃/dw₀₃ alone. Multiply by d_in3.", lambda x, n: 1.0),
            ("you went from a₃ straight to w₀₃. in₃ is between them, so start from d_in3.",
             lambda x, n: n[0]),
        ],
        "d_w13": [
            ("this is din₃/dw₁₃ alone. Multiply by d_in3.", lambda x, n: x[3]),
            ("this is the bias's line. In in₃ the weight w₁₃ is multiplied by x₁.",
             lambda x, n: n[1]),
            ("the input on this edge is x₁; a₃ is the neuron's output.",
             lambda x, n: n[1] * x[2]),
            ("x₁ and x₂ are swapped.", lambda x, n: n[1] * x[4]),
        ],
        "d_w23": [
            ("this is din₃/dw₂₃ alone. Multiply by d_in3.", lambda x, n: x[4]),
            ("this is the line of w₁₃: the edge from input 2 carries x₂.",
             lambda x, n: n[1] * x[3]),
            ("this is the bias's line. In in₃ the weight w₂₃ is multiplied by x₂.",
             lambda x, n: n[1]),
        ],
    },
    learned="The same pattern, one layer further back.",
)  # fmt: skip

# --- the output neuron on paper -------------------------------------------------------------------

paper = value(
    "paper",
    solution=(-0.064, -0.032, -0.016),
    mistakes=[
        mistake(
            "The sign: dLoss/da₅ is 2(a₅ − y) = −0.4, and the lines that follow keep the minus.",
            (0.064, 0.032, 0.016),
        ),
        mistake(
            "The slope a₅(1 − a₅) = 0.16 is missing in all three.", (-0.4, -0.2, -0.1)
        ),
        mistake("The square's factor 2 is missing.", (-0.032, -0.016, -0.008)),
        mistake(
            "The first is right. The two weights get it times a₃ and a₄.",
            (-0.064, -0.064, -0.064),
        ),
        mistake(
            "The first is right. a₃ = 0.5 belongs to w₃₅, a₄ = 0.25 to w₄₅.",
            (-0.064, -0.016, -0.032),
        ),
    ],
    learned="Three multiplications after δ₅, and no new derivative.",
)  # fmt: skip

# --- the five steps as a program ------------------------------------------------------------------


def a_net(rng: np.random.Generator) -> tuple[Any, ...]:
    size, inputs = 7, 2
    return Weights(np.triu(rng.normal(size=(size, size)), 1)), [0.8, -0.6][:inputs], 0.3


class Weights:
    """A net for a check: the program gets its matrix, a message shows its size."""

    def __init__(self, w: np.ndarray) -> None:
        self.w = w

    def __repr__(self) -> str:
        return f"a net with {len(self.w) - 1} neurons"


def run(answer: Callable, net: Weights, x: list[float], y: float) -> tuple[float, np.ndarray]:
    loss, gradient = answer(net.w.copy(), x, y)
    return float(loss), np.triu(np.asarray(gradient), 1)


def changed(
    first: Callable = lambda a, y: 2 * (a - y),
    collect: Callable = lambda w, i, delta: w[i] @ delta,
    accumulate: bool = True,
    through: Callable = slope,
    product: Callable = np.outer,
) -> Callable:
    """A function like backpropagate(), with one step changed."""

    def backpropagate(w: np.ndarray, x: list[float], y: float) -> tuple[float, np.ndarray]:
        a = program.run_forward(w, x)
        received, delta = np.zeros((2, len(w)))
        received[-1] = first(a[-1], y)
        for i in range(len(w) - 1, len(x), -1):
            received[i] = accumulate * received[i] + collect(w, i, delta)
            delta[i] = through(a[i]) * received[i]
        return (y - a[-1]) ** 2, product(a, delta)

    return backpropagate


steps = function(
    "steps",
    solution=program.backpropagate,
    given=a_net,
    observe=run,
    stars=3,
    tolerance=1e-9,
    mistakes=[
        mistake(
            "Step 3 has the wrong sign: the derivative of (y − a)² with respect to a is 2(a − y).",
            changed(first=lambda a, y: 2 * (y - a)),
        ),
        mistake("In step 3 the square's factor 2 is missing.", changed(first=lambda a, y: a - y)),
        mistake(
            "In step 4 you overwrite what the output neuron was given in step 3: += is needed.",
            changed(accumulate=False),
        ),
        mistake(
            "In step 4 you collect over column i, the edges that lead to neuron i. The edges to "
            "its successors are in row i.",
            changed(collect=lambda w, i, delta: w[:, i] @ delta),
        ),
        mistake(
            "In step 4 the neuron's own slope a(1 − a) is missing.",
            changed(through=lambda a: 1.0),
        ),
        mistake(
            "In step 4 the slope of σ is a(1 − a), not a.", changed(through=lambda a: a)
        ),
        mistake(
            "Step 5 is transposed: row i, column j needs a of i times δ of j.",
            changed(product=lambda a, delta: np.outer(delta, a)),
        ),
    ],
    learned="Twelve lines, and they work for any wiring without cycles.",
)  # fmt: skip

# --- the step with the predicted loss 0 -----------------------------------------------------------


def to_zero(s: Any) -> tuple[Any, float]:
    return 1 / (4 * (s**2).sum()), 0.25


zero = function(
    "zero",
    solution=to_zero,
    given=lambda rng: (rng.uniform(0.05, 0.3, size=9),),
    stars=3,
    mistakes=[
        mistake(
            "The first: the loss's derivative contains the factor 2, and in the predicted fall it "
            "is squared.",
            lambda s: (1 / (s**2).sum(), 0.25),
        ),
        mistake(
            "The first: the predicted fall squares the whole derivative, so its factor 2 "
            "becomes 4.",
            lambda s: (1 / (2 * (s**2).sum()), 0.25),
        ),
        mistake(
            "The first: each weight contributes the square of its own derivative. Square, then "
            "add.",
            lambda s: (1 / (4 * s.sum() ** 2), 0.25),
        ),
        mistake(
            "The first is right. The second is not 0: 0 is predicted. How far does a₅ go?",
            lambda s: (to_zero(s)[0], 0.0),
        ),
        mistake(
            "The first is right. Half of the error is left. The loss is the square of the error.",
            lambda s: (to_zero(s)[0], 0.5),
        ),
        mistake(
            "The first is right. A quarter is what is left, not what is gone.",
            lambda s: (to_zero(s)[0], 0.75),
        ),
    ],
    learned="The predicted loss is 0 where the answer is half-way, whatever the target is.",
)

# --- one weight on two edges ---------------------------------------------------------------------

shared = function(
    "shared",
    solution=lambda d3, d4, x1, x2: x1 * d3 + x2 * d4,
    given=lambda rng: tuple(scalars(rng, 4)),
    stars=2,
    mistakes=[
        mistake(
            "This is the effect of v as w₁₃. It is also w₂₄.",
            lambda d3, d4, x1, x2: x1 * d3,
        ),
        mistake(
            "This is the effect of v as w₂₄. It is also w₁₃.",
            lambda d3, d4, x1, x2: x2 * d4,
        ),
        mistake(
            "Multiply each δ by the input on its own edge: w₁₃ carries x₁, w₂₄ carries x₂.",
            lambda d3, d4, x1, x2: x2 * d3 + x1 * d4,
        ),
        mistake(
            "Derivatives multiply along one path. These are two paths, and their effects add.",
            lambda d3, d4, x1, x2: x1 * d3 * x2 * d4,
        ),
        mistake(
            "δ₃ + δ₄ would be right for a shared bias. For an edge, the input is also a factor.",
            lambda d3, d4, x1, x2: d3 + d4,
        ),
    ],
    learned="The derivative for a shared weight is the sum of those for its separate edges.",
)

# --- a whole layer, with a bug -------------------------------------------------------------------


def a_layer(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Three neurons with two inputs: W, the inputs, the activations, dLoss/d(activations)."""
    return (
        rng.normal(size=(3, 2)),
        rng.normal(size=2),
        rng.uniform(0.1, 0.9, size=3),
        rng.normal(size=3),
    )


def back(W: Any, before: Any, after: Any, received: Any) -> tuple[Any, Any, Any]:
    delta = slope(after) * received
    return delta[:, None] * before, delta, W.T @ delta


def as_printed(W: Any, before: Any, after: Any, received: Any) -> tuple[Any, Any, Any]:
    delta = slope(after) * received
    return delta[:, None] * before, delta, W @ delta


def without_slope(W: Any, before: Any, after: Any, received: Any) -> tuple[Any, Any, Any]:
    return received[:, None] * before, received, W.T @ received


def transposed(W: Any, before: Any, after: Any, received: Any) -> tuple[Any, Any, Any]:
    delta = slope(after) * received
    return before[:, None] * delta, delta, W.T @ delta


def without_delta(W: Any, before: Any, after: Any, received: Any) -> tuple[Any, Any, Any]:
    delta = slope(after) * received
    return delta[:, None] * before, delta, W.T @ received


layer = function(
    "layer",
    solution=back,
    given=a_layer,
    stars=2,
    mistakes=[
        mistake(
            "This is the program as printed. With three neurons and two inputs its shapes do not "
            "fit: which way does W lead, and which way does δ go?",
            as_printed,
        ),
        mistake("The neurons' own slopes a(1 − a) were right: δ needs them.", without_slope),
        mistake(
            "The first result was right: row j belongs to neuron j of this layer, as in W.",
            transposed,
        ),
        mistake(
            "What goes backwards is δ, not what the neurons received: W.T @ delta.", without_delta
        ),
    ],
    learned="Forward W, backward Wᵀ. With a square matrix the shapes would have fitted.",
)

EXERCISES = [output, paper, hidden, steps, zero, shared, layer]

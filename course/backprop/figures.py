"""Live figures on backpropagation: a small change, neurons fired backwards, a flipped sign."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

import nnlib
from course.backprop.fading import chain_of_ten, dead_share
from course.backprop.paths import count_paths
from course.backprop.table import fill_the_table
from course.networks.five import CORNER_NAMES, CORNERS, WEIGHTS, XOR
from nnlib import live

__all__ = [
    "chain_of_ten", "count_paths", "dead_share", "fill_the_table", "fire_backwards",
    "flipped_sign", "follow_a_change", "thousand_steps",
]  # fmt: skip

FEEDS = {1: (3, 4), 2: (3, 4), 3: (5,), 4: (5,), 5: ()}  # neuron -> those that it feeds
FED_BY = {3: (1, 2), 4: (1, 2), 5: (3, 4)}  # neuron -> those that feed it
SMALL = 1e-4
DIGITS = "₀₁₂₃₄₅"
INPUTS = np.array(CORNERS, "float32")
TARGETS = np.array(XOR, "float32")


def _sub(name: str) -> str:
    """w35 as w₃₅."""
    return name[0] + "".join(DIGITS[int(d)] for d in name[1:])


def activations(w: Mapping[str, Any], x1: Any, x2: Any, added: Mapping | None = None) -> dict:
    """The activations of the five neurons, with `added[i]` added to neuron i's total input."""
    added = added or {}
    a = {1: x1 + added.get(1, 0.0), 2: x2 + added.get(2, 0.0)}
    for j, before in FED_BY.items():
        total = w[f"w0{j}"] + added.get(j, 0.0)
        for i in before:
            total = total + w[f"w{i}{j}"] * a[i]
        a[j] = nnlib.sigmoid(total)
    return a


def total_inputs(w: Mapping[str, Any], a: Mapping[int, Any]) -> dict:
    """in₃, in₄, in₅ for given activations."""
    return {
        j: w[f"w0{j}"] + sum(w[f"w{i}{j}"] * a[i] for i in before) for j, before in FED_BY.items()
    }


def fired_in_order(w: Mapping[str, Any], a: Mapping[int, Any], y: Any, fired: Any) -> dict:
    """The δ that each neuron computes when it fires, from the δs that exist by then.

    `fired` (5,) has each neuron's position in the order, or 0 if it has not fired.
    """
    order = {i: fired[i - 1] for i in FEEDS}
    delta: dict[int, Any] = {}
    for i in (5, 4, 3, 2, 1):
        received = 2.0 * (a[5] - y) if i == 5 else 0.0 * a[i]
        for j in FEEDS[i]:
            arrived = (order[j] > 0) * (order[j] < order[i])
            received = received + arrived * w[f"w{i}{j}"] * delta[j]
        delta[i] = received * a[i] * (1.0 - a[i]) if i > 2 else received
    return delta


def finite_differences(w: Mapping[str, Any], x1: Any, x2: Any, y: Any) -> dict[str, Any]:
    """dLoss/dinᵢ (d1 … d5) and dLoss/dwᵢⱼ (by the weights' names) from two runs forward each."""

    def loss(w: Mapping[str, Any], added: Mapping[int, float]) -> Any:
        return (y - activations(w, x1, x2, added)[5]) ** 2

    def shifted(i: int, h: float) -> Any:
        return loss(w, {i: h})

    def changed(name: str, h: float) -> Any:
        return loss({**w, name: w[name] + h}, {})

    def central_difference(loss_at: Callable[[float], Any]) -> Any:
        return (loss_at(SMALL) - loss_at(-SMALL)) / (2 * SMALL)

    derivatives = {f"d{i}": central_difference(partial(shifted, i)) for i in FEEDS}
    for name in WEIGHTS:
        derivatives[name] = central_difference(partial(changed, name))
    return derivatives


# --- a change travels ----------------------------------------------------------------------------

TRACKS = np.arange(4.0, -1.0, -1.0)


def follow_a_change(L1: Callable, L2: Callable, x: float, w1: float, w2: float) -> live.Figure:
    """Two layers of one neuron each: ε added to w₁, and the change of each later quantity."""

    def chain(eps: Any, w1: Any, w2: Any, x: Any) -> dict:
        eps, w1, w2, x = (v.double() for v in (eps, w1, w2, x))

        def quantities(w1: Any) -> Any:
            first = L1(w1, x)
            return nnlib.stack([w1, w1 * x, first, w2 * first, L2(w2, first)])

        change = quantities(w1 + eps) - quantities(w1)
        values = quantities(w1)
        factors = [x, values[2] * (1 - values[2]), w2, values[4] * (1 - values[4])]
        travelled = [eps]
        for factor in factors:
            travelled.append(travelled[-1] * factor)
        still = (eps.abs() < 1e-9) * 1.0
        return {
            "change": change, "predicted": nnlib.stack(travelled), "factors": nnlib.stack(factors),
            "product": factors[0] * factors[1] * factors[2] * factors[3],
            "ratio": change[4] / (eps + still), "still": still, "moved": 1 - still,
        }  # fmt: skip

    names = ["w₁", "w₁ x", "L₁ = g(w₁ x)", "w₂ L₁", "L₂ = g(w₂ L₁)"]
    operations = ["× x", "× g′(w₁ x)", "× w₂", "× g′(w₂ L₁)"]
    labels = [live.label(n, -1.55, float(t), anchor="start", dy=4)
              for n, t in zip(names, TRACKS, strict=True)]  # fmt: skip
    labels += [
        live.label(f"{s} = {{factors[{k}]:.3f}}", -1.45, float(TRACKS[k]) - 0.5, anchor="start",
                   dy=4, color="gradient")
        for k, s in enumerate(operations)
    ]  # fmt: skip
    return live.figure(
        chain,
        eps=live.slider(-0.5, 0.5, 0.01, value=0.3, label="change ε of w₁"),
        w1=live.slider(-2.0, 2.0, 0.1, value=w1, label="w₁"),
        w2=live.slider(-4.0, 4.0, 0.1, value=w2, label="w₂"),
        x=live.slider(-2.0, 2.0, 0.1, value=x, label="x"),
        view=[
            live.axes(
                live.line(x=0.0, color="muted"),
                live.arrows(np.zeros(5), TRACKS, "change", np.zeros(5), color="accent"),
                live.points(x="predicted", y=TRACKS, color="gradient", size=4),
                live.handle("eps", 4.0, drag=("eps", None), label="change of w₁"),
                *labels, frame=False, xlim=(-1.6, 1.2), ylim=(-0.5, 4.5), width=480, height=340,
            ),
            live.readout("Changes: w₁ {change[0]:+.3f}, w₁x {change[1]:+.3f}, L₁ {change[2]:+.3f}, "
                         "w₂L₁ {change[3]:+.3f}, L₂ {change[4]:+.3f}."),
            live.readout("measured {ratio:+.4f} · product of local derivatives {product:+.4f}",
                         size="large", when="moved"),
            live.readout("product of local derivatives {product:+.4f}; change w₁ to measure",
                         size="large", when="still"),
        ],
        title="A change travels",
        caption="Drag the top arrow's tip. Arrows are measured changes, dots are what the local "
        "derivatives predict. When are the dots not at the tips? Which w₂ reverses the last arrow?",
        alt="Five arrows, one below the other: the change of the first weight, and the changes of "
        "the first sum, its activation, the second sum and the output. Each is the one above "
        "times a local derivative; small changes follow the product of the four closely.",
    )  # fmt: skip


# --- fire them backwards -------------------------------------------------------------------------


def _network(**options: Any) -> Any:
    """The five neurons with in, a, δ and each weight's gradient."""
    neurons = [live.neuron(i, 0, value=f"a{i}", delta=f"shown[{i - 1}]") for i in (1, 2)]
    neurons += [
        live.neuron(i, 1 + (i == 5), value=f"a{i}", total=f"in{i}", delta=f"shown[{i - 1}]",
                    bias=f"w0{i}")
        for i in (3, 4, 5)
    ]  # fmt: skip
    edges = [live.edge(n[1], n[2], n, gradient=f"g{n[1:]}") for n in WEIGHTS if n[1] != "0"]
    return live.network(neurons, edges, **{"width": 480, "height": 300, "limit": 12.0, **options})


def _table(i: int) -> Any:
    """Neuron i's δ and its weights' gradients, each above the finite difference."""
    names = [f"δ{DIGITS[i]}"]
    if i > 2:
        names += [_sub(f"w{k}{i}") for k in (0, *FED_BY[i])]
    return live.matrix(
        f"table{i}", format=".3f", row_labels=["backward", "measured"], column_labels=names,
        title=f"neuron {i}", pixel=58, when=f"on{i}",
    )  # fmt: skip


def who_is_right(fired: Any) -> dict[str, Any]:
    """Whether each neuron has fired, too early, or with another's wrong δ; how many are right."""
    out: dict[str, Any] = {}
    correct: dict[int, Any] = {}  # 1 where a neuron has fired with a right δ
    for i in (5, 4, 3, 2, 1):
        has_fired = (fired[i - 1] > 0) * 1.0
        in_order, is_right = has_fired, has_fired
        for j in FEEDS[i]:
            fired_before = (fired[j - 1] > 0) * (fired[j - 1] < fired[i - 1]) * 1.0
            in_order, is_right = in_order * fired_before, is_right * fired_before * correct[j]
        correct[i] = is_right
        out |= {
            f"on{i}": has_fired,
            f"early{i}": has_fired - in_order,
            f"misled{i}": in_order - is_right,
        }
    right = correct[1] + correct[2] + correct[3] + correct[4] + correct[5]
    return {**out, "right": right, "all": (right == 5) * 1.0}


def _inputs_and_weights(units: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """The four corners with their targets, and two sets of weights: buttons of `fire_backwards`."""
    examples = {
        f"{n} → {t}": {"x1": float(p[0]), "x2": float(p[1]), "y": float(t)}
        for n, p, t in zip(CORNER_NAMES, INPUTS, XOR, strict=True)
    }
    rng = np.random.default_rng(4)
    random = {n: float(v) for n, v in zip(WEIGHTS, rng.normal(0, 2, 9).round(1), strict=True)}
    return {**examples, "unit weights": dict(units), "random weights": random}


def fire_backwards(units: Mapping[str, float]) -> live.Figure:
    """Neurons fired in an order that the reader chooses; derivatives beside their measurements."""

    def outputs(x1: Any, x2: Any, y: Any, fired: Any, **weights: Any) -> dict:
        w = {n: v.double() for n, v in weights.items()}
        x1, x2, y = (v.double() for v in (x1, x2, y))
        a = activations(w, x1, x2)
        delta, measurements = fired_in_order(w, a, y, fired), finite_differences(w, x1, x2, y)
        blank = nnlib.tensor(float("nan"))
        out: dict[str, Any] = {f"a{i}": v for i, v in a.items()}
        out |= {f"in{i}": v for i, v in total_inputs(w, a).items()}
        shown = []
        for i in FEEDS:
            has_fired = fired[i - 1] > 0
            shown.append(nnlib.where(has_fired, delta[i], blank))
            back, differences = [delta[i]], [measurements[f"d{i}"]]
            for k in (0, *FED_BY.get(i, ())) if i > 2 else ():
                back.append(delta[i] * (a[k] if k else 1.0))
                differences.append(measurements[f"w{k}{i}"])
                if k:
                    out[f"g{k}{i}"] = nnlib.where(has_fired, back[-1], blank)
            out[f"table{i}"] = nnlib.stack([nnlib.stack(back), nnlib.stack(differences)])
        out |= who_is_right(fired)
        return {**out, "shown": nnlib.stack(shown), "loss": (y - a[5]) ** 2}

    right_order = np.array([5, 4, 3, 2, 1], "float32")
    return live.figure(
        outputs,
        x1=live.slider(-1.0, 2.0, 0.1, value=1.0, label="x₁"),
        x2=live.slider(-1.0, 2.0, 0.1, value=1.0, label="x₂"),
        y=live.slider(0.0, 1.0, 0.1, value=0.0, label="target y"),
        fired=live.values(np.zeros(5, "float32")),
        inputs={n: live.values(float(v), min=-12, max=12, step=0.1) for n, v in units.items()},
        view=[
            live.presets(_inputs_and_weights(units)),
            _network(order="fired"),
            live.row(live.button("all back", {"fired": np.zeros(5, "float32")}),
                     live.button("5, 4, 3, 2, 1", {"fired": right_order}),
                     live.button("3, 4, 5, 1, 2", {"fired": np.array([4, 5, 1, 2, 3], "float32")})),
            live.readout("Loss {loss:.3f} · {right:d} of 5 neurons have the right δ", size="large"),
            *[
                live.readout(f"Neuron {i} fired too early: not every neuron that it feeds had a δ.",
                             when=f"early{i}")
                for i in FEEDS
            ],
            *[live.readout(f"Neuron {i} used a wrong δ.", when=f"misled{i}")
              for i in (1, 2)],
            live.readout("Every number below agrees with its measurement.", when="all"),
            live.row(_table(5)), live.row(_table(3), _table(4)), live.row(_table(1), _table(2)),
        ],
        title="Fire them backwards",
        caption="Click neurons in an order of your own; a second click takes one back, with all "
        "that fired after it. Each computes its δ from the δs that exist. (For an input, δ "
        "here means dLoss/dx, the sum alone.) Which orders make all five right?",
        alt="The five-neuron net with each neuron's total input, activation and δ. Fired in the "
        "order 5, 4, 3, 2, 1 every δ and all nine derivatives agree with finite differences; a "
        "neuron that is fired before one that it feeds gets a wrong δ.",
    )  # fmt: skip


# --- the flipped sign ----------------------------------------------------------------------------


def four_points_back(w: Mapping[str, Any], sign: float = 1.0) -> tuple[dict, Any]:
    """The gradient of the mean squared error over XOR's four points by the five steps, and a₅."""
    x1, x2, y = (nnlib.tensor(v, dtype=w["w05"].dtype) for v in (*INPUTS.T, TARGETS))
    a = activations(w, x1, x2)
    delta = {5: sign * 2.0 * (a[5] - y) * a[5] * (1.0 - a[5])}
    for i in (3, 4):
        delta[i] = a[i] * (1.0 - a[i]) * w[f"w{i}5"] * delta[5]
    gradients = {}
    for j, before in FED_BY.items():
        gradients[f"w0{j}"] = delta[j].mean()
        for i in before:
            gradients[f"w{i}{j}"] = (a[i] * delta[j]).mean()
    return gradients, a[5]


def mean_error(a5: Any) -> Any:
    """The mean squared error over XOR's four points."""
    return ((a5 - nnlib.tensor(TARGETS, dtype=a5.dtype)) ** 2).mean()


def thousand_steps(units: Mapping[str, float]) -> live.Figure:
    """Gradient descent with α = 1 from given weights, seen in the net at one corner."""

    def step(**w: Any) -> dict:
        gradients, a5 = four_points_back({n: w[n] for n in WEIGHTS})
        return {**{n: w[n] - gradients[n] for n in WEIGHTS}, "loss": mean_error(a5)}

    def outputs(at: Any, **weights: Any) -> dict:
        w = {n: weights[n].double() for n in WEIGHTS}
        x1, x2, y = (nnlib.tensor(v).double()[at] for v in (*INPUTS.T, TARGETS))
        a = activations(w, x1, x2)
        delta = fired_in_order(w, a, y, nnlib.tensor([5.0, 4.0, 3.0, 2.0, 1.0]))
        out = {f"a{i}": v for i, v in a.items()}
        out |= {f"in{i}": v for i, v in total_inputs(w, a).items()}
        out |= {f"g{i}{j}": a[i] * delta[j] for j, before in FED_BY.items() for i in before}
        return {**out, "shown": nnlib.stack([delta[i] for i in FEEDS]),
                "answers": four_points_back(w)[1]}  # fmt: skip

    return live.figure(
        outputs,
        at=live.values(3),
        training=live.training(
            step, {n: float(v) for n, v in units.items()}, seeds=1, max_steps=1000, speed="fast",
        ),
        view=[
            live.training_controls(),
            _network(height=270),
            [live.loss_curve(width=340, height=240),
             live.axes(live.line(y=0.5, dash=True),
                       live.bars("answers", labels=CORNER_NAMES, classes=np.array(XOR),
                                 select="at"),
                       ylabel="a₅", ylim=(0, 1), width=340, height=240)],
            live.readout("step {step:d}. a₅: (0, 0) {answers[0]:.3f} · (1, 0) {answers[1]:.3f} · "
                         "(0, 1) {answers[2]:.3f} · (1, 1) {answers[3]:.3f}"),
        ],
        title="A thousand steps",
        caption="Press train. When do the bars leave ½, and when are all four on their right side "
        "for good? A click on a bar sends that corner through the net; rewind and watch its δs.",
        alt="The five-neuron net while it learns XOR from the unit weights. For about a hundred "
        "steps all four answers stay near one half. Then the weights to the output grow, "
        "the loss falls quickly, and the bars move to their targets.",
    )  # fmt: skip


def flipped_sign(start: Callable[[int], Any], *, lr: float, seed: int) -> live.Figure:
    """Training on XOR by the five steps, with a switch that flips the first factor's sign."""

    def step(flipped: bool, **w: Any) -> dict:
        gradients, a5 = four_points_back({n: w[n] for n in WEIGHTS}, -1.0 if flipped else 1.0)
        updated = {n: w[n] - lr * gradients[n] for n in WEIGHTS}
        return {**updated, "loss": mean_error(a5)}

    def outputs(flipped: bool, **weights: Any) -> dict:
        w = {n: weights[n].double() for n in WEIGHTS}
        gradients, a5 = four_points_back(w, -1.0 if flipped else 1.0)

        def loss(h: float) -> Any:
            return mean_error(four_points_back({**w, "w35": w["w35"] + h})[1])

        difference = (loss(SMALL) - loss(-SMALL)) / (2 * SMALL)
        return {"a5": a5, "computed": gradients["w35"], "truth": difference}

    first = dict.fromkeys(WEIGHTS, 0.0)
    return live.figure(
        outputs,
        flipped=live.checkbox(False, label="take 2(y − a₅) for the first factor"),
        training=live.training(
            step, first, seed=seed, seeds=50, max_steps=4000, speed="fast",
            init=lambda s: dict(zip(WEIGHTS, np.asarray(start(s)), strict=True)),
        ),
        view=[
            live.training_controls(),
            [live.loss_curve(width=340, height=250),
             live.axes(live.line(y=0.5, dash=True),
                       live.bars("a5", labels=CORNER_NAMES, classes=np.array(XOR)),
                       ylabel="a₅", ylim=(0, 1), width=340, height=250)],
            "step {step:d} · dLoss/dw₃₅ backward {computed:+.5f}, measured {truth:+.5f}",
        ],
        title="The flipped sign",
        caption="Press train and let it learn XOR. Rewind, flip the sign, train again: where does "
        "the loss go, and where do the four bars end? Which number warned you at step 0?",
        alt="With the right sign the loss falls towards 0 and the bars reach their targets. With "
        "2(y − a₅) all four bars go to the same side and the loss climbs towards one half, and the "
        "backward pass gives minus the measured dLoss/dw₃₅.",
    )  # fmt: skip

"""The live figures of the chapter on logistic regression: birds, lines, likelihood."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from nnlib import datasets, live

SIDE = (-3.0, 3.0)
_FINE = 32
_GRID = nnlib.tensor(live.grid(SIDE, SIDE, _FINE))
_FEATURES = ("bill_length_mm", "body_mass_g")
_AXES = ("bill length (standard deviations)", "body mass (standard deviations)")
DOZEN = [*range(0, 144, 24), *range(151, 211, 10)]  # every 24th Adelie, every 10th Chinstrap
LINES = {
    "a first line": (0.0, 1.0, 1.0),
    "even worse": (-1.0, -4.0, -3.0),
    "a bit better": (0.0, 2.0, 0.0),
    "getting better": (0.0, 2.0, -1.0),
    "perfect": (-1.0, 4.0, -3.0),
    "twice that": (-2.0, 8.0, -6.0),
}


@functools.cache
def _species(names: tuple[str, str] = ("Adelie", "Chinstrap"), features: Any = _FEATURES) -> tuple:
    """Features in standard deviations and classes −1 or +1, as float64 tensors; and the samples."""
    birds = datasets.penguins(names, features)
    raw = birds.x.astype(float)
    return (
        nnlib.tensor((raw - raw.mean(0)) / raw.std(0)),
        nnlib.tensor(2 * birds.y - 1).double(),
        birds,
    )


def _z(w0: Any, w1: Any, w2: Any, x: Any) -> Any:
    return w0 + w1 * x[:, 0] + w2 * x[:, 1]


def _shade(w0: Any, w1: Any, w2: Any) -> Any:
    """P at the points of a grid, for a heat map."""
    return nnlib.sigmoid(_z(w0, w1, w2, _GRID)).reshape(_FINE, _FINE)


def _plane(*marks: Any, shade: str = "shade", **options: Any) -> Any:
    """The plane of the two features, shaded by the neuron's probability."""
    defaults = {"xlim": SIDE, "ylim": SIDE, "equal": True, "xlabel": _AXES[0], "ylabel": _AXES[1]}
    heat = live.heat(shade, SIDE, SIDE, colors="classes", range=(0, 1))
    return live.axes(heat, *marks, **{**defaults, **options})


def _points(x: Any, y: Any, names: Any, **options: Any) -> Any:
    return live.points(x, (np.asarray(y) + 1) / 2, class_names=names, **options)


def _weights(w0: float, w1: float, w2: float, most: float = 20.0) -> dict[str, Any]:
    """Sliders for a bias and two weights."""
    return {
        "w0": live.slider(-most, most, 0.1, value=w0, label="w₀"),
        "w1": live.slider(-most, most, 0.1, value=w1, label="w₁"),
        "w2": live.slider(-most, most, 0.1, value=w2, label="w₂"),
    }


def two_birds() -> live.Figure:
    """A question about two neurons; then the probability of two birds as a rectangle's area."""

    def area(p: Any, q: Any) -> dict:
        return {"right": nnlib.stack([p * 0, p]), "top": nnlib.stack([q, q]), "both": p * q}

    question = live.predict(
        "Neuron B gives the first bird's species the probability 0.99 and the second one's 0.20. "
        "Neuron C gives ½ to both. Which neuron finds what we saw, both species together, more "
        "probable?",
        name="both",
        choices=[
            "B, because its probabilities add up to more",
            "C, because its probabilities multiply to more",
            "both the same: B is right about one bird and wrong about the other, like a coin",
        ],
        answer=1,
        explain="C, because ½ · ½ = 0.25 and 0.99 · 0.20 = 0.198. One small factor makes the whole "
        "product small.",
        reveal=[
            live.row(live.control("p"), live.control("q")),
            live.axes(live.area("right", "top", color="class1"),
                      live.area([0.0, 0.5], [0.5, 0.5], color="muted"),
                      live.handle("p", "q", drag=("p", "q"), label="the two probabilities"),
                      live.label("½ · ½", 0.25, 0.25),
                      xlim=(0, 1), ylim=(0, 1), equal=True, width=280, height=280,
                      xlabel="first bird", ylabel="second bird"),
            "{p:.2f} · {q:.2f} = {both:.3f}",
        ],
    )  # fmt: skip
    return live.figure(
        area,
        p=live.slider(0.0, 1.0, 0.01, value=0.99, label="first bird"),
        q=live.slider(0.0, 1.0, 0.01, value=0.2, label="second bird"),
        view=[question],
        title="The probability of two birds",
        caption="Answer first. Then drag the corner of the rectangle: how large must the second "
        "probability be for B to win?",
        alt="A question; once it is answered, a rectangle whose sides are the two probabilities "
        "and whose area is their product, beside the square for one half and one half.",
    )


def distance_to_the_line() -> live.Figure:
    """One bird to drag: z, the size of w, and the distance |z|/‖w‖ to the line."""

    def distances(a: Any, b: Any, times: Any) -> dict:
        w0, w1, w2 = -1.0 * times, 3.0 * times, -1.0 * times
        z = w0 + w1 * a + w2 * b
        norm = (w1 * w1 + w2 * w2).sqrt()
        return {"shade": _shade(w0, w1, w2), "z": z, "norm": norm, "away": z.abs() / norm,
                "foot_x": a - z * w1 / norm**2, "foot_y": b - z * w2 / norm**2,
                "P": nnlib.sigmoid(z), "half": 1 / norm, "u0": w0, "u1": w1, "u2": w2}  # fmt: skip

    return live.figure(
        distances,
        a=live.slider(-3.0, 3.0, 0.02, value=0.84, label="bill length"),
        b=live.slider(-3.0, 3.0, 0.02, value=-0.48, label="body mass"),
        times=live.slider(0.25, 4.0, 0.25, value=1.0, label="all weights times"),
        view=[
            _plane(live.line("u0", "u1", "u2", band=1),
                   live.segments("a", "b", "foot_x", "foot_y", color="ink"),
                   live.handle("a", "b", drag=("a", "b"), label="a bird")),
            "z = {z:.2f}, ‖w‖ = {norm:.2f}, distance |z|/‖w‖ = {away:.2f}",
            "P(Chinstrap) = {P:.3f}. The band reaches {half:.2f} to each side.",
        ],
        title="How far from the line?",
        caption="Drag the bird and watch z and the distance. Then multiply all weights: which of "
        "the numbers change, and which stay?",
        alt="A line with a band, and a bird joined to its nearest point of the line. When all "
        "weights are doubled, z doubles and the band halves, but line and distance stay.",
    )  # fmt: skip


def a_dozen_birds() -> live.Figure:
    """A line over twelve birds, with the count of mistakes and the likelihood."""
    x, y, birds = _species()
    dozen, classes = x[DOZEN], y[DOZEN]

    def judged(w0: Any, w1: Any, w2: Any) -> dict:
        margins = classes * _z(w0, w1, w2, dozen)
        return {"shade": _shade(w0, w1, w2), "wrong": (margins <= 0).sum(), "ring": margins <= 0,
                "likelihood": F.logsigmoid(margins).sum().exp()}  # fmt: skip

    return live.figure(
        judged,
        **_weights(*LINES["a first line"]),
        view=[
            _plane(_points(dozen, classes, birds.classes, mark="ring", size=7),
                   *live.decision_line("w0", "w1", "w2")),
            live.presets({name: dict(zip(("w0", "w1", "w2"), w, strict=True))
                          for name, w in LINES.items()}),
            live.readout("{wrong:d} of 12 on the wrong side, likelihood {likelihood:.2g}",
                         size="large"),
        ],
        title="A dozen birds",
        caption="Press the buttons from left to right, or drag the line. Birds on the wrong side "
        "are ringed. When does the count change, and when does the likelihood?",
        alt="Twelve penguins and a line. From the first line to the perfect one the counts are 5, "
        "8, 3, 1 and 0. The likelihood changes with each small turn of the line, and it still "
        "grows when the perfect line's weights are doubled.",
    )  # fmt: skip


def drag_the_line(surprise: Callable[..., Any], mistakes: Callable[..., Any]) -> live.Figure:
    """All 219 birds, each with a thread whose length is proportional to its surprise."""
    x, y, birds = _species()

    def picture(w0: Any, w1: Any, w2: Any) -> dict:
        s = surprise(w0, w1, w2)
        return {"shade": _shade(w0, w1, w2), "hang": x[:, 1] - 0.15 * s, "ll": -s.sum(),
                "wrong": mistakes(w0, w1, w2)}  # fmt: skip

    question = live.predict(
        "Take the best weights for the 219 birds, and double all three. What happens to the "
        "log-likelihood?",
        name="doubled",
        choices=["It rises, as it did for the dozen.", "It falls.",
                 "It stays the same, because the line stays."],
        answer=1,
        explain="It falls, from −8.5 to −10.4. The birds on the wrong side become about twice as "
        "surprising, and with the others there is less to gain.",
        reveal=[live.presets({
            name: {"w0": -4.94 * k, "w1": 14.89 * k, "w2": -5.97 * k}
            for name, k in [("half", 0.5), ("the best weights", 1), ("twice", 2), ("4 times", 4)]
        })],
    )  # fmt: skip
    return live.figure(
        picture,
        **_weights(0.0, 0.6, 0.8, most=60.0),
        view=[
            question,
            _plane(live.segments(x[:, 0], x[:, 1], x[:, 0], "hang", color="gradient"),
                   _points(x, y, birds.classes), *live.decision_line("w0", "w1", "w2")),
            [live.meter("mistakes", "wrong", min=0, max=219, format="d", color="ink"),
             live.meter("log-likelihood", "ll", min=-400, max=0, format=".0f", color="gradient")],
            "{wrong:d} of 219 on the wrong side, log-likelihood {ll:.1f}",
        ],
        title="Drag the line",
        caption="Turn and shift the line until few birds are on the wrong side. Then drag the "
        "band's edge: how confident should the neuron be?",
        alt="Penguins by bill length and mass, each with a thread whose length is proportional to "
        "its surprise. A line that rises to the right separates most of the long-billed "
        "Chinstraps from the Adelies, and there the threads are short.",
    )  # fmt: skip


def staircase_and_hill() -> live.Figure:
    """The count and the log-likelihood of a dozen birds along one weight."""
    x, y, _ = _species()
    dozen, classes = x[DOZEN], y[DOZEN]
    sweep = nnlib.linspace(-4, 16, 401, dtype=nnlib.float64)

    def slices(w0: Any, w1: Any, w2: Any) -> dict:
        margins = classes * (w0 + sweep[:, None] * dozen[:, 0] + w2 * dozen[:, 1])
        current = classes * _z(w0, w1, w2, dozen)
        shares = classes * dozen[:, 0] * nnlib.sigmoid(-current)
        return {"stairs": (margins <= 0).sum(1), "hill": F.logsigmoid(margins).sum(1),
                "wrong": (current <= 0).sum(), "ll": F.logsigmoid(current).sum(),
                "contributions": shares, "slope": shares.sum()}  # fmt: skip

    question = live.predict(
        "Wherever you stand on this staircase, a small change of w₁ leaves the count as it is. "
        "You stand at w₁ = 0. What will the log-likelihood do when w₁ grows a little?",
        name="flat",
        choices=["rise", "fall", "stay as it is"],
        answer=0,
        explain="It rises, so it shows which way to go where the count does not change. Its only "
        "top is near w₁ = 4.5, above the lowest step.",
        reveal=[
            live.axes(live.curve(sweep, "hill", color="gradient"),
                      live.handle("w1", "ll", drag=("w1", None), label="weight w₁"),
                      xlabel="weight w₁", ylabel="log-likelihood", xlim=(-4, 16), ylim=(-40, 0),
                      height=200),
            "Slope here: {slope:+.2f} for each unit of w₁. What each bird adds to it:",
            live.axes(live.bars("contributions", labels=[*("A" * 6), *("C" * 6)], color="gradient"),
                      ylim=(-1.5, 1.5), xlabel="six Adelies, six Chinstraps", ylabel="slope",
                      height=150),
        ],
    )  # fmt: skip
    return live.figure(
        slices,
        w1=live.slider(-4.0, 16.0, 0.1, value=0.0, label="w₁"),
        w0=live.slider(-8.0, 8.0, 0.1, value=-1.0, label="w₀"),
        w2=live.slider(-8.0, 8.0, 0.1, value=-3.0, label="w₂"),
        view=[
            live.axes(live.curve(sweep, "stairs", color="ink"),
                      live.handle("w1", "wrong", drag=("w1", None), label="weight w₁"),
                      xlabel="weight w₁", ylabel="mistakes", xlim=(-4, 16), ylim=(0, 12),
                      height=200),
            "w₁ = {w1:.1f}: {wrong:d} mistakes.",
            question,
        ],
        title="Two judges of one weight",
        caption="Slide w₁ to the best position by the count. After your answer, look where the "
        "hill has its top, and what the bars do there.",
        alt="The count of mistakes along one weight is a staircase of flat steps, from 8 down to 0 "
        "and up again. A question; once it is answered, the log-likelihood over the same weight "
        "and the twelve birds' shares of its slope.",
    )  # fmt: skip


def sign_of_the_mass() -> live.Figure:
    """A question before the training: what a slightly heavier species does to a weight."""
    return live.figure(
        view=[live.predict(
            "On average the Chinstraps have bills that are 10 mm longer, and they are 32 g heavier "
            "than the Adelies. Which weight will the mass get?",
            name="mass_weight",
            choices=["a small positive one: heavier birds are Chinstraps slightly more often",
                     "almost 0: the difference is too small to matter",
                     "a clearly negative one"],
            answer=2,
            explain="A clearly negative one, although the Chinstraps are heavier. You will see the "
            "number in a moment, and the section on what the weights mean shows why.",
        )],
        title="Before the training",
        caption="Commit to an answer. The neuron gets both features at once.",
        alt="A question with three answers: the sign of the weight that the mass will get.",
    )  # fmt: skip


def fewest_and_likeliest(likeliest: Any, fewest: Any) -> live.Figure:
    """A question about two lines; then both, with the birds that each of them misses."""
    x, y, birds = _species()
    lines = [np.asarray(w, float) for w in (likeliest, fewest)]
    margins = [(y * _z(w[0], w[1], w[2], x)).numpy() for w in lines]
    options = {
        name: {"k": float(k)} for k, name in enumerate(["the most likely line", "fewest mistakes"])
    }

    def chosen(k: Any) -> dict:
        w = nnlib.tensor(np.array(lines))
        u = w[0] * (1 - k) + w[1] * k
        margins = y * _z(u[0], u[1], u[2], x)
        s = -F.logsigmoid(margins)
        return {"u": u, "ring": margins <= 0, "wrong": (margins <= 0).sum(), "ll": -s.sum(),
                "shade": _shade(u[0], u[1], u[2]), "hang": x[:, 1] - 0.15 * s,
                "missed": (s * (margins <= 0)).sum(),
                "others": (s * (margins > 0)).sum()}  # fmt: skip

    wrong = [int((m <= 0).sum()) for m in margins]
    question = live.predict(
        f"The most likely line makes {wrong[0]} mistakes. Is there a line that makes fewer?",
        name="fewer",
        choices=["no: the most likely line also makes the fewest", "yes, one that makes 2",
                 "yes, one that makes none"],
        answer=1,
        explain="Yes: one makes 2. But under it, the 219 birds together are less probable.",
        reveal=[
            live.presets(options),
            _plane(live.segments(x[:, 0], x[:, 1], x[:, 0], "hang", color="gradient"),
                   _points(x, y, birds.classes, mark="ring"),
                   live.line("u[0]", "u[1]", "u[2]", band=1)),
            "{wrong:d} mistakes, log-likelihood {ll:.2f}",
            "Surprise of the birds on the wrong side: {missed:.2f}; of the others: {others:.2f}",
        ],
    )  # fmt: skip
    return live.figure(
        chosen,
        k=live.values(0.0),
        view=[question],
        title="Fewest mistakes, or most likely?",
        caption="Answer first. Then switch between the two lines and look at the birds near them.",
        alt="A question; once it is answered, the birds with one of two lines, its number of "
        "mistakes, its log-likelihood, and the surprise on both sides of it.",
    )


def ten_times_as_long(one_step: Callable[..., dict], X: Any, Y: Any) -> live.Figure:
    """Separable data: the line soon stops moving, but the weights keep growing."""
    names = ("Adelie", "Gentoo")
    question = live.predict(
        "The line soon separates all birds. After 100 steps of size 5 the weights have the size "
        "‖w‖ = 6.1. Let it climb ten times as long. How large will ‖w‖ be?",
        name="endless",
        choices=["still about 6.1: it has arrived", "about 61, ten times as large",
                 "about 9.4, a few units more"],
        answer=2,
        explain="About 9.4. The weights grow without end, but more and more slowly: the better "
        "the birds are explained, the smaller the gradient.",
        reveal=[live.axes(live.curve("history_step", "history_size", color="weight-pos"),
                          xlabel="step", ylabel="‖w‖", height=200),
                "After {step:d} steps ‖w‖ = {size:.2f}."],
    )  # fmt: skip
    return live.figure(
        lambda w: {"shade": _shade(w[0], w[1], w[2])},
        lr=live.slider(0.1, 20, value=5.0, log=True, label="step size"),
        training=live.training(one_step, state={"w": [0.0, 0.0, 0.0], "size": 0.0},
                               data={"X": X, "Y": Y}, track=["size"]),
        view=[
            question,
            _plane(_points(X, Y, names), live.line("w[0]", "w[1]", "w[2]", band=1),
                   xlabel="bill depth (standard deviations)",
                   ylabel="flipper length (standard deviations)"),
            live.training_controls(), "step {step:d}: ‖w‖ = {size:.2f}",
        ],
        title="Ten times as long",
        caption="Press train and wait. The line hardly moves; watch its band.",
        alt="Gentoos, with long flippers and shallow bills, are far from the Adelies. A line "
        "between them, and its band, while the weights grow; a readout gives the step and the "
        "size of w. A question asks how large w will be.",
    )  # fmt: skip


def calibration(z: Any, t: Any) -> live.Figure:
    """A question about doubled weights; then predicted probabilities against shares, in bins.

    Args:
        z: the log-odds that a fitted neuron gives to each bird.
        t: the birds' classes, 0 or 1.
    """
    lows = np.arange(0, 1, 0.2)
    diagonal = [0.0, 1.0]

    def bins(times: Any) -> dict:
        p = nnlib.sigmoid(times * z)
        inside = nnlib.stack([(p > low) * (p <= low + 0.2) for low in lows]).double()
        count = inside.sum(1)
        safe = count.clamp(min=1)
        m = (2 * t - 1) * times * z
        return {"given": (inside * p).sum(1) / safe, "seen": (inside * t).sum(1) / safe,
                "birds": count.long(), "ll": F.logsigmoid(m).sum(),
                "wrong": (m <= 0).sum()}  # fmt: skip

    question = live.predict(
        "Both weights are doubled. Look at the birds that now get a probability below 0.2, on "
        "average 0.018. What share of them are Gentoos?",
        name="bold",
        choices=["about 0.018", "clearly more than 0.018", "clearly less than 0.018"],
        answer=1,
        explain="More: 8 of 144, which is 0.056, three times the neuron's probability. It has "
        "become overconfident, although it makes the same mistakes.",
        reveal=[
            live.control("times"),
            live.axes(live.curve(diagonal, diagonal, color="muted", dash=True),
                      live.points(x="given", y="seen", color="series0", size=6),
                      xlim=(0, 1), ylim=(0, 1), equal=True, width=300, height=300,
                      xlabel="mean probability given", ylabel="share of Gentoos"),
            "Birds: {birds[0]:d}, {birds[1]:d}, {birds[2]:d}, {birds[3]:d}, {birds[4]:d}",
            "{wrong:d} mistakes, log-likelihood {ll:.1f}",
        ],
    )  # fmt: skip
    return live.figure(
        bins,
        times=live.slider(0.25, 4.0, 0.25, value=2.0, label="both weights times"),
        view=[question],
        title="Is the neuron calibrated?",
        caption="Answer first. Then set the factor to 1, 2 and ½, and look on which side of the "
        "dashed line the points are.",
        alt="A question; once it is answered, the share of Gentoos in five bins against the mean "
        "probability that the neuron gave them, with the count of mistakes and the log-likelihood.",
    )


def one_picture_three_models() -> live.Figure:
    """Bill length against class, with three functions g, each with its own objective."""
    x, y, birds = _species()
    bill, target = x[:, 0], (y + 1) / 2
    span = nnlib.linspace(-3, 3, 241, dtype=nnlib.float64)
    fitted = {"sigmoid": (-2.29, 5.73), "z itself": (0.3105, 0.3934), "step": (-0.401, 1.0)}

    def g_of(g: str, z: Any) -> Any:
        functions = {"sigmoid": nnlib.sigmoid(z), "z itself": z}
        return functions.get(g, (z > 0).double())

    def outputs(g: str, w0: Any, w1: Any) -> dict:
        z = w0 + w1 * bill
        answers = g_of(g, z)
        wrong = (answers > 0.5) != (target > 0.5)
        best = fitted[g]
        return {"line": g_of(g, w0 + w1 * span), "at": answers, "wrong": wrong.sum(),
                "squares": ((answers - target) ** 2).sum(), "ll": F.logsigmoid(y * z).sum(),
                "best0": nnlib.tensor(best[0]), "best1": nnlib.tensor(best[1]),
                "smooth": nnlib.tensor(float(g == "sigmoid")),
                "straight": nnlib.tensor(float(g == "z itself")),
                "jump": nnlib.tensor(float(g == "step"))}  # fmt: skip

    return live.figure(
        outputs,
        g=live.dropdown(["sigmoid", "z itself", "step"], buttons=True, label="g"),
        w0=live.slider(-8.0, 8.0, 0.01, value=0.3, label="w₀"),
        w1=live.slider(-8.0, 8.0, 0.01, value=0.4, label="w₁"),
        view=[
            live.axes(live.segments(bill, target, bill, "at", color="gradient", when="straight"),
                      live.curve(span, "line", color="ink"),
                      live.points(x=bill, y=target, classes=birds.y, class_names=birds.classes),
                      xlim=(-3, 3), ylim=(-0.5, 1.5), xlabel=_AXES[0], ylabel="g(z)"),
            live.button("Fit", set={"w0": "best0", "w1": "best1"}),
            live.readout("Objective: the log-likelihood, {ll:.1f}. {wrong:d} mistakes.",
                         when="smooth"),
            live.readout("Objective: the sum of squared residuals, {squares:.2f}. "
                         "{wrong:d} mistakes.",
                         when="straight"),
            live.readout("Objective: the count, {wrong:d} mistakes.", when="jump"),
        ],
        title="One picture, three models",
        caption="Choose a g, fit the birds by hand, then press Fit. Which of the three leaves the "
        "range from 0 to 1? Which one is never undecided?",
        alt="Bill length against class, 0 or 1. The fitted straight line leaves the range at both "
        "ends, a step jumps from 0 to 1, the sigmoid passes smoothly between them.",
    )  # fmt: skip

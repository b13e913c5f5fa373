"""The live figures of the chapter on XOR."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import nnlib
from course.networks.five import CORNER_NAMES, CORNERS, WEIGHTS
from nnlib import live

INPUTS, NAMES = np.array(CORNERS, "float32"), list(CORNER_NAMES)
GATES = {"XOR": (0, 1, 1, 0), "OR": (0, 1, 1, 1), "AND": (0, 0, 0, 1)}
LIMITS, RESOLUTION = (-0.5, 1.5), 48  # both axes of the input plane; the points of its grid
_GRID = nnlib.tensor(live.grid(LIMITS, LIMITS, RESOLUTION))
_CORNERS = nnlib.tensor(INPUTS)
Net = Callable[..., tuple[Any, Any, Any]]  # (x1, x2, **weights) -> a3, a4, a5
_FOUR_ANSWERS = ("a₅: (0, 0) {a5[0]:.3f} · (1, 0) {a5[1]:.3f} · (0, 1) {a5[2]:.3f} · "
         "(1, 1) {a5[3]:.3f}; {right:d} of 4 right")  # fmt: skip


def _plane(*marks: Any, **options: Any) -> Any:
    """Axes for the input plane."""
    defaults = {"xlabel": "x₁", "ylabel": "x₂", "xlim": LIMITS, "ylim": LIMITS, "equal": True}
    return live.axes(*marks, **{"width": 340, "height": 300, **defaults, **options})


def _corners(classes: Any = GATES["XOR"], **options: Any) -> Any:
    """The four inputs as points with the colour and shape of their class."""
    defaults = {"class_names": ["no", "yes"], "labels": NAMES, "size": 7}
    return live.points(INPUTS, np.asarray(classes) if isinstance(classes, tuple) else classes,
                       **{**defaults, **options})  # fmt: skip


def _shade(name: str) -> Any:
    """The output `name` as colours of the input plane."""
    return live.heat(name, LIMITS, LIMITS)


def closest_opposites(a3: Any, a4: Any) -> Any:
    """The smallest distance of a yes-point from a no-point in the hidden plane.

    Args:
        a3, a4: the hidden activations at the four inputs, shape (…, 4).

    Returns:
        The smallest of the four distances, shape (…).

    >>> a3 = nnlib.tensor([0.0, 1.0, 1.0, 1.0])
    >>> closest_opposites(a3, nnlib.tensor([0.0, 0.0, 0.0, 0.25])).item()
    0.25
    """
    pairs = [
        ((a3[..., i] - a3[..., j]) ** 2 + (a4[..., i] - a4[..., j]) ** 2).sqrt()
        for i in (1, 2)
        for j in (0, 3)
    ]
    return nnlib.stack(pairs).amin(0)


def drag_a_line() -> live.Figure:
    """A line over four points whose classes a click changes."""

    def answers(w0: Any, w1: Any, w2: Any, y: Any) -> dict:
        z = w0 + w1 * _CORNERS[:, 0] + w2 * _CORNERS[:, 1]
        wrong = (z > 0) != (y > 0.5)
        p = nnlib.sigmoid(4 * (w0 + w1 * _GRID[:, 0] + w2 * _GRID[:, 1]))
        return {"wrong": wrong, "right": 4 - wrong.sum(),
                "shade": p.reshape(RESOLUTION, RESOLUTION)}  # fmt: skip

    return live.figure(
        answers,
        w0=live.slider(-4.0, 4.0, 0.05, value=-1.2, label="w₀"),
        w1=live.slider(-4.0, 4.0, 0.05, value=2.0, label="w₁"),
        w2=live.slider(-4.0, 4.0, 0.05, value=0.6, label="w₂"),
        y=live.values(np.array(GATES["XOR"], "float32")),
        view=[
            _plane(_shade("shade"), *live.decision_line("w0", "w1", "w2", center=(0.5, 0.5),
                                                        reach=0.6),
                   _corners("y", mark="wrong", toggle="y")),
            live.presets({k: {"y": np.array(v, "float32")} for k, v in GATES.items()}),
            live.readout("{right:d} of 4 on the right side", size="large"),
        ],
        title="One line for four points",
        caption="Drag the line's handles until as many points as possible are on their own side; "
        "wrong ones are ringed. Then try OR and AND, or click a point to change its answer.",
        alt="The four corners of a square. For XOR two opposite corners are yes and two are no; "
        "whatever line you draw, at least one corner is on the wrong side. For OR and AND a "
        "line separates them.",
    )  # fmt: skip


def add_inequalities() -> live.Figure:
    """Four inequalities to switch on, their sum, and what they require in the square's middle."""
    rows = nnlib.tensor([[-1.0, 0, 0], [1.0, 1, 0], [1.0, 0, 1], [-1.0, -1, -1]])

    def total(picked: Any) -> dict:
        yes, no = picked[1] * picked[2], picked[0] * picked[3]
        return {
            "c": (picked.unsqueeze(1) * rows).sum(0), "count": picked.sum(), "yes": yes, "no": no,
            "either": yes + no - yes * no, "all": yes * no,
            "strict": picked[1] + picked[2] - picked[1] * picked[2],
            "loose": (picked.sum() > 0) * (1 - picked[1]) * (1 - picked[2]),
        }  # fmt: skip

    diagonal: dict[str, Any] = {"color": "muted", "width": 3.0}
    return live.figure(
        total,
        picked=live.values(np.zeros(4, "float32")),
        view=[
            live.toggles(["(0, 0): −w₀ ≥ 0", "(1, 0): w₀ + w₁ > 0", "(0, 1): w₀ + w₂ > 0",
                          "(1, 1): −w₀ − w₁ − w₂ ≥ 0"], "picked"),
            _plane(live.segments([1.0], [0.0], [0.0], [1.0], when="yes", **diagonal),
                   live.segments([0.0], [0.0], [1.0], [1.0], when="no", dash=True, **diagonal),
                   live.label("here z > 0", 0.5, 0.5, dx=12, dy=4, anchor="start", when="yes"),
                   live.label("here z ≤ 0", 0.5, 0.5, dx=-12, dy=4, anchor="end", when="no"),
                   live.points([[0.5, 0.5]], color="accent", size=6, when="either"),
                   _corners(toggle="picked", mark="picked"), height=280),
            live.formula(r"{c[0]:+.0f}\,w_0 \;\; {c[1]:+.0f}\,w_1 \;\; {c[2]:+.0f}\,w_2 \;>\; 0",
                         when="strict"),
            live.formula(
                r"{c[0]:+.0f}\,w_0 \;\; {c[1]:+.0f}\,w_1 \;\; {c[2]:+.0f}\,w_2 \;\ge\; 0",
                when="loose"),
            live.readout("{count:d} of 4 added."),
            live.readout("All four together: 0 > 0. No weights can do that.", size="large",
                         when="all"),
        ],
        title="Add the inequalities",
        caption="Switch inequalities on, by the buttons or the points, and read the sum. Find two "
        "whose sum contradicts the sum of the other two; then switch on all four.",
        alt="The two yes-points add up to z greater than 0 in the middle of the square, the two "
        "no-points to z at most 0 at the same point; all four add up to 0 greater than 0.",
    )  # fmt: skip


def curve_with_a_product(k: float = 6.0) -> live.Figure:
    """One neuron with a third input, x₁x₂, whose weight makes the boundary a curve."""

    def neuron(w12: Any) -> dict:
        def z(x: Any) -> Any:
            return x[:, 0] + x[:, 1] + w12 * x[:, 0] * x[:, 1] - 0.5

        wrong = (z(_CORNERS) > 0) != nnlib.tensor([False, True, True, False])
        shade = nnlib.sigmoid(k * z(_GRID)).reshape(RESOLUTION, RESOLUTION)
        return {"shade": shade, "wrong": wrong, "right": 4 - wrong.sum(), "z": z(_CORNERS)}

    return live.figure(
        neuron,
        w12=live.slider(-4.0, 1.0, 0.05, value=0.0, label="weight of x₁x₂"),
        view=[
            _plane(_shade("shade"), _corners(mark="wrong")),
            "{right:d} of 4 right; z at (1, 1) is {z[3]:+.2f}",
        ],
        title="A third input, the product",
        caption="Lower the product's weight until all four points are right. "
        "For which of the four does the product make a difference?",
        alt="The boundary starts as a straight line that gets (1, 1) wrong. As the product's "
        "weight falls below −1.5 it curves around that corner, and all four points are right.",
    )  # fmt: skip


def lifted_corner() -> live.Figure:
    """The four corners with their product as height, and the plane that then separates them."""
    corners = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 1]])
    square = nnlib.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]).double()
    flat = nnlib.tensor(corners[:, :2])
    product = nnlib.tensor(corners[:, 2])

    def project(xy: Any, height: Any, turn: Any) -> tuple[Any, Any]:
        """A view from the side and slightly from above, after a rotation about the middle."""
        radians = turn * (np.pi / 180)
        u, v = xy[:, 0] - 0.5, xy[:, 1] - 0.5
        across = u * radians.cos() - v * radians.sin()
        depth = u * radians.sin() + v * radians.cos()
        return across, 0.35 * depth + height

    def outputs(lift: Any, turn: Any) -> dict:
        height = lift * product
        plane = (flat.sum(1) - 0.5) / 2  # x₁ + x₂ − 2x₃ − ½ = 0
        x, y = project(flat, height, turn)
        _, foot = project(flat, plane, turn)
        floor_x, floor_y = project(square, 0 * square[:, 0], turn)
        _, plane_y = project(square, (square.sum(1) - 0.5) / 2, turn)
        above = (height > plane) * 1.0
        return {"x": x, "y": y, "foot": foot, "floor_x": floor_x, "floor_y": floor_y,
                "plane_y": plane_y, "above": above, "height": height}  # fmt: skip

    return live.figure(
        outputs,
        lift=live.slider(0.0, 1.0, 0.01, value=0.0, label="lift (1, 1) to the height x₁x₂"),
        turn=live.slider(-180.0, 180.0, 1.0, value=25.0, label="turn (degrees)"),
        view=[
            live.axes(
                live.path("floor_x", "floor_y", color="muted", width=1.5, label="floor, x₃ = 0"),
                live.path("floor_x", "plane_y", color="accent", width=2.5,
                          label="plane x₁ + x₂ − 2x₃ = ½"),
                live.segments("x", "y", "x", "foot", color="muted", dash=True),
                live.points(x="x", y="y", classes=np.array(GATES["XOR"]), labels=NAMES,
                            class_names=["no", "yes"], size=7),
                frame=False, xlim=(-1.0, 1.0), ylim=(-0.8, 1.4), width=400, height=340,
            ),
            live.readout("above the plane: (0, 0) {above[0]:d} · (1, 0) {above[1]:d} · "
                         "(0, 1) {above[2]:d} · (1, 1) {above[3]:d}"),
        ],
        title="A corner lifted off the floor",
        dtype="float64",
        caption="Lift the corner (1, 1) slowly, and turn the picture. The dashed lines lead from "
        "each corner straight up or down to the plane: which corners are above it?",
        alt="A square floor with its four corners and a slanted plane. With (1, 1) on the floor "
        "only (0, 0) is above the plane. Lifted to height 1, (1, 1) is above it too, and the two "
        "yes-points stay below: the plane separates the classes.",
    )  # fmt: skip


def clouds(count: int = 100) -> dict[str, tuple[Any, Any]]:
    """Three patterns of points that no line separates, by name: points (count, 2), classes 0 or 1.

    >>> {name: int(c.sum().item()) for name, (_, c) in clouds().items()}["ring"]
    50
    """
    rng = np.random.default_rng(0)
    checkerboard = rng.uniform(-2, 2, (count, 2))
    angle, ring_class = rng.uniform(0, 2 * np.pi, count), np.arange(count) % 2
    radius = np.where(ring_class == 1, rng.uniform(1.2, 2, count), rng.uniform(0, 0.8, count))
    stripes = rng.uniform(-2, 2, (count, 2))
    patterns = {
        "checkerboard": (checkerboard, checkerboard[:, 0] * checkerboard[:, 1] < 0),
        "ring": (np.stack([np.cos(angle), np.sin(angle)], 1) * radius[:, None], ring_class),
        "stripes": (stripes, np.floor(stripes[:, 0]) % 2),
    }
    return {name: (nnlib.tensor(x.astype("float32")), nnlib.tensor(np.asarray(c, "float32")))
            for name, (x, c) in patterns.items()}  # fmt: skip


def beyond_one_line() -> live.Figure:
    """Three sets of points, a line to drag, and how many points it gets right."""
    sets = clouds()
    points = nnlib.stack([x for x, _ in sets.values()])
    classes = nnlib.stack([c for _, c in sets.values()])

    def answers(which: Any, w0: Any, w1: Any, w2: Any) -> dict:
        x, c = points[which], classes[which]
        z = w0 + w1 * x[:, 0] + w2 * x[:, 1]
        right = ((z > 0) == (c > 0.5)).sum()
        return {"x": x, "c": c, "right": right, "wrong": len(c) - right}

    return live.figure(
        answers,
        which=live.dropdown({name: k for k, name in enumerate(sets)}, buttons=True, label="set"),
        w0=live.slider(-4.0, 4.0, 0.05, value=0.5, label="w₀"),
        w1=live.slider(-4.0, 4.0, 0.05, value=1.0, label="w₁"),
        w2=live.slider(-4.0, 4.0, 0.05, value=1.5, label="w₂"),
        view=[
            live.axes(
                live.points("x", "c", class_names=["no", "yes"]),
                *live.decision_line("w0", "w1", "w2", center=(0, 0), reach=1.0),
                xlabel="x₁", ylabel="x₂", xlim=(-2.2, 2.2), ylim=(-2.2, 2.2), equal=True,
                width=400, height=360,
            ),
            live.readout("{right:d} of 100 right, {wrong:d} wrong", size="large"),
        ],
        title="Three patterns, one line",
        caption="Drag the line on each of the three sets. How many of the 100 points can you get "
        "right?",
        alt="A hundred points in three patterns: a checkerboard of four squares, a ring around a "
        "disc, and four stripes. The best line gets about three quarters of the checkerboard and "
        "of the ring right, and about four fifths of the stripes.",
    )  # fmt: skip


def one_neuron() -> live.Figure:
    """One neuron with two inputs, its edges to drag, its weighted inputs and threshold."""

    def fire(w03: Any, w13: Any, w23: Any, at: Any) -> dict:
        sums = w13 * _CORNERS[:, 0] + w23 * _CORNERS[:, 1]
        fires = (w03 + sums > 0) * 1.0
        corner = _CORNERS[at]
        return {"sums": sums, "fires": fires, "x1": corner[0], "x2": corner[1], "a": fires[at]}

    gates = {"OR": (-0.5, 1, 1), "AND": (-1.5, 1, 1), "x₁ and not x₂": (-0.5, 1, -1)}
    return live.figure(
        fire,
        w03=live.values(-0.5, step=0.1), w13=live.values(1.0, step=0.1),
        w23=live.values(1.0, step=0.1), at=live.values(1),
        view=[
            live.presets({k: dict(zip(("w03", "w13", "w23"), map(float, v), strict=True))
                          for k, v in gates.items()}),
            [live.network(
                [live.neuron(1, 0, value="x1"), live.neuron(2, 0, value="x2"),
                 live.neuron(3, 1, value="a", bias="w03")],
                [live.edge(1, 3, "w13"), live.edge(2, 3, "w23")], width=300, height=220),
             live.axes(live.bars("sums", labels=NAMES, classes="fires", select="at", format="+.1f"),
                       live.line(y=lambda w03: -w03, dash=True, label="threshold −w₀₃"),
                       ylabel="w₁₃x₁ + w₂₃x₂", ylim=(-2.5, 2.5), width=340, height=240)],
            live.readout("fires at: (0, 0) {fires[0]:d} · (1, 0) {fires[1]:d} · "
                         "(0, 1) {fires[2]:d} · (1, 1) {fires[3]:d}"),
        ],
        title="One neuron, its weighted inputs and its threshold",
        caption="Drag an edge or the bias up and down and make a gate of your own: which settings "
        "fire at (0, 1) alone? A click on a bar shows that input in the net.",
        alt="Bars for what the weighted inputs add up to at each of the four points, and a dashed "
        "line at minus the bias. The neuron fires where its bar is above the line.",
    )  # fmt: skip


def _picture(five: Net, w: Mapping[str, Any]) -> dict:
    """The outputs that draw a net: a₅ over the input plane, all activations at the four inputs."""
    shade = five(_GRID[:, 0], _GRID[:, 1], **w)[2].reshape(RESOLUTION, RESOLUTION)
    a3, a4, a5 = five(_CORNERS[:, 0], _CORNERS[:, 1], **w)
    wrong = (a5 > 0.5) != nnlib.tensor([False, True, True, False])
    return {"shade": shade, "a3": a3, "a4": a4, "a5": a5, "wrong": wrong, "right": 4 - wrong.sum()}


def _drawn_net(values: Sequence[Any], **options: Any) -> Any:
    """A drawing of the five-neuron net, with the names of the chapter."""
    value = dict(zip(range(1, 6), values, strict=True))
    neurons = [live.neuron(i, 0, value=value[i]) for i in (1, 2)]
    neurons += [live.neuron(i, 1 + (i == 5), value=value[i], bias=f"w0{i}") for i in (3, 4, 5)]
    pairs = ((1, 3), (2, 3), (1, 4), (2, 4), (3, 5), (4, 5))
    return live.network(neurons, [live.edge(i, j, f"w{i}{j}") for i, j in pairs], **options)


def _hidden_plane(**options: Any) -> Any:
    """The four inputs in the plane of the hidden activations, and neuron 5's line there."""
    return live.axes(
        live.line("w05", "w35", "w45", label="where a₅ = ½"),
        live.points(x="a3", y="a4", classes=np.array(GATES["XOR"]), mark="wrong",
                    labels=[*NAMES[:2], "", NAMES[3]], class_names=["no", "yes"], size=7),
        live.label(NAMES[2], "a3[2]", "a4[2]", dx=8, dy=17, anchor="start"),
        xlabel="a₃", ylabel="a₄", xlim=(-0.1, 1.25), ylim=(-0.1, 1.1), equal=True,
        **{"width": 340, "height": 300, **options},
    )  # fmt: skip


def drag_the_net(five: Net, units: Mapping[str, float]) -> live.Figure:
    """The five-neuron net with edges to drag, its map and its hidden plane."""

    def outputs(at: Any, **w: Any) -> dict:
        picture = _picture(five, w)
        corner = {"x1": _CORNERS[at, 0], "x2": _CORNERS[at, 1]}
        return picture | corner | {f"now{i}": picture[f"a{i}"][at] for i in (3, 4, 5)}

    presets = {k: {n: float(f * v) for n, v in units.items()}
               for k, f in {"unit weights": 1, "weights × 6": 6}.items()}  # fmt: skip
    presets["all at 0"] = dict.fromkeys(units, 0.0)
    return live.figure(
        outputs,
        at=live.values(1),
        inputs={n: live.values(float(v), min=-12, max=12, step=0.1) for n, v in units.items()},
        view=[
            live.presets(presets),
            _drawn_net(("x1", "x2", "now3", "now4", "now5"), limit=12.0, width=460, height=260),
            [_plane(_shade("shade"), _corners(mark="wrong", select="at"), width=300, height=270),
             _hidden_plane(width=300, height=270)],
            _FOUR_ANSWERS,
        ],
        title="The five-neuron net",
        caption="Drag any weight or bias up and down: the map of a₅ over the inputs and neuron 5's "
        "line over a₃ and a₄ follow. Click one of the four points to send it through the net.",
        alt="Two inputs, two hidden neurons and one output. With unit weights the map is nearly "
        "flat and every answer is below one half; with weights six times as large a band of yes "
        "runs between (1, 0) and (0, 1).",
    )  # fmt: skip


def guess_the_output(five: Net, units: Mapping[str, float]) -> live.Figure:
    """A question: what does the net with unit weights answer where it should answer yes?"""

    def outputs() -> dict:
        return _picture(five, {n: nnlib.tensor(float(v)) for n, v in units.items()})

    return live.figure(
        outputs,
        view=[
            live.predict(
                "With these weights and the sigmoid as g, what is a₅ at (1, 0)?",
                name="unit", answer="a5[1]", tolerance=0.03, min=0.0, max=1.0,
                explain="No answer reaches ½.",
                reveal=[live.axes(live.line(y=0.5, dash=True),
                                  live.bars("a5", labels=NAMES,
                                            classes=np.array(GATES["XOR"])),
                                  ylabel="a₅", ylim=(0, 1), width=380, height=220), _FOUR_ANSWERS],
            ),
        ],
        title="Does it answer yes?",
        caption="Set the slider to your estimate and commit; then all four answers appear.",
        alt="A question for a number between 0 and 1; once it is answered, a bar for each of the "
        "four inputs.",
    )  # fmt: skip


def turn_up_the_gain(five: Net, units: Mapping[str, float], question: Any) -> live.Figure:
    """All weights times k: the answers, the hidden plane, and a question about the smallest k."""

    def scaled(k: Any) -> dict:
        picture = _picture(five, {n: k * v for n, v in units.items()})
        return picture | {n: k * units[n] for n in ("w05", "w35", "w45")}

    return live.figure(
        scaled,
        k=live.slider(0.1, 8.0, 0.01, value=1.0, label="gain k"),
        view=[
            [live.axes(live.line(y=0.5, dash=True), live.bars("a5", labels=NAMES,
                       classes=np.array(GATES["XOR"])), ylabel="a₅", ylim=(0, 1), width=340,
                       height=300),
             _hidden_plane()],
            _FOUR_ANSWERS,
            question,
        ],
        title="Turn up the gain",
        caption="Move k until neuron 5's line separates the yes-points from the no-points. "
        "Find the smallest k that does, and write it below.",
        alt="In the plane of the two hidden activations the inputs (1, 0) and (0, 1) fall on one "
        "point. As k grows, that point crosses the output neuron's fixed line a₃ − a₄ = ½ while "
        "(0, 0) and (1, 1) stay on the other side.",
    )  # fmt: skip


COLUMNS = 12  # of the grid of seeds; with more, a seed has less than 24 pixels on a narrow phone


def grid_of_starts(
    five: Net,
    start: Callable[[int], Any],
    losses: Mapping[str, Callable],
    won: Mapping[str, Any],
    *,
    lr: float,
    steps: int,
    seed: int,
) -> live.Figure:
    """A grid of seeds and whether each learns XOR; a click trains the net of that seed in the page.

    Args:
        start: the first weights for a seed.
        losses: by name, functions of the four answers.
        won: for each loss, 1 for the seeds that learn and 0 for the others.
    """
    count = len(next(iter(won.values())))
    results = {k: nnlib.tensor(np.asarray(v, "float32")) for k, v in won.items()}

    def outputs(loss: str, **w: Any) -> dict:
        weights = {n: w[n] for n in WEIGHTS}
        return _picture(five, weights) | {"won": results[loss], "wins": results[loss].sum()}

    def step(loss: str, **w: Any) -> dict:
        leaves = {n: w[n].detach().requires_grad_() for n in WEIGHTS}
        value = losses[loss](five(_CORNERS[:, 0], _CORNERS[:, 1], **leaves)[2])
        gradients = nnlib.autograd.grad(value, list(leaves.values()))
        updated = {n: p - lr * g for (n, p), g in zip(leaves.items(), gradients, strict=True)}
        return {**updated, "loss": value}

    first = dict.fromkeys(WEIGHTS, 0.0)
    seeds = np.arange(count)
    return live.figure(
        outputs,
        loss=live.dropdown(list(losses), buttons=True, label="loss"),
        training=live.training(
            step, first, seed=seed, seeds=count, max_steps=steps, speed="fast",
            init=lambda s: dict(zip(WEIGHTS, np.asarray(start(s)), strict=True)),
        ),
        view=[
            [live.axes(
                live.points(x=seeds % COLUMNS, y=-(seeds // COLUMNS), classes="won", select="seed",
                            size=7, label="seed", class_names=["failed", "learned"]),
                frame=False, equal=True, width=300,
                xlim=(-0.6, COLUMNS - 0.4), ylim=(-(seeds[-1] // COLUMNS) - 0.6, 0.6)),
             _hidden_plane(width=300, height=300)],
            live.readout("{wins:d} of " + str(count) + " starts learn it · shown: seed {seed:d}"),
            live.training_controls(),
            [_plane(_shade("shade"), _corners(mark="wrong"), width=300, height=270),
             live.loss_curve(width=340, height=250)],
            "step {step:d}. " + _FOUR_ANSWERS,
        ],
        title="Two hundred starts",
        caption="Click a seed that failed, press train, and watch the four points in the hidden "
        "plane: which of them end up where no line can separate them? Then replay one that "
        "learned, and look for flat stretches in the loss.",
        alt="A grid of two hundred starts, about three quarters of them marked as learned. In a "
        "failed one a yes-point and a no-point end up at the same point of the hidden plane.",
    )  # fmt: skip

"""The playground: any small network on points in the plane, to train, edit and inspect.

One graph is recorded for each depth.  Everything else that the reader can change is an input of it:
0/1 masks for features and widths, coefficients for activations, optimisers and penalties.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from nnlib import datasets, live

POINTS, SIDE, PIXELS = 200, (-2.0, 2.0), 32
WIDTH, DEPTH = 8, 4
# How many units of each layer are on at first.  The chapter relies on the 3 of the first layer: a
# question asks for it, a task needs 3 lines and not 2, and a preset below is named after it.
WIDTHS = (3, 3, 3, 2)
FEATURES = ("x₁", "x₂", "x₁²", "x₂²", "x₁x₂", "sin 3x₁", "sin 3x₂")
INPUTS = len(FEATURES)

# α tanh(κz) + β + γ max(z, 0) + δz, as (κ, α, β, γ, δ)
ACTIVATIONS = {
    "tanh": (1, 1, 0, 0, 0),
    "sigmoid": (0.5, 0.5, 0.5, 0, 0),
    "ReLU": (0, 0, 0, 1, 0),
    "none: g(z) = z": (0, 0, 0, 0, 1),
}
# m ← am + bg, v ← cv + dg²; the step is a mixture of g, m and Adam's m̂/√v̂, as
# (a, b, c, d, share of g, share of m, share of Adam's)
OPTIMISERS = {
    "gradient descent": (0, 0, 0, 0, 1, 0, 0),
    "momentum 0.9": (0.9, 1, 0, 0, 0, 1, 0),
    "Adam": (0.9, 0.1, 0.999, 0.001, 0, 0, 1),
}
LOSSES = {"cross-entropy": 1.0, "squared error": 0.0}
PENALTIES = {"none": (0, 0), "L1: λ Σ|w|": (1, 0), "L2: λ Σw²/2": (0, 1)}


def features(x: Any) -> Any:
    """The features of points (n, 2) that the network can use: shape (n, 7)."""
    a, b = x[:, 0], x[:, 1]
    return nnlib.stack([a, b, a * a, b * b, a * b, (3.0 * a).sin(), (3.0 * b).sin()], 1)


def layout(depth: int) -> list[tuple[int, int, int]]:
    """Where each layer is in the long vector: (start, outputs, inputs), weights before biases."""
    entries, start = [], 0
    for layer in range(DEPTH):
        inputs = WIDTH if layer else INPUTS
        if layer < depth:
            entries.append((start, WIDTH, inputs))
        start += WIDTH * (inputs + 1)
    return [*entries, (start, 1, WIDTH if depth else INPUTS)]


SIZE = layout(DEPTH)[-1][0] + WIDTH + 1
OUTPUT_BIAS = SIZE - 1
IS_WEIGHT = np.zeros(SIZE, np.float32)
for _start, _outputs, _inputs in layout(DEPTH):
    IS_WEIGHT[_start : _start + _outputs * _inputs] = 1.0


def layers(w: Any, depth: int) -> list[tuple[Any, Any]]:
    """The weights (outputs, inputs) and biases (outputs) of each layer, cut out of w."""
    pairs = []
    for start, outputs, inputs in layout(depth):
        end = start + outputs * inputs
        bias = w[end : end + outputs] if outputs > 1 else w[OUTPUT_BIAS : OUTPUT_BIAS + 1]
        pairs.append((w[start:end].reshape(outputs, inputs), bias))
    return pairs


def activate(z: Any, act: Any) -> Any:
    """g(z) for the activation function with the coefficients `act`."""
    smooth = act[1] * (act[0] * z).tanh() + act[2]
    return smooth + act[3] * z.relu() + act[4] * z


def net(f: Any, w: Any, depth: int, on: Any, act: Any) -> list[Any]:
    """For features (n, 7): the activations of each layer (n, units), and last the logit (n)."""
    a = f * on[:INPUTS]
    activations = [a]
    *hidden, (weight, bias) = layers(w, depth)
    for k, (inner, shift) in enumerate(hidden):
        first = INPUTS + k * WIDTH
        a = activate(F.linear(a, inner, shift), act) * on[first : first + WIDTH]
        activations.append(a)
    return [*activations, F.linear(a, weight, bias)[:, 0]]


def points(data: Any, noise: Any, own: Any, count: Any) -> tuple[Any, Any, Any, Any]:
    """The points' positions (n, 2), their classes, a mask of those in use, and their number."""
    index = nnlib.arange(POINTS)
    is_own = data[0, 2] < 0
    spread = nnlib.tensor(np.random.default_rng(1).standard_normal((POINTS, 2)).round(2)).float()
    x = nnlib.where(is_own, own[:, :2], data[:, :2] + noise * spread)
    y = nnlib.where(is_own, own[:, 2], data[:, 2])
    total = nnlib.where(is_own, count.float(), float(POINTS))
    return x, y, (index < total).float(), total


def losses(z: Any, y: Any, is_entropy: Any) -> Any:
    """Each point's loss: cross-entropy of the logit, or the squared error of the probability."""
    error = z.sigmoid() - y
    return is_entropy * (F.softplus(z) - y * z) + (1.0 - is_entropy) * error * error


def mean(values: Any, weights: Any) -> Any:
    return (values * weights).sum() / weights.sum().clamp(min=1.0)


def used(on: Any, depth: int) -> Any:
    """Which entries of w connect units that are on: 0 or 1, shape (SIZE,)."""
    masks, inputs_on = [], on[:INPUTS]
    for k in range(DEPTH):
        if k >= depth:
            masks.append(nnlib.zeros(WIDTH * ((WIDTH if k else INPUTS) + 1)))
            continue
        outputs_on = on[INPUTS + k * WIDTH : INPUTS + (k + 1) * WIDTH]
        masks += [(outputs_on.unsqueeze(1) * inputs_on).reshape(-1), outputs_on]
        inputs_on = outputs_on
    rest = nnlib.zeros(WIDTH - inputs_on.shape[0])
    return nnlib.cat([*masks, inputs_on, rest, nnlib.ones(1)])


def penalty(w: Any, depth: int, on: Any, reg: Any) -> Any:
    """Σ|w| or ½Σw² over the weights in use; biases are not penalised."""
    counted = w * (used(on, depth) * nnlib.tensor(IS_WEIGHT))
    return reg[0] * counted.abs().sum() + reg[1] * (counted * counted).sum() / 2.0


def parts_of(in_use: Any, total: Any, share: Any) -> tuple[Any, Any]:
    """0/1 weights of the points to train on and of the other ones, for validation."""
    train = in_use * (nnlib.arange(POINTS) < share * total).float()
    return train, in_use - train


def random_batch(train: Any, rank: Any, count: Any) -> Any:
    """A mask of the `count` training points with the smallest random ranks."""
    ahead = (rank.unsqueeze(0) < rank.unsqueeze(1)).float() @ train
    return train * (ahead < count).float()


def step(
    w: Any, m: Any, v: Any, t: Any, on: Any, depth: int, act: Any, data: Any, noise: Any, own: Any,
    count: Any, share: Any, examples: Any, lr: Any, optimiser: Any, loss: Any, reg: Any,
    strength: Any, rank: Any,
) -> dict[str, Any]:  # fmt: skip
    """One training step: the batch's gradient and the optimiser's update."""
    x, y, in_use, total = points(data, noise, own, count)
    train, validation = parts_of(in_use, total, share)
    w = w.detach().requires_grad_()
    point_losses = losses(net(features(x), w, depth, on, act)[-1], y, loss)
    batch = random_batch(train, rank, examples)
    objective = mean(point_losses, batch) + strength * penalty(w, depth, on, reg)
    (g,) = nnlib.autograd.grad(objective, [w])
    m = optimiser[0] * m + optimiser[1] * g
    v = optimiser[2] * v + optimiser[3] * g * g
    t = t + 1.0
    adam = m / (1.0 - 0.9**t) / ((v / (1.0 - 0.999**t)).sqrt() + 1e-8)
    move = optimiser[4] * g + optimiser[5] * m + optimiser[6] * adam
    state = {"w": w.detach() - lr * move, "m": m, "v": v, "t": t, "loss": objective.detach()}
    return state | {
        "train": mean(point_losses, train).detach(),
        "validation": mean(point_losses, validation).detach(),
    }


def pictures(
    w: Any, on: Any, depth: int, act: Any, data: Any, noise: Any, own: Any, count: Any, share: Any,
    loss: Any, unit: Any,
) -> dict[str, Any]:  # fmt: skip
    """The map of every unit, that of the output or the unit under the pointer, points, losses."""
    *activations, z = net(features(nnlib.tensor(live.grid(SIDE, SIDE, PIXELS))), w, depth, on, act)
    units = nnlib.cat(activations, 1).transpose(0, 1)
    chosen = (nnlib.arange(units.shape[0]) == unit).float() @ units
    chosen = 0.5 + 0.5 * chosen / chosen.abs().max().clamp(min=1e-6)
    is_unit = (unit >= 0) & (unit < units.shape[0])
    x, y, in_use, total = points(data, noise, own, count)
    train, validation = parts_of(in_use, total, share)
    logit = net(features(x), w, depth, on, act)[-1]
    point_losses, right = losses(logit, y, loss), ((logit > 0) == (y > 0.5)).float()
    shape = (-1, PIXELS, PIXELS)
    maps = {f"units{k}": a.transpose(0, 1).reshape(*shape) for k, a in enumerate(activations)}
    for k in range(depth + 1, DEPTH + 1):  # the drawings for other depths refer to them
        maps[f"units{k}"] = on[:WIDTH].reshape(WIDTH, 1, 1)
    return {
        "out": z.sigmoid().reshape(PIXELS, PIXELS),
        "map": nnlib.where(is_unit, chosen, z.sigmoid()).reshape(PIXELS, PIXELS),
        **maps,
        "x": nnlib.where(in_use.unsqueeze(1) > 0, x, float("nan")),
        "y": y,
        "dot": 2.6 + 1.6 * train,
        "train_loss": mean(point_losses, train),
        "validation_loss": mean(point_losses, validation),
        "train_accuracy": 100.0 * mean(right, train),
        "validation_accuracy": 100.0 * mean(right, validation),
        "parameters": used(on, depth).sum(),
        "vector": (w * used(on, depth)).reshape(1, SIZE),
    }


def add_point(x: Any, y: Any, own: Any, count: Any, colour: Any) -> dict[str, Any]:
    """Adds a point of the chosen class, unless the last one is close; selects the reader's data."""
    last = own[(count - 1).clamp(min=0)]
    far = ((last[0] - x) ** 2 + (last[1] - y) ** 2 > 0.02) | (count == 0)
    new = nnlib.stack([x, y, colour])
    slot = ((nnlib.arange(POINTS) == count) & far).unsqueeze(1)
    return {
        "own": nnlib.where(slot, new, own),
        "count": nnlib.where(far & (count < POINTS), count + 1, count),
        "data": nnlib.tensor(float(len(SETS))),
    }


SETS = {
    "circles": datasets.circles,
    "xor": datasets.xor,
    "two blobs": datasets.blobs,
    "moons": datasets.moons,
    "spirals": datasets.spirals,
}


def presets() -> dict[str, dict[str, Any]]:
    """The settings that each preset's button sets: numbers, and options by their indices."""
    data, optimisers = list(SETS), list(OPTIMISERS)
    common = {"optimiser": 0.0, "act": 0.0, "reg": 0.0, "lr": 1.0}
    return {
        "disc, three neurons": {
            **common, "data": float(data.index("circles")), "depth": 1.0,
            "on": switched_on(),
        },
        "XOR, one neuron and x₁x₂": {
            **common, "data": float(data.index("xor")), "depth": 0.0,
            "on": switched_on("x₁x₂"),
        },
        "spirals, 8 and 8 neurons, Adam": {
            **common, "data": float(data.index("spirals")), "depth": 2.0,
            "on": switched_on(widths=(8, 8, *WIDTHS[2:])),
            "optimiser": float(optimisers.index("Adam")), "lr": 0.01,
        },
    }  # fmt: skip


def data_sets() -> dict[str, np.ndarray]:
    """Each data set as (200, 3): x₁, x₂, class; the reader's own begins with class −1."""
    arrays = {}
    for name, make in SETS.items():
        points = make(POINTS, noise=0.0)
        arrays[name] = np.column_stack([points.x.round(2), points.y]).astype(np.float32)
    return {**arrays, "your own points": np.full((POINTS, 3), -1, np.float32)}


def initial_stds() -> np.ndarray:
    """The initial standard deviations: about 1/√3, as for three inputs; smaller for biases."""
    return np.where(IS_WEIGHT > 0, 0.6, 0.1)


def switched_on(features_on: str = "x₁ x₂", widths: tuple[int, ...] = WIDTHS) -> np.ndarray:
    """The mask: 1 for the features named and for the first units of each layer."""
    named = [float(name in features_on.split(" ")) for name in FEATURES]
    units = [float(k < width) for width in widths for k in range(WIDTH)]
    return np.asarray(named + units, np.float32)


def picture_of(depth: int) -> Any:
    """The network of one depth: each unit has its map and its switch, each edge an entry of w."""
    sizes = [INPUTS, *[WIDTH] * depth, 1]
    neurons = []
    for layer, size in enumerate(sizes):
        for k in range(size):
            unit_index = (INPUTS + (layer - 1) * WIDTH if layer else 0) + k
            start, outputs, inputs = layout(depth)[layer - 1] if layer else (0, 0, 0)
            last = layer > depth
            bias = OUTPUT_BIAS if last else start + outputs * inputs + k
            neurons.append(
                live.neuron(
                    f"{layer}.{k}", layer,
                    label=FEATURES[k] if not layer else "output" if last else "",
                    image="out" if last else f"units{layer}[{k}]",
                    on=None if last else f"on[{unit_index}]",
                    bias=f"w[{bias}]" if layer else None,
                )
            )  # fmt: skip
    edges = [
        live.edge(f"{layer}.{j}", f"{layer + 1}.{k}", f"w[{start + k * inputs + j}]")
        for layer, (start, outputs, inputs) in enumerate(layout(depth))
        for k in range(outputs)
        for j in range(inputs)
    ]
    return live.network(
        neurons, edges, toggle=True, hover="unit", limit=6.0, width=620, height=340,
        when=lambda depth, k=depth: float(depth == k),
    )  # fmt: skip


def view() -> list[Any]:
    """The controls, the network of each depth, its answers, the losses and the weights."""
    plane = live.axes(
        live.heat("map", SIDE, SIDE),
        live.contour("out", SIDE, SIDE, levels=[0.5], color="ink"),
        live.points("x", "y", size="dot", class_names=["class 0", "class 1"]),
        xlim=SIDE, ylim=SIDE, equal=True, width=340, height=340, xlabel="x₁", ylabel="x₂",
        pointer=add_point, title="the network's answer",
    )  # fmt: skip
    curves = live.axes(
        live.curve("history_step", "history_train", color="series3", label="training"),
        live.curve("history_step", "history_validation", color="ink", dash=True,
                   label="validation"),
        xlabel="step", ylabel="loss", width=300, height=200,
    )  # fmt: skip
    return [
        live.presets(presets()),
        live.control("data", "noise", "share"),
        live.control("depth", "act", "loss", "optimiser", "lr", "examples", "reg", "strength"),
        live.training_controls(),
        *[picture_of(k) for k in range(DEPTH + 1)],
        [plane, live.column(curves,
            "training: loss {train_loss:.3f}, {train_accuracy:.0f} % right",
            "validation: loss {validation_loss:.3f}, {validation_accuracy:.0f} % right",
            "{parameters:d} parameters in use",
            live.row(live.control("colour"), live.button("clear your points", {"count": 0})))],
        live.axes(
            live.heat("vector", (0, SIZE), (0, 1), colors="diverging", range=(-4, 4),
                      smooth=False),
            xlim=(0, SIZE), ylim=(0, 1), frame=False, width=620, height=34,
            title="w: all weights and biases, one long vector",
        ),
    ]  # fmt: skip


def playground(
    *,
    data: str = "circles",
    depth: int = 1,
    features: str = "x₁ x₂",
    widths: tuple[int, ...] = WIDTHS,
    activation: str = "tanh",
    seed: int = 0,
    title: str = "Playground",
    caption: str | None = None,
    alt: str | None = None,
    name: str | None = None,
) -> live.Figure:
    """A network to edit and to train; the arguments set the initial one."""
    start = {
        "w": live.normal(SIZE, initial_stds()), "m": np.zeros(SIZE), "v": np.zeros(SIZE),
        "t": np.zeros(()),
    }  # fmt: skip
    pairs = {k: np.asarray(v, np.float32) for k, v in ACTIVATIONS.items()}
    return live.figure(
        pictures,
        data=live.dropdown(data_sets(), data),
        depth=live.dropdown(list(range(DEPTH + 1)), depth, static=True, label="hidden layers"),
        act=live.dropdown(pairs, activation, label="activation function"),
        loss=live.dropdown(LOSSES, label="loss"),
        optimiser=live.dropdown(
            {k: np.asarray(v, np.float32) for k, v in OPTIMISERS.items()}, label="optimiser"
        ),
        lr=live.slider(0.001, 10.0, value=1.0, log=True, label="step size α (learning rate)"),
        examples=live.slider(1, POINTS, 1, value=20, label="examples per step"),
        reg=live.dropdown(
            {k: np.asarray(v, np.float32) for k, v in PENALTIES.items()}, label="penalty on weights"
        ),
        strength=live.slider(0.0001, 1.0, value=0.003, log=True, label="strength λ of the penalty"),
        noise=live.slider(0.0, 0.5, 0.01, value=0.1, label="noise in the data"),
        share=live.slider(0.1, 1.0, 0.05, value=0.5, label="share of points to train on"),
        colour=live.dropdown(
            {"class 0": 0.0, "class 1": 1.0}, label="a click adds a point of", buttons=True
        ),
        on=live.values(switched_on(features, widths)),
        own=live.values(np.full((POINTS, 3), -1, np.float32)),
        count=live.values(0),
        unit=live.values(-1),
        training=live.training(
            step, start, data={"rank": np.arange(POINTS)}, batch=POINTS, seed=seed, seeds=1000,
            track=["train", "validation"], speed="fast",
        ),
        view=view(),
        title=title, caption=caption, alt=alt, name=name,
    )  # fmt: skip

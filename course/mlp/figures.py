"""The figures of the chapter on perceptrons: galleries, confusions, and a drawing in the layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import nnlib
from course.networks.digits import scrambled
from course.networks.drawn_digits import centred
from nnlib import live
from nnlib.live.fallback import COLORS

CLASSES = [str(digit) for digit in range(10)]


def gallery(images: Any, titles: Sequence[str], columns: int = 10) -> None:
    """Small images in rows, each below its title (matplotlib)."""
    import matplotlib.pyplot as plt

    images = np.asarray(images.numpy() if hasattr(images, "numpy") else images).reshape(-1, 28, 28)
    rows = -(-len(images) // columns)
    _, places = plt.subplots(rows, columns, figsize=(0.75 * columns, 1.0 * rows))
    for place in np.ravel(places):
        place.axis("off")
    for place, image, title in zip(np.ravel(places), images, titles, strict=False):
        place.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        place.set_title(title, fontsize=9)
    plt.show()


def confusion(counts: Any) -> None:
    """How often digit i (row) was read as j (column); the diagonal is right and stays pale."""
    import matplotlib.pyplot as plt

    table = np.array(counts.tolist())
    off = np.where(np.eye(len(table), dtype=bool), 0, table)
    _, axes = plt.subplots(figsize=(4.4, 4.0))
    axes.imshow(off, cmap="Oranges", vmax=1.6 * off.max())
    for i, j in np.argwhere(table > 0):
        right = i == j
        axes.text(j, i, table[i, j], ha="center", va="center", fontsize=8,
                  color=COLORS["muted"] if right else COLORS["ink"],
                  weight="normal" if right else "bold")  # fmt: skip
    axes.set(xlabel="read as", ylabel="digit", xticks=range(10), yticks=range(10))
    plt.show()


def softmax_of_three(question: Any) -> live.Figure:
    """Three logits, and a number added to all of them: probabilities and the loss of each class."""

    def answer(z0: Any, z1: Any, z2: Any, c: Any) -> dict[str, Any]:
        z = nnlib.stack([z0, z1, z2]) + c
        return {"z": z, "p": nnlib.softmax(z, 0), "surprise": -nnlib.log_softmax(z, 0)}

    names = ["class 0", "class 1", "class 2"]
    look: dict[str, Any] = {"width": 200, "height": 200}
    return live.figure(
        answer,
        z0=live.slider(-4.0, 4.0, 0.1, value=1.0, label="z₀"),
        z1=live.slider(-4.0, 4.0, 0.1, value=2.0, label="z₁"),
        z2=live.slider(-4.0, 4.0, 0.1, value=-1.0, label="z₂"),
        c=live.values(0.0),
        view=[
            question,
            live.row(live.button("add 3 to all", {"c": lambda c: c + 3.0}),
                     live.button("take 3 from all", {"c": lambda c: c - 3.0})),
            [live.axes(live.bars("z", labels=names, format=".1f"), ylabel="logit", **look),
             live.axes(live.bars("p", labels=names, format=".2f", color="accent"),
                       ylabel="probability", ylim=(0, 1.15), **look),
             live.axes(live.bars("surprise", labels=names, format=".2f", color="series1"),
                       ylabel="loss if it is this class", **look)],
            "Added to all: {c:+.0f}. Probabilities {p[0]:.2f}, {p[1]:.2f} and {p[2]:.2f}.",
        ],
        title="From logits to probabilities",
        caption="Move one logit and watch all three probabilities. Can you bring two classes to "
        "exactly ½ each?",
        alt="Bars for three logits, their probabilities, and minus the logarithm of each, with "
        "buttons that add a number to all three logits.",
    )  # fmt: skip


def learning(curves: Mapping[str, Sequence[Sequence[float]]], question: Any = None,
             **words: Any) -> live.Figure:  # fmt: skip
    """Loss over epochs, on the images learned from (dashed) and on those kept back."""

    def pair(name: str, k: int) -> Any:
        losses = np.array(curves[name], "float32")
        epochs = np.arange(1, len(losses) + 1)
        color = ("series0", "series1", "series2")[k]
        at = int(losses[:, 1].argmin())
        return live.axes(
            live.curve(epochs, losses[:, 0], color="muted", dash=True, label="learned from"),
            live.curve(epochs, losses[:, 1], color=color, label="kept back"),
            live.points(x=[at + 1], y=[losses[at, 1]], color=color, size=5),
            xlabel="epoch", ylabel="loss", title=name, ylim=(0, 1.0), width=330, height=240,
        )  # fmt: skip

    panels = [pair(name, k) for k, name in enumerate(curves)]
    hidden = [live.row(*panels)]
    if question is None:
        return live.figure(view=hidden, **words)
    question.fields["reveal"] = hidden
    return live.figure(view=[question], **words)


def rounded(net: Any) -> tuple[Any, Any, Any, Any]:
    """The two layers' weights and biases, in float16's precision: half the bytes in the page."""
    return tuple(p.detach().half().float() for p in net.parameters())


def flow(net: Any, start: np.ndarray, **words: Any) -> live.Figure:
    """A drawing on its way through the network; one hidden neuron is looked at more closely.

    Shuffled, input and weights go into one random order, which changes no sum.
    """
    W1, b1, W2, b2 = rounded(net)
    places = nnlib.arange(784)
    order = scrambled(places).reshape(784)
    loudest = int((W1 @ centred(start).reshape(784) + b1).argmax().item())

    def read(drawing: Any, unit: Any, shuffle: Any) -> dict[str, Any]:
        look = nnlib.where(shuffle, order, places)
        seen, W = centred(drawing).reshape(784)[look], W1[:, look]
        a = (W @ seen + b1).relu()
        z = W2 @ a + b2
        p = nnlib.softmax(z, 0)
        says = W2[:, unit] * a[unit]
        seen, tiles = seen.reshape(28, 28), W.reshape(-1, 28, 28)
        return {
            "seen": seen, "a": a, "z": z, "p": p, "answer": p.argmax(), "percent": 100 * p.max(),
            "tiles": tiles, "its": tiles[unit], "product": tiles[unit] * seen, "says": says,
            "sum": b1[unit] + (tiles[unit] * seen).sum(), "bias": b1[unit], "fires": a[unit],
            "ink": drawing.max() > 0.3, "firing": (a > 0).sum(),
            "chosen": 1.0 * (nnlib.arange(len(a)) == unit),
        }  # fmt: skip

    return live.figure(
        read,
        drawing=live.paint((28, 28), value=start, brush=1.2, label="draw a digit here"),
        unit=live.values(loudest),
        shuffle=live.checkbox(False, static=False, label="shuffle pixels"),
        view=[
            [live.column(live.control("drawing"), live.control("shuffle")),
             live.column(
                 live.images("seen", pixel=7, title="input: centred and scaled, 784 numbers"),
                 live.readout("It reads {answer:d} and is {percent:.0f}\u00a0% sure.", size="large",
                              when="ink"),
                 live.readout("Nothing is drawn.", size="large", when=lambda ink: ~ink))],
            live.axes(live.bars("a", select="unit", classes="chosen", width=1.0),
                      xlabel="hidden neuron", ylabel="aᵢ", title="128 hidden neurons",
                      width=700, height=150),
            live.readout("{firing:d} of 128 fire. Neuron {unit:d}: bias {bias:+.2f}, "
                         "sum {sum:+.2f}, so it passes on {fires:.2f}."),
            [live.images("its", pixel=5, colors="diverging", title="its weights"),
             live.images("product", pixel=5, colors="diverging", title="weights × input"),
             live.axes(live.bars("says", labels=CLASSES, color="series2"), width=300, height=170,
                       title="what it says for each digit")],
            [live.axes(live.bars("z", labels=CLASSES), ylabel="logit", width=330, height=180),
             live.axes(live.bars("p", labels=CLASSES, color="accent"), ylim=(0, 1),
                       ylabel="probability", width=330, height=180)],
            live.images("tiles", pixel=1.15, colors="diverging", select="unit",
                        title="the weights of all hidden neurons: click one"),
        ],
        title="A drawing on its way through the layers",
        caption="Clear the pad and draw a digit. Click a bar or an image of weights to look into "
        "that neuron: where must ink be for it to fire, and where must none be?",
        alt="A drawn digit is centred, 128 hidden neurons answer, about half of them with 0, and "
        "ten logits become ten probabilities. The weights of a hidden neuron form blurred strokes, "
        "positive in some places and negative in others.",
        **words,
    )  # fmt: skip

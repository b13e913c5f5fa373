"""The figures of the chapter on MLPs: galleries, learning curves, remedies, a drawing in layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import nnlib
from course.networks.digits import scrambled
from course.networks.drawn_digits import centred
from course.networks.rounding import rounded_parameters
from nnlib import live
from nnlib.live import palette

COLORS = palette.colors("fallback")
CLASSES = [str(digit) for digit in range(10)]


def gallery(images: Any, titles: Sequence[str], columns: int = 10) -> None:
    """Shows small images in rows, each below its title (matplotlib)."""
    import matplotlib.pyplot as plt

    images = np.asarray(images.numpy() if hasattr(images, "numpy") else images).reshape(-1, 28, 28)
    rows = -(-len(images) // columns)
    _, panels = plt.subplots(rows, columns, figsize=(0.75 * columns, 1.0 * rows))
    for panel in np.ravel(panels):
        panel.axis("off")
    for panel, image, title in zip(np.ravel(panels), images, titles, strict=False):
        panel.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        panel.set_title(title, fontsize=9)
    plt.show()


def confusion(counts: Any) -> None:
    """Shows how often digit i (row) was read as j (column); the diagonal is right and pale."""
    import matplotlib.pyplot as plt

    table = np.array(counts.tolist())
    mistakes = np.where(np.eye(len(table), dtype=bool), 0, table)
    _, axes = plt.subplots(figsize=(4.4, 4.0))
    axes.imshow(mistakes, cmap="Oranges", vmax=1.6 * mistakes.max())
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
    style: dict[str, Any] = {"width": 200, "height": 200}
    return live.figure(
        answer,
        z0=live.slider(-4.0, 4.0, 0.1, value=1.0, label="z₀"),
        z1=live.slider(-4.0, 4.0, 0.1, value=2.0, label="z₁"),
        z2=live.slider(-4.0, 4.0, 0.1, value=-1.0, label="z₂"),
        c=live.values(0.0),
        view=[
            question,
            live.row(live.button("add 3 to all", {"c": lambda c: c + 3.0}),
                     live.button("subtract 3 from all", {"c": lambda c: c - 3.0})),
            [live.axes(live.bars("z", labels=names, format=".1f"), ylabel="logit", **style),
             live.axes(live.bars("p", labels=names, format=".2f", color="accent"),
                       ylabel="probability", ylim=(0, 1.15), **style),
             live.axes(live.bars("surprise", labels=names, format=".2f", color="series1"),
                       ylabel="loss if it is this class", **style)],
            "Added to all: {c:+.0f}. Probabilities {p[0]:.2f}, {p[1]:.2f} and {p[2]:.2f}.",
        ],
        title="From logits to probabilities",
        caption="Move one logit and watch all three probabilities. Can you bring two classes to "
        "½ each, or nearly? The third panel is the subject of the next section.",
        alt="Bars for three logits, their probabilities, and minus the logarithm of each, with "
        "buttons that add a number to all three logits.",
    )  # fmt: skip


def learning(history: Sequence[Sequence[float]], question: Any = None, loss_to: float = 1.0,
             **texts: Any) -> live.Figure:  # fmt: skip
    """Loss and accuracy over epochs, for training (dashed) and validation; an epoch to read out.

    A row of `history` is one epoch: training loss and accuracy, validation loss and accuracy.
    """
    rows = np.array(history, "float32")
    count = len(rows)
    epochs = np.arange(1, count + 1)
    table = nnlib.tensor(rows)

    def in_epoch(epoch: Any) -> dict[str, Any]:
        return {"now": table[epoch - 1], "percent": 100 * table[epoch - 1]}

    def panel(title: str, k: int, top: float) -> Any:
        return live.axes(
            live.curve(epochs, rows[:, k], color="muted", dash=True, label="training"),
            live.curve(epochs, rows[:, k + 2], color="series0", label="validation"),
            live.line(x="epoch", color="muted"),
            xlabel="epoch", ylabel=title, ylim=(0, top), width=330, height=230,
        )  # fmt: skip

    shown = [
        live.control("epoch"),
        live.row(panel("loss", 0, loss_to), panel("accuracy", 1, 1.02)),
        live.readout(
            "After epoch {epoch:d}: loss {now[0]:.2f} in training and {now[2]:.2f} in validation; "
            "accuracy {percent[1]:.0f} % in training and {percent[3]:.0f} % in validation."
        ),
    ]
    if question is not None:
        question.fields["reveal"] = shown
        shown = [question]
    return live.figure(in_epoch, epoch=live.slider(1, count, 1, value=count), view=shown, **texts)


# --- remedies -----------------------------------------------------------------------------------

STRENGTH = {
    "weight decay": ("decay", "weight decay, λ = {:g}"),
    "dropout": ("dropout", "dropout, p = {:g}"),
    "augmentation": ("shift", "augmentation, up to {:d} pixels"),
    "fewer parameters": ("hidden", "fewer parameters, {:d} hidden neurons"),
    "more images": ("images", "more images, {:,d}"),
}


def named(row: Mapping[str, Any]) -> str:
    """A setting in words: the remedy and how strong it is."""
    if row["remedy"] not in STRENGTH:
        return row["remedy"]
    field, words = STRENGTH[row["remedy"]]
    return words.format(row[field])


def overfitting_and_remedies(results: Sequence[Mapping[str, Any]]) -> live.Figure:
    """Accuracies over epochs, means of ten seeds, for the chosen setting; no remedy in grey."""
    names = [named(row) for row in results]
    epochs = results[0]["epochs"]
    means = {
        part: nnlib.tensor(np.stack([row[f"{part} accuracy"].mean(1) for row in results])).float()
        for part in ("training", "validation")
    }
    by_seed = nnlib.tensor(np.stack([row["validation accuracy"].T for row in results])).float()

    def chosen(setting: Any) -> dict[str, Any]:
        training, validation = means["training"][setting], means["validation"][setting]
        best = validation.argmax()
        return {
            "training": training, "validation": validation, "each": by_seed[setting],
            "ends": 100 * nnlib.stack([training[-1], validation[-1], validation.amax()]),
            "epoch": 3 * (best + 1),
        }  # fmt: skip

    return live.figure(
        chosen,
        setting=live.dropdown({name: k for k, name in enumerate(names)}, label="setting"),
        view=[
            live.control("setting"),
            live.axes(
                live.curve(epochs, "each", color="series0", width=0.5),
                live.curve(epochs, means["validation"][0], color="muted", width=2,
                           label="validation, no remedy"),
                live.curve(epochs, "training", color="ink", dash=True, label="training"),
                live.curve(epochs, "validation", color="series0", width=3, label="validation"),
                xlabel="epoch", ylabel="accuracy", ylim=(0.2, 1.02), width=620, height=300,
            ),
            live.readout("At the end: training {ends[0]:.1f} %, validation {ends[1]:.1f} %. Best "
                         "validation: {ends[2]:.1f} % after epoch {epoch:d}."),
        ],
        title="Remedies for over-fitting",
        caption="Choose a remedy and a strength. Thick lines are means over ten seeds, thin lines "
        "the single seeds. Look at two things: how high the blue line rises, and how much of that "
        "it keeps until epoch 60.",
        alt="Validation accuracy without a remedy rises to about 0.78 and falls to about 0.70, "
        "while training accuracy goes to 1. Weight decay, dropout and augmentation keep more of "
        "the peak; augmentation also raises it. Smaller networks rise more slowly.",
    )  # fmt: skip


def best_of_each(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each remedy its best strength by validation accuracy at the end, and its test accuracy.

    "stopped" is the test accuracy at the epoch of each seed's best validation accuracy.
    """
    best: dict[str, dict[str, Any]] = {}
    for row in results:
        validation, test = row["validation accuracy"], row["test accuracy"]
        seeds = np.arange(test.shape[1])
        summary = {
            "name": named(row), "validation": validation[-1].mean(), "test": test[-1],
            "stopped": test[validation.argmax(0), seeds],
        }  # fmt: skip
        previous = best.get(row["remedy"])
        if previous is None or summary["validation"] > previous["validation"]:
            best[row["remedy"]] = summary
    return list(best.values())


def comparison(results: Sequence[Mapping[str, Any]], question: Any, **texts: Any) -> live.Figure:
    """A question, then the test accuracy at the end: each seed's and the mean, for each remedy."""
    rows = best_of_each(results)
    no_remedy = rows[0]
    tests = [no_remedy["test"], no_remedy["stopped"], *(row["test"] for row in rows[1:7])]
    names = ["none", "stop", "decay", "drop", "aug.", "small", "three", "right"]
    jitter = np.linspace(-0.22, 0.22, len(tests[0]))
    x = np.concatenate([k + jitter for k in range(len(tests))])
    means = np.array([float(t.mean()) for t in tests], "float32")
    question.fields["reveal"] = [live.axes(
        live.bars(means + 0.0015, labels=names, base=means - 0.0015, color="series0"),
        live.points(x=x, y=np.concatenate(tests), color="ink", size=3),
        *(live.label(f"{100 * mean:.0f}", k, 0.895) for k, mean in enumerate(means)),
        ylabel="test accuracy", ylim=(0.65, 0.92), width=700, height=280,
    )]  # fmt: skip
    return live.figure(view=[question], **texts)


# --- inside the network -------------------------------------------------------------------------


def one_neuron(weights: Any, images: Sequence[Any], titles: Sequence[str]) -> None:
    """Shows a hidden neuron's weights, and weight times pixel, as images (matplotlib)."""
    import matplotlib.pyplot as plt
    from matplotlib.colors import LinearSegmentedColormap

    w = np.asarray(weights.numpy()).reshape(28, 28)
    most = np.abs(w).max()
    _, panels = plt.subplots(2, 1 + len(images), figsize=(2.1 * (1 + len(images)), 4.4))
    for panel in panels.flat:
        panel.axis("off")
    ends = COLORS["weight-neg"], COLORS["map-middle"], COLORS["weight-pos"]
    signs = LinearSegmentedColormap.from_list("signs", ends)
    style = {"cmap": signs, "vmin": -most, "vmax": most}
    panels[0, 0].set_title("its 784 weights", fontsize=9)
    panels[0, 0].imshow(w, **style)
    for k, (image, title) in enumerate(zip(images, titles, strict=True), 1):
        pixels = np.asarray(image.numpy()).reshape(28, 28)
        panels[0, k].imshow(pixels, cmap="gray_r", vmin=0, vmax=1)
        panels[0, k].set_title(title, fontsize=9)
        panels[1, k].imshow(w * pixels, **style)
        panels[1, k].set_title("weight × pixel", fontsize=9)
    plt.show()


def reader(net: Any, start: np.ndarray) -> live.Figure:
    """A drawing, and the network's probabilities for it."""
    W1, b1, W2, b2 = rounded_parameters(net)

    def read(drawing: Any) -> dict[str, Any]:
        a = (W1 @ centred(drawing).reshape(784) + b1).relu()
        p = nnlib.softmax(W2 @ a + b2, 0)
        return {"p": p, "answer": p.argmax(), "best": p.max(), "ink": drawing.max() > 0.3}

    return live.figure(
        read,
        drawing=live.paint((28, 28), value=start, brush=1.2, label="draw a digit here"),
        view=[[
            live.control("drawing"),
            live.column(
                live.axes(live.bars("p", labels=CLASSES, color="accent"), ylim=(0, 1),
                          ylabel="probability", width=330, height=180),
                live.readout("It reads {answer:d}, with probability {best:.2f}.", size="large",
                             when="ink"),
                live.readout("Nothing is drawn.", size="large", when=lambda ink: ~ink)),
        ]],
        title="Your own digit, first try",
        caption="Clear the pad and draw a digit with the mouse or a finger. Then try to mislead "
        "the network.",
        alt="A pad with a handwritten digit, and ten bars for the probabilities of the digits "
        "0 to 9. For a clean digit one bar is near 1.",
    )  # fmt: skip


def flow(net: Any, start: np.ndarray, **texts: Any) -> live.Figure:
    """A drawing on its way through the network; one hidden neuron is shown in detail.

    When shuffled, input and weights have the same random order, which changes no sum.
    """
    W1, b1, W2, b2 = rounded_parameters(net)
    positions = nnlib.arange(784)
    order = scrambled(positions).reshape(784)
    strongest = int((W1 @ centred(start).reshape(784) + b1).argmax().item())

    def read(drawing: Any, neuron: Any, shuffle: Any) -> dict[str, Any]:
        permutation = nnlib.where(shuffle, order, positions)
        image, W = centred(drawing).reshape(784)[permutation], W1[:, permutation]
        a = (W @ image + b1).relu()
        z = W2 @ a + b2
        p = nnlib.softmax(z, 0)
        added = W2[:, neuron] * a[neuron]
        image, tiles = image.reshape(28, 28), W.reshape(-1, 28, 28)
        return {
            "image": image, "a": a, "z": z, "p": p, "answer": p.argmax(), "best": p.max(),
            "tiles": tiles, "weights": tiles[neuron], "product": tiles[neuron] * image,
            "added": added, "total": b1[neuron] + (tiles[neuron] * image).sum(),
            "bias": b1[neuron], "activation": a[neuron],
            "ink": drawing.max() > 0.3, "firing": (a > 0).sum(),
            "chosen": 1.0 * (nnlib.arange(len(a)) == neuron),
        }  # fmt: skip

    return live.figure(
        read,
        drawing=live.paint((28, 28), value=start, brush=1.2, label="draw a digit here"),
        neuron=live.values(strongest),
        shuffle=live.checkbox(False, static=False, label="shuffle pixels"),
        view=[
            [live.column(live.control("drawing"), live.control("shuffle")),
             live.column(
                 live.images("image", pixel=7, title="input: centred and scaled, 784 pixels"),
                 live.readout("It reads {answer:d}, with probability {best:.2f}.", size="large",
                              when="ink"),
                 live.readout("Nothing is drawn.", size="large", when=lambda ink: ~ink))],
            live.axes(live.bars("a", select="neuron", classes="chosen", width=1.0),
                      xlabel="hidden neuron", ylabel="aᵢ", title="128 hidden neurons",
                      width=700, height=150),
            live.readout("{firing:d} of 128 fire. Neuron {neuron:d}: bias {bias:+.2f}, "
                         "total input {total:+.2f}, so its activation is {activation:.2f}."),
            [live.images("weights", pixel=5, colors="diverging", title="its weights"),
             live.images("product", pixel=5, colors="diverging", title="weights × input"),
             live.axes(live.bars("added", labels=CLASSES, color="series2"), width=300, height=170,
                       title="what it adds to each logit")],
            [live.axes(live.bars("z", labels=CLASSES), ylabel="logit", width=330, height=180),
             live.axes(live.bars("p", labels=CLASSES, color="accent"), ylim=(0, 1),
                       ylabel="probability", width=330, height=180)],
            live.images("tiles", pixel=1.15, colors="diverging", select="neuron",
                        title="the weights of all hidden neurons: click one"),
        ],
        title="A drawing on its way through the layers",
        caption="Clear the pad and draw a digit. Click a bar or an image of weights to look into "
        "that neuron: where must ink be for it to fire, and where must none be?",
        alt="A drawn digit is centred, 128 hidden neurons react, about half of them with 0, and "
        "ten logits become ten probabilities. The weights of a hidden neuron form blurred strokes, "
        "positive at some pixels and negative at others.",
        **texts,
    )  # fmt: skip

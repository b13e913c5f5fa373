"""The figures of the chapter on deep networks: sizes by layer, and which networks learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from course.deep.depths import data
from nnlib import live

DEEPEST, WIDTH, IMAGES = 20, 32, 32
SMALLEST, LARGEST = 1e-12, 1e9
ACTIVATIONS = {"ReLU": [1.0, 0.0, 0.0], "tanh": [0.0, 1.0, 0.0], "sigmoid": [0.0, 0.0, 1.0]}
NOT_KNOWING = float(np.log(10))


# --- sizes by layer -----------------------------------------------------------------------------


def standard_weights(seed: int = 0) -> tuple[list[Any], Any]:
    """Standard normal weights of twenty square layers and of the output, in float16's precision."""
    rng = np.random.default_rng(seed)
    normal = lambda *shape: nnlib.tensor(rng.normal(size=shape)).half().float()  # noqa: E731
    return [normal(WIDTH, WIDTH) for _ in range(DEEPEST)], normal(WIDTH, 10)


def first_images() -> tuple[Any, Any]:
    """Images as inputs of 32 numbers: 64 pixels, two and two added, each number standardised."""
    x, y = data()["training"]
    pairs = x[:IMAGES].reshape(IMAGES, WIDTH, 2).sum(2)
    pairs = (pairs - pairs.mean(1, keepdims=True)) / pairs.std(1, keepdims=True)
    return nnlib.tensor(pairs.astype("float32")).half().float(), nnlib.tensor(y[:IMAGES])


def standardised(h: Any) -> Any:
    """Each row with mean 0 and standard deviation 1, nearly: the layer normalisation."""
    c = h - h.mean(1, keepdim=True)
    return c / ((c * c).mean(1, keepdim=True) + 1e-5).sqrt()


def sizes_by_layer(question: Any = None, **words: Any) -> live.Figure:
    """Root mean square of activations and of gradients in each layer, with five switches."""
    weights, last = standard_weights()
    x, y = first_images()
    layers = nnlib.arange(1, DEEPEST + 1).float()

    def look(depth: Any, spread: Any, activation: Any, residual: Any, norm: Any) -> dict[str, Any]:
        r, n = 1.0 * residual, 1.0 * norm

        def g(z: Any) -> Any:
            return activation[0] * z.relu() + activation[1] * z.tanh() + activation[2] * z.sigmoid()

        offsets = [nnlib.zeros(IMAGES, WIDTH).requires_grad_() for _ in weights]
        h, passed, given = x, [], []
        for k, (W, offset) in enumerate(zip(weights, offsets, strict=True)):
            u = n * standardised(h) + (1 - n) * h
            a = g(u @ (spread * W / WIDTH**0.5) + offset)
            h = nnlib.where(layers[k] <= depth, a + r * h, h)
            given.append(u.detach())
            passed.append((h.detach() ** 2).mean())
        top = n * standardised(h) + (1 - n) * h
        loss = F.cross_entropy(top @ (last / (3 * WIDTH) ** 0.5), y)
        deltas = nnlib.autograd.grad(loss * IMAGES, offsets)  # δ of each image's own loss
        grads = [u.T @ d / IMAGES for u, d in zip(given, deltas, strict=True)]
        shown = nnlib.minimum(layers, depth).long() - 1  # layers that are off repeat the last one

        def drawn(squares: list[Any]) -> Any:
            return nnlib.stack(squares).sqrt().clamp(SMALLEST, LARGEST)[shown]

        return {
            "at": nnlib.minimum(layers, depth), "activations": drawn(passed),
            "deltas": drawn([(d * d).mean() for d in deltas]),
            "gradients": drawn([(G * G).mean() for G in grads]), "loss": loss,
        }  # fmt: skip

    size: dict[str, Any] = {
        "yscale": "log", "ylim": (SMALLEST, LARGEST), "xlabel": "layer",
        "xlim": (0.5, DEEPEST + 0.5), "width": 330, "height": 240,
    }  # fmt: skip
    forwards = live.axes(
        live.points(x="at", y="activations", color="series0", size=4),
        live.curve("at", "activations", color="series0", label="activations"),
        ylabel="size", **size,
    )  # fmt: skip
    backwards = live.axes(
        live.points(x="at", y="deltas", color="gradient", size=4),
        live.curve("at", "deltas", color="gradient", label="δ"),
        live.curve("at", "gradients", color="ink", dash=True, label="weights’ gradient"),
        ylabel="size", **size,
    )  # fmt: skip
    view: list[Any] = [
        live.presets({
            "PyTorch’s default": {"spread": 3**-0.5}, "Xavier": {"spread": 1.0},
            "He": {"spread": 2**0.5}, "twice He": {"spread": 2 * 2**0.5},
        }),
        live.row(forwards, backwards),
        live.readout("Activations: {activations[0]:.2g} in layer 1, {activations[19]:.2g} in the "
                     "last layer. δ: {deltas[19]:.2g} in the last layer, {deltas[0]:.2g} in layer "
                     "1. Gradient of the weights of layer 1: {gradients[0]:.2g}. Loss at the "
                     "start: {loss:.3g}."),
    ]  # fmt: skip
    if question is not None:
        question.fields["reveal"] = view
        view = [question]
    return live.figure(
        look,
        depth=live.slider(2, DEEPEST, 1, value=DEEPEST, label="depth"),
        activation=live.dropdown(ACTIVATIONS, label="activation"),
        spread=live.slider(0.2, 4.0, value=3**-0.5, log=True, format=".2f",
                           label="spread of the weights × √n"),
        residual=live.checkbox(False, static=False, label="residual connections"),
        norm=live.checkbox(False, static=False, label="layer normalisation"),
        view=view,
        **words,
    )  # fmt: skip


# --- which networks learn -----------------------------------------------------------------------


def compared(rows: Mapping[str, Mapping[str, Any]], question: Any, **words: Any) -> live.Figure:
    """A question, then for each name a bar (the mean) and five dots (the seeds): test accuracy."""
    tests = [np.array(row["test"]) for row in rows.values()]
    spread = np.linspace(-0.2, 0.2, len(tests[0]))
    at = np.concatenate([k + spread for k in range(len(tests))])
    means = [float(t.mean()) for t in tests]
    question.fields["reveal"] = [live.axes(
        live.bars(means, labels=list(rows), color="series0"),
        live.points(x=at, y=np.concatenate(tests), color="ink", size=3),
        live.line(y=0.1, color="muted", dash=True),
        *(live.label(f"{mean:.2f}", k, 1.03) for k, mean in enumerate(means)),
        ylabel="test accuracy", ylim=(0, 1.08), width=110 + 110 * len(tests), height=240,
    )]  # fmt: skip
    return live.figure(view=[question], **words)


def named(row: Mapping[str, Any]) -> str:
    """A stored setting in words."""
    starts = {"default": "default", "he": "He", "xavier": "Xavier"}
    parts = [f"{row['depth']} layers", row["activation"].replace("relu", "ReLU"),
             starts[row["start"]]]  # fmt: skip
    parts += ["residual"] * row["residual"] + ["normalised"] * row["norm"]
    return ", ".join(parts)


def training_losses(results: Sequence[Mapping[str, Any]]) -> live.Figure:
    """Training loss over epochs of five seeds, for a network to choose."""
    losses = np.array([np.transpose(row["loss"]) for row in results], "float32").clip(1e-3, 8)
    ends = nnlib.tensor([[100 * float(np.mean(row[part])) for part in ("training", "test")]
                         for row in results])  # fmt: skip
    rates = nnlib.tensor([row["lr"] for row in results])
    table, epochs = nnlib.tensor(losses), np.arange(1, losses.shape[2] + 1)

    def chosen(net: Any) -> dict[str, Any]:
        return {"losses": table[net], "ends": ends[net], "rate": rates[net]}

    return live.figure(
        chosen,
        net=live.dropdown({named(row): k for k, row in enumerate(results)}, value=2,
                          label="network"),
        view=[
            live.control("net"),
            live.axes(
                live.line(y=NOT_KNOWING, color="muted", dash=True, label="log 10"),
                live.curve(epochs, "losses", color="series0", width=1.6),
                xlabel="epoch", ylabel="training loss", ylim=(0, 3), width=560, height=260,
            ),
            live.readout("Learning rate {rate:.4f}. After 20 epochs: training accuracy "
                         "{ends[0]:.1f} %, test accuracy {ends[1]:.1f} %."),
        ],
        title="Which networks learn",
        caption="Choose a network. The dashed line is log 10, the loss of not knowing; each curve "
        "is one of five seeds. Which networks leave the line at once, which late, and which never?",
        alt="With PyTorch's default start, three layers learn from the second epoch, ten from the "
        "third, and twenty ReLU layers stay at log 10, but for one seed at the end. Residual "
        "connections alone begin above the line. With normalisation as well all seeds are below "
        "it in the first epoch, with 20 layers and with 50.",
    )  # fmt: skip

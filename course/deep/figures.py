"""The figures of the chapter on deep networks: sizes by layer, and which networks learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from course.deep.depths import data, of
from nnlib import live

DEEPEST, WIDTH, IMAGES = 20, 32, 32
SMALLEST, LARGEST = 1e-12, 1e9
ACTIVATIONS = {"ReLU": [1.0, 0.0, 0.0], "tanh": [0.0, 1.0, 0.0], "sigmoid": [0.0, 0.0, 1.0]}
STARTS = {"PyTorch’s default": 3**-0.5, "Xavier": 1.0, "He": 2**0.5, "twice He": 2 * 2**0.5}
NOT_KNOWING = float(np.log(10))


# --- sizes by layer -----------------------------------------------------------------------------


def standard_weights(seed: int = 0) -> tuple[list[Any], Any]:
    """Standard normal weights of twenty square layers and of the output, in float16's precision."""
    rng = np.random.default_rng(seed)
    normal = lambda *shape: nnlib.tensor(rng.normal(size=shape)).half().float()  # noqa: E731
    return [normal(WIDTH, WIDTH) for _ in range(DEEPEST)], normal(WIDTH, 10)


def halved(x: np.ndarray, y: np.ndarray) -> tuple[Any, Any]:
    """Images as inputs of 32 numbers: 64 pixels, added in pairs; each image is standardised."""
    pairs = x.reshape(len(x), WIDTH, 2).sum(2)
    pairs = (pairs - pairs.mean(1, keepdims=True)) / pairs.std(1, keepdims=True)
    return nnlib.tensor(pairs.astype("float32")).half().float(), nnlib.tensor(y)


def first_images() -> tuple[Any, Any]:
    """The images for the network of `sizes_by_layer`, and their digits."""
    x, y = data()["training"]
    return halved(x[:IMAGES], y[:IMAGES])


def standardised(h: Any) -> Any:
    """Each row with mean 0 and a standard deviation of nearly 1: layer normalisation."""
    c = h - h.mean(1, keepdim=True)
    return c / ((c * c).mean(1, keepdim=True) + 1e-5).sqrt()


def passed_through(
    x: Any, weights: Sequence[Any], offsets: Sequence[Any] | None = None, *,
    depth: Any, activation: Any, residual: Any, norm: Any,
) -> tuple[Any, list[Any], list[Any]]:  # fmt: skip
    """The input of the output layer for images x, and each layer's input and output.

    Layers above `depth` do nothing. `offsets` are added to the layers' total inputs: the gradients
    of a loss with respect to them are its δs.
    """
    r, n = 1.0 * residual, 1.0 * norm

    def g(z: Any) -> Any:
        return activation[0] * z.relu() + activation[1] * z.tanh() + activation[2] * z.sigmoid()

    h, inputs, outputs = x, [], []
    for k, W in enumerate(weights):
        u = n * standardised(h) + (1 - n) * h
        z = u @ W
        a = g(z if offsets is None else z + offsets[k])
        h = nnlib.where(k + 1 <= depth, a + r * h, h)
        inputs.append(u.detach())
        outputs.append(h.detach())
    return n * standardised(h) + (1 - n) * h, inputs, outputs


def _sizes() -> list[Any]:
    """Activations on the way forwards, δ and gradients on the way back, layer by layer."""
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
    return [
        live.presets({name: {"spread": spread} for name, spread in STARTS.items()}),
        live.row(forwards, backwards),
        live.readout("Activations: {activations[0]:.2g} in layer 1, {activations[19]:.2g} in the "
                     "last layer. δ: {deltas[19]:.2g} in the last layer, {deltas[0]:.2g} in layer "
                     "1. Gradient of the weights of layer 1: {gradients[0]:.2g}. Loss at the "
                     "start: {loss:.3g}."),
    ]  # fmt: skip


def sizes_by_layer(question: Any = None, **texts: Any) -> live.Figure:
    """Root mean square of activations and of gradients in each layer, with five switches."""
    weights, last = standard_weights()
    x, y = first_images()
    layers = nnlib.arange(1, DEEPEST + 1).float()

    def outputs(
        depth: Any, spread: Any, activation: Any, residual: Any, norm: Any
    ) -> dict[str, Any]:
        offsets = [nnlib.zeros(IMAGES, WIDTH).requires_grad_() for _ in weights]
        scaled = [spread * W / WIDTH**0.5 for W in weights]
        switches = {"depth": depth, "activation": activation, "residual": residual, "norm": norm}
        top, inputs, layer_outputs = passed_through(x, scaled, offsets, **switches)
        squares = [(h * h).mean() for h in layer_outputs]
        loss = F.cross_entropy(top @ (last / (3 * WIDTH) ** 0.5), y)
        deltas = nnlib.autograd.grad(loss * IMAGES, offsets)  # δ of each image's own loss
        grads = [u.T @ d / IMAGES for u, d in zip(inputs, deltas, strict=True)]
        shown = nnlib.minimum(layers, depth).long() - 1  # layers that are off repeat the last one

        def plotted(squares: list[Any]) -> Any:
            return nnlib.stack(squares).sqrt().clamp(SMALLEST, LARGEST)[shown]

        return {
            "at": nnlib.minimum(layers, depth), "activations": plotted(squares),
            "deltas": plotted([(d * d).mean() for d in deltas]),
            "gradients": plotted([(G * G).mean() for G in grads]), "loss": loss,
        }  # fmt: skip

    view = _sizes()
    if question is not None:
        question.fields["reveal"] = view
        view = [question]
    return live.figure(
        outputs,
        depth=live.slider(2, DEEPEST, 1, value=DEEPEST, label="depth"),
        activation=live.dropdown(ACTIVATIONS, label="activation"),
        spread=live.slider(0.2, 4.0, value=3**-0.5, log=True, format=".2f",
                           label="spread of the weights × √n"),
        residual=live.checkbox(False, static=False, label="residual connections"),
        norm=live.checkbox(False, static=False, label="layer normalisation"),
        view=view,
        **texts,
    )  # fmt: skip


# --- which networks learn -----------------------------------------------------------------------


def compared(rows: Mapping[str, Mapping[str, Any]], question: Any, **texts: Any) -> live.Figure:
    """A question, then each network's test accuracy: a bar (the mean), and a dot for each seed."""
    tests = [np.array(row["test"]) for row in rows.values()]
    jitter = np.linspace(-0.2, 0.2, len(tests[0]))
    positions = np.concatenate([k + jitter for k in range(len(tests))])
    means = [float(t.mean()) for t in tests]
    question.fields["reveal"] = [live.axes(
        live.bars(means, labels=list(rows), color="series0"),
        live.points(x=positions, y=np.concatenate(tests), color="ink", size=3),
        live.line(y=0.1, color="muted", dash=True),
        *(live.label(f"{mean:.2f}", k, 1.03) for k, mean in enumerate(means)),
        ylabel="test accuracy", ylim=(0, 1.08), width=110 + 110 * len(tests), height=240,
    )]  # fmt: skip
    return live.figure(view=[question], **texts)


def named(row: Mapping[str, Any]) -> str:
    """A stored setting in words."""
    starts = {"default": "default", "he": "He", "xavier": "Xavier"}
    parts = [f"{row['depth']} layers", row["activation"].replace("relu", "ReLU"),
             starts[row["start"]]]  # fmt: skip
    parts += ["residual"] * row["residual"] + ["normalised"] * row["norm"]
    return ", ".join(parts)


def training_losses(results: Sequence[Mapping[str, Any]]) -> live.Figure:
    """Training loss over epochs of ten seeds, for the chosen network."""
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
        "is one of ten seeds. Which networks leave the line at once, which late, and which never?",
        alt="With PyTorch's default start, three layers learn from the second epoch, ten from the "
        "third. With twenty ReLU layers five of ten seeds stay at log 10, and the others leave it "
        "late. Residual connections alone begin above the line. With normalisation as well all "
        "seeds are below it in the first epoch, with 20 layers and with 50.",
    )  # fmt: skip


# --- what each of the three does ----------------------------------------------------------------

# (He's start, residual connections, normalisation): the network's name, and what happens in it
EIGHT = {
    (False, False, False): (
        "None of the three",
        "the gradient vanishes, and so do the differences between the images.",
    ),
    (True, False, False): (
        "He’s start alone",
        "sizes are kept both ways, and still it learns less well than residual connections do.",
    ),
    (False, True, False): (
        "Residual connections alone",
        "nothing vanishes. The activations grow, slowly enough for 20 layers, too fast for 50.",
    ),
    (False, False, True): (
        "Normalisation alone",
        "the activations keep their size, but the gradient grows on the way back.",
    ),
    (True, True, False): (
        "He’s start and residual connections",
        "each layer adds as much as it receives, so activations and gradients explode.",
    ),
    (True, False, True): (
        "He’s start and normalisation",
        "the gradient grows on the way back, as it does without He’s start.",
    ),
    (False, True, True): (
        "Residual connections and normalisation",
        "nothing vanishes and nothing explodes.",
    ),
    (True, True, True): ("All three", "nothing vanishes and nothing explodes."),
}


def letters(on: Sequence[bool]) -> str:
    """The switches that are on: H, R, N."""
    return "".join(letter for letter, is_on in zip("HRN", on, strict=True) if is_on) or "–"


def combined(on: Sequence[bool], depth: int = 20) -> dict[str, Any]:
    """The stored result of ReLU layers with some of the three switches on."""
    he, residual, norm = on
    return of(depth=depth, start="he" if he else "default", residual=residual, norm=norm)


def forwards_and_back(layers: Any, **size: Any) -> Any:
    """Sizes of activations and of the weights' gradients over `layers`, in one plot."""
    return live.axes(
        live.points(x=layers, y="activations", color="series0", size=4),
        live.curve(layers, "activations", color="series0", label="activations"),
        live.curve(layers, "gradients", color="ink", dash=True, label="weights’ gradient"),
        xlabel="layer", ylabel="size", yscale="log", xlim=(0.5, DEEPEST + 0.5), **size,
    )  # fmt: skip


def eight_networks(question: Any, **texts: Any) -> live.Figure:
    """A question, then all combinations of the three: test accuracy, and one network's sizes."""
    rows = [combined(on) for on in EIGHT]
    percent = 100 * nnlib.tensor([row["test"] for row in rows])
    activations, gradients = (nnlib.tensor([row[part] for row in rows])
                              for part in ("activations", "gradients"))  # fmt: skip
    number, layers = nnlib.arange(len(rows)), np.arange(1, DEEPEST + 1)

    def outputs(net: Any) -> dict[str, Any]:
        accuracies = percent[net]
        return {
            "activations": activations[net], "gradients": gradients[net],
            "ends": nnlib.stack([accuracies.mean(), accuracies.amin(), accuracies.amax()]),
            "chosen": 1.0 * (number == net),
        }  # fmt: skip

    summary = (
        "Test accuracy {ends[0]:.0f} %, seeds from {ends[1]:.0f} to {ends[2]:.0f} %. "
        "Activations: {activations[0]:.2g} in layer 1, {activations[19]:.2g} in layer 20. "
        "Gradient of the weights: {gradients[0]:.2g} in layer 1, {gradients[19]:.2g} in layer 20."
    )
    question.fields["reveal"] = [
        _eight_bars([np.array(row["test"]) for row in rows]),
        *(live.readout(f"{name}: {happens}", when=lambda net, k=k: net == k)
          for k, (name, happens) in enumerate(EIGHT.values())),
        forwards_and_back(layers, ylim=(1e-10, 1e6), width=520, height=230,
                          title="before the first step"),
        live.readout(summary),
    ]  # fmt: skip
    return live.figure(outputs, net=live.values(0), view=[question], **texts)


def _eight_bars(tests: Sequence[np.ndarray]) -> Any:
    """For each network a bar (the mean) that can be chosen, and a dot for each seed."""
    jitter = np.linspace(-0.25, 0.25, len(tests[0]))
    positions = np.concatenate([k + jitter for k in range(len(tests))])
    means = [float(t.mean()) for t in tests]
    return live.axes(
        live.bars(means, classes="chosen", select="net", labels=[letters(on) for on in EIGHT]),
        live.points(x=positions, y=np.concatenate(tests), color="ink", size=2.5),
        live.line(y=0.1, color="muted", dash=True),
        *(live.label(f"{100 * mean:.0f}", k, 1.03) for k, mean in enumerate(means)),
        ylabel="test accuracy", ylim=(0, 1.1), width=520, height=250,
    )  # fmt: skip

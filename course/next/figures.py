"""The live figures of the closing chapter; `texts` are title, caption and alternative text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from course.networks import digits
from course.networks.drawn_digits import centred
from course.networks.rounding import rounded_parameters
from course.next.checks import gradient_of
from course.next.drawings import drawings
from course.next.pieces import (
    ALPHABET,
    FIRST,
    LENGTH,
    MERGES,
    NEW,
    SPACE,
    Cut,
    pair_written,
    written,
)  # fmt: skip
from nnlib import live

LETTERS, STATE, CLASSES = 26, 16, 4  # sizes of the two networks that read words
SHOWN, ELLIPSIS = 8, ord("…")  # a longer piece is cut to SHOWN characters, the last is "…"


def rnn_multiplications(T: Any) -> Any:
    """Multiplications of the book's recurrent network for a text of T letters."""
    return T * LETTERS * STATE + (T - 1) * STATE * STATE + STATE * CLASSES


def attention_multiplications(T: Any) -> Any:
    """Multiplications of the book's attention network for a text of T letters."""
    return T * (LETTERS * STATE + 4 * STATE * STATE + 2 * T * STATE) + STATE * CLASSES


def uses_of_a_weight(counts: Mapping[str, float], question: Any, **texts: Any) -> live.Figure:
    """A question; then bars that show how often each network uses a weight for one example."""
    bars = live.bars(list(counts.values()), labels=list(counts), format=".1f")
    as_text = ", ".join(f"{name} {count:.1f}" for name, count in counts.items())
    question.fields["reveal"] = [
        live.axes(bars, ylabel="uses of a weight", height=220),
        live.readout(f"How often a weight is used on one example: {as_text}."),
    ]
    return live.figure(view=[question], **texts)


def growing_text(question: Any, **texts: Any) -> live.Figure:
    """A question; then the cost of a longer text for two networks, and their longest paths."""

    def count(T: Any) -> dict[str, Any]:
        rnn, attention = rnn_multiplications(T), attention_multiplications(T)
        return {"rnn": rnn, "attention": attention, "times": attention / rnn, "path": T + 1.0}

    lengths = np.geomspace(10, 10_000, 61)
    question.fields["reveal"] = [
        live.control("T"),
        live.axes(
            live.curve(lengths, rnn_multiplications(lengths), label="RNN"),
            live.curve(lengths, attention_multiplications(lengths), label="attention", dash=True),
            live.points(x=lambda T: T.reshape(1), y=lambda rnn: rnn.reshape(1)),
            live.points(x=lambda T: T.reshape(1), y=lambda attention: attention.reshape(1)),
            xscale="log", yscale="log", xlabel="letters in the text", ylabel="multiplications",
            height=280,
        ),
        live.readout("{T:,.0f} letters. RNN: {rnn:,.0f} multiplications, "
                     "longest path {path:,.0f}."),
        live.readout("Attention: {attention:,.0f} multiplications, longest path 6. "
                     "That is {times:.1f} times the RNN's work."),
    ]  # fmt: skip
    return live.figure(
        count,
        T=live.slider(10.0, 10_000.0, value=12.0, log=True, label="letters T", format=",.0f"),
        view=[question],
        **texts,
    )


def images_of_noise(
    examples: Any, answers: Mapping[str, Any], question: Any, **texts: Any
) -> live.Figure:
    """A question; then images of noise, each with the networks' answers and their probabilities."""
    shown = nnlib.tensor(examples).reshape(-1, 28, 28)
    labels = [" / ".join(f"{name} {p.argmax().item()}: {p.amax().item():.2f}"
                         for name, p in zip(answers, row, strict=True))
              for row in zip(*answers.values(), strict=True)]  # fmt: skip
    question.fields["reveal"] = [
        live.images(shown, columns=2, pixel=4, labels=labels, colors="gray", range=(0, 1))
    ]
    return live.figure(view=[question], **texts)


def refused(net: Any, images: Any) -> Any:
    """How many of the images the network refuses at each threshold 0.50, 0.51, … 0.99; (50,).

    It refuses an image if none of its ten probabilities is above the threshold.
    """
    best = digits.logits(net, images).softmax(1).amax(1)
    return (best.unsqueeze(1) <= 0.01 * nnlib.arange(50, 100)).long().sum(0)


def not_a_digit(mlp: Any, cnn: Any, test: Any, noise: Any, **texts: Any) -> live.Figure:
    """A drawing, and the answers of an MLP and a CNN, which refuse it below a threshold."""
    W1, b1, W2, b2 = rounded_parameters(mlp)
    K1, c1, K2, c2, W, c = rounded_parameters(cnn)
    shown = drawings()
    tables = {(name, kind): refused(net, x) for name, net in (("mlp", mlp), ("cnn", cnn))
              for kind, x in (("digits", test), ("noise", noise))}  # fmt: skip

    def read(drawing: Any, threshold: Any) -> dict[str, Any]:
        image = centred(drawing)
        first = F.max_pool2d(F.conv2d(image[None, None], K1, c1, padding=2).relu(), 2)
        second = F.max_pool2d(F.conv2d(first, K2, c2, padding=2).relu(), 2)
        logits = {"mlp": W2 @ (W1 @ image.reshape(784) + b1).relu() + b2,
                  "cnn": W @ second.reshape(-1) + c}  # fmt: skip
        answers = {"image": image}
        row = (100 * threshold).round().long() - 50
        for name, z in logits.items():
            p = z.softmax(0)
            answers |= {name: p, f"{name}_digit": p.argmax(), f"{name}_p": p.amax(),
                        f"{name}_accepts": p.amax() > threshold,
                        f"{name}_refuses": p.amax() <= threshold}  # fmt: skip
        return answers | {f"{name}_{kind}": counts[row] for (name, kind), counts in tables.items()}

    return live.figure(
        read,
        drawing=live.paint((28, 28), value=shown["a house"], brush=1.2,
                           label="draw anything but a digit"),
        threshold=live.slider(0.5, 0.99, 0.01, value=0.9, label="threshold", format=".2f"),
        view=[
            live.presets({name: {"drawing": image} for name, image in shown.items()}),
            [live.control("drawing"),
             live.images("image", pixel=7, title="what both networks get")],
            [live.column(*answer_views("mlp", "MLP", "accent")),
             live.column(*answer_views("cnn", "CNN", "series2"))],
            live.control("threshold"),
            live.readout("Of 1,000 test digits, the MLP refuses {mlp_digits:d} and the CNN "
                         "{cnn_digits:d}. Of 1,000 images of noise, {mlp_noise:d} and "
                         "{cnn_noise:d}."),
        ],
        **texts,
    )  # fmt: skip


def answer_views(name: str, title: str, color: str) -> list[Any]:
    """A network's ten probabilities with the threshold, and its answer, accepted or refused."""
    bars = live.bars(name, labels=[str(k) for k in range(10)], color=color)
    best = f"a {{{name}_digit:d}}, with probability {{{name}_p:.2f}}"
    return [
        live.axes(bars, live.line(y="threshold", dash=True), ylim=(0, 1), ylabel="probability",
                  title=title, width=330, height=180),
        live.readout(f"The {title} accepts it as {best}.", when=f"{name}_accepts"),
        live.readout(f"The {title} refuses it. Its best guess is {best}.", when=f"{name}_refuses"),
    ]  # fmt: skip


def attack(net: Any, image: Any, label: Any) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Changes all pixels of an image by signs that the gradient chooses, and by random signs.

    Returns:
        The chosen and the random signs; and the network's probabilities with each, (21, 10), where
        row k is for changes of k hundredths.
    """
    net.eval()
    chosen = gradient_of(lambda x: F.cross_entropy(net(x), label), image).sign()
    normal = np.random.default_rng(0).normal(size=image.shape)
    random = nnlib.tensor(normal.astype("float32")).sign()
    sizes = 0.01 * nnlib.arange(21).float().reshape(21, 1, 1, 1)
    by_chosen, by_random = (
        digits.logits(net, image + sizes * signs).softmax(1) for signs in (chosen, random)
    )
    return (chosen, random), (by_chosen, by_random)


def image_under_attack(net: Any, image: Any, label: Any, **texts: Any) -> live.Figure:
    """An image, each pixel changed by ε with a random or a chosen sign, and the net's answer."""
    signs, answers = attack(net, image, label)
    clean, chosen, random = (x.reshape(28, 28) for x in (image, *signs))
    by_chosen, by_random = answers

    def outputs(hundredths: Any, gradient: Any) -> dict[str, Any]:
        p = nnlib.where(gradient, by_chosen[hundredths], by_random[hundredths])
        changed = clean + 0.01 * hundredths * nnlib.where(gradient, chosen, random)
        return {"image": changed, "p": p, "answer": p.argmax(), "best": p.max(),
                "size": 0.01 * hundredths}  # fmt: skip

    bars = live.bars("p", labels=[str(k) for k in range(10)], color="accent")
    return live.figure(
        outputs,
        hundredths=live.slider(0, 20, value=10, label="ε in hundredths"),
        gradient=live.checkbox(False, static=False, label="the gradient chooses each sign"),
        view=[
            live.control("hundredths", "gradient"),
            [live.images("image", pixel=7, range=(-0.2, 1.2), title="what the network gets"),
             live.axes(bars, ylim=(0, 1), ylabel="probability", width=330, height=200)],
            live.readout("ε = {size:.2f}: the MLP reads {answer:d}, with probability {best:.2f}."),
        ],
        **texts,
    )  # fmt: skip


def byte_pair_merges(text: str, new: str, **texts: Any) -> live.Figure:
    """Byte pair encoding of typed words, merge by merge; a new word is cut by the same merges."""

    def cut(text: Any, new: Any, merges: Any) -> dict[str, Any]:
        pieces = Cut(text, new)
        sizes, pairs = [pieces.sizes], [nnlib.zeros(4).long()]
        for _ in range(MERGES):
            pairs.append(nnlib.stack(pieces.merge()))
            sizes.append(pieces.sizes)
        table, done = nnlib.stack(pairs), nnlib.stack(sizes)
        counts = (done[:, :LENGTH] > 0).long().sum(1)
        last, now = (table[:, 3] > 0).long().sum(), done[merges]
        start, left, right, times = table[merges]
        return {
            "words": written(text, now[:LENGTH]), "other": written(new, now[LENGTH + 1 : -1]),
            "pair": pair_written(text, start, left, right), "times": times,
            "tokens": counts[merges],
            "letters": counts[0], "counts": counts.float(), "last": last,
            "made": piece_characters(text, table, merges),
            "chosen": 1.0 * (nnlib.arange(MERGES + 1) == merges),
            "some": counts[0] > 0, "typed": (new < len(ALPHABET) - 1).any(),
            "start": (counts[0] > 0) & (merges == 0), "merged": times > 0,
            "over": (last > 0) & (merges > last), "alone": (counts[0] > 0) & (last == 0),
        }  # fmt: skip

    return live.figure(
        cut,
        text=live.text(text, alphabet=ALPHABET, max_length=LENGTH, label="your words"),
        new=live.text(new, alphabet=ALPHABET[:-1], max_length=NEW, label="a new word"),
        merges=live.slider(0, MERGES, value=3, label="merges"),
        view=merge_views(),
        **texts,
    )


def piece_characters(text: Any, table: Any, merges: Any) -> Any:
    """The characters of the pieces that merges 1, …, `merges` make, (MERGES + 1, SHOWN).

    Rows and characters that are not needed are spaces.
    """
    start, left, right, _ = table.T.unsqueeze(2)
    k, row = nnlib.arange(SHOWN), nnlib.arange(MERGES + 1).unsqueeze(1)
    letters = text[(start + k).clamp(max=LENGTH - 1)] + FIRST
    letters = nnlib.where((k == SHOWN - 1) & (left + right > SHOWN), ELLIPSIS, letters)
    return nnlib.where((k < left + right) & (row <= merges), letters, SPACE)


def merge_views() -> list[Any]:
    """The views of the figure of merges: the words in pieces, and bars for the number of tokens."""
    pieces = " ".join(slots(f"made[{m}", SHOWN, ",{}]") for m in range(1, MERGES + 1))
    return [
        live.control("text", "new", "merges"),
        live.readout("Type some words first: letters, with spaces between the words.",
                     when=lambda some: ~some),
        live.readout("No word has two letters, so there is no pair to merge.", when="alone"),
        live.readout("No merge yet: each letter is a token.",
                     when=lambda start, alone: start & ~alone),
        live.readout("Merge {merges:d}. The most frequent pair occurs {times:d} × in your words: "
                     + slots("pair", LENGTH + 1), when="merged"),
        live.readout("After {last:d} merges each word is one token, and no pair is left.",
                     when="over"),
        live.readout("Your words, {letters:d} letters in {tokens:d} tokens: "
                     + slots("words", 2 * LENGTH), when="some"),
        live.readout("The new word: " + slots("other", 2 * NEW), when="typed"),
        live.readout("New pieces so far, in their order: " + pieces,
                     when=lambda last, merges: (last > 0) & (merges > 0)),
        live.axes(live.bars("counts", labels=[str(k) for k in range(MERGES + 1)],
                            classes="chosen", select="merges"),
                  xlabel="merges", width=640, height=170, ylabel="tokens of your words"),
    ]  # fmt: skip


def slots(name: str, count: int, index_format: str = "[{}]") -> str:
    """A template that shows `count` characters, whose codes are the entries of output `name`."""
    return "".join("{" + name + index_format.format(k) + ":c}" for k in range(count))

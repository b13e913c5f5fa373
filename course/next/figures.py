"""The closing chapter's figures: weights' uses, growing texts, noise, drawings, attack, merges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from course.networks import digits
from course.networks.drawn_digits import centred
from course.networks.rounding import rounded_parameters
from course.next.checks import slope_of
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
NAMED, ELLIPSIS = 8, ord("…")  # letters of a piece that are shown; what ends a longer one


def recurrent(T: Any) -> Any:
    """Multiplications of the book's recurrent network for a text of T letters."""
    return T * LETTERS * STATE + (T - 1) * STATE * STATE + STATE * CLASSES


def attending(T: Any) -> Any:
    """Multiplications of the book's network of attention for a text of T letters."""
    return T * (LETTERS * STATE + 4 * STATE * STATE + 2 * T * STATE) + STATE * CLASSES


def uses(of: Mapping[str, float], question: Any, **words: Any) -> live.Figure:
    """A question; then bars for how often each network uses a weight on one example."""
    bars = live.bars(list(of.values()), labels=list(of), format=".1f")
    said = ", ".join(f"{name} {count:.1f}" for name, count in of.items())
    question.fields["reveal"] = [
        live.axes(bars, ylabel="uses of a weight", height=220),
        live.readout(f"How often a weight is used on one example: {said}."),
    ]
    return live.figure(view=[question], **words)


def growing(question: Any, **words: Any) -> live.Figure:
    """A question; then what a longer text costs the two networks, and how long their paths are."""

    def count(T: Any) -> dict[str, Any]:
        return {"rnn": recurrent(T), "look": attending(T), "way": T + 1.0,
                "times": attending(T) / recurrent(T)}  # fmt: skip

    lengths = np.geomspace(10, 10_000, 61)
    question.fields["reveal"] = [
        live.control("T"),
        live.axes(
            live.curve(lengths, recurrent(lengths), label="RNN"),
            live.curve(lengths, attending(lengths), label="attention", dash=True),
            live.points(x=lambda T: T.reshape(1), y=lambda rnn: rnn.reshape(1)),
            live.points(x=lambda T: T.reshape(1), y=lambda look: look.reshape(1)),
            xscale="log", yscale="log", xlabel="letters in the text", ylabel="multiplications",
            height=280,
        ),
        live.readout("{T:,.0f} letters. RNN: {rnn:,.0f} multiplications, longest path {way:,.0f}."),
        live.readout("Attention: {look:,.0f} multiplications, longest path 6. "
                     "That is {times:.1f} times the RNN's work."),
    ]  # fmt: skip
    return live.figure(
        count,
        T=live.slider(10.0, 10_000.0, value=12.0, log=True, label="letters T", format=",.0f"),
        view=[question],
        **words,
    )


def noise(examples: Any, answers: Mapping[str, Any], question: Any, **words: Any) -> live.Figure:
    """A question; then some images of noise, and what each network says about the first ones."""
    shown = nnlib.tensor(examples).reshape(-1, 28, 28)
    labels = [" / ".join(f"{name} {p.argmax().item()}: {p.amax().item():.2f}"
                         for name, p in zip(answers, row, strict=True))
              for row in zip(*answers.values(), strict=True)]  # fmt: skip
    question.fields["reveal"] = [
        live.images(shown, columns=2, pixel=4, labels=labels, colors="gray", range=(0, 1))
    ]
    return live.figure(view=[question], **words)


def refused(net: Any, images: Any) -> Any:
    """Of these images, how many get no probability above 0.50, 0.51, … 0.99; shape (50,)."""
    best = digits.answers(net, images).softmax(1).amax(1)
    return (best.unsqueeze(1) <= 0.01 * nnlib.arange(50, 100)).long().sum(0)


def not_a_digit(mlp: Any, cnn: Any, test: Any, noise: Any, **words: Any) -> live.Figure:
    """A drawing before an MLP and a CNN with two pools, each with a threshold of refusal."""
    W1, b1, W2, b2 = rounded_parameters(mlp)
    K1, c1, K2, c2, W, c = rounded_parameters(cnn)
    shown = drawings()
    tables = {(name, kind): refused(net, x) for name, net in (("mlp", mlp), ("cnn", cnn))
              for kind, x in (("digits", test), ("noise", noise))}  # fmt: skip

    def read(drawing: Any, least: Any) -> dict[str, Any]:
        seen = centred(drawing)
        first = F.max_pool2d(F.conv2d(seen[None, None], K1, c1, padding=2).relu(), 2)
        second = F.max_pool2d(F.conv2d(first, K2, c2, padding=2).relu(), 2)
        logits = {"mlp": W2 @ (W1 @ seen.reshape(784) + b1).relu() + b2,
                  "cnn": W @ second.reshape(-1) + c}  # fmt: skip
        made = {"seen": seen}
        row = (100 * least).round().long() - 50
        for name, of in logits.items():
            p = of.softmax(0)
            made |= {name: p, f"{name}_digit": p.argmax(), f"{name}_p": p.amax(),
                     f"{name}_accepts": p.amax() > least,
                     f"{name}_refuses": p.amax() <= least}  # fmt: skip
        return made | {f"{name}_{kind}": of[row] for (name, kind), of in tables.items()}

    return live.figure(
        read,
        drawing=live.paint((28, 28), value=shown["a house"], brush=1.2,
                           label="draw anything but a digit"),
        least=live.slider(0.5, 0.99, 0.01, value=0.9, label="threshold", format=".2f"),
        view=[
            live.presets({name: {"drawing": image} for name, image in shown.items()}),
            [live.control("drawing"), live.images("seen", pixel=7, title="what both networks get")],
            [live.column(*answered("mlp", "MLP", "accent")),
             live.column(*answered("cnn", "CNN", "series2"))],
            live.control("least"),
            live.readout("Of 1,000 test digits, the MLP refuses {mlp_digits:d} and the CNN "
                         "{cnn_digits:d}. Of 1,000 images of noise, {mlp_noise:d} and "
                         "{cnn_noise:d}."),
        ],
        **words,
    )  # fmt: skip


def answered(name: str, title: str, color: str) -> list[Any]:
    """A network's ten probabilities with the threshold, and its answer, accepted or refused."""
    bars = live.bars(name, labels=[str(k) for k in range(10)], color=color)
    best = f"a {{{name}_digit:d}}, with probability {{{name}_p:.2f}}"
    return [
        live.axes(bars, live.line(y="least", dash=True), ylim=(0, 1), ylabel="probability",
                  title=title, width=330, height=180),
        live.readout(f"The {title} accepts it as {best}.", when=f"{name}_accepts"),
        live.readout(f"The {title} refuses it. Its best guess is {best}.", when=f"{name}_refuses"),
    ]  # fmt: skip


def under_attack(net: Any, image: Any, label: Any) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Signs for each pixel, by the gradient and random; and the probabilities under each.

    Row k of the probabilities, (21, 10), is for a change of k hundredths.
    """
    net.eval()
    chosen = slope_of(lambda x: F.cross_entropy(net(x), label), image).sign()
    normal = np.random.default_rng(0).normal(size=image.shape)
    random = nnlib.tensor(normal.astype("float32")).sign()
    sizes = 0.01 * nnlib.arange(21).float().reshape(21, 1, 1, 1)
    by_chosen, by_random = (
        digits.answers(net, image + sizes * signs).softmax(1) for signs in (chosen, random)
    )
    return (chosen, random), (by_chosen, by_random)


def attacked(net: Any, image: Any, label: Any, **words: Any) -> live.Figure:
    """An image, each pixel changed by ε with a random or a chosen sign, and the net's answer."""
    signs, answers = under_attack(net, image, label)
    clean, chosen, random = (x.reshape(28, 28) for x in (image, *signs))
    by_chosen, by_random = answers

    def look(hundredths: Any, gradient: Any) -> dict[str, Any]:
        p = nnlib.where(gradient, by_chosen[hundredths], by_random[hundredths])
        seen = clean + 0.01 * hundredths * nnlib.where(gradient, chosen, random)
        return {"seen": seen, "p": p, "answer": p.argmax(), "best": p.max(),
                "size": 0.01 * hundredths}  # fmt: skip

    bars = live.bars("p", labels=[str(k) for k in range(10)], color="accent")
    return live.figure(
        look,
        hundredths=live.slider(0, 20, value=10, label="ε in hundredths"),
        gradient=live.checkbox(False, static=False, label="the gradient chooses each sign"),
        view=[
            live.control("hundredths", "gradient"),
            [live.images("seen", pixel=7, range=(-0.2, 1.2), title="what the network gets"),
             live.axes(bars, ylim=(0, 1), ylabel="probability", width=330, height=200)],
            live.readout("ε = {size:.2f}: the MLP reads {answer:d}, with probability {best:.2f}."),
        ],
        **words,
    )  # fmt: skip


def merging(text: str, new: str, **words: Any) -> live.Figure:
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
        at, left, right, times = table[merges]
        return {
            "words": written(text, now[:LENGTH]), "other": written(new, now[LENGTH + 1 : -1]),
            "pair": pair_written(text, at, left, right), "times": times, "tokens": counts[merges],
            "letters": counts[0], "counts": counts.float(), "made": named(text, table, merges),
            "last": last, "chosen": 1.0 * (nnlib.arange(MERGES + 1) == merges),
            "some": counts[0] > 0, "typed": (new < len(ALPHABET) - 1).any(),
            "start": (counts[0] > 0) & (merges == 0), "merged": times > 0,
            "over": (last > 0) & (merges > last), "alone": (counts[0] > 0) & (last == 0),
        }  # fmt: skip

    return live.figure(
        cut,
        text=live.text(text, alphabet=ALPHABET, max_length=LENGTH, label="your words"),
        new=live.text(new, alphabet=ALPHABET[:-1], max_length=NEW, label="a new word"),
        merges=live.slider(0, MERGES, value=3, label="merges"),
        view=merges_shown(),
        **words,
    )


def named(text: Any, table: Any, merges: Any) -> Any:
    """Characters of the pieces made by the first merges, (MERGES + 1, NAMED), the rest spaces."""
    at, left, right, _ = table.T.unsqueeze(2)
    k, row = nnlib.arange(NAMED), nnlib.arange(MERGES + 1).unsqueeze(1)
    letters = text[(at + k).clamp(max=LENGTH - 1)] + FIRST
    letters = nnlib.where((k == NAMED - 1) & (left + right > NAMED), ELLIPSIS, letters)
    return nnlib.where((k < left + right) & (row <= merges), letters, SPACE)


def merges_shown() -> list[Any]:
    """What the figure of merges shows: the pieces in words, and a bar of tokens for each merge."""
    pieces = " ".join(slots(f"made[{m}", NAMED, ",{}]") for m in range(1, MERGES + 1))
    return [
        live.control("text", "new", "merges"),
        live.readout("Type some words first: letters, with spaces between the words.",
                     when=lambda some: ~some),
        live.readout("No word has two letters, so there is no pair to merge.", when="alone"),
        live.readout("No merge yet: each letter is a token.",
                     when=lambda start, alone: start & ~alone),
        live.readout("Merge {merges:d}. The most frequent pair stands {times:d} × in your words: "
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


def slots(name: str, count: int, at: str = "[{}]") -> str:
    """Places for a text's characters."""
    return "".join("{" + name + at.format(k) + ":c}" for k in range(count))

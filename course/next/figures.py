"""The closing chapter's figures: uses of weights, growing texts, noise, an attack, merges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from course.networks import digits
from course.next.checks import merged, slope_of
from nnlib import live

LETTERS, STATE, CLASSES = 26, 16, 4  # sizes of the two networks that read words


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


def merging(texts: Sequence[str], new: str, **words: Any) -> live.Figure:
    """Byte pair encoding of a few words, merge by merge, and a new word cut by the same merges."""
    pieces, cut = [list(word) for word in texts], list(new)
    told = [f"0 merges: {spaced(pieces)}. The new word: {' '.join(cut)}."]
    while pairs := Counter(pair for word in pieces for pair in pairwise(word)):
        pair, times = pairs.most_common(1)[0]  # of equally frequent ones the first
        pieces, cut = [merged(word, pair) for word in pieces], merged(cut, pair)
        told.append(f"Merge {len(told)}, of {' '.join(pair)} ({times} ×): "
                    f"{spaced(pieces)}. The new word: {' '.join(cut)}.")  # fmt: skip

    def at(merges: Any) -> dict[str, Any]:
        return {f"after{k}": merges == k for k in range(len(told))}

    return live.figure(
        at,
        merges=live.slider(0, len(told) - 1, value=min(3, len(told) - 1), label="merges"),
        view=[
            live.control("merges"),
            *(live.readout(line, size="large", when=f"after{k}") for k, line in enumerate(told)),
        ],
        **words,
    )


def spaced(pieces: Sequence[Sequence[str]]) -> str:
    return " | ".join(" ".join(word) for word in pieces)

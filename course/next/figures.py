"""The closing chapter's figures: uses of a weight, growing texts, answers to noise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import nnlib
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

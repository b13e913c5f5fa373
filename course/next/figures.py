"""Attention over the letters of a typed word: where each letter looks, and what comes of it."""

from __future__ import annotations

from typing import Any

import nnlib
from course.networks import words
from nnlib import live


def looking(model: words.Attention, word: str, at: int = 1, **text: Any) -> live.Figure:
    """A typed word's attention matrix, one letter's row as bars, and the network's answer."""

    def look(word: Any, word_length: Any, at: Any, sharp: Any) -> dict[str, Any]:
        there = words.one_hot(word).sum(-1)
        x = model.vectors(word)
        q, k, v = model.query(x), model.key(x), model.value(x)
        scores = sharp * (q @ k.T) / x.shape[-1] ** 0.5
        weights = (scores - 1e9 * (1.0 - there)).softmax(-1) * there.unsqueeze(-1)
        each = model.hidden(x + weights @ v).relu() * there.unsqueeze(-1)
        p = model.head(each.sum(0) / there.sum().clamp(min=1.0)).softmax(-1)
        here = nnlib.minimum(at, word_length).clamp(min=1) - 1
        most = weights[here].argmax()
        letter = nnlib.where(word < words.BLANK, 97 + word, 183)
        return {"A": weights, "row": weights[here], "p": p, "place": here + 1,
                "letter": letter[here], "most": most + 1, "seen": letter[most],
                "share": weights[here].amax()}  # fmt: skip

    places = [str(t) for t in range(1, words.LENGTH + 1)]
    return live.figure(
        look,
        word=live.text(word, max_length=words.LENGTH, label="word"),
        sharp=live.slider(0.0, 4.0, 0.1, value=1.0, label="scores ×"),
        at=live.slider(1, words.LENGTH, value=at, label="letter that looks"),
        view=[
            [
                live.images("A", pixel=20, colors="magnitude", range=(0, 1), row_labels="word",
                            column_labels="word", title="who (row) looks at whom (column)"),
                live.column(
                    live.axes(live.bars("row", labels=places), width=330, height=170,
                              ylim=(0, 1.15), xlabel="letter looked at", ylabel="weight"),
                    live.axes(live.bars("p", labels=["Dutch", "English", "Polish", "Spanish"],
                                        format=".2f"), width=330, height=170, ylim=(0, 1.15),
                              ylabel="the answer"),
                ),
            ],
            live.readout("letter {place:d}, “{letter:c}”, looks most at letter {most:d}, "
                         "“{seen:c}”: {share:.2f}"),
        ],
        **text,
    )  # fmt: skip


def step_by_step(**text: Any) -> live.Figure:
    """One letter's attention over two, as a recorded graph that fires operation by operation."""

    def attend(q: Any, k1: Any, k2: Any, v1: Any, v2: Any) -> Any:
        s1, s2 = q * k1, q * k2
        e1, e2 = s1.exp(), s2.exp()
        total = e1 + e2  # before the values: so no edge of the picture hides behind a box
        return (e1 * v1 + e2 * v2) / total

    start = {"q": 1.0, "k1": 1.5, "k2": -0.5, "v1": 1.0, "v2": -1.0}
    sliders = {name: live.slider(-3.0, 3.0, 0.1, value=value) for name, value in start.items()}
    return live.figure(
        None,
        **sliders,
        t=live.stepper(live.dag_states(attend, **start)),
        view=[live.dag(of=attend, step="t")],
        **text,
    )

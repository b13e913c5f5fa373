"""Recurrent networks: a word read by letters, a changed letter, gradients in time, writing."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnlib
from course.networks import words
from nnlib import live

STEPS, SIZE, LINES = 40, 16, 6
BATCHES = 60  # of random numbers for writing; then they begin again


def parts(reader: Any) -> tuple[Any, ...]:
    """w_xh, w_hh, one bias, and NN3's weights and bias, of a Reader with a plain cell."""
    cell, head = reader.cell, reader.head
    bias = (cell.bias_ih_l0 + cell.bias_hh_l0).detach()
    return (*(w.detach() for w in (cell.weight_ih_l0, cell.weight_hh_l0)), bias,
            head.weight.detach(), head.bias.detach())  # fmt: skip


def states(reader: Any, letters: Any, scale: Any, bend: str = "tanh", w_hh: Any = None) -> Any:
    """hₜ for all 12 places (12, h): NN2 over and over, w_hh (or another table) times `scale`."""
    w_xh, own, bias, _, _ = parts(reader)
    w_hh = own if w_hh is None else w_hh
    h, found = nnlib.zeros(w_hh.shape[0]), []
    heard, carried = letters @ w_xh.T + bias, scale * w_hh.T
    for t in range(words.LENGTH):
        h = heard[t] + h @ carried
        h = h.tanh() if bend == "tanh" else h
        found.append(h)
    return nnlib.stack(found)


def reading(reader: Any, word: str, **text: Any) -> live.Figure:
    """A typed word through NN2's copies, with NN3's answer after each letter."""
    _, own, _, w_hy, b_y = parts(reader)

    def read(word: Any, word_length: Any, scale: Any, at: Any, w_hh: Any) -> dict[str, Any]:
        letters = words.one_hot(word)
        h = states(reader, letters, scale, w_hh=w_hh)
        p = (h @ w_hy.T + b_y).softmax(-1)
        here = nnlib.minimum(at, (word_length - 1).clamp(min=0))
        return {"columns": letters.T, "h": h, "p": p, "here": here + 1, "p_here": p[here]}

    return live.figure(
        read,
        word=live.text(word, max_length=words.LENGTH, label="word"),
        unrolled=live.checkbox(False, static=False, label="unroll"),
        scale=live.slider(0.0, 2.0, 0.05, value=1.0, label="w_hh ×"),
        w_hh=live.paint(own.shape, own.numpy(), range=(-1.1, 1.1), brush=0, colors="diverging",
                        label="w_hh, one table in every copy"),
        at=live.values(words.LENGTH - 1),
        view=[
            live.sequence("word", states="h", outputs="p", unrolled="unrolled", select="at",
                          output_labels=["nl", "en", "pl", "es"]),
            [live.control("w_hh"),
             live.images("columns", pixel=12, colors="gray", column_labels="word",
                         row_labels=list(words.LETTERS), title="one-hot columns")],
            live.axes(live.bars("p_here", labels=["Dutch", "English", "Polish", "Spanish"],
                                format=".2f"), width=420, height=170, ylim=(0, 1.15),
                      ylabel="NN3’s answer"),
            live.readout("after letter {here:d} of {word}: Dutch {p_here[0]:.2f}, "
                         "English {p_here[1]:.2f}, Polish {p_here[2]:.2f}, "
                         "Spanish {p_here[3]:.2f}"),
        ],
        **text,
    )  # fmt: skip


def ripple(reader: Any, word: str, letter: str, at: int, **text: Any) -> live.Figure:
    """One letter is another: how far apart the states are from there on."""
    places = np.arange(words.LENGTH)
    _, _, _, w_hy, b_y = parts(reader)

    def compare(word: Any, word_length: Any, letter: Any, scale: Any, at: Any, bend: str) -> dict:
        other = nnlib.where(nnlib.tensor(places) == at, letter, word)
        a = states(reader, words.one_hot(word), scale, bend)
        b = states(reader, words.one_hot(other), scale, bend)
        gap = ((a - b) ** 2).sum(-1).sqrt()
        last = gap[(word_length - 1).clamp(min=0)]
        here = gap[at]
        p = (a @ w_hy.T + b_y).softmax(-1)
        inside = (nnlib.tensor(places) < word_length) & (nnlib.tensor(places) >= at)
        return {"h": a, "p": p, "gap": gap, "last": last, "here": here,
                "kept": last / here.clamp(min=1e-9),
                "drawn": nnlib.where(inside, gap.clamp(min=1e-4), float("nan")),
                "new": 97 + letter[0], "at1": at + 1}  # fmt: skip

    return live.figure(
        compare,
        word=live.text(word, max_length=words.LENGTH, label="word"),
        letter=live.text(letter, max_length=1, label="new letter"),
        scale=live.slider(0.0, 2.5, 0.05, value=1.0, label="w_hh ×"),
        bend=live.dropdown(["tanh", "none"], buttons=True, label="bend"),
        at=live.values(at),
        view=[
            live.sequence("word", states="h", outputs="p", deltas="gap", select="at",
                          output_labels=["nl", "en", "pl", "es"]),
            live.axes(
                live.curve(np.arange(1, words.LENGTH + 1), "drawn", color="series1"),
                live.points(x=np.arange(1, words.LENGTH + 1), y="drawn", size=5, color="series1"),
                live.line(x=lambda at: at + 1.0, color="muted", dash=True),
                xlim=(0.5, 12.5), ylim=(1e-4, 1e4), yscale="log", xlabel="letter t",
                ylabel="‖Δhₜ‖", height=220,
            ),
            live.readout("letter {at1:d} becomes “{new:c}”: ‖Δh‖ is {here:.2f} there, "
                         "{last:.3g} at the end (× {kept:.3g})"),
        ],
        **text,
    )  # fmt: skip


def turned(seed: int = 0, size: int = SIZE) -> np.ndarray:
    """A random orthogonal matrix: it turns vectors and keeps their lengths; spectral radius 1."""
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(size, size)))
    return (q * np.sign(np.diag(r))).astype(np.float32)


def in_time(q: np.ndarray, **text: Any) -> live.Figure:
    """‖dLoss/dhₜ‖ over 40 steps: linear, tanh, and with a gate that keeps a share z of h."""
    turn = nnlib.tensor(q)
    rng = np.random.default_rng(1)
    heard = nnlib.tensor(0.3 * rng.normal(size=(STEPS, SIZE)).astype(np.float32))
    t = np.arange(1, STEPS + 1)

    def norms(rho: Any, z: Any) -> dict[str, Any]:
        made = {}
        for name in ("linear", "tanh", "gated"):
            h, found = nnlib.zeros(SIZE), []
            for step in range(STEPS):
                new = rho * (turn @ h) + heard[step]
                new = new if name == "linear" else new.tanh()
                h = z * h + (1.0 - z) * new if name == "gated" else new
                h = h.detach().requires_grad_() if step == 0 else h
                found.append(h)
            goal = h.sum() / SIZE**0.5
            slopes = nnlib.stack(nnlib.autograd.grad(goal, found))
            size = (slopes**2).sum(-1).sqrt()
            made[name] = size.clamp(min=1e-12)
        first = {f"{name}_first": size[0] for name, size in made.items()}
        return made | first | {"promised": rho ** (STEPS - 1.0)}

    return live.figure(
        norms,
        rho=live.slider(0.5, 1.5, 0.01, value=0.8, label="spectral radius ρ of w_hh"),
        z=live.slider(0.0, 1.0, 0.01, value=0.95, label="gate z"),
        view=[
            live.axes(
                live.curve(t, "linear", color="muted", dash=True, label="no bend"),
                live.curve(t, "tanh", color="gradient", label="tanh"),
                live.curve(t, "gated", color="series2", width=3.0, label="gated"),
                xlim=(1, STEPS), ylim=(1e-12, 1e8), yscale="log", xlabel="step t",
                ylabel="‖dLoss/dhₜ‖", height=300,
            ),
            live.readout("at step 1: no bend {linear_first:.2g} (ρ³⁹ = {promised:.2g}), "
                         "tanh {tanh_first:.2g}, gated {gated_first:.2g}"),
        ],
        **text,
    )  # fmt: skip


def writing(writer: Any, **text: Any) -> live.Figure:
    """New words letter by letter, from a typed beginning, with a temperature."""
    uniform = np.random.default_rng(5).uniform(size=(BATCHES, words.LENGTH, LINES))
    draws = nnlib.tensor(uniform.astype(np.float32))
    tongues = nnlib.eye(len(words.LANGUAGES))

    def write(start: Any, start_length: Any, language: Any, temperature: Any, batch: Any) -> dict:
        noise, tongue = draws[batch], tongues[language].unsqueeze(0).expand(LINES, -1)
        last, h = nnlib.full((LINES,), words.BLANK), nnlib.zeros(1, LINES, writer.cell.hidden_size)
        ended, letters, first = nnlib.zeros(LINES), [], nnlib.zeros(words.BLANK + 1)
        for t in range(words.LENGTH):
            seen = (last.unsqueeze(-1) == nnlib.arange(words.BLANK + 1)).float()
            out, h = writer.cell(nnlib.cat([seen, tongue], 1).unsqueeze(1), h)
            p = (writer.head(out[:, 0]) / temperature).softmax(-1)
            first = nnlib.where(start_length == t, p[0], first)
            drawn = (p.cumsum(1) < noise[t].unsqueeze(1)).sum(1).clamp(max=words.BLANK)
            given = start[t] if t < start.shape[0] else words.BLANK
            last = nnlib.where(start_length > t, given, drawn)
            ended = nnlib.maximum(ended, (last == words.BLANK).float())
            letters.append(nnlib.where(ended > 0.5, 32, 97 + last))
        return {"w": nnlib.stack(letters, 1), "next": first, "again": (batch + 1) % BATCHES}

    lines = ["".join(f"{{w[{i},{t}]:c}}" for t in range(words.LENGTH)) for i in range(LINES)]
    return live.figure(
        write,
        start=live.text("", max_length=8, label="beginning"),
        language=live.dropdown({"Dutch": 0, "English": 1, "Polish": 2, "Spanish": 3},
                               value="English", buttons=True, label="language"),
        temperature=live.slider(0.1, 2.0, 0.05, value=0.7, label="temperature T"),
        batch=live.values(0),
        view=[
            live.button("six new words", {"batch": "again"}),
            [live.column(*(live.readout(line, size="large") for line in lines[:3])),
             live.column(*(live.readout(line, size="large") for line in lines[3:]))],
            live.axes(live.bars("next", labels=[*words.LETTERS, "•"]), height=190, width=560,
                      ylim=(0, 1), xlabel="next letter after the beginning (• ends the word)",
                      ylabel="probability"),
        ],
        **text,
    )  # fmt: skip

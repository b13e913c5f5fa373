"""Attention: recall over T steps, two tokens in the plane, √d, a look-up and its maps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from course.attention import recall as stored_recall
from course.attention import variants as stored_variants
from course.attention.tasks import LENGTH, SYMBOLS, lookups
from course.attention.written import Task
from course.networks.fixed_length import FixedLengthTransformer
from course.networks.rounding import rounded
from nnlib import live

COLORS = dict(zip(stored_recall.KINDS, ("series1", "series3", "series2", "series0"), strict=True))
KEYS = 8  # of the figure on the scale of scores


def recalled(question: Any, **texts: Any) -> live.Figure:
    """Accuracy against length for four networks, a dot for each seed, with two kinds of start."""
    lengths = stored_recall.LENGTHS
    shift = dict(zip(stored_recall.KINDS, (0.90, 0.97, 1.04, 1.11), strict=True))

    def accuracies(kind: str, careful: bool) -> np.ndarray:
        return np.array([stored_recall.best(kind, T, careful) for T in lengths], np.float32)

    def chosen(careful: Any) -> dict[str, Any]:
        outputs: dict[str, Any] = {}
        for kind in stored_recall.KINDS:
            usual = nnlib.tensor(accuracies(kind, False))
            better = nnlib.tensor(accuracies(kind, True))
            dots = nnlib.where(careful, better, usual)
            outputs |= {f"{kind}_dots": dots.reshape(-1), f"{kind}_mean": dots.mean(1)}
        return outputs

    marks = []
    for kind in stored_recall.KINDS:
        positions = np.array(lengths, np.float32) * shift[kind]
        marks += [
            live.curve(positions, f"{kind}_mean", color=COLORS[kind], label=kind),
            live.points(x=np.repeat(positions, 5), y=f"{kind}_dots", color=COLORS[kind], size=3),
        ]
    chart = live.axes(
        *marks, live.line(y=1 / 8, color="muted", dash=True), xscale="log", xlim=(4, 110),
        ylim=(0, 1.05), xlabel="T, symbols in the sequence", ylabel="accuracy on new sequences",
        width=560, height=300,
    )  # fmt: skip
    means = ", ".join(f"{kind} {{{kind}_mean[2]:.2f}}" for kind in stored_recall.KINDS)
    means_line = live.readout(f"means of five seeds at T = 20: {means}")
    shown = [live.control("careful"), chart, means_line]
    question.fields["reveal"] = [live.column(*shown)]
    return live.figure(
        chosen,
        careful=live.checkbox(False, static=False, label="start the recurrent cells carefully"),
        view=[question],
        **texts,
    )


def two_tokens(question: Any, q: Sequence[float], K: Any, V: Any, **texts: Any) -> live.Figure:
    """One query, two keys, two values in the plane; all can be dragged."""

    def outputs(q: Any, K: Any, V: Any) -> dict[str, Any]:
        scores = K @ q
        weights = scores.softmax(-1)
        return {"scores": scores, "weights": weights, "out": weights @ V,
                "norm": (q**2).sum().sqrt()}  # fmt: skip

    def arrow(name: str, x: Any, y: Any, color: str) -> list[Any]:
        zero = [0.0]
        return [live.arrows(zero, zero, x, y, color=color),
                live.label(name, x, y, color=color, dx=12, dy=-12)]  # fmt: skip

    left = live.axes(
        *arrow("q", lambda q: q[0:1], lambda q: q[1:2], "accent"),
        *arrow("k₁", lambda K: K[0:1, 0], lambda K: K[0:1, 1], "series1"),
        *arrow("k₂", lambda K: K[1:2, 0], lambda K: K[1:2, 1], "series2"),
        live.points("K", drag=True, color="muted"),
        live.handle("q[0]", "q[1]", drag="q", label="query"),
        title="query and keys", xlim=(-3, 3), ylim=(-3, 3), equal=True, width=270, height=270,
    )  # fmt: skip
    right = live.axes(
        live.curve("V[:,0]", "V[:,1]", color="muted", dash=True),
        live.points("V", drag=True, color="muted"),
        live.label("v₁", "V[0,0]", "V[0,1]", color="series1", dx=12, dy=-12),
        live.label("v₂", "V[1,0]", "V[1,1]", color="series2", dx=12, dy=-12),
        live.points(x=lambda out: out[0:1], y=lambda out: out[1:2], color="accent", size=7),
        title="values and output", xlim=(-1, 4), ylim=(-1.5, 3.5), equal=True, width=270,
        height=270,
    )  # fmt: skip
    return live.figure(
        outputs,
        q=live.values(np.array(q, np.float32), min=-3, max=3),
        K=live.values(np.array(K, np.float32), min=-3, max=3),
        V=live.values(np.array(V, np.float32), min=-1, max=4),
        view=[
            question,
            [left, right],
            live.readout("scores {scores[0]:.2f} and {scores[1]:.2f}, weights {weights[0]:.2f} and "
                         "{weights[1]:.2f}: the output is ({out[0]:.2f}, {out[1]:.2f})"),
            live.row(live.button("double the query", {"q": lambda q: 2.0 * q}),
                     live.button("halve it", {"q": lambda q: 0.5 * q})),
        ],
        **texts,
    )  # fmt: skip


def scaled(question: Any, **texts: Any) -> live.Figure:
    """Eight random keys against a random query of d numbers: the softmax, with and without √d."""
    rng = np.random.default_rng(3)
    samples = 8
    q = rounded(nnlib.tensor(rng.normal(size=(samples, 256)).astype(np.float32)))
    k = rounded(nnlib.tensor(rng.normal(size=(samples, KEYS, 256)).astype(np.float32)))
    column = nnlib.arange(256)

    def outputs(d: Any, sample: Any) -> dict[str, Any]:
        used = (column < d).float()
        scores = (k[sample] * (q[sample] * used)).sum(-1)
        scaled_scores = scores / d.float() ** 0.5
        undivided, divided = scores.softmax(-1), scaled_scores.softmax(-1)
        return {"scores": scores, "scaled_scores": scaled_scores, "undivided": undivided,
                "divided": divided, "largest": undivided.amax(), "largest_divided": divided.amax(),
                "rms": (scores**2).mean() ** 0.5}  # fmt: skip

    names = [str(j + 1) for j in range(KEYS)]
    size: dict[str, Any] = {"width": 270, "height": 190}
    shown = [
        [live.axes(live.bars("undivided", labels=names, color="series1"), ylim=(0, 1.05),
                   title="softmax of q · k", xlabel="key", ylabel="weight", **size),
         live.axes(live.bars("divided", labels=names, color="series0"), ylim=(0, 1.05),
                   title="softmax of q · k / √d", xlabel="key", ylabel="weight", **size)],
        live.readout("d = {d:d}: a typical score is {rms:.1f}; the largest weight is "
                     "{largest:.3f} without the division, {largest_divided:.3f} with it"),
    ]  # fmt: skip
    question.fields["reveal"] = [live.column(live.control("d", "sample"), *shown)]
    return live.figure(
        outputs,
        d=live.dropdown([4, 16, 64, 256], value=64, buttons=True, label="d"),
        sample=live.slider(0, samples - 1, value=2, label="another query and other keys"),
        view=[question],
        **texts,
    )


# --- the trained look-up --------------------------------------------------------------------------


def answered(logits: Any) -> dict[str, Any]:
    p = logits.softmax(-1)
    return {"p": p[len(SYMBOLS) // 2 :], "best": 48 + p[len(SYMBOLS) // 2 :].argmax(),
            "probability": p[len(SYMBOLS) // 2 :].amax()}  # fmt: skip


def map_views(text: str) -> Any:
    style: dict[str, Any] = {"pixel": 24, "colors": "magnitude", "range": (0, 1),
                             "row_labels": text, "column_labels": text}  # fmt: skip
    return [live.images("A1", title="layer 1: who (row) looks at whom", **style),
            live.images("A2", title="layer 2", **style)]  # fmt: skip


def answer_bars() -> Any:
    names = list(SYMBOLS[len(SYMBOLS) // 2 :])
    return live.axes(live.bars("p", labels=names, format=".2f"), width=420, height=170,
                     ylim=(0, 1.2), xlabel="answer", ylabel="probability")  # fmt: skip


def looking(model: Any, text: str, question: Any = None, **texts: Any) -> live.Figure:
    """A typed look-up through the trained network: both maps, a switch for each layer."""
    symbols, positions = rounded(model.symbols), rounded(model.positions)
    looks = [[rounded(w) for w in (look.query.weight, look.key.weight, look.value.weight,
                                   look.out.weight)] for look in model.looks]  # fmt: skip
    norms = [[rounded(n.weight), rounded(n.bias)] for n in (*model.norms, model.last)]
    head, size = rounded(model.head.weight), symbols.shape[1]
    ahead = nnlib.ones(LENGTH, LENGTH).triu(1)

    def read(text: Any, text_length: Any, on: Any) -> dict[str, Any]:
        h = symbols[text.clamp(max=len(SYMBOLS) - 1)] + positions
        maps = []
        for k, (query, key, value, out) in enumerate(looks):
            x = F.layer_norm(h, (size,), *norms[k])
            scores = (x @ query.T) @ (x @ key.T).T / size**0.5
            A = (scores - 1e9 * ahead).softmax(-1)
            maps.append(A)
            h = h + on[k] * ((A @ (x @ value.T)) @ out.T)
        last = (text_length - 1).clamp(min=0)
        logits = F.layer_norm(h[last], (size,), *norms[2]) @ head.T
        inside = (nnlib.arange(LENGTH) < text_length).float().reshape(-1, 1)
        row = maps[1][last] * on[1]
        return {"A1": maps[0] * inside * on[0], "A2": maps[1] * inside * on[1],
                "position": row.argmax() + 1, "weight": row.amax()} | answered(logits)  # fmt: skip

    shown = [
        live.control("text"),
        live.toggles(["layer 1 is on", "layer 2 is on"], toggle="on"),
        live.row(*map_views("text")),
        answer_bars(),
        live.readout("It answers {best:c} with probability {probability:.2f}. In layer 2 the "
                     "question looks most at position {position:d}, with weight {weight:.2f}."),
    ]  # fmt: skip
    if question is not None:
        question.fields["reveal"] = [live.column(*shown)]
    return live.figure(
        read,
        text=live.text(text, alphabet=SYMBOLS, max_length=LENGTH,
                       label="pairs, then a letter to look up"),
        on=live.values(np.ones(2, np.float32)),
        view=shown if question is None else [question],
        **texts,
    )  # fmt: skip


# --- trained in the page --------------------------------------------------------------------------

SIZE = 32
PARTS: dict[str, tuple[tuple[int, ...], float]] = {  # shape, standard deviation at the start
    "symbols": ((len(SYMBOLS), SIZE), 0.1), "positions": ((LENGTH, SIZE), 0.1),
    "matrices": ((2, 4, SIZE, SIZE), 1 / math.sqrt(3 * SIZE)),  # layer; query, key, value, out
    "norms": ((3, 2, SIZE), 0.0),  # scale less 1, and shift
    "head": ((len(SYMBOLS), SIZE), 1 / math.sqrt(3 * SIZE)),
}  # fmt: skip


def run_parts(p: dict[str, Any], x: Any, layers: int) -> tuple[Any, list[Any]]:
    """Logits of the last position, (B, 16), and the maps, for x (B, T)."""
    ahead, maps = nnlib.ones(LENGTH, LENGTH).triu(1), []

    def norm(h: Any, k: int) -> Any:
        return F.layer_norm(h, (SIZE,), 1.0 + p["norms"][k, 0], p["norms"][k, 1])

    h = p["symbols"][x] + p["positions"]
    for k in range(layers):
        query, key, value, out = (p["matrices"][k, i] for i in range(4))
        normed, is_last = norm(h, k), k == layers - 1
        query_inputs, h = (normed[:, -1:], h[:, -1:]) if is_last else (normed, h)
        scores = (query_inputs @ query.T) @ (normed @ key.T).transpose(1, 2) / SIZE**0.5
        A = (scores - 1e9 * (ahead[-1:] if is_last else ahead)).softmax(-1)
        maps.append(A)
        h = h + (A @ (normed @ value.T)) @ out.T
    return norm(h[:, -1], 2) @ p["head"].T, maps


def training(text: str, examples: int = 3072, batch: int = 48, **texts: Any) -> live.Figure:
    """The look-up trained in the page by Adam; one layer or two."""
    x, y = (a.astype(np.float32) for a in lookups(examples, seed=0))  # small in the page as float16
    new, right_answers = (nnlib.tensor(a) for a in lookups(200, seed=10**6))
    sizes = {name: math.prod(shape) for name, (shape, _) in PARTS.items()}
    total = sum(sizes.values())

    def step(m: Any, v: Any, t: Any, x: Any, y: Any, layers: int, lr: Any, **parts: Any) -> Any:
        p = {name: parts[name].detach().requires_grad_() for name in PARTS}
        loss = F.cross_entropy(run_parts(p, x.long(), layers)[0], y.long())
        gradients = nnlib.autograd.grad(loss, list(p.values()), allow_unused=True)
        g = nnlib.cat([gradient.reshape(-1) for gradient in gradients])
        g = g / (g**2).sum().sqrt().clamp(min=1.0)
        t = t + 1.0
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        change = (m / (1.0 - 0.9**t)) / ((v / (1.0 - 0.999**t)).sqrt() + 1e-8)
        change, start, updated = lr * (t / 20.0).clamp(max=1.0) * change, 0, {}
        for name, (shape, _) in PARTS.items():
            updated[name] = parts[name] - change[start : start + sizes[name]].reshape(shape)
            start += sizes[name]
        return updated | {"m": m, "v": v, "t": t, "loss": loss.detach()}

    def in_page(symbols: Any, positions: Any, matrices: Any, norms: Any, head: Any, m: Any,
                v: Any, t: Any, x: Any, y: Any, layers: int, lr: Any) -> Any:  # fmt: skip
        return step(m, v, t, x, y, layers, lr, symbols=symbols, positions=positions,
                    matrices=matrices, norms=norms, head=head)  # fmt: skip

    def read(symbols: Any, positions: Any, matrices: Any, norms: Any, head: Any, text: Any,
             layers: int) -> dict[str, Any]:  # fmt: skip
        p = {"symbols": symbols, "positions": positions, "matrices": matrices, "norms": norms,
             "head": head}  # fmt: skip
        typed = text.clamp(max=len(SYMBOLS) - 1).reshape(1, -1)
        logits, maps = run_parts(p, typed, layers)
        guessed = run_parts(p, new, layers)[0].argmax(-1)
        return {"row": maps[-1][0, 0],
                "right": (guessed == right_answers).float().mean(),
                } | answered(logits[0])  # fmt: skip

    state: dict[str, Any] = {name: live.normal(shape, std) for name, (shape, std) in PARTS.items()}
    state |= {"m": live.normal(total, 0.0), "v": live.normal(total, 0.0), "t": np.zeros(())}
    labels = [str(t + 1) for t in range(LENGTH)]
    return live.figure(
        read,
        text=live.text(text, alphabet=SYMBOLS, max_length=LENGTH, label="a question"),
        layers=live.dropdown([2, 1], static=True, buttons=True, label="layers"),
        lr=live.slider(0.001, 0.01, value=0.004, log=True, label="step size"),
        training=live.training(in_page, state=state, data={"x": x, "y": y}, batch=batch, seed=0,
                               seeds=100, speed="frame", max_steps=2000),
        view=[
            [live.loss_curve(),
             live.axes(live.bars("row", labels=labels), width=300, height=200, ylim=(0, 1.05),
                       xlabel="position looked at", ylabel="weight",
                       title="where the question looks")],
            answer_bars(),
            live.readout("step {step:d}: right on {right:.2f} of 200 new questions; "
                         "here it answers {best:c}"),
        ],
        **texts,
    )  # fmt: skip


def learned(names: Sequence[str], **texts: Any) -> live.Figure:
    """The loss of stored runs against the step, five seeds for each variant."""
    panels = []
    for name, color in zip(names, ("series0", "series1", "series2", "series3"), strict=False):
        runs = np.array(stored_variants.results()[name]["loss"], np.float32)
        steps = 10 * np.arange(runs.shape[1]) + 5
        panels.append(live.axes(
            live.curve(steps, runs, color=color), live.line(y=0.0, color="muted"), title=name,
            xlabel="step", ylabel="loss", ylim=(0, 3), width=300, height=210))  # fmt: skip
    rows = [panels[i : i + 2] for i in range(0, len(panels), 2)]
    return live.figure(view=[live.row(*row) for row in rows], **texts)


# --- answers written symbol by symbol -------------------------------------------------------------


def answering(task: Task, model: Any, text: str, **texts: Any) -> live.Figure:
    """A typed question and its answer: every head's map, switches, and what the network writes."""
    net, symbols = FixedLengthTransformer(model), nnlib.tensor(np.array([*map(ord, task.symbols)]))
    position, equals = nnlib.arange(net.length), task.symbols.index("=")
    count, answer_length = len(net.blocks) * net.heads, task.answer

    def read(text: Any, text_length: Any, on: Any) -> dict[str, Any]:
        codes = text.clamp(max=len(task.symbols) - 1)
        h, maps = net.vectors(codes, text_length, on)
        best = symbols[net.logits(h).argmax(-1)]
        start = ((codes == equals) & (position < text_length)).long().argmax()
        answer_positions = start + nnlib.arange(answer_length)
        is_answer = (answer_positions < text_length) & (codes[start] == equals)
        written = nnlib.where(is_answer, best[answer_positions.clamp(max=net.length - 1)], 32)
        inside = (position < text_length).float().reshape(1, -1, 1)
        return {"maps": maps * inside, "written": written}

    labels = [f"block {b + 1}, head {h + 1}" for b in range(len(net.blocks))
              for h in range(net.heads)]  # fmt: skip
    line = " ".join(f"{{written[{k}]:c}}" for k in range(answer_length))
    return live.figure(
        read,
        text=live.text(text, alphabet=task.symbols, max_length=net.length,
                       label="a question and the beginning of its answer"),
        on=live.values(np.ones(count, np.float32)),
        view=[
            live.control("text"),
            live.readout(f"From the = on it expects: {line}", size="large"),
            live.toggles(labels, toggle="on"),
            live.images("maps", columns=2, pixel=26 if net.length < 10 else 14, labels=labels,
                        colors="magnitude", range=(0, 1), row_labels="text",
                        column_labels="text"),
        ],
        **texts,
    )  # fmt: skip

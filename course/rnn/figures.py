"""Recurrent networks: words read letter by letter, gradients in time, gates, recall, writing."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnlib
from course.networks import words
from nnlib import live

STEPS, SIZE, LINES = 40, 16, 6
BATCHES = 60  # batches of random numbers for writing; after the last the first is used again


def parameters_of(reader: Any) -> tuple[Any, ...]:
    """w_xh, w_hh, one bias, and NN3's weights and bias, of a Reader whose cell is an nn.RNN."""
    cell, head = reader.cell, reader.head
    bias = (cell.bias_ih_l0 + cell.bias_hh_l0).detach()
    return (*(w.detach() for w in (cell.weight_ih_l0, cell.weight_hh_l0)), bias,
            head.weight.detach(), head.bias.detach())  # fmt: skip


def states(reader: Any, letters: Any, scale: Any, g: str = "tanh", w_hh: Any = None) -> Any:
    """hₜ for all 12 letters (12, h): copies of NN2, with w_hh (or another matrix) times `scale`."""
    w_xh, own, bias, _, _ = parameters_of(reader)
    w_hh = own if w_hh is None else w_hh
    h, outputs = nnlib.zeros(w_hh.shape[0]), []
    from_letters, scaled = letters @ w_xh.T + bias, scale * w_hh.T
    for t in range(words.LENGTH):
        h = from_letters[t] + h @ scaled
        h = h.tanh() if g == "tanh" else h
        outputs.append(h)
    return nnlib.stack(outputs)


def two_letters(**text: Any) -> live.Figure:
    """The network of the hand calculation: letters a and b, a state of one number."""
    t = np.arange(1, 7)

    def read(word: Any, word_length: Any, w_a: Any, w_b: Any, w_h: Any, bias: Any) -> dict:
        h, so_far = 0.0 * w_a, []
        for k in range(6):
            from_letter = nnlib.where(word[k] == 0, w_a, w_b)
            h = (from_letter + w_h * h + bias).tanh()
            so_far.append(nnlib.where(word_length > k, h, float("nan")))
        states = nnlib.stack(so_far)
        last = states[(word_length - 1).clamp(min=0)]
        return {"h": states, "last": last, "p": (3.0 * last - 1.5).sigmoid()}

    return live.figure(
        read,
        word=live.text("ab", alphabet="ab", max_length=6, label="word of a and b"),
        w_a=live.slider(-2.0, 2.0, 0.1, value=1.0, label="w for a"),
        w_b=live.slider(-2.0, 2.0, 0.1, value=-0.5, label="w for b"),
        w_h=live.slider(-2.0, 2.0, 0.1, value=0.8, label="w_h for the old state"),
        bias=live.slider(-1.0, 1.0, 0.1, value=0.1, label="bias"),
        view=[
            live.axes(live.line(y=0, color="muted"), live.curve(t, "h", color="series1"),
                      live.points(x=t, y="h", size=7, color="series1"),
                      xlim=(0.5, 6.5), ylim=(-1.05, 1.05), xlabel="letter t", ylabel="state h",
                      height=200),
            live.readout("after {word}: h = {last:.4f}, answer σ(3h − 1.5) = {p:.4f}"),
        ],
        **text,
    )  # fmt: skip


def reading(reader: Any, word: str, **text: Any) -> live.Figure:
    """A typed word through NN2's copies, with the answer so far and NN3's after each letter."""
    _, own, _, w_hy, b_y = parameters_of(reader)
    w_so_far, b_so_far = reader.so_far.weight.detach(), reader.so_far.bias.detach()

    def read(word: Any, word_length: Any, scale: Any, at: Any, w_hh: Any) -> dict[str, Any]:
        letters = words.one_hot(word)
        h = states(reader, letters, scale, w_hh=w_hh)
        so_far, p = (h @ w_so_far.T + b_so_far).softmax(-1), (h @ w_hy.T + b_y).softmax(-1)
        position = nnlib.minimum(at, (word_length - 1).clamp(min=0))
        return {"columns": letters.T, "h": h, "so_far": so_far, "p": p, "here": position + 1,
                "so_far_here": so_far[position], "p_here": p[position]}  # fmt: skip

    languages = ["Dutch", "English", "Polish", "Spanish"]
    bars: dict[str, Any] = {"width": 330, "height": 170, "ylim": (0, 1.15)}
    return live.figure(
        read,
        word=live.text(word, max_length=words.LENGTH, label="word"),
        unrolled=live.checkbox(False, static=False, label="unroll"),
        scale=live.slider(0.0, 2.0, 0.05, value=1.0, label="w_hh ×"),
        w_hh=live.paint(own.shape, own.numpy(), range=(-1.1, 1.1), brush=0, colors="diverging",
                        label="w_hh, one matrix in every copy"),
        at=live.values(words.LENGTH - 1),
        view=[
            live.sequence("word", states="h", outputs="so_far", unrolled="unrolled", select="at",
                          head="so far", output_labels=["nl", "en", "pl", "es"]),
            [live.axes(live.bars("so_far_here", labels=languages, format=".2f", color="muted"),
                       title="so far", **bars),
             live.axes(live.bars("p_here", labels=languages, format=".2f"),
                       title="NN3: if the word ends here", **bars)],
            live.readout("after letter {here:d} of {word}, so far: English {so_far_here[1]:.2f}. "
                         "If the word ends here: Dutch {p_here[0]:.2f}, English {p_here[1]:.2f}, "
                         "Polish {p_here[2]:.2f}, Spanish {p_here[3]:.2f}"),
            [live.control("w_hh"),
             live.images("columns", pixel=12, colors="gray", column_labels="word",
                         row_labels=list(words.LETTERS), title="one-hot columns")],
        ],
        **text,
    )  # fmt: skip


def ripple(reader: Any, word: str, letter: str, at: int, **text: Any) -> live.Figure:
    """One letter is replaced: how far apart the states are from there on."""
    positions = np.arange(words.LENGTH)
    w_so_far, b_so_far = reader.so_far.weight.detach(), reader.so_far.bias.detach()

    def compare(word: Any, word_length: Any, letter: Any, scale: Any, at: Any, g: str) -> dict:
        other = nnlib.where(nnlib.tensor(positions) == at, letter, word)
        a = states(reader, words.one_hot(word), scale, g)
        b = states(reader, words.one_hot(other), scale, g)
        gap = ((a - b) ** 2).sum(-1).sqrt()
        last = gap[(word_length - 1).clamp(min=0)]
        gap_at_letter = gap[at]
        p = (a @ w_so_far.T + b_so_far).softmax(-1)
        inside = (nnlib.tensor(positions) < word_length) & (nnlib.tensor(positions) >= at)
        return {"h": a, "p": p, "gap": gap, "last": last, "here": gap_at_letter,
                "ratio": last / gap_at_letter.clamp(min=1e-9),
                "drawn": nnlib.where(inside, gap.clamp(min=1e-4), float("nan")),
                "new": 97 + letter[0], "at1": at + 1}  # fmt: skip

    return live.figure(
        compare,
        word=live.text(word, max_length=words.LENGTH, label="word"),
        letter=live.text(letter, max_length=1, label="new letter"),
        scale=live.slider(0.0, 2.5, 0.05, value=1.0, label="w_hh ×"),
        g=live.dropdown(["tanh", "none"], buttons=True, label="activation function"),
        at=live.values(at),
        view=[
            live.sequence("word", states="h", outputs="p", changes="gap", select="at",
                          head="so far", output_labels=["nl", "en", "pl", "es"]),
            live.axes(
                live.curve(np.arange(1, words.LENGTH + 1), "drawn", color="series1"),
                live.points(x=np.arange(1, words.LENGTH + 1), y="drawn", size=5, color="series1"),
                live.line(x=lambda at: at + 1.0, color="muted", dash=True),
                xlim=(0.5, 12.5), ylim=(1e-4, 1e4), yscale="log", xlabel="letter t",
                ylabel="‖Δhₜ‖", height=220,
            ),
            live.readout("letter {at1:d} becomes “{new:c}”: ‖Δh‖ is {here:.2f} there, "
                         "{last:.3g} at the end (× {ratio:.3g})"),
        ],
        **text,
    )  # fmt: skip


def random_orthogonal(seed: int = 0, size: int = SIZE) -> np.ndarray:
    """A random orthogonal matrix: it keeps the lengths of vectors; all singular values are 1."""
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(size, size)))
    return (q * np.sign(np.diag(r))).astype(np.float32)


def in_time(q: np.ndarray, **text: Any) -> live.Figure:
    """‖dLoss/dhₜ‖ over 40 steps: linear, tanh, and with a gate that keeps a share z of h."""
    orthogonal = nnlib.tensor(q)
    rng = np.random.default_rng(1)
    from_inputs = nnlib.tensor(0.3 * rng.normal(size=(STEPS, SIZE)).astype(np.float32))
    t = np.arange(1, STEPS + 1)

    def norms(s: Any, z: Any) -> dict[str, Any]:
        sizes = {}
        for name in ("linear", "tanh", "gated"):
            h, hidden = nnlib.zeros(SIZE), []
            for step in range(STEPS):
                proposal = s * (orthogonal @ h) + from_inputs[step]
                proposal = proposal if name == "linear" else proposal.tanh()
                h = z * h + (1.0 - z) * proposal if name == "gated" else proposal
                h = h.detach().requires_grad_() if step == 0 else h
                hidden.append(h)
            loss = h.sum() / SIZE**0.5
            gradients = nnlib.stack(nnlib.autograd.grad(loss, hidden))
            size = (gradients**2).sum(-1).sqrt()
            sizes[name] = size.clamp(min=1e-12)
        first = {f"{name}_first": size[0] for name, size in sizes.items()}
        return sizes | first | {"power": s ** (STEPS - 1.0)}

    return live.figure(
        norms,
        s=live.slider(0.5, 1.5, 0.01, value=0.8, label="s: every singular value of w_hh"),
        z=live.slider(0.0, 1.0, 0.01, value=0.95, label="gate z"),
        view=[
            live.axes(
                live.curve(t, "linear", color="muted", dash=True, label="no tanh"),
                live.curve(t, "tanh", color="gradient", label="tanh"),
                live.curve(t, "gated", color="series2", width=3.0, label="gated"),
                xlim=(1, STEPS), ylim=(1e-12, 1e8), yscale="log", xlabel="step t",
                ylabel="‖dLoss/dhₜ‖", height=300,
            ),
            live.readout("at step 1: no tanh {linear_first:.2g} (s³⁹ = {power:.2g}), "
                         "tanh {tanh_first:.2g}, gated {gated_first:.2g}"),
        ],
        **text,
    )  # fmt: skip


GROWS = np.array([[2.5, -2.0], [2.0, -1.5]], np.float32)  # both eigenvalues are one half


def two_promises(question: Any, **text: Any) -> live.Figure:
    """How long (1, 0) is after steps back through GROWS and two fixed slopes of tanh."""
    w, steps = nnlib.tensor(GROWS), np.arange(16)
    largest = float(np.linalg.svd(GROWS)[1][0])

    def back(d1: Any, d2: Any) -> dict[str, Any]:
        slopes, v = nnlib.stack([d1, d2]), nnlib.tensor([1.0, 0.0])
        vectors = [v]
        for _ in steps[1:]:
            v = w.T @ (slopes * v)
            vectors.append(v)
        size = (nnlib.stack(vectors) ** 2).sum(1).sqrt()
        return {"size": size.clamp(min=1e-9), "one": size[1], "last": size[15]}

    answered = "grows_committed"
    return live.figure(
        back,
        d1=live.slider(0.0, 1.0, 0.01, value=1.0, label="slope of tanh in neuron 1"),
        d2=live.slider(0.0, 1.0, 0.01, value=1.0, label="slope of tanh in neuron 2"),
        view=[
            question,
            live.axes(
                live.curve(steps, largest**steps, color="muted", dash=True,
                           label="bound by the largest singular value"),
                live.curve(steps, "size", color="gradient", width=3.0, label="the gradient"),
                live.curve(steps, 0.5**steps, color="series2", dash=True,
                           label="0.5 to the power of k"),
                xlim=(0, 15), ylim=(1e-5, 1e8), yscale="log", xlabel="steps back k",
                ylabel="length", height=280, when=answered,
            ),
            live.readout("after 1 step back {one:.3g}, after 15 {last:.3g}", when=answered),
            live.presets({"no tanh": {"d1": 1.0, "d2": 1.0},
                          "neuron 2 saturated": {"d1": 1.0, "d2": 0.0},
                          "both half": {"d1": 0.5, "d2": 0.5}}),
        ],
        **text,
    )  # fmt: skip


# --- gates ----------------------------------------------------------------------------------------

GATE_STEPS = 8
PROPOSED = np.array([0.9, -0.5, 0.3, -0.8, 0.6, -0.2, 0.7, -0.9], np.float32)


def update_gate(question: Any, **text: Any) -> live.Figure:
    """A state of one number over eight steps: at each, z keeps and 1 − z overwrites."""
    n, t = nnlib.tensor(PROPOSED), np.arange(1, GATE_STEPS + 1)

    def run(z: Any) -> dict[str, Any]:
        h, states = nnlib.zeros(()), []
        for k in range(GATE_STEPS):
            h = z[0, k] * h + (1 - z[0, k]) * n[k]
            states.append(h)
        gradients = [nnlib.ones(())]
        for k in range(GATE_STEPS - 1, 0, -1):
            gradients.insert(0, gradients[0] * z[0, k])
        return {"h": nnlib.stack(states), "last": h, "gradients": nnlib.stack(gradients),
                "left": gradients[0]}  # fmt: skip

    def gates(first: float, later: float) -> np.ndarray:
        return np.array([[first] + [later] * (GATE_STEPS - 1)], np.float32)

    return live.figure(
        run,
        z=live.paint((1, GATE_STEPS), gates(0, 0.9), range=(0, 1), brush=0, annotate=".1f",
                     label="update gate z, a cell for each step"),
        view=[
            question,
            [live.control("z"),
             live.presets({"z = 0": {"z": gates(0, 0)}, "z = 0.5": {"z": gates(0.5, 0.5)},
                           "z = 0.9": {"z": gates(0, 0.9)}, "hold step 1": {"z": gates(0, 1)}})],
            live.axes(live.line(y=0, color="muted"),
                      live.points(x=t, y=PROPOSED, size=6, color="muted"),
                      live.curve(t, "h", color="series1", width=3.0),
                      live.points(x=t, y="h", size=6, color="series1"),
                      xlim=(0.5, GATE_STEPS + 0.5), ylim=(-1.05, 1.05), xlabel="step t", height=200,
                      title="grey: proposals n; line: state h", ylabel="n and h"),
            live.axes(live.bars("gradients", t, color="gradient"), xlim=(0.5, GATE_STEPS + 0.5),
                      ylim=(0, 1.05), xlabel="step t", ylabel="∂h₈/∂hₜ", height=150,
                      when="held_committed"),
            live.readout("last state {last:.3f}; of h₁ the share {left:.3f} is still in it",
                         when="held_committed"),
        ],
        **text,
    )  # fmt: skip


def reset_gate(**text: Any) -> live.Figure:
    """The proposal against the old state, whose share in it the gate r controls."""
    old = np.linspace(-1, 1, 81).astype(np.float32)

    def propose(r: Any, x: Any, h: Any) -> dict[str, Any]:
        line = (x + r * (2.0 * nnlib.tensor(old))).tanh()
        return {"line": line, "n": (x + r * (2.0 * h)).tanh()}

    return live.figure(
        propose,
        r=live.slider(0.0, 1.0, 0.05, value=1.0, label="reset gate r"),
        x=live.slider(-1.5, 1.5, 0.1, value=0.5, label="what the letter contributes"),
        h=live.slider(-1.0, 1.0, 0.05, value=-0.6, label="old state h"),
        view=[
            live.axes(live.line(y=0, color="muted"), live.curve(old, "line", color="series1"),
                      live.handle("h", "n", drag=("h", None), label="old state"),
                      xlim=(-1, 1), ylim=(-1.05, 1.05), xlabel="old state h",
                      ylabel="proposal n", height=220),
            live.readout("n = tanh({x:.1f} + {r:.2f} · 2 · {h:.2f}) = {n:.3f}"),
            live.presets({"r = 0: forget the past": {"r": 0.0}, "r = 1: a plain cell": {"r": 1.0}}),
        ],
        **text,
    )  # fmt: skip


def lstm_step(**text: Any) -> live.Figure:
    """One step of an LSTM with states of one number: each value, and ∂h/∂value."""

    def step(f: Any, i: Any, o: Any, n: Any, c: Any) -> dict[str, Any]:
        f, i, o, n, c = (v.detach().requires_grad_() for v in (f, i, o, n, c))
        f_c, i_n = f * c, i * n
        new = f_c + i_n
        shown = new.tanh()
        h = o * shown
        names = ["f", "i", "o", "n", "c", "f_c", "i_n", "new", "shown"]
        derivatives = nnlib.autograd.grad(h, [f, i, o, n, c, f_c, i_n, new, shown])
        return {"f_c": f_c, "i_n": i_n, "new": new, "shown": shown, "h": h} | {
            f"d_{name}": derivative for name, derivative in zip(names, derivatives, strict=True)
        }

    def node(name: str, op: str | None = None, inputs: Any = (), **more: str) -> dict[str, Any]:
        return {"op": op, "inputs": inputs, "value": name, "grad": f"d_{name}"} | more

    gate = (0.0, 1.0, 0.05)
    return live.figure(
        step,
        f=live.slider(*gate, value=0.9, label="forget gate f"),
        i=live.slider(*gate, value=0.5, label="input gate i"),
        o=live.slider(*gate, value=0.8, label="output gate o"),
        n=live.slider(-1.0, 1.0, 0.05, value=0.6, label="proposal n"),
        c=live.slider(-3.0, 3.0, 0.1, value=2.0, label="old cell state c"),
        view=[
            live.dag({
                "old c": node("c"), "f": node("f"), "i": node("i"), "n": node("n"),
                "o": node("o"),
                "f·c": node("f_c", "mul", ["old c", "f"]),
                "i·n": node("i_n", "mul", ["i", "n"]),
                "new c": node("new", "add", ["f·c", "i·n"]),
                "tanh c": node("shown", "tanh", ["new c"]),
                "h": {"op": "mul", "inputs": ["tanh c", "o"], "value": "h"},
            }),
            live.readout("new c = {f:.2f} · {c:.1f} + {i:.2f} · {n:.2f} = {new:.3f};  "
                         "h = {o:.2f} · tanh({new:.3f}) = {h:.3f}"),
            live.presets({"hold": {"f": 1.0, "i": 0.0}, "replace": {"f": 0.0, "i": 1.0},
                          "add": {"f": 1.0, "i": 1.0}, "stay silent": {"o": 0.0},
                          "speak": {"o": 1.0}}),
        ],
        **text,
    )  # fmt: skip


def seeds_at(lengths: Any, accuracies: dict[str, Any], chance: float, question: Any = None,
             **text: Any) -> live.Figure:  # fmt: skip
    """Accuracy against length, a dot for each seed and a line through the means."""
    marks: list[Any] = [live.line(y=chance, color="muted", dash=True)]
    for k, (name, table) in enumerate(accuracies.items()):
        table = np.asarray(table, np.float32)
        x = np.repeat(np.array(lengths) * 1.05 ** (k - (len(accuracies) - 1) / 2), table.shape[1])
        marks += [
            live.points(x=x, y=table.ravel(), size=6, color=f"series{k}"),
            live.curve(np.array(lengths), table.mean(1), color=f"series{k}", label=name,
                       dash=bool(k % 2), width=2.0),
        ]  # fmt: skip
    axes = live.axes(*marks, xlim=(4, 50), ylim=(0, 1.05), xscale="log", width=560, height=280,
                     xlabel="length of the sequence", ylabel="accuracy")  # fmt: skip
    if question is None:
        return live.figure(view=[axes], **text)
    question.fields["reveal"] = [axes]
    return live.figure(view=[question], **text)


def writing(writer: Any, **text: Any) -> live.Figure:
    """New words letter by letter, from a typed beginning, with a temperature."""
    uniform = np.random.default_rng(5).uniform(size=(BATCHES, words.LENGTH, LINES))
    samples = nnlib.tensor(uniform.astype(np.float32))
    one_hot = nnlib.eye(len(words.LANGUAGES))

    def write(start: Any, start_length: Any, language: Any, temperature: Any, batch: Any) -> dict:
        noise, chosen = samples[batch], one_hot[language].unsqueeze(0).expand(LINES, -1)
        last, h = nnlib.full((LINES,), words.BLANK), nnlib.zeros(1, LINES, writer.cell.hidden_size)
        ended, letters, first = nnlib.zeros(LINES), [], nnlib.zeros(words.BLANK + 1)
        for t in range(words.LENGTH):
            last_letter = (last.unsqueeze(-1) == nnlib.arange(words.BLANK + 1)).float()
            out, h = writer.cell(nnlib.cat([last_letter, chosen], 1).unsqueeze(1), h)
            p = (writer.head(out[:, 0]) / temperature).softmax(-1)
            first = nnlib.where(start_length == t, p[0], first)
            sampled = (p.cumsum(1) < noise[t].unsqueeze(1)).sum(1).clamp(max=words.BLANK)
            typed = start[t] if t < start.shape[0] else words.BLANK
            last = nnlib.where(start_length > t, typed, sampled)
            ended = nnlib.maximum(ended, (last == words.BLANK).float())
            letters.append(nnlib.where(ended > 0.5, 32, 97 + last))
        return {"w": nnlib.stack(letters, 1), "next": first, "next_batch": (batch + 1) % BATCHES}

    lines = ["".join(f"{{w[{i},{t}]:c}}" for t in range(words.LENGTH)) for i in range(LINES)]
    return live.figure(
        write,
        start=live.text("", max_length=8, label="beginning"),
        language=live.dropdown({"Dutch": 0, "English": 1, "Polish": 2, "Spanish": 3},
                               value="English", buttons=True, label="language"),
        temperature=live.slider(0.1, 2.0, 0.05, value=0.7, label="temperature T"),
        batch=live.values(0),
        view=[
            live.button("six new words", {"batch": "next_batch"}),
            [live.column(*(live.readout(line, size="large") for line in lines[:3])),
             live.column(*(live.readout(line, size="large") for line in lines[3:]))],
            live.axes(live.bars("next", labels=[*words.LETTERS, "•"]), height=190, width=560,
                      ylim=(0, 1), xlabel="next letter after the beginning (• ends the word)",
                      ylabel="probability"),
        ],
        **text,
    )  # fmt: skip

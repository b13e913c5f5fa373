"""A page with every control and every mark: `python tests/live/gallery.py FOLDER` writes it."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import nnlib
from nnlib import live

F32 = np.float32


def tensor(values):
    return nnlib.tensor(np.asarray(values, F32))


def data(n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    y = np.arange(n) % 2
    X = rng.normal(size=(n, 2)) * 0.6 + np.where(y[:, None] > 0, 0.8, -0.8)
    return X.astype(F32), y.astype(F32)


X, Y = data()
GRID = live.grid((-2, 2), (-2, 2), 33)
Z = np.linspace(-6, 6, 121).astype(F32)
XOR = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], F32)


def sigmoid_figure() -> live.Figure:
    z = tensor(Z)

    def neuron(w0, w, log_odds):
        total = w0 + w * z
        p = total.sigmoid()
        return {"shown": total / 6 if log_odds else p, "p": p, "total": total}

    return live.figure(
        neuron,
        w0=live.slider(-5.0, 5.0, 0.1, value=0.5, label="bias w₀"),
        w=live.slider(-5.0, 5.0, 0.1, value=1.5, label="weight w"),
        log_odds=live.checkbox(False, label="log-odds"),
        view=[
            live.axes(
                live.area(z, "p", when="log_odds"),
                live.curve(z, "shown", label="P(y = 1 | x)",
                           drag=lambda x, y, w: {"w0": (y.clamp(0.01, 0.99)
                                                        / (1 - y.clamp(0.01, 0.99))).log() - w * x}),
                live.line(x=lambda w0, w: -w0 / w, dash=True, color="muted"),
                live.handle(lambda w0, w: -w0 / w, 0.5, label="where P is one half",
                            drag=lambda x, w: {"w0": -w * x}),
                live.label("slope {w:.2f}/4", lambda w0, w: -w0 / w, 0.5, dx=56, dy=4),
                xlabel="x", ylabel="P", ylim=(-1, 1.05), xlim=(-6, 6),
            ),
            live.formula(r"P = \sigma({w0:.2f} + {w:.2f}\,x) \qquad P(0) = {p[60]:.3f}"),
            "P(0) = {p[60]:.2f}",
        ],
        title="The sigmoid", caption="Drag the dot, or the curve itself.",
        alt="An S-shaped curve; the weight sets its slope, the bias its position.",
    )  # fmt: skip


def logistic_figure() -> live.Figure:
    x, y, grid = tensor(X), tensor(Y), tensor(GRID)

    def model(b, u, v):
        total = b + u * x[:, 0] + v * x[:, 1]
        margin = total * (2 * y - 1)
        loss = -margin.sigmoid().log()
        p = (b + u * grid[:, 0] + v * grid[:, 1]).sigmoid()
        wrong = margin < 0
        return {
            "map": p.reshape(33, 33), "loss": loss, "wrong": wrong,
            "mistakes": wrong.sum(), "ll": -loss.sum(), "top": x[:, 1] + 0.25 * loss,
        }  # fmt: skip

    return live.figure(
        model,
        b=live.slider(-3.0, 3.0, 0.01, value=0.3, share="gallery-b"),
        u=live.slider(-3.0, 3.0, 0.01, value=1.0),
        v=live.slider(-3.0, 3.0, 0.01, value=0.7),
        view=[
            [
                live.axes(
                    live.heat("map", (-2, 2), (-2, 2)),
                    live.segments(X[:, 0], X[:, 1], X[:, 0], "top", label="−log p"),
                    live.points(X, Y, mark="wrong", class_names=["no", "yes"]),
                    *live.decision_line("b", "u", "v", reach=1.2),
                    xlabel="x₁", ylabel="x₂", xlim=(-2, 2), ylim=(-2, 2), equal=True, width=340,
                ),
                live.column(
                    live.meter("mistakes", "mistakes", max=20, format="d", color="class0"),
                    live.meter("log-likelihood", "ll", min=-80, max=0, format=".1f"),
                    live.readout("{mistakes:d} mistakes · log-likelihood {ll:.2f}", size="large"),
                    live.axes(live.bars("loss", color="gradient"), ylabel="−log p", height=160, width=300),
                ),
            ]
        ],
        title="Drag the line", caption="Move, turn and widen the line until both meters agree.",
        alt="Two clouds of points and a line between them.",
    )  # fmt: skip


def hill_figure() -> live.Figure:
    a, b = np.meshgrid(np.linspace(-2, 2, 41), np.linspace(-2, 2, 41))
    height = tensor(-(a**2) - 3 * b**2)
    gx, gy = np.meshgrid(np.linspace(-1.8, 1.8, 7), np.linspace(-1.8, 1.8, 7))

    def climb(w, guess, alpha):
        gradient = nnlib.stack([-2 * w[0], -6 * w[1]])
        weights = [w]
        for _ in range(8):
            last = weights[-1]
            weights.append(last + alpha * nnlib.stack([-2 * last[0], -6 * last[1]]))
        steps = nnlib.stack(weights)
        return {"gradient": gradient, "steps": steps, "next": steps[1]}

    return live.figure(
        climb,
        w=live.values(np.array([-1.2, 0.9])),
        guess=live.values(np.array([-0.6, 0.6])),
        alpha=live.slider(0.01, 0.4, value=0.1, log=True, label="step size α", share="gallery-b2"),
        view=[
            live.predict(
                "Drag the hollow square where you would step. Then compare with the gradient.",
                name="step_guess", input="guess", answer="next", tolerance=0.25,
                explain="The gradient steps to ({next[0]:.2f}, {next[1]:.2f}).",
            ),
            live.axes(
                live.contour(height, (-2, 2), (-2, 2), levels=9, fill=True),
                live.arrows(gx.ravel(), gy.ravel(), -2 * gx.ravel(), -6 * gy.ravel(), scale=0.03,
                            color="muted", width=1),
                live.curve("steps[:,0]", "steps[:,1]", color="series1", arrow=True,
                           when="step_guess_committed"),
                live.arrows("w[0]", "w[1]", "gradient[0]", "gradient[1]", scale="alpha",
                            when="step_guess_committed", label="gradient"),
                live.handle("guess[0]", "guess[1]", drag="guess", label="your step", color="series1"),
                live.handle("w[0]", "w[1]", drag="w", label="weights"),
                xlabel="w₁", ylabel="w₂", xlim=(-2, 2), ylim=(-2, 2), equal=True, width=360,
            ),
            live.button("Take one step", set={"w": "next"}),
        ],
        title="Uphill", caption="Drag the dot; then step.", alt="Contours of a hill and its gradient.",
    )  # fmt: skip


def net(x, W1, b1, W2, b2):
    return ((x @ W1.T + b1).tanh() @ W2.T + b2).sigmoid()


def training_figure() -> live.Figure:
    grid = tensor(GRID)
    names = ["W1", "b1", "W2", "b2"]

    def step(W1, b1, W2, b2, X, y, lr, freeze, rule):
        params = [p.detach().requires_grad_(True) for p in (W1, b1, W2, b2)]
        p = net(X, *params)[:, 0]
        loss = -(y * p.log() + (1 - y) * (1 - p).log()).mean()
        grads = nnlib.autograd.grad(loss, params, create_graph=True)
        hidden_lr = lr * (1 - freeze.to(nnlib.float32))
        rates = [hidden_lr, hidden_lr, lr, lr]
        sign = 1 if rule == "descent" else -1
        new = [p - sign * r * g for p, r, g in zip(params, rates, grads, strict=True)]
        return dict(zip(names, new, strict=True), loss=loss)

    def outputs(W1, b1, W2, b2):
        x = tensor([0.5, 0.5])
        hidden = (grid @ W1.T + b1).tanh()
        return {
            "map": net(grid, W1, b1, W2, b2).reshape(33, 33),
            "hidden_maps": hidden.T.reshape(3, 33, 33), "x": x, "a1": (W1 @ x + b1).tanh(),
            "a2": net(x.reshape(1, 2), W1, b1, W2, b2)[0],
        }  # fmt: skip

    Xs = np.concatenate(
        [XOR * 2 - 1 + d for d in np.random.default_rng(0).normal(size=(8, 1, 2)) * 0.2]
    )
    ys = np.tile([0, 1, 1, 0], 8)
    return live.figure(
        outputs,
        lr=live.slider(0.01, 5, value=0.5, log=True, label="learning rate", format=".3~g"),
        freeze=live.checkbox(False, static=False, label="freeze hidden layer"),
        rule=["descent", "gradient ascent"],
        training=live.training(
            step,
            state={"W1": live.normal((3, 2), 1.0), "b1": np.zeros(3),
                   "W2": live.uniform((1, 3), -1, 1), "b2": np.zeros(1)},
            data={"X": Xs.astype(F32), "y": ys.astype(F32)}, batch=8, seed=3, seeds=50, track=["b2"],
        ),
        view=[
            [
                live.axes(live.heat("map", (-2, 2), (-2, 2)), live.points(Xs, ys),
                          xlim=(-2, 2), ylim=(-2, 2), equal=True, width=280),
                live.network(sizes=[2, 3, 1], weights=["W1", "W2"], biases=["b1", "b2"],
                             values=["x", "a1", "a2"], images=[None, "hidden_maps", None], limit=4),
            ],
            [live.loss_curve(width=300),
             live.axes(live.points(x=np.arange(10), y=np.zeros(10), size=7, select="seed"),
                       ylim=(-1, 1), xlabel="seed", height=120, width=280)],
            "step {step:d}: loss {history_loss[-1]:.4f}",
        ],
        title="Training", caption="Play, then drag an edge.", alt="A net learns XOR.",
    )  # fmt: skip


def five_neurons() -> live.Figure:
    weights = {k: live.values(v, min=-8, max=8, step=0.1) for k, v in
               {"w03": -0.5, "w04": -1.5, "w05": -0.5, "w13": 1.0, "w23": 1.0, "w14": 1.0,
                "w24": 1.0, "w35": 1.0, "w45": -1.0}.items()}  # fmt: skip

    def forward(k, case, fired, pointed, gain_on, w03, w04, w05, w13, w23, w14, w24, w35, w45):
        k = k if gain_on == "with gain" else 1.0
        x = case
        a3 = (k * (w03 + w13 * x[0] + w23 * x[1])).sigmoid()
        a4 = (k * (w04 + w14 * x[0] + w24 * x[1])).sigmoid()
        a5 = (k * (w05 + w35 * a3 + w45 * a4)).sigmoid()
        d5 = 2 * (a5 - 1) * a5 * (1 - a5)
        return {"x1": x[0], "x2": x[1], "a3": a3, "a4": a4, "a5": a5, "d5": d5,
                "n": fired.sum()}  # fmt: skip

    return live.figure(
        forward,
        k=live.slider(0.5, 12.0, 0.1, value=1.0, label="gain k"),
        case=live.dropdown({"0 0": [0.0, 0.0], "0 1": [0.0, 1.0], "1 0": [1.0, 0.0], "1 1": [1.0, 1.0]},
                           label="inputs", buttons=True),
        gain_on=["with gain", "without"],
        fired=live.values(np.zeros(5)),
        pointed=live.values(-1),
        **weights,
        view=[
            live.network(
                [live.neuron(1, 0, value="x1"), live.neuron(2, 0, value="x2"),
                 live.neuron(3, 1, value="a3", bias="w03"), live.neuron(4, 1, value="a4", bias="w04"),
                 live.neuron(5, 2, value="a5", delta="d5", bias="w05")],
                [live.edge(1, 3, "w13"), live.edge(2, 3, "w23"), live.edge(1, 4, "w14"),
                 live.edge(2, 4, "w24"), live.edge(3, 5, "w35"), live.edge(4, 5, "w45")],
                order="fired", hover="pointed",
            ),
            live.presets({"initial weights": {"w13": 1.0, "w45": -1.0},
                          "trained": {"w13": 3.0, "w45": -4.0}}),
            "a₅ = {a5:.3f}, fired {n:d}; {gain_on}",
        ],
        title="Five neurons", caption="Drag an edge up or down.", alt="A net with five neurons.",
    )  # fmt: skip


def recorded_figure() -> live.Figure:
    def f(a, b, c):
        return (a * b + c).tanh() * a

    return live.figure(
        None, a=(-2.0, 2.0), b=(-2.0, 2.0), c=live.number(0.5, min=-2, max=2),
        t=live.stepper(live.dag_states(f, a=1.0, b=1.0, c=1.0), value=3, interval=0.3),
        view=[live.dag(of=f, step="t")],
        title="The recorded graph", caption="Step.", alt="A graph of operations.",
    )  # fmt: skip


def image_figure() -> live.Figure:
    digit = np.zeros((12, 12), F32)
    digit[2:10, 5:7] = 1
    kernels = np.stack([np.outer([1, 1, 1], [-1, 2, -1]), np.outer([-1, 2, -1], [1, 1, 1])])

    def outputs(image, kernel, r, c, which):
        maps = nnlib.stack([
            sum(image[i : i + 10, j : j + 10] * k[i, j] for i in range(3) for j in range(3))
            for k in (kernel, tensor(kernels[1]))
        ])  # fmt: skip
        window = nnlib.stack([r, c, r * 0 + 3, r * 0 + 3])
        return {"maps": maps.relu(), "window": window, "here": maps[0].reshape(100)[r * 10 + c],
                "present": maps.amax(dim=(1, 2)), "chosen": which}  # fmt: skip

    return live.figure(
        outputs,
        image=live.paint((12, 12), digit, brush=0.7),
        kernel=live.paint((3, 3), kernels[0], range=(-2, 2), brush=0, colors="diverging", annotate=".1f"),
        r=live.slider(0, 9, value=3, label="row"), c=live.slider(0, 9, value=4, label="column"),
        which=live.values(0),
        view=[
            [live.images("image", window="window", pick=("r", "c"), title="image"),
             live.images("maps", labels=["upright", "level"], select="which", title="feature maps", columns=2),
             live.matrix("kernel", format=".0f", title="kernel")],
            "at the window {here:.2f}; map {chosen:d}; anywhere {present[0]:.2f}",
        ],
        title="Images", caption="Paint.", alt="An image, a kernel and the feature maps.",
    )  # fmt: skip


def word_figure() -> live.Figure:
    rng = np.random.default_rng(2)
    E, W, U = (tensor(rng.normal(size=s) * 0.6) for s in ((27, 6), (6, 6), (3, 6)))

    def read(word, word_length, unrolled, scale):
        onehot = (word.reshape(8, 1) == nnlib.arange(27)).to(nnlib.float32)
        h = tensor(np.zeros(6))
        states = []
        for k in range(8):
            h = (onehot[k] @ E + scale * (h @ W)).tanh()
            states.append(h)
        H = nnlib.stack(states)
        return {"onehot": onehot.T, "h": H, "p": (H @ U.T).softmax(1), "n": word_length}

    return live.figure(
        read,
        word=live.text("neuron", max_length=8),
        unrolled=live.checkbox(True, static=False, label="unroll"),
        scale=live.slider(0.0, 2.0, value=1.0, label="w_hh"),
        spot=live.values(0),
        view=[
            live.sequence("word", states="h", outputs="p", output_labels=["en", "es", "nl"],
                          unrolled="unrolled", select="spot"),
            live.images("onehot", pixel=9, column_labels="word", title="one-hot columns"),
            "{word}: {n:d} letters, position {spot:d}",
        ],
        title="A word", caption="Type.", alt="An unrolled network over a word.",
    )  # fmt: skip


def points_figure() -> live.Figure:
    def mean(P, chosen, on, a, b):
        mask = on.reshape(4, 1)
        return {"m": (P * mask).sum(0) / mask.sum().clamp(min=1.0), "sum": (a * a + b)}

    return live.figure(
        mean,
        P=live.values([[-1.0, -1.0], [1.0, -0.5], [0.5, 1.0], [-0.5, 0.5]]),
        chosen=live.values(0), on=live.values(np.ones(4)),
        a=live.values(0.3), b=live.values(-0.2),
        view=[
            [
                live.axes(
                    live.points("P", drag=True, labels=["A", "B", "C", "D"]),
                    live.points(x="m[0]", y="m[1]", color="gradient", size=7, label="mean"),
                    xlim=(-2, 2), ylim=(-2, 2), width=260, height=240,
                ),
                live.axes(
                    live.points(x=[0, 1, 2, 3], y=[0, 0, 0, 0], size=9, toggle="on",
                                labels=["A", "B", "C", "D"]),
                    live.handle("a", "b", drag=("a", "b"), label="free point"),
                    pointer=("a", "b"), xlim=(-1, 4), ylim=(-1, 1), width=260, height=200,
                    title="switches and a pointer",
                ),
                live.axes(live.bars([3, 1, 2], labels=["x", "y", "z"], select="chosen", format="d"),
                          width=220, height=200),
            ],
            live.toggles(["A {on[0]:d}", "B", "C", "D"], toggle="on"),
            "mean ({m[0]:.2f}, {m[1]:.2f}), chosen {chosen:d}, free ({a:.2f}, {b:.2f})",
        ],
        title="Things to drag and click", caption="Drag the points.", alt="Four points.",
    )  # fmt: skip


def question_figures() -> list[live.Figure]:
    return [
        live.figure(
            lambda w: {"crossing": -2 / w},
            w=live.slider(1.0, 4.0, 0.1, value=2.0),
            view=[
                live.predict("w doubles. Where does the crossing go?", name="cross",
                             choices=["it stays", "halfway to 0", "twice as far"], answer=1,
                             explain="It is at {crossing:.2f} now.", reveal=["Crossing: {crossing:.2f}"]),
                live.predict("How large is −2/w?", name="size", answer="crossing", tolerance=0.01),
            ],
            title="Predict",
        ),
        live.quiz(
            live.question("What is σ(0)?", answer=0.5),
            live.question("Where is σ steepest?", {"at 0": "", "at 1": "There it is flatter."},
                          answer="at 0", why="σ′ = σ(1 − σ)."),
            title="Check yourself",
        ),
    ]  # fmt: skip


def figures() -> list[live.Figure]:
    functions = (sigmoid_figure, logistic_figure, hill_figure, training_figure, five_neurons,
              recorded_figure, image_figure, word_figure, points_figure)  # fmt: skip
    return [function() for function in functions] + question_figures()


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    print(live.page(*figures(), path=folder / "gallery.html", title="Gallery", inline=False))

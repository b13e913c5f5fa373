"""Measures how fast figures update in Chromium: `make bench-live` prints medians of 200 updates."""

from __future__ import annotations

import functools
import http.server
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import nnlib
from course.cnn.figures import maps_of
from course.networks import digits
from nnlib import datasets, live
from tools.browser import Server, launched

TIME = """async (input) => {
  const module = await import("/live.js");
  const scene = module.scenes.get(document.querySelector(".nn-figure"));
  const size = scene.input(input).tensor.length;
  const times = [];
  for (let i = 0; i < 220; i++) {
    scene.set(input, size === 1 ? 0.5 + i / 100 : Float64Array.from({ length: size }, Math.random));
    const start = performance.now();
    scene.flush();
    times.push(performance.now() - start);
  }
  return times.slice(20).sort((a, b) => a - b)[100];
}"""
RATE = """async () => {
  const module = await import("/live.js");
  const scene = module.scenes.get(document.querySelector(".nn-figure"));
  const steps = () => scene.named("step").data[0];
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  await wait(500);
  const [from, start] = [steps(), performance.now()];
  await wait(2000);
  return (1000 * (steps() - from)) / (performance.now() - start);
}"""


def decision_map() -> live.Figure:
    rng = np.random.default_rng(0)
    shapes = ((8, 2), (8,), (8, 8), (8,), (1, 8), (1,))
    W1, b1, W2, b2, W3, b3 = (nnlib.tensor(rng.normal(size=s).astype("float32")) for s in shapes)
    points = nnlib.tensor(live.grid((-2, 2), (-2, 2), 64))

    def net(w):
        hidden = ((points @ (W1 * w).T + b1).tanh() @ W2.T + b2).tanh()
        return {"map": (hidden @ W3.T + b3).sigmoid().reshape(64, 64)}

    view = live.axes(live.heat("map", (-2, 2), (-2, 2)), live.points(rng.normal(size=(200, 2))))
    return live.figure(net, w=(0.0, 3.0, 0.01), view=[view], title="map")


def feature_maps() -> live.Figure:
    rng = np.random.default_rng(0)
    gain = nnlib.tensor(rng.normal(size=(24, 1, 1)).astype("float32"))
    return live.figure(
        lambda image: {"maps": (image * gain).tanh()},
        image=live.paint((28, 28)), view=[live.images("maps", columns=8)], title="maps",
    )  # fmt: skip


def drawn_digit() -> live.Figure:
    """The last figure of the chapter on convolutions: three layers, 112 maps, bars, an answer."""
    return maps_of(digits.trained("anywhere"), datasets.digits(train=False).x[1, 0])


def trained() -> live.Figure:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    names = ["W1", "b1", "W2", "b2"]

    def step(W1, b1, W2, b2, X, y, lr):
        params = [p.detach().requires_grad_(True) for p in (W1, b1, W2, b2)]
        p = ((X @ params[0].T + params[1]).tanh() @ params[2].T + params[3]).sigmoid()[:, 0]
        loss = -(y * p.log() + (1 - y) * (1 - p).log()).mean()
        grads = nnlib.autograd.grad(loss, params, create_graph=True)
        return {k: p - lr * g for k, p, g in zip(names, params, grads)} | {"loss": loss}

    state = {"W1": live.normal((8, 2)), "b1": np.zeros(8)}
    state |= {"W2": live.normal((1, 8)), "b2": np.zeros(1)}
    data = {"X": X, "y": (X[:, 0] > X[:, 1]).astype(float)}
    training = live.training(step, state, data=data, speed="full")
    rate = live.slider(0.0, 1.0, value=0.1)
    return live.figure(lr=rate, training=training, view=[live.loss_curve()], title="training")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


def main() -> None:
    folder = Path(tempfile.mkdtemp())
    handler = functools.partial(Quiet, directory=str(folder))
    with Server(handler) as server, launched() as browser:

        def opened(figure: live.Figure) -> Any:
            live.page(figure, path=folder / "page.html", inline=False)
            page = browser.new_page()
            page.goto(f"{server.origin}/page.html")
            page.wait_for_selector(".nn-figure[data-ready]")
            return page

        print(f"64 × 64 map of a 2-8-8-1 net: {opened(decision_map()).evaluate(TIME, 'w'):.1f} ms")
        print(f"24 maps of 28 × 28 drawn: {opened(feature_maps()).evaluate(TIME, 'image'):.1f} ms")
        milliseconds = opened(drawn_digit()).evaluate(TIME, "drawing")
        print(f"trained CNN on a drawing, 112 maps redrawn: {milliseconds:.1f} ms (goal: 16)")
        page = opened(trained())
        page.get_by_role("button", name="train").first.click()
        print(f"2-8-1 net on 200 points: {page.evaluate(RATE):,.0f} steps a second")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()

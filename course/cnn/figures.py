"""The figures of the chapter on convolutions: kernels to paint, counts, shifts, a drawing's map."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from course.networks.drawn_digits import centred, shrink
from course.networks.rounding import rounded_parameters
from nnlib import live

CLASSES = [str(digit) for digit in range(10)]
KERNELS = {
    "left edges": [[-1.0, 0, 1]] * 3,
    "top edges": [[-1.0] * 3, [0.0] * 3, [1.0] * 3],
    "blur": [[1 / 9] * 3] * 3,
    "spots": [[-0.5, -0.5, -0.5], [-0.5, 1, -0.5], [-0.5, -0.5, -0.5]],
}


def at_window(x: Any, row: Any, column: Any, k: int) -> Any:
    """The k × k window of an image (h, w) at a position that may be an input of a figure."""
    h, w = x.shape
    rows = (nnlib.arange(h) == row + nnlib.arange(k).unsqueeze(1)).float()
    columns = (nnlib.arange(w) == column + nnlib.arange(k).unsqueeze(1)).float()
    return rows @ x @ columns.T


def slid(x: Any, kernel: Any) -> Any:
    """The map (h − k + 1, w − k + 1) of a kernel (k, k) over an image (h, w)."""
    return F.conv2d(x[None, None], kernel[None, None])[0, 0]


def paint_a_kernel(image: np.ndarray, question: Any) -> live.Figure:
    """An image and a kernel to paint; a window's total input, its ReLU, the map of all windows."""
    small = np.pad(shrink(image, 12).numpy().round(1), 1)  # a frame of paper around the digit

    def outputs(image: Any, kernel: Any, bias: Any, row: Any, column: Any) -> dict[str, Any]:
        window = at_window(image, row, column, 3)
        total = (window * kernel).sum() + bias
        side = 1 + 0 * row
        return {
            "map": slid(image, kernel) + bias, "active": (slid(image, kernel) + bias).relu(),
            "window": window, "product": window * kernel, "total": total, "answer": total.relu(),
            "frame": nnlib.stack([row, column, 3 * side, 3 * side]),
            "cell": nnlib.stack([row, column, side, side]),
        }  # fmt: skip

    presets = {name: {"kernel": np.array(k, "float32")} for name, k in KERNELS.items()}
    numbers: dict[str, Any] = {"pixel": 38, "annotate": ".1f"}
    return live.figure(
        outputs,
        image=live.paint((14, 14), value=small, brush=0.6, label="image"),
        kernel=live.paint((3, 3), value=KERNELS["left edges"], range=(-1, 1), brush=0,
                          colors="diverging", annotate=".1f", label="kernel: nine weights"),
        bias=live.slider(-2.0, 2.0, 0.1, value=0.0, label="bias"),
        row=live.slider(0, 11, value=5, label="window's row"),
        column=live.slider(0, 11, value=3, label="window's column"),
        view=[
            question,
            [live.control("image"), live.column(live.control("kernel"), live.presets(presets))],
            live.control("bias", "row", "column"),
            [live.images("image", window="frame", pixel=11, range=(0, 1), title="the window"),
             live.images("map", window="cell", pick=("row", "column"), pixel=11,
                         colors="diverging", title="all totals: click", when="sees_committed"),
             live.images("active", window="cell", pick=("row", "column"), pixel=11,
                         colors="magnitude", title="feature map: ReLU", when="sees_committed")],
            [live.images("window", title="what it sees", range=(0, 1), **numbers),
             live.images("product", title="times the kernel", colors="diverging", range=(-1, 1),
                         **numbers)],
            live.readout("Window at row {row:d}, column {column:d}: total input {total:+.2f}, "
                         "after ReLU {answer:.2f}."),
        ],
        title="Slide a window",
        caption="Move the window, with the sliders or by a click on a map. Lower the bias and "
        "watch the feature map. Then paint: which kernel answers only where ink ends on the right?",
        alt="A small digit, a kernel of nine weights, what the window shows, and the two "
        "multiplied entry by entry; once the question is answered, the total inputs of all "
        "windows and the feature map, which is 0 wherever the total is negative.",
    )  # fmt: skip


def unshare(question: Any) -> live.Figure:
    """How many weights a layer of maps of a 28 × 28 image has, with and without each assumption."""

    def count(k: Any, maps: Any, local: Any, shared: Any) -> dict[str, Any]:
        k, maps = k.float(), maps.float()
        positions = (29 - k) ** 2
        per_neuron = local * k**2 + (1 - local) * 784.0 + 1
        weights = maps * per_neuron * (shared + (1 - shared) * positions)
        return {
            "weights": weights, "positions": positions, "neurons": maps * positions,
            "each": per_neuron, "log": weights.log() / float(np.log(10)),
            "one": shared * (1 - local),
        }  # fmt: skip

    return live.figure(
        count,
        k=live.slider(1, 9, value=5, label="window's side k"),
        maps=live.slider(1, 32, value=1, label="maps"),
        local=live.checkbox(True, static=False, label="each neuron sees its window alone"),
        shared=live.checkbox(True, static=False, label="all copies share their weights"),
        view=[
            question,
            live.meter("weights, as powers of ten", "log", min=0, max=8, format=".1f",
                       color="weight-pos", when="few_committed"),
            live.readout("{weights:,.0f} weights", size="large", when="few_committed"),
            live.readout("{neurons:,.0f} neurons, {each:,.0f} weights each (with the bias).",
                         when="few_committed"),
            live.readout("All copies see the same and compute the same: one neuron, many times.",
                         when="one"),
        ],
        title="Unshare",
        caption="Untick the two boxes, one after the other, and watch the count.",
        alt="Once the question is answered, how many weights the layer has. Without sharing it is "
        "about fifteen thousand for windows of 5 by 5, and without windows 452,160.",
    )  # fmt: skip


def as_a_matrix() -> live.Figure:
    """The same convolution of a 6 × 6 image as a matrix of 16 rows and 36 columns."""
    corner = (np.arange(4)[:, None] * 6 + np.arange(4)).reshape(-1, 1)
    inside = (np.arange(3)[:, None] * 6 + np.arange(3)).reshape(1, -1)
    where = nnlib.tensor(np.eye(36, dtype="float32")[corner + inside])  # (16, 9, 36)
    image = np.zeros((6, 6), "float32")
    image[1:5, 2:4] = 1

    def outputs(kernel: Any, image: Any, row: Any) -> dict[str, Any]:
        matrix = (kernel.reshape(1, 9, 1) * where).sum(1)
        chosen = 1.0 * (nnlib.arange(16) == row)
        return {
            "matrix": matrix, "map": slid(image, kernel),
            "product": (matrix @ image.reshape(36)).reshape(4, 4),
            "gap": ((matrix @ image.reshape(36)).reshape(4, 4) - slid(image, kernel)).abs().max(),
            "reach": (chosen @ where.sum(1)).reshape(6, 6),
            "frame": nnlib.stack([row, 0 * row, 1 + 0 * row, 36 + 0 * row]),
            "one": (chosen @ matrix).reshape(6, 6),
        }  # fmt: skip

    return live.figure(
        outputs,
        kernel=live.paint((3, 3), value=KERNELS["left edges"], range=(-1, 1), brush=0,
                          colors="diverging", annotate=".1f", label="kernel"),
        image=live.paint((6, 6), value=image, brush=0, label="image"),
        row=live.slider(0, 15, value=5, label="row"),
        view=[
            [live.control("image"), live.control("kernel"), live.control("row")],
            live.images("matrix", colors="diverging", range=(-1, 1), pixel=11, window="frame",
                        pick=("row", None), title="the matrix: 16 neurons, 36 pixels"),
            [live.images("one", colors="diverging", range=(-1, 1), pixel=22,
                         title="the chosen row, as an image"),
             live.images("product", colors="diverging", pixel=30, annotate=".1f",
                         title="matrix × image"),
             live.images("map", colors="diverging", pixel=30, annotate=".1f",
                         title="sliding window")],
            live.readout("Largest difference between the two: {gap:.6f}. 144 of 576 entries can "
                         "differ from 0, and they are nine different weights."),
        ],
        title="A matrix with few different weights",
        caption="Paint the kernel and watch the diagonals; choose a row to see its window.",
        alt="A matrix with 16 rows and 36 columns that is 0 except for nine diagonal stripes, each "
        "of one weight. Its product with the image equals the sliding window's map.",
    )  # fmt: skip


def drag_the_digit(image: np.ndarray, kernel: Any, question: Any) -> live.Figure:
    """A digit to drag: its map moves along, the map's maximum stays."""
    picture, positions = nnlib.tensor(image), nnlib.arange(28)

    def outputs(right: Any, up: Any) -> dict[str, Any]:
        down, right = -up.round(), right.round()
        rows = (positions.unsqueeze(1) - positions == down).float()
        columns = (positions - positions.unsqueeze(1) == right).float()
        moved = rows @ picture @ columns
        map_of_moved = F.conv2d(moved[None, None], kernel[None, None], padding=kernel.shape[0] // 2)
        map_of_moved = map_of_moved[0, 0].relu()
        map_of_original = F.conv2d(
            picture[None, None], kernel[None, None], padding=kernel.shape[0] // 2
        )
        moved_map = rows @ map_of_original[0, 0].relu() @ columns
        return {
            "moved": moved.flip(0), "map": map_of_moved.flip(0), "maximum": map_of_moved.max(),
            "pooled": F.max_pool2d(map_of_moved[None, None], 4)[0, 0].flip(0),
            "gap": (moved_map - map_of_moved)[6:22, 6:22].abs().max(), "at": right, "to": -down,
        }  # fmt: skip

    side = (-14, 14)
    heat: dict[str, Any] = {"colors": "magnitude", "range": (0, 2), "smooth": False}
    panel: dict[str, Any] = {
        "xlim": side, "ylim": side, "equal": True, "frame": False, "width": 175, "height": 175,
        "pointer": ("right", "up"),
    }  # fmt: skip
    return live.figure(
        outputs,
        right=live.slider(-4.0, 4.0, 1.0, value=0.0, label="to the right"),
        up=live.slider(-4.0, 4.0, 1.0, value=0.0, label="up"),
        view=[
            question,
            [live.axes(live.heat("moved", side, side, colors="gray", range=(0, 1), smooth=False),
                       live.handle("right", "up", drag=("right", "up"), label="the digit"),
                       title="drag the digit", **panel),
             live.axes(live.heat("map", side, side, **heat),
                       title="the kernel's map", **panel),
             live.axes(live.heat("pooled", side, side, **heat),
                       title="largest of each 4 × 4", **panel)],
            live.readout("Is it present anywhere? Largest answer: {maximum:.3f}", size="large",
                         when="still_committed"),
            live.readout("The digit is {at:+.0f} to the right and {to:+.0f} up. Map of the moved "
                         "image against moved map of the image: largest difference {gap:.6f}."),
        ],
        title="Drag the digit",
        caption="Drag the handle in the left picture. Which of the other two moves exactly with "
        "it, and which in jumps?",
        alt="When the digit moves, its map moves by the same number of pixels. The pooled map "
        "changes in jumps. Once the question is answered, the map's largest value.",
    )  # fmt: skip


def over_starts(
    x: Any, runs: dict[str, Any], question: Any = None, *, xlabel: str, ylabel: str = "% right",
    xscale: str = "linear", **texts: Any,
) -> live.Figure:  # fmt: skip
    """Curves through the means over several starts, and a dot for each start.

    `runs` gives each curve's numbers, (starts, len(x)), from 0 to 1.
    """
    marks: list[Any] = []
    for k, (name, table) in enumerate(runs.items()):
        percent = 100 * np.asarray(table, np.float32)
        marks += [
            live.points(x=np.tile(x, len(percent)), y=percent.ravel(), size=4, color=f"series{k}"),
            live.curve(x, percent.mean(0), color=f"series{k}", label=name, dash=bool(k % 2),
                       width=2.5),
        ]  # fmt: skip
    axes = live.axes(*marks, xlabel=xlabel, ylabel=ylabel, ylim=(0, 103), xscale=xscale,
                     width=560, height=300)  # fmt: skip
    if question is None:
        return live.figure(view=[axes], **texts)
    question.fields["reveal"] = [axes]
    return live.figure(view=[question], **texts)


def pooled_block(**texts: Any) -> live.Figure:
    """A 4 × 4 map to paint, its 2 × 2 maxima, and where their gradients go."""
    start = np.array([[1, 3, 0, 2], [2, 0, 1, 1], [0, 1, 4, 0], [5, 1, 2, 3]], np.float32)

    def pool(map: Any, delta: Any) -> dict[str, Any]:
        x = map.detach().requires_grad_()
        maxima = F.max_pool2d(x[None, None], 2)[0, 0]
        (back,) = nnlib.autograd.grad((maxima * delta).sum(), [x])
        return {"maxima": maxima, "back": back}

    numbers: dict[str, Any] = {"annotate": ".1f", "pixel": 42}
    return live.figure(
        pool,
        map=live.paint((4, 4), start, range=(0, 6), brush=0, annotate=".0f", label="map"),
        delta=live.paint((2, 2), np.array([[0.5, -1.0], [0.2, 1.0]]), range=(-1, 1), brush=0,
                         colors="diverging", annotate=".1f", label="δ of the four maxima"),
        view=[
            [live.control("map"),
             live.images("maxima", range=(0, 6), title="the largest", **numbers)],
            [live.control("delta"),
             live.images("back", colors="diverging", range=(-1, 1), title="gradient of the map",
                         **numbers)],
        ],
        **texts,
    )  # fmt: skip


def _every_map() -> list[Any]:
    """The pad, both answers, the maps of the three layers, and details of the clicked ones."""
    maps: dict[str, Any] = {"colors": "magnitude"}
    return [
        [live.control("drawing"),
         live.column(
             live.control("centre"),
             live.images("image", pixel=7, title="what both networks get"),
             live.readout("CNN: {answer:d} ({percent:.0f} %)", size="large", when="ink"),
             live.readout("MLP: {mlp_answer:d} ({mlp_percent:.0f} %)", size="large",
                          when="ink"),
             live.readout("Nothing is drawn.", size="large", when=lambda ink: ~ink))],
        [live.axes(live.bars("p", labels=CLASSES, color="accent"), ylim=(0, 1), width=330,
                   height=150, ylabel="probability", title="CNN"),
         live.axes(live.bars("other", labels=CLASSES, color="muted"), ylim=(0, 1), width=330,
                   height=150, ylabel="probability", title="MLP")],
        live.images("first", pixel=1.9, select="one", range=(0, 1.5),
                    title="16 maps of 28 × 28: click one", **maps),
        [live.images("kernel", pixel=24, colors="diverging", title="its 5 × 5 weights"),
         live.images("large", pixel=5, range=(0, 1.5), title="its map", **maps)],
        live.images("second", pixel=2.7, range=(0, 3), title="32 maps of 14 × 14", **maps),
        live.images("third", pixel=4, range=(0, 3), select="last",
                    title="64 maps of 7 × 7: click one", **maps),
        live.axes(live.bars("maxima", select="last", classes="chosen", width=1.0),
                  xlabel="map", ylabel="maximum", title="is it anywhere?", width=700,
                  height=140),
        live.axes(live.bars("added", labels=CLASSES, color="series2"), width=420, height=170,
                  title="what the chosen map adds to each digit’s logit"),
        "The largest value of map {last:d} is {amount:.2f}.",
    ]  # fmt: skip


def maps_of(net: Any, mlp: Any, start: np.ndarray) -> live.Figure:
    """A drawing on its way through three convolutions, every map shown; an MLP's answer beside."""
    K1, b1, K2, b2, K3, b3, W, b = rounded_parameters(net)
    W1, c1, W2, c2 = rounded_parameters(mlp)

    def read(drawing: Any, centre: Any, one: Any, last: Any) -> dict[str, Any]:
        image = nnlib.where(centre, centred(drawing), drawing)
        first = F.conv2d(image[None, None], K1, b1, padding=2).relu()
        second = F.conv2d(F.max_pool2d(first, 2), K2, b2, padding=2).relu()
        third = F.conv2d(F.max_pool2d(second, 2), K3, b3, padding=2).relu()[0]
        maxima = third.amax((1, 2))
        z = W @ maxima + b
        p = nnlib.softmax(z, 0)
        other = nnlib.softmax(W2 @ (W1 @ image.reshape(-1) + c1).relu() + c2, 0)
        return {
            "image": image, "first": first[0], "second": second[0], "third": third,
            "maxima": maxima, "p": p, "answer": p.argmax(), "percent": 100 * p.max(),
            "ink": drawing.max() > 0.3,
            "other": other, "mlp_answer": other.argmax(), "mlp_percent": 100 * other.max(),
            "kernel": K1[one, 0], "large": first[0, one], "added": W[:, last] * maxima[last],
            "amount": maxima[last], "chosen": 1.0 * (nnlib.arange(len(b3)) == last),
        }  # fmt: skip

    activations = nnlib.tensor(start)[None, None]
    with nnlib.no_grad():
        for layer in list(net)[:9]:
            activations = layer(activations)
    strongest = int(activations.reshape(-1).argmax().item())
    return live.figure(
        read,
        drawing=live.paint((28, 28), value=start, brush=1.2, label="draw a digit here"),
        centre=live.checkbox(True, static=False, label="centre and scale the drawing"),
        one=live.values(0), last=live.values(strongest),
        view=_every_map(),
        title="Every feature map of a drawing",
        caption="Clear the pad and draw a digit. Then untick “centre and scale”: both networks get "
        "your drawing as it is. Draw in a corner, or small. Click maps of the first and last "
        "layer: what do their neurons look for?",
        alt="A drawn digit, sixteen maps in which its edges are bright, thirty-two smaller maps "
        "with pieces of strokes, and sixty-four maps of 7 by 7 with few bright positions. The "
        "largest value of each is a bar, and ten probabilities of the CNN are beside those of an "
        "MLP. Without centring the MLP’s answer changes with the position, the CNN’s hardly does.",
    )  # fmt: skip

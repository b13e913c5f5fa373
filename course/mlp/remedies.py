"""Remedies for over-fitting, measured: few images, wrong labels, ten networks at once.

``python -m course.mlp.remedies`` trains them all (about two minutes on one core) and writes
``remedies.json``, which the chapter's table reads; a test repeats a part. The ten networks of a
setting are trained as one batch: each array has a first dimension of ten, one entry per seed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from nnlib.datasets import digits
from nnlib.tensor import Tensor

SEEDS, IMAGES, WRONG, EPOCHS, EVERY = 10, 300, 0.2, 60, 3
FILE = "remedies.json"


@dataclass(frozen=True)
class Setting:
    """One way to train: a remedy and its strength."""

    remedy: str
    hidden: int = 128
    decay: float = 0.0
    dropout: float = 0.0
    shift: int = 0
    images: int = IMAGES
    wrong: float = WRONG


BASELINE = Setting("no remedy")
SETTINGS = [
    BASELINE,
    *(Setting("weight decay", decay=decay) for decay in (3.0, 10.0, 30.0)),
    *(Setting("dropout", dropout=p) for p in (0.5, 0.8, 0.9)),
    *(Setting("augmentation", shift=pixels) for pixels in (1, 2, 3)),
    *(Setting("fewer parameters", hidden=hidden) for hidden in (8, 16, 32)),
    Setting("three together", decay=3.0, dropout=0.5, shift=2),
    Setting("right labels", wrong=0.0),
    Setting("more images", images=1200),
]


# --- the data -----------------------------------------------------------------------------------


def chosen_images(setting: Setting, seeds: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each seed's own sample of the first 3,200 images, the labels to train on, the right ones."""
    count, data = setting.images, digits()
    x, y = data.x.reshape(-1, 784), data.y
    images, labels, right_labels = [], [], []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        chosen = rng.permutation(3200)[:count]
        changed = rng.random(count) < setting.wrong
        wrong_labels = (y[chosen] + rng.integers(1, 10, count)) % 10
        images.append(x[chosen])
        right_labels.append(y[chosen])
        labels.append(np.where(changed, wrong_labels, y[chosen]))
    return np.stack(images), np.stack(labels), np.stack(right_labels)


def held_out() -> dict[str, tuple[Tensor, np.ndarray]]:
    """The 800 images for validation and the 1,000 of the test set, all with right labels."""
    data, test = digits(), digits(train=False)
    return {
        "validation": (nnlib.tensor(data.x[3200:].reshape(-1, 784)), data.y[3200:]),
        "test": (nnlib.tensor(test.x.reshape(-1, 784)), test.y),
    }


def shifted(x: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """Each image moved by up to `most` pixels down and right, at random; (seeds, batch, 784)."""
    seeds, batch, _ = x.shape
    padded = np.pad(x.reshape(-1, 28, 28), ((0, 0), (most, most), (most, most)))
    down, right = rng.integers(0, 2 * most + 1, (2, seeds * batch, 1))
    rows, columns = down + np.arange(28), right + np.arange(28)
    image_index = np.arange(seeds * batch)[:, None, None]
    return padded[image_index, rows[:, :, None], columns[:, None, :]].reshape(x.shape)


# --- ten networks as one ------------------------------------------------------------------------


def start(hidden: int, seeds: int) -> list[Tensor]:
    """W1, b1, W2, b2 of all networks, as `nn.Linear` starts them; each seed has its own."""
    shapes = [(784, (784, hidden)), (784, (1, hidden)), (hidden, (hidden, 10)), (hidden, (1, 10))]
    rngs = [np.random.default_rng(1000 + seed) for seed in range(seeds)]
    return [
        nnlib.tensor(np.stack([r.uniform(-1, 1, s) / fan**0.5 for r in rngs]), dtype=nnlib.float32,
                     requires_grad=True)
        for fan, s in shapes
    ]  # fmt: skip


def logits(parameters: list[Tensor], x: Any, dropout_mask: Any = 1.0) -> Tensor:
    W1, b1, W2, b2 = parameters
    return ((x @ W1 + b1).relu() * dropout_mask) @ W2 + b2


def evaluate(parameters: list[Tensor], x: Tensor, y: np.ndarray) -> tuple[list[float], list[float]]:
    """Accuracy and mean loss of each network."""
    with nnlib.no_grad():
        z = logits(parameters, x)
        logp = nnlib.log_softmax(z, -1).numpy()
    y = np.broadcast_to(y, logp.shape[:2])
    right = logp.argmax(-1) == y
    loss = -np.take_along_axis(logp, y[..., None], -1)[..., 0]
    return right.mean(1).tolist(), loss.mean(1).tolist()


def train(setting: Setting, seeds: int = SEEDS, epochs: int = EPOCHS) -> dict[str, Any]:
    """Trains all seeds with that setting; returns each seed's results after every third epoch."""
    images, labels, _ = chosen_images(setting, seeds)
    parameters = start(setting.hidden, seeds)
    groups = [
        {"params": parameters[::2], "weight_decay": setting.decay},
        {"params": parameters[1::2], "weight_decay": 0.0},
    ]
    adam = nnlib.optim.AdamW(groups, lr=1e-3)
    rngs = [np.random.default_rng(2000 + seed) for seed in range(seeds)]
    held_out_sets = held_out()
    history: dict[str, Any] = {"epochs": []}
    seed_index = np.arange(seeds)[:, None]
    for epoch in range(1, epochs + 1):
        orders = np.stack([rng.permutation(setting.images) for rng in rngs])
        for batch in np.split(orders, setting.images // 50, axis=1):
            x, y = images[seed_index, batch], labels[seed_index, batch]
            if setting.shift:
                x = np.concatenate([shifted(x[s : s + 1], setting.shift, rngs[s])
                                    for s in range(seeds)])  # fmt: skip
            dropout_mask: Any = 1.0
            if setting.dropout:
                p, size = setting.dropout, (50, setting.hidden)
                mask = np.stack([rng.random(size) >= p for rng in rngs])
                dropout_mask = nnlib.tensor(mask.astype("float32") / (1 - p))
            z = logits(parameters, nnlib.tensor(x), dropout_mask)
            adam.zero_grad()
            # a sum over the seeds: no network's gradient contains another's loss
            (F.cross_entropy(z.reshape(-1, 10), nnlib.tensor(y.reshape(-1))) * seeds).backward()
            adam.step()
        if epoch % EVERY == 0:
            history["epochs"].append(epoch)
            sets = {"training": (nnlib.tensor(images), labels), **held_out_sets}
            for name, (inputs, answers) in sets.items():
                accuracy, loss = evaluate(parameters, inputs, answers)
                history.setdefault(f"{name} accuracy", []).append(accuracy)
                history.setdefault(f"{name} loss", []).append(loss)
    return history


# --- stored results -----------------------------------------------------------------------------

METRICS = (
    "training accuracy", "validation accuracy", "test accuracy", "training loss", "validation loss"
)  # fmt: skip


def result(setting: Setting, **options: Any) -> dict[str, Any]:
    """The results to store: accuracies and losses, (evaluations, seeds), with four decimals."""
    history = train(setting, **options)
    return asdict(setting) | {
        "epochs": history["epochs"],
        **{name: np.round(history[name], 4).tolist() for name in METRICS},
    }


@cache
def stored() -> list[dict[str, Any]]:
    """The results of all settings, as arrays, in the order of SETTINGS."""
    text = (resources.files("course.mlp") / FILE).read_text("utf8")
    return [
        {k: np.array(v) if isinstance(v, list) else v for k, v in row.items()}
        for row in json.loads(text)
    ]


def main() -> None:
    rows = []
    for setting in SETTINGS:
        rows.append(result(setting))
        last = {name: round(float(np.mean(rows[-1][name][-1])), 3) for name in METRICS}
        print(setting, last, flush=True)
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    (Path(__file__).with_name(FILE)).write_text(f"[{lines}]\n", "utf8")


if __name__ == "__main__":
    main()

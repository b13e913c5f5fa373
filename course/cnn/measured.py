"""Networks for images over several starts: accuracy on shifted and larger images, and transfer.

``python -m course.cnn.measured`` trains them all (a quarter of an hour on one core) and writes
`course/networks/weights/image_seeds.json`, and the weights of the network for seven digits.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from course import networks
from course.networks import digits
from nnlib import datasets, nn

WEIGHTS = Path(networks.__file__).parent / "weights"
FILE, SEVEN = WEIGHTS / "image_seeds.json", WEIGHTS / "seven_digits.npz"
SEEDS, EPOCHS, MAX_SHIFT = range(3), 15, 4
SHIFTS = range(7)
PAPER = 16  # empty pixels on every side of the larger images


NETWORKS: dict[str, tuple[Callable[[], nn.Module], bool]] = {  # and whether the digits are moved
    "MLP": (digits.mlp, False),
    "two pools": (digits.two_pools, False),
    "MLP, moved digits": (digits.mlp, True),
    "two pools, moved digits": (digits.two_pools, True),
    "anywhere": (digits.anywhere, False),
    "anywhere, larger paper": (digits.anywhere, False),
}
FRAME, FRAME_EPOCHS = 8, 6  # empty pixels around the training digits of the last of these


def fit(
    net: nn.Module, x: Any, y: Any, seed: int, epochs: int = EPOCHS, moved: bool = False
) -> nn.Module:
    """Trains like digits.fit; `moved` shifts mini-batches by up to MAX_SHIFT pixels both ways."""
    rng = np.random.default_rng(seed)
    adam = nnlib.optim.Adam(net.parameters(), lr=2e-3)
    net.train()
    for epoch in range(epochs):
        adam.param_groups[0]["lr"] = 2e-3 * (1 - epoch / epochs)
        for batch in np.array_split(rng.permutation(len(x)), max(1, len(x) // 50)):
            images = x[batch]
            if moved:
                images = digits.moved(images, *rng.integers(-MAX_SHIFT, MAX_SHIFT + 1, 2))
            adam.zero_grad()
            F.cross_entropy(net(images), y[batch]).backward()
            adam.step()
    return net.eval()


def train(name: str, seed: int) -> nn.Module:
    """A network trained from this start; "anywhere" from start 0 is the stored one."""
    if (name, seed) == ("anywhere", 0):
        return digits.trained("anywhere")
    make, moved = NETWORKS[name]
    data = datasets.digits()
    x, y = nnlib.tensor(data.x), nnlib.tensor(data.y)
    nnlib.manual_seed(seed)
    if name == "anywhere, larger paper":
        return fit(make(), F.pad(x, (FRAME,) * 4), y, seed, epochs=FRAME_EPOCHS)
    return fit(make(), x, y, seed, moved=moved)


def tested(net: nn.Module) -> dict[str, Any]:
    """Accuracy on test digits shifted to the right, and, if the net accepts them, larger images."""
    data = datasets.digits(train=False)
    x, y = nnlib.tensor(data.x), nnlib.tensor(data.y)
    accuracies: dict[str, Any] = {
        "shifts": [digits.accuracy(net, digits.moved(x, 0, k), y) for k in SHIFTS]
    }
    if "AdaptiveMaxPool2d" in str(net):
        wide = F.pad(x, (PAPER,) * 4)
        accuracies["paper"] = digits.accuracy(net, wide, y)
    return accuracies


# --- transfer: seven digits are learned, three are new ----------------------------------------

OLD, NEW = (0, 1, 2, 3, 4, 5, 6), (7, 8, 9)


def reader_of(classes: int) -> nn.Sequential:
    """A small network of the kind “anywhere”; its first ten layers give 32 features."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(), nn.AdaptiveMaxPool2d(1),
        nn.Flatten(), nn.Linear(32, classes),
    )  # fmt: skip


def train_seven(seed: int = 0) -> nn.Module:
    """A network trained only on the digits 0 to 6."""
    data = datasets.digits()
    is_old = np.isin(data.y, OLD)
    nnlib.manual_seed(seed)
    x, y = nnlib.tensor(data.x[is_old]), nnlib.tensor(data.y[is_old])
    return fit(reader_of(len(OLD)), x, y, seed)


@cache
def seven() -> nn.Sequential:
    """The network for the digits 0 to 6, with its stored weights."""
    net = reader_of(len(OLD))
    net.load_state_dict({key: value.float() for key, value in nnlib.load(SEVEN).items()})
    net.eval()
    return net


def few(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """`count` training images of each new digit, and their classes 0, 1, 2."""
    data, rng = datasets.digits(), np.random.default_rng(seed)
    rows = np.concatenate([rng.permutation(np.flatnonzero(data.y == k))[:count] for k in NEW])
    return data.x[rows], np.repeat(np.arange(len(NEW)), count)


def new_test() -> tuple[np.ndarray, np.ndarray]:
    """All test images of the new digits, and their classes 0, 1, 2."""
    data = datasets.digits(train=False)
    rows = np.isin(data.y, NEW)
    return data.x[rows], data.y[rows] - NEW[0]


def features(x: np.ndarray, kind: str) -> Any:
    """A classifier's inputs: 784 pixels, or the 32 features of the network for seven digits."""
    if kind == "pixels":
        return nnlib.tensor(x).flatten(1)
    with nnlib.no_grad():
        return nnlib.Tensor.detach(seven()[:10](nnlib.tensor(x)))


def few_shot(kind: str, count: int, seed: int, steps: int = 200) -> float:
    """Test accuracy on the new digits of logistic regression on the features of a few examples."""
    x, y = few(count, seed)
    x_test, y_test = new_test()
    train_features, test_features = features(x, kind), features(x_test, kind)
    scale = train_features.std().item()
    nnlib.manual_seed(seed)
    head = nn.Linear(train_features.shape[1], len(NEW))
    adam = nnlib.optim.Adam(head.parameters(), lr=0.02)
    for _ in range(steps):
        adam.zero_grad()
        F.cross_entropy(head(train_features / scale), nnlib.tensor(y)).backward()
        adam.step()
    with nnlib.no_grad():
        return float((head(test_features / scale).argmax(1).numpy() == y_test).mean())


def from_scratch(count: int, seed: int) -> float:
    """Test accuracy on the new digits of a whole network trained on the few examples alone."""
    x, y = few(count, seed)
    nnlib.manual_seed(seed)
    net = fit(reader_of(len(NEW)), nnlib.tensor(x), nnlib.tensor(y), seed, epochs=60)
    x_test, y_test = new_test()
    return digits.accuracy(net, nnlib.tensor(x_test), nnlib.tensor(y_test))


# --- results --------------------------------------------------------------------------------------

COUNTS, SAMPLES = (1, 2, 5, 10, 20), range(5)


def results() -> dict[str, Any]:
    """{"networks": {name: [per seed]}, "transfer": {kind: [[per sample] per count]}}."""
    stored: dict[str, Any] = json.loads(FILE.read_text("utf8"))
    return stored


def main(parts: list[str]) -> None:
    measured: dict[str, Any] = {"networks": {}, "transfer": {}}

    def store() -> None:
        stored = results() if FILE.exists() else {}
        merged = {part: stored.get(part, {}) | new for part, new in measured.items()}
        FILE.write_text(json.dumps(merged, indent=1) + "\n", "utf8")

    if "transfer" in parts or not parts:
        nnlib.save(digits.half(train_seven()), SEVEN)
        for kind in ("pixels", "features"):
            measured["transfer"][kind] = [[few_shot(kind, n, s) for s in SAMPLES] for n in COUNTS]
            store()
        measured["transfer"]["from scratch"] = [
            [from_scratch(n, s) for s in SAMPLES] for n in COUNTS
        ]
        store()
    for name in NETWORKS:
        if name in parts or not parts:
            seeds = SEEDS if name != "anywhere, larger paper" else range(1)
            measured["networks"][name] = []
            for seed in seeds:
                measured["networks"][name].append(tested(train(name, seed)))
                store()


if __name__ == "__main__":
    main(sys.argv[1:])

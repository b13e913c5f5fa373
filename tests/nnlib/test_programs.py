"""Small programs as people write them, which differ only in the library that they import."""

from __future__ import annotations

import re

import numpy as np
import pytest

# The two libraries generate different random numbers, so a formula gives the programs' weights.
START = """
import torch
import torch.nn.functional as F
from torch import nn


def filled(model):
    with torch.no_grad():
        for k, p in enumerate(model.parameters()):
            values = torch.sin(torch.arange(p.numel(), dtype=torch.float32) * 1.7 + k)
            p.copy_(values.reshape(p.shape) * 0.5)
    return model
"""

PROGRAMS = {
    "the lecture's net": """
w = torch.full((6, 6), 0.5, requires_grad=True)
x1, x2, y = 1.0, 0.5, 0.7
a3 = torch.sigmoid(w[0, 3] + w[1, 3] * x1 + w[2, 3] * x2)
a4 = torch.sigmoid(w[0, 4] + w[1, 4] * x1 + w[2, 4] * x2)
a5 = torch.sigmoid(w[0, 5] + w[3, 5] * a3 + w[4, 5] * a4)
loss = (a5 - y) ** 2
loss.backward()
answer = w.grad, loss, repr(w.grad[3, 5]), repr(loss)
""",
    "logistic regression by gradient ascent": """
x = torch.tensor([[0.5], [2.0], [3.0], [4.5]])
y = torch.tensor([0.0, 0.0, 1.0, 1.0])
w0 = torch.zeros(1, requires_grad=True)
w1 = torch.zeros(1, requires_grad=True)
for _ in range(50):
    p = torch.sigmoid(w0 + w1 * x[:, 0])
    ll = (y * torch.log(p) + (1 - y) * torch.log(1 - p)).sum()
    ll.backward()
    with torch.no_grad():
        w0 += 0.1 * w0.grad
        w1 += 0.1 * w1.grad
        w0.grad.zero_()
        w1.grad.zero_()
answer = w0, w1, ll, (p > 0.5).tolist()
""",
    "XOR": """
X = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
y = torch.tensor([[0.0], [1.0], [1.0], [0.0]])
model = filled(nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1)))
loss_fn = nn.BCEWithLogitsLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
losses = []
for _ in range(100):
    optimizer.zero_grad()
    loss = loss_fn(model(X), y)
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
answer = torch.tensor(losses), (model(X) > 0).squeeze(1).tolist(), str(model)
""",
    "an MLP with data loaders, a schedule and clipping": """
from torch.utils.data import DataLoader, TensorDataset, Subset


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(6, 10)
        self.fc2 = nn.Linear(10, 3)
        self.norm = nn.LayerNorm(10)

    def forward(self, x):
        return self.fc2(F.relu(self.norm(self.fc1(x))))


X = torch.cos(torch.arange(120, dtype=torch.float32)).reshape(20, 6)
data = TensorDataset(X, torch.arange(20) % 3)
model = filled(Net())
optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
for epoch in range(5):
    model.train()
    for xb, yb in DataLoader(Subset(data, range(16)), batch_size=5):
        loss = F.cross_entropy(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
    schedule.step()
model.eval()
with torch.no_grad():
    predictions = model(X).argmax(dim=1)
answer = loss, norm, predictions, schedule.get_last_lr(), list(model.state_dict()), str(model)
""",
    "a convolutional network": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 4, kernel_size=3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(),
            nn.MaxPool2d(2), nn.Conv2d(4, 6, 3, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
        )
        self.head = nn.Linear(6, 2)

    def forward(self, x):
        return self.head(torch.flatten(self.features(x), 1))


x = torch.sin(torch.arange(4 * 100, dtype=torch.float32)).view(4, 1, 10, 10)
y = torch.tensor([0, 1, 1, 0])
model = filled(Net())
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for _ in range(3):
    optimizer.zero_grad(set_to_none=True)
    loss = nn.CrossEntropyLoss(label_smoothing=0.1)(model(x), y)
    loss.backward()
    optimizer.step()
running = model.features[1].running_mean
model.eval()
answer = loss, running, model(x).detach(), sum(p.numel() for p in model.parameters())
""",
    "a classifier of words": """
class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(10, 5)
        self.rnn = nn.LSTM(5, 7, batch_first=True)
        self.out = nn.Linear(7, 3)

    def forward(self, words):
        outputs, (h, c) = self.rnn(self.embedding(words))
        return self.out(h[-1])


words = (torch.arange(24).view(4, 6) * 7) % 10
model = filled(Classifier())
optimizer = torch.optim.RMSprop(model.parameters(), lr=0.01)
for _ in range(3):
    loss = F.cross_entropy(model(words), torch.tensor([0, 1, 2, 0]), reduction="sum")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
answer = loss, model(words), [tuple(p.shape) for p in model.parameters()]
""",
    "a recurrent net step by step, a softmax at each": """
cell = filled(nn.RNNCell(4, 3))
out = filled(nn.Linear(3, 4))
ids = torch.tensor([0, 2, 1, 3, 0])
x = F.one_hot(ids, 4).float()
h = torch.zeros(1, 3)
total = torch.zeros(())
for t in range(4):
    h = cell(x[t].unsqueeze(0), h)
    total = total + F.nll_loss(F.log_softmax(out(h), dim=-1), ids[t + 1].view(1))
total.backward()
answer = total, cell.weight_hh.grad, out.bias.grad
""",
    "a custom function": """
class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, scale):
        ctx.save_for_backward(x)
        ctx.scale = scale
        return x ** 3 * scale

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3 * x ** 2 * g * ctx.scale, None


x = torch.tensor([1.0, -2.0], dtype=torch.float64, requires_grad=True)
gradients = []
y = Cube.apply(x, 0.5)
y.register_hook(lambda g: gradients.append(g.tolist()))
y.retain_grad()
y.sum().backward()
correct = torch.autograd.gradcheck(lambda v: Cube.apply(v, 2.0), x)
answer = x.grad, y.grad, gradients, correct
""",
    "derivatives of derivatives": """
def f(x):
    return (x[0] ** 2 * x[1]).sin() + torch.exp(x).prod()


x = torch.tensor([0.3, -0.7], requires_grad=True)
(g,) = torch.autograd.grad(f(x), x, create_graph=True)
(h,) = torch.autograd.grad(g.sum(), x)
answer = (
    g, h, torch.autograd.functional.hessian(f, x.detach()),
    torch.autograd.functional.jacobian(lambda v: torch.softmax(v, 0), x.detach()),
)
""",
    "attention": """
q = torch.linspace(-1, 1, 24).view(1, 2, 4, 3).requires_grad_()
k, v = torch.cos(q.detach() * 3), torch.sin(q.detach() * 5)
out = F.scaled_dot_product_attention(q, k, v, is_causal=True)
weights = torch.softmax(q @ k.transpose(-2, -1) / 3 ** 0.5, dim=-1)
mask = torch.tril(torch.ones(4, 4, dtype=torch.bool))
scores = (q @ k.transpose(-2, -1)).masked_fill(~mask, float("-inf"))
out.sum().backward()
answer = out, weights, q.grad, torch.einsum("bhij,bhjd->bhid", weights, v), scores.softmax(-1)
""",
    "saved and loaded": """
import io

model = filled(nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Dropout(0.5)))
file = io.BytesIO()
torch.save({"model": model.state_dict(), "epoch": 3}, file)
file.seek(0)
checkpoint = torch.load(file)
other = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Dropout(0.5))
report = other.load_state_dict(checkpoint["model"])
other.eval()
answer = other(torch.ones(2, 3)), checkpoint["epoch"], list(checkpoint["model"]), str(report)
""",
    "indexing, sorting, counting": """
x = torch.arange(24.0).reshape(2, 3, 4)
x[0, :, 1] = -1
x[x > 20] = 0.5
values, indices = x.max(dim=2)
top = torch.topk(x.flatten(), 3)
w = torch.ones(3, requires_grad=True)
(w[torch.tensor([0, 0, 2])] * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
answer = (
    x, values, indices, top.values, top.indices, w.grad, torch.stack([x[0], x[1]], dim=1).shape[1],
    torch.cat([x, x], dim=0).sum(dim=(0, 2), keepdim=True), x.mean(), x.std(dim=0),
    x.permute(2, 0, 1)[1, :, ::2], torch.where(x < 0, x, -x).sort(descending=True)[0],
    torch.bincount(torch.tensor([1, 1, 3])), x[..., None, 0].shape[-1], x.cumsum(1)[:, -1],
)
""",
}


def run(program: str, library: str) -> tuple:
    lines = (START + program).splitlines()
    if library != "torch":
        lines = [
            re.sub(r"^(import|from) torch\b", rf"\1 {library}", line)
            + (" as torch" if line == "import torch" else "")
            for line in lines
        ]
    scope: dict = {"__name__": "program"}
    exec(compile("\n".join(lines), f"<{library}>", "exec"), scope)
    return scope["answer"]


def assert_same(ours, theirs):
    if isinstance(theirs, (list, tuple)):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert_same(a, b)
    elif hasattr(theirs, "detach"):
        assert tuple(ours.shape) == tuple(theirs.shape)
        assert ours.requires_grad == theirs.requires_grad
        a, b = ours.detach().numpy(), theirs.detach().numpy()
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    elif isinstance(theirs, float):
        assert ours == pytest.approx(theirs, rel=1e-5)
    else:
        assert ours == theirs


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_gives_the_same_results_with_either_library(name):
    assert_same(run(PROGRAMS[name], "nnlib"), run(PROGRAMS[name], "torch"))


def test_the_comparison_finds_a_difference():
    program = PROGRAMS["the lecture's net"]
    with pytest.raises(AssertionError):
        assert_same(run(program.replace("0.7", "0.8"), "nnlib"), run(program, "torch"))

import nnlib
from nnlib import nn
from nnlib.nn import functional as F

x = nnlib.tensor([[0.0, 0], [1, 0], [0, 1], [1, 1]])
y = nnlib.tensor([[0.0], [1], [1], [0]])
net = nn.Sequential(
    nn.Linear(2, 2), nn.Sigmoid(), nn.Linear(2, 1))
net[0].load_state_dict({
    "weight": nnlib.tensor([[1.0, 1.2], [2, 1.8]]),
    "bias": nnlib.tensor([-1.0, -1.0])})
net[2].load_state_dict({
    "weight": nnlib.tensor([[-1.0, 1.0]]),
    "bias": nnlib.tensor([0.0])})
optimizer = nnlib.optim.Adam(net.parameters(), lr=0.1)
for epoch in range(200):
    optimizer.zero_grad()
    z = net(x)
    loss = F.binary_cross_entropy_with_logits(z, y)
    loss.backward()
    optimizer.step()
print((net(x) > 0).flatten().tolist())

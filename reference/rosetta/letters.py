import nnlib
from nnlib import nn
from nnlib.nn import functional as F

nn2 = nn.RNN(26, 8, batch_first=True)
nn3 = nn.Linear(8, 2)
with nnlib.no_grad():
    for p in [*nn2.parameters(), *nn3.parameters()]:
        ramp = nnlib.linspace(-0.5, 0.5, p.numel())
        p.copy_(ramp.reshape(p.shape))
codes = nnlib.tensor([[18, 13, 13]])  # r, n, n
x = F.one_hot(codes, 26).float()
states, last = nn2(x)
logits = nn3(last[0])
loss = F.cross_entropy(logits, nnlib.tensor([1]))
loss.backward()
print(states.shape, nn2.weight_hh_l0.grad.shape)

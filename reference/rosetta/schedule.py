import nnlib
from nnlib import nn, optim

w = nn.Parameter(nnlib.tensor([4.0, -3.0]))
optimizer = optim.SGD([w], lr=0.4, momentum=0.5)
schedule = optim.lr_scheduler.StepLR(optimizer, 5, 0.5)
for epoch in range(10):
    optimizer.zero_grad()
    (w ** 2).sum().backward()
    optimizer.step()
    schedule.step()
rate = schedule.get_last_lr()
print(rate, w.tolist())

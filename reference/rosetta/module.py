import nnlib
from nnlib import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(2, 2)
        self.output = nn.Linear(2, 1)

    def forward(self, x):
        return self.output(self.hidden(x).sigmoid())

net = Net()
for p in net.parameters():
    nn.init.constant_(p, 0.5)
print(net)
print(net(nnlib.tensor([[0.0, 1.0]])))

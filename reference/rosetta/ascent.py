import nnlib

x = nnlib.tensor([[1.0, -2], [1, 0], [1, 1], [1, 3]])
y = nnlib.tensor([0.0, 1, 0, 1])
w = nnlib.zeros(2, requires_grad=True)
for step in range(100):
    p = nnlib.sigmoid(x @ w)
    ll = (y*p.log() + (1 - y)*(1 - p).log()).sum()
    ll.backward()
    with nnlib.no_grad():
        w += 0.2 * w.grad
        w.grad = None
print(w.tolist())

import nnlib

x = nnlib.tensor([1.0, 2.0], requires_grad=True)
value = (x**3).sum()
(first,) = nnlib.autograd.grad(
    value, x, create_graph=True)
(second,) = nnlib.autograd.grad(first.sum(), x)
print(first, second, sep="\n")

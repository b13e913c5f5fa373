import nnlib
from nnlib.autograd import functional

def f(x):
    return nnlib.stack([x[0] * x[1], x.sin().sum()])

x = nnlib.tensor([1.0, 2.0])
jacobian = functional.jacobian(f, x)
hessian = functional.hessian(lambda x: f(x)[0], x)
print(jacobian, hessian, sep="\n")

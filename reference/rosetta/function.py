import nnlib

class Square(nnlib.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * x * grad

x = nnlib.tensor(3.0, requires_grad=True)
Square.apply(x).backward()
print(x.grad)

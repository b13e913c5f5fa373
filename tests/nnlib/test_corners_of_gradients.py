"""Gradients where functions are not smooth, infinite or undefined, compared with PyTorch's."""

from __future__ import annotations

import pytest

from tests.nnlib.alike import alike

UNDEFINED = {
    "the zero vector is normalised with a finite gradient": """
x = T.tensor([[0., 0.], [3., 4.]], requires_grad=True); F.normalize(x, dim=1).sum().backward()
out = x.grad
""",
    "vectors are normalised by their largest element": """
x = T.tensor([[0., 2.], [-3., 1.]], requires_grad=True)
F.normalize(x, p=math.inf, dim=1)[:, 0].sum().backward(); out = x.grad
""",
    "vectors, also zero vectors, are normalised by other norms": """
x = T.tensor([[0., 0.], [-3., 0.]], requires_grad=True); gs = []
for p in (1, 1.5, 3):
    gs += T.autograd.grad((F.normalize(x, p=p, dim=1) * T.tensor([1., 2.])).sum(), x)
out = gs
""",
    "the cross-entropy of probabilities 0 and 1 has a finite gradient": """
x = T.tensor([0., 1., 1., 0., .3], requires_grad=True)
y = T.tensor([0., 1., 0., 1., .5])
F.binary_cross_entropy(x, y, reduction="sum").backward(); out = x.grad
""",
    "the cross-entropy of probabilities is weighted, and has a gradient in the target": """
x = T.tensor([.2, .7, 1.], requires_grad=True); y = T.tensor([0., .5, .9], requires_grad=True)
out = T.autograd.grad(F.binary_cross_entropy(x, y, weight=T.tensor([1., 2., 3.])), (x, y))
""",
    "the cross-entropy of probabilities has a second gradient": """
x = T.tensor([.2, .7], dtype=T.float64, requires_grad=True); y = T.tensor([0., .5]).double()
(g,) = T.autograd.grad(F.binary_cross_entropy(x, y), x, create_graph=True)
out = T.autograd.grad((g * g).sum(), x)
""",
    "a cross-entropy of probabilities refuses a target of another dtype": """
out = F.binary_cross_entropy(T.ones(2), T.ones(2, dtype=T.int64))
""",
    "flat functions stop an infinite gradient": """
gs = []
for f in (T.floor, T.ceil, T.round, T.trunc, T.sign):
    x = T.tensor([.3, -.3, 1.2], requires_grad=True); (1 / f(x)).sum().backward(); gs.append(x.grad)
out = gs
""",
    "a dead unit stops an infinite gradient": """
x = T.tensor([-1., 2., math.nan], requires_grad=True)
(T.relu(x) * T.tensor([math.inf, math.inf, 1.])).sum().backward(); out = x.grad
""",
    "a bound that is a tensor has the gradient of what it replaces": """
nan = math.nan; out = []
for low, high in [(1., 1.), (2., 1.), (0., 2.), (0., nan), (1., None), (None, 1.), (nan, None)]:
    x = T.tensor([0., 1., 2., 3., 1.5 if low == 2 else nan], requires_grad=True)
    bounds = [b if b is None else T.full((5,), b, requires_grad=True) for b in (low, high)]
    result = x.clamp(*bounds); result.sum().backward()
    out += [result.detach(), x.grad, *(b.grad for b in bounds if b is not None)]
""",
    "a clamped element stops an infinite gradient": """
x = T.tensor([-1., .5, 2., math.nan], requires_grad=True)
(x.clamp(0, 1) * T.tensor([math.inf, 1., math.nan, 3.])).sum().backward(); out = x.grad
""",
    "a power of 0 stops an infinite gradient": """
x = T.tensor([1., 2.], requires_grad=True); y = T.tensor([0., 2.])
((x ** 0).sum() * math.inf + (x ** y * T.tensor([math.inf, 1.])).sum()).backward(); out = x.grad
""",
    "both arguments of maximum and minimum get the gradient where one is nan": """
x = T.tensor([math.nan, 1., 2., 2.], requires_grad=True)
y = T.tensor([1., math.nan, 2., 1.], requires_grad=True)
(T.maximum(x, y) + 2 * T.minimum(x, y)).sum().backward(); out = x.grad, y.grad
""",
    "the largest of all elements is nan where one is": """
gs = []
for f in (T.max, T.min, T.median):
    x = T.tensor([1., math.nan, math.nan], requires_grad=True); f(x).backward(); gs.append(x.grad)
out = gs
""",
    "amax of a nan has an undefined gradient": """
x = T.tensor([1., math.nan], requires_grad=True); x.amax().backward(); out = x.grad
""",
    "the softmax of a number passes an undefined gradient on": """
x = T.tensor(2., requires_grad=True); (T.softmax(x, 0) * math.inf).backward(); out = x.grad
""",
    "a standard deviation of 0 has the gradient 0": """
x = T.tensor([[2., 2.], [1., 3.]], requires_grad=True)
(x.std(1).sum() + T.std(x[:1])).backward(); out = x.grad
""",
    "a variance without degrees of freedom is infinite, and its gradient too": """
x = T.tensor([1., 2., 4.], requires_grad=True); v = x.var(correction=5); v.backward()
out = v, x.grad
""",
    "a variance without degrees of freedom over a dimension has the gradient of its formula": """
gs = []
for c in (3, 5):
    x = T.tensor([[1., 2., 4.], [2., 2., 2.]], requires_grad=True)
    x.var(1, correction=c).sum().backward(); gs.append(x.grad)
out = gs
""",
    "the variance of one number is undefined": """
x = T.tensor([3.], requires_grad=True); x.var().backward(); out = x.grad
""",
    "logsumexp of infinities is as undefined as PyTorch's": """
x = T.tensor([[-math.inf, -math.inf], [math.inf, 1.], [-math.inf, 1.]], requires_grad=True)
y = x.logsumexp(1); y.sum().backward(); out = y, x.grad
""",
}

FOUND_BY_FUZZING = {
    "the remainder's gradient uses the same quotient as the remainder": """
x = T.tensor([.01, .3, -.7], dtype=T.float64, requires_grad=True); T.remainder(T.ones(3).double(), x).sum().backward(); out = x.grad
""",
    "the angle at the origin has the gradient 0": """
x, y = T.zeros(2, requires_grad=True), T.tensor([0., 1.], requires_grad=True)
T.atan2(x, y).sum().backward(); out = x.grad, y.grad
""",
    "elu and selu have the second derivative 0 at 0": """
x = T.tensor([-.5, 0., .5], requires_grad=True); out = []
for y in (F.elu(x), F.elu(x, .7), F.selu(x)):
    g, = T.autograd.grad(y.double().sum(), x, create_graph=True); out += [y, g, *T.autograd.grad(g.sum(), x)]
""",
    "a power has a second gradient at 0": """
x = T.tensor([0., 0., 0., 2.], dtype=T.float64, requires_grad=True)
(g,) = T.autograd.grad((x ** T.tensor([3., 1., 2., 0.], dtype=T.float64)).sum(), x, create_graph=True)
out = g.detach(), T.autograd.grad((g * g).sum(), x)
""",
    "an integer to a negative integer power": """
a, n = T.tensor([-1, 1, 2, 0]), T.tensor([-1, -2, -3, -1])
out = a ** n, 2 ** n, True ** n, T.tensor([3], dtype=T.uint8) ** n, a.byte() ** -.25, T.tensor([True]) ** True
""",
    "a negative power of an unsigned integer wraps round to a large one": """
u, n = T.tensor([255, 3, 2], dtype=T.uint8), T.tensor(-1)
out = u ** n, u ** T.tensor([-1, -1, -1]), T.tensor(255, dtype=T.uint8) ** n, u ** n.to(T.int8)
""",
    "a cumulative sum begins with +0": """
x = T.tensor([-0., -0., 1.]); y = x.cumsum(0)
out = T.atan2(T.zeros(3), y), T.atan2(T.tensor(0.), T.tensor(-0.).cumsum(0))
""",
    "functions of booleans and integers": """
b, u, i = T.tensor([True, False]), T.tensor([0, 3], dtype=T.uint8), T.tensor([-9, 9])
out = T.square(b), T.sign(b), u.any(), u.all(0), T.logsumexp(i, 0), F.hardtanh(i), F.relu6(i), b.cumsum(0)
""",
    "flattening a vector returns the vector itself": """
x = T.ones(3, requires_grad=True); y = T.ones(2, 3); z = T.tensor(1.)
out = x.flatten() is x, y.flatten(1) is y, z.flatten() is z, nn.Flatten(0)(x).is_leaf
""",
    "a tensor is filled by a number": "out = T.zeros(2).copy_(3), T.zeros(2, dtype=T.int64).copy_(T.tensor(2.7))",
}

INFINITE_ELEMENTS = {
    "an overwritten value gets no nan from second gradients": """
x = T.tensor([-1., 2.], requires_grad=True); out = []
for write in (lambda y: y.copy_(T.tensor(3.)), lambda y: y.fill_(3.), lambda y: y.zero_()):
    y = T.maximum(x, x); write(y)
    g, = T.autograd.grad((x ** y).sum() + y.sum(), x, create_graph=True)
    out += [g, *T.autograd.grad(g.sum(), x, allow_unused=True, materialize_grads=True)]
""",
    "an infinite gradient of one embedding leaves the other rows alone": """
w = T.ones(4, 2, requires_grad=True)
g = T.tensor([[math.inf, 1.], [1., math.nan]])
(F.embedding(T.tensor([0, 1]), w) * g).sum().backward(); out = w.grad
""",
    "index_select and take leave other rows alone": """
w = T.ones(3, 2, requires_grad=True); g = T.tensor([[math.inf, 1.], [1., 2.]])
a = T.autograd.grad((w.index_select(0, T.tensor([2, 0])) * g).sum(), w)
b = T.autograd.grad((w[T.tensor([2, 0])] * g).sum(), w)
out = a, b
""",
    "index_add leaves other rows alone": """
out = T.index_add(T.zeros(3, 2), 0, T.tensor([0, 1]), T.tensor([[math.inf, 1.], [2., math.nan]]))
""",
    "adaptive pooling leaves windows without nan alone": """
x = T.tensor([[math.inf, 1., 2., math.nan, 3.]])
y = T.arange(25.).reshape(1, 5, 5); y[0, 0, 0] = math.nan
out = F.adaptive_avg_pool1d(x, 3), F.adaptive_avg_pool2d(y, (2, 3)), F.adaptive_max_pool1d(x, 3)
""",
    "unfolding leaves columns without nan alone": """
x = T.tensor([[[[math.inf, 1., 0.], [2., 3., 4.], [5., 6., math.nan]]]])
out = F.unfold(x, (2, 2)), F.unfold(x, (1, 2), padding=1, stride=(2, 1)), F.unfold(x, 2, dilation=2)
""",
}

WINDOWS = {
    "adaptive pooling has the gradient of its windows": """
x = T.arange(35.).reshape(1, 1, 5, 7).requires_grad_()
(F.adaptive_avg_pool2d(x, (2, 3)) * T.arange(6.).reshape(2, 3)).sum().backward(); out = x.grad
""",
    "unfolding has the gradient of its windows": """
x = T.arange(48.).reshape(2, 2, 3, 4).requires_grad_()
y = F.unfold(x, (2, 3), padding=(1, 0), stride=2)
(y * T.arange(float(y.numel())).reshape(y.shape)).sum().backward(); out = y, x.grad
""",
    "unfolding refuses a window that does not fit": "out = F.unfold(T.ones(1, 1, 2, 2), 3)",
    "unfolding refuses a step of 0": "out = F.unfold(T.ones(1, 1, 2, 2), 2, stride=0)",
}

DTYPES = {
    "the gradient of a number to the power of a tensor has the tensor's dtype": """
gs = []
for base in (2, 2.0, 0, 0.0, -1.5, 1):
    for dtype in (T.float16, T.float32, T.float64):
        x = T.tensor([1., 0., 2.], dtype=dtype, requires_grad=True)
        (base ** x).sum().backward(); gs.append(x.grad)
out = gs
""",
    "integers and booleans get no gradient": """
x = T.tensor([1.5, 2.5], requires_grad=True)
(x.long().float() * 3 + x.bool().float() + x.to(T.int8) + x).sum().backward()
out = x.grad, x.long().requires_grad, x.bool().requires_grad, x.int().numpy().tolist()
""",
    "gradients pass through casts between floating-point dtypes": """
x = T.tensor([1.5, 2.5], requires_grad=True)
(x.half().double() * x.double().float()).sum().backward(); out = x.grad
""",
    "the gradient of every function of float16 is float16": """
gs = []
for f in (T.exp, T.log, T.sqrt, T.sigmoid, T.tanh, T.relu, T.abs, T.sum, T.mean, T.amax, T.std,
          lambda x: T.logsumexp(x, 0), lambda x: T.softmax(x, 0), lambda x: x ** 2,
          lambda x: 2 / x, lambda x: T.cumsum(x, 0), lambda x: x.prod(), lambda x: x.norm()):
    x = T.tensor([.5, .25, 1.], dtype=T.float16, requires_grad=True)
    f(x).sum().backward(); gs.append(x.grad)
out = gs
""",
    "equal largest elements share the gradient": """
gs = []
for f in (T.max, T.min, T.median, T.amax, T.amin):
    x = T.tensor([3., 3., 1., 1., 3., 3., 1.], requires_grad=True); f(x).backward(); gs.append(x.grad)
out = gs
""",
    "equal medians share the gradient, infinite ones too": """
gs = []
for v in (math.inf, -math.inf, 2.):
    x = T.tensor([v, 0., v, v], requires_grad=True); x.median().backward(); gs.append(x.grad)
out = gs
""",
    "very many equal float16 elements share a gradient that float16 can still represent": """
x = T.ones(70000, dtype=T.float16, requires_grad=True); x.max().backward()
y = T.ones(70000, dtype=T.float16, requires_grad=True); y.amax().backward()
out = x.grad[:3], y.grad[:3]
""",
    "sums of float16 are accumulated in a wider dtype": """
x = T.full((10,), 60000., dtype=T.float16)
y = T.full((4096,), 0.1, dtype=T.float16)
z = T.tensor([300., -300., 200.]).half()
out = x.mean(), y.sum(), y.mean(), y.cumsum(0)[-1], z.norm(), z.std(), z.var(), F.layer_norm(z, (3,))
""",
}


@pytest.mark.parametrize("corner", UNDEFINED)
def test_an_infinite_or_undefined_gradient_agrees_with_pytorch(corner):
    alike(UNDEFINED[corner])


@pytest.mark.parametrize("corner", FOUND_BY_FUZZING)
def test_a_difference_that_random_programs_found_is_fixed(corner):
    alike(FOUND_BY_FUZZING[corner])


@pytest.mark.parametrize("corner", INFINITE_ELEMENTS)
def test_an_infinite_element_affects_no_other_element(corner):
    alike(INFINITE_ELEMENTS[corner])


@pytest.mark.parametrize("corner", WINDOWS)
def test_windows_and_their_gradients_agree_with_pytorch(corner):
    alike(WINDOWS[corner])


@pytest.mark.parametrize("corner", DTYPES)
def test_a_gradient_has_pytorchs_dtype_and_values(corner):
    half = "float16" in corner
    alike(DTYPES[corner], rtol=5e-3 if half else 1e-5, atol=1e-4 if half else 1e-6)

"""Shared memory, changes in place, copies and pickles, compared with PyTorch."""

from __future__ import annotations

import pytest

from tests.nnlib.alike import alike

VIEWS = {
    "an element shows the tensor's later values": """
x = T.arange(3.); e = x[0]; es = list(x); us = x.unbind(); s = x.select(0, 2); x.fill_(9)
out = e, es[1], us[2], s
""",
    "an element that is changed changes its tensor": """
x = T.arange(4.).reshape(2, 2); x[1, 0].mul_(10); x[0][1] += 5; a, b = x[0]; a.fill_(7); out = x
""",
    "a number has views": """
s = T.tensor(2.); s.view(1).mul_(5); s.unsqueeze(0)[0] += 7; s.expand(1)[0] += 1; s[None][0] *= 2
s.reshape(1, 1).sub_(1); s.flatten().add_(3); out = s
""",
    "a number's detached tensor and its array share its memory": """
s = T.tensor(2., requires_grad=True); d, a = s.detach(), s.detach().numpy(); d.mul_(3)
before = s.item(); a[...] = 5; s.data.add_(1); out = before, s, d
""",
    "a parameter shares its tensor's memory": """
s, v = T.tensor(2.), T.ones(2); p, q = nn.Parameter(s), nn.Parameter(v); s.mul_(3); v.mul_(3)
out = p.detach(), q.detach()
""",
    "a whole slice is a view and not the tensor": """
x = T.zeros(2); y = x[:]; z = x[...]; y.add_(1); out = x, z, y is x, z is x
""",
    "the result of indexing is contiguous, so reshaping it does not copy": """
x = T.arange(12.).reshape(3, 2, 2); out = []
for key in ((slice(None), T.tensor([1, 0])), (None, slice(None), T.tensor([True, False])), (..., [0, 1])):
    y = x[key]; y.flatten().fill_(7); out.append(y)
""",
    "one element of an expanded tensor can be written": """
x = T.tensor([1.8]); e = x.expand(2)[-1]; e[...] = T.tensor(3.); out = x, e
""",
    "a float written into integers is cast": """
x = T.arange(4); x[-1] = T.tensor(math.nan); x[x == 0] = T.tensor(2.7); x[1:2] = T.tensor([-1.5])
x[2] = T.tensor(math.inf); out = x
""",
    "a float is not written into integers through an index tensor": "T.arange(4)[T.tensor([0])] = T.tensor(2.7)",
    "a double is not written into floats through an index tensor": "T.ones(4)[T.tensor([0])] = T.tensor(2.7, dtype=T.float64)",
    "an expanded tensor that repeats no element can be written": """
x, s = T.zeros(2), T.tensor(1.); x.expand(2).add_(1); x.expand(1, 2)[0, 1] = 5
a, b = T.broadcast_tensors(x, T.ones(2)); a.mul_(2); s.expand(1, 1).add_(1); out = x, s
""",
    "an expanded tensor that repeats elements cannot be written": "T.zeros(1).expand(3).add_(1)",
    "an expanded tensor's only element takes a value with dimensions of length 1": """
x = T.zeros(1).expand(3)
try: x[-2] = T.tensor([2.]); out = float(x[0])
except RuntimeError as error: out = 2.0 if "expanded" in str(error) else str(error)
""",
    "transposed matrices that are concatenated or padded are contiguous, so reshaping them does not copy": """
m = T.arange(6.).reshape(2, 3).T; results = [
    F.pad(m, (1, 0)), T.cat([m, m]), T.stack([m, m]), m.tril(), m.softmax(0), m.log_softmax(1),
    m.cumsum(0), m.cumprod(1)]
for x in results: x.reshape(-1).fill_(7)
out = results
""",
    "a change of a diagonal reaches the matrix, or is refused": """
x = T.ones(3, 3); x.diagonal().mul_(2); x.T.diagonal(1).add_(1)
try: x[:2, :2].diagonal().fill_(9); out = x
except RuntimeError as error:
    assert "read-only" in str(error); x[0, 0] = x[1, 1] = 9; out = x
""",
    "writing through a mask to an expanded tensor takes effect or is refused": """
x = T.tensor([0.5]).expand(3)
try: x[T.tensor([True, False, False])] = T.tensor(2.); out = float(x[0])
except RuntimeError: out = 2.0
""",
    "an expanded tensor is filled with one number": """
a, b, c = T.zeros(1).expand(3), T.arange(2.).expand(3, 2), T.arange(4).expand(2, 4)
d = (2 * T.tensor(True)).expand(2)
a.fill_(3); b.zero_(); c[1:, -1:] = c.sum(); d.fill_(1); e = T.zeros(1, 3).expand(1, 3); e[0, 1] = 4
out = a, b, c, d, e
""",
    "the diagonal of a transposed matrix is a view": """
x = T.arange(12.).reshape(3, 4); x.T.diagonal().mul_(10); x.T.diagonal(1).fill_(-1); x.mT.diagonal(-2).add_(100)
y = T.arange(12.).reshape(2, 3, 2); y.movedim(-1, 0).diagonal(0, 1, 2).fill_(7); out = x, y[0]
""",
    "the result of einsum is contiguous": """
a, b = T.arange(6.).reshape(3, 2, 1), T.ones(1, 3); e = T.einsum("abc,cd->dab", a, b.mT.mT[:, :1] * 0 + 1)
f = T.einsum("...i,...i->...", b[:, :1], a); l = f[1:].flatten(); l.fill_(9); out = f
""",
    "one value of another dtype is written through a mask": """
x = T.zeros(3); x[x == 0] = T.tensor([5]); y = T.zeros(2).half(); y[T.tensor([True, False])] = T.tensor([2.], dtype=T.float64); out = x, y
""",
    "a diagonal is a view, diag() is a copy": """
x = T.eye(2); x.diagonal().add_(1); x.diag().add_(9); out = x
""",
    "repeats of 1 are copies": """
x = T.arange(3.); r, s, t = x.repeat(2, 1), x.repeat_interleave(1), x.tile(1, 1); u = x.repeat(1)
v = x.roll(0); w = x.roll(3, 0); f = T.tensor(1.); g = f.flip(()) ; x.fill_(9); f.fill_(9)
out = r, s, t, u, v, w, g
""",
    "the results of functions of a number do not share its memory": """
s = T.tensor(2.); rs = [s.cumsum(0), s.cumprod(0), s.sum(), s.prod(), s.amax(), s.max(0)[0],
    s.sort()[0], s.clone(), s.gather(0, T.tensor(0)), s.take_along_dim(T.tensor(0)), +s.relu(),
    s.median(), F.pad(s, ()), s.clamp(0, 5), s.round(), s.median(0)[0], s.topk(1)[0]]
s.fill_(9); out = rs
""",
    "a conversion that changes nothing returns the tensor itself": """
x = T.ones(2); y = T.ones(2, 2)
out = [x.to(x.dtype) is x, x.float() is x, x.contiguous() is x, x.cpu() is x, (+x) is x,
       x.to("cpu") is x, x.type_as(y) is x, T.as_tensor(x) is x, y.T.contiguous() is y]
""",
    "views of views share one memory": """
x = T.arange(12.).reshape(3, 4); y = x[1:].T[2].view(2, 1)[1]; y.add_(100); out = x, y
""",
    "a reshape that must copy is not a view": """
x = T.arange(6.).reshape(2, 3); y = x.T.reshape(6); y.add_(1); out = x, y
""",
}

HISTORIES = {
    "a view made before a change of its base gets the history of the change": """
x = T.tensor([1., 2., 3.], requires_grad=True); y = x * 2; v = y[1:]; w = y.view(3, 1); e = y[0]
y.mul_(3); y[2] = x[0] * 5
(v * v + e).sum().backward(); (w.sum() * 1).detach(); out = x.grad, v.detach(), w.detach()
""",
    "a view made before its base is recorded gets a history too": """
w = T.tensor([2., 3.], requires_grad=True); x = T.zeros(3); v, e = x[:2], x[0]
x[0] = w[0] * w[1]; x[1:] = w
(v.sum() * e).backward(); out = w.grad, v.requires_grad, e.requires_grad
""",
    "a sibling view has the new history": """
w = T.tensor([1., 2., 3.], requires_grad=True); y = w * 1; a, b = y[:2], y[1:]; a.mul_(T.tensor([2., 5.]))
(b * T.tensor([1., 10.])).sum().backward(); out = w.grad, b.detach()
""",
    "a copy of a leaf is not a leaf": """
a, b = T.zeros(2), T.tensor([1., 2.], requires_grad=True); a.copy_(b); a.mul_(3); a.sum().backward()
out = b.grad, a.is_leaf, a.detach()
""",
    "a change by a wider dtype has a gradient of that dtype": """
a, b = T.tensor([1., 2.]).half(), T.tensor([1., 2.], dtype=T.float64, requires_grad=True); c = a.sin()
c[1] += b.sum(); c[0] = b[0] * 2; (c * 3).sum().backward(); out = b.grad
""",
    "assigning a recorded value to an empty selection is recorded": """
a, b = T.zeros(2), T.ones(2, requires_grad=True); a[[]] = b.sum(); a.sum().backward()
out = a.requires_grad, b.grad
""",
    "a view of a detached tensor gets the history of a change to that tensor": """
a, b = T.ones(2, requires_grad=True), T.ones(2, requires_grad=True); c = a.detach(); d = c[...]
c[...] = b * 3; (d * 2).sum().backward(); out = b.grad, a.grad, d.requires_grad
""",
    "a detached tensor has the new values and no history": """
w = T.tensor([1., 2.], requires_grad=True); y = w * 1; d = y.detach(); y.mul_(4)
out = d, d.requires_grad
""",
    "a result computed from a view before a change keeps its history": """
w = T.tensor([1., 2.], requires_grad=True); y = w * 1; v = y[1:]; z = v + 1; y.mul_(4)
(z.sum() + v.sum()).backward(); out = w.grad
""",
    "a change of a reshape that copied does not change the original": """
w = T.arange(6.).reshape(2, 3).requires_grad_(); y = w * 1; c = y.T.reshape(6); c.mul_(3)
(y.sum() + c.sum()).backward(); out = w.grad
""",
    "a change through an expanded view that repeats nothing is recorded": """
w = T.tensor([1., 2.], requires_grad=True); y = w * 1; y.expand(1, 2).mul_(4); y.sum().backward()
out = w.grad
""",
    "a change of one column of an expanded tensor changes every column": """
w = T.tensor([1., 2.], requires_grad=True); y = (w * 1).reshape(2, 1); e = y.expand(2, 3); f = e[1]
c = e[:, 0]; c.mul_(T.tensor([4., 5.])); out = y, e, f, c
(y.sum() + 10 * e.sum() + 100 * f.sum() + 1000 * c.sum()).backward(); g = w.grad; out = *out, g
""",
    "elements of expanded tensors can be written, recorded or not": """
w = T.tensor([1., 2., 3.], requires_grad=True); e = (w * 1).reshape(3, 1).expand(3, 2); e[1, 0] = 7
z = T.zeros(3, 1); d = z.expand(3, 2); d[:, 1] = w; d[0, 0] += w[2]; d[1:, 0].mul_(2)
(e.sum() + (d * d).sum() + z.sum()).backward(); out = e, d, z, w.grad
""",
    "a change of an expanded view of a slice changes the base": """
w = T.arange(6.).reshape(2, 3).requires_grad_(); y = w * 1; e = y[1:].expand(4, 3).T.unsqueeze(0)
e[0, :2, 3].exp_(); (y * y).sum().backward(); out = y, e, w.grad
""",
    "writing to empty selections changes nothing": """
a = T.zeros(2, 0); a[a > 0] = 3; a[-1, 1:1] = T.ones(1).sum(); w = T.ones(2, requires_grad=True)
e = (w * 1).reshape(2, 1).expand(2, 3); e[:0] = 5; e[:, :0].mul_(2); e.sum().backward(); out = a, e, w.grad
""",
    "a change of several rows of an expanded tensor is refused": """
y = T.ones(3, requires_grad=True) * 1; y.expand(2, 3)[:, 0].fill_(2); y.sum().backward()
""",
}

SAVED = {
    "the result of reciprocal()": """
x = T.tensor([2., 4.], requires_grad=True); y = x.reciprocal(); y.mul_(2); y.sum().backward(); out = x.grad
""",
    "the result of rsqrt()": """
x = T.tensor([2., 4.], requires_grad=True); y = T.rsqrt(x); y.add_(1); y.sum().backward(); out = x.grad
""",
    "the argument of reciprocal(), which may change": """
w = T.tensor([2., 4.], requires_grad=True); x = w * 1; y = x.reciprocal(); x.mul_(2)
(g,) = T.autograd.grad(y.sum(), w, create_graph=True); out = y, g, T.autograd.grad(g.sum(), w)
""",
    "a result that is one number": """
x = T.tensor(2., requires_grad=True); y = x.exp(); y.mul_(2); y.backward(); out = x.grad
""",
    "the largest element": """
x = T.tensor([2., 4.], requires_grad=True); y = x.amax(); y.add_(1); y.backward(); out = x.grad
""",
    "an einsum operand that is reduced first may change": """
w = T.tensor([[2., 4.]], requires_grad=True); x, v = w * 1, w[0, :1] * 3
y = T.einsum("...i,...i->...", x, v); z = T.einsum("ij,k->ik", x, v); x.mul_(2)
out = y, z, T.autograd.grad(y.sum() + z.sum(), w)
""",
    "a number's divisor can be changed": """
x = T.tensor([1., -2.], requires_grad=True); y = x * 1; z = 1 / y + 3 / y + y.reciprocal() + y.rsqrt()
y.mul_(4); z[0].backward(); out = x.grad
""",
    "a divisor can be changed before a second gradient": """
x = T.tensor([1., -2.], requires_grad=True); y = x * 1; z = (2 / y).sum(); y.zero_()
g, = T.autograd.grad(z, x, create_graph=True); g.sum().backward(); out = g, x.grad
""",
    "logits can be changed before the second gradient of a cross entropy": """
x = T.tensor([[1., -2., 0.5], [0., 3., 1.]], requires_grad=True); y = x * 1; t = T.tensor([2, 1])
z = F.cross_entropy(y, t); y.mul_(4); g, = T.autograd.grad(z, x, create_graph=True)
(g * g).sum().backward(); out = g, x.grad
""",
    "the classes of a cross entropy cannot be changed": """
x = T.tensor([[1., -2., 0.5], [0., 3., 1.]], requires_grad=True); y = x * 1; t = T.tensor([2, 1])
z = F.cross_entropy(y, t); t.fill_(0); y.mul_(4); T.autograd.grad(z, x, create_graph=True)
""",
    "a factor of einsum can be changed where no other needs it": """
x = T.tensor([1., -2.], requires_grad=True); y, c = x * 1, T.tensor([3., 4.]); z = T.einsum("i,i->", c, y)
s = T.einsum("i->", y); y.neg_(); (z + s).backward(); out = x.grad
""",
    "a factor of einsum that another needs cannot be changed": """
x = T.tensor([1., -2.], requires_grad=True); y, c = x * 1, T.tensor([3., 4.]); z = T.einsum("i,i,i->", y, c, c)
c.neg_(); z.backward()
""",
    "a tensor's divisor cannot be changed": """
x = T.tensor([1., -2.], requires_grad=True); y = x * 1; z = T.tensor(1.) / y; y.mul_(4); z.sum().backward()
""",
    "a divisor cannot be changed together with the quotient": """
x = T.tensor([1., -2.], requires_grad=True); y = x * 1; z = y.reciprocal(); y.mul_(4); z.mul_(4); z.sum().backward()
""",
    "a power of a number can be changed": """
x = T.tensor([1., 2.], requires_grad=True); y = x ** 2; y += 1; z = x ** 0.5; z.zero_()
(y.sum() + z.sum()).backward(); out = x.grad
""",
    "a power whose exponent has a gradient cannot be changed": """
x, n = T.tensor([1., 2.], requires_grad=True), T.tensor([2., 3.], requires_grad=True)
y = x ** n; y += 1; y.sum().backward()
""",
    "the result of max pooling can be changed": """
x = T.arange(16.).reshape(1, 1, 4, 4).requires_grad_(); y = F.max_pool2d(x, 2); y.mul_(0)
y.sum().backward(); a = x.grad; x.grad = None
y = F.max_pool2d(x, 2); y += 3; (y * y.detach()).sum().backward(); out = a, x.grad
""",
    "the argument of max pooling cannot be changed": """
x = T.arange(16.).reshape(1, 1, 4, 4).requires_grad_() * 1; y = F.max_pool2d(x, 2); x.mul_(0)
y.sum().backward()
""",
    "the bias of a linear layer can be changed, its weight cannot": """
x, w, b = T.ones(2, 3, requires_grad=True), T.ones(1, 3, requires_grad=True), T.ones(1, requires_grad=True)
y = F.linear(x, w, b)
with T.no_grad(): b.add_(1)
y.sum().backward(); g = x.grad.clone(), w.grad, b.grad
y = F.linear(x, w, b)
with T.no_grad(): w.add_(1)
try: y.sum().backward(); out = "accepted"
except RuntimeError: out = g
""",
    "the weight of a linear layer can be changed where only it has a gradient": """
x, w = T.arange(6.).reshape(2, 3), T.ones(1, 3, requires_grad=True); gs = []
for f in (lambda: F.linear(x, w), lambda: x @ w.T, lambda: T.mv(x, w[0])):
    y = f()
    with T.no_grad(): w.add_(1)
    w.grad = None; y.sum().backward(); gs.append(w.grad)
out = gs
""",
    "the data of a product cannot be changed where the weight has a gradient": """
x, w = T.ones(2, 3), T.ones(1, 3, requires_grad=True); y = x @ w.T; x.add_(1); y.sum().backward()
""",
    "the numerator can be changed where only it has a gradient": """
x, y = T.tensor([6.], requires_grad=True), T.tensor([3.]); a = x * 1; z = a / y; a.add_(5)
z.backward(); out = x.grad
""",
    "the denominator cannot be changed": """
x, y = T.tensor([6.], requires_grad=True), T.tensor([3.]); z = x / y; y.add_(1); z.backward()
""",
    "logits can be changed after their cross-entropy": """
w = T.tensor([[1., 2.], [3., 0.]], requires_grad=True); z = w * 1
loss = F.cross_entropy(z, T.tensor([0, 1])); z.zero_(); loss.backward(); out = w.grad
""",
    "a convolution's bias can be changed": """
x, w = T.arange(8.).reshape(1, 2, 4).requires_grad_(), T.ones(1, 2, 2, requires_grad=True)
b = T.ones(1, requires_grad=True); y = F.conv1d(x, w, b)
with T.no_grad(): b.add_(1)
y.sum().backward(); out = x.grad, w.grad, b.grad
""",
    "the output of a recurrent layer can be changed": """
gs = []
for layer in (nn.RNN, nn.GRU):  # PyTorch refuses it for an LSTM that MKL-DNN computes
    g = layer(1, 2)
    with T.no_grad():
        for k, p in enumerate(g.parameters()): p.fill_(.5 - .1 * k)
    x = T.tensor([[1.], [2.], [-1.]], requires_grad=True); y = g(x)[0]; y.mul_(2)
    y.sum().backward(); gs += [x.grad, *[p.grad for p in g.parameters()]]
out = gs
""",
    "the exponential's result cannot be changed": """
x = T.ones(2, requires_grad=True); y = x.exp(); y += 1; y.sum().backward()
""",
    "a saved element cannot be changed": """
x, w = T.ones(2), T.ones(2, requires_grad=True); y = (w * x[0]).sum(); x.mul_(2); y.backward()
""",
    "saved numbers cannot be changed": """
s, w = T.tensor(2.), T.ones(2, requires_grad=True); y = (w * s.view(1)).sum(); s.mul_(2); y.backward()
""",
}

COPIES = {
    "a view survives a pickle": """
xs = T.arange(4.).reshape(2, 2), T.arange(4)[1], T.ones(2, 3).T, T.ones(2).detach(), T.tensor(3.).view(1)
out = [pickle.loads(pickle.dumps(x)) for x in xs]
""",
    "a pickle keeps requires_grad and drops gradients": """
x = T.ones(2, requires_grad=True); x.sum().backward(); y = pickle.loads(pickle.dumps(x))
z = pickle.loads(pickle.dumps(x * 2)); out = y, y.grad, y.is_leaf, z.requires_grad
""",
    "a parameter is still a parameter after pickling": """
p = nn.Parameter(T.ones(2)); p.sum().backward(); q = pickle.loads(pickle.dumps(p))
out = type(q).__name__, q.detach(), q.grad, q.requires_grad
""",
    "a module survives a pickle, and shared parameters stay shared": """
m = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)); m[1].weight = m[0].weight
n = pickle.loads(pickle.dumps(m)); out = n[0].weight is n[1].weight, len(list(n.parameters()))
""",
    "largest elements with their indices survive a pickle and a deep copy": """
x = T.tensor([[1., 3., 2.]]).max(1); out = tuple(pickle.loads(pickle.dumps(x))), tuple(copy.deepcopy(x))
""",
    "a deep copy of a leaf keeps its gradient": """
x = T.ones(2, requires_grad=True); x.sum().backward(); y = copy.deepcopy(x); y.grad.mul_(2)
out = y, y.grad, x.grad
""",
    "a deep copy of a parameter has no gradient": """
p = nn.Linear(1, 1); p.weight.sum().backward(); q = copy.deepcopy(p)
out = q.weight.grad, q.weight.requires_grad, type(q.weight).__name__, q.weight is p.weight
""",
    "a computed tensor cannot be copied deeply": "copy.deepcopy(T.ones(1, requires_grad=True) * 2)",
    "a view of a leaf cannot be copied deeply": "copy.deepcopy(T.ones(2, requires_grad=True)[0])",
    "tensors that share memory share it in a deep copy": """
x = T.arange(4.); a, b, c = copy.deepcopy([x, x[1:], x.view(2, 2).T]); a[1] = 9; a[2] = 8
out = a, b, c, x
""",
    "a tensor that occurs twice is copied once": """
x = T.ones(1); a, b = copy.deepcopy([x, x]); out = a is b, a is x
""",
    "a shallow copy shares memory": """
x = T.ones(2); y = copy.copy(x); y[0] = 5; s = T.tensor(1.); t = copy.copy(s); t.fill_(3); out = x, y, s
""",
}


@pytest.mark.parametrize("case", VIEWS)
def test_memory_is_shared_as_in_pytorch(case):
    alike(VIEWS[case])


@pytest.mark.parametrize("case", HISTORIES)
def test_a_change_in_place_gives_views_its_history(case):
    alike(HISTORIES[case])


@pytest.mark.parametrize("case", SAVED)
def test_a_change_is_refused_only_if_a_gradient_needs_the_old_values(case):
    alike(SAVED[case])


@pytest.mark.parametrize("case", COPIES)
def test_copies_and_pickles_agree_with_pytorch(case):
    alike(COPIES[case])

"""Values in unusual cases: integers out of range, empty tensors, odd keys, Python's protocols."""

from __future__ import annotations

import pytest

import nnlib
from tests.nnlib.alike import alike

INTEGERS = {
    "numbers out of the range of a small dtype are compared and added as in PyTorch": """
u = T.tensor([0, 255], dtype=T.uint8); i = T.tensor([1], dtype=T.int32)
out = u == -1, u + 300, u * -1, u - 1, i + 2**31, u < 300, u != 256, 300 - u, i * 2**40, -1 + u
""",
    "numbers that no integer dtype can hold are refused": "T.tensor([1]) + 2**70",
    "numbers that no integer dtype can hold are refused in comparisons": "T.tensor([1]) == 2**70",
    "a fill that does not fit is refused": "T.zeros(2, dtype=T.uint8).fill_(300)",
    "a full tensor that does not fit is refused": "T.full((2,), 300, dtype=T.uint8)",
    "an assignment that does not fit is refused": "x = T.zeros(2, dtype=T.uint8); x[0] = 300",
    "an assignment through a mask that does not fit is refused": """
x = T.zeros(2, dtype=T.int8); x[x == 0] = 200
""",
    "a bound that does not fit is refused": "T.zeros(2, dtype=T.uint8).clamp(-5, 300)",
    "a choice that does not fit is refused": "T.where(T.tensor([True]), T.tensor([1]).byte(), 300)",
    "a float that does not fit is refused": "T.zeros(2).fill_(1e300)",
    "a list that does not fit is refused": "T.tensor([300], dtype=T.uint8)",
    "a list that no dtype can hold is refused": "T.tensor([2**63])",
    "negative numbers wrap round in unsigned dtypes": """
out = T.tensor([-1], dtype=T.uint8), T.full((1,), -2, dtype=T.uint8), T.zeros(1).byte().fill_(-3)
""",
    "infinities fit into every float": "out = T.zeros(2).half().fill_(-math.inf), T.full((1,), math.nan)",
    "the remainder of a division by 0 is refused": "T.tensor([5]) % 0",
    "a remainder by a tensor with a 0 is refused": "T.tensor([5, 6]) % T.tensor([2, 0])",
    "a number's remainder by 0 is refused": "5 % T.tensor([0])",
    "a truncated division by 0 is refused": "T.div(T.tensor([5]), 0, rounding_mode='trunc')",
    "a remainder of 0 has the sign of what is divided": """
x = T.tensor([-0., 3., 0., -3., -6., 6.]) % T.tensor([3., -3., -2., 3., -3., 3.])
out = x, 1 / x, T.tensor([-2., 2.]) % math.inf
""",
    "floats divide by 0": """
x = T.tensor([5., -5., 0.]); out = x % 0, x // 0, x / 0, T.tensor([5]) / 0, x.div(0, rounding_mode="trunc")
""",
    "large integers are divided exactly": """
x = T.tensor([2**62 + 1, -(2**53) - 1, 7, -7]); out = [
    T.div(x, 3, rounding_mode="trunc"), x // 3, x % 3, T.div(x, T.tensor(-2), rounding_mode="trunc")]
""",
}

SIZES = {
    "functions along a dimension of length 0": """
x = T.zeros(2, 0); out = [T.softmax(x, 1), T.log_softmax(x, 1), T.logsumexp(x, 1),
    x.sum(1), x.prod(1), x.mean(1), x.std(1), x.cumsum(1), x.sort(1)[0], x.argsort(1), x.all(1), x.any(1)]
""",
    "extremes of an empty tensor along a dimension that is not empty": """
x = T.zeros(0, 3); out = [*x.max(1), *x.min(1), x.argmax(1), x.argmin(1), x.amax(1), x.amin(1),
    *x.median(1), *x.kthvalue(1, 1), *x.topk(2, 1), x.amax(1, keepdim=True)]
""",
    "the largest of no elements is refused": "T.zeros(0, 3).max()",
    "the largest along no elements is refused": "T.zeros(0, 3).max(0)",
    "the position of the largest of no elements is refused": "T.zeros(0, 3).argmax()",
    "amax along no elements is refused": "T.zeros(0, 3).amax((0, 1))",
    "the median along no elements is refused": "T.zeros(0, 3).median(0)",
    "concatenating a vector without elements records its gradient": """
e = T.zeros(0, requires_grad=True); y = T.cat([T.ones(2, 3), e], 1); y.sum().backward()
out = y.requires_grad, e.grad, T.cat([e, T.ones(2)]).requires_grad
""",
    "the median of no elements": "out = T.zeros(0).median(), T.zeros(0, dtype=T.int64).median()",
    "a vector without elements can be concatenated with any tensor": """
out = T.cat([T.zeros(0), T.ones(2, 3)]), T.cat([T.ones(2, 3), T.zeros(0)], 1), T.cat([T.zeros(0)])
""",
    "losses and layers of no examples": """
out = [F.cross_entropy(T.zeros(0, 3), T.zeros(0, dtype=T.int64)), F.mse_loss(T.zeros(0), T.zeros(0)),
    F.linear(T.zeros(0, 2), T.ones(3, 2), T.ones(3)), F.conv2d(T.zeros(0, 1, 4, 4), T.ones(1, 1, 2, 2)),
    F.max_pool2d(T.zeros(0, 1, 4, 4), 2), F.embedding(T.zeros(0, dtype=T.int64), T.ones(2, 3)),
    T.zeros(2, 0) @ T.zeros(0, 3), F.softmax(T.zeros(0), 0), T.zeros(0, 2).norm(dim=1)]
""",
    "gradients of no examples": """
w = T.ones(3, 2, requires_grad=True); (T.zeros(0, 2) @ w.T).sum().backward(); a = w.grad.clone()
w.grad = None; F.embedding(T.zeros(0, dtype=T.int64), w).sum().backward(); b = w.grad.clone()
x = T.zeros(2, 0, requires_grad=True); T.softmax(x, 1).sum().backward(); out = a, b, x.grad
""",
    "a size that cannot be inferred is refused": "T.zeros(0, 2).reshape(-1, 0)",
}

KEYS = {
    "an ellipsis may stand for no dimension beside a mask": """
x, y = T.arange(3), T.arange(24).reshape(2, 3, 4); m = T.tensor([True, False, True])
out = [x[..., m], x[m, ...], y[0, ..., 0][..., m], y[..., m, :], y[:, m, ..., 0], y[m[:2]][..., 1],
       y[..., T.tensor([[True] * 4, [False] * 4, [True] * 4])], y[None, ..., m, None, 2]]
""",
    "a mask that does not fit is refused": "T.ones(2, 3)[..., T.tensor([True, False])]",
    "a mask without dimensions adds one": """
x, s = T.arange(6).reshape(2, 3), T.tensor(5.)
out = [x[True], x[False], x[T.tensor(True)], x[:, T.tensor(False)], x[0, True], s[True],
       s[T.tensor(False)], x[True, T.tensor([0, 1])], x[None, True, ..., 0]]
""",
    "a mask without dimensions is written through": """
x, y, s, r = T.ones(3), T.ones(3), T.tensor(5.), T.tensor(5.)
x[T.tensor(False)] = 7; y[T.tensor(True)] = 7; s[True] = 3; r[r > 9] = 1; out = x, y, s, r
""",
    "an empty selection changes nothing": """
w = T.ones(3, requires_grad=True); x = w * 1; e = T.zeros(0, dtype=T.int64)
x[T.zeros(3, dtype=T.bool)] -= 2; x[[]] = 5.; x[e] = T.zeros(0); x[1:1] = 4; x[e] = w[:1]
x.sum().backward(); y = T.ones(3); y[[]] = 7; y[e] = 1.; out = x.detach(), w.grad, y, y[[]], y[e]
""",
    "too many values for an empty selection are refused": "x = T.ones(3); x[[]] = T.ones(2)",
    "a list of lists is taken for a tuple": """
x = T.arange(6).reshape(2, 3); out = x[[[0, 1], [1, 2]]], x[[0, 1]], x[[True, False]], x[([1], [2])]
""",
    "a float is not an index": "T.arange(4)[1.0]",
    "a tensor of floats is not an index": "T.arange(4)[T.tensor([1.0])]",
    "an element of any integer dtype is an index": """
x = T.arange(4); out = [x[T.tensor(1)], x[np.int64(1)], x[np.array(2)], x[T.tensor(1, dtype=T.uint8)],
    x[np.int64(1):np.int64(3)], x[T.tensor(1):T.tensor(3)], x[np.array([True, False, True, False])]]
""",
}

PYTHON = {
    "an object that is not a number is unequal": """
t = T.tensor([1.]); out = [t == None, t != None, t == "a", t == [1.], t in [None, t], None in [t],
    [None, t].index(t)]
""",
    "an object that is not a number cannot be ordered": "T.tensor([1.]) < None",
    "a tensor contains numbers": "out = 2. in T.tensor([1., 2.]), 3 in T.tensor([1]), T.tensor(1) in T.tensor([1])",
    "asking whether a tensor contains a string is refused": "'a' in T.tensor([1.])",
    "numbers may be on the left of every operator": """
t = T.tensor([2, 5]); f = T.tensor([2., -5.]); b = T.tensor([True, False])
out = [7 // t, 7 % t, 7.5 // t, 7.5 % t, -7 // f, -7 % f, 3 & t, 3 | t, 3 ^ t, True ^ b, True & b,
       2 << t, 64 >> t, 2 - t, 2 / t, 2 ** t, 3 + b, 3 * b]
""",
    "+x is x": "t = T.tensor([1]); out = +t, (+t) is t",
    "+x of booleans is refused": "+T.tensor([True])",
    "a tensor is reversed": "out = list(reversed(T.tensor([1, 2, 3]))), list(reversed(T.eye(2)))",
    "Python's functions of numbers": """
t = T.tensor(2.5); i = T.tensor(3)
out = [math.floor(t), math.ceil(t), math.sqrt(t), int(t), float(i), bool(i), range(i), [0, 1, 2, 3][i],
       divmod(7, int(i)), f"{t:.1f}", hash(t) == hash(t), len(T.ones(3, 2)), abs(-t), pow(t, 2)]
""",
    "several elements are not an index": "[0, 1][T.tensor([0, 1])]",
    "a generator whose function is decorated runs without gradients": """
@T.no_grad()
def g():
    received = yield T.is_grad_enabled()
    while received != "end":
        try: received = yield received, T.is_grad_enabled()
        except KeyError: received = yield "caught", T.is_grad_enabled()
    return T.is_grad_enabled()
it = g(); out = [next(it), T.is_grad_enabled(), it.send(1), it.throw(KeyError()), T.is_grad_enabled()]
try: it.send("end")
except StopIteration as e: out.append(e.value)
""",
    "a generator is closed in its mode": """
modes = []
@T.no_grad()
def g():
    try: yield 1
    finally: modes.append(T.is_grad_enabled())
it = g(); next(it); it.close(); out = modes, T.is_grad_enabled()
""",
    "every mode is a decorator": """
out = []
with T.no_grad():
    for mode in (T.no_grad(), T.enable_grad(), T.inference_mode(), T.set_grad_enabled(True)):
        def f(n): return [T.is_grad_enabled()] + (f(n - 1) if n else [])
        def g(): yield T.is_grad_enabled(); yield T.is_grad_enabled()
        f = mode(f); out += [T.is_grad_enabled(), f(2), list(mode(g)()), T.is_grad_enabled()]
""",
    "set_grad_enabled as a decorator does nothing before the call": """
@T.set_grad_enabled(False)
def f(): return T.is_grad_enabled()
out = T.is_grad_enabled(), f(), T.is_grad_enabled()
""",
}

DTYPES = {
    "lists of NumPy's numbers keep their dtype": """
lists = [[np.float64(1.1)], [np.ones(2), np.zeros(2)], [np.int32(1)], [np.float32(1), 2.], [np.float16(1), 2],
    [T.tensor(1., dtype=T.float64), 2], [np.int8(1), np.uint8(3)], [[np.int16(1)], [True]], [True, 2.5],
    [np.array([1, 2], np.int32), [1.5, 2]], [True, 2], [], [[]], [2**40], [np.bool_(True)], [[1, 2.5]]]
out = [T.tensor(x) for x in lists] + [T.as_tensor(x) for x in lists]
""",
    "NumPy's numbers keep their dtype": """
out = [T.tensor(x) for x in (np.float64(1.1), np.int32(3), np.bool_(True), np.array(2, np.int16))]
""",
    "NumPy's numbers are numbers in arithmetic": """
x, i, h = T.ones(2), T.ones(2, dtype=T.int64), T.ones(2).half()
out = [x * np.float64(2), np.float64(2) * x, np.float32(2) * x.double(), i * np.float32(2.5),
    h * np.float32(2.5), x * np.bool_(True), i + np.int8(3), x > np.int64(0), x.clamp(np.float64(.5)),
    x ** np.int64(2), np.int64(2) ** x, np.float32(3) - i, np.int64(7) // i, np.float64(1) / x]
""",
    "NumPy's integers are sizes and dimensions": """
n, x = np.int64, T.arange(6.).reshape(2, 3)
out = [x.roll(n(1)), x.roll((n(1), n(1)), (n(0), 1)), x.split((n(1), 1)), x.chunk(n(2)), x.repeat(n(2), 1),
    x.repeat_interleave(n(2)), x.sum(n(1)), x.sum([n(1)]), x.topk(n(2)).values, x.reshape(n(3), -1),
    T.zeros(n(2)), T.eye(n(2)), T.arange(n(3)), x.narrow(n(1), n(0), n(2)), x.select(n(0), n(1)),
    T.zeros(T.tensor(2)), x.sum(T.tensor(1)), x.roll(T.tensor(1)), T.full((n(2),), n(3)),
    F.one_hot(T.tensor([1]), n(3)), F.max_pool1d(x, n(2)), T.linspace(np.float32(0), 1, n(3)),
    T.randint(n(3), (n(2),)).shape, x.flatten(n(0)), x.transpose(n(0), n(1))]
""",
    "NumPy's numbers are the ends of a range": """
out = [T.arange(np.float32(3.5)), T.arange(np.int32(3)), T.arange(T.tensor(3)), T.arange(T.tensor(2.)),
       T.arange(1, np.float64(2), .5), T.arange(5, 0, -2), T.arange(0, 1, .25), T.arange(3, dtype=T.float64)]
""",
    "a tensor gives the number of repeats of each element": """
x = T.arange(6.).reshape(3, 2).requires_grad_(); y = x.repeat_interleave(T.tensor([2, 0, 1]), 0)
(y * T.arange(6.).reshape(3, 2)).sum().backward(); out = y, x.grad, T.arange(3).repeat_interleave(T.tensor([1, 0, 2]))
""",
    "negative repeats are refused": "T.ones(2).repeat_interleave(-1)",
    "too few repeats are refused": "T.ones(3).repeat_interleave(T.tensor([1, 2]))",
    "there must be as many shifts as dimensions": "T.ones(2, 2).roll((1, 1), 0)",
    "random floats need a floating-point dtype": "T.rand(2, dtype=T.int64)",
    "normal numbers need a floating-point dtype": "T.randn(2, dtype=T.int32)",
    "random floats like integers are refused": "T.rand_like(T.ones(2, dtype=T.int64))",
    "random integers may be of any dtype": "out = [T.randint(0, 3, (2,), dtype=d).dtype for d in (T.uint8, T.float32)]",
    "an empty range of integers is refused": "T.randint(3, 3, (2,))",
    "a string is not data": "T.tensor('a')",
    "None is not data": "T.tensor([None])",
    "a dict is not data": "T.tensor({'a': 1})",
    "a generator is not data": "T.tensor(x for x in range(3))",
    "ragged lists are not data": "T.tensor([[1], [1, 2]])",
    "a range is data": "out = T.tensor(range(3))",
}

UNDEFINED = {
    "the softmax of an undefined number is undefined": """
ns = [T.tensor(v) for v in (math.nan, math.inf, -math.inf, 3.)]
out = [f(n, 0) for n in ns for f in (T.softmax, T.log_softmax)]
""",
    "bounds may be nan": """
x, n = T.tensor([1., 2.]), T.tensor([math.nan, 1.5])
out = [T.clamp(x, min=n), T.clamp(x, max=n), T.clamp(x, n, T.tensor([0., 5.])), T.clamp(x, min=math.nan),
       T.clamp(x, 0, math.nan), T.clamp(T.tensor([1, 5]), T.tensor([2, 2]), T.tensor([3, 3]))]
""",
    "the norm of float16 does not overflow": """
x = T.tensor([300., 300.]).half(); out = x.norm(), x.std(), F.normalize(x, dim=0)
""",
}


@pytest.mark.parametrize("corner", INTEGERS)
def test_numbers_out_of_range_and_divisions_behave_as_in_pytorch(corner):
    alike(INTEGERS[corner])


@pytest.mark.parametrize("corner", SIZES)
def test_tensors_without_elements_behave_as_in_pytorch(corner):
    alike(SIZES[corner])


@pytest.mark.parametrize("corner", KEYS)
def test_a_key_selects_the_same_elements_as_in_pytorch(corner):
    alike(KEYS[corner])


@pytest.mark.parametrize("corner", PYTHON)
def test_pythons_protocols_work_as_with_pytorchs_tensors(corner):
    alike(PYTHON[corner])


@pytest.mark.parametrize("corner", DTYPES)
def test_data_becomes_the_same_tensor_as_in_pytorch(corner):
    alike(DTYPES[corner])


@pytest.mark.parametrize("corner", UNDEFINED)
def test_functions_of_undefined_numbers_agree_with_pytorch(corner):
    alike(UNDEFINED[corner], rtol=2e-3)


@pytest.mark.parametrize(("indices", "wrong"), [([0, 3], 3), ([-4, 0], -4), ([2, -5, 1], -5)])
def test_the_error_for_an_index_tensor_shows_the_index_that_is_out_of_bounds(indices, wrong):
    with pytest.raises(IndexError, match=f"^index {wrong} is out of bounds for dimension 0"):
        nnlib.zeros(3)[nnlib.tensor(indices)]

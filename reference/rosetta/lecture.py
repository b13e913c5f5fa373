import nnlib

logistic = nnlib.sigmoid
x1, x2, y = 1.0, 0.0, 0.7
w = nnlib.linspace(-1, 1, 36).reshape(6, 6)
w.requires_grad_()
a3 = logistic(w[0, 3] + w[1, 3]*x1 + w[2, 3]*x2)
a4 = logistic(w[0, 4] + w[1, 4]*x1 + w[2, 4]*x2)
a5 = logistic(w[0, 5] + w[3, 5]*a3 + w[4, 5]*a4)
loss = (a5 - y)**2
loss.backward()
print(w.grad[3, 5])

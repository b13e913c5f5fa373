import numpy as np

def logistic(z):
    return 1 / (1 + np.exp(-z))

x1, x2, y = 1.0, 0.0, 0.7
w = np.linspace(-1, 1, 36).reshape(6, 6)
a3 = logistic(w[0, 3] + w[1, 3]*x1 + w[2, 3]*x2)
a4 = logistic(w[0, 4] + w[1, 4]*x1 + w[2, 4]*x2)
a5 = logistic(w[0, 5] + w[3, 5]*a3 + w[4, 5]*a4)
loss = (a5 - y)**2
delta5 = 2*(a5 - y) * a5*(1 - a5)  # dLoss/din5
print(delta5 * a3)                 # dLoss/dw35

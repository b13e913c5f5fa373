import numpy as np

x = np.array([[1.0, -2], [1, 0], [1, 1], [1, 3]])
y = np.array([0.0, 1, 0, 1])
w = np.zeros(2)
for step in range(100):
    p = 1 / (1 + np.exp(-(x @ w)))
    w += 0.2 * (y - p) @ x
print(w.tolist())

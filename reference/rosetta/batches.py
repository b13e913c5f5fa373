import nnlib
from nnlib.utils.data import DataLoader, TensorDataset

x = nnlib.arange(10.0).reshape(5, 2)
y = nnlib.tensor([0, 1, 0, 1, 1])
batches = DataLoader(TensorDataset(x, y), batch_size=2)
for inputs, labels in batches:
    print(inputs.shape, labels.tolist())

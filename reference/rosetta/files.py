import io
import nnlib
from nnlib import nn

net, other = nn.Linear(3, 2), nn.Linear(3, 2)
file = io.BytesIO()  # or a path
nnlib.save(net.state_dict(), file)
file.seek(0)
print(other.load_state_dict(nnlib.load(file)))
same = nnlib.equal(net.weight, other.weight)

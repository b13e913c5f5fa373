"""The same work in nnlib, beside its peers: `python -m benchmarks`."""

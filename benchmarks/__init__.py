"""Times the same work in nnlib and in other libraries: `python -m benchmarks`."""

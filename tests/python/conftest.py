"""What is not a test in this folder: the browser's own torch, which runs there alone."""

collect_ignore = ["browser/torch.py"]

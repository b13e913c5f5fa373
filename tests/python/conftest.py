"""What of this folder is no test: the browser's own torch, which runs there alone."""

collect_ignore = ["browser/torch.py"]

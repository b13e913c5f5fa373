"""Keeps pytest from collecting the `torch` of this folder, which runs only in the browser."""

collect_ignore = ["browser/torch.py"]

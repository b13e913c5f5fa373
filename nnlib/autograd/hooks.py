"""The handle that removes a hook, as in `torch.utils.hooks`."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any


class RemovableHandle:
    """The handle of a hook: ``remove()``, or the end of a ``with`` block, removes the hook.

    Like ``torch.utils.hooks.RemovableHandle``.

    >>> import nnlib
    >>> layer = nnlib.nn.ReLU()
    >>> handle = layer.register_forward_hook(lambda module, args, output: -output)
    >>> handle.remove()
    >>> layer(nnlib.tensor([2.0]))
    tensor([2.])
    """

    _ids = count()

    def __init__(self, hooks: dict[int, Callable[..., Any]]) -> None:
        self.id = next(self._ids)
        self._hooks = hooks

    def remove(self) -> None:
        """Remove the hook; a second call does nothing.

        >>> import nnlib
        >>> w = nnlib.tensor(3.0, requires_grad=True)
        >>> handle = w.register_hook(lambda g: 10 * g)
        >>> handle.remove()
        >>> (2 * w).backward()
        >>> w.grad
        tensor(2.)
        """
        self._hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *_: Any) -> None:
        self.remove()


def register(hooks: dict[int, Callable[..., Any]], hook: Callable[..., Any]) -> RemovableHandle:
    """Add `hook` to `hooks` and return its handle."""
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    return handle

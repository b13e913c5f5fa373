"""Modes of recording: no_grad, enable_grad, inference_mode, set_grad_enabled, detect_anomaly."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ContextDecorator
from types import TracebackType
from typing import Any, Self, TypeVar, overload

from nnlib import record

F = TypeVar("F", bound=Callable[..., Any])


class _Mode(ContextDecorator):
    """A reusable context manager that is also a decorator."""

    def __init__(self) -> None:
        self._open: list[AbstractContextManager[None]] = []

    def _enter(self) -> AbstractContextManager[None]:
        raise NotImplementedError

    def __enter__(self) -> None:
        context = self._enter()
        context.__enter__()
        self._open.append(context)

    def __call__(self, function: F) -> F:
        """Wrap every call of a function, or every step of a generator function."""
        if not inspect.isgeneratorfunction(function):
            return super().__call__(function)

        @functools.wraps(function)
        def generator(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            return _run_steps(self, function(*args, **kwargs))

        return generator  # type: ignore[return-value]

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open.pop().__exit__(exc_type, exc, traceback)


def _run_steps(mode: _Mode, steps: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """Run each step of a generator in `mode`; between steps, the caller's mode applies."""
    try:
        with mode:
            yielded = next(steps)
        while True:
            try:
                sent = yield yielded
            except GeneratorExit:
                with mode:
                    steps.close()
                raise
            except BaseException as error:
                with mode:
                    yielded = steps.throw(error)
            else:
                with mode:
                    yielded = steps.send(sent)
    except StopIteration as end:
        return end.value


class no_grad(_Mode):
    """Do not record inside the block: results have ``requires_grad=False``.

    Like ``torch.no_grad``: a context manager and a decorator.

    >>> import nnlib
    >>> w = nnlib.tensor(2.0, requires_grad=True)
    >>> with nnlib.no_grad():
    ...     y = w * 3
    >>> y.requires_grad
    False
    """

    @overload
    def __new__(cls, function: None = None) -> Self: ...
    @overload
    def __new__(cls, function: F) -> F: ...  # type: ignore[misc]
    def __new__(cls, function: Any = None) -> Any:
        self = super().__new__(cls)
        if function is not None:  # @no_grad without parentheses
            self.__init__()  # type: ignore[misc]
            return self(function)
        return self

    def _enter(self) -> AbstractContextManager[None]:
        return record.recording(False)


class enable_grad(no_grad):
    """Record inside the block, even within ``no_grad``.  Like ``torch.enable_grad``.

    >>> import nnlib
    >>> w = nnlib.zeros(2, requires_grad=True)
    >>> with nnlib.no_grad(), nnlib.enable_grad():
    ...     print((2 * w).requires_grad)
    True
    """

    def _enter(self) -> AbstractContextManager[None]:
        return record.recording(True)


class inference_mode(_Mode):
    """Like `no_grad`, under the name that PyTorch recommends for inference.

    ``inference_mode(False)`` records.  Like ``torch.inference_mode``.

    >>> import nnlib
    >>> w = nnlib.zeros(2, requires_grad=True)
    >>> with nnlib.inference_mode():
    ...     print((2 * w).requires_grad)
    False
    """

    @overload
    def __new__(cls, mode: bool = True) -> Self: ...
    @overload
    def __new__(cls, mode: F) -> F: ...  # type: ignore[misc]
    def __new__(cls, mode: Any = True) -> Any:
        self = super().__new__(cls)
        if callable(mode):  # @inference_mode without parentheses
            self.__init__(True)  # type: ignore[misc]
            return self(mode)
        return self

    def __init__(self, mode: bool = True) -> None:
        super().__init__()
        self._inference = mode

    def _enter(self) -> AbstractContextManager[None]:
        return record.recording(not self._inference)


class set_grad_enabled(_Mode):
    """Switch recording on or off, at once or for a block.  Like ``torch.set_grad_enabled``.

    >>> import nnlib
    >>> w = nnlib.zeros(2, requires_grad=True)
    >>> with nnlib.set_grad_enabled(False):
    ...     print((2 * w).requires_grad)
    False
    """

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self._before = record.grad_enabled()
        self._mode = mode
        record.set_recording(mode)

    def __call__(self, function: F) -> F:
        record.set_recording(self._before)  # as a decorator, it has no effect before the call
        return super().__call__(function)

    def _enter(self) -> AbstractContextManager[None]:
        record.set_recording(self._before)
        return record.recording(self._mode)


class detect_anomaly(_Mode):
    """Find the operation that produced a nan: ``backward()`` raises an error that names it.

    Like ``torch.autograd.detect_anomaly``; in addition, the error names the operation that
    produced the first nan of the forward pass, and the line that called it.  It is slow: use it
    only for debugging.

    >>> import nnlib
    >>> x = nnlib.tensor(0.0, requires_grad=True)
    >>> with nnlib.autograd.detect_anomaly():
    ...     try:
    ...         (nnlib.sqrt(x) * 0).backward()
    ...     except RuntimeError as error:
    ...         print(str(error).splitlines()[0])
    Function 'SqrtBackward' returned nan values in its 0th output.
    """

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__()
        self._check = check_nan

    def _enter(self) -> AbstractContextManager[None]:
        return record.checking_anomalies(self._check)


def is_grad_enabled() -> bool:
    """Whether operations are being recorded.  Like ``torch.is_grad_enabled``.

    >>> import nnlib
    >>> with nnlib.no_grad():
    ...     print(nnlib.is_grad_enabled())
    False
    """
    return record.grad_enabled()

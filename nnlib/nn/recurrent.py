"""Recurrent layers (RNN, LSTM, GRU): every step applies the same cell and passes its state on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from nnlib.functions import joining
from nnlib.functions import reshaping as s
from nnlib.functions._args import needs_tensor
from nnlib.functions.create import zeros
from nnlib.nn import functional as F
from nnlib.nn.functional._args import check_same_type, shape_text
from nnlib.nn.module import Module, Parameter, check_positive, check_size, uniform
from nnlib.primitives import fused as p
from nnlib.record import apply
from nnlib.tensor import Tensor

# ---------------------------------------------------------------- cells


class _Cell(Module):
    gates = 1

    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True) -> None:
        check_positive(input_size=input_size, hidden_size=hidden_size)
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        bound, rows = 1 / math.sqrt(hidden_size), self.gates * hidden_size
        self.weight_ih = uniform(rows, input_size, bound=bound)
        self.weight_hh = uniform(rows, hidden_size, bound=bound)
        self.register_parameter("bias_ih", uniform(rows, bound=bound) if bias else None)
        self.register_parameter("bias_hh", uniform(rows, bound=bound) if bias else None)

    def _weights(self) -> tuple[Any, ...]:
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh

    def _batch(self, input: Tensor, states: tuple[Any, ...]) -> tuple[Any, list[Any], bool]:
        """The input and the states (default: zeros) as (N, …), and whether there is a batch."""
        name, x = type(self).__name__, needs_tensor(type(self).__name__, input)
        if x._data.ndim not in (1, 2):
            raise ValueError(f"{name}: Expected input to be 1D or 2D, got {x._data.ndim}D instead")
        if x._data.shape[-1] != self.input_size:
            raise RuntimeError(
                f"{name}: input has inconsistent input_size: got {x._data.shape[-1]}, expected "
                f"{self.input_size}"
            )
        check_same_type(name, x, self.weight_ih, "weight")
        batched = x._data.ndim == 2
        x = x if batched else s.unsqueeze(x, 0)
        n = x._data.shape[0]
        return x, [self._state(name, h, n, batched) for h in states], batched

    def _state(self, name: str, h: Tensor | None, n: int, batched: bool) -> Tensor:
        if h is None:
            return zeros(n, self.hidden_size, dtype=self.weight_hh.dtype)
        h = needs_tensor(name, h)
        if h._data.ndim not in (1, 2):
            raise ValueError(f"{name}: Expected hidden to be 1D or 2D, got {h._data.ndim}D instead")
        h = h if batched else s.unsqueeze(h, 0)
        if h._data.shape != (n, self.hidden_size):
            raise RuntimeError(
                f"{name}: input batch size {n} and hidden_size {self.hidden_size} need a state of "
                f"shape {[n, self.hidden_size]}, got {shape_text(h)}"
            )
        return h

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        return text if self.bias else text + f", bias={self.bias}"


class RNNCell(_Cell):
    """One step of a simple recurrent network: h' = tanh(W_ih x + b_ih + W_hh h + b_hh).

    Input (N, in) or (in), state (N, H) or (H), zeros if not given.  `nonlinearity` may be "relu".
    Weights are initially uniform on ±1/√H.  Like ``torch.nn.RNNCell``; Elman, 1990.

    >>> import nnlib
    >>> cell = nnlib.nn.RNNCell(3, 4)
    >>> cell(nnlib.zeros(2, 3), nnlib.zeros(2, 4)).shape
    nnlib.Size([2, 4])
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh"
    ) -> None:
        super().__init__(input_size, hidden_size, bias)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        x, (h,), batched = self._batch(input, (hx,))
        out = p.rnn_cell(x, h, *self._weights(), nonlinearity=self.nonlinearity)
        return out if batched else s.squeeze(out, 0)

    def extra_repr(self) -> str:
        text = super().extra_repr()
        return text if self.nonlinearity == "tanh" else f"{text}, nonlinearity={self.nonlinearity}"


class LSTMCell(_Cell):
    """One step of a long short-term memory: c' = f·c + i·g and h' = o·tanh(c').

    i, f, o = σ(…) and g = tanh(…) of W_ih x + b_ih + W_hh h + b_hh, its rows in the order i, f, g,
    o.  Input (N, in) or (in), states (h, c), zeros if not given; returns (h', c').  Like
    ``torch.nn.LSTMCell``; Hochreiter and Schmidhuber, 1997, with the forget gate of Gers, 2000.

    >>> import nnlib
    >>> h, c = nnlib.nn.LSTMCell(3, 4)(nnlib.zeros(2, 3))
    >>> h.shape, c.shape
    (nnlib.Size([2, 4]), nnlib.Size([2, 4]))
    """

    gates = 4

    if TYPE_CHECKING:

        def __call__(  # type: ignore[override]
            self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
        ) -> tuple[Tensor, Tensor]: ...

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        x, (h, c), batched = self._batch(input, (None, None) if hx is None else tuple(hx))
        h, c = p.lstm_cell(x, h, c, *self._weights())
        return (h, c) if batched else (s.squeeze(h, 0), s.squeeze(c, 0))


class GRUCell(_Cell):
    """One step of a gated recurrent unit: h' = (1 - z)·n + z·h.

    r, z = σ(…), n = tanh(W_in x + b_in + r·(W_hn h + b_hn)); the weights' rows are in the order r,
    z, n.  Input (N, in) or (in), state (N, H) or (H).  Like ``torch.nn.GRUCell``; Cho and others,
    2014.

    >>> import nnlib
    >>> nnlib.nn.GRUCell(3, 4)(nnlib.zeros(3)).shape
    nnlib.Size([4])
    """

    gates = 3

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        x, (h,), batched = self._batch(input, (hx,))
        out = p.gru_cell(x, h, *self._weights())
        return out if batched else s.squeeze(out, 0)


# ---------------------------------------------------------------- layers


class _Recurrent(Module):
    """Layers of one kind of cell over a sequence, in one direction or both."""

    gates = 1
    states = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        check_size(input_size=input_size)
        check_positive(hidden_size=hidden_size, num_layers=num_layers)
        if isinstance(dropout, bool) or not 0 <= dropout <= 1:
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an "
                f"element being zeroed, got {dropout!r}"
            )
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, float(dropout)
        self.bidirectional = bidirectional
        bound, rows = 1 / math.sqrt(hidden_size), self.gates * hidden_size
        for layer, suffix in self._suffixes():
            layer_input = input_size if layer == 0 else hidden_size * (2 if bidirectional else 1)
            setattr(self, f"weight_ih_l{suffix}", uniform(rows, layer_input, bound=bound))
            setattr(self, f"weight_hh_l{suffix}", uniform(rows, hidden_size, bound=bound))
            if bias:
                setattr(self, f"bias_ih_l{suffix}", uniform(rows, bound=bound))
                setattr(self, f"bias_hh_l{suffix}", uniform(rows, bound=bound))

    def _suffixes(self) -> list[tuple[int, str]]:
        """(layer, suffix of its parameters' names) for each layer and direction, in order."""
        directions = ("", "_reverse") if self.bidirectional else ("",)
        return [(layer, f"{layer}{d}") for layer in range(self.num_layers) for d in directions]

    def _weights(self, suffix: str) -> list[Any]:
        names = ["weight_ih_l", "weight_hh_l"] + ["bias_ih_l", "bias_hh_l"] * self.bias
        return [getattr(self, name + suffix) for name in names]

    def forward(self, input: Tensor, hx: Any = None) -> tuple[Tensor, Any]:
        """Return the last layer's output at each step, and each layer's last state."""
        x, batched = self._sequence(input)
        states = self._states(hx, x, batched)
        final_states: list[list[Any]] = [[] for _ in states]
        for layer in range(self.num_layers):
            outs = []
            for i, (suffix_layer, suffix) in enumerate(self._suffixes()):
                if suffix_layer != layer:
                    continue
                backwards = suffix.endswith("_reverse")
                sequence = s.flip(x, 0) if backwards else x
                out, finals = self._layer(sequence, [h[i] for h in states], self._weights(suffix))
                outs.append(s.flip(out, 0) if backwards else out)
                for of_all_layers, final in zip(final_states, finals, strict=True):
                    of_all_layers.append(final)
            x = outs[0] if len(outs) == 1 else joining.cat(outs, 2)
            if layer < self.num_layers - 1:
                x = F.dropout(x, self.dropout, self.training) if self.dropout else x
        return self._output(x, [joining.stack(h, 0) for h in final_states], batched)

    def _sequence(self, input: Tensor) -> tuple[Tensor, bool]:
        """The input as (T, N, in), and whether it had a batch dimension."""
        name, x = type(self).__name__, needs_tensor(type(self).__name__, input)
        if x._data.ndim not in (2, 3):
            raise ValueError(f"{name}: Expected input to be 2D or 3D, got {x._data.ndim}D instead")
        if x._data.shape[-1] != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got "
                f"{x._data.shape[-1]}: {name} reads vectors of {self.input_size} features, one for "
                "each step"
            )
        weight = getattr(self, "weight_ih_l0")  # noqa: B009  (__init__ sets it by name)
        if x._data.dtype != weight._data.dtype:
            raise ValueError(
                f"{name}: input and parameter types differ ({x._data.dtype}, "
                f"{weight._data.dtype}): convert one"
            )
        batched = x._data.ndim == 3
        x = s.transpose(x, 0, 1) if batched and self.batch_first else x
        x = x if batched else s.unsqueeze(x, 1)
        if x._data.shape[0] == 0:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        return x, batched

    def _states(self, hx: Any, x: Any, batched: bool) -> list[Any]:
        """The initial states, (layers · directions, N, H) each, by default zeros."""
        shape = (len(self._suffixes()), x.shape[1], self.hidden_size)
        if hx is None:
            return [zeros(*shape, dtype=x.dtype) for _ in range(self.states)]
        initial = tuple(hx) if self.states > 1 else (hx,)
        out = []
        for h in initial:
            expected = shape if batched else (shape[0], shape[2])
            if needs_tensor(type(self).__name__, h)._data.ndim != len(expected):
                raise RuntimeError(
                    f"For {'batched 3' if batched else 'unbatched 2'}-D input, hx should also be "
                    f"{len(expected)}-D but got {h._data.ndim}-D tensor"
                )
            if h._data.shape != expected:
                raise RuntimeError(
                    f"Expected hidden size {list(expected)} (layers · directions"
                    f"{', batch' if batched else ''}, hidden), got {shape_text(h)}"
                )
            out.append(h if batched else s.unsqueeze(h, 1))
        return out

    def _layer(self, x: Any, states: list[Any], weights: list[Any]) -> tuple[Any, list[Any]]:
        raise NotImplementedError

    def _output(self, x: Any, final_states: list[Any], batched: bool) -> tuple[Tensor, Any]:
        if not batched:
            x, final_states = s.squeeze(x, 1), [s.squeeze(h, 1) for h in final_states]
        elif self.batch_first:
            x = s.transpose(x, 0, 1)
        return x, final_states[0] if len(final_states) == 1 else tuple(final_states)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        defaults = {
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0.0,
            "bidirectional": False,
        }
        for name, value in defaults.items():
            if getattr(self, name) != value:
                text += f", {name}={getattr(self, name)}"
        return text


class RNN(_Recurrent):
    """A simple recurrent network: h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh).

    Input (T, N, in), with `batch_first` (N, T, in), or (T, in); state (layers · directions, N, H),
    zeros if not given.  Returns the outputs (T, N, directions · H) and the last states.
    `nonlinearity` may be "relu"; `dropout` acts between layers.  Weights are initially uniform on
    ±1/√H.

    Raises ValueError for a wrong rank or type, RuntimeError for wrong sizes.  Like
    ``torch.nn.RNN``; Elman, 1990.

    >>> import nnlib
    >>> rnn = nnlib.nn.RNN(3, 4)
    >>> out, h = rnn(nnlib.zeros(5, 2, 3))
    >>> out.shape, h.shape
    (nnlib.Size([5, 2, 4]), nnlib.Size([1, 2, 4]))
    """

    if TYPE_CHECKING:

        def __call__(  # type: ignore[override]
            self, input: Tensor, hx: Tensor | None = None
        ) -> tuple[Tensor, Tensor]: ...

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'."
            )
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional
        )
        self.nonlinearity = nonlinearity

    def _layer(self, x: Any, states: list[Any], weights: list[Any]) -> tuple[Any, list[Any]]:
        out = apply(p.rnn, (x, *states, *weights), {"nonlinearity": self.nonlinearity})
        return out, [out[-1]]


class LSTM(_Recurrent):
    """A long short-term memory over a sequence.  See `LSTMCell` for the equations.

    Input (T, N, in), with `batch_first` (N, T, in), or (T, in); states (h, c), each
    (layers · directions, N, H), zeros if not given.  Returns the outputs (T, N, directions · H) and
    (h, c) after the last step.  Raises ValueError for a wrong rank or type, RuntimeError for wrong
    sizes.  Like ``torch.nn.LSTM`` (without projections); Hochreiter and Schmidhuber, 1997.

    >>> import nnlib
    >>> out, (h, c) = nnlib.nn.LSTM(3, 4, batch_first=True)(nnlib.zeros(2, 5, 3))
    >>> out.shape, c.shape
    (nnlib.Size([2, 5, 4]), nnlib.Size([1, 2, 4]))
    """

    if TYPE_CHECKING:

        def __call__(  # type: ignore[override]
            self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
        ) -> tuple[Tensor, tuple[Tensor, Tensor]]: ...

    gates, states = 4, 2

    def _layer(self, x: Any, states: list[Any], weights: list[Any]) -> tuple[Any, list[Any]]:
        out = apply(p.lstm, (x, *states, *weights), {})
        steps = x.shape[0]
        return out[:steps], [out[steps - 1], out[steps]]


class GRU(_Recurrent):
    """A gated recurrent unit over a sequence.  See `GRUCell` for the equations, `RNN` for shapes.

    Like ``torch.nn.GRU``; Cho and others, 2014.

    >>> import nnlib
    >>> out, h = nnlib.nn.GRU(3, 4, num_layers=2, bidirectional=True)(nnlib.zeros(5, 2, 3))
    >>> out.shape, h.shape
    (nnlib.Size([5, 2, 8]), nnlib.Size([4, 2, 4]))
    """

    if TYPE_CHECKING:

        def __call__(  # type: ignore[override]
            self, input: Tensor, hx: Tensor | None = None
        ) -> tuple[Tensor, Tensor]: ...

    gates = 3

    def _layer(self, x: Any, states: list[Any], weights: list[Any]) -> tuple[Any, list[Any]]:
        out = apply(p.gru, (x, *states, *weights), {})
        return out, [out[-1]]

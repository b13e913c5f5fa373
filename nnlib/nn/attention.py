"""Multi-head attention, and the encoder layer of a transformer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nnlib import dtypes
from nnlib.functions import along, products
from nnlib.functions import arithmetic as ar
from nnlib.functions import reshaping as s
from nnlib.functions._args import needs_tensor
from nnlib.functions.create import zeros
from nnlib.nn import functional as F
from nnlib.nn.functional._args import check_same_type, shape_text
from nnlib.nn.init import xavier_uniform_
from nnlib.nn.linear import Linear
from nnlib.nn.module import Module, Parameter, check_positive
from nnlib.nn.regularize import Dropout, LayerNorm
from nnlib.tensor import Tensor

# ---------------------------------------------------------------- multi-head attention


class MultiheadAttention(Module):
    """softmax(Q Kᵀ/√(E/heads)) V in each of `num_heads` heads, then one linear layer for all heads.

    Called with query (L, N, E), key (S, N, kdim) and value (S, N, vdim), it returns the output
    (L, N, E) and the attention weights (N, L, S), averaged over the heads
    (`average_attn_weights=False`: (N, heads, L, S); `need_weights=False`: None).  With
    `batch_first`, N is the first dimension; a single example has no dimension N.

    In a boolean mask, True means that a position may **not** be attended to; a floating-point mask
    is added to the scores.  `attn_mask` is (L, S) or (N·heads, L, S), `key_padding_mask` (N, S).
    `is_causal` is a hint, which needs `attn_mask`.  For a query that may not attend to anything,
    the heads give nan, or 0 with `need_weights=False`.

    The input weights are one parameter, or three if `kdim` or `vdim` is not E; they are initialised
    by Xavier's rule, and all biases with 0.  Raises ValueError if a size is not positive;
    AssertionError if E is not a multiple of `num_heads`, or if an input or `key_padding_mask` has
    the wrong size; RuntimeError if `attn_mask` has; NotImplementedError for `add_bias_kv` and
    `add_zero_attn`.  Like ``torch.nn.MultiheadAttention``; Vaswani and others, 2017.

    >>> import nnlib
    >>> layer = nnlib.nn.MultiheadAttention(8, 2, batch_first=True)
    >>> x = nnlib.zeros(3, 5, 8)
    >>> output, weights = layer(x, x, x)
    >>> output.shape, weights.shape
    (nnlib.Size([3, 5, 8]), nnlib.Size([3, 5, 5]))
    """

    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    in_proj_weight: Parameter | None
    in_proj_bias: Parameter | None

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True,
        add_bias_kv: bool = False, add_zero_attn: bool = False, kdim: int | None = None,
        vdim: int | None = None, batch_first: bool = False,
    ) -> None:  # fmt: skip
        check_positive(embed_dim=embed_dim, num_heads=num_heads)
        if embed_dim % num_heads:
            raise AssertionError(
                f"embed_dim must be divisible by num_heads: each head gets embed_dim / num_heads "
                f"features, and {embed_dim} / {num_heads} is not an integer"
            )
        if add_bias_kv or add_zero_attn:
            raise NotImplementedError(
                "nnlib's MultiheadAttention has neither add_bias_kv nor add_zero_attn: leave them "
                "False, or append the extra key and value to your inputs"
            )
        self.embed_dim, self.num_heads, self.dropout = embed_dim, num_heads, float(dropout)
        self.head_dim, self.batch_first = embed_dim // num_heads, batch_first
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._make_weights(bias)

    def _make_weights(self, bias: bool) -> None:
        size = self.embed_dim
        packed = self.kdim == self.vdim == size
        input_sizes = {"q": size, "k": self.kdim, "v": self.vdim}
        for name, input_size in input_sizes.items():
            self.register_parameter(
                f"{name}_proj_weight", None if packed else Parameter(zeros(size, input_size))
            )
        in_proj = Parameter(zeros(3 * size, size)) if packed else None
        self.register_parameter("in_proj_weight", in_proj)
        for _, p in self._own_parameters():
            xavier_uniform_(p)
        self.register_parameter("in_proj_bias", Parameter(zeros(3 * size)) if bias else None)
        self.out_proj = Linear(size, size, bias=bias)
        if self.out_proj.bias is not None:
            self.out_proj.bias = Parameter(zeros(size))

    if TYPE_CHECKING:

        def __call__(  # type: ignore[override]
            self, query: Tensor, key: Tensor, value: Tensor,
            key_padding_mask: Tensor | None = None, need_weights: bool = True,
            attn_mask: Tensor | None = None, average_attn_weights: bool = True,
            is_causal: bool = False,
        ) -> tuple[Tensor, Tensor | None]: ...  # fmt: skip

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Tensor | None = None,
        need_weights: bool = True, attn_mask: Tensor | None = None,
        average_attn_weights: bool = True, is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:  # fmt: skip
        if is_causal and attn_mask is None:
            raise RuntimeError(
                "Need attn_mask if specifying the is_causal hint: give the mask, for example "
                "nnlib.ones(L, L).triu(1).bool()"
            )
        (q, k, v), batched = self._inputs(query, key, value)
        mask = self._mask(attn_mask, key_padding_mask, q, k)
        q, k, v = self._projected(q, k, v)
        heads, weights = self._attention(q, k, v, mask, need_weights)
        n, _, length, _ = heads.shape
        concatenated = s.reshape(s.transpose(heads, 1, 2), (n, length, self.embed_dim))
        out = self.out_proj(concatenated)
        if weights is not None and average_attn_weights:
            weights = along.mean(weights, 1)
        if not batched:
            out, weights = s.squeeze(out, 0), None if weights is None else s.squeeze(weights, 0)
        elif not self.batch_first:
            out = s.transpose(out, 0, 1)
        return out, weights

    def _inputs(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[list[Tensor], bool]:
        """Query, key and value as (N, length, size), and whether they had a batch dimension."""
        inputs, sizes = [], (self.embed_dim, self.kdim, self.vdim)
        weight = self.out_proj.weight
        ndim = needs_tensor("MultiheadAttention", query)._data.ndim
        if ndim not in (2, 3):
            raise AssertionError(
                "query should be unbatched 2D or batched 3D tensor but received "
                f"{ndim}-D query tensor"
            )
        for name, x, size in zip(
            ("query", "key", "value"), (query, key, value), sizes, strict=True
        ):
            x = needs_tensor("MultiheadAttention", x)
            if x._data.ndim != ndim or x._data.shape[-1] != size:
                raise AssertionError(
                    f"MultiheadAttention: {name} should have {ndim} dimensions as the query has, "
                    f"the last of size {size}, got {shape_text(x)}"
                )
            check_same_type("MultiheadAttention", x, weight, "weight")
            x = x if ndim == 3 else s.unsqueeze(x, 0)
            inputs.append(x if self.batch_first or ndim == 2 else s.transpose(x, 0, 1))
        q, k, v = (x._data.shape for x in inputs)
        if k[:2] != v[:2] or k[0] != q[0]:
            raise AssertionError(
                "MultiheadAttention: key and value need the same length, and query, key and value "
                "the same batch size, got " + ", ".join(shape_text(x) for x in (query, key, value))
            )
        return inputs, ndim == 3

    def _projected(self, q: Tensor, k: Tensor, v: Tensor) -> list[Tensor]:
        """The heads' queries, keys and values, each (N, heads, length, E / heads)."""
        size, in_proj, bias = self.embed_dim, self.in_proj_weight, self.in_proj_bias
        projected = []
        for i, (name, x) in enumerate(zip("qkv", (q, k, v), strict=True)):
            rows = slice(i * size, (i + 1) * size)
            weight = getattr(self, f"{name}_proj_weight") if in_proj is None else in_proj[rows]
            out = F.linear(x, weight, None if bias is None else bias[rows])
            n, length, _ = out.shape
            projected.append(
                s.transpose(s.reshape(out, (n, length, self.num_heads, self.head_dim)), 1, 2)
            )
        return projected

    def _attention(self, q: Any, k: Any, v: Any, mask: Any, need_weights: bool) -> tuple[Any, Any]:
        """The heads' outputs (N, heads, L, E / heads), and their weights if `need_weights`."""
        dropout = self.dropout if self.training else 0.0
        if not need_weights:
            return F.scaled_dot_product_attention(q, k, v, mask, dropout), None
        scores = ar.mul(products.matmul(q, s.transpose(k, -2, -1)), 1 / math.sqrt(self.head_dim))
        weights = along.softmax(scores if mask is None else ar.add(scores, mask), -1)
        weights = F.dropout(weights, dropout) if dropout else weights
        return products.matmul(weights, v), weights

    def _mask(self, attn: Any, padding: Any, q: Tensor, k: Tensor) -> Any:
        """The sum of both masks, to be added to scores (N, heads, L, S); None without masks."""
        (n, length, _), keys, heads = q._data.shape, k._data.shape[1], self.num_heads
        mask = None
        if attn is not None:
            mask = _additive_mask("attn_mask", attn, q)
            if mask.shape == (n * heads, length, keys):
                mask = s.reshape(mask, (n, heads, length, keys))
            elif mask.shape != (length, keys):
                raise RuntimeError(
                    f"The shape of the attn_mask is {shape_text(mask)}, but should be "
                    f"{[length, keys]} or {[n * heads, length, keys]}"
                )
        if padding is None:
            return mask
        padding = _additive_mask("key_padding_mask", padding, q)
        padding = padding if padding.ndim == 2 else s.unsqueeze(padding, 0)
        if padding.shape != (n, keys):
            raise AssertionError(
                f"expecting key_padding_mask shape of {(n, keys)}, but got {tuple(padding.shape)}"
            )
        padding = s.reshape(padding, (n, 1, 1, keys))
        return padding if mask is None else ar.add(mask, padding)


def _additive_mask(name: str, mask: Any, like: Tensor) -> Any:
    """A mask to be added to the scores; of a boolean mask, False becomes 0 and True becomes -∞."""
    mask = needs_tensor(name, mask)
    if mask._data.dtype.kind == "b":
        return ar.to_dtype(ar.where(mask, -math.inf, 0.0), dtypes.of(like._data))
    if mask._data.dtype.kind != "f":
        raise AssertionError(
            f"only bool and floating types of {name} are supported, got "
            f"{dtypes.of(mask._data).name}: use .bool() if 1 means masked"
        )
    return mask


# ---------------------------------------------------------------- encoder layer


class TransformerEncoderLayer(Module):
    """Self-attention, then two linear layers at each position, with residuals and normalisation.

    x + attention(x), normalised, then x + linear2(activation(linear1(x))), normalised; with
    `norm_first`, the input of each sublayer is normalised instead of the sum.  `activation` is
    "relu", "gelu" or a function.  `src` is (S, N, d_model), with `batch_first` (N, S, d_model);
    masks are as in `MultiheadAttention`.

    Raises RuntimeError for an activation of another name, and what `MultiheadAttention` raises.
    Like ``torch.nn.TransformerEncoderLayer``; Vaswani and others, 2017.

    >>> import nnlib
    >>> layer = nnlib.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    >>> layer(nnlib.zeros(3, 5, 8)).shape
    nnlib.Size([3, 5, 8])
    """

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: str | Callable[[Tensor], Tensor] = F.relu, layer_norm_eps: float = 1e-5,
        batch_first: bool = False, norm_first: bool = False, bias: bool = True,
    ) -> None:  # fmt: skip
        if isinstance(activation, str):
            if activation not in ("relu", "gelu"):
                raise RuntimeError(f"activation should be relu/gelu, not {activation}")
            activation = F.relu if activation == "relu" else F.gelu
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout=dropout, bias=bias, batch_first=batch_first
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        self.activation = activation

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        def attention_block(x: Tensor) -> Tensor:
            output = self.self_attn(
                x, x, x, key_padding_mask=src_key_padding_mask, need_weights=False,
                attn_mask=src_mask, is_causal=is_causal,
            )[0]  # fmt: skip
            return self.dropout1(output)

        def feed_forward(x: Tensor) -> Tensor:
            return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))

        if self.norm_first:
            x = src + attention_block(self.norm1(src))
            return x + feed_forward(self.norm2(x))
        x = self.norm1(src + attention_block(src))
        return self.norm2(x + feed_forward(x))

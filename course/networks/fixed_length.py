"""A trained transformer for figures: a text of fixed length, and switches for its heads."""

from __future__ import annotations

from typing import Any

import nnlib
import nnlib.nn.functional as F
from course.networks.rounding import rounded


class FixedLengthTransformer:
    """A transformer for one text of fixed length, with switches for its heads."""

    def __init__(self, model: Any, causal: bool = True) -> None:
        self.words, self.positions = rounded(model.words), rounded(model.positions)
        self.blocks = [{name: rounded(w) for name, w in block.named_parameters()}
                       for block in model.blocks]  # fmt: skip
        self.heads, self.causal = model.blocks[0].heads.num_heads, causal
        self.norm = (rounded(model.norm.weight), rounded(model.norm.bias))
        self.length, self.size = self.positions.shape

    def vectors(self, x: Any, n: Any, head_mask: Any) -> tuple[Any, Any]:
        """The final vectors of the codes x (T,), (T, size), and all heads' maps, (heads, T, T).

        If causal, no position attends to a later one; otherwise all attend to the first n
        positions.
        """
        h, maps, size = self.words[x] + self.positions, [], self.size // self.heads
        after_text = (nnlib.arange(self.length) >= n).float().unsqueeze(0)
        masked = nnlib.ones(self.length, self.length).triu(1) if self.causal else after_text
        for k, w in enumerate(self.blocks):
            normed = F.layer_norm(h, (self.size,), w["norm1.weight"], w["norm1.bias"])

            def split(name: str, normed: Any = normed, w: dict[str, Any] = w) -> Any:
                projected = normed @ w[f"heads.{name}.weight"].T
                return projected.reshape(self.length, self.heads, size).transpose(0, 1)

            scores = split("query") @ split("key").transpose(1, 2) / size**0.5
            A = (scores - 1e9 * masked).softmax(-1)
            maps.append(A)
            on = head_mask[self.heads * k : self.heads * (k + 1)].reshape(-1, 1, 1)
            mixed = ((A @ split("value")) * on).transpose(0, 1).reshape(self.length, self.size)
            h = h + mixed @ w["heads.out.weight"].T
            normed = F.layer_norm(h, (self.size,), w["norm2.weight"], w["norm2.bias"])
            up = (normed @ w["up.weight"].T + w["up.bias"]).relu()
            h = h + up @ w["down.weight"].T + w["down.bias"]
        return h, nnlib.cat(maps)

    def logits(self, h: Any) -> Any:
        """The logits of what comes next, for one position (size,) or for several (T, size)."""
        h = F.layer_norm(h, (self.size,), *self.norm)
        return nnlib.einsum("d,wd->w" if h.ndim == 1 else "td,wd->tw", h, self.words)

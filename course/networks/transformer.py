"""A small, complete language model: embeddings, blocks of attention and MLP, the next word.

The chapter on language models builds these lines block by block; `course.networks.clauses` has the
data, the training and the stored weights.
"""

from __future__ import annotations

from typing import Any

import nnlib
from nnlib import nn


class Heads(nn.Module):
    """Several heads of attention side by side; if causal, no position looks ahead."""

    def __init__(self, size: int, num_heads: int, causal: bool = True) -> None:
        super().__init__()
        self.num_heads, self.causal = num_heads, causal
        self.query = nn.Linear(size, size, bias=False)
        self.key = nn.Linear(size, size, bias=False)
        self.value = nn.Linear(size, size, bias=False)
        self.out = nn.Linear(size, size, bias=False)

    def split(self, x: Any) -> Any:
        """(B, T, size) → (B, num_heads, T, size / num_heads)."""
        B, T, size = x.shape
        return x.reshape(B, T, self.num_heads, size // self.num_heads).transpose(1, 2)

    def forward(self, x: Any, head_mask: Any = None) -> tuple[Any, Any]:
        """The heads' joint output (B, T, size) and attention weights (B, num_heads, T, T).

        `head_mask`, (num_heads,), multiplies each head's output: 0 switches the head off.
        """
        q, k, v = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
        scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
        ahead = nnlib.ones(x.shape[1], x.shape[1]).triu(1)
        weights = (scores - 1e9 * ahead * self.causal).softmax(-1)
        mixed = weights @ v
        if head_mask is not None:
            mixed = mixed * head_mask.reshape(-1, 1, 1)
        return self.out(mixed.transpose(1, 2).reshape(*x.shape)), weights


class Block(nn.Module):
    """Attention heads, then two layers of neurons at every position."""

    def __init__(self, size: int, num_heads: int, wide: int, causal: bool = True) -> None:
        super().__init__()
        self.norm1, self.heads = nn.LayerNorm(size), Heads(size, num_heads, causal)
        self.norm2 = nn.LayerNorm(size)
        self.up, self.down = nn.Linear(size, wide), nn.Linear(wide, size)

    def forward(self, x: Any, head_mask: Any = None) -> tuple[Any, Any]:
        mixed, weights = self.heads(self.norm1(x), head_mask)
        x = x + mixed
        return x + self.down(self.up(self.norm2(x)).relu()), weights


class Transformer(nn.Module):
    """Words to vectors, blocks, and logits for the next word at every position."""

    def __init__(self, words: int, length: int, size: int = 48, num_heads: int = 4, blocks: int = 2,
                 wide: int | None = None, causal: bool = True) -> None:  # fmt: skip
        super().__init__()
        self.words = nn.Parameter(0.1 * nnlib.randn(words, size))
        self.positions = nn.Parameter(0.1 * nnlib.randn(length, size))
        self.blocks = nn.ModuleList(
            [Block(size, num_heads, wide or 2 * size, causal) for _ in range(blocks)]
        )
        self.norm = nn.LayerNorm(size)

    def forward(self, x: Any, head_mask: Any = None) -> Any:
        return self.look(x, head_mask)[0]

    def look(self, x: Any, head_mask: Any = None) -> tuple[Any, list[Any]]:
        """Logits (B, T, words), and each block's attention weights."""
        h, maps = self.words[x] + self.positions[: x.shape[1]], []
        for i, block in enumerate(self.blocks):
            h, weights = block(h, None if head_mask is None else head_mask[i])
            maps.append(weights)
        return nnlib.einsum("btd,wd->btw", self.norm(h), self.words), maps

"""Byte pair encoding by tensor operations alone, so that a page can run it on typed words."""

from __future__ import annotations

from string import ascii_lowercase
from typing import Any

import nnlib

LENGTH, NEW, MERGES = 40, 12, 15  # letters of the typed text and of the new word; merges at most
ALPHABET = ascii_lowercase + " "
SPACE, BAR, FIRST = ord(" "), ord("|"), ord("a")


class Cut:
    """A text and a new word in pieces, merged step by step.

    `sizes` (N,) is the length of the piece that begins at each position, and 0 where none does.
    N counts the text's letters, a gap, the new word's letters and another gap.
    """

    def __init__(self, text: Any, new: Any) -> None:
        gap = nnlib.tensor([len(ALPHABET)])
        self.codes = nnlib.cat([text, gap, new, gap])
        self.positions = nnlib.arange(len(self.codes))
        self.letter = self.codes < len(ascii_lowercase)
        self.in_text = self.positions < LENGTH
        self.alike = alike(self.codes, self.letter)
        self.sizes = self.letter.long()

    def merge(self) -> tuple[Any, Any, Any, Any]:
        """Merges the pair that is most frequent in the text, the first of several.

        Returns where it begins, the sizes of its two pieces, and how often it occurs in the text
        (0 if there is no pair left, and then nothing changes).
        """
        after = (self.positions + self.sizes).clamp(max=len(self.codes) - 1)
        second = self.sizes[after]
        pair = (self.sizes > 0) & (second > 0)
        joined = self.sizes + second
        same = (column(pair) & pair & (column(self.sizes) == self.sizes)
                & (column(second) == second) & (self.alike >= column(joined)))  # fmt: skip
        times = (same & self.in_text).long().sum(1) * self.in_text.long()
        best = times.argmax()
        one = (times[best] > 0).long()
        chosen = best, one * self.sizes[best], one * second[best], times[best]
        taken = self.every_other(same[best] & (one > 0)).long()
        absorbed = nnlib.zeros_like(taken).scatter_add(0, after, taken)
        self.sizes = (self.sizes + taken * second) * (1 - absorbed)
        return chosen

    def every_other(self, hit: Any) -> Any:
        """In a row of overlapping pairs, as in a a a a, the first, the third, and so on."""
        begins = (self.sizes > 0) | ~self.letter
        order = begins.long().cumsum(0)
        broken = order * (begins & ~hit).long()
        earlier = column(self.positions) >= self.positions
        last = (broken * earlier.long()).amax(1)
        return hit & ((order - last) % 2 == 1)


def column(x: Any) -> Any:
    return x.unsqueeze(1)


def alike(codes: Any, letter: Any) -> Any:
    """How many letters from position i on agree with those from position j on, (N, N)."""
    ahead = column(nnlib.arange(len(codes))) + nnlib.arange(LENGTH)
    ahead = ahead.clamp(max=len(codes) - 1)
    codes_ahead = nnlib.where(letter[ahead], codes[ahead], -1)
    same = (codes_ahead.unsqueeze(1) == codes_ahead.unsqueeze(0)) & (codes_ahead >= 0).unsqueeze(1)
    return same.long().cumprod(2).sum(2)


def written(codes: Any, sizes: Any) -> Any:
    """Characters of a text in pieces: spaces between pieces, bars between words, then spaces."""
    n = len(codes)
    letter = codes < len(ascii_lowercase)
    next_letter = nnlib.cat([letter[1:], letter[:1] & False])
    bar = (codes == ALPHABET.index(" ")) & next_letter & (letter.long().cumsum(0) > 0)
    shown, begins = letter | bar, (sizes > 0) | bar
    target = shown.long().cumsum(0) + begins.long().cumsum(0) - 2
    is_target = (column(nnlib.arange(2 * n)) == target) & shown
    character = nnlib.where(letter, codes + FIRST, BAR)
    return nnlib.where(is_target.any(1), (is_target.long() * character).sum(1), SPACE)


def pair_written(codes: Any, at: Any, left: Any, right: Any) -> Any:
    """Characters of two neighbouring pieces with a space between them, (LENGTH + 1,)."""
    k = nnlib.arange(LENGTH + 1)
    position = (at + k - (k > left).long()).clamp(min=0, max=len(codes) - 1)
    inside = (k != left) & (k <= left + right) & (left > 0)
    return nnlib.where(inside, codes[position] + FIRST, SPACE)

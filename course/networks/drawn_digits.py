"""From a drawing to a network's input: cut out what was drawn, shrink or centre it."""

from __future__ import annotations

import numpy as np

import nnlib
from nnlib.tensor import Tensor

INK = 0.3  # a pixel with a larger value than this counts as ink


def _ends(has_ink: Tensor) -> tuple[Tensor, Tensor]:
    """The first position with ink and the one after the last, along the last axis."""
    positions = nnlib.arange(has_ink.shape[-1], dtype=nnlib.float32)
    count = float(has_ink.shape[-1])
    first = nnlib.where(has_ink, positions, count).amin(-1)
    return first, nnlib.where(has_ink, positions + 1.0, 0.0).amax(-1)


def _cover(middle: Tensor, side: Tensor, length: int, size: int) -> Tensor:
    """Row k: how much of the new pixel k each of the old pixels covers; shape (…, size, length)."""
    new = (side / size).unsqueeze(-1)
    low = (middle - side / 2).unsqueeze(-1) + nnlib.arange(size, dtype=nnlib.float32) * new
    low, new = low.unsqueeze(-1), new.unsqueeze(-1)
    old = nnlib.arange(length, dtype=nnlib.float32)
    overlap = nnlib.minimum(old + 1.0, low + new) - nnlib.maximum(old, low)
    return overlap.clamp(min=0.0) / new


def shrink(images: Tensor | np.ndarray, size: int = 8) -> Tensor:
    """The smallest square around the ink, averaged to size × size pixels.

    So the result does not depend on where a digit was drawn, or how large.

    Args:
        images: shape (…, height, width), from 0 (paper) to 1 (ink).
        size: pixels on a side of the result.

    Returns:
        A tensor of shape (…, size, size); a blank image stays blank.

    >>> import numpy as np
    >>> image = np.zeros((28, 28), np.float32)
    >>> image[4:24, 10:14] = 1  # a stroke, 20 high and 4 wide, off the middle
    >>> shrink(image, 5).round().tolist()[0]
    [0.0, 0.0, 1.0, 0.0, 0.0]
    """
    ink = images if isinstance(images, Tensor) else nnlib.tensor(images)
    top, bottom = _ends(ink.amax(-1) > INK)
    left, right = _ends(ink.amax(-2) > INK)
    side = nnlib.maximum(bottom - top, right - left).clamp(min=1.0)
    rows = _cover((top + bottom) / 2, side, ink.shape[-2], size)
    columns = _cover((left + right) / 2, side, ink.shape[-1], size)
    return rows @ ink @ columns.transpose(-2, -1)


def centred(images: Tensor | np.ndarray, size: int = 28, box: int = 20) -> Tensor:
    """Images prepared like MNIST's: the ink fits a box, its centre of mass is in the middle.

    LeCun et al. (1998) scaled each digit into 20 × 20 pixels and placed it in 28 × 28.

    Args:
        images: shape (…, height, width), from 0 (paper) to 1 (ink).
        size: pixels on a side of the result.
        box: pixels on a side of the square that the ink just fits.

    Returns:
        A tensor of shape (…, size, size); a blank image stays blank.

    >>> import numpy as np
    >>> image = np.zeros((28, 28), np.float32)
    >>> image[0:10, 0:10] = 1  # a small square in the corner
    >>> prepared = centred(image)
    >>> round(prepared[14].sum().item(), 2)  # twenty pixels wide now
    20.0
    """
    ink = images if isinstance(images, Tensor) else nnlib.tensor(images)
    by_row, by_column = ink.sum(-1), ink.sum(-2)
    top, bottom = _ends(ink.amax(-1) > INK)
    left, right = _ends(ink.amax(-2) > INK)
    side = nnlib.maximum(bottom - top, right - left).clamp(min=1.0) * (size / box)
    # MNIST's centres of mass are in the pixel after the middle: on average half a pixel further.
    half_pixel = side / (2 * size)
    rows = _cover(_middle(by_row) - half_pixel, side, ink.shape[-2], size)
    columns = _cover(_middle(by_column) - half_pixel, side, ink.shape[-1], size)
    return rows @ ink @ columns.transpose(-2, -1)


def _middle(ink: Tensor) -> Tensor:
    """The mean position of the ink along the last axis; 0 if there is none."""
    positions = nnlib.arange(ink.shape[-1], dtype=nnlib.float32) + 0.5
    return (ink * positions).sum(-1) / ink.sum(-1).clamp(min=1e-6)

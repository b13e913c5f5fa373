"""The sizes that paper.css sets, as numbers: change both."""

from __future__ import annotations

MILLIMETRE = 96 / 25.4  # in the pixels of style sheets
# The width and the height of A4 without its margins, which are 15 and 20, 20 and 18 millimetres.
BETWEEN_MARGINS = (round((210 - 15 - 20) * MILLIMETRE), round((297 - 20 - 18) * MILLIMETRE))
SCALE = 0.84  # of figures

"""The lecture's five-neuron net: names, corners and weights, in the order that every chapter uses.

Neurons 1 and 2 are the inputs, 3 and 4 are hidden, 5 is the output. `w13` leads from neuron 1 to
neuron 3, `w03` is the bias of neuron 3.
"""

from __future__ import annotations

CORNERS = ((0, 0), (1, 0), (0, 1), (1, 1))
CORNER_NAMES = ("(0, 0)", "(1, 0)", "(0, 1)", "(1, 1)")
XOR = (0, 1, 1, 0)
WEIGHTS = ("w03", "w13", "w23", "w04", "w14", "w24", "w05", "w35", "w45")

# Neuron 3 is OR, neuron 4 is AND, neuron 5 is "3 and not 4". So the net computes XOR with a step
# function, and with a sigmoid once every weight is multiplied by a k > 2 log 3.
UNIT_WEIGHTS = {
    "w03": -0.5, "w13": 1.0, "w23": 1.0,
    "w04": -1.5, "w14": 1.0, "w24": 1.0,
    "w05": -0.5, "w35": 1.0, "w45": -1.0,
}  # fmt: skip

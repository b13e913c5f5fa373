"""The opening page's figure: a network reads a drawn digit; its neurons can be switched off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import nnlib
from nnlib import live


def digit_reader(
    read: Callable[..., dict[str, Any]], first: Any, classes: Sequence[str]
) -> live.Figure:
    """A network that reads a drawn digit; a question about its answer with all neurons off.

    Args:
        read: computes the figure's outputs from `drawing`, (28, 28), and `on`, (12,): 0 for a
            hidden neuron that is switched off.
        first: the initial drawing, (28, 28).
        classes: the names of the ten outputs.
    """
    return live.figure(
        read,
        drawing=live.paint((28, 28), value=first, brush=1.2, label="draw a digit here"),
        on=live.values(nnlib.ones(12)),
        view=[
            [live.control("drawing"),
             live.column(
                 live.images("small", pixel=14, title="what the network gets"),
                 live.readout("It reads {answer:d}, with {percent:.0f} %.", size="large",
                              when="ink"),
                 live.readout("Nothing is drawn. It answers {answer:d}, with {percent:.0f} %.",
                              size="large", when=lambda ink: ~ink))],
            live.network(sizes=[12, 10], weights=["evidence"], values=["a", "p"],
                         images=["seen", None], on=["on", None], labels=[[""] * 12, classes],
                         toggle=True),
            live.predict(
                "Suppose that a 6 is drawn and all twelve hidden neurons are switched off. "
                "What will the network answer?",
                name="off",
                choices=["It gives each of the ten digits 10 %.",
                         "It gives one fixed answer, whatever is drawn.",
                         "It still recognises the 6, with a smaller percentage.",
                         "It gives no answer at all."],
                answer=1,
                explain="One fixed answer. Try it: “All off” below switches them off. Then clear "
                "the drawing, draw another digit, and look at the answer again.",
                reveal=[live.row(live.button("All off", set={"on": [0.0] * 12}),
                                 live.button("All on", set={"on": [1.0] * 12}))],
            ),
        ],
        title="A network that reads digits",
        caption="Draw a digit of your own. A line from a hidden neuron (left) is evidence for a "
        "digit (right), or against it where the line is dashed. Click hidden neurons to switch "
        "them off, then answer the question.",
        alt="A drawn digit is shrunk to 8 by 8 pixels; twelve hidden neurons and ten output "
        "neurons turn it into a probability for each digit from 0 to 9. A question asks what is "
        "left when all hidden neurons are off.",
    )  # fmt: skip

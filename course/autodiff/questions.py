"""The quiz at the end of the chapter on autodiff: each answer explains why it is right or wrong."""

from __future__ import annotations

from nnlib import live

QUESTIONS = [
    live.question(
        "y = x·x, as a product of two operands. How many edges lead to x, with which derivatives?",
        {
            "one, with 2x": "2x is the sum of what comes over both edges.",
            "two, each with x": "Each factor's derivative is the other factor, and here that is x "
            "both times. Together they give 2x.",
            "two, each with 1": "That would be x + x.",
        },
        answer="two, each with x",
    ),
    live.question(
        "Why is a topological order read from the back?",
        {
            "so that each node is visited once": "In any order of the list each node is visited "
            "once.",
            "so that a node sends when all its users have sent": "Its users come after it in the "
            "list, so from the back they come first.",
            "because the inputs have to come first": "They come last: they send to nobody.",
        },
        answer="so that a node sends when all its users have sent",
    ),
    live.question(
        "You train, and forget zero_grad(). What happens at the second step?",
        {
            "the gradient is that of the second loss": "Then nothing would be wrong.",
            "backward() refuses": "It is allowed, and useful: gradients of several losses may be "
            "added on purpose.",
            "the weights move by the sum of both gradients": "Leaves add up the gradients of each "
            "backward() until they are set to 0.",
        },
        answer="the weights move by the sum of both gradients",
    ),
    live.question(
        "A bias of shape (3,) is added to an array (16, 3). Its gradient is …",
        {
            "the sum over the rows": "A copy forwards is a sum backwards.",
            "the mean over the rows": "Each of the 16 copies acts on the loss by itself, so their "
            "shares add.",
            "the first row": "There are sixteen copies, and each counts.",
        },
        answer="the sum over the rows",
    ),
    live.question(
        "A block of max-pooling holds 2, 7, 7.1 and 3, and its output has ȳ = 5. What does the 7 "
        "get?",
        {
            "2.5, since it is nearly as large": "The derivative is 0 or 1, never a share.",
            "5": "That goes to 7.1, the largest.",
            "0": "A small change of the 7 leaves the maximum at 7.1.",
        },
        answer="0",
    ),
    live.question(
        "A simulation has 2 parameters and 500 outputs. You want all 1,000 derivatives.",
        {
            "reverse mode, 500 runs": "It works, but each run gives one output's row only.",
            "forward mode, 2 runs": "Each run gives the derivatives of all outputs with respect to "
            "one parameter.",
            "reverse mode, 1 run": "One run is enough only if there is one output.",
        },
        answer="forward mode, 2 runs",
    ),
    live.question(
        "A gradient check with h = 10⁻¹² in float64 disagrees with your vjp in the fifth digit. "
        "What is likely?",
        {
            "h is too small, and rounding dominates": "ε/h is 0.0002. Try h = 10⁻⁵ before you "
            "doubt the vjp.",
            "the vjp has a mistake": "Possible, but at this h a finite difference has about four "
            "right digits.",
            "h is too large for this function": "h²/6 is of the order 10⁻²⁵ here.",
        },
        answer="h is too small, and rounding dominates",
    ),
]

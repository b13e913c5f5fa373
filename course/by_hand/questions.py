"""The quiz at the end of the appendix by hand: each answer explains why it is right or wrong."""

from __future__ import annotations

from nnlib import live

QUESTIONS = [
    live.question(
        "d/da₅ of (y − a₅)² is …",
        {
            "2(y − a₅)": "The inner derivative −1 is missing.",
            "2(a₅ − y)": "2(y − a₅) from the square, times −1 from the bracket.",
            "−2(a₅ − y)": "The −1 is counted twice.",
            "(y − a₅)": "The exponent 2 comes down as a factor.",
        },
        answer="2(a₅ − y)",
    ),
    live.question(
        "Which factor distinguishes the derivative with respect to w₃₅ from that with respect to "
        "w₀₅?",
        {
            "w₃₅": "The weight is not a factor of its own derivative: in₅ contains w₃₅ a₃, and the "
            "derivative of that is a₃.",
            "a₃(1 − a₃)": "That is neuron 3's slope; w₃₅ comes after it.",
            "a₃": "in₅ contains w₃₅ · a₃ and w₀₅ · 1.",
        },
        answer="a₃",
    ),
    live.question(
        "dLoss/dw₃₅ is negative. What does a step of gradient descent do to w₃₅?",
        {
            "it makes it larger": "Descent goes against the sign: w₃₅ minus something negative.",
            "it makes it smaller": "That would be ascent on the loss.",
            "that depends on the sign of w₃₅": "The sign of the weight itself plays no part.",
        },
        answer="it makes it larger",
    ),
    live.question(
        "Many of the fifteen lines look alike. How many different patterns are there?",
        {
            "fifteen": "Neuron 4's five lines are neuron 3's with other indices.",
            "three": "One for the loss, one for each neuron (collect from its successors, then go "
            "through its slope), one for each edge. A bias is an edge from the constant 1.",
            "nine, one for each weight": "All weights have one pattern: what came in, times δ.",
        },
        answer="three",
    ),
    live.question(
        "Why is the line-by-line form cheap in a deep network?",
        {
            "its formulas are different": "Substituted into one another, they are the same "
            "formulas.",
            "it leaves out small terms": "It is exact.",
            "each shared product is formed once": "Written out, a product appears in every path "
            "that contains it, and the number of paths grows exponentially with depth.",
        },
        answer="each shared product is formed once",
    ),
    live.question(
        "Formula and finite difference agree to nine digits at one random point. The formula is …",
        {
            "proved": "A test is not a proof; a case like a₃ = 0 may still be wrong.",
            "very likely right": "A wrong factor or index would show at nearly every random point.",
            "right only at this point": "A formula that is wrong elsewhere would hardly hit nine "
            "digits here.",
        },
        answer="very likely right",
    ),
]

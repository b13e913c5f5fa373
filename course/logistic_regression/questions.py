"""The quiz at the end of the chapter on logistic regression."""

from __future__ import annotations

from nnlib import live

QUESTIONS = [
    live.question(
        "A neuron gives z = −2 to an Adelie (y = −1). How probable did it find what was seen?",
        {
            "σ(−2) ≈ 0.12": "That is its probability for a Chinstrap. The bird is an Adelie.",
            "σ(2) ≈ 0.88": "y z = 2, and σ(2) = 1 − σ(−2) is the probability of an Adelie.",
            "2": "That is y z, which is not a probability yet.",
            "−0.88": "y belongs inside the sigmoid. No probability is negative.",
        },
        answer="σ(2) ≈ 0.88",
    ),
    live.question(
        "All three weights are multiplied by 3. What happens to the line and to the probabilities?",
        {
            "Both stay.": "The line stays, because 3z = 0 where z = 0. But σ(3z) is not σ(z).",
            "The line turns, the probabilities stay.": "Only another ratio of w₁ and w₂ turns the "
            "line.",
            "The line stays, the probabilities move away from ½.": "z is three times as large "
            "everywhere, so each probability is nearer to 0 or 1.",
            "The line moves away from 0.": "Its distance from 0 is |w₀| / ‖w‖, and both grow "
            "alike.",
        },
        answer="The line stays, the probabilities move away from ½.",
    ),
    live.question(
        "A bird has z = 6, and ‖w‖ is 3. How far is it from the line?",
        {
            "6": "That is z. One unit of distance changes z by ‖w‖ = 3.",
            "2": "|z| / ‖w‖ = 6 / 3.",
            "18": "You multiplied. The distance is z divided by ‖w‖.",
            "½": "You inverted the fraction.",
        },
        answer="2",
    ),
    live.question(
        "Why do we take the logarithm of the likelihood?",
        {
            "It moves the maximum to better weights.": "It leaves the maximum where it is, because "
            "the logarithm grows with its argument.",
            "It turns a product into a sum.": "The sum does not underflow, and its derivative is "
            "a sum with one term per bird.",
            "It removes the mistakes.": "The mistakes stay as they are.",
            "It makes the likelihood a probability.": "A log-likelihood is negative, so it is not "
            "a probability.",
        },
        answer="It turns a product into a sum.",
    ),
    live.question(
        "Which bird contributes most to the derivative of the log-likelihood with respect to w₁?",
        {
            "one with a large x₁ on the wrong side": "Its doubt is above ½ and its feature is "
            "large. The contribution is the product.",
            "one with a large x₁ far on its own side": "Its doubt is close to 0, so the product is "
            "small.",
            "one on the wrong side with x₁ = 0": "Doubt times 0 is 0: w₁ does not change its z.",
        },
        answer="one with a large x₁ on the wrong side",
    ),
    live.question(
        "A line separates two classes. What are the most likely weights?",
        {
            "any weights without a mistake": "Among these, 2w is more likely than w.",
            "those with the widest band": "A narrower band is more likely, if nobody is wrong.",
            "there are none": "For each w that separates the classes, 2w is more likely.",
            "all weights 0": "They give ½ to every bird, and any line that separates does better.",
        },
        answer="there are none",
    ),
    live.question(
        "Two neurons have the same line and make the same mistakes. The first one's weights are "
        "twice as large. Which one is calibrated?",
        {
            "the first, because it is more confident": "Confidence is only right if the shares "
            "agree with it.",
            "both, because they decide alike": "Decisions depend on the line alone, probabilities "
            "depend on the size of the weights, too.",
            "this cannot be decided without counting": "Compare the probabilities given with the "
            "shares seen, in bins. The log-likelihood compares them as well.",
        },
        answer="this cannot be decided without counting",
    ),
]

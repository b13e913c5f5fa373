"""The quiz at the end of the chapter on the sigmoid."""

from __future__ import annotations

from nnlib import live

QUESTIONS = [
    live.question(
        "A neuron gives P = 0.75. What are the odds?",
        {
            "0.75 to 1": "That compares P with 1; odds compare P with 1 − P.",
            "3 to 1": "0.75 / 0.25 = 3: three for each one against.",
            "4 to 3": "You compared the whole with the part. Odds compare the part with the rest.",
            "1 to 3": "Those are the odds against.",
        },
        answer="3 to 1",
    ),
    live.question(
        "σ(3) is 0.953. What is σ(−3)?",
        {
            "−0.953": "The sigmoid is never negative.",
            "0.047": "σ(−3) = 1 − σ(3) = 1 − 0.953.",
            "0.953": "The slope is the same at 3 and −3, the value is not.",
            "1.049": "You computed 1 / 0.953. No probability is above 1.",
        },
        answer="0.047",
    ),
    live.question(
        "Where does a neuron with w₀ = 6 and w = −2 cross ½?",
        {
            "at x = −3": "There z = 6 + 6 = 12. Mind both signs in −w₀/w.",
            "at x = 3": "6 − 2 · 3 = 0, and σ(0) is ½.",
            "at x = 6": "The bias alone is not a position. There z = 6 − 12 = −6.",
            "at x = −1/3": "You divided w by w₀.",
        },
        answer="at x = 3",
    ),
    live.question(
        "You want the same crossing, but a curve three times as steep. Which parameters?",
        {
            "3w, and w₀ as before": "Then the crossing moves to a third of its x.",
            "w, and 3w₀": "That moves the crossing and leaves the slope unchanged.",
            "3w and 3w₀": "−w₀/w stays as it was, and w/4 is three times as large.",
            "w + 3 and w₀ + 3": "That adds 3. Three times as steep means times 3.",
        },
        answer="3w and 3w₀",
    ),
    live.question(
        "The log-odds go from 2 to 4. What happens to the odds?",
        {
            "They double.": "The log-odds have doubled. The odds go from e² to e⁴.",
            "They become e² ≈ 7.4 times as large.": "e⁴ / e² = e²: adding 2 to the logarithm "
            "multiplies by e².",
            "They grow by 2.": "It is the log-odds that grow by 2.",
        },
        answer="They become e² ≈ 7.4 times as large.",
    ),
    live.question(
        "Two birds have P = 0.5 and P = 0.99. Both gain 100 g. Whose probability changes more?",
        {
            "that of the first": "The curve is steepest at ½ and nearly flat at 0.99.",
            "that of the second": "There the curve is nearly flat: P is already close to 1.",
            "both change equally": "That is true of log-odds; as P the curve is not straight.",
        },
        answer="that of the first",
    ),
    live.question(
        "Why does 1 / (1 + e⁻ᶻ) cause trouble at z = −1000, although its value 0 is right?",
        {
            "The value should be −1000.": "That is the logarithm of σ(−1000). The value itself is "
            "0 up to a tiny difference.",
            "Its slope is nan.": "The slope multiplies 0 by infinity, and every weight that is "
            "updated with nan becomes nan.",
            "e⁻¹⁰⁰⁰ is rounded to 0.": "At z = −1000 the exponent is +1000, and e¹⁰⁰⁰ overflows.",
        },
        answer="Its slope is nan.",
    ),
]

"""The quiz of the chapter on recurrent networks."""

from __future__ import annotations

from nnlib import live

QUESTIONS = [
    live.question(
        "A network trained on words of at most 12 letters reads a word of 24 letters. How "
        "many new weights does it need?",
        {
            "none": "All copies of the cell share one set of weights.",
            "twelve more copies of w_hh": (
                "There are twelve more copies of the cell, but they hold the same matrix."
            ),
            "it cannot read the word": (
                "The loop runs twelve steps longer. Whether the answer is good is another question."
            ),
        },
        answer="none",
    ),
    live.question(
        "What is NN1, as it is usually built?",
        {
            "a network of its own with its own weights": "It could be, but it is not needed.",
            "NN2 with zeros as the old state": "Starting from a state of zeros saves a network.",
            "the one-hot vector of the first letter": "That is its input.",
            "a logistic regression": "That is NN3.",
        },
        answer="NN2 with zeros as the old state",
    ),
    live.question(
        "Why did NN3 do badly after three letters, and the second read-out better?",
        {
            "three letters carry no information": (
                "The second read-out gets half of the words right from them."
            ),
            "NN3 was trained on the states at the ends of words only": (
                "It answers another question, and endings are different from beginnings."
            ),
            "NN3 has too few weights": "Both read-outs have the same number of weights.",
        },
        answer="NN3 was trained on the states at the ends of words only",
    ),
    live.question(
        "The bias of a cell is used at every step of a word. What is its gradient?",
        {
            "the δ of the last step": "That leaves out all earlier uses.",
            "the mean of all δ": "Paths add; nothing is divided.",
            "the sum of all δ": "One term for every time that it was used.",
            "the product of all δ": "Along a path factors multiply, but different paths add.",
        },
        answer="the sum of all δ",
    ),
    live.question(
        "The largest singular value of w_hh is 0.5. What happens to gradients through tanh "
        "over 40 steps?",
        {
            "they vanish": "Each step at least halves their length.",
            "they explode": "No step can lengthen them.",
            "it depends on the inputs": (
                "For values above 1 it does. Below 1 the bound holds for all inputs."
            ),
        },
        answer="they vanish",
    ),
    live.question(
        "Which remedy helps against vanishing gradients?",
        {
            "clipping": "Clipping shortens what is too long. What is short stays short.",
            "gates that start near 1": "They let a value and its gradient pass unchanged.",
            "a larger step size": (
                "It multiplies all terms alike, so the early ones stay as small beside the late "
                "ones."
            ),
            "a low temperature": "The temperature is for sampling.",
        },
        answer="gates that start near 1",
    ),
    live.question(
        "A library defines its GRU by h_t = (1 − z_t) h_(t−1) + z_t n_t. You add 3 to the biases "
        "of its update gates before training. How much of an old value is left after one step?",
        {
            "about 0.95 of it": "That would be right for this chapter's GRU, where z keeps h.",
            "about half of it": "That is the usual start. With the bias 3, z is about 0.95.",
            "about 0.05 of it": (
                "Here z overwrites, so 1 − σ(3) is kept. You would have to subtract 3."
            ),
        },
        answer="about 0.05 of it",
    ),
    live.question(
        "A language model has the perplexity 10 on test words. What does this mean?",
        {
            "it gets one letter in ten right": "It is not a share of right answers.",
            "it is as uncertain as a guess among 10 equal letters": "Its loss is log 10.",
            "its loss is 10": "The loss is the logarithm of the perplexity.",
        },
        answer="it is as uncertain as a guess among 10 equal letters",
    ),
]

"""The quiz of the chapter on convolutional networks."""

from __future__ import annotations

from nnlib import live

QUESTIONS = [
    live.question(
        "A layer makes 8 maps of a 28 × 28 image with 5 × 5 kernels. The image grows to 56 × 56. "
        "How many new parameters are there?",
        {
            "none": "The same kernels slide over more positions.",
            "four times as many": "There are about four times as many neurons, but they "
            "share their weights.",
            "one for each new pixel": "That would be a layer without sharing.",
        },
        answer="none",
    ),
    live.question(
        "All images move by 3 pixels. What do the feature maps of the first convolution do?",
        {
            "they stay": "The largest number of each map stays. The map does not.",
            "they move by 3 pixels": "Each copy finds what its neighbour found before.",
            "they change everywhere": "They would if each position had weights of its own.",
        },
        answer="they move by 3 pixels",
    ),
    live.question(
        "A 3 × 3 convolution goes from 4 channels to 10. How many parameters does it have?",
        {
            "10 · (9 + 1) = 100": "A neuron looks at all four channels of its window.",
            "10 · (4 · 9 + 1) = 370": "36 weights and one bias for each output map.",
            "10 · 4 · (9 + 1) = 400": "There is one bias for a map, not one for each channel.",
            "4 · (10 · 9 + 1) = 364": "Channels in and out are exchanged.",
        },
        answer="10 · (4 · 9 + 1) = 370",
    ),
    live.question(
        "The block 2, 7, 1, 5 is pooled to 7. The derivative of the loss with respect to this "
        "output is 0.4. What does the 5 get?",
        {
            "0.4": "That is what the 7 inside the block gets.",
            "0.1": "That would be right for the mean of four numbers.",
            "0": "A small change of the 5 does not change the largest number.",
            "0.4 · 5 / 7": "The size of the number plays no part, only whether it is largest.",
        },
        answer="0",
    ),
    live.question(
        "Two convolutions with 3 × 3 windows and stride 1 follow each other. How much of the image "
        "does a neuron of the second see?",
        {
            "3 × 3": "It sees 3 × 3 neurons, each of which sees more than one pixel.",
            "5 × 5": "3 + (3 − 1) · 1 = 5.",
            "6 × 6": "The windows overlap.",
            "9 × 9": "Only with a stride of 3 in the first layer.",
        },
        answer="5 × 5",
    ),
    live.question(
        "Why does “two pools” fail on digits moved by 4 pixels?",
        {
            "its kernels are too small": "Those of “anywhere” have the same size.",
            "it pools too often": "It pools less than “anywhere”, which does not fail.",
            "its classifier has a weight for each position": "Its moved maps are multiplied by "
            "other weights.",
            "it has too few parameters": "The MLP has nine times as many and fails even more.",
        },
        answer="its classifier has a weight for each position",
    ),
    live.question(
        "What does weight sharing not save?",
        {
            "parameters to learn": "One kernel replaces hundreds of sets of weights.",
            "multiplications": "Each weight acts at every position.",
            "training images": "Every window of an image teaches the same weights.",
        },
        answer="multiplications",
    ),
]

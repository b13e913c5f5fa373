"""The language models in the page: the next word or letter, continued texts, attention weights."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnlib
from course.networks import letters
from course.networks.clauses import CODES, END, LENGTH, UNKNOWN, vocabulary
from course.networks.fixed_length import FixedLengthTransformer
from nnlib import live

ALPHABET = "abcdefghijklmnopqrstuvwxyz' "
LONGEST = 14  # letters of a word
MAX_TEXT_LENGTH = 72  # letters of a typed text
WORDS = LENGTH - 1  # words of a text
SPACE = ord(" ")
SAMPLE_COUNT = 400  # random numbers for sampled words; then they repeat
TOP = 8  # most probable words that are shown


def letters_of(words: tuple[str, ...]) -> np.ndarray:
    """The words as character codes, (n, 14), padded with spaces."""
    table = np.full((len(words), LONGEST), SPACE)
    for row, word in zip(table, words, strict=True):
        row[: len(word)] = [ord(letter) for letter in word]
    return table


SPELLING = letters_of(vocabulary())  # (1002, 14)


def words_in(text: Any) -> tuple[Any, Any]:
    """Codes of the words in a typed text (12,), and how many there are; unknown words are "…".

    Runs inside a recorded graph: each word's letters are compared with all 1,000 words.
    """
    points = nnlib.tensor(np.array([*map(ord, ALPHABET), SPACE]))
    padded = nnlib.cat([points[text], nnlib.full((LONGEST,), SPACE)])
    inside = (padded != SPACE).long()
    before = nnlib.cat([nnlib.zeros(1).long(), inside[:-1]])
    word_index = (inside * (1 - before)).cumsum(0) - 1  # which word a letter belongs to
    in_word = (word_index.unsqueeze(0) == nnlib.arange(WORDS).unsqueeze(1)) & (inside == 1)
    first = in_word.long().argmax(1)
    positions = (first.unsqueeze(1) + nnlib.arange(LONGEST)).clamp(max=len(padded) - 1)
    letters = nnlib.where(in_word.gather(1, positions), padded[positions], SPACE)
    table = nnlib.tensor(SPELLING.astype(np.float32))
    gap = (letters.float().unsqueeze(1) - table[:UNKNOWN].unsqueeze(0)).abs().sum(-1)  # (12, 1000)
    codes = nnlib.where(gap.amin(1) == 0, gap.argmin(1), UNKNOWN)
    return codes, in_word.any(1).long().sum()


def next_word(net: FixedLengthTransformer, row: Any, n: Any, head_mask: Any) -> tuple[Any, Any]:
    """Logits after the start sign and n words of a row (12,), and the attention weights."""
    h, maps = net.vectors(nnlib.cat([nnlib.full((1,), END), row]), n + 1, head_mask)
    return net.logits(h[n]), maps


def best_of(p: Any) -> dict[str, Any]:
    """The most probable words: probabilities and letters."""
    probabilities, indices = p.topk(TOP)
    return {"probabilities": probabilities, "names": nnlib.tensor(SPELLING)[indices]}


def slots(name: str, *index: int) -> str:
    """A word as a template of live letters: {name[3,0]:c}{name[3,1]:c}…"""
    indices = "".join(f"{i}," for i in index)
    return "".join(f"{{{name}[{indices}{j}]:c}}" for j in range(LONGEST))


def next_bars() -> Any:
    """The eight most probable next words as horizontal names above bars."""
    positions = np.arange(TOP)
    names = [live.label(slots("names", i), float(i),
                        lambda probabilities, slot=i: probabilities[slot], dy=-20 - 13 * (i % 2))
             for i in range(TOP)]  # fmt: skip
    return live.axes(
        live.bars("probabilities", positions, labels=[f"{k + 1}." for k in positions],
                  format=".2f"),
        *names, ylim=(0, 1), width=620, height=230, ylabel="probability of coming next",
    )  # fmt: skip


def writing(model: Any, beginning: str, **texts: Any) -> live.Figure:
    """A typed beginning, the next word's probabilities, and words sampled one by one."""
    net = FixedLengthTransformer(model)
    rng = np.random.default_rng(7)
    uniform = nnlib.tensor(rng.uniform(size=SAMPLE_COUNT).astype(np.float32))
    allowed = nnlib.tensor((np.arange(CODES) != UNKNOWN).astype(np.float32))
    position, head_mask = nnlib.arange(WORDS), nnlib.ones(2 * net.heads)

    def write(
        text: Any, sampled_words: Any, sampled_count: Any, sampled_for: Any, sample_number: Any,
        T: Any, k: Any,
    ) -> Any:  # fmt: skip
        typed, n = words_in(text)
        # This number changes with the beginning: the weighted sum of its codes is below 100,000.
        prompt_key = (typed * (position + 1) * (position < n).long()).sum() + 100_000 * n
        added = nnlib.where(sampled_for == prompt_key, sampled_count, 0)  # 0 for a new beginning
        total = (n + added).clamp(max=WORDS)
        row = nnlib.where(position < n, typed, sampled_words[(position - n).clamp(min=0)])
        logits, _ = next_word(net, row, total, head_mask)
        logits = logits - 1e9 * (1.0 - allowed)
        least = logits.topk(50).values[k - 1]
        p = (logits / T - 1e9 * (logits < least).float()).softmax(-1)
        sampled = (p.cumsum(0) < uniform[sample_number]).long().sum().clamp(max=CODES - 1)
        ended = (added > 0) & (sampled_words[(added - 1).clamp(min=0)] == END)
        free = (total < WORDS) & ~ended
        new_words = nnlib.where((position == added) & free, sampled, sampled_words)
        shown = nnlib.where(position < total, row, END)
        letters = nnlib.where((shown == END).unsqueeze(1), SPACE, nnlib.tensor(SPELLING)[shown])
        return {"letters": letters, "new_words": new_words,
                "new_count": nnlib.where(free, added + 1, added),
                "prompt_key": prompt_key, "next_number": (sample_number + 1) % SAMPLE_COUNT,
                "stop": (~free).float()} | best_of(p)  # fmt: skip

    line = " ".join(slots("letters", k) for k in range(WORDS))
    return live.figure(
        write,
        text=live.text(beginning, alphabet=ALPHABET, max_length=MAX_TEXT_LENGTH, label="beginning"),
        T=live.slider(0.1, 2.0, 0.1, value=0.8, label="temperature T"),
        k=live.slider(1, 50, value=50, label="top k"),
        sampled_words=live.values(np.full(WORDS, END)),
        sampled_count=live.values(0),
        sampled_for=live.values(0),
        sample_number=live.values(0),
        view=[
            live.row(live.button("write the next word",
                                 {"sampled_words": "new_words", "sampled_count": "new_count",
                                  "sampled_for": "prompt_key",
                                  "sample_number": "next_number"}),
                     live.button("remove its words", {"sampled_count": 0,
                                                     "sample_number": "next_number"})),
            live.readout(line, size="large"),
            live.readout("The clause has ended.", when="stop"),
            next_bars(),
        ],
        **texts,
    )  # fmt: skip


def heads(model: Any, text: str, question: Any, **texts: Any) -> live.Figure:
    """Every head's attention weights on a typed clause, each with a switch, and the next word."""
    net = FixedLengthTransformer(model)
    count = 2 * net.heads

    def outputs(text: Any, on: Any, head: Any) -> dict[str, Any]:
        row, n = words_in(text)
        logits, maps = next_word(net, row, n, on)
        p = logits.softmax(-1)
        start = nnlib.tensor(letters_of(("start",)))
        inside = nnlib.arange(LENGTH) <= n
        names = nnlib.cat([start, nnlib.tensor(SPELLING)[row]])
        names = nnlib.where(inside.unsqueeze(1), names, SPACE)
        shown = maps * inside.float().reshape(1, -1, 1)
        last = maps[head][n]
        return {"maps": shown, "weights": last * inside.float(), "words": names,
                "head_number": head % net.heads + 1, "block_number": head // net.heads + 1,
                "chosen": nnlib.tensor(names[last.argmax()]), "weight": last.amax(),
                "her": p[vocabulary().index("her")], "him": p[vocabulary().index("him")],
                } | best_of(p)  # fmt: skip

    labels = [f"block {b + 1}, head {h + 1}" for b in range(2) for h in range(net.heads)]
    short = [f"{b + 1}.{h + 1}" for b in range(2) for h in range(net.heads)]
    names = [live.label(slots("words", t), float(t), -0.13 * (1 + t % 3))
             for t in range(LENGTH)]  # fmt: skip
    chosen = "".join(f"{{chosen[{j}]:c}}" for j in range(LONGEST))
    shown = [
        live.control("text"),
        live.images("maps", columns=4, pixel=4.5, colors="magnitude", range=(0, 1), labels=short,
                    title="block.head", select="head"),
        live.axes(live.bars("weights", np.arange(LENGTH), labels=[" "] * LENGTH, color="series2"),
                  *names, ylim=(-0.45, 1.05), width=640, height=220, ylabel="weight",
                  title="where the last word looks, in the chosen head"),
        live.readout("Next: her {her:.3f}, him {him:.3f}. With weight {weight:.2f}, "
                     f"head {{head_number:d}} of block {{block_number:d}} looks most at: {chosen}"),
        live.toggles(labels, toggle="on"),
        next_bars(),
    ]  # fmt: skip
    question.fields["reveal"] = [live.column(*shown)]
    return live.figure(
        outputs,
        text=live.text(text, alphabet=ALPHABET, max_length=MAX_TEXT_LENGTH, label="a clause"),
        on=live.values(np.ones(count, np.float32)),
        head=live.values(count - 1),
        view=[question],
        **texts,
    )


# --- letters ------------------------------------------------------------------------------------

LETTERS = np.array([*map(ord, letters.LETTERS)])
LETTER_LABELS = [live.label(f"{{shown[{t}]:c}}", float(t), -0.55) for t in range(letters.LENGTH)]


def typed(text: Any, n: Any) -> tuple[Any, Any, Any]:
    """A typed text's codes (32,), its characters, and which positions it fills."""
    inside = nnlib.arange(letters.LENGTH) < n
    codes = text.clamp(max=len(LETTERS) - 1)
    return codes, nnlib.where(inside, nnlib.tensor(LETTERS)[codes], SPACE), inside


def surprises(
    net: FixedLengthTransformer, codes: Any, n: Any, head_mask: Any
) -> tuple[Any, Any, Any]:
    """Each letter's surprise (32,), 0 for the first; the next letter's probabilities; weights."""
    h, maps = net.vectors(codes, n, head_mask)
    p = net.logits(h).log_softmax(-1)
    surprise = -p[:-1].gather(1, codes[1:].unsqueeze(1)).squeeze(1)
    surprise = nnlib.cat([nnlib.zeros(1), surprise]) * (nnlib.arange(letters.LENGTH) < n).float()
    return surprise, p[(n - 1).clamp(min=0)].exp(), maps


def next_letter(name: str, **texts: Any) -> Any:
    """The probabilities of the letter that comes next, as bars."""
    names = [letter.replace(" ", "␣") for letter in letters.LETTERS]
    return live.axes(live.bars(name, labels=names), ylim=(0, 1.05), width=640,
                     height=170, **texts)  # fmt: skip


def letter_heads(model: Any, text: str, question: Any, **texts: Any) -> live.Figure:
    """The letter model on a typed text: attention weights, switches, and the text's surprise."""
    net = FixedLengthTransformer(model)
    count = len(net.blocks) * net.heads

    def outputs(text: Any, text_length: Any, on: Any, head: Any) -> dict[str, Any]:
        codes, _, inside = typed(text, text_length)
        surprise, p, maps = surprises(net, codes, text_length, on)
        shown = maps * inside.float().reshape(1, -1, 1)
        return {"maps": shown, "map": shown[head], "p": p,
                "head_number": head % net.heads + 1, "block_number": head // net.heads + 1,
                "mean": surprise.sum() / (text_length - 1).clamp(min=1)}  # fmt: skip

    labels = [f"block {b + 1}, head {h + 1}" for b in range(2) for h in range(net.heads)]
    short = [f"{b + 1}.{h + 1}" for b in range(2) for h in range(net.heads)]
    image_style: dict[str, Any] = {"colors": "magnitude", "range": (0, 1)}
    question.fields["reveal"] = [live.column(
        live.control("text"),
        live.images("maps", columns=4, pixel=2, labels=short, title="block.head", select="head",
                    **image_style),
        live.images("map", pixel=13, row_labels="text", column_labels="text",
                    title="who (row) looks at whom, in the chosen head", **image_style),
        live.toggles(labels, toggle="on"),
        live.readout("Shown: head {head_number:d} of block {block_number:d}. The letters of this "
                     "text have a mean surprise of {mean:.2f} nats."),
        next_letter("p", ylabel="comes next"))]  # fmt: skip
    return live.figure(
        outputs,
        text=live.text(text, alphabet=letters.LETTERS, max_length=letters.LENGTH, label="a text"),
        on=live.values(np.ones(count, np.float32)),
        head=live.values(0),
        view=[question],
        **texts,
    )


def mask_comparison(
    masked: Any, unmasked: Any, text: str, question: Any, **texts: Any
) -> live.Figure:
    """Each typed letter's surprise, and the next letter, for models with and without a mask."""
    nets = {
        "masked": FixedLengthTransformer(masked),
        "unmasked": FixedLengthTransformer(unmasked, causal=False),
    }
    head_mask = nnlib.ones(len(nets["masked"].blocks) * nets["masked"].heads)

    def outputs(text: Any, text_length: Any) -> dict[str, Any]:
        codes, shown, _ = typed(text, text_length)
        result = {"shown": shown}
        for name, net in nets.items():
            surprise, p, _ = surprises(net, codes, text_length, head_mask)
            result |= {name: surprise, f"{name}_p": p,
                       f"{name}_best": nnlib.tensor(LETTERS)[p.argmax()],
                       f"{name}_probability": p.amax(), f"{name}_mean": surprise.sum()
                       / (text_length - 1).clamp(min=1)}  # fmt: skip
        return result

    panels = []
    for name, title in (("masked", "with a mask"), ("unmasked", "without a mask")):
        panels += [
            live.axes(live.bars(name, np.arange(letters.LENGTH), labels=[" "] * letters.LENGTH,
                                color="series1" if name == "masked" else "series2"),
                      *LETTER_LABELS, ylim=(-0.9, 6), width=640, height=170, title=title,
                      ylabel="surprise"),
            live.readout(f"{title}: mean surprise {{{name}_mean:.2f}} nats; next it expects "
                         f"“{{{name}_best:c}}” with probability {{{name}_probability:.2f}}"),
        ]  # fmt: skip
    question.fields["reveal"] = [live.column(live.control("text"), *panels)]
    return live.figure(
        outputs,
        text=live.text(text, alphabet=letters.LETTERS, max_length=letters.LENGTH, label="a text"),
        view=[question],
        **texts,
    )

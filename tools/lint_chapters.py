"""Checks every chapter against the rules for its parts, sentences, examples, numbers, spelling.

    python tools/lint_chapters.py chapters     list the problems; exit 1 if there are any

docs/authoring.md explains the rules. A text cell may contain exemptions, each with its scope:

    <!-- exact: 0.5 1.25 -->            these decimals in this cell's text are not computed
    <!-- lint: allow cells links -->    the whole notebook is exempt from these rules
    <!-- lint: draft -->                missing parts are listed, but not counted as problems
"""

from __future__ import annotations

import argparse
import ast
import builtins
import functools
import io
import itertools
import json
import re
import statistics
import symtable
import sys
import tokenize
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import notebooks
from exercises import CHECKED, SOLUTION, source_of, tags_of

ROOT = Path(__file__).resolve().parent.parent
WORDS_FILE = ROOT / "tools" / "words.txt"

FOLDED = {"hide-input", "hide-cell", "remove-cell", "remove-input"}
MOST_LINES = 20  # in any code cell
LONG_CELL = 10  # lines; one shown cell in ten may have more
MOST_MEDIAN = 4  # lines: the largest median of the shown cells
WIDEST = 80  # characters in a line: more do not fit into the page
EXERCISE_COUNT = (6, 12)  # the fewest and the most of a chapter
LONGEST_SENTENCE, COLONS = 30, 2  # words in a sentence; colons in a paragraph
NUMBERS_OF_AN_EXAMPLE = 4  # at least
COMMENTS = 0.08  # the largest fraction of the lines of code
FILLERS = ("simply", "obviously", "trivially", "just", "of course", "needless")
BOILERPLATE = re.compile(
    r"rcParams|tight_layout|set_[xy](label|lim|ticks)|\.spines|plt\.style|gridspec"
)
RANDOM = {"rand", "randn", "randint", "randperm", "normal", "bernoulli", "multinomial", "dropout"}
RANDOM_LAYERS = {"Linear", "Conv2d", "RNN", "LSTM", "GRU", "Embedding", "Dropout", "DataLoader",
                 "random_split"}  # fmt: skip
SEEDED = {"default_rng", "Generator", "SeedSequence", "PCG64", "RandomState"}
DECIMAL = re.compile(r"(?<![\w.,/])[−-]?(?:\d{1,3}(?:,\d{3})+|\d*)\.\d+|(?<![\w.,])\d+(?= ?%)")
SAY_CALL = re.compile(r"course\.say\(\s*\"([^\"]+)\"")
NEIGHBOUR = re.compile(r"\[[^\]]*\b(next|last)\s+chapter[^\]]*\]\(([^)#\s]+)")
GLUED = re.compile(r"\{glue:text\}`([^`:]+)")


@dataclass
class Chapter:
    """A notebook's text and code cells, each with the cell's number, for the rules."""

    path: Path
    texts: list[tuple[int, str]] = field(default_factory=list)
    codes: list[tuple[int, str, dict]] = field(default_factory=list)

    @property
    def allowed(self) -> set[str]:
        comments = re.findall(r"<!-- lint: allow ([\w ]+) -->", self.text)
        return {word for words in comments for word in words.split()}

    @property
    def text(self) -> str:
        return "\n\n".join(text for _, text in self.texts)

    def shown(self) -> list[tuple[int, str]]:
        return [
            (number, code) for number, code, cell in self.codes if not FOLDED & set(tags_of(cell))
        ]

    def code(self) -> str:
        return "\n".join(code for _, code, _ in self.codes)


def read(path: Path) -> Chapter:
    chapter = Chapter(path)
    for number, cell in enumerate(json.loads(path.read_text("utf8"))["cells"]):
        if cell["cell_type"] == "markdown":
            chapter.texts.append((number, source_of(cell)))
        elif cell["cell_type"] == "code":
            chapter.codes.append((number, source_of(cell), cell))
    return chapter


def figures_of(code: str) -> str:
    """The source of all files in the folders of `course` that a chapter imports from."""
    folders = sorted(set(re.findall(r"^from course\.(\w+)", code, flags=re.M)))
    files = [path for name in folders for path in sorted((ROOT / "course" / name).glob("*.py"))]
    return "\n".join(path.read_text("utf8") for path in files)


def lines_of(code: str) -> list[str]:
    return [line for line in code.splitlines() if line.strip()]


def without_fences(text: str) -> str:
    """The text without fenced code; what a directive such as {margin} fences is text."""
    lines: list[str] = []
    fences: list[tuple[str, bool]] = []  # the open fences' marks, and whether they hold code
    for line in text.splitlines():
        mark = re.match(r"(`{3,})(.*)", line)
        if mark and fences and mark[1] == fences[-1][0] and not mark[2].strip():
            fences.pop()
        elif mark and not (fences and fences[-1][1]):
            fences.append((mark[1], not mark[2].startswith("{")))
        elif not (fences and fences[-1][1]):
            lines.append(line)
    return "\n".join(lines)


def prose(text: str) -> str:
    """The text without code, formulas, roles, directives' options, comments, tags and addresses."""
    text = re.sub(r"<!--.*?-->", " ", text, flags=re.DOTALL)
    text = without_fences(text)
    text = re.sub(r"\$\$.*?\$\$(\s*\(\S+\))?|\$[^$]+\$", " ", text, flags=re.DOTALL)
    text = re.sub(r"^\s*:[\w-]+:.*$|^\(\S+\)=$|^:{3,}$", " ", text, flags=re.M)
    text = re.sub(r"^[:`]{3,}\{[\w-]+\}", " ", text, flags=re.M)
    text = re.sub(r"\{term\}`([^`<]+)[^`]*`", r"\1", text)
    text = re.sub(r"\{[\w:-]+\}`[^`]*`|`[^`]*`", " ", text)
    text = re.sub(r"\]\([^)]*\)|<[^>]+>|https?://\S+", " ", text)
    return re.sub(r"[*_#|★]", " ", text)


# --- the rules: each yields its problems ----------------------------------------------------------

RULES: dict[str, Callable[[Chapter], Iterator[str]]] = {}


def rule(function: Callable[[Chapter], Iterator[str]]) -> Callable[[Chapter], Iterator[str]]:
    """Registers a rule under its function's name."""
    RULES[function.__name__] = function
    return function


@rule
def title(chapter: Chapter) -> Iterator[str]:
    """A chapter has one title, in the first cell, and the question in italics below it."""
    titles = re.findall(r"^# .+$", without_fences(chapter.text), flags=re.M)
    if len(titles) != 1:
        yield f"one title (# …) is needed, not {len(titles)}"
    first = chapter.texts[0][1] if chapter.texts else ""
    if not re.match(r"# .+\n\n\*.+\*", first):
        yield "the first cell needs the title and below it the chapter's question in *italics*"


@rule
def structure(chapter: Chapter) -> Iterator[str]:
    """A chapter has every part: opening, predictions, exercises, quiz, PyTorch, closing, …"""
    text, code = chapter.text, chapter.code()
    for name in ("nn-opening", "nn-closing"):
        if f":class: {name}" not in text:
            yield f"no block with :class: {name}"
    if (code + figures_of(code)).count("live.predict(") < 2:
        yield "at least two live.predict are needed"
    if "live.quiz(" not in code:
        yield "no live.quiz"
    exercises = len(CHECKED.findall(code))
    stated = text.count("{exercise}")
    if not EXERCISE_COUNT[0] <= stated <= EXERCISE_COUNT[1]:
        yield f"{stated} exercises; {EXERCISE_COUNT[0]} to {EXERCISE_COUNT[1]} are needed"
    if stated < exercises:
        yield f"{stated} {{exercise}} directives for {exercises} checks"
    if not any("pytorch" in tags_of(cell) for _, _, cell in chapter.codes):
        yield "no cell tagged pytorch (the same in PyTorch)"
    closing = text.partition("## Further reading")[2]
    if "{cite" not in closing:
        yield "no ## Further reading with a {cite:…}"


@rule
def cells(chapter: Chapter) -> Iterator[str]:
    """Cells are short enough to read, and lines are short enough for the page."""
    for number, code, _ in chapter.codes:
        if len(lines_of(code)) > MOST_LINES:
            yield f"cell {number}: {len(lines_of(code))} lines; at most {MOST_LINES}"
    solutions = [
        (number, solution) for number, text in chapter.texts for solution in SOLUTION.findall(text)
    ]
    for number, code in [*chapter.shown(), *solutions]:
        for line in code.splitlines():
            if len(line) > WIDEST:
                yield f"cell {number}: a line of {len(line)} characters; the page shows {WIDEST}"
    shown = [len(lines_of(code)) for _, code in chapter.shown()]
    if not shown:
        return
    if statistics.median(shown) > MOST_MEDIAN:
        yield f"cells have a median of {statistics.median(shown):g} lines; at most {MOST_MEDIAN}"
    long = sum(n > LONG_CELL for n in shown)
    if long > 0.1 * len(shown):
        yield f"{long} of {len(shown)} shown cells have more than {LONG_CELL} lines; one in ten may"


@rule
def skipped_cells(chapter: Chapter) -> Iterator[str]:
    """A cell that the page does not run (checks-text) is hidden, and no later cell needs it."""
    for number, code, cell in chapter.codes:
        if "checks-text" not in tags_of(cell):
            continue
        if "remove-cell" not in tags_of(cell):
            yield f"cell {number}: tagged checks-text, but the page would show it and not run it"
        later = [code for n, code, _ in chapter.codes if n > number]
        if needed := sorted(assigned(code) & set().union(*map(read_variables, later))):
            yield f"cell {number}: tagged checks-text, and a later cell uses {', '.join(needed)}"


def assigned(code: str) -> set[str]:
    """The variables that a cell assigns."""
    return {s.get_name() for s in symbol_table(code).get_symbols() if s.is_assigned()}


def read_variables(code: str) -> set[str]:
    """The variables that a cell reads, its functions included, and does not set itself."""
    scopes, names = [symbol_table(code)], set()
    while scopes:
        scope = scopes.pop()
        scopes += scope.get_children()
        names |= {s.get_name() for s in scope.get_symbols() if s.is_referenced() and s.is_global()}
    return names - assigned(code)


def symbol_table(code: str) -> symtable.SymbolTable:
    return symtable.symtable(code, "a cell", "exec")


# --- sentences and words --------------------------------------------------------------------------

# Words that earlier versions of the book gave a meaning of their own, and the field's words.
PRIVATE = {
    r"mend(s|ed|ing)?": "fix",
    r"cure(s|d)?": "fix, remedy",
    r"exam(s)?": "test set",
    r"learn(s|ed|t|ing)? by heart": "memorise",
    r"is no (tensor|leaf|view|number|function|module|word)": "is not a …",
    r"told by": "given by",
    r"parted": "separated",
    r"nudg(e|es|ed|ing)": "a small change",
    r"blame(s|d)?": "δ, or the derivative",
    r"perceived error": "δ",
    r"bend(s|ing)?|bent": "nonlinearity, activation function",
    r"undone|undoes": "pull the gradient back",
    r"input sum|weighted sum of its inputs": "total input",
    r"for nothing": "at no cost",
    r"drawn at random": "random, sampled",
}


def paragraphs(text: str) -> Iterator[str]:
    """The text's paragraphs and list items as a reader reads them: formulas count as one word."""
    text = re.sub(r"<details.*?</details>", " ", without_fences(text), flags=re.DOTALL)
    text = re.sub(r"\$\$.*?\$\$(\s*\(\S+\))?", "\n\n", text, flags=re.DOTALL)
    text = re.sub(r"\$[^$]+\$", "X", text)
    text = re.sub(r"\{(?:glue:text|eq)\}`[^`]*`", "0", text)
    text = re.sub(r"(?:\{(?!term)[\w:-]+\})?(?<!\{term\})(?<!`)`[^`]+`(?!`)", "X", text)
    for block in re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )", text):
        if "|" in block or re.match(r"\s*(#|```)", block):  # tables, headings
            continue
        if paragraph := " ".join(prose(block).split()):
            yield paragraph


def sentences_of(paragraph: str) -> list[str]:
    return re.split(r"(?<=[.?!:;])[)”\"]?\s+(?=[\"“(]?[A-Z0-9])", paragraph)


@rule
def sentences(chapter: Chapter) -> Iterator[str]:
    """No sentence is too long, and no paragraph is a chain of colons."""
    for number, text in chapter.texts:
        for paragraph in paragraphs(text):
            for sentence in sentences_of(paragraph):
                count = len(re.findall(r"[^\W_][\w’'.,-]*", sentence))
                if count > LONGEST_SENTENCE:
                    yield f"cell {number}: a sentence of {count} words: “{sentence[:60]}…”"
            if (colons := len(re.findall(r":(?=\s|$)", paragraph))) > COLONS:
                yield f"cell {number}: {colons} colons in a paragraph: “{paragraph[:60]}…”"


@rule
def lists(chapter: Chapter) -> Iterator[str]:
    """No line inside a paragraph begins like a list item: "… or 1." would become a list."""
    for number, text in chapter.texts:
        lines = without_fences(text).splitlines()
        for previous, line in itertools.pairwise(lines):
            starts = re.match(r"(\d+[.)]|[-+*]) ", line)
            in_list = re.match(r"\s*(\d+[.)]|[-+*]) |\s{2,}", previous)
            if starts and previous.strip() and not in_list:
                yield f"cell {number}: “{line[:30]}” begins a list inside a paragraph; rewrap it"


@rule
def comment_first(chapter: Chapter) -> Iterator[str]:
    """No paragraph begins with a comment: Markdown would leave the rest of that line raw."""
    for number, text in chapter.texts:
        lines = ["", *without_fences(text).splitlines()]
        for previous, line in itertools.pairwise(lines):
            after = re.sub(r"<!--.*?-->", "", line).strip()
            if line.startswith("<!--") and after and not previous.strip():
                yield f"cell {number}: “{after[:30]}” follows a comment; put the comment after it"


@rule
def vocabulary(chapter: Chapter) -> Iterator[str]:
    """Texts use the field's words, not private ones; so do the texts of figures and questions."""
    for number, text in [
        *chapter.texts,
        *((number, readers_text(code)) for number, code, _ in chapter.codes),
    ]:
        for word, instead in PRIVATE.items():
            if match := re.search(rf"\b(?:{word})\b", prose(text), flags=re.IGNORECASE):
                yield f"cell {number}: “{match[0]}” is not the field's word; use {instead}"


@rule
def examples(chapter: Chapter) -> Iterator[str]:
    """A section that displays a formula also has an example with numbers."""
    for section in re.split(r"^(?=## )", chapter.text, flags=re.M):
        heading = section.partition("\n")[0]
        if "$$" not in section or not heading.startswith("## "):
            continue
        roles = r"\{(eq|ref|doc|cite)[^`]*`[^`]*`"
        shown = re.sub(rf"_\{{[^}}]*\}}|_\d|\^\{{[^}}]*\}}|{roles}", " ", section)
        values = re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?!\w)|\{glue:text\}", shown)
        if len(values) < NUMBERS_OF_AN_EXAMPLE or not re.search(r"[=≈|]|\\approx", section):
            yield f"“{heading[3:]}” displays a formula but has no example with numbers"


# Names that readers know from Python, and the beginnings of calls that need no explanation.
KNOWN = {
    name for kind in (builtins, str, list, dict, set, tuple, float, range) for name in dir(kind)
}
HELPERS = ("course.", "live.", "show.", "play.", "plots.", "plt.")


def chapters_of(toc: str) -> list[Path]:
    """The chapters that a table of contents, or a part of it, names."""
    return [ROOT / f"{name}.ipynb" for name in re.findall(r"file: (chapters/\S+)", toc)]


def contents() -> str:
    return (ROOT / "_toc.yml").read_text("utf8")


@functools.cache
def explained_before(path: Path) -> frozenset[str]:
    """Names that the chapters before this one, in the book's order, put in code quotes."""
    order = chapters_of(contents())
    if path.resolve() not in order:
        return frozenset()
    earlier = order[: order.index(path.resolve())]
    return frozenset(name for other in earlier for name in quoted(read(other).text))


def quoted(text: str) -> set[str]:
    """Every name inside `code` or a fenced block."""
    fenced = re.findall(r"```.*?```", text, re.DOTALL)
    code = [*re.findall(r"`([^`]+)`", without_fences(text)), *fenced]
    return {name for part in code for name in re.findall(r"[^\W\d]\w*", part)}


@rule
def explained(chapter: Chapter) -> Iterator[str]:
    """Each call is named in the text before its first use or right after it."""
    known = KNOWN | explained_before(chapter.path)
    for number, code in chapter.shown():
        after = next((n for n, _ in chapter.texts if n > number), number)
        known |= quoted("\n\n".join(text for n, text in chapter.texts if n <= after))
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                known.add(node.name)
            elif isinstance(node, ast.Assign):
                parts = [part for target in node.targets for part in ast.walk(target)]
                known |= {part.id for part in parts if isinstance(part, ast.Name)}
        for name, _ in calls(code):
            last = name.split(".")[-1]
            if re.fullmatch(r"\w+", last) and last not in known and not name.startswith(HELPERS):
                known.add(last)
                yield f"cell {number}: the text does not say what `{last}` does"


@rule
def comments(chapter: Chapter) -> Iterator[str]:
    """Code has few comments, because the prose explains it."""
    lines = count = 0
    for _, code, cell in chapter.codes:
        if "exercise" in tags_of(cell):  # a stub's comments explain what to write
            continue
        lines += len(lines_of(code))
        tokens = tokenize.generate_tokens(io.StringIO(code).readline)
        count += sum(token.type == tokenize.COMMENT for token in tokens)
    if count > COMMENTS * max(lines, 1):
        yield f"comments in {count} of {lines} lines; at most {COMMENTS:.0%} are allowed"


def calls(code: str) -> Iterator[tuple[str, ast.Call]]:
    """The calls in a cell, each after the dotted name of the called function."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


@rule
def alternative_text(chapter: Chapter) -> Iterator[str]:
    """Every figure has a title, a caption and alternative text."""
    for number, code, cell in chapter.codes:
        for name, call in calls(code):
            if name != "live.figure":
                continue
            keywords = {keyword.arg for keyword in call.keywords}
            for needed in sorted({"title", "caption", "alt"} - keywords):
                yield f"cell {number}: a figure without {needed}="
        image = cell["metadata"].get("mystnb", {}).get("image", {})
        if re.search(r"\bplt\.|\.imshow\(", code) and not image.get("alt"):
            yield f"cell {number}: matplotlib needs alternative text in mystnb: image: alt"
    for number, text in chapter.texts:
        if re.search(r"!\[\s*\]\(", text) or re.search(r"<img(?![^>]*\balt=)", text):
            yield f"cell {number}: a picture without alternative text"


@rule
def plotting(chapter: Chapter) -> Iterator[str]:
    """The code that styles a plot is in course/, not in a cell."""
    for number, code, _ in chapter.codes:
        if match := BOILERPLATE.search(code):
            yield f"cell {number}: {match[0]} is plotting boilerplate; put it into course/"


@rule
def seeds(chapter: Chapter) -> Iterator[str]:
    """Every random result has a seed."""
    seeded = False
    for number, code, _ in chapter.codes:
        if "manual_seed(" in code:
            seeded = True
        for name, call in calls(code):
            if unseeded(name, call, seeded):
                yield f"cell {number}: {name} is random without a seed"


def unseeded(name: str, call: ast.Call, seeded: bool) -> bool:
    """Whether a call is random without a seed; `seeded`: manual_seed was called before it."""
    keywords = {keyword.arg for keyword in call.keywords}
    last = name.split(".")[-1]
    if name.startswith(("np.random.", "numpy.random.")):
        return last not in SEEDED or not (call.args or call.keywords)
    if name.startswith("random."):
        return True
    if name.startswith(("nnlib.", "torch.")) and last in RANDOM and ".live." not in name:
        return not seeded and "generator" not in keywords
    if last in RANDOM_LAYERS and (name == last or "nn." in name or "data." in name):
        shuffles = last != "DataLoader" or "shuffle" in keywords
        return shuffles and not seeded and "generator" not in keywords
    return False


@rule
def numbers(chapter: Chapter) -> Iterator[str]:
    """Decimals in prose come from a cell; names that are shown are computed, and vice versa."""
    for number, text in chapter.texts:
        exact = set(" ".join(re.findall(r"<!-- exact: ([^>]*) -->", text)).split())
        for decimal in DECIMAL.findall(prose(text)):
            if decimal not in exact:
                advice = "use course.say, or exact"
                yield f"cell {number}: no cell computes {decimal} in the prose; {advice}"
    computed, glued = SAY_CALL.findall(chapter.code()), set(GLUED.findall(chapter.text))
    for name in sorted(glued - set(computed)):
        yield f"{{glue:text}}`{name}` is shown, but no cell computes it"
    for name in sorted(set(computed) - glued):
        yield f"course.say names {name!r}, which the text never shows"
    for name in sorted({name for name in computed if computed.count(name) > 1}):
        yield f"course.say names {name!r} twice"


@rule
def links(chapter: Chapter) -> Iterator[str]:
    """Files that the text links to exist (Sphinx resolves labels, terms and citations)."""
    for number, text in chapter.texts:
        bare = re.sub(r"`[^`]*`|\$[^$]*\$", " ", without_fences(text))
        for target in re.findall(r"\]\(([^)\s]+)\)", bare):
            file = target.partition("#")[0]
            if file and "://" not in file and not (chapter.path.parent / file).exists():
                yield f"cell {number}: the file of the link {target} does not exist"


@rule
def neighbours(chapter: Chapter) -> Iterator[str]:
    """A link called "next chapter" leads to the next one of _toc.yml, "last chapter" to the one
    before, or to the last of all (those under the caption Reference not counted)."""
    order, path = chapters_of(contents()), chapter.path.resolve()
    if path not in order:
        return
    position = order.index(path)
    last = [
        *order[max(position - 1, 0) : position],
        *chapters_of(contents().partition("Reference")[0])[-1:],
    ]
    expected = {"next": order[position + 1 : position + 2], "last": last}
    for cell, text in chapter.texts:
        for name, target in NEIGHBOUR.findall(text):
            if (path.parent / target).resolve() not in expected[name]:
                names = " or ".join(sorted({other.name for other in expected[name]})) or "none"
                yield f"cell {cell}: the {name} chapter is {names} in _toc.yml, not {target}"


@rule
def style(chapter: Chapter) -> Iterator[str]:
    """The text has no filler words."""
    for number, text in chapter.texts:
        for filler in FILLERS:
            if re.search(rf"\b{filler}\b", prose(text), flags=re.IGNORECASE):
                yield f"cell {number}: “{filler}” can be left out"


# --- spelling ------------------------------------------------------------------------------------


@functools.cache
def dictionary():
    from spellchecker import SpellChecker

    checker = SpellChecker(language="en")
    added = [
        line.split("#")[0].strip().lower() for line in WORDS_FILE.read_text("utf8").splitlines()
    ]
    checker.word_frequency.load_words([word for word in added if word])
    return checker


def readers_text(code: str) -> str:
    """A cell's strings of four words or more, which readers see."""
    strings = [
        node.value for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]  # fmt: skip
    sentences = [s for s in strings if len(s.split()) >= 4]
    return re.sub(r"\{[^}]*\}|\$[^$]*\$|\\\w+", " ", " ".join(sentences))


def unknown_words(text: str) -> list[str]:
    """Words unknown to the dictionary and to tools/words.txt; words in capitals are skipped."""
    words = re.findall(r"(?<![\w’'\\])[A-Za-zÀ-ÿ]+(?:[’'][a-z]+)?(?![\w’'])", text)
    without_possessives = [re.sub(r"[’']s?$|[’']s$", "", word.replace("’", "'")) for word in words]
    checked = [w for w in without_possessives if len(w) > 2 and not re.search(r".[A-Z]", w)]
    unknown = dictionary().unknown([w.lower() for w in checked])
    return sorted({w for w in checked if w.lower() in unknown and not british(w.lower())})


# The dictionary's spelling is American, the book's is British: these turn British into American.
BRITISH = [
    (r"is(e|ed|es|er|ers|ing|ation|ations|able)$", r"iz\1"), (r"ys(e|ed|es|ing)$", r"yz\1"),
    (r"our", "or"), (r"tre(s?)$", r"ter\1"), (r"metre", "meter"), (r"ll(ed|ing|er)$", r"l\1"),
    (r"ence$", "ense"), (r"grey", "gray"), (r"ogue(s?)$", r"og\1"), (r"programme", "program"),
]  # fmt: skip


# American spellings, for which the book uses the British ones; names in code quotes are exempt.
AMERICAN = re.compile(
    r"(?!(?:re)?siz|priz|seiz|capsiz)\w+[iy]z(?:e[drs]?|ers|ing|able|ations?)"
    r"|(?:col|neighb|behavi|fav|hon)or\w*|cent(?:er|ers|ered)|gray\w*|modeling|labeled",
    flags=re.IGNORECASE,
)


def american_words(text: str) -> list[str]:
    """Words in American spelling, except in calls such as optimizer.step()."""
    words = re.findall(r"[A-Za-z]+(?![\w.]*\()", text)
    return sorted({word for word in words if AMERICAN.fullmatch(word)})


def british(word: str) -> bool:
    """Whether the word is the British spelling of a word in the dictionary."""
    american = {re.sub(pattern, to, word) for pattern, to in BRITISH} - {word}
    return bool(dictionary().known(american))


@rule
def spelling(chapter: Chapter) -> Iterator[str]:
    """The text has no misspelt words and no American spelling."""
    for number, text in [
        *chapter.texts,
        *((number, readers_text(code)) for number, code, _ in chapter.codes),
    ]:
        for word in unknown_words(prose(text)):
            yield f"cell {number}: is {word!r} a word? If so, put it into tools/words.txt"
        for word in american_words(prose(text)):
            yield f"cell {number}: {word!r} is American; the book's spelling is British"


DRAFT = "<!-- lint: draft -->"
# What these rules find in a draft is listed as still to write and is not counted as a problem.
STILL_TO_WRITE = ("structure", "examples", "explained")


def problems(path: Path) -> list[str]:
    """Everything that the rules find in one chapter, each after its rule's name."""
    chapter = read(path)
    later = STILL_TO_WRITE if DRAFT in chapter.text else ()
    return problems_of(chapter, [name for name in RULES if name not in later])


def still_to_write(path: Path) -> list[str]:
    """What a draft lacks, without the rules' names; nothing if the chapter is not a draft."""
    chapter = read(path)
    if DRAFT not in chapter.text:
        return []
    return [line.partition(": ")[2] for line in problems_of(chapter, STILL_TO_WRITE)]


def problems_of(chapter: Chapter, names: Iterable[str]) -> list[str]:
    """The problems that the named rules find, except those from which the chapter is exempt."""
    if unknown := chapter.allowed - RULES.keys():
        raise SystemExit(
            f"{chapter.path}: <!-- lint: allow {' '.join(sorted(unknown))} --> names no rule; the "
            f"rules are {', '.join(RULES)}"
        )
    rules = [name for name in names if name not in chapter.allowed]
    return [f"{name}: {problem}" for name in rules for problem in RULES[name](chapter)]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="+", type=Path)
    options = parser.parse_args(arguments)
    count = 0
    for path in notebooks.notebooks_in(options.paths):
        for problem in problems(path):
            count += 1
            print(f"{path}: {problem}")
        if lacking := still_to_write(path):
            print(f"{path} is a draft. Still to write:")
            print(*(f"  - {line}" for line in lacking), sep="\n")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())

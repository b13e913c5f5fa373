"""Makes the stubs of exercises from their solutions, so that authors write only the solutions.

    python tools/exercises.py chapters                 write every stub
    python tools/exercises.py --check chapters         list stubs that do not match; exit 1
    python tools/exercises.py --solved DIR chapters    write copies with every stub solved

In a chapter an exercise consists of four consecutive cells: the statement (an {exercise}
directive), a code cell tagged `exercise` (the stub, which this tool writes), a code cell tagged
`check` (course.check), and a text cell with folded hints and the folded solution, a fenced Python
block below <summary>Solution</summary>. A line of the solution that ends in `# ←` is left to the
reader:

    return (y * z).sum()  # ←               →   return ...
    loss = f(w)  # ← the loss of this step  →   loss = ...  # the loss of this step
    w -= lr * g  # ←                        →   ...
"""

from __future__ import annotations

import argparse
import ast
import io
import json
import re
import sys
import tokenize
from dataclasses import dataclass
from pathlib import Path

import notebooks

MARK = re.compile(r"#\s*←\s*(.*)$")
SOLUTION = re.compile(
    r"<summary>Solution</summary>(?:(?!</details>).)*?```python\n(.*?)\n```", re.DOTALL
)
CHECKED = re.compile(r"course\.check\(\s*\"([^\"]+)\"")


class ExerciseError(ValueError):
    """A chapter's exercise is incomplete or wrong."""


@dataclass(frozen=True)
class ExerciseCells:
    """The positions of an exercise's cells in a notebook, its checks' names and its solution."""

    stub: int
    check: int
    names: tuple[str, ...]
    solution: str


def source_of(cell: dict) -> str:
    return "".join(notebooks.lines(cell["source"]))


def tags_of(cell: dict) -> list[str]:
    return cell["metadata"].get("tags", [])


def marks(solution: str) -> dict[int, str]:
    """The words after each mark, by line (from 1).

    Raises:
        ExerciseError: words without letters, such as a number, would give the answer away.
    """
    words_by_line = {}
    for token in tokenize.generate_tokens(io.StringIO(solution).readline):
        if token.type == tokenize.COMMENT and (match := MARK.match(token.string)):
            words = match[1].strip()
            if words and not re.search(r"[^\W\d_]", words):
                raise ExerciseError(f"`{words}` after `# ←` would give the answer away in the stub")
            words_by_line[token.start[0]] = words
    return words_by_line


def statement_at(tree: ast.Module, line: int) -> ast.stmt:
    """The smallest statement that contains the line (of a block only the first line counts)."""
    containing = [
        node for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or 0)
        and (not hasattr(node, "body") or node.lineno == line)
    ]  # fmt: skip
    if not containing:
        raise ExerciseError(f"line {line} of the solution is marked, but no statement is there")
    return min(
        containing, key=lambda node: ((node.end_lineno or 0) - node.lineno, -node.col_offset)
    )


def blank(node: ast.stmt, lines: list[str], words: str) -> str:
    """The line that replaces a statement in the stub."""
    indent = " " * node.col_offset
    tail = f"  # {words}" if words else ""
    if isinstance(node, ast.Return):
        return f"{indent}return ...{tail}"
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        value = node.value
        assert value is not None
        head = lines[value.lineno - 1].encode()[: value.col_offset].decode()
        return f"{head.rstrip().rstrip('(').rstrip()} ...{tail}"
    return f"{indent}...{tail}"


def stub_of(solution: str) -> str:
    """The stub of a solution. Raises ExerciseError if nothing is marked."""
    marked = marks(solution)
    if not marked:
        raise ExerciseError("no line of the solution ends in `# ←`")
    tree, lines = ast.parse(solution), solution.splitlines()
    blanks: dict[int, tuple[int, str]] = {}
    for line, words in marked.items():
        node = statement_at(tree, line)
        blanks[node.lineno] = (node.end_lineno or line, blank(node, lines, words))
    stub: list[str] = []
    line = 1
    while line <= len(lines):
        if line in blanks:
            line, text = blanks[line]
            # Dots after dots of the same indentation are left out.
            if not (text.strip() == "..." and stub and stub[-1] == text):
                stub.append(text)
        else:
            stub.append(lines[line - 1])
        line += 1
    return "\n".join(stub)


def exercises_in(notebook: dict) -> list[ExerciseCells]:
    """Every exercise of a notebook. Raises ExerciseError if one of its cells is missing."""
    cells = notebook["cells"]
    exercises = []
    for position, cell in enumerate(cells):
        if "exercise" not in tags_of(cell):
            continue
        check = next(
            (i for i in range(position + 1, len(cells)) if "check" in tags_of(cells[i])), None
        )
        text = next((c for c in cells[position + 1 :] if c["cell_type"] == "markdown"), None)
        names = CHECKED.findall(source_of(cells[check])) if check is not None else []
        if check != position + 1 or not names:
            raise ExerciseError(
                f"cell {position}: the next cell must be tagged check and call course.check"
            )
        solution = SOLUTION.search(source_of(text)) if text else None
        if solution is None:
            raise ExerciseError(f"cell {position}: the text below the check has no folded solution")
        exercises.append(ExerciseCells(position, check, tuple(names), solution[1]))
    return exercises


def with_stubs(notebook: dict) -> dict:
    """The notebook as readers get it: each stub made from its solution."""
    cells = [dict(cell) for cell in notebook["cells"]]
    for exercise in exercises_in(notebook):
        cells[exercise.stub]["source"] = notebooks.lines(stub_of(exercise.solution))
    return {**notebook, "cells": cells}


def solved(notebook: dict) -> dict:
    """The notebook with every exercise solved, and with the outputs of passed checks."""
    cells = [dict(cell) for cell in notebook["cells"]]
    for exercise in exercises_in(notebook):
        cells[exercise.stub]["source"] = notebooks.lines(exercise.solution)
        text = "".join(passing_output(name) for name in exercise.names)
        stream = {"output_type": "stream", "name": "stdout", "text": notebooks.lines(text)}
        cells[exercise.check]["outputs"] = [stream]
    return {**notebook, "cells": cells}


def passing_output(name: str) -> str:
    """What the check prints for a right answer."""
    from course.kit.checking import printed, right
    from course.kit.exercises import find

    exercise = find(name)
    return printed(exercise, right(exercise)) + "\n"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--check", action="store_true", help="change nothing, list the problems")
    parser.add_argument("--solved", type=Path, metavar="DIR", help="write solved copies there")
    options = parser.parse_args(arguments)
    problems = 0
    for path in notebooks.notebooks_in(options.paths):
        before = path.read_text("utf8")
        try:
            notebook = (solved if options.solved else with_stubs)(json.loads(before))
        except (ExerciseError, SyntaxError) as error:
            problems += 1
            print(f"{path}: {error}")
            continue
        text = notebooks.text_of(notebook)
        if options.solved:
            options.solved.mkdir(parents=True, exist_ok=True)
            (options.solved / path.name).write_text(text, "utf8")
        elif notebook != json.loads(before) and options.check:
            problems += 1
            print(f"{path}: a stub does not match its solution; run `make notebooks`")
        elif notebook != json.loads(before):
            path.write_text(text, "utf8")
            print(f"{path}: stubs written")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

"""Every exercise: its answer passes; a blank and each named mistake get their own reply."""

from __future__ import annotations

import importlib.util
import pkgutil

import pytest

import course
from course.kit.checking import BLANK, judge
from course.kit.exercises import Exercise, exercises_of

CHAPTERS = [
    module.name.replace("_", "-")
    for module in pkgutil.iter_modules(course.__path__)
    if importlib.util.find_spec(f"course.{module.name}.checks")
]
EXERCISES = [exercise for chapter in CHAPTERS for exercise in exercises_of(chapter)]
MISTAKES = [(exercise, mistake) for exercise in EXERCISES for mistake in exercise.mistakes]


def answer_of(exercise: Exercise, answer: object) -> object:
    """The answer as in a reader's notebook: a value that a function computes is computed."""
    return answer() if exercise.kind == "value" and callable(answer) else answer


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_the_right_answer_passes(exercise: Exercise) -> None:
    verdict = judge(exercise, answer_of(exercise, exercise.solution))
    assert verdict.state == "right", verdict.words


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_a_blank_answer_gets_a_reply_about_where_to_begin(exercise: Exercise) -> None:
    def stub(*_: object) -> object:
        return ...

    def empty(*_: object) -> None: ...

    answers = [...] if exercise.kind != "function" else [..., stub, empty]
    for answer in answers:
        verdict = judge(exercise, answer)
        assert (verdict.state, verdict.words) == ("blank", BLANK)


@pytest.mark.parametrize(
    ("exercise", "mistake"), MISTAKES, ids=[f"{e.name}-{m.words[:28]}" for e, m in MISTAKES]
)
def test_each_mistake_gets_its_own_reply(exercise: Exercise, mistake) -> None:
    verdict = judge(exercise, answer_of(exercise, mistake.wrong_answer))
    assert verdict.state == "wrong"
    assert mistake.words in verdict.words
    other_words = {m.words for m in exercise.mistakes} - {mistake.words}
    assert not [words for words in other_words if words in verdict.words]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_has_4_to_10_checked_exercises_with_unique_names_and_1_to_3_stars(
    chapter: str,
) -> None:
    exercises = exercises_of(chapter)
    # An exercise in four steps, such as the engine, counts as four.
    assert 4 <= len(exercises) <= 10, f"{len(exercises)} exercises with a check, not 4 to 10"
    assert len({e.short for e in exercises}) == len(exercises)
    assert all(e.stars in (1, 2, 3) for e in exercises)
    assert all(e.learned.endswith(".") for e in exercises if e.learned)

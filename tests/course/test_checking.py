"""Checks separate right from wrong, state what differs, and recognise the common mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import course
import nnlib
from course.kit import checking, comparing
from course.kit.checking import judge
from course.kit.exercises import Exercise, find, function, gradient, mistake, puzzle, value
from course.kit.progress import remember, solved


def reply_to(exercise: Exercise, answer: object) -> str:
    verdict = judge(exercise, answer)
    assert verdict.state == "wrong"
    return verdict.words


MATRIX = np.array([[1.0, 2.0], [3.0, 5.0]])
COLUMNS = np.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize(
    ("needed", "answer", "hint"),
    [
        (MATRIX, -MATRIX, "sign"),
        (MATRIX, MATRIX.T, "transpose"),
        (COLUMNS, COLUMNS.T, "transpose"),
        (MATRIX, 1 / (1 + np.exp(-MATRIX)), "probabilities"),
        (1 / (1 + np.exp(-MATRIX)), MATRIX, "logits"),
        (np.log(MATRIX), MATRIX, "logarithm"),
        (MATRIX, np.where(MATRIX > 2, np.nan, MATRIX), "nan"),
    ],
)
def test_common_mistakes_are_recognised_from_the_numbers(needed, answer, hint: str) -> None:
    assert comparing.WORDS[hint] in reply_to(value("v", needed), answer)
    assert comparing.WORDS[hint] in reply_to(value("v", needed), nnlib.tensor(answer))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("same", [np.inf, -np.inf, np.nan])
def test_infinite_entries_and_nan_that_are_right_do_not_hide_the_wrong_entry(same: float) -> None:
    reply = reply_to(value("v", np.array([same, 2.0])), np.array([same, 3.5]))
    assert "you have 3.5 at [1] where 2 is needed" in reply


def test_a_constant_factor_is_named() -> None:
    assert "Every entry is 2 times" in reply_to(value("v", MATRIX), 2 * MATRIX)
    # One number is a multiple of any other: the factor 1.7 is not mentioned, the factor 2 is.
    assert "\n" not in reply_to(value("v", 1.0), 1.7)
    assert "2 times" in reply_to(value("v", 1.3), 2.6)


def test_sum_and_mean_are_distinguished_by_the_length_of_the_data() -> None:
    def sample(rng: np.random.Generator) -> tuple:
        return (rng.normal(size=7),)

    mean = function("f", solution=lambda x: (x * x).mean(), given=sample)
    total = function("f", solution=lambda x: (x * x).sum(), given=sample)
    assert comparing.WORDS["sum"].format(factor=7) in reply_to(mean, total.solution)
    assert comparing.WORDS["mean"].format(factor=7) in reply_to(total, mean.solution)


@pytest.mark.parametrize(
    ("needed", "answer", "message"),
    [
        (np.zeros(3), np.zeros((3, 1)), "the shape (3,) is needed; yours is (3, 1)"),
        (np.zeros(3), "three", "numbers are needed, not 'three' (str)"),
        (np.array([True]), np.array([1.0]), "the dtype bool is needed"),
        ((1.0, 2.0), (1.0, 3.0), "[1]: you have 3 where 2 is needed"),
        ((1.0, 2.0), (1.0,), "2 results are needed"),
        ({"a": 1.0}, {"b": 1.0}, "a dict with a is needed"),
        ({"a": 1.0}, {"a": 4.0}, "['a']: you have 4 where 1 is needed"),
        ("yes", "no", "you have 'no'"),
        (MATRIX, MATRIX + np.eye(2) * [0.0, 3.0], "you have 8 at [1, 1] where 5 is needed"),
    ],
)
def test_the_message_names_the_difference(needed, answer, message: str) -> None:
    assert message in reply_to(value("v", needed), answer)


@pytest.mark.parametrize("answer", [MATRIX, nnlib.tensor(MATRIX), MATRIX.tolist()])
def test_right_values_pass_as_arrays_tensors_and_lists(answer) -> None:
    assert judge(value("v", MATRIX, learned="So."), answer).words == "right. So."


@pytest.mark.parametrize("answer", [..., (1.0, ...), {"a": ...}, [[...]]])
def test_an_answer_with_dots_anywhere_is_blank(answer) -> None:
    assert judge(value("v", 1.0), answer).state == "blank"


def test_a_dtype_is_checked_if_the_exercise_needs_one() -> None:
    exercise = value("v", 1.5, dtype="float32")
    assert judge(exercise, nnlib.tensor(1.5)).state == "right"
    assert "float32 is needed; yours is float64" in reply_to(exercise, 1.5)
    double = function(
        "f", solution=lambda x: x.double(), given=lambda rng: (np.ones(2),), dtype="float64"
    )
    assert judge(double, double.solution).state == "right"
    assert "yours is float32" in reply_to(double, lambda x: x.float())


def half_done(x):
    y = x * 2
    ...
    return y


def test_a_function_with_dots_left_is_blank_even_if_it_returns_something() -> None:
    exercise = function("f", solution=lambda x: x * 3, given=lambda rng: (rng.normal(size=2),))
    assert judge(exercise, half_done).state == "blank"


def square(x):
    return (x * x).sum()


CURVE = function("c", solution=square, given=lambda rng: (rng.normal(size=3),), derivative=True)


def test_gradients_of_the_answer_are_compared_too() -> None:
    assert judge(CURVE, lambda x: (x**2).sum()).state == "right"
    assert reply_to(CURVE, lambda x: nnlib.tensor(square(x).item())) == checking.NO_GRADIENT
    message = reply_to(CURVE, lambda x: nnlib.tensor((x.numpy() ** 2).sum()))
    assert message.startswith(checking.NO_GRADIENT) and "detach().numpy()" in message
    half_gradient = reply_to(CURVE, lambda x: (x * x.detach()).sum())
    assert "the gradient for argument 1 is not" in half_gradient


def test_the_right_answers_gradient_is_compared_with_finite_differences(monkeypatch) -> None:
    monkeypatch.setattr(checking, "finite_differences", lambda *_: np.ones(3))
    assert "finite differences" in reply_to(CURVE, square)


def test_a_gradient_that_overwrites_instead_of_adding_is_named() -> None:
    def sample(rng: np.random.Generator) -> tuple:
        return rng.normal(size=3), rng.normal(size=3)

    terms = [lambda w, x: (w * x).sum(), lambda w, x: (w * w * x).sum()]
    exercise = gradient("g", of=terms, given=sample)
    assert judge(exercise, lambda w, x: x + 2 * w * x).state == "right"
    for one_term in (lambda w, x: x, lambda w, x: 2 * w * x):
        assert checking.OVERWRITTEN in reply_to(exercise, one_term)
    assert comparing.WORDS["sign"] in reply_to(exercise, lambda w, x: -x - 2 * w * x)


def test_an_answer_that_raises_gets_the_error_in_the_verdict() -> None:
    message = reply_to(CURVE, lambda x: x @ nnlib.zeros(5, dtype=nnlib.float64))
    assert message.startswith("it raised RuntimeError: ")
    assert "a function is needed" in reply_to(CURVE, 3.0)


def test_answers_cannot_change_the_arguments_of_the_comparison() -> None:
    def overwrite(x):
        x *= 0
        return x.sum()

    assert judge(CURVE, overwrite).state == "wrong"
    assert judge(CURVE, square).state == "right"


def test_an_observation_compares_the_effect_of_an_answer() -> None:
    exercise = function(
        "step",
        solution=lambda w, g: w - g,
        given=lambda rng: (rng.normal(size=2), rng.normal(size=2)),
        observe=lambda step, w, g: step(step(w, g), g),
        mistakes=[mistake("Uphill.", lambda w, g: w + g)],
    )
    assert judge(exercise, lambda w, g: -g + w).state == "right"
    assert "Uphill." in reply_to(exercise, lambda w, g: w + g)


def test_a_puzzle_has_its_own_messages() -> None:
    exercise = puzzle("p", solution=4, problem=lambda n: None if n % 2 == 0 else "odd")
    assert judge(exercise, 6).state == "right"
    assert reply_to(exercise, 3) == "odd"
    assert "TypeError" in reply_to(exercise, "three")


# --- the call that readers make -----------------------------------------------------------------

GOOD = "logistic-regression/log-likelihood"


def log_likelihood(p, t):
    """The right answer to the exercise GOOD."""
    return (t * p.log() + (1 - t) * (1 - p).log()).sum()


@pytest.fixture
def progress_file(monkeypatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("NNLIB_PROGRESS", str(tmp_path / "home" / "progress.json"))
    monkeypatch.delenv("NNLIB_COURSE", raising=False)
    return tmp_path / "home" / "progress.json"


def test_check_prints_one_verdict_and_raises_only_if_all_must_be_solved(
    capsys, monkeypatch, progress_file
) -> None:
    course.check(GOOD, lambda p, t: (t * p.log()).sum())
    message = capsys.readouterr().out
    assert message.startswith("✗ log-likelihood: called with an array of shape (8,)")
    assert "You leave out the birds with t = 0" in message
    assert max(map(len, message.splitlines())) <= checking.WIDTH
    monkeypatch.setenv("NNLIB_COURSE", "solved")
    with pytest.raises(course.NotSolved, match="still blank"):
        course.check(GOOD, ...)
    assert not progress_file.exists()


def test_progress_is_stored_in_a_file_and_shown(capsys, progress_file) -> None:
    assert "0 of 7" in repr(course.progress("logistic-regression"))
    course.check(GOOD, log_likelihood)
    stored = json.loads(progress_file.read_text())
    assert stored["solved"] == [GOOD] and set(stored["when"]) == {GOOD}
    text = repr(course.progress("logistic-regression"))
    assert "1 of 7" in text
    assert "✓ ★★  log-likelihood" in text


def test_progress_survives_a_damaged_file_and_a_home_that_cannot_be_written(
    monkeypatch, progress_file, tmp_path: Path
) -> None:
    progress_file.parent.mkdir()
    progress_file.write_text("{")
    assert solved() == set()
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NNLIB_PROGRESS", str(tmp_path / "file" / "progress.json"))
    remember(GOOD)
    monkeypatch.setenv("NNLIB_PROGRESS", "off")
    remember(GOOD)
    assert solved() == set()


def test_unknown_names_are_errors_that_list_the_known_ones() -> None:
    with pytest.raises(ValueError, match="it has paper, few-mistakes"):
        find("logistic-regression/nothing")
    with pytest.raises(ValueError, match="no chapter 'nowhere'"):
        find("nowhere/nothing")
    with pytest.raises(ValueError, match="chapter/exercise"):
        find("probability")


# --- numbers for the text -----------------------------------------------------------------------


def test_a_number_that_differs_stops_authors_and_is_printed_for_readers(
    capsys, monkeypatch
) -> None:
    monkeypatch.setenv("NNLIB_COURSE", "author")
    course.say("ok", nnlib.tensor(-0.5), ".2f", reads="-0.50")
    with pytest.raises(course.NumberDiffers, match=r"best = 3; this run gives 4"):
        course.say("best", 4, "d", reads="3")
    monkeypatch.setenv("NNLIB_COURSE", "reader")
    course.say("best", 4, "d", reads="3")
    assert "this run gives 4" in capsys.readouterr().out


def test_names_and_values_that_cannot_be_shown_are_refused() -> None:
    with pytest.raises(ValueError, match="may only have lower-case letters"):
        course.say("Two words", 1, reads="1")
    with pytest.raises(ValueError, match="must be one number"):
        course.say("many", nnlib.zeros(3), ".1f", reads="0.0")


def test_an_unknown_mode_is_refused(monkeypatch) -> None:
    monkeypatch.setenv("NNLIB_COURSE", "autor")
    with pytest.raises(ValueError, match="reader, author, solved or graded"):
        course.say("n", 1, reads="2")


def test_without_pytorch_the_message_says_how_to_install_it(capsys, monkeypatch) -> None:
    assert course.pytorch()
    monkeypatch.setattr("course.kit.torch_installed.importlib.util.find_spec", lambda name: None)
    assert not course.pytorch()
    assert "pip install torch" in capsys.readouterr().out

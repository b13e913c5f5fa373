"""By hand: the printed lines, the figures and the program agree with nnlib's gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest

import nnlib
from course.by_hand import checks, hunt, program, slips, suspects
from course.by_hand import figures as show
from course.by_hand.descent import STARTS, Descent, by_lines
from course.kit.checking import judge
from tests.chapters.conftest import LEFT_OUT, code

WEIGHTS = ("w03", "w13", "w23", "w04", "w14", "w24", "w05", "w35", "w45")


@pytest.fixture(scope="module")
def chapter(chapter_name: str) -> dict:
    """The chapter's names, with None for the functions that the reader writes."""
    names: dict = {"__name__": "chapter"} | dict.fromkeys(("backpropagate", "output", "hidden"))
    for tags, source in code(chapter_name):
        if not LEFT_OUT & tags:
            exec(source, names)
    return names


def random_numbers(seed: int) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    names = ("x1", "x2", "y", *WEIGHTS)
    return dict(zip(names, rng.normal(scale=2, size=len(names)), strict=True))


def autodiff(chapter: dict, numbers: dict[str, float]) -> dict[str, float]:
    """The derivatives of the loss with respect to all twelve numbers, by nnlib's backward."""
    leaves = {k: nnlib.tensor(np.array(v)).requires_grad_() for k, v in numbers.items()}
    chapter["five"](**leaves)["Loss"].backward()
    return {k: leaf.grad.item() for k, leaf in leaves.items()}


@pytest.mark.parametrize("seed", range(4))
def test_every_line_gives_nnlibs_number(chapter: dict, seed: int) -> None:
    numbers = random_numbers(seed)
    truth = autodiff(chapter, numbers)
    values = chapter["derived"].run(**numbers)
    show.lines(chapter["derived"], [f"d_{n}" for n in show.ORDER], numbers)  # as printed
    show.lines(chapter["derived"], [f"d_{n}" for n in WEIGHTS], numbers, chapter["between"])
    for name in WEIGHTS:
        assert values[f"d_{name}"] == pytest.approx(truth[name], abs=1e-12)
    for i in (3, 4, 5):
        assert values[f"d_in{i}"] == pytest.approx(truth[f"w0{i}"], abs=1e-12)


def test_the_lines_read_as_in_the_lecture_with_the_right_sign(chapter: dict) -> None:
    derived = chapter["derived"]
    formulas = {n: derived.to_latex(f"d_{n}").partition(" = ")[2] for n in show.ORDER}
    delta = r"\frac{\partial \mathit{Loss}}{\partial \mathit{in}_{%s}}"
    assert formulas["a5"] == "-2 (y - a_{5})"
    assert formulas["w05"] == delta % 5
    assert formulas["w35"] == f"{delta % 5} a_{{3}}"
    assert formulas["w23"] == f"{delta % 3} x_{{2}}"
    for name in ("a", "in", "w0", "w1", "w2"):  # neuron 4's lines are neuron 3's
        a, b = formulas[f"{name}3"], formulas[f"{name}4"]
        assert a.replace("w_{35}", "w_{45}").replace("{3}", "{4}") == b


def test_a_formula_that_is_not_the_graphs_is_refused(chapter: dict, monkeypatch) -> None:
    class Wrong:
        def value(self, known: dict) -> float:
            return 0.5

    monkeypatch.setattr(show, "tree", lambda *_: Wrong())
    with pytest.raises(AssertionError):
        show.lines(chapter["derived"], ["d_w13"], random_numbers(0))


@pytest.mark.parametrize("seed", range(5))
def test_the_program_gives_the_five_neuron_nets_gradient(chapter: dict, seed: int) -> None:
    numbers = random_numbers(seed)
    w = np.zeros((6, 6))
    for n in WEIGHTS:
        w[int(n[1]), int(n[2])] = numbers[n]
    x = [numbers["x1"], numbers["x2"]]
    loss, gradient = program.backpropagate(w, x, numbers["y"])
    truth = autodiff(chapter, numbers)
    for n in WEIGHTS:
        assert gradient[int(n[1]), int(n[2])] == pytest.approx(truth[n], abs=1e-12)
    assert loss == pytest.approx(chapter["forward"].run(**numbers)["Loss"].item(), abs=1e-12)


@pytest.mark.parametrize(("size", "inputs"), [(3, 1), (8, 2), (20, 5)])
def test_the_program_gives_any_nets_gradient(chapter: dict, size: int, inputs: int) -> None:
    rng = np.random.default_rng(size)
    w = np.triu(rng.normal(size=(size + 1, size + 1)), 1)
    x = rng.normal(size=inputs).tolist()
    gradient = np.triu(program.backpropagate(w, x, 0.3)[1], 1)
    truth = program.by_autodiff(w, x, 0.3)
    np.testing.assert_allclose(gradient, truth, rtol=0, atol=1e-12)
    assert np.abs(truth).max() > 1e-4


@pytest.fixture(scope="module")
def figure(chapter: dict) -> show.live.Figure:
    return show.line_by_line(chapter["derived"], chapter["numbers"])


def test_the_figures_numbers_are_the_lines(chapter: dict, figure) -> None:
    numbers = {**{k: float(np.float32(v)) for k, v in random_numbers(2).items()}, "y": 0.25}
    outputs = figure.outputs(line=15, **numbers)
    values = chapter["derived"].run(**numbers)
    for name in show.ORDER:
        assert float(outputs[f"d_{name}"]) == pytest.approx(values[f"d_{name}"].item(), abs=1e-12)
        assert float(outputs[f"m_{name}"]) == pytest.approx(values[f"d_{name}"].item(), abs=1e-6)


PLANTED = {1: ("in5", {"a5"}), 2: ("a3", {"a5", "in5", "a4", "in4"}), 3: ("w14", {"w04", "a3"})}


@pytest.mark.parametrize("mistake", PLANTED)
def test_a_planted_mistake_shows_first_in_its_own_line(figure, mistake: int) -> None:
    outputs = figure.outputs(line=15, planted=mistake)
    wrong = [n for n in show.ORDER if abs(outputs[f"d_{n}"] - outputs[f"m_{n}"]) > 1e-4]
    first, unaffected = PLANTED[mistake]
    assert wrong[0] == first and not unaffected & set(wrong)
    assert ("w24" in wrong) == (mistake != 2)


def test_the_figure_computes_with_the_lines_that_were_typed(chapter: dict, capsys) -> None:
    def doubled(y, a3, a4, a5):
        return [2 * d for d in program.output_lines(y, a3, a4, a5)]

    typed_lines = program.typed_lines(doubled, program.hidden_lines)
    assert "your lines" in capsys.readouterr().out
    own_figure = show.line_by_line(chapter["derived"], chapter["numbers"], *typed_lines)
    outputs = own_figure.outputs(line=15)
    for name in show.ORDER:
        assert float(outputs[f"d_{name}"]) == pytest.approx(
            2 * float(outputs[f"m_{name}"]), abs=1e-6
        )


def test_the_figure_uses_the_books_lines_for_missing_ones(capsys) -> None:
    def dots(y, a3, a4, a5):
        return 2 * (a5 - y), ..., ..., ..., ...

    output, hidden = program.typed_lines(dots, lambda *five: five)
    assert output is program.output_lines and hidden is not program.hidden_lines
    assert "output are still missing" in capsys.readouterr().out


@pytest.mark.parametrize("name", show.ORDER)
def test_every_line_is_measured_in_the_chapter(chapter: dict, name: str) -> None:
    assert chapter["measured"](name) == pytest.approx(
        float(chapter["found"][f"d_{name}"]), abs=1e-10
    )


def test_a_half_right_answer_shows_which_lines_are_right() -> None:
    def half(y, a3, a4, a5):
        d_a5 = 2 * (a5 - y)
        return d_a5, d_a5 * a5 * (1 - a5), 1.0, 0.0, 0.0

    words = checks.output.problem(half)
    assert words.startswith("d_a5, d_in5: right. d_w05: this is din₅/dw₀₅ alone.")
    assert checks.output.problem(lambda y, a3, a4, a5: 3.0).startswith("5 results are needed")


def test_lines_are_judged_while_later_ones_are_dots() -> None:
    def two_lines(y, a3, a4, a5):
        d_a5 = 2 * (a5 - y)
        d_in5 = d_a5 * a5 * (1 - a5)
        d_w05 = ...
        return d_a5, d_in5, d_w05, ..., ...

    def first_wrong(y, a3, a4, a5):
        return 2 * (y - a5), ..., ..., ..., ...

    assert judge(checks.output, two_lines).words == "d_a5, d_in5: right. Next comes d_w05."
    assert "inner derivative is missing" in judge(checks.output, first_wrong).words
    assert judge(checks.output, lambda y, a3, a4, a5: (..., ..., ..., ..., ...)).state == "blank"


def without_a3(d_in5, w35, a3, x1, x2):
    d_in3 = d_in5 * w35 * (1 - a3)
    return d_in5 * w35, d_in3, d_in3, d_in3 * x1, d_in3 * x2


def test_a_slope_without_its_factor_a3_is_named() -> None:
    words = checks.hidden.problem(without_a3)
    assert words.startswith("d_a3: right. d_in3: the slope of σ is a₃(1 − a₃), not 1 − a₃.")


@pytest.mark.parametrize("activation", [0.01, 0.99])
def test_the_checks_try_each_activation_close_to_0_and_to_1(activation: float) -> None:
    def wrong_near_it(right, position):
        def answer(*arguments):
            wrong = abs(arguments[position] - activation) < 0.02
            return [line + wrong for line in right(*arguments)]

        return answer

    for check, right, positions in (
        (checks.output, checks.output_lines, (1, 2, 3)),
        (checks.hidden, checks.hidden_lines, (2,)),
    ):
        assert check.problem(right) is None
        for position in positions:
            assert check.problem(wrong_near_it(right, position)) is not None


def typed(left_out: str = "", **special: float) -> dict[str, float]:
    """The lines of neurons 5 and 3 in a special case; one factor of one line can be left out."""
    v = {"y": 0.3, "x1": 0.8, "x2": -0.6, "a3": 0.84, "a4": 0.28, "a5": 0.74, "w35": 1.4} | special
    v |= {"wrong": v["a5"] - v["y"]} | {f"1-{a}": 1 - v[a] for a in ("a3", "a5")}
    for line in LINES:
        v["d_" + line] = 1.0
        for factor in LINES[line]:
            if f"{line} {factor}" != left_out:
                v["d_" + line] *= v[factor]
    return {line: v["d_" + line] for line in LINES}


LINES = {
    "a5": ["wrong"], "in5": ["d_a5", "a5", "1-a5"], "w05": ["d_in5"],
    "w35": ["d_in5", "a3"], "w45": ["d_in5", "a4"],
    "a3": ["d_in5", "w35"], "in3": ["d_a3", "a3", "1-a3"], "w03": ["d_in3"],
    "w13": ["d_in3", "x1"], "w23": ["d_in3", "x2"],
}  # fmt: skip
UPPER = [{"a5": 0.3}, {"x1": 0}, {"x2": 0}, {"a3": 0}, {"a4": 0}, {"w35": 0}, {"a3": 1},
         {"a5": 1, "y": 0}]  # fmt: skip
SPECIAL = [*UPPER, {"a5": 0, "y": 1}]


@pytest.mark.parametrize("left_out", [f"{n} {f}" for n, line in LINES.items() for f in line])
def test_the_four_tests_find_every_missing_factor(left_out: str) -> None:
    def caught(case: dict) -> bool:
        right, derivatives = typed(**case), typed(left_out, **case)
        return any(right[n] == 0 != derivatives[n] for n in LINES)

    assert any(caught(case) for case in SPECIAL)
    upper_end_only = [case for case in UPPER if case != {"a3": 0}]
    if left_out == "in3 a3":  # only the lower end shows it
        assert not any(caught(case) for case in upper_end_only)


def test_saturation_hides_a_missing_slope_if_the_answer_is_nearly_right() -> None:
    hidden, shown = (typed("in5 1-a5", a5=0.99, y=y)["in5"] for y in (1.0, 0.0))
    assert abs(hidden) < 0.02 and abs(shown) > 0.9


def test_a_program_with_gaps_is_replaced_by_the_books(capsys) -> None:
    for gaps in (lambda w, x, y: ..., lambda w, x, y: (0.0, w), checks.changed(accumulate=False)):
        assert program.yours_or_the_books(gaps) is program.backpropagate
    own_function = checks.changed()
    assert program.yours_or_the_books(own_function) is own_function
    assert capsys.readouterr().out.count("still has gaps") == 3


def test_the_slips_cancel_in_pairs(chapter: dict) -> None:
    loss = chapter["loss_after"]
    before = float(chapter["values"]["Loss"])
    assert loss(1, -1) == loss(-1, 1) < before < loss(1, 1) == loss(-1, -1)


def test_each_delta_is_shown_once_its_line_is_reached(figure) -> None:
    for line, known in ((0, []), (2, [5]), (7, [5, 3]), (15, [5, 3, 4])):
        outputs = figure.outputs(line=line)
        assert [i for i in (5, 3, 4) if np.isfinite(float(outputs[f"shown{i}"]))] == known


# --- predicted and actual loss --------------------------------------------------------------------


@pytest.fixture(scope="module")
def losses(chapter: dict) -> show.live.Figure:
    return show.predicted_and_actual(chapter["numbers"])


@pytest.mark.parametrize("k", range(len(STARTS)))
def test_a_steps_predicted_and_actual_loss_agree_with_nnlib(chapter: dict, losses, k: int) -> None:
    numbers, alpha = {**chapter["numbers"], **STARTS[k].changed}, STARTS[k].reach / 4
    truth = autodiff(chapter, numbers)
    moved = {n: numbers[n] - alpha * truth[n] for n in WEIGHTS}
    before, after = (float(chapter["forward"].run(**{**numbers, **w})["Loss"]) for w in ({}, moved))
    outputs = losses.outputs(**{f"alpha{k}": alpha})
    line = before - alpha * sum(truth[n] ** 2 for n in WEIGHTS)
    assert float(outputs[f"predicted{k}"]) == pytest.approx(line, abs=1e-10)
    assert float(outputs[f"actual{k}"]) == pytest.approx(after, abs=1e-10)
    assert float(outputs[f"ratio{k}"]) == pytest.approx((before - after) / (before - line))


def descent(chapter: dict, changed: Mapping[str, float], *lines: Callable) -> Descent:
    return Descent({**chapter["numbers"], **changed}, by_lines(*lines))


@pytest.mark.parametrize("start", STARTS, ids=lambda s: s.name)
def test_line_and_curve_touch_where_the_step_is_small(chapter: dict, start) -> None:
    assert float(descent(chapter, start.changed).ratio(1e-4)) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(("factor", "ratio"), [(0.5, 2), (-1, -1), (2, 0.5)])
def test_line_and_curve_do_not_touch_if_the_readers_lines_are_wrong(
    chapter: dict, factor: float, ratio: float
) -> None:
    def wrong(y, a3, a4, a5):
        return [factor * line for line in program.output_lines(y, a3, a4, a5)]

    step = descent(chapter, {}, wrong)
    assert float(step.ratio(1e-4)) == pytest.approx(ratio, abs=1e-3)


def test_from_each_start_the_prediction_fails_in_its_own_way(losses) -> None:
    outputs = losses.outputs(alpha0=3.47, alpha1=3.47)
    for k in (0, 1):  # both predict 0 with one step size, whatever the target
        assert abs(float(outputs[f"predicted{k}"])) < 1e-4 < float(outputs[f"actual{k}"])
    assert float(losses.outputs(alpha0=10.0)["predicted0"]) < 0  # no square is negative
    assert float(losses.outputs(alpha1=6.0)["actual1"]) < 1e-4
    assert float(losses.outputs(alpha1=12.0)["ratio1"]) < 0  # the loss has risen
    assert float(losses.outputs(alpha2=1.0)["ratio2"]) == pytest.approx(1, abs=0.02)
    assert float(losses.outputs(alpha2=200.0)["ratio2"]) > 10


def test_four_programs_give_the_two_curves_that_are_drawn(chapter: dict) -> None:
    step, loss = descent(chapter, {}), chapter["loss_after"]
    assert float(step.actual(1.0)) == pytest.approx(loss(1, -1)) == loss(-1, 1)
    assert float(step.actual(-1.0)) == pytest.approx(loss(1, 1)) == loss(-1, -1)


@pytest.mark.parametrize("target", [0.0, 0.3, 0.5, 1.0])
def test_the_step_with_the_predicted_loss_0_is_the_same_for_every_target(
    chapter: dict, target: float
) -> None:
    step = descent(chapter, {"y": target})
    from_target_1 = descent(chapter, {})
    gradient = np.array([float(d) for d in from_target_1.derivatives.values()])
    gradient /= -2 * float(from_target_1.loss) ** 0.5  # of the answer: a₅ is below its target 1
    alpha, left = checks.to_zero(gradient)
    assert float(step.predicted(alpha)) == pytest.approx(0, abs=1e-12)
    # a target so close to the answer that the answer's gradient hardly changes
    close = descent(chapter, {"y": 0.7370})
    assert float(close.actual(alpha) / close.loss) == pytest.approx(left, abs=0.01)


@pytest.mark.browser
def test_the_predicted_loss_is_moved_by_keys_from_each_start(chapter: dict, shown) -> None:
    figure = show.predicted_and_actual(chapter["numbers"])
    with shown(figure, height=900) as site:
        (name,) = site.figures
        shown_figure = site.figure(name)
        before = site.read(name, "predicted0").item()
        shown_figure.get_by_label("the predicted loss").first.press("ArrowRight")
        site.settle()
        assert site.read(name, "predicted0").item() < before
        shown_figure.get_by_text("saturated", exact=True).click()
        site.settle()
        text = shown_figure.inner_text().replace("\n", " ")
        assert "the predicted loss is 0.9853, the actual loss 0.9853" in text
        assert shown_figure.get_by_role("slider", name="step size").count() == 1


# --- four suspects --------------------------------------------------------------------------------


def large_lines(figure: show.live.Figure, suspect: str) -> dict[str, list[str]]:
    """By special case, the lines that are large although they should vanish."""
    cases = list(suspects.CASES)
    large: dict[str, list[str]] = {}
    program = list(suspects.PROGRAMS).index(suspect)
    for name, zero_lines in VANISH.items():
        size = figure.outputs(program=program, case=cases.index(name))
        lines = dict(zip(show.ORDER[:10], np.asarray(size["size"]), strict=True))
        if too_large := [line for line in zero_lines if lines[line] > 0.3]:
            large[name] = too_large
    return large


AFTER_FIRST = list(show.ORDER[1:10])
VANISH = {
    "a₅ = y": list(show.ORDER[:10]),
    "x₁ = 0": ["w13"],
    "w₃₅ = 0": ["a3", "in3", "w03", "w13", "w23"],
    "a₃ = 0.99": ["in3", "w03", "w13", "w23"],
    "a₃ = 0.01": ["w35", "in3", "w03", "w13", "w23"],
    "a₅ = 0.99, y = 0": AFTER_FIRST,
    "a₅ = 0.01, y = 1": AFTER_FIRST,
}


def test_each_suspect_is_shown_by_the_case_that_the_text_names() -> None:
    figure = show.four_suspects()
    assert large_lines(figure, "P") == {"a₃ = 0.01": ["in3", "w03", "w13", "w23"]}
    assert large_lines(figure, "Q") == {"w₃₅ = 0": VANISH["w₃₅ = 0"]}
    assert large_lines(figure, "R") == {}
    assert large_lines(figure, "S") == {"a₅ = 0.99, y = 0": AFTER_FIRST}


# --- one hidden mistake ---------------------------------------------------------------------------

NAMES = list(slips.RIGHT)
MISTAKES = range(len(slips.SLIPS))


@pytest.fixture(scope="module")
def hunted(chapter: dict) -> show.live.Figure:
    return show.one_mistake(chapter["numbers"], {n: chapter["measured"](n) for n in NAMES})


def handed_out(mistake: int) -> dict[str, int]:
    month, day = np.argwhere(hunt.program_of_days() == mistake)[0] + 1
    return {"of_day": int(day), "of_month": int(month)}


def test_without_a_mistake_the_ten_lines_are_the_books(chapter: dict) -> None:
    v = slips.tensors(slips.OURS)
    output = program.output_lines(v["y"], v["a3"], v["a4"], v["a5"])
    hidden = program.hidden_lines(output[1], v["w35"], v["a3"], v["x1"], v["x2"])
    derivatives = [float(d) for d in slips.ten_lines(v, -1).values()]
    np.testing.assert_allclose(derivatives, [float(d) for d in (*output, *hidden)], rtol=1e-12)
    assert float(hunt.ratio(chapter["numbers"], -1)) == pytest.approx(1, abs=1e-4)


def test_each_mistake_is_handed_out_on_about_as_many_days_as_any_other() -> None:
    counts = np.bincount(hunt.program_of_days().ravel(), minlength=len(slips.SLIPS))
    assert counts.sum() == 12 * 31 and np.ptp(counts) <= 1


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_first_shows_in_its_own_line_and_spares_lines_that_do_not_use_it(
    chapter: dict, hunted, mistake: int
) -> None:
    outputs = hunted.outputs(**handed_out(mistake))
    wrong = [n for n in NAMES if abs(outputs[f"d_{n}"] - chapter["measured"](n)) > 1e-4]
    uses = {"a5": NAMES, "in5": NAMES[1:], "a3": NAMES[5:], "in3": NAMES[6:]}
    line = slips.SLIPS[mistake].line
    assert wrong == uses.get(line, [line])


def search(hunted, chapter: dict, mistake: int) -> tuple[str, int]:
    """The chapter's strategy: the line that it names, and how many tests it has bought."""
    outputs = hunted.outputs(**handed_out(mistake))

    def differs(line: str) -> bool:
        return abs(float(outputs[f"d_{line}"]) - chapter["measured"](line)) > 1e-4

    if differs("in3"):
        if differs("in5"):
            return ("a5" if differs("a5") else "in5"), 3
        return ("a3" if differs("a3") else "in3"), 3
    signs = dict(zip(NAMES, np.asarray(outputs["signs"]), strict=True))
    for line, right in (("w13", -1), ("w23", 1)):
        if signs[line] != right:
            return line, 2
    small = list(hunt.MUST_VANISH).index("a₃ = 0.01")
    first, second = ("w35", "w03") if float(outputs[f"case{small}"]) > 0.3 else ("w05", "w45")
    return (first if differs(first) else second), 4


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_chapters_strategy_finds_every_mistake_with_at_most_four_tests(
    chapter: dict, hunted, mistake: int
) -> None:
    line, cost = search(hunted, chapter, mistake)
    assert line == slips.SLIPS[mistake].line and cost <= 4


@pytest.mark.parametrize("case", hunt.MUST_VANISH)
def test_a_right_program_passes_every_special_case(case: str) -> None:
    right = slips.ten_lines(slips.tensors(slips.OURS), -1)
    assert float(hunt.largest_left(-1, case, right)) < 0.2


def test_a_line_is_judged_only_once_it_is_named_and_a_wrong_name_costs_two(hunted) -> None:
    program_of_day = handed_out(12)
    faulty, correct = NAMES.index("w13"), NAMES.index("a5")
    before = hunted.outputs(**program_of_day)
    assert before["found"] == before["wrongly_named"] == before["cost"] == 0
    assert hunted.outputs(**program_of_day, line=correct)["after_missed"] == 2
    assert hunted.outputs(**program_of_day, line=faulty)["after_missed"] == 0
    assert hunted.outputs(**program_of_day, named=correct)["wrongly_named"] == 1
    named = hunted.outputs(**program_of_day, named=faulty)
    assert named["found"] == 1 and [k for k in MISTAKES if named[f"found{k}"]] == [12]


@pytest.mark.browser
def test_a_reader_can_get_a_program_buy_tests_and_name_the_line(chapter: dict, shown) -> None:
    figure = show.one_mistake(chapter["numbers"], {n: chapter["measured"](n) for n in NAMES})
    mistake = int(hunt.program_of_days()[1, 0])  # of the first of February
    faulty = hunt.GUILTY[mistake]
    with shown(figure, height=1000) as site:
        (name,) = site.figures
        shown_figure = site.figure(name)
        shown_figure.get_by_role("slider", name="month").fill("2")
        shown_figure.get_by_role("button", name="hand me").click()
        shown_figure.get_by_role("button", name="buy: the ratio").click()
        site.settle()
        assert "actual fall ÷ predicted fall" in shown_figure.inner_text()
        assert shown_figure.get_by_role("button", name="buy: the ratio").count() == 0
        for line, verdict in (((faulty + 1) % 10, "No: that line"), (faulty, "Found: in the line")):
            shown_figure.get_by_role("radio").nth(line).check()
            shown_figure.get_by_role("button", name="name this line").click()
            site.settle()
            assert verdict in shown_figure.inner_text()
        assert "Paid so far: 3" in shown_figure.inner_text()
        shown_figure.get_by_role("button", name="hand me").click()
        site.settle()
        text = shown_figure.inner_text()
        assert "Paid so far: 0" in text and "Found" not in text

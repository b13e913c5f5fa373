"""Figures behave as readers expect: after Back, out of sight, under a finger, from a link."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnlib import live
from tests.book.harness import FRAMES
from tests.live.figure_site import Site, serving

pytestmark = [pytest.mark.browser, pytest.mark.reads()]


def sliding(name: str) -> live.Figure:
    return live.figure(
        lambda w, k: {"double": 2 * w + 0 * k},
        w=live.slider(0.0, 10.0, 1.0, value=3.0),
        k=(0, 5),
        choice=live.dropdown({"a": 0.0, "b": 1.0}, buttons=True),
        view=["twice is {double:.0f}",
              live.predict("Which?", name="which", choices=["a", "b", "c"], answer=1, explain="b")],
        title=name,
    )  # fmt: skip


def training(name: str) -> live.Figure:
    def step(w: Any, rate: Any) -> dict[str, Any]:
        return {"w": w - rate * 2 * w, "loss": w * w}

    return live.figure(
        rate=(0.0, 0.1),
        training=live.training(step, {"w": live.uniform((), 1.0, 2.0)}, speed="frame", seeds=9),
        view=["w is {w:.4f}"], title=name,
    )  # fmt: skip


def tall(name: str) -> live.Figure:
    return live.figure(
        w=live.slider(0.0, 10.0, 1.0, value=3.0),
        view=[live.axes(live.line(y=0.5), height=900), live.axes(live.line(y=0.2), height=900)],
        title=name,
    )  # fmt: skip


def painting(name: str) -> live.Figure:
    pad = live.paint((12, 12), value=np.zeros((12, 12)), label="pad")
    return live.figure(lambda d: {"ink": d.sum()}, d=pad, view=["{ink:.1f}"], title=name)


def stepping(name: str) -> live.Figure:
    return live.figure(k=live.stepper(200, value=0, interval=0.05), view=["at {k:d}"], title=name)


def asking() -> live.Figure:
    return live.quiz(
        live.question("Is it?", ["yes", "no", "both"], answer="no", why="It is not."),
        live.question("How much?", answer=0.5),
        title="ask", name="ask",
    )  # fmt: skip


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("reader")
    figures = [sliding("slide"), training("train"), painting("paint"), tall("tall"),
               stepping("play"), tall("end"), training("last"), asking(), sliding("folded")]  # fmt: skip
    page = live.page(*figures, path=folder / "page.html", inline=False)
    before, figure, after = page.read_text("utf8").rpartition("<figure ")
    folded = (
        "<details><summary>more</summary>"
        + figure
        + after.replace("</figure>", "</figure></details>", 1)
    )
    page.write_text(before + folded, "utf8")
    (folder / "other.html").write_text("<!doctype html><title>other</title><p>elsewhere", "utf8")
    (folder / "favicon.ico").write_bytes(b"")
    with serving(Path(folder)) as origin:
        yield f"{origin}/page.html"


@pytest.fixture
def site(browser: Any, address: str) -> Iterator[Site]:
    context = browser.new_context(viewport={"width": 900, "height": 700}, has_touch=True)
    site = Site(context.new_page(), address, [])
    site.open()
    yield site
    assert site.errors == []
    context.close()


def shown(site: Site) -> tuple[float, str]:
    figure = site.figure("slide")
    value = figure.get_by_role("slider").first.input_value()
    site.settle()
    return float(value), figure.locator(".nn-readout").inner_text().split("\n")[0]


@pytest.mark.parametrize("way", ["back", "reload"])
def test_after_back_or_a_reload_a_control_shows_the_figures_value(site: Site, way: str) -> None:
    figure = site.figure("slide")
    slider = figure.get_by_role("slider").first
    slider.focus()
    for _ in range(4):
        slider.press("ArrowRight")
    figure.get_by_label("b", exact=True).last.check(force=True)
    assert shown(site) == (7.0, "twice is 14")
    if way == "back":
        site.page.goto(site.url.replace("page.html", "other.html"))
        site.page.go_back()
    else:
        site.page.reload()
    site.page.wait_for_selector(".nn-figure[data-ready]")
    site.page.evaluate(FRAMES)
    value, words = shown(site)
    assert words == f"twice is {2 * value:.0f}"
    slider.focus()
    slider.press("ArrowRight")
    site.page.evaluate(FRAMES)
    assert shown(site) == (value + 1, f"twice is {2 * value + 2:.0f}")


def test_in_a_duplicated_tab_controls_and_figure_agree(site: Site) -> None:
    figure = site.figure("slide")
    slider = figure.get_by_role("slider").first
    slider.focus()
    for _ in range(4):
        slider.press("ArrowRight")
    site.page.evaluate("sessionStorage.setItem('note', 'copied')")
    with site.page.expect_popup() as opened:  # like a duplicate, it copies session storage
        site.page.evaluate("window.open(location.href)")
    second_tab = Site(opened.value, site.url, [])
    second_tab.page.wait_for_selector(".nn-figure[data-ready]")
    assert second_tab.page.evaluate("sessionStorage.getItem('note')") == "copied"
    value, words = shown(second_tab)
    assert words == f"twice is {2 * value:.0f}"
    second_tab.figure("slide").get_by_role("slider").first.press("ArrowRight")
    assert shown(second_tab) == (value + 1, f"twice is {2 * value + 2:.0f}")
    assert shown(site) == (7.0, "twice is 14"), "the first tab has changed with the second"
    assert second_tab.errors == []


def test_a_tab_opened_from_a_link_has_the_values_of_the_link(site: Site) -> None:
    slider = site.figure("slide").get_by_role("slider").first
    slider.focus()
    slider.press("ArrowRight")
    site.settle()
    site.figure("slide").get_by_role("button", name="Copy link").click()
    link = site.figure("slide").get_attribute("data-link")
    with site.page.expect_popup() as opened:
        site.page.evaluate("(link) => window.open(link)", link)
    new_tab = Site(opened.value, site.url, [])
    new_tab.page.wait_for_selector(".nn-figure[data-ready]")
    assert shown(new_tab) == shown(site) == (4.0, "twice is 8")


ANSWERS = """() => [...document.querySelectorAll(".nn-quiz-question, .nn-predict")].map((one) => [
  [...one.querySelectorAll("input")].map((e) => (e.type === "radio" ? e.checked : e.value)),
  one.querySelector("input").disabled, one.querySelector(".nn-verdict").textContent])"""


@pytest.mark.parametrize("way", ["back", "reload"])
def test_after_back_or_a_reload_answers_agree_with_verdicts(site: Site, way: str) -> None:
    quiz = site.figure("ask")
    quiz.get_by_label("both").check()
    quiz.get_by_role("button", name="Check").first.click()
    quiz.get_by_role("spinbutton").fill("0.5")
    site.figure("slide").get_by_label("c", exact=True).check()
    site.figure("slide").get_by_role("button", name="Commit").click()
    site.settle()
    answers = site.page.evaluate(ANSWERS)
    assert [question[2][:1] for question in answers[:2]] == ["✗", "✗"]
    if way == "back":
        site.page.goto(site.url.replace("page.html", "other.html"))
        site.page.go_back()
    else:
        site.page.reload()
    site.page.wait_for_selector(".nn-figure[data-ready]")
    site.page.evaluate(FRAMES)
    for (inputs, locked, verdict), (earlier_inputs, _, earlier_verdict) in zip(
        site.page.evaluate(ANSWERS), answers, strict=True
    ):
        if locked:  # the browser kept the page
            assert (inputs, verdict) == (earlier_inputs, earlier_verdict)
        else:
            assert verdict == "" and True not in inputs


def until(site: Site, condition: Callable[[], bool], frames: int = 300) -> None:
    """Waits frame by frame, because the page's policy forbids playwright's wait_for_function."""
    for _ in range(frames):
        if condition():
            return
        site.settle()
    pytest.fail("it did not happen within some seconds")


def to_the_end(site: Site) -> None:
    """Scrolls to the end of the page, where the figures above are out of sight."""
    site.page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    site.page.evaluate(FRAMES)


def check_pause_out_of_sight(
    site: Site, figure: Any, button: str, count: Callable[[], float], milliseconds: int
) -> None:
    """Asserts that a running figure pauses while it is out of sight and then continues with a note.

    It is watched for some frames and then for the given time.
    """
    figure.scroll_into_view_if_needed()
    figure.get_by_role("button", name=button).click()
    until(site, lambda: count() > 3)
    to_the_end(site)
    site.page.evaluate(FRAMES)
    before = count()
    for _ in range(5):
        site.page.evaluate(FRAMES)
    site.page.wait_for_timeout(milliseconds)
    assert count() == before
    figure.scroll_into_view_if_needed()
    until(site, lambda: count() > before + 3)
    assert "Paused while out of view" in figure.inner_text()
    figure.get_by_role("button", name="pause").click()


def steps(site: Site) -> float:
    return float(site.read("train", "step")[0])


def test_training_pauses_out_of_sight_and_continues_with_a_note(site: Site) -> None:
    figure = site.figure("train")
    check_pause_out_of_sight(site, figure, "train", lambda: steps(site), milliseconds=0)
    stopped = steps(site)
    to_the_end(site)
    figure.scroll_into_view_if_needed()
    for _ in range(5):
        site.page.evaluate(FRAMES)
    assert steps(site) == stopped  # a training that was paused by hand stays paused


def position(site: Site) -> float:
    return float(site.read("play", "k")[0])


def test_a_stepper_pauses_out_of_sight_and_continues_with_a_note(site: Site) -> None:
    figure = site.figure("play")
    check_pause_out_of_sight(
        site, figure, "play", lambda: position(site), milliseconds=300
    )  # six of its steps


def test_only_training_in_sight_continues(site: Site) -> None:
    first, last = site.figure("train"), site.figure("last")
    for figure in (first, last):
        figure.scroll_into_view_if_needed()
        figure.get_by_role("button", name="train").click()
    until(site, lambda: site.read("last", "step")[0] > 3)
    before = steps(site)
    for _ in range(5):
        site.page.evaluate(FRAMES)
    assert steps(site) == before, "the training above continues out of sight"
    assert site.read("last", "step")[0] > 5
    first.scroll_into_view_if_needed()
    until(site, lambda: steps(site) > before)
    stopped = site.read("last", "step")[0]
    for _ in range(5):
        site.page.evaluate(FRAMES)
    assert site.read("last", "step")[0] == stopped
    for figure in (first, last):
        figure.scroll_into_view_if_needed()
        figure.get_by_role("button", name="pause").click()


def finger(site: Site) -> Any:
    return site.page.context.new_cdp_session(site.page)


def test_a_swipe_that_begins_on_a_slider_scrolls_and_changes_nothing(site: Site) -> None:
    site.page.evaluate("window.scrollTo(0, 0)")
    slider = site.figure("slide").get_by_role("slider").first
    box = slider.bounding_box()
    before = shown(site)
    # away from the knob, where a tap would set the value
    x, y = box["x"] + 0.85 * box["width"], box["y"] + box["height"] / 2
    session = finger(site)
    assert y > 60
    touch(session, "touchStart", (x, y))
    for k in range(1, 11):
        touch(session, "touchMove", (x, y - k * (y - 5) / 10))
        site.settle()
    touch(session, "touchEnd")
    site.page.evaluate(FRAMES)
    assert site.page.evaluate("window.scrollY") > 30
    assert shown(site) == before


def touch(session: Any, event: str, *points: tuple[float, float]) -> None:
    entries = [{"x": x, "y": y, "id": k} for k, (x, y) in enumerate(points)]
    session.send("Input.dispatchTouchEvent", {"type": event, "touchPoints": entries})


def test_one_finger_draws_and_two_do_not(site: Site) -> None:
    pad = site.figure("paint").locator(".nn-pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    session = finger(site)

    def at(i: int) -> tuple[float, float]:
        return box["x"] + 20 + 15 * i, box["y"] + 60

    touch(session, "touchStart", at(0))
    touch(session, "touchMove", at(2))
    touch(session, "touchEnd")
    ink = float(site.read("paint", "ink")[0])
    assert ink > 0
    second = (box["x"] + 60, box["y"] + 140)
    touch(session, "touchStart", at(5))
    touch(session, "touchStart", at(5), second)
    touch(session, "touchMove", at(7), (second[0] + 30, second[1]))
    touch(session, "touchEnd")
    assert float(site.read("paint", "ink")[0]) == ink


def link_of(site: Site, name: str) -> str:
    figure = site.figure(name)
    figure.get_by_role("button", name="Copy link").click()
    return "#" + str(figure.get_attribute("data-link")).partition("#")[2]


def test_an_open_page_follows_a_new_link(site: Site) -> None:
    site.set("slide", {"w": 8})
    site.settle()
    link = link_of(site, "slide")
    site.set("slide", {"w": 1})
    site.page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    site.page.evaluate("hash => { location.hash = hash; }", link)
    until(site, lambda: site.read("slide", "w")[0] == 8)
    assert shown(site) == (8.0, "twice is 16")
    assert site.figure("slide").bounding_box()["y"] >= 0


def test_a_link_to_a_training_keeps_the_number_of_its_steps(site: Site) -> None:
    figure = site.figure("train")
    for _ in range(3):
        figure.get_by_role("button", name="step").click()
    weight = float(site.read("train", "w")[0])
    link = link_of(site, "train")
    site.open(link)
    assert steps(site) == 3 and float(site.read("train", "w")[0]) == weight
    assert "step 3" in site.figure("train").inner_text()


def test_a_link_to_a_tall_figure_shows_its_title(site: Site) -> None:
    site.set("tall", {"w": 5})
    site.settle()
    site.open(link_of(site, "tall"))
    site.page.evaluate(FRAMES)
    top = site.figure("tall").bounding_box()["y"]
    assert 0 <= top < 300


def test_a_damaged_link_shows_a_message(site: Site) -> None:
    site.open("#live=slide.%%%")
    assert "is damaged" in site.figure("slide").inner_text()
    assert "is damaged" not in site.figure("paint").inner_text()
    assert shown(site) == (3.0, "twice is 6")


def test_a_link_to_a_folded_figure_unfolds_it(site: Site) -> None:
    site.page.locator("details").evaluate("node => { node.open = true; }")
    site.set("folded", {"w": 6})
    site.settle()
    link = link_of(site, "folded")
    site.open(link)
    site.page.evaluate(FRAMES)
    assert site.figure("folded").get_by_role("slider").first.is_visible()
    assert site.read("folded", "w")[0] == 6


@pytest.mark.parametrize("link", ["#live=slidd.e30", "#live=%E0%A4.e30", "#live="])
def test_a_link_to_an_unknown_figure_shows_a_message(site: Site, link: str) -> None:
    message = site.page.locator(".nn-link-message")
    site.open(link)
    assert "not on this page" in message.inner_text() and message.is_visible()
    site.page.evaluate("hash => { location.hash = hash; }", link_of(site, "slide"))
    until(site, lambda: message.count() == 0)


def test_a_link_whose_values_do_not_fit_shows_a_message(site: Site) -> None:
    site.open("#live=slide.eyJ3IjoiTmFOIiwieCI6MX0")  # {"w": "NaN", "x": 1}
    assert "do not fit" in site.figure("slide").inner_text()
    assert shown(site) == (3.0, "twice is 6")

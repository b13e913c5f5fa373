"""Figures in the browser: every control and mark moves, by pointer and key, and agrees with Python."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnlib
from nnlib import live
from nnlib.live import palette
from tests.accessibility import serious_violations
from tests.book.harness import FRAMES
from tests.live import gallery
from tests.live.figure_site import Handler, Site, serving
from tools.browser import Server

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.reads()


@pytest.fixture(scope="module")
def gallery_page(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, list[live.Figure]]]:
    folder = tmp_path_factory.mktemp("gallery")
    figures = gallery.figures()
    live.page(*figures, path=folder / "gallery.html", inline=False)
    (folder / "favicon.ico").write_bytes(b"")
    with serving(folder) as url:
        yield f"{url}/gallery.html", figures


@pytest.fixture(scope="module")
def shared_site(browser: Any, gallery_page: Any) -> Iterator[Site]:
    page = browser.new_page(viewport={"width": 1000, "height": 900})
    site = Site(page, *gallery_page)
    yield site
    page.close()


@pytest.fixture
def site(shared_site: Site) -> Iterator[Site]:
    with shared_site.reopened():
        yield shared_site


# ---------------------------------------------------------------- the page compared with Python


def random_inputs(figure: live.Figure, rng: np.random.Generator) -> dict[str, Any]:
    """Random values of all inputs, as JSON."""
    values: dict[str, Any] = {}
    for name, spec in figure.spec["inputs"].items():
        control = spec["control"]
        if control in ("slider", "number"):
            values[name] = float(np.float32(rng.uniform(spec.get("min", -2), spec.get("max", 2))))
            if spec["dtype"] == "int64":
                values[name] = int(round(values[name]))
        elif control == "stepper":
            values[name] = int(rng.integers(spec["min"], spec["max"] + 1))
        elif control == "checkbox":
            values[name] = bool(rng.integers(2))
        elif control == "dropdown":
            values[name] = int(rng.integers(len(spec["labels"])))
        elif control == "text":
            letters = rng.integers(0, 26, rng.integers(1, spec["length"] + 1))
            values[name] = "".join(spec["alphabet"][i] for i in letters)
        elif spec["dtype"] != "int64":
            size = int(np.prod(spec["shape"]))
            low, high = max(spec.get("min", -1), -1), min(spec.get("max", 1), 1)
            flat = [float(np.float32(v)) for v in rng.uniform(low, high, size)]
            values[name] = flat if spec["shape"] else flat[0]
    return values


def names() -> list[str]:
    return [f.spec["name"] for f in gallery.figures() if f.spec["programs"]]


@pytest.mark.parametrize("name", names())
def test_the_pages_outputs_equal_pythons(site: Site, name: str) -> None:
    figure = site.figures[name]
    rng = np.random.default_rng(5)
    for _ in range(4):
        values = random_inputs(figure, rng)
        site.set(name, values)
        before = figure.values
        figure.values = {**figure.values, **values}
        expected = figure.outputs()
        figure.values = before
        compared = 0
        for key, output in expected.items():
            value = site.page.evaluate("([n, k]) => window.read(n, k) ?? null", [name, key])
            if value is None:  # no view uses it, so it was not recorded
                continue
            np.testing.assert_allclose(value, output.ravel().astype(float), rtol=2e-5, atol=2e-6)
            compared += 1
        assert compared or not expected


def test_training_equals_python_for_its_first_100_steps(site: Site) -> None:
    figure = site.figures["training"]
    root = site.figure("training")
    root.get_by_label("seed").fill("7")
    root.get_by_label("seed").press("Enter")
    root.get_by_role("button", name="rewind").focus()
    for _ in range(3):
        root.get_by_role("button", name="step", exact=True).click()
    expected = figure.train(3, seed=7)
    np.testing.assert_allclose(site.read("training", "history_loss"), expected["loss"], rtol=1e-5)
    for key in ("W1", "b1", "W2", "b2"):
        np.testing.assert_allclose(
            site.read("training", key), expected[key].ravel(), rtol=1e-4, atol=1e-6
        )
    root.get_by_role("button", name="rewind").click()
    start = figure._training.initial(7)
    assert site.read("training", "W1").tolist() == start["W1"].astype(np.float32).ravel().tolist()
    root.get_by_label("speed").select_option("full")
    root.get_by_role("button", name="train", exact=False).first.click()
    site.page.wait_for_function("() => window.read('training', 'step')[0] >= 200", timeout=20000)
    root.get_by_role("button", name="pause").click()
    steps = int(site.read("training", "step")[0])
    assert steps >= 200
    # long histories are thinned, so only the steps that they keep can be compared
    steps_kept, losses = (site.read("training", f"history_{k}") for k in ("step", "loss"))
    early = steps_kept < 100
    expected = figure.train(100, seed=7)["loss"]
    np.testing.assert_allclose(losses[early], expected[steps_kept[early].astype(int)], rtol=2e-3)


def test_a_training_step_follows_static_inputs(site: Site) -> None:
    figure, root = site.figures["training"], site.figure("training")
    root.get_by_label("rule").select_option("1")
    for _ in range(3):
        root.get_by_role("button", name="step", exact=True).click()
    climbing = figure.train(3, rule="gradient ascent")["loss"]
    np.testing.assert_allclose(site.read("training", "history_loss"), climbing, rtol=1e-5)
    assert climbing[-1] > figure.train(3)["loss"][-1]


def test_a_seed_is_chosen_by_a_click_and_kept_in_the_link(site: Site) -> None:
    figure, root = site.figures["training"], site.figure("training")
    root.get_by_role("button", name="point 6").click()
    expected = figure._training.initial(5)["W1"].astype(np.float32).ravel().tolist()
    assert site.read("training", "seed")[0] == 5
    assert site.read("training", "W1").tolist() == expected
    root.get_by_role("button", name="Copy link").click()
    link = root.get_attribute("data-link")
    site.open(link[link.index("#") :])
    assert site.read("training", "seed")[0] == 5
    assert site.read("training", "W1").tolist() == expected


def test_axes_grow_for_the_lower_curve_of_an_area_too(browser: Any, tmp_path: Path) -> None:
    figure = live.figure(
        lambda low: {"lower": low + nnlib.zeros(3)},
        low=live.slider(-9.0, 0.0, 1.0, value=0.0),
        view=[live.axes(live.area([0.0, 1.0, 2.0], [1.0, 1.0, 1.0], "lower"))],
        title="Between two curves", name="between",
    )  # fmt: skip
    live.page(figure, path=tmp_path / "page.html", inline=False)
    (tmp_path / "favicon.ico").write_bytes(b"")
    page = browser.new_page()
    with serving(tmp_path) as url:
        site = Site(page, f"{url}/page.html", [figure])
        site.open()
        site.set("between", {"low": -9.0})
        plot, area = (page.locator(f".nn-{name}").bounding_box() for name in ("plot", "area"))
    page.close()
    assert area["height"] > 0.8 * plot["height"]
    assert area["y"] + area["height"] <= plot["y"] + plot["height"] + 1, (
        "the area extends beyond the plot"
    )


# ---------------------------------------------------------------- pointer and keys


def test_a_handle_follows_pointer_and_keys(site: Site) -> None:
    handle = site.figure("the-sigmoid").get_by_role("slider", name="where P is one half")
    before = site.read("the-sigmoid", "w0")[0]
    site.drag(handle, 60, 0)
    after = site.read("the-sigmoid", "w0")[0]
    assert after < before - 0.5
    handle.press("ArrowLeft")
    assert site.read("the-sigmoid", "w0")[0] > after
    assert "x " in handle.get_attribute("aria-valuetext")
    handle.press("End")
    assert site.read("the-sigmoid", "w0")[0] == -5.0  # limited by the slider's end


def test_keys_within_one_frame_all_count(site: Site) -> None:
    handle = site.figure("the-sigmoid").get_by_role("slider", name="where P is one half")
    positions = []
    for keys in (["ArrowLeft"], ["ArrowLeft"], ["ArrowRight", "ArrowRight"]):
        positions.append(site.read("the-sigmoid", "w0")[0])
        handle.evaluate(
            "(handle, keys) => keys.forEach((key) =>"
            " handle.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true })))",
            keys,
        )
    start, midway, end = positions
    assert start < midway < end
    assert site.read("the-sigmoid", "w0")[0] == pytest.approx(start)


def test_a_curve_itself_can_be_dragged(site: Site) -> None:
    root = site.figure("the-sigmoid")
    before = site.read("the-sigmoid", "p")
    root.scroll_into_view_if_needed()
    curve = root.locator(".nn-curve-grip")
    box = curve.bounding_box()
    x, y = box["x"] + box["width"] * 0.471, box["y"] + box["height"] * 0.5
    site.page.mouse.move(x, y)
    site.page.mouse.down()
    site.page.mouse.move(x + 80, y)
    site.page.mouse.up()
    assert site.read("the-sigmoid", "p").sum() < before.sum() - 5


def test_a_slider_moves_by_keys_and_a_number_is_typed(site: Site) -> None:
    root = site.figure("the-sigmoid")
    slider = root.get_by_label("weight w")
    slider.press("ArrowRight")
    assert site.read("the-sigmoid", "w")[0] == pytest.approx(1.6)
    slider.press("PageDown")
    assert site.read("the-sigmoid", "w")[0] == pytest.approx(0.6)
    slider.press("Home")
    assert site.read("the-sigmoid", "w")[0] == -5
    number = site.figure("the-recorded-graph").get_by_label("c", exact=True)
    number.fill("1.25")
    number.press("Enter")
    assert site.read("the-recorded-graph", "c")[0] == 1.25


def test_a_line_moves_turns_and_widens(site: Site) -> None:
    name = "drag-the-line"
    root = site.figure(name)
    site.drag(root.get_by_role("slider", name="line, position"), 30, 30)
    assert site.read(name, "b")[0] != pytest.approx(0.3, abs=0.05)
    u, v = site.read(name, "u")[0], site.read(name, "v")[0]
    norm = np.hypot(u, v)
    site.drag(root.get_by_role("slider", name="line, direction"), 30, 20)
    turned = site.read(name, "u")[0], site.read(name, "v")[0]
    assert np.hypot(*turned) == pytest.approx(norm, rel=0.02) and turned[0] != pytest.approx(
        u, abs=0.02
    )
    site.drag(root.get_by_role("slider", name="line, band"), 15, -15)
    assert np.hypot(site.read(name, "u")[0], site.read(name, "v")[0]) < norm


def test_edges_and_biases_change_by_dragging(site: Site) -> None:
    root = site.figure("five-neurons")
    edge = root.get_by_role("slider", name="weight from 1 to 3")
    site.drag(edge, 0, -25)
    w13 = site.read("five-neurons", "w13")[0]
    assert w13 == pytest.approx(3.0, abs=0.11)
    edge.press("ArrowDown")
    assert site.read("five-neurons", "w13")[0] == pytest.approx(w13 - 0.1)
    edge.press("Shift+ArrowDown")
    assert site.read("five-neurons", "w13")[0] == pytest.approx(w13 - 1.1), "Shift: ten steps"
    root.get_by_role("slider", name="bias of 5").press("PageUp")
    assert site.read("five-neurons", "w05")[0] == pytest.approx(0.5)
    matrix_edge = site.figure("training").get_by_role(
        "slider", name="weight from neuron 2 of layer 1 to neuron 3 of layer 2"
    )
    before = site.read("training", "W1")[5]
    matrix_edge.press("ArrowUp")
    assert site.read("training", "W1")[5] == pytest.approx(before + 0.1, abs=1e-5)


def test_a_network_reports_the_neuron_under_the_pointer_or_with_the_focus(site: Site) -> None:
    root = site.figure("five-neurons")
    neuron = root.get_by_role("button", name="neuron 4")
    neuron.hover()
    assert site.read("five-neurons", "pointed")[0] == 3
    site.page.mouse.move(0, 0)
    assert site.read("five-neurons", "pointed")[0] == -1
    root.get_by_role("button", name="neuron 1").press("ArrowRight")
    assert site.read("five-neurons", "pointed")[0] == 1
    site.page.evaluate("document.activeElement.blur()")
    assert site.read("five-neurons", "pointed")[0] == -1


def test_neurons_are_fired_in_the_readers_order(site: Site) -> None:
    root = site.figure("five-neurons")
    root.get_by_role("button", name="neuron 5").click()
    root.get_by_role("button", name="neuron 3").press("Enter")
    assert site.read("five-neurons", "fired").tolist() == [0, 0, 2, 0, 1]
    assert root.get_by_role("button", name="neuron 3").get_attribute("aria-pressed") == "true"
    assert root.get_by_role("button", name="neuron 3").locator("text=2nd").count() == 1
    assert root.get_by_role("button", name="1st in order").count() == 1
    root.get_by_role("button", name="neuron 5").click()
    site.settle()
    assert root.get_by_text("2nd").count() == 0
    assert site.read("five-neurons", "fired").tolist() == [0, 0, 0, 0, 0]


def test_dropdowns_choose_programs_and_arrays(site: Site) -> None:
    root = site.figure("five-neurons")
    site.set("five-neurons", {"k": 3.0})
    with_gain = site.read("five-neurons", "a5")[0]
    root.get_by_label("gain_on").select_option("1")
    assert site.read("five-neurons", "a5")[0] != pytest.approx(with_gain)
    root.get_by_role("radio", name="1 1").check(force=True)
    assert site.read("five-neurons", "x1")[0] == 1
    root.get_by_role("button", name="trained").click()
    assert site.read("five-neurons", "w45")[0] == -4


def test_points_switches_bars_and_the_pointer_set_inputs(site: Site) -> None:
    name = "things-to-drag-and-click"
    root = site.figure(name)
    site.drag(root.get_by_role("slider", name="A", exact=True), 40, -40)
    dragged = site.read(name, "P")[:2]
    assert dragged[0] > -0.9 and dragged[1] > -0.9
    root.get_by_role("slider", name="A", exact=True).press("ArrowLeft")
    assert site.read(name, "P")[0] < dragged[0]
    root.get_by_role("button", name="C", exact=True).first.click()
    assert site.read(name, "on").tolist() == [1, 1, 0, 1]
    root.get_by_role("button", name="B", exact=True).last.click()
    assert site.read(name, "on").tolist() == [1, 0, 0, 1]
    root.get_by_role("button", name="z", exact=True).press("Enter")
    assert site.read(name, "chosen")[0] == 2
    pointer = root.get_by_role("slider", name="switches and a pointer: position")
    pointer.press("ArrowUp")
    step = site.read(name, "b")[0] + 0.2
    assert step > 0
    pointer.press("Shift+ArrowUp")
    assert site.read(name, "b")[0] == pytest.approx(-0.2 + 11 * step), "Shift: ten steps"
    pointer.click(position={"x": 20, "y": 20})
    assert site.read(name, "a")[0] < 0.2 and site.read(name, "b")[0] > 0.5


def test_the_pointer_and_keys_paint(site: Site) -> None:
    pads = site.figure("images").locator(".nn-pad")
    before = site.read("images", "image").sum()
    site.drag(pads.nth(0), 50, 50)
    painted = site.read("images", "image").sum()
    assert painted > before + 1
    pads.nth(0).press("ArrowLeft")
    pads.nth(0).press("ArrowLeft")
    pads.nth(0).press("ArrowLeft")
    pads.nth(0).press("Space")
    assert site.read("images", "image").sum() > painted
    kernel = site.read("images", "kernel")
    for key, change in (("-", -0.4), ("+", 0.0)):  # tenths of the range, at the central cell
        pads.nth(1).press(key)
        assert site.read("images", "kernel").sum() == pytest.approx(kernel.sum() + change, abs=1e-5)
    site.figure("images").get_by_role("button", name="clear").first.click()
    assert site.read("images", "image").sum() == 0


def test_a_cell_is_picked_and_an_image_selected(site: Site) -> None:
    root = site.figure("images")
    picker = root.locator(".nn-image[role=application]")
    picker.press("ArrowDown")
    assert site.read("images", "r")[0] == 4
    picker.click(position={"x": 3, "y": 3})
    assert site.read("images", "r")[0] == 0 and site.read("images", "c")[0] == 0
    root.get_by_role("button", name="level").press("Enter")
    assert site.read("images", "which")[0] == 1


def test_a_typed_word_keeps_only_letters_of_the_alphabet(site: Site) -> None:
    root = site.figure("a-word")
    root.get_by_role("textbox", name="word").fill("Ab9c")
    assert site.page.evaluate("() => window.scene('a-word').input('word').raw") == "abc"
    assert site.read("a-word", "n")[0] == 3
    assert root.locator(".nn-cell").count() == 3
    assert "use only the letters a to z" in root.inner_text()
    root.get_by_role("textbox", name="word").fill("Zażółć")  # accents are removed, as in the data
    assert site.page.evaluate("() => window.scene('a-word').input('word').raw") == "zazolc"
    assert "use only" not in root.inner_text()
    root.get_by_label("unroll").uncheck()
    site.settle()
    assert root.locator(".nn-cell").count() == 1


def test_a_graph_narrows_on_a_phone(site: Site) -> None:
    graph = site.figure("the-recorded-graph").locator(".nn-dag-view")
    box = graph.locator("rect").first
    usual = float(box.get_attribute("width"))
    site.page.set_viewport_size({"width": 360, "height": 800})
    site.open()
    narrow = float(box.get_attribute("width"))
    frame_width = graph.evaluate("e => e.clientWidth")
    site.page.set_viewport_size({"width": 1000, "height": 900})
    assert narrow < usual and graph.evaluate("e => e.scrollWidth <= e.clientWidth")
    assert frame_width < 360  # a longer graph scrolls in its own frame; the page does not


def test_a_stepper_goes_through_the_steps_of_a_graph(site: Site) -> None:
    root = site.figure("the-recorded-graph")
    site.set("the-recorded-graph", {"a": 1.0, "b": 2.0})
    root.get_by_role("button", name="forward").click()
    assert site.read("the-recorded-graph", "t")[0] == 4
    root.get_by_role("slider", name="t").press("End")
    site.settle()
    grads = root.locator(".nn-dag-grad").all_text_contents()
    tanh = np.tanh(2.5)
    assert any("∂" in g for g in grads) and grads[0] == f"∂ {tanh + 2 * (1 - tanh**2):.3g}"
    root.get_by_role("button", name="first").click()
    assert site.read("the-recorded-graph", "t")[0] == 0
    root.get_by_role("button", name="play").click()
    site.page.wait_for_function("() => window.read('the-recorded-graph', 't')[0] >= 2")


def test_a_button_copies_outputs_into_inputs(site: Site) -> None:
    expected = site.read("uphill", "next")
    site.figure("uphill").get_by_role("button", name="Take one step").click()
    assert site.read("uphill", "w").tolist() == expected.tolist()


# ---------------------------------------------------------------- questions


def test_a_prediction_is_committed_before_the_answer(site: Site) -> None:
    root = site.figure("predict")
    first = root.locator(".nn-predict").first
    assert not first.get_by_text("Crossing:").first.is_visible()
    first.get_by_role("button", name="Commit").click()
    assert "Choose" in first.get_by_role("status").inner_text()
    first.get_by_label("twice as far").check()
    first.get_by_role("button", name="Commit").press("Enter")
    site.settle()
    assert "Not quite" in first.get_by_role("status").inner_text()
    assert first.get_by_text("Crossing:").first.is_visible()
    assert first.get_by_label("it stays").is_disabled()
    first.get_by_role("button", name="Ask again").click()
    assert not first.get_by_text("Crossing:").first.is_visible()
    second = root.locator(".nn-predict").nth(1)
    second.get_by_label("Your answer").fill("-1")
    second.get_by_label("Your answer").press("Enter")
    site.settle()
    assert "Right" in second.get_by_role("status").inner_text()


def test_the_track_of_an_answers_slider_is_filled_up_to_the_answer(
    browser: Any, tmp_path: Path
) -> None:
    figure = live.figure(
        view=[live.predict("How large is it?", name="size", answer=[0.5], min=-1.0, max=1.0)],
        title="How large?",
    )  # fmt: skip
    page = page_of(browser, tmp_path, figure)
    slider = page.get_by_label("Your answer")
    filled = [slider.evaluate("e => e.style.getPropertyValue('--nn-at')")]
    slider.press("End")
    filled.append(slider.evaluate("e => e.style.getPropertyValue('--nn-at')"))
    page.close()
    assert filled == ["50%", "100%"]


def test_a_dragged_prediction_reveals_marks(site: Site) -> None:
    root = site.figure("uphill")
    assert not root.locator(".nn-mark-curve path[d^=M]").first.is_visible()
    site.drag(root.get_by_role("slider", name="your step"), 20, 0)
    root.get_by_role("button", name="Commit").click()
    site.settle()
    assert root.locator(".nn-mark-curve path[d^=M]").last.is_visible()


def test_a_quiz_shows_its_verdicts(site: Site) -> None:
    root = site.figure("quiz-check-yourself")
    first, second = root.locator(".nn-quiz-question").all()
    first.get_by_label("What is σ(0)?").fill("0.5")
    first.get_by_role("button", name="Check").click()
    assert "Right" in first.get_by_role("status").inner_text()
    second.get_by_label("at 1").check()
    second.get_by_role("button", name="Check").click()
    assert "flatter" in second.get_by_role("status").inner_text()


# ---------------------------------------------------------------- links, reset, pictures

LINKED = {
    "the-sigmoid": {"w0": -1.3, "w": 2.2, "log_odds": True},
    "uphill": {"w": [0.5, -0.25], "alpha": 0.2},
    "training": {"W1": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], "freeze": True, "lr": 0.25},
    "five-neurons": {"w13": 2.5, "case": 3, "gain_on": 1, "fired": [0, 0, 0, 0, 1]},
    "the-recorded-graph": {"c": 1.5, "t": 6},
    "images": {"image": [round(i / 144, 3) for i in range(144)], "which": 1, "r": 2},
    "a-word": {"word": "sequence", "unrolled": False},
    "things-to-drag-and-click": {"P": [0.5, 0, 0, 0, 0, 0, 0, 0.25]},
}


@pytest.mark.parametrize("name", LINKED)
def test_a_link_restores_every_kind_of_input(site: Site, name: str) -> None:
    site.set(name, LINKED[name])
    read = f"() => [...window.scene('{name}').inputs].map(([k, i]) => [k, i.jsonValue()])"
    expected = site.page.evaluate(read)
    root = site.figure(name)
    root.get_by_role("button", name="Copy link").click()
    link = root.get_attribute("data-link")
    root.get_by_role("button", name="Reset").click()
    site.settle()
    assert site.page.evaluate(read) != expected
    site.open(link[link.index("#") :])
    assert site.page.evaluate(read) == expected


def test_damaged_links_are_harmless(site: Site) -> None:
    site.open("#live=the-sigmoid.%%%")
    assert site.read("the-sigmoid", "w")[0] == 1.5
    site.open("#live=the-sigmoid.eyJ3IjoiTmFOIiwidzAiOlsxLDJdLCJ4IjoxfQ")
    assert site.read("the-sigmoid", "w")[0] == 1.5


@pytest.mark.parametrize("file_format", ["SVG", "PNG"])
def test_a_picture_is_saved_as_svg_or_png(site: Site, file_format: str, tmp_path: Path) -> None:
    with site.page.expect_download() as download:
        site.figure("drag-the-line").get_by_role("button", name=f"Save {file_format}").click()
    path = tmp_path / "picture"
    download.value.save_as(path)
    head = path.read_bytes()[:200]
    assert b"<svg" in head if file_format == "SVG" else head.startswith(b"\x89PNG")
    assert path.stat().st_size > 5000


# ---------------------------------------------------------------- separate pages


def page_of(browser: Any, folder: Path, *items: Any, edit: Any = None) -> Any:
    path = live.page(*items, path=folder / "page.html", inline=False)
    if edit:
        path.write_text(edit(path.read_text()))
    server = Server(functools.partial(Handler, directory=str(folder)))
    page = browser.new_page(viewport={"width": 900, "height": 800})
    page.goto(f"{server.origin}/page.html")
    page.wait_for_selector(".nn-figure")
    page.on("close", lambda: server.close())
    return page


def simple(name: str, **options: Any) -> live.Figure:
    return live.figure(
        lambda w: {"double": 2 * w},
        w=live.slider(0.0, 10.0, 1.0, value=3.0, **options),
        view=["twice is {double:.1f}"],
        title=name,
    )


def test_figures_in_boxes_share_inputs(browser: Any, tmp_path: Path) -> None:
    import ipywidgets

    first, second = simple("one", share="w"), simple("two", share="w")
    page = page_of(browser, tmp_path, ipywidgets.HBox([first, ipywidgets.VBox([second])]))
    page.get_by_role("slider").first.press("ArrowRight")
    texts = page.locator(".nn-readout > span:first-child")
    playwright.expect(texts).to_have_text(["twice is 8.0", "twice is 8.0"])
    page.close()


def test_two_views_of_one_figure_agree(browser: Any, tmp_path: Path) -> None:
    figure = simple("once")
    page = page_of(browser, tmp_path, figure, figure)
    page.get_by_role("slider").first.press("End")
    texts = page.locator(".nn-readout > span:first-child")
    playwright.expect(texts).to_have_text(["twice is 20.0"] * 2)
    page.close()


def test_classes_have_the_same_colours_in_the_page_and_in_a_static_picture(
    browser: Any, tmp_path: Path
) -> None:
    classes = [-1, 0, 1, 2, 3, 4, 5, 6]
    figure = live.figure(
        view=[live.axes(live.points(x=classes, y=[0.0] * 8, classes=classes), ylim=(-1, 1))],
        title="Eight classes",
    )
    page = page_of(browser, tmp_path, figure)
    fills = [dot.get_attribute("fill") for dot in page.locator(".nn-point .nn-dot").all()]
    page.close()
    in_page = [palette.colors("fallback")[re.fullmatch(r"var\(--nn-(.+)\)", f)[1]] for f in fills]
    still = re.findall(r'<(?:circle|path) c?[xd][^>]*? fill="(#[^"]+)"', figure.html())
    assert len(in_page) == 8
    assert still == in_page


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.replace('"format":"nnlib.live","version":1', '"format":"nnlib.live","version":9'),
         "newer nnlib"),
        (lambda s: s.replace('"format":"nnlib.graph","version":1', '"format":"nnlib.graph","version":7'),
         "version"),
        (lambda s: s.replace('"op":"mul"', '"op":"teleport"'), "teleport"),
        (lambda s: s.replace('"kind":"readout"', '"kind":"hologram"'), "hologram"),
        (lambda s: s.replace('"shape":[],"value":3.0', '"value":3.0'), "damaged"),
        (lambda s: s.replace('"programs":{', '"programs":5,"unused":{'), "cannot be shown"),
    ],
)  # fmt: skip
def test_damaged_figures_show_an_error(
    browser: Any, tmp_path: Path, change: Any, message: str
) -> None:
    def edit(text: str) -> str:
        changed = change(text)
        assert changed != text
        return changed

    page = page_of(browser, tmp_path, simple("broken"), edit=edit)
    alerts = page.locator("[role=alert]:visible")
    playwright.expect(alerts.filter(has_text=message).first).to_be_visible()
    page.close()


def test_training_in_float64_equals_python_to_1e_9(browser: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 2)), rng.integers(0, 2, 30).astype(float)

    def step(w, b, X, y, lr):
        w, b = w.detach().requires_grad_(True), b.detach().requires_grad_(True)
        p = (X @ w + b).sigmoid()
        loss = -(y * p.log() + (1 - y) * (1 - p).log()).mean()
        gw, gb = nnlib.autograd.grad(loss, [w, b], create_graph=True)
        return {"w": w - lr * gw, "b": b - lr * gb, "loss": loss}

    figure = live.figure(
        lambda w: {"norm": (w * w).sum()}, lr=live.slider(0.0, 2.0, value=0.5), dtype="float64",
        training=live.training(step, {"w": live.normal(2), "b": np.zeros(())}, data={"X": X, "y": y},
                               batch=10, seed=4, speed="full"),
        view=[live.loss_curve(), "{history_loss[-1]:.4f}"], title="Exact",
    )  # fmt: skip
    page = page_of(browser, tmp_path, figure)
    page.get_by_role("button", name="train").click()
    page.wait_for_function(
        "() => +document.querySelector('.nn-training output').textContent.slice(5) >= 200"
    )
    page.get_by_role("button", name="pause").click()
    steps_kept, losses = page.evaluate(
        """async () => {
          const live = await import("/live.js");
          const scene = live.scenes.get(document.querySelector(".nn-figure"));
          return ["history_step", "history_loss"].map((name) => scene.named(name).data);
        }"""
    )
    # the number of steps, and so how much the history is thinned, depends on the machine
    compared = [(int(k), v) for k, v in zip(steps_kept, losses, strict=True) if k < 3000]
    expected = figure.train(compared[-1][0] + 1)["loss"]
    assert len(compared) > 10
    np.testing.assert_allclose(
        [v for _, v in compared], expected[[k for k, _ in compared]], rtol=1e-9
    )
    page.close()


def test_figures_have_no_serious_accessibility_problems(browser: Any, tmp_path: Path) -> None:
    path = live.page(*gallery.figures(), path=tmp_path / "page.html", inline=True)
    for theme in ("light", "dark"):
        page = browser.new_page(viewport={"width": 800, "height": 900})
        page.goto(path.as_uri())
        page.wait_for_selector(".nn-figure[data-ready]")
        page.evaluate("(theme) => { document.documentElement.dataset.theme = theme }", theme)
        page.evaluate(FRAMES)
        assert serious_violations(page, every_text=True) == []
        page.close()


def test_narrow_pages_do_not_scroll_sideways(browser: Any, gallery_page: Any) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 800})
    page.goto(gallery_page[0])
    page.wait_for_selector(".nn-figure[data-ready]")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.close()

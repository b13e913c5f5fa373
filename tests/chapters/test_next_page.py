"""The closing chapter in a real browser: drawings get answers, typed words are merged."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

import nnlib
from course.networks import digits
from course.next import figures as show
from nnlib import datasets
from tests.live.figure_site import Site

pytestmark = [pytest.mark.browser, pytest.mark.reads()]
DRAW, MERGE = "not-a-digit", "merge-by-merge"


@pytest.fixture(scope="module")
def site(shown: Callable) -> Iterator[Site]:
    test = nnlib.tensor(datasets.digits(train=False).x[:50])
    nets = digits.trained("mlp"), digits.trained("two pools")
    figures = [
        show.not_a_digit(*nets, test, test, title="Not a digit", caption="c", alt="a"),
        show.byte_pair_merges(
            "low low lower lowest", "slower", title="Merge by merge", caption="c", alt="a"
        ),
    ]
    with shown(*figures, height=1800) as site:
        yield site


def test_every_offered_drawing_gets_the_same_answers_as_in_python(site: Site) -> None:
    for name in ("a face", "a star", "the letter A", "the letter H", "nothing", "a house"):
        site.figure(DRAW).get_by_role("button", name=name, exact=True).click()
        site.settle()
        drawn = site.read(DRAW, "drawing").reshape(28, 28).astype("float32")
        in_python = site.figures[DRAW].outputs(drawing=drawn)
        for net in ("mlp", "cnn"):
            assert np.allclose(site.read(DRAW, net), in_python[net], atol=1e-4), (name, net)
    assert "The CNN accepts it as a 0" in site.figure(DRAW).inner_text()


def test_a_drawing_can_be_refused_and_the_threshold_moved_by_keys(site: Site) -> None:
    site.figure(DRAW).get_by_role("button", name="a house", exact=True).click()
    slider = site.figure(DRAW).get_by_role("slider", name="threshold")
    slider.focus()
    for _ in range(9):
        site.page.keyboard.press("ArrowRight")
    site.settle()
    words = site.figure(DRAW).inner_text()
    assert "The MLP refuses it. Its best guess is a 0" in words
    assert "accepts it" not in words


def test_an_empty_pad_can_be_drawn_on_by_keys(site: Site) -> None:
    figure = site.figure(DRAW)
    figure.get_by_role("button", name="clear").click()
    site.settle()
    assert site.read(DRAW, "mlp").max() < 0.2
    figure.locator(".nn-pad").focus()
    for key in ("Enter", "ArrowDown", "Enter", "ArrowDown", "Enter"):
        site.page.keyboard.press(key)
    site.settle()
    assert site.read(DRAW, "drawing").max() > 0.5 and site.read(DRAW, "mlp").max() > 0.2


def text_after_typing(site: Site, label: str, words: str) -> str:
    site.figure(MERGE).get_by_label(label).first.fill(words)
    site.settle()
    return " ".join(site.figure(MERGE).inner_text().split())


def test_typed_words_are_merged_in_the_page(site: Site) -> None:
    text_after_typing(site, "your words", "She sells sea shells by the sea shore")
    site.figure(MERGE).get_by_role("slider", name="merges").fill("8")
    words = text_after_typing(site, "a new word", "seashell")
    assert "30 letters in 14 tokens: she | sells | sea | shells | b y | t h e" in words
    assert "The new word: sea she ll" in words
    assert "in their order: sh se she ll lls sea sells shells" in words
    in_python = site.figures[MERGE].outputs(
        text="she sells sea shells by the sea shore", new="seashell", merges=8
    )
    assert site.read(MERGE, "counts").tolist() == in_python["counts"].tolist()


def test_empty_and_unusual_words_get_a_message(site: Site) -> None:
    assert "Type some words first" in text_after_typing(site, "your words", "")
    assert "there is no pair to merge" in text_after_typing(site, "your words", "a b c")
    words = text_after_typing(site, "your words", "route 66")
    assert "use only the letters a to z and spaces" in words
    assert site.read(MERGE, "letters")[0] == 5
    words = text_after_typing(site, "your words", "Żółw łódź")
    assert "8 letters in 2 tokens: zolw | lodz" in words


def test_a_bar_chooses_a_number_of_merges(site: Site) -> None:
    text_after_typing(site, "your words", "low low lower lowest")
    text_after_typing(site, "a new word", "slower")
    site.figure(MERGE).get_by_role("button", name="6", exact=True).click()
    site.settle()
    assert site.read(MERGE, "merges")[0] == 6
    assert "low | low | lower | lowest" in site.figure(MERGE).inner_text()
    assert "The new word: s lower" in site.figure(MERGE).inner_text()

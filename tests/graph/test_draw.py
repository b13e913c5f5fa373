"""`draw`: well-formed SVG with every node, the same each time, described in words."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import nnlib
from nnlib.graph import trace

SVG = "{http://www.w3.org/2000/svg}"


def neuron(w, b, x):
    return {"a": (w * x + b).sigmoid()}


def graph():
    one = nnlib.tensor(1.0)
    return trace(neuron, w=one, b=one, x=one)


def test_every_node_is_a_box_and_every_use_a_line():
    root = ET.fromstring(graph().draw())
    boxes = [g for g in root.iter(f"{SVG}g") if g.find(f"{SVG}rect") is not None]
    assert len(boxes) == len(graph().steps) == 6
    assert len(list(root.iter(f"{SVG}path"))) == 5
    assert [t.text for t in root.iter(f"{SVG}text")] == ["w", "b", "x", "×", "+", "a = σ"]


def test_boxes_do_not_overlap_and_lines_run_forwards():
    def wide(a, b):
        return {"y": (a * b + a / b - b) * (a + 1) + (b * b + a).tanh() * a}

    root = ET.fromstring(trace(wide, a=nnlib.ones(2), b=nnlib.ones(2)).draw())
    corners = [(int(r.get("x")), int(r.get("y"))) for r in root.iter(f"{SVG}rect") if r.get("x")]
    assert len(set(corners)) == len(corners)
    for i, (x, y) in enumerate(corners):
        assert not any(abs(x - u) < 92 and abs(y - v) < 40 for u, v in corners[:i])
    for path in root.iter(f"{SVG}path"):
        numbers = [int(n) for n in path.get("d").replace("C", " ").replace("M", "").split()]
        assert numbers[0] < numbers[-2]


def test_values_are_shown_if_inputs_are_given():
    texts = [t.text for t in ET.fromstring(
        graph().draw({"w": 2.0, "b": -1.0, "x": 0.5})).iter(f"{SVG}text")]  # fmt: skip
    assert "0.5" in texts and texts.count("1") == 1 and texts.count("0") == 1


def test_the_picture_is_deterministic_and_described_in_words():
    assert graph().draw() == graph().draw() == graph().draw()._repr_svg_()
    root = ET.fromstring(graph().draw())
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text == "Graph from w, b, x to a: 3 operations"
    assert "a: sigmoid of add 4." in root.find(f"{SVG}desc").text


def test_names_are_escaped():
    drawn = trace(lambda x: {"<script>": x + 1}, x=nnlib.tensor(1.0)).draw()
    assert "<script>" not in drawn
    ET.fromstring(drawn)

"""Python, the page's types and the documentation agree with the grammar's schema."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import make_grammar
import numpy as np
import pytest

import nnlib
from nnlib import live
from nnlib.live import schema
from nnlib.live.mark import Mark
from tests.live import gallery

FRONTEND = Path(__file__).resolve().parents[2] / "frontend" / "figures" / "src"
ONE = np.zeros(1)
# fields that are filled in when the figure is recorded
FILLED_WHEN_RECORDED = {"axes": {"fit", "limits_from_marks"}, "dag": {"backward"}}
FOR_PYTHON = {"dag": {"of"}}  # fields that Python converts into others


def parts() -> dict[str, live.Part]:
    """Every kind of mark, view and component, with as few arguments as it accepts."""
    neurons = [live.neuron("a", 0), live.neuron("b", 1)]
    examples = [
        live.curve(ONE, ONE), live.points(np.zeros((1, 2))), live.handle(0, 0, drag="p"),
        live.line(x=0), live.segments(ONE, ONE, ONE, ONE), live.arrows(ONE, ONE, ONE, ONE),
        live.bars(ONE), live.area(ONE, ONE), live.contour(np.eye(2), (0, 1), (0, 1)),
        live.heat(np.eye(2), (0, 1), (0, 1)), live.label("a", 0, 0),
        live.axes(), live.row(), live.column(), live.readout("a"), live.meter("m", 0),
        live.formula("x"), live.button("b", set={}), live.toggles(["a"], "m"), live.control("w"),
        live.training_controls(), live.images(np.eye(2)), *neurons, live.edge("a", "b"),
        live.network(neurons, [live.edge("a", "b")]), live.dag({"a": {}}), live.sequence("word"),
        live.predict("?", name="p"), live.question("?", answer=1.0),
        live.question("?", ["a", "b"], answer="a"),
    ]  # fmt: skip
    examples.append(live.Part("quiz", {"questions": []}))
    return {part.kind: part for part in examples}


def test_generated_files_agree_with_the_schema():
    assert make_grammar.main(["--check"]) == 0, (
        "run python tools/make_grammar.py and make frontend: the page's types and "
        "docs/view-schema.md differ from nnlib/live/view.schema.json"
    )


def test_pythons_parts_have_the_schemas_fields():
    for kind, part in parts().items():
        listed = set(schema.definitions()[kind]["properties"]) - {"kind"}
        fields = set(part.fields) - FOR_PYTHON.get(kind, set())
        fields |= FILLED_WHEN_RECORDED.get(kind, set())
        assert fields == listed, f"live.{kind} and the schema differ"


def test_python_makes_every_kind_of_the_schema():
    known = {*schema.kinds("mark"), *schema.kinds("view"), *schema.kinds("input")}
    controls = {i["control"] for f in gallery.figures() for i in f.spec["inputs"].values()}
    missing = known - {"number"} - set(parts()) - controls
    assert missing == set(), f"parts() above, or the gallery, makes no {missing}"
    assert live.number(1.0).kind == "number"
    assert set(Mark.kinds) == set(schema.kinds("mark")), "a mark's class is missing, or its entry"


def code_in(folder: Path) -> str:
    """The code of all modules in a folder, or the empty string if there is no such folder."""
    return "".join(path.read_text("utf8") for path in sorted(folder.glob("*.ts")))


def module_of(kind: str) -> str:
    """The page's code that reads a kind's fields."""
    for path in [*FRONTEND.glob("marks/*.ts"), *FRONTEND.glob("*.ts")]:
        code = path.read_text("utf8")
        if not re.search(rf"\b{kind}: (Make|Builder)<", code):
            continue
        code += code_in(path.with_suffix(""))
        if path.parent.name == "marks":  # marks share the code for lines
            code += (FRONTEND / "marks" / "mark.ts").read_text("utf8")
        return re.sub(r"^import .*?;$|//.*?$", "", code, flags=re.M | re.S)
    raise AssertionError(f"no module of the page makes {kind!r}")


def test_the_page_reads_every_field_of_the_schema():
    read_for_all = {"kind", "control", "when"}  # read by code that all parts share
    read_with = {"row": "readout", "column": "readout", "neuron": "network", "edge": "network",
             "node": "dag", "choice_question": "quiz", "number_question": "quiz"}  # fmt: skip
    modules = ("controls.ts", "paint.ts", "scene.ts")
    of_inputs = "".join((FRONTEND / name).read_text("utf8") for name in modules)
    of_inputs += code_in(FRONTEND / "paint")
    code = {kind: module_of(read_with.get(kind, kind)) for kind in parts() if kind != "training"}
    fields = {kind: schema.definitions()[kind] for kind in code}
    code |= {f"input {kind}": of_inputs for kind in schema.kinds("input")}
    fields |= {f"input {kind}": definition for kind, definition in schema.kinds("input").items()}
    for kind, source in code.items():
        for field in set(fields[kind]["properties"]) - read_for_all:
            assert re.search(rf"\b{field}\b", source), f"the page never reads {field!r} of {kind}"


DAMAGED = [
    (("view", "kind"), "readuot", "'readuot' is not one of axes, row"),
    (("title",), 3, "title: 3 is not text"),
    (("inputs", "w", "min"), "low", "inputs, w, slider, min: 'low' is not a number"),
    (("inputs", "w", "step"), 0, "0 is not more than 0"),
    (("inputs", "w", "dtype"), "float16", "'float16' is not one of 'float32'"),
    (("inputs", "w", "width"), 3, "there is no field 'width'"),
    (("view", "items", 0, "marks", 0, "width"), True, "curve, width: True is not a number"),
    (("view", "items", 0, "marks", 0, "x"), {"ref": ""}, "the text is empty"),
    (("view", "items", 0, "xlim"), [0], "1 entries were given; 2 to 2 are allowed"),
    (("view", "items", 0, "marks", 0, "x"), {"shape": [1], "data": ["1"]}, "'1' is not a number"),
    (("version",), True, "True is not 1"),
]


def line_figure() -> live.Figure:
    x = nnlib.linspace(0, 1, 3)
    view = [live.axes(live.curve(x, "y"), xlabel="x"), "w = {w:.1f}"]
    return live.figure(lambda w: {"y": w * x}, w=(0.0, 1.0), view=view, title="A line")


@pytest.mark.parametrize(("path", "value", "message"), DAMAGED)
def test_a_value_that_the_schema_does_not_allow_is_refused_with_its_path(path, value, message):
    spec = json.loads(json.dumps(line_figure().spec))
    schema.check(spec)
    part = spec
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    with pytest.raises(ValueError, match=re.escape(message)):
        schema.check(spec)
    schema_json = json.loads(schema.PATH.read_text("utf8"))
    assert not jsonschema.Draft202012Validator(schema_json).is_valid(spec), "the two checks differ"


def test_the_schema_is_valid_and_allows_the_gallery():
    schema_json = json.loads(schema.PATH.read_text("utf8"))
    jsonschema.Draft202012Validator.check_schema(schema_json)
    validator = jsonschema.Draft202012Validator(schema_json)
    for figure in gallery.figures():
        schema.check(figure.spec)
        error = next(validator.iter_errors(json.loads(json.dumps(figure.spec))), None)
        assert error is None, f"{figure}: {error}"


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: live.axes(yscale="logarithmic"), "axes, yscale: 'logarithmic' is not one of"),
        (lambda: live.axes(live.curve(ONE, ONE, width="thick")), "curve, width: 'thick' is not"),
        (lambda: live.readout("a", size="huge"), "readout, size: 'huge' is not one of"),
        (lambda: live.images(np.eye(2), colors="grey"), "images, colors: 'grey' is not one of"),
    ],
)
def test_a_wrong_field_is_named_to_the_figures_author(build, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        live.figure(view=[build()], title="Wrong")


def test_a_stored_training_step_does_not_depend_on_the_order_of_hashes():
    def step(w, b):
        return {"loss": (w * b).sum(), "b": b + 1, "w": w + b}

    plan = live.training(step, {"w": 1.0, "b": 2.0}, track=["b"])
    figure = live.figure(training=plan, view=["{w:.1f}"], title="Order")
    graph = figure.spec["training"]["programs"][""]
    assert [o["name"] for o in graph["outputs"]] == ["new_w", "new_b", "new_loss"]


def test_numpys_numbers_and_labels_that_are_numbers_are_accepted():
    view = [
        live.axes(live.bars(np.ones(3), labels=[0, 1, 2]), width=400.5, xlim=(np.int64(-1), 3)),
        live.images(np.eye(2), labels=range(1), row_labels=[0, 1], pixel=np.float32(8)),
    ]
    step = live.training(
        lambda w: {"w": w / 2, "loss": w}, {"w": 8.0}, seed=np.int64(3), max_steps=1e3
    )
    figure = live.figure(
        view=view, training=step, title="Numbers", k=(np.float32(0), np.float32(1)),
        n=live.number(np.float64(2), min=np.float32(0)),
    )  # fmt: skip
    json.dumps(figure.spec)
    assert figure.spec["view"]["items"][0]["marks"][0]["labels"] == ["0", "1", "2"]
    assert figure.spec["training"]["max_steps"] == 1000
    assert figure.values == {"k": 0.5, "n": 2.0, "w": 8.0}


def test_the_pages_scripts_use_the_schemas_types_without_casts():
    for path in FRONTEND.rglob("*.ts"):
        cast = re.search(r"\bas (unknown as )?(readonly )?[A-Z]\w*Spec\b", path.read_text("utf8"))
        assert cast is None, f"{path.name} casts a part: {cast[0]}"

"""The parts of a figure, each tested alone: its inputs, its assembled spec, its trainer."""

from __future__ import annotations

import numpy as np
import pytest

import nnlib
from nnlib import live
from nnlib.live.assembly import assemble
from nnlib.live.controls import as_control
from nnlib.live.inputs import Inputs
from nnlib.live.programs import call
from nnlib.live.trainer import Trainer


def inputs_of(**abbreviations) -> Inputs:
    controls = {name: as_control(value, name) for name, value in abbreviations.items()}
    return Inputs(controls, "float32")


def test_a_value_is_converted_to_json_to_an_argument_and_back():
    grid = np.eye(2)
    inputs = inputs_of(
        w=(0.0, 2.0), k=(0, 4), g=["relu", "tanh"], rate={"slow": 0.1, "fast": 1.0},
        grid=live.values(grid), word=live.text("ada", max_length=4),
    )  # fmt: skip
    values = {"w": 1.5, "k": 3, "g": "tanh", "rate": 1.0, "grid": 2 * grid, "word": "da"}
    as_json = {name: inputs.json_value(name, value) for name, value in values.items()}
    assert as_json == {"w": 1.5, "k": 3, "g": 1, "rate": 1, "grid": [2.0, 0.0, 0.0, 2.0],
                       "word": "da"}  # fmt: skip
    for name, value in values.items():
        assert np.array_equal(inputs.reader_value(name, as_json[name]), value), name
    arguments = inputs.arguments(as_json)
    assert arguments["g"] == "tanh" and arguments["rate"].item() == 1.0
    assert arguments["k"].dtype is nnlib.int64 and arguments["w"].dtype is nnlib.float32
    assert arguments["word"].tolist() == [3, 0, 26, 26] and arguments["word_length"].item() == 2
    assert arguments["grid"].tolist() == (2 * grid).tolist()


def test_inputs_refuse_an_unknown_name_an_unknown_option_and_another_shape():
    inputs = inputs_of(g=["relu", "tanh"], grid=live.values(np.eye(2)))
    with pytest.raises(KeyError, match="inputs are g, grid"):
        inputs.control("h")
    with pytest.raises(ValueError, match="not one of the options"):
        inputs.json_value("g", "sine")
    with pytest.raises(ValueError, match=r"shape \(2, 2\)"):
        inputs.json_value("grid", [1.0])


def test_static_inputs_make_a_program_for_each_combination():
    inputs = inputs_of(w=1.0, g=["relu", "tanh"], flag=False)
    assert inputs.static == ["g", "flag"]
    combinations = dict(inputs.combinations(inputs.static))
    assert list(combinations) == ["0,0", "0,1", "1,0", "1,1"]
    assert combinations["1,0"] == {"g": "tanh", "flag": False}
    too_many = inputs_of(**{name: list("abcde") for name in "xyz"})
    with pytest.raises(ValueError, match="make 125 programs; at most 64"):
        too_many.combinations(too_many.static)


def test_a_spec_is_assembled_without_a_widget():
    view = [live.axes(live.curve([0.0, 1.0], lambda p: 2 * p)), "{p[0]:.1f}"]
    figure = assemble(lambda w: {"p": w * nnlib.ones(2), "unseen": w}, inputs_of(w=1.0), view, None)
    outputs = [o["name"] for o in figure.spec["programs"][""]["outputs"]]
    assert outputs == ["p", "_0"], "what the view does not show is not recorded"
    assert figure.lookup({"ref": "_0"}).tolist() == [2.0, 2.0]
    assert figure.lookup({"ref": "p", "at": [1]}) == 1.0
    assert figure.lookup({"ref": "history_loss"}) is None
    axes = figure.spec["view"]["items"][0]
    assert axes["fit"] == ["xlim", "ylim"] and axes["xlim"] == [0.0, 1.0]


def test_a_trainer_takes_the_steps_that_it_records():
    def step(w, rate, batch):
        return {"w": w - rate * 2 * w, "loss": w * w, "seen": batch[0]}

    plan = live.training(step, {"w": 8.0}, data={"x": np.arange(6.0)}, batch=2, track=["seen"])
    inputs = inputs_of(rate=0.25, w=live.values(8.0))
    trainer = Trainer(plan, inputs)
    assert {"step", "history_seen"} <= trainer.names
    run = trainer.run(3, None, inputs.initial)
    assert run["w"] == 1.0 and run["loss"].tolist() == [64.0, 16.0, 4.0]
    graph = trainer.spec(inputs.arguments(inputs.initial))["programs"][""]
    assert [o["name"] for o in graph["outputs"]] == ["new_w", "new_loss", "new_seen"]


def test_a_function_is_called_with_the_values_that_its_parameters_name():
    assert call(None, {"w": 1}, "it") == {}
    assert call(lambda w: {"twice": 2 * w}, {"w": 3, "v": 0}, "it")["twice"].item() == 6
    with pytest.raises(TypeError, match="it must return a dict"):
        call(lambda w: w, {"w": 3}, "it")

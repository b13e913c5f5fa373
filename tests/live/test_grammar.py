"""The figure grammar in Python: abbreviations, references, errors, the widget, the static picture."""

from __future__ import annotations

import json

import numpy as np
import pytest

import nnlib
from nnlib import live
from nnlib.live import random
from nnlib.live.controls import as_control


def double(w):
    return {"double": 2 * w}


@pytest.mark.parametrize(
    ("abbreviation", "kind", "value"),
    [
        ((0.0, 10.0, 0.5), "slider", 5.0),
        ((0, 10), "slider", 5),
        (2.0, "slider", 2.0),
        (True, "checkbox", True),
        (["a", "b"], "dropdown", 0),
        ({"one": 1, "two": 2}, "dropdown", 0),
        (np.zeros((2, 3)), "array", None),
        ([[1, 2], [3, 4]], "array", None),
    ],
)
def test_abbreviations_follow_interact(abbreviation, kind, value):
    control = as_control(abbreviation, "x")
    assert control.kind == kind
    if value is not None:
        assert control.value == value


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: live.figure(double, w=1.0, view=["{doubel:.2f}"]), "Did you mean 'double'"),
        (lambda: live.figure(double, v=1.0), "takes 'w'"),
        (lambda: live.figure(lambda w: w, w=1.0), "must return a dict"),
        (lambda: live.figure(lambda w: {"w": w}, w=1.0), "both inputs and outputs"),
        (lambda: live.figure(double, w="word"), "live.text"),
        (lambda: live.figure(double, w=(1, 2, 3, 4)), r"\(min, max\)"),
        (lambda: live.slider(3, 1), "min < max"),
        (lambda: live.slider(0, 1, value=4), "is outside"),
        (lambda: live.slider(0, 1, log=True), "min > 0"),
        (lambda: live.text("Zoë"), "lacks"),
        (lambda: live.paint((3, 3), np.zeros((2, 2))), "shape"),
        (lambda: live.axes("p"), "take marks"),
        (lambda: live.line(), "by nothing"),
        (lambda: live.points(np.zeros((3, 2)), drag=True), "that input's name"),
        (lambda: live.network([live.neuron(1, 0)], [live.edge(1, 2)]), "ends at '2'"),
        (lambda: live.question("?", ["a"], answer="b"), "not one of the choices"),
        (lambda: live.training(double, {}), "needs a state"),
        (lambda: live.figure(double, w=1.0, view=[live.handle("w", 0, drag=lambda x: {"q": x})]),
         "sets \\['q'\\]"),
        (lambda: live.dropdown([np.zeros(2), np.zeros(3)]), "shapes differ"),
    ],
)  # fmt: skip
def test_errors_state_what_was_needed(build, message):
    with pytest.raises((ValueError, TypeError), match=message):
        build()


def test_static_inputs_are_python_values_and_each_combination_has_a_program():
    calls = []

    def f(w, g, flag):
        calls.append((g, flag))
        return {"y": (w.tanh() if g == "tanh" else w.relu()) + (1 if flag else 0)}

    figure = live.figure(f, w=1.0, g=["tanh", "relu"], flag=False, view=["{y:.2f}"])
    assert set(figure.spec["programs"]) == {"0,0", "0,1", "1,0", "1,1"}
    assert set(calls) == {("tanh", False), ("tanh", True), ("relu", False), ("relu", True)}
    assert figure.outputs(g="relu", flag=True, w=-3.0)["y"] == 1


def test_a_traced_number_may_be_an_index():
    rows = nnlib.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    figure = live.figure(lambda i: {"row": rows[i]}, i=(0, 2), view=["{row[1]:.1f}"])
    ops = [n["op"] for n in figure.spec["programs"][""]["nodes"]]
    assert "index" in ops


def test_values_traits_and_items_stay_equal():
    figure = live.figure(double, w=(0.0, 10.0), view=["{double:.1f}"])
    changes = []
    figure.observe(lambda change: changes.append(change.new), "w")
    figure["w"] = 2.5
    assert figure.w == 2.5 and figure.values["w"] == 2.5 and changes == [2.5]
    figure.w = 4.0
    assert figure["w"] == 4.0 and figure.values == {"w": 4.0}
    figure.values = {"w": 6.0}
    assert figure.w == 6.0
    assert figure.outputs()["double"] == 12 and figure.outputs(w=1.0)["double"] == 2


def test_arrays_keep_their_shape_and_refuse_another():
    figure = live.figure(lambda W: {"s": W.sum()}, W=live.values(np.ones((2, 2))), view=["{s:.1f}"])
    figure["W"] = [[1, 2], [3, 4]]
    assert figure["W"].tolist() == [[1, 2], [3, 4]] and figure.outputs()["s"] == 10
    with pytest.raises(ValueError, match=r"shape \(2, 2\)"):
        figure["W"] = [1, 2, 3]


def test_equal_figures_have_equal_specs_and_different_model_ids():
    def make():
        return live.figure(double, w=(0.0, 10.0), view=["{double:.1f}"], title="Stable", alt="a")

    first, second = make(), make()
    assert repr(first) == "Figure('Stable')" == repr(second)
    assert json.dumps(first.spec) == json.dumps(second.spec)
    assert first.model_id != second.model_id
    mimebundle = first._repr_mimebundle_()
    bundle = mimebundle[0] if isinstance(mimebundle, tuple) else mimebundle
    assert bundle["text/plain"] == "Figure('Stable')"
    assert "10.0" in bundle["text/html"] and "0x" not in bundle["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_the_fallback_draws_axes_and_escapes_text():
    figure = live.figure(
        lambda w: {"y": w * nnlib.arange(5).to(nnlib.float32)},
        w=(0.0, 2.0),
        view=[live.axes(live.curve(np.arange(5), "y"), live.points(np.eye(2), [0, 1]), xlabel="<x>")],
        title="<b>bold</b>", alt='an "arrow" & more', caption="1 < 2",
    )  # fmt: skip
    html = figure.html()
    assert "<svg" in html and "<path" in html and "<circle" in html
    assert "<b>" not in html and "&lt;x&gt;" in html and "&quot;arrow&quot;" in html
    assert len(html) < 6000


def test_large_constants_are_stored_once():
    big = nnlib.tensor(np.random.default_rng(0).normal(size=1000).astype("float32"))
    figure = live.figure(
        lambda w, g: {"y": (big * w).sum() if g == "sum" else (big * w).mean()},
        w=1.0, g=["sum", "mean"], view=["{y:.1f}"],
    )  # fmt: skip
    assert len(figure.spec["pool"]) == 1
    assert json.dumps(figure.spec).count(figure.spec["pool"][0]) == 1


def test_dag_states_name_forward_and_backward_steps():
    states = live.dag_states(lambda a, b: a * b, a=2.0, b=3.0)
    assert states == ["start", "a", "b", "mul", "d/d mul", "d/d b", "d/d a"]


def test_random_numbers_never_change():
    assert random.uniform(5, 0, 2).tolist() == [0.8317984975874424, 0.22550416411831975]
    assert sorted(random.permutation(3, 7, 10).tolist()) == list(range(10))
    normal = random.normal(1, 2, 20_000)
    assert abs(normal.mean()) < 0.03 and abs(normal.std() - 1) < 0.03


def test_a_training_step_without_a_loss_is_refused():
    with pytest.raises(ValueError, match=r"lacks \['loss'\]"):
        live.figure(
            lambda w: {"y": w}, view=[live.loss_curve()],
            training=live.training(lambda w: {"w": w}, {"w": 1.0}),
        )  # fmt: skip


def test_training_in_python_descends_and_repeats():
    def step(w, lr):
        w = w.detach().requires_grad_(True)
        loss = ((w - 3) ** 2).sum()
        (g,) = nnlib.autograd.grad(loss, [w])
        return {"w": w - lr * g, "loss": loss}

    figure = live.figure(
        lambda w: {"total": w.sum()}, lr=live.slider(0.01, 1, value=0.1),
        training=live.training(step, {"w": live.normal(3)}, seed=2), view=["{total:.2f}"],
    )  # fmt: skip
    run = figure.train(50)
    assert run["loss"][-1] < 1e-3 < run["loss"][0]
    assert figure.train(50)["loss"].tolist() == run["loss"].tolist()
    assert figure.train(5, seed=3)["loss"][0] != run["loss"][0]


def test_controls_keep_the_authors_order_even_if_a_page_sorts_keys() -> None:
    figure = live.figure(lambda w0, w, b: {"z": w0 + w + b}, w0=1.0, w=2.0, b=3.0, view=["{z:.1f}"])
    assert figure.spec["order"] == ["w0", "w", "b"]


@pytest.mark.parametrize("shape", [(3,), (3, 4), (40, 40)])
def test_a_recorded_graph_shows_the_shape_of_a_constant_array(shape: tuple[int, ...]) -> None:
    c = nnlib.ones(*shape)
    figure = live.figure(w=1.0, view=live.dag(of=lambda w: (w * c).sum()), title="graph")
    labels = [node["label"] for node in figure.spec["view"]["items"][0]["nodes"]]
    assert labels == ["w", str(shape), "mul", "sum"]


def test_the_fallback_draws_the_recorded_graph_with_values_up_to_its_step():
    def f(a, b):
        return (a * b + a).tanh()

    states = live.dag_states(f, a=1.0, b=1.0)
    figure = live.figure(
        None, a=live.slider(-2.0, 2.0, value=0.5), b=live.slider(-2.0, 2.0, value=2.0),
        t=live.stepper(states, value=3), view=[live.dag(of=f, step="t")], title="graph", alt="A graph.",
    )  # fmt: skip
    html = figure.html()
    assert 'role="img" aria-label="A graph."' in html
    assert all(f">{words}<" in html for words in ("a = 0.5", "b = 2", "mul = 1", "add", "tanh"))

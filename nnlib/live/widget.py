"""Figure: the widget of a live figure, which also works without a kernel."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import numpy as np
import traitlets

from nnlib.live import schema
from nnlib.live.asking import quiz_view
from nnlib.live.assembly import FUNCTION, assemble
from nnlib.live.controls import Control, as_control
from nnlib.live.fallback import fallback_html
from nnlib.live.inputs import Inputs
from nnlib.live.library import LOADER, build, shared_library
from nnlib.live.parts import Part, array
from nnlib.live.programs import call
from nnlib.live.saving import module, page
from nnlib.live.trainer import Trainer
from nnlib.live.training_plan import Training

FORMAT, VERSION = "nnlib.live", 1
_counts: Counter[str] = Counter()  # figures made so far, by name


def slug(words: str) -> str:
    """Words as a name for links and identifiers: lower case, with hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:40] or "figure"


class Figure(anywidget.AnyWidget):
    """A live figure.  Make one with `live.figure`.

    `fig["w"]` reads and sets an input, and `fig.observe(f, "values")` calls f at every change.
    Inputs that are single values are also traits (`fig.w`, `fig.observe(f, "w")`, `jslink`).
    `fig.outputs()` computes in Python what the page shows, and `fig.train(200)` trains as the page
    does.

    >>> from nnlib import live
    >>> figure = live.figure(lambda z: {"p": z.sigmoid()}, z=(-6.0, 6.0), view=["p = {p:.2f}"])
    >>> figure.values
    {'z': 0.0}
    """

    _esm = LOADER
    build = traitlets.Unicode().tag(sync=True)
    spec = traitlets.Dict().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)
    library = traitlets.Instance(ipywidgets.Widget, allow_none=True).tag(
        sync=True, **ipywidgets.widget_serialization
    )

    def __init__(
        self,
        fn: Callable | None = None,
        *,
        view: Any = None,
        title: str | None = None,
        caption: str | None = None,
        alt: str | None = None,
        name: str | None = None,
        training: Training | None = None,
        dtype: str = "float32",
        inputs: Mapping[str, Any] | None = None,
        **more: Any,
    ):
        self._fn, self._training = fn, training
        self._title = title or name or "figure"
        controls = {k: as_control(v, k) for k, v in {**(inputs or {}), **more}.items()}
        if training is not None:
            for key, first in training.initial(training.seed).items():
                controls.setdefault(key, Control("array", first))
        self._inputs = Inputs(controls, dtype)
        self._trainer = Trainer(training, self._inputs) if training is not None else None
        self._assembled = assemble(fn, self._inputs, view, self._trainer)
        heading = {"title": title, "caption": caption, "alt": alt or caption or title}
        spec: dict[str, Any] = {
            "format": FORMAT,
            "version": VERSION,
            "name": name or slug(self._title),
        }
        spec |= {k: v for k, v in heading.items() if v}
        spec |= self._assembled.spec
        schema.check(spec)
        earlier = _counts[spec["name"]]
        _counts[spec["name"]] += 1
        identity = f"nnlib-live-{spec['name']}" + (f"-{earlier + 1}" if earlier else "")
        super().__init__(
            spec=spec,
            values={k: i["value"] for k, i in spec["inputs"].items()},
            build=build(),
            library=shared_library(),
            model_id=identity,
            layout=ipywidgets.Layout(model_id=f"{identity}-layout"),
        )
        self._add_number_traits()

    # inputs ------------------------------------------------------------------------------------

    def _add_number_traits(self) -> None:
        """Makes each single value a trait too, always equal to its entry of `values`."""
        names = [
            k
            for k, i in self.spec["inputs"].items()
            if not isinstance(i["value"], list) and not hasattr(self, k)
        ]
        self.add_traits(**{k: traitlets.Any(self.values[k]).tag(sync=True) for k in names})
        for k in names:
            self.set_trait(k, self.values[k])

        def from_trait(change: Any) -> None:
            if self.values.get(change.name) != change.new:
                self.values = {**self.values, change.name: change.new}

        def from_values(change: Any) -> None:
            for k in names:
                if k in change.new and getattr(self, k) != change.new[k]:
                    setattr(self, k, change.new[k])

        if names:
            self.observe(from_trait, names)
            self.observe(from_values, "values")

    def __getitem__(self, name: str) -> Any:
        """The value of an input: a number, a string, an option, or an array."""
        self._inputs.control(name)  # raises KeyError, which lists the inputs, for an unknown name
        return self._inputs.reader_value(name, self.values[name])

    def __setitem__(self, name: str, value: Any) -> None:
        self.values = {**self.values, name: self._inputs.json_value(name, value)}

    # computing in Python -----------------------------------------------------------------------

    def train(self, steps: int, seed: int | None = None, **inputs: Any) -> dict[str, Any]:
        """Trains in Python as the page does; returns `{"loss": all losses}` and the final state.

        Raises ValueError if the figure has no training.

        >>> from nnlib import live
        >>> def step(w, alpha):
        ...     loss = (w - 3) ** 2
        ...     return {"w": w - alpha * 2 * (w - 3), "loss": loss}
        >>> descent = live.training(step, {"w": 0.0})
        >>> figure = live.figure(alpha=(0.0, 1.0), training=descent, view=["w = {w:.2f}"])
        >>> figure.train(2, alpha=0.5)["loss"]
        array([9., 0.])
        """
        if self._trainer is None:
            raise ValueError("this figure has no training: give it training=live.training(…).")
        changed = {k: self._inputs.json_value(k, v) for k, v in inputs.items()}
        return self._trainer.run(steps, seed, {**self._inputs.initial, **changed})

    def outputs(self, **inputs: Any) -> dict[str, np.ndarray]:
        """The function's outputs for the figure's current inputs, or for those given.

        >>> from nnlib import live
        >>> figure = live.figure(lambda z: {"p": z.sigmoid()}, z=(-6.0, 6.0), view=["p = {p:.2f}"])
        >>> figure.outputs(z=0.0)
        {'p': array(0.5, dtype=float32)}
        """
        changed = {k: self._inputs.json_value(k, v) for k, v in inputs.items()}
        results = call(self._fn, self._inputs.arguments({**self.values, **changed}), FUNCTION)
        return {k: array(v) for k, v in results.items()}

    # showing -----------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"Figure({self._title!r})"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        base = super()._repr_mimebundle_(**kwargs)
        bundle, metadata = base if isinstance(base, tuple) else (base, {})
        if bundle is None:
            return None
        bundle = {**bundle, "text/plain": repr(self), "text/html": self.html()}
        return (bundle, metadata) if isinstance(base, tuple) else bundle

    def html(self) -> str:
        """The static picture of the initial state, with caption and alternative text.

        >>> from nnlib import live
        >>> figure = live.figure(lambda z: {"p": z.sigmoid()}, z=(-6.0, 6.0), view=["p = {p:.2f}"])
        >>> "p = 0.50" in figure.html()
        True
        """
        return fallback_html(self.spec, self._assembled.lookup, self.model_id)

    def save(self, path: str | Path) -> Path:
        """Writes this figure to a self-contained file, with the inputs' current values.

        `name.html` is a page: it opens from a folder, in an iframe, in a slide. `name.mjs` is an
        ES module with anywidget's interface (`export default {render({model, el})}`), for MyST's
        `{anywidget}` directive, Quarto, Observable and any other page; docs/other-pages.md shows
        each.

        Raises:
            ValueError: the name has another ending.

        >>> import tempfile
        >>> from nnlib import live
        >>> figure = live.figure(lambda z: {"p": z.sigmoid()}, z=(-6.0, 6.0), view=["p = {p:.2f}"])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     print(figure.save(f"{folder}/sigmoid.html").name)
        sigmoid.html
        """
        ending = Path(path).suffix
        if ending not in (".html", ".mjs"):
            raise ValueError(
                f"save: {Path(path).name!r} ends in {ending!r}; a figure is saved as .html (a "
                "page by itself) or .mjs (a module for other pages)."
            )
        return page(self, path=path) if ending == ".html" else module(self, path=path)


def figure(fn: Callable | None = None, **options: Any) -> Figure:
    """A live figure of `fn`.

    - `fn(**inputs)` returns a dict of name → tensor.  It is traced: write it with nnlib's
      operations.
    - every further keyword is an input: `(min, max)`, `(min, max, step)`, a list, a dict, a bool, a
      number, an array, or a control (`live.slider(…)`); use `inputs={…}` for names like `title`.
    - `view`: a list of views (axes, readouts, networks, …), one below the other; a list in it is a
      row.
    - `title`, `caption` (what to try), `alt` (what a reader who cannot see the figure learns).
    - `name`: its name in links (by default, made from the title).  `training`: see `live.training`.
    - `dtype`: the dtype of all inputs that are not integers ("float32", as is nnlib's default).

    >>> import nnlib
    >>> from nnlib import live
    >>> x = nnlib.linspace(-6, 6, 61)
    >>> view = [live.axes(live.curve(x, "p"), ylim=(0, 1)), "w = {w:.1f}"]
    >>> texts = {"title": "A steeper curve", "caption": "Move w until the curve is a step."}
    >>> live.figure(lambda w: {"p": nnlib.sigmoid(w * x)}, w=(-2.0, 2.0, 0.1), view=view, **texts)
    Figure('A steeper curve')
    """
    return Figure(fn, **options)


def quiz(*questions: Part, title: str | None = None, name: str | None = None) -> Figure:
    """Questions that are answered before the answer is shown; see `live.question`.

    >>> from nnlib import live
    >>> ask = live.question("What is σ(0)?", answer=0.5, why="1 / (1 + e⁰) = ½.")
    >>> live.quiz(ask, title="Check")
    Figure('Check')
    """
    return Figure(
        view=[quiz_view(questions)],
        title=title,
        name=name or slug(f"quiz {title or questions[0].fields['question']}"),
        alt="Questions to check what you have understood.",
    )

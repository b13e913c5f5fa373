"""Figure: inputs, one recorded function, a view; a widget that also lives without a kernel."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import numpy as np
import traitlets

from nnlib.live import schema
from nnlib.live.asking import quiz_view
from nnlib.live.controls import Control, as_control
from nnlib.live.limits import fit_axes
from nnlib.live.parts import Compiler, Part, array, numbers, parameters
from nnlib.live.recorded import instrument, names_of
from nnlib.live.recording import Pool, record, tensor
from nnlib.live.still import still_html
from nnlib.live.training import Training
from nnlib.live.views import column, readout

FORMAT, VERSION = "nnlib.live", 1
MAX_PROGRAMS = 64
STATIC = Path(__file__).parent / "static"
_made: Counter[str] = Counter()

# Figures share one copy of the bundle: the first to be shown in a page imports it from `Library`.
_LOADER = """
const key = Symbol.for("nnlib.live.module");
async function load(model) {
  const library = await model.widget_manager.get_model(
    model.get("library").replace("IPY_MODEL_", ""));
  const url = URL.createObjectURL(
    new Blob([library.get("source")], { type: "text/javascript" }));
  try { return await import(url); } finally { URL.revokeObjectURL(url); }
}
export default {
  async render(context) {
    globalThis[key] ??= {};
    const build = context.model.get("build");
    globalThis[key][build] ??= load(context.model);
    return (await globalThis[key][build]).default.render(context);
  },
};
"""


class Library(ipywidgets.Widget):
    """The bundle of the page's half, once for all figures of a kernel."""

    source = traitlets.Unicode().tag(sync=True)


_library: Library | None = None


def _shared_library() -> Library:
    global _library
    if _library is None or _library.comm is None:
        bundle = STATIC / "live.js"
        source = bundle.read_text() if bundle.exists() else ""
        _library = Library(source=source, model_id="nnlib-live-library")
    return _library


def slug(words: str) -> str:
    """A name for links and identifiers."""
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:40] or "figure"


class Figure(anywidget.AnyWidget):
    """A live figure.  Make one by `live.figure`.

    `fig["w"]` reads and sets an input, `fig.observe(f, "values")` sees every change, numbers are
    traits as well (`fig.w`, `fig.observe(f, "w")`, `jslink`), `fig.outputs()` computes in Python
    what the page shows, `fig.train(200)` trains as the page does.

    >>> from nnlib import live
    >>> figure = live.figure(lambda z: {"p": z.sigmoid()}, z=(-6.0, 6.0), view=["p = {p:.2f}"])
    >>> figure.values
    {'z': 0.0}
    """

    _esm = _LOADER
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
        self._fn, self._training, self._dtype = fn, training, dtype
        self._title = title or name or "figure"
        given = {**(inputs or {}), **more}
        self._controls = {k: as_control(v, k) for k, v in given.items()}
        if training is not None:
            for key, first in training.initial(training.seed).items():
                self._controls.setdefault(key, Control("array", first))
        heading = {"title": title, "caption": caption, "alt": alt or caption or title}
        spec: dict[str, Any] = {
            "format": FORMAT,
            "version": VERSION,
            "name": name or slug(self._title),
        }
        spec |= {k: v for k, v in heading.items() if v}
        spec |= self._compile(view)
        schema.check(spec)
        made = _made[spec["name"]]
        _made[spec["name"]] += 1
        identity = f"nnlib-live-{spec['name']}" + (f"-{made + 1}" if made else "")
        super().__init__(
            spec=spec,
            values={k: i["value"] for k, i in spec["inputs"].items()},
            build=_build(),
            library=_shared_library(),
            model_id=identity,
            layout=ipywidgets.Layout(model_id=f"{identity}-layout"),
        )
        self._add_number_traits()

    # inputs ------------------------------------------------------------------------------------

    def _add_number_traits(self) -> None:
        """Each number is a trait too, in step with `values` (what `jslink` and `observe` need)."""
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
        control, value = self._control(name), self.values[name]
        if control.kind == "dropdown":
            return control.options["values"][value]
        if control.kind in ("array", "paint"):
            return np.asarray(value, self._type(control)).reshape(np.shape(control.value))[()]
        return value

    def __setitem__(self, name: str, value: Any) -> None:
        self.values = {**self.values, name: self._plain(name, value)}

    def _control(self, name: str) -> Control:
        if name not in self._controls:
            raise KeyError(f"{name!r} is no input; inputs are {', '.join(self._controls)}.")
        return self._controls[name]

    def _plain(self, name: str, value: Any) -> Any:
        """A value as JSON."""
        control = self._control(name)
        if control.kind == "dropdown":
            labels = control.options["labels"]
            if value in labels:
                return labels.index(value)
            hits = [i for i, v in enumerate(control.options["values"]) if np.array_equal(v, value)]
            if not hits:
                raise ValueError(f"{value!r} is none of the options {labels}.")
            return hits[0]
        if control.kind in ("array", "paint"):
            shape = np.shape(control.value)
            if np.shape(array(value)) != shape:
                raise ValueError(
                    f"{name} has shape {shape}, but was given {np.shape(array(value))}."
                )
            flat = numbers(array(value).astype(self._type(control)))
            return flat if shape else flat[0]
        if control.kind == "text":
            return str(value)
        return bool(value) if control.kind == "checkbox" else array(value).item()

    def _type(self, control: Control) -> str:
        """The dtype in which an input reaches the function."""
        if control.kind == "text":
            return "int64"
        values = np.asarray(
            control.options["values"][0] if control.kind == "dropdown" else control.value
        )
        if control.kind == "array" and values.dtype.kind == "i":
            return "int64"
        kinds = {"b": "bool", "i": "int64", "u": "int64", "f": self._dtype}
        return kinds[values.dtype.kind]

    def _argument(self, name: str, value: Any) -> Any:
        """What the function is handed for an input's JSON value."""
        control = self._controls[name]
        if control.static:
            return control.options["values"][value] if control.kind == "dropdown" else value
        if control.kind == "dropdown":
            return tensor(control.options["values"][value], self._type(control))
        if control.kind == "text":
            return tensor(codes(value, control.options["alphabet"], control.options["length"]))
        shape = np.shape(control.value)
        return tensor(np.asarray(value, dtype=object).astype(self._type(control)).reshape(shape))

    def _arguments(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """All arguments, static ones as Python values and all others as tensors."""
        env = {k: self._argument(k, values[k]) for k in self._controls}
        for k, control in self._controls.items():
            if control.kind == "text":
                env[f"{k}_length"] = tensor(np.asarray(len(values[k]), "int64"))
        return env

    # compiling ---------------------------------------------------------------------------------

    def _compile(self, view: Any) -> dict:
        """Everything of the spec that the function and the view determine."""
        first = {k: self._first(c) for k, c in self._controls.items()}
        self._first_values = first
        env = self._arguments(first)
        outputs = self._call(self._fn, env, "the figure's function")
        clash = sorted(set(outputs) & set(env))
        if clash:
            raise ValueError(
                f"{clash} are inputs and outputs at once: give the outputs other names."
            )
        pseudo = self._pseudo_names()
        settable = [*self._controls, *(["seed"] if self._training else [])]
        compiler = Compiler(lambda: {**env, **outputs, **dict.fromkeys(pseudo, 0.0)}, settable)
        if view is None:
            scalars = [k for k, v in outputs.items() if np.size(array(v)) == 1]
            view = [readout(" · ".join(f"{k} = {{{k}:.4g}}" for k in scalars))] if scalars else []
        if isinstance(view, Part | str):
            view = [view]
        root = column(*view)
        pseudo |= {f"{n}_committed" for n in _predict_names(root)}
        self._dags = instrument(root, env)
        pseudo |= set(names_of(root))
        tree = compiler.part(root)
        self._derived = dict(compiler.derived)
        self._wanted = _references(tree)
        spec: dict[str, Any] = {
            "inputs": {k: self._input_spec(k, c, first[k]) for k, c in self._controls.items()},
            "order": list(self._controls),  # pages may store the figure with its keys sorted
        }
        spec |= self._programs(env, outputs, compiler.drags)
        values = {**env, **outputs, **self._call_derived({**env, **outputs})}
        fit_axes(tree, lambda ref: _look_up(ref, values))
        spec["view"] = tree
        self._initial = values
        if self._training is not None:
            spec["training"] = self._training_spec(env)
        return spec

    def _first(self, control: Control) -> Any:
        if control.kind in ("array", "paint"):
            flat = numbers(np.asarray(control.value).astype(self._type(control)))
            return flat if np.shape(control.value) else flat[0]
        return control.value

    def _pseudo_names(self) -> set[str]:
        """Names that the page itself provides."""
        if self._training is None:
            return set()
        tracked = {f"history_{k}" for k in self._training.track}
        return {"step", "seed", "history_step", "history_loss"} | tracked

    def _call(self, function: Callable | None, env: Mapping[str, Any], role: str) -> dict:
        if function is None:
            return {}
        names = parameters(function, list(env), role)
        made = function(**{k: env[k] for k in names})
        if not isinstance(made, Mapping):
            raise TypeError(
                f"{role} must return a dict of name → tensor, but returned {type(made).__name__}. "
                'Write return {"p": p}.'
            )
        return {k: v if hasattr(v, "detach") else tensor(np.asarray(v)) for k, v in made.items()}

    def _call_derived(self, env: Mapping[str, Any]) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key, function in {**self._derived, **self._dags}.items():
            names = parameters(function, list(env), "a function in the view")
            made = function(**{k: env[k] for k in names})
            if isinstance(made, Mapping):  # a recorded graph gives all its nodes at once
                out.update(made)
            else:
                out[key] = made if hasattr(made, "detach") else tensor(np.asarray(made))
        return out

    def _programs(self, env: dict, outputs: dict, drags: Sequence[Callable]) -> dict:
        """The function recorded once for each combination of static options, and the drags."""
        static = [k for k, c in self._controls.items() if c.static]
        pool, programs = Pool(), {}
        derivable = bool(self._derived or self._dags)
        if self._fn is not None or derivable:
            for key, chosen in self._combinations(static):
                tensors = {k: v for k, v in env.items() if k not in static}

                def run(**arguments: Any) -> dict:
                    scope = {**chosen, **arguments}  # noqa: B023 (called at once)
                    made = self._call(self._fn, scope, "the figure's function")
                    made |= self._call_derived({**scope, **made})
                    return {k: v for k, v in made.items() if k in self._wanted}

                programs[key] = pool.take(record(run, tensors))
        spec: dict[str, Any] = {"choices": static, "programs": programs}
        if drags:
            spec["drags"] = [pool.take(self._record_drag(d, env, static)) for d in drags]
        if pool.items:
            spec["pool"] = pool.items
        return spec

    def _combinations(self, static: Sequence[str]) -> list[tuple[str, dict]]:
        """All choices of static inputs: their key in the spec, the values that they stand for."""
        ranges = [range(self._options(k)) for k in static]
        count = int(np.prod([len(r) for r in ranges])) if ranges else 1
        if count > MAX_PROGRAMS:
            raise ValueError(
                f"{' × '.join(static)} make {count} programs; at most {MAX_PROGRAMS} are recorded. "
                "Pass numbers, or static=False, for some of them."
            )
        made = []
        for picked in itertools.product(*ranges):
            values = {
                k: self._argument(k, bool(i) if self._controls[k].kind == "checkbox" else i)
                for k, i in zip(static, picked, strict=True)
            }
            made.append((",".join(str(i) for i in picked), values))
        return made

    def _options(self, name: str) -> int:
        control = self._controls[name]
        return 2 if control.kind == "checkbox" else len(control.options["labels"])

    def _record_drag(self, function: Callable, env: dict, static: Sequence[str]) -> dict:
        """A drag rule as a graph from x, y and inputs to new values of inputs."""
        tensors = {k: v for k, v in env.items() if k not in static}
        scope = {"x": tensor(np.float32(0.1)), "y": tensor(np.float32(0.2)), **tensors}
        names = parameters(function, list(scope), "a drag's function")

        def run(**arguments: Any) -> dict:
            made = self._call(function, {k: arguments[k] for k in names}, "a drag's function")
            unknown = sorted(set(made) - set(self._controls))
            if unknown:
                raise ValueError(
                    f"a drag sets {unknown}, but inputs are {', '.join(self._controls)}."
                )
            return made

        return record(run, {k: scope[k] for k in names})

    def _input_spec(self, name: str, control: Control, first: Any) -> dict:
        made = {
            "control": control.kind,
            "dtype": "int64" if control.static else self._type(control),
            "shape": list(self._shape(control)),
            "value": first,
            "static": control.static or None,
            "share": control.share,
            "label": control.label,
        }
        options = dict(control.options)
        if control.kind == "dropdown":
            chosen = options.pop("values")
            if not control.static:
                options["values"] = [numbers(v.astype(self._type(control))) for v in chosen]
        spec = {k: v for k, v in {**made, **options}.items() if v is not None}
        return spec

    def _shape(self, control: Control) -> tuple[int, ...]:
        if control.static:
            return ()
        if control.kind == "dropdown":
            return np.shape(control.options["values"][0])
        if control.kind == "text":
            return (control.options["length"],)
        return np.shape(control.value)

    # training ----------------------------------------------------------------------------------

    def _training_env(self, env: Mapping[str, Any], batch: Any = None) -> dict:
        """The step's arguments: inputs and state, and the data (or its batch)."""
        assert self._training is not None
        scope = dict(env)
        for key, value in self._training.data.items():
            values = array(value)
            whole = tensor(values, self._dtype if values.dtype.kind == "f" else str(values.dtype))
            scope[key] = whole if batch is None else whole[batch]
        if batch is not None:
            scope["batch"] = batch
        return scope

    def _step(self, env: Mapping[str, Any], batch: Any = None) -> dict:
        plan = self._training
        assert plan is not None
        scope = self._training_env(env, batch)
        names = parameters(plan.step, list(scope), "the training step")
        made = self._call(plan.step, {k: scope[k] for k in names}, "the training step")
        missing = sorted({*plan.state, plan.loss} - set(made))
        if missing:
            raise ValueError(f"the training step returned {sorted(made)}, but lacks {missing}.")
        for key in plan.state:
            if tuple(made[key].shape) != tuple(env[key].shape):
                raise ValueError(
                    f"the step turns {key} of shape {tuple(env[key].shape)} into "
                    f"{tuple(made[key].shape)}: a state keeps its shape."
                )
        return made

    def _training_spec(self, env: dict) -> dict:
        plan = self._training
        assert plan is not None
        asked = plan.arguments(list(env))
        static = [k for k, c in self._controls.items() if c.static]
        choices = [k for k in static if k in asked]
        tensors = {k: v for k, v in env.items() if k not in static}
        if plan.batch:
            tensors["batch"] = tensor(np.arange(plan.batch))
        keep = dict.fromkeys([*plan.state, plan.loss, *plan.track])
        programs, pool = {}, Pool()
        for key, chosen in self._combinations(choices):

            def run(**arguments: Any) -> dict:
                batch = arguments.pop("batch", None)
                made = self._step({**arguments, **chosen}, batch)  # noqa: B023 (called at once)
                # the state's new values, under other names than the old ones
                return {f"new_{k}": made[k] for k in keep if k in made}

            programs[key] = pool.take(record(run, tensors))
        spec = {**plan.spec(), "loss": f"new_{plan.loss}", "choices": choices, "programs": programs}
        return {**spec, "pool": pool.items} if pool.items else spec

    def train(self, steps: int, seed: int | None = None, **inputs: Any) -> dict[str, Any]:
        """Trains in Python as the page does: `{"loss": array of steps, and the final state}`.

        Raises ValueError where the figure has no training.

        >>> from nnlib import live
        >>> def step(w, alpha):
        ...     loss = (w - 3) ** 2
        ...     return {"w": w - alpha * 2 * (w - 3), "loss": loss}
        >>> descent = live.training(step, {"w": 0.0})
        >>> figure = live.figure(alpha=(0.0, 1.0), training=descent, view=["w = {w:.2f}"])
        >>> figure.train(2, alpha=0.5)["loss"]
        array([9., 0.])
        """
        plan = self._training
        if plan is None:
            raise ValueError("this figure has no training: give it training=live.training(…).")
        seed = plan.seed if seed is None else seed
        env = self._arguments(
            {**self._first_values, **{k: self._plain(k, v) for k, v in inputs.items()}}
        )
        state = {k: tensor(v, self._dtype) for k, v in plan.initial(seed).items()}
        losses = []
        for step in range(steps):
            batch = tensor(plan.batch_at(seed, step)) if plan.batch else None
            made = self._step({**env, **state}, batch)
            state = {k: made[k].detach() for k in plan.state}
            losses.append(array(made[plan.loss]).item())
        return {"loss": np.asarray(losses), **{k: array(v) for k, v in state.items()}}

    def outputs(self, **inputs: Any) -> dict[str, np.ndarray]:
        """What the function computes for the figure's present inputs, or for those given.

        >>> from nnlib import live
        >>> figure = live.figure(lambda z: {"p": z.sigmoid()}, z=(-6.0, 6.0), view=["p = {p:.2f}"])
        >>> figure.outputs(z=0.0)
        {'p': array(0.5, dtype=float32)}
        """
        changed = {k: self._plain(k, v) for k, v in inputs.items()}
        env = self._arguments({**self.values, **changed})
        made = self._call(self._fn, env, "the figure's function")
        return {k: array(v) for k, v in made.items()}

    # showing -----------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"Figure({self._title!r})"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        made = super()._repr_mimebundle_(**kwargs)
        bundle, metadata = made if isinstance(made, tuple) else (made, {})
        if bundle is None:
            return None
        bundle = {**bundle, "text/plain": repr(self), "text/html": self.html()}
        return (bundle, metadata) if isinstance(made, tuple) else bundle

    def html(self) -> str:
        """The static picture of the initial state, with caption and alternative text.

        >>> from nnlib import live
        >>> figure = live.figure(lambda z: {"p": z.sigmoid()}, z=(-6.0, 6.0), view=["p = {p:.2f}"])
        >>> "p = 0.50" in figure.html()
        True
        """
        return still_html(self.spec, lambda ref: _look_up(ref, self._initial), self.model_id)

    def save(self, path: str | Path) -> Path:
        """Writes this figure to a file of its own, with nothing to load from elsewhere.

        `name.html` is a page: it opens from a folder, in an iframe, in a slide. `name.mjs` is an
        ES module with anywidget's contract (`export default {render({model, el})}`), for MyST's
        `{anywidget}` directive, Quarto, Observable and any other page; docs/live.md shows each.
        It shows the inputs' present values.

        Raises:
            ValueError: the name ends otherwise.

        >>> import tempfile
        >>> from nnlib import live
        >>> figure = live.figure(lambda z: {"p": z.sigmoid()}, z=(-6.0, 6.0), view=["p = {p:.2f}"])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     print(figure.save(f"{folder}/sigmoid.html").name)
        sigmoid.html
        """
        from nnlib.live.page import module, page

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
      number, an array, or a control (`live.slider(…)`); `inputs={…}` if a name is taken.
    - `view`: a list of views (axes, readouts, networks, …), one below the other; a list in it is a
      row.
    - `title`, `caption` (what to try), `alt` (what a reader who cannot see it would learn).
    - `name`: its name in links (else made from the title).  `training`: see `live.training`.
    - `dtype`: of all inputs that are not integers ("float32", as nnlib's default).

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
        name=name or slug(f"quiz {title or questions[0].fields['ask']}"),
        alt="Questions to check what you have understood.",
    )


def codes(word: str, alphabet: str, length: int) -> np.ndarray:
    """A word as positions in the alphabet, filled up with the alphabet's length."""
    found = [alphabet.index(c) for c in word if c in alphabet][:length]
    return np.asarray(found + [len(alphabet)] * (length - len(found)), "int64")


def _build() -> str:
    """The bundle's source hash, so that pages never mix two builds."""
    bundle = STATIC / "live.js"
    if not bundle.exists():
        return ""
    head = bundle.read_text()[:400]
    found = re.search(r"sha256 ([0-9a-f]{16})", head)
    return found[1] if found else str(bundle.stat().st_size)


def _predict_names(part: Any) -> set[str]:
    if isinstance(part, Part):
        own = {part.fields["name"]} if part.kind == "predict" else set()
        return own.union(*(_predict_names(v) for v in part.fields.values()))
    if isinstance(part, list | tuple):
        return set().union(*(_predict_names(v) for v in part))
    return set()


def _references(tree: Any) -> set[str]:
    """Every name that a compiled view refers to."""
    if isinstance(tree, dict):
        own = {tree["ref"]} if "ref" in tree else set()
        return own.union(*(_references(v) for v in tree.values()))
    if isinstance(tree, list):
        return set().union(*(_references(v) for v in tree))
    return set()


def _look_up(ref: dict, values: Mapping[str, Any]) -> np.ndarray | None:
    """The initial numbers behind a compiled reference; None for what only the page knows."""
    if "data" in ref:
        return np.asarray([float(v) for v in ref["data"]]).reshape(ref["shape"])
    if ref["ref"] not in values:
        return None
    found = array(values[ref["ref"]])
    if "at" in ref:
        found = found[tuple(slice(None) if i is None else i for i in ref["at"])]
    return np.asarray(found)

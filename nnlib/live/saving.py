"""Saves figures outside the book: as a page of their own, or as a module for other pages."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any, Protocol, TypeGuard

import ipywidgets

from nnlib.live.library import STATIC


class FigureLike(Protocol):
    """The attributes that this module uses of `nnlib.live.widget.Figure`, which imports it."""

    spec: dict
    values: dict

    def html(self) -> str:
        """The static picture."""
        ...


def _is_figure(item: Any) -> TypeGuard[FigureLike]:
    return isinstance(item, ipywidgets.Widget) and item.has_trait("spec")


def page(*items: Any, path: str | Path, title: str | None = None, inline: bool = True) -> Path:
    """Writes figures (and boxes of figures) to an HTML file.

    `inline=True` puts the bundle into the file, which then opens from anywhere; otherwise the page
    loads `live.js` and `live.css` from its own folder, as strict Content-Security-Policies require.

    >>> import tempfile
    >>> from nnlib import live
    >>> figure = live.figure(lambda z: {"p": z.sigmoid()}, z=(-6.0, 6.0), view=["p = {p:.2f}"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     print(live.page(figure, path=f"{folder}/figure.html").name)
    figure.html
    """
    path = Path(path)
    state: dict[str, Any] = {}
    body = []
    for item in items:
        if isinstance(item, str):
            body.append(f"<p>{html.escape(item)}</p>")
            continue
        _collect(item, state)
        if _is_figure(item):
            body.append(item.html())
        else:
            view = {"version_major": 2, "version_minor": 0, "model_id": item.model_id}
            body.append(_script("application/vnd.jupyter.widget-view+json", view))
    widget_state = {"version_major": 2, "version_minor": 0, "state": state}
    first = next((i.spec for i in items if _is_figure(i)), {"name": "figures"})
    name = title or first.get("title") or first["name"]
    if inline:
        css = f"<style>{(STATIC / 'live.css').read_text()}</style>"
        # the closing tag of a script must not occur inside it
        code = (STATIC / "live.js").read_text().replace("</script", "<\\/script")
        script = f'<script type="module">{code}</script>'
    else:
        css = '<link rel="stylesheet" href="live.css">'
        script = '<script type="module" src="live.js"></script>'
        for asset in ("live.js", "live.css"):
            (path.parent / asset).write_bytes((STATIC / asset).read_bytes())
    policy = (
        ""
        if inline
        else '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "script-src 'self'; style-src 'self'; img-src 'self' data: blob:\">"
    )
    path.write_text(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{policy}'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(name)}</title>{css}</head><body class='nn-page'><main>"
        f"{''.join(body)}</main>"
        f"{_script('application/vnd.jupyter.widget-state+json', widget_state)}"
        f"{script}</body></html>",
        encoding="utf-8",
    )
    return path


def module(figure: FigureLike, path: str | Path) -> Path:
    """Writes a figure as an ES module with anywidget's interface.

    Its default export has `render({model, el})`.  Each input of the figure is synchronised with
    the field of that name in the host's model; a page without models calls `render({el})`.

    >>> import tempfile
    >>> from nnlib import live
    >>> figure = live.figure(lambda z: {"p": z.sigmoid()}, z=(-6.0, 6.0), view=["p = {p:.2f}"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     text = module(figure, path=f"{folder}/figure.mjs").read_text()
    >>> text[text.index("export default") :][:30]
    'export default saved({"spec":{'
    """
    path = Path(path)
    code, _, _ = (STATIC / "live.js").read_text("utf8").rpartition("\nexport{")
    state = json.dumps(
        {"spec": figure.spec, "values": figure.values}, separators=(",", ":"), allow_nan=False
    )
    path.write_text(f"{code}\nexport default saved({state});\n", encoding="utf-8")
    return path


def _script(mime_type: str, content: Any) -> str:
    text = json.dumps(content, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    return f'<script type="{mime_type}">{text}</script>'


def _collect(widget: ipywidgets.Widget, state: dict) -> None:
    """Adds the state of a widget and its children to `state`, in the form that notebooks store."""
    values = widget.get_state()
    if _is_figure(widget):
        values = {k: v for k, v in values.items() if k not in ("_esm", "_css", "library")}
        values["_nnlib_live"] = True
    state[widget.model_id] = {
        "model_module": values.get("_model_module", "anywidget"),
        "model_module_version": values.get("_model_module_version", ""),
        "model_name": values.get("_model_name", "AnyModel"),
        "state": {k: v for k, v in values.items() if not k.startswith("_view_count")},
    }
    for child in getattr(widget, "children", ()):
        _collect(child, state)
    layout = getattr(widget, "layout", None)
    if layout is not None and layout.model_id not in state:
        _collect(layout, state)

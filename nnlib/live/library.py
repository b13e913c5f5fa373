"""The page's bundle as a widget: all figures share one copy, identified by its build."""

from __future__ import annotations

import re
from pathlib import Path

import ipywidgets
import traitlets

STATIC = Path(__file__).parent / "static"

# The first figure to be shown in a page imports the bundle from `Library`.
LOADER = """
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
    """The page's bundle, stored once for all figures of a kernel."""

    source = traitlets.Unicode().tag(sync=True)


_library: Library | None = None


def shared_library() -> Library:
    """The kernel's only library, made when it is first needed."""
    global _library
    if _library is None or _library.comm is None:
        bundle = STATIC / "live.js"
        source = bundle.read_text() if bundle.exists() else ""
        _library = Library(source=source, model_id="nnlib-live-library")
    return _library


def build() -> str:
    """The bundle's source hash (else its size), so that pages never mix two builds."""
    bundle = STATIC / "live.js"
    if not bundle.exists():
        return ""
    head = bundle.read_text()[:400]
    match = re.search(r"sha256 ([0-9a-f]{16})", head)
    return match[1] if match else str(bundle.stat().st_size)

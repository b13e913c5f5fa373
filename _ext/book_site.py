"""A Sphinx extension for the site: local assets, live figures, page metadata, no unused files."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from book_assets import ROOT, AssetError, place
from docutils import nodes
from icon_font import make_icon_font, without_unused_icons
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError
from sphinx.util import logging

logger = logging.getLogger(__name__)

BUNDLE = ROOT / "nnlib" / "live" / "static" / "live.js"
STYLES = BUNDLE.with_suffix(".css")
LIBRARY = "nnlib-live-library"  # nnlib.live.library's name for the widget that contains the script
SCRIPTS = ("site.js", "progress.js", "present.js")  # every page loads them
EXPORTS = re.compile(r"export\s*\{([^{}]*)\}\s*;?\s*(//[^\n]*\s*)?$")


def assets_folder(app: Sphinx) -> Path:
    return Path(app.outdir).parent / ".assets"


def hash_of_look() -> str:
    """A hash of all styles, templates and scripts; if it changes, all pages are written again.

    Without it Sphinx would keep the pages with their old styles until a chapter changes.
    """
    digest = hashlib.sha256()
    folders = [ROOT / name for name in ("_static", "_templates", "_ext")]
    files = [path for folder in folders for path in folder.rglob("*")]
    for path in sorted([*files, BUNDLE, STYLES]):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def place_assets(app: Sphinx, config: Config) -> None:
    """Puts the locked assets, the figures' script and the icons beside the book's own static files.

    They get a folder of their own because Jupyter Book links every script that it finds in
    `_static/` on every page.
    """
    folder = assets_folder(app)
    try:
        place(folder)
    except AssetError as error:
        raise ExtensionError(str(error)) from error
    make_icon_font(folder / "fonts" / "book-icons.woff")
    place_figures_script(folder / "live")
    for script in SCRIPTS:
        shutil.copyfile(Path(__file__).with_name(script), folder / script)
    config.book_look = hash_of_look()
    config.html_static_path = [*config.html_static_path, str(folder)]
    base = os.environ.get("BOOK_URL") or config.html_baseurl
    config.html_baseurl = base.rstrip("/") + "/" if base else ""


def add_launch_buttons(app: Sphinx, config: Config) -> None:
    """Adds buttons for Binder, Colab and the repository if BOOK_REPOSITORY names a repository."""
    repository = os.environ.get("BOOK_REPOSITORY", "").rstrip("/")
    if not repository:
        return
    if not re.fullmatch(r"https://[\w.-]+(/[\w.-]+){2,}", repository):
        raise ExtensionError(
            f"BOOK_REPOSITORY is {repository!r}; it needs a repository's full address, such as "
            "https://github.com/somebody/sigmoid-to-sequence"
        )
    config.html_theme_options |= {
        "repository_url": repository,
        "repository_branch": os.environ.get("BOOK_BRANCH", "main"),
        "use_repository_button": True,
        "use_issues_button": True,
        "launch_buttons": {
            "notebook_interface": "jupyterlab",
            "binderhub_url": "https://mybinder.org",
            "colab_url": "https://colab.research.google.com",
        },
    }


def place_figures_script(folder: Path) -> None:
    """Writes the bundle as a classic script, and its styles; leaves it out without mountAll."""
    script = as_classic_script(BUNDLE.read_text("utf8")) if BUNDLE.is_file() else None
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "live.js").unlink(missing_ok=True)
    if script is not None:
        (folder / "live.js").write_text(script, "utf8")
        if STYLES.is_file():
            shutil.copyfile(STYLES, folder / "live.css")


def as_classic_script(module: str) -> str | None:
    """The figures' module as a classic script; None if the module does not export `mountAll`.

    Browsers refuse modules from `file://`, so figures would not work in a book opened from the
    disk; a deferred classic script runs there and everywhere else. The module's exports are
    `nnlibLive` in the page, for its other scripts, for tests and for the console.
    """
    match = EXPORTS.search(module)
    pairs = [(part.split(" as ") * 2)[:2] for part in match[1].split(",")] if match else []
    local = {exported.strip(): name.strip() for name, exported in pairs}
    if "mountAll" not in local:
        return None
    exports = ",".join(f"{exported}:{name}" for exported, name in local.items())
    return f"(() => {{\n{module[: match.start()]}\nglobalThis.nnlibLive={{{exports}}};\n}})();\n"


def shown_widgets(models: dict, page: str) -> set[str]:
    """The widgets that a page shows: those that it names, and all that these refer to."""
    pending = [n for n in models if re.search(rf"(?<![\w-]){re.escape(n)}(?![\w-])", page)]
    shown: set[str] = set()
    while pending:
        name = pending.pop()
        if name in shown:
            continue
        shown.add(name)
        state = json.dumps(models[name]["state"])
        pending += [n for n in re.findall(r"IPY_MODEL_([\w-]+)", state) if n in models]
    return shown


def slim_widget_state(body: str, page: str | None = None) -> str:
    """The widgets' state without the figures' script, which the page loads once by itself.

    In a notebook a widget of its own contains the script (`source`), and each figure a loader
    (`_esm`); here both would only make the page larger. So would a figure that a cell computes
    with but does not show: if `page` is given, widgets that it does not show are left out.
    Constants that several figures contain, such as a model's weights, are written only once,
    as `shared`.
    """
    widget_state = json.loads(body)
    if page is not None:
        shown = shown_widgets(widget_state["state"], page)
        models = widget_state["state"].items()
        widget_state["state"] = {name: model for name, model in models if name in shown}
    slimmed_models = {}
    for name, model in widget_state["state"].items():
        if name == LIBRARY:
            continue
        state = {k: v for k, v in model["state"].items() if k not in ("_esm", "_css", "library")}
        slimmed_models[name] = {**model, "state": state}
    shared = extract_shared(slimmed_models)
    slimmed = {**widget_state, "state": slimmed_models, **({"shared": shared} if shared else {})}
    return json.dumps(slimmed, separators=(",", ":")).replace("<", "\\u003c")


def extract_shared(models: dict) -> list[str]:
    """The constants that several pools contain; in the pools, their positions replace them."""
    specs = [model["state"].get("spec") or {} for model in models.values()]
    holders = [h for spec in specs for h in (spec, spec.get("training") or {}) if "pool" in h]
    count = Counter(text for holder in holders for text in dict.fromkeys(holder["pool"]))
    shared = [text for text, times in count.items() if times > 1]
    position = {text: k for k, text in enumerate(shared)}
    for holder in holders:
        holder["pool"] = [position.get(text, text) for text in holder["pool"]]
    return shared


def prepare_figures(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Loads the figures' script on pages with live figures, and only there."""
    files = getattr(app.env, "nb_metadata", {}).get(pagename, {}).get("js_files", {})
    if "ipywidgets_state" not in files:
        return
    uri, options = files["ipywidgets_state"]
    page = context.get("body", "")
    files["ipywidgets_state"] = (uri, {**options, "body": slim_widget_state(options["body"], page)})
    live = assets_folder(app) / "live"
    if not (live / "live.js").is_file():
        raise ExtensionError(
            f"{pagename} has live figures, but {BUNDLE.relative_to(ROOT)} is missing or exports "
            "no mountAll: build it with `make frontend`"
        )
    if (live / "live.css").is_file():
        app.add_css_file("live/live.css", priority=300)
    app.add_js_file("live/live.js", loading_method="defer", priority=900)


def page_description(doctree: nodes.document | None) -> str:
    """The page's first paragraph, cut at a word near 200 characters."""
    if doctree is None:
        return ""
    for paragraph in doctree.findall(nodes.paragraph):
        text = " ".join(paragraph.astext().split())
        if len(text) > 40:
            return text if len(text) <= 200 else text[:200].rsplit(" ", 1)[0] + " …"
    return ""


def add_page_metadata(
    app: Sphinx, pagename: str, templatename: str, context: dict, doctree
) -> None:
    """Adds the page's description, social card and address, for search engines and messengers."""
    title = re.sub(r"<[^>]+>", "", context.get("title") or "") or app.config.html_title
    description = page_description(doctree) or app.config.book_description
    card = context["pathto"]("_static/social-card.png", 1)
    base = app.config.html_baseurl
    tags = [
        ("name", "description", description),
        ("property", "og:type", "article" if doctree is not None else "website"),
        ("property", "og:site_name", app.config.html_title),
        ("property", "og:title", title),
        ("property", "og:description", description),
        ("property", "og:image", base + "_static/social-card.png" if base else card),
        ("property", "og:image:alt", app.config.html_title),
        ("name", "twitter:card", "summary_large_image"),
        ("name", "theme-color", "#1f5f99"),
    ]
    if base:
        tags.append(("property", "og:url", base + app.builder.get_target_uri(pagename)))
    lines = [
        f'<meta {kind}="{name}" content="{escape(value, {chr(34): "&quot;"})}" />'
        for kind, name, value in tags
    ]
    lines.append('<link rel="license" href="https://creativecommons.org/licenses/by/4.0/" />')
    context["metatags"] = context.get("metatags", "") + "\n" + "\n".join(lines)


TIMES = re.compile(r"\s+×\s+")
AS_WRITTEN = (nodes.literal, nodes.literal_block, nodes.raw, nodes.math, nodes.math_block)


def keep_sizes_together(app: Sphinx, doctree: nodes.document) -> None:
    """Keeps sizes such as 28 × 28 on one line, even if a cell provides the numbers."""
    for text in list(doctree.findall(nodes.Text)):
        if TIMES.search(text) and not isinstance(text.parent, AS_WRITTEN):
            text.parent.replace(text, nodes.Text(TIMES.sub("\u00a0×\u00a0", text)))


OPENING, CLOSING = re.compile(r"[(\[‘“]+$"), re.compile(r"[.,;:!?)\]’”]+")


def keep_punctuation_with_formulas(app: Sphinx, doctree: nodes.document) -> None:
    """Keeps the punctuation around a formula on its line: brackets before it, commas after it."""
    for formula in list(doctree.findall(nodes.math)):
        parent = formula.parent
        index = parent.index(formula)
        before, after = parent[index - 1] if index else None, [*parent[index + 1 :], None][0]
        opened = OPENING.search(before) if isinstance(before, nodes.Text) else None
        closed = CLOSING.match(after) if isinstance(after, nodes.Text) else None
        if not (opened or closed):
            continue
        parent[index] = together = nodes.inline(classes=["nn-together"])
        together += formula
        if opened:
            parent[index - 1] = nodes.Text(before[: opened.start()])
            together.insert(0, nodes.Text(opened[0]))
        if closed:
            parent[index + 1] = nodes.Text(after[closed.end() :])
            together += nodes.Text(closed[0])


def remove_list_role(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Removes the role that docutils gives to bibliographies: their entries are not list items."""
    body = context.get("body")
    if body:
        context["body"] = body.replace(
            '<div role="list" class="citation-list">', '<div class="citation-list">'
        )


def name_toggles(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Labels the sidebar's arrows, which have no accessible name in the theme."""
    theme_function = context.get("generate_toctree_html")
    if theme_function is None:
        return

    def named(kind: str, **options: Any) -> Any:
        tree = theme_function(kind, **options)
        for toggle in tree.find_all("summary") if hasattr(tree, "find_all") else ():
            chapter = toggle.find_previous("a").get_text(strip=True)
            toggle["aria-label"] = f"pages below {chapter}"
        return tree

    context["generate_toctree_html"] = named


def write_sitemap(app: Sphinx, error: Exception | None) -> None:
    """Writes sitemap.xml if the site's address is known (BOOK_URL or html.baseurl)."""
    if error or app.builder.format != "html" or not app.config.html_baseurl:
        return
    addresses = [
        app.config.html_baseurl + app.builder.get_target_uri(name)
        for name in sorted(app.env.found_docs)
    ]
    entries = "".join(f"  <url><loc>{escape(address)}</loc></url>\n" for address in addresses)
    Path(app.outdir, "sitemap.xml").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{entries}</urlset>\n',
        "utf8",
    )


def drop_unused_files(app: Sphinx, error: Exception | None) -> None:
    """Removes files that the themes copy and no page loads: source maps, a 1.5 MB icon script."""
    if error or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    for path in static.rglob("*.map"):
        path.unlink()
    for path in (static / "scripts").glob("fontawesome.*"):
        path.unlink()
    styles = static / "styles" / "pydata-sphinx-theme.css"
    if styles.is_file():
        styles.write_text(without_unused_icons(styles.read_text("utf8")), "utf8")
    # Sphinx's copies of executed notebooks contain the widgets' state; no page links to them.
    shutil.rmtree(Path(app.outdir) / "_sources" / "_build", ignore_errors=True)
    Path(app.outdir, ".nojekyll").touch()


def without_icon_script(head: str) -> str:
    """The page's head without the theme's icon script: the icons come from a small font."""
    return re.sub(r"<script[^>]*fontawesome\.js[^>]*></script>", "", head)


def with_early_script(head: str) -> str:
    """The page's head with `early.js`, which sets the theme before the first paint."""
    script = (ROOT / "_ext" / "early.js").read_text("utf8")
    theme_script = re.compile(r"<script data-cfasync=\"false\">.*?</script>", re.DOTALL)
    replaced, count = theme_script.subn(lambda _: f"<script>\n{script}</script>", head)
    if count != 1:
        raise ExtensionError(
            "the theme's head has changed: with_early_script does not find its script for the "
            "colour mode"
        )
    return replaced


def add_filters(app: Sphinx) -> None:
    templates = getattr(app.builder, "templates", None)
    if templates is not None:
        filters = {f.__name__: f for f in (without_icon_script, with_early_script)}
        templates.environment.filters.update(filters)


def setup(app: Sphinx) -> dict:
    app.add_config_value("book_description", "", "html")
    app.add_config_value("book_look", "", "html")
    # Jupyter Book always sets it, for an extension that this book leaves out.
    app.add_config_value("comments_config", {}, "")
    app.connect("builder-inited", add_filters, priority=900)
    app.connect("config-inited", place_assets, priority=200)
    app.connect("config-inited", add_launch_buttons, priority=300)
    app.connect("doctree-read", keep_sizes_together)
    app.connect("doctree-read", keep_punctuation_with_formulas)
    # Before myst-nb adds the page's scripts, which happens at the default priority of 500.
    app.connect("html-page-context", prepare_figures, priority=400)
    app.connect("html-page-context", add_page_metadata, priority=600)
    app.connect("html-page-context", remove_list_role, priority=600)
    app.connect("html-page-context", name_toggles, priority=600)
    for script in SCRIPTS:
        app.add_js_file(script, loading_method="defer")
    app.connect("build-finished", write_sitemap)
    app.connect("build-finished", drop_unused_files, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

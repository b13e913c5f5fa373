"""Figures outside the book: a saved page, a frame, a slide, MyST's directive, "Save figure".

The hosts (reveal.js, MyST's parser and its theme's model) have the versions and hashes that
hosts.lock.json lists; they are downloaded once and then taken from `.cache/assets`.
"""

from __future__ import annotations

import functools
import http.server
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import book_assets
import book_site
import pytest
from playwright.sync_api import expect

import nnlib
from nnlib import live
from tools.browser import Server

pytestmark = pytest.mark.slow
LOCK = Path(__file__).with_name("hosts.lock.json")
READY = ".nn-figure[data-ready]"


def sigmoid() -> live.Figure:
    x = nnlib.linspace(-6, 6, 61)
    axes = live.axes(
        live.curve(x, "p"), live.handle("w", "w2", drag=("w", "w2")), xlim=(-3, 3), ylim=(-2, 2)
    )
    return live.figure(
        lambda w: {"p": nnlib.sigmoid(w * x)}, w=live.slider(-2.0, 2.0, 0.1, value=1.0),
        w2=live.slider(-2.0, 2.0, 0.1, value=0.0), view=[axes, "w = {w:.1f}"],
        title="A </script> in the title", caption="Move w.", alt="A curve.", name="saved",
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An author's folder: the figure in both formats, and pages that show it."""
    target = tmp_path_factory.mktemp("saved")
    figure = sigmoid()
    figure["w"] = 1.5
    figure.save(target / "saved.html")
    figure.save(target / "saved.mjs")
    frame = '<!doctype html><iframe src="saved.html" width="760" height="640"></iframe>'
    (target / "frame.html").write_text(frame)
    module = (
        '<!doctype html><div id="here"></div><script type="module">import figure from '
        '"./saved.mjs"; window.end = figure.render({ el: document.querySelector("#here") })'
        "</script>"
    )
    (target / "module.html").write_text(module)
    return target


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("hosts")
    try:
        book_assets.place(target, LOCK, book_assets.CACHE)
    except book_assets.AssetError as error:
        pytest.skip(f"the hosts could not be fetched: {error}")
    return target


class Visit:
    """A page with its requests and errors."""

    def __init__(self, browser: Any) -> None:
        self.page = browser.new_page(viewport={"width": 1000, "height": 800}, accept_downloads=True)
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda r: self.requests.append(r.url))
        self.page.on("pageerror", lambda e: self.errors.append(str(e)))
        self.page.on("console", lambda m: m.type == "error" and self.errors.append(m.text))


@pytest.fixture
def visit(browser: Any) -> Iterator[Visit]:
    opened = Visit(browser)
    yield opened
    assert opened.errors == []
    opened.page.close()


@pytest.fixture
def origin(folder: Path) -> Iterator[str]:
    class SilentHandler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    handler = functools.partial(SilentHandler, directory=str(folder))
    (folder / "favicon.ico").write_bytes(b"")
    with Server(handler) as server:
        yield server.origin


def expect_text(frame: Any, text: str) -> None:
    """Waits until the read-out shows the text."""
    expect(frame.locator(".nn-readout")).to_contain_text(text)


def slide_to(frame: Any, value: str) -> None:
    """Moves the first slider and waits until the figure shows its value."""
    frame.locator("input[type=range]").first.fill(value)
    expect_text(frame, f"w = {value}".replace("-", "−"))


def test_a_saved_page_works_from_a_folder(visit: Visit, folder: Path) -> None:
    address = (folder / "saved.html").as_uri()
    visit.page.goto(address)
    visit.page.wait_for_selector(READY)
    expect_text(visit.page, "w = 1.5")
    slide_to(visit.page, "-0.5")
    assert visit.requests == [address]


def test_a_saved_page_works_in_a_frame(visit: Visit, folder: Path) -> None:
    visit.page.goto((folder / "frame.html").as_uri())
    frame = visit.page.frame_locator("iframe")
    frame.locator(READY).wait_for()
    slide_to(frame, "0.5")


def test_the_module_works_on_a_plain_page_and_can_be_removed(visit: Visit, origin: str) -> None:
    visit.page.goto(f"{origin}/module.html")
    visit.page.wait_for_selector(READY)
    slide_to(visit.page, "0.7")
    visit.page.evaluate("window.end()")
    assert visit.page.locator(".nn-figure").count() == 0


@pytest.mark.parametrize("way", ["frame", "module"])
def test_in_a_slide_show_figures_move_and_their_keys_do_not_turn_slides(
    visit: Visit, origin: str, folder: Path, hosts: Path, way: str
) -> None:
    for name in ("reveal.js", "reveal.css"):
        shutil.copyfile(hosts / "reveal" / name, folder / name)
    content = {
        "frame": '<iframe src="saved.html" width="760" height="600"></iframe>',
        "module": '<div id="here"></div><script type="module">import figure from "./saved.mjs";'
        'figure.render({ el: document.querySelector("#here") })</script>',
    }[way]
    slides = f"<section>one</section><section>{content}</section><section>three</section>"
    (folder / "slides.html").write_text(
        '<!doctype html><link rel="stylesheet" href="reveal.css"><div class="reveal">'
        f'<div class="slides">{slides}</div></div><script src="reveal.js"></script>'
        "<script>Reveal.initialize({ transition: 'none' })</script>"
    )
    visit.page.goto(f"{origin}/slides.html")
    visit.page.wait_for_function("window.Reveal?.isReady()")
    visit.page.keyboard.press("ArrowRight")
    frame = visit.page.frame_locator("iframe") if way == "frame" else visit.page
    frame.locator(READY).wait_for()
    slide_to(frame, "0.5")
    handle = frame.locator(".nn-figure [role=slider][tabindex='0']").first
    before = handle.get_attribute("aria-valuetext")
    handle.focus()
    visit.page.keyboard.press("ArrowRight")
    expect(handle).not_to_have_attribute("aria-valuetext", before)
    assert visit.page.evaluate("Reveal.getIndices().h") == 1
    visit.page.evaluate("document.activeElement.blur()")
    visit.page.evaluate("Reveal.next()")
    assert visit.page.evaluate("Reveal.getIndices().h") == 2


# What MyST's theme does with a node of the directive: it makes a model (whose `off` and
# `save_changes` throw) and a shadow root, and calls `initialize`, if there is one, and `render`.
THEME = """async (values) => {
  const { MystAnyModel } = await import("/models.js");
  const widget = (await import("/saved.mjs")).default;
  const model = new MystAnyModel(values);
  await widget.initialize?.({ model });
  const host = document.body.appendChild(document.createElement("div"));
  const el = document.createElement("div");
  host.attachShadow({ mode: "open" }).replaceChildren(el);
  const end = await widget.render({ model, el });
  await new Promise((done) => setTimeout(done, 200));
  const first = el.querySelector(".nn-readout").textContent;
  const slider = el.querySelector("input[type=range]");
  slider.value = "-1";
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  await new Promise((done) => setTimeout(done, 200));
  const reported = model.get("w");
  model.set("w", 0.3);
  await new Promise((done) => setTimeout(done, 200));
  const followed = el.querySelector(".nn-readout").textContent;
  const styled = getComputedStyle(el.querySelector(".nn-toolbar")).display;
  end();
  return { first, reported, followed, styled, left: el.childElementCount };
}"""


def test_the_module_fulfils_the_contract_of_mysts_directive(
    visit: Visit, origin: str, folder: Path, hosts: Path
) -> None:
    shutil.copyfile(hosts / "myst" / "models.js", folder / "models.js")
    (folder / "empty.html").write_text("<!doctype html><title>MyST</title>")
    visit.page.goto(f"{origin}/empty.html")
    result = visit.page.evaluate(THEME, {"w": 0.4})
    assert "w = 0.4" in result["first"] and result["reported"] == -1
    assert "w = 0.3" in result["followed"]
    assert result["styled"] == "flex" and result["left"] == 0


def test_mystmd_reads_the_directive_of_the_docs(hosts: Path, folder: Path, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("mystmd is a program for Node, which is not installed here")
    docs = (Path(__file__).resolve().parents[2] / "docs" / "other-pages.md").read_text("utf8")
    example = docs.split("````md\n", 1)[1].split("````", 1)[0]
    (tmp_path / "index.md").write_text(f"# A page\n\n{example}")
    shutil.copyfile(folder / "saved.mjs", tmp_path / "neuron.mjs")
    (tmp_path / "myst.yml").write_text("version: 1\nproject: {title: x}\nsite: {title: x}\n")
    command = [node, str(hosts / "myst" / "myst.cjs"), "build", "--site"]
    # Without a network the command fails in the end, because it fetches the theme last.
    subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60)
    page = json.loads((tmp_path / "_build/site/content/index.json").read_text())
    (widget,) = [n for n in nodes(page["mdast"]) if n["type"] == "anywidget"]
    assert widget["model"] == {"w": 1.5}
    assert (tmp_path / "_build/site/public" / widget["esm"].lstrip("/")).is_file()


def nodes(tree: dict) -> Iterator[dict]:
    yield tree
    for child in tree.get("children", []):
        yield from nodes(child)


def test_save_figure_saves_the_current_state(visit: Visit, folder: Path, tmp_path: Path) -> None:
    visit.page.goto((folder / "saved.html").as_uri())
    visit.page.wait_for_selector(READY)
    slide_to(visit.page, "-1.2")
    saved = tmp_path / "again.html"
    for name in ("first", "second"):  # a saved figure can save itself
        with visit.page.expect_download() as download:
            visit.page.get_by_role("button", name="Save figure").click()
        assert download.value.suggested_filename == "saved.html", name
        download.value.save_as(saved)
        visit.page.goto(saved.as_uri())
        visit.page.wait_for_selector(READY)
        expect_text(visit.page, "w = −1.2")
    visit.page.get_by_role("button", name="Reset").click()
    expect_text(visit.page, "w = 1.0")


def test_save_figure_works_in_the_books_pages_from_a_folder(
    visit: Visit, folder: Path, tmp_path: Path
) -> None:
    """There the bundle is a script file beside the page, which the page's code cannot read."""
    saved_page = (folder / "saved.html").read_text("utf8")
    head, _, _ = saved_page.rpartition('<script type="module">')
    page = tmp_path / "chapter.html"
    page.write_text(f'{head}<script defer src="live.js"></script></body></html>')
    script = book_site.as_classic_script(book_site.BUNDLE.read_text("utf8"))
    (tmp_path / "live.js").write_text(script)
    visit.page.goto(page.as_uri())
    visit.page.wait_for_selector(READY)
    slide_to(visit.page, "0.9")
    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name="Save figure").click()
    download.value.save_as(tmp_path / "saved.html")
    visit.page.goto((tmp_path / "saved.html").as_uri())
    visit.page.wait_for_selector(READY)
    expect_text(visit.page, "w = 0.9")


def test_node_can_import_the_module_without_a_page(folder: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed here")
    code = f"import({(folder / 'saved.mjs').as_uri()!r}).then((m) => console.log(typeof m.default.render))"
    run = subprocess.run([node, "-e", code], capture_output=True, text=True, timeout=30)
    assert run.stdout.strip() == "function", run.stderr


def test_other_file_extensions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"ends in '\.svg'; a figure is saved as \.html"):
        sigmoid().save(tmp_path / "figure.svg")

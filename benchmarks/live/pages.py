"""Measures how soon a chapter's figures are interactive after a cold start, and the page's size."""

from __future__ import annotations

import functools
import statistics
import sys
import time
from pathlib import Path
from typing import NamedTuple

import yaml
from playwright.sync_api import Browser

from tools import serve
from tools.browser import Server, launched

ROOT = Path(__file__).resolve().parents[2]

READY = """() => {
  const figures = [...document.querySelectorAll(".nn-figure")];
  return figures.length > 0 && !document.querySelector("[data-nn-model]")
    && figures.every((figure) => figure.dataset.ready);
}"""


class Opening(NamedTuple):
    """The time and work until every figure of a page is ready, and the bytes that were loaded."""

    seconds: float
    #: CPU seconds of the page's main thread, which other processes hardly affect.
    busy: float
    size: int
    figures: int


def opened_cold(browser: Browser, address: str) -> Opening:
    """Open a page with an empty cache, and measure until its figures are ready."""
    context = browser.new_context(viewport={"width": 1360, "height": 800})
    page = context.new_page()
    tools = context.new_cdp_session(page)
    tools.send("Network.enable")
    tools.send("Performance.enable", {"timeDomain": "threadTicks"})
    sizes: list[int] = []
    tools.on("Network.loadingFinished", lambda e: sizes.append(int(e["encodedDataLength"])))
    start = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_function(READY, polling="raf", timeout=30_000)
    seconds = time.perf_counter() - start
    metrics = {m["name"]: m["value"] for m in tools.send("Performance.getMetrics")["metrics"]}
    page.wait_for_load_state("networkidle")
    figures = page.locator(".nn-figure").count()
    context.close()
    return Opening(seconds, metrics["TaskDuration"], sum(sizes), figures)


def main(site: Path) -> int:
    if not (site / "index.html").is_file():
        print(f"{site} contains no site: run `make book` to see how soon its pages are ready")
        return 0
    handler = functools.partial(serve.QuietHandler, directory=str(site))
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf8"))
    names = [toc["root"], *(c["file"] for p in toc["parts"] for c in p["chapters"])]
    with Server(handler) as server, launched() as browser:
        for name in names:
            page = site / f"{name}.html"
            if not page.is_file() or "data-nn-model" not in page.read_text("utf8"):
                continue
            address = f"{server.origin}/{name}.html"
            runs = [opened_cold(browser, address) for _ in range(5)]
            seconds = statistics.median(run.seconds for run in runs)
            busy = statistics.median(run.busy for run in runs)
            line = f"{runs[0].figures} figures interactive after {seconds:.2f} s"
            line += f" ({busy:.2f} s of work), {runs[0].size / 1e6:.2f} MB"
            print(f"{name}: {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "_build" / "html")))

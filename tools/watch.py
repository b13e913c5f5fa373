"""Builds one chapter's page after each save and reloads it in the browser.

    python tools/watch.py my-topic

The page is built in a small book of its own (`_build/watch`: the opening page, the chapter, the
glossary and the bibliography), so that no other chapter is run. References to other chapters are
not resolved in it.
"""

from __future__ import annotations

import argparse
import functools
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import lint_chapters
import serve

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "_build" / "watch"
SITE = OUTPUT / "_build" / "html"
PATTERNS = ("nnlib/**/*.py", "course/**/*.py", "nnlib/live/*.json", "nnlib/live/static/*",
            "_static/*", "_ext/*.py", "_ext/built/*", "_templates/*")  # fmt: skip
PAUSE = 0.4  # seconds between two checks for changed files
RELOAD_SCRIPT = b"""<script>
(() => { let loaded = null; setInterval(async () => {
  const built = await (await fetch("/_built")).text();
  if (loaded !== null && built !== loaded) location.reload();
  loaded = built;
}, 500); })();
</script>"""


class ReloadingHandler(serve.QuietHandler):
    """Serves the pages with a script that reloads them when the time of the last build changes."""

    built = "0"

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if self.path == "/_built":
            self.answer(self.built.encode(), "text/plain")
        elif path.suffix == ".html" and path.is_file():
            self.answer(path.read_bytes() + RELOAD_SCRIPT, "text/html; charset=utf-8")
        else:
            super().do_GET()

    def answer(self, body: bytes, content_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def small_book(name: str) -> Path:
    """Writes the contents: the opening page, this chapter, the glossary and the bibliography."""
    toc = OUTPUT / "toc.yml"
    toc.parent.mkdir(parents=True, exist_ok=True)
    files = (f"chapters/{name}", "glossary", "reference/bibliography")
    chapters = "".join(f"  - file: {file}\n" for file in files)
    text = f"format: jb-book\nroot: index\nchapters:\n{chapters}"
    if not toc.is_file() or toc.read_text("utf8") != text:
        toc.write_text(text, "utf8")
    return toc


def build(name: str) -> bool:
    """Builds the small book and prints its warnings or its error; returns whether it succeeded."""
    jupyter_book = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
    command = [*jupyter_book, "build", str(ROOT), "--toc", str(small_book(name))]
    start = time.monotonic()
    run = subprocess.run([*command, "--path-output", str(OUTPUT)], capture_output=True, text=True)
    output = run.stdout + run.stderr
    if run.returncode:
        print(summary(output))
        return False
    print(f"built in {time.monotonic() - start:.1f} s")
    for line in output.splitlines():
        if "WARNING" in line and name in line:
            print(f"  {line}")
    return True


COLOURS = re.compile(r"\x1b\[[0-9;]*m")
# IPython's traceback: the error's type, each frame's code with an arrow, the error's message.
TRACEBACK = re.compile(
    r"^(?P<kind>\w+) +Traceback \(most recent call last\)\n(?P<frames>.*?)"
    r"^(?P<error>(?P=kind): .*?)(?=\n\s*\n|\Z)",
    re.M | re.S,
)
FRAME = re.compile(r"(Cell |File |-+> \d)")
LAST_LINES = 12


def summary(output: str) -> str:
    """The failure of a build in few lines: the lines of the failed cell, then its error."""
    text = COLOURS.sub("", output)
    if traceback := TRACEBACK.search(text):
        frames = [line for line in traceback["frames"].splitlines() if FRAME.match(line)]
        return "\n".join([*frames[-LAST_LINES:], "", traceback["error"].strip()])
    return "\n".join([line for line in text.splitlines() if line.strip()][-LAST_LINES:])


def modification_times(name: str) -> dict[Path, int]:
    """When each of the watched files was last changed."""
    files = [path for pattern in PATTERNS for path in ROOT.glob(pattern)]
    files += [ROOT / "chapters" / f"{name}.ipynb", ROOT / "glossary.md", ROOT / "references.bib"]
    return {path: path.stat().st_mtime_ns for path in files if path.is_file()}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", help="the chapter's file in chapters/, without .ipynb")
    parser.add_argument("--once", action="store_true", help="build and stop")
    options = parser.parse_args(arguments)
    chapter = ROOT / "chapters" / f"{options.name}.ipynb"
    if not chapter.is_file():
        file = chapter.relative_to(ROOT)
        print(f"error: {file} does not exist; give the name of a chapter without .ipynb",
              file=sys.stderr)  # fmt: skip
        return 1
    if options.once:
        return 0 if build(options.name) else 1
    SITE.mkdir(parents=True, exist_ok=True)
    handler = functools.partial(ReloadingHandler, directory=str(SITE))
    server = serve.http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = f"http://127.0.0.1:{server.server_address[1]}/chapters/{options.name}.html"
    print(f"{page} reloads after each save (Ctrl+C stops)", flush=True)
    built_from: dict[Path, int] = {}
    try:
        while True:
            times = modification_times(options.name)
            if times != built_from:
                built_from = times
                if build(options.name):
                    ReloadingHandler.built = str(time.time())
                for problem in lint_chapters.problems(chapter):
                    print(f"  {problem}")
            time.sleep(PAUSE)
    except KeyboardInterrupt:
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main())

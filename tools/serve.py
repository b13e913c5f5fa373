"""Serves the built site on loopback, prints its address and opens it."""

from __future__ import annotations

import argparse
import functools
import gzip
import http.server
import io
import os
import sys
import webbrowser
from pathlib import Path
from typing import Any

COMPRESSED = {".html", ".js", ".mjs", ".css", ".json", ".svg", ".ipynb", ".txt", ".map", ".xml"}


@functools.lru_cache(maxsize=256)
def compressed(path: str, changed: int) -> bytes:
    """A file's gzip, made once for each version of the file."""
    return gzip.compress(Path(path).read_bytes(), 6, mtime=0)


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files without logging them, and makes browsers check whether a cached file is current.

    Text is sent as gzip, as web hosts do.
    """

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        if self.path.partition("?")[0].endswith((".woff", ".woff2")):
            # for a frame without an origin of its own, such as a school's platform may use
            self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()

    def send_head(self) -> Any:
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() and self.path.endswith("/") else path
        accepts_gzip = "gzip" in self.headers.get("Accept-Encoding", "")
        if not accepts_gzip or path.suffix not in COMPRESSED or not path.is_file():
            return super().send_head()
        stat = path.stat()
        tag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
        unchanged = self.headers.get("If-None-Match") == tag
        self.send_response(304 if unchanged else 200)
        body = b"" if unchanged else compressed(str(path), stat.st_mtime_ns)
        headers = {"Content-Type": self.guess_type(path), "Content-Encoding": "gzip",
                   "Content-Length": str(len(body))}  # fmt: skip
        for name, value in {"ETag": tag, "Vary": "Accept-Encoding"}.items():
            self.send_header(name, value)
        for name, value in {} if unchanged else headers.items():
            self.send_header(name, value)
        self.end_headers()
        return io.BytesIO(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def server_on(folder: Path, first_port: int) -> http.server.ThreadingHTTPServer:
    """A server of the folder at the first free port of twenty, or at any other free port."""
    handler = functools.partial(QuietHandler, directory=str(folder))
    for port in [*range(first_port, first_port + 20), 0]:
        try:
            return http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
        except OSError:
            continue
    raise SystemExit("error: no free port on 127.0.0.1")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--no-open", action="store_true", help="print the address only")
    options = parser.parse_args()
    if not (options.folder / "index.html").is_file():
        print(f"error: {options.folder} has no built site: run `make book`", file=sys.stderr)
        return 1
    server = server_on(options.folder, options.port)
    address = f"http://127.0.0.1:{server.server_address[1]}/"
    print(f"The book is at {address} (Ctrl+C stops)", flush=True)
    if not options.no_open and (
        os.name != "posix"
        or os.environ.get("DISPLAY")
        or os.environ.get("WAYLAND_DISPLAY")
        or sys.platform == "darwin"
    ):
        webbrowser.open(address)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main())

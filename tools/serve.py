"""Serves the built site on loopback, prints its address and opens it."""

from __future__ import annotations

import argparse
import functools
import http.server
import os
import sys
import webbrowser
from pathlib import Path


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files without a log line for each, and never from the browser's stale cache."""

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def server_on(folder: Path, first_port: int) -> http.server.ThreadingHTTPServer:
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
        print(f"error: {options.folder} holds no built site: run `make book`", file=sys.stderr)
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

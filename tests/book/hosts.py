"""A server that can be stopped, and that can serve the book's next edition."""

from __future__ import annotations

from pathlib import Path

from tests.book.harness import PREFIX, SubPathHandler
from tools.browser import Server

NEW = "book-0123456789ab"  # the name of the book's folder in its next edition


class Host:
    """Serves the site or, with `next`, the next edition of it; records the requested paths."""

    def __init__(self, site: Path) -> None:
        self.site, self.next = site, False
        self.fetched: list[str] = []
        [self.folder] = [path.name for path in (site / "python").glob("book-*")]
        self.port = 0
        self.up()

    def up(self) -> None:
        host = self

        class Handler(SubPathHandler):
            def __init__(self, *args, **kwargs) -> None:
                super().__init__(*args, directory=str(host.site), **kwargs)

            def do_GET(self) -> None:
                host.fetched.append(self.path)
                path = Path(self.translate_path(self.path))
                if not (host.next and path.suffix in (".html", ".css") and path.is_file()):
                    return super().do_GET()
                data = path.read_bytes().replace(host.folder.encode(), NEW.encode())
                if path.suffix == ".html":
                    data = data.replace(b"<title>", b"<title>Second edition: ")
                self.send_page(data, self.guess_type(str(path)))

            def translate_path(self, path: str) -> str:
                return super().translate_path(path.replace(NEW, host.folder))

        self.server = Server(Handler, self.port)
        self.port = self.server.port

    def down(self) -> None:
        self.server.close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}{PREFIX}"

    def python_requests(self) -> list[str]:
        return [path for path in self.fetched if "/python/" in path]

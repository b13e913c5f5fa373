"""`make serve` compresses text, sends other files unchanged, and serves nothing stale."""

from __future__ import annotations

import functools
import gzip
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import serve


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "index.html").write_text("<p>one</p>" * 100)
    (tmp_path / "font.woff2").write_bytes(bytes(range(256)))
    server = serve.http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(serve.QuietHandler, directory=str(tmp_path))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def get(url: str, **headers: str) -> tuple[dict, bytes]:
    request = urllib.request.Request(
        url, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )
    with urllib.request.urlopen(request) as answer:
        return dict(answer.headers), answer.read()


def test_text_is_compressed_for_clients_that_accept_it(address: str, tmp_path: Path) -> None:
    headers, body = get(address, Accept_Encoding="gzip, br")
    assert headers["Content-Encoding"] == "gzip" and headers["Content-Type"] == "text/html"
    assert len(body) == int(headers["Content-Length"]) < 200
    assert gzip.decompress(body) == (tmp_path / "index.html").read_bytes()
    headers, body = get(address)
    assert "Content-Encoding" not in headers and body == (tmp_path / "index.html").read_bytes()
    headers, body = get(address + "font.woff2", Accept_Encoding="gzip")
    assert "Content-Encoding" not in headers and len(body) == 256


def test_a_changed_page_is_sent_again_and_an_unchanged_one_is_not(
    address: str, tmp_path: Path
) -> None:
    headers, _ = get(address, Accept_Encoding="gzip")
    with pytest.raises(urllib.error.HTTPError) as error:
        get(address, Accept_Encoding="gzip", If_None_Match=headers["ETag"])
    assert error.value.code == 304
    (tmp_path / "index.html").write_text("two")
    _, body = get(address, Accept_Encoding="gzip", If_None_Match=headers["ETag"])
    assert gzip.decompress(body) == b"two"


def test_nothing_outside_of_the_site_is_served(address: str) -> None:
    for path in ("../secret.html", "%2e%2e/secret.html", "missing.html"):
        with pytest.raises(urllib.error.HTTPError) as error:
            get(address + path, Accept_Encoding="gzip")
        assert error.value.code == 404


def test_fonts_reach_a_frame_without_an_origin_of_its_own(address: str) -> None:
    headers, _ = get(address + "font.woff2?v=1")
    assert headers["Access-Control-Allow-Origin"] == "*"
    headers, _ = get(address)
    assert "Access-Control-Allow-Origin" not in headers

"""The browser's assets: locked by hash, named in errors, copied into the site all together."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import book_assets
import book_site
import pytest
from book_assets import AssetError
from docutils import nodes
from docutils.utils import new_document

from tests.book.harness import ROOT


def packed(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(f"package/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


@pytest.fixture
def small_lock(tmp_path: Path) -> tuple[Path, Path]:
    """A lock file for one package of one file, and the archive that it names."""
    archive = packed({"dist/a.js": b"let a = 1;"})
    source = tmp_path / "little-1.0.0.tgz"
    source.write_bytes(archive)
    entry = {
        "version": "1.0.0",
        "url": source.as_uri(),
        "integrity": book_assets.integrity(archive),
        "files": [
            {
                "from": "dist/a.js",
                "to": "little/a.js",
                "sha256": hashlib.sha256(b"let a = 1;").hexdigest(),
            }
        ],
    }
    lock = tmp_path / "lock.json"
    lock.write_text(json.dumps({"little": entry}))
    return lock, source


def test_an_asset_is_copied_into_the_site_and_cached(small_lock, tmp_path) -> None:
    lock, source = small_lock
    target, cache = tmp_path / "site", tmp_path / "cache"
    [path] = book_assets.place(target, lock, cache)
    assert path.read_bytes() == b"let a = 1;"
    source.unlink()
    path.write_bytes(b"damaged")
    assert book_assets.place(target, lock, cache)[0].read_bytes() == b"let a = 1;"


def test_a_changed_archive_is_refused_by_name(small_lock, tmp_path) -> None:
    lock, source = small_lock
    source.write_bytes(packed({"dist/a.js": b"let a = 2;"}))
    with pytest.raises(AssetError, match=r"little 1\.0\.0: the archive's hash is sha512-"):
        book_assets.place(tmp_path / "site", lock, tmp_path / "cache")
    assert not (tmp_path / "site").exists()


def test_a_damaged_cache_is_fetched_again(small_lock, tmp_path) -> None:
    lock, _ = small_lock
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "little-1.0.0.tgz").write_bytes(b"half a file")
    [path] = book_assets.place(tmp_path / "site", lock, cache)
    assert path.read_bytes() == b"let a = 1;"


def test_an_asset_that_cannot_be_downloaded_is_named(small_lock, tmp_path) -> None:
    lock, source = small_lock
    source.unlink()
    with pytest.raises(AssetError, match=r"asset little 1\.0\.0: \S+ could not be fetched"):
        book_assets.place(tmp_path / "site", lock, tmp_path / "cache")


def test_a_missing_or_changed_member_is_named(small_lock, tmp_path) -> None:
    lock, _ = small_lock
    entry = json.loads(lock.read_text())
    entry["little"]["files"][0]["sha256"] = "0" * 64
    lock.write_text(json.dumps(entry))
    with pytest.raises(AssetError, match=r"dist/a\.js has the hash"):
        book_assets.place(tmp_path / "site", lock, tmp_path / "cache")
    entry["little"]["files"][0]["from"] = "dist/b.js"
    lock.write_text(json.dumps(entry))
    with pytest.raises(AssetError, match=r"has no file dist/b\.js"):
        book_assets.place(tmp_path / "site", lock, tmp_path / "cache")


def test_the_lock_names_versions_licences_and_hashes() -> None:
    lock = json.loads(book_assets.LOCK.read_text("utf8"))
    for name, entry in lock.items():
        assert entry["version"] in entry["url"], name
        assert entry["integrity"].startswith("sha512-"), name
        assert entry["licence"], name
        assert any(file["from"] == "LICENSE" for file in entry["files"]), name
        assert all(len(file["sha256"]) == 64 for file in entry["files"]), name


def test_the_site_contains_the_locked_files(site: Path) -> None:
    assert book_assets.is_complete(site / "_static", json.loads(book_assets.LOCK.read_text("utf8")))


# ---- The figures' script -------------------------------------------------------------------------


def test_the_module_becomes_a_classic_script() -> None:
    module = "const a=1;function m(){}const d={};export{d as default,m as mountAll,a};\n"
    script = book_site.as_classic_script(module)
    assert "export" not in script
    assert script.rstrip().endswith("globalThis.nnlibLive={default:d,mountAll:m,a:a};\n})();")


def test_a_module_that_cannot_mount_makes_no_script() -> None:
    assert book_site.as_classic_script("const a=1;export{a as default};") is None
    assert book_site.as_classic_script("const a=1;") is None


def test_the_page_carries_no_copy_of_the_figures_script() -> None:
    state = {"_esm": "x" * 999, "_css": "y", "spec": {"view": "</script>"}, "library": "z"}
    figure = {"model_module": "anywidget", "state": state}
    models = {"a": figure, book_site.LIBRARY: {"state": {"source": "s"}}}
    body = book_site.slim_widget_state(json.dumps({"version_major": 2, "state": models}))
    slim = json.loads(body)["state"]
    assert set(slim) == {"a"}
    assert slim["a"]["state"] == {"spec": {"view": "</script>"}}
    assert "</script>" not in body


def test_weights_shared_by_several_figures_are_sent_once() -> None:
    def figure(*pool: str, **training: object) -> dict:
        fields = {"training": training} if training else {}
        return {"state": {"spec": {"pool": list(pool), **fields}}}

    models = {"a": figure("one", "weights", "one"), "b": figure("weights", "two"),
              "c": figure("three", pool=["weights", "four"]), "box": {"state": {}}}  # fmt: skip
    page_state = json.loads(book_site.slim_widget_state(json.dumps({"state": models})))
    specs = [page_state["state"][name]["state"]["spec"] for name in "abc"]
    assert page_state["shared"] == ["weights"]
    assert [spec["pool"] for spec in specs] == [["one", 0, "one"], [0, "two"], ["three"]]
    assert specs[2]["training"]["pool"] == [0, "four"]
    alone = json.loads(book_site.slim_widget_state(json.dumps({"state": {"a": models["a"]}})))
    assert "shared" not in alone


def test_a_page_is_written_the_same_in_every_build() -> None:
    pool = [f"weights {k}" for k in range(20)]
    models = {name: {"state": {"spec": {"pool": pool[:]}}} for name in "ab"}
    page_state = json.loads(book_site.slim_widget_state(json.dumps({"state": models})))
    assert page_state["shared"] == pool, "a set would give another order to each build"


def test_sizes_and_a_formulas_punctuation_stay_on_one_line() -> None:
    def formula(name: str) -> nodes.math:
        return nodes.math(name, name)

    paragraph, page = nodes.paragraph(), new_document("page")
    page += paragraph
    paragraph += [nodes.Text("of 28 ×\n28 ("), formula("a"), nodes.Text(", "), formula("b")]
    paragraph += [nodes.Text(", "), formula("c"), nodes.Text(") and "), formula("d")]
    paragraph += nodes.literal("4 × 6", "4 × 6")
    before = paragraph.astext()
    book_site.keep_sizes_together(None, page)
    book_site.keep_punctuation_with_formulas(None, page)
    together = [node.astext() for node in paragraph.findall(nodes.inline)]
    assert together == ["(a,", "b,", "c)"]
    assert paragraph.astext() == before.replace("28 ×\n28", "28\u00a0×\u00a028")


def test_a_widget_that_the_page_never_shows_is_left_out() -> None:
    def model(**state: object) -> dict:
        return {"model_name": "AnyModel", "state": state}

    models = {
        "box": model(children=["IPY_MODEL_inside"]), "inside": model(layout="IPY_MODEL_look"),
        "look": model(), "only-computed-with": model(), "bo": model(),
    }  # fmt: skip
    page = '<figure data-nn-model="box"></figure>'
    body = book_site.slim_widget_state(json.dumps({"state": models}), page)
    assert set(json.loads(body)["state"]) == {"box", "inside", "look"}


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted((ROOT / "_ext").glob("*.py")), ids=lambda p: p.stem)
def test_each_extension_can_be_imported_alone(path: Path) -> None:
    command = f"import sys; sys.path.insert(0, {str(path.parent)!r}); import {path.stem}"
    run = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "sys.path" not in path.read_text("utf8"), "an extension imports only from _ext/"


def test_the_readme_names_every_file_of_the_folder_that_is_not_a_book_extension() -> None:
    readme = (ROOT / "_ext" / "README.md").read_text("utf8")
    for path in (ROOT / "_ext").iterdir():
        if path.name in ("__pycache__", "README.md") or path.name.startswith("book_"):
            continue
        assert path.name in readme, f"_ext/README.md does not name {path.name}"

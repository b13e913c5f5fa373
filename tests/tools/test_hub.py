"""The hub: Kubernetes values against the chart's keys, the image's files, a hub on this machine."""

from __future__ import annotations

import copy
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import check_values
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
VALUES = yaml.safe_load((ROOT / "deploy" / "values.yaml").read_text("utf8"))
SCHEMA = json.loads((ROOT / "deploy" / "values.schema.json").read_text("utf8"))


def test_the_values_fit_the_charts_keys() -> None:
    assert check_values.errors_in(VALUES, SCHEMA) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("singleuser", "memroy"), {"limit": "1G"}),
        (("singleuser", "storage"), {"type": "dynamic"}),
        (("cull", "timeout"), "an hour"),
        (("proxy", "https", "type"), "magic"),
        (("hubb",), {}),
    ],
)
def test_a_wrong_key_or_value_is_found(path: tuple[str, ...], value: object) -> None:
    changed = copy.deepcopy(VALUES)
    parent = changed
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    assert len(check_values.errors_in(changed, SCHEMA)) == 1


def test_values_are_merged_over_the_charts_own() -> None:
    defaults = {"a": {"b": 1, "c": [1]}, "d": 2}
    assert check_values.merged(defaults, {"a": {"c": [2]}}) == {"a": {"b": 1, "c": [2]}, "d": 2}


def test_the_chart_of_the_given_version_is_fetched_and_its_hash_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tarfile.open(tmp_path / "chart.tgz", "w:gz") as archive:
        # a chart whose own values supply those that ours do not set
        for name, text in {"values.yaml": "debug: {enabled: false}",
                           "values.schema.json": json.dumps(SCHEMA)}.items():  # fmt: skip
            (tmp_path / name).write_text(text)
            archive.add(tmp_path / name, f"jupyterhub/{name}")
    digest = hashlib.sha256((tmp_path / "chart.tgz").read_bytes()).hexdigest()
    releases = [("5.0.0", "x.tgz", "0"), (check_values.VERSION, "chart.tgz", digest)]
    entries = [{"version": v, "urls": [u], "digest": d} for v, u, d in releases]
    (tmp_path / "index.yaml").write_text(yaml.safe_dump({"entries": {"jupyterhub": entries}}))
    monkeypatch.setattr(check_values, "CHARTS", tmp_path.as_uri())
    assert check_values.main(["--fetch"]) == 0
    with pytest.raises(LookupError, match=r"has no chart 1\.2\.3"):
        check_values.fetched(tmp_path, "1.2.3")
    (tmp_path / "chart.tgz").write_bytes(b"another chart")
    with pytest.raises(ValueError, match="is not the one in the repository's index"):
        check_values.main(["--fetch"])


def test_the_image_has_everything_that_the_values_and_the_chapters_need(tmp_path: Path) -> None:
    """binder/ has a Python that the book supports, and all that its postBuild imports."""
    version = (ROOT / "binder" / "runtime.txt").read_text().strip()
    project = (ROOT / "pyproject.toml").read_text("utf8")
    minimum = re.search(r'requires-python = ">=3\.(\d+)"', project)
    assert minimum and int(version.removeprefix("python-3.")) >= int(minimum[1])
    requirements = (ROOT / "binder" / "requirements.txt").read_text()
    # the postBuild's imports beyond the standard library, each under its distribution's name
    code = "import sys; sys.path.insert(0, '_ext'); import plain_notebooks; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    loaded = {name.split(".")[0] for name in run.stdout.split()}
    for module, distribution in (("pybtex", "pybtex"), ("yaml", "pyyaml"), ("sphinx", "sphinx")):
        if module in loaded:
            assert distribution in requirements, f"postBuild imports {module}"
    hook = VALUES["singleuser"]["lifecycleHooks"]["postStart"]["exec"]["command"][-1]
    assert "--target-repo-dir /srv/book" in (ROOT / "docs" / "hub.md").read_text("utf8")
    assert (
        "cp -rn /srv/book/reading/." in hook
        and "reading" in (ROOT / "binder" / "postBuild").read_text()
    )


def test_a_students_file_is_never_overwritten(tmp_path: Path) -> None:
    """Runs the hub's own hook as the hub does."""
    (tmp_path / "reading" / "chapters").mkdir(parents=True)
    for name in ("a", "b"):
        (tmp_path / "reading" / "chapters" / f"{name}.ipynb").write_text("new")
    own_file = tmp_path / "homes" / "ada" / "chapters" / "a.ipynb"
    own_file.parent.mkdir(parents=True)
    own_file.write_text("mine")

    class Names:
        def __getattr__(self, name: str) -> Names:
            child = Names()
            object.__setattr__(self, name, child)
            return child

        def append(self, _: object) -> None:
            pass

        pop = append

    environment = {"BOOK_HUB": str(tmp_path), "BOOK_READING": str(tmp_path / "reading"),
                   "BOOK_PASSWORD": "x", "BOOK_TRIAL_TOKEN": "x"}  # fmt: skip
    config, spawner = Names(), Names()
    spawner.user.name = "ada"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        text = (ROOT / "deploy" / "jupyterhub_config.py").read_text("utf8")
        exec(text, {"get_config": lambda: config})
        config.Spawner.pre_spawn_hook(spawner)
        config.Spawner.pre_spawn_hook(spawner)
    assert own_file.read_text() == "mine" and own_file.with_name("b.ipynb").read_text() == "new"
    assert (tmp_path / "exchange").stat().st_mode & 0o777 == 0o777


@pytest.mark.weekly
@pytest.mark.skipif(
    importlib.util.find_spec("jupyterhub") is None
    or not (os.environ.get("BOOK_PROXY") or shutil.which("configurable-http-proxy")),
    reason="a hub needs pip install -e '.[class]' and npm install -g configurable-http-proxy",
)
def test_three_students_run_a_chapter_on_a_hub_at_once(capsys: pytest.CaptureFixture) -> None:
    import hub

    assert hub.main(["--users", "3"]) == 0
    out = capsys.readouterr().out
    assert "3 students" in out and "cells with errors: 0" in out
    assert re.search(r"server: 3 × \d+ MB", out) and re.search(r"kernel: 3 × \d+ MB", out)

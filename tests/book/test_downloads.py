"""The notebooks that the pages' download buttons give."""

from __future__ import annotations

import json
import re
from pathlib import Path


def test_the_download_is_a_plain_notebook_with_the_pages_numbers(site: Path) -> None:
    paths = sorted((site / "_sources" / "chapters").glob("*.ipynb"))
    assert paths
    for path in paths:
        cells = json.loads(path.read_text("utf8"))["cells"]
        text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
        assert "{glue:text}" not in text and ":::" not in text, path.name
        written = re.findall(r"^\*\*Exercise (\d+)\. ", text, re.MULTILINE)
        page = (site / "chapters" / f"{path.stem}.html").read_text("utf8")
        shown = re.findall(r'class="caption-number">Exercise (\d+)', page)
        assert shown == written, path.name
        tags = re.findall(r"\\tag\{(\d+)\}", text)
        numbers = re.findall(r'class="eqno">\((\d+)\)', page)
        assert numbers == tags == [str(k + 1) for k in range(len(tags))], path.name

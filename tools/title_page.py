"""The text of the book's title page: title, subtitle and authors, from `_config.yml`."""

from __future__ import annotations

from pathlib import Path

import yaml

CONFIG = Path(__file__).resolve().parent.parent / "_config.yml"

_settings = yaml.safe_load(CONFIG.read_text("utf8"))

TITLE: str = _settings["title"]
AUTHOR: str = _settings["author"]
# The description that search engines show begins with the subtitle and a colon.
SUBTITLE: str = _settings["sphinx"]["config"]["book_description"].partition(":")[0]

"""Columns of ``features.account_day``, as its data dictionary in the dbt project declares them.

Belongs here: reading name, type and description from the one file that has them, so that a catalogue row can name a
column without a warehouse at hand. Does not belong here: how a column is computed (``dbt_project``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from expansion_assets.catalogue.reading import CatalogueError, read_yaml
from expansion_assets.settings import PROJECT_DIR

FEATURES_FILE = PROJECT_DIR / "dbt_project" / "models" / "marts" / "features" / "_features__models.yml"
_MODEL = "account_day"
_NUMBERS = ("bigint", "double")
_WINDOW = re.compile(r"_(\d+)d(?=_|$)")


@dataclass(frozen=True, slots=True)
class Feature:
    """One column: SQL type, and what it holds in words."""

    name: str
    data_type: str
    description: str

    @property
    def is_number(self) -> bool:
        """Whether a threshold can be held against it."""
        return self.data_type in _NUMBERS

    @property
    def windows(self) -> tuple[int, ...]:
        """Days that the name says the column spans: (28,) of limit_events_28d."""
        return tuple(int(days) for days in _WINDOW.findall(self.name))


@lru_cache(maxsize=2)
def account_day_features(path: Path = FEATURES_FILE) -> Mapping[str, Feature]:
    """Columns of an account day by name.

    Raises:
        CatalogueError: the file is missing, or does not describe the model.
    """
    models = {model.get("name"): model for model in read_yaml(path).get("models", [])}
    if _MODEL not in models:
        raise CatalogueError(f"{path.name}: models: no {_MODEL}")
    return {
        column["name"]: Feature(column["name"], column["data_type"], column["description"])
        for column in models[_MODEL]["columns"]
    }

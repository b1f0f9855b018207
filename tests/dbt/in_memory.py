"""A warehouse in memory: raw rows, models by dbt's recorded statements, detectors and firing log, in a few seconds.

Belongs here: from raw rows and planted tags to firings, without Dagster, dbt and files. Does not belong here: rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

import duckdb

from expansion_assets.catalogue.loader import Catalogue, load_catalogue
from expansion_assets.store.control import write_control
from expansion_assets.store.firings import detections_of, fired_rows, firing_rows, read_inputs, states_before
from expansion_assets.store.warehouse import add_rows, fetch_rows, replace_window, set_session
from expansion_assets.tables import DETECTIONS, EVIDENCE, FIRING_EVENTS, READINGS, TAGS
from expansion_assets.triggers.base import Window
from expansion_assets.triggers.registry import DETECTORS
from tests.dbt.raw_tables import RawTables
from tests.dbt.recorded import Recording

Tag = Mapping[str, Any]
"""A planted tag: source_table and row_key of its text, label, problem_key, polarity, is_quote_found."""


class InMemoryWarehouse:
    """One book.

    Args:
        raw: Its rows.
        tags: What a tagger would find in its texts.
        first: Statements of dbt's first run of a warehouse.
        later: Statements of every later run.
    """

    def __init__(self, raw: RawTables, tags: Iterable[Tag], first: Recording, later: Recording) -> None:
        self.connection = duckdb.connect()
        set_session(self.connection)
        # The recorded statements name the database.
        self.connection.execute("attach ':memory:' as expansion; use expansion")
        for schema in ("staging", "intermediate", "features"):
            self.connection.execute(f"create schema {schema}")
        raw.write_into(self.connection)
        self.tags = [tag | {"tag_id": f"g{number}"} for number, tag in enumerate(tags)]
        self._first, self._later, self._is_built = first, later, False

    def run(self, start: date, end: date, catalogue: Catalogue | None = None) -> None:
        """Compute the days [start, end): features, detections, evidence, firing log."""
        catalogue, window = catalogue or load_catalogue(), Window(start, end)
        write_control(self.connection, SimpleNamespace(settings=SimpleNamespace(time_zone="UTC")), start, end)
        (self._later if self._is_built else self._first).run(self.connection)
        self._is_built = True
        self._tag_texts()
        for detector in DETECTORS:
            inputs = read_inputs(self.connection, window, detector.lookback_days(catalogue))
            found = detector.detect(inputs, window, catalogue)
            ours = f"trigger = '{detector.trigger}'"
            replace_window(self.connection, DETECTIONS, fired_rows(found), start, end, ours)
            lines = [{**asdict(line), "trigger": detector.trigger} for line in found.evidence]
            replace_window(self.connection, EVIDENCE, lines, start, end, ours)
        account_day = read_inputs(self.connection, window, 0).account_day
        rows = firing_rows(
            detections_of(self.connection, window), states_before(self.connection, window), [], account_day, window,
            catalogue,
        )
        replace_window(self.connection, FIRING_EVENTS, rows, start, end)

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Rows of a query."""
        return fetch_rows(self.connection, query)

    def raw_rows(self) -> dict[str, list[dict[str, Any]]]:
        """Every raw table."""
        listed = self.rows(
            "select table_name as name from information_schema.tables"
            " where table_catalog = 'expansion' and table_schema = 'raw'"
        )
        return {row["name"]: self.rows(f"select * from raw.{row['name']}") for row in listed}

    def _tag_texts(self) -> None:
        """Write the planted tags of the texts that are known by now, as a tagger would."""
        for table in (TAGS, READINGS):
            self.connection.execute(f"delete from {table.full_name}")
        texts = {
            (row["source_table"].removeprefix("raw."), row["row_key"]): row
            for row in self.rows("select * from features.texts")
        }
        version = {"tagger_version": "planted", "read_at": datetime(2025, 1, 1)}
        tags = [
            {name: text[name] for name in ("text_id", "content_hash", "account_id", "known_on")}
            | {"quote": text["body"], **tag, **version}
            for tag in self.tags
            if (text := texts.get((tag["source_table"], tag["row_key"])))
        ]
        add_rows(self.connection, TAGS, tags)
        add_rows(self.connection, READINGS, tags)
